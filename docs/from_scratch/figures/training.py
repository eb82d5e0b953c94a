# SPDX-License-Identifier: BSD-3-Clause
"""The loss of every step, and what an epoch records: their mean."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sknumpynet.core import Adam, Constant, Dense, MultinomialLogLoss, Network
from sknumpynet.core.training import Batches, Training

X, y = load_digits(return_X_y=True)
X = X / 16
network = Network([Dense(64, 40), "relu", Dense(40, 10)], rng=0)
rng = np.random.RandomState(0)
training = Training(
    network, MultinomialLogLoss(), Adam(), Constant(0.002), rng, l2=1e-4, max_epochs=8
)
steps, take_step = [], training.step
training.step = lambda *arguments: steps.append(take_step(*arguments)) or steps[-1]  # to look on
epochs = training.epochs(Batches(X, y, None, 50, np.float64))
losses = [next(epochs).loss for _ in range(8)]
per_epoch = len(steps) / 8
figure, ax = plt.subplots(figsize=(8, 3.2))
ax.plot(np.arange(1, len(steps) + 1) / per_epoch, steps, color="0.65", lw=0.9, label="each step")
ax.plot(np.arange(8) + 0.5, losses, "o-", color="C0", label="mean of each epoch")
ax.set(xlabel="epochs done", ylabel="loss and penalty", ylim=0)
ax.legend(frameon=False)
