# SPDX-License-Identifier: BSD-3-Clause
"""Variants of Adam: with Nesterov's look-ahead, and with the largest second moment so far."""

from __future__ import annotations

import math

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.optimizers.adam import Adam
from sknumpynet.core.optimizers.base import Rate, scale_by_rate


class NAdam(Adam):
    """Adam with Nesterov momentum: the step uses the momentum that the next step will have.

    ::

        mu(t) = beta_1 * (1 - 0.96^(t * momentum_decay) / 2)
        m = beta_1 * m + (1 - beta_1) * g,   v = beta_2 * v + (1 - beta_2) * g^2
        m_hat = mu(t+1) * m / (1 - mu(1)...mu(t+1)) + (1 - mu(t)) * g / (1 - mu(1)...mu(t))
        params -= learning_rate * m_hat / (sqrt(v / (1 - beta_2^t)) + epsilon)

    Parameters
    ----------
    beta_1, beta_2, epsilon : float, default=0.9, 0.999 and 1e-8
        As in `Adam`.
    momentum_decay : float, default=0.004
        How fast the momentum rises to ``beta_1``.

    References
    ----------
    Dozat: Incorporating Nesterov Momentum into Adam (ICLR workshop 2016).

    Examples
    --------
    >>> import numpy as np
    >>> params = np.array([1.0])
    >>> NAdam().step(params, np.array([3.0]), learning_rate=0.1)
    >>> bool(params[0] < 1)
    True
    """

    constraints = {**Adam.constraints, "momentum_decay": "a number in [0, inf)"}

    def __init__(
        self,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        momentum_decay: float = 0.004,
    ) -> None:
        super().__init__(beta_1, beta_2, epsilon)
        self.momentum_decay = momentum_decay

    def _mu(self, t: int) -> float:
        return float(self.beta_1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay)))

    def before_update(self) -> None:
        self.product = getattr(self, "product", 1.0) * self._mu(self.t)

    def update(
        self,
        params: Array,
        grads: Array,
        state: dict[str, Array],
        learning_rate: Rate,
        scratch: Array,
    ) -> None:
        m, v = state["m"], state["v"]
        now, ahead = self._mu(self.t), self._mu(self.t + 1)
        self.update_moments(m, v, grads, scratch)
        # sqrt(v / (1 - beta_2^t)) + epsilon = (sqrt(v) + epsilon root) / root
        root = math.sqrt(1 - self.beta_2**self.t)
        np.sqrt(v, out=scratch)
        scratch += self.epsilon * root
        np.divide(grads, scratch, out=scratch)
        scale_by_rate(scratch, learning_rate, root * (1 - now) / (1 - self.product))
        params -= scratch
        np.sqrt(v, out=scratch)
        scratch += self.epsilon * root
        np.divide(m, scratch, out=scratch)
        scale_by_rate(scratch, learning_rate, root * ahead / (1 - self.product * ahead))
        params -= scratch


class AMSGrad(Adam):
    """Adam that divides by the root of the largest ``v`` so far, so that step sizes never increase.

    ::

        m, v as in Adam;  v_max = max(v_max, v)
        params -= learning_rate * m / (1 - beta_1^t) / (sqrt(v_max / (1 - beta_2^t)) + epsilon)

    Parameters
    ----------
    beta_1, beta_2, epsilon : float, default=0.9, 0.999 and 1e-8
        As in `Adam`.

    References
    ----------
    Reddi, Kale, Kumar: On the Convergence of Adam and Beyond (ICLR 2018, arXiv:1904.09237).

    Examples
    --------
    >>> import numpy as np
    >>> params = np.array([1.0])
    >>> AMSGrad().step(params, np.array([3.0]), learning_rate=0.1)
    >>> params.round(6)
    array([0.9])
    """

    state_names = ("m", "v", "v_max")

    def update(
        self,
        params: Array,
        grads: Array,
        state: dict[str, Array],
        learning_rate: Rate,
        scratch: Array,
    ) -> None:
        m, v, v_max = state["m"], state["v"], state["v_max"]
        self.update_moments(m, v, grads, scratch)
        np.maximum(v_max, v, out=v_max)
        root = math.sqrt(1 - self.beta_2**self.t)
        np.sqrt(v_max, out=scratch)
        scratch += self.epsilon * root
        np.divide(m, scratch, out=scratch)
        scale_by_rate(scratch, learning_rate, root / (1 - self.beta_1**self.t))
        params -= scratch
