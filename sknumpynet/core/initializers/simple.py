# SPDX-License-Identifier: BSD-3-Clause
"""Initializers whose numbers do not depend on the layer: zeros, normal, uniform."""

from __future__ import annotations

from sknumpynet.core.arrays import Array
from sknumpynet.core.initializers.base import Initializer, RandomSource


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
