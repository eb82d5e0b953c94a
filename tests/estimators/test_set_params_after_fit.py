# SPDX-License-Identifier: BSD-3-Clause
"""A fitted estimator uses the parameters of its fit: those set afterwards apply to the next fit.

One table of other values for all estimators; every public method that needs no more than X and y is called
before and after each value is set, and gives the same bits.
"""

import contextlib
import copy
import io
import warnings

import numpy as np
import pytest
from numpy.testing import assert_equal

from sknumpynet import (
    LeakyReLU,
    NumpyMLPClassifier,
    NumpyMLPRegressor,
    TabularMLPClassifier,
    TabularMLPRegressor,
    export,
)
from sknumpynet.core.losses import Huber, Quantile

REGRESSION = ["squared_error", "absolute_error", "quantile", "poisson", "gamma"]
COMMON = {
    "hidden_layer_sizes": [(3, 3)],
    "dropout": [0.5],
    "beta_1": [0.1],
    "beta_2": [0.1],
    "epsilon": [1.0],
    "class_weight": ["balanced"],
    "max_time": [1e-9],
    "random_state": [9],
    "verbose": [1],
    "dtype": ["float64", "float32"],
    "scoring": ["neg_mean_absolute_error", "roc_auc"],
    "quantile": [0.1, [0.1, 0.9], [0.1, 0.2, 0.3]],
}
TABLE = {
    **COMMON,
    "loss": REGRESSION,
    "clip_target": [False, True],
    "quality": ["best"],
    "categorical_features": [None, [0]],
    "max_levels": [1],
    "min_level_rows": [50],
    "prior_rows": [99.0],
    "input_clip": [0.1],
    "numeric_embedding": [False],
    "n_frequencies": [2],
    "frequency": [0.1],
    "frequency_spread": [0.0],
    "n_embedded": [1],
    "max_embedded": [0],
    "embedding_margins": [(1.0,)],
    "n_members": [3],
    "weight_decay": [3.0],
    "learning_rate": [1.0],
    "bias_rate_factor": [9.0],
    "embedding_rate_factor": [9.0],
    "scale_rate_factor": [9.0],
    "batch_size": [7],
    "first_cycle": [1],
    "min_steps": [1],
    "n_cycles": [3],
    "least_gain": [1.0],
    "extra_cycle_gain": [0.0],
    "n_picks": [1],
    "snapshot_gain": [9.0],
    "paired_share": [1.0],
    "cv": [2],
    "n_jobs": [2],
}
NETWORK = {
    **COMMON,
    "loss": [*REGRESSION, Huber(), "focal", "hinge"],
    "activation": ["tanh", "identity"],
    "solver": ["sgd", "lbfgs"],
    "alpha": [1.0],
    "batch_size": [3],
    "learning_rate": ["adaptive"],
    "learning_rate_init": [1.0],
    "power_t": [0.1],
    "max_iter": [1],
    "shuffle": [False],
    "tol": [1.0],
    "warm_start": [True],
    "momentum": [0.1],
    "nesterovs_momentum": [False],
    "early_stopping": [True],
    "validation_fraction": [0.5],
    "n_iter_no_change": [1],
    "max_fun": [1],
    "l1_ratio": [1.0],
    "normalization": ["layer", "batch"],
    "max_grad_norm": [1.0],
    "fit_intercept": [False],
    "init": ["zeros"],
    "bias_init": ["ones"],
    "label_smoothing": [0.1],
}
CLUSTER = {**NETWORK, "retries": [0], "timeout": [1.0]}

rng = np.random.default_rng(0)
X = np.column_stack([rng.normal(size=(90, 3)), rng.integers(3, size=90)])
SCORE = X[:, 0] + X[:, 1] ** 2 + X[:, 3]
AMOUNTS = np.exp(SCORE / 2)
LABELS = np.array(["a", "b", "c"])[np.digitize(SCORE, [1, 2])]
FAR = 5 * X  # where a range of targets would be left
SMALL = {"n_cycles": 1, "first_cycle": 2, "n_frequencies": 3, "categorical_features": [3]}
QUICK = {"hidden_layer_sizes": (8,), "random_state": 0}
TWO = np.column_stack([SCORE, -SCORE])
FLAGS = np.column_stack([SCORE > 1, SCORE > 2])

CASES = {
    **{
        f"table, {loss}": (TabularMLPRegressor(loss, **SMALL, **QUICK), AMOUNTS)
        for loss in REGRESSION
    },
    "table, far": (TabularMLPRegressor(clip_target=False, **SMALL, **QUICK), SCORE),
    "table, quantiles": (
        TabularMLPRegressor("quantile", quantile=[0.2, 0.5, 0.8], **SMALL, **QUICK),
        SCORE,
    ),
    "table, one of a list": (
        TabularMLPRegressor("quantile", quantile=[0.8], **SMALL, **QUICK),
        SCORE,
    ),
    "table, two targets": (TabularMLPRegressor(**SMALL, **QUICK), TWO),
    "table, classes": (TabularMLPClassifier(**SMALL, **QUICK), LABELS),
    "table, two classes": (TabularMLPClassifier(**SMALL, **QUICK), SCORE > 1),
    **{
        f"network, {loss}": (NumpyMLPRegressor(loss, max_iter=5, **QUICK), AMOUNTS)
        for loss in REGRESSION
    },
    "network, quantiles": (
        NumpyMLPRegressor("quantile", quantile=[0.2, 0.5, 0.8], max_iter=5, **QUICK),
        SCORE,
    ),
    "network, two targets": (NumpyMLPRegressor(max_iter=5, **QUICK), TWO),
    "network, classes": (NumpyMLPClassifier(max_iter=5, **QUICK), LABELS),
    "network, two classes": (NumpyMLPClassifier(max_iter=5, **QUICK), SCORE > 1),
    "network, flags": (NumpyMLPClassifier(max_iter=5, **QUICK), FLAGS),
    "network, dropout": (NumpyMLPClassifier(max_iter=5, dropout=0.3, **QUICK), LABELS),
}


