# SPDX-License-Identifier: BSD-3-Clause
"""A linear warmup before any other schedule."""

from __future__ import annotations

from sknumpynet.core.schedules.base import Schedule, TrainingProgress
from sknumpynet.core.schedules.by_name import get_schedule


class Warmup(Schedule):
    """A linear warmup before any other schedule: ``(step + 1) / (steps + 1)`` of its rate.

    Parameters
    ----------
    schedule : str or Schedule, default='constant'
        The schedule that follows. It counts from the first step, as without warmup.
    steps : int or float, default=0.05
        Length of the warmup: a number of steps, or a share below 1 of all steps.
    rate : float, default=None
        The rate of ``schedule``, if it does not set one; None means the estimator's `learning_rate_init`.

    References
    ----------
    Goyal et al.: Accurate, Large Minibatch SGD (2017, arXiv:1706.02677).

    Examples
    --------
    >>> from sknumpynet.core import Constant
    >>> schedule = Warmup(Constant(0.1), steps=3)
    >>> [schedule(TrainingProgress(step)) for step in (0, 1, 3, 100)]
    [0.025, 0.05, 0.1, 0.1]
    """

    constraints = {"rate": "None or a number in (0, inf)", "steps": "a number in [0, inf)"}
    updates = "step"

    def __init__(
        self,
        schedule: str | Schedule = "constant",
        steps: float = 0.05,
        rate: float | None = None,
    ) -> None:
        self.schedule = schedule
        self.steps = steps
        self.rate = rate

    @property
    def inner(self) -> Schedule:
        """The schedule that follows, with the rate set."""
        return get_schedule(self.schedule, self.peak_rate)

    @property
    def fixed_length(self) -> bool:  # type: ignore[override]
        """Whether the schedule that follows has a fixed number of steps."""
        return self.inner.fixed_length

    @property
    def clamps(self) -> bool:  # type: ignore[override]
        """Whether the schedule that follows keeps its last rate beyond its planned length."""
        return self.inner.clamps

    def on_plateau(self, rate: float) -> float | None:
        return self.inner.on_plateau(rate)

    def __call__(self, progress: TrainingProgress) -> float:
        steps = self.steps if self.steps >= 1 else self.steps * progress.n_steps
        inner = self.inner
        rate = inner.checked_rate(inner(progress), progress)
        return rate * min((progress.step + 1) / (steps + 1), 1.0)
