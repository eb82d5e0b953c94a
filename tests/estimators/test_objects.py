# SPDX-License-Identifier: BSD-3-Clause
"""Strings for names, objects for options: the same fits; objects that clone, pickle, compare and search."""

import copy
import inspect
import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from fitted_state import fitted_state
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline

import sknumpynet
import sknumpynet.estimators.record
from sknumpynet import (
    SGD,
    Activation,
    Adam,
    AdamW,
    Cosine,
    Exponential,
    Focal,
    HalfTweedie,
    Huber,
    Initializer,
    InverseScaling,
    LeakyReLU,
    LogLoss,
    Loss,
    Normal,
    NumpyMLPClassifier,
    NumpyMLPRegressor,
    OneCycle,
    Optimizer,
    Quantile,
    Rprop,
    Schedule,
    StepDecay,
    Tanh,
    Uniform,
    Warmup,
)
from sknumpynet.core.activations import ACTIVATIONS
from sknumpynet.core.initializers import INITIALIZERS
from sknumpynet.core.losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES
from sknumpynet.core.optimizers import OPTIMIZERS
from sknumpynet.core.options import Options
from sknumpynet.core.schedules import SCHEDULES, TrainingProgress

rng = np.random.RandomState(0)
X = rng.normal(size=(60, 4))
NUMBERS = np.exp(X[:, 0] / 2)  # positive: every loss takes them
CLASSES = np.arange(60) % 3
STOCHASTIC = sorted(OPTIMIZERS)
BOTH = [NumpyMLPClassifier, NumpyMLPRegressor]


def new(cls=NumpyMLPRegressor, **params):
    settings = {"hidden_layer_sizes": (6, 5), "max_iter": 4, "batch_size": 20, "random_state": 0}
    return cls(**{**settings, **params})


def fit(cls=NumpyMLPRegressor, **params):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return new(cls, **params).fit(X, CLASSES if cls is NumpyMLPClassifier else NUMBERS)


def assert_same_fit(one, other):
    assert_array_equal(one._model.network.params, other._model.network.params)
    assert one.loss_curve_ == other.loss_curve_


# -------------------------------------------------------------------- names and objects


@pytest.mark.parametrize("name", STOCHASTIC)
def test_solvers_by_name_and_object(name):
    assert_same_fit(fit(solver=name), fit(solver=OPTIMIZERS[name]()))


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_by_name_and_object(name, solver):
    if solver == "adam" and name in ("invscaling", "adaptive"):
        pytest.skip("adam ignores the name, as scikit-learn's does")
    rate = {"learning_rate_init": 0.02}
    by_name = fit(solver=solver, learning_rate=name, **rate)
    assert_same_fit(by_name, fit(solver=solver, learning_rate=SCHEDULES[name](), **rate))
    by_own_rate = fit(solver=solver, learning_rate=SCHEDULES[name](rate=0.02))
    assert_same_fit(by_name, by_own_rate)


@pytest.mark.parametrize("name", REGRESSION_LOSSES)
def test_losses_for_numbers_by_name_and_object(name):
    assert_same_fit(fit(loss=name), fit(loss=REGRESSION_LOSSES[name]()))


@pytest.mark.parametrize("name", CLASSIFICATION_LOSSES)
def test_losses_for_classes_by_name_and_object(name):
    one = fit(NumpyMLPClassifier, loss=name)
    assert_same_fit(one, fit(NumpyMLPClassifier, loss=CLASSIFICATION_LOSSES[name]()))


def test_label_smoothing_is_the_losses_own():
    one = fit(NumpyMLPClassifier, label_smoothing=0.2)
    assert_same_fit(one, fit(NumpyMLPClassifier, loss=LogLoss(smoothing=0.2)))
    assert not np.array_equal(one.coefs_[0], fit(NumpyMLPClassifier).coefs_[0])


