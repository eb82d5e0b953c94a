# SPDX-License-Identifier: BSD-3-Clause
"""``python -m sknumpynet``: scikit-learn's networks and ours side by side, on real data.

Without arguments on three data sets that scikit-learn brings along, with ``--csv`` on one's own.
"""

import argparse
import csv
import difflib
import io
import math
import os
import sys
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
from sknumpynet._regressor import NumpyMLPRegressor
from sknumpynet.comparison import compare_with_sklearn, figure_size, plot_comparisons

DEFAULT_OUTPUT = "sknumpynet-comparison.png"
MISSING = {"", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none", "?", "inf", "-inf"}
MIN_ROWS = 10
MAX_INTEGER_CLASSES = 10
REPEATS, PATIENCE = 3, 15.0  # without --repeats: three fits each, fewer after so many seconds
MAX_CATEGORIES = 50  # a text column gets at most so many one-hot columns, the rarest share one

EPILOG = f"""\
examples:
  python -m sknumpynet
      digits, breast cancer and diabetes, with the picture in {DEFAULT_OUTPUT}
  python -m sknumpynet --csv houses.csv --target price --output houses.png
      a table of your own: predict the column "price" from all the others

The table's first line names its columns. Numbers are scaled, missing ones filled with the
median; text is one-hot encoded; rows without a target are left out. A target of text, of
true/false or of at most {MAX_INTEGER_CLASSES} different whole numbers is classified, any other
is regressed.
"""


class CommandError(Exception):
    """What the user has to change, in one line."""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise CommandError(f"{message} (--help explains)")


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
        The exit status: 0, 2 if something has to be changed, 130 after Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a name that the terminal cannot show must not end us
            stream.reconfigure(errors="backslashreplace")
    try:
        options = _parser().parse_args(argv)
        _check_options(options)
        _run(options)
    except CommandError as error:
        print(f"sknumpynet: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        after_echo = "\n" if sys.stderr.isatty() else ""  # the terminal has just shown ^C
        print(f"{after_echo}sknumpynet: interrupted, nothing was saved", file=sys.stderr)
        return 130
    return 0


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
    table.add_argument("--csv", metavar="FILE", help="a table of your own, instead of the three")
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
    if value < least:
        raise argparse.ArgumentTypeError(f"must be a whole number from {least} on, not {text!r}")
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
    folder = Path(options.output).parent
    if not folder.is_dir():
        raise CommandError(f"--output: there is no folder {str(folder)!r}: create it first")
    if Path(options.output).is_dir():
        raise CommandError(f"--output: {options.output!r} is a folder: name a file in it")
    figure = _figure_class()
    if figure is None:
        return
    kind = Path(options.output).suffix.removeprefix(".").lower()
    kinds = sorted(figure().canvas.get_supported_filetypes())
    if kind and kind not in kinds:
        raise CommandError(
            f"--output: no picture can be saved as .{kind}; there are {', '.join(kinds)}"
        )


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
            print(f"note: {note}", flush=True)
        network = case.estimator[-1]
        if options.solver not in (None, network.solver):  # the steps were chosen for the other
            network.set_params(learning_rate_init=0.001, batch_size="auto")
        network.set_params(random_state=options.seed, **_network_options(options))
        progress = _Progress(f"[{number + 1}/{len(cases)}] ", sys.stderr)
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
            )
        except ValueError as error:  # for instance a fit that diverged
            raise CommandError(f"{case.name}: {' '.join(str(error).split())}") from error
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


class _Progress:
    """Where the fits are: one line that changes on a terminal, a line each anywhere else."""

    def __init__(self, prefix, stream):
        self.prefix, self.stream = prefix, stream
        self.on_terminal = stream.isatty()

    def __call__(self, n_done, n_fits, what):
        if n_done == n_fits:
            return
        line = f"{self.prefix}fit {n_done + 1} of {n_fits}, {what}"
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
    path = Path(output) if Path(output).suffix else Path(output).with_suffix(".png")
    try:
        figure.savefig(path)
    except OSError as error:
        raise CommandError(f"cannot save {str(path)!r}: {error.strerror or error}") from error
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
    names, columns, notes = _read_table(options.csv, options.encoding)
    target = _find_target(names, options.target, options.csv)
    has_target = [value is not None for value in columns[target]]
    if not all(has_target):
        n_missing = has_target.count(False)
        notes.append(f"{_rows(n_missing)} without a value in {names[target]!r} left out.")
        columns = [
            [value for value, keep in zip(column, has_target, strict=True) if keep]
            for column in columns
        ]
    n_rows = len(columns[target])
    if n_rows < MIN_ROWS:
        raise CommandError(
            f"{options.csv}: {_rows(n_rows)} with a target: too few, a fit and its "
            f"test need at least {MIN_ROWS}"
        )
    y, note = _encode_target(columns[target], names[target], options.task)
    notes.append(note)
    inputs = [(names[i], column) for i, column in enumerate(columns) if i != target]
    X, n_numeric, more_notes = _encode_inputs(inputs)
    if X.shape[1] == 0:
        raise CommandError(
            f"{options.csv}: no column to predict {names[target]!r} from: the "
            f"others hold nothing, one value, or a different text in "
            "almost every row"
        )
    if y.dtype.kind == "f":
        network = NumpyMLPRegressor()
        y = (y - y.mean()) / y.std()
    else:
        network = NumpyMLPClassifier()
    estimator = make_pipeline(_preprocessing(n_numeric, X.shape[1]), network)
    return Case(f"{names[target]} of {Path(options.csv).name}", estimator, X, y, notes + more_notes)


def _read_table(path, encoding):
    """Column names, columns of text (None where a value is missing), and notes."""
    text = _read_text(path, encoding)
    lines = text.splitlines()
    header = next((line for line in lines if line.strip()), None)
    if header is None:
        raise CommandError(f"{path}: the file is empty")
    # the header holds the delimiter most surely: its fields are names, not prose or decimal commas
    delimiter = max(",;\t|", key=lambda sign: len(next(csv.reader([header], delimiter=sign))))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows, odd_lines, names = [], [], None
    try:
        for row in reader:
            if not any(value.strip() for value in row) and len(row) <= 1:
                continue
            if names is None:
                names = [name.strip() for name in row]
            elif len(row) == len(names):
                rows.append([_text_or_none(value) for value in row])
            else:
                odd_lines.append((reader.line_num, len(row)))
    except csv.Error as error:
        raise CommandError(f"{path}, line {reader.line_num}: {error}") from error
    if not rows:
        wrong = f", each with another number of fields than the header ({len(names)})"
        raise CommandError(
            f"{path}: {_rows(len(odd_lines))} below the column names{wrong if odd_lines else ''}"
        )
    notes = []
    if odd_lines:
        line, n_fields = odd_lines[0]
        notes.append(
            f"{_rows(len(odd_lines))} with a wrong number of fields left out, the "
            f"first at line {line} ({n_fields} fields, not {len(names)})."
        )
    if delimiter == ";":  # where lists are separated by semicolons, decimals may have commas
        rows = [[_decimal_point(value) for value in row] for row in rows]
    return names, [list(column) for column in zip(*rows, strict=True)], notes


def _rows(n):
    return f"{n or 'no'} row{'' if n == 1 else 's'}"


def _read_text(path, encoding):
    try:
        return Path(path).read_bytes().decode(encoding)
    except FileNotFoundError:
        raise CommandError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise CommandError(f"{path}: this is a folder, not a file") from None
    except LookupError:
        raise CommandError(f"--encoding: there is no encoding {encoding!r}") from None
    except UnicodeError as error:
        raise CommandError(
            f"{path}: not text in {encoding.removesuffix('-sig')} "
            f"({error.reason} at byte {error.start}): "
            "name its encoding, for instance --encoding cp1252"
        ) from None
    except OSError as error:
        reason = "this is a folder, not a file" if Path(path).is_dir() else error.strerror
        raise CommandError(f"{path}: {reason}") from None


def _text_or_none(value):
    value = value.strip()
    return None if value.lower() in MISSING else value


def _decimal_point(value):
    if value is None or value.count(",") != 1:
        return value
    pointed = value.replace(",", ".")
    return value if _number(pointed) is None else pointed


def _number(value):
    """The number that a text stands for, NaN if it is missing, None if it stands for none."""
    if value is None:
        return math.nan
    try:
        number = float(value)
    except ValueError:
        return None
    # Python's 1_000 is rather a name
    return number if math.isfinite(number) and "_" not in value else None


def _find_target(names, target, path):
    listed = ", ".join([name for name in names if name][:20])
    if len(names) > 20:
        listed += f" and {len(names) - 20} more"
    if target is None:
        raise CommandError(f"--csv needs --target COLUMN; {path} has the columns: {listed}")
    target = target.strip()
    if names.count(target) > 1:
        raise CommandError(f"{path} has {names.count(target)} columns {target!r}: rename one")
    if target not in names:
        close = difflib.get_close_matches(target, names, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise CommandError(f"{path} has no column {target!r}{hint}; it has: {listed}")
    return names.index(target)


def _encode_target(column, name, task):
    """y, of text for classes and of floats for regression, and a note on the choice."""
    numbers = [_number(value) for value in column]
    text = next((v for v, number in zip(column, numbers, strict=True) if number is None), None)
    values = np.array(numbers if text is None else column)
    n_levels = len(np.unique(values))
    if n_levels == 1:
        raise CommandError(
            f"the target {name!r} is {column[0]!r} in every row: there is nothing to learn"
        )
    note = f"{task} of the target {name!r}."
    if task is None:
        task, note = _choose_task(values, n_levels, name)
    if task == "regression":
        if text is not None:
            raise CommandError(f"the target {name!r} holds text ({text!r}): it cannot be regressed")
        return values, note
    if n_levels > len(values) / 2:
        raise CommandError(
            f"the target {name!r} has {n_levels} different values in {len(values)} rows, too many "
            "to be classes: choose another column"
        )
    return values.astype(str), note  # scikit-learn takes no fractions for classes


def _choose_task(values, n_levels, name):
    """What to do with a target, and why, for the user to see."""
    if values.dtype.kind != "f":
        return "classification", f"classification, because the target {name!r} holds text."
    is_whole = bool(np.all(values == np.floor(values)))
    kind = f"holds {n_levels} different {'whole ' if is_whole else ''}numbers"
    could_be_classes = n_levels <= len(values) / 2
    if is_whole and could_be_classes and n_levels <= MAX_INTEGER_CLASSES:
        task, hint = "classification", " (--task regression overrides this)"
    else:
        task = "regression"
        hint = " (--task classification overrides this)" if could_be_classes else ""
    return task, f"{task}, because the target {name!r} {kind}{hint}."


def _encode_inputs(inputs):
    """A matrix of shape (n_rows, n_columns), numeric columns first, then codes of text."""
    numeric, coded, notes, skipped = [], [], [], []
    for name, column in inputs:
        numbers = [_number(value) for value in column]
        if None not in numbers:
            if len({number for number in numbers if not math.isnan(number)}) > 1 and name:
                numeric.append(numbers)
            else:
                skipped.append(name)
            continue
        levels = sorted({value for value in column if value is not None})
        if len(levels) > max(len(column) / 2, 2) or len(set(column)) == 1:
            skipped.append(name)
            continue
        codes = {value: code for code, value in enumerate(levels)}
        coded.append([codes.get(value, math.nan) for value in column])
    if skipped:
        listed = ", ".join(map(repr, skipped[:10])) + (", ..." if len(skipped) > 10 else "")
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
