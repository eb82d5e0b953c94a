# SPDX-License-Identifier: BSD-3-Clause
"""The three schedules that scikit-learn has: constant, inverse scaling, adaptive."""

from __future__ import annotations

from sknumpynet.core.schedules.base import Schedule, TrainingProgress


class Constant(Schedule):
    """A constant rate.

    Parameters
    ----------
    rate : float, default=None
        The learning rate; None means the estimator's `learning_rate_init`.

    Examples
    --------
    >>> Constant(0.1)(TrainingProgress(samples=1000))
    0.1
    """

    constraints = {"rate": "None or a number in (0, inf)"}

    def __init__(self, rate: float | None = None) -> None:
        self.rate = rate

    def __call__(self, progress: TrainingProgress) -> float:
        return self.peak_rate


class InverseScaling(Schedule):
    """``rate / (samples + 1)^power``, updated at the end of each epoch, without end.

    Parameters
    ----------
    rate : float, default=None
        The learning rate of the first epoch; None means the estimator's `learning_rate_init`.
    power : float, default=0.5
        The exponent.

    Examples
    --------
    >>> InverseScaling(0.1)(TrainingProgress(samples=99))
    0.01
    """

    constraints = {"rate": "None or a number in (0, inf)", "power": "a number in [0, inf)"}
    updates = "epoch"
    clamps = False  # as scikit-learn's

    def __init__(self, rate: float | None = None, power: float = 0.5) -> None:
        self.rate = rate
        self.power = power

    def __call__(self, progress: TrainingProgress) -> float:
        return float(self.peak_rate / (progress.samples + 1) ** self.power)


class Adaptive(Schedule):
    """A constant rate as long as the loss falls, divided by ``factor`` at each plateau.

    Parameters
    ----------
    rate : float, default=None
        The initial learning rate; None means the estimator's `learning_rate_init`.
    factor : float, default=5.0
        Divisor of the rate on a plateau.
    smallest : float, default=1e-6
        Training stops at a plateau with a rate of at most this.

    Examples
    --------
    >>> Adaptive(0.1).on_plateau(0.1), Adaptive(0.1).on_plateau(1e-7)
    (0.02, None)
    """

    constraints = {
        "rate": "None or a number in (0, inf)",
        "factor": "a number in (1, inf)",
        "smallest": "a number in [0, inf)",
    }

    def __init__(
        self, rate: float | None = None, factor: float = 5.0, smallest: float = 1e-6
    ) -> None:
        self.rate = rate
        self.factor = factor
        self.smallest = smallest

    def __call__(self, progress: TrainingProgress) -> float:
        return self.peak_rate

    def on_plateau(self, rate: float) -> float | None:
        return None if rate <= self.smallest else rate / self.factor
