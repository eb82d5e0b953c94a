# SPDX-License-Identifier: BSD-3-Clause
"""The network itself, in NumPy and SciPy alone; usable without an estimator.

To be read in this order: ``activations``, ``losses``, ``initializers``, ``schedules``, ``layers``,
``optimizers``, ``workspace``, ``network``, ``penalty``, ``batches``, ``history``, ``training``, ``lbfgs``,
``gradient_check``; then the variants: ``rectifiers``, ``activations_of_z``, ``classification_losses``,
``several_classes``, ``deviance_losses``, ``regression_losses``, ``annealing``, ``scaled_initializers``,
``adam``, ``adaptive_optimizers``, ``sign_optimizers``, ``normalization``.
"""

from sknumpynet.core.activations import (
    Activation,
    HardTanh,
    Identity,
    Logistic,
    ReLU,
    Softplus,
    Softsign,
    Tanh,
)
from sknumpynet.core.activations_of_z import (
    GELU,
    ActivationOfZ,
    Function,
    Gaussian,
    Mish,
    SiLU,
    StepActivation,
)
from sknumpynet.core.adam import Adam, AdamW
from sknumpynet.core.adaptive_optimizers import Adagrad, AMSGrad, NAdam, RMSprop
from sknumpynet.core.annealing import Cosine, Custom, Exponential, OneCycle, Step, Warmup
from sknumpynet.core.classification_losses import (
    BinaryLogLoss,
    Focal,
    LogLoss,
    MultinomialLogLoss,
)
from sknumpynet.core.deviance_losses import HalfGamma, HalfTweedie
from sknumpynet.core.gradient_check import GradientError, GradientReport, check_gradients
from sknumpynet.core.initializers import GlorotUniform, Initializer, Normal, Uniform, Zeros
from sknumpynet.core.layers import Activate, Dense, Dropout, Layer
from sknumpynet.core.losses import HalfPoisson, Loss, SquaredError
from sknumpynet.core.network import Network
from sknumpynet.core.normalization import BatchNorm, LayerNorm
from sknumpynet.core.optimizers import SGD, Optimizer
from sknumpynet.core.rectifiers import ELU, SELU, LeakyReLU
from sknumpynet.core.regression_losses import (
    AbsoluteError,
    Huber,
    LogCosh,
    Quantile,
)
from sknumpynet.core.scaled_initializers import (
    GlorotNormal,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
)
from sknumpynet.core.schedules import Adaptive, Constant, InverseScaling, Progress, Schedule
from sknumpynet.core.several_classes import SeveralClasses
from sknumpynet.core.sign_optimizers import Lion, Rprop
from sknumpynet.core.workspace import Workspace

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "SGD",
    "AMSGrad",
    "AbsoluteError",
    "Activate",
    "Activation",
    "ActivationOfZ",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adaptive",
    "BatchNorm",
    "BinaryLogLoss",
    "Constant",
    "Cosine",
    "Custom",
    "Dense",
    "Dropout",
    "Exponential",
    "Focal",
    "Function",
    "Gaussian",
    "GlorotNormal",
    "GlorotUniform",
    "GradientError",
    "GradientReport",
    "HalfGamma",
    "HalfPoisson",
    "HalfTweedie",
    "HardTanh",
    "HeNormal",
    "HeUniform",
    "Huber",
    "Identity",
    "Initializer",
    "InverseScaling",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "LecunNormal",
    "LecunUniform",
    "Lion",
    "LogCosh",
    "LogLoss",
    "Logistic",
    "Loss",
    "Mish",
    "MultinomialLogLoss",
    "NAdam",
    "Network",
    "Normal",
    "OneCycle",
    "Optimizer",
    "Orthogonal",
    "Progress",
    "Quantile",
    "RMSprop",
    "ReLU",
    "Rprop",
    "Schedule",
    "SeveralClasses",
    "SiLU",
    "Softplus",
    "Softsign",
    "SquaredError",
    "Step",
    "StepActivation",
    "Tanh",
    "Uniform",
    "Warmup",
    "Workspace",
    "Zeros",
    "check_gradients",
]
