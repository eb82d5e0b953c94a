# SPDX-License-Identifier: BSD-3-Clause
"""Validation data: split off or given, what they score, and what early stopping makes of it."""

from __future__ import annotations

import copy
import math

import numpy as np
from scipy.sparse import issparse
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split

from sknumpynet._compat import (
    has_feature_names,
    is_made_by_scikit_learn,
    rows_of,
    scorer_with_labels,
)
from sknumpynet.checks.input_checks import same_type
from sknumpynet.fitting.rollback import warn


class Validation:
    """Data to validate with, and how to score them.

    Parameters
    ----------
    estimator : NumpyMLPClassifier or NumpyMLPRegressor
        The estimator in training, whose `scoring` decides.
    network : Network
        The network in training.
    loss : Loss
        Its loss.
    scale : float
        Factor of the reported loss.
    X, targets : array and ndarray
        Inputs, and targets as the loss wants them.
    y : ndarray
        Targets as a scorer wants them.
    sample_weight : ndarray or None
        Weights of the rows.
    rows : ndarray or None
        The rows of these arrays that count; None for all.
    given_X : array-like
        X as `fit` was given it, for scorers.

    Attributes
    ----------
    finite : bool
        Whether all predictions of the last call were finite; where they are not, the score is NaN.
    goes_on : bool
        Whether the parameters were, without which no later epoch can be better.
    has_score : bool
        Whether a call, of this fit or the one that it goes on from, had a score.
    """

    finite = goes_on = True
    has_score = warned = False

    def __init__(
        self, estimator, network, loss, scale, X, targets, y, sample_weight, given_X, rows=None
    ):
        self.estimator, self.network, self.loss, self.scale = estimator, network, loss, scale
        self.X, self.rows = X, rows
        self.targets, self.weight = self._take(targets), self._take(sample_weight)
        self.scores_loss = isinstance(estimator.scoring, str) and estimator.scoring == "loss"
        if estimator.scoring is not None and not self.scores_loss:
            self.scorer = self._scorer(given_X, y)
        if issparse(X):  # once, not at each epoch
            self.X, self.rows = self._take(X.tocsr()), None

    def _take(self, array):
        """Return the rows of the array that count."""
        return array if array is None or self.rows is None else array[self.rows]

    def _scorer(self, given_X, y):
        scoring, y = self.estimator.scoring, self._take(y)
        scorer = check_scoring(self.estimator, scoring=scoring)
        classes = getattr(self.estimator, "classes_", None)
        if isinstance(classes, np.ndarray) and y.ndim == 1 and len(np.unique(y)) < len(classes):
            scorer = scorer_with_labels(scorer, classes)
        options = {} if self.weight is None else {"sample_weight": self.weight}
        fitted = copy.copy(self.estimator)
        fitted._network = self.network
        X = self._given_rows(fitted, given_X)
        if isinstance(scoring, str) and self.loss.n_raw(1) > 1:  # several quantiles

            def predict(X):
                return self.loss.point(type(fitted).predict(fitted, X)).ravel()

            fitted.predict = predict

        def score():
            try:
                return float(scorer(fitted, X, y, **options))
            except (TypeError, ValueError) as error:
                if not is_made_by_scikit_learn(scorer):
                    raise  # a function's own error
                raise same_type(error)(self._explained(error, y)) from error

        return score

    def _given_rows(self, fitted, given_X):
        """Return the rows that count in the container that they came in, and no reason to warn of names."""
        named, expects_names = has_feature_names(given_X), "feature_names_in_" in vars(fitted)
        if expects_names and not named:
            del fitted.feature_names_in_
        is_frame = hasattr(given_X, "iloc") or named
        if not (isinstance(given_X, list) or is_frame) or (named and not expects_names):
            return self._take(self.X)
        return given_X if self.rows is None else rows_of(given_X, self.rows)

    def _explained(self, error, y):
        message = (
            f"scoring={self.estimator.scoring!r} cannot score the validation set of {len(y)} rows: "
            f"{str(error).rstrip('.')}."
        )
        if isinstance(getattr(self.estimator, "classes_", None), list):
            return (
                f"{message} Several columns of labels are scored by scoring=None (the share of rows that "
                "match exactly), 'loss', or a function scoring(estimator, X, y)"
            )
        return (
            f"{message} Give X_val and y_val that it can score, with rows of all classes in classification, "
            "or another scoring, such as 'loss'"
        )

    def __call__(self):
        """Return the loss and the score of the network as it is now."""
        raw = self.network.predict(self.X, self.rows)
        targets = self.targets
        if targets.dtype.kind == "f":
            targets = targets.astype(raw.dtype, copy=False)
        loss = self.loss.value_and_gradient(targets, raw, self.weight)[0] * self.scale
        self._look_at(raw)
        if not self.finite:
            return loss, np.nan
        if self.estimator.scoring is None:
            score = float(self.estimator._validation_score(self.targets, raw, self.weight))
        else:
            score = -loss if self.scores_loss else self.scorer()
        if np.isnan(score) and self.estimator.early_stopping:
            self._complain_of_nan()
        self.has_score = True
        return loss, score

    def _complain_of_nan(self):
        """Raise where early stopping has had no score to decide by; warn where only some are NaN."""
        n, scoring = len(self.targets), self.estimator.scoring
        name = "The score" if scoring is None else f"scoring={scoring!r}"
        message = f"{name} is NaN on the validation set of {n} row{'s' * (n != 1)}"
        if not self.has_score:
            raise ValueError(
                f"{message}, which leaves early_stopping=True nothing to decide by. Give a validation set "
                "for which it is a number (R2 needs two rows at least, roc_auc rows of both classes), or "
                "another scoring, such as scoring='loss'"
            )
        if not self.warned:
            warn(f"{message}. Epochs whose score is NaN count as no better than those before.")
            self.warned = True

    def _look_at(self, raw):
        """Note whether the predictions, and where they are not the parameters, are finite."""
        with np.errstate(over="ignore", invalid="ignore"):
            self.finite = bool(np.isfinite(raw).all())
            if self.finite and self.loss.link != "identity":
                prediction = np.empty_like(raw)
                self.loss.inverse_link(raw, prediction)
                self.finite = bool(np.isfinite(prediction).all())
            self.goes_on = self.finite or bool(np.isfinite(self.network.params).all())


