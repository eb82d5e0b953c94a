# SPDX-License-Identifier: BSD-3-Clause
"""The waves of one column, what they are mixed to, and what a network makes of it."""

import matplotlib.pyplot as plt
import numpy as np

from sknumpynet.core import (
    Adam,
    Dense,
    Network,
    NumericEmbedding,
    SquaredError,
    Workspace,
    fit_to_data,
)

x = np.linspace(-2, 2, 400)[:, np.newaxis]
y = np.sin(9 * x) * np.exp(-(x**2)) + 0.5 * x


def train(network, steps=600):
    fit_to_data(network, x, rng=0)
    work, loss, optimizer = Workspace(network, len(x)), SquaredError(), Adam()
    for step in range(steps):
        _, delta = loss.value_and_gradient(y, network.forward(x, work))
        network.backward(delta, work)
        optimizer.step(network.params, network.grads, 0.02 * (1 - step / steps))
    return network


plain = Network([Dense(1, 32), "silu", Dense(32, 1)], rng=0)
embedded = Network([NumericEmbedding(1), Dense(4, 32), "silu", Dense(32, 1)], n_features=1, rng=0)
start = embedded.copy()
work = Workspace(start, len(x))
start.forward(x, work)
figure, axes = plt.subplots(1, 3, figsize=(8, 3.4), layout="constrained")
axes[0].plot(x, work.buffers[0].C[0, :6].T, lw=1)
axes[0].set(title="6 of 16 waves,\n$\\cos(2 \\pi w x + b)$", xlabel="x")
axes[1].plot(x, work.buffers[0].out[:, :3], lw=1.5)
axes[1].plot(x, x, color="black", lw=1)
axes[1].set(title="[E, x],\nbefore training", xlabel="x")
axes[2].plot(x, y, color="0.75", lw=5, label="y")
axes[2].plot(x, train(plain).predict(x), "--", color="#D55E00", label="from x")
axes[2].plot(x, train(embedded).predict(x), color="#0072B2", label="from [E, x]")
axes[2].set(title="32 units,\n600 steps of Adam", xlabel="x")
axes[2].set_ylim(-1.2, 2.5)
axes[2].legend(frameon=False, fontsize=10, loc="upper left", borderaxespad=0.3)
