# SPDX-License-Identifier: BSD-3-Clause
"""Loss curves: training and validation, of one or several networks; cycles of estimators for tables."""

from __future__ import annotations

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sknumpynet.core.options import fits
from sknumpynet.displays._drawing import fitted_network, is_for_tables, new_axes, plain

RIGHT = {
    "learning_rate": "learning rate",
    "validation_score": "validation score",
    "gradient_norm": "norm of the gradient",
}


KINDS = {True: "with numeric embedding", False: "without numeric embedding"}
COLUMNS = (
    ("loss", "training", "-"),
    ("oof_loss", "out of fold", "-"),
    ("validation_loss", "validation", "--"),
)


class LossCurveDisplay:
    """Training and validation loss over the epochs, of one or several networks.

    Create one with :meth:`from_estimator` or :meth:`from_estimators`. For the estimators for tables it draws
    the loss on unseen rows (out-of-fold rows or validation data) at the end of each cycle, for members with
    and without numeric embedding; the area of a dot is the weight of the snapshot in the predictions.

    Parameters
    ----------
    histories : dict of str to dict
        For each name the ``history_``: a list ``"loss"`` and, if available, ``"epoch"``,
        ``"validation_loss"``, ``"validation_score"``, ``"learning_rate"`` and ``"gradient_norm"``. Of
        estimators for tables ``"epoch"``, ``"oof_loss"`` or ``"validation_loss"``, and ``"weight"``.
    best_epochs : dict of str to int, default=None
        For each name the epoch to mark, if any. None marks the lowest validation loss.
    best_by : dict of str to str, default=None
        For each name the criterion of the best epoch, for the legend; None means the validation loss if
        `best_epochs` is None, otherwise no text.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes with the losses.
    right_ax_ : matplotlib Axes or None
        The axes with the scale on the right.
    figure_ : matplotlib Figure
        The figure.
    lines_ : dict of str to dict of str to Line2D
        For each name the lines ``"loss"``, ``"oof_loss"`` and ``"validation_loss"``, and the one on the right
        under its own name.
    raw_lines_ : dict of str to dict of str to Line2D
        In the same way the pale lines behind the smoothed ones.
    best_ : dict of str to Line2D
        For each name the point at the best epoch.
    snapshots_ : dict of str to PathCollection
        For each name the dots whose area is the weight of a snapshot.

    See Also
    --------
    NumpyMLPClassifier : Its ``history_`` is what is drawn.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknumpynet import LossCurveDisplay, NumpyMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = NumpyMLPClassifier(max_iter=20, random_state=0).fit(X[::2], y[::2], X_val=X, y_val=y)
    >>> display = LossCurveDisplay.from_estimator(model)
    >>> bool((display.lines_[""]["loss"].get_ydata() == model.loss_curve_).all())
    True
    """

    def __init__(self, histories, *, best_epochs=None, best_by=None):
        self.histories = histories
        self.best_epochs = best_epochs
        self.best_by = best_by

    @classmethod
    def from_estimator(cls, estimator, *, name=None, ax=None, **options):
        """Draw the curves of a fitted network.

        Parameters
        ----------
        estimator : estimator
            A fitted network, ours or scikit-learn's, an estimator for tables, or a Pipeline that ends in one.
        name : str, default=None
            Name in the legend; None omits it.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure. Colours continue from those of existing lines.
        **options
            Passed to :meth:`plot`.

        Returns
        -------
        display : LossCurveDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the network has no loss curve, as scikit-learn's networks with ``solver="lbfgs"``.
        """
        return cls.from_estimators({name or "": estimator}, ax=ax, **options)

    @classmethod
    def from_estimators(cls, estimators, *, ax=None, **options):
        """Draw the curves of several fitted networks over each other.

        Parameters
        ----------
        estimators : dict of str to estimator
            The networks by name.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **options
            Passed to :meth:`plot`.

        Returns
        -------
        display : LossCurveDisplay
            The display, drawn.
        """
        histories, best_epochs, best_by = {}, {}, {}
        for name, each in estimators.items():
            last = each[-1] if isinstance(each, Pipeline) else each
            if is_for_tables(last):
                check_is_fitted(each)
                histories.update(histories_of_cycles(last, name))
                continue
            network, _ = fitted_network(each)
            histories[name] = history_of(network)
            best_epochs[name], best_by[name] = best_epoch(histories[name], network)
        return cls(histories, best_epochs=best_epochs, best_by=best_by).plot(ax=ax, **options)

    def plot(self, ax=None, *, smoothing=0.0, right=None, mark_best=True, scale="linear"):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        smoothing : float, default=0.0
            Exponential smoothing, in [0, 1): each point becomes a mean of those before it, with weights that
            fall by this factor per epoch. The original curve is drawn behind it, pale.
        right : {'learning_rate', 'validation_score', 'gradient_norm'}, default=None
            What to draw on a second axis on the right, dotted.
        mark_best : bool, default=True
            Whether to mark the best epoch: the one whose weights early stopping kept, or otherwise the one
            with the lowest validation loss. For tables, the weights of the snapshots.
        scale : {'linear', 'log'}, default='linear'
            The scale of the losses.

        Returns
        -------
        display : LossCurveDisplay
            The display itself.
        """
        if not fits(smoothing, "a number in [0, 1)"):
            raise ValueError(f"smoothing must be a number in [0, 1); got {smoothing!r}")
        if right is not None and right not in RIGHT:
            raise ValueError(f"right must be one of {list(RIGHT)} or None; got {right!r}")
        self.ax_ = new_axes(self, ax)
        self.figure_, self.right_ax_ = self.ax_.figure, None
        self.lines_, self.raw_lines_, self.best_, self.snapshots_ = {}, {}, {}, {}
        for name, history in self.histories.items():
            self._draw(name, history, smoothing, mark_best)
        if right is not None:
            self._draw_right(right)
        self._finish(scale)
        return self

    def _draw(self, name, history, smoothing, mark_best):
        lines, raw_lines, color = {}, {}, None
        several, marked = bool(name), "loss"
        for column, word, style in COLUMNS:
            values = column_of(history, column)
            if values is None:
                continue
            marked, epochs = column, epochs_of(history)
            shown = smoothed(values, smoothing)
            label = plain(f"{name}, {word}" if several else word)
            marker = "." if "weight" in history else None  # a single cycle would not show as a line
            (line,) = self.ax_.plot(
                epochs, shown, linestyle=style, marker=marker, color=color, label=label
            )
            color = line.get_color() if several else None  # one network: a colour per curve
            lines[column] = line
            if smoothing:
                (raw_lines[column],) = self.ax_.plot(
                    epochs, values, color=line.get_color(), alpha=0.3, linewidth=1, zorder=1
                )
        self.lines_[name], self.raw_lines_[name] = lines, raw_lines
        weights = column_of(history, "weight")
        if weights is not None:
            if mark_best:
                self._draw_snapshots(name, lines[marked], weights)
            return
        best, measure = self._best(name, history)
        by = f" by {measure}" if measure else ""
        if mark_best and best is not None:
            epochs, values = lines[marked].get_data()
            at = np.flatnonzero(epochs == best)
            (self.best_[name],) = self.ax_.plot(
                epochs[at],
                values[at],
                linestyle="none",
                marker="o",
                markersize=8,
                markerfacecolor="none",
                markeredgewidth=2,
                color=lines[marked].get_color(),
                label=plain(f"{name}, best{by}: {best}" if several else f"best epoch{by}: {best}"),
            )

    def _draw_snapshots(self, name, line, weights):
        epochs, values = line.get_data()
        label = None if self.snapshots_ else "area: weight of the snapshot"
        self.snapshots_[name] = self.ax_.scatter(
            epochs, values, s=600 * weights, color=line.get_color(), alpha=0.35, label=label
        )

    def _best(self, name, history):
        """Return the epoch to mark, and the criterion by which it is best."""
        if self.best_epochs is not None:
            return self.best_epochs.get(name), (self.best_by or {}).get(name)
        return best_epoch(history)

    def _draw_right(self, right):
        from matplotlib import rcParams

        self.right_ax_ = twin = self.ax_.twinx()
        found = False
        for name, history in self.histories.items():
            values = column_of(history, right)
            if values is None:
                continue
            found = True
            color = self.lines_[name]["loss"].get_color() if name else rcParams["text.color"]
            label = plain(f"{name}, {RIGHT[right]}" if name else RIGHT[right])
            (self.lines_[name][right],) = twin.plot(
                epochs_of(history), values, linestyle=":", color=color, label=label
            )
        if not found:
            raise ValueError(f"right={right!r}: none of the networks has recorded it")
        twin.set_ylabel(RIGHT[right])
        # draw the losses and the legend in front
        self.ax_.set_zorder(twin.get_zorder() + 1)
        self.ax_.patch.set_visible(False)

    def _finish(self, scale):
        from matplotlib.ticker import MaxNLocator

        self.ax_.set(xlabel="epoch", ylabel="loss", yscale=scale)
        self.ax_.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        handles, _ = self.ax_.get_legend_handles_labels()
        if self.right_ax_ is not None:
            handles += self.right_ax_.get_legend_handles_labels()[0]
        if self.right_ax_ is None:
            self.ax_.legend(handles=handles)
            return
        self.ax_.legend(  # above, where it hides neither the losses nor the curve of the right axis
            handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False
        )


def histories_of_cycles(estimator, name):
    """Return histories of members with and without numeric embedding, by name."""
    history = {key: np.asarray(column) for key, column in estimator.history_.items()}
    loss, found = "oof_loss" if hasattr(estimator, "oof_score_") else "validation_loss", {}
    for kind, word in KINDS.items():
        rows = history["numeric_embedding"] == kind
        if rows.any():
            found[f"{name}, {word}" if name else word] = {
                "epoch": history["epoch"][rows],
                loss: history["loss"][rows],
                "weight": history["weight"][rows],
            }
    return found


def history_of(network):
    """Return the network's training history, with the keys of ``history_``."""
    if hasattr(network, "history_"):
        return network.history_
    if not getattr(network, "loss_curve_", None):
        raise ValueError(
            f"{type(network).__name__} has no loss curve: scikit-learn's networks have none with "
            "solver='lbfgs', and initialize and from_weights create none"
        )
    history = {"loss": network.loss_curve_}
    if getattr(network, "validation_scores_", None) is not None:
        history["validation_score"] = network.validation_scores_
    return history


def best_epoch(history, network=None):
    """Return the best epoch and its criterion: that of early stopping, or the lowest validation loss."""
    column, sign, measure = column_of(history, "validation_loss"), -1, "validation loss"
    if getattr(network, "early_stopping", False):
        scores = column_of(history, "validation_score")
        if scores is not None:
            column, sign, measure = scores, 1, "validation score"
    if column is None or np.isnan(column).all():
        return None, None
    return int(epochs_of(history)[np.nanargmax(sign * column)]), measure


def epochs_of(history):
    """Return the numbers of the epochs."""
    given = history.get("epoch")
    return np.asarray(range(1, len(history["loss"]) + 1) if given is None else given)


def column_of(history, name):
    """Return a column as an array; None if it is missing, empty or all NaN."""
    values = history.get(name)
    values = np.asarray([] if values is None else values, dtype=np.float64)
    return None if np.isnan(values).all() else values


def smoothed(values, factor):
    """Return, for each value, the mean of those up to it with weights 1, factor, factor^2, ... backwards."""
    total, weight, means = 0.0, 0.0, []
    for value in values:
        if not np.isnan(value):
            total, weight = factor * total + value, factor * weight + 1
        means.append(total / weight if weight else np.nan)
    return np.array(means)
