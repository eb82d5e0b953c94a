# SPDX-License-Identifier: BSD-3-Clause
"""Error and CPU time of the estimators for tables, against HistGradientBoosting and scikit-learn's MLP.

For each set, each seed draws a split (stratified for classes) and seeds all estimators, with one thread. The
error is 1 - accuracy, or the RMSE as a share of the deviation of y; below stand geometric means over the
sets of its ratio to HistGradientBoosting's, and of that of the log loss. scikit-learn's MLP gets imputed,
scaled and one-hot encoded columns and standardised targets; the others the table as it is. RealMLP-TD joins
in where pytabkit is installed.

    python examples/benchmarks/tables.py --data-dir DIR --seeds 3
    python examples/benchmarks/tables.py --rows 500 --peers fast          # scikit-learn's own sets

DIR holds the files that README.md names; without it, breast cancer, digits, wine and diabetes are taken.
"""

from __future__ import annotations

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"  # before NumPy is imported

import argparse
import csv
import platform
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknumpynet.tabular import TabularMLPClassifier, TabularMLPRegressor

# ---------------------------------------------------------------------------- data

ADULT = (
    "age workclass fnlwgt education education-num marital-status occupation relationship race sex "
    "capital-gain capital-loss hours-per-week native-country income"
).split()
ABALONE = "sex length diameter height whole shucked viscera shell rings".split()


def read(folder, name, **options):
    """Return a table from a file of that name, compressed or not."""
    path = folder / name
    return pd.read_csv(path if path.exists() else path.with_name(path.name + ".gz"), **options)


