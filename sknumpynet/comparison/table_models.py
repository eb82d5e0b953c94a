# SPDX-License-Identifier: BSD-3-Clause
"""Compare our estimator for tables and scikit-learn's trees with the two networks."""

import textwrap
import time
import warnings
from dataclasses import dataclass, field

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict

from sknumpynet.comparison.compare import _split
from sknumpynet.comparison.wording import SKLEARN
from sknumpynet.tabular import TabularMLPClassifier, TabularMLPRegressor

N_FOLDS = 5
MAX_SECONDS = 60.0  # for a fit of the estimator for tables, and for the fits of a cross-validation
MAX_CELLS = 5_000_000  # rows times columns, above which these models are fitted only on request
MAX_TREE_LEVELS = 255  # HistGradientBoosting does not support categories with more levels


@dataclass
class TableModel:
    """The results of one model; out-of-fold predictions are for the training rows, (n_train,), or None."""

    name: str
    fit_time: float
    predict_time: float
    test_score: float
    out_of_fold: np.ndarray | None = None


@dataclass
class TableComparison:
    """The results of all models on one split, scikit-learn's network first; printed with a recommendation."""

    name: str
    score_name: str
    y: np.ndarray
    models: list
    notes: list = field(default_factory=list)

    def score(self, model):
        """Return the out-of-fold accuracy or R^2 on the training rows, or None."""
        if model.out_of_fold is None:
            return None
        return (accuracy_score if self.score_name == "accuracy" else r2_score)(
            self.y, model.out_of_fold
        )

    def errors(self, model):
        """Return the out-of-fold error of each row, 0 or 1, or squared; (n_train,)."""
        if self.score_name == "accuracy":
            return (model.out_of_fold != self.y).astype(np.float64)
        return (model.out_of_fold - self.y) ** 2

    def constant_score(self):
        """Return the score of always predicting the most frequent class, or the mean."""
        if self.score_name == "accuracy":
            return np.unique(self.y, return_counts=True)[1].max() / len(self.y)
        return 0.0

    def advice(self):
        """Return the recommendation.

        The best model out of fold or, if others are worse by at most one standard error of the mean
        difference, the one of these that is fitted fastest.
        """
        # of two equal networks, ours represents both
        rated = [model for model in self.models[1:] if model.out_of_fold is not None]
        if len(rated) < 2:
            best = max(self.models, key=lambda model: model.test_score)
            return (
                f"Use {best.name}, judging by the test {self.score_name} of a single split, which is "
                "not reliable."
            )
        best = max(rated, key=self.score)
        if self.score(best) <= self.constant_score():
            what = "the most frequent class" if self.score_name == "accuracy" else "the mean"
            return (
                f"Use none of them: out of fold, none is better than {what} for every row "
                f"({self.score_name} {self.constant_score():.4f})."
            )
        even = [model for model in rated if self._is_even(model, best)]
        taken = min(even, key=lambda model: model.fit_time)
        score = f"{self.score_name} {self.score(taken):.4f}"
        if taken is not best:
            return (
                f"Use {taken.name}: out of fold it is not significantly worse than the best, {best.name} "
                f"({score} and {self.score(best):.4f}), and it is fitted in "
                f"{_seconds(taken.fit_time)} instead of {_seconds(best.fit_time)}."
            )
        second = max((model for model in rated if model is not best), key=self.score)
        return (
            f"Use {best.name}: it is the best out of fold ({score}, {second.name} "
            f"{self.score(second):.4f})."
        )

    def _is_even(self, model, best):
        difference = self.errors(model) - self.errors(best)
        return difference.mean() <= difference.std() / np.sqrt(len(difference))

    def __str__(self):
        lines = [
            textwrap.fill(f"{self.name}: the networks and models for tables on the same rows", 80),
            f"{self.score_name:<30} {'out of fold':>12} {'test':>10} {'fit time':>11} "
            f"{'predict time':>13}",
        ]
        for model in self.models:
            score = self.score(model)
            shown = "-" if score is None else f"{score:.4f}"
            lines.append(
                f"{model.name:<30} {shown:>12} {model.test_score:>10.4f} "
                f"{_seconds(model.fit_time):>11} {_seconds(model.predict_time):>13}"
            )
        lines += [textwrap.fill(f"note: {note}", 80, subsequent_indent="  ") for note in self.notes]
        return "\n".join([*lines, textwrap.fill(self.advice(), 80)])


