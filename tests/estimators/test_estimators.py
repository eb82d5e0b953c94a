# SPDX-License-Identifier: BSD-3-Clause
"""The attributes of a fit, its predictions, and the effect of each parameter."""

import numpy as np
import pytest
import scipy.sparse as sp
from memory import peak_bytes
from scipy.special import expit
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import scale

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

OURS = [NumpyMLPClassifier, NumpyMLPRegressor]
SOLVERS = ["adam", "sgd", "lbfgs"]
X_IRIS, Y_IRIS = load_iris(return_X_y=True)
X_IRIS = scale(X_IRIS)
X_DIABETES, Y_DIABETES = load_diabetes(return_X_y=True)
X_DIABETES, Y_DIABETES = scale(X_DIABETES), scale(Y_DIABETES)
X_LABELS, Y_LABELS = make_multilabel_classification(n_samples=80, n_classes=4, random_state=0)


def data_for(cls):
    return (X_IRIS, Y_IRIS) if cls is NumpyMLPClassifier else (X_DIABETES, Y_DIABETES)


# -------------------------------------------------------------------- fitted attributes


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("cls", OURS)
def test_attributes_of_the_stochastic_solvers(cls, solver, early_stopping):
    X, y = data_for(cls)
    model = cls((7, 5)) if cls is NumpyMLPClassifier else cls(hidden_layer_sizes=(7, 5))
    model.set_params(solver=solver, early_stopping=early_stopping, max_iter=6, random_state=0)
    assert model.fit(X, y) is model
    n_outputs = 3 if cls is NumpyMLPClassifier else 1
    shapes = [(X.shape[1], 7), (7, 5), (5, n_outputs)]
    assert [W.shape for W in model.coefs_] == shapes
    assert [b.shape for b in model.intercepts_] == [(7,), (5,), (n_outputs,)]
    assert isinstance(model.coefs_, list)
    assert isinstance(model.intercepts_, list)
    assert model.n_layers_ == 4
    assert model.n_outputs_ == n_outputs
    assert model.n_features_in_ == X.shape[1]
    assert model.out_activation_ == ("softmax" if cls is NumpyMLPClassifier else "identity")
    assert type(model.n_iter_) is int
    assert model.n_iter_ == 6
    n_trained = len(X) - (-(-len(X) // 10) if early_stopping else 0)
    assert type(model.t_) is int
    assert model.t_ == 6 * n_trained
    assert type(model.loss_curve_) is list
    assert {type(loss) for loss in model.loss_curve_} == {float}
    assert len(model.loss_curve_) == 6
    assert type(model.loss_) is float
    assert model.loss_ == model.loss_curve_[-1]
    if early_stopping:
        assert type(model.validation_scores_) is list
        assert {type(score) for score in model.validation_scores_} == {float}
        assert len(model.validation_scores_) == 6
        assert model.best_validation_score_ == max(model.validation_scores_)
        assert model.best_loss_ is None
    else:
        assert model.validation_scores_ is None
        assert model.best_validation_score_ is None
        assert type(model.best_loss_) is float
        assert model.best_loss_ == min(model.loss_curve_)
    assert not hasattr(model, "feature_names_in_")


@pytest.mark.parametrize("cls", OURS)
def test_attributes_of_lbfgs(cls):
    X, y = data_for(cls)
    model = cls(hidden_layer_sizes=7, solver="lbfgs", max_iter=6, random_state=0).fit(X, y)
    assert model.n_iter_ == 6
    assert type(model.loss_) is float
    assert model.t_ == 0
    assert model.n_layers_ == 3
    for name in ("loss_curve_", "validation_scores_", "best_loss_"):
        assert not hasattr(model, name)


@pytest.mark.parametrize("cls", OURS)
def test_second_fit_replaces_all_attributes(cls):
    X, y = data_for(cls)
    model = cls(hidden_layer_sizes=7, early_stopping=True, max_iter=3, random_state=0).fit(X, y)
    kept, copies = model.coefs_, [W.copy() for W in model.coefs_]
    model.set_params(solver="lbfgs", early_stopping=False, hidden_layer_sizes=3).fit(X, y)
    assert not hasattr(model, "loss_curve_")
    assert not hasattr(model, "validation_scores_")
    assert model.coefs_[0].shape == (X.shape[1], 3)
    for array, copy in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("cls", OURS)
def test_unfitted_estimator_has_no_fitted_attributes(cls):
    model = cls()
    for name in ("coefs_", "intercepts_", "loss_", "n_iter_", "classes_", "t_"):
        assert not hasattr(model, name)
    with pytest.raises(NotFittedError):
        model.predict(X_IRIS)


# -------------------------------------------------------------------- targets of every kind


@pytest.mark.parametrize(
    ("labels", "out_activation", "n_outputs"),
    [
        (Y_IRIS, "softmax", 3),
        (np.array(["c", "a", "b"])[Y_IRIS], "softmax", 3),
        (np.array(["c", "a", "b"], dtype=object)[Y_IRIS], "softmax", 3),
        (np.array(["c", "a"], dtype=object)[(Y_IRIS == 0).astype(int)], "logistic", 1),
        (Y_IRIS == 0, "logistic", 1),
        (np.where(Y_IRIS == 0, -1, 1), "logistic", 1),
        (np.where(Y_IRIS == 0, "no", "yes"), "logistic", 1),
        (Y_IRIS * 10.0, "softmax", 3),
        (list(Y_IRIS), "softmax", 3),
    ],
)
def test_labels_come_back_as_they_went_in(labels, out_activation, n_outputs):
    model = NumpyMLPClassifier(hidden_layer_sizes=5, solver="lbfgs", random_state=0)
    model.fit(X_IRIS, labels)
    assert model.out_activation_ == out_activation
    assert model.n_outputs_ == n_outputs
    np.testing.assert_array_equal(model.classes_, np.unique(labels))
    prediction = model.predict(X_IRIS)
    assert prediction.dtype == model.classes_.dtype == np.array(list(labels)).dtype
    assert prediction.shape == (150,)
    assert np.mean(prediction == labels) > 0.95
    p = model.predict_proba(X_IRIS)
    assert p.shape == (150, len(model.classes_))
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_array_equal(model.classes_[p.argmax(axis=1)], prediction)


@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix, sp.csc_matrix, sp.csr_array])
def test_several_labels_at_once(container):
    model = NumpyMLPClassifier(hidden_layer_sizes=20, solver="lbfgs", alpha=0.1, random_state=0)
    prediction = model.fit(X_LABELS, container(Y_LABELS)).predict(X_LABELS)
    assert model.out_activation_ == "logistic"
    assert sp.issparse(prediction) == (container is not np.asarray)
    prediction = prediction.toarray() if sp.issparse(prediction) else prediction
    assert prediction.shape == Y_LABELS.shape
    assert set(np.unique(prediction)) == {0, 1}
    assert np.mean(prediction == Y_LABELS) > 0.9
    p = model.predict_proba(X_LABELS)
    assert p.shape == Y_LABELS.shape
    np.testing.assert_array_equal(p > 0.5, prediction == 1)
    assert model.score(X_LABELS, container(Y_LABELS)) > 0.7


