# SPDX-License-Identifier: BSD-3-Clause
"""What "Coming from skorch" and "Coming from Keras" say, with the real ones where they are installed."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

DOCS = Path(__file__).resolve().parents[2] / "docs"
rng = np.random.RandomState(0)
X = rng.normal(size=(40, 4))
Y = np.arange(40) % 3


def code_of(page, word):
    """Run the block of a page that has the word, and return its names."""
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), flags=re.M | re.S)
    names = {"np": np, "NumpyMLPClassifier": NumpyMLPClassifier}
    exec(next(block for block in blocks if word in block), names)
    return names


@pytest.fixture
def torch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    return torch


@pytest.fixture
def keras(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(0)
    return keras


def activation_of(name, nn):
    return {"relu": nn.ReLU, "tanh": nn.Tanh, "logistic": nn.Sigmoid, "gelu": nn.GELU, "silu": nn.SiLU,
            "elu": nn.ELU, "selu": nn.SELU, "mish": nn.Mish, "softplus": nn.Softplus,
            "softsign": nn.Softsign, "leaky_relu": nn.LeakyReLU,
            "hard_tanh": nn.Hardtanh}[name]()  # fmt: skip


ACTIVATIONS = ["relu", "tanh", "logistic", "gelu", "silu", "elu", "selu", "mish", "softplus", "softsign",
               "leaky_relu", "hard_tanh"]  # fmt: skip


def test_arrays_in_the_layout_of_pytorch(capsys):
    names = code_of("coming_from_skorch.md", "from_state_dict")
    assert capsys.readouterr().out == "True\n"
    state, network = names["state"], names["network"]
    hidden = np.maximum(X @ state["0.weight"].T + state["0.bias"], 0)
    raw = hidden @ state["3.weight"].T + state["3.bias"]
    assert_allclose(network.decision_function(X), raw, rtol=1e-4, atol=1e-5)
    assert network.coefs_[0].dtype == np.float32


def test_arrays_in_the_layout_of_keras(capsys):
    names = code_of("coming_from_keras.md", "get_weights")
    assert capsys.readouterr().out == "True\n"
    W, b, V, c = names["weights"]
    raw = np.maximum(X @ W + b, 0) @ V + c
    assert_allclose(names["network"].decision_function(X), raw, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_modules_of_pytorch_go_over_and_back(torch, activation):
    nn, code = torch.nn, code_of("coming_from_skorch.md", "from_state_dict")
    module = nn.Sequential(
        nn.Linear(4, 7), activation_of(activation, nn), nn.Dropout(0.5), nn.Linear(7, 3)
    ).eval()
    coefs, intercepts = code["from_state_dict"](module.state_dict())
    network = NumpyMLPClassifier.from_weights(coefs, intercepts, activation=activation)
    inputs = X.astype(np.float32)
    with torch.no_grad():
        p = torch.softmax(module(torch.from_numpy(inputs)), 1).numpy()
    assert_allclose(network.predict_proba(inputs), p, atol=1e-6)
    back = code["to_state_dict"](network, module.state_dict())
    other = nn.Sequential(
        nn.Linear(4, 7), activation_of(activation, nn), nn.Dropout(0.5), nn.Linear(7, 3)
    )
    other.load_state_dict({name: torch.from_numpy(value) for name, value in back.items()})
    for name, value in module.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)


EPSILON = 1e-15  # of Adam: it stands in different places


def trained_by_pytorch(torch, module, optimizer, criterion, y, epochs):
    """Train on all rows at once, in double precision; return the weights."""
    inputs, targets = torch.from_numpy(X), torch.from_numpy(y)
    for _ in range(epochs):
        optimizer.zero_grad()
        criterion(module(inputs), targets).backward()
        optimizer.step()
    return [value.detach().numpy() for value in module.parameters()]


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW", "decayed"])
@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_steps_of_pytorch_by_the_names_of_the_table(torch, optimizer, kind):
    nn, code = torch.nn, code_of("coming_from_skorch.md", "from_state_dict")
    n_outputs = 3 if kind == "classes" else 1
    module = nn.Sequential(nn.Linear(4, 7), nn.Tanh(), nn.Linear(7, n_outputs)).double()
    coefs, intercepts = code["from_state_dict"](module.state_dict())
    rate = 0.1 if optimizer == "SGD" else 0.01
    theirs = {
        "SGD": lambda: torch.optim.SGD(module.parameters(), lr=rate, momentum=0.9),
        "Adam": lambda: torch.optim.Adam(module.parameters(), lr=rate, eps=EPSILON),
        "AdamW": lambda: torch.optim.AdamW(
            module.parameters(), lr=rate, weight_decay=0, eps=EPSILON
        ),
        "decayed": lambda: torch.optim.SGD(
            [
                {"params": [p for p in module.parameters() if p.ndim == 2], "weight_decay": 0.01},
                {"params": [p for p in module.parameters() if p.ndim == 1]},
            ],
            lr=rate,
        ),
    }[optimizer]()
    params = {"solver": "adam", "alpha": 0, "batch_size": 40, "learning_rate_init": rate}
    params["epsilon"] = EPSILON
    if optimizer in ("SGD", "decayed"):
        params |= {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False}
    if optimizer == "decayed":
        params |= {"momentum": 0, "alpha": 0.01 * 40}
    cls, y = NumpyMLPClassifier, Y
    criterion = nn.CrossEntropyLoss()
    if kind == "numbers":
        cls, y, mean_squared = NumpyMLPRegressor, X[:, :1] - X[:, 1:2], nn.MSELoss()

        def criterion(output, target):
            return mean_squared(output, target) / 2

    network = cls.from_weights(coefs, intercepts, activation="tanh", **params)
    for _ in range(5):
        network.partial_fit(X, y[:, 0] if kind == "numbers" else y)
    weights = trained_by_pytorch(torch, module, theirs, criterion, y, 5)
    tolerance = 1e-9 if "Adam" in optimizer else 1e-12
    for W, b, ours, bias in zip(weights[::2], weights[1::2], network.coefs_, network.intercepts_):
        assert_allclose(ours, W.T, atol=tolerance)
        assert_allclose(bias, b, atol=tolerance)


def test_an_estimator_of_skorch_goes_over(torch):
    skorch = pytest.importorskip("skorch")
    nn, code = torch.nn, code_of("coming_from_skorch.md", "from_state_dict")
    module = nn.Sequential(nn.Linear(4, 20), nn.ReLU(), nn.Dropout(0.1), nn.Linear(20, 3))
    net = skorch.NeuralNetClassifier(
        module, criterion=nn.CrossEntropyLoss, optimizer=torch.optim.AdamW, lr=0.01, max_epochs=3,
        verbose=0,
    )  # fmt: skip
    net.fit(X.astype(np.float32), Y.astype(np.int64))
    network = NumpyMLPClassifier.from_weights(*code["from_state_dict"](net.module_.state_dict()))
    inputs = X.astype(np.float32)
    with torch.no_grad():
        net.module_.eval()
        raw = net.module_(torch.from_numpy(inputs)).numpy()
    assert_allclose(network.decision_function(inputs), raw, atol=1e-5)
    assert_array_equal(network.predict(inputs), net.predict(inputs))


@pytest.mark.parametrize("activation", [*ACTIVATIONS[:-2], "leaky_relu"])
def test_models_of_keras_go_over_and_back(keras, activation):
    layers = keras.layers
    named = {"logistic": "sigmoid", "leaky_relu": layers.LeakyReLU(negative_slope=0.01)}
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(7, named.get(activation, activation)),
            layers.Dropout(0.5),
            layers.Dense(3, "softmax"),
        ]
    )
    weights = model.get_weights()
    network = NumpyMLPClassifier.from_weights(weights[::2], weights[1::2], activation=activation)
    inputs = X.astype(np.float32)
    assert_allclose(network.predict_proba(inputs), model.predict(inputs, verbose=0), atol=1e-6)
    back = [each for layer in zip(network.coefs_, network.intercepts_) for each in layer]
    model.set_weights([np.zeros_like(each) for each in weights])
    model.set_weights(back)
    for one, other in zip(weights, model.get_weights()):
        assert_array_equal(one, other)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "penalty"])
def test_steps_of_keras_by_the_names_of_the_table(keras, optimizer):
    layers, regularizer = keras.layers, None
    if optimizer == "penalty":
        regularizer = keras.regularizers.L2(0.01)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(7, "tanh", kernel_regularizer=regularizer),
            layers.Dense(3, "softmax", kernel_regularizer=regularizer),
        ]
    )
    weights = model.get_weights()
    theirs = keras.optimizers.Adam(0.01) if optimizer == "adam" else keras.optimizers.SGD(0.1)
    model.compile(optimizer=theirs, loss="sparse_categorical_crossentropy")
    params = {
        "solver": "sgd",
        "momentum": 0,
        "learning_rate_init": 0.1,
        "alpha": 0,
        "batch_size": 40,
    }
    if optimizer == "adam":
        params |= {"solver": "adam", "learning_rate_init": 0.01, "epsilon": 1e-7}
    if optimizer == "penalty":
        params["alpha"] = 2 * 0.01 * 40
    network = NumpyMLPClassifier.from_weights(
        weights[::2], weights[1::2], activation="tanh", **params
    )
    inputs = X.astype(np.float32)
    for _ in range(5):
        network.partial_fit(inputs, Y)
        model.train_on_batch(inputs, Y)
    back = [each for layer in zip(network.coefs_, network.intercepts_) for each in layer]
    for one, other, first in zip(back, model.get_weights(), weights):
        assert_allclose(one, other, atol=2e-6)
        assert abs(one - first).max() > 1e-3
