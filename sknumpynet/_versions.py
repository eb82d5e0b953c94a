# SPDX-License-Identifier: BSD-3-Clause
"""Pickles say which version wrote them, and are refused where this one cannot read them.

The name of this module and of `read_version` stand in every pickle.
"""

from __future__ import annotations

import sys

# To be raised whenever older versions cannot read what is written, or this one not what they wrote.
PICKLE_FORMAT = 3
OLDEST_FORMAT = 2
KEY = "_sknumpynet_version"
# What stands in the state of an estimator beside its model.
FITTED = ("loss_function_", "out_activation_", "n_outputs_", "n_layers_")


def current_version():
    """Return the version of the package that is loaded."""
    return sys.modules["sknumpynet"].__version__


class Version(str):
    """The version that writes; in a pickle it comes before all else and is looked at first."""

    def __reduce__(self):
        return read_version, (str(self), PICKLE_FORMAT)


def read_version(written_by, pickle_format):
    """Return the version that wrote a pickle, or raise ValueError where it cannot be read."""
    if not OLDEST_FORMAT <= pickle_format <= PICKLE_FORMAT:
        raise unreadable(written_by)
    return written_by


def unreadable(written_by):
    """Return the error for a pickle of another layout."""
    writer = (
        f"sknumpynet {written_by}" if written_by else "a sknumpynet that did not say its version"
    )
    return ValueError(
        f"this pickle was written by {writer} and cannot be read by sknumpynet {current_version()}: load it "
        f"with the version that wrote it, or fit again"
    )


def check_state(state, written_by):
    """Raise ValueError where the state of an estimator has a layout that is not this version's."""
    fitted = "_model" in state
    misplaced = any(name in state for name in ("coefs_", "intercepts_", "_network"))
    if misplaced or (fitted and not all(name in state for name in FITTED)):
        raise unreadable(written_by)
