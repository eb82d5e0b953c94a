# SPDX-License-Identifier: BSD-3-Clause
"""The tools that docs/other_tools.md speaks of, for real: a file a tool, a folder an environment."""
