"""The examples stand everywhere in the order of gallery.md, with words that a phone can show."""

from pathlib import Path

PAGE = (Path(__file__).parent / "gallery.md").read_text(encoding="utf-8")


def place(path):
    """Return where an example stands on the page, or the end."""
    found = PAGE.find(Path(path).name)
    return found if found >= 0 else len(PAGE)


def enlarge_words(gallery_conf, path):
    """Set the size of words in the pictures of an example: on a phone a figure is half as wide."""
    import matplotlib

    matplotlib.rcParams["font.size"] = 12
