# SPDX-License-Identifier: BSD-3-Clause
"""How long prediction takes, and how much memory: ours, scikit-learn's, and the matrix products alone.

A network of 64 inputs and 100 units predicts one row (as an array, also of another dtype, a list, a
DataFrame, CSR or CSC), 1,000 and 200,000 rows (in C and Fortran order, CSR and CSC): the classifier's
predict and predict_proba (10 classes), the regressor's predict. Each peer is a process of its own; they take
turns, and the best of the rounds counts. The products alone (floor) take the same chunks of rows as ours.
Memory is the peak over the result: of what NumPy and Python allocate
(tracemalloc), and of the process (resident memory, on Linux). To repeat:

    python examples/benchmarks/predict.py --output results
    python examples/benchmarks/predict.py --rows 1 1000 --dtype float32 --threads 1 --rounds 3
"""

from __future__ import annotations

import numpy as np
from common import Report, against, arguments, in_turn, peak_memory, ratio_figure, seconds, spread
from workloads import as_frame

COLUMNS, UNITS, CLASSES = 64, 100, 10
KINDS = ("array", "int", "other float", "list", "frame", "csr", "csc")  # of one row
LAYOUTS = ("array", "fortran", "csr", "csc")  # of many
TASKS = ("classifier.predict", "classifier.predict_proba", "regressor.predict")
# Times as fast as scikit-learn, at least, for float64 and float32.
TARGETS = {
    (1, "array"): (8, 8),
    (1, "int"): (3, 3),
    (1, "other float"): (3, 3),
    (200_000, "array"): (1.4, 1.5),
}
OTHERWISE, FLOOR_AT_MOST, MEGABYTES_AT_MOST = 1, 2.1, 8


def shape_as(kind, X):
    """Return X as a list, a DataFrame, a sparse matrix, in another dtype or layout, or as it is."""
    if kind == "int":
        return (100 * X).astype(int)
    if kind == "other float":
        return X.astype("float32" if X.dtype == np.float64 else "float64")
    if kind == "fortran":
        return np.asfortranarray(X)
    if kind == "list":
        return X.tolist()
    if kind == "frame":
        return as_frame(X)
    if kind in ("csr", "csc"):
        from scipy.sparse import csc_matrix, csr_matrix

        return (csr_matrix if kind == "csr" else csc_matrix)(X * (X > 1))
    return X


