# SPDX-License-Identifier: BSD-3-Clause
"""Layers of k networks at once: the same formulas, with members as the first axis.

``np.matmul`` multiplies stacks of matrices, one product for each member: (k, n, d) times (k, d, h) is (k, n,
h). Members do not influence each other.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from sknumpynet.core.arrays import SCALARS, Array
from sknumpynet.core.layers.base import Buffer, Layer
from sknumpynet.core.layers.dense import Dense
from sknumpynet.core.layers.dropout import Dropout, DropoutPool, PoolBuffer
from sknumpynet.core.options import fits
from sknumpynet.core.wording import counted


def with_members(layer: Layer) -> Layer:
    """Return the corresponding layer for a network of members, or raise ValueError."""
    if type(layer) is Dense:
        return MemberDense(**layer.get_params())
    if type(layer) is Dropout:
        return MemberDropout(layer.rate, layer.pool)
    if layer.takes_members:
        return copy.copy(layer)
    raise ValueError(
        f"{layer!r} cannot be used in a network of members. A class of layers that can sets "
        "takes_members = True, and works on arrays of shape (n_members, n_rows, units)"
    )


class MemberDense(Dense):
    """The dense layer of k members: ``z_i = x_i W_i + b_i``, and its derivatives.

    Created from a `Dense` by ``Network(..., n_members=k)``. The input has the shape (k, n, fan_in), or
    (n, fan_in) if all members get the same rows.

    Attributes
    ----------
    W, dW : ndarray of shape (k, fan_in, fan_out)
        Weights and their gradient.
    b, db : ndarray of shape (k, 1, fan_out), or None without bias
        Biases and their gradient.
    """

    takes_members = True

    def members(self, chosen: Any) -> Layer:
        other: Dense = object.__new__(Dense if isinstance(chosen, Integral) else MemberDense)
        vars(other).update(self.__getstate__())
        return other

    def buffer(
        self, fan_in: int, n: int, scratch: Array | None, ones: Array | None, needs_delta: bool
    ) -> Buffer:
        dtype = self.W.dtype
        delta = np.empty((*self.lead, n, fan_in), dtype) if needs_delta else None
        return Buffer(np.empty((*self.lead, n, self.fan_out), dtype), delta, scratch, ones)

    def forward(self, x: Any, buffer: Buffer) -> Array:
        buffer.x = x
        z: Array = np.matmul(x, self.W, out=buffer.out)
        if self.parametrization == "ntk":
            z *= SCALARS[z.dtype][1 / math.sqrt(self.fan_in)]
        if self.bias:
            z += self.b
        return z

    def backward(self, delta: Array, buffer: Buffer) -> Array | None:
        if self.bias:
            np.matmul(buffer.ones, delta, out=self.db)  # type: ignore[arg-type]
        if self.parametrization == "ntk":
            delta *= SCALARS[delta.dtype][1 / math.sqrt(self.fan_in)]
        np.matmul(buffer.x.swapaxes(-1, -2), delta, out=self.dW)
        if buffer.delta is None:
            return None
        # a product with one column, for which NumPy is slow on stacks
        multiply = np.multiply if self.fan_out == 1 else np.matmul
        dx: Array = multiply(delta, self.W.swapaxes(-1, -2), out=buffer.delta)
        return dx


class MemberDropout(Dropout):
    """Dropout of k members, each with its own rate.

    Parameters
    ----------
    rate : float or sequence of float, default=0.5
        Share of the values to drop, in [0, 1); one for all members, or one for each.
    pool : bool, default=False
        Whether each member has a pool for its masks.
    """

    takes_members = True

    def __init__(self, rate: float | Sequence[float] = 0.5, pool: bool = False) -> None:
        self.rate = rate  # type: ignore[assignment]
        self.pool = pool

    def check(self) -> None:
        rates = self.rates
        if not fits(self.pool, self.constraints["pool"]):
            raise ValueError(
                f"{self!r}: pool must be {self.constraints['pool']}; got {self.pool!r}"
            )
        if not all(fits(rate, self.constraints["rate"]) for rate in rates):
            raise ValueError(
                f"{self!r}: rate must be in [0, 1), for each member; got {self.rate!r}"
            )
        if self.lead and len(rates) != self.lead[0]:
            raise ValueError(
                f"{self!r}: rate lists {counted(len(rates), 'number')}; give one, or "
                f"{self.lead[0]}, one for each member"
            )

    @property
    def rates(self) -> list[float]:
        """The rate of each member."""
        rates: list[float] = np.ravel(self.rate).tolist()
        return rates * (self.lead or (1,))[0] if np.ndim(self.rate) == 0 else rates

    def members(self, chosen: Any) -> Layer:
        rates = np.array(self.rates)[chosen].tolist()
        kind = Dropout if isinstance(chosen, Integral) else MemberDropout
        return kind(rates, self.pool)

    def buffer(
        self, fan_in: int, n: int, scratch: Array | None, ones: Array | None, needs_delta: bool
    ) -> Buffer:
        if scratch is None:
            return Buffer()
        shape, dtype = (*self.lead, n, fan_in), scratch.dtype
        out, mask = np.empty(shape, dtype), np.ones(shape, dtype)
        if not self.pool:
            return Buffer(out, mask=mask)
        return PoolBuffer(
            out, mask=mask, pools=[DropoutPool(n * fan_in, dtype) for _ in self.rates]
        )

    def sample_masks(self, buffer: Buffer, rng: Any) -> None:
        """Draw the masks of all members from one generator, or of each from its own in a list."""
        mask: Any = buffer.mask
        if isinstance(buffer, PoolBuffer):
            self._cut_masks(buffer, rng)
            return
        rates = np.array(self.rates).reshape(-1, 1, 1)
        if isinstance(rng, np.random.Generator):
            rng.random(out=mask, dtype=mask.dtype)
        else:
            for each, rate, its_mask in zip(rng, self.rates, mask, strict=True):
                if rate:  # without dropout nothing is drawn, and the mask stays 1
                    each.random(out=its_mask, dtype=mask.dtype)
        np.greater_equal(mask, rates.astype(mask.dtype), out=mask)
        mask *= (1 / (1 - rates)).astype(mask.dtype)

    def _cut_masks(self, buffer: PoolBuffer, rng: Any) -> None:
        sources = [rng] * len(buffer.pools) if isinstance(rng, np.random.Generator) else rng
        for each, pool, rate, its_mask in zip(
            sources,
            buffer.pools,
            self.rates,
            buffer.mask,  # type: ignore[arg-type]
            strict=True,
        ):
            if rate:
                pool.renew(rate, each)
                np.copyto(its_mask, pool.mask(its_mask.shape, each))
