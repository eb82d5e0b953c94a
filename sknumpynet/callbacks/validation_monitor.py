# SPDX-License-Identifier: BSD-3-Clause
"""A callback that scores separate validation data after each epoch (scikit-learn >= 1.9)."""

from __future__ import annotations

from numbers import Integral

from sknumpynet._compat import Interval, validate_parameters
from sknumpynet.checks.scoring import as_score, checked_scorer


class ValidationMonitor:
    """Scores the network on validation data after each epoch, or for tables after each cycle.

    Parameters
    ----------
    X_val : {array-like, sparse matrix} of shape (n_samples, n_features)
        Validation inputs.
    y_val : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Validation targets.
    scoring : str, callable or None, default=None
        A scorer or its name; None means the estimator's ``score``.
    every : int, default=1
        Number of epochs between two scores; 1 or more.

    Attributes
    ----------
    epochs_ : list of int
        The epochs that were scored, counted from 1, of the last fit. If it was resumed from a `Checkpoint`,
        they start with the first epoch after it.
    scores_ : list of float
        Their scores.

    Raises
    ------
    ValueError
        In `fit`, before the first epoch, if ``every`` is invalid.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknumpynet import NumpyMLPClassifier, ValidationMonitor
    >>> X, y = load_iris(return_X_y=True)
    >>> monitor = ValidationMonitor(X[::2], y[::2])
    >>> model = NumpyMLPClassifier(max_iter=5, random_state=0)
    >>> model.set_callbacks(monitor).fit(X[1::2], y[1::2])  # doctest: +SKIP
    >>> len(monitor.scores_)  # doctest: +SKIP
    5
    """

    def __init__(self, X_val, y_val, scoring=None, every=1):
        self.X_val = X_val
        self.y_val = y_val
        self.scoring = scoring
        self.every = every
        self.epochs_, self.scores_ = [], []

    def setup(self, estimator, context):
        """Begin with empty lists."""
        every = [Interval(Integral, 1, None, closed="left")]
        validate_parameters({"every": every}, {"every": self.every}, "ValidationMonitor")
        self.epochs_, self.scores_ = [], []
        self._scorer = checked_scorer(estimator, self.scoring)

    def on_fit_task_begin(self, estimator, context):
        """Do nothing."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Score after an epoch."""
        epoch = context.task_id + 1
        if context.task_name not in ("epoch", "cycle") or epoch % self.every:
            return
        self.epochs_.append(epoch)
        score = self._scorer(fitted_estimator, self.X_val, self.y_val)
        self.scores_.append(as_score(score, self.scoring))

    def teardown(self, estimator, context):
        """Do nothing."""
