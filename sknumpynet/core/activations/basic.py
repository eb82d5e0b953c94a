# SPDX-License-Identifier: BSD-3-Clause
"""Activation functions: ``a = f(z)`` in the forward pass, ``delta *= da/dz`` in the backward pass.

Each computes its derivative from its output ``a``, so ``z`` and ``a`` share one buffer.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit

from sknumpynet.core.activations.base import Activation
from sknumpynet.core.arrays import SCALARS, Array


class Identity(Activation):
    """The linear unit: ``a = z``, ``da/dz = 1``.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.array([-1.0, 2.0])
    >>> Identity().forward(z, out=z)
    >>> z
    array([-1.,  2.])
    """

    def forward(self, z: Array, out: Array) -> None:
        if out is not z:
            np.copyto(out, z)

    def backward(self, a: Array, delta: Array, scratch: Array) -> None:
        pass


class Logistic(Activation):
    """The sigmoid: ``a = 1 / (1 + exp(-z))``, ``da/dz = a * (1 - a)``.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.array([0.0, 800.0])
    >>> Logistic().forward(z, out=z)
    >>> z
    array([0.5, 1. ])
    """

    def forward(self, z: Array, out: Array) -> None:
        expit(z, out=out)

    def backward(self, a: Array, delta: Array, scratch: Array) -> None:
        delta *= a  # delta a (1 - a) = delta a - (delta a) a
        np.multiply(delta, a, out=scratch)
        delta -= scratch


class Tanh(Activation):
    """The hyperbolic tangent: ``a = tanh(z)``, ``da/dz = 1 - a^2``.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.array([0.0, 20.0])
    >>> Tanh().forward(z, out=z)
    >>> z
    array([0., 1.])
    """

    def forward(self, z: Array, out: Array) -> None:
        np.tanh(z, out=out)

    def backward(self, a: Array, delta: Array, scratch: Array) -> None:
        np.multiply(a, a, out=scratch)  # delta (1 - a^2) = delta - delta a^2
        scratch *= delta
        delta -= scratch


class ReLU(Activation):
    """The rectified linear unit: ``a = max(z, 0)``, ``da/dz = 1 where a > 0, else 0``.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.array([-1.0, 2.0])
    >>> ReLU().forward(z, out=z)
    >>> z
    array([0., 2.])
    """

    def forward(self, z: Array, out: Array) -> None:
        scalars = SCALARS[z.dtype]
        z.clip(scalars[0], scalars[math.inf], out)

    def backward(self, a: Array, delta: Array, scratch: Array) -> None:
        np.greater(a, SCALARS[a.dtype][0], out=scratch)
        delta *= scratch
