# SPDX-License-Identifier: BSD-3-Clause
"""Parameter objects: read back, set, compared, cloned by name."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from sknumpynet.core import SGD, Adam, Dense, Logistic, ReLU, SquaredError, Tanh
from sknumpynet.core.activations import ACTIVATIONS, get_activation
from sknumpynet.core.losses import LOSSES, get_loss
from sknumpynet.core.optimizers import OPTIMIZERS
from sknumpynet.core.options import Options
from sknumpynet.core.schedules import SCHEDULES

ALL = [cls() for names in (ACTIVATIONS, LOSSES, OPTIMIZERS, SCHEDULES) for cls in names.values()]


@pytest.mark.parametrize("thing", [*ALL, Dense(2, 3)], ids=repr)
def test_twins_are_equal_hash_alike_and_clone(thing):
    twin = type(thing)(**thing.get_params())
    assert thing == twin and hash(thing) == hash(twin)
    assert repr(twin) == repr(thing)
    assert pickle.loads(pickle.dumps(thing)) == thing
    if not isinstance(thing, Dense):
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


def test_names_become_default_objects_and_objects_pass():
    assert get_activation("relu") == ReLU()
    own = ReLU()
    assert get_activation(own) is own
    assert get_loss("squared_error") == SquaredError()


@pytest.mark.parametrize("wrong", ["rleu", None, 3, SquaredError(), ReLU])
def test_an_unknown_choice_names_the_parameter_and_the_choices(wrong):
    with pytest.raises(
        ValueError, match=r"^activation must be one of 'identity', .* got "
    ) as error:
        get_activation(wrong)
    assert "class Activation" in str(error.value) and str(error.value).endswith(repr(wrong))


def test_an_unknown_loss_is_named_as_loss():
    with pytest.raises(ValueError, match=r"^loss must be one of 'squared_error', 'poisson'"):
        get_loss("squared")
