# SPDX-License-Identifier: BSD-3-Clause
"""Losses: values and gradients against textbook formulas, scikit-learn's losses and finite differences."""

import warnings

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal
from sklearn._loss import (
    AbsoluteError as SklearnAbsoluteError,
)
from sklearn._loss import (
    HalfBinomialLoss,
    HalfGammaLoss,
    HalfMultinomialLoss,
    HalfPoissonLoss,
    HalfSquaredError,
    HalfTweedieLoss,
    HuberLoss,
    PinballLoss,
)

from sknumpynet.core import (
    AbsoluteError,
    BinaryLogLoss,
    Focal,
    HalfGamma,
    HalfPoisson,
    HalfTweedie,
    Huber,
    LogCosh,
    LogLoss,
    Loss,
    MultinomialLogLoss,
    MultioutputLogLoss,
    Quantile,
    SquaredError,
)
from sknumpynet.core.losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES

from .frozen_optimizers import CLASSES, FROZEN, RAW
from .problems import CASES, LOSSES, make_loss, make_targets, name_of_loss

N, K = 11, 3
EPS = np.finfo(float).eps


def draw(case, n=N, k=K, seed=0):
    rng = np.random.default_rng(seed)
    raw = rng.normal(scale=2, size=(n, k))
    return make_targets(case, n, k, rng), raw, rng.uniform(0.1, 3, size=n)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", LOSSES)
