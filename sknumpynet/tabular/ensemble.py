# SPDX-License-Identifier: BSD-3-Clause
"""The result of a fit: packs, the weights of their snapshots, and the predictions of their members."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.tabular.objectives import Objective, tempered
from sknumpynet.tabular.pack import Pack, Shape, blocks, division
from sknumpynet.tabular.recipe import Snapshot


class Ensemble:
    """Members of several snapshots: predictions are means over members of weighted means over snapshots.

    Parameters
    ----------
    snapshots : list of Snapshot
        Candidates; those without weight are dropped.
    weights : ndarray
        Weights of the snapshots, which sum to 1.
    objective : Objective
        Its link converts raw outputs to predictions.
    temperature : float, default=1
        Temperature of the probabilities of classes.
    """

    def __init__(
        self,
        snapshots: list[Snapshot],
        weights: Array,
        objective: Objective,
        temperature: float = 1.0,
    ) -> None:
        self.objective, self.temperature = objective, temperature
        self.n_members = snapshots[0].pack.n_members
        by_shape: dict[Shape, tuple[list[Pack], list[float]]] = {}
        for snapshot, weight in zip(snapshots, weights):
            if weight > 0:
                packs, own = by_shape.setdefault(snapshot.pack.shape, ([], []))
                packs.append(snapshot.pack)
                own.append(float(weight))
        self.packs = [Pack.joined(packs) for packs, _ in by_shape.values()]
        self.weights = [np.array(own) for _, own in by_shape.values()]

    def blocks(self, X: Array) -> Iterator[tuple[slice, Array]]:
        """Yield slices of rows and the predictions of each member, float64 of shape (k, rows, outputs)."""
        divided = division(self.packs, len(X))  # the same for all, so that blocks match
        for parts in zip(*(blocks(pack, X, divided) for pack in self.packs), strict=True):
            total = np.zeros(())
            for (_, raw), weights in zip(parts, self.weights):
                each = self.objective.predictions(raw)
                each = each.reshape(len(weights), self.n_members, *each.shape[1:])
                total = total + np.einsum("s,skno->kno", weights, each)
            yield parts[0][0], total

    def members(self, X: Array) -> Array:
        """Return the predictions of each member, float64 of shape (k, n, outputs)."""
        return np.concatenate([each for _, each in self.blocks(X)], axis=1)

    def predict(self, X: Array) -> Array:
        """Return the mean over members, (n, outputs); probabilities at the temperature."""
        mean = np.concatenate([mean_of(each) for _, each in self.blocks(X)])
        return mean if self.temperature == 1 else tempered(mean, self.temperature)

    @property
    def n_params(self) -> int:
        """Number of parameters of all snapshots."""
        return sum(pack.n_params for pack in self.packs)


def mean_of(members: Array) -> Array:
    """Return the mean of predictions (k, n, outputs) over members, one after another.

    NumPy's mean adds the members of a single number in another order than those of several.
    """
    total: Array = members[0].copy()
    for each in members[1:]:
        np.add(total, each, out=total)
    return np.divide(total, len(members), out=total)


def deviation_of(members: Array) -> Array:
    """Return the standard deviation of predictions (k, n, outputs) over members."""
    return np.sqrt(mean_of((members - mean_of(members)) ** 2))
