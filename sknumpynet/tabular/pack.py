# SPDX-License-Identifier: BSD-3-Clause
"""A pack: k independent networks of the same shape, trained at once on the same batches.

    E = embedding(x)                     (k, f o, n)
    z_1 = E^T M_E + x M_x + b            M = s W, the first layer with its scales
    a_l = silu(z_l) * mask_l             (k, n, h)
    z_l+1 = a_l W + b
    raw = the last z                     (k, n, outputs)

E may also contain columns whose values differ between members, after the embeddings.

All parameters are in one vector, with a section for each name that contains the members one after another;
likewise the gradients. Adam's step takes a few lines on these vectors.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.layers.dropout import DropoutPool
from sknumpynet.tabular.layers import (
    BIAS_RATE,
    EMBEDDING_RATE,
    FREQUENCY_SPREAD,
    SCALE_RATE,
    Dense,
    Layer,
    NumericEmbedding,
    ScaledInput,
    silu,
)


@dataclass(frozen=True)
class Shape:
    """The shape of a network for tables.

    Attributes
    ----------
    n_numeric : int
        Number of columns that are embedded, the first ones of x.
    n_columns : int
        Number of columns of x.
    n_outputs : int
        Width of ``raw``.
    hidden : tuple of int
        Widths of the hidden layers.
    n_frequencies, n_embedded, frequency, frequency_spread
        Options of the embedding; no embedding with ``n_frequencies=0``.
    n_own : int
        Number of columns whose values differ between members.
    """

    n_numeric: int
    n_columns: int
    n_outputs: int
    hidden: tuple[int, ...] = (64, 64, 64)
    n_frequencies: int = 16
    n_embedded: int = 3
    frequency: float = 1.0
    n_own: int = 0
    frequency_spread: float = FREQUENCY_SPREAD

    def embeds(self) -> bool:
        """Whether numbers are embedded."""
        return self.n_numeric > 0 and self.n_frequencies > 0


class Pack:
    """k networks of the same shape.

    Parameters
    ----------
    shape : Shape
        Shape of each network.
    n_members : int
        k.
    dtype : dtype
        float32 or float64.
    params : ndarray, default=None
        The vector of parameters to use; None means zeros.
    training : bool, default=True
        Whether gradients are needed.
    """

    def __init__(
        self,
        shape: Shape,
        n_members: int,
        dtype: Any = np.float32,
        params: Array | None = None,
        training: bool = True,
    ) -> None:
        self.shape, self.n_members, self.dtype = shape, n_members, np.dtype(dtype)
        k, n_own = n_members, shape.n_own
        self.embedding: NumericEmbedding | None = None
        if shape.embeds():
            self.embedding = NumericEmbedding(
                k,
                shape.n_numeric,
                shape.n_frequencies,
                shape.n_embedded,
                shape.frequency,
                shape.frequency_spread,
            )
            n_own += shape.n_numeric * shape.n_embedded
        widths = (*shape.hidden, shape.n_outputs)
        self.first = ScaledInput(k, n_own, shape.n_columns, widths[0])
        self.dense = [Dense(k, d, h) for d, h in pairwise(widths)]
        embedding: list[Layer] = [] if self.embedding is None else [self.embedding]
        self.layers: list[Layer] = [*embedding, self.first, *self.dense]

        self.segments: list[tuple[slice, tuple[int, ...], str]] = []
        start = 0
        for layer in self.layers:
            for dims, kind in layer.shapes().values():
                self.segments.append((slice(start, start + math.prod(dims)), dims, kind))
                start += math.prod(dims)
        self.n_params = start
        self.params = np.zeros(start, self.dtype) if params is None else params
        self.grads = np.zeros(start, self.dtype) if training else None
        self._bind()

    @functools.cached_property
    def scaled_weights(self) -> Array:
        """M = s W of the first layer, of a pack whose parameters change no more."""
        M = np.empty_like(self.first.W)
        self.first.products(M)
        return M

    def _bind(self) -> None:
        segments = iter(self.segments)
        for layer in self.layers:
            params, grads = {}, {}
            for name in layer.shapes():
                where, dims, _ = next(segments)
                params[name] = self.params[where].reshape(dims)
                if self.grads is not None:
                    grads[name] = self.grads[where].reshape(dims)
            layer.bind(params, grads)

    def __getstate__(self) -> dict[str, Any]:
        # views do not survive a pickle: it contains only the vector and its layout
        return {
            "shape": self.shape,
            "n_members": self.n_members,
            "dtype": self.dtype.name,
            "params": self.params,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state, training=False)  # type: ignore[misc]

    def members(self, chosen: Any) -> Pack:
        """Return a pack with copies of some members, for prediction."""
        parts = [self.params[where].reshape(dims)[chosen] for where, dims, _ in self.segments]
        params = np.concatenate([part.ravel() for part in parts])
        return Pack(self.shape, len(parts[0]), self.dtype, params, training=False)

    @staticmethod
    def joined(packs: list[Pack]) -> Pack:
        """Return one pack with the members of several packs of the same shape."""
        parts = [
            np.concatenate([pack.params[pack.segments[i][0]] for pack in packs])
            for i in range(len(packs[0].segments))
        ]
        n_members = sum(pack.n_members for pack in packs)
        return Pack(
            packs[0].shape, n_members, packs[0].dtype, np.concatenate(parts), training=False
        )

    def reset_parameters(
        self, X: Array, rng: np.random.Generator, own: Array | None = None
    ) -> None:
        """Draw the parameters, and adapt those of the linear layers to the rows of X, layer by layer."""
        for layer in self.layers:
            layer.reset_parameters(rng)
        x = X[np.newaxis]
        work = Workspace(self, len(X), training=False)
        E = self._own_inputs(X, own, work)
        if E is not None:
            shared = np.broadcast_to(x, (self.n_members, *X.shape))
            x = np.concatenate([E.swapaxes(1, 2), shared], axis=2)
        for layer in (self.first, *self.dense):
            x = layer.start_from_data(x, rng)
            silu(x)

    def _own_inputs(self, x: Array, own: Array | None, work: Workspace) -> Array | None:
        if work.E is None:
            return None
        if self.embedding is not None:
            self.embedding.forward(x[:, : self.shape.n_numeric], work.embedding)
        if own is not None:
            work.E[:, work.n_embedded :] = own
        return work.E

    def forward(
        self, x: Array, work: Workspace, own: Array | None = None, products: bool = True
    ) -> Array:
        """Return ``raw``, of shape (k, n, outputs), for rows x of shape (n, columns).

        ``own`` are the columns that differ between members, (k or 1, columns, n). With ``products=False``,
        M = s W is already in ``work``.
        """
        E = self._own_inputs(x, own, work)
        z = work.z[0]
        if products:
            self.first.products(work.M)
        self.first.forward_scaled(E, x, work.M, z, work.spare[0], work.group)
        for i, layer in enumerate(self.dense):
            if work.slope:
                mask = work.masks[i] if work.masks else None
                silu(z, work.slope[i], work.spare[i], mask)
            else:
                silu(z, spare=work.spare[i])
            layer.forward(z, work.z[i + 1], work.group)
            z = work.z[i + 1]
        return z

    def backward(self, x: Array, delta: Array, work: Workspace) -> None:
        """Write all gradients, given dL/draw."""
        for i in range(len(self.dense) - 1, -1, -1):
            dx = work.spare[i]
            self.dense[i].backward(work.z[i], delta, work.ones, dx, work.W_T[i])
            delta = np.multiply(dx, work.slope[i], out=work.slope[i])
        self.first.backward_scaled(work.E, x, work.M, delta, work.ones, work.dE, work.delta_T)
        if self.embedding is not None and work.dE is not None:
            self.embedding.backward(work.dE.reshape(work.embedding["E"].shape), work.embedding)


class Workspace:
    """The memory for a pass of a pack over a number of rows."""

    def __init__(
        self,
        pack: Pack,
        n_rows: int,
        training: bool = True,
        rng: np.random.Generator | None = None,
        group: int | None = None,
        M: Array | None = None,
    ) -> None:
        self.group = group  # rows of a product; None means all
        k, shape, dtype = pack.n_members, pack.shape, pack.dtype
        hidden = shape.hidden
        self.z = [np.empty((k, n_rows, h), dtype) for h in (*hidden, shape.n_outputs)]
        self.delta, self.scratch = np.empty_like(self.z[-1]), np.empty_like(self.z[-1])
        self.M = np.empty_like(pack.first.W) if M is None else M
        one_size = len(set(hidden)) == 1  # then one buffer is enough for all layers
        self.spare = [np.empty_like(self.z[0])] * len(hidden)
        if not one_size:
            self.spare = [np.empty_like(z) for z in self.z[:-1]]
        self.ones = np.ones((1, n_rows), dtype)
        self.slope = [np.empty_like(z) for z in self.z[:-1]] if training else []
        self.W_T = [np.empty(each.W.swapaxes(1, 2).shape, dtype) for each in pack.dense if training]
        self.n_embedded = pack.first.n_own - shape.n_own
        self.embedding: dict[str, Array] = {}
        self.E: Array | None = None
        self.dE: Array | None = None
        self.delta_T: Array | None = None
        if pack.first.n_own:
            self.E = np.empty((k, pack.first.n_own, n_rows), dtype)
        if pack.embedding is not None and self.E is not None:
            E = self.E[:, : self.n_embedded]
            self.embedding = pack.embedding.buffers(n_rows, dtype, training, E)
            if training:
                self.dE = np.empty((k, self.n_embedded, n_rows), dtype)
                self.delta_T = np.empty((k, hidden[0], n_rows), dtype)
        self.masks: list[Array] = []
        self.pools: list[DropoutPool] = []
        self.rng = rng
        if rng is not None:
            pools = {h: DropoutPool(k * n_rows * h, dtype) for h in hidden}
            self.pools = [pools[h] for h in hidden]

    def state(self) -> list[dict[str, Any]]:
        """Return the states of the pools; everything else is overwritten in each pass."""
        return [pool.state() for pool in dict.fromkeys(self.pools)]

    def set_state(self, states: list[dict[str, Any]]) -> None:
        """Restore the states of the pools."""
        for pool, state in zip(dict.fromkeys(self.pools), states, strict=True):
            pool.set_state(state)

    def draw_masks(self, rate: float) -> None:
        """Draw the masks of a step; none if the rate is zero."""
        if self.rng is None or rate < 1 / 512:
            self.masks = []
            return
        for pool in dict.fromkeys(self.pools):
            pool.renew(rate, self.rng)
        self.masks = [pool.mask(z.shape, self.rng) for pool, z in zip(self.pools, self.z)]


BLOCK = 32
FEW, MANY = 8, 64  # rows of a block for few and for many rows, if the results stay bit-identical
# Rows of a block and of a product, beginning with the largest block and the largest products in it.
DIVISIONS = ((BLOCK, None), (BLOCK, 16), (BLOCK, 8), (BLOCK, 4), (8, None), (1, None))


def division(packs: list[Pack], n_rows: int = BLOCK) -> tuple[int, int | None]:
    """Return sizes of blocks and products for which the result of a row does not depend on its position.

    This is tested with the current BLAS, with blocks of equal rows: OpenBLAS for AVX2 has one kernel for six
    rows in float32 and, in larger products, another for the next six, which rounds differently. Blocks are
    small if ``n_rows`` is, so that a single row is fast, and large for many rows.
    """
    usual = next(
        each
        for each in DIVISIONS
        if each == DIVISIONS[-1]
        or all(in_any_order(pack.shape, pack.dtype, *each) for pack in packs)
    )
    size = FEW if n_rows <= FEW else MANY if n_rows > BLOCK else BLOCK
    group = usual[1] and min(usual[1], size)
    if size != usual[0] and all(
        leaves_the_same_bits(pack.shape, pack.dtype, size, group, *usual) for pack in packs
    ):
        return size, group
    return usual


def random_pack(shape: Shape, dtype: Any) -> tuple[Pack, np.random.Generator]:
    """Return one member with random weights, to test the BLAS with, and a generator for its inputs."""
    rng = np.random.default_rng(0)
    pack = Pack(shape, 1, dtype, training=False)
    pack.params[...] = rng.normal(0, 0.3, pack.n_params)
    return pack, rng


@functools.cache
def leaves_the_same_bits(
    shape: Shape, dtype: Any, size: int, group: int | None, usual_size: int, usual_group: int | None
) -> bool:
    """Return whether blocks of ``size`` rows give results bit-identical to those of the usual blocks."""
    pack, rng = random_pack(shape, dtype)
    X = rng.normal(size=(2 * MANY, shape.n_columns + shape.n_own)).astype(dtype)
    found, usual = (
        np.concatenate([raw.copy() for _, raw in blocks(pack, X, each)], axis=1)
        for each in ((size, group), (usual_size, usual_group))
    )
    return bool(np.array_equal(found, usual))


@functools.cache
def in_any_order(shape: Shape, dtype: Any, size: int, group: int | None) -> bool:
    """Return whether equal rows of a block are bit-identical in every layer."""
    pack, rng = random_pack(shape, dtype)
    work, d = Workspace(pack, size, training=False, group=group), shape.n_columns
    for row in rng.normal(size=(4, d + shape.n_own)).astype(dtype):
        X = np.tile(row, (size, 1))
        own = X[:, d:].T[np.newaxis] if shape.n_own else None
        pack.forward(np.ascontiguousarray(X[:, :d]), work, own)
        if not all((z == z[:, :1]).all() for z in work.z):
            return False
    return True


def blocks(
    pack: Pack, X: Array, divided: tuple[int, int | None] | None = None
) -> Iterator[tuple[slice, Array]]:
    """Yield slices of rows and their ``raw``, (k, rows, outputs), which the next iteration overwrites.

    Columns that differ between members, here the same for all, are the last ones of X. All blocks have the
    same size, for which the rounding of BLAS does not depend on the position of a row or on the other rows.
    """
    size, group = division([pack], len(X)) if divided is None else divided
    M = pack.scaled_weights if pack.grads is None else None
    work = Workspace(pack, size, training=False, group=group, M=M)
    if M is None:
        pack.first.products(work.M)
    d = pack.shape.n_columns
    for start in range(0, len(X), size):
        x = X[start : start + size]
        n = len(x)
        if n < size:
            x = np.concatenate([x, np.zeros((size - n, X.shape[1]), X.dtype)])
        own = x[:, d:].T[np.newaxis] if x.shape[1] > d else None
        raw = pack.forward(np.ascontiguousarray(x[:, :d]), work, own, products=False)
        yield slice(start, start + n), raw[:, :n]


def raw_of(pack: Pack, X: Array) -> Array:
    """Return ``raw``, of shape (k, n, outputs)."""
    raw = np.empty((pack.n_members, len(X), pack.shape.n_outputs), pack.dtype)
    for rows, part in blocks(pack, X):
        raw[:, rows] = part
    return raw


class Adam:
    """Adam on the vector of a pack, with a learning rate factor and a decay for each section.

        m = beta_1 m + (1 - beta_1) g        v = beta_2 v + (1 - beta_2) g^2
        p = p (1 - rate decay) - rate factor c m / (sqrt(v) + epsilon)

    with c = sqrt(1 - beta_2^t) / (1 - beta_1^t), as in scikit-learn. Decay is the same for all weights, and
    zero for other parameters. The factor is 1 / sqrt(d) for weights (k, d, h), and an option for biases,
    embeddings and scales. The state holds m / (1 - beta_1) and v / (1 - beta_2), which saves a pass over
    each.
    """

    PIECE = 1 << 14

    def __init__(
        self,
        pack: Pack,
        beta_1: float = 0.9,
        beta_2: float = 0.95,
        epsilon: float = 1e-8,
        bias_factor: float = BIAS_RATE,
        embedding_factor: float = EMBEDDING_RATE,
        scale_factor: float = SCALE_RATE,
    ) -> None:
        factors = {"bias": bias_factor, "embedding": embedding_factor, "scale": scale_factor}
        self.pack, self.beta_1, self.beta_2, self.epsilon = pack, beta_1, beta_2, epsilon
        self.m, self.v = np.zeros_like(pack.params), np.zeros_like(pack.params)
        self.t = 0
        spare = np.empty(self.PIECE, pack.dtype)
        assert pack.grads is not None
        self.pieces: list[tuple[Array, Array, Array, Array, Array]] = []
        self.parts: list[list[tuple[Array, Array, float, bool]]] = []  # of a block, one factor each
        for start in range(0, pack.n_params, self.PIECE):
            stop = min(start + self.PIECE, pack.n_params)
            p, g, m, v = (a[start:stop] for a in (pack.params, pack.grads, self.m, self.v))
            self.pieces.append((p, g, m, v, spare[: stop - start]))
            parts = []
            for where, dims, kind in pack.segments:
                decays = kind == "weight"
                factor = 1 / math.sqrt(dims[1]) if decays else factors[kind]
                low, high = max(where.start, start), min(where.stop, stop)
                if low < high:
                    own = (pack.params[low:high], spare[low - start : high - start])
                    parts.append((*own, factor, decays))
            self.parts.append(parts)

    def state(self) -> dict[str, Any]:
        """Return the state needed to continue later."""
        return {"m": self.m, "v": self.v, "t": self.t}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore a state."""
        self.m[...], self.v[...], self.t = state["m"], state["v"], state["t"]

    def step(self, rate: float, decay: float) -> None:
        """Update the parameters of the pack with its gradients."""
        self.t += 1
        kept_1, kept_2 = 1 - self.beta_1, math.sqrt(1 - self.beta_2)
        scale = kept_1 / kept_2 * math.sqrt(1 - self.beta_2**self.t) / (1 - self.beta_1**self.t)
        scalar = self.pack.dtype.type
        beta_1, beta_2, epsilon = map(scalar, (self.beta_1, self.beta_2, self.epsilon / kept_2))
        keep = scalar(1 - rate * decay)
        for (p, g, m, v, spare), parts in zip(self.pieces, self.parts):
            np.multiply(m, beta_1, out=m)
            np.add(m, g, out=m)
            np.multiply(g, g, out=g)
            np.multiply(v, beta_2, out=v)
            np.add(v, g, out=v)
            np.sqrt(v, out=spare)
            np.add(spare, epsilon, out=spare)
            np.divide(m, spare, out=spare)
            for own, change, factor, decays in parts:
                np.multiply(change, scalar(-rate * factor * scale), out=change)
                if decays:
                    np.multiply(own, keep, out=own)
            np.add(p, spare, out=p)
