# SPDX-License-Identifier: BSD-3-Clause
"""The network as a tutorial writes it: lists of arrays, a new array for every result, textbook formulas.

The oracle of the tests: slow, and simple enough to be checked by reading. Good for moderate numbers only.
"""

import numpy as np

# ---- activations: a = f(z), and the derivative f'(z)


def activate(name, z):
    if name == "identity":
        return z
    if name == "logistic":
        return 1 / (1 + np.exp(-z))
    if name == "tanh":
        return (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))
    if name == "relu":
        return np.where(z > 0, z, 0.0)
    raise ValueError(name)


def slope(name, z):
    if name == "identity":
        return np.ones_like(z)
    if name == "logistic":
        return np.exp(-z) / (1 + np.exp(-z)) ** 2
    if name == "tanh":
        return 1 / np.cosh(z) ** 2
    if name == "relu":
        return np.where(z > 0, 1.0, 0.0)
    raise ValueError(name)


# ---- losses: the prediction that belongs to the raw output, and the loss of each row


def predict(loss, raw):
    if loss == "squared_error":
        return raw
    if loss == "poisson":
        return np.exp(raw)
    if loss == "binary_log_loss":
        return 1 / (1 + np.exp(-raw))
    if loss == "log_loss":
        return np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    raise ValueError(loss)


def one_hot(y, n_classes):
    return np.eye(n_classes)[y] if y.ndim == 1 else y


def losses(loss, y, raw):
    p = predict(loss, raw)
    if loss == "squared_error":
        return (0.5 * (y - p) ** 2).sum(axis=1)
    if loss == "poisson":
        y_log_y = np.array([[0.0 if v == 0 else v * np.log(v) for v in row] for row in y])
        return (y_log_y - y * np.log(p) - y + p).sum(axis=1)
    if loss == "binary_log_loss":
        return -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum(axis=1)
    if loss == "log_loss":
        return -(one_hot(y, p.shape[1]) * np.log(p)).sum(axis=1)
    raise ValueError(loss)


# ---- the network: weights, biases and activations are lists with an entry for each layer


def forward(X, weights, biases, activations):
    """Return the lists of z and of a; ``a[0]`` is X, and a bias of None means that there is none."""
    z, a = [], [X]
    for W, b, activation in zip(weights, biases, activations):
        z.append(a[-1] @ W if b is None else a[-1] @ W + b)
        a.append(activate(activation, z[-1]))
    return z, a


def backpropagate(X, y, sample_weight, weights, biases, activations, loss, l2=0.0):
    """Return the objective, its gradients for each W and for each b, and dL/dX.

    The objective is ``sum_i w_i l_i / sum(w) + l2 / (2 sum(w)) * sum of all squared weights``.
    """
    w = np.ones(len(y)) if sample_weight is None else sample_weight
    z, a = forward(X, weights, biases, activations)
    raw = a[-1]
    value = (w * losses(loss, y, raw)).sum() / w.sum()
    value += l2 / (2 * w.sum()) * sum((W**2).sum() for W in weights)
    target = one_hot(y, raw.shape[1])
    error = w[:, np.newaxis] / w.sum() * (predict(loss, raw) - target)  # dL/da
    dW, db = [None] * len(weights), [None] * len(weights)
    for layer in range(len(weights) - 1, -1, -1):
        delta = error * slope(activations[layer], z[layer])  # dL/dz
        dW[layer] = a[layer].T @ delta + l2 / w.sum() * weights[layer]
        db[layer] = None if biases[layer] is None else delta.sum(axis=0)
        error = delta @ weights[layer].T
    return value, dW, db, error


# ---- optimizers: lists of arrays in, new lists of arrays out


def sgd_step(params, grads, velocities, rate, momentum, nesterov):
    velocities = [momentum * v - rate * g for v, g in zip(velocities, grads)]
    if nesterov:
        return [
            p + momentum * v - rate * g for p, v, g in zip(params, velocities, grads)
        ], velocities
    return [p + v for p, v in zip(params, velocities)], velocities


def adam_step(params, grads, ms, vs, t, rate, beta_1, beta_2, epsilon):
    """Take step t = 1, 2, ... in the form at the end of section 2 of the paper."""
    ms = [beta_1 * m + (1 - beta_1) * g for m, g in zip(ms, grads)]
    vs = [beta_2 * v + (1 - beta_2) * g**2 for v, g in zip(vs, grads)]
    rate_t = rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return [p - rate_t * m / (np.sqrt(v) + epsilon) for p, m, v in zip(params, ms, vs)], ms, vs
