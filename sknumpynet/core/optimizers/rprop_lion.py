# SPDX-License-Identifier: BSD-3-Clause
"""Optimizers that only use the sign of the gradient.

In the formulas, ``g`` is the gradient.
"""

from __future__ import annotations

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.optimizers.base import Optimizer, Rate


class Rprop(Optimizer):
    """Resilient backpropagation: each parameter has a step size, which grows while the sign stays.

    For full batches (``batch_size`` as large as the data), where signs are reliable.

    ::

        step *= grow      # where g and the last g agree in sign
        step *= shrink    # where their signs are opposite: there g = 0
        params -= step * sign(g)

    Parameters
    ----------
    grow, shrink : float, default=1.2 and 0.5
        Factors of the step sizes.
    smallest, largest : float, default=1e-6 and 50.0
        Limits of the step sizes. The first step size of a parameter is its learning rate, which later
        steps ignore.

    References
    ----------
    Riedmiller, Braun: A Direct Adaptive Method for Faster Backpropagation Learning: the RPROP Algorithm
    (IEEE International Conference on Neural Networks 1993).

    Examples
    --------
    >>> import numpy as np
    >>> params = np.array([1.0])
    >>> Rprop().step(params, np.array([3.0]), learning_rate=0.1)
    >>> params
    array([0.9])
    """

    constraints = {
        "grow": "a number in [1, inf)",
        "shrink": "a number in (0, 1]",
        "smallest": "a number in (0, inf)",
        "largest": "a number in (0, inf)",
    }
    state_names = ("last", "size")

    def __init__(
        self,
        grow: float = 1.2,
        shrink: float = 0.5,
        smallest: float = 1e-6,
        largest: float = 50.0,
    ) -> None:
        self.grow = grow
        self.shrink = shrink
        self.smallest = smallest
        self.largest = largest

    def check(self) -> None:
        super().check()
        if self.smallest > self.largest:
            raise ValueError(f"{self!r}: smallest must be at most largest")

    def update(
        self,
        params: Array,
        grads: Array,
        state: dict[str, Array],
        learning_rate: Rate,
        scratch: Array,
    ) -> None:
        last, size = state["last"], state["size"]
        if self.t == 1:
            size[...] = learning_rate
        n, masks = len(params), scratch.view(np.bool_)  # both masks fit into the scratch space
        last *= grads
        agree = np.greater(last, 0, out=masks[:n])
        turned = np.less(last, 0, out=masks[n : 2 * n])
        np.multiply(size, self.grow, out=size, where=agree)
        np.multiply(size, self.shrink, out=size, where=turned)
        np.clip(size, self.smallest, self.largest, out=size)
        last[...] = grads
        np.copyto(last, 0, where=turned)
        np.sign(last, out=scratch)
        scratch *= size
        params -= scratch


class Lion(Optimizer):
    """Steps of the same size for all parameters, in the direction of the sign of a momentum.

    ::

        W -= learning_rate * weight_decay * W
        params -= learning_rate * sign(beta_1 * m + (1 - beta_1) * g)
        m = beta_2 * m + (1 - beta_2) * g

    Use learning rates 3 to 10 times smaller than Adam's.

    Parameters
    ----------
    beta_1, beta_2 : float, default=0.9 and 0.99
        Decay rates of the momentum in the step and in the state, in [0, 1).
    weight_decay : float, default=0.0
        As in `AdamW`.

    References
    ----------
    Chen et al.: Symbolic Discovery of Optimization Algorithms (NeurIPS 2023, arXiv:2302.06675).

    Examples
    --------
    >>> import numpy as np
    >>> params = np.array([1.0])
    >>> Lion().step(params, np.array([3.0]), learning_rate=0.1)
    >>> params
    array([0.9])
    """

    constraints = {
        "beta_1": "a number in [0, 1)",
        "beta_2": "a number in [0, 1)",
        "weight_decay": "a number in [0, inf)",
    }
    state_names = ("m",)

    def __init__(
        self, beta_1: float = 0.9, beta_2: float = 0.99, weight_decay: float = 0.0
    ) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.weight_decay = weight_decay

    def update(
        self,
        params: Array,
        grads: Array,
        state: dict[str, Array],
        learning_rate: Rate,
        scratch: Array,
    ) -> None:
        m = state["m"]
        # beta_1 m + (1 - beta_1) g has the sign of beta_1 (m - g) + g
        np.subtract(m, grads, out=scratch)
        scratch *= self.beta_1
        scratch += grads
        np.sign(scratch, out=scratch)
        scratch *= learning_rate
        params -= scratch
        np.multiply(grads, 1 - self.beta_2, out=scratch)
        m *= self.beta_2
        m += scratch
