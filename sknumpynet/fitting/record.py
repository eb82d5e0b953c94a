# SPDX-License-Identifier: BSD-3-Clause
"""From what training wrote down to `history_` and the curves of an estimator."""

from __future__ import annotations

import numpy as np

# After `partial_fit`, of which there may be millions of calls, so many of the newest values are kept.
LONGEST_CURVE = 10_000
# The keys of `history_` beside "epoch", and the lists of `History` that they show.
COLUMNS = {
    "loss": "loss",
    "validation_loss": "validation_loss",
    "validation_score": "score",
    "learning_rate": "learning_rate",
    "gradient_norm": "gradient_norm",
    "seconds": "seconds",
}
CURVES = (
    "loss_curve_",
    "validation_scores_",
    "validation_loss_curve_",
    "best_loss_",
    "best_validation_score_",
    "history_",
)


def forget_curves(estimator):
    """Drop what an earlier fit recorded."""
    for name in CURVES:
        vars(estimator).pop(name, None)


def columns_of(history, validated):
    """Return what was written down as a dict of lists, one value an epoch."""
    n = len(history.loss)  # an interrupt may have come before all of an epoch was recorded
    columns = {}
    for key, name in COLUMNS.items():
        if validated or not key.startswith("validation"):
            values = getattr(history, name)[:n]
            columns[key] = values + [np.nan] * (n - len(values))
    return columns


def extend_history(estimator, columns, incremental):
    """Append the epochs in ``columns`` to `history_` and to the curves.

    `partial_fit` extends the lists that are there, so that a call costs no more after many calls; `fit` makes
    new ones.
    """
    # L-BFGS has no curve to go on with
    goes_on = hasattr(estimator, "loss_curve_") and hasattr(estimator, "history_")
    earlier = estimator.history_ if goes_on else {"epoch": []}
    n, n_earlier = len(columns["loss"]), len(earlier["epoch"])
    last = earlier["epoch"][-1] if n_earlier else 0
    columns = {"epoch": list(range(last + 1, last + n + 1)), **columns}
    history = {}
    for key in [*columns, *(key for key in earlier if key not in columns)]:
        values = earlier.get(key)
        if values is None:
            values = [np.nan] * n_earlier
        history[key] = values = values if incremental else list(values)
        values.extend(columns.get(key, [np.nan] * n))
        if incremental:
            del values[:-LONGEST_CURVE]
    estimator.history_ = history
    estimator.loss_curve_ = history["loss"]
    estimator.validation_scores_ = estimator.validation_loss_curve_ = None
    if "validation_score" in columns:
        estimator.validation_scores_ = history["validation_score"]
        estimator.validation_loss_curve_ = history["validation_loss"]
