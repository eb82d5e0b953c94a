"""The levels of docs/architecture.md: a module imports only from lower levels."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sknumpynet

PACKAGE = Path(sknumpynet.__file__).parent

# Every folder with its level and its files, from the lowest to the highest: files in one string do not import
# each other. Add a new file to the lowest string that is above all files it imports.
FOLDERS = {
    "core": (0, ["arrays renamed wording", "options"]),
    "core.activations": (1, ["base", "basic bounded custom rectifiers smooth", "by_name"]),
    "core.losses": (1, ["base", "deviance log_loss regression", "focal multioutput", "by_name"]),
    "core.initializers": (1, ["base", "orthogonal scaled simple", "by_name"]),
    "core.schedules": (1, ["base", "cosine decay scikit_learn", "by_name", "warmup"]),
    "core.layers": (
        2,
        ["base", "activate dense dropout normalization numeric_embedding scale", "members"],
    ),
    "core.optimizers": (
        2,
        ["base", "adam rmsprop_adagrad rprop_lion sgd", "adam_variants", "by_name"],
    ),
    "core.network": (3, ["foreign rows workspace", "filling", "network", "data_driven members"]),
    "core.training": (4, ["batches collective history penalty", "epochs lbfgs", "side_by_side"]),
    "checks": (5, ["input_checks parameter_hints scoring"]),
    "fitting": (
        6,
        [
            "data fingerprint rollback threads verbose",
            "plan validation_set monitor",
            "continuing fit_network",
            "side_by_side",
        ],
    ),
    "estimators": (
        7,
        [
            "docstrings labels record summary weight_lists",
            "prediction",
            "scikit_learn",
            "base",
            "classifier regressor",
            "side_by_side",
        ],
    ),
    "tabular": (
        8,
        [
            "columns docstrings layers objectives scoring",
            "folds pack preprocessing targets",
            "recipe",
            "ensemble",
            "base",
            "classifier regressor",
        ],
    ),
    "callbacks": (8, ["checkpoint_file log_epochs validation_monitor", "checkpoint"]),
    "export": (
        9,
        ["graph values", "table_files table_graph", "files folder onnx skops", "command_line"],
    ),
    "dask": (
        9,
        [
            "blocks client comm partitions",
            "data description rank",
            "lbfgs validation",
            "minibatch",
            "estimators",
        ],
    ),
    "inspection": (8, ["derivation hidden_activations", "explain_step"]),
    "displays": (9, ["_drawing", "activations animation learning_rate loss_curve network weights"]),
    "comparison": (
        10,
        ["csv_numbers wording", "csv_table display", "result", "compare", "table_models"],
    ),
}
# Files that stand elsewhere than their folder, or in none.
LOOSE = {
    "_compat": 0,
    "_container": 0,
    "_versions": 0,
    "datasets": 0,
    "core.gradient_check": 4,
    "comparison.command_line": 11,
    "learn": 11,
    "__main__": 12,
}
LEVELS = {
    f"{folder}.{file}": number
    for folder, (number, rows) in FOLDERS.items()
    for row in rows
    for file in row.split()
}
LEVELS |= LOOSE
# The position of a file within its folder.
POSITIONS = {
    f"{folder}.{file}": i
    for folder, (_, rows) in FOLDERS.items()
    for i, row in enumerate(rows)
    for file in row.split()
}
# The __init__ files export the names of their folder, and import nothing else of this package.
PACKAGES = {"", *FOLDERS}
# These use the package as its users do, through its public names.
USERS = {"__main__", "comparison.command_line", "learn"}
MAX_CORE_LINES = 400  # 300 is the goal; families stay together


def module_name(path):
    """The name of the module below sknumpynet: "core.layers", "core" for its __init__, "" for the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
CORE = sorted(name for name in PATHS if name.split(".")[0] == "core")


