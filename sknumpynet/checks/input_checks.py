# SPDX-License-Identifier: BSD-3-Clause
"""Checks of the data: those of scikit-learn, with messages that name the argument and say what is valid."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import contextmanager

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import assert_all_finite, validate_data

from sknumpynet import _compat
from sknumpynet.core.wording import counted

# Parts of messages of scikit-learn or NumPy, with a clearer message for each and a hint for X.
ADVICE = {
    "contains NaN": (
        "has missing values",
        ": put SimpleImputer() of sklearn.impute in front, in a Pipeline, or drop the rows",
    ),
    "value of NA is ambiguous": ("has missing values", ": fill them, or drop the rows"),
    "could not convert string": (
        "must hold numbers",
        ": encode text first, as with OneHotEncoder in a Pipeline",
    ),
    "a string or a real number": ("must hold numbers", ": turn other objects into numbers first"),
    "could not be promoted": ("must hold numbers", ": turn dates into numbers first"),
    "setting an array element": ("must have rows of the same length, and numbers in them", ""),
    "Complex data": (
        "must hold real numbers",
        ": give real and imaginary parts as separate columns",
    ),
    "Expected 2D array": ("must have two dimensions, with one row per sample", ""),
    "Found array with dim": (
        "must have two dimensions at most: reshape it, one row per sample",
        "",
    ),
    "Found array with 0": ("must not be empty", ": give at least one row and one column"),
    "at least 1 dimension": ("must be an array with one entry per row of X", ""),
    "too large to convert to float": ("must hold numbers that a float can hold", ""),
    "inconsistent numbers of samples": ("and X must have the same number of rows", ""),
}
# How the names of these types begin, in NumPy, pandas and polars.
DATES = ("datetime", "timedelta", "Datetime", "Duration", "Date", "Time")


def check_readable(array, name):
    """Raise if values are masked, X is a lazy query, or text is in NumPy's own type for it."""
    if getattr(getattr(array, "dtype", None), "kind", None) == "T":
        raise TypeError(
            f"{name} has dtype {array.dtype}, which scikit-learn does not support: pass "
            f"{name}.astype(object)"
        )
    if type(array).__name__ == "LazyFrame" and type(array).__module__.partition(".")[0] == "polars":
        raise TypeError(
            f"{name} is a polars LazyFrame, which holds no rows yet: pass the result of its .collect()"
        )
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        n = int(np.ma.count_masked(array))
        raise ValueError(
            f"{name} is a masked array with {counted(n, 'masked value')}, whose mask would be ignored: "
            "remove these rows, or fill the values, as with .filled(0)"
        )


def check_no_dates(X):
    """Raise where X holds dates or differences of dates, which would become the ticks of a clock."""
    given = getattr(X, "dtypes", None) if hasattr(X, "columns") else getattr(X, "dtype", None)
    dtypes = [given] if isinstance(given, np.dtype) else given
    if isinstance(dtypes, Iterable) and any(str(each).startswith(DATES) for each in set(dtypes)):
        raise TypeError(f"X must hold numbers: turn dates into numbers first{found_in(X)}.")


def check_data(estimator, X, y="no_validation", **options):
    """Return the checked X, and y if it is given."""
    check_readable(X, "X")
    check_no_dates(X)
    check_readable(y, "y")
    half = isinstance(X, np.ndarray) and X.dtype == np.float16 and X.ndim == 2
    if half:  # scikit-learn's check would create a mask as large as X; y is checked either way
        options["ensure_all_finite"] = False
    try:
        if half:
            check_half_precision(estimator, X)
        return validate_data(
            estimator, X, y, accept_sparse=["csr", "csc"], dtype=accepted_dtypes(X), **options
        )
    except AttributeError as error:  # scikit-learn's, where NumPy before 1.25 compares pandas.NA
        if "'bool' object has no attribute 'any'" not in str(error):
            raise
        raise TypeError("y has missing values: fill them, or drop the rows") from error
    except (TypeError, ValueError, OverflowError) as error:
        no_y = isinstance(y, str) and y == "no_validation"
        explain(error, lambda: "X" if no_y or not is_usable(X) else "y", X)
        raise


@contextmanager
def named_as_validation():
    """Replace X, y and sample_weight in error messages by the names of the validation data."""
    try:
        yield
    except (TypeError, ValueError, ZeroDivisionError) as error:
        message = re.sub(r"(?<![\w'])(X|y|sample_weight)(?![\w'])", r"\1_val", str(error))
        if "_val" not in message:
            name = "X_val" if message.startswith("The feature names") else "sample_weight_val"
            message = f"{name}: {message}"
        raise same_type(error)(message) from error


