"""
The drop-in, side by side
=========================

The same parameters, the same rows, the same numbers: scikit-learn's ``MLPClassifier`` and ours learn to read
digits, and end with the same weights.
"""

# %%
# By hand
# -------
# The only difference between these two fits is the name of the class.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from sknumpynet import NumpyMLPClassifier, compare_with_sklearn

warnings.simplefilter("ignore", ConvergenceWarning)  # 40 epochs are enough to see the point

X, y = load_digits(return_X_y=True)
X = X / 16
options = {"hidden_layer_sizes": (50,), "max_iter": 40, "random_state": 0}

theirs = MLPClassifier(**options).fit(X, y)
ours = NumpyMLPClassifier(**options).fit(X, y)

for layer, (A, B) in enumerate(zip(theirs.coefs_, ours.coefs_, strict=True)):
    print(
        f"layer {layer}: weights of shape {A.shape}, largest difference {np.abs(A - B).max():.1e}"
    )

# %%
# With the comparison
# -------------------
# :func:`~sknumpynet.compare_with_sklearn` does the same with rows held back for a test, and takes the time.

comparison = compare_with_sklearn(NumpyMLPClassifier(**options), X, y, name="digits")
print(comparison)

# %%
# Above, both loss curves lie over each other; below is what is between them.

comparison.plot()
plt.show()
