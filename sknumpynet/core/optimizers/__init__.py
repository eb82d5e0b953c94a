# SPDX-License-Identifier: BSD-3-Clause
"""Optimizers: one step on flat vectors.

``base`` has the base class, ``by_name`` the names.
"""

from sknumpynet.core.optimizers.adam import Adam, AdamW
from sknumpynet.core.optimizers.adam_variants import AMSGrad, NAdam
from sknumpynet.core.optimizers.base import Optimizer, scale_by_rate
from sknumpynet.core.optimizers.by_name import OPTIMIZERS, get_optimizer
from sknumpynet.core.optimizers.rmsprop_adagrad import Adagrad, RMSprop
from sknumpynet.core.optimizers.rprop_lion import Lion, Rprop
from sknumpynet.core.optimizers.sgd import SGD

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "AMSGrad",
    "Adagrad",
    "Adam",
    "AdamW",
    "Lion",
    "NAdam",
    "Optimizer",
    "RMSprop",
    "Rprop",
    "get_optimizer",
    "scale_by_rate",
]
