# SPDX-License-Identifier: BSD-3-Clause
"""Reading an estimator, by any method or attribute, does not change it."""

import copy

import numpy as np
import pytest
from fitted_state import fitted_state
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from sknumpynet import HiddenActivations, NumpyMLPClassifier, NumpyMLPRegressor

rng = np.random.RandomState(0)
X = rng.normal(size=(20, 3))
DATA = {NumpyMLPClassifier: np.arange(20) % 3, NumpyMLPRegressor: X[:, 0]}
ASSIGNED = [np.ones((3, 4)), np.ones((4, 3))], [np.ones(4), np.ones(3)]


def unfitted(cls):
    return cls(hidden_layer_sizes=(4,), random_state=np.random.RandomState(0), max_iter=2)


def half_assigned(cls):
    model = unfitted(cls)
    model.coefs_ = ASSIGNED[0]
    return model


def assigned(cls):
    model = half_assigned(cls)
    model.intercepts_ = ASSIGNED[1]
    if cls is NumpyMLPClassifier:
        model.classes_ = np.arange(3)
    return model


def initialized(cls):
    return unfitted(cls).initialize(X, DATA[cls])


def from_weights(cls):
    return cls.from_weights(*ASSIGNED)


def fitted(cls):
    return unfitted(cls).fit(X, DATA[cls])


def stopped_early(cls):
    return unfitted(cls).set_params(early_stopping=True).fit(X, DATA[cls])


def lbfgs(cls):
    return unfitted(cls).set_params(solver="lbfgs").fit(X, DATA[cls])


def partly_fitted(cls):
    options = {"classes": np.arange(3)} if cls is NumpyMLPClassifier else {}
    return unfitted(cls).partial_fit(X, DATA[cls], **options)


MAKERS = [
    unfitted,
    half_assigned,
    assigned,
    initialized,
    from_weights,
    fitted,
    stopped_early,
    lbfgs,
    partly_fitted,
]


def ask_all(model):
    """Ask whatever can be asked without data."""
    for name in dir(model):
        hasattr(model, name)
    hasattr(model, "no_such_attribute_")
    model.__sklearn_is_fitted__() if hasattr(model, "__sklearn_is_fitted__") else None
    try:
        check_is_fitted(model)
    except NotFittedError:
        pass
    repr(model), str(model), model._repr_html_(), model._repr_mimebundle_()
    model.get_params(), model.get_params(deep=False), model.get_metadata_routing()
    get_tags(model), clone(model), copy.copy(model), copy.deepcopy(model), model.__getstate__()
    model == model, hash(model), list(getattr(model, "coefs_", []))


def ask_with_data(model):
    """Ask whatever needs rows."""
    for name in (
        "predict",
        "predict_proba",
        "predict_log_proba",
        "decision_function",
        "input_gradient",
        "hidden_activations",
    ):
        if hasattr(model, name):
            try:
                getattr(model, name)(X)
                getattr(model, name)(X.tolist())
            except NotFittedError:
                pass
    try:
        model.score(X, DATA[type(model)])
    except (NotFittedError, ValueError):  # three outputs for one target
        pass


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("ask", [ask_all, ask_with_data])
@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("cls", [NumpyMLPClassifier, NumpyMLPRegressor])
def test_reading_an_estimator_does_not_change_it(cls, make, ask):
    model = make(cls)
    attributes, content = dict(vars(model)), fitted_state(model)
    ask(model)
    assert list(vars(model)) == list(attributes)
    assert all(vars(model)[name] is value for name, value in attributes.items())
    assert fitted_state(model) == content


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [unfitted, fitted])
def test_a_question_changes_no_transformer(make):
    model = HiddenActivations(unfitted(NumpyMLPRegressor))
    if make is fitted:
        model.fit(X, X[:, 0])
    content = fitted_state(model)
    ask_all(model)
    if make is fitted:
        model.transform(X), model.get_feature_names_out()
    assert fitted_state(model) == content
