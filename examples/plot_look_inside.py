"""
Look inside a network
=====================

A fitted network consists of a few arrays of numbers, and there are plots for all of them: the network itself,
the values for one row, the training history, the weights of the first layer as images, and dead units.
"""

# %%
# A network that solves XOR
# -------------------------
# Two inputs, four tanh units, one output. Lines are weights: blue is negative, red is positive, and wide is
# large. Nodes have the colour of their bias.

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
# The forward and backward pass of one row
# ----------------------------------------
# If you pass a row, each node shows its activation and, below it, the pre-activation ``z``. If you pass its
# label as well, the backward pass is shown too: ``delta`` is the derivative of the loss with respect to
# ``z``.

NetworkDisplay.from_estimator(network, [1, 0], 1)
plt.show()

# %%
# The lines can show the gradient of each weight instead. The second input of this row is 0, so its weights
# do not contribute to the error, and their gradient is 0.

NetworkDisplay.from_estimator(network, [1, 0], 1, edges="gradient")
plt.show()

# %%
# ``explain_step`` writes the same numbers as a derivation, from the row to the updated weights. The step
# is made on a copy; it is the same step as that of ``partial_fit``.

step = explain_step(network, [1, 0], 1)
print(step)

# %%
# The numbers are also available as data: ``step.to_frame()`` returns a pandas DataFrame, and
# ``step.layers`` holds the arrays.

row = step.rows()[-1]
print(row)
by_hand = step.layers[1]["b"] - step.learning_rate * step.layers[1]["db"]
assert np.allclose(by_hand, step.layers[1]["new_b"])

# %%
# Training history
# ----------------
# Digits, with validation data and a learning rate that rises and falls. The circle marks the epoch with the
# lowest validation loss.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)
network = NumpyMLPClassifier(
    (100,), learning_rate="one_cycle", learning_rate_init=0.02, max_iter=40, random_state=0
)
network.fit(X_train, y_train, X_val=X_test, y_val=y_test)
LossCurveDisplay.from_estimator(network, right="learning_rate", scale="log")
plt.show()

# %%
# Several networks can be compared in one plot. Small batches make noisy curves; ``smoothing`` draws a
# running mean in front of the curve.

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
# The weights of the first layer as images
# ----------------------------------------
# The weights of a hidden unit, one for each pixel, form an image: ink activates the unit where it is red, and
# deactivates it where it is blue. The penalty is strong here. It has reduced all weights of the grey units to
# about zero; the network does not need them.

penalised = NumpyMLPClassifier((16,), alpha=1.0, solver="lbfgs", max_iter=200, random_state=0)
penalised.fit(X_train, y_train)
print(f"score on the test rows: {penalised.score(X_test, y_test):.3f}")
WeightsDisplay.from_estimator(penalised, image_shape=(8, 8))
plt.show()

# %%
# All weights, layer by layer. The weights of the pixels at the margin, which are always 0, get no gradient
# from the data, so the penalty reduces them to zero.

WeightsDisplay.from_estimator(penalised)
plt.show()

# %%
# Dead units
# ----------
# With a learning rate that is far too high, the first steps change the weights so much that many ReLU units
# are below zero for every row. Their output is 0 for every input, their derivative is 0, and they no longer
# change. Such units are called dead.

careless = NumpyMLPClassifier((60, 40), learning_rate_init=0.2, max_iter=20, random_state=0)
careless.fit(X_train, y_train)
display = ActivationsDisplay.from_estimator(careless, X_train)
print(f"score on the test rows: {careless.score(X_test, y_test):.3f}")
plt.show()

# %%
# With the default rate few units are dead. Many of those were dead from the beginning: their initial
# weights give a negative sum for every row.

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
# Larger networks are shortened: here 64 pixels, two hidden layers and ten digits, with the values for one
# row.

NetworkDisplay.from_estimator(careful, X_test[0], y_test[0], max_units=5)
plt.show()
