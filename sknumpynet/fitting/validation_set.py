# SPDX-License-Identifier: BSD-3-Clause
"""Validation data: how they are split off, and how their loss and score are computed."""

from __future__ import annotations

import math

import numpy as np
from scipy.sparse import issparse
from sklearn.model_selection import train_test_split

from sknumpynet._compat import (
    has_feature_names,
    is_made_by_scikit_learn,
    rows_of,
    scorer_with_labels,
    takes_sample_weight,
)
from sknumpynet.checks.input_checks import same_type
from sknumpynet.checks.scoring import as_score, checked_scorer
from sknumpynet.core.wording import counted
from sknumpynet.fitting.rollback import warn


class ValidationSet:
    """Validation data of a fit.

    Parameters
    ----------
    data : FitData
        The data.
    plan : FitPlan
        The plan of the fit, whose loss is recorded.
    score : callable or None
        ``score(network, raw)`` returns the score, where ``raw`` is the network's output for the data; None
        means minus the loss.
    scoring : str or callable or None, default=None
        The user's ``scoring``, for messages.

    Attributes
    ----------
    finite : bool
        Whether all predictions of the last call were finite; otherwise the score is NaN.
    goes_on : bool
        Whether the parameters were finite; otherwise no later epoch can be better.
    has_score : bool
        Whether a call, of this fit or the one that it resumes, had a score.
    """

    def __init__(self, data, plan, score, scoring=None):
        self.score, self.scoring = score, scoring
        self.loss, self.loss_scale, self.decides = plan.loss, plan.loss_scale, plan.early_stopping
        self.targets, self.weight = data.part("targets"), data.part("sample_weight")
        self.n_rows = data.n_rows
        self.X, self.rows = data.X, data.rows
        if issparse(self.X):  # once, not at each epoch
            self.X = self.X.tocsr()
            self.X, self.rows = self.X if self.rows is None else self.X[self.rows], None
        self.finite = self.goes_on = True
        self.has_score = self.warned = False

    def __call__(self, network):
        """Return the current loss and score of the network."""
        raw = network.predict(self.X, self.rows)
        targets = self.targets
        if targets.dtype.kind == "f":
            targets = targets.astype(raw.dtype, copy=False)
        loss = self.loss.value_and_gradient(targets, raw, self.weight)[0] * self.loss_scale
        self._look_at(raw, network)
        if not self.finite:
            return loss, np.nan
        score = -loss if self.score is None else float(self.score(network, raw))
        if np.isnan(score) and self.decides:
            self._complain_of_nan()
        self.has_score = True
        return loss, score

    def state(self):
        """Return the state that calls have changed, as plain values."""
        return {name: getattr(self, name) for name in ("finite", "goes_on", "has_score", "warned")}

    def _look_at(self, raw, network):
        """Record whether the predictions and, if not, the parameters are finite."""
        with np.errstate(over="ignore", invalid="ignore"):
            self.finite = bool(np.isfinite(raw).all())
            if self.finite and self.loss.link != "identity":
                prediction = np.empty_like(raw)
                self.loss.inverse_link(raw, prediction)
                self.finite = bool(np.isfinite(prediction).all())
            self.goes_on = self.finite or bool(np.isfinite(network.params).all())

    def _complain_of_nan(self):
        """Raise if all scores were NaN, so that early stopping is impossible; warn if only some are NaN."""
        n = self.n_rows
        name = "The score" if self.scoring is None else f"scoring={self.scoring!r}"
        message = f"{name} is NaN on the validation set of {counted(n, 'row')}"
        if not self.has_score:
            raise ValueError(
                f"{message}, so early_stopping=True cannot be used. Pass a validation set for which it is a "
                "number (R2 needs at least two rows, roc_auc rows of both classes), or another scoring, such "
                "as scoring='loss'"
            )
        if not self.warned:
            warn(f"{message}. Epochs whose score is NaN count as no better than those before.")
            self.warned = True


