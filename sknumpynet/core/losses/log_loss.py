# SPDX-License-Identifier: BSD-3-Clause
"""The log loss of binary and of multiclass labels.

As in ``base``, each contains its link: the logistic function, or the softmax.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import expit, log_softmax

from sknumpynet.core.arrays import SCALARS, Array
from sknumpynet.core.losses.base import Loss

EPS = {np.dtype(dtype): np.array(np.finfo(dtype).eps) for dtype in (np.float32, np.float64)}


class BinaryLogLoss(Loss):
    """The log loss of a binary label, or of several at once (multilabel).

    ``p = 1 / (1 + exp(-raw))``, ``l = -sum_k y log(p) + (1 - y) log(1 - p)``, ``dl/draw = p - y``.

    A logarithm's argument is at least the eps of the dtype, so that a term never exceeds ``-log(eps)``
    (36.04 for float64); the gradient is not capped. Targets may be bool or integers, or floats in [0, 1].

    Parameters
    ----------
    smoothing : float, default=0.0
        Label smoothing: targets become ``(1 - smoothing) y + smoothing / 2``.

    Examples
    --------
    >>> import numpy as np
    >>> value, gradient = BinaryLogLoss().value_and_gradient(np.array([[1.0]]), np.array([[0.0]]))
    >>> round(value, 6), gradient
    (0.693147, array([[-0.5]]))
    """

    constraints = {"smoothing": "a number in [0, 1)"}
    kind = "classes"
    link = "logistic"

    def __init__(self, smoothing: float = 0.0) -> None:
        self.smoothing = smoothing

    def inverse_link(self, raw: Array, out: Array) -> None:
        expit(raw, out=out)

    def _check_batch(self, y: Array, raw: Array) -> None:
        super()._check_batch(y, raw)
        if y.ndim == 2:
            check_classes(y, 2)

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        p = expit(raw, out=gradient)
        if self.smoothing:
            return self._smoothed(y, raw, p, scratch)
        if y.dtype.kind != "f":  # binary: p where y is 1, 1 - p where it is 0
            np.subtract(SCALARS[p.dtype][1], p, out=scratch)
            np.putmask(scratch, y, p)
            terms = minus_log_of(scratch, scratch)
        else:  # proportions: -log(1 - p) overwrites p, which is computed again
            terms = minus_log_of(p, scratch)
            terms *= y
            other = minus_log_of(np.subtract(1, p, out=p), p)
            terms += other
            other *= y
            terms -= other
            expit(raw, out=gradient)
        gradient -= y
        return terms

    def uncapped_terms(self, y: Array, raw: Array) -> Array:
        # -log(p) = log(1 + exp(-raw)),  -log(1 - p) = log(1 + exp(raw))
        target = (1 - self.smoothing) * y + self.smoothing / 2
        return target * np.logaddexp(0, -raw) + (1 - target) * np.logaddexp(0, raw)

    def _smoothed(self, y: Array, raw: Array, p: Array, scratch: Array) -> Array:
        # with D = -log(p) + log(1-p), l = -log(1-p) + D s/2 + (1-s) D y
        s = self.smoothing
        D = minus_log_of(p, scratch)
        terms = minus_log_of(np.subtract(1, p, out=p), p)
        D -= terms
        D *= s / 2
        terms += D
        D *= (1 - s) / (s / 2)
        D *= y
        D += terms
        # p - (1-s) y - s/2, without an array for the targets
        expit(raw, out=p)
        p -= s / 2
        p /= 1 - s
        p -= y
        p *= 1 - s
        return D


def minus_log_of(p: Array, out: Array) -> Array:
    """Return ``-log(p)``, at most ``-log(eps)``."""
    np.maximum(p, EPS[p.dtype], out=out)
    np.log(out, out=out)
    return np.negative(out, out=out)


def cells_of(y: Array, raw: Array) -> Array:
    """Return the index of ``raw[i, y[i]]`` in the flat array."""
    n, n_classes = raw.shape
    cells: Array = np.arange(0, n * n_classes, n_classes)
    cells += y
    return cells


def check_classes(y: Array, n_classes: int) -> None:
    """Raise ValueError unless class numbers begin with 0, and what is yes or no lies between 0 and 1."""
    low, high = (0, n_classes - 1) if y.ndim == 1 else (0, 1)
    if y.size and not (low <= y.min() and y.max() <= high):
        what = "class numbers are" if y.ndim == 1 else "targets lie in"
        values = f"0 to {high}" if y.ndim == 1 else "[0, 1]"
        raise ValueError(f"{what} {values}; got {y.min()} to {y.max()}")


@lru_cache(maxsize=16)
def _ones(n: int, dtype: np.dtype[Any]) -> Array:
    ones = np.ones(n, dtype)
    ones.flags.writeable = False
    return ones


class MultinomialLogLoss(Loss):
    """The log loss of several classes, also called cross-entropy, with the softmax link.

    ``p = exp(raw) / sum_k exp(raw_k)``, ``l = -log(p_y)``, ``dl/draw = p - onehot(y)``.

    Targets are class indices of shape (n,), or proportions of shape (n, n_classes) whose rows sum to 1,
    with ``l = -sum_k y_k log(p_k)``. The largest raw value of a row is subtracted before ``exp``, which
    avoids overflow and does not change the result. A logarithm's argument is at least the eps of the dtype;
    the gradient is not capped.

    Parameters
    ----------
    smoothing : float, default=0.0
        Label smoothing: class indices become ``(1 - smoothing) onehot(y) + smoothing / n_classes``.

    Examples
    --------
    >>> import numpy as np
    >>> value, gradient = MultinomialLogLoss().value_and_gradient(np.array([1]), np.zeros((1, 2)))
    >>> round(value, 6), gradient
    (0.693147, array([[ 0.5, -0.5]]))
    """

    constraints = {"smoothing": "a number in [0, 1)"}
    kind = "classes"
    link = "softmax"

    def __init__(self, smoothing: float = 0.0) -> None:
        self.smoothing = smoothing

    def inverse_link(self, raw: Array, out: Array) -> None:
        # maxima of short rows are three times as fast when computed over long columns
        if np.may_share_memory(raw, out):
            columns = np.ascontiguousarray(raw.T)
        else:
            columns = out.reshape(raw.shape[::-1])
            np.copyto(columns, raw.T)
        np.subtract(raw, np.maximum.reduce(columns, axis=0)[:, np.newaxis], out=out)
        np.exp(out, out=out)
        # sums of short rows are five times as fast as a product
        out /= out.dot(_ones(out.shape[1], out.dtype))[:, np.newaxis]

    def _check_batch(self, y: Array, raw: Array) -> None:
        super()._check_batch(y, raw)
        check_classes(y, raw.shape[1])

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        self.inverse_link(raw, gradient)
        if y.ndim == 2:
            if y.shape != raw.shape:
                raise ValueError("a column of class numbers was given, not one column per class")
            terms = minus_log_of(gradient, scratch)
            terms *= y
            gradient -= y
            return terms
        cells = cells_of(y, raw)
        p = gradient.reshape(-1)
        if self.smoothing:
            share, rest = self.smoothing / raw.shape[1], 1 - self.smoothing
            terms = minus_log_of(gradient, scratch)
            terms *= share
            terms.reshape(-1)[cells] *= 1 + rest / share
            gradient -= share
            p[cells] -= rest
            return terms
        p_y = p[cells]
        p[cells] = p_y - 1
        return minus_log_of(p_y, p_y)[:, np.newaxis]

    def uncapped_terms(self, y: Array, raw: Array) -> Array:
        target = y
        if y.ndim == 1:
            target = np.full(raw.shape, self.smoothing / raw.shape[1])
            target.reshape(-1)[cells_of(y, raw)] += 1 - self.smoothing
        return np.asarray(target * -log_softmax(raw, axis=1))


class LogLoss(Loss):
    """The log loss for any kind of classes, as with ``loss="log_loss"``.

    Parameters
    ----------
    smoothing : float, default=0.0
        Label smoothing: the share of the target that is spread evenly over the classes.

    References
    ----------
    Szegedy et al.: Rethinking the Inception Architecture for Computer Vision (CVPR 2016), for smoothing.

    Examples
    --------
    >>> LogLoss(smoothing=0.1).for_classes(softmax=True)
    MultinomialLogLoss(smoothing=0.1)
    """

    constraints = {"smoothing": "a number in [0, 1)"}
    kind = "classes"

    def __init__(self, smoothing: float = 0.0) -> None:
        self.smoothing = smoothing

    def for_classes(self, softmax: bool) -> Loss:
        return MultinomialLogLoss(self.smoothing) if softmax else BinaryLogLoss(self.smoothing)
