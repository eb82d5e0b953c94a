# SPDX-License-Identifier: BSD-3-Clause
"""The four products of a dense layer, each array as a rectangle of its shape."""

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

N, IN, OUT = 1.7, 1.15, 0.7  # rows, inputs, units
DATA, WEIGHTS, ERROR = "#56B4E9", "#E69F00", "#CC79A7"


def array(ax, x, rows, columns, name, shape, color):
    """Draw an array and return where it ends."""
    ax.add_patch(Rectangle((x, -rows / 2), columns, rows, fc=color, ec="black", lw=1))
    ax.text(x + columns / 2, 0, name, ha="center", va="center", fontsize=14)
    ax.text(
        x + columns / 2, -rows / 2 - 0.1, shape, ha="center", va="top", fontsize=10, color="0.25"
    )
    return x + columns


def equation(ax, title, left, first, second, plus=None):
    ax.text(0, 1.15, title, fontsize=12, va="bottom")
    x = array(ax, 0, *left)
    ax.text(x + 0.2, 0, "=", ha="center", va="center", fontsize=14)
    x = array(ax, x + 0.4, *first)
    ax.text(x + 0.17, 0, r"$\cdot$", ha="center", va="center", fontsize=16)
    x = array(ax, x + 0.35, *second)
    if plus:
        ax.text(x + 0.2, 0, "+", ha="center", va="center", fontsize=14)
        array(ax, x + 0.4, *plus)
    ax.set(xlim=(-0.1, 5.2), ylim=(-1.35, 1.45), aspect="equal")
    ax.axis("off")


z = (N, OUT, "$z$", "n, out", DATA)
x = (N, IN, "$x$", "n, in", DATA)
W = (IN, OUT, "$W$", "in, out", WEIGHTS)
b = (0.36, OUT, "$b$", "out", WEIGHTS)
delta = (N, OUT, r"$\delta$", "n, out", ERROR)
figure, axes = plt.subplots(2, 2, figsize=(8, 4.6))
equation(axes[0, 0], "forward", z, x, W, b)
equation(axes[0, 1], "backward: to the weights", (IN, OUT, "$dW$", "in, out", ERROR),
         (IN, N, "$x^T$", "in, n", DATA), delta)  # fmt: skip
equation(axes[1, 0], "backward: to the biases", (0.36, OUT, "$db$", "out", ERROR),
         (0.36, N, "$1$", "1, n", "white"), delta)  # fmt: skip
equation(axes[1, 1], "backward: to the layer below", (N, IN, "$dL/dx$", "n, in", ERROR),
         delta, (OUT, IN, "$W^T$", "out, in", WEIGHTS))  # fmt: skip
