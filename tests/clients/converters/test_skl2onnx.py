# SPDX-License-Identifier: BSD-3-Clause
"""skl2onnx converts pipelines, and onnxruntime predicts their numbers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import NumpyMLPRegressor, export

skl2onnx = pytest.importorskip("skl2onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def test_the_page(run):
    names = run("skl2onnx and onnxruntime")
    pipeline, X_test = names["pipeline"], names["X_test"]
    assert_allclose(names["probabilities"], pipeline.predict_proba(X_test), atol=1e-5)
    assert_array_equal(names["label"], pipeline.predict(X_test))


@pytest.mark.parametrize("loss", ["squared_error", "poisson", "quantile"])
def test_a_regressor_behind_transformers_of_columns(loss):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 4)).astype(np.float32)
    y = np.exp(X[:, 0])
    columns = make_column_transformer((StandardScaler(), [0, 1]), remainder="passthrough")
    network = NumpyMLPRegressor(loss, normalization="layer", max_iter=20, random_state=0)
    pipeline = make_pipeline(columns, network).fit(X, y)
    export.register_onnx()
    model = skl2onnx.to_onnx(pipeline, X[:1])
    (made,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"X": X})
    assert_allclose(made.ravel(), pipeline.predict(X), rtol=1e-5, atol=1e-5)


def test_what_skl2onnx_does_not_know_is_said_so():
    model = TransformedTargetRegressor(NumpyMLPRegressor(max_iter=2))
    X = np.eye(5, dtype=np.float32)
    export.register_onnx()
    with pytest.raises(skl2onnx.common.exceptions.MissingShapeCalculator):
        skl2onnx.to_onnx(model.fit(X, X[:, 0]), X[:1])
