# SPDX-License-Identifier: BSD-3-Clause
"""All schedules by name."""

from __future__ import annotations

from collections.abc import Callable

from sknumpynet.core.options import resolve
from sknumpynet.core.schedules.base import Schedule
from sknumpynet.core.schedules.cosine import Cosine, OneCycle
from sknumpynet.core.schedules.decay import Custom, Exponential, StepDecay
from sknumpynet.core.schedules.scikit_learn import Adaptive, Constant, InverseScaling

SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "invscaling": InverseScaling,
    "adaptive": Adaptive,
    "step": StepDecay,
    "exponential": Exponential,
    "cosine": Cosine,
    "one_cycle": OneCycle,
}


def get_schedule(choice: str | Schedule | Callable[[int], float], rate: float) -> Schedule:
    """Return the schedule for a name, object or function, with ``rate`` set if it has none."""
    if isinstance(choice, type):
        raise ValueError(f"learning_rate must be an object, not a class: write {choice.__name__}()")
    if callable(choice) and not isinstance(choice, Schedule):
        return Custom(choice)
    schedule = resolve(choice, SCHEDULES, Schedule, "learning_rate")
    if "rate" in schedule.get_params() and schedule.rate is None:
        return schedule.clone(rate=rate)
    return schedule.clone()
