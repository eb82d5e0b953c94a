# SPDX-License-Identifier: BSD-3-Clause
"""A function as `scoring`, with validation rows on the workers: it predicts, and sees no row."""

import numpy as np
import pytest

pytest.importorskip("distributed")

from sklearn.metrics import get_scorer

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.dask import DaskNumpyMLPClassifier, DaskNumpyMLPRegressor

from .rows import apart, classes, delayed, left_on, numbers, on_dask

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = classes(150, 3)
NUMBERS = numbers(150)[1]
WEIGHTS = np.linspace(0.5, 2, 150)
QUICK = {
    "hidden_layer_sizes": (5,),
    "learning_rate_init": 0.05,
    "batch_size": 30,
    "max_iter": 6,
    "random_state": 0,
    "n_iter_no_change": 2,
}

LBFGS = {"batch_size": "auto", "learning_rate_init": 0.001}  # it ignores others, and warns


def by_place(estimator, X, y):
    """Weigh each row by its place: wrong where rows come in the order of the workers."""
    right = estimator.predict(X) == y
    return float(np.average(right, weights=np.arange(1, len(X) + 1)))


def several(estimator, X, y, sample_weight=None):
    p = estimator.predict_proba(X)
    assert X.shape == (len(y), 4) and p.shape == (len(y), 3)
    raw = estimator.decision_function(X)
    scores = [
        get_scorer("balanced_accuracy")(estimator, X, y),
        estimator.score(X, y, sample_weight),
    ]
    return float(sum(scores) + np.average(p[:, 0] + raw[:, 1], weights=sample_weight))


def middling(estimator, X, y):
    return -float(np.median(np.abs(estimator.predict(X) - y)))


@pytest.mark.parametrize(
    ("solver", "scoring", "decides"),
    [("adam", by_place, False), ("adam", several, True), ("lbfgs", by_place, False)],
)
def test_scores_are_the_local_ones(client, solver, scoring, decides):
    few = np.arange(0, 150, 2)
    given = {"X_val": X[few], "y_val": Y[few], "sample_weight_val": WEIGHTS[few]}
    there = {name: delayed(each, 0, 10, 11, 50) for name, each in given.items()}
    parameters = {**QUICK, "scoring": scoring, "solver": solver, "early_stopping": decides}
    parameters = {**parameters, **(LBFGS if solver == "lbfgs" else {})}
    local = NumpyMLPClassifier(**parameters).fit(X, Y, **given)
    remote = DaskNumpyMLPClassifier(**parameters).fit(on_dask(X), on_dask(Y), **there)
    assert len(set(local.validation_scores_)) > 2
    np.testing.assert_allclose(remote.validation_scores_, local.validation_scores_, rtol=1e-7)
    assert remote.best_epoch_ == local.best_epoch_ and apart(local, remote) < 1e-7
    assert not left_on(client)


def test_rows_that_are_split_off(client):
    parameters = {**QUICK, "early_stopping": True, "scoring": by_place, "validation_fraction": 0.4}
    local = NumpyMLPClassifier(**parameters).fit(X, Y, WEIGHTS)
    remote = DaskNumpyMLPClassifier(**parameters)
    remote.fit(on_dask(X, 20), on_dask(Y, 20), on_dask(WEIGHTS, 20))
    np.testing.assert_allclose(remote.validation_scores_, local.validation_scores_, rtol=1e-9)
    assert apart(local, remote) < 1e-9


def test_numbers_are_scored_too(client):
    parameters = {**QUICK, "early_stopping": True, "scoring": middling}
    local = NumpyMLPRegressor(**parameters).fit(X, NUMBERS)
    remote = DaskNumpyMLPRegressor(**parameters).fit(on_dask(X), on_dask(NUMBERS))
    np.testing.assert_allclose(remote.validation_scores_, local.validation_scores_, rtol=1e-9)


@pytest.mark.parametrize(
    "needs",
    {
        "a column": lambda estimator, X, y: X[:, 0],
        "an array": lambda estimator, X, y: np.asarray(X),
        "a mean": lambda estimator, X, y: np.mean(X),
        "a method": lambda estimator, X, y: X.sum(),
        "each row": lambda estimator, X, y: sum(row[0] for row in X),
        "other rows": lambda estimator, rows, y: estimator.predict(X),
        "hidden units": lambda estimator, X, y: estimator.hidden_activations(X),
        "weights": lambda estimator, X, y: estimator.coefs_[0].sum(),
    }.items(),
    ids=lambda pair: pair[0],
)
def test_what_reads_rows_or_weights_is_told_how(client, needs):
    model = DaskNumpyMLPClassifier(**QUICK, scoring=needs[1])
    there = on_dask(X), on_dask(Y)
    with pytest.raises(
        (TypeError, AttributeError), match="where X_val and y_val are arrays in mem"
    ):
        model.fit(*there, X_val=there[0], y_val=there[1])
    assert not hasattr(model, "classes_")


def test_a_function_of_rows_in_memory_may_read_them(client):
    def reads(estimator, X, y):
        return float(X[:, 0].sum() + estimator.coefs_[0].sum())

    model = DaskNumpyMLPClassifier(**QUICK, scoring=reads)
    local = NumpyMLPClassifier(**QUICK, scoring=reads).fit(X, Y, X_val=X, y_val=Y)
    model.fit(on_dask(X), on_dask(Y), X_val=X, y_val=Y)
    np.testing.assert_allclose(model.validation_scores_, local.validation_scores_)
