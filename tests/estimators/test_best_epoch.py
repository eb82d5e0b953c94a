# SPDX-License-Identifier: BSD-3-Clause
"""The epoch whose weights are kept."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

rng = np.random.RandomState(0)
X = rng.normal(size=(120, 5))
NUMBERS = X[:, 0] + rng.normal(size=120)
WORDS = np.where(NUMBERS > 0, "yes", "no")


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_with_early_stopping_it_is_the_one_whose_weights_predict(solver):
    """The network that is kept scores what the record says of that epoch, and of no later or better one."""
    model = NumpyMLPRegressor(
        hidden_layer_sizes=(30,), solver=solver, early_stopping=True, max_iter=60, random_state=0,
        learning_rate_init=0.02, alpha=0,
    ).fit(X[:80], NUMBERS[:80], X_val=X[80:], y_val=NUMBERS[80:])  # fmt: skip
    scores = model.history_["validation_score"]
    assert model.best_epoch_ < len(scores)
    row = model.history_["epoch"].index(model.best_epoch_)
    assert scores[row] == max(scores) == model.best_validation_score_
    assert r2_score(NUMBERS[80:], model.predict(X[80:])) == pytest.approx(scores[row], abs=1e-12)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_without_it_is_the_last(solver):
    model = NumpyMLPClassifier((5,), solver=solver, max_iter=7, random_state=0).fit(X, WORDS)
    assert model.best_epoch_ == model.history_["epoch"][-1] == model.n_iter_


def test_it_counts_on():
    model = NumpyMLPClassifier((5,), max_iter=4, warm_start=True, random_state=0).fit(X, WORDS)
    model.fit(X, WORDS)
    assert model.best_epoch_ == 8
    assert model.partial_fit(X, WORDS).best_epoch_ == 9
    model.set_params(early_stopping=True).fit(X, WORDS)
    row = model.history_["epoch"].index(model.best_epoch_)
    assert model.history_["validation_score"][row] == np.nanmax(model.history_["validation_score"])
    assert model.best_epoch_ > 9


def test_before_the_first_epoch_there_is_none():
    model = NumpyMLPClassifier((5,))
    assert not hasattr(model, "best_epoch_")
    with pytest.raises(NotFittedError):
        model.predict(X)
    assert not hasattr(model.initialize(X, WORDS), "best_epoch_")
