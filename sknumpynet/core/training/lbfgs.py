# SPDX-License-Identifier: BSD-3-Clause
"""L-BFGS: the same objective on all rows at once, minimised by SciPy.

SciPy optimises the flat vector, and the network computes in SciPy's copy of it, in float64 whatever the
network's dtype, because line searches compare losses that hardly differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import issparse

from sknumpynet.core.arrays import Array, pieces
from sknumpynet.core.losses import Loss
from sknumpynet.core.network import Network, Workspace
from sknumpynet.core.network.foreign import ROWS, check_loss
from sknumpynet.core.training.batches import Batches
from sknumpynet.core.training.penalty import Penalty


@dataclass
class LbfgsResult:
    """The result of the search.

    Attributes
    ----------
    params : ndarray of shape (n_params,), float64
        The best parameters found.
    value : float
        The objective at ``params``: loss plus penalty.
    penalty : float
        The penalty.
    nit : int
        Iterations done.
    status, message : int and str
        SciPy's status (0 means converged) and its explanation.
    gradient_norm : float
        Norm of the gradient at ``params``, including the penalty.
    interrupted : bool
        Whether Ctrl-C ended the search. If ``watch`` did, ``message`` is its reason and the status is 1.
    overflowed : bool
        Whether the last line search found values that are not finite, and the gradient is still larger than
        ``tol``: SciPy may report this as convergence.
    """

    params: Array
    value: float
    penalty: float
    nit: int
    status: int
    message: str
    interrupted: bool = False
    gradient_norm: float = np.nan
    overflowed: bool = False


class Penalized:
    """The mean loss of rows plus the penalty, and its gradient, as a function of the flat vector.

    Parameters
    ----------
    network : Network
        The network; a copy of it computes in float64.
    total : float
        Sum of the weights of all rows, or their number.
    l2, l1 : float
        Strengths of the penalties, which are divided by ``total``.
    """

    def __init__(self, network: Network, total: float, l2: float, l1: float = 0.0) -> None:
        self.network = network.astype(np.float64)
        self.total = total
        self.l2, self.l1 = l2 / total, l1 / total
        self.scratch = np.empty(pieces(self.network.n_decayed)[0].stop)

    def mean_loss(self, params: Array) -> tuple[float, Array]:
        """Return the mean loss and its gradient, which the next call may overwrite."""
        raise NotImplementedError

    def __call__(self, params: Array) -> tuple[float, Array]:
        """Return value and gradient."""
        network = self.network
        value, network.grads[...] = self.mean_loss(params)
        network.params[...] = params
        value += Penalty(self.l2, self.l1).add_all(network, self.scratch)
        return value, network.grads.copy()

    def penalty(self, params: Array) -> float:
        """Return ``l2 / 2 * ||W||^2 + l1 * sum |W|``."""
        weights = params[: self.network.n_decayed]
        value = 0.5 * self.l2 * float(np.dot(weights, weights))
        return value + self.l1 * float(np.abs(weights).sum()) if self.l1 else value


class Objective(Penalized):
    """The mean loss of all rows plus the penalty: sums over chunks of rows.

    ``total`` is what the sums are divided by, where these are not all rows; None means their own weight.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        X: Any,
        y: Array,
        sample_weight: Array | None,
        l2: float,
        l1: float = 0.0,
        total: float | None = None,
    ) -> None:
        if total is None:
            total = float(X.shape[0] if sample_weight is None else sample_weight.sum())
        super().__init__(network, total, l2, l1)
        self.loss = loss
        size = min(X.shape[0], network.chunk_rows(issparse(X), backward=True))
        self.batches = Batches(X, y, sample_weight, size, np.float64)
        check_loss(loss, self.batches.gather(slice(0, ROWS))[1], network.n_outputs)
        self.work = Workspace(self.network, size)

    def mean_loss(self, params: Array) -> tuple[float, Array]:
        network, n, size = self.network, self.batches.n, self.batches.size
        network.params[...] = params
        value, gradient = 0.0, np.zeros_like(params) if n > size else None
        for start in range(0, n, size):
            rows = min(size, n - start)
            work = self.work if rows == size else self.work.head(rows)
            X, y, sample_weight = self.batches.gather(slice(start, start + rows))
            part, delta = self.loss.value_and_gradient(
                y, network.forward(X, work), sample_weight, total=self.total
            )
            network.backward(delta, work)
            value += part
            if gradient is not None:
                gradient += network.grads
        return value, network.grads if gradient is None else gradient


class Stop(Exception):
    """Raised to end the search before the next evaluation."""


def minimize_lbfgs(
    objective: Objective,
    *,
    max_iter: int,
    max_fun: int,
    tol: float,
    watch: Callable[[LbfgsResult], str | None] | None = None,
) -> LbfgsResult:
    """Search from the network's parameters; Ctrl-C stops it and keeps the best result so far.

    Parameters
    ----------
    objective : Objective
        The function to minimise.
    max_iter, max_fun : int
        Largest number of iterations, and of evaluations.
    tol : float
        The search ends when no component of the gradient is larger.
    watch : callable, default=None
        Called with the result so far after each iteration; a text that it returns is the reason to stop.

    References
    ----------
    Byrd, Lu, Nocedal, Zhu: A limited memory algorithm for bound constrained optimization (SIAM Journal on
    Scientific Computing 16, 1995).
    """
    params = np.array(objective.network.params)
    latest = LbfgsResult(params, np.nan, objective.penalty(params), 0, 1, "")
    evaluated: tuple[float, Array] = np.nan, params
    overflowed_in = -2  # the iteration whose line search last found a value that is not finite

    def evaluate(x: Array) -> tuple[float, Array]:
        nonlocal evaluated, overflowed_in
        if latest.message:  # and the search had not ended anyway
            raise Stop
        evaluated = value, gradient = objective(x)
        if not (math.isfinite(value) and np.isfinite(gradient).all()):
            overflowed_in = latest.nit
        if latest.nit == 0 and np.isnan(latest.value):
            latest.value, latest.gradient_norm = value, _norm(gradient)
        return value, gradient

    def after_iteration(x: Array) -> None:
        # the last evaluation is the one that the iteration accepted
        latest.params, (latest.value, gradient) = x, evaluated  # x is a copy of SciPy's
        latest.gradient_norm = _norm(gradient)
        latest.penalty = objective.penalty(x)
        latest.nit += 1
        if watch is not None:
            latest.message = watch(latest) or ""

    try:
        found = minimize(
            evaluate,
            params,
            method="L-BFGS-B",
            jac=True,
            callback=after_iteration,
            options={"maxfun": max_fun, "maxiter": max_iter, "gtol": tol},
        )
    except Stop:
        return latest
    except KeyboardInterrupt:
        latest.interrupted = True
        return latest
    # use the last iteration instead of the failed evaluation
    if latest.nit and not math.isfinite(found.fun):
        latest.status, latest.message = int(found.status), str(found.message)
        return latest
    return LbfgsResult(
        found.x,
        float(found.fun),
        objective.penalty(found.x),
        int(found.nit),
        int(found.status),
        str(found.message),
        gradient_norm=_norm(found.jac),
        overflowed=overflowed_in >= found.nit - 1 and not np.abs(found.jac).max() <= tol,
    )


def _norm(gradient: Array) -> float:
    return math.sqrt(float(np.dot(gradient, gradient)))
