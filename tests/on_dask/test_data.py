"""Rows on the workers: described, checked, dealt out, and left there."""

import pickle
import time
import warnings

import numpy as np
import pytest

distributed = pytest.importorskip("distributed")

import dask
import dask.array as da
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning

from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.dask import DaskNumpyMLPClassifier, DaskNumpyMLPRegressor
from sknumpynet.dask.blocks import Description, load
from sknumpynet.dask.client import Cluster
from sknumpynet.dask.data import SMALL, ClusterData, deal
from sknumpynet.dask.description import check_described

from .rows import apart, classes, delayed, left_on, numbers, on_dask

QUICK = {"hidden_layer_sizes": (5,), "solver": "lbfgs", "max_iter": 5, "random_state": 0}


@pytest.fixture
def dealt(monkeypatch):
    """The data of each fit as they are dealt out."""
    seen = []
    deal_out = ClusterData.dealt_out

    def noting(data):
        seen.append(deal_out(data))
        return seen[-1]

    monkeypatch.setattr(ClusterData, "dealt_out", noting)
    return seen


def fit(X, y, sample_weight=None, **parameters):
    return DaskNumpyMLPClassifier(**{**QUICK, **parameters}).fit(X, y, sample_weight)


# -------------------------------------------------------------------- how rows may be divided

X, Y = classes()
WEIGHTS = np.random.RandomState(1).uniform(0.5, 2, len(X))


@pytest.mark.parametrize(
    "parts",
    {
        "even": lambda: (on_dask(X), on_dask(Y)),
        "one chunk": lambda: (on_dask(X, 120), on_dask(Y, 120)),
        "y partitioned otherwise": lambda: (on_dask(X), on_dask(Y, 17)),
        "chunks of columns": lambda: (da.from_array(X, chunks=(40, 3)), on_dask(Y, 40)),
        "delayed": lambda: (delayed(X, 1, 50), delayed(Y, 1, 50)),
        "partitions without rows": lambda: (delayed(X, 0, 30, 30, 120), delayed(Y, 0, 30, 30, 120)),
        "single rows": lambda: (delayed(X, *range(1, 25)), delayed(Y, *range(1, 25))),
        "sizes not known": lambda: (on_dask(X)[on_dask(X[:, 0]) > -9], on_dask(Y)[on_dask(Y) > -9]),
    }.items(),
    ids=lambda pair: pair[0],
)
def test_rows_divided_in_any_way_give_the_local_fit(client, parts):
    local = NumpyMLPClassifier(**QUICK).fit(X, Y)
    remote = fit(*parts[1]())
    assert apart(local, remote) < 1e-9
    assert remote.n_iter_ == local.n_iter_
    assert not left_on(client)


def test_classes_that_some_partitions_lack(client):
    order = np.argsort(Y, kind="stable")
    local = NumpyMLPClassifier(**QUICK).fit(X[order], Y[order])
    remote = fit(on_dask(X[order], 20), on_dask(Y[order], 20))
    assert apart(local, remote) < 1e-9
    assert remote.classes_.dtype == local.classes_.dtype


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 3.0}])
def test_weights(client, class_weight, solver):
    parameters = {**QUICK, "class_weight": class_weight, "solver": solver}
    few = slice(0, 90)  # so that the classes are not even
    order = np.argsort(Y, kind="stable")[few]
    data = X[order], Y[order], WEIGHTS[order]
    for n in (2, 3):
        local = NumpyMLPClassifier(**parameters).fit(*data[:n])
        remote = fit(
            *(on_dask(each) for each in data[:n]), class_weight=class_weight, solver=solver
        )
        assert apart(local, remote) < 1e-9


