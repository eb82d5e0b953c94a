# SPDX-License-Identifier: BSD-3-Clause
"""The fitted model in one object, and the methods of both estimators that use it.

Each public method reads the object once. A fit in another thread replaces it, so that readers see either the
old or the new model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_is_fitted

from sknumpynet._versions import KEY, Version, check_state, current_version
from sknumpynet.checks.input_checks import check_data, check_range
from sknumpynet.core.layers.activate import Activate
from sknumpynet.core.losses.base import Loss
from sknumpynet.core.losses.deviance import HalfPoisson
from sknumpynet.core.losses.log_loss import BinaryLogLoss, MultinomialLogLoss
from sknumpynet.core.losses.regression import SquaredError
from sknumpynet.core.network.network import Network
from sknumpynet.core.options import as_data, from_data
from sknumpynet.core.wording import counted
from sknumpynet.estimators.labels import keep_within_limits
from sknumpynet.estimators.record import RECORDED
from sknumpynet.estimators.summary import summary_of
from sknumpynet.estimators.weight_lists import WeightList, bias_views, check_length, weight_views
from sknumpynet.fitting.plan import kept, make_initializers, make_layers
from sknumpynet.fitting.rollback import quiet, replace_attributes

# The valid values of `out_activation_` after a fit, and their functions of the raw output.
LINKS = {
    "identity": SquaredError().inverse_link,
    "exp": HalfPoisson().inverse_link,
    "logistic": BinaryLogLoss().inverse_link,
    "softmax": MultinomialLogLoss().inverse_link,
}
# The links whose values are probabilities, as in scikit-learn.
UNBOUNDED = (LINKS["identity"], LINKS["exp"])


@dataclass(frozen=True)
class FittedModel:
    """A network, and the meaning of its inputs and outputs.

    Attributes
    ----------
    network : Network
        The network.
    target : Target
        The kind of targets.
    loss : Loss
        The loss with which it was fitted; its link gives the prediction.
    link : str
        The name of that link.
    feature_names : ndarray of str or None
        The names of the columns, if they had any.
    """

    network: Any
    target: Any
    loss: Any
    link: str
    feature_names: Any = None

    def attributes(self):
        """Return what the user sees of it, by name."""
        attributes = {
            "n_features_in_": self.network.fan_in,
            "n_outputs_": self.network.n_outputs,
            "n_layers_": len(self.network.dense) + 1,
            "loss_function_": self.loss,
            "out_activation_": self.link,
        }
        if self.feature_names is not None:
            attributes["feature_names_in_"] = self.feature_names
        return {**attributes, **self.target.attributes()}

    def link_function(self):
        """Return the function of ``(raw, out)`` for the link, or raise ValueError."""
        if self.link == self.loss.link:
            return self.loss.inverse_link
        if not isinstance(self.link, str) or self.link not in LINKS:
            raise ValueError(
                f"out_activation_={self.link!r} is not an output activation: set it back to "
                f"{self.loss.link!r}, or to one of {', '.join(map(repr, LINKS))}"
            )
        return LINKS[self.link]

    def prediction_link(self):
        """Return the link function, or None if the raw output is the prediction."""
        link = self.link_function()
        return None if getattr(link, "__func__", None) is Loss.inverse_link else link

    def write_probabilities(self, raw, out):
        """Write the link of raw outputs; probabilities are never exactly 0 or 1."""
        link = self.link_function()
        link(raw, out)
        if link not in UNBOUNDED:
            keep_within_limits(out)

    @property
    def decides_by_raw(self):
        """Return whether labels can be chosen by the raw output instead of probabilities."""
        return self.link == self.target.natural_link

    def evidence(self, raw):
        """Return numbers by which labels are chosen: the largest, or for binary labels those above 0."""
        if self.decides_by_raw:
            return raw
        p = np.empty_like(raw)
        self.write_probabilities(raw, p)
        if self.target.natural_link == "logistic":
            p -= 0.5
        return p

    def write_evidence(self, raw, out):
        """Write `evidence` into ``out``."""
        evidence = self.evidence(raw)
        if evidence is not out:
            np.copyto(out, evidence)

    def choose_by_evidence(self, raw, out):
        """Write the labels, as numbers, that are chosen by the evidence of raw outputs."""
        self.target.choose(self.evidence(raw), out)

    def through_link(self, raw, slopes):
        """Return d prediction / d input, given d raw / d input of shape (n, n_outputs, n_features)."""
        link = self.prediction_link()
        if link is None:
            return slopes
        a = np.empty_like(raw)
        link(raw, a)
        if self.link == "softmax":  # da_k = a_k (draw_k - sum_j a_j draw_j)
            slopes = slopes - a[:, np.newaxis] @ slopes
        if self.link in ("exp", "softmax"):
            slope = a
        elif self.link == "logistic":
            slope = a * (1 - a)
        else:  # a custom loss: an elementwise link, differentiated by finite differences
            low, high = np.float64(raw) - 1e-6, np.float64(raw) + 1e-6
            link(low, low)
            link(high, high)
            slope = ((high - low) / 2e-6).astype(raw.dtype, copy=False)
        return slopes * slope[:, :, np.newaxis]

    def can_skip_checks(self, X):
        """Return whether only the values of X need to be checked.

        scikit-learn's check takes longer than predicting a few rows, and reads many rows once more.
        """
        if type(X) is not np.ndarray or X.dtype.kind not in "biuf" or X.ndim != 2:
            return False
        return bool(X.size) and X.shape[1] == self.network.fan_in and self.feature_names is None


def is_finite(X):
    """Return whether no number is NaN or infinite, or too large to be squared."""
    return math.isfinite(np.vdot(X, X))


def check_finite(X):
    """Raise FloatingPointError unless all numbers are finite."""
    if not is_finite(X):
        raise FloatingPointError


# Attributes that are removed when there is a new model.
STALE = {*RECORDED, "feature_names_in_", "_assigned"}
# The parameters that may be objects of the core.
OBJECTS = ("activation", "bias_init", "init", "learning_rate", "loss", "solver")
# Attributes that can be assigned to an unfitted estimator, so that it can predict.
ASSIGNED = ("coefs_", "intercepts_")


class PredictsWithNetwork:
    """The methods of both estimators that need a network, fitted or made from assigned weights."""

    # Attributes of an unfitted estimator with assigned weights.
    _SHOWN = ("n_features_in_", "n_outputs_", "n_layers_", "loss_function_", "out_activation_")

    def __getstate__(self):
        state = {KEY: Version(current_version()), **super().__getstate__()}  # version first
        state.pop("_plan", None)  # `partial_fit` creates it again
        return state | {name: as_data(state[name]) for name in OBJECTS if name in state}

    def __setstate__(self, state):
        state = dict(state)
        check_state(state, state.pop(KEY, None))
        state |= {name: from_data(state[name]) for name in OBJECTS if name in state}
        super().__setstate__(state)
        if "_model" in state:
            self._plan = None

    def _model_or_none(self):
        """Return the model, read once from the attributes, or None; does not change anything."""
        state = vars(self)
        model = state.get("_model")
        if model is None:
            return self._model_of_assigned(state)
        link, classes = state["out_activation_"], state.get("classes_")
        if link is not model.link and link != model.link:
            model = replace(model, link=link)
        if classes is not None and classes is not model.target.classes:
            model = replace(model, target=model.target.with_classes(classes))
        return model

    def _fitted_model(self):
        """Return the model, or raise NotFittedError."""
        model = self._model_or_none()
        if model is None:
            check_is_fitted(self)
        return model

    def _publish(self, model, **attributes):
        """Set a model, and the attributes of its fit, in one assignment."""

        def published(now):
            kept = {name: value for name, value in now.items() if name not in STALE}
            return {**kept, **attributes, **model.attributes(), "_model": model}

        replace_attributes(self, published)

    def _checker(self, model=None):
        """Return an estimator of this class that only has the features of the model."""
        checker = object.__new__(type(self))
        if model is not None:
            checker.n_features_in_ = model.network.fan_in
            if model.feature_names is not None:
                checker.feature_names_in_ = model.feature_names
        return checker

    def _checked_rows(self, model, X):
        """Return the checked X, whose values are finite in the network's dtype."""
        with quiet():
            X = check_data(self._checker(model), X, reset=False)
            check_range(X, model.network.dtype, "X")
            return X

    def _raw(self, model, X, link=None, make_out=None):
        """Return the raw output of the network, or the link of it, of shape (n_samples, n_outputs).

        ``make_out(n_samples)``, if given, creates the array into which the link writes.
        """
        network = model.network
        if model.can_skip_checks(X):
            # overflow: when X is cast to the network's dtype, or in the network
            over = "ignore" if X.dtype == network.dtype else "raise"
            try:
                with np.errstate(over=over, invalid="ignore", divide="ignore", under="ignore"):
                    out = None if make_out is None else make_out(X.shape[0])
                    return network.predict(X, link=link, out=out, check=check_finite)
            except FloatingPointError:
                pass  # the error about X is raised below
        with quiet():
            X = self._checked_rows(model, X)
            out = None if make_out is None else make_out(X.shape[0])
            return network.predict(X, link=link, out=out)

    def _model_of_assigned(self, state):
        """Return a model from the weights that were assigned to an unfitted estimator, or None."""
        assigned = state.get("_assigned", {})
        if len(assigned) < len(ASSIGNED):
            return None
        coefs, intercepts = ([np.asarray(each) for each in assigned[name]] for name in ASSIGNED)
        if not coefs or any(W.ndim != 2 for W in coefs):
            return None
        sizes = [coefs[0].shape[0], *(W.shape[1] for W in coefs)]
        target = self._target_of_assigned(state, coefs[-1].shape)
        if target is None:
            return None
        dtype = np.result_type(*coefs, *intercepts, np.float32)
        parameters = {name: kept(value) for name, value in self._all_params().items()}
        weights, biases = make_initializers(parameters)
        network = Network(
            make_layers(parameters, sizes),
            dtype=dtype if dtype == np.float32 else np.float64,
            initializer=weights,
            bias_initializer=biases,
            rng=0,
        )
        for name, views, arrays in (
            ("coefs_", weight_views, coefs),
            ("intercepts_", bias_views, intercepts),
        ):
            weights = WeightList(name, network, views)
            weights[:] = check_length(name, arrays, len(weights))
        loss = target.make_loss(parameters)
        return FittedModel(network, target, loss, state.get("out_activation_", loss.link))

    def __getattr__(self, name):
        state = vars(self)
        if name in self._SHOWN and "_assigned" in state:
            model = self._model_or_none()
            if model is not None:
                return model.attributes()[name]
        return object.__getattribute__(self, name)  # raises the original error

    def _no_attribute(self, name):
        return AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r} before fit"
        )

    def __sklearn_is_fitted__(self):
        return self._model_or_none() is not None

    def _weights(self, name, views):
        state = vars(self)
        if "_model" in state:
            return WeightList(name, state["_model"].network, views)
        if name not in state.get("_assigned", {}):
            raise self._no_attribute(name)
        return state["_assigned"][name]

    def _assign_weights(self, name, views, value):
        state = vars(self)
        if "_model" in state:
            WeightList(name, state["_model"].network, views)[:] = value
        else:
            arrays = [np.asarray(each) for each in value]
            arrays = [each.astype(np.result_type(each, np.float32)) for each in arrays]
            self._assigned = {**state.get("_assigned", {}), name: arrays}

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

    @property
    def n_parameters_(self):
        """Number of weights, intercepts and other trained parameters."""
        model = self._model_or_none()
        if model is None:
            raise self._no_attribute("n_parameters_")
        return len(model.network.params)

    def trim_for_prediction(self):
        """Remove what only further training needs (the optimizer's moments), for a smaller pickle.

        Predictions stay the same; `partial_fit` still works, with a new optimizer.

        Returns
        -------
        self : object
            The estimator.
        """
        check_is_fitted(self)
        self._training = None
        return self

    def hidden_activations(self, X, layer=-1):
        """Return the activations of a hidden layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        layer : int, default=-1
            Which hidden layer: 0 is the first, -1 the last.

        Returns
        -------
        a : ndarray of shape (n_samples, n_units)
            The activations.
        """
        if not isinstance(layer, Integral):
            raise TypeError(f"layer must be an integer; got {layer!r}")
        model = self._fitted_model()
        X, network = self._checked_rows(model, X), model.network
        ends = [i + 1 for i, each in enumerate(network.layers) if isinstance(each, Activate)]
        if not -len(ends) <= layer < len(ends):
            if not ends:
                raise ValueError(
                    "the network has no hidden layer: hidden_layer_sizes is empty. decision_function, or "
                    "predict, returns the output of the network"
                )
            numbers = "0" if len(ends) == 1 else f"0 to {len(ends) - 1}"
            raise ValueError(
                f"layer={layer} does not exist: the network has {counted(len(ends), 'hidden layer')}; "
                f"layer may be {numbers}, or negative, counted from the end"
            )
        with quiet():
            return network.first(ends[layer]).predict(X)

    def summary(self):
        """Return the layers of the fitted network as a table: units, parameters and their shapes.

        Returns
        -------
        summary : NetworkSummary
            A table when printed or shown in a notebook; ``rows`` holds the data.

        Examples
        --------
        >>> from sknumpynet import NumpyMLPRegressor
        >>> NumpyMLPRegressor.from_weights([[[1.0, 2.0]], [[1.0], [-1.0]]], [[0.0, 1.0], [0.0]]).summary()
        NumpyMLPRegressor: 1 input, float64
          layer           units  parameters  shapes
          Dense               2           4  W 1x2, b 2
          ReLU()              2           0
          Dense               1           3  W 2x1, b 1
          link: identity      1           0
        7 parameters, 56 bytes
        """
        model = self._fitted_model()
        return summary_of(type(self).__name__, model.network, model.link)

    def input_gradient(self, X):
        """Return the derivative of the output with respect to each input.

        The output is that of `decision_function` for a classifier, of `predict` for a regressor.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The input data; dense.

        Returns
        -------
        slopes : ndarray of shape (n_samples, n_features) or (n_samples, n_outputs, n_features)
            d output / d input, row by row.
        """
        model = self._fitted_model()
        X = self._checked_rows(model, X)
        if issparse(X):
            raise TypeError("input_gradient needs a dense X: pass X.toarray()")
        X = X.astype(model.network.dtype, copy=False)
        with quiet():
            raw, slopes = model.network.input_gradients(X)
            slopes = self._output_slopes(model, raw, slopes)
        return slopes[:, 0] if slopes.shape[1] == 1 else slopes

    def _output_slopes(self, model, raw, slopes):
        """Return d output / d input, given d raw / d input."""
        return model.through_link(raw, slopes)


