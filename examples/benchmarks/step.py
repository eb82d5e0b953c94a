# SPDX-License-Identifier: BSD-3-Clause
"""Where the time of a training step goes: each part of it, and each pass of Adam over the parameters.

The first table holds the parts of a step in a real fit, each a clock around a method: a mean over all
steps of the fastest of the rounds, in which the clocks have their share. In brackets are the lowest and the
highest share of all rounds. The second one holds what penalty and Adam do, one NumPy call after the other, on
a piece of the parameters that fits the cache. To repeat:

    python examples/benchmarks/step.py --data-dir DIR --threads 2 --output results
    python examples/benchmarks/step.py --workloads digits --rounds 3
"""

from __future__ import annotations

import time
from collections import defaultdict
from functools import wraps

import numpy as np
from common import Report, arguments, in_turn, seconds
from workloads import PEERS, WORKLOADS, make_data

PARTS = ("batch", "products and biases", "activations", "loss", "penalty", "Adam", "the rest")


# ---------------------------------------------------------------------------- parts of a step


def prepare(name, dtype, data_dir):
    """Return a function that fits once and returns the microseconds a step that each part took."""
    from sknumpynet.core import Activate, Adam, Dense, LogLoss
    from sknumpynet.core.training import Batches, Penalty, Training

    workload = WORKLOADS[name]
    X, y = make_data(workload, dtype, data_dir)
    spent = defaultdict(float)
    loss = type(LogLoss().for_classes(softmax=workload.classes > 2))
    for owner, method, part in (
        (Batches, "gather", "batch"),
        (Dense, "forward", "products and biases"),
        (Dense, "backward", "products and biases"),
        (Activate, "forward", "activations"),
        (Activate, "backward", "activations"),
        (loss, "value_and_gradient", "loss"),
        (Penalty, "__call__", "penalty"),
        (Adam, "update", "Adam"),
        (Training, "_epoch", "the rest"),
    ):
        setattr(owner, method, clocked(getattr(owner, method), spent, part))
    fit = PEERS["ours"](workload, X, y)
    fit()  # to warm up
    steps = workload.epochs * -(-workload.rows // workload.batch)

    def measure():
        spent.clear()
        fit()
        spent["the rest"] -= sum(spent[part] for part in PARTS[:-1])
        return {part: spent[part] / steps * 1e6 for part in PARTS}

    return measure


def clocked(method, spent, part):
    """Return the method with a clock around it."""

    @wraps(method)
    def timed(*args, **kwargs):
        start = time.perf_counter()
        try:
            return method(*args, **kwargs)
        finally:
            spent[part] += time.perf_counter() - start

    return timed


def parts_of_a_step(name, dtypes, options):
    """Return a row for each part, and the sum."""
    threads = max(options.threads)
    rounds = {}
    for dtype in dtypes:
        spec = {"ours": (name, dtype, options.data_dir)}
        found = in_turn(spec, prepare, threads, options.rounds)["ours"]
        rounds[dtype] = sorted(found, key=lambda parts: sum(parts.values()))
    rows = [{"part of a step": part, **shares(rounds, part)} for part in PARTS]
    whole = {f"{dtype}, us": sum(rounds[dtype][0].values()) for dtype in dtypes}
    return [*rows, {**dict.fromkeys(rows[0], ""), "part of a step": "all", **whole}]


def shares(rounds, part):
    """Return what a part takes and its share of the whole in the fastest round, for each dtype."""
    cells = {}
    for dtype, found in rounds.items():
        share = [parts[part] / sum(parts.values()) for parts in found]
        cells[f"{dtype}, us"] = found[0][part]
        cells[f"share, {dtype}"] = f"{share[0]:.0%} ({min(share):.0%} to {max(share):.0%})"
    return cells


# ---------------------------------------------------------------------------- passes of Adam

PASSES = {
    "s = l2 * W": lambda W, g, m, v, s, c: np.multiply(W, c, out=s),
    "g += s": lambda W, g, m, v, s, c: np.add(g, s, out=g),
    "W . W": lambda W, g, m, v, s, c: W.dot(W),
    "m *= beta_1": lambda W, g, m, v, s, c: np.multiply(m, c, out=m),
    "m += g": lambda W, g, m, v, s, c: np.add(m, g, out=m),
    "s = g * g": lambda W, g, m, v, s, c: np.multiply(g, g, out=s),
    "v *= beta_2": lambda W, g, m, v, s, c: np.multiply(v, c, out=v),
    "v += s": lambda W, g, m, v, s, c: np.add(v, s, out=v),
    "s = sqrt(v)": lambda W, g, m, v, s, c: np.sqrt(v, out=s),
    "s += epsilon": lambda W, g, m, v, s, c: np.add(s, c, out=s),
    "s = m / s": lambda W, g, m, v, s, c: np.divide(m, s, out=s),
    "s *= rate": lambda W, g, m, v, s, c: np.multiply(s, c, out=s),
    "W -= s": lambda W, g, m, v, s, c: np.subtract(W, s, out=W),
}


def prepare_passes(dtype, repeats=100):
    """Return a function that returns the nanoseconds that each pass takes for a parameter."""
    from sknumpynet.core.arrays import PIECE

    one, start = np.array(1, dtype), np.random.default_rng(0).uniform(0.5, 1.5, PIECE)
    vectors = [np.empty(PIECE, dtype) for _ in range(5)]

    def measure():
        found = {}
        for name, operate in PASSES.items():
            for vector in vectors:
                vector[:] = start  # earlier passes have led it away
            taken = seconds(lambda: [operate(*vectors, one) for _ in range(repeats)])  # noqa: B023
            found[name] = taken / repeats / PIECE * 1e9
        return found

    return measure


def passes(dtypes, rounds):
    """Return a row for each pass, and the sum."""
    best = {}
    for dtype in dtypes:
        results = in_turn({"ours": (dtype,)}, prepare_passes, 1, rounds)["ours"]
        best[dtype] = {name: min(each[name] for each in results) for name in PASSES}
    rows = [
        {"pass": f"`{name}`", **{f"{dtype}, ns": best[dtype][name] for dtype in dtypes}}
        for name in PASSES
    ]
    return [*rows, {"pass": "all", **{f"{t}, ns": sum(best[t].values()) for t in dtypes}}]


def main():
    """Measure, print and write."""
    parser = arguments(__doc__)
    parser.add_argument(
        "--workloads",
        nargs="+",
        choices=[name for name, each in WORKLOADS.items() if each.kind == "array"],
        default=["digits", "mnist-512-256"],
        metavar="NAME",
        help="one table each (default: digits mnist-512-256)",
    )
    options = parser.parse_args()
    report = Report("step", options.output)
    for name in options.workloads:
        report.say(f"{name}: the fastest of {options.rounds} fits, threads: {max(options.threads)}")
        report.table(parts_of_a_step(name, options.dtype, options))
    report.say("Penalty and Adam, for each parameter of a piece, one thread")
    report.table(passes(options.dtype, options.rounds))


if __name__ == "__main__":
    main()
