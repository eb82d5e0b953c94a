"""
Noisy labels: ``dropout``
=========================

A network with many weights overfits: it also learns the errors in the labels. With ``dropout=0.5``, each
training step leaves out a random half of the hidden units, so that units cannot rely on each other to
memorise single rows.
"""

# %%
# Digits with 20 % random labels
# ------------------------------
# Of 600 training rows, a fifth get a random label. The test rows keep the correct ones. They are passed as
# ``X_val`` without ``early_stopping``, so they are scored after each epoch and do not affect training.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from sknumpynet import NumpyMLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)  # all networks take 60 epochs

X, y = load_digits(return_X_y=True)
X = X / 16

# %%
# A number is the dropout rate of all hidden layers; a list begins with the rate of the input.

CHOICES = {"none": 0.0, "0.5 of the hidden units": 0.5, "and 0.2 of the pixels": [0.2, 0.5]}
SEEDS = range(5)
curves = {name: [] for name in CHOICES}
for seed in SEEDS:
    rng = np.random.default_rng(seed)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, train_size=600, stratify=y, random_state=seed
    )
    wrong = rng.random(len(y_train)) < 0.2
    y_train[wrong] = rng.integers(0, 10, wrong.sum())
    for name, dropout in CHOICES.items():
        network = NumpyMLPClassifier(
            (200,),
            dropout=dropout,
            learning_rate_init=0.003,
            batch_size=50,
            max_iter=60,
            n_iter_no_change=np.inf,
            random_state=seed,
        )
        network.fit(X_train, y_train, X_val=X_test, y_val=y_test)
        curves[name].append(network.validation_scores_)

# %%
# The test score after 60 epochs, over five seeds (each with its own split and noise).

for name, scores in curves.items():
    last = np.array(scores)[:, -1]
    print(f"dropout: {name:25} {last.mean():.3f} +- {last.std():.3f}")

gain = np.subtract(curves["0.5 of the hidden units"], curves["none"])[:, -1]
print(f"gain of dropout 0.5: {gain.mean():+.3f}, between {gain.min():+.3f} and {gain.max():+.3f}")

# %%
# Without dropout the score is highest early, and falls as the wrong labels are learned. With dropout it
# hardly falls. Thick lines are means over the seeds, thin lines are single seeds. ``early_stopping=True`` is
# another remedy: it would end the fit near the first peak. :doc:`/benchmarks_notes` compares the two on other
# data sets, whose noise is not artificial.

STYLES = zip(CHOICES, ("#0072B2", "#D55E00", "#009E73"), ("-", "--", "-."), strict=True)
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for name, color, line in STYLES:
    scores = np.array(curves[name])
    epochs = np.arange(1, scores.shape[1] + 1)
    axes.plot(epochs, scores.T, color=color, linestyle=line, linewidth=0.6, alpha=0.5)
    axes.plot(epochs, scores.mean(axis=0), color=color, linestyle=line, linewidth=2.5, label=name)
axes.set(xlabel="epoch", ylabel="score on test rows", ylim=(0.74, 0.97))
axes.legend(title="dropout", loc="lower right")
plt.show()
