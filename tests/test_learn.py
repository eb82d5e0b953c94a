# SPDX-License-Identifier: BSD-3-Clause
"""The tour in the terminal: its numbers, its questions, and pipes."""

import re
import subprocess
import sys

import numpy as np
import pytest

from sknumpynet import learn


def walk(*answers):
    """Return the status and what was written, with the answers one after another, then the end."""
    lines, written = iter(answers), []

    def read(prompt):
        written.append(prompt)
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    status = learn.main([], read, lambda text="": written.append(str(text)))
    return status, "\n".join(written)


def loss_of(W0, b0, W1, b1):
    z = np.tanh(learn.ROW @ W0 + b0) @ W1 + b1
    return float(np.log1p(np.exp(z))[0])


def test_the_gradients_are_those_of_central_differences():
    tour = learn.Tour(lambda prompt: "", lambda text="": None)
    new_W, new_b, loss = learn.by_hand(tour)
    params = [learn.WEIGHTS[0], learn.BIASES[0], learn.WEIGHTS[1], learn.BIASES[1]]
    assert loss == pytest.approx(loss_of(*params))
    after = [new_W[0], new_b[0], new_W[1], new_b[1]]
    for k, (old, new) in enumerate(zip(params, after)):
        for index in np.ndindex(old.shape):
            slopes = []
            for sign in (1, -1):
                moved = [each.copy() for each in params]
                moved[k][index] += sign * 1e-6
                slopes.append(sign * loss_of(*moved))
            assert (old - new)[index] == pytest.approx(learn.RATE * sum(slopes) / 2e-6, abs=1e-8)


def test_core_and_estimator_take_the_same_step():
    tour = learn.Tour(lambda prompt: "", lambda text="": None)
    new_W, new_b, _ = learn.by_hand(tour)
    assert learn.with_core(tour, new_W, new_b) < 1e-15
    assert learn.with_estimator(tour, new_W) < 1e-15


def test_right_and_wrong_answers():
    status, text = walk("", "+", "-", "neg", "", "")
    assert status == 0
    verdicts = re.findall(r"^(Correct\.|No, it is \w+\.)", text, re.MULTILINE)
    assert verdicts == ["Correct.", "No, it is positive.", "Correct."]
    assert "Signs that you predicted correctly: 2 of 3." in text
    for a, b, answer in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)):
        share = float(re.search(rf"{a} xor {b} is {answer}; the network predicts (\S+)", text)[1])
        assert round(share) == answer


def test_at_the_end_of_the_input_it_goes_on_and_asks_no_more():
    status, text = walk()
    assert status == 0
    assert text.count("[Enter]") == 1 and "[+/-]" not in text
    assert text.count("It is positive.") == 2 and text.count("It is negative.") == 1
    assert "You predicted" not in text and "from_scratch" in text


def test_ctrl_c_ends_it():
    def read(prompt):
        raise KeyboardInterrupt

    written = []
    assert learn.main([], read, lambda text="": written.append(text)) == 130
    assert written[-1] == "\nBye."


def test_the_surface_agrees_with_predict_proba():
    class Model:
        def predict_proba(self, X):
            return np.stack([1 - X[:, 0], X[:, 0]], axis=1)  # 1 at the right

    rows = learn.surface(Model(), 2, 7).splitlines()
    assert rows == ["    .:-=+*#"] * 2


def test_over_a_plain_pipe():
    done = subprocess.run(
        [sys.executable, "-m", "sknumpynet", "learn"], input="\n+\n", text=True, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Correct." in done.stdout


def test_nobody_reads_on():
    """A closed pipe, as with ``| head``, ends the tour without a traceback."""
    command = [sys.executable, "-m", "sknumpynet", "learn"]
    with subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1, text=True) as process:
        process.stdout.readline()
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1