class Scorer:
    """Scores an estimator with scikit-learn's scorers or a custom function.

    Parameters
    ----------
    estimator : estimator
        Predicts with the network in training.
    scoring : str or callable
        The name of a scorer, or ``(estimator, X, y) -> float``. If it accepts ``sample_weight``, it gets the
        sample weights.
    data : FitData
        The validation data.
    """

    def __init__(self, estimator, scoring, data):
        self.estimator, self.scoring = estimator, scoring
        self.y, weight = data.part("y"), data.part("sample_weight")
        self.scorer = checked_scorer(estimator, scoring)
        self.classes = vars(estimator).get("classes_")
        is_array = isinstance(self.classes, np.ndarray) and self.y.ndim == 1
        if is_array and len(np.unique(self.y)) < len(self.classes):
            self.scorer = scorer_with_labels(self.scorer, self.classes)
        weighs = weight is not None and takes_sample_weight(self.scorer)
        self.options = {"sample_weight": weight} if weighs else {}
        self.X = self._rows_as_given(data)

    def __call__(self, network=None, raw=None):
        """Return the score."""
        try:
            score = self.scorer(self.estimator, self.X, self.y, **self.options)
        except (TypeError, ValueError) as error:
            if not is_made_by_scikit_learn(self.scorer):
                raise  # a function's own error
            raise same_type(error)(self._explained(error)) from error
        return as_score(score, self.scoring)

    def _rows_as_given(self, data):
        """Return the used rows in the container that the user passed."""
        named = has_feature_names(data.X_given)
        expects_names = "feature_names_in_" in vars(self.estimator)
        is_frame = hasattr(data.X_given, "iloc") or named
        if not (isinstance(data.X_given, list) or is_frame) or (named and not expects_names):
            X = data.part("X")
            return X.tocsr() if issparse(X) else X  # once, not in each epoch
        return data.X_given if data.rows is None else rows_of(data.X_given, data.rows)

    def _explained(self, error):
        message = (
            f"scoring={self.scoring!r} cannot score the validation set of "
            f"{counted(len(self.y), 'row')}: {str(error).rstrip('.')}."
        )
        if isinstance(self.classes, list):
            return (
                f"{message} For several columns of labels use scoring=None (the share of rows that match "
                "exactly), 'loss', or a function scoring(estimator, X, y)"
            )
        return (
            f"{message} Pass X_val and y_val that it can score, with rows of all classes in classification, "
            "or another scoring, such as 'loss'"
        )


def can_stratify(y, fraction):
    """Return whether each part of a split can have a row of each class."""
    counts = np.unique(y, return_counts=True)[1]
    n_held_out = math.ceil(fraction * len(y))
    return counts.min() > 1 and len(counts) <= min(n_held_out, len(y) - n_held_out)


def hold_out(plan, data, stratify, rng, n_classes=None):
    """Return the numbers of the training rows and of the validation rows.

    ``stratify`` has one label per row for a stratified split, or is None.
    """
    n = data.n_rows
    try:
        rows, held_out = train_test_split(
            np.arange(n),
            random_state=rng,
            test_size=plan.validation_fraction,
            stratify=stratify,
        )
        if len(held_out) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' "
                "or the size of your dataset."
            )
    except ValueError as error:
        has = counted(n, "row")
        if n_classes is not None:
            has += f" of {counted(n_classes, 'class')}"
        raise ValueError(
            f"{str(error).rstrip('.')}. early_stopping=True takes "
            f"validation_fraction={plan.validation_fraction} of the "
            f"rows as validation set; y has {has}. Give more rows (at least 2 "
            "go to the validation set, and of two classes at least one row of each), another "
            "validation_fraction, or set early_stopping=False."
        ) from error
    return rows, held_out


def check_split_weights(sample_weight, rows, held_out):
    """Raise if all weights in a part of the split are zero."""
    if sample_weight is None:
        return
    if not (sample_weight[held_out].sum() and sample_weight[rows].any()):
        raise ValueError(
            "sample_weight is zero for all rows of the validation set, or for all remaining training "
            "rows. Remove the rows without weight, or set early_stopping=False"
        )
