# SPDX-License-Identifier: BSD-3-Clause
"""The cubic y = x^3 - 15x by L-BFGS and by Adam, over the passes through the data."""

import matplotlib.pyplot as plt
import numpy as np

from sknumpynet.core import Adam, Dense, Network, SquaredError, Workspace
from sknumpynet.core.training import Objective, minimize_lbfgs

x = np.linspace(-5, 5, 201)[:, np.newaxis]
y = x**3 - 15 * x
X, y = x / 5, y / y.std()
loss = SquaredError()


class Counted(Objective):
    """Keeps the value of each evaluation."""

    def __call__(self, params):
        value, gradient = super().__call__(params)
        values.append(value)
        return value, gradient


def network():
    return Network([Dense(1, 8), "tanh", Dense(8, 1)], rng=0)


values = []
minimize_lbfgs(Counted(network(), loss, X, y, None, 0.0), max_iter=1000, max_fun=2000, tol=1e-9)
figure, ax = plt.subplots(figsize=(8, 3.2))
ax.plot(np.arange(1, len(values) + 1), np.minimum.accumulate(values), label="L-BFGS")
for rate in (0.01, 0.1):
    net, optimizer, losses = network(), Adam(), []
    work = Workspace(net, len(X))
    for _ in range(2000):
        value, delta = loss.value_and_gradient(y, net.forward(X, work))
        net.backward(delta, work)
        optimizer.step(net.params, net.grads, rate)
        losses.append(value)
    ax.plot(np.arange(1, 2001), losses, lw=1, label=f"Adam, rate {rate:g}")
ax.set(
    xlabel="passes through the data, forward and backward",
    ylabel="loss",
    xscale="log",
    yscale="log",
)
ax.legend(frameon=False)
