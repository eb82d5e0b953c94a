# SPDX-License-Identifier: BSD-3-Clause
"""Targets: labels to class numbers, numbers to a common scale, and back."""

from __future__ import annotations

import copy
import re
from contextlib import contextmanager
from numbers import Real

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from sknumpynet.checks.input_checks import check_readable
from sknumpynet.core.wording import counted
from sknumpynet.estimators.labels import check_weights, plain_labels
from sknumpynet.fitting.rollback import warn
from sknumpynet.tabular.columns import holds_dates, is_missing, named


class Classes:
    """Labels: ``classes`` in order, and the number of the class of each row."""

    def __init__(self, y, n_rows, class_weight, classes=None):
        y = checked_rows(y, n_rows)
        if y.dtype.kind == "c":
            raise ValueError(
                "Complex data not supported: y must hold labels, text or whole numbers"
            )
        if y.ndim == 2 and y.shape[1] > 1:
            raise ValueError(
                f"y should be a 1d array of labels; got {y.shape[1]} columns. For several, use "
                "sklearn.multioutput.MultiOutputClassifier(TabularMLPClassifier())"
            )
        y = column_or_1d(y, warn=True)
        check_nothing_is_missing(y)
        check_kind_of_labels(y)
        if y.dtype == object and all(isinstance(label, Real | np.bool_) for label in y):
            y = plain_labels(y)  # as Int64 and boolean columns are objects before pandas 2.2
        try:
            check_classification_targets(y)
        except ValueError as error:
            if "Unknown label type" not in str(error):
                raise
            raise ValueError(f"{error} For numbers use TabularMLPRegressor") from error
        if classes is None:
            self.classes, self.numbers = np.unique(y, return_inverse=True)
        else:
            self.classes = classes
            unknown = np.setdiff1d(y, classes)
            if len(unknown):
                raise ValueError(f"y_val has classes that are not in y: {unknown[:5].tolist()}")
            self.numbers = np.searchsorted(classes, y)
        self.n_rows, self.class_weight = n_rows, class_weight
        self.weight_of_class = np.ones(len(self.classes))
        if class_weight is not None and classes is None:
            if isinstance(class_weight, dict):
                check_class_weight(class_weight, self.classes)
            self.weight_of_class = compute_class_weight(class_weight, classes=self.classes, y=y)

    def like(self, y, n_rows):
        """Return validation targets of the same classes."""
        with about_validation():
            other = Classes(y, n_rows, None, self.classes)
        other.weight_of_class = self.weight_of_class
        return other

    def warn_of_rare(self, used):
        """Warn of classes with one row: members from which it is held out never see the class."""
        counts = np.bincount(self.numbers[used], minlength=len(self.classes))
        rare = self.classes[counts == 1].tolist()
        if len(rare) == 1 and len(self.classes) > 1:
            warn(
                f"class {rare[0]!r} has only one row, which cannot be predicted out of fold: remove the "
                "row, or merge the class with another"
            )
        elif rare and len(self.classes) > 1:
            warn(
                f"{len(rare)} classes have only one row, which cannot be predicted out of fold: "
                f"{named(rare)}. Remove these rows, or merge classes"
            )

    def fit_scale(self, weight):
        """Do nothing: labels have no scale."""

    def strata(self):
        """Return the classes, which folds contain in equal shares."""
        return self.numbers

    def for_loss(self, rows, dtype):
        """Return targets in the form that the loss expects."""
        return self.numbers[rows]

    def for_means(self, rows):
        """Return the columns whose means encode the levels of a category."""
        n_classes = len(self.classes)
        first = 1 if n_classes == 2 else 0
        if n_classes > 20:
            return self.numbers[rows][:, np.newaxis] / n_classes
        return (self.numbers[rows][:, np.newaxis] == np.arange(first, n_classes)).astype(np.float64)

    def weighted(self, weight):
        """Return the weights of rows multiplied by those of their classes."""
        return weight * self.weight_of_class[self.numbers]

    def fitted(self, y, weight, predictions):
        """Return the fitted attributes that depend on the targets."""
        return {"classes_": self.classes, "n_classes_": len(self.classes)}


