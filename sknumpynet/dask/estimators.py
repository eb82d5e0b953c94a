# SPDX-License-Identifier: BSD-3-Clause
"""The two estimators on a cluster: the local ones, whose data lie on the workers of Dask.

A fit goes the local way. What is made anew here is where the data come from, who trains, and how Dask's
collections are predicted.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral, Real

import dask
import numpy as np
from dask.delayed import Delayed
from distributed import Future

from sknumpynet._compat import Interval
from sknumpynet.dask.blocks import Recipe
from sknumpynet.dask.client import cluster_of, usable
from sknumpynet.dask.data import ClusterData
from sknumpynet.dask.description import balanced, describe, stand_in, warn_of_indices
from sknumpynet.dask.lbfgs import fit_on_cluster
from sknumpynet.dask.minibatch import fit_minibatches
from sknumpynet.dask.partitions import is_array, is_collection, is_frame, mapped, partitions
from sknumpynet.dask.validation import ClusterValidation, Squares
from sknumpynet.estimators.classifier import NumpyMLPClassifier
from sknumpynet.estimators.docstrings import (
    CLASSIFIER_PARAMETERS,
    REGRESSOR_PARAMETERS,
    documented,
)
from sknumpynet.estimators.regressor import NumpyMLPRegressor, predicted
from sknumpynet.fitting.plan import dtype_to_compute_in

# What these estimators have beside the parameters of the local ones.
OF_THE_CLUSTER = {"retries": 3, "timeout": 60}
OWN_CONSTRAINTS = {
    "retries": [Interval(Integral, 0, None, closed="left")],
    "timeout": [Interval(Real, 0, None, closed="neither")],
}
CLUSTER_PARAMETERS = """
retries : int, default=3
    How often in a row the same epochs, or the same task, are repeated after workers were lost; then the fit
    raises RuntimeError. Progress starts the count again, so a long fit may lose more workers. A task is
    repeated here after it has lost more workers than Dask allows
    (`distributed.scheduler.allowed-failures`, 3).
timeout : float, default=60
    Seconds until the fit raises TimeoutError when a worker that has work or rows does not respond, there is
    no worker, or no worker computes anything.
