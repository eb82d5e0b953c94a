# SPDX-License-Identifier: BSD-3-Clause
"""Cosine schedules: decay, and one cycle of rise and decay."""

from __future__ import annotations

import math

from sknumpynet.core.schedules.base import Schedule, TrainingProgress


class Cosine(Schedule):
    """Decays from ``rate`` to ``end_factor * rate`` along half a cosine, over all epochs.

    Parameters
    ----------
    rate : float, default=None
        The first rate; None means the estimator's `learning_rate_init`.
    warmup : float, default=0.0
        Share of the steps at the start in which the rate rises from 0.
    end_factor : float, default=0.0
        The last rate as a share of the first.

    References
    ----------
    Loshchilov, Hutter: SGDR: Stochastic Gradient Descent with Warm Restarts (ICLR 2017, arXiv:1608.03983).

    Examples
    --------
    >>> schedule = Cosine(0.1)
    >>> [round(schedule(TrainingProgress(step, 11)), 6) for step in (0, 5, 10)]
    [0.1, 0.05, 0.0]
    """

    constraints = {
        "rate": "None or a number in (0, inf)",
        "warmup": "a number in [0, 1]",
        "end_factor": "a number in [0, 1]",
    }
    updates = "step"
    fixed_length = True

    def __init__(
        self, rate: float | None = None, warmup: float = 0.0, end_factor: float = 0.0
    ) -> None:
        self.rate = rate
        self.warmup = warmup
        self.end_factor = end_factor

    def __call__(self, progress: TrainingProgress) -> float:
        last = max(progress.n_steps - 1, 1)
        turn = self.warmup * last
        if progress.step < turn:
            return self.peak_rate * (progress.step + 1) / (turn + 1)
        done = (progress.step - turn) / max(last - turn, 1e-9)
        return _half_cosine(self.peak_rate, self.peak_rate * self.end_factor, min(done, 1.0))


class OneCycle(Schedule):
    """Rises from a low rate to ``rate``, then decays to almost zero, each along half a cosine.

    ::

        start = rate * start_factor          # at step 0
        rate                                 # after the share "warmup" of the steps
        start * end_factor                   # at the last step

    The large rate in the middle crosses flat regions fast and avoids narrow minima; the small rate at the end
    lets training converge. Training runs for all epochs: ``max_iter`` is the length of the cycle.

    Parameters
    ----------
    rate : float, default=None
        The largest rate; None means the estimator's `learning_rate_init`. It can be
        several times as large as a constant rate.
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
    >>> [round(schedule(TrainingProgress(step, 11)), 6) for step in (0, 3, 10)]
    [0.0004, 0.01, 0.0]
    """

    constraints = {
        "rate": "None or a number in (0, inf)",
        "warmup": "a number in [0, 1]",
        "start_factor": "a number in [0, 1]",
        "end_factor": "a number in [0, 1]",
    }
    updates = "step"
    fixed_length = True

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

    def __call__(self, progress: TrainingProgress) -> float:
        top, start = self.peak_rate, self.peak_rate * self.start_factor
        last = max(progress.n_steps - 1, 1)
        turn = self.warmup * last
        if progress.step < turn:
            return _half_cosine(start, top, progress.step / turn)
        done = (progress.step - turn) / max(last - turn, 1e-9)
        return _half_cosine(top, start * self.end_factor, min(done, 1.0))


def _half_cosine(start: float, end: float, share: float) -> float:
    """Return ``start`` for share 0, ``end`` for share 1, and in between half a period of a cosine."""
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))
