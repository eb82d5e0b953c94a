# SPDX-License-Identifier: BSD-3-Clause
"""Where we differ from scikit-learn on purpose: one test for each row of docs/where_we_differ.md.

``theirs_...`` tests watch scikit-learn: one that skips says that it has changed, and so has that page to.
"""

import warnings

import numpy as np
import pytest
import scipy.optimize
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_iris, make_regression
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import scale
from sklearn.utils import get_tags

import sknumpynet.core.training.lbfgs
from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

OURS = [NumpyMLPClassifier, NumpyMLPRegressor]
X_IRIS, Y_IRIS = load_iris(return_X_y=True)
X_IRIS = scale(X_IRIS)


def skip_if_they_changed(changed):
    if changed:
        pytest.skip("scikit-learn has changed here: docs/where_we_differ.md is to follow")


def several_targets(n=60, n_features=4, n_targets=3):
    X, y = make_regression(n, n_features, n_targets=n_targets, noise=20, random_state=0)
    return scale(X), scale(y) * [1.0, 2.0, 3.0] + [0.0, 5.0, -1.0]


# -------------------------------------------------------------------- warm_start


def fit_twice_with_warm_start(cls):
    """Fit on easy data to the end, then on hard data; return the number of epochs of the second fit."""
    rng = np.random.RandomState(0)
    X = rng.randn(100, 3)
    model = cls(
        hidden_layer_sizes=5, max_iter=400, learning_rate_init=0.05, random_state=0, warm_start=True
    )
    easy = (X[:, 0] > 0).astype(int)
    hard = rng.randint(0, 2, 100)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, easy)
        assert model.n_iter_ < 400
        model.fit(X, hard)
    return model


@pytest.mark.parametrize("cls", OURS)
def test_a_second_fit_with_warm_start_is_a_whole_fit(cls):
    model = fit_twice_with_warm_start(cls)
    assert model.n_iter_ > 20
    second = model.loss_curve_[-model.n_iter_ :]
    assert min(second[-5:]) < 0.95 * second[0]
    assert model.best_loss_ == min(second)


def test_scikit_learns_early_stopping_ends_a_second_fit_immediately():
    skip_if_they_changed(fit_twice_with_warm_start(MLPClassifier).n_iter_ > 1)


def test_a_second_fit_begins_with_the_old_weights_and_a_new_optimizer():
    model = NumpyMLPRegressor(
        hidden_layer_sizes=5, max_iter=3, shuffle=False, warm_start=True, random_state=0
    ).fit(X_IRIS, Y_IRIS)
    afresh = clone(model).set_params(max_iter=1).fit(X_IRIS, Y_IRIS)
    afresh.coefs_, afresh.intercepts_ = model.coefs_, model.intercepts_
    afresh.set_params(max_iter=3).fit(X_IRIS, Y_IRIS)
    model.fit(X_IRIS, Y_IRIS)
    np.testing.assert_array_equal(model.coefs_[0], afresh.coefs_[0])


@pytest.mark.parametrize("cls", OURS)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_warm_start_with_another_shape_raises(cls, solver):
    model = cls(hidden_layer_sizes=(5,), solver=solver, max_iter=2, warm_start=True, random_state=0)
    model.fit(X_IRIS, Y_IRIS)
    before = model.coefs_[0].copy()
    with pytest.raises(ValueError, match=r"hidden_layer_sizes=\(7, 3\).*\(5,\)"):
        model.set_params(hidden_layer_sizes=(7, 3)).fit(X_IRIS, Y_IRIS)
    np.testing.assert_array_equal(model.coefs_[0], before)
    model.set_params(hidden_layer_sizes=[5]).fit(X_IRIS, Y_IRIS)
    model.set_params(hidden_layer_sizes=(7, 3), warm_start=False).fit(X_IRIS, Y_IRIS)
    assert [W.shape[1] for W in model.coefs_[:-1]] == [7, 3]


def test_theirs_goes_on_with_the_old_shape():
    model = MLPRegressor(hidden_layer_sizes=5, max_iter=2, warm_start=True, random_state=0)
    model.fit(X_IRIS, Y_IRIS)
    try:
        model.set_params(hidden_layer_sizes=7).fit(X_IRIS, Y_IRIS)
    except ValueError as error:
        skip_if_they_changed("hidden_layer_sizes" in str(error))
        raise
    skip_if_they_changed(model.coefs_[0].shape[1] != 5)


