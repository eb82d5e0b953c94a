# SPDX-License-Identifier: BSD-3-Clause
"""Losses: how far the raw output of the network is from the target, and the gradient to send back.

Each contains its link. The network's last layer gives ``raw``; the prediction is ``inverse_link(raw)``
(a probability, an expected count); and dL/draw is simply ``prediction - y`` for all the losses below:

    L = sum_i w_i * l(y_i, raw_i) / sum_i w_i        dL/draw_i = w_i / sum(w) * (prediction_i - y_i)
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, xlogy

from sknumpynet.core.options import Array, Options, resolve

EPS = {np.dtype(dtype): float(np.finfo(dtype).eps) for dtype in (np.float32, np.float64)}


class Loss(Options):
    """Base class: weights and averages the terms that a subclass writes in ``terms_and_gradient``."""

    def inverse_link(self, raw: Array, out: Array) -> None:
        """Write the prediction that belongs to ``raw`` into ``out``, which may be ``raw`` itself."""
        if out is not raw:
            np.copyto(out, raw)

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        """Write dl/draw, unweighted, into ``gradient`` and return the terms of the loss.

        Parameters
        ----------
        y : ndarray
            Targets of a batch.
        raw : ndarray of shape (n, n_outputs)
            What the network gave. To be left as it is.
        gradient, scratch : ndarrays of the same shape and dtype as ``raw``
            ``gradient`` is to be filled; ``scratch`` is free, and may be what is returned.

        Returns
        -------
        terms : ndarray of shape (n, k)
            The loss of a row is the sum of its terms.
        """
        raise NotImplementedError

    def value_and_gradient(
        self,
        y: Array,
        raw: Array,
        sample_weight: Array | None = None,
        *,
        total: float | None = None,
        out: Array | None = None,
        scratch: Array | None = None,
    ) -> tuple[float, Array]:
        """Return the weighted mean of the rows' losses, and its gradient with respect to ``raw``.

        Parameters
        ----------
        y : ndarray of shape (n, n_outputs), or (n,) of class indices for `MultinomialLogLoss`
            Targets.
        raw : ndarray of shape (n, n_outputs)
            Output of the network, before the link.
        sample_weight : ndarray of shape (n,), default=None
            Weights of the rows; None means 1 each.
        total : float, default=None
            What the sums are divided by; None means the sum of the weights. To be given where ``raw`` is
            only a part of the rows over which the mean is taken.
        out, scratch : ndarrays like ``raw``, default=None
            Buffers for the gradient and for intermediate values; new arrays where None.

        Returns
        -------
        value : float
            The loss; 0.0, with a gradient of zeros, where the weights sum to nothing.
        gradient : ndarray like ``raw``
            ``out``, where it was given.
        """
        gradient = np.empty_like(raw) if out is None else out
        terms = self.terms_and_gradient(
            y, raw, gradient, np.empty_like(raw) if scratch is None else scratch
        )
        if sample_weight is None:
            scale = 1.0 / (len(raw) if total is None else total)
            gradient *= scale
            return float(np.add.reduce(terms, axis=None)) * scale, gradient
        if total is None:
            total = float(sample_weight.sum())
        if total == 0:
            gradient[...] = 0
            return 0.0, gradient
        gradient *= (sample_weight / total)[:, np.newaxis]
        return float(np.dot(sample_weight, np.add.reduce(terms, axis=1))) / total, gradient


class SquaredError(Loss):
    """Half the squared error, summed over the outputs.

    ``l = 1/2 * sum_k (raw_k - y_k)^2``, ``dl/draw = raw - y``; the prediction is ``raw`` itself.

    Examples
    --------
    >>> import numpy as np
    >>> SquaredError().value_and_gradient(np.array([[1.0]]), np.array([[3.0]]))
    (2.0, array([[2.]]))
    """

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        np.subtract(raw, y, out=gradient)
        np.multiply(gradient, gradient, out=scratch)
        scratch *= 0.5
        return scratch


class HalfPoisson(Loss):
    """Half the Poisson deviance, for counts and rates ``y >= 0``, with the log link.

    ``prediction = exp(raw)``, ``l = sum_k y log(y / prediction) - y + prediction``,
    ``dl/draw = prediction - y``.

    Examples
    --------
    >>> import numpy as np
    >>> HalfPoisson().value_and_gradient(np.array([[1.0]]), np.array([[0.0]]))
    (0.0, array([[0.]]))
    """

    def inverse_link(self, raw: Array, out: Array) -> None:
        np.exp(raw, out=out)

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        # y log(y / exp(raw)) = y log(y) - y raw: finite even where exp(raw) underflows
        np.multiply(y, raw, out=gradient)
        terms = xlogy(y, y, out=scratch)
        terms -= gradient
        terms -= y
        np.exp(raw, out=gradient)
        terms += gradient
        gradient -= y
        return scratch


class BinaryLogLoss(Loss):
    """The log loss of a yes-or-no question, or of several that are asked at once (multilabel).

    ``p = 1 / (1 + exp(-raw))``, ``l = -sum_k y log(p) + (1 - y) log(1 - p)``, ``dl/draw = p - y``.

    A logarithm's argument is at least the eps of the dtype, so that a term never exceeds ``-log(eps)``
    (36.04 for float64); the gradient is not capped. Targets may be bool or integers, or floats in [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> value, gradient = BinaryLogLoss().value_and_gradient(np.array([[1.0]]), np.array([[0.0]]))
    >>> round(value, 6), gradient
    (0.693147, array([[-0.5]]))
    """

    def inverse_link(self, raw: Array, out: Array) -> None:
        expit(raw, out=out)

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        p = expit(raw, out=gradient)
        if y.dtype.kind != "f":  # yes or no: p where y is 1, 1 - p where it is 0, is |p - (1 - y)|
            np.subtract(y, 1, out=scratch, dtype=scratch.dtype)
            scratch += p
            np.abs(scratch, out=scratch)
            terms = _minus_log(scratch, scratch)
        else:  # proportions: -log(1 - p) takes the place of p, which is computed again
            terms = _minus_log(p, scratch)
            terms *= y
            other = _minus_log(np.subtract(1, p, out=p), p)
            terms += other
            other *= y
            terms -= other
            expit(raw, out=gradient)
        gradient -= y
        return terms


def _minus_log(p: Array, out: Array) -> Array:
    """Return ``-log(p)``, at most ``-log(eps)``."""
    np.maximum(p, EPS[p.dtype], out=out)
    np.log(out, out=out)
    return np.negative(out, out=out)


class MultinomialLogLoss(Loss):
    """The log loss of one class out of several, also called cross-entropy, with the softmax link.

    ``p = exp(raw) / sum_k exp(raw_k)``, ``l = -log(p_y)``, ``dl/draw = p - onehot(y)``.

    Targets are class indices of shape (n,), or proportions of shape (n, n_classes) whose rows sum to 1,
    with ``l = -sum_k y_k log(p_k)``. The largest raw value of a row is subtracted before ``exp``, which
    changes nothing but the size of the numbers. A logarithm's argument is at least the eps of the dtype; the
    gradient is not capped.

    Examples
    --------
    >>> import numpy as np
    >>> value, gradient = MultinomialLogLoss().value_and_gradient(np.array([1]), np.zeros((1, 2)))
    >>> round(value, 6), gradient
    (0.693147, array([[ 0.5, -0.5]]))
    """

    def inverse_link(self, raw: Array, out: Array) -> None:
        np.subtract(raw, np.maximum.reduce(raw, axis=1, keepdims=True), out=out)
        np.exp(out, out=out)
        # the sums of short rows take a fifth of the time as a product
        out /= np.dot(out, np.ones(out.shape[1], out.dtype))[:, np.newaxis]

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        self.inverse_link(raw, gradient)
        if y.ndim == 2:
            terms = _minus_log(gradient, scratch)
            terms *= y
            gradient -= y
            return terms
        n, n_classes = raw.shape
        cells = np.arange(0, n * n_classes, n_classes)  # of p_y in the flat array
        cells += y
        p = gradient.reshape(-1)
        p_y = p[cells]
        p[cells] = p_y - 1
        return _minus_log(p_y, p_y)[:, np.newaxis]


LOSSES: dict[str, type[Loss]] = {
    "squared_error": SquaredError,
    "poisson": HalfPoisson,
    "binary_log_loss": BinaryLogLoss,
    "log_loss": MultinomialLogLoss,
}


def get_loss(choice: str | Loss) -> Loss:
    """Return the loss of that name, or the object itself."""
    return resolve(choice, LOSSES, Loss, "loss")
