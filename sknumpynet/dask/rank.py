# SPDX-License-Identifier: BSD-3-Clause
"""A rank: one worker's part of a fit in minibatches, which runs rounds of epochs with the other ranks.

All ranks hold the same network and the same optimizer, draw the same order of the rows, and take the same
steps. Each computes with the rows that it holds.
"""

from __future__ import annotations

import pickle
import threading
import time
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from distributed import get_worker, secede

from sknumpynet.core.training.batches import HeldBatches
from sknumpynet.core.training.epochs import shuffled
from sknumpynet.core.training.history import Patience
from sknumpynet.dask.comm import POLL, RankLost, Ranks, Switchboard
from sknumpynet.fitting.rollback import quiet
from sknumpynet.fitting.threads import limited_blas_threads


@dataclass(frozen=True)
class Round:
    """The instructions for a round of epochs: the same for all ranks.

    Attributes
    ----------
    name : str
        Unique name of this attempt.
    after : str
        Name of the previous round.
    addresses : list of str
        Address of the worker of each rank.
    timeout : float
        Seconds after which a worker that cannot be reached counts as lost.
    n_epochs : int
        Largest number of epochs.
    seconds : float
        No epoch starts after this time.
    settings : dict
        The part of `Training.state` that the client may have changed since the last round.
    patience : tuple of float or None
        ``tol`` and the maximum number of epochs without progress, after which the round ends.
    """

    name: str
    after: str
    addresses: list
    timeout: float
    n_epochs: int
    seconds: float
    settings: dict
    patience: Any


@dataclass
class Report:
    """The report of a rank on a round.

    Attributes
    ----------
    records : list of EpochRecord
        One per epoch.
    seconds : list of float
        The time of each epoch, with validation.
    measured : list
        The results on the rank's part of the validation data, one per epoch.
    state : dict or None
        `Training.state` at the end, without the order of the rows; of the first rank only.
    mask_rng : dict
        State of the generator of this rank's dropout masks.
    checksum : int
        Of all parameters and moments.
    sums : dict
        The number of sums, the time spent waiting for them, the bytes sent, and the CPU seconds of the
        process.
    """

    records: list = field(default_factory=list)
    seconds: list = field(default_factory=list)
    measured: list = field(default_factory=list)
    state: Any = None
    mask_rng: Any = None
    checksum: int = 0
    sums: dict = field(default_factory=dict)


