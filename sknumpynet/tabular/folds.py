# SPDX-License-Identifier: BSD-3-Clause
"""Which rows each member does not see: the fold of every row."""

from __future__ import annotations

import numbers

import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, check_cv

N_FOLDS = 8
FEW_ROWS, FEW_ROWS_FOLDS = 200, 5


def fold_of_rows(cv, used, targets, groups, seed):
    """Return the fold of each row, -1 for rows not used, and the number of folds.

    Parameters
    ----------
    cv : None, int or splitter
        None for 8 folds, 5 below 200 rows; with classes as even among them as they can be.
    used : ndarray of int
        Rows of some weight.
    targets : Targets
        Its ``strata``, class numbers or None, are spread evenly.
    groups : array-like or None
        Rows of one group stay together.
    seed : int
        Of the shuffling.
    """
    n = len(used)
    fold = np.full(targets.n_rows, -1)
    strata = targets.strata()
    if groups is not None:
        groups = np.asarray(groups)
        if groups.shape != (targets.n_rows,):
            raise ValueError(
                f"groups must have one entry per row, shape {(targets.n_rows,)}; got {groups.shape}"
            )
        groups = groups[used]
    n_folds = cv
    if cv is None:
        n_folds = N_FOLDS if n >= FEW_ROWS else FEW_ROWS_FOLDS
    if isinstance(n_folds, numbers.Integral):
        n_units = n if groups is None else len(np.unique(groups))
        if cv is None:
            n_folds = min(n_folds, n_units)
        if n_folds < 2 or n_folds > n_units:
            units = "rows" if groups is None else "groups"
            raise ValueError(
                f"cv={cv!r} needs at least 2 folds and no more than {units}: there are {n_units} {units}"
            )
        if groups is None:
            fold[used] = dealt(n, strata if strata is None else strata[used], n_folds, seed)
            return fold, int(n_folds)
        kind = GroupKFold if strata is None else StratifiedGroupKFold
        cv = kind(n_folds)
    splitter = check_cv(cv, y=None if strata is None else strata[used], classifier=strata is not None)
    count = np.zeros(n, int)
    own = np.empty(n, int)
    i = -1
    labels = np.zeros(n) if strata is None else strata[used]
    for i, (_, held_out) in enumerate(splitter.split(np.zeros((n, 1)), labels, groups)):
        own[held_out] = i
        count[held_out] += 1
    if i < 1 or (count != 1).any():
        raise ValueError(
            f"cv must be a partition: every row held out once, in 2 folds or more. {splitter!r} holds out rows "
            f"{count.min()} to {count.max()} times, in {i + 1} folds. KFold, StratifiedKFold and GroupKFold are "
            "partitions; for time series give the last stretch as X_val and y_val"
        )
    fold[used] = own
    return fold, i + 1


def dealt(n, strata, n_folds, seed):
    """Return folds dealt like cards, class by class, in random order."""
    order = np.random.default_rng(seed).permutation(n)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    fold = np.empty(n, int)
    fold[order] = np.arange(n) % n_folds
    return fold
