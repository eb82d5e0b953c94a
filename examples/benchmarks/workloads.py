# SPDX-License-Identifier: BSD-3-Clause
"""The data to train on, and the peers that train: the same network, batches, epochs and optimizer for each.

A peer is a function ``peer(workload, X, y)`` that returns ``fit() -> loss``; only ``fit`` is timed.
"""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Workload:
    """A classification problem and the network for it; ``kind`` says what X is: array, frame or csr."""

    name: str
    rows: int
    columns: int
    classes: int
    hidden: tuple[int, ...]
    batch: int
    epochs: int
    data: str = "made-up"
    kind: str = "array"
    activation: str = "relu"
    rate: float = 1e-3

    @property
    def sizes(self):
        """Widths of all layers, input and output included."""
        return (self.columns, *self.hidden, self.classes if self.classes > 2 else 1)

    @property
    def options(self):
        """Parameters for an estimator: it takes all the epochs, whatever the loss does."""
        return {
            "hidden_layer_sizes": self.hidden,
            "activation": self.activation,
            "batch_size": self.batch,
            "learning_rate_init": self.rate,
            "max_iter": self.epochs,
            "tol": 0.0,
            "n_iter_no_change": np.inf,
            "random_state": 0,
        }


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("xor", 4, 2, 2, (8,), 4, 500, "xor", activation="tanh", rate=0.01),
        Workload("digits", 1797, 64, 10, (100,), 200, 30, "digits"),
        Workload("table", 20_000, 20, 2, (64, 64), 32, 2),
        Workload("table-frame", 20_000, 20, 2, (64, 64), 32, 2, kind="frame"),
        Workload("mnist-100", 60_000, 784, 10, (100,), 200, 2, "mnist"),
        Workload("mnist-512-256", 60_000, 784, 10, (512, 256), 128, 1, "mnist"),
        Workload("wide", 5_000, 50, 10, (1024, 1024), 256, 2),
        Workload("sparse", 20_000, 50_000, 20, (100,), 200, 1, "text", kind="csr"),
    )
}


# ---------------------------------------------------------------------------- data


def make_data(workload, dtype, data_dir=None):
    """Return X of that dtype and kind, and y; the same in every process."""
    dtype = np.dtype(dtype)
    if workload.data == "xor":
        X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype), np.array([0, 1, 1, 0])
    elif workload.data == "digits":
        from sklearn.datasets import load_digits

        X, y = load_digits(return_X_y=True)
        X = (X / 16).astype(dtype)
    elif workload.data == "mnist":
        X, y = mnist(data_dir)[:2]
        X = X.astype(dtype) / dtype.type(255)
    elif workload.data == "text":
        X, y = made_up_text(workload, dtype)
    else:
        X, y = made_up(workload, dtype)
    return as_frame(X) if workload.kind == "frame" else X, y


def made_up(workload, dtype):
    """Return normal numbers, and the classes that a random linear function gives them, with noise."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((workload.rows, workload.columns), dtype)
    teacher = rng.standard_normal((workload.columns, workload.classes), dtype)
    score = X @ teacher
    score += rng.standard_normal(score.shape, dtype)
    return X, score.argmax(axis=1)


def made_up_text(workload, dtype, words=100):
    """Return CSR rows of ``words`` different columns each, the low numbers more often, as words in texts."""
    from scipy.sparse import csr_matrix

    rng = np.random.default_rng(0)
    n = workload.rows
    # one column from each of 100 ranges, which grow: a density that falls as 1 / sqrt(column)
    place = (np.arange(words) + rng.random((n, words))) / words
    indices = (workload.columns * place**2).astype(np.int32)
    values = rng.random((n, words), dtype) / dtype.type(words**0.5)
    indptr = np.arange(0, n * words + 1, words, dtype=np.int32)
    X = csr_matrix((values.ravel(), indices.ravel(), indptr), (n, workload.columns))
    return X, (X @ rng.standard_normal((workload.columns, workload.classes))).argmax(axis=1)


def as_frame(X):
    """Return a DataFrame whose array comes in column order, as one that was read from a file."""
    import pandas as pd

    return pd.DataFrame({f"x{number}": column for number, column in enumerate(X.T)})


def mnist(data_dir):
    """Return X (60,000 rows of uint8 pixels), y, and X (10,000), y of the test; made up without a folder."""
    if data_dir is None:
        rng = np.random.default_rng(0)
        inked = rng.random((10, 784)) < 0.19
        y = rng.integers(10, size=70_000)
        X = rng.integers(256, size=(70_000, 784), dtype=np.uint8)
        X *= inked[y]
    else:
        parts = ("train", "t10k")
        X, y = (
            np.concatenate([_idx(data_dir / "mnist" / f"{part}-{what}-ubyte.gz") for part in parts])
            for what in ("images-idx3", "labels-idx1")
        )
        X, y = X.reshape(-1, 784), y.astype(np.int64)
    return X[:60_000], y[:60_000], X[60_000:], y[60_000:]


def _idx(path):
    with gzip.open(path) as file:
        raw = file.read()
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3])  # byte 3: number of dimensions


# ---------------------------------------------------------------------------- peers


def ours(workload, X, y):
    """Return a fit of `NumpyMLPClassifier`."""
    from sknumpynet import NumpyMLPClassifier

    return lambda: NumpyMLPClassifier(**workload.options).fit(X, y).loss_


def sklearn(workload, X, y):
    """Return a fit of scikit-learn's `MLPClassifier`."""
    from sklearn.neural_network import MLPClassifier

    return lambda: MLPClassifier(**workload.options).fit(X, y).loss_


