# SPDX-License-Identifier: BSD-3-Clause
"""Conversion to and from scikit-learn's networks.

Some exporters only accept scikit-learn's classes; a converted scikit-learn network keeps its optimizer's
state.
"""

from __future__ import annotations

import inspect

import numpy as np
from sklearn.base import ClassifierMixin, clone
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sknumpynet.core.activations.basic import Identity, Logistic, ReLU, Tanh
from sknumpynet.core.layers.activate import Activate
from sknumpynet.core.layers.dense import Dense
from sknumpynet.core.layers.dropout import Dropout
from sknumpynet.core.losses.regression import Quantile
from sknumpynet.core.network.network import Network
from sknumpynet.core.training.epochs import Training
from sknumpynet.core.training.history import Patience
from sknumpynet.estimators.labels import BinaryLabels, IndicatorLabels, MulticlassLabels
from sknumpynet.estimators.prediction import LINKS, FittedModel
from sknumpynet.fitting.plan import make_layers, make_optimizer, make_schedule

ACTIVATIONS = {Identity: "identity", Logistic: "logistic", Tanh: "tanh", ReLU: "relu"}
LABELS = (BinaryLabels, MulticlassLabels, IndicatorLabels)
# Values that scikit-learn supports, for parameters with fewer values; others get scikit-learn's default.
CHOICES = {
    "solver": ("lbfgs", "sgd", "adam"),
    "learning_rate": ("constant", "invscaling", "adaptive"),
}
# Attributes that both have, with their values if nothing was recorded.
RECORD = {
    "loss_curve_": [],
    "best_loss_": np.inf,
    "validation_scores_": None,
    "best_validation_score_": None,
}


class ConvertsToScikitLearn:
    """The methods of both estimators that convert to and from scikit-learn."""

    def to_sklearn(self):
        """Return a fitted `MLPClassifier` or `MLPRegressor` of scikit-learn with the same predictions.

        For tools that check for scikit-learn's classes. Parameters or values that scikit-learn does not have
        (a solver, a schedule) are replaced by its defaults, and the loss by the one with the same link;
        neither affects predictions. The optimizer's state is not converted: `partial_fit` starts with a new
        one.

        Returns
        -------
        model : MLPClassifier or MLPRegressor
            The fitted estimator. In float64 its numbers are the same to rounding, in float32 to 1e-5.

        Raises
        ------
        ValueError
            If scikit-learn has no such network: with `normalization`, with activations other than
            'identity', 'logistic', 'tanh' and 'relu', or with more than one of them, with several quantiles
            or several columns of labels, or with another link. The message names the parameter.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sknumpynet import NumpyMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> ours = NumpyMLPClassifier(max_iter=30, solver="nadam", random_state=0).fit(X, y)
        >>> theirs = ours.to_sklearn()
        >>> bool(abs(theirs.predict_proba(X) - ours.predict_proba(X)).max() < 1e-12)
        True
        """
        fitted = self._fitted_model()
        is_classifier = isinstance(self, ClassifierMixin)
        cls = MLPClassifier if is_classifier else MLPRegressor
        activation = _activation_of(fitted.network, self)
        _check_output(fitted, self)
        model = cls(**_parameters_for(cls, self, fitted, activation))
        attributes = {
            "coefs_": [np.array(layer.product_weights()) for layer in fitted.network.dense],
            "intercepts_": [_bias_of(layer).copy() for layer in fitted.network.dense],
            **_record_of(self, model.solver),
            **{k: v for k, v in fitted.attributes().items() if k != "loss_function_"},
        }
        if is_classifier:
            attributes["_label_binarizer"] = _binarizer_of(fitted.target)
        vars(model).update(attributes)
        return model

    @classmethod
    def from_sklearn(cls, model):
        """Return an estimator that continues from scikit-learn's: weights, moments and counters.

        Its predictions are the same, and the next step on the same batch is the one that scikit-learn would
        take.

        Parameters
        ----------
        model : MLPClassifier or MLPRegressor
            The fitted estimator; it is not changed.

        Returns
        -------
        estimator : NumpyMLPClassifier or NumpyMLPRegressor
            The estimator, with all parameters of the model.

        Raises
        ------
        TypeError
            If the model is not such an estimator.
        ValueError
            If its `out_activation_` was set to a value that this package does not have.
        NotFittedError
            If it is not fitted.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn.neural_network import MLPRegressor
        >>> from sknumpynet import NumpyMLPRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> theirs = MLPRegressor(max_iter=2000, random_state=0).fit(X, y)
        >>> ours = NumpyMLPRegressor.from_sklearn(theirs)
        >>> bool(abs(theirs.predict(X) - ours.predict(X)).max() < 1e-9)
        True
        """
        classifies = issubclass(cls, ClassifierMixin)
        wanted = MLPClassifier if classifies else MLPRegressor
        if not isinstance(model, wanted):
            raise TypeError(
                f"{cls.__name__}.from_sklearn needs a fitted {wanted.__name__} of scikit-learn; got "
                f"{type(model).__name__}"
            )
        check_is_fitted(model)
        estimator = clone(cls(**model.get_params(deep=False)))  # with its own generator
        parameters = estimator.get_params(deep=False)
        target = (
            _labels_of(model)
            if classifies
            else estimator._target_of_assigned({}, (0, model.n_outputs_))
        )
        loss = target.make_loss(parameters)
        if model.out_activation_ not in (loss.link, *LINKS):
            raise ValueError(
                f"out_activation_={model.out_activation_!r} is none of "
                f"{', '.join(map(repr, LINKS))}: set it back to {loss.link!r}"
            )
        network = _network_of(model, parameters)
        names = vars(model).get("feature_names_in_")
        fitted = FittedModel(network, target, loss, model.out_activation_, names)
        training = _training_of(model, fitted, parameters)
        estimator._publish(fitted, **_record_from(model), _training=training, _plan=None)
        return estimator


