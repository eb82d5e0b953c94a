# SPDX-License-Identifier: BSD-3-Clause
"""Fits that diverge: an error or a warning that says what would do, and never a loss of NaN."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from sknumpynet import HalfGamma, NumpyMLPClassifier, NumpyMLPRegressor
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
