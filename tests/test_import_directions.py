"""The floors of docs/architecture.md: a module imports only from floors below its own."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sknumpynet

PACKAGE = Path(sknumpynet.__file__).parent

# Every module and its floor. A new module goes on the lowest floor that is above all it imports.
FLOORS = {
    "core.options": 0,
    "core.activations": 1,
    "core.batches": 1,
    "core.history": 1,
    "core.initializers": 1,
    "core.losses": 1,
    "core.schedules": 1,
    "core.annealing": 2,
    "core.classification_losses": 2,
    "core.rectifiers": 2,
    "core.scaled_initializers": 2,
    "core.deviance_losses": 2,
    "core.activations_of_z": 3,
    "core.regression_losses": 3,
    "core.several_classes": 3,
    "core.layers": 4,
    "core.optimizers": 4,
    "core.adam": 5,
    "core.foreign": 5,
    "core.normalization": 5,
    "core.workspace": 5,
    "core.adaptive_optimizers": 6,
    "core.network": 6,
    "core.gradient_check": 7,
    "core.penalty": 7,
    "core.sign_optimizers": 7,
    "core.training": 8,
    "core.lbfgs": 8,
    "_compat": 0,
    "_derivation": 0,
    "_csv_numbers": 0,
    "_docs": 0,
    "_fingerprint": 0,
    "_progress": 0,
    "_versions": 0,
    "_weights": 0,
    "datasets": 0,
    "_checks": 1,
    "_guards": 1,
    "_hints": 1,
    "_record": 1,
    "_validation": 9,
    "_choices": 9,
    "_lbfgs_watch": 9,
    "_going_on": 10,
    "_fitted": 10,
    "_base": 11,
    "_classifier": 12,
    "_regressor": 12,
    "callbacks": 12,
    "inspection": 12,
    "displays._drawing": 12,
    "comparison": 13,
    "displays.activations": 13,
    "displays.loss_curve": 13,
    "displays.network": 13,
    "displays.weights": 13,
    "__main__": 14,
}
# The doors show what stands behind them, and import nothing else of ours.
DOORS = {"", "core", "displays"}
MAX_CORE_LINES = 300


def module_name(path):
    """The name of the module below sknumpynet: "core.layers", "core" for its door, "" for ours."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
CORE = sorted(name for name in PATHS if name.split(".")[0] == "core")


def imported_names(name, source):
    """Every ("module", "name") that the module imports, with "name" None for a plain import."""
    is_door = name in DOORS
    package = ["sknumpynet", *(part for part in name.split(".") if part)]
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                up = node.level - 1 if is_door else node.level
                base = package[: len(package) - up]
                module = ".".join([*base, module] if module else base)
            found += [(module, alias.name) for alias in node.names]
    return found


def our_modules(imports, modules):
    """Those of the imports that are modules of ours, by their names below sknumpynet."""
    found = set()
    for module, name in imports:
        if module.split(".")[0] != "sknumpynet":
            continue
        below = module.removeprefix("sknumpynet").removeprefix(".")
        as_module = f"{below}.{name}".removeprefix(".") if name else below
        found.add(as_module if as_module in modules else below)
    return found


def floor(name):
    """The floor of a module; a door stands on the floor of the highest module behind it."""
    if name in DOORS:
        prefix = f"{name}." if name else ""
        return max(
            number
            for module, number in FLOORS.items()
            if module.startswith(prefix) and module != "__main__"
        )
    if name not in FLOORS:
        pytest.fail(
            f"{name} has no floor. Choose one above all that it imports, write it into FLOORS in "
            "tests/test_import_directions.py and into docs/architecture.md."
        )
    return FLOORS[name]


def wrong_directions(name, imports, modules):
    """What a module must not import of ours, one sentence each."""
    problems = []
    for other in sorted(our_modules(imports, modules)):
        if name in DOORS:
            if name == "core" and other.split(".")[0] != "core":
                problems.append(f"the door of core imports {other or 'sknumpynet'}")
        elif floor(other) >= floor(name):
            problems.append(
                f"{name} (floor {floor(name)}) imports {other or 'sknumpynet'} "
                f"(floor {floor(other)}), which is not below it"
            )
    return problems


def private_sklearn(imports):
    """The private names of scikit-learn among the imports."""
    return sorted(
        f"{module}: {name}" if name else module
        for module, name in imports
        if module.split(".")[0] == "sklearn"
        and any(
            part.startswith("_") and not part.startswith("__")
            for part in [*module.split("."), name or ""]
        )
    )


