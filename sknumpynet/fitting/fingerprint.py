# SPDX-License-Identifier: BSD-3-Clause
"""The fingerprint of a fit, which must agree when it is resumed: text that is the same in every process."""

from __future__ import annotations

import functools
import hashlib
import pickle
import re
import types

import numpy as np

N_SAMPLED = 64
VALUES = "values of the data"  # files of earlier versions lack it


def fingerprint(parameters, data, validation):
    """Return the parameters, and shape, dtype and some values of the data, as a dict of str to str."""
    return {
        **described_parameters(parameters),
        "data": _shapes_of(data),
        "validation data": "None" if validation is None else _shapes_of(validation),
        VALUES: ", ".join(_values_of(each) for each in (data, validation) if each is not None),
    }


def described_parameters(parameters):
    """Describe the parameters, but for those on which the result of a fit does not depend."""
    without = ("verbose", "n_jobs")
    return {name: described(value) for name, value in parameters.items() if name not in without}


def _values_of(data):
    if getattr(data, "total_rows", None) is not None:
        return "on a cluster"
    return " ".join(map(values_of, (data.X, data.targets, data.sample_weight)))


def values_of(array):
    """Describe the values of an array: labels by all of them, numbers by rows that are evenly spaced.

    Numbers are rounded, as their last digits may differ between machines: each row is a weighted sum of
    absolute values, and the part of it that is positive.
    """
    if array is None:
        return "None"
    if array.ndim == 1 and array.dtype.kind != "f":
        content = repr(array.tolist()).encode() if array.dtype.kind in "OUS" else array.tobytes()
        return digest(content)
    rows = array[np.linspace(0, array.shape[0] - 1, N_SAMPLED).astype(int)]
    rows = rows.reshape((N_SAMPLED, -1)).astype(np.float64)
    weights = np.arange(1.0, rows.shape[1] + 1)
    sizes = abs(rows)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = sizes @ weights
        positive = (sizes + rows) @ weights / 2 / sums
    return digest(" ".join(map("{:.2e} {:.2f}".format, sums, positive)).encode())


def _shapes_of(data):
    shapes = ", ".join(map(shape_of, (data.X, data.targets, data.sample_weight)))
    # on a cluster, which is represented by a few rows here
    n_elsewhere = getattr(data, "total_rows", None)
    return shapes if n_elsewhere is None else f"{shapes}, {n_elsewhere} rows on a cluster"


def shape_of(array):
    """Return shape and dtype of an array, as text."""
    return "None" if array is None else f"{array.shape} {array.dtype}"


def described(value, outer=()):
    """Describe a value as text: a function by its name and code, a RandomState by its state."""
    if id(value) in outer:  # a function that calls itself
        return "itself"
    parts = functools.partial(described, outer=(*outer, id(value)))
    if isinstance(value, dict):
        items = sorted(f"{parts(key)}: {parts(each)}" for key, each in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, set | frozenset):  # the order differs between processes
        return f"{type(value).__name__}({', '.join(sorted(map(parts, value)))})"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({', '.join(map(parts, value))})"
    if isinstance(value, np.ndarray):
        return f"{shape_of(value)} {digest(repr(value.tolist()).encode())}"
    if isinstance(value, np.random.RandomState):
        return f"RandomState {digest(pickle.dumps(value.get_state()))}"
    if isinstance(value, functools.partial):
        return f"partial({parts(value.func)}, {parts(value.args)}, {parts(value.keywords)})"
    if isinstance(value, types.MethodType):
        return f"{parts(value.__func__)} of {parts(value.__self__)}"
    if isinstance(value, types.FunctionType):
        inside = [cell.cell_contents for cell in value.__closure__ or ()]
        code = parts((value.__code__, value.__defaults__, value.__kwdefaults__, inside))
        return f"{value.__module__}.{value.__qualname__} {digest(code.encode())}"
    if isinstance(value, types.CodeType):
        return f"{value.co_code.hex()} {value.co_names} {parts(value.co_consts)}"
    if hasattr(value, "get_params"):
        return f"{type(value).__qualname__}({parts(value.get_params())})"
    text = repr(value)
    if " at 0x" in text and getattr(value, "__dict__", None):
        return f"{type(value).__qualname__}({parts(vars(value))})"
    return re.sub(" at 0x[0-9a-fA-F]+", "", text)


def digest(content):
    """Return a short hash of the bytes."""
    return hashlib.sha256(content).hexdigest()[:16]
