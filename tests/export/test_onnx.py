# SPDX-License-Identifier: BSD-3-Clause
"""ONNX files give the estimators' numbers in onnxruntime, or are refused by name."""

import collections
import itertools
import subprocess
import sys
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_settings import draw_any, drawer, make_data
from scipy.sparse import issparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknumpynet as sk
from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor, export
from sknumpynet.core.activations import ACTIVATIONS

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from .double_precision import only_in_single_precision  # noqa: E402

OURS = {"classifier": NumpyMLPClassifier, "regressor": NumpyMLPRegressor}
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
rng = np.random.RandomState(0)
X = rng.normal(size=(60, 4))
NUMBERS = X[:, 0] - X[:, 1] ** 2
WORDS = np.array(["no", "perhaps", "yes"])[np.arange(60) % 3]
KINDS = {
    "binary": ("classifier", WORDS == "no", {}),
    "one class": ("classifier", np.full(60, "a"), {}),
    "words": ("classifier", WORDS, {}),
    "whole floats": ("classifier", np.arange(60) % 4 * 2.0, {}),
    "focal": ("classifier", WORDS, {"loss": "focal"}),
    "indicator": (
        "classifier",
        np.column_stack([X[:, 0] > 0, X[:, 1] > 0, X[:, 2] > 0]).astype(int),
        {},
    ),
    "columns": ("classifier", np.column_stack([np.arange(60) % 2, np.arange(60) % 3]), {}),
    "columns of words": ("classifier", np.column_stack([WORDS, WORDS[::-1]]), {}),
    "numbers": ("regressor", NUMBERS, {}),
    "several": ("regressor", np.column_stack([NUMBERS, X[:, 2]]), {"loss": "huber"}),
    "poisson": ("regressor", np.floor(np.exp(X[:, 0])), {"loss": "poisson"}),
    "gamma": ("regressor", np.exp(X[:, :2]), {"loss": "gamma"}),
    "quantile": ("regressor", NUMBERS, {"loss": "quantile"}),
    "quantiles": ("regressor", NUMBERS, {"loss": sk.Quantile([0.1, 0.4, 0.5, 0.9])}),
}


