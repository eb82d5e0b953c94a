# SPDX-License-Identifier: BSD-3-Clause
"""The loss of the same network, on scikit-learn's digits, by the variants."""

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from sknumpynet import NumpyMLPClassifier
from sknumpynet.core import Adagrad, Adam, AMSGrad, Lion, NAdam, RMSprop, Rprop

X, y = load_digits(return_X_y=True)
figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True)
files = {
    "adam_variants.py, rmsprop_adagrad.py": {
        Adam(): 0.002, NAdam(): 0.002, AMSGrad(): 0.002, RMSprop(): 0.002, Adagrad(): 0.02,
    },
    "rprop_lion.py": {Adam(): 0.002, Lion(): 0.0005, Rprop(): 0.01},
}  # fmt: skip
for ax, (name, optimizers) in zip(axes, files.items()):
    for optimizer, rate in optimizers.items():
        whole = isinstance(optimizer, Rprop)  # one step an epoch, on all rows
        network = NumpyMLPClassifier(
            (40,), solver=optimizer, learning_rate_init=rate, random_state=0, max_iter=25,
            batch_size=len(X) if whole else 100, tol=0, n_iter_no_change=25,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            network.fit(X / 16, y)
        label = f"{type(optimizer).__name__}, rate {rate:g}" + (", all rows" if whole else "")
        ax.plot(range(1, 26), network.loss_curve_, label=label)
    ax.set(xlabel="epoch", yscale="log")
    ax.set_title(name, fontsize=11)
    ax.legend(frameon=False, fontsize=10, loc="upper right" if ax is axes[0] else "lower left")
axes[0].set_ylabel("loss")
