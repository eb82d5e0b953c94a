"""The examples stand everywhere in the order of gallery.md."""

from pathlib import Path

PAGE = (Path(__file__).parent / "gallery.md").read_text(encoding="utf-8")


def place(path):
    """Return where an example stands on the page, or the end."""
    found = PAGE.find(Path(path).name)
    return found if found >= 0 else len(PAGE)
