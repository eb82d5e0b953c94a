# SPDX-License-Identifier: BSD-3-Clause
"""Conversion to scikit-learn's networks and back: the same numbers, or an error that names the parameter."""

import collections
import pickle
import random
import warnings

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from random_settings import draw_any, drawer, make_data
from scipy.sparse import csr_matrix, issparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier, MLPRegressor

import sknumpynet as sk
from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

OURS = {"classifier": NumpyMLPClassifier, "regressor": NumpyMLPRegressor}
THEIRS = {"classifier": MLPClassifier, "regressor": MLPRegressor}
rng = np.random.RandomState(0)
X = rng.normal(size=(60, 4))
NUMBERS = X[:, 0] - X[:, 1] ** 2
WORDS = np.array(["no", "perhaps", "yes"])[np.arange(60) % 3]
TARGETS = {
    "classifier": {
        "binary": WORDS == "no",
        "one class": np.full(60, "a"),
        "multiclass": WORDS,
        "objects": WORDS.astype(object),
        "indicator": np.column_stack([X[:, 0] > 0, X[:, 1] > 0, X[:, 2] > 0]).astype(int),
        "sparse": csr_matrix(np.column_stack([X[:, 0] > 0, X[:, 1] > 0]).astype(int)),
    },
    "regressor": {
        "numbers": NUMBERS,
        "float32": NUMBERS.astype(np.float32),
        "several": np.column_stack([NUMBERS, X[:, 2]]),
        "counts": np.floor(np.exp(X[:, 0])),
    },
}
# scikit-learn 1.7 scores labels only as numbers.
NOT_SCORED = {"one class"}
if sklearn.__version__.startswith("1.7."):
    NOT_SCORED |= {"multiclass", "objects", "sparse"}
CASES = [(kind, target) for kind, targets in TARGETS.items() for target in targets]


def assert_same_predictions(one, other, X, tolerance):
    """Compare all that is predicted; labels of rows that a rounding decides are left out."""
    if hasattr(other, "predict_proba"):
        p, q = one.predict_proba(X), other.predict_proba(X)
        assert_allclose(p, q, atol=tolerance)
        a, b = one.predict(X), other.predict(X)
        assert issparse(a) == issparse(b) and a.dtype.kind == b.dtype.kind
        a, b = (each.toarray() if issparse(each) else each for each in (a, b))
        if a.ndim == 2:
            sure = (abs(p - 0.5) > 10 * tolerance).all(axis=1)
        else:
            ordered = np.sort(p, axis=1)
            sure = ordered[:, -1] - ordered[:, -2] > 10 * tolerance
        assert_array_equal(a[sure], b[sure])
    else:
        scale = max(1.0, abs(other.predict(X)).max())
        assert_allclose(one.predict(X) / scale, other.predict(X) / scale, atol=tolerance)


def draw_parameters(draw, kind, target):
    """Draw parameters that both have."""
    parameters = {
        "hidden_layer_sizes": draw.choice([(), (1,), (5,), (4, 3), (3, 4, 2)]),
        "activation": draw.choice(["relu", "tanh", "logistic", "identity"]),
        "solver": draw.choice(["adam", "adam", "sgd", "sgd", "lbfgs"]),
        "alpha": draw.choice([0.0, 1e-4, 0.1, 1.0]),
        "learning_rate": draw.choice(["constant", "invscaling", "adaptive"]),
        "learning_rate_init": draw.choice([1e-3, 0.01]),
        "max_iter": draw.choice([1, 3, 12]),
        "momentum": draw.choice([0.0, 0.5, 0.9]),
        "nesterovs_momentum": draw.random() < 0.5,
        "beta_1": draw.choice([0.5, 0.9]),
        "n_iter_no_change": draw.choice([1, 10]),
        "tol": draw.choice([1e-4, 10]),  # 10: the rate of 'adaptive' falls
        "early_stopping": draw.random() < 0.2 and target not in NOT_SCORED,
        "random_state": draw.choice([0, 7]),
    }
    if target == "counts":
        parameters["loss"] = "poisson"
    return parameters


