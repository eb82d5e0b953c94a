# SPDX-License-Identifier: BSD-3-Clause
"""Convert Dask collections to lists of partitions and back, without computing anything.

Arrays, DataFrames and lists of delayed blocks become lists of `Delayed`, one for each partition.
"""

from __future__ import annotations

from dataclasses import dataclass

import dask
import dask.array as da
import numpy as np
from dask.delayed import Delayed
from distributed.client import futures_of

from sknumpynet.core.wording import counted

FETCHED = "scikit-learn's transformers return NumPy arrays, those of dask_ml.preprocessing Dask collections"
WAY_OUT = "encode such columns first, as with dask_ml.preprocessing or .astype"


@dataclass(frozen=True)
class Partitions:
    """Matching partitions of X, y and the weights.

    Attributes
    ----------
    rows : list of (Delayed, Delayed, Delayed or None)
        X, y and weights of each partition.
    on_workers : bool
        Whether rows, or the data from which they are computed, are already on workers.
    y_is_column : bool
        Whether y has two dimensions and one column, although a vector is expected.
    """

    rows: list
    on_workers: bool
    y_is_column: bool = False


def is_collection(X):
    """Return whether X is an array or a DataFrame of Dask's, or a list of delayed blocks."""
    return is_array(X) or is_frame(X) or is_list_of_blocks(X)


def is_array(X):
    """Return whether X is an array of Dask's."""
    return isinstance(X, da.Array)


def is_frame(X):
    """Return whether X is a DataFrame, or a column of one, of Dask's."""
    return dask.is_dask_collection(X) and hasattr(X, "npartitions") and hasattr(X, "_meta_nonempty")


def is_list_of_blocks(X):
    """Return whether X is a list of delayed blocks of rows."""
    return isinstance(X, list | tuple) and bool(X) and all(isinstance(each, Delayed) for each in X)


def partitions(X, y, sample_weight=None):
    """Return the `Partitions` of a data set, or raise if its parts do not match."""
    given = {"X": X, "y": y, "sample_weight": sample_weight}
    given = {name: each for name, each in given.items() if each is not None}
    for name, each in given.items():
        if not is_collection(each):
            hint = FETCHED if name == "X" else f"dask.array.from_array({name}, chunks=X.chunks[0])"
            raise TypeError(
                f"{name} is of type {type(each).__name__}, and others of X, y and sample_weight are Dask "
                f"collections: pass all of them as Dask arrays or DataFrames ({hint}), or none of them"
            )
    if is_array(X) and X.ndim != 2:
        raise ValueError(
            f"X must have two dimensions, a row per sample; got an array of shape {X.shape}: reshape it"
        )
    if is_frame(X):
        check_columns(X)
    given = {name: whole_rows(each) for name, each in given.items()}
    given = aligned(given)
    lists = [delayed_blocks(each) for each in given.values()]
    if sample_weight is None:
        lists.append([None] * len(lists[0]))
    return Partitions(
        rows=list(zip(*lists, strict=True)),
        on_workers=any(bool(futures_of(each)) for each in given.values()),
        y_is_column=getattr(y, "ndim", 1) == 2 and y.shape[1] == 1,
    )


def check_columns(X):
    """Raise if columns of a DataFrame contain text, categories, dates or other objects."""
    dtypes = X._meta.dtypes if X.ndim == 2 else [X._meta.dtype]
    names = X._meta.columns if X.ndim == 2 else [X._meta.name]
    bad = [
        f"{name!r} ({dtype})"
        for name, dtype in zip(names, dtypes, strict=True)
        if getattr(dtype, "kind", "O") not in "biuf"
    ]
    if bad:
        raise ValueError(f"X must hold numbers, but has {', '.join(bad)}: {WAY_OUT}")


def whole_rows(collection):
    """Return the collection with all columns of a row in one chunk."""
    if is_array(collection) and collection.ndim == 2 and len(collection.chunks[1]) > 1:
        return collection.rechunk({1: -1})
    return collection


def sizes_of(collection):
    """Return the numbers of rows of the partitions, or None if they are not known."""
    if is_array(collection) and not np.isnan(collection.chunks[0]).any():
        return collection.chunks[0]
    return None


def n_partitions(collection):
    """Return the number of partitions."""
    if is_array(collection):
        return len(collection.chunks[0])
    return collection.npartitions if is_frame(collection) else len(collection)


def aligned(given):
    """Return the collections with equal partitions, or raise if their sizes are not known."""
    sizes = {name: sizes_of(each) for name, each in given.items()}
    rows = {name: sum(each) for name, each in sizes.items() if each is not None}
    if len(set(rows.values())) > 1:
        raise ValueError(
            "X, y and sample_weight must have the same number of rows: "
            + ", ".join(f"{name} has {n}" for name, n in rows.items())
        )
    if len(rows) == len(given):
        chunks = sizes["X"]
        return {
            name: each if sizes[name] == chunks else each.rechunk({0: chunks})
            for name, each in given.items()
        }
    numbers = {name: n_partitions(each) for name, each in given.items()}
    if len(set(numbers.values())) > 1:
        listed = [f"{name}: {counted(n, 'partition')}" for name, n in numbers.items()]
        unknown = [name for name, each in sizes.items() if each is None]
        raise ValueError(
            f"{' and '.join(given)} are partitioned differently "
            f"({', '.join(listed)}), and the number of rows in each partition of "
            f"{' and '.join(unknown)} is not known. Make it known, by .compute_chunk_sizes() of an "
            "array or .values.compute_chunk_sizes() of a DataFrame, or "
            "partition them alike, as two selections of one DataFrame are"
        )
    return given


def delayed_blocks(collection):
    """Return the partitions as a list of `Delayed`.

    The graphs are not optimised: if they were optimised separately, X and y would load the same file twice,
    and Dask would merge small Parquet files into different numbers of partitions.
    """
    if is_list_of_blocks(collection):
        return list(collection)
    blocks = collection.to_delayed(optimize_graph=False)
    return list(blocks) if is_frame(collection) else blocks.ravel().tolist()


# -------------------------------------------------------------------- predictions


def mapped(function, X, model, example):
    """Return the results of a function for each partition as a Dask array.

    Parameters
    ----------
    function : callable
        ``function(rows, model)`` returns an array with as many rows.
    X : collection
        The rows.
    model : object
        The model, which is in the graph once.
    example : ndarray or sparse matrix
        The result of the function for some rows.
    """
    model = dask.delayed(model, pure=False)
    width = example.shape[1:]
    if is_array(X):
        X = whole_rows(X)
        chunks = (X.chunks[0], *((n,) for n in width))
        drop = [1] if example.ndim == 1 else None
        return X.map_blocks(
            function, model, chunks=chunks, drop_axis=drop, dtype=example.dtype, meta=example[:0]
        )
    blocks = [dask.delayed(function)(block, model) for block in delayed_blocks(X)]
    arrays = [
        da.from_delayed(block, (np.nan, *width), dtype=example.dtype, meta=example[:0])
        for block in blocks
    ]
    return da.concatenate(arrays, allow_unknown_chunksizes=True)


def n_columns_of(X):
    """Return the number of columns if it is known, else None."""
    return None if is_list_of_blocks(X) else X.shape[1]
