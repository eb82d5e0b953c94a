# SPDX-License-Identifier: BSD-3-Clause
"""From the network of a NumPy tutorial to this one: one change at a time, each with its time.

Every step is a class that changes one thing in the one before; the last is `sknumpynet.core` itself. All
start from the same weights, see the same batches in the same order, and must end with the same numbers: the
script fails where they differ by more than rounding. Each step is a process of its own; they take turns,
and the best of the rounds counts. To repeat:

    python examples/benchmarks/from_tutorial.py --output results
    python examples/benchmarks/from_tutorial.py --problems digits --threads 1 2 --rounds 15
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from common import Report, arguments, in_turn, seconds
from sklearn.datasets import load_digits

from sknumpynet import core
from sknumpynet.core.training import Batches

RATE, BETA_1, BETA_2, EPSILON = 0.001, 0.9, 0.999, 1e-8
# rows, layers, rows of a batch, epochs of a measurement
PROBLEMS = {
    "digits": (1797, (64, 100, 10), 32, 10),
    "images": (10_000, (784, 100, 10), 200, 2),
}


class Tutorial:
    """As in a tutorial: a column per example, weights of shape (out, in), a new array for every result."""

    dtype = np.float64

    def __init__(self, weights):
        self.W = [W.T.copy() for W in weights]
        self.b = [np.zeros((len(W), 1)) for W in self.W]
        self.begin()

    def begin(self):
        self.t = 0
        self.m = [np.zeros_like(p) for p in self.W + self.b]
        self.v = [np.zeros_like(p) for p in self.W + self.b]

    def take_in(self, X, y):
        self.X, self.Y = X.T.copy(), np.eye(10)[y].T.copy()

    def forward(self, X):
        self.Z, self.A = [], [X]
        for W, b in zip(self.W, self.b):
            self.Z.append(np.dot(W, self.A[-1]) + b)
            self.A.append(np.maximum(0, self.Z[-1]))
        exp = np.exp(self.Z[-1] - self.Z[-1].max(axis=0))
        return exp / exp.sum(axis=0)

    def loss(self, P, Y):
        return -np.sum(Y * np.log(P))

    def backward(self, P, Y):
        dZ = (P - Y) / Y.shape[1]
        dW, db = [], []
        for layer in reversed(range(len(self.W))):
            dW.insert(0, np.dot(dZ, self.A[layer].T))
            db.insert(0, np.sum(dZ, axis=1, keepdims=True))
            if layer > 0:
                dZ = np.dot(self.W[layer].T, dZ) * (self.Z[layer - 1] > 0)
        return dW + db

    def update(self, grads):
        self.t += 1
        rate = RATE * np.sqrt(1 - BETA_2**self.t) / (1 - BETA_1**self.t)
        for i, (p, g) in enumerate(zip(self.W + self.b, grads)):
            self.m[i] = BETA_1 * self.m[i] + (1 - BETA_1) * g
            self.v[i] = BETA_2 * self.v[i] + (1 - BETA_2) * g**2
            p -= rate * self.m[i] / (np.sqrt(self.v[i]) + EPSILON)

    def epoch(self, order, size):
        """Take a step on each batch and return the mean loss."""
        X, Y = self.X[:, order], self.Y[:, order]
        total = 0.0
        for start in range(0, len(order), size):
            x, y = X[:, start : start + size], Y[:, start : start + size]
            P = self.forward(x)
            total += self.loss(P, y)
            self.update(self.backward(P, y))
        return total / len(order)

    def vector(self):
        """Return all parameters, in the order of `sknumpynet.core`."""
        return np.concatenate([p.T.ravel() for p in self.W + self.b])


class Rows(Tutorial):
    """A row per example, weights of shape (in, out)."""

    def __init__(self, weights):
        self.W = [W.copy() for W in weights]
        self.b = [np.zeros(W.shape[1]) for W in weights]
        self.begin()

    def take_in(self, X, y):
        self.X, self.Y = X, np.eye(10)[y]

    def forward(self, X):
        self.Z, self.A = [], [X]
        for W, b in zip(self.W, self.b):
            self.Z.append(self.A[-1] @ W + b)
            self.A.append(np.maximum(0, self.Z[-1]))
        exp = np.exp(self.Z[-1] - self.Z[-1].max(axis=1, keepdims=True))
        return exp / exp.sum(axis=1, keepdims=True)

    def error(self, P, Y):
        return (P - Y) / len(Y)

    def backward(self, P, Y):
        delta = self.error(P, Y)
        dW, db = [], []
        for layer in reversed(range(len(self.W))):
            dW.insert(0, self.A[layer].T @ delta)
            db.insert(0, delta.sum(axis=0))
            if layer > 0:
                delta = (delta @ self.W[layer].T) * (self.Z[layer - 1] > 0)
        return dW + db

    def epoch(self, order, size):
        X, Y = self.X[order], self.Y[order]
        total = 0.0
        for start in range(0, len(order), size):
            x, y = X[start : start + size], Y[start : start + size]
            P = self.forward(x)
            total += self.loss(P, y)
            self.update(self.backward(P, y))
        return total / len(order)

    def vector(self):
        return np.concatenate([p.ravel() for p in self.W + self.b])


class ClassNumbers(Rows):
    """No one-hot matrix: the one probability that counts is picked out of each row."""

    def take_in(self, X, y):
        self.X, self.Y = X, y

    def loss(self, P, y):
        return -np.log(P[np.arange(len(y)), y]).sum()

    def error(self, P, y):
        P[np.arange(len(y)), y] -= 1
        return P / len(y)


class FlatVector(ClassNumbers):
    """One vector of parameters and one of gradients; W, b, dW and db are views into them."""

    def __init__(self, weights):
        shapes = [W.shape for W in weights] + [(W.shape[1],) for W in weights]
        n_params = sum(map(np.prod, shapes))
        self.params, self.grads = np.zeros(n_params, self.dtype), np.zeros(n_params, self.dtype)
        self.W, self.b = views(self.params, shapes)
        self.dW, self.db = views(self.grads, shapes)
        for W, initial in zip(self.W, weights):
            W[...] = initial
        self.begin()

    def begin(self):
        self.t = 0
        self.m, self.v = np.zeros_like(self.params), np.zeros_like(self.params)

    def backward(self, P, y):
        delta = self.error(P, y)
        for layer in reversed(range(len(self.W))):
            self.dW[layer][...] = self.A[layer].T @ delta
            self.db[layer][...] = delta.sum(axis=0)
            if layer > 0:
                delta = (delta @ self.W[layer].T) * (self.Z[layer - 1] > 0)
        return self.grads

    def update(self, grads):
        self.t += 1
        rate = RATE * np.sqrt(1 - BETA_2**self.t) / (1 - BETA_1**self.t)
        self.m = BETA_1 * self.m + (1 - BETA_1) * grads
        self.v = BETA_2 * self.v + (1 - BETA_2) * grads**2
        self.params -= rate * self.m / (np.sqrt(self.v) + EPSILON)

    def vector(self):
        return self.params


def views(vector, shapes):
    """Return the weights and the biases as pieces of one vector."""
    pieces, start = [], 0
    for shape in shapes:
        stop = start + np.prod(shape)
        pieces.append(vector[start:stop].reshape(shape))
        start = stop
    return pieces[: len(pieces) // 2], pieces[len(pieces) // 2 :]


class AdamInPlace(FlatVector):
    """Adam writes into memory that is there, and keeps m / (1 - beta_1) and v / (1 - beta_2)."""

    def begin(self):
        super().begin()
        self.scratch = np.empty_like(self.params)

    def update(self, grads):
        self.t += 1
        m, v, scratch = self.m, self.v, self.scratch
        m *= BETA_1
        m += grads
        np.multiply(grads, grads, out=scratch)
        v *= BETA_2
        v += scratch
        root = np.sqrt(1 - BETA_2)
        np.sqrt(v, out=scratch)
        scratch += EPSILON / root
        np.divide(m, scratch, out=scratch)
        correction = np.sqrt(1 - BETA_2**self.t) / (1 - BETA_1**self.t)
        scratch *= RATE * correction * (1 - BETA_1) / root
        self.params -= scratch


class Workspace(AdamInPlace):
    """Forward and backward write into arrays that are made once, z and a into the same one."""

    def prepare(self, size):
        widths = [W.shape[1] for W in self.W]
        self.a = [np.empty((size, width), self.dtype) for width in widths]
        self.delta = [np.empty((size, width), self.dtype) for width in widths[:-1]]
        self.mask = [np.empty((size, width), self.dtype) for width in widths[:-1]]
        self.ones = np.ones(size, self.dtype)

    def forward(self, X):
        n, x, last = len(X), X, len(self.W) - 1
        self.A = [X]
        for layer, (W, b) in enumerate(zip(self.W, self.b)):
            a = self.a[layer][:n]
            np.dot(x, W, out=a)
            a += b
            if layer < last:
                np.maximum(a, 0, out=a)
            self.A.append(a)
            x = a
        x -= x.max(axis=1, keepdims=True)
        np.exp(x, out=x)
        x /= np.dot(x, self.ones[: x.shape[1]])[:, np.newaxis]
        return x

    def error(self, P, y):
        P[np.arange(len(y)), y] -= 1
        P *= 1 / len(y)
        return P

    def backward(self, P, y):
        delta, n = self.error(P, y), len(y)
        for layer in reversed(range(len(self.W))):
            np.dot(self.A[layer].T, delta, out=self.dW[layer])
            np.dot(self.ones[:n], delta, out=self.db[layer])
            if layer > 0:
                below = self.delta[layer - 1][:n]
                np.dot(delta, self.W[layer].T, out=below)
                mask = self.mask[layer - 1][:n]
                np.greater(self.A[layer], 0, out=mask)
                below *= mask
                delta = below
        return self.grads


class GatheredBatches(Workspace):
    """No shuffled copy of all the data: the rows of a batch are gathered when it is its turn."""

    def prepare(self, size):
        super().prepare(size)
        self.batch = np.empty((size, self.X.shape[1]), self.dtype)

    def epoch(self, order, size):
        total = 0.0
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            x, y = self.batch[: len(rows)], self.Y[rows]
            self.X.take(rows, axis=0, out=x, mode="clip")
            P = self.forward(x)
            total += self.loss(P, y)
            self.update(self.backward(P, y))
        return total / len(order)


class Float32(GatheredBatches):
    """Four bytes a number instead of eight."""

    dtype = np.float32

    def take_in(self, X, y):
        self.X, self.Y = X.astype(np.float32), y


class Core:
    """The same by `sknumpynet.core`."""

    dtype = np.float64

    def __init__(self, weights):
        layers = []
        for W in weights:
            layers += [core.Dense(*W.shape), "relu"]
        self.network = core.Network(layers[:-1], dtype=self.dtype, initializer=core.Zeros())
        for layer, W in zip(self.network.dense, weights):
            layer.W[...] = W
        self.loss, self.optimizer = core.MultinomialLogLoss(), core.Adam()

    def take_in(self, X, y):
        self.X, self.y = X.astype(self.dtype, copy=False), y

    def prepare(self, size):
        self.batches = Batches(self.X, self.y, None, size, self.dtype)
        self.work = core.Workspace(self.network, size)
        self.last = self.work.head(len(self.X) % size)

    def epoch(self, order, size):
        network, total = self.network, 0.0
        for start in range(0, len(order), size):
            X, y, _ = self.batches.gather(order[start : start + size])
            work = self.work if len(X) == size else self.last
            raw = network.forward(X, work)
            value, delta = self.loss.value_and_gradient(
                y, raw, out=work.delta, scratch=work.scratch
            )
            network.backward(delta, work)
            self.optimizer.step(network.params, network.grads, RATE)
            total += value * len(X)
        return total / len(order)

    def vector(self):
        return self.network.params


class Core32(Core):
    """The same by `sknumpynet.core`, in single precision."""

    dtype = np.float32


STEPS = {
    "the tutorial": Tutorial,
    "rows, not columns": Rows,
    "class numbers": ClassNumbers,
    "one flat vector": FlatVector,
    "Adam in place": AdamInPlace,
    "a workspace": Workspace,
    "gathered batches": GatheredBatches,
    "sknumpynet.core": Core,
    "float32": Float32,
    "sknumpynet.core, float32": Core32,
}


def make_problem(name):
    """Return X, y and the first weights."""
    rows, widths, _, _ = PROBLEMS[name]
    rng = np.random.default_rng(0)
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        X = X / 16
    else:  # ten patterns with noise, of as many pixels as MNIST has
        y = rng.integers(10, size=rows)
        X = np.clip(rng.random((10, widths[0]))[y] + rng.normal(0, 0.5, (rows, widths[0])), 0, 1)
    weights = [
        rng.normal(0, np.sqrt(2 / fan_in), (fan_in, fan_out))
        for fan_in, fan_out in pairwise(widths)
    ]
    return X, y, weights


def prepare(step, problem):
    """Return a function that trains afresh and returns seconds per epoch, losses and parameters."""
    X, y, weights = make_problem(problem)
    _, _, size, n_epochs = PROBLEMS[problem]

    def train():
        network = STEPS[step](weights)
        network.take_in(X, y)
        if hasattr(network, "prepare"):
            network.prepare(size)
        rng, losses = np.random.default_rng(1), []

        def epochs():
            for _ in range(n_epochs):
                losses.append(float(network.epoch(rng.permutation(len(X)), size)))

        return seconds(epochs) / n_epochs, losses, network.vector()

    train()  # to warm up
    return train


def compare(results):
    """Return, for each step, how far its parameters are from the tutorial's; too far is an error."""
    _, losses, expected = results["the tutorial"][0]
    apart = {}
    for step, rounds in results.items():
        _, found, params = rounds[0]
        apart[step] = float(np.abs(params - expected).max())
        rounding = 1e-3 if params.dtype == np.float32 else 1e-8
        np.testing.assert_allclose(found, losses, rtol=rounding, err_msg=step)
        assert apart[step] < rounding, f"{step}: parameters differ by {apart[step]}"
    return apart


