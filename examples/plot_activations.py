"""
Activations and their derivatives
=================================

What a unit does with the sum of its inputs, ``z``, is its activation. On the way back its derivative decides
how much of the error gets through. Here is each of them with its derivative on one sheet, and then what each
suits.
"""

# %%
# The sheet
# ---------
# Every curve comes from the code that trains networks: ``forward`` writes the activation of ``z``, and
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


z = np.linspace(-4, 4, 802)  # an even number: none of them is 0, where some have a kink

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
# ``step`` has no derivative to learn by: it is for networks whose weights are known.
#
# The derivative is right
# -----------------------
# A derivative is the difference quotient for small steps, and the two can be compared at each point. Kinks
# are between the points, and a step across one is left out.

h = 1e-6
for name in NAMES[:-1]:
    (up, _), (down, _) = curves(name, z + h), curves(name, z - h)
    error = np.abs((up - down) / (2 * h) - curves(name, z)[1]).max()
    print(f"{name:11} largest difference {error:.1e}")
    assert error < 1e-8

# %%
# What gets through ten layers
# ----------------------------
# On its way back an error is multiplied by one derivative after another. That of the logistic function is at
# most 0.25, and so ten layers leave less than a millionth; that of ReLU is 1 or 0, that of tanh 1 in the
# middle. This is why hidden layers with ``logistic`` learn slowly when there are many.

for name in ("logistic", "tanh", "softsign", "relu", "selu"):
    largest = curves(name, z)[1].max()
    print(f"{name:9} largest derivative {largest:.3f}, to the power of ten {largest**10:.1e}")

# %%
# What each suits
# ---------------
#
# - **relu** is where to begin: fast, and as good as any on most tables. A unit whose ``z`` is below zero for
#   all rows no longer learns: it is dead.
# - **leaky_relu** keeps a small slope there, so that units do not die. **elu** does so smoothly, with outputs
#   whose mean is closer to zero. **selu** scales them such that deep networks keep mean and variance by
#   themselves; it wants ``init="lecun_normal"``.
# - **gelu**, **silu** and **mish** are smooth relatives of ReLU that dip below zero. They are common in large
#   models; on tables expect small differences, at the price of more time.
# - **softplus** is a smooth ReLU above zero: for outputs, or where slopes of the prediction have to be
#   smooth.
# - **tanh** suits small networks and smooth functions: XOR, curves, anything trained by ``lbfgs``.
#   **softsign** and **hard_tanh** are relatives; the former reaches its ends more slowly, the latter at once.
# - **logistic** gives values between 0 and 1, and is what the tutorials begin with. For hidden layers tanh is
#   the better choice.
# - **gaussian** answers to ``z`` near zero only: for bumps.
# - **identity** changes nothing: however many layers of it there are, the model is a linear one.
# - **step** says yes or no: for logical gates with known weights.
