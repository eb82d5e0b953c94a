# SPDX-License-Identifier: BSD-3-Clause
"""Training in motion: every frame holds the numbers of a network that was fitted for as many epochs."""

import re
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.datasets import load_iris, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor, animate_training
from sknumpynet.datasets import cubic, xor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with matplotlib.rc_context():
        yield plt
    plt.close("all")


def network(**params):
    settings = {"hidden_layer_sizes": (4,), "activation": "tanh", "random_state": 3}
    return NumpyMLPClassifier(**{**settings, **params})


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.filterwarnings("ignore:solver=.lbfgs. ignores")
def test_a_frame_is_what_fit_gives_after_as_many_epochs(solver):
    X, y = make_moons(60, noise=0.2, random_state=0)
    model = network(solver=solver, batch_size=16)
    animation = animate_training(model, X, y, epochs=7, every=3)
    assert [frame.epoch for frame in animation.frames] == [0, 3, 6, 7]
    for frame in animation.frames[1:]:
        fitted = network(
            solver=solver, batch_size=16, max_iter=frame.epoch, n_iter_no_change=99
        ).fit(X, y)
        assert_allclose(frame.output, fitted.predict_proba(animation.grid), rtol=1e-5)
        expected = fitted.hidden_activations(animation.grid, layer=0)
        assert_allclose(frame.hidden, expected, rtol=1e-5, atol=1e-6)
    before = network(solver=solver, batch_size=16).initialize(X, y)
    assert_allclose(animation.frames[0].output, before.predict_proba(animation.grid), rtol=1e-5)
    assert_allclose(animation.loss_curve, fitted.history_["loss"])


def test_without_epochs_it_goes_as_far_as_fit():
    X, y = xor()
    model = network(learning_rate_init=0.3, tol=1e-2, n_iter_no_change=4)
    animation = animate_training(model, X, y, every=10)
    assert animation.frames[-1].epoch == network(**model.get_params()).fit(X, y).n_iter_ < 200


def test_lbfgs_ends_where_it_has_converged():
    X, y = xor()
    animation = animate_training(network(solver="lbfgs"), X, y, epochs=500, every=20)
    fitted = network(solver="lbfgs", max_iter=500).fit(X, y)
    assert animation.frames[-1].epoch == fitted.n_iter_ == len(animation.loss_curve) < 500


def test_the_estimator_is_not_changed_and_the_clone_is_kept():
    X, y = xor()
    model = make_pipeline(StandardScaler(), network())
    animation = animate_training(model, X, y, epochs=5)
    assert not hasattr(model[-1], "coefs_") and not hasattr(model[0], "mean_")
    asked = animation.grid
    assert_allclose(animation.frames[-1].output, animation.estimator_.predict_proba(asked), 1e-5)


def test_surfaces_curves_and_panels_are_drawn():
    X, y = load_iris(return_X_y=True)
    animation = animate_training(network(), X[:, :2], y, epochs=3)
    figure = animation.plot()
    surface, loss, *panels = figure.axes
    assert len(panels) == 4
    pixels = surface.images[0].get_array()
    # white mixed with Okabe and Ito's blue, vermilion and green by the probabilities
    colors = np.array([[0, 114, 178], [213, 94, 0], [0, 158, 115]]) / 255
    expected = animation.frames[-1].output @ (1 - 0.55 * (1 - colors))
    assert_allclose(pixels.reshape(-1, 3), expected, atol=1e-6)
    assert_allclose(loss.lines[0].get_ydata(), animation.loss_curve)
    assert surface.get_title(loc="left") == "epoch 3"
    unit = panels[2].images[0].get_array()
    assert_allclose(unit.ravel(), animation.frames[-1].hidden[:, 2])


def test_a_curve_over_one_feature():
    X, y = cubic()
    model = NumpyMLPRegressor(hidden_layer_sizes=(9,), random_state=0)
    animation = animate_training(model, X, y, epochs=4, every=2)
    assert animation.frames[0].hidden is None  # nine units are too many to show
    figure = animation.plot(1)
    line = figure.axes[0].lines[0]
    assert_array_equal(line.get_ydata(), animation.frames[1].output[:, 0])
    assert line.get_xdata().min() < X.min() and line.get_xdata().max() > X.max()
    labels = np.where(y > y.mean(), "high", "low")
    assert animate_training(network(), X, labels, epochs=1).plot().axes[0].get_ylabel()


def test_a_gif_has_every_frame_and_a_notebook_shows_it(tmp_path):
    Image = pytest.importorskip("PIL.Image")
    X, y = xor()
    animation = animate_training(network(learning_rate_init=0.5), X, y, epochs=4)
    assert animation.save(tmp_path / "xor.gif", fps=5) is animation
    with Image.open(tmp_path / "xor.gif") as gif:
        assert gif.n_frames == len(animation) == 5
        first = np.asarray(gif.convert("RGB"))
        assert gif.info["duration"] == 200
        gif.seek(4)
        assert (np.asarray(gif.convert("RGB")) != first).any()
    for asked, stored in (({}, 0), ({"loop": False}, None)):  # 0 is for ever
        animation.save(tmp_path / "xor.gif", **asked)
        with Image.open(tmp_path / "xor.gif") as gif:
            assert gif.info.get("loop") == stored
    html = animation._repr_html_()
    assert html.startswith("<img alt=") and "http" not in re.sub('src="[^"]*"', "", html)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.zeros((4, 3))}, "one or two features; X has shape (4, 3)"),
        ({"y": np.eye(4)}, "one target; y has shape (4, 4)"),
        ({"epochs": 0}, "epochs must be an integer of at least 1; got 0"),
        ({"every": 1.5}, "every must be an integer of at least 1; got 1.5"),
        ({"estimator": network(early_stopping=True)}, "set early_stopping=False"),
        ({"estimator": network(alpha=-1)}, "'alpha'"),
    ],
)
def test_what_cannot_be_shown_is_refused(change, message):
    X, y = xor()
    given = {"estimator": network(), "X": X, "y": y, "epochs": 2, **change}
    with pytest.raises(ValueError, match=re.escape(message)):
        animate_training(**given)


def test_text_and_sparse_rows_are_refused():
    with pytest.raises(ValueError, match=r"X must hold numbers.*encode text first"):
        animate_training(network(), [["a", "b"]] * 4, xor()[1], epochs=2)
    with pytest.raises(TypeError, match=r"give X.toarray\(\)"):
        animate_training(network(), csr_matrix(xor()[0]), xor()[1], epochs=2)


@pytest.mark.parametrize("other", [LogisticRegression(), MLPClassifier()])
def test_other_estimators_are_refused(other):
    with pytest.raises(TypeError, match=type(other).__name__):
        animate_training(other, *xor())


def test_data_frames_keep_their_names():
    pd = pytest.importorskip("pandas")
    X, y = xor()
    frame = pd.DataFrame(X, columns=["left", "right"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        animation = animate_training(network(), frame, y, epochs=1)
        figure = animation.plot()
    assert figure.axes[0].get_xlabel() == "left"
