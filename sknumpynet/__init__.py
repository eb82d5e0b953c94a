# SPDX-License-Identifier: BSD-3-Clause
"""Multi-layer perceptrons for scikit-learn users, computed by a hand-written NumPy core."""

from sknumpynet._classifier import NumpyMLPClassifier
from sknumpynet._regressor import NumpyMLPRegressor

__version__ = "0.1.0"

__all__ = ["NumpyMLPClassifier", "NumpyMLPRegressor", "__version__"]
