# SPDX-License-Identifier: BSD-3-Clause
"""Every constructor parameter changes the fit, and in the direction that its documentation says.

One table for both estimators: a row names a parameter, two values, what to measure after a fit with each, and
how the second outcome compares with the first.
"""

import inspect
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sknumpynet import AdamW, Huber, Normal, NumpyMLPClassifier, NumpyMLPRegressor

CLASSIFIER, REGRESSOR = "classifier", "regressor"
BOTH = (CLASSIFIER, REGRESSOR)
ESTIMATORS = {CLASSIFIER: NumpyMLPClassifier, REGRESSOR: NumpyMLPRegressor}
THEIRS = {CLASSIFIER: MLPClassifier, REGRESSOR: MLPRegressor}
WITHOUT_EFFECT_ON_THE_FIT = {"verbose"}  # tested in test_verbose.py

rng = np.random.RandomState(0)
X = rng.normal(size=(120, 4))
SCORE = X[:, 0] - 0.5 * X[:, 1] + 0.5 * rng.normal(size=120)
CLASSES = (SCORE > 0.8).astype(int)  # about a quarter are ones
NUMBERS = SCORE + 5


# -------------------------------------------------------------------- what is measured


def size_of_weights(model):
    return float(sum((W**2).sum() for W in model.coefs_))


def size_of_intercepts(model):
    return float(sum((b**2).sum() for b in model.intercepts_))


def share_of_tiny_weights(model):
    return float((np.abs(model.coefs_[0]) < 1e-3).mean())


def n_parameters(model):
    return model.n_parameters_


def n_epochs(model):
    return model.n_iter_


def n_steps(model):
    return model._training.progress.step


def last_loss(model):
    return model.loss_


def first_loss(model):
    return model.loss_curve_[0]


def last_rate(model):
    return model.history_["learning_rate"][-1]


def rows_seen(model):
    return model.t_


def confidence(model):
    return float(np.abs(model.decision_function(X)).mean())


def ones_predicted(model):
    return float(model.predict_proba(X)[:, 1].mean())


def curvature(model):
    """How far the predictions are from those of a linear model."""
    raw = model.decision_function(X) if hasattr(model, "classes_") else model.predict(X)
    return float(((raw - Ridge(1e-9).fit(X, raw).predict(X)) ** 2).mean())


def roughness(model):
    """The mean step up or down of the loss from epoch to epoch, beyond its fall."""
    steps = np.diff(model.loss_curve_)
    return float(steps[steps > 0].sum())


def bytes_of_weights(model):
    return model.coefs_[0].nbytes


def distance_of_first_step(model):
    start = ESTIMATORS[CLASSIFIER if hasattr(model, "classes_") else REGRESSOR]
    start = start(**model.get_params())
    start.initialize(X, CLASSES if hasattr(model, "classes_") else NUMBERS)
    pairs = zip(model.coefs_, start.coefs_, strict=True)
    return float(np.sqrt(sum(((a - b) ** 2).sum() for a, b in pairs)))


def mean_prediction(model):
    return float(model.predict(X).mean())


def layer_means(model):
    """How far the hidden units are from mean 0 and variance 1 before the activation."""
    a = model.hidden_activations(X)
    return float(abs(a.mean(axis=1)).mean())


def score_beside_minus_the_loss(model):
    """How far the score that decides is from the loss, turned round."""
    return float(np.abs(np.add(model.validation_scores_, model.validation_loss_curve_)).max())


def seconds(model):
    return sum(model.history_["seconds"])


@dataclass
class Row:
    """With ``values[1]`` instead of ``values[0]`` the outcome is larger, smaller, the same or another."""

    name: str
    values: tuple
    measure: Callable
    direction: str  # ">" the second is larger, "<" smaller, "!=" another
    given: dict = field(default_factory=dict)
    kinds: tuple = BOTH
    fits: int = 1


ONE_EPOCH = {"max_iter": 1}
LONG = {"max_iter": 300, "learning_rate_init": 0.02}
SGD = {"solver": "sgd", "max_iter": 30, "learning_rate_init": 0.02}
EARLY = {"early_stopping": True, "max_iter": 60}

