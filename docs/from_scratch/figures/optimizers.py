# SPDX-License-Identifier: BSD-3-Clause
"""Forty steps in a long valley, by three optimizers from the same point."""

import matplotlib.pyplot as plt
import numpy as np

from sknumpynet.core import SGD, Adam

curvature = np.array([1.0, 20.0])
figure, axes = plt.subplots(1, 3, figsize=(8, 3.2), sharex=True, sharey=True)
u, v = np.meshgrid(np.linspace(-2.3, 0.9, 200), np.linspace(-1.2, 1.2, 200))
height = 0.5 * (curvature[0] * u**2 + curvature[1] * v**2)
panels = {
    "SGD(momentum=0)": (SGD(momentum=0.0), 0.09),
    "SGD(momentum=0.9)": (SGD(momentum=0.9), 0.02),
    "Adam()": (Adam(), 0.15),
}
for ax, (title, (optimizer, rate)) in zip(axes, panels.items()):
    params = np.array([-2.0, 0.9])
    path = [params.copy()]
    for _ in range(40):
        optimizer.step(params, curvature * params, rate)
        path.append(params.copy())
    ax.contour(u, v, height, levels=np.geomspace(0.05, 15, 10), colors="0.8", linewidths=0.8)
    ax.plot(*np.transpose(path), ".-", ms=4, lw=1)
    ax.plot(0, 0, "k+", ms=9)
    ax.set(xlabel="first weight", xlim=(-2.3, 0.9), ylim=(-1.2, 1.2))
    ax.set_title(f"{title},\nrate {rate:g}", fontsize=11)
axes[0].set_ylabel("second weight")
