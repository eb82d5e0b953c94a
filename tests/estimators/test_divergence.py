# SPDX-License-Identifier: BSD-3-Clause
"""Fits that diverge: an error or a warning that says what helps, and never a loss of NaN."""

import pickle
import re
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sknumpynet import (
    HalfGamma,
    Loss,
    NumpyMLPClassifier,
    NumpyMLPRegressor,
    export,
    fit_side_by_side,
)
from sknumpynet.core import Dense, Network
from sknumpynet.core.training import minimize_lbfgs

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def counts(n=100, seed=0):
    rng = np.random.RandomState(seed)
    return rng.uniform(0, 1, (n, 4)), rng.poisson(3, n) + 1.0


# -------------------------------------------------------------------- L-BFGS


@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize(
    ("loss", "scale"),
    [
        ("poisson", 100), ("poisson", 200), ("poisson", 300), ("poisson", 1e3), ("poisson", 1e5),
        ("gamma", 3e3), ("gamma", 1e4), ("gamma", 1e5),
        ("tweedie", 1e3), ("tweedie", 1e5),
        ("squared_error", 1e160), ("squared_error", 1e200),
    ],
)  # fmt: skip
def test_lbfgs_does_not_count_as_converged_where_losses_are_not_finite(loss, scale, container):
    X, y = counts()
    model = NumpyMLPRegressor(loss, (20,), solver="lbfgs", random_state=0, max_iter=100)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.fit(container(scale * X), y)
        except ValueError as error:
            assert "Scale X" in str(error)
            assert not hasattr(model, "loss_")
            return
    messages = [str(w.message) for w in caught if issubclass(w.category, ConvergenceWarning)]
    assert any("Scale X" in message for message in messages), messages
    assert np.isfinite(model.loss_)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_lbfgs_with_validation_data_does_not_either(early_stopping):
    X, y = counts()
    model = NumpyMLPRegressor(
        "poisson", (20,), solver="lbfgs", random_state=0, early_stopping=early_stopping
    )
    with pytest.raises(ValueError, match="Scale X"):
        model.fit(1e5 * X, y, X_val=1e5 * X, y_val=y)
    with pytest.warns(ConvergenceWarning, match="Scale X"):
        model.fit(200 * X, y, X_val=X, y_val=y)
    assert np.isfinite(model.loss_)


class Barrier:
    """``x - log(x)``, whose minimum is at 1, and not a number for ``x <= 0``."""

    def __init__(self, beyond):
        self.network, self.beyond, self.n_beyond = Network([Dense(1, 1, bias=False)]), beyond, 0
        self.network.params[...] = 3.0

    def penalty(self, x):
        return 0.0

    def __call__(self, x):
        if x[0] > 0:
            return float(x[0] - np.log(x[0])), 1 - 1 / x
        self.n_beyond += 1
        return self.beyond, np.array([np.nan])


@pytest.mark.parametrize("beyond", [np.nan, np.inf])
def test_a_search_that_recovers_from_what_is_not_finite_has_converged(beyond):
    barrier = Barrier(beyond)
    found = minimize_lbfgs(barrier, max_iter=100, max_fun=1000, tol=1e-5)
    assert barrier.n_beyond
    at_the_minimum = abs(found.params[0] - 1) < 1e-4
    assert found.overflowed != at_the_minimum


# -------------------------------------------------------------------- one batch at a time


class Jump:
    """A learning rate that is good for some steps and then much too large."""

    def __init__(self, n_good, good, bad):
        self.n_good, self.good, self.bad = n_good, good, bad

    def __call__(self, step):
        return self.good if step < self.n_good else self.bad


N_GOOD = 5  # epochs, of one step each


