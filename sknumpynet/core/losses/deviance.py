# SPDX-License-Identifier: BSD-3-Clause
"""Deviances with the log link: Poisson, for counts; Gamma, for amounts; Tweedie, for amounts with zeros."""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy

from sknumpynet.core.arrays import Array, row_pieces
from sknumpynet.core.losses.base import Loss


class LogLinkLoss(Loss):
    """Base class of losses for targets with a positive mean: ``prediction = exp(raw)``."""

    kind = "numbers"
    link = "exp"

    def inverse_link(self, raw: Array, out: Array) -> None:
        np.exp(raw, out=out)


class HalfPoisson(LogLinkLoss):
    """Half the Poisson deviance, for counts and rates ``y >= 0``, with the log link.

    ``prediction = exp(raw)``, ``l = sum_k y log(y / prediction) - y + prediction``,
    ``dl/draw = prediction - y``.

    Examples
    --------
    >>> import numpy as np
    >>> HalfPoisson().value_and_gradient(np.array([[1.0]]), np.array([[0.0]]))
    (0.0, array([[0.]]))
    """

    def check_targets(self, y: Array) -> None:
        if y.min() < 0:
            raise ValueError(
                f"loss='poisson' needs y >= 0, as counts and rates are; the smallest y is {y.min()}. For "
                "targets of either sign set loss='squared_error'"
            )

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        # y log(y / exp(raw)) = y log(y) - y raw: finite even where exp(raw) underflows
        np.multiply(y, raw, out=gradient)
        terms = xlogy(y, y, out=scratch)
        terms -= gradient
        terms -= y
        np.exp(raw, out=gradient)
        terms += gradient
        gradient -= y
        return scratch


class HalfGamma(LogLinkLoss):
    """Half the Gamma deviance, for positive amounts whose variance grows with their size, with the log link.

    ``prediction = exp(raw)``, ``l = sum_k log(prediction / y) + y / prediction - 1``,
    ``dl/draw = 1 - y / prediction``.

    Examples
    --------
    >>> import numpy as np
    >>> value, gradient = HalfGamma().value_and_gradient(np.array([[1.0]]), np.array([[0.0]]))
    >>> value, gradient + 0
    (0.0, array([[0.]]))
    """

    def check_targets(self, y: Array) -> None:
        if y.min() <= 0:
            raise ValueError(f"loss='gamma' needs y > 0; the smallest y is {y.min()}")

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        np.log(y, out=scratch)
        np.subtract(raw, scratch, out=scratch)
        np.negative(raw, out=gradient)
        np.exp(gradient, out=gradient)
        gradient *= y
        scratch += gradient
        scratch -= 1
        np.subtract(1, gradient, out=gradient)
        return scratch


class HalfTweedie(LogLinkLoss):
    """Half the Tweedie deviance, between Poisson (power 1) and Gamma (2): amounts with zeros, such as claims.

    ``prediction = mu = exp(raw)``,
    ``l = sum_k y^(2-p) / ((1-p)(2-p)) - y mu^(1-p) / (1-p) + mu^(2-p) / (2-p)``,
    ``dl/draw = mu^(2-p) - y mu^(1-p)``.

    Parameters
    ----------
    power : float, default=1.5
        ``p``, how the variance grows with the mean: in (1, 2) for amounts with zeros, above 2 for heavier
        tails.

    References
    ----------
    Jorgensen: Exponential Dispersion Models (Journal of the Royal Statistical Society B 49, 1987).

    Examples
    --------
    >>> import numpy as np
    >>> value, gradient = HalfTweedie(1.5).value_and_gradient(np.array([[1.0]]), np.array([[0.0]]))
    >>> value, gradient
    (0.0, array([[0.]]))
    """

    constraints = {"power": "a number in (-inf, inf)"}

    def __init__(self, power: float = 1.5) -> None:
        self.power = power

    def check(self) -> None:
        super().check()
        if self.power <= 1 or self.power == 2:
            raise ValueError(
                f"{self!r}: power must be above 1 and other than 2; got {self.power}. Use loss='poisson' for "
                "1, 'gamma' for 2"
            )

    def check_targets(self, y: Array) -> None:
        if y.min() < 0 or (self.power > 2 and y.min() == 0):
            limit = ">= 0" if self.power < 2 else "> 0"
            raise ValueError(f"loss='tweedie' needs y {limit}; the smallest y is {y.min()}")

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        one, two = 1 - self.power, 2 - self.power
        space = np.empty_like(raw[next(row_pieces(raw))])
        for rows in row_pieces(raw):
            A, B, C = gradient[rows], scratch[rows], space[: rows.stop - rows.start]
            np.multiply(raw[rows], two, out=A)
            np.exp(A, out=A)  # mu^(2-p)
            with np.errstate(divide="ignore"):  # y mu^(1-p) is 0 for y = 0, however small mu is
                np.log(y[rows], out=B)
            np.multiply(raw[rows], one, out=C)
            B += C
            np.exp(B, out=B)
            A -= B
            # l = y^(2-p) / ((1-p)(2-p)) + (A - B) / (2-p) - B / ((1-p)(2-p))
            np.power(y[rows], two, out=C)
            np.subtract(C, B, out=B)
            B /= one * two
            np.divide(A, two, out=C)
            B += C
        return scratch
