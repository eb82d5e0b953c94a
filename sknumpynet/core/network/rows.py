# SPDX-License-Identifier: BSD-3-Clause
"""Read some rows of the data as an array of the network's dtype, into a buffer that is reused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from sknumpynet.core.arrays import Array

Rows = slice | Array  # consecutive rows, or an array of row numbers


def row_numbers(rows: Any, n: int) -> Array:
    """Return rows as numbers from 0 to n - 1, from any index of NumPy; IndexError if there are no such rows.

    Reading them later does not check: it would take a mask or a negative number for other rows.
    """
    if isinstance(rows, np.ndarray) and rows.ndim == 1 and rows.dtype.kind in "iu":
        if not len(rows) or (rows.min() >= 0 and rows.max() < n):
            return rows
    return np.atleast_1d(np.arange(n)[rows])


class RowReader:
    """Reads rows of one array as an array of ``dtype`` in C order, or as CSR if it is sparse.

    Parameters
    ----------
    source : ndarray of shape (n,) or (n, k), or sparse matrix or array
        The data; CSC is converted to CSR once.
    size : int
        Largest number of rows at a time.
    dtype : dtype
        Dtype of the result.
    """

    def __init__(self, source: Any, size: int, dtype: DTypeLike) -> None:
        self.dtype = dtype
        self.sparse = not isinstance(source, np.ndarray)
        if self.sparse:
            self.source = source.tocsr()
            return
        self.source = source
        self.same = source.dtype == dtype
        # np.take with out= copies the whole source first unless it is C-contiguous
        self.take = source.flags.c_contiguous
        shape = (size, *source.shape[1:])
        self.out = np.empty(shape, dtype)
        if self.take and not self.same:
            self.raw = np.empty(shape, source.dtype)

    def __call__(self, rows: Rows, out: Array | None = None) -> Any:
        """Return the rows, in ``out`` if it is given; otherwise the next call may overwrite them.

        ``out`` can only be used with an array of row numbers.
        """
        if self.sparse:
            return self._sparse_rows(rows).astype(self.dtype, copy=False)
        if isinstance(rows, slice):
            part = self.source[rows]
            if not self.same:
                out = self.out[: len(part)]
                out[...] = part
                return out
            return part
        n = len(rows)
        if out is None:
            out = self.out if n == len(self.out) else self.out[:n]
        if not self.take:
            out[...] = self.source[rows]
        elif self.same:
            self.source.take(rows, axis=0, out=out, mode="clip")
        else:
            self.source.take(rows, axis=0, out=self.raw[:n], mode="clip")
            out[...] = self.raw[:n]
        return out

    def _sparse_rows(self, rows: Rows) -> Any:
        source = self.source
        if not isinstance(rows, slice):
            return source[rows]
        first, last, _ = rows.indices(source.shape[0])
        # views: source[rows] copies
        indptr = source.indptr[first : last + 1]
        stored = slice(indptr[0], indptr[-1])
        return type(source)(
            (source.data[stored], source.indices[stored], indptr - indptr[0]),
            shape=(last - first, source.shape[1]),
        )


def chunks(
    X: Any, rows: Array | None, size: int, dtype: DTypeLike
) -> Iterator[tuple[int, int, Any]]:
    """Yield start, stop and chunks of the ``rows`` of X (None means all), at most ``size`` at a time."""
    n = X.shape[0] if rows is None else len(rows)
    if rows is None and n <= size and not isinstance(X, np.ndarray):
        yield 0, n, X.astype(dtype, copy=False)
        return
    as_they_lie = rows is None and isinstance(X, np.ndarray) and X.dtype == dtype
    gather = X.__getitem__ if as_they_lie else RowReader(X, size, dtype)
    for start in range(0, n, size):
        stop = min(start + size, n)
        yield start, stop, gather(slice(start, stop) if rows is None else rows[start:stop])
