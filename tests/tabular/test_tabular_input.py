"""Tables of all kinds: what is read from them, and what is refused with which message."""

import re
import warnings

import numpy as np
import pytest

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix

from sknumpynet.tabular import TabularMLPClassifier, TabularMLPRegressor
from sknumpynet.tabular.columns import Table
from sknumpynet.tabular.preprocessing import TableEncoder, smooth_clip
from tabular.tables import QUICK, messy


def encoded(X, y=None, **options):
    table = Table(X)
    n = table.n_rows
    y = np.zeros((n, 1)) if y is None else y
    encoder = TableEncoder(**options)
    inputs, own = encoder.fit_transform(table, y, np.arange(n) % 4, 4)
    return encoder, inputs if own is None else np.hstack([inputs, own[0]])


@pytest.fixture(scope="module")
def fitted():
    X, labels, _ = messy()
    return TabularMLPClassifier(**QUICK).fit(X, labels), X


def test_numbers_are_scaled_by_median_and_quartiles_and_clipped_smoothly():
    x = np.array([1.0, 2, 3, 4, 5, 6, 1000])
    t = (x - 4) / (5.5 - 2.5)
    _, inputs = encoded(x[:, np.newaxis])
    assert_allclose(inputs[:, 0], t / np.sqrt(1 + (t / 3) ** 2))
    assert inputs.max() < 3


def test_frequent_values_of_a_column_that_is_mostly_equal_get_columns():
    x = np.array([0.0] * 60 + [5] * 3 + [7] * 4 + [-1] * 2 + [np.nan] * 3)
    encoder, inputs = encoded(x[:, np.newaxis])
    assert inputs.shape == (72, 4)  # the number, whether it is missing, whether it is 5, whether 7
    assert_array_equal(inputs[:, 2:], x[:, np.newaxis] == [5, 7])
    assert encoder.n_numeric == 1
    later = encoder.transform(Table([[7.0], [6.0], [np.nan]]))
    assert_array_equal(later[:, 2:], [[0, 1], [0, 0], [0, 0]])
    assert encoded(x[:, np.newaxis], max_levels=1)[1].shape == (72, 3)  # the most frequent, 7
    both = np.column_stack([x, np.where(x == 5, 1, 2 * (x == 7))])
    encoder, inputs = encoded(both, max_levels=3)  # in all: 7 and 2 four times, 5 before 1
    assert encoder.spikes.tolist() == [5, 7, 2] and encoder.spiked.tolist() == [0, 0, 1]
    spread = np.append(x[30:], np.arange(30.0))
    assert encoded(spread[:, np.newaxis])[1].shape == (72, 2)


def test_years_and_ids_keep_their_digits():
    ids = 2.0**53 - np.arange(100)
    _, inputs = encoded(ids[:, np.newaxis])
    assert len(np.unique(inputs.astype(np.float32))) == 100


@pytest.mark.parametrize(
    "column",
    [
        np.arange(50, dtype=np.uint64) + 2**63,
        np.arange(50) * 1e306,
        np.arange(50) * 5e-324,
        -np.arange(50) * 3.5e306,
    ],
    ids=["unsigned", "huge", "tiny", "negative"],
)
def test_numbers_of_any_size_give_finite_inputs(column):
    _, inputs = encoded(column[:, np.newaxis])
    assert np.isfinite(inputs).all()


def test_gaps_become_the_median_and_a_column_that_says_so():
    x = np.array([1.0, 2, 3, 4, np.nan, 5, np.inf, -np.inf])
    _, inputs = encoded(x[:, np.newaxis])
    assert inputs.shape == (8, 2)
    assert_allclose(inputs[4], [0, 1.664])
    assert_allclose(inputs[6:], [[0, 1.664]] * 2)
    no_gaps, _ = encoded(x[:4, np.newaxis])
    assert_allclose(no_gaps.transform(Table([[np.nan]])), [[0.0]])


