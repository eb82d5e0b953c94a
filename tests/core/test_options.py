# SPDX-License-Identifier: BSD-3-Clause
"""Parameter objects: their options are read, set, compared and cloned."""

import copy
import pickle
import warnings
from fractions import Fraction

import numpy as np
import pytest
from sklearn.base import clone

import sknumpynet
from sknumpynet import NumpyMLPRegressor, core
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
    Layer,
    LayerNorm,
    LeakyReLU,
    Logistic,
    Loss,
    MultioutputLogLoss,
    Network,
    Normal,
    Quantile,
    ReLU,
    Schedule,
    SquaredError,
    StepDecay,
    Tanh,
    TrainingProgress,
    Uniform,
    Warmup,
    Workspace,
)
from sknumpynet.core.activations import ACTIVATIONS, get_activation
from sknumpynet.core.initializers import INITIALIZERS, get_initializer
from sknumpynet.core.layers import Buffer
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
def test_equal_objects_have_equal_hashes_and_clones(thing):
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


# ---- names of version 0.1

X = np.random.default_rng(0).normal(size=(40, 3))


def silently(call):
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        return call()


def old_schedule():
    class Halves(Schedule):
        moves = "epoch"
        has_end = True
        holds = False

        def __init__(self, rate=None):
            self.rate = rate

        def __call__(self, progress):
            return self.top / 2**progress.epoch

    return Halves


def new_schedule():
    class Halves(Schedule):
        updates = "epoch"
        fixed_length = True
        clamps = False

        def __init__(self, rate=None):
            self.rate = rate

        def __call__(self, progress):
            return self.peak_rate / 2**progress.epoch

    return Halves


def old_loss():
    class Middle(Quantile):
        def n_raw(self, n_targets):
            return super().n_raw(n_targets) + 2

        def point(self, prediction):
            return super().point(prediction)[:, :1] + 100

    return Middle


def new_loss():
    class Middle(Quantile):
        def n_outputs_for(self, n_targets):
            return super().n_outputs_for(n_targets) + 2

        def point_prediction(self, prediction):
            return super().point_prediction(prediction)[:, :1] + 100

    return Middle


def old_layer():
    class Gated(BatchNorm):
        keeps_output = True

        def shapes(self):
            return {
                "gain": ("rest", (self.units,)),
                "shift": ("rest", (self.units,)),
                "mean": ("state", (self.units,)),
                "variance": ("state", (self.units,)),
            }

        def fill(self):
            super().fill()
            self.gain[...] = 3.0

        def draw(self, buffer, rng):
            super().draw(buffer, rng)
            self.drawn = rng.random()

        def remember(self, buffer):
            super().remember(buffer)
            self.mean += self.drawn * (not buffer.frozen)

    return Gated


def new_layer():
    class Gated(BatchNorm):
        needed_in_backward = True

        def reset_parameters(self, rng, initializer, bias_initializer=None):
            super().reset_parameters(rng, initializer, bias_initializer)
            self.gain[...] = 3.0

        def sample_masks(self, buffer, rng):
            super().sample_masks(buffer, rng)
            self.drawn = rng.random()

        def update_running_stats(self, buffer):
            super().update_running_stats(buffer)
            self.mean += self.drawn * (not buffer.use_running_stats)

    return Gated


OLD = {
    old_schedule: {"moves": "updates", "has_end": "fixed_length", "holds": "clamps"},
    old_loss: {"n_raw": "n_outputs_for", "point": "point_prediction"},
    old_layer: {
        "keeps_output": "needed_in_backward",
        "fill": "reset_parameters",
        "draw": "sample_masks",
        "remember": "update_running_stats",
    },
}


@pytest.mark.parametrize("define", OLD)
def test_each_old_name_of_a_class_is_named_once_with_the_new_one(define):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cls = define()
    assert sorted(str(w.message) for w in caught) == sorted(
        f"{cls.__name__}.{old} was renamed to {new}: the old name will be removed in sknumpynet 0.3"
        for old, new in OLD[define].items()
    )
    assert {w.category for w in caught} == {FutureWarning}
    assert {w.filename for w in caught} == {__file__}
    silently(lambda: type("Heir", (cls,), {}))


