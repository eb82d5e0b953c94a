"""
A rule of three bits, from four rows
====================================

Many a first network "from scratch" is a single neuron that sees four rows of three bits and finds the rule:
the output is the first bit. Here it is in five lines by the estimator, beside scikit-learn's, and in
thirteen by ``core``. The page ends with a mistake that tutorials make in the derivative of tanh, and with
why the result looked right all the same.
"""

# %%
# Four rows to learn from
# -----------------------
# In all four the last bit is 1, which tells nothing. The other four rows are kept for a test.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.neural_network import MLPClassifier

from sknumpynet import datasets

X, y = datasets.three_bit_rule()
X_new, y_new = datasets.three_bit_rule("remaining")
for title, rows, outputs in (("to learn from", X, y), ("new", X_new, y_new)):
    print(f"{title}:", ", ".join(f"{row} -> {out}" for row, out in zip(rows.astype(int), outputs)))

# %%
# Five lines by the estimator
# ---------------------------
# Four hidden units with tanh; for data this small, L-BFGS is the solver.

from sknumpynet import NumpyMLPClassifier
from sknumpynet.datasets import three_bit_rule

X, y = three_bit_rule()
network = NumpyMLPClassifier((4,), "tanh", solver="lbfgs", random_state=0).fit(X, y)
print(network.predict([[1, 1, 0], [0, 1, 0], [1, 0, 0]]))

# %%
# scikit-learn's network takes the same parameters and comes to the same weights:

theirs = MLPClassifier((4,), activation="tanh", solver="lbfgs", random_state=0).fit(X, y)
print(theirs.predict([[1, 1, 0], [0, 1, 0], [1, 0, 0]]))

pairs = zip(network.coefs_, theirs.coefs_, strict=True)
print(f"largest difference of two weights: {max(abs(W - V).max() for W, V in pairs):.1e}")
assert network.predict(X_new).tolist() == theirs.predict(X_new).tolist() == y_new.tolist()

# %%
# Thirteen lines by the core
# --------------------------
# The network of the tutorials is smaller: three weights, no hidden layer, no bias. Its output is ``a =
# tanh(x W)``, and it brings down half the sum of the squared errors. ``total=1`` keeps the sum, of which
# our losses take the mean otherwise.

from sknumpynet.core import SGD, Dense, Network, SquaredError, Uniform, Workspace
from sknumpynet.datasets import three_bit_rule

X, y = three_bit_rule()
X_new, _ = three_bit_rule("remaining")
network = Network([Dense(3, 1, bias=False), "tanh"], initializer=Uniform(-1, 1), rng=0)
work, loss = Workspace(network, len(X)), SquaredError()
optimizer = SGD(momentum=0)
for _ in range(10_000):
    a = network.forward(X, work)
    value, delta = loss.value_and_gradient(y.reshape(-1, 1), a, total=1)
    network.backward(delta, work)
    optimizer.step(network.params, network.grads, learning_rate=0.1)
print(network.predict(X_new).ravel().round(3))

# %%
# The last of the new rows, all zeros, cannot give anything but ``tanh(0) = 0``. The weight of the first
# bit has grown, and the other two have gone:

print("weights", network.params.round(4) + 0)
assert np.abs(network.predict(X_new).ravel() - y_new).max() < 0.01

# %%
# The derivative of tanh, of the wrong argument
# ---------------------------------------------
# With ``a = tanh(z)``, the derivative of the output is ``1 - tanh(z)^2 = 1 - a^2``. A tutorial writes ``1
# - tanh(x)^2`` and passes it ``a``, which has been through tanh already. Its loop, with either
# derivative:


def right(a):
    return 1 - a**2


def wrong(a):
    return 1 - np.tanh(a) ** 2


def train(derivative, rate, n_steps=10_000, seed=1):
    """Return the weights, and the sum of squared errors before each step."""
    W = np.random.RandomState(seed).uniform(-1, 1, size=3)
    curve = []
    for _ in range(n_steps):
        a = np.tanh(X @ W)
        curve.append(np.sum((y - a) ** 2))
        W += rate * X.T @ ((y - a) * derivative(a))
    return W, curve


