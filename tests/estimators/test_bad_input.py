# SPDX-License-Identifier: BSD-3-Clause
"""Wrong inputs: each raises the type that scikit-learn raises, and says what is wrong and what is valid.

None may change what had been learnt before. What scikit-learn accepts, or answers with an accident from
deep inside, is marked ``differs`` and stands on the page of differences.
"""

import datetime
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn
from fitted_state import fitted_state
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sknumpynet import AdamW, NumpyMLPClassifier, NumpyMLPRegressor, Quantile

OURS = {"classifier": NumpyMLPClassifier, "regressor": NumpyMLPRegressor}
THEIRS = {"classifier": MLPClassifier, "regressor": MLPRegressor}
# scikit-learn's exceptions are those of 1.9; before, some of these inputs met others.
COMPARES = tuple(int(part) for part in sklearn.__version__.split(".")[:2]) >= (1, 9)

rng = np.random.RandomState(0)
X = rng.normal(size=(40, 3))
NUMBERS = 2 * X[:, 0] + 1
CLASSES = (X[:, 0] > 0).astype(int)
THREE_CLASSES = np.arange(40) % 3
LABELS = (X[:, :2] > 0).astype(int)
TEXT = np.array(["a", "b"] * 20)


def target(model):
    return CLASSES if "Classifier" in type(model).__name__ else NUMBERS


def holding(array, value):
    """A copy with ``value`` in one place."""
    array = np.array(array, dtype=complex if isinstance(value, complex) else float)
    array.flat[7] = value
    return array