TABLE = [
    Row("hidden_layer_sizes", ((5,), (20, 20)), n_parameters, ">"),
    Row("activation", ("identity", "tanh"), curvature, ">", LONG),
    Row("solver", ("sgd", "lbfgs"), last_loss, "<"),
    Row("solver", ("adam", AdamW(weight_decay=5.0)), size_of_weights, "<", LONG),
    Row("alpha", (0.0, 10.0), size_of_weights, "<", LONG),
    Row("batch_size", (120, 10), n_steps, ">"),
    Row("learning_rate", ("constant", "invscaling"), last_rate, "<", SGD),
    Row("learning_rate", ("constant", "cosine"), last_rate, "<"),
    Row("learning_rate", ("constant", lambda step: 0.5), last_rate, ">"),
    Row("learning_rate_init", (0.001, 0.01), distance_of_first_step, ">", ONE_EPOCH),
    Row("power_t", (0.1, 0.9), last_rate, "<", {**SGD, "learning_rate": "invscaling"}),
    Row("max_iter", (3, 9), rows_seen, ">"),
    Row("shuffle", (False, True), last_loss, "!=", {"batch_size": 20}),
    Row("random_state", (0, 1), first_loss, "!="),
    Row("tol", (0.0, 0.5), n_epochs, "<", {"max_iter": 60}),
    Row("warm_start", (False, True), last_loss, "<", fits=2),
    Row("momentum", (0.0, 0.9), last_loss, "<", {**SGD, "nesterovs_momentum": False}),
    # the first step with Nesterov's momentum is longer by the momentum
    Row(
        "nesterovs_momentum", (False, True), distance_of_first_step, ">",
        {**SGD, "max_iter": 1, "batch_size": 120},
    ),
    Row("early_stopping", (False, True), rows_seen, "<", {"max_iter": 3}),
    Row("validation_fraction", (0.1, 0.5), rows_seen, "<", {**EARLY, "max_iter": 3}),
    # more memory of the gradients before: the steps of one epoch go further in the same direction
    Row("beta_1", (0.0, 0.99), roughness, "<", {"batch_size": 5, "learning_rate_init": 0.05}),
    # a short memory of the squares after a long training with small gradients: larger steps
    Row("beta_2", (0.9999, 0.5), roughness, ">", {"batch_size": 10, "learning_rate_init": 0.02}),
    Row("epsilon", (1e-8, 1.0), distance_of_first_step, "<", ONE_EPOCH),
    Row("n_iter_no_change", (2, 20), n_epochs, ">", {"max_iter": 60, "tol": 0.5}),
    Row("max_fun", (2, 200), last_loss, "<", {"solver": "lbfgs"}),
    Row("loss", ("log_loss", "focal"), confidence, "<", LONG, (CLASSIFIER,)),
    Row("loss", ("squared_error", "poisson"), mean_prediction, "!=", {}, (REGRESSOR,)),
    Row("quantile", (0.1, 0.9), mean_prediction, ">", {**LONG, "loss": "quantile"}, (REGRESSOR,)),
    Row("class_weight", (None, "balanced"), ones_predicted, ">", LONG, (CLASSIFIER,)),
    Row("class_weight", (None, {1: 0.1}), ones_predicted, "<", LONG, (CLASSIFIER,)),
    Row("label_smoothing", (0.0, 0.3), confidence, "<", LONG, (CLASSIFIER,)),
    Row("l1_ratio", (0.0, 1.0), share_of_tiny_weights, ">", {**LONG, "alpha": 3.0}),
    Row("dropout", (0.0, 0.5), last_loss, ">", LONG),
    Row("dropout", ([0, 0], [0.5, 0]), last_loss, ">", LONG),
    Row("normalization", (None, "layer"), layer_means, "<", {"activation": "identity"}),
    Row("normalization", (None, "batch"), n_parameters, ">"),
    Row("max_grad_norm", (None, 0.01), distance_of_first_step, "<", {**SGD, "max_iter": 1}),
    Row("fit_intercept", (True, False), size_of_intercepts, "<", LONG),
    Row("fit_intercept", (True, False), n_parameters, "<"),
    Row("init", ("auto", "zeros"), size_of_weights, "<", ONE_EPOCH),
    Row("init", (Normal(0.1), Normal(2.0)), size_of_weights, ">"),
    Row("bias_init", ("auto", "zeros"), size_of_intercepts, "<", ONE_EPOCH),
    Row("bias_init", ("zeros", Normal(2.0)), size_of_intercepts, ">", ONE_EPOCH),
    Row("scoring", (None, "loss"), score_beside_minus_the_loss, "<", EARLY),
    Row("max_time", (None, 0.05), n_epochs, "<", {"max_iter": 1000, "tol": 0, "batch_size": 1}),
    Row("dtype", (None, "float32"), bytes_of_weights, "<"),
]  # fmt: skip
CASES = [
    pytest.param(row, kind, id=f"{row.name}-{row.measure.__name__}-{index}-{kind}")
    for index, row in enumerate(TABLE)
    for kind in row.kinds
]


