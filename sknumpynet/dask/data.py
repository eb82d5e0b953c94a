# SPDX-License-Identifier: BSD-3-Clause
"""The data of a fit whose rows are on workers: distributed evenly, and never sent to the client.

Dask's partitions become parts, which are checked, then blocks, which are encoded and of similar size. A
share is the blocks of one worker.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sknumpynet.dask.blocks import global_rows, make_block
from sknumpynet.fitting.data import FitData
from sknumpynet.fitting.rollback import quiet

# Smaller parts are copied together, up to this many bytes.
SMALL = 16 << 20


@dataclass(frozen=True)
class Share:
    """The blocks of one worker.

    Attributes
    ----------
    worker : str
        The worker that holds them. Blocks of a lost worker are computed again elsewhere.
    blocks : tuple of Future
        One for each `Block`.
    pieces : tuple
        The pieces of each block.
    """

    worker: str
    blocks: tuple = ()
    pieces: tuple = ()

    @property
    def n_rows(self):
        """Number of rows."""
        return sum(map(_n_rows, self.pieces))

    def global_rows(self):
        """Return the numbers of these rows, in the order of the blocks."""
        return global_rows([piece for pieces in self.pieces for piece in pieces])


def _n_rows(pieces):
    return sum(n for _, n in pieces)


@dataclass(frozen=True)
class ClusterData(FitData):
    """The data of a fit whose rows are on workers.

    ``X``, ``y``, ``targets`` and ``sample_weight`` are a few rows that represent all of them in checks: with
    the same columns and dtypes, all labels, the extremes of the numbers, and weights with the same sum.

    Attributes
    ----------
    cluster : Cluster
        The cluster that holds them.
    described : list of Description
        One for each partition.
    loaded : list of Future
        The result of `load` for each partition; empty once there are shares.
    recipe : Recipe
        How blocks are made from them.
    shares : list of Share or None
        One for each worker; None before `dealt_out`.
    total_weight : float
        Sum of the weights of all rows, times those of their classes; known once there are shares.
    """

    cluster: Any = None
    described: Any = ()
    loaded: Any = ()
    recipe: Any = None
    shares: Any = None
    total_weight: float = 0.0

    @property
    def total_rows(self):
        """Number of all rows, of which `rows` may be only a part."""
        return sum(each.n_rows for each in self.described)

    @property
    def n_rows(self):
        """Number of rows used."""
        return self.total_rows if self.rows is None else len(self.rows)

    def part(self, name):
        """Raise: the rows are on the workers."""
        raise NotImplementedError(f"{name} of rows on workers")

    def gathered(self, targets):
        """Return the weights of all rows, and on request the targets, in Dask's order, without X."""
        cluster = self.cluster
        blocks = [block for share in self.shares for block in share.blocks]
        pieces = [each for share in self.shares for each in share.pieces]
        found = cluster.results(
            [cluster.submit(_columns_of_block, block, targets) for block in blocks],
            "splitting the rows",
        )
        order = np.argsort(np.concatenate([global_rows(each) for each in pieces]))
        columns = [
            None if each[0] is None else np.concatenate(each)[order]
            for each in zip(*found, strict=True)
        ]
        return FitData(np.empty((len(order), 0)), None, columns[0], columns[1])

    def predictions_are_finite(self, network, loss, n_rows):
        """Return whether all predictions are finite, for all rows or the first ``n_rows`` of each block."""
        cluster = self.cluster
        rows = None if n_rows >= self.n_rows else n_rows
        blocks = [block for share in self.shares for block in share.blocks]
        network = cluster.for_tasks(network, len(blocks))
        finite = [
            cluster.submit(_predictions_are_finite, each, network, loss, rows) for each in blocks
        ]
        return all(cluster.results(finite, "looking at the predictions"))

    def loss_of_zeros(self, loss, n_outputs):
        """Return the sum of the losses of all rows if the network returns 0, and that of their weights."""
        blocks = [block for share in self.shares for block in share.blocks]
        sums = [self.cluster.submit(_loss_of_zeros, each, loss, n_outputs) for each in blocks]
        found = self.cluster.results(sums, "measuring the loss")
        return tuple(sum(column) for column in zip(*found, strict=True))

    def dealt_out(self):
        """Return the data with a share for each worker: blocks stay with their rows if shares stay even."""
        cluster = self.cluster
        workers = cluster.team()
        firsts = np.cumsum([0, *(each.n_rows for each in self.described)]).tolist()
        numbers = [i for i, each in enumerate(self.described) if each.n_rows]
        sizes = [self.described[i].n_rows for i in numbers]
        places = cluster.client.who_has([self.loaded[i] for i in numbers])
        homes = [places.get(self.loaded[i].key, ()) for i in numbers]
        shares, blocks = [], []
        for worker, dealt in zip(workers, deal(sizes, homes, workers), strict=True):
            groups = _grouped([numbers[i] for i in dealt], self.described)
            pieces = [
                tuple((firsts[i], self.described[i].n_rows) for i in group) for group in groups
            ]
            futures = [
                cluster.submit(
                    make_block,
                    [self.loaded[i] for i in group],
                    of_group,
                    self.recipe,
                    workers=[worker],
                    allow_other_workers=True,
                )
                for group, of_group in zip(groups, pieces, strict=True)
            ]
            shares.append(Share(worker, tuple(cluster.keep(futures)), tuple(pieces)))
            blocks += futures
        weights = [cluster.submit(_total_weight_of, block) for block in blocks]
        total = float(sum(cluster.results(weights, "encoding the rows")))
        cluster.drop(self.loaded)
        return replace(self, shares=shares, loaded=(), total_weight=total)

    def regrouped(self, workers):
        """Return the data with the same blocks assigned to other workers, without computing anything."""
        blocks = [
            (future, pieces, share.worker)
            for share in self.shares
            for future, pieces in zip(share.blocks, share.pieces, strict=True)
        ]
        blocks.sort(key=lambda block: block[1])
        sizes = [_n_rows(pieces) for _, pieces, _ in blocks]
        homes = [[worker] for _, _, worker in blocks]
        shares = [
            Share(worker, tuple(blocks[i][0] for i in dealt), tuple(blocks[i][1] for i in dealt))
            for worker, dealt in zip(workers, deal(sizes, homes, workers), strict=True)
        ]
        return replace(self, shares=shares)


