# SPDX-License-Identifier: BSD-3-Clause
"""Read raw tables from pandas, polars, pyarrow or NumPy column by column, as numbers or categories.

Numbers become float64 with NaN for missing values; infinities count as missing. Categories become codes into
a list of levels, with -1 for missing values. The user's data are not changed.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from datetime import time as clock_time
from numbers import Real
from typing import Any

import numpy as np
from scipy.sparse import issparse

from sknumpynet.checks.input_checks import check_readable
from sknumpynet.core.arrays import Array


@dataclass
class Column:
    """One column: ``numbers`` (n,), or ``codes`` (n,) into ``levels``; the other is None."""

    name: Any
    numbers: Array | None = None
    codes: Array | None = None
    levels: Sequence[Hashable] = ()


class Table:
    """Columns of X by position, and their names where these are strings.

    Parameters
    ----------
    X : DataFrame, table, array or list of rows
        The table that the user passed.

    Attributes
    ----------
    n_rows, n_columns : int
        Shape.
    names : list of str or None
        Names of the columns.
    """

    def __init__(self, X: Any) -> None:
        if issparse(X):
            raise TypeError(
                "Sparse data was passed for X, but this estimator needs dense tables: use X.toarray(), or "
                "NumpyMLPClassifier and NumpyMLPRegressor, which train on sparse matrices"
            )
        self.X, self.kind = X, kind_of(X)
        names: list[Any] | None = None
        if self.kind == "pandas":
            names = list(X.columns)
            self.n_rows, self.n_columns = X.shape
        elif self.kind == "polars":
            names = list(X.columns)
            self.n_rows, self.n_columns = X.shape
        elif self.kind == "pyarrow":
            names = list(X.column_names)
            self.n_rows, self.n_columns = X.num_rows, X.num_columns
        else:
            self.X = X = as_matrix(X)
            self.n_rows, self.n_columns = X.shape
        texts = names is not None and [isinstance(name, str) for name in names]
        if texts and any(texts) and not all(texts):
            kinds = sorted({type(name).__name__ for name in names or ()})
            raise TypeError(
                "Feature names are only supported if all input features have string names, but your input "
                f"has {kinds} as feature name / column name types. Use X.columns = X.columns.astype(str)"
            )
        self.names = names if texts and all(texts) else None
        if self.names is not None and len(set(self.names)) < len(self.names):
            twice = sorted({name for name in self.names if self.names.count(name) > 1})
            raise ValueError(
                f"X has duplicate column names: {named(twice)}; rename or drop columns"
            )
        if self.n_rows == 0 or self.n_columns == 0:
            kind = "sample(s)" if self.n_rows == 0 else "feature(s)"
            raise ValueError(
                f"Found array with 0 {kind} (shape={(self.n_rows, self.n_columns)}) while a minimum of 1 is "
                "required."
            )

    def rows(self, chosen: Array) -> Table:
        """Return a table of some of the rows."""
        if self.kind == "pandas":
            return Table(self.X.iloc[chosen])
        return Table(self.X.take(chosen) if self.kind == "pyarrow" else self.X[chosen])

    def described(self) -> str:
        """Return the number of rows, and names and types of the columns."""
        columns = (
            f"{self.called(i)} {getattr(raw, 'dtype', getattr(raw, 'type', ''))}"
            for i, raw in ((i, self.raw(i)) for i in range(self.n_columns))
        )
        return f"{self.n_rows} rows, {', '.join(columns)}"

    def called(self, i: int) -> str:
        """Return the name of the column for messages."""
        return f"column {self.names[i]!r}" if self.names is not None else f"column {i}"

    def raw(self, i: int) -> Any:
        """Return the column as an object of its library."""
        if self.kind == "pandas":
            return self.X.iloc[:, i]
        if self.kind == "polars":
            return self.X.to_series(int(i))
        if self.kind == "pyarrow":
            return self.X.column(int(i))
        return self.X[:, i]

    def is_category(self, i: int) -> bool:
        """Return whether the column is a category by its type: text, bool, or objects not all numbers."""
        values = self.raw(i)
        dtype = values.type if self.kind == "pyarrow" else values.dtype
        text = str(dtype).lower()
        objects = text == "object" and self.kind in ("numpy", "pandas")
        if text.startswith("interval"):
            raise TypeError(
                f"{self.called(i)} holds intervals ({dtype}): give their middles, "
                f"pandas.IntervalIndex(X[{self.X.columns.tolist()[i]!r}]).mid, or names of them, "
                f"X[{self.X.columns.tolist()[i]!r}].astype(str)"
            )
        if holds_dates_by_type(values) or (objects and holds_dates(values)):
            raise TypeError(
                f"{self.called(i)} holds dates or times ({dtype}), which are neither numbers nor categories. "
                f"Convert them to numbers: {self._advice_for_dates(i, values)}"
            )
        if self.kind == "numpy" and dtype.kind in "fiu":
            return False
        if objects and holds_complex(values):
            raise ValueError(
                f"Complex data not supported: {self.called(i)} holds complex numbers; give real and "
                "imaginary parts as columns of their own"
            )
        if objects:
            return not holds_numbers(values)
        if any(text.startswith(kind) for kind in ("complex", "list", "struct", "array", "map")):
            if text.startswith("complex"):
                raise ValueError(
                    f"Complex data not supported: {self.called(i)} is {dtype}; give real and imaginary parts "
                    "as separate columns"
                )
            raise TypeError(f"{self.called(i)} holds {dtype}; give its parts as columns")
        return any(text.startswith(kind) for kind in CATEGORIES)

    def _advice_for_dates(self, i: int, values: Any) -> str:
        """Return a line of code that converts a column to numbers, the same ones in every table."""
        name = "..." if self.names is None else repr(self.names[i])
        if self.kind == "polars":
            return f"X = X.with_columns(pl.col({name}).to_physical())"
        if self.kind == "pyarrow":
            kind = "int32" if "32" in str(values.type) else "int64"
            return f"X = X.set_column({i}, {name}, X.column({name}).cast('{kind}'))"
        text = str(values.dtype).lower()
        if text == "object" or text.endswith("[pyarrow]"):
            first = next((each for each in values if not is_missing(each)), None)
            return self._advice_for_objects(i, first, "" if text == "object" else ".astype(object)")
        if self.kind == "numpy":
            return f"X = X.astype('{text.partition('[')[0]}[s]').astype(float)"
        column = f"X[{name}]" if self.names is not None else f"X[{self.X.columns.tolist()[i]!r}]"
        if text.startswith("timedelta"):
            return f"{column} = {column}.dt.total_seconds()"
        if text.startswith("period"):
            return f"{column} = {column}.astype('int64')"
        month = "" if self.names is None else f"X['{self.names[i]} month'] = "
        zone = ", tz='UTC'" if "," in text else ""
        return (
            f"{column} = ({column} - pandas.Timestamp(0{zone})).dt.total_seconds() / 86400, and for seasons, "
            f"before it, {month}{column}.dt.month"
        )

    def _advice_for_objects(self, i: int, first: Any, as_objects: str) -> str:
        column = f"X[:, {i}]" if self.kind == "numpy" else f"X[{self.X.columns.tolist()[i]!r}]"
        source = column + as_objects
        if isinstance(first, clock_time):
            missing = "pandas.isna(each)" if self.kind == "pandas" else "each is None"
            hours = f"None if {missing} else each.hour + each.minute / 60"
            return f"{column} = [{hours} for each in {source}]"
        if self.kind == "pandas" and isinstance(first, timedelta | np.timedelta64):
            return f"{column} = pandas.to_timedelta({source}).dt.total_seconds()"
        if self.kind == "pandas":
            zone = ", tz='UTC'" if getattr(first, "tzinfo", None) is not None else ""
            days = f"pandas.to_datetime({source}) - pandas.Timestamp(0{zone})"
            return f"{column} = ({days}).dt.total_seconds() / 86400"
        kind = "timedelta64" if isinstance(first, timedelta | np.timedelta64) else "datetime64"
        return f"{column} = {column}.astype('{kind}[s]').astype(float)"

    def numbers(self, i: int) -> Array:
        """Return the column as float64, with NaN for missing and infinite values."""
        values = self.raw(i)
        try:
            if holds_dates_by_type(values):  # which would silently become nanoseconds or days
                raise TypeError("dates are not numbers")
            text = str(getattr(values, "dtype", getattr(values, "type", ""))).lower()
            if text.startswith("complex"):
                raise TypeError("complex numbers cannot be ordered")
            if text.startswith(ONE_BY_ONE):
                numbers = from_objects(self._listed(values))
            elif self.kind == "pandas":
                if hasattr(values.dtype, "numpy_dtype") or values.dtype != object:
                    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
                else:
                    numbers = from_objects(values.to_numpy())
            elif self.kind == "polars":
                numbers = values.cast(float_type(values)).to_numpy()
            elif self.kind == "pyarrow":
                numbers = values.cast("float64", safe=False).to_numpy()  # beyond 2**53 too
            elif values.dtype == object:
                numbers = from_objects(values)
            else:
                numbers = values.astype(np.float64)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise_not_numbers(self.called(i), values, error)
        except Exception as error:  # polars and pyarrow have their own exceptions
            raise_not_numbers(self.called(i), values, error)
        numbers = np.array(numbers, dtype=np.float64)
        numbers[np.isinf(numbers)] = np.nan
        return numbers

    def numbers_together(self, chosen: Array) -> Array | None:
        """Return `numbers` of several columns, (n, columns), where NumPy's types allow it, else None.

        Column by column a row of a frame takes longer than its prediction.
        """
        if self.kind not in ("numpy", "pandas") or not len(chosen):
            return None
        if self.kind == "numpy":
            if self.X.dtype.kind not in "fiu":
                return None
            numbers: Array = self.X[:, chosen].astype(np.float64)
        else:
            every = self.X.dtypes.tolist()
            types = [every[i] for i in chosen]
            if not all(isinstance(each, np.dtype) and each.kind in "fiu" for each in types):
                return None
            columns = self.X if len(chosen) == self.n_columns else self.X.iloc[:, chosen]
            numbers = np.array(columns.to_numpy(dtype=np.float64), order="C")  # never a view
        numbers[np.isinf(numbers)] = np.nan
        return numbers

    def categories(self, i: int) -> tuple[Array, list[Hashable]]:
        """Return codes (n,), -1 where missing, and the levels in the order of their first row."""
        values = self.raw(i)
        if self.kind == "pandas" and hasattr(values, "cat"):
            codes = values.cat.codes.to_numpy().astype(np.int64)
            present = np.unique(codes[codes >= 0])  # many levels may not occur
            levels = values.cat.categories[present].tolist()
            return np.where(codes < 0, -1, np.searchsorted(present, codes)), levels
        return factorize(self._listed(values), self.called(i))

    def _listed(self, values: Any) -> list[Any]:
        """Return the values of a column as a list, with None for values that pandas considers missing."""
        if self.kind == "pandas":
            missing = values.isna().to_numpy()
            listed: list[Any] = values.tolist()
            for at in np.flatnonzero(missing):
                listed[at] = None
            return listed
        if self.kind == "polars":
            listed = values.to_list()
        else:
            listed = values.to_pylist() if self.kind == "pyarrow" else values.tolist()
        return listed


DATES = ("date", "time", "duration", "period", "month_interval", "month_day_nano_interval")
TEXT = ("str", "<u", "<s", "|s", "large_string", "utf8", "large_utf8", "binary")
# Numbers in these are read one by one: a cast would convert some text to numbers; pyarrow 15 casts no
# float16, and aborts the process where pandas 2.0 fills a column of nothing but nulls.
ONE_BY_ONE = (*TEXT, "halffloat", "null")
CATEGORIES = (*TEXT, "cat", "bool", "object", "enum", "dictionary")


def kind_of(X: Any) -> str:
    """Return the library to which a table belongs."""
    module = type(X).__module__.partition(".")[0]
    if module == "pandas" and hasattr(X, "iloc") and X.ndim == 2:
        return "pandas"
    if module == "polars" and hasattr(X, "to_series"):
        return "polars"
    if module == "polars" and hasattr(X, "collect"):
        raise TypeError("X is a lazy frame: give X.collect()")
    if module == "pyarrow" and hasattr(X, "column_names"):
        return "pyarrow"
    return "numpy"


def float_type(values: Any) -> Any:
    """Return polars' Float64 without importing polars."""
    import polars

    return polars.Float64


