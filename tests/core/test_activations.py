# SPDX-License-Identifier: BSD-3-Clause
"""Activations: values, derivatives, and that they work where they are told to."""

import warnings

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet.core.activations import ACTIVATIONS, Activation, get_activation

Z = np.array([[-3.0, -0.5, 0.0], [0.25, 1.0, 4.0]])
NAMES = list(ACTIVATIONS)

# worked out to 12 digits elsewhere, at z = -0.5 and z = 1
FROZEN = {
    "identity": ([-0.5, 1.0], [1.0, 1.0]),
    "logistic": ([0.377540668798, 0.731058578630], [0.235003712202, 0.196611933241]),
    "tanh": ([-0.462117157260, 0.761594155956], [0.786447732966, 0.419974341614]),
    "relu": ([0.0, 1.0], [0.0, 1.0]),
}


def run(name, z, delta):
    activation = get_activation(name)
    a, delta = np.empty_like(z), delta.copy()
    activation.forward(z, a)
    activation.backward(a, delta, np.full_like(z, np.nan))
    return a, delta


@pytest.mark.parametrize("name", NAMES)
def test_frozen_values(name):
    a, delta = run(name, np.array([[-0.5, 1.0]]), np.ones((1, 2)))
    assert_allclose(a[0], FROZEN[name][0], atol=1e-12)
    assert_allclose(delta[0], FROZEN[name][1], atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_the_reference(name):
    delta = np.random.default_rng(0).normal(size=Z.shape)
    a, passed_on = run(name, Z, delta)
    assert_allclose(a, reference.activate(name, Z), rtol=1e-14, atol=1e-15)
    assert_allclose(passed_on, delta * reference.slope(name, Z), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_derivative_is_the_slope(name):
    z = Z + 0.1  # away from the kink of relu
    h = 1e-6
    slope = (reference.activate(name, z + h) - reference.activate(name, z - h)) / (2 * h)
    assert_allclose(run(name, z, np.ones_like(z))[1], slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", NAMES)
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
    assert (np.diff(a) >= 0).all() and (delta >= 0).all()


def test_one_s_own_activation_has_to_say_what_it_does():
    with pytest.raises(NotImplementedError):
        Activation().forward(Z, Z)
    with pytest.raises(NotImplementedError):
        Activation().backward(Z, Z, Z)
