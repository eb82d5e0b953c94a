# SPDX-License-Identifier: BSD-3-Clause
"""``coefs_`` and ``intercepts_`` can be written to, and everything uses the new values."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor, explain_step

rng = np.random.RandomState(0)
X = rng.normal(size=(60, 4))
NUMBERS = X[:, 0] - 2 * X[:, 1]
CLASSES = np.arange(60) % 3


def fitted(Estimator=NumpyMLPRegressor, **params):
    model = Estimator(**{"hidden_layer_sizes": (5, 3), "max_iter": 3, "random_state": 0, **params})
    return model.fit(X, CLASSES if Estimator is NumpyMLPClassifier else NUMBERS)


def by_hand(model, X):
    """The regressor's prediction, computed from what ``coefs_`` and ``intercepts_`` show."""
    for W, b in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        X = np.maximum(X @ W + b, 0)
    return (X @ model.coefs_[-1] + model.intercepts_[-1]).ravel()


def copies(weights):
    return [np.array(W) for W in weights]


def assign_attribute(model):
    model.coefs_ = [0.5 * W for W in model.coefs_]
    model.intercepts_ = [b + 1 for b in model.intercepts_]


def assign_items(model):
    for i, W in enumerate(copies(model.coefs_)):
        model.coefs_[i] = 0.5 * W
    model.coefs_[-1] = 2 * model.coefs_[-1]
    model.intercepts_[-1] = [7.0]


def assign_slices(model):
    model.coefs_[1:] = [np.ones((5, 3)), np.full((3, 1), 2)]
    model.intercepts_[:] = [np.zeros(5), np.ones(3), np.array([2])]


def assign_backwards(model):
    model.coefs_[::-1] = [np.ones((3, 1)), np.full((5, 3), 0.1), np.full((4, 5), -0.2)]


def prune(model):
    model.coefs_[0][np.abs(model.coefs_[0]) < 0.3] = 0
    model.coefs_[1][:, 1] = 0


def edit_in_place(model):
    model.coefs_[0] *= 0.5
    model.intercepts_[1] += 1
    model.intercepts_[0][2] = 3


def edit_kept_list(model):
    coefs = model.coefs_  # a list taken before is as good as one taken now
    coefs[0] = np.ones((4, 5))
    coefs[1] -= 1


WAYS = [
    assign_attribute, assign_items, assign_slices, assign_backwards, prune, edit_in_place,
    edit_kept_list,
]  # fmt: skip


@pytest.mark.parametrize("write", WAYS)
def test_what_is_written_is_what_predict_uses(write):
    model = fitted()
    before = model.predict(X)
    write(model)
    after = model.predict(X)
    assert not np.allclose(after, before)
    assert_allclose(after, by_hand(model, X), rtol=1e-12)


@pytest.mark.parametrize("write", WAYS)
def test_what_is_written_is_what_a_pickle_holds(write):
    model = fitted()
    write(model)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert_array_equal(other.predict(X), model.predict(X))
        for mine, its in zip(model.coefs_, other.coefs_, strict=True):
            assert_array_equal(mine, its)


@pytest.mark.parametrize("write", WAYS)
@pytest.mark.parametrize("params", [{}, {"solver": "sgd"}], ids=["adam", "sgd"])
def test_what_is_written_is_what_partial_fit_goes_on_with(write, params):
    """scikit-learn's estimator, given the same weights by attribute, takes the same step."""
    model = fitted(shuffle=False, **params)
    params = {name: getattr(model, name) for name in MLPRegressor().get_params()}
    theirs = MLPRegressor(**params).fit(X, NUMBERS)
    write(model)
    for mine, its in zip(
        model.coefs_ + model.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        its[...] = mine
    theirs.partial_fit(X, NUMBERS)
    model.partial_fit(X, NUMBERS)
    assert_allclose(model.predict(X), theirs.predict(X), rtol=1e-9)
    assert_allclose(model.coefs_[1], theirs.coefs_[1], rtol=1e-8, atol=1e-12)


def test_pruned_weights_stay_pruned_until_trained():
    model = fitted(NumpyMLPClassifier)
    mask = np.abs(model.coefs_[0]) < np.median(np.abs(model.coefs_[0]))
    model.coefs_[0][mask] = 0
    again = pickle.loads(pickle.dumps(model))
    assert (again.coefs_[0][mask] == 0).all()
    assert (again.coefs_[0][~mask] != 0).all()
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_federated_averaging():
    rows = np.arange(60) % 2 == 0
    twins = [
        NumpyMLPRegressor(hidden_layer_sizes=(5,), max_iter=3, random_state=i).fit(X[part], NUMBERS[part])
        for i, part in enumerate((rows, ~rows))
    ]  # fmt: skip
    mean_W = [(a + b) / 2 for a, b in zip(twins[0].coefs_, twins[1].coefs_, strict=True)]
    mean_b = [(a + b) / 2 for a, b in zip(twins[0].intercepts_, twins[1].intercepts_, strict=True)]
    for model in twins:
        model.coefs_, model.intercepts_ = mean_W, mean_b
    assert_array_equal(twins[0].predict(X), twins[1].predict(X))
    assert_allclose(twins[0].predict(X), by_hand(twins[1], X), rtol=1e-12)
    # the averages are copied: the two do not train each other's weights
    twins[0].partial_fit(X, NUMBERS)
    assert_array_equal(mean_W[0], twins[1].coefs_[0])
    assert not np.array_equal(mean_W[0], twins[0].coefs_[0])


def test_weights_of_one_estimator_given_to_another_are_copied():
    one, two = fitted(random_state=1), fitted(random_state=2)
    two.coefs_, two.intercepts_ = one.coefs_, one.intercepts_
    assert_array_equal(one.predict(X), two.predict(X))
    before = one.predict(X)
    two.partial_fit(X, NUMBERS)
    assert_array_equal(one.predict(X), before)


# ---------------------------------------------------------------- imports


def test_an_unfitted_regressor_takes_weights():
    theirs = MLPRegressor(hidden_layer_sizes=(5, 3), max_iter=5, random_state=0).fit(X, NUMBERS)
    ours = NumpyMLPRegressor(hidden_layer_sizes=(5, 3))
    ours.coefs_, ours.intercepts_ = theirs.coefs_, theirs.intercepts_
    assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-12)
    assert (ours.n_outputs_, ours.n_layers_, ours.n_features_in_) == (1, 4, 4)
    assert ours.out_activation_ == "identity"
    assert_array_equal(pickle.loads(pickle.dumps(ours)).predict(X), ours.predict(X))


@pytest.mark.parametrize("y", [CLASSES, CLASSES == 0, np.array(list("abc"))[CLASSES]])
def test_an_unfitted_classifier_takes_weights_and_classes(y):
    theirs = MLPClassifier(hidden_layer_sizes=(5,), max_iter=5, random_state=0).fit(X, y)
    ours = NumpyMLPClassifier(hidden_layer_sizes=(5,))
    ours.intercepts_, ours.coefs_ = theirs.intercepts_, theirs.coefs_
    with pytest.raises(NotFittedError):
        ours.predict(X)
    ours.classes_ = theirs.classes_
    assert_array_equal(ours.predict(X), theirs.predict(X))
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-10)


def test_an_unfitted_classifier_takes_weights_of_several_labels():
    Y = (X[:, :3] > 0).astype(int)
    theirs = MLPClassifier(hidden_layer_sizes=(5,), max_iter=5, random_state=0).fit(X, Y)
    ours = NumpyMLPClassifier(hidden_layer_sizes=(5,))
    ours.coefs_, ours.intercepts_ = theirs.coefs_, theirs.intercepts_
    ours.classes_, ours.out_activation_ = theirs.classes_, theirs.out_activation_
    assert_array_equal(ours.predict(X), theirs.predict(X))
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-10)


def test_imported_weights_can_be_trained_on():
    theirs = MLPRegressor(hidden_layer_sizes=(5,), max_iter=5, random_state=0).fit(X, NUMBERS)
    ours = NumpyMLPRegressor(hidden_layer_sizes=(5,), random_state=0)
    ours.coefs_, ours.intercepts_ = theirs.coefs_, theirs.intercepts_
    start = copies(theirs.coefs_)
    ours.partial_fit(X, NUMBERS)
    # one step of adam moves no weight by more than the learning rate
    assert 0 < np.abs(ours.coefs_[0] - start[0]).max() <= ours.learning_rate_init * (1 + 1e-9)
    assert_array_equal(theirs.coefs_[0], start[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, int])
