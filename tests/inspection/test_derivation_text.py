# SPDX-License-Identifier: BSD-3-Clause
"""What `explain_step` says in words: labels, and Adam's update with its arithmetic."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_iris

from sknumpynet import AdamW, NumpyMLPClassifier, NumpyMLPRegressor, explain_step

data = load_iris()
X, names = data.data, data.target_names[data.target]


def fitted(y=names, cls=NumpyMLPClassifier, **params):
    settings = {"hidden_layer_sizes": (2,), "max_iter": 4, "random_state": 0}
    return cls(**{**settings, **params}).fit(X, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
class TestText:
    def test_labels_stand_beside_the_numbers(self):
        model = fitted()
        step = explain_step(model, X[60], names[60])
        text = str(step)
        assert "with y = [0, 1, 0], the label 'versicolor'" in text
        shares = dict(re.findall(r"P\('(\w+)'\) = ([\d.e-]+)", text))
        expected = model.predict_proba(X[60:61])[0]
        assert list(shares) == list(data.target_names)
        assert_allclose([float(each) for each in shares.values()], expected, rtol=1e-3)

    def test_one_output_is_that_of_the_second_class(self):
        model = fitted(names == "virginica")
        text = str(explain_step(model, X[60]))
        share = float(re.search(r"P\(True\) = ([\d.e-]+)", text)[1])
        assert_allclose(share, model.predict_proba(X[60:61])[0, 1], rtol=1e-3)
        assert "P(False)" not in text

    def test_columns_of_labels_and_numbers(self):
        columns = np.stack([names, (X[:, 0] > 6).astype(str)], axis=1)
        text = str(explain_step(fitted(columns), X[0], columns[0]))
        assert "P(column 1: 'False')" in text and "the label ['setosa', 'False']" in text
        text = str(explain_step(fitted(X[:, 0], NumpyMLPRegressor), X[0], 5.0))
        assert "P(" not in text and "label" not in text

    @pytest.mark.parametrize("solver", ["adam", AdamW(weight_decay=0.3)])
    @pytest.mark.parametrize("normalization", [None, "layer"])
    def test_the_arithmetic_of_adam(self, solver, normalization):
        """Textbook formulas on the numbers that are shown give the new parameters."""
        model = fitted(solver=solver, normalization=normalization)
        step = explain_step(model, X[60], names[60])
        t, rate = step.optimizer.t, step.learning_rate
        decay = getattr(solver, "weight_decay", 0.0)
        for layer in step.layers:
            for name in ("W", "b", "gain", "shift"):
                if name not in layer:
                    continue
                m, v = layer[f"m_{name}"], layer[f"v_{name}"]
                kept = layer[name] * (1 - rate * decay * (name == "W"))
                expected = kept - rate * (m / (1 - 0.9**t)) / (
                    np.sqrt(v / (1 - 0.999**t)) + 1e-8 / np.sqrt(1 - 0.999**t)
                )
                assert_allclose(layer[f"new_{name}"], expected, rtol=1e-12)

    @pytest.mark.parametrize("solver", ["adam", AdamW(weight_decay=30.0)])
    def test_the_lines_add_up(self, solver):
        text = str(explain_step(fitted(solver=solver), X[60], names[60]))
        lines = re.findall(r"^  [Wb]\d\[[\d,]+\] = (.*sqrt.*) = (\S+)    g = ", text, re.MULTILINE)
        assert len(lines) == 8 + 2 + 6 + 3
        for expression, result in lines:
            value = eval(expression, {"sqrt": np.sqrt})  # digits, operators and sqrt alone
            assert_allclose(value, float(result), rtol=2e-3, atol=1e-6)
