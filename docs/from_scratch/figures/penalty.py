# SPDX-License-Identifier: BSD-3-Clause
"""The penalties on squares and on sizes, their slopes, and the weights that each leaves."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sknumpynet import NumpyMLPClassifier

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(9, 2.9), layout="constrained")
w = np.linspace(-1.5, 1.5, 301)
for label, value, slope in (("W^2 / 2", w**2 / 2, w), ("|W|", np.abs(w), np.sign(w))):
    left.plot(w, value, label=f"${label}$")
    middle.plot(w, slope, label=f"${label}$")
left.set(title="penalty", xlabel="weight")
middle.set(title="its slope", xlabel="weight")
left.legend(frameon=False)

X, y = load_digits(return_X_y=True)
bins = np.geomspace(1e-6, 1, 40)
for label, alpha, l1_ratio in (("$W^2 / 2$", 3.0, 0.0), ("$|W|$", 0.3, 1.0)):
    network = NumpyMLPClassifier((30,), alpha=alpha, l1_ratio=l1_ratio, max_iter=60, random_state=0)
    sizes = np.abs(network.fit(X / 16, y).coefs_[0][X.any(axis=0)]).ravel()
    right.hist(sizes.clip(1e-6), bins, histtype="step", lw=1.5, label=label)
right.set(title="weights after a fit", xlabel="size of a weight", ylabel="how many", xscale="log")
