# SPDX-License-Identifier: BSD-3-Clause
"""Draws the pictures of the README in docs/_static, and prints its table.

network.png is a network with the numbers of one row, xor.gif its training in motion.

    python docs/readme_picture.py
"""

import warnings
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from sknumpynet import (
    NetworkDisplay,
    NumpyMLPClassifier,
    animate_training,
    compare_with_sklearn,
)
from sknumpynet.datasets import xor

STATIC = Path(__file__).parent / "_static"
warnings.simplefilter("ignore", ConvergenceWarning)

X, y = xor()
model = NumpyMLPClassifier((4,), "tanh", alpha=0.001, learning_rate_init=0.1, random_state=1)
# Where the README is shown nothing can pause it: it plays once, in less than five seconds (WCAG 2.2.2).
animate_training(model, X, y, epochs=90, every=3).save(STATIC / "xor.gif", fps=8, loop=False)

model.set_params(max_iter=90, n_iter_no_change=90).fit(X, y)
figure, axes = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
display = NetworkDisplay.from_estimator(model, [1, 0], 1, ax=axes, colorbar=False)
figure.savefig(STATIC / "network.png", dpi=200)

digits, labels = load_digits(return_X_y=True)
print(compare_with_sklearn(NumpyMLPClassifier(random_state=0), digits / 16, labels))
