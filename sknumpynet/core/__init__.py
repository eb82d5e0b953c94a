# SPDX-License-Identifier: BSD-3-Clause
"""The network itself, in NumPy and SciPy alone; usable without an estimator.

To be read in this order: ``activations``, ``losses``, ``initializers``, ``schedules``, ``layers``,
``optimizers``, ``network``, ``batches``, ``training``, ``lbfgs``, ``gradient_check``.
"""

from sknumpynet.core.activations import Activation, Identity, Logistic, ReLU, Tanh
from sknumpynet.core.gradient_check import GradientError, GradientReport, check_gradients
from sknumpynet.core.initializers import GlorotUniform, Initializer
from sknumpynet.core.layers import Activate, Dense, Layer
from sknumpynet.core.losses import (
    BinaryLogLoss,
    HalfPoisson,
    Loss,
    MultinomialLogLoss,
    SquaredError,
)
from sknumpynet.core.network import Network, Workspace
from sknumpynet.core.optimizers import SGD, Adam, AdamW, Optimizer
from sknumpynet.core.schedules import (
    Adaptive,
    Constant,
    Custom,
    InverseScaling,
    OneCycle,
    Progress,
    Schedule,
)

__all__ = [
    "SGD",
    "Activate",
    "Activation",
    "Adam",
    "AdamW",
    "Adaptive",
    "BinaryLogLoss",
    "Constant",
    "Custom",
    "Dense",
    "GlorotUniform",
    "GradientError",
    "GradientReport",
    "HalfPoisson",
    "Identity",
    "Initializer",
    "InverseScaling",
    "Layer",
    "Logistic",
    "Loss",
    "MultinomialLogLoss",
    "Network",
    "OneCycle",
    "Optimizer",
    "Progress",
    "ReLU",
    "Schedule",
    "SquaredError",
    "Tanh",
    "Workspace",
    "check_gradients",
]
