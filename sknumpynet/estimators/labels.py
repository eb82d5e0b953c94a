# SPDX-License-Identifier: BSD-3-Clause
"""The four kinds of labels: how they become targets, and how raw outputs become labels again.

Binary and multiclass y have one label per row, an indicator matrix has a 0 or 1 for each label, and a
multioutput y has several columns, each with its own classes.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from numbers import Real

import numpy as np
from scipy.sparse import csr_matrix, issparse
from scipy.special import expit
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import type_of_target, unique_labels

from sknumpynet.checks.input_checks import densified
from sknumpynet.core.arrays import SCALARS
from sknumpynet.core.losses.base import has_inverse_link
from sknumpynet.core.losses.by_name import get_classification_loss
from sknumpynet.core.losses.log_loss import LogLoss
from sknumpynet.core.losses.multioutput import MultioutputLogLoss
from sknumpynet.core.wording import counted

# scikit-learn's type of a y with several columns of labels.
MULTIOUTPUT = "multiclass-multioutput"
# The smallest normal number and the largest number below 1, for each dtype.
LIMITS = {
    np.dtype(dtype): (np.array(np.finfo(dtype).tiny), np.array(1 - np.finfo(dtype).epsneg))
    for dtype in (np.float32, np.float64)
}


def plain_column(column):
    """Return labels in an object array as an array of text or numbers; raise TypeError for others."""
    labels = column.tolist()
    if all(isinstance(each, str) for each in labels):
        return np.array(labels, dtype=str)
    if any(np.ndim(each) for each in labels):  # in older versions of NumPy
        raise ValueError("y must have rows of the same length, and numbers or text in them")
    if not all(isinstance(each, Real | np.bool_) for each in labels):
        kinds = sorted({type(each).__name__ for each in labels})
        raise TypeError(f"Labels of different types are in one column: {', '.join(kinds)}")
    numbers = np.array(labels)
    try:
        return numbers if numbers.dtype.kind in "biuf" else numbers.astype(np.float64)
    except OverflowError as error:
        raise ValueError("A label is too large for a float") from error


def columns_of(y):
    """Return the columns of labels, each in its own dtype."""
    y = densified(y)
    return [plain_column(column) if y.dtype == object else column for column in y.T]


def plain_labels(y):
    """Return labels in an object array as text or numbers; columns of both stay objects."""
    if issparse(y) or y.dtype != object:
        return y
    if y.ndim == 1:
        return y if all(isinstance(each, str) for each in y) else plain_column(y)
    columns = columns_of(y)
    kinds = {column.dtype.kind for column in columns}
    return np.column_stack(columns) if len(kinds) == 1 or kinds <= set("iuf") else y


def without_extension_types(y):
    """Return a DataFrame with text columns as an array of objects, and anything else unchanged."""
    if hasattr(y, "iloc") and np.ndim(y) == 2 and any(each.kind == "O" for each in y.dtypes):
        return np.asarray(y, dtype=object)
    return y


def labels_at_a_glance(y):
    """Return an unchecked y as an array of labels, or None if it cannot be converted."""
    try:
        labels = y if issparse(y) else plain_labels(np.asarray(y))
        return None if labels.dtype.kind == "T" else labels
    except (TypeError, ValueError):  # the checks of the data raise the error
        return None


def without_objects(y):
    """Return objects that are all text or all numbers as an array of these, and anything else unchanged."""
    y = without_extension_types(y)
    labels = labels_at_a_glance(y) if str(getattr(y, "dtype", "")) == "object" else None
    return y if labels is None else labels


def has_columns_of_labels(y):
    """Return whether y has several columns with more than 0 and 1."""
    if y is None or y.ndim != 2 or y.shape[1] < 2:
        return False
    if y.dtype == object:  # text and numbers
        return True
    kind = type_of_target(y)
    return kind == MULTIOUTPUT or (kind == "multilabel-indicator" and not is_yes_or_no(y))


def is_yes_or_no(y):
    """Return whether all labels are 0 or 1."""
    labels = y.data if issparse(y) else y
    return bool(((labels == 0) | (labels == 1)).all())


def unknown_labels(column, classes):
    """Return the sorted labels in a column that are not among the classes; text never equals a number."""
    column = np.unique(column)
    if (column.dtype.kind in "OU") != (classes.dtype.kind in "OU"):
        return column
    return np.setdiff1d(column, classes, assume_unique=True)


def is_nested(classes):
    """Return whether classes are given for each column."""
    return np.iterable(classes) and any(np.ndim(each) for each in classes)


def keep_within_limits(p):
    """Clip probabilities in place, so that none is 0 or 1."""
    lowest, highest = LIMITS[p.dtype]
    p.clip(lowest, highest, p)


class Target(ABC):
    """The kind of targets, learned from the first y: converts between the user's values and raw outputs.

    Attributes
    ----------
    natural_link : str or None
        The link with which labels can be chosen by the raw output.
    """

    natural_link: str | None = None
    classes = None

    @abstractmethod
    def make_loss(self, parameters):
        """Return the core's loss for the estimator's parameters, or raise ValueError."""

    @abstractmethod
    def n_outputs_for(self, loss):
        """Return the number of raw outputs of the network."""

    @abstractmethod
    def encode(self, y):
        """Return y in the form that the loss needs."""

    def attributes(self):
        """Return what the user sees of it, by name."""
        return {}

    def check_class_weight(self, class_weight, dtype, incremental, going_on):  # noqa: B027  (numbers have none)
        """Raise ValueError if the class weights are invalid, or do not match the classes."""

    def check_validation_classes(self, y):  # noqa: B027  (there need not be any)
        """Raise ValueError where the y to validate with has classes that are not known."""

    @abstractmethod
    def score(self, targets, raw, sample_weight, model):
        """Return the default score for early stopping."""


class Labels(Target):
    """Base class of the kinds of labels.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,), or list of such arrays
        The public ``classes_``.
    n_outputs : int
        Number of raw outputs.
    """

    n_outputs: int
    natural_link = "logistic"

    def make_loss(self, parameters):
        loss = get_classification_loss(parameters["loss"])
        smoothing = parameters["label_smoothing"]
        if smoothing:
            if not isinstance(loss, LogLoss):
                raise ValueError(
                    f"label_smoothing needs loss='log_loss'; got loss={parameters['loss']!r}: set "
                    "label_smoothing=0"
                )
            loss = LogLoss(smoothing)
        loss = self._loss_for(loss, parameters["loss"])
        if not has_inverse_link(loss):
            raise ValueError(
                f"loss={loss!r} does not define how outputs become probabilities: set `link` and override "
                "`inverse_link` in its class, as with link = 'logistic' and scipy.special.expit(raw, out=out)"
            )
        if loss.link == "softmax" and self.n_outputs == 1:
            raise ValueError(
                f"loss={loss!r} has link='softmax', whose single output for two classes is always 1: "
                "override `for_classes`, or set link='logistic'"
            )
        return loss

    def _loss_for(self, loss, choice):
        return loss.for_classes(softmax=self.natural_link == "softmax")

    def n_outputs_for(self, loss):
        return self.n_outputs

    def attributes(self):
        return {"classes_": self.classes}

    def with_classes(self, classes):
        """Return the same kind of labels with different classes."""
        other = copy.copy(self)
        other.classes = classes
        return other

    def check_class_weight(self, class_weight, dtype, incremental, going_on):
        if class_weight is None:
            return
        if isinstance(class_weight, str):
            if incremental:
                raise ValueError(
                    "class_weight='balanced' needs all of y at once, which partial_fit never sees: pass a "
                    "dict, as from sklearn.utils.class_weight.compute_class_weight('balanced', ...)"
                )
            return
        for name, weights, classes in self._by_column(class_weight):
            if not isinstance(weights, dict):
                raise ValueError(
                    f"{name} must be a dict of labels and their weights; got {weights!r}"
                )
            check_weights(name, weights, classes, dtype, all_named=incremental and not going_on)

    def completed(self, class_weight):
        """Return the weights with 1 for missing classes, and without unknown classes."""
        if isinstance(class_weight, str):
            return class_weight
        parts = [
            {c: weights.get(c, 1.0) for c in classes}
            for _, weights, classes in self._by_column(class_weight)
        ]
        return parts if isinstance(class_weight, list) else parts[0]

    def _by_column(self, class_weight):
        """Return name, weights and classes of each column of y."""
        columns = self.classes_by_column
        if not isinstance(class_weight, list) or len(class_weight) != len(columns):
            raise ValueError(
                f"class_weight={class_weight!r}: for several labels per row, class_weight should be a list "
                f"of dicts, {len(columns)} here, one for each column of y, or 'balanced'"
            )
        parts = zip(class_weight, columns, strict=True)
        return [(f"class_weight[{i}]", *part) for i, part in enumerate(parts)]

    @property
    def classes_by_column(self):
        """The classes of each column of y."""
        return self.classes

    @abstractmethod
    def check_kind(self, y):
        """Raise ValueError unless y is of this kind."""

    def check_classes(self, y, all_of_them, incremental=True):
        """Raise ValueError if y has unknown classes or, if required, lacks some.

        ``incremental`` is whether this is `partial_fit`.
        """
        classes = unique_labels(y)
        if all_of_them:
            if set(classes) != set(self.classes):
                if incremental:
                    raise ValueError(
                        "partial_fit with warm_start=True needs, as in scikit-learn, a `y` with all classes: "
                        "those in `classes`, or the same classes as in the previous call. "
                        f"They are {self.classes}, `y` has {classes}. Set warm_start=False: partial_fit "
                        "then also continues, and a call may lack some classes"
                    )
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the previous call "
                    f"to fit. Previously got {self.classes}, `y` has {classes}. Or start over: "
                    "warm_start=False and fit"
                )
        elif len(unknown_labels(classes, self.classes)):
            raise ValueError(
                "`y` has classes not in `self.classes_`. "
                f"`self.classes_` has {self.classes}. 'y' has {classes}. The first call of partial_fit "
                "needs all classes."
            )

    def check_validation_classes(self, y):
        """Raise ValueError where the y to validate with has classes that are not known."""
        unknown = unknown_labels(unique_labels(y), self.classes)
        if len(unknown):
            raise ValueError(f"y_val has classes that are not in y: {unknown}")

    def encode_known(self, y):
        """Return the targets if quick checks show that y is an array of known labels, else None."""
        return None

    def room(self, n):
        """Return an array for the result of `choose` for ``n`` rows."""
        return np.empty(n, int)

    @abstractmethod
    def choose(self, raw, out):
        """Write the labels predicted by raw outputs into ``out``: the class number, or 0 or 1 per label."""

    def decode(self, chosen):
        """Return the labels for the result of `choose`."""
        return self.classes[chosen]

    def by_column(self, raw):
        """Return raw outputs in the form of `decision_function`."""
        return raw.ravel() if raw.shape[1] == 1 else raw

    def probabilities(self, predict, model):
        """Return the probabilities; ``predict(link)`` computes the network's output and applies a link."""
        return predict(model.write_probabilities)

    def score(self, targets, raw, sample_weight, model):
        """Return the accuracy: the share of rows with all labels correct."""
        right = self.are_right(targets, raw, model)
        return float(np.average(right, weights=sample_weight))

    def are_right(self, targets, raw, model):
        """Return for each row whether all labels are correct."""
        chosen = self.room(len(raw))
        self.choose(model.evidence(raw), chosen)
        right = chosen.reshape(targets.shape) == targets
        return right.all(axis=1) if right.ndim == 2 else right