@pytest.mark.parametrize("shape", [(-1,), (-1, 1), (-1, 2)])
def test_targets_come_back_in_their_shape(shape):
    y = np.arange(300.0).reshape(150, 2)[:, : shape[-1] if len(shape) > 1 else 1].reshape(shape)
    with np.errstate(all="raise"):
        model = NumpyMLPRegressor(hidden_layer_sizes=(), max_iter=2, random_state=0)
        if shape == (-1, 1):
            with pytest.warns(UserWarning, match="column-vector"):
                model.fit(X_IRIS, y)
        else:
            model.fit(X_IRIS, y)
    assert model.predict(X_IRIS).shape == ((150, 2) if shape == (-1, 2) else (150,))
    assert model.n_outputs_ == (2 if shape == (-1, 2) else 1)


def test_poisson_predicts_positive_means():
    rng = np.random.RandomState(0)
    counts = rng.poisson(np.exp(0.5 * X_DIABETES[:, 2]))
    model = NumpyMLPRegressor("poisson", 5, solver="lbfgs", random_state=0).fit(X_DIABETES, counts)
    assert model.out_activation_ == "exp"
    assert model.predict(X_DIABETES).min() > 0
    assert model.predict(X_DIABETES).mean() == pytest.approx(counts.mean(), rel=0.01)


def test_without_hidden_layers_it_is_logistic_regression():
    y = Y_IRIS == 2
    ours = NumpyMLPClassifier(
        (), solver="lbfgs", alpha=1.0, tol=1e-9, max_iter=1000, random_state=0
    )
    theirs = LogisticRegression(C=1.0, tol=1e-9, max_iter=1000)
    np.testing.assert_allclose(
        ours.fit(X_IRIS, y).predict_proba(X_IRIS),
        theirs.fit(X_IRIS, y).predict_proba(X_IRIS),
        atol=1e-5,
    )
    assert [W.shape for W in ours.coefs_] == [(4, 1)]
    assert ours.n_layers_ == 2


