# SPDX-License-Identifier: BSD-3-Clause
"""What classifier and regressor share: their parameters, how a fit goes, and what it leaves behind.

A fit works on a network of its own and becomes the estimator's state only when it has succeeded.
"""

from __future__ import annotations

import copy
import time
from abc import ABC, abstractmethod
from contextlib import closing
from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from sknumpynet._compat import (
    CallbackSupportMixin,
    DocLink,
    EpochHooks,
    ExplainsParameters,
    Interval,
    Options,
    StrOptions,
    check_optimize_result,
    fit_context,
    validate_parameters,
    with_callbacks,
)
from sknumpynet.checks.input_checks import check_ranges, check_sample_weight, named_as_validation
from sknumpynet.checks.parameter_hints import hint_for, object_wanted
from sknumpynet.core.activations import ACTIVATIONS, Activation
from sknumpynet.core.initializers import INITIALIZERS, Initializer
from sknumpynet.core.optimizers import OPTIMIZERS, Optimizer
from sknumpynet.core.schedules import SCHEDULES, Schedule
from sknumpynet.core.training import Batches, History, Objective, Patience, Training, minimize_lbfgs
from sknumpynet.estimators.prediction import FittedNetwork
from sknumpynet.fitting.continuing import next_network, take_over
from sknumpynet.fitting.fingerprint import fingerprint
from sknumpynet.fitting.monitor import LbfgsWatch
from sknumpynet.fitting.plan import (
    NORMALIZATIONS,
    build_network,
    check_hidden_layer_sizes,
    check_objects,
    dropout_rates,
    hidden_activations,
    ignored_parameters,
    make_optimizer,
    make_schedule,
)
from sknumpynet.fitting.record import columns_of, extend_history, forget_curves
from sknumpynet.fitting.rollback import (
    SCALE,
    all_or_nothing,
    check_best,
    check_finite,
    warn,
    warn_of_interrupt,
)
from sknumpynet.fitting.validation_set import Validation, check_split_weights, split
from sknumpynet.fitting.verbose import ProgressLine, make_log


