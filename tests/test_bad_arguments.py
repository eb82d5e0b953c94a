# SPDX-License-Identifier: BSD-3-Clause
"""Senseless values of arguments: the error is a ValueError or TypeError that names the argument."""

import numpy as np
import pytest

from sknumpynet import (
    ActivationsDisplay,
    LossCurveDisplay,
    NetworkDisplay,
    NumpyMLPClassifier,
    NumpyMLPRegressor,
    TabularMLPClassifier,
    TabularMLPRegressor,
    animate_training,
    compare_with_sklearn,
    explain_step,
    find_learning_rate,
)

X = np.random.RandomState(0).normal(size=(30, 2))
NUMBERS, LABELS = X[:, 0] - X[:, 1], (X[:, 0] > 0).astype(int)
NANS, INFINITE = np.full(30, np.nan), np.full(30, np.inf)
HUGE = 10**400  # no float
CLASSIFIER = NumpyMLPClassifier((3,), max_iter=2, random_state=0).fit(X, LABELS)
REGRESSOR = NumpyMLPRegressor(hidden_layer_sizes=(3,), max_iter=2, random_state=0).fit(X, NUMBERS)


def table(y=NUMBERS, cls=TabularMLPRegressor, **parameters):
    return cls(first_cycle=1, n_cycles=1, random_state=0).set_params(**parameters).fit(X, y)


def new_regressor(**parameters):
    return NumpyMLPRegressor(max_iter=1, **parameters)