def test_the_dtype_of_imported_weights(dtype):
    ours = NumpyMLPRegressor(hidden_layer_sizes=())
    ours.coefs_ = [np.ones((4, 1), dtype)]
    ours.intercepts_ = [np.ones(1, dtype)]
    expected = np.float64 if np.dtype(dtype).itemsize == 8 else np.float32
    assert ours.predict(X).dtype == ours.coefs_[0].dtype == expected
    assert_allclose(ours.predict(X), X.sum(axis=1) + 1, rtol=1e-5)


def test_half_of_the_weights_is_not_fitted():
    ours = NumpyMLPRegressor(hidden_layer_sizes=())
    ours.coefs_ = [np.ones((4, 1))]
    with pytest.raises(NotFittedError):
        ours.predict(X)
    ours.fit(X, NUMBERS)  # begins with its own
    assert not np.array_equal(ours.coefs_[0], np.ones((4, 1)))


@pytest.mark.parametrize(
    ("coefs", "intercepts", "message"),
    [
        ([np.ones((4, 5)), np.ones((6, 1))], [np.ones(5), np.ones(1)], r"coefs_\[1\]|5 units"),
        ([np.ones((4, 5)), np.ones((5, 1))], [np.ones(4), np.ones(1)], r"intercepts_\[0\]"),
        (
            [np.ones((4, 5)), np.ones((5, 1))],
            [np.ones(5)],
            "intercepts_ needs 2 arrays here; got 1",
        ),
    ],
)
def test_imported_weights_that_do_not_fit_together(coefs, intercepts, message):
    ours = NumpyMLPRegressor(hidden_layer_sizes=(5,))
    ours.coefs_ = coefs
    with pytest.raises(ValueError, match=message):
        ours.intercepts_ = intercepts
        ours.predict(X)


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(
    ("name", "index", "value", "message"),
    [
        (
            "coefs_",
            0,
            np.ones((5, 4)),
            r"coefs_\[0\] has shape \(4, 5\); got an array of shape \(5, 4\)",
        ),
        ("coefs_", 2, np.ones(3), r"coefs_\[2\] has shape \(3, 1\)"),
        ("coefs_", -1, 1.0, r"coefs_\[2\] has shape \(3, 1\); got an array of shape \(\)"),
        ("coefs_", slice(0, 2), [np.ones((4, 5))], "coefs_ needs 2 arrays here; got 1"),
        ("coefs_", slice(0, 2), [np.ones((4, 5)), np.ones((5, 5))], r"coefs_\[1\]"),
        (
            "coefs_",
            0,
            1j * np.ones((4, 5)),
            r"coefs_\[0\] must hold real numbers; got dtype complex",
        ),
        ("coefs_", 0, np.full((4, 5), "a"), r"coefs_\[0\] must hold real numbers; got dtype <U1"),
        (
            "coefs_",
            0,
            np.full((4, 5), None),
            r"coefs_\[0\] must hold real numbers; got dtype object",
        ),
        ("intercepts_", 1, np.ones(4), r"intercepts_\[1\] has shape \(3,\)"),
        ("intercepts_", 0, np.ones((5, 1)), r"intercepts_\[0\] has shape \(5,\)"),
    ],
)
def test_wrong_items_are_refused_and_nothing_is_written(solver, name, index, value, message):
    model = fitted(solver=solver)
    before = model.predict(X)
    with pytest.raises(ValueError, match=message):
        getattr(model, name)[index] = value
    assert_array_equal(model.predict(X), before)


def test_an_index_beyond_the_layers():
    with pytest.raises(IndexError):
        fitted().coefs_[3] = np.ones((3, 1))


@pytest.mark.parametrize(
    "change",
    [
        lambda coefs: coefs.append(np.ones((1, 1))),
        lambda coefs: coefs.extend([np.ones((1, 1))]),
        lambda coefs: coefs.insert(0, np.ones((4, 4))),
        lambda coefs: coefs.pop(),
        lambda coefs: coefs.remove(coefs[0]),
        lambda coefs: coefs.clear(),
        lambda coefs: coefs.sort(),
        lambda coefs: coefs.reverse(),
        lambda coefs: coefs.__delitem__(0),
        lambda coefs: coefs.__iadd__([1]),
        lambda coefs: coefs.__imul__(2),
    ],
)
def test_the_list_has_one_array_per_layer(change):
    model = fitted()
    with pytest.raises(TypeError, match="coefs_ has one array per layer and cannot grow or shrink"):
        change(model.coefs_)
    assert len(model.coefs_) == 3


# ---------------------------------------------------------------- what the lists are


