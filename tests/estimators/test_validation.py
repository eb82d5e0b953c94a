# SPDX-License-Identifier: BSD-3-Clause
"""Validation data: split off or given, what is recorded of them, and what they decide."""

import functools
import inspect
import threading
import time
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn
from fitted_state import fitted_state
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning, UndefinedMetricWarning
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    log_loss,
    make_scorer,
    max_error,
    mean_absolute_error,
    r2_score,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import HiddenActivations, NumpyMLPClassifier, NumpyMLPRegressor, Quantile

BOTH = ["classifier", "regressor"]
STOCHASTIC = ["adam", "sgd"]
SOLVERS = [*STOCHASTIC, "lbfgs"]

rng = np.random.RandomState(0)
X = rng.normal(size=(100, 4))
X_VAL = rng.normal(size=(60, 4))
NUMBERS, NUMBERS_VAL = (A[:, 0] - A[:, 1] + 0.3 * rng.normal(size=len(A)) for A in (X, X_VAL))
CLASSES, CLASSES_VAL = (np.digitize(y, [-1, 0.7]) for y in (NUMBERS, NUMBERS_VAL))
WEIGHTS, WEIGHTS_VAL = rng.uniform(0.1, 2, 100), rng.uniform(0.1, 2, 60)


def new(kind="regressor", **params):
    cls = NumpyMLPRegressor if kind == "regressor" else NumpyMLPClassifier
    settings = {"hidden_layer_sizes": (8,), "max_iter": 12, "learning_rate_init": 0.01}
    if params.get("solver") == "lbfgs":
        del settings["learning_rate_init"]
    return cls(**{**settings, "random_state": 0, **params})


def targets(kind):
    return (NUMBERS, NUMBERS_VAL) if kind == "regressor" else (CLASSES, CLASSES_VAL)


def validation(kind, **more):
    return {"X_val": X_VAL, "y_val": targets(kind)[1], **more}


def loss_of(kind, model, sample_weight=None):
    """The loss of the validation data, computed by scikit-learn."""
    if kind == "regressor":
        errors = (model.predict(X_VAL) - NUMBERS_VAL) ** 2 / 2
        return np.average(errors, weights=sample_weight)
    return log_loss(CLASSES_VAL, model.predict_proba(X_VAL), sample_weight=sample_weight)


def assert_same_weights(one, other):
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        assert_array_equal(a, b)


# -------------------------------------------------------------------- only recorded


@pytest.mark.parametrize("scoring", [None, "loss", "neg_mean_absolute_error"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", BOTH)
def test_recording_leaves_the_fit_as_it_is(kind, solver, scoring):
    y, _ = targets(kind)
    watched = new(kind, solver=solver, scoring=scoring, dropout=0.2 * (solver != "lbfgs"))
    plain = new(kind, **watched.get_params()).fit(X, y)
    watched.fit(X, y, **validation(kind))
    assert_same_weights(watched, plain)
    assert watched.n_iter_ == plain.n_iter_
    assert watched.loss_ == plain.loss_
    if solver != "lbfgs":
        assert watched.loss_curve_ == plain.loss_curve_
        assert watched.best_loss_ == plain.best_loss_
        assert watched.best_validation_score_ is None
        assert plain.validation_scores_ is plain.validation_loss_curve_ is None
        assert fitted_state(watched._training) == fitted_state(plain._training)


@pytest.mark.parametrize("weights", [None, WEIGHTS_VAL])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", BOTH)
def test_what_is_recorded_is_the_loss_and_the_score_after_each_epoch(kind, solver, weights):
    y, y_val = targets(kind)
    for n_epochs in (1, 2, 5):
        model = new(kind, solver=solver, max_iter=n_epochs)
        model.fit(X, y, **validation(kind, sample_weight_val=weights))
        assert len(model.validation_scores_) == n_epochs
        assert len(model.validation_loss_curve_) == n_epochs
        score = model.score(X_VAL, y_val, sample_weight=weights)
        assert model.validation_scores_[-1] == pytest.approx(score, rel=1e-9)
        expected = loss_of(kind, model, weights)
        assert model.validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-6)
    assert model.history_["validation_score"] == model.validation_scores_
    assert model.history_["validation_loss"] == model.validation_loss_curve_


@pytest.mark.parametrize("solver", STOCHASTIC)
@pytest.mark.parametrize("kind", BOTH)
def test_partial_fit_records_too(kind, solver):
    y, y_val = targets(kind)
    classes = {"classes": [0, 1, 2]} if kind == "classifier" else {}
    watched, plain = new(kind, solver=solver), new(kind, solver=solver)
    for n in range(1, 4):
        watched.partial_fit(X, y, **classes, **validation(kind, sample_weight_val=WEIGHTS_VAL))
        plain.partial_fit(X, y, **classes)
        assert len(watched.validation_scores_) == len(watched.validation_loss_curve_) == n
        score = watched.score(X_VAL, y_val, sample_weight=WEIGHTS_VAL)
        assert watched.validation_scores_[-1] == pytest.approx(score, rel=1e-9)
        expected = loss_of(kind, watched, WEIGHTS_VAL)
        assert watched.validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-6)
    assert_same_weights(watched, plain)
    watched.partial_fit(X, y)
    assert len(watched.history_["validation_loss"]) == len(watched.loss_curve_) == 4
    assert np.isnan(watched.history_["validation_loss"][-1])
    watched.partial_fit(X, y, **validation(kind))
    assert np.isnan(watched.validation_scores_).tolist() == [False] * 3 + [True, False]