def check_weights(name, weights, classes, dtype, all_named):
    """Raise ValueError if a dict of class weights is invalid.

    ``all_named`` is whether these are all possible classes; otherwise the dict may have other classes of the
    same type, because some of the rows may lack them.
    """
    text = classes.dtype.kind in "OU"
    for key, weight in weights.items():
        if not isinstance(key, str if text else Real | np.bool_):
            raise ValueError(
                f"{name}={weights!r} has the key {key!r} of type {type(key).__name__}, and the labels are "
                f"{'text' if text else 'numbers'}: its keys are labels, such as {classes.tolist()[0]!r}"
            )
        if not (
            isinstance(weight, Real | np.bool_) and is_finite_in(dtype, weight) and weight >= 0
        ):
            raise ValueError(
                f"{name}={weights!r} has the weight {weight!r} for {key!r}: a weight is a finite number, at "
                f"least 0 and not too large for {dtype}"
            )
    known = set(classes.tolist())
    unknown = [key for key in weights if key not in known]
    if unknown and all_named:
        raise ValueError(f"{name} has classes that are not in classes_: {set(unknown)}")
    if unknown and len(unknown) == len(weights):
        raise ValueError(
            f"{name}={weights!r} names no label of y: the classes, {classes.tolist()}, are not in "
            "class_weight"
        )