def test_frames_keep_their_names(client):
    pandas = pytest.importorskip("pandas")
    frames = pytest.importorskip("dask.dataframe")
    frame = pandas.DataFrame(X, columns=list("abcd")).assign(c=np.arange(120), y=Y)
    local = NumpyMLPClassifier(**QUICK).fit(frame[list("abcd")], frame["y"])
    rows = frames.from_pandas(frame, npartitions=5)
    remote = fit(rows[list("abcd")], rows["y"])
    assert apart(local, remote) < 1e-7
    assert remote.feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        remote.predict(rows[list("dcba")])


def test_small_files_are_not_joined_apart(client, tmp_path):
    """Dask joins small Parquet files to partitions whose number goes by the columns that are read."""
    pandas = pytest.importorskip("pandas")
    frames = pytest.importorskip("dask.dataframe")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame(X, columns=list("abcd")).assign(y=Y)
    frames.from_pandas(frame, npartitions=10).to_parquet(tmp_path)
    rows = frames.read_parquet(tmp_path)
    assert len(rows["y"].to_delayed()) < 10  # so does it now
    remote = fit(rows[list("abcd")], rows["y"])
    assert apart(NumpyMLPClassifier(**QUICK).fit(X, Y), remote) < 1e-9


def test_what_x_and_y_have_in_common_is_computed_once(tmp_path):
    def load(first):
        (tmp_path / "loaded").open("a").write(f"{first} ")
        return np.column_stack([X, Y])[first : first + 40]

    tables = [da.from_delayed(dask.delayed(load)(i), (40, 5), float) for i in (0, 40, 80)]
    table = da.concatenate(tables)
    fit(table[:, :4], table[:, 4])
    assert sorted((tmp_path / "loaded").read_text().split()) == ["0", "40", "80"]


@pytest.mark.parametrize("form", [sp.csr_matrix, sp.csc_matrix, sp.csr_array])
def test_sparse_blocks(client, form):
    rows = sp.random(90, 12, 0.3, "csr", random_state=0)
    y = np.asarray(rows.sum(axis=1)).ravel() > 1.7
    local = NumpyMLPClassifier(**QUICK).fit(rows, y)
    blocks = [dask.delayed(form)(rows[i : i + 30]) for i in (0, 30, 60)]
    remote = fit(blocks, delayed(y, 30, 60))
    assert apart(local, remote) < 1e-9
    assert remote.predict(blocks).compute().tolist() == local.predict(rows).tolist()


@pytest.mark.parametrize(
    "y",
    {
        "text": np.array(["no", "perhaps", "yes!"])[np.digitize(X[:, 0], [-0.5, 0.5])],
        "objects": np.array(["no", "yes"], dtype=object)[Y],
        "large": Y * 10**12,
        "bool": Y > 0,
        "indicator": (X[:, :3] > 0).astype(int),
        "sparse indicator": sp.csr_matrix((X[:, :3] > 0).astype(int)),
        "columns": np.digitize(X[:, :2], [-0.5, 0.5]),
        "columns of text": np.array(["a", "b", "c"])[np.digitize(X[:, :2], [-0.5, 0.5])],
        "one class": np.zeros(120, int),
    }.items(),
    ids=lambda pair: pair[0],
)
def test_kinds_of_labels(client, y):
    y = y[1]
    local = NumpyMLPClassifier(**QUICK).fit(X, y)
    remote = fit(delayed(X, 7, 61), delayed(y, 7, 61))
    assert apart(local, remote) < 1e-7
    assert type(remote._model.target) is type(local._model.target)
    ours, theirs = remote.predict(on_dask(X)), local.predict(X)
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    ours = ours.compute()
    assert type(ours) is type(theirs)
    assert not (ours != theirs).sum()
    assert remote.score(delayed(X, 7, 61), delayed(y, 7, 61)) == local.score(X, y)
    proba = remote.predict_proba(on_dask(X))
    pairs = zip(*(p if isinstance(p, list) else [p] for p in (proba, local.predict_proba(X))))
    for ours, theirs in pairs:
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours.compute(), theirs, atol=1e-6)


