# SPDX-License-Identifier: BSD-3-Clause
"""Initializers: the initial weights.

``base`` has the base class, ``by_name`` the names.
"""

from sknumpynet.core.initializers.base import Initializer, RandomSource
from sknumpynet.core.initializers.by_name import INITIALIZERS, get_initializer
from sknumpynet.core.initializers.orthogonal import Orthogonal
from sknumpynet.core.initializers.scaled import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Scaled,
)
from sknumpynet.core.initializers.simple import Normal, Uniform, Zeros

__all__ = [
    "INITIALIZERS",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Normal",
    "Orthogonal",
    "RandomSource",
    "Scaled",
    "Uniform",
    "Zeros",
    "get_initializer",
]
