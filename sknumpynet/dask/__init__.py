# SPDX-License-Identifier: BSD-3-Clause
"""Estimators for data on a Dask cluster."""
