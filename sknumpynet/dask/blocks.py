# SPDX-License-Identifier: BSD-3-Clause
"""The data on a worker: partitions, checked and described, and blocks of rows ready for training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.class_weight import compute_sample_weight

from sknumpynet._compat import has_feature_names
from sknumpynet.checks.input_checks import explained_labels
from sknumpynet.core.wording import counted
from sknumpynet.estimators.classifier import NumpyMLPClassifier, checked_labels
from sknumpynet.estimators.labels import columns_of, learn_labels, plain_labels
from sknumpynet.estimators.regressor import checked_numbers

# ---------------------------------------------------------------- partitions


@dataclass(frozen=True)
class Part:
    """A partition, checked.

    Attributes
    ----------
    X : ndarray or csr_matrix of shape (n, n_features)
        Inputs.
    y : ndarray or sparse matrix of shape (n,) or (n, n_columns)
        Targets as the user passed them.
    sample_weight : ndarray of shape (n,) or None
        Weights of the rows.
    """

    X: Any
    y: Any
    sample_weight: Any


@dataclass(frozen=True)
class Description:
    """The information about a partition that the client needs.

    Attributes
    ----------
    problem : str
        The reason why it cannot be used; empty if it can, and the other attributes are set.
    shape, dtype, is_sparse : tuple of int, dtype and bool
        Properties of X.
    names : tuple of str or None
        The names of its columns.
    largest, n_bytes : float and int
        The largest absolute number in X, and its size in memory.
    y_ndim, y_is_sparse : int and bool
        Properties of y.
    columns : tuple of (ndarray, ndarray)
        For each column of y: the labels and their counts; or the smallest and the largest number, and None.
    weights : tuple of two float
        The sum of the positive weights and that of the negative ones; without weights the number of rows and
        0.
    labelled_alike : bool
        Whether X, y and the weights, if they are from pandas, have the same index.
    """

    problem: str = ""
    shape: tuple = (0, 0)
    dtype: Any = None
    is_sparse: bool = False
    names: Any = None
    largest: float = 0.0
    n_bytes: int = 0
    y_ndim: int = 1
    y_is_sparse: bool = False
    columns: tuple = ()
    weights: tuple = (0.0, 0.0)
    labelled_alike: bool = True

    @property
    def n_rows(self):
        """Number of rows."""
        return self.shape[0]


def load(X, y, sample_weight, cls):
    """Return a partition as `Part` and its `Description`, which contains any problem.

    ``cls`` is the class of the local estimator.
    """
    try:
        if not X.shape[0]:
            n_y = y.shape[0]
            if n_y:
                raise ValueError(f"X has no rows, and y has {n_y}")
            return None, Description(shape=(0, X.shape[1]), names=_names_of(X))
        if type(X).__module__.partition(".")[0] == "sparse":
            raise TypeError(
                f"X is a {type(X).__name__} of the package sparse, but must be dense or from scipy.sparse: "
                "convert it, as with X.map_blocks(lambda block: block.tocsr())"
            )
        labelled_alike = _labelled_alike(X, y, sample_weight)
        if np.ndim(y) == 2 and y.shape[1] == 1 and not sparse.issparse(y):
            y = np.asarray(y).ravel()  # the client warns about this
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
    described = _described(part, None if names is None else tuple(names), classifies)
    return part, replace(described, labelled_alike=labelled_alike)


def _labelled_alike(*given):
    """Return whether all pandas objects have the same index."""
    indices = [each.index for each in given if hasattr(each, "iloc")]
    return all(each.equals(indices[0]) for each in indices[1:])


def _names_of(X):
    return tuple(X.columns) if has_feature_names(X) else None


def _labels(y):
    """Return y as labels, or raise the same errors as the local estimator."""
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
            f"sample_weight has shape {weights.shape}, and X has {counted(n_rows, 'row')}: give one "
            "weight for each"
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
        y_is_sparse=sparse.issparse(y),
        columns=tuple(columns),
        weights=signs,
    )


# ---------------------------------------------------------------- blocks


@dataclass(frozen=True)
class Block:
    """Rows ready for training: one part, or several small ones.

    Attributes
    ----------
    X : ndarray or csr_matrix of shape (n, n_features)
        Inputs, in C order.
    targets : ndarray
        Targets in the form that the loss needs.
    sample_weight : ndarray of shape (n,) or None
        Weights, multiplied by class weights.
    pieces : tuple of (int, int)
        For each part the number of its first row, in Dask's order of all rows, and its number of rows.
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
        """Return the numbers of these rows in Dask's order."""
        return global_rows(self.pieces)


def global_rows(pieces):
    """Return the numbers of the rows of some pieces, as an array of int64."""
    ranges = [np.arange(first, first + n, dtype=np.int64) for first, n in pieces]
    return np.concatenate(ranges) if ranges else np.empty(0, np.int64)


@dataclass(frozen=True)
class Recipe:
    """The settings for converting parts to blocks.

    Attributes
    ----------
    target : Target
        Encodes y.
    dtype : dtype
        Common dtype of X in all partitions.
    weight_dtype : dtype
        Dtype of the weights, which is that of the computation.
    class_weight : dict, list of dict or None
        Class weights, by which sample weights are multiplied.
    """

    target: Any
    dtype: Any
    weight_dtype: Any
    class_weight: Any = None


def make_block(loaded, pieces, recipe):
    """Return the block of some parts; ``loaded`` has the result of `load` for each."""
    parts = [part for part, _ in loaded]
    X = [part.X.astype(recipe.dtype, copy=False) for part in parts]
    targets = [recipe.target.encode(part.y) for part in parts]
    weights = [_all_weights(part, recipe) for part in parts]
    return Block(
        X=_joined(X),
        targets=_joined(targets),
        sample_weight=None if weights[0] is None else _joined(weights),
        pieces=tuple(pieces),
    )


def _all_weights(part, recipe):
    """Return the sample weights times the class weights."""
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