def outcome(row, kind, value):
    settings = {"hidden_layer_sizes": (8,), "max_iter": 15, "random_state": 0, **row.given}
    model = ESTIMATORS[kind](**{**settings, row.name: value})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(row.fits):
            model.fit(X, CLASSES if kind == CLASSIFIER else NUMBERS)
    return row.measure(model)


def holds(first, second, direction):
    """Whether the second number compares with the first as said, by more than rounding."""
    margin = 1e-6 * max(abs(first), abs(second))
    if direction == "!=":
        return abs(second - first) > margin
    return (second - first if direction == ">" else first - second) > margin


@pytest.mark.parametrize(("row", "kind"), CASES)
def test_parameter_changes_the_fit(row, kind):
    first, second = (outcome(row, kind, value) for value in row.values)
    assert np.isfinite(first) and np.isfinite(second)
    assert holds(first, second, row.direction), (first, row.direction, second)


@pytest.mark.parametrize("kind", BOTH)
def test_every_parameter_has_a_row(kind):
    parameters = set(inspect.signature(ESTIMATORS[kind].__init__).parameters) - {"self"}
    rows = {row.name for row in TABLE if kind in row.kinds}
    assert rows == parameters - WITHOUT_EFFECT_ON_THE_FIT


@pytest.mark.parametrize("kind", BOTH)
def test_new_parameters_come_last_by_keyword_with_plain_defaults(kind):
    theirs = inspect.signature(THEIRS[kind].__init__).parameters
    ours = inspect.signature(ESTIMATORS[kind].__init__).parameters
    for name, parameter in ours.items():
        if name not in theirs:
            assert parameter.kind is inspect.Parameter.KEYWORD_ONLY, name
            assert parameter.default is None or type(parameter.default) in (str, float, int, bool)
    assert list(ours)[: len(theirs)] == list(theirs)


@pytest.mark.parametrize("kind", BOTH)
def test_a_new_parameter_at_its_default_changes_nothing(kind):
    """The fit with all new parameters written out is scikit-learn's own, to the last bits."""
    theirs = THEIRS[kind](hidden_layer_sizes=(6,), max_iter=5, random_state=0)
    known = theirs.get_params()
    ours = ESTIMATORS[kind]()
    news = {name: value for name, value in ours.get_params().items() if name not in known}
    assert len(news) >= 10
    y = CLASSES if kind == CLASSIFIER else NUMBERS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.fit(X, y)
        ours.set_params(**known, **news).fit(X, y)
    for ours_W, theirs_W in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(ours_W, theirs_W, rtol=1e-10, atol=1e-13)


def test_max_time_is_about_kept():
    model = NumpyMLPRegressor(batch_size=1, max_iter=100000, tol=0, random_state=0)
    model.set_params(hidden_layer_sizes=(3,), max_time=0.2)
    started, busy = time.perf_counter(), time.thread_time()
    with pytest.warns(match=r"ended after \d+ epochs, at max_time=0.2 s"):
        model.fit(X, NUMBERS)
    assert time.perf_counter() - started >= 0.2
    assert time.thread_time() - busy < 5  # of this thread alone, however busy the machine is
    assert model.n_iter_ == len(model.loss_curve_) < 100000


@pytest.mark.parametrize("loss", ["squared_error", Huber()])
def test_a_quantile_that_the_loss_ignores_is_warned_of_once(loss):
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    model = NumpyMLPRegressor(loss, quantile=[0.1, 0.9])
    with pytest.warns(
        UserWarning, match=r"loss=.* ignores quantile=\[0.1, 0.9\]: set loss='quantile'"
    ):
        model.partial_fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.partial_fit(X, y)
        model.set_params(quantile=0.5).partial_fit(X, y)
