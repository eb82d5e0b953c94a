# SPDX-License-Identifier: BSD-3-Clause
"""The regressor: targets as real numbers."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from numbers import Real

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.exceptions import DataConversionWarning
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from sknumpynet._compat import Interval, StrOptions
from sknumpynet.checks.input_checks import (
    check_data,
    check_numbers,
    check_readable,
    densified,
    named_in_score,
)
from sknumpynet.core.losses.base import Loss, has_inverse_link
from sknumpynet.core.losses.by_name import REGRESSION_LOSSES, get_regression_loss
from sknumpynet.core.losses.regression import Quantile
from sknumpynet.core.wording import counted
from sknumpynet.estimators.base import BaseNumpyMLP, is_stochastic
from sknumpynet.estimators.docstrings import REGRESSOR_PARAMETERS, documented
from sknumpynet.estimators.labels import Target
from sknumpynet.estimators.prediction import from_weights, is_finite
from sknumpynet.fitting.plan import PARAMETER_CONSTRAINTS
from sknumpynet.fitting.rollback import all_or_nothing, quiet, warn

# Squares of larger numbers, and their sum, may overflow in float32.
LARGEST_TO_SQUARE = 1e15
# Predictions are taken as at most this many times as large as y: R2 is -1e300 there.
FARTHEST = 1e150


@dataclass(frozen=True)
class Numbers(Target):
    """Real targets, in one column or several.

    Parameters
    ----------
    n_targets : int
        Number of columns.
    """

    n_targets: int

    def make_loss(self, parameters):
        choice = parameters["loss"]
        loss = get_regression_loss(choice)
        if isinstance(choice, str) and choice == "quantile":
            loss = Quantile(copy.copy(parameters["quantile"]))
            try:
                loss.check()
            except ValueError as error:
                raise ValueError(f"quantile={parameters['quantile']!r}: {error}") from error
        if loss.link != "identity" and not has_inverse_link(loss):
            raise ValueError(
                f"loss={loss!r} has link={loss.link!r}, but predictions would be the raw output: "
                "override `inverse_link` in its class too"
            )
        return loss

    def n_outputs_for(self, loss):
        return loss.n_outputs_for(self.n_targets)

    def encode(self, y):
        targets = y.reshape(len(y), -1)
        return targets if targets.dtype.kind == "f" else targets.astype(np.float64)

    def score(self, targets, raw, sample_weight, model):
        prediction = predicted(raw, model)
        if prediction.ndim == 2:
            prediction = model.loss.point_prediction(prediction)
        if not np.isfinite(prediction).all():
            return np.nan
        return r2(targets, prediction, sample_weight)


def predicted(raw, model):
    """Return the predictions for raw outputs, which are overwritten."""
    with quiet():
        model.link_function()(raw, raw)
    return raw.ravel() if raw.shape[1] == 1 else raw


def r2(y, prediction, sample_weight):
    """Return R2, computed in the unit of y in which squares are finite."""
    largest = np.abs(prediction, dtype=np.float64).max(axis=0)
    numbers, of_y = np.asarray(y), 0.0
    with quiet():
        if numbers.dtype.kind in "iuf" and numbers.size == prediction.size:
            of_y = np.abs(numbers.reshape(prediction.shape), dtype=np.float64).max(axis=0)
        if np.any(np.maximum(largest, of_y) > LARGEST_TO_SQUARE):
            unit = np.maximum(of_y, 1.0)
            y = numbers.astype(np.float64).reshape(prediction.shape) / unit
            prediction = (prediction.astype(np.float64) / unit).clip(-FARTHEST, FARTHEST)
        return r2_score(y, prediction, sample_weight=sample_weight)


def checked_numbers(checker, X, y, reset):
    """Return X and y checked by `check_data`; a y with one column becomes a vector."""
    X, y = check_data(checker, X, y, multi_output=True, y_numeric=True, reset=reset)
    y = densified(y)
    check_numbers(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    return X, y


@documented(score="R2", score_text="R2", own_parameters=REGRESSOR_PARAMETERS)
class NumpyMLPRegressor(RegressorMixin, BaseNumpyMLP):
    """Multi-layer perceptron for regression, computed in NumPy.

    A drop-in for `sklearn.neural_network.MLPRegressor`: the same parameters, attributes and numbers, and
    more parameters, whose defaults change nothing.

    Parameters
    ----------
    loss : str or Loss, default='squared_error'
        The loss to minimise. 'squared_error' is half the squared error, for the mean; 'absolute_error' is
        for the median; 'huber' and 'log_cosh' lie between the two and limit the influence of outliers;
        'quantile' is the pinball loss for `quantile`. 'poisson' (``y >= 0``), 'gamma' (``y > 0``) and
        'tweedie' (``y >= 0``) are half these deviances, for counts, positive amounts and amounts with zeros;
        their prediction is the exponential of the raw output. Or an object such as ``Huber(delta=2.0)`` or
        ``Quantile([0.1, 0.5, 0.9])``, for which `predict` returns one column each, or of a custom
        subclass.
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    NumpyMLPClassifier : The same for classification.
    sklearn.neural_network.MLPRegressor : The estimator of scikit-learn, with the same results.

    Notes
    -----
    With several targets the squared errors are summed for the gradient, as in scikit-learn, while `loss_` and
    `loss_curve_` report their mean.

    References
    ----------
    - Kingma, Ba: Adam: A Method for Stochastic Optimization (ICLR 2015, arXiv:1412.6980).
    - Glorot, Bengio: Understanding the difficulty of training deep feedforward neural networks
      (AISTATS 2010).

    Examples
    --------
    >>> import numpy as np
    >>> from sknumpynet import NumpyMLPRegressor
    >>> X = np.linspace(-1, 1, 50).reshape(-1, 1)
    >>> y = X.ravel() ** 2
    >>> model = NumpyMLPRegressor(hidden_layer_sizes=(20,), solver="lbfgs", random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.99
    True
    """

    _parameter_constraints: dict = {
        **PARAMETER_CONSTRAINTS,
        "loss": [StrOptions(set(REGRESSION_LOSSES)), Loss],
        "quantile": [Interval(Real, 0, 1, closed="neither"), "array-like"],
    }

    def __init__(
        self,
        loss="squared_error",
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        quantile=0.5,
        l1_ratio=0.0,
        dropout=0.0,
        normalization=None,
        max_grad_norm=None,
        fit_intercept=True,
        init="auto",
        bias_init="auto",
        scoring=None,
        max_time=None,
        dtype=None,
    ):
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.quantile = quantile
        self.l1_ratio = l1_ratio
        self.dropout = dropout
        self.normalization = normalization
        self.max_grad_norm = max_grad_norm
        self.fit_intercept = fit_intercept
        self.init = init
        self.bias_init = bias_init
        self.scoring = scoring
        self.max_time = max_time
        self.dtype = dtype

    @available_if(is_stochastic)
    @all_or_nothing
    def partial_fit(
        self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None
    ):
        """Train for one epoch on the given data, continuing from the last call.

        It does not call callbacks; only `fit` does.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        X_val, y_val, sample_weight_val : like X, y and sample_weight, default=None
            Validation data, whose loss and score are recorded.

        Returns
        -------
        self : object
            The estimator, trained for one more epoch.

        Raises
        ------
        ValueError
            If the data are invalid; the estimator is then as it was before the call.
        """
        return self._partial_fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    def predict(self, X):
        """Predict targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predictions, in the dtype of the network.
        """
        model = self._fitted_model()
        prediction = self._raw(model, X, model.prediction_link())  # the link of the fit
        return prediction.ravel() if prediction.shape[1] == 1 else prediction

    def _output_slopes(self, model, raw, slopes):
        as_fitted, loss = model.link == model.loss.link, model.loss
        if as_fitted and isinstance(loss, Quantile) and np.size(loss.quantiles) > 1:
            # each row is sorted
            return np.take_along_axis(slopes, raw.argsort(axis=1)[:, :, np.newaxis], axis=1)
        return model.through_link(raw, slopes)

    @classmethod
    def from_weights(cls, coefs, intercepts=None, *, activation="relu", **params):
        """Return an estimator with known weights, ready to predict.

        Parameters
        ----------
        coefs : list of array-like of shape (fan_in, fan_out)
            The weights of each layer.
        intercepts : list of array-like of shape (fan_out,), default=None
            The biases of each layer; None for a network without biases.
        activation : str, Activation, pair of functions or list, default='relu'
            Activation of the hidden layers. 'step' is allowed here.
        **params
            Further parameters of the estimator.

        Returns
        -------
        estimator : NumpyMLPRegressor
            The estimator; `partial_fit` continues its training.

        Examples
        --------
        >>> model = NumpyMLPRegressor.from_weights([[[2.0]]], [[3.0]])
        >>> model.predict([[10.0]])
        array([23.])
        """
        return from_weights(cls, coefs, intercepts, activation, params)

    def score(self, X, y, sample_weight=None):
        """Return R2; for several quantiles, that of the median quantile.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The true targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        r2 : float
            1 for a perfect prediction, 0 for a constant prediction of the mean.
        """
        model = self._fitted_model()
        check_readable(y, "y")
        check_readable(sample_weight, "sample_weight")
        prediction = predicted(self._raw(model, X), model)
        if prediction.ndim == 2:
            prediction = model.loss.point_prediction(prediction)
        with named_in_score(y):
            return r2(densified(y), prediction, sample_weight)

    # ---------------------------------------------------------------- the steps of a fit

    def _check_data(self, X, y, earlier, call, classes=None):
        if call == "partial_fit" and self._is_as_before(earlier, X, y):
            if y.shape[1:] == (1,):
                warn("A column-vector y was passed: pass y.ravel()", DataConversionWarning)
                y = y.ravel()
            return earlier.target, X, y, earlier.target.encode(y), None
        checker = self._checker(earlier)
        X, y = checked_numbers(checker, X, y, reset=earlier is None)
        target = Numbers(1 if y.ndim == 1 else y.shape[1])
        if call == "validation" and target.n_targets != earlier.target.n_targets:
            raise ValueError(f"y has {counted(target.n_targets, 'column')}, unlike y in fit")
        return target, X, y, target.encode(y), vars(checker).get("feature_names_in_")

    def _is_as_before(self, earlier, X, y):
        """Return whether quick checks show that X and y are of the same kind as in earlier calls.

        scikit-learn's checks take longer than a step on a few rows.
        """
        if earlier is None or not earlier.can_skip_checks(X) or type(y) is not np.ndarray:
            return False
        n_targets = earlier.target.n_targets
        if y.shape != (len(X), n_targets) and (n_targets > 1 or y.shape != (len(X),)):
            return False
        if y.dtype not in (np.float64, np.float32) and y.dtype.kind not in "iu":
            return False
        return is_finite(y) and is_finite(X)

    def _target_of_assigned(self, state, shape):
        return Numbers(shape[1])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
