"""
Full batch, minibatch, one sample
=================================

How many rows should a training step use? All rows give the exact gradient, but only one step per pass over
the data. A single row gives a noisy estimate of the gradient, and one step per row. In between are
minibatches, which are used almost always. The parameter is ``batch_size``; this page compares the three.
"""

# %%
# Three batch sizes
# -----------------
# scikit-learn's digits, ten passes over 700 rows, plain gradient descent. Each batch size gets a suitable
# learning rate: the noisier the gradient, the smaller the steps have to be.

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
        f"test accuracy {network.validation_scores_[-1]:.1%}"
    )

# %%
# The left plot shows the loss after each pass over the data: many noisy steps get much further than a few
# exact ones. The right plot shows the same losses over time. A step on 32 rows costs far less than 32 steps
# on one row, because NumPy multiplies whole matrices, so minibatches finish their passes long before single
# rows.

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
# How noisy is the gradient?
# --------------------------
# The gradient of a batch is a mean over its rows. Like that of any mean, its error falls with the square root
# of the number of rows: a hundred times the work reduces the error by a factor of ten. This is why batches
# should not be larger than the machine can process efficiently.

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
    print(f"{size:4} rows: relative error {error:.2f}")

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
# The noise is not only a disadvantage: it helps a network to leave regions where the gradient is small, and a
# learning rate that decays to zero (``learning_rate="cosine"``) removes it at the end. The default,
# ``batch_size="auto"``, is 200 rows, or all rows if there are fewer.
