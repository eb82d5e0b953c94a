# SPDX-License-Identifier: BSD-3-Clause
"""The gradient check: it passes for correct layers, and names a layer with a deliberate error."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from sknumpynet.core import (
    BatchNorm,
    BinaryLogLoss,
    Dense,
    Dropout,
    Focal,
    GradientError,
    GradientReport,
    LayerNorm,
    Logistic,
    MultinomialLogLoss,
    MultioutputLogLoss,
    Network,
    ReLU,
    SquaredError,
    Tanh,
    check_gradients,
)

from .problems import ACTIVATIONS, KINKED, LOSSES, TRAINABLE, make_data, make_loss, make_network

SIZES = (4, 5, 4, 3)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("case", LOSSES[:5])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_what_is_right_passes(activation, case, bias):
    for last, weighted in [("identity", False), ("identity", True), (activation, False)]:
        network = make_network(activation, last, bias, SIZES)
        report = check_gradients(network, make_loss(case), *make_data(case, 6, SIZES, weighted))
        assert report.n_checked + report.n_kinks == len(network.params)
        if activation == "relu":  # some units never answer to so few rows
            assert report.n_checked > 0.6 * len(network.params)
        else:
            assert report.n_kinks == 0
        assert report.max_error < 1e-6
        assert len(report.errors) == (6 if bias else 3)


OWN = (np.sin, np.cos)
PIECEWISE = ["relu", "leaky_relu", "hard_tanh"]
# Each activation with each loss, and with these each normalisation, and weights or none, in turns: a sixth of
# all combinations. ``python -m core.test_gradient_check`` in tests goes through all of them.
CHOSEN = [
    (activation, case, [None, "batch", "layer"][(i + j) % 3], (i + j // 3) % 2 == 0)
    for i, activation in enumerate([*TRAINABLE, OWN])
    for j, case in enumerate(LOSSES)
]


def checked(activation, case, normalization, weighted, dropout=0.3):
    sizes = (4, 5, 3)
    network = make_network(activation, sizes=sizes, normalization=normalization, dropout=dropout)
    data = make_data(case, 6, sizes, weighted)
    before = network.params.copy(), network.running_stats.copy()
    report = check_gradients(network, make_loss(case), *data)
    assert_array_equal(network.params, before[0])
    assert_array_equal(network.running_stats, before[1])
    assert report.n_checked + report.n_kinks == len(network.params)
    if activation not in PIECEWISE and case not in KINKED:
        assert report.n_checked > 0.9 * len(network.params)
    return report


@pytest.mark.parametrize("activation, case, normalization, weighted", CHOSEN)
def test_activations_losses_and_normalisations(activation, case, normalization, weighted):
    assert checked(activation, case, normalization, weighted).max_error < 1e-5


@pytest.mark.parametrize("normalization", ["batch", "layer"])
@pytest.mark.parametrize("dropout", [0, 0.5])
def test_arrays_of_a_normalisation_are_named(normalization, dropout):
    report = checked("tanh", "squared_error", normalization, True, dropout)
    names = [name.split(" of ")[0] for name in report.errors]
    assert names == [
        f"{array} in layer {layer}"
        for layer, arrays in [(2, "bW"), (1, ["shift", "gain"]), (0, "bW")]
        for array in arrays
    ]
    # before a normalisation a bias changes nothing in a batch, and little in a row
    assert report.max_error < 1e-5


def test_one_row_in_batch_normalisation():
    network = make_network("tanh", sizes=(4, 5, 3), normalization="batch")
    assert check_gradients(
        network, SquaredError(), *make_data("squared_error", 1, (4, 3))
    ).n_checked


# ---- planted errors


class ForgetsTheMean(BatchNorm):
    """Its derivative ignores that mean and variance depend on the batch."""

    def is_constant(self, buffer):
        return hasattr(self, "dgain") and buffer.inv_std is not None and buffer.x is not None

    def statistics(self, x, buffer):
        return LayerNorm.statistics(self, x, buffer)


class DropsAgain(Dropout):
    """Use a different mask in the backward pass."""

    def backward(self, delta, buffer):
        delta *= buffer.mask[::-1]
        return delta


@pytest.mark.parametrize("layer", [ForgetsTheMean(5), DropsAgain(0.5)], ids=["norm", "dropout"])
def test_an_error_in_another_layer_is_found(layer):
    network = Network([Dense(4, 5), layer, "tanh", Dense(5, 3)], rng=0)
    with pytest.raises(GradientError, match="in layer 0 of"):
        check_gradients(network, SquaredError(), *make_data("squared_error", 6, (4, 3)))


class TanhOfWrongArgument(Tanh):
    """The derivative taken at a instead of z."""

    def backward(self, a, delta, scratch):
        delta *= 1 - np.tanh(a) ** 2


class ReLUThatReturnsItself(ReLU):
    """ReLU' = ReLU."""

    def backward(self, a, delta, scratch):
        delta *= a


