# SPDX-License-Identifier: BSD-3-Clause
"""Losses: how wrong the output is, and its gradient.

``base`` has the base class, ``by_name`` the names.
"""

from sknumpynet.core.losses.base import Loss, has_inverse_link
from sknumpynet.core.losses.by_name import (
    CLASSIFICATION_LOSSES,
    REGRESSION_LOSSES,
    get_classification_loss,
    get_regression_loss,
)
from sknumpynet.core.losses.deviance import HalfGamma, HalfPoisson, HalfTweedie, LogLinkLoss
from sknumpynet.core.losses.focal import Focal
from sknumpynet.core.losses.log_loss import (
    BinaryLogLoss,
    LogLoss,
    MultinomialLogLoss,
    cells_of,
    minus_log_of,
)
from sknumpynet.core.losses.multioutput import MultioutputLogLoss
from sknumpynet.core.losses.regression import AbsoluteError, Huber, LogCosh, Quantile, SquaredError

__all__ = [
    "CLASSIFICATION_LOSSES",
    "REGRESSION_LOSSES",
    "AbsoluteError",
    "BinaryLogLoss",
    "Focal",
    "HalfGamma",
    "HalfPoisson",
    "HalfTweedie",
    "Huber",
    "LogCosh",
    "LogLinkLoss",
    "LogLoss",
    "Loss",
    "MultinomialLogLoss",
    "MultioutputLogLoss",
    "Quantile",
    "SquaredError",
    "cells_of",
    "get_classification_loss",
    "get_regression_loss",
    "has_inverse_link",
    "minus_log_of",
]
