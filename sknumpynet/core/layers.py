# SPDX-License-Identifier: BSD-3-Clause
"""Layers: the pieces a network is a list of, each with its formula forward and its derivative backward.

A layer holds options and views into the network's flat vectors, never data. Whatever it computes goes into
a `Buffer`, so that one network can serve several threads, and nothing is allocated inside a step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sknumpynet.core.activations import Activation
from sknumpynet.core.activations_of_z import get_activation
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

    constraints = dict.fromkeys(("fan_in", "fan_out"), "an integer in [1, inf)")
    VIEWS = ("W", "b", "dW", "db")

    W: Array
    dW: Array
    b: Any = None
    db: Any = None

    def __init__(self, fan_in: int, fan_out: int, bias: bool = True) -> None:
        self.fan_in = fan_in
        self.fan_out = fan_out
        self.bias = bias

    def width(self, fan_in: int) -> int:
        if fan_in != self.fan_in:
            raise ValueError(f"{self!r} follows a layer of {fan_in} units; set fan_in={fan_in}")
        return self.fan_out

    def shapes(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        shapes: dict[str, Any] = {"W": ("weights", (self.fan_in, self.fan_out))}
        if self.bias:
            shapes["b"] = ("biases", (self.fan_out,))
        return shapes

    def buffer(
        self, fan_in: int, n: int, scratch: Array | None, ones: Array | None, needs_delta: bool
    ) -> Buffer:
        delta = np.empty((n, fan_in), self.W.dtype) if needs_delta else None
        return Buffer(np.empty((n, self.fan_out), self.W.dtype), delta, scratch, ones)

    def forward(self, x: Any, buffer: Buffer) -> Array:
        buffer.x = x
        z: Array = buffer.out  # type: ignore[assignment]
        if isinstance(x, np.ndarray):
            x.dot(self.W, z)
        else:
            z = buffer.out = x @ self.W  # SciPy makes a new array
        if self.bias:
            z += self.b
        return z

    def backward(self, delta: Array, buffer: Buffer) -> Array | None:
        x = buffer.x
        if isinstance(x, np.ndarray):
            x.T.dot(delta, self.dW)
        else:
            _sparse_product(x, delta, self.dW)
        if self.bias:
            buffer.ones.dot(delta, self.db)  # type: ignore[union-attr]
        if buffer.delta is None:
            return None
        return delta.dot(self.W.T, buffer.delta)


def _sparse_product(x: Any, delta: Array, dW: Array) -> None:
    """``dW = x^T delta`` for sparse x: only the rows of dW whose column occurs in x are other than zero."""
    if x.nnz >= 2 * dW.shape[0]:  # nearly all columns occur
        dW[...] = x.T @ delta
        return
    x = x.tocsr()
    position = np.bincount(x.indices, minlength=dW.shape[0])
    columns = np.flatnonzero(position)
    position[columns] = np.arange(len(columns))
    narrow = type(x)(
        (x.data, position[x.indices], x.indptr), shape=(x.shape[0], len(columns)), copy=False
    )
    dW.fill(0)
    dW[columns] = narrow.T @ delta


class Activate(Layer):
    """An activation function as a layer: ``a = f(z)`` and, backward, ``delta *= da/dz`` in place.

    Parameters
    ----------
    activation : str, Activation or pair of functions
        The function.

    Attributes
    ----------
    copies : bool
        Whether the input is to be left as it is: set by the network, where another activation or the data
        come before.
    """

    keeps_output = True
    copies = False

    def __init__(self, activation: Any) -> None:
        self.activation: Activation = get_activation(activation)

    def forward(self, x: Any, buffer: Buffer) -> Array:
        if self.copies:
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
        if buffer.kept is None:
            buffer.kept = np.empty_like(buffer.x)
        self.activation.backward(buffer.x, delta, (scratch, buffer.kept))  # type: ignore[arg-type]
        return delta


class Dropout(Layer):
    """Each value is zero with probability ``rate``, else divided by ``1 - rate``; for training only.

    The mask is drawn by training, not by `forward`, which stays a function of its input.

    Parameters
    ----------
    rate : float, default=0.5
        Share of the values to drop, in [0, 1).

    References
    ----------
    Srivastava et al.: Dropout (Journal of Machine Learning Research 15, 2014).

    Examples
    --------
    >>> layers = [Dense(2, 8), "relu", Dropout(0.2), Dense(8, 1)]
    """

    constraints = {"rate": "a number in [0, 1)"}
    keeps_output = True

    def __init__(self, rate: float = 0.5) -> None:
        self.rate = rate

    def buffer(
        self, fan_in: int, n: int, scratch: Array | None, ones: Array | None, needs_delta: bool
    ) -> Buffer:
        if scratch is None:
            return Buffer()
        mask, out = np.ones((n, fan_in), scratch.dtype), np.empty((n, fan_in), scratch.dtype)
        return Buffer(out, kept=mask)

    def draw(self, buffer: Buffer, rng: np.random.Generator) -> None:
        mask: Any = buffer.kept
        rng.random(out=mask, dtype=mask.dtype)
        np.greater_equal(mask, self.rate, out=mask)
        mask *= 1 / (1 - self.rate)

    def forward(self, x: Any, buffer: Buffer) -> Array:
        if buffer.kept is None:
            return x  # type: ignore[no-any-return]
        # not in place: an activation's derivative needs the value before dropping
        out: Array = np.multiply(x, buffer.kept, out=buffer.out)
        return out

    def backward(self, delta: Array, buffer: Buffer) -> Array | None:
        delta *= buffer.kept
        return delta
