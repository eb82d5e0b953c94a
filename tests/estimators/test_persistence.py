# SPDX-License-Identifier: BSD-3-Clause
"""A saved and loaded estimator predicts the same, and continues training identically."""

import copy
import io
import json
import pickle
import re
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from fitted_state import fitted_state
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

import sknumpynet
from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

rng = np.random.RandomState(0)
X = rng.normal(size=(60, 4))
NUMBERS = X[:, 0] - 2 * X[:, 1]
CLASSES = np.array(["a", "b", "c"])[np.arange(60) % 3]
CONSTRUCTORS = {"regressor": NumpyMLPRegressor, "classifier": NumpyMLPClassifier}


def by_pickle(model, path):
    return pickle.loads(pickle.dumps(model))


def by_oldest_pickle(model, path):
    return pickle.loads(pickle.dumps(model, protocol=2))


def by_joblib(model, path):
    joblib.dump(model, path / "model")
    return joblib.load(path / "model")


def by_compressed_joblib(model, path):
    joblib.dump(model, path / "model.z", compress=3)
    return joblib.load(path / "model.z")


def by_memory_map(model, path):
    joblib.dump(model, path / "model")
    return joblib.load(path / "model", mmap_mode="r")


def by_deepcopy(model, path):
    return copy.deepcopy(model)


def by_cloudpickle(model, path):
    cloudpickle = pytest.importorskip("cloudpickle")
    return cloudpickle.loads(cloudpickle.dumps(model))


WAYS = [
    by_pickle, by_oldest_pickle, by_joblib, by_compressed_joblib, by_memory_map, by_deepcopy,
    by_cloudpickle,
]  # fmt: skip
SOLVERS = {
    "adam": {"solver": "adam"},
    "sgd": {"solver": "sgd"},
    "sgd-invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
    # a tol that no epoch meets: the rate falls while training goes on
    "sgd-adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "tol": 10,
        "n_iter_no_change": 1,
    },
    "sgd-plain": {"solver": "sgd", "momentum": 0, "nesterovs_momentum": False},
}


def new(kind, **params):
    settings = {"hidden_layer_sizes": (6, 5), "max_iter": 4, "batch_size": 16, "random_state": 0}
    return CONSTRUCTORS[kind](**{**settings, **params})


def target(kind):
    return NUMBERS if kind == "regressor" else CLASSES


def go_on(model, kind, n=3):
    for _ in range(n):
        model.partial_fit(X, target(kind))
    return model


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("begin", ["fit", "partial_fit"])
def test_training_continues_identically(way, solver, begin, tmp_path):
    kind = "classifier" if solver == "adam" else "regressor"
    model = new(kind, **SOLVERS[solver])
    if begin == "fit":
        model.fit(X, target(kind))
    else:
        classes = {"classes": np.unique(CLASSES)} if kind == "classifier" else {}
        model.partial_fit(X, target(kind), **classes)
        go_on(model, kind, 4)
    other = way(model, tmp_path)
    assert_array_equal(other.predict(X), model.predict(X))
    go_on(model, kind)
    go_on(other, kind)
    assert len(model.loss_curve_) == (7 if begin == "fit" else 8) or solver == "sgd-adaptive"
    assert fitted_state(other) == fitted_state(model)
    assert_array_equal(other.predict(X), model.predict(X))


@pytest.mark.parametrize("way", [by_pickle, by_joblib, by_deepcopy])
@pytest.mark.parametrize("shuffle", [True, False])
def test_training_goes_on_from_a_random_state_instance(way, shuffle, tmp_path):
    model = new("regressor", random_state=np.random.RandomState(3), shuffle=shuffle)
    go_on(model, "regressor")
    other = way(model, tmp_path)
    assert other.random_state is not model.random_state
    go_on(model, "regressor")
    go_on(other, "regressor")
    assert fitted_state(other) == fitted_state(model)
    # the instance that was given is the one that is drawn from, after loading as before
    before = fitted_state(other.random_state)
    go_on(other, "regressor", 1)
    assert (fitted_state(other.random_state) != before) is shuffle


