# SPDX-License-Identifier: BSD-3-Clause
"""Draws docs/_static/readme.png: a network with the numbers of one row, and the README's comparison.

What it prints is the table in the README.

    python docs/readme_picture.py
"""

from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

from sknumpynet import NetworkDisplay, NumpyMLPClassifier, compare_with_sklearn

figure = plt.figure(figsize=(12, 4.8), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=(1.25, 1))

X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
xor = NumpyMLPClassifier((4,), "tanh", solver="lbfgs", alpha=0.01, random_state=0).fit(X, y)
network = NetworkDisplay.from_estimator(xor, [1, 0], 1, ax=left.subplots())
network.ax_.set_title("XOR of the row (1, 0), forward and backward", fontsize=11)

digits, labels = load_digits(return_X_y=True)
comparison = compare_with_sklearn(NumpyMLPClassifier(random_state=0), digits / 16, labels)
print(comparison)
comparison.plot(axes=right.subplots(2, 1, sharex=True, height_ratios=(5, 2)))

figure.savefig(Path(__file__).parent / "_static" / "readme.png", dpi=110)
