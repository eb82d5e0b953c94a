# SPDX-License-Identifier: BSD-3-Clause
"""``out_activation_`` says what is made of the raw output: predictions follow it, as scikit-learn's do."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor, Quantile, explain_step

X = np.random.RandomState(0).normal(size=(80, 3))
NUMBERS = X[:, 0] - 0.5 * X[:, 1]
Y = {
    "binary": np.where(NUMBERS > 0.3, "yes", "no"),
    "multiclass": np.digitize(NUMBERS, [-0.5, 0.5]),
    "labels": (X > 0.2).astype(int),
    "number": NUMBERS,
    "numbers": X[:, :2] ** 2,
}
KINDS = pytest.mark.parametrize("kind", Y)
CLASSES = pytest.mark.parametrize("kind", ["binary", "multiclass", "labels"])
NAMES = pytest.mark.parametrize("name", ["identity", "logistic", "softmax", "exp"])


def pair(kind, fit=True):
    """scikit-learn's network and ours with the same weights, by the same fit or by assignment."""
    params = {"hidden_layer_sizes": (5,), "max_iter": 15, "random_state": 0, "tol": 0}
    params["learning_rate_init"] = 0.01
    theirs, ours = (
        (MLPRegressor, NumpyMLPRegressor)
        if kind.startswith("number")
        else (MLPClassifier, NumpyMLPClassifier)
    )
    with pytest.warns(UserWarning, match="converge"):
        theirs = theirs(**params).fit(X, Y[kind])
        ours = ours(**params)
        if fit:
            return theirs, ours.fit(X, Y[kind])
    ours.coefs_, ours.intercepts_ = theirs.coefs_, theirs.intercepts_
    if hasattr(theirs, "classes_"):
        ours.classes_ = [[0, 1]] * 3 if kind == "labels" else theirs.classes_
    return theirs, ours


@KINDS
@NAMES
@pytest.mark.parametrize("fit", [True, False], ids=["fitted", "assigned"])
def test_predictions_are_scikit_learns(kind, name, fit):
    if (kind, name, fit) == ("multiclass", "logistic", False):
        pytest.skip("beside a flat list of classes, logistic outputs are one label each")
    theirs, ours = pair(kind, fit)
    theirs.out_activation_ = ours.out_activation_ = name
    with np.errstate(all="raise"):
        found = ours.predict(X)
    if kind.startswith("number"):
        assert_allclose(found, theirs.predict(X), rtol=1e-7)
        assert_allclose(ours.score(X, Y[kind]), theirs.score(X, Y[kind]), rtol=1e-7)
    else:
        assert_array_equal(found, theirs.predict(X))
        expected = theirs.predict_proba(X)
        if not (kind == "binary" and name == "softmax"):  # there p = 1, and ours is never 1
            assert_allclose(ours.predict_proba(X), expected, rtol=1e-7, atol=1e-13)
        assert_allclose(ours.predict_proba(X), expected, atol=1e-9)
        assert ours.score(X, Y[kind]) == theirs.score(X, Y[kind])
    assert_array_equal(pickle.loads(pickle.dumps(ours)).predict(X), found)


@CLASSES
@NAMES
def test_decisions_and_probabilities_say_what_predict_says(kind, name):
    _, ours = pair(kind)
    ours.out_activation_ = name
    p, decision, found = ours.predict_proba(X), ours.decision_function(X), ours.predict(X)
    if kind == "binary":
        assert_array_equal(found, ours.classes_[(decision > 0).astype(int)])
        assert_array_equal(found, ours.classes_[p.argmax(axis=1)])
    elif kind == "labels":
        assert_array_equal(found, decision > 0)
        assert_array_equal(found, p > 0.5)
    else:
        assert_array_equal(found, ours.classes_[decision.argmax(axis=1)])
        assert_array_equal(found, ours.classes_[p.argmax(axis=1)])
    assert np.isfinite(ours.predict_log_proba(X)).all()


@KINDS
@NAMES
def test_input_gradient_is_the_slope_of_what_is_given(kind, name):
    _, ours = pair(kind)
    ours.out_activation_ = name
    output = ours.predict if kind.startswith("number") else ours.decision_function
    slopes, h = ours.input_gradient(X), 1e-6
    for j, step in enumerate(np.eye(3) * h):
        expected = (output(X + step) - output(X - step)) / (2 * h)
        assert_allclose(slopes[..., j], expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", ["identity", "logistic", "softmax"])
def test_several_columns_of_labels(name):
    columns = np.column_stack([Y["multiclass"], Y["binary"] == "yes"])
    model = NumpyMLPClassifier((5,), solver="lbfgs", max_iter=20, random_state=0)
    with pytest.warns(UserWarning, match="converge"):
        model.fit(X, columns)
    model.out_activation_ = name
    for column, p in zip(model.predict(X).T, model.predict_proba(X), strict=True):
        assert_array_equal(column, p.argmax(axis=1))


@NAMES
def test_explain_step_shows_the_same_prediction(name):
    theirs, ours = pair("numbers")
    theirs.out_activation_ = ours.out_activation_ = name
    step = explain_step(ours, X[0])
    assert_allclose(step.layers[-1]["a"], theirs.predict(X[:1])[0], rtol=1e-7)
    assert step.layers[-1]["function"] == name


def test_quantiles_stay_sorted():
    model = NumpyMLPRegressor(Quantile([0.1, 0.9]), (5,), solver="lbfgs", random_state=0)
    model.fit(X, NUMBERS)
    assert (np.diff(model.predict(X)) >= 0).all()
    model.out_activation_ = "identity"
    assert (np.diff(model.predict(X)) >= 0).all()


@KINDS
@pytest.mark.parametrize("value", ["sigmoid", None, np.exp])
def test_other_values_are_named(kind, value):
    _, ours = pair(kind)
    methods = ["predict", "input_gradient"]
    if not kind.startswith("number"):
        methods += ["predict_proba", "predict_log_proba", "decision_function"]
    ours.out_activation_ = value
    for method in methods:
        with pytest.raises(ValueError, match=r"out_activation_=.*'logistic'") as error:
            getattr(ours, method)(X)
        assert repr(value) in str(error.value)


@KINDS
def test_training_sets_it_back(kind):
    _, ours = pair(kind)
    _, twin = pair(kind)
    ours.out_activation_ = "exp"
    ours.partial_fit(X, Y[kind])
    twin.partial_fit(X, Y[kind])
    assert ours.out_activation_ == twin.out_activation_
    assert_array_equal(ours.predict(X), twin.predict(X))
