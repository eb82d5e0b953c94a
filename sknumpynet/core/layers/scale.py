# SPDX-License-Identifier: BSD-3-Clause
"""Scale: one learned factor for each column.

Forward ``out = x s``. Backward, with ``delta = dL/dout``: ``ds = sum_rows delta * x``, ``dL/dx = delta s``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.core.layers.base import Buffer, Layer
from sknumpynet.core.wording import counted


class Scale(Layer):
    """Multiplies each column by a learned factor, which starts at 1.

    The next dense layer could learn the same, with one weight for each unit. Here a single number scales the
    column for all units, and it can have its own learning rate: the factors are in the group ``"scales"``,
    which does not decay, and RealMLP trains them at six times the learning rate, with
    ``groups={"scales": Group(learning_rate_factor=6.0)}``.

    Parameters
    ----------
    units : int
        Number of columns.

    Attributes
    ----------
    s, ds : ndarray of shape (units,)
        The factors and their gradient: views into the network's ``params`` and ``grads``. With k members
        their shape is (k, 1, units).

    References
    ----------
    Holzmüller, Grinsztajn, Steinwart: Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
    Data (NeurIPS 2024, arXiv:2407.04491).

    Examples
    --------
    >>> import numpy as np
    >>> from sknumpynet.core import Dense, Network
    >>> network = Network([Scale(3), Dense(3, 1)], rng=0)
    >>> network.layers[0].s[...] = [1, 0, 1]
    >>> a, b = network.predict(np.array([[1.0, 2.0, 3.0], [1.0, 5.0, 3.0]]))
    >>> bool(a == b)
    True
    """

    constraints = {"units": "an integer in [1, inf)"}
    VIEWS = ("s", "ds")
    takes_members = True

    s: Array
    ds: Array

    def __init__(self, units: int) -> None:
        self.units = units

    def width(self, fan_in: int) -> int:
        if fan_in != self.units:
            raise ValueError(
                f"{self!r} follows a layer of {counted(fan_in, 'unit')}; set units={fan_in}"
            )
        return fan_in

    def shapes(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        return {"s": ("scales", (self.units,))}

    def reset_parameters(
        self, rng: Any, initializer: Any, bias_initializer: Any | None = None
    ) -> None:
        """Start as the identity, ignoring the initializers."""
        self.s[...] = 1

    def buffer(
        self, fan_in: int, n: int, scratch: Array | None, ones: Array | None, needs_delta: bool
    ) -> Buffer:
        out = np.empty((*self.lead, n, fan_in), self.s.dtype)
        return Buffer(out, scratch=scratch, ones=ones)

    def forward(self, x: Any, buffer: Buffer) -> Array:
        if not isinstance(x, np.ndarray):
            raise TypeError(f"{self!r} takes arrays, not {type(x).__name__}: pass X.toarray()")
        buffer.x = x
        out: Array = np.multiply(x, self.s, out=buffer.out)
        return out

    def backward(self, delta: Array, buffer: Buffer) -> Array | None:
        product = np.multiply(delta, buffer.x, out=buffer.scratch)
        np.matmul(buffer.ones, product, out=self.ds)  # type: ignore[arg-type]
        delta *= self.s
        return delta
