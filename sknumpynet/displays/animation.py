# SPDX-License-Identifier: BSD-3-Clause
"""Animations of training: the predictions over one or two features, epoch by epoch, and the loss.

The numbers of every frame are recorded while a clone is trained; matplotlib draws them when they are shown.
"""

from __future__ import annotations

import base64
import io
import os
import warnings
from dataclasses import dataclass
from html import escape
from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.utils.multiclass import type_of_target

from sknumpynet._compat import check_matplotlib_support
from sknumpynet._container import path_to_write
from sknumpynet.core.options import fits
from sknumpynet.core.wording import counted
from sknumpynet.displays._drawing import clones_to_train, plain, plain_ticks

GRID = 61  # points along a feature
MARGIN = 0.15  # around the data, as a share of their range
MAX_PANELS = 8  # of hidden units
DPI = 88  # of a GIF
LEGEND_ABOVE = 20  # characters that fit above the surface, next to the epoch
# Okabe and Ito's colours, which colour-blind readers can distinguish
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


@dataclass
class Frame:
    """The network after an epoch: predictions on the grid, and the activations of hidden units there.

    Attributes
    ----------
    epoch : int
        Number of epochs done, or of iterations of L-BFGS; 0 before training.
    output : ndarray of shape (n_points, n_outputs)
        Probabilities of the classes, or predictions.
    hidden : ndarray of shape (n_points, n_units) or None
        Activations of the first hidden layer, if it has few units.
    """

    epoch: int
    output: np.ndarray
    hidden: np.ndarray | None


