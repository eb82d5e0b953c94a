# SPDX-License-Identifier: BSD-3-Clause
"""What every layer is: its parameters, and the buffer that it computes in."""

from __future__ import annotations

from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.options import Options


class Buffer:
    """What one layer computes for one batch: its input, its output, and dL/d(input).

    Attributes
    ----------
    x : ndarray of shape (n, fan_in), or sparse
        The input of the last forward pass.
    out : ndarray of shape (n, fan_out)
        The output of the last forward pass.
    delta : ndarray of shape (n, fan_in) or None
        dL/dx of the last backward pass; None where nobody asks for it.
    scratch : ndarray of shape (n, fan_out) or None
        Free space; None for prediction.
    ones : ndarray of shape (n,) or None
        Ones, to sum over rows by a matrix product.
    kept : ndarray of shape (n, fan_out) or None
        What the layer keeps besides: the mask of dropout, the standardised input of a normalisation.
    scale : ndarray or None
        What a normalisation divides by, upside down.
    statistics : tuple of ndarray or None
        Mean and variance that a normalisation used.
    frozen : bool
        Whether running statistics are to be used, as in prediction.
    """

    __slots__ = ("delta", "frozen", "kept", "ones", "out", "scale", "scratch", "statistics", "x")

    def __init__(
        self,
        out: Array | None = None,
        delta: Array | None = None,
        scratch: Array | None = None,
        ones: Array | None = None,
        kept: Array | None = None,
    ) -> None:
        self.x: Any = None
        self.out = out
        self.delta = delta
        self.scratch = scratch
        self.ones = ones
        self.kept = kept
        self.scale: Any = None
        self.statistics: Any = None
        self.frozen = scratch is None

    def head(self, n: int) -> Buffer:
        """Return a buffer for ``n`` rows in the same memory."""
        arrays = (self.out, self.delta, self.scratch, self.ones, self.kept)
        return Buffer(*(None if array is None else array[:n] for array in arrays))


class Layer(Options):
    """Base class: something with a forward and a backward formula, and perhaps parameters."""

    # What `shapes` names, and its gradients, are views that the network binds: neither copied nor pickled.
    VIEWS: tuple[str, ...] = ()
    # Whether the next layer must leave the output as it is: the way back needs it, or it may be the data.
    keeps_output = False

    def shapes(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Return, for each parameter, its place in the network's vectors and its shape.

        Places are ``"weights"``, ``"biases"`` and ``"rest"`` of ``params``, in that order, and ``"state"``,
        for what is kept but not trained. The network sets a view as attribute of that name, and one of the
        gradient as ``"d"`` + name.
        """
        return {}

    def fill(self) -> None:
        """Set what no initializer fills."""

    def width(self, fan_in: int) -> int:
        """Return the number of outputs for that number of inputs, or raise ValueError."""
        return fan_in

    def buffer(
        self, fan_in: int, n: int, scratch: Array | None, ones: Array | None, needs_delta: bool
    ) -> Buffer:
        """Return what the layer needs for ``n`` rows; ``scratch`` and ``ones`` are None for prediction."""
        return Buffer(scratch=scratch, ones=ones)

    def draw(self, buffer: Buffer, rng: np.random.Generator) -> None:
        """Draw what is random in the next pass, where anything is."""

    def remember(self, buffer: Buffer) -> None:
        """Update the layer's state from the last forward pass, where it has one."""

    def forward(self, x: Any, buffer: Buffer) -> Array:
        """Return the layer's output for the batch ``x``, kept in ``buffer.out``."""
        raise NotImplementedError

    def backward(self, delta: Array, buffer: Buffer) -> Array | None:
        """Take dL/d(output), fill the gradients of the parameters, return dL/d(input)."""
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in self.VIEWS}
