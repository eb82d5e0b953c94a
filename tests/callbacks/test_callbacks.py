# SPDX-License-Identifier: BSD-3-Clause
"""scikit-learn's callbacks on the estimators, and those of this package (scikit-learn 1.9 and later)."""

import copy
import functools
import importlib.util
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import sklearn
from fitted_state import fitted_state
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknumpynet._compat
from sknumpynet import (
    AdamW,
    Checkpoint,
    Loss,
    NumpyMLPClassifier,
    NumpyMLPRegressor,
    Quantile,
    ValidationMonitor,
    _container,
)
from sknumpynet.fitting.fingerprint import described

try:
    import sklearn.callback as theirs
except ImportError:
    theirs = None
needs_callbacks = pytest.mark.skipif(theirs is None, reason="callbacks came with scikit-learn 1.9")

rng = np.random.RandomState(0)
X = rng.normal(size=(90, 4))
NUMBERS = X[:, 0] - 2 * X[:, 1] + 0.3 * rng.normal(size=90)
CLASSES = np.digitize(NUMBERS, [-1, 1])
SOLVERS = ["adam", "sgd", "lbfgs"]
BOTH = [NumpyMLPClassifier, NumpyMLPRegressor]


def new(cls=NumpyMLPRegressor, **params):
    return cls(**{"hidden_layer_sizes": (6, 5), "max_iter": 6, "random_state": 0, **params})


def data_for(cls):
    return X, CLASSES if cls is NumpyMLPClassifier else NUMBERS


def assert_same_fit(one, other):
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        assert_array_equal(a, b)
    assert_array_equal(one._model.network.params, other._model.network.params)
    assert_array_equal(one._model.network.running_stats, other._model.network.running_stats)


class Recorder:
    """Notes down each call, and what `reaction` returns for an epoch is what the hook returns."""

    def __init__(self, reaction=lambda epoch, fitted: None):
        self.calls, self.tasks, self.parents, self.reaction = [], [], [], reaction
        self.predictions = []

    def setup(self, estimator, context):
        self.calls.append("setup")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        self.calls.append(f"begin {context.task_name} {context.task_id}")
        self.tasks.append(context)
        self.seen = X, y

    def on_fit_task_end(self, estimator, context, *, metadata=None, fitted_estimator=None):
        self.calls.append(f"end {context.task_name} {context.task_id}")
        self.metadata = metadata
        if context.task_name == "epoch":
            self.predictions.append(fitted_estimator.predict(X))
            return self.reaction(context.task_id + 1, fitted_estimator)

    def teardown(self, estimator, context):
        self.calls.append("teardown")


# -------------------------------------------------------------------- where there are none yet


