# SPDX-License-Identifier: BSD-3-Clause
"""Small networks, data and targets, for both the core and the reference."""

from itertools import pairwise

import numpy as np
import reference

from sknumpynet import core
from sknumpynet.core import BatchNorm, Dense, Dropout, LayerNorm, Network
from sknumpynet.core.activations import ACTIVATIONS as BY_NAME

TRAINABLE = [name for name in BY_NAME if name != "step"]
ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]  # for what depends on all of them at once
# The cases, and what the reference calls their loss; "proportions" is the multinomial log loss with a row
# of proportions for each target.
CASES = {
    "squared_error": core.SquaredError(),
    "poisson": core.HalfPoisson(),
    "binary_log_loss": core.BinaryLogLoss(),
    "log_loss": core.MultinomialLogLoss(),
    "proportions": core.MultinomialLogLoss(),
    "absolute_error": core.AbsoluteError(),
    "huber": core.Huber(reference.HUBER_DELTA),
    "log_cosh": core.LogCosh(),
    "quantile": core.Quantile(reference.QUANTILE),
    "quantiles": core.Quantile(reference.QUANTILES),
    "gamma": core.HalfGamma(),
    "tweedie": core.HalfTweedie(1.5),
    "tweedie of 2.5": core.HalfTweedie(2.5),
    "smoothed binary_log_loss": core.BinaryLogLoss(reference.SMOOTHING),
    "smoothed log_loss": core.MultinomialLogLoss(reference.SMOOTHING),
    "binary focal": core.Focal(reference.GAMMA),
    "focal": core.Focal(reference.GAMMA, softmax=True),
    "focal of columns": core.Focal(reference.GAMMA, softmax=True),
}
LOSSES = list(CASES)
KINKED = ["absolute_error", "huber", "quantile", "quantiles"]
SIZES = (5, 7, 6, 3)


def name_of_loss(case):
    return {"proportions": "log_loss", "focal of columns": "focal"}.get(case, case)


def make_loss(case):
    return CASES[case].clone()


def make_targets(case, n, n_outputs, rng):
    if case == "poisson":
        return rng.poisson(1.5, size=(n, n_outputs)).astype(float)
    if case in ("gamma", "tweedie of 2.5"):
        return rng.gamma(2.0, size=(n, n_outputs))
    if case == "tweedie":
        return np.maximum(rng.normal(size=(n, n_outputs)), 0)
    if case == "quantiles":
        return rng.normal(size=(n, 1))
    if case == "proportions":
        return rng.dirichlet(np.ones(n_outputs), size=n)
    if case in ("log_loss", "smoothed log_loss", "focal"):
        return rng.integers(0, n_outputs, size=n)
    if case == "focal of columns":
        return np.eye(n_outputs)[rng.integers(0, n_outputs, size=n)]
    if name_of_loss(case) in reference.LOG_LOSSES:
        return rng.integers(0, 2, size=(n, n_outputs)).astype(float)
    return rng.normal(size=(n, n_outputs))


def make_data(case, n=13, sizes=SIZES, weighted=False, seed=0):
    """Return X, y and weights (or None)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, sizes[0]))
    y = make_targets(case, n, sizes[-1], rng)
    return X, y, rng.uniform(0.1, 3, size=n) if weighted else None


NORMALIZATIONS = {None: None, "batch": BatchNorm, "layer": LayerNorm}


def make_network(
    activation="tanh",
    last="identity",
    bias=True,
    sizes=SIZES,
    normalization=None,
    dropout=0,
    **options,
):
    layers = []
    if dropout:
        layers += [Dropout(dropout)]
    for fan_in, fan_out in pairwise(sizes):
        layers += [Dense(fan_in, fan_out, bias=bias)]
        if normalization:
            layers += [NORMALIZATIONS[normalization](fan_out)]
        layers += [activation]
        if dropout:
            layers += [Dropout(dropout)]
    while not isinstance(layers[-1], Dense):
        layers.pop()
    return Network([*layers, last], **{"rng": 0, **options})


def lists(network):
    """Return copies of the weights and the biases, and the names of the activations, per layer."""
    weights = [layer.W.copy() for layer in network.dense]
    biases = [None if layer.b is None else layer.b.copy() for layer in network.dense]
    names = {cls: name for name, cls in BY_NAME.items()}
    return weights, biases, [names[type(layer.activation)] for layer in network.layers[1::2]]


def flat(weights, biases):
    """Put lists of arrays into one vector: all weights, then all biases."""
    arrays = [*weights, *(b for b in biases if b is not None)]
    return np.concatenate([array.ravel() for array in arrays])
