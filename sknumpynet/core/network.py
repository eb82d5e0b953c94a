# SPDX-License-Identifier: BSD-3-Clause
"""The network: a list of layers over one flat vector of parameters, and the workspace it computes in.

``params`` holds all weights W, layer by layer, and after them all biases b; ``grads`` is laid out alike.
Whatever is done to all parameters (a step, a penalty, a copy, a check) is one line on a vector.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from sknumpynet.core.activations import Activation
from sknumpynet.core.batches import Gather
from sknumpynet.core.initializers import GlorotUniform, Initializer, RandomSource
from sknumpynet.core.layers import Activate, Buffer, Dense, Layer
from sknumpynet.core.options import Array

# Of the widest layer's output for a chunk of rows: about what a core's cache holds.
CHUNK_BYTES = 1 << 19
# So few rows are predicted in one go, whatever the width.
SMALL = 32


class Network:
    """A stack of layers with its parameters.

    Parameters
    ----------
    layers : sequence of Layer, Activation or str
        For instance ``[Dense(2, 8), "tanh", Dense(8, 1)]``. Layers are copied: the network has its own.
    dtype : {numpy.float64, numpy.float32}, default=numpy.float64
        Of the parameters and of all that is computed.
    initializer : Initializer, default=GlorotUniform()
        Fills the weights and the biases, in the order W, b of the first layer, W, b of the second, ...
    rng : int, Generator, RandomState or None, default=None
        Where the initial numbers come from.

    Attributes
    ----------
    params : ndarray of shape (n_params,)
        All parameters. To write them use ``params[...] =``; the layers hold views.
    grads : ndarray of shape (n_params,)
        dL/dparams of the last `backward`.
    n_weights : int
        ``params[:n_weights]`` are the weights, the rest are biases.
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
        rng: int | RandomSource | None = None,
    ) -> None:
        self.layers: list[Layer] = [
            copy.copy(layer) if isinstance(layer, Layer) else Activate(layer) for layer in layers
        ]
        self._lay_out()
        self._params = np.empty(self.n_weights + self._n_biases, dtype)
        self._bind()
        self.initialize(GlorotUniform() if initializer is None else initializer, rng)

    def _lay_out(self) -> None:
        if not self.layers or not isinstance(self.layers[0], Dense):
            raise ValueError(
                "layers must begin with a Dense layer, which tells the number of inputs"
            )
        self.dense = [layer for layer in self.layers if isinstance(layer, Dense)]
        self.widest = max(max(layer.fan_in, layer.fan_out) for layer in self.dense)
        self.fan_in = width = self.layers[0].fan_in
        for layer in self.layers:
            width = layer.width(width)
        self.n_outputs = width
        self.n_weights = sum(layer.fan_in * layer.fan_out for layer in self.dense)
        self._n_biases = sum(layer.fan_out for layer in self.dense if layer.bias)

    def _views(self, vector: Array) -> Iterator[tuple[Dense, Array, Array | None]]:
        """Yield each Dense layer with its pieces of ``vector``, of the shapes of W and b."""
        start, start_b = 0, self.n_weights
        for layer in self.dense:
            stop = start + layer.fan_in * layer.fan_out
            W, b = vector[start:stop].reshape(layer.fan_in, layer.fan_out), None
            start = stop
            if layer.bias:
                b = vector[start_b : start_b + layer.fan_out]
                start_b += layer.fan_out
            yield layer, W, b

    def _bind(self) -> None:
        for layer, W, b in self._views(self._params):
            layer.bind(W, b)
        self._grads: Array | None = None

    @property
    def params(self) -> Array:
        return self._params

    @property
    def grads(self) -> Array:
        if self._grads is None:  # a network that only predicts needs none
            self._grads = np.zeros_like(self._params)
            for layer, dW, db in self._views(self._grads):
                layer.bind_gradients(dW, db)
        return self._grads

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._params.dtype

    def initialize(self, initializer: Initializer, rng: int | RandomSource | None = None) -> None:
        """Draw all parameters anew."""
        source: Any = rng
        if not hasattr(source, "uniform"):
            source = np.random.default_rng(source)
        for layer in self.dense:
            for view in (layer.W, layer.b):
                if view is not None:
                    initializer.fill(view, layer.fan_in, layer.fan_out, source)

    def forward(self, X: Any, work: Workspace) -> Array:
        """Return ``raw`` of shape (n, n_outputs), a buffer of ``work``, for a batch of as many rows.

        ``X``, of shape (n, n_features), is an array of the network's dtype, or sparse (CSR or CSC).
        """
        if X.dtype != self._params.dtype:
            raise TypeError(
                f"X has dtype {X.dtype}, but the network computes in {self.dtype}: "
                f"pass X.astype({self.dtype.name!r})"
            )
        for layer, buffer in zip(self.layers, work.buffers, strict=True):
            X = layer.forward(X, buffer)
        return X  # type: ignore[no-any-return]

    def backward(self, delta: Array, work: Workspace) -> Array | None:
        """Fill `grads` from ``delta`` = dL/draw, for the batch that was last sent forward in ``work``.

        ``delta`` is overwritten. Returns dL/dX where the workspace was made for it, else None.
        """
        if self._grads is None:
            self.grads  # noqa: B018  (binds dW and db)
        flow: Array | None = delta
        for layer, buffer in zip(reversed(self.layers), work.reversed_buffers, strict=True):
            flow = layer.backward(flow, buffer)  # type: ignore[arg-type]
        return flow

    def predict(
        self,
        X: Any,
        rows: Array | None = None,
        link: Callable[[Array, Array], None] | None = None,
    ) -> Array:
        """Return ``raw``, or what ``link`` makes of it, for the rows of ``X``, a chunk at a time.

        ``X``, of shape (n, n_features), is an array of any real dtype or a sparse matrix or array; ``rows``
        are the numbers of the rows to take, None for all. ``link(raw, out)`` is called for each chunk.
        """
        n = X.shape[0] if rows is None else len(rows)
        if n <= SMALL and rows is None and isinstance(X, np.ndarray) and X.dtype == self.dtype:
            raw = self.forward(X, Workspace(self, n, training=False))
            if link is not None:
                link(raw, raw)
            return raw
        raw = np.empty((n, self.n_outputs), self.dtype)
        size = max(1, min(n, self.chunk_rows()))
        work, gather = Workspace(self, size, training=False), Gather(X, size, self.dtype)
        for start in range(0, n, size):
            stop = min(start + size, n)
            if stop - start < size:
                work = work.head(stop - start)
            chunk = gather(slice(start, stop) if rows is None else rows[start:stop])
            part = raw[start:stop]
            part[...] = self.forward(chunk, work)
            if link is not None:
                link(part, part)
        return raw

    def chunk_rows(self) -> int:
        """Return how many rows to take at a time where the number is free."""
        return max(32, CHUNK_BYTES // (self.widest * self.dtype.itemsize))

    def copy(self) -> Network:
        """Return a network with the same parameters and its own memory."""
        return copy.deepcopy(self)

    def astype(self, dtype: DTypeLike) -> Network:
        """Return a copy that computes in another dtype."""
        other = copy.copy(self)
        other.__setstate__(
            {"layers": [copy.copy(x) for x in self.layers], "params": self._params.astype(dtype)}
        )
        return other

    def make_writable(self) -> None:
        """Copy parameters that lie in a file that was opened for reading (a memory map)."""
        if not self._params.flags.writeable:
            self._params = np.array(self._params)
            self._bind()

    def __getstate__(self) -> dict[str, Any]:
        return {"layers": self.layers, "params": self._params}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.layers, self._params = state["layers"], state["params"]
        self._lay_out()
        self._bind()

    def __repr__(self) -> str:
        return f"Network({self.layers!r}, dtype={self.dtype.name})"


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
        network: Network,
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
        ones = np.ones(n_rows, dtype)
        space = np.empty(n_rows * network.widest, dtype)
        for index, layer in enumerate(network.layers):
            fan_in, width = width, layer.width(width)
            scratch = space[: n_rows * width].reshape(n_rows, width)
            needs_delta = index > 0 or input_gradient
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
