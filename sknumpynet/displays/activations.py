# SPDX-License-Identifier: BSD-3-Clause
"""Activations of the hidden units over many rows, and which units are dead."""

from __future__ import annotations

import numpy as np

from sknumpynet.core.wording import counted
from sknumpynet.displays._drawing import fitted_network, hidden_names, panels


class ActivationsDisplay:
    """A histogram of the activations of each hidden layer, with the number of dead units.

    A unit is dead if its activation is the same for every row: the range of its activations is less than
    `tolerance` times the largest absolute activation in its layer. A dead ReLU unit is 0 for all rows, a dead
    tanh unit is saturated; in either case it acts only as a bias, and hardly learns any more.

    Create one with :meth:`from_estimator`.

    Parameters
    ----------
    activations : list of ndarray of shape (n_samples, n_units)
        The activations of each hidden layer, for two rows or more.
    names : list of str, default=None
        Names of the layers.
    tolerance : float, default=1e-3
        Maximum range of a dead unit, as a share of the largest absolute activation in its layer.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One for each hidden layer.
    figure_ : matplotlib Figure
        The figure.
    bars_ : list of BarContainer
        The bars of each layer: shares of all of its activations.

    Examples
    --------
    >>> import numpy as np
    >>> from sknumpynet import ActivationsDisplay
    >>> display = ActivationsDisplay([np.array([[0.0, 1.0, 0.2], [0.0, 0.5, 0.2]])])
    >>> display.dead_units()
    [array([ True, False,  True])]
    """

    def __init__(self, activations, *, names=None, tolerance=1e-3):
        self.activations = activations
        self.names = names
        self.tolerance = tolerance

    @classmethod
    def from_estimator(cls, estimator, X, *, tolerance=1e-3, ax=None, **options):
        """Draw the activations of a fitted network for some rows.

        Parameters
        ----------
        estimator : NumpyMLPClassifier, NumpyMLPRegressor or Pipeline
            A fitted network, or a Pipeline that ends in one.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows, two or more.
        tolerance : float, default=1e-3
            Maximum range of a dead unit, as a share of the largest absolute activation in its layer.
        ax : matplotlib Axes or array of them, default=None
            Where to draw: one, to be divided, or one for each hidden layer. None makes a new figure.
        **options
            Passed to :meth:`plot`.

        Returns
        -------
        display : ActivationsDisplay
            The display, drawn.
        """
        network, X = fitted_network(estimator, X)
        if not hasattr(network, "hidden_activations"):
            raise TypeError(
                "estimator must be a NumpyMLPClassifier or NumpyMLPRegressor, or a Pipeline that ends in "
                f"one; got {type(network).__name__}"
            )
        names = hidden_names(network)
        activations = [network.hidden_activations(X, k) for k in range(len(names))]
        return cls(activations, names=names, tolerance=tolerance).plot(ax=ax, **options)

    def dead_units(self):
        """Return which units have the same activation for every row.

        Returns
        -------
        dead : list of ndarray of shape (n_units,)
            Of bool, for each hidden layer.
        """
        dead = []
        for a in self.activations:
            if len(a) < 2:
                raise ValueError(
                    f"X, and so activations, must have two rows or more; got {counted(len(a), 'row')}"
                )
            dead.append(np.ptp(a, axis=0) <= self.tolerance * np.abs(a).max())
        return dead

    def plot(self, ax=None, *, bins=40):
        """Draw.

        Activations that are exactly 0, of which rectifiers have many, are counted in the heading and not
        included in the bars.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            Where to draw: one, to be divided, or one for each hidden layer. None makes a new figure.
        bins : int or str, default=40
            As in :func:`numpy.histogram_bin_edges`.

        Returns
        -------
        display : ActivationsDisplay
            The display itself.
        """
        n = len(self.activations)
        if n == 0:
            raise ValueError("the network has no hidden layer, so there are no activations to draw")
        dead = self.dead_units()
        self.axes_ = panels(self, ax, 1, n, (1.0 + 2.8 * n, 3.0))
        self.figure_, self.bars_ = self.axes_[0].figure, []
        for k, (axes, a) in enumerate(zip(self.axes_, self.activations)):
            others = a[a != 0]
            _, _, bars = axes.hist(others, bins=bins, weights=np.full(len(others), 1 / a.size))
            self.bars_.append(bars)
            name = f"hidden {k}" + (f", {self.names[k]}" if self.names else "")
            zeros = 1 - len(others) / a.size
            lines = [name, f"{dead[k].sum()} of {counted(a.shape[1], 'unit')} dead"]
            if zeros:
                lines.append(f"{zeros:.0%} exactly 0")
            axes.set_title("\n".join(lines), fontsize="medium")
            axes.set_xlabel("activation")
            axes.spines[["top", "right"]].set_visible(False)
        self.axes_[0].set_ylabel("share")
        return self
