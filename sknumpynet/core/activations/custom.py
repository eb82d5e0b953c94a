# SPDX-License-Identifier: BSD-3-Clause
"""An activation made from two custom functions."""

from __future__ import annotations

from collections.abc import Callable

from sknumpynet.core.activations.base import ActivationOfZ
from sknumpynet.core.arrays import Array


class Function(ActivationOfZ):
    """A custom function with its derivative, both of arrays ``z``.

    Parameters
    ----------
    function, derivative : callable
        ``a = function(z)`` and ``da/dz = derivative(z)``, elementwise.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.empty(2)
    >>> Function(np.sin, np.cos).forward(np.array([0.0, np.pi / 2]), out=a)
    >>> a
    array([0., 1.])
    """

    constraints = {"function": "a function", "derivative": "a function"}

    def __init__(
        self, function: Callable[[Array], Array], derivative: Callable[[Array], Array]
    ) -> None:
        self.function = function
        self.derivative = derivative

    def forward(self, z: Array, out: Array) -> None:
        out[...] = self.function(z)

    def backward(self, a: Array, delta: Array, scratch: Array) -> None:
        delta *= self.derivative(a)
