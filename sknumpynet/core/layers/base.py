# SPDX-License-Identifier: BSD-3-Clause
"""The base class of layers, and the buffer in which a layer computes."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.initializers import GlorotUniform, Initializer
from sknumpynet.core.options import CLASSES, Options
from sknumpynet.core.renamed import keep_old_names, warn_of_name


@dataclass(frozen=True)
class Group:
    """How the parameters of a group are trained.

    `Layer.shapes` assigns each parameter to a group, and ``Network(layers, groups={name: Group()})`` sets how
    a group is trained. By default only weights decay.

    Parameters
    ----------
    decays : bool, default=False
        Whether the penalty and weight decay apply.
    learning_rate_factor : float, default=1.0
        Factor of the learning rate.

    Examples
    --------
    >>> from sknumpynet.core import Dense, Group, Network
    >>> slow_biases = {"biases": Group(learning_rate_factor=0.1)}
    >>> network = Network([Dense(2, 1)], groups=slow_biases)
    >>> network.learning_rates(0.5)
    array([0.5 , 0.5 , 0.05])
    """

    decays: bool = False
    learning_rate_factor: float = 1.0


CLASSES["Group"] = Group
# Other groups do not decay.
GROUPS = {"weights": Group(decays=True), "biases": Group(), "gains": Group()}
# The group of values that are kept but not trained.
RUNNING_STATS = "running_stats"
OLD_GROUPS = {"rest": "gains", "state": RUNNING_STATS}


class Buffer:
    """The arrays of one layer for one batch: its input, its output, and dL/d(input).

    Attributes
    ----------
    x : ndarray of shape (n, fan_in), or sparse
        The input of the last forward pass.
    out : ndarray of shape (n, fan_out)
        The output of the last forward pass.
    delta : ndarray of shape (n, fan_in) or None
        dL/dx of the last backward pass; None if it is not needed.
    scratch : ndarray of shape (n, fan_out) or None
        Scratch space; None for prediction.
    second_scratch : ndarray of shape (n, fan_out) or None
        More scratch space, for layers that need it.
    ones : ndarray of shape (n,) or None
        Ones, to sum over rows by a matrix product.
    mask : ndarray of shape (n, fan_in) or None
        The dropout mask.
    x_hat : ndarray of shape (n, fan_in) or None
        The standardised input of a normalisation.
    inv_std : ndarray or None
        One over the standard deviation that a normalisation divides by.
    statistics : tuple of ndarray or None
        Mean and variance that a normalisation used.
    use_running_stats : bool
        Whether to use running statistics, as in prediction.
    """

    __slots__ = (
        "delta",
        "inv_std",
        "mask",
        "ones",
        "out",
        "scratch",
        "second_scratch",
        "statistics",
        "use_running_stats",
        "x",
        "x_hat",
    )

    def __init__(
        self,
        out: Array | None = None,
        delta: Array | None = None,
        scratch: Array | None = None,
        ones: Array | None = None,
        mask: Array | None = None,
        x_hat: Array | None = None,
    ) -> None:
        self.x: Any = None
        self.out = out
        self.delta = delta
        self.scratch = scratch
        self.ones = ones
        self.mask = mask
        self.x_hat = x_hat
        self.second_scratch: Any = None
        self.inv_std: Any = None
        self.statistics: Any = None
        self.use_running_stats = scratch is None

    def head(self, n: int) -> Buffer:
        """Return a buffer for ``n`` rows in the same memory."""
        arrays = (self.out, self.delta, self.scratch, self.ones, self.mask, self.x_hat)
        return Buffer(*(None if array is None else array[:n] for array in arrays))

    def share(self, whole: Buffer) -> None:
        """Copy anything that continues from batch to batch from the buffer of a full batch."""

    @property
    def kept(self) -> Array | None:
        warn_of_name("Buffer.kept", "mask or x_hat")
        return self.x_hat if self.mask is None else self.mask

    @kept.setter
    def kept(self, array: Array) -> None:
        warn_of_name("Buffer.kept", "mask or x_hat")
        self.mask = array


keep_old_names(Buffer, {"scale": "inv_std", "frozen": "use_running_stats"})


class Layer(Options):
    """Base class of layers, which have a forward and a backward formula, and may have parameters."""

    renamed = {
        "keeps_output": "needed_in_backward",
        "fill": "reset_parameters",
        "draw": "sample_masks",
        "remember": "update_running_stats",
    }
    # Names of the parameters and gradients, which are views bound by the network: not copied, not pickled.
    VIEWS: tuple[str, ...] = ()
    # Whether the next layer must not overwrite the output: backward needs it, or it may be the data.
    needed_in_backward = False
    # Whether forward and backward also work on arrays whose first axis is that of members.
    takes_members = False
    # The axes before (rows, units): (k,) in a network of k members.
    lead: tuple[int, ...] = ()

    def shapes(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Return, for each parameter, the name of its group and its shape.

        Groups are ``"weights"``, ``"biases"``, ``"gains"`` and any others; values that are kept but not
        trained are in the group ``"running_stats"``. The network sets a view of each parameter as an
        attribute with its name, and one of the gradient as ``"d"`` + name.

        The shape is that of a single network. With k members the views have an additional first axis:
        (k, fan_in, fan_out) for (fan_in, fan_out), and (k, 1, units) for (units,), which can be broadcast
        with activations of shape (k, n, units).
        """
        return {}

    def members(self, chosen: Any) -> Layer:
        """Return a layer for some members, or for a single network if ``chosen`` is an integer."""
        return copy.copy(self)

    @property
    def default_initializer(self) -> Initializer:
        """The initializer that the network passes to `reset_parameters` by default."""
        return GlorotUniform()

    def reset_parameters(
        self, rng: Any, initializer: Any, bias_initializer: Any | None = None
    ) -> None:
        """Set the initial values of the parameters and the running statistics."""

    def width(self, fan_in: int) -> int:
        """Return the number of outputs for a number of inputs, or raise ValueError."""
        return fan_in

    def buffer(
        self, fan_in: int, n: int, scratch: Array | None, ones: Array | None, needs_delta: bool
    ) -> Buffer:
        """Return the layer's buffer for ``n`` rows; ``scratch`` and ``ones`` are None for prediction."""
        return Buffer(scratch=scratch, ones=ones)

    def sample_masks(self, buffer: Buffer, rng: np.random.Generator) -> None:
        """Draw the random numbers of the next pass, if there are any."""

    def update_running_stats(self, buffer: Buffer) -> None:
        """Update the running statistics from the last forward pass, if there are any."""

    def forward(self, x: Any, buffer: Buffer) -> Array:
        """Return the layer's output for the batch ``x``, kept in ``buffer.out``."""
        raise NotImplementedError

    def backward(self, delta: Array, buffer: Buffer) -> Array | None:
        """Fill the gradients of the parameters for ``delta`` = dL/d(output), and return dL/d(input)."""
        raise NotImplementedError

    def fill(self) -> None:
        """Do nothing: `reset_parameters` does it. Custom layers may still define the old name."""

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in self.VIEWS}


def grouped_shapes(layer: Layer) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return ``layer.shapes()`` with the current names of the groups."""
    shapes = layer.shapes().items()
    return {name: (OLD_GROUPS.get(group, group), shape) for name, (group, shape) in shapes}


def warn_of_old_groups(layer: Layer, stacklevel: int) -> None:
    """Warn if ``layer.shapes()`` has an old name of a group."""
    for old in OLD_GROUPS.keys() & {group for group, _ in layer.shapes().values()}:
        warn_of_name(f"The group {old!r} of {layer!r}", repr(OLD_GROUPS[old]), stacklevel + 1)
