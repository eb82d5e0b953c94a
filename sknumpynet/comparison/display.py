# SPDX-License-Identifier: BSD-3-Clause
"""Both loss curves of a comparison in one plot."""

from __future__ import annotations

from typing import Any

import numpy as np

from sknumpynet.comparison.wording import OURS, SKLEARN, _times

SKLEARN_COLOR, OURS_COLOR = "#E69F00", "#0072B2"  # safe for colour-blind readers
SMALLEST_SHOWN = 1e-18  # smaller differences, including zero, are drawn on the zero line


class ComparisonDisplay:
    """Both loss curves in one plot, and their difference below.

    Create one with :meth:`Comparison.plot`.

    Parameters
    ----------
    comparison : Comparison
        The comparison to draw.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure.
    axes_ : tuple of two matplotlib Axes
        That of the loss curves, and that of their difference.
    sklearn_line_, sknumpynet_line_ : matplotlib Line2D
        The loss after each epoch; for L-BFGS, which keeps no curve, the final loss.
    difference_line_ : matplotlib Line2D
        The absolute difference of the two.
    """

    def __init__(self, comparison: Any) -> None:
        self.comparison = comparison

    def plot(self, axes: Any = None) -> ComparisonDisplay:
        """Draw.

        Parameters
        ----------
        axes : sequence of two matplotlib Axes, default=None
            Where to draw the curves and the difference; None makes a new figure.

        Returns
        -------
        ComparisonDisplay
            The display itself.
        """
        if axes is None:
            figure = _import_pyplot().figure(figsize=(6.4, 5.6), layout="constrained")
            axes = _axes_pairs(figure, 1)[0]
        if np.size(axes) != 2:
            raise ValueError(
                "axes must be two matplotlib Axes, one for the loss curves and one "
                f"for their difference, got {np.size(axes)}."
            )
        upper, lower = self.axes_ = tuple(np.ravel(axes))
        self.figure_ = upper.figure
        if self.comparison.has_loss_curves:
            self._plot_curves(upper, lower)
        else:
            self._plot_final_losses(upper, lower)
        self._label(upper, lower)
        return self

    def _plot_curves(self, upper: Any, lower: Any) -> None:
        theirs, ours = self.comparison.sklearn.loss_curve, self.comparison.sknumpynet.loss_curve
        (self.sklearn_line_,) = upper.plot(
            _epochs(theirs),
            theirs,
            color=SKLEARN_COLOR,
            alpha=0.5,
            linewidth=7,
            solid_capstyle="round",
            label=SKLEARN,
        )
        (self.sknumpynet_line_,) = upper.plot(
            _epochs(ours), ours, color=OURS_COLOR, linewidth=1.5, linestyle=(0, (4, 2)), label=OURS
        )
        difference = self.comparison.loss_differences
        (self.difference_line_,) = lower.plot(
            _epochs(difference),
            difference,
            color="0.25",
            linestyle="none",
            marker=".",
            markersize=4,
        )

    def _plot_final_losses(self, upper: Any, lower: Any) -> None:
        theirs, ours = self.comparison.sklearn, self.comparison.sknumpynet
        (self.sklearn_line_,) = upper.plot(
            [theirs.n_iter],
            [theirs.loss],
            color=SKLEARN_COLOR,
            alpha=0.5,
            marker="o",
            markersize=18,
            linestyle="none",
            label=f"{SKLEARN}: {theirs.loss:.6g}",
        )
        (self.sknumpynet_line_,) = upper.plot(
            [ours.n_iter],
            [ours.loss],
            color=OURS_COLOR,
            marker="x",
            markersize=8,
            markeredgewidth=2,
            linestyle="none",
            label=f"{OURS}: {ours.loss:.6g}",
        )
        largest = max(abs(theirs.loss), abs(ours.loss), SMALLEST_SHOWN)
        upper.set_ylim(min(0.0, 1.6 * theirs.loss), 1.6 * largest)
        upper.set_xlim(0, 1.2 * max(theirs.n_iter, ours.n_iter, 1))
        upper.text(
            0.5,
            0.06,
            "L-BFGS keeps no loss curve:\nthis is the loss at the end",
            transform=upper.transAxes,
            ha="center",
            va="bottom",
            color="0.35",
        )
        (self.difference_line_,) = lower.plot(
            [ours.n_iter],
            self.comparison.loss_differences,
            color="0.25",
            marker="o",
            linestyle="none",
        )

    def _label(self, upper: Any, lower: Any) -> None:
        from matplotlib.ticker import MaxNLocator

        comparison = self.comparison
        losses = np.concatenate([self.sklearn_line_.get_ydata(), self.sknumpynet_line_.get_ydata()])
        if losses.min() > 0 and losses.max() > 20 * losses.min():
            upper.set_yscale("log")
        name = comparison.name.replace("$", r"\$")  # a dollar sign would start a formula
        upper.set(ylabel="training loss", title=f"{name}\n{self._summary()}")
        upper.legend(loc="upper right")
        upper.tick_params(axis="x", labelbottom=False)
        largest = np.nanmax(np.append(comparison.loss_differences, 0.0))
        self._scale_differences(lower, top=max(100 * largest, 1e-12))
        lower.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        lower.set(
            xlabel="epoch" if comparison.has_loss_curves else "iteration", ylabel="|difference|"
        )
        lower.grid(axis="y", color="0.9")
        for ax in (upper, lower):
            ax.spines[["top", "right"]].set_visible(False)

    def _scale_differences(self, lower: Any, top: float) -> None:
        """Set a scale that is logarithmic above SMALLEST_SHOWN, with zero below."""
        lower.set_yscale("symlog", linthresh=SMALLEST_SHOWN)
        lower.set_ylim(-SMALLEST_SHOWN / 2, top)
        low, high = round(np.log10(SMALLEST_SHOWN)) + 2, int(np.ceil(np.log10(top)))
        every = max(2, -(-(high - low) // 3))  # about three powers of ten, rounded up
        lower.set_yticks([0.0, *(10.0**power for power in range(low, high, every))])
        lower.set_yticks([], minor=True)

    def _summary(self) -> str:
        theirs, ours = self.comparison.sklearn.score, self.comparison.sknumpynet.score
        score = " and ".join(dict.fromkeys((f"{theirs:.3f}", f"{ours:.3f}")))
        speed = _times(self.comparison.fit_speedup, "faster", "slower")
        speed = "equally fast" if speed == "about equal" else speed
        name = self.comparison.score_name.replace("^2", "\N{SUPERSCRIPT TWO}")
        return f"test {name} {score}, fit {speed}"


def plot_comparisons(comparisons: Any, figure: Any = None) -> Any:
    """Draw several comparisons in one figure, side by side.

    Parameters
    ----------
    comparisons : sequence of Comparison
        The comparisons, from left to right.
    figure : matplotlib Figure, default=None
        The figure to draw in; None creates one with pyplot.

    Returns
    -------
    matplotlib Figure
        The figure, with two Axes per comparison.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If there are no comparisons.
    """
    comparisons = list(comparisons)
    if not comparisons:
        raise ValueError("comparisons must hold at least one Comparison, got none.")
    if figure is None:
        figure = _import_pyplot().figure(
            figsize=figure_size(len(comparisons)), layout="constrained"
        )
    pairs = _axes_pairs(figure, len(comparisons))
    for comparison, axes in zip(comparisons, pairs, strict=True):
        comparison.plot(axes=axes)
    return figure


def figure_size(n_comparisons: int) -> tuple:
    """Return width and height in inches for ``n_comparisons`` without overlapping text."""
    return (1.0 + 4.2 * n_comparisons if n_comparisons > 1 else 6.4), 5.2


def _import_pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            'Drawing a comparison needs matplotlib: pip install "sknumpynet[plot]"'
        ) from error
    return plt


def _axes_pairs(figure: Any, n_pairs: int) -> Any:
    """Return axes of shape (n_pairs, 2): for the loss curves, and below for their difference."""
    axes = figure.subplots(
        2, n_pairs, sharex="col", squeeze=False, gridspec_kw={"height_ratios": (5, 2)}
    )
    return axes.T


def _epochs(values: Any) -> np.ndarray:
    return np.arange(1, len(values) + 1)
