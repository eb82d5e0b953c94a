# SPDX-License-Identifier: BSD-3-Clause
"""The displays: what they draw."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import (
    ActivationsDisplay,
    LeakyReLU,
    LossCurveDisplay,
    NetworkDisplay,
    Normal,
    NumpyMLPClassifier,
    NumpyMLPRegressor,
    WeightsDisplay,
    explain_step,
)

rng = np.random.RandomState(0)
X = rng.normal(size=(80, 4))
NUMBERS = X[:, 0] - 2 * X[:, 1]
CLASSES = np.array(["low", "middle", "high"])[np.digitize(NUMBERS, [-1, 1])]


@pytest.fixture(autouse=True)
def pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with matplotlib.rc_context():
        yield plt
    plt.close("all")


def fitted(cls=NumpyMLPClassifier, y=CLASSES, validation=False, **params):
    settings = {"hidden_layer_sizes": (5, 3), "max_iter": 12, "random_state": 0}
    given = {"X_val": X[40:], "y_val": y[40:]} if validation else {}
    return cls(**{**settings, **params}).fit(X, y, **given)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def texts(artists):
    return [text.get_text().replace("\N{MINUS SIGN}", "-") for text in artists]


# -------------------------------------------------------------------- what all have in common

DISPLAYS = {
    "loss": (LossCurveDisplay, ()),
    "network": (NetworkDisplay, ()),
    "network with a row": (NetworkDisplay, (X[0], "high")),
    "weights": (WeightsDisplay, ()),
    "activations": (ActivationsDisplay, (X,)),
}


@pytest.mark.parametrize(("display", "data"), DISPLAYS.values(), ids=DISPLAYS)
def test_from_estimator_and_plot(display, data, pyplot):
    model = fitted()
    drawn = display.from_estimator(model, *data)
    assert drawn.plot() is drawn
    axes = drawn.ax_ if hasattr(drawn, "ax_") else drawn.axes_[0]
    assert drawn.figure_ is axes.figure is pyplot.gcf()
    _, ax = pyplot.subplots()
    drawn = display.from_estimator(model, *data, ax=ax)
    assert drawn.figure_ is ax.figure
    drawn.figure_.canvas.draw()


@pytest.mark.parametrize(("display", "data"), DISPLAYS.values(), ids=DISPLAYS)
def test_pipelines_and_what_is_not_fitted(display, data):
    model = make_pipeline(StandardScaler(), fitted()).fit(X, CLASSES)
    display.from_estimator(model, *data)
    with pytest.raises(NotFittedError):
        display.from_estimator(NumpyMLPClassifier(), *data)
    with pytest.raises(TypeError, match="LogisticRegression"):
        display.from_estimator(LogisticRegression().fit(X, CLASSES), *data)


@pytest.mark.parametrize(("display", "data"), DISPLAYS.values(), ids=DISPLAYS)
def test_without_matplotlib_the_error_says_what_to_install(display, data, monkeypatch):
    model = fitted()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=rf"{display.__name__}.plot requires matplotlib"):
        display.from_estimator(model, *data)


def test_matplotlib_is_imported_when_something_is_drawn():
    script = (
        "import sys, sknumpynet as s\n"
        "d = s.LossCurveDisplay({'': {'loss': [2, 1]}})\n"
        "assert 'matplotlib' not in sys.modules\n"
        "d.plot()\n"
        "assert 'matplotlib' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


# -------------------------------------------------------------------- loss curves


def test_curves_are_those_of_the_network():
    model = fitted(validation=True)
    display = LossCurveDisplay.from_estimator(model)
    lines = display.lines_[""]
    assert_array_equal(lines["loss"].get_data(), [range(1, 13), model.loss_curve_])
    assert_array_equal(lines["validation_loss"].get_data()[1], model.validation_loss_curve_)
    assert lines["loss"].get_color() != lines["validation_loss"].get_color()
    best = int(np.argmin(model.validation_loss_curve_))
    point = display.best_[""].get_xydata()
    assert_array_equal(point, [[best + 1, model.validation_loss_curve_[best]]])
    assert legend(display.ax_) == [
        "training",
        "validation",
        f"best epoch by validation loss: {best + 1}",
    ]
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("epoch", "loss")
    assert display.right_ax_ is None and display.raw_lines_ == {"": {}}


def test_early_stopping_marks_the_epoch_whose_weights_were_kept():
    scores = [0.5, 0.9, 0.9, 0.7]
    losses = [4.0, 3.0, 2.0, 1.0]
    model = fitted(validation=True, early_stopping=True)
    model.history_ = {"loss": losses, "validation_loss": losses, "validation_score": scores}
    assert LossCurveDisplay.from_estimator(model).best_[""].get_xydata().tolist() == [[2, 3.0]]
    model.early_stopping = False
    assert LossCurveDisplay.from_estimator(model).best_[""].get_xydata().tolist() == [[4, 1.0]]
    assert not LossCurveDisplay.from_estimator(model, mark_best=False).best_
    by_data = LossCurveDisplay({"": model.history_}, best_epochs={"": 3}).plot()
    assert by_data.best_[""].get_xydata().tolist() == [[3, 2.0]]


def test_epochs_that_were_dropped_are_not_counted_from_one():
    history = {"epoch": [7, 8, 9], "loss": [3.0, 2.0, 1.0], "validation_loss": [2.0, 1.0, 3.0]}
    display = LossCurveDisplay({"": history}).plot()
    assert_array_equal(display.lines_[""]["loss"].get_xdata(), [7, 8, 9])
    assert_array_equal(display.best_[""].get_xydata(), [[8, 1.0]])


def test_smoothing_is_a_mean_that_forgets():
    display = LossCurveDisplay({"": {"loss": [4.0, 2.0, np.nan, 1.0]}}).plot(smoothing=0.5)
    assert_allclose(
        display.lines_[""]["loss"].get_ydata(),
        [4, (2 + 4 / 2) / 1.5, (2 + 4 / 2) / 1.5, (1 + 2 / 2 + 4 / 4) / 1.75],
    )
    raw = display.raw_lines_[""]["loss"]
    assert_array_equal(raw.get_ydata(), [4, 2, np.nan, 1])
    assert raw.get_color() == display.lines_[""]["loss"].get_color() and raw.get_alpha() < 0.5


@pytest.mark.parametrize("right", ["learning_rate", "validation_score", "gradient_norm"])
def test_a_scale_on_the_right(right):
    model = fitted(validation=True, learning_rate="cosine")
    display = LossCurveDisplay.from_estimator(model, right=right)
    line = display.lines_[""][right]
    assert line.axes is display.right_ax_ is not display.ax_
    assert_array_equal(line.get_ydata(), model.history_[right])
    assert len(legend(display.ax_)) == 4
    assert display.right_ax_.get_ylabel() == legend(display.ax_)[-1]


def test_several_networks_over_each_other():
    models = {name: fitted(validation=True, solver=name) for name in ("sgd", "adam")}
    display = LossCurveDisplay.from_estimators(models, right="learning_rate")
    colors = set()
    for name, model in models.items():
        lines = display.lines_[name]
        assert_array_equal(lines["loss"].get_ydata(), model.loss_curve_)
        assert len({line.get_color() for line in lines.values()}) == 1
        assert len({line.get_linestyle() for line in lines.values()}) == 3
        colors.add(lines["loss"].get_color())
    assert len(colors) == 2
    assert legend(display.ax_)[:2] == ["sgd, training", "sgd, validation"]


def test_the_same_axes_go_on_with_other_colors(pyplot):
    first = LossCurveDisplay.from_estimator(fitted(), name="one")
    second = LossCurveDisplay.from_estimator(fitted(alpha=1), name="two", ax=first.ax_)
    assert second.ax_ is first.ax_
    assert first.lines_["one"]["loss"].get_color() != second.lines_["two"]["loss"].get_color()
    assert legend(first.ax_) == ["one, training", "two, training"]


def test_colors_are_those_of_the_settings(pyplot):
    pyplot.rcParams["axes.prop_cycle"] = pyplot.cycler(color=["#123456", "#654321"])
    pyplot.rcParams["text.color"] = "#abcdef"
    display = LossCurveDisplay.from_estimator(fitted(validation=True), right="learning_rate")
    lines = display.lines_[""]
    assert [line.get_color() for line in lines.values()] == ["#123456", "#654321", "#abcdef"]


def test_the_logarithmic_scale():
    assert LossCurveDisplay.from_estimator(fitted(), scale="log").ax_.get_yscale() == "log"
    assert LossCurveDisplay.from_estimator(fitted()).ax_.get_yscale() == "linear"


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_curves_of_sklearn(cls):
    y = (NUMBERS > 0) * 1 if cls is MLPClassifier else NUMBERS  # text fails in scikit-learn 1.7.0
    model = cls(
        hidden_layer_sizes=(5,), max_iter=9, random_state=0, early_stopping=True, n_iter_no_change=9
    )
    model.fit(X, y)
    display = LossCurveDisplay.from_estimator(model, right="validation_score")
    assert_array_equal(display.lines_[""]["loss"].get_ydata(), model.loss_curve_)
    assert_array_equal(display.lines_[""]["validation_score"].get_ydata(), model.validation_scores_)
    assert display.best_[""].get_xdata() == np.argmax(model.validation_scores_) + 1
    model = cls(max_iter=9, solver="lbfgs").fit(X, y)
    with pytest.raises(ValueError, match="has no loss curve"):
        LossCurveDisplay.from_estimator(model)


def test_lbfgs_has_a_curve_too():
    model = fitted(solver="lbfgs")
    display = LossCurveDisplay.from_estimator(model)
    assert_array_equal(display.lines_[""]["loss"].get_ydata(), model.history_["loss"])
    with pytest.raises(ValueError, match="right='learning_rate': none of the networks"):
        LossCurveDisplay.from_estimator(model, right="learning_rate")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"smoothing": 1.0}, r"smoothing must be a number in \[0, 1\); got 1.0"),
        ({"right": "rate"}, "right must be one of .*'learning_rate'.* got 'rate'"),
    ],
)
def test_bad_options_of_loss_curves(options, message):
    with pytest.raises(ValueError, match=message):
        LossCurveDisplay.from_estimator(fitted(), **options)


def test_dollar_signs_start_no_formula():
    display = LossCurveDisplay.from_estimators({"a_$ b_$": fitted()})
    display.figure_.canvas.draw()
    assert legend(display.ax_) == [r"a_\$ b_\$, training"]


# -------------------------------------------------------------------- networks


@pytest.mark.parametrize("cls", [NumpyMLPClassifier, MLPClassifier])
def test_nodes_and_edges_are_units_and_weights(cls):
    model = fitted(cls)
    display = NetworkDisplay.from_estimator(model)
    assert [len(nodes.get_offsets()) for nodes in display.nodes_] == [4, 5, 3, 3]
    for k, W in enumerate(model.coefs_):
        edges = display.edges_[k]
        assert_array_equal(edges.get_array(), W.ravel())
        at = {side: np.asarray(display.nodes_[k + side].get_offsets()).tolist() for side in (0, 1)}
        ends = [(at[0].index(a.tolist()), at[1].index(b.tolist())) for a, b in edges.get_segments()]
        assert ends == list(np.ndindex(W.shape))
        widths, sizes = np.array(edges.get_linewidths()), np.abs(W.ravel())
        assert_array_equal(np.argsort(widths, kind="stable"), np.argsort(sizes, kind="stable"))
        assert_allclose(display.nodes_[k + 1].get_array(), model.intercepts_[k])
    low, high = display.edges_[0].get_clim()
    assert -low == high == max(np.abs(W).max() for W in model.coefs_)
    assert texts(display.names_) == sorted(["low", "middle", "high"])
    assert display.values_ == [[], [], [], []] and display.edge_labels_ == [[], [], []]
    heads = texts(display.ax_.texts)
    assert {"input", "hidden 0\nrelu", "hidden 1\nrelu", "output\nsoftmax"} <= set(heads)


def test_a_row_in_the_nodes():
    model = fitted(activation=["tanh", LeakyReLU(0.1)])
    display = NetworkDisplay.from_estimator(model, X[0], "high")
    step = explain_step(model, X[0], "high")
    assert_allclose(display.nodes_[0].get_array(), X[0])
    assert_allclose(display.nodes_[1].get_array(), step.layers[0]["a"])
    assert_allclose(display.nodes_[3].get_array(), step.prediction)
    assert texts(display.values_[1]) == [f"{a:.2f}" for a in step.layers[0]["a"]]
    z, delta = step.layers[2]["z"], step.layers[2]["delta"]
    below = [text.split() for text in texts(display.labels_[3])]
    assert [words[::2] for words in below] == [["b", "z", "δ"]] * 3
    assert_allclose([float(words[1]) for words in below], step.layers[2]["b"], rtol=0.05)
    assert_allclose([float(words[3]) for words in below], z, rtol=0.05)
    assert_allclose([float(words[5]) for words in below], delta, rtol=0.05)
    assert display.labels_[0] == []
    assert_array_equal(display.edges_[1].get_array(), model.coefs_[1].ravel())
    gradient = display.plot(edges="gradient")
    assert_array_equal(gradient.edges_[1].get_array(), step.layers[1]["dW"].ravel())
    assert gradient.colorbar_.ax.get_ylabel() == "line: gradient of the loss"
    assert "hidden 1\nLeakyReLU" in texts(display.ax_.texts)
    without = NetworkDisplay.from_estimator(model, X[0])
    assert [text.split()[::2] for text in texts(without.labels_[3])] == [["b", "z"]] * 3


def test_numbers_on_the_lines_of_a_small_network():
    model = fitted(NumpyMLPRegressor, NUMBERS, hidden_layer_sizes=(3,), alpha=0)
    display = NetworkDisplay.from_estimator(model)
    shown = [float(each) for each in texts(display.edge_labels_[0])]
    assert_allclose(shown, model.coefs_[0].ravel(), atol=0.006)
    assert not NetworkDisplay.from_estimator(model, edge_labels=False).edge_labels_[0]
    wide = NetworkDisplay.from_estimator(fitted(), edge_labels=True)
    assert len(wide.edge_labels_[0]) == 20


def test_wide_layers_are_shortened():
    wide = np.random.RandomState(1).normal(size=(60, 64))
    model = NumpyMLPClassifier((100,), max_iter=2, random_state=0).fit(wide, np.arange(60) % 10)
    display = NetworkDisplay.from_estimator(model)
    assert_array_equal(display.shown_[0], [0, 1, 2, 3, 4, 60, 61, 62, 63])
    assert_array_equal(display.shown_[1], [0, 1, 2, 3, 4, 96, 97, 98, 99])
    assert_array_equal(display.shown_[2], range(10))
    shown = np.ix_(display.shown_[0], display.shown_[1])
    assert_array_equal(display.edges_[0].get_array(), model.coefs_[0][shown].ravel())
    assert {"⋮\n55 more", "⋮\n91 more"} <= set(texts(display.ax_.texts))
    assert texts(display.names_) == [str(c) for c in range(10)]
    narrow = display.plot(max_units=4)
    assert [len(each) for each in narrow.shown_] == [3, 3, 3]
    # the place of the gap stays free
    heights = np.asarray(narrow.nodes_[0].get_offsets())[:, 1]
    assert_array_equal(-np.diff(heights), [1, 2])


def test_names_of_features_and_classes():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b $", "c", "a name longer than it ought to be"])
    model = NumpyMLPClassifier((3,), max_iter=3, random_state=0).fit(frame, CLASSES == "low")
    display = NetworkDisplay.from_estimator(model, frame.iloc[0], True)
    assert texts(display.names_) == ["a", r"b \$", "c", "a name longer than …", "p(True)"]
    number = NetworkDisplay.from_estimator(fitted(NumpyMLPRegressor, NUMBERS))
    assert number.names_ == []


def test_no_hidden_layer_and_several_outputs():
    several = np.column_stack([CLASSES, CLASSES == "low"])
    model = fitted(y=several, hidden_layer_sizes=())
    display = NetworkDisplay.from_estimator(model, X[0], several[0])
    assert len(display.nodes_) == 2
    assert texts(display.names_) == ["0: high", "0: low", "0: middle", "1: False", "1: True"]


def test_a_row_goes_through_the_pipeline():
    model = make_pipeline(StandardScaler(), fitted(max_iter=2)).fit(X, CLASSES)
    display = NetworkDisplay.from_estimator(model, X[0], "low")
    assert_allclose(display.nodes_[0].get_array(), model[0].transform(X[:1])[0])


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ((None, "low"), {}, "y needs x"),
        ((), {"edges": "gradient"}, "edges='gradient' needs a row and its target"),
        ((X[0],), {"edges": "gradient"}, "edges='gradient' needs a row and its target"),
        ((), {"edges": "W"}, "edges must be 'weight' or 'gradient'; got 'W'"),
        ((), {"max_units": 2}, "max_units must be an integer of at least 3; got 2"),
        ((X[:2],), {}, "x must be one row"),
    ],
)
def test_bad_options_of_networks(data, options, message):
    with pytest.raises(ValueError, match=message):
        NetworkDisplay.from_estimator(fitted(), *data, **options)


def test_nothing_lies_outside_the_picture():
    model = fitted()
    for data in ((), (X[0], "low")):
        display = NetworkDisplay.from_estimator(model, *data)
        display.figure_.canvas.draw()
        frame = display.figure_.bbox
        for text in display.ax_.texts:
            box = text.get_window_extent()
            assert frame.x0 <= box.x0 and box.x1 <= frame.x1, text
            assert frame.y0 <= box.y0 and box.y1 <= frame.y1, text


# -------------------------------------------------------------------- weights


@pytest.mark.parametrize("cls", [NumpyMLPClassifier, MLPClassifier])
def test_histograms_of_each_layer(cls):
    model = fitted(cls)
    display = WeightsDisplay.from_estimator(model, bins=7)
    assert len(display.axes_) == len(display.bars_) == 3
    for bars, W in zip(display.bars_, model.coefs_, strict=True):
        assert_array_equal([bar.get_height() for bar in bars], np.histogram(W, bins=7)[0])
    assert display.axes_[0].get_title() == "hidden 0: 4 x 5"
    assert display.axes_[2].get_title() == "output: 3 x 3"


def test_images_of_the_first_layer():
    model = fitted(hidden_layer_sizes=(6,))
    display = WeightsDisplay.from_estimator(model, image_shape=(2, 2), max_images=5)
    assert len(display.images_) == 5
    W = model.coefs_[0]
    for j, image in enumerate(display.images_):
        assert_array_equal(image.get_array(), W[:, j].reshape(2, 2))
        low, high = image.get_clim()
        assert -low == high == np.abs(W[:, :5]).max()
    assert display.colorbar_.ax.get_ylabel() == "weight, units 0 to 4 of 6"


def test_images_that_do_not_fit():
    with pytest.raises(ValueError, match=r"image_shape .* product 4.* got \(3, 2\)"):
        WeightsDisplay.from_estimator(fitted(), image_shape=(3, 2))


def test_axes_of_ones_own(pyplot):
    _, axes = pyplot.subplots(3)
    display = WeightsDisplay.from_estimator(fitted(), ax=axes)
    assert list(display.axes_) == list(axes)
    with pytest.raises(ValueError, match="ax must be one matplotlib Axes, or 3; got 2"):
        WeightsDisplay.from_estimator(fitted(), ax=axes[:2])
    _, row = pyplot.subplots(1, 5)
    images = WeightsDisplay.from_estimator(fitted(), image_shape=(2, 2), ax=row)
    assert list(images.axes_) == list(row) and len(images.images_) == 5


# -------------------------------------------------------------------- activations


def test_histograms_of_activations():
    model = fitted(activation=["relu", "tanh"])
    display = ActivationsDisplay.from_estimator(model, X, bins=9)
    for k, bars in enumerate(display.bars_):
        a = model.hidden_activations(X, k)
        expected = np.histogram(a[a != 0], bins=9)[0] / a.size
        assert_allclose([bar.get_height() for bar in bars], expected)
    zeros = np.mean(model.hidden_activations(X, 0) == 0)
    assert display.axes_[0].get_title().endswith(f"units dead\n{zeros:.0%} exactly 0")
    assert display.axes_[1].get_title() == "hidden 1, tanh\n0 of 3 units dead"


@pytest.mark.parametrize(
    "activation", ["relu", "elu", "tanh", "logistic", "gelu", "softplus", "hard_tanh"]
)
def test_unit_with_the_same_activation_for_every_row_is_dead(activation):
    model = fitted(activation=activation, hidden_layer_sizes=(5,))
    assert not ActivationsDisplay.from_estimator(model, X).dead_units()[0].any()
    model.intercepts_[0][[1, 3]] = -60
    display = ActivationsDisplay.from_estimator(model, X)
    assert_array_equal(display.dead_units()[0], [False, True, False, True, False])
    assert display.axes_[0].get_title().splitlines()[1] == "2 of 5 units dead"


def test_a_whole_layer_may_be_dead():
    model = fitted(hidden_layer_sizes=(5,))
    model.intercepts_[0][:] = -60
    display = ActivationsDisplay.from_estimator(model, X)
    assert display.dead_units()[0].all()
    assert display.axes_[0].get_title() == "hidden 0, relu\n5 of 5 units dead\n100% exactly 0"


def test_a_unit_that_is_on_for_one_row_lives():
    a = np.zeros((100, 3))
    a[:, 0], a[7, 1] = np.arange(100), 50
    assert ActivationsDisplay([a]).dead_units()[0].tolist() == [False, False, True]
    assert ActivationsDisplay([a], tolerance=0.9).dead_units()[0].tolist() == [False, True, True]


def test_invalid_activations_of_a_display():
    with pytest.raises(ValueError, match="two rows or more; got 1"):
        ActivationsDisplay.from_estimator(fitted(), X[:1])
    with pytest.raises(ValueError, match="no hidden layer"):
        ActivationsDisplay.from_estimator(fitted(hidden_layer_sizes=()), X)
    with pytest.raises(TypeError, match="NumpyMLPClassifier or NumpyMLPRegressor"):
        ActivationsDisplay.from_estimator(fitted(MLPClassifier), X)


def test_activations_go_through_the_pipeline():
    model = make_pipeline(StandardScaler(), fitted(bias_init=Normal(0.5))).fit(X, CLASSES)
    display = ActivationsDisplay.from_estimator(model, X)
    expected = model[-1].hidden_activations(model[0].transform(X), 1)
    assert_array_equal(display.activations[1], expected)


@pytest.mark.parametrize("early_stopping", [True, False])
def test_the_legend_says_what_makes_an_epoch_the_best(early_stopping):
    model = fitted(validation=True, early_stopping=early_stopping)
    word = "validation score" if early_stopping else "validation loss"
    assert legend(LossCurveDisplay.from_estimator(model).ax_)[-1].startswith(
        f"best epoch by {word}: "
    )
    two = LossCurveDisplay.from_estimators({"a": model, "b": model})
    assert legend(two.ax_)[-1].startswith(f"b, best by {word}: ")
    given = LossCurveDisplay({"": model.history_}, best_epochs={"": 3}).plot()
    assert legend(given.ax_)[-1] == "best epoch: 3"


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_names_stay_inside_the_axes(pyplot, layout):
    model = fitted()
    model.feature_names_in_ = np.array([f"a long name of column {i}" for i in range(4)], object)
    figure, axes = pyplot.subplots(1, 3, figsize=(15, 4), layout=layout)
    display = NetworkDisplay.from_estimator(model, ax=axes[1], colorbar=False)
    figure.canvas.draw()
    box = axes[1].get_window_extent()
    assert display.names_
    for name in display.names_:
        extent = name.get_window_extent()
        assert box.x0 - 1 <= extent.x0 and extent.x1 <= box.x1 + 1


def test_biases_and_a_scale_for_nodes():
    model = fitted()
    step = NetworkDisplay.from_estimator(model, X[0], CLASSES[0])
    for k, labels in enumerate(texts(each) for each in step.labels_[1:]):
        for label, bias in zip(labels, model.intercepts_[k]):
            shown = float(label.splitlines()[0].removeprefix("b "))
            assert_allclose(shown, bias, atol=0.006, rtol=0.06)
    assert step.node_colorbar_.ax.get_ylabel() == "node: activation"
    without = NetworkDisplay.from_estimator(model)
    assert without.node_colorbar_.ax.get_ylabel() == "node: bias"
    assert without.node_colorbar_.vmax == pytest.approx(
        max(abs(b).max() for b in model.intercepts_)
    )
    assert NetworkDisplay.from_estimator(model, colorbar=False).node_colorbar_ is None
