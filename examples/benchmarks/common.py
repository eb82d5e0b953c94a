# SPDX-License-Identifier: BSD-3-Clause
"""What all benchmarks share: peers in processes of their own, peak memory, the machine, and the report.

A peer is whatever is measured: ours, scikit-learn's, PyTorch's, or the matrix products alone. Each lives in
a process of its own and blocks on a pipe until it is told to run, because the thread pools of two libraries
in one process keep spinning and slow each other down.
"""

from __future__ import annotations

import argparse
import csv
import gc
import importlib.metadata
import importlib.util
import multiprocessing
import os
import platform
import re
import time
import traceback
import tracemalloc
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
PAUSE = 0.1  # seconds: until then the threads of the peer that ran before have gone to sleep

# Name, colour and marker of each peer: Okabe and Ito's colours, and shapes to be told apart in grey too.
STYLES = {
    "ours": ("sknumpynet", "#0072B2", "o"),
    "sklearn": ("scikit-learn", "#E69F00", "s"),
    "torch": ("PyTorch", "#CC79A7", "^"),
    "skorch": ("skorch", "#009E73", "D"),
    "floor": ("products alone", "#000000", "|"),
}


# ---------------------------------------------------------------------------- peers in processes


class Worker:
    """A process that calls ``measure = prepare(*spec)`` once, and ``measure()`` each time it is told to.

    ``prepare`` stands at the top level of a module; ``threads`` is for BLAS, OpenMP and PyTorch, and
    ``variables`` are other environment variables of the process.
    """

    def __init__(self, prepare, *spec, threads, variables):
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, prepare, spec), daemon=True)
        with _environment(dict.fromkeys(THREAD_VARIABLES, str(threads)) | variables):
            self._process.start()
        theirs.close()

    def wait(self):
        """Wait until ``prepare`` is done."""
        self._receive()

    def __call__(self):
        time.sleep(PAUSE)
        self._pipe.send("run")
        return self._receive()

    def _receive(self):
        result, error = self._pipe.recv()
        if error:
            raise RuntimeError(f"a worker failed:\n{error}")
        return result

    def close(self):
        """End the process."""
        self._pipe.close()
        self._process.join()


def _serve(pipe, prepare, spec):
    """Answer each message until the other end is closed: the life of a worker."""
    warnings.simplefilter("ignore")  # that so few epochs do not converge
    try:
        measure = prepare(*spec)
        pipe.send((None, None))
        while pipe.recv():
            pipe.send((measure(), None))
    except (EOFError, KeyboardInterrupt):
        pass
    except Exception:
        pipe.send((None, traceback.format_exc()))


@contextmanager
def _environment(variables):
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def in_turn(specs, prepare, threads, rounds, variables=None):
    """Return ``{name: [what measure() returned in each round]}``, the peers taking turns.

    ``specs`` maps the name of a peer to the arguments of ``prepare``; ``threads`` is one number for all or
    maps names to numbers, and ``variables`` names to environment variables.
    """
    if not isinstance(threads, dict):
        threads = dict.fromkeys(specs, threads)
    workers, variables = {}, variables or {}
    try:
        for name, spec in specs.items():
            workers[name] = Worker(
                prepare, *spec, threads=threads[name], variables=variables.get(name, {})
            )
            workers[name].wait()  # all at once, their threads would fight for the cores
        results = {name: [] for name in workers}
        for _ in range(rounds):
            for name, worker in workers.items():
                results[name].append(worker())
        return results
    finally:
        for worker in workers.values():
            worker.close()


def once(prepare, *spec, threads):
    """Return what ``measure()`` returns in a fresh process."""
    return in_turn({"": spec}, prepare, threads, 1)[""][0]


def installed(module):
    """Return whether an optional library is there."""
    return importlib.util.find_spec(module) is not None


# ---------------------------------------------------------------------------- time and memory


