# SPDX-License-Identifier: BSD-3-Clause
"""hummingbird makes PyTorch modules of what `to_sklearn` gives, with the same predictions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.preprocessing import scale

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

hummingbird_ml = pytest.importorskip("hummingbird.ml")

SMALL = {"hidden_layer_sizes": (8, 6), "max_iter": 20, "random_state": 0}
X, y = load_iris(return_X_y=True)
X_reg, y_reg = load_diabetes(return_X_y=True)
X_reg, y_reg = scale(X_reg), y_reg / 100
ACTIVATIONS = pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])


def converted(network):
    return hummingbird_ml.convert(network.to_sklearn(), "torch")


def test_the_page(run):
    names = run("hummingbird")
    expected = names["network"].predict_proba(names["X_test"])
    assert_allclose(names["probabilities"], expected, atol=1e-5)


@ACTIVATIONS
@pytest.mark.parametrize("labels", [y, (y > 0).astype(int), y + 5], ids=["three", "two", "from 5"])
def test_classifiers(activation, labels):
    network = NumpyMLPClassifier(activation=activation, **SMALL).fit(X, labels)
    module = converted(network)
    assert_allclose(module.predict_proba(X), network.predict_proba(X), atol=1e-5)
    assert_array_equal(module.predict(X), network.predict(X))


@ACTIVATIONS
@pytest.mark.parametrize("targets", [y_reg, np.column_stack([y_reg, -y_reg])], ids=["one", "two"])
def test_regressors(activation, targets):
    network = NumpyMLPRegressor(activation=activation, **SMALL).fit(X_reg, targets)
    made = converted(network).predict(X_reg)
    assert_allclose(made.reshape(targets.shape), network.predict(X_reg), rtol=1e-5, atol=1e-5)


# Where these fail, hummingbird has become better, and the page is to say so.


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_it_leaves_out_the_link_as_the_page_says(loss):
    network = NumpyMLPRegressor(loss, **SMALL).fit(X_reg, y_reg)
    made = converted(network).predict(X_reg).ravel()
    assert abs(made - network.predict(X_reg)).max() > 0.1
    assert_allclose(np.exp(made), network.predict(X_reg), rtol=1e-5)


def test_it_gives_one_of_several_labels_as_the_page_says():
    inputs, labels = make_multilabel_classification(random_state=0)
    network = NumpyMLPClassifier(**SMALL).fit(inputs, labels)
    assert converted(network).predict(inputs).shape != network.predict(inputs).shape


def test_it_refuses_labels_of_text_as_the_page_says():
    network = NumpyMLPClassifier(**SMALL).fit(X, np.array(["a", "b", "c"])[y])
    with pytest.raises(RuntimeError, match="only integer labels"):
        converted(network)