class TrainingAnimation:
    """The result of :func:`~sknumpynet.animate_training`: a notebook plays it, `save` writes it to a file.

    Parameters
    ----------
    frames : list of Frame
        The frames, in order.
    loss_curve : list of float
        The loss of each epoch.
    X, y : ndarray
        The data that are drawn.
    grid : ndarray of shape (n_points, n_features)
        The points at which predictions were made.
    classes : ndarray, default=None
        The classes; None where numbers are predicted.
    feature_names : list of str, default=None
        Names of the features.

    Attributes
    ----------
    estimator_ : estimator
        The trained clone.

    See Also
    --------
    animate_training : Create one.
    """

    def __init__(self, frames, loss_curve, X, y, grid, classes=None, feature_names=None):
        self.frames = frames
        self.loss_curve = loss_curve
        self.X, self.y, self.grid = X, y, grid
        self.classes = classes
        self.feature_names = feature_names or [f"x{i}" for i in range(X.shape[1])]

    def __len__(self):
        return len(self.frames)

    def save(self, path, *, fps=10, loop=True):
        """Write the animation to a file.

        Parameters
        ----------
        path : str or path-like
            The file. The extension sets the format: ".gif" needs Pillow, which comes with matplotlib; others,
            such as ".mp4", need the program that matplotlib uses for them.
        fps : float, default=10
            Frames per second.
        loop : bool, default=True
            Whether a GIF is played again and again; False plays it once, and its last frame stays.

        Returns
        -------
        animation : TrainingAnimation
            The animation itself.

        Raises
        ------
        OSError
            If the file cannot be written: its folder does not exist, for instance.
        """
        if not fits(fps, "a number in (0, inf)"):
            raise ValueError(f"fps must be a number above 0; got {fps!r}")
        path = path_to_write(path)
        if os.path.splitext(path)[1].lower() != ".gif":
            import matplotlib.pyplot as plt

            animation = self.to_matplotlib(interval=1000 / fps)
            animation.save(os.fspath(path), fps=fps)
            plt.close(animation._fig)
            return self
        with open(path, "wb") as file:
            self._write_gif(file, fps, loop)
        return self

    def to_matplotlib(self, *, interval=100):
        """Return a matplotlib animation, to show in a window or to change.

        Parameters
        ----------
        interval : float, default=100
            Milliseconds between frames.

        Returns
        -------
        animation : matplotlib.animation.FuncAnimation
            The animation; keep a reference to it while it plays.
        """
        if not fits(interval, "a number in (0, inf)"):
            raise ValueError(f"interval must be a number above 0; got {interval!r}")
        check_matplotlib_support("TrainingAnimation.to_matplotlib")
        from matplotlib.animation import FuncAnimation

        picture = _Picture(self)
        return FuncAnimation(
            picture.figure, picture.draw, frames=len(self.frames), interval=interval, repeat=True
        )

    def plot(self, frame=-1):
        """Draw one frame.

        Parameters
        ----------
        frame : int, default=-1
            Index of the frame; -1 is the last.

        Returns
        -------
        figure : matplotlib Figure
            The figure.
        """
        check_matplotlib_support("TrainingAnimation.plot")
        picture = _Picture(self)
        picture.draw(range(len(self.frames))[frame])
        return picture.figure

    def _write_gif(self, file, fps, loop=True):
        """Write a GIF that shows its last frame for longer."""
        check_matplotlib_support("TrainingAnimation.save")
        import matplotlib.pyplot as plt
        from PIL import Image

        picture, images = _Picture(self), []
        picture.figure.set_dpi(DPI)
        for i in range(len(self.frames)):
            picture.draw(i)
            picture.figure.canvas.draw()
            picture.figure.set_layout_engine("none")  # layout takes longer than drawing
            pixels = np.asarray(picture.figure.canvas.buffer_rgba())[..., :3]
            images.append(Image.fromarray(pixels))
        plt.close(picture.figure)
        palette = _palette(images)
        images = [each.quantize(palette=palette, dither=Image.Dither.NONE) for each in images]
        duration = [round(1000 / fps)] * len(images)
        duration[-1] = max(duration[-1], 1500)
        images[0].save(
            file,
            format="GIF",
            save_all=True,
            append_images=images[1:],
            duration=duration,
            loop=0 if loop else None,  # 0 is for ever
            optimize=False,
        )

    def _repr_html_(self):
        buffer = io.BytesIO()
        self._write_gif(buffer, fps=10)
        data = base64.b64encode(buffer.getvalue()).decode()
        return f'<img alt="{escape(self._alt_text())}" src="data:image/gif;base64,{data}">'

    def _alt_text(self):
        last = self.frames[-1].epoch
        what = "predictions" if self.classes is None else "decision surface"
        return (
            f"The {what} of a network over {counted(len(self.frames), 'picture')} from epoch "
            f"{self.frames[0].epoch} to {last}, while the loss goes from {self.loss_curve[0]:.3g} to "
            f"{self.loss_curve[-1]:.3g}"
        )

    def __repr__(self):
        return (
            f"<TrainingAnimation: {counted(len(self.frames), 'frame')}, epoch {self.frames[0].epoch} to "
            f"{self.frames[-1].epoch}; save('training.gif') keeps it>"
        )