def session_of(model, path, **how):
    export.to_onnx(model, path, **how)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    if how.get("dtype") == "float64":
        assert not only_in_single_precision(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def compare(model, session, X, tolerance):
    """Compare all outputs; labels only where no rounding decides."""
    outputs = dict(
        zip([each.name for each in session.get_outputs()], session.run(None, {"X": X}), strict=True)
    )
    predicted = model.predict(X)
    predicted = predicted.toarray() if issparse(predicted) else predicted
    if not hasattr(model, "predict_proba"):
        assert list(outputs) == ["variable"]
        predicted = predicted.reshape(len(X), -1)
        scale = max(1, abs(predicted).max())
        assert outputs["variable"].dtype == predicted.dtype
        assert_allclose(outputs["variable"] / scale, predicted / scale, atol=tolerance)
        return
    p = model.predict_proba(X)
    if isinstance(p, list):
        names = [f"{what}_{i}" for what in ("label", "probabilities") for i in range(len(p))]
        assert list(outputs) == names
        pairs = [
            (outputs[f"label_{i}"], predicted[:, i], outputs[f"probabilities_{i}"], p[i])
            for i in range(len(p))
        ]
    else:
        assert list(outputs) == ["label", "probabilities"]
        pairs = [(outputs["label"], predicted, outputs["probabilities"], p)]
    for label, predicted, q, p in pairs:
        assert q.shape == p.shape and q.dtype == p.dtype
        assert_allclose(q, p, atol=tolerance)
        assert label.shape == predicted.shape
        assert label.dtype == (object if predicted.dtype.kind in "UO" else np.int64)
        if p.shape[1] == 1:
            sure = np.full(len(p), True)
        elif predicted.ndim == 2:
            sure = (abs(p - 0.5) > 10 * tolerance).all(axis=1)
        else:
            ordered = np.sort(p, axis=1)
            sure = ordered[:, -1] - ordered[:, -2] > 10 * tolerance
        assert_array_equal(label[sure], predicted[sure])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_output_activation_and_normalization(kind, dtype, tmp_path):
    which, y, params = KINDS[kind]
    data, n = X.astype(dtype), 0
    for activation, normalization in itertools.product(ACTIVATIONS, [None, "batch", "layer"]):
        model = OURS[which](
            hidden_layer_sizes=(5, 4), activation=activation, normalization=normalization,
            random_state=0, max_iter=2, learning_rate_init=0.1, dropout=0.1, **params,
        )  # fmt: skip
        model = model.initialize(data, y) if activation == "step" else model.fit(data, y)
        if activation == "gelu" and dtype == "float64":
            with pytest.raises(ValueError, match="activation='gelu'"):
                export.to_onnx(model, tmp_path / "model.onnx", dtype=dtype)
            assert not (tmp_path / "model.onnx").exists()
            continue
        session = session_of(model, tmp_path / f"{n}.onnx", dtype=dtype)
        compare(model, session, data * 3, TOLERANCE[dtype])
        compare(model, session, data[:1], TOLERANCE[dtype])
        n += 1
    assert n == 3 * 15 - 3 * (dtype == "float64")


def test_random_networks_convert_or_are_refused_by_name(tmp_path):
    counts, parameters = collections.Counter(), ("activation=", "loss=", "ONNX supports text")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(300):
            setting = draw_any(drawer("onnx", 0, number))
            try:
                data, y, given = make_data(setting)
                model = OURS[setting["estimator"]](**setting["parameters"]).fit(data, y, **given)
            except (TypeError, ValueError, ZeroDivisionError):
                continue
            dtype = model.coefs_[0].dtype.name
            path = tmp_path / f"{number}.onnx"
            try:
                session = session_of(model, path, dtype=dtype)
            except ValueError as error:
                assert str(error).startswith(parameters), error
                assert not path.exists()
                counts["refused"] += 1
                continue
            if hasattr(model, "feature_names_in_"):
                del model.feature_names_in_
                model._model = model._model.__class__(
                    *[getattr(model._model, name) for name in ("network", "target", "loss", "link")]
                )
            new = np.random.RandomState(number).normal(size=(20, model.n_features_in_))
            predicted = model.predict(new.astype(dtype))
            if hasattr(model, "classes_") or np.isfinite(predicted).all():
                compare(model, session, new.astype(dtype), 10 * TOLERANCE[dtype])
                counts["converted"] += 1
    assert counts["converted"] > 80


@pytest.mark.parametrize("opset", [13, 15, 17, 18, 21])
def test_versions_of_operators(opset, tmp_path):
    model = NumpyMLPClassifier((5,), normalization="layer", activation="mish", max_iter=2)
    model.fit(X, WORDS)
    session = session_of(model, tmp_path / "model.onnx", opset=opset, dtype="float64")
    assert onnx.load(tmp_path / "model.onnx").opset_import[0].version == opset
    compare(model, session, X, 1e-12)


@pytest.mark.parametrize("link", ["identity", "exp", "logistic", "softmax"])
@pytest.mark.parametrize("kind", ["binary", "words", "indicator", "columns", "numbers", "poisson"])
def test_a_link_that_was_set_after_the_fit(kind, link, tmp_path):
    which, y, params = KINDS[kind]
    model = OURS[which](hidden_layer_sizes=(5,), max_iter=5, random_state=0, **params).fit(X, y)
    model.out_activation_ = link
    compare(model, session_of(model, tmp_path / "model.onnx", dtype="float64"), X, 1e-12)


def test_known_weights(tmp_path):
    model = NumpyMLPClassifier.from_weights([[[1.0], [1.0]]], [[-1.5]], classes=["off", "on"])
    session = session_of(model, tmp_path / "model.onnx")
    label, _ = session.run(None, {"X": np.float32([[0, 1], [1, 1]])})
    assert label.tolist() == ["off", "on"]


# -------------------------------------------------------------------- what is refused


class OwnActivation(sk.ReLU):
    pass


class OwnLink(sk.SquaredError):
    link = "square"

    def inverse_link(self, raw, out):
        np.multiply(raw, raw, out=out)


def test_what_is_refused_is_named(tmp_path):
    path = tmp_path / "model.onnx"

    def fitted(cls=NumpyMLPRegressor, y=NUMBERS, **params):
        return cls(hidden_layer_sizes=(3,), max_iter=2, **params).fit(X, y)

    for params, message in (
        ({"activation": (np.sin, np.cos)}, "activation=Function"),
        ({"activation": OwnActivation()}, "activation=OwnActivation"),
        ({"loss": OwnLink()}, "loss=OwnLink"),
    ):
        with pytest.raises(ValueError, match=message):
            export.to_onnx(fitted(**params), path)
    with pytest.raises(ValueError, match="supports text and integers as labels"):
        export.to_onnx(NumpyMLPClassifier.from_weights([[[1.0]]], classes=[0.5, 1.5]), path)
    for wrong in ("float16", np.float32, None):
        with pytest.raises(ValueError, match="dtype must be"):
            export.to_onnx(fitted(), path, dtype=wrong)
    for wrong in (12, 10_000, 17.5, None, True):
        with pytest.raises(ValueError, match="opset must be"):
            export.to_onnx(fitted(), path, opset=wrong)
    with pytest.raises(TypeError, match="register_onnx"):
        export.to_onnx(make_pipeline(StandardScaler(), NumpyMLPRegressor()), path)
    with pytest.raises(NotFittedError):
        export.to_onnx(NumpyMLPRegressor(), path)
    assert not path.exists()


# -------------------------------------------------------------------- skl2onnx


@pytest.fixture
def skl2onnx():
    module = pytest.importorskip("skl2onnx")
    export.register_onnx()
    export.register_onnx()
    return module


def run(proto, data):
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {session.get_inputs()[0].name: data})