"""

# The parts of the docstrings that both estimators share, by placeholder.
TEXTS = {
    "{result}": """
    The result is that of `{local}` on the same rows in one memory, up to the order in which sums
    are taken, whatever the number of workers and wherever the rows lie. The attribute `client` is the
    `distributed.Client` to use, None for the current one; copies and pickles do not have it.
    """,
    "{client}": """
    client : distributed.Client or None
        The client to use; may be set. None means the current one when `fit` is called.
    """,
    "{notes}": """
    Rows are spread evenly over the workers and stay there. Each step takes the rows that the local
    estimator would take: each worker computes the gradient for those it holds, and the gradients are added
    up. Each worker draws its own dropout masks, which differ from those of the local estimator.

    Predictions for arrays and DataFrames of Dask, and for lists of delayed blocks, are lazy: arrays of Dask
    with the chunks of X. For NumPy arrays they are NumPy arrays.

    References
    ----------
    Dean et al.: Large scale distributed deep networks (NIPS 2012).
    """,
}


def with_parameters_of(local):
    """Return a decorator that gives a class the constructor of the local estimator, and two parameters.

    It fills in the docstring too.
    """

    def add(cls):
        def __init__(self, *args, **kwargs):
            if "client" in kwargs:
                raise TypeError(
                    "client is an attribute, not a parameter: set it afterwards, as in model.client = client"
                )
            own = {name: kwargs.pop(name, value) for name, value in OF_THE_CLUSTER.items()}
            local.__init__(self, *args, **kwargs)
            vars(self).update(own)

        signature = inspect.signature(local.__init__)
        parameters = list(signature.parameters.values())
        parameters += [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value)
            for name, value in OF_THE_CLUSTER.items()
        ]
        __init__.__signature__ = signature.replace(parameters=parameters)
        cls.__init__ = __init__
        cls._local_class = local
        for placeholder, text in TEXTS.items():
            cls.__doc__ = cls.__doc__.replace(placeholder, text.strip())
        cls.__doc__ = cls.__doc__.replace("{local}", local.__name__)
        return cls

    return add


class OnCluster:
    """The part of both estimators that knows Dask."""

    # None: the current client at `fit`.
    client = None
    _cluster = None
    # What is the estimator's, and not part of its fit.
    _NOT_FITTED = ("client", "_cluster", "_plan")

    def __getstate__(self):
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name not in self._NOT_FITTED}

    # ---------------------------------------------------------------- fitting

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Fit the network to data on the cluster.

        Parameters
        ----------
        X : array or DataFrame of Dask of shape (n_samples, n_features), or list of Delayed
            The input data; a list has one delayed block of rows, dense or sparse, for each partition. Of
            DataFrames all columns must hold numbers. Arrays in memory are fitted here, as the local
            estimator does.
        y : array, DataFrame or Series of Dask, or list of Delayed, of shape (n_samples,) or \
(n_samples, n_outputs)
            The targets: class labels or real numbers.
        sample_weight : like y, of shape (n_samples,), default=None
            Weights of the rows; None means 1 each.
        X_val, y_val, sample_weight_val : like X, y and sample_weight, default=None
            Validation data, on the cluster or in memory. With ``early_stopping=True`` they decide, in place
            of a part of X; otherwise their loss and score are only recorded, epoch by epoch.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data or a parameter is invalid, with the numbers of the partitions, or training diverges.
            The estimator is then as it was before the call.
        TypeError
            If `client` is asynchronous, or X is a Dask collection and y is not.
        TimeoutError
            If for `timeout` seconds a worker that has work or rows does not respond, there is no worker, or
            no worker computes anything.
        RuntimeError
            If workers were lost more than `retries` times during the same epochs or the same task.
        """
        with self._on_cluster(X, y, X_val):
            return super().fit(
                X,
                y,
                sample_weight,
                X_val=X_val,
                y_val=y_val,
                sample_weight_val=sample_weight_val,
            )

    def initialize(self, X, y):
        with self._on_cluster(X, y):
            return super().initialize(X, y)

    def _partial_fit(self, X, y, sample_weight, validation, classes=None):
        with self._on_cluster(X, y, validation[0]):
            return super()._partial_fit(X, y, sample_weight, validation, classes)

    @contextmanager
    def _on_cluster(self, X, y, X_val=None):
        """Find the cluster where some of the data lie there, and clean up there at the end."""
        for name, each in {"X": X, "y": y, "X_val": X_val}.items():
            check_form(name, each)
        if not any(map(is_collection, (X, y, X_val))):
            yield
            return
        with cluster_of(self.client, self.retries, self.timeout) as cluster:
            self._cluster = cluster
            try:
                yield
            finally:
                vars(self).pop("_cluster", None)

    def _fit_data(self, X, y, sample_weight, earlier, call, classes=None):
        if not any(map(is_collection, (X, y, sample_weight))):
            return super()._fit_data(X, y, sample_weight, earlier, call, classes)
        if self.normalization == "batch":
            raise ValueError(
                "normalization='batch' needs the mean and the variance of each whole batch, whose rows lie "
                "on several workers: set normalization='layer', or fit in memory"
            )
        cluster = self._cluster
        loaded, described, y_is_column = describe(cluster, X, y, sample_weight, self._local_class)
        warn_of_indices(described, "_val" if call == "validation" else "")
        few_X, few_y, weights = stand_in(described, y_is_column)
        target, few, names = super()._fit_data(
            few_X, few_y, None if sample_weight is None else weights, earlier, call, classes
        )
        if earlier is None:
            dtype = dtype_to_compute_in(self.dtype, few.X)
        else:
            dtype = earlier.network.dtype
        recipe = Recipe(target, few.X.dtype, dtype)
        data = ClusterData(
            **vars(few), cluster=cluster, described=described, loaded=loaded, recipe=recipe
        )
        return target, data, names

    def _start(self, X, y, sample_weight, call, classes=None, validated=False):
        start = super()._start(X, y, sample_weight, call, classes, validated)
        if not isinstance(start.data, ClusterData) or call == "initialize":
            return start
        data = start.data.dealt_out()
        if data.recipe.class_weight is not None:
            self._check_weighed(data.total_weight, start.plan, incremental=call == "partial_fit")
        return start._replace(data=data)

    def _weigh(self, target, data, plan, incremental):
        if not isinstance(data, ClusterData):
            return super()._weigh(target, data, plan, incremental)
        class_weight = vars(self).get("class_weight")
        if class_weight is None:
            return data
        if isinstance(class_weight, str):
            class_weight = balanced(data.described)
        recipe = replace(data.recipe, class_weight=target.completed(class_weight))
        weights = data.sample_weight  # from here on there are some
        if weights is None:
            weights = np.ones(len(data.targets), recipe.weight_dtype)
        return replace(data, recipe=recipe, sample_weight=weights)

    def _split(self, data, model, plan, rng, kept):
        if not isinstance(data, ClusterData):
            return super()._split(data, model, plan, rng, kept)
        gathered = data.gathered(targets=model.target.classes is not None)
        train, held_out, rows = super()._split(gathered, model, plan, rng, kept)
        return data.take(train.rows), data.take(held_out.rows), rows

    def _validation_set(self, data, model, plan):
        if not isinstance(data, ClusterData):
            return super()._validation_set(data, model, plan)
        if data.shares is None:
            data = data.dealt_out()
        view = self._view(replace(model, feature_names=None))
        return ClusterValidation(data, plan, model, self.scoring, view)

    def _train(self, plan, data, monitor, training, kept=None):
        if not isinstance(data, ClusterData):
            return super()._train(plan, data, monitor, training, kept)
        if plan.is_lbfgs:
            return fit_on_cluster(plan, data, monitor)
        return fit_minibatches(self._cluster, data, plan, training, monitor, kept)

    # ---------------------------------------------------------------- predicting

    def to_local(self):
        """Return the estimator without Dask: `NumpyMLPClassifier` or `NumpyMLPRegressor`.

        Returns
        -------
        estimator : NumpyMLPClassifier or NumpyMLPRegressor
            An independent copy with all parameters but `retries` and `timeout`, and all fitted attributes;
            `partial_fit` continues from there.
        """
        local = self._local_like()
        skipped = {*self._all_params(), *self._NOT_FITTED}
        left = {name: value for name, value in vars(self).items() if name not in skipped}
        vars(local).update(copy.deepcopy(left))
        return local

    def _local_like(self):
        """Return an unfitted local estimator with the same parameters."""
        parameters, names = self._all_params(), inspect.signature(self._local_class).parameters
        return self._local_class(**{name: parameters[name] for name in names})

    def _predictor(self, named=True):
        """Return a local estimator that predicts alike, and has nothing else: what goes into a graph."""
        model = self._fitted_model()
        local = self._local_like()
        local._publish(model if named else replace(model, feature_names=None))
        return local

    def _predicts(self, name, X):
        """Return what a method gives for X: at once for rows in memory, lazily for a collection."""
        check_form("X", X)
        if not is_collection(X):
            return getattr(super(), name)(X)
        example = getattr(self._predictor(), name)(self._rows_like(X))
        model = self._predictor(named=not is_array(X))
        if isinstance(example, list):
            return [
                mapped(_predict, X, (model, name, k, each[:0]), each)
                for k, each in enumerate(example)
            ]
        return mapped(_predict, X, (model, name, None, example[:0]), example)

    def _rows_like(self, X):
        """Return some rows with the columns of a collection, for what a prediction looks like."""
        if is_frame(X):
            return X._meta_nonempty
        model = self._fitted_model()
        if is_array(X):  # where the model has names of columns, it warns that these have none
            return np.zeros((1, *X.shape[1:]), X.dtype)
        rows = np.zeros((1, model.network.fan_in))
        if model.feature_names is None:
            return rows
        import pandas

        return pandas.DataFrame(rows, columns=model.feature_names)

    def _checked_rows(self, model, X):
        if is_collection(X):
            raise TypeError(
                "this method takes rows in memory: for X on a cluster call that of model.to_local() on each "
                "block, as in [dask.delayed(local.input_gradient)(block) for block in "
                "X.to_delayed().ravel()]"
            )
        return super()._checked_rows(model, X)

    # What a partition adds to the score, or None where it has no rows, and what these make together.
    _part_of_score: Callable
    _score_of_parts: Callable

    def score(self, X, y, sample_weight=None):
        check_form("X", X)
        if not is_collection(X):
            return super().score(X, y, sample_weight)
        # a first look here: what is wrong with the columns is not said by each worker
        self._predicts("predict", X)
        model = dask.delayed(self._predictor(named=not is_array(X)), pure=False)
        part = dask.delayed(self._part_of_score, pure=False)
        client = None if self.client is None else usable(self.client)
        parts = dask.compute(
            [part(*rows, model) for rows in partitions(X, y, sample_weight).rows],
            **({} if client is None else {"scheduler": client}),
        )[0]
        parts = [each for each in parts if each is not None]
        if not parts:
            raise ValueError("X must not be empty: none of its partitions has rows")
        return self._score_of_parts(parts)


