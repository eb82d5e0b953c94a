# SPDX-License-Identifier: BSD-3-Clause
"""A fit that is stopped by its validation score: the record, and the count of epochs without progress."""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

from sknumpynet import NumpyMLPClassifier
from sknumpynet.core.training import Patience

X, y = load_digits(return_X_y=True)
network = NumpyMLPClassifier((40,), early_stopping=True, n_iter_no_change=8, tol=0, random_state=1,
                             learning_rate_init=0.005)  # fmt: skip
network.fit(X / 16, y)
scores = network.history_["validation_score"]
patience, stalled, best = Patience(float("-inf")), [], 0
for epoch, score in enumerate(scores, start=1):
    if patience.update_score(score, network.tol):
        best = epoch
    stalled.append(patience.n_no_improvement)
epochs = range(1, len(scores) + 1)
figure, (upper, lower) = plt.subplots(2, 1, figsize=(8, 3.8), sharex=True, height_ratios=(3, 1.4))
upper.plot(epochs, scores, label="validation score")
upper.plot(best, scores[best - 1], "o", color="C1", label="best epoch: its weights are kept")
upper.set_ylabel("accuracy")
upper.legend(frameon=False)
lower.bar(epochs, stalled, color="C2")
lower.axhline(network.n_iter_no_change, color="0.4", ls="--", lw=1)
lower.text(1, network.n_iter_no_change + 0.3, "n_iter_no_change", va="bottom", fontsize=10)
lower.set(xlabel="epoch", ylabel="no progress", ylim=(0, network.n_iter_no_change + 4))
