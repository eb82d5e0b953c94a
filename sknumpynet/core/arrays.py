# SPDX-License-Identifier: BSD-3-Clause
"""Arrays: their type, numbers as arrays without dimensions, and long arrays in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]


class Scalars(dict[float, Array]):
    """Numbers as arrays without dimensions, of one dtype: ``SCALARS[dtype][0.9]``.

    A function of NumPy takes these as they are. Python's own numbers it converts first, which takes as long
    as some hundred elements do.

    Parameters
    ----------
    dtype : dtype
        Of the arrays.
    """

    MOST = 1000  # numbers to remember; further ones are made each time

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
    """Return what a network may compute in, or raise ValueError."""
    if np.dtype(dtype) not in SCALARS:
        raise ValueError(f"dtype must be numpy.float32 or numpy.float64; got {dtype!r}")
    return np.dtype(dtype)


# Where a loss needs a third array, it goes through the rows in pieces of about so many elements.
ROW_PIECE = 1 << 11


def row_pieces(raw: Array) -> Iterator[slice]:
    """Yield slices of the rows, for arrays that are not to grow with their number."""
    n, size = len(raw), max(1, ROW_PIECE // raw.shape[1])
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


# Long vectors are updated in pieces of about so many elements: the dozen passes of penalty and update over a
# piece then find it in the processor's cache.
PIECE = 1 << 16


def pieces(n: int) -> Sequence[slice]:
    """Return the slices in which to go through a vector of length ``n``, equal but for the last."""
    size = max(1, -(-n // max(1, n // PIECE)))
    return [slice(start, min(start + size, n)) for start in range(0, max(n, 1), size)]