def check_form(name, data):
    """Raise where data are on a cluster, and neither an array, a DataFrame nor a list of delayed blocks."""
    if name.startswith("X") and is_frame(data) and data.ndim == 1:
        raise ValueError(
            f"{name} is a Series, and must have two dimensions: pass {name}.to_frame()"
        )
    items = data.flat if isinstance(data, np.ndarray) and data.dtype == object else data
    is_many = items is not data or isinstance(data, list | tuple)
    first = next(iter(items), None) if is_many else data
    if is_collection(data) or not (isinstance(first, Future) or dask.is_dask_collection(first)):
        return
    kind = "delayed block" if isinstance(first, Delayed) else type(first).__name__
    if is_many:
        kind = f"{'list' if items is data else 'array'} of {kind}s"
    raise TypeError(
        f"{name} is {'an' if kind[0] == 'a' else 'a'} {kind}. Pass an array or a DataFrame of Dask, or a "
        "list of delayed blocks of rows, as [block], array.ravel().tolist() or "
        "[dask.delayed(future) for future in futures]"
    )


def _predict(rows, how):
    """Return what a method of a model gives for a partition, which may have no rows."""
    model, name, column, nothing = how
    if not rows.shape[0]:
        return nothing
    predicted = getattr(model, name)(_unnamed(rows, model))
    return predicted if column is None else predicted[column]


