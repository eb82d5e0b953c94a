# SPDX-License-Identifier: BSD-3-Clause
"""How large the signal is after each of thirty layers, for different first weights."""

import matplotlib.pyplot as plt
import numpy as np

from sknumpynet.core import Dense, GlorotNormal, HeNormal, Network, Normal, Workspace, Zeros

X = np.random.default_rng(0).normal(size=(200, 100))
depth = 30
figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), sharey=True)
choices = {
    "tanh": {"Normal(0.01)": Normal(0.01), "GlorotNormal()": GlorotNormal()},
    "relu": {
        "Normal(0.01)": Normal(0.01),
        "GlorotNormal()": GlorotNormal(),
        "HeNormal()": HeNormal(),
    },
}
choices["tanh"]["Normal(1)"] = choices["relu"]["Normal(1)"] = Normal(1.0)
styles = dict(zip(("Normal(0.01)", "GlorotNormal()", "HeNormal()", "Normal(1)"), range(4)))
for ax, (activation, initializers) in zip(axes, choices.items()):
    for label, initializer in initializers.items():
        layers = [Dense(100, 100), activation] * depth
        network = Network(layers, initializer=initializer, bias_initializer=Zeros(), rng=0)
        work = Workspace(network, len(X))
        network.forward(X, work)
        sizes = [buffer.out.std() for buffer in work.buffers[1::2]]
        ax.plot(range(1, depth + 1), sizes, color=f"C{styles[label]}", label=label)
    ax.set(title=f"{activation} units", xlabel="layer", yscale="log", ylim=(1e-12, 1e12))
axes[0].set_ylabel("standard deviation of $a$")
axes[1].legend(frameon=False, loc="upper right", fontsize=10)
