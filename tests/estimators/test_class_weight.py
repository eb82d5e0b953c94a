# SPDX-License-Identifier: BSD-3-Clause
"""Weights of classes are weights of rows: the same fit as with those numbers as ``sample_weight``."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from sknumpynet import NumpyMLPClassifier

rng = np.random.RandomState(0)
X = rng.normal(size=(150, 4))
RARE = np.where(X[:, 0] + rng.normal(size=150) > 1.5, "yes", "no")
THREE = np.digitize(X[:, 1] + rng.normal(size=150), [-1, 1.5])
LABELS = np.c_[X[:, 0] > 1, X[:, 1] > -1, X[:, 2] > 0].astype(int)
WEIGHTS = rng.uniform(0.2, 2, 150)
LABEL_WEIGHTS = [{0: 1, 1: 4}, {0: 3, 1: 1}, {0: 1, 1: 1}]
SOLVERS = ["adam", "sgd", "lbfgs"]


def new(**params):
    return NumpyMLPClassifier(
        **{"hidden_layer_sizes": (6,), "max_iter": 8, "random_state": 0, **params}
    )


def assert_same_fit(one, other):
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        assert_array_equal(a, b)


@pytest.mark.parametrize("sample_weight", [None, WEIGHTS])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    ("y", "class_weight"),
    [
        (RARE, "balanced"),
        (RARE, {"no": 0.5, "yes": 3.0}),
        (RARE, {"yes": 3.0}),
        (THREE, "balanced"),
        (THREE, {0: 5, 2: 2, 1: 1}),
        (LABELS, "balanced"),
        (LABELS, LABEL_WEIGHTS),
    ],
)
def test_it_is_a_weight_of_the_rows(y, class_weight, solver, sample_weight):
    """The oracle is scikit-learn's `compute_sample_weight`, which combines labels by multiplying."""
    weights = compute_sample_weight(class_weight, y)
    if sample_weight is not None:
        weights = weights * sample_weight
    ours = new(solver=solver, class_weight=class_weight).fit(X, y, sample_weight)
    assert_same_fit(ours, new(solver=solver).fit(X, y, weights))


def test_it_is_a_weight_of_the_rows_for_a_sparse_indicator_matrix():
    ours = new(class_weight=LABEL_WEIGHTS).fit(X, sp.csr_matrix(LABELS))
    assert_same_fit(ours, new(class_weight=LABEL_WEIGHTS).fit(X, LABELS))


def test_a_whole_weight_is_a_number_of_repetitions():
    model = new(hidden_layer_sizes=(), solver="lbfgs", max_iter=500, tol=1e-9, alpha=1.0)
    repeated = np.r_[np.arange(150), np.flatnonzero(RARE == "yes"), np.flatnonzero(RARE == "yes")]
    weighted = model.set_params(class_weight={"yes": 3}).fit(X, RARE).coefs_[0].copy()
    model.set_params(class_weight=None).fit(X[repeated], RARE[repeated])
    assert_allclose(weighted, model.coefs_[0], rtol=1e-4)


def test_a_linear_network_is_a_balanced_logistic_regression():
    model = new(hidden_layer_sizes=(), solver="lbfgs", max_iter=1000, tol=1e-10, alpha=1e-9)
    model.set_params(class_weight="balanced").fit(X, RARE)
    theirs = LogisticRegression(C=np.inf, class_weight="balanced", tol=1e-10, max_iter=1000)
    assert_allclose(model.predict_proba(X), theirs.fit(X, RARE).predict_proba(X), atol=1e-4)


def test_balanced_finds_more_of_the_rare_class():
    scores, shares = [], []
    for class_weight in (None, "balanced"):
        model = new(class_weight=class_weight, max_iter=200, learning_rate_init=0.01).fit(X, RARE)
        scores.append(balanced_accuracy_score(RARE, model.predict(X)))
        shares.append((model.predict(X) == "yes").mean())
    assert scores[1] > scores[0]
    assert shares[1] > shares[0]


def test_a_class_of_weight_zero_is_never_learnt():
    model = new(class_weight={"yes": 0.0}, max_iter=200, learning_rate_init=0.05).fit(X, RARE)
    assert set(model.predict(X)) == {"no"}
    assert list(model.classes_) == ["no", "yes"]


def test_none_and_ones_are_the_same():
    ones = new(class_weight={0: 1, 1: 1, 2: 1}).fit(X, THREE)
    for a, b in zip(ones.coefs_, new().fit(X, THREE).coefs_, strict=True):
        assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_float32_stays_float32():
    model = new(class_weight="balanced").fit(X.astype(np.float32), RARE, WEIGHTS)
    assert model.coefs_[0].dtype == np.float32


# -------------------------------------------------------------------- an epoch at a time


def test_partial_fit_takes_a_dict():
    class_weight = {0: 2.0, 1: 0.5, 2: 7.0}
    model, other = new(class_weight=class_weight), new()
    for part in (slice(0, 60), slice(60, 150)):
        weights = compute_sample_weight(class_weight, THREE[part]) * WEIGHTS[part]
        model.partial_fit(X[part], THREE[part], WEIGHTS[part], classes=[0, 1, 2])
        other.partial_fit(X[part], THREE[part], weights, classes=[0, 1, 2])
    assert_same_fit(model, other)