@pytest.mark.parametrize("Estimator", [NumpyMLPClassifier, NumpyMLPRegressor])
def test_an_unfitted_estimator_has_no_weights(Estimator):
    model = Estimator()
    assert not hasattr(model, "coefs_")
    assert not hasattr(model, "intercepts_")
    assert not hasattr(clone(fitted(Estimator)), "coefs_")
    with pytest.raises(AttributeError, match="'coefs_' before fit"):
        model.coefs_  # noqa: B018


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_the_lists_are_as_in_scikit_learn(dtype, solver):
    params = {"hidden_layer_sizes": (5, 3), "solver": solver, "max_iter": 2, "random_state": 0}
    ours = NumpyMLPRegressor(**params).fit(X.astype(dtype), NUMBERS)
    theirs = MLPRegressor(**params).fit(X.astype(dtype), NUMBERS)
    for name in ("coefs_", "intercepts_"):
        mine, its = getattr(ours, name), getattr(theirs, name)
        assert isinstance(mine, list)
        assert [W.shape for W in mine] == [W.shape for W in its]
        assert {W.dtype for W in mine} == {np.dtype(dtype)}
        assert all(W.flags.c_contiguous and W.flags.writeable for W in mine)
    assert repr(ours.coefs_) == repr(list(ours.coefs_))
    joined = ours.coefs_ + ours.intercepts_
    assert type(joined) is list and len(joined) == 6


def test_a_pickled_list_is_a_plain_list_with_its_own_memory():
    model = fitted()
    kept = pickle.loads(pickle.dumps(model.coefs_))
    assert type(kept) is list
    model.coefs_[0][...] = 0
    assert kept[0].any()


@pytest.mark.parametrize("params", [{}, {"warm_start": True}, {"solver": "lbfgs"}])
def test_a_new_fit_leaves_old_arrays_alone(params):
    model = fitted(**params)
    kept, first = model.coefs_, model.coefs_[0]
    expected = copies(kept)
    model.fit(X[::-1], -NUMBERS)
    assert not np.array_equal(model.coefs_[0], expected[0])
    assert_array_equal(first, expected[0])
    for W, was in zip(kept, expected, strict=True):
        assert_array_equal(W, was)
    before = model.predict(X)
    kept[0] = np.zeros((4, 5))  # the old list writes to the old weights
    assert_array_equal(model.predict(X), before)


def test_partial_fit_trains_the_arrays_that_are_shown():
    model = fitted()
    shown = model.coefs_[0]
    before = shown.copy()
    model.partial_fit(X, NUMBERS)
    assert not np.array_equal(shown, before)
    assert_array_equal(shown, model.coefs_[0])


# ---------------------------------------------------------------- memory maps


@pytest.fixture
def mapped(tmp_path):
    """A fitted model, and the same one loaded with its weights left in the file."""
    model = fitted(hidden_layer_sizes=(50, 20))
    joblib.dump(model, tmp_path / "model.joblib")
    return model, joblib.load(tmp_path / "model.joblib", mmap_mode="r"), tmp_path / "model.joblib"


def test_a_memory_mapped_model_predicts(mapped):
    model, loaded, _ = mapped
    assert not loaded.coefs_[0].flags.writeable
    assert_array_equal(loaded.predict(X), model.predict(X))


def test_a_memory_mapped_model_takes_weights(mapped):
    model, loaded, path = mapped
    listed = loaded.coefs_
    listed[0] = np.zeros((4, 50))
    assert_array_equal(listed[0], 0)
    assert_array_equal(loaded.coefs_[0], 0)
    assert_allclose(loaded.predict(X), by_hand(loaded, X), rtol=1e-12)
    loaded.intercepts_ = [b + 1 for b in loaded.intercepts_]
    assert_allclose(loaded.predict(X), by_hand(loaded, X), rtol=1e-12)
    assert_array_equal(joblib.load(path).predict(X), model.predict(X))  # the file is as it was


def test_a_memory_mapped_model_goes_on_training(mapped):
    model, loaded, path = mapped
    expected = copy.deepcopy(model).partial_fit(X, NUMBERS).predict(X)
    assert_array_equal(loaded.partial_fit(X, NUMBERS).predict(X), expected)
    assert_array_equal(joblib.load(path).predict(X), model.predict(X))


# -------------------------------------------------------------------- what the outputs stand for


