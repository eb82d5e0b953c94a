# SPDX-License-Identifier: BSD-3-Clause
"""Convert the training history to `history_` and the curves of an estimator."""

from __future__ import annotations

import numpy as np

# `partial_fit`, which may be called millions of times, keeps this many of the latest values.
LONGEST_CURVE = 10_000
# The keys of `history_` except "epoch", and the lists of `History` for them.
COLUMNS = {
    "loss": "loss",
    "validation_loss": "validation_loss",
    "validation_score": "score",
    "learning_rate": "learning_rate",
    "gradient_norm": "gradient_norm",
    "seconds": "seconds",
}
# Attributes of a fit in addition to the model: the next fit removes those that it does not replace.
RECORDED = (
    "n_iter_",
    "t_",
    "loss_",
    "loss_curve_",
    "validation_scores_",
    "validation_loss_curve_",
    "best_loss_",
    "best_validation_score_",
    "best_epoch_",
    "history_",
)


def recorded(plan, monitor, result, earlier, incremental=False):
    """Return the attributes that describe a fit.

    Parameters
    ----------
    plan : FitPlan
        The plan.
    monitor : Monitor
        The monitor, with the training history.
    result : FitResult
        The result.
    earlier : dict
        The attributes of the fit that was continued; empty if there was none.
    incremental : bool, default=False
        Whether to extend the lists of an earlier call instead of copying them.
    """
    columns = _columns(monitor.history, monitor.validation is not None)
    n_samples = earlier.get("t_", 0) if result.n_samples is None else result.n_samples
    attributes = {"n_iter_": result.n_iter, "t_": n_samples}
    if plan.is_lbfgs:  # no `loss_curve_`, as in scikit-learn
        n = len(columns["loss"])
        history = {"epoch": list(range(1, n + 1)), **columns}
        attributes |= {
            "loss_": result.loss,
            "history_": history,
            "best_epoch_": _best_epoch(history, monitor),
        }
        if monitor.validation is not None:
            attributes["validation_loss_curve_"] = columns["validation_loss"]
            attributes["validation_scores_"] = columns["validation_score"]
            if plan.early_stopping:
                attributes["best_validation_score_"] = monitor.patience.best
        return attributes
    history = _extended(
        earlier["history_"] if _goes_on(earlier) else {"epoch": []}, columns, incremental
    )
    curve = history["loss"]
    attributes |= {
        "history_": history,
        "best_epoch_": _best_epoch(history, monitor),
        "loss_curve_": curve,
        "loss_": result.loss if columns["loss"] or not curve else curve[-1],
        "validation_scores_": None,
        "validation_loss_curve_": None,
        "best_validation_score_": monitor.patience.best if plan.early_stopping else None,
        "best_loss_": None if plan.early_stopping else monitor.patience.best,
    }
    if "validation_score" in columns:
        attributes["validation_scores_"] = history["validation_score"]
        attributes["validation_loss_curve_"] = history["validation_loss"]
    return attributes


def n_earlier_epochs(plan, earlier):
    """Return the number of the last epoch before the history of this fit."""
    if plan.is_lbfgs or not _goes_on(earlier) or not earlier["history_"]["epoch"]:
        return 0
    return earlier["history_"]["epoch"][-1]


def _goes_on(earlier):
    """Return whether there is a history to continue: that of L-BFGS has no curve."""
    return "loss_curve_" in earlier and "history_" in earlier


def _best_epoch(history, monitor):
    """Return the epoch whose weights are kept, as `history_` counts it; None before the first one."""
    n = monitor.n_epochs
    if not n:
        return history["epoch"][-1] if history["epoch"] else None
    if not monitor.decides:
        return history["epoch"][-1]
    return history["epoch"][-n:][int(np.nanargmax(monitor.history.score))]


def _columns(history, validated):
    """Return the history as a dict of lists, with one value per epoch."""
    n = len(history.loss)  # appended last: after an interrupt the others may be longer by one
    return {
        key: getattr(history, name)[:n]
        for key, name in COLUMNS.items()
        if validated or not key.startswith("validation")
    }


def last_row(history, n_earlier):
    """Return the latest row of `history_`, whose epochs continue earlier ones, as a dict of numbers."""
    columns = {key: getattr(history, name) for key, name in COLUMNS.items()}
    row = {key: values[-1] for key, values in columns.items() if values}
    return {"epoch": n_earlier + len(history.loss), **row}


def _extended(earlier, columns, incremental):
    """Return the history with the epochs in ``columns`` appended.

    `partial_fit` extends the existing lists, so that a call is still fast after many calls; `fit` creates new
    ones.
    """
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
    return history
