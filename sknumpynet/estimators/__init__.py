# SPDX-License-Identifier: BSD-3-Clause
"""The estimators, and what stands in the pickle of a fitted one.

Parameters, attributes and numbers are scikit-learn's.
"""

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

# What a pickle names: these places stay, whatever becomes of the files.
for _name in __all__:
    globals()[_name].__module__ = __name__
