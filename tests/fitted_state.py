# SPDX-License-Identifier: BSD-3-Clause
"""A flat, comparable form of the whole state of an estimator, for tests of what a call changes."""

from inspect import isclass, isroutine

import numpy as np


def fitted_state(value, path="", seen=None):
    """Return a dict of paths to plain values and bytes; two estimators with equal dicts go on alike.

    Of the seconds that epochs took, which no two fits share, only the number is compared.
    """
    seen = {} if seen is None else seen
    if path.endswith(".seconds"):
        return {path: f"{len(value)} times"}
    if isinstance(value, np.ndarray):
        content = value.tolist() if value.dtype.hasobject else value.tobytes()
        return {path: (value.dtype.str, value.shape, repr(content))}
    if isinstance(value, np.random.RandomState):
        return fitted_state(value.get_state(), f"{path}(RandomState)", seen)
    if isinstance(value, np.random.Generator):
        return fitted_state(value.bit_generator.state, f"{path}(Generator)", seen)
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    elif hasattr(value, "__dict__") and not (isclass(value) or isroutine(value)):
        if id(value) in seen:
            return {path: f"the same as {seen[id(value)]}"}
        seen[id(value)] = path
        items = (value.__getstate__() or {}).items()
    else:
        return {path: repr(value)}
    parts = {path: type(value).__name__}
    for name, item in items:
        parts |= fitted_state(item, f"{path}.{name}", seen)
    return parts
