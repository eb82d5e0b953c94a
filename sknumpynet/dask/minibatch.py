# SPDX-License-Identifier: BSD-3-Clause
"""Training in minibatches on a cluster: rounds of epochs on the workers, watched from the client.

The rows are divided among the ranks once. When workers are lost, ranks may move, but the division stays the
same, and a lost round is repeated from the state before it: the results are bit-identical to those of an
undisturbed fit.
"""

from __future__ import annotations

import pickle
import time
import uuid
import warnings
from collections import Counter
from contextlib import suppress
from dataclasses import asdict

import cloudpickle
import distributed

from sknumpynet.core.wording import counted
from sknumpynet.dask.client import Silence
from sknumpynet.dask.comm import Cancelled, RankLost
from sknumpynet.dask.rank import Round, make_rank, replayed, run_round
from sknumpynet.dask.validation import ClusterValidation
from sknumpynet.fitting.fit_network import (
    batch_size_of,
    begin_or_resume,
    fit_state,
    outcome_of_epochs,
)

LOOK_EVERY = 1.0  # seconds between two checks that the workers are alive
SECONDS = 1.0  # duration of a round, if nothing needs the network after each epoch
GRACE = 2.0  # seconds for the other ranks to report errors, after the first has

# Errors that mean that a worker was lost, not that the fit failed.
LOSSES = (
    RankLost,
    Cancelled,
    distributed.KilledWorker,
    distributed.client.FutureCancelledError,
    distributed.CancelledError,
    distributed.comm.CommClosedError,
)


def fit_minibatches(cluster, data, plan, training, monitor, kept=None):
    """Train a network on the rows that the workers of a cluster hold.

    Parameters
    ----------
    cluster : Cluster
        The cluster.
    data : ClusterData
        The rows to train on.
    plan : FitPlan
        What to do.
    training : Training
        The training to start or resume, in the client; it is in its final state when this returns.
    monitor : Monitor
        Watches the fit, in the client.
    kept : dict, default=None
        The state of the same, interrupted fit, on any number of ranks.

    Returns
    -------
    result : FitResult
        The result of the fit.

    Raises
    ------
    TimeoutError
        If a worker does not answer.
    RuntimeError
        If workers are lost repeatedly.
    ValueError
        If training diverges.
    """
    begin_or_resume(training, monitor, kept)
    size = batch_size_of(plan, data.n_rows)
    rounds = Rounds(cluster, data, plan, training, monitor, size)

    def state():
        rounds.update_order()
        return fit_state(training, monitor)

    with monitor.watching(state):
        try:
            while not monitor.done:
                rounds.advance()
        finally:
            rounds.end()
    if monitor.one_epoch:
        rounds.update_order()
    return outcome_of_epochs(plan, training, data, monitor, size)


