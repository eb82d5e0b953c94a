# SPDX-License-Identifier: BSD-3-Clause
"""Batches: some rows of the data at a time, in the order in which training takes them."""

from __future__ import annotations

from typing import Any

from numpy.typing import DTypeLike

from sknumpynet.core.arrays import Array
from sknumpynet.core.network.rows import Gather, Rows


class Batches:
    """Batches of X, y and the weights.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, n_features)
        Inputs of any real dtype.
    y : ndarray of shape (n, n_outputs), or (n,) of class indices
        Targets; real ones are converted to ``dtype``, classes stay integers.
    sample_weight : ndarray of shape (n,) or None
        Weights of the rows.
    size : int
        Rows of a batch.
    dtype : dtype
        Of the network.
    """

    def __init__(
        self, X: Any, y: Array, sample_weight: Array | None, size: int, dtype: DTypeLike
    ) -> None:
        self.n = X.shape[0]
        self.size = size
        self._X = Gather(X, size, dtype)
        self._y = Gather(y, size, dtype if y.dtype.kind == "f" else y.dtype)
        self._weight = None if sample_weight is None else Gather(sample_weight, size, dtype)

    def gather(self, rows: Rows) -> tuple[Any, Array, Array | None]:
        """Return X, y and weights of those rows, valid until the next call."""
        return self._X(rows), self._y(rows), None if self._weight is None else self._weight(rows)
