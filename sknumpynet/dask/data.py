# SPDX-License-Identifier: BSD-3-Clause
"""Rows on the workers: described in one pass, checked, spread evenly, and never brought to the client.

From partitions, as Dask has them, to parts, which are checked, to blocks, which are encoded and of some size,
to shares, the blocks of one worker.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import dask
import numpy as np
from scipy import sparse
from sklearn.utils.class_weight import compute_sample_weight

from sknumpynet._compat import has_feature_names
from sknumpynet.checks.input_checks import explained_labels
from sknumpynet.dask.partitions import partitions
from sknumpynet.estimators.classifier import NumpyMLPClassifier, checked_labels
from sknumpynet.estimators.labels import columns_of, learn_labels, plain_labels
from sknumpynet.estimators.regressor import checked_numbers
from sknumpynet.fitting.data import FitData
from sknumpynet.fitting.rollback import quiet

# Parts of fewer bytes are copied together, up to that many.
SMALL = 16 << 20
# So many of the partitions that will not do are named in an error.
MOST_NAMED = 10

# ---------------------------------------------------------------- on a worker: a partition, checked and described


@dataclass(frozen=True)
class Part:
    """A partition, checked.

    Attributes
    ----------
    X : ndarray or csr_matrix of shape (n, n_features)
        Inputs.
    y : ndarray or sparse matrix of shape (n,) or (n, n_columns)
        Targets as the user has them.
    sample_weight : ndarray of shape (n,) or None
        Weights of the rows.
    """

    X: Any
    y: Any
    sample_weight: Any


@dataclass(frozen=True)
class Description:
    """What the client has to know of a partition.

    Attributes
    ----------
    problem : str
        Why it cannot be used; empty where it can, and the rest is there.
    shape, dtype, is_sparse : tuple of int, dtype and bool
        Of X.
    names : tuple of str or None
        The names of its columns.
    largest, n_bytes : float and int
        The largest absolute number in X, and the memory it takes.
    y_ndim, y_dtype, y_is_sparse : int, dtype and bool
        Of y.
    columns : tuple of (ndarray, ndarray)
        Of each column of y: the labels and how often each occurs; or the smallest and the largest number, and
        None.
    weights : tuple of two float
        The sum of the positive weights and that of the negative ones; without weights they are the number of
        rows and 0.
    """

    problem: str = ""
    shape: tuple = (0, 0)
    dtype: Any = None
    is_sparse: bool = False
    names: Any = None
    largest: float = 0.0
    n_bytes: int = 0
    y_ndim: int = 1
    y_dtype: Any = None
    y_is_sparse: bool = False
    columns: tuple = ()
    weights: tuple = (0.0, 0.0)

    @property
    def n_rows(self):
        """Number of rows."""
        return self.shape[0]


def load(X, y, sample_weight, cls):
    """Return a partition as `Part` and its `Description`; what is wrong with it stands in the latter.

    ``cls`` is the class of the local estimator.
    """
    try:
        if not X.shape[0]:
            n_y = y.shape[0]
            if n_y:
                raise ValueError(f"X has no rows, and y has {n_y}")
            return None, Description(shape=(0, X.shape[1]), names=_names_of(X))
        checker = object.__new__(cls)
        classifies = issubclass(cls, NumpyMLPClassifier)
        X, y = (checked_labels if classifies else checked_numbers)(checker, X, y, reset=True)
        if classifies:
            y = _labels(y)
        if sample_weight is not None:
            sample_weight = _weights(sample_weight, X.shape[0])
    except (TypeError, ValueError, OverflowError) as error:
        return None, Description(problem=str(error))
    X = X.tocsr() if sparse.issparse(X) else np.ascontiguousarray(X)
    names = vars(checker).get("feature_names_in_")
    part = Part(X, y, sample_weight)
    return part, _described(part, None if names is None else tuple(names), classifies)


def _names_of(X):
    return tuple(X.columns) if has_feature_names(X) else None


def _labels(y):
    """Return y as labels, or raise as the local estimator does."""
    try:
        y = plain_labels(y)
        learn_labels(y)
    except (TypeError, ValueError) as error:
        raise explained_labels(error, y) from error
    return y


def _weights(sample_weight, n_rows):
    """Return the weights of a partition as an array, or raise."""
    weights = np.asarray(sample_weight)
    if weights.shape != (n_rows,):
        raise ValueError(
            f"sample_weight has shape {weights.shape}, and X {n_rows} rows: give one weight for each"
        )
    if weights.dtype.kind not in "biuf":
        raise ValueError(f"sample_weight must hold numbers; its dtype is {weights.dtype}")
    if not np.isfinite(weights).all():
        raise ValueError("sample_weight has missing or infinite values")
    return weights


def _described(part, names, classifies):
    X, y, weights = part.X, part.y, part.sample_weight
    is_sparse = sparse.issparse(X)
    numbers = X.data if is_sparse else X
    arrays = (X.data, X.indices, X.indptr) if is_sparse else (X,)
    if classifies:
        columns = [y] if y.ndim == 1 else columns_of(y)
        columns = [np.unique(column, return_counts=True) for column in columns]
    else:
        low, high = np.atleast_1d(y.min(axis=0)), np.atleast_1d(y.max(axis=0))
        columns = [(np.array(pair), None) for pair in zip(low, high, strict=True)]
    if weights is None:
        signs = float(len(y) if y.ndim == 1 else y.shape[0]), 0.0
    else:
        signs = float(weights[weights > 0].sum()), float(weights[weights < 0].sum())
    return Description(
        shape=X.shape,
        dtype=X.dtype,
        is_sparse=is_sparse,
        names=names,
        largest=max(float(numbers.max()), -float(numbers.min())) if numbers.size else 0.0,
        n_bytes=sum(each.nbytes for each in arrays),
        y_ndim=y.ndim,
        y_dtype=y.dtype,
        y_is_sparse=sparse.issparse(y),
        columns=tuple(columns),
        weights=signs,
    )


# ---------------------------------------------------------------- on a worker: rows that are ready to train on


@dataclass(frozen=True)
class Block:
    """Rows that are ready to train on: one part, or several small ones.

    Attributes
    ----------
    X : ndarray or csr_matrix of shape (n, n_features)
        Inputs, in C order.
    targets : ndarray
        Targets as the loss wants them.
    sample_weight : ndarray of shape (n,) or None
        Weights, those of the classes multiplied in.
    pieces : tuple of (int, int)
        Of each part the number of its first row, among all rows in Dask's order, and how many it has.
    """

    X: Any
    targets: Any
    sample_weight: Any
    pieces: tuple

    @property
    def n_rows(self):
        """Number of rows."""
        return self.X.shape[0]

    @property
    def total_weight(self):
        """Sum of the weights."""
        weights = self.sample_weight
        return float(self.n_rows if weights is None else weights.sum())

    def global_rows(self):
        """Return which of all rows these are, in Dask's order."""
        return global_rows(self.pieces)


