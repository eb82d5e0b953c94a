# SPDX-License-Identifier: BSD-3-Clause
"""The small data sets of tutorials on neural networks; every function returns ``(X, y)``."""

from __future__ import annotations

import itertools
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

__all__ = [
    "cubic",
    "gate",
    "images_2x2",
    "line",
    "pairwise_ands",
    "three_bit_rule",
    "xor",
]

# The outputs for the inputs (0, 0), (0, 1), (1, 0), (1, 1).
GATES = {
    "false": (0, 0, 0, 0),
    "and": (0, 0, 0, 1),
    "a_and_not_b": (0, 0, 1, 0),
    "a": (0, 0, 1, 1),
    "b_and_not_a": (0, 1, 0, 0),
    "b": (0, 1, 0, 1),
    "xor": (0, 1, 1, 0),
    "or": (0, 1, 1, 1),
    "nor": (1, 0, 0, 0),
    "xnor": (1, 0, 0, 1),
    "not_b": (1, 0, 1, 0),
    "b_implies_a": (1, 0, 1, 1),
    "not_a": (1, 1, 0, 0),
    "a_implies_b": (1, 1, 0, 1),
    "nand": (1, 1, 1, 0),
    "true": (1, 1, 1, 1),
}
# The bright pixels of each shape: 0 is top left, 1 top right, 2 bottom left, 3 bottom right.
SHAPES = {
    "solid": ({0, 1, 2, 3}, set()),
    "horizontal": ({0, 1}, {2, 3}),
    "vertical": ({0, 2}, {1, 3}),
    "diagonal": ({0, 3}, {1, 2}),
}
THREE_BITS = {
    "training": ((0, 0, 1), (1, 1, 1), (1, 0, 1), (0, 1, 1)),
    "remaining": ((1, 1, 0), (0, 1, 0), (1, 0, 0), (0, 0, 0)),
}


def gate(name):
    """Return the truth table of a gate with two inputs, a and b.

    Parameters
    ----------
    name : str
        One of the 16: ``"and"``, ``"or"``, ``"xor"``, ``"nand"``, ``"nor"``, ``"xnor"``,
        ``"a_implies_b"``, ``"b_implies_a"``, ``"a_and_not_b"``, ``"b_and_not_a"``, ``"a"``, ``"b"``,
        ``"not_a"``, ``"not_b"``, ``"false"``, ``"true"``.

    Returns
    -------
    X : ndarray of shape (4, 2), float64
        The inputs a and b: ``[0, 0], [0, 1], [1, 0], [1, 1]``.
    y : ndarray of shape (4,), int64
        The output, 0 or 1.

    Raises
    ------
    ValueError
        If there is no gate of that name.

    Examples
    --------
    >>> from sknumpynet import datasets
    >>> X, y = datasets.gate("nand")
    >>> y
    array([1, 1, 1, 0])
    """
    return _bits(2), np.array(GATES[_choice("name", name, GATES)], np.int64)


def xor(n_inputs=2):
    """Return the truth table of XOR: 1 where the number of ones among the inputs is odd.

    Parameters
    ----------
    n_inputs : int, default=2
        The number of inputs, 2 or more.

    Returns
    -------
    X : ndarray of shape (2**n_inputs, n_inputs), float64
        The inputs, counting up in binary.
    y : ndarray of shape (2**n_inputs,), int64
        The output, 0 or 1.

    Raises
    ------
    ValueError
        If ``n_inputs`` is not an integer of at least 2.

    Examples
    --------
    >>> from sknumpynet import datasets
    >>> X, y = datasets.xor(3)
    >>> y
    array([0, 1, 1, 0, 1, 0, 0, 1])
    """
    X = _bits(_count("n_inputs", n_inputs, smallest=2))
    return X, X.sum(axis=1).astype(np.int64) % 2


def pairwise_ands():
    """Return the three pairwise ANDs of three bits a, b, c: three outputs.

    Returns
    -------
    X : ndarray of shape (8, 3), float64
        The inputs a, b and c, counting up in binary.
    y : ndarray of shape (8, 3), int64
        The outputs ``a and b``, ``a and c``, ``b and c``, 0 or 1.

    Examples
    --------
    >>> from sknumpynet import datasets
    >>> X, y = datasets.pairwise_ands()
    >>> X[5], y[5]
    (array([1., 0., 1.]), array([0, 1, 0]))
    """
    X = _bits(3)
    a, b, c = X.astype(np.int64).T
    return X, np.column_stack([a * b, a * c, b * c])


