# SPDX-License-Identifier: BSD-3-Clause
"""The estimators, with scikit-learn's parameters, attributes and results."""

from sknumpynet.estimators.classifier import NumpyMLPClassifier
from sknumpynet.estimators.labels import (
    BinaryLabels,
    IndicatorLabels,
    MulticlassLabels,
    MultioutputLabels,
)
from sknumpynet.estimators.prediction import FittedModel
from sknumpynet.estimators.regressor import Numbers, NumpyMLPRegressor
from sknumpynet.estimators.side_by_side import fit_side_by_side

__all__ = [
    "BinaryLabels",
    "FittedModel",
    "IndicatorLabels",
    "MulticlassLabels",
    "MultioutputLabels",
    "Numbers",
    "NumpyMLPClassifier",
    "NumpyMLPRegressor",
    "fit_side_by_side",
]

# Pickles refer to these module names, so they stay the same when files move.
for _name in __all__:
    globals()[_name].__module__ = __name__
