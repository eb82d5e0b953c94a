# SPDX-License-Identifier: BSD-3-Clause
"""Adam, and Adam with decoupled weight decay."""

from __future__ import annotations

import math

import numpy as np

from sknumpynet.core.arrays import SCALARS, Array
from sknumpynet.core.optimizers.base import Optimizer, Rate, scale_by_rate


class Adam(Optimizer):
    """Steps of about the learning rate for each parameter, whatever the size of its gradient.

    ::

        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g^2
        params -= learning_rate * (m / (1 - beta_1^t)) / (sqrt(v / (1 - beta_2^t)) + epsilon')

    with ``epsilon' = epsilon / sqrt(1 - beta_2^t)``, the form at the end of section 2 of the paper, which
    scikit-learn uses too. The state holds ``m`` and ``v``.

    Parameters
    ----------
    beta_1, beta_2 : float, default=0.9 and 0.999
        Decay rates of the running means of the gradient and of its square, in [0, 1).
    epsilon : float, default=1e-8
        Small constant that avoids division by zero.

    References
    ----------
    Kingma, Ba: Adam: A Method for Stochastic Optimization (ICLR 2015, arXiv:1412.6980).

    Examples
    --------
    >>> import numpy as np
    >>> params = np.array([1.0])
    >>> Adam().step(params, np.array([1234.5]), learning_rate=0.1)
    >>> params.round(6)
    array([0.9])
    """

    constraints = {
        "beta_1": "a number in [0, 1)",
        "beta_2": "a number in [0, 1)",
        "epsilon": "a number in (0, inf)",
    }
    state_names: tuple[str, ...] = ("m", "v")

    def __init__(self, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def update(
        self,
        params: Array,
        grads: Array,
        state: dict[str, Array],
        learning_rate: Rate,
        scratch: Array,
    ) -> None:
        m, v = state["m"], state["v"]
        self.update_moments(m, v, grads, scratch)
        # both corrections in one: sqrt(v / (1 - beta_2^t)) + epsilon' = (sqrt(v) + epsilon) / root
        root = math.sqrt(1 - self.beta_2**self.t)
        np.sqrt(v, out=scratch)
        scratch += SCALARS[v.dtype][self.epsilon]
        np.divide(m, scratch, out=scratch)
        scale_by_rate(scratch, learning_rate, root / (1 - self.beta_1**self.t))
        params -= scratch

    def update_moments(self, m: Array, v: Array, grads: Array, scratch: Array) -> None:
        """``m = beta_1 m + (1 - beta_1) g`` and ``v = beta_2 v + (1 - beta_2) g^2``, in place."""
        beta_1, beta_2, scalars = self.beta_1, self.beta_2, SCALARS[m.dtype]
        # (beta_1 / (1 - beta_1) m + g) (1 - beta_1): the same number of passes over fewer arrays
        m *= scalars[beta_1 / (1 - beta_1)]
        m += grads
        m *= scalars[1 - beta_1]
        np.multiply(grads, grads, out=scratch)
        scratch *= scalars[1 - beta_2]
        v *= scalars[beta_2]
        v += scratch


class AdamW(Adam):
    """Adam with decoupled weight decay: the decay of the weights is not rescaled by the gradients.

    ::

        W -= learning_rate * weight_decay * W       then Adam's update

    Parameters
    ----------
    weight_decay : float, default=0.01
        Strength of the decay, relative to the learning rate. Biases do not decay.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999 and 1e-8
        As in `Adam`.

    References
    ----------
    Loshchilov, Hutter: Decoupled Weight Decay Regularization (ICLR 2019, arXiv:1711.05101).

    Examples
    --------
    >>> import numpy as np
    >>> params = np.array([1.0])
    >>> AdamW(weight_decay=0.5).step(params, np.array([0.0]), learning_rate=0.1)
    >>> params
    array([0.95])
    """

    constraints = {**Adam.constraints, "weight_decay": "a number in [0, inf)"}

    def __init__(
        self,
        weight_decay: float = 0.01,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(beta_1, beta_2, epsilon)
        self.weight_decay = weight_decay
