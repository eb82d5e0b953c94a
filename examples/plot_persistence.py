"""
Saved, loaded, resumed
===========================

A fitted network is kept by pickle or joblib, as any estimator. The file holds the parameters once; what is
loaded predicts the same, and trains further as if nothing had happened. A training that takes long can
write itself down as it goes, and be taken up again after it was killed.
"""

# %%
# A network in a file
# -------------------

import pickle
import tempfile
import warnings
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from sknumpynet import Checkpoint, NumpyMLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is a choice here

X, y = load_digits(return_X_y=True)
X = X / 16
options = {"hidden_layer_sizes": (256, 128), "max_iter": 10, "random_state": 0}
network = NumpyMLPClassifier(**options).fit(X, y)

folder = tempfile.TemporaryDirectory()
path = Path(folder.name, "network.joblib")
joblib.dump(network, path)
loaded = joblib.load(path)
assert np.array_equal(loaded.predict_proba(X), network.predict_proba(X))

# %%
# It trains on exactly as the first one does, the optimizer's averages and the random state included:

for model in (network, loaded):
    model.partial_fit(X, y)
assert all(np.array_equal(A, B) for A, B in zip(network.coefs_, loaded.coefs_, strict=True))
print("after one more epoch each, the weights are the same to the last bit")

# %%
# The smallest file
# -----------------
# Beside the parameters, a file of a network that was trained by Adam holds two numbers for each of them, the
# running averages that going on needs. scikit-learn's holds them too, and the weights twice. Where nothing
# is to be trained further, make a network of the weights alone, with
# :meth:`~sknumpynet.NumpyMLPClassifier.from_weights`. No class of ours needs to be loaded for that, so that
# the weights may as well lie in a plain ``.npz``, which,
# unlike a pickle, can run no code when it is opened.

theirs = MLPClassifier(**options).fit(X, y)
single = NumpyMLPClassifier(dtype="float32", **options).fit(X, y)

arrays = {f"W{number}": W for number, W in enumerate(single.coefs_)}
arrays |= {f"b{number}": b for number, b in enumerate(single.intercepts_)}
weights = Path(folder.name, "weights.npz")
np.savez(weights, **arrays)

with np.load(weights) as stored:
    depth = len(stored.files) // 2
    plain = NumpyMLPClassifier.from_weights(
        coefs=[stored[f"W{number}"] for number in range(depth)],
        intercepts=[stored[f"b{number}"] for number in range(depth)],
        activation="relu",
        classes=np.arange(10),
    )
assert np.array_equal(plain.predict(X), single.predict(X))

sizes = {
    "scikit-learn": len(pickle.dumps(theirs)),
    "sknumpynet": len(pickle.dumps(network)),
    'dtype="float32"': len(pickle.dumps(single)),
    "from_weights": len(pickle.dumps(plain)),
    "weights.npz": weights.stat().st_size,
}
print(f"{network.n_parameters_:,} parameters, {8e-3 * network.n_parameters_:.0f} kB as float64")
for name, size in sizes.items():
    print(f"{name:18} {size / 1000:6.0f} kB")

# %%

figure, axes = plt.subplots(figsize=(7, 2.8), layout="constrained")
colors = ["#E69F00", *["#0072B2"] * (len(sizes) - 1)]
bars = axes.barh(list(sizes), [size / 1000 for size in sizes.values()], color=colors)
axes.bar_label(bars, fmt="%.0f", padding=3)
axes.margins(x=0.1)
axes.invert_yaxis()
axes.set_xlabel("size in kB")
plt.show()

# %%
# One file for many processes
# ---------------------------
# joblib can leave the parameters in the file, which is then mapped into memory: loading takes no time, and
# processes that serve the same network share one copy of it. Such a network predicts at once; training it
# further, or assigning to ``coefs_``, makes a copy first and leaves the file as it is.

mapped = joblib.load(path, mmap_mode="r")
print("parameters can be written:", mapped.coefs_[0].flags.writeable)
before = path.read_bytes()
mapped.partial_fit(X, y)
assert all(np.array_equal(A, B) for A, B in zip(mapped.coefs_, network.coefs_, strict=True))
assert path.read_bytes() == before
print("after an epoch:           ", mapped.coefs_[0].flags.writeable)

# %%
# A training that was killed
# --------------------------
# :class:`~sknumpynet.Checkpoint` writes the training to a file every so many epochs. Here a callback ends the
# process's work in the middle, as a power cut would. The same call, made again, finds the file, takes up the
# training, and ends with the weights of a fit that nothing has happened to. Callbacks came with scikit-learn
# 1.9; before, ``set_callbacks`` says so.


class PowerCut:
    """Raises an error in the middle of the fit."""

    def __init__(self, epoch):
        self.epoch = epoch

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        if context.task_name == "epoch" and context.task_id + 1 == self.epoch:
            raise RuntimeError(f"the power was cut in epoch {self.epoch}")

    def on_fit_task_end(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass


options["dropout"] = 0.2  # its masks are drawn on from where they were, too
whole = NumpyMLPClassifier(**options).fit(X, y)
checkpoint = Path(folder.name, "training.checkpoint")
try:
    cut = NumpyMLPClassifier(**options).set_callbacks(Checkpoint(checkpoint, every=2), PowerCut(8))
    try:
        cut.fit(X, y)
    except RuntimeError as error:
        print(f"{error}; {checkpoint.name} holds {checkpoint.stat().st_size / 1000:.0f} kB")
    resumed = NumpyMLPClassifier(**options).set_callbacks(Checkpoint(checkpoint, every=2))
    resumed.fit(X, y)
    assert all(np.array_equal(A, B) for A, B in zip(resumed.coefs_, whole.coefs_, strict=True))
    assert resumed.loss_curve_ == whole.loss_curve_
    print(
        "taken up again: the same weights to the last bit; the file is gone:",
        not checkpoint.exists(),
    )
except ImportError as error:
    print(error)

del mapped  # the file is closed before its folder goes
folder.cleanup()