@pytest.mark.parametrize("loss", ["focal", Focal(3.0)])
def test_label_smoothing_goes_with_the_log_loss_only(loss):
    with pytest.raises(ValueError, match="label_smoothing needs loss='log_loss'"):
        new(NumpyMLPClassifier, loss=loss, label_smoothing=0.1).fit(X, CLASSES)


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "step"])
def test_activations_by_name_object_and_list(name, cls):
    by_name = fit(cls, activation=name, init="he_normal")
    assert_same_fit(by_name, fit(cls, activation=ACTIVATIONS[name](), init="he_normal"))
    listed = [name, ACTIVATIONS[name]()]
    assert_same_fit(by_name, fit(cls, activation=listed, init="he_normal"))


def test_activations_of_each_layer_and_pairs():
    pair = (np.tanh, lambda z: 1 - np.tanh(z) ** 2)
    tanh = fit(activation="tanh")
    assert_allclose(fit(activation=pair).predict(X), tanh.predict(X), rtol=1e-9)
    mixed = fit(activation=[pair, "relu"])
    assert_allclose(mixed.predict(X), fit(activation=["tanh", "relu"]).predict(X), rtol=1e-9)
    assert not np.allclose(mixed.predict(X), tanh.predict(X))
    assert not np.allclose(mixed.predict(X), fit(activation=["relu", "tanh"]).predict(X))


@pytest.mark.parametrize("parameter", ["init", "bias_init"])
@pytest.mark.parametrize("name", INITIALIZERS)
def test_initializers_by_name_and_object(name, parameter):
    one = fit(**{parameter: name})
    assert_same_fit(one, fit(**{parameter: INITIALIZERS[name]()}))


def test_intercepts_begin_at_zero_unless_scikit_learns_initial_weights_are_asked_for():
    chosen = new(init="he_normal").initialize(X, NUMBERS)
    assert not np.any(np.concatenate(chosen.intercepts_))
    assert np.all(np.concatenate(new().initialize(X, NUMBERS).intercepts_))


@pytest.mark.parametrize("solver", STOCHASTIC)
@pytest.mark.parametrize(
    "learning_rate",
    [
        "step", "exponential", "cosine", "one_cycle", StepDecay(every=2), Exponential(factor=0.5),
        Cosine(warmup=0.5), OneCycle(), InverseScaling(), Warmup("cosine"), Warmup(steps=3),
        lambda step: 0.001 / (1 + step),
    ],
    ids=lambda x: getattr(x, "__name__", repr(x)),
)  # fmt: skip
def test_every_schedule_works_with_every_solver(solver, learning_rate):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="Stochastic Optimizer: Maximum")
        model = new(solver=solver, learning_rate=learning_rate, max_iter=11).fit(X, NUMBERS)
    rates = model.history_["learning_rate"]
    assert len(set(rates)) > 1
    if solver != "rprop":  # whose first step alone knows the rate
        assert not np.array_equal(model.coefs_[0], fit(solver=solver, max_iter=11).coefs_[0])


@pytest.mark.parametrize("name", ["invscaling", "adaptive"])
def test_adam_ignores_two_names_and_warns(name):
    with pytest.warns(UserWarning, match=f"solver='adam' ignores learning_rate='{name}'"):
        model = new(learning_rate=name).fit(X, NUMBERS)
    assert_same_fit(model, fit())


def test_other_forms_are_not_ignored():
    assert not np.array_equal(fit(learning_rate=InverseScaling()).coefs_[0], fit().coefs_[0])
    by_object = fit(solver=Adam(), learning_rate="invscaling")
    assert_same_fit(by_object, fit(learning_rate=InverseScaling()))


def test_power_t_and_the_schedules_own_power():
    by_name = fit(solver="sgd", learning_rate="invscaling", power_t=0.2)
    own = InverseScaling(power=0.2)
    assert_same_fit(by_name, fit(solver="sgd", learning_rate=own, power_t=0.7))


