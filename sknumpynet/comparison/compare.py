# SPDX-License-Identifier: BSD-3-Clause
"""Fit a network of this package and its scikit-learn counterpart, and compare the two."""

from __future__ import annotations

import contextlib
import io
import pickle
import re
import time
import warnings
from collections.abc import Callable
from functools import partial
from inspect import signature
from numbers import Integral
from typing import Any

import numpy as np
import sklearn
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline

from sknumpynet.comparison.result import Comparison, FitResult
from sknumpynet.comparison.wording import OURS, SKLEARN
from sknumpynet.core.options import fits
from sknumpynet.estimators import NumpyMLPClassifier, NumpyMLPRegressor


def compare_with_sklearn(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    X_test: Any = None,
    y_test: Any = None,
    sample_weight: Any = None,
    test_size: Any = 0.25,
    random_state: Any = 0,
    repeats: int = 3,
    max_seconds: float | None = None,
    name: str | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    on_epoch: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Fit a network and its scikit-learn counterpart alternately, and compare them.

    Both get the same parameters and the same rows. Each is fitted ``repeats`` times, in alternating
    order, and its shortest time counts, so that a busy machine favours neither. Convergence
    warnings become a note in the comparison.

    Parameters
    ----------
    estimator : NumpyMLPClassifier, NumpyMLPRegressor or Pipeline that ends in one
        The network to compare, fitted or not; it is cloned and never changed. The earlier steps of
        a Pipeline are fitted once, for both networks, and are not in the times and sizes.
        If its ``random_state`` is None, both networks get the integer 0, since networks that
        start differently cannot be compared.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The input data.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        The target.
    X_test : {array-like, sparse matrix} of shape (n_test, n_features), default=None
        The rows to test with. If None, ``X`` and ``y`` are split, stratified by class if possible.
    y_test : array-like of shape (n_test,) or (n_test, n_outputs), default=None
        The target of ``X_test``.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows in the fit of the networks. The test score has no weights.
    test_size : float or int, default=0.25
        Share or number of rows to test with; not used if ``X_test`` is given.
    random_state : int, RandomState instance or None, default=0
        Seed of the split; not used if ``X_test`` is given.
    repeats : int, default=3
        How often each of the two is fitted.
    max_seconds : float, default=None
        Time limit, after which no further repeat starts; None sets no limit.
    name : str, default=None
        Heading of the table and the drawing; None takes the class name of the network.
    progress : callable, default=None
        Called as ``progress(n_done, n_fits, what)`` before each fit, and once more at the end.
    on_epoch : callable, default=None
        Called as ``on_epoch(n_done, max_iter)`` after each epoch of either network, which adds a
        little to both times. Never called with L-BFGS, or if ``verbose`` is set.

    Returns
    -------
    Comparison
        Prints as a table; see also its ``to_frame()`` and ``plot()``.

    Raises
    ------
    TypeError
        If ``estimator`` is not a network of this package or a Pipeline that ends in one.
    ValueError
        If ``repeats`` is not a positive integer, if only one of ``X_test`` and ``y_test`` is
        given, or if the data or the parameters are invalid.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknumpynet import NumpyMLPClassifier
    >>> from sknumpynet.comparison import compare_with_sklearn
    >>> X, y = load_iris(return_X_y=True)
    >>> net = NumpyMLPClassifier(max_iter=20, random_state=0)
    >>> comparison = compare_with_sklearn(net, X, y, name="iris")
    >>> comparison.sklearn.n_iter, comparison.sknumpynet.n_iter
    (20, 20)
    >>> comparison.coef_difference < 1e-9 and comparison.loss_difference < 1e-9
    True
    """
    steps, network = _split_pipeline(estimator)
    if isinstance(repeats, bool) or not isinstance(repeats, Integral) or repeats < 1:
        raise ValueError(f"repeats must be an integer of at least 1, got {repeats!r}.")
    for what, each in (("progress", progress), ("on_epoch", on_epoch)):
        if each is not None and not callable(each):
            raise TypeError(f"{what} must be a function or None; got {each!r}")
    if max_seconds is not None and not fits(max_seconds, "a number in [0, inf]"):
        raise ValueError(f"max_seconds must be a number, at least 0, or None; got {max_seconds!r}")
    for what, each in (("X", X), ("y", y)):
        if isinstance(each, str) or (np.ndim(each) == 0 and not issparse(each)):
            raise TypeError(f"{what} must be an array with one entry for each row; got {each!r}")
    ours = clone(network)
    theirs, notes = _counterpart(ours)
    is_classifier = isinstance(theirs, MLPClassifier)

    X_train, X_test, y_train, y_test, weight = _split(
        X, y, X_test, y_test, sample_weight, test_size, random_state, stratify=is_classifier
    )
    if steps is not None:
        X_train = steps.fit_transform(X_train, y_train)
        X_test = steps.transform(X_test)
    name = type(network).__name__ if name is None else str(name)
    networks, train = {SKLEARN: theirs, OURS: ours}, (X_train, y_train, weight)
    tell = partial(_tell, progress, name, repeats * len(networks))
    limit = np.inf if max_seconds is None else max_seconds
    times = _fit_in_turn(networks, train, X_test, repeats, limit, tell, on_epoch)
    results = {
        who: FitResult(net, float(net.score(X_test, y_test)), *times[who], len(pickle.dumps(net)))
        for who, net in networks.items()
    }
    if ours.n_iter_ >= ours.max_iter:
        notes.append(f"stopped at max_iter={ours.max_iter}, before convergence.")
    return Comparison(
        name=name,
        score_name="accuracy" if is_classifier else "R^2",
        n_train=_n_rows(X_train),
        n_test=_n_rows(X_test),
        n_features=ours.n_features_in_,
        sklearn=results[SKLEARN],
        sknumpynet=results[OURS],
        notes=tuple(notes),
    )


def _split_pipeline(estimator: Any) -> tuple:
    """Return the steps before the network (an unfitted Pipeline, or None), and the network."""
    steps, network = None, estimator
    if isinstance(estimator, Pipeline):
        network = estimator.steps[-1][1]
        steps = clone(estimator[:-1]) if len(estimator.steps) > 1 else None
    if isinstance(network, (NumpyMLPClassifier, NumpyMLPRegressor)):
        return steps, network
    if isinstance(network, type):
        got, hint = f"the class {network.__name__}", f"Pass an instance: {network.__name__}()."
    elif isinstance(network, (MLPClassifier, MLPRegressor)):
        got = type(network).__name__
        hint = f"Pass Numpy{got} with the same parameters; the comparison creates the {got}."
    else:
        got = type(network).__name__
        hint = "Other estimators have no counterpart to compare with."
    where = "a Pipeline that ends in " if estimator is not network else ""
    raise TypeError(
        "estimator must be a NumpyMLPClassifier, a NumpyMLPRegressor or a Pipeline "
        f"that ends in one, got {where}{got}. {hint}"
    )


def _counterpart(ours: Any) -> tuple:
    """Return scikit-learn's network with the parameters that it has, and notes on those it lacks.

    Without a seed, both networks get the same one.
    """
    notes = []
    if ours.random_state is None:
        ours.set_params(random_state=0)
        notes.append("random_state is None: both networks got random_state=0.")
    classifies = isinstance(ours, NumpyMLPClassifier)
    own, sklearn_class = (
        (NumpyMLPClassifier, MLPClassifier) if classifies else (NumpyMLPRegressor, MLPRegressor)
    )
    known = signature(sklearn_class).parameters
    parameters = clone(ours)._all_params()
    theirs = sklearn_class(**{key: parameters[key] for key in known if key in parameters})
    defaults = {**signature(own).parameters, **signature(type(ours)).parameters}
    for key, value in parameters.items():
        if key not in known and not _is_default(value, defaults[key].default):
            notes.append(
                f"{key}={value!r} does not exist in scikit-learn {sklearn.__version__}: "
                "its network was fitted without."
            )
    return theirs, notes


def _is_default(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and repr(value) == repr(default))


def _split(
    X: Any,
    y: Any,
    X_test: Any,
    y_test: Any,
    sample_weight: Any,
    test_size: Any,
    random_state: Any,
    stratify: bool,
) -> tuple:
    """Return X_train, X_test, y_train, y_test and the weights of the training rows."""
    if (X_test is None) != (y_test is None):
        given, missing = ("y_test", "X_test") if X_test is None else ("X_test", "y_test")
        raise ValueError(
            f"{given} is given without {missing}: pass both, or neither to have X and y split."
        )
    if X_test is not None:
        return X, X_test, y, y_test, sample_weight
    arrays = [X, y] if sample_weight is None else [X, y, sample_weight]
    options = {"test_size": test_size, "random_state": random_state}
    if stratify and np.ndim(y) == 1:
        try:
            parts = train_test_split(*arrays, stratify=y, **options)
        except ValueError:  # a class of one row, or more classes than test rows
            parts = train_test_split(*arrays, **options)
    else:
        parts = train_test_split(*arrays, **options)
    return (*parts[:4], None if sample_weight is None else parts[4])


def _fit_in_turn(
    networks: dict,
    train: tuple,
    X_test: Any,
    repeats: int,
    max_seconds: float,
    tell: Callable[[int, str], None],
    on_epoch: Callable[[int, int], None] | None,
) -> dict:
    """Fit each network ``repeats`` times; return the shortest (fit time, predict time) of each."""
    best = {who: (np.inf, np.inf) for who in networks}
    done, start = 0, time.perf_counter()
    for repeat in range(repeats):
        if repeat > 0 and time.perf_counter() - start > max_seconds:
            break
        # scikit-learn is fitted first: it raises errors about parameters before ours is trained
        for who in list(networks)[:: 1 if repeat % 2 == 0 else -1]:
            tell(done, who)
            with _epochs_told(networks[who], on_epoch):
                times = _time_once(networks[who], train, X_test)
            best[who] = tuple(map(min, best[who], times))
            done += 1
    tell(repeats * len(networks), "done")
    return best


def _tell(progress: Any, name: str, n_fits: int, n_done: int, what: str) -> None:
    """Call the user's ``progress``, if there is one."""
    if progress is not None:
        progress(n_done, n_fits, f"{name}: {what}")


@contextlib.contextmanager
def _epochs_told(network: Any, on_epoch: Any) -> Any:
    """Call ``on_epoch`` for each epoch that a verbose fit, ours or scikit-learn's, prints."""
    if on_epoch is None or network.solver == "lbfgs" or network.verbose:
        yield
        return
    network.set_params(verbose=True)
    try:
        with contextlib.redirect_stdout(_EpochLines(on_epoch, network.max_iter)):
            yield
    finally:
        network.set_params(verbose=False)


class _EpochLines(io.TextIOBase):
    """Reads the lines "Iteration 7, loss = 0.12", which both networks print."""

    def __init__(self, on_epoch: Callable[[int, int], None], max_iter: int) -> None:
        self.on_epoch, self.max_iter = on_epoch, max_iter

    def write(self, text: str) -> int:
        line = re.match(r"Iteration (\d+),", text)
        if line:
            self.on_epoch(int(line[1]), self.max_iter)
        return len(text)


def _time_once(network: Any, train: tuple, X_test: Any) -> tuple:
    """Return the seconds of ``fit``, and of the fastest of several calls of ``predict``."""
    X, y, sample_weight = train
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # an interrupted fit must not be compared: Ctrl-C ends the comparison instead
        warnings.filterwarnings("error", message="(?i)training interrupted")
        start = time.perf_counter()
        try:
            network.fit(X, y, sample_weight=sample_weight)
        except UserWarning as warning:
            if "interrupted" in str(warning):
                raise KeyboardInterrupt from None
            raise
        fit_time = time.perf_counter() - start
    predict_times: list[float] = []
    while len(predict_times) < 3 or (len(predict_times) < 30 and sum(predict_times) < 0.1):
        start = time.perf_counter()
        network.predict(X_test)
        predict_times.append(time.perf_counter() - start)
    return fit_time, min(predict_times)


def _n_rows(X: Any) -> int:
    return X.shape[0] if hasattr(X, "shape") else len(X)
