# SPDX-License-Identifier: BSD-3-Clause
"""A custom classification loss says how outputs become probabilities, and predict follows these."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, ndtr, softmax

from sknumpynet import Loss, NumpyMLPClassifier, NumpyMLPRegressor

X = np.random.RandomState(0).normal(size=(120, 3))
NUMBERS = X[:, 0] - 0.5 * X[:, 1]
Y = {
    "binary": np.where(NUMBERS > 0.3, "yes", "no"),
    "multiclass": np.digitize(NUMBERS, [-0.5, 0.5]),
    "labels": (X > 0.2).astype(int),
}
KINDS = pytest.mark.parametrize("kind", Y)


class SquaredShare(Loss):
    """l = sum_k (p_k - y_k)^2 / 2 with p = inverse_link(raw), its slope by differences."""

    def terms_and_gradient(self, y, raw, gradient, scratch):
        target = np.eye(raw.shape[1])[y] if y.ndim == 1 else y.astype(raw.dtype)
        p, low, high = np.empty_like(raw), raw - 1e-5, raw + 1e-5
        self.inverse_link(raw, p)
        self.inverse_link(low, low)
        self.inverse_link(high, high)
        gradient[...] = (p - target) * (high - low) / 2e-5
        scratch[...] = (p - target) ** 2 / 2
        return scratch


class NamesItOnly(SquaredShare):
    link = "logistic"


class Probit(SquaredShare):
    link = "probit"

    def inverse_link(self, raw, out):
        ndtr(raw, out=out)


class ShiftedProbit(Probit):
    """p = 1/2 lies far from raw = 0."""

    link = "shifted"

    def inverse_link(self, raw, out):
        ndtr(raw - 1.5, out=out)


class Clipped(SquaredShare):
    """Outputs are probabilities as they are, kept within [0, 1]; the link keeps its name."""

    def inverse_link(self, raw, out):
        np.clip(raw, 0, 1, out=out)


class Logistic(SquaredShare):
    link = "logistic"

    def inverse_link(self, raw, out):
        expit(raw, out=out)


class Softmax(Loss):
    """l = -sum_k y_k log(p_k), whose slope is sum(y) p - y."""

    link = "softmax"

    def terms_and_gradient(self, y, raw, gradient, scratch):
        target = np.eye(raw.shape[1])[y] if y.ndim == 1 else y.astype(raw.dtype)
        p = softmax(raw, axis=1)
        gradient[...] = target.sum(axis=1, keepdims=True) * p - target
        scratch[...] = -target * np.log(p)
        return scratch

    def inverse_link(self, raw, out):
        out[...] = softmax(raw, axis=1)


def new(loss, **params):
    params = {"learning_rate_init": 0.02, "max_iter": 300, "tol": 0, "random_state": 0, **params}
    return NumpyMLPClassifier((8,), loss=loss, **params)


def attributes(model):
    return {name for name in vars(model) if name.endswith("_")}


@KINDS
@pytest.mark.parametrize("loss", [SquaredShare(), NamesItOnly()], ids=["none", "name only"])
@pytest.mark.parametrize("method", ["fit", "lbfgs", "partial_fit", "initialize", "from_weights"])
def test_without_a_link_it_is_refused(kind, loss, method):
    model = new(loss, solver="lbfgs" if method == "lbfgs" else "adam")
    before = copy.deepcopy(vars(model))
    with pytest.raises(ValueError, match=r"set `link` and override `inverse_link`.*expit") as error:
        if method == "partial_fit":
            classes = np.arange(3) if kind == "labels" else np.unique(Y[kind])
            model.partial_fit(X, Y[kind], classes=classes)
        elif method == "from_weights":
            n = 1 if kind == "binary" else 3
            NumpyMLPClassifier.from_weights([np.ones((3, n))], loss=loss)
        else:
            getattr(model, "initialize" if method == "initialize" else "fit")(X, Y[kind])
    assert type(loss).__name__ in str(error.value)
    assert vars(model).keys() == before.keys()


@KINDS
@pytest.mark.parametrize("loss", [Probit(), ShiftedProbit(), Clipped(), Logistic(), Softmax()])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_predict_is_the_likeliest_class(kind, loss, early_stopping):
    if kind == "binary" and loss.link == "softmax":
        pytest.skip("refused")
    with pytest.warns(UserWarning, match="converge"):
        model = new(loss, early_stopping=early_stopping, n_iter_no_change=300).fit(X, Y[kind])
    found, p = model.predict(X), model.predict_proba(X)
    decision = model.decision_function(X)
    if kind == "labels":
        assert_array_equal(found, p > 0.5)
        assert_array_equal(found, decision > 0)
    else:
        assert_array_equal(found, model.classes_[p.argmax(axis=1)])
        best = decision > 0 if kind == "binary" else decision.argmax(axis=1)
        assert_array_equal(found, model.classes_[best.astype(int)])
    raw = np.maximum(X @ model.coefs_[0] + model.intercepts_[0], 0) @ model.coefs_[1]
    expected = raw + model.intercepts_[1]
    loss.inverse_link(expected.copy(), expected)
    assert_allclose(p[:, -1], expected[:, -1], atol=1e-9)
    assert np.isfinite(model.predict_log_proba(X)).all()
    if not early_stopping and not (kind == "labels" and loss.link == "softmax"):
        assert model.score(X, Y[kind]) > 0.6


@KINDS
@pytest.mark.parametrize("loss", [Probit(), ShiftedProbit(), Logistic(), Softmax()])
def test_input_gradient_is_the_slope_of_decision_function(kind, loss):
    if kind == "binary" and loss.link == "softmax":
        pytest.skip("refused")
    with pytest.warns(UserWarning, match="converge"):
        model = new(loss, max_iter=20).fit(X, Y[kind])
    slopes, h = model.input_gradient(X), 1e-6
    for j, step in enumerate(np.eye(3) * h):
        expected = (model.decision_function(X + step) - model.decision_function(X - step)) / (2 * h)
        assert_allclose(slopes[..., j], expected, rtol=1e-4, atol=1e-7)


def test_the_recorded_score_of_validation_data_is_that_of_predict():
    with pytest.warns(UserWarning, match="converge"):
        model = new(ShiftedProbit(), max_iter=30).fit(X, Y["binary"], X_val=X, y_val=Y["binary"])
    assert model.validation_scores_[-1] == model.score(X, Y["binary"])


def test_a_softmax_of_one_output_is_refused():
    with pytest.raises(ValueError, match=r"single output for two classes is always 1.*for_classes"):
        new(Softmax()).fit(X, Y["binary"])


def test_a_regression_loss_that_only_names_its_link_is_refused():
    class Named(SquaredShare):
        link = "exp"

    with pytest.raises(ValueError, match=r"has link='exp'.*override `inverse_link`"):
        NumpyMLPRegressor(Named()).fit(X, NUMBERS)
    NumpyMLPRegressor(SquaredShare(), solver="lbfgs", max_iter=2000).fit(X, NUMBERS)
