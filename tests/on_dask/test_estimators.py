"""The two estimators: parameters, client, copies, lazy predictions, and the tools around scikit-learn."""

import asyncio
import contextvars
import copy
import importlib.util
import pickle
import threading
import warnings

import numpy as np
import pytest

distributed = pytest.importorskip("distributed")

import dask
import dask.array as da
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknumpynet
from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.dask import DaskNumpyMLPClassifier, DaskNumpyMLPRegressor

from .rows import apart, classes, delayed, left_on, numbers, on_dask

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

needs_callbacks = pytest.mark.skipif(
    importlib.util.find_spec("sklearn.callback") is None,
    reason="callbacks came with scikit-learn 1.9",
)
X, Y = classes(100)
QUICK = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0}
PAIRS = [(NumpyMLPClassifier, DaskNumpyMLPClassifier), (NumpyMLPRegressor, DaskNumpyMLPRegressor)]


@pytest.fixture
def fitted(client):
    return DaskNumpyMLPClassifier(**QUICK).fit(on_dask(X), on_dask(Y))


# -------------------------------------------------------------------- parameters and copies


@pytest.mark.parametrize(("local", "remote"), PAIRS)
def test_parameters_are_the_local_ones_and_two(local, remote):
    expected = local().get_params() | {"retries": 3, "timeout": 60}
    assert remote().get_params() == expected
    model = remote((3,) if local is NumpyMLPClassifier else "huber", retries=0, alpha=1.0)
    assert model.set_params(timeout=5).timeout == 5
    assert clone(model).get_params() == model.get_params()
    assert repr(model) == repr(remote(**model.get_params()))
    assert "retries" in repr(model) and "client" not in repr(model)
    with pytest.raises(TypeError, match="nonsense"):
        remote(nonsense=1)
    with pytest.raises(TypeError, match=r"client is an attribute.*model\.client = client"):
        remote(client=None)


class FewParameters:
    """Sets most parameters itself."""

    def __init__(self, alpha=0.1, seed=0, hidden=(3, 2)):
        super().__init__(hidden_layer_sizes=hidden, alpha=alpha, max_iter=3, random_state=seed)
        self.seed, self.hidden = seed, hidden


class FewOfTheLocal(FewParameters, NumpyMLPClassifier):
    pass


class FewOfTheRemote(FewParameters, DaskNumpyMLPClassifier):
    pass


def test_a_subclass_with_few_parameters_is_fitted_as_the_local_one(client):
    rng = np.random.default_rng(0)
    for seed in range(4):
        options = {"seed": seed, "alpha": 10 ** -rng.uniform(1, 4)}
        options["hidden"] = tuple(rng.integers(2, 6, size=rng.integers(1, 3)).tolist())
        remote = clone(FewOfTheRemote(**options)).fit(on_dask(X), on_dask(Y))
        local = FewOfTheLocal(**options).fit(X, Y)
        for model in (remote, remote.to_local()):
            for mine, its in zip(model.coefs_, local.coefs_, strict=True):
                np.testing.assert_allclose(mine, its, rtol=1e-9, atol=1e-12)
        assert remote.get_params() == options
        np.testing.assert_allclose(remote.predict_proba(X), local.predict_proba(X), rtol=1e-9)
        assert remote.to_local().hidden_layer_sizes == options["hidden"]