def test_agrees_with_the_reference(case, weighted):
    y, raw, w = draw(case)
    value, gradient = make_loss(case).value_and_gradient(y, raw, w if weighted else None)
    w = w if weighted else np.ones(N)
    name = name_of_loss(case)
    assert_allclose(value, (w * reference.losses(name, y, raw)).sum() / w.sum(), rtol=1e-12)
    slopes = reference.loss_slopes(name, y, raw)
    assert_allclose(gradient, w[:, None] / w.sum() * slopes, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("case", LOSSES)
def test_gradient_is_the_slope(case):
    y, raw, w = draw(case, n=3)
    loss, h = make_loss(case), 1e-6
    slopes = np.empty_like(raw)
    for index in np.ndindex(raw.shape):
        moved = raw.copy()
        moved[index] += h
        right = loss.value_and_gradient(y, moved, w)[0]
        moved[index] -= 2 * h
        slopes[index] = (right - loss.value_and_gradient(y, moved, w)[0]) / (2 * h)
    assert_allclose(loss.value_and_gradient(y, raw, w)[1], slopes, rtol=1e-6, atol=1e-8)


SKLEARN = [
    (SquaredError(), HalfSquaredError(), "squared_error"),
    (HalfPoisson(), HalfPoissonLoss(), "poisson"),
    (BinaryLogLoss(), HalfBinomialLoss(), "binary_log_loss"),
    (AbsoluteError(), SklearnAbsoluteError(), "absolute_error"),
    (Huber(1.3), HuberLoss(delta=1.3), "huber"),
    (Quantile(0.3), PinballLoss(quantile=0.3), "quantile"),
    (Quantile([0.8]), PinballLoss(quantile=0.8), "quantile"),
    (HalfGamma(), HalfGammaLoss(), "gamma"),
    (HalfTweedie(1.3), HalfTweedieLoss(power=1.3), "tweedie"),
    (HalfTweedie(1.9), HalfTweedieLoss(power=1.9), "tweedie"),
    (HalfTweedie(3.0), HalfTweedieLoss(power=3.0), "gamma"),
]


@pytest.mark.parametrize("scale", [1, 5, 30])
@pytest.mark.parametrize(
    "ours, theirs, case", SKLEARN, ids=lambda x: x if isinstance(x, str) else type(x).__name__
)
def test_agrees_with_scikit_learn(ours, theirs, case, scale):
    y, raw, _ = draw(case, k=1)
    raw *= scale / abs(raw).max()
    terms, slopes = theirs.loss_gradient(y[:, 0], raw[:, 0])
    if case in ("poisson", "gamma", "tweedie"):  # they leave out what does not depend on raw
        terms = terms + theirs.constant_to_optimal_zero(y[:, 0])
    value, gradient = ours.value_and_gradient(y, raw)
    assert_allclose(value, np.mean(terms), rtol=1e-10)
    assert_allclose(gradient[:, 0], slopes / N, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("scale", [1, 5, 15])
def test_multinomial_agrees_with_scikit_learn(scale):
    y, raw, _ = draw("log_loss")
    raw *= scale / abs(raw).max()
    terms, slopes = HalfMultinomialLoss(n_classes=K).loss_gradient(y.astype(float), raw)
    value, gradient = MultinomialLogLoss().value_and_gradient(y, raw)
    assert_allclose(value, np.mean(terms), rtol=1e-12)
    assert_allclose(gradient, slopes / N, rtol=1e-12, atol=1e-15)


def test_frozen_values():
    raw = np.array([[0.5, -1.0]])
    value, gradient = SquaredError().value_and_gradient(np.array([[1.0, 1.0]]), raw)
    assert_allclose(value, 0.5 * (0.25 + 4))
    assert_allclose(gradient, [[-0.5, -2.0]])
    value, gradient = HalfPoisson().value_and_gradient(np.array([[2.0, 0.0]]), raw)
    # 2 log 2 - 2 * 0.5 - 2 + e^0.5 and e^-1
    assert_allclose(value, 1.386294361120 - 3 + 1.648721270700 + 0.367879441171, rtol=1e-11)
    assert_allclose(gradient, [[-0.351278729300, 0.367879441171]], rtol=1e-11)
    value, gradient = BinaryLogLoss().value_and_gradient(np.array([[1.0, 0.0]]), raw)
    # log(1 + e^-0.5) and log(1 + e^-1)
    assert_allclose(value, 0.474076984180 + 0.313261687518, rtol=1e-11)
    assert_allclose(gradient, [[-0.377540668798, 0.268941421370]], rtol=1e-11)
    value, gradient = MultinomialLogLoss().value_and_gradient(np.array([1]), raw)
    # log(1 + e^1.5); p = 1 / (1 + e^-1.5)
    assert_allclose(value, 1.701413277983, rtol=1e-11)
    assert_allclose(gradient, [[0.817574476194, -0.817574476194]], rtol=1e-11)


@pytest.mark.parametrize(
    "loss, errors, value, slopes",
    [
        (AbsoluteError(), [-2, 0, 3], 5, [-1, 0, 1]),
        (Huber(2.0), [-3, 1, 2], 4 + 0.5 + 2, [-2, 1, 2]),
        (LogCosh(), [-1, 0, 1], 2 * 0.433780830483, [-0.761594155956, 0, 0.761594155956]),
        (Quantile(0.9), [-1, 0, 2], 0.9 + 0.2, [-0.9, 0.1, 0.1]),
        (Quantile([0.1, 0.5, 0.9]), [-1, 0, 2], 0.1 + 0.2, [-0.1, 0.5, 0.1]),
    ],
    ids=repr,
)
def test_errors_by_hand(loss, errors, value, slopes):
    y = np.full((1, 1) if loss == Quantile([0.1, 0.5, 0.9]) else (1, 3), 7.0)
    found, gradient = loss.value_and_gradient(y, 7.0 + np.array([errors], float))
    assert_allclose(found, value, rtol=1e-11)
    assert_allclose(gradient, [slopes], rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize(
    "loss, best",
    [
        (SquaredError(), np.mean),
        (AbsoluteError(), np.median),
        (Quantile(0.2), lambda y: np.quantile(y, 0.2)),
        (HalfPoisson(), np.mean),
        (HalfGamma(), np.mean),
        (HalfTweedie(1.4), np.mean),
    ],
    ids=lambda x: getattr(x, "__name__", repr(x)),
)
def test_best_constant_prediction(loss, best):
    y = np.random.default_rng(0).gamma(2.0, size=(101, 1))
    raw = np.linspace(-1, 3, 4001)
    values = [loss.value_and_gradient(y, np.full_like(y, r))[0] for r in raw]
    found = raw[[np.argmin(values)]].copy()
    loss.inverse_link(found, found)
    assert_allclose(found, best(y), rtol=0.01)


EXTREME = np.array([[-1000.0, 1000.0], [1000.0, -1000.0], [1000.0, 999.0]])


# the rest have exp as their link
EXTREMES = [case for case in LOSSES if CASES[case].link != "exp" and case != "quantiles"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", EXTREMES)
def test_extreme_raw_values_neither_overflow_nor_warn(case, dtype):
    y = {
        "log_loss": np.array([0, 0, 1]),
        "smoothed log_loss": np.array([0, 0, 1]),
        "focal": np.array([0, 0, 1]),
        "proportions": np.array([[1, 0], [0.5, 0.5], [0, 1]], dtype),
    }.get(case, np.array([[0, 1], [0, 1], [1, 0]], dtype))
    loss, raw = make_loss(case), EXTREME.astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, gradient = loss.value_and_gradient(y, raw)
        prediction = np.empty_like(raw)
        loss.inverse_link(raw, prediction)
    assert np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(prediction).all()
    assert gradient.dtype == prediction.dtype == dtype
    assert_array_equal(raw, EXTREME)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("power", [1.1, 1.5, 1.9])
def test_tweedie_of_exact_zeros_is_finite_however_small_the_prediction(power, dtype):
    """For y = 0, l = mu^(2-p) / (2-p), where mu^(1-p) would overflow."""
    raw = np.array([[-5000.0], [-2000.0], [-1.0], [2.0]], dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, gradient = HalfTweedie(power).value_and_gradient(np.zeros((4, 1), dtype), raw)
    rtol = 1e-5 if dtype == np.float32 else 1e-13
    mu = np.exp(raw.astype(float) * (2 - power))
    assert_allclose(value, np.mean(mu / (2 - power)), rtol=rtol)
    assert_allclose(gradient, mu / 4, rtol=rtol, atol=1e-40)
    assert gradient.dtype == dtype


def test_softmax_of_one_row_does_not_depend_on_the_others():
    raw = np.array([[1000.0, 999.0], [1.0, 0.0], [-1000.0, -1001.0]])
    value, gradient = MultinomialLogLoss().value_and_gradient(np.array([0, 0, 0]), raw)
    p = 1 / (1 + np.exp(-1))
    assert_allclose(value, -np.log(p), rtol=1e-14)
    assert_allclose(gradient, [[(p - 1) / 3, (1 - p) / 3]] * 3, rtol=1e-12)


def test_poisson_of_a_vanishing_expectation_is_finite():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y, raw = np.array([[3.0], [0.0]]), np.full((2, 1), -1000.0)
        value, gradient = HalfPoisson().value_and_gradient(y, raw)
    assert_allclose(value, (3 * np.log(3) + 3000 - 3) / 2)
    assert_array_equal(gradient, [[-1.5], [0.0]])


def test_gamma_and_tweedie_of_a_large_expectation_are_finite():
    y, raw = np.array([[3.0], [1.0]]), np.full((2, 1), 600.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, gradient = HalfGamma().value_and_gradient(y, raw)
        assert_allclose(value, 600 - np.log(3) / 2 - 1)
        assert_allclose(gradient, [[0.5], [0.5]])
        value, gradient = HalfTweedie(1.5).value_and_gradient(
            np.array([[0.0]]), np.array([[-1400.0]])
        )
        assert 0 < value < 1e-300 and 0 < gradient < 1e-300


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [40.0, 1000.0])
def test_value_of_the_log_losses_is_capped_and_the_gradient_is_not(size, dtype):
    cap = -np.log(np.finfo(dtype).eps)
    one, none = np.array([[1]], dtype), np.array([[0]], dtype)
    for y, raw in [(one, -size), (none, size)]:
        value, gradient = BinaryLogLoss().value_and_gradient(y, np.full((1, 1), raw, dtype))
        assert_allclose(value, cap, rtol=1e-6)
        assert_allclose(gradient, np.sign(raw), rtol=1e-6)
        # what is right costs nothing, or next to nothing, and pulls no further
        value, gradient = BinaryLogLoss().value_and_gradient(y, np.full((1, 1), -raw, dtype))
        assert 0 <= value <= 2 * np.finfo(dtype).eps
        assert abs(gradient[0, 0]) < 1e-16

    raw = np.array([[0, size]], dtype)
    for y in (np.array([0]), np.array([[1, 0]], dtype)):
        value, gradient = MultinomialLogLoss().value_and_gradient(y, raw)
        assert_allclose(value, cap, rtol=1e-6)
        assert_allclose(gradient, [[-1, 1]], rtol=1e-6)


def test_cap_holds_for_each_term():
    y, raw = np.ones((1, 3)), np.array([[-100.0, -100.0, 100.0]])
    value, _ = BinaryLogLoss().value_and_gradient(y, raw)
    assert_allclose(value, -2 * np.log(EPS))


@pytest.mark.parametrize("case", LOSSES)
def test_parts_with_a_common_total_add_up(case):
    y, raw, w = draw(case)
    loss = make_loss(case)
    for weight in (None, w):
        whole, gradient = loss.value_and_gradient(y, raw, weight)
        total = float(N if weight is None else w.sum())
        parts = [
            loss.value_and_gradient(
                y[rows], raw[rows], None if weight is None else w[rows], total=total
            )
            for rows in (slice(0, 7), slice(7, N))
        ]
        assert_allclose(sum(part[0] for part in parts), whole, rtol=1e-13)
        assert_allclose(np.concatenate([part[1] for part in parts]), gradient, rtol=1e-13)


@pytest.mark.parametrize("case", LOSSES)
def test_given_buffers_give_the_same_result(case):
    y, raw, w = draw(case)
    kept = y.copy(), raw.copy(), w.copy()
    loss = make_loss(case)
    value, gradient = loss.value_and_gradient(y, raw, w)
    out, scratch = np.full_like(raw, np.nan), np.full_like(raw, np.nan)
    again, same = loss.value_and_gradient(y, raw, w, out=out, scratch=scratch)
    assert same is out and again == value and type(value) is float
    assert_array_equal(out, gradient)
    for array, before in zip((y, raw, w), kept):
        assert_array_equal(array, before)


@pytest.mark.parametrize("case", LOSSES)
def test_weights_that_sum_to_zero_give_zero(case):
    y, raw, w = draw(case)
    value, gradient = make_loss(case).value_and_gradient(y, raw, 0 * w)
    assert value == 0.0
    assert_array_equal(gradient, np.zeros_like(raw))


@pytest.mark.parametrize("case", LOSSES)
def test_weights_are_repetitions(case):
    y, raw, _ = draw(case)
    times = 1 + np.arange(N) % 3
    value, gradient = make_loss(case).value_and_gradient(y, raw, times.astype(float))
    rows = np.repeat(np.arange(N), times)
    repeated, parts = make_loss(case).value_and_gradient(y[rows], raw[rows])
    assert_allclose(value, repeated, rtol=1e-13)
    sums = np.zeros_like(raw)
    np.add.at(sums, rows, parts)
    assert_allclose(gradient, sums, rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["bool", "uint8", "int8", "int64"])
@pytest.mark.parametrize("case", [case for case in LOSSES if case != "proportions"])
def test_targets_may_be_integers(case, kind, dtype):
    rng = np.random.default_rng(0)
    is_class = case in ("log_loss", "smoothed log_loss", "focal")
    shape = {"quantiles": (N, 1)}.get(case, N if is_class else (N, K))
    y = rng.integers(0, 2, shape).astype(kind)
    if case in ("gamma", "tweedie of 2.5"):
        y[...] = 1
    if case == "focal of columns":
        y = np.eye(K)[y[:, 0].astype(int)].astype(kind)
    raw = rng.normal(scale=2, size=(N, K)).astype(dtype)
    if is_class:
        if kind == "bool":
            pytest.skip("classes are numbers")
        same = y.astype(np.int64)
    else:
        same = y.astype(dtype)
    value, gradient = make_loss(case).value_and_gradient(y, raw)
    value_2, gradient_2 = make_loss(case).value_and_gradient(same, raw)
    precision = 20 * np.finfo(dtype).eps
    assert_allclose(value, value_2, rtol=precision)
    assert_allclose(gradient, gradient_2, rtol=precision, atol=precision)
    assert gradient.dtype == dtype


@pytest.mark.parametrize("case", LOSSES)
def test_inverse_link_in_place_and_apart(case):
    _, raw, _ = draw(case)
    loss, apart = make_loss(case), np.empty_like(raw)
    loss.inverse_link(raw, apart)
    assert_allclose(apart, reference.predict(name_of_loss(case), raw), rtol=1e-13)
    loss.inverse_link(raw, raw)
    assert_array_equal(raw, apart)


@pytest.mark.parametrize("case", LOSSES)
def test_float32_stays_float32(case):
    y, raw, w = draw(case)
    y = y if y.ndim == 1 else y.astype(np.float32)
    exact, slopes = make_loss(case).value_and_gradient(y, raw, w)
    value, gradient = make_loss(case).value_and_gradient(
        y, raw.astype(np.float32), w.astype(np.float32)
    )
    assert gradient.dtype == np.float32
    assert_allclose(value, exact, rtol=1e-5)
    assert_allclose(gradient, slopes, rtol=2e-4, atol=1e-6)


def test_proportions_of_one_class_are_its_index():
    y, raw, w = draw("log_loss")
    value, gradient = MultinomialLogLoss().value_and_gradient(y, raw, w)
    value_2, gradient_2 = MultinomialLogLoss().value_and_gradient(np.eye(K)[y], raw, w)
    assert_allclose(value_2, value, rtol=1e-13)
    assert_allclose(gradient_2, gradient, rtol=1e-13, atol=1e-16)


def test_one_s_own_loss_is_a_subclass():
    class Absolute(Loss):
        def terms_and_gradient(self, y, raw, gradient, scratch):
            np.sign(raw - y, out=gradient)
            return np.abs(raw - y)

    y, raw = np.zeros((2, 1)), np.array([[3.0], [-1.0]])
    value, gradient = Absolute().value_and_gradient(y, raw, np.array([1.0, 3.0]))
    assert value == 1.5
    assert_array_equal(gradient, [[0.25], [-0.75]])
    with pytest.raises(NotImplementedError):
        Loss().value_and_gradient(y, raw)


# ---- label smoothing and focal loss


@pytest.mark.parametrize("smoothing", [0.05, 0.3, 0.99])
def test_smoothing_is_the_loss_of_softer_targets(smoothing):
    y, raw, w = draw("log_loss")
    soft = (1 - smoothing) * np.eye(K)[y] + smoothing / K
    value, gradient = MultinomialLogLoss(smoothing).value_and_gradient(y, raw, w)
    value_2, gradient_2 = MultinomialLogLoss().value_and_gradient(soft, raw, w)
    assert_allclose(value, value_2, rtol=1e-13)
    assert_allclose(gradient, gradient_2, rtol=1e-12, atol=1e-15)
    y, raw, w = draw("binary_log_loss")
    soft = np.where(y == 1, 1 - smoothing / 2, smoothing / 2)
    value_2, gradient_2 = BinaryLogLoss().value_and_gradient(soft, raw, w)
    for targets in (y, y.astype(bool), y.astype(np.int8)):
        value, gradient = BinaryLogLoss(smoothing).value_and_gradient(targets, raw, w)
        assert_allclose(value, value_2, rtol=1e-13)
        assert_allclose(gradient, gradient_2, rtol=1e-12, atol=1e-15)


def test_smoothing_is_that_of_pytorch():
    value, gradient = MultinomialLogLoss(0.2).value_and_gradient(CLASSES, RAW)
    assert_allclose(value, FROZEN["smoothed log loss"][0], rtol=1e-13)
    assert_allclose(gradient, FROZEN["smoothed log loss"][1], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("size", [0.1, 3.0, 30.0])
def test_focal_loss_without_gamma_is_the_log_loss(size):
    for case, softmax in [("binary_log_loss", False), ("log_loss", True), ("proportions", True)]:
        y, raw, w = draw(case)
        log_loss = MultinomialLogLoss() if softmax else BinaryLogLoss()
        value, gradient = Focal(0, softmax).value_and_gradient(y, size * raw, w)
        value_2, gradient_2 = log_loss.value_and_gradient(y, size * raw, w)
        assert_allclose(value, value_2, rtol=1e-13)
        assert_allclose(gradient, gradient_2, rtol=1e-12)


def test_focal_loss_counts_easy_rows_less():
    y, raw = np.array([[1.0], [1.0]]), np.array([[-2.0], [4.0]])
    plain, focal = (
        loss.value_and_gradient(y, raw)[1].ravel() for loss in (BinaryLogLoss(), Focal(2.0))
    )
    assert 0.5 < focal[0] / plain[0] < 2 and focal[1] / plain[1] < 0.01


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_focal_loss_of_sure_predictions_is_finite(gamma):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for raw in (-800.0, -40.0, 40.0, 800.0):
            value, gradient = Focal(gamma).value_and_gradient(np.ones((1, 1)), np.array([[raw]]))
            assert np.isfinite(value) and np.isfinite(gradient).all()
            assert (value > 30) == (raw < 0)


def test_the_link_is_chosen_by_the_kind_of_classes():
    assert LogLoss(0.1).for_classes(softmax=False) == BinaryLogLoss(0.1)
    assert LogLoss(0.1).for_classes(softmax=True) == MultinomialLogLoss(0.1)
    assert Focal(1.0).for_classes(softmax=True) == Focal(1.0, softmax=True)
    assert Focal().link == "logistic" and Focal(softmax=True).link == "softmax"
    for loss in (SquaredError(), MultinomialLogLoss()):
        assert loss.for_classes(softmax=True) is loss


# ---- several quantiles, and targets that a loss does not take


def test_quantiles_never_cross():
    loss, raw = Quantile([0.1, 0.5, 0.9]), np.random.default_rng(0).normal(size=(200, 3))
    prediction = np.empty_like(raw)
    loss.inverse_link(raw, prediction)
    assert (np.diff(prediction, axis=1) >= 0).all()
    assert_array_equal(prediction, np.sort(raw, axis=1))
    # one quantile of several targets: columns have nothing to do with each other
    Quantile(0.5).inverse_link(raw, prediction)
    assert_array_equal(prediction, raw)


@pytest.mark.parametrize(
    "quantiles, column", [([0.1, 0.5, 0.9], 1), ([0.1, 0.2, 0.45], 2), ([0.6, 0.9], 0)]
)
def test_the_middle_quantile_is_scored(quantiles, column):
    prediction = np.arange(2.0 * len(quantiles)).reshape(2, -1)
    assert_array_equal(Quantile(quantiles).point(prediction), prediction[:, [column]])
    assert Quantile(0.9).point(prediction) is prediction
    assert SquaredError().point(prediction) is prediction


def test_numbers_of_raw_outputs():
    assert [Quantile(0.3).n_outputs_for(n) for n in (1, 4)] == [1, 4]
    assert Quantile([0.3]).n_outputs_for(4) == 4
    assert Quantile(np.array([0.1, 0.9])).n_outputs_for(1) == 2
    assert Huber().n_outputs_for(3) == 3
    with pytest.raises(ValueError, match="several quantiles need a single target; y has 2 columns"):
        Quantile([0.1, 0.9]).n_outputs_for(2)


@pytest.mark.parametrize("wrong", [0.0, 1.0, -0.1, [0.9, 0.1], [0.1, 0.1], [0.5, 1.5], 50])
def test_invalid_quantiles(wrong):
    with pytest.raises(ValueError, match=r"quantiles must lie in \(0, 1\) and rise"):
        Quantile(wrong).check()


@pytest.mark.parametrize("power", [1.0, 2])
def test_powers_of_other_losses(power):
    with pytest.raises(
        ValueError, match=rf"must be above 1 and other than 2; got {power}. Use loss='po"
    ):
        HalfTweedie(power).check()


@pytest.mark.parametrize(
    "loss, y, message",
    [
        (HalfPoisson(), -0.5, r"loss='poisson' needs y >= 0.* the smallest y is -0\.5"),
        (HalfGamma(), 0.0, r"loss='gamma' needs y > 0; the smallest y is 0\.0"),
        (HalfTweedie(1.5), -1.0, r"loss='tweedie' needs y >= 0; the smallest y is -1\.0"),
        (HalfTweedie(2.5), 0.0, r"loss='tweedie' needs y > 0; the smallest y is 0\.0"),
    ],
)
def test_targets_for_which_a_loss_is_not_defined(loss, y, message):
    with pytest.raises(ValueError, match=message):
        loss.check_targets(np.array([[1.0], [y]]))


def test_targets_for_which_a_loss_is_defined():
    for loss, y in [(HalfPoisson(), 0.0), (HalfGamma(), 1e-9), (HalfTweedie(1.5), 0.0)]:
        loss.check_targets(np.array([[1.0], [y]]))
    for case in LOSSES:
        y, _, _ = draw(case)
        make_loss(case).check_targets(y)


def test_every_loss_has_a_case():
    classes = {type(loss) for loss in CASES.values()}
    names = {**CLASSIFICATION_LOSSES, **REGRESSION_LOSSES}
    assert {cls for cls in names.values() if cls is not LogLoss} <= classes


@pytest.mark.parametrize("case", LOSSES)
def test_the_curves_show_the_mean_over_outputs_where_errors_are_summed(case):
    assert make_loss(case).reports_mean == (CASES[case].link == "identity")


@pytest.mark.parametrize(
    ("loss", "y", "n_outputs"),
    [
        (SquaredError(), np.zeros(4), 1),  # no column
        (BinaryLogLoss(), np.zeros(4), 1),
        (MultinomialLogLoss(), np.zeros((4, 1), int), 2),  # a column of class numbers
        (MultinomialLogLoss(), np.zeros(4), 2),  # class numbers as floats
    ],
)
def test_targets_of_the_wrong_shape_are_explained(loss, y, n_outputs):
    name, shape = type(loss).__name__, rf"\({len(y)}, ?1?\)"
    with pytest.raises(ValueError, match=rf"{name} cannot compare y, .*{shape}.*reshape\(-1, 1\)"):
        loss.value_and_gradient(y, np.zeros((4, n_outputs)))


@pytest.mark.parametrize(
    ("loss", "y", "n_outputs", "says"),
    [
        (SquaredError(), np.zeros((4, 1)), 2, "columns do not belong together"),
        (SquaredError(), np.zeros((1, 2)), 2, "as many rows"),
        (Quantile([0.1, 0.9]), np.zeros((4, 2)), 2, "several quantiles need a single target"),
        (MultinomialLogLoss(), np.array([1, 3, 2, 1]), 3, "class numbers are 0 to 2; got 1 to 3"),
        (MultinomialLogLoss(), np.array([0, 1, -1, 1]), 3, "class numbers are 0 to 2; got -1 to 1"),
        (Focal(softmax=True), np.array([1, 3, 2, 1]), 3, "class numbers are 0 to 2; got 1 to 3"),
        (
            MultioutputLogLoss([2, 3]),
            np.array([[2, 0]] * 4),
            5,
            "class numbers are 0 to 1; got 2 to",
        ),
        (MultioutputLogLoss([2, 3]), np.array([[1, 2]]), 5, "as many rows"),
        (MultioutputLogLoss([2, 3]), np.zeros((4, 3), int), 5, "y must have 2 columns of labels"),
        (BinaryLogLoss(), np.array([[1], [-1], [1], [-1]]), 1, r"lie in \[0, 1\]; got -1 to 1"),
        (BinaryLogLoss(), np.array([[1.0], [2], [1], [2]]), 1, r"lie in \[0, 1\]; got 1.0 to 2.0"),
    ],
)
def test_targets_that_numpy_would_take_for_others_are_refused(loss, y, n_outputs, says):
    """A class number beyond the last is a place in the next row, and a column is repeated."""
    with pytest.raises(ValueError, match=f"{type(loss).__name__} cannot compare y, .*{says}"):
        loss.value_and_gradient(y, np.zeros((4, n_outputs)))
