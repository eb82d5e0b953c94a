# SPDX-License-Identifier: BSD-3-Clause
"""Callbacks on the estimators for tables: a task for each row of the record, and fits that are resumed."""

import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

pd = pytest.importorskip("pandas")
from numpy.testing import assert_array_equal, assert_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sknumpynet import Checkpoint, LogEpochs, ValidationMonitor
from sknumpynet.tabular import TabularMLPClassifier, TabularMLPRegressor, recipe
from tabular.tables import QUICK, messy

try:
    import sklearn.callback as theirs
except ImportError:
    theirs = None
needs_callbacks = pytest.mark.skipif(theirs is None, reason="callbacks came with scikit-learn 1.9")

BOTH = [TabularMLPClassifier, TabularMLPRegressor]
X, LABELS, NUMBERS = messy(90)
# both kinds of members go through all three cycles, so that there are six rows
CYCLES = {
    **QUICK,
    "n_cycles": 3,
    "least_gain": 0.0,
    "extra_cycle_gain": np.inf,
    "cv": 4,
    "n_members": 4,
}
CYCLES["embedding_margins"] = (10.0,)


def new(cls, **options):
    return cls(**{**CYCLES, **options})


def y_for(cls):
    return LABELS if cls is TabularMLPClassifier else NUMBERS


def rows_of(history):
    return [dict(zip(history, row, strict=True)) for row in zip(*history.values(), strict=True)]


def without(row, *names):
    return {name: value for name, value in row.items() if name not in names}


def assert_same_fit(one, other):
    names = {name for name in vars(one) if name.endswith("_") and name[0] != "_"}
    assert names == {name for name in vars(other) if name.endswith("_") and name[0] != "_"}
    for a, b in zip(one.ensemble_.packs, other.ensemble_.packs, strict=True):
        assert_array_equal(a.params, b.params)
    assert_array_equal(one.snapshot_weights_, other.snapshot_weights_)
    assert_equal(without(one.history_, "seconds"), without(other.history_, "seconds"))
    assert_array_equal(one.predict(X), other.predict(X))
    if hasattr(one, "oof_predictions_"):
        assert_array_equal(one.oof_predictions_, other.oof_predictions_)


class Recorder:
    """Notes each call; what ``reaction(row, fitted)`` returns is what the hook returns."""

    def __init__(self, reaction=lambda row, fitted: None):
        self.tasks, self.calls, self.predictions, self.reaction = [], [], [], reaction

    def setup(self, estimator, context):
        self.calls.append("setup")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        self.tasks.append(context)
        self.seen = X, y

    def on_fit_task_end(self, estimator, context, *, metadata=None, fitted_estimator=None):
        self.metadata = metadata
        if context.task_name == "cycle":
            self.predictions.append(fitted_estimator.predict(X))
            return self.reaction(context.task_id + 1, fitted_estimator)

    def teardown(self, estimator, context):
        self.calls.append("teardown")


class Crash(Exception):
    """Stands for a killed process."""


class CrashAt:
    """Raises after that row of the record, counted from 1; notes which rows it has seen."""

    def __init__(self, row=None, error=Crash):
        self.row, self.error, self.seen = row, error, []

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "cycle":
            self.seen.append(context.task_id + 1)
            if context.task_id + 1 == self.row:
                raise self.error

    def teardown(self, estimator, context):
        pass


@pytest.mark.skipif(theirs is not None, reason="scikit-learn has callbacks")
@pytest.mark.parametrize("cls", BOTH)
def test_set_callbacks_without_callbacks(cls):
    with pytest.raises(ImportError, match=r"need scikit-learn >= 1.9"):
        new(cls).set_callbacks(Recorder())


# -------------------------------------------------------------------- the protocol


@needs_callbacks
@pytest.mark.parametrize("cls", BOTH)
def test_cycles_are_children_of_the_root_task_and_watching_changes_nothing(cls):
    y, weight, recorder = y_for(cls), np.linspace(1, 2, 90), Recorder()
    model = new(cls).set_callbacks(recorder).fit(X, y, weight)
    root, *cycles = recorder.tasks
    assert root.parent is None and [each.parent is root for each in cycles] == [True] * 6
    assert [each.task_id for each in cycles] == list(range(len(model.history_["loss"])))
    assert {each.task_name for each in cycles} == {"cycle"}
    assert recorder.calls == ["setup", "teardown"]
    assert recorder.seen[0] is X and recorder.metadata["sample_weight"] is weight
    assert_same_fit(model, new(cls).fit(X, y, weight))
    assert_array_equal(recorder.predictions[-1], model.predict(X))


