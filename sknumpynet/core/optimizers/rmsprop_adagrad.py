# SPDX-License-Identifier: BSD-3-Clause
"""Optimizers that divide by the size of past gradients: predecessors of Adam."""

from __future__ import annotations

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.optimizers.base import Optimizer, Rate


class RMSprop(Optimizer):
    """Divides the gradient by its running root mean square.

    ::

        v = decay * v + (1 - decay) * g^2
        params -= learning_rate * g / (sqrt(v) + epsilon)

    Parameters
    ----------
    decay : float, default=0.99
        Decay rate of the running mean, in [0, 1).
    epsilon : float, default=1e-8
        Keeps the division finite.

    References
    ----------
    Tieleman, Hinton: Lecture 6.5, Neural Networks for Machine Learning (2012).

    Examples
    --------
    >>> import numpy as np
    >>> params = np.array([1.0])
    >>> RMSprop(decay=0).step(params, np.array([3.0]), learning_rate=0.1)
    >>> params.round(6)
    array([0.9])
    """

    constraints = {"decay": "a number in [0, 1)", "epsilon": "a number in (0, inf)"}
    state_names = ("v",)

    def __init__(self, decay: float = 0.99, epsilon: float = 1e-8) -> None:
        self.decay = decay
        self.epsilon = epsilon

    def update(
        self,
        params: Array,
        grads: Array,
        state: dict[str, Array],
        learning_rate: Rate,
        scratch: Array,
    ) -> None:
        v = state["v"]
        np.multiply(grads, grads, out=scratch)
        scratch *= 1 - self.decay
        v *= self.decay
        v += scratch
        np.sqrt(v, out=scratch)
        scratch += self.epsilon
        np.divide(grads, scratch, out=scratch)
        scratch *= learning_rate
        params -= scratch


class Adagrad(Optimizer):
    """Divides the gradient by the root of the sum of its squares so far: rare features keep large steps.

    ::

        v = v + g^2
        params -= learning_rate * g / (sqrt(v) + epsilon)

    Parameters
    ----------
    epsilon : float, default=1e-10
        Keeps the division finite.

    References
    ----------
    Duchi, Hazan, Singer: Adaptive Subgradient Methods (Journal of Machine Learning Research 12, 2011).

    Examples
    --------
    >>> import numpy as np
    >>> params = np.array([1.0])
    >>> Adagrad().step(params, np.array([3.0]), learning_rate=0.1)
    >>> params.round(6)
    array([0.9])
    """

    constraints = {"epsilon": "a number in (0, inf)"}
    state_names = ("v",)

    def __init__(self, epsilon: float = 1e-10) -> None:
        self.epsilon = epsilon

    def update(
        self,
        params: Array,
        grads: Array,
        state: dict[str, Array],
        learning_rate: Rate,
        scratch: Array,
    ) -> None:
        v = state["v"]
        np.multiply(grads, grads, out=scratch)
        v += scratch
        np.sqrt(v, out=scratch)
        scratch += self.epsilon
        np.divide(grads, scratch, out=scratch)
        scratch *= learning_rate
        params -= scratch
