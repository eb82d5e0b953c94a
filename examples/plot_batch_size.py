"""
Full batch, minibatch, one sample
=================================

How many rows should a step look at? All of them give the true slope, and a step for each pass over the data.
One row gives a rough guess at the slope, and a step for each row. Between them are the minibatches, which
almost everyone uses. ``batch_size`` is the parameter; this page shows the three side by side.
"""

# %%
# Three ways through the same data
# --------------------------------
# scikit-learn's digits, ten passes over 700 rows, plain gradient descent. Each batch size gets a rate that
# suits it: the rougher the guess, the shorter the step has to be.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from sknumpynet import SGD, NumpyMLPClassifier
from sknumpynet.core import Dense, MultinomialLogLoss, Network, Workspace

warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is a choice here

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, train_size=700, stratify=y, random_state=0
)
n = len(X_train)
EPOCHS = 10


def fit(batch_size, rate):
    network = NumpyMLPClassifier(
        (30,),
        "tanh",
        solver=SGD(momentum=0),
        batch_size=batch_size,
        learning_rate_init=rate,
        max_iter=EPOCHS,
        n_iter_no_change=np.inf,
        random_state=0,
    )
    return network.fit(X_train, y_train, X_val=X_test, y_val=y_test)


CHOICES = {
    "full batch": (n, 0.5, "#0072B2", "s--"),
    "minibatches of 32": (32, 0.2, "#009E73", "o-"),
    "one sample": (1, 0.02, "#D55E00", "^-."),
}
fits = {name: fit(size, rate) for name, (size, rate, *_) in CHOICES.items()}
for name, network in fits.items():
    size = CHOICES[name][0]
    seconds = np.sum(network.history_["seconds"])
    print(
        f"{name:17}: {EPOCHS * -(-n // size):5} steps, {seconds:5.2f} s, loss {network.loss_:.3f}, "
        f"{network.validation_scores_[-1]:.1%} of the test rows right"
    )

# %%
# On the left the loss after each pass over the data: many rough steps get much further than a few exact
# ones. On the right the same losses over the time they took. A step on 32 rows costs nowhere near 32 times
# as much as a step on one, since NumPy multiplies whole matrices; so the minibatches are through with their
# passes long before the single rows.

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.8), sharey=True, layout="constrained")
for name, network in fits.items():
    *_, color, line = CHOICES[name]
    loss = network.validation_loss_curve_
    left.plot(range(1, EPOCHS + 1), loss, line, color=color, label=name)
    right.plot(np.cumsum(network.history_["seconds"]), loss, line, color=color)
left.set(xlabel="passes over the data (epochs)", ylabel="loss on test rows", yscale="log")
figure.legend(loc="outside upper center", ncols=3)
right.set(xlabel="seconds", xscale="log")
left.set_yticks([0.2, 0.5, 1, 2], ["0.2", "0.5", "1", "2"], minor=False)
left.set_yticks([], minor=True)
plt.show()

# %%
# How rough is the guess?
# -----------------------
# The gradient of a batch is a mean over its rows, and its distance from the true gradient, that of all rows,
# falls like that of any mean: with the square root of the number of rows. A hundred times the work makes the
# guess ten times as good. This is why large batches do not pay beyond what the machine does at once.

network = Network([Dense(64, 30), "tanh", Dense(30, 10)], rng=0)
loss, rng = MultinomialLogLoss(), np.random.default_rng(0)


def gradient(rows):
    work = Workspace(network, len(rows))
    _, delta = loss.value_and_gradient(y_train[rows], network.forward(X_train[rows], work))
    network.backward(delta, work)
    return network.grads.copy()


true = gradient(np.arange(n))
sizes = np.array([1, 2, 5, 10, 20, 50, 100, 200, 500])
errors = []
for size in sizes:
    guesses = [gradient(rng.integers(n, size=size)) for _ in range(50)]
    errors.append(np.mean([np.linalg.norm(guess - true) for guess in guesses]))
errors = np.array(errors) / np.linalg.norm(true)
for size, error in zip(sizes, errors, strict=True):
    print(f"{size:4} rows: off by {error:.2f} of its length")

figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
axes.loglog(sizes, errors, "o-", color="#0072B2", label="measured")
axes.loglog(sizes, errors[0] / np.sqrt(sizes), ":", color="black", label="1 / sqrt(rows)")
axes.set(xlabel="rows in the batch", ylabel="error of the gradient,\nover its length")
axes.set_xticks([1, 10, 100, 500], ["1", "10", "100", "500"])
axes.set_yticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
axes.minorticks_off()
axes.legend()
plt.show()

# %%
# The roughness is no mere nuisance: it helps a network out of places where the slope is small, and a rate
# that comes down at the end (``learning_rate="cosine"``) takes it away when it is no longer wanted. The
# default, ``batch_size="auto"``, is 200 rows, or all where there are fewer.
