# SPDX-License-Identifier: BSD-3-Clause
"""One training step as text: formulas with their numbers."""

from __future__ import annotations

import itertools

import numpy as np

# Longer sums, layers and matrices are shortened, with the number of omitted items.
MAX_TERMS, MAX_UNITS, MAX_ENTRIES = 5, 6, 12


def derivation(step):
    """Return the derivation of a `StepExplanation` as text."""
    lines = [step.heading, "", "Forward", f"  x = {vector(step.x)}"]
    for k in range(len(step.layers)):
        lines += forward(step, k)
    if step.output_labels is not None:
        shares = zip(some(len(step.prediction), MAX_UNITS), itertools.repeat(step))
        lines.append("  prediction: " + ", ".join(itertools.starmap(probability, shares)))
    if step.y is not None:
        lines += ["", *loss(step), "", "Backward"]
        for k in reversed(range(len(step.layers))):
            lines += backward(step, k)
        lines += ["", *update(step)]
    return "\n".join(lines)


def forward(step, k):
    """Return the lines of the forward pass through a layer."""
    layer, last = step.layers[k], k == len(step.layers) - 1
    x, s = source(k), "s" if "s" in layer else "z"
    formula = f"{s}{k} = {x} W{k}" + (f" + b{k}" if "b" in layer else "")
    if "s" in layer:
        formula += f", z{k} = gain{k} * normalised(s{k}) + shift{k}"
    out = "prediction" if last else f"a{k}"
    lines = [f"  {title(step, k)}: {formula}, {out} = {layer['function']}(z{k})"]
    if k == 0 and "x_mask" in layer:
        lines.append(f"    dropout: x * {vector(layer['x_mask'])} = {vector(layer['x'])}")
    for j in some(len(layer["z"]), MAX_UNITS):
        if j is None:
            lines.append(f"    ... {len(layer['z']) - MAX_UNITS + 1} more units")
            continue
        terms = products(layer["x"], layer["W"][:, j])
        if "b" in layer:
            terms += f" + {factor(layer['b'][j])}"
        lines.append(f"    {s}{k}[{j}] = {terms} = {number(layer[s][j])}")
        if "s" in layer:
            h, gain, shift = (factor(layer[name][j]) for name in ("h", "gain", "shift"))
            lines.append(
                f"    z{k}[{j}] = {gain} * {h} + {shift} = {number(layer['z'][j])}"
                f"    where {h} is s{k}[{j}] normalised"
            )
        z, a = number(layer["z"][j]), number(layer["a"][j])
        if layer["function"] == "softmax":
            z = f"z{k}"
        elif np.array_equal(layer["z"], layer["a"]):
            continue
        entry = f"[{j}]"
        lines.append(f"    {out}{entry} = {layer['function']}({z}){entry * (z == f'z{k}')} = {a}")
    if "mask" in layer:
        lines.append(f"    dropout: a{k} * {vector(layer['mask'])}")
    return lines


def loss(step):
    """Return the lines about the loss."""
    label = "" if step.label is None else f", the label {step.label!r}"
    lines = [
        f"Loss: {step.loss_name} with y = {vector(step.y)}{label}",
        f"  L = {number(step.loss)}",
    ]
    if step.penalty:
        both = number(step.loss + step.penalty)
        lines.append(f"  penalty = {number(step.penalty)}, L + penalty = {both}")
    return lines


def backward(step, k):
    """Return the lines of the backward pass through a layer."""
    layer, last = step.layers[k], k == len(step.layers) - 1
    n, ds = len(layer["z"]), "ds" if "s" in layer else "delta"
    bias = f", db{k} = {ds}{k}" if "b" in layer else ""
    gradients = f"dW{k} = {source(k)}^T {ds}{k}{bias}"
    errors = last and layer["a"].shape == step.y.shape
    errors = errors and np.allclose(layer["delta"], layer["a"] - step.y, rtol=1e-6, atol=1e-12)
    if last:
        formula = f"delta{k} = dL/dz{k}" + " = prediction - y" * errors
    else:
        mask = " * dropout" if "mask" in layer else ""
        following = "ds" if "s" in step.layers[k + 1] else "delta"
        formula = f"delta{k} = ({following}{k + 1} W{k + 1}^T){mask} * {layer['function']}'(z{k})"
    lines = [f"  {title(step, k)}: {formula}, {gradients}"]
    for j in some(n, MAX_UNITS):
        if j is None:
            lines.append(f"    ... {n - MAX_UNITS + 1} more units")
            continue
        delta = number(layer["delta"][j])
        if last:
            difference = f"{number(layer['a'][j])} - {factor(step.y[j])} = " if errors else ""
            lines.append(f"    delta{k}[{j}] = {difference}{delta}")
        else:
            after = step.layers[k + 1]
            following = after.get("ds", after["delta"])
            total = f"({products(following, after['W'][j])})"
            mask = f" * {number(layer['mask'][j])}" if "mask" in layer else ""
            slope = factor(layer["slope"][j])
            lines.append(f"    delta{k}[{j}] = {total}{mask} * {slope} = {delta}")
        if ds == "ds":
            lines.append(f"    ds{k}[{j}] = {number(layer['ds'][j])}, back through normalisation")
    d = layer.get("ds", layer["delta"])
    for index in entries(layer["dW"], lines):
        i, j = index
        product = f"{number(layer['x'][i])} * {factor(d[j])}"
        lines.append(f"    dW{k}[{i},{j}] = {product} = {number(layer['dW'][i, j])}")
    if "b" in layer:
        lines.append(f"    db{k} = {vector(layer['db'])}")
    if "s" in layer:
        lines.append(f"    dgain{k} = {vector(layer['dgain'])}")
        lines.append(f"    dshift{k} = {vector(layer['dshift'])}")
    return lines


