# SPDX-License-Identifier: BSD-3-Clause
"""Multi-layer perceptrons for scikit-learn users, computed by a hand-written NumPy core."""

from sknumpynet._classifier import NumpyMLPClassifier
from sknumpynet._regressor import NumpyMLPRegressor
from sknumpynet.comparison import Comparison, compare_with_sklearn
from sknumpynet.core.annealing import OneCycle
from sknumpynet.core.optimizers import SGD, Adam, AdamW
from sknumpynet.core.schedules import Adaptive, Constant, InverseScaling

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Adaptive",
    "Comparison",
    "Constant",
    "InverseScaling",
    "NumpyMLPClassifier",
    "NumpyMLPRegressor",
    "OneCycle",
    "__version__",
    "compare_with_sklearn",
]
