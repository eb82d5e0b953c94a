# SPDX-License-Identifier: BSD-3-Clause
"""Trainings of networks of one shape, a step of all of them at a time.

What `Training.step` does to one network, `SideBySide.step` does to all: the same formulas, with an axis for
the members. Each training keeps what is its own, and has after an epoch what it would have alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.network.members import side_by_side
from sknumpynet.core.network.workspace import Workspace
from sknumpynet.core.optimizers.base import Optimizer
from sknumpynet.core.options import copied
from sknumpynet.core.training.batches import Batches
from sknumpynet.core.training.epochs import Training
from sknumpynet.core.training.history import EpochRecord
from sknumpynet.core.training.penalty import clip_norm, length


class SideBySide:
    """Trainings of networks of one shape, side by side.

    They have one loss, one kind of optimizer, and as many rows in as many batches; all else may differ. The
    networks of the trainings are out of date until `write_back`.

    Parameters
    ----------
    trainings : sequence of Training
        The trainings, those with equal optimizers next to each other. No step has been taken in any.
    X : ndarray of shape (n, n_features)
        Inputs.
    y : ndarray of shape (n, n_outputs), or (n,) of class indices
        Targets.
    sample_weight : list of ndarray of shape (n,), or None
        Weights of the rows, for each training.
    rows : list of ndarray of int, or None
        The rows to train on, for each training as many; None for all.
    size : int
        Rows of a batch.

    Attributes
    ----------
    trainings : list of Training
        Those that are trained.
    network : Network
        Their networks, side by side.

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
        self.rows = None if rows is None else np.stack(rows)
        self.n = len(X) if self.rows is None else self.rows.shape[1]
        self.weights = None
        if sample_weight is not None:
            self.weights = np.stack(sample_weight).astype(self.network.dtype, copy=False)
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
        """Make what follows from the trainings that there are: numbers as arrays, and memory."""
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
        self.works = {
            n: Workspace(network, n) for n in {min(self.size, self.n), self.n % self.size} if n
        }
        self.scratch = np.empty((k, network.n_decayed), network.dtype)
        self.member = np.arange(k)[:, np.newaxis]

    def epoch(self) -> list[EpochRecord]:
        """Train all networks for an epoch; return the record of each."""
        trainings, n, size, k = self.trainings, self.n, self.size, len(self.trainings)
        for training, order in zip(trainings, self.order_of):
            if training.shuffle:
                training.rng.shuffle(order)  # the draws of a permutation, whose order this is
        rows = self.orders if self.rows is None else np.take_along_axis(self.rows, self.orders, 1)
        sums = np.zeros(k)
        for start in range(0, n, size):
            stop = min(start + size, n)
            for training in self.stepping:
                training.learning_rate = training.rate()
                training.progress.step += 1
            losses = self.step(rows[:, start:stop], self.works[stop - start])
            losses *= stop - start
            sums += losses
        norms = self.norms if self.clips else lengths(self.network.grads)
        return [
            self._record(training, loss, norm, clipped)
            for training, loss, norm, clipped in zip(
                trainings, (sums / n).tolist(), norms.tolist(), np.isfinite(self.limits).tolist()
            )
        ]

    def _record(self, training: Training, loss: float, norm: float, clipped: bool) -> EpochRecord:
        rate, progress, updates = (
            training.learning_rate,
            training.progress,
            training.schedule.updates,
        )
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
        """Take one step of each member on its rows, of shape (k, n); return the losses from before it.

        As in `Training.step`, line by line.
        """
        network, (k, n) = self.network, rows.shape
        X, y, _ = self.batches.gather(rows.ravel())
        X, y = X.reshape(k, n, -1), y.reshape(k, n, *y.shape[1:])
        if network.is_random:
            network.sample_masks(work, self.mask_rngs)
        weight = None
        total: Any = n
        divisor: Any = np.float64(n)
        if self.weights is not None:
            weight = self.weights[self.member, rows]
            total = np.add.reduce(weight, axis=1).astype(np.float64)
            divisor = np.where(total == 0, n, total)
        raw = network.forward(X, work)
        values, delta = self.loss.values_and_gradient(
            y, raw, weight, total=total, out=work.delta, scratch=work.scratch
        )
        network.backward(delta, work)
        if network.running_stats.size:
            network.update_running_stats(work)
        values = values * self.loss_scale + self._add_penalty(divisor)
        if self.clips:
            self.norms = clip_norms(network.grads, self.limits)
        rates = [training.learning_rate for training in self.trainings]
        start = 0
        for optimizer in self.optimizers:
            stop = start + optimizer.k
            optimizer.step(network, slice(start, stop), rates[start:stop])
            start = stop
        return values if weight is None else np.where(total == 0, 0.0, values)

    def _add_penalty(self, divisor: Any) -> Any:
        """Add the gradients of the penalties, which are returned."""
        network, value = self.network, 0.0
        W, dW = network.params[:, : network.n_decayed], network.grads[:, : network.n_decayed]
        scratch, dtype = self.scratch, network.dtype
        if self.l2.any():
            l2 = self.l2 / divisor
            np.multiply(W, l2.astype(dtype)[:, np.newaxis], out=scratch)
            dW += scratch
            value = value + 0.5 * l2 * dots(W, W)
        if self.l1.any():
            l1 = self.l1 / divisor
            np.sign(W, out=scratch)
            value = value + l1 * dots(W, scratch)
            scratch *= l1.astype(dtype)[:, np.newaxis]
            dW += scratch
        return value

    def write_back(self, i: int) -> None:
        """Give the network of a training the parameters that it has by now."""
        self.trainings[i].network.restore((self.network.params[i], self.network.running_stats[i]))

    def release(self, i: int) -> None:
        """Give a training all that it would have alone by now."""
        self.write_back(i)
        training, start = self.trainings[i], 0
        training.order = self.orders[i].copy()
        for optimizer in self.optimizers:
            if i < start + optimizer.k:
                training.optimizer = optimizer.of_member(i - start)
                return
            start += optimizer.k

    def keep(self, chosen: Sequence[int]) -> None:
        """Go on with some of the trainings, by their numbers in rising order; the rest are released."""
        for i in set(range(len(self.trainings))).difference(chosen):
            self.release(i)
        self.trainings = [self.trainings[i] for i in chosen]
        if not self.trainings:
            return
        kept = list(chosen)
        self.network = self.network.members(kept)
        self.orders = self.orders[kept]
        self.rows = None if self.rows is None else self.rows[kept]
        self.weights = None if self.weights is None else self.weights[kept]
        start, optimizers = 0, []
        for optimizer in self.optimizers:
            its_own = [i - start for i in kept if start <= i < start + optimizer.k]
            start += optimizer.k
            if its_own:
                optimizers.append(optimizer.of_members(its_own))
        self.optimizers = optimizers
        self._bind()