def global_rows(pieces):
    """Return the numbers of the rows of some pieces, as an array of int64."""
    ranges = [np.arange(first, first + n, dtype=np.int64) for first, n in pieces]
    return np.concatenate(ranges) if ranges else np.empty(0, np.int64)


@dataclass(frozen=True)
class Recipe:
    """What makes blocks of parts.

    Attributes
    ----------
    target : Target
        Encodes y.
    dtype, y_dtype : dtype
        Of X and of y in all partitions together.
    weight_dtype : dtype
        Of the weights: what is computed in.
    class_weight : dict, list of dict or None
        Of the classes, by which the weights of their rows are multiplied.
    """

    target: Any
    dtype: Any
    y_dtype: Any
    weight_dtype: Any
    class_weight: Any = None


def make_block(loaded, pieces, recipe):
    """Return the block of some parts; ``loaded`` is what `load` gave for each."""
    parts = [part for part, _ in loaded]
    X = [part.X.astype(recipe.dtype, copy=False) for part in parts]
    targets = [_targets(part.y, recipe) for part in parts]
    weights = [_all_weights(part, recipe) for part in parts]
    return Block(
        X=_joined(X),
        targets=_joined(targets),
        sample_weight=None if weights[0] is None else _joined(weights),
        pieces=tuple(pieces),
    )


