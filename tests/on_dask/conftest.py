"""A small cluster in this process for most tests, and one of processes for those of faults."""

import contextlib
import gc
import logging
import multiprocessing
import signal

import pytest

SECONDS = 120  # more than the 60 after which a fit that waits in vain raises an error


@pytest.fixture(scope="module")
def client():
    """A client of two workers with a thread each, in this process."""
    distributed = pytest.importorskip("distributed")
    with distributed.Client(
        processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as client:
        yield client


@pytest.fixture(scope="session")
def fork_server():
    """A process that has imported what a fit needs, and forks itself: a worker starts at once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sknumpynet.dask"])
    process = context.Process(target=int)  # the first one starts the server
    process.start()
    process.join()


@pytest.fixture
def often(monkeypatch):
    """Fits look after their workers ten times as often: they find what is lost in a tenth of the time."""
    for module in ("client", "minibatch"):
        monkeypatch.setattr(f"sknumpynet.dask.{module}.LOOK_EVERY", 0.1)


@pytest.fixture
def processes(fork_server, often):
    """A client of two workers that are processes, with a thread each, of a cluster for this test alone."""
    distributed = pytest.importorskip("distributed")
    import dask

    config = {
        "distributed.worker.multiprocessing-method": "forkserver",
        # a cluster ends a worker that is starting again 15 seconds after an earlier one was lost
        "distributed.deploy.lost-worker-timeout": "1 h",
    }
    with (
        dask.config.set(config),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=logging.CRITICAL
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def bounded():
    """A test whose waiting has no end fails, with the place where it waits, and the next one runs."""

    def fail(number, frame):
        pytest.fail(f"The test has not ended after {SECONDS} seconds: something waits for ever")

    if not hasattr(signal, "SIGALRM"):  # on Windows
        return (yield)
    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(SECONDS)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


# Around each phase alone: pytest does not survive an exception between them.
@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup():
    return (yield from bounded())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    return (yield from bounded())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown():
    return (yield from bounded())


@pytest.fixture(autouse=True)
def current(request):
    """A fit finds the client that the test asks for, whichever cluster was started last."""
    names = [name for name in ("processes", "by_tcp", "client") if name in request.fixturenames]
    with request.getfixturevalue(names[0]).as_current() if names else contextlib.nullcontext():
        yield


@pytest.fixture(scope="module", autouse=True)
def collected():
    """What a cluster leaves to the garbage collector warns of open sockets here, and in no other test."""
    yield
    gc.collect()
