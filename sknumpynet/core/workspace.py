# SPDX-License-Identifier: BSD-3-Clause
"""The workspace: the memory in which a network computes a batch, one buffer a layer."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from sknumpynet.core.layers import Buffer


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
        dtype, width = network.dtype, network.fan_in
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
        part.buffers = [buffer.head(n) for buffer in self.buffers]
        if hasattr(self, "delta"):
            part.reversed_buffers = part.buffers[::-1]
            part.delta, part.scratch = self.delta[:n], self.scratch[:n]
        return part
