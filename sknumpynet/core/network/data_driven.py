# SPDX-License-Identifier: BSD-3-Clause
"""Initial weights computed from the data: each unit gets variance 1, and its zero is among the rows.

Layer by layer, with ``z = x W`` for the given rows, passed through the layers before:

    W_j = W_j / std(z_j)          z_j = z_j / std(z_j)          b_j = -sum_m e_m z_j[row_m]

with five random rows for each unit, and weights ``e ~ Exp(1)`` divided by their sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.layers import Dense
from sknumpynet.core.network.filling import sources_of
from sknumpynet.core.network.network import Network
from sknumpynet.core.network.workspace import Workspace

MEAN_OF = 5  # rows
SMALLEST = 1e-6  # standard deviation below which a unit is constant and keeps its weights


def start_from_data(W: Array, b: Array | None, z: Array, rng: np.random.Generator) -> None:
    """Set W, of shape (d, h), and b as described above; ``z = x W`` becomes ``x W + b``."""
    std = z.std(axis=-2, keepdims=True)
    std[std < SMALLEST] = 1
    W /= std
    z /= std
    if b is None:
        return
    *lead, n, h = z.shape
    share = rng.standard_exponential((*lead, MEAN_OF, h))
    share /= share.sum(axis=-2, keepdims=True)
    rows = rng.integers(n, size=(*lead, MEAN_OF, h))
    b_row = -(np.take_along_axis(z, rows, axis=-2) * share).sum(axis=-2, keepdims=True)
    b[...] = b_row.reshape(b.shape)
    z += b.reshape(b_row.shape)


def fit_to_data(network: Network, X: Any, rng: Any = None) -> None:
    """Fit the initial weights and biases of all dense layers to some rows of the data.

    An initializer uses the width of a layer, but not the scale of the inputs, their correlations, or the
    effect of the layers before. This function uses the data: each unit, including the last layer, gets
    variance 1 over the rows, and its zero near some of them, where an activation bends. The direction of
    its weights is kept. Layers that are not dense are not changed.

    Parameters
    ----------
    network : Network
        The network, before training; it is changed in place.
    X : ndarray of shape (n, n_features), or sparse
        At least two rows, in the network's dtype; a few hundred are enough. For k members also of shape
        (k, n, n_features), with rows for each.
    rng : int, Generator or None, default=None
        Chooses the rows that determine the biases. For members also a list with one for each.

    Raises
    ------
    TypeError, ValueError
        If ``X`` is not a batch for the network, has fewer than two rows, or gives non-finite numbers.
        The network is then unchanged.

    References
    ----------
    - Mishkin, Matas: All you need is a good init (ICLR 2016, arXiv:1511.06422), for the weights.
    - Steinwart: A sober look at neural network initializations (2019, arXiv:1903.11482), for the biases.
    - Holzmüller, Grinsztajn, Steinwart: Better by Default (NeurIPS 2024, arXiv:2407.04491), for both in
      networks on tables.

    Examples
    --------
    >>> import numpy as np
    >>> from sknumpynet.core import Dense, Network
    >>> X = np.random.default_rng(0).normal(50, 7, size=(200, 3))
    >>> network = Network([Dense(3, 16), "silu", Dense(16, 2)], rng=0)
    >>> fit_to_data(network, X, rng=0)
    >>> network.predict(X).std(axis=0).round(6)
    array([1., 1.])
    """
    n = X.shape[-2]
    if n < 2:
        raise ValueError(f"X must have at least 2 rows to compute a variance; got {n}")
    work = Workspace(network, n)
    work.check(X, network)
    if network.lead:  # one after another, like single networks
        members = [network.members(i) for i in range(network.lead[0])]
        for i, source in enumerate(sources_of(rng, len(members))):
            fit_to_data(members[i], X if X.ndim == 2 else X[i], source)
        network.params[...] = [member.params for member in members]
        return
    out, rng, before = X, np.random.default_rng(rng), network.snapshot()
    try:
        for layer, buffer in zip(network.layers, work.buffers, strict=True):
            if isinstance(layer, Dense) and layer.bias:
                layer.b[...] = 0
            out = layer.forward(out, buffer)
            if not np.isfinite(out).all():
                raise ValueError(f"the rows of X give non-finite values in {layer!r}")
            if isinstance(layer, Dense):
                start_from_data(layer.W, layer.b if layer.bias else None, out, rng)
    except BaseException:
        network.restore(before)
        raise
