# SPDX-License-Identifier: BSD-3-Clause
"""Optimizers: one step of the flat parameter vector along the flat gradient, in place.

Each is its options, its state (flat arrays as long as ``params``, named as in the paper) and its update
equations. It knows no schedule, stops nothing and prints nothing.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sknumpynet.core.options import Array, Options


class Optimizer(Options):
    """Base class: `step` updates ``params`` and whatever the optimizer remembers.

    Attributes
    ----------
    state : dict of str to ndarray of shape (n_params,)
        What is remembered from step to step; empty before the first one.
    t : int
        Number of steps taken.
    """

    state_names: tuple[str, ...] = ()

    state: dict[str, Array]
    t: int
    _scratch: Array

    def step(self, params: Array, grads: Array, learning_rate: float) -> None:
        """Update ``params`` in place; ``grads`` stays as it is."""
        try:
            self.t += 1
            scratch = self._scratch
        except AttributeError:
            self._begin(params)
            scratch = self._scratch
        self.update(params, grads, learning_rate, scratch)

    def _begin(self, params: Array) -> None:
        if "state" not in vars(self):
            self.state = {name: np.zeros_like(params) for name in self.state_names}
            self.t = 1
        self._scratch = np.empty_like(params)

    def update(self, params: Array, grads: Array, learning_rate: float, scratch: Array) -> None:
        """Apply the update equations; ``scratch``, as long as ``params``, is free to use."""
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_scratch"}


class SGD(Optimizer):
    """Stochastic gradient descent with momentum.

    ::

        velocity = momentum * velocity - learning_rate * g
        params  += velocity                                   without Nesterov
        params  += momentum * velocity - learning_rate * g    with Nesterov

    Parameters
    ----------
    momentum : float, default=0.9
        How much of the last step is kept, in [0, 1].
    nesterov : bool, default=True
        Whether to look ahead along the velocity.

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

    state_names = ("velocity",)

    def __init__(self, momentum: float = 0.9, nesterov: bool = True) -> None:
        self.momentum = momentum
        self.nesterov = nesterov

    def update(self, params: Array, grads: Array, learning_rate: float, scratch: Array) -> None:
        velocity = self.state["velocity"]
        np.multiply(grads, learning_rate, out=scratch)
        velocity *= self.momentum
        velocity -= scratch
        if not self.nesterov:
            params += velocity
            return
        params -= scratch
        np.multiply(velocity, self.momentum, out=scratch)
        params += scratch


class Adam(Optimizer):
    """Steps of about the learning rate for each parameter, whatever the size of its gradient.

    ::

        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g^2
        params -= learning_rate * (m / (1 - beta_1^t)) / (sqrt(v / (1 - beta_2^t)) + epsilon')

    with ``epsilon' = epsilon / sqrt(1 - beta_2^t)``, the form at the end of section 2 of the paper, which
    scikit-learn uses too. The state holds ``m / (1 - beta_1)`` and ``v / (1 - beta_2)``, which saves two
    passes over the parameters.

    Parameters
    ----------
    beta_1, beta_2 : float, default=0.9 and 0.999
        How much of the running means of the gradient and of its square is kept, in [0, 1).
    epsilon : float, default=1e-8
        Keeps the division finite.

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

    state_names = ("m", "v")

    def __init__(self, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def update(self, params: Array, grads: Array, learning_rate: float, scratch: Array) -> None:
        beta_1, beta_2 = self.beta_1, self.beta_2
        m, v = self.state["m"], self.state["v"]
        # m = beta_1 m + g,  v = beta_2 v + g^2
        m *= beta_1
        m += grads
        np.multiply(grads, grads, out=scratch)
        v *= beta_2
        v += scratch
        # params -= rate * m / (sqrt(v) + epsilon / root), the factors of m and v put into rate and root
        root = math.sqrt(1 - beta_2)
        correction = math.sqrt(1 - beta_2**self.t) / (1 - beta_1**self.t)
        np.sqrt(v, out=scratch)
        scratch += self.epsilon / root
        np.divide(m, scratch, out=scratch)
        scratch *= learning_rate * correction * (1 - beta_1) / root
        params -= scratch


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam}
