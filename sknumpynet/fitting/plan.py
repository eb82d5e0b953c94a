# SPDX-License-Identifier: BSD-3-Clause
"""The plan of a fit: everything that it needs to know, created once from the parameters and the data.

All errors about parameters, or about parameters that do not match the data, are raised here.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.sparse import issparse

from sknumpynet._compat import Interval, StrOptions, validate_parameters
from sknumpynet._compat import Options as OneOf
from sknumpynet.checks.parameter_hints import hint_for
from sknumpynet.core.activations.base import Activation
from sknumpynet.core.activations.by_name import ACTIVATIONS, get_activation
from sknumpynet.core.initializers.base import Initializer
from sknumpynet.core.initializers.by_name import INITIALIZERS, get_initializer
from sknumpynet.core.initializers.scaled import GlorotUniform
from sknumpynet.core.initializers.simple import Zeros
from sknumpynet.core.layers.activate import Activate
from sknumpynet.core.layers.dense import Dense
from sknumpynet.core.layers.dropout import Dropout
from sknumpynet.core.layers.normalization import BatchNorm, LayerNorm
from sknumpynet.core.network.network import Network
from sknumpynet.core.optimizers.base import Optimizer
from sknumpynet.core.optimizers.by_name import OPTIMIZERS, get_optimizer
from sknumpynet.core.options import Options
from sknumpynet.core.schedules.base import Schedule
from sknumpynet.core.schedules.by_name import SCHEDULES, get_schedule
from sknumpynet.core.schedules.scikit_learn import InverseScaling
from sknumpynet.core.training.epochs import Training
from sknumpynet.core.wording import counted
from sknumpynet.fitting.rollback import warn

MAX_UNITS = 2**31 - 1  # of a layer
# The estimator's parameters that may be objects with options of their own.
OBJECTS = ("loss", "activation", "solver", "learning_rate", "init", "bias_init")
NORMALIZATIONS = {"batch": BatchNorm, "layer": LayerNorm}

# Valid values of the parameters that both estimators have, in scikit-learn's notation.
PARAMETER_CONSTRAINTS: dict = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(set(ACTIVATIONS)), Activation, tuple, list],
    "solver": [StrOptions({*OPTIMIZERS, "lbfgs"}), Optimizer],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions(set(SCHEDULES)), Schedule, callable],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [
        Interval(Integral, 1, None, closed="left"),
        OneOf(Real, {np.inf}),
    ],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "l1_ratio": [Interval(Real, 0, 1, closed="both")],
    "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
    "normalization": [StrOptions(set(NORMALIZATIONS)), None],
    "max_grad_norm": [Interval(Real, 0, None, closed="neither"), None],
    "fit_intercept": ["boolean"],
    "init": [StrOptions({"auto", *INITIALIZERS}), Initializer],
    "bias_init": [StrOptions({"auto", *INITIALIZERS}), Initializer],
    "scoring": [str, callable, None],
    "max_time": [Interval(Real, 0, None, closed="neither"), None],
    "dtype": [StrOptions({"float32", "float64"}), None],
}

# The estimator's parameters that are passed to an optimizer given by name.
SHARED_WITH_OPTIMIZER = {
    "momentum": "momentum",
    "nesterovs_momentum": "nesterov",
    "beta_1": "beta_1",
    "beta_2": "beta_2",
    "epsilon": "epsilon",
}
# Solvers that scikit-learn lacks have other defaults than scikit-learn's adam.
OWN_DEFAULTS = {"lion": ("beta_2",), "adagrad": ("epsilon",)}

IMMUTABLE = {str, int, float, bool, type(None)}

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


@dataclass(frozen=True)
class FitPlan:
    """The plan of a fit, created by `plan_fit`.

    Attributes
    ----------
    parameters : dict
        The estimator's parameters when the plan was made, to check whether it is still valid.
    target : Target
        The kind of targets.
    sizes : tuple of int
        Number of inputs, of units of each hidden layer, and of outputs.
    layers : tuple of Layer
        The layers, without parameters.
    dtype : dtype
        Precision of the computation.
    initializer, bias_initializer : Initializer
        Initial weights and biases; None for biases means the same as for the weights.
    loss : Loss
        The loss to minimise.
    loss_scale : float
        Factor of the reported loss.
    optimizer : Optimizer or None
        The optimizer; None means L-BFGS.
    schedule : Schedule
        The learning rate.
    l2, l1 : float
        Strengths of the penalties.
    batch_size : int or None
        Rows of a minibatch; None means up to 200.
    max_epochs : int
        Largest number of epochs, or iterations.
    """

    parameters: Mapping[str, Any] = field(repr=False)
    target: Any
    sizes: tuple[int, ...]
    layers: tuple[Any, ...]
    dtype: Any
    initializer: Any
    bias_initializer: Any
    loss: Any
    loss_scale: float
    optimizer: Any
    schedule: Any
    l2: float
    l1: float
    max_grad_norm: float | None
    batch_size: int | None
    shuffle: bool
    max_epochs: int
    max_fun: int
    tol: float
    n_iter_no_change: float
    early_stopping: bool
    validation_fraction: float
    max_time: float | None
    verbose: int

    @property
    def is_lbfgs(self):
        """Whether all rows are used at once."""
        return self.optimizer is None

    @property
    def fixed_length(self):
        """Whether the schedule is made for a fixed number of epochs, which are then all used."""
        return not self.is_lbfgs and self.schedule.fixed_length

    def network(self, rng):
        """Return a new network; by default ``rng`` gives scikit-learn's initial weights."""
        return Network(
            self.layers,
            dtype=self.dtype,
            initializer=self.initializer,
            bias_initializer=self.bias_initializer,
            rng=rng,
        )

    def training(self, network, rng):
        """Return a new training of the network."""
        return Training(
            network,
            self.loss,
            self.optimizer.clone(),
            self.schedule,
            rng,
            **self.training_options(),
        )

    def training_options(self):
        """Return the parts that may change between calls of `partial_fit` without starting over."""
        return {
            "l2": self.l2,
            "l1": self.l1,
            "max_grad_norm": self.max_grad_norm,
            "loss_scale": self.loss_scale,
            "shuffle": self.shuffle,
            "max_epochs": self.max_epochs,
        }

    def has_parameters(self, parameters):
        """Return whether the plan was made from equal parameters."""
        mine = self.parameters
        return all(
            (value is mine[name] and type(value) in IMMUTABLE) or _same(value, mine[name])
            for name, value in parameters.items()
        )

    def fits_data(self, target, data):
        """Return whether the plan was made for data of the same kind."""
        return (
            self.target == target
            and self.sizes[0] == data.X.shape[1]
            and not (issparse(data.X) and isinstance(self.layers[0], Dropout))
        )


