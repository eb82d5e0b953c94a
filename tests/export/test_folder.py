# SPDX-License-Identifier: BSD-3-Clause
"""The folder that needs only NumPy: the estimator's predictions, without this package."""

import ast
import collections
import importlib.util
import itertools
import os
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from random_settings import draw_any, drawer, make_data
from scipy.sparse import csr_matrix, issparse
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknumpynet as sk
from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor, export
from sknumpynet.core.activations import ACTIVATIONS

OURS = {"classifier": NumpyMLPClassifier, "regressor": NumpyMLPRegressor}
TOLERANCE = {"float32": 1e-6, "float64": 1e-12}
rng = np.random.RandomState(0)
X = rng.normal(size=(60, 4))
NUMBERS = X[:, 0] - X[:, 1] ** 2
WORDS = np.array(["no", 'per"haps', "yes, \N{SNOWMAN}"])[np.arange(60) % 3]
LABELS = np.column_stack([X[:, 0] > 0, X[:, 1] > 0, X[:, 2] > 0]).astype(int)
KINDS = {
    "bool": ("classifier", WORDS == "no", {}),
    "one class": ("classifier", np.full(60, "a"), {}),
    "words": ("classifier", WORDS, {}),
    "objects": ("classifier", WORDS.astype(object), {}),
    "int8": ("classifier", (np.arange(60) % 3).astype(np.int8), {"loss": "focal"}),
    "indicator": ("classifier", LABELS, {}),
    "sparse indicator": ("classifier", csr_matrix(LABELS), {}),
    "columns": ("classifier", np.column_stack([np.arange(60) % 2, np.arange(60) % 3]), {}),
    "columns of words": ("classifier", np.column_stack([WORDS, WORDS[::-1]]).astype(object), {}),
    "numbers": ("regressor", NUMBERS, {}),
    "several": ("regressor", np.column_stack([NUMBERS, X[:, 2]]), {"loss": "huber"}),
    "poisson": ("regressor", np.floor(np.exp(X[:, 0])), {"loss": "poisson"}),
    "gamma": ("regressor", np.exp(X[:, :2]), {"loss": "gamma"}),
    "quantile": ("regressor", NUMBERS, {"loss": "quantile"}),
    "quantiles": ("regressor", NUMBERS, {"loss": sk.Quantile([0.1, 0.4, 0.9])}),
}


def fitted(kind, X=X, **params):
    which, y, own = KINDS[kind]
    params = {"hidden_layer_sizes": (5, 4), "max_iter": 3, "random_state": 0, **own, **params}
    return OURS[which](**params).fit(X, y)


