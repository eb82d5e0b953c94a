"""L-BFGS on a cluster: the local numbers, the local record, and what happens when workers are lost."""

import os
import signal
import time
import warnings
from collections import Counter

import numpy as np
import pytest

distributed = pytest.importorskip("distributed")

import dask
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning

from sknumpynet import Huber, NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.dask import DaskNumpyMLPClassifier, DaskNumpyMLPRegressor, lbfgs
from sknumpynet.dask.client import Cluster

from .rows import apart, classes, delayed, left_on, numbers, on_dask, pids, stopping

X, Y = classes(200, 3)
LBFGS = {
    "solver": "lbfgs",
    "hidden_layer_sizes": (6, 4),
    "max_iter": 8,
    "random_state": 3,
    "tol": 0,
}
PAIRS = {
    "classifier": (NumpyMLPClassifier, DaskNumpyMLPClassifier),
    "regressor": (NumpyMLPRegressor, DaskNumpyMLPRegressor),
}


@pytest.fixture
def fits(client):
    """Fit both: the local estimator, and the one on the cluster."""

    def fit(kind, X, y, collections=None, given=None, there=None, **parameters):
        models = [cls(**{**LBFGS, **parameters}) for cls in PAIRS[kind]]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            models[0].fit(X, y, **(given or {}))
            models[1].fit(*(collections or (on_dask(X), on_dask(y))), **(there or given or {}))
        return models

    return fit


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("classifier", {}),
        ("classifier", {"alpha": 1.0, "l1_ratio": 0.5, "activation": "tanh"}),
        ("classifier", {"normalization": "layer", "fit_intercept": False}),
        ("classifier", {"loss": "focal", "dtype": "float32"}),
        ("regressor", {"loss": Huber(0.5)}),
        ("regressor", {"max_fun": 4}),
    ],
)
def test_numbers_and_record_are_the_local_ones(fits, kind, parameters):
    y = Y if kind == "classifier" else numbers(200)[1]
    local, remote = fits(kind, X, y, **parameters)
    tolerance = 1e-6 if parameters.get("dtype") else 1e-7
    assert apart(local, remote) < tolerance
    assert remote.n_iter_ == local.n_iter_ and remote.best_epoch_ == local.best_epoch_
    assert remote.loss_ == pytest.approx(local.loss_, rel=tolerance)
    for name in ("loss", "gradient_norm", "epoch"):
        np.testing.assert_allclose(remote.history_[name], local.history_[name], rtol=1e-5)
    assert len(remote.history_["seconds"]) == len(local.history_["seconds"])
    assert "loss_curve_" not in vars(remote)


def test_a_second_fit_gives_the_same_bits(fits):
    first, second = (fits("classifier", X, Y)[1] for _ in range(2))
    assert apart(first, second) == 0


def test_sums_are_added_in_the_order_of_the_rows():
    parts = [(1e16, np.array([1e16])), (1.0, np.array([1.0])), (-1e16, np.array([-1e16]))]
    value, gradient = lbfgs.added(parts)
    assert value == gradient[0] == (1e16 + 1.0) - 1e16
    assert parts[0][1][0] == 1e16  # kept by the worker: not written into


@pytest.mark.parametrize("scoring", [None, "loss", "balanced_accuracy"])
def test_validation_data(fits, scoring):
    few = slice(0, 60)
    given = {"X_val": X[few] * 1.1, "y_val": Y[few], "sample_weight_val": np.linspace(0.5, 1, 60)}
    there = {name: on_dask(each, 17) for name, each in given.items()}
    for early_stopping in (True, False):
        options = {"scoring": scoring, "early_stopping": early_stopping, "n_iter_no_change": 3}
        local, remote = fits("classifier", X, Y, given=given, there=there, **options)
        assert apart(local, remote) < 1e-7
        for name in ("validation_scores_", "validation_loss_curve_"):
            np.testing.assert_allclose(getattr(remote, name), getattr(local, name), rtol=1e-6)


def test_validation_of_numbers(fits):
    _, y = numbers(200)
    y = np.column_stack([y, -y, np.zeros(200)])
    there = {"X_val": delayed(X, 0, 150, 199), "y_val": delayed(y, 0, 150, 199)}
    local, remote = fits("regressor", X, y, given={"X_val": X, "y_val": y}, there=there)
    np.testing.assert_allclose(remote.validation_scores_, local.validation_scores_, rtol=1e-6)


