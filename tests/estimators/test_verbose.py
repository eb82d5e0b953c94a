# SPDX-License-Identifier: BSD-3-Clause
"""What ``verbose`` prints: one updating line on a terminal, lines beginning "Iteration" elsewhere."""

import contextlib
import io
import re
import sys

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

rng = np.random.RandomState(0)
X = rng.normal(size=(60, 3))
CLASSES = np.arange(60) % 2
NUMBERS = X[:, 0]
SOLVERS = ["adam", "sgd", "lbfgs"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(call):
    """Return what a terminal is sent."""
    with contextlib.redirect_stdout(Terminal()) as stream:
        call()
    return stream.getvalue()


def new(cls=NumpyMLPRegressor, **params):
    return cls(**{"hidden_layer_sizes": (4,), "max_iter": 4, "random_state": 0, **params})


@pytest.mark.parametrize("verbose", [True, 1])
def test_one_updating_line_on_a_terminal(verbose):
    model = new(verbose=verbose)
    text = shown(lambda: model.fit(X, NUMBERS))
    assert text.count("\n") == 1 and text.endswith("\n")
    lines = text.rstrip("\n").split("\r")[1:]
    assert len(lines) == 4
    for epoch, (line, loss) in enumerate(zip(lines, model.loss_curve_, strict=True), 1):
        assert line.startswith(f"epoch {epoch}/4  loss {loss:.6f}  rate 0.001  at most ")
        assert re.search(r"\d+ s left *$", line)
        assert "validation" not in line


def test_the_line_shows_validation():
    model = new(verbose=1, learning_rate="cosine")
    line = shown(lambda: model.fit(X, NUMBERS, X_val=X, y_val=NUMBERS)).split("\r")[-1]
    history = model.history_
    expected = (
        f"epoch 4/4  loss {model.loss_:.6f}  validation loss {history['validation_loss'][-1]:.6f}  "
        f"score {history['validation_score'][-1]:.4f}  rate {history['learning_rate'][-1]:.3g}"
    )
    assert line.startswith(expected)


def test_shorter_line_overwrites_the_longer_one():
    """Each text is at least as long as the one that it covers."""
    model = new(verbose=1, max_iter=12, learning_rate=lambda step: 0.1 if step % 2 else 0.000123)
    lines = shown(lambda: model.fit(X, NUMBERS)).rstrip("\n").split("\r")[1:]
    lengths = [len(line.rstrip()) for line in lines]
    assert min(np.diff(lengths)) < 0
    assert all(len(line) >= before for before, line in zip(lengths, lines[1:]))


@pytest.mark.filterwarnings("ignore:Training ended")
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"tol": 10.0, "n_iter_no_change": 1}, "did not improve more than tol=10.0.*Stopping"),
        ({"max_time": 1e-9}, "epoch 1/50"),
    ],
)
def test_a_fit_that_ends_early_ends_its_line(params, message):
    text = shown(lambda: new(**{"verbose": 1, "max_iter": 50, **params}).fit(X, NUMBERS))
    assert text.endswith("\n") and "\n\n" not in text
    last = [line for line in text.split("\n") if line][-1]
    assert re.search(message, last)


def test_ctrl_c_ends_the_line(monkeypatch):
    calls = []

    def score(*args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return 0.5

    monkeypatch.setattr("sknumpynet.estimators.regressor.Numbers.score", score)
    with pytest.warns(UserWarning, match="interrupted"):
        text = shown(lambda: new(verbose=1).fit(X, NUMBERS, X_val=X, y_val=NUMBERS))
    assert text.startswith("\repoch 1/4") and text.endswith("\n")


def test_partial_fit_on_a_terminal():
    model = new(verbose=1)
    for _ in range(3):
        assert shown(lambda: model.partial_fit(X, NUMBERS)).count("\n") == 1


@pytest.mark.parametrize("solver", SOLVERS)
def test_plain_lines_elsewhere(solver, capsys):
    model = new(verbose=1, solver=solver).fit(X, NUMBERS)
    lines = capsys.readouterr().out.splitlines()
    losses = model.history_["loss"]
    assert lines == [f"Iteration {i}, loss = {loss:.8f}" for i, loss in enumerate(losses, 1)]


@pytest.mark.parametrize("early_stopping", [False, True])
def test_plain_lines_are_scikit_learns(early_stopping, capsys):
    params = {"early_stopping": early_stopping, "max_iter": 30, "tol": 0.1, "n_iter_no_change": 2}
    printed = []
    for cls in (NumpyMLPClassifier, MLPClassifier):
        new(cls, verbose=True, **params).fit(X, CLASSES)
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert "Stopping" in printed[0]


def test_larger_verbose_prints_lines_on_a_terminal():
    lines = shown(lambda: new(verbose=2).fit(X, NUMBERS)).splitlines()
    assert [line.split(",")[0] for line in lines] == [f"Iteration {i}" for i in (1, 2, 3, 4)]


@pytest.mark.parametrize("verbose", [0, False])
@pytest.mark.parametrize("solver", SOLVERS)
def test_silence(solver, verbose, capsys):
    model = new(verbose=verbose, solver=solver, tol=10.0)
    assert shown(lambda: model.fit(X, NUMBERS)) == capsys.readouterr().err == ""


def test_stream_without_an_encoding(monkeypatch):
    class Stream:
        def __init__(self):
            self.text = ""

        def write(self, text):
            self.text += text

    stream = Stream()
    monkeypatch.setattr(sys, "stdout", stream)
    new(verbose=1).fit(X, NUMBERS)
    assert stream.text.startswith("Iteration 1, loss = ")


@pytest.mark.parametrize("solver", SOLVERS)
def test_printing_changes_nothing(solver):
    loud, silent = (new(verbose=verbose, solver=solver) for verbose in (1, 0))
    assert shown(lambda: loud.fit(X, NUMBERS)) and not shown(lambda: silent.fit(X, NUMBERS))
    for a, b in zip(loud.coefs_, silent.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
