"""
A line with one node, a cubic with eight
========================================

How many nodes does a network need? One node without an activation is a line, and can fit one. A curve needs a
hidden layer. This page fits a cubic with two to ten hidden nodes, and shows that a good fit depends on the
scale of the data at least as much as on the number of nodes.
"""

# %%
# The line
# --------
# With ``hidden_layer_sizes=()`` there is only the output node: ``w x + b``. It is trained on 50 points of
# y = 2 x + 3 by gradient descent, one epoch at a time, so that we can watch w and b.

# sphinx_gallery_thumbnail_number = 2
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import NumpyMLPRegressor, datasets

warnings.simplefilter("ignore", ConvergenceWarning)  # fits that end at max_iter are intended here

X, y = datasets.line(50)
node = NumpyMLPRegressor(
    hidden_layer_sizes=(),
    solver="sgd",
    learning_rate_init=0.1,
    alpha=0,
    random_state=0,
)
path = []
for _ in range(100):
    node.partial_fit(X, y)
    path.append([node.coefs_[0].item(), node.intercepts_[0].item()])
w, b = path[-1]
print(f"w = {w:.4f}, b = {b:.4f} after {len(path)} epochs")
assert abs(w - 2) < 0.001 and abs(b - 3) < 0.001

figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
for values, name, goal, color, line in zip(
    np.transpose(path), "wb", (2, 3), ("#0072B2", "#D55E00"), ("-", "--"), strict=True
):
    axes.plot(range(1, 101), values, color=color, linestyle=line, linewidth=2, label=name)
    axes.axhline(goal, color="grey", linestyle=":")
axes.set(xlabel="epoch", yticks=range(6))
axes.legend()
plt.show()

# %%
# With noise no line passes through all points. The node finds the least-squares line, here with L-BFGS.

X, y = datasets.line(50, noise=0.2, random_state=0)
node = NumpyMLPRegressor(
    hidden_layer_sizes=(), solver="lbfgs", alpha=0, tol=1e-8, random_state=0
).fit(X, y)
w, b = node.coefs_[0].item(), node.intercepts_[0].item()
print(f"the node      w = {w:.4f}, b = {b:.4f}")
print("least squares w = {:.4f}, b = {:.4f}".format(*np.polyfit(X.ravel(), y, 1)))
assert np.allclose([w, b], np.polyfit(X.ravel(), y, 1), atol=1e-5)

# %%
# The cubic, as it is
# -------------------
# y = x^3 - 15 x on [-5, 5] has values from -50 to 50. The estimator's defaults do not get far in 200 epochs,
# neither with 8 nodes nor with the default of 100: to reach such values, the weights would have to grow a
# lot, by about a thousandth per step.

X, y = datasets.cubic()
unscaled = {}
for nodes in (8, 100):
    networks = [
        NumpyMLPRegressor(hidden_layer_sizes=(nodes,), random_state=seed).fit(X, y)
        for seed in range(5)
    ]
    unscaled[nodes] = networks[0]
    scores = [network.score(X, y) for network in networks]
    print(f"{nodes:3} nodes, five seeds: R2 {min(scores):.2f} to {max(scores):.2f}")

# %%
# The cubic, scaled
# -----------------
# x / 5 is in [-1, 1], and y divided by its standard deviation is of the same size as the outputs of an
# untrained network. Tanh is smooth, like the cubic. For a hundred points L-BFGS is the best solver;
# ``alpha=0`` allows large weights.

X_scaled, y_scaled = X / 5, y / y.std()


def fit(nodes, seed):
    return NumpyMLPRegressor(
        hidden_layer_sizes=(nodes,),
        activation="tanh",
        solver="lbfgs",
        alpha=0,
        max_iter=1000,
        random_state=seed,
    ).fit(X_scaled, y_scaled)


scores = []
for seed in range(5):
    network = fit(8, seed)
    scores.append(network.score(X_scaled, y_scaled))
    print(f"seed {seed}: R2 {scores[-1]:.6f}")
assert min(scores) >= 0.999

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.plot(X, y, color="#999999", linewidth=6, label="x^3 - 15 x")
axes.plot(X, network.predict(X_scaled) * y.std(), color="#0072B2", label="8 nodes, scaled")
for (nodes, network), color, line in zip(unscaled.items(), ("#D55E00", "#E69F00"), ("--", "-.")):
    axes.plot(X, network.predict(X), line, color=color, label=f"{nodes} nodes, unscaled defaults")
axes.set(xlabel="x", ylabel="y")
axes.set_ylim(-55, 95)
axes.legend(loc="upper left")
plt.show()

# %%
# In practice, let scikit-learn do the scaling and undo it in ``predict``:

model = TransformedTargetRegressor(
    make_pipeline(StandardScaler(), fit(8, seed=0)), transformer=StandardScaler()
)
print(
    f"R2 {model.fit(X, y).score(X, y):.6f}, at x = 2: {model.predict([[2.0]])[0]:.2f}, exact: -22"
)

# %%
# Two to ten nodes
# ----------------
# A cubic has two turning points, and each tanh node can add one. Two nodes are enough for a good seed, and
# from three nodes on every seed works. The best and the worst of five seeds:

figure, grid = plt.subplots(3, 3, figsize=(8, 7), sharex=True, sharey=True, layout="constrained")
for nodes, axes in zip(range(2, 11), grid.flat, strict=True):
    fits = sorted(
        (fit(nodes, seed) for seed in range(5)), key=lambda f: f.score(X_scaled, y_scaled)
    )
    worst, best = fits[0], fits[-1]
    axes.plot(X, y, color="#999999", linewidth=5, label="the cubic")
    for network, name, color, line in (
        (best, "best", "#0072B2", "-"),
        (worst, "worst", "#D55E00", "--"),
    ):
        axes.plot(X, network.predict(X_scaled) * y.std(), line, color=color, label=name)
    low, high = (f.score(X_scaled, y_scaled) for f in (worst, best))
    axes.set_title(f"{nodes} nodes: R2 {low:.5f} to {high:.5f}", fontsize="small")
    print(f"{nodes:2} nodes: R2 {low:.6f} to {high:.6f}")
figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=3)
figure.supxlabel("x")
figure.supylabel("y")
plt.show()