def main():
    """Measure, print and write."""
    parser = arguments(__doc__, leave_out=("--dtype", "--data-dir"), threads=[1], rounds=9)
    parser.add_argument(
        "--problems", nargs="+", choices=list(PROBLEMS), default=list(PROBLEMS), metavar="NAME"
    )
    options = parser.parse_args()
    report = Report("from_tutorial", options.output)
    report.say(f"Milliseconds per epoch, the best of {options.rounds} rounds in turn")
    lines = []
    for problem in options.problems:
        rows, widths, size, _ = PROBLEMS[problem]
        layers = "-".join(map(str, widths))
        report.say(f"{problem}: {rows} rows, layers {layers}, ReLU, Adam, batches of {size}")
    for problem in options.problems:
        for threads in options.threads:
            specs = {step: (step, problem) for step in STEPS}
            results = in_turn(specs, prepare, threads, options.rounds)
            apart = compare(results)
            best = {step: min(taken for taken, _, _ in rounds) for step, rounds in results.items()}
            lines += [
                {
                    "problem": problem,
                    "threads": threads,
                    "step": step,
                    "ms": 1000 * taken,
                    "times as fast": f"{best['the tutorial'] / taken:.2f}",
                    "last loss": f"{results[step][0][1][-1]:.8f}",
                    "weights differ by": f"{apart[step]:.0e}",
                }
                for step, taken in best.items()
            ]
    report.table(lines)
    report.csv(lines)


if __name__ == "__main__":
    main()
