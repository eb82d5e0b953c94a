# SPDX-License-Identifier: BSD-3-Clause
"""The parameters of the recipe: each one has an effect, and invalid values are named."""

import inspect
import threading

import numpy as np
import pytest

pd = pytest.importorskip("pandas")
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet.core.losses import SquaredError
from sknumpynet.tabular import TabularMLPClassifier, TabularMLPRegressor
from sknumpynet.tabular.objectives import Objective
from sknumpynet.tabular.pack import Shape
from sknumpynet.tabular.recipe import Group, Recipe, Rows, Snapshot, greedy_weights
from tabular.tables import QUICK

BOTH = [TabularMLPClassifier, TabularMLPRegressor]
rng = np.random.default_rng(0)
N = 120
X = pd.DataFrame(
    {
        "a": rng.normal(size=N),
        "b": rng.exponential(size=N),
        "level": rng.choice(list("abcdefgh"), N, p=[0.3, 0.3, 0.3, 0.02, 0.02, 0.02, 0.02, 0.02]),
    }
)
Y = np.sin(3 * X["a"].to_numpy()) + X["b"].to_numpy() * (X["level"] == "a")
# 4 members of 4 folds; three cycles, so that there is something to stop and to choose from
BASE = {**QUICK, "cv": 4, "n_members": 4, "n_cycles": 3, "max_levels": 6}
MANY = {"max_levels": 2}  # so that mean targets take part
OTHER = {
    "min_level_rows": (1, {}),
    "prior_rows": (100.0, MANY),
    "input_clip": (1.0, {}),
    "frequency_spread": (0.1, {}),
    "n_embedded": (1, {}),
    "max_embedded": (1, {}),
    "embedding_margins": ((10.0,), {"least_gain": 0.0}),
    "beta_1": (0.5, {}),
    "beta_2": (0.999, {}),
    "epsilon": (0.1, {}),
    "bias_rate_factor": (1.0, {}),
    "embedding_rate_factor": (1.0, {}),
    "scale_rate_factor": (1.0, {}),
    "min_steps": (40, {"first_cycle": "auto"}),
    "least_gain": (0.9, {}),
    "extra_cycle_gain": (0.0, {"least_gain": 0.0, "n_cycles": 2}),
    "n_picks": (1, {"first_cycle": 12}),
    "snapshot_gain": (10.0, {"first_cycle": 12}),
    "paired_share": (1.0, {}),
}


@pytest.mark.parametrize(
    "name", sorted({*OTHER} - {"embedding_margins", "n_picks", "snapshot_gain"})
)
def test_each_number_arrives(name):
    value, options = OTHER[name]
    options = {**BASE, **options}
    one = TabularMLPRegressor(**options).fit(X, Y)
    other = TabularMLPRegressor(**{**options, name: value}).fit(X, Y)
    assert np.abs(one.oof_predictions_ - other.oof_predictions_).max() > 1e-6


def test_margins_say_how_long_both_kinds_are_trained():
    for margins, n_of_the_worse in (((10.0,), 4), ((10.0, 0.0), 2), ((0.0,), 1)):
        model = TabularMLPRegressor(**{**BASE, "embedding_margins": margins}).fit(X, Y)
        kinds = model.history_["numeric_embedding"]
        assert min(sum(kinds), len(kinds) - sum(kinds)) == n_of_the_worse


def test_weights_are_shares_of_the_picks():
    y = np.zeros((10, 1))
    rows = Rows(y, y, np.ones(10), np.arange(10) % 2)
    above, below = (Snapshot(None, np.full((1, 10, 1), each), 0, 0, 1, 0.0) for each in (2.0, -1.0))
    objective = Objective(SquaredError(), 1, False)
    for n_picks, expected in ((1, [0, 1]), (2, [0.5, 0.5]), (3, [1 / 3, 2 / 3])):
        found = greedy_weights([above, below], rows, objective, n_picks, 2)
        assert_allclose(found, expected)
    # the second one takes three quarters off the loss of the first
    for gain, expected in ((0.7, [0.5, 0.5]), (0.8, [0, 1])):
        assert_allclose(greedy_weights([above, below], rows, objective, 2, 2, gain), expected)


@pytest.mark.parametrize("cls", BOTH)
def test_both_estimators_pass_every_number_on(cls, monkeypatch):
    found = {}

    def kept(rows, unseen, objective, recipe, *args, **kwargs):
        found.update(vars(recipe))
        raise KeyError("enough")

    monkeypatch.setattr("sknumpynet.tabular.base.fit_recipe", kept)
    names = {name for name in OTHER if name in vars(Recipe())}
    for name in names:
        with pytest.raises(KeyError, match="enough"):
            cls(**{**BASE, name: OTHER[name][0]}).fit(X, Y > 0)
        assert found[name] == OTHER[name][0]
    assert len(names) == 15


