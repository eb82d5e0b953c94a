# SPDX-License-Identifier: BSD-3-Clause
"""How long a call of partial_fit takes on a few rows, where calling functions costs more than training.

Networks of 20 inputs and 100 units; numbers, two classes and ten, as numbers and as text. Ours and
scikit-learn's take turns in one process, call by call, so that both meet the same moments of a busy machine;
the fastest of many calls counts, and the quartiles of the ratio are in brackets. To repeat:

    python examples/benchmarks/partial_fit.py --output results
    python examples/benchmarks/partial_fit.py --rows 32 --dtype float64 --calls 300
"""

from __future__ import annotations

import time

import numpy as np
from common import Report, against, arguments, once, spread

COLUMNS = 20
TASKS = ("regressor", "2 classes", "10 classes", "10 classes, text")
# Of scikit-learn's time, at most.
AT_MOST = {32: 0.5}


def prepare(task, n_rows, dtype, n_calls):
    """Return a function that returns the seconds of each call, ours and scikit-learn's."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

    X = np.random.default_rng(0).standard_normal((n_rows, COLUMNS), dtype)
    if task == "regressor":
        peers, y, options = (NumpyMLPRegressor, MLPRegressor), X[:, 0].astype(np.float64), {}
    else:
        peers, n_classes = (NumpyMLPClassifier, MLPClassifier), int(task.split()[0])
        classes = np.arange(n_classes)
        classes = np.array([f"class {i}" for i in classes]) if "text" in task else classes
        y, options = classes[np.arange(n_rows) % n_classes], {"classes": classes}
    models = [peer(random_state=0).partial_fit(X, y, **options) for peer in peers]

    def measure():
        taken = ([], [])
        for _ in range(n_calls):
            for model, times in zip(models, taken):
                start = time.perf_counter()
                model.partial_fit(X, y)
                times.append(time.perf_counter() - start)
        return taken

    return measure


def measure(task, n_rows, dtype, threads, n_calls):
    """Return the figures of one case."""
    ours, theirs = once(prepare, task, n_rows, dtype, n_calls, threads=threads)
    return {
        "task": task,
        "rows": n_rows,
        "dtype": dtype,
        "threads": threads,
        "ours_best_s": min(ours),
        "sklearn_best_s": min(theirs),
        "ratios": spread(ours, theirs),
    }


def line(row):
    """Return the line of the table for one case."""
    best = row["ours_best_s"] / row["sklearn_best_s"]
    return {name: row[name] for name in ("task", "rows", "dtype", "threads")} | {
        "ours, us": row["ours_best_s"] * 1e6,
        "scikit-learn, us": row["sklearn_best_s"] * 1e6,
        "share of its time": against(best, AT_MOST.get(row["rows"]), True, row["ratios"]),
    }


def main():
    """Measure, print and write."""
    parser = arguments(__doc__, leave_out=("--data-dir", "--rounds"), threads=[1])
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[1, 32, 200], help="(default: 1 32 200)"
    )
    parser.add_argument("--calls", type=int, default=1000, metavar="N", help="(default: 1000)")
    options = parser.parse_args()
    report = Report("partial_fit", options.output, options.targets)
    report.say(f"partial_fit: {COLUMNS} columns, 100 units; the best of {options.calls} calls")
    rows = []
    for n_rows in options.rows:
        for task in TASKS:
            for dtype in options.dtype:
                for threads in options.threads:
                    rows.append(measure(task, n_rows, dtype, threads, options.calls))
                    report.csv(rows)
    report.table([line(row) for row in rows])


if __name__ == "__main__":
    main()
