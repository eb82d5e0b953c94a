# SPDX-License-Identifier: BSD-3-Clause
"""The base of both estimators for tables: parameters, fit, and out-of-fold results."""

from __future__ import annotations

import copy
import math
from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sknumpynet._compat import (
    CallbackSupportMixin,
    DocLink,
    EpochHooks,
    Interval,
    StrOptions,
    check_sample_weight,
    fit_context,
    with_callbacks,
)
from sknumpynet.checks.input_checks import check_readable
from sknumpynet.core.wording import counted
from sknumpynet.fitting.fingerprint import VALUES, described_parameters, shape_of, values_of
from sknumpynet.fitting.plan import MAX_UNITS, check_is_float
from sknumpynet.fitting.rollback import all_or_nothing, replace_attributes, warn
from sknumpynet.fitting.threads import one_blas_thread
from sknumpynet.tabular.columns import Table
from sknumpynet.tabular.ensemble import Ensemble
from sknumpynet.tabular.folds import FEW_ROWS_FOLDS, N_FOLDS, fold_of_rows, second_folds
from sknumpynet.tabular.objectives import tempered
from sknumpynet.tabular.preprocessing import TableEncoder
from sknumpynet.tabular.recipe import Recipe, Rows, fit_recipe, greedy_weights
from sknumpynet.tabular.targets import about_validation

AUTO = StrOptions({"auto"})
MEMBERS = {"fast": 8, "best": 16}
SMALL = 1000  # rows, below which "fast" has as many members as "best": they cost little and help
# Rows -> members and folds of "fast" from there on: more epochs in the same time help more than members
FEWER_MEMBERS = ((50_000, 4), (10_000, 6))
CYCLES = {"fast": 3, "best": 4}
MANY_CLASSES, WIDE = 20, (96, 96, 96)  # 64 units are too few for so many classes


class TabularMLP(CallbackSupportMixin, DocLink, BaseEstimator):
    """Base of TabularMLPClassifier and TabularMLPRegressor."""

    _parameter_constraints = {
        "quality": [StrOptions({"fast", "best"})],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "max_levels": [Interval(Integral, 1, None, closed="left")],
        "min_level_rows": [Interval(Integral, 1, None, closed="left")],
        "prior_rows": [Interval(Real, 0, None, closed="neither")],
        "input_clip": [Interval(Real, 0, None, closed="neither")],
        "numeric_embedding": ["boolean", AUTO],
        "n_frequencies": [Interval(Integral, 1, MAX_UNITS, closed="both")],
        "frequency": [Interval(Real, 0, None, closed="neither")],
        "frequency_spread": [Interval(Real, 0, None, closed="left")],
        "n_embedded": [Interval(Integral, 1, MAX_UNITS, closed="both")],
        "max_embedded": [Interval(Integral, 0, None, closed="left")],
        "embedding_margins": ["array-like", AUTO],
        "n_members": [Interval(Integral, 1, MAX_UNITS, closed="both"), AUTO],
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left"), AUTO],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "bias_rate_factor": [Interval(Real, 0, None, closed="left")],
        "embedding_rate_factor": [Interval(Real, 0, None, closed="left")],
        "scale_rate_factor": [Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), AUTO],
        "first_cycle": [Interval(Integral, 1, None, closed="left"), AUTO],
        "min_steps": [Interval(Integral, 1, None, closed="left")],
        "n_cycles": [Interval(Integral, 1, 20, closed="both"), AUTO],
        "least_gain": [Interval(Real, 0, None, closed="left")],
        "extra_cycle_gain": [Interval(Real, 0, None, closed="both")],
        "n_picks": [Interval(Integral, 1, None, closed="left")],
        "snapshot_gain": [Interval(Real, 0, None, closed="left")],
        "paired_share": [Interval(Real, 0, 1, closed="both")],
        "cv": ["cv_object"],
        "scoring": [str, callable, None],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "dtype": [StrOptions({"float32", "float64"})],
    }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.non_deterministic = False
        return tags

    @fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    @with_callbacks
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        groups=None,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        """Fit the members; unseen rows decide when to stop and how to weight the snapshots.

        Parameters
        ----------
        X : DataFrame, table or array of shape (n_samples, n_features)
            The raw table: pandas, polars, pyarrow or NumPy, with text and missing values. It is not
            changed.
        y : array-like of shape (n_samples,) or, for the regressor, (n_samples, n_targets)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, at least 0. Rows of weight 0 do not affect the fit.
        groups : array-like of shape (n_samples,), default=None
            Rows of the same group, such as those of one patient, are put into the same fold.
        X_val, y_val : like X and y, default=None
            Validation data, used instead of folds: all members are trained on all rows of X, and
            `oof_predictions_` and `oof_score_` are not set.
        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Weights of the validation rows.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        TypeError, ValueError
            If the data are invalid; the message names the column or the argument.
        """
        state = self._fitted(X, y, sample_weight, groups, X_val, y_val, sample_weight_val)

        def fitted(now):
            parameters = {
                name: value
                for name, value in now.items()
                if not name.endswith("_") or name[0] == "_"
            }
            return {**parameters, **state}

        replace_attributes(self, fitted)
        return self

    def _fitted(self, X, y, sample_weight, groups, X_val, y_val, sample_weight_val):
        """Return all fitted attributes as a dict."""
        for name, rules in self._parameter_constraints.items():
            if any(isinstance(rule, Interval) for rule in rules):
                check_is_float(name, getattr(self, name), type(self).__name__)
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y is None."
            )
        table = Table(X)
        if table.n_rows < 2:
            raise ValueError(
                f"Found array with 1 sample(s) (shape={(1, table.n_columns)}) while a minimum of 2 is "
                f"required by {type(self).__name__}."
            )
        targets = self._targets_of(y, table.n_rows)
        weight = checked_weights(sample_weight, table.n_rows)
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val must be given together: give both or neither")
        if sample_weight_val is not None and X_val is None:
            raise ValueError("sample_weight_val needs X_val and y_val")
        if groups is not None and X_val is not None:
            raise ValueError("groups are for folds, which X_val replaces: give only one of them")
        used = np.flatnonzero(weight > 0)
        if len(used) < 2:
            raise ValueError(
                "fewer than two rows have a sample_weight above zero: at least 2 are needed"
            )
        targets.fit_scale(weight)
        with about_validation():
            val = None if X_val is None else Table(X_val)
        course = Course(self, X, y, sample_weight)

        def fingerprint():
            shapes = {
                "data": f"{table.described()}; y {shape_of(np.asarray(y))}",
                "sample_weight": shape_of(None if sample_weight is None else weight),
                "groups": shape_of(None if groups is None else np.asarray(groups)),
                "validation data": "None" if val is None else val.described(),
                VALUES: " ".join(
                    values_of(None if each is None else np.asarray(each))
                    for each in (y, sample_weight, groups, y_val, sample_weight_val)
                ),
            }
            return {**described_parameters(self.get_params(deep=False)), **shapes}

        kept = course.resume(fingerprint)
        rng = check_random_state(self.random_state)
        seed = int(rng.randint(np.iinfo(np.int32).max))
        if kept is not None:
            seed = kept["seed"]  # determines the folds and all random numbers
        if X_val is None:
            if len(used) >= FEW_ROWS_FOLDS:  # with fewer rows there is another warning
                targets.warn_of_rare(used)
            default = self._fewer_members(len(used)) or N_FOLDS
            fold, n_folds = fold_of_rows(self.cv, used, targets, groups, seed, default)
        else:
            fold, n_folds = np.full(table.n_rows, -1), 1
        objective = self._objective(targets)
        recipe = self._recipe(n_folds, X_val is not None, len(used), objective)
        encoder = TableEncoder(
            self.categorical_features,
            self.max_levels,
            self.min_level_rows,
            float(self.prior_rows),
            float(self.input_clip),
        )
        part = table if len(used) == table.n_rows else table.rows(used)
        if X_val is None:
            cross, n_cross = fold[used], n_folds
        else:  # folds for mean targets only: every member sees all rows
            cross = np.random.default_rng(seed).integers(5, size=len(used))
            n_cross = 5
        inputs, own = encoder.fit_transform(part, targets.for_means(used), cross, n_cross)
        if own is not None:
            own = own.astype(recipe.dtype)
            if X_val is not None:
                own = own[cross, np.arange(len(used))][np.newaxis]
        X_rows = inputs.astype(recipe.dtype)
        row_weight = targets.weighted(weight)[used]
        rows = Rows(X_rows, targets.for_loss(used, recipe.dtype), row_weight, fold[used], own=own)
        if X_val is None and recipe.n_members == n_folds:
            own_groups = None if groups is None else np.asarray(groups)[used]
            second = second_folds(fold[used], n_folds, own_groups, seed, self.paired_share)
            if (second >= 0).any():
                rows.second = second
        unseen = None
        if X_val is not None:
            val_targets = targets.like(y_val, val.n_rows)
            val_weight = val_targets.weighted(
                checked_weights(sample_weight_val, val.n_rows, "sample_weight_val")
            )
            everything = np.arange(val.n_rows)
            with about_validation():
                val_inputs = encoder.transform(encoder.in_order(val)).astype(recipe.dtype)
            unseen = Rows(
                val_inputs,
                val_targets.for_loss(everything, np.float64),
                val_weight,
                np.full(val.n_rows, -1),
            )
        selection = rows if unseen is None else unseen

        def outcome(snapshots, weights, reason):
            """Return the fitted attributes for these snapshots."""
            predicted = sum(w * one.unseen for w, one in zip(weights, snapshots))
            m = recipe.n_members // n_folds if X_val is None else 1
            oof = predicted[:m].mean(axis=0)
            temperature = 1.0
            if objective.classes and objective.n_outputs > 1:
                temperature = objective.temperature(
                    selection.y, selection.weight, predicted, recipe.n_members, selection.pairs()
                )
            ensemble = Ensemble(snapshots, weights, objective, temperature)
            state = {
                "n_features_in_": table.n_columns,
                "encoder_": encoder,
                "ensemble_": ensemble,
                "snapshot_weights_": weights,
                "stop_reason_": reason,
                "n_members_": recipe.n_members,
                "n_params_": ensemble.n_params,
                "is_categorical_": encoder.is_category,
                "history_": history_of(snapshots, weights),
                **targets.fitted(selection.y, selection.weight, oof),
            }
            if objective.classes:
                state["temperature_"] = temperature
            if table.names is not None:
                state["feature_names_in_"] = np.asarray(table.names, dtype=object)
            if X_val is None:
                ratio = objective.ratio_of_errors(
                    rows.y, rows.weight, predicted, oof, recipe.n_members, rows.pairs()
                )
                if objective.classes and objective.n_outputs > 1:
                    own = objective.temperature(rows.y, rows.weight, oof[np.newaxis], 1)
                    oof = tempered(oof, own)
                full = np.empty((table.n_rows, oof.shape[1]))
                full[used] = oof
                unused = np.flatnonzero(weight == 0)
                if len(unused):  # no member was trained on these
                    inputs = encoder.transform(table.rows(unused)).astype(recipe.dtype)
                    with one_blas_thread():
                        full[unused] = ensemble.predict(inputs)
                state.update(self._from_unseen(full, targets, weight, ratio, state))
            return state

        def so_far(snapshots):
            weights = greedy_weights(
                snapshots,
                selection,
                objective,
                recipe.n_picks,
                recipe.n_members,
                recipe.snapshot_gain,
            )
            return copy.deepcopy(outcome(snapshots, weights, "unfinished"))

        course.begin(seed, so_far)
        with one_blas_thread():
            found = fit_recipe(
                rows,
                unseen,
                objective,
                recipe,
                encoder.n_numeric,
                seed,
                self._report,
                course,
                None if kept is None else kept["training"],
            )
        if found[2] == "interrupted":
            warn("Training interrupted by user; the snapshots so far are kept.")
        state = outcome(*found)
        course.end(interrupted=found[2] == "interrupted")
        return state

    def trim_for_prediction(self):
        """Remove what predictions do not need, `oof_predictions_`, for a smaller pickle.

        Returns
        -------
        self : object
            The estimator.
        """
        check_is_fitted(self)
        vars(self).pop("oof_predictions_", None)
        return self

    def encode(self, X):
        """Return the input of the networks: the table as numbers, encoded as in `fit`.

        A file of :func:`~sknumpynet.export.to_onnx` takes the same input, in its own `dtype`.

        Parameters
        ----------
        X : DataFrame, table or array of shape (n_samples, n_features)
            A table like that of `fit`; with names, its columns may be in another order.

        Returns
        -------
        inputs : ndarray of shape (n_samples, n_inputs), of the dtype that the networks compute in
            Scaled and clipped numbers, a column for each level of a category, indicators of missing values,
            and for categories with many levels their mean targets.

        Raises
        ------
        ValueError
            If the columns are not those of `fit`.
        NotFittedError
            If the estimator is not fitted.

        Examples
        --------
        >>> from sknumpynet import TabularMLPRegressor
        >>> X = [["a", 1.0], ["b", 2.0], ["a", 3.0], ["b", None]] * 10
        >>> model = TabularMLPRegressor(first_cycle=1, n_cycles=1, random_state=0).fit(X, range(40))
        >>> model.encode([["b", None]])  # the number, whether it is missing, and the letter
        array([[ 0.   ,  1.664, -1.   ]], dtype=float32)
        """
        return self._inputs(X)

    def to_sklearn(self):
        """Raise ValueError: scikit-learn has no such networks.

        Raises
        ------
        ValueError
            Always; the message names the exports that exist.
        """
        raise ValueError(
            f"scikit-learn's networks cannot represent a {type(self).__name__}, which encodes columns and "
            "has several members. Use export.save, which writes all of it, or export.to_onnx, whose file "
            "takes what encode(X) returns"
        )

    def _fewer_members(self, n_rows):
        """Return how many members "fast" has with many rows, and how many folds; 0 with few."""
        fewer = [members for rows, members in FEWER_MEMBERS if n_rows >= rows]
        return fewer[0] if fewer and self.quality == "fast" else 0

    def _recipe(self, n_folds, validated, n_rows, objective):
        n_members, hidden = self.n_members, self.hidden_layer_sizes
        if n_members == "auto":
            wanted = MEMBERS["best" if n_rows < SMALL else self.quality]
            wanted = self._fewer_members(n_rows) or wanted
            n_members = wanted if validated else n_folds * math.ceil(wanted / n_folds)
        elif not validated and n_members % n_folds:
            raise ValueError(
                f"n_members must be a multiple of the number of folds, {n_folds}, so that all folds have as "
                f"many members; got {n_members}. Give {n_folds * math.ceil(n_members / n_folds)}, or "
                "n_members='auto'"
            )
        if isinstance(hidden, str):
            many = objective.classes and objective.n_outputs >= MANY_CLASSES
            hidden = WIDE if many else Recipe.hidden
        hidden = (hidden,) if isinstance(hidden, Integral) else tuple(hidden)
        if not hidden or not all(isinstance(h, Integral) and 1 <= h <= MAX_UNITS for h in hidden):
            raise ValueError(
                f"hidden_layer_sizes must be whole widths from 1 to {MAX_UNITS}, as (64, 64); got {hidden}"
            )
        hidden = tuple(int(h) for h in hidden)
        margins = self.embedding_margins
        if not isinstance(margins, str):
            margins = tuple(np.ravel(margins).tolist())
            if not margins or not all(isinstance(m, Real) and m >= 0 for m in margins):
                raise ValueError(
                    "embedding_margins must be 'auto' or shares of at least 0, one for each cycle, the last "
                    f"also for all later ones, as (0.3, 0.1); got {self.embedding_margins!r}"
                )
        return Recipe(
            n_members=n_members,
            n_folds=n_folds,
            hidden=hidden,
            learning_rate=self.learning_rate,
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
            bias_rate_factor=self.bias_rate_factor,
            embedding_rate_factor=self.embedding_rate_factor,
            scale_rate_factor=self.scale_rate_factor,
            weight_decay=self.weight_decay,
            dropout=self.dropout,
            n_cycles=CYCLES[self.quality] if self.n_cycles == "auto" else self.n_cycles,
            least_gain=self.least_gain,
            extra_cycle_gain=self.extra_cycle_gain,
            n_frequencies=int(self.n_frequencies),
            n_embedded=int(self.n_embedded),
            frequency=float(self.frequency),
            frequency_spread=float(self.frequency_spread),
            embed=self.numeric_embedding,
            max_embedded=self.max_embedded,
            embedding_margins=margins,
            batch_size=self.batch_size,
            first_cycle=self.first_cycle,
            min_steps=self.min_steps,
            n_picks=self.n_picks,
            snapshot_gain=self.snapshot_gain,
            max_time=self.max_time,
            n_threads=_n_threads(self.n_jobs),
            dtype=np.dtype(self.dtype),
        )

    def _report(self, snapshot):
        if self.verbose:
            kind = "with" if snapshot.pack.shape.embeds() else "without"
            print(
                f"Cycle {snapshot.cycle + 1}, {counted(snapshot.n_epochs, 'epoch')} {kind} "
                f"numeric embedding: {snapshot.criterion:.6g} on unseen rows, {snapshot.seconds:.1f} s"
            )

    def _inputs(self, X):
        """Return the networks' inputs for a table like that of fit."""
        if "ensemble_" not in vars(self):  # the check takes as long as some columns
            check_is_fitted(self)
        table = Table(X)
        self._warn_about_names(table)
        return self.encoder_.transform(self._in_order(table)).astype(self.ensemble_.packs[0].dtype)

    def _in_order(self, table):
        try:
            return self.encoder_.in_order(table)
        except ValueError as error:
            raise ValueError(str(error).replace("this estimator", type(self).__name__)) from None

    def _warn_about_names(self, table):
        named = hasattr(self, "feature_names_in_")
        if named and table.names is None:
            warn(
                f"X does not have valid feature names, but {type(self).__name__} was fitted with feature "
                "names"
            )
        elif not named and table.names is not None:
            warn(f"X has feature names, but {type(self).__name__} was fitted without feature names")


class Course:
    """Calls the callbacks during a fit: a row of ``history_`` is a task, "cycle"."""

    def __init__(self, estimator, X, y, sample_weight):
        metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
        data = {"X": X, "y": y, "metadata": metadata}
        self.snapshots, self.so_far = [], None
        self.hooks = EpochHooks(
            estimator, data, None, self.reconstruct, self.row_of, task_name="cycle"
        )

    def resume(self, fingerprint):
        """Return the state of the same, interrupted fit if a callback has kept one, else None."""
        return self.hooks.resume(fingerprint)

    def begin(self, seed, so_far):
        """Store what is known before training: ``so_far(snapshots)`` returns fitted attributes."""
        self.so_far = so_far
        self.hooks.get_state = lambda: {"seed": seed, "training": self.get_state()}

    def begin_epoch(self):
        """Call the hooks for the beginning of a cycle."""
        self.hooks.begin_epoch()

    def end_epoch(self, snapshots):
        """Call the hooks for the end of a cycle, and return whether one asks to stop."""
        self.snapshots = snapshots
        return self.hooks.end_epoch(snapshots)

    def count_as_done(self, n_cycles):
        """Continue the numbering of cycles from the fit that is resumed."""
        self.hooks.count_as_done(n_cycles)

    def end(self, interrupted):
        """Call the hooks for the end of the fit."""
        self.hooks.end(interrupted)

    def reconstruct(self):
        """Return the attributes with which a copy of the estimator predicts from the snapshots so far."""
        return self.so_far(self.snapshots)

    def row_of(self, snapshots):
        """Return the newest row of the record, without its weight."""
        return {name: column[-1] for name, column in history_of(snapshots).items()}


