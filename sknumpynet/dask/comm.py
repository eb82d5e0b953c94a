# SPDX-License-Identifier: BSD-3-Clause
"""Sums over ranks that run on Dask's workers, over the connections of these workers.

A rank is a thread on a worker. Ranks reach each other at the addresses of their workers, through a handler
that is added to each worker: no port is opened, and the cluster's TLS applies.

Each rank sends a short vector to all others at once or, if there are many, to the ranks 1, 2, 4, ... away,
and halves of a long vector. All ranks add the same terms in the same order: their sums are bit-identical.
"""

from __future__ import annotations

import asyncio
import queue
import time
from contextlib import suppress

import numpy as np
from distributed import get_worker
from distributed.comm import connect
from distributed.core import Status
from distributed.protocol import Serialize, to_serialize
from distributed.worker import thread_state

from sknumpynet.core.training.collective import Collective

JOIN = "sknumpynet_join"
LONG = 1 << 18  # bytes from which on halves are sent
SHORT = 1 << 16  # bytes up to which another copy costs less than a separate frame
GOODBYE = 5.0  # maximum seconds for the last messages
FEW = 4  # maximum number of ranks that send to all others at once
POLL = 0.05  # seconds between two checks whether to keep waiting


class RankLost(RuntimeError):
    """Another rank was lost: the round must be repeated."""


class Cancelled(RuntimeError):
    """Nothing waits for this rank any more."""


class Switchboard:
    """The ranks that run on a worker: receives the messages of others for them.

    Parameters
    ----------
    worker : Worker
        The worker.
    """

    def __init__(self, worker):
        self.groups = {}
        worker.handlers[JOIN] = self.join

    @classmethod
    def of(cls, worker):
        """Return that of a worker, created if there is none."""
        if "sknumpynet" not in worker.extensions:
            worker.extensions["sknumpynet"] = cls(worker)
        return worker.extensions["sknumpynet"]

    async def join(self, comm, group, rank, caller):
        """Answer rank ``caller``, which calls ``rank`` of ``group``: the call goes on until one hangs up."""
        ranks = self.groups.get((group, rank))
        if ranks is None:
            return "absent"
        await comm.write("joined")
        await ranks.listen_to(caller, comm)
        return Status.dont_reply


