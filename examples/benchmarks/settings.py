# SPDX-License-Identifier: BSD-3-Clause
"""What the settings bring that a user can turn: dtype, batch size, BLAS threads and BLAS kernels.

The same network is trained for two epochs, one setting changed at a time; beside the seconds of an epoch
stands the test score after both, because a larger batch is faster and learns less from an epoch. Each
setting is a process of its own; they take turns, and the best of the rounds counts. In brackets are quartiles
of the ratio. To repeat:

    python examples/benchmarks/settings.py --data-dir DIR --output results
    python examples/benchmarks/settings.py --kernels SkylakeX Zen --rounds 3

``--kernels`` are names for OPENBLAS_CORETYPE. Those of a processor with more instructions than yours end in a
crash; a NumPy that is built with another BLAS ignores them, as the last column shows.
"""

from __future__ import annotations

from dataclasses import replace

from common import Report, against, arguments, in_turn, seconds, spread
from workloads import WORKLOADS, mnist

EPOCHS, BATCHES = 2, (50, 800)
NETWORKS = ("mnist-100", "mnist-512-256")


def settings_of(workload, threads, kernels):
    """Return ``{name: (dtype, batch, threads, environment variables)}``, the one to compare with first."""
    usual = ("float32", workload.batch, threads)
    found = {
        f"float32, batch {workload.batch}, threads: {threads}": (*usual, {}),
        "float64": ("float64", *usual[1:], {}),
    }
    for batch in BATCHES:
        found[f"batch {batch}"] = ("float32", batch, threads, {})
    if threads > 1:
        found["threads: 1"] = ("float32", workload.batch, 1, {})
    for name in kernels:
        found[f"OPENBLAS_CORETYPE={name}"] = (*usual, {"OPENBLAS_CORETYPE": name})
    return found


def prepare(name, dtype, batch, data_dir):
    """Return a function that returns the seconds of an epoch, the test score, and the BLAS kernels in use."""
    from threadpoolctl import threadpool_info

    from sknumpynet import NumpyMLPClassifier

    workload = replace(WORKLOADS[name], batch=batch, epochs=EPOCHS)
    X, y, X_test, y_test = mnist(data_dir)
    X, X_test = X.astype(dtype) / 255, X_test.astype(dtype) / 255
    network = NumpyMLPClassifier(**workload.options)
    network.fit(X[:1000], y[:1000])  # to warm up
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    kernels = next((pool.get("architecture") for pool in pools if "numpy" in pool["filepath"]), "?")

    def measure():
        taken = seconds(lambda: network.fit(X, y)) / EPOCHS
        return taken, network.score(X_test, y_test), kernels

    return measure


def measure(name, options):
    """Return one row for each setting of one network."""
    settings = settings_of(WORKLOADS[name], max(options.threads), options.kernels)
    results = in_turn(
        {
            key: (name, dtype, batch, options.data_dir)
            for key, (dtype, batch, _, _) in settings.items()
        },
        prepare,
        {key: threads for key, (_, _, threads, _) in settings.items()},
        options.rounds,
        {key: variables for key, (_, _, _, variables) in settings.items()},
    )
    taken = {key: [each[0] for each in rounds] for key, rounds in results.items()}
    best = {key: min(times) for key, times in taken.items()}
    first = next(iter(best))
    return [
        {
            "network": name,
            "setting": key,
            "s an epoch": best[key],
            "times as fast": against(
                best[first] / best[key], None, spread=spread(taken[first], taken[key])
            ),
            f"test score after {EPOCHS}": f"{rounds[0][1]:.4f}",
            "kernels": rounds[0][2],
        }
        for key, rounds in results.items()
    ]


def main():
    """Measure, print and write."""
    parser = arguments(__doc__, leave_out=("--dtype",))
    parser.add_argument(
        "--kernels",
        nargs="*",
        default=["Haswell", "Sandybridge"],
        metavar="NAME",
        help="for OPENBLAS_CORETYPE (default: Haswell Sandybridge)",
    )
    parser.add_argument(
        "--workloads", nargs="+", choices=NETWORKS, default=list(NETWORKS), metavar="NAME"
    )
    options = parser.parse_args()
    report = Report("settings", options.output)
    report.say(f"Settings: the best of {options.rounds} for each, in turn")
    rows = [row for name in options.workloads for row in measure(name, options)]
    report.csv(rows)
    report.table(rows)


if __name__ == "__main__":
    main()
