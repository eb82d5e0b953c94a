# SPDX-License-Identifier: BSD-3-Clause
"""Schedules that come down: by steps, exponentially, along a cosine, in one cycle; and a rise before any.

As in ``schedules``, each is a function of `Progress` to a rate; here stands the table of all by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from sknumpynet.core.options import resolve
from sknumpynet.core.schedules import Adaptive, Constant, InverseScaling, Progress, Schedule


class Step(Schedule):
    """``rate * factor^(number of times that `every` epochs have passed)``.

    Parameters
    ----------
    rate : float, default=None
        The first rate.
    every : int, default=10
        Epochs from one drop to the next.
    factor : float, default=0.5
        What the rate is multiplied by.

    Examples
    --------
    >>> schedule = Step(0.1, every=2, factor=0.1)
    >>> [round(schedule(Progress(step, 60, epoch=step // 10)), 6) for step in (0, 19, 20)]
    [0.1, 0.1, 0.01]
    """

    constraints = {
        "rate": "None or a number in (0, inf)",
        "every": "an integer in [1, inf)",
        "factor": "a number in (0, 1]",
    }
    moves = "epoch"

    def __init__(self, rate: float | None = None, every: int = 10, factor: float = 0.5) -> None:
        self.rate = rate
        self.every = every
        self.factor = factor

    def __call__(self, progress: Progress) -> float:
        return self.top * self.factor ** (progress.epoch // self.every)


class Exponential(Schedule):
    """``rate * factor^epoch``.

    Parameters
    ----------
    rate : float, default=None
        The first rate.
    factor : float, default=0.95
        What the rate is multiplied by after each epoch.

    Examples
    --------
    >>> Exponential(0.1, factor=0.5)(Progress(epoch=2))
    0.025
    """

    constraints = {"rate": "None or a number in (0, inf)", "factor": "a number in (0, 1]"}
    moves = "epoch"

    def __init__(self, rate: float | None = None, factor: float = 0.95) -> None:
        self.rate = rate
        self.factor = factor

    def __call__(self, progress: Progress) -> float:
        return self.top * self.factor**progress.epoch


class Cosine(Schedule):
    """From ``rate`` down to ``end_factor * rate`` along half a cosine, over all epochs.

    Parameters
    ----------
    rate : float, default=None
        The first rate.
    warmup : float, default=0.0
        Share of the steps before that in which the rate rises from 0.
    end_factor : float, default=0.0
        The last rate as a share of the first.

    References
    ----------
    Loshchilov, Hutter: SGDR: Stochastic Gradient Descent with Warm Restarts (ICLR 2017, arXiv:1608.03983).

    Examples
    --------
    >>> schedule = Cosine(0.1)
    >>> [round(schedule(Progress(step, 11)), 6) for step in (0, 5, 10)]
    [0.1, 0.05, 0.0]
    """

    constraints = {
        "rate": "None or a number in (0, inf)",
        "warmup": "a number in [0, 1]",
        "end_factor": "a number in [0, 1]",
    }
    moves = "step"
    has_end = True

    def __init__(
        self, rate: float | None = None, warmup: float = 0.0, end_factor: float = 0.0
    ) -> None:
        self.rate = rate
        self.warmup = warmup
        self.end_factor = end_factor

    def __call__(self, progress: Progress) -> float:
        last = max(progress.n_steps - 1, 1)
        turn = self.warmup * last
        if progress.step < turn:
            return self.top * (progress.step + 1) / (turn + 1)
        done = (progress.step - turn) / max(last - turn, 1e-9)
        return _half_cosine(self.top, self.top * self.end_factor, min(done, 1.0))


class OneCycle(Schedule):
    """Up from a small rate to ``rate``, then down to almost nothing, each along half a cosine.

    ::

        start = rate * start_factor          at step 0
        rate                                 after the share ``warmup`` of the steps
        start * end_factor                   at the last step

    The large rate in between crosses flat ground fast and keeps out of narrow minima; the end settles.
    Training takes all of its epochs: ``max_iter`` is the length of the cycle.

    Parameters
    ----------
    rate : float, default=None
        The largest rate. It may be several times what a constant rate may be.
    warmup : float, default=0.3
        Share of the steps in which the rate rises.
    start_factor : float, default=0.04
        The first rate as a share of the largest.
    end_factor : float, default=1e-4
        The last rate as a share of the first.

    References
    ----------
    Smith, Topin: Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates
    (2018, arXiv:1708.07120).

    Examples
    --------
    >>> schedule = OneCycle(0.01)
    >>> [round(schedule(Progress(step, 11)), 6) for step in (0, 3, 10)]
    [0.0004, 0.01, 0.0]
    """

    constraints = {
        "rate": "None or a number in (0, inf)",
        "warmup": "a number in [0, 1]",
        "start_factor": "a number in [0, 1]",
        "end_factor": "a number in [0, 1]",
    }
    moves = "step"
    has_end = True

    def __init__(
        self,
        rate: float | None = None,
        warmup: float = 0.3,
        start_factor: float = 0.04,
        end_factor: float = 1e-4,
    ) -> None:
        self.rate = rate
        self.warmup = warmup
        self.start_factor = start_factor
        self.end_factor = end_factor

    def __call__(self, progress: Progress) -> float:
        top, start = self.top, self.top * self.start_factor
        last = max(progress.n_steps - 1, 1)
        turn = self.warmup * last
        if progress.step < turn:
            return _half_cosine(start, top, progress.step / turn)
        done = (progress.step - turn) / max(last - turn, 1e-9)
        return _half_cosine(top, start * self.end_factor, min(done, 1.0))


class Warmup(Schedule):
    """A linear rise before any other schedule: ``(step + 1) / (steps + 1)`` of its rate.

    Parameters
    ----------
    schedule : str or Schedule, default='constant'
        What follows. It counts from the first step, as it would without the rise.
    steps : int or float, default=0.05
        Length of the rise: a number of steps, or a share below 1 of all steps.
    rate : float, default=None
        The rate of ``schedule``, where that has none of its own.

    References
    ----------
    Goyal et al.: Accurate, Large Minibatch SGD (2017, arXiv:1706.02677).

    Examples
    --------
    >>> schedule = Warmup(Constant(0.1), steps=3)
    >>> [schedule(Progress(step)) for step in (0, 1, 3, 100)]
    [0.025, 0.05, 0.1, 0.1]
    """

    constraints = {"rate": "None or a number in (0, inf)", "steps": "a number in [0, inf)"}
    moves = "step"

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
        """The schedule that follows, with the rate put in."""
        return get_schedule(self.schedule, self.top)

    @property
    def has_end(self) -> bool:  # type: ignore[override]
        return self.inner.has_end

    @property
    def holds(self) -> bool:  # type: ignore[override]
        return self.inner.holds

    def on_plateau(self, rate: float) -> float | None:
        return self.inner.on_plateau(rate)

    def __call__(self, progress: Progress) -> float:
        steps = self.steps if self.steps >= 1 else self.steps * progress.n_steps
        rate = self.inner(progress)
        return rate * min((progress.step + 1) / (steps + 1), 1.0)


class Custom(Schedule):
    """A function of the step, for instance ``lambda step: 0.01 * 0.999**step``.

    Parameters
    ----------
    function : callable
        Gives the rate of a step, counted from 0.

    Examples
    --------
    >>> Custom(lambda step: 0.1 / (1 + step))(Progress(step=9))
    0.01
    """

    constraints = {"function": "a function"}
    rate = None
    moves = "step"

    def __init__(self, function: Callable[[int], float]) -> None:
        self.function = function

    def __call__(self, progress: Progress) -> float:
        return float(self.function(progress.step))


def _half_cosine(start: float, end: float, share: float) -> float:
    """Return ``start`` for share 0, ``end`` for share 1, and in between half a period of a cosine."""
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "invscaling": InverseScaling,
    "adaptive": Adaptive,
    "step": Step,
    "exponential": Exponential,
    "cosine": Cosine,
    "one_cycle": OneCycle,
}


def get_schedule(choice: str | Schedule | Callable[[int], float], rate: float) -> Schedule:
    """Return the schedule of that name, object or function, with ``rate`` put in where it has none."""
    if isinstance(choice, type):
        raise ValueError(f"learning_rate must be an object, not a class: write {choice.__name__}()")
    if callable(choice) and not isinstance(choice, Schedule):
        return Custom(choice)
    schedule = resolve(choice, SCHEDULES, Schedule, "learning_rate")
    if "rate" in schedule.get_params() and schedule.rate is None:
        return schedule.clone(rate=rate)
    return schedule.clone()
