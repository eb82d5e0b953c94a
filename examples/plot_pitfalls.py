"""
When a network does not learn: rate, scale, depth
=================================================

The formulas are correct, but the loss hardly falls, or diverges. There are three common causes: a wrong
learning rate, inputs that are not scaled, and units that pass on no gradient. This page shows each with its
remedy.
"""

# %%
# The learning rate
# -----------------
# Plain gradient descent on scikit-learn's diabetes data, for a network of 30 units and three learning rates.
# If the rate is too low, training has not converged when it ends. If it is too high, every step overshoots
# the valley to a point that is higher than before, and the loss diverges.

import textwrap
import warnings
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import SGD, NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.core import (
    Dense,
    GlorotUniform,
    HeUniform,
    MultinomialLogLoss,
    Network,
    Workspace,
    Zeros,
)

warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is a choice here
BLUE, GREEN, RED = "#0072B2", "#009E73", "#D55E00"

X, y = load_diabetes(return_X_y=True)
X = StandardScaler().fit_transform(X)
y = (y - y.mean()) / y.std()
EPOCHS = 30


def fit(rate, activation="tanh"):
    network = NumpyMLPRegressor(
        hidden_layer_sizes=(30,),
        activation=activation,
        solver=SGD(momentum=0),
        learning_rate_init=rate,
        max_iter=EPOCHS,
        n_iter_no_change=np.inf,
        random_state=0,
    )
    return network.fit(X, y).loss_curve_


RATES = {
    "too small": (0.001, BLUE, "--"),
    "right": (0.1, GREEN, "-"),
    "diverging": (1.0, RED, "-."),
}
guess = 0.5  # the loss when always predicting the mean
figure, axes = plt.subplots(figsize=(7, 3.8), layout="constrained")
for name, (rate, color, line) in RATES.items():
    loss = fit(rate)
    epochs = range(1, EPOCHS + 1)
    axes.plot(epochs, loss, color=color, linestyle=line, linewidth=2, label=f"{rate:g}, {name}")
    print(f"rate {rate:5g}: loss {loss[0]:.2f} in the first epoch, {loss[-1]:.3g} in the last")
axes.axhline(guess, color="grey", linestyle=":", label="predicting the mean")
axes.set(xlabel="epoch", ylabel="loss", yscale="log", ylim=(0.15, 100))
axes.legend(title="rate")
plt.show()

# %%
# The derivative of tanh vanishes for large inputs, which slows the growth. With ReLU this does not happen,
# and the numbers soon overflow. The fit then ends with an error that says what to do.

try:
    with np.errstate(all="ignore"):  # NumPy would warn of each overflow
        fit(1.0, "relu")
except ValueError as error:
    print(textwrap.fill(str(error), 80))

# %%
# To find a good rate, train for some epochs with rates that are far apart. The curve has a wide valley and
# then rises steeply. Choose a rate in the valley, not too close to the rise, and let a schedule reduce it:
# ``learning_rate="one_cycle"`` or ``"cosine"``.

rates = 10.0 ** np.arange(-4, 0.1, 0.25)
final = [fit(rate)[-1] for rate in rates]
best = rates[np.argmin(final)]
print(f"lowest loss after {EPOCHS} epochs: {min(final):.3f}, with a rate of {best:.2g}")

figure, axes = plt.subplots(figsize=(7, 3.3), layout="constrained")
axes.semilogx(rates, final, "o-", color="black", markersize=4)
for name, (rate, color, line) in RATES.items():
    axes.axvline(rate, color=color, linestyle=line, linewidth=2, label=f"{rate:g}, {name}")
axes.axhline(guess, color="grey", linestyle=":", label="predicting the mean")
axes.set(xlabel="rate", ylabel=f"loss of epoch {EPOCHS}", ylim=(0, 1))
axes.legend(loc="upper center")
plt.show()

# %%
# Inputs that are not scaled
# --------------------------
# The columns of the wine data have different units: hue is about 1, proline about 750. A hidden unit adds
# them up, so initially proline dominates. A :class:`~sklearn.preprocessing.StandardScaler` in a pipeline
# gives all columns the same influence.

X, y = load_wine(return_X_y=True)
print(
    "standard deviation of a column: from",
    X.std(axis=0).min().round(2),
    "to",
    X.std(axis=0).max().round(),
)

