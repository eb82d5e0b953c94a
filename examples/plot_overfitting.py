"""
Overfitting, and what ``alpha`` and ``dropout`` do about it
===========================================================

A network with ten thousand weights and sixty rows can memorise the rows, noise included, and be surer
of itself than it should. Two brakes are shown here: ``alpha``, a price on large weights, and ``dropout``,
which leaves out hidden units at random while training.
"""

# %%
# Sixty rows memorised
# --------------------
# Two classes, half-moons that overlap so far that no border can tell all rows apart. The test rows, passed as
# ``X_val`` without ``early_stopping``, decide nothing; they are scored after each epoch.

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
    print(f"{name:11}: right {train:.1%} in training, {test:.1%} in the test; test loss {loss:.2f}")

# %%
# The loss of the test rows tells it best. It falls, turns, and without a brake climbs and climbs, as the
# network grows surer of what is only chance. With either brake it stays down. Thick lines are means over
# four seeds, each with data of its own.

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
# What the first of the networks make of the plane. Without a brake the border goes out of its way for single
# rows, and there is hardly any doubt on either side of it.

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
# How large should ``alpha`` be? Too small and the network overfits, too large and it cannot bend at all. It
# is worth a search over powers of ten, on validation data or by ``GridSearchCV``.

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
        f"alpha={alpha:5}: right {scores[-1][0]:.1%} in training, {scores[-1][1]:.1%} in the test"
    )

figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
axes.semilogx(alphas, np.array(scores)[:, 0], "s--", color="#D55E00", label="training rows")
axes.semilogx(alphas, np.array(scores)[:, 1], "o-", color="#0072B2", label="test rows")
axes.set(xlabel="alpha", ylabel="share right")
axes.legend()
plt.show()
