# SPDX-License-Identifier: BSD-3-Clause
"""Validation data on the workers: each evaluates its own rows, and the client adds up.

The client receives sums and, for a scorer or a function, the raw outputs and y, but never X.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sknumpynet.checks.input_checks import densified
from sknumpynet.dask.blocks import global_rows
from sknumpynet.estimators.regressor import predicted
from sknumpynet.fitting.data import FitData
from sknumpynet.fitting.rollback import quiet
from sknumpynet.fitting.validation_set import Scorer, ValidationSet

# ---------------------------------------------------------------- on a worker


@dataclass(frozen=True)
class Measured:
    """The evaluation of the network on some rows.

    Attributes
    ----------
    loss : float
        Their contribution to the mean loss of all validation rows.
    finite, goes_on : bool
        Whether all their predictions, or else the parameters, are finite.
    right : float
        Sum of the weights of the rows whose labels are right.
    squares : Squares or None
        For R2.
    raw : ndarray or None
        Their raw outputs, for a scorer.
    """

    loss: float = 0.0
    finite: bool = True
    goes_on: bool = True
    right: float = 0.0
    squares: Any = None
    raw: Any = None


@dataclass(frozen=True)
class Squares:
    """Sums over rows for R2, column by column.

    Attributes
    ----------
    n : int
        Number of rows.
    weight, mean, spread : float and two ndarray
        Sum of the weights; weighted mean of y, and sum of the squares around it.
    error : ndarray
        Weighted sum of the squares of ``y - prediction``.
    """

    n: int
    weight: float
    mean: Any
    spread: Any
    error: Any

    @classmethod
    def of(cls, y, prediction, sample_weight):
        """Return those of some rows."""
        y = np.asarray(y, np.float64)
        y = y.reshape(len(y), -1)
        weights = np.ones(len(y)) if sample_weight is None else np.float64(sample_weight)
        total, column = float(weights.sum()), weights[:, np.newaxis]
        mean = (column * y).sum(axis=0) / (total or 1.0)
        error = y - np.asarray(prediction, np.float64).reshape(y.shape)
        return cls(
            len(y),
            total,
            mean,
            (column * (y - mean) ** 2).sum(axis=0),
            (column * error**2).sum(axis=0),
        )

    def __add__(self, other):
        """Return those of both.

        References
        ----------
        Chan, Golub, LeVeque: Updating formulae and a pairwise algorithm for computing sample variances
        (COMPSTAT 1982).
        """
        weight, apart = self.weight + other.weight, other.mean - self.mean
        share = other.weight / weight if weight else 0.0
        return Squares(
            self.n + other.n,
            weight,
            self.mean + apart * share,
            self.spread + other.spread + apart**2 * share * self.weight,
            self.error + other.error,
        )

    def r2(self):
        """Return R2, the mean of its columns, as scikit-learn has it where y is constant."""
        if self.n < 2:
            return np.nan
        with np.errstate(divide="ignore", invalid="ignore"):
            r2 = 1 - self.error / self.spread
        r2[self.spread == 0] = 0.0
        r2[self.error == 0] = 1.0
        return float(r2.mean())


@dataclass(frozen=True)
class ValidationPart:
    """Evaluates the validation rows of one share.

    Parameters
    ----------
    model : FittedModel
        The meaning of the network's outputs; its own network is not used.
    kind : str
        'loss', 'target' for the score of the kind of targets, or 'raw' for a scorer.
    total_weight : float
        Sum of the weights of all validation rows.
    rows : list of ndarray of int, or None
        The rows of each block that are used; None means all.
    """

    model: Any
    kind: str
    total_weight: float
    rows: Any = None

    def measure(self, blocks, network):
        """Return the evaluation of the current network on the rows."""
        measured = Measured()
        for block, rows in self._with_rows(blocks):
            targets, weights = taken(block.targets, rows), taken(block.sample_weight, rows)
            if len(targets):
                with quiet():
                    raw = network.predict(block.X, rows)
                    measured = self._added(measured, network, targets, raw, weights)
        return measured

    def labels(self, blocks):
        """Return y of the rows and their weights, or None, for a scorer."""
        parts, weights = [], []
        for block, rows in self._with_rows(blocks):
            parts.append(self._decoded(taken(block.targets, rows)))
            if block.sample_weight is not None:
                weights.append(taken(block.sample_weight, rows))
        return parts, weights

    def _with_rows(self, blocks):
        return zip(blocks, [None] * len(blocks) if self.rows is None else self.rows, strict=True)

    def _decoded(self, targets):
        target = self.model.target
        if target.classes is None:
            return targets.ravel() if targets.shape[1] == 1 else targets
        if targets.ndim == 2 and target.room(0).ndim == 1:
            targets = targets.ravel()
        return densified(target.decode(targets.astype(int)))

    def _added(self, measured, network, targets, raw, weights):
        model = replace(self.model, network=network)
        loss = model.loss
        if targets.dtype.kind == "f":
            targets = targets.astype(raw.dtype, copy=False)
        value = loss.value_and_gradient(targets, raw, weights, total=self.total_weight)[0]
        finite = bool(np.isfinite(raw).all())
        if finite and loss.link != "identity":
            prediction = np.empty_like(raw)
            loss.inverse_link(raw, prediction)
            finite = bool(np.isfinite(prediction).all())
        right, squares, kept = measured.right, measured.squares, measured.raw
        if self.kind == "raw":
            kept = raw if kept is None else np.concatenate([kept, raw])
        elif self.kind == "target" and finite:
            if model.target.classes is None:
                prediction = predicted(raw, model)
                if prediction.ndim == 2:
                    prediction = loss.point_prediction(prediction)
                of_these = Squares.of(targets, prediction, weights)
                squares = of_these if squares is None else squares + of_these
            else:
                is_right = model.target.are_right(targets, raw, model)
                right += float(is_right.sum() if weights is None else weights[is_right].sum())
        return Measured(
            measured.loss + float(value),
            measured.finite and finite,
            measured.goes_on and (finite or bool(np.isfinite(network.params).all())),
            right,
            squares,
            kept,
        )


def taken(array, rows):
    """Return rows of an array (None means all), or None for None."""
    return array if array is None or rows is None else array[rows]


def measure(part, blocks, network):
    """Return the result of `ValidationPart.measure`."""
    return part.measure(blocks, network)


def labels_of(part, blocks):
    """Return the result of `ValidationPart.labels`."""
    return part.labels(blocks)


def weight_of_rows(rows, blocks):
    """Return the sum of the weights of the rows of blocks."""
    weights = [(block.n_rows, block.sample_weight, of) for block, of in zip(blocks, rows)]
    return sum(float(len(of) if w is None else w[of].sum()) for _, w, of in weights)


# ---------------------------------------------------------------- in the client

ONLY_PREDICTS = (
    "scoring is a function, and the rows of X and the network are on the workers: it may pass X to the "
    "methods of the estimator that predict, and compare the result with y. A function that needs more works "
    "where X_val and y_val are arrays in memory"
)


class Elsewhere:
    """A placeholder for an object on the workers: accessing it raises AttributeError."""

    def __getattr__(self, name):
        raise AttributeError(ONLY_PREDICTS)


class RowsElsewhere(Elsewhere):
    """A placeholder that scorers get as X and pass to `predict`; reading it raises an error.

    Parameters
    ----------
    n_rows, n_columns : int
        Its shape.
    """

    ndim = 2

    def __init__(self, n_rows, n_columns):
        self.shape = (n_rows, n_columns)

    def __len__(self):
        return self.shape[0]

    def __array__(self, dtype=None, copy=None):
        raise TypeError(ONLY_PREDICTS)

    def __getitem__(self, key):
        raise TypeError(ONLY_PREDICTS)


def rows_by_block(share, wanted):
    """Return the requested rows of each block of a share, given their sorted numbers."""
    found = []
    for pieces in share.pieces:
        first_here, parts = 0, []
        for first, n in pieces:
            low, high = np.searchsorted(wanted, [first, first + n])
            parts.append(wanted[low:high] - first + first_here)
            first_here += n
        found.append(np.concatenate(parts))
    return found


class ClusterValidation(ValidationSet):
    """Validation data on workers, with the same interface for a `Monitor` as `ValidationSet`.

    Parameters
    ----------
    data : ClusterData
        The data, distributed over the workers.
    plan : FitPlan
        The plan of the fit, whose loss is recorded.
    model : FittedModel
        The model in training.
    scoring : str, callable or None
        As the estimator's parameter.
    view : estimator
        The estimator for scorers, which predicts with the model.

    Attributes
    ----------
    received : list of Measured or None
        The workers' evaluations of the current network; if None, they are requested.
    """

    def __init__(self, data, plan, model, scoring, view):
        self.data, self.model, self.scoring, self.view = data, model, scoring, view
        self.loss, self.loss_scale, self.decides = plan.loss, plan.loss_scale, plan.early_stopping
        self.n_rows = data.n_rows
        self.finite = self.goes_on = True
        self.has_score = self.warned = False
        self.received = None
        self.kind = "target" if scoring is None else "loss" if scoring == "loss" else "raw"
        self._divide()
        self.scorer = self._scorer() if self.kind == "raw" else None

    def _divide(self):
        """Assign its rows to each share."""
        cluster, rows = self.data.cluster, self.data.rows
        if rows is None:
            self.rows, self.total_weight = None, self.data.total_weight
            return
        wanted = np.sort(rows)
        self.rows = [rows_by_block(share, wanted) for share in self.data.shares]
        weights = [
            cluster.submit(weight_of_rows, of_share, list(share.blocks))
            for of_share, share in zip(self.rows, self.data.shares, strict=True)
        ]
        self.total_weight = sum(cluster.results(weights, "weighing the validation rows"))

    def regrouped(self, workers):
        """Redistribute the rows to other workers."""
        self.data = self.data.regrouped(workers)
        self._divide()
        if self.scorer is not None:
            self.scorer = self._scorer()

    def part(self, number):
        """Return the object that evaluates the rows of a share."""
        model = replace(self.model, network=None)
        rows = None if self.rows is None else self.rows[number]
        return ValidationPart(model, self.kind, self.total_weight, rows)

    def __call__(self, network):
        """Return the current loss and score of the network."""
        measured, self.received = self.received, None
        if measured is None:
            measured = self._ask(measure, network)
        loss = sum(each.loss for each in measured) * self.loss_scale
        self.finite = all(each.finite for each in measured)
        self.goes_on = all(each.goes_on for each in measured)
        if not self.finite:
            return loss, np.nan
        score = self._score_of(measured, loss)
        if np.isnan(score) and self.decides:
            self._complain_of_nan()
        self.has_score = True
        return loss, score

    def _score_of(self, measured, loss):
        if self.kind == "loss":
            return -loss
        if self.kind == "raw":
            raw = np.concatenate([each.raw for each in measured if each.raw is not None])
            self.raw = raw[self.order]
            return self.scorer()
        if self.model.target.classes is not None:
            return sum(each.right for each in measured) / self.total_weight
        squares = [each.squares for each in measured if each.squares is not None]
        return sum(squares[1:], squares[0]).r2()

    def _ask(self, function, network=None):
        """Return the results of a function of the part and the blocks of each share."""
        cluster, shares = self.data.cluster, self.data.shares
        args = [] if network is None else [cluster.for_tasks(network, len(shares))]
        futures = [
            cluster.submit(function, self.part(number), list(share.blocks), *args)
            for number, share in enumerate(shares)
        ]
        return cluster.results(futures, "validating")

    def _scorer(self):
        """Return a scorer of y, which is gathered, and of the raw outputs, as they come."""
        self.order = self._order()
        labelled = self._ask(labels_of)
        y = np.concatenate([each for parts, _ in labelled for each in parts])[self.order]
        weights = [each for _, parts in labelled for each in parts]
        weights = np.concatenate(weights)[self.order] if weights else None
        X = RowsElsewhere(len(y), self.data.X.shape[1])

        def raw_of(model, rows, link=None, make_out=None):
            if rows is not X:
                raise TypeError(ONLY_PREDICTS)
            raw = self.raw
            out = np.empty_like(raw) if make_out is None else make_out(len(raw))
            if link is None:
                return raw.copy()
            link(raw, out)
            return out

        self.view._raw = raw_of
        # that of the client is ahead: several epochs may be trained before the first is scored
        self.view._model = replace(self.view._model, network=Elsewhere())
        return Scorer(self.view, self.scoring, FitData(X, y, y, weights))

    def _order(self):
        """Return the position of each row, in the order of a local fit, among the rows of the shares."""
        numbers = []
        for i, share in enumerate(self.data.shares):
            for k, pieces in enumerate(share.pieces):
                of_block = global_rows(pieces)
                numbers.append(of_block if self.rows is None else of_block[self.rows[i][k]])
        order, rows = np.argsort(np.concatenate(numbers)), self.data.rows
        return order if rows is None else order[np.argsort(np.argsort(rows))]
