# SPDX-License-Identifier: BSD-3-Clause
"""All initializers by name."""

from __future__ import annotations

from sknumpynet.core.initializers.base import Initializer
from sknumpynet.core.initializers.orthogonal import Orthogonal
from sknumpynet.core.initializers.scaled import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
)
from sknumpynet.core.initializers.simple import Zeros
from sknumpynet.core.options import resolve

INITIALIZERS: dict[str, type[Initializer]] = {
    "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal,
    "he_uniform": HeUniform,
    "he_normal": HeNormal,
    "lecun_uniform": LecunUniform,
    "lecun_normal": LecunNormal,
    "orthogonal": Orthogonal,
    "zeros": Zeros,
}


def get_initializer(choice: str | Initializer, parameter: str = "init") -> Initializer:
    """Return the initializer with this name, or the object itself."""
    return resolve(choice, INITIALIZERS, Initializer, parameter)