def load_from(folder):
    """Import predict.py by its path, and call its load."""
    spec = importlib.util.spec_from_file_location("predict_of_test", Path(folder, "predict.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load()


def compare(model, other, X, tolerance):
    """Compare predictions; labels only where no rounding decides."""
    one, two = model.predict(X), other.predict(X)
    one = one.toarray() if issparse(one) else one
    assert (two.shape, two.dtype) == (one.shape, one.dtype)
    if not hasattr(model, "predict_proba"):
        scale = max(1, abs(one).max())
        assert_allclose(two / scale, one / scale, atol=tolerance)
        return
    p, q = model.predict_proba(X), other.predict_proba(X)
    assert isinstance(p, list) == isinstance(q, list)
    sure = np.full(len(one), True)
    for a, b in zip(p, q, strict=True) if isinstance(p, list) else [(p, q)]:
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        assert_allclose(b, a, atol=tolerance)
        if one.ndim == 2 and not isinstance(p, list):
            sure &= (abs(a - 0.5) > 10 * tolerance).all(axis=1)
        elif a.shape[1] > 1:
            ordered = np.sort(a, axis=1)
            sure &= ordered[:, -1] - ordered[:, -2] > 10 * tolerance
    assert_array_equal(two[sure], one[sure])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_output_activation_and_normalization(kind, dtype, tmp_path):
    data = X.astype(dtype)
    for activation, normalization in itertools.product(ACTIVATIONS, [None, "batch", "layer"]):
        params = {"activation": activation, "normalization": normalization, "dropout": 0.1}
        if activation == "step":
            which, y, own = KINDS[kind]
            model = OURS[which](random_state=0, **own, **params).initialize(data, y)
        else:
            model = fitted(kind, data, learning_rate_init=0.1, **params)
        export.to_folder(model, tmp_path)
        other = load_from(tmp_path)
        compare(model, other, data * 3, TOLERANCE[dtype])
        compare(model, other, data[:1], TOLERANCE[dtype])


def test_random_networks_are_exported_or_refused_by_name(tmp_path):
    counts = collections.Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(400):
            setting = draw_any(drawer("folder", 0, number))
            try:
                data, y, given = make_data(setting)
                model = OURS[setting["estimator"]](**setting["parameters"]).fit(data, y, **given)
            except (TypeError, ValueError, ZeroDivisionError):
                continue
            try:
                export.to_folder(model, tmp_path)
            except ValueError as error:
                assert str(error).startswith(("activation=", "loss=")), error
                counts["refused"] += 1
                continue
            other = load_from(tmp_path)
            dtype = model.coefs_[0].dtype.name
            new = (
                np.random.RandomState(number).normal(size=(20, model.n_features_in_)).astype(dtype)
            )
            predicted = model.predict(new)
            if hasattr(model, "classes_") or np.isfinite(predicted).all():
                compare(model, other, new, 10 * TOLERANCE[dtype])
                counts["exported"] += 1
    assert counts["exported"] > 100


@pytest.mark.parametrize("link", ["identity", "exp", "logistic", "softmax"])
@pytest.mark.parametrize("kind", ["bool", "words", "indicator", "columns", "numbers", "poisson"])
def test_a_link_that_was_set_after_the_fit(kind, link, tmp_path):
    model = fitted(kind)
    model.out_activation_ = link
    export.to_folder(model, tmp_path)
    compare(model, load_from(tmp_path), X, 1e-12)


# -------------------------------------------------------------------- the file


@pytest.mark.parametrize("kind", KINDS)
def test_the_code_is_short_and_imports_numpy_alone(kind, tmp_path):
    model = fitted(kind, normalization="batch", activation="mish")
    export.to_folder(model, tmp_path)
    code = (tmp_path / "predict.py").read_text(encoding="utf-8")
    assert len(code.splitlines()) <= 250
    imported = {
        alias.name for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import)
        for alias in node.names
    }  # fmt: skip
    assert imported == {"csv", "math", "numpy", "os", "sys"}
    assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(ast.parse(code)))
    n_bytes = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert n_bytes <= model._model.network.params.nbytes + 20_000
    assert {path.name for path in tmp_path.iterdir()} == {"predict.py", "model.npz"}


def test_only_what_the_network_needs_is_there(tmp_path):
    export.to_folder(fitted("numbers"), tmp_path)
    code = (tmp_path / "predict.py").read_text()
    for word in ("logistic", "softmax", "classes", "proba", "gain", "tanh"):
        assert word not in code


def test_a_network_of_many_layers_is_refused_and_nothing_is_written(tmp_path):
    model = NumpyMLPRegressor(hidden_layer_sizes=[2] * 40, max_iter=1).fit(X, NUMBERS)
    export.to_folder(model, tmp_path / "forty")
    compare(model, load_from(tmp_path / "forty"), X, 1e-12)
    model = NumpyMLPRegressor(hidden_layer_sizes=[2] * 130, max_iter=1).fit(X, NUMBERS)
    with pytest.raises(ValueError, match="so many layers"):
        export.to_folder(model, tmp_path / "many")
    assert not (tmp_path / "many").exists()


def alone(folder, *command):
    """Run Python where neither scikit-learn nor this package can be imported, in another folder."""
    block = (
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('sknumpynet', 'sklearn', 'scipy', 'joblib'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Block()); sys.path.insert(0, sys.argv.pop(1))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", block + command[0], str(folder), *command[1:]],
        capture_output=True,
        text=True,
        cwd=os.path.dirname(folder),
    )
    assert not run.returncode, run.stderr
    return run.stdout


def test_numpy_is_all_that_is_needed(tmp_path):
    model = fitted("words", normalization="layer")
    folder = tmp_path / "folder"
    export.to_folder(model, folder)
    out = alone(
        folder,
        "import predict; m = predict.load(); print(m.predict([[1, 2, 3, 4]]).tolist(), "
        "m.predict_proba([[1, 2, 3, 4]]).tolist())",
    )
    row = [[1, 2, 3, 4]]
    assert out.strip() == f"{model.predict(row).tolist()} {model.predict_proba(row).tolist()}"