@dataclass
class Bad:
    """A call that must not succeed."""

    name: str
    call: Callable
    says: tuple  # of patterns: the message names the argument, and says what would do
    kinds: tuple = ("classifier", "regressor")
    params: dict = field(default_factory=dict)  # set before the call
    begin: Callable | None = lambda model: model.fit(X, target(model))  # None: a fresh estimator
    error: type = ValueError
    differs: bool = False  # scikit-learn accepts it, or raises another type
    new: bool = False  # scikit-learn has nothing like it

    def run(self, estimators, kind):
        """Return the model, its state before the call, and the exception."""
        model = estimators[kind](hidden_layer_sizes=(3,), max_iter=2, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.begin is not None:
                self.begin(model)
            predicted = model.predict(X) if self.begin is not None else None
            model.set_params(**self.params)
            before = fitted_state(model)
            error = None
            try:
                self.call(model)
            except Exception as raised:
                error = raised
        return model, before, predicted, error


BOTH = ("classifier", "regressor")
ONLY_C, ONLY_R = ("classifier",), ("regressor",)
NAN, INF = "contains NaN", "contains infinity"
TOO_LARGE = "a value too large for dtype"
NUMBERS_IN_X = ("X must hold numbers", "")
TABLE = []


def bad(name, call, *says, **options):
    TABLE.append(Bad(name, call, says, **options))


def fit_X(name, value, *says, **options):
    bad(f"fit: X {name}", lambda model: model.fit(value, target(model)), *says, **options)


def fit_y(name, value, *says, **options):
    bad(f"fit: y {name}", lambda model: model.fit(X, value), *says, **options)


def fit_weights(name, value, *says, **options):
    call = lambda model: model.fit(X, target(model), sample_weight=value)  # noqa: E731
    bad(f"fit: sample_weight {name}", call, *says, **options)


# ------------------------------------------------------------------ X
fit_X("with NaN", holding(X, np.nan), "Input X contains NaN", "imputer transformer")
fit_X("with infinity", holding(X, np.inf), "Input X contains infinity", TOO_LARGE)
fit_X(
    "of float16 with infinity", holding(X, np.inf).astype(np.float16), "Input X contains infinity"
)
fit_X("sparse with NaN", sp.csr_matrix(holding(X, np.nan)), "Input X contains NaN", "imputer")
fit_X("CSC with infinity", sp.csc_matrix(holding(X, np.inf)), "Input X contains infinity")
fit_X("COO with NaN", sp.coo_matrix(holding(X, np.nan)), "Input X contains NaN")
fit_X("1-D", X[:, 0], "Expected 2D array, got 1D array", r"reshape\(-1, 1\)")
fit_X("3-D", X[:, :, np.newaxis], "X must have two dimensions", "reshape it, one row per sample")
fit_X("without rows", X[:0], "X must not be empty", "at least one row")
fit_X("without columns", X[:, :0], "X must not be empty", "one column")
fit_X("shorter than y", X[:30], "y and X must have the same number of rows", r"\[30, 40\]")
fit_X("complex", X + 1j, "X must hold real numbers", "parts as separate columns")
fit_X(
    "sparse complex", sp.csr_matrix(X + 1j), "X must hold real numbers", "parts as separate columns"
)
fit_X("of strings", np.array([["a", "b", "c"]] * 40), "X must hold numbers", "OneHotEncoder")
fit_X("of objects, text", np.array([["a", "b", "c"]] * 40, object), "X must hold", "OneHotEncoder")
fit_X(
    "of objects, dicts", np.array([[1, {}, 2.0]] * 40, object), "X must hold", "turn other",
    error=TypeError,
)  # fmt: skip
fit_X(
    "of objects, None", np.array([[1, None, 2.0]] * 40, object), "Input X contains NaN", "imputer"
)
fit_X("None", None, "Expected 2D array, got scalar", "Reshape your data")
fit_X("a number", 3.0, "Expected 2D array, got scalar", "Reshape your data")
fit_X("a string", "abc", "X must hold numbers", "OneHotEncoder")
fit_X("a dict", {"a": 1}, "X must hold numbers", "turn other objects", error=TypeError)
fit_X(
    "of dates", X.astype("datetime64[s]"), "X must hold numbers: turn dates into numbers first",
    "column 0 holds", error=TypeError, differs=True,
)  # fmt: skip
fit_X(
    "of differences of dates", X.astype("timedelta64[s]"), "X must hold numbers: turn dates into",
    error=TypeError, differs=True,
)  # fmt: skip
fit_X("ragged", [[1, 2], [3]] * 20, "X must have rows of the same length")

fit_X(
    "beyond all floats", np.where(X == X[7, 1], 10**400, X.astype(object)),
    "X must hold numbers that a float can hold", "column 1 holds 10", differs=True,
)  # fmt: skip
MASKED_X = np.ma.masked_greater(X, 1.0)
fit_X(
    "masked", MASKED_X, "X is a masked array with .* masked values", "fill the values", differs=True
)
fit_X(
    "of objects, one text", np.where(X == X[7, 1], "a", X.astype(object)), "X must hold numbers",
    "column 1 holds 'a'",
)  # fmt: skip

# ------------------------------------------------------------------ y
fit_y("with NaN", holding(NUMBERS, np.nan), "Input y contains NaN", kinds=ONLY_R)
fit_y("with NaN", holding(CLASSES, np.nan), "Input y contains NaN", kinds=ONLY_C)
fit_y("with infinity", holding(NUMBERS, np.inf), "Input y contains infinity", TOO_LARGE)
fit_y(
    "of two columns with NaN", holding(np.c_[NUMBERS, NUMBERS], np.nan), "Input y contains NaN",
    kinds=ONLY_R,
)  # fmt: skip
fit_y("of objects, None", np.array([1.0, None] * 20, object), "Input y contains NaN", kinds=ONLY_R)
fit_y(
    "of objects, None", np.array([1, None] * 20, object), "y has missing values",
    "drop the rows whose label is None", kinds=ONLY_C, error=TypeError,
)  # fmt: skip
fit_y(
    "of numbers and strings", np.array([1, "a"] * 20, object), "y must hold labels of one type",
    "all numbers or all strings", kinds=ONLY_C, error=TypeError,
)  # fmt: skip
fit_y("None", None, "requires y to be passed, but the target y is None")
fit_y("shorter than X", CLASSES[:30], "y and X must have the same number of rows", r"\[40, 30\]")
fit_y("empty", CLASSES[:0], "y must not be empty")
fit_y("a number", 1, "y must be an array", "one entry per row of X", error=TypeError)
fit_y("3-D", np.zeros((40, 2, 2)), "y must have two dimensions", "reshape it")
fit_y("ragged", [[1], [1, 2]] * 20, "y must have rows of the same length|use a binary array")
fit_y("complex", NUMBERS + 1j, "y must hold real numbers")
fit_y(
    "continuous", NUMBERS, "Unknown label type: continuous", "use NumpyMLPRegressor", kinds=ONLY_C
)
fit_y(
    "of two continuous columns", np.c_[NUMBERS, NUMBERS], "label type: continuous-multioutput",
    "use NumpyMLPRegressor", kinds=ONLY_C,
)  # fmt: skip
fit_y(
    "sparse and continuous", sp.csr_matrix(np.c_[NUMBERS, NUMBERS]), "y must hold",
    "zeros and ones in one column per label", kinds=ONLY_C,
)  # fmt: skip
fit_y(
    "of strings", TEXT, "y must hold numbers", r"y.astype\(float\).*use NumpyMLPClassifier",
    kinds=ONLY_R, error=TypeError,
)  # fmt: skip
fit_y("of objects, text", TEXT.astype(object), "y must hold numbers", kinds=ONLY_R)
fit_y(
    "of dates", NUMBERS.astype("datetime64[s]"), "y must hold numbers", "convert it",
    kinds=ONLY_R, error=TypeError,
)  # fmt: skip
ONE_MASKED = np.arange(40) == 5
fit_y(
    "masked", np.ma.masked_array(CLASSES, ONE_MASKED),
    "y is a masked array with 1 masked value, ", "remove these rows, or fill the values", differs=True,
)  # fmt: skip
fit_y(
    "of objects, real numbers", NUMBERS.astype(object), "Unknown label type: continuous",
    "use NumpyMLPRegressor", kinds=ONLY_C,
)  # fmt: skip
for kinds in (ONLY_C, ONLY_R):
    fit_y(
        "of objects, numbers beyond all floats", np.array([10**400, 1] * 20, object),
        "y must hold numbers that a float can hold|Unknown label type", kinds=kinds,
        differs=kinds == ONLY_R,
    )  # fmt: skip
fit_y("without columns", np.zeros((40, 0)), "y must not be empty", kinds=ONLY_R)
bad(
    "fit: negative counts", lambda model: model.fit(X, NUMBERS - 5),
    "loss='poisson' needs y >= 0.*smallest y is -", "set loss='squared_error'",
    kinds=ONLY_R, params={"loss": "poisson"}, differs=True,
)  # fmt: skip
bad(
    "partial_fit: negative counts", lambda model: model.partial_fit(X, NUMBERS - 5),
    "loss='poisson' needs y >= 0", "set loss='squared_error'",
    kinds=ONLY_R, params={"loss": "poisson"}, differs=True,
)  # fmt: skip

# ------------------------------------------------------------------ sample_weight
fit_weights("with NaN", holding(np.ones(40), np.nan), "Input sample_weight contains NaN")
fit_weights("with infinity", holding(np.ones(40), np.inf), "Input sample_weight contains infinity")
fit_weights("too short", np.ones(30), r"sample_weight.shape == \(30,\)", r"expected \(40,\)")
fit_weights("2-D", np.ones((40, 2)), "Sample weights must be 1D array or scalar")
fit_weights("of strings", TEXT, "sample_weight must hold numbers")
fit_weights("'balanced'", "balanced", "sample_weight must hold numbers")
fit_weights("a dict", {0: 1.0}, "sample_weight must hold numbers", error=TypeError)
fit_weights(
    "masked", np.ma.masked_array(np.ones(40), ONE_MASKED),
    "sample_weight is a masked array with 1 masked value, ", "fill the values", differs=True,
)  # fmt: skip
fit_weights("complex", np.ones(40) + 1j, "sample_weight must hold real numbers")
fit_weights("all zero", np.zeros(40), "(?i)sample.weight", "at least one (non-zero|row must)")
fit_weights(
    "all zero, lbfgs", np.zeros(40), "(?i)sample.weight", "at least one (non-zero|row must)",
    params={"solver": "lbfgs"},
)  # fmt: skip
for solver in ("adam", "lbfgs"):
    fit_weights(
        f"that cancel, {solver}", np.array([1.0, -1.0] * 20), "sample_weight sums to zero",
        "Give weights >= 0", params={"solver": solver}, error=ZeroDivisionError,
    )  # fmt: skip
for kind, rows in (("classifier", "to train on"), ("regressor", "to validate with")):
    fit_weights(
        f"zero for all rows {rows}", np.eye(40)[0], "sample_weight is zero for all rows of the",
        "Remove the rows without weight, or set early_stopping=False", kinds=(kind,),
        params={"early_stopping": True}, differs=kind == "classifier",
    )  # fmt: skip
bad(
    "partial_fit: sample_weight all zero",
    lambda model: model.partial_fit(X, target(model), np.zeros(40)),
    "(?i)sample.weight", "at least one (non-zero|row must)",
)  # fmt: skip
bad(
    "partial_fit: sample_weight with NaN",
    lambda model: model.partial_fit(X, target(model), holding(np.ones(40), np.nan)),
    "Input sample_weight contains NaN",
)  # fmt: skip

for method in ("partial_fit", "initialize"):
    bad(
        f"{method}: X masked",
        lambda model, method=method: getattr(model, method)(MASKED_X, target(model)),
        "X is a masked array", "fill the values", new=method == "initialize", differs=True,
    )  # fmt: skip
for name, given in {
    "X_val": (MASKED_X, CLASSES, None),
    "y_val": (X, np.ma.masked_array(CLASSES, ONE_MASKED), None),
    "sample_weight_val": (X, CLASSES, np.ma.masked_array(np.ones(40), ONE_MASKED)),
}.items():
    bad(
        f"{name} masked",
        lambda model, given=given: model.fit(
            X, CLASSES, X_val=given[0], y_val=given[1], sample_weight_val=given[2]
        ),
        f"{name} is a masked array", new=True,
    )  # fmt: skip
bad("predict: X masked", lambda model: model.predict(MASKED_X), "X is a masked array", differs=True)
for name in ("y", "sample_weight"):
    for kinds in (ONLY_C, ONLY_R):
        bad(
            f"score: {name} masked",
            lambda model, name=name: model.score(
                X, **{"y": target(model), name: np.ma.masked_array(CLASSES, ONE_MASKED)}
            ),
            f"{name} is a masked array with 1 masked value, ", kinds=kinds, differs=True,
        )  # fmt: skip

# ------------------------------------------------------------------ partial_fit
FRESH = {"kinds": ONLY_C, "begin": None}
bad(
    "partial_fit: no classes", lambda model: model.partial_fit(X, CLASSES),
    "classes must be passed", "on the first call to partial_fit", **FRESH,
)  # fmt: skip
bad(
    "partial_fit: classes where sample_weight stands",
    lambda model: model.partial_fit(X, CLASSES, [0, 1]), "classes must be passed", **FRESH,
)  # fmt: skip
for name, classes in {
    "empty": [], "a number": 2, "a string": "01", "nested": [[0, 1], [1, 2]],
    "with None": [0, None], "with NaN": [0, 1, np.nan], "of two types": [0, "a"],
}.items():  # fmt: skip
    bad(
        f"partial_fit: classes {name}",
        lambda model, classes=classes: model.partial_fit(X, CLASSES, classes=classes),
        "classes must list all labels", "all numbers or all strings; got", **FRESH,
    )  # fmt: skip
bad(
    "partial_fit: y beyond classes",
    lambda model: model.partial_fit(X, THREE_CLASSES, classes=[0, 1]),
    "`y` has classes not in", "first call of partial_fit needs all classes", **FRESH,
)  # fmt: skip
bad(
    "partial_fit: unseen class", lambda model: model.partial_fit(X, THREE_CLASSES),
    r"`y` has classes not in `self.classes_`. `self.classes_` has \[0 1\]. 'y' has \[0 1 2\]",
    "first call of partial_fit needs all classes", kinds=ONLY_C,
)  # fmt: skip
bad(
    "partial_fit: unseen strings", lambda model: model.partial_fit(X, TEXT),
    "`y` has classes not in", "needs all classes", kinds=ONLY_C,
)  # fmt: skip
bad(
    "partial_fit: other classes than before",
    lambda model: model.partial_fit(X, CLASSES, classes=[0, 1, 2]),
    r"`classes=\[0, 1, 2\]` is not the same", r"was: array\(\[0, 1\]\)", kinds=ONLY_C,
)  # fmt: skip
bad(
    "partial_fit: early_stopping", lambda model: model.partial_fit(X, target(model)),
    "partial_fit does not support early_stopping=True", "Set early_stopping=False",
    params={"early_stopping": True},
)  # fmt: skip
bad(
    "partial_fit: early_stopping at once",
    lambda model: model.partial_fit(X, CLASSES, classes=[0, 1]),
    "partial_fit does not support early_stopping=True", "Set early_stopping=False",
    params={"early_stopping": True}, **FRESH,
)  # fmt: skip
for kind in BOTH:
    bad(
        "partial_fit: lbfgs", lambda model: model.partial_fit(X, target(model)),
        "lbfgs is not stochastic", "set solver='adam' or solver='sgd'", kinds=(kind,),
        params={"solver": "lbfgs"}, error=AttributeError, differs=kind == "regressor",
    )  # fmt: skip
bad(
    "partial_fit: fewer features", lambda model: model.partial_fit(X[:, :2], target(model)),
    "X has 2 features", "expecting 3 features",
)  # fmt: skip
bad(
    "partial_fit: hidden_layer_sizes changed", lambda model: model.partial_fit(X, target(model)),
    r"hidden_layer_sizes=\(4,\) is not the shape", "set hidden_layer_sizes back. Or start over",
    params={"hidden_layer_sizes": (4,)}, differs=True,
)  # fmt: skip
bad(
    "partial_fit: more targets", lambda model: model.partial_fit(X, np.c_[NUMBERS, NUMBERS]),
    "y has 2 columns, but the network has 1 output", "give one column for each", kinds=ONLY_R,
)  # fmt: skip
bad(
    "partial_fit: fewer targets", lambda model: model.partial_fit(X, NUMBERS),
    "y has 1 column, but the network has 2 outputs", "give one column for each", kinds=ONLY_R,
    begin=lambda model: model.fit(X, np.c_[NUMBERS, NUMBERS]), differs=True,
)  # fmt: skip
bad(
    "partial_fit: more labels", lambda model: model.partial_fit(X, (X > 0).astype(int)),
    "y has 3 columns, but the network has 2 outputs", "give one column for each", kinds=ONLY_C,
    begin=lambda model: model.fit(X, LABELS),
)  # fmt: skip
bad(
    "partial_fit: fewer labels", lambda model: model.partial_fit(X, LABELS),
    "y has 2 columns, but the network has 3 outputs", "give one column for each", kinds=ONLY_C,
    begin=lambda model: model.fit(X, (X > 0).astype(int)),
)  # fmt: skip
bad(
    "partial_fit: one label per row after several", lambda model: model.partial_fit(X, CLASSES),
    "y must be an indicator matrix", "create a new estimator", kinds=ONLY_C,
    begin=lambda model: model.fit(X, LABELS), differs=True,
)  # fmt: skip
bad(
    "partial_fit: several labels after one per row",
    lambda model: model.partial_fit(X, LABELS),
    "y must hold one label per row", "create a new estimator", kinds=ONLY_C,
)  # fmt: skip

# ------------------------------------------------------------------ warm start
WARM = {"warm_start": True}
bad(
    "warm start: hidden_layer_sizes changed", lambda model: model.fit(X, target(model)),
    r"hidden_layer_sizes=\(4, 2\) is not the shape.*\(3,\)", "or start over|Or start over",
    params={**WARM, "hidden_layer_sizes": (4, 2)}, differs=True,
)  # fmt: skip
bad(
    "warm start: another class", lambda model: model.fit(X, THREE_CLASSES),
    r"warm_start can only be used where `y` has the same classes", r"Previously got \[0 1\]",
    kinds=ONLY_C, params=WARM,
)  # fmt: skip
bad(
    "warm start: fewer features", lambda model: model.fit(X[:, :2], target(model)),
    "X has 2 features", "expecting 3 features", params=WARM,
)  # fmt: skip
bad(
    "warm start: more targets", lambda model: model.fit(X, np.c_[NUMBERS, NUMBERS]),
    "y has 2 columns", "Or start over: warm_start=False", kinds=ONLY_R, params=WARM,
)  # fmt: skip

# ------------------------------------------------------------------ early stopping
EARLY = {"early_stopping": True}
WOULD_DO = "Give more rows .* another validation_fraction, or set early_stopping=False"
bad(
    "early stopping: 5 rows", lambda model: model.fit(X[:5], target(model)[:5]),
    "early_stopping=True takes validation_fraction=0.1.*y has 5 rows", WOULD_DO, params=EARLY,
)  # fmt: skip
bad(
    "early stopping: 1 row", lambda model: model.fit(X[:1], target(model)[:1]),
    "early_stopping=True takes.*y has 1 row[ .]", WOULD_DO, params=EARLY,
)  # fmt: skip
bad(
    "early stopping: one row of a class", lambda model: model.fit(X, np.eye(40, dtype=int)[0]),
    "y has 40 rows of 2 classes", WOULD_DO, kinds=ONLY_C, params=EARLY,
)  # fmt: skip
bad(
    "early stopping: nothing to validate with", lambda model: model.fit(X, target(model)),
    "validation_fraction=0.0 of", WOULD_DO, params={**EARLY, "validation_fraction": 0.0},
)  # fmt: skip
bad(
    "early stopping: nothing to train on", lambda model: model.fit(X, target(model)),
    "validation_fraction=0.99 of", WOULD_DO, params={**EARLY, "validation_fraction": 0.99},
)  # fmt: skip

# ------------------------------------------------------------------ diverging
SCALE = "Scale X.*or lower learning_rate_init"
STEEP = {"solver": "sgd", "learning_rate_init": 1e3, "max_iter": 50}
bad(
    "diverging: sgd", lambda model: model.fit(1e5 * X, 1e5 * NUMBERS),
    "non-finite parameter weights", SCALE, kinds=ONLY_R, params=STEEP,
)  # fmt: skip
bad(
    "diverging: classes", lambda model: model.fit(1e150 * X, CLASSES),
    "non-finite parameter weights", SCALE, kinds=ONLY_C,
    params={**STEEP, "learning_rate_init": 1e160},
)  # fmt: skip
bad(
    "diverging: Poisson", lambda model: model.fit(1e3 * X, 1e3 * abs(NUMBERS)),
    "non-finite parameter weights", SCALE, kinds=ONLY_R,
    params={**STEEP, "learning_rate_init": 1.0, "loss": "poisson"},
)  # fmt: skip

# ------------------------------------------------------------------ prediction
UNFITTED = {"begin": None, "error": NotFittedError}
for method in ("predict", "predict_proba", "predict_log_proba"):
    bad(
        f"{method} before fit", lambda model, method=method: getattr(model, method)(X),
        "not fitted yet", "Call 'fit'", kinds=BOTH if method == "predict" else ONLY_C, **UNFITTED,
    )  # fmt: skip
bad(
    "score before fit", lambda model: model.score(X, target(model)),
    "not fitted yet", "Call 'fit'", **UNFITTED,
)  # fmt: skip
bad(
    "decision_function before fit", lambda model: model.decision_function(X),
    "not fitted yet", "Call 'fit'", kinds=ONLY_C, differs=True, **UNFITTED,
)  # fmt: skip
bad(
    "trim_for_prediction before fit", lambda model: model.trim_for_prediction(),
    "not fitted yet", "Call 'fit'", differs=True, **UNFITTED,
)  # fmt: skip
for name, value, *says in (
    ("fewer features", X[:, :2], "X has 2 features", "expecting 3 features"),
    ("sparse with more features", sp.csr_matrix(np.c_[X, X]), "X has 6 features", "expecting 3"),
    ("1-D", X[0], "Expected 2D array, got 1D array", r"reshape\(1, -1\)"),
    ("NaN", holding(X, np.nan), "Input X contains NaN", "imputer"),
    ("sparse with infinity", sp.csr_matrix(holding(X, np.inf)), "Input X contains infinity"),
    ("strings", np.array([["a", "b", "c"]]), "X must hold numbers", "OneHotEncoder"),
    ("complex", X + 1j, "X must hold real numbers", "as separate columns"),
    ("no rows", X[:0], "X must not be empty", "at least one row"),
    ("None", None, "Expected 2D array", "Reshape your data"),
):
    bad(f"predict: {name}", lambda model, value=value: model.predict(value), *says)
bad(
    "score: y too short", lambda model: model.score(X, target(model)[:30]),
    "inconsistent numbers of samples", r"\[30, 40\]|\[40, 30\]",
)  # fmt: skip
bad(
    "score: sample_weight too short",
    lambda model: model.score(X, target(model), sample_weight=np.ones(30)),
    "inconsistent numbers of samples", r"\[40, 40, 30\]",
)  # fmt: skip

# ------------------------------------------------------------------ parameters
AT_LEAST_0, ABOVE_0 = r"in the range \[0.*, inf\)", r"in the range \(0.*, inf\)"
FROM_0_TO_BELOW_1 = r"a float in the range \[0.*, 1.*\)"
YES_OR_NO = "must be an instance of 'bool'|among"
WHOLE = r"an int in the range \[1, inf\)"
PARAMETERS = {  # what is wrong, and what the message says would do
    "hidden_layer_sizes": (["abc", None, 0, -3, 2.5], f"an array-like or {WHOLE}"),
    "activation": (["softmax", None, 3], "must be a str among .*'relu'"),
    "solver": (["newton", "Adam", None], "must be .*among .*'adam'"),
    "alpha": ([-1, "a", None, np.nan, np.inf, [0.1]], AT_LEAST_0),
    "batch_size": ([0, -5, 2.5, "large", None], f"'auto'.*{WHOLE}"),
    "learning_rate": (["fast", None, 0.1], "must be .*among .*'constant'"),
    "learning_rate_init": ([0, -1, "a", np.nan, np.inf], ABOVE_0),
    "power_t": ([-0.5, "a", None], AT_LEAST_0),
    "max_iter": ([0, -1, 2.5, "a", np.inf], WHOLE),
    "shuffle": (["yes", None, 2], YES_OR_NO),
    "random_state": ([-1, "a", 1.5, np.random.default_rng(0)], "RandomState"),
    "tol": ([-1, "a", np.nan], AT_LEAST_0),
    "verbose": (["a", -1, None], "an int in the range"),
    "warm_start": (["yes", None, 2], YES_OR_NO),
    "momentum": ([-0.1, 1.1, "a"], r"a float in the range \[0.*, 1.*\]"),
    "nesterovs_momentum": (["yes", 3], YES_OR_NO),
    "early_stopping": (["yes", 2], YES_OR_NO),
    "validation_fraction": ([-0.1, 1.0, 1.5, "a"], FROM_0_TO_BELOW_1),
    "beta_1": ([-0.1, 1.0, "a"], FROM_0_TO_BELOW_1),
    "beta_2": ([-0.1, 1.0, "a"], FROM_0_TO_BELOW_1),
    "epsilon": ([0, -1, "a"], ABOVE_0),
    "n_iter_no_change": ([0, -1, 2.5, "a", -np.inf], WHOLE),
    "max_fun": ([0, 2.5, "a"], WHOLE),
}
for name, (values, would_do) in PARAMETERS.items():
    for value in values:
        label = "Generator" if isinstance(value, np.random.Generator) else repr(value)
        bad(
            f"{name}={label}", lambda model: model.fit(X, target(model)),
            f"The '{name}' parameter of NumpyMLP", would_do, params={name: value},
        )  # fmt: skip
for value in ("absolute", None, 3):
    bad(
        f"loss={value!r}", lambda model: model.fit(X, NUMBERS),
        "The 'loss' parameter of NumpyMLPRegressor", "among .*'squared_error'",
        kinds=ONLY_R, params={"loss": value},
    )  # fmt: skip
bad(
    "partial_fit: alpha=-1", lambda model: model.partial_fit(X, NUMBERS),
    "The 'alpha' parameter", AT_LEAST_0, kinds=ONLY_R, begin=None, params={"alpha": -1},
)  # fmt: skip
for value in ((0,), (3, -1), [0, 4]):
    bad(
        f"hidden_layer_sizes={value}", lambda model: model.fit(X, target(model)),
        "hidden_layer_sizes must be > 0", params={"hidden_layer_sizes": value},
    )  # fmt: skip
for value in ({4, 3}, frozenset({4, 3}), {4: 3}):
    bad(
        f"hidden_layer_sizes={value}", lambda model: model.fit(X, target(model)),
        "hidden_layer_sizes must be a tuple or a list, from the first layer to the last",
        "of type (set|frozenset|dict)", error=TypeError, params={"hidden_layer_sizes": value},
        differs=True,
    )  # fmt: skip
for value, differs in (
    ((2.5,), False), ((3.0,), False), (np.array([3.0, 2.0]), False), ((None,), False),
    (((3, 2),), False), (np.array([[3, 2]]), False), ((np.inf,), False), (("a",), False),
    ([3, (2, 4)], True), ((np.nan,), True),
):  # fmt: skip
    bad(
        f"hidden_layer_sizes={value}", lambda model: model.fit(X, target(model)),
        "hidden_layer_sizes must hold", "one integer per hidden layer", error=TypeError,
        params={"hidden_layer_sizes": value}, differs=differs,
    )  # fmt: skip
for name in (
    "alpha", "tol", "learning_rate_init", "epsilon", "power_t", "max_iter", "max_grad_norm", "max_time",
):  # fmt: skip
    for method in ("fit", "partial_fit", "initialize"):
        for solver in ("adam", "sgd") if method == "partial_fit" else ("adam", "sgd", "lbfgs"):
            bad(
                f"{method}, {solver}: {name}=10**400",
                lambda model, method=method: getattr(model, method)(X, target(model)),
                f"The '{name}' parameter of NumpyMLP.* must be a number below 1.8e308",
                params={name: 10**400, "solver": solver}, new=True,
            )  # fmt: skip
for name, value, hint in (
    ("solver", "Adam", r"Did you mean solver='adam'\?"),
    ("solver", AdamW, r"AdamW is a class; give an object: solver=AdamW\(\)"),
    ("activation", "ReLU", r"Did you mean activation='relu'\?"),
    ("activation", "sigmoid", r"Did you mean activation='logistic'\?"),
    ("learning_rate", "one-cycle", r"Did you mean learning_rate='one_cycle'\?"),
    ("learning_rate", 0.01, "the number goes into learning_rate_init=0.01"),
    ("init", "kaiming", r"Did you mean init='he_uniform'\?"),
):
    bad(
        f"a hint for {name}={value!r}", lambda model: model.fit(X, target(model)),
        f"The '{name}' parameter of NumpyMLP", hint, params={name: value}, new=name == "init",
    )  # fmt: skip
for first, hint, kinds in (
    ((20,), r"The first parameter is loss: .* hidden_layer_sizes=\(20,\)", ONLY_R),
    (20, "The first parameter is loss: .* hidden_layer_sizes=20", ONLY_R),
    ("log_loss", "The first parameter is hidden_layer_sizes: .* loss='log_loss'", ONLY_C),
):  # fmt: skip
    bad(
        f"a hint for {first!r} in the place of the first parameter",
        lambda model: model.fit(X, target(model)), "The '", hint, kinds=kinds,
        params={"loss" if kinds == ONLY_R else "hidden_layer_sizes": first},
    )  # fmt: skip
for loss, hint, kinds in (
    ("mse", "squared_error", ONLY_R), ("cross entropy", "log_loss", ONLY_C),
):  # fmt: skip
    bad(
        f"a hint for loss={loss!r}", lambda model: model.fit(X, target(model)),
        "The 'loss' parameter", rf"Did you mean loss='{hint}'\?", kinds=kinds,
        params={"loss": loss}, new=kinds == ONLY_C,
    )  # fmt: skip
bad(
    "an option of a name", lambda model: model.set_params(solver__weight_decay=0.1),
    "solver__weight_decay cannot be set: solver='adam' has no options",
    r"Give solver an object .* solver=AdamW\(\)", differs=True,
)  # fmt: skip
bad(
    "a misspelt parameter", lambda model: model.set_params(learning_rte=0.1),
    "Invalid parameter 'learning_rte'", r"Valid parameters are: \[.*'learning_rate_init'",
)  # fmt: skip
bad(
    "a misspelt argument", lambda model: type(model)(learning_rte=0.1),
    "unexpected keyword argument 'learning_rte'", error=TypeError,
)  # fmt: skip
bad(
    "solver by position", lambda model: type(model)("relu", (3,), "relu", "adam"),
    "positional arguments", error=TypeError,
)  # fmt: skip

# ------------------------------------------------------------------ parameters of our own
NEW_PARAMETERS = {
    "l1_ratio": ([-0.1, 1.1, "a", None, np.nan], r"a float in the range \[0.*, 1.*\]"),
    "dropout": ([-0.1, 1.0, 2, "a", None], r"\[0.*, 1.*\) or an array-like"),
    "normalization": (["Batch", "l2", 1, True], "must be a str among .*'batch'.* or None"),
    "max_grad_norm": ([0, -1, "a", np.nan], f"{ABOVE_0} or None"),
    "fit_intercept": (["yes", None, 2], YES_OR_NO),
    "init": (["glorot", None, 0.1], "must be .*among .*'he_normal'"),
    "bias_init": (["glorot", None, 0.1], "must be .*among .*'he_normal'"),
    "scoring": ([3, 0.5, ["accuracy"]], "must be an instance of 'str', a callable or None"),
    "max_time": ([0, -1, "1 h"], f"{ABOVE_0} or None"),
    "dtype": (["float16", "int", np.float32, 32], "must be a str among .*'float32'.* or None"),
}
NEW_OF_THE_CLASSIFIER = {
    "loss": (["logloss", "squared_error", None, 3], "must be .*among .*'log_loss'"),
    "class_weight": (
        ["Balanced", 2, "auto"],
        "must be an instance of 'dict'.*'balanced'.* or None",
    ),
    "label_smoothing": ([-0.1, 1.0, "a", None], FROM_0_TO_BELOW_1),
}
bad(
    "dropout={0.1, 0.2}", lambda model: model.fit(X, target(model)),
    "dropout must be a tuple or a list, from the first layer to the last", error=TypeError,
    params={"dropout": {0.1, 0.2}}, new=True,
)  # fmt: skip
WEIGHT, KEY = "a weight is a finite number", "its keys are labels, such as 0"
CALLS = {
    "fit": lambda model, y: model.fit(X, y),
    "partial_fit": lambda model, y: model.partial_fit(X, y, classes=[0, 1]),
    "initialize": lambda model, y: model.initialize(X, y),
}
for method, call in CALLS.items():
    for class_weight, *says in (
        ({0: np.nan, 1: 1}, "has the weight nan for 0", WEIGHT),
        ({0: np.inf}, "has the weight inf for 0", WEIGHT),
        ({0: 1, 1: -1}, "has the weight -1 for 1", WEIGHT),
        ({1: None}, "has the weight None for 1", WEIGHT),
        ({0: 1, 1: "a"}, "has the weight 'a' for 1", WEIGHT),
        ({0: 1j}, "has the weight 1j for 0", WEIGHT),
        ({0: 10**400}, "has the weight 10+ for 0", WEIGHT),
        ({"a": 1.0}, "has the key 'a' of type str, and the labels are numbers", KEY),
        ({0: 1, 1: 2, "a": 1.0}, "has the key 'a' of type str, and the labels are numbers", KEY),
        ({None: 1.0, 0: 1}, "has the key None of type NoneType", KEY),
        ([{0: 1, 1: 1}], "is a list, as for several labels per row", "give a dict, or 'balanced'"),
        ([], "is a list, as for several labels per row", "give a dict, or 'balanced'"),
    ):
        for begin in (None, Bad.begin):
            if begin is not None and method == "initialize":
                continue
            bad(
                f"{method} {'anew' if begin is None else 'again'}: class_weight="
                f"{str(class_weight)[:30]}",
                lambda model, call=call: call(model, CLASSES), "class_weight", *says,
                kinds=ONLY_C, params={"class_weight": class_weight}, begin=begin, new=True,
            )  # fmt: skip
    bad(
        f"{method}: a weight for a class of another name", lambda model, call=call: call(model, CLASSES),
        "are not in class_weight|has classes that are not in classes_", kinds=ONLY_C, begin=None,
        params={"class_weight": {7: 1.0}}, new=True,
    )  # fmt: skip
for class_weight, *says in (
    ({0: 1, 1: 2}, "should be a list of dicts, 2 here, one for each column of y"),
    ([{0: 1}] * 3, "should be a list of dicts, 2 here, one for each column of y"),
    ([{0: 1}, {"a": 1}], r"class_weight\[1\]=.* has the key 'a' of type str", KEY),
    ([{0: np.nan}, {0: 1}], r"class_weight\[0\]=.* has the weight nan for 0", WEIGHT),
    ([{0: 1}, {7: 1}], r"class_weight\[1\]=.*are not in class_weight"),
    ([{0: 1}, "balanced"], r"class_weight\[1\] must be a dict of labels and their weights; got"),
    ([{0: 1}, 2.0], r"class_weight\[1\] must be a dict of labels and their weights; got"),
):
    for name, y in (("labels", LABELS), ("columns", np.c_[LABELS[:, 0], THREE_CLASSES])):
        bad(
            f"fit: {name}, class_weight={class_weight}", lambda model, y=y: model.fit(X, y),
            "class_weight", *says, kinds=ONLY_C, params={"class_weight": class_weight}, new=True,
        )  # fmt: skip
fit_text = lambda model: model.fit(X, TEXT)  # noqa: E731
bad(
    "text and class_weight of numbers", fit_text, "has the key 0 of type int, and the labels are text",
    "such as 'a'", kinds=ONLY_C, params={"class_weight": {0: 1}}, new=True,
)  # fmt: skip
for kinds, table in ((BOTH, NEW_PARAMETERS), (ONLY_C, NEW_OF_THE_CLASSIFIER)):
    for name, (values, would_do) in table.items():
        for value in values:
            bad(
                f"{name}={value!r}", lambda model: model.fit(X, target(model)),
                f"The '{name}' parameter of NumpyMLP", would_do, params={name: value},
                kinds=kinds, new=True,
            )  # fmt: skip


def fit_new(name, *says, kinds=BOTH, **params):
    bad(
        name, lambda model: model.fit(X, target(model)), *says, params=params, kinds=kinds, new=True
    )


ONE_EACH = "give one for each, or one name for all"
fit_new("two activations for one layer", "activation lists 2 functions", ONE_EACH,
        activation=["relu", "tanh"])  # fmt: skip
fit_new("no activation in a list", "activation lists 0 functions", ONE_EACH, activation=[])
fit_new("a list with an unknown activation", "activation must be one of .*'gelu'", "a pair of",
        activation=["softmax"])  # fmt: skip
fit_new("a tuple of one function", "activation must be one of", r"a pair of functions \(f, ",
        activation=(np.tanh,))  # fmt: skip
for solver in ("adam", "lbfgs"):
    fit_new(f"training a step, {solver}", "activation='step' cannot be trained: its derivative",
            "train with 'logistic' or 'tanh'", activation="step", solver=solver)  # fmt: skip
fit_new("training a step in a list", "activation='step' cannot be trained", activation=["step"])
fit_new("one rate for two places", "dropout lists 1 rate;", "give 2: one for the input",
        dropout=[0.5])  # fmt: skip
fit_new("a rate of one", r"dropout must be in \[0, 1\)", "got 1.0", dropout=[0, 1.0])
fit_new("a negative rate", r"dropout must be in \[0, 1\)", "got -0.2", dropout=[-0.2, 0])
fit_new("rates of text", r"dropout must be in \[0, 1\)", "got 'a'", dropout=["a", "b"])
fit_new("L-BFGS with batch normalization", "normalization='batch' needs batches",
        "set normalization='layer' or another solver", normalization="batch", solver="lbfgs",
        )  # fmt: skip
fit_new("smoothing of the focal loss", "label_smoothing needs loss='log_loss'",
        "set label_smoothing=0", label_smoothing=0.1, loss="focal", kinds=ONLY_C)  # fmt: skip
fit_new("a weight for an unknown class", "are not in class_weight", class_weight={7: 1.0},
        kinds=ONLY_C)  # fmt: skip
fit_new("no weight for any class", "class_weight={0: 0, 1: 0} gives every row the weight zero",
        "a weight > 0 for a class that occurs", class_weight={0: 0, 1: 0}, kinds=ONLY_C)  # fmt: skip
fit_new("falling quantiles", r"quantiles must lie in \(0, 1\) and rise", r"as \[0.1, 0.5, 0.9\] do",
        loss=Quantile([0.9, 0.1]), kinds=ONLY_R)  # fmt: skip
fit_new(
    "amounts of zero", "loss='gamma' needs y > 0; the smallest y is -", loss="gamma", kinds=ONLY_R
)
fit_new("negative claims", "loss='tweedie' needs y >= 0; the smallest y is -", loss="tweedie",
        kinds=ONLY_R)  # fmt: skip
bad(
    "input dropout of a sparse matrix", lambda model: model.fit(sp.csr_matrix(X), target(model)),
    r"dropout=\[0.2, 0\] drops inputs, which needs a dense X", "or set the first rate to 0",
    params={"dropout": [0.2, 0]}, new=True,
)  # fmt: skip
bad(
    "partial_fit: balanced weights", lambda model: model.partial_fit(X, CLASSES),
    "class_weight='balanced' needs all of y at once", "pass a dict", kinds=ONLY_C,
    params={"class_weight": "balanced"}, new=True,
)  # fmt: skip
bad(
    "warm start: normalization", lambda model: model.fit(X, target(model)),
    "fit_intercept or normalization differs from the network to continue", "set it back. Or start over",
    params={"warm_start": True, "normalization": "layer"}, new=True,
)  # fmt: skip
for given, *says in (
    ({"X_val": X}, "X_val and y_val must be given together", "pass both, or neither"),
    ({"y_val": NUMBERS}, "X_val and y_val must be given together", "pass both, or neither"),
    (
        {"sample_weight_val": NUMBERS},
        "sample_weight_val needs X_val and y_val",
        "pass them too",
    ),
):
    for method in ("fit", "partial_fit"):
        bad(
            f"{method}: only {next(iter(given))}",
            lambda model, given=given, method=method: getattr(model, method)(
                X, target(model), **given
            ),
            *says, new=True,
        )  # fmt: skip
for name in ("hidden_activations", "input_gradient"):
    bad(
        f"{name} before fit", lambda model, name=name: getattr(model, name)(X),
        "not fitted yet", "Call 'fit'", new=True, **UNFITTED,
    )  # fmt: skip
bad(
    "a layer that is not there", lambda model: model.hidden_activations(X, 1),
    "layer=1 does not exist: the network has 1 hidden layer", new=True,
)  # fmt: skip
bad(
    "slopes of a sparse matrix", lambda model: model.input_gradient(sp.csr_matrix(X)),
    "needs a dense X", r"pass X.toarray\(\)", error=TypeError, new=True,
)  # fmt: skip
bad(
    "intercepts that are not there", lambda model: model.intercepts_.__setitem__(0, np.ones(3)),
    r"intercepts_\[0\] must be zeros", "Set fit_intercept=True and fit again", new=True,
    begin=lambda model: model.set_params(fit_intercept=False).fit(X, target(model)),
)  # fmt: skip

# ------------------------------------------------------------------ assigned weights
RIGHT_SHAPE = "fit again"
for name, call, *says in (
    (
        "an item of another shape",
        lambda model: model.coefs_.__setitem__(0, np.ones((3, 4))),
        r"coefs_\[0\] has shape \(3, 3\); got an array of shape \(3, 4\)", RIGHT_SHAPE,
    ),
    (
        "an intercept of another shape",
        lambda model: model.intercepts_.__setitem__(1, np.ones(2)),
        r"intercepts_\[1\] has shape \(1,\)", RIGHT_SHAPE,
    ),
    (
        "one array too few", lambda model: setattr(model, "coefs_", [np.ones((3, 3))]),
        "coefs_ needs 2 arrays here; got 1",
    ),
    (
        "one right and one wrong",
        lambda model: setattr(model, "coefs_", [np.ones((3, 3)), np.ones((3, 2))]),
        r"coefs_\[1\] has shape \(3, 1\)", RIGHT_SHAPE,
    ),
    (
        "complex numbers", lambda model: model.coefs_.__setitem__(0, np.ones((3, 3)) * 1j),
        r"coefs_\[0\] must hold real numbers; got dtype complex128",
    ),
    (
        "text", lambda model: model.intercepts_.__setitem__(0, np.array(["a", "b", "c"])),
        r"intercepts_\[0\] must hold real numbers; got dtype <U1",
    ),
):  # fmt: skip
    bad(f"weights: {name}", call, *says, differs=True)


ROWS = [pytest.param(row, kind, id=f"{row.name}-{kind}") for row in TABLE for kind in row.kinds]


def full_message(error):
    """The message, and that of the error it came from where Python shows both."""
    return f"{error}\n{error.__cause__}"


def test_the_table_is_long():
    assert len({row.name for row in TABLE}) >= 150


@pytest.mark.parametrize(("row", "kind"), ROWS)
def test_bad_input(row, kind):
    model, before, predicted, error = row.run(OURS, kind)
    assert error is not None, "it was accepted"
    assert isinstance(error, row.error), repr(error)
    for pattern in row.says:
        assert re.search(pattern, full_message(error), re.DOTALL), full_message(error)
    assert fitted_state(model) == before
    if predicted is not None:
        model.set_params(**OURS[kind]().get_params())
        np.testing.assert_array_equal(model.predict(X), predicted)


@pytest.mark.skipif(not COMPARES, reason="the exceptions of scikit-learn 1.9 are the measure")
@pytest.mark.parametrize(("row", "kind"), [case for case in ROWS if not case.values[0].new])
def test_scikit_learn_raises_the_same_type(row, kind):
    ours = row.run(OURS, kind)[3]
    theirs = row.run(THEIRS, kind)[3]
    if row.differs:
        assert type(theirs) is not type(ours), "no difference: take the row off the page"
        return
    assert theirs is not None, "scikit-learn accepts it: a row for the page of differences"
    # an accident inside NumPy (UFuncTypeError, DTypePromotionError) counts as its public base
    is_public = type(theirs).__module__.split(".")[0] in ("builtins", "sklearn")
    expected = type(theirs) if is_public else type(theirs).__mro__[-4]
    assert isinstance(ours, expected), repr(theirs)
    if expected is type(theirs):
        assert type(ours) is expected, repr(theirs)


@pytest.mark.parametrize("kind", BOTH)
def test_a_first_fit_that_raises_leaves_an_unfitted_estimator(kind):
    for row in TABLE:
        if row.name.startswith(("fit:", "diverging:", "early stopping:")) and kind in row.kinds:
            row = Bad(row.name, row.call, row.says, row.kinds, row.params, None, row.error)
            model, before, _, error = row.run(OURS, kind)
            assert isinstance(error, row.error), row.name
            assert fitted_state(model) == before, row.name
            assert not hasattr(model, "coefs_"), row.name
            with pytest.raises(NotFittedError):
                model.predict(X)


# ------------------------------------------------------------------ data frames
def frame_cases(frame, pandas):
    """Name -> (data to fit, data to go on with, patterns)."""
    return {
        "a renamed column": (
            frame.rename(columns={"a": "z"}),
            ("feature names should match.*unseen at fit time:\n- z", "now missing:\n- a"),
        ),
        "columns in another order": (
            frame[["b", "a", "c"]],
            ("feature names should match", "must be in the same order"),
        ),
        "a missing column": (frame[["a", "b"]], ("feature names should match", "missing:\n- c")),
        "a column of text": (frame.assign(a="x"), ("X must hold numbers", "OneHotEncoder")),
        "a missing value": (
            frame.assign(a=pandas.array([1, None] * 20, dtype="Int64")),
            ("Input X contains NaN", "imputer"),
        ),
    }


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    "name",
    [
        "a renamed column",
        "columns in another order",
        "a missing column",
        "a column of text",
        "a missing value",
    ],
)
@pytest.mark.parametrize("method", ["partial_fit", "predict"])
def test_data_frames_that_do_not_fit(kind, name, method):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abc"))
    data, says = frame_cases(frame, pandas)[name]

    def call(model):
        return (
            model.predict(data) if method == "predict" else model.partial_fit(data, target(model))
        )

    errors = []
    for estimators in (OURS, THEIRS):
        model = estimators[kind](hidden_layer_sizes=(3,), max_iter=2, random_state=0)
        model.fit(frame, target(model))
        before = fitted_state(model)
        with pytest.raises(ValueError) as caught:
            call(model)
        errors.append(caught.value)
        if estimators is OURS:
            assert fitted_state(model) == before
            for pattern in says:
                assert re.search(pattern, str(caught.value), re.DOTALL), str(caught.value)
    assert type(errors[0]) is type(errors[1])