# -------------------------------------------------------------------- to scikit-learn


def _activation_of(network, estimator):
    """Return the name of the activation of all hidden layers, or raise ValueError."""
    names = set()
    for layer in network.layers:
        if isinstance(layer, Activate):
            activation = layer.activation
            if type(activation) not in ACTIVATIONS:
                raise ValueError(
                    f"activation={estimator.activation!r}: scikit-learn's networks have no {activation!r}, "
                    f"but {', '.join(map(repr, ACTIVATIONS.values()))}"
                )
            names.add(ACTIVATIONS[type(activation)])
        elif not isinstance(layer, Dense | Dropout):
            raise ValueError(
                f"normalization={estimator.normalization!r}: scikit-learn's networks have no "
                f"{type(layer).__name__}. export.to_onnx and the other exports support it"
            )
    if len(names) > 1:
        raise ValueError(
            f"activation={estimator.activation!r}: scikit-learn's networks have one activation for all "
            "hidden layers"
        )
    return names.pop() if names else "relu"


def _check_output(fitted, estimator):
    """Raise ValueError if scikit-learn has no such output."""
    target, loss = fitted.target, fitted.loss
    if fitted.link != loss.link:
        raise ValueError(
            f"out_activation_={fitted.link!r} was set after the fit: set it back to {loss.link!r}"
        )
    if isinstance(loss, Quantile) and loss.n_outputs_for(1) > 1:
        raise ValueError(
            f"loss={estimator.loss!r}: scikit-learn's networks do not predict several quantiles, which are "
            "sorted"
        )
    if target.classes is not None:
        if not isinstance(target, LABELS):
            raise ValueError(
                "y had several columns of labels, which scikit-learn's networks do not support: convert one "
                "network for each column"
            )
        if loss.link != target.natural_link:
            raise ValueError(
                f"loss={estimator.loss!r}: scikit-learn's networks have no link {loss.link!r} for such labels"
            )
    elif loss.link not in ("identity", "exp"):
        raise ValueError(
            f"loss={estimator.loss!r}: scikit-learn's networks have no link {loss.link!r}"
        )


def _parameters_for(cls, estimator, fitted, activation):
    """Return the parameters that scikit-learn's estimator has too, with values that it supports."""
    names = set(inspect.signature(cls).parameters)
    parameters = {}
    for name, value in estimator._all_params().items():
        known = isinstance(value, str) and value in CHOICES[name] if name in CHOICES else True
        if name in names and name != "loss" and known:
            parameters[name] = value
    parameters["activation"] = activation
    parameters["hidden_layer_sizes"] = tuple(layer.fan_out for layer in fitted.network.dense[:-1])
    if cls is MLPRegressor and fitted.link == "exp":
        if "loss" not in names:
            raise ValueError(
                f"loss={estimator.loss!r}: this version of scikit-learn has no link 'exp' in its networks"
            )
        parameters["loss"] = "poisson"
    return parameters


def _bias_of(layer):
    return layer.b if layer.bias else np.zeros(layer.fan_out, layer.W.dtype)


