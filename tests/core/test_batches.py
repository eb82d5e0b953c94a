# SPDX-License-Identifier: BSD-3-Clause
"""Batches: the right rows in the right dtype, from any kind of table, which is never converted whole."""

import numpy as np
import pytest
import scipy.sparse as sp
from memory import peak_bytes
from numpy.testing import assert_array_equal

from sknumpynet.core.network.rows import RowReader
from sknumpynet.core.training import Batches

N, K, SIZE = 40, 3, 8
TABLE = np.random.default_rng(0).integers(0, 2, size=(N, K)) * np.arange(1, N + 1)[:, None]
ROWS = [
    slice(0, SIZE),
    slice(36, 40),
    np.array([5, 0, 39, 5, 17, 2, 3, 4]),
    np.array([7]),
    np.arange(N - 1, N - 6, -1),
    np.array([1, 2], np.uint32),
    np.arange(0),
]


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def memory_map(x, path):
    mapped = np.memmap(path, x.dtype, "w+", shape=x.shape)
    mapped[...] = x
    mapped.flush()
    return np.memmap(path, x.dtype, "r", shape=x.shape)


LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "strided": lambda x: np.repeat(np.repeat(x, 2, axis=0), 2, axis=1)[::2, ::2],
    "read-only": read_only,
}


def check(source, table, dtype):
    gather = RowReader(source, SIZE, dtype)
    for rows in ROWS:
        batch = gather(rows)
        assert isinstance(batch, np.ndarray) and batch.dtype == dtype
        assert_array_equal(batch, table[rows].astype(dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["uint8", "int64", "float16", "float32", "float64", "bool", ">f8"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_of_an_array(layout, kind, dtype):
    table = TABLE.astype(kind)
    source = LAYOUTS[layout](table)
    check(source, table, dtype)
    assert_array_equal(source, table)
    assert source.dtype == kind


@pytest.mark.parametrize("kind", ["uint8", "float64"])
def test_rows_of_a_memory_map(tmp_path, kind):
    table = TABLE.astype(kind)
    check(memory_map(table, tmp_path / "table"), table, np.float64)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["int64", "float64"])
def test_rows_of_a_vector(layout, kind):
    column = TABLE[:, 0].astype(kind)
    source = column if layout == "F" else LAYOUTS[layout](column[:, None])[:, 0]
    check(source, column, np.float64)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["float64", "float32", "int64"])
@pytest.mark.parametrize("form", ["csr_matrix", "csr_array", "csc_matrix", "csc_array"])
def test_rows_of_a_sparse_table(form, kind, dtype):
    source = getattr(sp, form)(TABLE.astype(kind))
    gather = RowReader(source, SIZE, dtype)
    for rows in ROWS:
        batch = gather(rows)
        assert sp.issparse(batch) and batch.format == "csr" and batch.dtype == dtype
        assert_array_equal(batch.toarray(), TABLE[rows])
    assert_array_equal(source.toarray(), TABLE)
    assert source.dtype == kind


@pytest.mark.parametrize("kind", ["uint8", "float64"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_writing_into_a_gathered_batch_leaves_the_source(layout, kind):
    source = LAYOUTS[layout](TABLE.astype(kind))
    batch = RowReader(source, SIZE, np.float64)(np.arange(SIZE))
    batch[...] = -1
    assert_array_equal(source, TABLE.astype(kind))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_batch_of_row_numbers_lies_in_the_same_buffer(layout):
    gather = RowReader(LAYOUTS[layout](TABLE.astype(float)), SIZE, np.float64)
    first, short = gather(np.arange(SIZE)), gather(np.arange(3))
    assert np.shares_memory(first, short) and len(short) == 3
    assert first.flags.c_contiguous and short.flags.c_contiguous


def test_consecutive_rows_of_the_right_dtype_are_no_copy():
    table = TABLE.astype(float)
    assert np.shares_memory(RowReader(table, SIZE, np.float64)(slice(4, 9)), table)


@pytest.mark.parametrize("as_rows", [lambda a, b: slice(a, b), np.arange], ids=["slice", "numbers"])
@pytest.mark.parametrize("layout", ["C", "F", "strided"])
@pytest.mark.parametrize("kind", ["uint8", "float16", "float32", "float64"])
def test_the_source_is_never_converted_whole(kind, layout, as_rows):
    source = LAYOUTS[layout](np.zeros((20_000, 20), kind))  # 3.2 MB in float64

    def read():
        gather = RowReader(source, 32, np.float64)  # 5 KB
        for start in range(0, 20_000, 1000):
            gather(as_rows(start, start + 32))

    assert peak_bytes(read) < 100_000


def test_batches_of_targets_and_weights():
    X, w = TABLE.astype("uint8"), np.linspace(0, 1, N)
    rows = np.array([3, 1, 2])
    classes, table = np.arange(N) % 4, TABLE.astype("float32")

    batches = Batches(X, classes, None, SIZE, np.float32)
    assert (batches.n, batches.size) == (N, SIZE)
    X_part, y_part, w_part = batches.gather(rows)
    assert X_part.dtype == np.float32 and w_part is None
    assert_array_equal(X_part, TABLE[rows])
    assert y_part.dtype == classes.dtype  # indices stay integers
    assert_array_equal(y_part, classes[rows])

    _, y_part, w_part = Batches(X, table, w, SIZE, np.float64).gather(rows)
    assert y_part.dtype == w_part.dtype == np.float64
    assert_array_equal(y_part, table[rows])
    assert_array_equal(w_part, w[rows])
