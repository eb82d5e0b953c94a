# SPDX-License-Identifier: BSD-3-Clause
"""The network: a list of layers over one flat vector of parameters.

``params`` holds all weights W, layer by layer, then all biases b, then all other trained parameters;
``grads`` has the same layout. Operations on all parameters (a step, a penalty, a copy, a check) take one line
on a vector.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from sknumpynet.core.activations import Activation
from sknumpynet.core.arrays import Array, checked_dtype
from sknumpynet.core.initializers import Initializer
from sknumpynet.core.layers import Activate, Dense, Layer
from sknumpynet.core.layers.base import GROUPS, RUNNING_STATS, Group, warn_of_old_groups
from sknumpynet.core.layers.members import with_members
from sknumpynet.core.network.filling import fill, lead_of
from sknumpynet.core.network.foreign import check_layers
from sknumpynet.core.network.rows import chunks, row_numbers
from sknumpynet.core.network.workspace import (
    Workspace,
    bind_views,
    groups_in_order,
    raise_lost,
    width_behind,
)
from sknumpynet.core.options import as_data, from_data
from sknumpynet.core.renamed import warn_of_name

# Size of the widest layer's output for a chunk of rows, which should fit into the cache of a core.
CHUNK_BYTES = 1 << 19
Link = Callable[[Array, Array], None]
# Up to this many rows are predicted at once, whatever the width.
SMALL = 32


class Network:
    """A stack of layers with its parameters.

    Parameters
    ----------
    layers : sequence of Layer, Activation or str
        For instance ``[Dense(2, 8), "tanh", Dense(8, 1)]``. Layers are copied: the network has its own.
    dtype : {numpy.float64, numpy.float32}, default=numpy.float64
        Dtype of the parameters and of the computation.
    initializer : Initializer, default=None
        Fills the weights and the biases, in the order W, b of the first layer, W, b of the second, ... None
        means `GlorotUniform`, and for layers with ``parametrization="ntk"`` `LecunNormal`.
    bias_initializer : Initializer, default=None
        Fills the biases instead.
    rng : int, Generator, RandomState or None, default=None
        Source of the initial values.
    n_features : int, default=None
        Number of inputs; None means that of the first Dense layer. Needed if a layer before it
        changes their number.
    groups : dict of str to Group, default=None
        How the groups of parameters are trained, if not by default: which ones decay, and the factor of
        their learning rate.
    n_members : int, default=None
        The number k of networks of this shape that are computed at once. ``params`` then has the shape
        (k, n_params), and activations for n rows have the shape (k, n, units). ``rng`` and the rate of
        `Dropout` may be lists with one item for each member.

    Attributes
    ----------
    params : ndarray of shape (n_params,) or (k, n_params)
        All parameters. To write them use ``params[...] =``; the layers hold views.
    grads : ndarray like ``params``
        dL/dparams of the last `backward`.
    running_stats : ndarray
        Values that are kept but not trained: the running statistics of batch normalisation.
    n_weights : int
        Number of weights: ``params[:n_weights]``, provided that weights decay.
    n_decayed : int
        ``params[:n_decayed]`` are the parameters that decay: the weights, and other groups with ``decays``.
        Biases follow, then gains and shifts of normalisations, then further groups.
    dense : list of Dense
        The layers that have weights.

    Examples
    --------
    >>> import numpy as np
    >>> from sknumpynet.core import Adam, Dense, Network, SquaredError, Workspace
    >>> X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([[0], [1], [1], [0.0]])
    >>> network = Network([Dense(2, 8), "tanh", Dense(8, 1)], rng=0)
    >>> work, loss, optimizer = Workspace(network, len(X)), SquaredError(), Adam()
    >>> for step in range(500):
    ...     value, delta = loss.value_and_gradient(y, network.forward(X, work))
    ...     network.backward(delta, work)
    ...     optimizer.step(network.params, network.grads, learning_rate=0.05)
    >>> network.predict(X).round(2).ravel() + 0
    array([0., 1., 1., 0.])
    """

    def __init__(
        self,
        layers: Sequence[Layer | Activation | str],
        *,
        dtype: DTypeLike = np.float64,
        initializer: Initializer | None = None,
        bias_initializer: Initializer | None = None,
        rng: Any = None,
        n_features: int | None = None,
        groups: Mapping[str, Group] | None = None,
        n_members: int | None = None,
    ) -> None:
        self.n_features, self.groups = n_features, {**GROUPS, **(groups or {})}
        self.lead = lead_of(n_members)
        self.layers: list[Layer] = [
            copy.copy(layer) if isinstance(layer, Layer) else Activate(layer) for layer in layers
        ]
        for layer in self.layers:
            warn_of_old_groups(layer, stacklevel=3)
        if self.lead:
            self.layers = [with_members(layer) for layer in self.layers]
        self._lay_out()
        self._params: Array = np.full((*self.lead, self._n_params), np.nan, checked_dtype(dtype))
        self.running_stats = np.full((*self.lead, self._n_stats), np.nan, dtype)
        self._bind_all()
        check_layers(self)
        self.initialize(initializer, rng, bias_initializer)

    def _lay_out(self) -> None:
        self.dense = [layer for layer in self.layers if isinstance(layer, Dense)]
        if not self.dense:
            raise ValueError(
                "layers must hold a Dense layer, which determines the number of inputs"
            )
        self.fan_in = width = self.n_features or self.dense[0].fan_in
        self.widest = max(width, *(max(layer.fan_in, layer.fan_out) for layer in self.dense))
        self.widest_output = max(layer.fan_out for layer in self.dense)
        keeps = True  # the data
        for layer in self.layers:
            if layer.lead != self.lead:
                layer.lead = self.lead
            layer.check()
            width = width_behind(layer, width, layer is self.dense[0] and not self.n_features)
            if isinstance(layer, Activate):
                layer.must_copy_input = keeps
            keeps = layer.needed_in_backward
        self.n_outputs = width
        self.is_random = any(
            type(layer).sample_masks is not Layer.sample_masks for layer in self.layers
        )
        layout = groups_in_order(self.layers, self.groups)
        self.order, sizes, self._n_stats, self.n_decayed, self.factors = layout
        self._n_params, self.n_weights = sum(sizes.values()), sizes["weights"]

    def _bind_all(self) -> None:
        bind_views(self.layers, self._params, self.order)
        bind_views(self.layers, self.running_stats, (RUNNING_STATS,))
        self._grads: Array | None = None
        self._rates: Array | None = None

    @property
    def params(self) -> Array:
        return self._params

    @property
    def grads(self) -> Array:
        if self._grads is None:  # not needed for prediction
            self._grads = np.zeros_like(self._params)
            bind_views(self.layers, self._grads, self.order, prefix="d")
        return self._grads

    @property
    def n_members(self) -> int | None:
        """The number of members; None for a single network."""
        return self.lead[0] if self.lead else None

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._params.dtype

    def initialize(
        self,
        initializer: Initializer | None = None,
        rng: Any = None,
        bias_initializer: Initializer | None = None,
    ) -> None:
        """Draw all parameters again; without ``bias_initializer`` the biases are drawn like the weights.

        Members are drawn one after another, each like a single network.
        """
        fill(self, initializer, rng, bias_initializer)

    def learning_rates(self, learning_rate: Any) -> Any:
        """Return the learning rate of each parameter: an array if groups differ, else ``learning_rate``.

        For members, ``learning_rate`` may be an array of shape (k, 1).
        """
        if self.factors is None:
            return learning_rate
        if self._rates is None:
            self._rates = np.empty_like(self._params)
        return np.multiply(self.factors, learning_rate, out=self._rates, casting="same_kind")

    def sample_masks(self, work: Workspace, rng: Any) -> None:
        """Draw the dropout masks for the next pass in ``work``; for members, from one rng or a list."""
        for layer, buffer in zip(self.layers, work.buffers, strict=True):
            layer.sample_masks(buffer, rng)

    def update_running_stats(self, work: Workspace) -> None:
        """Update running statistics from the last forward pass in ``work``."""
        for layer, buffer in zip(self.layers, work.buffers, strict=True):
            layer.update_running_stats(buffer)

    def snapshot(self, into: tuple[Array, Array] | None = None) -> tuple[Array, Array]:
        """Return copies of all that training changes, in the arrays of an earlier snapshot if given."""
        if into is None:
            return self._params.copy(), self.running_stats.copy()
        into[0][...], into[1][...] = self._params, self.running_stats
        return into

    def restore(self, snapshot: tuple[Array, Array]) -> None:
        """Restore a snapshot."""
        self._params[...], self.running_stats[...] = snapshot

    def forward(self, X: Any, work: Workspace) -> Array:
        """Return ``raw`` of shape (n, n_outputs), a buffer of ``work``, for a batch of n rows.

        ``X``, of shape (n, n_features), is an array of the network's dtype, or sparse (CSR or CSC). For
        members it must be dense, and may have the shape (k, n, n_features); raw has the shape (k, n,
        n_outputs).
        """
        out, layer = X, self.layers[0]
        try:
            if X.dtype != self._params.dtype:
                raise TypeError
            for layer, buffer in zip(self.layers, work.buffers, strict=True):
                out = layer.forward(out, buffer)
        except (AttributeError, TypeError, ValueError) as error:
            work.check(X, self)
            if out is None:  # the previous layer returned nothing
                pairs = zip(self.layers, self.layers[1:])
                raise_lost(next(before for before, it in pairs if it is layer), error)
            raise
        if out is None:
            raise_lost(layer)
        return out  # type: ignore[no-any-return]

    def backward(self, delta: Array, work: Workspace) -> Array | None:
        """Fill `grads` from ``delta`` = dL/draw, for the batch of the last forward pass in ``work``.

        ``delta`` is overwritten. Returns dL/dX if the workspace was created for it, else None.
        """
        if self._grads is None:
            self.grads  # noqa: B018  (binds dW and db)
        flow: Array | None = delta
        try:
            for layer, buffer in zip(reversed(self.layers), work.reversed_buffers, strict=True):
                flow = layer.backward(flow, buffer)  # type: ignore[arg-type]
        except (AttributeError, TypeError, ValueError):
            work.check_delta(delta)
            raise
        return flow

    def predict(
        self, X: Any, rows: Any = None, link: Link | None = None, out: Any = None, check: Any = None
    ) -> Array:
        """Return ``raw``, or the result of ``link``, for the rows of ``X``, computed in chunks.

        ``X``, of shape (n, n_features), is an array of any real dtype or a sparse matrix or array; ``rows``
        selects rows, by number or by a mask; None means all. For each chunk ``check(chunk)`` is called, and
        ``link(raw, out)``, which writes into its rows of ``out``: an array like ``raw``, ``raw`` itself, or
        the given array. Raises IndexError if there are no such ``rows``.
        """
        if not hasattr(X, "shape"):
            raise TypeError(f"X is of type {type(X).__name__}: pass an array, as np.asarray(X) is")
        rows = None if rows is None else row_numbers(rows, X.shape[0])
        n = X.shape[0] if rows is None else len(rows)
        if n <= SMALL and rows is None and isinstance(X, np.ndarray):
            X = X.astype(self.dtype, copy=False)
            check(X) if check is not None else None
            raw = self.forward(X, Workspace(self, n, training=False))
            out = raw if out is None else out
            if link is not None:
                link(raw, out)
            elif out is not raw:
                np.copyto(out, raw)
            return out  # type: ignore[no-any-return]
        out = np.empty((*self.lead, n, self.n_outputs), self.dtype) if out is None else out
        sparse = not isinstance(X, np.ndarray)
        by_column = X.format == "csc" if sparse else X.flags.fnc and X.dtype == self.dtype
        size = max(1, min(n, self.chunk_rows(sparse or by_column)))
        if by_column and rows is None:
            if n * self.widest_output <= self.n_weights:
                size = n  # needs no more memory than the weights, and rows are not copied
            if check is not None and not sparse:
                check = check(X.T)  # all at once, in memory order; it returns None
        work = Workspace(self, size, training=False)
        for start, stop, chunk in chunks(X, rows, size, self.dtype):
            work = work if stop - start == size else work.head(stop - start)
            check(chunk) if check is not None else None
            raw = self.forward(chunk, work)
            part = out[:, start:stop] if self.lead else out[start:stop]
            link(raw, part) if link is not None else np.copyto(part, raw)
        return out  # type: ignore[no-any-return]

    def chunk_rows(self, outputs_only: bool = False, backward: bool = False) -> int:
        """Return the number of rows of a chunk.

        A chunk fits into the cache, or is so large that going through all weights for each chunk costs
        little.
        """
        width = self.widest_output if outputs_only else self.widest
        enough = min(3 * self.n_weights // width, self.n_weights if backward else 16 * SMALL)
        return max(SMALL, CHUNK_BYTES // (width * self.dtype.itemsize), enough)

    def copy(self) -> Network:
        """Return a copy of the network with its own memory."""
        return copy.deepcopy(self)

    def first(self, n: int) -> Network:
        """Return the first ``n`` layers as a network with the same parameters, for prediction."""
        part = copy.copy(self)
        part.layers = self.layers[:n]
        part.n_outputs = reduce(lambda width, layer: layer.width(width), part.layers, self.fan_in)
        return part

    def input_gradients(self, X: Any) -> tuple[Array, Array]:
        """Return ``raw``, and d raw / dX of shape (n, n_outputs, n_features), for dense ``X``."""
        if self.lead:
            raise ValueError("input_gradients is for a single network: use network.members(i)")
        other = self.copy()  # the backward pass writes gradients, and may run in several threads
        work = Workspace(other, len(X), input_gradient=True)
        for buffer in work.buffers:
            buffer.use_running_stats = True
        raw = other.forward(X, work).copy()
        slopes = np.empty((*raw.shape, X.shape[1]), self.dtype)
        for output in range(self.n_outputs):
            work.delta[...] = np.arange(self.n_outputs) == output
            slopes[:, output] = other.backward(work.delta, work)
        return raw, slopes

    def astype(self, dtype: DTypeLike) -> Network:
        """Return a copy that computes in another dtype, float32 or float64."""
        other = copy.copy(self)
        layers = [copy.copy(layer) for layer in self.layers]
        params = self._params.astype(checked_dtype(dtype))
        stats = self.running_stats.astype(dtype)
        changed = {"layers": layers, "params": params, "running_stats": stats}
        other.__setstate__({**self.__getstate__(), **changed})
        return other

    def members(self, chosen: Any) -> Network:
        """Return a network with copies of some members; a single network if ``chosen`` is an integer."""
        other, layers = copy.copy(self), [layer.members(chosen) for layer in self.layers]
        params, stats = self._params[chosen].copy(), self.running_stats[chosen].copy()
        changed = {"layers": layers, "params": params, "running_stats": stats}
        other.__setstate__({**self.__getstate__(), **changed})
        return other

    def make_writable(self) -> None:
        """Copy parameters that are in a read-only memory map."""
        if not self._params.flags.writeable:
            self._params, self.running_stats = np.array(self._params), np.array(self.running_stats)
            self._bind_all()

    def __getstate__(self) -> dict[str, Any]:
        return {
            "layers": as_data(self.layers),
            "params": self._params,
            "running_stats": self.running_stats,
            "n_features": self.n_features,
            "groups": as_data(self.groups),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.layers, self._params = from_data(state["layers"]), state["params"]
        self.running_stats, self.lead = state["running_stats"], self._params.shape[:-1]
        self.n_features, self.groups = state["n_features"], from_data(state["groups"])
        self._lay_out()
        self._bind_all()

    def __repr__(self) -> str:
        return f"Network({self.layers!r}, dtype={self.dtype.name})"

    @property
    def state(self) -> Array:
        warn_of_name("Network.state", "running_stats")
        return self.running_stats

    def draw(self, work: Workspace, rng: np.random.Generator) -> None:
        warn_of_name("Network.draw", "sample_masks")
        self.sample_masks(work, rng)

    def remember(self, work: Workspace) -> None:
        warn_of_name("Network.remember", "update_running_stats")
        self.update_running_stats(work)
