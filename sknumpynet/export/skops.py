# SPDX-License-Identifier: BSD-3-Clause
"""The types of this package in a skops file, which can be trusted.

Tools that load with skops, such as MLflow, require the name of each type that is not scikit-learn's.
"""

from __future__ import annotations

import inspect
import os
import sys

from sklearn.base import BaseEstimator

from sknumpynet.core.options import Options

# All classes of these modules; of the package itself, the estimators and the objects for parameters.
ROOMS = ("sknumpynet.core", "sknumpynet.estimators", "sknumpynet.tabular")


def skops_trusted_types(model):
    """Return the types of this package in a model, for skops.

    Pass them to ``skops.io.load(file, trusted=...)`` or MLflow's ``log_model(..., skops_trusted_types=...)``.
    Loading these types runs no code from the file. Other types, such as callbacks, are not returned: check
    those that skops reports.

    Parameters
    ----------
    model : estimator, str or path-like
        The estimator, which may be a pipeline or another one that contains networks; or a skops file.

    Returns
    -------
    types : list of str
        Their names: after `trim_for_prediction` five for a network with the losses of this package, and about
        ten with the state of training.

    Raises
    ------
    ImportError
        If skops is not installed.

    Examples
    --------
    >>> from sknumpynet import export
    >>> trusted = export.skops_trusted_types("network.skops")  # doctest: +SKIP
    >>> model = skops.io.load("network.skops", trusted=trusted)  # doctest: +SKIP
    """
    try:
        from skops.io import dumps, get_untrusted_types
    except ImportError as error:
        raise ImportError(
            'skops_trusted_types needs skops: pip install "sknumpynet[skops]"'
        ) from error
    if isinstance(model, str | os.PathLike):
        types = get_untrusted_types(file=model)
    else:
        types = get_untrusted_types(data=dumps(model))
    return [name for name in types if _is_ours(name)]


def _is_ours(name):
    """Return whether this is the name of a trusted class of this package, without importing anything."""
    module, _, name = name.rpartition(".")
    thing = getattr(sys.modules.get(module), name, None)
    if not inspect.isclass(thing):
        return False
    if module == "sknumpynet":
        return issubclass(thing, BaseEstimator | Options)
    return any(module == room or module.startswith(f"{room}.") for room in ROOMS)
