# SPDX-License-Identifier: BSD-3-Clause
"""Smooth variants of the ReLU.

The derivatives, except that of `Softplus`, need ``z``. Therefore ``a`` gets a separate buffer, ``z`` is kept
for the backward pass, and there are two scratch arrays.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit, ndtr

from sknumpynet.core.activations.base import Activation, ActivationOfZ
from sknumpynet.core.arrays import Array


class Softplus(Activation):
    """``a = log(1 + exp(z))``, ``da/dz = 1 - exp(-a)``.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.array([0.0, 80.0])
    >>> Softplus().forward(z, out=z)
    >>> z.round(4)
    array([ 0.6931, 80.    ])
    """

    def forward(self, z: Array, out: Array) -> None:
        np.logaddexp(z, 0, out=out)

    def backward(self, a: Array, delta: Array, scratch: Array) -> None:
        np.negative(a, out=scratch)
        np.expm1(scratch, out=scratch)
        np.negative(scratch, out=scratch)
        delta *= scratch


class GELU(ActivationOfZ):
    """``a = z Phi(z)``, ``da/dz = Phi(z) + z phi(z)``, of the normal distribution.

    References
    ----------
    Hendrycks, Gimpel: Gaussian Error Linear Units (2016, arXiv:1606.08415).

    Examples
    --------
    >>> import numpy as np
    >>> a = np.empty(2)
    >>> GELU().forward(np.array([-10.0, 1.0]), out=a)
    >>> a.round(4) + 0
    array([0.    , 0.8413])
    """

    def forward(self, z: Array, out: Array) -> None:
        ndtr(z, out=out)
        out *= z

    def backward(self, a: Array, delta: Array, scratch: Array) -> None:
        z, (slope, density) = a, scratch
        np.multiply(z, z, out=density)
        density *= -0.5
        np.exp(density, out=density)
        density *= 1 / math.sqrt(2 * math.pi)
        density *= z
        ndtr(z, out=slope)
        slope += density
        delta *= slope


class SiLU(ActivationOfZ):
    """Also called swish: ``a = z s``, ``da/dz = s + z s (1 - s)``, with ``s = 1 / (1 + exp(-z))``.

    References
    ----------
    Elfwing, Uchibe, Doya: Sigmoid-weighted linear units (Neural Networks 107, 2018, arXiv:1702.03118).

    Examples
    --------
    >>> import numpy as np
    >>> a = np.empty(2)
    >>> SiLU().forward(np.array([0.0, 1.0]), out=a)
    >>> a.round(4)
    array([0.    , 0.7311])
    """

    def forward(self, z: Array, out: Array) -> None:
        expit(z, out=out)
        out *= z

    def backward(self, a: Array, delta: Array, scratch: Array) -> None:
        z, (s, slope) = a, scratch
        expit(z, out=s)
        np.subtract(1, s, out=slope)
        slope *= z
        slope += 1
        slope *= s
        delta *= slope


class Mish(ActivationOfZ):
    """``a = z t``, ``da/dz = t + z s (1 - t^2)``, with ``t = tanh(log(1 + exp(z)))`` and the logistic ``s``.

    References
    ----------
    Misra: Mish: A Self Regularized Non-Monotonic Activation Function (2019, arXiv:1908.08681).

    Examples
    --------
    >>> import numpy as np
    >>> a = np.empty(2)
    >>> Mish().forward(np.array([0.0, 1.0]), out=a)
    >>> a.round(4)
    array([0.    , 0.8651])
    """

    def forward(self, z: Array, out: Array) -> None:
        np.logaddexp(z, 0, out=out)
        np.tanh(out, out=out)
        out *= z

    def backward(self, a: Array, delta: Array, scratch: Array) -> None:
        z, (t, slope) = a, scratch
        np.logaddexp(z, 0, out=t)
        np.tanh(t, out=t)
        expit(z, out=slope)
        slope *= z
        # t + z s (1 - t^2) = t (1 - z s t) + z s, for which two arrays are enough
        np.multiply(slope, t, out=slope)
        np.subtract(1, slope, out=slope)
        slope *= t
        expit(z, out=t)
        t *= z
        slope += t
        delta *= slope
