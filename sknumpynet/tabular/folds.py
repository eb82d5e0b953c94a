# SPDX-License-Identifier: BSD-3-Clause
"""Which rows each member does not see: the fold of every row."""

from __future__ import annotations

import numbers

import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, check_cv

from sknumpynet.fitting.rollback import warn
from sknumpynet.tabular.columns import is_missing

N_FOLDS = 8
FEW_ROWS, FEW_ROWS_FOLDS = 200, 5
PAIRED = 0.25  # share of rows hidden from two members where each fold is hidden from one


def fold_of_rows(cv, used, targets, groups, seed, default=N_FOLDS):
    """Return the fold of each row, -1 for rows not used, and the number of folds.

    Parameters
    ----------
    cv : None, int or splitter
        None for ``default`` folds, 5 below 200 rows; with classes as even among them as they can be.
    used : ndarray of int
        Rows of some weight.
    targets : Targets
        Its ``strata``, class numbers or None, are spread evenly.
    groups : array-like or None
        Rows of one group stay together.
    seed : int
        Of the shuffling.
    default : int
        Folds where ``cv`` is None.
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
                f"{what}: each is held out alone, which makes folds that are too small. oof_score_ is "
                "unreliable then"
            )
        if groups is None:
            fold = np.full(n_rows, -1)
            fold[used] = dealt(n, strata if strata is None else strata[used], n_folds, seed)
            return fold, int(n_folds)
        even = strata is not None and np.bincount(strata).max() >= n_folds  # else it refuses
        cv = (StratifiedGroupKFold if even else GroupKFold)(n_folds)
    splitter = check_cv(cv, y=strata, classifier=strata is not None)
    called = repr(splitter) if hasattr(cv, "split") else "what is given"
    fold, times = np.full(n_rows, -1), np.zeros(n_rows, int)
    left_out = both = 0
    labels = np.zeros(n_rows) if strata is None else strata
    for i, (learned, held_out) in enumerate(splitter.split(np.zeros((n_rows, 1)), labels, groups)):
        try:
            fold[held_out] = i
            times[held_out] += 1
            rest = fold != i
            rest[learned] = False
        except IndexError as error:
            raise ValueError(
                f"cv has row numbers that X, of {n_rows} rows, has not, in fold {i}: {error}"
            ) from error
        left_out += rest.sum()
        both += (fold[learned] == i).sum()
    if (times != 1).any() or fold.max() < 1:
        raise ValueError(
            f"cv must be a partition: every row held out once, in 2 folds or more. {called} holds out "
            f"rows {times.min()} to {times.max()} times, in {fold.max() + 1} folds. KFold, StratifiedKFold "
            "and GroupKFold are partitions; for time series give the last part as X_val and y_val"
        )
    if left_out or both:
        what = "leaves rows out of both" if left_out else "has rows in both"
        raise ValueError(
            f"cv must be a partition: what a fold does not hold out is learned from. {called} {what}, "
            "training and held-out rows. For rows that belong together give groups, for gaps in time the "
            "last stretch as X_val and y_val"
        )
    kept, own = np.unique(fold[used], return_inverse=True)  # folds that hold rows of some weight
    if len(kept) < 2:
        raise ValueError("cv puts all rows with a sample_weight above zero into one fold")
    fold[:] = -1
    fold[used] = own
    return fold, len(kept)


def check_groups(groups):
    """Raise where groups cannot be told apart by sorting: text beside numbers, or what is missing."""
    if groups.dtype.kind in "Of" and any(map(is_missing, groups)):
        row = next(i for i, each in enumerate(groups) if is_missing(each))
        raise ValueError(
            f"groups has no value in row {row}: give each such row a group, as one of its own"
        )
    try:
        np.unique(groups)
    except TypeError as error:
        kinds = sorted({type(each).__name__ for each in groups})
        raise TypeError(
            f"groups mixes values of the types {', '.join(kinds)}: make them one, as with "
            "[str(each) for each in groups]"
        ) from error


def second_folds(fold, n_folds, groups, seed, share=PAIRED):
    """Return for a share of the rows the next fold, -1 for the rest; rows of a group stay together."""
    units = np.arange(len(fold)) if groups is None else np.unique(groups, return_inverse=True)[1]
    drawn = np.random.default_rng([seed, 1]).random(units.max() + 1) < share
    return np.where(drawn[units] & (fold >= 0), (fold + 1) % n_folds, -1)


def dealt(n, strata, n_folds, seed):
    """Return folds dealt like cards, class by class, in random order."""
    order = np.random.default_rng(seed).permutation(n)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    fold = np.empty(n, int)
    fold[order] = np.arange(n) % n_folds
    return fold
