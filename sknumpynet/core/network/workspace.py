# SPDX-License-Identifier: BSD-3-Clause
"""The workspace: the memory in which a network computes a batch, with one buffer per layer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NoReturn

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.layers import Buffer, Layer
from sknumpynet.core.layers.base import RUNNING_STATS, Group, grouped_shapes
from sknumpynet.core.wording import counted


class Workspace:
    """The memory in which a network computes a batch: activations, deltas and scratch arrays.

    Parameters
    ----------
    network : Network
        The network.
    n_rows : int
        Rows of a batch.
    training : bool, default=True
        Whether to allow a backward pass.
    input_gradient : bool, default=False
        Whether `Network.backward` also returns dL/dX.

    Attributes
    ----------
    buffers : list of Buffer
        One per layer.
    n_rows : int
        Rows of a batch.
    delta, scratch : ndarray of shape (n_rows, n_outputs)
        For the loss: its gradient and its intermediate values.

    Notes
    -----
    For a network of k members all arrays have an additional first axis.
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
        self.lead: tuple[int, ...] = network.lead
        if self.lead:
            self._with_rows = partial(
                Workspace, network, training=training, input_gradient=input_gradient
            )
        self.buffers: list[Buffer] = []
        if not training:
            for layer in network.layers:
                fan_in, width = width, layer.width(width)
                self.buffers.append(layer.buffer(fan_in, n_rows, None, None, False))
            return
        widths = [width, *(width := layer.width(width) for layer in network.layers)]
        ones = np.ones((1, n_rows) if self.lead else n_rows, dtype)
        n = math.prod((*self.lead, n_rows))
        space = np.empty(n * max(widths[1:]), dtype)
        for layer, (fan_in, width) in zip(network.layers, pairwise(widths), strict=True):
            scratch = space[: n * width].reshape(*self.lead, n_rows, width)
            needs_delta = bool(self.buffers) or input_gradient
            self.buffers.append(layer.buffer(fan_in, n_rows, scratch, ones, needs_delta))
        self.reversed_buffers = self.buffers[::-1]
        self.delta = np.empty((*self.lead, n_rows, width), dtype)
        self.scratch = space[: n * width].reshape(*self.lead, n_rows, width)

    def head(self, n: int) -> Workspace:
        """Return a workspace for the ``n`` rows of a shorter last batch, in the same memory if possible."""
        if self.lead:  # the rows of a member must be contiguous
            rest = self._with_rows(n)
            for buffer, whole in zip(rest.buffers, self.buffers, strict=True):
                buffer.share(whole)
            return rest
        part = object.__new__(Workspace)
        part.n_rows, part.lead = n, ()
        part.buffers = [buffer.head(n) for buffer in self.buffers]
        if hasattr(self, "delta"):
            part.reversed_buffers = part.buffers[::-1]
            part.delta, part.scratch = self.delta[:n], self.scratch[:n]
        return part

    def check(self, X: Any, network: Any) -> None:
        """Raise TypeError or ValueError if ``X`` is not a valid batch for this workspace."""
        shape = (self.n_rows, network.fan_in)
        wanted = f"the network needs an array of shape {shape}"
        if self.lead:
            wanted += f", or {(*self.lead, *shape)} with different rows for each member"
        if not hasattr(X, "dtype"):
            raise TypeError(f"X is of type {type(X).__name__}, but {wanted}: pass np.asarray(X)")
        if X.dtype != network.dtype:
            raise TypeError(
                f"X has dtype {X.dtype}, but the network computes in {network.dtype}: "
                f"pass X.astype({network.dtype.name!r})"
            )
        if self.lead:
            if not isinstance(X, np.ndarray):
                raise TypeError("members need a dense X: pass X.toarray()")
            if X.shape not in (shape, (*self.lead, *shape)):
                raise ValueError(f"X has shape {X.shape}, but {wanted}")
            return
        if X.ndim != 2 or X.shape[1] != network.fan_in:
            raise ValueError(f"X has shape {X.shape}, but {wanted} here")
        if X.shape[0] != self.n_rows:
            raise ValueError(
                f"X has {counted(X.shape[0], 'row')}, but the workspace is for {self.n_rows}: create a "
                f"Workspace(network, {X.shape[0]}), or for fewer rows use work.head({X.shape[0]})"
            )

    def check_delta(self, delta: Array) -> None:
        """Raise ValueError if ``delta`` is not valid for a backward pass."""
        if not hasattr(self, "delta"):
            raise ValueError("this workspace is for prediction; create one with training=True")
        if all(buffer.x is None for buffer in self.buffers):
            raise ValueError("backward needs the results of forward: call forward first")
        if np.shape(delta) != self.delta.shape:
            raise ValueError(
                f"delta has shape {np.shape(delta)}, but dL/draw has {self.delta.shape} here"
            )


