# SPDX-License-Identifier: BSD-3-Clause
"""The networks of an estimator for tables as a graph of ONNX operators, from encoded rows on.

Members are the first axis, as in the packs: one operator computes a layer of all members of a shape.
"""

from __future__ import annotations

import math

import numpy as np
from sklearn.base import is_classifier

from sknumpynet.export.graph import (
    Output,
    is_several,
    labels_for_onnx,
    silu,
    write_label,
    write_sorted,
)

SMALLEST = 1e-30  # probability, before it is raised to a power


def n_inputs_of(model):
    """Return the number of columns of ``model.encode(X)``."""
    shape = model.ensemble_.packs[0].shape
    return shape.n_columns + shape.n_own


def outputs_of_table(model):
    """Return the outputs that a graph has, in their order."""
    n_outputs = model.ensemble_.objective.n_outputs
    if not is_classifier(model):
        return [Output("variable", "float", (n_outputs,))]
    kind, _ = labels_for_onnx(model.classes_)
    return [Output("label", kind, ()), Output("probabilities", "float", (n_outputs,))]


def write_table(g, model, x, names):
    """Add everything from the input ``x`` to outputs of these names, those of `outputs_of_table`."""
    ensemble, x = model.ensemble_, g.cast(x, g.dtype)
    objective = ensemble.objective
    first = g.constant(np.array([0]))
    parts = []
    for pack, weights in zip(ensemble.packs, ensemble.weights):
        predictions = _linked(g, objective.loss, _raw(g, pack, x), objective.n_outputs)
        shares = np.repeat(weights / ensemble.n_members, ensemble.n_members)
        weighted = g.add("Mul", predictions, g.weights(shares[:, np.newaxis, np.newaxis]))
        parts.append(g.add("ReduceSum", weighted, first, keepdims=0))
    mean = parts[0]
    for part in parts[1:]:
        mean = g.add("Add", mean, part)
    if is_classifier(model):
        p = _tempered(g, mean, ensemble.temperature)
        write_label(g, model.classes_, g.add("ArgMax", p, axis=1, keepdims=0), names[0])
        g.add("Identity", p, output=names[1])
    else:
        _write_numbers(g, model, mean, names[0])


def _raw(g, pack, x):
    """Add the layers of a pack; return the name of ``raw``, (k, n, outputs)."""
    shape, first = pack.shape, pack.first
    M = np.empty_like(first.W)
    first.products(M)  # rows: embeddings, columns that members have for themselves, other columns
    n_embedded = first.n_own - shape.n_own
    shared = np.concatenate([M[:, first.n_own :], M[:, n_embedded : first.n_own]], axis=1)
    z = g.add("MatMul", x, g.weights(shared))
    if pack.embedding is not None:
        E = _embedded(g, pack, x, n_embedded)
        z = g.add("Add", z, g.add("MatMul", E, g.weights(M[:, :n_embedded])))
    z = g.add("Add", z, g.weights(first.b))
    for layer in pack.dense:
        a = silu(g, z)
        z = g.add("Add", g.add("MatMul", a, g.weights(layer.W)), g.weights(layer.b))
    return z


def _embedded(g, pack, x, n_embedded):
    """Add ``V cos(w 2 pi x + b)``; return the name of the embeddings, (k, n, f o)."""
    P, f = pack.embedding.P, pack.shape.n_numeric
    numbers = g.add("Transpose", g.columns(x, 0, f), perm=[1, 0])
    angles = g.add("Mul", numbers, g.number(2 * math.pi))
    angles = g.add("Reshape", angles, g.constant(np.array([1, f, 1, -1])))
    S = g.add("Mul", angles, g.weights(P[..., :1]))
    b = P[..., 1:]
    if g.dtype == np.float64:  # onnxruntime has the cosine in double precision from 1.29 on only
        C = g.add("Sin", g.add("Add", S, g.weights(b + math.pi / 2)))
    else:
        C = g.add("Cos", g.add("Add", S, g.weights(b)))
    E = g.add("MatMul", g.weights(pack.embedding.V), C)  # (k, f, o, n)
    # not right before the product: onnxruntime 1.18 fuses the two into an operator that it has in single
    # precision only
    E = g.add("Transpose", E, perm=[0, 3, 1, 2])  # (k, n, f, o)
    return g.add("Reshape", E, g.constant(np.array([pack.n_members, -1, n_embedded])))


def _linked(g, loss, raw, n_outputs):
    """Add the link of the loss; it keeps several quantiles of a member in rising order."""
    if loss.link == "exp":
        return g.add("Exp", raw)
    if loss.link == "softmax":
        return g.add("Softmax", raw, axis=2)
    return write_sorted(g, raw, n_outputs, axis=2) if is_several(loss) else raw


def _tempered(g, p, temperature):
    """Add ``p^(1 / T)``, divided by its sum."""
    if temperature == 1:
        return p
    powers = g.add("Pow", g.add("Max", p, g.number(SMALLEST)), g.number(1 / temperature))
    total = g.add("ReduceSum", powers, g.constant(np.array([1])), keepdims=1)
    return g.add("Div", powers, total)


def _write_numbers(g, model, mean, name):
    """Add what makes numbers of the user's of what the networks have."""
    scale, shifts = model.target_scale_, getattr(model, "quantile_shifts_", None)
    y = g.add("Add", g.add("Mul", mean, g.weights(scale.scale)), g.weights(scale.center))
    if np.isfinite(scale.low).all():  # clip_target
        y = g.add("Min", g.add("Max", y, g.weights(scale.low)), g.weights(scale.high))
    if shifts is not None:
        y = g.add("Add", y, g.weights(shifts))
    if is_several(model.ensemble_.objective.loss):
        write_sorted(g, y, model.ensemble_.objective.n_outputs, output=name)
    else:
        g.add("Identity", y, output=name)
