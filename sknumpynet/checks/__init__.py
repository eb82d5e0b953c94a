# SPDX-License-Identifier: BSD-3-Clause
"""Checks of data and parameters.

Their messages name the argument and say what is valid.
"""
