# SPDX-License-Identifier: BSD-3-Clause
"""Activations: values and derivatives, written in place."""

import warnings

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet.core import ELU, Dense, Function, LeakyReLU, Network, SquaredError, Workspace
from sknumpynet.core.activations import ACTIVATIONS, Activation, get_activation

from . import frozen_optimizers as frozen
from .problems import TRAINABLE

Z = np.array([[-3.0, -0.5, 0.0], [0.25, 1.0, 4.0]])
NAMES = TRAINABLE
DENSE = Dense(3, 2)
IN_PLACE = [name for name, cls in ACTIVATIONS.items() if cls.in_place]

# worked out to 12 digits elsewhere, at z = -0.5 and z = 1
FROZEN = {
    "identity": ([-0.5, 1.0], [1.0, 1.0]),
    "logistic": ([0.377540668798, 0.731058578630], [0.235003712202, 0.196611933241]),
    "tanh": ([-0.462117157260, 0.761594155956], [0.786447732966, 0.419974341614]),
    "relu": ([0.0, 1.0], [0.0, 1.0]),
}


def run(choice, z, delta):
    activation = get_activation(choice)
    a, delta, kept = np.empty_like(z), delta.copy(), z.copy()
    activation.forward(z.copy(), a)
    scratch = np.full_like(z, np.nan)
    if activation.needs_z:
        activation.backward(z, delta, (scratch, scratch.copy()))
        assert_array_equal(z, kept)
    else:
        activation.backward(a, delta, scratch)
    return a, delta


@pytest.mark.parametrize("name", FROZEN)
def test_frozen_values(name):
    a, delta = run(name, np.array([[-0.5, 1.0]]), np.ones((1, 2)))
    assert_allclose(a[0], FROZEN[name][0], atol=1e-12)
    assert_allclose(delta[0], FROZEN[name][1], atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_values_and_slopes_are_those_of_pytorch(name):
    a, delta = run(name, np.array([frozen.Z]), np.ones((1, len(frozen.Z))))
    expected, slopes = frozen.FROZEN["activations"][name]
    assert_allclose(a[0], expected, rtol=1e-12, atol=1e-15)
    assert_allclose(delta[0], slopes, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_the_reference(name):
    delta = np.random.default_rng(0).normal(size=Z.shape)
    a, passed_on = run(name, Z, delta)
    assert_allclose(a, reference.activate(name, Z), rtol=1e-14, atol=1e-15)
    assert_allclose(passed_on, delta * reference.slope(name, Z), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_derivative_is_the_slope(name):
    z = Z + 0.1  # away from the kinks
    h = 1e-6
    slope = (reference.activate(name, z + h) - reference.activate(name, z - h)) / (2 * h)
    assert_allclose(run(name, z, np.ones_like(z))[1], slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", IN_PLACE)
def test_forward_may_write_into_its_input_and_backward_leaves_a(name):
    activation = get_activation(name)
    apart, z = np.empty_like(Z), Z.copy()
    activation.forward(Z, apart)
    activation.forward(z, z)
    assert_array_equal(z, apart)
    activation.backward(z, np.ones_like(z), np.empty_like(z))
    assert_array_equal(z, apart)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NAMES)
def test_extreme_values_give_finite_numbers_without_a_warning(name, dtype):
    z = np.array([[-1e4, -1000, -100, 0, 100, 1000, 1e4]], dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        a, delta = run(name, z, np.ones_like(z))
    assert a.dtype == delta.dtype == dtype
    assert np.isfinite(a).all() and np.isfinite(delta).all()
    if name not in ("gelu", "silu", "mish", "gaussian"):  # these go down somewhere
        assert (np.diff(a) >= 0).all() and (delta >= 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_float32_agrees_with_float64(name):
    z = np.linspace(-6, 6, 101)[np.newaxis] + 0.01
    delta = np.ones_like(z)
    for single, double in zip(run(name, z.astype("f"), delta.astype("f")), run(name, z, delta)):
        assert single.dtype == np.float32
        assert_allclose(single, double, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("slope", [0.01, 0.3])
def test_slope_of_leaky_relu(slope):
    a, delta = run(LeakyReLU(slope), Z, np.ones_like(Z))
    assert_allclose(a, np.where(Z > 0, Z, slope * Z))
    assert_allclose(delta, np.where(Z > 0, 1, slope))


@pytest.mark.parametrize("alpha", [0.25, 1.0, 3.0])
def test_alpha_of_elu(alpha):
    a, delta = run(ELU(alpha), Z, np.ones_like(Z))
    assert_allclose(a, np.where(Z > 0, Z, alpha * np.expm1(Z)))
    assert_allclose(delta, np.where(Z > 0, 1, alpha * np.exp(Z)), rtol=1e-13)


def test_step_predicts_and_does_not_train():
    a = np.empty_like(Z)
    get_activation("step").forward(Z, a)
    assert_array_equal(a, reference.activate("step", Z))
    assert not get_activation("step").trainable
    assert all(get_activation(name).trainable for name in NAMES)
    network = Network([DENSE, "step"], rng=0)
    assert set(network.predict(Z).ravel()) <= {0.0, 1.0}
    work = Workspace(network, 2)
    _, delta = SquaredError().value_and_gradient(np.zeros((2, 2)), network.forward(Z, work))
    with pytest.raises(
        ValueError, match="activation='step' cannot be trained: its derivative is z"
    ):
        network.backward(delta, work)


def test_a_pair_of_functions_is_an_activation():
    delta = np.random.default_rng(0).normal(size=Z.shape)
    a, passed_on = run((np.sin, np.cos), Z, delta)
    assert_array_equal(a, np.sin(Z))
    assert_allclose(passed_on, delta * np.cos(Z))
    assert get_activation((np.sin, np.cos)) == Function(np.sin, np.cos)
    for wrong in [(np.sin,), (np.sin, 1.0), [np.sin, np.cos], np.sin, (np.sin, np.cos, np.tan)]:
        with pytest.raises(
            ValueError, match=r"a pair of functions \(f, f'\), or an object of class"
        ):
            get_activation(wrong)


def test_the_table_holds_them_all():
    assert set(ACTIVATIONS) == {*NAMES, "step"}
    assert {n for n in ACTIVATIONS if not ACTIVATIONS[n].needs_z} < set(ACTIVATIONS)
    assert set(frozen.FROZEN["activations"]) == set(NAMES)


def test_custom_activation_must_define_its_methods():
    with pytest.raises(NotImplementedError):
        Activation().forward(Z, Z)
    with pytest.raises(NotImplementedError):
        Activation().backward(Z, Z, Z)
