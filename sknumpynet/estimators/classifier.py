# SPDX-License-Identifier: BSD-3-Clause
"""The classifier: encodes labels for the network, and converts its output to probabilities."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import unique_labels

from sknumpynet._compat import Interval, StrOptions, check_first_partial_fit
from sknumpynet.checks.input_checks import (
    check_data,
    check_readable,
    check_weights_of_score,
    densified,
    explained_labels,
    named_in_score,
    same_type,
)
from sknumpynet.core.losses.base import Loss
from sknumpynet.core.losses.by_name import CLASSIFICATION_LOSSES
from sknumpynet.core.wording import counted
from sknumpynet.estimators.base import BaseNumpyMLP, is_stochastic
from sknumpynet.estimators.docstrings import CLASSIFIER_PARAMETERS, documented
from sknumpynet.estimators.labels import (
    IndicatorLabels,
    MulticlassLabels,
    MultioutputLabels,
    has_columns_of_labels,
    is_nested,
    keep_within_limits,
    labels_at_a_glance,
    labels_named,
    labels_of_columns_named,
    labels_of_weights,
    learn_labels,
    plain_labels,
    without_extension_types,
    without_objects,
)
from sknumpynet.estimators.prediction import check_coefs, from_weights, is_finite
from sknumpynet.fitting.plan import PARAMETER_CONSTRAINTS
from sknumpynet.fitting.rollback import all_or_nothing
from sknumpynet.fitting.validation_set import can_stratify


def checked_labels(checker, X, y, reset):
    """Return X and y checked by `check_data`; a y with one column becomes a vector."""
    X, y = check_data(checker, X, without_extension_types(y), multi_output=True, reset=reset)
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(densified(y), warn=True)
    return X, y


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
    NumpyMLPRegressor : The same for regression.
    sklearn.neural_network.MLPClassifier : The estimator of scikit-learn, with the same results.

    References
    ----------
    - Kingma, Ba: Adam: A Method for Stochastic Optimization (ICLR 2015, arXiv:1412.6980).
    - Glorot, Bengio: Understanding the difficulty of training deep feedforward neural networks
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
        **PARAMETER_CONSTRAINTS,
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
    @all_or_nothing
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
        """Train for one epoch on the given data, continuing from the last call.

        It does not call callbacks; only `fit` does.

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
            The estimator, trained for one more epoch.

        Raises
        ------
        ValueError
            If the data are invalid, `classes` is missing, or `y` has a label that is not among them; the
            estimator is then as it was before the call.
        """
        return self._partial_fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), classes)

    @classmethod
    def from_weights(cls, coefs, intercepts=None, *, activation="relu", classes=None, **params):
        """Return an estimator with known weights, ready to predict.

        Parameters
        ----------
        coefs : list of array-like of shape (fan_in, fan_out)
            The weights of each layer.
        intercepts : list of array-like of shape (fan_out,), default=None
            The biases of each layer; None for a network without biases.
        activation : str, Activation, pair of functions or list, default='relu'
            Activation of the hidden layers. 'step' is allowed here.
        classes : array-like of shape (n_classes,) or list of such, default=None
            The labels in sorted order; None means 0, 1, ... . With one label per output of the last layer,
            the output is a softmax; with two labels and one output, it is logistic. For several labels per
            row, give a list with one entry for each: ``[[0, 1], [0, 1]]`` if each label has one output, or,
            as in ``[[0, 1, 2], ["a", "b"]]``, one output per class and a softmax for each entry.
        **params
            Further parameters of the estimator.

        Returns
        -------
        estimator : NumpyMLPClassifier
            The estimator; `partial_fit` continues its training.

        Raises
        ------
        ValueError
            If the shapes do not match, or `classes` does not match the outputs.

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
        """Return the raw output of the network: the evidence for each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        raw : ndarray of shape (n_samples,) or (n_samples, n_outputs), or list of such arrays
            For two classes, the log-odds of the second one; for several, values of which the largest
            belongs to the predicted class; for labels, the log-odds of each. A list, one entry per column of
            y and with a column per class, where y has several columns of labels. Where `out_activation_` is
            neither 'logistic' nor 'softmax', probabilities instead, minus 0.5 for two classes and for
            labels.
        """
        model = self._fitted_model()
        raw = self._raw(model, X, None if model.decides_by_raw else model.write_evidence)
        return model.target.by_column(raw)

    def predict(self, X):
        """Predict labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            The labels; for several labels at once an indicator matrix, sparse if that of `fit` was; for
            several columns of labels one column each, of dtype object if some hold text and some numbers.
        """
        return self._predicted(self._fitted_model(), X)

    def _predicted(self, model, X):
        choose = model.target.choose if model.decides_by_raw else model.choose_by_evidence
        return model.target.decode(self._raw(model, X, choose, model.target.room))

    def predict_proba(self, X):
        """Predict probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes), or list of such arrays
            The probability of each class, in the order of `classes_`; a list with an entry per column if
            y has several columns of labels. Never 0 and never 1, unless `out_activation_` was set to
            'identity' or 'exp', whose values are returned unchanged.
        """
        model = self._fitted_model()

        return model.target.probabilities(lambda link: self._raw(model, X, link), model)

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
        for each in p if isinstance(p, list) else [p]:
            keep_within_limits(each)
        if isinstance(p, list):
            return [np.log(each) for each in p]
        return np.log(p, out=p)

    def score(self, X, y, sample_weight=None):
        """Return the accuracy: the share of rows whose labels (all of them, if several) are correct.

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
        model = self._fitted_model()
        check_readable(y, "y")
        check_readable(sample_weight, "sample_weight")
        check_weights_of_score(sample_weight, y)
        if not isinstance(model.target, MultioutputLabels):
            overridden = type(self).predict is not NumpyMLPClassifier.predict
            predicted = self.predict(X) if overridden else self._predicted(model, X)
            if issparse(y) and y.shape[1] == 1:
                y = y.toarray().ravel()
            with named_in_score(y):
                return accuracy_score(without_objects(y), predicted, sample_weight=sample_weight)
        predicted, y = self._predicted(model, X), np.asarray(densified(y))
        check_consistent_length(predicted, y, sample_weight)
        model.target.check_kind(y)
        right = (predicted.astype(object) == y.astype(object)).all(axis=1)
        return float(np.average(right, weights=sample_weight))

    def _output_slopes(self, model, raw, slopes):
        return slopes if model.decides_by_raw else model.through_link(raw, slopes)

    # ---------------------------------------------------------------- the steps of a fit

    def _check_data(self, X, y, earlier, call, classes=None):
        target = None if earlier is None else earlier.target
        if call == "partial_fit":
            targets = None if classes is not None else self._known_targets(earlier, X, y)
            if targets is not None:
                return target, X, y, targets, None
            target = self._named_labels(target, y, classes)
        checker = self._checker(earlier)
        X, y = checked_labels(checker, X, y, reset=earlier is None)
        try:
            y = plain_labels(y)
            if target is None:
                target = learn_labels(y)
            elif not has_columns_of_labels(y):
                unique_labels(y)
        except (TypeError, ValueError) as error:
            raise explained_labels(error, y) from error
        if earlier is not None or call == "partial_fit":
            target.check_kind(y)
            if call != "validation":
                target.check_classes(y, self.warm_start, incremental=call == "partial_fit")
        return target, X, y, target.encode(y), vars(checker).get("feature_names_in_")

    def _known_targets(self, earlier, X, y):
        """Return the targets if quick checks show that X and y are of the same kind as before, else None.

        scikit-learn's checks take longer than a step on a few rows.
        """
        if earlier is None or not earlier.can_skip_checks(X) or self.warm_start:
            return None
        targets = earlier.target.encode_known(y)
        if targets is None or len(targets) != len(X) or not is_finite(X):
            return None
        return targets

    def _named_labels(self, known, y, classes):
        """Return the kind of labels; the first call of `partial_fit` needs the classes."""
        seen = labels_at_a_glance(y)
        named_by_column = seen is not None and seen.ndim == 2 and is_nested(classes)
        if isinstance(known, IndicatorLabels) and named_by_column:
            return self._named_columns(known, seen, classes)
        if isinstance(known, MultioutputLabels):
            return self._named_columns(known, seen, classes)
        if known is None and (named_by_column or has_columns_of_labels(seen)):
            return self._named_columns(known, seen, classes)
        checker = self._checker()
        if known is not None:
            checker.classes_ = known.classes
        try:
            classes = without_objects(classes)
            first = check_first_partial_fit(checker, classes)
            if first and len(checker.classes_) == 0:
                raise ValueError("It is empty")
        except (TypeError, ValueError) as error:
            if "classes" in str(error):
                raise
            raise same_type(error)(
                f"classes must list all labels, all numbers or all strings; got {classes!r}. {error}"
            ) from error
        return labels_named(classes, seen) if first else known

    def _named_columns(self, known, y, classes):
        if known is not None and classes is None:
            return known
        n = y.shape[1] if known is None else len(known.classes)
        if (
            not is_nested(classes)
            or len(classes) != n
            or any(np.ndim(each) != 1 for each in classes)
        ):
            raise ValueError(
                f"classes must be passed on the first call to partial_fit: a list of {counted(n, 'array')}, "
                f"the labels of each column of y; got {classes!r}"
            )
        try:
            named = labels_of_columns_named(classes, y)
        except (TypeError, ValueError) as error:
            raise same_type(error)(
                f"classes must list the labels of each column, all numbers or all strings; got {classes!r}. "
                f"{error}"
            ) from error
        if known is None:
            return named
        same = type(known) is type(named) and len(known.classes) == len(named.classes)
        if not same or not all(map(np.array_equal, known.classes, named.classes)):
            raise ValueError(
                f"classes is not the same as on the last call to partial_fit: {known.classes}; got "
                f"{classes!r}"
            )
        return known

    def _weigh(self, target, data, plan, incremental):
        class_weight, y, sample_weight = self.class_weight, data.y, data.sample_weight
        if class_weight is None:
            return data
        class_weight = target.completed(class_weight)  # a batch may lack some of the classes
        with np.errstate(over="ignore"):
            weight = compute_sample_weight(class_weight, y).astype(plan.dtype, copy=False)
            if sample_weight is not None:
                weight *= sample_weight
            total = weight.sum()
        self._check_weighed(total, plan, incremental)
        return replace(data, sample_weight=weight)

    def _check_weighed(self, total, plan, incremental):
        """Raise if the sum of the weights, including class weights, is not finite and positive."""
        if not np.isfinite(total):
            raise ValueError(
                f"class_weight={self.class_weight!r} makes the sample weights too large for "
                f"{plan.dtype}, or not finite: use smaller ones"
            )
        if not total and not incremental:
            raise ValueError(
                f"class_weight={self.class_weight!r} gives every row the weight zero, or the weights sum to "
                "zero: use weights >= 0, and a weight > 0 for a class that occurs"
            )

    def _strata(self, target, data):
        targets = data.targets
        if target.n_outputs == 1:
            return np.where(targets.ravel(), "True", "False")
        one_class = self.scoring is not None and isinstance(target, MulticlassLabels)
        return targets if one_class and can_stratify(targets, self.validation_fraction) else None

    def _target_of_assigned(self, state, shape):
        """Return the kind of labels of an unfitted estimator with assigned weights, if it has `classes_`."""
        classes = state.get("classes_")
        if classes is None:
            return None
        return labels_of_weights(classes, shape, state.get("out_activation_") == "logistic")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags
