# SPDX-License-Identifier: BSD-3-Clause
"""emlearn writes C code of what `to_sklearn` gives; compiled here, it predicts the same."""

import subprocess

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_diabetes, load_iris
from sklearn.preprocessing import scale

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

emlearn = pytest.importorskip("emlearn")

SMALL = {"hidden_layer_sizes": (8, 6), "max_iter": 20, "random_state": 0}
X, y = load_iris(return_X_y=True)
X_reg, y_reg = load_diabetes(return_X_y=True)
X_reg, y_reg = scale(X_reg), y_reg / 100
ACTIVATIONS = pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])

PROGRAM = r"""
#include <stdio.h>
int main(void) {
    float row[INPUTS], out[OUTPUTS];
    while (1) {
        for (int i = 0; i < INPUTS; i++)
            if (scanf("%f", &row[i]) != 1) return 0;
        CALL;
        for (int i = 0; i < OUTPUTS; i++) printf("%.9g ", out[i]);
        printf("\n");
    }
}
"""


def c_code(network):
    return emlearn.convert(network.to_sklearn(), method="loadable").save(name="net")


def compute(code, call, rows, n_outputs=1):
    """Compile code with a program that reads rows, and return what it prints for these."""
    sizes = {"INPUTS": rows.shape[1], "OUTPUTS": n_outputs, "CALL": call}
    for name, value in sizes.items():
        code += f"\n#define {name} {value}"
    with open("program.c", "w") as file:
        file.write(code + PROGRAM)
    compiler = ["gcc", "-std=c99", "-Werror=implicit-function-declaration", "program.c"]
    options = ["-I", emlearn.includedir, "-o", "program", "-lm"]
    subprocess.run([*compiler, *options], check=True)
    lines = "\n".join(" ".join(f"{value:.9g}" for value in row) for row in rows)
    ran = subprocess.run(["./program"], input=lines, capture_output=True, text=True, check=True)
    return np.array([line.split() for line in ran.stdout.splitlines()], dtype=float)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_page(run):
    names = run("emlearn")
    X_test = names["X_test"]
    made = compute(names["c_code"], "out[0] = iris_predict(row, 4)", X_test)
    assert_array_equal(made[:, 0], names["network"].predict(X_test))


@ACTIVATIONS
@pytest.mark.parametrize("labels", [y, y > 0, np.array(["a", "b", "c"])[y]])
def test_classifiers(activation, labels):
    network = NumpyMLPClassifier(activation=activation, **SMALL).fit(X, labels)
    n = len(network.classes_)
    code = c_code(network)
    made = compute(code, f"eml_net_predict_proba(&net, row, 4, out, {n})", X, n)
    assert_allclose(made, network.predict_proba(X), atol=1e-5)
    places = compute(code, "out[0] = net_predict(row, 4)", X)[:, 0].astype(int)
    assert_array_equal(network.classes_[places], network.predict(X))


@ACTIVATIONS
def test_regressors(activation):
    network = NumpyMLPRegressor(activation=activation, **SMALL).fit(X_reg, y_reg)
    made = compute(c_code(network), "out[0] = net_regress1(row, 10)", X_reg)
    assert_allclose(made[:, 0], network.predict(X_reg), rtol=1e-5, atol=1e-5)


def test_several_targets():
    targets = np.column_stack([y_reg, -2 * y_reg])
    network = NumpyMLPRegressor(**SMALL).fit(X_reg, targets)
    made = compute(c_code(network), "net_regress(row, 10, out, 2)", X_reg, 2)
    assert_allclose(made, network.predict(X_reg), rtol=1e-5, atol=1e-5)


def test_the_link_of_poisson_raises_as_the_page_says():
    network = NumpyMLPRegressor("poisson", **SMALL).fit(X_reg, y_reg)
    with pytest.raises(ValueError, match="exp"):
        c_code(network)
