# SPDX-License-Identifier: BSD-3-Clause
"""What classifier and regressor share: parameters, checks, and the way from strings to the core's objects.

A fit works on a network of its own and becomes the estimator's state only when it has succeeded.
"""

from __future__ import annotations

import copy
import inspect
import math
import sys
import warnings
from abc import ABC, abstractmethod
from contextlib import contextmanager
from itertools import pairwise
from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sknumpynet._checks import check_data, check_sample_weight
from sknumpynet._compat import (
    DocLink,
    Interval,
    Options,
    StrOptions,
    check_optimize_result,
    fit_context,
)
from sknumpynet._weights import WeightList, bias_views, check_length, weight_views
from sknumpynet.core.activations import ACTIVATIONS
from sknumpynet.core.batches import Batches
from sknumpynet.core.initializers import GlorotUniform
from sknumpynet.core.layers import Activate, Dense
from sknumpynet.core.lbfgs import Objective, minimize_lbfgs
from sknumpynet.core.network import Network
from sknumpynet.core.optimizers import OPTIMIZERS, Optimizer, get_optimizer
from sknumpynet.core.schedules import SCHEDULES, InverseScaling, Schedule, get_schedule
from sknumpynet.core.training import History, Patience, Training

# Parameters that only these solvers read; an optimizer object reads none of those in OPTIMIZER_PARAMETERS.
OPTIMIZER_PARAMETERS = {
    "momentum": ("sgd",),
    "nesterovs_momentum": ("sgd",),
    "beta_1": ("adam", "adamw"),
    "beta_2": ("adam", "adamw"),
    "epsilon": ("adam", "adamw"),
}
STOCHASTIC_PARAMETERS = (
    "batch_size",
    "learning_rate",
    "learning_rate_init",
    "power_t",
    "shuffle",
    "early_stopping",
    "validation_fraction",
    "n_iter_no_change",
)


