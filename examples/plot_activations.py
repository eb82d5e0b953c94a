"""
Activations and their derivatives
=================================

The activation of a unit is a function of ``z``, the weighted sum of its inputs. In the backward pass, its
derivative determines how much of the error is passed on. This page plots all activations with their
derivatives, and then describes what each is good for.
"""

# %%
# All activations
# ---------------
# The curves are computed by the code that trains networks: ``forward`` writes the activation of ``z``, and
# ``backward`` multiplies an error, here 1, by the derivative.

import matplotlib.pyplot as plt
import numpy as np

from sknumpynet.core import Activate, Dense, Network, Workspace

NAMES = [
    *("identity", "relu", "leaky_relu", "elu", "selu"),
    *("softplus", "gelu", "silu", "mish", "gaussian"),
    *("logistic", "tanh", "softsign", "hard_tanh", "step"),
]


def curves(name, z):
    """Return the activation at each z, and its derivative."""
    layer = Activate(name)
    work = Workspace(Network([Dense(1, 1), layer]), len(z))
    buffer = work.buffers[1]
    a = layer.forward(z.reshape(-1, 1).copy(), buffer).ravel().copy()
    slope = np.ones((len(z), 1))
    if layer.activation.trainable:
        layer.backward(slope, buffer)
    else:
        slope[:] = np.nan
    return a, slope.ravel()


z = np.linspace(-4, 4, 802)  # an even number, so that none is 0, where some have a kink

figure, axes = plt.subplots(
    3, 5, figsize=(8.5, 6.2), sharex=True, sharey=True, layout="constrained"
)
for ax, name in zip(axes.flat, NAMES, strict=True):
    a, slope = curves(name, z)
    ax.axhline(0, color="0.8", linewidth=0.8)
    ax.axvline(0, color="0.8", linewidth=0.8)
    ax.plot(z, a, linewidth=2, label="activation")
    ax.plot(z, slope, linestyle="--", label="derivative")
    ax.set(title=name, ylim=(-2, 2.6), xticks=range(-4, 5, 2))
for ax in axes[-1]:
    ax.set_xlabel("z")
figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
plt.show()

# %%
# The derivative of ``step`` is 0, so it cannot be trained: it is for networks with known weights.
#
# The derivatives are correct
# ---------------------------
# A derivative is the limit of the difference quotient, so the two can be compared at each point. Kinks are
# between the points, and differences across a kink are left out.

h = 1e-6
for name in NAMES[:-1]:
    (up, _), (down, _) = curves(name, z + h), curves(name, z - h)
    error = np.abs((up - down) / (2 * h) - curves(name, z)[1]).max()
    print(f"{name:11} largest difference {error:.1e}")
    assert error < 1e-8

# %%
# Error propagation through ten layers
# ------------------------------------
# In the backward pass an error is multiplied by one derivative after another. That of the logistic function
# is at most 0.25, so ten layers leave less than a millionth. That of ReLU is 1 or 0, and that of tanh is 1 at
# zero. This is why deep networks with ``logistic`` learn slowly.

for name in ("logistic", "tanh", "softsign", "relu", "selu"):
    largest = curves(name, z)[1].max()
    print(f"{name:9} largest derivative {largest:.3f}, to the power of ten {largest**10:.1e}")

# %%
# Which activation to use
# -----------------------
#
# - **relu** is the default: fast, and as good as any on most tables. A unit whose ``z`` is below zero for all
#   rows no longer learns: it is dead.
# - **leaky_relu** has a small slope below zero, so that units do not die. **elu** is similar but smooth, and
#   the mean of its outputs is closer to zero. **selu** scales its outputs such that deep networks preserve
#   mean and variance; use it with ``init="lecun_normal"``.
# - **gelu**, **silu** and **mish** are smooth variants of ReLU that dip below zero. They are common in large
#   models. On tables expect small differences, and slower training.
# - **softplus** is a smooth, positive variant of ReLU: for outputs, or where derivatives of the prediction
#   have to be smooth.
# - **tanh** suits small networks and smooth functions: XOR, curves, anything trained with ``lbfgs``.
#   **softsign** and **hard_tanh** are similar; the former approaches its limits more slowly, the latter
#   reaches them.
# - **logistic** has values between 0 and 1, and is what many tutorials begin with. For hidden layers tanh is
#   a better choice.
# - **gaussian** is only active for ``z`` near zero: for local bumps.
# - **identity** changes nothing: a network with any number of such layers is a linear model.
# - **step** returns 0 or 1: for logical gates with known weights.
