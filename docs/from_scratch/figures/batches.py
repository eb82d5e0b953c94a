# SPDX-License-Identifier: BSD-3-Clause
"""Gathering: the rows of a batch, wherever they lie, into memory that is used again."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyArrowPatch, Rectangle

n, size = 12, 4
order = np.random.default_rng(3).permutation(n)
colors = plt.get_cmap("viridis")(np.linspace(0.15, 0.95, n))
figure, ax = plt.subplots(figsize=(8, 3.8))


def rows(x, numbers, top, title):
    for place, number in enumerate(numbers):
        ax.add_patch(Rectangle((x, top - place - 1), 3, 1, fc=colors[number], ec="white", lw=1))
        ax.text(x + 1.5, top - place - 0.5, number, ha="center", va="center", fontsize=10,
                color="white" if number < 6 else "black")  # fmt: skip
    ax.text(x + 1.5, top + 0.5, title, ha="center", va="bottom", fontsize=12)


rows(0, range(n), 12, "X, as it is")
for place, number in enumerate(order):
    ax.text(7, 11.5 - place, number, ha="center", va="center", fontsize=11)
ax.text(7, 12.5, "order of\nthis epoch", ha="center", va="bottom", fontsize=12)
ax.add_patch(Rectangle((6.2, 0), 1.6, 12, fc="none", ec="0.5"))
for k, title in enumerate(("batch 1", "batch 2", "batch 3")):
    x = 11 + 4.5 * k
    rows(x, order[k * size : (k + 1) * size], 8, title)
    ax.text(
        x + 1.5, 3.6, "the same\nmemory" if k else "one buffer", ha="center", va="top", fontsize=11
    )
for start, end in (
    ((3.3, 6), (5.9, 6)),
    ((8.1, 6), (10.7, 6)),
    ((14.1, 6), (15.4, 6)),
    ((18.6, 6), (19.9, 6)),
):
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=14, color="0.3"))
ax.set(xlim=(-0.2, 23.3), ylim=(-0.2, 13.6))
ax.axis("off")
