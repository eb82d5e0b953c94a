# SPDX-License-Identifier: BSD-3-Clause
"""The loss of a pack, and the criterion for stopping and for selecting snapshots."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array

PRIOR_DEVIATION = 0.3  # of the logarithm of the temperature: a few rows do not move it far from 1
STEEPEST = 1e6  # limit of dl/draw with the log link, for targets with mean 1; its square is far from overflow
LOWEST_TEMPERATURE = 0.8  # sharper probabilities gain little and are risky


class Objective:
    """A loss from the core on ``raw`` of shape (k, n, outputs).

    Parameters
    ----------
    loss : Loss
        The loss of the rows of ``raw``; its link gives the predictions.
    n_outputs : int
        Columns of ``raw``.
    classes : bool
        Whether predictions are probabilities of classes, and targets class numbers.
    negative_score : callable, default=None
        ``(y, weight, predictions)`` -> the value that replaces the loss in the criterion.
    """

    def __init__(
        self,
        loss: Any,
        n_outputs: int,
        classes: bool,
        negative_score: Callable[[Array, Array, Array], float] | None = None,
    ) -> None:
        self.loss, self.n_outputs, self.classes = loss, n_outputs, classes
        self.negative_score = negative_score

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "negative_score": None}  # not needed after a fit

    def write_delta(self, y: Array, raw: Array, delta: Array, scratch: Array) -> None:
        """Write dl/draw for every row and member; y is (n,) for classes or (n, targets)."""
        rows = raw.reshape(-1, self.n_outputs)
        y = np.concatenate([y] * len(raw))
        self.loss.terms_and_gradient(
            y, rows, delta.reshape(rows.shape), scratch.reshape(rows.shape)
        )
        if self.loss.link == "exp":  # may be infinite, and infinity times a weight of 0 is NaN
            np.clip(delta, -STEEPEST, STEEPEST, out=delta)

    def predictions(self, raw: Array) -> Array:
        """Return predictions with any leading shape, in float64."""
        rows = raw.reshape(-1, self.n_outputs).astype(np.float64)
        self.loss.inverse_link(rows, rows)
        return np.reshape(rows, raw.shape)

    def terms(self, y: Array, predictions: Array) -> Array:
        """Return the loss of each row, (n,), of predictions (n, outputs)."""
        if self.classes:
            p = predictions[np.arange(len(y)), y]
            return -np.log(np.maximum(p, 1e-7))
        raw = predictions
        if self.loss.link == "exp":
            raw = np.log(np.maximum(predictions, 1e-300))
        terms = self.loss.terms_and_gradient(y, raw, np.empty_like(raw), np.empty_like(raw))
        return terms.sum(axis=1)

    def criterion(
        self,
        y: Array,
        weight: Array,
        unseen: Array,
        n_members: int,
        pairs: Array | None = None,
    ) -> float:
        """Return the expected loss of an ensemble of n members, estimated from out-of-fold predictions.

        ``unseen`` is (m, n, outputs): predictions of m members that were not trained on the row. With m = 1
        the result is the mean loss. Otherwise e_1, the mean loss of one member, and e_m, that of the mean of
        m members, are extrapolated to n members:

            e_1 + (e_m - e_1) (1 - 1 / n_members) / (1 - 1 / m)

        This is exact for squared errors (Krogh and Vedelsby 1995). With ``pairs``, the ratio of this to e_1
        is computed from these rows only, and e_1 from ``unseen[0]`` of all rows. For classes, losses are
        computed at the best temperature: members become overconfident while their mean still improves.
        """
        m = len(unseen)
        rows = slice(None) if pairs is None else pairs
        one = float(np.mean([self._loss(y[rows], weight[rows], each[rows]) for each in unseen]))
        if m == 1:
            return one
        mean = self._loss(y[rows], weight[rows], unseen[:, rows].mean(axis=0))
        many = one + (mean - one) * (1 - 1 / n_members) / (1 - 1 / m)
        if 0 < mean < one:  # with few rows, the extrapolated loss can be too low, even negative
            many = max(many, one * (mean / one) ** 3)
        if pairs is None:
            return many
        whole = self._loss(y, weight, unseen[0])
        return whole * many / one if one > 0 else whole + many - one  # scores can have any sign

    def temperature(
        self,
        y: Array,
        weight: Array,
        unseen: Array,
        n_members: int,
        pairs: Array | None = None,
    ) -> float:
        """Return the temperature for the mean of n members, extrapolated from T_1 and T_m as in `criterion`.

        A member that overfits is overconfident, the mean of many is less so: the best temperature of one
        member would be too high for all.
        """

        def log_of(rows: Array | slice, each: Array) -> float:
            return math.log(temperature_loss(y[rows], weight[rows], each[rows], PRIOR_DEVIATION)[1])

        m = len(unseen)
        if m == 1:
            found = log_of(slice(None), unseen[0])
        else:
            rows = slice(None) if pairs is None else pairs
            one = float(np.mean([log_of(rows, each) for each in unseen]))
            gain = log_of(rows, unseen.mean(axis=0)) - one
            whole = one if pairs is None else log_of(slice(None), unseen[0])
            found = whole + gain * (1 - 1 / n_members) / (1 - 1 / m)
        return min(max(math.exp(found), LOWEST_TEMPERATURE), 16.0)

    def ratio_of_errors(
        self,
        y: Array,
        weight: Array,
        unseen: Array,
        oof: Array,
        n_members: int,
        pairs: Array | None = None,
    ) -> float:
        """Return the ratio of the errors of n members to those of ``oof``, at most 1.

        It is the square root of the ratio of the losses for squared errors, the ratio for absolute ones, else
        1.
        """
        power = {"SquaredError": 0.5, "AbsoluteError": 1.0}.get(type(self.loss).__name__)
        if power is None:
            return 1.0
        plain = Objective(self.loss, self.n_outputs, False)
        own = plain._loss(y, weight, oof)
        if own <= 0:
            return 1.0
        many = plain.criterion(y, weight, unseen, n_members, pairs)
        return float(min(1.0, max(0.25, many / own)) ** power)

    def _loss(self, y: Array, weight: Array, predictions: Array) -> float:
        if self.negative_score is not None:
            return self.negative_score(y, weight, predictions)
        if self.classes:
            return temperature_loss(y, weight, predictions)[0]
        return float(np.dot(weight, self.terms(y, predictions)) / weight.sum())


def tempered(p: Array, temperature: float) -> Array:
    """Return p^(1 / T) / sum p^(1 / T): softer probabilities for T > 1, sharper ones for T < 1."""
    powers: Array = np.maximum(p, 1e-30) ** (1 / temperature)
    powers /= powers.sum(axis=-1, keepdims=True)
    return powers


def temperature_loss(
    y: Array, weight: Array, p: Array, deviation: float = math.inf
) -> tuple[float, float]:
    """Return the lowest log loss of p^(1 / T) / sum p^(1 / T) over the temperature T, and this T.

    ``deviation`` is the standard deviation of a normal prior of log T, which has the weight of one row.

    The loss is convex in 1 / T. It is evaluated at powers of 2, then twice at the minimum of the parabola
    through the three best points.
    """
    # single precision, classes first: many exponentials, and sums over few classes
    logits = np.ascontiguousarray(np.log(np.maximum(p.T, 1e-7)), np.float32)
    logits -= logits.max(axis=0)
    weight = weight / weight.sum()
    own = float(np.dot(weight, logits[y, np.arange(len(y))]))
    spare = np.empty_like(logits)

    def loss(step: float) -> float:
        beta = np.float32(2.0**step)
        np.multiply(logits, beta, out=spare)
        np.exp(spare, out=spare)
        sums = np.log(np.add.reduce(spare, axis=0))
        prior = (step * math.log(2) / deviation) ** 2 / 2 / len(y)
        return float(np.dot(weight, sums)) - float(beta) * own + prior

    known = {float(step): loss(step) for step in range(-4, 3)}
    for width in (1.0, 0.25):
        at = min(known, key=lambda step: known[step])
        for step in (at - width, at + width):
            known.setdefault(step, loss(step))
        low, middle, high = known[at - width], known[at], known[at + width]
        bend = low - 2 * middle + high
        if bend > 0:
            lowest = min(max(at + width * (low - high) / (2 * bend), -5.0), 3.0)
            known.setdefault(lowest, loss(lowest))
    at = min(known, key=lambda step: known[step])
    return known[at], float(2.0**-at)
