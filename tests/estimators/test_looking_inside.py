# SPDX-License-Identifier: BSD-3-Clause
"""Hidden activations, slopes, sizes and the record of a fit; networks trained elsewhere."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtr
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import (
    HiddenActivations,
    Loss,
    NumpyMLPClassifier,
    NumpyMLPRegressor,
    Quantile,
)
from sknumpynet.core.training import Objective

rng = np.random.RandomState(0)
X = rng.normal(size=(80, 4))
NUMBERS = X[:, 0] - 2 * X[:, 1]
CLASSES = np.digitize(NUMBERS, [-1, 1])
SOLVERS = ["adam", "sgd", "lbfgs"]
HISTORY = [
    "epoch",
    "loss",
    "validation_loss",
    "validation_score",
    "learning_rate",
    "gradient_norm",
    "seconds",
]


def new(cls=NumpyMLPRegressor, **params):
    settings = {"hidden_layer_sizes": (6, 5), "max_iter": 5, "random_state": 0}
    return cls(**{**settings, **params})


# -------------------------------------------------------------------- hidden activations


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("relu", lambda z: np.maximum(z, 0)),
        ("tanh", np.tanh),
        ("gelu", lambda z: z * ndtr(z)),
        ("softsign", lambda z: z / (1 + abs(z))),
    ],
)
def test_hidden_activations_are_those_of_the_formula(name, formula):
    model = new(activation=name).fit(X, NUMBERS)
    a, layers = X, []
    for W, b in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        a = formula(a @ W + b)
        layers.append(a)
    for layer, expected in enumerate(layers):
        assert_allclose(model.hidden_activations(X, layer), expected, rtol=1e-9, atol=1e-12)
        assert_array_equal(
            model.hidden_activations(X, layer - 2), model.hidden_activations(X, layer)
        )
    assert_array_equal(model.hidden_activations(X), model.hidden_activations(X, -1))
    raw = layers[-1] @ model.coefs_[-1] + model.intercepts_[-1]
    assert_allclose(raw.ravel(), model.predict(X))


def test_hidden_activations_of_sparse_and_other_rows():
    model = new().fit(X, NUMBERS)
    expected = model.hidden_activations(X)
    assert_allclose(model.hidden_activations(sp.csr_matrix(X)), expected, rtol=1e-9)
    assert_allclose(model.hidden_activations(X.astype(np.float32)), expected, rtol=1e-3, atol=1e-5)
    assert new(dtype="float32").fit(X, NUMBERS).hidden_activations(X).dtype == np.float32


@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_hidden_activations_leave_out_dropout_and_use_kept_statistics(normalization):
    model = new(dropout=0.5, normalization=normalization).fit(X, NUMBERS)
    together = model.hidden_activations(X)
    one_by_one = np.vstack([model.hidden_activations(row[np.newaxis]) for row in X])
    assert_allclose(together, one_by_one, rtol=1e-9, atol=1e-12)
    W, b = model.coefs_[-1], model.intercepts_[-1]
    assert_allclose((together @ W + b).ravel(), model.predict(X), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("layer", [2, -3])
def test_a_layer_that_is_not_there(layer):
    with pytest.raises(ValueError, match=f"layer={layer} does not exist: the network has 2 hidden"):
        new().fit(X, NUMBERS).hidden_activations(X, layer)


def test_hidden_activations_before_fit():
    with pytest.raises(NotFittedError):
        new().hidden_activations(X)


# -------------------------------------------------------------------- as a transformer


def test_the_transformer_clones_and_fits():
    network = new(NumpyMLPClassifier)
    features = HiddenActivations(network, layer=0).fit(X, CLASSES)
    assert not hasattr(network, "coefs_")
    fitted = clone(network).fit(X, CLASSES)
    assert_array_equal(features.transform(X), fitted.hidden_activations(X, 0))
    assert_array_equal(features.estimator_.coefs_[0], fitted.coefs_[0])
    assert_array_equal(clone(features).fit_transform(X, CLASSES), features.transform(X))
    weights = np.random.RandomState(1).uniform(size=80)
    weighted = HiddenActivations(network).fit(X, CLASSES, sample_weight=weights)
    assert_array_equal(
        weighted.estimator_.coefs_[0], clone(network).fit(X, CLASSES, weights).coefs_[0]
    )


def test_the_transformer_in_a_pipeline_and_a_search():
    network = new(NumpyMLPClassifier, activation="tanh", solver="lbfgs", max_iter=100)
    model = make_pipeline(StandardScaler(), HiddenActivations(network), LogisticRegression())
    assert model.fit(X, CLASSES).score(X, CLASSES) > 0.9
    grid = {
        "hiddenactivations__layer": [0, 1],
        "hiddenactivations__estimator__hidden_layer_sizes": [(2, 3), (4, 2)],
    }
    search = GridSearchCV(model, grid, cv=2).fit(X, CLASSES)
    assert search.best_score_ > 0.6
    best = search.best_params_
    sizes = best["hiddenactivations__estimator__hidden_layer_sizes"]
    assert search.best_estimator_[-1].coef_.shape[1] == sizes[best["hiddenactivations__layer"]]


def test_the_transformer_names_its_columns():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    features = HiddenActivations(new(), layer=0).set_output(transform="pandas").fit(frame, NUMBERS)
    table = features.transform(frame)
    assert list(table.columns) == list(features.get_feature_names_out())
    assert list(table.columns) == [f"hidden_{i}" for i in range(6)]
    assert list(features.feature_names_in_) == list("abcd")
    assert features.n_features_in_ == 4
    assert_array_equal(table.to_numpy(), features.transform(frame.copy()).to_numpy())


def test_the_transformer_before_fit_and_with_wrong_data():
    features = HiddenActivations(new())
    for call in (lambda: features.transform(X), features.get_feature_names_out):
        with pytest.raises(NotFittedError):
            call()
    features.fit(X, NUMBERS)
    with pytest.raises(ValueError, match="X has 2 features"):
        features.transform(X[:, :2])
    with pytest.raises(ValueError, match="layer=7 does not exist"):
        HiddenActivations(new(), layer=7).fit(X, NUMBERS).transform(X)


def test_the_transformer_takes_sparse_data():
    features = HiddenActivations(new()).fit(sp.csr_matrix(X), NUMBERS)
    assert_allclose(features.transform(sp.csr_matrix(X)), features.transform(X), rtol=1e-9)


# -------------------------------------------------------------------- slopes


def by_differences(output, X, step=1e-6):
    """d output / d input, of shape (n, n_outputs, n_features), by central differences."""
    columns = []
    for j in range(X.shape[1]):
        low, high = X.copy(), X.copy()
        low[:, j] -= step
        high[:, j] += step
        columns.append((output(high) - output(low)).reshape(len(X), -1) / (2 * step))
    return np.stack(columns, axis=2)


class Logit(Loss):
    """A squared error of shares, with a link of its own."""

    link = "logit"

    def inverse_link(self, raw, out):
        np.divide(1, 1 + np.exp(-raw), out=out)

    def terms_and_gradient(self, y, raw, gradient, scratch):
        p = 1 / (1 + np.exp(-raw))
        np.multiply(p - y, p * (1 - p), out=gradient)
        return (p - y) ** 2 / 2


TARGETS = np.c_[NUMBERS, X[:, 2]]
REGRESSORS = {
    "tanh": ({"activation": "tanh"}, NUMBERS),
    "logistic": ({"activation": "logistic"}, NUMBERS),
    "relu": ({"activation": "relu"}, NUMBERS),
    "gelu, silu": ({"activation": ["gelu", "silu"]}, NUMBERS),
    "gaussian, softplus": ({"activation": ["gaussian", "softplus"]}, NUMBERS),
    "pair": ({"activation": (np.sin, np.cos)}, NUMBERS),
    "linear": ({"hidden_layer_sizes": ()}, NUMBERS),
    "two targets": ({"activation": "tanh"}, TARGETS),
    "poisson": ({"loss": "poisson", "activation": "tanh"}, np.exp(NUMBERS)),
    "gamma, two targets": ({"loss": "gamma", "activation": "elu"}, np.exp(TARGETS)),
    "tweedie": ({"loss": "tweedie", "activation": "mish"}, np.exp(NUMBERS)),
    "three quantiles": ({"loss": Quantile([0.1, 0.5, 0.9]), "activation": "tanh"}, NUMBERS),
    "a quantile of two": ({"loss": "quantile", "activation": "tanh"}, TARGETS),
    "own link": ({"loss": Logit(), "activation": "tanh"}, NUMBERS > 0),
    "batch": ({"normalization": "batch", "dropout": 0.3, "activation": "tanh"}, NUMBERS),
    "layer": ({"normalization": "layer", "dropout": [0.1, 0.3, 0]}, NUMBERS),
    "no intercepts": ({"fit_intercept": False, "activation": "tanh"}, NUMBERS),
}


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize(("params", "y"), REGRESSORS.values(), ids=REGRESSORS)
def test_slopes_of_a_regressor(params, y, trained):
    model = new(**params)
    model = model.fit(X, y) if trained else model.initialize(X, y)
    slopes = model.input_gradient(X)
    expected = by_differences(model.predict, X)
    assert slopes.shape == (expected[:, 0] if expected.shape[1] == 1 else expected).shape
    assert_allclose(slopes.reshape(expected.shape), expected, rtol=1e-5, atol=1e-7)
    assert np.abs(slopes).max() > 1e-3


@pytest.mark.parametrize("loss", ["log_loss", "focal"])
@pytest.mark.parametrize(
    "y", [CLASSES, CLASSES > 1, (X[:, :3] > 0).astype(int)], ids=["three", "two", "labels"]
)
def test_slopes_of_a_classifier_are_those_of_the_decision_function(y, loss):
    model = new(NumpyMLPClassifier, activation="tanh", loss=loss).fit(X, y)
    expected = by_differences(model.decision_function, X)
    slopes = model.input_gradient(X)
    assert slopes.shape == ((80, 4) if expected.shape[1] == 1 else (80, 3, 4))
    assert_allclose(slopes.reshape(expected.shape), expected, rtol=1e-5, atol=1e-8)


def test_slopes_leave_the_network_as_it_is():
    model = new(normalization="batch").fit(X, NUMBERS)
    params, state, grads = (
        np.array(a)
        for a in (
            model._model.network.params,
            model._model.network.running_stats,
            model._model.network.grads,
        )
    )
    model.input_gradient(X)
    assert_array_equal(model._model.network.params, params)
    assert_array_equal(model._model.network.running_stats, state)
    assert_array_equal(model._model.network.grads, grads)


def test_slopes_of_a_linear_model_are_its_weights():
    model = new(hidden_layer_sizes=(), solver="lbfgs", max_iter=1000, alpha=0, tol=1e-10)
    slopes = model.fit(X, NUMBERS).input_gradient(X)
    assert_allclose(slopes, np.tile(Ridge(1e-9).fit(X, NUMBERS).coef_, (80, 1)), atol=1e-4)


def test_slopes_in_float32_and_of_sparse_rows():
    model = new(activation="tanh").fit(X.astype(np.float32), NUMBERS)
    slopes = model.input_gradient(X)
    assert slopes.dtype == np.float32
    double = new(activation="tanh").fit(X, NUMBERS)
    assert_allclose(slopes, double.input_gradient(X), rtol=1e-3, atol=1e-4)
    with pytest.raises(TypeError, match=r"needs a dense X: pass X.toarray"):
        double.input_gradient(sp.csr_matrix(X))
    with pytest.raises(NotFittedError):
        new().input_gradient(X)


# -------------------------------------------------------------------- sizes and the record


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, 4 * 6 + 6 * 5 + 5 + 6 + 5 + 1),
        ({"fit_intercept": False}, 4 * 6 + 6 * 5 + 5),
        ({"normalization": "batch"}, 4 * 6 + 6 * 5 + 5 + 6 + 5 + 1 + 2 * (6 + 5)),
        ({"hidden_layer_sizes": ()}, 4 + 1),
        ({"dropout": 0.5}, 4 * 6 + 6 * 5 + 5 + 6 + 5 + 1),
    ],
)
def test_n_parameters(params, expected):
    model = new(**params)
    assert not hasattr(model, "n_parameters_")
    assert model.fit(X, NUMBERS).n_parameters_ == expected
    assert model.initialize(X, NUMBERS).n_parameters_ == expected


@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", [NumpyMLPClassifier, NumpyMLPRegressor])
def test_history(cls, solver, early_stopping, validated):
    y = CLASSES if cls is NumpyMLPClassifier else NUMBERS
    given = {"X_val": X, "y_val": y} if validated else {}
    model = new(cls, solver=solver, early_stopping=early_stopping, max_iter=7).fit(X, y, **given)
    history = model.history_
    assert isinstance(history, dict)
    keys = set(HISTORY)
    if not validated and not (early_stopping and solver != "lbfgs"):
        keys -= {"validation_loss", "validation_score"}
    if solver == "lbfgs":
        assert np.isnan(history["learning_rate"]).all()
        assert history["loss"][-1] == pytest.approx(model.loss_)
    else:
        assert history["loss"] == model.loss_curve_
    assert set(history) == keys
    for values in history.values():
        assert type(values) is list
        assert len(values) == 7
        assert all(isinstance(value, int | float) for value in values)
    assert history["epoch"] == [1, 2, 3, 4, 5, 6, 7]
    assert min(history["seconds"]) > 0


def test_history_of_rates_and_gradients():
    model = new(
        solver="sgd", batch_size=80, max_iter=3, learning_rate=lambda step: 0.1 / (1 + step)
    )
    model.set_params(alpha=0, momentum=0, nesterovs_momentum=False).fit(X, NUMBERS)
    assert_allclose(model.history_["learning_rate"], [0.1, 0.05, 0.1 / 3])
    # with plain steps the way of an epoch is rate times gradient
    before = new(**{**model.get_params(), "max_iter": 2}).fit(X, NUMBERS)
    way = np.linalg.norm(model._model.network.params - before._model.network.params)
    assert model.history_["gradient_norm"][-1] * 0.1 / 3 == pytest.approx(way, rel=1e-9)


def test_the_gradient_of_lbfgs_is_that_of_its_last_iteration():
    model = new(solver="lbfgs", max_iter=4).fit(X, NUMBERS)
    objective = Objective(
        model._model.network, model.loss_function_, X, NUMBERS[:, None], None, 1e-4
    )
    _, gradient = objective(model._model.network.params.copy())
    assert model.history_["gradient_norm"][-1] == pytest.approx(np.linalg.norm(gradient), rel=1e-9)
    assert len(set(model.history_["gradient_norm"])) == 4


def test_the_gradient_is_recorded_before_it_is_shortened():
    options = {"batch_size": 80, "max_iter": 1}
    plain, shortened = (
        new(max_grad_norm=most, **options).fit(X, NUMBERS).history_["gradient_norm"]
        for most in (None, 1e-3)
    )
    assert shortened == pytest.approx(plain) and shortened[0] > 1e-3


def test_lbfgs_leaves_no_curves_of_another_solver():
    model = new(warm_start=True, max_iter=3).fit(X, NUMBERS)
    model.set_params(solver="lbfgs").fit(X, NUMBERS)
    fresh = new(solver="lbfgs", max_iter=3).fit(X, NUMBERS)
    assert {name for name in vars(model) if name.endswith("_")} == {
        name for name in vars(fresh) if name.endswith("_")
    }
    model.set_params(solver="adam").fit(X, NUMBERS)
    assert len(model.loss_curve_) == len(model.history_["epoch"]) == 3


def test_network_without_hidden_layers_has_no_hidden_activations():
    model = NumpyMLPRegressor(hidden_layer_sizes=(), max_iter=1).fit(X, NUMBERS)
    with pytest.raises(
        ValueError, match="the network has no hidden layer: hidden_layer_sizes is empty"
    ):
        model.hidden_activations(X)
    with pytest.raises(
        ValueError, match=r"layer=2 does not exist: .* 1 hidden layer; layer may be 0,"
    ):
        NumpyMLPRegressor(hidden_layer_sizes=(3,), max_iter=1).fit(X, NUMBERS).hidden_activations(
            X, layer=2
        )


def test_history_grows_with_warm_starts_and_partial_fit():
    model = new(warm_start=True).fit(X, NUMBERS)
    model.fit(X, NUMBERS).partial_fit(X, NUMBERS)
    assert model.history_["epoch"] == list(range(1, 12))
    assert model.history_["loss"] == model.loss_curve_
    assert len(model.loss_curve_) == 11
    model.set_params(warm_start=False).fit(X, NUMBERS)
    assert model.history_["epoch"] == [1, 2, 3, 4, 5]


def test_history_makes_a_table():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(new(early_stopping=True).fit(X, NUMBERS).history_)
    assert list(table.columns) == HISTORY
    assert len(table) == 5


# -------------------------------------------------------------------- a network without training


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", [NumpyMLPClassifier, NumpyMLPRegressor])
def test_initialize_is_the_start_of_fit(cls, solver):
    y = CLASSES if cls is NumpyMLPClassifier else NUMBERS
    params = {"solver": solver, "normalization": "layer", "init": "he_normal"}
    model = new(cls, **params).initialize(X, y)
    assert model.n_iter_ == 0
    assert model.predict(X).shape == (80,)
    # one step, too short to be seen
    start = new(cls, **{**params, "solver": "sgd"}, learning_rate_init=1e-300, max_iter=1)
    start.fit(X, y)
    for a, b in zip(model.coefs_, start.coefs_, strict=True):
        assert_array_equal(a, b)
    assert_array_equal(model.predict(X), start.predict(X))


def test_initialize_then_training():
    model = new(NumpyMLPClassifier).initialize(X, CLASSES)
    fresh = new(NumpyMLPClassifier).fit(X, CLASSES)
    start = [W.copy() for W in model.coefs_]
    model.partial_fit(X, CLASSES)
    assert len(model.loss_curve_) == 1
    assert not np.array_equal(model.coefs_[0], start[0])
    model.fit(X, CLASSES)
    assert_array_equal(model.coefs_[0], fresh.coefs_[0])
    assert not hasattr(model.initialize(X, CLASSES), "loss_curve_")
    assert_array_equal(model.coefs_[0], start[0])


def test_initialize_of_wrong_data_leaves_the_fit():
    model = new().fit(X, NUMBERS)
    predicted = model.predict(X)
    with pytest.raises(ValueError, match="contains NaN"):
        model.initialize(X * np.nan, NUMBERS)
    assert_array_equal(model.predict(X), predicted)


# -------------------------------------------------------------------- known weights


def test_xor_with_steps():
    """Two units that ask for "or" and for "and", and an output that takes one but not the other."""
    coefs, intercepts = [[[1, 1], [1, 1]], [[1], [-2]]], [[-0.5, -1.5], [-0.5]]
    corners = [[0, 0], [0, 1], [1, 0], [1, 1]]
    model = NumpyMLPClassifier.from_weights(coefs, intercepts, activation="step")
    assert_array_equal(model.predict(corners), [0, 1, 1, 0])
    named = NumpyMLPClassifier.from_weights(
        coefs, intercepts, activation="step", classes=["no", "yes"]
    )
    assert_array_equal(named.predict(corners), ["no", "yes", "yes", "no"])
    number = NumpyMLPRegressor.from_weights(coefs, intercepts, activation="step")
    assert_array_equal(number.predict(corners), [-0.5, 0.5, 0.5, -1.5])
    with pytest.raises(ValueError, match="activation='step' cannot be trained"):
        model.partial_fit(corners, [0, 1, 1, 0])
    with pytest.raises(ValueError, match="activation='step' cannot be trained"):
        model.fit(corners, [0, 1, 1, 0])


@pytest.mark.parametrize("y", [CLASSES, CLASSES > 1], ids=["three", "two"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic"])
def test_weights_of_scikit_learn(y, activation):
    theirs = MLPClassifier((6, 5), activation, max_iter=5, random_state=0).fit(X, y)
    ours = NumpyMLPClassifier.from_weights(
        theirs.coefs_, theirs.intercepts_, activation=activation, classes=theirs.classes_
    )
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-9)
    assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.get_params()["hidden_layer_sizes"] == (6, 5)
    before = ours.predict_proba(X)
    ours.partial_fit(X, y)
    assert not np.allclose(ours.predict_proba(X), before)


def test_without_intercepts():
    model = NumpyMLPRegressor.from_weights([[[2.0], [3.0]]])
    assert model.predict([[1.0, 10.0]]) == [32.0]
    assert_array_equal(model.intercepts_[0], [0.0])
    assert model.fit_intercept is False
    assert model.n_parameters_ == 2


def test_further_parameters_and_dtype():
    model = NumpyMLPRegressor.from_weights(
        [np.ones((1, 1), np.float32)], [np.zeros(1, np.float32)], loss="poisson", alpha=0.5
    )
    assert model.alpha == 0.5
    assert model.predict(np.ones((1, 1), np.float32)).dtype == np.float32
    assert_allclose(model.predict([[1.0]]), np.e, rtol=1e-6)
    assert clone(model).alpha == 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: NumpyMLPRegressor.from_weights([]), "coefs must be a list of matrices"),
        (lambda: NumpyMLPClassifier.from_weights([]), "coefs must be a list of matrices"),
        (lambda: NumpyMLPRegressor.from_weights([[1.0]]), "coefs must be a list of matrices"),
        (
            lambda: NumpyMLPRegressor.from_weights([[[1.0]], [[1.0], [1.0]]]),
            r"coefs\[1\] has shape \(2, 1\), but coefs\[0\], of shape \(1, 1\), has 1 output. Shapes are "
            r"\(fan_in, fan_out\): pass W.T",
        ),
        (lambda: NumpyMLPRegressor.from_weights([[[1.0]]], [[1.0, 2.0]]), r"intercepts_\[0\] has"),
        (lambda: NumpyMLPRegressor.from_weights([[[1.0]]], []), "intercepts_ needs 1 array here"),
        (
            lambda: NumpyMLPRegressor.from_weights([[[1.0]]], [[1.0]], fit_intercept=False),
            "must be zeros: the network has no intercepts",
        ),
        (
            lambda: NumpyMLPClassifier.from_weights([[[1.0, 2.0]]], classes=["a", "b", "c"]),
            "classes must hold 2 labels in sorted order, for the 2 outputs",
        ),
        (
            lambda: NumpyMLPClassifier.from_weights([[[1.0, 2.0]]], classes=["b", "a"]),
            "classes must hold 2 labels in sorted order",
        ),
    ],
)
def test_weights_that_make_no_network(call, message):
    with pytest.raises(ValueError, match=message):
        call()
