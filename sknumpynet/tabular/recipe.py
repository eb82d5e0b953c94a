# SPDX-License-Identifier: BSD-3-Clause
"""The recipe: members with one held-out fold each, trained in cycles, stopped and weighted by held-out rows.

Member i never learns from the rows of fold i mod n_folds: they are in its batches with weight 0. Its
predictions for them are out of fold, and together the members predict every row, at no further cost.
A quarter of the rows of each fold is held out from the next member too. There, the gain of the mean of two
members over one is measured; it estimates the gain of the mean of all, and so when to stop.

The learning rate rises and falls once a cycle, and each cycle is twice as long as the one before. At the end
of a cycle, a snapshot of all members and their out-of-fold predictions are kept, and the fit may stop.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.fitting.rollback import warn
from sknumpynet.tabular.layers import BIAS_RATE, EMBEDDING_RATE, FREQUENCY_SPREAD, SCALE_RATE
from sknumpynet.tabular.objectives import Objective
from sknumpynet.tabular.pack import Adam, Pack, Shape, Workspace, raw_of

# A run stops whose criterion exceeds the best by more than this share, after one cycle, or two and more.
# With 4,000 rows, a run 0.2 above after the first cycle has won in the end; with 15,000 rows, none above has.
# ``embedding_margins="auto"`` uses these.
FAR_ABOVE = (0.3, 0.1)
FAR_ABOVE_MANY = (0.01,)  # the same with MANY rows
MANY = 10_000
PACK = 4  # maximum number of members that one thread trains together
# rows times units of all members of a pack, which should fit into the cache of a core
CACHED = 1 << 15
GATHERED = 32  # batches whose rows are gathered at once


@dataclass(frozen=True)
class Recipe:
    """The numbers of the recipe, documented in the estimators."""

    n_members: int = 8
    n_folds: int = 8
    hidden: tuple[int, ...] = (64, 64, 64)
    learning_rate: float = 0.04
    beta_1: float = 0.9
    beta_2: float = 0.95
    epsilon: float = 1e-8
    bias_rate_factor: float = BIAS_RATE
    embedding_rate_factor: float = EMBEDDING_RATE
    scale_rate_factor: float = SCALE_RATE
    weight_decay: float = 0.02
    dropout: float = 0.15
    n_cycles: int = 3
    least_gain: float = 0.01
    extra_cycle_gain: float = 0.05
    n_frequencies: int = 16
    n_embedded: int = 3
    frequency: float = 1.0
    frequency_spread: float = FREQUENCY_SPREAD
    embed: str | bool = "auto"
    max_embedded: int = 100
    embedding_margins: str | tuple[float, ...] = "auto"
    batch_size: int | str = "auto"
    first_cycle: int | str = "auto"
    min_steps: int = 120
    n_picks: int = 8
    snapshot_gain: float = 0.001
    max_time: float | None = None
    n_threads: int = 1
    dtype: Any = np.float32


@dataclass
class Rows:
    """Inputs X (n, d), targets y, weights (n,), and folds (n,), -1 for rows that all members see.

    ``second`` (n,) is another fold whose members do not see the row, or -1. ``own``, (folds, n, c), are
    further inputs, for the members that do not see each fold.
    """

    X: Array
    y: Array
    weight: Array
    fold: Array
    second: Array | None = None
    own: Array | None = None

    def inputs(self, chosen: Array | slice, fold: int = 0) -> Array:
        """Return the inputs of some rows for the members that do not see a fold."""
        if self.own is None:
            return self.X[chosen]
        return np.hstack([self.X[chosen], self.own[fold, chosen]])

    def pairs(self) -> Array | None:
        """Return the rows that members of two folds do not see."""
        return None if self.second is None else np.flatnonzero(self.second >= 0)


PLAIN = ("criterion", "cycle", "n_epochs", "seconds")  # of a snapshot


@dataclass
class Snapshot:
    """Members at the end of a cycle, and predictions (m, n, outputs) for rows that they have not seen."""

    pack: Pack
    unseen: Array
    criterion: float
    cycle: int
    n_epochs: int
    seconds: float

    def state(self) -> dict[str, Any]:
        """Return it as arrays and plain values."""
        rest = {name: getattr(self, name) for name in PLAIN}
        embeds = self.pack.shape.embeds()
        return {"embeds": embeds, "params": self.pack.params, "unseen": self.unseen, **rest}


class Stopped(Exception):
    """Raised in threads when the fit is abandoned."""


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


def batch_size_of(recipe: Recipe, n: int) -> int:
    """Rows of a batch, as set in the recipe."""
    return batch_size_for(n) if recipe.batch_size == "auto" else min(n, int(recipe.batch_size))


def pack_size(batch_size: int, width: int) -> int:
    """Members to train together: many for few rows and units, otherwise one at a time.

    Two are not worth it: a member alone skips the rows that it does not see.
    """
    size = min(PACK, CACHED // (batch_size * width))
    return size if size > 2 else 1


def first_cycle_for(n: int, batch_size: int, min_steps: int = 120) -> int:
    """Epochs of the first cycle: fewer with more rows, but a minimum number of steps."""
    epochs = 4 if n < 10_000 else 3 if n < 30_000 else 2 if n < 60_000 else 1
    return max(epochs, math.ceil(min_steps / max(1, n // batch_size)))


class Group:
    """Some members, trained together by one thread."""

    def __init__(
        self,
        rows: Rows,
        objective: Objective,
        recipe: Recipe,
        shape: Shape,
        blind: Array,
        seed: Any,
    ) -> None:
        self.rows, self.objective, self.recipe, self.blind = rows, objective, recipe, blind
        self.rng = rng = np.random.default_rng(seed)
        n = len(rows.X)
        self.batch_size = batch_size_of(recipe, n)
        self.pack = Pack(shape, len(blind), recipe.dtype)
        start = rng.permutation(n)[:512]
        self.pack.reset_parameters(rows.X[start], rng, self._own(start))
        # from the mean: exp(raw) of raw ~ N(0, 1) and dropout is far away
        if objective.loss.link == "exp":
            self.pack.dense[-1].W[...] = 0
            self.pack.dense[-1].b[...] = 0
        self.optimizer = Adam(
            self.pack,
            recipe.beta_1,
            recipe.beta_2,
            recipe.epsilon,
            recipe.bias_rate_factor,
            recipe.embedding_rate_factor,
            recipe.scale_rate_factor,
        )
        self.work = Workspace(self.pack, self.batch_size, rng=rng)
        scale = 1 / (self.batch_size * rows.weight.mean())
        self.weight = (rows.weight * scale).astype(recipe.dtype)

    def _own(self, batch: Array) -> Array | None:
        own = self.rows.own
        return None if own is None else own[self.blind[:, np.newaxis], batch].swapaxes(1, 2)

    def state(self) -> dict[str, Any]:
        """Return the state needed to resume after a cycle: arrays and plain values."""
        return {
            "params": self.pack.params,
            "optimizer": self.optimizer.state(),
            "dropout": self.work.state(),
            "rng": self.rng.bit_generator.state,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore a state."""
        self.pack.params[...] = state["params"]
        self.optimizer.set_state(state["optimizer"])
        self.work.set_state(state["dropout"])
        self.rng.bit_generator.state = state["rng"]

    def _drawn_from(self) -> Array:
        """Return the rows of the batches: a member alone skips those that it does not see."""
        rows = self.rows
        if len(self.blind) == 1:
            seen = rows.fold != self.blind
            if rows.second is not None:
                seen &= rows.second != self.blind
            chosen = np.flatnonzero(seen)
            if len(chosen) >= self.batch_size:
                return chosen
        return np.arange(len(rows.X))

    def train_cycle(self, n_epochs: int, order_seed: Any, stop: threading.Event) -> None:
        """Train for one rise and fall of the rate; groups of one seed draw the same batches."""
        rows, B = self.rows, self.batch_size
        chosen = self._drawn_from()
        n = len(chosen)
        n_batches = n // B
        X = np.empty((min(GATHERED, n_batches) * B, rows.X.shape[1]), self.recipe.dtype)
        rng = np.random.default_rng(order_seed)
        blind = self.blind[:, np.newaxis]
        step, n_steps = 0, n_epochs * n_batches
        for _ in range(n_epochs):
            if stop.is_set():
                raise Stopped
            order = chosen[rng.permutation(n)[: n_batches * B]]
            for first in range(0, len(order), GATHERED * B):
                part = order[first : first + GATHERED * B]
                # "clip" writes directly to X, without a copy
                np.take(rows.X, part, axis=0, out=X[: len(part)], mode="clip")
                y = rows.y[part]
                seen = (rows.fold[part] != blind) * self.weight[part]
                if rows.second is not None:
                    np.multiply(seen, rows.second[part] != blind, out=seen)
                for start in range(0, len(part), B):
                    batch = slice(start, start + B)
                    t = (step + 0.5) / n_steps
                    own = self._own(part[batch])
                    self.step(X[batch], own, y[batch], seen[:, batch], bump(t), flat_cos(t))
                    step += 1

    def step(
        self, x: Array, own: Array | None, y: Array, seen: Array, rate: float, regularize: float
    ) -> None:
        """Take one step on a batch; ``seen``, (k, n), are the weights of its rows for each member."""
        recipe, work, pack = self.recipe, self.work, self.pack
        work.draw_masks(recipe.dropout * regularize)
        raw = pack.forward(x, work, own)
        self.objective.write_delta(y, raw, work.delta, work.scratch)
        np.multiply(work.delta, seen[:, :, np.newaxis], out=work.delta)
        pack.backward(x, work.delta, work)
        self.optimizer.step(recipe.learning_rate * rate, recipe.weight_decay * regularize)


