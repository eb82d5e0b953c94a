# SPDX-License-Identifier: BSD-3-Clause
"""Three losses of one output whose target is 1, and their gradients: the prediction minus the target."""

import matplotlib.pyplot as plt
import numpy as np

from sknumpynet.core import BinaryLogLoss, HalfPoisson, SquaredError

raw = np.linspace(-4, 3, 281)[:, np.newaxis]
y = np.ones_like(raw)
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), sharex=True)
for loss in (SquaredError(), BinaryLogLoss(), HalfPoisson()):
    gradient = np.empty_like(raw)
    terms = loss.terms_and_gradient(y, raw, gradient, np.empty_like(raw))
    left.plot(raw, terms, label=type(loss).__name__)
    right.plot(raw, gradient)
left.set(title="$l(1, raw)$", xlabel="raw", ylim=(-0.1, 4.2))
right.set(title="$dl/draw$ = prediction $-$ 1", xlabel="raw", ylim=(-3, 3))
right.axhline(0, color="0.7", lw=0.8, zorder=0)
right.legend(*left.get_legend_handles_labels(), frameon=False, loc="upper left")