def test_an_older_scikit_learn_says_what_to_upgrade(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.callback", None)
    path = sknumpynet._compat.__file__
    spec = importlib.util.spec_from_file_location("compat_of_an_older_one", path)
    compat = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(compat)
    with pytest.raises(ImportError, match=r"need scikit-learn >= 1.9.*pip install -U scikit-learn"):
        compat.CallbackSupportMixin().set_callbacks(ValidationMonitor(X, NUMBERS))
    with pytest.raises(ImportError, match=sklearn.__version__.replace(".", r"\.")):
        compat.CallbackSupportMixin().set_callbacks()
    assert compat.with_callbacks(len) is len
    hooks = compat.EpochHooks(new(), {}, 3, dict)
    hooks.begin_epoch()
    assert not hooks.end_epoch()
    hooks.end()


@pytest.mark.skipif(theirs is not None, reason="scikit-learn has callbacks")
@pytest.mark.parametrize("cls", BOTH)
def test_set_callbacks_without_callbacks(cls):
    with pytest.raises(ImportError, match=r"need scikit-learn >= 1.9"):
        new(cls).set_callbacks(Recorder())


# -------------------------------------------------------------------- the protocol


@needs_callbacks
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", BOTH)
def test_epochs_are_direct_children_of_the_root_task(cls, solver):
    recorder = Recorder()
    model = new(cls, solver=solver, max_iter=3).set_callbacks(recorder)
    model.fit(*data_for(cls))
    root, *epochs = recorder.tasks
    assert root.parent is None and root.max_subtasks == 3
    assert [epoch.parent is root for epoch in epochs] == [True] * 3
    assert [epoch.task_id for epoch in epochs] == [0, 1, 2]
    calls = [f"{when} epoch {i}" for i in range(3) for when in ("begin", "end")]
    assert recorder.calls[0] == "setup" and recorder.calls[-1] == "teardown"
    assert recorder.calls[2:-2] == calls
    assert recorder.calls[1].startswith("begin") and recorder.calls[-2].startswith("end")


@needs_callbacks
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", BOTH)
def test_watching_changes_nothing(cls, solver):
    recorder = Recorder()
    watched = new(cls, solver=solver, dropout=0.2 * (solver != "lbfgs")).set_callbacks(recorder)
    watched.fit(*data_for(cls))
    plain = clone(new(cls, **watched.get_params())).fit(*data_for(cls))
    assert_same_fit(watched, plain)
    assert_array_equal(recorder.predictions[-1], plain.predict(X))
    assert len(recorder.predictions) == 6


@needs_callbacks
@pytest.mark.parametrize("solver", SOLVERS)
def test_what_is_handed_out_is_the_network_of_that_epoch(solver):
    recorder = Recorder()
    new(solver=solver).set_callbacks(recorder).fit(X, NUMBERS)
    for n, predicted in enumerate(recorder.predictions, 1):
        assert_array_equal(predicted, new(solver=solver, max_iter=n).fit(X, NUMBERS).predict(X))


@needs_callbacks
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", BOTH)
def test_what_is_handed_out_is_a_copy(cls, solver):
    kept = []

    def spoil(epoch, fitted):
        kept.append(fitted)
        for array in (*fitted.coefs_, *fitted.intercepts_):
            array[...] = 1e6
        fitted.coefs_ = [np.zeros_like(W) for W in fitted.coefs_]
        fitted.set_params(alpha=1e9)

    recorder = Recorder(spoil)
    watched = new(cls, solver=solver).set_callbacks(recorder).fit(*data_for(cls))
    assert_same_fit(watched, new(cls, solver=solver).fit(*data_for(cls)))
    assert watched.alpha == 0.0001
    assert len({id(each._model.network) for each in kept}) == 6


@needs_callbacks
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", BOTH)
def test_a_hook_that_returns_true_stops_the_fit(cls, solver):
    recorder = Recorder(lambda epoch, fitted: epoch == 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = new(cls, solver=solver, max_iter=100).set_callbacks(recorder).fit(*data_for(cls))
    assert model.n_iter_ == 3
    assert recorder.calls[-2].startswith("end") and recorder.calls[-1] == "teardown"
    assert_same_fit(model, new(cls, solver=solver, max_iter=3).fit(*data_for(cls)))


@needs_callbacks
def test_a_hook_stops_early_stopping_with_the_best_weights():
    params = {"early_stopping": True, "max_iter": 40, "learning_rate_init": 0.1}
    recorder = Recorder(lambda epoch, fitted: epoch == 20)
    model = new(**params).set_callbacks(recorder).fit(X, NUMBERS)
    assert model.n_iter_ == 20
    best = int(np.argmax(model.validation_scores_))
    assert_array_equal(model.predict(X), recorder.predictions[best])


@needs_callbacks
def test_hooks_see_the_data():
    recorder = Recorder()
    weights = np.ones(90)
    new().set_callbacks(recorder).fit(X, NUMBERS, weights)
    assert_array_equal(recorder.seen[0], X)
    assert_array_equal(recorder.seen[1], NUMBERS)
    assert_array_equal(recorder.metadata["sample_weight"], weights)


@needs_callbacks
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", BOTH)
def test_an_error_in_a_hook_leaves_the_estimator_as_it_was(cls, solver):
    def fail(epoch, fitted):
        raise RuntimeError("out of paper")

    recorder = Recorder()
    model = new(cls, solver=solver).set_callbacks(recorder).fit(*data_for(cls))
    state, predicted = fitted_state(model._model.network), model.predict(X)
    recorder.reaction = fail
    names = set(vars(model))
    with pytest.raises(RuntimeError, match="out of paper"):
        model.fit(*data_for(cls))
    assert fitted_state(model._model.network) == state
    assert set(vars(model)) == names
    assert_array_equal(model.predict(X), predicted)
    assert recorder.calls[-1] == "teardown"


class Failing(Recorder):
    """Raises in the hook of that name."""

    def __init__(self, hook):
        super().__init__()
        self.hook = hook

    def setup(self, estimator, context):
        super().setup(estimator, context)
        self.fail("setup")

    def on_fit_task_begin(self, estimator, context):
        self.fail(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context):
        self.fail(f"end {context.task_name}")

    def teardown(self, estimator, context):
        super().teardown(estimator, context)
        self.fail("teardown")

    def fail(self, hook):
        if hook == self.hook:
            raise RuntimeError("out of paper")


HOOKS = ["setup", "begin fit", "begin epoch", "end epoch", "end fit", "teardown"]


@needs_callbacks
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", BOTH)
def test_whichever_hook_raises_the_estimator_is_as_it_was(cls, solver, hook):
    recorder = Recorder()
    unfitted = new(cls, solver=solver).set_callbacks(Failing(hook), recorder)
    before = dict(vars(unfitted))
    with pytest.raises(RuntimeError, match="out of paper"):
        unfitted.fit(*data_for(cls))
    assert vars(unfitted) == before
    assert (recorder.calls or ["teardown"])[-1] == "teardown"
    # the callbacks hold no state of the model, so that the comparison is of the model
    model = new(cls, solver=solver, warm_start=True).fit(*data_for(cls))
    before, predicted = fitted_state(model), model.predict(X)
    model.set_callbacks(Failing(hook))
    with pytest.raises(RuntimeError, match="out of paper"):
        model.fit(*data_for(cls))
    assert_array_equal(model.predict(X), predicted)
    assert fitted_state(model.set_callbacks()) == before


@needs_callbacks
def test_two_teardowns_that_raise_leave_the_estimator_as_it_was():
    model = new().fit(X, NUMBERS)
    before = fitted_state(model)
    model.set_callbacks(Failing("teardown"), Failing("teardown"))
    with pytest.raises(Exception, match="teardown errors"):
        model.fit(X, NUMBERS)
    assert fitted_state(model.set_callbacks()) == before


@needs_callbacks
@pytest.mark.parametrize("cls", BOTH)
def test_partial_fit_says_once_that_it_calls_no_callbacks(cls):
    recorder, other = Recorder(), Recorder()
    X, y = data_for(cls)
    first = {"classes": [0, 1, 2]} if cls is NumpyMLPClassifier else {}
    model = new(cls).set_callbacks(recorder)
    with pytest.warns(UserWarning, match="partial_fit does not call the callbacks") as caught:
        model.partial_fit(X, y, **first)
    assert [warning.filename for warning in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.partial_fit(X, y)
        copy.deepcopy(model).partial_fit(X, y)
        model.set_callbacks().partial_fit(X, y)
    model.set_callbacks(other)
    with pytest.warns(UserWarning, match="partial_fit does not call the callbacks"):
        model.partial_fit(X, y)
    assert recorder.calls == other.calls == []
    plain = new(cls)
    for _ in range(4):
        plain.partial_fit(X, y, **first)
    assert_same_fit(model, plain)
    model.fit(X, y)
    assert other.calls


# -------------------------------------------------------------------- scikit-learn's own


@needs_callbacks
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", BOTH)
def test_scoring_monitor(cls, solver):
    monitor = theirs.ScoringMonitor(scoring="accuracy" if cls is NumpyMLPClassifier else "r2")
    model = new(cls, solver=solver).set_callbacks(monitor).fit(*data_for(cls))
    log = monitor.get_logs()
    scores = [
        value for row in log.data for name, value in row.items() if name in ("accuracy", "r2")
    ]
    assert len(scores) >= 6
    assert scores[-1] == pytest.approx(model.score(*data_for(cls)))


@needs_callbacks
def test_progress_bar(capsys):
    pytest.importorskip("rich")
    new().set_callbacks(theirs.ProgressBar()).fit(X, NUMBERS)
    assert capsys.readouterr().out


@needs_callbacks
@pytest.mark.parametrize("cls", BOTH)
def test_inside_a_pipeline_and_a_grid_search(cls):
    name = "accuracy" if cls is NumpyMLPClassifier else "r2"
    X, y = data_for(cls)
    monitor = theirs.ScoringMonitor(scoring=name)
    pipeline = make_pipeline(StandardScaler(), new(cls, max_iter=4).set_callbacks(monitor)).fit(
        X, y
    )
    assert_same_fit(pipeline[-1], new(cls, max_iter=4).fit(StandardScaler().fit_transform(X), y))
    assert len([row for row in monitor.get_logs().data if name in row]) >= 4
    monitor = theirs.ScoringMonitor(scoring=name)
    network = new(cls, max_iter=3).set_callbacks(monitor)
    search = GridSearchCV(network, {"alpha": [0.1, 0.01]}, cv=2).fit(X, y)
    plain = GridSearchCV(new(cls, max_iter=3), {"alpha": [0.1, 0.01]}, cv=2).fit(X, y)
    assert_array_equal(search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])
    assert_same_fit(search.best_estimator_, plain.best_estimator_)
    # four fits and the last one on all rows, three epochs each
    assert len([row for row in monitor.get_logs().data if name in row]) >= 15


# -------------------------------------------------------------------- ValidationMonitor


@needs_callbacks
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", BOTH)
def test_validation_monitor(cls, solver):
    X, y = data_for(cls)
    monitor = ValidationMonitor(X[60:], y[60:])
    model = new(cls, solver=solver).set_callbacks(monitor).fit(X[:60], y[:60])
    plain = new(cls, solver=solver).fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    assert monitor.epochs_ == [1, 2, 3, 4, 5, 6]
    np.testing.assert_allclose(monitor.scores_, plain.history_["validation_score"], rtol=1e-9)
    assert_same_fit(model, plain)


@needs_callbacks
def test_validation_monitor_every_so_often_with_a_scorer_and_anew_for_each_fit():
    monitor = ValidationMonitor(X, NUMBERS, scoring="neg_mean_absolute_error", every=2)
    model = new(max_iter=5).set_callbacks(monitor)
    for _ in range(2):
        model.fit(X, NUMBERS)
        assert monitor.epochs_ == [2, 4]
        assert len(monitor.scores_) == 2
    expected = -np.abs(new(max_iter=4).fit(X, NUMBERS).predict(X) - NUMBERS).mean()
    assert monitor.scores_[-1] == pytest.approx(expected)


@needs_callbacks
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("every", [0, -1, 2.5, "2", None])
def test_validation_monitor_names_invalid_arguments_before_the_fit(every, solver):
    recorder = Recorder()
    model = new(solver=solver).set_callbacks(recorder, ValidationMonitor(X, NUMBERS, every=every))
    with pytest.raises(
        ValueError, match=f"'every' parameter of ValidationMonitor must be .*{every!r}"
    ):
        model.fit(X, NUMBERS)
    assert recorder.tasks == []
    assert not hasattr(model, "coefs_")


# -------------------------------------------------------------------- LogEpochs


def rows_of(history):
    """The record as a list of rows."""
    return [
        dict(zip(history, values, strict=True)) for values in zip(*history.values(), strict=True)
    ]


@needs_callbacks
@pytest.mark.parametrize("validated", ["no", "given", "early stopping"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cls", BOTH)
def test_each_row_of_the_record_is_handed_over(cls, solver, validated):
    X, y = data_for(cls)
    rows, given = [], {} if validated == "no" else {"X_val": X[60:], "y_val": y[60:]}
    params = {"solver": solver, "warm_start": True}
    if validated == "early stopping":
        params |= {"early_stopping": True, "max_iter": 30}
    model = new(cls, **params).set_callbacks(sknumpynet.LogEpochs(rows.append))
    model.fit(X, y, **given)
    assert len(rows) >= 2
    np.testing.assert_equal(rows, rows_of(model.history_))
    rows.clear()
    model.fit(X, y, **given)  # counts on, as the record does
    np.testing.assert_equal(rows, rows_of(model.history_)[-len(rows) :])
    assert len(rows) == model.n_iter_


@needs_callbacks
def test_rows_are_handed_over_while_the_fit_runs():
    def stop(row):
        raise Crash(row["epoch"])

    with pytest.raises(Crash, match="1"):
        new().set_callbacks(sknumpynet.LogEpochs(stop)).fit(X, NUMBERS)
    with pytest.raises(TypeError, match="function must be a function"):
        new().set_callbacks(sknumpynet.LogEpochs("name")).fit(X, NUMBERS)


@needs_callbacks
def test_rows_are_handed_over_in_pipelines_and_searches():
    rows = []
    network = new(max_iter=3).set_callbacks(sknumpynet.LogEpochs(rows.append))
    make_pipeline(StandardScaler(), network).fit(X, NUMBERS)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    rows.clear()
    GridSearchCV(network, {"alpha": [0.1, 1]}, cv=2).fit(X, NUMBERS)
    assert [row["epoch"] for row in rows] == [1, 2, 3] * 5


# -------------------------------------------------------------------- Checkpoint


class Crash(Exception):
    """Stands for a killed process, as far as the file is concerned."""


class CrashAt(Recorder):
    """Raises after the given epoch, once the checkpoint before it in the list has been written."""

    def __init__(self, epoch, error=Crash):
        def crash(epoch_now, fitted):
            if epoch_now == epoch:
                raise error

        super().__init__(crash)


RESUMED = {
    "adam": {},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.05},
    "sgd, plain momentum": {"solver": "sgd", "nesterovs_momentum": False},
    "sgd, invscaling": {"solver": "sgd", "learning_rate": "invscaling"},
    # a plateau after each second epoch: the rate has to go down once, not twice or never
    "sgd, adaptive": {
        "solver": "sgd", "learning_rate": "adaptive", "tol": 10.0, "n_iter_no_change": 1,
    },
    "adamw, one cycle": {"solver": AdamW(0.1), "learning_rate": "one_cycle"},
    "lion, cosine": {"solver": "lion", "learning_rate": "cosine"},
    "nadam": {"solver": "nadam"},
    "amsgrad": {"solver": "amsgrad"},
    "rmsprop": {"solver": "rmsprop"},
    "rprop": {"solver": "rprop", "batch_size": 90},
    "early stopping": {"early_stopping": True, "learning_rate_init": 0.05},
    "early stopping that ends": {
        "early_stopping": True, "tol": 10.0, "n_iter_no_change": 3, "learning_rate_init": 0.05,
    },
    "the loss that ends it": {"tol": 10.0, "n_iter_no_change": 3},
    "dropout": {"dropout": [0.1, 0.3, 0.2]},
    "batch norm": {"normalization": "batch"},
    "layer norm, dropout, early stopping": {
        "normalization": "layer", "dropout": 0.3, "early_stopping": True,
    },
    "no shuffling": {"shuffle": False},
    "float32": {"dtype": "float32", "dropout": 0.3},
}  # fmt: skip


def fit_broken_off(model, path, epoch, data, error=Crash, **fit_params):
    """Fit with a checkpoint until the crash after that epoch, in an estimator that is thrown away."""
    broken = clone(model).set_callbacks(Checkpoint(path), CrashAt(epoch, error))
    with pytest.raises(error):
        broken.fit(*data, **fit_params)
    assert Path(path).exists()


@needs_callbacks
@pytest.mark.parametrize("epoch", [1, 2, 4, 5, 7, 8])
@pytest.mark.parametrize("params", RESUMED.values(), ids=RESUMED)
@pytest.mark.parametrize("cls", BOTH)
def test_resumed_fit_is_bit_identical(cls, params, epoch, tmp_path):
    path, data = tmp_path / "fit.checkpoint", data_for(cls)
    model = new(cls, **{"batch_size": 20, "max_iter": 8, **params})
    whole = clone(model).fit(*data)
    if epoch > whole.n_iter_:
        pytest.skip("the fit is over by then")
    fit_broken_off(model, path, epoch, data)
    recorder = Recorder()
    resumed = clone(model).set_callbacks(Checkpoint(path), recorder).fit(*data)
    assert_same_fit(resumed, whole)
    assert not path.exists()
    assert len(recorder.predictions) == whole.n_iter_ - epoch
    for name in ("n_iter_", "t_", "loss_", "loss_curve_", "best_loss_", "validation_scores_"):
        assert getattr(resumed, name) == getattr(whole, name), name
    resumed.partial_fit(*data) if not model.early_stopping else None
    if not model.early_stopping:
        assert_same_fit(resumed, whole.partial_fit(*data))


@needs_callbacks
def test_a_fit_is_broken_off_twice(tmp_path):
    path, model = tmp_path / "fit.checkpoint", new(batch_size=20, dropout=0.2)
    for epoch in (2, 4):  # the second one counts on
        broken = clone(model).set_callbacks(Checkpoint(path), CrashAt(epoch))
        with pytest.raises(Crash):
            broken.fit(X, NUMBERS)
    resumed = clone(model).set_callbacks(Checkpoint(path)).fit(X, NUMBERS)
    assert_same_fit(resumed, clone(model).fit(X, NUMBERS))


@needs_callbacks
@pytest.mark.parametrize("epoch", [1, 4, 7])
@pytest.mark.parametrize("every", [1, 3])
def test_a_resumed_fit_counts_on(epoch, every, tmp_path):
    """Epochs have the numbers that they would have had: for whoever stops, scores and shows by them."""
    path = tmp_path / "fit.checkpoint"
    model = new(max_iter=12, batch_size=20)

    def callbacks():
        stopping = Recorder(lambda epoch, fitted: epoch == 10)
        return ValidationMonitor(X, NUMBERS, every=2), stopping

    monitor, stopping = callbacks()
    whole = clone(model).set_callbacks(monitor, stopping).fit(X, NUMBERS)
    assert (monitor.epochs_, whole.n_iter_) == ([2, 4, 6, 8, 10], 10)
    again = callbacks()
    broken = clone(model).set_callbacks(Checkpoint(path, every=every), *again, CrashAt(epoch))
    with pytest.raises(Crash):
        broken.fit(X, NUMBERS)
    later, recorder = callbacks()
    resumed = clone(model).set_callbacks(Checkpoint(path, every=every), later, recorder)
    resumed.fit(X, NUMBERS)
    done = epoch - epoch % every
    assert [context.task_id for context in recorder.tasks[1:]] == list(range(done, 10))
    assert all(context.parent is recorder.tasks[0] for context in recorder.tasks[1:])
    assert recorder.tasks[0].max_subtasks == 12
    n = len(later.epochs_)
    assert later.epochs_ == [each for each in monitor.epochs_ if each > done]
    assert later.scores_ == monitor.scores_[len(monitor.scores_) - n :]
    assert resumed.n_iter_ == 10
    assert_same_fit(resumed, whole)


@needs_callbacks
def test_a_resumed_fit_writes_at_the_same_epochs(tmp_path):
    path, written = tmp_path / "fit.checkpoint", []
    model = new(max_iter=12)
    with pytest.raises(Crash):
        clone(model).set_callbacks(Checkpoint(path, every=5), CrashAt(7)).fit(X, NUMBERS)
    seen = Recorder(lambda epoch, fitted: written.append((epoch, path.stat().st_mtime_ns)))
    clone(model).set_callbacks(Checkpoint(path, every=5), seen).fit(X, NUMBERS)
    times = dict(written)
    assert list(times) == list(range(6, 13))
    assert times[6] == times[9] < times[10] == times[12]


@needs_callbacks
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_fit_without_a_seed_resumes(early_stopping, tmp_path):
    """The draws, and the rows set aside, are those of the interrupted fit."""
    path = tmp_path / "fit.checkpoint"
    model = new(random_state=None, early_stopping=early_stopping, batch_size=20)
    np.random.seed(3)
    whole = clone(model).fit(X, NUMBERS)
    np.random.seed(3)
    fit_broken_off(model, path, 3, (X, NUMBERS))
    np.random.seed(4)
    assert_same_fit(clone(model).set_callbacks(Checkpoint(path)).fit(X, NUMBERS), whole)


@needs_callbacks
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_fit_with_validation_data_and_weights_resumes(early_stopping, tmp_path):
    path = tmp_path / "fit.checkpoint"
    model = new(batch_size=20, early_stopping=early_stopping, normalization="batch")
    weights = np.random.RandomState(1).uniform(size=90)
    given = {"sample_weight": weights, "X_val": X[:20] + 0.1, "y_val": NUMBERS[:20]}
    fit_broken_off(model, path, 3, (X, NUMBERS), **given)
    resumed = clone(model).set_callbacks(Checkpoint(path)).fit(X, NUMBERS, **given)
    whole = clone(model).fit(X, NUMBERS, **given)
    assert_same_fit(resumed, whole)
    assert resumed.validation_scores_ == whole.validation_scores_
    assert len(resumed.history_["seconds"]) == 6


@needs_callbacks
def test_ctrl_c_keeps_the_file(tmp_path):
    path = tmp_path / "fit.checkpoint"
    model = new(batch_size=20).set_callbacks(Checkpoint(path), CrashAt(3, error=KeyboardInterrupt))
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.fit(X, NUMBERS)
    assert path.exists()
    resumed = new(batch_size=20).set_callbacks(Checkpoint(path)).fit(X, NUMBERS)
    assert not path.exists()
    assert_same_fit(resumed, new(batch_size=20).fit(X, NUMBERS))


@needs_callbacks
def test_the_file_is_removed_after_a_fit_that_ends(tmp_path):
    path = tmp_path / "fit.checkpoint"
    seen = []
    recorder = Recorder(lambda epoch, fitted: seen.append(path.exists()))
    new().set_callbacks(Checkpoint(path), recorder).fit(X, NUMBERS)
    assert seen == [True] * 6
    assert list(tmp_path.iterdir()) == []


@needs_callbacks
def test_every_and_seconds(tmp_path, monkeypatch):
    path, written = tmp_path / "fit.checkpoint", []
    write = Checkpoint._write
    monkeypatch.setattr(
        Checkpoint,
        "_write",
        lambda self, state: (
            written.append(len(state["monitor"]["history"]["loss"])),
            write(self, state),
        ),
    )
    new(max_iter=7).set_callbacks(Checkpoint(path, every=3)).fit(X, NUMBERS)
    assert written == [3, 6]
    written.clear()
    new(max_iter=7).set_callbacks(Checkpoint(path, seconds=1000.0)).fit(X, NUMBERS)
    assert written == []
    # resumed from epoch 3, though the crash came after epoch 5
    model = new(max_iter=7)
    broken = clone(model).set_callbacks(Checkpoint(path, every=3), CrashAt(5))
    with pytest.raises(Crash):
        broken.fit(X, NUMBERS)
    recorder = Recorder()
    resumed = clone(model).set_callbacks(Checkpoint(path), recorder).fit(X, NUMBERS)
    assert len(recorder.predictions) == 4
    assert_same_fit(resumed, clone(model).fit(X, NUMBERS))


@needs_callbacks
@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"alpha": 0.5}, "alpha"),
        ({"hidden_layer_sizes": (6, 4)}, "hidden_layer_sizes"),
        ({"max_iter": 7, "tol": 0.1}, "max_iter, tol"),
        ({"solver": AdamW(0.3)}, "solver"),
        ({"random_state": 1}, "random_state"),
        ({"loss": Quantile(0.3)}, "loss"),
    ],
)
def test_a_file_of_another_fit_raises_and_stays(change, names, tmp_path):
    path = tmp_path / "fit.checkpoint"
    fit_broken_off(new(solver=AdamW(0.2)), path, 3, (X, NUMBERS))
    content = path.read_bytes()
    other = new(**{"solver": AdamW(0.2), **change}).set_callbacks(Checkpoint(path))
    with pytest.raises(ValueError, match=f"is of another fit: {names} differ.*or remove the file"):
        other.fit(X, NUMBERS)
    assert path.read_bytes() == content
    assert not hasattr(other, "coefs_")


