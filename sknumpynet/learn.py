# SPDX-License-Identifier: BSD-3-Clause
"""``python -m sknumpynet learn``: a guided tour of one training step, in the terminal.

It makes a step on XOR by hand, with the core and with the estimator, and takes ten minutes.
"""

from __future__ import annotations

import argparse
import sys
import textwrap

import numpy as np

from sknumpynet import NumpyMLPClassifier
from sknumpynet.core import SGD, BinaryLogLoss, Dense, Network, Workspace
from sknumpynet.datasets import xor

WIDTH = 78
GALLERY = "https://sknumpynet.readthedocs.io/en/stable/"
# The weights of a small untrained network: W0 (2 inputs, 2 units), b0, W1 (2 units, 1 output), b1.
WEIGHTS = [np.array([[0.5, -0.4], [0.3, 0.8]]), np.array([[0.7], [-0.6]])]
BIASES = [np.array([0.1, -0.2]), np.array([0.2])]
ROW, TARGET, RATE = np.array([1.0, 1.0]), 0.0, 0.5


class Tour:
    """Prints the tour and asks questions; at the end of the input it continues without asking.

    Parameters
    ----------
    read : callable
        Reads a line after showing a prompt, like ``input``.
    write : callable
        Writes a text, like ``print``.

    Attributes
    ----------
    n_asked, n_right : int
        Numbers of questions and of correct answers so far.
    """

    def __init__(self, read=input, write=print):
        self.read, self.write = read, write
        self.n_asked = self.n_right = 0
        self.silent = False

    def title(self, text):
        """Write a heading."""
        self.write(f"\n{text}\n{'-' * len(text)}")

    def say(self, text):
        """Write wrapped paragraphs; blocks that are indented further than the first are not wrapped."""
        # the closing quotes are 4 further left
        margin = " " * (len(text) - len(text.rstrip(" ")) + 4)
        text = "\n".join(line.removeprefix(margin) for line in text.rstrip().split("\n"))
        for block in text.strip("\n").split("\n\n"):
            lines = block if block.startswith("    ") else textwrap.fill(block, WIDTH)
            self.write(lines + "\n")

    def _line(self, prompt):
        if self.silent:
            return ""
        try:
            return self.read(prompt)
        except EOFError:
            self.silent = True
            self.write("")
            return ""

    def wait(self):
        """Wait for the Enter key."""
        self._line("[Enter] ")
        self.write("")

    def ask_sign(self, what, value):
        """Ask for the sign of a number, and show the answer."""
        question = f"Is {what} positive or negative?"
        if self.silent:
            self.write(question)
        answer = self._line(f"{question} [+/-] ").strip().lower()
        sign, word = ("+", "positive") if value > 0 else ("-", "negative")
        self.n_asked += 1
        given = {"+": "+", "p": "+", "-": "-", "n": "-"}.get(answer[:1])
        if given is None:
            self.write(f"It is {word}.")
        else:
            self.n_right += given == sign
            self.write("Correct." if given == sign else f"No, it is {word}.")


def forward(W, b, x):
    """Return pre-activations and activations of a tanh layer, and the output and its probability."""
    z0 = x @ W[0] + b[0]
    a0 = np.tanh(z0)
    z1 = a0 @ W[1] + b[1]
    p = 1 / (1 + np.exp(-z1))
    return z0, a0, z1, p


def log_loss(p, y):
    """Return the log loss of one probability."""
    return float(-np.log(p if y == 1 else 1 - p)[0])