def history_of(snapshots, weights=None):
    """Return ``history_``; its "weight" is only known once the weights are."""
    epochs = {}
    history = {name: [] for name in ("epoch", "cycle", "numeric_embedding", "epochs", "loss")}
    for one in snapshots:
        kind = one.pack.shape.embeds()
        epochs[kind] = epochs.get(kind, 0) + one.n_epochs
        row = (epochs[kind], one.cycle + 1, kind, one.n_epochs, one.criterion)
        for name, value in zip(history, row, strict=True):
            history[name].append(value)
    if weights is not None:
        history["weight"] = weights.tolist()
    history["seconds"] = [one.seconds for one in snapshots]
    return history


def checked_weights(sample_weight, n_rows, name="sample_weight"):
    """Return float64 weights, (n,), or raise an error that names them."""
    if sample_weight is None:
        return np.ones(n_rows)
    check_readable(sample_weight, name)
    given = np.asarray(sample_weight)
    if given.dtype.kind in "cmM":
        raise TypeError(f"{name} must hold numbers; got the dtype {given.dtype}")
    if given.ndim and given.shape != (n_rows,):
        raise ValueError(
            f"{name} must have one entry for each row, shape {(n_rows,)}; got {given.shape}"
        )
    if given.dtype.kind == "f" and not np.isfinite(given).all():
        row = int(np.flatnonzero(~np.isfinite(given))[0])
        raise ValueError(f"{name} must be finite; got {given.flat[row]} in row {row}")
    try:
        weight = check_sample_weight(sample_weight, np.empty((n_rows, 1)), dtype=np.float64)
    except TypeError as error:
        raise TypeError(f"{name} must hold numbers: {error}") from error
    except (ValueError, OverflowError) as error:
        if "non-zero" in str(error):
            raise ValueError(
                f"{name} is zero for every row; at least two rows must have a weight"
            ) from error
        raise ValueError(f"{name}: {error}") from error
    if not weight.any():
        raise ValueError(f"{name} is zero for every row; at least two rows must have a weight")
    if weight.min() < 0:
        row = int(np.argmin(weight))
        raise ValueError(f"{name} must be at least 0; got {weight[row]} in row {row}")
    return weight / weight.max()


def _n_threads(n_jobs):
    """Return the number of threads: joblib's reading of n_jobs, which nested jobs limit."""
    return 1 if n_jobs is None else max(1, effective_n_jobs(n_jobs))