def two_outputs():
    """Weights of a network 4-5-2, and rows with labels 0 and 1."""
    random = np.random.RandomState(3)
    coefs = [random.normal(size=(4, 5)), random.normal(size=(5, 2))]
    intercepts = [random.normal(size=5), random.normal(size=2)]
    rows = random.normal(size=(50, 4))
    return coefs, intercepts, rows, (rows[:, 0] > rows[:, 1]).astype(int)


def output_by_hand(coefs, intercepts, rows):
    return np.maximum(rows @ coefs[0] + intercepts[0], 0) @ coefs[1] + intercepts[1]


def made_by_from_weights(coefs, intercepts, classes, **params):
    return NumpyMLPClassifier.from_weights(coefs, intercepts, classes=classes, **params)


def made_by_assignment(coefs, intercepts, classes, **params):
    model = NumpyMLPClassifier((5,), **params)
    model.coefs_, model.intercepts_, model.classes_ = coefs, intercepts, classes
    return model


MAKERS = pytest.mark.parametrize("make", [made_by_from_weights, made_by_assignment])


@MAKERS
@pytest.mark.parametrize("classes", [[0, 1], ["no", "yes"]], ids=["numbers", "text"])
def test_two_outputs_and_two_classes_are_a_softmax(make, classes):
    coefs, intercepts, rows, y = two_outputs()
    model = make(coefs, intercepts, np.array(classes))
    raw, labels = output_by_hand(coefs, intercepts, rows), np.array(classes)
    p = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    assert_allclose(model.predict_proba(rows), p, rtol=1e-10)
    assert_allclose(model.predict_log_proba(rows), np.log(p), rtol=1e-10)
    assert_allclose(model.decision_function(rows), raw, rtol=1e-10)
    assert_array_equal(model.predict(rows), labels[raw.argmax(axis=1)])
    assert model.score(rows, labels[y]) == np.mean(raw.argmax(axis=1) == y)
    assert model.out_activation_ == "softmax"
    assert model.input_gradient(rows).shape == (50, 2, 4)
    hidden = rows[0] @ coefs[0] + intercepts[0] > 0
    assert_allclose(model.input_gradient(rows)[0], (coefs[0] * hidden @ coefs[1]).T, rtol=1e-10)


def test_without_classes_two_outputs_are_the_classes_0_and_1():
    coefs, intercepts, rows, _ = two_outputs()
    model = NumpyMLPClassifier.from_weights(coefs, intercepts)
    assert_array_equal(model.classes_, [0, 1])
    assert_allclose(model.predict_proba(rows).sum(axis=1), 1, rtol=1e-12)


@MAKERS
@pytest.mark.parametrize("classes", [[0, 1], ["no", "yes"]], ids=["numbers", "text"])
def test_a_softmax_of_two_is_trained_by_the_cross_entropy(make, classes):
    """One step of plain descent, against the textbook's gradient p - onehot(y)."""
    coefs, intercepts, rows, y = two_outputs()
    sgd = {"solver": "sgd", "momentum": 0.0, "alpha": 0.0, "learning_rate_init": 0.1}
    model = make(coefs, intercepts, np.array(classes), **sgd)
    raw = output_by_hand(coefs, intercepts, rows)
    p = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    delta = (p - np.eye(2)[y]) / len(rows)
    hidden = np.maximum(rows @ coefs[0] + intercepts[0], 0)
    before = copies(model.coefs_)
    model.partial_fit(rows, np.array(classes)[y])
    assert_allclose(before[1] - model.coefs_[1], 0.1 * hidden.T @ delta, rtol=1e-8, atol=1e-12)
    assert_allclose(model.loss_, -np.log(p[np.arange(50), y]).mean(), rtol=1e-10)
    for _ in range(500):
        model.partial_fit(rows, np.array(classes)[y])
    assert model.score(rows, np.array(classes)[y]) > 0.9


def test_partial_fit_may_name_the_classes_of_assigned_weights():
    coefs, intercepts, rows, y = two_outputs()
    model = NumpyMLPClassifier((5,))
    model.coefs_, model.intercepts_ = coefs, intercepts
    model.partial_fit(rows, y, classes=[0, 1])
    raw = output_by_hand(coefs, intercepts, rows)
    log_sum = np.log(np.exp(raw).sum(axis=1))
    penalty = 0.5e-4 * sum((W**2).sum() for W in coefs) / len(rows)
    assert_allclose(model.loss_, (log_sum - raw[np.arange(50), y]).mean() + penalty, rtol=1e-10)


