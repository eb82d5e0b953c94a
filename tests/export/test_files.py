# SPDX-License-Identifier: BSD-3-Clause
"""Networks in files without pickle: they are read back identically, or raise one clear error."""

import collections
import json
import pickle
import random
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from random_settings import draw_any, drawer, falling, make_data
from scipy.sparse import csr_matrix
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknumpynet as sk
from sknumpynet import (
    NumpyMLPClassifier,
    NumpyMLPRegressor,
    TabularMLPClassifier,
    TabularMLPRegressor,
    export,
)

from .mutations import (
    draw_mutation,
    each_edit,
    outcome_of,
    rewrite_header,
    small_models,
    sources,
    state_of,
    watch,
)
from .random_tables import draw_table, fit_table, small_tables

OURS = {"classifier": NumpyMLPClassifier, "regressor": NumpyMLPRegressor}
FILES = Path(__file__).parent / "files"
rng = np.random.RandomState(0)
X = rng.normal(size=(40, 3))
WORDS = np.array(["no", "perhaps", "yes"])[np.arange(40) % 3]


def fitted(cls=NumpyMLPClassifier, y=WORDS, X=X, **params):
    params = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0, **params}
    return cls(**params).fit(X, y)


def round_trip(model, tmp_path, **how):
    export.save(model, tmp_path / "model.sknn", **how)
    return export.load(tmp_path / "model.sknn")


def fit_random(number):
    """Return an estimator fitted with the random settings of that number and its data, or None."""
    setting = draw_any(drawer("files", 0, number))
    try:
        X, y, given = make_data(setting)
        return OURS[setting["estimator"]](**setting["parameters"]).fit(X, y, **given), X, y
    except (TypeError, ValueError, ZeroDivisionError):  # some settings are invalid
        return None, None, None


def test_random_networks_are_the_same_again_to_the_last_bit(tmp_path):
    counts = collections.Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(480):
            model, X, _ = fit_random(number)
            if model is None:
                continue
            try:
                other = round_trip(model, tmp_path, training_state=True)
            except ValueError as error:
                assert "cannot be saved" in str(error)
                counts["refused"] += 1
                continue
            assert type(other) is type(model)
            assert state_of(other) == state_of(model), number
            short = round_trip(model, tmp_path)
            assert state_of(short.predict(X)) == state_of(model.predict(X))
            assert state_of(short) == state_of(model.trim_for_prediction()), number
            counts["the same"] += 1
    assert counts["the same"] >= 200
    assert counts["refused"] < counts["the same"] / 4


def test_training_goes_on_bit_by_bit(tmp_path):
    counts = collections.Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(160):
            model, X, y = fit_random(number)
            if model is None:
                continue
            try:
                other = round_trip(model, tmp_path, training_state=True)
            except ValueError:
                continue
            outcomes = []
            for each in (model, other):
                try:
                    each.partial_fit(X, y)
                    each.partial_fit(X, y)
                except (AttributeError, TypeError, ValueError, ZeroDivisionError) as error:
                    outcomes.append(str(error))
            assert outcomes[:1] == outcomes[1:]
            assert state_of(other) == state_of(model), number
            counts[bool(outcomes)] += 1
    assert counts[False] >= 50


@pytest.mark.parametrize("solver", ["adam", "sgd", "nadam", "amsgrad", "rprop", "lion", "adagrad"])
def test_each_solver_goes_on(solver, tmp_path):
    model = fitted(solver=solver, dropout=0.2, learning_rate="cosine", batch_size=16)
    other = round_trip(model, tmp_path, training_state=True)
    for each in (model, other):
        each.partial_fit(X, WORDS).partial_fit(X, WORDS)
    assert state_of(other) == state_of(model)
    fresh = round_trip(model, tmp_path).partial_fit(X, WORDS)  # with a new optimizer
    assert not np.array_equal(fresh.predict_proba(X), other.partial_fit(X, WORDS).predict_proba(X))


@pytest.mark.parametrize("shuffle", [True, False])
def test_the_generator_that_was_given_is_the_one_that_is_drawn_from(shuffle, tmp_path):
    model = fitted(random_state=np.random.RandomState(3), shuffle=shuffle)
    other = round_trip(model, tmp_path, training_state=True)
    before = state_of(other.random_state)
    for each in (model, other):
        each.partial_fit(X, WORDS)
    assert state_of(other) == state_of(model)
    assert (state_of(other.random_state) != before) is shuffle


