# SPDX-License-Identifier: BSD-3-Clause
"""All numbers of one step: against formulas, finite differences, and the step of training."""

import copy
import sys
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from fitted_state import fitted_state
from numpy.testing import assert_allclose, assert_array_equal
from reference import activate, slope
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier

from sknumpynet import (
    Cosine,
    Huber,
    LeakyReLU,
    NumpyMLPClassifier,
    NumpyMLPRegressor,
    Quantile,
    StepExplanation,
    Warmup,
    explain_step,
)

rng = np.random.RandomState(0)
X = rng.normal(size=(60, 3))
NUMBERS = X[:, 0] - 2 * X[:, 1]
CLASSES = np.digitize(NUMBERS, [-1, 1])
COLUMNS = np.column_stack([NUMBERS, X[:, 2]])


def fitted(cls=NumpyMLPClassifier, y=CLASSES, **params):
    settings = {
        "hidden_layer_sizes": (4, 3),
        "activation": "tanh",
        "solver": "sgd",
        "momentum": 0.0,
        "learning_rate_init": 0.1,
        "max_iter": 3,
        "random_state": 0,
    }
    return cls(**{**settings, **params}).fit(X, y)


def softmax(z):
    return np.exp(z) / np.exp(z).sum()


@pytest.mark.parametrize("activation", ["tanh", "relu", ["logistic", "gelu"]])
def test_the_numbers_are_those_of_the_formulas(activation):
    model = fitted(activation=activation, alpha=0.5)
    names = activation if isinstance(activation, list) else [activation] * 2
    step = explain_step(model, X[0], CLASSES[0])
    W, b = model.coefs_, model.intercepts_
    # forward
    a, z = [X[0]], []
    for k in range(3):
        z.append(a[k] @ W[k] + b[k])
        a.append(activate(names[k], z[k]) if k < 2 else softmax(z[k]))
    # backward
    y = np.eye(3)[CLASSES[0]]
    delta = [None, None, a[3] - y]
    for k in (1, 0):
        delta[k] = (W[k + 1] @ delta[k + 1]) * slope(names[k], z[k])
    for k, layer in enumerate(step.layers):
        assert layer["function"] == [*names, "softmax"][k]
        assert_allclose(layer["x"], a[k])
        assert_array_equal(layer["W"], W[k])
        assert_array_equal(layer["b"], b[k])
        assert_allclose(layer["z"], z[k])
        assert_allclose(layer["a"], a[k + 1])
        if k < 2:
            assert_allclose(layer["slope"], slope(names[k], z[k]))
        assert_allclose(layer["delta"], delta[k], atol=1e-12)
        assert_allclose(layer["dW"], np.outer(a[k], delta[k]), atol=1e-12)
        assert_allclose(layer["db"], delta[k], atol=1e-12)
        assert_allclose(layer["gW"], layer["dW"] + 0.5 * W[k], atol=1e-12)
        assert_allclose(layer["new_W"], W[k] - 0.1 * layer["gW"], atol=1e-12)
        assert_allclose(layer["new_b"], b[k] - 0.1 * layer["db"], atol=1e-12)
    assert_array_equal(step.y, y)
    assert_allclose(step.prediction, model.predict_proba(X[:1])[0])
    assert_allclose(step.loss, -np.log(a[3][CLASSES[0]]))
    assert_allclose(step.penalty, 0.25 * sum((each**2).sum() for each in W))
    assert step.learning_rate == 0.1


CASES = {
    "adam": {"solver": "adam"},
    "momentum": {"momentum": 0.9},
    "one_cycle": {"learning_rate": "one_cycle"},
    "invscaling": {"learning_rate": "invscaling"},
    "dropout": {"dropout": [0.3, 0.5, 0.5]},
    "layer": {"normalization": "layer", "dropout": 0.4},
    "batch": {"normalization": "batch"},
    "no bias": {"fit_intercept": False},
    "clipped": {"max_grad_norm": 0.01, "l1_ratio": 0.5, "alpha": 0.1},
    "weighted": {"class_weight": {0: 3.0, 1: 2.0, 2: 0.5}, "alpha": 0.3},
    "no hidden layer": {"hidden_layer_sizes": ()},
    "float32": {"dtype": "float32"},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.3},
}