@pytest.mark.parametrize(
    ("solver", "name", "params"),
    [
        (Adam(beta_1=0.5), "adam", {"beta_1": 0.5}),
        (Adam(beta_2=0.5), "adam", {"beta_2": 0.5}),
        (Adam(epsilon=0.1), "adam", {"epsilon": 0.1}),
        (AdamW(beta_1=0.5), "adamw", {"beta_1": 0.5}),
        (SGD(momentum=0.2, nesterov=False), "sgd", {"momentum": 0.2, "nesterovs_momentum": False}),
    ],
)
def test_a_solver_objects_own_parameters_win(solver, name, params):
    by_name = fit(solver=name, **params)
    other = {key: 0.3 if not isinstance(value, bool) else True for key, value in params.items()}
    assert_same_fit(by_name, fit(solver=solver, **other))
    assert not np.array_equal(by_name.coefs_[0], fit(solver=name, **other).coefs_[0])


def test_parameters_that_an_object_does_not_read_are_named():
    with pytest.warns(UserWarning, match=r"solver=Adam\(beta_1=0.5\) ignores .*beta_1=0.3"):
        new(solver=Adam(beta_1=0.5), beta_1=0.3).fit(X, NUMBERS)


# -------------------------------------------------------------------- objects as parameters


OBJECTS = [
    getattr(sknumpynet, name)
    for name in sknumpynet.__all__
    if inspect.isclass(getattr(sknumpynet, name)) and issubclass(getattr(sknumpynet, name), Options)
]
ABSTRACT = {Activation, Initializer, Loss, Optimizer, Schedule}
NEEDS_ARGUMENTS = {"Function": (np.sin, np.cos)}


def made(cls):
    return cls(*NEEDS_ARGUMENTS.get(cls.__name__, ()))


