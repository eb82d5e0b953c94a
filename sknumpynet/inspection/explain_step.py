# SPDX-License-Identifier: BSD-3-Clause
"""Every number of one training step."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from sknumpynet.core.activations import ACTIVATIONS
from sknumpynet.core.layers import Activate, Dense, Dropout, Normalization
from sknumpynet.core.layers.base import RUNNING_STATS, grouped_shapes
from sknumpynet.core.network.workspace import Workspace
from sknumpynet.core.optimizers import SGD, Adam, AdamW
from sknumpynet.core.training.batches import Batches
from sknumpynet.estimators.base import BaseNumpyMLP
from sknumpynet.estimators.labels import BinaryLabels, MulticlassLabels
from sknumpynet.inspection.derivation import derivation


@dataclass(repr=False)
class StepExplanation:
    """All numbers of one forward and backward pass and one update.

    :func:`~sknumpynet.explain_step` returns it. It prints as a derivation; `rows` and `to_frame` give one
    row per number.

    Parameters
    ----------
    heading : str
        Network and solver in words.
    x : ndarray of shape (n_features,)
        The row.
    layers : list of dict of str to ndarray
        For each layer of weights, in the order and with the shapes of ``coefs_``: its input ``x``, ``W`` and
        ``b``, the pre-activation ``z`` and the activation ``a``, which in the last layer is the prediction.
        After a step also ``slope`` = da/dz (of hidden layers), ``delta`` = dL/dz, the gradients ``dW`` and
        ``db`` of the loss, the gradients passed to the optimizer, ``gW`` and ``gb`` (with the penalty, and
        clipped by ``max_grad_norm``), and ``new_W`` and ``new_b``. With normalisation, ``s`` = x W + b,
        ``h``, which is ``s`` normalised, ``ds``, and ``gain`` and ``shift`` beside ``W`` and ``b``. With
        dropout, the factors ``mask`` of ``a``, and ``x_mask`` of the first layer. With Adam and AdamW, its
        moments after the step, ``m_W``, ``v_W`` and so on. ``function`` names the activation.
    y : ndarray of shape (n_targets,), default=None
        The target in the form that the loss needs, with 1 for the class and 0 for the others; None without a
        backward pass.
    loss, penalty : float, default=None
        The loss before the step, and the penalty on the weights.
    loss_name : str, default=""
        Name of the loss.
    learning_rate : float, default=None
        The learning rate of the step; None if there was none.
    optimizer : Optimizer, default=None
        The optimizer, with its state after the step.
    max_grad_norm : float, default=None
        Maximum norm of the gradient.
    label : object, default=None
        The label of the row as it was given; None for numbers and without a backward pass.
    output_labels : list of str, default=None
        The label of each output; None for numbers.

    Examples
    --------
    >>> from sknumpynet import NumpyMLPRegressor, explain_step
    >>> model = NumpyMLPRegressor.from_weights([[[2.0]]], [[3.0]])
    >>> explain_step(model, [10.0]).rows()[-1]
    {'layer': 0, 'quantity': 'a', 'input': None, 'unit': 0, 'value': 23.0}
    """

    heading: str
    x: Any
    layers: list
    y: Any = None
    loss: Any = None
    penalty: Any = None
    loss_name: str = ""
    learning_rate: Any = None
    optimizer: Any = None
    max_grad_norm: Any = None
    label: Any = None
    output_labels: Any = None

    @property
    def prediction(self):
        """The output after the link, of shape (n_outputs,)."""
        return self.layers[-1]["a"]

    @property
    def plain_descent(self):
        """Whether the update was minus the learning rate times the gradient."""
        return isinstance(self.optimizer, SGD) and self.optimizer.momentum == 0

    def rows(self):
        """Return each number as a dict.

        Returns
        -------
        rows : list of dict
            With the keys ``layer``, the index of ``coefs_``; ``quantity``, a name as in `layers`; ``input``
            and ``unit``, the row and column of a matrix (``input`` is None for vectors, where ``x`` and
            ``x_mask`` have an input and no unit); and ``value``.
        """
        rows = []
        for k, layer in enumerate(self.layers):
            for name, values in layer.items():
                if name == "function":
                    continue
                for index in np.ndindex(values.shape):
                    place = (None, *index) if len(index) == 1 else index
                    if name in ("x", "x_mask"):
                        place = (*index, None)
                    rows.append(
                        {
                            "layer": k,
                            "quantity": name,
                            "input": place[0],
                            "unit": place[1],
                            "value": float(values[index]),
                        }
                    )
        return rows

    def to_frame(self):
        """Return `rows` as a pandas DataFrame.

        Returns
        -------
        frame : pandas.DataFrame
            A row per number.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "StepExplanation.to_frame() needs pandas: pip install pandas"
            ) from error
        frame = pd.DataFrame(self.rows(), columns=["layer", "quantity", "input", "unit", "value"])
        return frame.astype({"input": "Int64", "unit": "Int64"})

    def __str__(self):
        return derivation(self)

    __repr__ = __str__  # a notebook shows the derivation


