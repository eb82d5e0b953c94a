# SPDX-License-Identifier: BSD-3-Clause
"""All optimizers by name."""

from __future__ import annotations

from sknumpynet.core.optimizers.adam import Adam, AdamW
from sknumpynet.core.optimizers.adam_variants import AMSGrad, NAdam
from sknumpynet.core.optimizers.base import Optimizer
from sknumpynet.core.optimizers.rmsprop_adagrad import Adagrad, RMSprop
from sknumpynet.core.optimizers.rprop_lion import Lion, Rprop
from sknumpynet.core.optimizers.sgd import SGD
from sknumpynet.core.options import resolve

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": NAdam,
    "amsgrad": AMSGrad,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "rprop": Rprop,
    "lion": Lion,
}


def get_optimizer(choice: str | Optimizer) -> Optimizer:
    """Return an optimizer with this name, or a new one like the object."""
    return resolve(choice, OPTIMIZERS, Optimizer, "solver").clone()
