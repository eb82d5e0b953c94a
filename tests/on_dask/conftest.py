"""A small cluster in this process for most tests, and one of processes for those of faults."""

import pytest


@pytest.fixture(scope="module")
def client():
    """A client of two workers with a thread each, in this process."""
    distributed = pytest.importorskip("distributed")
    with distributed.Client(
        processes=False, n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as client:
        yield client
