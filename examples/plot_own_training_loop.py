"""
Your own training loop
======================

The estimators train by themselves. Sometimes one wants to hold the reins: another order of the rows, two
losses, a look at the gradients on the way. :mod:`sknumpynet.core` has the parts, to be put together as in
PyTorch: a network, a loss, an optimizer, and a loop that one writes oneself.
"""

# %%
# A shape and an activation per layer
# -----------------------------------
# Three bits come in, and three ANDs of two of them are to come out: a and b, a and c, b and c. The network
# has two hidden layers of 4 units; its layers have a sigmoid, a ReLU and a sigmoid.

import pickle
import tempfile
import warnings
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknumpynet import NumpyMLPClassifier, datasets
from sknumpynet.core import (
    SGD,
    Dense,
    Network,
    Normal,
    SquaredError,
    Uniform,
    Workspace,
)

X, y = datasets.pairwise_ands()
for row, target in zip(X.astype(int), y, strict=True):
    print(row, "->", target)


def build(shape, activations, initializer, seed, bias_initializer=None):
    layers = []
    for (fan_in, fan_out), activation in zip(pairwise(shape), activations, strict=True):
        layers += [Dense(fan_in, fan_out), activation]
    return Network(layers, initializer=initializer, bias_initializer=bias_initializer, rng=seed)


SHAPE, ACTIVATIONS = (3, 4, 4, 3), ("logistic", "relu", "logistic")
network = build(SHAPE, ACTIVATIONS, Uniform(-1, 1), seed=0)
print(network)
print(len(network.params), "parameters in one vector")

# %%
# The loop
# --------
# One random row at a time. Four lines are a step: forward, loss, backward, step. The workspace is the memory
# that they compute in, here for a batch of one row.


def train(network, n_steps, rate, seed=0, every=100):
    rng = np.random.default_rng(seed)
    work, loss, optimizer = Workspace(network, 1), SquaredError(), SGD(momentum=0)
    curve = []
    for step in range(n_steps):
        row = rng.integers(len(X))
        rows = slice(row, row + 1)
        raw = network.forward(X[rows], work)
        _, delta = loss.value_and_gradient(y[rows], raw)
        network.backward(delta, work)
        optimizer.step(network.params, network.grads, learning_rate=rate)
        if step % every == 0:
            curve.append(loss.value_and_gradient(y, network.predict(X))[0])
    return curve


curve = train(network, n_steps=3000, rate=0.5)
print(f"loss {curve[0]:.3f} at first, {curve[-1]:.5f} in the end")
print(network.predict(X).round(2) + 0)
assert np.array_equal(network.predict(X) > 0.5, y == 1)

# %%
# The last layer has a sigmoid of its own, so ``predict`` gives numbers between 0 and 1. In between, all
# arrays are open to the eye: ``network.dense`` are the layers that have weights, and ``W``, ``b``, ``dW``
# and ``db`` are views into the vectors ``network.params`` and ``network.grads``.

for layer in network.dense:
    print(f"W {layer.W.shape}, b {layer.b.shape}, largest weight {np.abs(layer.W).max():.2f}")

# %%
# Where the weights start
# -----------------------
# Normal, uniform in (-1, 1), or uniform in (-1, 0), biases alike, with four seeds each. From the last of
# these not one network learns. A sigmoid is positive; times negative weights, plus a negative bias, it gives
# the ReLUs of the second layer nothing but negative values. They are off for every row, let no gradient
# through, and stay off for good. All that is left to learn is the mean of each output. Negative weights do
# no harm where positive biases keep the ReLUs on.

STARTS = {
    "normal": (Normal(1.0), None),
    "uniform in (-1, 1)": (Uniform(-1, 1), None),
    "uniform in (-1, 0)": (Uniform(-1, 0), None),
    "(-1, 0), biases in (1, 2)": (Uniform(-1, 0), Uniform(1, 2)),
}
figure, grid = plt.subplots(2, 2, figsize=(8, 5.4), sharex=True, sharey=True, layout="constrained")
for (name, (initializer, bias_initializer)), axes in zip(STARTS.items(), grid.flat, strict=True):
    solved = alive = 0
    for seed in range(4):
        network = build(SHAPE, ACTIVATIONS, initializer, seed, bias_initializer)
        alive += np.any(network.first(4).predict(X) > 0)  # what comes out of the ReLUs
        curve = train(network, n_steps=3000, rate=0.5, seed=seed)
        solved += np.array_equal(network.predict(X) > 0.5, y == 1)
        axes.plot(np.arange(len(curve)) * 100, curve, color="#0072B2", alpha=0.7)
    print(f"{name:26} a ReLU is on at first in {alive} of 4, all rows right in {solved} of 4")
    axes.set_title(f"{name}: {solved} of 4 solved", fontsize="medium")
    axes.axhline(9 / 32, color="grey", linestyle=":")
    if "(-1, 0)" in name and bias_initializer is None:
        assert alive == solved == 0
grid[0, 0].text(3000, 9 / 32 + 0.01, "always the mean", ha="right", color="#555555")
grid[0, 0].set_ylim(0, None)
figure.supxlabel("step")
figure.supylabel("loss")
plt.show()

# %%
# Saved and loaded
# ----------------
# The whole network is one vector. To load it, write it into a network of the same shape,
# ``params[...] = new``: the layers hold views into this memory. The layers one by one do as well, and tell
# others more; ``pickle`` keeps the shape too.

network = build(SHAPE, ACTIVATIONS, Uniform(-1, 1), seed=0)
train(network, n_steps=3000, rate=0.5)
with tempfile.TemporaryDirectory() as folder:
    np.save(Path(folder) / "params.npy", network.params)
    other = build(SHAPE, ACTIVATIONS, Uniform(-1, 1), seed=1)
    other.params[...] = np.load(Path(folder) / "params.npy")
    assert np.array_equal(other.predict(X), network.predict(X))

    arrays = {}
    for number, layer in enumerate(network.dense):
        arrays |= {f"W{number}": layer.W, f"b{number}": layer.b}
    np.savez(Path(folder) / "layers.npz", **arrays)
    other = build(SHAPE, ACTIVATIONS, Uniform(-1, 1), seed=1)
    with np.load(Path(folder) / "layers.npz") as stored:
        for number, layer in enumerate(other.dense):
            layer.W[...], layer.b[...] = stored[f"W{number}"], stored[f"b{number}"]
    assert np.array_equal(other.predict(X), network.predict(X))

assert np.array_equal(pickle.loads(pickle.dumps(network)).predict(X), network.predict(X))
print("the same predictions, to the last bit")

# %%
# The estimator does as much in a line, if the order of the rows is left to it. Three yes-or-no columns are a
# multilabel problem; the last sigmoid belongs to it, with the log loss instead of the squared error.

warnings.simplefilter("ignore", ConvergenceWarning)  # 375 epochs of 8 rows are 3,000 steps
model = NumpyMLPClassifier(
    (4, 4),
    ["logistic", "relu"],
    solver=SGD(momentum=0),
    learning_rate_init=0.2,
    batch_size=1,
    alpha=0,
    max_iter=375,
    n_iter_no_change=np.inf,
    init=Uniform(-1, 1),
    bias_init=Uniform(-1, 1),
    random_state=0,
).fit(X, y)
print(f"{model.score(X, y):.0%} of the rows have all three right")
