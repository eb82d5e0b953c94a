# SPDX-License-Identifier: BSD-3-Clause
"""Schedules: progress -> learning rate.

``base`` has the base class, ``by_name`` the names.
"""

from sknumpynet.core.schedules.base import Schedule, TrainingProgress
from sknumpynet.core.schedules.by_name import SCHEDULES, get_schedule
from sknumpynet.core.schedules.cosine import Cosine, OneCycle
from sknumpynet.core.schedules.decay import Custom, Exponential, StepDecay
from sknumpynet.core.schedules.scikit_learn import Adaptive, Constant, InverseScaling
from sknumpynet.core.schedules.warmup import Warmup

__all__ = [
    "SCHEDULES",
    "Adaptive",
    "Constant",
    "Cosine",
    "Custom",
    "Exponential",
    "InverseScaling",
    "OneCycle",
    "Schedule",
    "StepDecay",
    "TrainingProgress",
    "Warmup",
    "get_schedule",
]