@pytest.mark.parametrize("define", [new_schedule, new_loss, new_layer])
def test_new_names_give_no_warning(define):
    silently(define)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_schedule_with_old_names_works_as_before():
    rates = []
    for define in (old_schedule, new_schedule):
        schedule = define()(0.1)
        assert (schedule.updates, schedule.fixed_length, schedule.clamps) == ("epoch", True, False)
        assert (schedule.moves, schedule.has_end, schedule.holds) == ("epoch", True, False)
        assert schedule.rate_at(TrainingProgress(epoch=3), 2) == 0.1 / 8
        assert schedule.held(TrainingProgress(epoch=3), 2) == 0.1 / 8
        model = NumpyMLPRegressor(
            hidden_layer_sizes=(4,), learning_rate=schedule, max_iter=4, random_state=0
        )
        rates.append(model.fit(X, X[:, 0]).history_["learning_rate"])
    assert rates[0] == rates[1] == [0.1, 0.05, 0.025, 0.0125]


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_an_object_may_set_an_old_name_for_itself():
    class Own(Schedule):
        def __init__(self, moves):
            self.moves = moves

    assert Own("step").updates == Own("step").moves == "step"
    assert Schedule().updates == Schedule.moves == "never"
    assert copy.deepcopy(Own("step")).updates == "step"


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_loss_with_old_names_works_as_before():
    for define in (old_loss, new_loss):
        loss = define()([0.5])
        prediction = np.arange(6.0).reshape(2, 3)
        assert loss.n_outputs_for(1) == loss.n_raw(1) == 3
        np.testing.assert_array_equal(loss.point_prediction(prediction), [[100], [103]])
        np.testing.assert_array_equal(loss.point(prediction), [[100], [103]])
    assert Loss().n_raw(4) == 4


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_layer_with_old_names_works_as_before():
    networks = []
    for define in (old_layer, new_layer):
        network = Network([Dense(3, 4), define()(4), "tanh", Dense(4, 2)], rng=0)
        assert network.layers[1].needed_in_backward and network.layers[1].keeps_output
        assert network.is_random and (network.layers[1].gain == 3).all()
        work = Workspace(network, len(X))
        network.sample_masks(work, np.random.default_rng(0))
        network.backward(np.ones_like(network.forward(X, work)), work)
        network.update_running_stats(work)
        networks.append(network)
    old, new = networks
    assert len(old.running_stats) == 8 and old.layers[1].mean.all()
    for name in ("params", "grads", "running_stats"):
        np.testing.assert_array_equal(getattr(old, name), getattr(new, name))


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_dense_layer_with_the_old_fill_draws_its_weights_first():
    class Unbiased(Dense):
        def fill(self):
            self.b[...] = -1.0

    ours, plain = (Network([cls(3, 4), "tanh", Dense(4, 1)], rng=0) for cls in (Unbiased, Dense))
    np.testing.assert_array_equal(ours.dense[0].W, plain.dense[0].W)
    np.testing.assert_array_equal(ours.dense[1].W, plain.dense[1].W)
    assert (ours.dense[0].b == -1).all()


def test_a_fill_with_arguments_is_something_else():
    class Filled(Layer):
        def fill(self, value):
            return value

    assert silently(lambda: Filled().fill(3)) == 3
    Filled().reset_parameters(None, None)


@pytest.mark.filterwarnings("ignore:Gated:FutureWarning")
def test_old_groups_are_named_once():
    layer = old_layer()(4)
    with pytest.warns(FutureWarning) as caught:
        network = Network([Dense(3, 4), layer])
    assert {str(w.message)[:56] for w in caught} == {
        "The group 'rest' of Gated(units=4) was renamed to 'gains",
        "The group 'state' of Gated(units=4) was renamed to 'runn",
    }
    assert {w.filename for w in caught} == {__file__} and len(caught) == 2
    silently(lambda: copy.deepcopy(network).predict(X))


def test_a_network_answers_to_old_names():
    network = Network([Dense(3, 4), Dropout(0.5), BatchNorm(4)], rng=0)
    work = Workspace(network, len(X))
    with pytest.warns(FutureWarning, match="Network.draw was renamed to sample_masks"):
        network.draw(work, np.random.default_rng(0))
    network.forward(X, work)
    with pytest.warns(FutureWarning, match="Network.remember was renamed to update_running_stats"):
        network.remember(work)
    with pytest.warns(FutureWarning, match="Network.state was renamed to running_stats"):
        assert network.state is network.running_stats
    assert network.running_stats.any()


def test_a_buffer_answers_to_old_names():
    buffer = Buffer()
    with pytest.warns(FutureWarning, match="Buffer.kept was renamed to mask or x_hat"):
        buffer.kept = X
    with pytest.warns(FutureWarning, match="Buffer.kept was renamed to mask or x_hat"):
        assert buffer.kept is X is buffer.mask
    with pytest.warns(FutureWarning, match="Buffer.frozen was renamed to use_running_stats"):
        assert buffer.frozen is True
    with pytest.warns(FutureWarning, match="Buffer.scale was renamed to inv_std"):
        buffer.scale = 2.0
    assert buffer.inv_std == 2.0


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        (core, "Progress", TrainingProgress),
        (core, "SeveralClasses", MultioutputLogLoss),
        (core, "Step", StepDecay),
        (sknumpynet, "Step", StepDecay),
    ],
)
def test_old_names_of_classes(module, old, new):
    message = rf"{module.__name__}\.{old} was renamed to {new.__name__}:"
    with pytest.warns(FutureWarning, match=message) as caught:
        assert getattr(module, old) is new
    assert caught[0].filename == __file__
    assert old not in module.__all__
    with pytest.raises(
        AttributeError, match=f"module '{module.__name__}' has no attribute 'Stepp'"
    ):
        module.Stepp  # noqa: B018


def test_names_reach_into_objects_of_objects():
    outer = Warmup(Warmup(SCHEDULES["cosine"](end_factor=0.25), steps=2))
    flat = {"schedule": outer.schedule, "steps": 0.05, "rate": None}
    assert outer.get_params() == outer.get_params(deep=False) == flat
    deep = outer.get_params(deep=True)
    assert deep["schedule__steps"] == 2 and deep["schedule__schedule__end_factor"] == 0.25
    twin = outer.clone()
    assert twin == outer == clone(outer)
    assert twin.set_params(schedule__schedule__end_factor=0.5, schedule__steps=3) is twin
    assert twin != outer and outer.get_params(deep=True) == deep
    assert twin.schedule.schedule.end_factor == 0.5 and twin.schedule.steps == 3
    twin.set_params(schedule__rate=0.1, schedule=Warmup())
    assert twin == Warmup(Warmup(rate=0.1))
    with pytest.raises(ValueError, match="has no parameter 'nope'"):
        twin.set_params(steps=7, nope__rate=1)
    assert twin.steps == 0.05
    with pytest.raises(ValueError, match=r"schedule__rate cannot be set: .*schedule='constant'"):
        Warmup().set_params(schedule__rate=1)
