# SPDX-License-Identifier: BSD-3-Clause
"""fit_side_by_side: every estimator is as after a separate fit, and a failure affects only itself."""

import random
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from fitted_state import fitted_state
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from sknumpynet import (
    Activation,
    AdamW,
    Cosine,
    Lion,
    Normal,
    NumpyMLPClassifier,
    NumpyMLPRegressor,
    RMSprop,
    Warmup,
    fit_side_by_side,
)
from sknumpynet.datasets import xor
from sknumpynet.estimators import side_by_side as module

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N_GROUPS = 60
WHICH_STEPS = ("adam", "sgd", "adamw", "nadam", "amsgrad", "rmsprop", "adagrad", "rprop", "lion")


@pytest.fixture
def packs(monkeypatch):
    """Return the sizes of the trained packs."""
    sizes, fit_pack = [], module.fit_pack
    monkeypatch.setattr(module, "fit_pack", lambda fits: sizes.append(len(fits)) or fit_pack(fits))
    return sizes


def assert_same(mine, alone, tolerance=1e-7):
    """Compare all that two estimators hold, numbers to a tolerance beside the largest in their array."""
    mine, alone = fitted_state(mine), fitted_state(alone)
    assert mine.keys() == alone.keys()
    for path, value in mine.items():
        if value == alone[path]:
            continue
        assert tolerance, path
        numbers, others = map(numbers_in, (value, alone[path]))
        size = np.abs(others).max(initial=0.0)
        assert numbers.shape == others.shape, path
        assert np.abs(numbers - others).max(initial=0.0) <= tolerance * max(size, 1e-3), path


def numbers_in(value):
    if isinstance(value, str):
        return np.array([float(value.removeprefix("np.float64(").removesuffix(")"))])
    dtype, _, content = value
    return np.frombuffer(eval(content), dtype).astype(float)


def fitted_alone(estimators, X, y, sample_weight=None):
    """Return clones that are fitted one after another; and warm starts go on from what was there."""
    return [each.fit(X, y, sample_weight) for each in map(copy_of, estimators)]


def copy_of(estimator):
    other = clone(estimator)
    vars(other).update({k: v for k, v in vars(estimator).items() if k not in vars(other)})
    return other


# -------------------------------------------------------------------- random groups


def draw_group(number):
    """Return estimators with one shape and much else that differs, and their data."""
    draw = random.Random(number)
    kind = draw.choice(
        ["binary", "multiclass", "multilabel", "columns", "numbers", "several numbers"]
    )
    n, n_features = draw.choice([4, 9, 30, 61]), draw.randint(1, 5)
    rng = np.random.RandomState(number)
    X = rng.normal(size=(n, n_features))
    z = X @ rng.normal(size=(n_features, 3)) + 0.3 * rng.normal(size=(n, 3))
    yes = (z > 0).astype(int)
    yes[:2] = [[0, 0, 0], [1, 1, 1]]
    y = {
        "binary": yes[:, 0],
        "multiclass": np.array(["a", "b", "c"])[np.r_[0, 1, 2, z[3:].argmax(axis=1)]],
        "multilabel": yes,
        "columns": np.column_stack([yes[:, 0] * 2, z.argmax(axis=1)]),
        "numbers": z[:, 0],
        "several numbers": z,
    }[kind]
    is_class = kind in ("binary", "multiclass", "multilabel", "columns")
    cls = NumpyMLPClassifier if is_class else NumpyMLPRegressor
    dtype = draw.choice(["float64", "float64", "float32"])
    sizes = [draw.randint(1, 6) for _ in range(draw.randint(0, 2))]
    common = {
        "hidden_layer_sizes": sizes,
        "activation": draw.choice(["tanh", "relu", "logistic", "silu", "elu"]),
        "solver": draw.choice(WHICH_STEPS),
        "batch_size": draw.choice(["auto", "auto", min(n, 7)]),
        "normalization": draw.choice([None, None, None, None, None, "batch"]) if sizes else None,
        "dtype": dtype,
    }
    if not is_class:
        common["loss"] = draw.choice(["squared_error", "huber", "log_cosh"])
    elif kind != "columns":
        common["label_smoothing"] = draw.choice([0.0, 0.0, 0.1])
    same_rate, weighs = draw.random() < 0.5, is_class and draw.random() < 0.4
    estimators = []
    for _ in range(draw.randint(2, 7)):
        own = {
            "random_state": draw.randint(0, 99),
            "alpha": draw.choice([0.0, 1e-4, 0.1]),
            "l1_ratio": draw.choice([0.0, 0.0, 0.5]),
            "max_iter": draw.choice([1, 5, 12, 25]),
            "tol": draw.choice([1e-4, 1e-2, 0.2]),
            "n_iter_no_change": draw.choice([1, 3, 10]),
            "shuffle": draw.random() < 0.8,
            "max_grad_norm": draw.choice([None, None, 0.1, 1.0]),
            "dropout": draw.choice([0.0, 0.0, 0.3]) if sizes else 0.0,
            "init": draw.choice(["auto", "auto", "he_normal"]),
            "beta_1": draw.choice([0.9, 0.5]),
            "momentum": draw.choice([0.9, 0.0]),
            "nesterovs_momentum": draw.random() < 0.5,
            "learning_rate": draw.choice(
                ["constant", "constant", "invscaling", "adaptive", "cosine", "one_cycle"]
            ),
        }
        if not same_rate:
            own["learning_rate_init"] = draw.choice([1e-3, 3e-3, 1e-2])
        if kind != "columns" and draw.random() < 0.3 and n > 9:
            own["early_stopping"] = True
            own["validation_fraction"] = draw.choice([0.2, 0.3])
            own["scoring"] = draw.choice([None, "loss"])
        if weighs and kind in ("binary", "multiclass"):
            own["class_weight"] = draw.choice(["balanced", {y[0]: 2.0, y[1]: 0.5}])
        estimators.append(cls(**common, **own))
    weight = rng.uniform(0.1, 2, n) if draw.random() < 0.3 else None
    return estimators, X.astype(dtype), y, weight


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(N_GROUPS))
def test_random_groups_are_as_fitted_alone(number, packs):
    estimators, X, y, weight = draw_group(number)
    alone = fitted_alone(estimators, X, y, weight)
    together = fit_side_by_side(estimators, X, y, weight)
    assert len(together) == len(estimators)
    for mine, given, its in zip(together, estimators, alone, strict=True):
        assert mine is given
        assert_same(mine, its, 1e-7 if X.dtype == np.float64 else 1e-5)


@pytest.mark.filterwarnings("ignore")
def test_most_random_groups_are_packed(packs):
    n = 0
    for number in range(N_GROUPS // 4):
        estimators, X, y, weight = draw_group(number)
        n += len(estimators)
        fit_side_by_side([each.set_params(max_iter=1) for each in estimators], X, y, weight)
    assert sum(packs) > 0.7 * n


# -------------------------------------------------------------------- to the last bit


def seeds(n=6, **parameters):
    options = {"max_iter": 60, "learning_rate_init": 0.05, **parameters}
    return [NumpyMLPClassifier((3,), "tanh", random_state=seed, **options) for seed in range(n)]


@pytest.mark.parametrize("solver", WHICH_STEPS)
@pytest.mark.parametrize("batch_size", ["auto", 5])
def test_seeds_alone_differ_by_no_bit(solver, batch_size, packs):
    X, y = make_classification(n_samples=23, n_features=4, random_state=0)
    estimators = seeds(solver=solver, batch_size=batch_size, alpha=0.1)
    alone = fitted_alone(estimators, X, y)
    for mine, its in zip(fit_side_by_side(estimators, X, y), alone):
        assert_same(mine, its, tolerance=0)
    assert packs == [6]


def test_members_leave_the_pack_when_they_are_done(packs):
    X, y = make_classification(n_samples=60, n_features=4, random_state=0)
    estimators = seeds(tol=1e-2, n_iter_no_change=2, max_iter=300)
    alone = fitted_alone(estimators, X, y)
    fit_side_by_side(estimators, X, y)
    epochs = [each.n_iter_ for each in estimators]
    assert len(set(epochs)) > 3 and packs == [6]
    assert epochs == [each.n_iter_ for each in alone]


def test_partial_fit_goes_on_from_it():
    X, y = make_classification(n_samples=30, n_features=4, random_state=0)
    estimators = seeds(solver="sgd", dropout=0.2)
    alone = fitted_alone(estimators, X, y)
    fit_side_by_side(estimators, X, y)
    for mine, its in zip(estimators, alone):
        for _ in range(3):
            assert_same(mine.partial_fit(X, y), its.partial_fit(X, y), tolerance=0)


def test_generators_are_left_as_by_fit():
    X, y = xor()
    generators = [np.random.RandomState(seed) for seed in range(3)]
    mine = [each.set_params(random_state=rng) for each, rng in zip(seeds(3), generators)]
    fit_side_by_side(mine, X, y)
    for seed, rng in enumerate(generators):
        its = np.random.RandomState(seed)
        seeds(1)[0].set_params(random_state=its).fit(X, y)
        assert rng.randint(1 << 30) == its.randint(1 << 30)


def test_a_shared_generator_is_drawn_from_one_after_another(packs):
    X, y = xor()
    mine = [each.set_params(random_state=np.random.RandomState(3)) for each in seeds(1)]
    rng, other = np.random.RandomState(3), np.random.RandomState(3)
    mine = fit_side_by_side([each.set_params(random_state=rng) for each in seeds(3)], X, y)
    for each in mine:
        its = seeds(1)[0].set_params(random_state=other).fit(X, y)
        assert_array_equal(each.coefs_[0], its.coefs_[0])
    assert not packs


def test_without_random_state_the_networks_differ(packs):
    X, y = xor()
    networks = fit_side_by_side([NumpyMLPClassifier((2,), max_iter=5) for _ in range(4)], X, y)
    assert len({network.coefs_[0][0, 0] for network in networks}) == 4 and packs == [4]
    networks[0].partial_fit(X, y)


# -------------------------------------------------------------------- what may differ


DATA = make_classification(n_samples=40, n_features=4, random_state=0)


def check(estimators, packs, sizes, X=DATA[0], y=DATA[1], tolerance=1e-7):
    alone = fitted_alone(estimators, X, y)
    for mine, its in zip(fit_side_by_side(estimators, X, y), alone):
        assert_same(mine, its, tolerance)
    assert packs == sizes


def test_rates_penalties_dropout_and_options_of_the_solver_may_differ(packs):
    some = seeds(1, learning_rate_init=0.01) + seeds(1, alpha=1.0) + seeds(1, dropout=[0.1, 0.5])
    some += seeds(1, beta_1=0.5) + seeds(1, learning_rate="cosine") + seeds(1, l1_ratio=1.0)
    check(some, packs, [6])


def test_initial_weights_may_differ(packs):
    some = seeds(1) + seeds(1, init=Normal(0.1)) + seeds(1, bias_init="zeros")
    known = seeds(1, warm_start=True)[0].initialize(*DATA)
    known.coefs_[0][...] = 0.25
    check([*some, known], packs, [4])


def test_a_warm_start_goes_on(packs):
    some = seeds(3, warm_start=True)
    for each in some:
        each.fit(*DATA)
    check(some, packs, [3])
    assert len(some[0].loss_curve_) == 120


def test_objects_may_be_shared(packs):
    solver, schedule = AdamW(weight_decay=0.1), Warmup(Cosine(0.05), steps=3)
    check(seeds(3, solver=solver, learning_rate=schedule), packs, [3])


def test_early_stopping_may_be_some_ones_own(packs):
    # those that hold rows out have fewer to train on
    check([*seeds(3), *seeds(3, early_stopping=True, n_iter_no_change=3)], packs, [3, 3])


def test_batches_without_weights():
    X, y = DATA
    weight = np.where(np.arange(len(y)) % 2, 0.0, 1.5)
    some = seeds(4, batch_size=2, alpha=0.5)
    alone = fitted_alone(some, X, y, weight)
    for mine, its in zip(fit_side_by_side(some, X, y, weight), alone):
        assert_same(mine, its)


def test_decay_may_differ(packs):
    check([*seeds(2, solver=Lion(weight_decay=0.3)), *seeds(2, solver=Lion())], packs, [4])


def test_other_shapes_and_solvers_make_other_packs(packs):
    some = (
        seeds(3)
        + seeds(3, solver=RMSprop())
        + seeds(3, batch_size=10)
        + seeds(3, fit_intercept=False)
    )
    order = np.random.RandomState(0).permutation(len(some))
    check([some[i] for i in order], packs, [3, 3, 3, 3])


def test_wide_networks_are_fitted_one_by_one(packs):
    wide = [NumpyMLPClassifier((500,), max_iter=2, random_state=seed) for seed in range(4)]
    check(wide, packs, [])


def test_large_groups_are_several_packs(packs, monkeypatch):
    monkeypatch.setattr("sknumpynet.fitting.side_by_side.PACK", 40 * 3 * 4)
    check(seeds(10, max_iter=5), packs, [3, 3, 4], tolerance=0)


class Doubled(Activation):
    def forward(self, z, out):
        np.multiply(z, 2, out=out)

    def backward(self, a, delta, scratch):
        delta *= 2


class Own(NumpyMLPClassifier):
    def fit(self, X, y, sample_weight=None):
        self.was_here_ = True
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "lbfgs", "max_iter": 5},
        {"activation": (np.tanh, lambda z: 1 / np.cosh(z) ** 2)},
        {"activation": Doubled()},
        {"learning_rate": lambda step: 0.01},
        {"learning_rate": Warmup(Warmup())},
        {"max_time": 1000.0},
        {"verbose": 2},
    ],
    ids=["lbfgs", "functions", "custom activation", "function", "nested", "max_time", "verbose"],
)
def test_what_cannot_be_packed_is_as_fitted_alone(parameters, packs, capsys):
    options = {"max_iter": 5, **parameters}
    some = [NumpyMLPClassifier((3,), random_state=seed).set_params(**options) for seed in range(3)]
    check(some, packs, [] if "Warmup" not in str(parameters) else [3])


def test_sparse_inputs_and_classes_of_ones_own(packs):
    X, y = DATA
    check(seeds(3), packs, [], X=sp.csr_matrix(X), y=y)
    check([Own((3,), max_iter=3, random_state=0) for _ in range(3)], packs, [])


def test_lists_frames_and_integers(packs):
    X = np.round(DATA[0] * 3)
    for each in (X.tolist(), X.astype(int), np.asfortranarray(X)):
        check(seeds(3, max_iter=5), packs, [3], X=each)
        packs.clear()


def test_callbacks_are_called(packs):
    pytest.importorskip("sklearn.callback")
    from sknumpynet import LogEpochs

    rows = []
    first, *others = seeds(4, max_iter=4)
    first.set_callbacks(LogEpochs(rows.append))
    fit_side_by_side([first, *others], *DATA)
    assert len(rows) == 4 and packs == [3]


def test_a_regressor(packs):
    X, y = make_regression(n_samples=50, n_features=3, random_state=0)
    some = [
        NumpyMLPRegressor(
            hidden_layer_sizes=(4,),
            random_state=seed,
            early_stopping=True,
            scoring=scoring,
            max_iter=20,
        )
        for seed in range(3)
        for scoring in (None, "neg_mean_absolute_error")
    ]
    check(some, packs, [6], X=X, y=y)


# -------------------------------------------------------------------- what fails


def test_nothing_to_fit():
    assert fit_side_by_side([], *DATA) == []
    assert fit_side_by_side((seeds(1)[0],), *DATA)[0].n_iter_ > 0


@pytest.mark.parametrize(
    ("estimators", "error", "message"),
    [
        (NumpyMLPClassifier(), TypeError, "must be a list of .*; got NumpyMLPClassifier"),
        ({"a": NumpyMLPClassifier()}, TypeError, "must be a list of .*; got dict"),
        ([MLPClassifier()], TypeError, r"estimators\[0\] is of class MLPClassifier"),
        ([NumpyMLPClassifier], TypeError, r"estimators\[0\] is the class NumpyMLPClassifier"),
        ([NumpyMLPClassifier(), None], TypeError, r"estimators\[1\] is of class NoneType"),
        (2 * [NumpyMLPClassifier()], ValueError, r"\[1\] is the same object as estimators\[0\]"),
        (
            [NumpyMLPClassifier(), NumpyMLPRegressor()],
            ValueError,
            "all classifiers or all regressors",
        ),
        (
            [NumpyMLPClassifier(), NumpyMLPClassifier(alpha=-1)],
            ValueError,
            r"estimators\[1\]: The 'alpha' parameter",
        ),
        ([NumpyMLPClassifier(solver="adem")], ValueError, r"estimators\[0\]: The 'solver'.*adam"),
    ],
    ids=str,
)
def test_bad_lists_raise_and_change_nothing(estimators, error, message):
    with pytest.raises(error, match=message):
        fit_side_by_side(estimators, *DATA)
    if isinstance(estimators, list):
        assert not any(hasattr(each, "n_iter_") for each in estimators)


def test_bad_data_raise():
    X, y = DATA
    for bad in ((X[:5], y), (np.where(X > 2, np.nan, X), y), (X, y[:, None] * 0.5)):
        some = seeds(2)
        with pytest.raises(ValueError, match=r"estimators\[0\]"):
            fit_side_by_side(some, *bad)
        assert not hasattr(some[0], "n_iter_")


def diverging(seed=0):
    return NumpyMLPRegressor(
        hidden_layer_sizes=(3,),
        solver="sgd",
        learning_rate_init=1e8,
        max_iter=20,
        random_state=seed,
    )


def test_one_that_diverges_fails_alone(packs):
    X, y = make_regression(n_samples=40, n_features=3, random_state=0)
    good = [diverging(seed).set_params(learning_rate_init=1e-4) for seed in range(3)]
    with pytest.raises(ValueError) as expected:
        diverging().fit(X, y)
    alone = fitted_alone(good, X, y)
    bad = diverging()
    with pytest.raises(ValueError, match=r"estimators\[1\]: .*all others are") as found:
        fit_side_by_side([good[0], bad, *good[1:]], X, y)
    assert str(expected.value) in str(found.value)
    assert packs == [4] and not hasattr(bad, "n_iter_")
    for mine, its in zip(good, alone):
        assert_same(mine, its)


def test_earlier_fit_is_kept_if_the_next_one_diverges():
    X, y = make_regression(n_samples=40, n_features=3, random_state=0)
    bad = (
        diverging().set_params(learning_rate_init=1e-4).fit(X, y).set_params(learning_rate_init=1e8)
    )
    before = fitted_state(bad)
    with pytest.raises(ValueError, match=r"estimators\[0\].*so could 1 more not"):
        fit_side_by_side([bad, diverging(1)], X, y)
    assert fitted_state(bad) == before


def test_a_score_that_fails_is_one_members_own():
    def fails(estimator, X, y):
        raise RuntimeError("no score today")

    good, bad, better = seeds(3, early_stopping=True)
    with pytest.raises(RuntimeError, match="no score today") as found:
        fit_side_by_side([good, bad.set_params(scoring=fails), better], *DATA)
    assert "estimators[1]" in found.value.__notes__[0]
    assert good.n_iter_ > 0 and better.n_iter_ > 0 and not hasattr(bad, "n_iter_")


def test_warnings_are_those_of_fit_and_point_here():
    for estimators in (seeds(3, max_iter=2, power_t=0.2, batch_size=100), seeds(2, max_iter=2)):
        with warnings.catch_warnings(record=True) as expected:
            warnings.simplefilter("always")
            for each in estimators:
                clone(each).fit(*DATA)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            fit_side_by_side(estimators, *DATA)
        texts = [sorted(str(each.message) for each in some) for some in (found, expected)]
        assert texts[0] == texts[1]
        assert {each.filename for each in found} == {__file__}
        assert any(each.category is ConvergenceWarning for each in found)


def test_interrupt_keeps_the_weights_so_far(monkeypatch):
    from sknumpynet.fitting.monitor import Monitor

    epoch_done, calls = Monitor.epoch_done, []

    def interrupted(self, *args):
        calls.append(1)
        if len(calls) == 8:  # the second member of the third epoch
            raise KeyboardInterrupt
        return epoch_done(self, *args)

    monkeypatch.setattr(Monitor, "epoch_done", interrupted)
    three = seeds(3)
    with pytest.warns(UserWarning, match="interrupted by user"):
        fit_side_by_side(three, *DATA)
    assert [each.n_iter_ for each in three] == [3, 2, 2]
    calls.clear()
    others = seeds(3) + seeds(1, solver="lbfgs")
    with pytest.warns(UserWarning, match="interrupted"), pytest.raises(KeyboardInterrupt):
        fit_side_by_side(others, *DATA)
    assert others[0].n_iter_ == 3 and not hasattr(others[3], "n_iter_")
