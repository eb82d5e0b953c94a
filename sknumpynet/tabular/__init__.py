# SPDX-License-Identifier: BSD-3-Clause
"""Networks for tables: text, gaps, counts and money go in as they are."""

from sknumpynet.tabular.classifier import TabularMLPClassifier
from sknumpynet.tabular.regressor import TabularMLPRegressor

__all__ = ["TabularMLPClassifier", "TabularMLPRegressor"]
