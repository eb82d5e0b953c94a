# SPDX-License-Identifier: BSD-3-Clause
"""Workers that die, stop answering or join, in each phase of a fit: it costs time, and nothing else."""

import gc
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

distributed = pytest.importorskip("distributed")

import cloudpickle
import dask.array as da

from sknumpynet.core.losses import SquaredError
from sknumpynet.dask import DaskNumpyMLPRegressor, minibatch

from .rows import impatient, pids

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers do not find it

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 400
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 6))
NUMBERS = np.sin(X @ RNG.normal(size=6))
CHUNKS = (100, 100, 100, 100)


def wait_until_nothing_is_left(client):
    deadline = time.monotonic() + 60
    gc.collect()  # collections of earlier tests
    while left := client.run_on_scheduler(tasks):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def tasks(dask_scheduler):
    return {str(key): task.state for key, task in dask_scheduler.tasks.items()}


class KillOnce:
    """Kills the worker that makes call number ``at`` of all workers' calls; elsewhere it does nothing."""

    def __init__(self, folder, at=0):
        self.calls, self.killed, self.at = folder / "calls", folder / "killed", at

    def __call__(self):
        if not is_on_worker() or self.killed.exists():
            return
        with self.calls.open("a") as file:
            file.write(".")
        if self.calls.stat().st_size > self.at:
            self.killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)


def is_on_worker():
    try:
        distributed.get_worker()
    except ValueError:
        return False
    return True


class DeadlyLoss(SquaredError):
    """The squared error, that kills a worker."""

    kill = None

    def terms_and_gradient(self, y, raw, gradient, scratch):
        if self.kill is not None:
            self.kill()
        return super().terms_and_gradient(y, raw, gradient, scratch)


def collection(array):
    return da.from_array(array, chunks=(CHUNKS, *array.shape[1:]))


def placed(client, array):
    """Return a collection whose blocks lie on the workers in turn, so that all fits divide alike."""
    addresses = sorted(client.scheduler_info(n_workers=-1)["workers"])
    blocks, first = [], 0
    for k, n in enumerate(CHUNKS):
        block = client.submit(
            np.array,
            array[first : first + n],
            workers=[addresses[k % 2]],
            allow_other_workers=True,
            pure=False,
        )
        blocks.append(da.from_delayed(block, (n, *array.shape[1:]), array.dtype))
        first += n
    distributed.wait([block for each in blocks for block in distributed.futures_of(each)])
    return da.concatenate(blocks)


def model_with(**parameters):
    loss = DeadlyLoss()
    model = DaskNumpyMLPRegressor(hidden_layer_sizes=(5,), random_state=0, max_iter=6, loss=loss)
    return model.set_params(**parameters), loss


def fitted(model, inputs=None):
    return model.fit(collection(X) if inputs is None else inputs, collection(NUMBERS))


def check_same_bits(model, other):
    assert all(
        map(np.array_equal, model.coefs_ + model.intercepts_, other.coefs_ + other.intercepts_)
    )
    assert model.loss_curve_ == other.loss_curve_


@pytest.mark.parametrize("early_stopping, dropout", [(False, 0.3), (True, 0.3)])
def test_worker_that_dies_in_a_step(processes, tmp_path, early_stopping, dropout):
    model, loss = model_with(early_stopping=early_stopping, dropout=dropout, n_iter_no_change=10)
    rows, numbers = placed(processes, X), placed(processes, NUMBERS)
    calm = model.fit(rows, numbers).to_local()
    loss.kill = KillOnce(tmp_path, at=17)  # in the third round, if a round is an epoch
    check_same_bits(model.fit(rows, numbers), calm)
    assert (tmp_path / "killed").exists()


def test_worker_that_dies_while_rows_are_described(processes, tmp_path):
    model, _ = model_with()
    calm = fitted(model).to_local()
    kill = KillOnce(tmp_path)

    def read(rows, kill):
        kill()
        return rows

    inputs = collection(X).map_blocks(read, kill, meta=X[:0], dtype=X.dtype)
    found = fitted(model, inputs)  # rows may be divided otherwise: equal to rounding
    for mine, theirs in zip(found.coefs_, calm.coefs_, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-12)
    assert (tmp_path / "killed").exists()


def test_worker_that_dies_between_two_rounds(processes, monkeypatch):
    model, _ = model_with(early_stopping=True, n_iter_no_change=10)  # a round an epoch
    rows, numbers = placed(processes, X), placed(processes, NUMBERS)
    calm = model.fit(rows, numbers).to_local()
    take_in = minibatch.Rounds._take_in
    lost = []

    def and_kill(rounds, state, reports):
        take_in(rounds, state, reports)
        if rounds.n_since == 2:
            os.kill(pids(processes)[rounds.addresses[0]], signal.SIGKILL)
        lost.append(rounds.n_lost)

    monkeypatch.setattr(minibatch.Rounds, "_take_in", and_kill)
    check_same_bits(model.fit(rows, numbers), calm)
    assert lost[-1] >= 1


