# SPDX-License-Identifier: BSD-3-Clause
"""What the losses for numbers do in an estimator: quantiles, outliers, counts and amounts, custom losses.

Their values and gradients are tested in core/test_losses.py.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import (
    GammaRegressor,
    HuberRegressor,
    PoissonRegressor,
    QuantileRegressor,
    TweedieRegressor,
)
from sklearn.metrics import mean_pinball_loss, r2_score
from sklearn.model_selection import cross_val_score

from sknumpynet import (
    HalfTweedie,
    Huber,
    Loss,
    NumpyMLPClassifier,
    NumpyMLPRegressor,
    Quantile,
)

pytestmark = pytest.mark.filterwarnings("ignore:solver='lbfgs' ignores learning_rate_init")

rng = np.random.RandomState(0)
X = rng.uniform(-1, 1, size=(400, 2))
NOISE = rng.normal(size=400)
SPREAD = 1.5 + X[:, 0]  # the noise grows with the first column
Y = 2 * X[:, 0] - X[:, 1] + SPREAD * NOISE
COUNTS = rng.poisson(np.exp(0.5 + X[:, 0]))
AMOUNTS = rng.gamma(2.0, np.exp(X[:, 0] - 0.5 * X[:, 1]) / 2)
CLAIMS = AMOUNTS * (rng.uniform(size=400) < 0.6)


def new(**params):
    settings = {"hidden_layer_sizes": (8,), "max_iter": 200, "learning_rate_init": 0.01}
    return NumpyMLPRegressor(**{**settings, "random_state": 0, **params})


def linear(**params):
    """A linear model, found to the end."""
    return new(hidden_layer_sizes=(), solver="lbfgs", max_iter=2000, tol=1e-9, alpha=0, **params)


# -------------------------------------------------------------------- quantiles


@pytest.mark.parametrize("q", [0.1, 0.5, 0.8])
def test_a_quantile_covers_its_share(q):
    model = new(loss=Quantile(q)).fit(X, Y)
    assert model.predict(X).shape == (400,)
    assert (model.predict(X) >= Y).mean() == pytest.approx(q, abs=0.04)
    # in the half with little noise and in the other
    for half in (X[:, 0] < 0, X[:, 0] >= 0):
        assert (model.predict(X[half]) >= Y[half]).mean() == pytest.approx(q, abs=0.08)


def test_several_quantiles_at_once():
    levels = [0.1, 0.5, 0.9]
    model = new(loss=Quantile(levels)).fit(X, Y)
    predicted = model.predict(X)
    assert predicted.shape == (400, 3)
    assert model.n_outputs_ == 3
    assert_allclose((predicted >= Y[:, np.newaxis]).mean(axis=0), levels, atol=0.04)
    width = predicted[:, 2] - predicted[:, 0]
    assert width[X[:, 0] > 0.5].mean() > 1.5 * width[X[:, 0] < -0.5].mean()


def test_quantiles_never_cross():
    """Not even those of a network that has learnt nothing, whose raw outputs do."""
    model = new(loss=Quantile([0.05, 0.2, 0.5, 0.8, 0.95])).initialize(X, Y)
    assert (np.diff(model._raw(model._model, X), axis=1) < 0).any()
    assert (np.diff(model.predict(X), axis=1) >= 0).all()
    model.set_params(max_iter=3).fit(X, Y)
    assert (np.diff(model.predict(10 * X), axis=1) >= 0).all()


@pytest.mark.parametrize(
    ("levels", "middle"), [([0.1, 0.5, 0.9], 1), ([0.1, 0.2, 0.55, 0.9], 2), ([0.5, 0.9], 0)]
)
def test_score_uses_the_middle_quantile(levels, middle):
    model = new(loss=Quantile(levels), max_iter=30).fit(X, Y)
    expected = r2_score(Y, model.predict(X)[:, middle])
    assert model.score(X, Y) == pytest.approx(expected, rel=1e-12)
    weights = np.random.RandomState(1).uniform(size=400)
    expected = r2_score(Y, model.predict(X)[:, middle], sample_weight=weights)
    assert model.score(X, Y, weights) == pytest.approx(expected, rel=1e-12)


def test_early_stopping_watches_the_middle_quantile():
    model = new(loss=Quantile([0.1, 0.5, 0.9]), early_stopping=True, max_iter=40).fit(X, Y)
    assert model.best_validation_score_ > 0.2
    given = new(loss=Quantile([0.1, 0.5, 0.9]), max_iter=5).fit(X, Y, X_val=X, y_val=Y)
    assert given.validation_scores_[-1] == pytest.approx(given.score(X, Y))


def test_one_quantile_is_the_quantile_regression():
    ours = linear(loss=Quantile(0.7)).fit(X, Y)
    theirs = QuantileRegressor(quantile=0.7, alpha=0).fit(X, Y)
    best = mean_pinball_loss(Y, theirs.predict(X), alpha=0.7)
    assert mean_pinball_loss(Y, ours.predict(X), alpha=0.7) == pytest.approx(best, rel=0.01)
    assert ours.loss_ == pytest.approx(mean_pinball_loss(Y, ours.predict(X), alpha=0.7), rel=1e-6)


def test_one_quantile_of_several_targets():
    model = new(loss="quantile", max_iter=100).fit(X, np.c_[Y, -Y])
    assert model.predict(X).shape == (400, 2)
    assert_allclose((model.predict(X) >= np.c_[Y, -Y]).mean(axis=0), 0.5, atol=0.06)


def test_scikit_learns_searches_score_several_quantiles():
    scores = cross_val_score(new(loss=Quantile([0.1, 0.5, 0.9]), max_iter=100), X, Y, cv=2)
    assert scores.min() > 0.1


@pytest.mark.parametrize(
    ("levels", "y", "message"),
    [
        ([0.5, 0.1], Y, "must lie in .0, 1. and rise"),
        ([0.1, 0.1], Y, "must lie in .0, 1. and rise"),
        (0.0, Y, "must lie in .0, 1. and rise"),
        ([0.5, 1.0], Y, "must lie in .0, 1. and rise"),
        ([0.1, 0.9], np.c_[Y, Y], "several quantiles need a single target; y has 2 columns"),
    ],
)
def test_wrong_quantiles(levels, y, message):
    with pytest.raises(ValueError, match=message):
        new(loss=Quantile(levels)).fit(X, y)


# -------------------------------------------------------------------- outliers


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "log_cosh", "quantile"])
def test_outliers_move_less(loss):
    """Five rows of 100 are far off; the prediction of the others changes less than with squares."""
    outliers = Y.copy()
    outliers[::20] += 100

    def change(loss):
        before, after = (linear(loss=loss).fit(X, y).predict(X) for y in (Y, outliers))
        return np.abs(after - before).mean()

    assert change(loss) < 0.1 * change("squared_error")


def test_huber_is_scikit_learns_for_a_linear_model():
    theirs = HuberRegressor(epsilon=1.35, alpha=0, tol=1e-10, max_iter=1000).fit(X, Y)
    # scikit-learn finds the unit of its limit as well
    ours = linear(loss=Huber(delta=1.35 * theirs.scale_)).fit(X, Y)
    assert_allclose(ours.coefs_[0].ravel(), theirs.coef_, rtol=1e-4)


def test_a_large_delta_is_the_squared_error():
    huber = new(loss=Huber(delta=1e9), max_iter=20).fit(X, Y)
    squared = new(loss="squared_error", max_iter=20).fit(X, Y)
    assert_allclose(huber.predict(X), squared.predict(X), rtol=1e-9)


def test_the_best_constant_for_the_absolute_error_is_the_median():
    model = linear(loss="absolute_error").fit(np.zeros((101, 1)), np.arange(101.0) ** 2)
    assert model.predict([[0.0]])[0] == pytest.approx(50**2, abs=1)


# -------------------------------------------------------------------- counts and amounts


@pytest.mark.parametrize(
    ("loss", "y", "theirs"),
    [
        ("poisson", COUNTS, PoissonRegressor),
        ("gamma", AMOUNTS + 0.01, GammaRegressor),
        ("tweedie", CLAIMS, lambda **given: TweedieRegressor(power=1.5, link="log", **given)),
        (
            HalfTweedie(1.2),
            CLAIMS,
            lambda **given: TweedieRegressor(power=1.2, link="log", **given),
        ),
    ],
)
def test_a_linear_network_is_scikit_learns_generalised_linear_model(loss, y, theirs):
    ours = linear(loss=loss).fit(X, y)
    theirs = theirs(alpha=0, tol=1e-9, max_iter=5000).fit(X, y)
    assert_allclose(ours.predict(X), theirs.predict(X), rtol=2e-3)
    assert ours.out_activation_ == "exp"
    assert (ours.predict(X) > 0).all()


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("loss", "y", "message"),
    [
        ("poisson", COUNTS - 1, "loss='poisson' needs y >= 0.*smallest y is -1"),
        ("gamma", CLAIMS, "loss='gamma' needs y > 0; the smallest y is 0"),
        ("tweedie", CLAIMS - 1, "loss='tweedie' needs y >= 0; the smallest y is -1"),
        (HalfTweedie(3), CLAIMS, "loss='tweedie' needs y > 0; the smallest y is 0"),
        (HalfTweedie(2), AMOUNTS, "power must be above 1 and other than 2; got 2"),
        (HalfTweedie(0.5), AMOUNTS, "power must be above 1"),
    ],
)
def test_targets_outside_of_the_domain(loss, y, message, method):
    with pytest.raises(ValueError, match=message):
        getattr(new(loss=loss), method)(X, y)


def test_validation_targets_outside_of_the_domain():
    with pytest.raises(ValueError, match="loss='poisson' needs y_val >= 0"):
        new(loss="poisson").fit(X, COUNTS, X_val=X, y_val=COUNTS - 1)


# -------------------------------------------------------------------- every loss


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(
    ("loss", "y"),
    [
        ("squared_error", Y),
        ("absolute_error", Y),
        ("huber", Y),
        ("log_cosh", Y),
        ("quantile", Y),
        ("poisson", COUNTS),
        ("gamma", AMOUNTS),
        ("tweedie", CLAIMS),
    ],
)
def test_every_loss_gets_smaller(loss, y, solver):
    models = [new(loss=loss, solver=solver, max_iter=n).fit(X, y) for n in (1, 40)]
    assert models[1].loss_ < models[0].loss_
    assert models[1].score(X, y) > models[0].score(X, y)


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "log_cosh", "quantile"])
def test_curves_show_the_mean_over_targets(loss):
    """Two equal targets have the same loss as one."""
    one, two = (linear(loss=loss).fit(X, y) for y in (Y, np.c_[Y, Y]))
    assert two.loss_ == pytest.approx(one.loss_, rel=1e-3)


# -------------------------------------------------------------------- a custom loss


class Asymmetric(Loss):
    """The squared error, `factor` times as large if the prediction is too small."""

    def __init__(self, factor=3.0):
        self.factor = factor

    def terms_and_gradient(self, y, raw, gradient, scratch):
        np.subtract(raw, y, out=gradient)
        weight = np.where(gradient < 0, self.factor, 1.0)
        np.multiply(gradient, gradient, out=scratch)
        scratch *= 0.5 * weight
        gradient *= weight
        return scratch


class Brier(Loss):
    """The squared error of the probability of a class, of two classes."""

    link = "logistic"

    def inverse_link(self, raw, out):
        np.divide(1, 1 + np.exp(-raw), out=out)

    def terms_and_gradient(self, y, raw, gradient, scratch):
        p = 1 / (1 + np.exp(-raw))
        np.multiply(2 * (p - y), p * (1 - p), out=gradient)
        return (p - y) ** 2


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_loss_of_ones_own_for_numbers(solver):
    model = new(loss=Asymmetric(9.0), solver=solver).fit(X, Y)
    plain = new(loss=Asymmetric(1.0), solver=solver).fit(X, Y)
    squared = new(loss="squared_error", solver=solver).fit(X, Y)
    assert_allclose(plain.predict(X), squared.predict(X), rtol=1e-6)
    assert (model.predict(X) > Y).mean() > (plain.predict(X) > Y).mean() + 0.15


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_loss_of_ones_own_for_classes(solver):
    y = np.where(Y > 0, "up", "down")
    model = NumpyMLPClassifier((8,), solver=solver, loss=Brier(), max_iter=100, random_state=0)
    model.set_params(learning_rate_init=0.01).fit(X, y)
    assert model.score(X, y) > 0.7
    proba = model.predict_proba(X)
    assert_allclose(proba.sum(axis=1), 1)
    expected = np.where(proba[:, 1] > 0.5, "up", "down")
    assert_array_equal(model.predict(X), expected)
    if solver == "lbfgs":
        brier = ((proba[:, 1] - (y == "up")) ** 2).mean()
        assert model.loss_ == pytest.approx(brier, abs=2e-3)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("quantile", [0.2, [0.1, 0.5, 0.9], np.array([0.3, 0.6]), (0.4,)])
def test_the_quantile_can_be_set_by_name(quantile, solver):
    """A search sets it by name, which a loss object does not allow for: the numbers are the same."""
    X = np.random.RandomState(0).normal(size=(60, 3))
    y = X[:, 0] + X[:, 1] ** 2
    params = {"hidden_layer_sizes": (5,), "solver": solver, "max_iter": 5, "random_state": 0}
    one = NumpyMLPRegressor("quantile", quantile=quantile, **params).fit(X, y)
    other = NumpyMLPRegressor(Quantile(quantile), **params).fit(X, y)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    assert one.loss_function_ == Quantile(quantile)
    again = clone(one).set_params(quantile=0.5).fit(X, y)
    np.testing.assert_array_equal(
        again.predict(X), NumpyMLPRegressor("quantile", **params).fit(X, y).predict(X)
    )
    ignored = NumpyMLPRegressor("huber", quantile=quantile, **params).fit(X, y)
    np.testing.assert_array_equal(
        ignored.predict(X), NumpyMLPRegressor("huber", **params).fit(X, y).predict(X)
    )


def test_what_was_fitted_does_not_follow_a_list_that_is_changed():
    X = np.random.RandomState(0).normal(size=(30, 2))
    quantile = [0.1, 0.9]
    model = NumpyMLPRegressor("quantile", quantile=quantile, max_iter=2).fit(X, X[:, 0])
    quantile[0] = 0.5
    assert model.loss_function_ == Quantile([0.1, 0.9])


@pytest.mark.parametrize("quantile", [0, 1, -0.5, "0.5", None, [], [0.9, 0.1], [0.5, 1.0], ["a"]])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_invalid_quantile_is_named(quantile, solver):
    model = NumpyMLPRegressor("quantile", quantile=quantile, solver=solver)
    with pytest.raises(ValueError, match="quantile"):
        model.fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0])
    assert not hasattr(model, "coefs_")
