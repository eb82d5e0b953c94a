# SPDX-License-Identifier: BSD-3-Clause
"""Activations with bounded output: variants of tanh, a bump, and a step function."""

from __future__ import annotations

import numpy as np

from sknumpynet.core.activations.base import Activation, ActivationOfZ
from sknumpynet.core.arrays import Array


class Softsign(Activation):
    """``a = z / (1 + |z|)``, ``da/dz = (1 - |a|)^2``.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.empty(2)
    >>> Softsign().forward(np.array([-1.0, 3.0]), out=a)
    >>> a
    array([-0.5 ,  0.75])
    """

    in_place = False

    def forward(self, z: Array, out: Array) -> None:
        np.abs(z, out=out)
        out += 1
        np.divide(z, out, out=out)

    def backward(self, a: Array, delta: Array, scratch: Array) -> None:
        np.abs(a, out=scratch)
        np.subtract(1, scratch, out=scratch)
        delta *= scratch
        delta *= scratch


class HardTanh(Activation):
    """``a = min(max(z, -1), 1)``, ``da/dz = 1`` where ``|a| < 1``, else 0.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.array([-3.0, 0.5])
    >>> HardTanh().forward(z, out=z)
    >>> z
    array([-1. ,  0.5])
    """

    def forward(self, z: Array, out: Array) -> None:
        np.maximum(z, -1, out=out)
        np.minimum(out, 1, out=out)

    def backward(self, a: Array, delta: Array, scratch: Array) -> None:
        np.abs(a, out=scratch)
        np.less(scratch, 1, out=scratch)
        delta *= scratch


class Gaussian(ActivationOfZ):
    """A bump around zero: ``a = exp(-z^2)``, ``da/dz = -2 z a``.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.empty(2)
    >>> Gaussian().forward(np.array([0.0, 1.0]), out=a)
    >>> a.round(4)
    array([1.    , 0.3679])
    """

    def forward(self, z: Array, out: Array) -> None:
        np.multiply(z, z, out=out)
        np.negative(out, out=out)
        np.exp(out, out=out)

    def backward(self, a: Array, delta: Array, scratch: Array) -> None:
        z, (slope, _) = a, scratch
        self.forward(z, slope)
        slope *= z
        slope *= -2
        delta *= slope


class StepActivation(ActivationOfZ):
    """``a = 1`` where ``z > 0``, else 0: for known weights only, since its derivative is zero.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.empty(3)
    >>> StepActivation().forward(np.array([-1.0, 0.0, 1.0]), out=a)
    >>> a
    array([0., 0., 1.])
    """

    trainable = False

    def forward(self, z: Array, out: Array) -> None:
        np.greater(z, 0, out=out)

    def backward(self, a: Array, delta: Array, scratch: Array) -> None:
        raise ValueError(
            "activation='step' cannot be trained: its derivative is zero everywhere, so that no error "
            "reaches the weights before it. Use it with known weights, or train with 'logistic' or 'tanh'"
        )
