# SPDX-License-Identifier: BSD-3-Clause
"""The first pass over the data: a description of the partitions, and errors about them."""

from __future__ import annotations

import re
from collections import Counter

import dask
import numpy as np
from scipy import sparse

from sknumpynet.core.wording import counted
from sknumpynet.dask.blocks import load
from sknumpynet.dask.partitions import partitions
from sknumpynet.fitting.rollback import warn

# Maximum numbers of invalid partitions, and of reasons, in an error message.
MOST_NAMED = 10
# Replacements in advice for local estimators that is shown on a cluster.
ON_A_CLUSTER = {
    r"\bsklearn\.impute\b(?=( in front|$))": "dask_ml.impute",
    r"\bOneHotEncoder\b": "dask_ml.preprocessing.OneHotEncoder",
    r"\b(?=NumpyMLP(Classifier|Regressor)\b)": "Dask",
}


def describe(cluster, X, y, sample_weight, cls):
    """Check all partitions on the workers, and return them as futures, and their descriptions.

    Parameters
    ----------
    cluster : Cluster
        The workers.
    X, y, sample_weight : collections, or None
        The data.
    cls : type
        The class of the local estimator.

    Returns
    -------
    loaded : list of Future
        For each partition the pair returned by `load`.
    described : list of Description
        The description of each partition.
    y_is_column : bool
        Whether y has two dimensions, and one column.

    Raises
    ------
    ValueError
        If some are invalid: all problems, with the numbers of the partitions.
    """
    parts = partitions(X, y, sample_weight)
    tasks = [dask.delayed(load, pure=False)(*rows, cls) for rows in parts.rows]
    loaded = []
    if parts.on_workers:
        loaded = cluster.keep(cluster.client.compute(tasks))
    else:  # in runs of neighbours, so that the same rows are always on the same worker
        workers = cluster.team()
        for worker, run in zip(
            workers, np.array_split(np.arange(len(tasks)), len(workers)), strict=True
        ):
            loaded += cluster.keep(
                cluster.client.compute(
                    [tasks[i] for i in run], workers=[worker], allow_other_workers=True
                )
            )
    described = cluster.results(
        [cluster.submit(_second, future) for future in loaded], "describing the data"
    )
    check_described(described)
    return loaded, described, parts.y_is_column


def _second(pair):
    return pair[1]


def check_described(described):
    """Raise ValueError if partitions are invalid, or do not match each other."""
    problems = {i: each.problem for i, each in enumerate(described) if each.problem}
    usable = [(i, each) for i, each in enumerate(described) if not each.problem]
    filled = [(i, each) for i, each in usable if each.n_rows] or usable
    for i, each in usable:
        first, like = filled[0]
        if each.shape[1] != like.shape[1]:
            problems[i] = (
                f"X has {counted(each.shape[1], 'column')}, and {like.shape[1]} in partition {first}"
            )
        elif each.names != like.names:
            problems[i] = f"X has the columns {each.names}, and {like.names} in partition {first}"
        elif each.n_rows and len(each.columns) != len(like.columns):
            problems[i] = (
                f"y has {counted(len(each.columns), 'column')}, and {len(like.columns)} in partition {first}"
            )
    if problems:
        n = len(described)
        raise ValueError(
            f"{len(problems)} of {counted(n, 'partition')} cannot be used.\n"
            + "\n".join(_lines(problems))
        )
    if not any(each.n_rows for each in described):
        raise ValueError(
            f"X must not be empty: its partitions, {len(described)} in number, have no rows"
        )


def warn_of_indices(described, suffix=""):
    """Warn if the rows of X and y have different indices: they may have been sampled separately."""
    which = [i for i, each in enumerate(described) if not each.labelled_alike]
    if which:
        warn(
            f"X{suffix}, y{suffix} or sample_weight{suffix} have different indices in {_named(which)}. Rows "
            "are matched by position: if each was sampled or shuffled separately, they do not belong "
            "together; do it once, with the whole DataFrame. If the order is right, .reset_index(drop=True) "
            "on each silences this warning"
        )


def _named(which):
    """Return the numbers of some partitions as part of a sentence."""
    named, n_more = ", ".join(map(str, which[:MOST_NAMED])), len(which) - MOST_NAMED
    return f"partition{'s' * (len(which) > 1)} {named}" + (
        f" and {n_more} more" if n_more > 0 else ""
    )


def _lines(problems):
    """Return a line for each problem, with the numbers of its partitions."""
    numbers = {}
    for i in sorted(problems):
        numbers.setdefault(problems[i], []).append(i)
    lines = []
    for problem, which in numbers.items():
        for pattern, there in ON_A_CLUSTER.items():
            problem = re.sub(pattern, there, problem)
        lines.append(f"{_named(which)}: {problem}")
    if len(lines) > MOST_NAMED:
        lines[MOST_NAMED:] = [f"... and {counted(len(lines) - MOST_NAMED, 'other problem')}"]
    return lines


# ---------------------------------------------------------------- a few representative rows


def stand_in(described, y_is_column=False):
    """Return X, y and weights of a few rows that represent all rows in checks."""
    filled = [each for each in described if each.n_rows]
    first = filled[0]
    columns = [
        _joined_labels([each.columns[k][0] for each in filled]) for k in range(len(first.columns))
    ]
    if first.columns[0][1] is None:
        columns = [np.array([each.min(), each.max()]) for each in columns]
    else:  # each label three times: many labels that occur once would be considered numbers, with a warning
        columns = [np.repeat(_unique(each), 3) for each in columns]
    n = max(len(each) for each in columns)
    columns = [np.resize(each, n) for each in columns]
    y = columns[0]
    if first.y_ndim == 2:
        mixed = len({each.dtype.kind in "OUS" for each in columns}) > 1
        y = np.column_stack([each.astype(object) for each in columns] if mixed else columns)
        y = sparse.csr_matrix(y) if first.y_is_sparse else y
    elif y_is_column:
        y = y[:, np.newaxis]
    dtype = np.result_type(*(each.dtype for each in filled))
    X = np.zeros((n, first.shape[1]), dtype)
    X[0, 0] = max(each.largest for each in filled)
    if first.is_sparse:
        X = sparse.csr_matrix(X)
    elif first.names is not None:
        X = _as_frame(X, first.names)
    weights = np.zeros(n)
    weights[:2] = np.sum([each.weights for each in filled], axis=0)
    return X, y, weights


def _as_frame(X, names):
    import pandas

    return pandas.DataFrame(X, columns=list(names))


def _joined_labels(arrays):
    """Return the labels of all partitions; mixed text and numbers keep their types."""
    if len({each.dtype.kind in "OUS" for each in arrays}) > 1:
        arrays = [each.astype(object) for each in arrays]
    return np.concatenate(arrays)


def _unique(labels):
    return labels if labels.dtype == object else np.unique(labels)


def balanced(described):
    """Return the class weights for 'balanced': ``n / (n_classes * count)`` for each class.

    A dict, or a list of one dict per column if y has several columns.
    """
    filled = [each for each in described if each.n_rows]
    weights = []
    for k in range(len(filled[0].columns)):
        counts = Counter()
        for each in filled:
            labels, numbers = each.columns[k]
            counts.update(dict(zip(labels.tolist(), numbers.tolist(), strict=True)))
        n = counts.total()
        weights.append({label: n / (len(counts) * count) for label, count in counts.items()})
    return weights[0] if filled[0].y_ndim == 1 else weights
