# SPDX-License-Identifier: BSD-3-Clause
"""Estimators in scikit-learn's and pandas' tools: pipelines, searches, tables, displays."""

import inspect
import pickle
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import BaggingClassifier, BaggingRegressor, VotingClassifier
from sklearn.exceptions import NotFittedError, UnsetMetadataPassedError
from sklearn.inspection import PartialDependenceDisplay, permutation_importance
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils import get_tags

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor, compare_with_sklearn, explain_step

PAIRS = [(NumpyMLPClassifier, MLPClassifier), (NumpyMLPRegressor, MLPRegressor)]
OURS = [ours for ours, _ in PAIRS]


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return scale(X), y


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return scale(X), y


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return X, scale(y)


def small_classifier(**parameters):
    return NumpyMLPClassifier(
        **{
            "hidden_layer_sizes": 8,
            "max_iter": 40,
            "learning_rate_init": 0.02,
            "random_state": 0,
            **parameters,
        }
    )


def small_regressor(**parameters):
    return NumpyMLPRegressor(
        **{"hidden_layer_sizes": 8, "solver": "lbfgs", "max_iter": 60, "random_state": 0}
        | parameters
    )


# -------------------------------------------------------------------- the constructor


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_the_constructor_is_scikit_learns(ours, theirs):
    mine, other = (inspect.signature(cls.__init__).parameters.values() for cls in (ours, theirs))
    mine, other = ([(p.name, p.kind, p.default) for p in each] for each in (mine, other))
    assert mine[: len(other)] == other
    # what is new comes after, and test_parameters.py looks at it
    assert {kind for _, kind, _ in mine[len(other) :]} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize(
    "method", ["fit", "partial_fit", "predict", "predict_proba", "predict_log_proba", "score"]
)
def test_methods_take_scikit_learns_arguments(ours, theirs, method):
    assert hasattr(ours, method) == hasattr(theirs, method)
    if hasattr(ours, method):
        mine, other = (
            list(inspect.signature(getattr(cls, method)).parameters.items())
            for cls in (ours, theirs)
        )
        assert mine[: len(other)] == other
        new = mine[len(other) :]
        names = ["X_val", "y_val", "sample_weight_val"] if "fit" in method else []
        assert [name for name, _ in new] == names
        for _, argument in new:
            assert argument.kind is inspect.Parameter.KEYWORD_ONLY
            assert argument.default is None


def test_positional_arguments_land_where_they_do_there():
    classifier = NumpyMLPClassifier((3, 2), "tanh")
    assert (classifier.hidden_layer_sizes, classifier.activation) == ((3, 2), "tanh")
    regressor = NumpyMLPRegressor("poisson", 4, "logistic")
    assert (regressor.loss, regressor.hidden_layer_sizes) == ("poisson", 4)
    assert regressor.activation == "logistic"
    with pytest.raises(TypeError):
        NumpyMLPClassifier(5, "tanh", "sgd")


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_parameters_are_got_set_and_shown(ours, theirs):
    changed = {"alpha": 0.5, "solver": "sgd", "hidden_layer_sizes": (3, 4)}
    estimator = ours().set_params(**changed)
    shared = theirs(**changed).get_params()
    news = {name: value for name, value in ours().get_params().items() if name not in shared}
    assert estimator.get_params() == shared | news
    assert repr(estimator) == "Numpy" + repr(theirs(**changed)).replace("\n", "\n     ")
    with pytest.raises(ValueError, match="Invalid parameter 'units'"):
        ours().set_params(units=3)


@pytest.mark.parametrize("ours", OURS)
def test_a_clone_is_unfitted(ours, iris):
    fitted = ours(hidden_layer_sizes=(4,), max_iter=3, random_state=0).fit(*iris)
    twin = clone(fitted)
    assert twin.get_params() == fitted.get_params()
    assert not hasattr(twin, "coefs_")
    with pytest.raises(NotFittedError):
        twin.predict(iris[0])
    twin.fit(*iris)
    np.testing.assert_array_equal(twin.coefs_[0], fitted.coefs_[0])


# -------------------------------------------------------------------- tags and displays


