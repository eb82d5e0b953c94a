# SPDX-License-Identifier: BSD-3-Clause
"""Fit several estimators to the same data: networks of the same shape are trained at once.

The results are the same as with separate fits.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sknumpynet._compat import has_callbacks
from sknumpynet.estimators.base import BaseNumpyMLP
from sknumpynet.estimators.classifier import NumpyMLPClassifier
from sknumpynet.estimators.regressor import NumpyMLPRegressor
from sknumpynet.fitting.fit_network import fit_network
from sknumpynet.fitting.rollback import quiet
from sknumpynet.fitting.side_by_side import Fit, can_be_packed, fit_pack, packs_of


@dataclass(eq=False)
class _Begun(Fit):
    """A fit, and what is needed to set its result on the estimator."""

    place: int = 0
    estimator: Any = None
    start: Any = None


def fit_side_by_side(estimators, X, y, sample_weight=None):
    """Fit several networks to the same data at once, each as its `fit` would.

    Small networks spend most of their time in the overhead of NumPy calls. Networks of the same shape are
    therefore trained together, one step of all of them at a time. They may differ in seed, learning rate,
    penalty, dropout, stopping rule, initial weights and options of the solver. Each result, with all its
    attributes, is that of a separate fit, to rounding. Networks with a unique shape, those too wide to gain
    from it, and those with settings that need separate fits (L-BFGS, sparse X, normalization, callbacks,
    ``verbose``, ``max_time``, custom classes) are fitted by `fit`.

    Parameters
    ----------
    estimators : list of NumpyMLPClassifier, or of NumpyMLPRegressor
        The estimators to fit. As with `fit`, they are changed in place.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The input data, the same for all.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        The targets, the same for all.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows; None means 1 each.

    Returns
    -------
    estimators : list
        The same estimators, fitted, in the same order.

    Raises
    ------
    TypeError
        If ``estimators`` is not a list of classifiers or of regressors of this package.
    ValueError
        If an estimator occurs twice, or the data or a parameter is invalid; then none has been changed. Also
        if the training of one fails, for example by divergence: the others are then fitted, and this one is
        unchanged.

    Notes
    -----
    Estimators with ``random_state=None`` draw from NumPy's global generator alternately, as in threads. The
    ``seconds`` in their `history_` are for one epoch of all networks that are trained together.

    Examples
    --------
    >>> import numpy as np
    >>> from sknumpynet import NumpyMLPClassifier, fit_side_by_side
    >>> from sknumpynet.datasets import xor
    >>> X, y = xor()
    >>> networks = [
    ...     NumpyMLPClassifier((2,), "tanh", learning_rate_init=0.1, max_iter=500, random_state=seed)
    ...     for seed in range(10)
    ... ]
    >>> sum(network.score(X, y) == 1 for network in fit_side_by_side(networks, X, y))
    6
    """
    estimators = _checked(estimators)
    shared = _shared_generators(estimators)
    begun, alone = [], []
    for i, estimator in enumerate(estimators):
        if _has_to_be_alone(estimator) or id(estimator.random_state) in shared:
            alone.append(i)
            continue
        try:
            begun.append(_begin(estimator, i, X, y, sample_weight, begun))
        except (TypeError, ValueError) as error:
            raise _of_estimator(error, i) from error
    failures = _fit_begun(begun, more_to_come=bool(alone))
    for i in alone:
        try:
            estimators[i].fit(X, y, sample_weight)
        except Exception as error:
            failures[i] = error
    if failures:
        i = min(failures)
        raise _of_estimator(failures[i], i, len(failures)) from failures[i]
    return estimators


# ---------------------------------------------------------------- checks


def _checked(estimators):
    """Return the estimators as a list, or raise."""
    if not isinstance(estimators, list | tuple):
        raise TypeError(
            "estimators must be a list of NumpyMLPClassifier or of NumpyMLPRegressor; got "
            f"{type(estimators).__name__}"
        )
    places = {}
    for i, estimator in enumerate(estimators):
        if not isinstance(estimator, BaseNumpyMLP):
            what = estimator.__name__ if isinstance(estimator, type) else type(estimator).__name__
            raise TypeError(
                "estimators must hold objects of class NumpyMLPClassifier or NumpyMLPRegressor; "
                f"estimators[{i}] is {'the class' if isinstance(estimator, type) else 'of class'} {what}"
            )
        first = places.setdefault(id(estimator), i)
        if first != i:
            raise ValueError(
                f"estimators[{i}] is the same object as estimators[{first}], which can be fitted only once: "
                "pass sklearn.base.clone(estimator)"
            )
    kinds = {isinstance(estimator, NumpyMLPClassifier) for estimator in estimators}
    if len(kinds) > 1:
        raise ValueError(
            "estimators must be all classifiers or all regressors, since they are fitted to one y: call "
            "fit_side_by_side for each kind"
        )
    return list(estimators)


def _shared_generators(estimators):
    """Return the ids of generators that several estimators share, which must be used one after another."""
    count = Counter(id(estimator.random_state) for estimator in estimators)
    return {
        id(estimator.random_state)
        for estimator in estimators
        if isinstance(estimator.random_state, np.random.RandomState)
        and count[id(estimator.random_state)] > 1
    }


def _has_to_be_alone(estimator):
    """Return whether an estimator needs its own `fit`."""
    return type(estimator) not in (NumpyMLPClassifier, NumpyMLPRegressor) or has_callbacks(
        estimator
    )


# ---------------------------------------------------------------- fits


def _begin(estimator, i, X, y, sample_weight, begun):
    """Return the fit of an estimator, ready to train."""
    with quiet():
        start = estimator._start(X, y, sample_weight, "fit")
        if begun:
            start = start._replace(data=_shared(start.data, begun[0].start.data))
        data, monitor = estimator._prepared(start, None)
    return _Begun(
        start.plan, data, monitor, start.training, place=i, estimator=estimator, start=start
    )


def _shared(data, first):
    """Return the data with equal arrays replaced by those of the first fit, so that they share memory."""
    same = {}
    for name in ("X", "y", "targets", "sample_weight"):
        array, its = getattr(data, name), getattr(first, name)
        if type(array) is type(its) is np.ndarray and array.dtype == its.dtype:
            if array is its or np.array_equal(array, its):
                same[name] = its
    return replace(data, **same)


def _fit_begun(begun, more_to_come):
    """Train, and set the results; return the errors of fits that failed, by position."""
    by_themselves = [[fit] for fit in begun if not can_be_packed(fit.plan, fit.data)]
    packs = packs_of([fit for fit in begun if can_be_packed(fit.plan, fit.data)]) + by_themselves
    failures = {}
    for n_done, pack in enumerate(packs, 1):
        with quiet():
            results, interrupted = fit_pack(pack) if len(pack) > 1 else _fit_alone(pack[0])
        for fit, result in zip(pack, results):
            if result is None:
                failures[fit.place] = fit.error
            else:
                fit.estimator._show(fit.start, fit.monitor, result)
        if interrupted and (more_to_come or n_done < len(packs)):
            raise KeyboardInterrupt
    return failures


def _fit_alone(fit):
    """Return the same as `fit_pack`, for a single fit of any kind."""
    try:
        result = fit_network(fit.plan, fit.data, fit.monitor, fit.training)
    except Exception as error:
        fit.error = error
        return [None], False
    return [result], fit.monitor.interrupted


def _of_estimator(error, i, n_failed=None):
    """Return the error with the number of its estimator, and what happened to the others."""
    message = f"estimators[{i}]: {error}"
    if n_failed is not None:
        others = f"; so could {n_failed - 1} more not" if n_failed > 1 else ""
        message += f" (It could not be fitted{others}; all others are.)"
    if not isinstance(error, TypeError | ValueError):  # perhaps a custom class
        error.add_note(message)
        return error
    return (ValueError if isinstance(error, ValueError) else TypeError)(message)
