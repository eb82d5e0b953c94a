# SPDX-License-Identifier: BSD-3-Clause
"""The workspace: the memory in which a network computes a batch, one buffer a layer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.layers import Buffer, Layer
from sknumpynet.core.layers.base import grouped_shapes


class Workspace:
    """The memory that a network computes a batch in: activations, deltas and space to work.

    Parameters
    ----------
    network : Network
        The network.
    n_rows : int
        Rows of a batch.
    training : bool, default=True
        Whether there is to be a backward pass.
    input_gradient : bool, default=False
        Whether `Network.backward` shall give dL/dX as well.

    Attributes
    ----------
    buffers : list of Buffer
        One per layer.
    n_rows : int
        Rows of a batch.
    delta, scratch : ndarray of shape (n_rows, n_outputs)
        For the loss: its gradient and its intermediate values.
    """

    def __init__(
        self,
        network: Any,
        n_rows: int,
        *,
        training: bool = True,
        input_gradient: bool = False,
    ) -> None:
        self.n_rows, dtype, width = n_rows, network.dtype, network.fan_in
        self.buffers: list[Buffer] = []
        if not training:
            for layer in network.layers:
                fan_in, width = width, layer.width(width)
                self.buffers.append(layer.buffer(fan_in, n_rows, None, None, False))
            return
        widths = [width, *(width := layer.width(width) for layer in network.layers)]
        ones, space = np.ones(n_rows, dtype), np.empty(n_rows * max(widths[1:]), dtype)
        for layer, (fan_in, width) in zip(network.layers, pairwise(widths), strict=True):
            scratch = space[: n_rows * width].reshape(n_rows, width)
            needs_delta = bool(self.buffers) or input_gradient
            self.buffers.append(layer.buffer(fan_in, n_rows, scratch, ones, needs_delta))
        self.reversed_buffers = self.buffers[::-1]
        self.delta = np.empty((n_rows, width), dtype)
        self.scratch = space[: n_rows * width].reshape(n_rows, width)

    def head(self, n: int) -> Workspace:
        """Return a workspace for ``n`` rows in the same memory: for the short last batch."""
        part = object.__new__(Workspace)
        part.n_rows = n
        part.buffers = [buffer.head(n) for buffer in self.buffers]
        if hasattr(self, "delta"):
            part.reversed_buffers = part.buffers[::-1]
            part.delta, part.scratch = self.delta[:n], self.scratch[:n]
        return part

    def check(self, X: Any, network: Any) -> None:
        """Raise TypeError or ValueError where ``X`` is no batch for the network in this workspace."""
        wanted = f"the network takes an array of shape ({self.n_rows}, {network.fan_in})"
        if not hasattr(X, "dtype"):
            raise TypeError(f"X is of type {type(X).__name__}, but {wanted}: pass np.asarray(X)")
        if X.dtype != network.dtype:
            raise TypeError(
                f"X has dtype {X.dtype}, but the network computes in {network.dtype}: "
                f"pass X.astype({network.dtype.name!r})"
            )
        if X.ndim != 2 or X.shape[1] != network.fan_in:
            raise ValueError(f"X has shape {X.shape}, but {wanted} here")
        if X.shape[0] != self.n_rows:
            raise ValueError(
                f"X has {X.shape[0]} rows, but the workspace is for {self.n_rows}: make a "
                f"Workspace(network, {X.shape[0]}), or for fewer rows take work.head({X.shape[0]})"
            )

    def check_delta(self, delta: Array) -> None:
        """Raise ValueError where no backward pass can begin with ``delta``."""
        if not hasattr(self, "delta"):
            raise ValueError("this workspace is for prediction; make one with training=True")
        if all(buffer.x is None for buffer in self.buffers):
            raise ValueError("backward needs what forward left behind: call forward first")
        if np.shape(delta) != self.delta.shape:
            raise ValueError(
                f"delta has shape {np.shape(delta)}, but dL/draw has {self.delta.shape} here"
            )


def bind_views(layers: list[Layer], vector: Array, groups: Sequence[str], prefix: str = "") -> None:
    """Give each layer its pieces of ``vector``: first all that is of the first group, and so on."""
    for layer, name, piece, shape in places(layers, groups):
        setattr(layer, prefix + name, vector[piece].reshape(shape))


def places(
    layers: list[Layer], groups: Sequence[str]
) -> Iterator[tuple[Layer, str, slice, tuple[int, ...]]]:
    """Yield each parameter of the groups: its layer, its name, its place in the vector, and its shape."""
    start = 0
    for group in groups:
        for layer in layers:
            for name, (its_group, shape) in grouped_shapes(layer).items():
                if its_group == group:
                    stop = start + math.prod(shape)
                    yield layer, name, slice(start, stop), shape
                    start = stop