def is_finite_in(dtype, number):
    """Return whether the number is finite in that dtype."""
    try:
        with np.errstate(over="ignore"):
            return bool(np.isfinite(dtype.type(float(number))))
    except OverflowError:  # an int such as 10**400
        return False


class _OneLabel(Labels):
    """One label per row."""

    def _by_column(self, class_weight):
        if isinstance(class_weight, list):
            raise ValueError(
                f"class_weight={class_weight!r} is a list, as for several labels per row: give a dict, or "
                "'balanced'"
            )
        return [("class_weight", class_weight, self.classes)]

    def check_kind(self, y):
        if y.ndim == 2:
            raise ValueError(
                "y must hold one label per row, as in the first call; got several columns. To train on "
                "another kind of y, create a new estimator"
            )

    def encode_known(self, y):
        classes = self.classes
        if type(y) is not np.ndarray or y.ndim != 1 or y.dtype.kind != classes.dtype.kind:
            return None
        if y.dtype.kind not in "iubfU" or not len(y):
            return None
        indices = np.minimum(classes.searchsorted(y), len(classes) - 1)
        return self.encode(y) if (classes[indices] == y).all() else None


class BinaryLabels(_OneLabel):
    """Two classes, one output: the log-odds of the second one. A single class is the first of two."""

    n_outputs = 1

    def __init__(self, classes):
        self.classes = classes

    def encode(self, y):
        kinds = {y.dtype.kind, self.classes.dtype.kind}
        if kinds & {*"US"} and kinds & {*"biuf"}:  # all unknown: raises an error later
            return np.zeros((len(y), 1), bool)
        return (y == self.classes[-1])[:, np.newaxis] & (len(self.classes) == 2)

    def choose(self, raw, out):
        np.greater(raw.ravel(), SCALARS[raw.dtype][0], out=out)
        if len(self.classes) == 1:
            out.fill(0)

    def probabilities(self, predict, model):
        if model.link == "logistic":
            raw = predict(None)
            p = np.hstack([-raw, raw])
            expit(p, out=p)
            keep_within_limits(p)
            return p
        second = predict(model.write_probabilities)
        return np.hstack([1 - second, second])


