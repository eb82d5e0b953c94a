# SPDX-License-Identifier: BSD-3-Clause
"""`scoring` is checked when a fit begins, by every estimator, even if nothing is validated."""

import numpy as np
import pytest
from fitted_state import fitted_state
from sklearn.metrics import accuracy_score

from sknumpynet import (
    NumpyMLPClassifier,
    NumpyMLPRegressor,
    TabularMLPClassifier,
    TabularMLPRegressor,
    fit_side_by_side,
)

X = np.random.RandomState(0).normal(size=(40, 3))
Y = {"Classifier": (X[:, 0] > 0).astype(int), "Regressor": X[:, 0]}
NETWORKS = [NumpyMLPClassifier, NumpyMLPRegressor]
TABLES = [TabularMLPClassifier, TabularMLPRegressor]


def new(cls, **parameters):
    own = {"hidden_layer_sizes": (3,), "random_state": 0}
    own |= {"max_iter": 2} if cls in NETWORKS else {"first_cycle": 1, "n_cycles": 1}
    return cls(**own, **parameters)


def y_for(cls):
    return Y["Classifier" if "Classifier" in cls.__name__ else "Regressor"]


@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("method", ["fit", "partial_fit", "initialize"])
@pytest.mark.parametrize("cls", [*NETWORKS, *TABLES])
def test_misspelt_scoring_raises_and_changes_nothing(cls, method, validated):
    if cls in TABLES and method != "fit":
        pytest.skip("tables are only fitted")
    y = y_for(cls)
    given = {"X_val": X, "y_val": y} if validated and method != "initialize" else {}
    model = new(cls).fit(X, y)
    model.set_params(scoring="r_2")
    before = fitted_state(model)
    with pytest.raises(ValueError, match=r"scoring='r_2' is not a valid .*Did you mean .*'r2'\?"):
        getattr(model, method)(X, y, **given)
    assert fitted_state(model) == before


def test_misspelt_scoring_of_an_estimator_for_a_cluster():
    dask = pytest.importorskip("sknumpynet.dask")
    for cls in (dask.DaskNumpyMLPClassifier, dask.DaskNumpyMLPRegressor):
        model = cls(max_iter=2, scoring="r_2")
        with pytest.raises(ValueError, match="scoring='r_2' is not a valid scoring value"):
            model.fit(X, y_for(cls))
        assert not hasattr(model, "n_features_in_")


def test_loss_as_scoring_of_a_table():
    found = [
        new(TabularMLPRegressor, scoring=scoring).fit(X, Y["Regressor"]).history_["loss"]
        for scoring in (None, "loss")
    ]
    assert found[0] == found[1]


def test_misspelt_scoring_side_by_side():
    models = [new(NumpyMLPRegressor, scoring=scoring) for scoring in ("r2", "r_2")]
    with pytest.raises(ValueError, match="scoring='r_2' is not a valid scoring value"):
        fit_side_by_side(models, X, Y["Regressor"])


@pytest.mark.parametrize("cls", [*NETWORKS, *TABLES])
def test_metric_in_place_of_a_scorer(cls):
    with pytest.raises(ValueError, match=r"scoring value .*looks like it is a metric function"):
        new(cls, scoring=accuracy_score).fit(X, y_for(cls))


@pytest.mark.parametrize("returned", [None, "0.5", [0.5], {}])
@pytest.mark.parametrize("cls", [*NETWORKS, *TABLES])
def test_scoring_that_returns_no_number(cls, returned):
    y = y_for(cls)
    model = new(cls, scoring=lambda estimator, X, y: returned)
    with pytest.raises(ValueError, match=r"scoring=.* must return a number; it returned") as raised:
        model.fit(X, y, X_val=X, y_val=y)
    assert str(raised.value).endswith(f"returned {returned!r}")
    assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize("validated", [False, True])
def test_table_with_a_scoring_for_labels(validated):
    y = Y["Regressor"]
    given = {"X_val": X, "y_val": y} if validated else {}
    with pytest.raises(ValueError, match="scoring='accuracy' cannot score predictions for 40 rows"):
        new(TabularMLPRegressor, scoring="accuracy").fit(X, y, **given)
