# SPDX-License-Identifier: BSD-3-Clause
"""The training history, and the rule that decides when nothing improves any more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class EpochRecord(NamedTuple):
    """The record of an epoch, or of an iteration of L-BFGS.

    Attributes
    ----------
    loss : float
        Mean loss of the batches, including the penalty, each computed before its step.
    learning_rate : float
        The rate of the epoch's last step.
    gradient_norm : float
        Norm of the gradient of that step, including the penalty, before clipping.
    """

    loss: float
    learning_rate: float
    gradient_norm: float


@dataclass
class History:
    """The training history, with one entry per epoch.

    Attributes
    ----------
    loss, learning_rate, gradient_norm : list of float
        As in `EpochRecord`.
    validation_loss, score : list of float
        Loss, without penalty, and score of the validation data after the epoch; empty without such data.
    seconds : list of float
        Time of the epoch, including validation.
    """

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def append(
        self, record: EpochRecord, validated: tuple[float, float] | None, seconds: float
    ) -> None:
        """Record an epoch; ``validated`` is loss and score of the validation data, if any."""
        if validated is not None:
            self.validation_loss.append(validated[0])
            self.score.append(validated[1])
        self.learning_rate.append(record.learning_rate)
        self.gradient_norm.append(record.gradient_norm)
        self.seconds.append(seconds)
        self.loss.append(record.loss)


@dataclass
class Patience:
    """Counts consecutive epochs that did not improve on the best value by more than ``tol``.

    ``best`` starts as minus infinity for a score and as infinity for a loss.
    """

    best: float
    n_no_improvement: int = 0

    def update_loss(self, loss: float, tol: float) -> None:
        """Update with the loss of an epoch."""
        self.n_no_improvement = self.n_no_improvement + 1 if loss > self.best - tol else 0
        self.best = min(self.best, loss)

    def update_score(self, score: float, tol: float) -> bool:
        """Update with the score of an epoch, and return whether it is the best so far."""
        progress = score >= self.best + tol  # False for NaN
        self.n_no_improvement = 0 if progress else self.n_no_improvement + 1
        better = score > self.best
        if better:
            self.best = score
        return better