def test_verbose_and_max_time(fits, capsys):
    local, _ = fits("classifier", X, Y, max_iter=2)
    fits("classifier", X, Y, max_iter=2, verbose=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == lines[2:]
    assert lines[0] == f"Iteration 1, loss = {local.history_['loss'][0]:.8f}"
    with pytest.warns(ConvergenceWarning, match="ended after 1 iteration, at max_time"):
        DaskNumpyMLPClassifier(**LBFGS, max_time=1e-9).fit(on_dask(X), on_dask(Y))


def test_warm_start(fits):
    local, remote = fits("classifier", X, Y, warm_start=True, max_iter=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert apart(local.fit(X, Y), remote.fit(on_dask(X), on_dask(Y))) < 1e-7
        # and over to rows in memory
        assert apart(local.fit(X, Y), remote.fit(X, Y)) < 1e-7


def test_sparse_rows_and_several_threads():
    rows = sp.random(300, 30, 0.2, "csr", random_state=0)
    y = (
        (rows.sum(axis=1) > 3).A1
        if hasattr(rows, "A1")
        else np.asarray(rows.sum(axis=1)).ravel() > 3
    )
    local = NumpyMLPClassifier(**LBFGS).fit(rows, y)
    with distributed.Client(
        processes=False, n_workers=1, threads_per_worker=3, dashboard_address=None
    ) as client:
        model = DaskNumpyMLPClassifier(**LBFGS)
        model.client = client
        assert apart(local, model.fit(delayed(rows, 20, 90, 200), delayed(y, 20, 90, 200))) < 1e-7


def test_a_large_network_goes_to_the_workers_once(fits, monkeypatch):
    """As the result of a task, which they hand on, without Dask's warning of a large graph."""
    monkeypatch.setattr("sknumpynet.dask.client.SENT_ALONG", 0)
    handed_on = fits("classifier", X, Y, max_iter=3)[1]
    monkeypatch.undo()
    assert apart(handed_on, fits("classifier", X, Y, max_iter=3)[1]) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model = DaskNumpyMLPClassifier(
            **{**LBFGS, "hidden_layer_sizes": (1100, 1100), "max_fun": 1}
        )
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 MiB"}):
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(on_dask(X), on_dask(Y))


def test_divergence_is_noticed(client):
    model = DaskNumpyMLPRegressor(**LBFGS)
    with pytest.raises(ValueError, match=r"diverged|non-finite"):
        model.fit(on_dask(X * 1e160), on_dask(numbers(200)[1] * 1e160))
    assert not hasattr(model, "coefs_")
    assert not left_on(client)


# -------------------------------------------------------------------- workers that are lost


def slow(rows, seconds):
    time.sleep(seconds)
    return rows


def slow_rows(seconds):
    """Return X and y in six partitions, each of which takes so long to load."""
    load = dask.delayed(slow)
    cuts = range(0, 200, 35)
    return (
        [load(X[i : i + 35], seconds) for i in cuts],
        [dask.delayed(Y[i : i + 35]) for i in cuts],
    )


@pytest.fixture
def strike(monkeypatch, often):
    """A function that has another one called, once: before a wait in that phase."""
    todo, wait, n = [], Cluster._wait, Counter()

    def noted(cluster, futures, doing):
        n[doing] += 1
        if todo and doing == todo[0][0] and n[doing] == (5 if doing == "training" else 1):
            todo.pop()[1]()
        return wait(cluster, futures, doing)

    def strike(doing, function, *args):
        n.clear()
        todo.append((doing, lambda: function(*args)))

    monkeypatch.setattr(Cluster, "_wait", noted)
    yield strike
    assert not todo


@pytest.mark.parametrize("phase", ["describing the data", "training"])
def test_a_worker_that_is_killed_costs_time_only(processes, strike, phase):
    undisturbed = DaskNumpyMLPClassifier(**LBFGS).fit(*slow_rows(0))
    victim = min(pids(processes).values())
    strike(phase, os.kill, victim, signal.SIGKILL)
    model = DaskNumpyMLPClassifier(**LBFGS).fit(*slow_rows(0 if phase == "training" else 0.2))
    # a worker that dies while rows are described leaves another division: equal to rounding
    assert apart(undisturbed, model) <= (0 if phase == "training" else 1e-12)
    assert not left_on(processes)
    assert victim not in pids(processes).values()


def test_a_worker_that_stops_answering(processes, strike, monkeypatch):
    victim = min(pids(processes).values())
    model = DaskNumpyMLPClassifier(**LBFGS)
    with stopping(monkeypatch) as stop:
        strike("training", stop, victim)
        with pytest.raises(TimeoutError, match="did not answer for 1 second while training"):
            model.fit(*slow_rows(0))
    assert not hasattr(model, "coefs_")
    assert not left_on(processes)


def test_workers_that_die_again_and_again(processes):
    def die():
        os._exit(1)

    def allow(n, dask_scheduler):
        dask_scheduler.allowed_failures = n

    processes.run_on_scheduler(allow, 0)
    deadly = [dask.delayed(die)()]
    model = DaskNumpyMLPClassifier(**LBFGS, retries=0)
    try:
        with pytest.raises(
            RuntimeError, match=r"Workers died while describing the data.*\(retries=0\)"
        ):
            model.fit(deadly, [dask.delayed(Y)])
    finally:
        processes.run_on_scheduler(allow, 3)


@pytest.mark.parametrize("phase", ["before", "describing the data"])
def test_rows_that_were_scattered_are_lost_with_their_worker(processes, strike, phase):
    worker = next(iter(processes.nthreads()))
    futures = [processes.scatter(X[i : i + 50], workers=[worker]) for i in (0, 50, 100, 150)]
    blocks = [dask.delayed(each) for each in futures]

    def kill():
        os.kill(pids(processes)[worker], signal.SIGKILL)
        while worker in processes.nthreads():
            time.sleep(0.05)

    if phase == "before":
        kill()
    else:
        strike(phase, kill)
    with pytest.raises(RuntimeError, match=r"lost with a worker.*client\.scatter"):
        DaskNumpyMLPClassifier(**LBFGS, timeout=20).fit(blocks, delayed(Y, 50, 100, 150))


def test_ctrl_c_ends_the_search(client, strike, ctrl_c):
    """With what was found by then, and no task left behind."""
    strike("training", signal.raise_signal, signal.SIGINT)
    with pytest.warns(UserWarning, match="interrupted by user"):
        model = DaskNumpyMLPClassifier(**{**LBFGS, "max_iter": 500}).fit(on_dask(X), on_dask(Y))
    assert 1 <= model.n_iter_ < 5
    assert model.predict(X).shape == (200,)
    assert not left_on(client)
