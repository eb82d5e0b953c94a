"""
Save, load, resume
==================

A fitted network can be saved with pickle or joblib, like any estimator. The file contains the parameters
once; the loaded network makes the same predictions, and can be trained further with identical results. Long
training can save its state regularly, and be resumed after it was killed.
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
# Further training is identical to that of the original, because the optimizer's averages and the random
# state are saved:

for model in (network, loaded):
    model.partial_fit(X, y)
assert all(np.array_equal(A, B) for A, B in zip(network.coefs_, loaded.coefs_, strict=True))
print("after one more epoch each, the weights are bit-identical")

# %%
# The smallest file
# -----------------
# In addition to the parameters, the file of a network trained with Adam contains two running averages for
# each of them, which are needed for further training. scikit-learn's file contains them too, and the weights
# twice. If you do not need to train further, you can save only the weights, and create a network from them
# with :meth:`~sknumpynet.NumpyMLPClassifier.from_weights`. This needs no pickle: the weights can be in an
# ``.npz`` file, which cannot run code when it is loaded.

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
axes.margins(x=0.12)
axes.invert_yaxis()
axes.set_xlabel("size in kB")
plt.show()

# %%
# One file for many processes
# ---------------------------
# joblib can leave the parameters in the file and map it into memory: loading takes no time, and processes
# that use the same network share one copy. Such a network can predict immediately. Further training, or
# assigning to ``coefs_``, makes a copy first and does not change the file.

mapped = joblib.load(path, mmap_mode="r")
print("parameters are writable:", mapped.coefs_[0].flags.writeable)
before = path.read_bytes()
mapped.partial_fit(X, y)
assert all(np.array_equal(A, B) for A, B in zip(mapped.coefs_, network.coefs_, strict=True))
assert path.read_bytes() == before
print("after an epoch:         ", mapped.coefs_[0].flags.writeable)

# %%
# Resume training that was killed
# -------------------------------
# :class:`~sknumpynet.Checkpoint` writes the state of training to a file every few epochs. Here a callback
# interrupts training, as a power cut would. The same call, made again, finds the file, resumes training, and
# ends with the same weights as an uninterrupted fit. Callbacks need scikit-learn 1.9; with earlier versions,
# ``set_callbacks`` raises an error.


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


options["dropout"] = 0.2  # the random state of its masks is restored, too
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
        "resumed: the weights are bit-identical; the file was removed:",
        not checkpoint.exists(),
    )
except ImportError as error:
    print(error)

del mapped  # close the file before its folder is removed
folder.cleanup()
