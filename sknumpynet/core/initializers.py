# SPDX-License-Identifier: BSD-3-Clause
"""Initializers: the numbers that a layer starts from.

They must differ from unit to unit, or all units would learn the same, and have a size that lets signals
pass through many layers neither growing nor dying out.
"""

from __future__ import annotations

import math
from typing import Protocol

from sknumpynet.core.options import Array, Options


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


class GlorotUniform(Initializer):
    """Uniform in (-bound, bound) with ``bound = sqrt(gain / (fan_in + fan_out))``.

    Parameters
    ----------
    gain : float, default=6.0
        6 keeps the variance of activations and gradients from layer to layer for units that are linear
        around zero; scikit-learn takes 2 for logistic units.

    References
    ----------
    Glorot, Bengio: Understanding the difficulty of training deep feedforward neural networks
    (AISTATS 2010).

    Examples
    --------
    >>> import numpy as np
    >>> W = np.empty((2, 4))
    >>> GlorotUniform().fill(W, 2, 4, np.random.default_rng(0))
    >>> bool(abs(W).max() < 1)
    True
    """

    constraints = {"gain": "a number in (0, inf)"}

    def __init__(self, gain: float = 6.0) -> None:
        self.gain = gain

    def fill(self, view: Array, fan_in: int, fan_out: int, rng: RandomSource) -> None:
        bound = math.sqrt(self.gain / (fan_in + fan_out))
        view[...] = rng.uniform(-bound, bound, view.shape)


class Zeros(Initializer):
    """All zero: for biases, and for the weights of a linear model.

    Examples
    --------
    >>> import numpy as np
    >>> b = np.empty(2)
    >>> Zeros().fill(b, 3, 2, np.random.default_rng(0))
    >>> b
    array([0., 0.])
    """

    def fill(self, view: Array, fan_in: int, fan_out: int, rng: RandomSource) -> None:
        view[...] = 0


class Normal(Initializer):
    """Normal with mean 0.

    Parameters
    ----------
    scale : float, default=0.01
        Standard deviation.

    Examples
    --------
    >>> import numpy as np
    >>> W = np.empty((2, 2))
    >>> Normal(0.1).fill(W, 2, 2, np.random.default_rng(0))
    >>> bool(abs(W).max() < 1)
    True
    """

    constraints = {"scale": "a number in [0, inf)"}

    def __init__(self, scale: float = 0.01) -> None:
        self.scale = scale

    def fill(self, view: Array, fan_in: int, fan_out: int, rng: RandomSource) -> None:
        view[...] = rng.normal(0.0, self.scale, view.shape)


class Uniform(Initializer):
    """Uniform in (low, high).

    Parameters
    ----------
    low, high : float, default=-1.0 and 1.0
        The limits.

    Examples
    --------
    >>> import numpy as np
    >>> W = np.empty((2, 2))
    >>> Uniform(-1, 0).fill(W, 2, 2, np.random.default_rng(0))
    >>> bool(W.max() < 0)
    True
    """

    constraints = {"low": "a number in (-inf, inf)", "high": "a number in (-inf, inf)"}

    def __init__(self, low: float = -1.0, high: float = 1.0) -> None:
        self.low = low
        self.high = high

    def check(self) -> None:
        super().check()
        if self.low > self.high:
            raise ValueError(f"{self!r}: low must be at most high")

    def fill(self, view: Array, fan_in: int, fan_out: int, rng: RandomSource) -> None:
        view[...] = rng.uniform(self.low, self.high, view.shape)
