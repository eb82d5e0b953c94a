# SPDX-License-Identifier: BSD-3-Clause
"""Numbers that are finite when passed and infinite in the dtype of the computation."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from fitted_state import fitted_state

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor, explain_step

BOTH = [NumpyMLPClassifier, NumpyMLPRegressor]
SOLVERS = ["adam", "sgd", "lbfgs"]
CONTAINERS = [np.asarray, np.asfortranarray, sp.csr_matrix, sp.csc_matrix]
TOO_LARGE = (
    r"\bX has numbers as large as 1e\+39, too large for float32.*Scale X, or .*dtype='float64'"
)


def data(seed=0):
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(60, 3))
    return X, (X[:, 0] > 0).astype(int)


def huge(X, value=1e39):
    X = X.copy()
    X[-1, 1] = -value if len(X) % 2 else value
    return X


def new(cls, **params):
    return cls(
        hidden_layer_sizes=(4,), **{"dtype": "float32", "max_iter": 3, "random_state": 0, **params}
    )


@pytest.fixture(autouse=True)
def no_numpy_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", BOTH)
def test_fit(cls, solver, container):
    X, y = data()
    model = new(cls, solver=solver).fit(X, y)
    before = fitted_state(model)
    with pytest.raises(ValueError, match=TOO_LARGE):
        model.fit(container(huge(X)), y)
    with pytest.raises(ValueError, match=TOO_LARGE.replace("X", "X_val")):
        model.fit(X, y, X_val=container(huge(X)), y_val=y)
    if solver != "lbfgs":
        with pytest.raises(ValueError, match=TOO_LARGE):
            model.partial_fit(container(huge(X)), y)
        with pytest.raises(ValueError, match=TOO_LARGE.replace("X", "X_val")):
            model.partial_fit(X, y, X_val=container(huge(X)), y_val=y)
    assert fitted_state(model) == before


@pytest.mark.parametrize("n_rows", [1, 2, 59, 60, 3000])
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("fitted_on", ["float64", "float32"])
@pytest.mark.parametrize("cls", BOTH)
def test_predict(cls, fitted_on, container, n_rows):
    X, y = data()
    model = new(cls, dtype="float32" if fitted_on == "float64" else None)
    model.fit(X.astype(fitted_on), y)
    rows = container(huge(np.resize(X, (n_rows, 3))))
    names = ["predict", "hidden_activations"]
    names += ["predict_proba", "predict_log_proba", "decision_function"] * (cls is BOTH[0])
    for name in names:
        with pytest.raises(ValueError, match=TOO_LARGE):
            getattr(model, name)(rows)
    with pytest.raises(ValueError, match=TOO_LARGE):
        model.score(rows, np.resize(y, n_rows))
    if not sp.issparse(rows):
        with pytest.raises(ValueError, match=TOO_LARGE):
            model.input_gradient(rows)
        with pytest.raises(ValueError, match=TOO_LARGE):
            explain_step(model, rows[-1], 1)


@pytest.mark.parametrize("container", CONTAINERS)
def test_what_fits_is_taken(container):
    """The largest number of float32 is valid, and in float64 larger ones are."""
    X, y = data()
    largest = float(np.finfo(np.float32).max)
    model = new(NumpyMLPClassifier).fit(X, y)
    model.coefs_[0] = model.coefs_[0] * 1e-38
    assert np.isfinite(model.predict_proba(container(huge(X, largest)))).all()
    model = new(NumpyMLPClassifier, dtype="float64").fit(X, y)
    assert np.isfinite(model.predict_proba(container(huge(X)))).all()


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("solver", SOLVERS)
def test_targets(solver, columns):
    X, _ = data()
    y = X[:, :columns].copy()
    large = y.copy()
    large[7, -1] = -1e39
    model = new(NumpyMLPRegressor, solver=solver).fit(X, y.squeeze())
    before = fitted_state(model)
    calls = [
        (r"\by has numbers as large as 1e\+39", lambda: model.fit(X, large.squeeze())),
        (r"\by_val has numbers as large", lambda: model.fit(X, y, X_val=X, y_val=large)),
    ]
    if solver != "lbfgs":
        calls.append((r"\by has numbers", lambda: model.partial_fit(X, large.squeeze())))
    for message, call in calls:
        with pytest.raises(ValueError, match=message), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a column vector
            call()
    assert fitted_state(model) == before


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", BOTH)
def test_weights(cls, solver):
    X, y = data()
    model = new(cls, solver=solver).fit(X, y)
    before = fitted_state(model)
    # each is too large, or only their sum is
    for value in (1e39, 1e38):
        weights = np.full(60, value)
        with pytest.raises(ValueError, match=r"sample_weight\b.*too large"):
            model.fit(X, y, weights)
        with pytest.raises(ValueError, match=r"sample_weight_val\b.*too large"):
            model.fit(X, y, X_val=X, y_val=y, sample_weight_val=weights)
        if solver != "lbfgs":
            with pytest.raises(ValueError, match=r"sample_weight\b.*too large"):
                model.partial_fit(X, y, weights)
            # the network's dtype counts, not that of the rows that come later
            with pytest.raises(ValueError, match=r"sample_weight\b.*too large"):
                model.set_params(dtype=None).partial_fit(X, y, np.full(60, 1e39))
            model.set_params(dtype="float32")
    assert fitted_state(model) == before


@pytest.mark.parametrize("value", [1e39, 1e38, np.inf])
def test_weights_of_classes(value):
    X, y = data()
    with pytest.raises(ValueError, match=r"class_weight=.*too large for float32"):
        new(NumpyMLPClassifier, class_weight={0: 1.0, 1: value}).fit(X, y)
    with pytest.raises(ValueError, match=r"class_weight=.*too large for float32"):
        weights = np.full(60, 1e30)
        new(NumpyMLPClassifier, class_weight={0: 1e10, 1: 1e10}).fit(X, y, weights)
