# SPDX-License-Identifier: BSD-3-Clause
"""The penalties on squares and on sizes, their slopes, and a weight that nothing else pulls on."""

import matplotlib.pyplot as plt
import numpy as np

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(8, 3.1), layout="constrained")
grid, rate, n_steps = np.linspace(-1.5, 1.5, 301), 0.05, 60
for label, value, slope in (
    ("$W^2 / 2$", lambda w: w**2 / 2, lambda w: w),
    ("$|W|$", np.abs, np.sign),
):
    left.plot(grid, value(grid), label=label)
    middle.plot(grid, slope(grid), label=label)
    weights = [1.2]
    for _ in range(n_steps):
        step = rate * slope(weights[-1])
        weights.append(weights[-1] - step if abs(weights[-1]) > abs(step) else 0.0)
    right.plot(weights, label=label)
left.set(title="penalty", xlabel="weight")
middle.set(title="its slope", xlabel="weight")
right.set(title="a weight in training", xlabel="step")
left.legend(frameon=False)
