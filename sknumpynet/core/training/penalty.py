# SPDX-License-Identifier: BSD-3-Clause
"""Penalty and gradient clipping, between the backward pass and the update.

The gradient of the penalty on the weights is added, and a gradient with too large a norm is scaled down.
"""

from __future__ import annotations

import math

import numpy as np

from sknumpynet.core.arrays import SCALARS, Array, pieces
from sknumpynet.core.network import Network


class Penalty:
    """The penalty ``l2 / 2 * ||W||^2 + l1 * sum |W|``, computed in blocks of weights.

    Attributes
    ----------
    value : float
        The sum over all blocks for which it was called.
    """

    def __init__(self, l2: float, l1: float = 0.0) -> None:
        self.l2, self.l1, self.value = l2, l1, 0.0

    def __call__(self, W: Array, dW: Array, scratch: Array) -> None:
        """Add ``l2 W + l1 sign(W)`` to ``dW``; ``scratch`` is scratch space of the same length."""
        scalars = SCALARS[W.dtype]
        if self.l2:
            np.multiply(W, scalars[self.l2], out=scratch)
            dW += scratch
            self.value += 0.5 * self.l2 * float(W.dot(W))
        if self.l1:
            np.sign(W, out=scratch)
            self.value += self.l1 * float(W.dot(scratch))
            scratch *= scalars[self.l1]
            dW += scratch

    def add_all(self, network: Network, scratch: Array) -> float:
        """Add the gradient for all weights of a network, and return the penalty."""
        for piece in pieces(network.n_decayed):
            self(network.params[piece], network.grads[piece], scratch[: piece.stop - piece.start])
        return self.value


def clip_norm(grads: Array, largest: float) -> float:
    """Scale the vector down to norm ``largest`` if its norm is larger; return the norm before."""
    norm = length(grads)
    if norm > largest:
        # in two steps, because one would give 0
        unit = _largest(grads) if largest / norm == 0 else 1.0
        grads /= unit
        grads *= largest / (norm if unit == 1.0 else length(grads))
    return norm


def length(vector: Array) -> float:
    """Return ``||vector||``, also if its square overflows."""
    square = float(vector.dot(vector))
    if math.isfinite(square):
        return math.sqrt(square)
    largest = _largest(vector)
    return largest * math.sqrt(float(np.square(vector / largest, dtype=np.float64).sum()))


def _largest(vector: Array) -> float:
    return float(np.abs(vector).max())
