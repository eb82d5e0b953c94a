# SPDX-License-Identifier: BSD-3-Clause
"""python -m sknumpynet: what it prints, saves and refuses, on the built-in data and on tables."""

import importlib
import io
import os
import re
import subprocess
import sys
import types

import numpy as np
import pytest

import sknumpynet
from sknumpynet.comparison import csv_table
from sknumpynet.estimators import NumpyMLPClassifier, NumpyMLPRegressor

cli = importlib.import_module("sknumpynet.comparison.command_line")

# the models for tables have tests of their own
QUICK = ["--max-iter", "3", "--repeats", "1", "--hidden-layer-sizes", "5", "--no-tables"]
NUMBERS = ["x,y"] + [f"{i},{i * i}" for i in range(20)]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")


def write(lines, name="t.csv", encoding="utf-8"):
    with open(name, "w", encoding=encoding, newline="") as file:
        file.write("\n".join(lines) + "\n")
    return name


def read(lines, target="y", *more, encoding="utf-8"):
    """Return the case that --csv creates from a table: estimator, X, y and notes."""
    arguments = ["--csv", write(lines, encoding=encoding), "--target", target, *more]
    return cli._csv_case(cli._parser().parse_args(arguments))


# The whole command


def test_the_three_data_sets(capsys):
    pytest.importorskip("matplotlib")
    assert cli.main([*QUICK, "--output", "p.png"]) == 0
    out, err = capsys.readouterr()
    for heading in (
        "digits (adam): 1347 rows to fit, 450 to test, 64 features",
        "breast cancer (sgd): 426 rows to fit, 143 to test, 30 features",
        "diabetes (adam): 331 rows to fit, 111 to test, 10 features",
    ):
        assert heading in out
    assert out.count("test accuracy") == 2 and out.count("test R^2") == 1
    assert out.count("stopped at max_iter=3") == 3
    assert out.startswith(f"sknumpynet {sknumpynet.__version__}, scikit-learn ")
    assert out.endswith("p.png\n")
    assert open("p.png", "rb").read(4) == b"\x89PNG"
    assert err.splitlines()[:2] == [
        "[1/3] fit 1 of 2, digits (adam): scikit-learn",
        "[1/3] fit 2 of 2, digits (adam): sknumpynet",
    ]
    assert len(err.splitlines()) == 6


def test_the_built_in_networks_converge():
    """What is shown without options must not carry a note on max_iter."""
    for case in cli._builtin_cases():
        network = case.estimator[-1].set_params(random_state=0)
        case.estimator.fit(case.X, case.y)
        assert network.n_iter_ < network.max_iter
        assert case.estimator.score(case.X, case.y) > 0.45


def test_a_process_of_its_own_on_a_table():
    lines = ["x,colour,y"] + [f"{i},{'red' if i % 3 else 'blue'},{i % 2}" for i in range(40)]
    command = [sys.executable, "-m", "sknumpynet", "--csv", write(lines), "--target", "y", *QUICK]
    folder = os.path.dirname(os.path.dirname(sknumpynet.__file__))
    run = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": folder}
    )
    assert run.returncode == 0, run.stderr
    assert "y of t.csv (adam): 30 rows to fit, 10 to test, 3 features" in run.stdout
    assert "classification, because the target 'y' holds 2 different whole numbers" in run.stdout
    assert run.stderr.splitlines()[0] == "[1/1] fit 1 of 2, y of t.csv (adam): scikit-learn"


def test_help_explains_with_an_example(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"])
    out = capsys.readouterr().out
    assert stop.value.code == 0
    assert "python -m sknumpynet --csv houses.csv --target price" in out
    assert max(map(len, out.splitlines())) <= 100


def test_the_options_reach_both_networks(monkeypatch):
    seen = []

    def compare(estimator, X, y, **options):
        seen.append((estimator[-1].get_params(), options))
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "compare_with_sklearn", compare)
    arguments = "--hidden-layer-sizes 7 6 --solver sgd --max-iter 9 --seed 5 --repeats 4".split()
    assert cli.main(arguments) == 130
    parameters, options = seen[0]
    expected = {"hidden_layer_sizes": (7, 6), "solver": "sgd", "max_iter": 9, "random_state": 5}
    assert {key: parameters[key] for key in expected} == expected
    assert (options["random_state"], options["repeats"], options["max_seconds"]) == (5, 4, None)
    assert cli.main([]) == 130
    assert seen[1][1]["repeats"] > 1 and 0 < seen[1][1]["max_seconds"] <= 20


