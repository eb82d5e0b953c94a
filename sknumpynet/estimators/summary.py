# SPDX-License-Identifier: BSD-3-Clause
"""A network as a table: its layers, their numbers of units and parameters, and shapes.

The table is shown as text in a terminal and as HTML in a notebook.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from sknumpynet.core.layers.base import RUNNING_STATS, grouped_shapes
from sknumpynet.core.wording import counted

HEADERS = ("layer", "units", "parameters", "shapes")


@dataclass(frozen=True, repr=False)
class NetworkSummary:
    """The layers of a network, from the input to the output: what ``summary()`` returns.

    Attributes
    ----------
    heading : str
        Estimator, dtype and number of inputs in words.
    rows : list of dict
        For each layer ``"layer"``, its name; ``"units"``, the number of outputs; ``"parameters"``, how many
        are trained; and ``"shapes"``, a dict of their shapes by name.
    n_parameters : int
        Number of trained parameters.
    n_bytes : int
        Size of all parameters and running statistics in memory.
    """

    heading: str
    rows: list
    n_parameters: int
    n_bytes: int

    def _cells(self):
        """Return the cells as text, one list per row."""
        return [
            [
                row["layer"],
                f"{row['units']:,}",
                f"{row['parameters']:,}",
                ", ".join(f"{name} {_shape(shape)}" for name, shape in row["shapes"].items()),
            ]
            for row in self.rows
        ]

    def _total(self):
        return f"{counted(self.n_parameters, 'parameter', ',')}, {_size(self.n_bytes)}"

    def __str__(self):
        cells = [list(HEADERS), *self._cells()]
        widths = [max(map(len, column)) for column in zip(*cells)]
        lines = [self.heading]
        for layer, units, parameters, shapes in cells:
            lines.append(
                f"  {layer:<{widths[0]}}  {units:>{widths[1]}}  {parameters:>{widths[2]}}  {shapes}".rstrip()
            )
        lines.append(self._total())
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self):
        head = "".join(f"<th>{name}</th>" for name in HEADERS)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
            for cells in self._cells()
        )
        return (
            f"<table><caption>{escape(self.heading)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody><tfoot><tr><td colspan=4>{self._total()}</td></tr></tfoot></table>"
        )


def summary_of(name, network, link):
    """Return the summary of a network; ``name`` is that of the estimator, ``link`` that of its loss."""
    rows, width = [], network.fan_in
    for layer in network.layers:
        width = layer.width(width)
        shapes = {
            name: tuple(shape)
            for name, (group, shape) in grouped_shapes(layer).items()
            if group != RUNNING_STATS
        }
        n_parameters = sum(int(np.prod(shape)) for shape in shapes.values())
        rows.append(
            {"layer": _name(layer), "units": width, "parameters": n_parameters, "shapes": shapes}
        )
    rows.append({"layer": f"link: {link}", "units": width, "parameters": 0, "shapes": {}})
    n_bytes = network.params.nbytes + network.running_stats.nbytes
    heading = f"{name}: {counted(network.fan_in, 'input')}, {network.dtype.name}"
    return NetworkSummary(heading, rows, network.params.size, n_bytes)


def _name(layer):
    activation = getattr(layer, "activation", None)
    return type(layer).__name__ if activation is None else repr(activation)


def _shape(shape):
    return "x".join(map(str, shape))


def _size(n_bytes):
    if n_bytes < 1000:
        return f"{n_bytes} bytes"
    return f"{n_bytes / 1e3:.1f} kB" if n_bytes < 1e6 else f"{n_bytes / 1e6:.1f} MB"