@pytest.mark.parametrize("convert", [sp.csr_matrix, sp.csc_matrix, np.asfortranarray, list])
def test_validation_data_come_as_x_does(convert):
    plain = new().fit(X, NUMBERS, **validation("regressor"))
    other = new().fit(X, NUMBERS, X_val=convert(X_VAL), y_val=list(NUMBERS_VAL))
    assert_allclose(other.validation_scores_, plain.validation_scores_, rtol=1e-9)


def test_data_frames():
    pandas = pytest.importorskip("pandas")
    frame, frame_val = (pandas.DataFrame(A, columns=list("abcd")) for A in (X, X_VAL))
    model = new().fit(frame, NUMBERS, X_val=frame_val, y_val=pandas.Series(NUMBERS_VAL))
    assert (
        model.validation_scores_
        == new().fit(X, NUMBERS, **validation("regressor")).validation_scores_
    )
    with pytest.raises(ValueError, match="feature names should match"):
        model.fit(frame, NUMBERS, X_val=frame_val[list("badc")], y_val=NUMBERS_VAL)


def test_several_outputs():
    Y, Y_val = np.c_[NUMBERS, X[:, 2]], np.c_[NUMBERS_VAL, X_VAL[:, 2]]
    model = new().fit(X, Y, X_val=X_VAL, y_val=Y_val)
    assert model.validation_scores_[-1] == pytest.approx(model.score(X_VAL, Y_val))
    expected = ((model.predict(X_VAL) - Y_val) ** 2).mean() / 2
    assert model.validation_loss_curve_[-1] == pytest.approx(expected)
    model = new("classifier").fit(X, Y > 0, X_val=X_VAL, y_val=Y_val > 0)
    assert model.validation_scores_[-1] == pytest.approx(model.score(X_VAL, Y_val > 0))


def test_text_labels_and_labels_that_validation_lacks():
    text, text_val = (np.array(["a", "b", "c"])[c] for c in (CLASSES, CLASSES_VAL))
    model = new("classifier").fit(X, text, X_val=X_VAL, y_val=text_val)
    plain = new("classifier").fit(X, CLASSES, **validation("classifier"))
    assert model.validation_scores_ == plain.validation_scores_
    few = CLASSES_VAL > 0
    new("classifier").fit(X, CLASSES, X_val=X_VAL[few], y_val=CLASSES_VAL[few])


# -------------------------------------------------------------------- deciding


def overfitting(kind, **params):
    """An estimator that gets worse after a while, and its data: few rows, noise, many units."""
    y, _ = targets(kind)
    settings = {"hidden_layer_sizes": (60,), "max_iter": 120, "alpha": 0, "tol": 0}
    model = new(kind, **{**settings, "n_iter_no_change": 10, **params})
    shuffled = np.random.RandomState(1).permutation(y[:30])
    return model, (X[:30], np.where(np.arange(30) % 3, y[:30], shuffled))


