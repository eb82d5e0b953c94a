# SPDX-License-Identifier: BSD-3-Clause
"""Numeric embedding: a few smooth periodic functions of each column, in addition to the column itself.

Each column x has its own frequencies w and phases b, and a small matrix V that combines the waves:

    S = 2 pi w x + b          C = cos(S)          E = V C

Backward, with ``dE = dL/dE``:

    dV = dE C^T               dS = -sin(S) * (V^T dE)
    dw = 2 pi sum_rows dS x   db = sum_rows dS          dL/dx = 2 pi w^T dS

P holds w and b, so that S is one product, ``P [2 pi x, 1]``. Shapes, for n rows, f columns, H frequencies and
o outputs: P (f, H, 2), V (f, o, H), angles (f, 2, n), S and C (f, H, n), E (f, o, n). Rows are the last axis,
because NumPy is slow on a last axis as short as H.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sknumpynet.core.arrays import SCALARS, Array
from sknumpynet.core.layers.base import Buffer, Layer
from sknumpynet.core.wording import counted


def draw_embedding(P: Array, V: Array, frequency: float, spread: float, rng: Any) -> None:
    """Draw the initial w, b and V.

    ``w ~ N(0, frequency^2) exp(N(0, spread^2))``, ``b ~ U(-pi, pi)``, ``V ~ U(-1, 1) / sqrt(H)``.
    """
    shape = P.shape[:-1]
    P[..., 0] = rng.normal(0, frequency, shape)
    P[..., 0] *= np.exp(rng.normal(0, spread, shape))
    P[..., 1] = rng.uniform(-math.pi, math.pi, shape)
    V[...] = rng.uniform(-1, 1, V.shape) / math.sqrt(P.shape[-2])


def embed(P: Array, V: Array, angles: Array, S: Array, C: Array, E: Array) -> None:
    """Write E. If C is a separate array, S is replaced by sin(S), for the backward pass."""
    np.matmul(P, angles, out=S)
    np.cos(S, out=C)
    np.matmul(V, C, out=E)
    if C is not S:
        np.sin(S, out=S)


def embed_backward(
    V: Array,
    angles: Array,
    sin_S: Array,
    C: Array,
    dE: Array,
    minus_dS: Array,
    dP: Array,
    dV: Array,
) -> None:
    """Write dP, dV and ``-dS = sin(S) * (V^T dE)``."""
    np.matmul(dE, C.swapaxes(-1, -2), out=dV)
    np.matmul(V.swapaxes(-1, -2), dE, out=minus_dS)
    np.multiply(sin_S, minus_dS, out=minus_dS)
    np.matmul(minus_dS, angles.swapaxes(-1, -2), out=dP)
    np.negative(dP, out=dP)


class EmbeddingBuffer(Buffer):
    """The arrays of `NumericEmbedding` for a batch, in addition to its output; rows are the last axis.

    Attributes
    ----------
    angles : ndarray of shape (f, 2, n)
        ``2 pi x`` and ones.
    S, C : ndarray of shape (f, H, n)
        The angles of the waves (after a forward pass their sines), and their cosines.
    minus_dS : ndarray of shape (f, H, n) or None
        -dL/dS; None for prediction.
    E : ndarray of shape (f, o, n)
        The embedding, and in the backward pass dL/dE.
    columns : ndarray of shape (n, f o)
        A view of E with the layout of the output.
    dx : ndarray of shape (f, 1, n) or None
        The part of -dL/dx from the waves, divided by 2 pi; None if it is not needed.
    """

    __slots__ = ("C", "E", "S", "angles", "columns", "dx", "minus_dS")

    S: Array
    C: Array
    E: Array
    angles: Array
    columns: Array
    minus_dS: Array | None
    dx: Array | None

    def set_waves(
        self, angles: Array, S: Array, C: Array, E: Array, minus_dS: Array | None, dx: Array | None
    ) -> None:
        self.angles, self.S, self.C, self.E, self.minus_dS, self.dx = angles, S, C, E, minus_dS, dx
        *lead, f, o, n = E.shape
        self.columns = E.reshape(*lead, f * o, n).swapaxes(-1, -2)

    def head(self, n: int) -> EmbeddingBuffer:
        part, plain = EmbeddingBuffer(), super().head(n)
        for name in Buffer.__slots__:
            setattr(part, name, getattr(plain, name))
        S, C = (array[..., :n] for array in (self.S, self.C))
        minus_dS, dx = (None if a is None else a[..., :n] for a in (self.minus_dS, self.dx))
        C = S if self.C is self.S else C
        part.set_waves(self.angles[..., :n], S, C, self.E[..., :n], minus_dS, dx)
        return part


class NumericEmbedding(Layer):
    """Periodic features of the first columns, for networks on tables: "PBLD".

    With dense layers, a function of one column that rises and falls many times needs many units. Here each
    column is represented by ``n_outputs`` trained sums of waves with different frequencies. The output is
    ``[E_1, ..., E_f, x]``: the embeddings of the first ``n_columns`` columns, ``n_outputs`` each, followed by
    all columns unchanged.

    Columns should be scaled to a standard deviation of about 1. The parameters are in the group
    ``"embeddings"``, which does not decay; RealMLP trains them at a tenth of the learning rate, with
    ``groups={"embeddings": Group(learning_rate_factor=0.1)}``.

    Parameters
    ----------
    n_columns : int
        Number of columns to embed, beginning with the first.
    n_frequencies : int, default=16
        Number of waves for each column.
    n_outputs : int, default=3
        Number of functions that combine the waves of a column.
    frequency : float, default=1.0
        Size of the initial frequencies, in waves per unit of x. High ones fit fine structure, but also noise.
    spread : float, default=0.7
        Spread of the initial frequencies: each is multiplied by ``exp(N(0, spread^2))``, so that a few are
        high. With 0 they are normal, as in the paper.

    Attributes
    ----------
    P, dP : ndarray of shape (n_columns, n_frequencies, 2)
        Frequencies ``w = P[..., 0]`` and phases ``b = P[..., 1]``, and their gradients: views into the
        network's ``params`` and ``grads``.
    V, dV : ndarray of shape (n_columns, n_outputs, n_frequencies)
        The matrices that combine the waves, and their gradients; likewise. With k members, all have an
        additional first axis.

    References
    ----------
    - Holzmüller, Grinsztajn, Steinwart: Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on
      Tabular Data (NeurIPS 2024, arXiv:2407.04491), for "PBLD".
    - Gorishniy, Rubachev, Babenko: On Embeddings for Numerical Features in Tabular Deep Learning
      (NeurIPS 2022, arXiv:2203.05556), for periodic embeddings.

    Examples
    --------
    A table of five columns, of which the first two are embedded:

    >>> import numpy as np
    >>> from sknumpynet.core import Dense, Network
    >>> layers = [NumericEmbedding(2), Dense(2 * 3 + 5, 8), "silu", Dense(8, 1)]
    >>> network = Network(layers, n_features=5, rng=0)
    >>> network.predict(np.zeros((4, 5))).shape
    (4, 1)
    """

    constraints = {
        **dict.fromkeys(("n_columns", "n_frequencies", "n_outputs"), "an integer in [1, inf)"),
        "frequency": "a number in (0, inf)",
        "spread": "a number in [0, inf)",
    }
    VIEWS = ("P", "V", "dP", "dV")
    takes_members = True

    P: Array
    V: Array
    dP: Array
    dV: Array

    def __init__(
        self,
        n_columns: int,
        n_frequencies: int = 16,
        n_outputs: int = 3,
        frequency: float = 1.0,
        spread: float = 0.7,
    ) -> None:
        self.n_columns = n_columns
        self.n_frequencies = n_frequencies
        self.n_outputs = n_outputs
        self.frequency = frequency
        self.spread = spread

    def width(self, fan_in: int) -> int:
        if fan_in < self.n_columns:
            raise ValueError(
                f"{self!r} has {counted(fan_in, 'input column')}; set n_columns={fan_in} or less"
            )
        return self.n_columns * self.n_outputs + fan_in

    def shapes(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        f, H, o = self.n_columns, self.n_frequencies, self.n_outputs
        return {"P": ("embeddings", (f, H, 2)), "V": ("embeddings", (f, o, H))}

    def reset_parameters(
        self, rng: Any, initializer: Any, bias_initializer: Any | None = None
    ) -> None:
        """Draw all parameters, ignoring the initializers."""
        draw_embedding(self.P, self.V, self.frequency, self.spread, rng)

    def buffer(
        self, fan_in: int, n: int, scratch: Array | None, ones: Array | None, needs_delta: bool
    ) -> Buffer:
        lead, dtype, f = self.lead, self.P.dtype, self.n_columns
        out = np.empty((*lead, n, self.width(fan_in)), dtype)
        delta = np.empty((*lead, n, fan_in), dtype) if needs_delta else None
        buffer = EmbeddingBuffer(out, delta, scratch, ones)
        S = C = np.empty((*lead, f, self.n_frequencies, n), dtype)
        angles, E = (np.ones((*lead, f, m, n), dtype) for m in (2, self.n_outputs))
        minus_dS = dx = None
        if scratch is not None:
            C, minus_dS = np.empty_like(S), np.empty_like(S)
        if needs_delta:
            dx = np.empty((*lead, f, 1, n), dtype)
        buffer.set_waves(angles, S, C, E, minus_dS, dx)
        return buffer

    def forward(self, x: Any, buffer: Any) -> Array:
        if not isinstance(x, np.ndarray):
            raise TypeError(f"{self!r} takes arrays, not {type(x).__name__}: pass X.toarray()")
        two_pi = SCALARS[x.dtype][2 * math.pi]
        np.multiply(x[..., : self.n_columns].swapaxes(-1, -2), two_pi, buffer.angles[..., 0, :])
        embed(self.P, self.V, buffer.angles, buffer.S, buffer.C, buffer.E)
        buffer.x, out, n = x, buffer.out, self.n_columns * self.n_outputs
        out[..., :n] = buffer.columns
        out[..., n:] = x
        return out  # type: ignore[no-any-return]

    def backward(self, delta: Array, buffer: Any) -> Array | None:
        n = self.n_columns * self.n_outputs
        buffer.columns[...] = delta[..., :n]
        waves = buffer.angles, buffer.S, buffer.C, buffer.E, buffer.minus_dS
        embed_backward(self.V, *waves, self.dP, self.dV)
        if buffer.delta is None:
            return None
        np.matmul(self.P[..., np.newaxis, :, 0], buffer.minus_dS, out=buffer.dx)
        buffer.dx *= SCALARS[delta.dtype][2 * math.pi]
        buffer.delta[...] = delta[..., n:]
        buffer.delta[..., : self.n_columns] -= buffer.dx[..., 0, :].swapaxes(-1, -2)
        return buffer.delta  # type: ignore[no-any-return]