@pytest.mark.parametrize(("kind", "target"), CASES)
def test_random_networks_go_over_and_back(kind, target):
    """Convert from scikit-learn, train one step on the same batch, convert back: all numbers are equal."""
    n_steps = 0
    for number in range(16):
        draw = random.Random(f"{kind} {target} {number}")
        parameters = draw_parameters(draw, kind, target)
        y, dtype = TARGETS[kind][target], draw.choice([np.float64, np.float64, np.float32])
        tolerance = 1e-10 if dtype == np.float64 else 2e-5
        data = X.astype(dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = THEIRS[kind](**parameters).fit(data, y)
            ours = OURS[kind].from_sklearn(theirs)
            assert_same_predictions(ours, theirs, data, tolerance)
            assert ours.coefs_[0].dtype == theirs.coefs_[0].dtype
            for name in ("n_iter_", "t_", "loss_", "n_layers_", "n_outputs_", "out_activation_"):
                assert getattr(ours, name) == getattr(theirs, name), name
            assert_same_predictions(ours.to_sklearn(), theirs, data, tolerance)
            if parameters["solver"] == "lbfgs" or parameters["early_stopping"]:
                continue
            for each in (theirs, ours):  # all rows in one batch: their order is none
                each.set_params(batch_size=60).partial_fit(data, y)
                each.partial_fit(data, y)
            n_steps += 1
        for one, other in zip(ours.coefs_, theirs.coefs_, strict=True):
            assert_allclose(one, other, atol=tolerance)
        for one, other in zip(ours.intercepts_, theirs.intercepts_, strict=True):
            assert_allclose(one, other, atol=tolerance)
        assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=max(tolerance, 1e-9) * 10)
        assert (ours.t_, ours.n_iter_) != (0, 0) and ours.t_ == theirs.t_
        assert_same_predictions(ours.to_sklearn(), ours, data, tolerance)
    assert n_steps >= 3


def test_without_shuffling_the_batches_are_the_same_too():
    for solver in ("adam", "sgd"):
        theirs = MLPRegressor(
            hidden_layer_sizes=(5,), solver=solver, shuffle=False, max_iter=3, batch_size=16
        ).fit(X, NUMBERS)
        ours = NumpyMLPRegressor.from_sklearn(theirs)
        for _ in range(3):
            theirs.partial_fit(X, NUMBERS)
            ours.partial_fit(X, NUMBERS)
        assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-9)


def test_any_network_goes_over_or_is_refused_by_name():
    counts = collections.Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(500):
            setting = draw_any(drawer("to scikit-learn", 0, number))
            try:
                X, y, given = make_data(setting)
                model = OURS[setting["estimator"]](**setting["parameters"]).fit(X, y, **given)
                predicted = model.predict(X)
                predicted = predicted.toarray() if issparse(predicted) else predicted
                if predicted.dtype.kind == "f" and not np.isfinite(predicted).all():
                    continue
            except (TypeError, ValueError, ZeroDivisionError):
                continue
            try:
                theirs = model.to_sklearn()
            except ValueError as error:
                names = ("activation=", "normalization=", "loss=", "y had several columns")
                assert str(error).startswith(names), error
                counts[str(error)[:8]] += 1
                continue
            X = X.astype(float) if hasattr(X, "astype") and not hasattr(X, "columns") else X
            if getattr(X, "format", "") == "coo":
                X = X.tocsr()
            tolerance = 1e-9 if model.coefs_[0].dtype == np.float64 else 1e-4
            assert_same_predictions(theirs, model, X, tolerance)
            counts["converted"] += 1
    assert counts["converted"] > 60
    assert len(counts) >= 4


# -------------------------------------------------------------------- what is refused

