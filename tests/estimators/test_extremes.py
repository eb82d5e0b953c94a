# SPDX-License-Identifier: BSD-3-Clause
"""Numbers near the end of the floats: an error that says what to scale, or a model that is right."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, r2_score

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.core import Dense, LayerNorm, Network
from sknumpynet.core.training import clip_norm

rng = np.random.RandomState(0)
X = rng.normal(size=(30, 2))
Y = X[:, 0]
LABELS = (Y > 0).astype(int)
WEIGHTS = rng.uniform(0.1, 2, 30)
SCALING = "[Ss]cale X|sample_weight"


def regressor(**params):
    return NumpyMLPRegressor(
        **{"hidden_layer_sizes": (4,), "max_iter": 4, "random_state": 0, **params}
    )


def classifier(**params):
    return NumpyMLPClassifier(
        **{"hidden_layer_sizes": (4,), "max_iter": 4, "random_state": 0, **params}
    )


EXP = [{"loss": loss} for loss in ("gamma", "poisson", "tweedie")]
ADAPTIVE = ["nadam", "amsgrad", "rmsprop", "adagrad", "adam", "adamw", "rprop", "lion", "sgd"]
with np.errstate(over="ignore"):
    INFINITE = (X * 1e150).astype("float32"), (X * 1e8).astype("float16")
CASES = [
    (regressor, {}, (X, Y * 1e300)),
    (regressor, {"early_stopping": True}, (X, Y * 1e300)),
    (regressor, {"solver": "lbfgs"}, (X, Y * 1e300)),
    (regressor, {"solver": "lbfgs"}, (X * 1e150, Y)),
    (regressor, {"solver": "lbfgs"}, (X, Y, WEIGHTS * 1e-300)),
    (classifier, {"solver": "lbfgs"}, (X, LABELS, WEIGHTS * 1e-300)),
    (classifier, {}, (X * 1e307, LABELS)),
    (classifier, {}, (X, LABELS, WEIGHTS * 1e-300)),
    (classifier, {"normalization": "layer"}, (X * 1e307, LABELS)),
    (classifier, {"normalization": "batch"}, (X * 1e307, LABELS)),
    (classifier, {"solver": "rprop"}, (X * 1e307, LABELS)),
    (classifier, {"alpha": 1e200, "l1_ratio": 1}, (X.astype("f"), LABELS)),
    (regressor, {}, (X * 1e307, Y)),
    (regressor, {"dtype": "float32"}, (X, Y * 1e30)),
    (regressor, {"dtype": "float32", "solver": "lbfgs"}, (X, Y * 1e38)),
    (regressor, {"dtype": "float32", "loss": "log_cosh"}, (X, Y * 1e38)),
    (regressor, {"loss": "quantile"}, (X * 1e307, np.arange(30))),
    (regressor, {"loss": "absolute_error"}, (X, Y * 1e300)),
    (regressor, {"alpha": 1e10}, (X, Y, WEIGHTS * 1e-300)),
    (regressor, {"max_grad_norm": 1e-3}, (X, Y, WEIGHTS * 1e-300)),
    (
        regressor,
        {
            "max_iter": 1,
            "solver": "sgd",
            "alpha": 1e10,
            "learning_rate_init": 10,
            "normalization": "batch",
        },
        (X.astype("f"), Y),
    ),
    *((regressor, {"solver": solver}, (X, Y, WEIGHTS * 1e-300)) for solver in ADAPTIVE),
    *((regressor, params, (X * 1e8, np.exp(Y))) for params in EXP),
    *((regressor, {**params, "learning_rate_init": 1e5}, (X, np.exp(Y))) for params in EXP),
    (regressor, {}, (INFINITE[0], Y)),
    (regressor, {}, (INFINITE[1], Y)),
    (classifier, {}, (X.astype("f"), LABELS, WEIGHTS * 1e300)),
]


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("call", ["fit", "partial_fit"])
@pytest.mark.parametrize("make, params, data", CASES)
def test_no_warning_of_numpy_and_no_model_that_is_not_finite(make, params, data, call):
    model = make(**params)
    if call == "partial_fit" and (model.solver == "lbfgs" or model.early_stopping):
        pytest.skip("no partial_fit")
    options = {"classes": [0, 1]} if make is classifier and call == "partial_fit" else {}
    if len(data) == 3:
        options["sample_weight"] = data[2]
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always", ConvergenceWarning)
        try:
            getattr(model, call)(data[0], data[1], **options)
        except ValueError as error:
            assert any(word in str(error) for word in ("cale X", "sample_weight", "infinity"))
            assert not hasattr(model, "loss_")
            return
    assert np.isfinite(model.loss_)
    assert np.isfinite(model.predict(data[0])).all()
    assert np.isfinite(model.input_gradient(data[0])).all()
    model.hidden_activations(data[0])
    model.score(data[0], data[1])


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("solver", ["adam", "adamw", "nadam", "amsgrad", "rmsprop", "adagrad"])
def test_parameters_that_stand_still_are_warned_of(solver):
    """Squares of gradients beyond all floats make steps of 0."""
    with pytest.warns(ConvergenceWarning, match="have not moved.*Scale X.*sample_weight"):
        regressor(solver=solver).fit(X, Y, WEIGHTS * 1e-300)


@pytest.mark.parametrize("size", [1e-3, 1e3])
@pytest.mark.parametrize("dtype, large", [(np.float64, 1e300), (np.float32, 1e30)])
def test_a_gradient_whose_square_overflows_is_shortened_as_any_other(size, dtype, large):
    grads = np.array([3 * large, -4 * large], dtype)
    with np.errstate(all="ignore"):
        assert clip_norm(grads, size) == pytest.approx(5 * large)
    assert grads == pytest.approx(np.array([0.6, -0.8]) * size)
    grads = np.array([3 * large, np.nan], dtype)
    with np.errstate(all="ignore"):
        clip_norm(grads, size)
    assert np.isnan(grads).any()


def test_the_length_of_the_gradient_is_recorded_where_its_square_overflows():
    model = regressor(loss="absolute_error", solver="sgd", alpha=0, learning_rate_init=1e-300)
    model.fit(X * 1e200, Y)
    assert np.isfinite(model.history_["gradient_norm"]).all()


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("unit", [1.0, 1e20, 1e200, np.array([1e250, 1e-3])])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_r2_is_the_same_in_any_unit(unit, weights):
    """Its squares are beyond all floats."""
    y = np.c_[Y, X[:, 1]] if np.ndim(unit) else Y
    model = NumpyMLPRegressor.from_weights(
        [np.eye(2) * unit if np.ndim(unit) else np.array([[0.9], [0.3]]) * unit]
    )
    prediction = X if np.ndim(unit) else X @ [0.9, 0.3]
    expected = r2_score(
        y + 0.1 * X[::-1, : y.ndim].reshape(y.shape), prediction, sample_weight=weights
    )
    y = (y + 0.1 * X[::-1, : y.ndim].reshape(y.shape)) * unit
    assert model.score(X, y, weights) == pytest.approx(expected)
    assert model.score(X, y.tolist(), weights) == pytest.approx(expected)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("weights", [None, WEIGHTS, np.arange(30) > 0])
@pytest.mark.parametrize("unit, largest", [(1.0, 1e200), (1e-3, 1e170), (1e18, 1e300)])
def test_predictions_far_beyond_y_have_no_r2_of_0(unit, largest, weights):
    """In their unit the variance of y is 0, and R2 would be 0: better than that of any poor network."""
    for W in ([[largest], [0.0]], [[largest, 1.0], [0.0, 0.0]]):
        model = NumpyMLPRegressor.from_weights([W])
        y = Y * unit if len(W[0]) == 1 else np.c_[Y * unit, Y]
        assert model.score(X, y, weights) < -1e290


def test_early_stopping_does_not_keep_diverged_weights():
    """Each epoch is worse than the one before; predictions of the fourth are above 1e170."""
    params = {"solver": "sgd", "learning_rate_init": 0.1, "max_iter": 12}
    model = regressor(early_stopping=True, validation_fraction=0.3, **params)
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model.fit(X * 10, Y * 1000)
    scores = model.validation_scores_
    assert 0 > scores[0] > scores[1] > scores[2] > scores[3] and np.isnan(scores[4])
    assert model.best_epoch_ == 1
    assert abs(model.predict(X * 10)).max() < 1e8


def test_a_normalisation_whose_variance_overflows_gives_no_number():
    """1 / sqrt(inf) would make zeros of it."""
    network = Network([Dense(2, 4), LayerNorm(4), "relu", Dense(4, 1)], rng=0)
    with np.errstate(all="ignore"):
        assert np.isnan(network.predict(X * 1e200)).all()
    assert np.isfinite(network.predict(X * 1e100)).all()


def test_columns_of_labels_that_look_like_yes_and_no_are_scored():
    """Predictions of columns with more classes may all be 0 or 1."""
    y = np.c_[LABELS, np.where(np.arange(30) == 0, 2, LABELS)]
    model = NumpyMLPClassifier.from_weights(
        [np.ones((2, 5))], [[0, 0.1, 0, 0.1, -99]], classes=[[0, 1], [0, 1, 2]]
    )
    predicted = model.predict(X)
    assert set(np.unique(predicted)) <= {0, 1}
    for true in (y, y[1:]):
        rows = X[-len(true) :]
        expected = (model.predict(rows) == true).all(axis=1).mean()
        assert model.score(rows, true) == expected
    indicator = classifier().fit(X, np.c_[LABELS, 1 - LABELS])
    assert indicator.score(X, np.c_[LABELS, 1 - LABELS]) == accuracy_score(
        np.c_[LABELS, 1 - LABELS], indicator.predict(X)
    )
