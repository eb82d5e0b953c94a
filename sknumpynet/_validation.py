# SPDX-License-Identifier: BSD-3-Clause
"""Validation data: split off or given, what they score, and what early stopping makes of it."""

from __future__ import annotations

import copy

import numpy as np
from scipy.sparse import issparse
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split


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
    """

    def __init__(self, estimator, network, loss, scale, X, targets, y, sample_weight, rows=None):
        self.estimator, self.network, self.loss, self.scale = estimator, network, loss, scale
        self.X, self.rows = X, rows
        self.targets, self.weight = self._take(targets), self._take(sample_weight)
        self.scores_loss = isinstance(estimator.scoring, str) and estimator.scoring == "loss"
        if estimator.scoring is not None and not self.scores_loss:
            self.scorer = self._scorer(y)
        if issparse(X):  # once, not at each epoch
            self.X, self.rows = self._take(X.tocsr()), None

    def _take(self, array):
        """Return the rows of the array that count."""
        return array if array is None or self.rows is None else array[self.rows]

    def _scorer(self, y):
        scorer = check_scoring(self.estimator, scoring=self.estimator.scoring)
        X, y = self._take(self.X), self._take(y)
        options = {} if self.weight is None else {"sample_weight": self.weight}
        fitted = copy.copy(self.estimator)
        fitted._network = self.network
        if isinstance(self.estimator.scoring, str) and self.loss.n_raw(1) > 1:  # several quantiles

            def predict(X):
                return self.loss.point(type(fitted).predict(fitted, X)).ravel()

            fitted.predict = predict
        return lambda: scorer(fitted, X, y, **options)

    def __call__(self):
        """Return the loss and the score of the network as it is now."""
        raw = self.network.predict(self.X, self.rows)
        targets = self.targets
        if targets.dtype.kind == "f":
            targets = targets.astype(raw.dtype, copy=False)
        loss = self.loss.value_and_gradient(targets, raw, self.weight)[0] * self.scale
        if self.estimator.scoring is None:
            return loss, float(self.estimator._validation_score(self.targets, raw, self.weight))
        return loss, -loss if self.scores_loss else float(self.scorer())


def split(estimator, y, rng):
    """Return the numbers of the rows to train on and of those to validate with."""
    n, stratify = len(y), None
    if estimator._stratifies():
        stratify = np.where(y.ravel(), "True", "False")
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
