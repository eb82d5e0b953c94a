# SPDX-License-Identifier: BSD-3-Clause
"""What guards a fit: nothing is lost where it fails, and warnings point to the line that asked for it."""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager

import numpy as np

from sknumpynet._compat import CALLBACK_ATTRIBUTES


@contextmanager
def all_or_nothing(estimator):
    """Put all attributes back where the block raises."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        now = {
            name: value for name, value in vars(estimator).items() if name in CALLBACK_ATTRIBUTES
        }
        vars(estimator).clear()
        vars(estimator).update({**before, **now})
        raise


def check_finite(network):
    """Raise where training has diverged."""
    if not np.isfinite(network.params).all():
        raise ValueError(
            "Solver produced non-finite parameter weights. The input data may contain large values and "
            "need to be preprocessed. Scale X (and y, in regression), or lower learning_rate_init."
        )


def warn_of_interrupt():
    """Warn that Ctrl-C has ended the training."""
    warn("Training interrupted by user. The network keeps what it has learnt.")


def warn(message, category=UserWarning):
    """Warn, and point to the line outside of the two libraries that asked for the training."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(
        ("sknumpynet", "sklearn")
    ):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
