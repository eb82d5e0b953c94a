# SPDX-License-Identifier: BSD-3-Clause
"""Readers in other threads see either the old or the new model as a whole during a fit.

Most tests do not depend on timing: before each read of an attribute, or each line of the package, in turn,
something happens, as another thread would have it. The last one has threads.
"""

import copy
import pickle
import sys
import threading
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

plt = pytest.importorskip("matplotlib.pyplot")
pd = pytest.importorskip("pandas")
from sklearn.base import clone

import sknumpynet
from sknumpynet import (
    HiddenActivations,
    NetworkDisplay,
    NumpyMLPClassifier,
    NumpyMLPRegressor,
    explain_step,
)

OURS = str(Path(sknumpynet.__file__).parent)
rng = np.random.RandomState(0)
X3, X4 = rng.normal(size=(12, 3)), rng.normal(size=(12, 4))
NUMBERS = np.arange(12)


def frame(X):
    return pd.DataFrame(X, columns=[f"column {i}" for i in range(X.shape[1])])


# X and y of fits that leave models of different kinds.
LABELS = {
    "two": (X3, NUMBERS % 2),
    "three strings": (X3, np.array(["a", "b", "c"])[NUMBERS % 3]),
    "ten, of four features": (X4, NUMBERS % 10),
    "two, named": (frame(X3), NUMBERS % 2 + 5),
    "indicator": (X3, np.array([NUMBERS % 2, NUMBERS % 3 == 0, NUMBERS > 5]).T.astype(int)),
    "columns": (X3, np.array([NUMBERS % 3, NUMBERS % 4 + 7]).T),
}
TARGETS = {
    "one": (X3, X3[:, 0]),
    "two": (X3, X3[:, :2]),
    "one, of four features": (X4, X4[:, 0]),
    "one, named": (frame(X3), X3[:, 1] + 5),
}


def classifier(**params):
    return NumpyMLPClassifier((4,), max_iter=1, random_state=0, **params)


def regressor(**params):
    return NumpyMLPRegressor(hidden_layer_sizes=(4,), max_iter=1, random_state=0, **params)


KINDS = {"classifier": (classifier, LABELS), "regressor": (regressor, TARGETS)}
PAIRS = [
    *(("classifier", "two", new) for new in LABELS if new != "two"),
    ("classifier", "columns", "three strings"),
    ("classifier", "ten, of four features", "columns"),
    ("classifier", "two, named", "indicator"),
    *(("regressor", "one", new) for new in TARGETS if new != "one"),
    ("regressor", "one, named", "two"),
]


def shown(value):
    """Return a value that can be compared."""
    if isinstance(value, list | tuple):
        return [shown(each) for each in value]
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.tolist()
    return value


def described(model):
    """Return what a model says of itself, and a prediction from it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X = X3 if model.n_features_in_ == 3 else X4
        own = {name: value for name, value in vars(model).items() if not name.startswith("_")}
        names = ("n_features_in_", "classes_", "feature_names_in_", "loss_curve_", "n_outputs_")
        weights = [shown(model.coefs_), shown(model.intercepts_), model.n_parameters_]
        return [shown(own.get(name)) for name in names], shown(model.predict(X)), weights


def drawn(model):
    """Return the numbers of a picture."""
    display = NetworkDisplay.from_estimator(model)
    plt.close("all")
    return [display.coefs, display.intercepts, shown(display.input_names), display.output_names]


METHODS = {
    "predict": lambda model: model.predict(X3),
    "predict_proba": lambda model: model.predict_proba(X3),
    "predict_log_proba": lambda model: model.predict_log_proba(X3),
    "decision_function": lambda model: model.decision_function(X3),
    "score": lambda model: model.score(X3, model.known_y),
    "input_gradient": lambda model: model.input_gradient(X3),
    "hidden_activations": lambda model: model.hidden_activations(X3),
    "coefs_": lambda model: list(model.coefs_),
    "intercepts_": lambda model: list(model.intercepts_),
    "n_parameters_": lambda model: model.n_parameters_,
    "pickle": lambda model: described(pickle.loads(pickle.dumps(model))),
    "copy": lambda model: described(copy.copy(model)),
    "deepcopy": lambda model: described(copy.deepcopy(model)),
    "clone": lambda model: clone(model).get_params(),
    "explain_step": lambda model: str(explain_step(model, X3[0])),
    "NetworkDisplay": drawn,
}


def outcome(method, model):
    """Return what a method gives, or its error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return shown(METHODS[method](model))
        except Exception as error:
            return type(error).__name__, str(error)