class MulticlassLabels(_OneLabel):
    """Several classes, with one output for each."""

    natural_link = "softmax"

    def __init__(self, classes):
        self.classes = classes
        self.n_outputs = len(classes)

    def encode(self, y):
        return np.searchsorted(self.classes, y)

    def choose(self, raw, out):
        raw.argmax(axis=1, out=out)


class IndicatorLabels(Labels):
    """Several binary labels per row: y is an indicator matrix, with one output per label."""

    def __init__(self, classes, sparse=False):
        self.classes = classes
        self.n_outputs = len(classes)
        self.sparse = sparse

    @property
    def classes_by_column(self):
        return [np.arange(2)] * self.n_outputs

    def check_kind(self, y):
        if y.ndim != 2:
            raise ValueError(
                "y must be an indicator matrix, as in the first call; got one label per row. To "
                "train on another kind of y, create a new estimator"
            )
        n = y.shape[1]
        if n != self.n_outputs:
            raise ValueError(
                f"y has {counted(n, 'column')}, but the network has {counted(self.n_outputs, 'output')}: "
                "give one column for each. Or start over: warm_start=False and fit"
            )
        if not is_yes_or_no(y):
            raise ValueError(
                "y must be an indicator matrix of zeros and ones, as in the first call; got other labels. To "
                "train on another kind of y, create a new estimator"
            )

    def encode(self, y):
        return densified(y).astype(bool)

    def room(self, n):
        return np.empty((n, self.n_outputs), int)

    def choose(self, raw, out):
        np.greater(raw, 0, out=out)

    def decode(self, chosen):
        return csr_matrix(chosen) if self.sparse else chosen


class MultioutputLabels(Labels):
    """Several columns of labels, each with its own classes; their outputs are concatenated."""

    natural_link = "softmax"

    def __init__(self, classes):
        self.classes = classes
        self.sizes = [len(each) for each in classes]
        self.n_outputs = sum(self.sizes)

    @property
    def blocks(self):
        """The outputs of each column."""
        ends = np.cumsum(self.sizes).tolist()
        return [slice(end - size, end) for size, end in zip(self.sizes, ends, strict=True)]

    def _loss_for(self, loss, choice):
        if not isinstance(loss, LogLoss):
            raise ValueError(f"several columns of labels need loss='log_loss'; got {choice!r}")
        return MultioutputLogLoss(self.sizes, loss.smoothing).for_classes(softmax=False)

    def check_kind(self, y):
        if y.ndim != 2 or y.shape[1] != len(self.classes):
            raise ValueError(f"y must have {len(self.classes)} columns, as in the first call")

    def check_classes(self, y, all_of_them, incremental=True, name="y"):
        for column, classes in zip(columns_of(y), self.classes, strict=True):
            unknown = unknown_labels(column, classes)
            if len(unknown):
                raise ValueError(
                    f"{name} has classes not in classes_: {unknown}, and not {classes}"
                )

    def check_validation_classes(self, y):
        self.check_classes(y, all_of_them=False, name="y_val")

    def encode(self, y):
        columns = zip(columns_of(y), self.classes, strict=True)
        return np.column_stack([np.searchsorted(each, column) for column, each in columns])

    def room(self, n):
        return np.empty((n, len(self.classes)), np.intp)

    def choose(self, raw, out):
        for index, block in enumerate(self.blocks):
            out[:, index] = raw[:, block].argmax(axis=1)

    def decode(self, chosen):
        choices = zip(self.classes, chosen.T, strict=True)
        columns = [classes[indices] for classes, indices in choices]
        kinds = {column.dtype.kind for column in columns}
        if len(kinds) > 1 and not kinds <= set("iuf"):  # text and numbers keep their types
            columns = [column.astype(object) for column in columns]
        return np.column_stack(columns)

    def by_column(self, raw):
        return [raw[:, block] for block in self.blocks]

    def probabilities(self, predict, model):
        return self.by_column(super().probabilities(predict, model))


