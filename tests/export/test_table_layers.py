# SPDX-License-Identifier: BSD-3-Clause
"""Layers that no estimator creates: each export writes them correctly, or names them in an error."""

import importlib.util
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet import NumpyMLPRegressor, explain_step, export
from sknumpynet.core import Dense, Dropout, Network, NumericEmbedding, Scale

X = np.random.default_rng(0).normal(size=(20, 4))
NTK = [Dense(4, 5, parametrization="ntk"), "tanh", Dropout(0.5, pool=True), Dense(5, 1)]
OTHERS = {
    "NumericEmbedding": [NumericEmbedding(2, 3, 1), Dense(6, 5), "tanh", Dense(5, 1)],
    "Scale": [Scale(4), Dense(4, 5), "tanh", Dense(5, 1)],
}


def estimator_of(layers):
    """Return an estimator with these layers, which its constructor cannot create."""
    model = NumpyMLPRegressor(hidden_layer_sizes=5, activation="tanh", random_state=0)
    model.initialize(X, X[:, 0])
    network = Network(layers, n_features=4, rng=0)
    model._publish(replace(model._fitted_model(), network=network))
    assert_array_equal(model.predict(X), network.predict(X).ravel())
    return model


def test_ntk_in_an_onnx_file(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    model = estimator_of(NTK)
    export.to_onnx(model, tmp_path / "model.onnx", dtype="float64")
    (found,) = runtime.InferenceSession(tmp_path / "model.onnx").run(None, {"X": X})
    assert_allclose(found.ravel(), model.predict(X), rtol=1e-12)


def test_ntk_in_a_folder(tmp_path):
    model = estimator_of(NTK)
    export.to_folder(model, tmp_path)
    spec = importlib.util.spec_from_file_location("predict", tmp_path / "predict.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert_allclose(module.load().predict(X), model.predict(X), rtol=1e-12)


def test_ntk_in_a_file(tmp_path):
    model = estimator_of(NTK)
    export.save(model, tmp_path / "model.sknn")
    twin = export.load(tmp_path / "model.sknn")
    assert_array_equal(twin.predict(X), model.predict(X))
    assert twin._fitted_model().network.layers[0] == NTK[0]


def test_ntk_as_a_network_of_scikit_learn():
    model = estimator_of(NTK)
    assert_allclose(model.to_sklearn().predict(X), model.predict(X), rtol=1e-12)


def test_there_is_no_derivation_of_ntk():
    with pytest.raises(ValueError, match=r"no formulas for a layer.*parametrization='ntk'"):
        explain_step(estimator_of(NTK), X[0])


@pytest.mark.parametrize("name", OTHERS)
def test_layer_without_an_export_is_named(name, tmp_path):
    pytest.importorskip("onnx")
    model = estimator_of(OTHERS[name])
    for way in (
        lambda: export.to_onnx(model, tmp_path / "model.onnx"),
        lambda: export.to_folder(model, tmp_path / "folder"),
        lambda: export.save(model, tmp_path / "model.sknn"),
        lambda: model.to_sklearn(),
        lambda: explain_step(model, X[0]),
    ):
        with pytest.raises(ValueError, match=name):
            way()
    assert not list(tmp_path.iterdir())