@pytest.mark.parametrize("way", [by_pickle, by_joblib, by_deepcopy])
def test_training_goes_on_with_the_global_random_state(way, tmp_path):
    np.random.seed(5)
    model = go_on(new("regressor", random_state=None), "regressor")
    other = way(model, tmp_path)
    after = []
    for twin in (model, other):
        np.random.seed(6)
        after.append(fitted_state(go_on(twin, "regressor")))
    assert after[0] == after[1]


def test_the_global_random_state_is_not_saved():
    np.random.seed(5)
    model = go_on(new("regressor", random_state=None), "regressor")
    before = np.random.get_state()[1].copy()
    pickle.loads(pickle.dumps(model))
    assert_array_equal(np.random.get_state()[1], before)
    assert b"MT19937" not in pickle.dumps(model)


@pytest.mark.parametrize(
    "params", [{"early_stopping": True, "validation_fraction": 0.3}, {"solver": "lbfgs"}]
)
@pytest.mark.parametrize("way", WAYS)
def test_models_of_other_fits(way, params, tmp_path):
    model = new("classifier", **params).fit(X, CLASSES)
    other = way(model, tmp_path)
    assert fitted_state(other) == fitted_state(model)
    assert_array_equal(other.predict_proba(X), model.predict_proba(X))
    assert other.loss_ == model.loss_


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_loaded_model_fits_anew_and_starts_warm(solver):
    model = new("regressor", solver=solver, warm_start=True).fit(X, NUMBERS)
    other = by_pickle(model, None)
    model.fit(X, NUMBERS)
    other.fit(X, NUMBERS)
    assert fitted_state(other) == fitted_state(model)


def test_copy_shares_no_memory():
    model = go_on(new("regressor"), "regressor")
    other = copy.deepcopy(model)
    before = fitted_state(other)
    go_on(model, "regressor")
    model.coefs_[0] *= 2
    assert fitted_state(other) == before


@pytest.mark.parametrize("kind", CONSTRUCTORS)
def test_clone_gives_an_unfitted_twin(kind):
    model = new(kind, alpha=0.1).fit(X, target(kind))
    twin = clone(model)
    assert vars(twin) == model.get_params()
    assert not hasattr(twin, "coefs_")
    twin.fit(X, target(kind))
    assert_array_equal(twin.predict(X), model.predict(X))


def test_a_model_loads_in_another_process(tmp_path):
    model = go_on(new("classifier").fit(X, CLASSES), "classifier")
    joblib.dump(model, tmp_path / "model")
    joblib.dump(X, tmp_path / "X")
    program = (
        "import joblib, sys; m = joblib.load(sys.argv[1] + '/model'); X = joblib.load(sys.argv[1] + '/X');"
        "joblib.dump(m.predict_proba(X), sys.argv[1] + '/p')"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    assert_array_equal(joblib.load(tmp_path / "p"), model.predict_proba(X))


# ---------------------------------------------------------------- sizes


def n_bytes(model):
    return sum(a.nbytes for a in [*model.coefs_, *model.intercepts_])


def saved_bytes(model):
    return len(pickle.dumps(model))


def large(solver="adam", n=50, dtype=np.float64, **params):
    """A regressor with a little more than 1 MB of weights."""
    wide = np.random.RandomState(1).normal(size=(n, 30)).astype(dtype)
    sizes = (400, 330) if dtype == np.float64 else (600, 450)
    model = NumpyMLPRegressor(
        hidden_layer_sizes=sizes, solver=solver, max_iter=1, random_state=0, **params
    )
    model.fit(wide, wide[:, 0])
    assert 1 << 20 < n_bytes(model) < 1.5 * (1 << 20)
    return model, wide


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("solver", "times"), [("adam", 3.1), ("sgd", 2.1), ("lbfgs", 1.1)])
def test_size_after_fit(solver, times, dtype):
    model, _ = large(solver, dtype=dtype)
    assert saved_bytes(model) <= times * n_bytes(model)
    assert saved_bytes(model.trim_for_prediction()) <= 1.1 * n_bytes(model)


