# SPDX-License-Identifier: BSD-3-Clause
"""How a fit goes, from parameters to a trained network.

Nothing here is an estimator.
"""