REFUSED = {
    "normalization='batch'": {"normalization": "batch"},
    "normalization='layer'": {"normalization": "layer"},
    "activation='gelu'": {"activation": "gelu"},
    "activation=ELU": {"activation": sk.ELU()},
    "one activation for all": {"activation": ["tanh", "relu"], "hidden_layer_sizes": (3, 3)},
    r"loss=Quantile\(": {"loss": sk.Quantile([0.1, 0.9])},
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_scikit_learn_has_not_is_refused(message):
    parameters = {"hidden_layer_sizes": (3,), "max_iter": 2, **REFUSED[message]}
    model = NumpyMLPRegressor(**parameters).fit(X, NUMBERS)
    with pytest.raises(ValueError, match=message):
        model.to_sklearn()


def test_further_refusals():
    several = NumpyMLPClassifier((3,), max_iter=2).fit(X, np.column_stack([WORDS, WORDS]))
    with pytest.raises(ValueError, match="several columns of labels"):
        several.to_sklearn()
    changed = NumpyMLPClassifier((3,), max_iter=2).fit(X, WORDS)
    changed.out_activation_ = "identity"
    with pytest.raises(ValueError, match="out_activation_='identity'"):
        changed.to_sklearn()
    with pytest.raises(NotFittedError):
        NumpyMLPClassifier().to_sklearn()
    theirs = MLPClassifier((3,), max_iter=2).fit(X, WORDS)
    for wrong in (MLPRegressor(hidden_layer_sizes=(3,), max_iter=2).fit(X, NUMBERS), changed, 3):
        with pytest.raises(TypeError, match="needs a fitted MLPClassifier"):
            NumpyMLPClassifier.from_sklearn(wrong)
    with pytest.raises(NotFittedError):
        NumpyMLPClassifier.from_sklearn(clone(theirs))
    theirs.out_activation_ = "tanh"
    with pytest.raises(ValueError, match="out_activation_='tanh'"):
        NumpyMLPClassifier.from_sklearn(theirs)


# -------------------------------------------------------------------- what comes along


def test_what_readers_of_scikit_learn_look_at():
    y = np.arange(60) % 3
    ours = NumpyMLPClassifier((5,), max_iter=3, early_stopping=True, random_state=0).fit(X, y)
    theirs = ours.to_sklearn()
    fitted = MLPClassifier((5,), max_iter=3, early_stopping=True, random_state=0).fit(X, y)
    missing = {name for name in vars(fitted) if name.endswith("_")} - set(vars(theirs))
    assert not missing
    assert "_optimizer" not in vars(theirs)
    assert not {type(each).__module__.split(".")[0] for each in vars(theirs).values()} & {
        "sknumpynet"
    }
    assert b"sknumpynet" not in pickle.dumps(theirs)
    assert_array_equal(theirs._label_binarizer.classes_, ours.classes_)
    assert theirs.get_params() == fitted.get_params()


@pytest.mark.parametrize("solver", ["adam", "sgd", "nadam", "lbfgs"])
def test_scikit_learn_can_train_it_further(solver):
    ours = NumpyMLPRegressor(
        hidden_layer_sizes=(5,), solver=solver, max_iter=5, random_state=0
    ).fit(X, NUMBERS)
    theirs = ours.to_sklearn()
    if solver == "lbfgs":
        theirs.set_params(warm_start=True, max_iter=500).fit(X, NUMBERS)
    else:
        for _ in range(5):
            theirs.partial_fit(X, NUMBERS)
        assert len(theirs.loss_curve_) == 10
        assert len(ours.loss_curve_) == 5
    assert theirs.score(X, NUMBERS) > ours.score(X, NUMBERS)


def test_the_epoch_that_was_kept_is_known():
    theirs = MLPClassifier((5,), max_iter=12, early_stopping=True, tol=0, random_state=0)
    theirs.fit(X, WORDS == "no")
    ours = NumpyMLPClassifier.from_sklearn(theirs)
    assert ours.validation_scores_[ours.best_epoch_ - 1] == theirs.best_validation_score_
    theirs = MLPClassifier((5,), max_iter=4, random_state=0).fit(X, WORDS == "no")
    assert NumpyMLPClassifier.from_sklearn(theirs).best_epoch_ == 4


def test_both_stay_as_they_are():
    theirs = MLPClassifier((5,), max_iter=3, random_state=np.random.RandomState(0)).fit(X, WORDS)
    before = pickle.dumps(theirs)
    ours = NumpyMLPClassifier.from_sklearn(theirs)
    ours.partial_fit(X, WORDS)
    ours.coefs_[0][...] = 0
    assert pickle.dumps(theirs) == before
    back = ours.to_sklearn()
    back.coefs_[0][...] = 1
    assert not ours.coefs_[0].any()


def test_known_weights_and_names_of_features():
    AND = NumpyMLPClassifier.from_weights([[[1.0], [1.0]]], [[-1.5]]).to_sklearn()
    assert_array_equal(AND.predict([[0, 1], [1, 1]]), [0, 1])
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    ours = NumpyMLPClassifier((3,), max_iter=2).fit(frame, WORDS)
    assert_array_equal(ours.to_sklearn().feature_names_in_, list("abcd"))
    theirs = MLPClassifier((3,), max_iter=2).fit(frame, WORDS)
    assert_array_equal(NumpyMLPClassifier.from_sklearn(theirs).feature_names_in_, list("abcd"))


def test_two_classes_with_an_output_each():
    """A softmax over two outputs, which scikit-learn never fits, is predicted alike nevertheless."""
    ours = NumpyMLPClassifier.from_weights([[[1.0, -1.0]]], [[0.5, 0.0]], classes=["a", "b"])
    assert_same_predictions(ours.to_sklearn(), ours, np.array([[-2.0], [2.0]]), 1e-12)
