# SPDX-License-Identifier: BSD-3-Clause
"""All workers are lost at once, at exact moments, and others come; and how long results are waited for.

What workers hold is lost with them, and tasks then wait for workers that are gone.
"""

import asyncio
from collections import Counter
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np
import pytest

distributed = pytest.importorskip("distributed")

from sknumpynet import NumpyMLPClassifier
from sknumpynet.dask import DaskNumpyMLPClassifier, minibatch
from sknumpynet.dask import client as of_clients
from sknumpynet.dask.client import Cluster, Silence
from sknumpynet.dask.comm import RankLost

from .rows import apart, classes, left_on, on_dask, pids, stopping

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = classes(200, 3)
SOLVERS = {
    "lbfgs": {"solver": "lbfgs", "max_iter": 8},
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


def replace_workers(client, n=2):
    """Close n of the two workers, and start as many when the scheduler has forgotten these.

    If addresses have ports, the new ones have those of the old ones.
    """

    async def replace():
        scheduler, workers = client.cluster.scheduler, client.cluster.workers
        names = list(workers)[:n]
        ports = {name: urlsplit(workers[name].address).port for name in names}
        await asyncio.gather(*(workers[name].close(executor_wait=False) for name in names))
        while len(scheduler.workers) > 2 - n:
            await asyncio.sleep(0.01)
        for name in names:  # the cluster closes them in the end
            workers[name] = await distributed.Worker(
                scheduler.address, nthreads=1, name=name, port=ports[name]
            )

    client.sync(replace)


@pytest.fixture
def before_gather(monkeypatch, often):
    """A function that has another one called: when all results of a phase are there, the nth time."""
    todo, gather, n = {}, Cluster.gather, Counter()

    def noted(cluster, futures, doing, check=None):
        n[doing] += 1
        if (doing, n[doing]) in todo:
            todo.pop((doing, n[doing]))(futures)
        return gather(cluster, futures, doing, check)

    def before(doing, nth, function):
        n.clear()
        todo[doing, nth] = function

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


@pytest.fixture
def by_tcp():
    """A client of two workers in this process, with addresses that another one can have again."""
    with distributed.Client(
        processes=False,
        n_workers=2,
        threads_per_worker=1,
        dashboard_address=":0",
        protocol="tcp://",
        host="127.0.0.1",
    ) as client:
        yield client


def test_a_rank_whose_result_is_lost_alone_is_not_waited_for(by_tcp, before_gather):
    """Dask begins it again, at the same address, and it waits for the others, which have ended."""
    client = by_tcp
    local = NumpyMLPClassifier(hidden_layer_sizes=(6,), random_state=0, tol=0, max_iter=8)
    before_gather("training", 1, lambda futures: replace_workers(client, 1))
    model = model_with("adam").set_params(timeout=10).fit(on_dask(X), on_dask(Y))
    assert apart(local.fit(X, Y), model) < 1e-9
    assert not left_on(client)


def test_retries_are_of_the_same_epochs(client, before_gather):
    """A long fit may lose more workers than that."""
    for nth in (2, 4, 6):
        before_gather("training", nth, lambda futures: replace_workers(client))
    model = model_with("early stopping", retries=1).fit(on_dask(X), on_dask(Y))
    assert model.n_iter_ == 8
    for nth in (2, 3):
        before_gather("training", nth, lambda futures: replace_workers(client))
    with pytest.raises(RuntimeError, match=r"lost 2 times in the same epochs .*after epoch 1 "):
        model.fit(on_dask(X), on_dask(Y))


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
def test_a_worker_that_stops_before_it_hands_over_its_result(
    processes, before_gather, monkeypatch, name, nth
):
    model = model_with(name)
    with stopping(monkeypatch) as stop:
        before_gather("training", nth, lambda futures: stop(holder_of(processes, futures[0])))
        with pytest.raises(TimeoutError, match="did not answer for 1 second while training"):
            model.fit(on_dask(X), on_dask(Y))
    assert not left_on(processes)


def holder_of(client, future):
    """Return the process of the worker that holds a result."""
    (address,) = client.who_has([future])[future.key]
    return pids(client)[address]


@pytest.mark.parametrize("number", [0, 1])
def test_a_worker_that_stops_between_two_rounds(processes, monkeypatch, number):
    """One rank calls the other, which does not answer, and takes its worker for lost."""
    take_in = minibatch.Rounds._take_in
    with stopping(monkeypatch) as stop:

        def and_stop(rounds, state, reports):
            take_in(rounds, state, reports)
            stop(pids(processes)[rounds.addresses[number]])
            rounds.cluster.timeout = 1

        monkeypatch.setattr(minibatch.Rounds, "_take_in", and_stop)
        with pytest.raises(TimeoutError, match="did not answer for 1 second while training"):
            model_with("early stopping").fit(on_dask(X), on_dask(Y))
    assert not left_on(processes)


def test_a_worker_that_stops_and_holds_what_another_one_needs(processes, monkeypatch):
    """It has no task, and its rows are waited for."""
    addresses = sorted(processes.nthreads())
    cluster = Cluster(processes, retries=3, timeout=60)
    rows = cluster.submit(np.arange, 9, workers=addresses[:1])
    distributed.wait(rows)
    with stopping(monkeypatch) as stop:
        stop(holder_of(processes, rows))
        total = cluster.submit(sum, rows, workers=addresses[1:])
        with pytest.raises(TimeoutError, match=f"{addresses[0]}.* did not answer for 1 second "):
            cluster.result(total)


class Played:
    """A client, and a future of it, that tell what a play says: who has been heard, who has work or data."""

    status, futures = "pending", {"rows": None}

    def __init__(self):
        self.workers, self.busy, self.held = {}, {}, {}

    def scheduler_info(self, n_workers):
        return {"workers": {each: {"last_seen": seen} for each, seen in self.workers.items()}}

    def processing(self):
        return {each: self.busy.get(each, ()) for each in self.workers}

    def has_what(self, workers):
        return {each: self.held.get(each, ()) for each in workers}

    def run_on_scheduler(self, function):
        pass


def end_of_wait(play, monkeypatch, minutes=10):
    """Return when a wait of 60 seconds for workers that do as in a play ends, and its error."""
    client, clock = Played(), [0]
    monkeypatch.setattr(of_clients, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    silence = Silence(Cluster(client, retries=3, timeout=60), "training")
    for clock[0] in range(60 * minutes):
        play(client, clock[0])
        try:
            silence.check([client])
        except TimeoutError as error:
            return clock[0], str(error)
    return None


def computes(client, second):
    client.workers, client.busy = {"a": second, "b": second}, {"a": ["step"]}


def dies_and_comes_back(client, second):
    client.workers = {} if 100 <= second < 158 else {"a": second}
    client.busy = {"a": ["step"]} if not 100 <= second < 165 else {}


def dies(client, second):
    client.workers, client.busy = {"a": second} if second < 100 else {}, {"a": ["step"]}


def stops_in_a_step(client, second):
    client.workers, client.busy = {"a": min(second, 100), "b": second}, {"a": ["step"]}


def stops_with_rows(client, second):
    client.workers, client.busy = {"a": min(second, 100), "b": second}, {"b": ["step"]}
    client.held = {"a": ["rows"]}


def stops_with_nothing_of_ours(client, second):
    client.workers, client.busy = {"a": min(second, 100), "b": second}, {"b": ["step"]}
    client.held = {"a": ["of another client"]}


def begins_nothing(client, second):
    client.workers, client.busy = {"a": second}, {"a": ["step"]} if second < 100 else {}


def hands_nothing_over(client, second):
    client.workers, client.busy = {"a": second}, {"a": ["of another fit"]}
    client.status = "finished" if second >= 100 else "pending"


@pytest.mark.parametrize(
    ("play", "end"),
    [
        (computes, None),
        (dies_and_comes_back, None),
        (stops_with_nothing_of_ours, None),
        (dies, (160, "The cluster has had no worker")),
        (stops_in_a_step, (161, "The worker a did not answer")),
        (stops_with_rows, (161, "The worker a did not answer")),
        (begins_nothing, (160, "No worker computed anything")),
        (hands_nothing_over, (160, "A worker did not hand over its result")),
    ],
)
def test_how_long_a_wait_lasts(monkeypatch, play, end):
    if end is not None:
        end = end[0], f"{end[1]} for 60 seconds while training"
    assert end_of_wait(play, monkeypatch) == end
