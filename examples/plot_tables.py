"""
A raw table: ``TabularMLPRegressor``
====================================

The estimators for tables train several small networks, the members of an ensemble, at once; a part of the
rows is held out from each. The learning rate rises and falls in cycles. At the end of each cycle a snapshot
of all members is kept, and snapshots are weighted by how well they predict held-out rows. This page shows
where the members disagree, how much each cycle improves the predictions, and prediction intervals.
"""

# %%
# A table with a gap in the middle
# --------------------------------
# One relevant column of numbers, without values between 4 and 6, one column of text, and missing values.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sknumpynet import LossCurveDisplay, TabularMLPRegressor


def draw(n, rng, low=0.0, high=10.0):
    x = rng.uniform(low, high, n)
    kind = rng.choice(["plain", "special"], n)
    truth = np.sin(x) + 0.15 * x + np.where(kind == "special", 1.0, 0.0)
    kind = np.where(rng.random(n) < 0.05, None, kind)
    return pd.DataFrame({"x": x, "kind": kind}), truth + rng.normal(0, 0.25, n)


rng = np.random.default_rng(0)
left, y_left = draw(400, rng, 0, 4)
right, y_right = draw(400, rng, 6, 10)
X, y = pd.concat([left, right], ignore_index=True), np.concatenate([y_left, y_right])
model = TabularMLPRegressor(first_cycle=4, n_cycles=4, random_state=0).fit(X, y)
print(f"{model.n_members_} members, R2 out of fold {model.oof_score_:.3f}")

# %%
# Standard deviation of the members
# ---------------------------------
# ``predict(X, return_std=True)`` returns the mean of the members and their standard deviation. Where there
# were training rows they agree; in the gap and beyond the range of the data they differ. The standard
# deviation does not measure the noise in y, so it is not an interval.

grid = pd.DataFrame({"x": np.linspace(-1.5, 11.5, 400), "kind": "plain"})
mean, std = model.predict(grid, return_std=True)
seen = grid["x"].between(0, 4) | grid["x"].between(6, 10)
print(
    f"mean standard deviation with training rows {std[seen].mean():.3f}, elsewhere {std[~seen].mean():.3f}"
)

figure, (above, below) = plt.subplots(
    2, sharex=True, figsize=(7, 5), height_ratios=[2, 1], layout="constrained"
)
plain = (X["kind"] == "plain").to_numpy()
above.plot(X["x"][plain], y[plain], ".", color="#888888", markersize=3, label="rows of kind plain")
above.plot(grid["x"], mean, color="#D55E00", linewidth=2, label="mean of the members")
above.fill_between(
    grid["x"], mean - 2 * std, mean + 2 * std, color="#56B4E9", alpha=0.5, label="two deviations"
)
above.set(ylabel="y")
above.legend()
below.fill_between(grid["x"], std, color="#56B4E9")
below.set(xlabel="x", ylabel="members' spread", ylim=(0, None))
plt.show()

# %%
# Cycles and snapshots
# --------------------
# In each cycle the learning rate rises and falls once, and each cycle is twice as long as the one before.
# Dropout and weight decay are constant in the first half and then decay. When the rate is back at 0 the
# members have converged: a snapshot is taken, and the held-out rows are predicted.
#
# ``history_`` has a row for each snapshot: the loss on the held-out rows, and the weight in the predictions.
# The estimator tries members with and without numeric embeddings, which are periodic functions of a column:
# which are better depends on the table.

history = pd.DataFrame(model.history_)
print(history.round(4).to_string(index=False))

# %%
# The lower plot is drawn by :class:`~sknumpynet.LossCurveDisplay`: the out-of-fold loss at the end of each
# cycle. The area of a dot is the weight of its snapshot. Training ends when a cycle no longer reduces the
# loss.

cycles = history.drop_duplicates("cycle")
figure, (bumps, losses) = plt.subplots(2, sharex=True, figsize=(7, 6), layout="constrained")
for end, n_epochs in zip(cycles["epoch"], cycles["epochs"], strict=True):
    t = np.linspace(0, 1, 100)
    epochs = end - n_epochs + t * n_epochs
    rate = model.learning_rate * (1 - np.cos(2 * np.pi * t)) / 2
    flat = (1 + np.cos(np.pi * (np.maximum(1, 2 * t) - 1))) / 2
    bumps.plot(epochs, rate, color="#D55E00", label="learning rate" if end == n_epochs else None)
    bumps.plot(
        epochs,
        model.dropout * flat,
        color="#888888",
        linestyle="--",
        label="dropout" if end == n_epochs else None,
    )
    bumps.axvline(end, color="black", linewidth=0.8, linestyle=":")
bumps.set(ylabel="learning rate, dropout", title="dotted: snapshots")
bumps.set_ylim(top=0.21)
bumps.legend(loc="upper right", ncols=2)
LossCurveDisplay.from_estimator(model, ax=losses)
losses.margins(y=0.15)
plt.show()

# %%
# Intervals
# ---------
# ``predict_interval`` computes the width from the out-of-fold errors. On new rows of the same kind it should
# contain the requested fraction of the targets. In the gap this is not guaranteed, because there were no
# errors to learn from.

new, y_new = draw(4000, rng)
covered = new["x"].between(0, 4) | new["x"].between(6, 10)
wanted = np.array([0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
shares = {"with training rows": [], "in the gap": []}
for coverage in wanted:
    low, high = model.predict_interval(new, coverage=coverage).T
    inside = (low <= y_new) & (y_new <= high)
    for label, rows in zip(shares, (covered, ~covered), strict=True):
        shares[label].append(inside[rows].mean())
    print(f"asked for {coverage:.0%}: " + ", ".join(f"{v[-1]:.0%} {k}" for k, v in shares.items()))

# %%

low, high = model.predict_interval(grid, coverage=0.9).T
figure, (bands, hits) = plt.subplots(1, 2, figsize=(8, 3.8), layout="constrained")
bands.plot(X["x"][plain], y[plain], ".", color="#888888", markersize=3)
bands.fill_between(grid["x"], low, high, color="#009E73", alpha=0.35, label="interval of 90 %")
bands.plot(grid["x"], mean, color="#D55E00", linewidth=2)
bands.set(xlabel="x", ylabel="y")
bands.legend()
hits.plot([0.4, 1], [0.4, 1], color="black", linestyle="--", linewidth=1)
for (label, values), colour in zip(shares.items(), ("#009E73", "#CC79A7"), strict=True):
    hits.plot(wanted, values, marker="o", color=colour, label=label)
hits.set(xlabel="requested coverage", ylabel="fraction of new rows inside")
hits.set_ylim(0.3, 1.25)
hits.legend(loc="upper left")
plt.show()