def floor(workload, X, y):
    """Return the matrix products of a fit and nothing else, into arrays that are there already."""
    rng = np.random.default_rng(0)
    n, batch = len(X), workload.batch
    shapes = list(pairwise(workload.sizes))
    W = [(rng.standard_normal(shape) / shape[0] ** 0.5).astype(X.dtype) for shape in shapes]
    dW = [np.empty_like(w) for w in W]
    z = [np.empty((batch, width), X.dtype) for width in workload.sizes[1:]]
    delta = [rng.standard_normal(array.shape).astype(X.dtype) for array in z]

    def fit():
        for _ in range(workload.epochs):
            for start in range(0, n, batch):
                x = X[start : start + batch]
                rows = len(x)
                inputs = [x, *(array[:rows] for array in z)]
                for layer, w in enumerate(W):
                    np.dot(inputs[layer], w, out=inputs[layer + 1])
                for layer in reversed(range(len(W))):
                    flow = delta[layer][:rows]
                    np.dot(inputs[layer].T, flow, out=dW[layer])
                    if layer > 0:
                        np.dot(flow, W[layer].T, out=delta[layer - 1][:rows])
        return float("nan")

    return fit


def torch(workload, X, y, fused=False):
    """Return a plain PyTorch loop, eager; the penalty is scikit-learn's default one, of all parameters."""
    import torch

    X, y = _tensors(X, y, workload.classes)
    loss_of = _torch_loss(workload)()

    def fit():
        torch.manual_seed(0)
        network = _torch_network(workload.sizes, workload.activation, X.dtype)
        optimizer = torch.optim.Adam(
            network.parameters(), workload.rate, weight_decay=1e-4 / workload.batch, fused=fused
        )
        for _ in range(workload.epochs):
            total = 0.0
            for rows in torch.randperm(len(X)).split(workload.batch):
                optimizer.zero_grad()
                loss = loss_of(network(X[rows]), y[rows])
                loss.backward()
                optimizer.step()
                total += loss.item() * len(rows)
        return total / len(X)

    return fit


def torch_fused(workload, X, y):
    """Return the same with ``fused=True``."""
    return torch(workload, X, y, fused=True)


def skorch(workload, X, y):
    """Return a fit of skorch's `NeuralNet` with PyTorch's default Adam."""
    import skorch
    import torch

    X, y = _tensors(X, y, workload.classes)

    def fit():
        torch.manual_seed(0)
        network = skorch.NeuralNet(
            _torch_network,
            module__sizes=workload.sizes,
            module__activation=workload.activation,
            module__dtype=X.dtype,
            criterion=_torch_loss(workload),
            optimizer=torch.optim.Adam,
            optimizer__weight_decay=1e-4 / workload.batch,
            lr=workload.rate,
            batch_size=workload.batch,
            max_epochs=workload.epochs,
            iterator_train__shuffle=True,
            train_split=None,
            verbose=0,
        )
        return network.fit(X, y).history[-1]["train_loss"]

    return fit


def _tensors(X, y, classes):
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    y = y if classes > 2 else y.astype(X.dtype)[:, np.newaxis]
    return torch.from_numpy(X), torch.from_numpy(y)


def _torch_loss(workload):
    import torch

    return torch.nn.CrossEntropyLoss if workload.classes > 2 else torch.nn.BCEWithLogitsLoss


def _torch_network(sizes, activation, dtype):
    """Return the network with scikit-learn's initial distribution."""
    from torch import nn

    layers = []
    for fan_in, fan_out in pairwise(sizes):
        dense = nn.Linear(fan_in, fan_out, dtype=dtype)
        bound = (6 / (fan_in + fan_out)) ** 0.5
        nn.init.uniform_(dense.weight, -bound, bound)
        nn.init.uniform_(dense.bias, -bound, bound)
        layers += [dense, nn.Tanh() if activation == "tanh" else nn.ReLU()]
    return nn.Sequential(*layers[:-1])


PEERS = {
    "ours": ours,
    "sklearn": sklearn,
    "floor": floor,
    "torch": torch,
    "torch-fused": torch_fused,
    "skorch": skorch,
}