def explain_step(estimator, x, y=None):
    """Make one training step on one row, on a copy of the network, and return all of its numbers.

    The step is the one that ``partial_fit`` would make with this row alone: the same code, with the loss, the
    penalty, the optimizer and its state, and the learning rate of the next step.

    Parameters
    ----------
    estimator : NumpyMLPClassifier or NumpyMLPRegressor
        A fitted network; ``initialize`` and ``from_weights`` make one without training. It is not changed.
    x : array-like of shape (n_features,) or (1, n_features)
        One row.
    y : object or array-like of shape (n_outputs,), default=None
        Its label or target. Without it there is only a forward pass, as in prediction.

    Returns
    -------
    step : StepExplanation
        The numbers: they print as a derivation; ``step.rows()`` and ``step.to_frame()`` return data.

    Raises
    ------
    TypeError
        If the estimator is not one of this package.
    ValueError
        If `x` is more than one row, `y` is not a label or target of the network, or the activation has no
        derivative for the backward pass.

    Notes
    -----
    With ``solver="lbfgs"``, whose steps need all rows, there are gradients, but no update. One row has no
    batch statistics: with ``normalization="batch"`` the running ones are used, as in training. With dropout
    the masks are drawn as in training. ``class_weight="balanced"`` is ignored, since it needs more than one
    row.

    Examples
    --------
    One weight and one bias, ``prediction = 2 x + 3``, and a target that is 1 too high:

    >>> from sknumpynet import NumpyMLPRegressor, explain_step
    >>> model = NumpyMLPRegressor.from_weights(
    ...     [[[2.0]]], [[3.0]], solver="sgd", momentum=0.0, learning_rate_init=0.1, alpha=0.0
    ... )
    >>> print(explain_step(model, [10.0], 22.0))
    NumpyMLPRegressor, 1-1, solver='sgd', on one row
    <BLANKLINE>
    Forward
      x = [10]
      Layer 0, the output: z0 = x W0 + b0, prediction = identity(z0)
        z0[0] = 10 * 2 + 3 = 23
    <BLANKLINE>
    Loss: SquaredError() with y = [22]
      L = 0.5
    <BLANKLINE>
    Backward
      Layer 0, the output: delta0 = dL/dz0 = prediction - y, dW0 = x^T delta0, db0 = delta0
        delta0[0] = 23 - 22 = 1
        dW0[0,0] = 10 * 1 = 10
        db0 = [1]
    <BLANKLINE>
    Update: SGD(momentum=0.0), learning rate 0.1
      W0[0,0] = 2 - 0.1 * 10 = 1
      b0[0] = 3 - 0.1 * 1 = 2.9
    """
    if not isinstance(estimator, BaseNumpyMLP):
        raise TypeError(
            "explain_step needs a fitted NumpyMLPClassifier or NumpyMLPRegressor; got "
            f"{type(estimator).__name__}"
        )
    check_is_fitted(estimator)
    X = _one_row(x)
    ours = copy.deepcopy(estimator)
    heading = _heading(ours)
    vars(ours).update(
        batch_size="auto", early_stopping=False, max_time=None, verbose=False, warm_start=False
    )
    if ours.random_state is None:  # does not use NumPy's global generator
        ours.random_state = 0
    if isinstance(getattr(ours, "class_weight", None), str):
        ours.class_weight = None
    stochastic = ours.solver != "lbfgs"
    if not stochastic:
        vars(ours).update(solver=SGD(momentum=0.0), learning_rate="constant")
    if y is None:
        model = ours._fitted_model()
        network, X = model.network, _as_batch(ours._checked_rows(model, X), model.network)
        seen = _trace(network, X, Workspace(network, 1, training=False))
        step = StepExplanation(heading, X[0], _layers(network, seen))
        step.output_labels = _output_labels(model)
        _show_prediction(step, model, seen[-1]["output"])
        return step
    y_row = _one_target(y, ours._fitted_model().target)
    start = ours._start(X, y_row, None, "partial_fit")
    plan, data, model, training = start.plan, start.data, start.model, start.training
    network = model.network
    before, batches = (
        network.copy(),
        Batches(data.X, data.targets, data.sample_weight, 1, network.dtype),
    )
    X, targets, weight = batches.gather(slice(0, 1))

    def delta(raw):
        return plan.loss.value_and_gradient(targets, raw, weight)[1]

    work = Workspace(before, 1)
    if network.is_random:  # the masks of the step below
        before.sample_masks(work, copy.deepcopy(training.mask_rng))
    seen = _trace(before, X.copy(), work, delta)
    raw = seen[-1]["output"]
    value, _ = plan.loss.value_and_gradient(targets, raw, weight)
    record = next(training.epochs(batches))  # of one row: one step
    step = StepExplanation(
        heading,
        seen[0]["input"][0],
        _layers(before, seen, network, stochastic),
        y=_as_numbers(targets, raw),
        loss=value,
        penalty=record.loss - value * plan.loss_scale,
        loss_name=repr(plan.loss),
        learning_rate=record.learning_rate if stochastic else None,
        optimizer=training.optimizer if stochastic else None,
        max_grad_norm=plan.max_grad_norm,
        label=_label(y) if is_classifier(estimator) else None,
        output_labels=_output_labels(model),
    )
    if stochastic and type(training.optimizer) in (Adam, AdamW):
        _add_moments(step, before, training.optimizer)
    _show_prediction(step, model, raw)
    return step


