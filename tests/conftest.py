"""Settings of all tests: one BLAS thread per process, and reproducible draws."""

import importlib.util
import os
import random
import signal

# Before NumPy is imported: pytest-xdist already keeps every core busy.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("repeatable")


def pytest_configure(config):
    # Most tests stop long before convergence. Named here and not in setup.cfg, where pytest
    # would import scikit-learn, and with it NumPy, before the lines above.
    config.addinivalue_line("filterwarnings", "ignore::sklearn.exceptions.ConvergenceWarning")


def pytest_collection_modifyitems(items):
    """Skip the docstrings of the displays, which draw, without matplotlib."""
    if importlib.util.find_spec("matplotlib") is not None:
        return
    for item in items:
        if isinstance(item, pytest.DoctestItem) and ".displays." in item.name:
            item.add_marker(pytest.mark.skip(reason="needs matplotlib"))


@pytest.fixture(autouse=True)
def same_draws():
    """Make fits without a seed independent of the tests that ran before."""
    np.random.seed(0)
    random.seed(0)


@pytest.fixture
def ctrl_c():
    """SIGINT raises KeyboardInterrupt, also where the test runner has set it to be ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
