# SPDX-License-Identifier: BSD-3-Clause
"""How many threads: one for each product, and those that n_jobs asks for beside each other."""

from __future__ import annotations

from functools import cache

from joblib import effective_n_jobs
from threadpoolctl import ThreadpoolController


@cache
def thread_pools():
    """Return threadpoolctl's view of the libraries that are loaded, which takes a moment to make."""
    return ThreadpoolController()


def one_blas_thread():
    """Return a context in which BLAS uses one thread.

    Products as small as these gain nothing from more; on a busy machine of two cores a fit with two took
    twenty times as long.
    """
    return thread_pools().limit(limits=1, user_api="blas")


def n_threads(n_jobs):
    """Return the number of threads: joblib's reading of n_jobs, which nested jobs limit."""
    return 1 if n_jobs is None else max(1, effective_n_jobs(n_jobs))