def width_behind(layer: Layer, fan_in: int, is_guessed: bool) -> int:
    """Return the number of outputs of a layer; ``is_guessed``: the number of inputs was taken from it."""
    try:
        return layer.width(fan_in)
    except ValueError as error:
        if not is_guessed:
            raise
        raise ValueError(
            f"{error}, or set n_features of the network to the number of inputs of the layers before it"
        ) from None


def groups_in_order(
    layers: Sequence[Layer], groups: Mapping[str, Group]
) -> tuple[list[str], dict[str, int], int, int, Array | None]:
    """Return the layout of the vector of parameters by groups.

    The groups in order, with those that decay first, so that penalty and decay apply to one slice; the size
    of each; the sizes of the running statistics and of all groups that decay; and the factor of the learning
    rate of each parameter, or None if all are 1.
    """
    sizes = dict.fromkeys(groups, 0)
    for layer in layers:
        for group, shape in grouped_shapes(layer).values():
            sizes[group] = sizes.get(group, 0) + math.prod(shape)
    n_stats = sizes.pop(RUNNING_STATS, 0)
    how = {group: groups.get(group, Group()) for group in sizes}
    order = sorted(sizes, key=lambda group: not how[group].decays)
    n_decayed = sum(sizes[group] for group in sizes if how[group].decays)
    each = [how[group].learning_rate_factor for group in order]
    factors = None if set(each) == {1.0} else np.repeat(each, [sizes[group] for group in order])
    return order, sizes, n_stats, n_decayed, factors


def bind_views(layers: list[Layer], vector: Array, groups: Sequence[str], prefix: str = "") -> None:
    """Bind views of ``vector`` to each layer: first all parameters of the first group, and so on.

    With members, the vector has the shape (k, n_params), and the views have an additional first axis and at
    least two others: (k, 1, units) can be broadcast with activations of shape (k, n, units).
    """
    lead = vector.shape[:-1]
    for layer, name, piece, shape in places(layers, groups):
        if lead:
            shape = (*lead, *(1,) * (2 - len(shape)), *shape)
        setattr(layer, prefix + name, vector[..., piece].reshape(shape))


def places(
    layers: list[Layer], groups: Sequence[str]
) -> Iterator[tuple[Layer, str, slice, tuple[int, ...]]]:
    """Yield the layer, name, slice of the vector and shape of each parameter of the groups."""
    start = 0
    for group in groups:
        for layer in layers:
            for name, (its_group, shape) in grouped_shapes(layer).items():
                if its_group == group:
                    stop = start + math.prod(shape)
                    yield layer, name, slice(start, stop), shape
                    start = stop


def raise_lost(layer: Layer, error: Exception | None = None) -> NoReturn:
    """Raise TypeError: the layer returned no output."""
    raise TypeError(
        f"{layer!r}: forward(x, buffer) must return its output; it returns None. buffer.out is None "
        "unless the layer's buffer() creates it"
    ) from error
