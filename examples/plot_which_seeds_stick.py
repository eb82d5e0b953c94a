"""
How often XOR gets stuck
========================

Two hidden units can solve XOR, but not from all initial weights. To see how often, we train two hundred
networks: :func:`~sknumpynet.fit_side_by_side` trains them together, in the time that a few dozen take one
after another.
"""

# %%
# Two hundred seeds
# -----------------
# All networks have the same shape and differ only in their seed. The results are the same as those of
# separate fits; the first ones are compared here.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknumpynet import NumpyMLPClassifier, fit_side_by_side
from sknumpynet.datasets import xor

warnings.simplefilter("ignore", ConvergenceWarning)  # all fits use all of their epochs

X, y = xor()
EPOCHS = 1000


def make_networks(n_units, seeds, rate=0.1):
    """Return a network for each seed, not fitted."""
    return [
        NumpyMLPClassifier(
            (n_units,),
            "tanh",
            alpha=0,
            learning_rate_init=rate,
            max_iter=EPOCHS,
            n_iter_no_change=EPOCHS,
            random_state=seed,
        )
        for seed in seeds
    ]


networks = fit_side_by_side(make_networks(2, range(200)), X, y)
for network, alone in zip(networks, make_networks(2, range(3))):
    alone.fit(X, y)
    assert np.allclose(network.coefs_[0], alone.coefs_[0], rtol=1e-9)
losses = np.array([network.loss_ for network in networks])
print(f"{np.sum(losses < 0.1)} of {len(networks)} seeds solve XOR")

# %%
# Where the others get stuck
# --------------------------
# The losses of the other networks are on two plateaus. On the lower one, two rows are predicted correctly,
# and the other two have a probability of 1/2: the mean log loss is ``log(2) / 2 = 0.35``. On the higher one,
# a single row is correct, and the other three, two of which have the same label, get the same probability of
# 2/3 or 1/3: ``(2 log(3/2) + log(3)) / 4 = 0.48``. No small step leads away from there.

BLUE, RED, GREY = "#0072B2", "#D55E00", "0.4"
PLATEAUS = {"two rows right": np.log(2) / 2, "one row right": (2 * np.log(1.5) + np.log(3)) / 4}
curves = np.array([network.loss_curve_ for network in networks])
epochs = np.arange(1, EPOCHS + 1)
figure, (left, right) = plt.subplots(
    1, 2, figsize=(8, 3.8), layout="constrained", gridspec_kw={"width_ratios": [2, 1]}
)
for curve, loss in zip(curves, losses):
    left.plot(epochs, curve, color=BLUE if loss < 0.1 else RED, lw=0.6, alpha=0.5)
for name, height in PLATEAUS.items():
    left.axhline(height, color=GREY, lw=0.8, ls=":")
    left.text(EPOCHS, height + 0.01, name, ha="right", color=GREY)
left.plot([], color=BLUE, label=f"solved: {np.sum(losses < 0.1)}")
left.plot([], color=RED, label=f"stuck: {np.sum(losses >= 0.1)}")
left.legend(loc="upper right")
left.set(xscale="log", xlabel="epoch", ylabel="log loss", title="two hidden units, 200 seeds")
right.hist(losses[losses < 0.1], np.linspace(0, 0.75, 31), color=BLUE, orientation="horizontal")
right.hist(losses[losses >= 0.1], np.linspace(0, 0.75, 31), color=RED, orientation="horizontal")
right.set(xlabel="networks", title="where they end", ylim=left.get_ylim())
plt.show()

# %%
# More units, and other learning rates
# ------------------------------------
# Networks of different widths are trained in different packs; networks that differ only in their learning
# rate are trained together. You can pass a list of all of them.

WIDTHS, RATES, SEEDS = (2, 3, 4, 6), (0.01, 0.03, 0.1, 0.3), range(40)
everything = {
    (width, rate): make_networks(width, SEEDS, rate) for width in WIDTHS for rate in RATES
}
fit_side_by_side([network for some in everything.values() for network in some], X, y)
solved = {case: np.mean([each.loss_ < 0.1 for each in some]) for case, some in everything.items()}
figure, axis = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
for rate, marker in zip(RATES, "osD^"):
    shares = [solved[width, rate] for width in WIDTHS]
    axis.plot(WIDTHS, shares, marker=marker, label=f"learning rate {rate}")
axis.set(
    xlabel="hidden units", ylabel="share of seeds", title="solved after 1000 epochs", xticks=WIDTHS
)
axis.legend()
plt.show()

# %%
# A wider network is the simplest remedy: it is enough that two of its units have good initial weights.
# With two units, a lower rate helps a little, because large steps move some networks onto a plateau. No rate
# leads away from a plateau, but another seed may avoid it.
