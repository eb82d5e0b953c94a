# SPDX-License-Identifier: BSD-3-Clause
"""The base class of layers, activations, losses, optimizers and schedules.

Constructor arguments are stored as attributes, so that objects can be printed, compared, cloned and searched
over (``get_params`` and ``set_params`` as in scikit-learn). The constructor only stores them; ``constraints``
has the valid values, which are checked when a fit begins.
"""

from __future__ import annotations

import copy
import functools
import inspect
import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, ClassVar, TypeVar

import numpy as np

from sknumpynet.core.renamed import keep_old_names

Self = TypeVar("Self", bound="Options")
Kind = TypeVar("Kind", bound="Options")
Thing = TypeVar("Thing")


@functools.cache
def _argument_names(cls: type) -> tuple[str, ...]:
    init = cls.__init__  # type: ignore[misc]
    if init is object.__init__:
        return ()
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    arguments = list(inspect.signature(init).parameters.values())[1:]
    return tuple(argument.name for argument in arguments if argument.kind in named)


def fits(value: object, rule: str) -> bool:
    """Return whether a value satisfies a rule such as ``"None or a number in (0, 1]"``."""
    return any(_fits(value, each) for each in rule.split(" or "))


def _fits(value: object, rule: str) -> bool:
    kind, _, limits = rule.partition(" in ")
    if kind == "None":
        return value is None
    if kind == "a bool":
        return isinstance(value, bool | np.bool_)
    if kind == "a function":
        return callable(value)
    numbers = {"a number": Real, "an integer": Integral}[kind]
    if not isinstance(value, numbers) or isinstance(value, bool):
        return False
    try:
        number = float(value)
    except OverflowError:  # an int such as 10**400
        return False
    low, high = map(float, limits[1:-1].split(","))
    above = low <= number if limits[0] == "[" else low < number
    return above and (number <= high if limits[-1] == "]" else number < high)


def _key(value: object) -> object:
    """Return a hashable key that is equal for values that `numpy.array_equal` considers equal."""
    try:
        array = np.asarray(value)
    except ValueError:  # lists of different lengths
        return 0
    if array.dtype.kind in "biuf":
        array = array.astype(float)
    return array.shape, *map(_key_of_item, array.ravel().tolist())


def _key_of_item(item: Any) -> object:
    """Return the item, a number as a float; 0 for unhashable items and for NaN, whose hash differs."""
    try:
        if isinstance(item, Real):
            item = float(item)
        hash(item)
    except (TypeError, OverflowError):
        return 0
    return 0 if isinstance(item, float) and math.isnan(item) else item


