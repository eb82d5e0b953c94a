# SPDX-License-Identifier: BSD-3-Clause
"""The common base class of classifier and regressor: the steps of a fit.

Data, plan, network, fit, publish: a fit works on a separate network, which is assigned to the estimator when
the fit has succeeded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from sknumpynet._compat import (
    CachedParameterNames,
    CallbackSupportMixin,
    DocLink,
    EpochHooks,
    callbacks_of,
    has_feature_names,
    with_callbacks,
)
from sknumpynet.checks.input_checks import check_ranges, check_sample_weight, named_as_validation
from sknumpynet.checks.parameter_hints import object_wanted
from sknumpynet.checks.scoring import checked_scorer
from sknumpynet.core.options import with_nested
from sknumpynet.core.training.history import Patience
from sknumpynet.estimators.prediction import FittedModel, PredictsWithNetwork
from sknumpynet.estimators.record import last_row, n_earlier_epochs, recorded
from sknumpynet.estimators.scikit_learn import ConvertsToScikitLearn
from sknumpynet.fitting.continuing import (
    network_to_go_on_with,
    put_back_on_failure,
    training_to_go_on_with,
)
from sknumpynet.fitting.data import FitData
from sknumpynet.fitting.fingerprint import fingerprint
from sknumpynet.fitting.fit_network import fit_network
from sknumpynet.fitting.monitor import Monitor
from sknumpynet.fitting.plan import (
    PARAMETER_CONSTRAINTS,
    check_parameters,
    dtype_to_compute_in,
    plan_fit,
)
from sknumpynet.fitting.rollback import all_or_nothing, warn
from sknumpynet.fitting.validation_set import (
    Scorer,
    ValidationSet,
    check_split_weights,
    hold_out,
)
from sknumpynet.fitting.verbose import make_log


def is_stochastic(estimator):
    """Return whether the estimator's solver uses batches, or raise AttributeError."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic: "
            "set solver='adam' or solver='sgd'."
        )
    return True


def warn_of_collection(X, name):
    """Warn if X is a Dask collection, because its rows are loaded into this process."""
    if type(X).__module__.partition(".")[0] in ("dask", "dask_expr"):
        warn(
            f"X is a Dask collection, and {name} loads all of its rows into this process. If they fit into "
            f"memory, pass X.compute(); sknumpynet.dask.Dask{name} trains on the workers that hold the rows, "
            "with the same results"
        )


class _Start(NamedTuple):
    """The start of a fit: data, plan, network and training."""

    plan: Any
    data: Any
    model: Any
    training: Any  # None for L-BFGS
    rng: Any
    draws: Any  # the state of a generator that must be restored if the fit fails, else None
    before: Any  # the attributes of the fit that is continued


