# SPDX-License-Identifier: BSD-3-Clause
"""What happens after each iteration of L-BFGS, as it does after each epoch of the other solvers."""

from __future__ import annotations

import time

import numpy as np

from sknumpynet.core.training import History, Patience
from sknumpynet.fitting.record import columns_of, forget_curves


class LbfgsWatch:
    """What happens after each iteration of L-BFGS: records, early stopping, callbacks, time."""

    def __init__(self, estimator, network, validation, scale, hooks):
        self.estimator, self.network, self.validation = estimator, network, validation
        self.scale, self.hooks = scale, hooks
        self.history, self.patience, self.best = History(), Patience(-np.inf), None
        self.started = self.last = time.perf_counter()
        self.reason = None

    def __call__(self, found):
        """Return why to stop, or None."""
        self.network.params[...] = found.params
        self.hooks.begin_epoch()
        self.history.loss.append((found.value - found.penalty) * self.scale + found.penalty)
        self.history.learning_rate.append(np.nan)  # each line search finds a step of its own
        self.history.gradient_norm.append(found.gradient_norm)
        if self.validation is not None:
            self._validate()
        now = time.perf_counter()
        self.history.seconds.append(now - self.last)
        self.last = now
        if self.estimator.verbose:
            print(f"Iteration {found.nit}, loss = {self.history.loss[-1]:.8f}")
        max_time = self.estimator.max_time
        if self.hooks.end_epoch():
            self.reason = "a callback"
        elif max_time and now - self.started >= max_time:
            self.reason = f"max_time={max_time} seconds"
        return self.reason

    def _validate(self):
        loss, score = self.validation()
        self.history.validation_loss.append(loss)
        self.history.score.append(score)
        if not self.estimator.early_stopping:
            return
        if self.patience.update_score(score, self.estimator.tol):
            self.best = self.network.params.copy()
        if self.patience.stalled > self.estimator.n_iter_no_change:
            self.reason = "the validation score"

    def record(self):
        """Make the record the estimator's: one of L-BFGS has no `loss_curve_`, as in scikit-learn."""
        estimator, history = self.estimator, self.history
        forget_curves(estimator)
        columns = columns_of(history, self.validation is not None)
        estimator.history_ = {"epoch": list(range(1, len(history.loss) + 1)), **columns}
        if self.validation is not None:
            estimator.validation_loss_curve_ = history.validation_loss
            estimator.validation_scores_ = history.score
            if estimator.early_stopping:
                estimator.best_validation_score_ = self.patience.best
