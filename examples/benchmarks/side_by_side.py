# SPDX-License-Identifier: BSD-3-Clause
"""How much faster `fit_side_by_side` fits many small networks than one `fit` after another.

Networks of one shape with other seeds, and with other learning rates; from XOR with two units to widths at
which nothing is to be gained, where it should not be slower either. Both take turns in one process; the
fewest CPU seconds of several rounds count, for a fit from beginning to end; the quartiles of the ratio are in
brackets. To repeat:

    python examples/benchmarks/side_by_side.py --output results
    python examples/benchmarks/side_by_side.py --members 4 --dtype float64 --rounds 3
"""

from __future__ import annotations

import time

import numpy as np
from common import Report, against, arguments, once, spread

# Rows, columns, hidden layers, rows of a batch, epochs, and the ratio to reach.
CASES = {
    "XOR": (4, 2, (2,), 4, 500, 3.0),
    "XOR, 8 units": (4, 2, (8,), 4, 500, 3.0),
    "parity of 3 bits": (8, 3, (8,), 8, 500, 3.0),
    "100 rows": (100, 4, (8,), 100, 200, None),
    "1,000 rows, batches of 32": (1000, 20, (8,), 32, 6, None),
    "32 units": (1000, 20, (32,), 32, 6, None),
    "three layers of 32": (1000, 20, (32, 32, 32), 32, 4, None),
    "two layers of 64": (1000, 20, (64, 64), 32, 4, None),
    "batches of 200": (1000, 20, (32,), 200, 10, None),
    "100 units, batches of 200": (1000, 20, (100,), 200, 10, None),
}
LEAST = 0.95  # never slower, but for what a busy machine does


def prepare(options):
    """Return a function that returns the figures of one case after another."""

    def measure():
        rows = []
        for case in CASES:
            for dtype in options.dtype:
                for n_members in options.members:
                    for rates in (False, True) if case.startswith("XOR") else (False,):
                        rows.append(figures(case, n_members, dtype, rates, options.rounds))
        return rows

    return measure


def figures(case, n_members, dtype, rates, rounds):
    """Return the CPU time of fits alone and of those side by side, which take turns."""
    from sknumpynet import NumpyMLPClassifier, fit_side_by_side
    from sknumpynet.datasets import xor

    n, columns, hidden, batch, epochs, _ = CASES[case]
    if n <= 8:
        X, y = xor(columns)
        X = X.astype(dtype)
    else:
        X = np.random.default_rng(0).standard_normal((n, columns), dtype)
        y = (X[:, 0] * X[:, 1] > 0).astype(int)

    def networks():
        return [
            NumpyMLPClassifier(
                hidden,
                "tanh",
                batch_size=batch,
                max_iter=epochs,
                n_iter_no_change=epochs,
                learning_rate_init=0.001 * (1 + i) if rates else 0.001,
                random_state=i,
            )
            for i in range(n_members)
        ]

    taken = ([], [])
    for _ in range(rounds):
        alone, together = networks(), networks()
        start = time.process_time()
        for network in alone:
            network.fit(X, y)
        middle = time.process_time()
        fit_side_by_side(together, X, y)
        taken[0].append(middle - start)
        taken[1].append(time.process_time() - middle)
    return {
        "case": case,
        "rows": n,
        "hidden": " x ".join(map(str, hidden)),
        "batch": batch,
        "dtype": dtype,
        "networks": n_members,
        "differ in": "seed, rate" if rates else "seed",
        "alone_ms": min(taken[0]) / n_members * 1e3,
        "side_by_side_ms": min(taken[1]) / n_members * 1e3,
        "ratios": spread(*taken),
    }


def line(row):
    """Return the line of the table for one case."""
    ratio = row["alone_ms"] / row["side_by_side_ms"]
    goal = CASES[row["case"]][-1] if row["networks"] >= 16 else None
    kept = {name: row[name] for name in list(row)[:7]}
    return kept | {
        "one by one, ms each": row["alone_ms"],
        "side by side, ms each": row["side_by_side_ms"],
        "times as fast": against(ratio, goal or LEAST, spread=row["ratios"]),
    }


def main():
    """Measure, print and write."""
    parser = arguments(__doc__, leave_out=("--data-dir", "--threads"))
    parser.add_argument(
        "--members", type=int, nargs="+", default=[4, 32], metavar="N", help="(default: 4 32)"
    )
    options = parser.parse_args()
    report = Report("side_by_side", options.output, options.targets)
    report.say(f"fit_side_by_side: CPU time, one thread, the best of {options.rounds} rounds")
    rows = once(prepare, options, threads=1)
    report.csv(rows)
    report.table([line(row) for row in rows])


if __name__ == "__main__":
    main()
