# SPDX-License-Identifier: BSD-3-Clause
"""Training an epoch at a time: `partial_fit` goes on where the last call, or a fit, stopped."""

import copy
import pickle
import re
import sys
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from fitted_state import fitted_state
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sknumpynet import LeakyReLU, NumpyMLPClassifier, NumpyMLPRegressor, Quantile

rng = np.random.RandomState(0)
X = rng.normal(size=(70, 4))
NUMBERS = X[:, 0] - 2 * X[:, 1]
TARGETS = np.c_[NUMBERS, X[:, 2]]
CLASSES = np.arange(70) % 3
STRINGS = np.array(["no", "perhaps", "yes"])[CLASSES]
LABELS = (X[:, :3] > 0).astype(int)
WEIGHTS = rng.uniform(0.1, 2, size=70)

SOLVERS = {
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "sgd": {"solver": "sgd"},
    "sgd-invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
    "sgd-adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "tol": 10,
        "n_iter_no_change": 2,
    },
}
KINDS = {
    "numbers": (NumpyMLPRegressor, X, NUMBERS),
    "targets": (NumpyMLPRegressor, X, TARGETS),
    "two classes": (NumpyMLPClassifier, X, CLASSES == 0),
    "three classes": (NumpyMLPClassifier, X, CLASSES),
    "strings": (NumpyMLPClassifier, X, STRINGS),
    "labels": (NumpyMLPClassifier, X, LABELS),
    "sparse": (NumpyMLPClassifier, sp.csr_matrix(X * (X > 0)), CLASSES),
    "float32": (NumpyMLPRegressor, X.astype(np.float32), NUMBERS),
    "integers": (NumpyMLPRegressor, (10 * X).astype(int), NUMBERS),
}


def new(kind="numbers", **params):
    settings = {"hidden_layer_sizes": (6, 5), "batch_size": 20, "random_state": 0}
    return KINDS[kind][0](**{**settings, **params})


def params_of_theirs(model):
    """Return the parameters that scikit-learn's estimator has, too."""
    theirs = MLPRegressor if isinstance(model, NumpyMLPRegressor) else MLPClassifier
    return {name: getattr(model, name) for name in theirs().get_params()}


def classes_of(kind):
    _, _, y = KINDS[kind]
    if KINDS[kind][0] is NumpyMLPRegressor:
        return {}
    return {"classes": np.arange(3) if kind == "labels" else np.unique(y)}


def repeat(model, kind, n, **options):
    _, X, y = KINDS[kind]
    for _ in range(n):
        model.partial_fit(X, y, **options, **classes_of(kind))
    return model


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", KINDS)
def test_n_calls_are_a_fit_of_n_epochs(kind, solver, shuffle):
    params = {"n_iter_no_change": 100, **SOLVERS[solver], "shuffle": shuffle, "max_iter": 7}
    whole = new(kind, **params).fit(*KINDS[kind][1:])
    steps = repeat(new(kind, **params), kind, 7)
    assert whole.n_iter_ == 7
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(whole, name), getattr(steps, name), strict=True):
            assert_array_equal(a, b)
    assert steps.loss_curve_ == whole.loss_curve_
    assert (steps.t_, steps.loss_, steps.best_loss_) == (whole.t_, whole.loss_, whole.best_loss_)
    assert steps._training.learning_rate == whole._training.learning_rate


def test_n_weighted_calls_are_a_weighted_fit():
    whole = new(max_iter=5).fit(X, NUMBERS, sample_weight=WEIGHTS)
    steps = repeat(new(), "numbers", 5, sample_weight=WEIGHTS)
    assert_array_equal(steps.predict(X), whole.predict(X))
    assert steps.loss_curve_ == whole.loss_curve_


@pytest.mark.parametrize("kind", ["numbers", "three classes", "labels"])
def test_the_first_call_is_that_of_scikit_learn(kind):
    _, X, y = KINDS[kind]
    ours = repeat(new(kind), kind, 1)
    Theirs = MLPRegressor if kind == "numbers" else MLPClassifier
    theirs = Theirs(**params_of_theirs(ours)).partial_fit(X, y, **classes_of(kind))
    for a, b in zip(ours.coefs_, theirs.coefs_, strict=True):
        assert_allclose(a, b, rtol=1e-9)
    assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)


