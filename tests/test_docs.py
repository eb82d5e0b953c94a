"""The code, links and claims in the README and the documentation work."""

import ast
import doctest
import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from sklearn.exceptions import ConvergenceWarning

import sknumpynet
from sknumpynet import core, datasets, export

ROOT = Path(__file__).parent.parent
HAS_CALLBACKS = importlib.util.find_spec("sklearn.callback") is not None
HAS_DASK = importlib.util.find_spec("distributed") is not None
HOMES = (core, datasets, export, sknumpynet)
if HAS_DASK:
    HOMES += (importlib.import_module("sknumpynet.dask"),)
PUBLIC = sorted(
    {name for home in HOMES for name in home.__all__}
    - {"__version__", "core", "datasets", "export"}
)


def test_every_public_name_has_a_place_in_the_api():
    lines = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").splitlines()
    listed = {line.strip() for line in lines if re.fullmatch(r"   \w+", line)}
    if not HAS_DASK:
        listed = {name for name in listed if not name.startswith("Dask")}
    assert sorted(listed) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_a_docstring(name):
    home = next(home for home in HOMES if name in home.__all__)
    assert (getattr(home, name).__doc__ or "").strip()


DOCS = ROOT / "docs"
# Common questions, each with a text that the section it links to must contain.
QUESTIONS = {
    "How do I install it and fit a first network?": 'pip install ".[plot]"',
    "Will my results change?": "| | scikit-learn | sknumpynet | Why |",
    "Must I scale the inputs?": "StandardScaler()",
    "How do I search for good parameters?": "search = GridSearchCV(",
    "My table has text and missing values: what now?": "TabularMLPRegressor(random_state=0).fit(X, price)",
    "Which model is best for my table?": "--csv houses.csv --target price",
    "How do I estimate the score on new rows without a hold-out set?": "oof_score_",
    "My classes are imbalanced: what now?": 'class_weight="balanced"',
    "My network overfits: what helps?": "dropout=",
    "How do I stop on my own validation data?": "X_val=X_test, y_val=y_test",
    "Can I predict an interval instead of a number?": "Quantile([0.1, 0.5, 0.9])",
    "How do I see how training went?": "history_",
    "Training takes too long: what helps?": 'learning_rate="one_cycle"',
    "My data do not fit into memory: what now?": 'mmap_mode="r"',
    "How do I train on several machines?": "LocalCluster(",
    "How do I save a network and load it?": "joblib.load(path)",
    "Does it work with ONNX, MLflow or dask?": "export.to_onnx(",
    "My network does not learn, or warns: what now?": "ConvergenceWarning",
    "Can I write a custom loss or layer?": "class NeighbourProducts(Layer)",
    "Which parameters are there, and what are their defaults?": "NumpyMLPClassifier",
    "How does a network work?": "formula",
}


def section(page, anchor):
    """The text of a page below the heading that an anchor belongs to; of the whole page without one."""
    text = (DOCS / page).read_text(encoding="utf-8")
    if not anchor:
        return text
    headings = list(re.finditer(r"^(#+) (.+)$", re.sub(r"(?ms)^```.*?^```", blank, text), re.M))
    for place, heading in enumerate(headings):
        slug = re.sub(r"[^\w\- ]", "", heading[2].lower()).replace(" ", "-")
        if slug == anchor:
            rest = (one for one in headings[place + 1 :] if len(one[1]) <= len(heading[1]))
            return text[heading.start() : next((one.start() for one in rest), len(text))]
    raise AssertionError(f"{page} has no heading #{anchor}")


def blank(match):
    """Code, in which # begins a comment, as blank space of the same length."""
    return re.sub(r"[^\n]", " ", match[0])


def source_link(module, name):
    spec = importlib.util.spec_from_file_location("source_links", DOCS / "source_links.py")
    source_links = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(source_links)
    return source_links.linkcode_resolve("py", {"module": module, "fullname": name})