# -------------------------------------------------------------------- parameters set after a fit


def what_an_activation_set_after_fit_changes(cls):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = cls(max_iter=5, random_state=0).fit(X_IRIS, X_IRIS[:, 0])
    expected = model.predict(X_IRIS)
    return np.abs(model.set_params(activation="tanh").predict(X_IRIS) - expected).max()


def test_an_activation_set_after_fit_waits_for_the_next_one():
    assert what_an_activation_set_after_fit_changes(NumpyMLPRegressor) == 0


def test_theirs_predicts_with_the_new_activation():
    skip_if_they_changed(what_an_activation_set_after_fit_changes(MLPRegressor) == 0)


# -------------------------------------------------------------------- partial_fit


def steps_with_weights_put_back(cls):
    """Return where five calls of partial_fit lead, each but the first from the same weights.

    Steps on one row at a time end elsewhere where the rows come in another order.
    """
    rng = np.random.RandomState(0)
    X, y = rng.randn(30, 2), rng.randn(30)
    model = cls(hidden_layer_sizes=(), solver="sgd", momentum=0.0, batch_size=1, random_state=0)
    model.set_params(learning_rate_init=0.05)
    ends = set()
    for _ in range(5):
        model.partial_fit(X, y)
        ends.add(round(model.coefs_[0][0, 0], 12))
        model.coefs_[0][...] = 0.1
        model.intercepts_[0][...] = 0.1
    return ends


def test_partial_fit_goes_on_drawing_permutations():
    assert len(steps_with_weights_put_back(NumpyMLPRegressor)) == 5


def test_theirs_repeats_one_permutation():
    # the first call starts from other weights
    skip_if_they_changed(len(steps_with_weights_put_back(MLPRegressor)) != 2)


@pytest.mark.parametrize("cls", OURS)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_so_many_partial_fits_are_one_fit_of_so_many_epochs(cls, solver):
    model = cls(hidden_layer_sizes=5, solver=solver, random_state=0, batch_size=16, max_iter=4)
    parts = clone(model)
    classes = {"classes": [0, 1, 2]} if cls is NumpyMLPClassifier else {}
    for _ in range(4):
        parts.partial_fit(X_IRIS, Y_IRIS, **classes)
    model.fit(X_IRIS, Y_IRIS)
    np.testing.assert_array_equal(parts.coefs_[0], model.coefs_[0])
    assert parts.loss_curve_ == model.loss_curve_
    assert parts.t_ == model.t_


def test_the_regressor_hides_partial_fit_for_lbfgs():
    for cls in OURS:
        assert not hasattr(cls(solver="lbfgs"), "partial_fit")
        assert hasattr(cls(solver="sgd"), "partial_fit")


def test_theirs_shows_the_regressors():
    skip_if_they_changed(not hasattr(MLPRegressor(solver="lbfgs"), "partial_fit"))


# -------------------------------------------------------------------- batches that weigh nothing


@pytest.mark.parametrize("cls", OURS)
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_batch_of_zero_weight_adds_only_its_penalty(cls, alpha):
    """Plain gradient descent, by hand: no loss, and W shrinks by the penalty over the batch's rows."""
    X, y = X_IRIS[:100], Y_IRIS[:100]
    weights = np.repeat([1.0, 0.0], [96, 4])
    parameters = {
        "hidden_layer_sizes": (),
        "solver": "sgd",
        "momentum": 0.0,
        "shuffle": False,
        "alpha": alpha,
        "learning_rate_init": 0.1,
        "max_iter": 1,
        "random_state": 0,
    }
    every = cls(batch_size=96, **parameters).fit(X, y, sample_weight=weights)
    first = cls(batch_size=96, **parameters).fit(X[:96], y[:96])
    np.testing.assert_allclose(every.intercepts_[0], first.intercepts_[0], rtol=1e-12)
    np.testing.assert_allclose(every.coefs_[0], first.coefs_[0] * (1 - 0.1 * alpha / 4), rtol=1e-12)
    assert every.loss_ == pytest.approx(first.loss_ * 96 / 100, rel=1e-12)


