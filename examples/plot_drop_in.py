"""
The same results as scikit-learn
================================

With the same parameters and the same data, scikit-learn's ``MLPClassifier`` and ours learn to recognise
digits, and end with the same weights.
"""

# %%
# Two fits
# --------
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
# :func:`~sknumpynet.compare_with_sklearn` does the same with held-out test rows, and measures the time.

comparison = compare_with_sklearn(NumpyMLPClassifier(**options), X, y, name="digits")
print(comparison)

# %%
# The upper plot shows both loss curves, which coincide; the lower one shows their difference.

comparison.plot()
plt.show()