@pytest.mark.parametrize("home", HOMES, ids=lambda home: home.__name__)
def test_source_links_lead_to_the_file(home):
    for name in {*home.__all__} - {"__version__", "datasets", "export"}:
        link = source_link(home.__name__, name)
        path = ROOT / link.removeprefix("https://github.com/sknumpynet/sknumpynet/blob/main/")
        thing = getattr(home, name)
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        assert vars(module)[name] is thing
        assert re.search(rf"(?m)^(class|def) {name}\b", path.read_text(encoding="utf-8"))
    assert source_link("sknumpynet.core", "Adam.update").endswith("/core/optimizers/adam.py")
    assert source_link("sknumpynet.core", "Nothing") is None


def test_what_the_api_page_says_about_sources_works():
    update = core.Adam.update
    assert core.Adam.__module__ == "sknumpynet.core"
    assert inspect.getsource(update).lstrip().startswith("def update")
    assert Path(inspect.getsourcefile(update)).name == "adam.py"


def test_all_examples_in_docstrings_are_run():
    """Also those of classes whose ``__module__`` is not the module that they are written in."""
    package = Path(sknumpynet.__file__).parent
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes = [node for node in ast.walk(tree) if isinstance(node, kinds)]
        written = sum(">>> " in (ast.get_docstring(node) or "") for node in nodes)
        parts = path.relative_to(package.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if parts[-1] != "__main__" and (HAS_DASK or "dask" not in parts):
            found = doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name))
            assert sum(bool(test.examples) for test in found) == written, name


def test_the_start_page_answers_everyday_questions():
    rows = re.findall(r"^\| (.+\?) \| \[.+\]\((.+?)(?:#(.+))?\) \|$", section("index.md", ""), re.M)
    assert [question for question, _, _ in rows] == list(QUESTIONS)
    for question, page, anchor in rows:
        assert QUESTIONS[question] in section(page, anchor), question


MARKDOWN = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
MARKDOWN = [page for page in MARKDOWN if not page.startswith("_build")]


@pytest.mark.parametrize("page", MARKDOWN)
def test_links_lead_somewhere(page):
    for target, anchor in re.findall(
        r"\]\(([\w./]*\.(?:md|rst))?(?:#([\w-]+))?\)", section(page, "")
    ):
        path = ((DOCS / page).parent / target).resolve() if target else DOCS / page
        if path.parent.name == "auto_examples":
            assert (ROOT / "examples" / f"{path.stem}.py").exists() or path.stem == "index", target
        elif path.parent.name == "generated":
            assert path.stem.rpartition(".")[2] in PUBLIC, target
        else:
            section(path.relative_to(DOCS.resolve()).as_posix(), anchor)


@pytest.mark.parametrize("page", MARKDOWN)
def test_code_that_a_page_shows_is_there(page):
    """A literalinclude otherwise fails only when the documentation is built."""
    for path, options in re.findall(
        r"```\{literalinclude\} (\S+)\n((?::.+\n)*)", section(page, "")
    ):
        shown = ((DOCS / page).parent / path).read_text(encoding="utf-8")
        asked = dict(re.findall(r"^:([a-z-]+): (.+)$", options, re.M))
        if "pyobject" in asked:
            *_, name = places = asked["pyobject"].split(".")
            for place in places:
                found = re.search(rf"^( *)(?:class|def) {place}\b", shown, re.M)
                assert found, f"{path} has no {name}"
                shown = shown[found.start() :]
                rest = re.search(rf"\n {{0,{len(found[1])}}}[^\s)]", shown)
                shown = shown[: rest.start()] if rest else shown
        assert asked.get("start-at", "").strip('"') in shown, asked["start-at"]