class Run:
    """All members of one shape on their way through the cycles."""

    def __init__(
        self,
        rows: Rows,
        unseen: Rows | None,
        objective: Objective,
        recipe: Recipe,
        n_embedded: int,
        seed: np.random.SeedSequence,
    ) -> None:
        self.rows, self.unseen, self.objective, self.recipe = rows, unseen, objective, recipe
        self.shape = shape = Shape(
            n_embedded,
            rows.X.shape[1],
            objective.n_outputs,
            recipe.hidden,
            recipe.n_frequencies,
            recipe.n_embedded,
            recipe.frequency,
            0 if rows.own is None else rows.own.shape[2],
            recipe.frequency_spread,
        )
        self.blind = np.arange(recipe.n_members) % recipe.n_folds
        size = pack_size(batch_size_of(recipe, len(rows.X)), max(recipe.hidden))
        parts = [self.blind[i : i + size] for i in range(0, recipe.n_members, size)]
        self.order_seed, *seeds = seed.spawn(1 + len(parts))
        self.groups = [
            Group(rows, objective, recipe, shape, blind, one) for blind, one in zip(parts, seeds)
        ]
        self.snapshots: list[Snapshot] = []

    def state(self) -> list[dict[str, Any]]:
        """Return the state needed to resume after a cycle, without the snapshots."""
        return [group.state() for group in self.groups]

    def set_state(self, states: list[dict[str, Any]], snapshots: list[Snapshot]) -> None:
        """Restore a state, with the snapshots up to it."""
        for group, state in zip(self.groups, states, strict=True):
            group.set_state(state)
        self.snapshots = snapshots
        self.order_seed.spawn(len(snapshots))  # those of completed cycles

    def train_cycle(self, n_epochs: int) -> None:
        """Train all groups for a cycle, on threads if there are several."""
        order_seed, stop = self.order_seed.spawn(1)[0], threading.Event()
        if self.recipe.n_threads == 1 or len(self.groups) == 1:
            for group in self.groups:
                group.train_cycle(n_epochs, order_seed, stop)
            return
        with ThreadPoolExecutor(min(self.recipe.n_threads, len(self.groups))) as threads:
            try:
                list(
                    threads.map(
                        lambda one: one.train_cycle(n_epochs, order_seed, stop), self.groups
                    )
                )
            except BaseException:
                stop.set()
                raise

    def evaluate(self, cycle: int, n_epochs: int, seconds: float) -> Snapshot:
        """Take a snapshot, with predictions for rows by members that were not trained on them."""
        recipe, objective = self.recipe, self.objective
        pack = Pack.joined([group.pack for group in self.groups])
        if self.unseen is not None:
            rows = self.unseen
            predictions = objective.predictions(raw_of(pack, rows.inputs(slice(None)))).mean(
                axis=0
            )[np.newaxis]
        else:
            rows = self.rows
            predictions = self._out_of_fold(pack, rows)
        criterion = objective.criterion(
            rows.y, rows.weight, predictions, recipe.n_members, rows.pairs()
        )
        snapshot = Snapshot(pack, predictions, criterion, cycle, n_epochs, seconds)
        self.snapshots.append(snapshot)
        return snapshot

    def _out_of_fold(self, pack: Pack, rows: Rows) -> Array:
        recipe, objective = self.recipe, self.objective
        m = recipe.n_members // recipe.n_folds
        predictions = np.zeros((m, len(rows.X), objective.n_outputs))
        others = np.zeros_like(predictions[:1])
        for fold in range(recipe.n_folds):
            blind = pack.members(np.flatnonzero(self.blind == fold)[:m])
            held_out = np.flatnonzero(rows.fold == fold)
            predictions[:, held_out] = objective.predictions(
                raw_of(blind, rows.inputs(held_out, fold))
            )
            if rows.second is not None:
                too = np.flatnonzero(rows.second == fold)
                others[0, too] = objective.predictions(raw_of(blind, rows.inputs(too, fold)))[0]
        return predictions if rows.second is None else np.concatenate([predictions, others])


