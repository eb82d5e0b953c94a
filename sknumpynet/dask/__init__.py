# SPDX-License-Identifier: BSD-3-Clause
"""The same networks trained by the workers of a Dask cluster, on rows that stay where they are."""

from sknumpynet.dask.estimators import DaskNumpyMLPClassifier, DaskNumpyMLPRegressor

__all__ = ["DaskNumpyMLPClassifier", "DaskNumpyMLPRegressor"]

# What a pickle names: this place stays, whatever becomes of the files.
for _name in __all__:
    globals()[_name].__module__ = __name__