@needs_callbacks
@pytest.mark.parametrize(
    "data",
    [
        (X[:80], NUMBERS[:80]),
        (X[:, :3], NUMBERS),
        (X.astype(np.float32), NUMBERS),
        (X, np.c_[NUMBERS, NUMBERS]),
        (X, NUMBERS, np.ones(90)),
    ],
)
def test_a_file_of_other_data_raises(data, tmp_path):
    path = tmp_path / "fit.checkpoint"
    fit_broken_off(new(), path, 3, (X, NUMBERS))
    with pytest.raises(ValueError, match="is of another fit: data differ"):
        new().set_callbacks(Checkpoint(path)).fit(*data)


@needs_callbacks
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"X_val": X, "y_val": NUMBERS}),
        ({"X_val": X[:5], "y_val": NUMBERS[:5]}, {"X_val": X, "y_val": NUMBERS}),
    ],
)
def test_a_file_of_other_validation_data_raises(first, second, tmp_path):
    path = tmp_path / "fit.checkpoint"
    fit_broken_off(new(), path, 3, (X, NUMBERS), **first)
    with pytest.raises(ValueError, match="is of another fit: validation data differ"):
        new().set_callbacks(Checkpoint(path)).fit(X, NUMBERS, **second)


@needs_callbacks
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(
    "changed, change",
    [
        *((name, np.flipud) for name in ("X", "y", "sample_weight", "y_val")),
        *((name, np.negative) for name in ("X", "y", "y_val")),
    ],
)
def test_a_file_of_other_values_raises(changed, change, sparse, tmp_path):
    """The rows of another split are as many, but rows of its test set have been trained on."""
    path = tmp_path / "fit.checkpoint"
    to_given = csr_matrix if sparse else np.asarray
    data = {"X": X, "y": NUMBERS, "sample_weight": np.linspace(1, 2, len(X)), "y_val": NUMBERS[:9]}

    def given(data):
        validation = {"X_val": to_given(X[:9]), "y_val": data["y_val"]}
        return {**data, **validation, "X": to_given(data["X"])}

    with pytest.raises(Crash):
        new().set_callbacks(Checkpoint(path), CrashAt(3)).fit(**given(data))
    other = {**data, changed: change(data[changed])}
    with pytest.raises(ValueError, match="is of another fit: values of the data differ"):
        new().set_callbacks(Checkpoint(path)).fit(**given(other))
    rounded = {**data, changed: data[changed] * (1 + 1e-14)}  # as on another processor
    assert new().set_callbacks(Checkpoint(path)).fit(**given(rounded)).n_iter_ == new().max_iter


