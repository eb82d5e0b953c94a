# SPDX-License-Identifier: BSD-3-Clause
"""Random settings for a cluster: a fit on partitions of all kinds against the local fit on all rows.

A part of `long_checks.py`, which says how to run it; apart from it because it needs Dask.
"""

import atexit
import contextlib
import functools
import itertools

import dask
import dask.array as da
import distributed
import numpy as np
import random_settings
import scipy.sparse as sp
from random_settings import contain, make_data

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.dask import DaskNumpyMLPClassifier, DaskNumpyMLPRegressor, minibatch

PAIRS = {
    "classifier": (NumpyMLPClassifier, DaskNumpyMLPClassifier),
    "regressor": (NumpyMLPRegressor, DaskNumpyMLPRegressor),
}
CONTAINERS = ("array", "csr_matrix", "csr_array", "csc_matrix", "frame", "frame mixed")


def draw_dask(draw):
    """Draw as `draw_any` does, but what is meant to agree, and how the rows are divided."""
    setting = random_settings.draw_any(draw)
    parameters = setting["parameters"]
    # masks are drawn by each worker; statistics of whole batches, and custom scores, are refused
    for name in ("dropout", "verbose", "max_time", "warm_start"):
        parameters.pop(name, None)
    if parameters.get("normalization") == "batch":
        parameters["normalization"] = "layer"
    if callable(parameters.get("scoring")):
        parameters["scoring"] = None
    if draw.random() < 0.4:
        parameters["solver"] = "lbfgs"
        parameters["max_iter"] = draw.randint(1, 20)
    else:
        parameters["max_iter"] = draw.randint(1, 10)
    if parameters.get("random_state", 0) is None:
        parameters["random_state"] = 0
    if setting["container"] not in CONTAINERS:
        setting["container"] = draw.choice(CONTAINERS)
    rows = setting["rows"]
    cuts = sorted(draw.randint(0, rows) for _ in range(draw.randint(0, 19)))
    return setting | {
        "cuts": [0, *cuts, rows],
        "form": draw.choice(["delayed", "delayed", "array"]),
    }


@functools.cache
def cluster():
    """Return a client of two workers in this process."""
    client = distributed.Client(
        processes=False, n_workers=2, threads_per_worker=1, dashboard_address=None
    )
    atexit.register(client.close)
    return client


def close():
    """Close the cluster; the next check starts another."""
    if cluster.cache_info().currsize:
        cluster().close()
        cluster.cache_clear()


def divided(array, cuts, form):
    """Return an array, a frame or a sparse matrix as a collection with those partitions."""
    if array is None:
        return None
    if form == "array" and isinstance(array, np.ndarray):
        sizes = tuple(np.diff(cuts).tolist())
        return da.from_array(array, chunks=(sizes, *((n,) for n in array.shape[1:])))
    rows = array.iloc if hasattr(array, "iloc") else array
    return [dask.delayed(rows[i:j]) for i, j in itertools.pairwise(cuts)]


def fitted(cls, setting, data, given):
    """Return the estimator, or the exception about invalid data."""
    X, y = data
    try:
        return cls(**setting["parameters"]).fit(X, y, **given)
    except (ValueError, TypeError, ZeroDivisionError) as error:
        return error