def learn_labels(y):
    """Return the kind of labels of y, with its classes; raise if y does not contain labels."""
    if has_columns_of_labels(y):
        return MultioutputLabels([sorted_classes(column) for column in columns_of(y)])
    labels = LabelBinarizer().fit(y)
    if labels.y_type_ == "multilabel-indicator":
        return IndicatorLabels(labels.classes_, labels.sparse_input_)
    kind = MulticlassLabels if labels.y_type_ == "multiclass" else BinaryLabels
    return kind(labels.classes_)


def sorted_classes(labels):
    """Return the classes among labels in their dtype; raise if they are not labels."""
    if isinstance(labels, list | tuple):
        labels = np.asarray(labels, dtype=object)
    labels = plain_labels(np.asarray(labels))
    with np.errstate(invalid="ignore"):  # scikit-learn casts NaN to int, and then raises
        kind = type_of_target(labels)
    if not labels.size or kind not in ("binary", "multiclass"):
        raise ValueError(f"These are not valid labels: {labels}")
    return np.unique(labels)


def labels_named(classes, y):
    """Return the kind of labels with the given classes, for a first y that may lack some.

    ``y`` is the result of `labels_at_a_glance`.
    """
    try:
        several = y is not None and type_of_target(y).startswith("multilabel")
    except ValueError:  # missing values, for instance: the checks of the data raise the error
        several = False
    labels = learn_labels(y if several else np.asarray(classes))
    return labels.with_classes(unique_labels(classes))


def labels_of_columns_named(classes, y):
    """Return the kind of labels with the given classes of each column: all 0 and 1, or more."""
    classes = [sorted_classes(each) for each in classes]
    if all(np.array_equal(each, [0, 1]) for each in classes):
        return IndicatorLabels(np.arange(len(classes)), issparse(y))
    return MultioutputLabels(classes)


def labels_of_weights(classes, shape, logistic):
    """Return the kind of labels for last weights of this shape, or raise ValueError.

    ``logistic`` is whether each output is a separate binary label.
    """
    fan_in, n = shape
    if not np.iterable(classes):
        raise TypeError(f"classes must be a list of labels; got {classes!r}")
    if any(np.ndim(each) for each in classes):
        return _several_kinds(classes, n)
    classes = np.asarray(classes)
    n_classes = max(n, 2)
    if len(classes) != n_classes or np.any(classes[:-1] >= classes[1:]):
        transposed = " or W.T as the last of them" if fan_in == len(classes) else ""
        raise ValueError(
            f"classes must hold {n_classes} labels in sorted order, for the {counted(n, 'output')} of the "
            f"last coefs; got {classes}. Pass the labels{transposed}, or a list of lists for several "
            "labels per row"
        )
    if n == 1:
        return BinaryLabels(classes)
    return IndicatorLabels(classes) if logistic else MulticlassLabels(classes)


def _several_kinds(classes, n):
    if all(np.ndim(each) == 1 for each in classes):
        classes = [np.asarray(each) for each in classes]
        if len(classes) == n and all(np.array_equal(each, [0, 1]) for each in classes):
            return IndicatorLabels(np.arange(n))
        in_order = all(np.all(each[:-1] < each[1:]) for each in classes)
        if len(classes) > 1 and in_order and sum(map(len, classes)) == n:
            return MultioutputLabels(classes)
    raise ValueError(
        f"classes as a list of lists must be [0, 1] for each of the {counted(n, 'output')} of the last "
        f"coefs, or sorted labels of two columns or more, {n} in all; got {classes}"
    )