@pytest.mark.parametrize("dump", [saved_bytes, lambda m: saved_bytes(copy.deepcopy(m))])
def test_size_after_partial_fit_grows_by_four_bytes_a_row(dump):
    model, wide = large(n=3000, batch_size=3000)
    limit = 3.1 * n_bytes(model)
    after_fit = dump(model)
    assert after_fit <= limit
    model.partial_fit(wide, wide[:, 0])
    assert dump(model) <= limit + 4 * 3000
    assert dump(model) - after_fit <= 4 * 3000 + 4000  # and the generator's 2.5 kB
    model.fit(wide, wide[:, 0])
    assert dump(model) <= after_fit


def test_size_does_not_depend_on_the_rows_of_fit():
    sizes = []
    for n in (100, 20_000):
        wide = np.random.RandomState(1).normal(size=(n, 3))
        model = NumpyMLPRegressor(
            hidden_layer_sizes=(4,), max_iter=1, random_state=0, batch_size=100
        )
        model.fit(wide, wide[:, 0])
        model.predict(wide)
        sizes.append(saved_bytes(model))
    assert abs(sizes[1] - sizes[0]) < 200


def test_buffers_are_not_saved():
    """Large batches and predictions leave nothing behind."""
    sizes = []
    for batch_size in (10, 5000):
        wide = np.random.RandomState(1).normal(size=(5000, 3))
        model = NumpyMLPRegressor(
            hidden_layer_sizes=(50,), max_iter=1, batch_size=batch_size, random_state=0
        )
        model.fit(wide, wide[:, 0]).predict(wide)
        sizes.append(saved_bytes(model))
    assert abs(sizes[1] - sizes[0]) < 200


@pytest.mark.parametrize("tool", ["joblib", "deepcopy"])
def test_joblib_and_a_loaded_copy_are_as_small(tool):
    model, wide = large()
    if tool == "joblib":
        file = io.BytesIO()
        joblib.dump(model, file)
        assert len(file.getvalue()) <= 3.1 * n_bytes(model)
        file.seek(0)
        other = joblib.load(file)
    else:
        other = copy.deepcopy(model)
    assert saved_bytes(other) <= 3.1 * n_bytes(model)
    other.predict(wide)
    other.partial_fit(wide, wide[:, 0])
    assert saved_bytes(other) <= 3.1 * n_bytes(model) + 4 * len(wide)


def test_a_trimmed_model_predicts_the_same_and_can_be_trained():
    model, wide = large()
    before = model.predict(wide)
    assert model.trim_for_prediction() is model
    assert_array_equal(model.predict(wide), before)
    again = by_pickle(model, None)
    assert_array_equal(again.predict(wide), before)
    again.partial_fit(wide, wide[:, 0])
    assert not np.array_equal(again.predict(wide), before)


# -------------------------------------------------------------------- versions


def joblib_bytes(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    return file.getvalue()


KINDS = pytest.mark.parametrize("kind", CONSTRUCTORS)


@KINDS
@pytest.mark.parametrize("fit", [True, False], ids=["fitted", "unfitted"])
def test_a_pickle_says_which_version_wrote_it(kind, fit):
    model = new(kind, max_iter=2)
    model = model.fit(X, target(kind)) if fit else model
    assert model.__getstate__()["_sknumpynet_version"] == sknumpynet.__version__
    assert sknumpynet.__version__.encode() in pickle.dumps(model)
    for again in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model)):
        assert set(vars(again)) == set(vars(model))
        assert again.__getstate__()["_sknumpynet_version"] == sknumpynet.__version__


