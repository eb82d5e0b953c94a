# SPDX-License-Identifier: BSD-3-Clause
"""Normalisation: the signal between two layers is standardised, then scaled and shifted by learned numbers.

With ``h = (x - mean) / sqrt(variance + epsilon)`` the output is ``gain * h + shift``. Backward, where ``S``
is the mean over the same axis as mean and variance, and ``g = gain * delta``:

    dgain = sum_rows delta * h          dL/dx = (g - S(g) - h S(g h)) / sqrt(variance + epsilon)
    dshift = sum_rows delta
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.layers.base import RUNNING_STATS, Buffer, Layer
from sknumpynet.core.wording import counted


class Normalization(Layer):
    """Base class: learned gain and shift, and both passes for statistics along ``axis``.

    Parameters
    ----------
    units : int
        Number of units of the previous layer.
    epsilon : float, default=1e-5
        Small constant that avoids division by zero.
    """

    constraints = {"units": "an integer in [1, inf)", "epsilon": "a number in (0, inf)"}
    VIEWS: tuple[str, ...] = ("gain", "shift", "dgain", "dshift")
    takes_members = True
    axis = -1

    gain: Array
    shift: Array
    dgain: Array
    dshift: Array

    def __init__(self, units: int, epsilon: float = 1e-5) -> None:
        self.units = units
        self.epsilon = epsilon

    def shapes(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        return {"gain": ("gains", (self.units,)), "shift": ("gains", (self.units,))}

    def reset_parameters(
        self, rng: Any, initializer: Any, bias_initializer: Any | None = None
    ) -> None:
        """Start as the identity, except for the standardisation."""
        self.gain[...] = 1
        self.shift[...] = 0

    def width(self, fan_in: int) -> int:
        if fan_in != self.units:
            raise ValueError(
                f"{self!r} follows a layer of {counted(fan_in, 'unit')}; set units={fan_in}"
            )
        return fan_in

    def buffer(
        self, fan_in: int, n: int, scratch: Array | None, ones: Array | None, needs_delta: bool
    ) -> Buffer:
        dtype = self.gain.dtype
        shape = (*self.lead, n, fan_in)
        out, h = np.empty(shape, dtype), np.empty(shape, dtype)
        return Buffer(out, None, scratch, ones, x_hat=h)

    def statistics(self, x: Array, buffer: Buffer) -> tuple[Array, Array]:
        """Return the mean and variance to use, broadcastable to `x`."""
        mean = x.mean(axis=self.axis, keepdims=True)
        squares: Any = np.subtract(x, mean, out=buffer.out)
        squares *= squares
        variance = squares.mean(axis=self.axis, keepdims=True)
        if not np.isfinite(variance).all():  # overflow: 1 / inf would be a finite number again
            variance[np.isinf(variance)] = np.nan
        return mean, variance

    def forward(self, x: Any, buffer: Buffer) -> Array:
        buffer.x = x
        buffer.statistics = mean, variance = self.statistics(x, buffer)
        buffer.inv_std = 1 / np.sqrt(variance + self.epsilon)
        h = np.subtract(x, mean, out=buffer.x_hat)
        h *= buffer.inv_std
        out: Array = np.multiply(h, self.gain, out=buffer.out)
        out += self.shift
        return out

    def backward(self, delta: Array, buffer: Buffer) -> Array | None:
        h: Any = buffer.x_hat
        product: Any = np.multiply(delta, h, out=buffer.scratch)
        dot: Any = np.matmul if self.lead else np.dot
        dot(buffer.ones, product, out=self.dgain)
        dot(buffer.ones, delta, out=self.dshift)
        delta *= self.gain
        if self.is_constant(buffer):
            delta *= buffer.inv_std
            return delta
        np.multiply(delta, h, out=product)
        np.multiply(h, product.mean(axis=self.axis, keepdims=True), out=product)
        delta -= delta.mean(axis=self.axis, keepdims=True)
        delta -= product
        delta *= buffer.inv_std
        return delta

    def is_constant(self, buffer: Buffer) -> bool:
        """Return whether mean and variance were independent of this batch."""
        return False


class LayerNorm(Normalization):
    """Standardises each row over the units of a layer.

    Parameters
    ----------
    units : int
        Number of units of the previous layer.
    epsilon : float, default=1e-5
        Small constant that avoids division by zero.

    References
    ----------
    Ba, Kiros, Hinton: Layer Normalization (2016, arXiv:1607.06450).

    Examples
    --------
    >>> import numpy as np
    >>> from sknumpynet.core import Dense, Network
    >>> network = Network([Dense(2, 4), LayerNorm(4)], rng=0)
    >>> bool(abs(network.predict(np.array([[1.0, 2.0]])).mean()) < 1e-9)
    True
    """


class BatchNorm(Normalization):
    """Standardises each unit over the rows of a batch; predictions use running means and variances.

    A batch of one row has no variance, so it also uses the running statistics.

    Parameters
    ----------
    units : int
        Number of units of the previous layer.
    epsilon : float, default=1e-5
        Small constant that avoids division by zero.
    momentum : float, default=0.9
        Share of the running statistics that is kept from batch to batch.

    Attributes
    ----------
    mean, variance : ndarray of shape (units,)
        The running statistics: views into the network's ``running_stats``.

    References
    ----------
    Ioffe, Szegedy: Batch Normalization (ICML 2015, arXiv:1502.03167).

    Examples
    --------
    >>> from sknumpynet.core import Dense, Network
    >>> network = Network([Dense(2, 4), BatchNorm(4), "relu", Dense(4, 1)], rng=0)
    >>> len(network.params) - network.n_weights  # b, gain and shift
    13
    >>> len(network.running_stats)  # mean and variance
    8
    """

    constraints = {**Normalization.constraints, "momentum": "a number in [0, 1]"}
    VIEWS = (*Normalization.VIEWS, "mean", "variance")
    axis = -2

    mean: Array
    variance: Array

    def __init__(self, units: int, epsilon: float = 1e-5, momentum: float = 0.9) -> None:
        super().__init__(units, epsilon)
        self.momentum = momentum

    def shapes(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        stats = {name: (RUNNING_STATS, (self.units,)) for name in ("mean", "variance")}
        return {**super().shapes(), **stats}

    def reset_parameters(
        self, rng: Any, initializer: Any, bias_initializer: Any | None = None
    ) -> None:
        super().reset_parameters(rng, initializer, bias_initializer)
        self.mean[...] = 0
        self.variance[...] = 1

    def is_constant(self, buffer: Buffer) -> bool:
        return buffer.use_running_stats or buffer.x.shape[-2] == 1

    def statistics(self, x: Array, buffer: Buffer) -> tuple[Array, Array]:
        if self.is_constant(buffer):
            return self.mean, self.variance
        return super().statistics(x, buffer)

    def update_running_stats(self, buffer: Buffer) -> None:
        if self.is_constant(buffer):
            return
        mean, variance = (each.reshape(self.mean.shape) for each in buffer.statistics)
        n = buffer.x.shape[-2]
        self.mean *= self.momentum
        self.mean += (1 - self.momentum) * mean
        self.variance *= self.momentum
        self.variance += (1 - self.momentum) * variance * (n / (n - 1))
