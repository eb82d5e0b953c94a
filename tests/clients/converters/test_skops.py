# SPDX-License-Identifier: BSD-3-Clause
"""A network goes through a skops file, whose types are named by `skops_trusted_types`."""

import pytest
from numpy.testing import assert_array_equal

skops_io = pytest.importorskip("skops.io")


def test_the_page(run):
    names = run("skops")
    network, loaded = names["network"], names["loaded"]
    assert type(loaded) is type(network)
    assert_array_equal(loaded.predict_proba(names["X"]), network.predict_proba(names["X"]))
    assert len(names["export"].skops_trusted_types("network.skops")) == 5
    with pytest.raises(skops_io.exceptions.UntrustedTypesFoundException):
        skops_io.load("network.skops", trusted=[])
    assert not skops_io.get_untrusted_types(data=skops_io.dumps(plain(names).to_sklearn()))


def test_training_goes_on_to_the_last_bit(run):
    names = run("skops")
    network = plain(names)
    trusted = names["export"].skops_trusted_types(network)
    loaded = skops_io.loads(skops_io.dumps(network), trusted=trusted)
    for each in (network, loaded):
        each.partial_fit(names["X_train"], names["y_train"])
    assert_array_equal(loaded.coefs_[0], network.coefs_[0])


def plain(names):
    network = names["NumpyMLPClassifier"](max_iter=5, random_state=0)
    return network.fit(names["X_train"], names["y_train"])
