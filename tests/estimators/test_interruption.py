# SPDX-License-Identifier: BSD-3-Clause
"""Ctrl-C keeps the weights so far; an error restores the estimator; threads may share an estimator."""

import copy
import signal
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from fitted_state import fitted_state
from memory import peak_bytes
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.core.losses import BinaryLogLoss, MultinomialLogLoss, SquaredError
from sknumpynet.core.training.history import History

rng = np.random.RandomState(0)
X = rng.normal(size=(80, 4))
NUMBERS = X[:, 0] - 2 * X[:, 1]
CLASSES = np.array(["a", "b", "c"])[np.arange(80) % 3]
STEPS = 4  # of an epoch: 80 rows in batches of 20
INTERRUPTED = "Training interrupted by user"


class Failed(Exception):
    """Not one of those that scikit-learn knows."""


def new(**params):
    settings = {"hidden_layer_sizes": (6, 5), "batch_size": 20, "max_iter": 6, "random_state": 0}
    return NumpyMLPRegressor(**{**settings, **params})


@pytest.fixture
def stop(monkeypatch):
    """A function: from then on, the given error is raised by the loss of that step, counted from 1."""

    def stop_at(step, error=KeyboardInterrupt):
        count = 0
        for Loss in (SquaredError, BinaryLogLoss, MultinomialLogLoss):

            def value_and_gradient(self, *args, original=Loss.value_and_gradient, **options):
                nonlocal count
                count += 1
                if count == step:
                    raise error
                return original(self, *args, **options)

            patches.setattr(Loss, "value_and_gradient", value_and_gradient)

    with monkeypatch.context() as patches:
        stop_at.undo = patches.undo
        yield stop_at


def assert_same_weights(one, two):
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(one, name), getattr(two, name), strict=True):
            assert_array_equal(a, b)


# ---------------------------------------------------------------- Ctrl-C


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("shuffle", [True, False])
def test_an_interrupted_fit_keeps_the_epochs_done(stop, solver, shuffle):
    whole = new(solver=solver, shuffle=shuffle, max_iter=3).fit(X, NUMBERS)
    stop(3 * STEPS + 1)
    with pytest.warns(UserWarning, match=INTERRUPTED) as caught:
        model = new(solver=solver, shuffle=shuffle, max_iter=50).fit(X, NUMBERS)
    assert len(caught) == 1  # and no word about convergence
    assert caught[0].filename == __file__  # it points to the call of fit
    assert_same_weights(model, whole)
    assert model.loss_curve_ == whole.loss_curve_
    assert (model.n_iter_, model.t_, model.loss_) == (3, 240, whole.loss_)
    assert model.best_loss_ == whole.best_loss_
    assert_array_equal(model.predict(X), whole.predict(X))


def test_the_steps_of_an_unfinished_epoch_are_kept_too(stop):
    after_two = new(max_iter=2).fit(X, NUMBERS)
    stop(2 * STEPS + 3)
    with pytest.warns(UserWarning, match=INTERRUPTED):
        model = new().fit(X, NUMBERS)
    assert model.n_iter_ == 2
    moved = np.abs(model.coefs_[0] - after_two.coefs_[0]).max()
    assert 0 < moved < 3 * model.learning_rate_init


