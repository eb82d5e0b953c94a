# SPDX-License-Identifier: BSD-3-Clause
"""The recipe: members blind to a fold each, trained in cycles, stopped and weighted by what they did not see.

Member i never learns from the rows of fold i mod n_folds: they are in its batches, with weight nothing. Its
predictions there are therefore honest, and together the members predict every row out of fold, for free.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

from sknumpynet.core.options import Array
from sknumpynet.tabular.objectives import Objective
from sknumpynet.tabular.pack import Adam, Pack, Shape, Workspace


@dataclass(frozen=True)
class Options:
    """The numbers of the recipe; the estimators say what each is."""

    n_members: int = 8
    n_folds: int = 8
    hidden: tuple[int, ...] = (64, 64, 64)
    learning_rate: float = 0.04
    weight_decay: float = 0.02
    dropout: float = 0.15
    n_cycles: int = 3
    extra_cycle_gain: float = 0.05
    n_frequencies: int = 16
    n_embedded: int = 3
    frequency: float = 1.0
    embed: str | bool = "try"
    batch_size: int | str = "auto"
    first_cycle: int | str = "auto"
    n_picks: int = 8
    dtype: Any = np.float32


@dataclass
class Data:
    """Rows to learn from, X (n, d) with the numbers to embed at the left, y, weights, folds."""

    X: Array
    y: Array
    weight: Array
    fold: Array
    n_numeric: int


@dataclass
class Snapshot:
    """Members as they were at the end of a cycle, and their out-of-fold predictions, (m, n, outputs)."""

    pack: Pack
    oof: Array
    criterion: float
    cycle: int


def bump(t: float) -> float:
    """The rate within a cycle, as a share of the highest: 0 -> 1 -> 0 for t from 0 to 1."""
    return 0.5 * (1 - math.cos(2 * math.pi * t))


def flat_cos(t: float) -> float:
    """Decay and dropout within a cycle: 1 for its first half, then down to 0 along a cosine."""
    return 0.5 * (1 + math.cos(math.pi * (max(1.0, 2 * t) - 1)))


def batch_size_for(n: int) -> int:
    """Rows of a batch."""
    for limit, size in ((300, 32), (1000, 64), (15_000, 128), (50_000, 256), (200_000, 512)):
        if n < limit:
            return min(n, size)
    return 1024


def first_cycle_for(n: int, batch_size: int) -> int:
    """Epochs of the first cycle: at least 120 steps, fewer epochs of more rows."""
    epochs = 4 if n < 10_000 else 3 if n < 30_000 else 2 if n < 60_000 else 1
    return max(epochs, math.ceil(120 / max(1, n // batch_size)))


class Run:
    """The members of one shape on their way through the cycles."""

    def __init__(
        self, data: Data, objective: Objective, options: Options, embed: bool, rng: np.random.Generator
    ) -> None:
        self.data, self.objective, self.options, self.rng = data, objective, options, rng
        n, d = data.X.shape
        self.shape = Shape(
            data.n_numeric if embed else 0,
            d,
            objective.n_outputs,
            options.hidden,
            options.n_frequencies,
            options.n_embedded,
            options.frequency,
        )
        k = options.n_members
        self.batch_size = (
            batch_size_for(n) if options.batch_size == "auto" else min(n, options.batch_size)
        )
        self.pack = Pack(self.shape, k, options.dtype)
        self.pack.reset_parameters(data.X[rng.permutation(n)[:512]], rng)
        self.optimizer = Adam(self.pack)
        self.work = Workspace(self.pack, self.batch_size, rng=rng)
        self.blind = np.arange(k) % options.n_folds
        self.snapshots: list[Snapshot] = []

    def train_cycle(self, n_epochs: int) -> None:
        """Train for one rise and fall of the rate."""
        data, options = self.data, self.options
        n, B = len(data.X), self.batch_size
        n_batches = n // B
        share = options.n_folds / max(1, options.n_folds - 1)
        weight = (data.weight * (share / (B * data.weight.mean()))).astype(options.dtype)
        x = np.empty((B, data.X.shape[1]), options.dtype)
        step, n_steps = 0, n_epochs * n_batches
        for _ in range(n_epochs):
            order = self.rng.permutation(n)
            for start in range(0, n_batches * B, B):
                t = (step + 0.5) / n_steps
                rows = order[start : start + B]
                np.take(data.X, rows, axis=0, out=x, mode="clip")
                seen = (data.fold[rows] != self.blind[:, np.newaxis]) * weight[rows]  # (k, B)
                self.step(x, data.y[rows], seen, bump(t), flat_cos(t))
                step += 1

    def step(self, x: Array, y: Array, seen: Array, rate: float, regularize: float) -> None:
        """One step of Adam on a batch; ``seen`` are the weights of its rows for each member."""
        options, work, pack = self.options, self.work, self.pack
        work.draw_masks(options.dropout * regularize)
        raw = pack.forward(x, work)
        self.objective.write_delta(y, raw, work.delta, work.scratch)
        np.multiply(work.delta, seen[:, :, np.newaxis], out=work.delta)
        pack.backward(x, work.delta, work)
        self.optimizer.step(options.learning_rate * rate, options.weight_decay * regularize)

    def evaluate(self, cycle: int) -> Snapshot:
        """Take a snapshot, with predictions of each row by the members that have not learned from it."""
        data, options = self.data, self.options
        m = options.n_members // options.n_folds
        oof = np.zeros((m, len(data.X), self.objective.n_outputs))
        for fold in range(options.n_folds):
            rows = np.flatnonzero(data.fold == fold)
            blind = self.pack.members(np.flatnonzero(self.blind == fold))
            oof[:, rows] = self.objective.predictions(raw_of(blind, data.X[rows]))
        criterion = self.objective.criterion(data.y, data.weight, oof, options.n_members)
        snapshot = Snapshot(self.pack.members(slice(None)), oof, criterion, cycle)
        self.snapshots.append(snapshot)
        return snapshot


BLOCK = 64


def raw_of(pack: Pack, X: Array, block: int = BLOCK) -> Array:
    """Return ``raw``, of shape (k, n, outputs), computed in blocks of rows of one size.

    BLAS rounds a row's products by the shape of its block, never by the rows beside it.
    """
    n = len(X)
    raw = np.empty((pack.n_members, n, pack.shape.n_outputs), pack.dtype)
    work = Workspace(pack, block, training=False)
    for start in range(0, n, block):
        x = X[start : start + block]
        if len(x) < block:
            x = np.concatenate([x, np.zeros((block - len(x), X.shape[1]), X.dtype)])
        stop = min(start + block, n)
        raw[:, start:stop] = pack.forward(x, work)[:, : stop - start]
    return raw


def greedy_weights(
    snapshots: list[Snapshot], data: Data, objective: Objective, n_picks: int, n_members: int
) -> Array:
    """Return the weights of the snapshots: pick, with replacement, the one that lowers the criterion most.

    Caruana et al.: Ensemble selection from libraries of models (ICML 2004).
    """
    counts = np.zeros(len(snapshots))
    total = np.zeros_like(snapshots[0].oof)
    best = math.inf
    for picked in range(n_picks):
        values = [
            objective.criterion(data.y, data.weight, (total + each.oof) / (picked + 1), n_members)
            for each in snapshots
        ]
        if min(values) >= best:
            break
        best = min(values)
        choice = int(np.argmin(values))
        counts[choice] += 1
        total += snapshots[choice].oof
    return counts / counts.sum()


def fit_recipe(
    data: Data, objective: Objective, options: Options, seed: Any, log: Callable[..., None] | None = None
) -> tuple[list[Snapshot], Array]:
    """Train, and return snapshots with their weights."""
    rng = np.random.default_rng(seed)
    embeds = data.n_numeric > 0 and options.n_frequencies > 0
    tries = [True, False] if embeds and options.embed == "try" else [embeds and bool(options.embed)]
    runs = [Run(data, objective, options, embed, rng) for embed in tries]
    n_epochs = (
        first_cycle_for(len(data.X), runs[0].batch_size)
        if options.first_cycle == "auto"
        else options.first_cycle
    )
    snapshots: list[Snapshot] = []
    cycle = 0
    alive = runs
    while True:
        for run in alive:
            run.train_cycle(n_epochs << cycle)
            snapshots.append(run.evaluate(cycle))
            if log:
                log(run, snapshots[-1])
        cycle += 1
        if cycle >= 2 or cycle >= options.n_cycles:
            if len(alive) > 1:
                alive = [min(alive, key=lambda run: run.snapshots[-1].criterion)]
            before, last = (each.criterion for each in alive[0].snapshots[-2:])
            gain = 1 - last / before if before > 0 else 0.0
            if gain < 0 or (cycle >= options.n_cycles and gain <= options.extra_cycle_gain):
                break
            if cycle > options.n_cycles:
                break
    weights = greedy_weights(snapshots, data, objective, options.n_picks, options.n_members)
    return snapshots, weights
