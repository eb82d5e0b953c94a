# SPDX-License-Identifier: BSD-3-Clause
"""Initializers: bounds, and the order in which the numbers are drawn."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknumpynet.core import Dense, GlorotUniform, Initializer, Network

from .problems import make_network


@pytest.mark.parametrize("gain", [6.0, 2.0])
@pytest.mark.parametrize("fan_in, fan_out", [(30, 50), (1, 2000)])
def test_glorot_fills_its_interval(gain, fan_in, fan_out):
    W = np.empty((fan_in, fan_out))
    GlorotUniform(gain).fill(W, fan_in, fan_out, np.random.default_rng(0))
    bound = np.sqrt(gain / (fan_in + fan_out))
    assert 0.98 * bound < W.max() < bound and -bound < W.min() < -0.98 * bound
    assert abs(W.std() - bound / np.sqrt(3)) < 0.05 * bound


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_draws_W_and_b_layer_by_layer_as_scikit_learn_does(dtype, bias):
    network = make_network(dtype=dtype, bias=bias, rng=np.random.RandomState(3))
    rng = np.random.RandomState(3)
    for layer in network.dense:
        bound = np.sqrt(6 / (layer.fan_in + layer.fan_out))
        W = rng.uniform(-bound, bound, (layer.fan_in, layer.fan_out))
        assert_array_equal(layer.W, W.astype(dtype))
        if bias:
            b = rng.uniform(-bound, bound, layer.fan_out)
            assert_array_equal(layer.b, b.astype(dtype))


def test_one_s_own_initializer_sees_the_shapes():
    class Count(Initializer):
        def fill(self, view, fan_in, fan_out, rng):
            view[...] = 100 * fan_in + 10 * fan_out + view.ndim

    network = Network([Dense(2, 3), Dense(3, 1, bias=False)], initializer=Count())
    assert_array_equal(network.params, [232] * 6 + [312] * 3 + [231] * 3)
    network.initialize(GlorotUniform(), 0)
    assert abs(network.params).max() < 2
    with pytest.raises(NotImplementedError):
        Network([Dense(2, 3)], initializer=Initializer())


def test_the_seed_decides():
    first, again, other = (
        make_network(rng=seed).params for seed in (1, np.random.default_rng(1), 2)
    )
    assert_array_equal(first, again)
    assert (first != other).all()
    assert (make_network(rng=None).params != make_network(rng=None).params).all()