class Numbers:
    """Numbers: (n, targets) in float64, on a scale of mean 0 and deviation 1, or of mean 1 for log links.

    ``low`` and ``high`` are the ends of y, between which predictions are kept; infinite without ``clip``.
    """

    def __init__(self, y, n_rows, log_link, check=None, clip=True):
        y = checked_rows(y, n_rows)
        self.one_column = y.ndim == 1
        if y.ndim > 2:
            raise ValueError(f"y must have one or two dimensions; got shape {y.shape}")
        if y.dtype.kind in "mM" or (y.dtype == object and holds_dates(y.flat)):
            raise TypeError(
                f"y holds dates ({y.dtype}): convert them to numbers, as days since the first"
            )
        if y.dtype.kind == "c":
            raise ValueError("Complex data not supported: y must hold real numbers")
        check_nothing_is_missing(y)
        try:
            y = y.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"y must hold numbers: {error}. For labels use TabularMLPClassifier"
            ) from error
        check_nothing_is_missing(y)  # text may say "nan"
        check_finite_targets(y)
        self.y = y[:, np.newaxis] if y.ndim == 1 else y
        if self.y.shape[1] == 0:
            raise ValueError("y has no columns")
        if check is not None:
            check(self.y)
        self.n_rows, self.log_link, self.check = n_rows, log_link, check
        self.clip = clip

    def warn_of_rare(self, used):
        """Do nothing: numbers have no classes."""

    def fit_scale(self, weight):
        """Compute the scale from the weighted rows: those of weight 0 may contain anything."""
        used = weight > 0
        y, weight = self.y[used], weight[used]
        self.low, self.high = y.min(axis=0), y.max(axis=0)
        with np.errstate(over="ignore", invalid="ignore"):
            if np.ptp(weight) == 0:
                self.center, self.scale = y.mean(axis=0), y.std(axis=0)
            else:
                self.center = np.average(y, axis=0, weights=weight)
                self.scale = np.sqrt(np.average((y - self.center) ** 2, axis=0, weights=weight))
        if self.log_link:
            self.center, self.scale = np.zeros_like(self.center), self.center
        if not (np.isfinite(self.center).all() and np.isfinite(self.scale).all()):
            raise ValueError(
                "y is too large: its variance is infinite in float64; divide it, as by 1e200"
            )
        tiny = (self.high > self.low) & ~(self.scale > 0)
        if tiny.any():
            raise ValueError(
                "y is too small: it varies, yet its variance is 0 in float64; multiply it, as by 1e200"
            )
        self.scale = np.where(self.scale > 0, self.scale, 1.0)
        if not self.clip:
            self.low, self.high = np.full_like(self.low, -np.inf), np.full_like(self.high, np.inf)

    def to_numbers(self, predictions):
        """Return predictions (..., outputs) of the networks on the scale of y, within its range."""
        numbers = predictions * self.scale + self.center
        return np.clip(numbers, self.low, self.high, out=numbers)

    def like(self, y, n_rows):
        """Return validation targets on the same scale."""
        with about_validation():
            other = Numbers(y, n_rows, self.log_link, self.check)
        if other.y.shape[1] != self.y.shape[1]:
            raise ValueError(
                f"y_val has {counted(other.y.shape[1], 'column')}, and y has {self.y.shape[1]}: give as many"
            )
        other.center, other.scale = self.center, self.scale
        return other

    def strata(self):
        """Return None: rows are assigned to folds at random."""
        return None

    def for_loss(self, rows, dtype):
        """Return targets on the networks' scale, (n, targets)."""
        return ((self.y[rows] - self.center) / self.scale).astype(dtype)

    def for_means(self, rows):
        """Return the columns whose means encode the levels of a category."""
        return (self.y[rows] - self.center) / self.scale

    def weighted(self, weight):
        """Return the weights as they are."""
        return weight

    def fitted(self, y, weight, predictions):
        """Return the fitted attributes that depend on the targets.

        With the log link, the scale is such that predictions for unseen rows, (n, targets), with their y
        and weights, have the mean of y: few steps, and dropout, whose noise exp amplifies, bias them.
        """
        scale = copy.copy(self)
        del scale.y, scale.check, scale.clip
        if self.log_link:
            kept = np.clip(predictions, y.min(axis=0), y.max(axis=0))  # some may be extreme
            wanted, found = weight @ y.astype(np.float64), weight @ kept
            scale.scale = self.scale * np.divide(
                wanted, found, np.ones_like(found), where=found > 0
            )
        return {"target_scale_": scale, "n_targets_": len(self.center)}


