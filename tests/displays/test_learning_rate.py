# SPDX-License-Identifier: BSD-3-Clause
"""The learning rate range test: its losses, its suggestion, and what it warns of."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_array
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sknumpynet import (
    LearningRateDisplay,
    NumpyMLPClassifier,
    NumpyMLPRegressor,
    find_learning_rate,
)

X, y = load_digits(return_X_y=True)
X = X / 16


def test_the_losses_are_those_of_single_steps():
    """One pass by hand, with partial_fit and the formula of the smoothed mean."""
    model = NumpyMLPClassifier((8,), batch_size=32)
    display = find_learning_rate(model, X, y, n_steps=12, n_passes=1, random_state=5)
    rng = np.random.RandomState(5)
    by_hand = NumpyMLPClassifier((8,), batch_size=32, random_state=rng.randint(2**31 - 1))
    order, mean, expected = rng.permutation(len(X)), 0.0, []
    for step, rate in enumerate(np.geomspace(1e-6, 10, 12)):
        batch = order[32 * step : 32 * (step + 1)]
        by_hand.set_params(learning_rate_init=float(rate))
        by_hand.partial_fit(X[batch], y[batch], classes=np.arange(10))
        mean = 0.9 * mean + 0.1 * by_hand.loss_
        expected.append(mean / (1 - 0.9 ** (step + 1)))
    seen = ~np.isnan(display.losses[0])
    assert_allclose(display.losses[0][seen], np.array(expected)[seen])
    assert seen[:8].all()


@pytest.mark.parametrize("solver", ["adam", "sgd", "rmsprop"])
def test_the_suggestion_trains_well(solver):
    model = NumpyMLPClassifier(solver=solver, max_iter=20, random_state=0)
    rate = find_learning_rate(model, X, y).suggestion_
    fitted = model.set_params(learning_rate_init=rate).fit(X, y)
    losses = []
    for other in (1e-4, 1e-3, 1e-2, 1e-1, 1.0):
        model.set_params(learning_rate_init=other).fit(X, y)
        losses.append(model.loss_)
    model.set_params(learning_rate_init=rate).fit(X, y)
    assert fitted.loss_ <= np.median(losses)
    assert model.score(X, y) > 0.98


def test_the_suggestion_is_a_tenth_of_the_rate_with_the_lowest_mean():
    rates, losses = np.array([0.01, 0.1, 1.0]), np.array([[2.0, 1.0, 3.0], [2.0, 1.5, np.nan]])
    assert LearningRateDisplay(rates, losses).suggestion_ == pytest.approx(0.1 / 10)


def test_estimator_is_unchanged_and_results_repeat():
    model = make_pipeline(StandardScaler(), NumpyMLPClassifier((8,), random_state=0))
    before = str(model.get_params())
    np.random.seed(0)
    state = np.random.get_state()[1].copy()
    first = find_learning_rate(model, X, y, n_steps=20)
    assert str(model.get_params()) == before and not hasattr(model[-1], "coefs_")
    assert (np.random.get_state()[1] == state).all()
    again = find_learning_rate(model, X, y, n_steps=20)
    assert_allclose(first.losses, again.losses, rtol=0)


@pytest.mark.parametrize("kind", ["sparse", "labels", "columns", "text", "numbers", "frame"])
def test_every_kind_of_data(kind):
    inputs, target, cls = X[:300], y[:300], NumpyMLPClassifier
    if kind == "sparse":
        inputs = csr_array(inputs)
    elif kind == "labels":
        target = np.stack([target > 4, target % 2 == 0], axis=1).astype(int)
    elif kind == "columns":
        target = np.stack([target, target % 3], axis=1)
    elif kind == "text":
        target = np.array([f"digit {each}" for each in target])
    elif kind == "numbers":
        inputs, target = load_diabetes(return_X_y=True)
        inputs, target, cls = scale(inputs), scale(target), NumpyMLPRegressor
    else:
        inputs = pytest.importorskip("pandas").DataFrame(inputs)
    model = cls(hidden_layer_sizes=(8,), batch_size=32)
    display = find_learning_rate(model, inputs, target, n_steps=30, n_passes=2)
    assert 1e-5 < display.suggestion_ < 1


def test_unscaled_columns_give_a_warning():
    wide = X.copy()
    wide[:, 5] *= 5000
    with pytest.warns(UserWarning, match=r"X is not scaled: column 5 has mean .* StandardScaler"):
        find_learning_rate(NumpyMLPClassifier((8,)), wide, y, n_steps=10, n_passes=1)
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(wide[:, 3:7], columns=list("abcd"))
    with pytest.warns(UserWarning, match="column 'c'"):
        find_learning_rate(NumpyMLPClassifier((8,)), frame, y, n_steps=10, n_passes=1)


@pytest.mark.filterwarnings("error")
def test_it_is_silent_behind_a_scaler():
    model = make_pipeline(StandardScaler(), NumpyMLPClassifier((8,)))
    find_learning_rate(model, 1000 * X, y, n_steps=10, n_passes=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lowest": 1.0, "highest": 0.1}, "0 < lowest < highest"),
        ({"highest": np.inf}, "highest < inf must hold"),
        ({"y": y[:-1]}, "y and X must have the same number of rows"),
        ({"X": X[:-1]}, "y and X must have the same number of rows"),
        ({"y": None}, "requires y to be passed"),
        ({"X": None}, "X must have two dimensions"),
        ({"y": np.full(len(y), np.nan)}, "y has missing values"),
        ({"lowest": "a"}, "0 < lowest < highest"),
        ({"n_steps": 3}, "n_steps must be an integer of at least 10; got 3"),
        ({"n_passes": 0}, "n_passes must be an integer of at least 1; got 0"),
        ({"estimator": NumpyMLPClassifier(solver="lbfgs")}, "solver='lbfgs'"),
        ({"estimator": NumpyMLPClassifier(alpha=-1)}, "'alpha'"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        find_learning_rate(**{"estimator": NumpyMLPClassifier(), "X": X, "y": y, **options})
    with pytest.raises(TypeError, match="LogisticRegression"):
        find_learning_rate(LogisticRegression(), X, y)


def test_the_picture():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    rates = np.geomspace(1e-4, 1, 5)
    display = LearningRateDisplay(rates, [[3.0, 2.5, 1.0, 2.0, np.nan]]).plot()
    assert_allclose(display.ax_.lines[-1].get_xdata(), [display.suggestion_] * 2)
    assert display.ax_.get_xscale() == "log"
    matplotlib.pyplot.close(display.figure_)
