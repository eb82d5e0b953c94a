# SPDX-License-Identifier: BSD-3-Clause
"""Estimators for tables, quickly fitted with random settings, for the tests of all exports.

`draw_table` returns a setting of plain entries, and `fit_table` the estimator and its table.
"""

import warnings

import numpy as np

from sknumpynet import TabularMLPClassifier, TabularMLPRegressor

try:
    import pandas
except ImportError:  # arrays stand in for frames
    pandas = None

WORDS = np.array(["no", "perhaps", "yes", "never"])
TARGETS = {
    "classifier": ("words", "objects", "numbers", "bool", "one class", "whole floats"),
    "regressor": ("one", "column", "several", "large"),
}


def draw_table(draw):
    """Draw a setting from a ``random.Random``."""
    kind = draw.choice(["classifier", "regressor"])
    hidden = [draw.choice([3, 5, 8]) for _ in range(draw.choice([1, 2, 3]))]
    parameters = {
        "hidden_layer_sizes": draw.choice([hidden, tuple(hidden), 6]),
        "cv": draw.choice([2, 3]),
        "first_cycle": draw.choice([1, 2, 4]),
        "n_cycles": draw.choice([1, 2, 3]),
        "random_state": draw.randint(0, 999),
        "dtype": draw.choice(["float32", "float64"]),
        "numeric_embedding": draw.choice(["auto", True, False]),
        "n_frequencies": draw.choice([2, 16]),
        "frequency": draw.choice([0.3, 1, 3.0]),
        "frequency_spread": draw.choice([0, 0.7]),
        "n_embedded": draw.choice([1, 3]),
        "max_levels": draw.choice([3, 50]),
        "min_level_rows": draw.choice([1, 3]),
        "prior_rows": draw.choice([1, 10.0]),
        "input_clip": draw.choice([1, 3.0]),
        "n_members": draw.choice(["auto", 6]),
        "quality": draw.choice(["fast", "fast", "best"]),
    }
    container = draw.choice(["array", "objects", "frame"])
    columns = [1] if container == "array" else [1, 4, 5, 6]
    parameters["categorical_features"] = draw.choice(["from_dtype", "from_dtype", columns])
    if kind == "classifier":
        parameters["class_weight"] = draw.choice([None, None, "balanced"])
    else:
        parameters["loss"] = draw.choice(
            ["squared_error", "absolute_error", "quantile", "quantile", "poisson", "gamma"]
        )
        parameters["quantile"] = draw.choice([0.5, 0.9, [0.1, 0.5, 0.9], np.array([0.2, 0.3])])
        parameters["clip_target"] = draw.random() < 0.7
    target = draw.choice(TARGETS[kind])
    if parameters.get("loss") == "quantile":
        target = draw.choice(["one", "column", "large"])
    return {
        "estimator": kind,
        "parameters": parameters,
        "target": target,
        "container": container,
        "validation": draw.random() < 0.2,
        "weighted": draw.random() < 0.3,
        "rows": draw.choice([30, 50]),
        "seed": draw.randint(0, 9999),
    }


def table_of(setting, n, rng):
    """Return X: numbers with gaps, a column of two values, categories of few and of many levels."""
    numbers = rng.normal(size=(n, 3)) * [1, 100, 1e6]
    numbers[rng.uniform(size=n) < 0.2, 0] = np.nan
    numbers[:, 1] = np.round(numbers[:, 1] / 160)  # most are 0: the others get columns
    if setting["container"] == "array":
        return numbers
    columns = [
        *numbers.T,
        (rng.uniform(size=n) < 0.4) * 1.0,
        WORDS[rng.randint(3, size=n)].astype(object),
        np.array([f"level {i}" for i in range(12)], object)[rng.randint(12, size=n)],
        np.array([True, False, None], object)[rng.randint(3, size=n)],
    ]
    names = ["a", "b", "c", "two", "word", "many", "bool"]
    if setting["container"] == "frame" and pandas is not None:
        return pandas.DataFrame(dict(zip(names, columns)))
    return np.column_stack([np.array(column, object) for column in columns])


def target_of(setting, n, rng):
    """Return y."""
    z = rng.normal(size=(n, 2))
    if setting["estimator"] == "classifier":
        numbers = rng.randint(3, size=n)
        return {
            "words": lambda: WORDS[numbers],
            "objects": lambda: WORDS[numbers].astype(object),
            "numbers": lambda: numbers * 7 - 3,
            "bool": lambda: numbers > 1,
            "one class": lambda: np.full(n, "a"),
            "whole floats": lambda: numbers * 2.0,
        }[setting["target"]]()
    y = {"one": z[:, 0], "column": z[:, :1], "several": z, "large": 1e6 + 1e5 * z[:, 0]}
    y = y[setting["target"]]
    return np.exp(y) if setting["parameters"]["loss"] in ("poisson", "gamma") and y.max() < 9 else y


def small_tables():
    """Yield a fitted classifier, with many levels of text, and a regressor with quantiles."""
    plain = {"validation": False, "weighted": False, "rows": 30, "seed": 0}
    quick = {"hidden_layer_sizes": 3, "cv": 2, "n_members": 2, "first_cycle": 1, "n_cycles": 1}
    quick |= {"random_state": 0, "n_frequencies": 2}
    for kind, target, more in (
        ("classifier", "objects", {"max_levels": 3}),
        ("regressor", "one", {"loss": "quantile", "quantile": [0.1, 0.9]}),
    ):
        setting = {"estimator": kind, "target": target, "container": "objects", **plain}
        yield fit_table({**setting, "parameters": quick | more})[0]


def fit_table(setting):
    """Return the estimator of a setting, fitted, and a table to predict for."""
    rng, n = np.random.RandomState(setting["seed"]), setting["rows"]
    cls = {"classifier": TabularMLPClassifier, "regressor": TabularMLPRegressor}
    model = cls[setting["estimator"]](**setting["parameters"])
    X, y = table_of(setting, n, rng), target_of(setting, n, rng)
    given = {"sample_weight": rng.uniform(size=n)} if setting["weighted"] else {}
    if setting["validation"]:
        given |= {"X_val": X[:20], "y_val": y[:20]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y, **given)
    return model, table_of(setting, 90, rng)
