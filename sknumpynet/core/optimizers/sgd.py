# SPDX-License-Identifier: BSD-3-Clause
"""Gradient descent, with momentum."""

from __future__ import annotations

import numpy as np

from sknumpynet.core.arrays import SCALARS, Array
from sknumpynet.core.optimizers.base import Optimizer, Rate


class SGD(Optimizer):
    """Stochastic gradient descent with momentum.

    ::

        velocity = momentum * velocity - learning_rate * g
        params  += velocity                                   # without Nesterov
        params  += momentum * velocity - learning_rate * g    # with Nesterov

    Parameters
    ----------
    momentum : float, default=0.9
        Share of the last step that is kept, in [0, 1].
    nesterov : bool, default=True
        Whether to use Nesterov's momentum.

    References
    ----------
    Sutskever et al.: On the importance of initialization and momentum in deep learning (ICML 2013).

    Examples
    --------
    >>> import numpy as np
    >>> params = np.array([1.0])
    >>> SGD(momentum=0).step(params, np.array([0.5]), learning_rate=0.1)
    >>> params
    array([0.95])
    """

    constraints = {"momentum": "a number in [0, 1]", "nesterov": "a bool"}
    state_names = ("velocity",)

    def __init__(self, momentum: float = 0.9, nesterov: bool = True) -> None:
        self.momentum = momentum
        self.nesterov = nesterov

    def update(
        self,
        params: Array,
        grads: Array,
        state: dict[str, Array],
        learning_rate: Rate,
        scratch: Array,
    ) -> None:
        velocity = state["velocity"]
        np.multiply(grads, learning_rate, out=scratch)
        velocity *= SCALARS[velocity.dtype][self.momentum]
        velocity -= scratch
        if not self.nesterov:
            params += velocity
            return
        params -= scratch
        np.multiply(velocity, self.momentum, out=scratch)
        params += scratch
