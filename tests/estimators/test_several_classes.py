# SPDX-License-Identifier: BSD-3-Clause
"""Several columns of labels at once: one softmax for each, scored by the rows that match exactly."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet import NumpyMLPClassifier
from sknumpynet.core import Dense, MultinomialLogLoss, Network, SeveralClasses, check_gradients

X = np.random.default_rng(0).normal(size=(150, 5))
Y = np.column_stack([np.digitize(X[:, 0], [-0.5, 0.5]), np.digitize(X[:, 1], [-1, 0, 1]) * 10])


def fitted(**params):
    return NumpyMLPClassifier((16,), **{"max_iter": 300, "random_state": 0, **params}).fit(X, Y)


def test_the_loss_is_the_sum_of_the_columns_losses():
    rng = np.random.default_rng(1)
    raw = rng.normal(size=(7, 5))
    y = np.column_stack([rng.integers(0, 2, 7), rng.integers(0, 3, 7)])
    weight = rng.uniform(size=7)
    value, gradient = SeveralClasses([2, 3]).value_and_gradient(y, raw, weight)
    first = MultinomialLogLoss().value_and_gradient(y[:, 0], raw[:, :2].copy(), weight)
    second = MultinomialLogLoss().value_and_gradient(y[:, 1], raw[:, 2:].copy(), weight)
    assert_allclose(value, first[0] + second[0], rtol=1e-13)
    assert_allclose(gradient, np.hstack([first[1], second[1]]), rtol=1e-13)


def test_gradient_is_the_slope():
    rng = np.random.default_rng(2)
    network = Network([Dense(4, 5), "tanh", Dense(5, 5)], rng=0)
    y = np.column_stack([rng.integers(0, 2, 9), rng.integers(0, 3, 9)])
    check_gradients(network, SeveralClasses([2, 3], smoothing=0.1), rng.normal(size=(9, 4)), y)


@pytest.mark.parametrize(
    "params", [{}, {"solver": "lbfgs"}, {"early_stopping": True, "n_iter_no_change": 200}]
)
def test_learns_both_columns(params):
    model = fitted(**params)
    assert [list(classes) for classes in model.classes_] == [[0, 1, 2], [0, 10, 20, 30]]
    predicted = model.predict(X)
    assert predicted.shape == Y.shape
    assert model.score(X, Y) == (predicted == Y).all(axis=1).mean() > 0.6
    weight = np.arange(150)
    right = (predicted == Y).all(axis=1)
    assert_allclose(model.score(X, Y, weight), np.average(right, weights=weight))


def test_probabilities_are_a_list_that_agrees_with_the_prediction():
    model = fitted()
    first, second = model.predict_proba(X)
    assert (first.shape, second.shape) == ((150, 3), (150, 4))
    assert_allclose(second.sum(axis=1), 1)
    assert_array_equal(model.classes_[1][second.argmax(axis=1)], model.predict(X)[:, 1])
    assert_allclose(np.exp(model.predict_log_proba(X)[0]), first)
    assert model.decision_function(X).shape == (150, 7)


def test_labels_may_be_text():
    names = np.array(["low", "mid", "high"])[Y[:, 0]]
    others = np.array(["a", "b", "c", "d"])[Y[:, 1] // 10]
    model = NumpyMLPClassifier((16,), max_iter=300, random_state=0)
    model.fit(X, np.column_stack([names, others]))
    assert set(model.predict(X)[:, 0]) <= {"low", "mid", "high"}
    assert model.score(X, np.column_stack([names, others])) > 0.6


def test_partial_fit_equals_fit_and_wants_the_classes_of_each_column():
    model = NumpyMLPClassifier((16,), random_state=0)
    with pytest.raises(ValueError, match=r"classes must be passed on the first call.*list of 2"):
        model.partial_fit(X, Y)
    for _ in range(3):
        model.partial_fit(X, Y, classes=[[0, 1, 2], [0, 10, 20, 30]])
    whole = NumpyMLPClassifier((16,), random_state=0, max_iter=3, tol=0).fit(X, Y)
    for ours, theirs in zip(model.coefs_, whole.coefs_, strict=True):
        assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match="not the same as on the last call"):
        model.partial_fit(X, Y, classes=[[0, 1], [0, 10, 20, 30]])
    with pytest.raises(ValueError, match="classes not in classes_"):
        model.partial_fit(X, Y + 1)


def test_validation_data_are_scored_by_exact_rows():
    model = NumpyMLPClassifier((16,), max_iter=5, random_state=0)
    model.fit(X[:100], Y[:100], X_val=X[100:], y_val=Y[100:])
    assert model.validation_scores_[-1] == model.score(X[100:], Y[100:])
    with pytest.raises(ValueError, match="classes not in classes_"):
        model.fit(X[:100], Y[:100], X_val=X[100:], y_val=Y[100:] + 1)


def test_focal_loss_is_refused():
    with pytest.raises(ValueError, match="go with loss='log_loss'"):
        fitted(loss="focal")
