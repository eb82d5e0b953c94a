# SPDX-License-Identifier: BSD-3-Clause
"""TabularMLPRegressor."""

from __future__ import annotations

import copy
import math
from numbers import Real

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from sknumpynet._compat import Interval, StrOptions
from sknumpynet.core.losses import (
    AbsoluteError,
    HalfGamma,
    HalfPoisson,
    Quantile,
    SquaredError,
)
from sknumpynet.fitting.plan import warn_of_ignored_quantile
from sknumpynet.fitting.rollback import warn
from sknumpynet.fitting.threads import one_blas_thread
from sknumpynet.tabular.base import TabularMLP
from sknumpynet.tabular.docstrings import documented
from sknumpynet.tabular.ensemble import deviation_of, mean_of
from sknumpynet.tabular.objectives import Objective
from sknumpynet.tabular.scoring import KnownNumbers, negative_score
from sknumpynet.tabular.targets import Numbers

LOSSES = {
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "poisson": HalfPoisson,
    "gamma": HalfGamma,
}


@documented(
    learning_rate="0.1",
    folds="8",
    stratified="",
    temperature="",
    oof_predictions="Numbers, of the shape that `predict` gives",
    own_parameters="",
)
class TabularMLPRegressor(RegressorMixin, TabularMLP):
    """Regression on raw tables: text, missing values, counts and amounts in any mixture.

    An ensemble of small networks, trained together in NumPy. Text columns are encoded, numbers and targets
    scaled internally; missing values are allowed. `oof_score_` estimates the score on new rows, and
    `predict_interval` gives prediction intervals, without a test set.

    Parameters
    ----------
    loss : str, default='squared_error'
        'squared_error', 'absolute_error', 'quantile', or with the log link 'poisson' for counts and 'gamma'
        for positive amounts. With the log link, one factor gives out-of-fold predictions the mean of y.
    quantile : float or array-like of float, default=0.5
        With ``loss="quantile"``, the quantile to predict, or several in ascending order. They are shifted so
        that the right share of the rows of `fit` is below them out of fold, and sorted.
    clip_target : bool, default=True
        Whether to keep predictions between the smallest and the largest y of `fit`. With quantiles, before
        they are shifted.
    {parameters}

    Attributes
    ----------
    n_targets_ : int
        Number of columns of y.
    oof_errors_ : tuple of two ndarrays
        With one target: out-of-fold errors, reduced to the size expected for the mean of all members, and the
        weights of their rows; `predict_interval` uses them. With loss "poisson" or "gamma" they are divided
        by the standard deviation that the loss assumes: the square root of the prediction, or the
        prediction.
    {attributes}

    See Also
    --------
    TabularMLPClassifier : The same for classification.
    sklearn.ensemble.HistGradientBoostingRegressor : Trees for the same kind of data, faster to fit.

    Notes
    -----
    {notes}

    References
    ----------
    {references}

    Examples
    --------
    >>> import numpy as np
    >>> from sknumpynet import TabularMLPRegressor
    >>> rng = np.random.default_rng(0)
    >>> kind = rng.choice(["a", "b"], size=200)
    >>> size = rng.uniform(0, 10, size=200)
    >>> X = np.array(list(zip(kind, size)), dtype=object)
    >>> y = np.where(kind == "a", size, 10 - size) + rng.normal(size=200)
    >>> model = TabularMLPRegressor(random_state=0).fit(X, y)
    >>> model.oof_score_ > 0.7
    True
    >>> low, high = model.predict_interval([["a", 8.0]], coverage=0.9)[0]
    >>> bool(low < 8 < high)
    True
    """

    _parameter_constraints = {
        **TabularMLP._parameter_constraints,
        "loss": [StrOptions({*LOSSES, "quantile"})],
        "quantile": [Interval(Real, 0, 1, closed="neither"), "array-like"],
        "clip_target": ["boolean"],
    }

    def __init__(
        self,
        loss="squared_error",
        *,
        quantile=0.5,
        clip_target=True,
        quality="fast",
        categorical_features="from_dtype",
        max_levels=50,
        min_level_rows=3,
        prior_rows=10.0,
        input_clip=3.0,
        numeric_embedding="auto",
        n_frequencies=16,
        frequency=1.0,
        frequency_spread=0.7,
        n_embedded=3,
        max_embedded=100,
        embedding_margins="auto",
        n_members="auto",
        hidden_layer_sizes="auto",
        dropout=0.15,
        weight_decay=0.02,
        learning_rate=0.1,
        beta_1=0.9,
        beta_2=0.95,
        epsilon=1e-8,
        bias_rate_factor=0.1,
        embedding_rate_factor=0.1,
        scale_rate_factor=6.0,
        batch_size="auto",
        first_cycle="auto",
        min_steps=120,
        n_cycles="auto",
        least_gain=0.01,
        extra_cycle_gain=0.05,
        n_picks=8,
        snapshot_gain=0.001,
        paired_share=0.25,
        cv=None,
        scoring=None,
        max_time=None,
        n_jobs=None,
        random_state=None,
        verbose=0,
        dtype="float32",
    ):
        self.loss = loss
        self.quantile = quantile
        self.clip_target = clip_target
        self.quality = quality
        self.categorical_features = categorical_features
        self.max_levels = max_levels
        self.min_level_rows = min_level_rows
        self.prior_rows = prior_rows
        self.input_clip = input_clip
        self.numeric_embedding = numeric_embedding
        self.n_frequencies = n_frequencies
        self.frequency = frequency
        self.frequency_spread = frequency_spread
        self.n_embedded = n_embedded
        self.max_embedded = max_embedded
        self.embedding_margins = embedding_margins
        self.n_members = n_members
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.bias_rate_factor = bias_rate_factor
        self.embedding_rate_factor = embedding_rate_factor
        self.scale_rate_factor = scale_rate_factor
        self.batch_size = batch_size
        self.first_cycle = first_cycle
        self.min_steps = min_steps
        self.n_cycles = n_cycles
        self.least_gain = least_gain
        self.extra_cycle_gain = extra_cycle_gain
        self.n_picks = n_picks
        self.snapshot_gain = snapshot_gain
        self.paired_share = paired_share
        self.cv = cv
        self.scoring = scoring
        self.max_time = max_time
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.dtype = dtype

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = self.loss in ("poisson", "gamma")
        return tags

    def _targets_of(self, y, n_rows):
        check = LOSSES[self.loss]().check_targets if self.loss in LOSSES else None
        targets = Numbers(y, n_rows, self.loss in ("poisson", "gamma"), check, self.clip_target)
        if targets.y.shape[1] == 1 and np.ptp(targets.y) == 0:
            warn(f"y is {targets.y[0, 0]} in every row: every prediction will be this one")
        return targets

    def _objective(self, targets):
        n_targets = targets.y.shape[1]
        loss = LOSSES[self.loss]() if self.loss in LOSSES else Quantile(copy.copy(self.quantile))
        try:
            loss.check()
        except ValueError as error:
            raise ValueError(f"quantile={self.quantile!r}: {error}") from error
        warn_of_ignored_quantile(self.loss, self.quantile)
        if self.loss == "quantile":
            warn_of_extreme(np.ravel(self.quantile), len(targets.y))

        def to_user(y, predictions):
            numbers = targets.to_numbers(predictions)
            if not callable(self.scoring):
                numbers = loss.point_prediction(numbers)
            return y * targets.scale + targets.center, numbers

        score = negative_score(self.scoring, KnownNumbers(), to_user)
        return Objective(loss, loss.n_outputs_for(n_targets), False, score)

    def _from_unseen(self, oof, targets, weight, ratio, fitted):
        scale, loss = fitted["target_scale_"], fitted["ensemble_"].objective.loss
        numbers = scale.to_numbers(oof)
        state = {"quantile_shifts_": None}
        if isinstance(loss, Quantile):
            levels = np.broadcast_to(np.ravel(loss.quantiles), numbers.shape[1:])
            shifts = np.array(
                [
                    weighted_quantile(
                        targets.y[:, min(j, targets.y.shape[1] - 1)] - column, weight, level
                    )
                    for j, (column, level) in enumerate(zip(numbers.T, levels))
                ]
            )
            numbers = numbers + shifts
            if has_several_quantiles(loss):
                numbers.sort(axis=1)
            state["quantile_shifts_"] = shifts
        point = loss.point_prediction(numbers)
        state["oof_score_"] = (
            float(r2_score(targets.y, point, sample_weight=weight))
            if (weight > 0).sum() > 1
            else np.nan
        )
        if targets.y.shape[1] == 1 and point.shape[1] == 1:
            used = weight > 0
            errors = (targets.y - point)[used, 0] / deviation(point[used, 0], scale, loss)
            state["oof_errors_"] = ratio * errors, weight[used]
        state["oof_predictions_"] = shaped(numbers, targets.one_column, loss)
        return state

    def predict(self, X, return_std=False):
        """Return the prediction of each row, the mean over members.

        Parameters
        ----------
        X : DataFrame, table or array of shape (n_samples, n_features)
            A table like that of `fit`; with names, its columns may be in another order.
        return_std : bool, default=False
            Whether to also return the standard deviation between members. It shows how much the networks
            differ, not the noise in y; for prediction intervals see `predict_interval`.

        Returns
        -------
        y : ndarray of shape (n_samples,), (n_samples, n_targets) or (n_samples, n_quantiles)
            Predictions, float64.
        std : ndarray like ``y``
            Standard deviation between members; only with ``return_std=True``.
        """
        inputs = self._inputs(X)
        scale = self.target_scale_
        means, spreads = [], []
        with one_blas_thread():
            for _, members in self.ensemble_.blocks(inputs):
                means.append(mean_of(members))
                if return_std:
                    spreads.append(deviation_of(members) * scale.scale)
        numbers = scale.to_numbers(np.concatenate(means))
        shifts = getattr(self, "quantile_shifts_", None)
        if shifts is not None:
            numbers += shifts
        loss = self.ensemble_.objective.loss
        if has_several_quantiles(loss):
            numbers.sort(axis=1)
        y = shaped(numbers, scale.one_column, loss)
        if return_std:
            return y, shaped(np.concatenate(spreads), scale.one_column, loss)
        return y

    def score(self, X, y, sample_weight=None):
        """Return R2; for several quantiles, that of the median quantile.

        Parameters
        ----------
        X : DataFrame, table or array of shape (n_samples, n_features)
            A table like that of `fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            The true targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        r2 : float
            1 for a perfect prediction, 0 for a constant prediction of the mean.
        """
        numbers = self.predict(X)
        if numbers.ndim == 2:
            numbers = self.ensemble_.objective.loss.point_prediction(numbers)
        return r2_score(y, numbers, sample_weight=sample_weight)

    def predict_interval(self, X, coverage=0.9):
        """Return prediction intervals, which contain y with the given probability.

        The interval is the prediction plus or minus a width that covers the given share of the out-of-fold
        errors (cross-conformal prediction). As all members together predict better than the few that have not
        seen a row, the errors are first reduced by the ratio of the two expected losses. With loss "poisson"
        the width is proportional to the square root of the prediction, with "gamma" to the prediction, and no
        interval goes below 0. With loss "quantile" it is one width around the median; intervals whose width
        depends on the row are the columns of `predict`. The coverage holds for new rows like those of `fit`.

        With n errors, a coverage above n / (n + 1) cannot be determined: a warning is given, and the largest
        error is the width.

        Parameters
        ----------
        X : DataFrame, table or array of shape (n_samples, n_features)
            A table like that of `fit`.
        coverage : float, default=0.9
            Share of rows whose y should be inside, in (0, 1).

        Returns
        -------
        interval : ndarray of shape (n_samples, 2)
            Lower and upper end.

        Raises
        ------
        ValueError
            With several targets, or after a fit with validation data, which has no out-of-fold rows.

        Warns
        -----
        UserWarning
            If `coverage` is too high for the number of rows of `fit`, or if the quantiles have no median, at
            which the interval could be centred.

        References
        ----------
        Barber, Candes, Ramdas, Tibshirani: Predictive inference with the jackknife+ (Annals of Statistics
        49, 2021).
        """
        if not isinstance(coverage, Real) or not 0 < coverage < 1:
            raise ValueError(f"coverage must lie in (0, 1), as 0.9 does; got {coverage!r}")
        prediction = self.predict(X)
        loss = self.ensemble_.objective.loss
        if not hasattr(self, "oof_errors_"):
            raise ValueError(
                "predict_interval needs out-of-fold errors of one target: fit without X_val, one column of y"
            )
        if isinstance(loss, Quantile):
            warn_of_no_median(loss)
        if prediction.ndim == 2:
            prediction = loss.point_prediction(prediction)[:, 0]
        errors, weight = self.oof_errors_
        n = weight.sum() ** 2 / (weight**2).sum()  # the effective number of rows
        level = coverage * (n + 1) / n
        if level > 1 + 1e-9:
            most = math.floor(n / (n + 1) * 1e4) / 1e4
            worth = "" if np.ptp(weight) == 0 else f", as weighted worth {n:.0f},"
            warn(
                f"coverage={coverage} is more than {len(errors)} out-of-fold errors{worth} can tell: the "
                f"interval is as wide as the largest of them, which covers some {most:.2%}. Give a coverage "
                f"of at most {most:g}, or fit at least {math.ceil(coverage / (1 - coverage) - 1e-9)} rows"
            )
        scale = self.target_scale_
        width = weighted_quantile(np.abs(errors), weight, min(1.0, level))
        width = width * deviation(prediction, scale, loss)
        interval = np.column_stack([prediction - width, prediction + width])
        return np.maximum(interval, 0.0, out=interval) if scale.log_link else interval


