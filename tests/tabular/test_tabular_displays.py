# SPDX-License-Identifier: BSD-3-Clause
"""Displays of the estimators for tables: cycles and snapshots, and errors where nothing can be drawn."""

import numpy as np
import pytest

pytest.importorskip("matplotlib").use("Agg")
pytest.importorskip("pandas")
import matplotlib.pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import (
    ActivationsDisplay,
    LossCurveDisplay,
    NetworkDisplay,
    NumpyMLPRegressor,
    WeightsDisplay,
    explain_step,
)
from sknumpynet.tabular import TabularMLPClassifier, TabularMLPRegressor
from tabular.tables import QUICK

X = np.random.default_rng(0).normal(size=(80, 2))
Y = X[:, 0] * X[:, 1]
CYCLES = {**QUICK, "n_cycles": 3, "least_gain": 0.0, "embedding_margins": (10.0,)}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize("cls", [TabularMLPClassifier, TabularMLPRegressor])
def test_the_loss_curve_shows_the_cycles_and_the_weights_of_the_snapshots(cls):
    model = cls(**CYCLES).fit(X, Y > 0 if cls is TabularMLPClassifier else Y)
    display = LossCurveDisplay.from_estimator(model)
    history = {name: np.array(column) for name, column in model.history_.items()}
    names = {True: "with numeric embedding", False: "without numeric embedding"}
    assert set(display.lines_) == set(names.values())
    for kind, name in names.items():
        rows = history["numeric_embedding"] == kind
        epochs, loss = display.lines_[name]["oof_loss"].get_data()
        assert_array_equal(epochs, np.cumsum(history["epochs"][rows]))
        assert_array_equal(loss, history["loss"][rows])
        dots = display.snapshots_[name]
        assert_array_equal(dots.get_offsets(), np.column_stack([epochs, loss]))
        assert_allclose(dots.get_sizes() / 600, history["weight"][rows])
    shown = [each.get_text() for each in display.ax_.get_legend().get_texts()]
    assert shown == [
        "with numeric embedding, out of fold",
        "area: weight of the snapshot",
        "without numeric embedding, out of fold",
    ]
    display.figure_.canvas.draw()


def test_validation_curves_are_labelled_and_pipelines_supported():
    model = TabularMLPRegressor(**QUICK, numeric_embedding=False)
    model.fit(X[20:], Y[20:], X_val=X[:20], y_val=Y[:20])
    display = LossCurveDisplay.from_estimator(model, name="houses")
    assert display.lines_["houses, without numeric embedding"].keys() == {"validation_loss"}
    pipeline = make_pipeline(StandardScaler(), TabularMLPRegressor(**QUICK)).fit(X, Y)
    assert len(LossCurveDisplay.from_estimator(pipeline).lines_) == 2
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(TabularMLPRegressor())


def test_tables_beside_networks_and_without_dots():
    network = NumpyMLPRegressor(max_iter=5, random_state=0).fit(X, Y)
    model = TabularMLPRegressor(**QUICK).fit(X, Y)
    display = LossCurveDisplay.from_estimators({"one": network, "table": model}, mark_best=False)
    assert [*display.lines_] == [
        "one",
        "table, with numeric embedding",
        "table, without numeric embedding",
    ]
    assert display.snapshots_ == {}
    with pytest.raises(ValueError, match="none of the networks has recorded it"):
        LossCurveDisplay.from_estimator(model, right="learning_rate")


@pytest.mark.parametrize(
    "display, data",
    [
        (WeightsDisplay, ()),
        (NetworkDisplay, ()),
        (NetworkDisplay, (X[0],)),
        (ActivationsDisplay, (X,)),
    ],
)
def test_what_shows_a_single_network_is_refused_in_one_sentence(display, data):
    model = TabularMLPRegressor(**QUICK).fit(X, Y)
    for estimator in (model, make_pipeline(StandardScaler().fit(X), model)):
        with pytest.raises(
            TypeError,
            match=r"^TabularMLPRegressor is an ensemble of \d+ networks.*; LossCurveDisplay draws",
        ):
            display.from_estimator(estimator, *data)


def test_a_step_of_one_network_is_not_explained():
    model = TabularMLPRegressor(**QUICK).fit(X, Y)
    with pytest.raises(TypeError, match=r"explain_step needs a fitted Numpy.*got TabularMLPRegr"):
        explain_step(model, X[0])