NO_ZIPMAP = {"zipmap": False}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_pipelines(skl2onnx, kind, dtype):
    which, y, params = KINDS[kind]
    for normalization in (None, "batch", "layer"):
        network = OURS[which](
            hidden_layer_sizes=(5,), max_iter=5, normalization=normalization, random_state=0,
            activation="silu", **params,
        )  # fmt: skip
        model = make_pipeline(StandardScaler(), network).fit(X, y)
        options = {id(model): NO_ZIPMAP} if which == "classifier" else None
        proto = skl2onnx.to_onnx(model, X[:1].astype(dtype), options=options)
        outputs = run(proto, X.astype(dtype))
        tolerance = {"float32": 1e-5, "float64": 1e-9}[dtype]
        if which == "regressor":
            expected = model.predict(X).reshape(60, -1)
            assert_allclose(outputs[0], expected, atol=tolerance * max(1, abs(expected).max()))
            continue
        p = model.predict_proba(X)
        p = p if isinstance(p, list) else [p]
        for one, other in zip(outputs[len(outputs) // 2 :], p, strict=True):
            assert_allclose(one, other, atol=tolerance)
        if len(p) == 1:
            assert (outputs[0] == model.predict(X)).mean() > 0.95


def test_options(skl2onnx):
    model = NumpyMLPClassifier((5,), max_iter=5, random_state=0).fit(X, WORDS)
    data = X.astype(np.float32)
    p = model.predict_proba(X)

    def outputs(**options):
        return run(skl2onnx.to_onnx(model, data[:1], options={id(model): options}), data)

    maps = outputs()[1]
    assert_allclose([list(each.values()) for each in maps], p, atol=1e-5)
    assert list(maps[0]) == ["no", "perhaps", "yes"]
    columns = outputs(zipmap="columns")
    assert_allclose(np.column_stack(columns[1:]), p, atol=1e-5)
    label, q = outputs(zipmap=False, nocl=True)
    assert_array_equal(np.array(["no", "perhaps", "yes"])[label], model.predict(X))
    label, q, classes = outputs(zipmap=False, output_class_labels=True)
    assert classes.tolist() == ["no", "perhaps", "yes"]
    _, raw = outputs(zipmap=False, raw_scores=True)
    assert_allclose(raw, model.decision_function(X), atol=1e-5)
    assert_allclose(q, p, atol=1e-5)


@pytest.mark.parametrize("y", [WORDS == "no", WORDS], ids=["binary", "multiclass"])
def test_calibration_asks_for_raw_scores(skl2onnx, y):
    # not "isotonic", for which skl2onnx converts scikit-learn's own classifiers wrongly, too
    network = NumpyMLPClassifier((5,), max_iter=20, normalization="layer", random_state=0)
    model = CalibratedClassifierCV(network, cv=2, method="sigmoid").fit(X, y.astype(str))
    proto = skl2onnx.to_onnx(model, X[:1].astype(np.float32), options={id(model): NO_ZIPMAP})
    _, p = run(proto, X.astype(np.float32))
    assert_allclose(p, model.predict_proba(X), atol=1e-5)


def test_inside_other_estimators(skl2onnx):
    network = NumpyMLPClassifier((5,), max_iter=10, normalization="batch", random_state=0)
    columns = ColumnTransformer(
        [("scaled", StandardScaler(), [0, 2]), ("rest", "passthrough", [1, 3])]
    )
    data = X.astype(np.float32)
    for model in (
        make_pipeline(columns, network),
        BaggingClassifier(network, n_estimators=2, random_state=0),
    ):
        model.fit(X, WORDS)
        proto = skl2onnx.to_onnx(model, data[:1], options={id(model): NO_ZIPMAP})
        assert_allclose(run(proto, data)[1], model.predict_proba(X), atol=1e-5)


def test_scikit_learns_own_are_converted_as_before(skl2onnx):
    model = LogisticRegression().fit(X, WORDS)
    proto = skl2onnx.to_onnx(model, X[:1].astype(np.float32), options={id(model): NO_ZIPMAP})
    assert_allclose(run(proto, X.astype(np.float32))[1], model.predict_proba(X), atol=1e-5)


def test_import_needs_neither():
    script = (
        "import sys, sknumpynet; print(*{m.split('.')[0] for m in sys.modules} & "
        "{'onnx', 'skl2onnx', 'onnxruntime', 'google'})"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not {"onnx", "skl2onnx", "onnxruntime"} & set(found.stdout.split())


@pytest.mark.parametrize("kind", ["binary", "words", "indicator", "numbers"])
def test_what_to_sklearn_gives_is_converted_by_skl2onnx_itself(kind):
    skl2onnx = pytest.importorskip("skl2onnx")
    which, y, params = KINDS[kind]
    ours = OURS[which](hidden_layer_sizes=(5,), max_iter=5, random_state=0, **params).fit(X, y)
    theirs, data = ours.to_sklearn(), X.astype(np.float32)
    options = {id(theirs): NO_ZIPMAP} if which == "classifier" else None
    outputs = run(skl2onnx.to_onnx(theirs, data[:1], options=options), data)
    if which == "classifier":
        assert_allclose(outputs[1], ours.predict_proba(X), atol=1e-5)
    else:
        assert_allclose(outputs[0].ravel(), ours.predict(X), atol=1e-5)
