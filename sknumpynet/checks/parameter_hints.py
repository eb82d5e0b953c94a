# SPDX-License-Identifier: BSD-3-Clause
"""Suggestions for invalid parameters."""

from __future__ import annotations

import re
from difflib import get_close_matches
from numbers import Integral, Real

from sknumpynet.core.options import Options

# Names used by other libraries, in lower case, and the names used here.
ELSEWHERE = {
    "sigmoid": "logistic",
    "linear": "identity",
    "swish": "silu",
    "mse": "squared_error",
    "mean_squared_error": "squared_error",
    "l2": "squared_error",
    "mae": "absolute_error",
    "mean_absolute_error": "absolute_error",
    "l1": "absolute_error",
    "cross_entropy": "log_loss",
    "categorical_crossentropy": "log_loss",
    "binary_crossentropy": "log_loss",
    "bce": "log_loss",
    "xavier": "glorot_uniform",
    "kaiming": "he_uniform",
    "onecycle": "one_cycle",
}


def hint_for(parameters, message):
    """Return a sentence to add to scikit-learn's message about a wrong parameter, or an empty string."""
    found = re.match(r"The '(\w+)' parameter of", message)
    if not found:
        return ""
    name = found[1]
    value = parameters.get(name)
    if isinstance(value, type) and issubclass(value, Options):
        return f" {value.__name__} is a class; give an object: {name}={value.__name__}()."
    if name == "learning_rate" and isinstance(value, Real):
        return f" A schedule has a name; the number goes into learning_rate_init={value!r}."
    if name == "loss" and isinstance(value, Integral | tuple | list):
        return (
            f" The first parameter is loss: give the layers by name, hidden_layer_sizes={value!r}."
        )
    if name == "hidden_layer_sizes" and isinstance(value, str):
        return f" The first parameter is hidden_layer_sizes: give others by name, such as loss={value!r}."
    if isinstance(value, str):
        names = re.findall(r"'(\w+)'", message.partition("among {")[2].partition("}")[0])
        word = value.lower().replace("-", "_").replace(" ", "_")
        close = (
            [ELSEWHERE[word]] if ELSEWHERE.get(word) in names else get_close_matches(word, names, 1)
        )
        if close:
            return f" Did you mean {name}={close[0]!r}?"
    return ""


def object_wanted(estimator, params):
    """Return a message if ``name__option`` is set but ``name`` is not an object, or None."""
    for key in params:
        name, nested, option = key.partition("__")
        value = getattr(estimator, name, None)
        if nested and not hasattr(value, "set_params"):
            return (
                f"{key} cannot be set: {name}={value!r} has no options of its own. Give {name} an object "
                f"that has {option}, such as solver=AdamW() for solver__weight_decay"
            )
    return None
