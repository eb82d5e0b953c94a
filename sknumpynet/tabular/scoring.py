# SPDX-License-Identifier: BSD-3-Clause
"""Apply scikit-learn's scorers to given predictions."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import check_scoring


class KnownClasses(ClassifierMixin, BaseEstimator):
    """A classifier whose X are probabilities."""

    def __init__(self, classes):
        self.classes_ = classes

    def fit(self, X, y):
        """Do nothing."""
        return self

    def predict_proba(self, X):
        """Return X."""
        return X

    def predict(self, X):
        """Return the most probable classes."""
        return self.classes_[X.argmax(axis=1)]


class KnownNumbers(RegressorMixin, BaseEstimator):
    """A regressor whose X are predictions."""

    def fit(self, X, y):
        """Do nothing."""
        return self

    def predict(self, X):
        """Return X, one-dimensional where it has one column."""
        return X[:, 0] if X.shape[1] == 1 else X


def negative_score(scoring, estimator, to_user):
    """Return a function (y, weight, predictions) -> minus the score, or None without ``scoring``.

    ``to_user(y)`` converts targets of the networks to the user's labels or numbers; ``estimator`` is one of
    the classes above.
    """
    if scoring is None:
        return None
    scorer = check_scoring(estimator, scoring)

    def negative(y, weight, predictions):
        known, X = to_user(y, predictions)
        known = known[:, 0] if known.ndim == 2 and known.shape[1] == 1 else known
        options = {} if np.ptp(weight) == 0 else {"sample_weight": weight}
        return -float(scorer(estimator, X, known, **options))

    return negative
