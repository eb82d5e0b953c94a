# SPDX-License-Identifier: BSD-3-Clause
"""Options of objects are checked when a fit begins: a table of invalid and of valid values."""

import inspect
import math

import numpy as np
import pytest

from sknumpynet import core
from sknumpynet.core import (
    ELU,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Adaptive,
    AMSGrad,
    BatchNorm,
    Constant,
    Cosine,
    Custom,
    Dense,
    Dropout,
    Exponential,
    Focal,
    Function,
    GlorotUniform,
    HalfTweedie,
    Huber,
    InverseScaling,
    LayerNorm,
    LeakyReLU,
    Lion,
    LogLoss,
    NAdam,
    Network,
    Normal,
    NumericEmbedding,
    OneCycle,
    Orthogonal,
    Quantile,
    RMSprop,
    Rprop,
    Scale,
    SquaredError,
    StepDecay,
    TrainingProgress,
    Uniform,
    Warmup,
)
from sknumpynet.core.options import Options, fits
from sknumpynet.core.training import Training

NAN, INF = math.nan, math.inf
# An object, and for each of its options invalid values.
TABLE = {
    SGD(): {"momentum": [-0.1, 1.1, NAN, "a", True], "nesterov": [2, "yes", None]},
    Adam(): {"beta_1": [2, 1, -0.1], "beta_2": [1.0, NAN], "epsilon": [0, -1, INF]},
    AdamW(): {"weight_decay": [-1], "beta_1": [2], "epsilon": [0]},
    NAdam(): {"momentum_decay": [-1], "beta_2": [1]},
    AMSGrad(): {"beta_1": [1], "epsilon": [None]},
    RMSprop(): {"decay": [1, -0.5], "epsilon": [0]},
    Adagrad(): {"epsilon": [0]},
    Rprop(): {"grow": [0.9], "shrink": [0, 1.5], "smallest": [0, 51], "largest": [-1]},
    Lion(): {"beta_1": [1], "beta_2": [-1], "weight_decay": [-0.1]},
    Constant(): {"rate": [0, -0.1, NAN, INF, "a"]},
    InverseScaling(): {"rate": [-1], "power": [-0.5]},
    Adaptive(): {"rate": [-1], "factor": [1, 0], "smallest": [-1]},
    StepDecay(): {"rate": [-1], "every": [0, 1.5, True], "factor": [0, 2]},
    Exponential(): {"rate": [-1], "factor": [0, 1.5]},
    Cosine(): {"rate": [-1], "warmup": [-0.1, 2], "end_factor": [-1, 2]},
    OneCycle(): {"rate": [0], "warmup": [1.5], "start_factor": [-1], "end_factor": [2, NAN]},
    Warmup(): {"rate": [0], "steps": [-1, NAN], "schedule": [StepDecay(every=0), Warmup(steps=-1)]},
    Custom(abs): {"function": [3]},
    Huber(): {"delta": [-1, 0, INF, NAN, "a", None, [1]]},
    Quantile(): {"quantiles": [1.5, 0, [1.5], [], [0.9, 0.1], ["a"], NAN, None]},
    HalfTweedie(): {"power": [1, 2, 0.5, NAN, "a"]},
    LogLoss(): {"smoothing": [-0.1, 1]},
    Focal(): {"gamma": [-1, NAN], "softmax": [1]},
    LeakyReLU(): {"slope": ["a", 0, 1, -0.1]},
    ELU(): {"alpha": [0, -1]},
    Function(abs, abs): {"function": [1], "derivative": [None]},
    GlorotUniform(): {"gain": [0, -6]},
    Orthogonal(): {"gain": [-1]},
    Normal(): {"scale": [-1, NAN]},
    Uniform(): {"low": [2, INF], "high": [-2, "a"]},
    Dropout(): {"rate": [1, -0.1], "pool": [1, None, "yes"]},
    BatchNorm(3): {"units": [0], "epsilon": [0], "momentum": [1.1]},
    LayerNorm(3): {"units": [2.5], "epsilon": [-1]},
    NumericEmbedding(3): {"n_columns": [0, 1.5, None], "n_frequencies": [0, True], "n_outputs": [0, -1],
                          "frequency": [0, -1, INF, NAN], "spread": [-0.1, NAN, "a"]},
    Scale(3): {"units": [0, 2.5]},
    Dense(3, 2): {"fan_in": [0], "fan_out": [1.5], "parametrization": ["NTK", None, 1]},
}  # fmt: skip
ROWS = [(thing, name, value) for thing, row in TABLE.items() for name in row for value in row[name]]


@pytest.mark.parametrize(("thing", "name", "value"), ROWS)
def test_what_will_not_do_is_named(thing, name, value):
    thing.check()
    wrong = thing.clone(**{name: value})  # a constructor only stores
    with pytest.raises(ValueError) as error:
        wrong.check()
    message = str(error.value)
    if isinstance(value, Options):  # one inside another speaks for itself
        assert message.startswith(f"{value!r}: ")
    else:
        assert message.startswith(f"{wrong!r}: ") and name in message and repr(value) in message


