# SPDX-License-Identifier: BSD-3-Clause
"""skorch, and PyTorch's modules: the code of "Coming from skorch", and steps by the names of its table."""

import numpy as np
import pytest
from export.test_other_libraries import X, code_of
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

torch = pytest.importorskip("torch")
skorch = pytest.importorskip("skorch")

Y = np.arange(40) % 3


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def activation_of(name, nn):
    return {"relu": nn.ReLU, "tanh": nn.Tanh, "logistic": nn.Sigmoid, "gelu": nn.GELU, "silu": nn.SiLU,
            "elu": nn.ELU, "selu": nn.SELU, "mish": nn.Mish, "softplus": nn.Softplus,
            "softsign": nn.Softsign, "leaky_relu": nn.LeakyReLU,
            "hard_tanh": nn.Hardtanh}[name]()  # fmt: skip


ACTIVATIONS = ["relu", "tanh", "logistic", "gelu", "silu", "elu", "selu", "mish", "softplus", "softsign",
               "leaky_relu", "hard_tanh"]  # fmt: skip


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_modules_of_pytorch_go_over_and_back(activation):
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


def trained_by_pytorch(module, optimizer, criterion, y, epochs):
    """Train on all rows at once, in double precision; return the weights."""
    inputs, targets = torch.from_numpy(X), torch.from_numpy(y)
    for _ in range(epochs):
        optimizer.zero_grad()
        criterion(module(inputs), targets).backward()
        optimizer.step()
    return [value.detach().numpy() for value in module.parameters()]


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW", "decayed"])
@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_steps_of_pytorch_by_the_names_of_the_table(optimizer, kind):
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
    weights = trained_by_pytorch(module, theirs, criterion, y, 5)
    tolerance = 1e-9 if "Adam" in optimizer else 1e-12
    for W, b, ours, bias in zip(weights[::2], weights[1::2], network.coefs_, network.intercepts_):
        assert_allclose(ours, W.T, atol=tolerance)
        assert_allclose(bias, b, atol=tolerance)


def test_an_estimator_of_skorch_goes_over():
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