@pytest.mark.parametrize("cls", [cls for cls in OBJECTS if cls not in ABSTRACT])
def test_objects_are_got_set_cloned_compared_and_shown(cls):
    one = made(cls)
    assert one == made(cls) and hash(one) == hash(made(cls))
    assert one != object()
    for twin in (clone(one, safe=False), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert twin == one and twin is not one
        assert type(twin) is cls
    if cls.__name__ != "Function":
        assert eval(repr(one), vars(sknumpynet)) == one
    for name, value in one.get_params().items():
        if isinstance(value, float):
            other = made(cls).set_params(**{name: value / 2 + 0.1})
            assert other != one and getattr(other, name) == value / 2 + 0.1
            assert eval(repr(other), vars(sknumpynet)) == other
            assert made(cls) == one
    with pytest.raises(ValueError, match=f"{cls.__name__} has no parameter 'nope'"):
        one.set_params(nope=1)


def test_there_are_objects_of_each_kind():
    assert len(OBJECTS) > 45
    assert set(OBJECTS) > ABSTRACT


FULL = {
    "solver": AdamW(weight_decay=0.1),
    "learning_rate": Warmup(Cosine(end_factor=0.1), steps=4),
    "loss": Quantile([0.2, 0.5]),
    "activation": [LeakyReLU(0.2), "tanh"],
    "init": Normal(0.3),
    "bias_init": Normal(0.1),
}


def test_an_estimator_with_objects_is_cloned_pickled_and_shown():
    model = new(**FULL)
    for twin in (clone(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.get_params(deep=False) == model.get_params(deep=False)
        assert twin.solver is not model.solver
        assert_same_fit(twin.fit(X, NUMBERS), clone(model).fit(X, NUMBERS))
    text = repr(model)
    for part in (
        "AdamW(weight_decay=0.1)",
        "LeakyReLU(slope=0.2)",
        "Quantile(quantiles=[0.2, 0.5])",
    ):
        assert part in text
    fitted = clone(model).fit(X, NUMBERS)
    loaded = pickle.loads(pickle.dumps(fitted))
    assert fitted_state(loaded) == fitted_state(fitted)
    assert_same_fit(loaded.partial_fit(X, NUMBERS), fitted.partial_fit(X, NUMBERS))


def test_a_fit_leaves_the_objects_as_they_were():
    model = new(**FULL)
    before = {name: fitted_state(value) for name, value in FULL.items()}
    model.fit(X, NUMBERS).partial_fit(X, NUMBERS)
    for name, value in FULL.items():
        assert getattr(model, name) is value
        assert fitted_state(value) == before[name], name


def test_one_object_serves_two_estimators():
    solver = Adam()
    one, other = new(solver=solver), new(solver=solver, random_state=1)
    one.partial_fit(X, NUMBERS)
    other.partial_fit(X, NUMBERS)
    one.partial_fit(X, NUMBERS)
    alone = new(solver=Adam()).partial_fit(X, NUMBERS).partial_fit(X, NUMBERS)
    assert_same_fit(one, alone)


def test_names_of_parameters_reach_inside():
    model = new(**FULL)
    assert model.get_params()["solver__weight_decay"] == 0.1
    model = clone(model).set_params(solver__weight_decay=0.5, learning_rate__steps=2)
    assert model.solver == AdamW(weight_decay=0.5)
    assert model.learning_rate.steps == 2
    assert FULL["solver"] == AdamW(weight_decay=0.1)


INSIDE = {
    "learning_rate__schedule__end_factor": (Warmup(Cosine(end_factor=0.5)), 0.5, 0.02),
    "learning_rate__schedule__schedule__end_factor": (Warmup(Warmup(Cosine(0.01))), 0.0, 0.3),
    "learning_rate__schedule__factor": (Warmup(Exponential(factor=0.5), steps=3), 0.5, 0.7),
    "learning_rate__schedule__every": (Warmup(StepDecay(0.01, every=2)), 2, 1),
}


@pytest.mark.parametrize(("name", "case"), INSIDE.items(), ids=INSIDE)
def test_names_reach_into_objects_of_objects(name, case):
    schedule, was, becomes = copy.deepcopy(case)
    model = new(learning_rate=schedule)
    assert model.get_params()[name] == model.get_params(deep=True)[name] == was
    assert name not in model.get_params(deep=False)
    other = clone(model)
    assert other.get_params() == model.get_params()
    other.set_params(**{name: becomes})
    assert other.get_params()[name] == becomes
    assert (model.get_params()[name], model.learning_rate) == (was, schedule)  # nothing is shared
    inner = other.learning_rate
    *path, option = name.split("__")[1:]
    for step in path:
        inner = getattr(inner, step)
    assert getattr(inner, option) == becomes
    twin = new(learning_rate=copy.deepcopy(other.learning_rate)).fit(X, NUMBERS)
    assert_same_fit(other.fit(X, NUMBERS), twin)
    plain = clone(model).fit(X, NUMBERS)
    assert not np.array_equal(other.coefs_[0], plain.coefs_[0])


@pytest.mark.parametrize(("name", "case"), INSIDE.items(), ids=INSIDE)
def test_what_is_set_inside_takes_effect_with_the_next_call(name, case):
    """Whether it is set by name, or in the object itself."""
    _, _, becomes = case
    rates = []
    for way in ("never", "by name", "in place", "a new object"):
        schedule = copy.deepcopy(case[0])
        model = new(learning_rate=schedule, max_iter=8)
        for _ in range(3):
            model.partial_fit(X, NUMBERS)
        changed = copy.deepcopy(schedule)
        if way == "by name":
            model.set_params(**{name: becomes})
        elif way != "never":
            inner = schedule if way == "in place" else changed
            *path, option = name.split("__")[1:]
            for step in path:
                inner = getattr(inner, step)
            setattr(inner, option, becomes)
            model.set_params(learning_rate=schedule if way == "in place" else changed)
        for _ in range(3):
            model.partial_fit(X, NUMBERS)
        rates.append(model.history_["learning_rate"])
    assert rates[1] == rates[2] == rates[3]
    assert rates[0][:3] == rates[1][:3] and rates[0][3:] != rates[1][3:]


def test_an_object_and_its_options_are_set_at_once():
    model = new().set_params(
        learning_rate=Warmup("cosine"),
        learning_rate__schedule=Cosine(),
        learning_rate__schedule__end_factor=0.25,
    )
    assert model.learning_rate == Warmup(Cosine(end_factor=0.25))


def test_options_that_are_not_there_are_named():
    model = new(learning_rate=Warmup("cosine"))
    with pytest.raises(ValueError, match=r"schedule__end_factor cannot be set: Warmup.*'cosine'"):
        model.set_params(learning_rate__schedule__end_factor=0.5)
    model = new(learning_rate=Warmup(Cosine()))
    with pytest.raises(ValueError, match=r"Cosine has no parameter 'nope'; it has: .*end_factor"):
        model.set_params(learning_rate__schedule__nope=0.5)
    with pytest.raises(ValueError, match="Warmup has no parameter 'nope'; it has: schedule"):
        model.set_params(learning_rate__nope__end_factor=0.5)


def test_a_search_reaches_into_objects_of_objects():
    model = new(learning_rate=Warmup(Cosine()), max_iter=30)
    grid = {"learning_rate__schedule__end_factor": [0.0, 0.5], "learning_rate__steps": [2, 10]}
    found = GridSearchCV(
        make_pipeline(model), {f"numpymlpregressor__{k}": v for k, v in grid.items()}, cv=2
    )
    found.fit(X, NUMBERS)
    assert len(set(found.cv_results_["mean_test_score"])) == 4
    assert model.learning_rate == Warmup(Cosine())


@pytest.mark.parametrize("search", ["grid", "random"])
def test_a_search_reaches_inside_and_leaves_the_object_alone(search):
    solver, loss = AdamW(weight_decay=0.1), Huber(2.0)
    model = new(solver=solver, loss=loss, max_iter=30, learning_rate_init=0.02)
    grid = {"solver__weight_decay": [0.0, 30.0], "loss__delta": [0.5]}
    searched = GridSearchCV(model, grid, cv=2)
    if search == "random":
        searched = RandomizedSearchCV(model, grid, n_iter=2, cv=2, random_state=0)
    searched.fit(X, NUMBERS)
    assert searched.best_params_ == {"solver__weight_decay": 0.0, "loss__delta": 0.5}
    best = searched.best_estimator_
    assert best.solver == AdamW(weight_decay=0.0) and best.loss == Huber(0.5)
    assert (model.solver, model.loss) == (solver, loss) == (AdamW(weight_decay=0.1), Huber(2.0))
    scores = searched.cv_results_["mean_test_score"]
    assert len(set(scores)) == 2


def test_a_search_over_objects_and_names():
    grid = {"solver": ["sgd", Adam(beta_1=0.5)], "activation": [["relu", "tanh"], Tanh()]}
    search = GridSearchCV(new(), grid, cv=2).fit(X, NUMBERS)
    assert len(search.cv_results_["params"]) == 4


# -------------------------------------------------------------------- invalid options

WRONG = [
    (
        "loss",
        Huber(delta=-1),
        r"loss=Huber\(delta=-1\): delta must be a number in \(0, inf\); got -1",
    ),
    ("loss", Quantile([1.5]), r"loss=Quantile.*must lie in \(0, 1\) and rise"),
    (
        "loss",
        HalfTweedie(2),
        "loss=HalfTweedie.*other than 2; got 2. Use loss='poisson' for 1, 'gam",
    ),
    ("loss", Focal(gamma=-1), r"loss=Focal\(gamma=-1\): gamma must be a number in \[0, inf\)"),
    (
        "solver",
        Adam(beta_1=2),
        r"solver=Adam\(beta_1=2\): beta_1 must be a number in \[0, 1\); got 2",
    ),
    ("solver", Rprop(smallest=60), "smallest must be at most largest"),
    ("learning_rate", OneCycle(rate=-1), "learning_rate=OneCycle.*: rate must be None or a number"),
    (
        "learning_rate",
        Warmup(StepDecay(every=0)),
        r"learning_rate=StepDecay\(every=0\): every must be an integ",
    ),
    ("learning_rate", lambda step: -0.1, r"learning_rate must be .*at least 0: in .*returned -0.1"),
    ("learning_rate", lambda step: None, "learning_rate must be a finite number.* returned None"),
    ("learning_rate", lambda step: "0.1", "learning_rate must be a finite number.* returned '0.1'"),
    (
        "learning_rate",
        lambda step: 0.1 if step < 2 else np.nan,
        r"learning_rate must be .*: in epoch \d+, at step \d+, .* returned nan",
    ),
    ("activation", LeakyReLU("a"), r"activation=LeakyReLU\(slope='a'\): slope must be a number in"),
    ("activation", ["relu", LeakyReLU(-1)], r"activation=LeakyReLU\(slope=-1\): slope"),
    ("init", Normal(scale=-1), r"init=Normal\(scale=-1\): scale must be a number in \[0, inf\)"),
    ("bias_init", Uniform(2, 1), r"bias_init=Uniform\(.*\): low must be at most high"),
]


@pytest.mark.parametrize("method", ["fit", "partial_fit", "initialize"])
@pytest.mark.parametrize(("name", "value", "message"), WRONG)
def test_options_are_checked_when_a_fit_begins(name, value, message, method):
    cls = NumpyMLPClassifier if isinstance(value, Focal) else NumpyMLPRegressor
    y = CLASSES if cls is NumpyMLPClassifier else NUMBERS
    if method == "initialize" and callable(value) and not isinstance(value, Options):
        pytest.skip("no rate is asked for")
    model = new(cls).fit(X, y)
    model.set_params(**{name: value})  # stores, as a constructor does
    before = fitted_state(model)
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(X, y)
    assert fitted_state(model) == before
    with pytest.raises(ValueError, match=message):
        getattr(clone(model), method)(
            X,
            y,
            **(
                {"classes": [0, 1, 2]}
                if cls is NumpyMLPClassifier and method == "partial_fit"
                else {}
            ),
        )


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_search_meets_the_error_in_its_own_fits(solver):
    search = GridSearchCV(
        new(loss=Huber(), solver=solver), {"loss__delta": [1.0, -1.0]}, cv=2, error_score=np.nan
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(X, NUMBERS)
    assert any("delta must be a number in" in str(warning.message) for warning in caught)
    assert search.best_params_ == {"loss__delta": 1.0}
    assert np.isnan(search.cv_results_["mean_test_score"]).tolist() == [False, True]


# -------------------------------------------------------------------- custom objects


class CubicError(Loss):
    """l = sum |e|^3 / 3."""

    def terms_and_gradient(self, y, raw, gradient, scratch):
        np.subtract(raw, y, out=scratch)
        np.multiply(scratch, np.abs(scratch), out=gradient)
        return np.abs(scratch) ** 3 / 3


class Sine(Activation):
    def __init__(self, frequency=1.0):
        self.frequency = frequency

    needs_z = True
    in_place = False

    def forward(self, z, out):
        np.multiply(z, self.frequency, out=out)
        np.sin(out, out=out)

    def backward(self, z, delta, scratch):
        delta *= self.frequency * np.cos(self.frequency * z)


class PlainDescent(Optimizer):
    """params -= rate * gradient."""

    def update(self, params, grads, state, learning_rate, scratch):
        np.multiply(grads, learning_rate, out=scratch)
        params -= scratch


class Halving(Schedule):
    """The rate, halved after each epoch."""

    updates = "epoch"

    def __init__(self, rate=None):
        self.rate = rate

    def __call__(self, progress):
        return self.peak_rate * 0.5**progress.epoch


class Tiny(Initializer):
    def fill(self, view, fan_in, fan_out, rng):
        view[...] = rng.uniform(-0.001, 0.001, view.shape)


OWN = {
    "loss": CubicError(),
    "activation": Sine(2.0),
    "solver": PlainDescent(),
    "learning_rate": Halving(),
    "init": Tiny(),
    "bias_init": Tiny(),
}


@pytest.mark.parametrize("name", OWN)
def test_custom_object_works_in_place_of_a_name(name):
    params = {name: OWN[name], "learning_rate_init": 0.01}
    model = fit(**params)
    assert not np.array_equal(model.coefs_[0], fit(learning_rate_init=0.01).coefs_[0])
    assert np.isfinite(model.predict(X)).all()
    twin = pickle.loads(pickle.dumps(clone(model))).fit(X, NUMBERS)
    assert_same_fit(twin, model)
    fit(**params, early_stopping=True, n_iter_no_change=2)
    going_on = new(**params, max_iter=4)
    for _ in range(4):
        going_on.partial_fit(X, NUMBERS)
    assert_allclose(going_on.loss_curve_, model.loss_curve_, rtol=1e-12)
    if name in ("loss", "activation", "init", "bias_init"):
        lbfgs = fit(**{**params, "solver": "lbfgs"})
        assert np.isfinite(lbfgs.loss_)
    if name != "loss":
        assert fit(NumpyMLPClassifier, **params).predict(X).shape == (60,)
    if name == "activation":
        assert_same_fit(fit(activation=[OWN[name], Sine(2.0)], learning_rate_init=0.01), model)
        assert model.input_gradient(X).shape == (60, 4)


def test_ones_own_all_together():
    model = fit(**OWN, learning_rate_init=0.1)
    assert model.loss_ < model.loss_curve_[0]
    assert model.history_["learning_rate"] == [0.1, 0.05, 0.025, 0.0125]


def test_custom_objects_are_used():
    plain = fit(solver=PlainDescent())
    assert_allclose(plain.predict(X), fit(solver=SGD(momentum=0.0)).predict(X), rtol=1e-12)
    sine = (lambda z: np.sin(2 * z), lambda z: 2 * np.cos(2 * z))
    assert_allclose(fit(activation=Sine(2.0)).predict(X), fit(activation=sine).predict(X))
    halving = fit(learning_rate=Halving())
    assert_same_fit(halving, fit(learning_rate=Exponential(factor=0.5)))


# -------------------------------------------------------------------- an epoch at a time


HELD = ["cosine", "one_cycle", Warmup("one_cycle"), Cosine(0.1), "exponential", StepDecay(every=1)]
HELD += [Warmup(Exponential(), steps=2), lambda step: 0.01 / (1 + step), Halving()]


@pytest.mark.parametrize("learning_rate", HELD)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fit_counts_its_steps_on_and_then_holds_the_last_rate(solver, learning_rate):
    whole = fit(solver=solver, learning_rate=learning_rate, max_iter=5)
    model = new(solver=solver, learning_rate=learning_rate, max_iter=5)
    for _ in range(5):
        model.partial_fit(X, NUMBERS)
    assert_same_fit(model, whole)
    assert model.history_["learning_rate"] == whole.history_["learning_rate"]
    for _ in range(3):
        model.partial_fit(X, NUMBERS)
    assert model.history_["learning_rate"][5:] == [model.history_["learning_rate"][4]] * 3


def test_invscaling_falls_on_as_in_scikit_learn():
    model = new(solver="sgd", learning_rate="invscaling", max_iter=2)
    for _ in range(4):
        model.partial_fit(X, NUMBERS)
    assert len(set(model.history_["learning_rate"])) == 4


def test_a_function_gets_the_number_of_the_step():
    steps = []

    def rate(step):
        steps.append(step)
        return 0.001

    model = new(learning_rate=rate)
    for _ in range(3):
        model.partial_fit(X, NUMBERS)
    assert steps[-9:] == list(range(9))
    assert TrainingProgress().step == 0


@pytest.mark.parametrize("longest", [3, 10_000])
def test_curves_after_partial_fit_are_capped(longest, monkeypatch):
    monkeypatch.setattr(sknumpynet.estimators.record, "LONGEST_CURVE", longest)
    model, losses = new(), []
    for _ in range(6):
        model.partial_fit(X, NUMBERS, X_val=X, y_val=NUMBERS)
        losses.append(model.loss_)
    assert model.loss_curve_ == losses[-longest:]
    assert len(model.validation_scores_) == len(model.validation_loss_curve_) == min(longest, 6)
    assert model.history_["epoch"] == [1, 2, 3, 4, 5, 6][-longest:]
    assert {len(values) for values in model.history_.values()} == {min(longest, 6)}
    assert model.t_ == 360


def test_the_cap_is_ten_thousand_and_a_fit_has_none(monkeypatch):
    assert sknumpynet.estimators.record.LONGEST_CURVE == 10_000
    monkeypatch.setattr(sknumpynet.estimators.record, "LONGEST_CURVE", 3)
    model = fit(max_iter=8)
    assert len(model.loss_curve_) == 8
    model.partial_fit(X, NUMBERS)
    assert len(model.loss_curve_) == len(model.history_["seconds"]) == 3
    assert model.best_loss_ <= min(model.loss_curve_)


# -------------------------------------------------------------------- types and pieces that meet


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("given", [np.float32, np.float64, np.float16, np.int64, np.uint8])
@pytest.mark.parametrize("dtype", ["float32", "float64", None])
def test_dtype(dtype, given, solver):
    data = (10 * np.abs(X)).astype(given)
    model = new(dtype=dtype, solver=solver)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(data, NUMBERS)
    expected = np.dtype(dtype or (given if given in (np.float32, np.float64) else np.float64))
    assert {a.dtype for a in (*model.coefs_, *model.intercepts_)} == {expected}
    assert model.predict(data).dtype == expected
    assert model.hidden_activations(data).dtype == expected


def test_dtype_of_the_same_data_is_about_the_same_fit():
    double, single = (fit(dtype=dtype) for dtype in ("float64", "float32"))
    assert_allclose(single.predict(X), double.predict(X), rtol=1e-3, atol=1e-4)
    assert_same_fit(double, fit())
    assert_same_fit(
        single, NumpyMLPRegressor(**single.get_params()).fit(X.astype(np.float32), NUMBERS)
    )


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("cls", BOTH)
def test_without_intercepts(cls, solver):
    y = CLASSES if cls is NumpyMLPClassifier else NUMBERS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = new(cls, fit_intercept=False, solver=solver).fit(X, y)
    assert [b.shape for b in model.intercepts_] == [(6,), (5,), (model.n_outputs_,)]
    for b in model.intercepts_:
        assert_array_equal(b, 0)
    assert_array_equal(model._raw(model._model, np.zeros((1, 4))), 0)
    model.intercepts_ = [np.zeros_like(b) for b in model.intercepts_]
    with pytest.raises(ValueError, match=r"intercepts_\[1\] must be zeros.*fit_intercept=True"):
        model.intercepts_[1] = np.ones(5)


@pytest.mark.parametrize("convert", [sp.csr_matrix, sp.csc_matrix])
@pytest.mark.parametrize(
    "params",
    [
        {"dropout": 0.3}, {"dropout": [0, 0.3, 0.1]}, {"normalization": "batch"},
        {"normalization": "layer", "dropout": 0.2, "max_grad_norm": 0.5},
        {"l1_ratio": 0.5, "fit_intercept": False}, {"early_stopping": True, "dropout": 0.2},
    ],
)  # fmt: skip
def test_sparse_rows_give_the_same_fit(params, convert):
    dense = X * (np.abs(X) > 0.7)
    one, other = new(**params).fit(dense, NUMBERS), new(**params).fit(convert(dense), NUMBERS)
    assert_allclose(one._model.network.params, other._model.network.params, rtol=1e-8, atol=1e-11)
    assert_allclose(one.predict(convert(dense)), one.predict(dense), rtol=1e-9)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_inputs_of_a_sparse_matrix_cannot_be_dropped(method):
    model = new(dropout=[0.2, 0.3, 0])
    with pytest.raises(
        ValueError, match=r"drops inputs, which needs a dense X: pass X.toarray\(\)"
    ):
        getattr(model, method)(sp.csr_matrix(X), NUMBERS)
    getattr(model, method)(X, NUMBERS).predict(sp.csr_matrix(X))


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("method", ["fit", "predict", "initialize"])
def test_missing_values_are_sent_to_an_imputer(cls, method):
    y = CLASSES if cls is NumpyMLPClassifier else NUMBERS
    model, holes = new(cls).fit(X, y), X.copy()
    holes[3, 1] = np.nan
    arguments = (holes,) if method == "predict" else (holes, y)
    with pytest.raises(ValueError, match=r"(?s)Input X contains NaN.*imputer"):
        getattr(model, method)(*arguments)
