# SPDX-License-Identifier: BSD-3-Clause
"""From an estimator's parameters, names and numbers, to the core's objects."""

from __future__ import annotations

import inspect
from itertools import pairwise
from numbers import Integral, Real

import numpy as np

from sknumpynet.core.activations import get_activation
from sknumpynet.core.initializers import GlorotUniform, Zeros, get_initializer
from sknumpynet.core.layers import Activate, BatchNorm, Dense, Dropout, LayerNorm
from sknumpynet.core.network import Network
from sknumpynet.core.optimizers import get_optimizer
from sknumpynet.core.options import Options
from sknumpynet.core.schedules import InverseScaling, get_schedule

# The estimator's parameters that may be objects with options of their own.
OBJECTS = ("loss", "activation", "solver", "learning_rate", "init", "bias_init")
NORMALIZATIONS = {"batch": BatchNorm, "layer": LayerNorm}

# The estimator's parameters that an optimizer made from a name takes, as its own parameters.
SHARED_WITH_OPTIMIZER = {
    "momentum": "momentum",
    "nesterovs_momentum": "nesterov",
    "beta_1": "beta_1",
    "beta_2": "beta_2",
    "epsilon": "epsilon",
}
# Where scikit-learn has no such solver, its defaults for adam are not these solvers' own.
OWN_DEFAULTS = {"lion": ("beta_2",), "adagrad": ("epsilon",)}

STOCHASTIC_PARAMETERS = (
    "batch_size",
    "learning_rate",
    "learning_rate_init",
    "power_t",
    "shuffle",
    "early_stopping",
    "validation_fraction",
    "n_iter_no_change",
    "dropout",
    "max_grad_norm",
)


def check_objects(estimator):
    """Raise where an object among the parameters has an option that will not do."""
    for name in OBJECTS:
        choice = getattr(estimator, name)
        for each in choice if isinstance(choice, list) else [choice]:
            if isinstance(each, Options):
                try:
                    each.check()
                except ValueError as error:
                    raise ValueError(f"{name}={error}") from error


def check_hidden_layer_sizes(sizes):
    """Return the sizes as a list of int."""
    sizes = list(sizes) if np.iterable(sizes) else [sizes]
    for size in sizes:
        if not isinstance(size, Integral) or isinstance(size, bool):
            raise TypeError(
                f"hidden_layer_sizes must hold one integer per hidden layer; got {size!r} there"
            )
    if any(size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return [int(size) for size in sizes]


def build_network(estimator, sizes, dtype, rng):
    """Return a new network of those layer sizes; by default ``rng`` gives scikit-learn's initial weights."""
    weights, biases = initializers(estimator)
    return Network(
        make_layers(estimator, sizes),
        dtype=dtype,
        initializer=weights,
        bias_initializer=biases,
        rng=rng,
    )


def make_layers(estimator, sizes):
    """Return the layers of a network of those sizes."""
    n_hidden = len(sizes) - 2
    activations = hidden_activations(estimator.activation, n_hidden)
    rates = dropout_rates(estimator.dropout, n_hidden)
    layers = [Dropout(rates[0])] if rates[0] else []
    for index, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        layers.append(Dense(fan_in, fan_out, bias=estimator.fit_intercept))
        if index == n_hidden:
            break
        if estimator.normalization is not None:
            layers.append(NORMALIZATIONS[estimator.normalization](fan_out))
        layers.append(Activate(activations[index]))
        if rates[index + 1]:
            layers.append(Dropout(rates[index + 1]))
    return layers


def hidden_activations(choice, n_hidden):
    """Return one activation per hidden layer."""
    if not isinstance(choice, list):
        return [get_activation(choice)] * n_hidden
    if len(choice) != n_hidden:
        raise ValueError(
            f"activation lists {len(choice)} functions, but hidden_layer_sizes has {n_hidden} layers: "
            "give one for each, or one name for all"
        )
    return [get_activation(each) for each in choice]


def dropout_rates(choice, n_hidden):
    """Return the rate behind the input and behind each hidden layer."""
    rates = [0.0, *[choice] * n_hidden] if isinstance(choice, Real) else list(choice)
    if len(rates) != n_hidden + 1:
        raise ValueError(
            f"dropout lists {len(rates)} rates; give {n_hidden + 1}: one for the input and one for each "
            "hidden layer, or one number for all hidden layers"
        )
    for rate in rates:
        if not isinstance(rate, Real) or not 0 <= rate < 1:
            raise ValueError(
                f"dropout must be in [0, 1), the share of values to drop; got {rate!r}"
            )
    return rates


def initializers(estimator):
    """Return the initializers of weights and biases; None for biases means the weights' own."""
    weights, biases = estimator.init, estimator.bias_init
    if isinstance(weights, str) and weights == "auto":
        logistic = isinstance(estimator.activation, str) and estimator.activation == "logistic"
        chosen = GlorotUniform(2.0 if logistic else 6.0)
        default = None
    else:
        chosen, default = get_initializer(weights), Zeros()
    if isinstance(biases, str) and biases == "auto":
        return chosen, default
    return chosen, get_initializer(biases, "bias_init")


def make_optimizer(estimator):
    """Return a new optimizer: the object's like, or one of that name with the estimator's parameters."""
    optimizer = get_optimizer(estimator.solver)
    if isinstance(estimator.solver, str):
        own, skipped = optimizer.get_params(), OWN_DEFAULTS.get(estimator.solver, ())
        for name, its_name in SHARED_WITH_OPTIMIZER.items():
            if its_name in own and name not in skipped:
                optimizer.set_params(**{its_name: getattr(estimator, name)})
    return optimizer


def schedule_choice(estimator):
    """Return `learning_rate`, but for what 'adam' ignores as scikit-learn's does."""
    choice = estimator.learning_rate
    named = isinstance(choice, str) and isinstance(estimator.solver, str)
    if named and estimator.solver == "adam" and choice in ("invscaling", "adaptive"):
        return "constant"
    return choice


def make_schedule(estimator):
    """Return the schedule, with `learning_rate_init` and `power_t` put in."""
    schedule = get_schedule(schedule_choice(estimator), float(estimator.learning_rate_init))
    if isinstance(schedule, InverseScaling) and isinstance(estimator.learning_rate, str):
        schedule.power = estimator.power_t
    return schedule


def ignored_parameters(estimator, stops_early=False):
    """Return the parameters, with their values, that were set and that this solver does not read.

    ``stops_early`` says whether there are validation data, with which L-BFGS can stop early.
    """
    if estimator.solver == "lbfgs":
        names = [*SHARED_WITH_OPTIMIZER, *STOCHASTIC_PARAMETERS]
        if stops_early:
            names = [name for name in names if name not in ("early_stopping", "n_iter_no_change")]
    else:
        names = ["max_fun"]
        own = {}
        if isinstance(estimator.solver, str):
            own = get_optimizer(estimator.solver).get_params()
            skipped = OWN_DEFAULTS.get(estimator.solver, ())
            own = {name: value for name, value in own.items() if name not in skipped}
        names += [name for name, its_name in SHARED_WITH_OPTIMIZER.items() if its_name not in own]
        if schedule_choice(estimator) is not estimator.learning_rate:
            names += ["learning_rate", "power_t"]
        elif estimator.solver == "adam":
            names.append("power_t")
    defaults = inspect.signature(type(estimator).__init__).parameters
    return [
        f"{name}={getattr(estimator, name)!r}"
        for name in names
        if name in defaults and is_set(getattr(estimator, name), defaults[name].default)
    ]


def is_set(value, default):
    """Return whether a parameter has another value than its default."""
    return not (value is default or np.array_equal(value, default))