@contextmanager
def named_in_score(y):
    """Name y or sample_weight in error messages of a metric."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if "inconsistent" not in str(error):
            of_weights = "sample_weight" in str(error) or is_usable(np.reshape(y, (-1, 1)))
            explain(error, lambda: "sample_weight" if of_weights else "y")
        raise


def check_weights_of_score(sample_weight, y):
    """Raise unless the weights are finite: scikit-learn before 1.8 returns NaN as the accuracy."""
    if sample_weight is not None:
        with named_in_score(y):
            assert_all_finite(np.asarray(sample_weight), input_name="sample_weight")


def check_half_precision(estimator, X, n_rows=256):
    """Raise unless the float16 array is finite; rows are checked in blocks."""
    name = type(estimator).__name__
    for start in range(0, len(X), n_rows):
        rows = X[start : start + n_rows].astype(np.float32)
        assert_all_finite(rows, estimator_name=name, input_name="X")


def check_sample_weight(sample_weight, X, dtype):
    """Return the weights as an array of shape (n,), or raise ValueError."""
    check_readable(sample_weight, "sample_weight")
    try:
        with np.errstate(over="ignore"):  # values that become infinite in the cast raise an error
            weights = _compat.check_sample_weight(sample_weight, X, dtype=dtype)
    except (TypeError, ValueError) as error:
        explain(error, lambda: "sample_weight")
        raise
    if not weights.any():
        raise ValueError("sample_weight is zero for every row; at least one row must have a weight")
    with np.errstate(over="ignore"):
        total = weights.sum()
    if not np.isfinite(total):
        raise ValueError(
            f"sample_weight is too large: its sum is beyond {weights.dtype}. Divide it by a constant"
        )
    if total == 0:
        raise ZeroDivisionError(
            "sample_weight sums to zero: negative weights cancel the others. Give weights >= 0"
        )
    return weights


def check_range(array, dtype, name):
    """Raise ValueError if finite numbers become infinite in the dtype of the computation."""
    if array is None or array.dtype.kind != "f" or array.dtype.itemsize <= dtype.itemsize:
        return
    numbers = array.data if issparse(array) else array
    if not numbers.size:
        return
    largest = max(numbers.max(), -numbers.min())
    with np.errstate(over="ignore"):
        if np.isfinite(dtype.type(largest)):
            return
    raise ValueError(
        f"{name} has numbers as large as {largest:.3g}, too large for {dtype}, which the network computes in "
        f"(at most {np.finfo(dtype).max:.3g}). Scale {name}, or fit with dtype='float64'"
    )


def check_ranges(data, dtype):
    """Raise ValueError if a part of the data is too large for the dtype of the computation."""
    for name, array in (("X", data.X), ("y", data.targets), ("sample_weight", data.sample_weight)):
        check_range(array, dtype, name)


def check_numbers(y):
    """Raise unless the array y contains real and finite numbers."""
    if y.dtype.kind not in "biuf":
        raise TypeError(
            f"y must hold numbers, but its dtype is {y.dtype}: convert it, as with y.astype(float). "
            "For class labels use NumpyMLPClassifier"
        )
    assert_all_finite(y, input_name="y")  # None in a list has become NaN


def explained_labels(error, y):
    """Return an error of the same type with a message about labels that says what is valid."""
    if isinstance(error, TypeError):
        if any(label is None for label in np.ravel(np.asarray(y, dtype=object))):
            return TypeError("y has missing values: drop the rows whose label is None")
        return TypeError(
            "y must hold labels of one type, all numbers or all strings, or zeros and ones in one column "
            f"per label. {error}"
        )
    kind = "continuous-multioutput" if y.dtype == object and y.ndim == 2 else type_of_target(y)
    return ValueError(
        f"Unknown label type: {kind}. y must hold one class label per row, or zeros and ones "
        "in one column per label; for real numbers use NumpyMLPRegressor"
    )


def explain(error, find_name, X=None):
    """Raise an error of the same type with a clearer message, if there is one.

    If X must contain numbers, the message also names a column that does not.
    """
    for part, (advice, hint) in ADVICE.items():
        if part in str(error):
            name = find_name()
            if name == "X":
                advice += hint
                if advice.startswith("must hold numbers"):
                    advice += found_in(X)
            raise same_type(error)(f"{name} {advice}. {error}") from error


def found_in(X):
    """Return the column of X that contains something else than numbers, as the end of a sentence, or ''."""
    if hasattr(X, "columns") and np.ndim(X) == 2:
        names = list(X.columns)
        columns = [X.iloc[:, i] if hasattr(X, "iloc") else X[name] for i, name in enumerate(names)]
    else:
        try:
            columns = np.asarray(X, dtype=object)
        except ValueError:  # rows of different lengths
            return ""
        if columns.ndim != 2:
            return ""
        columns, names = columns.T, range(columns.shape[1])
    for name, column in zip(names, columns, strict=True):
        for value in np.asarray(column, dtype=object):
            try:
                float(value)
            except (TypeError, ValueError, OverflowError):
                return f" (column {name!r} holds {value!r})"
    return ""


def same_type(error):
    """Return the built-in type of the error."""
    return TypeError if isinstance(error, TypeError) else ValueError


def is_usable(X):
    """Return whether X by itself is valid."""
    try:
        check_array(X, accept_sparse=True, dtype=accepted_dtypes(X))
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def accepted_dtypes(X):
    """Return the dtypes to convert X to, or None if batches are converted instead."""
    dtype = getattr(X, "dtype", None)
    if isinstance(dtype, np.dtype) and (dtype.kind in "iub" or dtype == np.float16):
        return None
    return (np.float64, np.float32)


def densified(y):
    """Return y without sparsity."""
    return y.toarray() if issparse(y) else y
