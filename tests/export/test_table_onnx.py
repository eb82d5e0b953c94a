# SPDX-License-Identifier: BSD-3-Clause
"""The networks of the estimators for tables in onnxruntime, from encoded rows on."""

import collections
import random
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError

from sknumpynet import TabularMLPClassifier, TabularMLPRegressor, export

from .random_tables import draw_table, fit_table

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def fitted(kind="classifier", **changes):
    setting = draw_table(random.Random(0)) | {
        "estimator": kind,
        "target": "one",
        "container": "array",
    }
    setting["parameters"] = {"first_cycle": 1, "n_cycles": 1, "cv": 2, "hidden_layer_sizes": 3}
    setting["parameters"] |= {"random_state": 0, "n_members": 2, "loss": "squared_error"}
    if kind == "classifier":
        setting["target"] = "words"
        del setting["parameters"]["loss"]
    setting["parameters"] |= changes
    return fit_table(setting)


def compare_table(model, X, session):
    """Return what is wrong with what a session gives for a table, or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that are missing
        inputs, predicted = model.encode(X), model.predict(X)
        told = model.predict_proba(X) if hasattr(model, "classes_") else predicted
    told = told.reshape(len(predicted), -1)
    tolerance = TOLERANCE[inputs.dtype.name] * max(1, abs(told).max())
    for rows in (slice(None), slice(1)):
        *labels, found = session.run(None, {"X": inputs[rows]})
        if found.shape != told[rows].shape or found.dtype != inputs.dtype:
            return f"shape {found.shape} and dtype {found.dtype}"
        if not abs(found - told[rows]).max() <= tolerance:
            return f"differs by {abs(found - told[rows]).max() / tolerance:.1e} of the tolerance"
        if labels:
            ordered = np.sort(np.pad(told[rows], ((0, 0), (1, 0))), axis=1)
            sure = ordered[:, -1] - ordered[:, -2] > 10 * tolerance
            if not np.array_equal(labels[0][sure], predicted[rows][sure]):
                return "other labels"
    return None


def test_random_tables(tmp_path):
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    from .double_precision import only_in_single_precision

    counts = collections.Counter()
    for number in range(120):
        setting = draw_table(random.Random(f"table onnx {number}"))
        model, X = fit_table(setting)
        path = tmp_path / "table.onnx"
        opset = random.Random(number).choice([13, 17, 18])
        export.to_onnx(model, path, dtype=model.dtype, opset=opset)
        onnx.checker.check_model(onnx.load(path), full_check=True)
        if model.dtype == "float64":
            assert not only_in_single_precision(path)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        assert compare_table(model, X, session) is None, (number, setting)
        counts[setting["estimator"], model.dtype] += 1
    assert (
        min(counts[kind, dtype] for kind in ("classifier", "regressor") for dtype in TOLERANCE) > 15
    )


def test_a_number_that_single_precision_has_not_is_refused(tmp_path):
    pytest.importorskip("onnx")
    model, _ = fitted("regressor", dtype="float64")
    model.target_scale_.high[:] = 1e200
    with pytest.raises(ValueError, match=r"dtype='float32' cannot hold .* 1\.0e\+200"):
        export.to_onnx(model, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()
    export.to_onnx(model, tmp_path / "model.onnx", dtype="float64")


# -------------------------------------------------------------------- the other ways out


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_encode_gives_what_the_networks_take(dtype):
    model, X = fitted(dtype=dtype)
    inputs = model.encode(X)
    assert inputs.dtype == dtype and np.isfinite(inputs).all() and abs(inputs).max() <= 3
    assert_allclose(model.ensemble_.predict(inputs), model.predict_proba(X), rtol=1e-15)
    assert_array_equal(model.encode(X[3:5]), inputs[3:5])
    with pytest.raises(ValueError, match="is expecting 3 features"):
        model.encode(X[:, :2])
    with pytest.raises(NotFittedError):
        TabularMLPRegressor().encode(X)


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_ways_that_tables_do_not_go_name_one_that_they_do(kind, tmp_path):
    model, _ = fitted(kind)
    for error, way in (
        (ValueError, model.to_sklearn),
        (TypeError, lambda: export.to_folder(model, tmp_path / "folder")),
    ):
        with pytest.raises(error, match=rf"{type(model).__name__}.*export\.save.*export\.to_onnx"):
            way()
    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize("cls", [TabularMLPClassifier, TabularMLPRegressor])
def test_one_that_is_not_fitted_is_refused(cls, tmp_path):
    pytest.importorskip("onnx")
    with pytest.raises(NotFittedError):
        export.to_onnx(cls(), tmp_path / "model.onnx")