def test_worker_that_dies_in_lbfgs(processes, tmp_path):
    model, loss = model_with(solver="lbfgs", max_iter=20)
    calm = fitted(model).to_local()
    loss.kill = KillOnce(tmp_path, at=5)
    np.testing.assert_allclose(fitted(model).coefs_[0], calm.coefs_[0], rtol=1e-7, atol=1e-9)
    assert (tmp_path / "killed").exists()


def test_all_workers_die_at_once(processes, monkeypatch):
    model, _ = model_with(early_stopping=True, n_iter_no_change=10)
    rows, numbers = placed(processes, X), placed(processes, NUMBERS)
    calm = model.fit(rows, numbers).to_local()
    take_in = minibatch.Rounds._take_in

    def and_kill(rounds, state, reports):
        take_in(rounds, state, reports)
        if rounds.n_since == 2:
            for each in pids(processes).values():
                os.kill(each, signal.SIGKILL)

    monkeypatch.setattr(minibatch.Rounds, "_take_in", and_kill)
    check_same_bits(model.fit(rows, numbers), calm)


def test_workers_that_die_again_and_again_are_one_clear_error(processes, tmp_path):
    class Poison(DeadlyLoss):
        def terms_and_gradient(self, y, raw, gradient, scratch):
            if is_on_worker():
                os.kill(os.getpid(), signal.SIGKILL)
            return super().terms_and_gradient(y, raw, gradient, scratch)

    model, _ = model_with(loss=Poison(), retries=1)
    before = dict(vars(model))
    with pytest.raises(RuntimeError, match=r"lost 2 times .*retries=1"):
        fitted(model)
    assert vars(model) == before
    wait_until_nothing_is_left(processes)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_worker_that_stops_answering_raises_timeout_error(processes, tmp_path, monkeypatch, solver):
    class Stop(DeadlyLoss):
        def terms_and_gradient(self, y, raw, gradient, scratch):
            if is_on_worker() and not (tmp_path / "stopped").exists():
                (tmp_path / "stopped").write_text(str(os.getpid()))
                os.kill(os.getpid(), signal.SIGSTOP)
            return super().terms_and_gradient(y, raw, gradient, scratch)

    impatient(monkeypatch, (tmp_path / "stopped").exists)
    model, _ = model_with(loss=Stop(), solver=solver)
    try:
        with pytest.raises(TimeoutError, match="did not answer for 1 second while training"):
            fitted(model)
    finally:
        os.kill(int((tmp_path / "stopped").read_text()), signal.SIGCONT)
    wait_until_nothing_is_left(processes)


def test_worker_that_joins_and_one_that_leaves_change_nothing(processes, monkeypatch):
    model, _ = model_with(early_stopping=True, n_iter_no_change=20, max_iter=12)
    rows, numbers = placed(processes, X), placed(processes, NUMBERS)
    calm = model.fit(rows, numbers).to_local()
    take_in = minibatch.Rounds._take_in
    sizes = {3: 3, 7: 1}

    def and_scale(rounds, state, reports):
        take_in(rounds, state, reports)
        if rounds.n_since in sizes:
            processes.cluster.scale(sizes[rounds.n_since])
            while len(processes.scheduler_info(n_workers=-1)["workers"]) != sizes[rounds.n_since]:
                time.sleep(0.1)

    monkeypatch.setattr(minibatch.Rounds, "_take_in", and_scale)
    try:
        check_same_bits(model.fit(rows, numbers), calm)
    finally:
        processes.cluster.scale(2)


def test_interrupt_leaves_no_task_behind(processes, monkeypatch, ctrl_c):
    model, _ = model_with(max_iter=10**6, tol=0, n_iter_no_change=np.inf)
    monkeypatch.setattr(minibatch, "SECONDS", 0.2)
    take_in = minibatch.Rounds._take_in
    timers = []

    def and_interrupt(rounds, state, reports):
        take_in(rounds, state, reports)
        if not timers:  # in the middle of the next round
            timers.append(threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)))
            timers[0].start()

    monkeypatch.setattr(minibatch.Rounds, "_take_in", and_interrupt)
    with pytest.warns(UserWarning, match="interrupted by user"):
        fitted(model)
    assert model.n_iter_ >= 1
    wait_until_nothing_is_left(processes)