@pytest.mark.parametrize("kind", ["words", "columns", "several", "indicator"])
def test_from_the_command_line(kind, tmp_path):
    import csv

    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b,", 'c"', "ä"])
    which, y, params = KINDS[kind]
    model = OURS[which](hidden_layer_sizes=(3,), max_iter=3, random_state=0, **params).fit(frame, y)
    folder = tmp_path / "folder"
    export.to_folder(model, folder)
    frame[["ä", "b,", "a", 'c"']].to_csv(tmp_path / "table.csv", index=False)

    def run(*arguments, **how):
        how = {"text": True, "capture_output": True, "encoding": "utf-8", **how}
        command = [sys.executable, "-X", "utf8", str(folder / "predict.py"), *arguments]
        return subprocess.run(command, check=False, **how)

    found = run(str(tmp_path / "table.csv"))
    rows = list(csv.reader(found.stdout.splitlines()))
    expected = model.predict(frame).reshape(60, -1)
    if which == "regressor":
        assert_allclose(np.array(rows, float), expected, rtol=1e-12)
    else:
        assert rows == [[str(each) for each in row] for row in expected.tolist()]
        found = run("--proba", str(tmp_path / "table.csv"))
        p = model.predict_proba(frame)
        rows = np.array(list(csv.reader(found.stdout.splitlines())), float)
        assert_allclose(rows, np.hstack(p) if isinstance(p, list) else p, atol=1e-12)
    text = "\n".join([",".join(map(repr, row)) for row in X.tolist()])  # numbers alone
    assert len(run("-", input=text).stdout.splitlines()) == 60
    (tmp_path / "latin.csv").write_bytes("größe\n1".encode("latin-1"))
    for arguments, text, message in (
        ([], "", "usage"),
        (["-"], "1,2,x,4", "row 1"),
        (["-"], "1,2,3,4,5", "row 1"),
        (["-"], "1,2,3,4\n\n1,2,,4", "row 2"),
        (["-"], "1,2", "row 1"),
        (["-"], "p,q\n1,2", "there is no column"),
        (["-"], "1,2,3,4\n1,2,nan,4", "X contains NaN"),
        (["no.csv"], "", "no.csv"),
        ([str(tmp_path / "latin.csv")], "", "decode"),
        (["-", "--what"], "", "usage"),
    ):
        failed = run(*arguments, input=text)
        assert failed.returncode and message in failed.stderr + failed.stdout
        assert "Traceback" not in failed.stderr


def test_bad_input_is_refused(tmp_path):
    export.to_folder(fitted("numbers"), tmp_path)
    other = load_from(tmp_path)
    for wrong in ([1, 2, 3, 4], [[1, 2, 3]], [[1, 2, 3, np.nan]], [[1, 2, np.inf, 4]], [["a"] * 4]):
        with pytest.raises(ValueError):
            other.predict(wrong)
    assert_allclose(other.predict(X * 1e200), fitted("numbers").predict(X * 1e200), rtol=1e-9)
    assert other.predict(np.empty((0, 4))).shape == (0,)


# -------------------------------------------------------------------- what is refused


class OwnActivation(sk.ReLU):
    pass


def test_what_is_refused_is_named(tmp_path):
    folder = tmp_path / "folder"
    for activation in ((np.sin, np.cos), OwnActivation()):
        with pytest.raises(ValueError, match="activation="):
            export.to_folder(fitted("numbers", activation=activation), folder)
    with pytest.raises(TypeError, match="to_folder needs"):
        export.to_folder(make_pipeline(StandardScaler(), NumpyMLPRegressor()), folder)
    with pytest.raises(NotFittedError):
        export.to_folder(NumpyMLPRegressor(), folder)
    assert not folder.exists()


# -------------------------------------------------------------------- python -m sknumpynet export


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "sknumpynet", "export", *map(str, arguments)],
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("save", [export.save, joblib.dump])
def test_the_subcommand(save, tmp_path):
    model = fitted("words")
    save(model, tmp_path / "model")
    done = command(tmp_path / "model", "--to", tmp_path / "folder")
    assert done.returncode == 0 and "predict.py" in done.stdout
    compare(model, load_from(tmp_path / "folder"), X, 1e-12)


def test_subcommand_reports_errors(tmp_path):
    joblib.dump(make_pipeline(StandardScaler(), NumpyMLPRegressor()), tmp_path / "pipeline")
    (tmp_path / "text").write_text("no network")
    (tmp_path / "zip").write_bytes(b"PK\x05\x06" + bytes(18))
    for name, message in (
        ("pipeline", "to_folder needs"),
        ("text", "was written neither by export.save nor by joblib"),
        ("zip", "cannot be loaded as a network"),
        ("nothing", "No such file"),
    ):
        failed = command(tmp_path / name, "--to", tmp_path / "folder")
        assert failed.returncode == 2 and message in failed.stderr
        assert failed.stderr.count("\n") == 1
    assert not (tmp_path / "folder").exists()
    assert command("--help").returncode == 0
