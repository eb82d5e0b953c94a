# SPDX-License-Identifier: BSD-3-Clause
"""How long a fit takes: ours, scikit-learn's, PyTorch's, and the floor, the same matrix products alone.

All have the same network, batch size, epochs and Adam. Each peer is a process of its own; they take turns,
and the best of the rounds counts. Ratios are of the best times of one run; in brackets, the
quartiles of the ratios of the rounds. To repeat:

    python examples/benchmarks/fit.py --output results
    python examples/benchmarks/fit.py --workloads digits table --dtype float32 --threads 1 --rounds 3

PyTorch (the better of Adam with fused=True or not) and skorch are measured where they are installed. The
floor multiplies batches that lie one after the other: it gathers, activates and updates nothing.

Or this checkout against a commit of its history, in turn; the exit status is 1 where a workload takes more
than 1.15 times the CPU seconds of before, by the median of the ratios of the rounds:

    python examples/benchmarks/fit.py --against main~1
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from common import Report, against, arguments, in_turn, installed, ratio_figure, seconds, spread
from workloads import PEERS, WORKLOADS, make_data

# With several threads: against scikit-learn and over the floor (at most), for float64 and float32; against
# PyTorch, float32.
TARGETS = {
    "xor": {"sklearn": (6, 6), "torch": 5},
    "digits": {"sklearn": (2.0, 2.5), "torch": 1.9, "floor": (1.8, 2.1)},
    "table": {"sklearn": (2.9, 3.6), "torch": 4, "floor": (2.5, 3.0)},
    "table-frame": {"sklearn": (2.6, 3.2)},
    "mnist-100": {"sklearn": (1.3, 1.6), "torch": 1.5, "floor": (1.6, 1.6)},
    "mnist-512-256": {"sklearn": (1.4, 1.5), "torch": 1.0, "floor": (1.65, 1.7)},
    "wide": {"sklearn": (1.25, 1.7), "torch": 1.05, "floor": (1.35, 1.35)},
    "sparse": {"sklearn": (3.3, 2.8)},
}


def target(workload, peer, dtype, threads):
    """Return the ratio to reach, or None."""
    if threads == 1:
        return None
    wanted = TARGETS[workload].get(peer)
    if peer == "torch":
        return wanted if dtype == "float32" else None
    return wanted[dtype == "float32"] if wanted else None


def prepare(peer, name, dtype, data_dir):
    """Return a function that fits once and returns the seconds it took and the last loss."""
    workload = WORKLOADS[name]
    X, y = make_data(workload, dtype, data_dir)
    fit = PEERS[peer](workload, X, y)
    fit()  # to warm up

    def measure():
        losses = []
        taken = seconds(lambda: losses.append(fit()))
        return taken, losses[0]

    return measure


def peers_of(workload, wanted):
    """Return the names of those peers that can do a workload and are installed."""
    missing = {name for name in ("torch", "skorch") if not installed(name)}
    if "torch" in missing:
        missing |= {"torch-fused", "skorch"}
    if workload.kind != "array":  # a DataFrame costs PyTorch and the floor what its array does
        missing |= {"floor", "torch", "torch-fused", "skorch"}
    if workload.name == "xor":  # four rows: nothing but overhead
        missing.add("floor")
    return [name for name in wanted if name not in missing]


def measure(name, dtype, threads, options):
    """Return one row for each peer."""
    specs = {
        peer: (peer, name, dtype, options.data_dir)
        for peer in peers_of(WORKLOADS[name], options.peers)
    }
    rows, found = [], in_turn(specs, prepare, threads, options.rounds)
    ours = [taken for taken, _ in found["ours"]]
    for peer, results in found.items():
        times = [taken for taken, _ in results]
        low, high = spread(times, ours)
        rows.append(
            {
                "workload": name,
                "dtype": dtype,
                "threads": threads,
                "peer": peer,
                "best_s": min(times),
                "median_s": median(times),
                "low_ratio": low,
                "high_ratio": high,
                "rounds": len(times),
                "loss": results[-1][1],
            }
        )
    return rows


def best_rows(rows):
    """Return rows by peer, PyTorch's being the better of the two."""
    best = {}
    for row in sorted(rows, key=lambda row: row["best_s"]):
        best.setdefault("torch" if row["peer"] == "torch-fused" else row["peer"], row)
    return best


def best_times(rows):
    """Return seconds by peer."""
    return {peer: row["best_s"] for peer, row in best_rows(rows).items()}


