# SPDX-License-Identifier: BSD-3-Clause
"""The flat vector of a network of 3, 4 and 2 units, and the views of its layers."""

import matplotlib.pyplot as plt
from matplotlib.patches import Polygon, Rectangle

from sknumpynet.core import Dense, Network

network = Network([Dense(3, 4), "tanh", Dense(4, 2)], rng=0)
first, second = network.dense
pieces = [
    ("$W$ of layer 0", first.W, "#56B4E9"),
    ("$W$ of layer 1", second.W, "#E69F00"),
    ("$b$ of layer 0", first.b, "#009E73"),
    ("$b$ of layer 1", second.b, "#CC79A7"),
]
figure, ax = plt.subplots(figsize=(8, 3.3))
start, corner = 0, 0.0
for name, view, color in pieces:
    rows, columns = view.shape if view.ndim == 2 else (1, len(view))
    for index in range(view.size):
        ax.add_patch(Rectangle((start + index, 0), 1, 1, fc=color, ec="black", lw=0.6))
        ax.text(start + index + 0.5, 0.5, start + index, ha="center", va="center", fontsize=8.5)
        cell = (corner + index % columns, -3 - index // columns)
        ax.add_patch(Rectangle(cell, 1, 1, fc=color, ec="black", lw=0.6))
        ax.text(cell[0] + 0.5, cell[1] + 0.5, start + index, ha="center", va="center", fontsize=8.5)
    fan = [(start, 0), (start + view.size, 0), (corner + columns, -2), (corner, -2)]
    ax.add_patch(Polygon(fan, fc=color, alpha=0.25, lw=0))
    shape = ", ".join(map(str, view.shape))
    ax.text(corner, -3.25 - rows + 1, f"{name}\n({shape})", va="top", fontsize=11)
    start, corner = start + view.size, corner + columns + 3.4
ax.text(0, 1.25, f"params: one vector of {network.params.size} numbers", fontsize=12)
n = network.n_weights
ax.plot([n, n], [-0.15, 1.3], color="black", lw=1.5)
ax.text(n + 0.2, 1.25, f"n_weights = {n}", fontsize=11)
ax.set(xlim=(-0.3, 26.6), ylim=(-7.7, 2.3))
ax.axis("off")