curves = {}
print("derivative  rate   squared error   1 1 0   0 1 0   1 0 0")
for derivative in (wrong, right):
    for rate in (1.0, 0.5, 0.1):
        W, curves[derivative, rate] = train(derivative, rate)
        answers = "  ".join(f"{a:6.3f}" for a in np.tanh(X_new[:3] @ W).round(3) + 0)
        print(f"{derivative.__name__:10} {rate:5}  {curves[derivative, rate][-1]:14.1e}  {answers}")

# %%
# **Why the tutorial's network seemed to do well.** It is the first line: the wrong derivative, and steps
# of rate 1. Its readers are shown the answer to ``1 0 0`` alone, and to four digits that is 1. But the
# answer to ``0 1 0`` is 0.19 and the training has not ended: the squared error stays at a third, for
# ever.
#
# **Why it does not settle** has nothing to do with the mistake. On the two rows that shall give 0, tanh
# is as good as a straight line of slope 1, and a step multiplies the error by ``1 - rate * lambda``,
# where ``lambda`` is an eigenvalue of ``X^T X`` of those rows. At rate 1 the weights jump to and fro;
# they can settle below ``2 / lambda``:

top = np.linalg.eigvalsh(X[y == 0].T @ X[y == 0]).max()
print(f"largest eigenvalue {top:.3f}: the rate must be below {2 / top:.3f}")
for rate in (0.75, 0.78):
    print(
        f"rate {rate}: squared error",
        *(f"{train(d, rate, 3000)[1][-1]:.0e}" for d in (wrong, right)),
    )

# %%
# **What the mistake does.** The wrong slope is positive wherever the right one is, so that each row pulls
# in the right direction. And it never falls below ``1 - tanh(1)^2 = 0.42``, where the right one vanishes
# as the output nears 1. The rows that shall give 1 are pulled on long after they are as good as right:
# with the right derivative the squared error falls like ``1 / t``, with the wrong one like ``1 / t^2``.
# One might take it for the better one.

BLUE, RED = "#0072B2", "#D55E00"
figure, axes = plt.subplots(1, 2, figsize=(8, 3.8), layout="constrained")
outputs = np.linspace(-1, 1, 201)
axes[0].plot(outputs, right(outputs), color=BLUE, linewidth=2.5, label="right: $1 - a^2$")
axes[0].plot(
    outputs, wrong(outputs), "--", color=RED, linewidth=2.5, label=r"wrong: $1 - \tanh(a)^2$"
)
axes[0].set(
    xlabel="output $a$",
    ylabel="slope",
    ylim=(0, 1.05),
    xticks=(-1, -0.5, 0, 0.5, 1),
    title="The two derivatives",
)
axes[0].legend(loc="lower center")
steps = np.arange(1, 10_001)
for derivative, color, line in ((right, BLUE, "-"), (wrong, RED, "--")):
    for rate, width in ((0.1, 2.5), (1.0, 1.0)):
        label = f"{derivative.__name__}, rate {rate:g}"
        axes[1].loglog(
            steps, curves[derivative, rate], line, color=color, linewidth=width, label=label
        )
axes[1].set(xlabel="step", ylabel="sum of squared errors", title="Training with either")
axes[1].legend(loc="lower left")
plt.show()

# %%
# It is luck all the same. With one layer, the error times any positive slope is the gradient of some
# loss, if not of the one that was meant. With hidden layers a wrong slope is passed on from layer to
# layer, and what comes out is in general the gradient of nothing.
# :func:`~sknumpynet.core.check_gradients` tells such a derivative from a right one:

from sknumpynet import Activation
from sknumpynet.core import GradientError, check_gradients


class WrongTanh(Activation):
    """tanh, with the slope of the tutorial."""

    def forward(self, z, out):
        np.tanh(z, out=out)

    def backward(self, a, delta, scratch):
        delta *= wrong(a)


for tanh in ("tanh", WrongTanh()):
    network = Network([Dense(3, 1, bias=False), tanh], rng=0)
    try:
        report = check_gradients(network, SquaredError(), X, y.reshape(-1, 1))
    except GradientError:
        print(f"{tanh}: the gradient is wrong")
    else:
        print(f"{tanh}: the gradient is right, to {report.max_error:.0e}")