def test_another_solver_gets_its_own_steps_and_name(recwarn, capsys):
    assert cli.main(["--solver", "lbfgs", *QUICK]) == 0
    out = capsys.readouterr().out
    assert "digits (lbfgs)" in out and "breast cancer (lbfgs)" in out and "(adam)" not in out
    assert not [w for w in recwarn if issubclass(w.category, UserWarning)]


def test_ctrl_c_is_one_line_and_130(monkeypatch, capsys):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "compare_with_sklearn", interrupt)
    assert cli.main([]) == 130
    assert capsys.readouterr().err == "sknumpynet: interrupted, nothing was saved\n"


def test_a_fit_that_fails_is_one_line(monkeypatch, capsys):
    def fail(*args, **kwargs):
        raise ValueError("the weights are not finite:\n  a smaller step would do")

    monkeypatch.setattr(cli, "compare_with_sklearn", fail)
    assert cli.main([]) == 2
    err = capsys.readouterr().err
    assert err == (
        "sknumpynet: error: digits: the weights are not finite: a smaller step would do\n"
    )


def test_without_matplotlib_it_says_what_would_draw(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert cli.main(["--csv", write(NUMBERS), "--target", "y", *QUICK]) == 0
    assert 'pip install "sknumpynet[plot]"' in capsys.readouterr().out
    assert os.listdir() == ["t.csv"]


def test_a_picture_without_a_suffix_is_a_png(capsys):
    pytest.importorskip("matplotlib")
    assert cli.main(["--csv", write(NUMBERS), "--target", "y", *QUICK, "--output", "p"]) == 0
    assert sorted(os.listdir()) == ["p.png", "t.csv"]
    assert capsys.readouterr().out.endswith("p.png\n")


def test_a_picture_that_cannot_be_written(monkeypatch, capsys):
    figure = pytest.importorskip("matplotlib.figure").Figure

    def full(self, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure, "savefig", full)
    assert cli.main(["--csv", write(NUMBERS), "--target", "y", *QUICK, "--output", "p.png"]) == 2
    err = capsys.readouterr().err.splitlines()[-1]
    assert err == "sknumpynet: error: cannot save 'p.png': No space left on device"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_one_changing_line_on_a_terminal_and_lines_elsewhere():
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        progress = cli._Progress("[1/1] ", stream)
        progress(0, 2, "t: scikit-learn")
        progress(1, 2, "t: sknumpynet" + "." * 100)
        progress(2, 2, "t: done")
        progress.close()
    assert file.getvalue().splitlines()[0] == "[1/1] fit 1 of 2, t: scikit-learn"
    assert len(file.getvalue().splitlines()) == 2
    assert "\n" not in terminal.getvalue() and terminal.getvalue().endswith("\r\x1b[K")
    assert max(map(len, terminal.getvalue().split("\r\x1b[K"))) == 79


# What it refuses: one line and status 2

ERRORS = [
    # files
    (None, "--csv nope.csv --target y", "nope.csv: there is no such file"),
    (None, "--csv . --target y", ".: this is a folder, not a file"),
    (b"", "--csv t.csv --target y", "t.csv: the file is empty"),
    (b"\n \n", "--csv t.csv --target y", "t.csv: the file is empty"),
    (b"x,y\n", "--csv t.csv --target y", "t.csv: no rows below the column names"),
    (b"x,y\n1\n2\n", "--csv t.csv --target y", "2 rows below the column names, each with a different"),
    (b"x,y\n\xff,1\n", "--csv t.csv --target y", "not text in utf-8 .* at byte 4.*--encoding"),
    (b"x,y\n1,2\n", "--csv t.csv --target y --encoding utf9", "there is no encoding 'utf9'"),
    (b'x,y\n1,"' + b"2" * 140_000 + b'"\n', "--csv t.csv --target y", "t.csv, line 2: field larger"),
    # columns
    (b"x,price\n1,2\n", "--csv t.csv --target prise", "mean 'price'.*; it has: x, price"),
    (b"x,y\n1,2\n", "--csv t.csv", "--csv needs --target COLUMN; t.csv has the columns: x, y"),
    (b"y,y\n1,2\n", "--csv t.csv --target y", "t.csv has 2 columns 'y': rename one"),
    (b",".join(b"c%d" % i for i in range(99)) + b"\n" + b"1," * 98 + b"1\n",
     "--csv t.csv --target y", "no column 'y'.* c19 and 79 more"),
    # rows
    (b"x,y\n" + b"1,2\n2,3\n" * 4, "--csv t.csv --target y", "8 rows with a target: too few"),
    (b"x,y\n" + b"1,\n" * 20, "--csv t.csv --target y", "no rows with a target: too few"),
    # targets
    (b"x,y\n" + b"1,7\n2,7.0\n" * 20, "--csv t.csv --target y", "'y' is '7' in every row"),
    (b"x,y\n" + b"1,a\n2,b\n" * 20, "--csv t.csv --target y --task regression",
     r"'y' holds text \('a'\): it cannot be regressed"),
    (b"x,y\n" + b"".join(b"1,n%d\n" % i for i in range(40)), "--csv t.csv --target y",
     "'y' has 40 different values in 40 rows, too many to be classes"),
    (b"x,y\n" + b"".join(b"1,%d\n" % i for i in range(40)),
     "--csv t.csv --target y --task classification", "too many to be classes"),
    # inputs
    (b"x,y\n" + b"".join(b"n%d,%d\n" % (i, i % 2) for i in range(40)), "--csv t.csv --target y",
     "no column to predict 'y' from"),
    (b"y\n" + b"1\n2\n" * 20, "--csv t.csv --target y", "no column to predict 'y' from"),
    (b"x,y\n" + b"".join(b"%d,1000000000000000000000%02d\n" % (i, i) for i in range(20)),
     "--csv t.csv --target y", "differ only beyond the 16 digits of a float"),
    (b"x,y\n" + b"".join(b"%d,900719925474099%d\n" % (i, 2 + i % 2) for i in range(20)),
     "--csv t.csv --target y", "differ only beyond the 16 digits of a float"),
    (b"x,y\n" + b"1,$5\n2,5.00\n" * 20, "--csv t.csv --target y", "'y' is '\\$5' in every row"),
    (b"x,y\n" + b"1," + b"9" * 3000 + b"\n2," + b"9" * 3000 + b"\n", "--csv t.csv --target y",
     "2 rows with a target"),
    (b"x,y\n" + (b"1," + b"9" * 3000 + b"\n") * 20, "--csv t.csv --target y",
     r"'y' is '9+ \.\.\. 9+' in every row"),
    (b"x,y\n" + b"$1,1\n2,2\ncall us,3\n5,4\n" * 5, "--csv t.csv --target x --task regression",
     r"'x' holds text \('call us'\)"),
    (b"x,y\n" + b"".join(b"%d,%d\n" % (i, i) for i in range(20)) + b"call us,1\n",
     "--csv t.csv --target y", "'x' is read as text: .* numbers, but 'call us' is not"),
    (b"d,y\n" + b"".join(b"2024-01-%02d,%d\n" % (i + 1, i) for i in range(20)),
     "--csv t.csv --target y", "no column to predict 'y' from"),
    # bytes and names
    (b"x,y\n1,2\n", "--csv t.csv --target y --encoding undefined", "the file cannot be read as 'undef"),
    (b"x,y\n1,2\n", "--csv t.csv --target y --encoding punycode", "(as '|in )punycode"),  # the latter: 3.13
    (b"x,y\n1,2\n", "--csv t.csv --target y --encoding rot13", "there is no encoding 'rot13'"),
    (b"x,y\n1,2\n", "--csv t.csv --target y --encoding " + "x" * 9000, "there is no encoding 'x"),
    (b"x,y\n1,2\n", "--csv t.csv --target y --encoding utf-32", "not text in utf-32"),
    (b"x\0,\0y\0\n\0", "--csv t.csv --target y", "contains NUL: .* --encoding utf-16-le"),
    (b"x,y\n1,\0\n", "--csv t.csv --target y", "not text in utf-8, it contains NUL"),
    (b'x,y\n1,"2\n' + b"1,2\n" * 20, "--csv t.csv --target y", "1 row with a target: too few"),
    (b"\x1b[31mx,\x1by\n1,2\n", "--csv t.csv --target z", r"it has: \\x1b\[31mx, \\x1by"),
    (b"a\xe2\x80\xa8b,y\n1,2\n", "--csv t.csv --target z", r"it has: a\\u2028b, y"),
    (b'"a\nb",y\n1,2\n', "--csv t.csv --target z", "it has: a b, y"),
    (b"x,y\n1,2\n", "--csv t.csv --target " + "n" * 9000, "no column 'nnn.* n+'; it has: x, y"),
    (b"n" * 9000 + b",y\n1,2\n", "--csv t.csv --target z", r"it has: n+ \.\.\. n+, y"),
    (None, "--csv " + "n" * 9000 + " --target y", "n: File name too long"),
    (None, "--csv a\0b --target y", r"a\\x00b: .*embedded null (byte|character)"),
    (None, "--csv /dev/null --target y", "/dev/null: the file is empty"),
    (None, "--output " + "n" * 9000, "--output: 'n+ .* n+': File name too long"),
    (None, "--output " + "n" * 9000 + ".png", "--output: 'n+ .*png': File name too long"),
    (None, "--" + "n" * 9000, "unrecognized arguments: --nnn"),
    (None, "--max-iter " + "9" * 30, r"--max-iter: must be a whole number below 2\*\*63"),
    (None, "--max-iter " + "9" * 9000, r"--max-iter: must be a whole number .*, not '9+ \.\.\. 9+'"),
    (None, "--hidden-layer-sizes " + "9" * 30, "--hidden-layer-sizes: must be a whole number below"),
    # options
    (None, "--target y", "--target and --task go with --csv FILE"),
    (None, "--task regression", "--target and --task go with --csv FILE"),
    (None, "--max-iter 0", "--max-iter: must be a whole number from 1 on, not '0'"),
    (None, "--repeats many", "--repeats: must be a whole number from 1 on, not 'many'"),
    (None, "--hidden-layer-sizes 5 -2", "--hidden-layer-sizes: must be a whole number from 1 on"),
    (None, "--seed -1", "--seed: must be a whole number from 0 on, not '-1'"),
    (None, "--seed 4294967296", r"--seed: must be below 2\*\*32"),
    (None, "--solver newton", "--solver: invalid choice: 'newton'"),
    (None, "--bogus", "unrecognized arguments: --bogus"),
    (None, "--output nowhere/p.png", "there is no folder 'nowhere': create it first"),
    (None, "--output .", "'.' is a folder: name a file in it"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "arguments", "message"), ERRORS)
def test_errors_are_one_line_and_status_2(content, arguments, message, capsys):
    if content is not None:
        with open("t.csv", "wb") as file:
            file.write(content)
    assert cli.main(arguments.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("sknumpynet: error: ") and err.count("\n") == 1
    assert len(err) < 600 and err[:-1].isprintable()
    assert re.search(message, err), err
    assert not err.rstrip().endswith(".")


def test_a_file_that_may_not_be_read(monkeypatch, capsys):
    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(cli.Path, "read_bytes", refuse)
    assert cli.main(["--csv", write(NUMBERS), "--target", "y"]) == 2
    assert capsys.readouterr().err == "sknumpynet: error: t.csv: Permission denied\n"


def test_a_picture_of_an_unknown_kind_is_refused_before_the_fits(capsys):
    pytest.importorskip("matplotlib")
    assert cli.main(["--output", "p.xyz"]) == 2
    assert "a plot cannot be saved as .xyz; supported are" in capsys.readouterr().err


# How a table is read


@pytest.mark.parametrize(
    ("values", "more", "task"),
    [
        (["a", "b"] * 10, [], "classification"),
        (["True", "False"] * 10, [], "classification"),
        (["0", "1", "2", "2"] * 5, [], "classification"),
        (["1.0", "2.0"] * 10, [], "classification"),
        (["1.5", "2.0"] * 10, [], "regression"),
        (["1.5", "2.0"] * 10, ["--task", "classification"], "classification"),
        (["0", "1"] * 10, ["--task", "regression"], "regression"),
        ([str(i % 10) for i in range(40)], [], "classification"),
        ([str(i % 11) for i in range(40)], [], "regression"),
        ([str(i % 8) for i in range(12)], [], "regression"),
        (["1e3", "-2", "3", "4.5"] * 5, [], "regression"),
        (["1", "2", "x", "2"] * 5, [], "classification"),
    ],
)
def test_task_is_inferred_from_the_target_and_printed(values, more, task):
    case = read(["x,y"] + [f"{i},{value}" for i, value in enumerate(values)], "y", *more)
    expected = {"classification": NumpyMLPClassifier, "regression": NumpyMLPRegressor}[task]
    assert type(case.estimator[-1]) is expected
    assert case.notes[0].startswith(task) and "'y'" in case.notes[0]
    if task == "regression":
        assert case.y.mean() == pytest.approx(0, abs=1e-12)
        assert case.y.std() == pytest.approx(1)
        shifted = np.array(values, dtype=float)
        assert np.corrcoef(case.y, shifted)[0, 1] == pytest.approx(1)
    else:
        assert len(np.unique(case.y)) == len(set(values))


def test_a_class_is_its_value_and_not_its_spelling():
    case = read(["x,y"] + [f"{i},{('1', '1.0', '2000001', '2000002')[i % 4]}" for i in range(40)])
    assert np.unique(case.y).tolist() == ["1.0", "2000001.0", "2000002.0"]


def test_columns_become_numbers_and_codes():
    lines = ["n,colour,y", "1,red,0.5", "NA,,1.5", "inf,blue,2.5"]
    lines += [f"{i},red,{i}.5" for i in range(3, 12)]
    case = read(lines)
    assert case.X.shape == (12, 2)
    np.testing.assert_array_equal(case.X[:4], [[1, 1], [np.nan] * 2, [np.nan, 0], [3, 1]])
    steps = case.estimator[:-1].fit(case.X)
    Z = steps.transform(case.X)
    assert Z.shape == (12, 4)  # the number; blue, red, missing
    filled = np.array([1, 6.5, 6.5, *range(3, 12)])  # with the median
    np.testing.assert_allclose(Z[:, 0], (filled - filled.mean()) / filled.std())
    np.testing.assert_array_equal(Z[:4, 1:], [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]])


def test_a_text_that_only_the_test_rows_have_is_no_error():
    case = read(["colour,y"] + [f"{'ab'[i % 2]},{i}" for i in range(20)] + ["new,20"])
    steps = case.estimator[:-1].fit(case.X[:20])
    np.testing.assert_array_equal(steps.transform(case.X[20:]), [[0, 0]])


def test_a_number_that_only_the_test_rows_have_is_no_error(capsys):
    lines = ["a,b,y"] + [f"{i},,{i}" for i in range(40)]
    lines[7], lines[9] = "6,1,6", "8,2,8"
    assert cli.main(["--csv", write(lines), "--target", "y", *QUICK]) == 0
    assert "test R^2" in capsys.readouterr().out


def test_a_text_column_makes_a_bounded_number_of_columns():
    case = read(["t,y"] + [f"v{i % 200},{i}" for i in range(1000)])
    assert case.estimator[:-1].fit_transform(case.X).shape == (1000, csv_table.MAX_CATEGORIES)


@pytest.mark.parametrize(
    ("delimiter", "quoted"), [(",", True), (";", False), ("\t", False), ("|", True)]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_delimiters_quotes_and_byte_order_marks(delimiter, quoted, encoding):
    value = f'"a{delimiter} ""b"""' if quoted else "a b"
    rows = [["größe", " t ", "y"]] + [
        [str(i), value if i % 2 else "c", f"{i}.5"] for i in range(20)
    ]
    case = read([delimiter.join(row) for row in rows], "y", encoding=encoding)
    assert case.X.shape == (20, 2)
    assert case.X[:3].tolist() == [[0, 1], [1, 0], [2, 1]]
    assert len(case.notes) == 1


def test_a_line_break_within_quotes_and_windows_line_ends():
    lines = ["x,t,y\r"] + [f'{i},"a\nb{i % 2}",{i}.5\r' for i in range(20)]
    case = read(lines)
    assert case.X.tolist() == [[i, i % 2] for i in range(20)]


def test_decimal_commas_where_semicolons_separate():
    case = read(["x;t;y"] + [f"{i},25;a,b{i % 2};{i},5" for i in range(20)])
    assert case.X[:2].tolist() == [[0.25, 0], [1.25, 1]]
    assert type(case.estimator[-1]) is NumpyMLPRegressor


def test_what_is_left_out_is_noted():
    lines = [",id,same,nothing,n,y"] + [f"{i},n{i},5,,{i * 7 % 5},{i}" for i in range(40)]
    lines[3:3] = ["1,2", ""]
    lines += ["40,n40,5,,3,", "41,n41,5,,3,?"]
    case = read(lines)
    assert case.X.shape == (40, 1) and len(case.y) == 40
    wrong_length, no_target, _, columns = case.notes
    assert wrong_length == (
        "1 row with a wrong number of fields left out, the first at line 4 (2 fields, not 6)."
    )
    assert no_target == "2 rows without a value in 'y' left out."
    assert columns.endswith("'', 'id', 'same', 'nothing'.")


def test_a_name_that_the_terminal_cannot_show_does_not_end_the_run(monkeypatch):
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    lines = ["x,größe"] + NUMBERS[1:]
    assert cli.main(["--csv", write(lines), "--target", "größe", *QUICK]) == 0
    stdout.flush()
    assert rb"gr\xf6\xdfe of t.csv (adam): 15 rows to fit" in stdout.buffer.getvalue()


# What may go wrong outside


def run_in_a_shell(command):
    """Status and stderr of a command line in which $ours stands for python -m sknumpynet."""
    folder = os.path.dirname(os.path.dirname(sknumpynet.__file__))
    write(NUMBERS)
    ours = f"{sys.executable} -m sknumpynet"
    environment = {**os.environ, "PYTHONPATH": folder, "ours": ours, "quick": " ".join(QUICK)}
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=environment, timeout=600
    )
    return done.returncode, done.stderr


FIT = "$ours --csv t.csv --target y $quick"
PROGRESS = r"(\[1/1\] .*\n)*"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a disk that is always full")
@pytest.mark.parametrize(
    ("command", "status", "err"),
    [
        (f"{FIT} > /dev/full", 1, "sknumpynet: error: cannot print .*: No space left on device\n"),
        ("$ours --help > /dev/full", 1, "sknumpynet: error: cannot print .*: No space left .*\n"),
        (
            f"{FIT} --output /dev/full",
            2,
            "sknumpynet: error: cannot save '/dev/full': No space .*\n",
        ),
        (f"{FIT} --output /dev/null", 0, ""),
        (f"{FIT} | true; exit ${{PIPESTATUS[0]}}", 141, ""),
        ("$ours --csv nope.csv --target y 2> /dev/full", 2, ""),
        (f"{FIT} >&-", 0, ""),
        (f"{FIT} 2>&-", 0, ""),
        ("$ours --csv - --target y $quick < t.csv", 0, ""),
        (
            "$ours --csv - --target y <&-",
            2,
            "sknumpynet: error: --csv -: standard input is closed\n",
        ),
        ("mkfifo f; cat t.csv > f & $ours --csv f --target y $quick", 0, ""),
    ],
)
def test_what_may_go_wrong_outside_is_one_line_too(command, status, err):
    pytest.importorskip("matplotlib")
    got, said = run_in_a_shell(command)
    assert got == status, said
    assert re.fullmatch(PROGRESS + err, said), said


def test_a_network_that_no_memory_holds_is_refused_before_the_fit(capsys):
    arguments = ["--csv", write(NUMBERS), "--target", "y", "--hidden-layer-sizes", str(10**11)]
    assert cli.main(arguments) == 2
    err = capsys.readouterr().err
    assert re.fullmatch(r"sknumpynet: error: argument --hidden-layer-sizes: .* GB .*\n", err)


def test_memory_that_runs_out_is_a_line_and_status_1(monkeypatch, capsys):
    def fail(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(cli, "compare_with_sklearn", fail)
    assert cli.main([]) == 1
    assert capsys.readouterr().err.startswith("sknumpynet: error: digits: out of memory: use fewer")


def test_what_nobody_thought_of_is_a_line_and_status_1(monkeypatch, capsys):
    def fail(*args, **kwargs):
        raise RuntimeError("no\nidea")

    monkeypatch.setattr(cli, "compare_with_sklearn", fail)
    assert cli.main([]) == 1
    err = capsys.readouterr().err
    assert err.startswith("sknumpynet: error: RuntimeError: no idea (") and err.count("\n") == 1


# Numbers and names as they are found


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        (["1,234.50", "2.5", "12,000"], [1234.5, 2.5, 12000]),
        (["$1,234", "-$5", "$-6.5"], [1234, -5, -6.5]),
        (["($7.50)", "$1", "2"], [-7.5, 1, 2]),
        (["12.3%", "4 %", "-0.5%"], [0.123, 0.04, -0.005]),
        (["1.234,50 €", "3,5 €", "0,25 €"], [1234.5, 3.5, 0.25]),
        (["1 234", "5", "1 000 000"], [1234, 5, 1e6]),
        (["\N{MINUS SIGN}5", "1", "2"], [-5, 1, 2]),
        (["1,25", "3,5", "-0,5"], [1.25, 3.5, -0.5]),
        (["1e3", "1,000.5", "2"], [1000, 1000.5, 2]),
    ],
)
def test_numbers_as_people_write_them(written, numbers):
    lines = ["x,y"] + [f'"{written[i % 3]}",{i}' for i in range(30)]
    np.testing.assert_array_equal(read(lines).X[:3, 0], numbers)
    case = read(lines, "x", "--task", "regression")
    expected = np.tile(numbers, 10)
    np.testing.assert_allclose(case.y, (expected - expected.mean()) / expected.std(), rtol=1e-12)


