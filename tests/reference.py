# SPDX-License-Identifier: BSD-3-Clause
"""The network as a tutorial writes it: lists of arrays, a new array for every result, textbook formulas.

The oracle of the tests: slow, and simple enough to be checked by reading. Good for moderate numbers only.
"""

import math

import numpy as np

# ---- activations: a = f(z), and the derivative f'(z)

SELU_SCALE, SELU_ALPHA = 1.0507009873554804934, 1.6732632423543772848
LEAK = 0.01


def normal_cdf(z):
    return np.vectorize(lambda v: (1 + math.erf(v / math.sqrt(2))) / 2)(z)


def activate(name, z):
    if name == "identity":
        return z
    if name == "logistic":
        return 1 / (1 + np.exp(-z))
    if name == "tanh":
        return (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))
    if name == "relu":
        return np.where(z > 0, z, 0.0)
    if name == "softplus":
        return np.log(1 + np.exp(z))
    if name == "softsign":
        return z / (1 + np.abs(z))
    if name == "hard_tanh":
        return np.clip(z, -1, 1)
    if name == "leaky_relu":
        return np.where(z > 0, z, LEAK * z)
    if name == "elu":
        return np.where(z > 0, z, np.exp(z) - 1)
    if name == "selu":
        return SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * (np.exp(z) - 1))
    if name == "gelu":
        return z * normal_cdf(z)
    if name == "silu":
        return z / (1 + np.exp(-z))
    if name == "mish":
        return z * np.tanh(np.log(1 + np.exp(z)))
    if name == "gaussian":
        return np.exp(-(z**2))
    if name == "step":
        return np.where(z > 0, 1.0, 0.0)
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
    if name == "softplus":
        return 1 / (1 + np.exp(-z))
    if name == "softsign":
        return 1 / (1 + np.abs(z)) ** 2
    if name == "hard_tanh":
        return np.where(np.abs(z) < 1, 1.0, 0.0)
    if name == "leaky_relu":
        return np.where(z > 0, 1.0, LEAK)
    if name == "elu":
        return np.where(z > 0, 1.0, np.exp(z))
    if name == "selu":
        return SELU_SCALE * np.where(z > 0, 1.0, SELU_ALPHA * np.exp(z))
    if name == "gelu":
        return normal_cdf(z) + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    if name == "silu":
        return (1 + np.exp(-z) + z * np.exp(-z)) / (1 + np.exp(-z)) ** 2
    if name == "mish":  # as in the paper
        omega = 4 * (z + 1) + 4 * np.exp(2 * z) + np.exp(3 * z) + np.exp(z) * (4 * z + 6)
        return np.exp(z) * omega / (2 * np.exp(z) + np.exp(2 * z) + 2) ** 2
    if name == "gaussian":
        return -2 * z * np.exp(-(z**2))
    raise ValueError(name)


# ---- losses: the prediction that belongs to the raw output, the loss of each row, and its slope in raw

HUBER_DELTA, QUANTILE, QUANTILES = 0.7, 0.3, (0.1, 0.5, 0.9)
TWEEDIE = {"tweedie": 1.5, "tweedie of 2.5": 2.5}
SMOOTHING, GAMMA = 0.2, 2.5
LOG_LOSSES = {
    "binary_log_loss": "logistic",
    "smoothed binary_log_loss": "logistic",
    "binary focal": "logistic",
    "log_loss": "softmax",
    "smoothed log_loss": "softmax",
    "focal": "softmax",
}


def predict(loss, raw):
    if loss in ("poisson", "gamma", *TWEEDIE):
        return np.exp(raw)
    if LOG_LOSSES.get(loss) == "logistic":
        return 1 / (1 + np.exp(-raw))
    if LOG_LOSSES.get(loss) == "softmax":
        return np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    if loss == "quantiles":
        return np.sort(raw, axis=1)
    return raw


def one_hot(y, n_classes):
    return np.eye(n_classes)[y] if y.ndim == 1 else y


