# SPDX-License-Identifier: BSD-3-Clause
"""The data of a fit, checked: the same container for training and for validation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

ROWS = 4096  # at a time, where only a sum is wanted


@dataclass(frozen=True)
class FitData:
    """Rows for training or validation.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, n_features)
        Inputs.
    y : ndarray
        Targets as the user passed them, for scorers.
    targets : ndarray
        Targets as the loss needs them.
    sample_weight : ndarray of shape (n,) or None
        Weights of the rows.
    X_given : object, default=None
        X in the container that the user passed, such as a DataFrame, for scoring functions.
    rows : ndarray of int or None
        The rows of these arrays that are used; None means all. The arrays are never copied as a whole: rows
        are taken one batch at a time.
    """

    X: Any
    y: Any
    targets: Any
    sample_weight: Any = None
    X_given: Any = None
    rows: Any = None

    @property
    def n_rows(self):
        """Number of rows that are used."""
        return self.X.shape[0] if self.rows is None else len(self.rows)

    def take(self, rows):
        """Return the data of these rows only."""
        return replace(self, rows=np.asarray(rows) if self.rows is None else self.rows[rows])

    def part(self, name):
        """Return the used rows of one of the arrays as a new array."""
        array = getattr(self, name)
        return array if array is None or self.rows is None else array[self.rows]

    def predictions_are_finite(self, network, loss, n_rows):
        """Return whether all predictions for the first ``n_rows`` rows are finite."""
        rows = self.rows
        if n_rows < self.n_rows:
            rows = np.arange(n_rows) if rows is None else rows[:n_rows]
        prediction = network.predict(self.X, rows)
        loss.inverse_link(prediction, prediction)
        return bool(np.isfinite(prediction).all())

    def loss_of_zeros(self, loss, n_outputs):
        """Return the sum of the losses of all rows where the network gives 0, and that of their weights."""
        sum_of_losses = total = 0.0
        for start in range(0, self.n_rows, ROWS):
            rows = slice(start, min(start + ROWS, self.n_rows))
            rows = rows if self.rows is None else self.rows[rows]
            y = self.targets[rows]
            y = y.astype(np.float64, copy=False) if y.dtype.kind == "f" else y
            weight = (
                None if self.sample_weight is None else self.sample_weight[rows].astype(np.float64)
            )
            zeros = np.zeros((len(y), n_outputs))
            sum_of_losses += loss.value_and_gradient(y, zeros, weight, total=1.0)[0]
            total += len(y) if weight is None else float(weight.sum())
        return sum_of_losses, total
