# SPDX-License-Identifier: BSD-3-Clause
"""Groups of parameters: which decay, how fast each learns, and layers before the first Dense."""

import pickle

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet.core import (
    SGD,
    AdamW,
    BatchNorm,
    Constant,
    Dense,
    Layer,
    Network,
    SquaredError,
    check_gradients,
)
from sknumpynet.core.layers.base import Buffer, Group
from sknumpynet.core.training import Batches, Objective, Training

from .problems import make_data

N = 9


class WithSquares(Layer):
    """Each input beside a multiple of its square: twice as many outputs."""

    VIEWS = ("factor", "dfactor")

    def __init__(self, n):
        self.n = n

    def width(self, fan_in):
        return 2 * fan_in

    def shapes(self):
        return {"factor": ("squares", (self.n,))}

    def reset_parameters(self, rng, initializer, bias_initializer=None):
        self.factor[...] = 0.5

    def buffer(self, fan_in, n, scratch, ones, needs_delta):
        dtype = self.factor.dtype
        return Buffer(np.empty((n, 2 * fan_in), dtype), np.empty((n, fan_in), dtype), scratch, ones)

    def forward(self, x, buffer):
        buffer.x = x
        buffer.out[:, : self.n] = x
        buffer.out[:, self.n :] = self.factor * x**2
        return buffer.out

    def backward(self, delta, buffer):
        x, plain, squared = buffer.x, delta[:, : self.n], delta[:, self.n :]
        self.dfactor[...] = (squared * x**2).sum(axis=0)
        buffer.delta[...] = plain + 2 * self.factor * x * squared
        return buffer.delta


def make_network(**options):
    layers = [WithSquares(5), Dense(10, 4), BatchNorm(4), "tanh", Dense(4, 3)]
    return Network(layers, n_features=5, **{"rng": 0, **options})


def pieces_of(network):
    """Return the positions of the parameters, by the sizes of the layers: weights, biases, gains, factors."""
    n_weights, n_biases, n_gains = 10 * 4 + 4 * 3, 4 + 3, 2 * 4
    ends = np.cumsum([n_weights, n_biases, n_gains, 5])
    assert ends[-1] == len(network.params)
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def one_step(network, optimizer, rate=0.01, **options):
    X, y, _ = make_data("squared_error", N)
    rng = np.random.RandomState(0)
    training = Training(network, SquaredError(), optimizer, Constant(rate), rng, **options)
    next(training.epochs(Batches(X, y, None, N, network.dtype)))
    return training


def test_a_layer_before_the_first_may_widen():
    network = make_network()
    assert (network.fan_in, network.n_outputs) == (5, 3)
    X, y, w = make_data("squared_error", N, weighted=True)
    check_gradients(network, SquaredError(), X, y, w)
    twin = pickle.loads(pickle.dumps(network))
    assert_array_equal(twin.predict(X), network.predict(X))
    by_hand = Network([Dense(10, 4), BatchNorm(4), "tanh", Dense(4, 3)], rng=0)
    assert_allclose(network.predict(X), by_hand.predict(np.hstack([X, 0.5 * X**2])))


def test_the_order_of_the_vector_is_weights_biases_gains_others():
    network = make_network()
    weights, biases, gains, factors = pieces_of(network)
    assert network.n_weights == network.n_decayed == weights.stop
    assert_array_equal(network.params[weights][:40], network.dense[0].W.ravel())
    assert_array_equal(network.params[biases][:4], network.dense[0].b)
    assert_array_equal(network.params[gains], [1] * 4 + [0] * 4)
    assert_array_equal(network.params[factors], [0.5] * 5)


