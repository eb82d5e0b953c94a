# SPDX-License-Identifier: BSD-3-Clause
"""Custom objects that write elsewhere than into the arrays they are given are named before a fit."""

import numpy as np
import pytest

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.core import (
    SGD,
    Activation,
    ActivationOfZ,
    Dense,
    Function,
    GradientError,
    Initializer,
    Layer,
    Loss,
    Network,
    Optimizer,
    SquaredError,
    arrays,
    check_gradients,
)
from sknumpynet.core.network.foreign import check_activation, check_loss, check_optimizer

X = np.random.default_rng(0).normal(size=(40, 3))
Y = X[:, :1] - X[:, 1:2] ** 2


# ---- activations


class Good(Activation):
    def forward(self, z, out):
        np.tanh(z, out=out)

    def backward(self, a, delta, scratch):
        np.multiply(a, a, out=scratch)
        np.subtract(1, scratch, out=scratch)
        delta *= scratch


class GoodInZ(Good):
    """Writes into z without a look at out, which is z."""

    def forward(self, z, out):
        z[...] = np.tanh(z)


class GoodOfZ(ActivationOfZ):
    def forward(self, z, out):
        out[...] = np.sin(z)

    def backward(self, z, delta, scratch):
        delta *= np.cos(z, out=scratch[0])


class StraightThrough(ActivationOfZ):
    """The sign, with the derivative of the identity."""

    def forward(self, z, out):
        np.sign(z, out=out)

    def backward(self, z, delta, scratch):
        pass


class Linear(Activation):
    def forward(self, z, out):
        out[...] = z

    def backward(self, a, delta, scratch):
        return delta


class PerUnit(GoodOfZ):
    """Has a factor for each unit."""

    def __init__(self, factors=(1.0, 2.0, 3.0, 4.0)):
        self.factors = factors

    def forward(self, z, out):
        np.multiply(z, self.factors, out=out)

    def backward(self, z, delta, scratch):
        delta *= self.factors


class OnlyForward(Activation):
    def forward(self, z, out):
        np.exp(z, out=out)


class Undefined(GoodOfZ):
    """NaN for negative z, of its own accord."""

    def forward(self, z, out):
        np.sqrt(z, out=out)


class Remembers(ActivationOfZ):
    def forward(self, z, out):
        self.slope = np.cos(z)
        np.sin(z, out=out)

    def backward(self, z, delta, scratch):
        delta *= self.slope


GOOD = [Good, GoodInZ, GoodOfZ, StraightThrough, Linear, PerUnit, OnlyForward, Undefined, Remembers]


class Returns(Good):
    def forward(self, z, out):
        return np.tanh(z)


class Rebinds(Good):
    def forward(self, z, out):
        out = np.tanh(z)  # noqa: F841


class ReturnsOfZ(GoodOfZ):
    def forward(self, z, out):
        return np.sin(z)


class SomeColumns(GoodOfZ):
    def forward(self, z, out):
        out[:, 1:] = np.sin(z[:, 1:])


class AddsToOut(GoodOfZ):
    def forward(self, z, out):
        out += np.sin(z)


class ReturnsDelta(Good):
    def backward(self, a, delta, scratch):
        return delta * (1 - a * a)


class ReadsScratch(Good):
    def backward(self, a, delta, scratch):
        scratch += 1 - a * a
        delta *= scratch