def _targets(y, recipe):
    if recipe.y_dtype is not None:
        y = y.astype(recipe.y_dtype, copy=False)
    return recipe.target.encode(y)


def _all_weights(part, recipe):
    """Return the weights of the rows times those of their classes."""
    weights, dtype = part.sample_weight, recipe.weight_dtype
    if weights is not None:
        weights = weights.astype(dtype)
    if recipe.class_weight is None:
        return weights
    of_classes = compute_sample_weight(recipe.class_weight, part.y).astype(dtype, copy=False)
    if weights is not None:
        of_classes *= weights
    return of_classes


def _joined(arrays):
    if len(arrays) == 1:
        return arrays[0]
    return sparse.vstack(arrays, "csr") if sparse.issparse(arrays[0]) else np.concatenate(arrays)


# ---------------------------------------------------------------- in the client


@dataclass(frozen=True)
class Share:
    """The blocks of one worker.

    Attributes
    ----------
    worker : str
        Where they were put. Those of a worker that is lost are computed anew elsewhere.
    blocks : tuple of Future
        Of a `Block` each.
    pieces : tuple
        The pieces of each block.
    """

    worker: str
    blocks: tuple = ()
    pieces: tuple = ()

    @property
    def n_rows(self):
        """Number of rows."""
        return sum(map(_n_rows, self.pieces))

    def global_rows(self):
        """Return which of all rows these are, in the order of the blocks."""
        return global_rows([piece for pieces in self.pieces for piece in pieces])


def _n_rows(pieces):
    return sum(n for _, n in pieces)


