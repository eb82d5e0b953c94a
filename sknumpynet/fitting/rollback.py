# SPDX-License-Identifier: BSD-3-Clause
"""Guards of a fit: the estimator is restored if it fails, and warnings point to the user's line."""

from __future__ import annotations

import functools
import math
import operator
import sys
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknumpynet.core.options import is_foreign


def replace_attributes(estimator, make):
    """Replace the estimator's attributes in one assignment, so that readers see the old or the new ones.

    ``make(now)`` returns the new attributes, given a copy of the current ones. Attributes that another thread
    sets in the meantime are kept.
    """
    old = vars(estimator)
    now = dict(old)
    new = make(now)
    estimator.__dict__ = new
    if len(old) == len(now) and all(map(operator.is_, old.values(), now.values())):
        return
    for name, value in now.items():
        if old.get(name) is not value and new.get(name) is value:
            new[name] = old[name]


def quiet():
    """Return a context without NumPy's warnings; values that are not finite are checked afterwards."""
    return np.errstate(all="ignore")


def all_or_nothing(method):
    """Decorate a fitting method of an estimator: if it raises, the attributes are restored.

    Parameters are not restored: a fit does not set them, so another thread did. NumPy's warnings are
    disabled.
    """

    @functools.wraps(method)
    def guarded(estimator, *args, **kwargs):
        before = dict(vars(estimator))

        def put_back(now):
            return {
                name: value if "_" in (name[0], name[-1]) else now.get(name, value)
                for name, value in before.items()
            }

        try:
            with quiet():
                return method(estimator, *args, **kwargs)
        except BaseException:
            replace_attributes(estimator, put_back)
            raise

    return guarded


SCALE = "Scale X (and y, in regression), or lower learning_rate_init."
# If the mean square of the parameters or the loss is larger than this, predictions may overflow.
LARGE_SQUARE, LARGE_LOSS = 1e4, 1e12
# How many times the first loss is much: in fit, in partial_fit, and where chance makes the loss of its rows.
FIT, BATCH, FEW_ROWS = 10.0, 1e3, 1e6


def check_finite(network, loss=0.0):
    """Raise if training has diverged; ``loss`` is that of the network, if it is known."""
    if not (all_finite(network.params) and all_finite(network.running_stats)):
        raise ValueError(
            "Solver produced non-finite parameter weights. The input data may contain large values and "
            f"need to be preprocessed. {SCALE}"
        )
    if not math.isfinite(loss):
        raise ValueError(
            f"Training diverged: the loss is {'NaN' if math.isnan(loss) else loss}. "
            "The input data may contain large values, or sample_weight tiny ones, and need to be "
            f"preprocessed. {SCALE}"
        )


def all_finite(vector):
    """Return whether all numbers are finite; the sum of squares is checked first, which is faster."""
    return math.isfinite(vector.dot(vector)) or bool(np.isfinite(vector).all())


def check_predictions(network, loss, data, value, n_rows):
    """Raise if the parameters are finite but the predictions are not.

    ``n_rows`` rows are checked, or all rows if the parameters or ``value``, the loss, are large.
    """
    params = network.params
    if params.dot(params) > LARGE_SQUARE * len(params) or abs(value) > LARGE_LOSS:
        n_rows = data.n_rows
    if n_rows and not data.predictions_are_finite(network, loss, n_rows):
        raise ValueError(
            "Training diverged: the network's output for X is not finite. The input data may contain "
            f"large values and need to be preprocessed. {SCALE}"
        )


def warn_of_overflow(optimizer):
    """Warn if the optimizer's state has overflowed, so that parameters no longer change."""
    if not is_foreign(optimizer) and not all(map(all_finite, optimizer.arrays())):
        warn(
            f"Gradients were too large for {optimizer!r}: some parameters have not moved. {SCALE} A "
            "sample_weight that is tiny compared with alpha has the same effect.",
            ConvergenceWarning,
        )


def warn_of_growth(training, data, loss, one_epoch):
    """Warn, once in a training, where its loss has grown far beyond that of the first batch.

    It is also compared with the loss of a network that gives 0 in every row: targets of a larger scale than
    before have a larger loss, too.
    """
    first = training.first_loss
    many_times = FIT if not one_epoch else BATCH if data.n_rows >= 20 else FEW_ROWS
    if not 0 < first * many_times < loss:
        return
    sum_of_losses, total = data.loss_of_zeros(training.loss, training.network.n_outputs)
    zeros = sum_of_losses / total * training.loss_scale if total else math.nan
    if not 0 < zeros * many_times < loss:
        return
    training.first_loss = math.inf
    warn(
        f"Training has diverged: the loss was {first:.3g} before the first step, and is {loss:.3g} now. That "
        f"of a network that gives 0 for every row is {zeros:.3g}. Scale X (and y, in regression), lower "
        "learning_rate_init, or set max_grad_norm=1.",
        ConvergenceWarning,
    )


def check_best(best_score, n_done, unit):
    """Report that training diverged: warn if there is a best network to keep, else raise."""
    if best_score == -np.inf:
        raise ValueError(
            f"Training diverged by {unit} {n_done}, before the validation data had a finite score: the "
            f"network's output is too large. {SCALE}"
        )
    warn(
        f"Training diverged by {unit} {n_done}: the network's output for the validation data is not "
        f"finite. The weights with the best validation score before that are kept. {SCALE}",
        ConvergenceWarning,
    )


def warn_of_interrupt():
    """Warn that Ctrl-C has ended training."""
    warn("Training interrupted by user. The network keeps the weights learned so far.")


def warn(message, category=UserWarning):
    """Warn, and point to the user's line, outside of this package and scikit-learn."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(
        ("sknumpynet", "sklearn", "contextlib")
    ):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