def with_functions(factor=0.01, seed=0):
    """A network that is made of functions without a name and of a RandomState, anew in each call."""
    return new(
        learning_rate=lambda step: factor / (1 + step),
        activation=(lambda z: np.sin(z), lambda z: np.cos(z)),
        loss=CubicError(),
        random_state=np.random.RandomState(seed),
    )


class CubicError(Loss):
    """It holds a function that no pickle takes."""

    def __init__(self):
        self.size = lambda e: np.abs(e)

    def terms_and_gradient(self, y, raw, gradient, scratch):
        np.subtract(raw, y, out=scratch)
        np.multiply(scratch, self.size(scratch), out=gradient)
        return self.size(scratch) ** 3 / 3


def break_off(make, path):
    with pytest.raises(Crash):
        make().set_callbacks(Checkpoint(path), CrashAt(3)).fit(X, NUMBERS)
    assert Path(path).exists()


@needs_callbacks
def test_a_fit_of_functions_and_a_random_state_resumes(tmp_path):
    path = tmp_path / "fit.checkpoint"
    break_off(with_functions, path)
    model, recorder = with_functions(), Recorder()
    model.set_callbacks(Checkpoint(path), recorder).fit(X, NUMBERS)
    assert len(recorder.predictions) == 3
    whole = with_functions().fit(X, NUMBERS)
    assert_same_fit(model, whole)
    # the generator stands where the whole fit left it
    assert model.random_state.randint(10**9) == whole.random_state.randint(10**9)


