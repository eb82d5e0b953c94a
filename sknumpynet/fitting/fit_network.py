# SPDX-License-Identifier: BSD-3-Clause
"""The fit itself: epochs of mini-batches, or L-BFGS, with a monitor. It does not depend on the estimators.

The plan, the network, which is trained in place, the data and the monitor are passed in. The monitor
validates, records and decides when to stop.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknumpynet._compat import check_optimize_result
from sknumpynet.core.training.batches import Batches
from sknumpynet.core.training.history import EpochRecord
from sknumpynet.core.training.lbfgs import Objective, minimize_lbfgs
from sknumpynet.core.wording import counted
from sknumpynet.fitting.rollback import (
    SCALE,
    check_best,
    check_finite,
    check_predictions,
    warn,
    warn_of_growth,
    warn_of_overflow,
)
from sknumpynet.fitting.threads import limited_blas_threads


@dataclass
class FitResult:
    """The result of a fit, in addition to the trained network and the monitor's history.

    Attributes
    ----------
    training : Training or None
        The state needed to continue training; None after L-BFGS.
    n_iter : int
        Epochs or iterations done.
    loss : float
        The reported loss at the end.
    n_samples : int or None
        Rows seen so far, including earlier fits; None after L-BFGS, which does not count them.
    """

    training: Any
    n_iter: int
    loss: float
    n_samples: Any


def fit_network(plan, data, monitor, training=None, kept=None):
    """Train a network.

    Parameters
    ----------
    plan : FitPlan
        The plan of the fit.
    data : FitData
        The training rows.
    monitor : Monitor
        Monitors the fit; it holds the network, which is trained in place, and the validation data.
    training : Training or None
        The training to begin or to continue; None for L-BFGS.
    kept : dict, default=None
        The state of the same fit if it was interrupted earlier, as returned by `fit_state`.

    Returns
    -------
    result : FitResult
        The result.

    Raises
    ------
    ValueError
        If training diverges.
    """
    if plan.is_lbfgs:
        return _fit_lbfgs(plan, data, monitor)
    begin_or_resume(training, monitor, kept)
    return _fit_epochs(plan, training, data, monitor)


def begin_or_resume(training, monitor, kept):
    """Set training and monitor to the beginning of the fit, or to the state ``kept`` if it is resumed."""
    if kept is not None:
        training.set_state(kept["training"])
        monitor.set_state(kept["monitor"])
    elif not monitor.one_epoch:
        training.patience = monitor.patience
    monitor.patience = training.patience


def fit_state(training, monitor):
    """Return everything needed to resume an interrupted fit, as arrays and plain values."""
    return {"training": training.state(), "monitor": monitor.state()}


def batch_size_of(plan, n_rows):
    """Return the batch size, at most ``n_rows``; warn if a larger one was requested."""
    size = min(200, n_rows) if plan.batch_size is None else plan.batch_size
    if size > n_rows:
        warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped: "
            f"batch_size={size}, and the number of rows to train on is {n_rows}."
        )
    return min(size, n_rows)


def _fit_epochs(plan, training, data, monitor):
    """Train epoch by epoch, and check the result."""
    size = batch_size_of(plan, data.n_rows)
    # calls of partial_fit are too short to limit threads
    threads = nullcontext() if monitor.one_epoch else limited_blas_threads(size, training.network)
    with threads:
        train_epochs(training, data, monitor, size)
        return outcome_of_epochs(plan, training, data, monitor, size)


def train_epochs(training, data, monitor, size):
    """Train with batches of this size until the monitor ends the fit."""
    batches = Batches(data.X, data.targets, data.sample_weight, size, training.network.dtype)
    with monitor.watching(lambda: fit_state(training, monitor)):
        epochs = training.epochs(batches, data.rows)
        while not monitor.done:
            monitor.begin_epoch()
            monitor.epoch_done(next(epochs), training.slow_down)


def outcome_of_epochs(plan, training, data, monitor, size):
    """Return the result of training in mini-batches; raise if training has diverged."""
    n_epochs, loss = monitor.n_epochs, monitor.last_loss
    _check_outcome(plan, data, monitor, loss if n_epochs else 0.0, "epoch", size)
    warn_of_overflow(training.optimizer)
    warn_of_growth(training, data, loss, monitor.one_epoch)
    if "max_time" in monitor.reason:
        _warn_of_max_time(n_epochs, "epoch", monitor)
    elif n_epochs == plan.max_epochs and not monitor.ended_early:
        warn(
            f"Stochastic Optimizer: Maximum iterations ({plan.max_epochs}) "
            "reached and the optimization hasn't converged yet.",
            ConvergenceWarning,
        )
    return FitResult(training, n_epochs, loss, training.progress.samples)


def _check_outcome(plan, data, monitor, loss, unit, n_rows):
    """Raise if training has diverged, or warn if there is an earlier best network, which is kept."""
    network = monitor.network
    if not monitor.decides:
        check_finite(network, loss)
        check_predictions(network, plan.loss, data, loss, 0 if monitor.one_epoch else n_rows)
        return
    check_finite(network)
    never_finite = bool(monitor.n_epochs) and monitor.patience.best == -np.inf
    if never_finite or not monitor.validation.finite:
        check_best(monitor.patience.best, monitor.n_epochs, unit)
    check_finite(network, loss)


def _fit_lbfgs(plan, data, monitor):
    """Train on all rows at once until SciPy or the monitor ends the fit."""
    objective = Objective(
        monitor.network, plan.loss, data.X, data.targets, data.sample_weight, plan.l2, plan.l1
    )
    with limited_blas_threads(objective.batches.size, monitor.network):
        return fit_lbfgs(plan, objective, data, monitor)


def fit_lbfgs(plan, objective, data, monitor):
    """Train with L-BFGS until SciPy or the monitor ends the fit.

    Parameters
    ----------
    plan : FitPlan
        The plan of the fit.
    objective : callable
        Like `Objective` of the core: returns the loss of all rows and its gradient.
    data : FitData
        The training rows, for which predictions are checked at the end by `predictions_are_finite`.
    monitor : Monitor
        Monitors the fit.

    Returns
    -------
    result : FitResult
        The result.
    """
    network = monitor.network

    def reported(found):
        return (found.value - found.penalty) * plan.loss_scale + found.penalty

    def watch(found):
        network.params[...] = found.params
        monitor.begin_epoch()
        monitor.epoch_done(EpochRecord(reported(found), np.nan, found.gradient_norm))
        return monitor.reason or ("converged" if monitor.converged else None)

    with monitor.watching():
        found = minimize_lbfgs(
            objective,
            max_iter=plan.max_epochs,
            max_fun=plan.max_fun,
            tol=plan.tol,
            watch=watch,
        )
        network.params[...] = found.params
        if found.interrupted:
            raise KeyboardInterrupt
    if "max_time" in monitor.reason and found.message != monitor.reason:
        monitor.reason = ""  # the search had converged when time was up
    value = 0.0 if found.interrupted else found.value
    check_finite(network, value)
    _check_outcome(plan, data, monitor, value, "iteration", min(200, data.n_rows))
    if "max_time" in monitor.reason:
        _warn_of_max_time(found.nit, "iteration", monitor)
    elif found.overflowed and found.status == 0:
        warn(
            f"L-BFGS stopped after {found.nit} iterations at losses that are not finite, and did not "
            f"converge. {SCALE.split(',')[0]}, in regression).",
            ConvergenceWarning,
        )
    elif not monitor.ended_early:
        check_optimize_result("lbfgs", found, plan.max_epochs)
    # Ctrl-C during validation: this iteration is not recorded
    n_iter = monitor.n_epochs if monitor.interrupted else min(found.nit, plan.max_epochs)
    return FitResult(None, n_iter, reported(found), None)


def _warn_of_max_time(n, what, monitor):
    warn(f"Training ended after {counted(n, what)}, at {monitor.reason} s.", ConvergenceWarning)
