# SPDX-License-Identifier: BSD-3-Clause
"""imbalanced-learn's samplers and ensembles work on networks."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import make_classification
from sklearn.metrics import balanced_accuracy_score

from sknumpynet import NumpyMLPClassifier

imblearn = pytest.importorskip("imblearn")


def test_the_page(run):
    names = run("imbalanced-learn")
    few, X_train, y_train = names["few"], names["X_train"], names["y_train"]
    X_more, y_more = names["SMOTE"](random_state=0).fit_resample(X_train[few], y_train[few])
    assert len(set(np.bincount(y_more))) == 1
    by_hand = NumpyMLPClassifier(random_state=0).fit(X_more, y_more)
    X = names["X"]
    assert_array_equal(names["pipeline"].predict_proba(X), by_hand.predict_proba(X))


def test_an_ensemble_on_balanced_samples_finds_more_of_the_rare_class():
    from imblearn.ensemble import BalancedBaggingClassifier

    X, y = make_classification(1000, weights=[0.95], class_sep=0.7, random_state=0)
    network = NumpyMLPClassifier(max_iter=50, random_state=0)
    ensemble = BalancedBaggingClassifier(network, n_estimators=3, random_state=0)
    plain, weighed = (
        NumpyMLPClassifier(max_iter=50, random_state=0, class_weight=each)
        for each in (None, "balanced")
    )
    scores = [
        balanced_accuracy_score(y[500:], each.fit(X[:500], y[:500]).predict(X[500:]))
        for each in (plain, weighed, ensemble)
    ]
    assert scores[0] + 0.05 < min(scores[1:])
