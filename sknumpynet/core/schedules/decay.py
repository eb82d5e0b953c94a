# SPDX-License-Identifier: BSD-3-Clause
"""Schedules that decay in steps or exponentially, and a custom function."""

from __future__ import annotations

from collections.abc import Callable

from sknumpynet.core.schedules.base import Schedule, TrainingProgress


class StepDecay(Schedule):
    """``rate * factor^floor(epoch / every)``, with epochs counted from 0.

    Parameters
    ----------
    rate : float, default=None
        The first rate; None means the estimator's `learning_rate_init`.
    every : int, default=10
        Number of epochs between two drops.
    factor : float, default=0.5
        Factor by which the rate is multiplied at each drop.

    Examples
    --------
    >>> schedule = StepDecay(0.1, every=2, factor=0.1)
    >>> [round(schedule(TrainingProgress(step, 60, epoch=step // 10)), 6) for step in (0, 19, 20)]
    [0.1, 0.1, 0.01]
    """

    constraints = {
        "rate": "None or a number in (0, inf)",
        "every": "an integer in [1, inf)",
        "factor": "a number in (0, 1]",
    }
    updates = "epoch"

    def __init__(self, rate: float | None = None, every: int = 10, factor: float = 0.5) -> None:
        self.rate = rate
        self.every = every
        self.factor = factor

    def __call__(self, progress: TrainingProgress) -> float:
        return self.peak_rate * self.factor ** (progress.epoch // self.every)


class Exponential(Schedule):
    """``rate * factor^epoch``.

    Parameters
    ----------
    rate : float, default=None
        The first rate; None means the estimator's `learning_rate_init`.
    factor : float, default=0.95
        Factor by which the rate is multiplied after each epoch.

    Examples
    --------
    >>> Exponential(0.1, factor=0.5)(TrainingProgress(epoch=2))
    0.025
    """

    constraints = {"rate": "None or a number in (0, inf)", "factor": "a number in (0, 1]"}
    updates = "epoch"

    def __init__(self, rate: float | None = None, factor: float = 0.95) -> None:
        self.rate = rate
        self.factor = factor

    def __call__(self, progress: TrainingProgress) -> float:
        return self.peak_rate * self.factor**progress.epoch


class Custom(Schedule):
    """A function of the step, for instance ``lambda step: 0.01 * 0.999**step``.

    Parameters
    ----------
    function : callable
        Returns the rate of a step, counted from 0.

    Examples
    --------
    >>> Custom(lambda step: 0.1 / (1 + step))(TrainingProgress(step=9))
    0.01
    """

    constraints = {"function": "a function"}
    rate = None
    updates = "step"

    def __init__(self, function: Callable[[int], float]) -> None:
        self.function = function

    def __call__(self, progress: TrainingProgress) -> float:
        return self.function(progress.step)
