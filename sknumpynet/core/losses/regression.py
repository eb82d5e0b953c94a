# SPDX-License-Identifier: BSD-3-Clause
"""Losses for regression: the squared error, losses less sensitive to outliers, and the quantile loss."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.losses.base import Loss
from sknumpynet.core.options import fits


class SquaredError(Loss):
    """Half the squared error, summed over the outputs.

    ``l = 1/2 * sum_k (raw_k - y_k)^2``, ``dl/draw = raw - y``; the prediction is ``raw`` itself.

    Examples
    --------
    >>> import numpy as np
    >>> SquaredError().value_and_gradient(np.array([[1.0]]), np.array([[3.0]]))
    (2.0, array([[2.]]))
    """

    kind = "numbers"
    reports_mean = True

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        np.subtract(raw, y, out=gradient)
        np.multiply(gradient, gradient, out=scratch)
        scratch *= 0.5
        return scratch


class AbsoluteError(Loss):
    """The absolute error, whose best constant prediction is the median.

    ``l = sum_k |e_k|``, ``dl/draw = sign(e)``.

    Examples
    --------
    >>> import numpy as np
    >>> AbsoluteError().value_and_gradient(np.array([[1.0]]), np.array([[3.0]]))
    (2.0, array([[1.]]))
    """

    kind = "numbers"
    reports_mean = True

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        np.subtract(raw, y, out=gradient)
        np.abs(gradient, out=scratch)
        np.sign(gradient, out=gradient)
        return scratch


class Huber(Loss):
    """Squared for small errors, linear for large ones, which limits the influence of outliers.

    ``l = e^2 / 2`` where ``|e| <= delta``, else ``delta (|e| - delta / 2)``;
    ``dl/draw = min(max(e, -delta), delta)``.

    Parameters
    ----------
    delta : float, default=1.0
        Error at which the linear part begins, in the unit of y.

    References
    ----------
    Huber: Robust Estimation of a Location Parameter (Annals of Mathematical Statistics 35, 1964).

    Examples
    --------
    >>> import numpy as np
    >>> Huber(delta=1.0).value_and_gradient(np.array([[1.0]]), np.array([[3.0]]))
    (1.5, array([[1.]]))
    """

    constraints = {"delta": "a number in (0, inf)"}
    kind = "numbers"
    reports_mean = True

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = delta

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        # with c = clip(e), both branches are c (e - c / 2)
        np.subtract(raw, y, out=scratch)
        np.maximum(scratch, -self.delta, out=gradient)
        np.minimum(gradient, self.delta, out=gradient)
        scratch -= gradient
        scratch *= 2
        scratch += gradient
        scratch *= gradient
        scratch *= 0.5
        return scratch


class LogCosh(Loss):
    """The logarithm of the hyperbolic cosine of the error: like `Huber`, and smooth everywhere.

    ``l = sum_k log(cosh(e_k))``, ``dl/draw = tanh(e)``.

    Examples
    --------
    >>> import numpy as np
    >>> value, gradient = LogCosh().value_and_gradient(np.array([[0.0]]), np.array([[1000.0]]))
    >>> round(value, 3), gradient
    (999.307, array([[1.]]))
    """

    kind = "numbers"
    reports_mean = True

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        # log(cosh(e)) = log(exp(e) + exp(-e)) - log(2), which logaddexp computes without overflow
        np.subtract(raw, y, out=gradient)
        np.negative(gradient, out=scratch)
        np.logaddexp(gradient, scratch, out=scratch)
        scratch -= math.log(2)
        np.tanh(gradient, out=gradient)
        return scratch


class Quantile(Loss):
    """The pinball loss of one or several quantiles, one output each.

    ``l = sum_q max(q (y - raw_q), (q - 1) (y - raw_q))``; ``dl/draw_q = -q`` where ``y > raw_q``, else
    ``1 - q``. The predictions of a row are sorted, so that a higher quantile is never below a lower one.

    Parameters
    ----------
    quantiles : float or sequence of float, default=0.5
        The quantiles in (0, 1), in ascending order.

    References
    ----------
    - Koenker, Bassett: Regression Quantiles (Econometrica 46, 1978).
    - Chernozhukov, Fernandez-Val, Galichon: Quantile and Probability Curves Without Crossing
      (Econometrica 78, 2010), for the sorting.

    Examples
    --------
    >>> import numpy as np
    >>> loss = Quantile([0.1, 0.9])
    >>> value, gradient = loss.value_and_gradient(np.array([[1.0]]), np.array([[0.0, 3.0]]))
    >>> round(value, 6), gradient
    (0.3, array([[-0.1,  0.1]]))
    """

    kind = "numbers"
    reports_mean = True

    def __init__(self, quantiles: float | Sequence[float] = 0.5) -> None:
        self.quantiles = quantiles

    def check(self) -> None:
        levels = np.ravel(self.quantiles)
        if not (
            all(fits(level, "a number in (0, 1)") for level in levels.tolist())
            and len(levels)
            and np.all(np.diff(levels) > 0)
        ):
            raise ValueError(
                f"{self!r}: quantiles must lie in (0, 1) and rise, as [0.1, 0.5, 0.9] do"
            )

    def n_outputs_for(self, n_targets: int) -> int:
        levels = self._levels()
        if len(levels) > 1 and n_targets > 1:
            raise ValueError(f"several quantiles need a single target; y has {n_targets} columns")
        return n_targets if len(levels) == 1 else len(levels)

    def _levels(self) -> Array:
        return np.ravel(self.quantiles).astype(np.float64)

    def inverse_link(self, raw: Array, out: Array) -> None:
        super().inverse_link(raw, out)
        if len(self._levels()) > 1:
            out.sort(axis=1)

    def point_prediction(self, prediction: Array) -> Array:
        levels = self._levels()
        if len(levels) == 1:
            return prediction
        middle = int(np.abs(levels - 0.5).argmin())
        return prediction[:, middle : middle + 1]

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        # with below = 1 where y > raw, dl/draw = (1 - q) - below, and l = (raw - y) dl/draw
        q = self._levels().astype(raw.dtype)
        np.greater(y, raw, out=gradient)
        np.subtract(1 - q, gradient, out=gradient)
        np.subtract(raw, y, out=scratch)
        scratch *= gradient
        return scratch
