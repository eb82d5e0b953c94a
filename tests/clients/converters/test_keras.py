# SPDX-License-Identifier: BSD-3-Clause
"""Keras, with PyTorch behind it: what "Coming from Keras" says of weights, and steps by its table."""

import os

import numpy as np
import pytest
from export.test_other_libraries import X
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet import NumpyMLPClassifier

pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
layers = keras.layers

Y = np.arange(40) % 3
ACTIVATIONS = ["relu", "tanh", "logistic", "gelu", "silu", "elu", "selu", "mish", "softplus", "softsign",
               "leaky_relu"]  # fmt: skip


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_models_of_keras_go_over_and_back(activation):
    named = {"logistic": "sigmoid", "leaky_relu": layers.LeakyReLU(negative_slope=0.01)}
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(7, named.get(activation, activation)),
            layers.Dropout(0.5),
            layers.Dense(3, "softmax"),
        ]
    )
    weights = model.get_weights()
    network = NumpyMLPClassifier.from_weights(weights[::2], weights[1::2], activation=activation)
    inputs = X.astype(np.float32)
    assert_allclose(network.predict_proba(inputs), model.predict(inputs, verbose=0), atol=1e-6)
    back = [each for layer in zip(network.coefs_, network.intercepts_) for each in layer]
    model.set_weights([np.zeros_like(each) for each in weights])
    model.set_weights(back)
    for one, other in zip(weights, model.get_weights()):
        assert_array_equal(one, other)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "penalty"])
def test_steps_of_keras_by_the_names_of_the_table(optimizer):
    regularizer = None
    if optimizer == "penalty":
        regularizer = keras.regularizers.L2(0.01)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(7, "tanh", kernel_regularizer=regularizer),
            layers.Dense(3, "softmax", kernel_regularizer=regularizer),
        ]
    )
    weights = model.get_weights()
    theirs = keras.optimizers.Adam(0.01) if optimizer == "adam" else keras.optimizers.SGD(0.1)
    model.compile(optimizer=theirs, loss="sparse_categorical_crossentropy")
    params = {
        "solver": "sgd",
        "momentum": 0,
        "learning_rate_init": 0.1,
        "alpha": 0,
        "batch_size": 40,
    }
    if optimizer == "adam":
        params |= {"solver": "adam", "learning_rate_init": 0.01, "epsilon": 1e-7}
    if optimizer == "penalty":
        params["alpha"] = 2 * 0.01 * 40
    network = NumpyMLPClassifier.from_weights(
        weights[::2], weights[1::2], activation="tanh", **params
    )
    inputs = X.astype(np.float32)
    for _ in range(5):
        network.partial_fit(inputs, Y)
        model.train_on_batch(inputs, Y)
    back = [each for layer in zip(network.coefs_, network.intercepts_) for each in layer]
    for one, other, first in zip(back, model.get_weights(), weights):
        assert_allclose(one, other, atol=2e-6)
        assert abs(one - first).max() > 1e-3