# -------------------------------------------------------------------- probabilities


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("labels", [Y_IRIS == 0, Y_IRIS, np.eye(3, dtype=int)[Y_IRIS]])
@pytest.mark.parametrize("factor", [1, 1e6])
def test_probabilities_stay_inside(dtype, labels, factor):
    X = X_IRIS.astype(dtype)
    model = NumpyMLPClassifier(hidden_layer_sizes=(), max_iter=2, random_state=0).fit(X, labels)
    model.coefs_[0][...] *= factor
    p = model.predict_proba(X)
    limits = np.finfo(dtype)
    assert p.dtype == dtype
    assert p.min() >= limits.tiny
    assert p.max() <= 1 - limits.epsneg
    if factor > 1:
        assert p.min() == limits.tiny
        assert p.max() == 1 - limits.epsneg
    log_p = model.predict_log_proba(X)
    assert log_p.dtype == dtype
    assert np.isfinite(log_p).all()


def test_the_first_of_two_columns_is_no_difference_from_one():
    model = NumpyMLPClassifier(hidden_layer_sizes=(), max_iter=2, random_state=0)
    model.fit(X_IRIS, Y_IRIS == 0)
    model.coefs_[0][...] *= 30
    raw = model.decision_function(X_IRIS)
    assert raw.max() > 40  # where 1 - p is 0
    p = model.predict_proba(X_IRIS)
    np.testing.assert_allclose(p[:, 0], expit(-raw), rtol=1e-14)
    np.testing.assert_allclose(p[:, 1], np.clip(expit(raw), None, 1 - 2.0**-53), rtol=1e-14)