def test_the_global_generator_is_not_saved(tmp_path):
    model = NumpyMLPClassifier((4,), random_state=None)
    model.partial_fit(X, WORDS, classes=np.unique(WORDS))
    other = round_trip(model, tmp_path, training_state=True)
    after = []
    for each in (model, other):
        np.random.seed(6)
        after.append(state_of(each.partial_fit(X, WORDS)))
    assert after[0] == after[1]


LABELS = {
    "words": WORDS,
    "objects": WORDS.astype(object),
    "odd words": np.array(["", "\0", "ü\ud800", "x\0"], dtype=object)[np.arange(40) % 4],
    "bool": np.arange(40) % 2 == 0,
    "int8": (np.arange(40) % 3).astype(np.int8),
    "large": np.arange(40) % 3 * 10**12,
    "big-endian": (np.arange(40) % 3).astype(">i4"),
    "float32": (np.arange(40) % 2).astype(np.float32),
    "one class": np.zeros(40, int),
    "indicator": np.column_stack([X[:, 0] > 0, X[:, 1] > 0]).astype(int),
    "sparse indicator": csr_matrix(np.column_stack([X[:, 0] > 0, X[:, 1] > 0]).astype(int)),
    "columns": np.column_stack([np.arange(40) % 2, np.arange(40) % 3]),
    "columns of words": np.column_stack([WORDS, WORDS[::-1]]),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_keep_their_dtype(kind, tmp_path):
    y = LABELS[kind]
    model = fitted(y=y)
    other = round_trip(model, tmp_path)
    assert state_of(model.trim_for_prediction()) == state_of(other)
    one, two = model.predict(X), other.predict(X)
    assert type(one) is type(two) and one.dtype == two.dtype
    assert (one != two).sum() == 0


def test_what_was_set_after_the_fit_is_kept(tmp_path):
    model = fitted()
    model.out_activation_ = "identity"
    model.coefs_[0][0, 0] = 7
    model.set_params(alpha=0.5)
    other = round_trip(model, tmp_path)
    assert_array_equal(other.predict_proba(X), model.predict_proba(X))
    assert (other.out_activation_, other.alpha, other.coefs_[0][0, 0]) == ("identity", 0.5, 7)


def test_known_weights_and_untrained_networks(tmp_path):
    AND = NumpyMLPClassifier.from_weights([[[1.0], [1.0]]], [[-1.5]])
    assert_array_equal(round_trip(AND, tmp_path).predict([[0, 1], [1, 1]]), [0, 1])
    step = NumpyMLPRegressor.from_weights([[[1.0]], [[2.0]]], activation="step")
    assert_array_equal(round_trip(step, tmp_path).predict([[-1.0], [1.0]]), [0, 2])
    first = NumpyMLPRegressor(hidden_layer_sizes=(3,), random_state=0).initialize(X, X[:, 0])
    assert_array_equal(round_trip(first, tmp_path).predict(X), first.predict(X))


def test_names_of_features(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "größe", "c"])
    model = fitted(X=frame)
    other = round_trip(model, tmp_path)
    assert_array_equal(other.feature_names_in_, ["a", "größe", "c"])
    assert other.feature_names_in_.dtype == object
    assert_array_equal(other.predict(frame), model.predict(frame))
    with pytest.raises(ValueError, match="feature names"):
        other.predict(frame[["c", "a", "größe"]])


# -------------------------------------------------------------------- what is refused


class OwnActivation(sk.ReLU):
    pass


class OwnLoss(sk.SquaredError):
    pass


