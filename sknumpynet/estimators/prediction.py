# SPDX-License-Identifier: BSD-3-Clause
"""What an estimator can do once it has a network: show and take weights, predict, look inside."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_is_fitted

from sknumpynet._versions import KEY, Version, check_state, current_version
from sknumpynet.checks.input_checks import check_data, check_range
from sknumpynet.core.layers import Activate
from sknumpynet.core.losses import (
    BinaryLogLoss,
    HalfPoisson,
    Loss,
    MultinomialLogLoss,
    SquaredError,
)
from sknumpynet.estimators.weight_lists import WeightList, bias_views, check_length, weight_views
from sknumpynet.fitting.plan import build_network

# What `out_activation_` may be set to after a fit, and what it then makes of the raw output.
LINKS = {
    "identity": SquaredError().inverse_link,
    "exp": HalfPoisson().inverse_link,
    "logistic": BinaryLogLoss().inverse_link,
    "softmax": MultinomialLogLoss().inverse_link,
}


class FittedNetwork:
    """The part of both estimators that needs a network, fitted or made of weights that were assigned."""

    def __getstate__(self):
        return {KEY: Version(current_version()), **super().__getstate__()}  # the version first

    def __setstate__(self, state):
        state = dict(state)
        check_state(state, state.pop(KEY, None))
        super().__setstate__(state)

    def _is_ready(self):
        """Return whether there is a network; assigned weights become one here."""
        if "_network" in vars(self):
            return True
        assigned = vars(self).get("_assigned", {})
        if len(assigned) < 2:
            return False
        coefs = [np.asarray(W) for W in assigned["coefs_"]]
        intercepts = [np.asarray(b) for b in assigned["intercepts_"]]
        if not coefs or any(W.ndim != 2 for W in coefs) or not self._knows_outputs(coefs[-1]):
            return False
        sizes = [coefs[0].shape[0], *(W.shape[1] for W in coefs)]
        dtype = np.result_type(*coefs, *intercepts, np.float32)
        network = build_network(self, sizes, dtype if dtype == np.float32 else np.float64, 0)
        for name, views, arrays in (
            ("coefs_", weight_views, coefs),
            ("intercepts_", bias_views, intercepts),
        ):
            weights = WeightList(name, network, views)
            weights[:] = check_length(name, arrays, len(weights))
        self.n_outputs_, self.n_layers_ = sizes[-1], len(sizes)
        self.loss_function_, link, _ = self._loss_and_link()
        vars(self).setdefault("out_activation_", link)  # it may have been assigned as well
        if not hasattr(self, "n_features_in_"):
            self.n_features_in_ = sizes[0]
        del self._assigned
        self._network = network
        return True

    def _knows_outputs(self, last):
        """Return whether assigned weights, ``last`` those of the last layer, are enough to predict."""
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

    @property
    def n_parameters_(self):
        """Number of weights, intercepts and other trained parameters."""
        if not self._is_ready():
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute 'n_parameters_' before fit"
            )
        return len(self._network.params)

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

    def _raw(self, X, link=None, make_out=None):
        """Return the raw output of the network, or what the link makes of it: (n_samples, n_outputs).

        ``make_out(n_samples)``, where given, makes the array that the link writes into.
        """
        if self._is_plain(X):
            try:
                out = None if make_out is None else make_out(X.shape[0])
                return self._network.predict(X, link=link, out=out, check=_check_finite)
            except FloatingPointError:
                pass  # what is wrong with X is said below
        check_is_fitted(self)
        X = self._checked(X)
        if X.shape[1] != self._network.fan_in:
            raise ValueError(
                f"X has {X.shape[1]} features, but coefs_[0] takes {self._network.fan_in}"
            )
        out = None if make_out is None else make_out(X.shape[0])
        return self._network.predict(X, link=link, out=out)

    def _checked(self, X):
        """Return X, checked, with numbers that are finite in the network's dtype too."""
        X = check_data(self, X, reset=False)
        check_range(X, self._network.dtype, "X")
        return X

    def hidden_activations(self, X, layer=-1):
        """Return what the units of a hidden layer give.

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
        check_is_fitted(self)
        X = self._checked(X)
        ends = [i + 1 for i, each in enumerate(self._network.layers) if isinstance(each, Activate)]
        if not -len(ends) <= layer < len(ends):
            if not ends:
                raise ValueError(
                    "there is no hidden layer to look at: hidden_layer_sizes is empty. decision_function, or "
                    "predict, shows what the network gives"
                )
            numbers = "0" if len(ends) == 1 else f"0 to {len(ends) - 1}"
            raise ValueError(
                f"layer={layer} is not there: the network has {len(ends)} hidden layer"
                f"{'s' * (len(ends) > 1)}; layer may be {numbers}, or negative, counted from the end"
            )
        return self._network.first(ends[layer]).predict(X)

    def input_gradient(self, X):
        """Return the slope of the output with respect to each input.

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
        check_is_fitted(self)
        X = self._checked(X)
        if issparse(X):
            raise TypeError("input_gradient needs a dense X: pass X.toarray()")
        X = X.astype(self._network.dtype, copy=False)
        raw, slopes = self._network.input_gradients(X)
        slopes = self._through_link(raw, slopes)
        return slopes[:, 0] if slopes.shape[1] == 1 else slopes

    def _link(self):
        """Return the function of ``(raw, out)`` that `out_activation_` names."""
        name, loss = self.out_activation_, self.loss_function_
        if name == loss.link:
            return loss.inverse_link
        if not isinstance(name, str) or name not in LINKS:
            raise ValueError(
                f"out_activation_={name!r} is no output activation: set it back to {loss.link!r}, or to one "
                f"of {', '.join(map(repr, LINKS))}"
            )
        return LINKS[name]

    def _through_link(self, raw, slopes):
        """Return d output / d input, given d raw / d input of shape (n, n_outputs, n_features)."""
        name, link = self.out_activation_, self._link()
        if getattr(link, "__func__", None) is Loss.inverse_link:
            return slopes
        a = np.empty_like(raw)
        link(raw, a)
        if name == "softmax":  # da_k = a_k (draw_k - sum_j a_j draw_j)
            slopes = slopes - a[:, np.newaxis] @ slopes
        if name in ("exp", "softmax"):
            slope = a
        elif name == "logistic":
            slope = a * (1 - a)
        else:  # of a loss of one's own: elementwise, its slope by differences
            low, high = np.float64(raw) - 1e-6, np.float64(raw) + 1e-6
            link(low, low)
            link(high, high)
            slope = ((high - low) / 2e-6).astype(raw.dtype, copy=False)
        return slopes * slope[:, :, np.newaxis]

    def _is_plain(self, X):
        """Return whether nothing about X is to be checked but its numbers.

        scikit-learn's check takes longer than predicting a few rows, and reads many rows once more.
        """
        mine = vars(self)
        network = mine.get("_network")
        if network is None or type(X) is not np.ndarray or X.dtype != network.dtype:
            return False
        if X.ndim != 2 or X.shape[1] != network.fan_in or not X.size:
            return False
        return "feature_names_in_" not in mine


