"""
Look inside a network
=====================

A fitted network is a few arrays of numbers, and there are pictures for all of them: the network itself, what
it does with one row, how it learnt, what its first layer looks for, and which of its units do nothing.
"""

# %%
# A network that solves XOR
# -------------------------
# Two inputs, four units with tanh, one output. Lines are weights, blue below zero and red above, wide where
# large; nodes have the colour of their bias.

# sphinx_gallery_thumbnail_number = 2
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from sknumpynet import (
    ActivationsDisplay,
    LossCurveDisplay,
    NetworkDisplay,
    NumpyMLPClassifier,
    WeightsDisplay,
    explain_step,
)

warnings.simplefilter("ignore", ConvergenceWarning)

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([0, 1, 1, 0])
network = NumpyMLPClassifier(
    (4,),
    "tanh",
    solver="sgd",
    momentum=0.0,
    learning_rate_init=0.5,
    alpha=0.0,
    max_iter=300,
    n_iter_no_change=np.inf,
    random_state=1,
)
network.fit(X, y)
print("predictions:", network.predict(X))
NetworkDisplay.from_estimator(network)
plt.show()

# %%
# One row on its way through
# --------------------------
# With a row, each node holds its activation, and below it stands ``z``, the sum that it was computed from.
# With the label of the row, the way back is there too: ``delta`` is the slope of the loss in ``z``.

NetworkDisplay.from_estimator(network, [1, 0], 1)
plt.show()

# %%
# The lines can show the slope of the loss in each weight instead. For this row the second input is 0, and so
# its weights have no part in the error: their gradient is 0.

NetworkDisplay.from_estimator(network, [1, 0], 1, edges="gradient")
plt.show()

# %%
# ``explain_step`` writes the same numbers down as a derivation, from the row to the updated weights. The step
# is taken on a copy; it is what ``partial_fit`` would do.

step = explain_step(network, [1, 0], 1)
print(step)

# %%
# Each number is there as data, too: ``step.to_frame()`` gives them to pandas, and ``step.layers`` holds the
# arrays.

row = step.rows()[-1]
print(row)
by_hand = step.layers[1]["b"] - step.learning_rate * step.layers[1]["db"]
assert np.allclose(by_hand, step.layers[1]["new_b"])

# %%
# How it learnt
# -------------
# Digits, with validation data and a rate that rises and falls. The circle marks the epoch of the lowest
# validation loss.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)
network = NumpyMLPClassifier(
    (100,), learning_rate="one_cycle", learning_rate_init=0.02, max_iter=40, random_state=0
)
network.fit(X_train, y_train, X_val=X_test, y_val=y_test)
LossCurveDisplay.from_estimator(network, right="learning_rate", scale="log")
plt.show()

# %%
# Several networks go into one picture by their names. Small batches make jumpy curves; ``smoothing`` draws a
# running mean, with the curve itself behind it.

networks = {
    solver: NumpyMLPClassifier(
        (30,),
        solver=solver,
        batch_size=40,
        learning_rate_init=0.01,
        max_iter=30,
        n_iter_no_change=np.inf,
        random_state=0,
    ).fit(X_train, y_train)
    for solver in ("sgd", "adam", "rmsprop")
}
LossCurveDisplay.from_estimators(networks, smoothing=0.7, scale="log")
plt.show()

# %%
# What the first layer looks for
# ------------------------------
# The weights into a hidden unit, one for each pixel, are an image: red where ink speaks for the unit, blue
# where it speaks against. The penalty is a strong one here. Units that are grey all over have lost their
# weights to it, and the digits are told apart without them.

penalised = NumpyMLPClassifier((16,), alpha=1.0, solver="lbfgs", max_iter=200, random_state=0)
penalised.fit(X_train, y_train)
print(f"score on the test rows: {penalised.score(X_test, y_test):.3f}")
WeightsDisplay.from_estimator(penalised, image_shape=(8, 8))
plt.show()

# %%
# All weights, layer by layer. Those of the pixels at the rim, which are always 0, have nothing to learn from:
# the penalty brings them to zero.

WeightsDisplay.from_estimator(penalised)
plt.show()

# %%
# Units that do nothing
# ---------------------
# With a rate that is far too large, the first steps throw the weights so far that many ReLUs end up below
# zero for every row. They say 0 whatever comes in, their derivative is 0, and they stay as they are. Such
# units are counted as dead.

careless = NumpyMLPClassifier((60, 40), learning_rate_init=0.2, max_iter=20, random_state=0)
careless.fit(X_train, y_train)
display = ActivationsDisplay.from_estimator(careless, X_train)
print(f"score on the test rows: {careless.score(X_test, y_test):.3f}")
plt.show()

# %%
# With the usual rate most of them live. Of those that do not, many never did: the weights that they were
# given at the beginning make a sum below zero for every row.

careful = NumpyMLPClassifier((60, 40), max_iter=20, random_state=0).fit(X_train, y_train)
display = ActivationsDisplay.from_estimator(careful, X_train)
plt.show()

untrained = NumpyMLPClassifier((60, 40), random_state=0).initialize(X_train, y_train)
activations = [untrained.hidden_activations(X_train, layer) for layer in (0, 1)]
at_first = ActivationsDisplay(activations).dead_units()
print("dead before training:", sum(dead.sum() for dead in at_first))
print("dead after training:", sum(dead.sum() for dead in display.dead_units()))
print(f"score on the test rows: {careful.score(X_test, y_test):.3f}")

# %%
# Larger networks are shortened: here 64 pixels, two hidden layers and ten digits, with the numbers of a row.

NetworkDisplay.from_estimator(careful, X_test[0], y_test[0], max_units=5)
plt.show()
