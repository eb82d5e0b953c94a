# SPDX-License-Identifier: BSD-3-Clause
"""Train several networks of the same shape at once.

`SideBySide.step` does the same for all members as `Training.step` for one network: the same formulas, with an
axis for the members. Each training keeps its own state, and after an epoch has the same results as by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.layers.dropout import PoolBuffer
from sknumpynet.core.network.members import side_by_side
from sknumpynet.core.network.rows import row_numbers
from sknumpynet.core.network.workspace import Workspace
from sknumpynet.core.optimizers.base import Optimizer
from sknumpynet.core.options import copied
from sknumpynet.core.training.batches import Batches
from sknumpynet.core.training.epochs import Training
from sknumpynet.core.training.history import EpochRecord
from sknumpynet.core.training.penalty import clip_norm, length


class SideBySide:
    """Trains several networks of the same shape at once.

    They have the same loss, class of optimizer, number of rows and batch size; everything else may differ.
    The networks of the trainings are only updated by `write_back`.

    Parameters
    ----------
    trainings : sequence of Training
        The trainings; those with equal optimizers must be adjacent. None has made a step yet.
    X : ndarray of shape (n, n_features)
        Inputs.
    y : ndarray of shape (n, n_outputs), or (n,) of class indices
        Targets.
    sample_weight : list of ndarray of shape (n,), or None
        Weights of the rows, for each training.
    rows : list of ndarray of int, or None
        The training rows, the same number for each training; None means all.
    size : int
        Rows of a batch.

    Attributes
    ----------
    trainings : list of Training
        The trainings that are still running.
    network : Network
        The network of members.

    Examples
    --------
    >>> import numpy as np
    >>> from sknumpynet.core import Adam, BinaryLogLoss, Constant, Dense, Network
    >>> X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([[0], [1], [1], [0.0]])
    >>> trainings = [
    ...     Training(
    ...         Network([Dense(2, 4), "tanh", Dense(4, 1)], rng=seed),
    ...         BinaryLogLoss(),
    ...         Adam(),
    ...         Constant(0.1),
    ...         np.random.RandomState(seed),
    ...     )
    ...     for seed in range(2)
    ... ]
    >>> both = SideBySide(trainings, X, y, None, None, size=4)
    >>> for _ in range(200):
    ...     records = both.epoch()
    >>> [record.loss < 0.05 for record in records]
    [True, True]
    """

    def __init__(
        self,
        trainings: Sequence[Training],
        X: Array,
        y: Array,
        sample_weight: Sequence[Array] | None,
        rows: Sequence[Array] | None,
        size: int,
    ) -> None:
        self.trainings = list(trainings)
        self.X, self.y, self.size = X, y, size
        self.network = side_by_side([training.network for training in self.trainings])
        self.loss, self.loss_scale = self.trainings[0].loss, self.trainings[0].loss_scale
        self.rows = None if rows is None else np.stack([row_numbers(each, len(X)) for each in rows])
        self.n = len(X) if self.rows is None else self.rows.shape[1]
        self.weights = None
        if sample_weight is not None:
            is_one = all(weight is sample_weight[0] for weight in sample_weight)
            stack = np.stack(sample_weight[:1] if is_one else sample_weight)
            self.weights = stack.astype(self.network.dtype, copy=False)
        for training in self.trainings:
            if len(training.order) != self.n:
                training.order = np.arange(self.n)
            training.progress.n_steps = training.max_epochs * -(-self.n // size)
        self.orders = np.array([training.order for training in self.trainings], dtype=np.intp)
        equal = groupby(training.optimizer for training in self.trainings)
        self.optimizers = [
            MemberOptimizer(optimizer, sum(1 for _ in group)) for optimizer, group in equal
        ]
        self._bind()

    def _bind(self) -> None:
        """Create arrays of options, and memory, for the current trainings."""
        trainings, network, k = self.trainings, self.network, len(self.trainings)
        self.l2 = np.array([training.l2 for training in trainings])
        self.l1 = np.array([training.l1 for training in trainings])
        limits = [training.max_grad_norm for training in trainings]
        self.clips = any(limit is not None for limit in limits)
        self.limits = np.array([np.inf if limit is None else limit for limit in limits])
        self.mask_rngs = [training.mask_rng for training in trainings]
        self.order_of = list(self.orders)
        self.stepping = [each for each in trainings if each.schedule.updates == "step"]
        self.batches = Batches(self.X, self.y, None, k * min(self.size, self.n), network.dtype)
        whole = Workspace(network, min(self.size, self.n))
        self.works = {whole.n_rows: whole}
        if self.n % self.size:  # the shorter last batch
            self.works[self.n % self.size] = whole.head(self.n % self.size)
        self.scratch = np.empty((k, network.n_decayed), network.dtype)
        self.member = np.arange(k)[:, np.newaxis]
        if self.weights is not None and len(self.weights) == 1:  # the same for all
            self.member = np.zeros((k, 1), np.intp)
        self.W = network.params[:, : network.n_decayed]
        self.dW = network.grads[:, : network.n_decayed]
        self.penalties = {
            n: MemberPenalty(float(n), self.l2, self.l1, network.dtype) for n in self.works
        }
        start = 0
        for optimizer in self.optimizers:
            optimizer.bind(network, start)
            start += optimizer.k

    def epoch(self) -> list[EpochRecord]:
        """Train all networks for an epoch; return a record for each."""
        trainings, n, size, k = self.trainings, self.n, self.size, len(self.trainings)
        for training, order in zip(trainings, self.order_of):
            if training.shuffle:
                training.rng.shuffle(order)  # the same draws as for a permutation
        rows = self.orders if self.rows is None else np.take_along_axis(self.rows, self.orders, 1)
        sums, first_losses = np.zeros(k), np.zeros(k)
        self._take_rates()
        for start in range(0, n, size):
            stop = min(start + size, n)
            if self.stepping:
                for training in self.stepping:
                    training.learning_rate = training.rate()
                    training.progress.step += 1
                self._take_rates()
            losses = self.step(rows[:, start:stop], self.works[stop - start])
            if start == 0 or self.weights is not None:
                np.copyto(first_losses, losses, where=~(first_losses > 0))
            losses *= stop - start
            sums += losses
        for training, first_loss in zip(trainings, first_losses.tolist()):
            if math.isnan(training.first_loss):
                training.first_loss = first_loss
        norms = self.norms if self.clips else lengths(self.network.grads)
        return [
            self._record(training, loss, norm, clipped)
            for training, loss, norm, clipped in zip(
                trainings, (sums / n).tolist(), norms.tolist(), np.isfinite(self.limits).tolist()
            )
        ]

    def _record(self, training: Training, loss: float, norm: float, clipped: bool) -> EpochRecord:
        rate, progress = training.learning_rate, training.progress
        updates = training.schedule.updates
        progress.samples += self.n
        progress.epoch += 1
        if updates != "step":
            progress.step += -(-self.n // self.size)
        if updates == "epoch":
            training.learning_rate = training.rate()
        if clipped:
            training.norm = norm
        return EpochRecord(loss, rate, norm)

    def step(self, rows: Array, work: Workspace) -> Array:
        """Make one step of each member on its rows, of shape (k, n); return the losses before it.

        The same as `Training.step`, line by line.
        """
        network, (k, n) = self.network, rows.shape
        X, y, _ = self.batches.gather(rows.reshape(-1))
        X, y = X.reshape(k, n, -1), y.reshape(k, n, *y.shape[1:])
        if network.is_random:
            network.sample_masks(work, self.mask_rngs)
        weight, total, penalty = None, n, self.penalties[n]
        if self.weights is not None:
            weight = self.weights[self.member, rows]
            total = np.add.reduce(weight, axis=1).astype(np.float64)
            penalty = MemberPenalty(np.where(total == 0, n, total), self.l2, self.l1, network.dtype)
        raw = network.forward(X, work)
        values, delta = self.loss.values_and_gradient(
            y, raw, weight, total=total, out=work.delta, scratch=work.scratch
        )
        network.backward(delta, work)
        if network.running_stats.size:
            network.update_running_stats(work)
        values *= self.loss_scale
        if penalty.is_any:
            values += penalty(self.W, self.dW, self.scratch)
        if self.clips:
            self.norms = clip_norms(network.grads, self.limits)
        for optimizer in self.optimizers:
            optimizer.step()
        return values if weight is None else np.where(total == 0, 0.0, values)

    def _take_rates(self) -> None:
        """Set the learning rates of the optimizers."""
        rates, start = [training.learning_rate for training in self.trainings], 0
        for optimizer in self.optimizers:
            optimizer.set_rates(rates[start : start + optimizer.k])
            start += optimizer.k

    def write_back(self, i: int) -> None:
        """Copy the current parameters to the network of a training."""
        self.trainings[i].network.restore((self.network.params[i], self.network.running_stats[i]))

    def release(self, i: int) -> None:
        """Copy the current state to a training."""
        self.write_back(i)
        training, start = self.trainings[i], 0
        training.order = self.orders[i].copy()
        for optimizer in self.optimizers:
            if i < start + optimizer.k:
                training.optimizer = optimizer.of_member(i - start)
                return
            start += optimizer.k

    def keep(self, chosen: Sequence[int]) -> None:
        """Continue with some of the trainings, by ascending numbers; the others are released."""
        for i in set(range(len(self.trainings))).difference(chosen):
            self.release(i)
        self.trainings = [self.trainings[i] for i in chosen]
        if not self.trainings:
            return
        kept = list(chosen)
        self.network = self.network.members(kept)
        self.orders = self.orders[kept]
        self.rows = None if self.rows is None else self.rows[kept]
        if self.weights is not None and len(self.weights) > 1:
            self.weights = self.weights[kept]
        start, optimizers = 0, []
        for optimizer in self.optimizers:
            its_own = [i - start for i in kept if start <= i < start + optimizer.k]
            start += optimizer.k
            if its_own:
                optimizers.append(optimizer.of_members(its_own))
        self.optimizers = optimizers
        before = self.works
        self._bind()
        for n, work in before.items():
            for old, new in zip(work.buffers, self.works[n].buffers, strict=True):
                if isinstance(old, PoolBuffer) and isinstance(new, PoolBuffer):
                    new.pools = [old.pools[i] for i in kept]


class MemberPenalty:
    """`Penalty` for all members: ``l2 / 2 * ||W||^2 + l1 * sum |W|`` for each.

    Parameters
    ----------
    divisor : float, or ndarray of shape (k,)
        Number of rows of a batch, or the sum of their weights.
    l2, l1 : ndarray of shape (k,)
        Strengths, over all rows.
    dtype : dtype
        Dtype of the weights.
    """

    def __init__(self, divisor: Any, l2: Array, l1: Array, dtype: Any) -> None:
        self.l2, self.l1 = l2 / divisor, l1 / divisor
        self.l2_column, self.l1_column = (
            each.astype(dtype)[:, np.newaxis] for each in (self.l2, self.l1)
        )
        self.has_l2, self.has_l1 = bool(l2.any()), bool(l1.any())
        self.is_any = self.has_l2 or self.has_l1

    def __call__(self, W: Array, dW: Array, scratch: Array) -> Array:
        """Add the gradients to those of the weights, dW of shape (k, n_weights); return the penalties."""
        values = np.zeros(len(W))
        if self.has_l2:
            np.multiply(W, self.l2_column, out=scratch)
            dW += scratch
            values += 0.5 * self.l2 * dots(W, W)
        if self.has_l1:
            np.sign(W, out=scratch)
            values += self.l1 * dots(W, scratch)
            scratch *= self.l1_column
            dW += scratch
        return values


class MemberOptimizer:
    """One optimizer for adjacent members, whose vectors are one long vector.

    Parameters
    ----------
    optimizer : Optimizer
        The optimizer, for its options.
    k : int
        Number of members.
    """

    params: Array
    grads: Array
    W: Array
    factors: Array
    shrink: Array

    def __init__(self, optimizer: Optimizer, k: int) -> None:
        self.optimizer, self.k = optimizer.clone(), k
        self.rates: list[float] = []
        self.rate: float | Array = 0.0

    def bind(self, network: Any, start: int) -> None:
        """Bind views of the vectors of the members from ``start`` on."""
        members = slice(start, start + self.k)
        self.W = network.params[members, : network.n_decayed]
        self.params, self.grads = (
            vectors[members].reshape(-1) for vectors in (network.params, network.grads)
        )
        self.has_factors = network.factors is not None
        self.factors = network.factors if self.has_factors else np.ones(network.params.shape[1])

    def set_rates(self, rates: list[float]) -> None:
        """Set the learning rates: one number if they are equal, else one for each parameter."""
        if rates == self.rates:
            return
        self.rates, self.rate, dtype = rates, rates[0], self.params.dtype
        by_parameter = np.array(rates)[:, np.newaxis] * self.factors
        if self.has_factors or rates.count(rates[0]) < len(rates):
            self.rate = by_parameter.astype(dtype).reshape(-1)
        decay = by_parameter[:, : self.W.shape[1]] * self.optimizer.weight_decay
        self.shrink = (1 - decay).astype(dtype)

    def step(self) -> None:
        """Update the parameters of the members in place, each with its learning rate."""
        if self.optimizer.weight_decay:
            self.W *= self.shrink
        self.optimizer.step(self.params, self.grads, self.rate, n_weights=0)

    def of_members(self, chosen: list[int]) -> MemberOptimizer:
        """Return an optimizer for some of the members, with copies of their state."""
        other = MemberOptimizer(self.optimizer, len(chosen))
        other.optimizer = self._with_state(chosen)
        return other

    def of_member(self, i: int) -> Optimizer:
        """Return a separate optimizer for one member."""
        return self._with_state([i])

    def _with_state(self, chosen: list[int]) -> Optimizer:
        optimizer = copied(self.optimizer)
        vars(optimizer).pop("_scratch", None)
        if hasattr(optimizer, "state"):
            optimizer.state = {
                name: vector.reshape(self.k, -1)[chosen].reshape(-1)
                for name, vector in self.optimizer.state.items()
            }
        return optimizer


def dots(a: Array, b: Array) -> Array:
    """Return the scalar products of the rows of ``a`` and ``b``, as float64."""
    products: Array = np.matmul(a[:, np.newaxis], b[:, :, np.newaxis])
    return products.reshape(-1).astype(np.float64)


def lengths(vectors: Array) -> Array:
    """Return the norm of each row, also if its square overflows."""
    found = np.sqrt(dots(vectors, vectors))
    for i in np.flatnonzero(~np.isfinite(found)):
        found[i] = length(vectors[i])
    return found


def clip_norms(grads: Array, limits: Array) -> Array:
    """Scale each row down to its limit if its norm is larger; return the norms before."""
    norms = lengths(grads)
    long = norms > limits
    if long.any():
        plain = long & np.isfinite(norms)
        factors = np.ones(len(norms))
        np.divide(limits, norms, out=factors, where=plain)
        rest = np.flatnonzero((long & ~plain) | (factors == 0))
        factors[rest] = 1.0
        grads *= factors.astype(grads.dtype)[:, np.newaxis]
        for i in rest:
            clip_norm(grads[i], limits[i])
    return norms
