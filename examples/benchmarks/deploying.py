# SPDX-License-Identifier: BSD-3-Clause
"""What each way out of the process costs: size, start, and latency of a row and of 1,000.

A classifier of 64 inputs, 100 units and 10 classes leaves by joblib, `export.save`, `export.to_folder`,
`export.to_onnx` (where onnx and onnxruntime are installed) and as scikit-learn's network. A start is a fresh
process that imports, loads and predicts a row; "beyond NumPy" is what it takes longer than one that imports
NumPy. The ways take turns, and the best of the rounds counts, in CPU seconds, which a busy neighbour disturbs
less than the clock. For the folder a row is also compared with its expressions written out bare. To repeat:

    python examples/benchmarks/deploying.py
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import joblib
import numpy as np
from common import installed
from sklearn.datasets import load_digits

from sknumpynet import NumpyMLPClassifier, export

ROW = "import numpy as np; X = np.ones((1, 64), {dtype!r}); "
STARTS = {
    "numpy": "import numpy",
    "joblib": ROW + "import joblib; joblib.load('joblib/model').predict_proba(X)",
    "save": ROW + "from sknumpynet import export; export.load('save/model').predict_proba(X)",
    "to_sklearn": ROW + "import joblib; joblib.load('to_sklearn/model').predict_proba(X)",
    "folder": "import sys; sys.path.insert(0, 'folder'); import predict; "
    + ROW
    + "predict.load().predict_proba(X)",
    "onnx": ROW + "import onnxruntime as o; o.InferenceSession('onnx/model', "
    "providers=['CPUExecutionProvider']).run(None, {{'X': X}})",
}


def write_all(model, folder):
    """Write the model by each way into a folder of its name, and return what predicts with it."""
    for way in STARTS:
        Path(folder, way).mkdir()
    joblib.dump(model, Path(folder, "joblib", "model"))
    export.save(model, Path(folder, "save", "model"))
    joblib.dump(model.to_sklearn(), Path(folder, "to_sklearn", "model"))
    export.to_folder(model, Path(folder, "folder"))
    sys.path.insert(0, str(Path(folder, "folder")))
    import predict

    ways = {
        "joblib": joblib.load(Path(folder, "joblib", "model")).predict_proba,
        "save": export.load(Path(folder, "save", "model")).predict_proba,
        "to_sklearn": joblib.load(Path(folder, "to_sklearn", "model")).predict_proba,
        "folder": predict.load().predict_proba,
    }
    if installed("onnx") and installed("onnxruntime"):
        import onnxruntime

        path = Path(folder, "onnx", "model")
        export.to_onnx(model, path, dtype=model.coefs_[0].dtype.name)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        ways["onnx"] = lambda X: session.run(None, {"X": X})[1]
    return ways


def start(code, folder):
    """Return the CPU seconds that a fresh process takes for the code."""
    begin = cpu_of_children()
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, capture_output=True)
    return cpu_of_children() - begin


def cpu_of_children():
    """Return the CPU seconds of all processes that have been started and have ended."""
    times = os.times()
    return times.children_user + times.children_system


def best_of(functions, rounds, calls):
    """Return the CPU seconds of a call of each function: the best of rounds in which they take turns."""
    best = dict.fromkeys(functions, float("inf"))
    for _ in range(rounds):
        for name, function in functions.items():
            begin = time.process_time()
            for _ in range(calls):
                function()
            best[name] = min(best[name], (time.process_time() - begin) / calls)
    return best


def bare(model):
    """Return the expressions of a row, with nothing around them."""
    (W1, W2), (b1, b2) = map(list, (model.coefs_, model.intercepts_))
    W1, W2, b1, b2 = (np.array(each) for each in (W1, W2, b1, b2))

    def predict_proba(X):
        z = np.maximum(X @ W1 + b1, 0) @ W2 + b2
        p = np.exp(z - z.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True)

    return predict_proba


def main():
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float64")
    options = parser.parse_args()
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(options.dtype)
    warnings.simplefilter("ignore")  # 30 epochs are enough here
    model = NumpyMLPClassifier((100,), random_state=0, max_iter=30, tol=0).fit(X, y)
    one, many = X[:1].copy(), X[:1000].copy()
    with tempfile.TemporaryDirectory() as folder:
        ways = write_all(model, folder)
        starts = dict.fromkeys(["numpy", *ways], float("inf"))
        for _ in range(max(3, options.rounds // 3)):
            for way in starts:
                code = STARTS[way].format(dtype=options.dtype)
                starts[way] = min(starts[way], start(code, folder))
        sizes = {
            way: sum(
                path.stat().st_size for path in Path(folder, way).glob("[!_]*") if path.is_file()
            )
            for way in ways
        }
    rows = best_of({way: lambda f=f: f(one) for way, f in ways.items()}, options.rounds, 300)
    thousands = best_of({way: lambda f=f: f(many) for way, f in ways.items()}, options.rounds, 5)
    expressions_alone = bare(model)
    expressions = best_of(
        {"bare": lambda: expressions_alone(one), "folder": lambda: ways["folder"](one)},
        options.rounds,
        300,
    )
    print(f"{options.dtype}, parameters alone {model._model.network.params.nbytes / 1000:.0f} kB\n")
    print("| way | size, kB | start beyond NumPy, ms | one row, µs | 1,000 rows, ms |")
    print("|---|---|---|---|---|")
    for way in ways:
        beyond = 1000 * (starts[way] - starts["numpy"])
        print(
            f"| `{way}` | {sizes[way] / 1000:.0f} | {beyond:.0f} | {1e6 * rows[way]:.0f} | "
            f"{1000 * thousands[way]:.1f} |"
        )
    ratio = expressions["folder"] / expressions["bare"]
    print(
        f"\nOne row in the folder: {1e6 * expressions['folder']:.1f} µs; its expressions alone: "
        f"{1e6 * expressions['bare']:.1f} µs ({ratio:.2f} times)"
    )


if __name__ == "__main__":
    main()