def test_every_page_of_the_core_is_in_reading_order():
    """docs/from_scratch covers all files of the core, in the order given by core/__init__.py."""
    order = re.search(
        r"read in this order: (.+?); then\s+the variants: (.+?)\.\n", core.__doc__, re.S
    )
    files, variants = (re.findall(r"``([\w.]+)``", group) for group in order.groups())
    own = {
        path.stem for path in (DOCS / "from_scratch").glob("*.md")
    }  # else the page of the folder
    order = list(
        dict.fromkeys(name.split(".")[name.split(".")[-1] in own and -1] for name in files)
    )
    pages = [page for page in section("from_scratch/index.md", "").split("\n") if page in order]
    assert pages == order
    others = ["normalization", "numeric_embedding", "scale", "data_driven"]
    text = "".join(section(f"from_scratch/{page}.md", "") for page in [*order, *others])
    for name in [*files, *variants]:
        assert f"`core/{name.replace('.', '/')}.py`" in text, name
    folder = Path(core.__file__).parent
    there = {
        ".".join(path.relative_to(folder).with_suffix("").parts) for path in folder.rglob("*.py")
    }
    told = {name for name in there if name.split(".")[-1] not in ("__init__", "by_name")}
    for_all = {"options", "arrays", "renamed", "wording", "network.foreign", "network.rows"}
    assert told - for_all == {
        *files,
        *variants,
    }


def test_every_example_has_a_place_in_the_gallery():
    examples = sorted(path.name for path in (ROOT / "examples").glob("plot_*.py"))
    listed = re.findall(r"^   \.\./examples/(\w+\.py)$", section("gallery.md", ""), re.M)
    assert sorted(listed) == examples


@pytest.mark.parametrize("page", MARKDOWN)
def test_every_box_ends_on_its_page(page):
    lines = section(page, "").splitlines()
    opened = [line for line in lines if re.match(r":{3,}\{", line)]
    assert len([line for line in lines if re.fullmatch(r":{3,}", line)]) == len(opened)


def test_no_text_of_an_example_begins_behind_its_marker():
    for path in sorted((ROOT / "examples").glob("plot_*.py")):
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r"^# ?%%.*\S.*$", text, re.M), path.name  # the gallery would omit it


PAGES = [
    "README.md",
    "docs/index.md",
    "docs/getting_started.md",
    "docs/user_guide.md",
    "docs/faq.md",
    "docs/guide/activations.md",
    "docs/guide/callbacks.md",
    "docs/guide/custom.md",
    "docs/guide/imbalanced.md",
    "docs/guide/large_data.md",
    "docs/guide/looking_inside.md",
    "docs/guide/losses.md",
    "docs/guide/overfitting.md",
    "docs/guide/preparing_data.md",
    "docs/guide/saving.md",
    "docs/guide/searching.md",
    "docs/guide/solvers.md",
    "docs/tabular.md",
    "docs/messy_table.md",
    "docs/coming_from_scikit_learn.md",
    "docs/coming_from_skorch.md",
    "docs/coming_from_keras.md",
    "docs/deploying.md",
    "docs/train_faster.md",
    "docs/several_machines.md",
    "docs/from_scratch/training.md",
    "docs/from_scratch/gradient_check.md",
    "docs/from_scratch/numeric_embedding.md",
    "docs/from_scratch/data_driven.md",
    "docs/from_scratch/side_by_side.md",
    "docs/from_scratch/glossary.md",
]


@pytest.fixture
def run(monkeypatch, tmp_path):
    """A function that runs blocks of code in one namespace, in a temporary folder."""
    monkeypatch.chdir(tmp_path)
    # each network once is enough here
    monkeypatch.setitem(sknumpynet.compare_with_sklearn.__kwdefaults__, "repeats", 1)
    names = {}

    def run(page, code):
        if re.search("callback", code, flags=re.IGNORECASE) and not HAS_CALLBACKS:
            return False
        if "pandas" in code:
            pytest.importorskip("pandas")
        if "dask" in code:
            pytest.importorskip("distributed")
        if re.search(r"plot\(\)|Display", code):
            pytest.importorskip("matplotlib").use("Agg")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            exec(compile(code, page, "exec"), names)
        return True

    return run


