# SPDX-License-Identifier: BSD-3-Clause
"""What a workspace for Dense(64, 100), "relu", Dense(100, 10) holds, and what shares memory."""

import matplotlib.pyplot as plt
from matplotlib.patches import FancyArrowPatch, Rectangle

DATA, ERROR, SPACE = "#56B4E9", "#CC79A7", "0.88"
figure, ax = plt.subplots(figsize=(8, 3.4))


def box(x, y, width, text, color, dashed=False):
    style = dict(fc=color, ec="black", lw=1, ls="--" if dashed else "-")
    ax.add_patch(Rectangle((x, y), width, 0.7, **style))
    ax.text(x + width / 2, y + 0.35, text, ha="center", va="center", fontsize=9)


def arrow(start, end):
    ax.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=12, lw=1, color="0.3")
    )


for x, title in (
    (1.9, "Dense(64, 100)"),
    (4.5, '"relu"'),
    (7.1, "Dense(100, 10)"),
    (9.3, "the loss"),
):
    ax.text(x, 3.7, title, ha="center", fontsize=12)
box(-0.6, 2.6, 1.2, "x: a batch", "white")
box(1.0, 2.6, 1.8, "out: z (n, 100)", DATA)
box(3.6, 2.6, 1.8, "out: a, the same", DATA, dashed=True)
box(6.2, 2.6, 1.8, "out: raw (n, 10)", DATA)
box(6.2, 1.3, 1.8, "delta (n, 100)", ERROR)
box(3.6, 1.3, 1.8, "the same, * da/dz", ERROR, dashed=True)
box(8.6, 1.3, 1.5, "delta (n, 10)", ERROR)
box(1.0, 1.3, 1.8, "none: not needed", "white", dashed=True)
box(1.0, 0.1, 9.1, "scratch: one space as large as the widest layer, shared by all", SPACE)
for start, end in ((0.6, 1.0), (2.8, 3.6), (5.4, 6.2), (8.0, 8.6)):
    arrow((start, 2.95), (end, 2.95))
box(8.6, 2.6, 1.5, "value", "white")
for start, end in ((8.6, 8.0), (6.2, 5.4), (3.6, 2.8)):
    arrow((start, 1.65), (end, 1.65))
arrow((9.35, 2.6), (9.35, 2.0))
ax.text(-0.6, 1.65, "backward", va="center", fontsize=11, color="0.3")
ax.text(-0.6, 3.5, "forward", va="center", fontsize=11, color="0.3")
ax.set(xlim=(-0.8, 10.3), ylim=(0, 4.1))
ax.axis("off")