def _same(value, other):
    """Return whether a parameter is unchanged."""
    if value is other:
        return not isinstance(value, list | dict | np.ndarray | Options)  # these are mutable
    if type(value) is not type(other):
        return False
    return bool(np.array_equal(value, other)) if isinstance(value, np.ndarray) else value == other


def plan_fit(
    parameters,
    target,
    data,
    *,
    owner,
    incremental=False,
    validated=False,
    going_on=False,
    trains=True,
):
    """Create the plan of a fit, or raise.

    Parameters
    ----------
    parameters : dict
        The result of ``get_params(deep=False)`` of the estimator, validated by `check_parameters`.
    target : Target
        The kind of targets.
    data : FitData
        The data.
    owner : type
        The estimator's class, for its defaults in warnings.
    incremental : bool, default=False
        Whether this is `partial_fit`.
    validated : bool, default=False
        Whether validation data are given.
    going_on : bool, default=False
        Whether training is continued; then the first fit has already warned about unused parameters.
    trains : bool, default=True
        Whether the network will be trained, or only created.

    Returns
    -------
    plan : FitPlan
        The plan.

    Raises
    ------
    TypeError, ValueError
        If a parameter is invalid, or does not match another one or the data. The message names it and says
        what is valid.
    """
    # set after the fit, an option of an object waits for the next one
    parameters = {name: kept(value) for name, value in parameters.items()}
    get = parameters.__getitem__
    hidden = _hidden_layer_sizes(get("hidden_layer_sizes"))
    lbfgs = isinstance(get("solver"), str) and get("solver") == "lbfgs"
    if incremental and get("early_stopping"):
        raise ValueError(
            "partial_fit does not support early_stopping=True: there is no validation set to watch. "
            "Set early_stopping=False."
        )
    if get("normalization") == "batch" and lbfgs:
        raise ValueError(
            "normalization='batch' needs batches, and solver='lbfgs' takes all rows at once: set "
            "normalization='layer' or another solver"
        )
    dtype = dtype_to_compute_in(get("dtype"), data.X)
    target.check_class_weight(parameters.get("class_weight"), dtype, incremental, going_on)
    loss = target.make_loss(parameters)
    loss.check_targets(data.y)
    n_outputs = target.n_outputs_for(loss)
    sizes = (data.X.shape[1], *hidden, n_outputs)
    layers = make_layers(parameters, sizes)
    if trains:
        _check_trainable(layers)
    rates = dropout_rates(get("dropout"), len(hidden))
    if rates[0] and issparse(data.X):
        raise ValueError(
            f"dropout={get('dropout')!r} drops inputs, which needs a dense X: pass X.toarray(), or set the "
            "first rate to 0"
        )
    weights, biases = make_initializers(parameters)
    if trains and not going_on:
        ignored = ignored_parameters(parameters, owner, validated)
        if ignored:
            warn(f"solver={get('solver')!r} ignores {', '.join(ignored)}")
        warn_of_ignored_quantile(get("loss"), parameters.get("quantile", 0.5))
    return FitPlan(
        parameters=parameters,
        target=target,
        sizes=sizes,
        layers=tuple(layers),
        dtype=dtype,
        initializer=weights,
        bias_initializer=biases,
        loss=loss,
        loss_scale=1.0 / n_outputs if loss.reports_mean else 1.0,
        optimizer=None if lbfgs else make_optimizer(parameters),
        schedule=None if lbfgs else make_schedule(parameters),
        l2=float(get("alpha") * (1 - get("l1_ratio"))),
        l1=float(get("alpha") * get("l1_ratio")),
        max_grad_norm=get("max_grad_norm"),
        batch_size=None if get("batch_size") == "auto" else int(get("batch_size")),
        shuffle=bool(get("shuffle")),
        max_epochs=int(get("max_iter")),
        max_fun=get("max_fun"),
        tol=float(get("tol")),
        n_iter_no_change=get("n_iter_no_change"),
        early_stopping=bool(get("early_stopping")),
        validation_fraction=get("validation_fraction"),
        max_time=get("max_time"),
        verbose=get("verbose"),
    )