# -------------------------------------------------------------------- dtypes


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", OURS)
def test_float32_stays_float32(cls, solver):
    X, y = data_for(cls)
    X = X.astype(np.float32)
    model = cls(hidden_layer_sizes=5, solver=solver, max_iter=5, random_state=0).fit(X, y)
    assert {array.dtype for array in [*model.coefs_, *model.intercepts_]} == {np.dtype(np.float32)}
    outputs = [model.predict(X)]
    if cls is NumpyMLPClassifier:
        outputs = [model.predict_proba(X), model.decision_function(X), model.predict_log_proba(X)]
    assert {array.dtype for array in outputs} == {np.dtype(np.float32)}
    if solver != "lbfgs":
        model.partial_fit(X, y)
        assert model.coefs_[0].dtype == np.float32


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, bool, np.float16])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", OURS)
def test_strange_dtypes_train_as_float64(cls, solver, order, dtype):
    X, y = data_for(cls)
    X, y = X[:100], y[:100]
    X = np.asarray((X * 3).round().clip(-8 if dtype != np.uint8 else 0, 8)).astype(
        dtype, order=order
    )
    model = cls(hidden_layer_sizes=5, solver=solver, max_iter=3, random_state=0)
    converted = clone(model).fit(X.astype(np.float64), y)
    model.fit(X, y)
    assert model.coefs_[0].dtype == np.float64
    for ours, theirs in zip(model.coefs_, converted.coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(model.predict(X), converted.predict(X.astype(np.float64)))


@pytest.mark.parametrize("container", [sp.csr_matrix, sp.csc_matrix, sp.csr_array, sp.csc_array])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", OURS)
def test_sparse_is_dense(cls, solver, container):
    X, y = data_for(cls)
    X = X * (X > 0)
    model = cls(hidden_layer_sizes=5, solver=solver, max_iter=4, random_state=0)
    dense, sparse = clone(model).fit(X, y), clone(model).fit(container(X), y)
    np.testing.assert_allclose(sparse.coefs_[0], dense.coefs_[0], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(sparse.predict(container(X)), dense.predict(X), rtol=1e-6, atol=1e-9)


# -------------------------------------------------------------------- many rows


@pytest.mark.parametrize("wrong, named", [(np.nan, "contains NaN"), (-np.inf, "contains infinity")])
@pytest.mark.parametrize("place", [0, 40_000, -1])
@pytest.mark.parametrize("cls", OURS)
def test_a_wrong_number_in_any_chunk_is_refused(cls, place, wrong, named):
    model = cls(hidden_layer_sizes=5, max_iter=2, random_state=0).fit(*data_for(cls))
    X = np.zeros((100_000, model.n_features_in_))
    X[place, 1] = wrong
    with pytest.raises(ValueError, match=named):
        model.predict(X)
    assert model.predict(X[10:20]).shape == (10,)


@pytest.mark.parametrize("cls", OURS)
def test_numbers_too_large_to_be_squared_are_predicted(cls):
    model = cls(hidden_layer_sizes=5, max_iter=2, random_state=0).fit(*data_for(cls))
    X = data_for(cls)[0] * 1e200
    np.testing.assert_array_equal(model.predict(X), model.predict(X.tolist()))


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_fit_needs_memory_for_parameters_and_batches(early_stopping):
    rng = np.random.default_rng(0)
    X, y = rng.random((20_000, 784), dtype=np.float32), rng.integers(10, size=20_000)
    model = NumpyMLPClassifier(max_iter=1, early_stopping=early_stopping, random_state=0)
    model.fit(X[:400], y[:400])  # imports what is lazy
    peak = peak_bytes(lambda: model.fit(X, y))
    numbers = 6 * model.n_parameters_ + 3 * 200 * (784 + 100 + 10)
    assert peak < 4 * numbers + 24 * len(X)


# -------------------------------------------------------------------- warnings and words


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", OURS)
def test_end_before_convergence_is_reported(cls, solver):
    X, y = data_for(cls)
    with pytest.warns(ConvergenceWarning):
        cls(solver=solver, max_iter=2, random_state=0).fit(X, y)


@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", SOLVERS)
def test_converged_fit_gives_no_warning(solver):
    model = NumpyMLPClassifier((), solver=solver, tol=0.1, max_iter=100, random_state=0)
    assert model.fit(X_IRIS, Y_IRIS).n_iter_ < 100


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", OURS)
def test_verbose(cls, solver, capsys):
    X, y = data_for(cls)
    cls(solver=solver, max_iter=3, random_state=0).fit(X, y)
    assert capsys.readouterr().out == ""
    model = cls(solver=solver, max_iter=3, verbose=True, random_state=0).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for i, line in enumerate(lines, start=1):
        assert line.startswith(f"Iteration {i}, loss = ")
        if solver != "lbfgs":
            assert float(line.split(" = ")[1]) == pytest.approx(model.loss_curve_[i - 1], abs=1e-7)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"tol": 10.0, "max_iter": 20}, "Training loss did not improve more than tol=10.000000"),
        (
            {"tol": 10.0, "max_iter": 20, "early_stopping": True},
            "Validation score did not improve more than tol=10.000000",
        ),
        (
            {"tol": 10.0, "max_iter": 20, "solver": "sgd", "learning_rate": "adaptive"},
            "Setting learning rate to 0.000200",
        ),
        ({"max_iter": 2, "early_stopping": True}, "Validation score: "),
    ],
)
def test_verbose_says_why_it_ends(parameters, words, capsys):
    NumpyMLPRegressor(verbose=1, random_state=0, **parameters).fit(X_DIABETES, Y_DIABETES)
    assert words in capsys.readouterr().out


# -------------------------------------------------------------------- every parameter


def size_of_weights(model):
    return sum(float((W**2).sum()) for W in model.coefs_)


def final_loss(model):
    return model.loss_curve_[-1]


def epochs(model):
    return model.n_iter_


def rows_trained_on(model):
    return model.t_ / model.n_iter_


def first_step(model):
    """Distance from the initial weights, which all fits here share."""
    start = NumpyMLPRegressor(**{**BASE, "max_iter": 1}, solver="sgd", learning_rate_init=1e-300)
    start.fit(X_DIABETES, Y_DIABETES)
    return float(np.abs(model.coefs_[0] - start.coefs_[0]).sum())


def n_weights(model):
    return sum(W.size for W in model.coefs_)