def test_many_classes_take_wider_layers():
    auto = {**BASE, "hidden_layer_sizes": "auto", "first_cycle": 1, "n_cycles": 1}
    for n_classes, width in ((19, 64), (20, 96)):
        y = np.arange(len(X)) % n_classes
        model = TabularMLPClassifier(**auto).fit(X, y)
        assert model.ensemble_.packs[0].shape.hidden == (width,) * 3
    many_targets = np.tile(np.asarray(Y)[:, np.newaxis], (1, 20))
    model = TabularMLPRegressor(**auto).fit(X, many_targets)
    assert model.ensemble_.packs[0].shape.hidden == (64,) * 3


def test_defaults_are_those_of_the_recipe():
    for cls in BOTH:
        defaults = {
            name: each.default
            for name, each in inspect.signature(cls.__init__).parameters.items()
            if name in OTHER
        }
        assert set(defaults) == set(OTHER)
        for name, value in vars(Recipe()).items():
            assert defaults.get(name, value) == value


def test_none_of_the_rows_hidden_from_two_is_one_prediction_a_row():
    options = {"paired_share": 0.0, "n_cycles": 1, "numeric_embedding": True, "clip_target": False}
    model = TabularMLPRegressor(**{**BASE, **options}).fit(X, Y)
    error = np.mean((model.oof_predictions_ - Y) ** 2) / np.var(Y)
    assert_allclose(model.history_["loss"], error / 2, rtol=1e-7)


def test_never_one_cycle_more():
    options = {**BASE, "n_cycles": 2, "least_gain": 0.0, "extra_cycle_gain": np.inf}
    assert max(TabularMLPRegressor(**options).fit(X, Y).history_["cycle"]) <= 2


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize(
    "name, value",
    [
        ("min_level_rows", 0),
        ("prior_rows", 0.0),
        ("input_clip", -1.0),
        ("frequency_spread", -0.1),
        ("n_embedded", 0),
        ("max_embedded", -1),
        ("embedding_margins", ()),
        ("embedding_margins", (0.3, -0.1)),
        ("embedding_margins", (0.3, np.nan)),
        ("embedding_margins", "wide"),
        ("embedding_margins", ["wide"]),
        ("embedding_margins", 0.3),
        ("beta_1", 1.0),
        ("beta_2", -0.1),
        ("epsilon", 0.0),
        ("bias_rate_factor", -1.0),
        ("embedding_rate_factor", "half"),
        ("scale_rate_factor", None),
        ("min_steps", 0),
        ("least_gain", -0.01),
        ("extra_cycle_gain", -0.01),
        ("n_picks", 0),
        ("snapshot_gain", -0.1),
        ("paired_share", 1.5),
    ],
)
def test_what_will_not_do_is_named(cls, name, value):
    with pytest.raises(ValueError, match=name):
        cls(**{**BASE, name: value}).fit(X, Y > 0)


def test_share_without_rows_is_skipped():
    small = TabularMLPRegressor(**{**BASE, "paired_share": 1e-9}).fit(X, Y)
    none = TabularMLPRegressor(**{**BASE, "paired_share": 0.0}).fit(X, Y)
    assert_array_equal(small.predict(X), none.predict(X))


@pytest.mark.parametrize(
    ("blind", "batch_size", "n_batches", "unseen"),
    [([1], 8, 4, {0}), ([0, 1], 8, 6, {14}), ([1], 40, 1, set(range(6, 15)))],
    ids=["alone", "two", "too few rows"],
)
def test_a_member_alone_is_spared_the_rows_that_it_is_blind_to(
    blind, batch_size, n_batches, unseen
):
    # 12 of 48 rows are in fold 1 and 2 in the second fold 1: 34 make 4 batches of 8, and none of 40
    rows_of = np.arange(48)
    second = np.where(rows_of < 8, (rows_of + 1) % 4, -1)
    x = np.random.default_rng(0).normal(size=(48, 3)).astype(np.float32)
    rows = Rows(x, x[:, :1], np.ones(48), rows_of % 4, second)
    recipe, shape = Recipe(hidden=(4,), batch_size=batch_size), Shape(0, 3, 1, (4,))
    group = Group(rows, Objective(SquaredError(), 1, False), recipe, shape, np.array(blind), 0)
    given = []
    group.step = lambda x, own, y, seen, rate, regularize: given.append(seen[-1].copy())
    group.train_cycle(1, 0, threading.Event())
    assert [len(seen) for seen in given] == [batch_size] * n_batches
    assert sum(int((seen == 0).sum()) for seen in given) in unseen
