# SPDX-License-Identifier: BSD-3-Clause
"""Four activations, and their derivatives as `backward` gives them."""

import matplotlib.pyplot as plt
import numpy as np

from sknumpynet.core import Logistic, ReLU, Softplus, Tanh

z = np.linspace(-4, 4, 401)
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), sharex=True)
for activation in (Logistic(), Tanh(), ReLU(), Softplus()):
    a, slope = np.empty_like(z), np.ones_like(z)
    activation.forward(z.copy(), out=a)
    activation.backward(a, slope, np.empty_like(z))
    left.plot(z, a, label=type(activation).__name__)
    right.plot(z, slope)
left.set(title="$a = f(z)$", xlabel="$z$", ylim=(-1.2, 2.5))
right.set(title="$da/dz$", xlabel="$z$", ylim=(-0.05, 1.1))
left.legend(frameon=False)
