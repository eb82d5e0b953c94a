"""
Animations of training
======================

:func:`~sknumpynet.animate_training` trains a clone of a network and shows its predictions, epoch by epoch,
next to the loss. If the first hidden layer has at most eight units, a small panel shows each of them: these
are the features that the next layer combines.
"""

# %%
# XOR with four hidden units
# --------------------------
# The boundary of each hidden unit is a line across the square. The output needs at least two of them, on both
# sides of the diagonal. ``animation.save("xor.gif")`` saves the animation.

# sphinx_gallery_thumbnail_path = "_static/xor.gif"
import warnings

import numpy as np
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor, animate_training, find_learning_rate
from sknumpynet.datasets import cubic, xor

warnings.simplefilter("ignore", ConvergenceWarning)

X, y = xor()
network = NumpyMLPClassifier((4,), "tanh", alpha=0, learning_rate_init=0.1, random_state=1)
animate_training(network, X, y, epochs=90, every=3)

# %%
# Two moons
# ---------
# In a pipeline, the scaler is fitted first, and the plot shows the original columns.

X, y = make_moons(200, noise=0.2, random_state=0)
network = NumpyMLPClassifier((16, 16), learning_rate_init=0.01, random_state=1)
animate_training(
    make_pipeline(StandardScaler(), network), X, np.array(["left", "right"])[y], epochs=150, every=6
)

# %%
# The spiral
# ----------
# Three arms that wind around each other: the colours are mixed according to the probabilities of the three
# classes. L-BFGS needs a few hundred iterations.

rng = np.random.default_rng(0)
y = np.repeat([0, 1, 2], 80)
radius = np.tile(np.linspace(0.1, 1, 80), 3)
angle = 4 * radius + 2 * np.pi / 3 * y + 0.15 * rng.standard_normal(240)
X = radius[:, np.newaxis] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
network = NumpyMLPClassifier((32, 32), "tanh", solver="lbfgs", alpha=0.01, random_state=0)
animate_training(network, X, y, epochs=150, every=6)

# %%
# A cubic
# -------
# A regression over one feature is a curve, and so are its hidden units. Inputs and target are scaled, as they
# should be for a network.

X, y = cubic()
y = y / y.std()
network = NumpyMLPRegressor(
    hidden_layer_sizes=(8,), activation="tanh", learning_rate_init=0.02, random_state=0
)
animate_training(make_pipeline(StandardScaler(), network), X, y, epochs=300, every=10)

# %%
# Finding a learning rate
# -----------------------
# :func:`~sknumpynet.find_learning_rate` trains on one batch after another while the learning rate grows. At
# first the loss hardly changes, then it falls, and finally it diverges; the suggestion is a tenth of the rate
# at which the loss was lowest.

X, y = make_moons(2000, noise=0.2, random_state=0)
display = find_learning_rate(NumpyMLPClassifier((32,), random_state=0), X, y).plot()
print(f"learning_rate_init = {display.suggestion_:.2g}")