def animate_training(estimator, X, y, *, epochs=None, every=1):
    """Train a clone of a network, and animate its predictions over the epochs.

    The decision surface of two features, or the curve over one, is drawn beside the loss. If the first hidden
    layer has at most eight units, each is drawn in a small panel.

    Parameters
    ----------
    estimator : NumpyMLPClassifier, NumpyMLPRegressor or Pipeline
        The network, or a Pipeline that ends in one. It is cloned and not changed.
    X : array-like of shape (n_samples, 1) or (n_samples, 2)
        Inputs.
    y : array-like of shape (n_samples,)
        Labels of two or more classes, or numbers.
    epochs : int, default=None
        Number of epochs to train (of iterations with ``solver="lbfgs"``); None trains for as many as `fit`
        takes.
    every : int, default=1
        Number of epochs between two frames; the first and the last epoch are always included.

    Returns
    -------
    animation : TrainingAnimation
        As the last line of a notebook cell it is played; ``animation.save("training.gif")`` writes a file.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If the estimator is not one of this package.
    ValueError
        If X has more than two features, y several columns, or ``early_stopping=True``, which training one
        epoch at a time does not support.

    Notes
    -----
    Epochs are calls of ``partial_fit``, which give the same weights as ``fit`` with as many epochs; L-BFGS is
    fitted again for each frame.

    Examples
    --------
    >>> from sknumpynet import NumpyMLPClassifier, animate_training
    >>> from sknumpynet.datasets import xor
    >>> X, y = xor()
    >>> network = NumpyMLPClassifier((4,), "tanh", learning_rate_init=0.1, random_state=0)
    >>> animation = animate_training(network, X, y, epochs=60, every=20)
    >>> [frame.epoch for frame in animation.frames]
    [0, 20, 40, 60]
    """
    check_matplotlib_support("animate_training")
    before, network = clones_to_train(estimator)
    for name, value in (("epochs", epochs), ("every", every)):
        if name == "epochs" and value is None:
            continue
        if not (isinstance(value, Integral) and value >= 1):
            raise ValueError(f"{name} must be an integer of at least 1; got {value!r}")
    if network.early_stopping and network.solver != "lbfgs":
        raise ValueError(
            "animate_training trains one epoch at a time, which early_stopping does not support: set "
            "early_stopping=False"
        )
    names = [str(name) for name in getattr(X, "columns", [])] or None
    drawn, target = _data_to_draw(X, y, is_classifier(network))
    inputs = X if before is None else before.fit_transform(X, y)

    grid = _grid(drawn)
    asked = _like(grid, X)
    asked = asked if before is None else before.transform(asked)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        if epochs is None or network.solver == "lbfgs":  # which ends when it has converged
            whole = clone(network)
            whole.set_params(max_iter=whole.max_iter if epochs is None else epochs)
            epochs = whole.fit(inputs, y).n_iter_
        steps = _trained(network, inputs, y, epochs, every)
        frames = []
        for epoch, model in steps:
            frames.append(_frame(epoch, model, asked))
    made = TrainingAnimation(
        frames,
        list(model.history_["loss"]),
        drawn,
        target,
        grid,
        getattr(model, "classes_", None),
        names,
    )
    made.estimator_ = model
    if before is not None:
        made.estimator_ = Pipeline([*before.steps, (estimator.steps[-1][0], model)])
    return made


def _data_to_draw(X, y, classifies):
    """Return X and y as arrays, or raise if they cannot be drawn."""
    if issparse(X):
        raise TypeError("animate_training draws dense X: give X.toarray()")
    drawn, target = _as_array("X", X), _as_array("y", y)
    if drawn.ndim != 2 or drawn.shape[1] not in (1, 2):
        raise ValueError(
            f"animate_training draws one or two features; X has shape {drawn.shape}. Use two of the "
            "columns, or PCA(n_components=2)"
        )
    if target.ndim != 1 and target.shape[1:] != (1,):
        raise ValueError(
            f"animate_training draws one target; y has shape {target.shape}: use one column"
        )
    if target.dtype.kind == "c" or (target.dtype.kind == "f" and not np.isfinite(target).all()):
        raise ValueError("y must hold labels or finite, real numbers")
    if classifies and type_of_target(target) not in ("binary", "multiclass"):
        raise ValueError(f"y must be class labels; got {type_of_target(target)!r}")
    try:
        return drawn.astype(np.float64), target.ravel()
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"X must hold numbers, which animate_training draws: encode text first ({error})"
        ) from error


def _as_array(name, values):
    """Return the values as an array, or raise ValueError if rows differ in length."""
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} must have rows of the same length") from error


def _grid(X):
    """Return points that cover the data with a margin, (n_points, n_features)."""
    low, high = X.min(axis=0), X.max(axis=0)
    margin = MARGIN * np.where(high > low, high - low, 1)
    axes = [np.linspace(a - m, b + m, GRID) for a, b, m in zip(low, high, margin)]
    return np.stack([each.ravel() for each in np.meshgrid(*axes)], axis=1)


def _like(grid, X):
    """Return the grid as a DataFrame if X is one."""
    return (
        type(X)(grid, columns=X.columns) if hasattr(X, "columns") and hasattr(X, "iloc") else grid
    )


def _trained(network, X, y, epochs, every):
    """Yield 0 and an untrained network, then the trained network after every few epochs."""
    yield 0, clone(network).initialize(X, y)
    shown = [*range(every, epochs, every), epochs]
    if network.solver == "lbfgs":
        for n in shown:
            yield n, clone(network).set_params(max_iter=n).fit(X, y)
        return
    known = {"classes": np.unique(np.asarray(y))} if is_classifier(network) else {}
    for epoch in range(1, epochs + 1):
        network.partial_fit(X, y, **known)
        if epoch == shown[0]:
            yield shown.pop(0), network


