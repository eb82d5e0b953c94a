# SPDX-License-Identifier: BSD-3-Clause
"""Training on several ranks, here threads: the numbers of training on all rows at once."""

import threading

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from sknumpynet.core import SGD, Adam, Dense, Network, SquaredError
from sknumpynet.core.losses import MultinomialLogLoss
from sknumpynet.core.schedules import Constant, InverseScaling
from sknumpynet.core.training import Batches, Collective, HeldBatches, Training


class Threads(Collective):
    """Ranks that are threads of one process."""

    def __init__(self, rank, size, shared):
        self.rank, self.size, self.shared = rank, size, shared

    def sum_in_place(self, vector):
        barrier, vectors = self.shared
        vectors[self.rank] = vector.copy()
        barrier.wait(10)
        total = sum(vectors[rank] for rank in range(self.size))
        barrier.wait(10)
        vector[...] = total


def make_training(loss, n_inputs, n_outputs, solver, **options):
    network = Network([Dense(n_inputs, 5), "tanh", Dense(5, n_outputs)], rng=0)
    rng = np.random.RandomState(1)
    schedule = InverseScaling(0.1) if solver == "sgd" else Constant(0.01)
    optimizer = SGD() if solver == "sgd" else Adam()
    return Training(network, loss, optimizer, schedule, rng, max_epochs=3, **options)


def run_ranks(held, make, size, n, weighted, rows=None, n_epochs=3):
    """Return the trainings of all ranks, and their records."""
    n_ranks = len(held)
    shared = threading.Barrier(n_ranks), {}
    outcomes = [None] * n_ranks

    def run(rank):
        training = make()
        training.collective = Threads(rank, n_ranks, shared)
        batches = HeldBatches(held[rank], size, np.float64, n, weighted)
        epochs = training.epochs(batches, rows)
        try:
            outcomes[rank] = training, [next(epochs) for _ in range(n_epochs)]
        except BaseException as error:
            outcomes[rank] = error
            shared[0].abort()

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(n_ranks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return outcomes


def blocks_of(X, y, weight, runs):
    """Return a block of those runs of rows."""
    rows = np.concatenate([np.arange(first, first + n) for first, n in runs]).astype(int)
    return X[rows], y[rows], None if weight is None else weight[rows], runs


# Which runs of the 50 rows each rank holds, block by block.
DIVISIONS = {
    "one": [[[(0, 50)]]],
    "halves": [[[(0, 25)]], [[(25, 25)]]],
    "odd": [[[(40, 10)], [(0, 3), (7, 20)]], [[(3, 4)]], [], [[(27, 0), (27, 13)]]],
}


@pytest.mark.parametrize("division", DIVISIONS)
@pytest.mark.parametrize(
    "options",
    [
        {"l2": 0.1},
        {"l2": 0.1, "l1": 0.05, "max_grad_norm": 0.05},
        {"shuffle": False, "l2": 0.01},
    ],
)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("weights", ["none", "some", "zero batch"])
@pytest.mark.parametrize("sparse", [False, True])
def test_numbers_are_those_of_all_rows_at_once(division, options, solver, weights, sparse):
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(50, 4)), rng.integers(3, size=50)
    weight = None
    if weights != "none":
        weight = rng.uniform(size=50)
    if weights == "zero batch":
        weight[:] = 0
        weight[3] = 2.0
    X = csr_matrix(X * (X > 0)) if sparse else X

    def make():
        return make_training(MultinomialLogLoss(), 4, 3, solver, **options)

    alone = make()
    epochs = alone.epochs(Batches(X, y, weight, 7, np.float64))
    records = [next(epochs) for _ in range(3)]
    held = [[blocks_of(X, y, weight, runs) for runs in rank] for rank in DIVISIONS[division]]
    outcomes = run_ranks(held, make, 7, 50, weight is not None)
    first = outcomes[0][0]
    for training, their_records in outcomes:
        assert training.network.params.tobytes() == first.network.params.tobytes()
        assert their_records == outcomes[0][1]
        for mine, theirs in zip(records, their_records, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-11)
        assert training.progress == alone.progress
    np.testing.assert_allclose(first.network.params, alone.network.params, rtol=0, atol=1e-12)
    if division == "one":
        assert first.network.params.tobytes() == alone.network.params.tobytes()
        assert outcomes[0][1] == records


def test_rows_to_train_on_are_numbers_through_all_ranks():
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(50, 4)), rng.normal(size=(50, 1))
    rows = rng.permutation(50)[:33]

    def make():
        return make_training(SquaredError(), 4, 1, "adam")

    alone = make()
    epochs = alone.epochs(Batches(X, y, None, 8, np.float64), rows)
    loss = [next(epochs).loss for _ in range(3)]
    held = [[blocks_of(X, y, None, runs) for runs in rank] for rank in DIVISIONS["odd"]]
    for training, records in run_ranks(held, make, 8, 50, False, rows):
        np.testing.assert_allclose([each.loss for each in records], loss, rtol=1e-12)
        np.testing.assert_allclose(
            training.network.params, alone.network.params, rtol=0, atol=1e-13
        )