def calls(model, y):
    """Return what can be asked of a fitted estimator: name -> call."""
    found = {
        name: lambda name=name: getattr(model, name)(FAR)
        for name in (
            "predict", "predict_proba", "predict_log_proba", "decision_function", "encode", "input_gradient",
            "hidden_activations",
        )
        if hasattr(model, name)
    }  # fmt: skip
    found["score"] = lambda: model.score(X, y)
    if hasattr(model, "predict_interval"):
        found["std"] = lambda: model.predict(FAR, return_std=True)
        if y.ndim == 1:
            found["interval"] = lambda: model.predict_interval(FAR, 0.8)
    if hasattr(model, "summary"):
        found["summary"] = lambda: str(model.summary())
        found["weights"] = lambda: [*model.coefs_, *model.intercepts_]
        if "scikit-learn" not in refusal(model.to_sklearn):
            found["to_sklearn"] = lambda: model.to_sklearn().predict(X)
    fitted = [name for name in dir(model) if name.endswith("_") and name[0] != "_"]
    for name in set(fitted) - {"coefs_", "intercepts_", "loss_function_", "ensemble_", "encoder_"}:
        found[name] = lambda name=name: getattr(model, name)
    return found


def refusal(call):
    try:
        call()
    except ValueError as error:
        return str(error)
    return ""


def outcomes(model, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {name: call() for name, call in calls(model, y).items()}
    found.pop("target_scale_", None)
    return found


def check(model, y, table, methods=outcomes):
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        model.fit(X, y)
    expected = methods(model, y)
    before = model.get_params(deep=False)
    for name, own in before.items():
        others = [value for value in table[name] if str(value) != str(own)]
        for value in others:
            model.set_params(**{name: value})
            found = methods(model, y)
            assert found.keys() == expected.keys()
            for each, outcome in expected.items():
                assert_equal(found[each], outcome, err_msg=f"{each} after {name}={value!r}")
        model.set_params(**{name: own})


@pytest.mark.parametrize("case", CASES)
def test_a_parameter_set_after_fit_waits_for_the_next_one(case):
    model, y = CASES[case]
    check(model, y, TABLE if case.startswith("table") else NETWORK)


@pytest.mark.parametrize("case", CASES)
def test_so_do_files(case, tmp_path):
    """A file holds the parameters as they are set, and predicts as the estimator does."""
    model, y = CASES[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
    expected = model.predict(FAR)
    others = {"loss": "gamma", "quantile": 0.3, "clip_target": not getattr(model, "clip_target", 0)}
    before = model.get_params(deep=False)
    own = {name: value for name, value in others.items() if name in before}
    if isinstance(model, NumpyMLPClassifier):
        own = {"loss": "focal"}
    export.save(model.set_params(**own), tmp_path / "model.npz")
    model.set_params(**{name: before[name] for name in own})
    read = export.load(tmp_path / "model.npz")
    assert_equal(read.predict(FAR), expected)


OBJECTS = {
    "quantiles": ({"loss": Quantile([0.2, 0.8])}, {"loss__quantiles": [0.1, 0.2, 0.9]}),
    "slope": ({"activation": LeakyReLU(0.5)}, {"activation__slope": 0.1}),
}


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("made", ["fitted", "from weights"])
def test_options_of_objects_wait_too(name, made):
    given, later = copy.deepcopy(OBJECTS[name])
    model = NumpyMLPRegressor(**given, max_iter=5, **QUICK).fit(X, AMOUNTS)
    if made == "from weights":
        model = NumpyMLPRegressor.from_weights(
            model.coefs_, model.intercepts_, **{"activation": "relu", **given}
        )
    expected = outcomes(model, AMOUNTS)
    model.set_params(**later)
    assert_equal(outcomes(model, AMOUNTS), expected)
    assert all(model.get_params()[each] == value for each, value in later.items())


def test_a_list_of_quantiles_changed_in_place_waits_too():
    for cls, options in ((TabularMLPRegressor, SMALL), (NumpyMLPRegressor, {"max_iter": 5})):
        levels = [0.2, 0.5, 0.8]
        model = cls("quantile", quantile=levels, **options, **QUICK).fit(X, SCORE)
        expected = outcomes(model, SCORE)
        levels[:] = [0.1, 0.9]
        assert_equal(outcomes(model, SCORE), expected)


@pytest.mark.parametrize("kind", ["regressor", "classifier"])
def test_on_a_cluster_too(kind):
    dask_array = pytest.importorskip("dask.array")
    pytest.importorskip("distributed")
    from sknumpynet.dask import DaskNumpyMLPClassifier, DaskNumpyMLPRegressor

    given = {"max_iter": 5, **QUICK}
    model, y = {
        "regressor": (DaskNumpyMLPRegressor("quantile", quantile=[0.2, 0.8], **given), SCORE),
        "classifier": (DaskNumpyMLPClassifier(**given), LABELS),
    }[kind]
    rows = dask_array.from_array(FAR, chunks=(30, -1))

    def methods(model, y):
        names = ("predict", "predict_proba", "decision_function")
        names = [name for name in names if hasattr(model, name)]
        local = model.to_local()
        return {
            **outcomes(model, y),
            **{
                f"{name} of blocks": getattr(model, name)(rows).compute(scheduler="synchronous")
                for name in names
            },
            **{f"{name}, local": getattr(local, name)(FAR) for name in names},
        }

    check(model, y, CLUSTER, methods)
