# SPDX-License-Identifier: BSD-3-Clause
"""Minibatches on a cluster: the numbers of the local fit, the same bits on all ranks, and nothing left."""

import re
import threading
import time
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning

distributed = pytest.importorskip("distributed")

import dask.array as da

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.core.schedules import Adaptive, Cosine, Warmup
from sknumpynet.dask import DaskNumpyMLPClassifier, DaskNumpyMLPRegressor, minibatch

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 300
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 6))
SLOPE = RNG.normal(size=6)
LABELS = (X @ SLOPE > 0).astype(int) + (X[:, 0] > 1)
NUMBERS = np.sin(X @ SLOPE)
WEIGHT = RNG.uniform(size=N)
CHUNKS = (70, 100, 1, 99, 30)

SETTINGS = {
    "adam": {},
    "sgd": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
    "adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "tol": 0.02,
        "n_iter_no_change": 2,
        "max_iter": 40,
    },
    "plateaus after a warm-up": {
        "solver": "sgd",
        "learning_rate": Warmup(Adaptive(0.1), steps=3),
        "tol": 0.02,
        "n_iter_no_change": 2,
        "max_iter": 30,
    },
    "a step at a time": {"learning_rate": Cosine(), "solver": "adamw"},
    "ends by itself": {"tol": 0.05, "n_iter_no_change": 2, "max_iter": 60},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 60, "tol": 0.01},
    "clipped": {"max_grad_norm": 0.1, "alpha": 0.1, "l1_ratio": 0.5},
    "as they come": {"shuffle": False, "normalization": "layer"},
    "large batch": {"batch_size": N},
    "rows that come rarely": {"batch_size": 3, "max_iter": 2},
    "float32": {"dtype": "float32"},
}


@pytest.fixture
def reports(monkeypatch):
    """All reports of all ranks, a list for each round."""
    found = []
    take_in = minibatch.Rounds._take_in

    def noted(rounds, state, reports):
        found.append(reports)
        take_in(rounds, state, reports)

    monkeypatch.setattr(minibatch.Rounds, "_take_in", noted)
    return found


def collection(array, chunks=CHUNKS):
    return da.from_array(array, chunks=(chunks, *array.shape[1:]))


def check_same(local, remote, tol=1e-12):
    """Compare two fits."""
    assert remote.n_iter_ == local.n_iter_
    for mine, theirs in zip(remote.coefs_ + remote.intercepts_, local.coefs_ + local.intercepts_):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=tol * np.abs(theirs).max())
    assert remote.history_.keys() == local.history_.keys()
    for name in remote.history_.keys() - {"seconds"}:
        mine, theirs = remote.history_[name], local.history_[name]
        np.testing.assert_allclose(mine, theirs, rtol=100 * tol, atol=tol)
    assert len(remote.history_["seconds"]) == len(local.history_["loss"])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("setting", SETTINGS)
def test_numbers_are_those_of_the_local_fit(client, reports, setting, weighted):
    parameters = {"hidden_layer_sizes": (7,), "random_state": 3, "max_iter": 4}
    parameters |= SETTINGS[setting]
    y, classes = (NUMBERS, False) if setting in ("sgd", "clipped") else (LABELS, True)
    weight = WEIGHT if weighted else None
    local = (NumpyMLPClassifier if classes else NumpyMLPRegressor)(**parameters)
    remote = (DaskNumpyMLPClassifier if classes else DaskNumpyMLPRegressor)(**parameters)
    local.fit(X, y, weight)
    remote.fit(collection(X), collection(y), None if weight is None else collection(weight))
    check_same(local, remote, 1e-5 if setting == "float32" else 1e-12)
    assert len(reports[-1]) == 2
    for of_round in reports:
        assert len({each.checksum for each in of_round}) == 1
    assert remote._training.rng.randint(1 << 30) == local._training.rng.randint(1 << 30)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_one_rank_gives_the_bits_of_the_local_fit(client, dropout):
    parameters = {"dropout": dropout, "random_state": 0, "max_iter": 5}
    local = NumpyMLPClassifier(**parameters).fit(X, LABELS, WEIGHT)
    remote = DaskNumpyMLPClassifier(**parameters)
    remote.fit(*(collection(each, (N,)) for each in (X, LABELS, WEIGHT)))
    assert all(map(np.array_equal, remote.coefs_, local.coefs_))
    assert remote.loss_curve_ == local.loss_curve_