def _check_finite(X):
    """Raise FloatingPointError where a number is NaN or infinite, or too large to be squared."""
    if not math.isfinite(np.vdot(X, X)):
        raise FloatingPointError


def check_coefs(coefs):
    """Return the weights as arrays, or raise where their shapes do not go together."""
    coefs = [np.asarray(W, dtype=np.result_type(np.asarray(W), np.float32)) for W in coefs]
    if any(W.ndim != 2 for W in coefs) or not coefs:
        raise ValueError("coefs must be a list of matrices, of shape (fan_in, fan_out) each")
    for i, (before, W) in enumerate(pairwise(coefs), start=1):
        if len(W) != before.shape[1]:
            raise ValueError(
                f"coefs[{i}] has shape {W.shape}, but coefs[{i - 1}], of shape {before.shape}, has "
                f"{before.shape[1]} outputs. Shapes are (fan_in, fan_out): pass W.T for matrices of shape "
                "(fan_out, fan_in), as PyTorch keeps them"
            )
    return coefs


def from_weights(cls, coefs, intercepts, activation, params, **attributes):
    """Return a new estimator of that class with those weights."""
    coefs = check_coefs(coefs)
    if intercepts is None:
        params = {"fit_intercept": False, **params}
        intercepts = [np.zeros(W.shape[1], W.dtype) for W in coefs]
    hidden = tuple(W.shape[1] for W in coefs[:-1])
    estimator = cls(hidden_layer_sizes=hidden, activation=activation, **params)
    vars(estimator).update(attributes)
    estimator.coefs_ = coefs
    estimator.intercepts_ = [np.asarray(b) for b in intercepts]
    if not estimator._is_ready():
        raise ValueError("coefs and intercepts do not make a network")
    estimator.n_iter_ = estimator.t_ = 0
    return estimator