class Ranks(Collective):
    """One of the ranks of a round, in the thread that it runs in.

    Parameters
    ----------
    group : str
        Name of the round, unique to each attempt.
    rank : int
        Number of this rank.
    addresses : list of str
        Address of the worker of each rank.
    timeout : float
        Seconds after which a worker that cannot be reached counts as lost.
    """

    def __init__(self, group, rank, addresses, timeout):
        self.group, self.rank, self.size = group, rank, len(addresses)
        self.addresses, self.timeout = addresses, timeout
        self.worker = get_worker()
        self.key = thread_state.key
        self.loop = self.worker.loop.asyncio_loop
        self.others = [other for other in range(self.size) if other != rank]
        self.comms, self.writing = {}, {}
        self.inbox = {other: queue.SimpleQueue() for other in self.others}
        self.started = set()
        self.lost = set()
        self.n_sums = self.bytes_sent = 0
        self.seconds = 0.0  # spent waiting for sums
        self.total = np.empty(0)

    # ---------------------------------------------------------------- beginning and end

    def __enter__(self):
        """Wait until all ranks are there, however long other tasks keep some of them waiting."""
        if self.size == 1:
            return self
        self.switchboard = Switchboard.of(self.worker)
        self.switchboard.groups[self.group, self.rank] = self
        self.calls = asyncio.run_coroutine_threadsafe(self._call_lower_ranks(), self.loop)
        try:
            pause = 0.001
            while not (self.calls.done() and len(self.comms) == len(self.others)):
                self._check_complete()
                self.check_cancelled()
                time.sleep(pause)
                pause = min(POLL, 1.5 * pause)
            self._check_complete()
        except BaseException:
            self._hang_up()
            raise
        return self

    def __exit__(self, *_):
        if self.size > 1:
            self._hang_up()

    def _hang_up(self):
        self.switchboard.groups.pop((self.group, self.rank), None)
        self.calls.cancel()
        for comm in list(self.comms.values()):
            self.loop.call_soon_threadsafe(comm.abort)

    def _check_complete(self):
        if self.calls.done():
            self.calls.result()
        for other in self.lost:
            raise RankLost(f"worker {self.addresses[other]} is lost")

    def say_goodbye(self):
        """Deliver all messages before the first rank disconnects."""
        self._send(dict.fromkeys(self.others, np.empty(0)))
        deadline = time.monotonic() + min(self.timeout, GOODBYE)
        for other in self.others:
            with suppress(queue.Empty):
                self.inbox[other].get(timeout=max(0.0, deadline - time.monotonic()))

    async def _call_lower_ranks(self):
        await asyncio.gather(*(self._call(other) for other in range(self.rank)))

    async def _call(self, other):
        """Call a rank until it is there."""
        options = self.worker.security.get_connection_args("worker")
        while True:
            try:
                comm = await connect(self.addresses[other], timeout=self.timeout, **options)
                message = {"op": JOIN, "group": self.group, "rank": other, "caller": self.rank}
                await comm.write(message)
                answer = await comm.read()
            except OSError as error:
                raise RankLost(f"worker {self.addresses[other]} cannot be reached") from error
            if answer == "joined":
                break
            comm.abort()
            await asyncio.sleep(POLL)
        self._start(self.listen_to(other, comm))

    def _start(self, coroutine):
        """Start a coroutine in the loop, and keep a reference, which the loop does not."""
        task = asyncio.ensure_future(coroutine)
        self.started.add(task)
        task.add_done_callback(self.started.discard)

    async def listen_to(self, other, comm):
        """Put what rank ``other`` sends into its inbox, until one of the two hangs up."""
        self.writing[other] = asyncio.Lock()
        self.comms[other] = comm
        try:
            while True:
                self.inbox[other].put(await comm.read())
        except OSError:
            self.lost.add(other)
            self.inbox[other].put(None)
        finally:
            comm.abort()

    # ---------------------------------------------------------------- sums

    def sum_in_place(self, vector):
        """Replace ``vector`` by the sum over all ranks."""
        self.check_cancelled()
        if self.size == 1:
            return
        self.n_sums += 1
        started = time.perf_counter()
        if self.size > 2 and vector.nbytes >= LONG:
            self._sum_in_pairs(vector, self._halve)
        elif self.size > FEW:
            self._sum_in_pairs(vector, self._double)
        else:
            self._send(dict.fromkeys(self.others, vector))
            self._add_up(vector)
        self.seconds += time.perf_counter() - started

    def check_cancelled(self):
        """Raise if the task of this rank was cancelled, or its client is gone."""
        task = self.worker.state.tasks.get(self.key)
        if task is None or task.state in ("cancelled", "released"):
            raise Cancelled(f"rank {self.rank} was cancelled")

    def _sum_in_pairs(self, vector, of_pairs):
        """Sum over a power of two of ranks by ``of_pairs``; ranks beyond it have others add theirs.

        a + b and b + a are the same bits, so both ranks of a pair have the same sum.
        """
        n = 1 << (self.size.bit_length() - 1)
        beyond = self.rank + n
        if self.rank >= n:
            self._send({self.rank - n: vector})
            vector[...] = self._receive(self.rank - n, vector.dtype)
            return
        if beyond < self.size:
            vector += self._receive(beyond, vector.dtype)
        of_pairs(vector, n)
        if beyond < self.size:
            self._send({beyond: vector})

    def _double(self, vector, n):
        """Add the sums of ranks that are 1, 2, 4, ... away: log2(n) whole vectors are sent."""
        distance = 1
        while distance < n:
            other = self.rank ^ distance
            self._send({other: vector})
            vector += self._receive(other, vector.dtype)
            distance *= 2

    def _halve(self, vector, n):
        """Add a half of the vector, a half of that, ..., then send the sums back: less than two vectors.

        References
        ----------
        Thakur, Rabenseifner, Gropp: Optimization of collective communication operations in MPICH
        (International Journal of High Performance Computing Applications 19, 2005).
        """
        low, high, distance, given = 0, len(vector), n // 2, []
        while distance:
            other, middle = self.rank ^ distance, (low + high) // 2
            lower, upper = slice(low, middle), slice(middle, high)
            mine, theirs = (upper, lower) if self.rank & distance else (lower, upper)
            self._send({other: vector[theirs]})
            vector[mine] += self._receive(other, vector.dtype)
            given.append((other, theirs))
            low, high, distance = mine.start, mine.stop, distance // 2
        for other, theirs in reversed(given):
            self._send({other: vector[low:high]})
            vector[theirs] = self._receive(other, vector.dtype)
            low, high = min(low, theirs.start), max(high, theirs.stop)

    def _add_up(self, vector):
        """Replace ``vector`` by its sum with those of the others, in the order of the ranks."""
        if len(self.total) != len(vector) or self.total.dtype != vector.dtype:
            self.total = np.empty_like(vector)
        for rank in range(self.size):
            part = vector if rank == self.rank else self._receive(rank, vector.dtype)
            if rank == 0:
                self.total[...] = part
            else:
                self.total += part
        vector[...] = self.total

    def _send(self, parts):
        """Send each rank its part: a copy, as it stays in a buffer until it is sent."""
        messages, packed = {}, {}
        for other, part in parts.items():
            self.bytes_sent += part.nbytes
            if id(part) not in packed:
                short = part.nbytes <= SHORT
                packed[id(part)] = part.tobytes() if short else to_serialize(part.copy())
            messages[other] = (self.n_sums, packed[id(part)])
        self.loop.call_soon_threadsafe(self._write_all, messages)

    def _write_all(self, messages):
        for other, message in messages.items():
            self._start(self._write(other, message))

    async def _write(self, other, message):
        async with self.writing[other]:
            with suppress(OSError):  # the receiver notices it
                await self.comms[other].write(message)

    def _receive(self, other, dtype):
        """Return what rank ``other`` has sent, however long it takes: the client checks that it lives."""
        while True:
            try:
                message = self.inbox[other].get(timeout=1.0)
                break
            except queue.Empty:
                self.check_cancelled()
        if message is None:
            raise RankLost(f"worker {self.addresses[other]} is lost")
        number, content = message
        if number != self.n_sums:
            raise RuntimeError(f"rank {other} is at sum {number}, this one at {self.n_sums}")
        if isinstance(content, Serialize):  # between workers in one process
            content = content.data
        return np.frombuffer(content, dtype) if isinstance(content, bytes) else content
