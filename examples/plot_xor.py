"""
XOR: the problem that needs a hidden layer
==========================================

XOR is 1 if exactly one of two inputs is 1. No straight line separates its ones from its zeros, so it is the
simplest problem that needs a hidden layer. This page shows why, solves XOR of two and of three inputs from
all seeds, shows what happens with too few hidden units, and ends with a custom training loop, written out and
as a callback.
"""

# %%
# Without a hidden layer
# ----------------------
# A network without a hidden layer computes ``f(a, b) = v a + w b + c``. Whatever the weights, ``f(0, 0) +
# f(1, 1) = v + w + 2 c = f(0, 1) + f(1, 0)``. XOR needs the first two below zero and the other two above, so
# the sums cannot be equal. The best this network can do is to predict 1/2 for all rows, with a squared error
# of 1/4 each.

# sphinx_gallery_thumbnail_number = 2
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import DecisionBoundaryDisplay

from sknumpynet import NumpyMLPClassifier
from sknumpynet.datasets import xor

warnings.simplefilter("ignore", ConvergenceWarning)  # the fits below use all of their epochs


def squared_errors(network, X, y):
    """Return the sum of the squared differences between probability and truth."""
    return np.sum((network.predict_proba(X)[:, 1] - y) ** 2)


X, y = xor()
line = NumpyMLPClassifier((), solver="lbfgs", alpha=0, random_state=0).fit(X, y)
print("probabilities of 1:", line.predict_proba(X)[:, 1].round(3))
print("sum of squared errors:", squared_errors(line, X, y).round(3))

# %%
# With a hidden layer of two or eight units
# -----------------------------------------
# XOR of three inputs is 1 if one or all three of them are 1. Each step uses all training rows, ``alpha=0``
# removes the penalty, which would keep the weights small, and Adam makes 1000 steps at a rate of 0.1, with
# ten seeds each.

SEEDS = range(10)
networks = {}
for n_inputs, n_units in ((2, 8), (3, 8), (2, 2)):
    inputs, outputs = xor(n_inputs)
    networks[n_inputs, n_units] = [
        NumpyMLPClassifier(
            (n_units,),
            "tanh",
            alpha=0,
            learning_rate_init=0.1,
            max_iter=1000,
            n_iter_no_change=1000,
            random_state=seed,
        ).fit(inputs, outputs)
        for seed in SEEDS
    ]
    errors = [squared_errors(network, inputs, outputs) for network in networks[n_inputs, n_units]]
    stuck = np.sum(np.array(errors) > 0.3)
    print(
        f"{n_inputs} inputs, {n_units} units: sum of squared errors from {min(errors):.1e} to "
        f"{max(errors):.1e}, {stuck} of {len(errors)} stuck"
    )
    assert n_units == 2 or max(errors) < 1e-5

# %%
# Eight units solve both problems with every seed. Two units can do it, but with about half of the seeds
# they get stuck: some rows are correct, and the others all get the same prediction, such as 1/2, which no
# small step improves. The simplest remedy is to use more units than necessary, because it is enough that some
# of them have good initial weights.
# :ref:`sphx_glr_auto_examples_plot_which_seeds_stick.py` looks at two hundred seeds.

BLUE, RED = "#0072B2", "#D55E00"
figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), sharey=True, layout="constrained")
for axis, n_units in zip(axes, (8, 2)):
    for network in networks[2, n_units]:
        is_stuck = network.loss_ > 0.1
        axis.semilogy(
            range(1, 1001),
            network.loss_curve_,
            "--" if is_stuck else "-",
            color=RED if is_stuck else BLUE,
            label="stuck" if is_stuck else "solved",
        )
    by_label = dict(zip(*reversed(axis.get_legend_handles_labels())))
    axis.legend(by_label.values(), by_label.keys())
    axis.set(xlabel="epoch", title=f"{n_units} hidden units, ten seeds")
axes[0].set_ylabel("log loss")
plt.show()

# %%
# The decision surface
# --------------------
# scikit-learn's :class:`~sklearn.inspection.DecisionBoundaryDisplay` plots the predictions between the four
# corners. Dots are the rows: filled if the label is 1.

stuck = next(network for network in networks[2, 2] if network.loss_ > 0.1)
solved = next(network for network in networks[2, 2] if network.loss_ < 0.1)
PICTURES = {
    "no hidden layer": line,
    "2 units, stuck": stuck,
    "2 units, solved": solved,
    "8 units": networks[2, 8][0],
}
figure, axes = plt.subplots(2, 2, figsize=(6.4, 5.6), layout="constrained")
for axis, (name, network) in zip(axes.flat, PICTURES.items()):
    display = DecisionBoundaryDisplay.from_estimator(
        network,
        X,
        response_method="predict_proba",
        plot_method="pcolormesh",
        grid_resolution=100,
        eps=0.4,
        cmap="PuOr_r",
        vmin=0,
        vmax=1,
        ax=axis,
    )
    axis.scatter(*X[y == 1].T, s=70, color="black", label="1")
    axis.scatter(*X[y == 0].T, s=70, facecolor="white", edgecolor="black", label="0")
    axis.set(title=name, xticks=(0, 1), yticks=(0, 1), aspect="equal", xlabel="a", ylabel="b")
figure.colorbar(display.surface_, ax=axes, label="probability of 1")
plt.show()

# %%
# A custom training loop
# ----------------------
# The same with ``core``, as in a tutorial: a logistic output, the squared error, a line printed every 2,500
# steps, and a stop when the sum of the squared errors is low enough. `SquaredError` is half the mean over the
# four rows.

from sknumpynet.core import Adam, Dense, Network, SquaredError, Workspace

TARGET = 1e-5
network = Network([Dense(2, 8), "tanh", Dense(8, 1), "logistic"], rng=0)
work, loss, optimizer = Workspace(network, len(X)), SquaredError(), Adam()
for step in range(50_000):
    value, delta = loss.value_and_gradient(y.reshape(-1, 1), network.forward(X, work))
    error = 2 * len(X) * value
    if step % 2500 == 0 or error < TARGET:
        print(f"step {step:6,}: sum of squared errors {error:.1e}")
    if error < TARGET:
        break
    network.backward(delta, work)
    optimizer.step(network.params, network.grads, learning_rate=0.01)
print(network.predict(X).ravel().round(4).tolist())
assert error < TARGET

# %%
# The same as a callback
# ----------------------
# A scikit-learn callback (version 1.9 or later) is called while an estimator is fitted. It is a class with
# these four methods; if `on_fit_task_end` returns True, the fit ends. Here one epoch is one step.


class PrintAndStop:
    """Prints the sum of squared errors regularly, and ends the fit when it is low enough."""

    def __init__(self, target, every=2500):
        self.target = target
        self.every = every

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        if context.task_name != "epoch":
            return False
        epoch = context.task_id + 1
        error = squared_errors(fitted_estimator, X, y)
        if epoch % self.every == 0 or error < self.target:
            print(f"epoch {epoch:6,}: sum of squared errors {error:.1e}")
        return error < self.target

    def teardown(self, estimator, context):
        pass


network = NumpyMLPClassifier(
    (8,),
    "tanh",
    alpha=0,
    learning_rate_init=0.002,
    max_iter=50_000,
    n_iter_no_change=50_000,
    random_state=0,
)
try:
    network.set_callbacks(PrintAndStop(TARGET))
except ImportError as error:
    print(f"Skipped: {error}")
else:
    network.fit(X, y)
    print(network.predict_proba(X)[:, 1].round(4).tolist())
    assert squared_errors(network, X, y) < TARGET
