# SPDX-License-Identifier: BSD-3-Clause
"""``python -m sknumpynet``: scikit-learn's networks and ours side by side, on real data.

Without arguments on three data sets that scikit-learn brings along, with ``--csv`` on one's own.
"""

import argparse
import codecs
import csv
import difflib
import errno
import io
import itertools
import math
import os
import stat
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import scipy
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknumpynet import __version__
from sknumpynet._classifier import NumpyMLPClassifier
from sknumpynet._csv_numbers import is_number, read_numbers
from sknumpynet._regressor import NumpyMLPRegressor
from sknumpynet.comparison import compare_with_sklearn, figure_size, plot_comparisons

DEFAULT_OUTPUT = "sknumpynet-comparison.png"
MISSING = {"", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none", "?", "inf", "-inf"}
MIN_ROWS = 10
MAX_INTEGER_CLASSES = 10
REPEATS, PATIENCE = 3, 15.0  # without --repeats: three fits each, fewer after so many seconds
MIN_ROWS_TO_STOP_EARLY = 200  # with fewer, too few are left to tell when to stop
MAX_NAME, MAX_MESSAGE = 60, 500  # characters of a column's name, and of a message, that are shown
FEWER = "fewer neurons, or a smaller table, would do"
MAX_CATEGORIES = 50  # a text column gets at most so many one-hot columns, the rarest share one

EPILOG = f"""\
examples:
  python -m sknumpynet
      digits, breast cancer and diabetes, with the picture in {DEFAULT_OUTPUT}
  python -m sknumpynet --csv houses.csv --target price --output houses.png
      a table of your own: predict the column "price" from all the others

The table's first line names its columns. Numbers ("1,234.50", "$5" and "12.3%" among them) are
scaled, missing ones filled with the median; text is one-hot encoded; rows without a target are
left out. A target of text, of true/false or of at most {MAX_INTEGER_CLASSES} different whole
numbers is classified, any other is regressed. From {MIN_ROWS_TO_STOP_EARLY} rows on, a regression
stops when the score of a tenth of the rows to fit, held out by both networks, gets no better.
"""


class CommandError(Exception):
    """What the user has to change, in one line; status 1 if it was the run that failed."""

    def __init__(self, message, status=2):
        super().__init__(message)
        self.status = status


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise CommandError(f"{message} (--help explains)")

    def print_help(self, file=None):
        print(self.format_help(), end="", file=file)  # argparse keeps quiet about a full disk


@dataclass
class Case:
    """One table to compare on: the data and the network."""

    name: str
    estimator: object
    X: np.ndarray
    y: np.ndarray
    notes: list = field(default_factory=list)


def main(argv=None):
    """Run the comparison.

    Parameters
    ----------
    argv : list of str, default=None
        The arguments; None takes those of the command line.

    Returns
    -------
    int
        The exit status: 0, 1 if the run failed, 2 if something has to be changed, 130 after
        Ctrl-C, 141 if nobody reads what is printed.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a name that the terminal cannot show must not end us
            stream.reconfigure(errors="backslashreplace")
    try:
        return _main(argv)
    except BrokenPipeError:  # for instance `| head`
        _give_up(sys.stdout, sys.stderr)
        return 141  # as the shell reports a program that SIGPIPE ended
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
                sys.stdout.flush()  # what fails, fails here and not when Python ends
    except CommandError as error:
        return _fail(error, error.status)
    except MemoryError:
        return _fail(f"out of memory: {FEWER}", 1)
    except KeyboardInterrupt:
        after_echo = "\n" if _is_terminal(sys.stderr) else ""  # the terminal has just shown ^C
        print(f"{after_echo}sknumpynet: interrupted, nothing was saved", file=sys.stderr)
        return 130
    except OSError:  # of printing: main knows what to do
        raise
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        kind = type(error).__name__
        return _fail(f"{kind}: {error} (python -X dev -m sknumpynet shows where)", 1)
    return 0


def _fail(message, status):
    """Say in one line on stderr what is wrong."""
    try:
        print(f"sknumpynet: error: {_one_line(message)}", file=sys.stderr, flush=True)
    except OSError:  # the status still says it
        _give_up(sys.stderr)
    return status


def _give_up(*streams):
    """Drop what was not written, so that Python does not complain about it when it ends."""
    for stream in streams:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        except (AttributeError, OSError, ValueError):  # closed, or a stand-in without a file
            pass


def _one_line(message, most=MAX_MESSAGE):
    """A message without line breaks or control characters, cut in the middle if it is long."""
    text = "".join(
        sign if sign.isprintable() else " " if sign == "\n" else ascii(sign)[1:-1]
        for sign in str(message)
    )
    if len(text) <= most:
        return text
    return f"{text[: most * 3 // 4 - 3]} ... {text[-(most // 4) + 2 :]}"


def _quoted(name):
    """A name from the table, as a message shows it."""
    return repr(_one_line(name, MAX_NAME)) if len(name) > MAX_NAME else repr(name)


def _is_terminal(stream):
    return stream is not None and stream.isatty()


def _parser():
    parser = _Parser(
        prog="python -m sknumpynet",
        description="Fit scikit-learn's multi-layer perceptrons and sknumpynet's in turn, with the\n"
        "same parameters on the same rows; print the comparison and draw it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    table = parser.add_argument_group("your own table")
    table.add_argument("--csv", metavar="FILE", help="a table of your own, - for standard input")
    table.add_argument("--target", metavar="COLUMN", help="the column to predict")
    table.add_argument(
        "--task",
        choices=["classification", "regression"],
        help="what to do with it (default: told from the column)",
    )
    table.add_argument(
        "--encoding",
        default="utf-8-sig",
        metavar="NAME",
        help="encoding of the file, for instance cp1252 (default: utf-8)",
    )
    network = parser.add_argument_group("the network (default: suited to the data)")
    network.add_argument(
        "--hidden-layer-sizes",
        type=_positive,
        nargs="+",
        metavar="N",
        help="neurons in each hidden layer, for instance 64 32",
    )
    network.add_argument("--solver", choices=["adam", "sgd", "lbfgs"])
    network.add_argument("--max-iter", type=_positive, metavar="N", help="most epochs to train")
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
        help=f"fits of each network; the fastest counts (default: {REPEATS}, fewer if they are long)",
    )
    parser.add_argument(
        "--output",
        default=DEFAULT_OUTPUT,
        metavar="FILE",
        help="where to save the picture (default: %(default)s)",
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
    """Find now what would otherwise come up after a minute of fitting."""
    if options.csv is None and (options.target is not None or options.task is not None):
        raise CommandError("--target and --task go with --csv FILE (--help explains)")
    if options.seed >= 2**32:
        raise CommandError("argument --seed: must be below 2**32")
    try:
        _check_output(options.output)
    except (OSError, ValueError) as error:  # a name that is too long, or holds a NUL
        reason = getattr(error, "strerror", None) or error
        raise CommandError(f"--output: {_quoted(options.output)}: {reason}") from None


def _check_output(output):
    path, folder = _picture_path(output), Path(output).parent
    if not folder.is_dir():
        raise CommandError(f"--output: there is no folder {str(folder)!r}: create it first")
    for name in (output, str(path)):
        if os.path.isdir(name) or not name:
            raise CommandError(f"--output: {name!r} is a folder: name a file in it")
    path.exists()  # complains about a name that is too long
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise CommandError(f"--output: {str(path)!r} may not be written: name another file")
    figure = _figure_class()
    if figure is None:
        return
    kind = path.suffix.removeprefix(".").lower()
    kinds = sorted(figure().canvas.get_supported_filetypes())
    if kind and kind not in kinds:
        raise CommandError(
            f"--output: no picture can be saved as .{kind}; there are {', '.join(kinds)}"
        )


def _picture_path(output):
    """Where the picture goes: a name without a suffix gets that of a PNG, a device keeps its own."""
    path = Path(output)
    if path.suffix.strip(".") or (path.exists() and not path.is_file() and not path.is_dir()):
        return path
    return path.with_name(path.name.rstrip(".") + ".png") if path.name.strip(".") else path


def _figure_class():
    """Matplotlib's Figure, or None without matplotlib; no pyplot, which might open windows."""
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
        if options.solver not in (None, network.solver):  # the steps were chosen for the other
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
    _save_picture(comparisons, options.output)


def _network_options(options):
    """The parameters of the network that were given."""
    sizes = options.hidden_layer_sizes
    given = {
        "hidden_layer_sizes": None if sizes is None else tuple(sizes),
        "solver": options.solver,
        "max_iter": options.max_iter,
    }
    return {key: value for key, value in given.items() if value is not None}


def _check_size(network, n_features):
    """Refuse a network that cannot be held: parameters, gradients and two moments of each."""
    sizes = [n_features, *np.atleast_1d(network.hidden_layer_sizes).tolist(), 1]
    gigabytes = 4 * 8e-9 * sum(a * b + b for a, b in itertools.pairwise(sizes))
    try:
        there = 1e-9 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows: the fit itself will find out
        return
    if gigabytes > there:
        raise CommandError(
            f"argument --hidden-layer-sizes: such a network needs {gigabytes:.3g} GB of memory at "
            f"least, and this machine has {there:.3g}: {FEWER}"
        )


class _Progress:
    """Where the fits are: one line that changes on a terminal, a line each anywhere else."""

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

    def epoch(self, n_done, n_epochs):
        """Show the epoch on a terminal, ten times a second at most."""
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
        print('\nNo picture: matplotlib is not installed. pip install "sknumpynet[plot]" draws it.')
        return
    figure = figure_class(figsize=figure_size(len(comparisons)), dpi=120, layout="constrained")
    plot_comparisons(comparisons, figure=figure)
    path = _picture_path(output)
    try:
        if path.suffix:
            figure.savefig(path)
        else:  # a device: matplotlib would give it a suffix, and so another name
            with path.open("wb") as file:
                figure.savefig(file)
    except (OSError, RuntimeError, ValueError) as error:  # a full disk; no LaTeX for .pgf
        reason = getattr(error, "strerror", None) or error
        raise CommandError(f"cannot save {str(path)!r}: {reason}") from error
    print(f"\nBoth loss curves, one over the other: {path}")


def _builtin_cases():
    """Three tables that scikit-learn brings along, and networks that converge on them."""
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


# One's own table: text -> rows -> a target, and a matrix in which text columns are codes


def _csv_case(options):
    place = "standard input" if options.csv == "-" else options.csv
    names, columns, comma_first, notes = _read_table(place, _read_text(options))
    target = _find_target(names, options.target, place)
    has_target = [value is not None for value in columns[target]]
    if not all(has_target):
        n_missing = has_target.count(False)
        notes.append(f"{_rows(n_missing)} without a value in {_quoted(names[target])} left out.")
        columns = [
            [value for value, keep in zip(column, has_target, strict=True) if keep]
            for column in columns
        ]
    n_rows = len(columns[target])
    if n_rows < MIN_ROWS:
        raise CommandError(
            f"{place}: {_rows(n_rows)} with a target: too few, a fit and its "
            f"test need at least {MIN_ROWS}"
        )
    y, note = _encode_target(columns[target], names[target], options.task, comma_first)
    notes.append(note)
    inputs = [(names[i], column) for i, column in enumerate(columns) if i != target]
    X, n_numeric, more_notes = _encode_inputs(inputs, comma_first)
    if X.shape[1] == 0:
        raise CommandError(
            f"{place}: no column to predict {_quoted(names[target])} from: the "
            f"others hold nothing, one value, or a different text in "
            "almost every row"
            + "".join(f"; {note.rstrip('.')}" for note in more_notes if "read as text" in note)
        )
    if y.dtype.kind == "f":
        # not for classes: held-out accuracy is so coarse that it stops too soon, and costs accuracy
        stop = options.solver != "lbfgs" and len(y) >= MIN_ROWS_TO_STOP_EARLY
        network = NumpyMLPRegressor(early_stopping=stop)
        y = _within_range(y)
        y = (y - y.mean()) / y.std()
    else:
        network = NumpyMLPClassifier()
    estimator = make_pipeline(_preprocessing(n_numeric, X.shape[1]), network)
    name = f"{_one_line(names[target], MAX_NAME)} of {_one_line(Path(place).name, MAX_NAME)}"
    return Case(name, estimator, X, y, notes + more_notes)


def _within_range(values):
    """The values times a power of two, if their squares might be beyond the range of floats."""
    exponent = np.frexp(np.nanmax(np.abs(values)))[1]
    return np.ldexp(values, -exponent) if abs(exponent) > 300 else values


def _read_table(place, text):
    """Column names, columns of text (None where a value is missing), decimal commas?, and notes."""
    lines = _filled_lines(text, ",", place)
    if next(lines, None) is None:
        raise CommandError(f"{place}: the file is empty")
    # the header holds the delimiter most surely: its fields are names, not prose or decimal commas
    delimiter = max(",;\t|", key=lambda sign: len(next(_filled_lines(text, sign, place))[1]))
    lines = _filled_lines(text, delimiter, place)
    names = [name.strip() for name in next(lines)[1]]
    rows, odd_lines = [], []
    for number, row in lines:
        if len(row) == len(names):
            rows.append([_text_or_none(value) for value in row])
        else:
            odd_lines.append((number, len(row)))
    if not rows:
        wrong = f", each with another number of fields than the header ({len(names)})"
        raise CommandError(
            f"{place}: {_rows(len(odd_lines))} below the column names{wrong if odd_lines else ''}"
        )
    notes = []
    if odd_lines:
        line, n_fields = odd_lines[0]
        notes.append(
            f"{_rows(len(odd_lines))} with a wrong number of fields left out, the "
            f"first at line {line} ({n_fields} fields, not {len(names)})."
        )
    # where lists are separated by semicolons, decimals may have commas
    return names, [list(column) for column in zip(*rows, strict=True)], delimiter == ";", notes


def _filled_lines(text, delimiter, place):
    """The number and the fields of each line that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if len(row) > 1 or any(value.strip() for value in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise CommandError(
            f"{place}, line {reader.line_num}: {error}: is a quotation mark missing?"
        ) from error


def _rows(n):
    return f"{n or 'no'} row{'' if n == 1 else 's'}"


def _read_text(options):
    path, encoding = options.csv, options.encoding
    try:
        if path == "-":
            data = sys.stdin.buffer.read()
        elif stat.S_ISBLK(os.stat(path).st_mode):
            raise CommandError(f"{path}: this is a disk, not a file")
        else:
            data = Path(path).read_bytes()
    except FileNotFoundError:
        raise CommandError(f"{path}: there is no such file") from None
    except AttributeError:
        raise CommandError("--csv -: standard input is closed") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", error)
        if isinstance(error, OSError) and error.errno != errno.ENAMETOOLONG and Path(path).is_dir():
            reason = "this is a folder, not a file"
        raise CommandError(f"{path}: {reason}") from None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and encoding == "utf-8-sig":
        encoding = "utf-16"  # the byte order mark of what a spreadsheet calls "Unicode text"
    try:
        text = data.decode(encoding)
    except LookupError:
        raise CommandError(f"--encoding: there is no encoding {encoding!r}") from None
    except UnicodeDecodeError as error:
        raise CommandError(
            f"{path}: not text in {encoding.removesuffix('-sig')} "
            f"({error.reason} at byte {error.start}): "
            "name its encoding, for instance --encoding cp1252"
        ) from None
    except (ValueError, OverflowError) as error:
        raise CommandError(
            f"--encoding: nothing can be read in {encoding!r} ({error}): "
            "name that of the file, for instance cp1252"
        ) from None
    if "\0" in text:
        raise CommandError(
            f"{path}: this is not text in {encoding.removesuffix('-sig')}, it holds NUL: if it is "
            "a table, name its encoding, for instance --encoding utf-16-le"
        )
    return text.removeprefix("\ufeff")


def _text_or_none(value):
    value = value.strip()
    return None if value.lower() in MISSING else value


def _find_target(names, target, place):
    listed = ", ".join([_one_line(name, MAX_NAME) for name in names if name][:20])
    if len(names) > 20:
        listed += f" and {len(names) - 20} more"
    if target is None:
        raise CommandError(f"--csv needs --target COLUMN; {place} has the columns: {listed}")
    target = target.strip()
    if names.count(target) > 1:
        raise CommandError(
            f"{place} has {names.count(target)} columns {_quoted(target)}: rename one"
        )
    if target not in names:
        close = difflib.get_close_matches(target[:MAX_NAME], names, n=1)
        hint = f" (did you mean {_quoted(close[0])}?)" if close else ""
        raise CommandError(f"{place} has no column {_quoted(target)}{hint}; it has: {listed}")
    return names.index(target)


def _encode_target(column, name, task, comma_first):
    """y, of text for classes and of floats for regression, and a note on the choice."""
    quoted, numbers = _quoted(name), read_numbers(column, comma_first)
    values = np.array(column if numbers is None else numbers)
    n_levels = len(np.unique(values))
    n_exact = _exact_levels(column)
    if n_exact > max(n_levels, 1 if n_levels == 1 else len(column) / 2):
        raise CommandError(
            f"the numbers in the target {quoted} differ only beyond the 16 digits of a float: "
            "subtract what they have in common"
        )
    if n_levels == 1:
        raise CommandError(
            f"the target {quoted} is {_quoted(column[0])} in every row: there is nothing to learn"
        )
    note = f"{task} of the target {quoted}."
    if task is None:
        task, note = _choose_task(values, n_levels, quoted)
        odd = _but_for(column) if numbers is None else ""
        note = note.removesuffix(".") + f": {odd}." if odd else note
    if task == "regression":
        if numbers is None:
            text = next((value for value in column if not is_number(value)), column[0])
            raise CommandError(
                f"the target {quoted} holds text ({_quoted(text)}): it cannot be regressed"
            )
        return values, note
    if numbers is not None and n_exact > n_levels:
        values = np.array(column)  # long account numbers: as floats, some would be one class
        n_levels = len(np.unique(values))
    if n_levels > len(values) / 2:
        raise CommandError(
            f"the target {quoted} has {n_levels} different values in {len(values)} rows, too many "
            "to be classes: choose another column"
        )
    return values.astype(str), note  # scikit-learn takes no fractions for classes


def _exact_levels(column):
    """How many different whole numbers there are; 0 for values that are written otherwise."""
    try:
        return len({int(value) for value in column})
    except ValueError:
        return 0


def _but_for(column):
    """What keeps a column of text from being one of numbers; "" if it is text throughout."""
    present = [value for value in column if value is not None]
    odd = [value for value in present if not is_number(value)]
    if not odd:
        return "its numbers are written in several ways or currencies"
    if len(odd) > len(present) / 2:
        return ""
    return f"most of its values are numbers, but {_quoted(odd[0])} is none"


def _choose_task(values, n_levels, quoted):
    """What to do with a target, and why, for the user to see."""
    if values.dtype.kind != "f":
        return "classification", f"classification, because the target {quoted} holds text."
    is_whole = bool(np.all(values == np.floor(values)))
    kind = f"holds {n_levels} different {'whole ' if is_whole else ''}numbers"
    could_be_classes = n_levels <= len(values) / 2
    if is_whole and could_be_classes and n_levels <= MAX_INTEGER_CLASSES:
        task, hint = "classification", " (--task regression overrides this)"
    else:
        task = "regression"
        hint = " (--task classification overrides this)" if could_be_classes else ""
    return task, f"{task}, because the target {quoted} {kind}{hint}."


def _encode_inputs(inputs, comma_first):
    """A matrix of shape (n_rows, n_columns), numeric columns first, then codes of text."""
    numeric, coded, notes, skipped = [], [], [], []
    for name, column in inputs:
        numbers = read_numbers(column, comma_first)
        if numbers is not None:
            if len({number for number in numbers if not math.isnan(number)}) > 1 and name:
                numeric.append(_within_range(numbers))
            else:
                skipped.append(name)
            continue
        odd = _but_for(column)
        if odd:
            notes.append(f"the column {_quoted(name)} is read as text: {odd}.")
        levels = sorted({value for value in column if value is not None})
        if len(levels) > max(len(column) / 2, 2) or len(set(column)) == 1:
            skipped.append(name)
            continue
        codes = {value: code for code, value in enumerate(levels)}
        coded.append([codes.get(value, math.nan) for value in column])
    if skipped:
        listed = ", ".join(map(_quoted, skipped[:10])) + (", ..." if len(skipped) > 10 else "")
        notes.append(
            "columns left out, as they hold nothing, one value, a different text in "
            f"almost every row, or row numbers without a name: {listed}."
        )
    X = np.array(numeric + coded, dtype=np.float64).T
    return X if X.ndim == 2 else np.empty((0, 0)), len(numeric), notes


def _preprocessing(n_numeric, n_columns):
    """Median and scale for numbers; for text a column per value, "missing" being one."""
    numbers = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()
    )
    text = OneHotEncoder(
        sparse_output=False, handle_unknown="infrequent_if_exist", max_categories=MAX_CATEGORIES
    )
    return ColumnTransformer(
        [
            ("numbers", numbers, list(range(n_numeric))),
            ("text", text, list(range(n_numeric, n_columns))),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
