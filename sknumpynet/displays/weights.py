# SPDX-License-Identifier: BSD-3-Clause
"""The weights of a network: histograms, and those of the first layer as images."""

from __future__ import annotations

import math

import numpy as np

from sknumpynet.displays._drawing import DIVERGING, fitted_network, panels, symmetric


class WeightsDisplay:
    """A histogram of the weights of each layer; or, for inputs that are pixels, images of the first layer.

    Create one with :meth:`from_estimator`.

    Parameters
    ----------
    coefs : list of ndarray of shape (fan_in, fan_out)
        The weights of each layer.
    image_shape : tuple of two int, default=None
        Height and width of the images that the rows of X are; their product is the number of inputs.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One for each histogram or image.
    figure_ : matplotlib Figure
        The figure.
    bars_ : list of BarContainer
        The bars of each layer.
    images_ : list of AxesImage
        The images, of the first units.
    colorbar_ : Colorbar or None
        The scale of the images.

    See Also
    --------
    NetworkDisplay : Weights as lines between units.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sknumpynet import NumpyMLPClassifier, WeightsDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> model = NumpyMLPClassifier((16,), max_iter=20, random_state=0).fit(X, y)
    >>> display = WeightsDisplay.from_estimator(model, image_shape=(8, 8))
    >>> len(display.images_)
    16
    """

    def __init__(self, coefs, *, image_shape=None):
        self.coefs = coefs
        self.image_shape = image_shape

    @classmethod
    def from_estimator(cls, estimator, *, image_shape=None, ax=None, **options):
        """Draw the weights of a fitted network.

        Parameters
        ----------
        estimator : estimator
            A fitted network, ours or scikit-learn's, or a Pipeline that ends in one.
        image_shape : tuple of two int, default=None
            Height and width of the images that the rows of X are. Draws the weights of the first layer as
            such images, one for each unit; None draws histograms of all layers.
        ax : matplotlib Axes or array of them, default=None
            Where to draw: one, to be divided, or one for each histogram or image. None makes a new figure.
        **options
            Passed to :meth:`plot`.

        Returns
        -------
        display : WeightsDisplay
            The display, drawn.
        """
        coefs = [np.array(W) for W in fitted_network(estimator)[0].coefs_]
        return cls(coefs, image_shape=image_shape).plot(ax=ax, **options)

    def plot(self, ax=None, *, bins=40, max_images=16, cmap=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            Where to draw: one, to be divided, or one for each histogram or image. None makes a new figure.
        bins : int or str, default=40
            Of the histograms, as in :func:`numpy.histogram_bin_edges`.
        max_images : int, default=16
            Maximum number of images; the first units are drawn.
        cmap : str or Colormap, default=None
            Colours of the images; None is "coolwarm", blue for negative and red for positive weights.

        Returns
        -------
        display : WeightsDisplay
            The display itself.
        """
        self.bars_, self.images_, self.colorbar_ = [], [], None
        if self.image_shape is None:
            self._plot_histograms(ax, bins)
        else:
            self._plot_images(ax, max_images, cmap or DIVERGING)
        self.figure_ = self.axes_[0].figure
        return self

    def _plot_histograms(self, ax, bins):
        n = len(self.coefs)
        self.axes_ = panels(self, ax, 1, n, (1.0 + 2.8 * n, 2.8))
        for k, (axes, W) in enumerate(zip(self.axes_, self.coefs)):
            _, _, bars = axes.hist(W.ravel(), bins=bins)
            self.bars_.append(bars)
            name = "output" if k == n - 1 else f"hidden {k}"
            axes.set_title(f"{name}: {W.shape[0]} x {W.shape[1]}", fontsize="medium")
            axes.set_xlabel(f"weight, deviation {W.std():.2g}")
            axes.spines[["top", "right"]].set_visible(False)
        self.axes_[0].set_ylabel("number")

    def _plot_images(self, ax, max_images, cmap):
        W = self.coefs[0]
        if len(self.image_shape) != 2 or math.prod(self.image_shape) != len(W):
            raise ValueError(
                f"image_shape must be height and width, with the product {len(W)}, the number of inputs; "
                f"got {self.image_shape!r}"
            )
        n = min(W.shape[1], max_images)
        n_columns = math.ceil(math.sqrt(n))
        n_rows = math.ceil(n / n_columns)
        size = (1.2 + 1.1 * n_columns, 0.5 + 1.1 * n_rows)
        if ax is not None and np.size(ax) == n > 1:
            n_rows, n_columns = 1, n
        self.axes_ = panels(self, ax, n_rows, n_columns, size)
        norm = symmetric([W[:, :n]])
        for j, axes in enumerate(self.axes_):
            axes.set_axis_off()
            if j < n:
                image = W[:, j].reshape(self.image_shape)
                self.images_.append(axes.imshow(image, cmap=cmap, norm=norm))
        figure = self.axes_[0].figure
        label = f"weight, units 0 to {n - 1} of {W.shape[1]}"
        self.colorbar_ = figure.colorbar(
            self.images_[0], ax=list(self.axes_), shrink=0.8, label=label
        )
