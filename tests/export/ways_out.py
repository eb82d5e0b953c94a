# SPDX-License-Identifier: BSD-3-Clause
"""Each export of a fitted estimator, read back: is it equal, refused or wrong?

A way may differ from the estimator by a tolerance, and by ten times what the estimator itself differs when
its input and its parameters are rounded anew: networks that a wild fit leaves magnify every rounding.
"""

import importlib.util
import pickle
import tempfile
import warnings
from pathlib import Path

import numpy as np
from scipy.sparse import issparse

from sknumpynet import export

from .mutations import state_of

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
ROUNDED = "equal but for rounding"
HAS_ONNX = all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))


def answers(model, X, dtype="float64"):
    """Return what a model gives: labels or None, and numbers, (n, outputs), as float64."""
    X = X.astype(dtype) if isinstance(X, np.ndarray) and X.dtype.kind == "f" else X
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        labels = model.predict(X)
        if not hasattr(model, "predict_proba"):
            return None, np.reshape(labels, (len(labels), -1)).astype(np.float64)
        p = model.predict_proba(X)
    labels = labels.toarray() if issparse(labels) else labels
    return labels, np.hstack(p if isinstance(p, list) else [p]).astype(np.float64)


def inputs_for(model, X, seed):
    """Return rows to predict for, that single precision holds."""
    rng = np.random.RandomState(seed)
    new = rng.normal(size=(20, model.n_features_in_))
    dense = X.toarray() if issparse(X) else np.asarray(X)
    with np.errstate(all="ignore"):
        rows = dense[:10].astype(np.float64)
        good = (abs(rows) < 1e30).all(axis=1) & ((rows == 0) | (abs(rows) > 1e-30)).all(axis=1)
    return np.concatenate([new, rows[good]]).astype(np.float32).astype(np.float64)


def own_rounding(model, X, dtype):
    """Return how far a network's numbers move, each, by rounding: (n, outputs)."""
    eps = 4 * np.finfo(dtype).eps
    own, rng = model._model.network.dtype, np.random.RandomState(0)
    _, before = answers(model, X, own)
    moved = np.zeros_like(before)
    for _ in range(3):
        other = pickle.loads(pickle.dumps(model))
        if eps > np.finfo(own).eps:
            params = other._model.network.params
            params *= (1 + eps * rng.uniform(-1, 1, params.shape)).astype(own)
        with np.errstate(all="ignore"):
            _, after = answers(other, X * (1 + eps * rng.uniform(-1, 1, X.shape)), own)
            moved = np.maximum(moved, abs(after - before))
    return moved


def difference(one, other, tolerance, rounding=0):
    """Return what is wrong with the second of two answers, or None."""
    (labels, numbers), (other_labels, other_numbers) = one, other
    if numbers.shape != other_numbers.shape:
        return f"shape {other_numbers.shape} and not {numbers.shape}"
    finite = np.isfinite(numbers)
    if not finite.all() and labels is None:  # beyond the largest number, here or there
        same = np.array_equal(numbers[~finite], other_numbers[~finite], equal_nan=True)
        return None if same else "numbers that are too large are others"
    scale = max(1, abs(numbers).max())
    allowed = tolerance * scale + 10 * rounding
    if not (abs(other_numbers - numbers) <= allowed).all():
        return (
            f"differs by {np.nanmax(abs(other_numbers - numbers) / allowed):.1e} of what is allowed"
        )
    if labels is None:
        return None
    if np.shape(labels) != np.shape(other_labels):
        return f"labels of shape {np.shape(other_labels)} and not {np.shape(labels)}"
    unsure = np.zeros(len(numbers), bool)
    for row in range(len(numbers)):
        if not np.array_equal(labels[row], other_labels[row]):
            pairs = abs(numbers[row][:, np.newaxis] - numbers[row]) + np.eye(numbers.shape[1])
            near_half = abs(numbers[row] - 0.5)
            unsure[row] = min(pairs.min(), near_half.min()) <= 10 * np.max(allowed)
            if not unsure[row]:
                return f"row {row} has the label {other_labels[row]} and not {labels[row]}"
    return None