@pytest.mark.parametrize(
    "odd", ["call us", "1.2.3", "12:30", "$", "1_000", "1,23,4", "1e999", "€5"]
)
def test_a_column_that_looks_like_numbers_is_said_to_be_text(odd):
    lines = ["x,z,y"] + [f"${i % 7},{i},{i}" for i in range(30)]
    lines[4] = f'"{odd}",3,3'
    note = next(note for note in read(lines).notes if "read as text" in note)
    assert "'x'" in note and (repr(odd) in note or "several ways or currencies" in note)


@pytest.mark.parametrize("scale", ["e300", "e-310", "e150"])
@pytest.mark.parametrize("column", ["x", "y"])
def test_numbers_near_the_ends_of_the_range_are_scaled(column, scale):
    plain = read(["x,y"] + [f"{i % 7},{i}" for i in range(1, 31)], column)
    case = read(["x,y"] + [f"{i % 7}{scale},{i}{scale}" for i in range(1, 31)], column)
    if plain.y.dtype.kind == "f":
        np.testing.assert_allclose(case.y, plain.y, rtol=1e-6)
    scaled, expected = (c.estimator[:-1].fit_transform(c.X) for c in (case, plain))
    np.testing.assert_allclose(scaled, expected, rtol=1e-6)


@pytest.mark.parametrize("header", ["a\u2028b;x;y", "a\x85b;x;y", '"a\n,,,b";x;y', "a\x0cb;x;y"])
def test_a_line_separator_in_a_header_is_part_of_a_name(header):
    case = read([header] + [f"{i};{i % 3};{i * i}" for i in range(20)])
    assert case.X.shape == (20, 2)


