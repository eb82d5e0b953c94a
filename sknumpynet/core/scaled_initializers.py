# SPDX-License-Identifier: BSD-3-Clause
"""Initializers that fit the width of a layer: Glorot, He, LeCun, orthogonal; all initializers by name."""

from __future__ import annotations

import math

import numpy as np

from sknumpynet.core.initializers import GlorotUniform, Initializer, RandomSource, Zeros
from sknumpynet.core.options import Array, resolve


class Scaled(Initializer):
    """Base class: random numbers of variance ``gain / fan``, where ``fan`` is for the subclass to say."""

    gain = 1.0
    normal = False

    def fan(self, fan_in: int, fan_out: int) -> float:
        """Return how many summands make up a signal."""
        return float(fan_in)

    def fill(self, view: Array, fan_in: int, fan_out: int, rng: RandomSource) -> None:
        deviation = math.sqrt(self.gain / self.fan(fan_in, fan_out))
        if self.normal:
            view[...] = rng.normal(0.0, deviation, view.shape)
        else:  # a uniform distribution in (-b, b) has the variance b^2 / 3
            bound = math.sqrt(3) * deviation
            view[...] = rng.uniform(-bound, bound, view.shape)


class GlorotNormal(Scaled):
    """Normal with variance ``2 / (fan_in + fan_out)``: for tanh and logistic units.

    References
    ----------
    As for `GlorotUniform`.

    Examples
    --------
    >>> import numpy as np
    >>> W = np.empty((300, 100))
    >>> GlorotNormal().fill(W, 300, 100, np.random.default_rng(0))
    >>> round(float(W.var()), 3)
    0.005
    """

    normal = True

    def fan(self, fan_in: int, fan_out: int) -> float:
        return (fan_in + fan_out) / 2


class HeUniform(Scaled):
    """Uniform with variance ``2 / fan_in``: for rectified units, which let half of the signal through.

    References
    ----------
    He et al.: Delving Deep into Rectifiers (ICCV 2015, arXiv:1502.01852).

    Examples
    --------
    >>> import numpy as np
    >>> W = np.empty((200, 100))
    >>> HeUniform().fill(W, 200, 100, np.random.default_rng(0))
    >>> round(float(W.var()), 3)
    0.01
    """

    gain = 2.0


class HeNormal(HeUniform):
    """Normal with variance ``2 / fan_in``.

    References
    ----------
    As for `HeUniform`.

    Examples
    --------
    >>> import numpy as np
    >>> W = np.empty((200, 100))
    >>> HeNormal().fill(W, 200, 100, np.random.default_rng(0))
    >>> round(float(W.var()), 3)
    0.01
    """

    normal = True


class LecunUniform(Scaled):
    """Uniform with variance ``1 / fan_in``: for SELU and linear units.

    References
    ----------
    LeCun, Bottou, Orr, Mueller: Efficient BackProp (1998).

    Examples
    --------
    >>> import numpy as np
    >>> W = np.empty((100, 100))
    >>> LecunUniform().fill(W, 100, 100, np.random.default_rng(0))
    >>> round(float(W.var()), 3)
    0.01
    """


class LecunNormal(Scaled):
    """Normal with variance ``1 / fan_in``.

    References
    ----------
    As for `LecunUniform`.

    Examples
    --------
    >>> import numpy as np
    >>> W = np.empty((100, 100))
    >>> LecunNormal().fill(W, 100, 100, np.random.default_rng(0))
    >>> round(float(W.var()), 3)
    0.01
    """

    normal = True


class Orthogonal(Initializer):
    """A random matrix with orthonormal rows or columns, times ``gain``; biases become zero.

    Parameters
    ----------
    gain : float, default=1.0
        Factor; sqrt(2) for rectified units.

    References
    ----------
    Saxe, McClelland, Ganguli: Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks (ICLR 2014, arXiv:1312.6120).

    Examples
    --------
    >>> import numpy as np
    >>> W = np.empty((5, 3))
    >>> Orthogonal().fill(W, 5, 3, np.random.default_rng(0))
    >>> np.allclose(W.T @ W, np.eye(3))
    True
    """

    constraints = {"gain": "a number in (0, inf)"}

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def fill(self, view: Array, fan_in: int, fan_out: int, rng: RandomSource) -> None:
        if view.ndim == 1:
            view[...] = 0
            return
        tall = rng.normal(0.0, 1.0, (max(view.shape), min(view.shape)))
        Q, R = np.linalg.qr(tall)
        Q *= np.sign(np.diag(R))  # without which the matrices are not evenly distributed
        view[...] = self.gain * (Q if view.shape[0] >= view.shape[1] else Q.T)


INITIALIZERS: dict[str, type[Initializer]] = {
    "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal,
    "he_uniform": HeUniform,
    "he_normal": HeNormal,
    "lecun_uniform": LecunUniform,
    "lecun_normal": LecunNormal,
    "orthogonal": Orthogonal,
    "zeros": Zeros,
}


def get_initializer(choice: str | Initializer, parameter: str = "init") -> Initializer:
    """Return the initializer of that name, or the object itself."""
    return resolve(choice, INITIALIZERS, Initializer, parameter)
