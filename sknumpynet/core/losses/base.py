# SPDX-License-Identifier: BSD-3-Clause
"""Losses: how far the raw output of the network is from the target, and the gradient to send back.

Each contains its link. The network's last layer gives ``raw``; the prediction is ``inverse_link(raw)``
(a probability, an expected count); and dL/draw is ``prediction - y`` for the squared error, the log losses
and the Poisson deviance:

    L = sum_i w_i * l(y_i, raw_i) / sum_i w_i        dL/draw_i = w_i / sum(w) * (prediction_i - y_i)
"""

from __future__ import annotations

import numpy as np

from sknumpynet.core.arrays import SCALARS, Array
from sknumpynet.core.options import Options, is_foreign


class Loss(Options):
    """Base class: weights and averages the terms that a subclass writes in ``terms_and_gradient``.

    A loss of one's own needs that method alone. One with a link sets ``link`` and overrides ``inverse_link``,
    as the classifier's losses do: what it writes are probabilities, and the likeliest class is predicted.
    ``check_targets`` and ``point`` are there for targets and predictions of a special kind.

    Attributes
    ----------
    link : str
        Name of the function that makes the prediction of ``raw``.
    kind : {'any', 'numbers', 'classes'}
        What the loss is for. One's own losses are for 'any' unless they say more.
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

    kind = "any"
    link = "identity"
    reports_mean = False

    def inverse_link(self, raw: Array, out: Array) -> None:
        """Write the prediction that belongs to ``raw`` into ``out``, which may be ``raw`` itself."""
        if out is not raw:
            np.copyto(out, raw)

    def point(self, prediction: Array) -> Array:
        """Return the columns of the prediction that a score is to be taken of."""
        return prediction

    def n_raw(self, n_targets: int) -> int:
        """Return the number of raw outputs for so many targets."""
        return n_targets

    def check_targets(self, y: Array) -> None:
        """Raise ValueError where ``y`` has values for which the loss is not defined."""

    def for_classes(self, softmax: bool) -> Loss:
        """Return the loss to use for one class out of several, or else for yes-or-no questions."""
        return self

    def terms_and_gradient(self, y: Array, raw: Array, gradient: Array, scratch: Array) -> Array:
        """Write dl/draw, unweighted, into ``gradient`` and return the terms of the loss.

        Parameters
        ----------
        y : ndarray
            Targets of a batch, of shape (n, n_outputs). Of the classifier: bool, or for one class out of
            several, class indices of shape (n,).
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

    def uncapped_terms(self, y: Array, raw: Array) -> Array | None:
        """Return the terms whose slope the gradient is, where those reported are capped; else None.

        For `check_gradients`, which compares the gradient with these far from zero.
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
        scratch = np.empty_like(raw) if scratch is None else scratch
        try:
            terms = self.terms_and_gradient(y, raw, gradient, scratch)
        except (TypeError, ValueError) as error:
            if is_foreign(self):  # it says itself what is wrong
                raise
            raise ValueError(
                f"{type(self).__name__} cannot compare y, {y.dtype} of shape {y.shape}, with raw of shape "
                f"{raw.shape}: {error}. Targets have a column for each output, as y.reshape(-1, 1) has; "
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


def has_inverse_link(loss: Loss) -> bool:
    """Return whether the loss says itself how a prediction is made of ``raw``."""
    return type(loss).inverse_link is not Loss.inverse_link