REFUSED = {
    "activation": (OwnActivation(), "activation=OwnActivation"),
    "loss": (OwnLoss(), "loss=OwnLoss"),
    "learning_rate": (falling, "learning_rate=<function"),
    "scoring": (lambda model, X, y: 0.0, "scoring=<function"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_objects_of_ones_own_are_refused_by_name(name, tmp_path):
    value, message = REFUSED[name]
    model = fitted(NumpyMLPRegressor, X[:, 0], **{name: value})
    with pytest.raises(ValueError, match=message):
        export.save(model, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_others_may_read_the_file_as_the_system_has_it(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    export.save(fitted(), tmp_path / "model")
    assert (tmp_path / "model").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_file_that_is_there_survives_a_failed_save(tmp_path):
    path = tmp_path / "model"
    export.save(fitted(), path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="activation"):
        export.save(fitted(activation=(np.sin, np.cos)), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_objects_other_than_estimators_of_the_package_are_refused(tmp_path):
    class Mine(NumpyMLPClassifier):
        pass

    for model in (fitted(Mine), make_pipeline(StandardScaler(), fitted()), 3):
        with pytest.raises(TypeError, match="save needs a network of this package"):
            export.save(model, tmp_path / "model")
    with pytest.raises(NotFittedError):
        export.save(NumpyMLPClassifier(), tmp_path / "model")
    with pytest.raises(OSError):
        export.save(fitted(), tmp_path / "no folder" / "model")
    with pytest.raises(OSError):
        export.load(tmp_path / "no file")


def test_every_class_of_the_package_is_in_the_table_or_refused():
    from sknumpynet.core.options import Options
    from sknumpynet.export.values import OBJECTS

    def below(cls):
        return {cls}.union(*(below(each) for each in cls.__subclasses__()))

    ours = {cls for cls in below(Options) if cls.__module__.startswith("sknumpynet.")}
    # not those of docstrings, which say that they are of the module
    ours = {cls for cls in ours if hasattr(sys.modules[cls.__module__], cls.__name__)}
    abstract = {
        "Options", "Activation", "ActivationOfZ", "Loss", "LogLinkLoss", "Optimizer", "Schedule",
        "Initializer", "Scaled", "Layer", "Normalization",
    }  # fmt: skip
    functions = {"Function", "Custom"}  # made of functions: code, which no file holds
    of_the_core = {"MemberDense", "MemberDropout", "NumericEmbedding", "Scale"}  # in no estimator
    others = abstract | functions | of_the_core
    assert {cls.__name__ for cls in ours - set(OBJECTS.values())} == others


# -------------------------------------------------------------------- damaged and hostile files


def test_damaged_files_are_refused_or_the_same():
    found = collections.Counter()
    for number in range(560):
        kind, outcome = outcome_of(draw_mutation(random.Random(f"damaged {number}")))
        assert outcome in ("refused", "the same"), number
        found[kind, outcome] += 1
    assert min(found[kind, "refused"] for kind in ("network", "table", "checkpoint")) > 100


def test_code_that_runs_while_a_file_is_read_would_be_seen():
    watch().begin()
    exec("1 + 1")
    assert "exec" in watch().end()


def test_code_that_another_thread_runs_meanwhile_is_not_the_files():
    watch().begin()
    thread = threading.Thread(target=exec, args=("1 + 1",))
    thread.start()
    thread.join()
    assert watch().end() == []


def test_files_that_someone_made_up_give_an_error_or_a_network(tmp_path):
    """With a digest that fits, any header can stand there: there is no other outcome than these two."""
    path, outcomes = tmp_path / "model", collections.Counter()
    tables = np.random.RandomState(1).normal(size=(40, 7)).astype(object)
    for which, source in enumerate(sources()):
        if source.kind == "checkpoint":
            continue
        for number in range(150):
            path.write_bytes(rewrite_header(random.Random(f"{which} {number}"), source.content))
            try:
                loaded = export.load(path)
            except ValueError as error:
                assert repr(str(path)) in str(error)
                outcomes[source.kind, "refused"] += 1
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                predicted = loaded.predict(X if source.kind == "network" else tables)
            assert predicted.shape[0] == len(X)
            outcomes[source.kind, "a network"] += 1
    assert min(outcomes.values()) > 50, outcomes


@pytest.mark.parametrize("which", range(2))
def test_each_value_of_a_table_may_be_another(which, tmp_path):
    """A model loaded from any file predicts; a file that cannot be used is refused."""
    source = [source for source in sources() if source.kind == "table"][which]
    path, outcomes = tmp_path / "model", collections.Counter()
    rows = np.random.RandomState(1).normal(size=(3, 7)).astype(object)
    rows[1:, 4:] = [["yes", "level 3", True], [None, "level 4", False]]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for place, value, content in each_edit(source.content):
            path.write_bytes(content)
            try:
                loaded = export.load(path)
            except ValueError:
                outcomes["refused"] += 1
                continue
            assert len(loaded.predict(rows)) == 3, (place, value)
            if which:
                assert loaded.predict_interval(rows).shape == (3, 2), (place, value)
            outcomes["a network"] += 1
    assert min(outcomes.values()) > 100


def test_random_tables_are_the_same_again_to_the_last_bit(tmp_path):
    for number in range(60):
        model, X = fit_table(draw_table(random.Random(f"files {number}")))
        other = round_trip(model, tmp_path)
        assert type(other) is type(model)
        assert state_of(other) == state_of(model), number
        assert state_of(other.predict(X)) == state_of(model.predict(X))


def test_a_file_of_joblib_or_pickle_is_named_so(tmp_path):
    joblib.dump(fitted(), tmp_path / "joblib")
    (tmp_path / "pickle").write_bytes(pickle.dumps(fitted()))
    for name in ("joblib", "pickle"):
        with pytest.raises(ValueError, match=f"{name}' cannot be .* it is a pickle: joblib.load"):
            export.load(tmp_path / name)


def test_what_files_of_tables_do_not_hold_is_named(tmp_path):
    model = next(small_tables())
    for changes, message in (
        ({"cv": KFold(3)}, "cv=KFold"),
        ({"scoring": len}, "scoring=<built-in"),
    ):
        with pytest.raises(ValueError, match=message):
            export.save(clone_with(model, **changes), tmp_path / "model")
    odd = clone_with(model)
    odd.extra_ = 1
    with pytest.raises(ValueError, match="extra_ is an attribute that fit does not set"):
        export.save(odd, tmp_path / "model")
    with pytest.raises(NotFittedError):
        export.save(TabularMLPClassifier(), tmp_path / "model")
    assert not list(tmp_path.iterdir())


def clone_with(model, **params):
    return pickle.loads(pickle.dumps(model)).set_params(**params)


def test_many_levels_of_a_category_are_no_matter(tmp_path):
    """They lie in an array: the header of a file has its limit."""
    levels = np.array([f"level {i}" for i in range(30_000)], dtype=object)
    setting = {"first_cycle": 1, "n_cycles": 1, "cv": 2, "n_members": 2, "hidden_layer_sizes": 2}
    model = TabularMLPRegressor(random_state=0, **setting)
    model.fit(levels[:, np.newaxis], np.arange(30_000.0))
    other = round_trip(model, tmp_path)
    assert state_of(other) == state_of(model)


def test_reading_runs_no_code_and_imports_nothing(tmp_path):
    path = tmp_path / "model"
    export.save(next(small_models()), path, training_state=True)
    script = (
        "import sys; from sknumpynet import export; export.load(sys.argv[1]); seen = []\n"
        "def hook(event, arguments):\n"
        "    if event.split('.')[0] in ('import', 'exec', 'compile', 'pickle', 'os', 'subprocess',\n"
        "                               'marshal', 'ctypes', 'socket'):\n"
        "        seen.append(event)\n"
        "sys.addaudithook(hook); model = export.load(sys.argv[1]); print(type(model).__name__, seen)"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "NumpyMLPClassifier []"


# -------------------------------------------------------------------- files of earlier versions


@pytest.mark.parametrize("path", sorted(FILES.glob("*.sknn")), ids=lambda path: path.stem)
def test_files_of_earlier_versions_stay_readable(path):
    expected = json.loads(path.with_suffix(".json").read_text())
    model = export.load(path)
    inputs = np.array(expected["X"], dtype=expected["dtype"])
    predicted = model.predict(inputs)
    if predicted.dtype.kind == "f":
        tolerance = 1e-6 if expected["dtype"] == "float32" else 1e-12
        np.testing.assert_allclose(predicted, expected["predict"], rtol=tolerance)
    else:
        assert predicted.tolist() == expected["predict"]
    if hasattr(model, "classes_"):
        p = model.predict_proba(inputs)
        for one, other in zip(np.atleast_3d(p), np.atleast_3d(expected["predict_proba"])):
            np.testing.assert_allclose(one, other, rtol=1e-6)
    y = {"classifier": WORDS[:4], "regressor": np.arange(4.0)}.get(path.stem.split("_")[-1])
    if y is not None:
        assert model.partial_fit(inputs[:4], y).n_iter_ == 1


def test_there_is_a_file_of_each_version():
    from sknumpynet.export.files import NEWEST

    for version in range(1, NEWEST + 1):
        assert list(FILES.glob(f"format_{version}_*.sknn"))


def test_equal_networks_give_equal_files(tmp_path):
    model = next(small_models())
    export.save(model, tmp_path / "one")
    export.save(export.load(tmp_path / "one"), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_arrays_can_be_read_by_numpy(tmp_path):
    """The arrays are ``.npy`` files as NumPy writes them."""
    model = next(small_models())
    export.save(model, tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as arrays:
        numbers = [name for name in arrays.files if name.isdigit()]
        contents = [arrays[name] for name in numbers]
    params = model._model.network.params
    assert any(a.dtype == params.dtype and np.array_equal(a, params) for a in contents)
