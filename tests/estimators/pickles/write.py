# SPDX-License-Identifier: BSD-3-Clause
"""Writes a pickle of each kind of estimator, and what it predicts, in the format of this version.

``python tests/estimators/pickles/write.py``, with the oldest NumPy, whose pickles all later ones read.
"""

import json
import pickle
import sys
import warnings
from pathlib import Path

import numpy as np

import sknumpynet as skn
from sknumpynet._versions import PICKLE_FORMAT

FOLDER = Path(__file__).parent
X = np.random.RandomState(0).normal(size=(40, 3)).round(3)
WORDS = np.array(["no", "perhaps", "yes"])[np.arange(40) % 3]
NUMBERS = (X[:, 0] - 2 * X[:, 1]).round(3)
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 3, "batch_size": 16, "random_state": 0}
CASES = {
    "classifier": (skn.NumpyMLPClassifier(**SMALL), WORDS),
    "regressor": (skn.NumpyMLPRegressor(**SMALL, solver="sgd"), NUMBERS),
    "objects": (
        skn.NumpyMLPClassifier(
            **SMALL | {"hidden_layer_sizes": (4, 3)},
            activation=["tanh", skn.LeakyReLU(0.1)],
            solver=skn.AdamW(weight_decay=0.1),
            learning_rate=skn.Warmup(skn.Cosine(), steps=2),
            loss=skn.Focal(1.0),
            init=skn.HeNormal(),
            normalization="batch",
            dropout=0.1,
        ),
        WORDS,
    ),
    "quantiles": (
        skn.NumpyMLPRegressor(
            **SMALL, loss=skn.Quantile([0.1, 0.9]), normalization="layer", dtype="float32"
        ),
        NUMBERS,
    ),
}


def outputs(model):
    """Return what the model predicts, as numbers."""
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


def main():
    warnings.simplefilter("ignore")
    for name, (model, y) in CASES.items():
        model.fit(X, y)
        path = FOLDER / f"format_{PICKLE_FORMAT}_{name}.pickle"
        path.write_bytes(pickle.dumps(model, protocol=4))
        before = outputs(model).tolist()
        after = outputs(model.partial_fit(X, y)).tolist()
        path.with_suffix(".json").write_text(json.dumps({"outputs": before, "after": after}) + "\n")
        print(path.name, path.stat().st_size, "bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
