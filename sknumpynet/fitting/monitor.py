# SPDX-License-Identifier: BSD-3-Clause
"""What happens at the end of an epoch, or of an iteration of L-BFGS: the same for both.

Validate, write down, notice that nothing improves, keep the best weights, print, call callbacks, watch the
clock; in this order, and in this place only.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import asdict

import numpy as np

from sknumpynet.core.training.history import History, Patience
from sknumpynet.fitting.rollback import warn_of_interrupt


class Monitor:
    """Watches a fit, and says when it is to end.

    Parameters
    ----------
    plan : FitPlan
        What the fit is.
    network : Network
        The network in training.
    validation : ValidationSet, default=None
        Data to validate with.
    hooks : EpochHooks, default=None
        The callbacks.
    log : callable, default=None
        Called with the monitor and the number of epochs done, or a message about the end.
    one_epoch : bool, default=False
        Whether a single epoch is all there is to do, as in `partial_fit`.
    rows : tuple of ndarray of int, default=None
        The rows to train on and those to validate with, where the data were split: to be kept.

    Attributes
    ----------
    history : History
        The record.
    patience : Patience
        The best loss or score, and how long ago that was.
    best : tuple of ndarray or None
        Where the score decides: a snapshot of the network as it was at its best.
    converged : bool
        Whether the fit ended because nothing improved any more.
    interrupted : bool
        Whether Ctrl-C ended it.
    reason : str
        Why it was cut short, where it was.
    """

    def __init__(
        self, plan, network, validation=None, hooks=None, log=None, one_epoch=False, rows=None
    ):
        self.plan, self.network, self.validation = plan, network, validation
        self.hooks, self.log = hooks, log
        self.one_epoch, self.max_epochs = one_epoch, 1 if one_epoch else plan.max_epochs
        self.rows = rows
        self.decides = validation is not None and plan.early_stopping
        self.history = History()
        self.patience = Patience(-math.inf if self.decides else math.inf)
        self.best = network.snapshot() if self.decides else None
        self.converged, self.interrupted, self.reason = False, False, ""
        # a schedule made for so many epochs is gone through, and L-BFGS has an end of its own
        self.has_patience = not plan.fixed_length and (self.decides or not plan.is_lbfgs)
        self.start_clock()

    @property
    def n_epochs(self):
        """Number of epochs, or iterations, done and written down."""
        return len(self.history.loss)

    @property
    def last_loss(self):
        """The reported loss of the network that is kept: NaN before the first epoch."""
        history, loss = self.history, self.history.loss[-1] if self.history.loss else math.nan
        if self.decides and not math.isfinite(loss) and math.isfinite(self.patience.best):
            return history.loss[int(np.nanargmax(history.score))]  # diverged: of the best weights
        return loss

    @property
    def ended_early(self):
        """Whether the fit ended before its last epoch, or was to have just so many."""
        planned = self.one_epoch or self.plan.fixed_length
        return planned or self.converged or self.interrupted or bool(self.reason)

    @property
    def done(self):
        """Whether the fit is over."""
        return self.converged or bool(self.reason) or self.n_epochs >= self.max_epochs

    @contextmanager
    def watching(self, get_state=None):
        """Watch what the block trains: Ctrl-C ends it, and the best weights are put back at its end.

        ``get_state()`` returns what a callback needs to go on with the fit later.
        """
        if self.hooks is not None:
            self.hooks.get_state = get_state
        self.start_clock()
        try:
            yield
        except KeyboardInterrupt:
            self.interrupted = True
            warn_of_interrupt()
        finally:
            if hasattr(self.log, "end"):
                self.log.end()
            self.put_back_best()

    def start_clock(self):
        """Count seconds from now on."""
        self.started = self.last = time.perf_counter()

    def put_back_best(self):
        """Give the network its best weights, where the score decided."""
        if self.best is not None:
            self.network.restore(self.best)
            self.best = None

    def begin_epoch(self):
        """Call the callbacks for the beginning of an epoch."""
        if self.hooks is not None:
            self.hooks.begin_epoch()

    def epoch_done(self, record, slow_down=None):
        """Take in an epoch.

        ``slow_down()``, where given, returns the learning rate to go on with after too many epochs without
        progress, or None to stop; without it they end the fit.
        """
        validated = None if self.validation is None else self.validation(self.network)
        # nothing is written down before all of it is known: an interrupt leaves no half of an epoch
        self.history.append(record, validated, time.perf_counter() - self.last)
        if self.decides:
            if self.patience.update_score(validated[1], self.plan.tol):
                self.best = self.network.snapshot(into=self.best)
        else:
            self.patience.update_loss(record.loss, self.plan.tol)
        if self.log is not None:
            self.log(self, self.n_epochs)
        if self.has_patience and self.patience.n_no_improvement > self.plan.n_iter_no_change:
            self._end_or_slow_down(slow_down)
        if self.hooks is not None and self.hooks.end_epoch(self.history):
            self.reason = "a callback"
        elif self.decides and not self.validation.goes_on:
            self.reason = "divergence"
        elif self.plan.max_time and not self.done and self._is_late():
            self.reason = f"max_time={self.plan.max_time}"
        self.last = time.perf_counter()

    def _end_or_slow_down(self, slow_down):
        rate = None if slow_down is None else slow_down()
        self.converged = rate is None
        if self.log is None:
            return
        what = "Validation score" if self.decides else "Training loss"
        then = "Stopping." if rate is None else f"Setting learning rate to {rate:f}"
        self.log(
            self,
            f"{what} did not improve more than tol={self.plan.tol:f} for {self.plan.n_iter_no_change} "
            f"consecutive epochs. {then}",
        )

    def _is_late(self):
        return time.perf_counter() - self.started >= self.plan.max_time

    def state(self):
        """Return what is to be kept to go on later, as arrays and plain values."""
        return {
            "history": asdict(self.history),
            "best": None if self.best is None else {"params": self.best[0], "stats": self.best[1]},
            "converged": self.converged,
            "rows": self.rows,
            "validation": None if self.validation is None else self.validation.state(),
        }

    def set_state(self, state):
        """Put a state back."""
        self.history = History(**state["history"])
        self.converged = state["converged"]
        if self.validation is not None:
            vars(self.validation).update(state["validation"])
            if self.decides and not self.validation.goes_on:
                self.reason = "divergence"
        if self.hooks is not None:
            self.hooks.count_as_done(self.n_epochs)
        if state["best"] is not None:
            self.best = (state["best"]["params"], state["best"]["stats"])
