# SPDX-License-Identifier: BSD-3-Clause
"""TabularMLPClassifier."""

from __future__ import annotations

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score

from sknumpynet._compat import StrOptions
from sknumpynet.checks.input_checks import check_weights_of_score
from sknumpynet.core.losses import MultinomialLogLoss
from sknumpynet.fitting.rollback import warn
from sknumpynet.fitting.threads import one_blas_thread
from sknumpynet.tabular.base import TabularMLP
from sknumpynet.tabular.docstrings import documented
from sknumpynet.tabular.objectives import Objective
from sknumpynet.tabular.scoring import KnownClasses, negative_score
from sknumpynet.tabular.targets import Classes


@documented(
    learning_rate="0.04",
    folds="8",
    stratified=", with the classes spread evenly",
    temperature=", the log loss after the best temperature",
    oof_predictions="Probabilities, of shape (n_samples, n_classes)",
    own_parameters="""
    class_weight : dict, 'balanced' or None, default=None
        Weights of the classes, multiplied with ``sample_weight``.""",
)
class TabularMLPClassifier(ClassifierMixin, TabularMLP):
    """Classification of raw tables: text, missing values, counts and amounts in any mixture.

    An ensemble of small networks, trained together in NumPy. Text columns are encoded and numbers scaled
    internally; missing values are allowed. `oof_score_` estimates the score on new rows without a test
    set.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    n_classes_ : int
        Number of classes.
    temperature_ : float
        Probabilities are means over members, raised to the power ``1 / temperature_`` and normalised to sum
        1. Chosen out of fold, to minimise the log loss of as many members.
    {attributes}

    See Also
    --------
    TabularMLPRegressor : The same for regression.
    sklearn.ensemble.HistGradientBoostingClassifier : Trees for the same kind of data, faster to fit.

    Notes
    -----
    {notes}

    References
    ----------
    {references}

    Examples
    --------
    >>> import numpy as np
    >>> from sknumpynet import TabularMLPClassifier
    >>> rng = np.random.default_rng(0)
    >>> colour = rng.choice(["red", "green", None], size=200)
    >>> length = np.where(rng.random(200) < 0.1, np.nan, rng.normal(size=200))
    >>> X = np.column_stack([colour, length]).astype(object)
    >>> y = np.where((colour == "red") & ~(length < 0), "keep", "drop")
    >>> model = TabularMLPClassifier(random_state=0).fit(X, y)
    >>> model.oof_score_ > 0.9
    True
    >>> model.predict([["red", 1.5], ["green", None], ["blue", 1.5]])
    array(['keep', 'drop', 'drop'], dtype='<U4')
    """

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
        min_level_rows=3,
        prior_rows=10.0,
        input_clip=3.0,
        class_weight=None,
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
        learning_rate=0.04,
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
        self.quality = quality
        self.categorical_features = categorical_features
        self.max_levels = max_levels
        self.min_level_rows = min_level_rows
        self.prior_rows = prior_rows
        self.input_clip = input_clip
        self.class_weight = class_weight
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

    def _targets_of(self, y, n_rows):
        targets = Classes(y, n_rows, self.class_weight)
        if len(targets.classes) == 1:
            warn(
                f"y has one class only, {targets.classes.tolist()[0]!r}: every prediction will be this one"
            )
        return targets

    def _objective(self, targets):
        classes = targets.classes
        score = negative_score(
            self.scoring, KnownClasses(classes), lambda numbers, p: (classes[numbers], p)
        )
        return Objective(MultinomialLogLoss(), len(classes), True, score)

    def _from_unseen(self, oof, targets, weight, ratio, fitted):
        found = oof.argmax(axis=1)
        score = accuracy_score(targets.numbers, found, sample_weight=weight)
        return {"oof_predictions_": oof, "oof_score_": float(score)}

    def predict_proba(self, X):
        """Return the probabilities of the classes, means over members at ``temperature_``.

        Parameters
        ----------
        X : DataFrame, table or array of shape (n_samples, n_features)
            A table like that of `fit`; with names, its columns may be in another order.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        inputs = self._inputs(X)
        with one_blas_thread():
            return self.ensemble_.predict(inputs)

    def predict_log_proba(self, X):
        """Return the logarithms of `predict_proba`.

        Parameters
        ----------
        X : DataFrame, table or array of shape (n_samples, n_features)
            A table like that of `fit`.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
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
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def score(self, X, y, sample_weight=None):
        """Return the accuracy: the share of rows whose labels are correct.

        Parameters
        ----------
        X : DataFrame, table or array of shape (n_samples, n_features)
            A table like that of `fit`.
        y : array-like of shape (n_samples,)
            The true labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        accuracy : float
            Between 0 and 1.
        """
        check_weights_of_score(sample_weight, y)
        return super().score(X, y, sample_weight)
