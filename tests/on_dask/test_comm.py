# SPDX-License-Identifier: BSD-3-Clause
"""Sums over ranks on workers: the same bits everywhere, and an end where a rank is lost or cancelled."""

import time
import uuid

import numpy as np
import pytest

distributed = pytest.importorskip("distributed")

from sknumpynet.dask import comm

SIZES = [0, 1, 5, 1000, 40_000]


def prepare():
    comm.Switchboard.of(distributed.get_worker())


def vector_of(rank, size, dtype):
    return np.random.default_rng([rank, size]).normal(size=size).astype(dtype)


def sum_vectors(group, rank, addresses):
    """Return the sums of vectors of all sizes, twice, for what was sent must not be what is written."""
    distributed.secede()
    sums = []
    with comm.Ranks(group, rank, addresses, 20) as ranks:
        for dtype in (np.float64, np.float32):
            for size in SIZES:
                vector = vector_of(rank, size, dtype)
                for _ in range(2):
                    ranks.sum_in_place(vector)
                    sums.append(vector.copy())
        ranks.say_goodbye()
    return sums


def start(client, function, *args, n_ranks=3):
    """Return the futures of a function on ranks that are spread over all workers."""
    workers = sorted(client.scheduler_info(n_workers=-1)["workers"])
    client.gather([client.submit(prepare, workers=[each], pure=False) for each in workers])
    addresses = [workers[rank % len(workers)] for rank in range(n_ranks)]
    group = uuid.uuid4().hex
    return [
        client.submit(function, group, rank, addresses, *args, workers=[address], pure=False)
        for rank, address in enumerate(addresses)
    ]


def added_in_order(vectors):
    total = vectors[0].copy()
    for each in vectors[1:]:
        total += each
    return total


def folded(vectors):
    """Return a power of two of vectors, those beyond it added to the first ones."""
    n = 1 << (len(vectors).bit_length() - 1)
    return [a + b for a, b in zip(vectors, vectors[n:])] + vectors[len(vectors) - n : n]


def added_in_pairs(vectors):
    vectors = folded(vectors)
    while len(vectors) > 1:
        vectors = [a + b for a, b in zip(vectors[::2], vectors[1::2])]
    return vectors[0]


def added_by_halves(vectors):
    vectors = folded(vectors)
    while len(vectors) > 1:
        half = len(vectors) // 2
        vectors = [a + b for a, b in zip(vectors, vectors[half:])]
    return vectors[0]


def check_sums(client, n_ranks):
    found = client.gather(start(client, sum_vectors, n_ranks=n_ranks))
    expected = []
    for dtype in (np.float64, np.float32):
        for size in SIZES:
            vectors = [vector_of(rank, size, dtype) for rank in range(n_ranks)]
            is_long = n_ranks > 2 and vectors[0].nbytes >= comm.LONG
            add = added_by_halves if is_long else added_in_order if n_ranks <= 4 else added_in_pairs
            expected += [add(vectors), add([add(vectors)] * n_ranks)]
    for sums in found:
        assert len(sums) == len(expected)
        for mine, theirs in zip(sums, expected, strict=True):
            assert mine.dtype == theirs.dtype and mine.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("n_ranks", [1, 2, 3, 4, 5, 7, 8])
@pytest.mark.parametrize("long", [0, 1 << 18])
def test_sums_are_the_same_bits_on_all_ranks(client, monkeypatch, n_ranks, long):
    monkeypatch.setattr(comm, "LONG", long)  # the workers are in this process
    check_sums(client, n_ranks)


def test_sums_travel_by_tls(tmp_path):
    security = distributed.Security.temporary()
    cluster = distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        protocol="tls://",
        security=security,
        dashboard_address=":0",
    )
    with cluster, distributed.Client(cluster) as client:
        assert all(each.startswith("tls") for each in client.scheduler_info()["workers"])
        check_sums(client, 3)


def compute_for_long(group, rank, addresses):
    """Return a sum for which the other ranks have to wait for longer than `timeout`."""
    distributed.secede()
    vector = np.ones(3)
    with comm.Ranks(group, rank, addresses, 20) as ranks:
        ranks.timeout = 0.01
        if rank == 1:
            time.sleep(1.2)
        ranks.sum_in_place(vector)
        ranks.say_goodbye()
    return vector


def test_rank_that_computes_for_long_is_waited_for(client):
    """Whether its worker is alive, the client asks."""
    for vector in client.gather(start(client, compute_for_long, n_ranks=2)):
        np.testing.assert_array_equal(vector, 2)


def leave_early(group, rank, addresses):
    distributed.secede()
    vector = np.ones(3)
    with comm.Ranks(group, rank, addresses, 20) as ranks:
        ranks.sum_in_place(vector)
        if rank == 2:
            raise KeyError("what went wrong")
        ranks.sum_in_place(vector)


def test_rank_that_leaves_ends_the_others(client):
    futures = start(client, leave_early, n_ranks=3)
    distributed.wait(futures, timeout=60)
    names = [type(each.exception()).__name__ for each in futures]
    assert names == ["RankLost", "RankLost", "KeyError"]


def wait_for_ever(group, rank, addresses):
    distributed.secede()
    addresses = [*addresses, addresses[0]]  # one more rank, which never comes
    with comm.Ranks(group, rank, addresses, 20):
        pass


def compute_for_ever(group, rank, addresses):
    distributed.secede()
    with comm.Ranks(group, rank, addresses, 20) as ranks:
        while True:
            ranks.sum_in_place(np.ones(3))


@pytest.mark.parametrize("function", [wait_for_ever, compute_for_ever])
def test_rank_that_nobody_waits_for_ends(client, function):
    futures = start(client, function, n_ranks=2)
    time.sleep(0.3)
    assert [each.status for each in futures] == ["pending", "pending"]
    for each in futures:
        each.release()

    def groups(dask_worker):
        return len(dask_worker.extensions["sknumpynet"].groups)

    deadline = time.monotonic() + 60
    while any(client.run(groups).values()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