def split(estimator, y, rng):
    """Return the numbers of the rows to train on and of those to validate with."""
    n, stratify = len(y), None
    if estimator._stratifies():
        stratify = np.where(y.ravel(), "True", "False")
    elif estimator.scoring is not None and estimator._has_classes():
        stratify = y if _can_stratify(y, estimator.validation_fraction) else None
    try:
        rows, validation = train_test_split(
            np.arange(n),
            random_state=rng,
            test_size=estimator.validation_fraction,
            stratify=stratify,
        )
        if len(validation) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' "
                "or the size of your dataset."
            )
    except ValueError as error:
        raise ValueError(
            f"{str(error).rstrip('.')}. early_stopping=True takes "
            f"validation_fraction={estimator.validation_fraction} of the "
            f"rows as validation set; y has {_rows_and_classes(estimator, n)}. Give more rows (at least 2 "
            "go to the validation set, and of two classes at least one row of each), another "
            "validation_fraction, or set early_stopping=False."
        ) from error
    return rows, validation


def _can_stratify(y, fraction):
    """Return whether each part can have a row of each class."""
    counts = np.unique(y, return_counts=True)[1]
    n_validation = math.ceil(fraction * len(y))
    return counts.min() > 1 and len(counts) <= min(n_validation, len(y) - n_validation)


def _rows_and_classes(estimator, n):
    text = f"{n} row{'s' * (n != 1)}"
    if not hasattr(estimator, "classes_"):
        return text
    k = len(estimator.classes_)
    return f"{text} of {k} class{'es' * (k != 1)}"


def check_split_weights(sample_weight, rows, validation):
    """Raise where a part of the split has no weight."""
    if sample_weight is None:
        return
    if not (sample_weight[validation].sum() and sample_weight[rows].any()):
        raise ValueError(
            "sample_weight is zero for all rows of the validation set, or for all that are left to train "
            "on. Leave out the rows without weight, or set early_stopping=False"
        )