def as_matrix(X: Any) -> Array:
    """Return an array of two dimensions; lists of mixed rows become objects, not text."""
    if isinstance(X, np.ma.MaskedArray) and X.dtype.kind in "iuf":  # what is masked is missing
        X = np.ma.filled(X.astype(np.float64), np.nan)
    check_readable(X, "X")
    try:
        array: Array = np.asarray(X)
    except ValueError as error:
        raise ValueError(
            "X has rows of different lengths: give each row one value for each column"
        ) from error
    if isinstance(X, Mapping):
        is_row = all(isinstance(value, str) or np.ndim(value) == 0 for value in X.values())
        raise TypeError(f"X is a dict: give pandas.DataFrame({'[X]' if is_row else 'X'})")
    if array.ndim == 1 and len(array) and isinstance(array[0], Mapping):
        raise TypeError("X is made of dicts: give pandas.DataFrame(X)")
    if array.dtype.kind in "US" and not hasattr(X, "dtype"):
        array = np.asarray(X, dtype=object)
    if array.ndim != 2:
        shape = "scalar" if array.ndim == 0 else f"{array.ndim}D"
        if array.ndim > 2:
            raise ValueError(
                f"X must have two dimensions. Expected 2D array, got {shape} array instead (shape "
                f"{array.shape}). Give one row for each sample: X.reshape(len(X), -1)"
            )
        if hasattr(X, "to_frame"):
            raise ValueError(
                "X must have two dimensions; got a Series. Give a table: X.to_frame() for one column; for "
                "one row, select it as a table, as table.iloc[[0]] does with pandas"
            )
        if isinstance(X, list | tuple):
            raise ValueError(
                "X must have two dimensions; got a flat list. Give a list of rows: [X] for one row, or "
                "[[value] for value in X] for one column"
            )
        raise ValueError(
            f"X must have two dimensions. Expected 2D array, got {shape} array instead (shape "
            f"{array.shape}). Reshape your data either using array.reshape(-1, 1) if your data has a single "
            "feature or array.reshape(1, -1) if it contains a single sample."
        )
    if array.dtype.kind == "c":
        raise ValueError(
            f"Complex data not supported: X is {array.dtype}; give real and imaginary parts as separate "
            "columns"
        )
    if array.dtype.kind not in "biufOUSMmT":
        raise TypeError(f"X has the dtype {array.dtype}; give numbers, text or a DataFrame")
    return array