def test_bagging_of_small_batches():
    model = NumpyMLPClassifier(
        hidden_layer_sizes=5, batch_size=4, max_iter=5, learning_rate_init=0.02, random_state=0
    )
    bagging = BaggingClassifier(model, n_estimators=2, random_state=0).fit(X_IRIS, Y_IRIS)
    assert bagging.score(X_IRIS, Y_IRIS) > 0.8


def test_theirs_divides_by_zero():
    model = MLPClassifier(hidden_layer_sizes=5, batch_size=4, max_iter=5, random_state=0)
    try:
        BaggingClassifier(model, n_estimators=2, random_state=0).fit(X_IRIS, Y_IRIS)
    except ZeroDivisionError:
        return
    skip_if_they_changed(True)


# -------------------------------------------------------------------- L-BFGS


def record_objective(monkeypatch, module, model, X, y, sample_weight=None):
    """Fit, and return the function that SciPy was given, a point for it, and the fitted model."""
    seen = {}

    def minimize(fun, x0, *args, **kwargs):
        extra = kwargs.get("args", ())
        seen.update(fun=lambda x: fun(x, *extra), x0=np.array(x0, float))
        return original(fun, x0, *args, **kwargs)

    original = scipy.optimize.minimize
    monkeypatch.setattr(module, "minimize", minimize)
    model.fit(X, y, sample_weight=sample_weight)
    return seen["fun"], seen["x0"]


def gradient_is_off_by(objective, x):
    """Return the relative difference of the gradient and central differences of the value."""
    gradient = np.array(objective(x)[1])
    numeric = np.empty_like(gradient)
    for i in range(len(x)):
        step = np.zeros_like(x)
        step[i] = 1e-6
        numeric[i] = (objective(x + step)[0] - objective(x - step)[0]) / 2e-6
    return np.abs(numeric - gradient).max() / np.abs(gradient).max()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_lbfgs_is_given_a_value_and_its_gradient(monkeypatch, loss, weighted):
    X, y = several_targets()
    weights = np.random.RandomState(0).uniform(0.1, 2, len(y)) if weighted else None
    model = NumpyMLPRegressor(
        loss, 3, "tanh", solver="lbfgs", alpha=0.1, random_state=0, max_iter=2
    )
    target = y if loss == "squared_error" else np.abs(y)
    objective, x = record_objective(
        monkeypatch, sknumpynet.core.training.lbfgs, model, X, target, weights
    )
    assert gradient_is_off_by(objective, x) < 1e-6


def test_theirs_is_given_a_gradient_of_something_else(monkeypatch):
    X, y = several_targets()
    model = MLPRegressor("squared_error", 3, "tanh", solver="lbfgs", random_state=0, max_iter=2)
    objective, x = record_objective(monkeypatch, scipy.optimize, model, X, y)
    skip_if_they_changed(gradient_is_off_by(objective, x) < 0.1)


@pytest.mark.parametrize("alpha", [0.5, 50.0])
def test_lbfgs_finds_the_ridge_regression_of_several_targets(alpha):
    """Half the squared error summed over targets, over n: that is Ridge's objective, over 2 n."""
    X, y = several_targets()
    ours = NumpyMLPRegressor(
        hidden_layer_sizes=(), solver="lbfgs", alpha=alpha, tol=1e-10, max_iter=1000, random_state=0
    ).fit(X, y)
    ridge = Ridge(alpha=alpha).fit(X, y)
    np.testing.assert_allclose(ours.coefs_[0], ridge.coef_.T, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.intercepts_[0], ridge.intercept_, rtol=1e-4, atol=1e-5)
    residual = y - ours.predict(X)
    penalty = 0.5 * alpha * (ours.coefs_[0] ** 2).sum() / len(y)
    assert ours.loss_ == pytest.approx(0.5 * (residual**2).mean() + penalty, rel=1e-9)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_the_reported_loss_is_the_mean_over_outputs(solver):
    X, y = several_targets()
    model = NumpyMLPRegressor(
        hidden_layer_sizes=4,
        solver=solver,
        alpha=0.0,
        max_iter=1,
        learning_rate_init=1e-3 if solver == "lbfgs" else 1e-12,
        random_state=0,
    ).fit(X, y)
    assert model.loss_ == pytest.approx(0.5 * ((y - model.predict(X)) ** 2).mean(), rel=1e-6)


