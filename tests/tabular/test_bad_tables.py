# SPDX-License-Identifier: BSD-3-Clause
"""Bad and odd tables, one row for each: what fits, what fits with a warning, what raises, and the message.

Every row is tried with both estimators. A message names the column or the argument, what was given, and what
would do.
"""

import datetime
import decimal
import re
import warnings
from typing import Any, NamedTuple

import numpy as np
import pytest

pd = pytest.importorskip("pandas")
from numpy.testing import assert_array_equal
from scipy.sparse import csr_matrix

from sknumpynet.tabular import TabularMLPClassifier, TabularMLPRegressor
from tabular.tables import QUICK

N = 60
rng = np.random.default_rng(0)
NUMBERS = rng.normal(size=N)
COLOURS = np.array(["red", "green", "blue"])[np.arange(N) % 3].astype(object)
DAYS = pd.date_range("2020-01-01", periods=N)
GOOD = pd.DataFrame({"size": NUMBERS, "colour": COLOURS, "count": np.arange(N)})


def masked(array):
    return np.ma.array(array, mask=np.arange(N) == 3)


def as_np_matrix(array):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.asmatrix(array)


class Case(NamedTuple):
    """A row: the table of fit, what comes of it, and, where given, other targets, options and new rows."""

    X: Any
    message: str = ""  # of the warning or the error; none where nothing is said
    raises: Any = None  # the kind of error; none where it fits
    y: Any = None  # one for each estimator, where the usual ones are unsuitable
    options: Any = None  # further arguments of fit
    new: Any = None  # the table to predict; otherwise that of fit


def weights(**given):
    weight = np.ones(N)
    for place, value in given.items():
        weight[int(place[1:])] = value
    return {"sample_weight": weight}


def with_value(value, place=7, y=NUMBERS):
    y = y.astype(object) if not isinstance(value, float) else y.copy()
    y[place] = value
    return y