def seconds(function):
    """Return how long one call takes."""
    gc.collect()
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def peak_memory(function):
    """Return bytes: the peak that NumPy and Python allocate meanwhile, that of the process, and the result.

    Both peaks are what comes on top of what was there before. That of the process (resident memory, whose
    pages of a memory map count) is NaN where the system does not tell.
    """
    gc.collect()
    resident = _restart_resident_peak()
    function()  # untraced: tracing has its own records
    resident = _resident("VmHWM") - resident
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    result = function()
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return peak, resident, getattr(result, "nbytes", 0)


def _restart_resident_peak():
    try:
        Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak begins anew
    except OSError:
        return float("nan")
    return _resident("VmRSS")


def _resident(what):
    try:
        found = re.search(rf"{what}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        return float("nan")
    return int(found[1]) * 1024 if found else float("nan")


# ---------------------------------------------------------------------------- the machine


def machine():
    """Return lines that say what the figures were measured on, without names of hosts or folders."""
    from threadpoolctl import threadpool_info

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = ["numpy", "scipy", "scikit-learn", "pandas", "torch", "skorch"]
    versions = [f"Python {platform.python_version()}"]
    for package in packages:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            pass
    blas = {
        f"{pool['internal_api']} {pool['version']}, kernels {pool.get('architecture')}"
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    }
    if "OPENBLAS_CORETYPE" in os.environ:
        blas.add(f"OPENBLAS_CORETYPE={os.environ['OPENBLAS_CORETYPE']}")
    return [
        f"Processor: {_processor()}, {cores} cores, {platform.system()} on {platform.machine()}",
        f"Versions: {', '.join(versions)}",
        f"BLAS: {'; '.join(sorted(blas))}",
    ]


def _processor():
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    facts = dict(re.findall(r"^(model name|cpu family|model)\s*:\s*(.+)$", info, re.MULTILINE))
    if "model name" not in facts:
        return platform.processor()
    return f"{facts['model name']} (family {facts.get('cpu family')}, model {facts.get('model')})"


# ---------------------------------------------------------------------------- the report


class Report:
    """Prints, and keeps ``<name>.txt``, ``<name>.csv`` and ``<name>.png`` where a folder is given.

    The tables show what was measured; ``targets=True`` shows the targets of ``against`` beside it.
    """

    def __init__(self, name, folder, targets=False):
        self.name, self.folder, self.targets, self._lines = name, folder, targets, []
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        for line in machine():
            self.say(line)

    def say(self, text=""):
        """Print a line that belongs to the result."""
        print(text, flush=True)
        self._lines.append(text)
        if self.folder is not None:
            (self.folder / f"{self.name}.txt").write_text("\n".join(self._lines) + "\n")

    def table(self, rows):
        """Print a list of dicts as a table that Markdown understands, without columns that say nothing."""
        if not rows:
            return
        cells = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
        if not self.targets:
            cells = [[TARGET.sub("", cell) for cell in line] for line in cells]
        columns = [column for column in zip(*cells) if set(column[1:]) != {"-"}]
        cells, widths = zip(*columns), [max(map(len, column)) for column in columns]
        lines = [
            "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths)) + " |"
            for line in cells
        ]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        self.say("\n" + "\n".join(lines) + "\n")

    def csv(self, rows):
        """Write a list of dicts."""
        if self.folder is None or not rows:
            return
        with open(self.folder / f"{self.name}.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    def picture(self, draw, *data):
        """Write the matplotlib figure that ``draw(*data)`` returns."""
        if self.folder is not None:
            draw(*data).savefig(self.folder / f"{self.name}.png", dpi=150)


def _cell(value):
    if isinstance(value, float):
        return "-" if np.isnan(value) else f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)


TARGET = re.compile(r" \((?:target|at most) [^)]*\)")  # what ``against`` adds


def against(ratio, target, at_most=False, spread=None):
    """Return a ratio with its spread and, for developers with ``--targets``, its target."""
    if ratio is None or np.isnan(ratio):
        return "-"
    text = f"{ratio:.2f}"
    if spread is not None:
        text += " ({:.2f} to {:.2f})".format(*spread)
    if target is None:
        return text
    reached = ratio <= target if at_most else ratio >= target
    word = "at most" if at_most else "target"
    return f"{text} ({word} {target:g}{'' if reached else ', missed'})"


def spread(times, ours):
    """Return the quartiles of the ratios of two peers' times, of the rounds that both took in turn."""
    ratios = [theirs / our for theirs, our in zip(times, ours, strict=True)]
    return tuple(np.quantile(ratios, [0.25, 0.75]).tolist())


def ratio_figure(panels, columns, what):
    """Return a figure of dots: the time of each peer, that of ours being 1.

    ``panels`` maps the title of each panel to ``{label of the line: {peer: time}}``.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, NullLocator

    tall = -(-len(panels) // columns)
    heights = [
        2 + max(map(len, list(panels.values())[row * columns : (row + 1) * columns]))
        for row in range(tall)
    ]
    figure = Figure(figsize=(1 + 3 * columns if columns > 1 else 8, 1 + 0.3 * sum(heights)))
    figure.set_layout_engine("constrained")
    axes = figure.subplots(tall, columns, sharex=True, squeeze=False, height_ratios=heights)
    for panel, (title, lines) in zip(axes.ravel(), panels.items()):
        for y, times in enumerate(lines.values()):
            ratios = {peer: time / times["ours"] for peer, time in times.items()}
            panel.plot([min(ratios.values()), max(ratios.values())], [y, y], color="0.85", zorder=0)
            for peer, ratio in ratios.items():
                panel.plot(ratio, y, **_dot(peer))
        panel.axvline(1, color=STYLES["ours"][1], lw=0.8, zorder=0)
        panel.set_title(title, fontsize=10)
        panel.set_xscale("log")
        panel.xaxis.set_major_locator(FixedLocator([2.0**power for power in range(-6, 8)]))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter("{x:g}")
        panel.tick_params(labelbottom=True)
        panel.set_yticks(range(len(lines)), list(lines))
        panel.set_ylim(len(lines) - 0.5, -0.5)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in axes.ravel()[len(panels) :]:
        panel.set_visible(False)
    figure.supxlabel(f"{what}, sknumpynet = 1: to the right of the line is slower", fontsize=10)
    found = {peer for lines in panels.values() for times in lines.values() for peer in times}
    shown = [peer for peer in STYLES if peer in found]
    figure.legend(
        [axes[0, 0].plot([], [], **_dot(peer))[0] for peer in shown],
        [STYLES[peer][0] for peer in shown],
        loc="outside upper center",
        ncols=len(shown),
        frameon=False,
    )
    return figure


def _dot(peer):
    _, color, marker = STYLES[peer]
    bar = marker == "|"
    return dict(color=color, marker=marker, ls="", ms=12 if bar else 7, mew=2 if bar else 0.5)


def arguments(description, leave_out=(), **defaults):
    """Return a parser with the options of all benchmarks, but for those to leave out."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shared = {
        "--threads": dict(
            type=int, nargs="+", default=[1, 2], metavar="N", help="threads for BLAS"
        ),
        "--dtype": dict(
            nargs="+",
            choices=["float64", "float32"],
            default=["float64", "float32"],
            help="floating-point types (default: both)",
        ),
        "--rounds": dict(
            type=int,
            default=7,
            metavar="N",
            help="how often each peer has its turn; the best one counts (default: 7)",
        ),
        "--data-dir": dict(
            type=Path,
            metavar="DIR",
            help="folder with data sets: mnist/*-ubyte.gz, adult/adult-{train,test}.csv.gz, "
            "covertype/covertype_397k.csv.gz, california_housing/housing.csv.gz; "
            "without it, data are made up or scikit-learn's own",
        ),
        "--output": dict(
            type=Path, metavar="DIR", help="folder for what is printed, the CSV and the picture"
        ),
        "--targets": dict(
            action="store_true", help="show beside each figure what the developers aim at"
        ),
    }
    for name, options in shared.items():
        if name not in leave_out:
            parser.add_argument(name, **options)
    parser.set_defaults(**defaults)
    return parser
