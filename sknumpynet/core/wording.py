# SPDX-License-Identifier: BSD-3-Clause
"""Numbers with their nouns in messages."""

from __future__ import annotations


def counted(n: float, noun: str, spec: str = "") -> str:
    """Return a number and its noun: "1 row", "2 rows", "3 classes"; ``spec`` formats the number."""
    if n != 1:
        noun += "es" if noun.endswith("s") else "s"
    return f"{n:{spec}} {noun}"
