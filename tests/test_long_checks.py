# SPDX-License-Identifier: BSD-3-Clause
"""A sample of long_checks.py, and that its checks can fail."""

import importlib.util
import warnings

import long_checks
import numpy as np
import pytest
from random_settings import draw_any, draw_kill, draw_parity, drawer

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

needs_callbacks = pytest.mark.skipif(
    importlib.util.find_spec("sklearn.callback") is None,
    reason="callbacks came with scikit-learn 1.9",
)
KINDS = {"classifier": NumpyMLPClassifier, "regressor": NumpyMLPRegressor}
PLAIN = {
    "estimator": "regressor", "parameters": {"hidden_layer_sizes": (3,), "max_iter": 4, "random_state": 0},
    "generator": False, "calls": ["fit"], "target": "numbers", "container": "array", "values": "normal",
    "weights": "none", "validation": "none", "rows": 30, "columns": 2, "dtype": "float64", "data_seed": 0,
}  # fmt: skip


@pytest.mark.parametrize("first", range(0, 30, 10))
def test_a_sample_against_scikit_learn(first):
    found = [long_checks.run_one("parity", "sample", number) for number in range(first, first + 10)]
    assert [problem for _, _, problem in found if problem] == []
    assert sum(outcome == "compared" for _, outcome, _ in found) >= 7


@pytest.mark.parametrize("number", range(60))
def test_a_sample_of_all_settings(number):
    _, outcome, problem = long_checks.run_one("settings", "sample", number)
    assert problem is None
    assert outcome.startswith(("fitted", "refused with"))


@pytest.fixture
def dask_agreement():
    """The module, whose cluster is closed after the test: its threads would run during other tests."""
    pytest.importorskip("distributed")
    module = importlib.import_module("dask_agreement")
    yield module
    module.close()


@pytest.mark.usefixtures("dask_agreement")
@pytest.mark.parametrize("first", range(0, 20, 10))
def test_a_sample_on_a_cluster(first):
    found = [long_checks.run_one("dask", "sample", number) for number in range(first, first + 10)]
    assert [problem for _, _, problem in found if problem] == []
    assert sum(outcome == "compared" for _, outcome, _ in found) >= 3


@needs_callbacks
def test_a_kill():
    _, outcome, problem = long_checks.run_one("kills", "sample", 0)
    assert problem is None
    assert outcome.startswith("killed")


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_sample_of_the_export_formats(first):
    found = [long_checks.run_one("exports", "sample", n) for n in range(first, first + 20)]
    assert [problem for _, _, problem in found if problem] == []
    outcomes = [each for _, outcome, _ in found for each in outcome]
    assert sum(each.endswith("equal") for each in outcomes) >= 30


@pytest.mark.parametrize("number", range(40))
def test_a_sample_of_mutated_files(number):
    _, outcome, problem = long_checks.run_one("mutated", "sample", number)
    assert problem is None
    assert outcome.endswith((": refused", ": the same"))


# -------------------------------------------------------------------- the checks can fail


def test_wrong_export_is_found(monkeypatch):
    from export import ways_out

    class Rounded:
        def __init__(self, model):
            self.model = model

        def predict(self, X):
            return np.round(self.model.predict(X), 3)

    monkeypatch.setattr(ways_out, "by_folder", lambda model, folder: Rounded(model))
    outcomes, problem = long_checks.check_export({**PLAIN, "values": "normal"})
    assert "folder: wrong" in outcomes and "file: equal" in outcomes
    assert problem.startswith("folder: differs by")


def test_numbers_that_differ_are_found():
    class Regularised(NumpyMLPRegressor):
        def fit(self, X, y, sample_weight=None):
            return self.set_params(alpha=1e-3).fit_as_ever(X, y, sample_weight)

        fit_as_ever = NumpyMLPRegressor.fit

    setting = PLAIN | {"parameters": PLAIN["parameters"] | {"solver": "sgd"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert long_checks.check_parity(setting) == ("compared", None)
        _, problem = long_checks.check_parity(setting, KINDS | {"regressor": Regularised})
    assert "differs by" in problem


def forgetful(X):
    raise KeyError("hidden")


def not_a_number(X):
    return np.full(len(X), np.nan)


def overflowing(X):
    return np.full(len(X), 1 / np.exp(1e4))


def random(X):
    return np.full(len(X), np.random.default_rng().normal())


@pytest.mark.parametrize(
    ("predict", "says"),
    [
        (forgetful, "KeyError"),
        (not_a_number, "predict returns NaN"),
        (overflowing, "RuntimeWarning: overflow"),
        (random, "is another"),
    ],
)
def test_faults_are_found(predict, says):
    class Faulty(NumpyMLPRegressor):
        def predict(self, X):
            return predict(X)

    globals()["Faulty"] = Faulty  # for pickle
    Faulty.__qualname__ = "Faulty"
    assert long_checks.check_setting(PLAIN) == ("fitted", None)
    _, problem = long_checks.check_setting(PLAIN, KINDS | {"regressor": Faulty})
    assert says in problem


def test_a_fault_is_shown_by_the_simplest_setting():
    """A NaN in X is refused; a check that takes this for a fault finds what it needs, and no more."""
    wrong = {
        "check": (None, lambda setting: ("", "NaN" if setting["values"] == "NaN" else None), 1)
    }
    setting = PLAIN | {"values": "NaN", "weights": "random", "rows": 12}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long_checks, "CHECKS", wrong)
        simple = long_checks.simplify(setting, "check")
    assert simple == {**PLAIN, "values": "NaN", "parameters": {}}


@pytest.mark.parametrize("draw", [draw_parity, draw_any, draw_kill])
def test_a_number_gives_the_same_setting_again(draw):
    def shown(number):
        return long_checks.without_addresses({"": draw(drawer("same", 0, number))})

    assert all(shown(number) == shown(number) for number in range(20))
    assert len({shown(number)[""] for number in range(20)}) == 20