REALS = (
    "prior_rows input_clip frequency frequency_spread weight_decay learning_rate epsilon first_cycle "
    "bias_rate_factor embedding_rate_factor scale_rate_factor snapshot_gain"
).split()
SIZES = "n_frequencies n_embedded n_members hidden_layer_sizes".split()
CASES = {
    # data
    "a vector as X": ("^X must have two dimensions", lambda: new_regressor().fit(X[:, 0], NUMBERS)),
    "None as X": ("^X must have two dimensions", lambda: REGRESSOR.predict(None)),
    "a vector as X_val": (
        "^X_val must have two dimensions",
        lambda: new_regressor().fit(X, NUMBERS, X_val=X[:, 0], y_val=NUMBERS),
    ),
    "NaN in the first y": (
        "^y has missing values",
        lambda: NumpyMLPClassifier().partial_fit(X, NANS, classes=[0, 1]),
    ),
    "infinity in the first y": (
        "Input y contains infinity",
        lambda: NumpyMLPClassifier().partial_fit(X, INFINITE, classes=[0, 1]),
    ),
    "NaN in y, scored": ("^y has missing values", lambda: REGRESSOR.score(X, NANS)),
    "NaN in labels, scored": ("^y has missing values", lambda: CLASSIFIER.score(X, NANS)),
    "text in y, scored": ("^y must hold numbers", lambda: REGRESSOR.score(X, ["a"] * 30)),
    "text as weights, scored": (
        "^sample_weight must hold numbers",
        lambda: REGRESSOR.score(X, NUMBERS, ["a"] * 30),
    ),
    "other labels, scored": (
        "Found input variables with inconsistent numbers",
        lambda: REGRESSOR.score(X, [1, 2]),
    ),
    "NaN as weights, scored": (
        "^sample_weight has missing values",
        lambda: REGRESSOR.score(X, NUMBERS, NANS),
    ),
    "NaN as weights of text, scored": (
        "^sample_weight has missing values",
        lambda: (
            NumpyMLPClassifier(max_iter=1)
            .fit(X, LABELS.astype(str))
            .score(X, LABELS.astype(str), NANS)
        ),
    ),
    "NaN as weights of several columns, scored": (
        "^sample_weight has missing values",
        lambda: (
            NumpyMLPClassifier(max_iter=1)
            .fit(X, np.column_stack([LABELS + 1, LABELS]))
            .score(X, np.column_stack([LABELS + 1, LABELS]), NANS)
        ),
    ),
    "table, infinite weights, scored": (
        "sample_weight contains infinity",
        lambda: table(LABELS, TabularMLPClassifier).score(X, LABELS, INFINITE),
    ),
    "table, a vector as X": (
        "^X must have two dimensions",
        lambda: TabularMLPRegressor().fit(3, NUMBERS),
    ),
    "table, a vector as X_val": (
        "^X_val must have two dimensions",
        lambda: TabularMLPRegressor().fit(X, NUMBERS, X_val=NUMBERS, y_val=NUMBERS),
    ),
    "table, columns of X_val": (
        "^X_val has 1 features",
        lambda: TabularMLPRegressor().fit(X, NUMBERS, X_val=X[:, :1], y_val=NUMBERS),
    ),
    "table, weights": (
        "^sample_weight must hold numbers",
        lambda: TabularMLPRegressor().fit(X, NUMBERS, {}),
    ),
    "from_weights, coefs": ("^coefs must be", lambda: NumpyMLPRegressor.from_weights(3)),
    "from_weights, intercepts": (
        "^intercepts must be",
        lambda: NumpyMLPRegressor.from_weights([[[1.0]]], 3),
    ),
    "from_weights, classes": (
        "^classes must be",
        lambda: NumpyMLPClassifier.from_weights([[[1.0]]], classes=3),
    ),
    "assigned coefs_": ("^coefs_ must be", lambda: setattr(CLASSIFIER, "coefs_", 3)),
    "layer": ("^layer must be", lambda: REGRESSOR.hidden_activations(X, layer=None)),
    "x of different lengths": (
        # NumPy before 1.24 makes an array of such rows
        "^(x must be one row|X must have rows of the same length)",
        lambda: explain_step(REGRESSOR, [[1, 2], [1]]),
    ),
    # parameters
    "too many units": (
        "^hidden_layer_sizes must be at most",
        lambda: new_regressor(hidden_layer_sizes=(3, HUGE)).fit(X, NUMBERS),
    ),
    **{
        f"table, huge {name}": (f"'?{name}'? ", lambda name=name: table(**{name: HUGE}))
        for name in REALS
    },
    **{
        f"table, many {name}": (f"'?{name}'? ", lambda name=name: table(**{name: 10**12}))
        for name in SIZES
    },
    **{
        f"table, cv={cv!r}": (
            "^cv must be ",
            lambda cv=cv: table(LABELS, TabularMLPClassifier, cv=cv),
        )
        for cv in ([1, 2], ["a"], b"x", {"a": 1}, [], [([0.5], [1.5])], [([0], [1], [2])])
    },
    "table, levels of text": (
        "^quantile=",
        lambda: table(loss="quantile", quantile=["a"]),
    ),
    "table, no quantile": ("^quantile=", lambda: table(loss="quantile", quantile=[])),
    # functions
    "animation, every": (
        "^every must",
        lambda: animate_training(REGRESSOR, X, NUMBERS, every=None),
    ),
    "animation, y": ("^y must hold", lambda: animate_training(CLASSIFIER, X, NANS)),
    "animation, rows": (
        "^y must have rows of the same length",
        lambda: animate_training(REGRESSOR, X, [[1], [1, 2]] * 15),
    ),
    "animation, interval": (
        "^interval must be a number above 0; got 'abc'",
        lambda: animate_training(REGRESSOR, X, NUMBERS, epochs=1).to_matplotlib(interval="abc"),
    ),
    "find_learning_rate, X": (
        "^X must have two dimensions",
        lambda: find_learning_rate(REGRESSOR, None, NUMBERS),
    ),
    "find_learning_rate, highest": (
        "^0 < lowest < highest < inf must hold",
        lambda: find_learning_rate(REGRESSOR, X, NUMBERS, highest=HUGE),
    ),
    **{
        f"comparison, {name}": (
            f"^{name} must be ",
            lambda name=name, value=value: compare_with_sklearn(
                **{"estimator": REGRESSOR, "X": X, "y": NUMBERS, name: value}
            ),
        )
        for name, value in {
            "X": None,
            "y": "abc",
            "progress": 3,
            "on_epoch": True,
            "max_seconds": "abc",
        }.items()
    },
    # displays
    "loss curve, ax": ("^ax must", lambda: LossCurveDisplay.from_estimator(REGRESSOR, ax="abc")),
    "activations, ax": (
        "^ax must",
        lambda: ActivationsDisplay.from_estimator(REGRESSOR, X, ax=[3]),
    ),
    "activations, one row": (
        "^X, and so activations, must have two rows",
        lambda: ActivationsDisplay.from_estimator(REGRESSOR, X[:1]),
    ),
    "loss curve, smoothing": (
        "^smoothing must be a number",
        lambda: LossCurveDisplay.from_estimator(REGRESSOR, smoothing=None),
    ),
    "network, max_units": (
        "^max_units must be an integer",
        lambda: NetworkDisplay.from_estimator(REGRESSOR, max_units=None),
    ),
}
DRAWN = ("animation", "loss curve", "activations", "network", "find_learning_rate")


@pytest.mark.parametrize("case", CASES)
def test_error_names_the_argument(case):
    if case.startswith(DRAWN):
        pytest.importorskip("matplotlib").use("Agg")
    message, call = CASES[case]
    with pytest.raises((TypeError, ValueError), match=message):
        call()