def soft(loss, y, n_classes):
    """The targets of the log losses, smoothed where the loss says so."""
    y = one_hot(y, n_classes)
    if not loss.startswith("smoothed"):
        return y
    return (1 - SMOOTHING) * y + SMOOTHING / (n_classes if LOG_LOSSES[loss] == "softmax" else 2)


def losses(loss, y, raw):
    p = predict(loss, raw)
    if loss == "squared_error":
        return (0.5 * (y - p) ** 2).sum(axis=1)
    if loss == "absolute_error":
        return np.abs(y - p).sum(axis=1)
    if loss == "huber":
        e, delta = np.abs(y - p), HUBER_DELTA
        return np.where(e <= delta, e**2 / 2, delta * (e - delta / 2)).sum(axis=1)
    if loss == "log_cosh":
        return np.log(np.cosh(y - p)).sum(axis=1)
    if loss in ("quantile", "quantiles"):
        q = QUANTILE if loss == "quantile" else np.array(QUANTILES)
        return np.where(y > raw, q * (y - raw), (1 - q) * (raw - y)).sum(axis=1)
    if loss == "poisson":
        y_log_y = np.array([[0.0 if v == 0 else v * np.log(v) for v in row] for row in y])
        return (y_log_y - y * np.log(p) - y + p).sum(axis=1)
    if loss == "gamma":
        return (-np.log(y / p) + (y - p) / p).sum(axis=1)
    if loss in TWEEDIE:
        k = TWEEDIE[loss]
        deviance = y ** (2 - k) / ((1 - k) * (2 - k)) - y * p ** (1 - k) / (1 - k)
        return (deviance + p ** (2 - k) / (2 - k)).sum(axis=1)
    t = soft(loss, y, p.shape[1])
    if loss == "focal":
        return -((1 - p) ** GAMMA * t * np.log(p)).sum(axis=1)
    if loss == "binary focal":
        p_t = np.where(t == 1, p, 1 - p)
        return -((1 - p_t) ** GAMMA * np.log(p_t)).sum(axis=1)
    if LOG_LOSSES[loss] == "logistic":
        return -(t * np.log(p) + (1 - t) * np.log(1 - p)).sum(axis=1)
    return -(t * np.log(p)).sum(axis=1)


def loss_slopes(loss, y, raw):
    """The derivatives of `losses` by the raw outputs, of shape (n, n_outputs)."""
    p = predict(loss, raw)
    if loss == "absolute_error":
        return np.where(raw > y, 1.0, -1.0)
    if loss == "huber":
        return np.where(np.abs(raw - y) <= HUBER_DELTA, raw - y, HUBER_DELTA * np.sign(raw - y))
    if loss == "log_cosh":
        return np.sinh(raw - y) / np.cosh(raw - y)
    if loss in ("quantile", "quantiles"):
        q = QUANTILE if loss == "quantile" else np.array(QUANTILES)
        return np.where(y > raw, -q, 1 - q)
    if loss == "gamma":
        return 1 - y / p
    if loss in TWEEDIE:
        return p ** (2 - TWEEDIE[loss]) - y * p ** (1 - TWEEDIE[loss])
    if loss == "focal":  # by the probability of the right class, and on by the softmax
        t = one_hot(y, p.shape[1])
        p_t = (t * p).sum(axis=1, keepdims=True)
        by_p = GAMMA * (1 - p_t) ** (GAMMA - 1) * np.log(p_t) - (1 - p_t) ** GAMMA / p_t
        return by_p * p_t * (t - p)
    if loss == "binary focal":
        p_t = np.where(y == 1, p, 1 - p)
        by_p = GAMMA * (1 - p_t) ** (GAMMA - 1) * np.log(p_t) - (1 - p_t) ** GAMMA / p_t
        return by_p * np.where(y == 1, 1, -1) * p * (1 - p)
    return p - (soft(loss, y, p.shape[1]) if loss in LOG_LOSSES else y)


# ---- the network: weights, biases and activations are lists with an entry for each layer