def test_without_shuffling_later_calls_are_those_of_scikit_learn():
    ours = repeat(new(shuffle=False), "numbers", 10)
    theirs = MLPRegressor(**params_of_theirs(ours))
    for _ in range(10):
        theirs.partial_fit(X, NUMBERS)
    assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-7)
    assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)
    assert (ours.t_, ours.n_iter_) == (theirs.t_, theirs.n_iter_)


def test_each_call_shuffles_anew():
    model = new(batch_size=10)
    orders = [tuple(repeat(model, "numbers", 1)._training.order) for _ in range(5)]
    assert len(set(orders)) == 5
    assert all(sorted(order) == list(range(70)) for order in orders)


@pytest.mark.parametrize("seed", [0, None, "instance"])
def test_the_source_of_random_numbers(seed):
    """An int is drawn from once; the global state and an instance are drawn from at each call."""
    source = np.random.RandomState(1) if seed == "instance" else seed
    np.random.seed(7)
    model = repeat(new(random_state=source), "numbers", 1)
    drawn_from = {0: None, None: np.random.mtrand._rand, "instance": source}[seed]
    for _ in range(2):
        before = fitted_state(drawn_from)
        repeat(model, "numbers", 1)
        assert (fitted_state(drawn_from) != before) is (seed != 0)
    np.random.seed(7)
    source = np.random.RandomState(1) if seed == "instance" else seed
    again = repeat(new(random_state=source), "numbers", 3)
    assert_array_equal(again.predict(X), model.predict(X))


def test_curves_grow_and_n_iter_is_that_of_the_call():
    model = new()
    for call in range(1, 6):
        model.partial_fit(X, NUMBERS)
        assert len(model.loss_curve_) == call
        assert (model.n_iter_, model.t_) == (1, 70 * call)
        assert model.loss_ == model.loss_curve_[-1]
        assert model.best_loss_ == min(model.loss_curve_)
    assert isinstance(model.loss_curve_, list)
    assert model.validation_scores_ is model.best_validation_score_ is None


def test_batches_of_different_sizes():
    ours = new(shuffle=False)
    theirs = MLPRegressor(**params_of_theirs(ours))
    seen = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer rows than batch_size
        for n in (70, 13, 1, 40, 70, 21):
            for model in (ours, theirs):
                model.partial_fit(X[:n], NUMBERS[:n])
            seen += n
            assert ours.t_ == theirs.t_ == seen
    assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-8)
    assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)


def test_a_batch_size_beyond_the_rows_warns():
    with pytest.warns(UserWarning, match="batch_size=20, and the number of rows to train on is 5"):
        new().partial_fit(X[:5], NUMBERS[:5])


