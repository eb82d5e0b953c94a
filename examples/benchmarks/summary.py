# SPDX-License-Identifier: BSD-3-Clause
"""The three short tables of the benchmark page, taken from the long ones that the other scripts printed.

Nothing is measured here. It reads ``fit.txt``, ``fit_second_machine.txt``, ``skorch.txt``, ``sparse.txt``,
``predict.txt``, ``predict_second_machine.txt``, ``predict_memory.txt`` and ``memory.txt`` of a folder, and
writes ``summary_*.txt`` beside them:

    python examples/benchmarks/summary.py docs/benchmarks
"""

from __future__ import annotations

import argparse
from pathlib import Path

from workloads import WORKLOADS

DTYPE = "float32"
PREDICTION = ("task", "X", "dtype", "rows")  # what names a case of predict.py, but for the threads
KINDS = {
    "uint8": "array, uint8",
    "float32": "array, float32",
    "float64": "array, float64",
    "mapped": "memory map, float32",
    "early-stopping": "array, float32, `early_stopping=True`",
    "frame": "DataFrame, float32",
    "csr": "sparse, CSR",
}


def read(path):
    """Return the lines of a table as dicts."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    head, _, *body = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return [dict(zip(head, line)) for line in body]


def write(path, rows):
    """Write dicts as a table."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    path.write_text("".join(f"| {' | '.join(line)} |\n" for line in lines), encoding="utf-8")


def times(*ratios):
    """Return the range of ratios of several runs in words; a spread in brackets is left out."""
    found = [f"{float(ratio.split()[0]):.2g}" for ratio in ratios if ratio not in ("-", "")]
    ends = dict.fromkeys([min(found, key=float), max(found, key=float)]) if found else {}
    return f"{' to '.join(ends)} times" if ends else ""


def duration(microseconds):
    """Return a time in the unit that suits it."""
    number, unit = (microseconds, "us") if microseconds < 1000 else (microseconds / 1000, "ms")
    return f"{number:.0f}\N{NO-BREAK SPACE}{unit}"


def fits(folder):
    """Return the table of fits: one line for each network."""
    skorch = {row["workload"]: row["x skorch"] for row in read(folder / "skorch.txt")}
    second = {
        (row["workload"], row["dtype"]): row for row in read(folder / "fit_second_machine.txt")
    }
    rows = []
    for row in read(folder / "fit.txt") + read(folder / "sparse.txt"):
        if row["dtype"] != DTYPE or row["workload"] == "table-frame":
            continue
        workload, other = WORKLOADS[row["workload"]], second[row["workload"], row["dtype"]]
        layers = " and ".join(map(str, workload.hidden))
        rows.append(
            {
                "data": workload.name,
                "rows x columns": f"{workload.rows:,} x {workload.columns:,}",
                "hidden units": layers,
                "batch": str(workload.batch),
                "seconds": row["ours, s"],
                "as fast as scikit-learn": times(row["x scikit-learn"], other["x scikit-learn"]),
                "as PyTorch": times(row.get("x PyTorch", ""), other["x PyTorch"]),
                "as skorch": times(skorch.get(row["workload"], "")),
            }
        )
    return rows


def predictions(folder):
    """Return the table of predictions, with one thread: arrays of one row and of many."""

    def by_case(name):
        return {tuple(row[key] for key in PREDICTION): row for row in read(folder / name)}

    memory, second = by_case("predict_memory.txt"), by_case("predict_second_machine.txt")
    rows = []
    for row in read(folder / "predict.txt"):
        case = tuple(row[key] for key in PREDICTION)
        if case[1:3] != ("array", DTYPE) or row["threads"] != "1" or row["rows"] == "1000":
            continue
        used, other = memory.get(case, {}), second[case]
        rows.append(
            {
                "call": f"`{row['task']}`",
                "rows": f"{int(row['rows']):,}",
                "time": duration(float(row["ours, us"])),
                "as fast as scikit-learn": times(row["x scikit-learn"], other["x scikit-learn"]),
                "extra memory, MB": used.get("ours, MB", ""),
                "scikit-learn's, MB": used.get("scikit-learn, MB", ""),
            }
        )
    return rows


def memory(folder):
    """Return the table of memory: one line for each kind of X."""
    return [
        {
            "X": KINDS[row["X"]],
            "size of X, MB": row["X, MB"],
            "a fit adds, MB": row["ours, MB"],
            "scikit-learn's adds, MB": row["scikit-learn, MB"],
        }
        for row in read(folder / "memory.txt")
        if row["X"] in KINDS
    ]


def main():
    """Read, and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for name, table in {"fit": fits, "predict": predictions, "memory": memory}.items():
        write(folder / f"summary_{name}.txt", table(folder))


if __name__ == "__main__":
    main()