@pytest.mark.parametrize("params", CASES.values(), ids=CASES)
def test_the_step_is_the_one_that_partial_fit_takes(params):
    model = fitted(**params)
    before = fitted_state(model)
    draws = np.random.get_state()[1].copy()
    step = explain_step(model, X[5], CLASSES[5])
    assert fitted_state(model) == before
    assert_array_equal(np.random.get_state()[1], draws)
    model.set_params(early_stopping=False, batch_size=1).partial_fit(X[5:6], CLASSES[5:6])
    for k, layer in enumerate(step.layers):
        assert_array_equal(layer["new_W"], model.coefs_[k])
        if "b" in layer:
            assert_array_equal(layer["new_b"], model.intercepts_[k])
    assert ("b" in step.layers[0]) == (params.get("fit_intercept", True))
    assert step.learning_rate == model.history_["learning_rate"][-1]
    assert_allclose(step.loss + step.penalty, model.loss_curve_[-1], rtol=1e-6)
    assert str(step).startswith("NumpyMLPClassifier, 3-")


CHANGES = {
    "dropout": {"dropout": 0.4},
    "dropout of the input": {"dropout": [0.3, 0.5, 0.0]},
    "activation": {"activation": "tanh"},
    "activations": {"activation": ["gelu", LeakyReLU(0.3)]},
    "both": {"dropout": 0.4, "activation": "softplus"},
    "loss": {"loss": "focal"},
    "schedule": {"learning_rate": Warmup(Cosine(), steps=50)},
    "option of a schedule": {"learning_rate__schedule__end_factor": 0.5},
    "optimizer": {"solver": "rmsprop"},
    "penalty": {"alpha": 0.7, "l1_ratio": 0.5, "max_grad_norm": 0.01},
    "class weights": {"class_weight": {0: 3.0, 1: 2.0}},
}


@pytest.mark.parametrize("begin", [{}, {"dropout": 0.2}, {"normalization": "layer"}])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_was_set_since_the_fit_is_in_the_step(change, method, begin):
    schedule = Warmup(Cosine(end_factor=0.1), steps=4)
    begin = {"hidden_layer_sizes": (5, 4), "solver": "adamw", "learning_rate": schedule, **begin}
    begin["normalization"] = begin.get("normalization")
    model = NumpyMLPClassifier(**begin, max_iter=3, random_state=0)
    named = {"classes": [0, 1, 2]} if method == "partial_fit" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        getattr(model, method)(X, CLASSES, **named)
    model.set_params(**change)
    before = fitted_state(model)
    step = explain_step(model, X[5], CLASSES[5])
    assert fitted_state(model) == before
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.partial_fit(X[5:6], CLASSES[5:6])
    assert len(step.layers) == 3
    for k, layer in enumerate(step.layers):
        assert_array_equal(layer["new_W"], model.coefs_[k])
        assert_array_equal(layer["new_b"], model.intercepts_[k])
    assert step.learning_rate == model.history_["learning_rate"][-1]
    assert_allclose(step.loss + step.penalty, model.loss_curve_[-1], rtol=1e-10)
    if isinstance(change.get("activation"), str):
        assert [layer["function"] for layer in step.layers[:2]] == [change["activation"]] * 2
    assert ("mask" in step.layers[0]) == bool(model.dropout)