def kept(value):
    """Return a copy of a parameter that later changes do not affect."""
    if isinstance(value, list):
        return [kept(each) for each in value]
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, Options):
        value = copy.copy(value)
        vars(value).update({name: kept(each) for name, each in vars(value).items()})
        return value
    return value.copy() if isinstance(value, np.ndarray) else value


def dtype_to_compute_in(dtype, X):
    """Return the dtype of the computation."""
    if dtype is not None:
        return np.dtype(dtype)
    return X.dtype if X.dtype in (np.float32, np.float64) else np.dtype(np.float64)


# ---------------------------------------------------------------- checks of parameters


def check_parameters(parameters, constraints, name):
    """Raise if a parameter, or an option of a parameter that is an object, is invalid.

    ``constraints`` has the valid values in scikit-learn's notation; ``name`` is that of the estimator.
    """
    try:
        validate_parameters(constraints, parameters, name)
        for parameter, rules in constraints.items():
            real = any(isinstance(rule, Interval) and rule.type is Real for rule in rules)
            if real or parameter == "max_iter":  # which schedules divide by
                check_is_float(parameter, parameters[parameter], name)
    except ValueError as error:
        raise type(error)(f"{error}{hint_for(parameters, str(error))}") from None
    for name in OBJECTS:
        choice = parameters[name]
        for each in choice if isinstance(choice, list) else [choice]:
            if isinstance(each, Options):
                try:
                    each.check()
                except ValueError as error:
                    raise ValueError(f"{name}={error}") from error


