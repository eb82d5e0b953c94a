# SPDX-License-Identifier: BSD-3-Clause
"""Three networks side by side: a stack of batches times a stack of weights, and their vectors."""

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

COLORS = ["#56B4E9", "#E69F00", "#009E73"]
figure, ax = plt.subplots(figsize=(8, 3.9))


def stack(x, y, width, height, title):
    for i, color in reversed(list(enumerate(COLORS))):
        corner = (x + 0.45 * i, y + 0.4 * i)
        ax.add_patch(Rectangle(corner, width, height, fc=color, ec="black", lw=0.8))
    ax.text(x + width / 2, y - 0.25, title, ha="center", va="top", fontsize=11)


stack(0, 4, 2.6, 4, "x\n(3, n, 2)")
ax.text(4.15, 6.2, "@", fontsize=15, ha="center")
stack(5.2, 5, 3.6, 2, "W\n(3, 2, 4)")
ax.text(10.5, 6.2, "+", fontsize=15, ha="center")
stack(11.4, 5.6, 3.6, 0.9, "b\n(3, 1, 4)")
ax.text(16.7, 6.2, "=", fontsize=15, ha="center")
stack(17.8, 4, 3.6, 4, "z\n(3, n, 4)")
names = [("W of layer 0", 8), ("W of layer 1", 4), ("b", 4), ("b", 1)]
for i, color in enumerate(COLORS):
    start = 2.4
    for name, size in names:
        cell = Rectangle((start, 1 - 0.62 * i), size, 0.55, fc=color, ec="black", lw=0.8)
        ax.add_patch(cell)
        if i == 0:
            ax.text(start + size / 2, 1.7, name, ha="center", va="bottom", fontsize=10)
        start += size
    ax.text(2.1, 1.27 - 0.62 * i, f"member {i}", ha="right", va="center", fontsize=10)
ax.text(start + 0.3, 0.65, "params\n(3, 17)", va="center", fontsize=11)
ax.set(xlim=(-1.2, 23), ylim=(-0.4, 9.1))
ax.axis("off")
