"""
Finding a wrong derivative
==========================

A network with a mistake in its backward pass often still learns, so the mistake goes unnoticed.
:func:`~sknumpynet.core.check_gradients` finds it in one line: it compares the gradient with finite
differences of the loss. This page makes five mistakes that are common in networks written by hand, and the
check locates each of them.
"""

# %%
# A hidden layer, written by hand
# -------------------------------
# Forward: ``a = f(x W + b)``. Backward: from the error dL/da, which comes from the next layer, to the
# gradients of W and b, and to dL/dx, the error for the previous layer. The class is a
# :class:`~sknumpynet.core.Dense` layer with other formulas, so that it can be used in a network of this
# package.

import textwrap

import matplotlib.pyplot as plt
import numpy as np

from sknumpynet.core import (
    SGD,
    Dense,
    GradientError,
    MultinomialLogLoss,
    Network,
    Workspace,
    check_gradients,
)


class TanhLayer(Dense):
    """``a = tanh(x W + b)``."""

    def f(self, z):
        return np.tanh(z)

    def slope(self, a):
        return 1 - a**2  # da/dz

    def forward(self, x, buffer):
        buffer.x = x
        buffer.out = self.f(x @ self.W + self.b)
        return buffer.out

    def backward(self, error, buffer):
        delta = error * self.slope(buffer.out)  # dL/dz = dL/da * da/dz
        self.dW[...] = buffer.x.T @ delta
        self.db[...] = delta.sum(axis=0)
        return delta @ self.W.T  # dL/dx


class ReLULayer(TanhLayer):
    """``a = max(x W + b, 0)``."""

    def f(self, z):
        return np.maximum(z, 0)

    def slope(self, a):
        return a > 0


# %%
# The data have three classes, in concentric rings; the network has two such layers and a softmax. The check
# changes each parameter a little in both directions, computes the loss there, and compares the slope with the
# gradient from the backward pass. If everything is correct, the two agree to about ten digits.

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 2))
y = np.digitize(np.linalg.norm(X, axis=1), [0.8, 1.5])


def make_network(second=TanhLayer):
    return Network([TanhLayer(2, 8), second(8, 8), Dense(8, 3)], rng=0)


few = X[:20], y[:20]
for layer in (TanhLayer, ReLULayer):
    report = check_gradients(make_network(layer), MultinomialLogLoss(), *few)
    print(f"{layer.__name__}: {report.n_checked} derivatives, largest error {report.max_error:.0e}")
    assert report.max_error < 1e-7

# %%
# Five mistakes
# -------------
# **The derivative of tanh at the wrong argument.** The derivative is ``1 - tanh(z)^2``. In terms of the
# output ``a = tanh(z)``, it is ``1 - a^2``. If you insert ``a`` into the first formula, you apply tanh twice.


class WrongArgument(TanhLayer):
    def slope(self, a):
        return 1 - np.tanh(a) ** 2


# %%
# **ReLU instead of its derivative.** The derivative is 1 where the unit is active, whatever its value.


class SlopeIsReLU(ReLULayer):
    def slope(self, a):
        return np.maximum(a, 0)


# %%
# **The error passed on without the derivative.** The layer's own gradients correctly use ``delta``, but the
# error for the previous layer is computed from ``error``.


class WithoutSlope(TanhLayer):
    def backward(self, error, buffer):
        super().backward(error, buffer)
        return error @ self.W.T


# %%
# **The error passed on through updated weights.** Each layer makes its step as soon as it has its
# gradient. But the loss was computed with the old weights, so its derivative contains those.


class StepAtOnce(TanhLayer):
    def backward(self, error, buffer):
        super().backward(error, buffer)
        self.W -= 0.1 * self.dW
        return (error * self.slope(buffer.out)) @ self.W.T


# %%
# **A softmax over the whole batch.** If ``axis=1`` is forgotten, the probabilities of all rows together
# have the sum 1. The gradient ``p - y`` is that of a softmax of each row.


class SoftmaxOfBatch(MultinomialLogLoss):
    def terms_and_gradient(self, y, raw, gradient, scratch):
        rows = np.arange(len(y))
        p = np.exp(raw) / np.exp(raw).sum()
        gradient[...] = p
        gradient[rows, y] -= 1
        return -np.log(p[rows, y])[:, np.newaxis]


# %%
# All are found
# -------------
# :class:`~sknumpynet.core.GradientError` names the array of weights or biases with a wrong gradient that is
# nearest to the output. Everything between the output and this array is correct. So the mistake is in the
# formula for this gradient, or in the error that the next layer passed back. Gradients nearer to the input
# are wrong for the same reason.