class Rounds:
    """The rounds of a fit, run by the client.

    Parameters
    ----------
    cluster, data, plan, training, monitor
        As in `fit_minibatches`.
    size : int
        Rows of a batch.

    Attributes
    ----------
    n_lost : int
        How many rounds were lost and repeated.
    """

    def __init__(self, cluster, data, plan, training, monitor, size):
        self.cluster, self.client = cluster, cluster.client
        self.data, self.plan, self.size = data, plan, size
        self.training, self.monitor = training, monitor
        self.n_ranks = len(data.shares)
        self.ranks = [None] * self.n_ranks  # futures
        self.addresses = [None] * self.n_ranks
        self.running = []
        self.after = (
            ""  # the round that all ranks have finished; None if they must be sent the state
        )
        self.state = None
        self.masks = []
        self.n_lost = 0
        self.start = self.rows = None
        # the order of the rows is that of `base` and the epochs since, and computed when needed
        self.base, self.n_since = self._base(), 0
        validation = monitor.validation
        self.validation = validation if isinstance(validation, ClusterValidation) else None

    # ---------------------------------------------------------------- what the client does

    def advance(self):
        """Run a round, and inform the monitor."""
        monitor = self.monitor
        monitor.begin_epoch()
        reports = self._round(*self._length())
        first = reports[0]
        self._take_in(first.state, reports)
        for number, (record, seconds) in enumerate(zip(first.records, first.seconds)):
            if number:
                monitor.begin_epoch()
            if self.validation is not None:
                self.validation.received = [each.measured[number] for each in reports]
            monitor.last = time.perf_counter() - seconds
            monitor.epoch_done(record, self.training.slow_down)

    def _length(self):
        """Return the largest number of epochs of the next round, and the seconds after which it ends.

        If something needs the network after each epoch, it is sent after each.
        """
        monitor = self.monitor
        n_left = monitor.max_epochs - monitor.n_epochs
        root = getattr(monitor.hooks, "root", None)
        local = monitor.validation is not None and self.validation is None
        if monitor.decides or root is not None or local:
            return 1, 0.0
        seconds = SECONDS
        if self.plan.max_time:
            seconds = min(seconds, self.plan.max_time - (time.perf_counter() - monitor.started))
        return n_left, max(0.0, seconds)

    def _take_in(self, state, reports):
        """Copy the state at the end of a round to the client."""
        training = self.training
        self.n_since += len(reports[0].records)
        state["order"] = training.order
        # that of the monitor, which has not seen the round yet
        state["patience"] = asdict(training.patience)
        training.set_state(state)
        self.monitor.patience = training.patience
        self.masks = [each.mask_rng for each in reports]
        if len({each.checksum for each in reports}) > 1:  # different kinds of processors
            self.after = None

    def update_order(self):
        """Compute the current order of the rows."""
        self.training.order = replayed(**self._order())
        self.base, self.n_since = self._base(), 0

    def _base(self):
        return self.training.order, self.training.rng.get_state()

    def _order(self):
        """Return what the order of the rows is computed from."""
        order, rng = self.base
        return {
            "order": order,
            "rng": rng,
            "n": self.data.n_rows,
            "n_epochs": self.n_since,
            "shuffle": self.training.shuffle,
        }

    # ---------------------------------------------------------------- a round on the workers

    def _round(self, n_epochs, seconds):
        """Run a round, repeat it if workers are lost, and return the reports of the ranks."""
        for _ in range(self.cluster.retries + 1):
            try:
                return self._try(n_epochs, seconds)
            except LOSSES as error:
                self.n_lost += 1
                self.after = None
                lost = error
        raise RuntimeError(
            f"Workers were lost {counted(self.cluster.retries + 1, 'time')} in the same epochs while "
            f"training, after epoch {self.monitor.n_epochs} (retries={self.cluster.retries}). They may be "
            f"short of memory: give them more, or raise retries. The last time: {lost}"
        ) from lost

    def _try(self, n_epochs, seconds):
        self._find_ranks()
        todo = self._todo(n_epochs, seconds)
        if self.after is None:
            self.state = self._send(self._whole_state())
        try:
            self.running = [
                self._submit(run_round, address, rank, todo, self.state)
                for rank, address in zip(self.ranks, self.addresses, strict=True)
            ]
            reports = self._results(self.running)
        finally:
            _release([*self.running, self.state])
            self.running, self.state = [], None
        self.after = todo.name
        return reports

    def _todo(self, n_epochs, seconds):
        monitor, training = self.monitor, self.training
        patience = None
        if monitor.has_patience and not monitor.decides:
            patience = (self.plan.tol, self.plan.n_iter_no_change)
        return Round(
            name=uuid.uuid4().hex,
            after=self.after,
            addresses=list(self.addresses),
            timeout=self.cluster.timeout,
            n_epochs=n_epochs,
            seconds=seconds,
            settings={
                "plateau_factor": training.plateau_factor,
                "learning_rate": training.learning_rate,
                "patience": asdict(training.patience),
                "schedule": training.schedule.get_state(),
            },
            patience=patience,
        )

    def _whole_state(self):
        state = {**self.training.state(), "order": self._order(), "mask_rngs": self.masks}
        return pickle.dumps(state)

    def _send(self, value):
        """Return a future of a value for all workers; if it is lost with one, Dask sends it again."""
        with warnings.catch_warnings():  # about its size
            warnings.simplefilter("ignore")
            return self.client.submit(_itself, value, pure=False)

    def _submit(self, function, address, *args):
        return self.client.submit(
            function, *args, workers=[address], allow_other_workers=True, pure=False
        )

    def _find_ranks(self):
        """Find out, after workers were lost, which ranks are left, and where."""
        if self.after is not None and None not in self.ranks:
            return
        self._make_ranks()
        self._wait(self.ranks, doing="preparing to train")
        places = self.client.who_has(self.ranks)
        places = [places.get(rank.key) for rank in self.ranks]
        if not all(places):
            raise RankLost("a worker was lost while preparing to train")
        self.addresses = [place[0] for place in places]

    def _make_ranks(self):
        """Create the missing ranks: on the worker that has their rows, or on an idle one."""
        workers = {address: n for address, n in self.cluster.workers().items() if n}
        missing = [
            number
            for number, (rank, address) in enumerate(zip(self.ranks, self.addresses))
            if rank is None
            or address not in workers
            or rank.status in ("error", "cancelled", "lost")
        ]
        if self.start is None or self.start.status in ("error", "cancelled", "lost"):
            self.start = self._send(cloudpickle.dumps(self.training))
            self.rows = None if self.data.rows is None else self._send(self.data.rows)
        taken = Counter(
            address for number, address in enumerate(self.addresses) if number not in missing
        )
        for number in missing:
            share = self.data.shares[number]
            address = share.worker
            if address not in workers or taken[address]:
                address = min(workers, key=lambda each: taken[each])
            taken[address] += 1
            part = blocks = None
            if self.validation is not None:
                part = self.validation.part(number)
                blocks = list(self.validation.data.shares[number].blocks)
            self.ranks[number] = self._submit(
                make_rank,
                address,
                number,
                self.n_ranks,
                self.start,
                list(share.blocks),
                self.rows,
                self.data.total_rows,
                self.size,
                self.data.sample_weight is not None,
                part,
                blocks,
            )

    # ---------------------------------------------------------------- waiting

    def _results(self, futures):
        """Return the results of the tasks of a round."""
        self._wait(futures, doing="training", together=True)

        def check():
            if any(each.status != "finished" for each in futures):
                raise RankLost("a worker was lost before it handed over what it has learnt")

        return self.cluster.gather(futures, "training", check)

    def _wait(self, futures, doing, together=False):
        """Wait for futures; raise the error of one of them, a real error before a loss of ranks.

        Tasks that end ``together``: one that Dask has restarted, on a worker that has come back with the
        same address, would wait for the others forever.
        """
        silence = Silence(self.cluster, doing)
        looked, failed, first = time.monotonic(), None, None
        while True:
            left = [each for each in futures if each.status == "pending"]
            errors = [
                self._error(each) for each in futures if each.status not in ("pending", "finished")
            ]
            now = time.monotonic()
            real = [each for each in errors if not isinstance(each, LOSSES)]
            if errors and failed is None:
                failed = now
            if real or (errors and (not left or now - failed > GRACE)):
                raise (real or errors)[0]
            if not left:
                return
            if together and len(left) < len(futures):
                first = first or now
                if now - first > self.cluster.timeout:
                    raise RankLost("a worker was lost before its rank had ended")
            if now - looked >= LOOK_EVERY:
                looked = now
                silence.check(futures)
            with suppress(TimeoutError, distributed.CancelledError):
                pause = 0.25 if errors else LOOK_EVERY
                distributed.wait(left, timeout=pause, return_when="FIRST_COMPLETED")

    @staticmethod
    def _error(future):
        if future.status == "error":
            return future.exception()
        return RankLost("what a rank needs was lost with a worker")

    def end(self):
        """Clean up the workers: cancel what runs there, and release the ranks."""
        futures = [*self.running, *self.ranks, self.start, self.rows]
        self.running, self.ranks = [], [None] * self.n_ranks
        self.start = self.rows = None
        _release(futures)


def _release(futures):
    """Release futures; the workers then stop what nothing else waits for."""
    for future in futures:
        if future is not None and future.client.status == "running":
            future.release()


def _itself(value):
    return value