@needs_callbacks
@pytest.mark.parametrize(
    ("change", "name"), [({"factor": 0.02}, "learning_rate"), ({"seed": 1}, "random_state")]
)
def test_other_functions_and_other_random_states_are_told_apart(change, name, tmp_path):
    path = tmp_path / "fit.checkpoint"
    break_off(with_functions, path)
    with pytest.raises(ValueError, match=f"is of another fit: {name} differ"):
        with_functions(**change).set_callbacks(Checkpoint(path)).fit(X, NUMBERS)


def test_the_fingerprint_is_the_same_in_another_process():
    """A script describes the same things twice, under another hash seed and at other addresses."""
    script = """
import functools, numpy as np
from sknumpynet import Quantile
from sknumpynet.fitting.fingerprint import described
class Own:
    def __init__(self): self.power = 2
    def __call__(self, step): return 1 / step
k = 3
def outer():
    inside = 5
    return lambda step, a=[1]: [inside * n for n in range(step)] + a
for thing in (outer(), Own(), Own().__call__, np.sin, len, functools.partial(outer, 1),
              np.random.RandomState(0), np.arange(3000), {"a": [outer(), 1.5]}, Quantile([0.1, 0.9]),
              lambda step: step in {"a", "b", "c", "d", 1, None, (2, "e")}, {"a", "b", "c", "d"},
              frozenset("abcd"), {each: 1 for each in {"a", "b", "c", "d"}}, [{"x", "y", "z"}],
              lambda step, default=frozenset("abcd"): [n in {"x", "y", "z"} for n in default]):
    print(described(thing))
"""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(outputs) == 1 and " at 0x" not in outputs.pop()


