# SPDX-License-Identifier: BSD-3-Clause
"""Workers killed at random moments of a fit on a cluster, whose result is that of an undisturbed fit.

A part of `long_checks.py`, which says how to run it; apart from it because it needs Dask.
"""

import atexit
import contextlib
import importlib
import os
import signal
import threading
import time
import warnings

import dask
import dask.array as da
import distributed
import numpy as np

from sknumpynet.dask import DaskNumpyMLPClassifier, minibatch
from sknumpynet.dask import client as of_clients

SETTINGS = {
    "adam": {},
    "sgd": {"solver": "sgd", "learning_rate": "adaptive", "max_grad_norm": 0.5},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 100},
    "lbfgs": {"solver": "lbfgs"},
}
SOURCE = np.random.default_rng(0)
X = SOURCE.normal(size=(4000, 20))
Y = (X @ SOURCE.normal(size=20) > 0).astype(int) + (X[:, 0] > 1)
_clusters = []
_calm = {}
_doing = ["beginning"]

# a cluster ends a worker that is starting again 15 seconds after an earlier one was lost
dask.config.set({"distributed.deploy.lost-worker-timeout": "1 h"})


class NotedSilence(of_clients.Silence):
    """Notes what a fit is doing."""

    def __init__(self, cluster, doing):
        super().__init__(cluster, doing)
        _doing[0] = doing


of_clients.Silence = minibatch.Silence = NotedSilence


def draw_dask_kill(draw):
    """Draw what is fitted, and which worker dies at what part of the time that the fit takes."""
    return {
        "name": draw.choice(list(SETTINGS)),
        "victim": draw.randint(0, 1),
        "moment": round(draw.uniform(0, 1), 3),
        "kills": draw.choice([1, 1, 1, 2]),
    }


def cluster():
    """Return a client of two workers that are processes, alive, and have imported what a fit needs."""
    for _ in range(2):
        if not _clusters:
            client = distributed.Client(
                n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
            )
            _clusters.append(client)
            atexit.register(_close, client)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if len(pids(_clusters[0], load)) == 2:
                return _clusters[0]
            time.sleep(0.1)
        _close(_clusters.pop())
    raise RuntimeError("the workers that were killed are not started anew")


def _close(client):
    with contextlib.suppress(Exception):
        client.close()


def pids(client, function=os.getpid):
    """Return the process of each worker, as a function that is run there gives it."""
    with contextlib.suppress(OSError):  # a worker that is just dying
        return sorted(client.run(function, on_error="ignore").values())
    return []


def load():
    """Import what a fit needs."""
    importlib.import_module("sknumpynet.dask")
    return os.getpid()


def fit(name):
    """Return what a fit has learnt, the loss of each epoch, and the seconds that it took."""
    model = DaskNumpyMLPClassifier(
        hidden_layer_sizes=(20,), random_state=0, max_iter=20, tol=0, **SETTINGS[name]
    )
    rows = da.from_array(X, chunks=(700, 20)), da.from_array(Y, chunks=700)
    started = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(*rows)
    params = np.concatenate([each.ravel() for each in model.coefs_ + model.intercepts_])
    return params, model.history_["loss"], time.monotonic() - started


def disturbed(client, setting, seconds, killed):
    """Return what `fit` does, where after so many seconds a worker is killed; note what the fit did then."""
    done = threading.Event()
    _doing[0] = "beginning"

    def kill():
        for number in range(setting["kills"]):
            if done.wait(seconds * (1 + number)):
                return
            if alive := pids(client):
                killed.append(_doing[0])
                os.kill(alive[setting["victim"] % len(alive)], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        return fit(setting["name"])
    finally:
        done.set()
        killer.join()


def check_dask_kill(setting):
    """Return what became of a setting, and what is wrong, or None."""
    client, name = cluster(), setting["name"]
    if name not in _calm:
        fit(name)  # the first one imports
        _calm[name] = fit(name)
    params, losses, took = _calm[name]
    killed = []
    for _ in range(5):  # until one is not over before its worker is killed
        seconds = setting["moment"] * took
        found, found_losses, took = disturbed(client, setting, seconds, killed)
        if killed:
            break
    same = np.array_equal(found, params) and found_losses == losses
    # a worker that dies before the rows are divided leaves another division
    equal = "to the last bit" if same else "to rounding"
    lost = f"killed while {', '.join(killed)}" if killed else "over before"
    outcome = f"{name}, {lost}: equal {equal}"
    difference = np.abs(found - params).max() / np.abs(params).max()
    if difference > (1e-7 if name == "lbfgs" else 1e-9):
        return outcome, f"other numbers: {difference:.2g}"
    return outcome, "took more than three minutes" if took > 180 else None
