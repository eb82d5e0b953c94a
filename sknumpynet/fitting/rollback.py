# SPDX-License-Identifier: BSD-3-Clause
"""What guards a fit: nothing is lost where it fails, and warnings point to the line that asked for it."""

from __future__ import annotations

import functools
import math
import sys
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning


def replace_attributes(estimator, make):
    """Give the estimator other attributes in one assignment: a reader sees those before or those after.

    ``make(now)`` returns them, given a copy of those that there are. What another thread sets in the meantime
    stays set.
    """
    old = vars(estimator)
    now = dict(old)
    new = make(now)
    estimator.__dict__ = new
    for name, value in now.items():
        if old.get(name) is not value and new.get(name) is value:
            new[name] = old[name]


def all_or_nothing(method):
    """Decorate a method of an estimator: where it raises, its attributes are put back.

    Parameters stay: a fit does not set them, so that somebody else has.
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
            return method(estimator, *args, **kwargs)
        except BaseException:
            replace_attributes(estimator, put_back)
            raise

    return guarded


SCALE = "Scale X (and y, in regression), or lower learning_rate_init."


def check_finite(network, loss=0.0):
    """Raise where training has diverged; ``loss`` is that of the network, where it is known."""
    params = network.params
    if not (math.isfinite(params.dot(params)) or np.isfinite(params).all()):
        raise ValueError(
            "Solver produced non-finite parameter weights. The input data may contain large values and "
            f"need to be preprocessed. {SCALE}"
        )
    if np.isnan(loss):
        raise ValueError(
            "Training diverged: the loss is NaN. The input data may contain large values and need to be "
            f"preprocessed. {SCALE}"
        )


def check_best(best_score, n_done, unit):
    """Say that training diverged: warn where there is a best network to keep, else raise."""
    if best_score == -np.inf:
        raise ValueError(
            f"Training diverged by {unit} {n_done}, before the validation data had a finite score: what the "
            f"network gives is too large. {SCALE}"
        )
    warn(
        f"Training diverged by {unit} {n_done}: what the network gives for the validation data is not "
        f"finite. The weights with the best validation score before that are kept. {SCALE}",
        ConvergenceWarning,
    )


def warn_of_interrupt():
    """Warn that Ctrl-C has ended the training."""
    warn("Training interrupted by user. The network keeps what it has learnt.")


def warn(message, category=UserWarning):
    """Warn, and point to the line outside of the two libraries that asked for the training."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(
        ("sknumpynet", "sklearn", "contextlib")
    ):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
