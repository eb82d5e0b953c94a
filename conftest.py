# SPDX-License-Identifier: BSD-3-Clause
"""Lets pytest find the examples of public classes and functions in the files that they are written in."""

import doctest
import inspect
import re

_plain = doctest.DocTestFinder._from_module


def _from_module(self, module, thing):
    """Public names say the door that shows them as ``__module__``; their examples are the file's."""
    home = getattr(thing, "__module__", None) or ""
    top_level = getattr(thing, "__qualname__", "").isidentifier()
    if module is None or not home.startswith("sknumpynet") or not top_level:
        return _plain(self, module, thing)
    name = re.escape(thing.__name__)
    return re.search(rf"^(?:class|def) {name}\b", inspect.getsource(module), re.M) is not None


doctest.DocTestFinder._from_module = _from_module