def imported_names(name, source):
    """Every ("module", "name") that the module imports, with "name" None for a plain import."""
    is_package = name in PACKAGES
    package = ["sknumpynet", *(part for part in name.split(".") if part)]
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                up = node.level - 1 if is_package else node.level
                base = package[: len(package) - up]
                module = ".".join([*base, module] if module else base)
            found += [(module, alias.name) for alias in node.names]
    return found


def our_modules(imports, modules):
    """Return the imported modules of this package, by their names below sknumpynet."""
    found = set()
    for module, name in imports:
        if module.split(".")[0] != "sknumpynet":
            continue
        below = module.removeprefix("sknumpynet").removeprefix(".")
        as_module = f"{below}.{name}".removeprefix(".") if name else below
        found.add(as_module if as_module in modules else below)
    return found


def level(name):
    """The level of a module's folder; an __init__ has the level of the highest module in its folder."""
    if name in PACKAGES:
        prefix = f"{name}." if name else ""
        return max(
            number
            for module, number in LEVELS.items()
            if module.startswith(prefix) and module not in USERS
        )
    if name not in LEVELS:
        pytest.fail(
            f"{name} has no level. Choose a position above all modules that it imports, and add it to "
            "FOLDERS in tests/test_import_directions.py and to docs/architecture.md."
        )
    return LEVELS[name]


def folder(name):
    """The folder of a module; __init__ files, and files with their own level, count as folders."""
    return name if name in PACKAGES or name in LOOSE else name.rpartition(".")[0]


