# SPDX-License-Identifier: BSD-3-Clause
"""Compare a network of this package with scikit-learn's counterpart.

The result is a :class:`Comparison`: a table to print, a DataFrame, or a drawing of both loss curves.
"""

from sknumpynet.comparison.compare import compare_with_sklearn
from sknumpynet.comparison.display import ComparisonDisplay, plot_comparisons
from sknumpynet.comparison.result import Comparison, FitResult

__all__ = [
    "Comparison",
    "ComparisonDisplay",
    "FitResult",
    "compare_with_sklearn",
    "plot_comparisons",
]