@pytest.mark.parametrize("scoring", [None, "loss"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", BOTH)
def test_given_data_decide_and_the_best_epoch_is_kept(kind, solver, scoring):
    model, data = overfitting(kind, solver=solver, scoring=scoring, early_stopping=True)
    if solver != "lbfgs":
        model.set_params(learning_rate_init=0.03)
    model.fit(*data, **validation(kind))
    scores = model.validation_scores_
    best = int(np.argmax(scores)) + 1
    last = len(scores) - int(np.argmax(scores[::-1]))  # with tol=0 to be as good is no standstill
    assert len(scores) == model.n_iter_ == last + 11 < 120
    assert model.best_validation_score_ == max(scores)
    # all 30 rows train, and what is kept is what a fit of that many epochs gives
    again, _ = overfitting(kind, **{**model.get_params(), "max_iter": best})
    again.set_params(early_stopping=False, scoring=None).fit(*data)
    for a, b in zip(model.coefs_, again.coefs_, strict=True):
        assert_array_equal(a, b)
    if solver != "lbfgs":
        assert model.best_loss_ is None
        assert model.t_ == 30 * model.n_iter_


@pytest.mark.parametrize("kind", BOTH)
def test_without_given_data_a_part_of_x_decides(kind):
    y, _ = targets(kind)
    model = new(kind, early_stopping=True).fit(X, y)
    assert model.t_ == 90 * model.n_iter_
    assert len(model.validation_loss_curve_) == len(model.validation_scores_) == model.n_iter_
    assert all(loss > 0 for loss in model.validation_loss_curve_)


def test_the_split_has_the_loss_of_its_rows():
    """With everything in two halves that are equal, the split half has the loss of the other."""
    model = new(early_stopping=True, validation_fraction=0.5, max_iter=1, learning_rate_init=1e-12)
    model.fit(np.ones((10, 1)), np.full(10, 3.0))
    expected = (model.predict([[1.0]])[0] - 3) ** 2 / 2
    assert model.validation_loss_curve_ == [pytest.approx(expected)]


def test_lbfgs_trains_on_all_rows_without_given_data():
    with pytest.warns(UserWarning, match="ignores early_stopping=True"):
        early = new(solver="lbfgs", early_stopping=True).fit(X, NUMBERS)
    assert_same_weights(early, new(solver="lbfgs").fit(X, NUMBERS))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        new(solver="lbfgs", early_stopping=True).fit(X, NUMBERS, **validation("regressor"))


# -------------------------------------------------------------------- scoring


def middle_error(estimator, X, y, sample_weight=None):
    return -float(np.median(np.abs(estimator.predict(X) - y)))


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    ("kind", "scoring", "expected"),
    [
        ("regressor", None, lambda model: r2_score(NUMBERS_VAL, model.predict(X_VAL))),
        (
            "regressor", "neg_mean_absolute_error",
            lambda model: -mean_absolute_error(NUMBERS_VAL, model.predict(X_VAL)),
        ),
        ("regressor", middle_error, lambda model: middle_error(model, X_VAL, NUMBERS_VAL)),
        ("regressor", "loss", lambda model: -loss_of("regressor", model)),
        ("classifier", None, lambda model: accuracy_score(CLASSES_VAL, model.predict(X_VAL))),
        (
            "classifier", "balanced_accuracy",
            lambda model: balanced_accuracy_score(CLASSES_VAL, model.predict(X_VAL)),
        ),
        (
            "classifier", make_scorer(accuracy_score),
            lambda model: accuracy_score(CLASSES_VAL, model.predict(X_VAL)),
        ),
        ("classifier", "neg_log_loss", lambda model: -loss_of("classifier", model)),
        ("classifier", "loss", lambda model: -loss_of("classifier", model)),
    ],
)  # fmt: skip
def test_scoring(kind, scoring, expected, solver, early_stopping):
    model = new(kind, solver=solver, scoring=scoring, max_iter=4, early_stopping=early_stopping)
    model.fit(X, targets(kind)[0], **validation(kind))
    kept = max(model.validation_scores_) if early_stopping else model.validation_scores_[-1]
    assert kept == pytest.approx(expected(model), rel=1e-6)


def test_scoring_gets_the_weights():
    seen = []

    def scoring(estimator, X, y, sample_weight=None):
        seen.append(sample_weight)
        return 0.0

    given = validation("regressor", sample_weight_val=WEIGHTS_VAL)
    new(scoring=scoring, max_iter=2).fit(X, NUMBERS, **given)
    assert_array_equal(seen[1], WEIGHTS_VAL)
    new(scoring=scoring, max_iter=2).fit(X, NUMBERS, **validation("regressor"))
    assert seen[-1] is None
    new(scoring=scoring, max_iter=2, early_stopping=True).fit(X, NUMBERS, WEIGHTS)
    assert len(seen[-1]) == 10 and set(seen[-1]) <= set(WEIGHTS)


def test_scoring_decides_over_the_split():
    model = new("classifier", scoring="neg_log_loss", early_stopping=True, max_iter=30)
    model.fit(X, CLASSES)
    assert_allclose(model.validation_scores_, np.negative(model.validation_loss_curve_), rtol=1e-6)


def test_scoring_that_does_not_exist():
    with pytest.raises(ValueError, match="'nope' is not a valid scoring value"):
        new(scoring="nope").fit(X, NUMBERS, **validation("regressor"))


# -------------------------------------------------------------------- as in scikit-learn


@pytest.mark.parametrize("kind", BOTH)
def test_the_signature_is_that_of_the_histogram_boosting(kind):
    from sklearn.ensemble import HistGradientBoostingRegressor

    theirs = list(inspect.signature(HistGradientBoostingRegressor.fit).parameters.values())
    if len(theirs) < 5:
        pytest.skip(f"scikit-learn {sklearn.__version__} takes no validation data yet")
    ours = list(inspect.signature(type(new(kind)).fit).parameters.values())
    assert [(p.name, p.kind, p.default) for p in ours] == [
        (p.name, p.kind, p.default) for p in theirs
    ]


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_pipeline_transforms_the_validation_data(early_stopping):
    with sklearn.config_context(enable_metadata_routing=True):
        network = new(early_stopping=early_stopping).set_fit_request(X_val=True, y_val=True)
        steps = [("scale", StandardScaler()), ("network", network)]
        pipeline = Pipeline(steps, transform_input=["X_val"])
        pipeline.fit(5 * X + 3, NUMBERS, X_val=5 * X_VAL + 3, y_val=NUMBERS_VAL)
    scaler = StandardScaler().fit(X)
    direct = new(early_stopping=early_stopping)
    direct.fit(scaler.transform(X), NUMBERS, X_val=scaler.transform(X_VAL), y_val=NUMBERS_VAL)
    assert_allclose(pipeline[-1].validation_scores_, direct.validation_scores_, rtol=1e-6)


def test_hidden_activations_pass_validation_data_on():
    features = HiddenActivations(new(early_stopping=True)).fit(
        X, NUMBERS, **validation("regressor")
    )
    assert features.estimator_.t_ == 100 * features.estimator_.n_iter_


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("scoring", ["r2", "neg_mean_absolute_error"])
def test_scoring_by_name_takes_the_middle_of_several_quantiles(scoring, solver):
    model = new(loss=Quantile([0.1, 0.5, 0.9]), scoring=scoring, solver=solver, max_iter=3)
    model.set_params(early_stopping=True).fit(X, NUMBERS, X_val=X_VAL, y_val=NUMBERS_VAL)
    metric = {"r2": r2_score, "neg_mean_absolute_error": lambda *y: -mean_absolute_error(*y)}
    best = metric[scoring](NUMBERS_VAL, model.predict(X_VAL)[:, 1])
    assert best == pytest.approx(max(model.validation_scores_))
    with pytest.raises(ValueError, match=r"y_true and y_pred have different number of output"):
        new(loss=Quantile([0.1, 0.9]), scoring=make_scorer(r2_score)).fit(
            X, NUMBERS, X_val=X_VAL, y_val=NUMBERS_VAL
        )  # a custom function gets all columns


# -------------------------------------------------------------------- scores of NaN


def nan_after(n_numbers):
    """A scoring that rises for some epochs, and is NaN from then on."""
    calls = []

    def scoring(estimator, X, y, sample_weight=None):
        calls.append(len(calls) + 1.0)
        return calls[-1] if len(calls) <= n_numbers else np.nan

    return scoring


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", BOTH)
def test_a_score_of_nan_from_the_start_leaves_nothing_to_decide_by(kind, solver, given):
    if solver == "lbfgs" and not given:
        pytest.skip("L-BFGS splits nothing off")
    model = new(kind, solver=solver, scoring=nan_after(0), early_stopping=True)
    before = fitted_state(model)
    with pytest.raises(
        ValueError, match=r"scoring=.*is NaN on the validation set of \d+ rows.*Pass"
    ):
        model.fit(X, targets(kind)[0], **(validation(kind) if given else {}))
    assert fitted_state(model) == before


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", BOTH)
def test_a_score_that_becomes_nan_is_warned_of_once_and_no_better(kind, solver, given):
    if solver == "lbfgs" and not given:
        pytest.skip("L-BFGS splits nothing off")
    given = validation(kind) if given else {}
    model = new(kind, solver=solver, scoring=nan_after(3), early_stopping=True, max_iter=30)
    model.set_params(n_iter_no_change=4, tol=0)
    with pytest.warns(UserWarning, match="scoring=.*NaN on the validation set") as caught:
        model.fit(X, targets(kind)[0], **given)
    assert len([w for w in caught if "NaN" in str(w.message)]) == 1
    assert model.best_validation_score_ == 3
    assert model.n_iter_ == 3 + 5  # NaN is no progress
    third = new(kind, solver=solver, max_iter=3, tol=0, early_stopping=not given)
    third.set_params(scoring=None if given else nan_after(3)).fit(X, targets(kind)[0])
    assert_same_weights(model, third)


@pytest.mark.parametrize("solver", SOLVERS)
def test_one_validation_row_has_no_r2(solver):
    given = {"X_val": X_VAL[:1], "y_val": NUMBERS_VAL[:1]}
    model = new(solver=solver, early_stopping=True)
    with (
        pytest.warns(UndefinedMetricWarning),
        pytest.raises(
            ValueError, match=r"NaN on the validation set of 1 row.*R2 needs at least two rows"
        ),
    ):
        model.fit(X, NUMBERS, **given)
    model.set_params(scoring="loss").fit(X, NUMBERS, **given)
    assert model.n_iter_ > 1
    with pytest.warns(UndefinedMetricWarning):  # what is only recorded decides nothing
        new(solver=solver).fit(X, NUMBERS, **given)


def test_one_class_has_no_roc_auc():
    few = CLASSES_VAL > 1
    model = new("classifier", scoring="roc_auc", early_stopping=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=r"roc_auc|one class"):
            model.fit(X, CLASSES > 1, X_val=X_VAL[few], y_val=CLASSES_VAL[few] > 1)


@pytest.mark.parametrize("solver", STOCHASTIC)
def test_scores_that_are_never_finite_do_not_bring_the_first_weights_back(solver):
    model = new(solver=solver, early_stopping=True, scoring=lambda estimator, X, y: -np.inf)
    with pytest.raises(ValueError, match="before the validation data had a finite score"):
        model.fit(X, NUMBERS)


# -------------------------------------------------------------------- what a scorer gets, and what it cannot


def recording(seen):
    def scoring(estimator, X, y, sample_weight=None):
        seen.append((X, y, estimator.predict(X)))
        return float(len(seen))

    return scoring


@pytest.mark.parametrize("scoring", ["name", "function"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", BOTH)
def test_a_scorer_gets_the_data_frame_and_warns_of_no_names(kind, solver, scoring):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"), index=np.arange(100) + 1000)
    frame_val = pandas.DataFrame(X_VAL, columns=list("abcd"))
    y, y_val = targets(kind)
    seen = []
    name = "r2" if kind == "regressor" else "accuracy"
    model = new(kind, solver=solver, scoring=name if scoring == "name" else recording(seen))
    model.set_params(max_iter=3)
    calls = [lambda: model.fit(frame, y, X_val=frame_val, y_val=y_val)]
    if solver != "lbfgs":
        calls.append(lambda: model.partial_fit(frame, y, X_val=frame_val, y_val=y_val))
    for call in calls:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            warnings.simplefilter("ignore", ConvergenceWarning)
            call()
        for rows, labels, _ in seen:
            assert rows is frame_val
            assert_array_equal(labels, y_val)
    if solver == "lbfgs":
        return
    seen.clear()
    model.set_params(early_stopping=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(frame, y)
    plain = new(kind, solver=solver, scoring=recording([]) if seen else name, max_iter=3)
    plain.set_params(early_stopping=True).fit(X, y)
    assert model.validation_scores_ == plain.validation_scores_
    for rows, labels, _ in seen:
        assert isinstance(rows, pandas.DataFrame) and len(rows) == 10
        pandas.testing.assert_frame_equal(rows, frame.loc[rows.index])
        assert_array_equal(labels, y[rows.index - 1000])


@pytest.mark.parametrize("named", ["X", "X_val"])
def test_names_in_one_of_two_tables_give_one_warning(named):
    pandas = pytest.importorskip("pandas")
    with_names = {
        "X": pandas.DataFrame(X, columns=list("abcd")),
        "X_val": pandas.DataFrame(X_VAL, columns=list("abcd")),
    }
    given = {"X": X, "X_val": X_VAL, named: with_names[named]}
    with pytest.warns(UserWarning, match="feature names") as caught:
        new(scoring="r2").fit(given["X"], NUMBERS, X_val=given["X_val"], y_val=NUMBERS_VAL)
    assert len([w for w in caught if "feature names" in str(w.message)]) == 1


@pytest.mark.parametrize(
    "container", [list, np.asfortranarray, sp.csr_matrix, sp.csc_array, sp.coo_matrix]
)
def test_a_scorer_gets_other_containers_as_they_come(container):
    seen = []
    given = X.tolist() if container is list else container(X)
    model = new(scoring=recording(seen), early_stopping=True, max_iter=2).fit(given, NUMBERS)
    for rows, y, prediction in seen:
        assert sp.issparse(rows) == sp.issparse(given)
        assert isinstance(rows, list) == (container is list)
        assert len(y) == len(prediction) == 10
        dense = rows.toarray() if sp.issparse(rows) else np.asarray(rows)
        assert_array_equal(dense, X[[list(NUMBERS).index(each) for each in y]])
    assert model.n_iter_ == 2


TWO_COLUMNS = [np.c_[y, y > 1] for y in (CLASSES, CLASSES_VAL)]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro", "neg_log_loss", "roc_auc", "scorer"])
def test_scorer_for_one_column_names_those_for_several(scoring, solver):
    y, y_val = TWO_COLUMNS
    scoring = make_scorer(accuracy_score) if scoring == "scorer" else scoring
    model = new("classifier", solver=solver, scoring=scoring)
    message = r"scoring=.* cannot score .*For several columns of labels use scoring=None.*'loss'"
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, X_val=X_VAL, y_val=y_val)
    for works in (None, "loss", lambda estimator, X, y: estimator.score(X, y)):
        model.set_params(scoring=works, early_stopping=True)
        model.fit(X, y, X_val=X_VAL, y_val=y_val)
        assert np.isfinite(model.best_validation_score_)


def test_the_error_of_a_function_of_ones_own_is_left_as_it_is():
    def scoring(estimator, X, y):
        raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$"):
        new(scoring=scoring).fit(X, NUMBERS, **validation("regressor"))


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_class_that_the_validation_data_lack(n_classes, solver, early_stopping):
    y, y_val = (np.minimum(each, n_classes - 1) for each in (CLASSES, CLASSES_VAL))
    few = y_val > 0 if n_classes == 3 else y_val > -1
    few &= y_val == y_val.max() if n_classes == 2 else True
    model = new("classifier", solver=solver, scoring="neg_log_loss", early_stopping=early_stopping)
    model.fit(X, y, X_val=X_VAL[few], y_val=y_val[few])
    p = model.predict_proba(X_VAL[few])
    expected = -log_loss(y_val[few], p, labels=model.classes_)
    kept = max(model.validation_scores_) if early_stopping else model.validation_scores_[-1]
    assert kept == pytest.approx(expected, rel=1e-6)


RARE = np.repeat([0, 1, 2, 3], [150, 30, 10, 10])


@pytest.mark.parametrize("scoring", ["loss", "neg_log_loss", "accuracy", "function"])
def test_with_scoring_the_split_has_all_classes(scoring):
    data = np.random.RandomState(3).normal(size=(200, 3))
    model = new("classifier", early_stopping=True, max_iter=1, scoring=scoring)
    shares = []
    if scoring == "function":

        def function(estimator, X, y):
            shares.append(np.bincount(y, minlength=4))
            return 0.0

        model.set_params(scoring=function)
    for seed in range(5):
        model.set_params(random_state=seed).fit(data, RARE)
        assert np.isfinite(model.best_validation_score_)
    for share in shares:
        assert_array_equal(share, [15, 3, 1, 1])


def test_a_class_of_one_row_is_split_as_it_comes():
    y = np.repeat([0, 1, 2], [60, 39, 1])
    model = new("classifier", early_stopping=True, scoring="neg_log_loss", max_iter=2)
    for seed in range(20):  # the row is now in one part, now in the other
        model.set_params(random_state=seed).fit(X, y)
        assert np.isfinite(model.best_validation_score_)


def test_without_scoring_the_split_is_scikit_learns():
    data = np.random.RandomState(3).normal(size=(200, 3))
    for seed in range(5):
        model = new("classifier", early_stopping=True, max_iter=4, random_state=seed).fit(
            data, RARE
        )
        settings = {name: getattr(model, name) for name in MLPClassifier().get_params()}
        theirs = MLPClassifier(**settings).fit(data, RARE)
        assert model.validation_scores_ == pytest.approx(theirs.validation_scores_)
        for ours, expected in zip(model.coefs_, theirs.coefs_, strict=True):
            assert_allclose(ours, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("scoring", ["name", "function"])
@pytest.mark.parametrize("kind", BOTH)
def test_a_network_that_diverges_says_what_would_help(kind, scoring, early_stopping):
    name = "neg_mean_absolute_error" if kind == "regressor" else "neg_log_loss"
    model = new(kind, solver="sgd", learning_rate_init=1e200, early_stopping=early_stopping)
    model.set_params(scoring=name if scoring == "name" else recording([]), max_iter=30)
    with pytest.raises(ValueError, match=r"Scale X .*or lower learning_rate_init"):
        model.fit(X, targets(kind)[0], **validation(kind))


# -------------------------------------------------------------------- wrong data


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X_val": X_VAL}, "X_val and y_val must be given together: pass both, or neither"),
        ({"y_val": NUMBERS_VAL}, "X_val and y_val must be given together: pass both, or neither"),
        ({"sample_weight_val": WEIGHTS_VAL}, "sample_weight_val needs X_val and y_val"),
        ({"X_val": X_VAL[:, :2], "y_val": NUMBERS_VAL}, "X_val has 2 features.*expecting 4"),
        (
            {"X_val": X_VAL[:9], "y_val": NUMBERS_VAL},
            "y_val and X_val must have the same number of rows",
        ),
        (
            {"X_val": X_VAL * np.nan, "y_val": NUMBERS_VAL},
            r"X_val has missing values: put SimpleImputer",
        ),
        ({"X_val": X_VAL, "y_val": NUMBERS_VAL * np.inf}, "y_val contains (NaN|infinity)"),
        ({"X_val": X_VAL, "y_val": np.c_[NUMBERS_VAL, NUMBERS_VAL]}, "y_val has 2 columns"),
        (
            {"X_val": X_VAL, "y_val": NUMBERS_VAL, "sample_weight_val": np.ones(3)},
            r"sample_weight_val.shape == \(3,\), expected \(60,\)",
        ),
    ],
)
def test_wrong_validation_data(given, message, method):
    model = new().fit(X, NUMBERS)
    before = fitted_state(model)
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(X, NUMBERS, **given)
    assert fitted_state(model) == before


def test_wrong_weights_of_validation_rows_are_named():
    for weights, message in (
        (np.zeros(60), "sample_weight_val"),
        (np.ones((60, 2)), "sample_weight_val"),
        (np.full(60, np.nan), "sample_weight_val"),
    ):
        with pytest.raises(ValueError, match=message):
            given = {"X_val": X_VAL, "y_val": NUMBERS_VAL, "sample_weight_val": weights}
            new().fit(X, NUMBERS, **given)


@pytest.mark.parametrize("cls", ["classifier", "regressor"])
def test_validation_data_of_another_kind_are_named(cls):
    y, y_val = (CLASSES, CLASSES_VAL) if cls == "classifier" else (NUMBERS, NUMBERS_VAL)
    for given, message in (
        ({"X_val": X_VAL[0], "y_val": y_val}, "X_val|Expected 2D"),
        ({"X_val": X_VAL * np.nan, "y_val": y_val}, "^X_val has missing values: put SimpleImputer"),
        ({"X_val": X_VAL[:5], "y_val": y_val}, "y_val and X_val must have the same number of rows"),
    ):
        with pytest.raises(ValueError, match=message):
            new(cls).fit(X, y, **given)


def test_validation_data_with_columns_in_another_order_are_named():
    frame = pytest.importorskip("pandas").DataFrame(X).add_prefix("x")
    with pytest.raises(ValueError, match=r"^X_val: The feature names should match"):
        new("classifier").fit(frame, CLASSES, X_val=frame[frame.columns[::-1]], y_val=CLASSES)


@pytest.mark.parametrize("solver", SOLVERS)
def test_unseen_classes(solver):
    with pytest.raises(ValueError, match=r"y_val has classes that are not in y: \[3\]"):
        new("classifier", solver=solver).fit(X, CLASSES, X_val=X_VAL, y_val=CLASSES_VAL + 1)


def test_validation_labels_of_another_kind():
    with pytest.raises(ValueError, match="one label per row"):
        new("classifier").fit(
            X, CLASSES, X_val=X_VAL, y_val=np.c_[CLASSES_VAL > 0, CLASSES_VAL > 1]
        )
    with pytest.raises(ValueError, match="indicator matrix"):
        labels = np.c_[CLASSES > 0, CLASSES > 1]
        new("classifier").fit(X, labels, X_val=X_VAL, y_val=CLASSES_VAL > 0)


def plain(estimator, X, y):
    return -np.abs(y - estimator.predict(X)).mean()


def weighing(estimator, X, y, sample_weight=None):
    return -np.average(np.abs(y - estimator.predict(X)), weights=sample_weight)


LARGEST = make_scorer(max_error, greater_is_better=False)


def taking_anything(estimator, X, y, **more):
    return weighing(estimator, X, y, **more)


@pytest.mark.parametrize(
    ("scoring", "weighs"),
    [
        (plain, False),
        (lambda *given: plain(*given), False),
        (weighing, True),
        (taking_anything, True),
        (functools.partial(weighing), True),
        (LARGEST, False),
        (make_scorer(lambda y, predicted: -np.abs(y - predicted).mean()), False),
        ("neg_mean_absolute_error", True),
    ],
)
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_scoring_is_passed_weights_where_it_takes_them(scoring, weighs, solver):
    weights = np.linspace(0.1, 2, len(X_VAL))
    model = new(solver=solver, scoring=scoring, max_iter=3)
    model.fit(X, NUMBERS, **validation("regressor"), sample_weight_val=weights)
    error = np.abs(NUMBERS_VAL - model.predict(X_VAL))
    expected = -error.max() if scoring is LARGEST else -np.average(error)
    if weighs:
        expected = -np.average(error, weights=weights)
    assert_allclose(model.validation_scores_[-1], expected)


@pytest.mark.parametrize("kind", BOTH)
def test_early_stopping_with_weights_and_a_scoring_without(kind):
    calls = []

    def scoring(estimator, X, y):
        calls.append(len(X))
        return estimator.score(X, y)

    model = new(kind, solver="adam", scoring=scoring, early_stopping=True, max_iter=3)
    model.fit(X, targets(kind)[0], np.ones(len(X)))
    assert calls == [10] * 3


# -------------------------------------------------------------------- time


def set_clock(monkeypatch, now):
    """Let ``now()`` be the time in this thread; other threads go on by theirs."""
    here, perf_counter = threading.get_ident(), time.perf_counter
    monkeypatch.setattr(
        time, "perf_counter", lambda: now() if threading.get_ident() == here else perf_counter()
    )


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", BOTH)
def test_max_time_stops_and_says_so(kind, solver, monkeypatch):
    now = iter(range(10**9))
    set_clock(monkeypatch, lambda: next(now) / 10)
    model = new(kind, solver=solver, max_time=3, max_iter=10**6, tol=0, n_iter_no_change=10**6)
    with pytest.warns(
        ConvergenceWarning, match=r"ended after \d+ (epochs?|iterations?), at max_time=3"
    ):
        model.fit(X, targets(kind)[0])
    assert 1 <= model.n_iter_ <= 30
    assert np.isfinite(model.loss_)


@pytest.mark.parametrize("solver", SOLVERS)
def test_max_time_keeps_the_best(solver, monkeypatch):
    """The scores fall after the third epoch, and the time limit is reached after the sixth."""
    scores = [0.1, 0.2, 0.9, 0.5, 0.4, 0.3]
    monkeypatch.setattr(
        "sknumpynet.estimators.regressor.Numbers.score", lambda *args: scores.pop(0)
    )
    set_clock(monkeypatch, lambda: 0.0 if scores else 10.0)
    model = new(solver=solver, early_stopping=True, max_iter=50, max_time=5)
    model.fit(X, NUMBERS, **validation("regressor"))
    assert model.validation_scores_ == [0.1, 0.2, 0.9, 0.5, 0.4, 0.3]
    assert model.best_validation_score_ == 0.9
    third = new(solver=solver, max_iter=3).fit(X, NUMBERS)
    assert_same_weights(model, third)


def messages_of(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(each.message) for each in caught]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("given", [False, True])
def test_time_limit_at_the_last_epoch_has_no_effect(kind, solver, given, monkeypatch):
    """Whether that epoch is the last allowed, or the one in which the fit converges."""
    y, more = targets(kind)[0], validation(kind) if given else {}
    ends = {"last": {"max_iter": 4, "tol": 1e-12}, "converged": {"max_iter": 500, "tol": 1e-2}}
    for end, params in ends.items():
        params = {"solver": solver, "random_state": 0, **params}
        plain = new(kind, **params)
        expected = messages_of(lambda plain=plain: plain.fit(X, y, **more))
        assert (plain.n_iter_ < 500) and (end == "last") == bool(expected)
        n_reads = np.inf
        for is_over in (False, True):  # the last two times that the clock is read
            late = new(kind, **params, max_time=5)
            clock = []

            def now(clock=clock, n_reads=n_reads):
                clock.append(10.0 * (len(clock) >= n_reads - 2))
                return clock[-1]

            with monkeypatch.context() as patch:
                set_clock(patch, now)
                found = messages_of(lambda late=late: late.fit(X, y, **more))
            assert found == expected
            assert late.n_iter_ == plain.n_iter_
            assert_same_weights(late, plain)
            assert (clock[-1] == 10) is is_over
            n_reads = len(clock)


@pytest.mark.parametrize("solver", SOLVERS)
def test_time_limit_does_not_shorten_a_single_epoch(solver):
    model = new(solver=solver, max_iter=1, max_time=1e-9)
    expected = messages_of(lambda: new(solver=solver, max_iter=1).fit(X, NUMBERS))
    assert messages_of(lambda: model.fit(X, NUMBERS)) == expected
    assert "max_time" not in str(expected) and model.n_iter_ == 1
    model.set_params(max_iter=2)
    found = messages_of(lambda: model.fit(X, NUMBERS))
    assert len(found) == 1 and "at max_time=1e-09 s" in found[0]


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("solver", STOCHASTIC)
def test_partial_fit_is_never_cut_short(kind, solver):
    model = new(kind, solver=solver, max_time=1e-9)
    y = targets(kind)[0]
    named = {"classes": [0, 1, 2]} if kind == "classifier" else {}
    for _ in range(3):
        assert messages_of(lambda: model.partial_fit(X, y, **named, **validation(kind))) == []
    twin = new(kind, solver=solver)
    for _ in range(3):
        twin.partial_fit(X, y, **named)
    assert_same_weights(model, twin)


def test_lbfgs_that_converges_too_late_has_converged():
    """For any number of iterations, and any evaluation as the last one."""
    for tol in np.logspace(-4, 0, 12):
        params = {"solver": "lbfgs", "tol": tol, "max_iter": 1000}
        plain = new(**params).fit(X, NUMBERS)
        for n in (plain.n_iter_ - 1, plain.n_iter_):
            model, done = new(**params, max_time=5), []

            def counting(model, X, y, done=done):
                done.append(1)
                return 0.0

            with pytest.MonkeyPatch.context() as patch:
                set_clock(patch, lambda done=done, n=n: 10.0 * (len(done) >= n))
                model.set_params(scoring=counting)
                found = messages_of(lambda m=model: m.fit(X, NUMBERS, **validation("regressor")))
            assert model.n_iter_ == n or n == 0
            assert ("max_time" in str(found)) == (0 < n < plain.n_iter_)


def test_a_fit_that_needs_less_time_is_as_without():
    assert_same_weights(new(max_time=1000).fit(X, NUMBERS), new().fit(X, NUMBERS))


def test_a_pipeline_without_routing_takes_the_step_prefix():
    pipeline = make_pipeline(new())
    pipeline.fit(X, NUMBERS, numpymlpregressor__X_val=X_VAL, numpymlpregressor__y_val=NUMBERS_VAL)
    assert len(pipeline[-1].validation_scores_) == 12


@pytest.mark.parametrize(("solver", "given"), [("adam", False), ("adam", True), ("lbfgs", True)])
@pytest.mark.parametrize("form", ["csc_matrix", "csc_array", "csr_matrix"])
def test_sparse_validation_data_are_taken_and_converted_once(monkeypatch, form, solver, given):
    """Not at each epoch: the number of conversions and of selections of rows does not grow with them."""
    form, counts = getattr(sp, form), {}
    for name in ("tocsr", "__getitem__"):
        # all of them before any is replaced: with older versions some are subclasses of others
        methods = {cls: getattr(cls, name) for cls in (form, sp.csr_matrix, sp.csr_array)}
        for cls, method in methods.items():

            def counted(self, *args, method=method, name=name, **options):
                result = method(self, *args, **options)
                of_validation = self.format == "csc" or result.shape[0] in (10, 60)
                counts[name] = counts.get(name, 0) + of_validation
                return result

            monkeypatch.setattr(cls, name, counted)
    found = []
    for max_iter in (3, 9):
        counts.clear()
        model = new(solver=solver, early_stopping=not given, max_iter=max_iter, tol=1e-12)
        model.set_params(n_iter_no_change=100, batch_size=45)
        more = {"X_val": form(X_VAL), "y_val": NUMBERS_VAL} if given else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(form(X), NUMBERS, **more)
        assert len(model.validation_loss_curve_) == max_iter
        found.append(counts.copy())
    # with all 100 rows to train on, the last of three batches has 10
    found[1]["__getitem__"] = found[1].get("__getitem__", 0) - 6 * (given and solver != "lbfgs")
    assert found[0].get("tocsr", 0) == found[1].get("tocsr", 0)
    assert found[0].get("__getitem__", 0) == found[1]["__getitem__"]


@pytest.mark.parametrize("scoring", [None, "loss", "r2", lambda model, X, y: model.score(X, y)])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("form", [sp.csc_matrix, sp.csc_array])
def test_a_scoring_does_not_convert_at_each_epoch(monkeypatch, form, solver, scoring):
    """Also where there are so many rows that they are predicted in several chunks."""
    rows, y = np.tile(X_VAL, (400, 1)), np.tile(NUMBERS_VAL, 400)
    convert, seen = form.tocsr, []

    def counted(self, *args, **options):
        seen.append(self.shape)
        return convert(self, *args, **options)

    monkeypatch.setattr(form, "tocsr", counted)
    counts = []
    for max_iter in (2, 5):
        seen.clear()
        model = new(solver=solver, scoring=scoring, max_iter=max_iter, hidden_layer_sizes=(50,))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(form(X), NUMBERS, X_val=form(rows), y_val=y)
        assert len(model.validation_loss_curve_) == max_iter
        counts.append(seen.count(rows.shape))
    assert counts[0] == counts[1] <= 2
