# SPDX-License-Identifier: BSD-3-Clause
"""Batches: some rows of the data at a time, in the order in which training uses them.

`HeldBatches` are those of one machine if the rows are distributed over several.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from scipy.sparse import vstack

from sknumpynet.core.arrays import Array
from sknumpynet.core.network.rows import RowReader, Rows


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
        Dtype of the network.
    """

    def __init__(
        self, X: Any, y: Array, sample_weight: Array | None, size: int, dtype: DTypeLike
    ) -> None:
        self.n = X.shape[0]
        self.size = size
        self._X = RowReader(X, size, dtype)
        self._y = RowReader(y, size, dtype if y.dtype.kind == "f" else y.dtype)
        self._weight = None if sample_weight is None else RowReader(sample_weight, size, dtype)

    @property
    def readers(self) -> list[RowReader]:
        """The readers of X, y and, if given, the weights."""
        readers = [self._X, self._y, self._weight]
        return [each for each in readers if each is not None]

    def gather(self, rows: Rows) -> tuple[Any, Array, Array | None]:
        """Return X, y and weights of these rows, valid until the next call."""
        return self._X(rows), self._y(rows), None if self._weight is None else self._weight(rows)


class HeldBatches(Batches):
    """The rows of each batch that one rank holds, if the rows of a fit are distributed over several ranks.

    Rows are numbered across all ranks. They are stored in blocks, which contain runs of consecutive rows.

    Parameters
    ----------
    blocks : sequence of (X, y, sample_weight, runs)
        The data of this rank, as in `Batches`; ``runs`` has a pair of int for each run, in their order in X:
        the number of its first row, and its length.
    size, dtype
        As in `Batches`.
    n : int
        Number of rows on all ranks.
    weighted : bool
        Whether rows have weights, here and on all other ranks.
    """

    def __init__(
        self,
        blocks: Sequence[tuple[Any, Array, Array | None, Sequence[tuple[int, int]]]],
        size: int,
        dtype: DTypeLike,
        n: int,
        weighted: bool,
    ) -> None:
        self.n, self.size, self.weighted = n, size, weighted
        self._readers: list[Batches] = []
        found: list[tuple[int, ...]] = []
        for X, y, sample_weight, runs in blocks:
            place = 0
            for first, length in runs:
                if length:
                    found.append((first, first + length, first - place, len(self._readers)))
                place += length
            if place:
                self._readers.append(Batches(X, y, sample_weight, size, dtype))
        table = np.array(sorted(found), np.int64).reshape(-1, 4).T
        # row r of a run is row r - shift of its block
        self._starts, self._stops, self._shifts, self._blocks = np.ascontiguousarray(table)
        self._out: list[Array] = []

    def gather(self, rows: Rows) -> tuple[Any, Array, Array | None]:
        """Return X, y and weights of the rows that are held here, which may be none.

        They are in the order of ``rows`` if they are in one block, otherwise block by block.
        """
        places = self.places(rows)
        if len(places) == 1:
            number, some = places[0]
            return self._readers[number].gather(some)
        if not places:
            return np.empty((0, 0)), np.empty(0), None
        if not self._out:
            first = self._readers[0]
            self._out = [np.empty_like(each.out) for each in first.readers if not each.sparse]
        n, start = sum(len(some) for _, some in places), 0
        out = [each[:n] for each in self._out]
        sparse = []
        for number, some in places:
            stop = start + len(some)
            readers = self._readers[number].readers
            if readers[0].sparse:
                sparse.append(readers[0](some))
            for reader, each in zip(
                [each for each in readers if not each.sparse], out, strict=True
            ):
                reader(some, each[start:stop])
            start = stop
        X = vstack(sparse, format="csr") if sparse else out.pop(0)
        return X, out[0], out[1] if self.weighted else None

    def places(self, rows: Rows) -> list[tuple[int, Array]]:
        """Return the blocks that contain some of the rows, each with their positions in it."""
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(self.n))
        if not self._readers:
            return []
        run = np.searchsorted(self._starts, rows, side="right") - 1
        # run -1 is the last one, whose row numbers are larger
        held = (run >= 0) & (rows < self._stops[run])
        run = run[held]
        places = rows[held] - self._shifts[run]
        if len(self._readers) == 1:
            return [(0, places)] if len(places) else []
        blocks = self._blocks[run]
        return [(int(number), places[blocks == number]) for number in np.unique(blocks)]

    def sum_of_weights(self, rows: Rows) -> float:
        """Return the sum of the weights of the rows that are held here."""
        total = 0.0
        for number, some in self.places(rows):
            total += float(np.add.reduce(self._readers[number].readers[2](some)))
        return total
