# SPDX-License-Identifier: BSD-3-Clause
"""python -m sknumpynet --csv: the models for tables beside the networks, and the recommendation."""

import importlib
import re
import warnings

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_predict, train_test_split

from sknumpynet import TabularMLPClassifier, TabularMLPRegressor
from sknumpynet.comparison import table_models
from sknumpynet.comparison.table_models import TableComparison, TableModel

cli = importlib.import_module("sknumpynet.comparison.command_line")

QUICK = ["--max-iter", "3", "--repeats", "1", "--hidden-layer-sizes", "5"]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")


def write(lines):
    with open("t.csv", "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def houses(n=160):
    rng = np.random.default_rng(3)
    area, city = rng.uniform(20, 200, n).round(2), rng.integers(3, size=n)
    price = area * (1 + city) + rng.normal(0, 5, n)
    write(
        ["city,area,price"]
        + [
            f"{'abc'[c]},{a if i % 9 else ''},{p:.2f}"
            for i, (c, a, p) in enumerate(zip(city, area, price, strict=True))
        ]
    )
    return ["--csv", "t.csv", "--target", "price"]


def row(out, name):
    """Return the numbers in the row of a model, its times in seconds and milliseconds."""
    line = next(line for line in out.splitlines() if line.startswith(f"{name} "))
    return [float(number) for number in re.findall(r" (-?[\d.]+(?:e-?\d+)?)", line)]


def test_four_models_with_scores_that_others_get_too(capsys):
    arguments = [*houses(), *QUICK]
    assert cli.main(arguments) == 0
    out = capsys.readouterr().out
    case = cli._csv_case(cli._parser().parse_args(arguments))
    X, X_test, y, y_test = train_test_split(case.X, case.y, test_size=0.25, random_state=0)

    table = TabularMLPRegressor(categorical_features=[1], random_state=0).fit(X, y)
    assert row(out, "TabularMLPRegressor")[:2] == pytest.approx(
        [table.oof_score_, table.score(X_test, y_test)], abs=6e-5
    )
    trees = HistGradientBoostingRegressor(categorical_features=[1], random_state=0)
    unseen = cross_val_predict(trees, X, y, cv=KFold(5, shuffle=True, random_state=0))
    assert row(out, "HistGradientBoostingRegressor")[:2] == pytest.approx(
        [r2_score(y, unseen), trees.fit(X, y).score(X_test, y_test)], abs=6e-5
    )
    ours, theirs = row(out, "NumpyMLPRegressor"), row(out, "scikit-learn's MLPRegressor")
    assert ours[:2] == theirs[:2]
    assert out.count("\nUse ") == 1
    table = out.partition("models for tables")[2].partition("\n\n")[0]
    assert max(map(len, table.splitlines())) <= 80


def test_classes_of_text(capsys):
    rng = np.random.default_rng(0)
    x, colour = rng.normal(size=90), rng.integers(2, size=90)
    write(
        ["x,colour,y"]
        + [f"{a},{'red' if c else ''},{'yes' if a > c else 'no'}" for a, c in zip(x, colour)]
    )
    assert cli.main(["--csv", "t.csv", "--target", "y", *QUICK]) == 0
    out = capsys.readouterr().out
    for name in (TabularMLPClassifier.__name__, HistGradientBoostingClassifier.__name__):
        assert all(0.5 < score <= 1 for score in row(out, name)[:2])
    assert out.count("Use ") == 1


def test_a_rare_class_and_many_levels_are_no_error(capsys):
    lines = [f"{i % 7},v{i % 300},{'rare' if i == 5 else 'ab'[i % 2]}" for i in range(700)]
    write(["x,t,y", *lines])
    assert cli.main(["--csv", "t.csv", "--target", "y", *QUICK]) == 0
    out = capsys.readouterr().out
    assert len(row(out, "HistGradientBoostingClassifier")) == 4
    assert "could not be fitted" not in out


def test_they_can_be_left_out_and_are_for_large_tables(monkeypatch, capsys):
    arguments = [*houses(), *QUICK]
    assert cli.main([*arguments, "--no-tables"]) == 0
    captured = capsys.readouterr()
    assert "Tabular" not in captured.out + captured.err
    monkeypatch.setattr(cli, "MAX_CELLS", 319)
    assert cli.main(arguments) == 0
    out = capsys.readouterr().out
    assert "not fitted, since this table has 320 values: use --tables to fit them" in out
    assert "TabularMLPRegressor" not in out
    assert cli.main([*arguments, "--tables"]) == 0
    assert "TabularMLPRegressor" in capsys.readouterr().out


def test_tables_go_with_a_csv_file(capsys):
    assert cli.main(["--tables"]) == 2
    assert "--tables goes with --csv FILE" in capsys.readouterr().err


def test_what_would_take_too_long_is_not_cross_validated(monkeypatch, capsys):
    monkeypatch.setattr(table_models, "MAX_SECONDS", 1e-9)
    assert cli.main([*houses(), *QUICK]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "HistGradientBoostingRegressor has no out-of-fold score" in out
    assert "NumpyMLPRegressor has no out-of-fold score" in out
    assert "judging by the test R^2 of a single split, which is not reliable" in out


def test_a_model_that_refuses_the_table_is_a_note(monkeypatch, capsys):
    def refuse(self, X, y):
        raise ValueError("no such\ntable")

    monkeypatch.setattr(HistGradientBoostingRegressor, "fit", refuse)
    assert cli.main([*houses(), *QUICK]) == 0
    out = capsys.readouterr().out
    assert "HistGradientBoostingRegressor could not be fitted: no such table" in out
    assert "Use TabularMLPRegressor" in out


def test_ctrl_c_ends_the_comparison(monkeypatch, capsys):
    def interrupt(self, X, y):
        warnings.warn("Training interrupted by user; the snapshots so far are kept.", stacklevel=2)
        return self

    monkeypatch.setattr(TabularMLPRegressor, "fit", interrupt)
    assert cli.main([*houses(), *QUICK]) == 130


# What is to be taken

Y = np.random.default_rng(1).normal(size=400)


def model(name, fit_time, noise, test_score=0.5):
    """A model whose out-of-fold errors have the deviation `noise`, in a pattern of its own."""
    pattern = np.random.default_rng(len(name)).normal(size=len(Y))
    unseen = None if noise is None else Y + noise * pattern / pattern.std()
    return TableModel(name, fit_time, 0.001, test_score, unseen)


def advice(*models):
    return TableComparison("t", "R^2", Y, [model("theirs", 9.0, 0.01), *models]).advice()


def test_best_out_of_fold_score_decides_regardless_of_the_test_score():
    said = advice(model("slow", 9.0, 0.2, test_score=0.1), model("quick", 0.1, 0.4, test_score=0.9))
    assert said.startswith("Use slow: it is the best out of fold (R^2 0.9")


def test_the_fastest_is_taken_of_those_that_are_even():
    said = advice(model("slow", 9.0, 0.2), model("quick", 0.1, 0.201), model("bad", 0.01, 0.9))
    assert said.startswith(
        "Use quick: out of fold it is not significantly worse than the best, slow ("
    )
    assert said.endswith("and it is fitted in 0.10 s instead of 9.00 s.")


def test_none_is_taken_where_a_constant_does_as_well():
    said = advice(model("slow", 9.0, 2.0), model("quick", 0.1, 3.0))
    assert said == (
        "Use none of them: out of fold, none is better than the mean for every row (R^2 0.0000)."
    )
    labels = np.array(["a"] * 7 + ["b"] * 3)
    models = [TableModel(name, 1.0, 1.0, 0.9, np.array(["a"] * 10)) for name in "xyz"]
    said = TableComparison("t", "accuracy", labels, models).advice()
    assert "none is better than the most frequent class for every row (accuracy 0.7000)" in said


def test_one_split_is_named_where_there_is_nothing_else():
    said = advice(model("slow", 9.0, 0.2, test_score=0.8), model("quick", 0.1, None, 0.7))
    assert said.startswith("Use slow, judging by the test R^2 of a single split")