def _unnamed(rows, model):
    """Return the rows without names of columns if the model has none: the client has warned of that."""
    if model._fitted_model().feature_names is None and hasattr(rows, "columns"):
        return rows.set_axis(range(rows.shape[1]), axis=1)
    return rows


def _n_right(X, y, sample_weight, model):
    """Return the weight of the rows of a partition that are right, and that of all."""
    if not X.shape[0]:
        return None
    share = model.score(_unnamed(X, model), y, sample_weight)
    if sample_weight is None:
        return round(share * X.shape[0]), X.shape[0]
    total = float(np.sum(sample_weight))
    return share * total, total


def _share_right(parts):
    """Return the accuracy, of what `_n_right` gave."""
    right, total = map(sum, zip(*parts, strict=True))
    return float(right / total)


def _squares(X, y, sample_weight, model):
    """Return the `Squares` of a partition, None where it has no rows."""
    if not X.shape[0]:
        return None
    fitted = model._fitted_model()
    prediction = predicted(model._raw(fitted, _unnamed(X, model)), fitted)
    if prediction.ndim == 2:
        prediction = fitted.loss.point_prediction(prediction)
    return Squares.of(y, prediction, sample_weight)


def _r2(parts):
    """Return R2, of what `_squares` gave."""
    return sum(parts[1:], parts[0]).r2()


