# SPDX-License-Identifier: BSD-3-Clause
"""Check of the backward pass: compares its gradient with finite differences of the loss.

The slope for a parameter is the central difference ``(L(p + h) - L(p - h)) / 2h``. Where the two one-sided
slopes disagree, the loss has a kink nearby (a ReLU at zero), and the parameter is skipped. The log losses cap
the terms that they report, but not the gradient; rows far from zero are therefore compared with uncapped
terms.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.layers.base import RUNNING_STATS, grouped_shapes
from sknumpynet.core.losses import Loss
from sknumpynet.core.network import Network, Workspace
from sknumpynet.core.network.foreign import check_layers, check_loss

# For raw outputs below this, the terms of the log losses are not capped, and 1 - p is accurate.
FAR = 5.0


class GradientError(AssertionError):
    """The backward pass disagrees with the slopes of the loss.

    Attributes
    ----------
    report : GradientReport
        The errors per layer.
    """

    def __init__(self, message: str, report: GradientReport) -> None:
        super().__init__(message)
        self.report = report


@dataclass
class GradientReport:
    """The result of :func:`~sknumpynet.core.check_gradients`.

    Attributes
    ----------
    errors : dict of str to float
        For the weights and biases of each layer, from the output backwards (the order in which the backward
        pass computes them), the largest difference relative to the largest slope in that array.
    n_checked, n_kinks : int
        Parameters that were compared, and that were skipped because of a kink.
    """

    errors: dict[str, float] = field(default_factory=dict)
    n_checked: int = 0
    n_kinks: int = 0

    @property
    def max_error(self) -> float:
        """The largest of the errors."""
        return max(self.errors.values(), default=0.0)


def check_gradients(
    network: Network,
    loss: Loss,
    X: Any,
    y: Array,
    sample_weight: Array | None = None,
    *,
    step: float = 1e-5,
    tolerance: float = 1e-5,
) -> GradientReport:
    """Compare the gradients of the backward pass with central differences of the loss.

    Parameters
    ----------
    network : Network
        A network with float64 parameters, which are changed and restored. It may have members.
    loss : Loss
        The loss.
    X : ndarray of shape (n, n_features), or sparse
        A few rows of data; or (k, n, n_features), with rows for each member.
    y : ndarray
        Targets in the form that the loss expects; with rows for each member, of shape (k, n, ...).
    sample_weight : ndarray of shape (n,), default=None
        Weights of the rows.
    step : float, default=1e-5
        How far a parameter is moved to each side.
    tolerance : float, default=1e-5
        Largest allowed difference, relative to the largest slope in the same array of weights or biases.

    Returns
    -------
    report : GradientReport
        The errors per layer.

    Raises
    ------
    GradientError
        If a gradient is wrong. The message names the layer nearest the output, which is the one to check
        first: an error there makes all layers before it wrong. Also if the loss bends along every
        parameter, so that there is nothing to compare.
    ValueError
        If a custom activation or loss does not write into the arrays it is given.
    TypeError
        If the network does not compute in float64: in float32, differences are too inaccurate.

    Examples
    --------
    >>> import numpy as np
    >>> from sknumpynet.core import Dense, Network, SquaredError, check_gradients
    >>> rng = np.random.default_rng(0)
    >>> network = Network([Dense(3, 4), "tanh", Dense(4, 2)], rng=rng)
    >>> report = check_gradients(network, SquaredError(), rng.normal(size=(5, 3)), rng.normal(size=(5, 2)))
    >>> report.n_checked, report.max_error < 1e-8
    (26, True)
    """
    if network.dtype != np.float64:
        raise TypeError(f"network must compute in float64 to be checked; it has {network.dtype}")
    check_layers(network)
    check_loss(loss, y, network.n_outputs)
    if network.lead and X.ndim == 2:  # all members get the same rows
        y = np.broadcast_to(y, (*network.lead, *y.shape))
    work = Workspace(network, X.shape[-2])
    # dropout masks, which stay fixed from here on
    network.sample_masks(work, np.random.default_rng(0))

    def value() -> float:
        return _value(loss, y, network.forward(X, work), sample_weight)

    delta = _delta(loss, y, network.forward(X, work), sample_weight)
    center = value()
    before = network.snapshot()
    network.backward(delta, work)
    moved = not np.array_equal(network.params, before[0], equal_nan=True)
    network.restore(before)  # slopes are measured at the parameters of the forward pass
    gradients = {name: gradient.copy() for name, _, gradient in _arrays_from_output(network)}
    report = GradientReport()
    for name, *arrays in _arrays_from_output(network):
        for array, whole, kind in zip(
            arrays, (network.params, network.grads), ("", "gradient of ")
        ):
            if array.size and not np.may_share_memory(array, whole):
                raise GradientError(
                    f"the {kind}{name} is a private array of the layer, which no optimizer sees: write into "
                    "the array that the network has bound, as self.db[...] = ... does",
                    report,
                )
    for name, params, _ in _arrays_from_output(network):
        slopes, kinks = _slopes(params, value, center, step)
        error = np.abs(gradients[name] - slopes)[~kinks].max(initial=0.0)
        size = max(np.abs(slopes)[~kinks].max(initial=0.0), 1e-3 * abs(center), 1e-6)
        report.errors[name] = float(error / size)
        report.n_checked += int((~kinks).sum())
        report.n_kinks += int(kinks.sum())
    for name, error in report.errors.items():
        if not error <= tolerance:
            raise GradientError(
                f"the gradient of {name} is off by {error:.1e} of its largest slope (tolerance "
                f"{tolerance:.0e}). Look at this layer's backward pass and at what sends delta into it: "
                "it is the one nearest the output that disagrees"
                + moved
                * ". The backward pass also moved the parameters, which is for the step after it",
                report,
            )
    if report.n_checked == 0:
        raise GradientError(
            "no slope of the loss could be measured: the loss jumps or bends for every parameter. Is "
            "something drawn at random in each forward pass, or changed permanently?",
            report,
        )
    return report


def _delta(loss: Loss, y: Array, raw: Array, sample_weight: Array | None) -> Array:
    if raw.ndim == 2:
        return loss.value_and_gradient(y, raw, sample_weight)[1]
    if sample_weight is not None:
        sample_weight = np.broadcast_to(sample_weight, raw.shape[:2])
    return loss.values_and_gradient(y, raw, sample_weight)[1]


def _value(loss: Loss, y: Array, raw: Array, sample_weight: Array | None) -> float:
    """Return the loss to differentiate: with uncapped terms for rows far from zero.

    For members it is the sum of their losses; each parameter affects the loss of only one of them.
    """
    if raw.ndim == 3:
        return sum(_value(loss, *each, sample_weight) for each in zip(y, raw, strict=True))
    far = np.abs(raw).max(axis=1) > FAR
    terms = loss.uncapped_terms(y[far], raw[far]) if far.any() and _knows_its_cap(loss) else None
    if terms is None:
        return loss.value_and_gradient(y, raw, sample_weight)[0]
    weights = np.ones(len(raw)) if sample_weight is None else sample_weight
    total = float(weights.sum())
    if total == 0:
        return 0.0
    value, near = float(weights[far].dot(terms.sum(axis=1))) / total, ~far
    if near.any():
        value += loss.value_and_gradient(y[near], raw[near], weights[near], total=total)[0]
    return value


def _knows_its_cap(loss: Loss) -> bool:
    """Return whether ``uncapped_terms`` and the reported terms are defined in the same class."""
    for cls in type(loss).__mro__:
        if "uncapped_terms" in vars(cls):
            return True
        if "terms_and_gradient" in vars(cls) or "value_and_gradient" in vars(cls):
            return False
    return False


def _slopes(params: Array, value: Any, center: float, step: float) -> tuple[Array, Array]:
    """Return the central differences, and where they are unreliable because of a kink."""
    slopes, kinks = np.empty(params.shape), np.zeros(params.shape, bool)
    for index in np.ndindex(params.shape):
        kept = params[index]
        params[index] = kept + step
        right = value()
        params[index] = kept - step
        left = value()
        params[index] = kept
        slope = (right - left) / (2 * step)
        slopes[index] = slope
        # The one-sided slopes of a smooth function differ by about step * L''. At a kink the difference is
        # about as large as the slopes. Halving the step distinguishes the two: where the function is
        # smooth, it halves the difference and does not change the central slope.
        bend = abs(right - 2 * center + left) / step
        if bend > 1e-4 * max(abs(slope), 1e-5):
            params[index] = kept + step / 2
            right = value()
            params[index] = kept - step / 2
            left = value()
            params[index] = kept
            near = abs(right - 2 * center + left) / (step / 2)
            moved = abs((right - left) / step - slope)
            kinks[index] = not 0.4 * bend < near < 0.6 * bend or moved > 0.05 * bend
    return slopes, kinks


def _arrays_from_output(network: Network) -> Iterator[tuple[str, Array, Array]]:
    """Yield name, parameters and gradients of each array, beginning with the last layer."""
    layers = [layer for layer in network.layers if layer.shapes()]
    for index, layer in reversed(list(enumerate(layers))):
        for name, (group, _) in reversed(grouped_shapes(layer).items()):
            if group != RUNNING_STATS:
                where = f"{name} in layer {index} of {len(layers)} ({layer!r})"
                yield where, getattr(layer, name), getattr(layer, "d" + name)
