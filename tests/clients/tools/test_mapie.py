# SPDX-License-Identifier: BSD-3-Clause
"""MAPIE's intervals and sets around networks hold as many rows as they say."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import make_classification

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor, Quantile

mapie_regression = pytest.importorskip("mapie.regression")


def coverage(interval, t):
    return np.mean((interval[:, 0, 0] <= t) & (t <= interval[:, 1, 0]))


def test_the_page(run):
    names = run("MAPIE")
    interval, test = names["interval"], names["test"]
    x, t = names["x"][test, 0], names["t"][test]
    assert coverage(interval, t) == pytest.approx(0.9, abs=0.03)
    width = interval[:, 1, 0] - interval[:, 0, 0]
    assert width.min() > 0
    # the standard deviation of the noise is .14 where |x| is .1 and .9 where it is 2
    assert width[abs(x) > 1.8].mean() > 2.5 * width[abs(x) < 0.3].mean()
    for network, quantile in zip(names["networks"], (0.05, 0.95, 0.5), strict=True):
        other = NumpyMLPRegressor(**network.get_params() | {"loss": Quantile([quantile])})
        other.fit(names["x"][names["fit"]], names["t"][names["fit"]])
        assert_array_equal(network.predict(x[:, np.newaxis]), other.predict(x[:, np.newaxis]))


def test_it_knows_other_classes_by_name_only_as_the_page_says():
    model = mapie_regression.ConformalizedQuantileRegressor(
        NumpyMLPRegressor("quantile", quantile=0.5)
    )
    with pytest.raises(ValueError, match="not supported"):
        model.fit(np.eye(9), np.arange(9.0))


@pytest.mark.parametrize("method", ["split", "cross"])
def test_intervals_of_one_width(method):
    rng = np.random.default_rng(1)
    x = rng.uniform(-2, 2, size=(2000, 1))
    t = x[:, 0] ** 2 + rng.normal(size=2000) / 3
    network = NumpyMLPRegressor(learning_rate_init=0.01, max_iter=40, random_state=0)
    if method == "split":
        model = mapie_regression.SplitConformalRegressor(
            network, confidence_level=0.8, prefit=False
        )
        model.fit(x[:600], t[:600]).conformalize(x[600:1200], t[600:1200])
    else:
        model = mapie_regression.CrossConformalRegressor(network, confidence_level=0.8, cv=4)
        model.fit_conformalize(x[:1200], t[:1200])
    _, interval = model.predict_interval(x[1200:])
    assert coverage(interval, t[1200:]) == pytest.approx(0.8, abs=0.05)
    # the shortest one, of a normal distribution with this deviation
    width = (interval[:, 1, 0] - interval[:, 0, 0]).mean()
    assert width == pytest.approx(2 * 1.2816 / 3, rel=0.15)


def test_sets_of_classes():
    from mapie.classification import SplitConformalClassifier

    X, y = make_classification(2000, n_classes=3, n_informative=5, random_state=0)
    network = NumpyMLPClassifier(max_iter=30, random_state=0)
    model = SplitConformalClassifier(network, confidence_level=0.9, prefit=False)
    model.fit(X[:800], y[:800]).conformalize(X[800:1400], y[800:1400])
    _, sets = model.predict_set(X[1400:])
    assert sets[np.arange(600), y[1400:], 0].mean() == pytest.approx(0.9, abs=0.04)