def _columns_of_block(block, targets):
    return block.targets if targets else None, block.sample_weight


def _predictions_are_finite(block, network, loss, n_rows):
    data = FitData(block.X, None, block.targets)
    with quiet():
        return data.predictions_are_finite(network, loss, min(n_rows or block.n_rows, block.n_rows))


def _loss_of_zeros(block, loss, n_outputs):
    return FitData(block.X, None, block.targets, block.sample_weight).loss_of_zeros(loss, n_outputs)


def _total_weight_of(block):
    return block.total_weight


def _grouped(numbers, described):
    """Return the numbers of partitions in groups whose X takes at most `SMALL` bytes, or has one part."""
    groups, room = [], 0
    for number in numbers:
        n_bytes = described[number].n_bytes
        if not groups or n_bytes > room:
            groups.append([])
            room = SMALL
        groups[-1].append(number)
        room -= n_bytes
    return groups


def deal(sizes, homes, workers):
    """Return, for each worker, the numbers of its parts, in order.

    Parts stay where they are, in their order, until a worker has an even share; the others go, largest
    first, to the worker with the fewest rows.

    Parameters
    ----------
    sizes : list of int
        Rows of each part.
    homes : list of collections of str
        The workers that hold each part now.
    workers : list of str
        All workers.
    """
    even = sum(sizes) / len(workers)
    dealt, held = {worker: [] for worker in workers}, dict.fromkeys(workers, 0)
    left = []
    for number, (size, home) in enumerate(zip(sizes, homes, strict=True)):
        near = [w for w in workers if w in home and held[w] + size / 2 <= even]
        if near:
            dealt[near[0]].append(number)
            held[near[0]] += size
        else:
            left.append(number)
    for number in sorted(left, key=lambda number: -sizes[number]):
        worker = min(workers, key=held.__getitem__)
        dealt[worker].append(number)
        held[worker] += sizes[number]
    return [sorted(dealt[worker]) for worker in workers]
