"""A small cluster in this process for most tests, and one of processes for those of faults."""

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
def cluster_of_processes():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def processes(cluster_of_processes):
    """A client of two workers that are processes, with a thread each: a worker that is killed comes back."""
    client = cluster_of_processes
    client.wait_for_workers(2, timeout=60)
    client.run(load)  # takes seconds on a busy machine, in which a worker is silent
    return client


def load():
    importlib.import_module("sknumpynet.dask")