@pytest.mark.parametrize(
    ("y", "parameters"),
    [
        (lambda x: x[:, 0] ** 2, {}),
        (lambda x: x[:, :2] ** 2, {}),
        (lambda x: (x[:, 0] ** 2).astype(np.float32), {}),
        (lambda x: x[:, 0] ** 2, {"loss": "poisson"}),
        (lambda x: x[:, 0] ** 2, {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]}),
        (lambda x: x[:, 0] ** 2, {"solver": "adam", "dtype": "float32"}),
    ],
)
def test_kinds_of_numbers(client, y, parameters):
    y = y(X)
    parameters = {**QUICK, **parameters}
    local = NumpyMLPRegressor(**parameters).fit(X, y)
    remote = DaskNumpyMLPRegressor(**parameters).fit(on_dask(X), on_dask(y))
    tolerance = 1e-5 if parameters.get("dtype") == "float32" else 1e-7
    assert apart(local, remote) < tolerance
    ours, theirs = remote.predict(on_dask(X)), local.predict(X)
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    np.testing.assert_allclose(ours.compute(), theirs, rtol=1e-4, atol=1e-5)
    for weights in (None, WEIGHTS):
        there = None if weights is None else on_dask(weights)
        score = remote.score(on_dask(X), on_dask(y), there)
        assert isinstance(score, float)
        assert score == pytest.approx(local.score(X, y, weights), abs=tolerance)


# -------------------------------------------------------------------- what is wrong is said, with its place


def with_value(array, row, value):
    array = array.copy()
    array[row] = value
    return array


@pytest.mark.parametrize(
    ("X_parts", "y_parts", "says"),
    [
        (
            with_value(X, (60, 2), np.nan),
            Y,
            ["1 of 5 partitions", "partition 2: X has missing values"],
        ),
        (with_value(X, (0, 2), np.inf), Y, ["partition 0: ", "infinity"]),
        (X, with_value(Y + 0.5, 60, np.nan), ["partition 2: y"]),
        (X, Y + 0.5, ["5 of 5 partitions", "partitions 0, 1, 2, 3, 4: Unknown label type: cont"]),
        (X, Y + 0.5, ["use DaskNumpyMLPRegressor"]),
        (with_value(X, (0, 2), np.nan), Y, ["put SimpleImputer() of dask_ml.impute in front"]),
        (X.astype(str), Y, ["X must hold numbers"]),
        (X[:0], Y[:0], ["X must not be empty"]),
    ],
)
def test_what_is_wrong_with_a_partition(client, X_parts, y_parts, says):
    model = DaskNumpyMLPClassifier(**QUICK)
    if X_parts.dtype.kind == "U":
        X_parts = with_value(X_parts.astype(object), (3, 1), "two")
    with pytest.raises(ValueError) as caught:
        model.fit(on_dask(X_parts), on_dask(y_parts))
    for each in says:
        assert each in str(caught.value)
    assert not hasattr(model, "classes_")
    del caught
    assert not left_on(client)


def test_all_problems_are_named_at_once(client):
    X_parts = [*delayed(X, 30, 60, 90)]
    X_parts[1] = dask.delayed(X[30:60, :3])
    X_parts[3] = dask.delayed(with_value(X[90:], (0, 0), np.nan))
    y_parts = [*delayed(Y, 30, 60, 90)]
    y_parts[2] = dask.delayed(Y[60:89])
    with pytest.raises(ValueError) as caught:
        fit(X_parts, y_parts)
    message = str(caught.value)
    assert "3 of 4 partitions" in message
    assert "partition 1: X has 3 columns, and 4 in partition 0" in message
    assert "partition 2: y and X must have the same number of rows" in message
    assert "partition 3: X has missing values" in message


def test_a_problem_of_many_partitions_is_told_once(client):
    blocks = [*delayed(X, *range(5, 120, 5))]
    blocks[3] = dask.delayed(X[15:20, :3])
    with pytest.raises(ValueError) as caught:
        fit(blocks, on_dask(Y + 0.5, 5))
    first, many, *others = str(caught.value).splitlines()
    assert first == "24 of 24 partitions cannot be used."
    assert many.startswith(
        "partitions 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 14 more: Unknown label type"
    )
    assert not others


