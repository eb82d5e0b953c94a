"""
A custom loss, and other parts
==============================

Losses, activations, optimizers and schedules are small classes. You can use your own subclass wherever a name
works: in the constructor, in ``clone``, in pickles and in ``GridSearchCV``; its constructor arguments are its
parameters. This page defines one of each.
"""

# %%
# A loss
# ------
# For a bakery, selling out costs more than a loaf left over: a forecast that is too low should cost ``ratio``
# times as much as one that is too high. With the error ``e = raw - y``, the loss is ``w e^2 / 2``, where
# ``w`` is 1 for forecasts that are too high and ``ratio`` for those that are too low, and its derivative is
# ``w e``. `terms_and_gradient` writes the derivative into ``gradient`` and returns the terms; the base class
# applies sample weights and averages.

import textwrap
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from sknumpynet import Activation, Loss, NumpyMLPRegressor, Optimizer, Schedule
from sknumpynet.core import Dense, GradientError, Network, check_gradients

warnings.simplefilter("ignore", ConvergenceWarning)


class Lopsided(Loss):
    """The squared error, multiplied by ``ratio`` where the prediction is too low."""

    def __init__(self, ratio=5.0):
        self.ratio = ratio

    def terms_and_gradient(self, y, raw, gradient, scratch):
        np.subtract(raw, y, out=scratch)
        weight = np.where(scratch < 0, self.ratio, 1.0)
        np.multiply(weight, scratch, out=gradient)
        return scratch * gradient / 2


# %%
# :func:`~sknumpynet.core.check_gradients` compares the derivatives of a whole network with finite
# differences of the loss, and finds mistakes:

rng = np.random.default_rng(0)
network = Network([Dense(3, 5), "tanh", Dense(5, 2)], rng=0)
data = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
report = check_gradients(network, Lopsided(), *data)
print(f"largest error {report.max_error:.1e} in {report.n_checked} slopes")


class Mistaken(Lopsided):
    """The same with a missing square."""

    def terms_and_gradient(self, y, raw, gradient, scratch):
        terms = super().terms_and_gradient(y, raw, gradient, scratch)
        np.sign(gradient, out=gradient)
        return terms


try:
    check_gradients(network, Mistaken(), *data)
except GradientError as error:
    print(textwrap.fill(str(error), 75))

# %%
# In the estimator, and in a search over its parameter:

X = np.sort(rng.uniform(0, 4, size=(400, 1)), axis=0)
sold = 50 + 15 * np.sin(2 * X.ravel())
y = (sold + rng.normal(scale=8, size=len(sold)) - 50) / 15

options = {"activation": "tanh", "solver": "lbfgs", "alpha": 0.01, "random_state": 0}
models = {
    "squared error": NumpyMLPRegressor("squared_error", (20,), **options).fit(X, y),
    "Lopsided(5)": NumpyMLPRegressor(Lopsided(5.0), (20,), **options).fit(X, y),
}
for name, model in models.items():
    print(f"{name:14} sold out on {np.mean(y > model.predict(X)):.0%} of the days")

search = GridSearchCV(
    NumpyMLPRegressor(Lopsided(), (20,), **options), {"loss__ratio": [1.0, 5.0]}, cv=3
)
print("best for R2:", search.fit(X, y).best_params_)

# %%

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.plot(X, 50 + 15 * y, ".", color="#999999", markersize=5, label="days")
for (name, model), color, line in zip(models.items(), ("#0072B2", "#D55E00"), ("-", "--")):
    axes.plot(X, 50 + 15 * model.predict(X), color=color, linestyle=line, linewidth=2.5, label=name)
axes.set(xlabel="weather", ylabel="loaves")
axes.legend()
plt.show()

# %%
# An activation
# -------------
# ``a = max(z, 0)^2``, with the derivative ``2 max(z, 0) = 2 sqrt(a)``. It can be computed from the output, so
# ``a`` can overwrite ``z``. If the derivative needs ``z``, derive from
# :class:`sknumpynet.core.ActivationOfZ`, or pass a pair of functions: ``activation=(np.sin, np.cos)``.


class SquaredReLU(Activation):
    """``a = max(z, 0)^2``."""

    def forward(self, z, out):
        np.maximum(z, 0, out=out)
        np.multiply(out, out, out=out)

    def backward(self, a, delta, scratch):
        np.sqrt(a, out=scratch)
        scratch *= 2
        delta *= scratch


network = Network([Dense(3, 5), SquaredReLU(), Dense(5, 2)], rng=0)
print(f"largest error {check_gradients(network, Lopsided(), *data).max_error:.1e}")

# %%
# An optimizer and a schedule
# ---------------------------
# An optimizer updates ``params`` in place; the arrays named in ``state_names`` start as zeros. A schedule
# returns the learning rate for the progress of training; ``rate=None`` means the estimator's
# ``learning_rate_init``.


class SignMomentum(Optimizer):
    """Steps of constant size, in the direction of the sign of a running mean of the gradient."""

    state_names = ("m",)

    def __init__(self, beta=0.9):
        self.beta = beta

    def update(self, params, grads, state, learning_rate, scratch):
        m = state["m"]
        m *= self.beta
        np.multiply(grads, 1 - self.beta, out=scratch)
        m += scratch
        np.sign(m, out=scratch)
        scratch *= learning_rate
        params -= scratch


class Polynomial(Schedule):
    """``rate * (1 - step / n_steps)^power``: decays to zero over all epochs."""

    updates = "step"  # called before each step
    fixed_length = True  # training uses all epochs

    def __init__(self, rate=None, power=1.0):
        self.rate = rate
        self.power = power

    def __call__(self, progress):
        return self.peak_rate * max(1 - progress.step / progress.n_steps, 0) ** self.power


model = NumpyMLPRegressor(
    Lopsided(5.0),
    (20, 20),
    ["tanh", SquaredReLU()],
    solver=SignMomentum(beta=0.8),
    learning_rate=Polynomial(power=2),
    learning_rate_init=0.01,
    random_state=0,
).fit(X, y)
print(model)
print(f"sold out on {np.mean(y > model.predict(X)):.0%} of the days")
rates = model.history_["learning_rate"]
print(f"learning rate {rates[0]:.2g} in the first epoch, {rates[-1]:.2g} in the last")
