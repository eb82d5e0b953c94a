# SPDX-License-Identifier: BSD-3-Clause
"""The classifier: labels into the network, probabilities out of it."""

from __future__ import annotations

from numbers import Real

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import check_is_fitted

from sknumpynet._compat import Interval, StrOptions, check_first_partial_fit, fit_context
from sknumpynet.checks.input_checks import (
    check_data,
    densified,
    explained_labels,
    named_as_validation,
    same_type,
)
from sknumpynet.core.losses import (
    CLASSIFICATION_LOSSES,
    LogLoss,
    Loss,
    SeveralClasses,
    get_classification_loss,
    has_inverse_link,
)
from sknumpynet.estimators.base import BaseNumpyMLP, is_stochastic
from sknumpynet.estimators.docstrings import CLASSIFIER_PARAMETERS, documented
from sknumpynet.estimators.prediction import LINKS, check_coefs, from_weights
from sknumpynet.fitting.continuing import check_n_outputs
from sknumpynet.fitting.rollback import all_or_nothing

# The type of y, in scikit-learn's words, with several columns of labels.
SEVERAL = "multiclass-multioutput"
# The output activations whose values scikit-learn, too, takes for probabilities as they are.
UNBOUNDED = (LINKS["identity"], LINKS["exp"])
# The smallest normal number and the largest one below 1, of each dtype.
LIMITS = {
    np.dtype(dtype): (np.array(np.finfo(dtype).tiny), np.array(1 - np.finfo(dtype).epsneg))
    for dtype in (np.float32, np.float64)
}


def _keep_within_limits(p):
    lowest, highest = LIMITS[p.dtype]
    p.clip(lowest, highest, p)


def kind_of_labels(classes, shape, logistic):
    """Return the classes and the type of y that go with last weights of that shape, or raise ValueError.

    ``logistic`` says that each of the outputs is a yes-or-no label of its own.
    """
    fan_in, n = shape
    if any(np.ndim(each) for each in classes):
        return _several_kinds(classes, n)
    classes = np.asarray(classes)
    n_classes = max(n, 2)
    if len(classes) != n_classes or np.any(classes[:-1] >= classes[1:]):
        transposed = " or W.T as the last of them" if fan_in == len(classes) else ""
        raise ValueError(
            f"classes must hold {n_classes} labels in sorted order, for the {n} outputs of the last "
            f"coefs; got {classes}. Pass the labels{transposed}, or a list of lists for several labels per "
            "row"
        )
    if n == 1:
        return classes, "binary"
    return classes, "multilabel-indicator" if logistic else "multiclass"


def _several_kinds(classes, n):
    if all(np.ndim(each) == 1 for each in classes):
        classes = [np.asarray(each) for each in classes]
        if len(classes) == n and all(np.array_equal(each, [0, 1]) for each in classes):
            return np.arange(n), "multilabel-indicator"
        in_order = all(np.all(each[:-1] < each[1:]) for each in classes)
        if len(classes) > 1 and in_order and sum(map(len, classes)) == n:
            return classes, SEVERAL
    raise ValueError(
        f"classes as a list of lists must be [0, 1] for each of the {n} outputs of the last coefs, or sorted "
        f"labels of two columns or more, {n} in all; got {classes}"
    )


