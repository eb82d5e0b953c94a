# SPDX-License-Identifier: BSD-3-Clause
"""dask-ml trains and predicts block by block, with the numbers of the loop by hand."""

import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV

from sknumpynet import NumpyMLPClassifier

pytest.importorskip("dask_ml")


def test_the_page(run):
    names = run("dask-ml")
    X_train, y_train, X = names["X_train"], names["y_train"], names["X"]
    by_hand = NumpyMLPClassifier(random_state=0)
    for rows in (slice(i, i + 28) for i in range(0, len(X_train), 28)):
        by_hand.partial_fit(X_train[rows], y_train[rows], classes=[0, 1, 2])
    made = names["incremental"].estimator_.predict_proba(X)
    assert_array_equal(made, by_hand.predict_proba(X))
    assert_allclose(names["probabilities"], names["network"].predict_proba(X_train), rtol=1e-12)


def test_a_search():
    from dask_ml.model_selection import GridSearchCV as DaskGridSearchCV

    X, y = make_classification(300, random_state=0)
    network, grid = NumpyMLPClassifier(max_iter=5, random_state=0), {"alpha": [1e-4, 1, 100]}
    theirs = DaskGridSearchCV(network, grid, cv=3).fit(X, y)
    plain = GridSearchCV(network, grid, cv=3).fit(X, y)
    for split in range(3):
        key = f"split{split}_test_score"
        assert_allclose(theirs.cv_results_[key], plain.cv_results_[key])
    assert_array_equal(theirs.predict_proba(X), plain.predict_proba(X))


def test_an_incremental_search_calls_partial_fit():
    import dask.array as da
    from dask.distributed import Client
    from dask_ml.model_selection import IncrementalSearchCV

    X, y = make_classification(1000, random_state=0)
    blocks, labels = da.from_array(X, chunks=(250, -1)), da.from_array(y, chunks=250)
    network = NumpyMLPClassifier(random_state=0, learning_rate_init=0.01)
    with Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=":0"):
        search = IncrementalSearchCV(
            network, {"alpha": [1e-4, 1e-2, 1]}, max_iter=8, random_state=0
        )
        search.fit(blocks, labels, classes=[0, 1])
        assert search.best_score_ > 0.9
        best = search.best_estimator_
    calls = search.cv_results_["partial_fit_calls"][search.best_index_]
    assert len(best.loss_curve_) == calls
    assert max(search.cv_results_["partial_fit_calls"]) == 8
