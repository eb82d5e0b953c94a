# SPDX-License-Identifier: BSD-3-Clause
"""Schedules: how large a step to take, from where training is.

A schedule is a pure function of progress. What needs a score, such as noticing that nothing improves any
more, is training's task; the schedule only says what happens to the rate then.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from sknumpynet.core.options import Options, resolve


@dataclass
class Progress:
    """Where training is.

    Attributes
    ----------
    step : int
        Steps taken so far.
    n_steps : int
        Steps in all, if training goes on to the largest number of epochs.
    samples : int
        Rows seen so far, counted at the end of each epoch.
    """

    step: int = 0
    n_steps: int = 1
    samples: int = 0


class Schedule(Options):
    """Base class: a function of `Progress` to a learning rate.

    A subclass has a parameter ``rate``, the largest rate; None stands for the estimator's
    ``learning_rate_init``, which is put in before training.

    Attributes
    ----------
    moves : {'never', 'epoch', 'step'}
        When the rate is to be asked for anew.
    has_end : bool
        Whether the schedule is made for a given number of steps. Training then goes on to the end.
    """

    rate: float | None
    moves = "never"
    has_end = False

    def __call__(self, progress: Progress) -> float:
        """Return the learning rate at that point."""
        raise NotImplementedError

    def on_plateau(self, rate: float) -> float | None:
        """Return the rate to go on with when nothing improves any more, or None to stop."""
        return None

    @property
    def top(self) -> float:
        """The largest rate, as a number."""
        return 0.001 if self.rate is None else self.rate


class Constant(Schedule):
    """The same rate from beginning to end.

    Parameters
    ----------
    rate : float, default=None
        The learning rate.

    Examples
    --------
    >>> Constant(0.1)(Progress(samples=1000))
    0.1
    """

    def __init__(self, rate: float | None = None) -> None:
        self.rate = rate

    def __call__(self, progress: Progress) -> float:
        return self.top


class InverseScaling(Schedule):
    """``rate / (samples + 1)^power``, moved at the end of each epoch.

    Parameters
    ----------
    rate : float, default=None
        The learning rate of the first epoch.
    power : float, default=0.5
        The exponent.

    Examples
    --------
    >>> InverseScaling(0.1)(Progress(samples=99))
    0.01
    """

    moves = "epoch"

    def __init__(self, rate: float | None = None, power: float = 0.5) -> None:
        self.rate = rate
        self.power = power

    def __call__(self, progress: Progress) -> float:
        return float(self.top / (progress.samples + 1) ** self.power)


class Adaptive(Schedule):
    """The same rate as long as the loss falls; divided by ``factor`` each time it no longer does.

    Parameters
    ----------
    rate : float, default=None
        The learning rate to begin with.
    factor : float, default=5.0
        What the rate is divided by on a plateau.
    smallest : float, default=1e-6
        Training stops at a plateau with a rate of at most this.

    Examples
    --------
    >>> Adaptive(0.1).on_plateau(0.1), Adaptive(0.1).on_plateau(1e-7)
    (0.02, None)
    """

    def __init__(
        self, rate: float | None = None, factor: float = 5.0, smallest: float = 1e-6
    ) -> None:
        self.rate = rate
        self.factor = factor
        self.smallest = smallest

    def __call__(self, progress: Progress) -> float:
        return self.top

    def on_plateau(self, rate: float) -> float | None:
        return None if rate <= self.smallest else rate / self.factor


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
    "one_cycle": OneCycle,
}


def get_schedule(choice: str | Schedule | Callable[[int], float], rate: float) -> Schedule:
    """Return the schedule of that name, object or function, with ``rate`` put in where it has none."""
    if callable(choice) and not isinstance(choice, Schedule):
        return Custom(choice)
    schedule = resolve(choice, SCHEDULES, Schedule, "learning_rate")
    if "rate" in schedule.get_params() and schedule.rate is None:
        return schedule.clone(rate=rate)
    return schedule.clone()
