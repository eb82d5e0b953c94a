# SPDX-License-Identifier: BSD-3-Clause
"""How much memory a call needs at its peak.

Python's own record counts what all threads allocate, those of an earlier cluster in this process among them.
"""

import tracemalloc


def peak_bytes(call, times=3):
    """Return the most bytes that a call holds at once: the least of several calls, for others add to it."""
    peaks = []
    for _ in range(times):
        tracemalloc.start()
        try:
            call()
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    return min(peaks)