def test_rows_of_another_kind_follow():
    """Dense, sparse, float32 and integers: what the network computes in stays."""
    model = new().partial_fit(X, NUMBERS)
    for data in (sp.csr_matrix(X), sp.csc_matrix(X), X.astype(np.float32), (5 * X).astype(np.int8)):
        model.partial_fit(data, NUMBERS)
        assert model.coefs_[0].dtype == np.float64
    assert len(model.loss_curve_) == 5
    dense, sparse = (new().partial_fit(X, NUMBERS) for _ in range(2))
    dense.partial_fit(X, NUMBERS)
    sparse.partial_fit(sp.csr_matrix(X), NUMBERS)
    assert_allclose(sparse.predict(X), dense.predict(X), rtol=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_after_fit_the_optimizer_goes_on(solver):
    params = {"n_iter_no_change": 100, **SOLVERS[solver], "shuffle": False}
    model = new(max_iter=4, **params).fit(X, NUMBERS)
    steps = model._training.optimizer.t
    model.partial_fit(X, NUMBERS)
    assert model._training.optimizer.t == steps + 4  # 70 rows in batches of 20
    whole = new(max_iter=5, **params).fit(X, NUMBERS)
    assert_array_equal(model.predict(X), whole.predict(X))
    assert model.loss_curve_ == whole.loss_curve_


def test_after_a_fit_with_early_stopping():
    model = new(early_stopping=True, max_iter=4).fit(X, NUMBERS)
    scores = model.validation_scores_
    with pytest.raises(ValueError, match="Set early_stopping=False"):
        model.partial_fit(X, NUMBERS)
    assert model.validation_scores_ == scores
    model.set_params(early_stopping=False).partial_fit(X, NUMBERS)
    assert model.validation_scores_ is None
    assert model.best_loss_ == model.loss_
    assert len(model.loss_curve_) == 5


def test_after_lbfgs():
    model = new(solver="lbfgs", max_iter=5).fit(X, NUMBERS)
    assert not hasattr(model, "partial_fit")
    before = model.loss_
    model.set_params(solver="adam", batch_size=70).partial_fit(X, NUMBERS)
    assert model.loss_curve_ == [pytest.approx(before, rel=1e-9)]
    assert model.t_ == 70


def test_after_trimming_it_begins_with_a_new_optimizer():
    model = repeat(new(), "numbers", 3)
    n, curve = model.t_, list(model.loss_curve_)
    model.trim_for_prediction().partial_fit(X, NUMBERS)
    assert model._training.optimizer.t == 4
    assert model.t_ == n + 70
    assert model.loss_curve_[:-1] == curve


@pytest.mark.parametrize(("first", "second"), [("adam", "sgd"), ("sgd", "adam")])
def test_after_a_change_of_solver(first, second):
    model = repeat(new(solver=first), "numbers", 3)
    before = copy.deepcopy(model)
    model.set_params(solver=second).partial_fit(X, NUMBERS)
    assert type(model._training.optimizer).__name__.lower() == second
    assert model._training.optimizer.t == 4
    assert model.t_ == before.t_ + 70
    assert model.loss_curve_[:3] == before.loss_curve_
    assert not np.array_equal(model.predict(X), before.predict(X))


def test_parameters_that_may_change_between_calls():
    model, twin = (repeat(new(shuffle=False), "numbers", 2) for _ in range(2))
    model.set_params(alpha=1.0).partial_fit(X, NUMBERS)
    twin.partial_fit(X, NUMBERS)
    assert model.loss_ > twin.loss_
    assert not np.array_equal(model.coefs_[0], twin.coefs_[0])


def test_the_link_is_that_of_the_fit():
    """As in scikit-learn, a change of loss after fit does not change what is predicted."""
    model = repeat(new(), "numbers", 2)
    before = model.predict(X)
    model.set_params(loss="poisson")
    assert_array_equal(model.predict(X), before)


# What is set between two calls, and what a network that had it from the first would have made of the second.
SET = {
    "loss": {"loss": "huber"},
    "a loss of another link": {"loss": "poisson"},
    "activation": {"activation": "tanh"},
    "dropout": {"dropout": 0.5},
    "learning_rate_init": {"learning_rate_init": 0.3},
    "learning_rate": {"learning_rate": "cosine"},
    "option of the solver": {"beta_1": 0.1},
    "epsilon": {"epsilon": 0.1},
    "alpha": {"alpha": 10.0},
    "max_grad_norm": {"max_grad_norm": 1e-3},
    "batch_size": {"batch_size": 70},
}


@pytest.mark.parametrize("change", SET.values(), ids=SET)
def test_what_is_set_takes_effect_with_the_next_call(change):
    y = np.exp(NUMBERS / 4)
    model, twin = (new(shuffle=False).partial_fit(X, y) for _ in range(2))
    weights, moments = (
        model._model.network.params.copy(),
        model._training.optimizer.state["m"].copy(),
    )
    model.set_params(**change).partial_fit(X, y)
    assert not np.array_equal(model.coefs_[0], twin.partial_fit(X, y).coefs_[0])
    # the same, put together by hand: the first network's weights and moments under the new parameters
    other = new(shuffle=False, **change).partial_fit(X, y)
    other._model.network.params[...] = weights
    other._training.optimizer.state["m"][...] = moments
    one_more = new(shuffle=False).partial_fit(X, y)
    other._training.optimizer.state["v"][...] = one_more._training.optimizer.state["v"]
    other._training.optimizer.t = one_more._training.optimizer.t
    if (
        "dropout" not in change and "batch_size" not in change
    ):  # masks, and the steps counted, differ
        assert_allclose(model.predict(X), other.partial_fit(X, y).predict(X), rtol=1e-9)
        assert model.out_activation_ == other.out_activation_
        assert model.loss_function_ == other.loss_function_
    assert len(model.loss_curve_) == 2 and model.t_ == 140


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_layer_sizes": (6, 6)}, "hidden_layer_sizes=.*set hidden_layer_sizes back"),
        ({"normalization": "layer"}, "fit_intercept or normalization differs from the network"),
        ({"fit_intercept": False}, "fit_intercept or normalization differs from the network"),
        ({"loss": Quantile([0.1, 0.9])}, r"loss=Quantile.* needs 2 outputs, but .* 1 output"),
        ({"activation": LeakyReLU(-1)}, "slope must be"),
    ],
)
def test_what_cannot_take_effect_raises_and_changes_nothing(change, message):
    model = repeat(new(), "numbers", 2)
    model.set_params(**change)
    before = fitted_state(model)
    with pytest.raises(ValueError, match=message):
        model.partial_fit(X, NUMBERS)
    assert fitted_state(model) == before