def predictor(peer, task, kind, dtype):
    """Return the function to time, and the number of outputs of the network."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

    rng = np.random.default_rng(0)
    X = rng.standard_normal((1000, COLUMNS), dtype)
    what, method = task.split(".")
    if what == "classifier":
        y = rng.integers(CLASSES, size=len(X))
        estimator = NumpyMLPClassifier if peer != "sklearn" else MLPClassifier
    else:
        y = X[:, 0]
        estimator = NumpyMLPRegressor if peer != "sklearn" else MLPRegressor
    estimator = estimator(hidden_layer_sizes=(UNITS,), max_iter=2, random_state=0)
    estimator.fit(shape_as(kind if kind == "frame" else "array", X), y)
    if peer == "floor":
        return products(estimator)
    return getattr(estimator, method)


def products(estimator):
    """Return the matrix products of a prediction, in the chunks that ours takes."""
    W = [np.array(w) for w in estimator.coefs_]
    size = estimator._model.network.chunk_rows()
    z = [np.empty((size, w.shape[1]), w.dtype) for w in W]

    def multiply(X):
        for start in range(0, len(X), size):
            x = X[start : start + size]
            for w, out in zip(W, z):
                x = np.dot(x, w, out=out[: len(x)])

    return multiply


def prepare(peer, task, kind, n_rows, dtype):
    """Return a function that returns seconds of one call, and bytes over the result."""
    predict = predictor(peer, task, kind, dtype)
    X = np.random.default_rng(1).standard_normal((n_rows, COLUMNS), dtype)
    X = shape_as(kind, X)
    predict(X)  # to warm up
    calls = max(1, round(0.1 / seconds(lambda: predict(X))))
    memory = []

    def repeat():
        for _ in range(calls):
            predict(X)

    def measure():
        taken = seconds(repeat) / calls
        if not memory:  # the same each time
            peak, resident, result = peak_memory(lambda: predict(X))
            # the result may lie in memory that the process held before
            memory[:] = [peak - result, max(resident - result, 0)]
        return taken, *memory

    return measure


def measure(task, kind, n_rows, dtype, threads, rounds):
    """Return one row for each peer."""
    peers = ("ours", "sklearn", "floor") if kind == "array" else ("ours", "sklearn")
    specs = {peer: (peer, task, kind, n_rows, dtype) for peer in peers}
    found = in_turn(specs, prepare, threads, rounds)
    return [
        {
            "task": task,
            "X": kind,
            "rows": n_rows,
            "dtype": dtype,
            "threads": threads,
            "peer": peer,
            "best_s": min(result[0] for result in results),
            "ratios": spread(*([result[0] for result in found[name]] for name in (peer, "ours"))),
            "peak_bytes": results[0][1],
            "resident_bytes": results[0][2],
        }
        for peer, results in found.items()
    ]


def summary(rows):
    """Return the lines of both tables, times and memory, for one case."""
    by_peer = {row["peer"]: row for row in rows}
    ours, theirs, floor = by_peer["ours"], by_peer["sklearn"], by_peer.get("floor")
    case = {name: ours[name] for name in ("task", "X", "rows", "dtype", "threads")}
    target = TARGETS.get((ours["rows"], ours["X"]))
    target = OTHERWISE if target is None else target[ours["dtype"] == "float32"]
    large = ours["rows"] == max(n for n, _ in TARGETS)
    over = ours["best_s"] / floor["best_s"] if floor else None
    times = case | {
        "ours, us": ours["best_s"] * 1e6,
        "x scikit-learn": against(
            theirs["best_s"] / ours["best_s"], target, spread=theirs["ratios"]
        ),
        "over the floor": against(over, FLOOR_AT_MOST if large else None, True),
    }
    memory = case | {
        "ours, MB": against(ours["peak_bytes"] / 1e6, MEGABYTES_AT_MOST if large else None, True),
        "scikit-learn, MB": f"{theirs['peak_bytes'] / 1e6:.2f}",
        "process: ours, MB": f"{ours['resident_bytes'] / 1e6:.2f}",
        "process: scikit-learn, MB": f"{theirs['resident_bytes'] / 1e6:.2f}",
    }
    return times, memory


def draw(rows):
    """Return a figure: the time of each peer, that of ours being 1, a panel per number of rows."""
    panels = {}
    for row in rows:
        title = f"{row['rows']:,} row{'s' if row['rows'] > 1 else ''}"
        X = "" if row["X"] == "array" else f" ({row['X']})"
        threads = f"{row['threads']} thread{'s' if row['threads'] > 1 else ''}"
        label = f"{row['task']}{X}, {row['dtype']}, {threads}"
        panels.setdefault(title, {}).setdefault(label, {})[row["peer"]] = row["best_s"]
    return ratio_figure(panels, 1, "time of a call")


def main():
    """Measure, print and write."""
    parser = arguments(__doc__, leave_out=("--data-dir",))
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[1, 1000, 200_000], help="(default: 1 1000 200000)"
    )
    parser.add_argument(
        "--tasks", nargs="+", choices=TASKS, default=TASKS, metavar="NAME", help=", ".join(TASKS)
    )
    options = parser.parse_args()
    report = Report("predict", options.output, options.targets)
    report.say(f"Predictions: {COLUMNS} columns, {UNITS} units; the best of {options.rounds}")
    rows, times, memory = [], [], []
    for n_rows in options.rows:
        for task in options.tasks:
            for kind in (KINDS if n_rows == 1 else LAYOUTS) if task == TASKS[0] else ("array",):
                for dtype in options.dtype:
                    for threads in options.threads if n_rows > 1 else options.threads[:1]:
                        found = measure(task, kind, n_rows, dtype, threads, options.rounds)
                        rows += found
                        line, other = summary(found)
                        times.append(line)
                        memory += [other] if n_rows > 1 else []
                        taken = ", ".join(
                            f"{row['peer']} {row['best_s'] * 1e6:.1f} us" for row in found
                        )
                        report.say(f"{task}, {n_rows} rows, {kind}, {dtype}, {threads}: {taken}")
                        report.csv(rows)
    report.table(times)
    report.table(memory)
    report.picture(draw, rows)


if __name__ == "__main__":
    main()