def is_stochastic(estimator):
    """Return whether the estimator's solver takes one batch at a time, or raise AttributeError."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic: "
            "set solver='adam' or solver='sgd'."
        )
    return True


class BaseNumpyMLP(
    FittedNetwork, DocLink, CallbackSupportMixin, ExplainsParameters, BaseEstimator, ABC
):
    """Base of `NumpyMLPClassifier` and `NumpyMLPRegressor`; not to be used directly."""

    _parameter_constraints: dict = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS)), Activation, tuple, list],
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
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "normalization": [StrOptions(set(NORMALIZATIONS)), None],
        "max_grad_norm": [Interval(Real, 0, None, closed="neither"), None],
        "fit_intercept": ["boolean"],
        "init": [StrOptions({"auto", *INITIALIZERS}), Initializer],
        "bias_init": [StrOptions({"auto", *INITIALIZERS}), Initializer],
        "scoring": [str, callable, None],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
        "dtype": [StrOptions({"float32", "float64"}), None],
    }

    # ---------------------------------------------------------------- what the subclasses say

    @abstractmethod
    def _check_data(self, X, y, reset, incremental):
        """Return the checked X and y, and y as the loss wants it; set ``n_outputs_``."""

    @abstractmethod
    def _loss_and_link(self):
        """Return the core's loss, the name of the output activation and the scale of the reported loss."""

    @abstractmethod
    def _validation_score(self, targets, raw, sample_weight):
        """Return the score that early stopping watches unless `scoring` says otherwise."""

    @abstractmethod
    def _check_validation_data(self, X, y):
        """Return the checked X and y of a validation set, and y as the loss wants it."""

    def _stratifies(self):
        """Return whether the validation set is to have the classes' shares."""
        return False

    def _has_classes(self):
        """Return whether each row has one class out of several, which its target is the number of."""
        return False

    def _row_weights(self, y, sample_weight, dtype, incremental):
        """Return the weights of the rows, those of the classes multiplied in."""
        return sample_weight

    # ---------------------------------------------------------------- parameters

    def set_params(self, **params):
        """Set parameters, and options of objects among them, such as ``solver__weight_decay``.

        Parameters
        ----------
        **params : dict
            New values by name.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            If there is no such parameter, or it is not an object and has no options.
        """
        try:
            return super().set_params(**params)
        except AttributeError as error:
            message = object_wanted(self, params)
            if message is None:
                raise
            raise ValueError(message) from error

    def _hint(self, message):
        return hint_for(self, message)

    # ---------------------------------------------------------------- fitting

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
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
        X_val, y_val, sample_weight_val : like X, y and sample_weight, default=None
            Validation data. With ``early_stopping=True`` they decide, in place of a part of X; otherwise
            their loss and score are only recorded, epoch by epoch.

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
            return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), False)

    def _fit(self, X, y, sample_weight, validation, incremental):
        if incremental:
            validate_parameters(self)  # what was set since the first call counts
        check_objects(self)
        hidden = check_hidden_layer_sizes(self.hidden_layer_sizes)
        self._check_trainable(len(hidden))
        goes_on = (incremental or self.warm_start) and self._is_ready()
        given_X = X
        X, y, targets = self._check_data(X, y, reset=not goes_on, incremental=incremental)
        self._check_sparse(X, len(hidden))
        dtype = self._dtype_of(X)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X, dtype)
        weight = self._row_weights(y, sample_weight, dtype, incremental)
        if incremental and self.early_stopping:
            raise ValueError(
                "partial_fit does not support early_stopping=True: there is no validation set to watch. "
                "Set early_stopping=False."
            )
        if not goes_on:
            self._warn_of_ignored_parameters(stops_early=validation[0] is not None)

        rng = self._random_source(incremental)
        sizes = [X.shape[1], *hidden, self.n_outputs_]
        if goes_on:
            network = next_network(self, sizes, incremental)
        else:
            network = build_network(self, sizes, dtype, rng)
            self._forget()
        check_ranges(X, targets, weight, network.dtype)
        self.n_layers_ = len(sizes)
        self.loss_function_, self.out_activation_, scale = self._loss_and_link()

        data = (X, targets, weight)
        given = self._given_validation(network, scale, validation)
        if incremental:
            self._train_incrementally(network, rng, scale, data, given)
            vars(self).pop("_interrupted", None)
            return self
        metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
        hooks = EpochHooks(
            self,
            {"X": X, "y": y, "metadata": metadata},
            self.max_iter,
            lambda: {"_network": network.copy()},
        )
        if self.solver == "lbfgs":
            self._fit_lbfgs(network, data, given, scale, hooks)
        else:
            self._fit_stochastic(network, rng, scale, data, (given_X, y), given, hooks)
        hooks.end()
        vars(self).pop("_interrupted", None)
        return self

    def _warn_of_ignored_parameters(self, stops_early):
        ignored = ignored_parameters(self, stops_early)
        if ignored:
            warn(f"solver={self.solver!r} ignores {', '.join(ignored)}")

    def _check_trainable(self, n_hidden):
        """Raise where the parameters make no network that this solver can train."""
        for activation in hidden_activations(self.activation, n_hidden):
            if not activation.trainable:
                activation.backward(None, None, None)  # raises, with the reason
        if self.normalization == "batch" and self.solver == "lbfgs":
            raise ValueError(
                "normalization='batch' needs batches, and solver='lbfgs' takes all rows at once: set "
                "normalization='layer' or another solver"
            )

    def _check_sparse(self, X, n_hidden):
        """Raise where inputs are to be dropped from a sparse matrix."""
        if issparse(X) and dropout_rates(self.dropout, n_hidden)[0]:
            raise ValueError(
                f"dropout={self.dropout!r} drops inputs, which needs a dense X: pass X.toarray(), or set the "
                "first rate to 0"
            )

    def _dtype_of(self, X):
        """Return what to compute in."""
        if self.dtype is not None:
            return np.dtype(self.dtype)
        return X.dtype if X.dtype in (np.float32, np.float64) else np.dtype(np.float64)

    def _forget(self):
        """Drop what an earlier fit left, as far as this one may not replace it."""
        forget_curves(self)
        vars(self).pop("_assigned", None)
        self._training = None
        self.t_ = 0

    def _random_source(self, incremental):
        """Return the RandomState to draw from: `partial_fit` goes on with that of the call before."""
        kept = getattr(self, "_training", None)
        if incremental and kept is not None and kept.rng is not None:
            return kept.rng
        return check_random_state(self.random_state)

    def _start_training(self, network, rng, scale):
        loss, optimizer, schedule = self.loss_function_, make_optimizer(self), make_schedule(self)
        training = Training(network, loss, optimizer, schedule, rng, loss_scale=scale)
        training.progress.samples = getattr(self, "t_", 0)
        return training

    def _set_options(self, training):
        """Hand over the parameters that may change from one call to the next."""
        training.l2, training.l1 = self._penalty()
        training.max_grad_norm = self.max_grad_norm
        training.shuffle = bool(self.shuffle)
        training.tol = float(self.tol)
        training.n_iter_no_change = self.n_iter_no_change
        training.max_epochs = self.max_iter
        training.log = make_log(self.verbose, self.max_iter)
        training.history = History()

    def _penalty(self):
        """Return the strengths of the penalties on squares and on sizes of the weights."""
        return float(self.alpha * (1 - self.l1_ratio)), float(self.alpha * self.l1_ratio)

    def _given_validation(self, network, scale, validation):
        """Return the validation data that were passed, ready to be scored, or None."""
        X, y, sample_weight = validation
        if X is None and y is None:
            if sample_weight is not None:
                raise ValueError("sample_weight_val goes with X_val and y_val: pass them too")
            return None
        if X is None or y is None:
            raise ValueError("X_val and y_val go together: pass both, or neither")
        given_X = X
        X, y, targets = self._check_validation_data(X, y)
        with named_as_validation():
            if sample_weight is not None:
                sample_weight = check_sample_weight(sample_weight, X, network.dtype)
            check_ranges(X, targets, sample_weight, network.dtype)
        loss = self.loss_function_
        return Validation(self, network, loss, scale, X, targets, y, sample_weight, given_X)

    def _fit_stochastic(self, network, rng, scale, data, as_given, validation, hooks):
        training = self._start_training(network, rng, scale)
        self._set_options(training)
        X, targets, weight = data
        rows = None
        given = () if validation is None else (validation.X, validation.targets, validation.weight)
        resumed = hooks.resume(training, lambda: fingerprint(self, data, given))
        if resumed and isinstance(self.random_state, np.random.RandomState):
            self.random_state.set_state(training.rng.get_state())
            training.rng = self.random_state
        if self.early_stopping:
            if validation is None:
                training.split = training.split or split(self, targets, rng)
                rows, held_out = training.split
                check_split_weights(weight, rows, held_out)
                loss = self.loss_function_
                given_X, y = as_given
                validation = Validation(
                    self, network, loss, scale, X, targets, y, weight, given_X, held_out
                )
            if not resumed:
                training.patience = Patience(-np.inf)
            validation.has_score = training.patience.best > -np.inf
        reason = self._run(training, data, rows, self.max_iter, validation, hooks)
        over = training.converged or training.schedule.has_end or reason
        if self.n_iter_ == self.max_iter and not over:
            warn(
                f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) "
                "reached and the optimization hasn't converged yet.",
                ConvergenceWarning,
            )
        training.order = np.arange(0)  # a new fit begins with the rows as they come
        training.split = None
        self._record(training, validation is not None)

    def _train_incrementally(self, network, rng, scale, data, validation):
        """Train for one epoch in place; where that fails, everything is put back."""
        network.make_writable()
        training = getattr(self, "_training", None)
        if training is None or type(training.optimizer) is not type(make_optimizer(self)):
            training = self._start_training(network, rng, scale)
        before, draws = copy.deepcopy(training), rng.get_state()
        kept = {name: getattr(training, name) for name in ("network", "loss", "rng")}
        training.rng = rng
        try:
            take_over(self, training, network, scale)
            self._set_options(training)
            if getattr(self, "best_loss_", 0) is None:  # with early stopping the score was watched
                training.patience = Patience(np.inf)
            self._run(training, data, None, 1, validation, None)
        except BaseException:
            kept["network"].restore((before.network.params, before.network.state))
            if isinstance(self.random_state, Integral):  # other generators are not ours to set back
                rng.set_state(draws)
            vars(training).update({**vars(before), **kept})
            raise
        self._record(training, validation is not None, incremental=True)

    def _run(self, training, data, rows, n_epochs, validation, hooks):
        """Train, keep what has been learnt when interrupted, and return why it ended early, if it did."""
        X, targets, weight = data
        n = X.shape[0] if rows is None else len(rows)
        batch_size = min(200, n) if self.batch_size == "auto" else int(self.batch_size)
        if batch_size > n:
            warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped: "
                f"batch_size={batch_size}, and there are {n} rows to train on."
            )
            batch_size = n
        batches = Batches(X, targets, weight, batch_size, training.network.dtype)
        self.n_iter_, reason = len(training.history.loss), ""  # those of a fit that was broken off
        started = time.perf_counter()
        before = None if hooks is None else hooks.begin_epoch
        epochs = training.run(batches, rows, n_epochs, validation, self.early_stopping, before)
        try:
            with closing(epochs):
                for epoch in epochs:
                    self.n_iter_ = epoch
                    if hooks is not None and hooks.end_epoch():
                        reason = "a callback"
                    elif self.max_time and time.perf_counter() - started >= self.max_time:
                        reason = f"max_time={self.max_time}"
                        warn(
                            f"Training ended after {epoch} epochs by {reason} seconds.",
                            ConvergenceWarning,
                        )
                    if self.early_stopping and not validation.goes_on:
                        reason = "divergence"
                    if reason:
                        break
        except KeyboardInterrupt:
            reason, self._interrupted = "the user", True
            warn_of_interrupt()
        finally:
            if isinstance(training.log, ProgressLine):
                training.log.end()
        if self.early_stopping:
            check_finite(training.network)
            never_finite = bool(self.n_iter_) and training.patience.best == -np.inf
            if never_finite or not validation.finite:
                check_best(training.patience.best, self.n_iter_, "epoch")
        else:
            check_finite(training.network, training.history.loss[-1] if self.n_iter_ else 0.0)
        return reason

    def _record(self, training, validated, incremental=False):
        """Make the outcome of a training the state of the estimator."""
        history, patience = training.history, training.patience
        training.log, training.history = None, History()
        if self.random_state is None:
            training.rng = None  # numpy's global RandomState, which goes its own way
        self._network, self._training = training.network, training
        self.t_ = training.progress.samples
        extend_history(self, columns_of(history, validated), incremental)
        self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else np.nan
        if self.early_stopping and not np.isfinite(self.loss_) and np.isfinite(patience.best):
            self.loss_ = history.loss[
                int(np.nanargmax(history.score))
            ]  # diverged: of the weights kept
        self.best_validation_score_ = self.best_loss_ = None
        if self.early_stopping:
            self.best_validation_score_ = patience.best
        else:
            self.best_loss_ = patience.best

    def _fit_lbfgs(self, network, data, validation, scale, hooks):
        objective = Objective(network, self.loss_function_, *data, *self._penalty())
        watch = LbfgsWatch(self, network, validation, scale, hooks)
        found = minimize_lbfgs(
            objective, max_iter=self.max_iter, max_fun=self.max_fun, tol=self.tol, watch=watch
        )
        network.params[...] = found.params if watch.best is None else watch.best
        check_finite(network, 0.0 if found.interrupted else found.value)
        if validation is not None and self.early_stopping and not validation.finite:
            check_best(watch.patience.best, found.nit, "iteration")
        if found.interrupted:
            self._interrupted = True
            warn_of_interrupt()
        elif found.message and found.status == 1 and watch.reason:
            if "max_time" in watch.reason:
                warn(
                    f"Training ended after {found.nit} iterations by {watch.reason}.",
                    ConvergenceWarning,
                )
        elif found.overflowed and found.status == 0:
            warn(
                f"L-BFGS stopped after {found.nit} iterations at losses that are not finite, and did not "
                f"converge. {SCALE.split(',')[0]}, in regression).",
                ConvergenceWarning,
            )
        else:
            check_optimize_result("lbfgs", found, self.max_iter)
        self.n_iter_ = min(found.nit, self.max_iter)
        self._network, self._training = network, None
        self.t_ = getattr(self, "t_", 0)
        self.loss_ = (found.value - found.penalty) * scale + found.penalty
        watch.record()

    def initialize(self, X, y):
        """Make a network for this data that is ready to predict, without training it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Inputs: their number of columns and dtype count.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets: their kind, and the classes, count.

        Returns
        -------
        self : object
            The estimator with initial weights, those that `fit` would begin with.
        """
        with all_or_nothing(self):
            check_objects(self)
            hidden = check_hidden_layer_sizes(self.hidden_layer_sizes)
            X, y, _ = self._check_data(X, y, reset=True, incremental=False)
            sizes = [X.shape[1], *hidden, self.n_outputs_]
            self._forget()
            rng = check_random_state(self.random_state)
            self._network = build_network(self, sizes, self._dtype_of(X), rng)
            self.n_layers_, self.n_iter_ = len(sizes), 0
            self.loss_function_, self.out_activation_, _ = self._loss_and_link()
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
