# SPDX-License-Identifier: BSD-3-Clause
"""The steps of a fit, from parameters to a trained network.

This folder does not depend on the estimators.
"""