@documented(
    score="accuracy",
    score_text="the accuracy (the share of rows that match exactly)",
    own_parameters=CLASSIFIER_PARAMETERS,
)
class NumpyMLPClassifier(ClassifierMixin, BaseNumpyMLP):
    """Multi-layer perceptron for classification, computed in NumPy.

    A drop-in for `sklearn.neural_network.MLPClassifier`: the same parameters, attributes and numbers, and
    more parameters, whose defaults change nothing.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), or list of such arrays
        The class labels, in the order of the columns of `predict_proba`; a list, one entry per column,
        where y has several columns of labels.
    {attributes}

    See Also
    --------
    NumpyMLPRegressor : The same for numbers.
    sklearn.neural_network.MLPClassifier : The estimator whose numbers this one gives.

    References
    ----------
    Kingma, Ba: Adam: A Method for Stochastic Optimization (ICLR 2015, arXiv:1412.6980).
    Glorot, Bengio: Understanding the difficulty of training deep feedforward neural networks
    (AISTATS 2010).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknumpynet import NumpyMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), NumpyMLPClassifier(max_iter=500, random_state=0))
    >>> model.fit(X, y).score(X, y) > 0.95
    True
    """

    _parameter_constraints: dict = {
        **BaseNumpyMLP._parameter_constraints,
        "loss": [StrOptions(set(CLASSIFICATION_LOSSES)), Loss],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        loss="log_loss",
        class_weight=None,
        label_smoothing=0.0,
        l1_ratio=0.0,
        dropout=0.0,
        normalization=None,
        max_grad_norm=None,
        fit_intercept=True,
        init="auto",
        bias_init="auto",
        scoring=None,
        max_time=None,
        dtype=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.loss = loss
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.l1_ratio = l1_ratio
        self.dropout = dropout
        self.normalization = normalization
        self.max_grad_norm = max_grad_norm
        self.fit_intercept = fit_intercept
        self.init = init
        self.bias_init = bias_init
        self.scoring = scoring
        self.max_time = max_time
        self.dtype = dtype

    @available_if(is_stochastic)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X,
        y,
        sample_weight=None,
        classes=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        """Train for one epoch on the given data, going on from the last call.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            The labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever occur. Needed in the first call, not in later ones.
        X_val, y_val, sample_weight_val : like X, y and sample_weight, default=None
            Validation data, whose loss and score are recorded.

        Returns
        -------
        self : object
            The estimator, a little better.

        Raises
        ------
        ValueError
            If the data will not do, `classes` is missing, or `y` has a label that is not among them; the
            estimator is then as it was before the call.
        """
        with all_or_nothing(self):
            if type_of_target(y) == SEVERAL:
                self._learn_several(y, classes)
            elif self._begins_with(classes):
                self._learn_labels(y if type_of_target(y).startswith("multilabel") else classes)
                self.classes_ = unique_labels(classes)
            return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), True)

    def _learn_several(self, y, classes):
        """Take the classes of each column in the first call of `partial_fit`."""
        if hasattr(self, "classes_") and classes is None:
            return
        n = np.shape(y)[1]
        if classes is None or len(classes) != n or any(np.ndim(each) != 1 for each in classes):
            raise ValueError(
                f"classes must be passed on the first call to partial_fit: a list of {n} arrays, the labels "
                "of each column of y"
            )
        classes = [np.unique(each) for each in classes]
        known = getattr(self, "classes_", classes)
        if not all(np.array_equal(a, b) for a, b in zip(known, classes, strict=True)):
            raise ValueError("classes is not the same as on the last call to partial_fit")
        self.classes_, self._label_type, self._sparse_labels = classes, SEVERAL, False

    def _begins_with(self, classes):
        """Return whether this is the first call of `partial_fit`; it has to name the classes."""
        try:
            first = check_first_partial_fit(self, classes)
            if first and len(self.classes_) == 0:
                raise ValueError("It is empty")
            return first
        except (TypeError, ValueError) as error:
            if "classes" in str(error):
                raise
            raise same_type(error)(
                f"classes must list all labels, all numbers or all strings; got {classes!r}. {error}"
            ) from error

    @classmethod
    def from_weights(cls, coefs, intercepts=None, *, activation="relu", classes=None, **params):
        """Return an estimator with known weights, ready to predict.

        Parameters
        ----------
        coefs : list of array-like of shape (fan_in, fan_out)
            The weights of each layer.
        intercepts : list of array-like of shape (fan_out,), default=None
            The biases of each layer; None for none.
        activation : str, Activation, pair of functions or list, default='relu'
            Of the hidden layers. 'step' works here.
        classes : array-like of shape (n_classes,) or list of such, default=None
            The labels in sorted order; None means 0, 1, ... . As many as the last layer has outputs are the
            classes of a softmax, two with one output those of a logistic output. Several labels per row
            are a list with one entry each: ``[[0, 1], [0, 1]]`` where each has one output, and where each
            class has one, as ``[[0, 1, 2], ["a", "b"]]``, a softmax for each entry.
        **params
            Further parameters of the estimator.

        Returns
        -------
        estimator : NumpyMLPClassifier
            The estimator; `partial_fit` trains it on.

        Raises
        ------
        ValueError
            If the shapes do not go together, or `classes` does not go with the outputs.

        Examples
        --------
        >>> AND = NumpyMLPClassifier.from_weights([[[1.0], [1.0]]], [[-1.5]])
        >>> AND.predict([[0, 0], [0, 1], [1, 0], [1, 1]])
        array([0, 0, 0, 1])
        """
        coefs = check_coefs(coefs)
        if classes is None:
            classes = np.arange(max(coefs[-1].shape[1], 2))
        return from_weights(cls, coefs, intercepts, activation, params, classes_=classes)

    def decision_function(self, X):
        """Return what speaks for each class: the raw output of the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        raw : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            For two classes, the log-odds of the second one; for several, values of which the largest
            belongs to the predicted class; for labels, the log-odds of each. Where `out_activation_` is
            neither 'logistic' nor 'softmax', probabilities in their place, less 0.5 for two classes and for
            labels.
        """
        raw = self._raw(X, self._write_evidence)
        return raw.ravel() if raw.shape[1] == 1 else raw

    def predict(self, X):
        """Predict labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            The labels; for several labels at once an indicator matrix, sparse if that of `fit` was.
        """
        best = self._raw(X, self._choose, self._room_for_choices)
        if self._label_type == SEVERAL:
            choices = zip(self.classes_, best.T, strict=True)
            return np.column_stack([classes[indices] for classes, indices in choices])
        if self._label_type == "multilabel-indicator":
            return csr_matrix(best) if self._sparse_labels else best
        return self.classes_[best]

    def predict_proba(self, X):
        """Predict probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            The probability of each class, in the order of `classes_`; never 0 and never 1, unless
            `out_activation_` was set to 'identity' or 'exp', whose values are given as they are.
        """
        if not self._is_ready():
            check_is_fitted(self)
        if self.n_outputs_ > 1:
            p = self._raw(X, self._write_probabilities)
        elif self.out_activation_ == "logistic":
            raw = self._raw(X)
            p = np.hstack([-raw, raw])
            expit(p, out=p)
        else:
            second = self._raw(X, self._write_probabilities)
            p = np.hstack([1 - second, second])
        if self.n_outputs_ == 1 and self._link() not in UNBOUNDED:
            _keep_within_limits(p)
        if self._label_type == SEVERAL:
            return [p[:, block] for block in self.loss_function_.blocks]
        return p

    def predict_log_proba(self, X):
        """Predict the logarithms of the probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            The logarithm of `predict_proba`, always finite.
        """
        p = self.predict_proba(X)
        if self._link() in UNBOUNDED:
            for each in p if self._label_type == SEVERAL else [p]:
                _keep_within_limits(each)
        if self._label_type == SEVERAL:
            return [np.log(each) for each in p]
        return np.log(p, out=p)

    def score(self, X, y, sample_weight=None):
        """Return the share of rows whose labels are right, all of them where there are several.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            The true labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        accuracy : float
            Between 0 and 1.
        """
        if getattr(self, "_label_type", None) != SEVERAL:
            return super().score(X, y, sample_weight)
        right = (self.predict(X) == np.asarray(y)).all(axis=1)
        return float(np.average(right, weights=sample_weight))

    def _learn_labels(self, y):
        if type_of_target(y) == SEVERAL:
            self.classes_ = [np.unique(column) for column in y.T]
            self._label_type, self._sparse_labels = SEVERAL, False
            return
        labels = LabelBinarizer().fit(y)
        self.classes_ = labels.classes_
        self._label_type = labels.y_type_
        self._sparse_labels = labels.sparse_input_

    def _row_weights(self, y, sample_weight, dtype, incremental):
        if self.class_weight is None:
            return sample_weight
        balanced = isinstance(self.class_weight, str)
        if balanced and incremental:
            raise ValueError(
                "class_weight='balanced' needs all of y at once, which partial_fit never sees: pass a dict, "
                "as from sklearn.utils.class_weight.compute_class_weight('balanced', ...)"
            )
        class_weight = self.class_weight
        if incremental and isinstance(class_weight, dict) and y.ndim == 1:
            unknown = set(class_weight) - set(self.classes_)
            if unknown:
                raise ValueError(f"class_weight has classes that classes_ has not: {unknown}")
            # a batch need not have all the classes
            class_weight = {c: class_weight.get(c, 1.0) for c in np.unique(y)}
        with np.errstate(over="ignore"):
            weight = compute_sample_weight(class_weight, y).astype(dtype, copy=False)
            if sample_weight is not None:
                weight *= sample_weight
            total = weight.sum()
        if not np.isfinite(total):
            raise ValueError(
                f"class_weight={self.class_weight!r} makes the weights of the rows too large for "
                f"{dtype}, or they are not finite: give smaller ones"
            )
        if not total and not incremental:
            raise ValueError(
                f"class_weight={self.class_weight!r} leaves no row a weight, or the weights sum to zero: "
                "give weights >= 0, and above 0 to a class that occurs"
            )
        return weight

    def _check_validation_data(self, X, y):
        with named_as_validation():
            X, y = check_data(self, X, y, multi_output=True, reset=False)
            if y.ndim == 2 and y.shape[1] == 1:
                y = column_or_1d(densified(y), warn=True)
            self._check_columns(y, reset=True)
        if self._label_type != SEVERAL:
            unknown = np.setdiff1d(unique_labels(y), self.classes_)
            if len(unknown):
                raise ValueError(f"y_val has classes that y has not: {unknown}")
        n_outputs = self.n_outputs_
        targets = self._encode(y)
        if self.n_outputs_ != n_outputs:
            raise ValueError(f"y_val has {self.n_outputs_} columns, and y has {n_outputs}")
        return X, y, targets

    def _check_data(self, X, y, reset, incremental):
        X, y = check_data(self, X, y, multi_output=True, reset=reset)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(densified(y), warn=True)
        try:
            if reset and not incremental:
                self._learn_labels(y)
            several = self._label_type == SEVERAL
            classes = None if several and y.ndim == 2 else unique_labels(y)
        except (TypeError, ValueError) as error:
            raise explained_labels(error, y) from error
        if not reset or incremental:
            self._check_columns(y, reset)
            if not several:
                self._check_labels(classes)
        return X, y, self._encode(y)

    def _check_columns(self, y, reset):
        """Raise unless y is of the kind that the first call brought."""
        if self._label_type == SEVERAL:
            if y.ndim != 2 or y.shape[1] != len(self.classes_):
                raise ValueError(f"y must have {len(self.classes_)} columns, as in the first call")
        elif self._label_type == "multilabel-indicator":
            if y.ndim != 2:
                raise ValueError(
                    "y must be an indicator matrix, as in the first call; got one label per row. To "
                    "train on another kind of y, take a new estimator"
                )
            if not reset:
                check_n_outputs(self, y.shape[1])
        elif y.ndim == 2:
            raise ValueError(
                "y must hold one label per row, as in the first call; got several columns. To train on "
                "another kind of y, take a new estimator"
            )

    def _check_labels(self, classes):
        if self.warm_start:
            if set(classes) != set(self.classes_):
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the previous call "
                    f"to fit. Previously got {self.classes_}, `y` has {classes}"
                )
        elif len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise ValueError(
                "`y` has classes not in `self.classes_`. "
                f"`self.classes_` has {self.classes_}. 'y' has {classes}. The first call of partial_fit "
                "has to name all classes."
            )

    def _encode(self, y):
        """Return y as class indices of shape (n,), or as yes and no of shape (n, n_outputs)."""
        if self._label_type == "multilabel-indicator":
            y = densified(y).astype(bool)
            self.n_outputs_ = y.shape[1]
            return y
        if self._label_type == SEVERAL:
            self.n_outputs_ = sum(map(len, self.classes_))
            for column, classes in zip(y.T, self.classes_, strict=True):
                unknown = np.setdiff1d(column, classes)
                if len(unknown):
                    raise ValueError(f"y has classes not in classes_: {unknown}, and not {classes}")
            columns = zip(y.T, self.classes_, strict=True)
            return np.column_stack([np.searchsorted(each, column) for column, each in columns])
        if self._label_type == "multiclass":
            self.n_outputs_ = len(self.classes_)
            return np.searchsorted(self.classes_, y)
        self.n_outputs_ = 1
        return (y == self.classes_[-1])[:, np.newaxis] & (len(self.classes_) == 2)

    def _room_for_choices(self, n):
        """Return the array for what `_choose` writes about so many rows."""
        if self._label_type == SEVERAL:
            return np.empty((n, len(self.classes_)), np.intp)
        return np.empty(
            (n, self.n_outputs_) if self._label_type == "multilabel-indicator" else n, int
        )

    def _choose(self, raw, out):
        """Write what the raw outputs of some rows say: the number of the class, or 0 or 1 per label."""
        if self._label_type == "multilabel-indicator":
            np.greater(self._evidence(raw), 0, out=out)
        else:
            out[...] = self._class_indices(raw)

    def _write_probabilities(self, raw, out):
        link = self._link()
        link(raw, out)
        if link not in UNBOUNDED:
            _keep_within_limits(out)

    def _decides_by_raw(self):
        """Return whether the raw output is as good as the probabilities to choose by."""
        yes_or_no = self._label_type in ("binary", "multilabel-indicator")
        return self.out_activation_ == ("logistic" if yes_or_no else "softmax")

    def _write_evidence(self, raw, out):
        evidence = self._evidence(raw)
        if evidence is not out:
            np.copyto(out, evidence)

    def _evidence(self, raw):
        """Return numbers whose largest, or of yes-or-no questions those above 0, are chosen."""
        if self._decides_by_raw():
            return raw
        p = np.empty_like(raw)
        self._write_probabilities(raw, p)
        if self._label_type in ("binary", "multilabel-indicator"):
            p -= 0.5
        return p

    def _through_link(self, raw, slopes):
        return slopes if self._decides_by_raw() else super()._through_link(raw, slopes)

    def _class_indices(self, raw):
        """Return the number of the best class of each row, a column each for several questions."""
        raw = self._evidence(raw)
        if self._label_type == SEVERAL:
            blocks = self.loss_function_.blocks
            return np.column_stack([raw[:, block].argmax(axis=1) for block in blocks])
        if self.n_outputs_ > 1:
            return raw.argmax(axis=1)
        return (raw.ravel() > 0).astype(int) * (len(self.classes_) - 1)

    def _loss_and_link(self):
        loss = get_classification_loss(self.loss)
        if self.label_smoothing:
            if not isinstance(loss, LogLoss):
                raise ValueError(
                    f"label_smoothing goes with loss='log_loss'; got loss={self.loss!r}: set "
                    "label_smoothing=0"
                )
            loss = LogLoss(self.label_smoothing)
        if self._label_type == SEVERAL:
            if not isinstance(loss, LogLoss):
                raise ValueError(
                    f"several columns of labels go with loss='log_loss'; got {self.loss!r}"
                )
            loss = SeveralClasses([len(each) for each in self.classes_], loss.smoothing)
        loss = loss.for_classes(softmax=self._label_type == "multiclass")
        self._check_link(loss)
        return loss, loss.link, 1.0

    def _check_link(self, loss):
        """Raise where a loss of one's own makes no probabilities of the raw output."""
        if not has_inverse_link(loss):
            raise ValueError(
                f"loss={self.loss!r} does not say how outputs become probabilities: set `link` and override "
                "`inverse_link` in its class, as with link = 'logistic' and scipy.special.expit(raw, out=out)"
            )
        if loss.link == "softmax" and self._label_type == "binary":
            raise ValueError(
                f"loss={self.loss!r} has link='softmax', whose single output for two classes is always 1: "
                "override `for_classes`, which is told what to be, or set link='logistic'"
            )

    def _stratifies(self):
        return self.n_outputs_ == 1

    def _has_classes(self):
        return self._label_type == "multiclass"

    def _validation_score(self, targets, raw, sample_weight):
        if self._label_type == SEVERAL:
            right = (self._class_indices(raw) == targets).all(axis=1)
        elif self._label_type == "multiclass":
            right = self._class_indices(raw) == targets
        else:
            right = ((self._evidence(raw) > 0) == targets).all(axis=1)
        return float(np.average(right, weights=sample_weight))

    def _knows_outputs(self, last):
        """Assigned weights predict once `classes_` is assigned too."""
        if not hasattr(self, "classes_"):
            return False
        known = getattr(self, "_label_type", None)  # of the classes given to partial_fit
        if known is None or (known == "binary" and last.shape[1] == 2):
            logistic = vars(self).get("out_activation_") == "logistic"
            self.classes_, self._label_type = kind_of_labels(self.classes_, last.shape, logistic)
            self._sparse_labels = False
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags
