"""The estimators for tables: predictions, out-of-fold results, and conventions."""

import pickle
import warnings

import numpy as np
import pytest

pd = pytest.importorskip("pandas")
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.metrics import accuracy_score, mean_poisson_deviance, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    LeaveOneGroupOut,
    ShuffleSplit,
    TimeSeriesSplit,
    cross_validate,
)
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from sknumpynet.core.losses import HalfGamma, HalfPoisson
from sknumpynet.tabular import TabularMLPClassifier, TabularMLPRegressor, base, recipe
from sknumpynet.tabular.objectives import Objective
from sknumpynet.tabular.recipe import Recipe, bump, enough, flat_cos
from tabular.tables import QUICK, messy

MEDIUM = {"n_cycles": 2, "hidden_layer_sizes": (32, 32), "n_frequencies": 8, "random_state": 0}
CHECKED = {**QUICK, "numeric_embedding": False, "hidden_layer_sizes": (16, 16), "first_cycle": 20}
EQUIVALENCE = (
    "folds and batches are drawn by rows, as in HistGradientBoosting: weights are not repetitions"
)


@parametrize_with_checks(
    [TabularMLPClassifier(**CHECKED), TabularMLPRegressor(**CHECKED)],
    expected_failed_checks=lambda estimator: {
        "check_sample_weight_equivalence_on_dense_data": EQUIVALENCE,
    },
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def wave(n=400, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2, 2, size=(n, 3))
    return X, np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.2 * rng.normal(size=n)


@pytest.fixture(scope="module")
def waves():
    X, y = wave()
    return TabularMLPRegressor(**MEDIUM).fit(X, y), X, y, *wave(2000, 1)


@pytest.fixture(scope="module")
def kinds():
    X, labels, _ = messy(300)
    return TabularMLPClassifier(**MEDIUM).fit(X, labels), X, labels


def test_learns_an_exact_function(waves, kinds):
    model, _, _, X, y = waves
    assert model.score(X, y) > 0.93  # the noise leaves at most 0.98
    model, *_ = kinds
    X_new, new, _ = messy(1000, 1)
    assert model.score(X_new, new) > 0.93


def test_out_of_fold_scores_are_those_of_new_rows(waves, kinds):
    model, _, y_fit, X, y = waves
    assert_allclose(model.oof_score_, r2_score(y_fit, model.oof_predictions_))
    assert abs(model.oof_score_ - model.score(X, y)) < 0.05
    model, X, labels = kinds
    assert model.oof_predictions_.shape == (300, 2)
    found = model.classes_[model.oof_predictions_.argmax(axis=1)]
    assert_allclose(model.oof_score_, accuracy_score(labels, found))
    X_new, new, _ = messy(1000, 1)
    assert abs(model.oof_score_ - model.score(X_new, new)) < 0.06


@pytest.mark.parametrize("quality", ["fast", "best"])
def test_labels_drawn_at_random_are_out_of_fold_at_chance(quality):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=600), "id": rng.integers(0, 200, 600).astype(str)})
    y = rng.random(600) < 0.5
    options = {"n_cycles": 1, "first_cycle": 60, "hidden_layer_sizes": (32, 32), "dropout": 0.0}
    model = TabularMLPClassifier(quality=quality, random_state=0, **options).fit(X, y)
    assert model.score(X, y) > 0.55  # overfitted
    assert abs(model.oof_score_ - 0.5) < 3 * np.sqrt(0.25 / 600)


def test_the_same_seed_gives_the_same_bits_cloned_pickled_and_on_threads():
    X, labels, _ = messy(150)
    model = TabularMLPClassifier(**{**QUICK, "n_cycles": 2}).fit(X, labels)
    expected = model.predict_proba(X)
    assert expected.dtype == np.float64
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), expected)
    again = clone(model).set_params(n_jobs=2).fit(X, labels)
    assert_array_equal(again.predict_proba(X), expected)
    assert_array_equal(again.oof_predictions_, model.oof_predictions_)
    assert_array_equal(model.predict_proba(X.iloc[7:9]), expected[7:9])
    other = clone(model).set_params(random_state=1).fit(X, labels)
    assert np.abs(other.predict_proba(X) - expected).max() > 1e-6


def test_what_is_predicted_does_not_depend_on_the_place_of_a_row(waves):
    model, _, _, X, _ = waves
    expected, order = model.predict(X), np.random.default_rng(0).permutation(len(X))
    assert_array_equal(model.predict(X[order]), expected[order])
    assert_array_equal(
        np.concatenate([model.predict(X[i : i + 7]) for i in range(0, 70, 7)]), expected[:70]
    )
    both = model.predict(X, return_std=True)
    alone = [model.predict(X[i : i + 1], return_std=True) for i in range(40)]
    assert_array_equal(np.concatenate(alone, axis=1), np.array(both)[:, :40])


def test_blas_uses_one_thread_while_it_fits_and_as_many_as_before_after(monkeypatch):
    from threadpoolctl import threadpool_info, threadpool_limits

    def n_blas():
        return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}

    inside = []

    def watched(group, *args):
        inside.append(n_blas())
        return train(group, *args)

    train = recipe.Group.train_cycle
    monkeypatch.setattr(recipe.Group, "train_cycle", watched)
    X, y = wave(60)
    with threadpool_limits(2, "blas"):
        before = n_blas()
        TabularMLPRegressor(**QUICK).fit(X, y).predict(X)
        assert n_blas() == before
    assert all(each == {1} for each in inside)


def test_any_scale_of_targets_and_numbers():
    X, y = wave(200)
    expected = TabularMLPRegressor(**QUICK).fit(X, y).predict(X)
    found = (
        TabularMLPRegressor(**QUICK).fit(X * 2.0**40, y * 2.0**60 + 2.0**59).predict(X * 2.0**40)
    )
    assert_allclose((found - 2.0**59) / 2.0**60, expected, rtol=1e-3, atol=1e-3)


def test_any_labels():
    X, y = wave(150)
    numbers = TabularMLPClassifier(**QUICK).fit(X, (y > 0).astype(int))
    for labels in (y > 0, np.where(y > 0, "b", "a"), np.where(y > 0, 7.0, -1.0)):
        model = TabularMLPClassifier(**QUICK).fit(X, labels)
        assert_array_equal(model.predict_proba(X), numbers.predict_proba(X))
        assert model.predict(X).dtype == np.asarray(labels).dtype


def test_several_targets_in_one_network():
    X, y = wave(300)
    Y = np.column_stack([y, -2 * y])
    model = TabularMLPRegressor(n_cycles=1, random_state=0).fit(X, Y)
    assert model.predict(X).shape == Y.shape == model.oof_predictions_.shape
    assert model.score(X, Y) > 0.6
    assert TabularMLPRegressor(**QUICK).fit(X, y[:, np.newaxis]).predict(X).shape == (300, 1)
    with pytest.raises(ValueError, match="one target"):
        model.predict_interval(X)


def test_several_labels_are_refused_and_the_advice_works():
    X, y = wave(60)
    Y = np.column_stack([y > 0, y > 1])
    model = TabularMLPClassifier(**QUICK)
    with pytest.raises(
        ValueError, match=r"1d array of labels; got 2 columns.*MultiOutputClassifier"
    ):
        model.fit(X, Y)
    several = MultiOutputClassifier(model).fit(X, Y)
    for column, predicted in zip(Y.T, several.predict(X).T):
        assert_array_equal(predicted, model.fit(X, column).predict(X))


def test_spread_of_members(waves):
    model, _, _, X, _ = waves
    y, std = model.predict(X, return_std=True)
    assert_array_equal(y, model.predict(X))
    assert y.shape == std.shape and (std > 0).all()
    _, far = model.predict(X * 3, return_std=True)
    assert far.mean() > 2 * std.mean()  # members disagree where they have seen nothing


@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_intervals_cover(waves, coverage):
    model, _, _, X, y = waves
    low, high = model.predict_interval(X, coverage=coverage).T
    assert_allclose((low + high) / 2, model.predict(X))
    assert abs(np.mean((low <= y) & (y <= high)) - coverage) < 0.05


@pytest.mark.parametrize("coverage", [0, 1, 90, "0.9", None])
def test_coverage_is_a_share(waves, coverage):
    with pytest.raises(ValueError, match=r"coverage must lie in \(0, 1\)"):
        waves[0].predict_interval(waves[1], coverage=coverage)


def test_a_coverage_that_the_rows_cannot_tell_is_warned_of():
    X, y = wave(99)
    model = TabularMLPRegressor(**QUICK).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        low, high = model.predict_interval(X, coverage=0.99).T
    assert_allclose((high - low) / 2, np.abs(model.oof_errors_[0]).max())
    message = (
        r"coverage=0.995 is more than 99 out-of-fold errors can tell.*covers some 99.00%. "
        r"Give a coverage of at most 0.99, or fit at least 199 rows"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        wider = model.predict_interval(X, coverage=0.995)
    assert_array_equal(wider, np.column_stack([low, high]))
    assert [each.filename for each in caught] == [__file__]
    # a tenth of the rows has nearly all of the weight
    model.fit(X, y, sample_weight=np.where(np.arange(99) < 9, 1.0, 1e-6))
    with pytest.warns(UserWarning, match=r"99 out-of-fold errors, as weighted worth 9, can tell"):
        model.predict_interval(X, coverage=0.95)


def test_quantiles_that_the_rows_cannot_tell_are_warned_of():
    X, y = wave(99)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TabularMLPRegressor("quantile", quantile=[0.01, 0.99], **QUICK).fit(X, y)
    message = r"quantile=0.001 is too extreme for 99 rows.*one from 0.01 to 0.99, .* 999 rows"
    with pytest.warns(UserWarning, match=message):
        TabularMLPRegressor("quantile", quantile=[0.001, 0.5, 0.995], **QUICK).fit(X, y)


def test_intervals_around_another_quantile_than_the_median_are_warned_of():
    X, y = wave(99)
    for quantile in (0.5, [0.05, 0.5, 0.95]):
        model = TabularMLPRegressor("quantile", quantile=quantile, **QUICK).fit(X, y)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.predict_interval(X)
    for quantile, centre in ((0.9, 0.9), ([0.05, 0.9], 0.9)):
        model = TabularMLPRegressor("quantile", quantile=quantile, **QUICK).fit(X, y)
        with pytest.warns(UserWarning, match=f"centred at the {centre} quantile.*has no 0.5"):
            low, high = model.predict_interval(X).T
        assert_allclose((low + high) / 2, model.predict(X).reshape(99, -1)[:, -1])


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_intervals_of_counts_and_amounts_are_not_below_zero_and_grow(loss):
    def draw(n, seed):
        rng = np.random.default_rng(seed)
        X = rng.uniform(-1, 1, size=(n, 2))
        mean = np.exp(1 + 2 * X[:, 0])
        return X, rng.poisson(mean) if loss == "poisson" else rng.gamma(4, mean / 4)

    X, y = draw(600, 0)
    model = TabularMLPRegressor(loss, **MEDIUM).fit(X, y)
    X_new, new = draw(4000, 1)
    low, high = model.predict_interval(X_new, coverage=0.8).T
    assert low.min() >= 0
    inside = (low <= new) & (new <= high)
    predicted = model.predict(X_new)
    for part in np.array_split(np.argsort(predicted), 3):  # one width for all: .98 and .6
        assert abs(inside[part].mean() - 0.8) < 0.12
    power = 0.5 if loss == "poisson" else 1
    both = low > 0
    assert_allclose(
        (high - low)[both] / predicted[both] ** power,
        np.ptp([low[both][0], high[both][0]]) / predicted[both][0] ** power,
    )


def test_quantiles_are_sorted_and_hold_their_share():
    X, y = wave(600)
    levels = [0.1, 0.5, 0.9]
    model = TabularMLPRegressor(loss="quantile", quantile=levels, **MEDIUM).fit(X, y)
    X_new, new = wave(3000, 1)
    found = model.predict(X_new)
    assert found.shape == (3000, 3) and (np.diff(found, axis=1) >= 0).all()
    assert_allclose((new[:, np.newaxis] <= found).mean(axis=0), levels, atol=0.06)
    one = TabularMLPRegressor(loss="quantile", quantile=0.9, **MEDIUM).fit(X, y)
    assert one.predict(X_new).shape == (3000,)
    assert abs((new <= one.predict(X_new)).mean() - 0.9) < 0.06


def test_several_quantiles_are_scored_by_the_middle_one():
    X, y = wave()
    bands = TabularMLPRegressor(loss="quantile", quantile=[0.1, 0.4, 0.95], scoring="r2", **QUICK)
    bands.fit(X, y)
    assert bands.score(X, y) == r2_score(y, bands.predict(X)[:, 1])
    assert bands.oof_score_ == r2_score(y, bands.oof_predictions_[:, 1])


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
@pytest.mark.parametrize("n", [300, 1500])
def test_with_the_log_link_predictions_have_the_mean_of_y(loss, n):
    ratios = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n + 5000, 6))
        mean = np.exp(0.6 * np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] / 4 + 0.3 * X[:, 3]) / 2
        y = rng.poisson(mean) if loss == "poisson" else rng.gamma(2, mean / 2)
        model = TabularMLPRegressor(loss, random_state=seed, n_cycles=2).fit(X[:n], y[:n])
        assert_allclose(model.oof_predictions_.mean(), y[:n].mean(), rtol=1e-3)
        y_new = mean[n:].mean() * y[:n].mean() / mean[:n].mean()  # were the rows of fit typical
        ratios.append(model.predict(X[n:]).mean() / y_new)
    assert abs(np.mean(ratios) - 1) < 0.02


def test_the_mean_of_y_is_that_of_weighted_rows_of_each_target_and_of_validation_data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = rng.poisson(np.exp(X[:, :2] / 2) * [1, 10])
    weight = rng.integers(0, 3, size=400)
    model = TabularMLPRegressor("poisson", **QUICK).fit(X, y, weight)
    found = np.average(model.oof_predictions_, axis=0, weights=weight)
    assert_allclose(found, np.average(y, axis=0, weights=weight), rtol=1e-3)
    model.fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    assert_allclose(model.predict(X[200:]).mean(axis=0), y[200:].mean(axis=0), rtol=1e-3)


@pytest.mark.parametrize("loss", ["poisson", "gamma", "absolute_error"])
def test_other_losses(loss):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(500, 2))
    mean = 1e4 * np.exp(X[:, 0] + X[:, 1])
    y = {"poisson": rng.poisson(mean / 1e3), "gamma": rng.gamma(5, mean / 5)}.get(loss, mean)
    model = TabularMLPRegressor(loss, **MEDIUM).fit(X, y)
    mean = mean / 1e3 if loss == "poisson" else mean
    assert r2_score(mean, model.predict(X)) > 0.8
    if loss != "absolute_error":
        with pytest.raises(ValueError, match=f"loss='{loss}' needs y"):
            TabularMLPRegressor(loss).fit(X, -y)


def test_predictions_stay_within_the_range_of_fit_unless_told_otherwise(waves):
    model, X, y, *_ = waves
    far = np.random.default_rng(0).uniform(-50, 50, size=(500, 3))
    found = model.predict(far)
    assert found.min() >= y.min() and found.max() <= y.max()
    unclipped = clone(model).set_params(clip_target=False, n_cycles=1).fit(X, y)
    assert np.ptp(unclipped.predict(far)) > np.ptp(found) or unclipped.predict(far).max() > y.max()


def test_rows_of_weight_zero_fit_nothing():
    X, y = wave(200)
    weight = np.ones(200)
    weight[::4] = 0
    weighted = TabularMLPRegressor(**QUICK).fit(X, y, sample_weight=weight)
    found = TabularMLPRegressor(**QUICK).fit(X, np.where(weight > 0, y, -y), sample_weight=weight)
    assert abs(weighted.oof_score_ - found.oof_score_) < 0.2
    assert weighted.oof_predictions_.shape == (200,)
    assert np.abs(weighted.oof_predictions_[::4]).max() < 1e3


@pytest.mark.parametrize("loss", ["squared_error", "gamma"])
def test_targets_of_rows_of_weight_zero_may_be_anything(loss):
    X, y = wave()
    y = np.exp(y / 2)
    weight = np.ones(len(y))
    weight[::4] = 0
    wild = np.where(weight == 0, 1e9, y)
    model = TabularMLPRegressor(loss, **QUICK).fit(X, y, weight)
    other = TabularMLPRegressor(loss, **QUICK).fit(X, wild, weight)
    assert_array_equal(other.predict(X), model.predict(X))
    assert other.oof_score_ == model.oof_score_


def test_the_scale_of_targets_is_that_of_weighted_rows():
    X, y = wave()
    weight = np.ones(len(y))
    weight[::4] = 1e-12
    wild = np.where(weight < 1, 1e6, y)
    model = TabularMLPRegressor(**{**MEDIUM, "clip_target": False}).fit(X, wild, weight)
    assert r2_score(y, model.predict(X)) > 0.5


def test_weights_of_classes_raise_the_rare_one():
    X, y = wave(600)
    rare = y > np.quantile(y, 0.9)
    plain = TabularMLPClassifier(n_cycles=1, random_state=0).fit(X, rare)
    balanced = clone(plain).set_params(class_weight="balanced").fit(X, rare)
    assert balanced.predict(X).mean() > plain.predict(X).mean()


def test_validation_data_take_the_part_of_the_folds():
    X, y = wave(300)
    model = TabularMLPRegressor(**QUICK).fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    assert not hasattr(model, "oof_score_") and not hasattr(model, "oof_predictions_")
    with pytest.raises(ValueError, match="fit without X_val"):
        model.predict_interval(X)
    labels = TabularMLPClassifier(**QUICK)
    labels.fit(X[:200], y[:200] > 0, X_val=X[200:], y_val=y[200:] > 0)
    assert labels.predict(X).shape == (300,)
    with pytest.raises(ValueError, match="y_val has classes that are not in y"):
        labels.fit(X[:200], np.zeros(200), X_val=X[200:], y_val=np.ones(100))


def test_rows_of_one_group_go_into_one_fold():
    # y is a number of the group, x a noisy name of it: whoever has seen the group knows y
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 10)
    X = rng.normal(size=(40, 3))[groups]
    y = rng.normal(size=40)[groups]
    leaking = TabularMLPRegressor(**MEDIUM).fit(X, y)
    honest = TabularMLPRegressor(**MEDIUM).fit(X, y, groups=groups)
    assert leaking.oof_score_ > 0.7 and honest.oof_score_ < 0.3
    by_name = TabularMLPRegressor(cv=LeaveOneGroupOut(), **QUICK).fit(X, y, groups=groups // 10)
    assert by_name.n_members_ == 16  # 4 folds


@pytest.mark.parametrize("cv", [TimeSeriesSplit(3), ShuffleSplit(3)], ids=["time", "shuffle"])
def test_splitters_that_are_no_partition_are_refused(cv):
    X, y = wave(60)
    with pytest.raises(ValueError, match=r"cv must be a partition.*X_val"):
        TabularMLPRegressor(cv=cv, **QUICK).fit(X, y)


def test_numbers_of_folds_and_members():
    X, y = wave(60)
    assert TabularMLPRegressor(cv=KFold(3), **QUICK).fit(X, y).n_members_ == 18
    assert TabularMLPRegressor(cv=4, n_members=4, **QUICK).fit(X, y).n_members_ == 4
    with pytest.raises(ValueError, match=r"multiple of the number of folds, 4.*Give 8"):
        TabularMLPRegressor(cv=4, n_members=6, **QUICK).fit(X, y)
    with pytest.raises(ValueError, match="cv=61 must be a number of folds from 2 to 60"):
        TabularMLPRegressor(cv=61, **QUICK).fit(X, y)


def test_scoring_is_what_stops_and_selects():
    X, y = wave(200)
    model = TabularMLPRegressor(scoring="neg_mean_absolute_error", **QUICK).fit(X, y)
    last = int(np.argmax(model.snapshot_weights_))
    assert model.history_["loss"][last] > 0
    classes = TabularMLPClassifier(scoring="roc_auc", **QUICK).fit(X, y > 0)
    assert -1 <= classes.history_["loss"][0] <= 0
    with pytest.raises(ValueError):
        TabularMLPRegressor(scoring="no_such_score", **QUICK).fit(X, y)


def test_scores_that_are_no_numbers_are_left_aside_and_said():
    X, y = wave(120)
    calls = iter(range(1000))

    def first_only(estimator, X, y):
        return np.nan if next(calls) % 2 else 1.0

    with pytest.warns(UserWarning, match="scoring gave NaN.*scoring=None"):
        model = TabularMLPRegressor(
            **{**QUICK, "numeric_embedding": False, "n_cycles": 2}, scoring=lambda *_: np.nan
        ).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    with pytest.warns(UserWarning, match="scoring gave NaN"):
        TabularMLPRegressor(**QUICK, scoring=first_only).fit(X, y)


@pytest.mark.parametrize("cls", [TabularMLPClassifier, TabularMLPRegressor])
@pytest.mark.parametrize("option", ["learning_rate", "weight_decay"])
@pytest.mark.parametrize("validated", [False, True], ids=["folds", "validation"])
def test_divergence_raises_and_leaves_what_there_was(cls, option, validated):
    X, y = wave(120)
    y = y > 0
    model = cls(**QUICK).fit(X, y)
    before = model.predict(X)
    model.set_params(**{option: 1e30})
    data = {"X_val": X, "y_val": y} if validated else {}
    with pytest.raises(ValueError, match=r"diverged in cycle 1: .*lower learning_rate"):
        model.fit(X, y, **data)
    assert_array_equal(model.predict(X), before)


@pytest.mark.parametrize(
    "class_weight, says",
    [
        ({0: -1, 1: 1}, "weight -1 for 0"),
        ({0: np.nan}, "weight nan for 0"),
        ({0: None, 1: 1}, "weight None for 0"),
        ({0: 0, 1: 0}, "leaves no class a weight"),
        ({"0": 1}, "its keys are labels, such as 0"),
        ({7: 1}, "names no label of y"),
    ],
)
def test_invalid_class_weights_are_named(class_weight, says):
    X, y = wave(60)
    with pytest.raises(ValueError, match=f"class_weight.*{says}"):
        TabularMLPClassifier(class_weight=class_weight, **QUICK).fit(X, (y > 0).astype(int))


@pytest.mark.parametrize("loss, smallest", [("poisson", -1.0), ("gamma", 0.0)])
def test_targets_of_validation_rows_are_checked_by_the_loss_too(loss, smallest):
    X, y = wave(120)
    y = np.exp(y)
    y[110] = smallest
    with pytest.raises(ValueError, match=f"{loss}.* needs y_val .*smallest y_val is {smallest}"):
        TabularMLPRegressor(loss=loss, **QUICK).fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])