def compare_on_table(case, networks, seed, tell):
    """Fit the models for tables on the rows that the networks were fitted on.

    Parameters
    ----------
    case : Case
        A table, its first ``n_numeric`` columns numbers and the others codes of text.
    networks : Comparison
        The result of ``compare_with_sklearn`` for the case and the same seed.
    seed : int
        Seed of the split and of the models.
    tell : callable
        Called as ``tell(what)`` before something is fitted.

    Returns
    -------
    TableComparison
        Four models, or fewer with notes on those that could not be fitted.
    """
    classes = is_classifier(case.estimator)
    X, X_test, y, y_test, _ = _split(case.X, case.y, None, None, None, 0.25, seed, classes)
    notes = ["the times of the networks are without scaling and encoding; their scores are equal."]
    theirs, ours = networks.sklearn, networks.sknumpynet
    network = TableModel(
        type(case.estimator[-1]).__name__, ours.fit_time, ours.predict_time, ours.score
    )
    by_sklearn = TableModel(
        f"{SKLEARN}'s {type(theirs.estimator).__name__}",
        theirs.fit_time,
        theirs.predict_time,
        theirs.score,
    )
    found = TableComparison(case.name, networks.score_name, y, [by_sklearn, network], notes)
    for model in _models(case, seed, classes):
        tell(type(model).__name__)
        fitted = _fitted(model, X, y, X_test, y_test, notes)
        if fitted is None:
            continue
        found.models.append(fitted)
        if hasattr(model, "oof_predictions_"):
            unseen = model.oof_predictions_
            fitted.out_of_fold = model.classes_[unseen.argmax(axis=1)] if classes else unseen
        else:
            _cross_validate(model, fitted, X, y, seed, tell, notes)
    _cross_validate(case.estimator, network, X, y, seed, tell, notes)
    if np.isclose(theirs.score, ours.score, rtol=0, atol=1e-9):
        by_sklearn.out_of_fold = network.out_of_fold
    else:  # the networks of scikit-learn and this package differ at the end
        notes[0] = notes[0].partition(";")[0] + "."
    return found


def _models(case, seed, classes):
    """Return the estimator for tables and the trees, for a matrix of numbers and codes."""
    text = np.arange(case.n_numeric, case.X.shape[1])
    few = [i for i in text if np.nanmax(case.X[:, i]) < MAX_TREE_LEVELS]
    table, trees = (
        (TabularMLPClassifier, HistGradientBoostingClassifier)
        if classes
        else (TabularMLPRegressor, HistGradientBoostingRegressor)
    )
    yield table(categorical_features=text.tolist() or None, max_time=MAX_SECONDS, random_state=seed)
    yield trees(categorical_features=[int(i) for i in few] or None, random_state=seed)


def _fitted(model, X, y, X_test, y_test, notes):
    """Fit and score a model; return None, and add a note, if it cannot be fitted."""
    name = type(model).__name__
    try:
        with _warnings_noted(name, notes):
            start = time.perf_counter()
            model.fit(X, y)
            fit_time = time.perf_counter() - start
            start = time.perf_counter()
            predicted = model.predict(X_test)
            predict_time = time.perf_counter() - start
    except ValueError as error:
        notes.append(f"{name} could not be fitted: {' '.join(str(error).split())}")
        return None
    score = (accuracy_score if is_classifier(model) else r2_score)(y_test, predicted)
    return TableModel(name, fit_time, predict_time, float(score))


def _cross_validate(estimator, fitted, X, y, seed, tell, notes):
    """Compute out-of-fold predictions of a model, unless its fits would take too long."""
    if N_FOLDS * fitted.fit_time > MAX_SECONDS:
        notes.append(
            f"{fitted.name} has no out-of-fold score: {N_FOLDS} fits would take longer than "
            f"{MAX_SECONDS:.0f} s."
        )
        return
    tell(f"{fitted.name}, {N_FOLDS} folds")
    stratified = is_classifier(estimator) and np.unique(y, return_counts=True)[1].min() >= N_FOLDS
    folds = (StratifiedKFold if stratified else KFold)(N_FOLDS, shuffle=True, random_state=seed)
    try:
        with _warnings_noted(fitted.name, []):
            fitted.out_of_fold = cross_val_predict(clone(estimator), X, y, cv=folds)
    except ValueError as error:
        notes.append(f"{fitted.name} has no out-of-fold score: {' '.join(str(error).split())}")


class _warnings_noted(warnings.catch_warnings):
    """Turn warnings into notes, and the warning of a fit that was cut short into Ctrl-C."""

    def __init__(self, name, notes):
        super().__init__(record=True)
        self.name, self.notes = name, notes

    def __enter__(self):
        self.caught = super().__enter__()
        warnings.simplefilter("always")
        return self

    def __exit__(self, *error):
        super().__exit__(*error)
        messages = dict.fromkeys(" ".join(str(one.message).split()) for one in self.caught)
        if any("interrupted" in message for message in messages):
            raise KeyboardInterrupt
        self.notes += [f"{self.name}: {message}" for message in messages]


def _seconds(value):
    return f"{value:.2f} s" if value >= 0.1 else f"{value * 1e3:.2g} ms"
