# SPDX-License-Identifier: BSD-3-Clause
"""The dense layer: ``x W + b``, and its derivatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sknumpynet.core.arrays import SCALARS, Array
from sknumpynet.core.initializers import Initializer, LecunNormal
from sknumpynet.core.initializers.base import fill_checked
from sknumpynet.core.layers.base import Buffer, Layer
from sknumpynet.core.wording import counted


class Dense(Layer):
    """A fully connected layer.

    Forward: ``z = x W + b``. Backward, with ``delta = dL/dz``: ``dW = x^T delta``, ``db = sum_rows delta``,
    ``dL/dx = delta W^T``.

    The neural tangent parametrisation writes the same layer with weights of size 1,
    ``z = x W / sqrt(fan_in) + b``; ``dW`` and ``dL/dx`` are then divided by ``sqrt(fan_in)`` as well. A step
    of Adam changes every weight by about the learning rate, so z changes less in a wide layer, and one
    learning rate suits layers of all widths.

    Parameters
    ----------
    fan_in, fan_out : int
        Number of inputs and of units.
    bias : bool, default=True
        Whether there is a ``b``.
    parametrization : {"standard", "ntk"}, default="standard"
        "ntk" divides ``x W`` by ``sqrt(fan_in)``. An initializer then sets ``W / sqrt(fan_in)``, so that the
        network starts as the same function with both; by default, W ~ N(0, 1).

    Attributes
    ----------
    W, dW : ndarray of shape (fan_in, fan_out)
        Weights and their gradient; views into the network's ``params`` and ``grads``.
    b, db : ndarray of shape (fan_out,), or None without bias
        Biases and their gradient; likewise.

    References
    ----------
    Jacot, Gabriel, Hongler: Neural Tangent Kernel: Convergence and Generalization in Neural Networks (NeurIPS
    2018, arXiv:1806.07572), for "ntk".

    Examples
    --------
    >>> from sknumpynet.core import Network
    >>> layer, again = (
    ...     Network([Dense(100, 50, parametrization=name)], initializer=LecunNormal(), rng=0).dense[0]
    ...     for name in ("standard", "ntk")
    ... )
    >>> round(float(layer.W.std()), 1), round(float(again.W.std()), 1)
    (0.1, 1.0)
    >>> bool(abs(layer.product_weights() - again.product_weights()).max() < 1e-15)
    True
    """

    constraints = dict.fromkeys(("fan_in", "fan_out"), "an integer in [1, inf)")
    VIEWS = ("W", "b", "dW", "db")

    W: Array
    dW: Array
    b: Any = None
    db: Any = None
    parametrization = "standard"  # for layers in older pickles

    def __init__(
        self, fan_in: int, fan_out: int, bias: bool = True, parametrization: str = "standard"
    ) -> None:
        self.fan_in = fan_in
        self.fan_out = fan_out
        self.bias = bias
        self.parametrization = parametrization

    def check(self) -> None:
        super().check()
        if self.parametrization not in ("standard", "ntk"):
            raise ValueError(
                f"{self!r}: parametrization must be 'standard' or 'ntk'; got {self.parametrization!r}"
            )

    @property
    def default_initializer(self) -> Initializer:
        return LecunNormal() if self.parametrization == "ntk" else super().default_initializer

    def product_weights(self) -> Array:
        """Return the matrix by which x is multiplied: W, or with "ntk" a new array, ``W / sqrt(fan_in)``."""
        return self.W / math.sqrt(self.fan_in) if self.parametrization == "ntk" else self.W

    def width(self, fan_in: int) -> int:
        if fan_in != self.fan_in:
            raise ValueError(
                f"{self!r} follows a layer of {counted(fan_in, 'unit')}; set fan_in={fan_in}"
            )
        return self.fan_out

    def shapes(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        shapes: dict[str, Any] = {"W": ("weights", (self.fan_in, self.fan_out))}
        if self.bias:
            shapes["b"] = ("biases", (self.fan_out,))
        return shapes

    def reset_parameters(
        self, rng: Any, initializer: Any, bias_initializer: Any | None = None
    ) -> None:
        fans = self.fan_in, self.fan_out
        fill_checked(initializer, self.W, *fans, rng)
        if self.parametrization == "ntk":
            self.W *= math.sqrt(self.fan_in)
        if self.bias:
            fill_checked(bias_initializer or initializer, self.b, *fans, rng)

    def buffer(
        self, fan_in: int, n: int, scratch: Array | None, ones: Array | None, needs_delta: bool
    ) -> Buffer:
        delta = np.empty((n, fan_in), self.W.dtype) if needs_delta else None
        return Buffer(np.empty((n, self.fan_out), self.W.dtype), delta, scratch, ones)

    def forward(self, x: Any, buffer: Buffer) -> Array:
        buffer.x = x
        z: Array = buffer.out  # type: ignore[assignment]
        if not isinstance(x, np.ndarray):
            z = buffer.out = x @ self.W  # SciPy returns a new array
        elif buffer.scratch is None and x.strides[0] == x.itemsize and not x.flags.forc:
            # some rows of an array in Fortran order, which dot would copy
            np.matmul(x, self.W, out=z)
        else:
            x.dot(self.W, z)
        if self.parametrization == "ntk":
            z *= SCALARS[z.dtype][1 / math.sqrt(self.fan_in)]
        if self.bias:
            z += self.b
        return z

    def backward(self, delta: Array, buffer: Buffer) -> Array | None:
        x = buffer.x
        if self.bias:
            buffer.ones.dot(delta, self.db)  # type: ignore[union-attr]
        if self.parametrization == "ntk":
            delta *= SCALARS[delta.dtype][1 / math.sqrt(self.fan_in)]
        if isinstance(x, np.ndarray):
            x.T.dot(delta, self.dW)
        else:
            _sparse_product(x, delta, self.dW)
        if buffer.delta is None:
            return None
        return delta.dot(self.W.T, buffer.delta)


def _sparse_product(x: Any, delta: Array, dW: Array) -> None:
    """``dW = x^T delta`` for sparse x: only rows of dW whose column occurs in x are nonzero."""
    if x.nnz >= 2 * dW.shape[0]:  # nearly all columns occur
        dW[...] = x.T @ delta
        return
    x = x.tocsr()
    position = np.bincount(x.indices, minlength=dW.shape[0])
    columns = np.flatnonzero(position)
    position[columns] = np.arange(len(columns))
    narrow = type(x)((x.data, position[x.indices], x.indptr), shape=(len(delta), len(columns)))
    dW.fill(0)
    dW[columns] = narrow.T @ delta