def _frame(epoch, network, asked):
    """Return the frame of a network."""
    if is_classifier(network):
        output = network.predict_proba(asked)
    else:
        output = np.reshape(network.predict(asked), (len(asked), -1))
    hidden = None
    if len(network.coefs_) > 1 and network.coefs_[0].shape[1] <= MAX_PANELS:
        hidden = network.hidden_activations(asked, layer=0).astype(np.float32)
    return Frame(epoch, output.astype(np.float32), hidden)


class _Picture:
    """The figure of an animation, which shows one frame at a time."""

    def __init__(self, animation):
        import matplotlib.pyplot as plt

        self.animation = animation
        self.flat = animation.X.shape[1] == 1
        hidden = animation.frames[0].hidden
        n = 0 if hidden is None else hidden.shape[1]
        self.figure = plt.figure(figsize=(6.8, 3.0 + 1.1 * bool(n)), layout="constrained")
        parts = self.figure.add_gridspec(2 if n else 1, 1, height_ratios=[3, 1] if n else [1])
        top = parts[0].subgridspec(1, 2)
        self.surface_ax = self.figure.add_subplot(top[0])
        self.loss_ax = self.figure.add_subplot(top[1])
        self.panels = []
        if n:
            row = parts[1].subgridspec(1, max(n, 4))
            self.panels = [self.figure.add_subplot(row[i]) for i in range(n)]
        points = animation.grid
        self.extent = (*points[[0, -1], 0], *points[[0, -1], -1])
        self._draw_surface()
        self._draw_loss()
        self._draw_panels()

    def _draw_surface(self):
        a, ax = self.animation, self.surface_ax
        ax.set_xlabel(plain(a.feature_names[0]))
        first = a.frames[0].output
        if self.flat:
            x = a.grid[:, 0]
            if a.classes is None:
                ax.scatter(a.X[:, 0], a.y, s=14, color="gray", alpha=0.6, label="data")
                self.curves = [ax.plot(x, first[:, 0], color=COLORS[1], label="network")[0]]
                ax.set_ylim(*_wide(a.y))
                ax.set_ylabel("y")
            else:
                self.curves = [
                    ax.plot(x, p, color=_color(k), label=plain(label))[0]
                    for k, (p, label) in enumerate(zip(first.T, a.classes))
                ]
                for k, label in enumerate(a.classes):
                    at = a.X[a.y == label, 0]
                    ax.plot(at, np.full(len(at), -0.06), "|", color=_color(k))
                ax.set_ylim(-0.12, 1.05)
                ax.set_ylabel("probability")
            ax.legend(loc="best", fontsize="small")
            return
        ax.set_ylabel(plain(a.feature_names[1]))
        self.image = ax.imshow(
            self._pixels(first),
            origin="lower",
            extent=self.extent,
            aspect="auto",
            interpolation="bilinear",
            **({"cmap": "viridis"} if a.classes is None else {}),
        )
        if a.classes is None:
            self.image.set_clim(float(a.y.min()), float(a.y.max()))
            ax.scatter(*a.X.T, c=a.y, cmap="viridis", edgecolor="white", s=24, norm=self.image.norm)
            self.figure.colorbar(self.image, ax=ax, label="prediction")
            return
        size = 80 if len(a.X) < 20 else 24
        for k, label in enumerate(a.classes):
            rows = a.X[a.y == label]
            ax.scatter(
                *rows.T,
                s=size,
                color=_color(k),
                edgecolor="white",
                linewidth=0.6,
                label=plain(label),
            )
        self._draw_legend()
        ax.set_xlim(*self.extent[:2])
        ax.set_ylim(*self.extent[2:])

    def _draw_legend(self):
        """Add a legend of the classes above the surface, or inside it if names are long."""
        ax, names = self.surface_ax, [str(label) for label in self.animation.classes]
        if sum(map(len, names)) + 3 * len(names) > LEGEND_ABOVE:
            ax.legend(loc="best", fontsize="small", framealpha=0.85)
            return
        ax.legend(
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=len(names),
            fontsize="small",
            frameon=False,
            borderaxespad=0.1,
            handletextpad=0.1,
            columnspacing=0.8,
        )

    def _draw_loss(self):
        a, ax = self.animation, self.loss_ax
        curve = np.asarray(a.loss_curve, dtype=float)
        self.epochs = a.frames[-1].epoch - len(curve) + 1 + np.arange(len(curve))
        self.loss = curve
        ax.plot(self.epochs, curve, color="gray", alpha=0.25)
        (self.line,) = ax.plot([], [], color=COLORS[0])
        (self.point,) = ax.plot([], [], "o", color=COLORS[0])
        finite = curve[np.isfinite(curve) & (curve > 0)]
        if len(finite) and finite.max() > 20 * finite.min():
            ax.set_yscale("log")
            ax.set_yticks(*plain_ticks(finite.min(), finite.max()))
            ax.minorticks_off()
        ax.set(xlabel="epoch", ylabel="loss")

    def _draw_panels(self):
        self.panel_artists = []
        if not self.panels:
            return
        everything = np.concatenate([each.hidden for each in self.animation.frames])
        low, high = float(everything.min()), float(everything.max())
        for i, ax in enumerate(self.panels):
            ax.set_title(f"unit {i}", fontsize="small")
            ax.set(xticks=[], yticks=[])
            values = self.animation.frames[0].hidden[:, i]
            if self.flat:
                (artist,) = ax.plot(self.animation.grid[:, 0], values, color=COLORS[2])
                ax.set_ylim(*_wide([low, high]))
            else:
                artist = ax.imshow(
                    values.reshape(GRID, GRID),
                    origin="lower",
                    extent=self.extent,
                    aspect="auto",
                    cmap="coolwarm",
                    vmin=-max(-low, high),
                    vmax=max(-low, high),
                )
            self.panel_artists.append(artist)

    def _pixels(self, output):
        """Return the output as an image; for classes, colours are mixed by probability."""
        if self.animation.classes is None:
            return output[:, 0].reshape(GRID, GRID)
        from matplotlib.colors import to_rgb

        colors = np.array([to_rgb(_color(k)) for k in range(output.shape[1])])
        pale = 1 - 0.55 * (1 - colors)
        return (output @ pale).clip(0, 1).reshape(GRID, GRID, 3)

    def draw(self, i):
        """Show a frame, and return the artists that have changed."""
        frame = self.animation.frames[i]
        if self.flat:
            for curve, values in zip(self.curves, frame.output.T):
                curve.set_ydata(values)
        else:
            self.image.set_data(self._pixels(frame.output))
        for k, artist in enumerate(self.panel_artists):
            values = frame.hidden[:, k]
            artist.set_ydata(values) if self.flat else artist.set_data(values.reshape(GRID, GRID))
        so_far = self.epochs <= frame.epoch
        self.line.set_data(self.epochs[so_far], self.loss[so_far])
        self.point.set_data(self.epochs[so_far][-1:], self.loss[so_far][-1:])
        self.surface_ax.set_title(f"epoch {frame.epoch}", loc="left")
        return []


def _palette(images):
    """Return 256 colours for all frames: different colours for each frame would flicker."""
    from PIL import Image

    chosen = images[:: -(-len(images) // 8)] + images[-1:]
    width, height = chosen[0].size
    together = Image.new("RGB", (width, height * len(chosen)))
    for k, image in enumerate(chosen):
        together.paste(image, (0, k * height))
    palette = together.quantize(256, method=Image.Quantize.MAXCOVERAGE)
    colors = np.reshape(palette.getpalette(), (-1, 3))
    colors[colors.min(axis=1) >= 240] = 255  # the background stays white
    palette.putpalette(colors.ravel().tolist())
    return palette


def _color(k):
    return COLORS[k % len(COLORS)]


def _wide(values):
    """Return limits a tenth beyond the smallest and the largest value."""
    low, high = float(np.min(values)), float(np.max(values))
    margin = 0.1 * ((high - low) or 1)
    return low - margin, high + margin
