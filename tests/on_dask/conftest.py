"""A small cluster in this process for most tests, and one of processes for those of faults."""

import contextlib
import importlib
import logging

import pytest


@pytest.fixture(scope="module")
def client():
    """A client of two workers with a thread each, in this process."""
    distributed = pytest.importorskip("distributed")
    with distributed.Client(
        processes=False, n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as client:
        yield client


@pytest.fixture(scope="module")
def start_processes():
    """A function that returns a client of two workers that are processes: the last one, or a new one."""
    distributed = pytest.importorskip("distributed")
    with contextlib.ExitStack() as stack:
        clients = []

        def start(anew):
            if anew or not clients:
                cluster = stack.enter_context(
                    distributed.LocalCluster(
                        n_workers=2,
                        threads_per_worker=1,
                        dashboard_address=None,
                        silence_logs=logging.CRITICAL,
                    )
                )
                clients.append(stack.enter_context(distributed.Client(cluster)))
            return clients[-1]

        yield start


@pytest.fixture
def processes(start_processes):
    """A client of two workers that are processes, with a thread each; one that was killed is replaced."""
    client = start_processes(anew=False)
    try:
        client.wait_for_workers(2, timeout=20)
    except TimeoutError:  # not all that die are started anew
        client = start_processes(anew=True)
    client.run(load)  # takes seconds on a busy machine, in which a worker is silent
    return client


def load():
    importlib.import_module("sknumpynet.dask")


@pytest.fixture(autouse=True)
def current(request):
    """A fit finds the client that the test asks for, whichever cluster of the module was started last."""
    names = [name for name in ("cluster", "processes", "client") if name in request.fixturenames]
    with request.getfixturevalue(names[0]).as_current() if names else contextlib.nullcontext():
        yield
