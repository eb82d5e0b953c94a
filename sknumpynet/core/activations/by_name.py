# SPDX-License-Identifier: BSD-3-Clause
"""All activations by name."""

from __future__ import annotations

from sknumpynet.core.activations.base import Activation
from sknumpynet.core.activations.basic import Identity, Logistic, ReLU, Tanh
from sknumpynet.core.activations.bounded import Gaussian, HardTanh, Softsign, StepActivation
from sknumpynet.core.activations.custom import Function
from sknumpynet.core.activations.rectifiers import ELU, SELU, LeakyReLU
from sknumpynet.core.activations.smooth import GELU, Mish, SiLU, Softplus

ACTIVATIONS: dict[str, type[Activation]] = {
    "identity": Identity,
    "logistic": Logistic,
    "tanh": Tanh,
    "relu": ReLU,
    "softplus": Softplus,
    "softsign": Softsign,
    "hard_tanh": HardTanh,
    "leaky_relu": LeakyReLU,
    "elu": ELU,
    "selu": SELU,
    "gelu": GELU,
    "silu": SiLU,
    "mish": Mish,
    "gaussian": Gaussian,
    "step": StepActivation,
}


def get_activation(choice: object) -> Activation:
    """Return the activation with this name, one made from a pair of functions, or the object itself."""
    if isinstance(choice, Activation):
        return choice
    if isinstance(choice, str) and choice in ACTIVATIONS:
        return ACTIVATIONS[choice]()
    if isinstance(choice, tuple) and len(choice) == 2 and all(map(callable, choice)):
        return Function(*choice)
    raise ValueError(
        f"activation must be one of {', '.join(map(repr, ACTIVATIONS))}, a pair of functions (f, f'), or "
        f"an object of class Activation; or a list of these, one per hidden layer; got {choice!r}"
    )
