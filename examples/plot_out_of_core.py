"""
Data larger than memory
=======================

A fit needs memory for the network and for one batch; the rows can stay in a file. This page trains on a
memory map, and in parts with ``partial_fit``, measures the memory this takes, and shows what shuffling costs
on a disk.
"""

# %%
# Data in a file
# --------------
# A file in NumPy's format, written in parts, so that it is never in memory as a whole. The rows are in half
# precision, and the class is the one of eight directions in which a row points.

import tempfile
import time
import tracemalloc
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknumpynet import NumpyMLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch each

PIECE, N_FEATURES = 5_000, 300
directions = np.random.default_rng(0).normal(size=(N_FEATURES, 8))


def draw(n_rows, rng):
    X = rng.normal(size=(n_rows, N_FEATURES)).astype(np.float16)
    return X, np.argmax(X @ directions, axis=1)


folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
file = Path(folder.name, "X.npy")
rng = np.random.default_rng(1)
rows = 80_000
X = np.lib.format.open_memmap(file, mode="w+", dtype=np.float16, shape=(rows, N_FEATURES))
y = np.empty(rows, dtype=np.int8)
for start in range(0, rows, PIECE):
    X[start : start + PIECE], y[start : start + PIECE] = draw(PIECE, rng)
X.flush()
X_test, y_test = draw(5_000, rng)
print(
    f"{file.name}: {file.stat().st_size / 1e6:.0f} MB; as float64 it would take {X.size * 8e-6:.0f} MB"
)

# %%
# A fit on the memory map
# -----------------------
# ``np.load(..., mmap_mode="r")`` returns an array whose rows are read when they are used. Batches are
# gathered and converted one at a time. The memory that a fit allocates, measured with ``tracemalloc``,
# therefore does not grow with the size of X: each row only adds a few bytes for its label and its position in
# the shuffled order, however many columns it has.

X = np.load(file, mmap_mode="r")
options = {"hidden_layer_sizes": (50,), "dtype": "float32", "max_iter": 1}
options |= {"learning_rate_init": 0.005, "random_state": 0}


def most_allocated(function):
    """Return the peak of the allocated memory in megabytes."""
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return peak


most_allocated(
    lambda: NumpyMLPClassifier(**options).fit(X[:400], y[:400])
)  # imports on first use are not counted
sizes = [10_000, 20_000, 40_000, 80_000]
peaks = {}
for size in sizes:
    network = NumpyMLPClassifier(**options)
    peaks[size] = most_allocated(lambda n=size, net=network: net.fit(X[:n], y[:n]))
    print(
        f"{size:7,} rows, {X[:size].nbytes / 1e6:4.0f} MB: {peaks[size]:4.1f} MB allocated, "
        f"test score {network.score(X_test, y_test):.3f}"
    )

per_row = 1e6 * (peaks[sizes[-1]] - peaks[sizes[0]]) / (sizes[-1] - sizes[0])
print(f"{per_row:.0f} bytes for each row more; a row of X has {X.strides[0]}")

# %%
# In parts
# --------
# ``partial_fit`` makes one pass over the given rows. They can come from anywhere, such as a database or a
# sensor; the first call needs all classes. A schedule continues from call to call. Memory holds one part of 3
# MB, and two while the next one is read.


def pieces(network, size):
    for start in range(0, size, PIECE):
        piece = np.array(X[start : start + PIECE])  # read into memory
        network.partial_fit(piece, y[start : start + PIECE], classes=np.arange(8))


in_pieces = {}
for size in sizes:
    network = NumpyMLPClassifier(**options)
    in_pieces[size] = most_allocated(lambda n=size, net=network: pieces(net, n))
print(
    f"{size:,} rows in parts: {in_pieces[size]:.1f} MB, test score {network.score(X_test, y_test):.3f}"
)

# %%

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
thousands = np.array(sizes) / 1000
lines = (
    ("X in float64", [size * N_FEATURES * 8e-6 for size in sizes], "black", ":", ""),
    ("the file, float16", [size * N_FEATURES * 2e-6 for size in sizes], "black", "--", ""),
    ("fit on the memory map", list(peaks.values()), "#0072B2", "-", "o"),
    ("partial_fit in parts", list(in_pieces.values()), "#D55E00", "-", "s"),
)
for label, values, color, line, marker in lines:
    axes.plot(thousands, values, line + marker, color=color, linewidth=2, label=label)
axes.set(xlabel="thousands of rows", ylabel="megabytes", yscale="log", ylim=(0.5, 300))
axes.yaxis.set_major_formatter("{x:g}")
figure.legend(loc="outside upper center", ncols=2)
plt.show()

# %%
# What ``shuffle`` costs
# ----------------------
# With ``shuffle=True``, the default, the rows of a batch are scattered over the file. While the operating
# system has the file in memory, as here, this costs little. If the file is larger than memory, each row is a
# separate read of at least 4 kB from a random position; rows in order are read at the full speed of the disk.

for shuffle in (True, False):
    network = NumpyMLPClassifier(shuffle=shuffle, **options)
    start = time.perf_counter()
    network.fit(X, y)
    print(
        f"shuffle={shuffle!s:5} {time.perf_counter() - start:.2f} s, "
        f"test score {network.score(X_test, y_test):.3f}"
    )

row = X.strides[0]
print(
    f"a batch of 200 rows: {200 * row / 1e3:.0f} kB to use; shuffled, {200 * 4096 / 1e3:.0f} kB to read"
)

# %%
# So shuffle the rows once, when you write the file, and then read it in order with ``shuffle=False``. Do
# not train in order on rows that are sorted by class or by date. A compromise is to read large parts and let
# ``partial_fit`` shuffle within each, as above.

folder.cleanup()
