# SPDX-License-Identifier: BSD-3-Clause
"""Dropout and normalisation, one layer at a time: by hand, and against PyTorch's numbers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet.core import BatchNorm, Dense, Dropout, LayerNorm, Network, Workspace

from . import frozen_optimizers as frozen

X = np.random.default_rng(0).normal(3.0, 2.0, size=(6, 4))


def alone(layer, units=4, **options):
    """A network that is this layer, behind a dense one that changes nothing."""
    network = Network([Dense(units, units, bias=False), layer], **options)
    network.dense[0].W[...] = np.eye(units)
    return network


# ---- dropout


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rate", [0.0, 0.25, 0.9])
def test_masks_hold_zeros_and_what_keeps_the_mean(rate, dtype):
    network = alone(Dropout(rate), 100, dtype=dtype)
    work = Workspace(network, 2000)
    network.sample_masks(work, np.random.default_rng(0))
    mask = work.buffers[1].mask
    assert mask.dtype == dtype
    assert_allclose(np.unique(mask), [1.0] if rate == 0 else [0, 1 / (1 - rate)], rtol=1e-6)
    assert abs((mask == 0).mean() - rate) < 0.005
    assert abs(mask.mean() - 1) < 0.02


def test_dropout_forward_and_backward():
    network = alone(Dropout(0.5))
    work = Workspace(network, 6, input_gradient=True)
    assert_allclose(network.forward(X, work), X)  # no mask is drawn yet
    network.sample_masks(work, np.random.default_rng(0))
    mask = work.buffers[1].mask.copy()
    assert 0 < (mask == 0).sum() < mask.size
    for _ in range(2):  # the mask stays until another is drawn
        assert_allclose(network.forward(X, work), X * mask)
    assert_allclose(network.backward(np.ones_like(X), work), mask)
    assert_array_equal(work.buffers[1].mask, mask)
    network.sample_masks(work, np.random.default_rng(0))
    assert_array_equal(work.buffers[1].mask, mask)
    network.sample_masks(work, np.random.default_rng(1))
    assert (work.buffers[1].mask != mask).any()


def test_dropout_is_off_in_prediction():
    network = alone(Dropout(0.9))
    assert_array_equal(network.predict(X), X)
    work = Workspace(network, 6, training=False)
    network.sample_masks(Workspace(network, 6), np.random.default_rng(0))
    assert_array_equal(network.forward(X, work), X)


def test_the_short_last_batch_has_a_mask_too():
    network = alone(Dropout(0.5))
    whole = Workspace(network, 6)
    part = whole.head(3)
    network.sample_masks(part, np.random.default_rng(0))
    mask = part.buffers[1].mask
    assert mask.shape == (3, 4) and (mask == 0).any()
    assert np.shares_memory(mask, whole.buffers[1].mask)
    assert_allclose(network.forward(X[:3], part), X[:3] * mask)


# ---- normalisation


def ready(cls):
    network = alone(cls(3), 3)
    network.params[9:12], network.params[12:] = frozen.GAIN, frozen.SHIFT
    return network, Workspace(network, 5, input_gradient=True)


@pytest.mark.parametrize("kind, cls", [("batch", BatchNorm), ("layer", LayerNorm)])
def test_normalisation_is_that_of_pytorch(kind, cls):
    expected = frozen.FROZEN[kind]
    network, work = ready(cls)
    layer = network.layers[1]
    close = {"rtol": 1e-11, "atol": 1e-13}
    assert_allclose(network.forward(frozen.X, work), expected["out"], **close)
    assert_allclose(network.backward(frozen.DELTA.copy(), work), expected["dX"], **close)
    assert_allclose(layer.dgain, expected["dgain"], **close)
    assert_allclose(layer.dshift, expected["dshift"], **close)
    network.update_running_stats(work)
    if kind == "batch":
        assert_allclose(layer.mean, expected["mean"], **close)
        assert_allclose(layer.variance, expected["variance"], **close)
        assert_allclose(network.predict(frozen.X), expected["predicted"], **close)
    else:
        assert_allclose(network.predict(frozen.X), expected["out"], **close)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_normalised_has_mean_0_and_variance_1(dtype):
    for layer, axis in [(BatchNorm(4), 0), (LayerNorm(4), 1)]:
        network = alone(layer, dtype=dtype)
        out = network.forward(X.astype(dtype), Workspace(network, 6))
        assert out.dtype == dtype
        assert_allclose(out.mean(axis=axis), 0, atol=1e-5)
        assert_allclose(out.var(axis=axis), 1, atol=1e-4)


def test_running_statistics_by_hand():
    network = alone(BatchNorm(4, momentum=0.75))
    layer, work = network.layers[1], Workspace(network, 6)
    mean, variance = np.zeros(4), np.ones(4)
    for factor in (1.0, 2.0, -1.0):
        network.forward(factor * X, work)
        assert_array_equal(layer.mean, mean)  # a forward pass alone changes nothing
        network.update_running_stats(work)
        mean = 0.75 * mean + 0.25 * (factor * X).mean(axis=0)
        variance = 0.75 * variance + 0.25 * (factor * X).var(axis=0, ddof=1)
        assert_allclose(layer.mean, mean)
        assert_allclose(layer.variance, variance)
    assert_array_equal(network.running_stats, [*layer.mean, *layer.variance])
    expected = (X - mean) / np.sqrt(variance + 1e-5)
    assert_allclose(network.predict(X), expected)
    # so that a row's prediction does not depend on the others
    assert_allclose(network.predict(X[2:3]), expected[2:3])


def test_a_batch_of_one_row_takes_the_running_statistics():
    network = alone(BatchNorm(4))
    network.running_stats[...] = [1, 2, 3, 4, 4, 4, 9, 9]
    kept = network.running_stats.copy()
    work = Workspace(network, 6, input_gradient=True).head(1)
    out = network.forward(X[:1], work)
    scale = 1 / np.sqrt(kept[4:] + 1e-5)
    assert_allclose(out, (X[:1] - kept[:4]) * scale)
    assert_allclose(network.backward(np.ones((1, 4)), work), scale[np.newaxis])
    network.update_running_stats(work)
    assert_array_equal(network.running_stats, kept)
    # each row by itself is no special case
    network = alone(LayerNorm(4))
    out = network.forward(X[:1], Workspace(network, 1))
    assert_allclose(out, (X[:1] - X[:1].mean()) / np.sqrt(X[:1].var() + 1e-5))


@pytest.mark.parametrize("cls", [BatchNorm, LayerNorm])
def test_columns_and_rows_without_variance_are_finite(cls):
    network = alone(cls(4, epsilon=1e-3))
    work = Workspace(network, 6, input_gradient=True)
    out = network.forward(np.full((6, 4), 7.0), work)
    assert_allclose(out, 0, atol=1e-12)
    assert np.isfinite(network.backward(np.ones((6, 4)), work)).all()


def test_large_offsets_do_not_eat_the_variance():
    network = alone(BatchNorm(4))
    out = network.forward(X, Workspace(network, 6)).copy()
    assert_allclose(network.forward(X + 1e8, Workspace(network, 6)), out, atol=1e-6)


def test_workspaces_hold_statistics_of_their_own():
    network = alone(BatchNorm(4))
    one, other = Workspace(network, 6, input_gradient=True), Workspace(network, 6)
    network.forward(X, one)
    expected = network.backward(np.eye(6, 4), one).copy()
    network.forward(X, one)
    network.forward(5 * X, other)
    assert_allclose(network.backward(np.eye(6, 4), one), expected)
    network.update_running_stats(one)
    assert_allclose(network.layers[1].mean, 0.1 * X.mean(axis=0))
