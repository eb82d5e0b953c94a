# SPDX-License-Identifier: BSD-3-Clause
"""The learning rate range test: the loss of one batch after another while the rate grows.

A rate that is too small changes nothing, one that is too large makes the loss rise; choose one in between.
"""

from __future__ import annotations

import warnings
from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from sknumpynet._compat import rows_of
from sknumpynet.core.options import fits
from sknumpynet.displays._drawing import clones_to_train, new_axes

SMOOTHING = 0.9  # weight of the previous mean in the smoothed loss
DIVERGED = 4.0  # a pass ends when the smoothed loss exceeds that of the first batch by this factor
UNSCALED = 20.0  # a column whose mean or standard deviation exceeds this is considered unscaled


class LearningRateDisplay:
    """The loss against an increasing learning rate, with a suggested rate.

    Create one with :func:`~sknumpynet.find_learning_rate`.

    Parameters
    ----------
    learning_rates : ndarray of shape (n_steps,)
        The rate of each step.
    losses : ndarray of shape (n_passes, n_steps)
        The smoothed loss of each step in each pass; NaN where a pass had ended.

    Attributes
    ----------
    suggestion_ : float
        The suggested ``learning_rate_init``: a tenth of the rate at which the mean of the smoothed losses is
        lowest.
    ax_ : matplotlib Axes
        The axes, once drawn.
    figure_ : matplotlib Figure
        The figure.

    See Also
    --------
    find_learning_rate : Create one.
    """

    def __init__(self, learning_rates, losses):
        self.learning_rates = np.asarray(learning_rates)
        self.losses = np.asarray(losses)
        self.suggestion_ = _suggestion(self.learning_rates, self.losses)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : LearningRateDisplay
            The display itself.
        """
        self.ax_ = new_axes(self, ax)
        self.figure_ = self.ax_.figure
        for losses in self.losses:
            self.ax_.plot(self.learning_rates, losses, color="gray", alpha=0.35, linewidth=1)
        self.ax_.plot(self.learning_rates, _mean(self.losses), label="mean of the passes")
        self.ax_.axvline(
            self.suggestion_,
            linestyle="--",
            color="C1",
            label=f"suggestion: {self.suggestion_:.2g}",
        )
        finite = _mean(self.losses)
        finite = finite[np.isfinite(finite)]
        low, first = finite.min(), finite[0]
        self.ax_.set(
            xscale="log",
            xlabel="learning rate",
            ylabel="loss of a batch, smoothed",
            ylim=(low - 0.1 * (first - low), first + 0.6 * (first - low)) if first > low else None,
        )
        self.ax_.legend()
        return self

    def _repr_html_(self):
        return f"<p>learning_rate_init = {self.suggestion_:.2g} (suggested)</p>"

    def __repr__(self):
        return f"<LearningRateDisplay: suggestion_={self.suggestion_:.2g}; plot() draws the losses>"


def find_learning_rate(
    estimator, X, y, *, lowest=1e-6, highest=10.0, n_steps=100, n_passes=3, random_state=0
):
    """Find a learning rate: train on successive batches with an increasing rate, and record the loss.

    Parameters
    ----------
    estimator : NumpyMLPClassifier, NumpyMLPRegressor or Pipeline
        The network, or a Pipeline that ends in one, with any solver but L-BFGS. Clones are trained; the
        estimator is not changed.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Inputs.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    lowest, highest : float, default=1e-6 and 10
        The first and the last rate; in between the rate grows by a constant factor per step.
    n_steps : int, default=100
        Number of steps in a pass, one batch each.
    n_passes : int, default=3
        Number of passes, each with new initial weights and other batches; their losses are averaged.
    random_state : int, RandomState instance or None, default=0
        Determines the initial weights and the batches.

    Returns
    -------
    display : LearningRateDisplay
        ``display.suggestion_`` is the suggested rate; ``display.plot()`` draws the losses.

    Warns
    -----
    UserWarning
        If columns of X are far from mean 0 and standard deviation 1: scale them first.

    Raises
    ------
    TypeError, ValueError
        If the estimator is not one of this package, or has no learning rate.

    References
    ----------
    Smith: Cyclical learning rates for training neural networks (WACV 2017).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sknumpynet import NumpyMLPClassifier, find_learning_rate
    >>> X, y = load_digits(return_X_y=True)
    >>> display = find_learning_rate(NumpyMLPClassifier(), X / 16, y)
    >>> 0.001 < display.suggestion_ < 0.1
    True
    """
    before, network = clones_to_train(estimator)
    _check(network, lowest, highest, n_steps, n_passes)
    rng = check_random_state(random_state)
    if before is not None:
        X = before.fit_transform(X, y)
    clone(network).set_params(random_state=0).initialize(X, y)  # raises an error for bad data
    if not hasattr(y, "shape"):
        y = np.asarray(y)
    _warn_of_scale(X)
    rates = np.geomspace(float(lowest), float(highest), n_steps)
    losses = np.array([_one_pass(network, X, y, rates, rng) for _ in range(n_passes)])
    return LearningRateDisplay(rates, losses)


def _check(network, lowest, highest, n_steps, n_passes):
    if network.solver == "lbfgs":
        raise ValueError(
            "solver='lbfgs' chooses its own step length: there is no learning rate to find"
        )
    a_rate = "a number in (0, inf)"
    if not (fits(lowest, a_rate) and fits(highest, a_rate) and lowest < highest):
        raise ValueError(
            f"0 < lowest < highest < inf must hold; got lowest={lowest!r}, highest={highest!r}"
        )
    for name, value, least in (("n_steps", n_steps, 10), ("n_passes", n_passes, 1)):
        if not (isinstance(value, Integral) and value >= least):
            raise ValueError(f"{name} must be an integer of at least {least}; got {value!r}")


def _warn_of_scale(X):
    """Warn if columns of dense numbers are far from mean 0 and standard deviation 1."""
    if issparse(X):
        return
    columns = np.asarray(X)
    if columns.ndim != 2 or columns.dtype.kind not in "fiub" or not len(columns):
        return
    far = np.maximum(np.abs(columns.mean(axis=0)), columns.std(axis=0))
    if not far.max() > UNSCALED:
        return
    worst = int(np.argmax(far))
    name = X.columns[worst] if hasattr(X, "columns") else worst
    warnings.warn(
        f"X is not scaled: column {name!r} has mean {columns[:, worst].mean():.3g} and standard deviation "
        f"{columns[:, worst].std():.3g}. No learning rate suits such columns; put a StandardScaler before "
        "the network",
        UserWarning,
        stacklevel=3,
    )


def _one_pass(network, X, y, rates, rng):
    """Return the smoothed loss of each step; NaN after the loss has risen too far."""
    n = X.shape[0] if hasattr(X, "shape") else len(X)
    size = min(200, n) if network.batch_size == "auto" else min(network.batch_size, n)
    model = clone(network).set_params(
        learning_rate="constant",
        batch_size=size,
        early_stopping=False,
        verbose=False,
        random_state=int(rng.randint(np.iinfo(np.int32).max)),
    )
    known = {"classes": _classes(y)} if is_classifier(network) else {}
    losses, mean = np.full(len(rates), np.nan), 0.0
    order = np.empty(0, dtype=int)
    for step, rate in enumerate(rates):
        if len(order) < size:
            order = np.concatenate([order, rng.permutation(n)])
        batch, order = order[:size], order[size:]
        model.set_params(learning_rate_init=float(rate))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.partial_fit(rows_of(X, batch), rows_of(y, batch), **known)
        except ValueError:
            if step == 0:
                raise
            break  # training has diverged
        mean = SMOOTHING * mean + (1 - SMOOTHING) * model.loss_
        losses[step] = mean / (1 - SMOOTHING ** (step + 1))
        if not losses[step] <= DIVERGED * losses[0]:
            losses[step] = np.nan
            break
    return losses


def _classes(y):
    """Return the classes, for `partial_fit`."""
    y = np.asarray(y)
    if y.ndim == 1 or y.shape[1] == 1:
        return np.unique(y)
    if y.dtype.kind in "iubf" and set(np.unique(y)) <= {0, 1}:
        return np.arange(y.shape[1])
    return [np.unique(column) for column in y.T]


def _mean(losses):
    """Return the mean over passes; NaN as soon as one pass has ended."""
    return losses.mean(axis=0)


def _suggestion(rates, losses):
    mean = _mean(losses)
    if np.isnan(mean).all():
        raise ValueError("the loss of the first batch is NaN: there is no rate to suggest")
    return float(rates[np.nanargmin(mean)] / 10)