@dataclass(frozen=True)
class ClusterData(FitData):
    """The data of a fit whose rows lie on workers.

    ``X``, ``y``, ``targets`` and ``sample_weight`` are a few rows that stand for all of them in checks: of the
    same columns and dtypes, with all labels, the extremes of the numbers, and weights of the same sum.

    Attributes
    ----------
    cluster : Cluster
        Where they lie.
    described : list of Description
        Of each partition.
    loaded : list of Future
        Of each partition what `load` gave; empty once there are shares.
    recipe : Recipe
        What makes blocks of them.
    shares : list of Share or None
        One a worker; None before `dealt_out`.
    total_weight : float
        Sum of the weights of all rows, those of the classes multiplied in; known with the shares.
    """

    cluster: Any = None
    described: Any = ()
    loaded: Any = ()
    recipe: Any = None
    shares: Any = None
    total_weight: float = 0.0

    @property
    def total_rows(self):
        """Number of all rows, of which `rows` may count some only."""
        return sum(each.n_rows for each in self.described)

    @property
    def n_rows(self):
        """Number of rows that count."""
        return self.total_rows if self.rows is None else len(self.rows)

    def part(self, name):
        """Raise: the rows are not here."""
        raise NotImplementedError(f"{name} of rows on workers")

    def gathered(self, targets):
        """Return the weights of all rows, and if asked the targets, in Dask's order, without X."""
        cluster = self.cluster
        blocks = [block for share in self.shares for block in share.blocks]
        pieces = [each for share in self.shares for each in share.pieces]
        found = cluster.results(
            [cluster.submit(_columns_of_block, block, targets) for block in blocks],
            "splitting the rows",
        )
        order = np.argsort(np.concatenate([global_rows(each) for each in pieces]))
        columns = [
            None if each[0] is None else np.concatenate(each)[order]
            for each in zip(*found, strict=True)
        ]
        return FitData(np.empty((len(order), 0)), None, columns[0], columns[1])

    def predictions_are_finite(self, network, loss, n_rows):
        """Return whether all predictions are finite, for all rows or the first ``n_rows`` of each block."""
        cluster = self.cluster
        rows = None if n_rows >= self.n_rows else n_rows
        blocks = [block for share in self.shares for block in share.blocks]
        network = cluster.for_tasks(network, len(blocks))
        finite = [
            cluster.submit(_predictions_are_finite, each, network, loss, rows) for each in blocks
        ]
        return all(cluster.results(finite, "looking at the predictions"))

    def dealt_out(self):
        """Return the data with a share for each worker: blocks where their rows lie, as far as is even."""
        cluster = self.cluster
        workers = cluster.team()
        firsts = np.cumsum([0, *(each.n_rows for each in self.described)]).tolist()
        numbers = [i for i, each in enumerate(self.described) if each.n_rows]
        sizes = [self.described[i].n_rows for i in numbers]
        places = cluster.client.who_has([self.loaded[i] for i in numbers])
        homes = [places.get(self.loaded[i].key, ()) for i in numbers]
        shares, blocks = [], []
        for worker, dealt in zip(workers, deal(sizes, homes, workers), strict=True):
            groups = _grouped([numbers[i] for i in dealt], self.described)
            pieces = [
                tuple((firsts[i], self.described[i].n_rows) for i in group) for group in groups
            ]
            futures = [
                cluster.submit(
                    make_block,
                    [self.loaded[i] for i in group],
                    of_group,
                    self.recipe,
                    workers=[worker],
                    allow_other_workers=True,
                )
                for group, of_group in zip(groups, pieces, strict=True)
            ]
            shares.append(Share(worker, tuple(cluster.keep(futures)), tuple(pieces)))
            blocks += futures
        weights = [cluster.submit(_total_weight_of, block) for block in blocks]
        total = float(sum(cluster.results(weights, "encoding the rows")))
        cluster.drop(self.loaded)
        return replace(self, shares=shares, loaded=(), total_weight=total)

    def regrouped(self, workers):
        """Return the data with the same blocks dealt out to other workers: nothing is computed."""
        blocks = [
            (future, pieces, share.worker)
            for share in self.shares
            for future, pieces in zip(share.blocks, share.pieces, strict=True)
        ]
        blocks.sort(key=lambda block: block[1])
        sizes = [_n_rows(pieces) for _, pieces, _ in blocks]
        homes = [[worker] for _, _, worker in blocks]
        shares = [
            Share(worker, tuple(blocks[i][0] for i in dealt), tuple(blocks[i][1] for i in dealt))
            for worker, dealt in zip(workers, deal(sizes, homes, workers), strict=True)
        ]
        return replace(self, shares=shares)


def _columns_of_block(block, targets):
    return block.targets if targets else None, block.sample_weight


def _predictions_are_finite(block, network, loss, n_rows):
    data = FitData(block.X, None, block.targets)
    with quiet():
        return data.predictions_are_finite(network, loss, min(n_rows or block.n_rows, block.n_rows))


def _total_weight_of(block):
    return block.total_weight


def _grouped(numbers, described):
    """Return the numbers of partitions in groups whose X takes at most `SMALL` bytes, or has one part."""
    groups, room = [], 0
    for number in numbers:
        n_bytes = described[number].n_bytes
        if not groups or n_bytes > room:
            groups.append([])
            room = SMALL
        groups[-1].append(number)
        room -= n_bytes
    return groups