def test_tags():
    classifier, regressor = get_tags(NumpyMLPClassifier()), get_tags(NumpyMLPRegressor())
    assert is_classifier(NumpyMLPClassifier())
    assert is_regressor(NumpyMLPRegressor())
    assert classifier.input_tags.sparse
    assert regressor.input_tags.sparse
    assert classifier.classifier_tags.multi_label
    assert classifier.classifier_tags.multi_class
    assert regressor.target_tags.multi_output
    assert classifier.target_tags.multi_output


@pytest.mark.parametrize("ours", OURS)
def test_the_html_display_links_to_our_pages(ours, iris):
    for estimator in (ours(), ours(max_iter=2).fit(*iris)):
        html = estimator._repr_html_()
        assert ours.__name__ in html
        links = re.findall(r'href="([^"]+)"', html)
        page = (
            f"https://sknumpynet.readthedocs.io/en/stable/generated/sknumpynet.{ours.__name__}.html"
        )
        assert any(link.split("#")[0] == page for link in links), links
        assert not any("scikit-learn.org" in link for link in links)


def test_the_html_display_inside_a_pipeline():
    html = make_pipeline(StandardScaler(), NumpyMLPClassifier())._repr_html_()
    assert "sknumpynet.NumpyMLPClassifier.html" in html
    assert "sklearn.preprocessing.StandardScaler.html" in html


@pytest.mark.parametrize("ours", OURS)
def test_set_output_has_no_effect(ours, iris):
    """It is for transformers; around one it changes nothing here."""
    assert not hasattr(ours(), "set_output")
    pytest.importorskip("pandas")
    pipeline = make_pipeline(StandardScaler(), ours(max_iter=2, random_state=0))
    plain = clone(pipeline).fit(*iris).predict(iris[0])
    with_frames = clone(pipeline).set_output(transform="pandas").fit(*iris).predict(iris[0])
    assert isinstance(with_frames, np.ndarray)
    np.testing.assert_array_equal(plain, with_frames)


# -------------------------------------------------------------------- inside other estimators


def test_pipeline(iris):
    X, y = iris
    pipeline = make_pipeline(StandardScaler(), small_classifier()).fit(X, y)
    assert pipeline.score(X, y) > 0.9
    assert pipeline.predict_proba(X).shape == (150, 3)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(pipeline)).predict_proba(X), pipeline.predict_proba(X)
    )


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_grid_search_in_two_processes_finds_what_theirs_does(ours, theirs, iris):
    grid = {"alpha": [1e-4, 10.0], "hidden_layer_sizes": [(), (6, 3)]}
    searches = [
        GridSearchCV(cls(max_iter=8, random_state=0), grid, cv=3, n_jobs=2).fit(*iris)
        for cls in (ours, theirs)
    ]
    assert searches[0].best_params_ == searches[1].best_params_
    np.testing.assert_allclose(
        searches[0].cv_results_["mean_test_score"],
        searches[1].cv_results_["mean_test_score"],
        rtol=1e-6,
    )
    assert isinstance(searches[0].best_estimator_, ours)


def test_grid_search_by_name_through_a_pipeline(cancer):
    pipeline = make_pipeline(StandardScaler(), small_classifier(max_iter=10))
    grid = {"numpymlpclassifier__activation": ["relu", "tanh"]}
    search = GridSearchCV(pipeline, grid, cv=3, scoring="roc_auc").fit(*cancer)
    assert search.best_score_ > 0.95


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibration(cancer, method):
    X, y = cancer
    calibrated = CalibratedClassifierCV(small_classifier(max_iter=10), method=method, cv=3)
    calibrated.fit(X[:400], y[:400])
    p = calibrated.predict_proba(X[400:])[:, 1]
    assert brier_score_loss(y[400:], p) < 0.05


@pytest.mark.parametrize("batch_size", ["auto", 4])
def test_bagging(iris, batch_size):
    """Bootstraps are weights, many of them zero: batches of four often weigh nothing."""
    bagging = BaggingClassifier(
        small_classifier(batch_size=batch_size), n_estimators=3, random_state=0
    )
    assert bagging.fit(*iris).score(*iris) > 0.85


def test_bagging_regressor(diabetes):
    bagging = BaggingRegressor(
        NumpyMLPRegressor(batch_size=4, max_iter=10, learning_rate_init=0.02, random_state=0),
        n_estimators=2,
        random_state=0,
    )
    assert bagging.fit(*diabetes).score(*diabetes) > 0.3