@needs_callbacks
@pytest.mark.parametrize("cls", BOTH)
def test_what_is_handed_out_is_the_estimator_of_that_cycle(cls):
    recorder = Recorder()
    new(cls).set_callbacks(recorder).fit(X, y_for(cls))
    for n_cycles in (1, 2, 3):
        alone = new(cls, n_cycles=n_cycles).fit(X, y_for(cls))
        assert_array_equal(recorder.predictions[2 * n_cycles - 1], alone.predict(X))


@needs_callbacks
@pytest.mark.parametrize("cls", BOTH)
def test_what_is_handed_out_is_a_copy(cls):
    def spoil(row, fitted):
        for pack in fitted.ensemble_.packs:
            pack.params[...] = 1e6
        fitted.encoder_.center[...] = 1e6
        fitted.set_params(dropout=0.9)

    watched = new(cls).set_callbacks(Recorder(spoil)).fit(X, y_for(cls))
    assert_same_fit(watched, new(cls).fit(X, y_for(cls)))
    assert watched.dropout == 0.15


@needs_callbacks
@pytest.mark.parametrize("row, n_cycles", [(1, 1), (2, 1), (3, 2)])
@pytest.mark.parametrize("cls", BOTH)
def test_a_hook_that_returns_true_ends_the_fit_after_the_cycle(cls, row, n_cycles):
    recorder = Recorder(lambda now, fitted: now == row)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = new(cls).set_callbacks(recorder).fit(X, y_for(cls))
    assert model.stop_reason_ == "callback"
    assert_same_fit(model, new(cls, n_cycles=n_cycles).fit(X, y_for(cls)))
    assert recorder.calls[-1] == "teardown"


@needs_callbacks
@pytest.mark.parametrize("hook", ["setup", "on_fit_task_begin", "on_fit_task_end", "teardown"])
@pytest.mark.parametrize("cls", BOTH)
def test_whichever_hook_raises_the_estimator_is_as_it_was(cls, hook):
    def fail(estimator, context):
        raise Crash

    recorder = Recorder()
    setattr(recorder, hook, fail)
    model = new(cls).set_callbacks(recorder)
    before = dict(vars(model))
    with pytest.raises(Crash):
        model.fit(X, y_for(cls))
    assert vars(model) == before
    model = new(cls).fit(X, y_for(cls))
    before, predicted = set(vars(model)), model.predict(X)
    with pytest.raises(Crash):
        model.set_callbacks(recorder).fit(X, y_for(cls))
    assert set(vars(model.set_callbacks())) == before
    assert_array_equal(model.predict(X), predicted)


@needs_callbacks
@pytest.mark.parametrize("cls", BOTH)
def test_each_row_of_the_record_is_handed_over_but_for_its_weight(cls):
    rows = []
    model = new(cls).set_callbacks(LogEpochs(rows.append)).fit(X, y_for(cls))
    assert_equal(rows, [without(row, "weight") for row in rows_of(model.history_)])
    assert [row["epoch"] for row in rows] == [3, 3, 9, 9, 21, 21]
    rows.clear()
    make_pipeline(FunctionTransformer(), model).fit(X, y_for(cls))
    assert len(rows) == 6
    search = GridSearchCV(model, {"dropout": [0.0, 0.5]}, cv=2).fit(X, y_for(cls))
    assert sum(row["cycle"] == 1 for row in rows) == 6 * 2  # 4 fits, the best one and the pipeline
    assert hasattr(search, "best_score_")


@needs_callbacks
@pytest.mark.parametrize("cls", BOTH)
def test_monitors_of_this_package_and_of_scikit_learn(cls):
    y, cls_score = y_for(cls), "accuracy" if cls is TabularMLPClassifier else "r2"
    every, second = ValidationMonitor(X[:30], y[:30]), ValidationMonitor(X[:30], y[:30], every=2)
    scores = theirs.ScoringMonitor(scoring=cls_score)
    model = new(cls).set_callbacks(every, second, scores).fit(X[30:], y[30:])
    n_rows = len(model.history_["loss"])
    assert every.epochs_ == list(range(1, n_rows + 1)) and second.epochs_ == every.epochs_[1::2]
    assert every.scores_[-1] == model.score(X[:30], y[:30])
    assert second.scores_ == every.scores_[1::2]
    logged = scores.get_logs(select="most_recent").data
    assert len(logged) == n_rows + 1  # and the fit as a whole
    assert model.score(X[30:], y[30:]) in [row[cls_score] for row in logged]


@needs_callbacks
def test_progress_bar(capsys):
    pytest.importorskip("rich")
    new(TabularMLPRegressor).set_callbacks(theirs.ProgressBar()).fit(X, NUMBERS)
    assert "TabularMLPRegressor" in capsys.readouterr().out


# -------------------------------------------------------------------- fits that are resumed

