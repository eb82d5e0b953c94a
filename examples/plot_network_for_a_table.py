"""
A network for a table, by hand
==============================

The estimators for tables, :class:`~sknumpynet.TabularMLPRegressor` and
:class:`~sknumpynet.TabularMLPClassifier`, do all of this automatically, and more. This page builds one small
network from the parts in :mod:`sknumpynet.core`: a numeric embedding, a scale for each column, dense layers
in the neural tangent parametrisation, initial weights computed from the data, and fast dropout. Each part is
a short file, which `From scratch <../from_scratch/index.html>`_ explains.
"""

# %%
# A table
# -------
# Bicycles rented per hour, with two rush hours on working days and a long peak around noon at the weekend.
# The three columns are the hour of the week, the temperature, and whether it rains.

import matplotlib.pyplot as plt
import numpy as np

from sknumpynet.core import (
    Adam,
    Dense,
    Dropout,
    Group,
    Network,
    NumericEmbedding,
    Scale,
    SquaredError,
    Workspace,
    check_gradients,
    fit_to_data,
)


def rentals(hour, temperature, rain):
    clock, weekend = hour % 24, hour >= 5 * 24
    rush = np.exp(-(((clock - 8) / 1.5) ** 2)) + np.exp(-(((clock - 17.5) / 2) ** 2))
    noon = 0.7 * np.exp(-(((clock - 14) / 4) ** 2))
    return 300 * np.where(weekend, noon, rush) * (1 + 0.03 * (temperature - 15)) * (1 - 0.5 * rain)


def make_table(n, seed):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.uniform(0, 168, n), rng.normal(15, 8, n), rng.random(n) < 0.3])
    y = rentals(*X.T) + rng.normal(0, 20, n)
    return X, y[:, np.newaxis]


X, y = make_table(3000, seed=0)
X_test, y_test = make_table(3000, seed=1)
mean, std, y_mean, y_std = X.mean(axis=0), X.std(axis=0), y.mean(), y.std()
inputs, targets = (X - mean) / std, (y - y_mean) / y_std

# %%
# Two networks
# ------------
# They differ in their first layer. With the embedding, hour and temperature are represented by three
# functions each, which combine 16 waves, in addition to the three columns: 2 * 3 + 3 = 9 inputs for the dense
# layers.
#
# The parameters are in groups, and each group has a learning rate factor. The factors, like all of these
# parts, are those of `RealMLP <https://arxiv.org/abs/2407.04491>`_.

GROUPS = {
    "biases": Group(learning_rate_factor=0.1),
    "embeddings": Group(learning_rate_factor=0.1),
    "scales": Group(learning_rate_factor=6.0),
}


def build(embedded):
    embedding = NumericEmbedding(n_columns=2)
    width = embedding.width(3) if embedded else 3
    return Network(
        [
            *[embedding] * embedded,
            Scale(width),
            Dense(width, 64, parametrization="ntk"),
            "silu",
            Dropout(0.05, pool=True),
            Dense(64, 64, parametrization="ntk"),
            "silu",
            Dense(64, 1, parametrization="ntk"),
        ],
        n_features=3,
        groups=GROUPS,
        rng=0,
    )


for layer in build(embedded=True).layers:
    print(layer)

# %%
# Is the backward pass correct? A few rows are enough to check.

few = slice(0, 10)
report = check_gradients(build(embedded=True), SquaredError(), inputs[few], targets[few])
print(f"{report.n_checked} derivatives, largest error {report.max_error:.0e}")
assert report.max_error < 1e-5

# %%
# Training
# --------
# The initial weights are computed from some of the rows. Dropout masks are drawn before each step, and the
# learning rate decays to zero. Everything is computed in single precision, for speed.


def train(network, n_epochs=40, size=100, rate=0.03):
    network = network.astype(np.float32)
    X, y = inputs.astype(np.float32), targets.astype(np.float32)
    rng = np.random.default_rng(0)
    fit_to_data(network, X[:500], rng)
    work, loss, optimizer = Workspace(network, size), SquaredError(), Adam(beta_2=0.95)
    curve, step, n_steps = [], 0, n_epochs * len(X) // size
    for _ in range(n_epochs):
        for rows in rng.permutation(len(X)).reshape(-1, size):
            network.sample_masks(work, rng)
            _, delta = loss.value_and_gradient(y[rows], network.forward(X[rows], work))
            network.backward(delta, work)
            rates = network.learning_rates(rate * (1 - step / n_steps))
            optimizer.step(network.params, network.grads, rates)
            step += 1
        curve.append(error(network, X_test, y_test))
    return network, curve


def predict(network, X):
    return network.predict(((X - mean) / std).astype(np.float32)) * y_std + y_mean


def error(network, X, y):
    return np.sqrt(np.mean((predict(network, X) - y) ** 2))


networks, curves = {}, {}
for name, embedded in (("columns alone", False), ("with embedding", True)):
    networks[name], curves[name] = train(build(embedded))
    print(
        f"{name:15} root mean squared error on new rows {curves[name][-1]:5.1f} (noise alone: 20)"
    )
assert curves["with embedding"][-1] < 0.8 * curves["columns alone"][-1]

# %%
# What they have learned
# ----------------------
# Predictions for a week without rain, at 15 degrees. Without the embedding, the network learns little more
# than the mean in this time: the function has about twenty turning points along one column, and the untrained
# network is almost linear. The waves of the embedding oscillate often enough from the start.

hours = np.linspace(0, 168, 800)
week = np.column_stack([hours, np.full(800, 15.0), np.zeros(800)])
figure, (left, right) = plt.subplots(
    1, 2, figsize=(8, 3.6), width_ratios=(2, 1), layout="constrained"
)
left.plot(hours, rentals(*week.T), color="0.8", linewidth=5, label="without noise")
for (name, network), (color, line) in zip(
    networks.items(), (("#D55E00", "--"), ("#0072B2", "-")), strict=True
):
    left.plot(hours, predict(network, week), line, color=color, label=name)
    right.plot(np.arange(1, 41), curves[name], line, color=color, label=name)
right.axhline(20, color="grey", linestyle=":")
left.set(xlabel="hour of the week", ylabel="rentals", xticks=range(0, 169, 24))
right.set(xlabel="epoch", ylabel="error on new rows", ylim=(0, None))
figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=3)
plt.show()

# %%
# The scales show which inputs matter. They started at 1.

network = networks["with embedding"]
names = [f"{column} wave {i}" for column in ("hour", "temperature") for i in (1, 2, 3)]
for name, s in zip([*names, "hour", "temperature", "rain"], network.layers[1].s, strict=True):
    print(f"{name:18} {s:5.2f}")
