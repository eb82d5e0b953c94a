"""
A rule of three bits, from four rows
====================================

Many tutorials begin with a single neuron that is trained on four rows of three bits and finds the rule: the
output is the first bit. This page does the same in five lines with the estimator, compares it with
scikit-learn's, and does it in thirteen lines with ``core``. It ends with a mistake in the derivative of tanh
that tutorials make, and explains why the result looked right nevertheless.
"""

# %%
# Four training rows
# ------------------
# In all four the last bit is 1, so it carries no information. The other four rows are kept for a test.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.neural_network import MLPClassifier

from sknumpynet import datasets

X, y = datasets.three_bit_rule()
X_new, y_new = datasets.three_bit_rule("remaining")
for title, rows, outputs in (("to learn from", X, y), ("new", X_new, y_new)):
    print(f"{title}:", ", ".join(f"{row} -> {out}" for row, out in zip(rows.astype(int), outputs)))

# %%
# Five lines with the estimator
# -----------------------------
# Four hidden tanh units. For such small data, L-BFGS is the best solver.

from sknumpynet import NumpyMLPClassifier
from sknumpynet.datasets import three_bit_rule

X, y = three_bit_rule()
network = NumpyMLPClassifier((4,), "tanh", solver="lbfgs", random_state=0).fit(X, y)
print(network.predict([[1, 1, 0], [0, 1, 0], [1, 0, 0]]))

# %%
# scikit-learn's network has the same parameters and finds the same weights:

theirs = MLPClassifier((4,), activation="tanh", solver="lbfgs", random_state=0).fit(X, y)
print(theirs.predict([[1, 1, 0], [0, 1, 0], [1, 0, 0]]))

pairs = zip(network.coefs_, theirs.coefs_, strict=True)
print(f"largest difference between weights: {max(abs(W - V).max() for W, V in pairs):.1e}")
assert network.predict(X_new).tolist() == theirs.predict(X_new).tolist() == y_new.tolist()

# %%
# Thirteen lines with the core
# ----------------------------
# The network of the tutorials is smaller: three weights, no hidden layer, no bias. Its output is ``a = tanh(x
# W)``, and it minimises half the sum of the squared errors. By default, losses in this package are means;
# ``total=1`` gives the sum.

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
print(network.predict(X_new).ravel().round(3) + 0)

# %%
# The last of the new rows is all zeros, so its output is always ``tanh(0) = 0``. The weight of the first
# bit has grown, and the other two have become small:

print("weights", (network.params.round(4) + 0).tolist())
assert np.abs(network.predict(X_new).ravel() - y_new).max() < 0.01

# %%
# The derivative of tanh at the wrong argument
# --------------------------------------------
# With ``a = tanh(z)``, the derivative is ``1 - tanh(z)^2 = 1 - a^2``. A tutorial defines it as ``1 -
# tanh(x)^2`` but passes ``a``, so tanh is applied twice. Its training loop, with either derivative:


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
# **Why the tutorial's network seemed to work.** It is the first line of the table: the wrong derivative,
# and a learning rate of 1. The tutorial only shows the prediction for ``1 0 0``, which is 1 to four digits.
# But the prediction for ``0 1 0`` is 0.19, and training has not converged: the squared error stays at a third
# forever.
#
# **Why it does not converge** has nothing to do with the mistake. On the two rows with the target 0, tanh is
# almost linear with slope 1, and a step multiplies the error by ``1 - rate * lambda``, where ``lambda`` is an
# eigenvalue of ``X^T X`` of those rows. At a rate of 1 the weights oscillate; they can converge at rates
# below ``2 / lambda``:

top = np.linalg.eigvalsh(X[y == 0].T @ X[y == 0]).max()
print(f"largest eigenvalue {top:.3f}: the rate must be below {2 / top:.3f}")
for rate in (0.75, 0.78):
    print(
        f"rate {rate}: squared error",
        *(f"{train(d, rate, 3000)[1][-1]:.0e}" for d in (wrong, right)),
    )

# %%
# **What the mistake does.** The wrong derivative is positive like the correct one, so each row pulls in
# the right direction. It never falls below ``1 - tanh(1)^2 = 0.42``, while the correct one vanishes as the
# output approaches 1. So the rows with the target 1 keep pulling when their output is almost right: with the
# correct derivative the squared error falls like ``1 / t``, with the wrong one like ``1 / t^2``. The wrong
# one may even seem better.

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
# But this is luck. With one layer, the error times any positive function is the gradient of some loss,
# although not of the intended one. With hidden layers a wrong derivative is passed on from layer to layer,
# and the result is in general not the gradient of any function. :func:`~sknumpynet.core.check_gradients`
# detects the wrong derivative:

from sknumpynet import Activation
from sknumpynet.core import GradientError, check_gradients


class WrongTanh(Activation):
    """tanh with the derivative of the tutorial."""

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
        print(f"{tanh}: the gradient is correct, to {report.max_error:.0e}")
