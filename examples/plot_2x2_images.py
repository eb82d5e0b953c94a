"""
Images of two by two pixels
===========================

A tiny camera has four pixels, and a network should recognise whether they show a vertical line. We first set
the weights by hand, which is a good way to learn what a bias is for, and then train a network for four shapes
at once and in shades of grey.
"""

# %%
# All possible images
# -------------------
# An image and its negative show the same shape. Eight of the sixteen show none.

import matplotlib.pyplot as plt
import numpy as np

from sknumpynet import NumpyMLPClassifier
from sknumpynet.datasets import images_2x2


def show(images, titles):
    """Draw images, each with a title, in rows of eight."""
    _, axes = plt.subplots(2, 8, figsize=(8, 2.8), layout="constrained")
    for axis, image, title in zip(axes.flat, images, titles):
        axis.imshow(image.reshape(2, 2), cmap="gray", vmin=0, vmax=1)
        axis.set_title(title, fontsize="small")
        axis.set(xticks=[], yticks=[])
    plt.show()


X, shapes = images_2x2()
show(X, shapes)

# %%
# Known weights: is it vertical?
# ------------------------------
# One hidden unit detects a bright left column: the left pixels have the weight 1, and the right ones -2, so
# that a bright pixel on the right prevents a detection. The other unit detects a bright right column. The
# step function returns 1 for positive values and 0 otherwise. Because of the bias, -1, the unit is only
# active if both pixels of the column are bright. The output adds the two units: anything above 0 means yes.

left_right = np.array(
    [[1, -2], [-2, 1], [1, -2], [-2, 1]]
)  # one row per pixel, one column per unit
either = np.array([[1], [1]])

with_bias = NumpyMLPClassifier.from_weights(
    [left_right, either], [[-1, -1], [0]], activation="step", classes=["no", "yes"]
)
print("found:", *X[with_bias.predict(X) == "yes"].astype(int).tolist())
assert all((with_bias.predict(X) == "yes") == (shapes == "vertical"))

# %%
# Some tutorials use no separate bias, but a fifth input that is always 1. Its weight is the bias:

with_constant = NumpyMLPClassifier.from_weights(
    [np.vstack([left_right, [-1, -1]]), either], activation="step", classes=["no", "yes"]
)
X_and_one = np.column_stack([X, np.ones(len(X))])
print("the same answers:", np.array_equal(with_constant.predict(X_and_one), with_bias.predict(X)))
assert np.array_equal(with_constant.predict(X_and_one), with_bias.predict(X))
assert np.array_equal(with_constant.hidden_activations(X_and_one), with_bias.hidden_activations(X))

# %%
# Shades of grey
# --------------
# Now let dark pixels be any value up to ``g``, and bright ones any value from ``1 - g``. What fraction of the
# images is classified correctly? We compare the bias -1 with -8/7, and with a bias of -6/5 and weights of -1
# instead of -2.


def detector(other, bias):
    """Return the network with the weight ``other`` for the other column."""
    weights = [[1, other], [other, 1], [1, other], [other, 1]]
    return NumpyMLPClassifier.from_weights(
        [weights, either], [[bias, bias], [0]], activation="step"
    )


NETWORKS = {
    "weights 1, -2; bias -1": detector(-2, -1),
    "weights 1, -2; bias -8/7": detector(-2, -8 / 7),
    "weights 1, -1; bias -6/5": detector(-1, -6 / 5),
}
RANGES = np.array([0, 0.001, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 1 / 7, 0.16, 0.18, 0.2, 0.22, 0.24])
shares = {name: [] for name in NETWORKS}
for g in RANGES:
    images, vertical = images_2x2(
        2000, target="vertical", dark=(0, g), light=(1 - g, 1), random_state=0
    )
    for name, network in NETWORKS.items():
        shares[name].append(network.score(images, vertical))
for name, share in shares.items():
    print(f"{name}: all right up to g = {RANGES[np.equal(share, 1)].max():.3f}")

# %%
# The bias -1 only works in black and white. The next picture shows why. It has the weighted sum of the
# pixels, without the bias, for the image that a unit should detect and for all others. The extreme values of
# each sum occur at the ends of the ranges of grey, so two lines are enough:
#
# - a bright column gives at least ``2 (1 - g) - 2 * 2 g = 2 - 6 g``;
# - the closest other image is a single bright pixel above or below a grey one: at most ``1 + g``.
#
# In black and white, a single bright pixel is exactly at the threshold 1, and the least bit of grey lifts it
# above. Any threshold between the two lines works; they meet at ``g = 1/7`` and a threshold of 8/7. With
# weights of -1 for the other column, the upper line falls less steeply, ``2 - 4 g``, and they meet at ``g =
# 1/5`` and 6/5.


