# SPDX-License-Identifier: BSD-3-Clause
"""Several columns of labels at once: one softmax for each, scored by the rows that match exactly."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from sklearn.model_selection import KFold, cross_val_predict, cross_val_score
from sklearn.neural_network import MLPClassifier

from sknumpynet import NumpyMLPClassifier, explain_step
from sknumpynet.core import Dense, MultinomialLogLoss, MultioutputLogLoss, Network, check_gradients

X = np.random.default_rng(0).normal(size=(150, 5))
Y = np.column_stack([np.digitize(X[:, 0], [-0.5, 0.5]), np.digitize(X[:, 1], [-1, 0, 1]) * 10])


def fitted(**params):
    return NumpyMLPClassifier((16,), **{"max_iter": 300, "random_state": 0, **params}).fit(X, Y)


def test_the_loss_is_the_sum_of_the_columns_losses():
    rng = np.random.default_rng(1)
    raw = rng.normal(size=(7, 5))
    y = np.column_stack([rng.integers(0, 2, 7), rng.integers(0, 3, 7)])
    weight = rng.uniform(size=7)
    value, gradient = MultioutputLogLoss([2, 3]).value_and_gradient(y, raw, weight)
    first = MultinomialLogLoss().value_and_gradient(y[:, 0], raw[:, :2].copy(), weight)
    second = MultinomialLogLoss().value_and_gradient(y[:, 1], raw[:, 2:].copy(), weight)
    assert_allclose(value, first[0] + second[0], rtol=1e-13)
    assert_allclose(gradient, np.hstack([first[1], second[1]]), rtol=1e-13)


def test_gradient_is_the_slope():
    rng = np.random.default_rng(2)
    network = Network([Dense(4, 5), "tanh", Dense(5, 5)], rng=0)
    y = np.column_stack([rng.integers(0, 2, 9), rng.integers(0, 3, 9)])
    check_gradients(network, MultioutputLogLoss([2, 3], smoothing=0.1), rng.normal(size=(9, 4)), y)


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


def test_predictions_of_zeros_and_ones_are_scored_row_by_row():
    y = np.column_stack(
        [np.arange(150) % 4 % 3, np.arange(150) % 2]
    )  # most often 0 in the first column
    model = NumpyMLPClassifier((2,), max_iter=1, learning_rate_init=1e-9, init="zeros").fit(X, y)
    predicted = model.predict(X)
    assert set(predicted.ravel()) <= {0, 1}  # nothing is learnt: one row for all
    assert model.score(X, y) == (predicted == y).all(axis=1).mean() > 0


def test_probabilities_are_a_list_that_agrees_with_the_prediction():
    model = fitted()
    first, second = model.predict_proba(X)
    assert (first.shape, second.shape) == ((150, 3), (150, 4))
    assert_allclose(second.sum(axis=1), 1)
    assert_array_equal(model.classes_[1][second.argmax(axis=1)], model.predict(X)[:, 1])
    assert_allclose(np.exp(model.predict_log_proba(X)[0]), first)
    for raw, p in zip(model.decision_function(X), (first, second), strict=True):
        assert_allclose(softmax(raw, axis=1), p, rtol=1e-10)


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
    with pytest.raises(ValueError, match="need loss='log_loss'"):
        fitted(loss="focal")


# ---------------------------------------------------------------- classes named column by column

YES_NO = (X[:, :2] > 0).astype(int)


@pytest.mark.parametrize("first", [YES_NO, np.zeros_like(YES_NO), YES_NO.astype(float)])
def test_the_named_classes_decide_and_not_the_first_batch(first):
    classes = [[0, 1, 2], [0, 10, 20, 30]]
    Y_all = np.column_stack([YES_NO[:, 0], 10 * YES_NO[:, 1]])
    model = NumpyMLPClassifier((4,), random_state=0)
    if first[:, 1].any():  # 1 is no label of the second column
        with pytest.raises(ValueError, match=r"y has classes not in classes_: \[1"):
            model.partial_fit(X, first, classes=classes)
        first = Y_all.astype(first.dtype)
    model.partial_fit(X, first, classes=classes)
    model.partial_fit(X, Y).partial_fit(X, first, classes=classes)
    assert [list(each) for each in model.classes_] == classes
    assert [p.shape for p in model.predict_proba(X)] == [(150, 3), (150, 4)]


def test_zeros_and_ones_with_a_third_class_to_come():
    model = NumpyMLPClassifier((4,), random_state=0, learning_rate_init=0.05)
    model.partial_fit(X, YES_NO, classes=[[0, 1, 2], [1, 0]])
    assert [list(each) for each in model.classes_] == [[0, 1, 2], [0, 1]]
    later = np.column_stack([Y[:, 0], YES_NO[:, 1]])
    for _ in range(60):
        model.partial_fit(X, later)
    assert model.score(X, later) > 0.6
    with pytest.raises(ValueError, match=r"classes is not the same .*got \[\[0, 1\], \[0, 1\]\]"):
        model.partial_fit(X, YES_NO, classes=[[0, 1], [0, 1]])


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_matrix])
def test_all_zeros_and_ones_are_an_indicator_matrix_as_in_fit(convert):
    y = convert(YES_NO)
    ours = NumpyMLPClassifier((4,), random_state=0)
    for classes in ([[0, 1], [0, 1]], None, [[0, 1], [0, 1]]):
        ours.partial_fit(X, y, classes=classes)
    whole = NumpyMLPClassifier((4,), random_state=0, max_iter=3, tol=0).fit(X, y)
    assert_array_equal(ours.classes_, whole.classes_)
    assert_array_equal(ours.decision_function(X), whole.decision_function(X))
    assert sp.issparse(ours.predict(X)) is sp.issparse(y)
    with pytest.raises(ValueError, match="indicator matrix of zeros and ones"):
        ours.partial_fit(X, convert(YES_NO + 1))


@pytest.mark.parametrize(
    ("classes", "error", "message"),
    [
        ([[0, "a"], [0, 1]], TypeError, "classes must list the labels of each.*int, str"),
        ([[0, None], [0, 1]], TypeError, "classes must list the labels of each"),
        ([[0, np.nan], [0, 1]], ValueError, "classes must list the labels of each.*NaN"),
        ([[0, 0.5], [0, 1]], ValueError, "classes must list the labels of each"),
        ([[], [0, 1]], ValueError, "classes must list the labels of each"),
        ([[0, 1]] * 3, ValueError, "a list of 2 arrays, the labels of each column of y; got"),
        ([[[0, 1]], [0, 1]], ValueError, "a list of 2 arrays"),
    ],
)
@pytest.mark.parametrize("y", [Y, YES_NO], ids=["several", "zeros and ones"])
def test_wrong_classes_are_named(y, classes, error, message):
    model = NumpyMLPClassifier((4,), random_state=0)
    with pytest.raises(error, match=message):
        model.partial_fit(X, y, classes=classes)
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_matrix])
def test_ones_and_twos_are_no_indicator_matrix(convert):
    """scikit-learn's name for it is the same; both labels would be taken for yes."""
    y = convert(YES_NO + 1)
    model = NumpyMLPClassifier((16,), max_iter=300, random_state=0).fit(X, y)
    assert [list(each) for each in model.classes_] == [[1, 2], [1, 2]]
    assert model.score(X, y) == (model.predict(X) == YES_NO + 1).all(axis=1).mean() > 0.8
    named = NumpyMLPClassifier((16,), random_state=0).partial_fit(X, y, classes=[[1, 2], [1, 2]])
    assert [list(each) for each in named.classes_] == [[1, 2], [1, 2]]