def _add_moments(step, network, optimizer):
    """Add Adam's moments after the step to the layers: m_W and v_W for W, and so on."""
    for name in optimizer.state_names:
        moments = network.copy()
        moments.params[...] = optimizer.state[name]
        layers, layer = iter(step.layers), {}
        for each in moments.layers:
            if isinstance(each, Dense):
                layer = next(layers)
            for parameter, (group, _) in grouped_shapes(each).items():
                if group != RUNNING_STATS:
                    layer[f"{name}_{parameter}"] = getattr(each, parameter)


def _label(y):
    """Return the label as plain values, for the text."""
    y = np.asarray(y.toarray() if issparse(y) else y).ravel().tolist()
    return y[0] if len(y) == 1 else y


def _output_labels(model):
    """Return the label whose probability each output is, or None for numbers."""
    classes = model.target.attributes().get("classes_")
    if classes is None:
        return None
    if isinstance(classes, list):
        return [f"column {i}: {c!r}" for i, each in enumerate(classes) for c in each.tolist()]
    return [repr(c) for c in classes.tolist()][-model.network.n_outputs :]


def _one_row(x):
    """Return x as an object with one row that estimators accept."""
    if issparse(x):
        x = x.toarray()
    try:
        n_dims = np.ndim(x)
    except ValueError as error:
        raise ValueError("x must be one row; got rows of different lengths") from error
    if n_dims == 1:
        x = x.to_frame().T if hasattr(x, "iloc") else np.reshape(x, (1, -1))
    if np.shape(x)[:1] != (1,):
        raise ValueError(
            f"x must be one row; got an array of shape {np.shape(x)}: pass one, as with X[0]"
        )
    return x


def _one_target(y, target):
    """Return y with one entry, or one row, or raise if it is not a target of the network."""
    dtype = object if isinstance(y, list | tuple) else None  # text and numbers keep their types
    y = np.asarray(y.toarray() if issparse(y) else y, dtype=dtype)
    one_label = isinstance(target, BinaryLabels | MulticlassLabels)
    n = 1 if one_label else target.n_targets if target.classes is None else len(target.classes)
    if y.size != n:
        wanted = "one value" if n == 1 else f"{n} values, one for each column of the y of fit"
        raise ValueError(f"y must hold {wanted}; got {y.tolist()!r}")
    if one_label:
        labels, label = target.classes.tolist(), y.ravel().tolist()[0]
        if label not in labels:
            raise ValueError(f"y must be one of the labels in classes_, {labels}; got {label!r}")
    return y.reshape(1) if n == 1 else y.reshape(1, -1)


