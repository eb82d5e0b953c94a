# SPDX-License-Identifier: BSD-3-Clause
"""The file of a checkpoint: a state of arrays and plain values, and the fingerprint of the fit.

Files of format 1, whose SHA-256 was in the comment of the zip, can still be read.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import zipfile
from pathlib import Path

import numpy as np

from sknumpynet._container import (
    HEADER,
    MAX_HEADER,
    can_hold,
    check_entries,
    read_parts,
    write_file,
)
from sknumpynet._versions import current_version

KIND = "sknumpynet checkpoint"
# Increase this number when older versions cannot read new files.
FORMAT = 2
SEAL = b"sknumpynet checkpoint, sha256 "  # of format 1
N_HEX = 64  # digits of a SHA-256
# The first bytes of an array in NumPy's file format.
NPY = re.compile(
    rb"\{'descr': '([^']+)', 'fortran_order': (True|False), 'shape': \(([0-9, ]*)\), \} *\n"
)
PLAIN = (bool, int, str)
REMEDY = "Remove the file to start over, or use another path"


def part_of(path):
    """Return the temporary file for ``path``, always the same one."""
    return Path(f"{os.fspath(path)}.part")


def write_checkpoint(path, fingerprint, state):
    """Write a state to a temporary file, and rename it when it is complete.

    Parameters
    ----------
    path : str or path-like
        The file.
    fingerprint : dict of str to str
        The fingerprint of the fit.
    state : dict
        Arrays and plain values.

    Raises
    ------
    ValueError
        If the state contains anything else.
    OSError
        If it cannot be written. The previous file is kept.
    """
    arrays = Arrays()
    header = {
        "format": KIND,
        "version": FORMAT,
        "written_by": current_version(),
        "fingerprint": fingerprint,
        "state": arrays.encoded(state),
    }
    try:
        write_file(path, header, arrays.listed(), part_of(path))
    except OSError as error:
        reason = f"{error.strerror or error}: the checkpoint could not be written; the previous one is intact"
        raise OSError(error.errno, reason, os.fspath(path)) from error


def read_checkpoint(path):
    """Return the fingerprint and the state in a file.

    Raises
    ------
    ValueError
        If the file was not written by `write_checkpoint`, or has changed since.
    """
    content = Path(path).read_bytes()
    try:
        is_format_1 = content[-N_HEX - len(SEAL) : -N_HEX] == SEAL
        read = _read_format_1 if is_format_1 else read_parts
        header, arrays = read(content, _check_header)
        fingerprint, state = (
            header["fingerprint"],
            decoded(header["state"], dict(enumerate(arrays))),
        )
        texts = [*fingerprint, *fingerprint.values()]
        if type(state) is not dict or not all(type(text) is str for text in texts):
            raise ValueError("it does not identify the fit that it belongs to")
        return fingerprint, state
    except MemoryError:
        raise
    except Exception as error:  # any error of the parsers; nothing has been changed yet
        trouble = str(error) if isinstance(error, Newer) else _trouble(content, error)
        raise ValueError(f"the checkpoint {os.fspath(path)!r} {trouble}. {REMEDY}") from error


class Newer(ValueError):
    """The file has a format that this version cannot read."""


def _check_header(header):
    if type(header) is not dict or header.get("format") not in (KIND, 1):
        raise ValueError("it was not written by Checkpoint")
    version = header["format"] if header["format"] == 1 else header["version"]
    if type(version) is not int or not 1 <= version <= FORMAT:
        raise Newer(
            f"was written by sknumpynet {header.get('written_by')}, in the format {version}; this is "
            f"sknumpynet {current_version()}, which reads formats up to {FORMAT}: resume with that version"
        )


def _trouble(content, error):
    """Return a message about a file that cannot be read."""
    if not content:
        return "is empty"
    if content.startswith(b"\x80"):  # the first byte of a pickle of protocol 2 or later
        return (
            "is a pickle, as the first versions wrote them, or is damaged; pickles are not loaded, as they "
            "can run code"
        )
    if not content.startswith(b"PK"):
        return "is not a checkpoint of sknumpynet, or is damaged"
    reason = str(error) or type(error).__name__
    return (
        "is damaged (truncated, or changed after it was written) or not a checkpoint, and cannot be read: "
        f"{reason}"
    )


def _read_format_1(content, check_header):
    """Return header and arrays, as `read_parts` does."""
    if hashlib.sha256(memoryview(content)[:-N_HEX]).hexdigest().encode() != content[-N_HEX:]:
        raise ValueError("its content has changed since it was written: the digest differs")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        check_entries(archive, len(content))
        if archive.getinfo(HEADER).file_size > MAX_HEADER:
            raise ValueError(f"{HEADER} is too long")
        header = json.loads(archive.read(HEADER))
        check_header(header)
        names = [f"array_{number}.npy" for number in range(len(archive.namelist()) - 1)]
        return header, [_array_in(archive.read(name)) for name in names]


def _array_in(stored):
    """Return the array in the bytes of a ``.npy`` file of format 1.0."""
    begin = 10 + int.from_bytes(stored[8:10], "little")
    found = NPY.fullmatch(stored[10:begin])
    if not found or not stored.startswith(b"\x93NUMPY\x01\x00"):
        raise ValueError("it holds an array of an unsupported dtype")
    dtype, in_columns, sizes = (each.decode() for each in found.groups())
    shape = [int(size) for size in sizes.split(",") if size.strip()]
    array = np.frombuffer(stored, dtype, offset=begin).copy()
    return array.reshape(shape, order="F" if in_columns == "True" else "C")


class Arrays:
    """Converts a state to JSON values, and collects its arrays.

    An array that occurs twice is written once, and is a single array again when it is read.
    """

    def __init__(self):
        self.found = {}  # id -> array, in the order of the names

    def listed(self):
        """Return the arrays, in the order of their numbers."""
        return list(self.found.values())

    def encoded(self, value, *where):
        """Return a value for JSON; everything except plain values becomes a dict with one key, the kind."""
        kind = type(value)
        if value is None or kind in PLAIN:
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind in (np.ndarray, np.memmap) and can_hold(value):
            return {"array": self._number(value)}
        if isinstance(value, np.generic) and value.dtype.kind in "biufc":
            return {"number": [value.dtype.str, value.tobytes().hex()]}
        if kind is list and len(value) > 1 and all(type(each) is float for each in value):
            return {"floats": self._number(np.array(value))}
        if kind in (list, tuple):
            return {kind.__name__: [self.encoded(each, *where) for each in value]}
        if kind is dict:
            pairs = [
                [self.encoded(key, *where), self.encoded(each, *where, str(key))]
                for key, each in value.items()
            ]
            return {"dict": pairs}
        name = ".".join(where).removeprefix("training.")
        raise ValueError(
            f"Checkpoint cannot write {name}, which holds a {kind.__module__}.{kind.__qualname__}: only "
            "arrays of numbers and text, and plain values (None, bool, int, float, str; list, tuple, dict of "
            "these), can be saved. Define get_state and set_state in its class, which return and accept "
            "such values"
        )

    def _number(self, array):
        self.found.setdefault(id(array), array)
        return list(self.found).index(id(array))


def decoded(value, arrays):
    """Return the value that was passed to `Arrays.encoded`; ``arrays`` have their numbers as keys."""
    if not isinstance(value, dict):
        return value
    [(kind, content)] = value.items()
    if kind == "array":
        return arrays[content]
    if kind == "floats":
        return arrays.pop(content).tolist()  # once: many references to it would multiply the memory
    if kind == "float":
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[content]
    if kind == "number":
        return np.frombuffer(bytes.fromhex(content[1]), content[0])[0]
    if kind == "dict":
        return {decoded(key, arrays): decoded(each, arrays) for key, each in content}
    return {"list": list, "tuple": tuple}[kind](decoded(each, arrays) for each in content)