DTYPES = ["bool", "int8", "uint8", "int64", "uint64", "float16", "float32", "float64", ">f8"]


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("n", [1, 32, 33, 1500])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("network", ["float32", "float64"])
def test_arrays_of_numbers_are_predicted_without_another_check(
    monkeypatch, network, dtype, n, order
):
    rng = np.random.default_rng(0)
    model = NumpyMLPRegressor(hidden_layer_sizes=(6,), dtype=network, max_iter=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(rng.normal(size=(30, 4)), rng.normal(size=30))
    rows = np.asarray(rng.integers(0, 9, size=(n, 4)).astype(dtype), order=order)
    expected = model.predict(rows.astype(network).tolist())

    def refuse(*_, **__):
        raise AssertionError("scikit-learn's check, which takes ten times as long as one row")

    monkeypatch.setattr("sknumpynet.checks.input_checks.validate_data", refuse)
    predicted = model.predict(rows)
    assert predicted.dtype == network
    assert_allclose(predicted, expected, rtol=1e-5 if network == "float32" else 1e-12)


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("n", [1, 32, 33, 1500])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f8"])
@pytest.mark.parametrize("network", ["float32", "float64"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_nan_is_found_in_any_dtype(wrong, network, dtype, n, order):
    model = NumpyMLPRegressor.from_weights([np.ones((3, 1), network)])
    rows = np.ones((n, 3), dtype, order)
    rows[n // 2, 1] = wrong
    with pytest.raises(ValueError, match=r"missing values|infinity"):
        model.predict(rows)
    with pytest.raises(ValueError, match=r"3 features|expecting 3"):
        model.predict(np.ones((n, 4), dtype, order))


@pytest.mark.parametrize("form", ["C", "F", "list", "csr_matrix", "csc_array"])
@pytest.mark.parametrize("n", [1, 33, 1500])
@pytest.mark.parametrize("method", ["predict", "hidden_activations", "input_gradient"])
def test_numbers_too_large_for_the_networks_dtype_are_named(method, n, form):
    if form in ("csr_matrix", "csc_array") and method == "input_gradient":
        pytest.skip("takes dense rows")
    model = NumpyMLPRegressor.from_weights(
        [np.ones((3, 2), "float32"), np.ones((2, 1), "float32")], activation="tanh"
    )
    rows = np.ones((n, 3))
    rows[-1, 1] = -1e39
    if form in "CF":
        rows = np.asarray(rows, order=form)
    else:
        rows = rows.tolist() if form == "list" else getattr(sp, form)(rows)
    with pytest.raises(ValueError, match=r"X has numbers as large as .*too large for float32"):
        getattr(model, method)(rows)


def test_numbers_that_the_networks_dtype_can_hold_are_predicted():
    model = NumpyMLPRegressor.from_weights([np.full((2, 1), 0.5, "float32")])
    assert_allclose(model.predict([[1e38, 1e38]]), [1e38], rtol=1e-6)
    assert_allclose(model.predict(np.array([[3e38, 0.0]])), [1.5e38], rtol=1e-6)
    wide = NumpyMLPRegressor.from_weights([np.full((2, 1), 0.5)])
    assert_allclose(wide.predict(np.array([[1e300, 1e300]])), [1e300])


CALLS_ON_FRAMES = {
    "fit": lambda model, frame, y: model.fit(frame, y),
    "partial_fit": lambda model, frame, y: model.partial_fit(frame, y),
    "initialize": lambda model, frame, y: model.initialize(frame, y),
    "predict": lambda model, frame, y: model.predict(frame),
    "hidden_activations": lambda model, frame, y: model.hidden_activations(frame),
    "X_val": lambda model, frame, y: model.fit(X, y, X_val=frame, y_val=y),
}


def wrong_frame(name):
    """The frame, the type of the error, and what its message says."""
    library, _, what = name.partition(", ")
    pl = pytest.importorskip(library)
    frame = pl.DataFrame(dict(zip("abc", X.T, strict=True)))
    if what == "lazy":
        return frame.lazy(), TypeError, "is a polars LazyFrame.*collect"
    text = ["u", "v"] * 20
    if library == "polars" and what != "dates alone":
        text = pl.Series(text, dtype=pl.Categorical) if what == "categories" else text
        return (
            frame.with_columns(b=pl.Series(text)),
            ValueError,
            "hold numbers.*column 'b' holds 'u'",
        )
    if what == "dates alone":
        dates = datetime.datetime(2026, 1, 1)
        frame = pl.DataFrame({name: [dates] * 40 for name in "abc"})
        return frame, TypeError, "turn dates into numbers first.*column 'a' holds"
    if what == "dates":
        dates = pl.Timestamp("2026-01-01")
        return frame.assign(b=dates), TypeError, "hold numbers.*column 'b' holds Timestamp"
    text = pl.Categorical(text) if what == "categories" else text
    return frame.assign(b=text), ValueError, "hold numbers.*OneHotEncoder.*column 'b' holds 'u'"


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("method", CALLS_ON_FRAMES)
@pytest.mark.parametrize(
    "name",
    [
        "pandas, categories",
        "pandas, text",
        "pandas, dates",
        "pandas, dates alone",
        "polars, dates alone",
        "polars, categories",
        "polars, text",
        "polars, lazy",
    ],
)
def test_the_column_of_a_frame_is_named(name, method, kind):
    frame, error, says = wrong_frame(name)
    y = CLASSES if kind == "classifier" else NUMBERS
    model = OURS[kind](hidden_layer_sizes=(3,), max_iter=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
        before = fitted_state(model)
        with pytest.raises(error, match=f"(?s)^{'X_val' if method == 'X_val' else 'X'} .*{says}"):
            CALLS_ON_FRAMES[method](model, frame, y)
    assert fitted_state(model) == before


@pytest.mark.parametrize("kind", BOTH)
def test_a_lazy_frame_as_y_is_named(kind):
    pl = pytest.importorskip("polars")
    y = pl.DataFrame({"y": CLASSES}).lazy()
    model = OURS[kind](hidden_layer_sizes=(3,), max_iter=2, random_state=0)
    with pytest.raises(TypeError, match=r"y is a polars LazyFrame.*collect"):
        model.fit(X, y)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_objects_that_are_numbers_are_taken_for_them(kind, method):
    """And so is a masked array whose mask hides nothing."""
    y = CLASSES if kind == "classifier" else NUMBERS
    named = {"classes": [0, 1]} if (kind, method) == ("classifier", "partial_fit") else {}
    fits = []
    for rows, labels in (
        (X, y),
        (X.astype(object), y.astype(object)),
        (np.ma.masked_array(X, False), np.ma.masked_array(y, False)),
    ):
        model = OURS[kind](hidden_layer_sizes=(3,), max_iter=2, random_state=0, tol=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for _ in range(2):
                getattr(model, method)(rows, labels, **named)
        fits.append(model)
    for model in fits[1:]:
        np.testing.assert_array_equal(model.predict(X.astype(object)), fits[0].predict(X))
        np.testing.assert_array_equal(model.coefs_[0], fits[0].coefs_[0])
        assert model.predict(X).dtype == fits[0].predict(X).dtype
        assert model.score(X, y) == fits[0].score(X, y)


def test_objects_that_are_zeros_and_ones_are_an_indicator_matrix():
    model = NumpyMLPClassifier((3,), max_iter=2, random_state=0).fit(X, LABELS.astype(object))
    np.testing.assert_array_equal(model.classes_, [0, 1])
    assert model.predict_proba(X).shape == (40, 2)


@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    "form",
    [
        lambda y: y.astype(object),
        lambda y: pytest.importorskip("pandas").Series(y.astype(object)),
        lambda y: pytest.importorskip("pandas").DataFrame({"y": y.astype(object)}),
        lambda y: y.astype(float).astype(object),
        lambda y: np.array([True if label == 1 else int(label) for label in y], dtype=object),
    ],
    ids=["array", "series", "frame", "floats", "true"],
)
def test_objects_that_are_numbers_are_scored_too(form, method):
    """And they may be classes of partial_fit."""
    model = NumpyMLPClassifier((3,), max_iter=2, random_state=0)
    named = {}
    if method == "partial_fit":
        named["classes"] = np.array([0, 1, 2], dtype=object)
    getattr(model, method)(X, form(THREE_CLASSES), **named)
    expected = np.mean(model.predict(X) == THREE_CLASSES)
    assert model.score(X, form(THREE_CLASSES)) == model.score(X, THREE_CLASSES) == expected
    indicator = NumpyMLPClassifier((3,), max_iter=2, random_state=0).fit(X, LABELS.astype(object))
    assert indicator.score(X, LABELS.astype(object)) == indicator.score(X, LABELS)


@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
@pytest.mark.parametrize("as_sparse", [sp.csr_matrix, sp.csc_array])
def test_sparse_targets_of_a_fit_are_scored_too(as_sparse):
    for y in (NUMBERS, np.c_[NUMBERS, X[:, 1]]):
        sparse = as_sparse(y.reshape(40, -1))
        model = NumpyMLPRegressor(hidden_layer_sizes=(3,), max_iter=2, random_state=0)
        assert model.fit(X, sparse).score(X, sparse) == pytest.approx(model.score(X, y))
    classifier = NumpyMLPClassifier((3,), max_iter=2, random_state=0)
    sparse = as_sparse(CLASSES[:, np.newaxis])
    assert classifier.fit(X, sparse).score(X, sparse) == classifier.score(X, CLASSES)


@pytest.mark.skipif(
    not hasattr(getattr(np, "dtypes", None), "StringDType"), reason="came with NumPy 2"
)
@pytest.mark.parametrize("method", ["fit", "partial_fit", "validation", "score"])
def test_text_in_numpys_own_type_is_named_and_the_advice_works(method):
    text = TEXT.astype(np.dtypes.StringDType())
    model = NumpyMLPClassifier((3,), max_iter=2, random_state=0)
    calls = {
        "fit": lambda y: model.fit(X, y),
        "partial_fit": lambda y: model.partial_fit(X, y, classes=["a", "b"]),
        "validation": lambda y: model.fit(X, TEXT, X_val=X, y_val=y),
        "score": lambda y: model.fit(X, TEXT).score(X, y),
    }
    name = "y_val" if method == "validation" else "y"
    with pytest.raises(TypeError, match=rf"^{name} has dtype StringDType.*{name}.astype\(object\)"):
        calls[method](text)
    calls[method](text.astype(object))
    assert set(model.predict(X)) <= {"a", "b"}


def test_valid_names_are_sorted():
    """A set has another order in every process."""
    for name, value in (("solver", "x"), ("activation", "x"), ("init", "x"), ("learning_rate", 3)):
        with pytest.raises(ValueError) as caught:
            NumpyMLPRegressor(**{name: value}).fit(X, NUMBERS)
        names = re.search(r"among \{(.*?)\}", str(caught.value))[1].split(", ")
        assert names == sorted(names) and len(names) > 5
