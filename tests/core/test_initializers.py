# SPDX-License-Identifier: BSD-3-Clause
"""Initializers: bounds, and the order in which the numbers are drawn."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet.core import (
    Dense,
    GlorotUniform,
    Initializer,
    Network,
    Normal,
    Orthogonal,
    Uniform,
    Zeros,
)
from sknumpynet.core.initializers import INITIALIZERS, get_initializer

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


SOURCES = [np.random.default_rng, np.random.RandomState]
# the variance times what it is to be inversely proportional to, for 300 inputs and 200 units
VARIANCES = {
    "glorot_uniform": 2 / 500,
    "glorot_normal": 2 / 500,
    "he_uniform": 2 / 300,
    "he_normal": 2 / 300,
    "lecun_uniform": 1 / 300,
    "lecun_normal": 1 / 300,
}


def fill(initializer, source=np.random.default_rng, shape=(300, 200), dtype=np.float64):
    view = np.full(shape, np.nan, dtype)
    initializer.fill(view, 300, 200, source(0))
    return view


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", VARIANCES)
def test_variance_and_form_of_the_distribution(name, source):
    W, expected = fill(get_initializer(name), source), VARIANCES[name]
    # of 60,000 numbers the variance is known to about 1 %
    assert abs(W.var() / expected - 1) < 0.03 and abs(W.mean()) < 0.02 * np.sqrt(expected)
    kurtosis = (W**4).mean() / W.var() ** 2
    assert abs(kurtosis - (1.8 if "uniform" in name else 3)) < 0.1
    # biases are drawn as the weights of the layer are
    b = fill(get_initializer(name), source, (200,))
    assert 0.7 * expected < b.var() < 1.3 * expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(300, 200), (7, 30), (5, 5), (1, 4), (4, 1)])
@pytest.mark.parametrize("gain", [1.0, 2**0.5])
def test_orthogonal(shape, gain, dtype):
    W = fill(Orthogonal(gain), shape=shape, dtype=dtype)
    assert W.dtype == dtype
    small = W.T @ W if shape[0] >= shape[1] else W @ W.T
    assert_allclose(
        small, gain**2 * np.eye(min(shape)), atol=1e-5 if dtype == np.float32 else 1e-12
    )
    assert_array_equal(fill(Orthogonal(gain), shape=(9,)), np.zeros(9))


def test_orthogonal_has_no_preferred_direction():
    # without the signs of R the diagonal would lean to one side
    rng = np.random.default_rng(0)
    first = []
    for _ in range(400):
        W = np.empty((2, 2))
        Orthogonal().fill(W, 2, 2, rng)
        first.append(W[0, 0])
    assert abs(np.mean(first)) < 0.1


@pytest.mark.parametrize("source", SOURCES)
def test_plain_distributions(source):
    W = fill(Normal(0.3), source)
    assert abs(W.std() - 0.3) < 0.005 and abs(W.mean()) < 0.005 and abs(W).max() > 0.9
    W = fill(Uniform(-0.5, 2.0), source)
    assert -0.5 <= W.min() < -0.49 and 1.99 < W.max() <= 2.0
    assert abs(W.mean() - 0.75) < 0.02
    assert_array_equal(fill(Zeros(), source, (200,)), np.zeros(200))


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_draws_are_the_same_in_float32(name):
    double, single = (
        fill(get_initializer(name), dtype=dtype) for dtype in (np.float64, np.float32)
    )
    assert_array_equal(single, double.astype(np.float32))


def test_biases_may_have_an_initializer_of_their_own():
    options = {"initializer": GlorotUniform(), "rng": 0}
    network = Network([Dense(30, 20), "tanh", Dense(20, 2)], **options, bias_initializer=Zeros())
    for layer in network.dense:
        assert_array_equal(layer.b, 0)
        assert abs(layer.W).min() > 0
    before = network.params.copy()
    network.initialize(Zeros(), 0, Normal(1.0))
    for layer in network.dense:
        assert_array_equal(layer.W, 0)
        assert abs(layer.b).min() > 0
    network.initialize(GlorotUniform(), 0, Zeros())
    assert_array_equal(network.params, before)
