# SPDX-License-Identifier: BSD-3-Clause
"""TabularMLPClassifier."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score

from sknumpynet._compat import StrOptions
from sknumpynet.core.classification_losses import MultinomialLogLoss
from sknumpynet.tabular.base import TabularMLP
from sknumpynet.tabular.objectives import Objective
from sknumpynet.tabular.scoring import KnownClasses, negative_score
from sknumpynet.tabular.targets import Classes


class TabularMLPClassifier(ClassifierMixin, TabularMLP):
    """Networks for tables: classes."""

    _parameter_constraints = {
        **TabularMLP._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        *,
        quality="fast",
        categorical_features="from_dtype",
        max_levels=50,
        class_weight=None,
        numeric_embedding="auto",
        n_frequencies=16,
        frequency=1.0,
        n_members="auto",
        hidden_layer_sizes=(64, 64, 64),
        dropout=0.15,
        weight_decay=0.02,
        learning_rate=0.04,
        batch_size="auto",
        first_cycle="auto",
        n_cycles="auto",
        cv=None,
        scoring=None,
        max_time=None,
        n_jobs=None,
        random_state=None,
        verbose=0,
        dtype="float32",
    ):
        self.quality = quality
        self.categorical_features = categorical_features
        self.max_levels = max_levels
        self.class_weight = class_weight
        self.numeric_embedding = numeric_embedding
        self.n_frequencies = n_frequencies
        self.frequency = frequency
        self.n_members = n_members
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.first_cycle = first_cycle
        self.n_cycles = n_cycles
        self.cv = cv
        self.scoring = scoring
        self.max_time = max_time
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.dtype = dtype

    def _targets_of(self, y, n_rows):
        targets = Classes(y, n_rows, self.class_weight)
        if len(targets.classes) == 1:
            warnings.warn(
                f"y has one class only, {targets.classes[0]!r}: every prediction will be this one",
                stacklevel=5,
            )
        return targets

    def _objective(self, targets):
        classes = targets.classes
        score = negative_score(
            self.scoring, KnownClasses(classes), lambda numbers, p: (classes[numbers], p)
        )
        return Objective(MultinomialLogLoss(), len(classes), True, score)

    def _from_unseen(self, oof, targets, weight, y):
        found = oof.argmax(axis=1)
        score = accuracy_score(targets.numbers, found, sample_weight=weight)
        return {"oof_predictions_": oof, "oof_score_": float(score)}

    def predict_proba(self, X):
        """Return the probabilities of the classes, means over members.

        Parameters
        ----------
        X : DataFrame, table or array of shape (n_samples, n_features)
            A table like that of `fit`; with names, its columns may stand in another order.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return self.ensemble_.predict(self._inputs(X))

    def predict_log_proba(self, X):
        """Return the logarithms of `predict_proba`."""
        return np.log(self.predict_proba(X))

    def predict(self, X):
        """Return the most probable class of each row.

        Parameters
        ----------
        X : DataFrame, table or array of shape (n_samples, n_features)
            A table like that of `fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels.
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
