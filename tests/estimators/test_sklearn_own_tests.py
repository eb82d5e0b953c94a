# SPDX-License-Identifier: BSD-3-Clause
"""scikit-learn's own tests of its MLP, from the installed wheel, run on our classes in place of its own."""

import importlib.util
import inspect
import sys
import types
from pathlib import Path

import pytest
import sklearn
import sklearn.neural_network

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

READ_PRIVATE_ATTRIBUTES = {
    "test_gradient": "_loss_grad_lbfgs and the buffers that it is given",
    "test_learning_rate_warmstart": "_optimizer",
    "test_adaptive_learning_rate": "_optimizer",
    "test_n_iter_no_change": "_no_improvement_count",
    "test_n_iter_no_change_inf": "_no_improvement_count",
}
NOT_IN_1_7 = {"test_mlp_early_stopping_string_labels"}
FEWEST_TESTS = 34  # functions of 1.7.0, less those above


def _source_path():
    package = Path(sklearn.neural_network.__file__).parent
    return package / "tests" / "test_mlp.py"


def _load_with_our_classes():
    """Return the module, executed while ``sklearn.neural_network`` has our classes under its names.

    They are there before its decorators run, so its parametrised tests get them as well.
    """
    stand_in = types.ModuleType("sklearn.neural_network")
    stand_in.__path__ = sklearn.neural_network.__path__
    stand_in.MLPClassifier = NumpyMLPClassifier
    stand_in.MLPRegressor = NumpyMLPRegressor
    spec = importlib.util.spec_from_file_location("sklearn_test_mlp_on_sknumpynet", _source_path())
    module = importlib.util.module_from_spec(spec)
    before = sys.modules["sklearn.neural_network"]
    sys.modules["sklearn.neural_network"] = stand_in
    try:
        spec.loader.exec_module(module)
    finally:
        sys.modules["sklearn.neural_network"] = before
    return module


_module = _load_with_our_classes()
_collected = {
    name: test
    for name, test in vars(_module).items()
    if name.startswith("test_") and inspect.isfunction(test)
}
globals().update(
    {name: test for name, test in _collected.items() if name not in READ_PRIVATE_ATTRIBUTES}
)


@pytest.fixture
def global_random_seed():
    """Stand for the fixture of scikit-learn's own conftest.py."""
    return 42


def test_every_test_was_collected():
    text = _source_path().read_text(encoding="utf-8")
    defined = {
        line.split("(")[0].removeprefix("def ")
        for line in text.splitlines()
        if line.startswith("def test_")
    }
    assert set(_collected) == defined
    here = {name for name in globals() if name in defined}
    assert here == defined - set(READ_PRIVATE_ATTRIBUTES)
    assert len(here) >= FEWEST_TESTS


def test_classes_of_the_package_are_tested():
    assert _module.MLPClassifier is NumpyMLPClassifier
    assert _module.MLPRegressor is NumpyMLPRegressor
    for test in _collected.values():
        assert test.__globals__["MLPClassifier"] is NumpyMLPClassifier
        for mark in getattr(test, "pytestmark", []):
            if "Estimator" in str(mark.args[:1]):
                assert set(mark.args[1]) == {NumpyMLPClassifier, NumpyMLPRegressor}
    assert sklearn.neural_network.MLPClassifier is not NumpyMLPClassifier


@pytest.mark.parametrize("name", READ_PRIVATE_ATTRIBUTES)
def test_what_is_left_out_does_read_private_attributes(name):
    """If this fails, scikit-learn has rewritten the test, and it can be run."""
    attribute = READ_PRIVATE_ATTRIBUTES[name].split()[0]
    assert f".{attribute}" in inspect.getsource(_collected[name])


@pytest.mark.parametrize("name", sorted(NOT_IN_1_7))
def test_newer_tests_are_there_or_scikit_learn_is_too_old(name):
    if sklearn.__version__.startswith("1.7."):
        pytest.skip(f"scikit-learn {sklearn.__version__} does not have {name} yet")
    assert name in globals()
