# SPDX-License-Identifier: BSD-3-Clause
"""What training writes down, and how it notices that nothing improves any more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class EpochRecord(NamedTuple):
    """The record of an epoch, or of an iteration of L-BFGS.

    Attributes
    ----------
    loss : float
        Mean loss of the batches, penalty included, each taken before its step.
    learning_rate : float
        The rate of the epoch's last step.
    gradient_norm : float
        Length of the gradient of that step, penalty included, before it is shortened to ``max_grad_norm``.
    """

    loss: float
    learning_rate: float
    gradient_norm: float


@dataclass
class History:
    """The record of training, one entry per epoch.

    Attributes
    ----------
    loss, learning_rate, gradient_norm : list of float
        As in `EpochRecord`.
    validation_loss, score : list of float
        Loss, without penalty, and score of the validation data after the epoch; empty without such data.
    seconds : list of float
        Time that the epoch took, validation included.
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
        """Write an epoch down; ``validated`` is loss and score of validation data, if any."""
        if validated is not None:
            self.validation_loss.append(validated[0])
            self.score.append(validated[1])
        self.learning_rate.append(record.learning_rate)
        self.gradient_norm.append(record.gradient_norm)
        self.seconds.append(seconds)
        self.loss.append(record.loss)


@dataclass
class Patience:
    """Counts the epochs in a row that were no better than the best one by more than ``tol``.

    ``best`` begins as minus infinity for a score and as infinity for a loss.
    """

    best: float
    n_no_improvement: int = 0

    def update_loss(self, loss: float, tol: float) -> None:
        """Take in the loss of an epoch."""
        self.n_no_improvement = self.n_no_improvement + 1 if loss > self.best - tol else 0
        self.best = min(self.best, loss)

    def update_score(self, score: float, tol: float) -> bool:
        """Take in the score of an epoch, and return whether it is the best so far."""
        progress = score >= self.best + tol  # NaN is none
        self.n_no_improvement = 0 if progress else self.n_no_improvement + 1
        better = score > self.best
        if better:
            self.best = score
        return better