def test_the_fingerprint_tells_values_apart():
    def make(factor, base=1):
        return lambda step: factor * step + base

    things = [
        make(1), make(2), make(1, 2), lambda step: 3, lambda step: 4, np.sin, np.cos, len,
        np.random.RandomState(0), np.random.RandomState(1), np.arange(3000), np.arange(3000.0),
        np.arange(1, 3001), {"a": 1}, {"a": 2}, [1], (1,), Quantile(0.3), AdamW(0.3), AdamW(0.2),
        functools.partial(make, 1), functools.partial(make, 2), {1, 2}, frozenset({1, 2}), {1, 3},
        lambda step: step in {1, 2}, lambda step: step in {1, 3},
    ]  # fmt: skip
    assert len({described(thing) for thing in things}) == len(things)
    assert described(make(1)) == described(make(1))


@needs_callbacks
def test_a_set_constant_resumes_in_another_process(tmp_path):
    """A rate that looks into a set, whose order is another in every process."""
    script = """
import sys, numpy as np
from sknumpynet import Checkpoint, NumpyMLPRegressor
class Crash:
    def setup(self, estimator, context): pass
    def on_fit_task_begin(self, estimator, context): pass
    def on_fit_task_end(self, estimator, context):
        if context.task_id + 1 == int(sys.argv[2]): raise SystemExit
    def teardown(self, estimator, context): pass
X = np.random.RandomState(0).normal(size=(40, 2))
def rate(step): return 0.01 if str(step) in {"1", "3", "5", "7", "9", "11"} else 0.001
model = NumpyMLPRegressor(hidden_layer_sizes=(3,), max_iter=5, random_state=0, learning_rate=rate)
print(model.set_callbacks(Checkpoint(sys.argv[1]), Crash()).fit(X, X[:, 0]).n_iter_)
"""
    for seed, epoch, says in (("1", "3", ""), ("2", "9", "5\n")):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script, str(tmp_path / "fit.checkpoint"), epoch],
            capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        assert done.stdout == says