def images_2x2(n_grey=0, *, target="shape", dark=(0.0, 0.2), light=(0.8, 1.0), random_state=None):
    """Return all 16 images of two by two pixels, in black and white or in shades of grey.

    Parameters
    ----------
    n_grey : int, default=0
        The number of grey-scale sets, each of all 16 images with new shades; 0 means one set in black (0)
        and white (1).
    target : {'shape', 'vertical'}, default='shape'
        The meaning of ``y``. A shape and its negative have the same label:

        - ``"solid"``: all four pixels alike, bright or dark;
        - ``"horizontal"``: one of the two rows is bright, the other dark;
        - ``"vertical"``: one of the two columns is bright, the other dark;
        - ``"diagonal"``: one of the two diagonals is bright, the other dark;
        - ``"none"``: one or three bright pixels.

        There are two images of each shape and eight of none. With ``target="vertical"`` the label is 1 for a
        vertical image and 0 for any other.
    dark, light : tuple of float (low, high), default=(0.0, 0.2) and (0.8, 1.0)
        The ranges from which the shades of dark and of bright pixels are drawn, evenly.
    random_state : int, RandomState instance or None, default=None
        Source of the shades.

    Returns
    -------
    X : ndarray of shape (16 * max(n_grey, 1), 4), float64
        The pixels top left, top right, bottom left, bottom right. Each set counts up in binary.
    y : ndarray of shape (16 * max(n_grey, 1),), str or int64
        The labels.

    Raises
    ------
    ValueError
        If ``n_grey`` is not an integer of at least 0, ``target`` is unknown, or a range is not ordered.

    Examples
    --------
    >>> from sknumpynet import datasets
    >>> X, y = datasets.images_2x2()
    >>> X[10].reshape(2, 2), str(y[10])
    (array([[1., 0.],
           [1., 0.]]), 'vertical')
    >>> X, y = datasets.images_2x2(20, random_state=0)
    >>> X.shape
    (320, 4)
    """
    n_grey = _count("n_grey", n_grey, smallest=0)
    _choice("target", target, ("shape", "vertical"))
    dark, light = _range("dark", dark), _range("light", light)
    X = _bits(4)
    y = np.array([_shape(set(np.flatnonzero(image).tolist())) for image in X])
    if n_grey:
        bright = np.tile(X, (n_grey, 1)) == 1
        random = check_random_state(random_state)
        X = np.where(
            bright, random.uniform(*light, bright.shape), random.uniform(*dark, bright.shape)
        )
        y = np.tile(y, n_grey)
    return X, (y == "vertical").astype(np.int64) if target == "vertical" else y


def three_bit_rule(rows="training"):
    """Return rows of three bits of which the first is the output.

    Parameters
    ----------
    rows : {'training', 'remaining', 'all'}, default='training'
        ``"training"``: four rows, whose last bit is always 1; ``"remaining"``: the other four, for a look
        at what was learnt; ``"all"``: these after those.

    Returns
    -------
    X : ndarray of shape (4, 3) or (8, 3), float64
        The bits.
    y : ndarray of shape (4,) or (8,), int64
        The first bit.

    Raises
    ------
    ValueError
        If ``rows`` is not one of the three.

    Examples
    --------
    >>> from sknumpynet import datasets
    >>> X, y = datasets.three_bit_rule()
    >>> X
    array([[0., 0., 1.],
           [1., 1., 1.],
           [1., 0., 1.],
           [0., 1., 1.]])
    >>> y
    array([0, 1, 1, 0])
    """
    parts = {**THREE_BITS, "all": (*THREE_BITS["training"], *THREE_BITS["remaining"])}
    X = np.array(parts[_choice("rows", rows, parts)], np.float64)
    return X, X[:, 0].astype(np.int64)


def line(n_samples=50, noise=0.0, random_state=None):
    """Return points on the line ``y = 2 x + 3``.

    Parameters
    ----------
    n_samples : int, default=50
        The number of points, evenly spaced from x = -1 to x = 1.
    noise : float, default=0.0
        The standard deviation of the noise added to ``y``.
    random_state : int, RandomState instance or None, default=None
        Source of the noise.

    Returns
    -------
    X : ndarray of shape (n_samples, 1), float64
        The points.
    y : ndarray of shape (n_samples,), float64
        Their values.

    Raises
    ------
    ValueError
        If ``n_samples`` is not an integer of at least 1, or ``noise`` is negative or not a number.

    Examples
    --------
    >>> from sknumpynet import datasets
    >>> X, y = datasets.line(3)
    >>> X.ravel(), y
    (array([-1.,  0.,  1.]), array([1., 3., 5.]))
    """
    X = np.linspace(-1, 1, _count("n_samples", n_samples, smallest=1)).reshape(-1, 1)
    if not (isinstance(noise, Real) and 0 <= noise < np.inf):
        raise ValueError(f"noise must be a number, at least 0; got {noise!r}")
    y = 2 * X.ravel() + 3
    if noise:
        y += check_random_state(random_state).normal(scale=noise, size=len(y))
    return X, y


def cubic(n_samples=101):
    """Return points on the cubic ``y = x^3 - 15 x``.

    Parameters
    ----------
    n_samples : int, default=101
        The number of points, evenly spaced from x = -5 to x = 5.

    Returns
    -------
    X : ndarray of shape (n_samples, 1), float64
        The points.
    y : ndarray of shape (n_samples,), float64
        Their values, between -50 and 50.

    Raises
    ------
    ValueError
        If ``n_samples`` is not an integer of at least 1.

    Examples
    --------
    >>> from sknumpynet import datasets
    >>> X, y = datasets.cubic(3)
    >>> X.ravel(), y
    (array([-5.,  0.,  5.]), array([-50.,   0.,  50.]))
    """
    X = np.linspace(-5, 5, _count("n_samples", n_samples, smallest=1)).reshape(-1, 1)
    return X, X.ravel() ** 3 - 15 * X.ravel()


def _bits(n):
    """All rows of ``n`` bits, shape (2**n, n), counting up in binary."""
    return np.array(list(itertools.product((0.0, 1.0), repeat=n)))


def _shape(bright):
    return next((name for name, images in SHAPES.items() if bright in images), "none")


def _choice(name, given, choices):
    if not isinstance(given, str) or given not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}; got {given!r}")
    return given


def _count(name, given, smallest):
    if not isinstance(given, Integral) or isinstance(given, bool) or given < smallest:
        raise ValueError(f"{name} must be an integer of at least {smallest}; got {given!r}")
    return int(given)


def _range(name, given):
    try:
        low, high = map(float, given)
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    if not -np.inf < low <= high < np.inf:
        raise ValueError(f"{name} must be a pair (low, high) with low <= high; got {given!r}")
    return low, high
