# SPDX-License-Identifier: BSD-3-Clause
"""All workers are lost at once, at exact moments, and others come: the results that they held are lost, too.

In this process, where it takes no time.
"""

import asyncio
from collections import Counter

import numpy as np
import pytest

distributed = pytest.importorskip("distributed")

from sknumpynet import NumpyMLPClassifier
from sknumpynet.dask import DaskNumpyMLPClassifier, minibatch
from sknumpynet.dask.client import Cluster
from sknumpynet.dask.comm import RankLost

from .rows import apart, classes, left_on, on_dask, pids, stopping

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = classes(200, 3)
SOLVERS = {
    "lbfgs": {"solver": "lbfgs", "max_iter": 15},
    "adam": {"max_iter": 8},
    "early stopping": {"max_iter": 8, "early_stopping": True},  # a round an epoch
}


@pytest.fixture
def client():
    """A client of two workers, of a cluster that other tests do not use."""
    with distributed.Client(
        processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as client:
        yield client


def replace_workers(client):
    """Close all workers, and start as many when the scheduler has none."""

    async def replace():
        scheduler, workers = client.cluster.scheduler, client.cluster.workers
        await asyncio.gather(*(each.close(executor_wait=False) for each in workers.values()))
        while scheduler.workers:
            await asyncio.sleep(0.01)
        for name in workers:  # the cluster closes them in the end
            workers[name] = await distributed.Worker(scheduler.address, nthreads=1, name=name)

    client.sync(replace)


@pytest.fixture
def before_gather(monkeypatch):
    """A function that has another one called: when all results of a phase are there, the nth time."""
    todo, gather, n = [], Cluster.gather, Counter()

    def noted(cluster, futures, doing, check=None):
        n[doing] += 1
        if todo and (doing, n[doing]) == todo[0][0]:
            todo.pop()[1](futures)
        return gather(cluster, futures, doing, check)

    def before(doing, nth, function):
        n.clear()
        todo.append(((doing, nth), function))

    monkeypatch.setattr(Cluster, "gather", noted)
    yield before
    assert not todo


def model_with(name, **parameters):
    return DaskNumpyMLPClassifier(
        hidden_layer_sizes=(6,), random_state=0, tol=0, **SOLVERS[name], **parameters
    )


@pytest.mark.parametrize(
    ("name", "phase", "nth"),
    [
        ("lbfgs", "describing the data", 1),
        ("lbfgs", "encoding the rows", 1),
        ("lbfgs", "training", 5),
        ("adam", "describing the data", 1),
        ("adam", "encoding the rows", 1),
        ("adam", "training", 1),
        ("early stopping", "splitting the rows", 1),
        ("early stopping", "training", 3),
    ],
)
def test_results_that_are_lost_with_all_workers_are_computed_anew(
    client, before_gather, name, phase, nth
):
    """Dask leaves tasks alone that were meant for a worker, when another one comes after a moment of none."""
    local = NumpyMLPClassifier(hidden_layer_sizes=(6,), random_state=0, tol=0, **SOLVERS[name])
    local.fit(X, Y)
    before_gather(phase, nth, lambda futures: replace_workers(client))
    model = model_with(name, timeout=10).fit(on_dask(X), on_dask(Y))
    assert model.n_iter_ == local.n_iter_
    assert apart(local, model) < (1e-7 if name == "lbfgs" else 1e-9)
    assert not left_on(client)


def test_tasks_that_are_never_begun_end_in_timeout_error(client, before_gather, monkeypatch):
    """Where the scheduler lets nobody help them."""

    def refuse(*args, **kwargs):
        raise ValueError("The 'run_function' handler has been explicitly disallowed")

    monkeypatch.setattr(client, "run_on_scheduler", refuse)
    before_gather("training", 5, lambda futures: replace_workers(client))
    model = model_with("lbfgs", timeout=3)
    with pytest.raises(TimeoutError, match="No worker computed anything for 3 seconds while train"):
        model.fit(on_dask(X), on_dask(Y))
    assert not hasattr(model, "coefs_")


def test_rank_that_is_begun_anew_alone_is_not_waited_for(client):
    """As on a worker that comes back with the same address, when the other ranks have ended."""
    end = distributed.Event(client=client)
    futures = [client.submit(int), client.submit(end.wait)]
    rounds = minibatch.Rounds.__new__(minibatch.Rounds)
    rounds.client, rounds.cluster = client, Cluster(client, retries=3, timeout=1)
    try:
        with pytest.raises(RankLost, match="before its rank had ended"):
            rounds._wait(futures, "training", together=True)
    finally:
        end.set()


@pytest.mark.parametrize(("name", "nth"), [("lbfgs", 5), ("early stopping", 3)])
def test_a_worker_that_stops_before_it_hands_over_its_result(processes, before_gather, name, nth):
    model = model_with(name, timeout=4)
    with stopping() as stop:
        before_gather("training", nth, lambda futures: stop(holder_of(processes, futures[0])))
        with pytest.raises(TimeoutError, match="did not answer for 4 seconds while training"):
            model.fit(on_dask(X), on_dask(Y))
    assert not left_on(processes)


def holder_of(client, future):
    """Return the process of the worker that holds a result."""
    (address,) = client.who_has([future])[future.key]
    return pids(client)[address]


def test_a_worker_that_stops_and_holds_what_another_one_needs(processes):
    """It has no task, and its rows are waited for."""
    addresses = sorted(processes.nthreads())
    cluster = Cluster(processes, retries=3, timeout=4)
    rows = cluster.submit(np.arange, 9, workers=addresses[:1])
    distributed.wait(rows)
    with stopping() as stop:
        stop(holder_of(processes, rows))
        total = cluster.submit(sum, rows, workers=addresses[1:])
        with pytest.raises(TimeoutError, match=f"worker {addresses[0]} did not answer for 4 sec"):
            cluster.result(total)