def test_a_long_name_is_shown_shortened(capsys):
    name = "n" * 3000
    lines = [f"x,{name}"] + NUMBERS[1:]
    assert cli.main(["--csv", write(lines), "--target", name, *QUICK]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) < 200


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_byte_order_mark_says_the_encoding(encoding):
    with open("t.csv", "w", encoding=encoding) as file:
        file.write("\n".join(NUMBERS).replace("x,", "größe,"))
    case = cli._csv_case(cli._parser().parse_args(["--csv", "t.csv", "--target", "größe"]))
    assert case.name == "größe of t.csv" and case.X[2, 0] == 4


def test_long_whole_numbers_stay_classes_of_their_own():
    case = read(
        ["x,y"] + [f"{i},{(9007199254740992, 9007199254740993, 5)[i % 3]}" for i in range(30)]
    )
    assert len(np.unique(case.y)) == 3


# How long it trains, and what it shows meanwhile


def test_fits_that_may_be_left_out_are_said_to_be(capsys):
    assert cli.main(["--csv", write(NUMBERS), "--target", "y", "--max-iter", "2"]) == 0
    assert capsys.readouterr().err.startswith("[1/1] fit 1 of up to 6, y of t.csv")


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_terminal_shows_the_epochs_of_both(monkeypatch, solver):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(
        cli._Progress, "epoch", lambda self, *where: seen.append((self.what, where))
    )
    seen = []
    arguments = ["--csv", write(NUMBERS), "--target", "y", "--solver", solver, *QUICK]
    assert cli.main(arguments) == 0
    epochs = [(1, 3), (2, 3), (3, 3)]
    assert seen == [
        (f"y of t.csv ({solver}): {who}", where)
        for who in ("scikit-learn", "sknumpynet")
        for where in epochs
    ]


