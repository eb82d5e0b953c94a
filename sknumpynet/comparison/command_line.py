# SPDX-License-Identifier: BSD-3-Clause
"""The command ``python -m sknumpynet``: compare scikit-learn's networks and ours on real data.

Without arguments it uses three of scikit-learn's data sets, with ``--csv`` your own table.
"""

import argparse
import itertools
import os
import sys
import time
from pathlib import Path

import numpy as np
import scipy
import sklearn
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import __version__
from sknumpynet.comparison.compare import compare_with_sklearn
from sknumpynet.comparison.csv_table import (
    FEWER,
    MAX_INTEGER_CLASSES,
    MIN_ROWS_TO_STOP_EARLY,
    Case,
    CommandError,
    _csv_case,
    _one_line,
    _quoted,
)
from sknumpynet.comparison.display import figure_size, plot_comparisons
from sknumpynet.comparison.table_models import MAX_CELLS, compare_on_table
from sknumpynet.estimators import NumpyMLPClassifier, NumpyMLPRegressor

DEFAULT_OUTPUT = "sknumpynet-comparison.png"
REPEATS, PATIENCE = 3, 15.0  # without --repeats: three fits each, fewer after this many seconds

EPILOG = f"""\
examples:
  python -m sknumpynet
      digits, breast cancer and diabetes; saves a plot as {DEFAULT_OUTPUT}
  python -m sknumpynet --csv houses.csv --target price --output houses.png
      your own table: predict the column "price" from all other columns
  python -m sknumpynet export MODEL --to FOLDER
      a different command: export a saved network and code that predicts with NumPy only
  python -m sknumpynet learn
      a different command: a guided tour of one training step

The first line of the table has the column names. Numbers (also "1,234.50", "$5" and "12.3%") are
scaled, and missing ones replaced by the median; text is one-hot encoded; rows without a target are
dropped. A target of text, of true/false or of at most {MAX_INTEGER_CLASSES} different integers is
classified, any other is regressed. From {MIN_ROWS_TO_STOP_EARLY} rows on, a regression stops when
the score on a tenth of the training rows, held out by both networks, no longer improves.

The comparison includes sknumpynet's estimator for tables and scikit-learn's HistGradientBoosting,
on the same rows. The last sentence recommends a model: the one with the best out-of-fold score on
the training rows (five folds; the estimator for tables has its own), or the fastest of those that
are not significantly worse. The test rows are not used for this.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise CommandError(f"{message} (see --help)")

    def print_help(self, file=None):
        print(self.format_help(), end="", file=file)  # argparse ignores a full disk


def main(argv=None):
    """Run the comparison.

    Parameters
    ----------
    argv : list of str, default=None
        The arguments; None uses those of the command line.

    Returns
    -------
    int
        The exit status: 0, 1 if the run failed, 2 if the input is invalid, 130 after
        Ctrl-C, 141 if nobody reads what is printed.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # for names that the terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    try:
        return _main(argv)
    except BrokenPipeError:  # for instance `| head`
        _give_up(sys.stdout, sys.stderr)
        return 141  # the shell's status of a program that was ended by SIGPIPE
    except OSError as error:
        _give_up(sys.stdout)
        return _fail(f"cannot print the comparison: {error.strerror or error}", 1)


def _main(argv):
    try:
        try:
            options = _parser().parse_args(argv)
            _check_options(options)
            _run(options)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # so that errors occur here and not when Python exits
    except CommandError as error:
        return _fail(error, error.status)
    except MemoryError:
        return _fail(f"out of memory: {FEWER}", 1)
    except KeyboardInterrupt:
        after_echo = "\n" if _is_terminal(sys.stderr) else ""  # the terminal has just shown ^C
        print(f"{after_echo}sknumpynet: interrupted, nothing was saved", file=sys.stderr)
        return 130
    except OSError:  # errors of printing are handled by main
        raise
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        kind = type(error).__name__
        return _fail(f"{kind}: {error} (python -X dev -m sknumpynet shows where)", 1)
    return 0


def _fail(message, status):
    """Print a one-line error to stderr."""
    try:
        print(f"sknumpynet: error: {_one_line(message)}", file=sys.stderr, flush=True)
    except OSError:  # the exit status is still returned
        _give_up(sys.stderr)
    return status


def _give_up(*streams):
    """Discard unwritten output, so that Python does not report an error when it exits."""
    for stream in streams:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        except (AttributeError, OSError, ValueError):  # closed, or an object without a file
            pass


def _is_terminal(stream):
    return stream is not None and stream.isatty()


