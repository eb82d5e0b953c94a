"""Data for the tests on a cluster, as arrays and as collections, how fits are compared, and the workers."""

import contextlib
import itertools
import os
import signal
import time

import dask
import dask.array as da
import numpy as np

from sknumpynet.dask.client import Silence


def classes(n=120, n_classes=2, seed=0):
    """Return X of four columns, and y."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n, 4))
    z = X[:, 0] * X[:, 1] + 0.1 * rng.normal(size=n)
    return X, np.digitize(z, np.quantile(z, np.arange(1, n_classes) / n_classes))


def numbers(n=120, seed=0):
    """Return X of four columns, and y."""
    X, _ = classes(n, seed=seed)
    return X, X[:, 0] ** 2 + X[:, 1]


def on_dask(array, rows=25):
    """Return an array of Dask's with so many rows in a chunk."""
    return da.from_array(array, chunks=(rows, *array.shape[1:]))


def delayed(array, *cuts):
    """Return a list of delayed blocks, cut at those rows."""
    rows = array.iloc if hasattr(array, "iloc") else array
    cuts = [0, *cuts, array.shape[0]]
    return [dask.delayed(rows[i:j]) for i, j in itertools.pairwise(cuts)]


def apart(one, other):
    """Return the largest difference of parameters, in units of the largest."""
    a, b = (
        np.concatenate([np.ravel(each) for each in m.coefs_ + m.intercepts_]) for m in (one, other)
    )
    return np.abs(a - b).max() / np.abs(a).max()


def left_on(client, seconds=60):
    """Return what the workers still hold after at most so many seconds."""
    deadline = time.monotonic() + seconds
    while (held := client.who_has()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return held


def pids(client):
    """Return the process of each worker."""
    with contextlib.suppress(OSError):  # a worker that is just dying
        return client.run(os.getpid, on_error="ignore")
    return {}


def impatient(monkeypatch, stopped):
    """From when ``stopped()`` is true, fits wait for silent workers for a second, and not for `timeout`.

    So no worker that is only slow can end the fit before that.
    """
    check = Silence.check

    def check_impatiently(silence, futures):
        if stopped():
            silence.timeout = 1
        check(silence, futures)

    monkeypatch.setattr(Silence, "check", check_impatiently)


@contextlib.contextmanager
def stopping(monkeypatch):
    """A function that stops the first process that it is given; the process goes on after the block."""
    stopped = []
    impatient(monkeypatch, lambda: stopped)

    def stop(pid):
        if not stopped:
            stopped.append(pid)
            os.kill(pid, signal.SIGSTOP)

    try:
        yield stop
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
