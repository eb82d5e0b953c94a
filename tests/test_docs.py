"""What README and documentation say is so."""

import re
from pathlib import Path

import pytest

import sknumpynet
from sknumpynet import core

ROOT = Path(__file__).parent.parent
PUBLIC = sorted({*sknumpynet.__all__, *core.__all__} - {"__version__", "core"})


def test_every_public_name_has_a_place_in_the_api():
    lines = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").splitlines()
    listed = sorted(line.strip() for line in lines if re.fullmatch(r"   \w+", line))
    assert listed == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_a_docstring(name):
    home = core if name in core.__all__ else sknumpynet
    assert (getattr(home, name).__doc__ or "").strip()


@pytest.mark.parametrize("page", ["README.md", "docs/getting_started.md"])
def test_the_examples_run(page, capsys, monkeypatch):
    # each network once is enough here
    monkeypatch.setitem(sknumpynet.compare_with_sklearn.__kwdefaults__, "repeats", 1)
    text = (ROOT / page).read_text(encoding="utf-8")
    if "plot()" in text:
        pytest.importorskip("matplotlib").use("Agg")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert blocks
    names = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)
    assert capsys.readouterr().out