def _as_numbers(targets, raw):
    """Return the targets of the one row as numbers, class indices as one 1 among zeros."""
    if targets.ndim == 1:
        return np.eye(raw.shape[1])[targets[0]]
    return targets[0].astype(np.float64)


def _heading(estimator):
    sizes = [estimator.coefs_[0].shape[0], *(W.shape[1] for W in estimator.coefs_)]
    name, shape = type(estimator).__name__, "-".join(map(str, sizes))
    return f"{name}, {shape}, solver={estimator.solver!r}, on one row"


def _as_batch(X, network):
    """Return the row in the form that the core needs."""
    X = X.toarray() if issparse(X) else X
    return np.ascontiguousarray(X, dtype=network.dtype)


def _trace(network, X, work, delta=None):
    """Return inputs and outputs of each layer, forward and, if ``delta(raw)`` is given, backward."""
    seen, out = [], X
    for layer, buffer in zip(network.layers, work.buffers):
        record = {"input": np.array(out)}
        out = layer.forward(out, buffer)
        record["output"] = np.array(out)
        for name in ("mask", "x_hat"):
            kept = getattr(buffer, name)
            record[name] = None if kept is None else np.array(kept)
        seen.append(record)
    if delta is None:
        return seen
    flow = delta(out)
    network.grads[...] = 0  # creates them if there are none
    for layer, buffer, record in zip(network.layers[::-1], work.buffers[::-1], seen[::-1]):
        record["delta"] = np.array(flow)
        if isinstance(layer, Activate):
            record["slope"] = np.ones_like(flow)
            layer.backward(record["slope"], buffer)
        flow = layer.backward(flow, buffer)
        record["flow"] = None if flow is None else np.array(flow)
    return seen


def _layers(before, seen, after=None, updated=False):
    """Return the quantities of each layer of weights, and of the layers after it up to the next one."""
    layers = []
    x_mask = None
    for index, (layer, record) in enumerate(zip(before.layers, seen)):
        _check_layer(layer)
        if isinstance(layer, Dense):
            layers.append({"function": "identity", "x": record["input"][0]})
        current = layers[-1] if layers else {}
        trained = [
            name for name, (group, _) in grouped_shapes(layer).items() if group != RUNNING_STATS
        ]
        for name in trained:
            current[name] = getattr(layer, name)
        if isinstance(layer, Dropout):
            if not layers:
                x_mask = record["mask"]
            elif record["mask"] is not None:
                current["mask"] = record["mask"][0]
        elif isinstance(layer, Normalization):
            current["s"], current["h"] = current.pop("z"), record["x_hat"][0]
            current["z"] = record["output"][0]
        elif isinstance(layer, Activate):
            current["function"] = _name(layer.activation)
            current["a"] = record["output"][0]
        else:
            current["z"] = current["a"] = record["output"][0]
        if after is None:
            continue
        if index == len(seen) - 1:
            current["delta"] = record["delta"][0]
        if isinstance(layer, Activate):
            current["slope"], current["delta"] = record["slope"][0], record["flow"][0]
        elif isinstance(layer, Normalization):
            current["ds"] = record["flow"][0]
        for name in trained:
            current["d" + name] = getattr(layer, "d" + name)
            current["g" + name] = getattr(after.layers[index], "d" + name).copy()
            if updated:
                current["new_" + name] = getattr(after.layers[index], name).copy()
    if x_mask is not None:
        layers[0]["x_mask"] = x_mask[0]
    return layers


def _check_layer(layer):
    """Raise ValueError if a layer cannot be derived."""
    known = isinstance(layer, Activate | Dense | Dropout | Normalization)
    if not known or getattr(layer, "parametrization", "standard") != "standard":
        raise ValueError(f"explain_step has no formulas for a layer of the network: {layer!r}")


def _name(activation):
    """Return the estimator's name of the activation."""
    names = {ACTIVATIONS[name](): name for name in ACTIVATIONS}
    return names.get(activation, repr(activation))


def _show_prediction(step, model, raw):
    """Add the prediction, the link of the raw output, to the last layer."""
    prediction = np.empty_like(raw)
    model.link_function()(raw, prediction)
    step.layers[-1].update(a=prediction[0], function=model.link)