def test_reasons_are_counted_beyond_the_first_ten():
    described = [Description(f"reason {i % 12}", (1, 1)) for i in range(30)]
    with pytest.raises(ValueError) as caught:
        check_described(described)
    lines = str(caught.value).splitlines()
    assert (
        lines[1] == "partitions 0, 12, 24: reason 0" and lines[10] == "partitions 9, 21: reason 9"
    )
    assert lines[11:] == ["... and 2 other problems"]


def test_missing_labels_are_named():
    pandas = pytest.importorskip("pandas")
    labels = pandas.Series(np.array(["a", "b"])[Y], dtype="string")
    labels[70] = pandas.NA
    with pytest.raises(ValueError, match="partition 1: y has missing values"):
        fit(delayed(X, 60), delayed(labels, 60))


def test_rows_of_two_samples_are_warned_of(client):
    """As many rows of each, and other ones: nothing but the index tells."""
    pandas = pytest.importorskip("pandas")
    frames = pytest.importorskip("dask.dataframe")
    rows = frames.from_pandas(pandas.DataFrame(X, columns=list("abcd")).assign(y=Y), npartitions=3)
    X_of = list("abcd")
    with pytest.warns(UserWarning, match="^X, y or .* different indices in partitions 0, 1, 2"):
        fit(rows.sample(frac=0.5, random_state=0)[X_of], rows.sample(frac=0.5, random_state=1)["y"])
    once = rows.sample(frac=0.5, random_state=0)
    with pytest.warns(UserWarning, match="different indices in partitions"):
        fit(once[X_of], once["y"], rows.sample(frac=0.5, random_state=1)["a"].abs())
    with pytest.warns(UserWarning, match="^X_val, y_val or .* different indices in partitions"):
        y_val = rows.sample(frac=0.5, random_state=1)["y"]
        DaskNumpyMLPClassifier(**QUICK).fit(once[X_of], once["y"], X_val=once[X_of], y_val=y_val)
    X_anew, y_anew = once[X_of].reset_index(drop=True), once["y"].reset_index(drop=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        fit(once[X_of], once["y"])
        fit(X_anew, y_anew)
        fit(once[X_of].values, once["y"])


def test_other_collections_and_columns_are_refused(client):
    frames = pytest.importorskip("dask.dataframe")
    bag = pytest.importorskip("dask.bag").from_sequence(X.tolist())
    with pytest.raises(TypeError, match=r"^X is a Bag\. Pass an array or a DataFrame"):
        fit(bag, on_dask(Y))
    column = frames.from_dask_array(on_dask(X[:, 0]), columns="a")
    with pytest.raises(ValueError, match=r"^X is a Series.*pass X\.to_frame\(\)"):
        fit(column, on_dask(Y))


def test_blocks_of_the_package_sparse_are_refused():
    foreign = type("COO", (), {"__module__": "sparse.numba_backend", "shape": (120, 4)})()
    part, description = load(foreign, Y, None, NumpyMLPClassifier)
    assert part is None
    assert "X is a COO of the package sparse" in description.problem
    assert "block.tocsr()" in description.problem


@pytest.mark.parametrize("name", ["X", "y", "X_val"])
@pytest.mark.parametrize(
    ("wrap", "kind"),
    [
        (lambda client, array: dask.delayed(array), "a delayed block"),
        (lambda client, array: on_dask(array).to_delayed(), "an array of delayed blocks"),
        (lambda client, array: client.scatter([array[:9], array[9:]]), "a list of Futures"),
        (lambda client, array: client.scatter(array), "a Future"),
    ],
)
def test_blocks_that_are_not_in_a_list(client, name, wrap, kind):
    data = {"X": X, "y": Y, "X_val": X, "y_val": Y}
    given = {each: on_dask(array) for each, array in data.items()}
    given[name] = wrap(client, data[name])
    model = DaskNumpyMLPClassifier(**QUICK)
    with pytest.raises(TypeError, match=rf"^{name} is {kind}\. Pass .*a list of delayed blocks"):
        model.fit(**given)
    if name == "X":
        model.fit(X, Y)
        for method in (model.predict, lambda rows: model.score(rows, Y)):
            with pytest.raises(TypeError, match=f"^X is {kind}"):
                method(given["X"])


def test_the_ways_out_for_blocks_work(client):
    local = NumpyMLPClassifier(**QUICK).fit(X, Y)
    arrays = [on_dask(each).to_delayed().ravel().tolist() for each in (X, Y)]
    futures = [client.scatter([each[:50], each[50:]]) for each in (X, Y)]
    for there in (arrays, [[dask.delayed(each) for each in which] for which in futures]):
        assert apart(local, fit(*there)) < 1e-9


def test_names_of_columns_have_to_be_the_same():
    pandas = pytest.importorskip("pandas")
    frames = [pandas.DataFrame(X[:60], columns=list(names)) for names in ("abcd", "abdc")]
    with pytest.raises(ValueError, match=r"partition 1: X has the columns .*'d', 'c'"):
        fit([dask.delayed(each) for each in frames], delayed(Y, 60))


def test_numbers_of_several_dtypes():
    """As in one array, into which they go together."""
    y = X[:, 0] ** 2
    parts = [(10 * y[:40]).astype(int), y[40:80].astype(np.float32), y[80:]]
    rows = [X[:40].astype(np.float32), (10 * X[40:80]).astype(int), X[80:]]
    for solver in ("lbfgs", "adam"):
        parameters = {**QUICK, "solver": solver}
        local = NumpyMLPRegressor(**parameters).fit(np.concatenate(rows), np.concatenate(parts))
        there = ([dask.delayed(each) for each in which] for which in (rows, parts))
        assert apart(local, DaskNumpyMLPRegressor(**parameters).fit(*there)) < 1e-9


def test_weights_are_looked_at_in_every_partition(client):
    for weights, says in [
        (with_value(WEIGHTS, 60, np.nan), "partition 2: sample_weight has missing"),
        (
            np.zeros(120),
            "ample.weights? (is zero for every row|must contain at least one non-zero)",
        ),
        (np.where(np.arange(120) % 2, -1.0, 1.0), "sums to zero"),
    ]:
        with pytest.raises((ValueError, ZeroDivisionError), match=says):
            fit(on_dask(X), on_dask(Y), on_dask(weights))


def test_collections_that_do_not_go_together():
    model = DaskNumpyMLPClassifier(**QUICK)
    with pytest.raises(TypeError, match=r"y is of type ndarray.*from_array\(y, chunks=X\.chunks"):
        model.fit(on_dask(X), Y)
    with pytest.raises(TypeError, match=r"X is of type ndarray.*dask_ml\.preprocessing"):
        model.fit(X, on_dask(Y))
    with pytest.raises(ValueError, match="same number of rows: X has 120, y has 119"):
        model.fit(on_dask(X), on_dask(Y[1:]))
    unknown = on_dask(X)[on_dask(X[:, 0]) > 0]
    says = r"^X and y are partitioned differently.*y: 8 partitions.*partition of X is not known"
    with pytest.raises(ValueError, match=says):
        model.fit(unknown, on_dask(Y, 17))
    model.fit(unknown.compute_chunk_sizes(), on_dask(Y[X[:, 0] > 0], 17))  # as it says
    with pytest.raises(ValueError, match="two dimensions"):
        model.fit(on_dask(X[:, 0]), on_dask(Y))


@pytest.fixture(autouse=True)
def with_client(client):
    """All fits find the client."""


@pytest.mark.parametrize("kind", ["category", "object", "datetime64[ns]"])
def test_columns_that_hold_no_numbers_are_named(kind):
    pandas = pytest.importorskip("pandas")
    frames = pytest.importorskip("dask.dataframe")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    frame["odd"] = pandas.Series(np.arange(120) % 3).astype(kind)
    with pytest.raises(ValueError, match=r"'odd' .*encode such columns first"):
        fit(frames.from_pandas(frame, npartitions=3), on_dask(Y, 40))


def test_text_and_numbers_as_labels():
    parts = delayed(X, 60), [dask.delayed(Y[:60]), dask.delayed(np.array(["a", "b"])[Y[60:]])]
    with pytest.raises(TypeError, match="labels of one type"):
        fit(*parts)


def test_batch_normalization_is_refused():
    with pytest.raises(ValueError, match=r"normalization='batch'.*normalization='layer'"):
        fit(on_dask(X), on_dask(Y), normalization="batch", solver="adam")


# -------------------------------------------------------------------- where rows lie


def test_rows_are_dealt_out_evenly():
    # two partitions that lie on one worker: the second moves
    assert deal([10, 10], [["a"], ["a"]], ["a", "b"]) == [[0], [1]]
    # those that lie evenly stay
    assert deal([5] * 4, [["b"], ["a"], ["b"], ["a"]], ["a", "b"]) == [[1, 3], [0, 2]]
    # a large one goes where there is room
    assert deal([100, 1, 1], [["a"], ["a"], ["a"]], ["a", "b"]) == [[0], [1, 2]]
    # more workers than parts
    assert deal([3], [()], ["a", "b"]) == [[0], []]


def test_both_workers_have_rows(client, dealt):
    workers = list(client.nthreads())
    for there in (workers, workers[:1]):  # persisted on both, or on one
        rows, y = client.persist([on_dask(X, 60), on_dask(Y, 60)], workers=there[-1])
        fit(rows, y)
        assert [share.n_rows for share in dealt[-1].shares] == [60, 60]
    fit(on_dask(X, 60), on_dask(Y, 60))
    assert [share.n_rows for share in dealt[-1].shares] == [60, 60]


def test_many_small_partitions_are_merged(dealt):
    large, y = numbers(600)
    DaskNumpyMLPRegressor(**QUICK).fit(on_dask(large, 10), on_dask(y, 10))
    shares = dealt[0].shares
    assert [len(share.blocks) for share in shares] == [1, 1]
    rows = np.concatenate([share.global_rows() for share in shares])
    assert sorted(rows) == list(range(600))


def test_large_partitions_are_not_copied_together(dealt, monkeypatch):
    monkeypatch.setattr("sknumpynet.dask.data.SMALL", 40 * 4 * 8)
    fit(on_dask(X, 20), on_dask(Y, 20))
    assert [[len(pieces) for pieces in share.pieces] for share in dealt[0].shares] == [
        [2, 1],
        [2, 1],
    ]
    assert SMALL == 16 << 20


def test_the_client_sees_no_rows(monkeypatch):
    """What comes to the client stays small, whatever the number of rows."""
    sizes = []
    results = Cluster._results

    def noting(cluster, futures, doing):
        found = results(cluster, futures, doing)
        sizes.append(len(pickle.dumps(found)))
        return found

    monkeypatch.setattr(Cluster, "_results", noting)
    many = da.random.RandomState(0).normal(size=(40_000, 4), chunks=(10_000, 4))
    DaskNumpyMLPRegressor(**QUICK).fit(many, many[:, 0])
    assert len(sizes) > 8
    assert max(sizes) < 5_000


def test_the_users_own_data_stay(client):
    rows = client.persist(on_dask(X))
    fit(rows, on_dask(Y))
    keys = {future.key for future in distributed.futures_of(rows)}
    deadline = time.monotonic() + 60
    while set(client.who_has()) != keys:  # what the fit has used is let go of a little later
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert len(keys) == 5
    del rows
    assert not left_on(client)