def forward(X, weights, biases, activations):
    """Return the lists of z and of a; ``a[0]`` is X, and a bias of None means that there is none."""
    z, a = [], [X]
    for W, b, activation in zip(weights, biases, activations):
        z.append(a[-1] @ W if b is None else a[-1] @ W + b)
        a.append(activate(activation, z[-1]))
    return z, a


def backpropagate(X, y, sample_weight, weights, biases, activations, loss, l2=0.0, l1=0.0):
    """Return the objective, its gradients for each W and for each b, and dL/dX.

    The objective is ``sum_i w_i l_i / sum(w) + l2 / (2 sum(w)) * sum of all squared weights``, and
    ``l1 / sum(w)`` times the sum of their sizes.
    """
    w = np.ones(len(y)) if sample_weight is None else sample_weight
    z, a = forward(X, weights, biases, activations)
    raw = a[-1]
    value = (w * losses(loss, y, raw)).sum() / w.sum()
    value += l2 / (2 * w.sum()) * sum((W**2).sum() for W in weights)
    value += l1 / w.sum() * sum(np.abs(W).sum() for W in weights)
    error = w[:, np.newaxis] / w.sum() * loss_slopes(loss, y, raw)  # dL/da
    dW, db = [None] * len(weights), [None] * len(weights)
    for layer in range(len(weights) - 1, -1, -1):
        delta = error * slope(activations[layer], z[layer])  # dL/dz
        dW[layer] = a[layer].T @ delta + l2 / w.sum() * weights[layer]
        dW[layer] = dW[layer] + l1 / w.sum() * np.sign(weights[layer])
        db[layer] = None if biases[layer] is None else delta.sum(axis=0)
        error = delta @ weights[layer].T
    return value, dW, db, error


# ---- layers for tables, a number at a time


def embed(X, w, b, V):
    """Each row as ``[E_1, ..., E_f, x]``; w and b are of shape (f, H), V of shape (f, o, H)."""
    rows = []
    for x in X:
        E = []
        for x_i, w_i, b_i, V_i in zip(x, w, b, V):
            waves = [math.cos(2 * math.pi * x_i * u + v) for u, v in zip(w_i, b_i)]
            E += [sum(v * wave for v, wave in zip(mix, waves)) for mix in V_i]
        rows.append([*E, *x])
    return np.array(rows)


def embed_slopes(X, w, b, V, delta):
    """The slopes of ``(delta * embed(X, w, b, V)).sum()`` by w, b, V and X."""
    dw, db, dV, dX = np.zeros_like(w), np.zeros_like(b), np.zeros_like(V), np.zeros_like(X)
    f, o, H = V.shape
    for n, x in enumerate(X):
        dX[n] += delta[n, f * o :]
        for i in range(f):
            for h in range(H):
                angle = 2 * math.pi * x[i] * w[i, h] + b[i, h]
                for j in range(o):
                    error = delta[n, i * o + j]
                    dV[i, j, h] += error * math.cos(angle)
                    by_angle = -math.sin(angle) * V[i, j, h] * error
                    db[i, h] += by_angle
                    dw[i, h] += by_angle * 2 * math.pi * x[i]
                    dX[n, i] += by_angle * 2 * math.pi * w[i, h]
    return dw, db, dV, dX


def fit_unit(z, rows, shares):
    """The factor of the weights of a unit with the numbers z, and its bias."""
    mean = sum(z) / len(z)
    std = math.sqrt(sum((each - mean) ** 2 for each in z) / len(z))
    std = std if std >= 1e-6 else 1.0
    b = -sum(share * z[row] / std for row, share in zip(rows, shares)) / sum(shares)
    return 1 / std, b


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


def lion_step(params, grads, ms, rate, beta_1, beta_2, weight_decay):
    """The update of algorithm 2 of the paper."""
    steps = [np.sign(beta_1 * m + (1 - beta_1) * g) for m, g in zip(ms, grads)]
    params = [p - rate * (c + weight_decay * p) for p, c in zip(params, steps)]
    return params, [beta_2 * m + (1 - beta_2) * g for m, g in zip(ms, grads)]
