# SPDX-License-Identifier: BSD-3-Clause
"""The cluster of a fit: which client, how long to wait, and what to clean up.

Everything that a fit keeps on the workers is recorded here and released at its end, also after an error.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
import weakref
from contextlib import contextmanager, nullcontext, suppress

import dask
import distributed

from sknumpynet.core.wording import counted

# Seconds between two checks that all workers still respond.
LOOK_EVERY = 1.0
WARNS_FROM = "distributed.admin.large-graph-warning-threshold"
# Up to this many bytes are sent to the workers with the tasks, through the scheduler.
SENT_ALONG = 1 << 20


@contextmanager
def cluster_of(client, retries, timeout):
    """Return the `Cluster` of a client, None for the current one; it cleans up the workers at the end.

    In a task, the client is the worker's, and the task frees its thread for those that it waits for.
    """
    in_task = client is None and _is_in_task()
    with distributed.worker_client() if in_task else nullcontext(client) as client:
        cluster = Cluster(usable(client), retries, timeout)
        try:
            yield cluster
        finally:
            cluster.release()


def _is_in_task():
    try:
        distributed.get_worker()
    except ValueError:
        return False
    return True


def usable(client):
    """Return the client, or the current one for None; raise if none can be used."""
    if client is None:
        try:
            client = distributed.default_client()
        except ValueError as error:
            raise ValueError(
                "There is no Dask client: make one, as client = distributed.Client(address), before the "
                "call, or set the attribute `client` to one"
            ) from error
    if not isinstance(client, distributed.Client):
        raise TypeError(
            f"client must be a distributed.Client; got {client!r}, of type {type(client).__name__}"
        )
    if client.status in ("closing", "closed"):
        raise ValueError(
            "client is closed: make another, as client = distributed.Client(address), and set the "
            "attribute `client` to it, or to None for the current one"
        )
    if client.asynchronous:
        raise TypeError(
            "client is asynchronous, and fit waits for what it asks for: use a synchronous client, "
            "distributed.Client(client.scheduler.address), in a thread, as with "
            "await asyncio.to_thread(model.fit, X, y)"
        )
    return client


class Cluster:
    """A client, and what a fit keeps on its workers.

    Parameters
    ----------
    client : distributed.Client
        A synchronous client.
    retries : int
        How often a task is restarted after it has lost more workers than Dask allows.
    timeout : float
        Seconds for which a worker with tasks of this fit may be silent.
    """

    def __init__(self, client, retries, timeout):
        self.client, self.retries, self.timeout = client, retries, timeout
        self.heard = {}  # per worker: last message by the scheduler's clock, and since when by ours
        self._kept, self._team = {}, None
        # also those that are waited for: after a timeout they stay in a reference cycle for a while
        self._submitted = weakref.WeakSet()

    def workers(self):
        """Return the addresses of the workers and their number of threads, waiting for a first one."""
        deadline = time.monotonic() + self.timeout
        while not (workers := self.client.nthreads()):
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"The cluster has no worker, after {counted(self.timeout, 'second', 'g')}"
                )
            time.sleep(min(0.1, self.timeout / 10))
        return dict(sorted(workers.items()))

    def team(self):
        """Return the addresses of the workers that share the rows: those that existed at the first call."""
        if self._team is None:
            self._team = list(self.workers())
        return self._team

    def keep(self, futures):
        """Release these at the end of the fit; return them."""
        self._kept.update((id(future), future) for future in futures)
        return futures

    def drop(self, futures):
        """Release these now: workers keep what other results depend on as long as needed."""
        for future in futures:
            self._kept.pop(id(future), None)
            future.release()

    def submit(self, function, *args, **options):
        """Return the future of a call on some worker. It is dropped with its last reference."""
        future = self.client.submit(function, *args, pure=False, **options)
        self._submitted.add(future)
        return future

    def for_tasks(self, network, n):
        """Return what to pass to ``n`` tasks for a network: the network, or a future if it is large.

        Workers pass the value of a future to each other, which is slower for a small network.
        """
        if network.params.nbytes * n <= SENT_ALONG:
            return network
        with dask.config.set({WARNS_FROM: "1 PiB"}):  # the warning is meant for the user's graphs
            return self.submit(as_is, network)

    def release(self):
        """Release what the workers keep, and what has not started.

        Without ``client.cancel``, which also cancels dependent tasks: if one of them is no longer wanted, an
        assertion in the scheduler closes its connection to the client.
        """
        kept, self._kept = self._kept, {}
        for future in [*kept.values(), *self._submitted]:
            future.release()

    def results(self, futures, doing="training"):
        """Wait for futures and return what they hold, in their order.

        Parameters
        ----------
        futures : list of Future
            The futures to wait for.
        doing : str, default='training'
            The purpose, for messages.

        Raises
        ------
        TimeoutError
            If for `timeout` seconds a worker does not respond, there is none, or none computes anything.
        RuntimeError
            If workers died under the same task too often, or lost rows cannot be computed again.
        """
        futures = list(futures)
        try:
            for left in range(self.retries, -1, -1):
                self._wait(futures, doing)
                dead = [each for each in futures if _was_killed(each)]
                if not (dead and left):
                    break
                self.client.retry(dead)
            return self._results(futures, doing)
        except BaseException:
            for future in futures:
                future.release()
            raise

    def result(self, future, doing="training"):
        """Wait for one future and return what it holds."""
        return self.results([future], doing)[0]

    def _wait(self, futures, doing):
        """Wait until all are done, as long as the workers show that they are alive."""
        silence = Silence(self, doing)
        while True:
            try:
                distributed.wait(futures, timeout=LOOK_EVERY)
                return
            except distributed.CancelledError:
                return  # because rows are lost: `_results` raises the error
            except TimeoutError:
                silence.check(futures)

    def gather(self, futures, doing, check=None):
        """Return the results of futures that are done or nearly so.

        Until they arrive, they can be lost with a worker. Dask then computes them again, and this waits for
        them as `_wait` does, or ``check``, called regularly, raises. The caller then releases the futures.
        """
        silence = Silence(self, doing)
        gathering = asyncio.run_coroutine_threadsafe(
            self._gathering(futures), self.client.loop.asyncio_loop
        )
        try:
            while not concurrent.futures.wait([gathering], LOOK_EVERY).done:
                if check is not None:
                    check()
                silence.check(futures)
        except BaseException:
            if _are_done(futures):
                gathering.cancel()  # otherwise it ends when they are released
            raise
        return gathering.result()

    async def _gathering(self, futures):
        return await self.client.gather(futures, asynchronous=True)

    def _results(self, futures, doing):
        try:
            return self.gather(futures, doing)
        except distributed.KilledWorker as error:
            raise RuntimeError(
                f"Workers died while {doing}, each time with the same task (retries={self.retries}): they "
                "may be short of memory. Give them more, give the fit smaller partitions, or raise retries"
            ) from error
        except distributed.CancelledError as error:
            raise RuntimeError(
                f"Rows were lost with a worker while {doing}, and nothing says how to compute them anew. "
                "Data that were put on the workers with client.scatter die with them: load them on the "
                "workers instead, or scatter them with broadcast=True"
            ) from error


def _are_done(futures):
    return all(each.status == "finished" for each in futures)


def _was_killed(future):
    return future.status == "error" and isinstance(future.exception(), distributed.KilledWorker)


class Silence:
    """The time without results, and the time since the last message of each worker.

    Parameters
    ----------
    cluster : Cluster
        The cluster, with the `timeout`.
    doing : str
        The purpose of the wait, for messages.
    """

    def __init__(self, cluster, doing):
        self.client, self.timeout, self.doing = cluster.client, cluster.timeout, doing
        self.heard = cluster.heard
        self.last_there, self.last_busy = time.monotonic(), None

    def check(self, futures):
        """Raise TimeoutError if waiting for futures is useless; restart stuck tasks."""
        now = time.monotonic()
        workers = self.client.scheduler_info(n_workers=-1)["workers"]
        processing = self.client.processing()
        done = _are_done(futures)
        if workers:
            self._start_stuck_tasks()
            self.last_there = now
        elif now - self.last_there > self.timeout:
            self._give_up("The cluster has had no worker")
        if silent := self._silent(workers, now):
            held = self.client.has_what(silent)
            ours = set(self.client.futures)
            silent = [each for each in silent if processing.get(each) or ours & set(held[each])]
            if silent:
                self._give_up(f"The worker {', '.join(silent)} did not answer")
        if not workers or self.last_busy is None or (any(processing.values()) and not done):
            self.last_busy = now
        elif now - self.last_busy > self.timeout:
            self._give_up(
                "A worker did not hand over its result" if done else "No worker computed anything"
            )

    def _give_up(self, what):
        raise TimeoutError(f"{what} for {counted(self.timeout, 'second', 'g')} while {self.doing}")

    def _silent(self, workers, now):
        """Return the workers that the scheduler has not heard from for `timeout` seconds."""
        for address, info in workers.items():
            last, since = self.heard.get(address, (None, now))
            self.heard[address] = (
                (last, since) if last == info["last_seen"] else (info["last_seen"], now)
            )
        return [each for each in workers if now - self.heard[each][1] > self.timeout]

    def _start_stuck_tasks(self):
        with suppress(Exception):  # a scheduler may refuse to run functions
            self.client.run_on_scheduler(_start_stuck_tasks)


def _start_stuck_tasks(dask_scheduler):
    """Let tasks that wait for lost workers, and may run elsewhere, run anywhere.

    After a moment without any worker, Dask ignores ``allow_other_workers`` when the next one joins.
    """
    workers = dask_scheduler.workers
    for task in dask_scheduler.unrunnable:
        wanted = task.worker_restrictions
        if wanted and task.loose_restrictions and not any(each in workers for each in wanted):
            task.worker_restrictions = set()
    for worker in dask_scheduler.running:
        found = dask_scheduler.bulk_schedule_unrunnable_after_adding_worker(worker)
        if found:
            dask_scheduler.transitions(found, f"workers-gone-{time.time()}")
        break


def as_is(value):
    """Return the value: a task whose result workers can pass to each other."""
    return value