def check_dask(setting, pairs=PAIRS):
    """Return what became of a setting, and what is wrong, or None."""
    X, y, given = make_data(setting)
    if isinstance(X, sp.spmatrix | sp.sparray):
        X = X.tocsr()
    y = np.asarray(y) if isinstance(y, list) else y
    given = {
        name: np.asarray(each) if isinstance(each, list) else each for name, each in given.items()
    }
    arrays = [each for each in (X, y, given["sample_weight"]) if each is not None]
    if y is None or any(np.ndim(each) < 1 or each.shape[0] != setting["rows"] for each in arrays):
        return "no partitions of this", None
    local_class, dask_class = pairs[setting["estimator"]]
    local = fitted(local_class, setting, (X, y), given)
    cuts, form = setting["cuts"], setting["form"]
    there = dict(given)
    there["sample_weight"] = divided(given["sample_weight"], cuts, form)
    if setting["form"] == "delayed" and given.get("X_val") is not None:  # else in memory
        n = given["X_val"].shape[0]
        rows = given["X_val"].tocsr() if sp.issparse(given["X_val"]) else given["X_val"]
        few = [0, n // 3, n // 3, n]
        for name, each in (("X_val", rows), ("y_val", given["y_val"])):
            there[name] = divided(each, few, form)
        there["sample_weight_val"] = divided(given.get("sample_weight_val"), few, form)
    cluster()
    with rounds_that_differ() as differing:
        remote = fitted(
            dask_class, setting, (divided(X, cuts, form), divided(y, cuts, form)), there
        )
    if differing and not isinstance(remote, Exception):
        return "compared", f"ranks have other bits after {len(differing)} rounds"
    if isinstance(local, Exception) or isinstance(remote, Exception):
        if isinstance(local, Exception) and isinstance(remote, Exception):
            return "refused by both", None
        return "refused", f"local: {shown(local)}; on Dask: {shown(remote)}"
    problem = different(local, remote, tolerance(setting, local))
    if problem is None:
        return "compared", None
    for seed in range(3):
        weights = moved_weights(given["sample_weight"], setting["rows"], seed)
        again = fitted(
            local_class, setting, (moved(setting, seed), y), given | {"sample_weight": weights}
        )
        if isinstance(again, Exception) or different(local, again, tolerance(setting, local)):
            return "unstable", None
    return "compared", problem


@contextlib.contextmanager
def rounds_that_differ():
    """Return a list, in which are noted the rounds whose ranks end with different bits."""
    found, take_in = [], minibatch.Rounds._take_in

    def noted(rounds, state, reports):
        if len({each.checksum for each in reports}) > 1:
            found.append(reports)
        take_in(rounds, state, reports)

    minibatch.Rounds._take_in = noted
    try:
        yield found
    finally:
        minibatch.Rounds._take_in = take_in


def shown(outcome):
    if isinstance(outcome, Exception):
        return f"{type(outcome).__name__}: {str(outcome)[:400]}"
    return "fitted"


def tolerance(setting, local):
    """Return the largest difference of parameters, in units of the largest one."""
    if local.coefs_[0].dtype == np.float32:
        return 1e-3
    return 1e-7 if setting["parameters"].get("solver") == "lbfgs" else 1e-9


def moved(setting, seed):
    """Return X, each number moved by a few units in the last place."""
    X = make_data(setting | {"container": "array"})[0]
    X = X.astype(np.float32 if X.dtype == np.float32 else np.float64)
    by = np.random.default_rng(seed).normal(size=X.shape) * 8 * np.finfo(X.dtype).eps
    return contain(X * (1 + by.astype(X.dtype)), setting["container"])


def moved_weights(weights, n, seed):
    """Return weights, each moved likewise: steps by the sign of a gradient go by the rounding of sums."""
    weights = np.ones(n) if weights is None else np.asarray(weights, float)
    return weights * (1 + 2e-15 * np.random.default_rng(seed).normal(size=n))


def different(one, other, tolerance):
    """Return in what two estimators differ, or None."""
    if one.n_iter_ != other.n_iter_:
        return f"n_iter_ is {one.n_iter_} here, {other.n_iter_} there"
    if hasattr(one, "classes_"):
        pairs = [(one.classes_, other.classes_)]
        if isinstance(one.classes_, list):
            pairs = zip(one.classes_, other.classes_, strict=True)
        if not all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in pairs):
            return f"classes_ are {one.classes_} here, {other.classes_} there"
    a, b = (
        np.concatenate([np.ravel(each) for each in m.coefs_ + m.intercepts_]) for m in (one, other)
    )
    if a.dtype != b.dtype or a.shape != b.shape:
        return f"parameters: {a.dtype} {a.shape} here, {b.dtype} {b.shape} there"
    size = float(np.abs(a).max()) or 1.0
    apart = float(np.abs(a - b).max()) / size
    if not apart <= tolerance:
        return f"parameters differ by {apart:.1e} of the largest"
    for name in ("loss_", "best_validation_score_", "best_loss_"):
        x, z = (vars(m).get(name) for m in (one, other))
        if (x is None) != (z is None):
            return f"{name} is {x} here, {z} there"
        if x is not None and x != z and not abs(x - z) <= 100 * tolerance * max(abs(x), 1.0):
            return f"{name} is {x} here, {z} there"
    return None