def greedy_weights(
    snapshots: list[Snapshot],
    rows: Rows,
    objective: Objective,
    n_picks: int,
    n_members: int,
    gain: float = 0.0,
) -> Array:
    """Return weights of the snapshots: pick, with replacement, the one that lowers the criterion most.

    One more snapshot costs time in every prediction: it must lower the criterion by a minimum share.
    Caruana et al.: Ensemble selection from libraries of models (ICML 2004).
    """
    counts = np.zeros(len(snapshots))
    total = np.zeros_like(snapshots[0].unseen)
    best = math.inf
    for picked in range(n_picks):
        values = np.array(
            [
                objective.criterion(
                    rows.y,
                    rows.weight,
                    (total + each.unseen) / (picked + 1),
                    n_members,
                    rows.pairs(),
                )
                for each in snapshots
            ]
        )
        judged = values + np.where(counts > 0, 0, gain * abs(best) if picked else 0)
        if np.isnan(judged).all():
            break
        choice = int(np.nanargmin(judged))
        if judged[choice] >= best:
            break
        best = float(values[choice])
        counts[choice] += 1
        total += snapshots[choice].unseen
    if not counts.any():  # a criterion that is not a number
        counts[-1] = 1
    weights: Array = counts / counts.sum()
    return weights


class NoHooks:
    """The hooks that `fit_recipe` calls around each cycle of each run; these do nothing."""

    get_state: Callable[[], dict[str, Any]] | None = None

    def begin_epoch(self) -> None:
        """Called when a cycle begins."""

    def end_epoch(self, snapshots: list[Snapshot]) -> bool:
        """Look at the snapshots so far, and return whether to stop."""
        return False

    def count_as_done(self, n_cycles: int) -> None:
        """Called with the completed cycles when a fit is resumed."""