@pytest.mark.parametrize("name", ["retries", "timeout"])
@pytest.mark.parametrize("value", [-1, "x", None])
def test_bad_values_of_the_two_are_refused(client, name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter"):
        DaskNumpyMLPClassifier(**{name: value}).fit(X, Y)


def test_client_is_an_attribute_that_copies_do_not_have(client, fitted):
    assert fitted.client is None
    fitted.client = client
    assert "client" not in fitted.get_params()
    for other in (clone(fitted), pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        assert other.client is None
    assert fitted.client is client


def test_without_a_client(client, monkeypatch):
    monkeypatch.setattr(distributed.client, "_global_clients", {})
    model = DaskNumpyMLPClassifier(**QUICK)
    with pytest.raises(ValueError, match="There is no Dask client: make one"):
        contextvars.Context().run(model.fit, on_dask(X), on_dask(Y))
    model.client = client
    assert model.fit(on_dask(X), on_dask(Y)).n_iter_ == 3


def test_an_asynchronous_client_is_refused(client):
    async def fit():
        async with distributed.Client(client.scheduler.address, asynchronous=True) as other:
            model = DaskNumpyMLPClassifier(**QUICK)
            model.client = other
            model.fit(on_dask(X), on_dask(Y))

    with pytest.raises(TypeError, match=r"asynchronous.*asyncio\.to_thread"):
        asyncio.run(fit())


def test_what_is_no_client_is_refused():
    model = DaskNumpyMLPClassifier(**QUICK)
    model.client = "tcp://127.0.0.1:8786"
    with pytest.raises(TypeError, match=r"client must be a distributed\.Client; got 'tcp"):
        model.fit(on_dask(X), on_dask(Y))


def test_a_closed_client_is_refused(fitted):
    with distributed.LocalCluster(
        n_workers=1, processes=False, dashboard_address=None, threads_per_worker=1
    ) as cluster:
        fitted.client = distributed.Client(cluster, set_as_default=False)
        fitted.client.close()
    for call in (fitted.fit, fitted.partial_fit, fitted.score):
        with pytest.raises(ValueError, match="client is closed: make another"):
            call(on_dask(X), on_dask(Y))


@pytest.mark.parametrize("pair", PAIRS)
def test_to_local(client, pair):
    y = Y if pair[0] is NumpyMLPClassifier else numbers(100)[1]
    model = pair[1](**QUICK).fit(on_dask(X), on_dask(y))
    local = model.to_local()
    assert type(local) is pair[0]
    assert local.get_params() == pair[0](**QUICK).get_params()
    np.testing.assert_array_equal(local.predict(X), model.predict(X))
    assert local.history_ == model.history_ and local.loss_ == model.loss_
    before = model.predict(X).copy()
    reference = pair[0](**QUICK).fit(X, y).partial_fit(X, y)
    assert apart(local.partial_fit(X, y), reference) < 1e-12  # with the moments
    np.testing.assert_array_equal(model.predict(X), before)  # a copy of its own
    with pytest.raises(NotFittedError):
        pair[1]().to_local().predict(X)


def test_pickles_predict_and_go_on(client, fitted):
    other = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(other.predict_proba(X), fitted.predict_proba(X))
    assert apart(other.partial_fit(on_dask(X), on_dask(Y)), fitted.partial_fit(X, Y)) < 1e-12


def test_html(fitted):
    assert "DaskNumpyMLPClassifier" in fitted._repr_html_()
    assert "DaskNumpyMLPRegressor" in DaskNumpyMLPRegressor()._repr_html_()


# -------------------------------------------------------------------- lazy predictions


METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function")


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_predictions_are_lazy_and_local_for_arrays(client, name, n_classes):
    X, y = classes(100, n_classes)
    labels = np.array(["a", "bb", "ccc"])[y]
    model = DaskNumpyMLPClassifier(**QUICK).fit(on_dask(X), on_dask(labels))
    method = getattr(model, name)
    here = method(X)
    assert type(here) is np.ndarray
    lazy = method(on_dask(X, 30))
    assert isinstance(lazy, da.Array)
    assert (lazy.shape, lazy.dtype, lazy.chunks[0]) == (here.shape, here.dtype, (30, 30, 30, 10))
    computed = lazy.compute()
    assert computed.dtype == here.dtype
    if name == "predict":
        np.testing.assert_array_equal(computed, here)
    else:
        np.testing.assert_allclose(computed, here)
    # blocks without rows, sizes that are not known, chunks of columns
    blocks = method(delayed(X, 0, 30, 30, 100)).compute()
    assert blocks.shape == here.shape and blocks.dtype == here.dtype
    unknown = method(on_dask(X)[on_dask(X[:, 0]) > 0]).compute()
    assert len(unknown) == (X[:, 0] > 0).sum()
    wide = method(da.from_array(X, chunks=(50, 3)))
    assert wide.chunks[0] == (50, 50) and wide.compute().shape == here.shape


def test_predictions_for_other_columns(client, fitted):
    with pytest.raises(ValueError, match=r"X has 3 features, but .* expecting 4"):
        fitted.predict(on_dask(X[:, :3]))
    with pytest.raises(NotFittedError):
        DaskNumpyMLPClassifier().predict(on_dask(X))


def test_a_model_goes_into_the_graph_once(client):
    model = DaskNumpyMLPClassifier(**{**QUICK, "hidden_layer_sizes": (2000,)}).fit(X, Y)
    model.unpicklable_ = threading.Lock()  # such as a callback holds: it does not go along
    model.classes_, model.out_activation_ = np.array(["a", "b"]), "identity"
    size = len(pickle.dumps(model._model))
    graph = dict(model.predict(on_dask(X, 5)).__dask_graph__())
    held = [each for each in graph.values() if len(pickle.dumps(each)) > size / 2]
    assert len(held) == 1 and len(pickle.dumps(held)) < 1.1 * size
    assert model.predict(on_dask(X)).compute().tolist() == model.predict(X).tolist()
    assert "a" in model.predict(X)
    outputs = model.predict_proba(on_dask(X)).compute()
    np.testing.assert_allclose(outputs, model.predict_proba(X), rtol=1e-12)


def test_methods_that_take_rows_in_memory_say_so(client, fitted):
    for name in ("hidden_activations", "input_gradient"):
        with pytest.raises(TypeError, match=r"rows in memory.*model\.to_local\(\) on each block"):
            getattr(fitted, name)(on_dask(X))
    local = fitted.to_local()  # and as they say, it goes
    blocks = [dask.delayed(local.input_gradient)(each) for each in on_dask(X).to_delayed().ravel()]
    np.testing.assert_allclose(np.concatenate(dask.compute(*blocks)), local.input_gradient(X))


@pytest.mark.parametrize("fit_to_names", [True, False])
def test_names_of_columns_are_warned_of_once(client, fit_to_names):
    """In the client, and not by each task on a worker."""
    pandas = pytest.importorskip("pandas")
    frames = pytest.importorskip("dask.dataframe")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    given = frame, X
    there = frames.from_pandas(frame, npartitions=4), on_dask(X)
    if not fit_to_names:
        given, there = given[::-1], there[::-1]
    model = DaskNumpyMLPClassifier(**QUICK).fit(given[0], Y)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        predicted = [model.predict(each).compute() for each in there]
        scores = [model.score(each, on_dask(Y)) for each in there]
    says = "X does" if fit_to_names else "X has "
    told = [str(each.message)[:6] for each in caught if "feature names" in str(each.message)]
    assert told == [says, says]  # by predict and by score
    for each in predicted:
        np.testing.assert_array_equal(each, model.predict(given[0]))
    assert scores == [model.score(given[0], Y)] * 2
    with pytest.raises(ValueError, match=r"features.*expecting|feature names should match"):
        model.score(there[0][there[0].columns[:3]] if fit_to_names else there[0][:, :3], on_dask(Y))


def test_score(client, fitted):
    weights = np.linspace(0.1, 2, 100)
    score = fitted.score(on_dask(X), on_dask(Y, 33))
    assert isinstance(score, float) and score == fitted.to_local().score(X, Y)
    there = fitted.score(delayed(X, 0, 40), delayed(Y, 0, 40), delayed(weights, 0, 40))
    assert there == pytest.approx(fitted.to_local().score(X, Y, weights), rel=1e-12)
    # labels that the fit has not seen are wrong
    assert fitted.score(on_dask(X), on_dask(Y + 7)) == 0
    fitted.client = client
    assert fitted.score(on_dask(X), on_dask(Y)) == score


@pytest.mark.parametrize("pair", PAIRS)
def test_a_score_of_no_rows(client, pair):
    model = pair[1](**QUICK).fit(X, Y)
    none = on_dask(X)[on_dask(X[:, 0]) > 100], on_dask(Y)[on_dask(X[:, 0]) > 100]
    with pytest.raises(ValueError, match="X must not be empty"):
        model.score(*none)


# -------------------------------------------------------------------- other ways to train


@pytest.mark.parametrize("pair", PAIRS)
def test_partial_fit(client, pair):
    y = Y if pair[0] is NumpyMLPClassifier else numbers(100)[1]
    first = {"classes": [0, 1]} if pair[0] is NumpyMLPClassifier else {}
    local, remote = (cls(**QUICK) for cls in pair)
    for call in range(3):
        rows = slice(20 * call, 20 * call + 60)
        local.partial_fit(X[rows], y[rows], **(first if call == 0 else {}))
        remote.partial_fit(on_dask(X[rows]), on_dask(y[rows]), **(first if call == 0 else {}))
    assert apart(local, remote) < 1e-12
    assert remote.t_ == local.t_ == 180
    assert remote.loss_curve_ == pytest.approx(local.loss_curve_)
    if first:
        with pytest.raises(ValueError, match="classes"):
            pair[1](**QUICK).partial_fit(on_dask(X), on_dask(y))
        with pytest.raises(ValueError, match=r"classes not in"):
            remote.partial_fit(on_dask(X), on_dask(y + 5))
        assert apart(local, remote) < 1e-12
    assert not hasattr(pair[1](solver="lbfgs"), "partial_fit")


def test_initialize(client):
    local = NumpyMLPClassifier(**QUICK).initialize(X, Y)
    assert apart(local, DaskNumpyMLPClassifier(**QUICK).initialize(on_dask(X), on_dask(Y))) == 0
    assert not left_on(client)


def test_a_split_is_the_local_one(client):
    parameters = {
        **QUICK,
        "early_stopping": True,
        "scoring": "accuracy",
        "validation_fraction": 0.3,
    }
    for X_, y in (classes(100, 3), classes(100, 2)):
        weights = np.linspace(0.1, 1, 100)
        local = NumpyMLPClassifier(**parameters).fit(X_, y, weights)
        remote = DaskNumpyMLPClassifier(**parameters)
        remote.fit(on_dask(X_), on_dask(y), on_dask(weights))
        assert apart(local, remote) < 1e-12
        assert remote.validation_scores_ == pytest.approx(local.validation_scores_)


def test_in_memory_it_is_the_local_estimator():
    """No client is needed, and the bits are the same."""
    for pair in PAIRS:
        y = Y if pair[0] is NumpyMLPClassifier else numbers(100)[1]
        local, remote = (cls(**QUICK).fit(X, y) for cls in pair)
        assert apart(local, remote) == 0
        assert remote.score(X, y) == local.score(X, y)


def test_a_failed_fit_changes_nothing(client, fitted):
    before = {name: value for name, value in vars(fitted).items()}
    with pytest.raises(ValueError):
        fitted.fit(on_dask(X), on_dask(Y + 0.5))
    assert vars(fitted) == before
    assert not left_on(client)


# -------------------------------------------------------------------- two fits, and fits in tasks


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_fits_at_once_and_in_tasks(client, solver):
    """Ranks wait for each other: they would for ever, where each of two fits held one of two threads."""
    parameters = {**QUICK, "solver": solver, "timeout": 30}
    local = NumpyMLPClassifier(**{**QUICK, "solver": solver}).fit(X, Y)
    models = [DaskNumpyMLPClassifier(**parameters) for _ in range(3)]
    threads = [threading.Thread(target=m.fit, args=(on_dask(X), on_dask(Y))) for m in models]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)

    def task(number):
        return DaskNumpyMLPClassifier(**parameters).fit(on_dask(X), on_dask(Y))

    models += client.gather(client.map(task, range(3), pure=False))
    assert [apart(local, model) < 1e-9 for model in models] == [True] * 6


# -------------------------------------------------------------------- around scikit-learn


def test_a_search_over_rows_in_memory(client):
    pipeline = make_pipeline(StandardScaler(), DaskNumpyMLPClassifier(**QUICK))
    search = GridSearchCV(pipeline, {"dasknumpymlpclassifier__alpha": [0, 1.0]}, cv=2).fit(X, Y)
    assert search.best_score_ > 0.3


def test_a_search_over_a_collection(client):
    grid = {"alpha": [0, 10.0]}
    searches = [
        GridSearchCV(cls(**QUICK), grid, cv=2).fit(*data)
        for cls, data in zip(PAIRS[0], [(X, Y), (on_dask(X), on_dask(Y))])
    ]
    scores = [search.cv_results_["mean_test_score"] for search in searches]
    np.testing.assert_allclose(*scores)


@pytest.mark.parametrize("cls", [NumpyMLPClassifier, NumpyMLPRegressor])
def test_a_local_fit_says_what_it_does_with_a_collection(cls):
    with pytest.warns(UserWarning, match=f"loads all of its rows.*Dask{cls.__name__}") as caught:
        model = cls(**QUICK).fit(on_dask(X), on_dask(Y))
    assert sum("loads all" in str(each.message) for each in caught) == 1
    assert caught[0].filename == __file__
    assert apart(model, cls(**QUICK).fit(X, Y)) == 0
    with warnings.catch_warnings(record=True) as caught:
        cls(**QUICK).fit(X, Y)
    assert not [each for each in caught if "loads all" in str(each.message)]


def test_import_of_the_package_does_not_import_dask():
    assert not hasattr(sknumpynet, "DaskNumpyMLPClassifier")


# -------------------------------------------------------------------- callbacks and checkpoints


class CrashAfter:
    """A callback that ends a fit by an exception after so many epochs."""

    def __init__(self, epochs):
        self.epochs = epochs

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch" and context.task_id + 1 >= self.epochs:
            raise OSError("the machine of the client is gone")

    def teardown(self, estimator, context):
        pass


@needs_callbacks
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_checkpoint_goes_on_with_another_number_of_workers(client, tmp_path, early_stopping):
    path, rows = tmp_path / "fit.checkpoint", (on_dask(X, 20), on_dask(Y, 20))
    parameters = {**QUICK, "max_iter": 8, "early_stopping": early_stopping, "batch_size": 10}
    model = DaskNumpyMLPClassifier(**parameters)
    model.set_callbacks(sknumpynet.Checkpoint(path), CrashAfter(5))
    with pytest.raises(OSError, match="is gone"):
        model.fit(*rows)
    assert path.exists() and not left_on(client)
    seen = []
    model.set_callbacks(sknumpynet.Checkpoint(path), sknumpynet.LogEpochs(seen.append))
    with distributed.Client(
        processes=False, n_workers=3, threads_per_worker=1, dashboard_address=None
    ) as other:
        model.client = other
        with pytest.raises(ValueError, match="data"):  # of other rows
            model.fit(on_dask(X[1:], 20), on_dask(Y[1:], 20))
        model.fit(*rows)
    assert [row["epoch"] for row in seen] == [6, 7, 8]
    local = NumpyMLPClassifier(**parameters).fit(X, Y)
    assert apart(local, model) < 1e-9
    assert model.history_["epoch"] == local.history_["epoch"]
    assert model.loss_curve_ == pytest.approx(local.loss_curve_)
    assert not path.exists()


@needs_callbacks
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_callbacks_see_every_epoch(client, solver):
    rows = on_dask(X), on_dask(Y)
    monitors, models = [], []
    for cls in PAIRS[0]:
        monitors.append(sknumpynet.ValidationMonitor(X, Y))
        models.append(cls(**{**QUICK, "solver": solver}))
        models[-1].set_callbacks(monitors[-1])
    models[0].fit(X, Y)
    models[1].fit(*rows)
    assert monitors[1].epochs_ == monitors[0].epochs_
    assert monitors[1].scores_ == pytest.approx(monitors[0].scores_)
