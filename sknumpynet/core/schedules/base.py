# SPDX-License-Identifier: BSD-3-Clause
"""Schedules: the learning rate as a function of the progress of training."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sknumpynet.core.options import Options, fits


@dataclass
class TrainingProgress:
    """The progress of training.

    Attributes
    ----------
    step : int
        Steps taken so far.
    n_steps : int
        Total number of steps, if training runs for the maximum number of epochs.
    samples : int
        Rows seen so far, counted at the end of each epoch.
    epoch : int
        Epochs done so far.
    """

    step: int = 0
    n_steps: int = 1
    samples: int = 0
    epoch: int = 0


class Schedule(Options):
    """Base class: a function from `TrainingProgress` to a learning rate.

    A subclass has a parameter ``rate``, the largest rate; None means the estimator's
    ``learning_rate_init``, which is set before training.

    Attributes
    ----------
    updates : {'never', 'epoch', 'step'}
        When the rate is updated.
    fixed_length : bool
        Whether the schedule has a fixed number of steps. Training then always runs to the end.
    clamps : bool
        Whether the last rate is kept if training continues beyond its planned length, as it may with
        ``partial_fit``.

    Examples
    --------
    >>> class Linear(Schedule):
    ...     updates = "step"
    ...     fixed_length = True
    ...     def __init__(self, rate=None):
    ...         self.rate = rate
    ...     def __call__(self, progress):
    ...         return self.peak_rate * max(1 - progress.step / progress.n_steps, 0)
    >>> Linear(0.5)(TrainingProgress(step=3, n_steps=4))
    0.125
    """

    renamed = {
        "moves": "updates",
        "has_end": "fixed_length",
        "holds": "clamps",
        "held": "rate_at",
        "top": "peak_rate",
    }
    rate: float | None
    updates = "never"
    fixed_length = False
    clamps = True

    def __call__(self, progress: TrainingProgress) -> float:
        """Return the learning rate at this point."""
        raise NotImplementedError

    def rate_at(self, progress: TrainingProgress, n_epochs: int | None = None) -> float:
        """Return the rate at this point; beyond the planned epochs that of the last step if it `clamps`."""
        at = progress
        if self.clamps and n_epochs and (at.step >= at.n_steps or at.epoch >= n_epochs):
            step, epoch = min(at.step, at.n_steps - 1), min(at.epoch, n_epochs - 1)
            at = replace(at, step=step, epoch=epoch)
        return self.checked_rate(self(at), at)

    def checked_rate(self, rate: Any, progress: TrainingProgress) -> float:
        """Return a rate that this schedule has returned at this point, or raise ValueError if it is none."""
        if type(rate) is float and 0 <= rate < math.inf:  # as those of the package do
            return rate
        number = rate[()] if isinstance(rate, np.ndarray) else rate
        if not fits(number, "a number in [0, inf)"):
            raise ValueError(
                f"learning_rate must be a finite number, at least 0: in epoch {progress.epoch + 1}, at step "
                f"{progress.step}, {self!r} returned {rate!r}"
            )
        return float(number)

    def on_plateau(self, rate: float) -> float | None:
        """Return the rate to continue with when nothing improves any more, or None to stop."""
        return None

    def get_state(self) -> dict[str, Any]:
        """Return a copy of the attributes: a subclass may count plateaus, for instance.

        A subclass with attributes that are neither arrays nor plain values overrides `get_state` and
        `set_state`.
        """
        return self._copied_attributes(vars(self))

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore a state returned by `get_state`."""
        vars(self).update(copy.deepcopy(state))

    @property
    def peak_rate(self) -> float:
        """The largest rate, as a number."""
        return 0.001 if self.rate is None else self.rate