class Rank:
    """The state of a fit that a worker keeps between rounds, as a result of Dask.

    Parameters
    ----------
    number, n_ranks : int
        Number of this rank, and number of ranks.
    start : bytes
        The pickled `Training` to start from.
    blocks : list of Block
        Rows to train on.
    rows : ndarray of int or None
        Numbers of the rows to train on.
    n_rows, size : int
        Total number of rows, and rows per batch.
    weighted : bool
        Whether rows have weights.
    validation : tuple or None
        The part of the validation data that this rank scores, and its blocks.
    """

    def __init__(self, number, n_ranks, start, blocks, rows, n_rows, size, weighted, validation):
        self.number, self.n_ranks, self.start = number, n_ranks, start
        self.blocks, self.rows, self.n_rows = blocks, rows, n_rows
        self.size, self.weighted, self.validation = size, weighted, validation
        self._begin()

    def _begin(self):
        self.training = pickle.loads(self.start)
        _own_masks(self.training, self.number)
        self.after = ""  # the name of the last finished round; None during one
        self.epochs = None
        self.lock = threading.Lock()

    def __getstate__(self):
        return {**vars(self), "training": None, "epochs": None, "lock": None, "after": None}

    def __setstate__(self, state):
        vars(self).update(state)
        self._begin()
        self.after = None

    # ---------------------------------------------------------------- a round

    def run(self, todo, state=None):
        """Run a round, and return its `Report`; ``state`` is the state to start from if ranks were lost."""
        with Ranks(todo.name, self.number, todo.addresses, todo.timeout) as ranks:
            self._take_over(ranks)
            try:
                with quiet(), limited_blas_threads(self.size, self.training.network):
                    report = self._run(todo, state, ranks)
            finally:
                self.lock.release()
            ranks.say_goodbye()
        return report

    def _take_over(self, ranks):
        """Wait until an earlier, abandoned attempt has ended."""
        while not self.lock.acquire(timeout=POLL):
            ranks.check_cancelled()

    def _run(self, todo, state, ranks):
        training = self.training
        if state is not None:
            self._restore(pickle.loads(state))
        elif self.after != todo.after:
            raise RankLost(f"rank {self.number} is not where the others are")
        self.after = None
        self._apply(todo.settings)
        training.collective = ranks
        if self.epochs is None:
            self.epochs = training.epochs(self._batches(), self.rows)
        report = Report()
        begun = time.perf_counter()
        cpu = time.process_time()
        try:
            while True:
                started = time.perf_counter()
                record = next(self.epochs)
                if self.validation is not None:
                    part, blocks = self.validation
                    report.measured.append(part.measure(blocks, training.network))
                report.records.append(record)
                report.seconds.append(time.perf_counter() - started)
                if self._is_over(todo, report, time.perf_counter() - begun, ranks):
                    break
        except BaseException:
            self.epochs = None  # a generator that has raised is finished
            raise
        self.after = todo.name
        report.mask_rng = training.mask_rng.bit_generator.state
        report.checksum = _checksum(training.arrays())
        report.sums = {
            "n": ranks.n_sums,
            "seconds": ranks.seconds,
            "bytes": ranks.bytes_sent,
            "cpu": time.process_time() - cpu,
        }
        if self.number == 0:
            report.state = {**training.state(), "order": None}
        return report

    def _batches(self):
        blocks = [
            (each.X, each.targets, each.sample_weight, each.pieces)
            for each in self.blocks
            if each.n_rows
        ]
        dtype = self.training.network.dtype
        return HeldBatches(blocks, self.size, dtype, self.n_rows, self.weighted)

    def _is_over(self, todo, report, seconds, ranks):
        """Return whether the round ends here; all ranks agree."""
        if len(report.records) >= todo.n_epochs:
            return True
        if todo.patience is not None:
            tol, n = todo.patience
            self.training.patience.update_loss(report.records[-1].loss, tol)
            if self.training.patience.n_no_improvement > n:
                return True
        late = np.array([float(self.number == 0 and seconds >= todo.seconds)])
        ranks.sum_in_place(late)
        return bool(late[0])

    # ---------------------------------------------------------------- the state of the training

    def _apply(self, settings):
        training = self.training
        training.plateau_factor = settings["plateau_factor"]
        training.learning_rate = settings["learning_rate"]
        training.patience = Patience(**settings["patience"])
        training.schedule.set_state(settings["schedule"])

    def _restore(self, state):
        masks, number = state.pop("mask_rngs"), self.number
        state["order"] = replayed(**state["order"])
        self.training.set_state(state)
        if number < len(masks):
            self.training.mask_rng.bit_generator.state = masks[number]
        else:
            _own_masks(self.training, number)
        self.epochs = None


def _own_masks(training, number):
    """Give each rank its own stream of masks; the first has that of a fit on one machine."""
    if training.network.is_random and number:
        bits = training.mask_rng.bit_generator.jumped(number)
        training.mask_rng = np.random.Generator(bits)


def replayed(order, rng, n, n_epochs, shuffle):
    """Return the order of ``n`` rows after some epochs; ``rng`` is a state, or the generator itself."""
    if not isinstance(rng, np.random.RandomState):
        state, rng = rng, np.random.RandomState()
        rng.set_state(state)
    if len(order) != n:
        order = np.arange(n)
    for _ in range(n_epochs if shuffle else 0):
        order = shuffled(order, rng)
    return order


def _checksum(arrays):
    value = 0
    for array in arrays:
        value = zlib.crc32(np.ascontiguousarray(array), value)
    return value


# -------------------------------------------------------------------- tasks


def make_rank(number, n_ranks, start, blocks, rows, n_rows, size, weighted, part, part_blocks):
    """Create a rank on the worker that runs this task."""
    Switchboard.of(get_worker())
    validation = None if part is None else (part, part_blocks)
    return Rank(number, n_ranks, start, blocks, rows, n_rows, size, weighted, validation)


def run_round(rank, todo, state=None):
    """Run a round, in a thread that does not block other tasks, as ranks wait for each other."""
    if get_worker().address != todo.addresses[rank.number]:
        raise RankLost(f"worker {todo.addresses[rank.number]} is lost")
    secede()
    return rank.run(todo, state)
