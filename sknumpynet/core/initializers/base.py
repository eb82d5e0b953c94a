# SPDX-License-Identifier: BSD-3-Clause
"""Initializers: the numbers that a layer starts from."""

from __future__ import annotations

from typing import Protocol

from sknumpynet.core.arrays import Array
from sknumpynet.core.options import Options


class RandomSource(Protocol):
    """What `numpy.random.Generator` and `numpy.random.RandomState` have in common, as far as needed."""

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
