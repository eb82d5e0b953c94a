# SPDX-License-Identifier: BSD-3-Clause
"""Losses: how far the raw output of the network is from the target, and the gradient to propagate back.

Each contains its link. The network's last layer gives ``raw``; the prediction is ``inverse_link(raw)``
(a probability, an expected count); and dL/draw is ``prediction - y`` for the squared error, the log losses
and the Poisson deviance:

    L = sum_i w_i * l(y_i, raw_i) / sum_i w_i        dL/draw_i = w_i / sum(w) * (prediction_i - y_i)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sknumpynet.core.arrays import SCALARS, Array
from sknumpynet.core.options import Options, is_foreign
from sknumpynet.core.wording import counted


class Loss(Options):
    """Base class: weights and averages the terms computed by a subclass in ``terms_and_gradient``.

    A custom loss needs only this method. One with a link sets ``link`` and overrides ``inverse_link``, as the
    classifier's losses do: it writes probabilities, and the most probable class is predicted. Override
    ``check_targets`` and ``point_prediction`` for special targets and predictions.

    Attributes
    ----------
    link : str
        Name of the function that turns ``raw`` into the prediction.
    kind : {'any', 'numbers', 'classes'}
        The kind of targets. Custom losses are for 'any' unless they set it.
    reports_mean : bool
        Whether the estimators' curves show the mean over outputs, where the loss itself is their sum.

    Examples
    --------
    >>> import numpy as np
    >>> class Quartic(Loss):
    ...     def terms_and_gradient(self, y, raw, gradient, scratch):
    ...         np.subtract(raw, y, out=scratch)
    ...         np.power(scratch, 3, out=gradient)
    ...         return scratch**4 / 4
    >>> Quartic().value_and_gradient(np.array([[1.0]]), np.array([[3.0]]))
    (4.0, array([[8.]]))
    """

    renamed = {"n_raw": "n_outputs_for", "point": "point_prediction"}
    kind = "any"
    link = "identity"
    reports_mean = False

    def inverse_link(self, raw: Array, out: Array) -> None:
        """Write the prediction for ``raw`` into ``out``, which may be ``raw`` itself."""
        if out is not raw:
            np.copyto(out, raw)

    def point_prediction(self, prediction: Array) -> Array:
        """Return the columns of the prediction that are scored."""
        return prediction

    def n_outputs_for(self, n_targets: int) -> int:
        """Return the number of raw outputs for a number of targets."""
        return n_targets

    def check_targets(self, y: Array) -> None:
        """Raise ValueError if ``y`` has values for which the loss is not defined."""

    def for_classes(self, softmax: bool) -> Loss:
        """Return the loss to use for several classes with a softmax, or else for binary labels."""
        return self

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        """Write dl/draw, unweighted, into ``gradient`` and return the terms of the loss.

        Parameters
        ----------
        y : ndarray
            Targets of a batch, of shape (n, n_outputs). For classifiers: bool, or class indices of shape (n,)
            if there are several classes.
        raw : ndarray of shape (n, n_outputs)
            Output of the network. It must not be changed.
        gradient, scratch : ndarrays of the same shape and dtype as ``raw``
            ``gradient`` must be filled; ``scratch`` is free to use, and may be returned.

        Returns
        -------
        terms : ndarray of shape (n, k)
            The loss of a row is the sum of its terms.
        """
        raise NotImplementedError

    def uncapped_terms(self, y: Array, raw: Array) -> Array | None:
        """Return the uncapped terms of the loss if those that are reported are capped; else None.

        `check_gradients` compares the gradient with these for raw outputs far from zero.
        """
        return None

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
            Divisor of the sums; None means the sum of the weights. Needed if ``raw`` is only a part of the
            rows over which the mean is taken.
        out, scratch : ndarrays like ``raw``, default=None
            Buffers for the gradient and for intermediate values; new arrays where None.

        Returns
        -------
        value : float
            The loss; 0.0, with a gradient of zeros, if the weights sum to zero.
        gradient : ndarray like ``raw``
            ``out``, where it was given.
        """
        gradient = np.empty_like(raw) if out is None else out
        scratch = np.empty_like(raw) if scratch is None else scratch
        try:
            # training gives buffers, and has no time for it
            if out is None and not is_foreign(self):
                self._check_batch(np.asarray(y), raw)
            terms = self.terms_and_gradient(y, raw, gradient, scratch)
        except (TypeError, ValueError) as error:
            if is_foreign(self):  # custom losses raise their own errors
                raise
            raise ValueError(
                f"{type(self).__name__} cannot compare y, {y.dtype} of shape {y.shape}, with raw of shape "
                f"{raw.shape}: {error}. Targets have one column per output, like y.reshape(-1, 1); "
                "class numbers for a softmax are integers of shape (n,)"
            ) from error
        if sample_weight is None:
            scale = 1.0 / (len(raw) if total is None else total)
            gradient *= SCALARS[gradient.dtype][scale]
            return float(np.add.reduce(terms, axis=None)) * scale, gradient
        if total is None:
            total = float(sample_weight.sum())
        if total == 0:
            gradient[...] = 0
            return 0.0, gradient
        gradient *= (sample_weight / total)[:, np.newaxis]
        return float(np.dot(sample_weight, np.add.reduce(terms, axis=1))) / total, gradient

    def _check_batch(self, y: Array, raw: Array) -> None:
        """Raise ValueError where NumPy would take some targets for those of other rows or outputs."""
        if len(y) != len(raw):
            raise ValueError("there must be as many rows of one as of the other")
        if y.ndim == 2 and self.n_outputs_for(y.shape[1]) != raw.shape[1]:
            raise ValueError("the columns do not belong together")

    def values_and_gradient(
        self,
        y: Array,
        raw: Array,
        sample_weight: Array | None = None,
        *,
        total: Any = None,
        out: Array | None = None,
        scratch: Array | None = None,
    ) -> tuple[Array, Array]:
        """Return the loss of each member of a network of k, and the gradient with respect to ``raw``.

        The same as `value_and_gradient` for each member: the losses are independent.

        Parameters
        ----------
        y : ndarray of shape (k, n, n_outputs), or (k, n) of class indices
            Targets of each member.
        raw : ndarray of shape (k, n, n_outputs)
            Outputs of the members, before the link.
        sample_weight : ndarray of shape (k, n), default=None
            Weights of the rows of each member.
        total : float, or ndarray of shape (k,) with weights, default=None
            Divisor of the sums.
        out, scratch : ndarrays like ``raw``, default=None
            Buffers for the gradient and for intermediate values.

        Returns
        -------
        values : ndarray of shape (k,), float64
            The losses.
        gradient : ndarray like ``raw``
            ``out``, where it was given.
        """
        gradient = np.empty_like(raw) if out is None else out
        scratch = np.empty_like(raw) if scratch is None else scratch
        (k, n), rest = raw.shape[:2], raw.shape[2:]
        if y.shape[:2] != (k, n):
            raise ValueError(
                f"y has shape {y.shape}, and raw {raw.shape}: each of {counted(k, 'member')} needs "
                f"{counted(n, 'target')}. If they are the same, pass "
                "np.broadcast_to(y, (n_members, *y.shape))"
            )
        if type(self).value_and_gradient is not Loss.value_and_gradient:  # overridden
            values = np.empty(k)
            for i in range(k):
                weight = None if sample_weight is None else sample_weight[i]
                its_total = total if np.ndim(total) == 0 else total[i]
                values[i], found = self.value_and_gradient(
                    y[i], raw[i], weight, total=its_total, out=gradient[i], scratch=scratch[i]
                )
                gradient[i] = found
            return values, gradient
        flat = (array.reshape(k * n, *rest) for array in (raw, gradient, scratch))
        terms = self.terms_and_gradient(y.reshape(k * n, *y.shape[2:]), *flat)
        if sample_weight is None:
            scale = 1.0 / (n if total is None else total)
            gradient *= SCALARS[gradient.dtype][scale]
            sums = np.add.reduce(terms.reshape(k, -1), axis=1)
            return sums.astype(np.float64) * scale, gradient
        totals = sample_weight.sum(axis=1) if total is None else np.asarray(total)
        some = np.where(totals == 0, 1, totals)  # a member without weights has no loss
        gradient *= (sample_weight / some[:, np.newaxis].astype(raw.dtype))[:, :, np.newaxis]
        by_row = np.add.reduce(terms, axis=1).reshape(k, n)
        values = np.matmul(sample_weight[:, np.newaxis], by_row[:, :, np.newaxis]).reshape(k)
        return np.where(totals == 0, 0.0, values.astype(np.float64) / some), gradient


def has_inverse_link(loss: Loss) -> bool:
    """Return whether the class of the loss overrides ``inverse_link``."""
    return type(loss).inverse_link is not Loss.inverse_link