def test_an_epoch_on_the_line_of_a_terminal(monkeypatch):
    now = iter([0.0, 0.2, 0.2, 0.25])  # as it is shown, asked and shown, and asked
    monkeypatch.setattr(cli, "time", types.SimpleNamespace(perf_counter=lambda: next(now)))
    progress = cli._Progress("[1/1] ", Terminal(), up_to=True)
    progress(0, 6, "t: scikit-learn")
    progress.epoch(7, 200)
    progress.epoch(8, 200)  # too soon to be worth the time
    last = progress.stream.getvalue().split("\r\x1b[K")[-1]
    assert last == "[1/1] fit 1 of up to 6, epoch 7 of up to 200, t: scikit-learn"


@pytest.mark.parametrize("seed", range(3))
def test_a_regression_stops_where_more_epochs_would_only_overfit(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(400, 10))
    y = X[:, 0] + 2 * rng.normal(size=400)
    lines = [",".join("abcdefghij") + ",y"]
    lines += [",".join(map(str, [*row, value])) for row, value in zip(X, y, strict=True)]
    case = read(lines)
    network = case.estimator[-1].set_params(random_state=0)
    case.estimator.fit(case.X[:300], case.y[:300])
    assert network.n_iter_ < network.max_iter / 2
    stopped = case.estimator.score(case.X[300:], case.y[300:])
    network.set_params(early_stopping=False)
    case.estimator.fit(case.X[:300], case.y[:300])
    assert stopped > case.estimator.score(case.X[300:], case.y[300:])
    for few in (read(lines[:150]), read(lines, "y", "--solver", "lbfgs")):
        assert few.estimator[-1].early_stopping is False
