"""What README and documentation say is so."""

import importlib.util
import re
import warnings
from pathlib import Path

import pytest
from sklearn.exceptions import ConvergenceWarning

import sknumpynet
from sknumpynet import core, datasets

ROOT = Path(__file__).parent.parent
HAS_CALLBACKS = importlib.util.find_spec("sklearn.callback") is not None
HOMES = (core, datasets, sknumpynet)
PUBLIC = sorted(
    {name for home in HOMES for name in home.__all__} - {"__version__", "core", "datasets"}
)


def test_every_public_name_has_a_place_in_the_api():
    lines = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").splitlines()
    listed = sorted(line.strip() for line in lines if re.fullmatch(r"   \w+", line))
    assert listed == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_a_docstring(name):
    home = next(home for home in HOMES if name in home.__all__)
    assert (getattr(home, name).__doc__ or "").strip()


PAGES = [
    "README.md",
    "docs/getting_started.md",
    "docs/user_guide.md",
    "docs/coming_from_scikit_learn.md",
]


@pytest.fixture
def run(monkeypatch, tmp_path):
    """A function that runs pieces of code, with the same names, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    # each network once is enough here
    monkeypatch.setitem(sknumpynet.compare_with_sklearn.__kwdefaults__, "repeats", 1)
    names = {}

    def run(page, code):
        if re.search("callback", code, flags=re.IGNORECASE) and not HAS_CALLBACKS:
            return
        if "plot()" in code:
            pytest.importorskip("matplotlib").use("Agg")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            exec(compile(code, page, "exec"), names)

    return run


def blocks(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_run(page, capsys, run):
    assert blocks(page)
    for block in blocks(page):
        run(page, block)
    assert capsys.readouterr().out


def test_the_lines_of_the_tables_run(run):
    page = "docs/coming_from_scikit_learn.md"
    for block in blocks(page):
        run(page, block)
    lines = re.findall(r"^\|.*\| `(.*)` \|$", (ROOT / page).read_text(encoding="utf-8"), flags=re.M)
    assert len(lines) > 40
    for line in lines:
        run(page, line)