@needs_callbacks
def test_verbose_may_differ(tmp_path, capsys):
    path = tmp_path / "fit.checkpoint"
    fit_broken_off(new(), path, 3, (X, NUMBERS))
    new(verbose=True).set_callbacks(Checkpoint(path)).fit(X, NUMBERS)
    lines = [line.split(",")[0] for line in capsys.readouterr().out.splitlines()]
    assert lines == ["Iteration 4", "Iteration 5", "Iteration 6"]


@needs_callbacks
def test_writing_is_all_or_nothing(tmp_path, monkeypatch):
    """A writing that breaks off leaves the file of before, and nothing beside it."""
    path = tmp_path / "fit.checkpoint"
    write, calls = _container._write_zip, []

    def write_half(file, header, arrays):
        calls.append(1)
        if len(calls) == 3:
            file.write(b"half")
            raise OSError("disk full")
        write(file, header, arrays)

    monkeypatch.setattr(_container, "_write_zip", write_half)
    with pytest.raises(OSError, match="disk full"):
        new().set_callbacks(Checkpoint(path)).fit(X, NUMBERS)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == [path]
    recorder = Recorder()
    resumed = new().set_callbacks(Checkpoint(path), recorder).fit(X, NUMBERS)
    assert len(recorder.predictions) == 4
    assert_same_fit(resumed, new().fit(X, NUMBERS))


