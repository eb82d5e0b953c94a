# SPDX-License-Identifier: BSD-3-Clause
"""The comparison: it is fair (same rows, same parameters), and its ratios have the right direction."""

import pickle
import signal
import sys
import threading
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet.comparison import Comparison, FitResult, compare_with_sklearn, plot_comparisons
from sknumpynet.comparison import compare as module
from sknumpynet.estimators import NumpyMLPClassifier, NumpyMLPRegressor

X, Y = load_iris(return_X_y=True)
NET = NumpyMLPClassifier((5,), max_iter=8, random_state=3)


@pytest.fixture
def pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


def result(curve, *, coef=0.0, score=0.5, fit_time=1.0, predict_time=1.0, size=1000):
    """A FitResult with the given numbers, as if a network had been fitted."""
    network = SimpleNamespace(
        coefs_=[np.zeros((2, 3)), np.full((3, 1), coef)], n_iter_=len(curve), loss_=curve[-1]
    )
    if len(curve) > 1:
        network.loss_curve_ = list(curve)
    return FitResult(network, score, fit_time, predict_time, size)


def compared(theirs, ours, **more):
    return Comparison("made up", "accuracy", 60, 20, 2, theirs, ours, **more)


# What is fitted


def test_both_are_fitted_on_the_training_rows_and_scored_on_the_others():
    got = compare_with_sklearn(NET, X, Y, random_state=7, test_size=0.2, repeats=1)
    X_train, X_test, y_train, y_test = train_test_split(
        X, Y, stratify=Y, random_state=7, test_size=0.2
    )
    expected = MLPClassifier((5,), max_iter=8, random_state=3).fit(X_train, y_train)
    for one in (got.sklearn, got.sknumpynet):
        for W, W_expected in zip(one.estimator.coefs_, expected.coefs_, strict=True):
            np.testing.assert_allclose(W, W_expected, rtol=1e-9)
        assert one.score == expected.score(X_test, y_test)
        assert one.n_iter == 8
        assert one.pickle_size == len(pickle.dumps(one.estimator))
        assert one.fit_time > 0 and one.predict_time > 0
    assert type(got.sklearn.estimator) is MLPClassifier
    assert type(got.sknumpynet.estimator) is NumpyMLPClassifier
    assert (got.n_train, got.n_test, got.n_features) == (120, 30, 4)
    assert (got.name, got.score_name) == ("NumpyMLPClassifier", "accuracy")
    assert got.coef_difference < 1e-9 and got.loss_difference < 1e-9


def test_test_rows_and_weights_of_ones_own():
    weight = np.linspace(0.1, 2, 100)
    got = compare_with_sklearn(
        NET, X[:100], Y[:100], X_test=X[90:], y_test=Y[90:], sample_weight=weight, repeats=1
    )
    expected = MLPClassifier((5,), max_iter=8, random_state=3).fit(X[:100], Y[:100], weight)
    np.testing.assert_array_equal(got.sklearn.estimator.coefs_[0], expected.coefs_[0])
    assert got.coef_difference < 1e-9
    assert got.sknumpynet.score == expected.score(X[90:], Y[90:])
    assert (got.n_train, got.n_test) == (100, 60)


def test_weights_are_split_with_their_rows():
    weight = np.linspace(0.1, 2, len(Y))
    got = compare_with_sklearn(NET, X, Y, sample_weight=weight, repeats=1)
    X_train, _, y_train, _, w_train, _ = train_test_split(X, Y, weight, stratify=Y, random_state=0)
    expected = MLPClassifier((5,), max_iter=8, random_state=3).fit(X_train, y_train, w_train)
    np.testing.assert_array_equal(got.sklearn.estimator.coefs_[0], expected.coefs_[0])
    assert got.coef_difference < 1e-9


def test_regression_in_a_pipeline():
    X, y = load_diabetes(return_X_y=True)
    y = y / 100
    net = NumpyMLPRegressor(hidden_layer_sizes=(6,), max_iter=30, random_state=0)
    got = compare_with_sklearn(make_pipeline(StandardScaler(), net), X * 50, y, repeats=1)
    X_train, X_test, y_train, y_test = train_test_split(X * 50, y, random_state=0)
    expected = make_pipeline(
        StandardScaler(), MLPRegressor(hidden_layer_sizes=(6,), max_iter=30, random_state=0)
    ).fit(X_train, y_train)
    assert got.score_name == "R^2"
    assert got.sklearn.score == pytest.approx(expected.score(X_test, y_test), rel=1e-12)
    assert got.sknumpynet.score == pytest.approx(got.sklearn.score, rel=1e-6)
    assert type(got.sknumpynet.estimator) is NumpyMLPRegressor


