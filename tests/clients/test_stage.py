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


SKIPS = {
    "test_file.py": "import pytest; pytest.importorskip('no_such_client')\ndef test_it(): pass\n",
    "test_one.py": "import pytest\ndef test_it(): pytest.skip('not here')\n",
    "conftest.py": (HERE / "conftest.py").read_text(encoding="utf-8"),
}


@pytest.mark.parametrize("must_run", [False, True])
def test_a_skip_is_a_failure_in_the_stage(tmp_path, must_run):
    for name, content in SKIPS.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    flags = ["-q", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
    environment = {**os.environ, "CLIENTS_MUST_RUN": str(int(must_run)), "PYTEST_ADDOPTS": ""}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *flags, str(tmp_path)],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert ("where every client must be tried" in done.stdout) is must_run
    assert ("1 failed, 1 error" if must_run else "2 skipped") in done.stdout
    assert done.returncode == int(must_run)