@pytest.mark.parametrize("cls", OURS)
def test_lbfgs_on_float32_returns_float32(cls):
    model = cls(hidden_layer_sizes=4, solver="lbfgs", max_iter=20, random_state=0)
    model.fit(X_IRIS.astype(np.float32), Y_IRIS)
    for array in [*model.coefs_, *model.intercepts_]:
        assert array.dtype == np.float32
    raw = model.predict_proba if cls is NumpyMLPClassifier else model.predict
    assert raw(X_IRIS.astype(np.float32)).dtype == np.float32
    in_double = clone(model).fit(X_IRIS.astype(np.float32).astype(float), Y_IRIS)
    np.testing.assert_allclose(model.coefs_[0], in_double.coefs_[0], rtol=0, atol=1e-2)


def test_theirs_returns_float64():
    model = MLPRegressor(hidden_layer_sizes=4, solver="lbfgs", max_iter=20, random_state=0)
    model.fit(X_IRIS.astype(np.float32), Y_IRIS)
    skip_if_they_changed(model.coefs_[0].dtype == np.float32)


def interrupt(function, after):
    """Return a stand-in for the function that is interrupted at a later call."""
    calls = iter(range(10**6))

    def interrupted(*args, **kwargs):
        if next(calls) == after:
            raise KeyboardInterrupt
        return function(*args, **kwargs)

    return interrupted


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_interrupted_lbfgs_keeps_its_weights(monkeypatch, dtype):
    X = X_IRIS.astype(dtype)
    model = NumpyMLPClassifier(hidden_layer_sizes=4, solver="lbfgs", random_state=0)
    Objective = sknumpynet.core.training.lbfgs.Objective
    monkeypatch.setattr(Objective, "__call__", interrupt(Objective.__call__, after=30))
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y_IRIS)
    assert 5 < model.n_iter_ < 30
    assert model.coefs_[0].dtype == dtype
    assert model.score(X, Y_IRIS) > 0.9
    monkeypatch.undo()
    same = clone(model).set_params(max_iter=model.n_iter_).fit(X, Y_IRIS)
    np.testing.assert_allclose(model.coefs_[0], same.coefs_[0], rtol=1e-5)
    assert model.loss_ == pytest.approx(same.loss_)


def test_theirs_lets_the_interrupt_out(monkeypatch):
    model = MLPClassifier(hidden_layer_sizes=4, solver="lbfgs", random_state=0)
    monkeypatch.setattr(
        MLPClassifier, "_loss_grad_lbfgs", interrupt(MLPClassifier._loss_grad_lbfgs, after=30)
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X_IRIS, Y_IRIS)
    except KeyboardInterrupt:
        return
    skip_if_they_changed(True)


# -------------------------------------------------------------------- probabilities


def certain(cls, targets):
    """Return a classifier whose raw values are enormous."""
    model = cls(hidden_layer_sizes=(), max_iter=1, random_state=0).fit(X_IRIS, targets)
    model.coefs_[0][...] *= 1e5
    return model


@pytest.mark.parametrize(
    "targets", [Y_IRIS == 1, Y_IRIS, np.eye(3, dtype=int)[Y_IRIS]], ids=["two", "three", "labels"]
)
def test_log_probabilities_are_finite(targets):
    model = certain(NumpyMLPClassifier, targets)
    log_p = model.predict_log_proba(X_IRIS)
    assert np.isfinite(log_p).all()
    assert (log_p < 0).all()
    assert log_p.min() < -100
    np.testing.assert_array_equal(log_p, np.log(model.predict_proba(X_IRIS)))


def test_theirs_has_infinite_ones():
    with np.errstate(divide="ignore"):
        log_p = certain(MLPClassifier, Y_IRIS).predict_log_proba(X_IRIS)
    skip_if_they_changed(np.isfinite(log_p).all())