def _record_of(estimator, solver):
    """Return the attributes of the fit, as scikit-learn's attributes."""
    state = vars(estimator)
    record = {"n_iter_": state.get("n_iter_", 0), "t_": state.get("t_", 0)}
    if "loss_" in state:
        record["loss_"] = state["loss_"]
    if solver != "lbfgs":
        record["_no_improvement_count"] = 0
        for name, nothing in RECORD.items():
            value = state.get(name, nothing)
            record[name] = list(value) if isinstance(value, list) else value
    return record


def _binarizer_of(target):
    """Return the fitted LabelBinarizer that scikit-learn's classifier has for such labels."""
    binarizer = LabelBinarizer().fit([0, 1])
    binarizer.classes_ = np.asarray(target.classes)
    if isinstance(target, IndicatorLabels):
        binarizer.y_type_, binarizer.sparse_input_ = "multilabel-indicator", target.sparse
    else:
        binarizer.y_type_ = "multiclass" if isinstance(target, MulticlassLabels) else "binary"
    return binarizer


# -------------------------------------------------------------------- from scikit-learn


def _labels_of(model):
    """Return the kind of labels of scikit-learn's classifier."""
    binarizer, classes = model._label_binarizer, model.classes_
    if binarizer.y_type_ == "multilabel-indicator":
        return IndicatorLabels(classes, bool(binarizer.sparse_input_))
    return BinaryLabels(classes) if model.n_outputs_ == 1 else MulticlassLabels(classes)


def _network_of(model, parameters):
    """Return a network with copies of the weights."""
    coefs, intercepts = model.coefs_, model.intercepts_
    sizes = [coefs[0].shape[0], *(W.shape[1] for W in coefs)]
    dtype = np.result_type(*coefs, *intercepts, np.float32)
    network = Network(
        make_layers(parameters, sizes), dtype=dtype if dtype == np.float32 else np.float64, rng=0
    )
    network.params[...] = np.concatenate([np.ravel(each) for each in [*coefs, *intercepts]])
    return network


def _training_of(model, fitted, parameters):
    """Return a training that continues where scikit-learn stopped, or None if there is no state."""
    optimizer = vars(model).get("_optimizer")
    if optimizer is None or parameters["solver"] == "lbfgs":
        return None
    rng, network = check_random_state(parameters["random_state"]), fitted.network
    ours, schedule = make_optimizer(parameters), make_schedule(parameters)
    moments = {"m": "ms", "v": "vs"} if hasattr(optimizer, "ms") else {"velocity": "velocities"}
    if set(moments) != set(ours.state_names):  # `solver` was set to another one after the fit
        return None
    training = Training(
        network,
        fitted.loss,
        ours,
        schedule,
        rng,
        l2=float(parameters["alpha"]),
        loss_scale=1.0 / network.n_outputs if fitted.loss.reports_mean else 1.0,
        shuffle=bool(parameters["shuffle"]),
        max_epochs=int(parameters["max_iter"]),
    )
    ours.state = {
        name: np.concatenate([np.ravel(each) for each in getattr(optimizer, theirs)]).astype(
            network.dtype, copy=False
        )
        for name, theirs in moments.items()
    }
    ours.t = int(getattr(optimizer, "t", model.n_iter_))
    training.progress.samples, training.progress.epoch = int(model.t_), int(model.n_iter_)
    training.progress.step = ours.t
    training.learning_rate = training.rate()
    if "velocity" in moments and schedule.on_plateau(1.0) is not None:
        training.plateau_factor = optimizer.learning_rate / training.learning_rate
        training.learning_rate = optimizer.learning_rate
    best, count = vars(model).get("best_loss_"), vars(model).get("_no_improvement_count", 0)
    training.patience = Patience(np.inf if best is None else best, count)
    if parameters["random_state"] is None:
        training.rng = None
    return training


def _record_from(model):
    """Return the attributes of a fit from scikit-learn's attributes."""
    state = vars(model)
    record = {name: state[name] for name in ("n_iter_", "t_", "loss_") if name in state}
    if "loss_curve_" not in state:
        return record
    curve, scores = list(state["loss_curve_"]), state.get("validation_scores_")
    history = {"epoch": list(range(1, len(curve) + 1)), "loss": curve}
    record |= {"history_": history, "loss_curve_": curve, "validation_loss_curve_": None}
    for name in ("best_loss_", "best_validation_score_", "validation_scores_"):
        record[name] = state.get(name)
    record["best_epoch_"] = len(curve) or None
    if scores is not None:
        record["validation_scores_"] = history["validation_score"] = list(scores)
        if np.isfinite(scores).any():
            record["best_epoch_"] = int(np.nanargmax(scores)) + 1
    return record
