# SPDX-License-Identifier: BSD-3-Clause
"""Training: steps on minibatches, epochs, and when to stop.

One step is `Training.step`, and nothing hides it. `Training.run` repeats it over shuffled batches, keeps the
record, and watches the loss of each epoch, or a validation score, to end when it no longer gets better.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array, pieces
from sknumpynet.core.losses import Loss
from sknumpynet.core.network import Network, Workspace
from sknumpynet.core.network.foreign import ROWS, check_loss, check_optimizer
from sknumpynet.core.optimizers import Optimizer
from sknumpynet.core.options import is_foreign
from sknumpynet.core.schedules import Progress, Schedule
from sknumpynet.core.training.batches import Batches
from sknumpynet.core.training.history import History, Patience
from sknumpynet.core.training.penalty import Penalty, clip_norm


@dataclass
class Training:
    """A network in training: what has to be kept to go on where it stopped.

    Parameters
    ----------
    network, loss, optimizer, schedule : Network, Loss, Optimizer, Schedule
        What is trained, on what, how, and with which learning rate.
    rng : RandomState
        Shuffles the rows.
    l2 : float
        Strength of the penalty on the squared weights, over the number of rows (or their weights).
    l1 : float
        Strength of the penalty on the sizes of the weights, likewise.
    max_grad_norm : float or None
        Longer gradients, penalty included, are shortened to this length.
    loss_scale : float
        Factor of the reported loss: 1 / n_outputs where the mean over outputs is reported.
    shuffle : bool
        Whether each epoch takes the rows in a new order.
    tol, n_iter_no_change : float
        An epoch has to be better by ``tol``; after more than ``n_iter_no_change`` that were not, the
        schedule decides whether to go on.
    max_epochs : int or None
        What schedules take as the length of training, beyond which most hold their last rate; None for the
        epochs of the run.
    log : callable
        Called with the training and the number of epochs done, or a message about the end.

    Attributes
    ----------
    history : History
        The record.
    progress : Progress
        How far it got.
    patience : Patience
        The best loss or score, and how long ago that was.
    order : ndarray of int
        The rows in the order of the last epoch, which the next one shuffles on.
    learning_rate : float
        Of the next step.
    slowdown : float
        What plateaus have made of the schedule's rate.
    best : tuple of ndarray or None
        During a `run` that keeps the best: the network as it was then.
    norm : float
        Length of the last gradient before it was shortened to ``max_grad_norm``.
    split : tuple of ndarray of int or None
        The rows to train on and those to validate with, where there are such.
    converged : bool
        Whether the last `run` ended because nothing improved any more.
    """

    network: Network
    loss: Loss
    optimizer: Optimizer
    schedule: Schedule
    rng: Any
    l2: float = 0.0
    l1: float = 0.0
    max_grad_norm: float | None = None
    loss_scale: float = 1.0
    shuffle: bool = True
    tol: float = 1e-4
    n_iter_no_change: float = 10
    max_epochs: int | None = None
    log: Callable[[Training, int | str], None] | None = None
    history: History = field(default_factory=History)
    progress: Progress = field(default_factory=Progress)
    patience: Patience = field(default_factory=lambda: Patience(np.inf))
    order: Array = field(default_factory=lambda: np.arange(0))
    converged: bool = False
    slowdown: float = 1.0
    norm: float = math.nan
    best: tuple[Array, Array] | None = None
    split: tuple[Array, Array] | None = None

    def __post_init__(self) -> None:
        for part in (self.loss, self.optimizer, self.schedule):
            part.check()
        check_optimizer(self.optimizer, len(self.network.params), self.network.dtype)
        self.learning_rate = self.rate()
        self.mask_rng = np.random.default_rng(0)
        if self.network.is_random:  # a single draw; without dropout the rows' order stays as it was
            self.mask_rng = np.random.default_rng(self.rng.randint(2**31))

    def __getstate__(self) -> dict[str, Any]:
        order = self.order.astype(np.uint32) if len(self.order) < 1 << 32 else self.order
        return {**vars(self), "order": order, "log": None}

    def run(
        self,
        batches: Batches,
        rows: Array | None,
        n_epochs: int,
        validate: Callable[[], tuple[float, float]] | None = None,
        keep_best: bool = True,
        before: Callable[[], None] | None = None,
    ) -> Iterator[int]:
        """Train, an epoch at a time: yields the number of epochs done after each.

        The count begins with the epochs in `history`, those of a run that was broken off.

        ``rows`` are the rows to train on, None for all. ``validate``, where given, returns loss and score of
        validation data. With ``keep_best`` the score decides when to stop, and the parameters of the best
        epoch are put back at the end, or when the iterator is closed; else both are only recorded.
        ``before`` is called at the beginning of each epoch.
        """
        n = batches.n if rows is None else len(rows)
        if len(self.order) != n:
            self.order = np.arange(n)
        if not self.history.loss:
            self.converged = False
        if is_foreign(self.loss):
            some = slice(0, min(ROWS, batches.size))
            y = batches.gather(some if rows is None else rows[some])[1]
            check_loss(self.loss, y, self.network.n_outputs, self.network.dtype)
        self.progress.n_steps = (self.max_epochs or n_epochs) * -(-n // batches.size)
        work = Workspace(self.network, batches.size)
        works = {batches.size: work, n % batches.size: work.head(n % batches.size)}
        n_scratch = 0 if self.max_grad_norm is None else pieces(self.network.n_weights)[0].stop
        scratch = np.empty(n_scratch, self.network.dtype)
        decides = validate is not None and keep_best
        if decides and self.best is None:
            self.best = self.network.snapshot()
        try:
            for epoch in range(len(self.history.loss) + 1, n_epochs + 1):
                if self.converged:
                    break
                if before is not None:
                    before()
                started = time.perf_counter()
                self._epoch(batches, rows, works, scratch)
                if validate is not None:
                    loss, score = validate()
                    self.history.validation_loss.append(loss)
                    self.history.score.append(score)
                    if decides and self.patience.update_score(score, self.tol):
                        self.best = self.network.snapshot(into=self.best)
                if not decides:
                    self.patience.update_loss(self.history.loss[-1], self.tol)
                self.history.seconds.append(time.perf_counter() - started)
                if self.log is not None:
                    self.log(self, epoch)
                self._end_or_slow_down("Validation score" if decides else "Training loss")
                yield epoch
        finally:
            if self.best is not None:
                self.network.restore(self.best)
                self.best = None

    def rate(self) -> float:
        """Return the learning rate of the next step."""
        return self.schedule.held(self.progress, self.max_epochs) * self.slowdown

    def step(
        self, X: Any, y: Array, sample_weight: Array | None, work: Workspace, scratch: Array
    ) -> float:
        """Take one step on one batch, and return the reported loss from before it.

        The step goes down ``L + l2 / (2 total) * ||W||^2``, where ``total`` is the batch's sum of weights.
        A batch whose weights are all zero has no loss; its penalty counts as if each row had the weight 1.
        Only ``max_grad_norm`` needs ``scratch``: space for the weights, or a piece of them.
        """
        network, n = self.network, X.shape[0]
        if network.is_random:
            network.draw(work, self.mask_rng)
        total = n if sample_weight is None else float(np.add.reduce(sample_weight))
        raw = network.forward(X, work)
        value, delta = self.loss.value_and_gradient(
            y, raw, sample_weight, total=total, out=work.delta, scratch=work.scratch
        )
        network.backward(delta, work)
        if len(network.state):
            network.remember(work)
        penalty = Penalty(self.l2 / (total or n), self.l1 / (total or n))
        on_the_way: Penalty | None = penalty
        if self.max_grad_norm is not None:
            on_the_way = None
            penalty.add_all(network, scratch)
            self.norm = clip_norm(network.grads, self.max_grad_norm)
        self.optimizer.step(
            network.params, network.grads, self.learning_rate, network.n_weights, on_the_way
        )
        return value * self.loss_scale + penalty.value if total else 0.0

    def _epoch(
        self, batches: Batches, rows: Array | None, works: dict[int, Workspace], scratch: Array
    ) -> None:
        """Take one step on each batch of ``rows`` and record the mean loss."""
        order, size = self.order, batches.size
        n = len(order)
        if self.shuffle:
            self.order = order = order[_permutation(n, self.rng)]
        if rows is not None:
            order = rows[order]
        in_order = rows is None and not self.shuffle
        progress, schedule, sum_of_losses = self.progress, self.schedule, 0.0
        for start in range(0, n, size):
            stop = min(start + size, n)
            X, y, sample_weight = batches.gather(
                slice(start, stop) if in_order else order[start:stop]
            )
            if schedule.moves == "step":
                self.learning_rate = self.rate()
            loss = self.step(X, y, sample_weight, works[stop - start], scratch)
            sum_of_losses += loss * (stop - start)
            progress.step += 1
        self.history.learning_rate.append(self.learning_rate)
        progress.samples += n
        progress.epoch += 1
        if schedule.moves == "epoch":
            self.learning_rate = self.rate()
        history, grads = self.history, self.network.grads
        history.loss.append(sum_of_losses / n)
        norm = math.sqrt(float(grads.dot(grads))) if self.max_grad_norm is None else self.norm
        history.gradient_norm.append(norm)

    def _end_or_slow_down(self, what: str) -> None:
        """After too many epochs without progress: do what the schedule says."""
        if self.patience.stalled <= self.n_iter_no_change or self.schedule.has_end:
            return
        message = (
            f"{what} did not improve more than tol={self.tol:f} for {self.n_iter_no_change} "
            "consecutive epochs."
        )
        rate = self.schedule.on_plateau(self.learning_rate)
        if rate is None:
            message += " Stopping."
            self.converged = True
        else:
            message += f" Setting learning rate to {rate:f}"
            self.slowdown *= rate / self.learning_rate
            self.learning_rate = rate
            self.patience.stalled = 0
        if self.log is not None:
            self.log(self, message)


def _permutation(n: int, rng: Any) -> Array:
    """Return 0 ... n - 1 in random order; the draws are those of scikit-learn's ``shuffle``."""
    order = np.arange(n)
    rng.shuffle(order)
    return order