FITS = {
    "three rows": Case(
        GOOD[:3], "X has 3 rows: each is held out alone", y=([0, 1, 0], [0.0, 1, 2])
    ),
    "two rows": Case(GOOD[:2], "X has 2 rows: each is held out alone", y=([0, 1], [0.0, 1])),
    "two groups": Case(
        GOOD, "there are 2 groups: each is held out", options={"groups": np.arange(N) % 2}
    ),
    "a class of one row": Case(
        GOOD,
        "class 2 has only one row, which cannot be predicted out of fold",
        y=(np.where(np.arange(N) == 5, 2, np.arange(N) % 2), None),
    ),
    "several classes of one row": Case(
        GOOD,
        "2 classes have only one row, .*: 'x', 'y'. Remove these rows",
        y=(np.where(np.arange(N) < 2, np.array(["x", "y"])[np.arange(N) % 2], "z"), None),
    ),
    "one class": Case(GOOD, "y has one class only, 'a'", y=(["a"] * N, None)),
    "one target": Case(GOOD, "y is 3.0 in every row", y=(None, np.full(N, 3.0))),
    "a constant column": Case(GOOD.assign(one=1.0)),
    "a column that is empty": Case(GOOD.assign(none=np.nan)),
    "a text column that is empty": Case(GOOD.assign(none=pd.Series([None] * N, dtype="object"))),
    "a column that is all NA": Case(GOOD.assign(none=pd.array([pd.NA] * N, dtype="Int64"))),
    "a constant category": Case(GOOD.assign(same="x")),
    "nothing varies": Case(
        pd.DataFrame({"a": np.ones(N), "b": np.nan}), "no column of X varies: .* the same"
    ),
    "values in a column that was empty": Case(GOOD.assign(none=np.nan), new=GOOD.assign(none=1.0)),
    "gaps in a column without gaps": Case(GOOD, new=GOOD.assign(size=np.nan, colour=None)),
    "an infinity": Case(GOOD.assign(size=np.where(NUMBERS > 1, np.inf, NUMBERS))),
    "unseen categories": Case(GOOD, new=GOOD.assign(colour="mauve")),
    "categories of another type": Case(
        GOOD.assign(colour=np.arange(N) % 3),
        "column 'colour' holds categories of type str .*in fit it held numbers",
        options={"categorical_features": ["colour"]},
        new=GOOD.assign(colour=(np.arange(N) % 3).astype(str)),
    ),
    "columns in another order": Case(GOOD, new=GOOD[["count", "size", "colour"]]),
    "no names any more": Case(
        GOOD[["size", "count"]],
        "X does not have valid feature names, but TabularMLP.* was fitted with",
        new=GOOD[["size", "count"]].to_numpy(),
    ),
    "names that were not there": Case(
        GOOD[["size", "count"]].to_numpy(),
        "was fitted without feature names",
        new=GOOD[["size", "count"]],
    ),
    "some weights zero": Case(GOOD, options=weights(_3=0, _4=0, _50=0)),
    "tiny weights": Case(GOOD, options={"sample_weight": np.full(N, 1e-200)}),
    "a weight above all others": Case(GOOD, options=weights(_3=1e9)),
    "a million categories": Case(
        GOOD.assign(
            id=pd.Categorical.from_codes(np.arange(N) * 16_000, np.arange(10**6).astype(str))
        )
    ),
    "a category a row": Case(GOOD.assign(id=[f"id {i}" for i in range(N)])),
    "huge integers": Case(GOOD.assign(id=2**62 + np.arange(N))),
    "unsigned integers": Case(GOOD.assign(id=np.arange(N, dtype=np.uint64) + np.uint64(2**63))),
    "integers beyond 64 bits": Case(
        GOOD.assign(id=pd.Series([10**30 + i for i in range(N)], dtype=object))
    ),
    "numbers beyond float": Case(GOOD.assign(id=pd.Series([10**400, 1, 2] * 20, dtype=object))),
    "decimals": Case(GOOD.assign(money=[decimal.Decimal("1.10") + i % 7 for i in range(N)])),
    "text and numbers mixed": Case(
        GOOD.assign(mixed=pd.Series([1, "a", None, 2.5, True, b"x"] * 10, dtype=object))
    ),
    "numbers and None": Case(GOOD.assign(mixed=pd.Series([1, None, 2.5] * 20, dtype=object))),
    "bool and NA": Case(GOOD.assign(flag=pd.array([True, False, pd.NA] * 20, dtype="boolean"))),
    "gaps of the type text": Case(GOOD, new=GOOD.assign(size=pd.array([None] * N, dtype="string"))),
    "groups of rare classes": Case(
        GOOD, options={"groups": np.arange(N) // 4}, y=(np.arange(N) // 2, None)
    ),
    "a masked array": Case(np.ma.masked_greater(NUMBERS[:, np.newaxis], 1)),
    "a matrix": Case(as_np_matrix(NUMBERS[:, np.newaxis])),
    "levels that are spelt otherwise": Case(
        GOOD,
        "'colour' spells levels in another way than in fit, 'Red ' for 'red', 'BLUE' for 'blue':",
        new=GOOD.replace({"red": "Red ", "blue": "BLUE"}),
    ),
    "numbers of text that are written otherwise": Case(  # as after a gap has made floats of integers
        GOOD.assign(zone=[str(i % 3) for i in range(N)]),
        "'zone' spells levels in another way than in fit, '0.0' for '0', '1.0' for '1',",
        new=GOOD.assign(zone=[f"{i % 3}.0" for i in range(N)]),
    ),
    "zeros that are lost": Case(
        GOOD.assign(zone=[f"00{i % 3}" for i in range(N)]),
        "'zone' spells levels in another way than in fit, '0' for '000', '1' for '001',",
        new=GOOD.assign(zone=[str(i % 3) for i in range(N)]),
    ),
    "numbers that are text": Case(
        GOOD.assign(price=[f"{each:.4f}" for each in NUMBERS]),
        r"column 'price' is text, yet its 60 levels are all numbers, such as '.*pandas.to_numeric",
    ),
    "numbers that are text, with a blank": Case(  # as TotalCharges of the table telco_churn
        GOOD.assign(price=[" ", "?", *(f"{each:.4f}" for each in NUMBERS[2:])]),
        r"'price' is text, yet its 60 levels are numbers except for ' ', '\?', such as '.*coerce'\)",
    ),
    "amounts that are text": Case(
        GOOD.assign(price=[f"${1000 + 777 * i:,}.50" for i in range(N)]),
        r"'price'.* 60 levels are all numbers, such as '\$1,000.50'.*without currency signs",
    ),
    "numbers with a decimal comma": Case(
        GOOD.assign(price=[f"{i},5" for i in range(N)]),
        "'price'.* 60 levels are all numbers, such as '0,5'.*without currency signs",
    ),
    "dates that are text": Case(
        GOOD.assign(when=[str(day.date()) for day in DAYS]),
        r"column 'when' is text, yet its 60 levels are all dates, such as '2020-01-01': .*to_datetime",
    ),
    "dates with times and gaps that are text": Case(
        GOOD.assign(when=["never", *(day.strftime("%d.%m.%Y 12:30") for day in DAYS[1:])]),
        r"'when'.* levels are dates except for 'never', such as '02.01.2020 12:30'.*coerce",
    ),
    "text of which some is a number": Case(
        GOOD.assign(code=[f"V{i}" if i < 7 else str(i) for i in range(N)])
    ),
    "versions": Case(GOOD.assign(code=[f"1.{i}.2" for i in range(N)])),
    "text that looks like numbers, and is named": Case(
        GOOD.assign(price=[f"{each:.4f}" for each in NUMBERS]),
        options={"categorical_features": ["price", "colour"]},
    ),
    "text that looks like numbers, of the type of categories": Case(
        GOOD.assign(price=pd.Categorical([f"{each:.4f}" for each in NUMBERS]))
    ),
    "codes": Case(GOOD.assign(zip=[f"{each:05d}" for each in range(N)])),
    "one column": Case(GOOD[["size"]]),
    "names that are numbers": Case(pd.DataFrame({0: NUMBERS, 1: COLOURS})),
    "an index that repeats": Case(GOOD.set_axis([0] * N)),
    "float16": Case(NUMBERS[:, np.newaxis].astype(np.float16)),
    "many more columns than rows": Case(rng.normal(size=(N, 300))),
    "one row to predict": Case(GOOD, new=GOOD[:1]),
}

VALUE, TYPE = ValueError, TypeError
RAISES = {
    "no row": Case(GOOD[:0], r"0 sample\(s\)", VALUE, y=([], [])),
    "one row": Case(GOOD[:1], r"1 sample\(s\).*minimum of 2", VALUE, y=([1], [1.0])),
    "no column": Case(GOOD[[]], r"0 feature\(s\)", VALUE),
    "a column twice": Case(
        pd.concat([GOOD, GOOD[["size"]]], axis=1),
        "duplicate column names: 'size'; rename or drop",
        VALUE,
    ),
    "names of two types": Case(
        GOOD.rename(columns={"size": 0}), "string names, .*X.columns.astype", TYPE
    ),
    "dates": Case(GOOD.assign(when=DAYS), "column 'when' holds dates.*X\\['when'\\] = ", TYPE),
    "dates with a zone": Case(
        GOOD.assign(when=DAYS.tz_localize("UTC")),
        "column 'when' holds dates.*X\\['when'\\] = ",
        TYPE,
    ),
    "differences of dates": Case(
        GOOD.assign(since=DAYS - DAYS[0]), "column 'since' holds dates.*total_seconds", TYPE
    ),
    "periods": Case(GOOD.assign(month=DAYS.to_period("M")), "column 'month' holds dates", TYPE),
    "dates as objects": Case(
        GOOD.assign(when=pd.Series([datetime.date(2020, 1, 1)] * N, dtype=object)),
        "column 'when' holds dates",
        TYPE,
    ),
    "times of day": Case(
        GOOD.assign(at=pd.Series([datetime.time(12, 30)] * N, dtype=object)),
        "column 'at' holds dates",
        TYPE,
    ),
    "dates in an array": Case(
        DAYS.to_numpy()[:, np.newaxis], "column 0 holds dates.*X.astype", TYPE
    ),
    "intervals": Case(
        GOOD.assign(bin=pd.cut(NUMBERS, 3).astype("interval")),
        "column 'bin' holds intervals.*IntervalIndex.*mid",
        TYPE,
    ),
    "lists": Case(
        GOOD.assign(tags=pd.Series([["a"]] * N, dtype=object)),
        "column 'tags' holds values of type list.*Convert them to text or numbers",
        TYPE,
    ),
    "complex numbers": Case(
        GOOD.assign(z=NUMBERS + 1j), "column 'z' is complex128; give real and imaginary", VALUE
    ),
    "complex objects": Case(
        GOOD.assign(z=pd.Series([1j] * N, dtype=object)), "column 'z' holds complex numbers", VALUE
    ),
    "rows of different lengths": Case([[1, 2], [3]] * 30, "X has rows of different lengths", VALUE),
    "a dict": Case({"size": NUMBERS}, r"X is a dict: give pandas.DataFrame\(X\)", TYPE),
    "a row as a dict": Case(
        {"size": 1.0, "city": "Graz"}, r"X is a dict: give pandas.DataFrame\(\[X\]\)", TYPE
    ),
    "a flat list": Case(NUMBERS.tolist(), r"got a flat list.*\[X\] for one row", VALUE),
    "a series": Case(GOOD["size"], r"got a Series.*X.to_frame\(\) for one column", VALUE),
    "a row of a table": Case(GOOD, r"got a Series.*iloc\[\[0\]\]", VALUE, new=GOOD.iloc[0]),
    "a list of dicts": Case([{"size": 1.0}] * N, r"made of dicts: give pandas.DataFrame", TYPE),
    "masked text": Case(
        np.ma.array([["a"], ["b"]] * (N // 2), mask=[[1], [0]] * (N // 2)),
        "X is a masked array",
        VALUE,
    ),
    "masked weights": Case(
        GOOD,
        "sample_weight is a masked array",
        VALUE,
        options={"sample_weight": masked(np.ones(N))},
    ),
    "masked targets": Case(GOOD, "y is a masked array", VALUE, y=(masked(np.arange(N) % 2),) * 2),
    "sparse": Case(csr_matrix(np.eye(N)), "Sparse data.*use X.toarray", TYPE),
    "one dimension": Case(NUMBERS, "Expected 2D array, got 1D.*reshape", VALUE),
    "three dimensions": Case(
        NUMBERS.reshape(N, 1, 1), r"Expected 2D array, got 3D.*X.reshape\(len\(X\), -1\)", VALUE
    ),
    "text named as no category": Case(
        GOOD,
        "column 'colour' is text or categories, yet categorical_features leaves it out",
        VALUE,
        options={"categorical_features": ["count"]},
    ),
    "a category that is not there": Case(
        GOOD, "categorical_features.*'color'", VALUE, options={"categorical_features": ["color"]}
    ),
    "NaN in y": Case(
        GOOD,
        r"Input y contains NaN: 1 of 60 .*, the first in row 7",
        VALUE,
        y=(with_value(None, y=COLOURS), with_value(np.nan)),
    ),
    "None in y": Case(
        GOOD,
        r"Input y contains NaN: 1 of 60 .*, the first in row 7",
        VALUE,
        y=(with_value(None, y=COLOURS), with_value(None)),
    ),
    "NA in y": Case(
        GOOD,
        r"Input y contains NaN: 1 of 60 .*, the first in row 7",
        VALUE,
        y=(
            pd.Series(with_value(pd.NA, y=COLOURS)),
            pd.array(with_value(pd.NA, y=np.arange(N)), dtype="Int64"),
        ),
    ),
    "infinity in y": Case(
        GOOD,
        r"Input y contains infinity: 1 of 60 .*, the first in row 7",
        VALUE,
        y=(None, with_value(-np.inf)),
    ),
    "NaN in a column of y": Case(
        GOOD,
        r"Input y contains NaN: 1 of 120 .*, the first in row 7, column 1",
        VALUE,
        y=(None, np.column_stack([NUMBERS, with_value(np.nan)])),
    ),
    "labels of two types": Case(
        GOOD,
        "y mixes labels of the types int, str: convert them to one type",
        TYPE,
        y=(np.array([1, "a"] * 30, dtype=object), None),
    ),
    "labels that are complex": Case(
        GOOD, "Complex data not supported: y must hold labels", VALUE, y=([1j, 2.0] * 30, None)
    ),
    "targets of different lengths": Case(
        GOOD, "y has rows of different lengths", VALUE, y=([[1, 2], [3]] * 30, [[1, 2], [3]] * 30)
    ),
    "y that is too small": Case(
        GOOD, "y is too small.*multiply it", VALUE, y=(None, NUMBERS * 1e-300)
    ),
    "text in y": Case(GOOD, r"y must hold numbers.*TabularMLPClassifier", VALUE, y=(None, COLOURS)),
    "numbers as labels": Case(
        GOOD, "Unknown label type: continuous.*TabularMLPRegressor", VALUE, y=(NUMBERS, None)
    ),
    "dates as objects in y": Case(
        GOOD, "y holds dates.*convert them to numbers", TYPE, y=(None, DAYS.date.astype(object))
    ),
    "dates in y": Case(GOOD, "y holds dates.*convert them to numbers", TYPE, y=(None, DAYS)),
    "too few targets": Case(
        GOOD,
        "X has 60, y has 59. Give y one entry for each row",
        VALUE,
        y=(np.arange(N - 1) % 2, NUMBERS[1:]),
    ),
    "y that is too large": Case(
        GOOD, "y is too large.*divide it", VALUE, y=(None, NUMBERS * 1e300)
    ),
    "all weights zero": Case(
        GOOD,
        "sample_weight is zero for every row; at least two",
        VALUE,
        options={"sample_weight": np.zeros(N)},
    ),
    "one weight above zero": Case(
        GOOD,
        "fewer than two rows have a sample_weight above zero",
        VALUE,
        options={"sample_weight": np.eye(N)[3]},
    ),
    "a negative weight": Case(
        GOOD, "sample_weight must be at least 0; got -1.0 in row 3", VALUE, options=weights(_3=-1.0)
    ),
    "NaN among the weights": Case(
        GOOD, "sample_weight must be finite; got nan in row 3", VALUE, options=weights(_3=np.nan)
    ),
    "weights that are dates": Case(
        GOOD,
        "sample_weight must hold numbers; got the dtype datetime64",
        TYPE,
        options={"sample_weight": DAYS.to_numpy()},
    ),
    "weights that are complex": Case(
        GOOD,
        "sample_weight must hold numbers; got the dtype complex128",
        TYPE,
        options={"sample_weight": np.full(N, 1j)},
    ),
    "weights beyond float": Case(
        GOOD,
        "sample_weight: int too large",
        VALUE,
        options={"sample_weight": np.full(N, 10**400, dtype=object)},
    ),
    "too few weights": Case(
        GOOD,
        r"sample_weight must have one entry .*\(60,\); got \(59,\)",
        VALUE,
        options={"sample_weight": np.ones(59)},
    ),
    "more folds than rows": Case(
        GOOD[:3],
        "cv=5 must be a number of folds from 2 to 3, the number of rows",
        VALUE,
        y=([0, 1, 0], [0.0, 1, 2]),
        options={"cv": 5},
    ),
    "groups of two types": Case(
        GOOD,
        "groups mixes values of the types int, str: convert them to one type",
        TYPE,
        options={"groups": np.array([1, "a", 2] * 20, dtype=object)},
    ),
    "a row without a group": Case(
        GOOD,
        "groups has no value in row 1: give each such row a group",
        VALUE,
        options={"groups": np.array(["a", None, "b"] * 20, dtype=object)},
    ),
    "a row of group NaN": Case(
        GOOD,
        "groups has no value in row 7: give each such row a group",
        VALUE,
        options={"groups": with_value(np.nan)},
    ),
    "folds of rows that are not there": Case(
        GOOD,
        "cv has row numbers that do not exist in X, of 60 rows, in fold 0",
        VALUE,
        options={"cv": [(np.arange(30), np.arange(30, 70)), (np.arange(30, 60), np.arange(30))]},
    ),
    "folds with a gap between": Case(
        GOOD,
        "cv must be a partition: .* leaves rows out of both",
        VALUE,
        options={"cv": [(np.arange(20), np.arange(30, 60)), (np.arange(40, 60), np.arange(30))]},
    ),
    "folds that overlap": Case(
        GOOD,
        "cv must be a partition: .* has rows in both",
        VALUE,
        options={"cv": [(np.arange(60), np.arange(30, 60)), (np.arange(60), np.arange(30))]},
    ),
    "one group": Case(GOOD, "there is 1 group: at least 2", VALUE, options={"groups": np.zeros(N)}),
    "a column missing": Case(
        GOOD,
        "yet now missing:\n- size\nX must have the same columns",
        VALUE,
        new=GOOD[["colour", "count"]],
    ),
    "a column added": Case(
        GOOD,
        r"unseen at fit time:\n- more\n.*X\[.*feature_names_in_",
        VALUE,
        new=GOOD.assign(more=1),
    ),
    "a column twice to predict": Case(
        GOOD, "duplicate column names: 'size'", VALUE, new=pd.concat([GOOD, GOOD[["size"]]], axis=1)
    ),
    "another number of columns": Case(
        GOOD[["size", "count"]].to_numpy(),
        "X has 3 features, but TabularMLP.* is expecting 2",
        VALUE,
        new=np.ones((2, 3)),
    ),
    "another number without names": Case(
        GOOD,
        "X has 2 features, but TabularMLP.* is expecting 3 features as input, .*: 'size', 'colour'",
        VALUE,
        new=np.ones((2, 2)),
    ),
    "numbers that became text": Case(
        GOOD,
        "column 'size' must hold numbers, as it did in fit.*such as 'big'.*to_numeric",
        VALUE,
        new=GOOD.assign(size="big"),
    ),
    "numbers that became dates": Case(
        GOOD,
        "column 'count' must hold numbers, as it did in fit; it now holds dates .*datetime64",
        VALUE,
        new=GOOD.assign(count=DAYS),
    ),
    "numbers that became text of numbers": Case(
        GOOD,
        "column 'size' must hold numbers, as it did in fit.*such as '1'",
        VALUE,
        new=GOOD.assign(size=pd.array(["1"] * N, dtype="string")),
    ),
    "numbers that became complex": Case(
        GOOD,
        "column 'size' must hold numbers, as it did in fit.*complex128",
        VALUE,
        new=GOOD.assign(size=NUMBERS + 1j),
    ),
    "numbers that became lists": Case(
        GOOD,
        r"column 'size' must hold numbers, as it did in fit.*such as \[1\]",
        VALUE,
        new=GOOD.assign(size=pd.Series([[1]] * N)),
    ),
}

BOTH = [TabularMLPClassifier, TabularMLPRegressor]


def tried(cls, case):
    """Fit and predict as the case says."""
    options = dict(case.options or {})
    own = {name: options.pop(name) for name in ("categorical_features", "cv") if name in options}
    usual = (np.arange(N) % 2, NUMBERS)
    y = (case.y or (None, None))[BOTH.index(cls)]
    y = usual[BOTH.index(cls)] if y is None else y
    model = cls(**{**QUICK, **own})
    before = dict(vars(model))
    try:
        model.fit(case.X, y, **options)
    except BaseException:
        assert vars(model) == before  # as it was
        raise
    return model, model.predict(case.X if case.new is None else case.new)


def rows(table):
    """Both estimators with each row, but for those whose targets only one of them has."""
    return [
        pytest.param(cls, case, id=f"{name}-{cls.__name__}")
        for name, case in table.items()
        for i, cls in enumerate(BOTH)
        if case.y is None or case.y[i] is not None
    ]


@pytest.mark.parametrize("cls, case", rows(FITS))
def test_odd_tables_fit_with_the_right_warnings(cls, case):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model, predicted = tried(cls, case)
    said = [str(each.message) for each in caught]
    if case.message:
        assert len(said) == 1 and re.search(case.message, said[0], re.DOTALL), said
        assert caught[0].filename == __file__ and caught[0].category is UserWarning
    else:
        assert said == []
    new = case.X if case.new is None else case.new
    assert len(predicted) == len(new)
    if cls is TabularMLPClassifier:
        assert set(predicted) <= set(model.classes_)
        predicted = model.predict_proba(new) if not case.message else np.zeros(1)
    assert np.isfinite(predicted).all()
    assert len(model.oof_predictions_) == len(case.X) and np.isfinite(model.oof_predictions_).all()


@pytest.mark.parametrize("cls, case", rows(RAISES))
def test_bad_tables_raise_and_say_what_is_valid(cls, case):
    with pytest.raises(case.raises, match=re.compile(case.message, re.DOTALL)):
        tried(cls, case)


TIMES = [datetime.time(i % 24, 30) for i in range(N)]
DIFFERENCES = DAYS - DAYS[0]
WITH_A_GAP = DAYS.to_series().mask(np.arange(N) == 3)
DATED = {
    "pandas": pd.DataFrame({"when": DAYS, "x": NUMBERS}),
    "pandas, zone": pd.DataFrame({"when": DAYS.tz_localize("UTC")}),
    "pandas, differences": pd.DataFrame({"when": DIFFERENCES}),
    "pandas, periods": pd.DataFrame({"when": DAYS.to_period("M")}),
    "pandas, gaps": pd.DataFrame({"when": WITH_A_GAP.to_numpy()}),
    "pandas, days": pd.DataFrame({"when": pd.Series([*DAYS.date[1:], None], dtype=object)}),
    "pandas, zone as objects": pd.DataFrame(
        {"when": DAYS.tz_localize("Asia/Tokyo").to_series().to_numpy(dtype=object)}
    ),
    "pandas, times": pd.DataFrame({"when": pd.Series([*TIMES[2:], None, np.nan], dtype=object)}),
    "pandas, differences as objects": pd.DataFrame(
        {"when": pd.Series([*DIFFERENCES.to_pytimedelta()], dtype=object)}
    ),
    "pandas, names that are numbers": pd.DataFrame({0: DAYS}),
    "numpy": DAYS.to_numpy()[:, np.newaxis],
    "numpy, differences": DIFFERENCES.to_numpy()[:, np.newaxis],
    "numpy, objects": np.array([DAYS.date, NUMBERS], dtype=object).T,
    "numpy, differences as objects": np.array([DIFFERENCES.to_pytimedelta()], dtype=object).T,
}


def test_bad_columns_of_other_libraries():
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    huge = 2**62 + 2**40 * np.arange(N)
    for make in (pl.DataFrame, pa.table):
        for numbers in (huge, huge.astype(np.uint64) * 2, [None, *huge.tolist()[1:]]):
            X = make({"id": numbers, "colour": COLOURS.tolist()})
            model = TabularMLPRegressor(**QUICK).fit(X, NUMBERS)
            assert len(np.unique(model._inputs(X)[:, 0])) >= N - 1
        for others, shown in ((["big"] * N, "such as 'big'"), ([[1]] * N, r"such as \[1\]|Series")):
            with pytest.raises(ValueError, match=f"column 'id' must hold numbers.*{shown}"):
                model.predict(make({"id": others, "colour": COLOURS.tolist()}))
        for dates in (DAYS.to_numpy(), list(DAYS.date), TIMES):
            with pytest.raises(ValueError, match=r"column 'id' must hold numbers.*now holds dates"):
                model.predict(make({"id": dates, "colour": COLOURS.tolist()}))
        with pytest.raises(ValueError, match="unseen at fit time:\n- more"):
            model.predict(make({"id": huge, "colour": COLOURS.tolist(), "more": huge}))
        reordered = make({"colour": COLOURS.tolist(), "id": huge})
        assert_array_equal(
            model.predict(reordered), model.predict(make({"id": huge, "colour": COLOURS.tolist()}))
        )


def dated_elsewhere():
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    for dates in (DAYS.to_numpy(), list(DAYS.date), TIMES, list(DIFFERENCES.to_pytimedelta())):
        yield pl.DataFrame({"when": dates, "x": NUMBERS}), {"pl": pl}
        yield pa.table({"x": NUMBERS, "when": dates}), {"pa": pa}


def dated_in_arrow():
    pa = pytest.importorskip("pyarrow")
    for dates, kind in (
        ([*DAYS[1:], None], pa.timestamp("ns")),
        ([*DAYS[1:], None], pa.timestamp("us", "Asia/Tokyo")),
        ([*DAYS.date[1:], None], pa.date32()),
        (DIFFERENCES.to_pytimedelta(), pa.duration("us")),  # pandas 2.0 reads no gap among these
        ([*TIMES[1:], None], pa.time64("us")),
    ):
        yield pd.DataFrame({"when": pd.Series(pa.array(dates, kind), dtype=pd.ArrowDtype(kind))})


def follow(X, **names):
    """Do what the message says, and again for later rows alone, which must get the same numbers."""
    with pytest.raises(TypeError, match="Convert them to numbers: ") as refused:
        TabularMLPRegressor(**QUICK).fit(X, NUMBERS)
    line, _, season = (
        str(refused.value)
        .partition("Convert them to numbers: ")[2]
        .partition(", and for seasons, before it, ")
    )
    scope = {"X": X.copy() if hasattr(X, "copy") else X, "pandas": pd, **names}
    if season:
        exec(season, scope)
    exec(line, scope)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = TabularMLPRegressor(**QUICK).fit(scope["X"], NUMBERS)
    assert not model.is_categorical_.any()
    inputs = model._inputs(scope["X"])
    assert len(np.unique(inputs, axis=0)) >= 2  # nothing constant
    later = X.slice(N // 2) if hasattr(X, "slice") else X[N // 2 :]
    scope["X"] = later.copy() if hasattr(later, "copy") else later
    exec(f"{season}\n{line}", scope)
    assert_array_equal(model._inputs(scope["X"]), inputs[N // 2 :])
    return season


@pytest.mark.parametrize("X", DATED.values(), ids=DATED)
def test_the_line_that_makes_numbers_of_dates_does(X):
    follow(X)


def test_the_line_that_makes_numbers_of_dates_does_in_other_libraries():
    for X, names in dated_elsewhere():
        follow(X, **names)
    for X in dated_in_arrow():
        follow(X)


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        ([f"{each:.4f}" for each in NUMBERS], float(f"{NUMBERS[0]:.4f}")),
        ([*(f"{each:.4f}" for each in NUMBERS[:-1]), " "], float(f"{NUMBERS[0]:.4f}")),
        ([str(day.date()) for day in DAYS], 18262),  # days from 1970 to 2020
        ([*(day.strftime("%Y-%m-%d 12:00") for day in DAYS[:-1]), "?"], 18262.5),
        ([day.strftime("%Y-%m-%dT12:00:00Z") for day in DAYS], 18262.5),
    ],
    ids=["numbers", "a blank", "dates", "times", "zone"],
)
def test_the_line_that_makes_numbers_of_text_does(texts, first):
    X = GOOD.assign(column=texts)
    with pytest.warns(UserWarning, match="Convert it to numbers, as with ") as warned:
        TabularMLPRegressor(**QUICK).fit(X, NUMBERS)
    line = str(warned[0].message).partition("numbers, as with ")[2].partition(", or to cat")[0]
    numbers = eval(line, {"pandas": pd, "column": X["column"]})
    assert numbers[0] == first and numbers.nunique() >= N - 1


def test_seasons_get_a_column_of_their_own():
    assert follow(DATED["pandas"]) == "X['when month'] = X['when'].dt.month"


def test_a_quantile_that_the_loss_ignores():
    with pytest.warns(UserWarning, match=r"loss='squared_error' ignores quantile=\[0.1, 0.9\]"):
        TabularMLPRegressor(**QUICK, quantile=[0.1, 0.9]).fit(GOOD, NUMBERS)
