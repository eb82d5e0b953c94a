# SPDX-License-Identifier: BSD-3-Clause
"""The estimators.

Parameters, attributes and numbers are scikit-learn's.
"""

from sknumpynet.estimators.classifier import NumpyMLPClassifier
from sknumpynet.estimators.regressor import NumpyMLPRegressor

__all__ = ["NumpyMLPClassifier", "NumpyMLPRegressor"]