def test_voting(iris):
    members = [("relu", small_classifier()), ("tanh", small_classifier(activation="tanh"))]
    assert VotingClassifier(members, voting="soft").fit(*iris).score(*iris) > 0.9


def test_permutation_importance(diabetes):
    X, y = diabetes
    X = np.hstack([X, np.zeros((len(X), 1))])
    model = small_regressor(alpha=1.0).fit(X, y)
    importance = permutation_importance(model, X, y, n_repeats=3, random_state=0).importances_mean
    assert importance[-1] == 0
    assert importance[2] > 0.03  # body mass index
    assert importance[8] > 0.03  # a blood value


@pytest.mark.parametrize("kind", ["average", "both"])
def test_partial_dependence(diabetes, kind):
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    X, y = diabetes
    model = small_regressor(alpha=1.0).fit(X, y)
    display = PartialDependenceDisplay.from_estimator(
        model, X, features=[2, 8], kind=kind, grid_resolution=10, subsample=20, random_state=0
    )
    average = display.pd_results[0]["average"][0]
    assert average[-1] > average[0]
    plt.close("all")


def test_cross_validated_predictions(iris, diabetes):
    assert cross_val_predict(small_regressor(), *diabetes, cv=3).shape == (442,)
    for method, shape in [
        ("predict", (150,)),
        ("predict_proba", (150, 3)),
        ("predict_log_proba", (150, 3)),
        ("decision_function", (150, 3)),
    ]:
        found = cross_val_predict(small_classifier(), *iris, cv=3, method=method)
        assert found.shape == shape
        assert np.isfinite(found).all()


@pytest.mark.parametrize("scoring", ["accuracy", "roc_auc", "neg_log_loss", "average_precision"])
def test_scorers(cancer, scoring):
    scores = cross_val_score(small_classifier(max_iter=10), *cancer, cv=3, scoring=scoring)
    assert scores.mean() > (-0.3 if scoring == "neg_log_loss" else 0.9)


# -------------------------------------------------------------------- metadata routing


@pytest.mark.parametrize("ours", OURS)
def test_weights_are_routed_through_a_pipeline(ours, iris):
    X, y = iris
    weights = np.random.RandomState(0).uniform(0, 2, len(y))
    model = ours(max_iter=5, random_state=0)
    direct = clone(model).fit(scale(X), y, sample_weight=weights)
    unweighted = clone(model).fit(scale(X), y)
    with sklearn.config_context(enable_metadata_routing=True):
        asks = clone(model).set_fit_request(sample_weight=True)
        asks.set_score_request(sample_weight=True)
        silent = dict.fromkeys(["X_val", "y_val", "sample_weight_val"])
        assert asks.get_metadata_routing().fit.requests == {"sample_weight": True, **silent}
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, asks).fit(X, y, sample_weight=weights)
        assert pipeline.score(X, y, sample_weight=weights) == pytest.approx(
            direct.score(scale(X), y, sample_weight=weights)
        )
        says_nothing = make_pipeline(scaler, clone(model))
        with pytest.raises(UnsetMetadataPassedError, match=ours.__name__):
            says_nothing.fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(pipeline[-1].coefs_[0], direct.coefs_[0], rtol=1e-6)
    assert not np.allclose(direct.coefs_[0], unweighted.coefs_[0], rtol=1e-6)


@pytest.mark.parametrize("ours", OURS)
def test_partial_fit_takes_a_request_too(ours):
    with sklearn.config_context(enable_metadata_routing=True):
        request = ours().set_partial_fit_request(sample_weight=True).get_metadata_routing()
    assert request.partial_fit.requests["sample_weight"] is True


