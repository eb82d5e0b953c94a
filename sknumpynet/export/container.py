# SPDX-License-Identifier: BSD-3-Clause
"""The file itself: a zip of ``.npy`` arrays, stored as they are, with a JSON header and a digest.

The header stands first and tells the dtype and shape of every array. Nothing is allocated for an array before
its size in the zip is the one that the header tells, and that fits into the file.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import secrets
import struct
import zipfile
from pathlib import Path

import numpy as np

HEADER, DIGEST = "header.json", "sha256"
# Of a header in bytes and of the number of arrays: so much JSON or so long a directory makes few objects.
MAX_HEADER, MAX_ARRAYS, MAX_DIRECTORY = 1 << 19, 10_000, 1 << 20
END = struct.Struct("<4s4H2LH")  # the end of the directory of a zip
DTYPE = re.compile(r"[<>|][biufUS][1-9][0-9]{0,9}")
# A zip says in one field each that an entry is encrypted, patched, or of a size that follows only later.
PLAIN_FLAGS = (0, 0x800)
MAX_CODE_POINT = 0x10FFFF


def write_file(path, header, arrays):
    """Write header and arrays, beside the file and then in its place, so that it is whole at any time."""
    described = [{"dtype": array.dtype.str, "shape": list(array.shape)} for array in arrays]
    text = json.dumps({**header, "arrays": described}, allow_nan=False).encode("ascii")
    if len(text) > MAX_HEADER or len(arrays) > MAX_ARRAYS:
        raise ValueError(
            f"the parameters and labels need a header of {len(text)} bytes and {len(arrays)} arrays, and a "
            f"file holds {MAX_HEADER} and {MAX_ARRAYS}: save with joblib"
        )
    path = Path(path)
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with open(beside, "xb") as file:
            _write_zip(file, text, arrays)
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _write_zip(file, text, arrays):
    digest = hashlib.sha256()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:

        def add(name, *parts):
            entry = zipfile.ZipInfo(name)  # of 1980: equal models give equal files
            entry.file_size = sum(map(len, parts))
            with archive.open(entry, "w") as member:
                for part in parts:
                    digest.update(part)
                    member.write(part)

        add(HEADER, text)
        for index, array in enumerate(arrays):
            content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
            add(f"{index}.npy", npy_header(array.dtype.str, array.shape), memoryview(content))
        add(DIGEST, digest.hexdigest().encode("ascii"))


def npy_header(dtype, shape):
    """Return what stands before the numbers in a ``.npy`` file, format 1.0."""
    sizes = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({sizes}), }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("ascii")


def read_file(path, check_header):
    """Return header and arrays, after ``check_header(header)``; raise ValueError that names the file."""
    with open(path, "rb") as file:
        content = file.read()
    try:
        return _read_zip(content, check_header)
    except MemoryError:
        raise
    except Exception as error:  # of whatever kind the parsers raise: nothing was done yet
        raise unreadable(path, error) from error


def unreadable(path, error):
    """Return the error for a file that will not do."""
    reason = str(error) or type(error).__name__
    return ValueError(f"{os.fspath(path)!r} cannot be loaded as a network: {reason}")


def _read_zip(content, check_header):
    _check_end(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        _check_entries(entries, archive.infolist(), len(content))
        if HEADER not in entries or entries[HEADER].file_size > MAX_HEADER:
            raise ValueError(f"there is no {HEADER}, or it is too long")
        text = archive.read(HEADER)
        header = json.loads(text, parse_constant=_no_constant)
        check_header(header)
        described = header["arrays"]
        names = [f"{index}.npy" for index in range(len(described))]
        if set(entries) != {HEADER, DIGEST, *names}:
            raise ValueError("it holds other files than the header tells")
        sizes = [_size_told(each) for each in described]
        for name, (prefix, size) in zip(names, sizes, strict=True):
            if entries[name].file_size != len(prefix) + size:
                raise ValueError(f"{name} is not of the size that the header tells")
        if entries[DIGEST].file_size != 64:
            raise ValueError("the digest is not 64 bytes long")
        digest, arrays = hashlib.sha256(text), []
        for name, (prefix, _), each in zip(names, sizes, described, strict=True):
            stored = archive.read(name)
            digest.update(stored)
            if not stored.startswith(prefix):
                raise ValueError(f"{name} is not of the dtype and shape that the header tells")
            array = np.frombuffer(stored, each["dtype"], offset=len(prefix)).copy()
            arrays.append(_checked_content(array.reshape(each["shape"]), name))
        if archive.read(DIGEST) != digest.hexdigest().encode("ascii"):
            raise ValueError("its content is not what was written: the digest differs")
    return header, arrays


def _check_end(content):
    """Raise unless the file ends as a zip does, with a directory that takes little memory to read."""
    n = len(content) - END.size
    end = END.unpack_from(content, n) if n >= 0 else (b"",)
    if end[0] != b"PK\x05\x06" or end[-1]:
        raise ValueError("it is no zip file, or a part of one")
    is_zip64 = content[max(n - 20, 0) : n].startswith(b"PK\x06\x07")
    if end[5] > MAX_DIRECTORY or (is_zip64 and len(content) < zipfile.ZIP64_LIMIT):
        raise ValueError("its directory is too long")


def _check_entries(entries, listed, length):
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
    return npy_header(dtype, shape), np.dtype(dtype).itemsize * math.prod(shape)


def _checked_content(array, name):
    """Return the array, whose bytes are to be values of its dtype."""
    if array.dtype.kind == "U" and array.size:
        points = array.reshape(-1).view(array.dtype.byteorder + "u4")
        if points.max() > MAX_CODE_POINT:
            raise ValueError(f"{name} holds text that is none")
    if array.dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        raise ValueError(f"{name} holds truth values other than 0 and 1")
    return array


def _no_constant(name):
    raise ValueError(f"the header holds {name}, which is not JSON")
