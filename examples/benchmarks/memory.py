# SPDX-License-Identifier: BSD-3-Clause
"""How much memory a fit needs on top of X: ours and scikit-learn's, for X of many kinds.

Each fit (one epoch, 60,000 x 784, 100 units, batch 200) has a process of its own. Measured is the peak of
what NumPy and Python allocate during the fit (tracemalloc), and the growth of the process (resident memory,
on Linux), which also counts the pages of a memory-mapped file that were read. The target (shown with
--targets) is six times the parameters, three batches, and 24 bytes a row for labels and order; CSC may become
CSR once. To repeat:

    python examples/benchmarks/memory.py --output results
    python examples/benchmarks/memory.py --cases uint8 mapped
"""

from __future__ import annotations

import tempfile
from dataclasses import replace

import numpy as np
from common import STYLES, Report, against, arguments, once, peak_memory
from workloads import WORKLOADS, as_frame, mnist

BYTES_PER_ROW = 24
# Name, dtype of X, how it is kept, early stopping.
CASES = {
    "uint8": ("uint8", "array", False),
    "float16": ("float16", "array", False),
    "float32": ("float32", "array", False),
    "float64": ("float64", "array", False),
    "mapped": ("float32", "mapped", False),
    "early-stopping": ("float32", "array", True),
    "frame": ("float32", "frame", False),
    "csr": ("float32", "csr", False),
    "csc": ("float32", "csc", False),
}


def make_X(case, data_dir, folder):
    """Return X as the case wants it, and y."""
    dtype, kind, _ = CASES[case]
    X, y = mnist(data_dir)[:2]
    if dtype != "uint8":
        X = X.astype(dtype)
        X /= 255
    if kind == "mapped":
        file = f"{folder}/X.npy"
        np.save(file, X)
        X = np.load(file, mmap_mode="r")
    elif kind == "frame":
        X = as_frame(X)
    elif kind != "array":
        import scipy.sparse

        X = scipy.sparse.csr_matrix(X).asformat(kind)
    return X, y


def size(X):
    """Return the bytes of X."""
    if hasattr(X, "indptr"):
        return X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    return X.size * np.asarray(X[:1]).itemsize


def budget(case, X):
    """Return the bytes that a fit may need over X."""
    dtype, kind, _ = CASES[case]
    workload = WORKLOADS["mnist-100"]
    params = sum((a + 1) * b for a, b in zip(workload.sizes, workload.sizes[1:]))
    itemsize = 4 if dtype == "float32" else 8
    batch = workload.batch * sum(workload.sizes)
    once_csr = size(X) if kind == "csc" else 0
    return itemsize * (6 * params + 3 * batch) + BYTES_PER_ROW * X.shape[0] + once_csr


def prepare(peer, case, data_dir):
    """Return a function that measures one fit."""
    from sklearn.neural_network import MLPClassifier

    from sknumpynet import NumpyMLPClassifier

    estimator = {"ours": NumpyMLPClassifier, "sklearn": MLPClassifier}[peer]
    workload = replace(WORKLOADS["mnist-100"], epochs=1)
    early_stopping = CASES[case][2]

    def fit(X, y):
        estimator(**workload.options, early_stopping=early_stopping).fit(X, y)

    def measure():
        with tempfile.TemporaryDirectory() as folder:
            X, y = make_X(case, data_dir, folder)
            few = np.arange(400)
            fit(
                X.iloc[few] if CASES[case][1] == "frame" else X[few], y[few]
            )  # imports what is lazy
            peak, resident, _ = peak_memory(lambda: fit(X, y))
            return {
                "case": case,
                "peer": peer,
                "X_bytes": size(X),
                "peak_bytes": peak,
                "resident_bytes": resident,
                "budget_bytes": budget(case, X),
            }

    return measure


def summary(case, rows):
    """Return the line of the table for one case."""
    by_peer = {row["peer"]: row for row in rows}
    ours, theirs = by_peer["ours"], by_peer["sklearn"]
    return {
        "X": case,
        "X, MB": ours["X_bytes"] / 1e6,
        "ours, MB": against(ours["peak_bytes"] / 1e6, ours["budget_bytes"] / 1e6, at_most=True),
        "scikit-learn, MB": theirs["peak_bytes"] / 1e6,
        "process: ours, MB": ours["resident_bytes"] / 1e6,
        "process: scikit-learn, MB": theirs["resident_bytes"] / 1e6,
    }


def draw(rows):
    """Return a figure: the peak of each peer over X, a line per case."""
    from matplotlib.figure import Figure

    cases = list(dict.fromkeys(row["case"] for row in rows))
    figure = Figure(figsize=(7, 1.3 + 0.5 * len(cases)), layout="constrained")
    axes = figure.subplots()
    for peer in ("sklearn", "ours"):
        label, color, marker = STYLES[peer]
        peaks = [row["peak_bytes"] / 1e6 for row in rows if row["peer"] == peer]
        axes.plot(peaks, range(len(cases)), marker, color=color, ms=8, label=label)
        for y, peak in enumerate(peaks):
            axes.annotate(
                f"{peak:.3g}",
                (peak, y),
                (0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=8,
            )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yticks(range(len(cases)), cases)
    axes.set_ylim(len(cases) - 0.5, -0.7)
    axes.margins(x=0.15)
    axes.set_xlabel("MB that a fit allocates over X (60,000 x 784), at its peak")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure


def main():
    """Measure, print and write."""
    parser = arguments(__doc__, leave_out=("--dtype", "--rounds"), threads=[1])
    parser.add_argument(
        "--cases",
        nargs="+",
        choices=list(CASES),
        default=list(CASES),
        metavar="NAME",
        help=f"of {', '.join(CASES)} (default: all)",
    )
    options = parser.parse_args()
    report = Report("memory", options.output, options.targets)
    report.say("Memory of a fit over X: 60,000 x 784, 100 units, batch 200, one epoch")
    rows, lines = [], []
    for case in options.cases:
        found = [
            once(prepare, peer, case, options.data_dir, threads=options.threads[0])
            for peer in ("ours", "sklearn")
        ]
        rows += found
        lines.append(summary(case, found))
        report.say(f"{case}: " + ", ".join(f"{row['peer']} {row['peak_bytes']}" for row in found))
        report.csv(rows)
    report.table(lines)
    report.picture(draw, rows)


if __name__ == "__main__":
    main()
