# SPDX-License-Identifier: BSD-3-Clause
"""Hidden layers as features: a scikit-learn transformer."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from sknumpynet._compat import DocLink


class HiddenActivations(DocLink, MetaEstimatorMixin, TransformerMixin, BaseEstimator):
    """Transforms rows into the activations of a hidden layer.

    Parameters
    ----------
    estimator : NumpyMLPClassifier or NumpyMLPRegressor
        The network; it is cloned and fitted by `fit`.
    layer : int, default=-1
        Which hidden layer: 0 is the first, -1 the last.

    Attributes
    ----------
    estimator_ : NumpyMLPClassifier or NumpyMLPRegressor
        The fitted network.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sknumpynet import HiddenActivations, NumpyMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> network = NumpyMLPClassifier((8, 3), solver="lbfgs", max_iter=1000, random_state=0)
    >>> HiddenActivations(network).fit_transform(X, y).shape
    (150, 3)
    """

    def __init__(self, estimator, layer=-1):
        self.estimator = estimator
        self.layer = layer

    def fit(self, X, y, **fit_params):
        """Fit a clone of the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets.
        **fit_params
            Passed to the network's ``fit``.

        Returns
        -------
        self : object
            The transformer.
        """
        self.estimator_ = clone(self.estimator).fit(X, y, **fit_params)
        return self

    @property
    def n_features_in_(self):
        """Number of features seen during `fit`."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the features, if X had any."""
        return self.estimator_.feature_names_in_

    def transform(self, X):
        """Return the activations of the hidden layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        a : ndarray of shape (n_samples, n_units)
            The activations.
        """
        check_is_fitted(self)
        return self.estimator_.hidden_activations(X, self.layer)

    def get_feature_names_out(self, input_features=None):
        """Return a name for each unit, such as ``hidden_0``.

        Parameters
        ----------
        input_features : None
            Not used; present by convention.

        Returns
        -------
        names : ndarray of str
            The names.
        """
        check_is_fitted(self)
        hidden = self.estimator_.coefs_[:-1]
        return np.array([f"hidden_{i}" for i in range(hidden[self.layer].shape[1])], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        return tags
