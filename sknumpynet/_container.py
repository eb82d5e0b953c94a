# SPDX-License-Identifier: BSD-3-Clause
"""The file format of this package: a zip of uncompressed ``.npy`` arrays with a JSON header and a digest.

The header comes first and lists the dtype and shape of every array. An array is only allocated after its size
in the zip was found to agree with the header and the size of the file. `numpy.load` can open such a file,
too.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import math
import os
import re
import secrets
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np

HEADER, DIGEST = "header.json", "sha256"
# Limits of the header in bytes and of the number of arrays, so that parsing creates few objects.
MAX_HEADER, MAX_ARRAYS, MAX_DIRECTORY = 1 << 19, 10_000, 1 << 20
END = struct.Struct("<4s4H2LH")  # the end of the directory of a zip
# Kinds of dtypes: numbers, booleans, text, dates and time differences; no objects and no records.
DTYPE = re.compile(r"[<>|][biufcUSmM][1-9][0-9]{0,9}(\[[0-9]*[A-Za-z]+\])?")
# Flags of a zip entry: encrypted, patched, or with a size that only follows later.
PLAIN_FLAGS = (0, 0x800)
MAX_CODE_POINT = 0x10FFFF


def can_hold(array):
    """Return whether a file can hold an array of this dtype."""
    return DTYPE.fullmatch(array.dtype.str) is not None and array.dtype.names is None


def checked_path(path, name="path"):
    """Return the path of a file or folder, or raise if it is of another type; ``name`` is the argument's."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{name} must be a str or path-like; got {path!r}")
    if not os.fspath(path):
        raise ValueError(f"{name} must be a name; got {path!r}")
    return Path(path)


def path_to_write(path):
    """Return the path of a file that will be written, or raise if there cannot be such a file."""
    file = checked_path(path)
    if file.is_dir():
        raise IsADirectoryError(errno.EISDIR, "This is a folder: name a file in it", str(file))
    if not file.parent.is_dir():
        reason = "There is no such folder for the file: create it first"
        raise FileNotFoundError(errno.ENOENT, reason, str(file.parent))
    return file


