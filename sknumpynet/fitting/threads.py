# SPDX-License-Identifier: BSD-3-Clause
"""Use one BLAS thread for a fit whose products are too small for several.

For small products, several threads gain almost nothing on an idle machine. On a busy machine, where one of
them has to wait for a core, a product can take a hundred times as long.
"""

from __future__ import annotations

import os
import threading
from contextlib import nullcontext

from threadpoolctl import ThreadpoolController

# Limit of the multiplications in the largest product of a step, times the bytes of a number. OpenBLAS uses a
# second thread from half a million multiplications on. Below this limit, fits with one thread took .70 to
# 1.14 times (once 1.23 times) as long as with two on an idle machine with two cores, and a third to a tenth
# of the time on a busy one.
WORTH_THREADS = 6_000_000


class SingleThread:
    """A context in which BLAS has one thread, for the whole process until the last such context ends."""

    def __init__(self):
        self._lock = threading.Lock()
        self._n_inside = 0
        self._here = threading.local()
        self._blas = self._limiter = None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def __enter__(self):
        with self._lock:
            if self._blas is None:  # finding the libraries takes milliseconds
                self._blas = ThreadpoolController().select(user_api="blas")
            if self._limiter is None:
                self._limiter = self._blas.limit(limits=1)
                self._release()
            self._n_inside += 1
            self._here.depth = getattr(self._here, "depth", 0) + 1

    def __exit__(self, *_):
        with self._lock:
            self._n_inside -= 1
            self._here.depth -= 1
            self._lift()

    def _lift(self):
        if self._n_inside == 0 and self._limiter is not None:
            self._limiter.restore_original_limits()
            self._limiter = None
            self._release()

    def _release(self):
        """Let other threads set limits: newer versions of threadpoolctl only allow the first thread to."""
        for library in self._blas.lib_controllers:
            getattr(library, "clear_controlling_thread", bool)()

    def _after_fork(self):
        """Renew the lock after a fork, because a thread that does not exist in the child may hold it."""
        self._lock = threading.Lock()
        self._n_inside = getattr(self._here, "depth", 0)
        self._lift()


_single_thread = SingleThread()


def one_blas_thread():
    """Return a context in which BLAS has one thread."""
    return _single_thread


def limited_blas_threads(n_rows, network):
    """Return a context with a suitable number of threads for a fit with so many rows per step."""
    largest = n_rows * max(layer.fan_in * layer.fan_out for layer in network.dense)
    return one_blas_thread() if largest * network.dtype.itemsize < WORTH_THREADS else nullcontext()
