# SPDX-License-Identifier: BSD-3-Clause
"""Convert values to JSON and back: numbers, text, containers, arrays, and objects of known classes.

Values that JSON lacks become a dict with one key, the tag, such as ``{"tuple": [1, 2]}``; an array is
represented by its number among the arrays of the file.
"""

from __future__ import annotations

import math
import re

import numpy as np

import sknumpynet.core as core
from sknumpynet.core.layers import Activate, BatchNorm, Dense, Dropout, LayerNorm

# The classes that a file may refer to; loading cannot create objects of other classes.
OBJECTS = {
    **{
        name: getattr(core, name)
        for name in (
            # activations
            "Identity", "Logistic", "Tanh", "ReLU", "LeakyReLU", "ELU", "SELU", "GELU", "SiLU", "Mish",
            "Softplus", "Softsign", "HardTanh", "Gaussian", "StepActivation",
            # losses
            "SquaredError", "AbsoluteError", "Huber", "LogCosh", "Quantile", "HalfPoisson", "HalfGamma",
            "HalfTweedie", "LogLoss", "BinaryLogLoss", "MultinomialLogLoss", "MultioutputLogLoss",
            "Focal",
            # optimizers
            "SGD", "Adam", "AdamW", "NAdam", "AMSGrad", "RMSprop", "Adagrad", "Rprop", "Lion",
            # schedules
            "Constant", "InverseScaling", "Adaptive", "StepDecay", "Exponential", "Cosine", "OneCycle",
            "Warmup",
            # initializers
            "GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal",
            "Orthogonal", "Zeros", "Normal", "Uniform",
        )
    },
    "Activate": Activate,
    "BatchNorm": BatchNorm,
    "Dense": Dense,
    "Dropout": Dropout,
    "LayerNorm": LayerNorm,
}  # fmt: skip
NAMES = {cls: name for name, cls in OBJECTS.items()}
PLAIN = (bool, int, str, type(None))
# The kinds of arrays that are written unchanged.
KINDS = "biufUS"
SCALAR = re.compile(r"[<>|=]([biufUS])[1-9][0-9]*")
ODD = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
RANDOM_STATE_SIZE = 624  # of the key of MT19937


class Refused(ValueError):
    """A value cannot be saved in a file."""


class Writer:
    """Converts values to JSON, and collects their arrays.

    Attributes
    ----------
    arrays : list of ndarray
        The arrays, in the order of their numbers.
    """

    def __init__(self):
        self.arrays = []

    def write(self, value, name):
        """Return the value as JSON; ``name`` is used in errors."""
        kind = type(value)
        if kind in PLAIN:
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind is list:
            return self._list(value, name)
        if kind is tuple or kind is range:
            return {"tuple": [self.write(each, name) for each in value]}
        if kind is dict:
            items = value.items()
            return {"dict": [[self.write(k, name), self.write(v, name)] for k, v in items]}
        if kind is np.ndarray:
            return self._array(value, name)
        if isinstance(value, np.generic) and value.dtype.kind in KINDS and kind is value.dtype.type:
            return {"scalar": self._add(np.atleast_1d(value), name)}
        if kind is np.random.RandomState:
            return {"RandomState": self._random_state(value, name)}
        if kind in NAMES:
            options = value.get_params().items()
            written = {key: self.write(each, f"{name}.{key}") for key, each in options}
            return {"object": [NAMES[kind], written]}
        raise Refused(
            f"{name}={value!r} cannot be saved: a {kind.__module__}.{kind.__qualname__} is not among the "
            "objects that a file can contain: numbers, text, arrays and sknumpynet's own objects; "
            "use joblib for estimators with custom functions or classes"
        )

    def _list(self, value, name):
        """Write a list; one of many numbers of one type as an array."""
        if len(value) > 4:
            kinds = {type(each) for each in value}
            if kinds == {float}:
                return {"floats": self._add(np.array(value), name)}
            if kinds == {int} and all(abs(each) < 1 << 62 for each in value):
                return {"ints": self._add(np.array(value, np.int64), name)}
        return [self.write(each, name) for each in value]

    def _array(self, value, name):
        if value.dtype.kind in KINDS:
            return {"array": self._add(value, name)}
        if value.dtype != object:
            raise Refused(f"{name} is an array of dtype {value.dtype}, which cannot be saved")
        items = value.ravel().tolist()
        shape = list(value.shape)
        if all(type(each) is str for each in items):
            encoded = [each.encode("utf-8", "surrogatepass") for each in items]
            lengths = np.array([len(each) for each in encoded], np.int64)
            letters = np.frombuffer(b"".join(encoded), np.uint8)
            return {"texts": [shape, self._add(lengths, name), self._add(letters, name)]}
        return {"objects": [shape, [self.write(each, name) for each in items]]}

    def _random_state(self, value, name):
        state = value.get_state(legacy=False)
        if state["bit_generator"] != "MT19937":
            raise Refused(
                f"{name} is a RandomState over {state['bit_generator']}, which cannot be saved: use "
                "numpy.random.RandomState(seed)"
            )
        inner = state["state"]
        return [
            self._add(inner["key"], name),
            int(inner["pos"]),
            int(state["has_gauss"]),
            self.write(float(state["gauss"]), name),
        ]

    def _add(self, array, name):
        """Return the number of an array."""
        if (
            not array.dtype.itemsize
            or array.dtype.str[1] not in KINDS
            or array.dtype.itemsize > 1 << 30
        ):
            raise Refused(f"{name} is an array of dtype {array.dtype}, which cannot be saved")
        if array.dtype.kind == "f" and array.dtype.itemsize > 8:
            raise Refused(
                f"{name} is an array of dtype {array.dtype}, which not every machine supports"
            )
        self.arrays.append(array)
        return len(self.arrays) - 1


