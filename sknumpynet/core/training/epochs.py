# SPDX-License-Identifier: BSD-3-Clause
"""Training: steps on mini-batches, and epochs of them.

`Training.step` is one step, and `Training.epochs` repeats it over shuffled batches. Scores, callbacks and
early stopping are up to the caller, which asks for the next epoch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array, pieces
from sknumpynet.core.losses.base import Loss
from sknumpynet.core.network.foreign import ROWS, check_loss, check_optimizer
from sknumpynet.core.network.network import Network
from sknumpynet.core.network.rows import row_numbers
from sknumpynet.core.network.workspace import Workspace
from sknumpynet.core.optimizers.base import Optimizer
from sknumpynet.core.options import is_foreign
from sknumpynet.core.schedules.base import Schedule, TrainingProgress
from sknumpynet.core.training.batches import Batches, HeldBatches
from sknumpynet.core.training.collective import ALONE, Collective
from sknumpynet.core.training.history import EpochRecord, Patience
from sknumpynet.core.training.penalty import Penalty, clip_norm, length


@dataclass
class Training:
    """A network in training, with the state needed to continue.

    Parameters
    ----------
    network, loss, optimizer, schedule : Network, Loss, Optimizer, Schedule
        The network, the loss to minimise, the optimizer and the schedule of the learning rate.
    rng : RandomState
        Shuffles the rows.
    l2 : float
        Strength of the penalty on the squared weights, divided by the number of rows (or the sum of weights).
    l1 : float
        Strength of the penalty on the absolute weights, likewise.
    max_grad_norm : float or None
        Limit of the gradient's norm, including the penalty.
    loss_scale : float
        Factor of the reported loss: 1 / n_outputs if the mean over outputs is reported.
    shuffle : bool
        Whether each epoch uses the rows in a new order.
    max_epochs : int
        Length of training for schedules; beyond it, most keep their last rate.
    collective : Collective
        The ranks that train together, each with its part of the rows; one by default.

    Attributes
    ----------
    progress : TrainingProgress
        The progress of training.
    patience : Patience
        The best loss or score, and the number of epochs since.
    order : ndarray of int
        The rows in the order of the last epoch, which the next one shuffles further.
    learning_rate : float
        The learning rate of the next step.
    plateau_factor : float
        Factor of the schedule's rate after plateaus.
    norm : float
        Norm of the last gradient before clipping.
    first_loss : float
        The loss before the first step, on its batch (the first with nonzero weights); NaN before it.
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
    max_epochs: int = 1
    progress: TrainingProgress = field(default_factory=TrainingProgress)
    patience: Patience = field(default_factory=lambda: Patience(math.inf))
    order: Array = field(default_factory=lambda: np.arange(0))
    plateau_factor: float = 1.0
    norm: float = math.nan
    collective: Collective = ALONE
    first_loss: float = math.nan

    def __post_init__(self) -> None:
        for part in (self.loss, self.optimizer, self.schedule):
            part.check()
        check_optimizer(self.optimizer, len(self.network.params), self.network.dtype)
        self.learning_rate = self.rate()
        self.mask_rng = np.random.default_rng(0)
        if self.network.is_random:
            self.draw_mask_rng()

    def draw_mask_rng(self) -> None:
        """Seed the generator of dropout masks: this takes one draw, and none without dropout."""
        self.mask_rng = np.random.default_rng(self.rng.randint(2**31))

    def __getstate__(self) -> dict[str, Any]:
        order = self.order.astype(np.uint32) if len(self.order) < 1 << 32 else self.order
        return {**vars(self), "order": order, "collective": ALONE}

    def arrays(self) -> tuple[Array, ...]:
        """Return the arrays that an epoch writes into."""
        return self.network.params, self.network.running_stats, *self.optimizer.arrays()

    # Attributes that change in an epoch, in addition to the vectors, the optimizer and the generators.
    PLAIN = ("order", "learning_rate", "plateau_factor", "norm")

    def state(self) -> dict[str, Any]:
        """Return a copy of everything that an epoch changes, as arrays and plain values."""
        params, running_stats = self.network.snapshot()
        return {
            "params": params,
            "running_stats": running_stats,
            "optimizer": self.optimizer.get_state(),
            "schedule": self.schedule.get_state(),
            "progress": asdict(self.progress),
            "patience": asdict(self.patience),
            "rng": None if self.rng is None else self.rng.get_state(),
            "mask_rng": self.mask_rng.bit_generator.state,
            "first_loss": self.first_loss,
            **{name: getattr(self, name) for name in self.PLAIN},
        }

    def set_state(self, state: dict[str, Any], set_rng: bool = True) -> None:
        """Restore a state; ``set_rng=False`` does not change the generator that shuffles the rows."""
        self.network.restore((state["params"], state["running_stats"]))
        self.optimizer.set_state(state["optimizer"])
        self.schedule.set_state(state["schedule"])
        self.progress = TrainingProgress(**state["progress"])
        self.patience = Patience(**state["patience"])
        if set_rng and state["rng"] is not None:
            self.rng.set_state(state["rng"])
        self.mask_rng = np.random.default_rng(0)
        self.mask_rng.bit_generator.state = state["mask_rng"]
        self.first_loss = state.get("first_loss", math.nan)  # earlier versions have none
        for name in self.PLAIN:
            setattr(self, name, state[name])

    def epochs(self, batches: Batches, rows: Array | None = None) -> Iterator[EpochRecord]:
        """Train for one epoch each time that the next record is requested, without end.

        ``rows`` are the training rows, as numbers or as a mask; None means all.
        """
        rows = None if rows is None else row_numbers(rows, batches.n)
        n = batches.n if rows is None else len(rows)
        if len(self.order) != n:
            self.order = np.arange(n)
        if is_foreign(self.loss):
            some = slice(0, min(ROWS, batches.size))
            y = batches.gather(some if rows is None else rows[some])[1]
            if len(y):  # otherwise they are on another rank
                check_loss(self.loss, y, self.network.n_outputs, self.network.dtype)
        self.progress.n_steps = self.max_epochs * -(-n // batches.size)
        works = {batches.size: Workspace(self.network, batches.size)}
        if n % batches.size:  # the shorter last batch
            works[n % batches.size] = works[batches.size].head(n % batches.size)
        n_scratch = 0 if self.max_grad_norm is None else pieces(self.network.n_decayed)[0].stop
        scratch = np.empty(n_scratch, self.network.dtype)
        while True:
            yield self._epoch(batches, rows, works, scratch)

    def rate(self) -> float:
        """Return the learning rate of the next step."""
        return self.schedule.rate_at(self.progress, self.max_epochs) * self.plateau_factor

    def step(
        self,
        X: Any,
        y: Array,
        sample_weight: Array | None,
        work: Workspace,
        scratch: Array,
        n: int | None = None,
        total: float | None = None,
    ) -> float:
        """Make one step on one batch, and return the reported loss before it.

        The step minimises ``L + l2 / (2 total) * ||W||^2``, where ``total`` is the batch's sum of weights. A
        batch whose weights are all zero has no loss; its penalty is computed as if each row had weight 1.
        ``scratch`` is only needed for ``max_grad_norm``: space for the weights, or a block of them.

        With several ranks X, y and the weights are this rank's part of a batch of ``n`` rows, which may be
        empty, and whose weights sum to ``total``; the result is its share of the loss.
        """
        network, n_here = self.network, X.shape[0]
        n = n_here if n is None else n
        if total is None:
            total = n if sample_weight is None else float(np.add.reduce(sample_weight))
        if network.is_random:
            network.sample_masks(work, self.mask_rng)
        if n_here:
            raw = network.forward(X, work)
            value, delta = self.loss.value_and_gradient(
                y, raw, sample_weight, total=total, out=work.delta, scratch=work.scratch
            )
            network.backward(delta, work)
        else:
            value, network.grads[...] = 0.0, 0
        self.collective.sum_in_place(network.grads)
        if len(network.running_stats):
            network.update_running_stats(work)
        penalty = Penalty(self.l2 / (total or n), self.l1 / (total or n))
        fused_penalty: Penalty | None = penalty
        if self.max_grad_norm is not None:
            fused_penalty = None
            penalty.add_all(network, scratch)
            self.norm = clip_norm(network.grads, self.max_grad_norm)
        self.optimizer.step(
            network.params,
            network.grads,
            network.learning_rates(self.learning_rate),
            network.n_decayed,
            fused_penalty,
        )
        if self.collective.rank:
            return value * self.loss_scale  # the first rank's share includes the penalty
        return value * self.loss_scale + penalty.value if total else 0.0

    def _epoch(
        self, batches: Batches, rows: Array | None, works: dict[int, Workspace], scratch: Array
    ) -> EpochRecord:
        """Make one step on each batch of ``rows``."""
        order, size = self.order, batches.size
        n = len(order)
        if self.shuffle:
            self.order = order = shuffled(order, self.rng)
        if rows is not None:
            order = rows[order]
        in_order = rows is None and not self.shuffle
        progress, schedule, sum_of_losses, first_loss = self.progress, self.schedule, 0.0, math.nan
        totals = self._totals(batches, order)
        for start in range(0, n, size):
            stop = min(start + size, n)
            X, y, sample_weight = batches.gather(
                slice(start, stop) if in_order else order[start:stop]
            )
            if schedule.updates == "step":
                self.learning_rate = self.rate()
            if totals is None:
                loss = self.step(X, y, sample_weight, works[stop - start], scratch)
                if not first_loss > 0:  # none yet, or of rows that have no weight
                    first_loss = loss
            else:
                n_here, total = X.shape[0], float(totals[start // size])
                work = works[n_here] if n_here in works else works[size].head(n_here)
                loss = self.step(X, y, sample_weight, work, scratch, stop - start, total)
                if total and math.isnan(first_loss):
                    first_loss = loss
            sum_of_losses += loss * (stop - start)
            progress.step += 1
        if totals is not None:
            sum_of_losses, first_loss = self._sums(sum_of_losses, first_loss)
        if math.isnan(self.first_loss):
            self.first_loss = first_loss
        rate, grads = self.learning_rate, self.network.grads
        progress.samples += n
        progress.epoch += 1
        if schedule.updates == "epoch":
            self.learning_rate = self.rate()
        norm = length(grads) if self.max_grad_norm is None else self.norm
        return EpochRecord(sum_of_losses / n, rate, norm)

    def _totals(self, batches: Batches, order: Array) -> Array | None:
        """Return the sum of weights of each batch, over all ranks; None if there is a single rank."""
        if not isinstance(batches, HeldBatches):
            return None
        n, size = len(order), batches.size
        starts = range(0, n, size)
        if not batches.weighted:
            return np.array([min(size, n - start) for start in starts], float)
        totals = np.array([batches.sum_of_weights(order[start : start + size]) for start in starts])
        self.collective.sum_in_place(totals)
        return totals

    def _sums(self, *values: float) -> list[float]:
        """Return the sum of each number over all ranks."""
        vector = np.array(values)
        self.collective.sum_in_place(vector)
        sums: list[float] = vector.tolist()
        return sums

    def slow_down(self) -> float | None:
        """Return the rate after a plateau, as decided by the schedule, or None to stop."""
        rate = self.schedule.on_plateau(self.learning_rate)
        if rate is not None:
            rate = self.schedule.checked_rate(rate, self.progress)
            self.plateau_factor *= rate / (self.learning_rate or 1.0)
            self.learning_rate = rate
            self.patience.n_no_improvement = 0
        return rate


def shuffled(order: Array, rng: Any) -> Array:
    """Return the rows in a new order; the draws are those of scikit-learn's ``shuffle``."""
    permutation = np.arange(len(order))
    rng.shuffle(permutation)
    return order[permutation]
