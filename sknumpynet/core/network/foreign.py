# SPDX-License-Identifier: BSD-3-Clause
"""Test each custom object once before a network is trained with it.

A custom class that does not write into the array it was given (``return np.tanh(z)``, ``gradient = raw - y``)
would silently leave old values in that array. Each object is tested twice, with buffers of NaN and of
numbers: if only the first gives NaN, something was not written. Exceptions are ignored here; they occur again
in training.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from sknumpynet.core.activations import Activation, Function
from sknumpynet.core.arrays import Array
from sknumpynet.core.layers import Activate
from sknumpynet.core.losses import Loss
from sknumpynet.core.optimizers import Optimizer
from sknumpynet.core.options import is_foreign

Thing = TypeVar("Thing")
FILLS = (np.nan, 0.625)
ROWS = 4  # of a test
STEPS = 100  # within which an optimizer must change the parameters: it may collect gradients first


def check_activation(
    activation: Activation, n_units: int = 3, dtype: DTypeLike = np.float64
) -> None:
    """Raise ValueError if a custom activation does not write in place.

    Parameters
    ----------
    activation : Activation
        The activation; a copy is tested. A pair of functions is a `Function`.
    n_units, dtype : int and dtype, default=3 and numpy.float64
        Number of units and dtype of the layer.

    Raises
    ------
    ValueError
        If ``forward`` does not write ``out``, or ``backward`` does not write ``delta`` but returns an array,
        or reads ``scratch`` before writing it; if a function of a pair returns None, or changes ``z``.
    """
    z = np.linspace(-1.5, 1.6, ROWS * n_units).reshape(ROWS, n_units).astype(dtype)
    if isinstance(activation, Function):
        for name in ("function", "derivative"):
            _check_function(activation, name, z)
        return
    if not is_foreign(activation):
        return
    unwritten = _differs(lambda fill: _forward(_twin(activation), z, fill))
    if unwritten:
        raise ValueError(
            f"{activation!r}: forward(z, out) must write f(z) into out, as out[...] = f(z) and "
            "np.tanh(z, out=out) do. What it returns, or binds to the name out, is lost"
        )
    if not activation.trainable:
        return
    returned: list[bool] = []

    def backward(fill: float) -> Array:
        twin, delta = _twin(activation), np.full_like(z, 0.75)
        a = _forward(twin, z, FILLS[1])
        scratch: Any = np.full_like(z, fill)
        scratch = (scratch, scratch.copy()) if activation.needs_z else scratch
        found: Any = twin.backward(z.copy() if activation.needs_z else a, delta, scratch)  # type: ignore[func-returns-value]
        returned.append(found is not None and found is not delta and bool((delta == 0.75).all()))
        return delta

    if _differs(backward):
        raise ValueError(
            f"{activation!r}: backward(a, delta, scratch) must write into scratch before it reads it"
        )
    if any(returned):
        raise ValueError(
            f"{activation!r}: backward(a, delta, scratch) must multiply delta in place, as delta *= ... "
            "does. What it returns is lost"
        )


def check_loss(loss: Loss, y: Array, n_outputs: int, dtype: DTypeLike = np.float64) -> None:
    """Raise ValueError if a custom loss does not fill ``gradient`` or ``out``.

    Parameters
    ----------
    loss : Loss
        The loss; a copy is tested.
    y : ndarray
        Targets in the form that the loss gets; the first few are used.
    n_outputs, dtype : int and dtype
        Number of outputs and dtype of the network.

    Raises
    ------
    ValueError
        If ``terms_and_gradient`` does not write ``gradient``, returns anything but terms of shape (n, k), or
        reads ``scratch`` before writing it; if ``inverse_link`` does not write ``out``.
    """
    if not is_foreign(loss):
        return
    y = y[:ROWS]
    raw = np.linspace(-0.6, 0.5, len(y) * n_outputs).reshape(len(y), n_outputs).astype(dtype)
    returned: list[Any] = []

    def terms_and_gradient(fill: float) -> tuple[Array, Array]:
        gradient, scratch = np.full_like(raw, fill), np.full_like(raw, fill)
        terms = _twin(loss).terms_and_gradient(y.copy(), raw.copy(), gradient, scratch)
        returned.append(terms)
        return gradient, np.array(terms, float)

    def link(fill: float) -> Array:
        out = np.full_like(raw, fill)
        _twin(loss).inverse_link(raw.copy(), out)
        return out

    if type(loss).value_and_gradient is Loss.value_and_gradient:
        how = f"{loss!r}: terms_and_gradient(y, raw, gradient, scratch) must"
        if _differs(lambda fill: terms_and_gradient(fill)[0]):
            raise ValueError(
                f"{how} write dl/draw into gradient, as gradient[...] = raw - y does. What is bound to the "
                "name gradient is lost"
            )
        if any(terms is None for terms in returned):
            raise ValueError(f"{how} return the terms of the loss; it returns None")
        shapes = [np.shape(terms) for terms in returned]
        if any(len(shape) != 2 or shape[0] != len(raw) for shape in shapes):
            raise ValueError(
                f"{how} return the terms of the loss as an array of shape (n, k), whose sums along the rows "
                f"are the losses of the rows, not their sum or mean; for {len(raw)} rows it returns the "
                f"shape {shapes[0]}"
            )
        if _differs(lambda fill: terms_and_gradient(fill)[1]):
            raise ValueError(f"{how} write into scratch before it reads or returns it")
    if _differs(link):
        raise ValueError(
            f"{loss!r}: inverse_link(raw, out) must write the prediction into out, as out[...] = ... does. "
            "What it returns is lost"
        )


def check_optimizer(optimizer: Optimizer, n_params: int = 6, dtype: DTypeLike = np.float64) -> None:
    """Raise ValueError if a custom optimizer does not write in place.

    Parameters
    ----------
    optimizer : Optimizer
        The optimizer; a clone is tested.
    n_params, dtype : int and dtype, default=6 and numpy.float64
        Number of parameters and dtype of the network.

    Raises
    ------
    ValueError
        If ``update`` does not write ``params``, replaces an array of ``state``, or reads ``scratch`` before
        writing it.
    """
    if not is_foreign(optimizer):
        return
    start = np.where(np.arange(n_params) % 2 == 0, 0.5, 0.0).astype(dtype)
    grads = np.linspace(-1, 1.25, n_params).astype(dtype)
    unmoved: list[bool] = []
    replaced: list[str] = []

    def steps(fill: float) -> Array:
        twin, params = optimizer.clone(), start.copy()
        twin._begin(params)
        twin._scratch = np.empty_like(params)  # all in one block
        before = dict(twin.state)
        for _ in range(STEPS):
            twin._scratch[...] = fill
            twin.step(params, grads.copy(), 0.01)
            if not np.array_equal(params, start):
                break
        unmoved.append(np.array_equal(params, start))
        replaced.extend(name for name in before if twin.state.get(name) is not before[name])
        return params

    differs = _differs(steps)
    how = f"{optimizer!r}: update(params, grads, state, learning_rate, scratch) must"
    if any(unmoved):
        raise ValueError(
            f"{how} write the new parameters into params, as params -= ... does. What it returns, or binds "
            "to the name params, is lost"
        )
    if replaced:
        name = f"state[{replaced[0]!r}]"
        raise ValueError(
            f"{how} write into {name}, as {name}[...] = ... does: a new array in its place is lost if the "
            "parameters are updated in blocks"
        )
    if differs:
        raise ValueError(f"{how} write into scratch before it reads it")


def check_layers(network: Any) -> None:
    """Test the activations of a network, each at its width."""
    width = network.fan_in
    for layer in network.layers:
        width = layer.width(width)
        if isinstance(layer, Activate):
            check_activation(layer.activation, width, network.dtype)


def _twin(thing: Thing) -> Thing:
    """Return a copy, so that the test changes nothing; the object itself if it cannot be copied."""
    try:
        return copy.deepcopy(thing)
    except Exception:
        return thing


def _differs(run: Callable[[float], Array]) -> bool:
    """Return whether buffers of NaN give NaN but buffers of numbers do not."""
    try:
        with np.errstate(all="ignore"):
            first, second = map(run, FILLS)
    except Exception:  # comes again in the real step, as it is
        return False
    return bool((np.isnan(first) & ~np.isnan(second)).any())


def _forward(activation: Activation, z: Array, fill: float) -> Array:
    given = z.copy()
    out = given if activation.in_place else np.full_like(z, fill)
    activation.forward(given, out)
    if activation.in_place and np.array_equal(given, z):  # the identity, or not written in place
        out = np.full_like(z, fill)
        activation.forward(z.copy(), out)
    return out


def _check_function(activation: Function, name: str, z: Array) -> None:
    function, given = getattr(activation, name), z.copy()
    if isinstance(function, np.ufunc):
        return
    try:
        with np.errstate(all="ignore"):
            found = function(given)
    except Exception:  # comes again in the real step, as it is
        return
    if found is None:
        raise ValueError(f"{activation!r}: {name}(z) must return an array like z; it returns None")
    if not np.array_equal(given, z):
        raise ValueError(
            f"{activation!r}: {name}(z) must leave z unchanged, and return another array: the "
            "backward pass needs z"
        )