class Reader:
    """Converts JSON and arrays back to values; raises if `Writer` cannot have written them.

    Parameters
    ----------
    arrays : list of ndarray
        The arrays of the file; each is returned once.
    """

    def __init__(self, arrays):
        self.arrays = dict(enumerate(arrays))

    def read(self, written):
        """Return the value."""
        kind = type(written)
        if kind in PLAIN or kind is float:
            return written
        if kind is list:
            return [self.read(each) for each in written]
        ((tag, content),) = written.items()
        return getattr(self, f"_{tag}")(content) if tag in self.TAGS else _unknown(tag)

    TAGS = (
        "float", "tuple", "dict", "floats", "ints", "array", "texts", "objects", "scalar", "object",
        "RandomState",
    )  # fmt: skip

    def take(self, number, kinds=KINDS, ndim=None):
        """Return the array with this number, which must be of one of these kinds."""
        if type(number) is not int:
            raise ValueError("an array is not referred to by its number")
        array = self.arrays.pop(number)
        if array.dtype.kind not in kinds or ndim not in (None, array.ndim):
            raise ValueError(f"array {number} is not of the expected kind")
        return array

    def _float(self, content):
        return ODD[content]

    def _tuple(self, content):
        return tuple(self.read(each) for each in _listed(content))

    def _dict(self, content):
        return {self.read(key): self.read(value) for key, value in _listed(content)}

    def _floats(self, content):
        return self.take(content, "f", 1).tolist()

    def _ints(self, content):
        return self.take(content, "i", 1).tolist()

    def _array(self, content):
        return self.take(content)

    def _scalar(self, content):
        array = self.take(content, ndim=1)
        (value,) = array
        return value

    def _texts(self, content):
        shape, lengths, letters = content
        lengths, letters = self.take(lengths, "i", 1), self.take(letters, "u", 1).tobytes()
        if (lengths < 0).any() or int(lengths.sum(dtype=object)) != len(letters):
            raise ValueError("the lengths of the texts do not match their characters")
        items, start = [], 0
        for length in lengths.tolist():
            items.append(letters[start : start + length].decode("utf-8", "surrogatepass"))
            start += length
        return _as_objects(items, shape)

    def _objects(self, content):
        shape, items = content
        return _as_objects([self.read(each) for each in _listed(items)], shape)

    def _object(self, content):
        name, options = content
        if name not in OBJECTS:
            raise ValueError(f"it names a class that this version does not have: {name!r}")
        made = OBJECTS[name](**{key: self.read(each) for key, each in options.items()})
        made.check()
        return made

    def _RandomState(self, content):
        key, pos, has_gauss, gauss = content
        key = self.take(key, "u", 1)
        if len(key) != RANDOM_STATE_SIZE or type(pos) is not int or has_gauss not in (0, 1):
            raise ValueError("the state of a generator is invalid")
        if not 0 <= pos <= RANDOM_STATE_SIZE:
            raise ValueError("the state of a generator is invalid")
        state = np.random.RandomState(0)
        state.set_state(("MT19937", key, pos, int(has_gauss), float(self.read(gauss))))
        return state


def _unknown(tag):
    raise ValueError(f"it holds a value of an unknown kind, {tag!r}")


def _listed(content):
    if type(content) is not list:
        raise ValueError("a list is missing")
    return content


def _as_objects(items, shape):
    array = np.empty(len(items), object)
    for index, each in enumerate(items):
        array[index] = each
    return array.reshape([int(each) for each in shape])
