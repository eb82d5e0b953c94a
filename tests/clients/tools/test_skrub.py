# SPDX-License-Identifier: BSD-3-Clause
"""skrub's pipelines hand a network what it can read."""

import pytest
from numpy.testing import assert_allclose

skrub = pytest.importorskip("skrub")


def test_the_page(run):
    names = run("skrub")
    pipeline, flats, price = names["pipeline"], names["flats"], names["price"]
    assert pipeline.score(flats[300:], price[300:]) > 0.9
    inputs = pipeline[:-1].transform(flats)
    network = names["NumpyMLPRegressor"](**pipeline[-1].get_params())
    network.fit(inputs[:300], price[:300])
    assert_allclose(network.predict(inputs), pipeline.predict(flats), rtol=1e-9)