def test_levels_get_columns_two_get_one_and_the_unknown_zeros():
    frame = pd.DataFrame({"three": list("abcabcabc"), "two": list("xyxyxyxyx")})
    encoder, inputs = encoded(frame)
    assert_array_equal(inputs[:3], [[1, 0, 0, 1], [0, 1, 0, -1], [0, 0, 1, 1]])
    new = pd.DataFrame({"three": ["z", None], "two": ["?", np.nan]})
    assert_array_equal(encoder.transform(Table(new)), np.zeros((2, 4)))


def test_rare_levels_are_as_unknown_ones():
    frame = pd.DataFrame({"level": ["a"] * 30 + ["b"] * 28 + ["c"] * 2})
    _, inputs = encoded(frame)
    assert_array_equal(inputs[-1], [0, 0])


def test_mean_targets_of_many_levels_never_see_their_own_row():
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 300, 3000)
    y = rng.normal(size=(3000, 1))  # noise: an honest mean of the others is no help
    frame = pd.DataFrame({"id": levels.astype(str)})
    encoder, inputs = encoded(frame, y)
    assert encoder.n_numeric == 1 and inputs.shape[1] == 1 + 50 + 1  # count, frequent levels, mean
    assert abs(np.corrcoef(inputs[:, -1], y[:, 0])[0, 1]) < 0.06
    again = encoder.transform(Table(frame))
    assert np.corrcoef(again[:, -1], y[:, 0])[0, 1] > 0.2  # those for new rows know all of y
    spoiled = y.copy()
    spoiled[::4] = 1e3  # fold 0, to which the members of these inputs are blind
    _, own = TableEncoder().fit_transform(Table(frame), y, np.arange(3000) % 4, 4)
    encoder = TableEncoder()
    encoder.fit_transform(Table(frame), y, np.arange(3000) % 4, 4)
    codes, _ = Table(frame).categories(0)
    raw = encoder.categories[0].cross_fitted(codes, y, np.arange(3000) % 4, 4)
    other = encoder.categories[0].cross_fitted(codes, spoiled, np.arange(3000) % 4, 4)
    assert_allclose(raw[0], other[0], atol=1e-10)
    assert np.abs(raw[1] - other[1]).max() > 1
    assert own.shape == (4, 3000, 1)


def test_all_table_libraries_give_the_same_inputs():
    X, _, _ = messy()
    X = X.drop(columns="grade")
    X["money"] = X["money"].replace(np.inf, np.nan)
    plain = X.astype(object).where(X.notna(), None)
    expected = encoded(X)[1]
    for other in (pl.from_pandas(X), pa.Table.from_pandas(X)):
        assert_allclose(encoded(other)[1], expected)
    assert_allclose(encoded(plain.to_numpy(dtype=object))[1], expected)
    assert_allclose(encoded(plain.values.tolist())[1], expected)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_a_column_of_nothing_but_nulls(library):
    """As pyarrow and polars read an empty column of a file; pandas 2.0 aborted the process."""
    empty = {"x": [1.0, 2, 4] * 4, "none": [None] * 12}
    X = {"polars": pl.DataFrame, "pyarrow": pa.table}.get(library, pd.DataFrame)(empty)
    if library == "pandas":
        X["none"] = X["none"].astype(pd.ArrowDtype(pa.null()))
    assert_array_equal(encoded(X)[1], encoded(np.array(empty["x"])[:, np.newaxis])[1])


def test_float16_of_pyarrow():
    """Which pyarrow 15 does not cast."""
    x = [None if i == 5 else np.float16(i / 3) for i in range(12)]
    expected = np.array([[np.nan if each is None else each] for each in x], float)
    X = pa.table({"x": pa.array(x, pa.float16())})
    assert_array_equal(encoded(X)[1], encoded(expected)[1])


def test_text_arrays_and_lists():
    for X in (np.array([["a"], ["b"]] * 5), [["a"], ["b"]] * 5):
        encoder, inputs = encoded(X)
        assert encoder.is_category.all() and inputs.shape == (10, 1)


