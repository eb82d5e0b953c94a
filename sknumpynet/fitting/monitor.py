# SPDX-License-Identifier: BSD-3-Clause
"""What happens at the end of an epoch or of an iteration of L-BFGS.

In this order: validate, record, check for progress, keep the best weights, print, call callbacks, check the
time limit. Nothing else in the package does this.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import asdict

import numpy as np

from sknumpynet.core.training.history import History, Patience
from sknumpynet.core.wording import counted
from sknumpynet.fitting.rollback import warn_of_interrupt


class Monitor:
    """Monitors a fit, and decides when it ends.

    Parameters
    ----------
    plan : FitPlan
        The plan of the fit.
    network : Network
        The network in training.
    validation : ValidationSet, default=None
        Validation data.
    hooks : EpochHooks, default=None
        The callbacks.
    log : callable, default=None
        Called with the monitor and the number of epochs done, or a message about the end.
    one_epoch : bool, default=False
        Whether to train for a single epoch, as in `partial_fit`.
    rows : tuple of ndarray of int, default=None
        The training and validation rows if the data were split, to be saved with the state.

    Attributes
    ----------
    history : History
        The training history.
    patience : Patience
        The best loss or score, and the number of epochs since.
    best : tuple of ndarray or None
        With early stopping, a snapshot of the best network.
    converged : bool
        Whether the fit ended because nothing improved any more.
    interrupted : bool
        Whether Ctrl-C ended it.
    reason : str
        Why the fit was ended early, if it was.
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
        # a schedule for a fixed number of epochs runs to its end, and L-BFGS has its own stopping rule
        self.has_patience = not plan.fixed_length and (self.decides or not plan.is_lbfgs)
        self.start_clock()

    @property
    def n_epochs(self):
        """Number of epochs or iterations that were completed and recorded."""
        return len(self.history.loss)

    @property
    def last_loss(self):
        """The reported loss of the network that is kept: NaN before the first epoch."""
        history, loss = self.history, self.history.loss[-1] if self.history.loss else math.nan
        if self.decides and not math.isfinite(loss) and math.isfinite(self.patience.best):
            # diverged: the loss of the best weights
            return history.loss[int(np.nanargmax(history.score))]
        return loss

    @property
    def ended_early(self):
        """Whether the fit ended before its last epoch, or has a fixed number of epochs."""
        planned = self.one_epoch or self.plan.fixed_length
        return planned or self.converged or self.interrupted or bool(self.reason)

    @property
    def done(self):
        """Whether the fit is over."""
        return self.converged or bool(self.reason) or self.n_epochs >= self.max_epochs

    @contextmanager
    def watching(self, get_state=None):
        """Monitor the training in the block: Ctrl-C ends it, and the best weights are restored at its end.

        ``get_state()`` returns the state that a callback needs to resume the fit later.
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
        """Start measuring time."""
        self.started = self.last = time.perf_counter()

    def put_back_best(self):
        """With early stopping, restore the best weights of the network."""
        if self.best is not None:
            self.network.restore(self.best)
            self.best = None

    def begin_epoch(self):
        """Call the callbacks for the beginning of an epoch."""
        if self.hooks is not None:
            self.hooks.begin_epoch()

    def epoch_done(self, record, slow_down=None):
        """Process the end of an epoch.

        ``slow_down()`` returns the learning rate to continue with after too many epochs without progress, or
        None to stop; if it is not given, the fit ends.
        """
        validated = None if self.validation is None else self.validation(self.network)
        # nothing is recorded before all values are known, so that an interrupt leaves no incomplete epoch
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
            f"{what} did not improve more than tol={self.plan.tol:f} for "
            f"{counted(self.plan.n_iter_no_change, 'consecutive epoch')}. {then}",
        )

    def _is_late(self):
        return time.perf_counter() - self.started >= self.plan.max_time

    def state(self):
        """Return the state needed to resume later, as arrays and plain values."""
        return {
            "history": asdict(self.history),
            "best": None if self.best is None else {"params": self.best[0], "stats": self.best[1]},
            "converged": self.converged,
            "rows": self.rows,
            "validation": None if self.validation is None else self.validation.state(),
        }

    def set_state(self, state):
        """Restore a state."""
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