@pytest.mark.parametrize("groups", [{}, {"weights": Group(decays=True)}, {"biases": Group()}])
def test_groups_as_they_are_change_nothing(groups):
    plain, other = make_network(), make_network(groups=groups)
    assert other.learning_rates(0.25) == 0.25
    for network in (plain, other):
        one_step(network, AdamW(weight_decay=0.1), l2=0.3)
    assert_array_equal(other.params, plain.params)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_step_of_adamw_by_hand(dtype):
    rate, decay = 0.01, 0.5
    groups = {
        "weights": Group(decays=True),
        "biases": Group(learning_rate_factor=0.1),
        "squares": Group(decays=True, learning_rate_factor=3.0),
    }
    network = make_network(groups=groups, dtype=dtype)
    weights, factors = network.dense[0].W.copy(), network.layers[0].factor.copy()
    biases, gain = network.dense[0].b.copy(), network.layers[2].gain.copy()
    assert network.n_decayed == 52 + 5
    before = network.params.copy()
    one_step(network, AdamW(weight_decay=decay), rate)
    # Adam's first step from nothing
    size, _, _ = reference.adam_step(
        [np.zeros_like(before)], [network.grads], [0], [0], 1, 1.0, 0.9, 0.999, 1e-8
    )
    of = {
        name: network_piece(network, array, -size[0])
        for name, array in (
            ("W", network.dense[0].W),
            ("b", network.dense[0].b),
            ("gain", network.layers[2].gain),
            ("factor", network.layers[0].factor),
        )
    }
    close = {"rtol": 1e-12} if dtype is np.float64 else {"rtol": 3e-5, "atol": 1e-6}
    assert_allclose(network.dense[0].W, weights * (1 - rate * decay) - rate * of["W"], **close)
    assert_allclose(network.dense[0].b, biases - 0.1 * rate * of["b"], **close)
    assert_allclose(network.layers[2].gain, gain - rate * of["gain"], **close)
    expected = factors * (1 - 3 * rate * decay) - 3 * rate * of["factor"]
    assert_allclose(network.layers[0].factor, expected, **close)
    assert network.params.dtype == dtype


def network_piece(network, view, vector):
    """The piece of a vector laid out as ``params`` that belongs to a view of it."""
    start = view.__array_interface__["data"][0] - network.params.__array_interface__["data"][0]
    start //= network.params.itemsize
    return vector[start : start + view.size].reshape(view.shape)


def test_weights_that_do_not_decay_have_no_penalty():
    none = {"weights": Group(decays=False)}
    for options in ({}, {"max_grad_norm": 1e9}):
        plain, other = make_network(), make_network(groups=none)
        one_step(plain, SGD())
        one_step(other, SGD(), l2=5.0, l1=1.0, **options)
        assert other.n_decayed == 0
        assert_allclose(other.predict(np.ones((1, 5))), plain.predict(np.ones((1, 5))))


@pytest.mark.parametrize("decays", [True, False])
def test_the_penalty_is_for_all_groups_that_decay(decays):
    groups = {name: Group(decays) for name in ("weights", "biases", "gains", "squares")}
    X, y, _ = make_data("squared_error", N)
    objective = Objective(make_network(groups=groups), SquaredError(), X, y, None, 2.0)
    plain = Objective(make_network(groups=groups), SquaredError(), X, y, None, 0.0)
    params = objective.network.params.copy()
    penalty = 2.0 / (2 * N) * (params**2).sum() if decays else 0.0
    assert_allclose(objective(params)[0] - plain(params)[0], penalty, atol=1e-14)
    assert_allclose(objective.penalty(params), penalty)
    # the same in a step, clipped or not
    for options in ({}, {"max_grad_norm": 1e9}):
        network = make_network(groups=groups)
        training = one_step(network, SGD(momentum=0), 0.0 + 1e-300, l2=2.0, **options)
        expected = params * 2.0 / N if decays else np.zeros_like(params)
        assert_allclose(training.network.grads, plain(params)[1] + expected, atol=1e-12)


def test_rates_take_no_new_memory_and_survive_a_pickle():
    network = make_network(groups={"biases": Group(learning_rate_factor=2.0)})
    first = network.learning_rates(0.5)
    assert network.learning_rates(0.25) is first
    twin = pickle.loads(pickle.dumps(network))
    assert_array_equal(twin.learning_rates(0.5), network.learning_rates(0.5))
    assert_array_equal(np.unique(twin.learning_rates(0.5)), [0.5, 1.0])
