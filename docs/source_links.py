"""Where a documented name is written: public classes say the door that shows them, not their file."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def linkcode_resolve(domain, info):
    """Return the address on GitHub of the file that has the name, or None."""
    if domain != "py" or not info["module"]:
        return None
    name = info["fullname"].split(".")[0]
    home = ROOT / info["module"].replace(".", "/")
    for path in [home.with_suffix(".py"), *sorted(home.rglob("*.py"))]:
        if path.exists() and re.search(rf"(?m)^(class|def) {name}\b", path.read_text("utf-8")):
            where = path.relative_to(ROOT).as_posix()
            return f"https://github.com/sknumpynet/sknumpynet/blob/main/{where}"
    return None