def test_one_normalization_for_another_raises():
    model = repeat(new(normalization="layer"), "numbers", 1).set_params(normalization="batch")
    for method in ("partial_fit", "fit"):
        with pytest.raises(ValueError, match="normalization differs from the network"):
            getattr(model.set_params(warm_start=True), method)(X, NUMBERS)


@pytest.mark.parametrize("change", [{"loss": "huber"}, {"activation": "tanh"}, {"dropout": 0.3}])
def test_a_call_that_fails_after_a_change_leaves_the_old_network(change):
    model = repeat(new(), "numbers", 2)
    twin = copy.deepcopy(model).partial_fit(X, NUMBERS)
    model.set_params(**change, learning_rate_init=1e308)
    before = fitted_state(model)
    with pytest.raises(ValueError, match="non-finite"), np.errstate(all="ignore"):
        model.partial_fit(X, NUMBERS)
    assert fitted_state(model) == before
    model.set_params(loss="squared_error", activation="relu", dropout=0.0)
    model.set_params(learning_rate_init=0.001).partial_fit(X, NUMBERS)
    assert_array_equal(model.predict(X), twin.predict(X))


def test_early_stopping_is_refused_after_the_data_are_checked():
    """In the order of scikit-learn."""
    with pytest.raises(ValueError, match="contains NaN"):
        new(early_stopping=True).partial_fit(X * np.nan, NUMBERS)
    with pytest.raises(ValueError, match="Set early_stopping=False"):
        new(early_stopping=True).partial_fit(X, NUMBERS)


def test_a_call_does_not_copy_the_curves():
    """However many calls there were, the lists are the same ones, and a little longer."""
    model = repeat(new(), "numbers", 2)
    lists = dict(model.history_)
    model.partial_fit(X, NUMBERS, X_val=X, y_val=NUMBERS)
    assert all(model.history_[name] is values for name, values in lists.items())
    assert np.isnan(model.history_["validation_loss"]).tolist() == [True, True, False]
    curve = model.loss_curve_
    model.set_params(warm_start=True, max_iter=2).fit(X, NUMBERS)  # a fit makes new ones
    assert model.loss_curve_ is not curve and len(curve) == 3 and len(model.loss_curve_) == 5


def test_fit_begins_anew():
    model = repeat(new(max_iter=3), "numbers", 5)
    model.fit(X, NUMBERS)
    fresh = new(max_iter=3).fit(X, NUMBERS)
    assert_array_equal(model.predict(X), fresh.predict(X))
    assert model.loss_curve_ == fresh.loss_curve_
    assert model.t_ == fresh.t_


def test_warm_start_goes_on_with_the_weights_and_a_new_optimizer():
    model = new(max_iter=3, warm_start=True, shuffle=False).fit(X, NUMBERS)
    weights, curve = [W.copy() for W in model.coefs_], list(model.loss_curve_)
    model.partial_fit(X, NUMBERS)
    assert model._training.optimizer.t == 16
    model.fit(X, NUMBERS)
    assert model._training.optimizer.t == 12
    assert len(model.loss_curve_) == 7
    assert model.loss_curve_[:3] == curve
    assert not np.array_equal(model.coefs_[0], weights[0])


def test_warm_start_takes_all_classes_in_every_call():
    model = new("three classes", warm_start=True).fit(X, CLASSES)
    some = CLASSES < 2
    with pytest.raises(ValueError, match="same classes as in the previous call"):
        model.partial_fit(X[some], CLASSES[some])
    model.partial_fit(X, CLASSES)


def test_warm_start_says_what_a_call_with_fewer_classes_lacks():
    """And speaks of no fit where there was none; without warm_start the same calls go on."""
    some = CLASSES < 2
    model = new("three classes", warm_start=True)
    says = (
        r"partial_fit with warm_start=True .*They are \[0 1 2\], `y` has \[0 1\].*warm_start=False"
    )
    for begin in (None, lambda: model.partial_fit(X, CLASSES, classes=[0, 1, 2])):
        if begin is not None:
            begin()
        with pytest.raises(ValueError, match=says) as caught:
            model.partial_fit(X[some], CLASSES[some], classes=[0, 1, 2])
        assert not re.search("call to fit|to fit", str(caught.value))
    model.set_params(warm_start=False).partial_fit(X[some], CLASSES[some])
    model.set_params(warm_start=True)
    with pytest.raises(
        ValueError, match=r"call to fit\. Previously.*Or start over: warm_start=False"
    ):
        model.fit(X[some], CLASSES[some])