BASE = {"hidden_layer_sizes": (6,), "max_iter": 15, "random_state": 0, "batch_size": 50}
SGD = {"solver": "sgd", "learning_rate_init": 0.01}
DIRECTIONS = [
    # parameter, lower, higher, what must be larger with the second, and the rest
    ("alpha", 100.0, 0.0, size_of_weights, {"solver": "lbfgs", "batch_size": "auto"}),
    ("alpha", 100.0, 0.0, size_of_weights, {}),
    ("hidden_layer_sizes", (3,), (3, 3), n_weights, {}),
    ("hidden_layer_sizes", 3, 9, n_weights, {}),
    ("batch_size", 10, 200, final_loss, {}),
    ("learning_rate_init", 1e-2, 1e-4, final_loss, {}),
    ("learning_rate_init", 1e-4, 1e-2, first_step, {"max_iter": 1}),
    ("learning_rate", "constant", "invscaling", final_loss, SGD),
    ("power_t", 0.1, 1.0, final_loss, {**SGD, "learning_rate": "invscaling"}),
    ("momentum", 0.9, 0.0, final_loss, SGD),
    ("max_iter", 3, 9, epochs, {}),
    ("max_iter", 3, 9, epochs, {"solver": "lbfgs", "batch_size": "auto"}),
    ("max_fun", 2, 50, epochs, {"solver": "lbfgs", "batch_size": "auto", "max_iter": 30}),
    ("tol", 10.0, 0.0, epochs, {}),
    ("tol", 1e-1, 1e-6, epochs, {"solver": "lbfgs", "batch_size": "auto"}),
    ("n_iter_no_change", 1, 5, epochs, {"tol": 10.0}),
    ("n_iter_no_change", 5, np.inf, epochs, {"tol": 10.0}),
    ("early_stopping", True, False, rows_trained_on, {}),
    ("validation_fraction", 0.5, 0.1, rows_trained_on, {"early_stopping": True}),
    ("epsilon", 10.0, 1e-8, first_step, {"max_iter": 1}),
]


@pytest.mark.parametrize(("name", "lower", "higher", "measure", "rest"), DIRECTIONS)
def test_parameter_changes_the_fit_in_the_documented_direction(name, lower, higher, measure, rest):
    values = [
        measure(NumpyMLPRegressor(**BASE | rest | {name: value}).fit(X_DIABETES, Y_DIABETES))
        for value in (lower, higher)
    ]
    assert values[0] < values[1] * (1 - 1e-9), values


@pytest.mark.parametrize(
    ("name", "one", "other", "rest"),
    [
        ("shuffle", True, False, {}),
        ("random_state", 0, 1, {}),
        ("nesterovs_momentum", True, False, SGD),
        ("activation", "relu", "tanh", {}),
        ("activation", "logistic", "identity", {}),
        ("solver", "adam", "sgd", {}),
        ("beta_2", 0.999, 0.5, {}),
        ("beta_1", 0.9, 0.5, {}),
        ("learning_rate", "constant", "adaptive", {**SGD, "tol": 10.0, "n_iter_no_change": 2}),
    ],
)
def test_a_parameter_makes_a_difference(name, one, other, rest):
    fits = [
        NumpyMLPRegressor(**BASE | rest | {name: value}).fit(X_DIABETES, Y_DIABETES)
        for value in (one, other, one)
    ]
    assert np.abs(fits[0].coefs_[0] - fits[1].coefs_[0]).max() > 1e-6
    np.testing.assert_array_equal(fits[0].coefs_[0], fits[2].coefs_[0])


def test_every_parameter_is_tried():
    tried = {row[0] for row in DIRECTIONS}
    mark = next(
        m for m in test_a_parameter_makes_a_difference.pytestmark if m.name == "parametrize"
    )
    tried |= {row[0] for row in mark.args[1]}
    elsewhere = {"loss", "verbose", "warm_start"}
    # for those that scikit-learn does not have, see test_parameters.py
    assert tried | elsewhere == set(MLPRegressor().get_params())


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", OURS)
def test_a_weight_of_zero_is_a_row_left_out(cls, solver):
    """On one batch, unshuffled, but for the penalty, which is shared by the sum of weights."""
    X, y = data_for(cls)
    weights = np.where(np.arange(len(X)) % 3 == 0, 0.0, 1.0)
    model = cls(hidden_layer_sizes=4, solver=solver, max_iter=5, alpha=0.1, random_state=0)
    if solver != "lbfgs":
        model.set_params(batch_size=len(X), shuffle=False)
    weighted = clone(model).fit(X, y, sample_weight=weights)
    model.set_params(**({} if solver == "lbfgs" else {"batch_size": int(weights.sum())}))
    left_out = model.fit(X[weights > 0], y[weights > 0])
    np.testing.assert_allclose(weighted.coefs_[0], left_out.coefs_[0], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(weighted.loss_, left_out.loss_, rtol=1e-9)


@pytest.mark.parametrize("cls", OURS)
def test_early_stopping_puts_the_best_weights_back(cls):
    X, y = data_for(cls)
    model = cls(
        hidden_layer_sizes=8,
        early_stopping=True,
        validation_fraction=0.3,
        n_iter_no_change=3,
        learning_rate_init=0.05,
        random_state=0,
    ).fit(X, y)
    best = int(np.argmax(model.validation_scores_)) + 1
    assert best < model.n_iter_
    until_best = clone(model).set_params(max_iter=best).fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], until_best.coefs_[0])
