# SPDX-License-Identifier: BSD-3-Clause
"""How a comparison says its numbers."""

from __future__ import annotations

import numpy as np

SKLEARN, OURS = "scikit-learn", "sknumpynet"


def _line(label: str, theirs: str, ours: str, difference: str) -> str:
    """One line of the table, 78 characters wide."""
    return f"{label:<33} {theirs:>12}  {ours:>12}  {difference:>16}"


def _in_words(key: str, theirs: float, ours: float) -> tuple:
    """Both values and what lies between them, as the table shows them."""
    if key.endswith("time"):
        return (*_in_seconds(theirs, ours), _times(theirs / ours, "faster", "slower"))
    if key.endswith("size"):
        unit, factor = ("MB", 1e-6) if max(theirs, ours) >= 1e6 else ("kB", 1e-3)
        shown = [f"{value * factor:.1f} {unit}" for value in (theirs, ours)]
        return (*shown, _times(theirs / ours, "smaller", "larger"))
    spec = {"epochs": "d", "final loss": ".6g"}.get(key, ".4f")
    gap = f"{ours - theirs:+d}" if spec == "d" else f"{ours - theirs:+.1e}"
    return f"{theirs:{spec}}", f"{ours:{spec}}", "equal" if theirs == ours else gap


def _magnitude(difference: float) -> str:
    if np.isnan(difference):
        return "other shapes"
    return f"{difference:.1e}" if difference else "0"


def _times(ratio: float, above: str, below: str) -> str:
    """Say 0.5 as "2.00x slower": a factor below 1 is harder to read."""
    factor, word = (ratio, above) if ratio >= 1 else (1 / ratio, below)
    if factor < 1.005:
        return "about equal"
    return f"{factor:.2f}x {word}" if factor < 100 else f"{factor:.0f}x {word}"


def _in_seconds(theirs: float, ours: float) -> list:
    """Times with one unit for both, so that they can be compared at a glance."""
    largest = max(theirs, ours)
    unit, factor = ("s", 1) if largest >= 1 else ("ms", 1e3) if largest >= 1e-3 else ("us", 1e6)
    decimals = 0 if largest * factor >= 100 else 1 if largest * factor >= 10 else 2
    return [f"{value * factor:.{decimals}f} {unit}" for value in (theirs, ours)]
