# SPDX-License-Identifier: BSD-3-Clause
"""A callback that passes the training history to a function, epoch by epoch (scikit-learn >= 1.9)."""

from __future__ import annotations


class LogEpochs:
    """Calls a function with each row of `history_` as soon as the epoch ends.

    For logging to MLflow, TensorBoard, dvclive, a file and so on.

    Parameters
    ----------
    function : callable
        ``function(row)`` is called after each epoch, or iteration of L-BFGS. ``row`` is a dict with the keys
        of `history_`: 'epoch', an int, and numbers such as 'loss', 'learning_rate' and 'validation_score'.
        With `TabularMLPClassifier` and `TabularMLPRegressor` it is called after each cycle, with all of
        `history_` but 'weight', which is known at the end. Its return value is ignored; an exception ends
        the fit.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknumpynet import LogEpochs, NumpyMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> rows = []
    >>> model = NumpyMLPClassifier(max_iter=5, random_state=0)
    >>> model.set_callbacks(LogEpochs(rows.append)).fit(X, y)  # doctest: +SKIP
    >>> [row["epoch"] for row in rows]  # doctest: +SKIP
    [1, 2, 3, 4, 5]
    """

    def __init__(self, function):
        self.function = function

    def setup(self, estimator, context):
        """Raise an error before the first epoch if the function cannot be called."""
        if not callable(self.function):
            raise TypeError(f"function must be a function of a dict; got {self.function!r}")

    def log_epoch(self, row):
        """Pass the row of an epoch to the function."""
        self.function(row)

    def on_fit_task_begin(self, estimator, context):
        """Do nothing."""

    def on_fit_task_end(self, estimator, context):
        """Do nothing."""

    def teardown(self, estimator, context):
        """Do nothing."""
