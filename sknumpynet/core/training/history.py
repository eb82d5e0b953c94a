# SPDX-License-Identifier: BSD-3-Clause
"""What training writes down, and how it notices that nothing improves any more."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class History:
    """What training records, one entry an epoch.

    Attributes
    ----------
    loss : list of float
        Mean loss of the batches, penalty included, each taken before its step.
    validation_loss, score : list of float
        Loss, without penalty, and score of the validation data after the epoch; empty without such data.
    learning_rate : list of float
        The rate of the epoch's last step.
    gradient_norm : list of float
        Length of the gradient of that step, penalty included, before it is shortened to ``max_grad_norm``.
    seconds : list of float
        Time that the epoch took, validation included.
    """

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


@dataclass
class Patience:
    """Counts the epochs in a row that were no better than the best one by more than ``tol``.

    ``best`` begins as minus infinity for a score and as infinity for a loss.
    """

    best: float
    stalled: int = 0

    def update_loss(self, loss: float, tol: float) -> None:
        self.stalled = self.stalled + 1 if loss > self.best - tol else 0
        self.best = min(self.best, loss)

    def update_score(self, score: float, tol: float) -> bool:
        """Return whether this is the best score so far."""
        self.stalled = 0 if score >= self.best + tol else self.stalled + 1  # NaN is no better
        better = score > self.best
        if better:
            self.best = score
        return better
