# SPDX-License-Identifier: BSD-3-Clause
"""The table of layers: shapes and counts against those of the weights."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

X, y = load_iris(return_X_y=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
def test_shapes_and_counts(dtype, normalization):
    model = NumpyMLPClassifier(
        (7, 5), normalization=normalization, dropout=0.1, dtype=dtype, random_state=0
    ).initialize(X, y)
    summary = model.summary()
    dense = [row for row in summary.rows if "W" in row["shapes"]]
    assert [row["shapes"]["W"] for row in dense] == [W.shape for W in model.coefs_]
    assert [row["shapes"]["b"] for row in dense] == [b.shape for b in model.intercepts_]
    assert summary.n_parameters == model.n_parameters_
    assert sum(row["parameters"] for row in summary.rows) == model.n_parameters_
    assert summary.rows[-1] == {
        "layer": "link: softmax",
        "units": 3,
        "parameters": 0,
        "shapes": {},
    }
    running = 2 * 12 if normalization == "batch" else 0
    assert summary.n_bytes == np.dtype(dtype).itemsize * (model.n_parameters_ + running)


def test_text_and_html_say_the_same():
    model = NumpyMLPRegressor(hidden_layer_sizes=(1000,), activation="selu").initialize(X, y)
    summary = model.summary()
    assert str(summary).splitlines()[0] == "NumpyMLPRegressor: 4 inputs, float64"
    assert str(summary).splitlines()[-1] == "6,001 parameters, 48.0 kB"
    assert "SELU()" in str(summary) and "W 4x1000, b 1000" in str(summary)
    html = summary._repr_html_()
    for row in summary.rows:
        assert f"<td>{row['units']:,}</td>" in html and row["layer"] in html


def test_unfitted_estimator_has_no_summary():
    with pytest.raises(NotFittedError):
        NumpyMLPClassifier().summary()