def summary(rows):
    """Return the line of the table for one workload, dtype and number of threads."""
    name, dtype, threads = (rows[0][key] for key in ("workload", "dtype", "threads"))
    best = best_rows(rows)
    ours = best["ours"]["best_s"]

    def faster(peer):
        if peer not in best:
            return "-"
        row = best[peer]
        between = row["low_ratio"], row["high_ratio"]
        return against(row["best_s"] / ours, target(name, peer, dtype, threads), spread=between)

    over = ours / best["floor"]["best_s"] if "floor" in best else None
    return {
        "workload": name,
        "dtype": dtype,
        "threads": threads,
        "ours, s": ours,
        "x scikit-learn": faster("sklearn"),
        "x PyTorch": faster("torch"),
        "x skorch": faster("skorch"),
        "over the floor": against(over, target(name, "floor", dtype, threads), at_most=True),
    }


def unequal(rows):
    """Return a warning where the peers did not train the same network: their losses are too far apart."""
    losses = {row["peer"]: row["loss"] for row in rows if row["loss"] == row["loss"]}
    if not losses or max(losses.values()) <= 1.1 * min(losses.values()) + 0.01:
        return None
    return "last losses differ: " + ", ".join(f"{peer} {x:.4f}" for peer, x in losses.items())


def draw(rows):
    """Return a figure: the time of each peer, that of ours being 1, a line per workload."""
    panels = {}
    for row in rows:
        title = f"{row['dtype']}, {row['threads']} thread{'s' if row['threads'] > 1 else ''}"
        panels.setdefault(title, {}).setdefault(row["workload"], []).append(row)
    for lines in panels.values():
        lines.update({name: best_times(entries) for name, entries in lines.items()})
    return ratio_figure(panels, min(2, len(panels)), "time of a fit")


SLOWER = 1.15  # times as long as before, at most
ROOT = Path(__file__).parents[2]


def prepare_checkout(checkout, name, dtype, data_dir):
    """Return a function that fits once with the package of a checkout and returns the CPU seconds."""
    sys.path.insert(0, str(checkout))
    import sknumpynet

    if Path(sknumpynet.__file__).parents[1] != Path(checkout):
        raise RuntimeError(
            f"sknumpynet was imported from {sknumpynet.__file__}, not from {checkout}"
        )
    workload = WORKLOADS[name]
    fit = PEERS["ours"](workload, *make_data(workload, dtype, data_dir))
    fit()  # to warm up

    def measure():
        start = time.process_time()
        fit()
        return time.process_time() - start

    return measure


def compare_with_commit(options):
    """Print the ratio of CPU seconds, now over before, of each workload; return whether one is too slow."""
    too_slow = False
    with tempfile.TemporaryDirectory() as before:
        archive = subprocess.run(
            ["git", "-C", ROOT, "archive", options.against, "sknumpynet"],
            check=True,
            stdout=subprocess.PIPE,
        )
        subprocess.run(["tar", "-x", "-C", before], input=archive.stdout, check=True)
        checkouts = {"before": Path(before).resolve(), "now": ROOT}
        for name in options.workloads:
            for dtype in options.dtype:
                specs = {
                    which: (path, name, dtype, options.data_dir)
                    for which, path in checkouts.items()
                }
                found = in_turn(specs, prepare_checkout, 1, options.rounds)
                ratio = median(now / then for then, now in zip(found["before"], found["now"]))
                too_slow |= ratio > SLOWER
                print(
                    f"{name}, {dtype}: {median(found['now']):.4f} CPU s, {ratio:.2f} times "
                    f"{options.against}{', too slow' * (ratio > SLOWER)}",
                    flush=True,
                )
    return too_slow


def main():
    """Measure, print and write."""
    parser = arguments(__doc__)
    parser.add_argument(
        "--against", metavar="REF", help="a commit whose package is measured in place of the peers"
    )
    parser.add_argument(
        "--workloads",
        nargs="+",
        choices=list(WORKLOADS),
        default=list(WORKLOADS),
        metavar="NAME",
        help=f"of {', '.join(WORKLOADS)} (default: all)",
    )
    parser.add_argument(
        "--peers",
        nargs="+",
        choices=list(PEERS),
        default=list(PEERS),
        metavar="NAME",
        help=f"of {', '.join(PEERS)} (default: all); ours is always among them",
    )
    options = parser.parse_args()
    if options.against:
        sys.exit(compare_with_commit(options))
    options.peers = list(dict.fromkeys(["ours", *options.peers]))
    report = Report("fit", options.output, options.targets)
    report.say(f"Fits: the best of {options.rounds} for each peer, in turn")
    rows, lines = [], []
    for name in options.workloads:
        for dtype in options.dtype:
            for threads in options.threads:
                found = measure(name, dtype, threads, options)
                rows += found
                lines.append(summary(found))
                times = ", ".join(f"{row['peer']} {row['best_s']:.4f}" for row in found)
                report.say(f"{name}, {dtype}, {threads} threads, seconds: {times}")
                if warning := unequal(found):
                    report.say(f"  {warning}")
                report.csv(rows)
    report.table(lines)
    report.picture(draw, rows)


if __name__ == "__main__":
    main()