@pytest.mark.parametrize(
    "chosen",
    [
        [0],
        ["code"],
        [True, False],
        np.array([True, False], object),
        pd.array([True, False], dtype="boolean"),
        pd.array([0], dtype="Int64"),
        pd.Index(["code"]),
    ],
    ids=str,
)
def test_integers_are_categories_only_where_named(chosen):
    frame = pd.DataFrame({"code": [1, 2, 3] * 10, "size": np.arange(30.0)})
    assert not encoded(frame)[0].is_category.any()
    encoder, inputs = encoded(frame, categorical_features=chosen)
    assert_array_equal(encoder.is_category, [True, False])
    assert inputs.shape[1] == 1 + 3


@pytest.mark.parametrize(
    "chosen, message",
    [
        ([7], "0, n_features - 1"),
        (["no"], "names that are not in X: 'no'"),
        ([True], "shape"),
        (None, "column 'colour'"),
    ],
)
def test_wrong_choices_of_categories(chosen, message):
    with pytest.raises(ValueError, match=message):
        encoded(messy()[0], categorical_features=chosen)


def test_nothing_of_the_users_is_changed():
    X, labels, _ = messy()
    before = X.copy(deep=True)
    TabularMLPClassifier(**QUICK).fit(X, labels).predict(X)
    pd.testing.assert_frame_equal(X, before)


def test_columns_in_another_order_are_put_right_by_name(fitted):
    model, X = fitted
    expected = model.predict_proba(X)
    assert_array_equal(model.predict_proba(X[X.columns[::-1]]), expected)
    assert_array_equal(model.predict_proba(X.iloc[:1]), expected[:1])


DATES = pd.date_range("2020-01-01", periods=12)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"when": DATES}),
        pl.DataFrame({"when": DATES.to_numpy()}),
        pa.table({"when": DATES.to_numpy()}),
        pd.DataFrame({"when": DATES - DATES[0]}),
        pd.DataFrame({"when": DATES.to_period("D")}),
        pd.DataFrame({"when": [None, *DATES.date[1:]]}, dtype=object),
    ],
    ids=["pandas", "polars", "pyarrow", "differences", "periods", "objects"],
)
def test_dates_raise_with_the_line_that_makes_numbers_of_them(frame):
    with pytest.raises(
        TypeError, match=r"column 'when' holds dates or times .*Convert them to numbers: \w"
    ):
        TabularMLPRegressor(**QUICK).fit(frame, np.arange(12.0))


BAD_AT_PREDICTION = {
    "missing": (lambda X: X.drop(columns="size"), "yet now missing:\n- size"),
    "added": (lambda X: X.assign(more=1), "unseen at fit time:\n- more"),
    "twice": (lambda X: pd.concat([X, X[["size"]]], axis=1), "duplicate column names: 'size'"),
    "text": (lambda X: X.assign(size="big"), "column 'size' must hold numbers.*such as 'big'"),
    "another number": (
        lambda X: np.zeros((3, 2)),
        "X has 2 features, but TabularMLPClassifier is expecting 6",
    ),
    "sparse": (lambda X: csr_matrix(np.zeros((3, 6))), "use X.toarray"),
    "empty": (lambda X: X.iloc[:0], r"0 sample\(s\)"),
    "one row flat": (lambda X: np.zeros(6), "Expected 2D array, got 1D"),
    "complex": (lambda X: np.zeros((3, 6), complex), "Complex data not supported"),
}


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("change, message", BAD_AT_PREDICTION.values(), ids=BAD_AT_PREDICTION)
def test_bad_tables_for_predictions(fitted, change, message):
    model, X = fitted
    with pytest.raises((TypeError, ValueError), match=re.compile(message, re.DOTALL)):
        model.predict(change(X))


GOOD_AT_PREDICTION = {
    "unseen categories": lambda X: X.assign(colour="mauve"),
    "all missing": lambda X: X.assign(size=np.nan, colour=None, money=np.inf),
    "integers for numbers": lambda X: X.assign(size=1),
    "numbers as objects": lambda X: X.assign(size=X["size"].astype(object)),
    "text as category": lambda X: X.assign(colour=X["colour"].astype("category")),
}


@pytest.mark.parametrize("change", GOOD_AT_PREDICTION.values(), ids=GOOD_AT_PREDICTION)
def test_good_tables_for_predictions(fitted, change):
    model, X = fitted
    p = model.predict_proba(change(X))
    assert np.isfinite(p).all()
    assert_allclose(p.sum(axis=1), 1)