def _parser():
    parser = _Parser(
        prog="python -m sknumpynet",
        description="Fit scikit-learn's multi-layer perceptrons and sknumpynet's, with the\n"
        "same parameters on the same rows; print the comparison and draw it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    table = parser.add_argument_group("your own table")
    table.add_argument("--csv", metavar="FILE", help="your own table, - for standard input")
    table.add_argument("--target", metavar="COLUMN", help="the column to predict")
    table.add_argument(
        "--task",
        choices=["classification", "regression"],
        help="the task (default: determined by the column)",
    )
    table.add_argument(
        "--encoding",
        default="utf-8-sig",
        metavar="NAME",
        help="encoding of the file, for instance cp1252 (default: utf-8)",
    )
    table.add_argument(
        "--tables",
        action=argparse.BooleanOptionalAction,
        help="also compare models for tables "
        f"(default: yes, up to {MAX_CELLS // 10**6} million values)",
    )
    network = parser.add_argument_group("the network (default: depends on the data)")
    network.add_argument(
        "--hidden-layer-sizes",
        type=_positive,
        nargs="+",
        metavar="N",
        help="units in each hidden layer, for instance 64 32",
    )
    network.add_argument("--solver", choices=["adam", "sgd", "lbfgs"])
    network.add_argument("--max-iter", type=_positive, metavar="N", help="maximum number of epochs")
    network.add_argument(
        "--seed",
        type=_not_negative,
        default=0,
        metavar="N",
        help="seed of the split and of the networks (default: 0)",
    )
    parser.add_argument(
        "--repeats",
        type=_positive,
        metavar="N",
        help=f"fits of each network; the fastest counts (default: {REPEATS}, fewer if they take long)",
    )
    parser.add_argument(
        "--output",
        default=DEFAULT_OUTPUT,
        metavar="FILE",
        help="where to save the plot (default: %(default)s)",
    )
    return parser


def _whole_number(text, least):
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if not least <= value < 2**63:
        limit = f" from {least} on" if value < least else " below 2**63"
        raise argparse.ArgumentTypeError(f"must be a whole number{limit}, not {_quoted(text)}")
    return value


def _positive(text):
    return _whole_number(text, 1)


def _not_negative(text):
    return _whole_number(text, 0)


def _check_options(options):
    """Check now for errors that would otherwise occur after a minute of fitting."""
    if options.csv is None and (options.target is not None or options.task is not None):
        raise CommandError("--target and --task go with --csv FILE (see --help)")
    if options.csv is None and options.tables:
        raise CommandError("--tables goes with --csv FILE (see --help)")
    if options.seed >= 2**32:
        raise CommandError("argument --seed: must be below 2**32")
    try:
        _check_output(options.output)
    except (OSError, ValueError) as error:  # a name that is too long, or contains a NUL
        reason = getattr(error, "strerror", None) or error
        raise CommandError(f"--output: {_quoted(options.output)}: {reason}") from None


def _check_output(output):
    path, folder = _picture_path(output), Path(output).parent
    if not folder.is_dir():
        raise CommandError(f"--output: there is no folder {str(folder)!r}: create it first")
    for name in (output, str(path)):
        if os.path.isdir(name) or not name:
            raise CommandError(f"--output: {name!r} is a folder: name a file in it")
    path.exists()  # raises an error if the name is too long
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise CommandError(f"--output: {str(path)!r} is not writable: name another file")
    figure = _figure_class()
    if figure is None:
        return
    kind = path.suffix.removeprefix(".").lower()
    kinds = sorted(figure().canvas.get_supported_filetypes())
    if kind and kind not in kinds:
        raise CommandError(
            f"--output: a plot cannot be saved as .{kind}; supported are {', '.join(kinds)}"
        )


def _picture_path(output):
    """Return the path of the plot: without a suffix it is a PNG; the name of a device is not changed."""
    path = Path(output)
    if path.suffix.strip(".") or (path.exists() and not path.is_file() and not path.is_dir()):
        return path
    return path.with_name(path.name.rstrip(".") + ".png") if path.name.strip(".") else path


def _figure_class():
    """Return matplotlib's Figure, or None without matplotlib; pyplot might open windows."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return None
    return Figure


def _run(options):
    cases = _builtin_cases() if options.csv is None else [_csv_case(options)]
    print(
        f"sknumpynet {__version__}, scikit-learn {sklearn.__version__}, "
        f"NumPy {np.__version__}, SciPy {scipy.__version__}, {os.cpu_count()} CPUs",
        flush=True,
    )
    comparisons = []
    for number, case in enumerate(cases):
        for note in case.notes:
            print(f"note: {_one_line(note)}", flush=True)
        network = case.estimator[-1]
        if options.solver not in (None, network.solver):  # the rate suits the other solver
            network.set_params(learning_rate_init=0.001, batch_size="auto")
        network.set_params(random_state=options.seed, **_network_options(options))
        _check_size(network, case.X.shape[1])
        up_to = options.repeats is None  # long fits are not repeated
        progress = _Progress(f"[{number + 1}/{len(cases)}] ", sys.stderr, up_to)
        try:
            comparison = compare_with_sklearn(
                case.estimator,
                case.X,
                case.y,
                random_state=options.seed,
                repeats=options.repeats or REPEATS,
                max_seconds=PATIENCE if options.repeats is None else None,
                name=f"{case.name} ({network.solver})",
                progress=progress,
                on_epoch=progress.epoch if progress.on_terminal else None,
            )
        except ValueError as error:  # for instance a fit that diverged
            raise CommandError(f"{case.name}: {' '.join(str(error).split())}") from error
        except MemoryError:
            raise CommandError(f"{case.name}: out of memory: {FEWER}", status=1) from None
        finally:
            progress.close()
        print(f"\n{comparison}", flush=True)
        comparisons.append(comparison)
        if _with_tables(case, options.tables):
            try:
                tables = compare_on_table(case, comparison, options.seed, progress.tell)
            finally:
                progress.close()
            print(f"\n{tables}", flush=True)
    _save_picture(comparisons, options.output)


def _with_tables(case, wanted):
    """Return whether to fit the models for tables; for large tables only on request."""
    if case.n_numeric is None or wanted is False:
        return False
    if wanted or case.X.size <= MAX_CELLS:
        return True
    print(
        f"note: models for tables are not fitted, since this table has {case.X.size} values: use --tables "
        "to fit them.",
        flush=True,
    )
    return False


def _network_options(options):
    """Return the parameters of the network that were given."""
    sizes = options.hidden_layer_sizes
    given = {
        "hidden_layer_sizes": None if sizes is None else tuple(sizes),
        "solver": options.solver,
        "max_iter": options.max_iter,
    }
    return {key: value for key, value in given.items() if value is not None}


def _check_size(network, n_features):
    """Raise an error if a network is too large for the memory: parameters, gradients and two moments."""
    sizes = [n_features, *np.atleast_1d(network.hidden_layer_sizes).tolist(), 1]
    gigabytes = 4 * 8e-9 * sum(a * b + b for a, b in itertools.pairwise(sizes))
    try:
        there = 1e-9 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows: the fit itself will raise an error
        return
    if gigabytes > there:
        raise CommandError(
            f"argument --hidden-layer-sizes: such a network needs at least {gigabytes:.3g} GB of "
            f"memory, and this machine has {there:.3g}: {FEWER}"
        )


class _Progress:
    """Shows progress: one line that is updated in place on a terminal, separate lines elsewhere."""

    def __init__(self, prefix, stream, up_to=False):
        self.prefix, self.stream = prefix, stream
        self.up_to = "up to " if up_to else ""
        self.on_terminal = _is_terminal(stream)
        self.place = self.what = ""
        self.shown = 0.0

    def __call__(self, n_done, n_fits, what):
        if n_done == n_fits:
            return
        self.place = f"{self.prefix}fit {n_done + 1} of {self.up_to}{n_fits}"
        self.what = what
        self._show(f"{self.place}, {what}")

    def tell(self, what):
        """Show that the next fit begins."""
        self._show(f"{self.prefix}{what}")

    def epoch(self, n_done, n_epochs):
        """Show the epoch on a terminal, at most ten times per second."""
        if time.perf_counter() - self.shown > 0.1:
            self._show(f"{self.place}, epoch {n_done} of up to {n_epochs}, {self.what}")

    def _show(self, line):
        self.shown = time.perf_counter()
        if self.on_terminal:
            print(f"\r\x1b[K{line[:79]}", end="", file=self.stream, flush=True)
        else:
            print(line, file=self.stream, flush=True)

    def close(self):
        if self.on_terminal:
            print("\r\x1b[K", end="", file=self.stream, flush=True)


def _save_picture(comparisons, output):
    figure_class = _figure_class()
    if figure_class is None:
        print('\nNo plot, because matplotlib is not installed: pip install "sknumpynet[plot]"')
        return
    figure = figure_class(figsize=figure_size(len(comparisons)), dpi=120, layout="constrained")
    plot_comparisons(comparisons, figure=figure)
    path = _picture_path(output)
    try:
        if path.suffix:
            figure.savefig(path)
        else:  # a device: matplotlib would add a suffix
            with path.open("wb") as file:
                figure.savefig(file)
    except (OSError, RuntimeError, ValueError) as error:  # a full disk; no LaTeX for .pgf
        reason = getattr(error, "strerror", None) or error
        raise CommandError(f"cannot save {str(path)!r}: {reason}") from error
    print(f"\nPlot of both loss curves: {path}")


def _builtin_cases():
    """Return three of scikit-learn's data sets, and networks that converge on them."""
    X, y = load_digits(return_X_y=True)
    digits = NumpyMLPClassifier((64,), alpha=0.1, learning_rate_init=0.01, max_iter=300)
    cases = [Case("digits", make_pipeline(StandardScaler(), digits), X, y)]
    X, y = load_breast_cancer(return_X_y=True)
    cancer = NumpyMLPClassifier(
        (32,), solver="sgd", alpha=1.0, batch_size=64, learning_rate_init=0.02, max_iter=400
    )
    cases.append(Case("breast cancer", make_pipeline(StandardScaler(), cancer), X, y))
    X, y = load_diabetes(return_X_y=True)
    diabetes = NumpyMLPRegressor(
        hidden_layer_sizes=(32,),
        activation="tanh",
        alpha=10.0,
        learning_rate_init=0.003,
        max_iter=400,
    )
    y = (y - y.mean()) / y.std()
    cases.append(Case("diabetes", make_pipeline(StandardScaler(), diabetes), X, y))
    return cases
