# SPDX-License-Identifier: BSD-3-Clause
"""The losses for classification and for regression, by name."""

from __future__ import annotations

from sknumpynet.core.losses.base import Loss
from sknumpynet.core.losses.deviance import HalfGamma, HalfPoisson, HalfTweedie
from sknumpynet.core.losses.focal import Focal
from sknumpynet.core.losses.log_loss import LogLoss
from sknumpynet.core.losses.regression import AbsoluteError, Huber, LogCosh, Quantile, SquaredError
from sknumpynet.core.options import resolve

CLASSIFICATION_LOSSES: dict[str, type[Loss]] = {"log_loss": LogLoss, "focal": Focal}


def get_classification_loss(choice: str | Loss) -> Loss:
    """Return the classification loss with this name, or the object itself."""
    loss = resolve(choice, CLASSIFICATION_LOSSES, Loss, "loss")
    if loss.kind == "numbers":
        names = ", ".join(map(repr, CLASSIFICATION_LOSSES))
        raise ValueError(f"loss={choice!r} is for numbers; the classifier takes one of {names}")
    return loss


REGRESSION_LOSSES: dict[str, type[Loss]] = {
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "huber": Huber,
    "log_cosh": LogCosh,
    "quantile": Quantile,
    "poisson": HalfPoisson,
    "gamma": HalfGamma,
    "tweedie": HalfTweedie,
}


def get_regression_loss(choice: str | Loss) -> Loss:
    """Return the regression loss with this name, or the object itself."""
    loss = resolve(choice, REGRESSION_LOSSES, Loss, "loss")
    if loss.kind == "classes":
        names = ", ".join(map(repr, REGRESSION_LOSSES))
        raise ValueError(f"loss={choice!r} is for classes; the regressor takes one of {names}")
    return loss