def test_a_warm_start_on_zeros_and_ones_keeps_its_classes():
    y = np.column_stack([Y[:, 0], YES_NO[:, 0]])
    model = NumpyMLPClassifier((4,), max_iter=3, random_state=0, warm_start=True).fit(X, y)
    model.fit(X, YES_NO)
    assert [list(each) for each in model.classes_] == [[0, 1, 2], [0, 1]]


@pytest.mark.parametrize("columns", [1, 2])
def test_text_is_no_number(columns):
    y = YES_NO[:, 0] if columns == 1 else YES_NO + [[0, 1]]
    text = y.astype(str)
    model = NumpyMLPClassifier((4,), max_iter=3, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="has classes not in"):
        model.partial_fit(X, text)
    with pytest.raises(ValueError, match="y_val has classes"):
        model.fit(X, y, X_val=X, y_val=text)
    if columns == 2:
        assert model.score(X, text) == 0


# ---------------------------------------------------------------- decision_function


@pytest.mark.parametrize("method", ["decision_function", "predict_proba", "predict_log_proba"])
def test_cross_val_predict_gives_an_array_for_each_column(method):
    model = NumpyMLPClassifier((4,), max_iter=5, random_state=0)
    y = np.column_stack([Y[:, 0], YES_NO[:, 0], Y[:, 1]])
    found = cross_val_predict(model, X, y, method=method, cv=KFold(3))
    assert [each.shape for each in found] == [(150, 3), (150, 2), (150, 4)]
    train, test = next(KFold(3).split(X))
    first = getattr(model.fit(X[train], y[train]), method)(X[test])
    for ours, part in zip(found, first, strict=True):
        assert_allclose(ours[test], part, rtol=1e-12)
    whole = cross_val_predict(model, X, YES_NO, method=method, cv=KFold(3))
    assert whole.shape == (150, 2)


