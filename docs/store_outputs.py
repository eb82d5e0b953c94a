# SPDX-License-Identifier: BSD-3-Clause
"""Runs the blocks of code of pages, and stores what each prints in the block of text beneath it.

    python docs/store_outputs.py docs/guide/*.md

``tests/test_docs.py`` compares what is stored with what is printed. Warnings stay on the terminal.
"""

import contextlib
import io
import os
import re
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n.*?^```\n)?", re.MULTILINE | re.DOTALL)


def with_outputs(text, page):
    """Return the text of a page with the outputs of its blocks."""
    names = {}

    def run(match):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(match[1], page, "exec"), names)
        output = printed.getvalue()
        return f"```python\n{match[1]}```\n" + (f"\n```text\n{output}```\n" if output else "")

    return BLOCK.sub(run, text)


def main():
    """Rewrite the pages that are named."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    for path in map(Path, sys.argv[1:]):
        page, home = path.resolve(), Path.cwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            new = with_outputs(page.read_text(encoding="utf-8"), str(path))
            os.chdir(home)
        page.write_text(new, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
