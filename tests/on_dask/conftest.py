"""A small cluster in this process for most tests, and one of processes for those of faults."""

import contextlib
import gc
import importlib
import logging
import time

import pytest


@pytest.fixture(scope="module")
def client():
    """A client of two workers with a thread each, in this process."""
    distributed = pytest.importorskip("distributed")
    with distributed.Client(
        processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as client:
        yield client


@pytest.fixture(scope="module")
def start_processes():
    """A function that returns a client of two workers that are processes: the last one, or a new one."""
    distributed = pytest.importorskip("distributed")
    import dask

    with contextlib.ExitStack() as stack:
        # a cluster ends a worker that is starting again 15 seconds after an earlier one was lost
        stack.enter_context(dask.config.set({"distributed.deploy.lost-worker-timeout": "1 h"}))
        clients = []

        def start(anew):
            if anew or not clients:
                cluster = stack.enter_context(
                    distributed.LocalCluster(
                        n_workers=2,
                        threads_per_worker=1,
                        dashboard_address=":0",
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
    if not are_ready(client):  # not all that die are started anew
        client = start_processes(anew=True)
        assert are_ready(client)
    return client


def are_ready(client, seconds=60):
    """Return whether two workers answer, and have imported what a fit needs: seconds of silence."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):  # a worker that is just dying
            if len(client.run(load, on_error="ignore")) == 2:
                return True
        time.sleep(0.1)
    return False


def load():
    importlib.import_module("sknumpynet.dask")


@pytest.fixture(autouse=True)
def current(request):
    """A fit finds the client that the test asks for, whichever cluster of the module was started last."""
    names = [name for name in ("processes", "client") if name in request.fixturenames]
    with request.getfixturevalue(names[0]).as_current() if names else contextlib.nullcontext():
        yield


@pytest.fixture(scope="module", autouse=True)
def collected():
    """What a cluster leaves to the garbage collector warns of open sockets here, and in no other test."""
    yield
    gc.collect()
