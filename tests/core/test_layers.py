# SPDX-License-Identifier: BSD-3-Clause
"""Layers: one at a time, with numbers small enough to check by hand."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet.core import Activate, Dense, Layer, Network, Tanh, Workspace
from sknumpynet.core.layers import Buffer

X = np.array([[1.0, 2.0, 0.0], [0.0, -1.0, 3.0]])
DELTA = np.array([[1.0, 0.0], [-1.0, 2.0]])


def one_dense(bias=True, input_gradient=True, n=2):
    network = Network([Dense(3, 2, bias=bias)])
    network.params[:6] = [1, 2, 3, 4, 5, 6]  # W, row by row
    network.params[6:] = [10, 20][: len(network.params) - 6]
    return network, Workspace(network, n, input_gradient=input_gradient)


@pytest.mark.parametrize("bias", [True, False])
def test_dense_by_hand(bias):
    network, work = one_dense(bias)
    z = network.forward(X, work)
    assert_array_equal(z, np.array([[7, 10], [12, 14]]) + bias * np.array([10, 20]))
    delta_x = network.backward(DELTA.copy(), work)
    assert_array_equal(network.layers[0].dW, [[1, 0], [3, -2], [-3, 6]])
    assert_array_equal(delta_x, [[1, 3, 5], [3, 5, 7]])
    if bias:
        assert_array_equal(network.layers[0].db, [0, 2])
    else:
        assert network.layers[0].db is None and len(network.grads) == 6


def test_no_gradient_of_the_input_unless_asked_for():
    network, work = one_dense(input_gradient=False)
    network.forward(X, work)
    assert network.backward(DELTA.copy(), work) is None


@pytest.mark.parametrize("columns", [[], [1], [0, 2], [0, 1, 2]])
@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "csc_matrix", "csc_array"])
def test_dense_takes_sparse_input(kind, columns):
    dense = np.zeros_like(X)
    dense[:, columns] = X[:, columns]
    results = []
    for x in (dense, getattr(sp, kind)(dense)):
        network, work = one_dense(input_gradient=False)
        network.grads[...] = np.nan
        z = network.forward(x, work).copy()
        network.backward(DELTA.copy(), work)
        results.append((z, network.grads))
    for got, expected in zip(*results):
        assert_allclose(got, expected, rtol=1e-14)


def test_gradients_are_written_not_added():
    network, work = one_dense()
    network.forward(X, work)
    network.backward(DELTA.copy(), work)
    once = network.grads.copy()
    network.backward(DELTA.copy(), work)
    assert_array_equal(network.grads, once)


def test_dense_checks_the_width_of_the_previous_layer():
    assert Dense(3, 2).width(3) == 2
    with pytest.raises(
        ValueError, match=r"Dense\(fan_in=3.* follows a layer of 4 units; set fan_in=4"
    ):
        Dense(3, 2).width(4)


def test_activate_works_in_place():
    layer = Activate("tanh")
    assert layer == Activate(Tanh()) and layer.width(7) == 7
    z, scratch = X.copy(), np.empty_like(X)
    buffer = layer.buffer(3, 2, scratch, None, True)
    a = layer.forward(z, buffer)
    assert a is z is buffer.out
    assert_array_equal(a, np.tanh(X))
    delta = np.ones_like(X)
    assert layer.backward(delta, buffer) is delta
    assert_allclose(delta, 1 - np.tanh(X) ** 2, rtol=1e-14)
    with pytest.raises(ValueError, match="activation must be one of"):
        Activate("swoosh")


def test_head_of_a_buffer_is_the_same_memory():
    whole = Buffer(*(np.zeros(shape) for shape in ((5, 2), (5, 3), (5, 2), (5,), (5, 2))))
    part = whole.head(2)
    for name in ("out", "delta", "scratch", "ones", "mask"):
        assert len(getattr(part, name)) == 2
        assert np.shares_memory(getattr(part, name), getattr(whole, name))
    assert Buffer().head(2).out is None
    # without scratch space it is for prediction, with running statistics
    assert (
        Buffer().use_running_stats
        and Buffer().head(2).use_running_stats
        and not whole.head(2).use_running_stats
    )


def test_the_base_class_computes_nothing():
    layer = Layer()
    assert layer.shapes() == {} and layer.width(3) == 3
    for call in (
        lambda: layer.forward(X, Buffer()),
        lambda: layer.backward(X, Buffer()),
    ):
        with pytest.raises(NotImplementedError):
            call()
