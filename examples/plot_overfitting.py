"""
Overfitting, and what ``alpha`` and ``dropout`` do about it
===========================================================

A network with ten thousand weights can memorise sixty rows, including their noise, and become overconfident.
This page shows two remedies: ``alpha``, a penalty on large weights, and ``dropout``, which drops random
hidden units during training.
"""

# %%
# Sixty rows memorised
# --------------------
# The two classes are half-moons that overlap, so that no boundary can separate all rows. The test rows are
# passed as ``X_val`` without ``early_stopping``, so they are scored after each epoch and do not affect
# training.

# sphinx_gallery_thumbnail_number = 2
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import DecisionBoundaryDisplay

from sknumpynet import NumpyMLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)  # all networks take 300 epochs


def data(seed):
    return make_moons(60, noise=0.35, random_state=seed), make_moons(
        500, noise=0.35, random_state=100 + seed
    )


def fit(seed, watch=True, **options):
    (X, y), (X_test, y_test) = data(seed)
    network = NumpyMLPClassifier(
        (100, 100),
        learning_rate_init=0.003,
        max_iter=300,
        n_iter_no_change=np.inf,
        random_state=seed,
        **options,
    )
    return network.fit(X, y, X_val=X_test, y_val=y_test) if watch else network.fit(X, y)


CHOICES = {
    "alpha=0": ({"alpha": 0}, "#D55E00", "--"),
    "alpha=0.3": ({"alpha": 0.3}, "#0072B2", "-"),
    "dropout=0.5": ({"alpha": 0, "dropout": 0.5}, "#009E73", "-."),
}
fits = {
    name: [fit(seed, **options) for seed in range(3)] for name, (options, *_) in CHOICES.items()
}
for name, networks in fits.items():
    train = np.mean([network.score(*data(seed)[0]) for seed, network in enumerate(networks)])
    test = np.mean([network.validation_scores_[-1] for network in networks])
    loss = np.mean([network.validation_loss_curve_[-1] for network in networks])
    print(
        f"{name:11}: accuracy {train:.1%} in training, {test:.1%} in the test; test loss {loss:.2f}"
    )

# %%
# The test loss shows overfitting best. It falls at first; without regularisation it then keeps rising,
# as the network becomes more confident about noise. With either remedy it stays low. Thick lines are means
# over three seeds with different data.

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for name, (_, color, line) in CHOICES.items():
    loss = np.array([network.validation_loss_curve_ for network in fits[name]])
    epochs = np.arange(1, loss.shape[1] + 1)
    axes.plot(epochs, loss.T, line, color=color, linewidth=0.6, alpha=0.5)
    axes.plot(epochs, loss.mean(axis=0), line, color=color, linewidth=2.5, label=name)
axes.set(xlabel="epoch", ylabel="log loss of the test rows", ylim=(0.2, 1.4))
axes.legend()
plt.show()

# %%
# The decision surfaces of the networks of the first seed. Without regularisation the boundary makes
# detours around single rows, and the probabilities on both sides are near 0 and 1.

(X, y), _ = data(0)
figure, grid = plt.subplots(1, 3, figsize=(8, 3.4), sharey=True, layout="constrained")
for (name, networks), axes in zip(fits.items(), grid, strict=True):
    display = DecisionBoundaryDisplay.from_estimator(
        networks[0],
        X,
        response_method="predict_proba",
        plot_method="pcolormesh",
        class_of_interest=1,
        cmap="PuOr",
        vmin=0,
        vmax=1,
        ax=axes,
        alpha=0.5,
    )
    display.ax_.contour(display.xx0, display.xx1, display.response, [0.5], colors="black")
    for label, marker, color in ((0, "s", "#B35806"), (1, "o", "#542788")):
        axes.scatter(*X[y == label].T, marker=marker, c=color, edgecolors="white", s=36)
    axes.set(title=name, xlabel="first column", ylabel="")
grid[0].set_ylabel("second column")
figure.colorbar(display.surface_, ax=grid, label="probability of a circle", shrink=0.9)
plt.show()

# %%
# How large should ``alpha`` be? If it is too small, the network overfits; if it is too large, the network
# is almost linear. Search over powers of ten, with validation data or ``GridSearchCV``.

alphas = [0.001, 0.01, 0.1, 0.3, 1, 10]
scores = []
for alpha in alphas:
    networks = [fit(seed, watch=False, alpha=alpha) for seed in range(2)]
    scores.append(
        [
            np.mean([f.score(*data(seed)[part]) for seed, f in enumerate(networks)])
            for part in (0, 1)
        ]
    )
    print(
        f"alpha={alpha:5}: accuracy {scores[-1][0]:.1%} in training, {scores[-1][1]:.1%} in the test"
    )

figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
axes.semilogx(alphas, np.array(scores)[:, 0], "s--", color="#D55E00", label="training rows")
axes.semilogx(alphas, np.array(scores)[:, 1], "o-", color="#0072B2", label="test rows")
axes.set(xlabel="alpha", ylabel="share right")
axes.legend()
plt.show()