# ---------------------------------------------------------------- classes


def test_classes_need_not_occur_in_a_call():
    model = new("three classes")
    model.partial_fit(X[CLASSES == 1], CLASSES[CLASSES == 1], classes=[2, 0, 1])
    assert_array_equal(model.classes_, [0, 1, 2])
    assert model.predict_proba(X).shape == (70, 3)
    model.partial_fit(X[CLASSES == 0], CLASSES[CLASSES == 0])
    model.partial_fit(X, CLASSES, classes=[0, 1, 2])  # again, and the same
    assert len(model.loss_curve_) == 3


def test_string_labels():
    model = repeat(new("strings"), "strings", 10)
    twin = repeat(new("three classes"), "three classes", 10)
    assert_array_equal(model.classes_, ["no", "perhaps", "yes"])
    assert_array_equal(model.predict_proba(X), twin.predict_proba(X))
    assert_array_equal(model.predict(X), model.classes_[twin.predict(X)])


def test_two_classes_with_names():
    y = np.where(X[:, 0] > 0, "warm", "cold")
    model = new("strings", learning_rate_init=0.05)
    for _ in range(25):
        model.partial_fit(X, y, classes=["warm", "cold"])
    assert model.n_outputs_ == 1
    assert model.score(X, y) > 0.95


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_matrix])
def test_several_labels(convert):
    model = new("labels", learning_rate_init=0.03)
    for _ in range(40):
        model.partial_fit(X, convert(LABELS), classes=[0, 1, 2])
    predicted = model.predict(X)
    assert sp.issparse(predicted) is (convert is sp.csr_matrix)
    predicted = predicted.toarray() if sp.issparse(predicted) else predicted
    assert (predicted == LABELS).mean() > 0.9
    theirs = MLPClassifier(**params_of_theirs(model)).partial_fit(X, LABELS, classes=[0, 1, 2])
    assert (model.out_activation_, model.n_outputs_) == (theirs.out_activation_, theirs.n_outputs_)
    assert_array_equal(model.classes_, theirs.classes_)


def test_it_returns_the_estimator_and_is_there_for_stochastic_solvers_only():
    for Estimator in (NumpyMLPClassifier, NumpyMLPRegressor):
        assert hasattr(Estimator(solver="adam"), "partial_fit")
        assert hasattr(Estimator(solver="sgd"), "partial_fit")
        assert not hasattr(Estimator(solver="lbfgs"), "partial_fit")
    model = new()
    assert model.partial_fit(X, NUMBERS) is model


def test_sample_weight_comes_before_classes():
    model = new("three classes").partial_fit(X, CLASSES, WEIGHTS, [0, 1, 2])
    other = new("three classes").partial_fit(X, CLASSES, sample_weight=WEIGHTS, classes=[0, 1, 2])
    assert_array_equal(model.predict_proba(X), other.predict_proba(X))


@pytest.mark.parametrize(
    "given", [{"alpha": -1}, {"batch_size": 0}, {"learning_rate_init": "x"}, {"l1_ratio": 3}]
)
def test_parameters_set_after_the_first_call_are_checked(given):
    model = NumpyMLPRegressor(hidden_layer_sizes=(3,), random_state=0)
    model.partial_fit(np.eye(4), np.arange(4.0))
    before = model.coefs_[0].copy()
    with pytest.raises(ValueError, match=f"The .{next(iter(given))}. parameter"):
        model.set_params(**given).partial_fit(np.eye(4), np.arange(4.0))
    assert (model.coefs_[0] == before).all()