def has_several_quantiles(loss):
    """Return whether predictions have a column for each quantile; a list of one counts."""
    return isinstance(loss, Quantile) and np.ndim(loss.quantiles) > 0


def shaped(numbers, one_column, loss):
    """Return numbers (n, outputs) in the shape that y had in fit, or with a column for each quantile."""
    return numbers[:, 0] if one_column and not has_several_quantiles(loss) else numbers


def deviation(prediction, scale, loss):
    """Return the standard deviation of y that the loss assumes, up to a factor: 1 if it assumes none."""
    power = {HalfPoisson: 0.5, HalfGamma: 1.0}.get(type(loss))
    if power is None:
        return 1.0
    return np.maximum(prediction, 0.01 * scale.scale[0]) ** power  # tiny ones are unreliable


def warn_of_no_median(loss):
    """Warn of intervals around another quantile than the median."""
    level = loss.point_prediction(np.reshape(loss.quantiles, (1, -1))).item()
    if level != 0.5:
        warn(
            f"predict_interval is centred at the {level} quantile, because quantile={loss.quantiles} has no "
            "0.5: the intervals are too wide at one end. Add 0.5, or take the columns of predict(X) as "
            "ends, as with quantile=[0.05, 0.5, 0.95]"
        )


def warn_of_extreme(levels, n):
    """Warn of quantiles beyond which fewer than one of n rows is expected."""
    extreme = [float(level) for level in levels if min(level, 1 - level) * (n + 1) < 1 - 1e-9]
    if extreme:
        level = min(extreme, key=lambda each: min(each, 1 - each))
        beyond = min(level, 1 - level)
        warn(
            f"quantile={level} is too extreme for {n} rows: fewer than one of them is to be expected "
            f"beyond it. Give one from {1 / (n + 1):.2g} to {1 - 1 / (n + 1):.4g}, or fit at least "
            f"{math.ceil(1 / beyond - 1 - 1e-9)} rows"
        )


def weighted_quantile(values, weight, level):
    """Return the smallest value at or below which that share of the weight lies."""
    order = np.argsort(values)
    share = np.cumsum(weight[order])
    at = np.searchsorted(share, level * share[-1] * (1 - 1e-12))
    return float(values[order[min(at, len(order) - 1)]])