def deal(sizes, homes, workers):
    """Return for each worker the numbers of the parts that it is to have, in order.

    Parts stay where they lie, in their order, until a worker has its even share; what is left goes, the
    largest first, to whoever has least.

    Parameters
    ----------
    sizes : list of int
        Rows of each part.
    homes : list of collections of str
        The workers that hold each part now.
    workers : list of str
        All workers.
    """
    even = sum(sizes) / len(workers)
    dealt, held = {worker: [] for worker in workers}, dict.fromkeys(workers, 0)
    left = []
    for number, (size, home) in enumerate(zip(sizes, homes, strict=True)):
        near = [w for w in workers if w in home and held[w] + size / 2 <= even]
        if near:
            dealt[near[0]].append(number)
            held[near[0]] += size
        else:
            left.append(number)
    for number in sorted(left, key=lambda number: -sizes[number]):
        worker = min(workers, key=held.__getitem__)
        dealt[worker].append(number)
        held[worker] += sizes[number]
    return [sorted(dealt[worker]) for worker in workers]


# ---------------------------------------------------------------- in the client: the describing pass


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
        Of each partition the pair that `load` gives.
    described : list of Description
        Of each partition.
    y_is_column : bool
        Whether y has two dimensions, and one column.

    Raises
    ------
    ValueError
        If some will not do: all that is wrong, with the number of the partition.
    """
    parts = partitions(X, y, sample_weight)
    tasks = [dask.delayed(load, pure=False)(*rows, cls) for rows in parts.rows]
    loaded = []
    if parts.on_workers:
        loaded = cluster.keep(cluster.client.compute(tasks))
    else:  # in runs of neighbours, so that the same rows come to lie together each time
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
    """Raise ValueError where partitions cannot be used, or not with each other."""
    problems = {i: each.problem for i, each in enumerate(described) if each.problem}
    usable = [(i, each) for i, each in enumerate(described) if not each.problem]
    filled = [(i, each) for i, each in usable if each.n_rows] or usable
    for i, each in usable:
        first, like = filled[0]
        if each.shape[1] != like.shape[1]:
            problems[i] = f"X has {each.shape[1]} columns, and {like.shape[1]} in partition {first}"
        elif each.names != like.names:
            problems[i] = f"X has the columns {each.names}, and {like.names} in partition {first}"
        elif each.n_rows and len(each.columns) != len(like.columns):
            problems[i] = (
                f"y has {len(each.columns)} columns, and {len(like.columns)} in partition {first}"
            )
    if problems:
        lines = [f"partition {i}: {problems[i]}" for i in sorted(problems)]
        if len(lines) > MOST_NAMED:
            lines[MOST_NAMED:] = [f"... and {len(lines) - MOST_NAMED} more"]
        n = len(described)
        raise ValueError(
            f"{len(problems)} of {n} partition{'s' * (n != 1)} cannot be used.\n" + "\n".join(lines)
        )
    if not any(each.n_rows for each in described):
        raise ValueError(
            f"X must not be empty: its partitions, {len(described)} in number, have no rows"
        )


# ---------------------------------------------------------------- in the client: a few rows that stand for all


def stand_in(described, y_is_column=False):
    """Return X, y and weights of a few rows that stand for all of them in checks."""
    filled = [each for each in described if each.n_rows]
    first = filled[0]
    columns = [
        _joined_labels([each.columns[k][0] for each in filled]) for k in range(len(first.columns))
    ]
    if first.columns[0][1] is None:
        columns = [np.array([each.min(), each.max()]) for each in columns]
    else:  # each label three times: many that occur once are taken for numbers, with a warning
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
    """Return the labels of all partitions; text and numbers together stay what they are."""
    if len({each.dtype.kind in "OUS" for each in arrays}) > 1:
        arrays = [each.astype(object) for each in arrays]
    return np.concatenate(arrays)


def _unique(labels):
    return labels if labels.dtype == object else np.unique(labels)


def dtype_of_y(described):
    """Return the dtype of the numbers in y in all partitions together; None for labels."""
    filled = [each for each in described if each.n_rows]
    if filled[0].columns[0][1] is not None:
        return None
    return np.result_type(*(each.y_dtype for each in filled))


def balanced(described):
    """Return the weights of the classes that 'balanced' means: ``n / (n_classes * count)`` for each.

    A dict, or, where y has several columns, a list of one for each.
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
