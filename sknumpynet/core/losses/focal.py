# SPDX-License-Identifier: BSD-3-Clause
"""Focal loss: the log loss with less weight on rows that are already classified well."""

from __future__ import annotations

from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array, row_pieces
from sknumpynet.core.losses.base import Loss
from sknumpynet.core.losses.log_loss import EPS, BinaryLogLoss, MultinomialLogLoss, check_classes


class Focal(Loss):
    """The log loss with less weight on rows that are classified well, for rare classes among easy ones.

    With ``p_t`` the probability of the true class: ``l = -(1 - p_t)^gamma log(p_t)`` and
    ``dl/draw = c (p - y)``, ``c = (1 - p_t)^gamma - gamma p_t (1 - p_t)^(gamma-1) log(p_t)``.
    ``gamma=0`` is the log loss.

    Parameters
    ----------
    gamma : float, default=2.0
        How strongly easy rows are down-weighted, at least 0.
    softmax : bool, default=False
        Whether the outputs are a softmax over the classes; the estimators set it.

    References
    ----------
    Lin et al.: Focal Loss for Dense Object Detection (ICCV 2017, arXiv:1708.02002).

    Examples
    --------
    >>> import numpy as np
    >>> value, gradient = Focal().value_and_gradient(np.array([[True]]), np.array([[0.0]]))
    >>> round(value, 6), gradient.round(6)
    (0.173287, array([[-0.298287]]))
    """

    constraints = {"gamma": "a number in [0, inf)", "softmax": "a bool"}
    kind = "classes"

    def __init__(self, gamma: float = 2.0, softmax: bool = False) -> None:
        self.gamma = gamma
        self.softmax = softmax

    def for_classes(self, softmax: bool) -> Loss:
        return self.clone(softmax=softmax)

    def inverse_link(self, raw: Array, out: Array) -> None:
        self.for_log_loss.inverse_link(raw, out)

    @property
    def link(self) -> str:  # type: ignore[override]
        """The name of the function that turns ``raw`` into the prediction."""
        return self.for_log_loss.link

    @property
    def for_log_loss(self) -> Loss:
        """The log loss with the same link."""
        return MultinomialLogLoss() if self.softmax else BinaryLogLoss()

    def _check_batch(self, y: Array, raw: Array) -> None:
        super()._check_batch(y, raw)
        if y.ndim == 2 or self.softmax:
            check_classes(y, raw.shape[1])

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        if self.softmax:
            return self._part(y, raw, gradient, scratch)
        for rows in row_pieces(raw):
            self._part(y[rows], raw[rows], gradient[rows], scratch[rows])
        return scratch

    def uncapped_terms(self, y: Array, raw: Array) -> Array:
        minus_log: Any = self.for_log_loss.uncapped_terms(y, raw)
        if self.softmax:
            minus_log = np.add.reduce(minus_log, axis=1, keepdims=True)
        return np.asarray((-np.expm1(-minus_log)) ** self.gamma * minus_log)

    def _part(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        minus_log = self.for_log_loss.terms_and_gradient(y, raw, gradient, scratch)
        if self.softmax:  # one label per row, even if y has one column per class
            minus_log = np.add.reduce(minus_log, axis=1, keepdims=True)
        p_t = np.exp(-minus_log)
        miss = np.maximum(1 - p_t, EPS[raw.dtype])
        gradient *= miss**self.gamma + self.gamma * p_t * miss ** (self.gamma - 1) * minus_log
        minus_log *= miss**self.gamma
        return minus_log
