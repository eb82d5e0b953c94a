# SPDX-License-Identifier: BSD-3-Clause
"""How the time of a fit grows: with the rows, 10^3 to 10^6, and with the width, 16 to 2048.

Measured is the time per row and epoch, at each number of BLAS threads: ours, scikit-learn's, and for widths
the matrix products alone (the floor). Rows: 64 columns, 100 units, batch 200; time per row is to be flat
from 10^4 to 10^6. Widths: 10,000 rows of 64 columns, two hidden layers of that width, batch 200. Each
peer is a process of its own; they take turns, and the best of the rounds counts. The quartiles of the ratio
to scikit-learn are in brackets. To repeat:

    python examples/benchmarks/scaling.py --output results
    python examples/benchmarks/scaling.py --rows 1000 10000 --widths 16 64 --threads 1 --rounds 2
"""

from __future__ import annotations

from common import STYLES, Report, against, arguments, in_turn, seconds, spread
from workloads import PEERS, Workload, make_data

FLAT_WITHIN = 1.15


def workload_for(sweep, value):
    """Return the workload of one point of a curve; short fits take more epochs."""
    rows, hidden = (value, (100,)) if sweep == "rows" else (10_000, (value, value))
    epochs = max(1, (100_000 if sweep == "rows" or value < 256 else 10_000) // rows)
    return Workload(f"{sweep} {value}", rows, 64, 10, hidden, 200, epochs)


def prepare(peer, sweep, value, dtype):
    """Return a function that returns the seconds per row and epoch of one fit."""
    workload = workload_for(sweep, value)
    fit = PEERS[peer](workload, *make_data(workload, dtype))
    fit()  # to warm up
    return lambda: seconds(fit) / (workload.rows * workload.epochs)


def measure(sweep, value, dtype, threads, rounds):
    """Return one row for each peer."""
    peers = ("ours", "sklearn", "floor") if sweep == "width" else ("ours", "sklearn")
    specs = {peer: (peer, sweep, value, dtype) for peer in peers}
    found = in_turn(specs, prepare, threads, rounds)
    return [
        {
            "sweep": sweep,
            "value": value,
            "dtype": dtype,
            "threads": threads,
            "peer": peer,
            "s_per_row": min(times),
            "ratios": spread(times, found["ours"]),
        }
        for peer, times in found.items()
    ]


def summary(rows):
    """Return the line of the table for one point."""
    us = {row["peer"]: row["s_per_row"] * 1e6 for row in rows}
    ratios = next(row["ratios"] for row in rows if row["peer"] == "sklearn")
    line = {name: rows[0][name] for name in ("sweep", "value", "dtype", "threads")}
    return line | {
        "ours, us a row": us["ours"],
        "scikit-learn, us a row": us["sklearn"],
        "x scikit-learn": against(us["sklearn"] / us["ours"], None, spread=ratios),
        "over the floor": us["ours"] / us["floor"] if "floor" in us else float("nan"),
    }


def flatness(rows):
    """Return lines that say whether our time per row stays the same from 10^4 rows on."""
    curves = {}
    for row in rows:
        if row["peer"] == "ours" and row["sweep"] == "rows" and row["value"] >= 10_000:
            curves.setdefault((row["dtype"], row["threads"]), []).append(row["s_per_row"])
    for (dtype, threads), times in curves.items():
        ratio = max(times) / min(times)
        verdict = "flat" if ratio <= FLAT_WITHIN else f"not flat within {FLAT_WITHIN:g}"
        yield f"from 10^4 rows on, {dtype}, {threads} threads: largest / smallest {ratio:.2f}, {verdict}"


def draw(rows):
    """Return a figure: microseconds a row against rows and against width, a line per peer and threads."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter

    titles = {
        "rows": "rows (64 columns, 100 units)",
        "width": "width of two layers (10,000 rows)",
    }
    sweeps = [sweep for sweep in titles if any(row["sweep"] == sweep for row in rows)]
    dtypes = list(dict.fromkeys(row["dtype"] for row in rows))
    figure = Figure(figsize=(4 * len(sweeps), 0.8 + 2.9 * len(dtypes)), layout="constrained")
    panels = figure.subplots(len(dtypes), len(sweeps), squeeze=False)
    threads = sorted({row["threads"] for row in rows})
    dashes = dict(zip(threads, ("--", "-", ":", "-.")))
    if len(threads) == 1:
        dashes = {threads[0]: "-"}
    handles = {}
    for i, dtype in enumerate(dtypes):
        for j, sweep in enumerate(sweeps):
            panel = panels[i, j]
            for peer in ("sklearn", "ours", "floor"):
                for number in threads:
                    points = [
                        (row["value"], row["s_per_row"] * 1e6)
                        for row in rows
                        if (row["sweep"], row["dtype"]) == (sweep, dtype)
                        and (row["peer"], row["threads"]) == (peer, number)
                    ]
                    if not points:
                        continue
                    text, color, marker = STYLES[peer]
                    text += f", {number} thread{'s' if number > 1 else ''}"
                    handles[text] = panel.plot(
                        *zip(*sorted(points)), color=color, ls=dashes[number], marker=marker, ms=5
                    )[0]
            panel.set_xscale("log", base=10 if sweep == "rows" else 2)
            if sweep == "rows":
                panel.set_ylim(bottom=0)
            else:
                panel.set_yscale("log")
                panel.yaxis.set_major_formatter("{x:g}")
                panel.yaxis.set_minor_formatter(NullFormatter())
                panel.xaxis.set_major_formatter("{x:g}")
            panel.set_xlabel(titles[sweep])
            panel.set_ylabel("µs a row and epoch")
            panel.set_title(dtype, fontsize=10)
            panel.grid(color="0.9")
            panel.spines[["top", "right"]].set_visible(False)
    figure.legend(
        handles.values(),
        handles,
        loc="outside upper center",
        ncols=min(3, len(handles)),
        frameon=False,
    )
    return figure


def main():
    """Measure, print and write."""
    parser = arguments(__doc__, leave_out=("--data-dir",), dtype=["float32"])
    parser.add_argument(
        "--rows", type=int, nargs="*", default=[10**3, 10**4, 10**5, 10**6], metavar="N"
    )
    parser.add_argument(
        "--widths", type=int, nargs="*", default=[16, 64, 256, 1024, 2048], metavar="N"
    )
    options = parser.parse_args()
    report = Report("scaling", options.output)
    report.say(f"Time of a fit per row and epoch: the best of {options.rounds}")
    points = [("rows", n) for n in options.rows] + [("width", n) for n in options.widths]
    rows, lines = [], []
    for sweep, value in points:
        for dtype in options.dtype:
            for threads in options.threads:
                found = measure(sweep, value, dtype, threads, options.rounds)
                rows += found
                lines.append(summary(found))
                times = ", ".join(f"{row['peer']} {row['s_per_row'] * 1e6:.3g} us" for row in found)
                report.say(f"{sweep} {value}, {dtype}, {threads} threads: {times}")
                report.csv(rows)
    report.table(lines)
    for line in flatness(rows):
        report.say(line)
    report.picture(draw, rows)


if __name__ == "__main__":
    main()
