# SPDX-License-Identifier: BSD-3-Clause
"""The variants: rectifiers that let something through below zero, and functions of z."""

import matplotlib.pyplot as plt
import numpy as np

from sknumpynet.core import ELU, GELU, SELU, Gaussian, LeakyReLU, Mish, ReLU, SiLU

z = np.linspace(-4, 3, 351)
figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True)
files = {
    "rectifiers.py": (ReLU(), LeakyReLU(0.1), ELU(), SELU()),
    "functions of z": (GELU(), SiLU(), Mish(), Gaussian()),
}
for ax, (name, activations) in zip(axes, files.items()):
    for activation in activations:
        a = np.empty_like(z)
        activation.forward(z.copy(), out=a)
        ax.plot(z, a, label=repr(activation).removesuffix("()"))
    ax.set(title=name, xlabel="$z$", ylim=(-2, 3))
    ax.legend(frameon=False)
axes[0].set_ylabel("$a$")