def is_stochastic(estimator):
    """Return whether the estimator's solver takes one batch at a time, or raise AttributeError."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic: "
            "set solver='adam' or solver='sgd'."
        )
    return True


class BaseNumpyMLP(DocLink, BaseEstimator, ABC):
    """Base of `NumpyMLPClassifier` and `NumpyMLPRegressor`; not to be used directly."""

    _parameter_constraints: dict = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "solver": [StrOptions({*OPTIMIZERS, "lbfgs"}), Optimizer],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions(set(SCHEDULES)), Schedule, callable],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
        ],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
    }

    # ---------------------------------------------------------------- what the subclasses say

    @abstractmethod
    def _check_data(self, X, y, reset, incremental):
        """Return the checked X, and y as the loss wants it; set ``n_outputs_``."""

    @abstractmethod
    def _loss_and_link(self):
        """Return the core's loss, the name of the output activation and the scale of the reported loss."""

    @abstractmethod
    def _validation_score(self, y, raw, sample_weight):
        """Return the score that early stopping watches."""

    def _stratifies(self):
        """Return whether the validation set is to have the classes' shares."""
        return False

    # ---------------------------------------------------------------- fitting

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the network to data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data. float32 is computed in float32, everything else in float64; an array of integers
            or of float16 is converted a batch at a time.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets: class labels or real numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows; None means 1 each.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data or a parameter will not do, or training diverges. The estimator is then as it was
            before the call.
        """
        with all_or_nothing(self):
            return self._fit(X, y, sample_weight, incremental=False)

    def _partial_fit(self, X, y, sample_weight):
        if self.early_stopping:
            raise ValueError(
                "partial_fit does not support early_stopping=True: there is no validation set to watch. "
                "Set early_stopping=False."
            )
        return self._fit(X, y, sample_weight, incremental=True)

    def _fit(self, X, y, sample_weight, incremental):
        hidden = _check_hidden_layer_sizes(self.hidden_layer_sizes)
        goes_on = (incremental or self.warm_start) and self._is_ready()
        X, y = self._check_data(X, y, reset=not goes_on, incremental=incremental)
        dtype = X.dtype if X.dtype in (np.float32, np.float64) else np.dtype(np.float64)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X, dtype)
        self._warn_of_ignored_parameters(first=not goes_on)

        rng = self._random_source(incremental)
        sizes = [X.shape[1], *hidden, self.n_outputs_]
        if goes_on:
            self._check_same_shape(sizes)
            network = self._network
            if not incremental:  # arrays kept from the last fit stay as they are
                network = self._build(sizes, network.dtype, 0)
                network.params[...] = self._network.params
        else:
            network = self._build(sizes, dtype, rng)
            self._forget()
        self.n_layers_ = len(sizes)

        if self.solver == "lbfgs":
            self._fit_lbfgs(network, X, y, sample_weight)
        elif incremental:
            self._train_incrementally(network, rng, X, y, sample_weight)
        else:
            self._fit_stochastic(network, rng, X, y, sample_weight)
        return self

    def _forget(self):
        """Drop what an earlier fit left, as far as this one may not replace it."""
        for name in ("loss_curve_", "validation_scores_", "best_loss_", "best_validation_score_"):
            vars(self).pop(name, None)
        vars(self).pop("_assigned", None)
        self._training = None
        self.t_ = 0

    def _build(self, sizes, dtype, rng):
        """Return a new network of those layer sizes; ``rng`` gives scikit-learn's initial weights."""
        layers = []
        for fan_in, fan_out in pairwise(sizes):
            layers += [Dense(fan_in, fan_out), Activate(self.activation)]
        gain = 2.0 if self.activation == "logistic" else 6.0
        return Network(layers[:-1], dtype=dtype, initializer=GlorotUniform(gain), rng=rng)

    def _random_source(self, incremental):
        """Return the RandomState to draw from: `partial_fit` goes on with that of the call before."""
        kept = getattr(self, "_training", None)
        if incremental and kept is not None and kept.rng is not None:
            return kept.rng
        return check_random_state(self.random_state)

    def _start_training(self, network, rng):
        optimizer = get_optimizer(self.solver)
        own = optimizer.get_params() if isinstance(self.solver, str) else {}
        names = {**{name: name for name in own}, "nesterov": "nesterovs_momentum"}
        shared = {name: getattr(self, names[name]) for name in own if hasattr(self, names[name])}
        optimizer.set_params(**shared)
        schedule = get_schedule(self._schedule_choice(), float(self.learning_rate_init))
        if isinstance(schedule, InverseScaling) and isinstance(self.learning_rate, str):
            schedule.power = self.power_t
        loss, self.out_activation_, loss_scale = self._loss_and_link()
        training = Training(network, loss, optimizer, schedule, rng, loss_scale=loss_scale)
        training.progress.samples = getattr(self, "t_", 0)
        return training

    def _schedule_choice(self):
        """Return `learning_rate`, but for what 'adam' ignores as scikit-learn's does."""
        if self.solver == "adam" and self.learning_rate in ("invscaling", "adaptive"):
            return "constant"
        return self.learning_rate

    def _set_options(self, training):
        """Hand over the parameters that may change from one call to the next."""
        training.l2 = float(self.alpha)
        training.shuffle = bool(self.shuffle)
        training.tol = float(self.tol)
        training.n_iter_no_change = self.n_iter_no_change
        training.max_epochs = self.max_iter
        training.log = print if self.verbose else None
        training.history = History()

    def _fit_stochastic(self, network, rng, X, y, sample_weight):
        training = self._start_training(network, rng)
        self._set_options(training)
        rows = validate = None
        if self.early_stopping:
            rows, validation = self._split(y, rng)
            weights = None if sample_weight is None else sample_weight[validation]
            if weights is not None and not (weights.sum() and sample_weight[rows].any()):
                raise ValueError(
                    "sample_weight is zero for all rows of the validation set, or for all that are left "
                    "to train on. Leave out the rows without weight, or set early_stopping=False"
                )
            training.patience = Patience(-np.inf)

            def validate():
                raw = network.predict(X, validation)
                return self._validation_score(y[validation], raw, weights)

        interrupted = self._run(training, X, y, sample_weight, rows, self.max_iter, validate)
        over = training.converged or training.schedule.has_end or interrupted
        if self.n_iter_ == self.max_iter and not over:
            _warn(
                f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) "
                "reached and the optimization hasn't converged yet.",
                ConvergenceWarning,
            )
        training.order = np.arange(0)  # a new fit begins with the rows as they come
        self._record(training)

    def _train_incrementally(self, network, rng, X, y, sample_weight):
        """Train for one epoch in place; where that fails, everything is put back."""
        network.make_writable()
        training = getattr(self, "_training", None)
        if training is None or type(training.optimizer) is not type(get_optimizer(self.solver)):
            training = self._start_training(network, rng)
        before, before_rng, draws = copy.deepcopy(training), training.rng, rng.get_state()
        training.rng = rng
        self._set_options(training)
        if (
            getattr(self, "best_loss_", np.inf) is None
        ):  # a fit with early stopping watched the score
            training.patience = Patience(np.inf)
        try:
            self._run(training, X, y, sample_weight, None, 1, None)
        except BaseException:
            network.params[...] = before.network.params
            before.network, before.rng = network, before_rng
            if isinstance(
                self.random_state, Integral
            ):  # any other generator is not ours to set back
                rng.set_state(draws)
            vars(training).update(vars(before))
            raise
        self._record(training)

    def _run(self, training, X, y, sample_weight, rows, n_epochs, validate):
        """Train, keep what has been learnt when interrupted, and return whether it was."""
        n = X.shape[0] if rows is None else len(rows)
        batch_size = min(200, n) if self.batch_size == "auto" else int(self.batch_size)
        if batch_size > n:
            _warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped: "
                f"batch_size={batch_size}, and there are {n} rows to train on."
            )
            batch_size = n
        batches = Batches(X, y, sample_weight, batch_size, training.network.dtype)
        self.n_iter_, interrupted = 0, False
        try:
            for epoch in training.run(batches, rows, n_epochs, validate):
                self.n_iter_ = epoch
        except KeyboardInterrupt:
            interrupted = True
            _warn_of_interrupt()
        _check_finite(training.network)
        return interrupted

    def _split(self, y, rng):
        """Return the numbers of the rows to train on and of those to validate with."""
        n, stratify = len(y), None
        if self._stratifies():
            stratify = np.where(y.ravel(), "True", "False")
        try:
            rows, validation = train_test_split(
                np.arange(n),
                random_state=rng,
                test_size=self.validation_fraction,
                stratify=stratify,
            )
            if len(validation) < 2:
                raise ValueError(
                    "The validation set is too small. Increase 'validation_fraction' "
                    "or the size of your dataset."
                )
        except ValueError as error:
            rows_and_classes = f"{n} row{'s' * (n != 1)}"
            if hasattr(self, "classes_"):
                k = len(self.classes_)
                rows_and_classes += f" of {k} class{'es' * (k != 1)}"
            raise ValueError(
                f"{str(error).rstrip('.')}. early_stopping=True takes "
                f"validation_fraction={self.validation_fraction} of the "
                f"rows as validation set; y has {rows_and_classes}. Give more rows (at least 2 go to "
                "the validation set, and of two classes at least one row of each), another "
                "validation_fraction, or set early_stopping=False."
            ) from error
        return rows, validation

    def _record(self, training):
        """Make the outcome of a training the state of the estimator."""
        history, patience = training.history, training.patience
        training.log, training.history = None, History()
        if self.random_state is None:
            training.rng = None  # numpy's global RandomState, which goes its own way
        self._network, self._training = training.network, training
        self.t_ = training.progress.samples
        self.loss_curve_ = [*getattr(self, "loss_curve_", ()), *history.loss]
        self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else np.nan
        if np.isneginf(patience.best) or history.score:
            earlier = getattr(self, "validation_scores_", None) or ()
            self.validation_scores_ = [*earlier, *history.score]
            self.best_validation_score_, self.best_loss_ = patience.best, None
        else:
            self.validation_scores_ = self.best_validation_score_ = None
            self.best_loss_ = patience.best

    def _fit_lbfgs(self, network, X, y, sample_weight):
        loss, self.out_activation_, loss_scale = self._loss_and_link()
        objective = Objective(network, loss, X, y, sample_weight, float(self.alpha))
        found = minimize_lbfgs(
            objective,
            max_iter=self.max_iter,
            max_fun=self.max_fun,
            tol=self.tol,
            log=print if self.verbose else None,
        )
        network.params[...] = found.params
        _check_finite(network)
        if found.interrupted:
            _warn_of_interrupt()
            self.n_iter_ = found.nit
        else:
            self.n_iter_ = check_optimize_result("lbfgs", found, self.max_iter)
        self._network, self._training = network, None
        self.t_ = getattr(self, "t_", 0)
        self.loss_ = (found.value - found.penalty) * loss_scale + found.penalty

    def _warn_of_ignored_parameters(self, first):
        """Warn of the parameters that were set and that this solver does not read."""
        names = [
            name for name, readers in OPTIMIZER_PARAMETERS.items() if self.solver not in readers
        ]
        if self.solver == "lbfgs":
            names += STOCHASTIC_PARAMETERS
        else:
            names.append("max_fun")
            if self._schedule_choice() != self.learning_rate:
                names += ["learning_rate", "power_t"]
            elif self.solver == "adam":
                names.append("power_t")
        defaults = inspect.signature(type(self).__init__).parameters
        ignored = [
            f"{name}={getattr(self, name)!r}"
            for name in names
            if name in defaults and getattr(self, name) != defaults[name].default
        ]
        if first and ignored:
            _warn(f"solver={self.solver!r} ignores {', '.join(ignored)}")

    def _check_same_shape(self, sizes):
        """Raise where the network to go on with is not the one that the parameters and data describe."""
        dense = self._network.dense
        fitted = [dense[0].fan_in, *(layer.fan_out for layer in dense)]
        if sizes == fitted:
            return
        if sizes[0] != fitted[0]:
            raise ValueError(
                f"X has {sizes[0]} features, but coefs_[0] takes {fitted[0]}. {START_ANEW}"
            )
        self._check_n_outputs(sizes[-1])
        raise ValueError(
            f"hidden_layer_sizes={self.hidden_layer_sizes!r} is not the shape of the network to go on "
            f"with, {tuple(fitted[1:-1])}: set hidden_layer_sizes back. {START_ANEW}"
        )

    def _check_n_outputs(self, n):
        """Raise where the network to go on with has another number of outputs."""
        n_outputs = self._network.n_outputs
        if n != n_outputs:
            raise ValueError(
                f"y has {n} column{'s' * (n != 1)}, but the network has {n_outputs} "
                f"output{'s' * (n_outputs != 1)}: give one column for each. {START_ANEW}"
            )

    # ---------------------------------------------------------------- weights

    def _is_ready(self):
        """Return whether there is a network; assigned weights become one here."""
        if "_network" in vars(self):
            return True
        assigned = vars(self).get("_assigned", {})
        if len(assigned) < 2 or not self._knows_outputs():
            return False
        coefs = [np.asarray(W) for W in assigned["coefs_"]]
        intercepts = [np.asarray(b) for b in assigned["intercepts_"]]
        if not coefs or any(W.ndim != 2 for W in coefs):
            return False
        sizes = [coefs[0].shape[0], *(W.shape[1] for W in coefs)]
        dtype = np.result_type(*coefs, *intercepts, np.float32)
        network = self._build(sizes, dtype if dtype == np.float32 else np.float64, 0)
        for name, views, arrays in (
            ("coefs_", weight_views, coefs),
            ("intercepts_", bias_views, intercepts),
        ):
            weights = WeightList(name, network, views)
            weights[:] = check_length(name, arrays, len(weights))
        self.n_outputs_, self.n_layers_ = sizes[-1], len(sizes)
        self.out_activation_ = self._loss_and_link()[1]
        if not hasattr(self, "n_features_in_"):
            self.n_features_in_ = sizes[0]
        del self._assigned
        self._network = network
        return True

    def _knows_outputs(self):
        """Return whether assigned weights are enough to predict."""
        return True

    def __sklearn_is_fitted__(self):
        return self._is_ready()

    def _weights(self, name, views):
        if "_network" in vars(self):
            return WeightList(name, self._network, views)
        try:
            return vars(self)["_assigned"][name]
        except KeyError:
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r} before fit"
            ) from None

    def _assign_weights(self, name, views, value):
        if "_network" in vars(self):
            WeightList(name, self._network, views)[:] = value
        else:
            self._assigned = {**vars(self).get("_assigned", {}), name: list(value)}

    @property
    def coefs_(self):
        """List of the weight matrices, of shape (fan_in, fan_out) each; items can be assigned."""
        return self._weights("coefs_", weight_views)

    @coefs_.setter
    def coefs_(self, value):
        self._assign_weights("coefs_", weight_views, value)

    @property
    def intercepts_(self):
        """List of the bias vectors, of shape (fan_out,) each; items can be assigned."""
        return self._weights("intercepts_", bias_views)

    @intercepts_.setter
    def intercepts_(self, value):
        self._assign_weights("intercepts_", bias_views, value)

    def trim_for_prediction(self):
        """Forget what only further training needs (the optimizer's moments), for a small pickle.

        Predictions stay the same; `partial_fit` still works, with a new optimizer.

        Returns
        -------
        self : object
            The estimator.
        """
        check_is_fitted(self)
        self._training = None
        return self

    # ---------------------------------------------------------------- prediction

    def _raw(self, X, link=None):
        """Return the raw output of the network, or what the link makes of it: (n_samples, n_outputs)."""
        if not self._needs_no_check(X):
            check_is_fitted(self)
            X = check_data(self, X, reset=False)
            if X.shape[1] != self._network.fan_in:
                raise ValueError(
                    f"X has {X.shape[1]} features, but coefs_[0] takes {self._network.fan_in}"
                )
        return self._network.predict(X, link=link)

    def _needs_no_check(self, X):
        """Return whether X is beyond doubt: a check takes longer than predicting a few rows."""
        network = vars(self).get("_network")
        if network is None or type(X) is not np.ndarray or X.dtype != network.dtype:
            return False
        if X.ndim != 2 or X.shape[1] != network.fan_in or not X.size:
            return False
        if "feature_names_in_" in vars(self):
            return False
        with np.errstate(over="ignore"):
            return math.isfinite(np.add.reduce(X, axis=None))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


START_ANEW = "Or start anew: warm_start=False and fit"


@contextmanager
def all_or_nothing(estimator):
    """Put all attributes back where the block raises."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def _check_hidden_layer_sizes(sizes):
    """Return the sizes as a list of int."""
    sizes = list(sizes) if np.iterable(sizes) else [sizes]
    for size in sizes:
        if not isinstance(size, Integral) or isinstance(size, bool):
            raise TypeError(
                f"hidden_layer_sizes must hold one integer per hidden layer; got {size!r} there"
            )
    if any(size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return [int(size) for size in sizes]


def _check_finite(network):
    if not np.isfinite(network.params).all():
        raise ValueError(
            "Solver produced non-finite parameter weights. The input data may contain large values and "
            "need to be preprocessed. Scale X (and y, in regression), or lower learning_rate_init."
        )


def _warn_of_interrupt():
    _warn("Training interrupted by user. The network keeps what it has learnt.")


def _warn(message, category=UserWarning):
    """Warn, and point to the line outside of the two libraries that asked for the training."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(
        ("sknumpynet", "sklearn")
    ):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def densified(y):
    """Return y without sparsity."""
    return y.toarray() if issparse(y) else y
