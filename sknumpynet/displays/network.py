# SPDX-License-Identifier: BSD-3-Clause
"""The network as nodes and lines, with the values for one row."""

from __future__ import annotations

import numpy as np
from sklearn.pipeline import Pipeline

from sknumpynet.core.options import fits
from sknumpynet.displays._drawing import (
    DIVERGING,
    fitted_network,
    hidden_names,
    new_axes,
    plain,
    symmetric,
)
from sknumpynet.inspection import explain_step

# Widths of lines, in points, for a weight of zero and for the largest weight.
THINNEST, WIDEST = 0.3, 3.0
# With more lines than this, they are only labelled on request.
MAX_EDGE_LABELS = 16
LONGEST_NAME = 20


class NetworkDisplay:
    """The units of a network as nodes and its weights as lines: blue below zero, red above, wide if large.

    For one row of X the nodes show their values: the activation inside, the pre-activation ``z`` below, and
    with y also ``delta`` = dL/dz; lines can then show the gradient instead of the weight. Wide layers are
    abbreviated.

    Create one with :meth:`from_estimator`.

    Parameters
    ----------
    coefs : list of ndarray of shape (fan_in, fan_out)
        The weights of each layer.
    intercepts : list of ndarray of shape (fan_out,)
        The biases of each layer.
    functions : list of str, default=None
        The activation of each hidden layer, and the output function.
    input_names, output_names : sequence of str, default=None
        Names of features and of outputs.
    step : StepExplanation, default=None
        The numbers of one row, as :func:`~sknumpynet.explain_step` returns them.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    shown_ : list of ndarray of int
        For each layer of nodes, from the inputs on, which ones are drawn.
    nodes_ : list of PathCollection
        The nodes of each layer. Their array is the activation, or without a row the bias.
    edges_ : list of LineCollection
        The lines between two layers. Their array is the weight or the gradient, input by input.
    values_, labels_, edge_labels_ : list of list of Text
        For each layer: the texts in the nodes, below the nodes and on the lines.
    names_ : list of Text
        The names of inputs and outputs.
    colorbar_, node_colorbar_ : Colorbar or None
        The scales of the lines and of the nodes.

    See Also
    --------
    explain_step : The same numbers as a derivation.
    WeightsDisplay : Weights as histograms or images.

    Examples
    --------
    >>> from sknumpynet import NetworkDisplay, NumpyMLPClassifier
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> model = NumpyMLPClassifier((4,), "tanh", solver="lbfgs", random_state=0).fit(X, y)
    >>> display = NetworkDisplay.from_estimator(model, [1, 0], 1)
    >>> [len(nodes.get_offsets()) for nodes in display.nodes_]
    [2, 4, 1]
    """

    def __init__(
        self,
        coefs,
        intercepts,
        *,
        functions=None,
        input_names=None,
        output_names=None,
        step=None,
    ):
        self.coefs = coefs
        self.intercepts = intercepts
        self.functions = functions
        self.input_names = input_names
        self.output_names = output_names
        self.step = step

    @classmethod
    def from_estimator(cls, estimator, x=None, y=None, *, ax=None, **options):
        """Draw a fitted network.

        Parameters
        ----------
        estimator : estimator
            A fitted network or a Pipeline that ends in one; without `x` it may be scikit-learn's.
        x : array-like of shape (n_features,) or (1, n_features), default=None
            A row whose values are shown.
        y : object or array-like of shape (n_outputs,), default=None
            Its label or target, for the backward pass.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure, as large as is needed.
        **options
            Passed to :meth:`plot`.

        Returns
        -------
        display : NetworkDisplay
            The display, drawn.
        """
        if x is None and y is not None:
            raise ValueError("y needs x: pass the row too")
        network, _ = fitted_network(estimator)
        step = None
        if x is not None:
            if isinstance(estimator, Pipeline) and np.ndim(x) != 2:
                x = np.reshape(x, (1, -1))
            step = explain_step(network, fitted_network(estimator, x)[1], y)
        display = cls(
            [np.array(W) for W in network.coefs_],
            [np.array(b) for b in network.intercepts_],
            functions=[*hidden_names(network), network.out_activation_],
            input_names=getattr(network, "feature_names_in_", None),
            output_names=_output_names(network),
            step=step,
        )
        return display.plot(ax=ax, **options)

    def plot(
        self, ax=None, *, edges="weight", edge_labels="auto", max_units=10, cmap=None, colorbar=True
    ):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure, as large as is needed.
        edges : {'weight', 'gradient'}, default='weight'
            What the colour and width of the lines show. 'gradient' is dL/dW for one row, and needs its y.
        edge_labels : bool or 'auto', default='auto'
            Whether to label the lines with their values; 'auto': if there are at most 16.
        max_units : int, default=10
            For wider layers, only the first and last units are drawn, and the number of the others.
        cmap : str or Colormap, default=None
            Colours of lines and nodes; None is "coolwarm".
        colorbar : bool, default=True
            Whether to draw a scale for the lines, and one for the nodes.

        Returns
        -------
        display : NetworkDisplay
            The display itself.
        """
        if edges not in ("weight", "gradient"):
            raise ValueError(f"edges must be 'weight' or 'gradient'; got {edges!r}")
        if edges == "gradient" and (self.step is None or self.step.y is None):
            raise ValueError("edges='gradient' needs a row and its target: pass x and y")
        if not fits(max_units, "an integer in [3, inf)"):
            raise ValueError(f"max_units must be an integer of at least 3; got {max_units!r}")
        sizes = [len(self.coefs[0]), *(W.shape[1] for W in self.coefs)]
        self.shown_ = [_shown(n, max_units) for n in sizes]
        tallest = max(min(n, max_units) for n in sizes)
        self.ax_ = new_axes(self, ax, self._size(tallest))
        self.figure_ = self.ax_.figure
        self._heights = [_heights(n, max_units) for n in sizes]
        self._cmap, self._diameter = cmap or DIVERGING, self._fitting(tallest, len(sizes))
        self._draw_edges(edges, edge_labels)
        self._draw_nodes(sizes)
        self._draw_words(sizes, tallest)
        self.colorbar_ = self.node_colorbar_ = None
        if colorbar:
            line = "line: " + ("weight" if edges == "weight" else "gradient of the loss")
            node = "node: " + ("bias" if self.step is None else "activation")
            self.colorbar_, self.node_colorbar_ = (
                self.figure_.colorbar(shown, ax=self.ax_, label=label, shrink=0.7, aspect=30)
                for shown, label in ((self.edges_[0], line), (self.nodes_[-1], node))
            )
        return self

    def _size(self, tallest):
        """Return width and height of a new figure, in inches."""
        height = 1.0 if self.step is not None else 0.5
        width = 2.2 if self.step is not None else 1.9
        return (3.2 + width * len(self.coefs), 1.3 + height * max(tallest, 3))

    def _fitting(self, tallest, n_columns):
        """Return the diameter of nodes, in points, that fits into the axes."""
        box = self.ax_.get_window_extent()
        dpi = self.figure_.dpi
        space = 72 * box.height / dpi / (tallest + 0.8)
        share = 0.55 if self.step is not None else 0.75
        return float(np.clip(min(share * space, 24 * box.width / dpi / n_columns), 4, 36))

    def _draw_edges(self, edges, edge_labels):
        from matplotlib.collections import LineCollection

        arrays = self.coefs if edges == "weight" else [each["dW"] for each in self.step.layers]
        norm = symmetric(arrays)
        n_edges = sum(len(a) * len(b) for a, b in zip(self.shown_, self.shown_[1:]))
        labelled = n_edges <= MAX_EDGE_LABELS if edge_labels == "auto" else edge_labels
        self.edges_, self.edge_labels_ = [], []
        for k, W in enumerate(arrays):
            left, right = self._heights[k], self._heights[k + 1]
            values = W[np.ix_(self.shown_[k], self.shown_[k + 1])]
            segments = [[(k, y0), (k + 1, y1)] for y0 in left for y1 in right]
            share = np.abs(values.ravel()) / norm.vmax
            lines = LineCollection(
                segments,
                array=values.ravel(),
                cmap=self._cmap,
                norm=norm,
                linewidths=THINNEST + (WIDEST - THINNEST) * share,
                zorder=1,
            )
            self.ax_.add_collection(lines)
            self.edges_.append(lines)
            self.edge_labels_.append(self._label_edges(k, values) if labelled else [])

    def _label_edges(self, k, values):
        """Label the lines with their values, at different positions, where few lines cross."""
        texts, (n, m) = [], values.shape
        for i, j in np.ndindex(n, m):
            # lines from one node are close together near it, and so are lines to one node
            at = (
                0.5
                if n == 1 or m == 1
                else 0.24 + 0.52 * ((i + 0.5) / n if n <= m else (j + 0.5) / m)
            )
            y0, y1 = self._heights[k][i], self._heights[k + 1][j]
            texts.append(
                self.ax_.annotate(
                    _short(values[i, j]),
                    (k + at, y0 + at * (y1 - y0)),
                    ha="center",
                    va="center",
                    fontsize=8.5,
                    zorder=3,
                    bbox=_ground(),
                )
            )
        return texts

    def _draw_nodes(self, sizes):
        from matplotlib import rcParams

        columns = self._node_values()
        norm = symmetric([column for column in columns if column is not None])
        self.nodes_, self.values_, self.labels_ = [], [], []
        for k, heights in enumerate(self._heights):
            values = columns[k]
            if values is None:
                color = {"color": rcParams["axes.facecolor"]}
            else:
                color = {"c": values[self.shown_[k]], "cmap": self._cmap, "norm": norm}
            nodes = self.ax_.scatter(
                np.full(len(heights), k),
                heights,
                s=self._diameter**2,
                edgecolors=rcParams["axes.edgecolor"],
                linewidths=0.8,
                zorder=4,
                **color,
            )
            self.nodes_.append(nodes)
            self._write_values(k, nodes, values)

    def _node_values(self):
        """Return the values that colour the nodes of each layer: activations or, without a row, biases."""
        if self.step is None:
            return [None, *self.intercepts]
        return [self.step.x, *(layer["a"] for layer in self.step.layers)]

    def _write_values(self, k, nodes, values):
        texts, labels = [], []
        self.values_.append(texts)
        self.labels_.append(labels)
        if self.step is None or self._diameter < 16:
            return
        colors = nodes.to_rgba(values[self.shown_[k]])
        layer = self.step.layers[k - 1] if k else {}
        for unit, height, color in zip(self.shown_[k], self._heights[k], colors):
            dark = np.dot(color[:3], (0.299, 0.587, 0.114)) < 0.5
            texts.append(
                self.ax_.text(
                    k,
                    height,
                    _short(values[unit], smallest=0.0),
                    ha="center",
                    va="center",
                    fontsize=self._diameter / 3.9,
                    color="white" if dark else "black",
                    zorder=5,
                )
            )
            words = [f"{word} {_short(layer[name][unit])}" for name, word in BELOW if name in layer]
            if words:
                labels.append(
                    self.ax_.annotate(
                        "\n".join(words),
                        (k, height),
                        xytext=(0, -self._diameter / 2 - 2),
                        textcoords="offset points",
                        ha="center",
                        va="top",
                        fontsize=8.5,
                        linespacing=1.0,
                        zorder=5,
                        bbox=_ground(),
                    )
                )

    def _draw_words(self, sizes, tallest):
        last, self.names_ = len(sizes) - 1, []
        for k, n in enumerate(sizes):
            word = "input" if k == 0 else "output" if k == last else f"hidden {k - 1}"
            if k and self.functions:
                word += f"\n{self.functions[k - 1]}"
            units = len(self.shown_[k])
            self.ax_.annotate(
                word,
                (k, self._heights[k][0]),
                xytext=(0, self._diameter / 2 + 5),
                textcoords="offset points",
                ha="center",
                va="bottom",
            )
            if units < n:
                self.ax_.text(
                    k,
                    _gap(self._heights[k]),
                    f"\N{VERTICAL ELLIPSIS}\n{n - units} more",
                    ha="center",
                    va="center",
                    fontsize="small",
                    linespacing=1.1,
                    zorder=4,
                    bbox=_ground(),
                )
        for k, names, side in ((0, self.input_names, -1), (last, self.output_names, 1)):
            if names is None:
                continue
            for unit, height in zip(self.shown_[k], self._heights[k]):
                self.names_.append(
                    self.ax_.annotate(
                        plain(_cut(names[unit])),
                        (k, height),
                        xytext=(side * (self._diameter / 2 + 4), 0),
                        textcoords="offset points",
                        ha="right" if side < 0 else "left",
                        va="center",
                    )
                )
        self.ax_.set_axis_off()
        self._set_width(last)
        self.ax_.set_ylim(-tallest / 2 - 0.35, tallest / 2 + 0.1)

    def _set_width(self, last):
        """Leave room for the names of inputs and outputs inside the axes, so that nothing overlaps."""
        scale = 72 / self.figure_.dpi
        margins = [0.0, 0.0]  # in points
        for text in self.names_:
            side = int(text.xy[0] == last and last > 0)
            width = text.get_window_extent(self.figure_.canvas.get_renderer()).width * scale
            margins[side] = max(margins[side], width + self._diameter / 2 + 6)
        room = self.ax_.get_window_extent().width * scale
        unit = max(room - sum(margins), room / 3) / (last + 0.5)
        left, right = (0.25 + margin / unit for margin in margins)
        self.ax_.set_xlim(-left, last + right)


# Texts below a node: the quantity and its name.
BELOW = (("b", "b"), ("z", "z"), ("delta", "\N{GREEK SMALL LETTER DELTA}"))


def _ground():
    """Return the box behind texts that covers lines."""
    from matplotlib import rcParams

    color = rcParams["axes.facecolor"]
    return {"boxstyle": "round,pad=0.1", "facecolor": color, "edgecolor": "none", "alpha": 0.85}


def _output_names(network):
    """Return a name for each output, if the network has any."""
    classes = getattr(network, "classes_", None)
    if classes is None:
        return None
    if isinstance(classes, list):
        return [f"{column}: {c}" for column, each in enumerate(classes) for c in each]
    if network.coefs_[-1].shape[1] == 1:
        return [f"p({classes[-1]})"]
    return [str(c) for c in classes]


def _shown(n, max_units):
    """Return which of n units are drawn; if there are too many, one position is left for a gap."""
    if n <= max_units:
        return np.arange(n)
    first = max_units // 2
    return np.r_[:first, n - (max_units - 1 - first) : n]


def _heights(n, max_units):
    """Return the vertical positions of the drawn units, centred at 0."""
    if n <= max_units:
        return (n - 1) / 2 - np.arange(n)
    heights = (max_units - 1) / 2 - np.arange(max_units)
    return np.delete(heights, max_units // 2)


def _gap(heights):
    """Return the vertical position of the gap."""
    i = int(np.argmin(np.diff(heights)))
    return (heights[i] + heights[i + 1]) / 2


def _short(value, smallest=0.1):
    """Return a number with two decimals, or two digits if it is large or below ``smallest``."""
    text = f"{value:.2f}" if smallest <= abs(value) < 10 else f"{value:.2g}"
    text = "0" if value == 0 else text
    return text.replace("-", "\N{MINUS SIGN}")


def _cut(name):
    """Return the name, shortened if it is long."""
    name = str(name)
    return (
        name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "\N{HORIZONTAL ELLIPSIS}"
    )