class Watched:
    """A model that calls ``happens(number)`` before each read of what it holds itself."""

    happens = staticmethod(lambda number: None)
    n_reads = 0

    def __getattribute__(self, name):
        if name == "__dict__" or not hasattr(type(self), name):
            Watched.happens(Watched.n_reads)
            Watched.n_reads += 1
        return super().__getattribute__(name)


class WatchedClassifier(Watched, NumpyMLPClassifier):
    pass


class WatchedRegressor(Watched, NumpyMLPRegressor):
    pass


WatchedClassifier.__name__, WatchedRegressor.__name__ = "NumpyMLPClassifier", "NumpyMLPRegressor"


@contextmanager
def at_each_line(happens, only=""):
    """Call ``happens(number)`` before each line of the package that runs, in this thread, in the block."""
    counted = 0

    def trace(frame, event, arg):
        nonlocal counted
        if not frame.f_code.co_filename.startswith(OURS) or only not in frame.f_code.co_name:
            return None
        if event == "line":
            sys.settrace(None)
            try:
                happens(counted)
            finally:
                sys.settrace(trace)
            counted += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lambda: counted
    finally:
        sys.settrace(before)


def two_models(kind, old, new):
    make, data = KINDS[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = [make().fit(*data[name]) for name in (old, new)]
    for model in models:
        model.known_y = data[old][1]
    return models


@pytest.mark.parametrize("kind, old, new", PAIRS)
@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_another_model_is_put_under_gives_one_or_the_other(kind, old, new, method):
    """The new model comes before each read of the old one in turn."""
    first, second = two_models(kind, old, new)
    whole = [outcome(method, first), outcome(method, second)]

    def swapped_at(read):
        model = copy.copy(first)
        model.__class__ = WatchedClassifier if kind == "classifier" else WatchedRegressor

        def swap(number):
            if number == read:
                model.__dict__ = dict(vars(second))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Watched, "n_reads", 0)
            patch.setattr(Watched, "happens", staticmethod(swap))
            return outcome(method, model), Watched.n_reads

    seen, n_reads = swapped_at(-1)
    assert seen == whole[0] and n_reads
    for read in range(n_reads):
        assert swapped_at(read)[0] in whole, f"before read {read} of {n_reads}"


