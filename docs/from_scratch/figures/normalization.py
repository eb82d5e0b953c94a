# SPDX-License-Identifier: BSD-3-Clause
"""What batch and layer normalisation bring to mean 0 and variance 1: columns, or rows."""

import matplotlib.pyplot as plt
import numpy as np

from sknumpynet.core import BatchNorm, Dense, LayerNorm, Network, Workspace

rng = np.random.default_rng(0)
X = rng.normal(size=(12, 8)) * np.linspace(0.2, 2, 8) + np.linspace(-2, 2, 8)
X += rng.normal(size=(12, 1))
figure, axes = plt.subplots(1, 3, figsize=(8, 3.4))
panels = {"x: 12 rows, 8 units": None, "BatchNorm: over a column": BatchNorm(8),
          "LayerNorm: over a row": LayerNorm(8)}  # fmt: skip
for ax, (title, layer) in zip(axes, panels.items()):
    shown = X
    if layer is not None:
        network = Network([Dense(8, 8), layer], rng=0)
        network.dense[0].W[...], network.dense[0].b[...] = np.eye(8), 0  # let x through
        shown = network.forward(X, Workspace(network, len(X)))
    image = ax.imshow(shown, cmap="RdBu_r", vmin=-3.5, vmax=3.5)
    ax.set_title(title, fontsize=12)
    ax.set(xlabel="unit", xticks=[], yticks=[])
axes[0].set_ylabel("row")
figure.colorbar(image, ax=axes, shrink=0.7)
