# SPDX-License-Identifier: BSD-3-Clause
"""Optimizers: one step of the flat parameter vector along the flat gradient, in place.

Each is its options, its state (flat arrays as long as ``params``, named as in the paper) and its update
equations. It knows no schedule, stops nothing and prints nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from sknumpynet.core.options import SCALARS, Array, Options

# Long vectors are updated in pieces of about so many elements: the dozen passes of penalty and update over a
# piece then find it in the processor's cache.
PIECE = 1 << 16


def pieces(n: int) -> Sequence[slice]:
    """Return the slices in which to go through a vector of length ``n``, equal but for the last."""
    size = max(1, -(-n // max(1, n // PIECE)))
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


class Optimizer(Options):
    """Base class: `step` updates ``params`` and whatever the optimizer remembers.

    Attributes
    ----------
    state : dict of str to ndarray of shape (n_params,)
        What is remembered from step to step; made in the first one.
    t : int
        Number of steps taken.

    Examples
    --------
    >>> import numpy as np
    >>> class SignDescent(Optimizer):
    ...     def update(self, params, grads, state, learning_rate, scratch):
    ...         np.sign(grads, out=scratch)
    ...         params -= learning_rate * scratch
    >>> params = np.array([1.0, 1.0])
    >>> SignDescent().step(params, np.array([0.5, -2.0]), learning_rate=0.25)
    >>> params
    array([0.75, 1.25])
    """

    state_names: tuple[str, ...] = ()
    weight_decay = 0.0

    state: dict[str, Array]
    t: int
    _scratch: Array

    def step(
        self,
        params: Array,
        grads: Array,
        learning_rate: float,
        n_weights: int | None = None,
        penalty: Callable[[Array, Array, Array], None] | None = None,
    ) -> None:
        """Update ``params`` in place; ``grads`` stays as it is but for the gradient of the penalty.

        ``params[:n_weights]`` is what weight decay and ``penalty``, where there are any, apply to; None means
        all. ``penalty(W, dW, scratch)`` is called on each piece of these before its update.
        """
        if not hasattr(self, "_scratch"):
            self._begin(params)
        self.t += 1
        self.before_update()
        n = len(params) if n_weights is None else n_weights
        parts: Iterable[Any] = [(params, grads, self.state, self._scratch, n)]
        if len(params) > len(self._scratch):
            parts = self._parts(params, grads, n)
        for part, slope, state, scratch, n in parts:
            if penalty is not None and n > 0:
                penalty(part[:n], slope[:n], scratch[:n])
            if self.weight_decay and n > 0:
                part[:n] *= 1 - learning_rate * self.weight_decay
            self.update(part, slope, state, learning_rate, scratch)

    def _parts(self, params: Array, grads: Array, n_weights: int) -> Iterator[tuple[Any, ...]]:
        for piece in pieces(len(params)):
            state = {name: vector[piece] for name, vector in self.state.items()}
            scratch = self._scratch[: piece.stop - piece.start]
            yield params[piece], grads[piece], state, scratch, n_weights - piece.start

    def _begin(self, params: Array) -> None:
        if not hasattr(self, "state"):
            self.state = {name: np.zeros_like(params) for name in self.state_names}
            self.t = 0
        for name, vector in self.state.items():
            if not vector.flags.writeable:  # it lies in a file that was opened for reading
                self.state[name] = np.array(vector)
        self._scratch = np.empty(pieces(len(params))[0].stop, params.dtype)

    def before_update(self) -> None:
        """Do what is to be done once a step, where `update` may be called for several pieces."""

    def update(
        self,
        params: Array,
        grads: Array,
        state: dict[str, Array],
        learning_rate: float,
        scratch: Array,
    ) -> None:
        """Apply the update equations to some or all of the parameters.

        All arrays are of the same length; ``scratch`` is free to use. ``self.t`` counts from 1.
        """
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
        learning_rate: float,
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
        learning_rate: float,
        scratch: Array,
    ) -> None:
        beta_1, beta_2 = self.beta_1, self.beta_2
        m, v, scalars = state["m"], state["v"], SCALARS[params.dtype]
        # m = beta_1 m + g,  v = beta_2 v + g^2
        m *= scalars[beta_1]
        m += grads
        np.multiply(grads, grads, out=scratch)
        v *= scalars[beta_2]
        v += scratch
        # params -= rate * m / (sqrt(v) + epsilon / root), the factors of m and v put into rate and root
        root = math.sqrt(1 - beta_2)
        correction = math.sqrt(1 - beta_2**self.t) / (1 - beta_1**self.t)
        np.sqrt(v, out=scratch)
        scratch += scalars[self.epsilon / root]
        np.divide(m, scratch, out=scratch)
        scratch *= learning_rate * correction * (1 - beta_1) / root
        params -= scratch


class AdamW(Adam):
    """Adam with decoupled weight decay: the weights shrink by a share that no gradient rescales.

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


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam, "adamw": AdamW}
