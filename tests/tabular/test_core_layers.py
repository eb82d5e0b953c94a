# SPDX-License-Identifier: BSD-3-Clause
"""The pack, whose operations are fused for speed, against networks of the core's layers."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sknumpynet.core import Dense, Network, NumericEmbedding, Scale, Workspace, fit_to_data
from sknumpynet.tabular.pack import Pack, Shape, raw_of
from sknumpynet.tabular.pack import Workspace as PackWorkspace


def random_shape(seed):
    """A shape, and a number of members and of rows."""
    rng = np.random.default_rng(seed)
    numeric, others = int(rng.integers(0, 6)), int(rng.integers(0, 4))
    hidden = tuple(int(h) for h in rng.integers(1, 20, size=rng.integers(1, 4)))
    shape = Shape(
        numeric,
        max(1, numeric + others),
        int(rng.integers(1, 5)),
        hidden,
        n_frequencies=int(rng.integers(0, 9)),
        n_embedded=int(rng.integers(1, 5)),
    )
    return shape, int(rng.integers(1, 5)), int(rng.integers(2, 40))


def network_of(shape, dtype, ntk, **options):
    kind = {"parametrization": "ntk" if ntk else "standard"}
    layers, width = [], shape.n_columns
    if shape.embeds():
        layers.append(NumericEmbedding(shape.n_numeric, shape.n_frequencies, shape.n_embedded))
        width = layers[0].width(width)
    layers.append(Scale(width))
    for h in shape.hidden:
        layers += [Dense(width, h, **kind), "silu"]
        width = h
    layers.append(Dense(width, shape.n_outputs, **kind))
    return Network(layers, n_features=shape.n_columns, dtype=dtype, rng=0, **options)


def pairs(pack, network):
    """Yield the layer of the pack, the layer of the network, and a name that both have."""
    scale = next(layer for layer in network.layers if isinstance(layer, Scale))
    if pack.embedding is not None:
        yield pack.embedding, network.layers[0], "P"
        yield pack.embedding, network.layers[0], "V"
    yield pack.first, scale, "s"
    for theirs, ours in zip((pack.first, *pack.dense), network.dense):
        yield theirs, ours, "W"
        yield theirs, ours, "b"


def factor(layer, name):
    """Return the factor between a parameter of the pack and that of the network."""
    return (
        math.sqrt(layer.fan_in)
        if getattr(layer, "parametrization", "") == "ntk" and name == "W"
        else 1
    )


@pytest.mark.parametrize("seed", range(40))
def test_a_pack_is_so_many_networks_of_the_core(seed):
    shape, k, n = random_shape(seed)
    dtype, ntk = (np.float64, np.float32)[seed % 4 == 3], seed % 2 == 1
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, shape.n_columns)).astype(dtype)
    pack = Pack(shape, k, dtype)
    pack.reset_parameters(X, rng)
    pack.first.s[...] = rng.normal(1, 0.3, pack.first.s.shape)
    work = PackWorkspace(pack, n)
    raw = pack.forward(X, work).copy()
    delta = rng.normal(size=raw.shape).astype(dtype) / n
    pack.backward(X, delta.copy(), work)
    close = {"rtol": 1e-9, "atol": 1e-10} if dtype is np.float64 else {"rtol": 2e-3, "atol": 2e-4}
    network = network_of(shape, dtype, ntk)
    assert network.params.size * k == pack.n_params
    own = Workspace(network, n)
    for member in range(k):
        for theirs, ours, name in pairs(pack, network):
            view = getattr(ours, name)
            view[...] = getattr(theirs, name)[member].reshape(view.shape) * factor(ours, name)
        assert_allclose(network.forward(X, own), raw[member], **close)
        network.backward(delta[member].copy(), own)
        for theirs, ours, name in pairs(pack, network):
            view = getattr(ours, "d" + name)
            expected = getattr(theirs, "d" + name)[member].reshape(view.shape) / factor(ours, name)
            assert_allclose(view, expected, **close, err_msg=f"d{name} of {ours}")


@pytest.mark.parametrize("seed", range(20))
def test_a_pack_is_one_network_of_members(seed):
    shape, k, n = random_shape(100 + seed)
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, shape.n_columns))
    pack, network = Pack(shape, k, np.float64), network_of(shape, np.float64, True, n_members=k)
    pack.reset_parameters(X, rng)
    for theirs, ours, name in pairs(pack, network):
        view = getattr(ours, name)
        view[...] = getattr(theirs, name).reshape(view.shape) * factor(ours, name)
    delta = rng.normal(size=(k, n, shape.n_outputs))
    work, own = PackWorkspace(pack, n), Workspace(network, n)
    raw = pack.forward(X, work)
    assert_allclose(network.forward(X, own), raw, rtol=1e-9, atol=1e-10)
    assert_allclose(network.predict(X), raw_of(pack, X), rtol=1e-9, atol=1e-10)
    pack.backward(X, delta.copy(), work)
    network.backward(delta.copy(), own)
    for theirs, ours, name in pairs(pack, network):
        view = getattr(ours, "d" + name)
        expected = getattr(theirs, "d" + name).reshape(view.shape) / factor(ours, name)
        assert_allclose(view, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("seed", range(10))
def test_a_pack_begins_like_a_network_that_is_fitted_to_the_data(seed):
    shape, _, n = random_shape(seed)
    X = np.random.default_rng(seed).normal(size=(n, shape.n_columns))
    pack, network = Pack(shape, 1, np.float64), network_of(shape, np.float64, ntk=False)
    pack.reset_parameters(X, np.random.default_rng(7))
    rng = np.random.default_rng(7)
    for layer in network.layers:
        if isinstance(layer, NumericEmbedding):
            layer.reset_parameters(rng, None)
        elif isinstance(layer, Dense):
            layer.W[...] = rng.normal(0, 1 / math.sqrt(layer.fan_in), layer.W.shape)
    fit_to_data(network, X, rng)
    for theirs, ours, name in pairs(pack, network):
        view = getattr(ours, name)
        assert_allclose(view, getattr(theirs, name).reshape(view.shape), rtol=1e-9, atol=1e-10)