@pytest.mark.parametrize(
    "params", [{}, {"early_stopping": True}, {"solver": "sgd"}, {"solver": "lbfgs"}]
)
@pytest.mark.parametrize("Estimator", [NumpyMLPRegressor, NumpyMLPClassifier])
def test_an_interrupt_in_the_first_step_leaves_a_usable_estimator(stop, Estimator, params):
    y = NUMBERS if Estimator is NumpyMLPRegressor else CLASSES
    model = Estimator(hidden_layer_sizes=(6,), batch_size=20, random_state=0)
    stop(1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.set_params(**params).fit(X, y)
    stop.undo()
    assert any(INTERRUPTED in str(warning.message) for warning in caught)
    assert model.n_iter_ == 0
    assert model.t_ == 0
    assert np.isnan(model.loss_)
    if model.solver != "lbfgs":
        assert model.loss_curve_ == []
        assert (
            (model.validation_scores_ == [])
            if model.early_stopping
            else (model.best_loss_ == np.inf)
        )
    assert np.isfinite(model.coefs_[0]).all()
    assert model.predict(X).shape == (80,)
    assert joblib.hash(model)
    model.set_params(solver="adam", early_stopping=False).partial_fit(X, y)
    assert len(model.loss_curve_) == 1
    assert np.isfinite(model.loss_)
    fresh = Estimator(**model.get_params()).set_params(max_iter=2).fit(X, y)
    assert_same_weights(model.set_params(max_iter=2).fit(X, y), fresh)


def test_early_stopping_puts_the_best_weights_back(stop, monkeypatch):
    """The scores fall after the third epoch; what an interrupt leaves is the weights of the third."""
    params = {"early_stopping": True, "validation_fraction": 0.25, "solver": "sgd"}
    params |= {"learning_rate_init": 0.05}
    scores = iter([0.1, 0.2, 0.9, 0.5, 0.4, 0.3, 0.2])
    monkeypatch.setattr("sknumpynet.estimators.regressor.Numbers.score", lambda *args: next(scores))
    best = new(**params, max_iter=3).fit(X, NUMBERS)
    scores = iter([0.1, 0.2, 0.9, 0.5, 0.4, 0.3, 0.2])
    stop(5 * (3 + 1) + 2)  # 60 rows to train on, and one loss of those to validate with
    with pytest.warns(UserWarning, match=INTERRUPTED):
        model = new(**params, max_iter=50).fit(X, NUMBERS)
    assert model.validation_scores_ == [0.1, 0.2, 0.9, 0.5, 0.4]
    assert model.best_validation_score_ == 0.9
    assert model.n_iter_ == 5
    assert_same_weights(model, best)


def test_an_interrupted_lbfgs_keeps_the_best_point(stop):
    start = new(solver="lbfgs", max_iter=1).fit(X, NUMBERS)
    stop(30)
    with pytest.warns(UserWarning, match=INTERRUPTED):
        model = new(solver="lbfgs", max_iter=500, tol=0).fit(X, NUMBERS)
    stop.undo()
    assert 1 < model.n_iter_ < 30
    assert model.loss_ < start.loss_
    assert_allclose(np.mean((model.predict(X) - NUMBERS) ** 2) / 2, model.loss_, rtol=0.01)
    same = new(solver="lbfgs", max_iter=model.n_iter_, tol=0).fit(X, NUMBERS)
    assert_allclose(model.predict(X), same.predict(X), rtol=1e-6)


def test_an_interrupted_partial_fit_keeps_its_steps(stop):
    model = new()
    for _ in range(3):
        model.partial_fit(X, NUMBERS)
    before, curve = copy.deepcopy(model), model.loss_curve_
    stop(3)
    with pytest.warns(UserWarning, match=INTERRUPTED):
        assert model.partial_fit(X, NUMBERS) is model
    stop.undo()
    assert model.loss_curve_ == curve
    assert (model.n_iter_, model.t_) == (0, 240)
    assert not np.array_equal(model.predict(X), before.predict(X))
    assert model._training.optimizer.t == 3 * STEPS + 2
    model.partial_fit(X, NUMBERS)
    assert len(model.loss_curve_) == 4


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_warnings_point_to_the_call(stop, method):
    stop(1)
    with pytest.warns(UserWarning) as caught:
        getattr(new(batch_size=90, beta_1=0.8, solver="sgd"), method)(X, NUMBERS)
        make_pipeline(StandardScaler(), new(max_iter=1)).fit(X, NUMBERS)
    assert len(caught) == 4  # a large batch, a parameter without effect, Ctrl-C, and no convergence
    assert {warning.filename for warning in caught} == {__file__}


def test_an_interrupt_while_the_progress_is_printed(monkeypatch):
    lines = []

    def log(line):
        lines.append(line)
        if len(lines) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("builtins.print", log)
    with pytest.warns(UserWarning, match=INTERRUPTED):
        model = new(verbose=True).fit(X, NUMBERS)
    assert lines[1].startswith("Iteration 2, loss = ")
    assert len(model.loss_curve_) == 2
    assert_same_weights(model, new(max_iter=2).fit(X, NUMBERS))


def interrupted_score(call):
    """A scorer that is interrupted in that call, counted from 1."""
    calls = []

    def score(estimator, X, y):
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        return -float(np.mean((estimator.predict(X) - y) ** 2))

    return score


def curves(model):
    """The lists that have a value for each epoch."""
    lists = [*model.history_.values(), model.validation_scores_, model.validation_loss_curve_]
    return [*lists, model.loss_curve_] if hasattr(model, "loss_curve_") else lists


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("call", [1, 2, 4])
def test_an_interrupt_in_a_validation_leaves_no_half_of_an_epoch(call, early_stopping, solver):
    params = {"solver": solver, "early_stopping": early_stopping, "tol": 0}
    given = {} if early_stopping and solver == "adam" else {"X_val": X[:20], "y_val": NUMBERS[:20]}
    whole = new(**params, max_iter=6, scoring=interrupted_score(0)).fit(X, NUMBERS, **given)
    with pytest.warns(UserWarning, match=INTERRUPTED):
        model = new(**params, scoring=interrupted_score(call)).fit(X, NUMBERS, **given)
    assert {len(each) for each in curves(model)} == {model.n_iter_} == {call - 1}
    for name in ("loss", "validation_loss", "validation_score", "learning_rate", "gradient_norm"):
        assert_array_equal(model.history_[name], whole.history_[name][: call - 1])
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("call", [1, 3])
def test_an_interrupt_in_a_validation_of_partial_fit(call):
    given = {"X_val": X[:20], "y_val": NUMBERS[:20]}
    model, plain = new(scoring=interrupted_score(call)), new(scoring=interrupted_score(0))
    for n in range(1, 5):
        if n == call:
            with pytest.warns(UserWarning, match=INTERRUPTED):
                model.partial_fit(X, NUMBERS, **given)
        else:
            model.partial_fit(X, NUMBERS, **given)
        plain.partial_fit(X, NUMBERS, **given)
        done = n - (n >= call)
        assert {len(each) for each in curves(model)} == {done}
        assert model.n_iter_ == (n != call)
        assert model.history_["epoch"] == list(range(1, done + 1))
    assert_same_weights(model, plain)  # the epoch itself was over
    del plain.history_["loss"][call - 1]
    assert model.history_["loss"] == plain.history_["loss"]


def test_an_interrupt_while_an_epoch_is_written_down(monkeypatch):
    """Between two lists of the record, which no signal is kept from."""
    n_epochs = []

    class Interrupting(list):
        def append(self, value):
            if len(self) == 2:
                raise KeyboardInterrupt
            super().append(value)

    class Broken(History):
        def __init__(self):
            n_epochs.append(1)
            super().__init__(gradient_norm=Interrupting())

    monkeypatch.setattr("sknumpynet.fitting.monitor.History", Broken)
    with pytest.warns(UserWarning, match=INTERRUPTED):
        model = new().fit(X, NUMBERS, X_val=X[:9], y_val=NUMBERS[:9])
    assert n_epochs == [1]
    assert {len(each) for each in curves(model)} == {model.n_iter_} == {2}


def test_an_interrupt_before_training_changes_nothing(monkeypatch):
    """While data are checked there is nothing to keep: the interrupt goes on to the caller."""
    model = new().fit(X, NUMBERS)
    before = fitted_state(model)
    monkeypatch.setattr(NumpyMLPRegressor, "_check_data", lambda *args, **options: interrupt())
    for call in (model.fit, model.partial_fit):
        with pytest.raises(KeyboardInterrupt):
            call(X, NUMBERS)
        assert fitted_state(model) == before


def interrupt():
    raise KeyboardInterrupt


PROGRAM = """
import signal, sys, warnings
signal.signal(signal.SIGINT, signal.default_int_handler)
import numpy as np
from sknumpynet import NumpyMLPRegressor
X = np.random.RandomState(0).normal(size=(500, 5))
model = NumpyMLPRegressor(
    hidden_layer_sizes=(50,), solver=sys.argv[1], max_iter=10**8, max_fun=10**8, tol=0,
    n_iter_no_change=10**8, random_state=0, verbose=True,
)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model.fit(X, np.sin(X[:, 0]))
print("warned:", any("interrupted by user" in str(w.message) for w in caught))
print("usable:", model.score(X, np.sin(X[:, 0])) > 0, model.n_iter_ > 0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a child")
def test_a_real_signal():
    with subprocess.Popen(
        [sys.executable, "-u", "-c", PROGRAM, "adam"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        try:
            for line in child.stdout:
                if line.startswith("Iteration 20,"):
                    break
            child.send_signal(signal.SIGINT)
            output, errors = child.communicate(timeout=600)
        finally:
            child.kill()
    assert child.returncode == 0, errors
    assert "warned: True" in output
    assert "usable: True True" in output


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize("step", [1, 2, 7])
@pytest.mark.parametrize(
    "params",
    [{}, {"solver": "sgd"}, {"solver": "lbfgs"}, {"early_stopping": True}, {"warm_start": True}],
)
def test_a_fit_that_raises_changes_nothing(stop, params, step):
    model = new(**params).fit(X, NUMBERS)
    before, predicted = fitted_state(model), model.predict(X)
    for data in (X, 2 * X[:70], X[:, :3]):
        if model.warm_start and data.shape[1] == 3:
            continue
        stop(step, Failed)
        with pytest.raises(Failed):
            model.fit(data, NUMBERS[: len(data)])
        stop.undo()
        assert fitted_state(model) == before
        assert_array_equal(model.predict(X), predicted)


def test_first_fit_that_raises_leaves_no_attributes(stop):
    for method, step in (("fit", 1), ("fit", 9), ("partial_fit", 1), ("partial_fit", 3)):
        model = new()
        stop(step, Failed)
        with pytest.raises(Failed):
            getattr(model, method)(X, NUMBERS)
        stop.undo()
        assert vars(model) == model.get_params()
        with pytest.raises(NotFittedError):
            model.predict(X)
        assert_same_weights(model.fit(X, NUMBERS), new().fit(X, NUMBERS))
    model = NumpyMLPClassifier()
    stop(1, Failed)
    with pytest.raises(Failed):
        model.partial_fit(X, CLASSES, classes=["a", "b", "c"])
    assert vars(model) == model.get_params()


@pytest.mark.parametrize("begin", ["fit", "partial_fit", "trimmed", "other solver"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("step", [1, 3])
def test_going_on_after_a_failed_partial_fit(stop, solver, begin, step):
    """Bit for bit as if the call had never been made: weights, optimizer, order of rows, draws."""
    model = new(solver=solver, learning_rate="adaptive" if solver == "sgd" else "constant")
    model.fit(X, NUMBERS)
    if begin == "partial_fit":
        model.partial_fit(X, NUMBERS).partial_fit(X, NUMBERS)
    if begin == "trimmed":
        model.trim_for_prediction()
    if begin == "other solver":
        model.set_params(solver="adam" if solver == "sgd" else "sgd", learning_rate="constant")
    twin = copy.deepcopy(model)
    before = fitted_state(model)
    shown = model.coefs_[0]
    for error in (Failed, MemoryError):
        stop(step, error)
        with pytest.raises(error):
            model.partial_fit(2 * X[:60], NUMBERS[:60])
        stop.undo()
        assert fitted_state(model) == before
    for _ in range(3):
        model.partial_fit(X, NUMBERS)
        twin.partial_fit(X, NUMBERS)
    assert fitted_state(model) == fitted_state(twin)
    assert_array_equal(shown, model.coefs_[0])  # the arrays shown are still those in use


@pytest.mark.parametrize("bad", ["nan", "rows", "columns", "diverging"])
def test_going_on_after_bad_data(bad):
    model = new(solver="sgd", hidden_layer_sizes=(6,)).fit(X, NUMBERS)
    model.partial_fit(X, NUMBERS)
    twin = copy.deepcopy(model)
    wrong_X, wrong_y = X.copy(), NUMBERS.copy()
    if bad == "nan":
        wrong_y[-1] = np.nan
    elif bad == "rows":
        wrong_y = wrong_y[:-1]
    elif bad == "columns":
        wrong_X = wrong_X[:, :3]
    else:
        wrong_X[-20:] *= 1e160
    with pytest.raises(ValueError), np.errstate(all="ignore"):
        model.partial_fit(wrong_X, wrong_y)
    assert fitted_state(model) == fitted_state(twin)
    model.partial_fit(X, NUMBERS)
    twin.partial_fit(X, NUMBERS)
    assert fitted_state(model) == fitted_state(twin)


@pytest.mark.parametrize("seed", [None, "instance"])
def test_draws_are_not_taken_back_but_everything_else_is(stop, seed):
    source = np.random.RandomState(0) if seed else None
    model = new(random_state=source).partial_fit(X, NUMBERS)
    before = {k: v for k, v in fitted_state(model).items() if "RandomState" not in k}
    stop(2, Failed)
    with pytest.raises(Failed):
        model.partial_fit(X, NUMBERS)
    stop.undo()
    after = {k: v for k, v in fitted_state(model).items() if "RandomState" not in k}
    assert after == before
    drawn_from = np.random.mtrand._rand if source is None else source
    state = fitted_state(drawn_from)
    model.partial_fit(X, NUMBERS)
    assert fitted_state(drawn_from) != state  # still the source that was given


def test_a_failed_partial_fit_leaves_a_memory_mapped_model_usable(stop, tmp_path):
    joblib.dump(new(hidden_layer_sizes=(60, 50)).fit(X, NUMBERS), tmp_path / "model")
    model, twin = (joblib.load(tmp_path / "model", mmap_mode="r") for _ in range(2))
    stop(2, Failed)
    with pytest.raises(Failed):
        model.partial_fit(X, NUMBERS)
    stop.undo()
    assert fitted_state(model) == fitted_state(twin)
    assert_same_weights(model.partial_fit(X, NUMBERS), twin.partial_fit(X, NUMBERS))


# ---------------------------------------------------------------- threads


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of 32 rows, and threads that take turns all the time."""
    monkeypatch.setattr("sknumpynet.core.network.network.CHUNK_BYTES", 1)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.parametrize("method", ["predict_proba", "decision_function", "predict"])
def test_threads_may_share_an_estimator(small_chunks, method):
    model = NumpyMLPClassifier(hidden_layer_sizes=(30, 20), max_iter=2, random_state=0)
    model.fit(X, CLASSES)
    rng = np.random.RandomState(1)
    inputs = [rng.normal(size=(100 + 37 * i, 4)) for i in range(8)]
    inputs[3], inputs[5] = sp.csr_matrix(inputs[3]), inputs[5].astype(np.float32)
    predict = getattr(model, method)
    expected = [predict(data) for data in inputs]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(10):
            for result, right in zip(pool.map(predict, inputs), expected, strict=True):
                assert_array_equal(result, right)


def test_a_first_prediction_from_many_threads(small_chunks, tmp_path):
    """The first call creates nothing that a second thread could see incomplete."""
    joblib.dump(new(hidden_layer_sizes=(30, 20)).fit(X, NUMBERS), tmp_path / "model")
    many = np.random.RandomState(1).normal(size=(500, 4))
    expected = joblib.load(tmp_path / "model").predict(many)
    for _ in range(5):
        model = joblib.load(tmp_path / "model")
        with ThreadPoolExecutor(8) as pool:
            for result in pool.map(model.predict, [many] * 8):
                assert_array_equal(result, expected)


@pytest.mark.parametrize("n", [1, 31, 32, 33, 100, 640])
@pytest.mark.parametrize("convert", [np.asarray, sp.csr_matrix, sp.csc_matrix, np.asfortranarray])
def test_chunks_of_rows(monkeypatch, n, convert):
    model = new().fit(X, NUMBERS)
    data = np.random.RandomState(1).normal(size=(n, 4))
    expected = model.predict(data)
    monkeypatch.setattr("sknumpynet.core.network.network.CHUNK_BYTES", 1)
    assert model._model.network.chunk_rows() == 32
    assert_allclose(model.predict(convert(data)), expected, rtol=1e-10, atol=1e-13)


MANY = rng.normal(size=(40_000, 4))
TARGETS = {
    "binary": MANY[:, 0] > 0,
    "multiclass": np.arange(len(MANY)) % 16,
    "multilabel": MANY > 0,
    "several": np.column_stack([np.arange(len(MANY)) % 3, np.arange(len(MANY)) % 8]),
}


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
@pytest.mark.parametrize("kind", TARGETS)
def test_chunks_of_rows_are_classified_as_single_rows_are(kind, method):
    model = NumpyMLPClassifier((5,), max_iter=3, random_state=0)
    model.fit(MANY[:300], TARGETS[kind][:300])
    many, few = getattr(model, method)(MANY), getattr(model, method)(MANY[-20:])
    if kind == "several" and method == "predict_proba":
        many, few = np.hstack(many), np.hstack(few)
    assert many.dtype == few.dtype
    assert_allclose(many[-20:], few, rtol=1e-12)


def test_predict_adds_little_to_its_result():
    model = NumpyMLPClassifier((5,), max_iter=3, random_state=0)
    model.fit(MANY[:300], TARGETS["multiclass"][:300])
    labels = model.predict(MANY)
    # the numbers of the classes and the labels; raw outputs of all rows would be eight times as much
    assert peak_bytes(lambda: model.predict(MANY)) < 4 * labels.nbytes
