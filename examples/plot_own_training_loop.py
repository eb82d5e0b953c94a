"""
A custom training loop
======================

The estimators have a training loop. Sometimes you need your own: for another order of the rows, two losses,
or to look at gradients during training. :mod:`sknumpynet.core` has the parts, which you combine as in
PyTorch: a network, a loss, an optimizer, and your own loop.
"""

# %%
# A shape and an activation per layer
# -----------------------------------
# The inputs are three bits, and the targets are the ANDs of two of them: a and b, a and c, b and c. The
# network has two hidden layers of 4 units; the activations of its layers are sigmoid, ReLU and sigmoid.

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
# One random row at a time. A step takes four lines: forward, loss, backward, step. The workspace is the
# memory for intermediate results, here for a batch of one row.


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
print(f"loss {curve[0]:.3f} at the beginning, {curve[-1]:.5f} at the end")
print(network.predict(X).round(2) + 0)
assert np.array_equal(network.predict(X) > 0.5, y == 1)

# %%
# The last layer has a sigmoid, so ``predict`` returns numbers between 0 and 1. All arrays are accessible:
# ``network.dense`` lists the layers with weights, and ``W``, ``b``, ``dW`` and ``db`` are views of the
# vectors ``network.params`` and ``network.grads``.

for layer in network.dense:
    print(f"W {layer.W.shape}, b {layer.b.shape}, largest weight {np.abs(layer.W).max():.2f}")

# %%
# Initial weights
# ---------------
# Weights and biases are normal, uniform in (-1, 1) or uniform in (-1, 0), with four seeds each. With the last
# of these no network learns. The outputs of a sigmoid are positive; multiplied by negative weights, with a
# negative bias, they give only negative inputs to the ReLU units of the second layer. These are inactive for
# every row, pass on no gradient, and never recover. The network can only learn the mean of each output. With
# positive biases, which keep the ReLU units active, negative weights do no harm.

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
        alive += np.any(network.first(4).predict(X) > 0)  # the outputs of the ReLU units
        curve = train(network, n_steps=3000, rate=0.5, seed=seed)
        solved += np.array_equal(network.predict(X) > 0.5, y == 1)
        axes.plot(np.arange(len(curve)) * 100, curve, color="#0072B2", alpha=0.7)
    print(f"{name:26} a ReLU is active at first in {alive} of 4, all rows correct in {solved} of 4")
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
# Save and load
# -------------
# All parameters are in one vector. To load them, write them into a network of the same shape with
# ``params[...] = new``: the layers hold views of this memory. You can also save the arrays of each
# layer, which are easier to use elsewhere, or pickle the network, which includes its shape.

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
print("the predictions are bit-identical")

# %%
# With the estimator this takes one call, if it may choose the order of the rows. Three columns of 0 and 1
# are a multilabel problem; the estimator adds the last sigmoid, and uses the log loss instead of the squared
# error.

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
print(f"all three labels correct in {model.score(X, y):.0%} of the rows")
