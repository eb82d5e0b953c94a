# SPDX-License-Identifier: BSD-3-Clause
"""A network as a graph of ONNX operators: the layers one after the other, the link, and the labels.

onnxruntime has double-precision kernels for only a few operators, so activations are composed of these: Exp,
Log, Max, Min, Tanh, Sigmoid and arithmetic. Only the exact GELU needs Erf, which is available in single
precision.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from sknumpynet.core.activations.base import Activation
from sknumpynet.core.activations.basic import Identity, Logistic, ReLU, Tanh
from sknumpynet.core.activations.bounded import Gaussian, HardTanh, Softsign, StepActivation
from sknumpynet.core.activations.rectifiers import ELU, SELU, LeakyReLU
from sknumpynet.core.activations.smooth import GELU, Mish, SiLU, Softplus
from sknumpynet.core.layers import Activate, BatchNorm, Dense, Dropout, LayerNorm
from sknumpynet.core.losses.base import has_inverse_link
from sknumpynet.core.losses.regression import Quantile
from sknumpynet.core.options import is_foreign
from sknumpynet.estimators.labels import (
    BinaryLabels,
    IndicatorLabels,
    MulticlassLabels,
    MultioutputLabels,
)

# From this version on the axes of ReduceMean are an input instead of an attribute.
AXES_AS_INPUT = 18
PROTO_TYPES = {"float32": 1, "float64": 11, "int64": 7}  # of TensorProto


class Graph(ABC):
    """Collects operators and constants; values are identified by name.

    Parameters
    ----------
    dtype : str
        'float32' or 'float64', the precision of the computation.
    opset : int
        The version of the operators.
    """

    def __init__(self, dtype, opset):
        self.dtype, self.opset = np.dtype(dtype), opset

    @abstractmethod
    def add(self, operator, *inputs, output=None, **attributes):
        """Add an operator, and return the name of its output, or of the first of several."""

    @abstractmethod
    def constant(self, array):
        """Add an array, and return its name."""

    def number(self, value):
        """Add a number in the dtype of the computation."""
        return self.weights(np.array(value))

    def weights(self, array):
        """Add an array in that dtype, or raise if the numbers are too large for it."""
        with np.errstate(over="ignore"):
            cast = np.asarray(array, self.dtype)
        if not np.array_equal(np.isfinite(cast), np.isfinite(array)):
            raise ValueError(
                f"dtype={self.dtype.name!r} cannot hold all numbers of the model, which go up to "
                f"{np.abs(array).max():.1e}: use dtype='float64'"
            )
        return self.constant(cast)

    def cast(self, value, dtype, output=None):
        return self.add("Cast", value, to=PROTO_TYPES[str(dtype)], output=output)

    def mean(self, value):
        """Return the mean of each row, with shape (n, 1)."""
        if self.opset < AXES_AS_INPUT:
            return self.add("ReduceMean", value, axes=[1], keepdims=1)
        return self.add("ReduceMean", value, self.constant(np.array([1])), keepdims=1)

    def columns(self, value, start, stop):
        bounds = [self.constant(np.array([each])) for each in (start, stop, 1)]
        return self.add("Slice", value, *bounds)


# -------------------------------------------------------------------- activations


def _softplus(g, z):
    """``log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|))``."""
    small = g.add("Exp", g.add("Neg", g.add("Abs", z)))
    log = g.add("Log", g.add("Add", small, g.number(1)))
    return g.add("Add", g.add("Max", z, g.number(0)), log)


def _elu(g, z, alpha, scale):
    """``scale max(z, 0) + scale alpha (exp(min(z, 0)) - 1)``.

    onnxruntime 1.28 to 1.31 rounds a number by which all of ``a`` is multiplied before a product of matrices
    to single precision.
    """
    left = g.add("Sub", g.add("Exp", g.add("Min", z, g.number(0))), g.number(1))
    right = g.add("Max", z, g.number(0))
    if scale != 1:
        right = g.add("Mul", right, g.number(scale))
    return g.add("Add", right, g.add("Mul", left, g.number(scale * alpha)))


def silu(g, z):
    """``z logistic(z)``, in double precision as ``z / (1 + exp(-z))``.

    Up to 1.30, onnxruntime replaces the first form by a kernel that it has in single precision only.
    """
    if g.dtype == np.float64:
        return g.add("Div", z, g.add("Add", g.add("Exp", g.add("Neg", z)), g.number(1)))
    return g.add("Mul", z, g.add("Sigmoid", z))


def _gelu(g, z):
    """``z / 2 (1 + erf(z / sqrt(2)))``."""
    erf = g.add("Erf", g.add("Mul", z, g.number(math.sqrt(0.5))))
    return g.add("Mul", g.add("Mul", z, g.number(0.5)), g.add("Add", erf, g.number(1)))


ACTIVATIONS = {
    Identity: lambda g, z, a: z,
    Logistic: lambda g, z, a: g.add("Sigmoid", z),
    Tanh: lambda g, z, a: g.add("Tanh", z),
    ReLU: lambda g, z, a: g.add("Max", z, g.number(0)),
    LeakyReLU: lambda g, z, a: g.add("Max", z, g.add("Mul", z, g.number(a.slope))),
    ELU: lambda g, z, a: _elu(g, z, a.alpha, 1),
    SELU: lambda g, z, a: _elu(g, z, a.alpha, a.scale),
    GELU: lambda g, z, a: _gelu(g, z),
    SiLU: lambda g, z, a: silu(g, z),
    Mish: lambda g, z, a: g.add("Mul", z, g.add("Tanh", _softplus(g, z))),
    Softplus: lambda g, z, a: _softplus(g, z),
    Softsign: lambda g, z, a: g.add("Div", z, g.add("Add", g.add("Abs", z), g.number(1))),
    HardTanh: lambda g, z, a: g.add("Min", g.add("Max", z, g.number(-1)), g.number(1)),
    Gaussian: lambda g, z, a: g.add("Exp", g.add("Neg", g.add("Mul", z, z))),
    StepActivation: lambda g, z, a: g.cast(g.add("Greater", z, g.number(0)), g.dtype),
}


def _activated(g, z, activation: Activation):
    if type(activation) not in ACTIVATIONS:
        raise ValueError(
            f"activation={activation!r} has no counterpart in ONNX: custom functions and classes are "
            "code"
        )
    if isinstance(activation, GELU) and g.dtype == np.float64:
        raise ValueError(
            "activation='gelu' needs Erf, for which onnxruntime has no kernel in double precision: use "
            "dtype='float32'"
        )
    return ACTIVATIONS[type(activation)](g, z, activation)


# -------------------------------------------------------------------- layers


def write_layers(g, network, x):
    """Add all layers; return the name of the raw output."""
    for layer in network.layers:
        if type(layer) is Dense:
            x = g.add("MatMul", x, g.weights(layer.product_weights()))
            if layer.bias:
                x = g.add("Add", x, g.weights(layer.b))
        elif type(layer) is Activate:
            x = _activated(g, x, layer.activation)
        elif type(layer) is BatchNorm:
            inv_std = 1 / np.sqrt(np.float64(layer.variance) + layer.epsilon)
            h = g.add(
                "Mul", g.add("Sub", x, g.weights(layer.mean)), g.weights(inv_std * layer.gain)
            )
            x = g.add("Add", h, g.weights(layer.shift))
        elif type(layer) is LayerNorm:
            x = _layer_norm(g, x, layer)
        elif type(layer) is not Dropout:  # which does nothing in prediction
            raise ValueError(f"the network has a layer that ONNX has no counterpart for: {layer!r}")
    return x


def _layer_norm(g, x, layer):
    x = g.add("Sub", x, g.mean(x))
    variance = g.mean(g.add("Mul", x, x))
    std = g.add("Sqrt", g.add("Add", variance, g.number(layer.epsilon)))
    h = g.add("Mul", g.add("Div", x, std), g.weights(layer.gain))
    return g.add("Add", h, g.weights(layer.shift))


# -------------------------------------------------------------------- links


LINK_OPERATORS = {
    "logistic": lambda g, raw: g.add("Sigmoid", raw),
    "softmax": lambda g, raw: g.add("Softmax", raw, axis=1),
}


def check_link(fitted):
    """Raise ValueError if the link is custom code."""
    loss = fitted.loss
    if fitted.link == loss.link:
        if is_foreign(loss) and has_inverse_link(loss):
            raise ValueError(f"loss={loss!r} has a custom link, which is code")
    if fitted.link not in ("identity", "exp", *LINK_OPERATORS):
        raise ValueError(
            f"out_activation_={fitted.link!r} is a link that ONNX has no counterpart for"
        )


def _linked(g, raw, fitted):
    """Add the link of a classifier; probabilities are never exactly 0 or 1."""
    link = fitted.link
    if link == "exp":
        return g.add("Exp", raw)
    if link == "identity":
        return raw
    blocks = getattr(fitted.target, "blocks", None)
    if link == "softmax" and link == fitted.loss.link and blocks:  # one for each column of labels
        parts = [g.columns(raw, each.start, each.stop) for each in blocks]
        p = g.add("Concat", *[LINK_OPERATORS[link](g, each) for each in parts], axis=1)
    else:
        p = LINK_OPERATORS[link](g, raw)
    return _within_limits(g, p)


def _within_limits(g, p):
    limits = np.finfo(g.dtype)
    p = g.add("Max", p, g.number(limits.tiny))
    return g.add("Min", p, g.number(1 - limits.epsneg))


# -------------------------------------------------------------------- outputs


class Output(NamedTuple):
    """An output of the graph: its name, the kind of its values, and its shape after the rows."""

    name: str
    kind: str  # 'float', 'int64' or 'string'
    shape: tuple


def outputs_of(fitted, plain_labels=False):
    """Return the outputs of the graph for the network, in order."""
    target, network = fitted.target, fitted.network
    if target.classes is None:
        return [Output("variable", "float", (network.n_outputs,))]
    if isinstance(target, IndicatorLabels):
        n = (target.n_outputs,)
        return [Output("label", "int64", n), Output("probabilities", "float", n)]
    kinds = [labels_for_onnx(each, plain_labels)[0] for each in _columns_of(target)]
    sizes = [max(len(each), 2) for each in _columns_of(target)]
    if len(kinds) == 1 and not isinstance(target, MultioutputLabels):
        return [Output("label", kinds[0], ()), Output("probabilities", "float", (sizes[0],))]
    labels = [Output(f"label_{i}", kind, ()) for i, kind in enumerate(kinds)]
    sizes = getattr(target, "sizes", sizes)
    return labels + [Output(f"probabilities_{i}", "float", (size,)) for i, size in enumerate(sizes)]


def _columns_of(target):
    return target.classes if isinstance(target, MultioutputLabels) else [target.classes]


def labels_for_onnx(classes, plain=False):
    """Return the kind and the array of labels in ONNX: int64 or text; with ``plain`` their numbers."""
    if plain:
        return "int64", np.arange(len(classes))
    classes = np.asarray(classes)
    items = classes.tolist()
    if all(isinstance(each, str) for each in items):
        return "string", np.array(items, dtype=object)
    if all(isinstance(each, int | float) and float(each).is_integer() for each in items):
        numbers = [int(each) for each in items]
        if all(-(1 << 63) <= each < 1 << 63 for each in numbers):
            return "int64", np.array(numbers, np.int64)
    raise ValueError(
        f"ONNX supports text and integers as labels; y had {items[:5]} (dtype {classes.dtype}): fit "
        "with other labels"
    )


def write_network(g, fitted, x, names, raw_scores=False, plain_labels=False):
    """Add everything from the input ``x`` to outputs with these names, those of `outputs_of`."""
    check_link(fitted)
    x = g.cast(x, g.dtype)
    raw = write_layers(g, fitted.network, x)
    if fitted.target.classes is None:
        _write_numbers(g, fitted, raw, names[0])
        return
    p = _linked(g, raw, fitted)
    evidence, threshold = (raw, 0) if fitted.decides_by_raw else (p, 0.5)
    scores = evidence if raw_scores else p
    if (
        raw_scores
        and threshold
        and not isinstance(fitted.target, MulticlassLabels | MultioutputLabels)
    ):
        scores = g.add("Sub", evidence, g.number(threshold))
    if isinstance(fitted.target, IndicatorLabels):
        g.cast(g.add("Greater", evidence, g.number(threshold)), "int64", output=names[0])
        g.add("Identity", scores, output=names[1])
    elif isinstance(fitted.target, BinaryLabels):
        second = g.cast(g.add("Greater", evidence, g.number(threshold)), "int64")
        if len(fitted.target.classes) == 1:
            second = g.add("Mul", second, g.constant(np.array(0)))
        chosen = g.add("Reshape", second, g.constant(np.array([-1])))
        write_label(g, fitted.target.classes, chosen, names[0], plain_labels)
        _write_both(g, fitted, raw, scores, names[1], raw_scores)
    else:
        blocks = getattr(fitted.target, "blocks", [slice(0, fitted.network.n_outputs)])
        for i, (classes, block) in enumerate(zip(_columns_of(fitted.target), blocks, strict=True)):
            part = g.columns(evidence, block.start, block.stop)
            chosen = g.add("ArgMax", part, axis=1, keepdims=0)
            write_label(g, classes, chosen, names[i], plain_labels)
            part = g.columns(scores, block.start, block.stop)
            g.add("Identity", part, output=names[len(blocks) + i])


def _write_numbers(g, fitted, raw, name):
    """Add the link of a regressor, and the sorting of several quantiles."""
    loss, link = fitted.loss, fitted.link
    if link == "exp":
        g.add("Exp", raw, output=name)
    elif link != loss.link and link != "identity":  # set after the fit
        g.add("Identity", LINK_OPERATORS[link](g, raw), output=name)
    elif link == loss.link and is_several(loss):
        write_sorted(g, raw, fitted.network.n_outputs, output=name)
    else:
        g.add("Identity", raw, output=name)


def is_several(loss):
    """Return whether a loss has several quantiles, which are sorted."""
    return isinstance(loss, Quantile) and loss.n_outputs_for(1) > 1


def write_sorted(g, y, n, output=None, axis=1):
    """Add the n columns of y in ascending order; return their name."""
    n = g.constant(np.array([n]))
    return g.add("TopK", y, n, output=output, n_outputs=2, axis=axis, largest=0, sorted=1)


def write_label(g, classes, chosen, name, plain=False):
    """Add the labels of the chosen classes, or their numbers with ``plain``."""
    _, labels = labels_for_onnx(classes, plain)
    g.add("Gather", g.constant(labels), chosen, output=name)


def _write_both(g, fitted, raw, scores, name, raw_scores):
    """Add two columns for the two classes of one output."""
    if raw_scores:
        first = g.add("Neg", scores)
    elif fitted.link == "logistic":
        first = _within_limits(g, g.add("Sigmoid", g.add("Neg", raw)))
    else:
        first = g.add("Sub", g.number(1), scores)
    g.add("Concat", first, scores, axis=1, output=name)
