# SPDX-License-Identifier: BSD-3-Clause
"""Orthogonal matrices, which preserve the length of every signal."""

from __future__ import annotations

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.initializers.base import Initializer, RandomSource


class Orthogonal(Initializer):
    """A random matrix with orthonormal rows or columns, times ``gain``; biases become zero.

    Parameters
    ----------
    gain : float, default=1.0
        Factor; sqrt(2) for rectified units.

    References
    ----------
    Saxe, McClelland, Ganguli: Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks (ICLR 2014, arXiv:1312.6120).

    Examples
    --------
    >>> import numpy as np
    >>> W = np.empty((5, 3))
    >>> Orthogonal().fill(W, 5, 3, np.random.default_rng(0))
    >>> np.allclose(W.T @ W, np.eye(3))
    True
    """

    constraints = {"gain": "a number in (0, inf)"}

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def fill(self, view: Array, fan_in: int, fan_out: int, rng: RandomSource) -> None:
        if view.ndim == 1:
            view[...] = 0
            return
        tall = rng.normal(0.0, 1.0, (max(view.shape), min(view.shape)))
        Q, R = np.linalg.qr(tall)
        Q *= np.sign(np.diag(R))  # makes the distribution of the matrices uniform
        view[...] = self.gain * (Q if view.shape[0] >= view.shape[1] else Q.T)