def blocks(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def outputs(page):
    """For each block of code, the stored output below it, or None."""
    text = (ROOT / page).read_text(encoding="utf-8")
    pattern = r"^```python\n.*?^```\n(?:\n```text\n(.*?)^```)?"
    return [match[1] for match in re.finditer(pattern, text, flags=re.MULTILINE | re.DOTALL)]


# Members in float32: their scores differ a little from processor to processor.
ROUGHLY = {"docs/messy_table.md": 0.05, "docs/guide/saving.md": 0.1, "docs/tabular.md": 0.1}
NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:e[-+]\d+)?")


def check_output(out, expected, tolerance):
    """Compare what was printed with what is stored: words exactly, numbers within the tolerance."""
    if not tolerance:
        assert out == expected
        return
    assert NUMBER.sub("#", out).split() == NUMBER.sub("#", expected).split()
    numbers, stored = ([float(n) for n in NUMBER.findall(text)] for text in (out, expected))
    assert numbers == pytest.approx(stored, rel=tolerance, abs=tolerance)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_run(page, capsys, run):
    assert blocks(page)
    printed = ""
    for block, expected in zip(blocks(page), outputs(page), strict=True):
        if not run(page, block):
            continue
        out = capsys.readouterr().out
        printed += out
        if expected is not None and "time" not in expected:  # times differ from run to run
            check_output(out, expected, ROUGHLY.get(page))
    assert printed or not HAS_CALLBACKS  # a page of callbacks alone prints nothing without them


def test_the_lines_of_the_tables_run(run):
    page = "docs/coming_from_scikit_learn.md"
    for block in blocks(page):
        run(page, block)
    lines = re.findall(r"^\|.*\| `(.*)` \|$", (ROOT / page).read_text(encoding="utf-8"), flags=re.M)
    assert len(lines) > 40
    for line in lines:
        run(page, line)


def test_the_stored_benchmarks_hold_no_targets_and_their_summary_is_theirs(tmp_path):
    stored = DOCS / "benchmarks"
    for path in stored.glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\((target|at most) ", text), f"{path.name}: run it without --targets"
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    script = ROOT / "examples" / "benchmarks" / "summary.py"
    subprocess.run([sys.executable, script, tmp_path], check=True)
    for path in tmp_path.glob("summary_*.txt"):
        new = path.read_text(encoding="utf-8")
        assert new == (stored / path.name).read_text(encoding="utf-8"), f"run {script.name}"


@pytest.mark.parametrize("name", ["ONNX", "dask", "MLflow"])
def test_what_people_search_for_finds_a_page(name):
    assert any(name in section(page, "") for page in MARKDOWN)


def test_the_pictures_of_the_readme_are_shown_elsewhere_too():
    """PyPI shows the README without the other files."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^\]]*\]\((https://github[^)]+docs/[^)]+)\)", text)
    home = "https://github.com/sknumpynet/sknumpynet/raw/main/"
    assert pictures and all(picture.startswith(home) for picture in pictures)
    for picture in pictures:
        assert (ROOT / picture.removeprefix(home)).is_file(), picture


def test_the_animation_of_the_readme_ends_by_itself():
    """Nothing beside it can pause it, so it must not move for more than five seconds."""
    Image = pytest.importorskip("PIL.Image")
    with Image.open(DOCS / "_static" / "xor.gif") as gif:
        assert "loop" not in gif.info
        moves = []
        for i in range(gif.n_frames - 1):  # the last frame stays
            gif.seek(i)
            moves.append(gif.info["duration"])
    assert 1000 < sum(moves) <= 5000


def test_the_sdist_holds_what_the_tests_read():
    egg_info = pytest.importorskip("setuptools.command.egg_info")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        listed = egg_info.FileList()
        listed.findall()
        for line in (ROOT / "MANIFEST.in").read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                listed.process_template_line(line)
        needed = [*Path("tests").rglob("*.py"), *Path("examples").rglob("*.py")]
        needed += [Path("docs") / page for page in MARKDOWN]
        needed += map(Path, ["CHANGELOG.md", "CONTRIBUTING.md", "docs/_static/xor.gif"])
        made = {"auto_examples", "generated"}
        assert not {str(path) for path in needed if not made & {*path.parts}} - {*listed.files}