@KINDS
@pytest.mark.parametrize("dump", [pickle.dumps, joblib_bytes], ids=["pickle", "joblib"])
def test_a_pickle_of_a_newer_format_is_refused_before_it_is_read(kind, dump, monkeypatch):
    model = new(kind, max_iter=2).fit(X, target(kind))
    with monkeypatch.context() as future:
        future.setattr(sknumpynet, "__version__", "97.5")
        future.setattr(sknumpynet._versions, "PICKLE_FORMAT", 1000)
        saved = dump(model)
    message = r"written by sknumpynet 97.5 and cannot be read by sknumpynet " + re.escape(
        sknumpynet.__version__
    )
    # whatever a network consists of then, reading it is not tried
    monkeypatch.setattr(type(model._model.network), "__setstate__", None)
    with pytest.raises(ValueError, match=message):
        joblib.load(io.BytesIO(saved))


@KINDS
def test_a_pickle_of_another_version_in_the_same_format_is_read(kind, monkeypatch):
    model = new(kind, max_iter=2).fit(X, target(kind))
    with monkeypatch.context() as future:
        future.setattr(sknumpynet, "__version__", "97.5")
        saved = pickle.dumps(model)
    again = pickle.loads(saved)
    assert_array_equal(again.predict(X), model.predict(X))
    assert again.__getstate__()["_sknumpynet_version"] == sknumpynet.__version__


@KINDS
def test_a_state_of_another_layout_is_refused(kind):
    model = new(kind, max_iter=2).fit(X, target(kind))
    layouts = [
        {**model.get_params(), "coefs_": list(model.coefs_), "intercepts_": [], "n_iter_": 2},
        {k: v for k, v in model.__getstate__().items() if k != "loss_function_"},
    ]
    writers = ["an unknown version of sknumpynet", f"sknumpynet {sknumpynet.__version__}"]
    for state, writer in zip(layouts, writers, strict=True):
        empty = object.__new__(type(model))
        with pytest.raises(ValueError, match=f"written by {re.escape(writer)} and cannot be read"):
            empty.__setstate__(state)
        assert not vars(empty)


@KINDS
def test_a_pickle_from_before_versions_were_said_is_read(kind):
    model = new(kind, max_iter=2).fit(X, target(kind))
    state = {k: v for k, v in model.__getstate__().items() if k != "_sknumpynet_version"}
    again = object.__new__(type(model))
    again.__setstate__(state)
    assert_array_equal(again.predict(X), model.predict(X))


PICKLES = sorted((Path(__file__).parent / "pickles").glob("*.pickle"))


@pytest.mark.parametrize("path", PICKLES, ids=lambda path: path.stem)
def test_pickles_of_earlier_formats_are_read_and_trained_on(path):
    """pickles/write.py wrote them, with the version of their format."""
    X = np.random.RandomState(0).normal(size=(40, 3)).round(3)
    expected = json.loads(path.with_suffix(".json").read_text())
    model = pickle.loads(path.read_bytes())
    for again in (pickle.loads(pickle.dumps(model)), model):
        classifies = hasattr(again, "predict_proba")
        predict = again.predict_proba if classifies else again.predict
        y = (
            np.array(["no", "perhaps", "yes"])[np.arange(40) % 3]
            if classifies
            else X[:, 0] - 2 * X[:, 1]
        )
        rtol = 1e-5 if again.dtype == "float32" else 1e-12
        assert_allclose(predict(X), expected["outputs"], rtol=rtol)
        again.partial_fit(X, y if classifies else y.round(3))
        assert_allclose(predict(X), expected["after"], rtol=rtol)


def test_there_are_pickles_of_the_present_and_of_all_earlier_formats():
    written = {int(path.stem.split("_")[1]) for path in PICKLES}
    versions = sknumpynet._versions
    assert written == set(range(versions.OLDEST_FORMAT, versions.PICKLE_FORMAT + 1))


# -------------------------------------------------------------------- what a pickle names


def names_in(model):
    """Return the modules of this package that a pickle refers to, with the names."""
    found = set()

    class Reader(pickle.Unpickler):
        def find_class(self, module, name):
            if module.partition(".")[0] == "sknumpynet":
                found.add((module, name))
            return super().find_class(module, name)

    Reader(io.BytesIO(pickle.dumps(model))).load()
    return found