# -------------------------------------------------------------------- the ways


def by_file(model, folder):
    export.save(model, folder / "model.sknn", training_state=True)
    return export.load(folder / "model.sknn")


def by_folder(model, folder):
    export.to_folder(model, folder / "folder")
    spec = importlib.util.spec_from_file_location("predict_alone", folder / "folder" / "predict.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load()


class InOnnxruntime:
    """The outputs of an ONNX file, with the methods of the estimator."""

    def __init__(self, model, path, dtype):
        import onnxruntime

        export.to_onnx(model, path, dtype=dtype)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.dtype = dtype
        self.session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        if hasattr(model, "predict_proba"):
            self.predict_proba = self._predict_proba

    def predict(self, X):
        outputs = self._outputs(X)
        n = max(len(outputs) // 2, 1)
        return (
            outputs[0] if n == 1 else np.column_stack([each.astype(object) for each in outputs[:n]])
        )

    def _predict_proba(self, X):
        outputs = self._outputs(X)
        return outputs[len(outputs) // 2 :]

    def _outputs(self, X):
        return self.session.run(None, {"X": X.astype(self.dtype)})


def check_ways(model, X, seed=0):
    """Return outcomes such as 'folder: equal', one for each way, and what is wrong, or None."""
    outcomes, problems = [], []

    def note(way, function):
        try:
            problem, what = function(), "equal"
            if problem == ROUNDED:
                problem, what = None, ROUNDED
        except ValueError as error:
            if "cannot" not in str(error) and "=" not in str(error) and "had" not in str(error):
                problem = f"refused without a reason: {error}"
            else:
                problem, what = None, "refused"
        outcomes.append(f"{way}: {'wrong' if problem else what}")
        if problem:
            problems.append(f"{way}: {problem}")

    own = model._model.network.dtype.name
    if hasattr(model, "feature_names_in_"):
        X = X.to_numpy() if hasattr(X, "to_numpy") else X
    new = inputs_for(model, X, seed)
    told = answers(model, new, own)
    rounding = {dtype: own_rounding(model, new, dtype) for dtype in TOLERANCE}

    def compare(other, dtype):
        dtype = "float32" if own == "float32" else dtype
        found, tolerance = answers(other, new, dtype), TOLERANCE[dtype]
        if difference(told, found, tolerance) is None:
            return None
        return difference(told, found, tolerance, rounding[dtype]) or ROUNDED

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def file():
            other = by_file(model, folder)
            if type(other) is not type(model) or state_of(other) != state_of(model):
                return "another state"
            return difference(told, answers(other, new, own), 0)

        note("file", file)
        note("folder", lambda: compare(by_folder(model, folder), own))
        if HAS_ONNX:
            for dtype in TOLERANCE:
                way = folder / f"{dtype}.onnx"
                note(
                    f"onnx {dtype}",
                    lambda way=way, dtype=dtype: compare(InOnnxruntime(model, way, dtype), dtype),
                )
        note("to_sklearn", lambda: compare(model.to_sklearn(), own))
        note("from_sklearn", lambda: compare(type(model).from_sklearn(model.to_sklearn()), own))
    return outcomes, "; ".join(problems) or None


def check_ways_of_table(model, X):
    """Return the same for an estimator for tables."""
    outcomes, problems = [], []
    with tempfile.TemporaryDirectory() as name:
        other = by_file(model, Path(name))
        problem = None if state_of(other) == state_of(model) else "another state"
        problem = problem or difference(answers(model, X), answers(other, X), 0)
        found = {"file": problem}
        if HAS_ONNX:
            session = InOnnxruntime(model, Path(name, "table.onnx"), model.dtype)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                inputs = model.encode(X)
            tolerance = TOLERANCE[model.dtype]
            found["onnx"] = difference(
                answers(model, X), answers(session, inputs, model.dtype), tolerance
            )
    for way, problem in found.items():
        outcomes.append(f"table, {way}: {'wrong' if problem else 'equal'}")
        problems += [f"table, {way}: {problem}"] if problem else []
    return outcomes, "; ".join(problems) or None