def test_a_pipeline_of_the_network_alone():
    got = compare_with_sklearn(make_pipeline(NET), X, Y, repeats=1)
    assert got.coef_difference < 1e-9


def test_the_estimator_is_not_changed():
    scaler, net = StandardScaler(), NumpyMLPClassifier((5,), max_iter=3)
    compare_with_sklearn(make_pipeline(scaler, net), X, Y, repeats=1)
    assert not hasattr(net, "coefs_") and not hasattr(scaler, "mean_")
    assert net.random_state is None
    net.set_params(random_state=0).fit(X[:50], Y[:50])
    before = pickle.dumps(net)
    compare_with_sklearn(net, X, Y, repeats=1)
    assert pickle.dumps(net) == before


def test_without_a_seed_both_get_the_same_and_the_reader_is_told():
    got = compare_with_sklearn(NumpyMLPClassifier((5,), max_iter=3), X, Y, repeats=1)
    assert got.coef_difference < 1e-9
    assert got.sklearn.estimator.random_state == got.sknumpynet.estimator.random_state == 0
    assert "random_state=0" in str(got)


class WithoutSizes(MLPClassifier):
    """A scikit-learn whose network has one parameter less than ours."""

    def __init__(self, max_iter=200, random_state=None):
        super().__init__(max_iter=max_iter, random_state=random_state)


@pytest.mark.parametrize(("sizes", "noted"), [((100,), False), ((7,), True), ([100], True)])
def test_a_parameter_that_sklearn_lacks_is_noted_where_it_is_used(monkeypatch, sizes, noted):
    monkeypatch.setattr(module, "MLPClassifier", WithoutSizes)
    net = NumpyMLPClassifier(sizes, max_iter=3, random_state=1)
    got = compare_with_sklearn(net, X, Y, repeats=1)
    assert got.sklearn.estimator.get_params() == {"max_iter": 3, "random_state": 1}
    assert any(f"hidden_layer_sizes={sizes} does not exist" in note for note in got.notes) is noted


def test_stopping_at_max_iter_is_a_note_and_no_warning(recwarn):
    got = compare_with_sklearn(NET, X, Y, repeats=2)
    assert not recwarn.list
    assert "stopped at max_iter=8" in str(got)
    net = NumpyMLPClassifier((5,), random_state=0, tol=10.0, n_iter_no_change=2)
    assert not compare_with_sklearn(net, X, Y, repeats=1).notes


def test_classes_keep_their_shares(monkeypatch):
    seen = []
    monkeypatch.setattr(
        NumpyMLPClassifier, "score", lambda self, X, y: seen.append(np.bincount(y)) or 1.0
    )
    compare_with_sklearn(NET, X, np.repeat([0, 1], [120, 30]), test_size=30, repeats=1)
    assert seen[0].tolist() == [24, 6]


def test_a_class_of_one_row_is_no_obstacle():
    y = Y.copy()
    y[0] = 7
    assert compare_with_sklearn(NET, X, y, repeats=1).n_train == 112