n = 60
rng = np.random.default_rng(0)
NUMBERS = rng.normal(size=n)
FITS = {
    "constant": (np.column_stack([NUMBERS, np.ones(n)]), NUMBERS > 0),
    "all missing": (np.column_stack([NUMBERS, np.full(n, np.nan)]), NUMBERS > 0),
    "mixed types": ([[1, "a"], [2.5, None], [None, 3], ["x", True]] * 15, ["a", "b"] * 30),
    "numbers and None": (pd.DataFrame({"a": [1, None, 2.5] * 20}, dtype=object), [0, 1, 1] * 20),
    "bool": (NUMBERS[:, None] > 0, NUMBERS > 0),
    "as many levels as rows": (pd.DataFrame({"id": [f"x{i}" for i in range(n)], "v": NUMBERS}), NUMBERS > 0),
    "one row a level, many": (pd.DataFrame({"id": [f"x{i}" for i in range(n)]}), NUMBERS > 0),
    "float16": (NUMBERS[:, None].astype(np.float16), NUMBERS > 0),
    "big integers": (pd.DataFrame({"a": [2**70, 1, 10**400] * 20}, dtype=object), [0, 1, 1] * 20),
    "unused levels": (pd.DataFrame({"c": pd.Categorical(["a"] * n, list("abc")), "v": NUMBERS}), NUMBERS > 0),
    "one column": (NUMBERS[:, None], NUMBERS > 0),
    "integer names": (pd.DataFrame({0: NUMBERS, 1: NUMBERS}), NUMBERS > 0),
}  # fmt: skip


