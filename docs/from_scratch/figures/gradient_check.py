# SPDX-License-Identifier: BSD-3-Clause
"""Why the step is 1e-5: the error of one-sided and central differences over the step."""

import matplotlib.pyplot as plt
import numpy as np

from sknumpynet.core import Dense, Network, SquaredError, Workspace

rng = np.random.default_rng(0)
X, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 1))
network = Network([Dense(3, 4), "tanh", Dense(4, 1)], rng=0)
work, loss = Workspace(network, len(X)), SquaredError()


def value():
    return loss.value_and_gradient(y, network.forward(X, work))[0]


center, delta = loss.value_and_gradient(y, network.forward(X, work))
network.backward(delta, work)
steps = np.geomspace(1e-12, 1e-1, 45)
one_sided, central = [], []
for step in steps:
    forwards, centrals = [], []
    for index, kept in enumerate(network.params):
        network.params[index] = kept + step
        right = value()
        network.params[index] = kept - step
        left = value()
        network.params[index] = kept
        forwards.append(abs((right - center) / step - network.grads[index]))
        centrals.append(abs((right - left) / (2 * step) - network.grads[index]))
    one_sided.append(max(forwards))
    central.append(max(centrals))
figure, ax = plt.subplots(figsize=(8, 3.2))
ax.loglog(steps, one_sided, "--", label="(L(p + h) - L(p)) / h")
ax.loglog(steps, central, label="(L(p + h) - L(p - h)) / 2h")
ax.axvline(1e-5, color="0.4", lw=1)
ax.text(1.2e-5, 1e-3, "step=1e-5", fontsize=11)
ax.text(2e-12, 3e-9, "too small:\nrounding", fontsize=11, va="center")
ax.text(3e-2, 1e-6, "too large:\nthe curve bends", fontsize=11, va="center", ha="center")
ax.set(xlabel="$h$", ylabel="largest error of a slope")
ax.legend(frameon=False, loc="upper left")
