# SPDX-License-Identifier: BSD-3-Clause
"""Renamed names of version 0.1, which still work until version 0.3, with a FutureWarning."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any


def warn_of_name(old: str, new: str, stacklevel: int = 3) -> None:
    """Warn the caller's caller that a name is deprecated."""
    message = f"{old} was renamed to {new}: the old name will be removed in sknumpynet 0.3"
    warnings.warn(message, FutureWarning, stacklevel=stacklevel)


def old_names_of(module: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module in which the keys are old names of the values."""

    def __getattr__(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warn_of_name(f"{module}.{name}", names[name])
        return getattr(sys.modules[module], names[name])

    return __getattr__


class OldName:
    """The old name of a method or property of the class ``owner``, so that `super` finds it."""

    def __init__(self, owner: type, old: str, new: str) -> None:
        self.owner, self.old, self.new = owner, old, new

    def _warn(self) -> None:
        warn_of_name(f"{self.owner.__name__}.{self.old}", self.new, stacklevel=4)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        self._warn()
        found = vars(self.owner)[self.new]
        return found.__get__(instance, owner) if hasattr(found, "__get__") else found


class OldAttribute(OldName):
    """The old name of an attribute, which may also be set on an object."""

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if self.new in getattr(instance, "__dict__", ()):
            self._warn()
            return vars(instance)[self.new]
        return super().__get__(instance, owner)

    def __set__(self, instance: Any, value: Any) -> None:
        self._warn()
        setattr(instance, self.new, value)


def keep_old_names(cls: type, renamed: Mapping[str, str]) -> None:
    """Make old names work in a class, and use definitions under an old name for the new one.

    Called when the class is created, to which the warning points.
    """
    own = dict(vars(cls))
    for old, new in renamed.items():
        if new in own and old not in own and old != "fill":
            value = own[new]
            is_attribute = not (callable(value) or isinstance(value, property))
            setattr(cls, old, (OldAttribute if is_attribute else OldName)(cls, old, new))
        elif old in own and new not in own:
            value = own[old]
            if old == "fill":
                if len(inspect.signature(value).parameters) != 1:  # something else
                    continue
                value = _reset_by_fill(cls, value)
            warn_of_name(f"{cls.__name__}.{old}", new, stacklevel=4)
            setattr(cls, new, value)


def _reset_by_fill(cls: Any, fill: Callable[[Any], None]) -> Callable[..., None]:
    """Return ``reset_parameters`` for a layer with ``fill(self)``, which sets the other parameters."""

    def reset_parameters(
        self: Any, rng: Any, initializer: Any, bias_initializer: Any | None = None
    ) -> None:
        super(cls, self).reset_parameters(rng, initializer, bias_initializer)
        fill(self)

    return reset_parameters