def jumping(cls, **params):
    settings = {"hidden_layer_sizes": (5,), "solver": "sgd", "random_state": 0, "max_iter": 30}
    settings |= {
        "batch_size": 90,
        "early_stopping": True,
        "learning_rate": Jump(N_GOOD, 0.01, 1e200),
    }
    return cls(**{**settings, **params})


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("scoring", [None, "loss", "by name"])
@pytest.mark.parametrize("kind", ["classifier", "regressor", "poisson"])
def test_early_stopping_that_diverges_keeps_the_best_and_says_so(kind, scoring, given):
    X, y = counts()
    if kind == "classifier":
        model, y = jumping(NumpyMLPClassifier), y > 3
        scoring = "neg_log_loss" if scoring == "by name" else scoring
    else:
        loss = "poisson" if kind == "poisson" else "squared_error"
        model = jumping(NumpyMLPRegressor, loss=loss)
        scoring = "neg_mean_absolute_error" if scoring == "by name" else scoring
    model.set_params(scoring=scoring)
    data = {"X_val": X[:20], "y_val": y[:20]} if given else {}
    X, y = (X[:90], y[:90]) if given else (X, y)
    with pytest.warns(ConvergenceWarning, match="diverged.*best validation score.*kept.*Scale X"):
        model.fit(X, y, **data)
    assert np.isfinite(model.loss_)
    assert np.isfinite(model.best_validation_score_)
    assert model.n_iter_ < 30  # nothing that comes later can be better
    best = int(np.nanargmax(model.validation_scores_)) + 1
    assert best <= N_GOOD
    assert model.loss_ == model.loss_curve_[best - 1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        again = jumping(type(model), **{**model.get_params(), "max_iter": best})
        again.fit(X, y, **data)
    for ours, expected in zip(model.coefs_, again.coefs_, strict=True):
        assert_array_equal(ours, expected)


@pytest.mark.parametrize("cls", [NumpyMLPClassifier, NumpyMLPRegressor])
@pytest.mark.parametrize("scoring", [None, "loss"])
def test_early_stopping_that_diverges_at_once_raises(cls, scoring):
    X, y = counts()
    y = y > 3 if cls is NumpyMLPClassifier else y
    model = jumping(cls, scoring=scoring, learning_rate=Jump(0, 1, 1e200))
    with pytest.raises(ValueError, match=r"diverged by epoch [12],.*Scale X"):
        model.fit(X, y)
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("loss", ["poisson", "gamma", "tweedie", HalfGamma()])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_no_model_has_a_loss_of_nan(loss, solver, early_stopping):
    X, y = counts()
    for scale in (30, 1e3, 1e5, 1e160):
        model = NumpyMLPRegressor(loss, (20,), solver=solver, max_iter=5, random_state=0)
        model.set_params(early_stopping=early_stopping)
        try:
            model.fit(scale * X, y)
        except ValueError as error:
            assert "Scale X" in str(error)
        else:
            assert not np.isnan(model.loss_)
            assert not np.isnan(model.predict(scale * X)).any()


# -------------------------------------------------------------------- losses that are finite, and huge

HAS_DIVERGED = "Training has diverged: .*Scale X.*learning_rate_init.*max_grad_norm"


def table(kind, scale=1.0):
    """Return rows whose columns are not scaled, and targets of some 100 or three classes."""
    if kind is NumpyMLPRegressor:
        X, y = load_diabetes(return_X_y=True, scaled=False)
    else:
        X, y = load_iris(return_X_y=True)
    return X * scale, y


def theirs(model, X, y, n_calls=0):
    """Return the loss curve of scikit-learn's estimator with the same parameters."""
    cls = MLPRegressor if isinstance(model, NumpyMLPRegressor) else MLPClassifier
    other = cls(**{name: getattr(model, name) for name in cls().get_params()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(n_calls):
            other.partial_fit(X, y, **({"classes": [0, 1, 2]} if cls is MLPClassifier else {}))
        return other.loss_curve_ if n_calls else other.fit(X, y).loss_curve_


@pytest.mark.parametrize("kind", [NumpyMLPRegressor, NumpyMLPClassifier])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_loss_that_grows_is_warned_of_once_and_is_scikit_learns(kind, dtype):
    X, y = table(kind, 1 if kind is NumpyMLPRegressor else 1e6)
    X = X.astype(dtype)
    y = y.astype(dtype) if kind is NumpyMLPRegressor else y
    model = kind(hidden_layer_sizes=(20,), solver="sgd", random_state=0, max_iter=30)
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X, y)
    assert [w.category for w in caught].count(ConvergenceWarning) == len(caught) == 1
    assert re.match(HAS_DIVERGED, str(caught[0].message))
    assert f"is {model.loss_:.3g} now" in str(caught[0].message)
    rtol = 1e-6 if dtype == "float64" else 1e-2
    assert_allclose(model.loss_curve_, theirs(model, X, y), rtol=rtol)


@pytest.mark.parametrize("kind", [NumpyMLPRegressor, NumpyMLPClassifier])
def test_of_many_calls_of_partial_fit_one_warns(kind, tmp_path):
    X, y = table(kind, 1e6 if kind is NumpyMLPClassifier else 1)
    model = kind(hidden_layer_sizes=(20,), solver="sgd", random_state=0, shuffle=False)
    options = {"classes": [0, 1, 2]} if kind is NumpyMLPClassifier else {}
    with pytest.warns(ConvergenceWarning, match=HAS_DIVERGED) as caught:
        for _ in range(10):
            model.partial_fit(X, y, **options)
    assert len(caught) == 1
    assert_allclose(model.loss_curve_, theirs(model, X, y, 10), rtol=1e-6)
    export.save(model, tmp_path / "diverged.sknn", training_state=True)
    for again in (pickle.loads(pickle.dumps(model)), export.load(tmp_path / "diverged.sknn")):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            again.partial_fit(X, y)


@pytest.mark.parametrize("options", [{"early_stopping": True}, {"batch_size": 10}])
def test_it_is_warned_of_with_validation_and_in_small_batches(options):
    X, y = table(NumpyMLPRegressor)
    model = NumpyMLPRegressor(
        hidden_layer_sizes=(20,), solver="sgd", random_state=0, max_iter=5, **options
    )
    with pytest.warns(ConvergenceWarning, match=HAS_DIVERGED):
        model.fit(X, y)


def test_it_is_warned_of_in_fits_side_by_side():
    X, y = table(NumpyMLPRegressor)
    models = [
        NumpyMLPRegressor(hidden_layer_sizes=(5,), solver="sgd", random_state=i, max_iter=5)
        for i in range(4)
    ]
    alone = [n_warnings(model, X, y) for model in models]
    with pytest.warns(ConvergenceWarning, match=HAS_DIVERGED) as caught:
        fit_side_by_side(models, X, y)
    assert sum("diverged" in str(w.message) for w in caught) == sum(alone) > 0


def n_warnings(model, X, y, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y, **options)
    return sum("diverged" in str(w.message) for w in caught)


@pytest.mark.parametrize(
    "solver", ["adam", "adamw", "nadam", "rmsprop", "adagrad", "lion", "lbfgs"]
)
@pytest.mark.parametrize("kind", [NumpyMLPRegressor, NumpyMLPClassifier])
def test_a_loss_that_is_large_and_falls_has_not_diverged(kind, solver):
    X, y = table(kind, 1e3)
    assert not n_warnings(
        kind(hidden_layer_sizes=(20,), solver=solver, random_state=0, max_iter=10), X, y
    )


def test_what_max_grad_norm_keeps_from_growing_is_not_warned_of():
    X, y = table(NumpyMLPRegressor)
    model = NumpyMLPRegressor(solver="sgd", random_state=0, max_iter=50)
    assert n_warnings(model, X, y)
    assert not n_warnings(model.set_params(max_grad_norm=1), X, y)
    assert model.score(X, y) > 0.2


def test_targets_that_change_their_scale_have_not_diverged():
    X, y = table(NumpyMLPRegressor, 0.01)
    model = NumpyMLPRegressor(hidden_layer_sizes=(5,), random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for factor in (1e-3, 1e-3, 1e3, 1e3, 0, 1e-3):
            model.partial_fit(X, y * factor)
        for row in range(100):  # a loss of one row may be as small as chance makes it
            model.partial_fit(X[[row]], y[[row]] / 100)


def test_a_loss_that_may_be_negative_is_not_judged():
    class Shifted(Loss):
        def terms_and_gradient(self, y, raw, gradient, scratch):
            np.subtract(raw, y, out=gradient)
            return gradient**2 / 2 - 1e4

    X, y = table(NumpyMLPRegressor, 0.01)
    model = NumpyMLPRegressor(Shifted(), random_state=0, max_iter=3)
    assert not n_warnings(model, X, y)


def test_loss_is_not_compared_with_a_first_batch_of_zero_weight():
    X, y = table(NumpyMLPRegressor)
    weight = (np.arange(len(y)) < 30).astype(float)
    for seed in range(4):  # in about half of them the first batch has no weight
        model = NumpyMLPRegressor(solver="sgd", batch_size=10, random_state=seed, max_iter=5)
        assert n_warnings(model, X, y, sample_weight=weight)
