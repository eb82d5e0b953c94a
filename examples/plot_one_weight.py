"""
One weight by hand
==================

The smallest possible network has one input, one weight and no bias: ``a = w x``. This page computes every
number of its training by hand with the chain rule, and compares each with :mod:`sknumpynet.core`, which does
the same for a million weights.
"""

# %%
# The formulas
# ------------
# There is one row of data: for the input x = 2 the target is y = 1, so the solution is w = 0.5. The weight
# starts at -0.12.
#
# .. math::
#
#    a = w x \qquad L = \tfrac{1}{2} (a - y)^2 \qquad
#    \frac{dL}{dw} = \frac{dL}{da} \cdot \frac{da}{dw} = (a - y) \cdot x \qquad
#    w \leftarrow w - \text{rate} \cdot \frac{dL}{dw}
#
# The chain rule is the product in the middle: how the loss changes with the output, times how the output
# changes with the weight.

import matplotlib.pyplot as plt
import numpy as np

from sknumpynet.core import SGD, Dense, Network, SquaredError, Workspace, check_gradients

x, y, start, rate = 2.0, 1.0, -0.12, 0.1

w = start
a = w * x
L = (a - y) ** 2 / 2
dL_da = a - y
da_dw = x
dL_dw = dL_da * da_dw
print(f"a     = w x              = {w} * {x} = {a:.4f}")
print(f"L     = (a - y)^2 / 2    = ({a:.2f} - {y})^2 / 2 = {L:.4f}")
print(f"dL/da = a - y            = {a:.2f} - {y} = {dL_da:.4f}")
print(f"da/dw = x                = {da_dw:.4f}")
print(f"dL/dw = dL/da * da/dw    = {dL_da:.2f} * {da_dw} = {dL_dw:.4f}")
print(f"new w = w - rate * dL/dw = {w} - {rate} * ({dL_dw:.2f}) = {w - rate * dL_dw:.4f}")

# %%
# The same with the core
# ----------------------
# A network with one layer of one unit. ``forward`` computes a, the loss computes L and dL/da, ``backward``
# computes dL/dw, and the optimizer makes the step.

network = Network([Dense(1, 1, bias=False)])
network.params[...] = start
work, loss, optimizer = Workspace(network, 1), SquaredError(), SGD(momentum=0)

raw = network.forward(np.array([[x]]), work)
value, delta = loss.value_and_gradient(np.array([[y]]), raw)
same = {"a": (raw.item(), a), "L": (value, L), "dL/da": (delta.item(), dL_da)}
network.backward(delta, work)
same["dL/dw"] = (network.grads.item(), dL_dw)
optimizer.step(network.params, network.grads, learning_rate=rate)
same["new w"] = (network.params.item(), w - rate * dL_dw)

for name, (core, hand) in same.items():
    print(f"{name:6} core {core:9.6f}   by hand {hand:9.6f}")
    assert np.isclose(core, hand, rtol=1e-14)

# %%
# A third way to compute the derivative needs no chain rule: change w a little and compare the losses. This
# is what :func:`~sknumpynet.core.check_gradients` does.

h = 1e-5
difference = ((((w + h) * x - y) ** 2 - ((w - h) * x - y) ** 2) / 2) / (2 * h)
print(f"dL/dw by finite difference: {difference:.6f}")
assert np.isclose(difference, dL_dw)
print(check_gradients(network, loss, np.array([[x]]), np.array([[y]])))

# %%
# All steps
# ---------
# Further steps, by hand and with the core. The distance of w from 0.5 shrinks in each step by the same
# factor, 1 - rate x^2 = 0.6, so after step t it is ``w = 0.5 - 0.62 * 0.6^t``.

network.params[...] = w = start
path = [w]
print("step        w        a       dL/da    dL/dw    new w")
for step in range(1, 31):
    raw = network.forward(np.array([[x]]), work)
    _, delta = loss.value_and_gradient(np.array([[y]]), raw)
    network.backward(delta, work)
    optimizer.step(network.params, network.grads, learning_rate=rate)

    a = w * x
    dL_dw = (a - y) * x
    new = w - rate * dL_dw
    if step <= 5 or step % 10 == 0:
        print(f"{step:4} {w:10.6f} {a:9.6f} {a - y:9.6f} {dL_dw:9.6f} {new:9.6f}")
    w = new
    path.append(w)
    assert np.isclose(network.grads.item(), dL_dw, rtol=1e-9, atol=1e-14)
    assert np.isclose(network.params.item(), w, rtol=1e-14)
    assert np.isclose(w, 0.5 - 0.62 * (1 - rate * x**2) ** step, rtol=1e-14)
assert abs(w - 0.5) < 1e-6

# %%
# The loss is a parabola in w. The slope at each point (drawn for the first three) shows which direction is
# downhill, and the flatter the curve, the smaller the step.

path = np.array(path)


def loss_at(w):
    return (w * x - y) ** 2 / 2


grid = np.linspace(-0.25, 1.0, 200)
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.plot(grid, loss_at(grid), color="#999999", label="loss")
for w in path[:3]:
    near = w + np.array([-0.09, 0.09])
    axes.plot(near, loss_at(w) + (w * x - y) * x * (near - w), color="#D55E00", linewidth=2)
axes.plot([], [], color="#D55E00", linewidth=2, label="slope dL/dw")
axes.plot(path, loss_at(path), "o", color="#0072B2", label="w after each step")
for w in path[:4]:
    axes.annotate(f"{w:.3f}", (w, loss_at(w)), (9, 3), textcoords="offset points")
axes.set(xlabel="w", ylabel="loss", ylim=(-0.03, 1.15))
axes.legend(loc="upper center")
plt.show()

# %%
# The effect of the learning rate
# -------------------------------
# The factor 1 - rate x^2 predicts the effect of a learning rate. At 0.25 it is 0, and one step is enough. At
# higher rates w overshoots in each step and changes sides. From 0.5 on, where the factor is -1 or less, w
# does not converge.

STYLES = {
    0.1: ("#0072B2", "o-"),
    0.25: ("#009E73", "s-"),
    0.45: ("#E69F00", "^-"),
    0.52: ("#D55E00", "v-"),
}
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for rate, (color, line) in STYLES.items():
    network.params[...] = start
    path = [start]
    for _ in range(10):
        _, delta = loss.value_and_gradient(np.array([[y]]), network.forward(np.array([[x]]), work))
        network.backward(delta, work)
        SGD(momentum=0).step(network.params, network.grads, learning_rate=rate)
        path.append(network.params.item())
    factor = 1 - rate * x**2
    assert np.allclose(path, 0.5 - 0.62 * factor ** np.arange(11))
    axes.plot(path, line, color=color, markersize=4, label=f"rate {rate:g}, factor {factor:.3g}")
axes.axhline(0.5, color="grey", linestyle=":")
axes.set(xlabel="step", ylabel="w", ylim=(-1.1, 2.6))
axes.legend(loc="upper right", ncols=2)
plt.show()

# %%
# Many texts omit the factor 1/2 of the loss. Then dL/da is ``2 (a - y)``, every derivative is twice as
# large, and half the learning rate gives the same steps.
