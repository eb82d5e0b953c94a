# SPDX-License-Identifier: BSD-3-Clause
"""Activation functions whose derivative needs ``z``: smooth relatives of the ReLU, bumps, steps, one's own.

Their ``a`` gets a buffer of its own, ``z`` is kept for the way back, and there are two scratch arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import expit, ndtr

from sknumpynet.core.activations import ACTIVATIONS as BY_OUTPUT
from sknumpynet.core.activations import Activation
from sknumpynet.core.options import Array
from sknumpynet.core.rectifiers import ELU, SELU, LeakyReLU


class ActivationOfZ(Activation):
    """Base class: `backward` is given ``z`` where `Activation` gives ``a``, and two scratch arrays.

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


class Function(ActivationOfZ):
    """One's own function with its derivative, both of arrays ``z``.

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


ACTIVATIONS: dict[str, type[Activation]] = {
    **BY_OUTPUT,
    "leaky_relu": LeakyReLU,
    "elu": ELU,
    "selu": SELU,
    "gelu": GELU,
    "silu": SiLU,
    "mish": Mish,
    "gaussian": Gaussian,
    "step": StepActivation,
}


def get_activation(choice: object) -> Activation:
    """Return the activation of that name, made of that pair of functions, or the object itself."""
    if isinstance(choice, Activation):
        return choice
    if isinstance(choice, str) and choice in ACTIVATIONS:
        return ACTIVATIONS[choice]()
    if isinstance(choice, tuple) and len(choice) == 2 and all(map(callable, choice)):
        return Function(*choice)
    raise ValueError(
        f"activation must be one of {', '.join(map(repr, ACTIVATIONS))}, a pair of functions (f, f'), or "
        f"an object of class Activation; or a list of these, one per hidden layer; got {choice!r}"
    )