class BaseNumpyMLP(
    PredictsWithNetwork,
    ConvertsToScikitLearn,
    DocLink,
    CallbackSupportMixin,
    CachedParameterNames,
    BaseEstimator,
    ABC,
):
    """Base of `NumpyMLPClassifier` and `NumpyMLPRegressor`; not to be used directly."""

    _parameter_constraints: dict = PARAMETER_CONSTRAINTS

    # ---------------------------------------------------------------- defined by subclasses

    @abstractmethod
    def _check_data(self, X, y, earlier, call, classes=None):
        """Return the kind of targets, the checked X, y and targets, and the names of the features.

        ``earlier`` is the model to continue, or None; ``call`` is 'fit', 'partial_fit' or 'validation'.
        """

    def _strata(self, target, data):
        """Return one label per row for a stratified validation split, or None."""
        return None

    def _weigh(self, target, data, plan, incremental):
        """Return the data with sample weights multiplied by class weights."""
        return data

    # ---------------------------------------------------------------- parameters

    def get_params(self, deep=True):
        """Return the parameters.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the options of parameters that are objects, and of the objects in these, as
            ``learning_rate__schedule__end_factor``.

        Returns
        -------
        params : dict of str to object
            Parameters by name.
        """
        params = super().get_params(deep=False)
        return with_nested(params) if deep else params

    def _all_params(self):
        """Return the parameters by name, also those that a subclass sets without taking them as arguments."""
        hidden = {name: getattr(self, name) for name in self._hidden_param_names()}
        return {**self.get_params(deep=False), **hidden}

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

    # ---------------------------------------------------------------- fitting

    @all_or_nothing
    @with_callbacks
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
            Validation data. With ``early_stopping=True`` they are used instead of a part of X; otherwise
            their loss and score are only recorded after each epoch.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data or a parameter is invalid, or training diverges. The estimator is then as it was
            before the call.
        """
        start = self._start(X, y, sample_weight, "fit", validated=X_val is not None)
        plan = start.plan
        held_out = self._validation_data((X_val, y_val, sample_weight_val), start.model, plan)
        hooks = self._hooks(X, y, sample_weight, start)
        kept = hooks.resume(lambda: fingerprint(plan.parameters, start.data, held_out))
        data, monitor = self._prepared(start, held_out, hooks, kept)
        result = self._train(plan, data, monitor, start.training, kept)
        self._show(start, monitor, result)
        hooks.end(monitor.interrupted)
        return self

    def _partial_fit(self, X, y, sample_weight, validation, classes=None):
        """Train for one epoch in place; if that fails, everything is restored."""
        self._tell_of_callbacks()
        start = self._start(X, y, sample_weight, "partial_fit", classes)
        held_out = self._validation_data(validation, start.model, start.plan)
        monitor = self._monitor(start, held_out, one_epoch=True)
        try:
            with put_back_on_failure(start.training.arrays()):
                result = self._train(start.plan, start.data, monitor, start.training)
        except BaseException:
            if start.draws is not None:  # generators passed by the user are not restored
                start.rng.set_state(start.draws)
            raise
        self._show(start, monitor, result, incremental=True)
        return self

    @all_or_nothing
    def initialize(self, X, y):
        """Create a network for these data that is ready to predict, without training it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Inputs, of which only the number of columns and the dtype are used.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets, of which only the kind and the classes are used.

        Returns
        -------
        self : object
            The estimator with the initial weights that `fit` would start from.

        Raises
        ------
        ValueError
            If the data or a parameter is invalid. The estimator is then as it was before the call.
        """
        model = self._start(X, y, None, "initialize").model
        self._publish(model, n_iter_=0, t_=0, _training=None, _plan=None)
        return self

    def _tell_of_callbacks(self):
        """Warn in the first call of `partial_fit` after `set_callbacks` that nothing calls them."""
        callbacks = callbacks_of(self)
        if callbacks and vars(self).get("_told_of_callbacks") is not callbacks:
            self._told_of_callbacks = callbacks
            warn(
                "partial_fit does not call the callbacks that were given to set_callbacks; fit does. Do "
                "their work between the calls, or remove them with set_callbacks()."
            )

    # ---------------------------------------------------------------- the steps of a fit

    def _start(self, X, y, sample_weight, call, classes=None, validated=False):
        """Return the start of a fit: data, plan, and the network and training to use or continue."""
        incremental = call == "partial_fit"
        last = vars(self).get("_plan") if incremental else None
        parameters = self._all_params()
        if last is not None and not last.has_parameters(parameters):
            last = None
        if last is None:
            check_parameters(parameters, self._parameter_constraints, type(self).__name__)
            if self.scoring not in (None, "loss"):  # even if nothing is validated
                checked_scorer(self, self.scoring)
        earlier = self._earlier_model(call, classes)
        target, data, names = self._fit_data(X, y, sample_weight, earlier, call, classes)
        if last is not None and last.fits_data(target, data):
            plan = last
            plan.loss.check_targets(data.y)
        else:
            plan = plan_fit(
                parameters,
                target,
                data,
                owner=type(self),
                incremental=incremental,
                validated=validated,
                going_on=earlier is not None,
                trains=call != "initialize",
            )
        data = self._weigh(target, data, plan, incremental)
        training = vars(self).get("_training") if incremental else None
        rng = getattr(training, "rng", None) or check_random_state(self.random_state)
        ours = incremental and isinstance(self.random_state, Integral)
        draws = rng.get_state() if ours else None
        if earlier is None:
            network = plan.network(rng)
        else:
            network = network_to_go_on_with(earlier, plan, incremental)
        check_ranges(data, network.dtype)
        model = FittedModel(network, target, plan.loss, plan.loss.link, names)
        if plan.is_lbfgs or call == "initialize":
            training = None
        else:
            training = training_to_go_on_with(training, network, plan, rng)
            if training is None:
                training = plan.training(network, rng)
                training.progress.samples = 0 if earlier is None else vars(self).get("t_", 0)
            elif vars(self).get("best_loss_", 0) is None:
                training.patience = Patience(np.inf)  # with early stopping it was the score
        before = {} if earlier is None else vars(self)
        return _Start(plan, data, model, training, rng, draws, before)

    def _earlier_model(self, call, classes):
        """Return the model to continue, or None."""
        if call == "initialize" or (call == "fit" and not self.warm_start):
            return None
        model = self._model_or_none()
        if model is None and classes is not None:  # for weights that were assigned
            return self._model_of_assigned({**vars(self), "classes_": classes})
        return model

    def _fit_data(self, X, y, sample_weight, earlier, call, classes=None):
        """Return the kind of targets, the checked data, and the names of the features."""
        warn_of_collection(X, type(self).__name__)
        target, X_checked, y, targets, names = self._check_data(X, y, earlier, call, classes)
        if sample_weight is not None:
            if earlier is not None:
                dtype = earlier.network.dtype
            else:
                dtype = dtype_to_compute_in(self.dtype, X_checked)
            sample_weight = check_sample_weight(sample_weight, X_checked, dtype)
        return target, FitData(X_checked, y, targets, sample_weight, X), names

    def _validation_data(self, validation, model, plan):
        """Return the validation data that were passed, checked, or None."""
        X, y, sample_weight = validation
        if X is None and y is None:
            if sample_weight is not None:
                raise ValueError("sample_weight_val needs X_val and y_val: pass them too")
            return None
        if X is None or y is None:
            raise ValueError("X_val and y_val must be given together: pass both, or neither")
        with named_as_validation():
            _, data, _ = self._fit_data(X, y, sample_weight, model, "validation")
            plan.loss.check_targets(data.y)
            check_ranges(data, model.network.dtype)
        model.target.check_validation_classes(data.y)
        return data

    def _prepared(self, start, held_out, hooks=None, kept=None):
        """Return the training data, from which validation rows may be split off, and the monitor."""
        plan, data, rows = start.plan, start.data, None
        if plan.early_stopping and held_out is None and not plan.is_lbfgs:
            data, held_out, rows = self._split(data, start.model, plan, start.rng, kept)
        return data, self._monitor(start, held_out, hooks, rows=rows)

    def _split(self, data, model, plan, rng, kept):
        """Return training data, validation data, and the row numbers of both."""
        if kept is None:
            strata = self._strata(model.target, data)
            classes = getattr(model.target, "classes", None)
            rows = hold_out(plan, data, strata, rng, None if classes is None else len(classes))
        else:
            rows = kept["monitor"]["rows"]
        check_split_weights(data.sample_weight, *rows)
        return data.take(rows[0]), data.take(rows[1]), rows

    def _monitor(self, start, held_out, hooks=None, **options):
        """Return the monitor of the fit."""
        plan, model = start.plan, start.model
        validation = self._validation_set(held_out, model, plan)
        log = make_log(plan.verbose, plan.max_epochs)
        return Monitor(plan, model.network, validation, hooks, log, **options)

    def _validation_set(self, data, model, plan):
        """Return the validation set with its scorer, or None."""
        if data is None:
            return None
        scoring = self.scoring
        if scoring is None:
            targets, weight = data.part("targets"), data.part("sample_weight")

            def score(network, raw):
                return model.target.score(targets, raw, weight, model)

        elif isinstance(scoring, str) and scoring == "loss":
            score = None
        else:
            if not has_feature_names(data.X_given):  # avoids a warning about missing names
                model = replace(model, feature_names=None)
            score = Scorer(self._view(model), scoring, data)
        return ValidationSet(data, plan, score, scoring)

    def _view(self, model):
        """Return an estimator that predicts with the model, without the state of a fit."""
        view = object.__new__(type(self))
        vars(view).update(self._all_params())
        view._publish(model)
        if isinstance(self.scoring, str) and model.loss.n_outputs_for(1) > 1:  # several quantiles

            def predict(X):
                return model.loss.point_prediction(type(view).predict(view, X)).ravel()

            view.predict = predict
        return view

    def _hooks(self, X, y, sample_weight, start):
        """Return the object that calls the callbacks."""
        plan, model = start.plan, start.model
        n_earlier = n_earlier_epochs(plan, start.before)
        metadata = {} if sample_weight is None else {"sample_weight": sample_weight}

        def reconstruct():
            now = replace(model, network=model.network.copy())
            return {**now.attributes(), "_model": now}

        data = {"X": X, "y": y, "metadata": metadata}

        def row_of(history):
            return last_row(history, n_earlier)

        return EpochHooks(self, data, plan.max_epochs, reconstruct, row_of)

    def _train(self, plan, data, monitor, training, kept=None):
        """Train the network with `fit_network`."""
        return fit_network(plan, data, monitor, training, kept)

    def _show(self, start, monitor, result, incremental=False):
        """Set the result of a fit as the state of the estimator, in one assignment."""
        attributes = recorded(start.plan, monitor, result, start.before, incremental)
        training = result.training
        if training is not None:
            if self.random_state is None:
                training.rng = None  # numpy's global RandomState is not part of the state
            if not incremental:
                training.order = np.arange(0)  # a new fit begins with the original order
        plan = start.plan if incremental else None
        self._publish(start.model, **attributes, _training=training, _plan=plan)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
