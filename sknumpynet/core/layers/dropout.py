# SPDX-License-Identifier: BSD-3-Clause
"""Dropout: sets random values to zero in each training step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.layers.base import Buffer, Layer


class DropoutPool:
    """A pool of random mask entries, which is drawn again every ``LIFE`` steps.

    Each mask is a section of the pool that begins at a random place: an entry is 0 with probability ``rate``
    and ``1 / (1 - rate)`` otherwise, independently of the others in the mask, while a step draws only a
    single number. Bytes are compared with ``round(256 rate)``, so the rate is accurate to 1 / 512. Masks from
    the same pool may share entries.

    Parameters
    ----------
    size : int
        Size of the largest mask.
    dtype : dtype
        Dtype of the masks.

    Attributes
    ----------
    entries : ndarray of shape (2 * size,)
        The entries of the pool; ones before the first draw.
    rate : float
        The rate with which the pool was drawn.
    """

    LIFE = 16

    def __init__(self, size: int, dtype: Any) -> None:
        self.size, self.age, self.rate = size, 0, 0.0
        self.entries: Array = np.ones(2 * size, dtype)

    def renew(self, rate: float, rng: np.random.Generator) -> None:
        """Count a step, and draw the pool again when it is too old."""
        if self.age % self.LIFE == 0:
            threshold = min(round(256 * rate), 255)
            self.rate = threshold / 256
            drawn = np.frombuffer(rng.bytes(len(self.entries)), np.uint8)
            np.greater_equal(drawn, threshold, out=self.entries)
            self.entries *= 1 / (1 - self.rate)
        self.age += 1

    def state(self) -> dict[str, Any]:
        """Return the state needed to continue later, without the generator."""
        return {"pool": self.entries, "age": self.age, "rate": self.rate}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore a state."""
        self.entries[...] = state["pool"]
        self.age, self.rate = state["age"], state["rate"]

    def mask(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        """Return a mask, a view of the pool."""
        start = int(rng.integers(self.size))
        return self.entries[start : start + math.prod(shape)].reshape(shape)


class PoolBuffer(Buffer):
    """The buffer of dropout with a pool, or with one for each member; its head uses the same pool."""

    __slots__ = ("pools",)

    def __init__(self, out: Array, mask: Array, pools: list[DropoutPool]) -> None:
        super().__init__(out, mask=mask)
        self.pools = pools

    def head(self, n: int) -> PoolBuffer:
        plain: Any = super().head(n)
        return PoolBuffer(plain.out, plain.mask, self.pools)

    def share(self, whole: Any) -> None:
        self.pools = whole.pools


class Dropout(Layer):
    """Each value is zero with probability ``rate``, else divided by ``1 - rate``; for training only.

    The mask is drawn by training, not by `forward`, which is deterministic.

    Parameters
    ----------
    rate : float, default=0.5
        Share of the values to drop, in [0, 1).
    pool : bool, default=False
        Whether masks are taken from a pool of random bits that is used for 16 steps, which is much faster.
        Each mask has the same distribution, with the rate rounded to 1 / 256, but masks of nearby steps share
        bits, and training that is resumed from a stored state draws another pool.

    References
    ----------
    Srivastava et al.: Dropout (Journal of Machine Learning Research 15, 2014).

    Examples
    --------
    >>> from sknumpynet.core import Dense, Network
    >>> network = Network([Dense(2, 8), "relu", Dropout(0.2), Dense(8, 1)], rng=0)
    >>> network.layers[2]
    Dropout(rate=0.2)
    """

    constraints = {"rate": "a number in [0, 1)", "pool": "a bool"}
    needed_in_backward = True
    pool = False  # for layers in older pickles

    def __init__(self, rate: float = 0.5, pool: bool = False) -> None:
        self.rate = rate
        self.pool = pool

    def buffer(
        self, fan_in: int, n: int, scratch: Array | None, ones: Array | None, needs_delta: bool
    ) -> Buffer:
        if scratch is None:
            return Buffer()
        out = np.empty((n, fan_in), scratch.dtype)
        if not self.pool:
            return Buffer(out, mask=np.ones_like(out))
        pool = DropoutPool(out.size, out.dtype)
        return PoolBuffer(out, pool.entries[: out.size].reshape(out.shape), [pool])

    def sample_masks(self, buffer: Buffer, rng: np.random.Generator) -> None:
        mask: Any = buffer.mask
        if isinstance(buffer, PoolBuffer):
            (pool,) = buffer.pools
            pool.renew(self.rate, rng)
            buffer.mask = pool.mask(mask.shape, rng)
            return
        rng.random(out=mask, dtype=mask.dtype)
        np.greater_equal(mask, self.rate, out=mask)
        mask *= 1 / (1 - self.rate)

    def forward(self, x: Any, buffer: Buffer) -> Array:
        if buffer.mask is None:
            return x  # type: ignore[no-any-return]
        # not in place: an activation's derivative needs the value before dropping
        out: Array = np.multiply(x, buffer.mask, out=buffer.out)
        return out

    def backward(self, delta: Array, buffer: Buffer) -> Array | None:
        delta *= buffer.mask
        return delta