def imports_of(name):
    return imported_names(name, PATHS[name].read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PATHS)
def test_module_imports_only_from_below(name):
    assert not wrong_directions(name, imports_of(name), PATHS)


@pytest.mark.parametrize("name", PATHS)
def test_every_module_has_a_floor(name):
    assert isinstance(floor(name), int)


@pytest.mark.parametrize("name", CORE)
def test_core_knows_numpy_and_scipy_only(name):
    allowed = {"numpy", "scipy", "sknumpynet", *sys.stdlib_module_names}
    others = {module.split(".")[0] for module, _ in imports_of(name)} - allowed
    assert not others, f"{name} imports {sorted(others)}"
    outside = [other for other in our_modules(imports_of(name), PATHS) if other not in CORE]
    assert not outside, f"{name} looks out of core: {outside}"


@pytest.mark.parametrize("name", CORE)
def test_core_files_are_short(name):
    lines = len(PATHS[name].read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_CORE_LINES, f"{name} has {lines} lines: split it"


@pytest.mark.parametrize("name", [name for name in PATHS if name != "_compat"])
def test_private_sklearn_names_live_in_compat(name):
    private = private_sklearn(imports_of(name))
    assert not private, f"move these into _compat.py: {private}"


@pytest.mark.parametrize("name", [name for name in PATHS if name != "_compat"])
def test_new_corners_of_sklearn_are_entered_in_compat_only(name):
    # absent from older versions
    modules = {module for module, _ in imports_of(name)}
    modules |= {f"{module}.{what}" for module, what in imports_of(name) if what}
    assert not {m for m in modules if m.split(".")[:2] == ["sklearn", "callback"]}


def test_import_brings_no_heavy_guests():
    script = (
        "import sys, sklearn.neural_network; before = set(sys.modules); import sknumpynet; "
        "print(*sorted({m.split('.')[0] for m in set(sys.modules) - before}))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    guests = {"matplotlib", "pandas", "polars", "pyarrow"} & set(run.stdout.split())
    assert not guests, f"import sknumpynet imports {sorted(guests)}"


# The rules themselves: each must be able to fail.

MODULES = {"", "core", "displays", *FLOORS}


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("core.layers", "from .network import Network"),
        ("core.layers", "from . import network"),
        ("core.layers", "from sknumpynet.core import optimizers"),
        ("core.layers", "import sknumpynet.core.optimizers"),
        ("core.layers", "def f():\n    from .optimizers import Adam"),
        ("core.layers", "from . import Network"),
        ("core.network", "from .normalization import BatchNorm; from .training import Training"),
        ("core.network", "from .sign_optimizers import Lion"),
        ("core.optimizers", "from .layers import Dense"),
        ("core.rectifiers", "from .activations_of_z import GELU"),
        ("core.training", "from .lbfgs import anything"),
        ("_choices", "from ._validation import Validation"),
        ("inspection", "from .callbacks import Checkpoint"),
        ("core.training", "from .._base import anything"),
        ("_classifier", "from ._regressor import NumpyMLPRegressor"),
        ("_base", "from . import NumpyMLPClassifier"),
        ("core", "from .._compat import anything"),
    ],
)
def test_wrong_directions_are_seen(name, source):
    assert wrong_directions(name, imported_names(name, source), MODULES)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("core.layers", "import numpy as np\nfrom .activations import ReLU"),
        ("core.network", "from . import layers, losses"),
        ("_base", "from . import _compat, core\nfrom .core.training import train"),
        ("comparison", "from ._classifier import NumpyMLPClassifier"),
        ("__main__", "from sknumpynet import compare_with_sklearn"),
        ("core", "from .network import Network"),
        ("", "from .comparison import compare_with_sklearn\nfrom ._base import anything"),
    ],
)
def test_right_directions_pass(name, source):
    assert not wrong_directions(name, imported_names(name, source), MODULES)


@pytest.mark.parametrize(
    ("source", "is_private"),
    [
        ("from sklearn.utils._param_validation import Interval", True),
        ("from sklearn.utils import _safe_indexing", True),
        ("import sklearn.neural_network._base", True),
        ("from sklearn import __version__", False),
        ("from sklearn.utils import check_array", False),
        ("from ._compat import anything", False),
    ],
)
def test_private_names_are_seen(source, is_private):
    assert bool(private_sklearn(imported_names("_base", source))) is is_private


def test_a_module_without_a_floor_is_told_what_to_do():
    with pytest.raises(pytest.fail.Exception, match="has no floor"):
        wrong_directions("newcomer", imported_names("newcomer", "from . import _base"), MODULES)
