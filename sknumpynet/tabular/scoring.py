# SPDX-License-Identifier: BSD-3-Clause
"""Apply scikit-learn's scorers to given predictions."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from sknumpynet._compat import is_made_by_scikit_learn
from sknumpynet.checks.input_checks import same_type
from sknumpynet.checks.scoring import as_score, checked_scorer
from sknumpynet.core.wording import counted


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
    """Return a function (y, weight, predictions) -> minus the score, or None if the loss decides.

    ``to_user(y)`` converts targets of the networks to the user's labels or numbers; ``estimator`` is one of
    the classes above.
    """
    if scoring is None or (isinstance(scoring, str) and scoring == "loss"):
        return None
    scorer = checked_scorer(estimator, scoring)

    def negative(y, weight, predictions):
        known, X = to_user(y, predictions)
        known = known[:, 0] if known.ndim == 2 and known.shape[1] == 1 else known
        options = {} if np.ptp(weight) == 0 else {"sample_weight": weight}
        try:
            score = scorer(estimator, X, known, **options)
        except (TypeError, ValueError) as error:
            if not is_made_by_scikit_learn(scorer):
                raise  # a function's own error
            raise same_type(error)(
                f"scoring={scoring!r} cannot score predictions for {counted(len(X), 'row')}: "
                f"{str(error).rstrip('.')}. Give another scoring, or scoring=None for the loss"
            ) from error
        return -as_score(score, scoring)

    return negative
