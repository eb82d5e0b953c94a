# SPDX-License-Identifier: BSD-3-Clause
"""Helpers of the displays: axes, colours of signed numbers, networks inside pipelines."""

from __future__ import annotations

import copy

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sknumpynet._compat import check_matplotlib_support
from sknumpynet.estimators import NumpyMLPClassifier, NumpyMLPRegressor

# Blue for negative and red for positive numbers, grey near zero: readable for colour-blind people, and
# visible on a white background.
DIVERGING = "coolwarm"


def new_axes(display, ax, figsize=None):
    """Return the axes to draw on: the given ones, or new ones."""
    check_matplotlib_support(f"{type(display).__name__}.plot")
    if ax is not None:
        _check_axes([ax])
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=figsize, layout="constrained")[1]


def _check_axes(axes):
    """Raise TypeError unless all are axes of matplotlib."""
    from matplotlib.axes import Axes

    for each in axes:
        if not isinstance(each, Axes):
            raise TypeError(f"ax must be a matplotlib Axes or None; got {each!r}")


def panels(display, ax, n_rows, n_columns, figsize, **options):
    """Return n_rows * n_columns axes: the given ones, parts of the given one, or new ones."""
    check_matplotlib_support(f"{type(display).__name__}.plot")
    n = n_rows * n_columns
    if ax is not None and np.size(ax) in (1, n):
        _check_axes(np.ravel(np.array(ax, dtype=object)))
    if ax is None:
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=figsize, layout="constrained")
        grid = figure.add_gridspec(n_rows, n_columns, **options)
    elif np.size(ax) == 1:
        (ax,) = np.ravel(ax)
        figure = ax.figure
        ax.set_axis_off()
        grid = ax.get_subplotspec().subgridspec(n_rows, n_columns, **options)
    elif np.size(ax) == n:
        return np.ravel(ax)
    else:
        raise ValueError(f"ax must be one matplotlib Axes, or {n}; got {np.size(ax)}")
    return np.array([figure.add_subplot(cell) for cell in grid], dtype=object)


def symmetric(arrays):
    """Return the norm that maps zero to the middle of the colours."""
    from matplotlib.colors import Normalize

    largest = max((float(np.max(np.abs(array))) for array in arrays if np.size(array)), default=1)
    return Normalize(-(largest or 1.0), largest or 1.0)


def fitted_network(estimator, X=None):
    """Return the network, which may be the last step of a Pipeline, and X transformed by the steps before it.

    The network is a shallow copy, which a fit in another thread does not change.
    """
    check_is_fitted(estimator)
    if isinstance(estimator, Pipeline):
        if X is not None and len(estimator) > 1:
            X = estimator[:-1].transform(X)
        estimator = estimator[-1]
    if is_for_tables(estimator):
        raise TypeError(
            f"{type(estimator).__name__} is an ensemble of {estimator.n_members_} networks, which are not "
            "drawn individually; LossCurveDisplay draws the cycles of all of them"
        )
    if not hasattr(estimator, "coefs_"):
        raise TypeError(
            "estimator must be a multi-layer perceptron, or a Pipeline that ends in one; got "
            f"{type(estimator).__name__}"
        )
    return copy.copy(estimator), X


def is_for_tables(estimator):
    """Return whether it is a fitted `TabularMLPClassifier` or `TabularMLPRegressor`."""
    return hasattr(estimator, "snapshot_weights_")


def clones_to_train(estimator):
    """Return clones of the steps before the network (None if there are none) and of the network."""
    network = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(network, NumpyMLPClassifier | NumpyMLPRegressor):
        raise TypeError(
            "estimator must be a NumpyMLPClassifier or NumpyMLPRegressor, or a Pipeline that ends in one; "
            f"got {type(network).__name__}"
        )
    copied = clone(estimator)
    if not isinstance(copied, Pipeline):
        return None, copied
    return (copied[:-1] if len(copied) > 1 else None), copied[-1]


def hidden_names(network):
    """Return the name of the activation of each hidden layer."""
    n, choice = len(network.coefs_) - 1, network.activation
    choices = choice if isinstance(choice, list) else [choice] * n
    names = []
    for each in choices:
        if isinstance(each, tuple):
            each = getattr(each[0], "__name__", "function")
        names.append(each if isinstance(each, str) else type(each).__name__)
    return names


def plain(text):
    """Return the text with escaped dollar signs."""
    return str(text).replace("$", r"\$")


def plain_ticks(low, high):
    """Return ticks of a logarithmic axis, and their labels as decimals: 0.05 instead of 5 x 10^-2."""
    decades = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    steps = (1, 2, 5) if np.log10(high / low) < 2.5 else (1,)
    marks = [step * 10.0**k for k in decades for step in steps]
    marks = [mark for mark in marks if low <= mark <= high]
    return marks, [f"{mark:g}" for mark in marks]