def by_hand(tour):
    """Make one training step by hand; return the new weights and biases, and the loss before it."""
    W, b, x = WEIGHTS, BIASES, ROW
    tour.title("1. One step by hand")
    tour.say("""
        XOR is 1 if exactly one of two inputs is 1. A network with two hidden units can learn it. Ours starts
        with these weights. We use one row, x = (1, 1), with the target y = 0.

            x0 -> unit 0:      0.5        x0 -> unit 1:     -0.4        biases: unit 0   0.1
            x1 -> unit 0:      0.3        x1 -> unit 1:      0.8                unit 1  -0.2
            unit 0 -> output:  0.7        unit 1 -> output: -0.6                output   0.2
    """)
    z0, a0, z1, p = forward(W, b, x)
    tour.say(f"""
        The forward pass goes from left to right. Each unit multiplies its inputs by its weights, adds them
        up with its bias (z), and applies tanh (a = tanh z):

            z of unit 0 = 1 * 0.5 + 1 * 0.3 + 0.1 = {z0[0]:.3f}     a = tanh(z) = {a0[0]:.3f}
            z of unit 1 = 1 * (-0.4) + 1 * 0.8 - 0.2 = {z0[1]:.3f}  a = tanh(z) = {a0[1]:.3f}
            z of the output = {a0[0]:.3f} * 0.7 + {a0[1]:.3f} * (-0.6) + 0.2 = {z1[0]:.3f}
            probability = 1 / (1 + exp(-z)) = {p[0]:.3f}
    """)
    tour.wait()
    loss = log_loss(p, TARGET)
    tour.say(f"""
        The target is 0, and the network predicts {p[0]:.3f}. The log loss measures how wrong that is:
        -log(1 - {p[0]:.3f}) = {loss:.3f}.

        The backward pass goes from right to left. How does the loss change when a number increases a
        little? This is the gradient of the number. For the output's z it is prediction minus target. Guess
        its sign before you see it.
    """)
    delta1 = p - TARGET
    tour.ask_sign("the gradient of the output's z", delta1[0])
    tour.say(f"""
            delta of the output = {p[0]:.3f} - 0 = {delta1[0]:.3f}

        The gradient of a weight is the input of the weight times the delta of the unit it leads to. Take the
        weight -0.6, from unit 1 (a = {a0[1]:.3f}) to the output (delta = {delta1[0]:.3f}).
    """)
    dW1 = np.outer(a0, delta1)
    tour.ask_sign("its gradient", dW1[1, 0])
    tour.say(f"""
            gradient = {a0[1]:.3f} * {delta1[0]:.3f} = {dW1[1, 0]:.3f}

        So a larger weight means a larger loss, and the step will make the weight smaller. Now a weight of the
        first layer: 0.8, from x1 to unit 1. The delta of the output is multiplied by the weight -0.6, and
        by the derivative of tanh, 1 - a^2 = {1 - a0[1] ** 2:.3f}.
    """)
    delta0 = (delta1 @ W[1].T) * (1 - a0**2)
    dW0 = np.outer(x, delta0)
    tour.ask_sign("the gradient of that weight", dW0[1, 1])
    tour.say(f"""
            delta of unit 1 = {delta1[0]:.3f} * (-0.6) * {1 - a0[1] ** 2:.3f} = {delta0[1]:.3f}
            gradient = 1 * ({delta0[1]:.3f}) = {dW0[1, 1]:.3f}

        The update: from every number we subtract its gradient times the learning rate {RATE}.
    """)
    new_W = [W[0] - RATE * dW0, W[1] - RATE * dW1]
    new_b = [b[0] - RATE * delta0, b[1] - RATE * delta1]
    after = forward(new_W, new_b, x)[-1]
    tour.say(f"""
            0.8  becomes 0.8 - {RATE} * ({dW0[1, 1]:.3f}) = {new_W[0][1, 1]:.3f}
            -0.6 becomes -0.6 - {RATE} * {dW1[1, 0]:.3f} = {new_W[1][1, 0]:.3f}

        With all nine numbers updated, the network predicts {after[0]:.3f} instead of {p[0]:.3f}, and the loss
        is {log_loss(after, TARGET):.3f} instead of {loss:.3f}. This was one step. Training consists of many
        such steps.
    """)
    tour.wait()
    return new_W, new_b, loss


def with_core(tour, new_W, new_b):
    """Make the same step with the core."""
    tour.title("2. The same step with sknumpynet.core")
    code = """
        network = Network([Dense(2, 2), "tanh", Dense(2, 1)])   # then we set the weights above
        work, loss = Workspace(network, 1), BinaryLogLoss()
        raw = network.forward(x, work)
        value, delta = loss.value_and_gradient(y, raw)
        network.backward(delta, work)
        SGD(momentum=0).step(network.params, network.grads, 0.5)
    """
    tour.say("The core has a layer for each formula. This is the code of the step:")
    tour.write(textwrap.indent(textwrap.dedent(code).strip(), "    ") + "\n")
    network = Network([Dense(2, 2), "tanh", Dense(2, 1)])
    for layer, W, b in zip(network.dense, WEIGHTS, BIASES):
        layer.W[...], layer.b[...] = W, b
    work, loss = Workspace(network, 1), BinaryLogLoss()
    raw = network.forward(ROW.reshape(1, 2), work)
    value, delta = loss.value_and_gradient(np.array([[TARGET]]), raw)
    network.backward(delta, work)
    SGD(momentum=0).step(network.params, network.grads, RATE)
    difference = max(
        float(abs(mine - theirs).max())
        for layer, W, b in zip(network.dense, new_W, new_b)
        for mine, theirs in ((layer.W, W), (layer.b, b))
    )
    tour.say(f"""
            loss = {value:.3f}
            the weight 0.8 is now {network.dense[0].W[1, 1]:.3f}
            largest difference from the numbers by hand: {difference:.1e}
    """)
    tour.wait()
    return difference