def n_calls(function):
    """Return how many functions are called."""
    n = 0

    def count(frame, event, arg):
        nonlocal n
        n += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
    return n


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.0.0",
    reason="before NumPy 2, more of NumPy's functions are written in Python, which are counted",
)
@pytest.mark.filterwarnings("ignore:A column-vector y")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "kind, convert",
    [
        ("numbers", np.float64),
        ("numbers", np.float32),
        ("numbers", lambda y: y.round().astype(int)),
        ("numbers", lambda y: y[:, np.newaxis]),
        ("targets", np.float64),
        ("two classes", np.int32),
        ("two classes", np.float64),
        ("three classes", np.int64),
        ("strings", np.array),
    ],
)
def test_a_call_on_few_rows_makes_half_as_many_calls_as_scikit_learn(kind, convert, dtype):
    """On 32 rows, function calls take longer than training."""
    cls, _, y = KINDS[kind]
    data = X[:32].astype(dtype), convert(y[:32])
    theirs = MLPRegressor if cls is NumpyMLPRegressor else MLPClassifier
    ours, theirs = cls(random_state=0), theirs(random_state=0)
    for model in (ours, theirs):
        model.partial_fit(*data, **({"classes": np.unique(data[1])} if classes_of(kind) else {}))
        for _ in range(2):
            model.partial_fit(*data)
    assert (
        n_calls(lambda: ours.partial_fit(*data)) <= n_calls(lambda: theirs.partial_fit(*data)) / 2
    )


@pytest.mark.filterwarnings("ignore:A column-vector y")
@pytest.mark.parametrize(
    "kind, convert",
    [
        ("numbers", np.float32),
        ("numbers", lambda y: y.round().astype(int)),
        ("numbers", lambda y: y[:, np.newaxis]),
        ("targets", np.float64),
        ("targets", np.float32),
        ("two classes", np.float32),
        ("three classes", np.int16),
        ("three classes", np.uint8),
        ("strings", np.array),
        ("strings", lambda y: y.astype("U20")),
    ],
)
@pytest.mark.parametrize("features", [np.float64, np.float32, np.float16, lambda X: X.round()])
def test_quick_checks_agree_with_full_checks(kind, convert, features):
    """Rows of a list are checked in full, as float64; an array of such numbers need not be."""
    _, data, y = KINDS[kind]
    y, data = convert(y), features(data)
    options = {"classes": np.unique(y)} if classes_of(kind) else {}
    one, other = (new(kind).partial_fit(data, y, **options) for _ in range(2))
    for _ in range(3):
        one.partial_fit(data, y)
        other.partial_fit(data.astype(np.float64).tolist(), y.tolist())
    assert_array_equal(one.predict(data), other.predict(data))
    for W, V in zip(one.coefs_, other.coefs_):
        assert_allclose(W, V, rtol=1e-6 if y.dtype == np.float32 else 1e-13)


@pytest.mark.parametrize(
    "kind, y, message",
    [
        ("numbers", np.full(70, np.nan), "NaN"),
        ("numbers", np.full(70, np.inf), "infinity"),
        ("numbers", np.full(70, 1 + 1j), "real|[Cc]omplex"),
        ("numbers", TARGETS, "columns"),
        ("numbers", NUMBERS[:-1], "inconsistent|same number"),
        ("targets", NUMBERS, "column"),
        ("targets", np.c_[NUMBERS, np.full(70, np.nan)], "NaN"),
        ("three classes", CLASSES + 0.5, "label|classes"),
        ("three classes", np.where(CLASSES, CLASSES, np.nan), "NaN|label"),
        ("strings", np.where(CLASSES, STRINGS, "never"), "never"),
        ("strings", STRINGS.astype(object)[::-1][:-1], "inconsistent|same number"),
    ],
)
def test_unknown_data_are_refused_after_quick_checks(kind, y, message):
    _, data, known = KINDS[kind]
    model = new(kind).partial_fit(data, known, **classes_of(kind))
    before = fitted_state(model)
    with pytest.raises((TypeError, ValueError), match=message):
        model.partial_fit(data, y)
    assert fitted_state(model) == before


@pytest.mark.parametrize("params", [{}, {"dropout": 0.5}, {"shuffle": False}])
def test_calls_that_fail_draw_nothing(params):
    """Also after many calls, of different lengths, with other solvers between, and after a pickle."""
    one, other = new(**params), new(**params)
    for call in range(250):
        rows = slice(0, 30 + call % 3)
        if call % 7 == 0:
            with pytest.raises(ValueError):  # diverges: something has been drawn
                one.partial_fit(X[rows] * 1e200, NUMBERS[rows])
        for model in (one, other):
            model.partial_fit(X[rows], NUMBERS[rows])
            if call in (40, 150):
                model.set_params(solver="sgd" if call == 40 else "adam")
        if call == 100:
            one = pickle.loads(pickle.dumps(one))
        if call == 120:
            one.trim_for_prediction(), other.trim_for_prediction()
    assert fitted_state(one) == fitted_state(other)