def test_explain_step_on_a_softmax_of_two():
    coefs, intercepts, rows, y = two_outputs()
    model = NumpyMLPClassifier.from_weights(coefs, intercepts)
    step = explain_step(model, rows[0], y[0])
    p = model.predict_proba(rows[:1])[0]
    assert_allclose(step.layers[-1]["a"], p, rtol=1e-10)
    assert_allclose(step.layers[-1]["delta"], p - np.eye(2)[y[0]], rtol=1e-8)
    assert_allclose(step.loss, -np.log(p[y[0]]), rtol=1e-10)


@MAKERS
def test_a_list_for_each_output_makes_labels_of_them(make):
    coefs, intercepts, rows, y = two_outputs()
    model = make(coefs, intercepts, [[0, 1], [0, 1]], learning_rate_init=0.05)
    raw = output_by_hand(coefs, intercepts, rows)
    assert_allclose(model.predict_proba(rows), 1 / (1 + np.exp(-raw)), rtol=1e-10)
    assert_array_equal(model.predict(rows), raw > 0)
    Y = np.column_stack([y, 1 - y])
    assert model.score(rows, Y) == np.mean(((raw > 0) == Y).all(axis=1))
    for _ in range(500):
        model.partial_fit(rows, Y)
    assert model.score(rows, Y) > 0.9


@MAKERS
def test_the_weights_of_scikit_learns_labels(make):
    _, _, rows, y = two_outputs()
    Y = np.column_stack([y, rows[:, 2] > 0]).astype(int)
    theirs = MLPClassifier((5,), max_iter=5, random_state=0).fit(rows, Y)
    ours = make(theirs.coefs_, theirs.intercepts_, [[0, 1], [0, 1]])
    assert_allclose(ours.predict_proba(rows), theirs.predict_proba(rows), rtol=1e-10)
    assert_array_equal(ours.predict(rows), theirs.predict(rows))
    if make is made_by_from_weights:  # what is assigned stays as it is until a fit
        assert_array_equal(ours.classes_, theirs.classes_)


@MAKERS
@pytest.mark.parametrize("classes", [[[0, 1], [3, 5, 7]], [["a", "b"], ["c", "d", "e"]]])
def test_a_list_of_classes_each_makes_several_columns(make, classes):
    _, _, rows, _ = two_outputs()
    random = np.random.RandomState(4)
    Y = np.column_stack([random.choice(each, size=50) for each in classes])
    theirs = NumpyMLPClassifier((5,), max_iter=5, random_state=0).fit(rows, Y)
    ours = make(theirs.coefs_, theirs.intercepts_, classes)
    assert_array_equal(ours.predict(rows), theirs.predict(rows))
    for mine, its in zip(ours.predict_proba(rows), theirs.predict_proba(rows), strict=True):
        assert_array_equal(mine, its)
    assert ours.score(rows, Y) == theirs.score(rows, Y)
    before = ours.score(rows, ours.predict(rows))
    ours.partial_fit(rows, Y)
    assert before == 1


@MAKERS
@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([0, 1, 2], "classes must hold 2 labels in sorted order, for the 2 outputs"),
        ([1, 0], "classes must hold 2 labels in sorted order"),
        ([[0, 1]], r"must be \[0, 1\] for each of the 2 outputs"),
        ([["no", "yes"], ["no", "yes"]], r"must be \[0, 1\] for each of the 2 outputs"),
        ([[0, 1], [0, 1], [0, 1]], r"must be \[0, 1\] for each of the 2 outputs"),
        ([[1, 0]], "sorted labels of two columns or more, 2 in all"),
        ([0, [0, 1]], "sorted labels of two columns or more, 2 in all"),
    ],
)  # fmt: skip
def test_classes_that_do_not_go_with_the_outputs(make, classes, message):
    coefs, intercepts, rows, _ = two_outputs()
    with pytest.raises(ValueError, match=message):
        make(coefs, intercepts, classes).predict(rows)


def test_transposed_weights_are_seen_before_the_classes():
    coefs, intercepts, _, _ = two_outputs()
    transposed = [W.T for W in coefs]
    with pytest.raises(ValueError, match=r"pass W.T for matrices of shape \(fan_out, fan_in\)"):
        NumpyMLPClassifier.from_weights(transposed, intercepts, classes=["no", "yes"])
    with pytest.raises(ValueError, match=r"Pass the labels or W.T as the last of them"):
        NumpyMLPClassifier.from_weights([np.ones((2, 4))], [np.ones(2)], classes=["no", "yes"])