def from_weights(cls, coefs, intercepts, activation, params, **attributes):
    """Return a new estimator of this class with these weights."""
    coefs = check_coefs(coefs)
    if intercepts is None:
        params = {"fit_intercept": False, **params}
        intercepts = [np.zeros(W.shape[1], W.dtype) for W in coefs]
    elif not np.iterable(intercepts):
        raise TypeError(f"intercepts must be a list of vectors or None; got {intercepts!r}")
    hidden = tuple(W.shape[1] for W in coefs[:-1])
    estimator = cls(hidden_layer_sizes=hidden, activation=activation, **params)
    vars(estimator).update(attributes)
    estimator.coefs_ = coefs
    estimator.intercepts_ = [np.asarray(b) for b in intercepts]
    model = estimator._model_or_none()
    if model is None:
        raise ValueError("coefs and intercepts do not form a network")
    estimator._publish(model, n_iter_=0, t_=0)
    return estimator


def check_coefs(coefs):
    """Return the matrices as arrays of floats, or raise if one does not match the previous one."""
    if not np.iterable(coefs):
        raise TypeError(f"coefs must be a list of matrices; got {coefs!r}")
    coefs = [np.asarray(W, dtype=np.result_type(np.asarray(W), np.float32)) for W in coefs]
    if any(W.ndim != 2 for W in coefs) or not coefs:
        raise ValueError("coefs must be a list of matrices, of shape (fan_in, fan_out) each")
    for i, (before, W) in enumerate(pairwise(coefs), start=1):
        if len(W) != before.shape[1]:
            raise ValueError(
                f"coefs[{i}] has shape {W.shape}, but coefs[{i - 1}], of shape {before.shape}, has "
                f"{counted(before.shape[1], 'output')}. Shapes are (fan_in, fan_out): pass W.T for matrices "
                "of shape (fan_out, fan_in), as PyTorch keeps them"
            )
    return coefs