def test_the_decision_function_is_the_raw_value():
    X, y = load_breast_cancer(return_X_y=True)
    X = scale(X)
    model = NumpyMLPClassifier(hidden_layer_sizes=5, max_iter=20, random_state=0).fit(X, y)
    raw = model.decision_function(X)
    hidden = np.maximum(X @ model.coefs_[0] + model.intercepts_[0], 0)
    by_hand = (hidden @ model.coefs_[1] + model.intercepts_[1]).ravel()
    np.testing.assert_allclose(raw, by_hand, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(model.predict(X), (raw > 0).astype(int))
    three = NumpyMLPClassifier(hidden_layer_sizes=5, max_iter=5, random_state=0).fit(X_IRIS, Y_IRIS)
    raw = three.decision_function(X_IRIS)
    assert raw.shape == (150, 3)
    np.testing.assert_array_equal(three.predict(X_IRIS), raw.argmax(axis=1))
    assert raw.sum(axis=1).std() > 0.01  # not probabilities


def test_calibration_prefers_the_decision_function(monkeypatch):
    X, y = load_breast_cancer(return_X_y=True)
    asked = []
    for name in ("decision_function", "predict_proba"):
        original = getattr(NumpyMLPClassifier, name)

        def watched(self, X, name=name, original=original):
            asked.append(name)
            return original(self, X)

        monkeypatch.setattr(NumpyMLPClassifier, name, watched)
    model = NumpyMLPClassifier(hidden_layer_sizes=3, max_iter=3, random_state=0)
    CalibratedClassifierCV(model, cv=2).fit(scale(X), y)
    assert set(asked) == {"decision_function"}


def test_theirs_has_no_decision_function():
    skip_if_they_changed(hasattr(MLPClassifier(), "decision_function"))


def set_between_two_calls(cls, **change):
    X, y = scale(X_IRIS), X_IRIS[:, 0]
    model = cls(hidden_layer_sizes=(4,), random_state=0, shuffle=False).partial_fit(X, y)
    return model.set_params(**change).partial_fit(X, y).predict(X)


def test_what_is_set_between_calls_of_partial_fit_takes_effect():
    for change in ({"learning_rate_init": 0.5}, {"beta_1": 0.1}, {"solver": "sgd"}):
        assert (set_between_two_calls(NumpyMLPRegressor, **change)
                != set_between_two_calls(NumpyMLPRegressor)).any()  # fmt: skip


def test_theirs_goes_on_as_it_was():
    changed = set_between_two_calls(MLPRegressor, learning_rate_init=0.5, beta_1=0.1, solver="sgd")
    skip_if_they_changed((changed != set_between_two_calls(MLPRegressor)).any())


@pytest.mark.parametrize("cls", [NumpyMLPRegressor, MLPRegressor])
def test_after_lbfgs_there_is_no_curve_of_another_solver(cls):
    X, y = scale(X_IRIS), X_IRIS[:, 0]
    model = cls(hidden_layer_sizes=(4,), random_state=0, max_iter=3, warm_start=True).fit(X, y)
    model.set_params(solver="lbfgs").fit(X, y)
    if cls is MLPRegressor:
        skip_if_they_changed(not hasattr(model, "loss_curve_"))
    else:
        assert not hasattr(model, "loss_curve_")


def predictions_after_float32(cls):
    model = cls(hidden_layer_sizes=(4,), max_iter=3, random_state=0)
    model.fit(X_IRIS.astype(np.float32), Y_IRIS)
    predict = getattr(model, "predict_proba", model.predict)
    return predict(X_IRIS), predict(X_IRIS.astype(np.float32)), predict(np.rint(X_IRIS).astype(int))


def test_predictions_have_the_dtype_of_the_network():
    for ours in OURS:
        of_float64, of_float32, of_int = predictions_after_float32(ours)
        assert of_float64.dtype == of_float32.dtype == of_int.dtype == np.float32
        assert np.array_equal(of_float64, of_float32)


def test_theirs_have_the_dtype_of_the_rows():
    for theirs in (MLPClassifier, MLPRegressor):
        of_float64, of_float32, of_int = predictions_after_float32(theirs)
        skip_if_they_changed(of_float64.dtype == np.float32)
        assert of_float64.dtype == of_int.dtype == np.float64 and of_float32.dtype == np.float32


def test_the_tags_say_that_both_take_several_targets():
    assert get_tags(NumpyMLPRegressor()).target_tags.multi_output
    assert get_tags(NumpyMLPClassifier()).target_tags.multi_output
    assert NumpyMLPRegressor(max_iter=1).fit(*several_targets()).predict(X_IRIS).shape == (150, 3)


def test_scikit_learn_does_not_mention_several_targets():
    skip_if_they_changed(get_tags(MLPRegressor()).target_tags.multi_output)


# -------------------------------------------------------------------- messages


@pytest.mark.parametrize(
    ("cls", "rows", "parameters", "says"),
    [
        (NumpyMLPRegressor, slice(0, 10), {}, ["10 rows", "validation_fraction=0.1"]),
        (NumpyMLPClassifier, slice(0, 150, 15), {}, ["10 rows", "3 classes"]),
        (NumpyMLPClassifier, slice(49, 100), {}, ["51 rows", "2 classes"]),
        (NumpyMLPClassifier, slice(0, 150), {"validation_fraction": 0.005}, ["150 rows", "0.005"]),
        (NumpyMLPRegressor, slice(0, 1), {}, ["1 row"]),
    ],
)
def test_too_few_rows_to_validate_with(cls, rows, parameters, says):
    model = cls(early_stopping=True, **parameters)
    with pytest.raises(ValueError) as error:
        model.fit(X_IRIS[rows], Y_IRIS[rows])
    for words in [*says, "early_stopping=False", "more rows"]:
        assert words in str(error.value)
    assert not hasattr(model, "coefs_")


def user_warnings(call, *args, **kwargs):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(*args, **kwargs)
    return [str(w.message) for w in caught if w.category is UserWarning]


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"solver": "adam", "learning_rate": "adaptive"}, ["learning_rate='adaptive'"]),
        ({"solver": "adam", "momentum": 0.5, "power_t": 1}, ["momentum=0.5", "power_t=1"]),
        ({"solver": "sgd", "beta_1": 0.5, "epsilon": 0.1}, ["beta_1=0.5", "epsilon=0.1"]),
        ({"solver": "lbfgs", "early_stopping": True}, ["early_stopping=True"]),
        ({"solver": "lbfgs", "batch_size": 5, "shuffle": False}, ["batch_size=5", "shuffle=False"]),
    ],
)
@pytest.mark.parametrize("cls", OURS)
def test_an_ignored_parameter_warns_once(cls, parameters, names):
    model = cls(max_iter=2, random_state=0, **parameters)
    for _ in range(2):  # once each fit
        (message,) = user_warnings(model.fit, X_IRIS, Y_IRIS)
        assert message.startswith(f"solver={parameters['solver']!r} ignores ")
        for name in names:
            assert name in message
    if model.solver != "lbfgs":
        model = clone(model)
        classes = {"classes": [0, 1, 2]} if cls is NumpyMLPClassifier else {}
        (message,) = user_warnings(model.partial_fit, X_IRIS, Y_IRIS, **classes)
        assert user_warnings(model.partial_fit, X_IRIS, Y_IRIS) == []