@pytest.mark.parametrize(
    ("cls", "y", "params"),
    [
        (NumpyMLPRegressor, NUMBERS, {}),
        (NumpyMLPRegressor, COLUMNS, {}),
        (NumpyMLPRegressor, NUMBERS, {"loss": Quantile([0.2, 0.8])}),
        (NumpyMLPRegressor, NUMBERS, {"loss": Huber(), "normalization": "layer"}),
        (NumpyMLPRegressor, NUMBERS**2, {"loss": "poisson"}),
        (NumpyMLPClassifier, CLASSES > 1, {"normalization": "batch"}),
        (NumpyMLPClassifier, CLASSES, {"label_smoothing": 0.2}),
        (NumpyMLPClassifier, CLASSES, {"solver": "lbfgs", "class_weight": "balanced"}),
        (NumpyMLPClassifier, np.eye(3, dtype=int)[CLASSES], {}),
        (NumpyMLPClassifier, np.array(list("abc"))[CLASSES], {"loss": "focal"}),
        (NumpyMLPClassifier, np.column_stack([CLASSES, CLASSES > 0]), {}),
    ],
)
def test_the_gradients_are_the_slopes_of_the_loss(cls, y, params):
    model = fitted(cls, y, **params)
    step = explain_step(model, X[2], y[2])
    for k, i, j in ((0, 0, 1), (0, 2, 3), (1, 1, 2), (2, 0, 0)):
        losses = []
        for nudge in (1e-5, -1e-5):
            other = copy.deepcopy(model)
            other.coefs_[k][i, j] += nudge
            losses.append(explain_step(other, X[2], y[2]).loss)
        difference = (losses[0] - losses[1]) / 2e-5
        assert_allclose(step.layers[k]["dW"][i, j], difference, rtol=1e-5, atol=1e-8)
    if cls is NumpyMLPRegressor or y.ndim == 1:
        forward = explain_step(model, X[2])
        assert_allclose(forward.prediction, step.prediction)
    if cls is NumpyMLPRegressor:
        assert_allclose(step.prediction, np.ravel(model.predict(X[2:3])))
    if params.get("solver") == "lbfgs":
        assert step.learning_rate is None and "new_W" not in step.layers[0]
        assert "Update: none" in str(step)


def test_without_a_target_there_is_a_forward_pass_only():
    model = fitted(dropout=0.5)
    step = explain_step(model, X[0])
    for k in range(2):
        assert_allclose(step.layers[k]["a"], model.hidden_activations(X[:1], k)[0])
    assert_allclose(step.prediction, model.predict_proba(X[:1])[0])
    assert step.loss is None and not {"delta", "dW", "mask"} & set(step.layers[0])
    assert "Backward" not in str(step) and "Loss" not in str(step)


def test_what_cannot_be_trained_goes_forward():
    gate = NumpyMLPClassifier.from_weights(
        [[[1, 1], [1, 1]], [[1], [-1]]], [[-0.5, -1.5], [-0.5]], activation="step"
    )
    assert_array_equal(explain_step(gate, [1, 0]).layers[0]["a"], [1, 0])
    with pytest.raises(ValueError, match="step"):
        explain_step(gate, [1, 0], 1)


def test_normalisation_and_masks_are_shown():
    step = explain_step(
        fitted(normalization="layer", dropout=[0.5, 0.5, 0.5], random_state=1), X[0], CLASSES[0]
    )
    for k in range(2):
        layer = step.layers[k]
        s = layer["s"]
        assert_allclose(layer["h"], (s - s.mean()) / np.sqrt(s.var() + 1e-5))
        assert_allclose(layer["z"], layer["gain"] * layer["h"] + layer["shift"])
        assert_allclose(layer["dgain"], layer["delta"] * layer["h"], atol=1e-12)
        assert_allclose(layer["dW"], np.outer(layer["x"], layer["ds"]), atol=1e-12)
        assert set(layer["mask"]) <= {0, 2}
        assert_allclose(step.layers[k + 1]["x"], layer["a"] * layer["mask"])
    assert_array_equal(step.layers[0]["x"], X[0] * step.layers[0]["x_mask"])
    assert_array_equal(step.x, X[0])
    assert "dropout" in str(step) and "normalised(s0)" in str(step)