network = NumpyMLPClassifier(
    (20,), learning_rate_init=0.01, max_iter=100, n_iter_no_change=np.inf, random_state=0
)
models = {
    "as they are": (network, RED, "--"),
    "scaled": (make_pipeline(StandardScaler(), network), GREEN, "-"),
}
figure, axes = plt.subplots(figsize=(7, 3.8), layout="constrained")
scores = {}
for name, (model, color, line) in models.items():
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    scores[name] = cross_val_score(model, X, y, cv=folds).mean()
    model.fit(X, y)
    loss = (model[-1] if name == "scaled" else model).loss_curve_
    label = f"{name}: cross-validation accuracy {scores[name]:.0%}"
    axes.plot(loss, color=color, linestyle=line, linewidth=2, label=label)
    print(
        f"{name:11}: loss {loss[0]:.2f} at first, {loss[-1]:.3f} at the end, score {scores[name]:.3f}"
    )
assert scores["scaled"] > 0.95 > scores["as they are"]
axes.axhline(np.log(3), color="grey", linestyle=":", label="guessing")
axes.set(xlabel="epoch", ylabel="loss", yscale="log")
axes.set_ylim(top=2000)
axes.legend(loc="upper right")
plt.show()

# %%
# Gradients that vanish with depth
# --------------------------------
# In the backward pass, the error is multiplied by the derivative of the activation in each layer. The
# derivative of the sigmoid is at most 1/4, so little of the error is left in the first layers; that of an
# active ReLU is 1. The plot shows an untrained network with ten hidden layers of 64 units, and the size of
# the gradient of the weights of each layer. The initial weights suit the activation: ``he_uniform`` for ReLU,
# which is inactive half of the time, has twice the variance of ``glorot_uniform`` for layers of equal width.

X, y = load_digits(return_X_y=True)
X = StandardScaler().fit_transform(X)
DEPTH, WIDTH = 10, 64
CHOICES = {
    "logistic, glorot_uniform": ("logistic", GlorotUniform(), RED, "s--"),
    "tanh, glorot_uniform": ("tanh", GlorotUniform(), BLUE, "^-."),
    "relu, he_uniform": ("relu", HeUniform(), GREEN, "o-"),
}


def gradient_sizes(activation, initializer, seed):
    widths = [X.shape[1]] + DEPTH * [WIDTH]
    layers = []
    for fan_in, fan_out in pairwise(widths):
        layers += [Dense(fan_in, fan_out), activation]
    layers.append(Dense(WIDTH, 10))
    network = Network(layers, initializer=initializer, bias_initializer=Zeros(), rng=seed)
    work = Workspace(network, len(X))
    _, delta = MultinomialLogLoss().value_and_gradient(y, network.forward(X, work))
    network.backward(delta, work)
    return [np.sqrt(np.mean(layer.dW**2)) for layer in network.dense]


figure, axes = plt.subplots(figsize=(7, 3.8), layout="constrained")
for name, (activation, initializer, color, line) in CHOICES.items():
    sizes = np.array([gradient_sizes(activation, initializer, seed) for seed in range(5)])
    mean = np.exp(np.log(sizes).mean(axis=0))
    axes.semilogy(range(1, DEPTH + 2), mean, line, color=color, label=name)
    print(
        f"{name:25} first layer {mean[0]:.1e}, last {mean[-1]:.1e}: {mean[0] / mean[-1]:.0e} of it"
    )
axes.set(xlabel="layer, from the input to the output", ylabel="size of the gradient (rms)")
axes.set_xticks(range(1, DEPTH + 2))
axes.legend()
plt.show()

# %%
# The effect on training: the same fit with different activations and suitable initial weights.

for name, (activation, initializer, *_) in CHOICES.items():
    network = NumpyMLPClassifier(
        DEPTH * (WIDTH,),
        activation,
        init=initializer,
        bias_init="zeros",
        max_iter=8,
        random_state=0,
    ).fit(X, y)
    print(f"{name:25} after {network.n_iter_} epochs: accuracy {network.score(X, y):.0%}")

# %%
# With sigmoids, use one or two hidden layers. For more layers use tanh, ReLU or one of their variants, or
# ``normalization="batch"``, which standardises every layer.
