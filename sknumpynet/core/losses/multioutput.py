# SPDX-License-Identifier: BSD-3-Clause
"""The loss for several label columns, each with its own classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.losses.base import Loss
from sknumpynet.core.losses.log_loss import (
    MultinomialLogLoss,
    cells_of,
    check_classes,
    minus_log_of,
)
from sknumpynet.core.wording import counted


class MultioutputLogLoss(Loss):
    """The sum of the log losses of several columns of labels, each with its own set of classes.

    The raw outputs of the columns are concatenated: the first ``sizes[0]`` belong to the first column, and so
    on. Targets are class indices of shape (n, n_columns).

    Parameters
    ----------
    sizes : sequence of int
        Number of classes of each column.
    smoothing : float, default=0.0
        Label smoothing, as in `MultinomialLogLoss`.

    Examples
    --------
    >>> import numpy as np
    >>> loss = MultioutputLogLoss([2, 3])
    >>> value, gradient = loss.value_and_gradient(np.array([[1, 0]]), np.zeros((1, 5)))
    >>> round(value, 6), gradient.round(3)
    (1.791759, array([[ 0.5  , -0.5  , -0.667,  0.333,  0.333]]))
    """

    constraints = {"smoothing": "a number in [0, 1)"}
    kind = "classes"
    link = "softmax"

    def __init__(self, sizes: Sequence[int], smoothing: float = 0.0) -> None:
        self.sizes = sizes
        self.smoothing = smoothing

    @property
    def blocks(self) -> list[slice]:
        """The raw outputs of each label column."""
        ends = np.cumsum(self.sizes).tolist()
        return [slice(end - size, end) for size, end in zip(self.sizes, ends, strict=True)]

    def inverse_link(self, raw: Array, out: Array) -> None:
        for block in self.blocks:
            part, p = raw[:, block], out[:, block]
            np.subtract(part, np.maximum.reduce(part, axis=1, keepdims=True), out=p)
            np.exp(p, out=p)
            p /= np.add.reduce(p, axis=1, keepdims=True)

    def _check_batch(self, y: Array, raw: Array) -> None:
        if len(y) != len(raw):
            raise ValueError("there must be as many rows of one as of the other")
        if y.shape[1:] != (len(self.sizes),):
            raise ValueError(f"y must have {counted(len(self.sizes), 'column')} of labels")
        for index, size in enumerate(self.sizes):
            check_classes(y[:, index], size)

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        self.inverse_link(raw, gradient)
        if self.smoothing:
            minus_log_of(gradient, scratch)
        p, rest = gradient.reshape(-1), 1 - self.smoothing
        for index, block in enumerate(self.blocks):
            cells = cells_of(y[:, index], raw)
            cells += block.start
            terms = rest * minus_log_of(p[cells], np.empty(len(raw), raw.dtype))
            p[cells] -= rest
            if self.smoothing:
                share = self.smoothing / (block.stop - block.start)
                terms += share * np.add.reduce(scratch[:, block], axis=1)
                gradient[:, block] -= share
            scratch[:, index] = terms  # the outputs of later label columns come after this one
        return scratch[:, : len(self.sizes)]

    def uncapped_terms(self, y: Array, raw: Array) -> Array:
        one = MultinomialLogLoss(self.smoothing)
        questions = zip(y.T, self.blocks, strict=True)
        return np.hstack([one.uncapped_terms(index, raw[:, block]) for index, block in questions])
