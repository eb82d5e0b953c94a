# SPDX-License-Identifier: BSD-3-Clause
"""SHAP's values of a network add up to its predictions, and are known where the network is linear."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

from sknumpynet import NumpyMLPRegressor

shap = pytest.importorskip("shap")


def test_the_page(run):
    names = run("SHAP")
    explanation, X_test = names["explanation"], names["X_test"]
    total = explanation.values.sum(axis=1) + explanation.base_values
    assert_allclose(total, names["network"].predict_proba(X_test), atol=1e-10)
    assert explanation.values.shape == (*X_test.shape, 3)


@pytest.mark.parametrize("explain", ["exact", "kernel"])
def test_values_of_a_linear_network(explain):
    X, y = load_diabetes(return_X_y=True)
    X = scale(X)[:, :5]
    network = NumpyMLPRegressor(
        hidden_layer_sizes=4, activation="identity", solver="lbfgs", random_state=0
    ).fit(X, y)
    background, rows = X[:30], X[30:36]
    if explain == "exact":
        values = shap.Explainer(network.predict, background)(rows).values
    else:
        values = shap.KernelExplainer(network.predict, background).shap_values(rows, silent=True)
    slopes = network.input_gradient(rows)
    assert_allclose(values, slopes * (rows - background.mean(axis=0)), rtol=1e-6, atol=1e-6)


def test_an_estimator_is_not_callable_as_the_page_says():
    X = np.eye(4)
    network = NumpyMLPRegressor(max_iter=2, random_state=0).fit(X, X[:, 0])
    with pytest.raises(TypeError, match="not callable"):
        shap.Explainer(network, X)