def test_rows_hold_each_number_once():
    step = explain_step(fitted(), X[0], CLASSES[0])
    rows = step.rows()
    assert len({tuple(list(row.values())[:4]) for row in rows}) == len(rows)
    assert len(rows) == sum(np.size(each) for layer in step.layers for each in layer.values()) - 3
    for row in rows:
        array = step.layers[row["layer"]][row["quantity"]]
        index = [row[key] for key in ("input", "unit") if row[key] is not None]
        assert array[tuple(index)] == row["value"]
    weight = {"layer": 1, "quantity": "W", "input": 2, "unit": 1}
    assert {**weight, "value": step.layers[1]["W"][2, 1]} in rows


def test_rows_as_a_frame(monkeypatch):
    pytest.importorskip("pandas")
    step = explain_step(fitted(), X[0], CLASSES[0])
    frame = step.to_frame()
    assert list(frame.columns) == ["layer", "quantity", "input", "unit", "value"]
    delta = frame.query("layer == 0 and quantity == 'delta'")
    assert_array_equal(delta["value"], step.layers[0]["delta"])
    assert_array_equal(delta["unit"], range(4))
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        step.to_frame()


def test_the_derivation_of_two_layers():
    model = NumpyMLPRegressor.from_weights(
        [[[0.5, -1.0]], [[2.0], [4.0]]],
        [[0.0, 0.5], [1.0]],
        solver="sgd",
        momentum=0.0,
        learning_rate_init=0.5,
        alpha=0.0,
    )
    assert str(explain_step(model, [2.0], 1.0)).splitlines() == [
        "NumpyMLPRegressor, 1-2-1, solver='sgd', on one row",
        "",
        "Forward",
        "  x = [2]",
        "  Layer 0: z0 = x W0 + b0, a0 = relu(z0)",
        "    z0[0] = 2 * 0.5 + 0 = 1",
        "    a0[0] = relu(1) = 1",
        "    z0[1] = 2 * (-1) + 0.5 = -1.5",
        "    a0[1] = relu(-1.5) = 0",
        "  Layer 1, the output: z1 = a0 W1 + b1, prediction = identity(z1)",
        "    z1[0] = 1 * 2 + 0 * 4 + 1 = 3",
        "",
        "Loss: SquaredError() with y = [1]",
        "  L = 2",
        "",
        "Backward",
        "  Layer 1, the output: delta1 = dL/dz1 = prediction - y, dW1 = a0^T delta1, db1 = delta1",
        "    delta1[0] = 3 - 1 = 2",
        "    dW1[0,0] = 1 * 2 = 2",
        "    dW1[1,0] = 0 * 2 = 0",
        "    db1 = [2]",
        "  Layer 0: delta0 = (delta1 W1^T) * relu'(z0), dW0 = x^T delta0, db0 = delta0",
        "    delta0[0] = (2 * 2) * 1 = 4",
        "    delta0[1] = (2 * 4) * 0 = 0",
        "    dW0[0,0] = 2 * 4 = 8",
        "    dW0[0,1] = 2 * 0 = 0",
        "    db0 = [4, 0]",
        "",
        "Update: SGD(momentum=0.0), learning rate 0.5",
        "  W0[0,0] = 0.5 - 0.5 * 8 = -3.5",
        "  W0[0,1] = -1 - 0.5 * 0 = -1",
        "  b0[0] = 0 - 0.5 * 4 = -2",
        "  b0[1] = 0.5 - 0.5 * 0 = 0.5",
        "  W1[0,0] = 2 - 0.5 * 2 = 1",
        "  W1[1,0] = 4 - 0.5 * 0 = 4",
        "  b1[0] = 1 - 0.5 * 2 = 0",
    ]