@pytest.mark.parametrize("cls", OURS)
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_defaults_and_used_parameters_give_no_warning(cls, solver):
    assert user_warnings(cls(solver=solver, max_iter=2, alpha=0.1).fit, X_IRIS, Y_IRIS) == []


def test_theirs_ignores_in_silence():
    model = MLPClassifier(solver="adam", learning_rate="adaptive", max_iter=2)
    skip_if_they_changed(user_warnings(model.fit, X_IRIS, Y_IRIS))


# -------------------------------------------------------------------- what tests elsewhere cover


@pytest.mark.parametrize("cls", OURS)
def test_a_fit_that_raises_leaves_the_old_one(cls):
    model = cls(hidden_layer_sizes=4, max_iter=3, random_state=0).fit(X_IRIS, Y_IRIS)
    before, curve = model.coefs_[0].copy(), list(model.loss_curve_)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full((150, 4), np.nan), Y_IRIS)
    with pytest.raises(ValueError, match="non-finite"), np.errstate(all="ignore"):
        model.set_params(solver="sgd", learning_rate_init=1e200).fit(X_IRIS, Y_IRIS)
    np.testing.assert_array_equal(model.coefs_[0], before)
    assert model.loss_curve_ == curve


@pytest.mark.parametrize("cls", OURS)
def test_weights_of_another_shape_are_refused(cls):
    model = cls(hidden_layer_sizes=4, max_iter=3, random_state=0).fit(X_IRIS, Y_IRIS)
    with pytest.raises(ValueError, match=r"coefs_\[0\] has shape \(4, 4\)"):
        model.coefs_[0] = np.ones((4, 5))
    model.coefs_[0] = np.zeros((4, 4))
    assert len(np.unique(np.asarray(model.predict(X_IRIS)))) == 1
