# SPDX-License-Identifier: BSD-3-Clause
"""LIME explains what a network predicts, and finds the slopes of a linear one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

lime_tabular = pytest.importorskip("lime.lime_tabular")


def test_the_page(run):
    names = run("LIME")
    (expected,) = names["network"].predict(names["X_reg"][:1])
    assert_allclose(names["explanation"].predicted_value, expected)


def test_a_classifier():
    X, y = load_iris(return_X_y=True)
    network = NumpyMLPClassifier(max_iter=30, random_state=0).fit(X, y)
    explainer = lime_tabular.LimeTabularExplainer(X, random_state=0)
    explanation = explainer.explain_instance(X[0], network.predict_proba, labels=(0, 1, 2))
    assert_allclose(explanation.predict_proba, network.predict_proba(X[:1])[0])
    assert set(explanation.as_map()) == {0, 1, 2}


def test_slopes_of_a_linear_network():
    X = scale(np.random.RandomState(0).normal(size=(200, 3)))
    network = NumpyMLPRegressor(activation="identity", solver="lbfgs", alpha=0, random_state=0)
    network.fit(X, X @ [3.0, -2.0, 0.0])
    explainer = lime_tabular.LimeTabularExplainer(
        X, mode="regression", discretize_continuous=False, random_state=0
    )
    explanation = explainer.explain_instance(X[0], network.predict, num_samples=2000)
    found = dict(explanation.as_map()[1])
    assert_allclose([found[0], found[1], found[2]], [3, -2, 0], atol=0.02)
