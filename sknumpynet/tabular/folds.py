# SPDX-License-Identifier: BSD-3-Clause
"""The folds: which rows are held out from each member."""

from __future__ import annotations

import numbers

import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, check_cv

from sknumpynet.core.wording import counted
from sknumpynet.fitting.rollback import warn
from sknumpynet.tabular.columns import is_missing

N_FOLDS = 8
FEW_ROWS, FEW_ROWS_FOLDS = 200, 5
PAIRED = 0.25  # share of rows held out from two members if each fold is held out from one


def _pairs(cv):
    """Return the folds in an iterable, or raise ValueError if it does not hold pairs of row numbers."""
    try:
        folds = [(np.asarray(learned), np.asarray(held_out)) for learned, held_out in cv]
        is_valid = all(
            part.ndim == 1 and part.dtype.kind in "iub" for fold in folds for part in fold
        )
    except (TypeError, ValueError):
        is_valid = False
    if not is_valid or not folds:
        raise ValueError(
            "cv must be a number of folds, a splitter, or a list with a pair for each fold: the numbers of "
            f"the rows to train on, and of those to hold out; got {cv!r}"
        )
    return folds


def fold_of_rows(cv, used, targets, groups, seed, default=N_FOLDS):
    """Return the fold of each row, -1 for rows not used, and the number of folds.

    Parameters
    ----------
    cv : None, int or splitter
        None for ``default`` folds, 5 below 200 rows; stratified by class as far as possible.
    used : ndarray of int
        Rows with a weight above zero.
    targets : Targets
        Folds are stratified by its ``strata``, which are class numbers or None.
    groups : array-like or None
        Rows of one group are in the same fold.
    seed : int
        Seed of the shuffling.
    default : int
        Number of folds if ``cv`` is None.
    """
    n, n_rows = len(used), targets.n_rows
    strata = targets.strata()
    if groups is not None:
        groups = np.asarray(groups)
        if groups.shape != (n_rows,):
            raise ValueError(
                f"groups must have one entry per row, shape {(n_rows,)}; got {groups.shape}"
            )
        check_groups(groups)
    if cv is None or isinstance(cv, numbers.Integral):
        n_units = n if groups is None else len(np.unique(groups[used]))
        n_folds = cv
        if cv is None:
            n_folds = min(default if n >= FEW_ROWS else FEW_ROWS_FOLDS, n_units)
        units = "row" if groups is None else "group"
        if n_units < 2:
            raise ValueError(
                f"there is {n_units} {units}: at least 2 are needed, so that one can be held out"
            )
        if n_folds < 2 or n_folds > n_units:
            raise ValueError(
                f"cv={cv!r} must be a number of folds from 2 to {n_units}, the number of {units}s"
            )
        if cv is None and n_units < FEW_ROWS_FOLDS:
            what = f"X has {n_units} rows" if groups is None else f"there are {n_units} groups"
            warn(
                f"{what}: each is held out alone, which makes folds that "
                "are too small. oof_score_ is unreliable then"
            )
        if groups is None:
            fold = np.full(n_rows, -1)
            fold[used] = dealt(n, strata if strata is None else strata[used], n_folds, seed)
            return fold, int(n_folds)
        even = strata is not None and np.bincount(strata).max() >= n_folds  # else it raises
        cv = (StratifiedGroupKFold if even else GroupKFold)(n_folds)
    if not hasattr(cv, "get_n_splits"):
        cv = _pairs(cv)
    splitter = check_cv(cv, y=strata, classifier=strata is not None)
    called = repr(splitter) if hasattr(cv, "split") else "what is given"
    fold, times = np.full(n_rows, -1), np.zeros(n_rows, int)
    left_out = both = 0
    labels = np.zeros(n_rows) if strata is None else strata
    splits = splitter.split(np.zeros((n_rows, 1)), labels, groups)
    for i, (learned, held_out) in enumerate(splits):
        try:
            fold[held_out] = i
            times[held_out] += 1
            rest = fold != i
            rest[learned] = False
        except IndexError as error:
            raise ValueError(
                f"cv has row numbers that do not exist in X, of {counted(n_rows, 'row')}, in fold {i}: "
                f"{error}"
            ) from error
        left_out += rest.sum()
        both += (fold[learned] == i).sum()
    if (times != 1).any() or fold.max() < 1:
        often = counted(times.max(), "time")
        if times.min() != times.max():
            often = f"{times.min()} to {often}"
        raise ValueError(
            f"cv must be a partition: every row held out once, in 2 folds or more. {called} has "
            f"{counted(fold.max() + 1, 'fold')}, and holds out rows {often}. KFold, StratifiedKFold "
            "and GroupKFold are partitions; for time series pass the last part as X_val and y_val"
        )
    if left_out or both:
        what = "leaves rows out of both" if left_out else "has rows in both"
        raise ValueError(
            "cv must be a partition: a member is trained on all rows that its fold does not hold out. "
            f"{called} {what}, training and held-out rows. For rows that belong together pass groups, for "
            "gaps in time the last part as X_val and y_val"
        )
    kept, own = np.unique(fold[used], return_inverse=True)  # folds with rows of positive weight
    if len(kept) < 2:
        raise ValueError("cv puts all rows with a sample_weight above zero into one fold")
    fold[:] = -1
    fold[used] = own
    return fold, len(kept)


def check_groups(groups):
    """Raise if groups cannot be sorted, because they mix text and numbers or have missing values."""
    if groups.dtype.kind in "Of" and any(map(is_missing, groups)):
        row = next(i for i, each in enumerate(groups) if is_missing(each))
        raise ValueError(
            f"groups has no value in row {row}: give each such row a group, such as a separate one"
        )
    try:
        np.unique(groups)
    except TypeError as error:
        kinds = sorted({type(each).__name__ for each in groups})
        raise TypeError(
            f"groups mixes values of the types {', '.join(kinds)}: convert them to one type, as with "
            "[str(each) for each in groups]"
        ) from error


def second_folds(fold, n_folds, groups, seed, share=PAIRED):
    """Return for a share of the rows the next fold, -1 for the others; rows of a group stay together."""
    units = np.arange(len(fold)) if groups is None else np.unique(groups, return_inverse=True)[1]
    drawn = np.random.default_rng([seed, 1]).random(units.max() + 1) < share
    return np.where(drawn[units] & (fold >= 0), (fold + 1) % n_folds, -1)


def dealt(n, strata, n_folds, seed):
    """Return folds assigned in turn, class by class, to rows in random order."""
    order = np.random.default_rng(seed).permutation(n)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    fold = np.empty(n, int)
    fold[order] = np.arange(n) % n_folds
    return fold