def check_is_float(parameter, value, name):
    """Raise ValueError if an integer such as 10**400 is too large for a float."""
    try:
        if isinstance(value, Real):
            float(value)
    except OverflowError as error:
        raise ValueError(
            f"The {parameter!r} parameter of {name} must be a number below 1.8e308, the largest float. "
            f"Got {value!r} instead."
        ) from error


def _hidden_layer_sizes(sizes):
    """Return the sizes as a list of int."""
    _check_order("hidden_layer_sizes", sizes)
    sizes = list(sizes) if np.iterable(sizes) else [sizes]
    for size in sizes:
        if not isinstance(size, Integral) or isinstance(size, bool):
            raise TypeError(
                f"hidden_layer_sizes must hold one integer per hidden layer; got {size!r} there"
            )
    if any(size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    if any(size > MAX_UNITS for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be at most {MAX_UNITS}; got {sizes}")
    return [int(size) for size in sizes]


def _check_order(name, values):
    """Raise if a parameter is not an ordered sequence."""
    if isinstance(values, Set | Mapping | bytes | bytearray):
        raise TypeError(
            f"{name} must be a tuple or a list, from the first layer to the last; got {values!r}, of type "
            f"{type(values).__name__}"
        )


def ignored_parameters(parameters, owner, stops_early=False):
    """Return the parameters, with their values, that were set although this solver does not use them.

    ``stops_early`` is whether there are validation data, with which L-BFGS can stop early.
    """
    solver = parameters["solver"]
    if isinstance(solver, str) and solver == "lbfgs":
        names = [*SHARED_WITH_OPTIMIZER, *STOCHASTIC_PARAMETERS]
        if stops_early:
            names = [name for name in names if name not in ("early_stopping", "n_iter_no_change")]
    else:
        names = ["max_fun"]
        own = {}
        if isinstance(solver, str):
            own = get_optimizer(solver).get_params()
            skipped = OWN_DEFAULTS.get(solver, ())
            own = {name: value for name, value in own.items() if name not in skipped}
        names += [name for name, its_name in SHARED_WITH_OPTIMIZER.items() if its_name not in own]
        if _schedule_choice(parameters) is not parameters["learning_rate"]:
            names += ["learning_rate", "power_t"]
        elif isinstance(solver, str) and solver == "adam":
            names.append("power_t")
    defaults = inspect.signature(owner.__init__).parameters
    return [
        f"{name}={parameters[name]!r}"
        for name in names
        if name in defaults and _is_set(parameters[name], defaults[name].default)
    ]


def _is_set(value, default):
    """Return whether a parameter differs from its default."""
    return not (value is default or np.array_equal(value, default))


# ---------------------------------------------------------------- from names and numbers to core's objects


def make_layers(parameters, sizes):
    """Return the layers of a network with these sizes."""
    n_hidden = len(sizes) - 2
    activations = _hidden_activations(parameters["activation"], n_hidden)
    rates = dropout_rates(parameters["dropout"], n_hidden)
    layers = [Dropout(rates[0])] if rates[0] else []
    for index, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        layers.append(Dense(fan_in, fan_out, bias=bool(parameters["fit_intercept"])))
        if index == n_hidden:
            break
        if parameters["normalization"] is not None:
            layers.append(NORMALIZATIONS[parameters["normalization"]](fan_out))
        layers.append(Activate(activations[index]))
        if rates[index + 1]:
            layers.append(Dropout(rates[index + 1]))
    return layers


def _check_trainable(layers):
    """Raise if an activation has no derivative."""
    for layer in layers:
        if isinstance(layer, Activate) and not layer.activation.trainable:
            layer.activation.backward(None, None, None)  # raises an error with the reason


def _hidden_activations(choice, n_hidden):
    """Return one activation per hidden layer."""
    if not isinstance(choice, list):
        return [get_activation(choice)] * n_hidden
    if len(choice) != n_hidden:
        raise ValueError(
            f"activation lists {counted(len(choice), 'function')}, but hidden_layer_sizes has "
            f"{counted(n_hidden, 'layer')}: give one for each, or one name for all"
        )
    return [get_activation(each) for each in choice]


def dropout_rates(choice, n_hidden):
    """Return the dropout rate of the input and of each hidden layer."""
    _check_order("dropout", choice)
    rates = [0.0, *[choice] * n_hidden] if isinstance(choice, Real) else list(choice)
    if len(rates) != n_hidden + 1:
        raise ValueError(
            f"dropout lists {counted(len(rates), 'rate')}; give {n_hidden + 1}: one for the input and one "
            "for each hidden layer, or one number for all hidden layers"
        )
    for rate in rates:
        if not isinstance(rate, Real) or not 0 <= rate < 1:
            raise ValueError(
                f"dropout must be in [0, 1), the share of values to drop; got {rate!r}"
            )
    return rates


def make_initializers(parameters):
    """Return the initializers of weights and biases; None for biases means that of the weights."""
    weights, biases = parameters["init"], parameters["bias_init"]
    if isinstance(weights, str) and weights == "auto":
        activation = parameters["activation"]
        logistic = isinstance(activation, str) and activation == "logistic"
        chosen = GlorotUniform(2.0 if logistic else 6.0)
        default = None
    else:
        chosen, default = get_initializer(weights), Zeros()
    if isinstance(biases, str) and biases == "auto":
        return chosen, default
    return chosen, get_initializer(biases, "bias_init")


def make_optimizer(parameters):
    """Return a new optimizer: a copy of the object, or one by name with the estimator's parameters."""
    solver = parameters["solver"]
    optimizer = get_optimizer(solver)
    if isinstance(solver, str):
        own, skipped = optimizer.get_params(), OWN_DEFAULTS.get(solver, ())
        for name, its_name in SHARED_WITH_OPTIMIZER.items():
            if its_name in own and name not in skipped:
                optimizer.set_params(**{its_name: parameters[name]})
    return optimizer


def _schedule_choice(parameters):
    """Return `learning_rate`, except for names that 'adam' ignores, as in scikit-learn."""
    choice, solver = parameters["learning_rate"], parameters["solver"]
    if isinstance(choice, str) and isinstance(solver, str) and solver == "adam":
        return "constant" if choice in ("invscaling", "adaptive") else choice
    return choice


def make_schedule(parameters):
    """Return the schedule with `learning_rate_init` and `power_t`."""
    schedule = get_schedule(_schedule_choice(parameters), float(parameters["learning_rate_init"]))
    if isinstance(schedule, InverseScaling) and isinstance(parameters["learning_rate"], str):
        schedule.power = parameters["power_t"]
    return schedule


def warn_of_ignored_quantile(loss, quantile):
    """Warn where quantiles are asked for, and the loss is another."""
    if not (isinstance(loss, str) and loss == "quantile") and not np.array_equal(quantile, 0.5):
        warn(f"loss={loss!r} ignores quantile={quantile!r}: set loss='quantile' to predict it")