def test_masks_of_dropout_are_drawn_by_each_rank_and_the_same_each_time(client, reports):
    model = DaskNumpyMLPClassifier(dropout=0.3, random_state=0, max_iter=3, batch_size=N)
    halves = collection(X, (N // 2, N // 2)), collection(LABELS, (N // 2, N // 2))
    first = model.fit(*halves).loss_curve_
    assert model.fit(*halves).loss_curve_ == first
    # each has drawn for as many rows
    states = [each.mask_rng["state"]["state"] for each in reports[-1]]
    assert states[0] != states[1]


def test_calls_of_partial_fit_go_on_like_the_local_ones(client):
    local = NumpyMLPClassifier(random_state=0)
    remote = DaskNumpyMLPClassifier(random_state=0)
    for _ in range(3):
        local.partial_fit(X, LABELS, classes=[0, 1, 2])
        remote.partial_fit(collection(X), collection(LABELS), classes=[0, 1, 2])
    check_same(local, remote)
    assert local.t_ == remote.t_ == 3 * N
    assert np.array_equal(local._training.order, remote._training.order)
    # and on another number of ranks, and in memory
    local.partial_fit(X, LABELS)
    remote.partial_fit(collection(X, (N,)), collection(LABELS, (N,)))
    check_same(local, remote)
    check_same(local.partial_fit(X, LABELS), remote.to_local().partial_fit(X, LABELS))


def test_epochs_are_run_in_rounds_where_nobody_looks_between(client, reports, monkeypatch, capsys):
    monkeypatch.setattr(minibatch, "SECONDS", 600)
    model = DaskNumpyMLPClassifier(random_state=0, max_iter=20, verbose=2)
    model.fit(collection(X), collection(LABELS))
    assert len(reports) == 1 and len(reports[0][0].records) == 20
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines[:20]] == [f"Iteration {i}" for i in range(1, 21)]
    reports.clear()
    model.set_params(early_stopping=True, verbose=0, max_iter=6)
    model.fit(collection(X), collection(LABELS))
    assert [len(each[0].records) for each in reports] == [1] * 6


def test_time_ends_a_fit(client):
    model = DaskNumpyMLPClassifier(random_state=0, max_iter=10**6, tol=0, max_time=0.5)
    model.set_params(n_iter_no_change=np.inf)
    with pytest.warns(ConvergenceWarning, match="max_time=0.5"):
        model.fit(collection(X), collection(LABELS))
    assert 1 <= model.n_iter_ == len(model.loss_curve_)


def test_several_fits_at_once(client):
    local = NumpyMLPClassifier(random_state=0, max_iter=5).fit(X, LABELS)
    models = [DaskNumpyMLPClassifier(random_state=0, max_iter=5) for _ in range(4)]

    def fit(model):
        model.client = client
        model.fit(collection(X), collection(LABELS))

    threads = [threading.Thread(target=fit, args=(model,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for model in models:
        check_same(local, model)


def fit_here(X, y):
    return (
        DaskNumpyMLPClassifier(random_state=0, max_iter=3).fit(collection(X), collection(y)).coefs_
    )


def test_fits_inside_of_tasks(client):
    local = NumpyMLPClassifier(random_state=0, max_iter=3).fit(X, LABELS)
    tasks = [client.submit(fit_here, X, LABELS, pure=False) for _ in range(3)]  # on two threads
    distributed.wait(tasks, timeout=60)
    for coefs in client.gather(tasks):
        np.testing.assert_allclose(coefs[0], local.coefs_[0], rtol=0, atol=1e-12)


def left_on_workers(client):
    """Return the tasks that the scheduler knows, and the ranks that workers know."""
    tasks = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
    groups = client.run(lambda dask_worker: len(dask_worker.extensions["sknumpynet"].groups))
    return tasks + sum(groups.values())


def wait_until_nothing_is_left(client):
    deadline = time.monotonic() + 60
    while left_on_workers(client):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_nothing_is_left_on_the_workers(client):
    model = DaskNumpyMLPClassifier(max_iter=3, early_stopping=True)
    model.fit(collection(X), collection(LABELS))
    wait_until_nothing_is_left(client)


def test_interrupt_keeps_what_was_learnt_and_leaves_nothing(client, monkeypatch):
    rounds, wait, take_in = [], distributed.wait, minibatch.Rounds._take_in

    def interrupted(*args, **kwargs):
        if len(rounds) == 3:
            rounds.clear()
            raise KeyboardInterrupt
        return wait(*args, **kwargs)

    def counted(*args):
        rounds.append(1)
        return take_in(*args)

    monkeypatch.setattr(minibatch.distributed, "wait", interrupted)
    monkeypatch.setattr(minibatch.Rounds, "_take_in", counted)
    monkeypatch.setattr(minibatch, "SECONDS", 0.05)
    model = DaskNumpyMLPClassifier(random_state=0, max_iter=10**6, tol=0, n_iter_no_change=np.inf)
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.fit(collection(X), collection(LABELS))
    assert model.n_iter_ > 1
    wait_until_nothing_is_left(client)
    monkeypatch.undo()
    local = NumpyMLPClassifier(random_state=0, max_iter=model.n_iter_, tol=0)
    check_same(local.set_params(n_iter_no_change=np.inf).fit(X, LABELS), model)


def test_error_on_a_worker_is_raised_as_it_is(client):
    def wrong(z):
        if z.shape[0] < 30:  # not in the trial
            raise ZeroDivisionError("of the activation")
        return np.tanh(z)

    model = DaskNumpyMLPClassifier(activation=(wrong, lambda z: 1 / np.cosh(z) ** 2), batch_size=40)
    with pytest.raises(ZeroDivisionError, match="of the activation"):
        model.fit(collection(X), collection(LABELS))
    wait_until_nothing_is_left(client)


def test_divergence_is_noticed(client):
    model = DaskNumpyMLPRegressor(solver="sgd", learning_rate_init=1e6, max_iter=20, tol=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=r"non-finite|diverged"):
            model.fit(collection(X), collection(NUMBERS))


def test_a_loss_that_grows_is_warned_of_as_in_a_local_fit(client):
    """Its first batch, and that of a network of zeros, are those of all rows."""
    X, y = load_diabetes(return_X_y=True, scaled=False)
    weight = np.random.default_rng(0).uniform(size=len(y))
    chunks = (70, 300, 1, 71)
    settings = {"solver": "sgd", "max_iter": 3, "random_state": 0}

    def said(model, *data, **options):
        with pytest.warns(ConvergenceWarning) as caught:
            model.fit(*data, **options)
        return [str(each.message) for each in caught if "has diverged" in str(each.message)]

    local = said(NumpyMLPRegressor(**settings), X, y, sample_weight=weight)
    X, y, weight = (
        da.from_array(each, chunks=(chunks, -1)[: each.ndim]) for each in (X, y, weight)
    )
    there = said(DaskNumpyMLPRegressor(**settings), X, y, sample_weight=weight)
    assert len(local) == len(there) == 1
    before, now = (re.findall(r"\d\.\d+e[+-]\d+", each[0]) for each in (local, there))
    assert before[0] == now[0] and before[2] == now[2]