def fit_recipe(
    rows: Rows,
    unseen: Rows | None,
    objective: Objective,
    recipe: Recipe,
    n_numeric: int,
    seed: int,
    report: Callable[[Snapshot], Any] = lambda snapshot: None,
    hooks: Any = None,
    kept: dict[str, Any] | None = None,
) -> tuple[list[Snapshot], Array, str]:
    """Train, and return the snapshots, their weights, and why it ended.

    Parameters
    ----------
    rows : Rows
        The training rows; with folds, unless ``unseen`` is given.
    unseen : Rows or None
        Validation rows, used instead of folds.
    objective, recipe
        The targets and loss, and how to train.
    n_numeric : int
        Columns at the left of X to embed.
    seed : int
        Seed of everything that is random.
    report : callable
        Called with each snapshot; a true return value is a reason to stop.
    hooks : NoHooks or Course, default=None
        Called before and after each cycle of each run; with ``get_state``, which returns the state then.
    kept : dict, default=None
        Such a state, from which to resume.
    """
    hooks = NoHooks() if hooks is None else hooks
    embeds = n_numeric > 0 and recipe.n_frequencies > 0 and recipe.embed is not False
    tries = [n_numeric if embeds else 0]
    if embeds and recipe.embed == "auto":
        tries = [n_numeric, 0] if n_numeric <= recipe.max_embedded else [0]
    seeds = np.random.SeedSequence(seed).spawn(len(tries))
    runs = [Run(rows, unseen, objective, recipe, n, one) for n, one in zip(tries, seeds)]
    first = recipe.first_cycle
    if first == "auto":
        first = first_cycle_for(len(rows.X), runs[0].groups[0].batch_size, recipe.min_steps)
    snapshots: list[Snapshot] = []
    alive, reason, cycle, done, reasons, before = runs, "", 0, 0, [""], 0.0
    if kept is not None:
        snapshots = snapshots_of(kept["snapshots"], runs)
        alive, cycle, done = [runs[i] for i in kept["alive"]], kept["cycle"], kept["done"]
        reason, before = kept["reason"], kept["seconds"]
        for run, groups in zip(alive, kept["runs"], strict=True):
            run.set_state(groups, [one for one in snapshots if one.pack.shape == run.shape])
        hooks.count_as_done(len(snapshots))
    start = perf_counter() - before

    def state() -> dict[str, Any]:
        return {
            "snapshots": [one.state() for one in snapshots],
            "alive": [runs.index(run) for run in alive],
            "runs": [run.state() for run in alive],
            "cycle": cycle,
            "done": done,
            "reason": reason,
            "seconds": perf_counter() - start,
        }

    hooks.get_state = state
    try:
        while alive:
            for run in alive[done:]:
                hooks.begin_epoch()
                run.train_cycle(int(first) << cycle)
                snapshot = run.evaluate(cycle, int(first) << cycle, perf_counter() - start)
                check_finite(snapshot, recipe)
                snapshots.append(snapshot)
                done += 1
                reason = report(snapshot) or reason
                if hooks.end_epoch(snapshots):
                    reason = "callback"
            cycle, done = cycle + 1, 0
            reason = reason or out_of_time(recipe, perf_counter() - start)
            if reason:
                break
            alive = promising(alive, recipe.embedding_margins)
            reasons = [enough(run.snapshots, recipe) for run in alive]
            alive = [run for run, why in zip(alive, reasons) if not why]
        reason = reason or reasons[0]
    except KeyboardInterrupt:
        if not snapshots:
            raise
        reason = "interrupted"
    selection = rows if unseen is None else unseen
    if any(math.isnan(one.criterion) for one in snapshots):
        warn(
            "scoring gave NaN on rows that were not seen, so it could not decide when to stop and what the "
            "snapshots weigh. Give another scoring, or scoring=None for the loss"
        )
    weights = greedy_weights(
        snapshots, selection, objective, recipe.n_picks, recipe.n_members, recipe.snapshot_gain
    )
    return snapshots, weights, reason


