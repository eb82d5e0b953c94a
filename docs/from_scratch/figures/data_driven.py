# SPDX-License-Identifier: BSD-3-Clause
"""Units of one column: where they bend and how steep they are, by an initializer and fitted to the data."""

import matplotlib.pyplot as plt
import numpy as np

from sknumpynet.core import Dense, GlorotUniform, Network, fit_to_data

rng = np.random.default_rng(0)
X = rng.gamma(2.0, 15.0, size=(300, 1))
grid = np.linspace(0, 140, 300)[:, np.newaxis]
figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
network = Network([Dense(1, 12)], initializer=GlorotUniform(), rng=0)
for ax, title in zip(axes, ("GlorotUniform", "fit_to_data")):
    if title == "fit_to_data":
        fit_to_data(network, X, rng=0)
    ax.plot(grid, network.predict(grid), color="#0072B2", lw=1)
    zeros = -network.dense[0].b / network.dense[0].W[0]
    inside = zeros[(zeros >= 0) & (zeros <= 140)]
    ax.plot(inside, 0 * inside, "o", color="#D55E00", ms=5)
    ax.axhline(0, color="black", lw=0.8)
    ax.plot(X, np.full(len(X), 0.02), "|", color="black", alpha=0.3,
            transform=ax.get_xaxis_transform())  # fmt: skip
    std = [f"{each:.1f}" for each in np.sort(network.predict(X).std(axis=0))[[0, -1]]]
    ax.set(title=f"{title}: std(z) {' to '.join(dict.fromkeys(std))}", xlabel="x")
axes[0].set_ylabel("z of 12 units")
