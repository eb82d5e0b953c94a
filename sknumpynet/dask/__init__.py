# SPDX-License-Identifier: BSD-3-Clause
"""Estimators that train on the workers of a Dask cluster, where the rows are."""

from sknumpynet.dask.estimators import DaskNumpyMLPClassifier, DaskNumpyMLPRegressor

__all__ = ["DaskNumpyMLPClassifier", "DaskNumpyMLPRegressor"]

# Pickles refer to this module name, so it stays the same when files move.
for _name in __all__:
    globals()[_name].__module__ = __name__
