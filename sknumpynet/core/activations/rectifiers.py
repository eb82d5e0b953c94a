# SPDX-License-Identifier: BSD-3-Clause
"""Variants of the ReLU whose derivative is not zero below zero, so that units do not die.

The forward pass needs separate buffers for ``z`` and ``a``; the backward pass only needs ``a``.
"""

from __future__ import annotations

import numpy as np

from sknumpynet.core.activations.base import Activation
from sknumpynet.core.arrays import Array


class LeakyReLU(Activation):
    """``a = z`` where ``z > 0``, else ``slope z``; ``da/dz = 1`` or ``slope``.

    Parameters
    ----------
    slope : float, default=0.01
        The slope below zero, in (0, 1), so that no unit dies.

    References
    ----------
    Maas, Hannun, Ng: Rectifier Nonlinearities Improve Neural Network Acoustic Models (ICML 2013).

    Examples
    --------
    >>> import numpy as np
    >>> a = np.empty(2)
    >>> LeakyReLU(0.1).forward(np.array([-1.0, 2.0]), out=a)
    >>> a
    array([-0.1,  2. ])
    """

    constraints = {"slope": "a number in (0, 1)"}
    in_place = False

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope

    def forward(self, z: Array, out: Array) -> None:
        np.multiply(z, self.slope, out=out)
        np.maximum(z, out, out=out)

    def backward(self, a: Array, delta: Array, scratch: Array) -> None:
        np.greater(a, 0, out=scratch)
        scratch *= 1 - self.slope
        scratch += self.slope
        delta *= scratch


class ELU(Activation):
    """``a = z`` where ``z > 0``, else ``alpha (exp(z) - 1)``; ``da/dz = 1`` or ``a + alpha``.

    Parameters
    ----------
    alpha : float, default=1.0
        Above 0. The activation approaches ``-alpha`` for very negative z.

    References
    ----------
    Clevert, Unterthiner, Hochreiter: Fast and Accurate Deep Network Learning by Exponential Linear Units
    (ICLR 2016, arXiv:1511.07289).

    Examples
    --------
    >>> import numpy as np
    >>> a = np.empty(2)
    >>> ELU().forward(np.array([-100.0, 2.0]), out=a)
    >>> a
    array([-1.,  2.])
    """

    constraints = {"alpha": "a number in (0, inf)"}
    in_place = False
    scale = 1.0

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, z: Array, out: Array) -> None:
        np.minimum(z, 0, out=out)
        np.expm1(out, out=out)
        out *= self.alpha
        np.maximum(z, 0, out=z)
        out += z
        if self.scale != 1:
            out *= self.scale

    def backward(self, a: Array, delta: Array, scratch: Array) -> None:
        # min(a, 0) + scale alpha is correct for z < 0; for z > 0 it is alpha times too large
        np.minimum(a, 0, out=scratch)
        scratch += self.scale * self.alpha
        delta *= scratch
        if self.alpha != 1:
            np.greater(a, 0, out=scratch)
            scratch *= 1 / self.alpha - 1
            scratch += 1
            delta *= scratch


class SELU(ELU):
    """`ELU` times 1.0507 with ``alpha = 1.6733``: activations tend to mean 0 and variance 1.

    References
    ----------
    Klambauer et al.: Self-Normalizing Neural Networks (NeurIPS 2017, arXiv:1706.02515).

    Examples
    --------
    >>> import numpy as np
    >>> a = np.empty(2)
    >>> SELU().forward(np.array([-100.0, 2.0]), out=a)
    >>> a.round(4)
    array([-1.7581,  2.1014])
    """

    scale = 1.0507009873554805

    def __init__(self) -> None:
        super().__init__(alpha=1.6732632423543772)
