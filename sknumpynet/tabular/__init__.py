# SPDX-License-Identifier: BSD-3-Clause
"""Networks for raw tables with text, missing values, counts and amounts."""

from sknumpynet.tabular.classifier import TabularMLPClassifier
from sknumpynet.tabular.regressor import TabularMLPRegressor

__all__ = ["TabularMLPClassifier", "TabularMLPRegressor"]