# -------------------------------------------------------------------- tables


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("ours", OURS)
def test_tables(ours, library, iris):
    tables = pytest.importorskip(library)
    X, y = iris
    names = ["sepal length", "sepal width", "petal length", "petal width"]
    frame = tables.DataFrame(dict(zip(names, X.T, strict=True)))
    target = tables.Series("species", y) if library == "polars" else tables.Series(y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ours(hidden_layer_sizes=5, max_iter=200, random_state=0, tol=1.0)
        model.fit(frame, target)
        prediction = model.predict(frame)
        model.score(frame, target)
    plain = clone(model).fit(X, y)
    assert list(model.feature_names_in_) == names
    assert model.n_features_in_ == 4
    assert not hasattr(plain, "feature_names_in_")
    np.testing.assert_allclose(model.coefs_[0], plain.coefs_[0], rtol=1e-10)
    np.testing.assert_allclose(prediction, plain.predict(X), rtol=1e-10)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)
    for wrong in (names[::-1], ["a", *names[1:]]):
        renamed = tables.DataFrame(dict(zip(wrong, X.T, strict=True)))
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(renamed)


def test_labels_from_a_table_are_what_is_predicted(iris):
    pandas = pytest.importorskip("pandas")
    X, y = iris
    species = pandas.Series(np.array(["setosa", "versicolor", "virginica"])[y])
    for target in (species, species.astype("category"), species.astype(object)):
        model = small_classifier(solver="lbfgs", learning_rate_init=0.001).fit(X, target)
        assert set(model.predict(X)) == {"setosa", "versicolor", "virginica"}
        assert model.score(X, target) > 0.95


# -------------------------------------------------------------------- the cost of importing


def test_importing_pulls_in_no_plotting_and_no_tables():
    code = (
        "import sys, sklearn.neural_network; before = set(sys.modules); import sknumpynet; "
        "print(*{name.split('.')[0] for name in set(sys.modules) - before})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    )
    new = set(done.stdout.split())
    assert "sknumpynet" in new
    needed = {"sknumpynet", "sklearn", "numpy", "scipy", "joblib"}
    assert new <= needed | set(sys.stdlib_module_names), new


class FewParameters:
    """Sets most parameters itself, and has one of its own."""

    def __init__(self, alpha=0.1, extra=2):
        super().__init__(hidden_layer_sizes=(3, 2), alpha=alpha, max_iter=4, random_state=0)
        self.extra = extra


class SmallClassifier(FewParameters, NumpyMLPClassifier):
    pass


class SmallRegressor(FewParameters, NumpyMLPRegressor):
    pass


class TheirSmallClassifier(FewParameters, MLPClassifier):
    pass


class TheirSmallRegressor(FewParameters, MLPRegressor):
    pass


SMALL = [(SmallClassifier, TheirSmallClassifier), (SmallRegressor, TheirSmallRegressor)]


@pytest.mark.parametrize("ours, theirs", SMALL)
@pytest.mark.parametrize("how", ["fit", "partial_fit", "scoring"])
def test_subclass_with_few_parameters_is_fitted_like_scikit_learns(iris, ours, theirs, how):
    X, y = iris
    models = []
    for base in (ours, theirs):
        model = clone(base(alpha=0.5))
        if how == "partial_fit":
            model.partial_fit(X, y, **({"classes": [0, 1, 2]} if is_classifier(model) else {}))
        elif how == "scoring" and base is ours:
            model.scoring = "accuracy" if is_classifier(model) else "r2"
            model.fit(X, y, X_val=X, y_val=y)
            assert model.validation_scores_[-1] == pytest.approx(model.score(X, y))
        else:
            model.fit(X, y)
        models.append(model)
    ours, theirs = models
    assert ours.get_params() == {"alpha": 0.5, "extra": 2}
    for mine, its in zip(ours.coefs_, theirs.coefs_, strict=True):
        assert_allclose(mine, its, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("small", [ours for ours, _ in SMALL])
def test_tools_read_the_parameters_that_a_subclass_sets_itself(iris, small):
    X, y = iris
    model = small().fit(X, y)
    expected = {"hidden_layer_sizes": (3, 2), "alpha": 0.1, "max_iter": 4, "random_state": 0}
    theirs = model.to_sklearn().get_params()
    assert {name: theirs[name] for name in expected} == expected
    assert compare_with_sklearn(model, X, y).coef_difference < 1e-9
    explained = explain_step(model, X[:1], y[:1])
    again = clone(model).fit(X, y).partial_fit(X[:1], y[:1])
    assert_allclose(explained.layers[0]["new_W"], again.coefs_[0], rtol=1e-12)