def write_file(path, header, arrays, part=None):
    """Write header and arrays to a temporary file and rename it, so that the file is complete at any time.

    Parameters
    ----------
    path : str or path-like
        The file.
    header : dict
        For JSON; the dtypes and shapes of the arrays are added.
    arrays : list of ndarray
        Arrays with dtypes for which `can_hold` is true.
    part : Path, default=None
        The temporary file, which is replaced if it exists; None creates a unique name.

    Raises
    ------
    ValueError
        If header or arrays exceed the limits of the format.
    OSError
        If it cannot be written. The previous file is kept.
    """
    text = json.dumps({**header, "arrays": [*map(_described, arrays)]}, allow_nan=False)
    text = text.encode("ascii")
    if len(text) > MAX_HEADER or len(arrays) > MAX_ARRAYS:
        raise ValueError(
            f"values outside arrays take {len(text)} bytes, of at most {MAX_HEADER}, and the number of "
            f"arrays is {len(arrays)}, of at most {MAX_ARRAYS}. Store numbers in arrays, or save with joblib"
        )
    path = Path(path)
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}") if part is None else part
    try:
        if part is not None:
            beside.unlink(missing_ok=True)
        with open(beside, "xb") as file:
            _write_zip(file, text, arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:  # it names the temporary file
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise


def _described(array):
    described = {"dtype": array.dtype.str, "shape": list(array.shape)}
    return {**described, "fortran_order": True} if _in_columns(array) else described


def _in_columns(array):
    """Return whether the columns of an array are contiguous, and its rows are not."""
    return array.flags.f_contiguous and not array.flags.c_contiguous


def _write_zip(file, text, arrays):
    digest = hashlib.sha256()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:

        def add(name, *parts):
            entry = zipfile.ZipInfo(name)  # dated 1980, so that equal models give equal files
            entry.file_size = sum(map(len, parts))
            with archive.open(entry, "w") as member:
                for part in parts:
                    digest.update(part)
                    member.write(part)

        add(HEADER, text)
        for index, array in enumerate(arrays):
            prefix = npy_header(**_described(array))
            array = np.ascontiguousarray(array.T if _in_columns(array) else array)
            add(f"{index}.npy", prefix, memoryview(array.reshape(-1).view(np.uint8)))
        add(DIGEST, digest.hexdigest().encode("ascii"))


def npy_header(dtype, shape, fortran_order=False):
    """Return the beginning of a ``.npy`` file, format 1.0, before the numbers."""
    sizes = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
    text = f"{{'descr': '{dtype}', 'fortran_order': {fortran_order}, 'shape': ({sizes}), }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("ascii")


def read_parts(content, check_header):
    """Return header and arrays in the bytes of a file, after ``check_header(header)``.

    Invalid bytes raise a ValueError with the reason, or any error of the parsers.
    """
    _check_end(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        check_entries(archive, len(content))
        if HEADER not in entries or entries[HEADER].file_size > MAX_HEADER:
            raise ValueError(f"there is no {HEADER}, or it is too long")
        text = archive.read(HEADER)
        header = json.loads(text, parse_constant=_no_constant)
        check_header(header)
        described = header["arrays"]
        names = [f"{index}.npy" for index in range(len(described))]
        if set(entries) != {HEADER, DIGEST, *names}:
            raise ValueError("its files are not those that the header lists")
        sizes = [_size_told(each) for each in described]
        for name, (prefix, size) in zip(names, sizes, strict=True):
            if entries[name].file_size != len(prefix) + size:
                raise ValueError(f"{name} does not have the size given in the header")
        if entries[DIGEST].file_size != 64:
            raise ValueError("the digest is not 64 bytes long")
        digest, arrays = hashlib.sha256(text), []
        for name, (prefix, _), each in zip(names, sizes, described, strict=True):
            stored = archive.read(name)
            digest.update(stored)
            if not stored.startswith(prefix):
                raise ValueError(f"{name} does not have the dtype and shape given in the header")
            array = np.frombuffer(stored, each["dtype"], offset=len(prefix)).copy()
            order = "F" if each.get("fortran_order") is True else "C"
            arrays.append(_checked_content(array.reshape(each["shape"], order=order), name))
        if archive.read(DIGEST) != digest.hexdigest().encode("ascii"):
            raise ValueError("its content has changed since it was written: the digest differs")
    return header, arrays


def _check_end(content):
    """Raise unless the file ends like a zip, with a directory that needs little memory to read."""
    n = len(content) - END.size
    end = END.unpack_from(content, n) if n >= 0 else (b"",)
    if end[0] != b"PK\x05\x06" or end[-1]:
        raise ValueError("it is not a zip file, or it is incomplete")
    is_zip64 = content[max(n - 20, 0) : n].startswith(b"PK\x06\x07")
    if end[5] > MAX_DIRECTORY or (is_zip64 and len(content) < zipfile.ZIP64_LIMIT):
        raise ValueError("its zip directory is too long")


def check_entries(archive, length):
    """Raise unless the entries of a zip are uncompressed, have unique names and fit into its length."""
    listed = archive.infolist()
    entries = {entry.filename: entry for entry in listed}
    if len(entries) != len(listed):
        raise ValueError("it holds several files of the same name")
    for name, entry in entries.items():
        stored = entry.compress_type == zipfile.ZIP_STORED and entry.flag_bits in PLAIN_FLAGS
        if not stored or entry.file_size != entry.compress_size:
            raise ValueError(f"{name!r} is compressed or encrypted")
    if sum(entry.file_size for entry in listed) > length:
        raise ValueError("its parts are larger than the file")


def _size_told(described):
    """Return the beginning of the ``.npy`` file and the number of bytes that follow."""
    dtype, shape = described["dtype"], described["shape"]
    if not DTYPE.fullmatch(dtype):
        raise ValueError(f"there is an array of dtype {dtype!r}")
    if type(shape) is not list or not all(type(each) is int and each >= 0 for each in shape):
        raise ValueError(f"there is an array of shape {shape!r}")
    prefix = npy_header(dtype, shape, described.get("fortran_order") is True)
    return prefix, np.dtype(dtype).itemsize * math.prod(shape)


def _checked_content(array, name):
    """Return the array, after checking that its bytes are valid values of its dtype."""
    if array.dtype.kind == "U" and array.size:
        points = array.ravel("K").view(array.dtype.byteorder + "u4")
        if points.max() > MAX_CODE_POINT:
            raise ValueError(f"{name} holds invalid text")
    if array.dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        raise ValueError(f"{name} holds booleans other than 0 and 1")
    return array


def _no_constant(name):
    raise ValueError(f"the header holds {name}, which is not JSON")