BAD = {
    Returns: "must write f",
    Rebinds: "must write f",
    ReturnsOfZ: "must write f",
    SomeColumns: "must write f",
    AddsToOut: "must write f",
    ReturnsDelta: "must multiply delta in place",
    ReadsScratch: "must write into scratch",
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("cls", GOOD)
def test_activations_that_write_in_place_pass(cls, dtype):
    check_activation(cls(), 4, dtype)
    Network([Dense(3, 4), cls(), Dense(4, 1)], dtype=dtype)


@pytest.mark.parametrize("cls", BAD)
def test_an_activation_that_does_not_is_named(cls):
    message = rf"{cls.__name__}\(\): .*{BAD[cls]}"
    with pytest.raises(ValueError, match=message):
        check_activation(cls())
    with pytest.raises(ValueError, match=message):
        Network([Dense(3, 4), cls(), Dense(4, 1)])
    for solver in ("adam", "lbfgs"):
        with pytest.raises(ValueError, match=message):
            NumpyMLPRegressor(
                hidden_layer_sizes=(4,), activation=cls(), solver=solver, max_iter=3
            ).fit(X, Y.ravel())
    network = Network([Dense(3, 4), "tanh", Dense(4, 1)])
    network.layers[1].activation = cls()
    with pytest.raises(ValueError, match=message):
        check_gradients(network, SquaredError(), X, Y)


def in_place(z):
    z *= 2
    return z


@pytest.mark.parametrize(
    "pair, message",
    [
        ((lambda z: None, np.cos), r"function\(z\) must return an array like z"),
        ((np.sin, lambda z: None), r"derivative\(z\) must return an array like z"),
        ((in_place, np.ones_like), r"function\(z\) must leave z unchanged"),
        ((np.sin, in_place), r"derivative\(z\) must leave z unchanged"),
    ],
)
def test_pairs_of_functions(pair, message):
    with pytest.raises(ValueError, match=rf"Function\(.*{message}"):
        Network([Dense(3, 4), pair, Dense(4, 1)])
    with pytest.raises(ValueError, match=message):
        NumpyMLPRegressor(hidden_layer_sizes=(4,), activation=pair, max_iter=3).fit(X, Y.ravel())


def test_valid_pairs_of_rows():
    for pair in [(np.sin, np.cos), (lambda z: z * 3, lambda z: 3.0), (np.tanh, lambda z: 1 - z)]:
        check_activation(Function(*pair))


# ---- losses


class GoodLoss(Loss):
    def terms_and_gradient(self, y, raw, gradient, scratch):
        np.subtract(raw, y, out=gradient)
        np.multiply(gradient, gradient, out=scratch)
        scratch *= 0.5
        return scratch


class NewTerms(GoodLoss):
    def terms_and_gradient(self, y, raw, gradient, scratch):
        gradient[:] = raw - y
        return gradient**2 / 2


class ReboundGradient(GoodLoss):
    def terms_and_gradient(self, y, raw, gradient, scratch):
        gradient = raw - y
        return gradient**2 / 2


class HalfOfTheGradient(GoodLoss):
    def terms_and_gradient(self, y, raw, gradient, scratch):
        gradient[1:] = raw[1:] - y[1:]
        return (raw - y) ** 2 / 2


class NoTerms(GoodLoss):
    def terms_and_gradient(self, y, raw, gradient, scratch):
        gradient[...] = raw - y


class MeanOfTerms(GoodLoss):
    def terms_and_gradient(self, y, raw, gradient, scratch):
        gradient[...] = raw - y
        return (gradient**2 / 2).mean()


class OneTermPerRow(GoodLoss):
    def terms_and_gradient(self, y, raw, gradient, scratch):
        gradient[...] = raw - y
        return (gradient**2 / 2).sum(axis=1)


class ReturnsScratch(GoodLoss):
    def terms_and_gradient(self, y, raw, gradient, scratch):
        gradient[...] = raw - y
        return scratch


class LinkReturned(GoodLoss):
    link = "exp"

    def inverse_link(self, raw, out):
        return np.exp(raw)


BAD_LOSSES = {
    ReboundGradient: "must write dl/draw into gradient",
    HalfOfTheGradient: "must write dl/draw into gradient",
    NoTerms: "must return the terms of the loss",
    MeanOfTerms: r"must return the terms of the loss as an array of shape \(n, k\)",
    OneTermPerRow: r"must return the terms of the loss as an array of shape \(n, k\)",
    ReturnsScratch: "must write into scratch",
    LinkReturned: r"inverse_link\(raw, out\) must write the prediction into out",
}


@pytest.mark.parametrize("cls", BAD_LOSSES)
def test_a_loss_that_does_not_write_in_place_is_named(cls):
    message = rf"{cls.__name__}\(\): .*{BAD_LOSSES[cls]}"
    with pytest.raises(ValueError, match=message):
        check_loss(cls(), Y, 1)
    with pytest.raises(ValueError, match=message):
        check_gradients(Network([Dense(3, 4), "tanh", Dense(4, 1)]), cls(), X, Y)
    for solver in ("adam", "lbfgs"):
        for early_stopping in (False, True):
            model = NumpyMLPRegressor(
                hidden_layer_sizes=(4,),
                loss=cls(),
                solver=solver,
                max_iter=3,
                early_stopping=early_stopping,
            )
            with pytest.raises(ValueError, match=message):
                model.fit(X, Y.ravel())
    with pytest.raises(ValueError, match=message):
        NumpyMLPRegressor(hidden_layer_sizes=(4,), loss=cls()).partial_fit(X, Y.ravel())


@pytest.mark.parametrize("cls", [GoodLoss, NewTerms])
def test_losses_that_write_in_place_pass(cls):
    check_loss(cls(), Y, 1)
    options = {"max_iter": 3, "random_state": 0, "batch_size": 2}
    with pytest.warns(UserWarning, match="aximum iterations"):
        model = NumpyMLPRegressor(hidden_layer_sizes=(4,), loss=cls(), **options).fit(X, Y.ravel())
        same = NumpyMLPRegressor(hidden_layer_sizes=(4,), loss="squared_error", **options).fit(
            X, Y.ravel()
        )
    np.testing.assert_allclose(model.predict(X), same.predict(X), rtol=1e-12)


class Complains(GoodLoss):
    link = "logistic"
    error = TypeError

    def inverse_link(self, raw, out):
        np.clip(raw, 0, 1, out=out)

    def terms_and_gradient(self, y, raw, gradient, scratch):
        raise self.error("no factor was given")


@pytest.mark.parametrize("error", [TypeError, ValueError, ZeroDivisionError])
def test_what_a_loss_raises_itself_arrives_as_it_is(error, monkeypatch):
    monkeypatch.setattr(Complains, "error", error)
    with pytest.raises(error, match=r"^no factor was given$"):
        Complains().value_and_gradient(Y, Y)
    with pytest.raises(error, match=r"^no factor was given$"):
        check_gradients(Network([Dense(3, 4), "tanh", Dense(4, 1)]), Complains(), X, Y)
    for solver in ("adam", "lbfgs"):
        with pytest.raises(error, match=r"^no factor was given$"):
            NumpyMLPRegressor(hidden_layer_sizes=(4,), loss=Complains(), solver=solver).fit(
                X, Y.ravel()
            )
        with pytest.raises(error, match=r"^no factor was given$"):
            NumpyMLPClassifier(hidden_layer_sizes=(4,), loss=Complains(), solver=solver).fit(
                X, Y.ravel() > 0
            )


def test_our_own_losses_go_on_explaining_shapes():
    with pytest.raises(ValueError, match="SquaredError cannot compare y, float64 of shape"):
        SquaredError().value_and_gradient(np.zeros((3, 2)), np.zeros((4, 2)))


# ---- optimizers


class Descent(Optimizer):
    def update(self, params, grads, state, learning_rate, scratch):
        params -= learning_rate * grads


class Momentum(Optimizer):
    state_names = ("velocity",)

    def update(self, params, grads, state, learning_rate, scratch):
        state["velocity"] *= 0.9
        state["velocity"] += grads
        params -= learning_rate * state["velocity"]


class EveryTenth(Momentum):
    """Gathers gradients and goes down their sum in every tenth step."""

    def update(self, params, grads, state, learning_rate, scratch):
        state["velocity"] += grads
        if self.t % 10 == 0:
            params -= learning_rate * state["velocity"]
            state["velocity"][...] = 0


class ReboundParams(Optimizer):
    def update(self, params, grads, state, learning_rate, scratch):
        params = params - learning_rate * grads


class ReturnedParams(Optimizer):
    def update(self, params, grads, state, learning_rate, scratch):
        return params - learning_rate * grads


class ReplacedState(Momentum):
    def update(self, params, grads, state, learning_rate, scratch):
        state["velocity"] = 0.9 * state["velocity"] + grads
        params -= learning_rate * state["velocity"]


class ReadsItsScratch(Optimizer):
    def update(self, params, grads, state, learning_rate, scratch):
        scratch += grads
        params -= learning_rate * scratch


BAD_OPTIMIZERS = {
    ReboundParams: "must write the new parameters into params",
    ReturnedParams: "must write the new parameters into params",
    ReplacedState: r"must write into state\['velocity'\]",
    ReadsItsScratch: "must write into scratch",
}


@pytest.mark.parametrize("piece", [None, 3])
@pytest.mark.parametrize("cls", BAD_OPTIMIZERS)
def test_an_optimizer_that_does_not_write_in_place_is_named(monkeypatch, cls, piece):
    if piece:
        monkeypatch.setattr(arrays, "PIECE", piece)
    message = rf"{cls.__name__}\(\): .*{BAD_OPTIMIZERS[cls]}"
    with pytest.raises(ValueError, match=message):
        check_optimizer(cls())
    with pytest.raises(ValueError, match=message):
        NumpyMLPRegressor(hidden_layer_sizes=(4,), solver=cls(), max_iter=3).fit(X, Y.ravel())
    with pytest.raises(ValueError, match=message):
        NumpyMLPRegressor(hidden_layer_sizes=(4,), solver=cls()).partial_fit(X, Y.ravel())


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("cls", [Descent, Momentum, EveryTenth])
def test_optimizers_that_write_in_place_pass(cls, dtype, n):
    optimizer = cls()
    check_optimizer(optimizer, n, dtype)
    assert vars(optimizer) == {}


# ---- initializers


def test_an_initializer_that_leaves_weights_is_named():
    class Rebinds(Initializer):
        def fill(self, W, fan_in, fan_out, rng):
            W = rng.uniform(size=W.shape)

    class Ones(Initializer):
        def fill(self, W, fan_in, fan_out, rng):
            W[...] = 1

    for places in ({"initializer": Rebinds()}, {"bias_initializer": Rebinds()}):
        with pytest.raises(ValueError, match=r"Rebinds\(\): fill\(W, ...\) must write numbers"):
            Network([Dense(3, 4)], **places)
    assert (Network([Dense(3, 4)], initializer=Ones()).params == 1).all()


# ---- the trial leaves no trace


def test_trial_of_custom_objects_changes_nothing():
    class Counts(GoodOfZ):
        calls = 0

        def forward(self, z, out):
            self.calls += 1
            super().forward(z, out)

    class CountsToo(GoodLoss):
        calls = 0

        def terms_and_gradient(self, y, raw, gradient, scratch):
            self.calls += 1
            y[...] = 0
            return super().terms_and_gradient(y, raw, gradient, scratch)

    activation, loss, y, optimizer = Counts(), CountsToo(), Y.copy(), SGD()
    check_activation(activation)
    check_loss(loss, y, 1)
    check_optimizer(optimizer)
    assert activation.calls == loss.calls == 0 and not hasattr(optimizer, "state")
    np.testing.assert_array_equal(y, Y)


class Silent(Layer):
    def forward(self, x, buffer):
        buffer.out = x * 2

    def backward(self, delta, buffer):
        return delta


@pytest.mark.parametrize(
    "layers", [[Dense(3, 1), Silent()], [Silent(), Dense(3, 1)], [Dense(3, 3), Silent(), "tanh"]]
)
def test_a_layer_that_returns_no_output_is_named(layers):
    with pytest.raises(TypeError, match=r"Silent\(\): forward\(x, buffer\) must return its output"):
        Network(layers, rng=0).predict(X)


def test_predict_asks_for_an_array():
    with pytest.raises(TypeError, match="X is of type list: pass an array"):
        Network([Dense(3, 1)], rng=0).predict(X.tolist())


class Gains(Layer):
    def __init__(self, n=4):
        self.n = n

    def shapes(self):
        return {"g": ("gains", (self.n,))}

    def reset_parameters(self, rng, initializer, bias_initializer=None):
        self.g[...] = 1

    def forward(self, x, buffer):
        buffer.x, buffer.out = x, x * self.g
        return buffer.out

    def backward(self, delta, buffer):
        self.dg[...] = (delta * buffer.x).sum(axis=0)
        return delta * self.g


class NewParameter(Gains):
    def forward(self, x, buffer):
        self.g = np.ones(self.n)
        return super().forward(x, buffer)


class NewGradient(Gains):
    def backward(self, delta, buffer):
        self.dg = (delta * buffer.x).sum(axis=0)
        return delta * self.g


def test_a_layer_that_replaces_an_array_of_the_network_is_found():
    def network(layer):
        return Network([Dense(3, 4), layer, "tanh", Dense(4, 1)], rng=0)

    assert check_gradients(network(Gains()), SquaredError(), X, Y).n_checked == 25
    for layer, name in ((NewParameter(), "the g in"), (NewGradient(), "the gradient of g in")):
        with pytest.raises(GradientError, match=f"{name} layer 1 .* no optimizer sees"):
            check_gradients(network(layer), SquaredError(), X, Y)


class Unset(Gains):
    def reset_parameters(self, rng, initializer, bias_initializer=None):
        pass


class SetElsewhere(Gains):
    def reset_parameters(self, rng, initializer, bias_initializer=None):
        self.g = np.ones(self.n)


@pytest.mark.parametrize("layer", [Unset(), SetElsewhere()])
def test_a_layer_whose_parameters_are_never_set_is_named(layer):
    """They were whatever lay in that memory, another thing in each run."""
    with pytest.raises(ValueError, match=r"\(\): g has no initial values.*self\.g\[\.\.\.\] = "):
        Network([Dense(3, 4), layer, "tanh", Dense(4, 1)], rng=0)
