# SPDX-License-Identifier: BSD-3-Clause
"""Layers: a formula for the forward pass, and its derivative for the backward pass.

``base`` has the base class.
"""

from sknumpynet.core.layers.activate import Activate
from sknumpynet.core.layers.base import Buffer, Group, Layer
from sknumpynet.core.layers.dense import Dense
from sknumpynet.core.layers.dropout import Dropout
from sknumpynet.core.layers.normalization import BatchNorm, LayerNorm, Normalization
from sknumpynet.core.layers.numeric_embedding import NumericEmbedding
from sknumpynet.core.layers.scale import Scale

__all__ = [
    "Activate",
    "BatchNorm",
    "Buffer",
    "Dense",
    "Dropout",
    "Group",
    "Layer",
    "LayerNorm",
    "Normalization",
    "NumericEmbedding",
    "Scale",
]
