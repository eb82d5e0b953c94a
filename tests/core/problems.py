# SPDX-License-Identifier: BSD-3-Clause
"""Small networks, data and targets, for the core and for the reference alike."""

from itertools import pairwise

import numpy as np

from sknumpynet.core import Dense, Network
from sknumpynet.core.losses import get_loss

ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]
# "proportions" is the multinomial log loss with a row of proportions for each target
LOSSES = ["squared_error", "poisson", "binary_log_loss", "log_loss", "proportions"]
SIZES = (5, 7, 6, 3)


def name_of_loss(case):
    return "log_loss" if case == "proportions" else case


def make_loss(case):
    return get_loss(name_of_loss(case))


def make_targets(case, n, n_outputs, rng):
    if case == "squared_error":
        return rng.normal(size=(n, n_outputs))
    if case == "poisson":
        return rng.poisson(1.5, size=(n, n_outputs)).astype(float)
    if case == "binary_log_loss":
        return rng.integers(0, 2, size=(n, n_outputs)).astype(float)
    if case == "log_loss":
        return rng.integers(0, n_outputs, size=n)
    return rng.dirichlet(np.ones(n_outputs), size=n)


def make_data(case, n=13, sizes=SIZES, weighted=False, seed=0):
    """Return X, y and weights (or None)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, sizes[0]))
    y = make_targets(case, n, sizes[-1], rng)
    return X, y, rng.uniform(0.1, 3, size=n) if weighted else None


def make_network(activation="tanh", last="identity", bias=True, sizes=SIZES, **options):
    layers = []
    for fan_in, fan_out in pairwise(sizes):
        layers += [Dense(fan_in, fan_out, bias=bias), activation]
    layers[-1] = last
    return Network(layers, **{"rng": 0, **options})


def lists(network):
    """Return copies of the weights and the biases, and the names of the activations, per layer."""
    weights = [layer.W.copy() for layer in network.dense]
    biases = [None if layer.b is None else layer.b.copy() for layer in network.dense]
    classes = [type(layer.activation).__name__ for layer in network.layers[1::2]]
    return weights, biases, [name.lower() for name in classes]


def flat(weights, biases):
    """Put lists of arrays into one vector: all weights, then all biases."""
    arrays = [*weights, *(b for b in biases if b is not None)]
    return np.concatenate([array.ravel() for array in arrays])
