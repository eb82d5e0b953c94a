"""What every test shares: one BLAS thread a process, and draws that repeat."""

import os

# Before NumPy is imported: pytest-xdist already keeps every core busy.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

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