@contextmanager
def about_validation():
    """Name y_val in a message about y."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if str(error).startswith("y_val"):
            raise
        message = re.sub(r"(?<![\w'])([Xy])(?![\w'])", r"\1_val", str(error))
        raise type(error)(message) from error


def check_kind_of_labels(y):
    """Raise if labels are of several kinds, such as text and numbers."""
    if y.dtype != object:
        return
    kinds = sorted({type(label).__name__ for label in y.tolist()})
    if len(kinds) > 1 and "str" in kinds:
        raise TypeError(
            f"y mixes labels of the types {', '.join(kinds)}: convert them to one type, as with "
            "[str(label) for label in y]"
        )


def check_class_weight(class_weight, classes):
    """Raise if a dict of class weights is invalid."""
    check_weights("class_weight", class_weight, classes, np.dtype(np.float64), all_named=False)
    if not any(class_weight.get(label, 1) for label in classes.tolist()):
        raise ValueError(
            f"class_weight={class_weight!r} leaves no class a weight: give one that occurs more than 0"
        )


def check_nothing_is_missing(y):
    """Raise if a label or a number is missing, and say in which row."""
    missing = np.zeros(y.shape, bool)
    if y.dtype == object:
        missing = np.reshape([is_missing(value) for value in y.ravel()], y.shape)
    elif y.dtype.kind == "f":
        missing = np.isnan(y)
    if missing.any():
        rows = "~pandas.isna(y)" + ".any(axis=1)" * (y.ndim == 2)
        raise ValueError(
            f"Input y contains NaN: {places_of(missing)}. Leave these rows out: keep = {rows}, X[keep] and "
            "y[keep]"
        )


def check_finite_targets(y):
    """Raise if a number is infinite, and say in which row."""
    infinite = np.isinf(y)
    if infinite.any():
        rows = "numpy.isfinite(y)" + ".all(axis=1)" * (y.ndim == 2)
        raise ValueError(
            f"Input y contains infinity: {places_of(infinite)}. Leave these rows out: keep = {rows}, X[keep] "
            "and y[keep]"
        )


def places_of(at_fault):
    """Return how many entries of y are invalid and which is the first, for a message."""
    first = np.argwhere(at_fault)[0].tolist()
    column = f", column {first[1]}" if at_fault.ndim == 2 else ""
    return f"{at_fault.sum()} of {counted(at_fault.size, 'value')}, the first in row {first[0]}{column}"


def checked_rows(y, n_rows):
    """Return y as an array with one row for each of X."""
    if hasattr(y, "toarray"):
        raise TypeError("y is sparse: give y.toarray()")
    check_readable(y, "y")
    try:
        y = np.asarray(y)
    except ValueError as error:
        raise ValueError(
            "y has rows of different lengths: give one entry for each row of X, or as many for each"
        ) from error
    if y.ndim == 0:
        raise ValueError(f"y should be an array of one entry per row of X; got {y!r}")
    if len(y) != n_rows:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {n_rows}, y has {len(y)}. "
            "Give y one entry for each row of X"
        )
    return y