@pytest.mark.parametrize("X, y", FITS.values(), ids=FITS)
def test_odd_tables_fit(X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = TabularMLPClassifier(**QUICK).fit(X, y)
        p = model.predict_proba(X)
    assert np.isfinite(p).all()
    assert model.oof_predictions_.shape == p.shape


def test_one_class_fits_with_a_warning():
    with pytest.warns(UserWarning, match="one class only, 'a'"):
        model = TabularMLPClassifier(**QUICK).fit(NUMBERS[:, None], ["a"] * n)
    assert_array_equal(model.predict([[0.0]]), ["a"])
    assert_allclose(model.predict_proba([[0.0]]), [[1]])


X = NUMBERS[:, None]
RAISES = {
    "one row": (([[1.0]], [1.0]), {}, r"1 sample\(s\)"),
    "NaN in y": ((X, np.where(NUMBERS > 1, np.nan, 0)), {}, "Input y contains NaN"),
    "infinity in y": ((X, np.where(NUMBERS > 1, np.inf, 0)), {}, "Input y contains infinity"),
    "text in y": ((X, ["a"] * n), {}, "y must hold numbers.*TabularMLPClassifier"),
    "dates in y": ((X, np.full(n, "2020-01-01", "datetime64[D]")), {}, "y holds dates"),
    "lengths": ((X, NUMBERS[1:]), {}, "X has 60, y has 59"),
    "weights zero": ((X, NUMBERS), {"sample_weight": np.zeros(n)}, "sample_weight is zero for every row"),
    "one weight": ((X, NUMBERS), {"sample_weight": np.eye(n)[0]}, "fewer than two rows"),
    "negative weight": ((X, NUMBERS), {"sample_weight": -np.ones(n)}, "must be at least 0"),
    "X_val alone": ((X, NUMBERS), {"X_val": X}, "must be given together"),
    "groups": ((X, NUMBERS), {"groups": [1]}, "groups must have one entry per row"),
    "one group": ((X, NUMBERS), {"groups": np.ones(n)}, "there is 1 group"),
    "groups beside X_val": ((X, NUMBERS), {"groups": X[:, 0], "X_val": X, "y_val": X}, "one of them"),
    "mixed names": ((pd.DataFrame({0: NUMBERS, "a": NUMBERS}), NUMBERS), {}, "string names"),
    "dict": (([[{}], [{1: 2}]], [0.0, 1]), {}, "neither numbers nor categories"),
    "huge y": ((X, NUMBERS * 1e300), {}, "y is too large"),
}  # fmt: skip


@pytest.mark.parametrize("data, options, message", RAISES.values(), ids=RAISES)
def test_bad_data_raises_and_leaves_the_estimator_as_it_was(data, options, message):
    model = TabularMLPRegressor(**QUICK)
    with pytest.raises((TypeError, ValueError), match=re.compile(message, re.DOTALL)):
        model.fit(*data, **options)
    assert not [name for name in vars(model) if name.endswith("_")]


@pytest.mark.parametrize(
    "y, message",
    [
        ([None, "a"] * 30, "Input y contains NaN: 30 of 60 values, the first in row 0"),
        (NUMBERS, "Unknown label type: continuous"),
    ],
)
def test_bad_labels(y, message):
    with pytest.raises(ValueError, match=message):
        TabularMLPClassifier(**QUICK).fit(X, y)


@pytest.mark.parametrize(
    "as_given",
    [
        lambda labels: labels.astype(object),
        lambda labels: pd.array(labels, dtype="boolean" if labels.dtype == bool else "Int64"),
        lambda labels: pd.Series(labels).convert_dtypes().astype("category"),
        lambda labels: pd.Series(labels, dtype=pd.ArrowDtype(pa.from_numpy_dtype(labels.dtype))),
    ],
    ids=["objects", "nullable", "categories", "pyarrow"],
)
@pytest.mark.parametrize("kind", [bool, int])
def test_numbers_of_any_type_are_labels(as_given, kind):
    """Before pandas 2.2, nullable columns become arrays of objects."""
    labels = (NUMBERS > 0).astype(kind)
    plain = TabularMLPClassifier(**QUICK).fit(X, labels, X_val=X, y_val=labels)
    given = as_given(labels)
    model = TabularMLPClassifier(**QUICK).fit(X, given, X_val=X, y_val=given)
    assert_array_equal(model.classes_, plain.classes_)
    assert model.classes_.dtype == labels.dtype
    assert_array_equal(model.predict_proba(X), plain.predict_proba(X))


@pytest.mark.parametrize("before, now", [(int, str), (str, int), (bool, str)])
def test_categories_of_another_type_than_in_fit_are_warned_of(before, now):
    z = np.arange(60) % 2
    X = pd.DataFrame({"z": z.astype(before), "x": np.arange(60.0)})
    model = TabularMLPRegressor(categorical_features=["z"], **QUICK).fit(X, z)
    with pytest.warns(UserWarning, match="column 'z' holds categories of type .* none of them is"):
        model.predict(X.assign(z=z.astype(before).astype(now)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(X.assign(z=["q", 7] * 30))  # unseen, and of both types
        model.predict(X.assign(z=[None] * 60))


def test_smooth_clip_of_overflowing_numbers():
    assert_allclose(
        smooth_clip(np.array([1e308, -1.7e308]), np.array(-1e308), np.array(1e-300)), [3, -3]
    )


def test_columns_read_together_are_those_read_one_by_one():
    numbers = {
        "f4": np.array([1.1, np.inf, np.nan], np.float32),
        "f8": np.array([1.1, -np.inf, np.nan]),
        "i": np.array([2**53 + 1, -3, 0]),
        "u": np.array([2**64 - 1, 1, 0], np.uint64),
    }
    X = pd.DataFrame({"text": list("abc"), **numbers, "also": [1.5, 2.5, np.inf]})
    alike = X[["f8", "also"]]
    for frame, chosen in ((X, [1, 2, 3, 4]), (X, [5, 2]), (alike, [0, 1]), (alike, [1])):
        before, table = frame.copy(), Table(frame)
        expected = np.column_stack([table.numbers(i) for i in chosen])
        assert_array_equal(table.numbers_together(np.array(chosen)), expected)
        pd.testing.assert_frame_equal(frame, before)
    for column in (pd.array([1, None, 3], dtype="Int64"), [True, False, True], [1, "2", 3]):
        assert Table(X.assign(f8=column)).numbers_together(np.array([1, 2])) is None
