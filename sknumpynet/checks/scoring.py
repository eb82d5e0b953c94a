# SPDX-License-Identifier: BSD-3-Clause
"""Checks of `scoring`, with messages that name it."""

from __future__ import annotations

from difflib import get_close_matches

import numpy as np
import sklearn
from sklearn.metrics import check_scoring, get_scorer_names


def checked_scorer(estimator, scoring):
    """Return scikit-learn's scorer for a name or a function, or raise ValueError."""
    if not (scoring is None or isinstance(scoring, str) or callable(scoring)):
        raise TypeError(f"scoring must be a str, a function or None; got {scoring!r}")
    try:
        with sklearn.config_context(skip_parameter_validation=True):  # its message is shorter
            return check_scoring(estimator, scoring=scoring)
    except ValueError as error:
        if not isinstance(scoring, str):
            raise  # a metric in place of a scorer: the message says so
        close = get_close_matches(scoring.lower().replace(" ", "_"), get_scorer_names(), 1)
        hint = f" Did you mean scoring={close[0]!r}?" if close else ""
        raise ValueError(f"scoring={error}{hint}") from error


def as_score(value, scoring):
    """Return what a scorer has returned as a float, or raise ValueError if it is not a number."""
    try:
        if np.ndim(value) == 0 and not isinstance(value, str | bytes):
            return float(value)
    except (TypeError, ValueError):
        pass
    raise ValueError(f"scoring={scoring!r} must return a number; it returned {value!r}")