@pytest.mark.parametrize("class_weight", [{0: 2.0, 2: 7.0}, {2: 7.0}, {0: 2.0, 1: 0.5, 2: 7.0}])
def test_partial_fit_takes_batches_without_all_classes(class_weight):
    """The dict and the batch may lack classes: a class without a weight has weight 1."""
    for present in ([0], [1], [0, 1], [1, 2]):
        rows = np.isin(THREE, present)
        weights = np.array([class_weight.get(c, 1.0) for c in THREE[rows]])
        model = new(class_weight=class_weight).partial_fit(X[rows], THREE[rows], classes=[0, 1, 2])
        assert_same_fit(model, new().partial_fit(X[rows], THREE[rows], weights, [0, 1, 2]))


def test_partial_fit_refuses_what_needs_all_rows():
    with pytest.raises(ValueError, match=r"'balanced' needs all of y at once.*pass a dict"):
        new(class_weight="balanced").partial_fit(X, THREE, classes=[0, 1, 2])
    weights = compute_class_weight("balanced", classes=np.unique(THREE), y=THREE)
    model = new(class_weight=dict(enumerate(weights))).partial_fit(X, THREE, classes=[0, 1, 2])
    other = new().partial_fit(X, THREE, compute_sample_weight("balanced", THREE), [0, 1, 2])
    assert_same_fit(model, other)


def test_partial_fit_refuses_classes_that_it_does_not_know():
    with pytest.raises(ValueError, match=r"class_weight has classes that are not in classes_: .7."):
        new(class_weight={0: 1, 7: 2}).partial_fit(X, THREE, classes=[0, 1, 2])


# -------------------------------------------------------------------- early stopping


def test_early_stopping_weighs_the_validation_rows_too():
    """The score that decides is the weighted share of right rows."""
    model = new(class_weight="balanced", early_stopping=True, max_iter=30).fit(X, RARE)
    weights = compute_sample_weight("balanced", RARE)
    assert_same_fit(model, new(early_stopping=True, max_iter=30).fit(X, RARE, weights))
    assert 0 < model.best_validation_score_ <= 1


# -------------------------------------------------------------------- wrong weights


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        (
            {"no": 0, "yes": 0},
            "gives every row the weight zero.*a weight > 0 for a class that occurs",
        ),
        ({"perhaps": 2}, "are not in class_weight"),
        ([{"no": 1}, {"yes": 1}], "class_weight"),
    ],
)
def test_wrong_weights(class_weight, message, solver):
    with pytest.raises(ValueError, match=message):
        new(class_weight=class_weight, solver=solver).fit(X, RARE)


@pytest.mark.parametrize(
    "class_weight", [{"no": 0.5, "yes": 3.0, "perhaps": 7.0}, {"yes": 3.0, "perhaps": 7.0}]
)
def test_a_class_that_this_y_lacks_is_ignored(class_weight):
    """A fold or a batch may lack a class; a class without a weight has weight 1."""
    known = {name: class_weight.get(name, 1.0) for name in ("no", "yes")}
    expected = new().fit(X, RARE, compute_sample_weight(known, RARE))
    model = new(class_weight=class_weight)
    assert_same_fit(model.fit(X, RARE), expected)
    model.partial_fit(X, RARE)  # it goes on as it began
    warm = new(class_weight=class_weight, warm_start=True).fit(X, RARE).fit(X, RARE)
    assert len(warm.loss_curve_) == 16


def test_batches_of_several_labels_need_not_have_both():
    class_weight = [{1: 4.0}, {0: 3.0, 1: 1.0}, {0: 2.0}]
    batch = np.zeros((4, 3), int)
    model = new(class_weight=class_weight).partial_fit(X[:4], batch, classes=[0, 1, 2])
    assert_same_fit(model, new().partial_fit(X[:4], batch, np.full(4, 6.0), classes=[0, 1, 2]))


def test_dict_changed_in_place_is_noticed():
    class_weight = {0: 2.0, 1: 1.0, 2: 1.0}
    model = new(class_weight=class_weight).partial_fit(X, THREE, classes=[0, 1, 2])
    class_weight[0] = None
    with pytest.raises(ValueError, match="has the weight None for 0"):
        model.partial_fit(X, THREE)
    class_weight[0] = 5.0
    model.partial_fit(X, THREE)
    twin = new().partial_fit(
        X, THREE, compute_sample_weight({0: 2.0, 1: 1, 2: 1}, THREE), [0, 1, 2]
    )
    twin.partial_fit(X, THREE, compute_sample_weight({0: 5.0, 1: 1, 2: 1}, THREE))
    assert_same_fit(model, twin)


def test_a_dict_is_not_enough_for_several_labels():
    with pytest.raises(ValueError, match="class_weight should be a list of dicts"):
        new(class_weight={0: 1, 1: 2}).fit(X, LABELS)