class LogisticForgotten(Logistic):
    """The error of the hidden layer is passed on without its derivative."""

    def backward(self, a, delta, scratch):
        pass


class SoftmaxOverTheBatch(MultinomialLogLoss):
    """Probabilities that sum to 1 over all rows instead of each."""

    def terms_and_gradient(self, y, raw, gradient, scratch):
        p = np.exp(raw)
        p /= p.sum()
        gradient[...] = p - np.eye(raw.shape[1])[y]
        return -np.log(p[np.arange(len(y)), y])[:, np.newaxis]


class DenseThatForgetsItsBias(Dense):
    """db stays zero."""

    def backward(self, delta, buffer):
        delta = super().backward(delta, buffer)
        self.db[...] = 0
        return delta


class DenseWithoutTranspose(Dense):
    """The error goes back through the wrong weights."""

    def backward(self, delta, buffer):
        super().backward(delta, buffer)
        return None if buffer.delta is None else np.dot(delta, self.W, out=buffer.delta)


class DenseThatStepsAtOnce(Dense):
    """The error goes back through weights that are already updated."""

    def backward(self, delta, buffer):
        super().backward(delta, buffer)
        self.W -= 0.1 * self.dW
        return None if buffer.delta is None else np.dot(delta, self.W.T, out=buffer.delta)


def stack(*activations, dense=(Dense, Dense, Dense), bias=True):
    """Three Dense layers of equal width with activations in between."""
    layers = []
    for cls, activation in zip(dense, [*activations, "identity"]):
        layers += [cls(4, 4, bias=bias), activation]
    return Network(layers, rng=0)


