# SPDX-License-Identifier: BSD-3-Clause
"""Activation functions and their derivatives.

``base`` has the base class, ``by_name`` the names.
"""

from sknumpynet.core.activations.base import Activation, ActivationOfZ
from sknumpynet.core.activations.basic import Identity, Logistic, ReLU, Tanh
from sknumpynet.core.activations.bounded import Gaussian, HardTanh, Softsign, StepActivation
from sknumpynet.core.activations.by_name import ACTIVATIONS, get_activation
from sknumpynet.core.activations.custom import Function
from sknumpynet.core.activations.rectifiers import ELU, SELU, LeakyReLU
from sknumpynet.core.activations.smooth import GELU, Mish, SiLU, Softplus

__all__ = [
    "ACTIVATIONS",
    "ELU",
    "GELU",
    "SELU",
    "Activation",
    "ActivationOfZ",
    "Function",
    "Gaussian",
    "HardTanh",
    "Identity",
    "LeakyReLU",
    "Logistic",
    "Mish",
    "ReLU",
    "SiLU",
    "Softplus",
    "Softsign",
    "StepActivation",
    "Tanh",
    "get_activation",
]
