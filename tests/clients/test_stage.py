# SPDX-License-Identifier: BSD-3-Clause
"""Each tool of the page has its test, and the stage of .ci/run takes no skip for an answer."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ENVIRONMENTS = ("converters", "tools")


def test_each_section_of_the_page_has_a_test_and_a_line_in_the_table():
    page = (ROOT / "docs" / "other_tools.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (.+)$", page, re.M)
    tried = []
    for path in HERE.glob("*/test_*.py"):
        tried += re.findall(r'run\("(.+)"\)', path.read_text(encoding="utf-8"))
    assert sorted(set(tried)) == sorted(sections)
    listed = re.findall(r"^\| \[.+?\]\(#(.+?)\)", page, re.M)
    assert listed == [section.lower().replace(" ", "-") for section in sections]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_client_is_pinned(environment):
    path = ROOT / ".ci" / f"clients-{environment}.txt"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    assert all(re.fullmatch(r"[\w-]+==[\w.]+", line) for line in lines), lines
    pinned = {re.sub(r"\W", "_", line.partition("==")[0].lower()) for line in lines}
    named = {"hummingbird": "hummingbird_ml"}
    for test in (HERE / environment).glob("test_*.py"):
        client = test.stem.removeprefix("test_")
        assert named.get(client, client) in pinned


TESTS = '''
import pytest
{}


def test_it():
    {}
'''


@pytest.mark.parametrize(
    ("first", "second"),
    [("pytest.importorskip('no_such_client')", "pass"), ("", "pytest.skip('not here')")],
    ids=["of a file", "of a test"],
)
def test_a_skip_is_a_failure_in_the_stage(tmp_path, first, second):
    (tmp_path / "test_it.py").write_text(TESTS.format(first, second), encoding="utf-8")
    (tmp_path / "conftest.py").write_text(
        (HERE / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8"
    )
    status = {}
    for must_run in ("0", "1"):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
        environment = {**os.environ, "CLIENTS_MUST_RUN": must_run}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        status[must_run] = done.returncode, done.stdout
    assert status["0"][0] in (0, 5), status
    assert status["1"][0] in (1, 2), status
    assert "where every client must be tried" in status["1"][1]