def test_large_networks_are_shortened_in_print_only():
    wide = np.random.RandomState(1).normal(size=(40, 64))
    model = NumpyMLPClassifier((100,), max_iter=2, random_state=0).fit(wide, np.arange(40) % 10)
    step = explain_step(model, wide[0], 0)
    text = str(step)
    assert max(map(len, text.splitlines())) < 200 and len(text.splitlines()) < 150
    assert "(60 more terms)" in text and "... 95 more units" in text and "... 6388 more" in text
    assert step.layers[0]["dW"].shape == (64, 100)
    assert sum(row["quantity"] == "dW" for row in step.rows()) == 64 * 100 + 100 * 10


@pytest.mark.parametrize("form", ["row", "matrix", "list", "sparse"])
def test_forms_of_one_row(form):
    model = fitted()
    x = {"row": X[0], "matrix": X[:1], "list": list(X[0]), "sparse": sp.csr_matrix(X[:1])}[form]
    assert_array_equal(explain_step(model, x, CLASSES[:1]).x, X[0])


def test_rows_of_a_frame_keep_their_names():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abc"))
    model = fitted().fit(frame, CLASSES)
    for x in (frame.iloc[0], frame.iloc[:1]):
        assert_array_equal(explain_step(model, x, CLASSES[0]).x, X[0])


def test_bad_input_is_named():
    model = fitted()
    with pytest.raises(ValueError, match=r"x must be one row; got an array of shape \(60, 3\)"):
        explain_step(model, X, CLASSES)
    with pytest.raises(ValueError, match="features"):
        explain_step(model, X[0, :2], 0)
    with pytest.raises(TypeError, match=r"explain_step needs a fitted Numpy.*got MLPClassifier"):
        explain_step(MLPClassifier(max_iter=2).fit(X, CLASSES), X[0])
    with pytest.raises(NotFittedError):
        explain_step(NumpyMLPClassifier(), X[0])


LABELS = np.column_stack([np.arange(60) % 3, np.arange(60) % 4])


@pytest.mark.parametrize(
    ("y", "given", "message"),
    [
        (CLASSES, 7, r"y must be one of the labels in classes_, \[0, 1, 2\]; got 7$"),
        (CLASSES > 0, "z", r"y must be one of the labels in classes_, \[False, True\]; got 'z'$"),
        (CLASSES, np.nan, "y must be one of the labels .* got nan$"),
        (CLASSES, [0, 1], r"y must hold one value; got \[0, 1\]$"),
        (CLASSES, [], r"y must hold one value; got \[\]$"),
        (LABELS, 1, "y must hold 2 values, one for each column of the y of fit; got 1$"),
        (LABELS, [0, 9], r"y has classes not in classes_: \[9\]"),
        (LABELS % 2, [0, 1, 1], "y must hold 2 values, one for each column"),
    ],
)
def test_label_that_the_network_does_not_have(y, given, message):
    model = fitted(y=y)
    with pytest.raises(ValueError, match=message) as raised:
        explain_step(model, X[0], given)
    assert "partial_fit" not in str(raised.value)


def test_target_with_another_number_of_values():
    model = fitted(NumpyMLPRegressor, NUMBERS)
    with pytest.raises(ValueError, match=r"y must hold one value; got \[1, 2\]$"):
        explain_step(model, X[0], [1, 2])


def test_step_does_not_depend_on_warm_start():
    cold, warm = explain_step(fitted(), X[0], 1), explain_step(fitted(warm_start=True), X[0], 1)
    assert cold.rows() == warm.rows()


def test_without_a_random_state_the_global_generator_stays():
    model = fitted(random_state=None, dropout=0.5)
    model.trim_for_prediction()
    draws = np.random.get_state()[1:3]
    assert isinstance(explain_step(model, X[0], CLASSES[0]), StepExplanation)
    assert_array_equal(np.random.get_state()[1], draws[0])
    assert np.random.get_state()[2] == draws[1]