def adult(folder):
    parts = [
        read(
            folder,
            f"adult/adult-{part}.csv",
            header=None,
            names=ADULT,
            skipinitialspace=True,
            na_values="?",
            comment="|",
        )
        for part in ("train", "test")
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(income=frame["income"].str.rstrip(".")), "income"


def telco_churn(folder):
    frame = read(folder, "telco_churn/Telco-Customer-Churn.csv").drop(columns="customerID")
    return frame.assign(TotalCharges=pd.to_numeric(frame["TotalCharges"], errors="coerce")), "Churn"


def higgs_small(folder):
    parts = [
        read(folder, f"higgs_small/binary.{part}", sep=r"\s+", header=None)
        for part in ("train", "test")
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame.set_axis([f"x{i}" for i in frame.columns], axis=1), "x0"


def covertype(folder):
    frame = read(folder, "covertype/covertype_397k.csv")
    return frame.astype({"Wilderness_Area": "category", "Soil_Type": "category"}), "Cover_Type"


def wine_quality(folder):
    colours = ("white", "red")
    parts = [read(folder, f"wine_quality/winequality-{each}.csv", header=None) for each in colours]
    frame = pd.concat([part.assign(colour=each) for part, each in zip(parts, colours)])
    return frame.reset_index(drop=True).rename(columns=str), "11"


def diamonds(folder):
    return read(folder, "diamonds/diamonds.csv"), "price"


# name -> (function of the folder that gives a frame and its target, whether that is a class)
SETS = {
    "adult": (adult, True),
    "telco_churn": (telco_churn, True),
    "higgs_small": (higgs_small, True),
    "covertype": (covertype, True),
    "letter": (lambda folder: (read(folder, "letter/letter.tsv", sep="\t"), "target"), True),
    "california_housing": (
        lambda folder: (read(folder, "california_housing/housing.csv"), "median_house_value"),
        False,
    ),
    "wine_quality": (wine_quality, False),
    "diamonds": (diamonds, False),
    "abalone": (
        lambda folder: (read(folder, "abalone/abalone.csv", header=None, names=ABALONE), "rings"),
        False,
    ),
    "house_16h": (
        lambda folder: (read(folder, "house_16h/574_house_16H.tsv", sep="\t"), "target"),
        False,
    ),
}


def own_sets():
    """Return sets that come with scikit-learn, as in ``SETS``."""
    from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine

    loaders = {
        "breast_cancer": (load_breast_cancer, True),
        "digits": (load_digits, True),
        "wine": (load_wine, True),
        "diabetes": (load_diabetes, False),
    }
    return {
        name: (lambda folder, load=load: (load(as_frame=True).frame, "target"), classes)
        for name, (load, classes) in loaders.items()
    }


def split(frame, target, classes, n_rows, seed):
    """Return X, y of training and test: n_rows, or three quarters of a smaller set; at most 5,000 to test."""
    y = frame[target].to_numpy()
    if not classes:
        y = y.astype(np.float64)
    X = frame.drop(columns=target)
    for name in X.columns[X.dtypes.map(lambda dtype: not pd.api.types.is_numeric_dtype(dtype))]:
        X[name] = X[name].astype("category")
    n = min(n_rows, len(y) * 3 // 4)
    rare = classes and np.unique(y, return_counts=True)[1].min() < 10
    train, test = train_test_split(
        np.arange(len(y)),
        train_size=n,
        test_size=min(5000, len(y) - n),
        random_state=seed,
        stratify=y if classes and not rare else None,
    )
    return X.iloc[train], y[train], X.iloc[test], y[test]


# ---------------------------------------------------------------------------- peers


def plain_mlp(classes, seed):
    """Return scikit-learn's network with the preparation that it needs."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    encode = ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include="number")),
            (
                "categories",
                OneHotEncoder(handle_unknown="ignore"),
                make_column_selector(dtype_exclude="number"),
            ),
        ]
    )
    if classes:
        return make_pipeline(encode, MLPClassifier(random_state=seed))
    network = make_pipeline(encode, MLPRegressor(random_state=seed))
    return TransformedTargetRegressor(network, transformer=StandardScaler())


def real_mlp(classes, seed):
    """Return pytabkit's RealMLP-TD."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    kind = RealMLP_TD_Classifier if classes else RealMLP_TD_Regressor
    return kind(random_state=seed, device="cpu", n_threads=1)


def ours(quality):
    """Return a function that makes the estimator of that quality."""
    kinds = {True: TabularMLPClassifier, False: TabularMLPRegressor}
    return lambda classes, seed: kinds[classes](quality=quality, random_state=seed)


def trees(classes, seed):
    """Return HistGradientBoosting with its defaults."""
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return kind(random_state=seed)


PEERS = {
    "hgb": trees,
    "mlp": plain_mlp,
    "fast": ours("fast"),
    "best": ours("best"),
    "realmlp": real_mlp,
}


def measure(make, classes, data, seed):
    """Return error, log loss, CPU seconds of fit and of prediction, and the out-of-fold score where it is."""
    X, y, X_test, y_test = data
    model = make(classes, seed)
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
    fit = time.process_time() - start
    start = time.process_time()
    loss = np.nan
    if classes:
        p = model.predict_proba(X_test)
        predict = time.process_time() - start
        known = np.searchsorted(model.classes_, y_test)
        error = np.mean(p.argmax(axis=1) != known)
        loss = -np.log(np.maximum(p[np.arange(len(known)), known], 1e-7)).mean()
    else:
        found = model.predict(X_test)
        predict = time.process_time() - start
        error = np.sqrt(np.mean((found - y_test) ** 2)) / y_test.std()
    return error, loss, fit, predict, getattr(model, "oof_score_", np.nan)


def mean_ratio(rows, peer, column):
    """Return the geometric mean over sets and seeds of a peer's value by that of HistGradientBoosting."""
    values = {(row["set"], row["seed"], row["peer"]): row[column] for row in rows}
    ratios = [
        value / values[name, seed, "hgb"]
        for (name, seed, who), value in values.items()
        if who == peer and value > 0 and values[name, seed, "hgb"] > 0
    ]
    return float(np.exp(np.mean(np.log(ratios)))) if ratios else np.nan


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, help="folder of the data")
    parser.add_argument("--sets", nargs="+", help="names; all where left out")
    parser.add_argument("--rows", type=int, default=4000, help="training rows")
    parser.add_argument("--seeds", type=int, default=1, help="number of splits")
    parser.add_argument("--peers", nargs="+", default=["mlp", "fast", "best"], choices=list(PEERS))
    parser.add_argument("--output", type=Path, help="folder for tables.csv")
    options = parser.parse_args()

    sets = SETS if options.data_dir else own_sets()
    peers = ["hgb", *(peer for peer in options.peers if peer != "hgb")]
    print(
        f"{platform.processor() or platform.machine()}, scikit-learn {sklearn.__version__}, 1 thread"
    )
    rows = []
    for name in options.sets or sets:
        load, classes = sets[name]
        frame, target = load(options.data_dir)
        for seed in range(options.seeds):
            data = split(frame, target, classes, options.rows, seed)
            for peer in peers:
                error, loss, fit, predict, oof = measure(PEERS[peer], classes, data, seed)
                rows.append(
                    {
                        "set": name,
                        "seed": seed,
                        "peer": peer,
                        "error": error,
                        "log_loss": loss,
                        "fit_s": fit,
                        "predict_s": predict,
                        "oof_score": oof,
                    }
                )
                print(
                    f"{name:20} {seed} {peer:8} error {error:.4f}  log loss {loss:.4f}  fit {fit:6.2f} s  "
                    f"predict {predict:.3f} s  out of fold {oof:.4f}",
                    flush=True,
                )
    print(f"\n{'peer':8} error / hgb  log loss / hgb  fit s  sets below hgb")
    for peer in peers:
        own = [row for row in rows if row["peer"] == peer]
        means = {
            who: {
                name: np.mean(
                    [row["error"] for row in rows if (row["set"], row["peer"]) == (name, who)]
                )
                for name in dict.fromkeys(row["set"] for row in rows)
            }
            for who in (peer, "hgb")
        }
        below = sum(means[peer][name] < means["hgb"][name] for name in means[peer])
        print(
            f"{peer:8} {mean_ratio(rows, peer, 'error'):11.3f}  {mean_ratio(rows, peer, 'log_loss'):14.3f}  "
            f"{np.mean([row['fit_s'] for row in own]):5.1f}  {below} of {len(means[peer])}"
        )
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        with open(options.output / "tables.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