def test_lbfgs_has_no_curve_and_compares_the_final_loss():
    net = NumpyMLPClassifier((5,), solver="lbfgs", max_iter=10, random_state=0)
    got = compare_with_sklearn(net, X, Y, repeats=1)
    assert not got.has_loss_curves
    assert got.sklearn.loss_curve is None
    assert got.loss_difference == abs(got.sklearn.loss - got.sknumpynet.loss) < 1e-6
    assert "largest difference in loss_ " in str(got)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"estimator": LogisticRegression()}, TypeError, "estimator .* got LogisticRegression"),
        ({"estimator": MLPClassifier()}, TypeError, "estimator .* Pass NumpyMLPClassifier"),
        ({"estimator": NumpyMLPClassifier}, TypeError, r"estimator .* NumpyMLPClassifier\(\)"),
        ({"estimator": make_pipeline(StandardScaler())}, TypeError, "ends in StandardScaler"),
        ({"estimator": None}, TypeError, "estimator must be a NumpyMLPClassifier"),
        ({"repeats": 0}, ValueError, "repeats must be an integer of at least 1, got 0"),
        ({"repeats": 1.5}, ValueError, "repeats .* got 1.5"),
        ({"repeats": True}, ValueError, "repeats .* got True"),
        ({"X_test": X}, ValueError, "X_test is given without y_test"),
        ({"y_test": Y}, ValueError, "y_test is given without X_test"),
        ({"test_size": 2.0}, ValueError, "test_size"),
        ({"estimator": NumpyMLPClassifier(activation="bent")}, ValueError, "activation"),
        ({"y": Y[:-1]}, ValueError, "inconsistent numbers of samples"),
        ({"X": np.full_like(X, np.nan)}, ValueError, "NaN"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        compare_with_sklearn(**{"estimator": NET, "X": X, "y": Y, "repeats": 1} | arguments)


# How it is timed


def test_fits_alternate_and_progress_is_reported():
    seen = []
    compare_with_sklearn(NET, X, Y, repeats=2, name="iris", progress=lambda *a: seen.append(a))
    assert seen == [
        (0, 4, "iris: scikit-learn"),
        (1, 4, "iris: sknumpynet"),
        (2, 4, "iris: sknumpynet"),
        (3, 4, "iris: scikit-learn"),
        (4, 4, "iris: done"),
    ]


@pytest.mark.parametrize("options", [{}, {"solver": "sgd"}, {"early_stopping": True}])
def test_epochs_of_both_networks_are_reported(options, capsys):
    seen = []
    net = NumpyMLPClassifier((5,), max_iter=3, random_state=3, **options)
    got = compare_with_sklearn(net, X, Y, repeats=1, on_epoch=lambda *a: seen.append(a))
    assert seen == [(1, 3), (2, 3), (3, 3)] * 2
    assert capsys.readouterr().out == ""
    assert not got.sklearn.estimator.verbose and not got.sknumpynet.estimator.verbose
    plain = compare_with_sklearn(net, X, Y, repeats=1)
    assert plain.sknumpynet.loss_curve.tolist() == got.sknumpynet.loss_curve.tolist()


def test_l_bfgs_has_no_epochs_to_tell():
    net = NumpyMLPClassifier((5,), solver="lbfgs", max_iter=3, random_state=3)
    compare_with_sklearn(net, X, Y, repeats=1, on_epoch=pytest.fail)


def test_no_repeat_begins_after_max_seconds():
    seen = []
    compare_with_sklearn(NET, X, Y, repeats=9, max_seconds=0, progress=lambda *a: seen.append(a[0]))
    assert seen == [0, 1, 18]


def test_the_shortest_time_of_each_counts(monkeypatch):
    times = {MLPClassifier: [(5, 1), (4, 3)], NumpyMLPClassifier: [(2, 8), (3, 7)]}
    real = module._time_once

    def timed(network, *data):
        real(network, *data)
        return times[type(network)].pop(0)

    monkeypatch.setattr(module, "_time_once", timed)
    got = compare_with_sklearn(NET, X, Y, repeats=2)
    assert (got.sklearn.fit_time, got.sklearn.predict_time) == (4, 1)
    assert (got.sknumpynet.fit_time, got.sknumpynet.predict_time) == (2, 7)


class Short(MLPClassifier):
    """scikit-learn's, trained for a moment only."""

    def fit(self, X, y, sample_weight=None):
        return self.set_params(max_iter=2).fit_all(X, y, sample_weight)

    fit_all = MLPClassifier.fit


@pytest.mark.parametrize("who", ["scikit-learn", "sknumpynet"])
def test_ctrl_c_ends_the_comparison_instead_of_one_fit(who, monkeypatch, ctrl_c):
    """Both networks catch Ctrl-C: half a fit must not be compared with a whole one."""
    if who == "sknumpynet":
        monkeypatch.setattr(module, "MLPClassifier", Short)
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    endless = NumpyMLPClassifier(
        (5,), max_iter=10**8, tol=0.0, n_iter_no_change=10**8, random_state=0
    )

    def progress(n_done, n_fits, what):
        if what.endswith(who):
            timer.start()

    try:
        with pytest.raises(KeyboardInterrupt):
            compare_with_sklearn(endless, X, Y, repeats=1, progress=progress)
    finally:
        timer.cancel()


def test_other_warnings_that_are_errors_stay_what_they_are():
    net = NumpyMLPClassifier((5,), learning_rate="adaptive", max_iter=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        with pytest.raises(UserWarning, match="learning_rate"):
            compare_with_sklearn(net, X, Y, repeats=1)


# How it is told


def test_ratios_above_one_are_in_our_favour():
    got = compared(
        result([2, 1], fit_time=3.0, predict_time=0.5, size=900),
        result([2, 1], fit_time=2.0, predict_time=1.0, size=300),
    )
    assert (got.fit_speedup, got.predict_speedup, got.pickle_ratio) == (1.5, 0.5, 3.0)
    lines = {line[:33].strip(): line for line in str(got).splitlines()}
    assert lines["fit time"].split()[2:] == ["3.00", "s", "2.00", "s", "1.50x", "faster"]
    assert lines["predict time"].split()[2:] == ["0.50", "s", "1.00", "s", "2.00x", "slower"]
    assert lines["pickle size"].split()[2:] == ["0.9", "kB", "0.3", "kB", "3.00x", "smaller"]


def test_differences_are_absolute_largest_and_of_the_epochs_that_both_have():
    got = compared(
        result([4.0, 2.0, 1.0], coef=0.5, score=0.5),
        result([4.0, 2.25, 0.875, 0.5], coef=-0.25, score=0.25),
    )
    assert got.coef_difference == 0.75
    assert got.loss_differences.tolist() == [0, 0.25, 0.125]
    assert got.loss_difference == 0.25
    lines = str(got).splitlines()
    assert lines[0] == "made up: 60 rows to fit, 20 to test, 2 features"
    assert lines[1].split() == ["scikit-learn", "sknumpynet", "difference"]
    assert lines[2].split() == ["test", "accuracy", "0.5000", "0.2500", "-2.5e-01"]
    assert lines[5].split() == ["epochs", "3", "4", "+1"]
    assert lines[6].split() == ["final", "loss", "1", "0.5", "-5.0e-01"]
    assert lines[8].split() == ["largest", "difference", "in", "coefs_", "7.5e-01"]
    assert lines[9].split() == ["largest", "difference", "in", "loss_curve_", "2.5e-01"]


@pytest.mark.parametrize(
    ("fit_time", "shown"),
    [(2.5, "2.50 s"), (0.02, "20.0 ms"), (0.345, "345 ms"), (3e-6, "3.00 us")],
)
def test_the_table_fits_a_readme_and_its_columns_are_aligned(fit_time, shown):
    got = compared(
        result([4.0, 1.23456789e-9], fit_time=fit_time, size=123_456_789),
        result([4.0, 1e5 / 3], fit_time=fit_time / 3000, size=1000),
        notes=("a rather long note " * 10,),
    )
    lines = str(got).splitlines()
    assert max(map(len, lines)) <= 80
    assert len({len(line) for line in lines[1:10]}) == 1
    assert f" {shown} " in lines[3]
    assert lines[10].startswith("note: a rather") and lines[11].startswith("  ")


def test_equal_numbers_say_so_and_other_shapes_too():
    got = compared(result([2, 1]), result([2, 1]))
    assert str(got) == repr(got)
    assert [line.split()[-1] for line in str(got).splitlines()[2:]] == ["equal"] * 6 + ["0", "0"]
    got.sknumpynet.estimator.coefs_[0] = np.zeros((2, 4))
    assert np.isnan(got.coef_difference)
    assert "other shapes" in str(got)


def test_to_frame():
    pytest.importorskip("pandas")
    got = compared(
        result([4.0, 1.0], coef=0.5, fit_time=3.0, size=900),
        result([4.0, 1.5], fit_time=2.0, size=300),
    )
    frame = got.to_frame()
    assert list(frame.columns) == ["scikit-learn", "sknumpynet", "ratio", "difference"]
    assert frame.shape == (8, 4)
    assert frame.loc["fit time"].tolist() == [3.0, 2.0, 1.5, -1.0]
    assert frame.loc["pickle size"].tolist() == [900, 300, 3, -600]
    assert frame.loc["final loss", "difference"] == 0.5
    assert np.isnan(frame.loc["epochs", "ratio"])
    assert frame.loc["largest difference in coefs_", "difference"] == 0.5
    assert frame.loc["largest difference in loss_curve_", "difference"] == 0.5


@pytest.mark.parametrize(
    ("missing", "method", "remedy"),
    [("pandas", "to_frame", "pip install pandas"), ("matplotlib.pyplot", "plot", r"\[plot\]")],
)
def test_without_an_optional_package_the_error_says_what_to_install(
    monkeypatch, missing, method, remedy
):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=remedy):
        getattr(compared(result([2, 1]), result([2, 1])), method)()


# How it is drawn


def test_plot_draws_both_curves_and_their_difference(pyplot):
    got = compared(result([4.0, 2.0, 1.0]), result([4.0, 2.25, 1.0]))
    display = got.plot()
    assert display.sklearn_line_.get_xydata().tolist() == [[1, 4], [2, 2], [3, 1]]
    assert display.sknumpynet_line_.get_xydata().tolist() == [[1, 4], [2, 2.25], [3, 1]]
    assert display.difference_line_.get_xydata().tolist() == [[1, 0], [2, 0.25], [3, 0]]
    upper, lower = display.axes_
    assert display.sklearn_line_.axes is display.sknumpynet_line_.axes is upper
    assert display.difference_line_.axes is lower
    legend = dict(
        zip(
            [text.get_text() for text in upper.get_legend().get_texts()],
            [handle.get_color() for handle in upper.get_legend().get_lines()],
            strict=True,
        )
    )
    assert legend == {
        "scikit-learn": display.sklearn_line_.get_color(),
        "sknumpynet": display.sknumpynet_line_.get_color(),
    }
    assert (upper.get_ylabel(), lower.get_ylabel()) == ("training loss", "|difference|")
    assert lower.get_xlabel() == "epoch" and "made up" in upper.get_title()
    upper.set_xlim(0, 7)
    assert lower.get_xlim() == (0, 7)


def test_equal_curves_are_both_seen_and_zero_is_on_the_axis(pyplot):
    display = compared(result([4.0, 2.0]), result([4.0, 2.0])).plot()
    pyplot.figure(display.figure_).canvas.draw()
    theirs, ours = display.sklearn_line_, display.sknumpynet_line_
    assert theirs.get_linewidth() > 3 * ours.get_linewidth()
    assert theirs.get_zorder() <= ours.get_zorder() and theirs.get_alpha() < 1
    bottom, top = display.axes_[1].get_ylim()
    assert bottom < 0 < top and 0 in display.axes_[1].get_yticks()


@pytest.mark.parametrize(
    ("curve", "scale"), [([4, 3], "linear"), ([4, 0.01], "log"), ([4, -1], "linear")]
)
def test_losses_over_several_magnitudes_are_drawn_on_a_logarithmic_axis(pyplot, curve, scale):
    display = compared(result(curve), result(curve)).plot()
    assert display.axes_[0].get_yscale() == scale


@pytest.mark.parametrize(("theirs", "ours"), [(3.0, 2.5), (-3.0, -2.5), (0.0, 0.0)])
def test_without_a_curve_the_final_losses_are_drawn(pyplot, theirs, ours):
    display = compared(result([theirs]), result([ours])).plot()
    assert display.sklearn_line_.get_xydata().tolist() == [[1, theirs]]
    assert display.sknumpynet_line_.get_xydata().tolist() == [[1, ours]]
    assert display.difference_line_.get_ydata().tolist() == [abs(theirs - ours)]
    bottom, top = display.axes_[0].get_ylim()
    assert bottom <= min(theirs, ours) and max(theirs, ours) <= top
    assert "no loss curve" in display.axes_[0].texts[0].get_text()


def test_plot_on_axes_of_ones_own(pyplot):
    figure, axes = pyplot.subplots(2)
    axes[0].plot([0, 1], [-5, 5])  # what is there already must not count as a loss
    display = compared(result([4, 0.01]), result([4, 0.01])).plot(axes=axes)
    assert display.figure_ is figure and display.axes_ == tuple(axes)
    assert display.axes_[0].get_yscale() == "log"
    with pytest.raises(ValueError, match=r"axes must be two matplotlib Axes.* got 3"):
        display.plot(axes=pyplot.subplots(3)[1])


def test_a_dollar_sign_in_the_name_starts_no_formula(pyplot):
    got = compared(result([2, 1]), result([2, 1]))
    display = Comparison(**{**vars(got), "name": "price_$ by cost_$"}).plot()
    display.figure_.canvas.draw()
    assert r"price_\$ by cost_\$" in display.axes_[0].get_title()


def test_several_comparisons_in_one_figure(pyplot):
    curves = ([4.0, 2.0], [3.0, 1.0], [5.0])
    several = [compared(result(curve), result(curve)) for curve in curves]
    figure = plot_comparisons(several)
    assert len(figure.axes) == 6
    for curve, ax in zip(curves, figure.axes[:3], strict=True):
        assert ax.lines[0].get_ydata().tolist() == curve
    from matplotlib.figure import Figure

    own = Figure()
    assert plot_comparisons(iter(several), figure=own) is own and len(own.axes) == 6
    with pytest.raises(ValueError, match="at least one Comparison"):
        plot_comparisons([])