def test_every_option_of_every_object_is_in_the_table():
    """Except for those that are checked elsewhere, or for which any value is valid."""
    elsewhere = {
        "BinaryLogLoss", "MultinomialLogLoss",  # LogLoss makes them
        "MultioutputLogLoss", "Activate", "Dense",
    }  # fmt: skip
    for name in core.__all__:
        cls = getattr(core, name)
        if not (inspect.isclass(cls) and issubclass(cls, Options)) or name in elsewhere:
            continue
        options = set(inspect.signature(cls).parameters)
        if cls.__init__ is not object.__init__ and options:
            rows = [row for thing, row in TABLE.items() if type(thing) is cls]
            assert rows, f"{name} has no row"
            inherited = {"beta_1", "beta_2", "epsilon"}
            assert options <= set(rows[0]) | inherited, name


@pytest.mark.parametrize(
    ("rule", "inside", "outside"),
    [
        ("a number in (0, 1)", [0.5, np.float32(0.5)], [0, 1, NAN, "0.5", None, True, [0.5]]),
        ("a number in [0, 1]", [0, 1, np.int64(1)], [-1e-9, 1.1, np.nan]),
        ("an integer in [1, inf)", [1, np.int8(3)], [0, 1.0, True, INF]),
        ("a number in (-inf, inf)", [-5, 1e300], [INF, -INF, 10**400]),
        ("None or a number in (1, 2) or a number in (2, inf)", [None, 1.5, 3], [1, 2, "None"]),
        ("a bool", [True, np.False_], [0, None]),
        ("a function", [abs, np.sin], ["abs"]),
    ],
)
def test_rules_of_constraints(rule, inside, outside):
    assert all(fits(value, rule) for value in inside)
    assert not any(fits(value, rule) for value in outside)


class Scaled(core.Activation):
    """A custom activation, with a rule of its own."""

    constraints = {"factor": "a number in (0, inf)"}

    def __init__(self, factor=1.0):
        self.factor = factor

    def forward(self, z, out):
        np.multiply(z, self.factor, out=out)

    def backward(self, a, delta, scratch):
        delta *= self.factor


@pytest.mark.parametrize("layer", [Scaled(-1), Dropout(2.0), LeakyReLU("a")])
def test_network_checks_its_layers(layer):
    with pytest.raises(ValueError, match=r"(factor|rate|slope) must be a number in .*; got"):
        Network([Dense(2, 3), layer, Dense(3, 1)])


@pytest.mark.parametrize(
    "parts",
    [(Huber(-1), Adam(), Constant()), (SquaredError(), Adam(2), Constant()),
     (SquaredError(), Adam(), Cosine(-1))],
)  # fmt: skip
def test_training_checks_its_parts(parts):
    with pytest.raises(ValueError, match=r"(delta|beta_1|rate) must be .*; got"):
        Training(Network([Dense(2, 1)]), *parts, np.random.RandomState(0))


NO_RATES = [
    -0.1,
    NAN,
    INF,
    -INF,
    None,
    "0.1",
    "abc",
    b"1",
    True,
    [0.1],
    np.array([0.1]),
    1j,
    10**400,
]


@pytest.mark.parametrize("rate", NO_RATES, ids=[repr(each)[:12] for each in NO_RATES])
@pytest.mark.parametrize("inside", [lambda each: each, Warmup], ids=["alone", "in Warmup"])
def test_function_that_returns_no_rate(rate, inside):
    schedule = Custom(lambda step: rate)
    assert schedule(TrainingProgress()) is rate
    with pytest.raises(ValueError) as raised:
        Training(
            Network([Dense(2, 1)]),
            SquaredError(),
            Adam(),
            inside(schedule),
            np.random.RandomState(0),
        )
    message = "learning_rate must be a finite number, at least 0: in epoch 1, at step 0, Custom("
    assert str(raised.value).startswith(message)
    assert str(raised.value).endswith(f"returned {rate!r}")


@pytest.mark.parametrize("rate", [np.float32(0.5), np.array(0.5), np.int64(1), 1])
def test_numbers_of_all_types_are_rates(rate):
    found = Custom(lambda step: rate).rate_at(TrainingProgress())
    assert type(found) is float and found == rate


@pytest.mark.parametrize("rate", ["0.1", np.nan, -1])
def test_schedule_that_returns_no_rate_on_a_plateau(rate):
    class Broken(Constant):
        def on_plateau(self, rate_before):
            return rate

    training = Training(
        Network([Dense(2, 1)]), SquaredError(), Adam(), Broken(), np.random.RandomState(0)
    )
    with pytest.raises(
        ValueError, match=r"learning_rate must be a finite number.*Broken\(\) returned"
    ):
        training.slow_down()