SEVERAL = np.column_stack([np.arange(60) % 3, np.arange(60) % 4])
RICH = {
    "dropout": 0.1, "normalization": "batch", "activation": sknumpynet.LeakyReLU(),
    "solver": sknumpynet.AdamW(), "learning_rate": sknumpynet.Warmup(sknumpynet.Cosine()),
    "init": sknumpynet.HeNormal(),
}  # fmt: skip


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (NumpyMLPRegressor(), NUMBERS),
        (NumpyMLPRegressor(loss=sknumpynet.Huber(), **RICH), NUMBERS),
        (NumpyMLPRegressor(solver="lbfgs", normalization="layer"), NUMBERS),
        (NumpyMLPClassifier(), CLASSES),
        (NumpyMLPClassifier(early_stopping=True, **RICH), CLASSES),
        (NumpyMLPClassifier(loss="focal"), CLASSES == "a"),
        (NumpyMLPClassifier(), SEVERAL > 1),
        (NumpyMLPClassifier(), SEVERAL),
    ],
)
def test_a_pickle_names_places_that_stay(model, y):
    model = clone(model).set_params(max_iter=3)
    if model.solver != "lbfgs":
        other = clone(model).set_params(early_stopping=False)
        kind = {"classes": named_classes(y)} if isinstance(model, NumpyMLPClassifier) else {}
        other.partial_fit(X, y, **kind)
        assert ("sknumpynet.core.training", "Training") in names_in(other)
    model.set_params(warm_start=True).fit(X, y)
    found = names_in(model) | names_in(model.loss_function_)
    assert {module for module, _ in found} <= {
        "sknumpynet", "sknumpynet.core", "sknumpynet.core.training", "sknumpynet.estimators",
        "sknumpynet._versions",
    }  # fmt: skip
    assert {name for module, name in found if module == "sknumpynet._versions"} <= {"read_version"}
    for module, name in found - {("sknumpynet._versions", "read_version")}:
        assert name in sys.modules[module].__all__


@pytest.mark.parametrize("parameters", [{}, RICH, {"activation": ["tanh", sknumpynet.ELU()]}])
def test_a_trimmed_pickle_names_few_classes(parameters):
    """Tools that ask whether to trust each type ask six questions at most."""
    model = new("classifier", max_iter=2, **parameters).fit(X, CLASSES)
    found = names_in(model.trim_for_prediction()) - {("sknumpynet._versions", "read_version")}
    assert len(found) <= 6
    assert not any(part.startswith("_") for place in found for part in ".".join(place).split("."))


def test_objects_among_the_parameters_are_pickled_whole():
    model = clone(new("classifier", **RICH))
    model.solver.note = "mine"  # whatever they hold
    again = pickle.loads(pickle.dumps(model))
    assert again.get_params() == model.get_params()
    assert again.solver is not model.solver
    assert again.solver.note == "mine"


def named_classes(y):
    if y.ndim == 1:
        return np.unique(y)
    return [0, 1] if y.dtype == bool else [np.unique(column) for column in y.T]


def test_other_public_objects_name_the_package():
    model = new("regressor", max_iter=2).fit(X, NUMBERS)
    explained = sknumpynet.explain_step(model, X[:1], NUMBERS[:1])
    hidden = sknumpynet.HiddenActivations(model).fit(X, NUMBERS)
    for thing in (explained, hidden, sknumpynet.Checkpoint("file")):
        assert ("sknumpynet", type(thing).__name__) in names_in(thing)
    for home in (sknumpynet, sknumpynet.core):
        for name in {*home.__all__} - {"__version__", "datasets", "export"}:
            place = getattr(home, name).__module__
            assert place in ("sknumpynet", "sknumpynet.core"), name
            assert getattr(sys.modules[place], name) is getattr(home, name)
