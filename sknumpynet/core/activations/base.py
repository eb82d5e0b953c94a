# SPDX-License-Identifier: BSD-3-Clause
"""Base classes of activations, whose backward pass needs either the output ``a`` or the input ``z``."""

from __future__ import annotations

from sknumpynet.core.arrays import Array
from sknumpynet.core.options import Options


class Activation(Options):
    """Base class: an elementwise function ``a = f(z)`` and its derivative, in place.

    Attributes
    ----------
    in_place : bool
        Whether `forward` may write into ``z`` itself; otherwise ``a`` gets a separate buffer.
    needs_z : bool
        Whether `backward` gets ``z`` instead of ``a``, and a pair of scratch arrays.
    trainable : bool
        Whether the derivative can be used for training.

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
        """Write ``f(z)`` into ``out``, which is ``z`` itself if the activation works in place."""
        raise NotImplementedError

    def backward(self, a: Array, delta: Array, scratch: Array) -> None:
        """Multiply ``delta`` = dL/da by da/dz in place, so that it becomes dL/dz.

        ``a`` is the output of ``forward`` and must not be changed; ``scratch``, of the same shape and dtype,
        is free to use.
        """
        raise NotImplementedError


class ActivationOfZ(Activation):
    """Base class: `backward` gets ``z`` instead of ``a``, and two scratch arrays.

    Examples
    --------
    >>> import numpy as np
    >>> class Sine(ActivationOfZ):
    ...     def forward(self, z, out):
    ...         np.sin(z, out=out)
    ...     def backward(self, z, delta, scratch):
    ...         delta *= np.cos(z, out=scratch[0])
    >>> delta = np.ones(2)
    >>> Sine().backward(np.array([0.0, np.pi]), delta, (np.empty(2), np.empty(2)))
    >>> delta
    array([ 1., -1.])
    """

    in_place = False
    needs_z = True
