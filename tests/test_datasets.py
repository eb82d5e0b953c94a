"""The data sets of the tutorials, against Boolean operators and formulas."""

import itertools
import operator

import numpy as np
import pytest

from sknumpynet import datasets

ORACLES = {
    "false": lambda a, b: False,
    "and": operator.and_,
    "a_and_not_b": lambda a, b: a and not b,
    "a": lambda a, b: a,
    "b_and_not_a": lambda a, b: b and not a,
    "b": lambda a, b: b,
    "xor": operator.xor,
    "or": operator.or_,
    "nor": lambda a, b: not (a or b),
    "xnor": operator.eq,
    "not_b": lambda a, b: not b,
    "b_implies_a": lambda a, b: not b or a,
    "not_a": lambda a, b: not a,
    "a_implies_b": lambda a, b: not a or b,
    "nand": lambda a, b: not (a and b),
    "true": lambda a, b: True,
}


def assert_bits(X, n_inputs):
    assert X.dtype == np.float64
    rows = [tuple(row) for row in X]
    assert rows == list(itertools.product((0.0, 1.0), repeat=n_inputs))


@pytest.mark.parametrize("name", ORACLES)
def test_gate(name):
    X, y = datasets.gate(name)
    assert_bits(X, 2)
    assert y.dtype == np.int64
    assert y.tolist() == [int(ORACLES[name](bool(a), bool(b))) for a, b in X]


def test_there_are_all_sixteen_gates_and_the_docstring_names_them():
    assert len({tuple(datasets.gate(name)[1]) for name in datasets.GATES}) == 16
    assert set(datasets.GATES) == set(ORACLES)
    for name in datasets.GATES:
        assert f'``"{name}"``' in datasets.gate.__doc__


@pytest.mark.parametrize("n_inputs", [2, 3, 5])
def test_xor(n_inputs):
    X, y = datasets.xor(n_inputs)
    assert_bits(X, n_inputs)
    assert y.dtype == np.int64
    oracle = X[:, 0].astype(int)
    for column in X.T[1:]:
        oracle = oracle ^ column.astype(int)
    np.testing.assert_array_equal(y, oracle)


def test_pairwise_ands():
    X, y = datasets.pairwise_ands()
    assert_bits(X, 3)
    assert y.dtype == np.int64
    for (a, b, c), outputs in zip(X.astype(int).tolist(), y.tolist(), strict=True):
        assert outputs == [a & b, a & c, b & c]


def shape(image):
    """From the four pixels as a picture: what is constant along rows, columns, diagonals."""
    (a, b), (c, d) = image
    if a == b == c == d:
        return "solid"
    if a == b and c == d:
        return "horizontal"
    if a == c and b == d:
        return "vertical"
    if a == d and b == c:
        return "diagonal"
    return "none"


def test_black_and_white_images():
    X, y = datasets.images_2x2()
    assert_bits(X, 4)
    assert y.tolist() == [shape(image.reshape(2, 2)) for image in X]
    X_vertical, vertical = datasets.images_2x2(target="vertical")
    np.testing.assert_array_equal(X_vertical, X)
    assert vertical.dtype == np.int64
    np.testing.assert_array_equal(vertical, [name == "vertical" for name in y])


def test_grey_images():
    dark, light = (0.1, 0.3), (0.6, 0.9)
    X, y = datasets.images_2x2(50, dark=dark, light=light, random_state=0)
    assert X.shape == (800, 4) and X.dtype == np.float64 and y.shape == (800,)
    bright = X > 0.45
    for (low, high), pixels in ((dark, X[~bright]), (light, X[bright])):
        # all of the range, and nothing else
        assert low <= pixels.min() < low + 0.01 and high - 0.01 < pixels.max() <= high
    assert len(np.unique(X)) == X.size
    for one_set in np.split(bright, 50):
        assert_bits(one_set.astype(float), 4)
    assert y.tolist() == [shape(image.reshape(2, 2)) for image in bright]
    same, vertical = datasets.images_2x2(
        50, target="vertical", dark=dark, light=light, random_state=0
    )
    np.testing.assert_array_equal(same, X)
    np.testing.assert_array_equal(vertical, y == "vertical")


def test_three_bit_rule():
    X, y = datasets.three_bit_rule()
    assert X.tolist() == [[0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1]]
    assert y.tolist() == [0, 1, 1, 0]
    X_remaining, y_remaining = datasets.three_bit_rule("remaining")
    X_all, y_all = datasets.three_bit_rule("all")
    np.testing.assert_array_equal(X_all, np.concatenate([X, X_remaining]))
    np.testing.assert_array_equal(y_all, np.concatenate([y, y_remaining]))
    assert len(np.unique(X_all, axis=0)) == 8
    np.testing.assert_array_equal(y_all, X_all[:, 0])
    assert X_all.dtype == np.float64 and y_all.dtype == np.int64


def test_line_and_cubic():
    X, y = datasets.line(7)
    assert X.shape == (7, 1)
    np.testing.assert_allclose(np.polyfit(X.ravel(), y, 1), [2, 3])
    X, y = datasets.cubic(21)
    assert X.shape == (21, 1) and y.shape == (21,)
    assert (X.min(), X.max()) == (-5, 5)
    np.testing.assert_allclose(np.polyfit(X.ravel(), y, 3), [1, 0, -15, 0], atol=1e-12)


def test_noise_on_the_line():
    _, y = datasets.line(5000, noise=0.5, random_state=0)
    rest = y - datasets.line(5000)[1]
    assert abs(rest.mean()) < 0.03
    assert rest.std() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    "draw",
    [
        lambda seed: datasets.images_2x2(2, random_state=seed)[0],
        lambda seed: datasets.line(noise=1.0, random_state=seed)[1],
    ],
)
def test_seeds(draw):
    np.testing.assert_array_equal(draw(0), draw(0))
    np.testing.assert_array_equal(draw(np.random.RandomState(0)), draw(0))
    assert not np.array_equal(draw(0), draw(1))


def test_what_is_returned_is_the_caller_s_own():
    for function in (datasets.three_bit_rule, datasets.xor, lambda: datasets.gate("and")):
        X, y = function()
        X += 1
        y += 1
        np.testing.assert_array_equal(function()[0] + 1, X)
        np.testing.assert_array_equal(function()[1] + 1, y)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: datasets.gate("nxor"), "name must be one of .*'xor'.*; got 'nxor'"),
        (lambda: datasets.gate(None), "name must be one of .*; got None"),
        (lambda: datasets.xor(1), "n_inputs must be an integer of at least 2; got 1"),
        (lambda: datasets.xor(2.0), "n_inputs must be an integer of at least 2; got 2.0"),
        (lambda: datasets.images_2x2(-1), "n_grey must be an integer of at least 0; got -1"),
        (lambda: datasets.images_2x2(True), "n_grey must be an integer of at least 0; got True"),
        (
            lambda: datasets.images_2x2(target="form"),
            "target must be one of 'shape', 'vertical'; got 'form'",
        ),
        (lambda: datasets.images_2x2(dark=0.2), "dark must be a pair .*; got 0.2"),
        (lambda: datasets.images_2x2(light=(1, 0.8)), r"light must be a pair .*; got \(1, 0.8\)"),
        (lambda: datasets.three_bit_rule("test"), "rows must be one of .*'remaining'.*got 'test'"),
        (lambda: datasets.line(0), "n_samples must be an integer of at least 1; got 0"),
        (lambda: datasets.line(noise=-1), "noise must be a number, at least 0; got -1"),
        (lambda: datasets.cubic("many"), "n_samples must be an integer of at least 1; got 'many'"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