def wrong_directions(name, imports, modules):
    """The invalid imports of a module, one sentence each."""
    problems = []
    for other in sorted(our_modules(imports, modules)):
        if name in PACKAGES:
            if name and not f"{other}.".startswith(f"{name}."):
                problems.append(f"the __init__ of {name} imports {other or 'sknumpynet'}")
        elif folder(other) == folder(name):
            if other in PACKAGES or POSITIONS[other] >= POSITIONS[name]:
                problems.append(f"{name} imports {other}, which is not below it in {folder(name)}")
        elif level(other) >= level(name):
            problems.append(
                f"{name} (level {level(name)}) imports {other or 'sknumpynet'} "
                f"(level {level(other)}), which is not below it"
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
def test_every_module_has_a_level(name):
    assert isinstance(level(name), int)


@pytest.mark.parametrize("name", CORE)
def test_core_imports_only_numpy_and_scipy(name):
    allowed = {"numpy", "scipy", "sknumpynet", *sys.stdlib_module_names}
    others = {module.split(".")[0] for module, _ in imports_of(name)} - allowed
    assert not others, f"{name} imports {sorted(others)}"
    outside = [other for other in our_modules(imports_of(name), PATHS) if other not in CORE]
    assert not outside, f"{name} imports from outside of core: {outside}"


@pytest.mark.parametrize("name", CORE)
def test_core_files_are_short(name):
    lines = len(PATHS[name].read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_CORE_LINES, f"{name} has {lines} lines: split it"


@pytest.mark.parametrize("name", [name for name in PATHS if name != "_compat"])
def test_private_sklearn_names_live_in_compat(name):
    private = private_sklearn(imports_of(name))
    assert not private, f"move these into _compat.py: {private}"


@pytest.mark.parametrize("name", [name for name in PATHS if name != "_compat"])
def test_new_modules_of_sklearn_are_imported_in_compat_only(name):
    # absent from older versions
    modules = {module for module, _ in imports_of(name)}
    modules |= {f"{module}.{what}" for module, what in imports_of(name) if what}
    assert not {m for m in modules if m.split(".")[:2] == ["sklearn", "callback"]}


def test_the_architecture_page_shows_the_level_of_every_file():
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.split("```text\n")[1].split("```")[0].splitlines()[1:]
    shown, folders, numbers = {}, [], {}
    for line in table:
        indent = (len(line) - len(line.lstrip())) // 2 - 1
        name, *rest = line.split()
        folders[indent:] = [name.rstrip("/").removesuffix(".py")]
        path = ".".join(folders)
        own = int(rest[0]) if rest and rest[0].isdigit() else None
        numbers[path] = numbers.get(path.rpartition(".")[0]) if own is None else own
        if name.endswith(".py"):
            shown[path] = numbers[path]
    assert shown == LEVELS


def test_import_loads_no_optional_packages():
    script = (
        "import sys, sklearn.neural_network; before = set(sys.modules); import sknumpynet; "
        "print(*sorted({m.split('.')[0] for m in set(sys.modules) - before}))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {
        "dask",
        "distributed",
        "matplotlib",
        "pandas",
        "polars",
        "pyarrow",
        "onnx",
        "onnxruntime",
        "skl2onnx",
    }
    loaded &= set(run.stdout.split())
    assert not loaded, f"import sknumpynet imports {sorted(loaded)}"


# The rules themselves: each must be able to fail.

MODULES = {*PACKAGES, *LEVELS}


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("core.layers.dense", "from ..network.network import Network"),
        ("core.layers.dense", "from ..network import network"),
        ("core.layers.dense", "from sknumpynet.core.optimizers import adam"),
        ("core.layers.dense", "import sknumpynet.core.optimizers"),
        ("core.layers.dense", "import sknumpynet.core.optimizers.adam"),
        ("core.layers.dense", "def f():\n    from ..optimizers.adam import Adam"),
        ("core.layers.dense", "from .. import Network"),
        ("core.layers.dense", "from .dropout import Dropout"),
        ("core.layers.base", "from .dense import Dense"),
        ("core.layers.base", "from . import Dense"),
        (
            "core.network.network",
            "from ..layers.normalization import BatchNorm; from ..training.epochs import Training",
        ),
        ("core.network.workspace", "from .network import Network"),
        ("core.optimizers.base", "from ..layers.dense import Dense"),
        ("core.losses.base", "from ..activations.base import Activation"),
        ("core.activations.rectifiers", "from .smooth import GELU"),
        ("core.activations.basic", "from .by_name import get_activation"),
        ("core.training.epochs", "from .lbfgs import anything"),
        ("core.options", "from .gradient_check import check_gradients"),
        ("fitting.plan", "from .validation_set import Validation"),
        ("fitting.plan", "from ..estimators.base import anything"),
        ("inspection.explain_step", "from ..callbacks.checkpoint import Checkpoint"),
        ("core.training.epochs", "from ...estimators.base import anything"),
        ("estimators.classifier", "from .regressor import NumpyMLPRegressor"),
        ("estimators.base", "from .. import NumpyMLPClassifier"),
        ("comparison.compare", "from sknumpynet import NumpyMLPClassifier"),
        ("comparison.compare", "from .command_line import main"),
        ("core", "from .._compat import anything"),
        ("core.losses", "from ..activations.base import Activation"),
    ],
)
def test_wrong_directions_are_seen(name, source):
    assert wrong_directions(name, imported_names(name, source), MODULES)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("core.layers.dense", "import numpy as np\nfrom ..activations.basic import ReLU"),
        ("core.layers.dense", "from .base import Layer"),
        ("core.network.network", "from sknumpynet.core import layers, losses"),
        ("core.gradient_check", "from .network.network import Network"),
        (
            "estimators.base",
            "from .. import _compat, core\nfrom ..core.training.epochs import train",
        ),
        ("comparison.compare", "from ..estimators.classifier import NumpyMLPClassifier"),
        ("comparison.command_line", "from sknumpynet import __version__"),
        ("__main__", "from sknumpynet.comparison.command_line import main"),
        ("core", "from .network import Network"),
        ("core.losses", "from .base import Loss"),
        ("", "from .comparison import compare_with_sklearn\nfrom .estimators.base import anything"),
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
        ("from .._compat import anything", False),
    ],
)
def test_private_names_are_seen(source, is_private):
    assert bool(private_sklearn(imported_names("estimators.base", source))) is is_private


def test_the_error_for_a_module_without_a_level():
    with pytest.raises(pytest.fail.Exception, match="has no level"):
        wrong_directions(
            "newcomer", imported_names("newcomer", "from .estimators import base"), MODULES
        )