@pytest.mark.parametrize("kind, old, new", PAIRS)
def test_a_refit_shows_the_old_model_and_then_the_new_one(kind, old, new):
    first, second = two_models(kind, old, new)
    whole, seen = [described(first), described(second)], []

    def look(number):
        found = described(first)
        assert found in whole, number
        seen.append(whole.index(found))
        assert described(pickle.loads(pickle.dumps(first))) == found
        assert hasattr(first, "feature_names_in_") == ("named" in (old, new)[seen[-1]])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for call in ("fit", "_publish"):  # some lines of all, and all of those that matter
            with at_each_line(
                lambda number: number % 80 or look(number), "" if call == "fit" else call
            ):
                first.fit(*KINDS[kind][1][new])
            assert described(first) == whole[1]
            first.__dict__ = dict(vars(two_models(kind, old, new)[0]))
    assert seen[0] == 0 and len(seen) > 10


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize("call", ["fit", "partial_fit", "initialize"])
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("only", ["", "replace_attributes", "published", "put_back", "guarded"])
def test_a_parameter_that_is_set_during_a_call_stays(make, call, fails, only):
    """It is set before one of the lines, each in turn; of a whole call before some of them."""
    X, y = np.where(X3 > 1, np.inf, X3) if fails else X3, NUMBERS % 2
    fitted, n_lines, line = make().fit(X3, y), 1, 0
    while line < n_lines:
        model = copy.copy(fitted)

        def set_one(number, model=model, line=line):
            if number == line:
                model.set_params(max_iter=line + 5, verbose=0)

        with warnings.catch_warnings(), at_each_line(set_one, only) as counted:
            warnings.simplefilter("ignore")
            try:
                getattr(model, call)(X, y)
            except ValueError:
                assert fails
        n_lines = counted()
        # a call that nobody disturbs has fewer lines
        assert model.max_iter == line + 5 or line >= n_lines
        line += 1 if only else n_lines // 12 + 1
    assert n_lines or (only == "published" and fails) or (only == "put_back" and not fails)


def test_a_refitted_transformer_knows_the_features_of_its_network():
    transformer = HiddenActivations(regressor())
    assert not hasattr(transformer, "n_features_in_")
    transformer.fit(frame(X4), X4[:, 0])
    assert (transformer.n_features_in_, transformer.feature_names_in_[0]) == (4, "column 0")
    transformer.fit(X3, X3[:, 0])
    assert transformer.n_features_in_ == 3 and not hasattr(transformer, "feature_names_in_")


@pytest.mark.parametrize(
    "params, data",
    [
        ({}, (X3, None)),
        ({}, (X3 * np.nan, NUMBERS % 3)),
        ({"solver": "sgd", "learning_rate_init": 1e300, "batch_size": 2}, (X3, NUMBERS % 3)),
        ({"alpha": -1}, (X3, NUMBERS % 3)),
    ],
)
@pytest.mark.parametrize("make", [classifier, regressor])
def test_a_refit_that_fails_shows_the_old_model_all_along(make, params, data):
    model = make().fit(X4, NUMBERS % 2).set_params(**params)
    before, seen = described(model), 0

    def look(number):
        nonlocal seen
        if number % 60 == 0:
            seen += 1
            assert described(model) == before

    with warnings.catch_warnings(), at_each_line(look):
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError):
            model.fit(*data)
    assert seen and described(model) == before


@pytest.mark.parametrize("kind", KINDS)
def test_threads_read_while_one_refits(kind):
    """Models of all kinds in turn, some fits of which fail, under readers that switch all the time."""
    make, data = KINDS[kind]
    singles = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, (X, y) in data.items():
            singles[name] = make().fit(X, y)
            singles[name].known_y = data["two" if kind == "classifier" else "one"][1]
        # pyplot is not for threads
        methods = [name for name in METHODS if name not in ("clone", "deepcopy", "NetworkDisplay")]
        expected = {name: [outcome(name, each) for each in singles.values()] for name in methods}
        model, done, wrong = copy.deepcopy(next(iter(singles.values()))), threading.Event(), []

        def read(names):
            while not done.is_set():
                for name in names:
                    found = outcome(name, model)
                    if found not in expected[name]:
                        wrong.append((name, found))
                        return
                repr(model), model._repr_html_()

        readers = [threading.Thread(target=read, args=(methods[i::3],)) for i in range(3)]
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            for reader in readers:
                reader.start()
            for turn in range(12):
                for X, y in data.values():
                    model.fit(X, y)
                with pytest.raises(ValueError):
                    model.fit(X3 * np.nan, NUMBERS)
                model.set_params(tol=turn + 1.0)
                assert model.tol == turn + 1.0
        finally:
            done.set()
            for reader in readers:
                reader.join()
            sys.setswitchinterval(interval)
    assert not wrong