PLANTED = {  # network, loss, and the arrays that are off
    "tanh behind layer 0": (stack(TanhOfWrongArgument(), "tanh"), None, "bW 0"),
    "tanh behind layer 1": (stack("tanh", TanhOfWrongArgument()), None, "bW 1"),
    "tanh twice": (stack(TanhOfWrongArgument(), TanhOfWrongArgument()), None, "bW 1"),
    "relu behind layer 0": (stack(ReLUThatReturnsItself(), "relu"), None, "bW 0"),
    "relu behind layer 1": (stack("logistic", ReLUThatReturnsItself()), None, "bW 1"),
    "logistic behind layer 1": (stack("tanh", LogisticForgotten()), None, "bW 1"),
    "without biases": (stack("tanh", LogisticForgotten(), bias=False), None, "W 1"),
    "softmax": (stack("tanh", "tanh"), SoftmaxOverTheBatch(), "bW 2"),
    "bias of layer 0": (
        stack("tanh", "tanh", dense=(DenseThatForgetsItsBias, Dense, Dense)),
        None,
        "b 0",
    ),
    "bias of layer 1": (
        stack("tanh", "tanh", dense=(Dense, DenseThatForgetsItsBias, Dense)),
        None,
        "b 1",
    ),
    "bias of layer 2": (
        stack("tanh", "tanh", dense=(Dense, Dense, DenseThatForgetsItsBias)),
        None,
        "b 2",
    ),
    "no transpose": (
        stack("tanh", "tanh", dense=(Dense, DenseWithoutTranspose, Dense)),
        None,
        "bW 0",
    ),
    "updated weights of layer 1": (
        stack("tanh", "tanh", dense=(Dense, DenseThatStepsAtOnce, Dense)),
        None,
        "bW 0",
    ),
    "updated weights of layer 2": (
        stack("tanh", "tanh", dense=(Dense, Dense, DenseThatStepsAtOnce)),
        None,
        "bW 1",
    ),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("planted", PLANTED)
def test_wrong_gradient_is_found_and_its_layer_named(planted, weighted):
    network, loss, where = PLANTED[planted]
    case = "squared_error" if loss is None else "log_loss"
    before = network.params.copy()
    arrays, layer = where.split()
    with pytest.raises(GradientError) as caught:
        check_gradients(network, loss or make_loss(case), *make_data(case, 6, (4, 4), weighted))
    message, errors = str(caught.value), caught.value.report.errors
    assert message.startswith(f"the gradient of {arrays[0]} in layer {layer} of 3 (Dense")
    assert "nearest the output that disagrees" in message
    assert ("also moved the parameters" in message) == planted.startswith("updated")
    for name, error in errors.items():
        array, _, index, *_ = name.replace(" in", "").split()
        if index > layer:
            assert error < 1e-6
        elif index == layer:
            assert (error > 1e-3) == (array in arrays)
    assert_array_equal(network.params, before)


def test_errors_are_listed_from_the_output_backwards():
    report = check_gradients(
        stack("tanh", "tanh"), SquaredError(), *make_data("squared_error", 6, (4, 4))
    )
    places = [name.split(" of ")[0] for name in report.errors]
    assert places == [f"{array} in layer {layer}" for layer in (2, 1, 0) for array in "bW"]


def test_a_wrong_sign_and_nan_are_errors():
    class Minus(SquaredError):
        def terms_and_gradient(self, y, raw, gradient, scratch):
            terms = super().terms_and_gradient(y, raw, gradient, scratch)
            np.negative(gradient, out=gradient)
            return terms

    class NotANumber(Minus):
        def terms_and_gradient(self, y, raw, gradient, scratch):
            terms = super().terms_and_gradient(y, raw, gradient, scratch)
            gradient[0, 0] = np.nan
            return terms

    for loss in (Minus(), NotANumber()):
        with pytest.raises(GradientError, match="layer 2 of 3"):
            check_gradients(stack("tanh", "tanh"), loss, *make_data("squared_error", 6, (4, 4)))


def test_check_without_comparable_gradients_does_not_pass():
    class Noisy(Tanh):
        rng = np.random.default_rng(0)

        def forward(self, z, out):
            np.tanh(z + self.rng.normal(size=z.shape), out=out)

    with pytest.raises(GradientError, match="no slope of the loss could be measured") as caught:
        check_gradients(
            stack("tanh", Noisy()), SquaredError(), *make_data("squared_error", 6, (4, 4))
        )
    assert caught.value.report.n_checked == 0 < caught.value.report.n_kinks


def test_tolerance_is_what_is_allowed():
    class Slightly(Tanh):
        def backward(self, a, delta, scratch):
            super().backward(a, delta, scratch)
            delta *= 1 + 1e-4

    network, data = stack("tanh", Slightly()), make_data("squared_error", 6, (4, 4))
    with pytest.raises(
        GradientError, match=r"off by 1\.0e-04 of its largest slope \(tolerance 1e-05\)"
    ):
        check_gradients(network, SquaredError(), *data)
    report = check_gradients(network, SquaredError(), *data, tolerance=1e-3)
    assert 0.9e-4 < report.max_error < 1.1e-4


# ---- where the log losses are capped


SATURATED = {  # a loss, its number of outputs, and targets for 6 rows
    "binary": (BinaryLogLoss(), 3, np.arange(18).reshape(6, 3) % 2 == 0),
    "binary, proportions": (BinaryLogLoss(), 2, np.linspace(0, 1, 12).reshape(6, 2)),
    "binary, smoothed": (BinaryLogLoss(0.1), 3, np.arange(18).reshape(6, 3) % 2 == 0),
    "multinomial": (MultinomialLogLoss(), 3, np.arange(6) % 3),
    "multinomial, proportions": (MultinomialLogLoss(), 2, np.eye(2)[np.arange(6) % 2] * 0.8 + 0.1),
    "multinomial, smoothed": (MultinomialLogLoss(0.1), 3, np.arange(6) % 3),
    "several classes": (MultioutputLogLoss([2, 3]), 5, np.arange(12).reshape(6, 2) % 2),
    "several classes, smoothed": (
        MultioutputLogLoss([2, 3], 0.1),
        5,
        np.arange(12).reshape(6, 2) % 2,
    ),
    "focal": (Focal(), 3, np.arange(18).reshape(6, 3) % 2 == 0),
    "focal, gamma 0.5": (Focal(0.5), 3, np.arange(18).reshape(6, 3) % 2 == 0),
    "focal, softmax": (Focal(softmax=True), 3, np.arange(6) % 3),
}


def saturated(case, size, hidden=(Dense, "tanh"), last=Dense):
    """A network whose largest |raw| is ``size``, with data."""
    loss, n_outputs, y = SATURATED[case]
    X = np.random.default_rng(1).normal(size=(6, 4))
    network = Network([hidden[0](4, 5), hidden[1], last(5, n_outputs)], rng=0)
    dense = network.dense[1]
    dense.b[...] = 0
    dense.W *= size / np.abs(network.predict(X)).max()
    return network, loss, X, y


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("size", [0.5, 6, 20, 30, 34, 36, 37, 40, 100, 800])
@pytest.mark.parametrize("case", SATURATED)
def test_a_log_loss_that_saturates_is_not_blamed(case, size, weighted):
    network, loss, X, y = saturated(case, size)
    weights = np.array([1, 2, 0.5, 0, 3, 1]) if weighted else None
    report = check_gradients(network, loss, X, y, weights)
    assert report.max_error < 1e-5
    assert report.n_checked > 0.7 * len(network.params)


class DenseOfWrongSign(Dense):
    def backward(self, delta, buffer):
        delta = super().backward(delta, buffer)
        self.dW *= -1
        return delta


@pytest.mark.parametrize("size", [40, 100, 800])
@pytest.mark.parametrize("case", SATURATED)
def test_errors_are_found_where_a_log_loss_saturates(case, size):
    with pytest.raises(GradientError, match="the gradient of W in layer 1 of 2"):
        check_gradients(*saturated(case, size, last=DenseOfWrongSign))
    with pytest.raises(GradientError, match="the gradient of W in layer 0 of 2"):
        check_gradients(*saturated(case, size, hidden=(DenseOfWrongSign, "tanh")))
    with pytest.raises(GradientError, match="in layer 0 of 2"):
        check_gradients(*saturated(case, size, hidden=(Dense, TanhOfWrongArgument())))


@pytest.mark.parametrize("case", ["binary", "multinomial"])
def test_a_loss_derived_from_a_capped_one_is_compared_with_its_own_terms(case):
    network, loss, X, y = saturated(case, 4 if case == "binary" else 8)

    class Double(type(loss)):
        def terms_and_gradient(self, y, raw, gradient, scratch):
            terms = super().terms_and_gradient(y, raw, gradient, scratch)
            gradient *= 2
            return terms * 2

    class Forgotten(type(loss)):
        def terms_and_gradient(self, y, raw, gradient, scratch):
            return super().terms_and_gradient(y, raw, gradient, scratch) * 2

    assert check_gradients(network, Double(), X, y).max_error < 1e-5
    with pytest.raises(GradientError, match="layer 1 of 2"):
        check_gradients(network, Forgotten(), X, y)


# ---- kinks and the rest


@pytest.mark.parametrize("bias", [True, False])
def test_kinks_are_left_out(bias):
    # rows of zeros and biases of zero put every unit of the first layer on its kink
    network = make_network("relu", sizes=SIZES, bias=bias)
    network.params[network.n_weights :] = 0
    X, y, _ = make_data("squared_error", 6, SIZES)
    X[:3] = 0
    report = check_gradients(network, SquaredError(), X, y)
    assert report.max_error < 1e-6
    assert report.n_checked > 0
    assert report.n_checked + report.n_kinks == len(network.params)
    assert (report.n_kinks >= 5) == bias


@pytest.mark.parametrize("share", [*np.linspace(-0.95, 0.95, 39), 1 / 3, -1 / 3])
def test_a_kink_anywhere_within_the_step_is_seen(share):
    # a unit whose z crosses 1 at that share of the step
    network = Network([Dense(1, 1), "hard_tanh", Dense(1, 1)], rng=0)
    step = 1e-5
    network.params[...] = [1 - share * step, 0.7, 0, 0.1]
    report = check_gradients(
        network, SquaredError(), np.ones((1, 1)), np.full((1, 1), 5.0), step=step
    )
    assert report.n_kinks == 2 and report.n_checked == 2


def test_an_error_is_found_beside_kinks():
    network = stack(ReLUThatReturnsItself(), "relu")
    network.params[network.n_weights :] = 0
    X, y, _ = make_data("squared_error", 6, (4, 4))
    X[:3] = 0
    with pytest.raises(GradientError, match="W in layer 0"):
        check_gradients(network, SquaredError(), X, y)


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csr_array])
def test_sparse_input(kind):
    X, y, w = make_data("squared_error", 6, SIZES, weighted=True)
    X[X < 0] = 0
    X[:, 1] = 0
    assert (
        check_gradients(make_network(sizes=SIZES), SquaredError(), kind(X), y, w).max_error < 1e-6
    )


def test_float32_is_too_coarse():
    network = make_network(dtype=np.float32, sizes=SIZES)
    X, y, _ = make_data("squared_error", 6, SIZES)
    with pytest.raises(TypeError, match="must compute in float64 to be checked; it has float32"):
        check_gradients(network, SquaredError(), X.astype(np.float32), y)


def test_parameters_are_put_back_to_the_last_bit():
    network = make_network(sizes=SIZES)
    before = network.params.copy()
    check_gradients(network, SquaredError(), *make_data("squared_error", 6, SIZES))
    assert_array_equal(network.params, before)


def test_an_empty_report_has_no_error():
    assert GradientReport().max_error == 0.0


if __name__ == "__main__":
    import itertools

    EVERYTHING = [[*TRAINABLE, OWN], LOSSES, [None, "batch", "layer"], (False, True), (0, 0.3)]
    for combination in itertools.product(*EVERYTHING):
        try:
            checked(*combination)
        except AssertionError as error:
            print(combination, error)
