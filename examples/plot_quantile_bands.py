"""
Prediction intervals: ``Quantile``
==================================

How large may the error of a prediction be? With the loss ``Quantile([0.1, 0.5, 0.9])`` one network has three
outputs: a value with 10 % of the targets below it, the median, and a value with 10 % above it. The band
between the outer two should contain 80 % of the targets, and its width follows the noise of the data.
"""

# %%
# Noise that grows
# ----------------

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import NumpyMLPRegressor, Quantile

warnings.simplefilter("ignore", ConvergenceWarning)


def draw(n, rng):
    x = np.sort(rng.uniform(0, 10, n))
    return x.reshape(-1, 1), np.sin(x) + (0.1 + 0.08 * x) * rng.normal(size=n)


rng = np.random.default_rng(0)
X, y = draw(1000, rng)

# %%
# One network, three columns
# --------------------------
# ``predict`` returns one column for each quantile. Each row is sorted, so that the quantiles never cross.

network = NumpyMLPRegressor(
    Quantile([0.1, 0.5, 0.9]),
    (50, 50),
    "tanh",
    learning_rate="cosine",
    learning_rate_init=0.01,
    max_iter=150,
    random_state=0,
)
model = make_pipeline(StandardScaler(), network).fit(X, y)
print("shape of the predictions:", model.predict(X).shape)

# %%
# On new rows, what fraction of the targets is below each quantile, and within the band? The latter should
# be about 80 % in both the left half, with little noise, and the noisy right half, although the model was not
# told that the noise grows.

X_new, y_new = draw(10_000, rng)
low, middle, high = model.predict(X_new).T
for name, column in (("0.1", low), ("0.5", middle), ("0.9", high)):
    print(f"below the quantile {name}: {np.mean(y_new < column):.3f}")
inside = (low <= y_new) & (y_new <= high)
left = X_new.ravel() < 5
print(f"within the band: {inside.mean():.3f}")
print(f"    left half {inside[left].mean():.3f}, mean width {np.mean((high - low)[left]):.2f}")
print(f"    right half {inside[~left].mean():.3f}, mean width {np.mean((high - low)[~left]):.2f}")
print(f"never crossing: {bool(np.all((low <= middle) & (middle <= high)))}")

# %%
# ``score`` is the R2 of the median.

print(f"score on new rows {model.score(X_new, y_new):.3f}")

# %%

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.plot(X, y, ".", color="#555555", markersize=2.5, label="training rows")
x = X_new.ravel()
axes.fill_between(x, low, high, color="#56B4E9", alpha=0.45, label="from 0.1 to 0.9")
axes.plot(x, middle, color="#D55E00", linewidth=2.5, label="median")
axes.plot(x, np.sin(x), color="black", linestyle="--", linewidth=1, label="truth")
axes.set(xlabel="x", ylabel="y")
axes.legend(loc="upper left", ncols=2)
plt.show()
