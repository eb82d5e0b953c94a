# SPDX-License-Identifier: BSD-3-Clause
"""Parameter objects: read back, set, compared, cloned by name."""

import pickle
from fractions import Fraction

import numpy as np
import pytest
from sklearn.base import clone

from sknumpynet.core import (
    SGD,
    Activate,
    Adam,
    BatchNorm,
    Custom,
    Dense,
    Dropout,
    Focal,
    Function,
    Huber,
    LayerNorm,
    LeakyReLU,
    Logistic,
    Normal,
    Quantile,
    ReLU,
    SquaredError,
    Tanh,
    Uniform,
    Warmup,
)
from sknumpynet.core.activations import ACTIVATIONS, get_activation
from sknumpynet.core.initializers import INITIALIZERS, get_initializer
from sknumpynet.core.losses import (
    CLASSIFICATION_LOSSES,
    REGRESSION_LOSSES,
    get_classification_loss,
    get_regression_loss,
)
from sknumpynet.core.optimizers import OPTIMIZERS, get_optimizer
from sknumpynet.core.options import Options
from sknumpynet.core.schedules import SCHEDULES

TABLES = [
    ACTIVATIONS,
    CLASSIFICATION_LOSSES,
    REGRESSION_LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    INITIALIZERS,
]
ALL = [
    *(cls() for names in TABLES for cls in names.values()),
    LeakyReLU(0.2),
    Function(np.sin, np.cos),
    Focal(1.0, softmax=True),
    Quantile([0.1, 0.9]),
    Quantile(np.array([0.1, 0.9])),
    Warmup("cosine", 0.1),
    Warmup(SCHEDULES["adaptive"](0.1), 7),
    Custom(np.sqrt),
    Normal(0.5),
    Uniform(-0.5, 0.25),
]
LAYERS = [Dense(2, 3), Dropout(0.3), BatchNorm(3, momentum=0.5), LayerNorm(3)]


@pytest.mark.parametrize("thing", [*ALL, *LAYERS], ids=repr)
def test_twins_are_equal_hash_alike_and_clone(thing):
    twin = type(thing)(**thing.get_params())
    assert thing == twin and hash(thing) == hash(twin)
    assert repr(twin) == repr(thing)
    assert pickle.loads(pickle.dumps(thing)) == thing
    if thing not in LAYERS:
        copy = clone(thing)
        assert copy == thing and copy is not thing


def test_get_and_set_params():
    optimizer = Adam(beta_1=0.8)
    assert optimizer.get_params() == {"beta_1": 0.8, "beta_2": 0.999, "epsilon": 1e-8}
    assert optimizer.set_params(beta_2=0.5, epsilon=1.0) is optimizer
    assert repr(optimizer) == "Adam(beta_1=0.8, beta_2=0.5, epsilon=1.0)"
    with pytest.raises(ValueError, match=r"Adam has no parameter 'beta'; it has: beta_1, beta_2"):
        optimizer.set_params(beta=1)


def test_what_an_optimizer_remembers_is_no_parameter():
    optimizer = SGD()
    optimizer.step(np.ones(2), np.ones(2), 0.1)
    assert set(optimizer.get_params()) == {"momentum", "nesterov"}
    assert optimizer == SGD()
    assert "state" not in vars(clone(optimizer))


def test_different_things_differ():
    assert SGD(0.9) != SGD(0.8)
    assert Tanh() != Logistic()
    assert SGD() != "sgd"


def test_options_that_are_arrays_compare_by_value():
    class Scale(Options):
        def __init__(self, factors):
            self.factors = factors

    assert Scale(np.arange(3)) == Scale(np.arange(3))
    assert Scale(np.arange(3)) != Scale(np.arange(4))


class Holds(Options):
    def __init__(self, what):
        self.what = what


@pytest.mark.parametrize(
    "one, other",
    [
        (Huber(2), Huber(2.0)),
        (Huber(np.float32(0.5)), Huber(0.5)),
        (Huber(np.array(2)), Huber(2)),
        (SGD(1, True), SGD(1.0, 1)),
        (SGD(0.0), SGD(-0.0)),
        (Quantile([0.1, 0.9]), Quantile(np.array([0.1, 0.9]))),
        (Quantile([0.1, 0.9]), Quantile((0.1, 0.9))),
        (Warmup(Custom(np.sqrt), 7), Warmup(Custom(np.sqrt), 7.0)),
        (Holds(Huber(2)), Holds(Huber(2.0))),
        (Holds([Huber(2), None, "a"]), Holds((Huber(2.0), None, "a"))),
        (Holds(["a", "b"]), Holds(np.array(["a", "b"], object))),
        (Holds("a"), Holds(np.array("a"))),
        (Holds([1, 2]), Holds(np.array([1, 2], object))),
        (Holds([1, None]), Holds([1.0, None])),
        (Holds({"a": [1]}), Holds({"a": [1.0]})),
        (Holds({1, 2}), Holds({2, 1})),
        (Holds(2**53), Holds(float(2**53))),
        (Holds(10**400), Holds(10**400)),
        (Holds(Fraction(1, 2)), Holds(0.5)),
        (Holds(np.eye(2, dtype=int)), Holds([[1.0, 0], [0, 1]])),
        (Activate(LeakyReLU(0)), Activate(LeakyReLU(0.0))),
    ],
    ids=repr,
)
def test_what_is_equal_has_one_hash(one, other):
    assert one == other
    assert hash(one) == hash(other)
    assert len({one, other}) == 1


@pytest.mark.parametrize("what", [np.nan, [1, np.nan], [[1], [1, 2]], [{}], np.arange(3), 1 + 2j])
def test_every_option_has_a_hash_that_stays(what):
    assert hash(Holds(what)) == hash(Holds(what)) == hash(Holds(what))


def test_hashes_tell_most_things_apart():
    things = [Huber(delta) for delta in range(1, 50)] + [SGD(m / 10) for m in range(10)]
    assert len({hash(thing) for thing in things}) == len(things)


def test_names_become_default_objects_and_objects_pass():
    assert get_activation("relu") == ReLU()
    own = ReLU()
    assert get_activation(own) is own
    assert get_regression_loss("squared_error") == SquaredError()
    assert get_classification_loss("focal") == Focal()


@pytest.mark.parametrize("wrong", ["rleu", None, 3, SquaredError(), ReLU])
def test_an_unknown_choice_names_the_parameter_and_the_choices(wrong):
    with pytest.raises(
        ValueError, match=r"^activation must be one of 'identity', .* got "
    ) as error:
        get_activation(wrong)
    assert "class Activation" in str(error.value) and str(error.value).endswith(repr(wrong))


def test_an_unknown_loss_is_named_as_loss():
    with pytest.raises(ValueError, match=r"^loss must be one of 'squared_error', 'absolute_error'"):
        get_regression_loss("log_loss")
    with pytest.raises(ValueError, match=r"^loss must be one of 'log_loss', 'focal' or an object"):
        get_classification_loss("squared_error")
    with pytest.raises(ValueError, match=r"^bias_init must be one of 'glorot_uniform', .*'zeros'"):
        get_initializer("ones", "bias_init")
    with pytest.raises(ValueError, match=r"^solver must be one of 'sgd', 'adam', 'adamw', 'nadam'"):
        get_optimizer("lbfgs")
