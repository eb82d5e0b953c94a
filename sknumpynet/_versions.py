# SPDX-License-Identifier: BSD-3-Clause
"""Pickles contain the version that wrote them; loading one that this version cannot read raises an error.

Every pickle refers to this module and to `read_version`, so their names must not change.
"""

from __future__ import annotations

import sys

# Increase this number when older versions cannot read new pickles, or this version cannot read theirs.
PICKLE_FORMAT = 3
OLDEST_FORMAT = 2
KEY = "_sknumpynet_version"
# The key in the state of an estimator, in addition to its model.
FITTED = ("loss_function_", "out_activation_", "n_outputs_", "n_layers_")


def current_version():
    """Return the version of the loaded package."""
    return sys.modules["sknumpynet"].__version__


class Version(str):
    """The version that writes a pickle; it is the first item of the pickle, and checked first."""

    def __reduce__(self):
        return read_version, (str(self), PICKLE_FORMAT)


def read_version(written_by, pickle_format):
    """Return the version that wrote a pickle, or raise ValueError if the pickle cannot be read."""
    if not OLDEST_FORMAT <= pickle_format <= PICKLE_FORMAT:
        raise unreadable(written_by)
    return written_by


def unreadable(written_by):
    """Return the error for a pickle of another layout."""
    writer = f"sknumpynet {written_by}" if written_by else "an unknown version of sknumpynet"
    return ValueError(
        f"this pickle was written by {writer} and cannot be read by sknumpynet {current_version()}: load it "
        f"with the version that wrote it, or fit again"
    )


def check_state(state, written_by):
    """Raise ValueError if the state of an estimator has the layout of another version."""
    fitted = "_model" in state
    misplaced = any(name in state for name in ("coefs_", "intercepts_", "_network"))
    if misplaced or (fitted and not all(name in state for name in FITTED)):
        raise unreadable(written_by)
