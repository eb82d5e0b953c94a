# SPDX-License-Identifier: BSD-3-Clause
"""Every private or version-dependent name of scikit-learn that the package needs, here and nowhere else."""

from __future__ import annotations

from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call as check_first_partial_fit
from sklearn.utils.optimize import _check_optimize_result as check_optimize_result
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = [
    "DocLink",
    "Interval",
    "Options",
    "StrOptions",
    "check_first_partial_fit",
    "check_optimize_result",
    "check_sample_weight",
    "fit_context",
]

DOCS = "https://sknumpynet.readthedocs.io/en/stable/"


class DocLink:
    """Where the HTML display of an estimator links to."""

    _doc_link_module = "sknumpynet"
    _doc_link_template = DOCS + "generated/sknumpynet.{estimator_name}.html"
