# SPDX-License-Identifier: BSD-3-Clause
"""Dropout: a random share of the values set to zero in each step of training."""

from __future__ import annotations

from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.layers.base import Buffer, Layer


class Dropout(Layer):
    """Each value is zero with probability ``rate``, else divided by ``1 - rate``; for training only.

    The mask is drawn by training, not by `forward`, which stays a function of its input.

    Parameters
    ----------
    rate : float, default=0.5
        Share of the values to drop, in [0, 1).

    References
    ----------
    Srivastava et al.: Dropout (Journal of Machine Learning Research 15, 2014).

    Examples
    --------
    >>> from sknumpynet.core import Dense
    >>> layers = [Dense(2, 8), "relu", Dropout(0.2), Dense(8, 1)]
    """

    constraints = {"rate": "a number in [0, 1)"}
    keeps_output = True

    def __init__(self, rate: float = 0.5) -> None:
        self.rate = rate

    def buffer(
        self, fan_in: int, n: int, scratch: Array | None, ones: Array | None, needs_delta: bool
    ) -> Buffer:
        if scratch is None:
            return Buffer()
        mask, out = np.ones((n, fan_in), scratch.dtype), np.empty((n, fan_in), scratch.dtype)
        return Buffer(out, kept=mask)

    def draw(self, buffer: Buffer, rng: np.random.Generator) -> None:
        mask: Any = buffer.kept
        rng.random(out=mask, dtype=mask.dtype)
        np.greater_equal(mask, self.rate, out=mask)
        mask *= 1 / (1 - self.rate)

    def forward(self, x: Any, buffer: Buffer) -> Array:
        if buffer.kept is None:
            return x  # type: ignore[no-any-return]
        # not in place: an activation's derivative needs the value before dropping
        out: Array = np.multiply(x, buffer.kept, out=buffer.out)
        return out

    def backward(self, delta: Array, buffer: Buffer) -> Array | None:
        delta *= buffer.kept
        return delta
