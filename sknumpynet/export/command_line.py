# SPDX-License-Identifier: BSD-3-Clause
"""``python -m sknumpynet export MODEL --to FOLDER``: export a saved network to a folder of NumPy code."""

from __future__ import annotations

import argparse
import sys
import zipfile
from pathlib import Path

import joblib

from sknumpynet.export.files import load
from sknumpynet.export.folder import ARRAYS, CODE, to_folder

DESCRIPTION = f"""\
Write a fitted network, and code that predicts with it, to a folder: {CODE} and {ARRAYS}.
They only need NumPy.
"""
EPILOG = """\
A joblib file is a pickle, which can run any code when it is loaded: only use files that you trust.
"""


def main(argv=None):
    """Export a network; return the exit status: 0, or 2 if the input is invalid.

    Parameters
    ----------
    argv : list of str, default=None
        The arguments after ``export``; None uses those of the command line.
    """
    parser = argparse.ArgumentParser(
        prog="python -m sknumpynet export",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "model", metavar="MODEL", help="a file written by export.save or joblib.dump"
    )
    parser.add_argument("--to", metavar="FOLDER", required=True, help="the folder to write into")
    options = parser.parse_args(sys.argv[2:] if argv is None else argv)
    try:
        to_folder(_read(options.model), options.to)
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        print(f"sknumpynet: error: {reason}", file=sys.stderr)
        return 2
    print(f"{Path(options.to, CODE)} and {Path(options.to, ARRAYS)}")
    return 0


def _read(path):
    with open(path, "rb") as file:
        begin = file.read(2)
    if begin == b"PK" or zipfile.is_zipfile(path):
        return load(path)
    try:
        return joblib.load(path)
    except Exception as error:  # any error: it is not a pickle
        raise ValueError(
            f"{path!r} was written neither by export.save nor by joblib: {error}"
        ) from error