class MemberOptimizer:
    """One optimizer for members next to each other, whose vectors are one long vector to it.

    Parameters
    ----------
    optimizer : Optimizer
        Its options.
    k : int
        Number of members.
    """

    def __init__(self, optimizer: Optimizer, k: int) -> None:
        self.optimizer, self.k = optimizer.clone(), k
        self.rates: list[float] = []
        self.rate: float | Array = 0.0

    def step(self, network: Any, members: slice, rates: list[float]) -> None:
        """Update the parameters of the members in place, each with its learning rate."""
        params, grads = network.params[members], network.grads[members]
        if rates != self.rates:
            self._set_rates(rates, network)
        if self.optimizer.weight_decay:
            W = params[:, : network.n_decayed]
            W *= self.keep
        self.optimizer.step(params.reshape(-1), grads.reshape(-1), self.rate, n_weights=0)

    def _set_rates(self, rates: list[float], network: Any) -> None:
        """Take over the learning rates: one number where they are equal, else one for each parameter."""
        column, factors = np.array(rates)[:, np.newaxis], network.factors
        self.rates, self.rate = rates, rates[0]
        by_parameter = (
            column * np.ones(network.params.shape[1]) if factors is None else column * factors
        )
        if factors is not None or rates.count(rates[0]) < len(rates):
            self.rate = by_parameter.astype(network.dtype).reshape(-1)
        keep = 1 - by_parameter[:, : network.n_decayed] * self.optimizer.weight_decay
        self.keep = keep.astype(network.dtype)

    def of_members(self, chosen: list[int]) -> MemberOptimizer:
        """Return the optimizer of some of the members, with copies of what it remembers of them."""
        other = MemberOptimizer(self.optimizer, len(chosen))
        other.optimizer = self._with_state(chosen)
        return other

    def of_member(self, i: int) -> Optimizer:
        """Return the optimizer that the member would have alone."""
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
    """Return the scalar product of each row of ``a`` with that of ``b``, as float64."""
    products: Array = np.matmul(a[:, np.newaxis], b[:, :, np.newaxis])
    return products.reshape(-1).astype(np.float64)


def lengths(vectors: Array) -> Array:
    """Return the length of each row, also where its square is beyond all floats."""
    found = np.sqrt(dots(vectors, vectors))
    for i in np.flatnonzero(~np.isfinite(found)):
        found[i] = length(vectors[i])
    return found


def clip_norms(grads: Array, limits: Array) -> Array:
    """Shorten each row to its limit where it is longer; return the lengths before."""
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
