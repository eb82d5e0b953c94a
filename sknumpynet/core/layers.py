# SPDX-License-Identifier: BSD-3-Clause
"""Layers: the pieces a network is a list of, each with its formula forward and its derivative backward.

A layer holds options and views into the network's flat vectors, never data. Whatever it computes goes into
a `Buffer`, so that one network can serve several threads, and nothing is allocated inside a step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sknumpynet.core.activations import Activation, get_activation
from sknumpynet.core.options import Array, Options


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
        Free space.
    ones : ndarray of shape (n,) or None
        Ones, to sum over rows by a matrix product.
    """

    __slots__ = ("delta", "ones", "out", "scratch", "x")

    def __init__(
        self,
        out: Array | None = None,
        delta: Array | None = None,
        scratch: Array | None = None,
        ones: Array | None = None,
    ) -> None:
        self.x: Any = None
        self.out = out
        self.delta = delta
        self.scratch = scratch
        self.ones = ones

    def head(self, n: int) -> Buffer:
        """Return a buffer for ``n`` rows in the same memory."""
        arrays = (self.out, self.delta, self.scratch, self.ones)
        return Buffer(*(None if array is None else array[:n] for array in arrays))


class Layer(Options):
    """Base class: something with a forward and a backward formula, and perhaps weights."""

    # Views that `bind` sets; they are derived from the network's vectors, hence neither copied nor pickled.
    VIEWS: tuple[str, ...] = ()

    def width(self, fan_in: int) -> int:
        """Return the number of outputs for that number of inputs, or raise ValueError."""
        return fan_in

    def buffer(
        self, fan_in: int, n: int, scratch: Array | None, ones: Array | None, needs_delta: bool
    ) -> Buffer:
        """Return what the layer needs for ``n`` rows; ``scratch`` and ``ones`` are None for prediction."""
        raise NotImplementedError

    def forward(self, x: Any, buffer: Buffer) -> Array:
        """Return the layer's output for the batch ``x``, kept in ``buffer.out``."""
        raise NotImplementedError

    def backward(self, delta: Array, buffer: Buffer) -> Array | None:
        """Take dL/d(output), add nothing, fill the gradients of the weights, return dL/d(input)."""
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in self.VIEWS}


class Dense(Layer):
    """A fully connected layer.

    Forward: ``z = x W + b``. Backward, with ``delta = dL/dz``: ``dW = x^T delta``, ``db = sum_rows delta``,
    ``dL/dx = delta W^T``.

    Parameters
    ----------
    fan_in, fan_out : int
        Number of inputs and of units.
    bias : bool, default=True
        Whether there is a ``b``.

    Attributes
    ----------
    W, dW : ndarray of shape (fan_in, fan_out)
        Weights and their gradient; views into the network's ``params`` and ``grads``.
    b, db : ndarray of shape (fan_out,), or None without bias
        Biases and their gradient; likewise.
    """

    VIEWS = ("W", "WT", "b", "dW", "db")

    W: Array
    WT: Array
    b: Array | None
    dW: Array
    db: Array | None

    def __init__(self, fan_in: int, fan_out: int, bias: bool = True) -> None:
        self.fan_in = fan_in
        self.fan_out = fan_out
        self.bias = bias

    def width(self, fan_in: int) -> int:
        if fan_in != self.fan_in:
            raise ValueError(f"{self!r} follows a layer of {fan_in} units; set fan_in={fan_in}")
        return self.fan_out

    def bind(self, W: Array, b: Array | None) -> None:
        """Take the views that hold the layer's parameters."""
        self.W, self.WT, self.b = W, W.T, b

    def bind_gradients(self, dW: Array, db: Array | None) -> None:
        """Take the views that the backward pass is to write."""
        self.dW, self.db = dW, db

    def buffer(
        self, fan_in: int, n: int, scratch: Array | None, ones: Array | None, needs_delta: bool
    ) -> Buffer:
        out = np.empty((n, self.fan_out), self.W.dtype)
        return Buffer(
            out, np.empty((n, fan_in), self.W.dtype) if needs_delta else None, scratch, ones
        )

    def forward(self, x: Any, buffer: Buffer) -> Array:
        buffer.x = x
        z: Array = buffer.out  # type: ignore[assignment]
        if isinstance(x, np.ndarray):
            np.dot(x, self.W, out=z)
        else:
            z[...] = x @ self.W
        if self.b is not None:
            z += self.b
        return z

    def backward(self, delta: Array, buffer: Buffer) -> Array | None:
        x = buffer.x
        if isinstance(x, np.ndarray):
            np.dot(x.T, delta, out=self.dW)
        else:
            _sparse_product(x, delta, self.dW)
        if self.db is not None:
            np.dot(buffer.ones, delta, out=self.db)  # type: ignore[arg-type]
        if buffer.delta is None:
            return None
        return np.dot(delta, self.WT, out=buffer.delta)


def _sparse_product(x: Any, delta: Array, dW: Array) -> None:
    """``dW = x^T delta`` for sparse x: only the rows of dW whose column occurs in x are other than zero."""
    x = x.tocsr()
    position = np.zeros(dW.shape[0], np.intp)
    position[x.indices] = 1
    columns = np.flatnonzero(position)
    position[columns] = np.arange(len(columns))
    narrow = type(x)(
        (x.data, position[x.indices], x.indptr), shape=(x.shape[0], len(columns)), copy=False
    )
    dW.fill(0)
    dW[columns] = narrow.T @ delta


class Activate(Layer):
    """An activation function as a layer: ``a = f(z)`` and, backward, ``delta *= da/dz``, both in place.

    Parameters
    ----------
    activation : str or Activation
        The function.
    """

    def __init__(self, activation: str | Activation) -> None:
        self.activation = get_activation(activation)

    def buffer(
        self, fan_in: int, n: int, scratch: Array | None, ones: Array | None, needs_delta: bool
    ) -> Buffer:
        return Buffer(None, None, scratch)

    def forward(self, x: Any, buffer: Buffer) -> Array:
        self.activation.forward(x, x)
        buffer.out = x
        return buffer.out

    def backward(self, delta: Array, buffer: Buffer) -> Array | None:
        self.activation.backward(buffer.out, delta, buffer.scratch)  # type: ignore[arg-type]
        return delta
