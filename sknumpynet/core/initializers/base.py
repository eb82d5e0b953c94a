# SPDX-License-Identifier: BSD-3-Clause
"""Initializers: the initial weights and biases of a layer."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.options import Options, is_foreign


class RandomSource(Protocol):
    """The methods of `numpy.random.Generator` and `numpy.random.RandomState` that are used here."""

    def uniform(
        self, low: float = ..., high: float = ..., size: tuple[int, ...] | None = ...
    ) -> Array: ...

    def normal(
        self, loc: float = ..., scale: float = ..., size: tuple[int, ...] | None = ...
    ) -> Array: ...


class Initializer(Options):
    """Base class: fills the weights, or the biases, of one layer."""

    def fill(self, view: Array, fan_in: int, fan_out: int, rng: RandomSource) -> None:
        """Fill ``view``, a layer's W of shape (fan_in, fan_out) or its b of shape (fan_out,)."""
        raise NotImplementedError


def fill_checked(
    initializer: Initializer, W: Array, fan_in: int, fan_out: int, rng: RandomSource
) -> None:
    """Fill ``W``, or raise ValueError if a custom initializer does not fill all of it."""
    if not is_foreign(initializer):
        initializer.fill(W, fan_in, fan_out, rng)
        return
    W[...] = np.nan
    initializer.fill(W, fan_in, fan_out, rng)
    if np.isnan(W).any():
        raise ValueError(
            f"{initializer!r}: fill(W, ...) must write numbers into all of W, as W[...] = ... does. What it "
            "returns, or binds to the name W, is lost"
        )