def with_nested(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments, including those of nested objects, which are named ``name__option``."""
    found = dict(params)
    for name, value in params.items():
        if isinstance(value, Options):
            inside = value.get_params(deep=True)
            found.update({f"{name}__{option}": each for option, each in inside.items()})
    return found


# The classes of the core that `from_data` can create, by name: subclasses of `Options`, and `Group`.
CLASSES: dict[str, type] = {}


class Options:
    """Base class of objects with options: constructor arguments are attributes of the same name.

    Attributes
    ----------
    constraints : dict of str to str
        The valid values of each constructor argument, as shown in errors: "a number in (0, 1]", "an integer
        in [1, inf)", "a bool", "a function", "None", or several of these joined by " or ".
    """

    constraints: ClassVar[dict[str, str]] = {}
    # Old names of attributes and methods, and the new ones.
    renamed: ClassVar[dict[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        keep_old_names(cls, cls.renamed)
        if cls.__module__.startswith("sknumpynet.core."):
            CLASSES[cls.__name__] = cls

    def get_params(self, deep: bool = False) -> dict[str, Any]:
        """Return the constructor arguments as a dict; with ``deep`` including those of nested objects.

        The latter have names such as ``schedule__end_factor``.
        """
        names = _argument_names(type(self))  # type: ignore[arg-type]
        params = {name: getattr(self, name) for name in names}
        return with_nested(params) if deep else params

    def set_params(self: Self, **params: Any) -> Self:
        """Set constructor arguments, and by ``name__option`` those of nested objects; return self."""
        names = _argument_names(type(self))  # type: ignore[arg-type]
        nested: dict[str, dict[str, Any]] = {}
        for key, value in params.items():
            name, inside, option = key.partition("__")
            if name not in names:
                raise ValueError(
                    f"{type(self).__name__} has no parameter {name!r}; it has: {', '.join(names)}"
                )
            if inside:
                nested.setdefault(name, {})[option] = value
        for key, value in params.items():
            if key in names:
                setattr(self, key, value)
        for name, options in nested.items():
            value = getattr(self, name)
            if not isinstance(value, Options):
                raise ValueError(
                    f"{name}__{next(iter(options))} cannot be set: {self!r} has {name}={value!r}, which has "
                    "no options: give an object in its place"
                )
            value.set_params(**options)
        return self

    def check(self) -> None:
        """Raise ValueError if an argument, or one of a nested object, is invalid."""
        for name, rule in self.constraints.items():
            if not fits(getattr(self, name), rule):
                raise ValueError(f"{self!r}: {name} must be {rule}; got {getattr(self, name)!r}")
        for value in vars(self).values():
            if isinstance(value, Options):
                value.check()

    def clone(self: Self, **params: Any) -> Self:
        """Return a new object with the same constructor arguments, or with those given instead.

        Nested objects are cloned, too.
        """
        own = {
            name: value.clone() if isinstance(value, Options) else value
            for name, value in self.get_params().items()
        }
        return type(self)(**{**own, **params})

    def _copied_attributes(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return copies of the attributes, except for constructor arguments that are not numbers.

        Numbers are included because a subclass may change them during training.
        """
        options, copies = self.get_params(), {}
        memo: dict[int, Any] = {}  # two names of one array are kept as one array
        for name, value in attributes.items():
            if name in options and not isinstance(value, int | float):
                continue
            try:
                copies[name] = copy.deepcopy(value, memo)
            except Exception as error:
                raise ValueError(
                    f"{type(self).__name__}.{name} cannot be copied ({error}), and so the state of training "
                    "cannot be kept. Give the class a get_state and a set_state that return and take arrays "
                    "and plain values"
                ) from error
        return copies

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self)).parameters
        changed = (
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if defaults[name].default is inspect.Parameter.empty
            or not np.array_equal(value, defaults[name].default)
        )
        return f"{type(self).__name__}({', '.join(changed)})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        mine, theirs = self.get_params(), other.get_params()
        return all(
            mine[name] is theirs[name] or np.array_equal(mine[name], theirs[name]) for name in mine
        )

    def __hash__(self) -> int:
        return hash((type(self), *map(_key, self.get_params().values())))


def copied(thing: Thing) -> Thing:
    """Return an object with the same attributes, ten times as fast as `copy.copy`."""
    other = object.__new__(type(thing))
    vars(other).update(vars(thing))
    return other


def is_foreign(thing: object) -> bool:
    """Return whether an object's class is not of this package."""
    return type(thing).__module__.partition(".")[0] != "sknumpynet"


def as_data(value: Any) -> Any:
    """Return an object of the core as a dict with the name of its class and its state; others unchanged.

    Lists, tuples and dicts are converted recursively. A pickle of such dicts refers to few classes, which
    helps with tools that ask whether to trust each class.
    """
    if type(value) in (list, tuple):
        return type(value)(as_data(each) for each in value)
    if type(value) is dict:
        return {key: as_data(each) for key, each in value.items()}
    name = type(value).__name__
    if CLASSES.get(name) is not type(value):
        return value
    return {"class": name, "state": as_data(value.__getstate__() or {})}


def from_data(data: Any) -> Any:
    """Return the object from the result of `as_data`; objects, as in older pickles, are unchanged."""
    if type(data) in (list, tuple):
        return type(data)(from_data(each) for each in data)
    if type(data) is not dict:
        return data
    if data.keys() != {"class", "state"}:
        return {key: from_data(each) for key, each in data.items()}
    thing: Any = object.__new__(CLASSES[data["class"]])
    vars(thing).update(from_data(data["state"]))
    return thing


def resolve(
    choice: str | Kind, names: Mapping[str, type[Kind]], kind: type[Kind], parameter: str
) -> Kind:
    """Return a default object for a name, or the object itself.

    ``parameter`` is the name of the parameter, for the error message.
    """
    if isinstance(choice, kind):
        return choice
    if isinstance(choice, str) and choice in names:
        return names[choice]()
    raise ValueError(
        f"{parameter} must be one of {', '.join(map(repr, names))} or an object of class "
        f"{kind.__name__}; got {choice!r}"
    )