def update(step):
    """Return the lines of the update."""
    if step.learning_rate is None:
        return ["Update: none. L-BFGS chooses its steps from the gradients of all rows."]
    lines = [f"Update: {step.optimizer}, learning rate {number(step.learning_rate)}"]
    if step.penalty or step.max_grad_norm:
        what = ["the gradient dL", *["of the penalty"] * bool(step.penalty)]
        text = "  g is " + " plus that ".join(what)
        if step.max_grad_norm:
            text += f", clipped to the norm {number(step.max_grad_norm)}"
        lines.append(text)
    has_moments = "m_W" in step.layers[0]
    if has_moments:
        lines += adam(step)
    for k, layer in enumerate(step.layers):
        for name in ("W", "b", "gain", "shift"):
            if name not in layer:
                continue
            old, g, new = layer[name], layer["g" + name], layer["new_" + name]
            for index in entries(old, lines):
                entry = f"{name}{k}[{','.join(map(str, index))}]"
                before, after = number(old[index]), number(new[index])
                if step.plain_descent:
                    rate = number(step.learning_rate)
                    lines.append(f"  {entry} = {before} - {rate} * {factor(g[index])} = {after}")
                elif has_moments:
                    m, v = layer[f"m_{name}"][index], layer[f"v_{name}"][index]
                    if name == "W" and kept_share(step) != 1:
                        before = f"{kept_share(step):.8g} * {factor(old[index])}"
                    lines.append(
                        f"  {entry} = {before} - {number(adam_rate(step))} * {factor(m)} / "
                        f"(sqrt({number(v)}) + {number(step.optimizer.epsilon)}) = {after}"
                        f"    g = {number(g[index])}, m = {number(m)}, v = {number(v)}"
                    )
                else:
                    lines.append(f"  {entry} = {before} -> {after}    g = {number(g[index])}")
    return lines


def adam(step):
    """Return the lines of Adam's formulas, with the numbers that all parameters share."""
    it = step.optimizer
    beta_1, beta_2, epsilon = number(it.beta_1), number(it.beta_2), number(it.epsilon)
    lines = [
        f"  step t = {it.t}: m = {beta_1} m + {number(1 - it.beta_1)} g, "
        f"v = {beta_2} v + {number(1 - it.beta_2)} g^2",
        f"  rate = {number(step.learning_rate)} * sqrt(1 - {beta_2}^{it.t}) / (1 - {beta_1}^{it.t}) = "
        f"{number(adam_rate(step))}",
    ]
    if kept_share(step) == 1:
        lines.append(f"  each parameter: p - rate * m / (sqrt(v) + {epsilon})")
    else:
        lines.append(
            f"  each weight: (1 - {number(step.learning_rate)} * {number(it.weight_decay)}) * W - "
            f"rate * m / (sqrt(v) + {epsilon}); biases without the first factor"
        )
    return lines


def adam_rate(step):
    """Return the learning rate with both corrections of the moments."""
    it = step.optimizer
    return step.learning_rate * (1 - it.beta_2**it.t) ** 0.5 / (1 - it.beta_1**it.t)


def kept_share(step):
    """Return the factor of AdamW's weight decay; 1 for Adam."""
    return 1 - step.learning_rate * getattr(step.optimizer, "weight_decay", 0.0)


def probability(i, step):
    """Return one predicted probability with its label."""
    if i is None:
        return f"({len(step.prediction) - MAX_UNITS + 1} more)"
    return f"P({step.output_labels[i]}) = {number(step.prediction[i])}"


def title(step, k):
    """Return the name of a layer."""
    return f"Layer {k}" + ", the output" * (k == len(step.layers) - 1)


def source(k):
    """Return the name of a layer's input."""
    return f"a{k - 1}" if k else "x"


def entries(array, lines):
    """Yield the indices to write out; a line about the others follows the last."""
    indices = list(np.ndindex(array.shape))
    yield from indices[:MAX_ENTRIES]
    if len(indices) > MAX_ENTRIES:
        lines.append(f"    ... {len(indices) - MAX_ENTRIES} more")


def some(n, largest):
    """Yield 0 ... n - 1; if there are too many, the first and last ones with None in between."""
    if n <= largest:
        return range(n)
    return itertools.chain(range(largest - 2), (None,), (n - 1,))


def products(left, right):
    """Return the sum of the products as text; if there are many, the first and last ones."""
    terms = []
    for i in some(len(left), MAX_TERMS):
        if i is None:
            terms.append(f"({len(left) - MAX_TERMS + 1} more terms)")
        else:
            first = factor(left[i]) if terms else number(left[i])
            terms.append(f"{first} * {factor(right[i])}")
    return " + ".join(terms)


def vector(values):
    """Return an array of numbers as text, shortened if it is long."""
    values = np.ravel(values)
    shown = (number(values[i]) if i is not None else "..." for i in some(len(values), 10))
    return f"[{', '.join(shown)}]"


def number(value):
    """Return a number with four digits."""
    return f"{float(value) + 0.0:.4g}"


def factor(value):
    """Return a number as text for use after an operator, with parentheses if it is negative."""
    text = number(value)
    return f"({text})" if text.startswith("-") else text
