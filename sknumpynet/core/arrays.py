# SPDX-License-Identifier: BSD-3-Clause
"""Helpers for arrays: their type, zero-dimensional arrays, and blocks of long arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]


class Scalars(dict[float, Array]):
    """Numbers as zero-dimensional arrays of one dtype: ``SCALARS[dtype][0.9]``.

    NumPy functions use these directly, whereas Python numbers are converted in every call, which takes as
    long as processing a few hundred elements.

    Parameters
    ----------
    dtype : dtype
        Dtype of the arrays.
    """

    MOST = 1000  # numbers to cache; further ones are created each time

    def __init__(self, dtype: DTypeLike) -> None:
        super().__init__()
        self.dtype = dtype

    def __missing__(self, number: float) -> Array:
        scalar = np.array(number, self.dtype)
        scalar.flags.writeable = False
        if len(self) < self.MOST:
            self[number] = scalar
        return scalar


SCALARS = {np.dtype(dtype): Scalars(dtype) for dtype in (np.float32, np.float64)}


def checked_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the dtype if a network can compute in it, or raise ValueError."""
    if np.dtype(dtype) not in SCALARS:
        raise ValueError(f"dtype must be numpy.float32 or numpy.float64; got {dtype!r}")
    return np.dtype(dtype)


# A loss that needs a third array processes the rows in blocks of about this many elements.
ROW_PIECE = 1 << 11


def row_pieces(raw: Array) -> Iterator[slice]:
    """Yield slices of the rows, so that arrays do not grow with the number of rows."""
    n, size = len(raw), max(1, ROW_PIECE // raw.shape[1])
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


# Long vectors are updated in blocks of about this many elements, so that a block stays in the processor's
# cache during the dozen passes of penalty and update.
PIECE = 1 << 16


def pieces(n: int) -> Sequence[slice]:
    """Return the slices of a vector of length ``n``, of equal size except for the last."""
    size = max(1, -(-n // max(1, n // PIECE)))
    return [slice(start, min(start + size, n)) for start in range(0, max(n, 1), size)]