def is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN, NaT or pandas.NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, Real) and bool(value != value)


def holds_dates_by_type(values: Any) -> bool:
    """Return whether the type of a column is that of dates, times or differences of these."""
    text = str(getattr(values, "dtype", getattr(values, "type", ""))).lower()
    return any(text.startswith(kind) for kind in DATES)


def holds_dates(values: Any) -> bool:
    """Return whether the first object that is not missing is a date, a time or a difference of these."""
    first = next((value for value in values if not is_missing(value)), None)
    return isinstance(first, date | clock_time | timedelta | np.datetime64 | np.timedelta64)


def holds_complex(values: Any) -> bool:
    """Return whether the first object that is not missing is a complex number."""
    first = next((value for value in values if not is_missing(value)), None)
    return isinstance(first, complex | np.complexfloating)


def holds_numbers(values: Any) -> bool:
    """Return whether all objects that are not missing are numbers other than bool, and there is one."""
    found = False
    for value in values:
        if is_missing(value):
            continue
        if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
            if type(value).__name__ != "Decimal":
                return False
        found = True
    return found


def from_objects(values: Any) -> Array:
    """Return float64 of objects; numbers beyond the largest float count as infinite."""
    numbers = np.empty(len(values))
    for i, value in enumerate(values):
        if is_missing(value):
            numbers[i] = np.nan
            continue
        if isinstance(value, str | bytes):
            raise ValueError(f"could not convert string to float: {value!r}")
        try:
            numbers[i] = float(value)
        except OverflowError:
            numbers[i] = np.inf
    return numbers


def factorize(values: list[Any], called: str) -> tuple[Array, list[Hashable]]:
    """Return codes and levels of any hashable values."""
    table: dict[Hashable, int] = {}
    codes = np.empty(len(values), np.int64)
    try:
        for i, value in enumerate(values):
            codes[i] = -1 if is_missing(value) else table.setdefault(value, len(table))
    except TypeError as error:
        raise TypeError(
            f"{called} holds values of type {type(value).__name__}, which are neither numbers nor "
            "categories. Convert them to text or numbers first"
        ) from error
    return codes, list(table)


def raise_not_numbers(called: str, values: Any, error: Exception) -> None:
    """Raise ValueError for a column of numbers that contains something else."""
    dtype = getattr(values, "dtype", getattr(values, "type", type(values)))
    if holds_dates_by_type(values):
        raise ValueError(
            f"{called} must hold numbers, as it did in fit; it now holds dates or times ({dtype}). Convert "
            "them to numbers as before fit"
        ) from error
    listed = values.to_pylist() if hasattr(values, "to_pylist") else list(values)
    others = (v for v in listed if not (is_missing(v) or isinstance(v, Real)))
    shown = "".join(f", such as {each!r}" for each in list(others)[:1])
    raise ValueError(
        f"{called} must hold numbers, as it did in fit; its type is now {dtype}{shown}. Convert it to "
        "numbers, as with pandas.to_numeric(column, errors='coerce')"
    ) from error


def named(names: Sequence[Any], most: int = 5) -> str:
    """Return a limited number of names for a message."""
    listed = ", ".join(repr(name) for name in names[:most])
    return listed + (f" and {len(names) - most} more" if len(names) > most else "")
