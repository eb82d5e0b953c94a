# SPDX-License-Identifier: BSD-3-Clause
"""Ways for a fitted network out of the process that fitted it."""

from sknumpynet.export.files import load, save

__all__ = ["load", "save"]