def test_counts_are_learned_from_their_mean_on():
    # exp(raw) of first weights like those of other losses was far off, and infinite for some members
    rng = np.random.default_rng(1)
    x = rng.normal(size=(800, 1))
    counts = rng.poisson(np.exp(0.8 * x[:, 0]))
    model = TabularMLPRegressor(loss="poisson", n_cycles=1, random_state=1).fit(x, counts)
    new = rng.normal(size=(2000, 1))
    rate = np.exp(0.8 * new[:, 0])
    y = rng.poisson(rate)
    found = np.maximum(model.predict(new), 1e-3)
    assert mean_poisson_deviance(y, found) < mean_poisson_deviance(y, rate) + 0.05


@pytest.mark.parametrize("loss", [HalfPoisson(), HalfGamma()], ids=["poisson", "gamma"])
def test_a_step_stays_finite_where_the_log_link_overflows(loss):
    raw = np.array([[[200.0], [-200.0], [0.0]]], np.float32)
    delta, scratch = np.empty_like(raw), np.empty_like(raw)
    with np.errstate(over="ignore"):
        Objective(loss, 1, False).write_delta(np.ones((3, 1), np.float32), raw, delta, scratch)
    assert np.isfinite(delta**2).all() and delta[0, 2, 0] == 0
    assert np.abs(delta).max() == 1e6


def test_messages_about_validation_targets_name_these():
    X, y = wave(60)
    known = {"X_val": X, "y_val": np.full(60, np.nan)}
    with pytest.raises(ValueError, match=r"Input y_val contains NaN.*X_val\[keep\]"):
        TabularMLPRegressor(**QUICK).fit(X, y, **known)
    with pytest.raises(ValueError, match="Input y_val contains NaN"):
        TabularMLPClassifier(**QUICK).fit(X, y > 0, **known)


def test_max_time_ends_after_a_cycle():
    X, y = wave(100)
    model = TabularMLPRegressor(max_time=1e-9, random_state=0).fit(X, y)
    assert model.stop_reason_ == "max_time"
    assert max(model.history_["cycle"]) == 1


def test_an_interrupt_keeps_what_there_is(monkeypatch):
    X, y = wave(100)
    calls = []

    def interrupted(group, *args):
        calls.append(group)
        if len(calls) > 5:
            raise KeyboardInterrupt
        return train(group, *args)

    train = recipe.Group.train_cycle
    monkeypatch.setattr(recipe.Group, "train_cycle", interrupted)
    model = TabularMLPRegressor(first_cycle=1, random_state=0)
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.fit(X, y)
    assert model.stop_reason_ == "interrupted" and model.predict(X).shape == (100,)
    calls.extend(range(10))
    with pytest.raises(KeyboardInterrupt):
        clone(model).fit(X, y)