@with_parameters_of(NumpyMLPClassifier)
@documented(
    score="accuracy",
    score_text="the accuracy (the share of rows that match exactly)",
    own_parameters=CLASSIFIER_PARAMETERS + CLUSTER_PARAMETERS.strip(),
)
class DaskNumpyMLPClassifier(OnCluster, NumpyMLPClassifier):
    """Multi-layer perceptron for classification, trained on a Dask cluster.

    {result}

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {client}
    classes_ : ndarray of shape (n_classes,), or list of such arrays
        The class labels, in the order of the columns of `predict_proba`; a list, one entry per column,
        where y has several columns of labels.
    {attributes}

    See Also
    --------
    sknumpynet.NumpyMLPClassifier : The estimator for rows in one memory.
    DaskNumpyMLPRegressor : The same for numbers.

    Notes
    -----
    {notes}

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import load_iris
    >>> from sknumpynet.dask import DaskNumpyMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> X, y = da.from_array(X, chunks=(50, 4)), da.from_array(y, chunks=50)
    >>> with Client(processes=False, dashboard_address=None) as client:
    ...     model = DaskNumpyMLPClassifier(solver="lbfgs", max_iter=300, random_state=0).fit(X, y)
    ...     model.score(X, y) > 0.95
    True
    """

    _parameter_constraints: dict = {**NumpyMLPClassifier._parameter_constraints, **OWN_CONSTRAINTS}

    _part_of_score, _score_of_parts = staticmethod(_n_right), staticmethod(_share_right)

    def predict(self, X):
        return self._predicts("predict", X)

    def predict_proba(self, X):
        return self._predicts("predict_proba", X)

    def predict_log_proba(self, X):
        return self._predicts("predict_log_proba", X)

    def decision_function(self, X):
        return self._predicts("decision_function", X)


@with_parameters_of(NumpyMLPRegressor)
@documented(
    score="R2", score_text="R2", own_parameters=REGRESSOR_PARAMETERS + CLUSTER_PARAMETERS.strip()
)
class DaskNumpyMLPRegressor(OnCluster, NumpyMLPRegressor):
    """Multi-layer perceptron for regression, trained on a Dask cluster.

    {result}

    Parameters
    ----------
    loss : str or Loss, default='squared_error'
        The loss to minimise, as in :class:`~sknumpynet.NumpyMLPRegressor`.
    {parameters}

    Attributes
    ----------
    {client}
    {attributes}

    See Also
    --------
    sknumpynet.NumpyMLPRegressor : The estimator for rows in one memory.
    DaskNumpyMLPClassifier : The same for classes.

    Notes
    -----
    {notes}

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sknumpynet.dask import DaskNumpyMLPRegressor
    >>> X = da.linspace(-1, 1, 200, chunks=50).reshape(-1, 1)
    >>> y = X.ravel() ** 2
    >>> with Client(processes=False, dashboard_address=None) as client:
    ...     model = DaskNumpyMLPRegressor(solver="lbfgs", max_iter=300, random_state=0).fit(X, y)
    ...     model.score(X, y) > 0.99
    True
    """

    _parameter_constraints: dict = {**NumpyMLPRegressor._parameter_constraints, **OWN_CONSTRAINTS}

    _part_of_score, _score_of_parts = staticmethod(_squares), staticmethod(_r2)

    def predict(self, X):
        return self._predicts("predict", X)