def ends(g, other):
    """Return the smallest sum of the left unit for its image, and the largest for all other images."""
    weights = np.array([1, other, 1, other])
    lowest = np.where(X == 1, 1 - g, 0) @ np.maximum(weights, 0)
    lowest = lowest + np.where(X == 1, 1, g) @ np.minimum(weights, 0)
    highest = np.where(X == 1, 1, g) @ np.maximum(weights, 0)
    highest = highest + np.where(X == 1, 1 - g, 0) @ np.minimum(weights, 0)
    wanted = np.all(X == [1, 0, 1, 0], axis=1)
    return lowest[wanted].min(), highest[~wanted].max()


greys = np.linspace(0, 0.24, 61)
for other, slope in ((-2, 6), (-1, 4)):
    found = np.array([ends(g, other) for g in greys])
    np.testing.assert_allclose(found, np.column_stack([2 - slope * greys, 1 + greys]))

BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"
figure, axes = plt.subplots(1, 2, figsize=(8, 4.4), layout="constrained")
for (name, share), color, line in zip(shares.items(), (RED, BLUE, GREEN), ("--", "-", "-.")):
    axes[0].plot(RANGES, share, line, color=color, marker="o", markersize=4, label=name)
axes[0].set(xlabel="range of grey $g$", ylabel="share of right images", title="What comes out")
axes[0].legend(loc="lower left")

axes[1].fill_between(greys, 1 + greys, 2 - 6 * greys, where=greys < 1 / 7, color="0.85")
axes[1].plot(greys, 2 - 6 * greys, color="black", label="bright column: at least $2 - 6 g$")
axes[1].plot(greys, 1 + greys, ":", color="black", label="any other: at most $1 + g$")
axes[1].plot(greys, 2 - 4 * greys, color="0.6", label="bright column, weights 1, -1: $2 - 4 g$")
axes[1].axhline(1, linestyle="--", color=RED, label="threshold 1")
axes[1].axhline(8 / 7, color=BLUE, label="threshold 8/7")
axes[1].axhline(6 / 5, linestyle="-.", color=GREEN, label="threshold 6/5")
axes[1].set(xlabel="range of grey $g$", ylabel="sum of weighted pixels", title="Why")
axes[1].set(xlim=(0, 0.24), ylim=(0.6, 3.4))
axes[1].legend(loc="upper right", fontsize="small")
plt.show()

# %%
# On the left, the bias -1 causes few errors at first, 0.3 %, because a single bright pixel is only above
# the threshold for some shades of the other pixels. Beyond the point where the lines meet, errors are rare at
# first.

# %%
# Trained: four shapes, or none
# -----------------------------
# A trained network finds better weights by itself. It has one output for each shape; for an image without a
# shape, all four should be low. For the classifier these are four label columns of 0 and 1. It is trained on
# 20 sets of all images, with shades up to 0.2 and from 0.8, with hidden layers of 16 and 8 tanh units and
# Adam with a learning rate of 0.02.

SHAPES = np.array(["solid", "horizontal", "vertical", "diagonal"])


def as_labels(shapes):
    """Return one column for each of the four shapes, shape (n, 4)."""
    return (shapes[:, np.newaxis] == SHAPES).astype(int)


X_grey, shapes_grey = images_2x2(20, random_state=0)
network = NumpyMLPClassifier(
    (16, 8), "tanh", alpha=0.01, learning_rate_init=0.02, max_iter=1000, random_state=0
)
network.fit(X_grey, as_labels(shapes_grey))

X_new, shapes_new = images_2x2(500, random_state=1)
print(f"{network.n_iter_} epochs, {network.n_parameters_} parameters")
for title, images, names in (("learnt from", X_grey, shapes_grey), ("new", X_new, shapes_new)):
    right = (network.predict(images) == as_labels(names)).all(axis=1)
    print(f"{title}: {right.sum()} of {len(right)} right")
    assert right.all()

# %%
# One of the new sets, with the prediction of the network and its confidence: the probability of the answer
# for the least certain output.

p = network.predict_proba(X_new[:16])
answers = ["".join(SHAPES[row > 0.5]) or "none" for row in p]
sure = np.maximum(p, 1 - p).min(axis=1)
show(X_new[:16], [f"{answer}\n{share:.3f}" for answer, share in zip(answers, sure)])
