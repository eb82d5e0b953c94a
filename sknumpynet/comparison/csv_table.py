# SPDX-License-Identifier: BSD-3-Clause
"""Read a table from a file as data for the comparison: determine the target and the numeric columns."""

import codecs
import csv
import difflib
import errno
import io
import math
import os
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknumpynet.comparison.csv_numbers import is_number, read_numbers
from sknumpynet.core.wording import counted
from sknumpynet.estimators import NumpyMLPClassifier, NumpyMLPRegressor

MISSING = {"", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none", "?", "inf", "-inf"}
MIN_ROWS = 10
MAX_INTEGER_CLASSES = 10
MIN_ROWS_TO_STOP_EARLY = 200  # with fewer rows, a validation set would be too small
MAX_NAME, MAX_MESSAGE = 60, 500  # characters of a column's name, and of a message, that are shown
FEWER = "use fewer neurons, or a smaller table"
MAX_CATEGORIES = (
    50  # maximum number of one-hot columns of a text column; the rarest values share one
)


class CommandError(Exception):
    """An error about the input, in one line; status 1 if the run failed."""

    def __init__(self, message, status=2):
        super().__init__(message)
        self.status = status


@dataclass
class Case:
    """A case for the comparison: the data and the network.

    In a user's table, the first ``n_numeric`` columns are numbers, the others codes of text.
    """

    name: str
    estimator: object
    X: np.ndarray
    y: np.ndarray
    notes: list = field(default_factory=list)
    n_numeric: int | None = None


def _one_line(message, most=MAX_MESSAGE):
    """Return a message without line breaks or control characters, shortened if it is long."""
    text = "".join(
        sign if sign.isprintable() else " " if sign == "\n" else ascii(sign)[1:-1]
        for sign in str(message)
    )
    if len(text) <= most:
        return text
    return f"{text[: most * 3 // 4 - 3]} ... {text[-(most // 4) + 2 :]}"


def _quoted(name):
    """Return a name from the table for a message."""
    return repr(_one_line(name, MAX_NAME)) if len(name) > MAX_NAME else repr(name)


# A user's table: text -> rows -> a target, and a matrix in which text columns are codes


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
            f"others are empty, constant, or have a different text in "
            "almost every row"
            + "".join(f"; {note.rstrip('.')}" for note in more_notes if "read as text" in note)
        )
    if y.dtype.kind == "f":
        # not for classes: held-out accuracy is so coarse that it would stop too early
        stop = options.solver != "lbfgs" and len(y) >= MIN_ROWS_TO_STOP_EARLY
        network = NumpyMLPRegressor(early_stopping=stop)
        y = _within_range(y)
        y = (y - y.mean()) / y.std()
    else:
        network = NumpyMLPClassifier()
    estimator = make_pipeline(_preprocessing(n_numeric, X.shape[1]), network)
    name = f"{_one_line(names[target], MAX_NAME)} of {_one_line(Path(place).name, MAX_NAME)}"
    return Case(name, estimator, X, y, notes + more_notes, n_numeric)


def _within_range(values):
    """Return the values times a power of two, if their squares might overflow."""
    exponent = np.frexp(np.nanmax(np.abs(values)))[1]
    return np.ldexp(values, -exponent) if abs(exponent) > 300 else values


def _read_table(place, text):
    """Return names, columns of text (None for missing values), whether commas are decimal, and notes."""
    lines = _filled_lines(text, ",", place)
    if next(lines, None) is None:
        raise CommandError(f"{place}: the file is empty")
    # the header is best for finding the delimiter: its fields are names, not prose or decimal commas
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
        wrong = f", each with a different number of fields than the header ({len(names)})"
        raise CommandError(
            f"{place}: {_rows(len(odd_lines))} below the column names{wrong if odd_lines else ''}"
        )
    notes = []
    if odd_lines:
        line, n_fields = odd_lines[0]
        notes.append(
            f"{_rows(len(odd_lines))} with a wrong number of fields left out, the "
            f"first at line {line} ({counted(n_fields, 'field')}, not {len(names)})."
        )
    # with semicolons as delimiters, decimals may have commas
    return names, [list(column) for column in zip(*rows, strict=True)], delimiter == ";", notes


def _filled_lines(text, delimiter, place):
    """Yield the number and the fields of each line that is not blank."""
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
    return counted(n, "row") if n else "no rows"


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
        encoding = "utf-16"  # the byte order mark of what spreadsheets call "Unicode text"
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
            f"--encoding: the file cannot be read as {encoding!r} ({error}): "
            "name its encoding, for instance cp1252"
        ) from None
    if "\0" in text:
        raise CommandError(
            f"{path}: this is not text in {encoding.removesuffix('-sig')}, it contains NUL: if it is "
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
    """Return y, as text for classes and floats for regression, and a note on the choice."""
    quoted, numbers = _quoted(name), read_numbers(column, comma_first)
    values = np.array(column if numbers is None else numbers)
    n_levels = len(np.unique(values))
    n_exact = _exact_levels(column)
    if n_exact > max(n_levels, 1 if n_levels == 1 else len(column) / 2):
        raise CommandError(
            f"the numbers in the target {quoted} differ only beyond the 16 digits of a float: "
            "subtract a constant"
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
        values = np.array(column)  # long account numbers: as floats, some would be equal
        n_levels = len(np.unique(values))
    if n_levels > len(values) / 2:
        raise CommandError(
            f"the target {quoted} has {n_levels} different values in {len(values)} rows, too many "
            "to be classes: choose another column"
        )
    return values.astype(str), note  # scikit-learn does not accept fractions as classes


def _exact_levels(column):
    """Return the number of different integers; 0 if there are other values."""
    try:
        return len({int(value) for value in column})
    except ValueError:
        return 0


def _but_for(column):
    """Return why a column that looks numeric is text; "" if it is clearly text."""
    present = [value for value in column if value is not None]
    odd = [value for value in present if not is_number(value)]
    if not odd:
        return "its numbers are written in several ways or currencies"
    if len(odd) > len(present) / 2:
        return ""
    return f"most of its values are numbers, but {_quoted(odd[0])} is not"


def _choose_task(values, n_levels, quoted):
    """Return the task for a target, and the reason, for the user."""
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
    """Return a matrix of shape (n_rows, n_columns), with numeric columns first, then codes of text."""
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
            "columns left out, because they are empty, constant, have a different text in "
            f"almost every row, or are unnamed row numbers: {listed}."
        )
    X = np.array(numeric + coded, dtype=np.float64).T
    return X if X.ndim == 2 else np.empty((0, 0)), len(numeric), notes


def _preprocessing(n_numeric, n_columns):
    """Return the preprocessing: median and scaling for numbers, one-hot encoding for text."""
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