softmax = MultinomialLogLoss()
CASES = {  # network, loss, and the layer to be named: 2 is the last
    "no mistake": (TanhLayer, softmax, None),
    "tanh' of the wrong argument": (WrongArgument, softmax, 1),
    "ReLU' that returns ReLU": (SlopeIsReLU, softmax, 1),
    "error without its slope": (WithoutSlope, softmax, 0),
    "weights already updated": (StepAtOnce, softmax, 0),
    "softmax over the batch": (TanhLayer, SoftmaxOfBatch(), 2),
}
reports = {}
for name, (layer, loss, named) in CASES.items():
    try:
        reports[name] = check_gradients(make_network(layer), loss, *few)
        assert named is None
    except GradientError as error:
        reports[name] = error.report
        print(f"{name}:")
        print(textwrap.indent(textwrap.fill(str(error), 80), "    "))
        assert f" in layer {named} of 3" in str(error).split(" is off")[0]

# %%
# The report contains the error of every array. Read each line from the left, in the order of the backward
# pass: the first dark field is where to look. In the first four cases the mistake is in the middle layer. If
# its derivative is wrong, its own gradients are wrong; if it passes on a wrong error, its own gradients are
# correct and those of the previous layer are wrong.

errors = np.array([list(report.errors.values()) for report in reports.values()])
arrays = [key.split(" of")[0].replace(" in ", "\n") for key in reports["no mistake"].errors]
figure, axes = plt.subplots(figsize=(7.5, 3.9), layout="constrained")
image = axes.imshow(np.log10(errors + 1e-16), cmap="cividis_r", vmin=-12, vmax=1, aspect="auto")
for (row, column), error in np.ndenumerate(errors):
    axes.text(
        column, row, f"{error:.0e}", ha="center", va="center", color="w" if error > 1e-5 else "k"
    )
for row, (_, _, named) in enumerate(CASES.values()):
    if named is not None:
        column = 2 * (2 - named)
        axes.add_patch(
            plt.Rectangle((column - 0.48, row - 0.46), 0.96, 0.92, fill=False, lw=3, ec="#D55E00")
        )
axes.set(
    xticks=range(6),
    xticklabels=arrays,
    yticks=range(len(CASES)),
    yticklabels=CASES,
    title="error of the gradient, from the output backwards\n(framed: the array that is named)",
)
bar = figure.colorbar(image, ticks=[-12, -5, 0], pad=0.02)
bar.ax.set_yticklabels(["1e-12", "1e-5, the\ntolerance", "1"])
plt.show()

# %%
# Why such mistakes go unnoticed
# ------------------------------
# The networks learn anyway. Here each network is trained on all rows by plain gradient descent with its own
# backward pass, and evaluated with the correct loss. Some mistakes are even better for a while: an error that
# is too large acts like a larger learning rate. So a falling loss proves nothing. Only the last mistake is
# visible: its gradient does not go to zero, and the outputs diverge.

RATE, STEPS = 0.1, 380
STYLES = {
    "no mistake": ("black", "-"),
    "tanh' of the wrong argument": ("#0072B2", "--"),
    "ReLU' that returns ReLU": ("#D55E00", "-."),
    "error without its slope": ("#009E73", ":"),
    "weights already updated": ("#E69F00", (0, (1, 1))),
    "softmax over the batch": ("#CC79A7", (0, (5, 1, 1, 1, 1, 1))),
}
figure, axes = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
for name, (layer, loss, _) in CASES.items():
    network, optimizer = make_network(layer), SGD(momentum=0)
    work, curve = Workspace(network, len(X)), []
    for _ in range(STEPS):
        raw = network.forward(X, work)
        curve.append(softmax.value_and_gradient(y, raw)[0])
        network.backward(loss.value_and_gradient(y, raw)[1], work)
        optimizer.step(network.params, network.grads, RATE)
    right = np.mean(network.predict(X).argmax(axis=1) == y)
    print(f"{name:28} loss {curve[-1]:6.3f}, accuracy {right:.0%}")
    color, line = STYLES[name]
    axes.plot(curve, color=color, linestyle=line, linewidth=2, label=f"{name}: {right:.0%} right")
axes.set(xlabel="step", ylabel="log loss", ylim=(0, 1.8))
axes.legend(loc="upper right")
plt.show()

# %%
# So check gradients before you train. It only takes a moment, and each formula has to pass only once: a small
# network and a few rows are enough.
