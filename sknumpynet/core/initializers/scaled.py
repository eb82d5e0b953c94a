# SPDX-License-Identifier: BSD-3-Clause
"""Initializers that depend on the width of a layer: Glorot, He, LeCun."""

from __future__ import annotations

import math

from sknumpynet.core.arrays import Array
from sknumpynet.core.initializers.base import Initializer, RandomSource


class GlorotUniform(Initializer):
    """Uniform in (-bound, bound) with ``bound = sqrt(gain / (fan_in + fan_out))``.

    Parameters
    ----------
    gain : float, default=6.0
        6 keeps the variance of activations and gradients from layer to layer for units that are linear
        around zero; scikit-learn takes 2 for logistic units.

    References
    ----------
    Glorot, Bengio: Understanding the difficulty of training deep feedforward neural networks
    (AISTATS 2010).

    Examples
    --------
    >>> import numpy as np
    >>> W = np.empty((2, 4))
    >>> GlorotUniform().fill(W, 2, 4, np.random.default_rng(0))
    >>> bool(abs(W).max() < 1)
    True
    """

    constraints = {"gain": "a number in (0, inf)"}

    def __init__(self, gain: float = 6.0) -> None:
        self.gain = gain

    def fill(self, view: Array, fan_in: int, fan_out: int, rng: RandomSource) -> None:
        bound = math.sqrt(self.gain / (fan_in + fan_out))
        view[...] = rng.uniform(-bound, bound, view.shape)


class Scaled(Initializer):
    """Base class: random numbers with variance ``gain / fan``; subclasses define ``fan``."""

    gain = 1.0
    normal = False

    def fan(self, fan_in: int, fan_out: int) -> float:
        """Return the divisor of the variance: the number of inputs, or its mean with that of outputs."""
        return float(fan_in)

    def fill(self, view: Array, fan_in: int, fan_out: int, rng: RandomSource) -> None:
        deviation = math.sqrt(self.gain / self.fan(fan_in, fan_out))
        if self.normal:
            view[...] = rng.normal(0.0, deviation, view.shape)
        else:  # a uniform distribution on (-b, b) has the variance b^2 / 3
            bound = math.sqrt(3) * deviation
            view[...] = rng.uniform(-bound, bound, view.shape)


class GlorotNormal(Scaled):
    """Normal with variance ``2 / (fan_in + fan_out)``: for tanh and logistic units.

    References
    ----------
    Glorot, Bengio: Understanding the difficulty of training deep feedforward neural networks (AISTATS 2010).

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
    He et al.: Delving Deep into Rectifiers (ICCV 2015, arXiv:1502.01852).

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
    LeCun, Bottou, Orr, Mueller: Efficient BackProp (1998).

    Examples
    --------
    >>> import numpy as np
    >>> W = np.empty((100, 100))
    >>> LecunNormal().fill(W, 100, 100, np.random.default_rng(0))
    >>> round(float(W.var()), 3)
    0.01
    """

    normal = True
