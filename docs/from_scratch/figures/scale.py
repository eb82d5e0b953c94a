# SPDX-License-Identifier: BSD-3-Clause
"""How far one step of Adam moves the output of a layer, by its width, in both parametrisations."""

import matplotlib.pyplot as plt
import numpy as np

from sknumpynet.core import Adam, Dense, LecunNormal, Network, SquaredError, Workspace

rng = np.random.default_rng(0)
widths = 2 ** np.arange(3, 12)
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for name, style in (("standard", "o--"), ("ntk", "s-")):
    moves = []
    for d in widths:
        X, y = rng.normal(size=(64, d)), rng.normal(size=(64, 1))
        network = Network([Dense(d, 1, parametrization=name)], initializer=LecunNormal(), rng=0)
        work, before = Workspace(network, 64), network.predict(X)
        _, delta = SquaredError().value_and_gradient(y, network.forward(X, work))
        network.backward(delta, work)
        Adam().step(network.params, network.grads, 0.01)
        moves.append(np.abs(network.predict(X) - before).mean())
    ax.plot(widths, moves, style, label=f'parametrization="{name}"')
ax.set(xscale="log", yscale="log", xlabel="inputs of the layer", ylabel="mean change of z",
       title="One step of Adam with the rate 0.01")  # fmt: skip
ax.set_xticks(widths, widths)
ax.minorticks_off()
ax.legend(frameon=False)
