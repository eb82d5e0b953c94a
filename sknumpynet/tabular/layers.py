# SPDX-License-Identifier: BSD-3-Clause
"""The layers of networks for tables, with an axis for members: k small networks computed at once.

Shapes: k members, n rows of a batch, f columns of numbers, d inputs, h units, o outputs of an embedding.
``np.matmul`` multiplies stacks: (k, n, h) @ (k, h, h) is one product per member. All members get the same
rows.

``shapes()`` of a layer lists its parameters: name -> (shape, kind). The kind is "weight", "bias", "embedding"
or "scale", each with its own learning rate factor. The pack binds views of one flat vector to these names,
and views of the gradients to the same names with a "d" in front.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sknumpynet.core.arrays import SCALARS, Array
from sknumpynet.core.layers.numeric_embedding import draw_embedding, embed, embed_backward
from sknumpynet.core.network.data_driven import start_from_data

Shapes = dict[str, tuple[tuple[int, ...], str]]

# Factors of the learning rate of these kinds (Holzmueller et al. 2024, RealMLP)
BIAS_RATE, EMBEDDING_RATE, SCALE_RATE = 0.1, 0.1, 6.0
FREQUENCY_SPREAD = 0.7  # of the logarithm of the initial frequencies


class Layer:
    """Base class: parameters are attributes, views bound by a pack."""

    def shapes(self) -> Shapes:
        """Return name -> (shape with the axis of members first, kind)."""
        raise NotImplementedError

    def reset_parameters(self, rng: np.random.Generator) -> None:
        """Draw the initial values."""
        raise NotImplementedError

    def bind(self, params: dict[str, Array], grads: dict[str, Array]) -> None:
        """Bind views of the parameters ``W`` and, if there are gradients, ``dW``."""
        for name, view in params.items():
            setattr(self, name, view)
        for name, view in grads.items():
            setattr(self, f"d{name}", view)


class NumericEmbedding(Layer):
    """Periodic features of each number x, with different frequencies for each column and member ("PBLD").

    Formulas and names are those of ``core.layers.numeric_embedding``, with members as the first axis.
    Shapes: P (k, f, H, 2), V (k, f, o, H), S and C (k, f, H, n), E (k, f, o, n).
    """

    P: Array
    V: Array
    dP: Array
    dV: Array

    def __init__(
        self,
        n_members: int,
        n_columns: int,
        n_frequencies: int = 16,
        n_outputs: int = 3,
        frequency: float = 1.0,
        spread: float = FREQUENCY_SPREAD,
    ) -> None:
        self.n_members, self.n_columns = n_members, n_columns
        self.n_frequencies, self.n_outputs = n_frequencies, n_outputs
        self.frequency, self.spread = frequency, spread

    def shapes(self) -> Shapes:
        k, f, H, o = self.n_members, self.n_columns, self.n_frequencies, self.n_outputs
        return {
            "P": ((k, f, H, 2), "embedding"),
            "V": ((k, f, o, H), "embedding"),
        }

    def reset_parameters(self, rng: np.random.Generator) -> None:
        """Draw the initial values."""
        draw_embedding(self.P, self.V, self.frequency, self.spread, rng)

    def buffers(self, n_rows: int, dtype: Any, training: bool, E: Array) -> dict[str, Array]:
        """Return the arrays for a pass over ``n_rows`` rows, including E of shape (k, f o, n)."""
        k, f, H, o = self.n_members, self.n_columns, self.n_frequencies, self.n_outputs
        made = {
            "angles": np.ones((1, f, 2, n_rows), dtype),  # 2 pi x, 1
            "S": np.empty((k, f, H, n_rows), dtype),
            "E": E.reshape(k, f, o, n_rows),
        }
        if training:
            made["C"] = np.empty_like(made["S"])
            made["minus_dS"] = np.empty_like(made["S"])
        return made

    def forward(self, x: Array, work: dict[str, Array]) -> None:
        """Write E for x of shape (n, f)."""
        S, angles = work["S"], work["angles"]
        np.multiply(x.T, SCALARS[x.dtype][2 * math.pi], out=angles[0, :, 0])
        embed(self.P, self.V, angles, S, work.get("C", S), work["E"])

    def backward(self, dE: Array, work: dict[str, Array]) -> None:
        """Write the gradients, given dL/dE of shape (k, f, o, n)."""
        waves = work["angles"], work["S"], work["C"], dE, work["minus_dS"]
        embed_backward(self.V, *waves, self.dP, self.dV)


def product(x: Array, W: Array, z: Array, group: int | None = None) -> None:
    """Write z = x W, for x (k, n, d) or (n, d) and W (k, d, h), in products of ``group`` rows if given."""
    if group is None:
        np.matmul(x, W, out=z)
        return
    k, n, h = z.shape
    groups = x.reshape(-1, n // group, group, x.shape[-1])
    np.matmul(groups, W[:, np.newaxis], out=z.reshape(k, n // group, group, h))


class Dense(Layer):
    """The linear layer: z = x W + b, with W (k, d, h) and b (k, 1, h).

        dW = x^T delta        db = sum_rows delta        dx = delta W^T

    The factor 1 / sqrt(d) on the rate of W makes this, under Adam, the "neural tangent parametrisation"
    z = x W / sqrt(d) + b with W ~ N(0, 1): Adam's step does not depend on the length of the gradient.
    """

    W: Array
    b: Array
    dW: Array
    db: Array

    def __init__(self, n_members: int, n_inputs: int, n_outputs: int) -> None:
        self.n_members, self.n_inputs, self.n_outputs = n_members, n_inputs, n_outputs

    def shapes(self) -> Shapes:
        k, d, h = self.n_members, self.n_inputs, self.n_outputs
        return {
            "W": ((k, d, h), "weight"),
            "b": ((k, 1, h), "bias"),
        }

    def reset_parameters(self, rng: np.random.Generator) -> None:
        """Draw W ~ N(0, 1 / d)."""
        self.W[...] = rng.normal(0, 1 / math.sqrt(self.n_inputs), self.W.shape)
        self.b[...] = 0

    def forward(self, x: Array, z: Array, group: int | None = None) -> None:
        """Write z, of shape (k, n, h); with a ``group``, in products of that many rows."""
        product(x, self.W, z, group)
        np.add(z, self.b, out=z)

    def backward(self, x: Array, delta: Array, ones: Array, dx: Array, W_T: Array) -> None:
        """Write the gradients and dL/dx; ``ones`` is a row of n ones, W_T, (k, h, d), is overwritten.

        A product with a transposed copy is faster than one with a transposed view, including the copy.
        """
        np.matmul(x.swapaxes(1, 2), delta, out=self.dW)
        np.matmul(ones, delta, out=self.db)  # faster than a sum
        np.copyto(W_T, self.W.swapaxes(1, 2))
        np.matmul(delta, W_T, out=dx)

    def start_from_data(self, x: Array, rng: np.random.Generator) -> Array:
        """Give each unit variance 1 and a zero among the rows of x, (k or 1, n, d); return z."""
        z: Array = x @ self.W
        start_from_data(self.W, self.b, z, rng)
        return z


class ScaledInput(Dense):
    """The first layer, with a scale s for each input: z = (x * s) W + b.

    The inputs are those that differ between members, E of shape (k, e, n), mainly embeddings, and the columns
    x, (n, d), which members share.
    With M = s W, computed once per step, and dM = [E, x]^T delta:

        z = E^T M_E + x M_x + b        dW = s dM        ds_i = sum_j W_ij dM_ij        dE = M_E delta^T
    """

    s: Array
    ds: Array

    def __init__(self, n_members: int, n_own: int, n_columns: int, n_outputs: int) -> None:
        super().__init__(n_members, n_own + n_columns, n_outputs)
        self.n_own = n_own

    def shapes(self) -> Shapes:
        k, d = self.n_members, self.n_inputs
        return {**super().shapes(), "s": ((k, d, 1), "scale")}

    def reset_parameters(self, rng: np.random.Generator) -> None:
        """Draw W ~ N(0, 1 / d); scales are 1."""
        super().reset_parameters(rng)
        self.s[...] = 1

    def products(self, M: Array) -> None:
        """Write M = s W."""
        np.multiply(self.W, self.s, out=M)

    def forward_scaled(
        self,
        E: Array | None,
        x: Array,
        M: Array,
        z: Array,
        spare: Array,
        group: int | None = None,
    ) -> None:
        """Write z, of shape (k, n, h); ``spare`` has the same shape."""
        product(x, M[:, self.n_own :], z, group)
        if E is not None:
            product(E.swapaxes(1, 2), M[:, : self.n_own], spare, group)
            np.add(z, spare, out=z)
        np.add(z, self.b, out=z)

    def backward_scaled(
        self,
        E: Array | None,
        x: Array,
        M: Array,
        delta: Array,
        ones: Array,
        dE: Array | None,
        delta_T: Array | None,
    ) -> None:
        """Write the gradients, and dL/dE of the first rows of E, as many as dE has.

        M and delta_T, (k, h, n), are overwritten.
        """
        e = self.n_own
        if dE is not None and delta_T is not None:
            np.copyto(delta_T, delta.swapaxes(1, 2))
            np.matmul(M[:, : dE.shape[1]], delta_T, out=dE)
        if E is not None:
            np.matmul(E, delta, out=self.dW[:, :e])
        np.matmul(x.T, delta, out=self.dW[:, e:])
        np.matmul(ones, delta, out=self.db)
        np.multiply(self.W, self.dW, out=M)
        np.add.reduce(M, axis=2, keepdims=True, out=self.ds)
        np.multiply(self.dW, self.s, out=self.dW)


def silu(
    z: Array, slope: Array | None = None, spare: Array | None = None, mask: Array | None = None
) -> None:
    """Replace z by a = z q with q = 1 / (1 + exp(-z)), and write da/dz = q + a (1 - q) into ``slope``.

    q = (1 + tanh(z / 2)) / 2: no overflow, and tanh is faster than an exponential. With a ``mask``, a and
    its slope are multiplied by it.
    """
    half, one = SCALARS[z.dtype][0.5], SCALARS[z.dtype][1]
    if slope is None:  # a = z / 2 + z / 2 tanh(z / 2)
        np.multiply(z, half, out=z)
        q = np.tanh(z, out=spare)
        np.add(q, one, out=q)
        np.multiply(z, q, out=z)
        return
    q = np.multiply(z, half, out=slope)
    np.tanh(q, out=q)
    np.multiply(q, half, out=q)
    np.add(q, half, out=q)
    rest = np.subtract(one, q, out=spare)
    if mask is not None:
        np.multiply(q, mask, out=q)
    np.multiply(z, q, out=z)
    np.multiply(rest, z, out=rest)
    np.add(slope, rest, out=slope)
