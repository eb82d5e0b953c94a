# SPDX-License-Identifier: BSD-3-Clause
"""Optimizers: one update of the flat parameter vector from the flat gradient, in place.

An optimizer consists of its options, its state (flat arrays as long as ``params``, named as in the paper) and
its update equations. It is independent of schedules and stopping rules.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array, pieces
from sknumpynet.core.options import Options, copied

Rate = float | Array  # one for all parameters, or one for each


def scale_by_rate(vector: Array, learning_rate: Rate, factor: float = 1.0) -> None:
    """Multiply ``vector`` by ``learning_rate * factor``, without allocating an array for their product."""
    if isinstance(learning_rate, np.ndarray):
        vector *= learning_rate
        vector *= factor
    else:
        vector *= learning_rate * factor


class Optimizer(Options):
    """Base class: `step` updates ``params`` and the optimizer's state.

    Attributes
    ----------
    state : dict of str to ndarray of shape (n_params,)
        The state between steps; created in the first step.
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
        learning_rate: Rate,
        n_weights: int | None = None,
        penalty: Callable[[Array, Array, Array], None] | None = None,
    ) -> None:
        """Update ``params`` in place; ``grads`` only changes by the gradient of the penalty.

        Parameters
        ----------
        params, grads : ndarray of shape (n_params,)
            The parameters and the gradient.
        learning_rate : float or ndarray of shape (n_params,)
            One rate for all parameters, or one for each.
        n_weights : int, default=None
            Weight decay and ``penalty``, if any, apply to ``params[:n_weights]``; None
            means all.
        penalty : callable, default=None
            ``penalty(W, dW, scratch)`` is called for each block of the weights before its update.

        Raises
        ------
        ValueError
            If ``learning_rate`` is neither one number nor as long as ``params``.
        """
        if not hasattr(self, "_scratch"):
            self._begin(params)
        if not isinstance(learning_rate, float):
            learning_rate = _as_rate(learning_rate, params)
        self.t += 1
        self.before_update()
        n = len(params) if n_weights is None else n_weights
        if len(params) <= len(self._scratch):
            self._step_piece(params, grads, self.state, learning_rate, self._scratch, n, penalty)
            return
        for piece in pieces(len(params)):
            state = {name: vector[piece] for name, vector in self.state.items()}
            rate = learning_rate[piece] if isinstance(learning_rate, np.ndarray) else learning_rate
            scratch = self._scratch[: piece.stop - piece.start]
            rest = n - piece.start
            self._step_piece(params[piece], grads[piece], state, rate, scratch, rest, penalty)

    def _step_piece(
        self,
        params: Array,
        grads: Array,
        state: dict[str, Array],
        learning_rate: Rate,
        scratch: Array,
        n_weights: int,
        penalty: Callable[[Array, Array, Array], None] | None,
    ) -> None:
        """Update a block of the vector, of which ``n_weights`` are weights (none if that is negative)."""
        if n_weights > 0:
            if penalty is not None:
                penalty(params[:n_weights], grads[:n_weights], scratch[:n_weights])
            if self.weight_decay:
                self._decay(params[:n_weights], learning_rate, scratch[:n_weights])
        self.update(params, grads, state, learning_rate, scratch)

    def _decay(self, W: Array, learning_rate: Rate, scratch: Array) -> None:
        """``W *= 1 - learning_rate * weight_decay``."""
        if isinstance(learning_rate, np.ndarray):
            np.multiply(learning_rate[: len(W)], -self.weight_decay, out=scratch)
            scratch += 1
            W *= scratch
        else:
            W *= 1 - learning_rate * self.weight_decay

    def _begin(self, params: Array) -> None:
        if not hasattr(self, "state"):
            self.state = {name: np.zeros_like(params) for name in self.state_names}
            self.t = 0
        for name, vector in self.state.items():
            if not vector.flags.writeable:  # a read-only memory map
                self.state[name] = np.array(vector)
        self._scratch = np.empty(pieces(len(params))[0].stop, params.dtype)

    def arrays(self) -> tuple[Array, ...]:
        """Return the state arrays; there are none before the first step."""
        return tuple(vars(self).get("state", {}).values())

    def share_state(self) -> Optimizer:
        """Return an optimizer that continues with the same arrays, and with its own options."""
        other = copied(self)
        if hasattr(self, "state"):
            other.state = dict(self.state)
        return other

    def get_state(self) -> dict[str, Any]:
        """Return a copy of the state: arrays and plain values, by name.

        A subclass with other attributes overrides `get_state` and `set_state`.
        """
        return self._copied_attributes(self.__getstate__())

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore a state returned by `get_state`."""
        kept = self.get_params()
        vars(self).clear()
        vars(self).update({**kept, **copy.deepcopy(state)})

    def before_update(self) -> None:
        """Called once per step, while `update` may be called for several blocks."""

    def update(
        self,
        params: Array,
        grads: Array,
        state: dict[str, Array],
        learning_rate: Rate,
        scratch: Array,
    ) -> None:
        """Apply the update equations to some or all of the parameters.

        All arrays have the same length; ``scratch`` is free to use. ``params`` and the arrays in ``state``
        must be written in place. ``learning_rate`` is a number, or an array of that length if `step` got an
        array. ``self.t`` counts from 1.
        """
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_scratch"}


def _as_rate(learning_rate: Any, params: Array) -> Rate:
    """Return one rate, or one for each parameter in their dtype."""
    rates = np.asarray(learning_rate, params.dtype)
    if rates.ndim == 0:
        return float(learning_rate)
    if rates.shape != params.shape:
        raise ValueError(
            f"learning_rate must be a number or an array of shape {params.shape}, one rate for each "
            f"parameter; got an array of shape {rates.shape}"
        )
    return rates
