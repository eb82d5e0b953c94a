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
# What a fit leaves beside the model: the next one drops what it does not replace.
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
    """Return the attributes that show what a fit did.

    Parameters
    ----------
    plan : FitPlan
        The plan.
    monitor : Monitor
        Its record.
    result : FitResult
        Its outcome.
    earlier : dict
        The attributes of the fit that it went on with; empty where there was none.
    incremental : bool, default=False
        Whether lists of an earlier call are to grow rather than to be copied.
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
    """Return the number of the last epoch that the record of a fit goes on from."""
    if plan.is_lbfgs or not _goes_on(earlier) or not earlier["history_"]["epoch"]:
        return 0
    return earlier["history_"]["epoch"][-1]


def _goes_on(earlier):
    """Return whether there is a record to go on with: that of L-BFGS has no curve."""
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
    """Return what was written down as a dict of lists, one value an epoch."""
    n = len(history.loss)  # written last: an interrupt in between leaves the others one longer
    return {
        key: getattr(history, name)[:n]
        for key, name in COLUMNS.items()
        if validated or not key.startswith("validation")
    }


def last_row(history, n_earlier):
    """Return the newest row of `history_`, which counts on from earlier epochs, as a dict of numbers."""
    columns = {key: getattr(history, name) for key, name in COLUMNS.items()}
    row = {key: values[-1] for key, values in columns.items() if values}
    return {"epoch": n_earlier + len(history.loss), **row}


def _extended(earlier, columns, incremental):
    """Return the history with the epochs in ``columns`` appended.

    `partial_fit` extends the lists that are there, so that a call costs no more after many calls; `fit` makes
    new ones.
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
