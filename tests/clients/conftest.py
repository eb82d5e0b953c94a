# SPDX-License-Identifier: BSD-3-Clause
"""Shared by the tests of other tools: the code of docs/other_tools.md, and the meaning of a skip.

Without the client a test is skipped, as everywhere. In the stage ``clients`` of .ci/run all clients of an
environment are there: a skip is a failure.
"""

import os
import re
import warnings
from pathlib import Path

import pytest
from sklearn.exceptions import ConvergenceWarning

PAGE = Path(__file__).parents[2] / "docs" / "other_tools.md"
MUST_RUN = os.environ.get("CLIENTS_MUST_RUN") == "1"


def blocks(section):
    """Return the code of the page's introduction, and that of a section."""
    introduction, *sections = PAGE.read_text(encoding="utf-8").split("\n## ")
    wanted = next(text for text in sections if text.partition("\n")[0] == section)
    return re.findall(r"^```python\n(.*?)^```", f"{introduction}\n{wanted}", re.M | re.S)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function that runs the code of a section of the page, in a fresh folder, and returns its names."""
    monkeypatch.chdir(tmp_path)

    def run(section):
        names = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for block in blocks(section):
                exec(compile(block, f"{PAGE.name}, {section}", "exec"), names)
        return names

    return run


def _failed_where_skipped(report):
    if MUST_RUN and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"skipped, where every client must be tried: {report.longrepr[2]}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return _failed_where_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return _failed_where_skipped((yield))
