# SPDX-License-Identifier: BSD-3-Clause
"""The layer that applies an activation."""

from __future__ import annotations

from typing import Any

import numpy as np

from sknumpynet.core.activations import Activation, get_activation
from sknumpynet.core.arrays import Array
from sknumpynet.core.layers.base import Buffer, Layer


class Activate(Layer):
    """An activation function as a layer: ``a = f(z)`` and, backward, ``delta *= da/dz`` in place.

    Parameters
    ----------
    activation : str, Activation or pair of functions
        The function.

    Attributes
    ----------
    must_copy_input : bool
        Whether the input must not be overwritten: set by the network if another activation or the data come
        before.
    """

    needed_in_backward = True
    takes_members = True
    must_copy_input = False

    def __init__(self, activation: Any) -> None:
        self.activation: Activation = get_activation(activation)

    def forward(self, x: Any, buffer: Buffer) -> Array:
        if self.must_copy_input and not self.activation.needs_z:  # else z is not overwritten
            x = x.copy()
        buffer.x = x
        if self.activation.in_place:
            buffer.out = x
        elif buffer.out is None:
            buffer.out = np.empty_like(x)
        self.activation.forward(x, buffer.out)
        return buffer.out

    def backward(self, delta: Array, buffer: Buffer) -> Array | None:
        scratch: Any = buffer.scratch
        if not self.activation.needs_z:
            self.activation.backward(buffer.out, delta, scratch)  # type: ignore[arg-type]
            return delta
        if buffer.second_scratch is None:
            buffer.second_scratch = np.empty_like(buffer.x)
        self.activation.backward(buffer.x, delta, (scratch, buffer.second_scratch))  # type: ignore[arg-type]
        return delta