def snapshots_of(states: list[dict[str, Any]], runs: list[Run]) -> list[Snapshot]:
    """Return the snapshots from the plain values of `Snapshot.state`."""
    shapes = {run.shape.embeds(): run.shape for run in runs}
    found = []
    for state in states:
        shape, n_members = shapes[state["embeds"]], runs[0].recipe.n_members
        pack = Pack(shape, n_members, state["params"].dtype, state["params"], training=False)
        rest = {name: state[name] for name in PLAIN}
        found.append(Snapshot(pack, state["unseen"], **rest))
    return found


def promising(runs: list[Run], margins: str | tuple[float, ...] = "auto") -> list[Run]:
    """Return the runs whose criterion is not far above the best: the margin of cycle i, or the last one."""
    last = [run.snapshots[-1].criterion for run in runs]
    best, cycle = min(last), len(runs[0].snapshots)
    if isinstance(margins, str):
        margins = FAR_ABOVE if len(runs[0].rows.X) < MANY else FAR_ABOVE_MANY
    worst = best + margins[min(cycle, len(margins)) - 1] * abs(best)
    return [run for run, each in zip(runs, last) if each <= worst] or runs  # all are nan


def check_finite(snapshot: Snapshot, recipe: Recipe) -> None:
    """Raise if members have diverged: their mean would be NaN in every row."""
    if np.isfinite(snapshot.pack.params).all() and np.isfinite(snapshot.unseen).all():
        return
    raise ValueError(
        f"Training diverged in cycle {snapshot.cycle + 1}: there are weights or predictions that are not "
        f"finite. Give a lower learning_rate (now {recipe.learning_rate:g}), weight_decay "
        f"({recipe.weight_decay:g}) or scale_rate_factor ({recipe.scale_rate_factor:g})"
    )


def out_of_time(recipe: Recipe, seconds: float) -> str:
    """Return a reason to stop once the time is up."""
    return "max_time" if recipe.max_time is not None and seconds >= recipe.max_time else ""


def enough(snapshots: list[Snapshot], recipe: Recipe) -> str:
    """Return a reason to stop after a cycle, or nothing.

    At least two cycles; then more while the last one reduced the criterion by more than ``least_gain``, and
    one more than planned if it reduced it by more than ``extra_cycle_gain``.
    """
    n = len(snapshots)
    if n >= 2:
        before, last = snapshots[-2].criterion, snapshots[-1].criterion
        if not before - last > recipe.least_gain * abs(before):
            return "no improvement"
        if n == recipe.n_cycles and before - last > recipe.extra_cycle_gain * abs(before):
            return ""
    return "n_cycles" if n >= recipe.n_cycles else ""
