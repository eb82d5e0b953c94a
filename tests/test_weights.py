# SPDX-License-Identifier: BSD-3-Clause
"""People write to ``coefs_`` and ``intercepts_``: what they write is what is used from then on."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

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
            "intercepts_ takes 2 arrays here; got 1",
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
        ("coefs_", slice(0, 2), [np.ones((4, 5))], "coefs_ takes 2 arrays here; got 1"),
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