def test_other_output_functions_decide_column_by_column():
    model = fitted()
    model.out_activation_ = "logistic"
    for evidence, p, classes, label in zip(
        model.decision_function(X),
        model.predict_proba(X),
        model.classes_,
        model.predict(X).T,
        strict=True,
    ):
        assert_allclose(evidence, p, atol=1e-12)
        assert_array_equal(classes[evidence.argmax(axis=1)], label)


# ---------------------------------------------------------------- a frame of strings and numbers

KINDS = {
    "size": np.array(["low", "mid", "high"])[Y[:, 0]],
    "price": Y[:, 1],
    "sold": X[:, 2] > 0,
}
KNOWN = [["high", "low", "mid"], [0, 10, 20, 30], [False, True]]


def as_container(kind, columns=KINDS):
    if kind == "objects":
        return np.column_stack([column.astype(object) for column in columns.values()])
    library = pytest.importorskip("polars" if kind == "polars" else "pandas")
    frame = library.DataFrame(columns)
    if kind == "categories":
        frame["size"] = library.Categorical(frame["size"])
        frame["price"] = library.Categorical(frame["price"])
    return frame


@pytest.mark.parametrize("kind", ["objects", "pandas", "polars", "categories"])
def test_columns_of_strings_and_numbers(kind):
    y, objects = as_container(kind), as_container("objects")
    params = {"max_iter": 200, "random_state": 0, "learning_rate_init": 0.01}
    model = NumpyMLPClassifier((32,), **params).fit(X, y)
    assert [each.tolist() for each in model.classes_] == KNOWN
    predicted = model.predict(X)
    assert (predicted.dtype, predicted.shape) == (object, (150, 3))
    assert [type(label) for label in predicted[0]] == [str, int, bool]
    right = (predicted == objects).all(axis=1)
    assert model.score(X, y) == right.mean() > 0.9
    weight = np.arange(150)
    assert_allclose(model.score(X, y, weight), np.average(right, weights=weight))
    numbers = np.column_stack([model.classes_[0].searchsorted(KINDS["size"]), KINDS["price"] // 10])
    twin = NumpyMLPClassifier((32,), **params)
    twin.fit(X, np.column_stack([numbers, KINDS["sold"]]))
    for ours, theirs in zip(model.predict_proba(X), twin.predict_proba(X), strict=True):
        assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind", ["objects", "pandas", "polars", "categories"])
def test_columns_of_strings_and_numbers_in_every_kind_of_fit(kind):
    y = as_container(kind)
    rows = np.arange(100)
    some = {name: column[rows] for name, column in KINDS.items()}
    part = as_container(kind, some)
    params = {"hidden_layer_sizes": (4,), "random_state": 0, "tol": 0}
    calls = NumpyMLPClassifier(**params)
    calls.partial_fit(X, y, classes=KNOWN).partial_fit(X, y)
    whole = NumpyMLPClassifier(**params, max_iter=2)
    whole.fit(X, y, X_val=X[rows], y_val=part)
    assert_array_equal(calls.predict(X), whole.predict(X))
    assert whole.validation_scores_[-1] == whole.score(X[rows], part)
    early = NumpyMLPClassifier(**params, max_iter=2, early_stopping=True).fit(X, y)
    assert len(early.validation_scores_) == 2
    warm = NumpyMLPClassifier(**params, max_iter=2, warm_start=True).fit(X, y).fit(X, y)
    assert len(warm.loss_curve_) == 4
    step = explain_step(whole, X[0], ["low", 10, True])
    assert np.isfinite(step.loss)
    with pytest.raises(ValueError, match=r"y has classes not in classes_: \['huge'\]"):
        calls.partial_fit(X, as_container(kind, {**KINDS, "size": np.full(150, "huge")}))


def test_class_weights_for_columns_of_strings_and_numbers():
    y = as_container("objects")
    class_weight = [{"low": 2, "high": 3}, {10: 0.5}, {True: 4, False: 1}]
    weights = np.ones(150)
    for column, each in zip(KINDS.values(), class_weight, strict=True):
        weights *= [each.get(label, 1) for label in column.tolist()]
    params = {"hidden_layer_sizes": (4,), "random_state": 0, "max_iter": 3}
    ours = NumpyMLPClassifier(**params, class_weight=class_weight).fit(X, y)
    theirs = NumpyMLPClassifier(**params).fit(X, y, weights)
    for a, b in zip(ours.coefs_, theirs.coefs_, strict=True):
        assert_array_equal(a, b)


def test_cross_validation_of_columns_of_strings_and_numbers():
    frame = as_container("pandas")
    model = NumpyMLPClassifier((16,), max_iter=100, random_state=0, learning_rate_init=0.01)
    predicted = cross_val_predict(model, X, frame, cv=KFold(3))
    scores = cross_val_score(model, X, frame, cv=KFold(3))
    right = (predicted == frame.to_numpy()).all(axis=1)
    assert_allclose(scores.mean(), right.mean())
    assert right.mean() > 0.2


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"price": np.array([1, "a"] * 75, object)}, TypeError, "of one type.*int, str"),
        ({"price": X[:, 0]}, ValueError, "Unknown label type: continuous-multioutput"),
        ({"size": np.array(["a", None] * 75)}, (TypeError, ValueError), "y (must|has missing)"),
        ({"price": np.array([1, 10**400] * 75)}, ValueError, "Unknown label type"),
    ],
)
@pytest.mark.parametrize("kind", ["objects", "pandas"])
def test_columns_that_hold_no_labels(kind, change, error, message):
    model = NumpyMLPClassifier((4,), max_iter=2, random_state=0)
    with pytest.raises(error, match=message):
        model.fit(X, as_container(kind, {**KINDS, **change}))
    assert not hasattr(model, "classes_")


def test_scores_of_another_shape_are_refused():
    model = fitted(max_iter=2)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.score(X, Y[:30])
    with pytest.raises(ValueError, match="y must have 2 columns"):
        model.score(X, Y[:, :1])


# ---------------------------------------------------------------- a single class


@pytest.mark.parametrize("params", [{"solver": "sgd"}, {"solver": "adam"}])
@pytest.mark.parametrize("seed", range(4))
def test_a_single_class_is_scored_as_in_scikit_learn(params, seed):
    rows, y = X[:, :1] > -9, np.full(150, 7)
    params = {**params, "hidden_layer_sizes": (4, 7), "random_state": seed, "early_stopping": True}
    ours, theirs = NumpyMLPClassifier(**params), MLPClassifier(**params)
    ours.fit(rows, y), theirs.fit(rows, y)
    assert ours.validation_scores_ == theirs.validation_scores_ == [1.0] * theirs.n_iter_
    assert set(ours.predict(rows)) == set(theirs.predict(rows)) == {7}
    ours.intercepts_[-1][:] = 100.0  # whatever the network says
    assert set(ours.predict(rows)) == {7} and ours.score(rows, y) == 1
