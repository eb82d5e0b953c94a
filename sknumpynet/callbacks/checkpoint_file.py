# SPDX-License-Identifier: BSD-3-Clause
"""The file of a checkpoint: an uncompressed zip of .npy arrays and one JSON text, sealed with a digest.

It is an .npz file that `numpy.load` opens without pickle. Its last bytes, the comment of the zip, are the
SHA-256 of all bytes before them, so that no changed bit goes unnoticed.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path

import numpy as np

from sknumpynet._versions import current_version

# To be raised whenever older versions cannot read what is written.
FORMAT = 1
HEADER = "header.json"
SEAL = b"sknumpynet checkpoint, sha256 "
N_HEX = 64  # digits of a SHA-256
PLAIN = (bool, int, float, str)
REMEDY = "Remove the file to begin anew, or give another path"


def part_of(path):
    """Return the file beside ``path`` that is written first: always the same one."""
    return Path(f"{os.fspath(path)}.part")


def write_checkpoint(path, fingerprint, state):
    """Write a state beside ``path``, and rename it once it is whole.

    Parameters
    ----------
    path : str or path-like
        The file.
    fingerprint : dict of str to str
        What the fit is.
    state : dict
        Arrays and plain values.

    Raises
    ------
    ValueError
        If the state holds something else.
    OSError
        If it cannot be written. The file of before stays as it was.
    """
    arrays = Arrays()
    header = {
        "format": FORMAT,
        "version": current_version(),
        "fingerprint": fingerprint,
        "state": arrays.encoded(state),
    }
    part = part_of(path)
    try:
        part.unlink(missing_ok=True)
        with open(part, "x+b") as file:
            _write_archive(file, header, arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        reason = (
            f"{error.strerror or error}: the checkpoint could not be written, the last one is whole"
        )
        raise OSError(error.errno, reason, os.fspath(path)) from error


def _write_archive(file, header, arrays):
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(HEADER), json.dumps(header))
        for name, array in arrays.named():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
        archive.comment = SEAL + b"0" * N_HEX
    n_sealed = file.tell() - N_HEX
    digest = _digest(file, n_sealed)
    file.seek(n_sealed)
    file.write(digest)


def _digest(file, n_bytes):
    """Return the SHA-256 of the first bytes of a file, as hexadecimal digits."""
    found = hashlib.sha256()
    file.seek(0)
    while n_bytes > 0 and (piece := file.read(min(n_bytes, 1 << 20))):
        found.update(piece)
        n_bytes -= len(piece)
    return found.hexdigest().encode()


def read_checkpoint(path):
    """Return the fingerprint and the state in a file.

    Raises
    ------
    ValueError
        If the file is none that `write_checkpoint` has written, or has changed since.
    """
    with open(path, "rb") as file:
        trouble = _trouble(file)
        if trouble is None:
            try:
                with zipfile.ZipFile(file) as archive:
                    header = json.loads(archive.read(HEADER))
                    if header["format"] == FORMAT:
                        state = decoded(header["state"], ReadArrays(archive))
                        return dict(header["fingerprint"]), state
                    trouble = (
                        f"was written by sknumpynet {header['version']}, in the format "
                        f"{header['format']}; this is sknumpynet {current_version()}, which reads the "
                        f"format {FORMAT}: go on with that version"
                    )
            except (OSError, MemoryError):
                raise
            except Exception as error:
                trouble = f"cannot be read ({type(error).__name__}: {error})"
    raise ValueError(f"the checkpoint {os.fspath(path)!r} {trouble}. {REMEDY}")


def _trouble(file):
    """Return what is wrong with the bytes of a file, or None."""
    start = file.read(2)
    n_sealed = file.seek(0, os.SEEK_END) - N_HEX
    if not start:
        return "is empty"
    if n_sealed > 0:
        file.seek(n_sealed)
        if file.read() == _digest(file, n_sealed):
            return None
    if start[:1] == b"\x80":  # how a pickle of protocol 2 or later begins
        return (
            "is a pickle, as earlier versions wrote them, or is damaged; pickles are not loaded, as they can "
            "run code"
        )
    if start != b"PK":
        return "is no checkpoint of sknumpynet, or is damaged"
    return "is damaged (cut short, or changed after it was written), or is no checkpoint"


class Arrays:
    """Turns a state into what JSON can hold, and collects its arrays.

    An array that stands in two places is written once, and is one array again when it is read.
    """

    def __init__(self):
        self.found = {}  # id -> array, in the order of the names

    def named(self):
        """Return pairs of the name in the file and the array."""
        return [(_name(number), array) for number, array in enumerate(self.found.values())]

    def encoded(self, value, *where):
        """Return a value for JSON; all but plain values become a dict of one key, the kind."""
        kind = type(value)
        if value is None or kind in PLAIN:
            return value
        if kind in (np.ndarray, np.memmap) and not value.dtype.hasobject:
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
            "arrays and plain values (None, bool, int, float, str; list, tuple, dict of these) go into the "
            "file. Give its class a get_state and a set_state that return and take such"
        )

    def _number(self, array):
        self.found.setdefault(id(array), array)
        return list(self.found).index(id(array))


class ReadArrays(dict):
    """The arrays of a file by number, each read once."""

    def __init__(self, archive):
        super().__init__()
        self.archive = archive

    def __missing__(self, number):
        with self.archive.open(_name(number)) as member:
            self[number] = np.lib.format.read_array(member, allow_pickle=False)
        return self[number]


def decoded(value, arrays):
    """Return what `Arrays.encoded` was given."""
    if not isinstance(value, dict):
        return value
    [(kind, content)] = value.items()
    if kind == "array":
        return arrays[content]
    if kind == "floats":
        return arrays[content].tolist()
    if kind == "number":
        return np.frombuffer(bytes.fromhex(content[1]), content[0])[0]
    if kind == "dict":
        return {decoded(key, arrays): decoded(each, arrays) for key, each in content}
    return {"list": list, "tuple": tuple}[kind](decoded(each, arrays) for each in content)


def _name(number):
    return f"array_{number}.npy"