def test_rates_and_reasons_to_stop():
    t = np.linspace(0, 1, 101)
    rate = np.array([bump(each) for each in t])
    assert_allclose(rate[[0, 50, 100]], [0, 1, 0], atol=1e-12)
    assert_allclose(
        [flat_cos(each) for each in (0, 0.3, 0.5, 0.75, 1)], [1, 1, 1, 0.5, 0], atol=1e-12
    )

    def after(*criteria):
        class One:
            def __init__(self, criterion):
                self.criterion = criterion

        return enough([One(each) for each in criteria], Recipe(n_cycles=3))

    assert after(1.0) == ""
    assert after(1.0, 0.9) == ""
    assert after(1.0, 0.995) == "no improvement"
    assert after(1.0, 1.1) == "no improvement"
    assert after(1.0, 0.9, 0.87) == "n_cycles"
    assert after(1.0, 0.9, 0.8) == ""
    assert after(1.0, 0.9, 0.8, 0.5) == "n_cycles"


def test_in_pipelines_and_searches():
    X, labels, _ = messy(100)
    pipeline = make_pipeline(FunctionTransformer(), TabularMLPClassifier(**QUICK))
    search = GridSearchCV(pipeline, {"tabularmlpclassifier__dropout": [0.0, 0.5]}, cv=2).fit(
        X, labels
    )
    assert search.predict(X).shape == (100,)


def test_groups_are_routed_through_cross_validation():
    X, y = wave(120)
    groups = np.arange(120) // 3
    with config_context(enable_metadata_routing=True):
        model = TabularMLPRegressor(**QUICK).set_fit_request(groups=True)
        scores = cross_validate(model, X, y, cv=2, params={"groups": groups}, return_estimator=True)
    with pytest.raises(ValueError, match="there is 1 group"):  # they do arrive
        with config_context(enable_metadata_routing=True):
            cross_validate(model, X, y, params={"groups": groups * 0}, error_score="raise")
    assert len(scores["estimator"]) == 2


def test_a_pickle_is_small():
    X = np.random.default_rng(0).normal(size=(600, 20))
    model = TabularMLPClassifier(n_cycles=2, first_cycle=1, random_state=0).fit(X, X[:, 0] > 0)
    full = len(pickle.dumps(model))
    model.trim_for_prediction()
    assert not hasattr(model, "oof_predictions_")
    assert len(pickle.dumps(model)) < min(full, 3e6)


@pytest.mark.parametrize(
    "option, value",
    [
        ("quality", "good"),
        ("n_members", 0),
        ("dropout", 1.0),
        ("hidden_layer_sizes", ()),
        ("hidden_layer_sizes", (8.5,)),
        ("hidden_layer_sizes", ("wide",)),
        ("cv", "five"),
        ("dtype", "half"),
    ],
)
def test_wrong_parameters_are_named(option, value):
    X, y = wave(60)
    with pytest.raises((ValueError, TypeError), match=option):
        TabularMLPRegressor(**{**QUICK, option: value}).fit(X, y)


def test_more_frequencies_for_float64(waves):
    _, X, y, *_ = waves
    single, double = (
        TabularMLPRegressor(dtype=dtype, **QUICK).fit(X, y) for dtype in ("float32", "float64")
    )
    assert_allclose(single.predict(X), double.predict(X), atol=0.05)


def test_many_rows_have_fewer_members_and_folds(monkeypatch):
    monkeypatch.setattr(base, "FEWER_MEMBERS", ((400, 4), (300, 6)))
    X, y = wave(400)
    found = [TabularMLPRegressor(**QUICK).fit(X[:n], y[:n]).n_members_ for n in (299, 300, 400)]
    assert found == [16, 6, 4]
    assert TabularMLPRegressor(quality="best", **QUICK).fit(X, y).n_members_ == 16
    assert TabularMLPRegressor(cv=8, **QUICK).fit(X, y).n_members_ == 8
    validated = TabularMLPRegressor(**QUICK).fit(X, y, X_val=X, y_val=y)
    assert validated.n_members_ == 4
