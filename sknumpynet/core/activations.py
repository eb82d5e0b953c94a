# SPDX-License-Identifier: BSD-3-Clause
"""Activation functions: ``z -> a`` on the way forward, ``delta *= da/dz`` on the way back.

Each needs only its own output ``a`` to compute its derivative, so that ``z`` and ``a`` share one buffer.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit

from sknumpynet.core.options import SCALARS, Array, Options


class Activation(Options):
    """Base class: an elementwise function ``a = f(z)`` and its derivative, in place.

    Attributes
    ----------
    in_place : bool
        Whether `forward` may write into ``z`` itself; else ``a`` gets a buffer of its own.
    needs_z : bool
        Whether `backward` shall be given ``z`` instead of ``a``, and a pair of scratch arrays.
    trainable : bool
        Whether there is a derivative to speak of.

    Examples
    --------
    >>> import numpy as np
    >>> class SquaredReLU(Activation):
    ...     def forward(self, z, out):
    ...         np.maximum(z, 0, out=out)
    ...         np.multiply(out, out, out=out)
    ...     def backward(self, a, delta, scratch):
    ...         np.sqrt(a, out=scratch)
    ...         delta *= 2 * scratch
    >>> z = np.array([-1.0, 3.0])
    >>> SquaredReLU().forward(z, out=z)
    >>> z
    array([0., 9.])
    """

    in_place = True
    needs_z = False
    trainable = True

    def forward(self, z: Array, out: Array) -> None:
        """Write ``f(z)`` into ``out``, which is ``z`` itself where the activation works in place."""
        raise NotImplementedError

    def backward(self, a: Array, delta: Array, scratch: Array) -> None:
        """Multiply ``delta`` = dL/da by da/dz in place, so that it becomes dL/dz.

        ``a`` is what ``forward`` wrote and stays as it is; ``scratch``, of the same shape and dtype, is
        free to use.
        """
        raise NotImplementedError


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


ACTIVATIONS: dict[str, type[Activation]] = {
    "identity": Identity,
    "logistic": Logistic,
    "tanh": Tanh,
    "relu": ReLU,
    "softplus": Softplus,
    "softsign": Softsign,
    "hard_tanh": HardTanh,
}
