# SPDX-License-Identifier: BSD-3-Clause
"""The tools that docs/other_tools.md names: one file per tool, one folder per environment."""
