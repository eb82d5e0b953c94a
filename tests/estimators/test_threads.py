# SPDX-License-Identifier: BSD-3-Clause
"""One BLAS thread for small fits: as long as one of them runs, however it ends."""

import os
import threading
import warnings

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from sknumpynet import NumpyMLPRegressor
from sknumpynet.core import Dense, Network
from sknumpynet.fitting.threads import SingleThread, limited_blas_threads

SMALL, LARGE = Network([Dense(10, 20)]), Network([Dense(300, 300)])
BLAS = ThreadpoolController().select(user_api="blas")


def blas_threads():
    return {each["num_threads"] for each in BLAS.info()}


def release():
    """Let any thread set limits; newer versions of threadpoolctl let the first that sets one alone do so."""
    for library in BLAS.lib_controllers:
        getattr(library, "clear_controlling_thread", bool)()


@pytest.fixture(autouse=True)
def two_threads():
    """BLAS may have two threads, whatever the machine and the environment."""
    before = BLAS.limit(limits=2)
    release()
    if blas_threads() != {2}:
        pytest.skip("this BLAS has a fixed number of threads")
    yield
    after = blas_threads()
    before.restore_original_limits()
    release()
    assert after == {2}


def fit(watch, n_features=5, **params):
    """Fit a small network that calls ``watch()`` in each forward pass of the training."""

    def forward(z):
        if len(z) >= 100:  # a batch; before the fit, custom functions are tried on a few rows
            watch()
        return np.tanh(z)

    def derivative(z):
        return 1 - np.tanh(z) ** 2

    params = {"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0, **params}
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, n_features)), rng.normal(size=300)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return NumpyMLPRegressor(activation=(forward, derivative), **params).fit(X, y)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_small_fit_has_one_thread(solver):
    seen = []
    fit(lambda: seen.append(blas_threads()), solver=solver)
    assert seen and all(each == {1} for each in seen)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_large_fit_has_all_threads(solver):
    seen = []
    fit(
        lambda: seen.append(blas_threads()),
        n_features=300,
        hidden_layer_sizes=(300,),
        solver=solver,
        max_iter=1,
    )
    assert seen and all(each == {2} for each in seen)


def test_the_limit_changes_no_number():
    one, other = fit(lambda: None), fit(lambda: None)
    with threadpool_limits(1, user_api="blas"):
        third = fit(lambda: None)
    for W, V, U in zip(one.coefs_, other.coefs_, third.coefs_, strict=True):
        assert np.array_equal(W, V) and np.array_equal(W, U)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_whatever_ends_the_fit_lifts_the_limit(error, solver):
    calls = []

    def watch():
        calls.append(1)
        if len(calls) == 5:
            raise error

    try:
        fit(watch, solver=solver, max_iter=9)
    except ZeroDivisionError:
        assert error is ZeroDivisionError
    assert len(calls) >= 5
    assert blas_threads() == {2}


def test_a_limit_of_the_users_own_stays():
    with threadpool_limits(1, user_api="blas"):
        fit(lambda: None)
        assert blas_threads() == {1}


@pytest.mark.parametrize("first_to_leave", [0, 1])
def test_the_last_of_two_threads_lifts_the_limit(first_to_leave):
    """Two fits at once: each is held in its first step until both are in theirs."""
    both_inside, gone = threading.Barrier(2), threading.Event()
    seen, failed = [], []

    def run(number):
        once = []

        def watch():
            if once:
                return
            once.append(1)
            both_inside.wait(30)
            seen.append(blas_threads())
            if number != first_to_leave:
                gone.wait(30)
                seen.append(blas_threads())  # the other one is gone

        try:
            fit(watch)
        except Exception as error:
            failed.append(error)
        finally:
            if number == first_to_leave:
                gone.set()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert seen == [{1}] * 3
    assert blas_threads() == {2}


def test_many_threads_that_come_and_go():
    limit, wrong = SingleThread(), []

    def run():
        for _ in range(200):
            with limit, limit:
                if blas_threads() != {1}:
                    wrong.append(blas_threads())

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert blas_threads() == {2}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("inside", [False, True])
def test_a_child_begins_with_the_limit_of_the_thread_that_forked(inside):
    """The limit of another thread, which the child has not, is lifted there; its own at its end."""
    limit = limited_blas_threads(10, SMALL)
    entered, leave = threading.Event(), threading.Event()

    def other():
        with limit:
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=other)
    thread.start()
    entered.wait(30)
    if inside:
        limit.__enter__()
    child = os.fork()
    if child == 0:  # no assertion here: its failure would run the rest of the tests twice
        right = blas_threads() == ({1} if inside else {2})
        if inside:
            limit.__exit__(None, None, None)
            right &= blas_threads() == {2}
        with limit:
            right &= blas_threads() == {1}
        os._exit(0 if right and blas_threads() == {2} else 1)
    if inside:
        limit.__exit__(None, None, None)
    assert blas_threads() == {1}
    leave.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_products_worth_threads_depend_on_rows_widths_and_bytes():
    for n_rows, network, threads in [(200, SMALL, 1), (200, LARGE, 2), (1, LARGE, 1)]:
        with limited_blas_threads(n_rows, network):
            assert blas_threads() == {threads}
    for dtype, threads in [("float32", 1), ("float64", 2)]:
        with limited_blas_threads(200, Network([Dense(64, 100)], dtype=dtype)):
            assert blas_threads() == {threads}