@needs_callbacks
@pytest.mark.parametrize("fit_inside", ["pipeline", "search"])
def test_checkpoint_is_refused_inside_a_meta_estimator(fit_inside, tmp_path):
    network = new().set_callbacks(Checkpoint(tmp_path / "fit.checkpoint"))
    outer = make_pipeline(StandardScaler(), network)
    if fit_inside == "search":
        outer = GridSearchCV(network, {"alpha": [0.1]}, cv=2, error_score="raise")
    with pytest.raises(ValueError, match="cannot be used inside a meta-estimator"):
        outer.fit(X, NUMBERS)
    assert list(tmp_path.iterdir()) == []


@needs_callbacks
def test_checkpoint_is_refused_for_lbfgs(tmp_path):
    model = new(solver="lbfgs").set_callbacks(Checkpoint(tmp_path / "fit.checkpoint"))
    with pytest.raises(ValueError, match="needs a stochastic solver"):
        model.fit(X, NUMBERS)


@needs_callbacks
def test_an_estimator_with_a_checkpoint_is_copied_and_pickled(tmp_path):
    model = new().set_callbacks(Checkpoint(tmp_path / "fit.checkpoint", every=2)).fit(X, NUMBERS)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_array_equal(twin.predict(X), model.predict(X))
        assert_same_fit(twin.fit(X, NUMBERS), model)


@needs_callbacks
@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        ("r_2", r"scoring='r_2' is not a valid scoring value.*Did you mean scoring='r2'\?"),
        (lambda estimator, X, y: None, "scoring=.* must return a number; it returned None"),
    ],
)
def test_scoring_of_a_monitor(scoring, message):
    X = np.linspace(0, 1, 12).reshape(-1, 1)
    monitor = ValidationMonitor(X, X.ravel(), scoring=scoring)
    model = NumpyMLPRegressor(hidden_layer_sizes=(2,), max_iter=2).set_callbacks(monitor)
    with pytest.raises(ValueError, match=message):
        model.fit(X, X.ravel())
