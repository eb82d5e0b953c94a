# SPDX-License-Identifier: BSD-3-Clause
"""The same networks trained by the workers of a Dask cluster, on rows that stay where they are."""

from sknumpynet.dask.estimators import DaskNumpyMLPClassifier, DaskNumpyMLPRegressor

__all__ = ["DaskNumpyMLPClassifier", "DaskNumpyMLPRegressor"]
