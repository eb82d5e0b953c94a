# SPDX-License-Identifier: BSD-3-Clause
"""What class_weight does for balanced accuracy on real sets with rare classes, and dropout for the test score
on noisy ones.

Each seed has a split of its own, a fifth of the rows being for the test, the same for all choices. Figures
are means over the seeds and, behind "+-", standard deviations; "gain" is the mean of the differences within
seeds. Sets with rare classes: shuttle, adult, telco_churn. Noisy ones: higgs_small, wine_quality
(regression). They need --data-dir; without, scikit-learn's diabetes (is a patient in the tenth with the
highest progression?) and its digits, a fifth of the training labels drawn at random, take their place. To
repeat:

    python examples/benchmarks/features.py --data-dir DIR --output results
    python examples/benchmarks/features.py --seeds 2
"""

from __future__ import annotations

import warnings

import numpy as np
from common import Report, arguments
from time_to_score import adult, encoded

# ---------------------------------------------------------------------------- data


def shuttle(data_dir):
    """Return nine readings of a space shuttle's radiator, and which of seven states it is in."""
    import pandas as pd

    table = pd.read_csv(data_dir / "shuttle" / "shuttle.tsv.gz", sep="\t")
    return table, table.pop("target").to_numpy()


def telco_churn(data_dir):
    """Return customers of a telephone company, and whether they have left."""
    import pandas as pd

    path = data_dir / "telco_churn" / "Telco-Customer-Churn.csv.gz"
    table = pd.read_csv(path, na_values=" ").drop(columns="customerID")
    return table, (table.pop("Churn") == "Yes").to_numpy()


def higgs_small(data_dir):
    """Return what a detector saw of 7,500 collisions, and whether a Higgs boson was there."""
    import pandas as pd

    parts = [
        pd.read_csv(data_dir / "higgs_small" / name, sep=r"\s+", header=None)
        for name in ("binary.train.gz", "binary.test")
    ]
    table = pd.concat(parts, ignore_index=True)
    y = table.pop(0).to_numpy() == 1
    return table.rename(columns=str), y


def wine_quality(data_dir):
    """Return measurements of wines, and the mark that tasters gave them, in standard deviations."""
    import pandas as pd

    parts = {"white": "winequality-white.csv.gz", "red": "winequality-red.csv"}
    table = pd.concat(
        [
            pd.read_csv(data_dir / "wine_quality" / name, header=None).assign(color=color)
            for color, name in parts.items()
        ],
        ignore_index=True,
    ).rename(columns=str)
    y = table.pop("11").to_numpy(dtype=float)
    return table, (y - y.mean()) / y.std()


def diabetes(data_dir):
    """Return ten measurements of patients, and who is in the tenth with the highest progression."""
    from sklearn.datasets import load_diabetes

    table, y = load_diabetes(return_X_y=True, as_frame=True)
    return table, (y >= y.quantile(0.9)).to_numpy()


def digits(data_dir):
    """Return images and digits."""
    from sklearn.datasets import load_digits

    return load_digits(return_X_y=True, as_frame=True)


def split(table, y, seed):
    """Return X and y to train on, X and y of the test: scaled, filled and encoded."""
    from sklearn.model_selection import train_test_split

    y = np.asarray(y)
    X, X_test, y, y_test = train_test_split(
        table, y, test_size=0.2, random_state=seed, stratify=None if y.dtype.kind == "f" else y
    )
    return encoded(X, y, X_test, y_test)


# ---------------------------------------------------------------------------- choices

RARE = {
    "shuttle": (shuttle, {"max_iter": 20}),
    "adult": (lambda data_dir: adult(data_dir)[:2], {"max_iter": 10}),
    "telco_churn": (telco_churn, {"max_iter": 20}),
    "diabetes": (diabetes, {"hidden_layer_sizes": (20,), "alpha": 1.0, "max_iter": 100}),
}
WEIGHTS = {"None": {}, '"balanced"': {"class_weight": "balanced"}}
DEEP = {"hidden_layer_sizes": (200, 200), "max_iter": 60}
NOISY = {
    "higgs_small": (higgs_small, DEEP),
    "wine_quality": (wine_quality, DEEP),
    "digits": (digits, {**DEEP, "batch_size": 50}),
}
REMEDIES = {
    "0": {},
    "0, early_stopping": {"early_stopping": True},
    "0.5": {"dropout": 0.5},
}
OWN = ("diabetes", "digits")  # scikit-learn's


def rare_classes(name, seed, data_dir):
    """Return accuracy and balanced accuracy by class_weight."""
    from sklearn.metrics import accuracy_score, balanced_accuracy_score

    from sknumpynet import NumpyMLPClassifier

    load, options = RARE[name]
    X, y, X_test, y_test = split(*load(data_dir), seed)
    results = {}
    for choice, own in WEIGHTS.items():
        network = NumpyMLPClassifier(**options, **own, n_iter_no_change=np.inf, random_state=seed)
        prediction = network.fit(X, y).predict(X_test)
        results[choice] = {
            "balanced accuracy": balanced_accuracy_score(y_test, prediction),
            "accuracy": accuracy_score(y_test, prediction),
        }
    return results


def noisy(name, seed, data_dir):
    """Return the scores on training and test rows by dropout."""
    from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor

    load, options = NOISY[name]
    X, y, X_test, y_test = split(*load(data_dir), seed)
    if name == "digits":
        rng = np.random.default_rng(seed)
        wrong = rng.random(len(y)) < 0.2
        y = np.where(wrong, rng.integers(0, 10, len(y)), y)
    estimator = NumpyMLPRegressor if y.dtype.kind == "f" else NumpyMLPClassifier
    results = {}
    for choice, own in REMEDIES.items():
        patience = {} if "early_stopping" in own else {"n_iter_no_change": np.inf}
        network = estimator(**options, **own, **patience, random_state=seed).fit(X, y)
        results[choice] = {
            "test score": network.score(X_test, y_test),
            "training score": network.score(X, y),
        }
    return results


# ---------------------------------------------------------------------------- report


def measure(function, name, parameter, options):
    """Return the lines of the table for one set."""
    results = [function(name, seed, options.data_dir) for seed in range(options.seeds)]
    lines, first = [], None
    for choice in results[0]:
        line = {"data": name, parameter: choice}
        for score in results[0][choice]:
            values = np.array([result[choice][score] for result in results])
            line[score] = f"{values.mean():.3f} +- {values.std():.3f}"
            if "gain" not in line:  # of the first score
                first = values if first is None else first
                line["gain"] = "" if first is values else f"{np.mean(values - first):+.3f}"
                line["seeds better"] = "" if first is values else f"{np.sum(values > first)}"
        lines.append(line)
    return lines


def main():
    """Measure, print and write."""
    parser = arguments(__doc__, leave_out=("--threads", "--dtype", "--rounds"))
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="(default: 5)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # that so few epochs do not converge
    report = Report("features", options.output)
    for title, function, sets, parameter in (
        ("Rare classes, with and without class_weight", rare_classes, RARE, "class_weight"),
        ("Noisy data, with and without dropout", noisy, NOISY, "dropout"),
    ):
        names = [name for name in sets if (name in OWN) == (options.data_dir is None)]
        report.say(f"\n{title}: test rows of {options.seeds} splits")
        lines = []
        for name in names:
            lines += measure(function, name, parameter, options)
        report.table(lines)


if __name__ == "__main__":
    main()