def with_estimator(tour, new_W):
    """Make the same step with the estimator, and then train it on XOR."""
    tour.title("3. The same step, and all of XOR, with the estimator")
    model = NumpyMLPClassifier.from_weights(
        WEIGHTS,
        BIASES,
        classes=[0, 1],
        activation="tanh",
        solver="sgd",
        momentum=0.0,
        learning_rate_init=RATE,
        alpha=0.0,
    )
    model.partial_fit(ROW.reshape(1, 2), [0])
    difference = max(float(abs(a - b).max()) for a, b in zip(model.coefs_, new_W))
    tour.say(f"""
        With scikit-learn's interface you call fit, or partial_fit for a single step. With our row and our
        weights, it gives the same numbers (largest difference {difference:.1e}). explain_step(model, [1, 1],
        0) would have printed all of them.

        Now we train on all four rows until the fit converges, from random weights and with eight units:

            model = NumpyMLPClassifier((8,), "tanh", solver="lbfgs", random_state=0).fit(X, y)
    """)
    X, y = xor()
    model = NumpyMLPClassifier((8,), "tanh", solver="lbfgs", random_state=0).fit(X, y)
    for row, target, p in zip(X.astype(int), y, model.predict_proba(X)[:, 1]):
        tour.write(f"    {row[0]} xor {row[1]} is {target}; the network predicts {p:.3f}")
    tour.write("\nIts predictions between the four corners ('#' is near 1, '.' is near 0):\n")
    tour.write(surface(model) + "\n")
    return difference


def surface(model, n_rows=11, n_columns=33):
    """Return the decision surface over the unit square as text."""
    a, b = np.meshgrid(np.linspace(0, 1, n_columns), np.linspace(1, 0, n_rows))
    p = model.predict_proba(np.stack([a.ravel(), b.ravel()], axis=1))[:, 1].reshape(a.shape)
    signs = np.array(list(".:-=+*#"))
    levels = np.minimum((p * len(signs)).astype(int), len(signs) - 1)
    return "\n".join("    " + "".join(row) for row in signs[levels])


def goodbye(tour):
    """Print links to the documentation."""
    tour.title("Where to go from here")
    if tour.n_asked and not tour.silent:
        tour.write(f"Signs that you predicted correctly: {tour.n_right} of {tour.n_asked}.\n")
    for text, page in (
        ("the formulas and the code of the core", "from_scratch/index.html"),
        ("XOR, and why two units often get stuck", "auto_examples/plot_xor.html"),
        ("the numbers of a step as a picture", "auto_examples/plot_look_inside.html"),
        ("checking a gradient", "auto_examples/plot_gradient_check.html"),
        ("the whole gallery", "gallery.html"),
    ):
        tour.write(f"  {text:<40} {GALLERY}{page}")


def main(argv=None, read=input, write=print):
    """Run the tour.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments after ``learn``; None uses those of the command line.
    read, write : callable
        Like ``input`` and ``print``.

    Returns
    -------
    int
        The exit status: 130 after Ctrl-C.
    """
    argparse.ArgumentParser(
        prog="python -m sknumpynet learn",
        description="A guided tour of one training step, in the terminal; ten minutes.",
    ).parse_args(sys.argv[2:] if argv is None else argv)
    tour = Tour(read, write)
    try:
        tour.say("""
            How does a neural network learn? This tour goes through one training step: by hand, with the core,
            and with the estimator. It asks you for the sign of a few numbers; press Enter to continue.
        """)
        new_W, new_b, _ = by_hand(tour)
        with_core(tour, new_W, new_b)
        with_estimator(tour, new_W)
        goodbye(tour)
    except KeyboardInterrupt:
        write("\nBye.")
        return 130
    return 0