SETTINGS = {
    "plain": ({}, {}),
    "threads": ({"n_jobs": 2, "batch_size": 64, "hidden_layer_sizes": (40, 20)}, {}),
    "float64": ({"dtype": "float64", "max_levels": 2}, {}),
    "one kind": ({"numeric_embedding": False, "n_members": 8}, {}),
    "weights": ({}, {"sample_weight": np.linspace(0, 2, 90), "groups": np.arange(90) // 2}),
    "validated": ({"cv": None}, {"X_val": X[:20], "y_val": None}),
}


@needs_callbacks
@pytest.mark.parametrize("row", [1, 2, 5])
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("cls", BOTH)
def test_interrupted_fit_is_resumed_bit_identically(cls, setting, row, tmp_path):
    options, data = SETTINGS[setting]
    y, data = y_for(cls), dict(data)
    if "y_val" in data:
        data["y_val"] = y[:20]
    plain = new(cls, **options).fit(X, y, **data)
    n_rows = len(plain.history_["loss"])
    row = min(row, n_rows - 1)
    path, crash = tmp_path / "fit", CrashAt(row)
    with pytest.raises(Crash):
        new(cls, **options).set_callbacks(Checkpoint(path), crash).fit(X, y, **data)
    assert path.exists()
    after = CrashAt()
    resumed = new(cls, **options).set_callbacks(Checkpoint(path), after).fit(X, y, **data)
    assert after.seen == list(range(row + 1, n_rows + 1))
    assert_same_fit(resumed, plain)
    assert not path.exists()
    assert (np.diff(resumed.history_["seconds"]) > 0).all()  # counted on


@needs_callbacks
def test_fit_without_a_seed_is_resumed_with_its_own_seed(tmp_path):
    def fit(seed, *callbacks):
        np.random.seed(seed)
        model = new(TabularMLPRegressor, random_state=None)
        return model.set_callbacks(*callbacks).fit(X, NUMBERS)

    plain = fit(1)
    with pytest.raises(Crash):
        fit(1, Checkpoint(tmp_path / "fit"), CrashAt(3))
    assert_same_fit(fit(2, Checkpoint(tmp_path / "fit")), plain)


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from sknumpynet import Checkpoint, LogEpochs
from sknumpynet.tabular import TabularMLPRegressor
from tabular.test_tabular_callbacks import NUMBERS, X, new
rows = []
def kill(row):
    rows.append(row)
    if len(rows) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
new(TabularMLPRegressor).set_callbacks(Checkpoint(sys.argv[1]), LogEpochs(kill)).fit(X, NUMBERS)
"""


@needs_callbacks
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_process_that_was_killed_is_resumed_in_another(tmp_path):
    path, tests = tmp_path / "fit", Path(__file__).parent.parent
    command = [sys.executable, "-c", KILLED, os.fspath(path), os.fspath(tests)]
    killed = subprocess.run(command, cwd=tests.parent, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    rows = []
    model = new(TabularMLPRegressor).set_callbacks(Checkpoint(path), LogEpochs(rows.append))
    assert_same_fit(model.fit(X, NUMBERS), new(TabularMLPRegressor).fit(X, NUMBERS))
    assert len(rows) == 3  # killed before the fourth was written


@needs_callbacks
def test_every_other_cycle_is_written(tmp_path):
    path, after = tmp_path / "fit", CrashAt()
    with pytest.raises(Crash):
        checkpoint = Checkpoint(path, every=2)
        new(TabularMLPRegressor).set_callbacks(checkpoint, CrashAt(5)).fit(X, NUMBERS)
    model = new(TabularMLPRegressor).set_callbacks(Checkpoint(path, every=2), after)
    assert_same_fit(model.fit(X, NUMBERS), new(TabularMLPRegressor).fit(X, NUMBERS))
    assert after.seen == [5, 6]


@needs_callbacks
@pytest.mark.parametrize(
    "change, message",
    [
        ({"dropout": 0.5}, "another fit: dropout differ"),
        ({"random_state": 1}, "another fit: random_state differ"),
        ({"X": X.rename(columns={"size": "length"})}, "another fit: data differ"),
        ({"X": X.assign(size=X["size"].astype("float32"))}, "another fit: data differ"),
        ({"sample_weight": np.ones(90)}, "another fit: sample_weight differ"),
        ({"X_val": X, "y_val": NUMBERS}, "another fit: validation data differ"),
        ({"groups": np.arange(90)}, "another fit: groups differ"),
        ({"y": NUMBERS[::-1]}, "another fit: values of the data differ"),
    ],
)
def test_another_fit_is_not_resumed(change, message, tmp_path):
    path, change = tmp_path / "fit", dict(change)
    with pytest.raises(Crash):
        new(TabularMLPRegressor).set_callbacks(Checkpoint(path), CrashAt(1)).fit(X, NUMBERS)
    options = {name: change.pop(name) for name in ("dropout", "random_state") if name in change}
    data = {"X": X, "y": NUMBERS, **change}
    with pytest.raises(ValueError, match=message):
        new(TabularMLPRegressor, **options).set_callbacks(Checkpoint(path)).fit(**data)
    assert path.exists()


@needs_callbacks
def test_resumed_with_another_number_of_threads(tmp_path):
    path = tmp_path / "fit"
    with pytest.raises(Crash):
        new(TabularMLPRegressor).set_callbacks(Checkpoint(path), CrashAt(1)).fit(X, NUMBERS)
    resumed = new(TabularMLPRegressor, n_jobs=2, verbose=1).set_callbacks(Checkpoint(path))
    assert_same_fit(resumed.fit(X, NUMBERS), new(TabularMLPRegressor).fit(X, NUMBERS))


@needs_callbacks
def test_one_other_label_is_not_resumed(tmp_path):
    path, other = tmp_path / "fit", LABELS.copy()
    other[7] = LABELS[LABELS != LABELS[7]][0]
    with pytest.raises(Crash):
        new(TabularMLPClassifier).set_callbacks(Checkpoint(path), CrashAt(1)).fit(X, LABELS)
    with pytest.raises(ValueError, match="another fit: values of the data differ"):
        new(TabularMLPClassifier).set_callbacks(Checkpoint(path)).fit(X, other)


@needs_callbacks
def test_ctrl_c_keeps_what_there_is_and_the_file_from_which_it_is_resumed(tmp_path):
    path = tmp_path / "fit"
    stopped = new(TabularMLPRegressor)
    stopped.set_callbacks(Checkpoint(path), CrashAt(4, KeyboardInterrupt))
    with pytest.warns(UserWarning, match="interrupted by user") as caught:
        stopped.fit(X, NUMBERS)
    assert [each.filename for each in caught] == [__file__]
    assert stopped.stop_reason_ == "interrupted"
    assert_array_equal(
        stopped.predict(X), new(TabularMLPRegressor, n_cycles=2).fit(X, NUMBERS).predict(X)
    )
    resumed = clone(stopped).set_callbacks(Checkpoint(path)).fit(X, NUMBERS)
    assert_same_fit(resumed, new(TabularMLPRegressor).fit(X, NUMBERS))


@needs_callbacks
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_ctrl_c_within_a_cycle_leaves_the_last_one_to_resume_from(n_jobs, tmp_path, monkeypatch):
    def interrupted(group, n_epochs, *args):
        if n_epochs == 12:
            raise KeyboardInterrupt
        return train(group, n_epochs, *args)

    path, options = tmp_path / "fit", {"n_jobs": n_jobs, "n_members": 8}
    train = recipe.Group.train_cycle
    monkeypatch.setattr(recipe.Group, "train_cycle", interrupted)
    with pytest.warns(UserWarning, match="interrupted by user"):
        new(TabularMLPRegressor, **options).set_callbacks(Checkpoint(path)).fit(X, NUMBERS)
    monkeypatch.undo()
    resumed = new(TabularMLPRegressor, **options).set_callbacks(Checkpoint(path)).fit(X, NUMBERS)
    assert_same_fit(resumed, new(TabularMLPRegressor, **options).fit(X, NUMBERS))


@needs_callbacks
def test_the_time_of_a_fit_that_is_resumed_counts_from_its_beginning(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(recipe, "perf_counter", lambda: now[0])

    def later(row):
        now[0] += 10

    path, options = tmp_path / "fit", {"max_time": 35.0, "n_cycles": 6}
    with pytest.raises(Crash):
        model = new(TabularMLPRegressor, **options)
        model.set_callbacks(LogEpochs(later), Checkpoint(path), CrashAt(2)).fit(X, NUMBERS)
    now[0] = 1000.0
    resumed = new(TabularMLPRegressor, **options).set_callbacks(LogEpochs(later), Checkpoint(path))
    resumed.fit(X, NUMBERS)
    assert resumed.stop_reason_ == "max_time" and max(resumed.history_["cycle"]) == 2
    assert resumed.history_["seconds"] == [0, 10, 20, 30]
    assert not path.exists()


@needs_callbacks
def test_a_search_would_share_the_file(tmp_path):
    model = new(TabularMLPRegressor).set_callbacks(Checkpoint(tmp_path / "fit"))
    with pytest.raises(ValueError, match="cannot be used inside a meta-estimator"):
        GridSearchCV(model, {"dropout": [0.0]}, cv=2, error_score="raise").fit(X, NUMBERS)
