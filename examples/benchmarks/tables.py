# SPDX-License-Identifier: BSD-3-Clause
"""Error and CPU time of the estimators for tables, against HistGradientBoosting, RealMLP-TD and others.

For each set, each seed draws a split (stratified for classes) and seeds all estimators, with one thread. The
error is 1 - accuracy, or the RMSE as a share of the deviation of y; below stand geometric means over sets and
seeds of its ratio to a peer's, and of that of the log loss, and on which set the mean of a peer is worst.
scikit-learn's MLP gets imputed, scaled and one-hot encoded columns and standardised targets, RealMLP-TD
(pytabkit) medians where numbers are missing; the others get the table as it is. CPU seconds throughout.

    python examples/benchmarks/tables.py --data-dir DIR --seeds 3 --peers mlp fast best realmlp
    python examples/benchmarks/tables.py --data-dir DIR --sets new         # no part in choosing the recipe
    python examples/benchmarks/tables.py --data-dir DIR --rows 100000 --sets covertype --peers fast
    python examples/benchmarks/tables.py --rows 500 --peers fast           # scikit-learn's own sets
    python examples/benchmarks/tables.py times                             # of fits and predictions, by shape
    python examples/benchmarks/tables.py threads                           # what n_jobs brings
    python examples/benchmarks/tables.py memory --data-dir DIR             # peak of 100,000 rows
    python examples/benchmarks/tables.py intervals --data-dir DIR --rows 500 --seeds 3     # what they cover

DIR holds the files that README.md names. With --output, results are added to tables.jsonl there, and what
stands in it is not measured again.
"""

from __future__ import annotations

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"  # before NumPy is imported

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from common import machine, once, peak_memory
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from table_sets import CHOSEN, NEW, OWN, split

from sknumpynet.tabular import TabularMLPClassifier, TabularMLPRegressor

OURS = {True: TabularMLPClassifier, False: TabularMLPRegressor}

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


class FilledTable:
    """RealMLP-TD behind medians for missing numbers, which it refuses."""

    def __init__(self, model):
        self.model = model

    def _filled(self, X):
        return X.assign(**{name: X[name].fillna(each) for name, each in self.medians.items()})

    def fit(self, X, y):
        self.medians = X.select_dtypes("number").median().to_dict()
        self.model.fit(self._filled(X), y)
        self.classes_ = getattr(self.model, "classes_", None)
        return self

    def predict(self, X):
        return np.ravel(self.model.predict(self._filled(X)))

    def predict_proba(self, X):
        return self.model.predict_proba(self._filled(X))


def real_mlp(classes, seed):
    """Return pytabkit's RealMLP-TD."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    kind = RealMLP_TD_Classifier if classes else RealMLP_TD_Regressor
    if not hasattr(real_mlp, "warm"):  # what is imported by the first fit is no part of its time
        real_mlp.warm = True
        rng = np.random.default_rng(0)
        X, y = pd.DataFrame(rng.normal(size=(100, 2))), rng.integers(2, size=100)
        RealMLP_TD_Classifier(device="cpu", n_threads=1, n_epochs=1).fit(X, y)
    return FilledTable(kind(random_state=seed, device="cpu", n_threads=1))


def ours(quality):
    """Return a function that makes the estimator of that quality."""
    return lambda classes, seed: OURS[classes](quality=quality, random_state=seed)


def trees(classes, seed):
    """Return HistGradientBoosting with its defaults, told by types what is a category."""
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return kind(random_state=seed)


PEERS = {
    "hgb": trees,
    "mlp": plain_mlp,
    "fast": ours("fast"),
    "best": ours("best"),
    "realmlp": real_mlp,
}

# ---------------------------------------------------------------------------- errors


def measure(make, classes, data, seed):
    """Return error, log loss, CPU seconds of fit and of prediction, and the out-of-fold score where it is."""
    X, y, X_test, y_test = data
    model = make(classes, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.process_time()
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
    found = {"error": error, "log_loss": loss, "fit_s": fit, "predict_s": predict}
    found["oof_score"] = getattr(model, "oof_score_", np.nan)
    return {name: float(value) for name, value in found.items()}


class Results:
    """Results by rows, set, seed and peer, kept in a file that a rerun goes on from."""

    KEY = ("rows", "set", "seed", "peer")

    def __init__(self, folder):
        self.file = None if folder is None else folder / "tables.jsonl"
        self.known = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            if self.file.exists():
                for line in self.file.read_text().splitlines():
                    row = json.loads(line)
                    self.known[tuple(row[name] for name in self.KEY)] = row

    def add(self, row):
        self.known[tuple(row[name] for name in self.KEY)] = row
        if self.file is not None:
            with open(self.file, "a") as file:
                file.write(json.dumps(row) + "\n")


def errors(options):
    """Measure the peers on the sets, and print each and the means."""
    groups = {"chosen": CHOSEN, "new": NEW, "own": OWN}
    every = {**CHOSEN, **NEW}
    names = []
    for name in options.sets or ["chosen" if options.data_dir else "own"]:
        names += list(groups[name]) if name in groups else [name]
    peers = ["hgb", *(peer for peer in options.peers if peer != "hgb")]
    results, rows = Results(options.output), []
    for seed in options.seed or range(options.seeds):
        for name in names:
            load, classes = every[name]
            data = None
            for peer in peers:
                row = results.known.get((options.rows, name, seed, peer))
                if row is None:
                    if data is None:
                        data = split(*load(options.data_dir), classes, options.rows, seed)
                    row = {"rows": options.rows, "set": name, "seed": seed, "peer": peer}
                    row |= measure(PEERS[peer], classes, data, seed)
                    results.add(row)
                rows.append(row)
                print(
                    f"{name:20} {seed} {peer:8} error {row['error']:.4f}  log loss {row['log_loss']:.4f}  "
                    f"fit {row['fit_s']:6.2f} s  predict {row['predict_s']:.3f} s  out of fold "
                    f"{row['oof_score']:.4f}",
                    flush=True,
                )
    summary(rows, names, peers)


def summary(rows, names, peers):
    """Print a table of means over seeds, and the ratios of the peers to each other."""
    values = {(row["set"], row["seed"], row["peer"]): row for row in rows}
    seeds = sorted({row["seed"] for row in rows})

    def mean(name, peer, column):
        return np.mean([values[name, seed, peer][column] for seed in seeds])

    print(f"\n| set | {' | s | '.join(peers)} | s |\n|---|{'---|---:|' * len(peers)}")
    for name in names:
        cells = []
        for peer in peers:
            loss = mean(name, peer, "log_loss")
            cells.append(
                f"{mean(name, peer, 'error'):.4f}{'' if np.isnan(loss) else f', {loss:.3f}'}"
            )
            cells.append(f"{mean(name, peer, 'fit_s'):.1f}")
        print(f"| {name} | {' | '.join(cells)} |")

    def ratio(peer, other, column):
        found = [
            (values[name, seed, peer][column], values[name, seed, other][column])
            for name in names
            for seed in seeds
        ]
        logs = [np.log(a / b) for a, b in found if a > 0 and b > 0]
        return np.exp(np.mean(logs)) if logs else np.nan

    for other in (peer for peer in ("hgb", "realmlp") if peer in peers):
        print(f"\nby {other}: geometric means over {len(names)} sets, seeds {seeds}")
        for peer in peers:
            means = {
                name: mean(name, peer, "error") / max(1e-9, mean(name, other, "error"))
                for name in names
            }
            worst = max(means, key=means.get)
            print(
                f"{peer:8} error {ratio(peer, other, 'error'):.3f}  "
                f"log loss {ratio(peer, other, 'log_loss'):.3f}  CPU of fit "
                f"{ratio(peer, other, 'fit_s'):.3f}  below on {sum(each < 1 for each in means.values())} "
                f"of {len(names)}, worst {worst} {means[worst]:.3f}"
            )


# ---------------------------------------------------------------------------- times


def made_up(n_rows, n_columns, classes, seed=0):
    """Return normal columns, ten of which matter, and a target with noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_columns))
    f = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + X[:, 3:10].sum(axis=1) / 2
    y = f + rng.normal(size=n_rows)
    return X, ((y > 0).astype(int) if classes else y)


def cpu(call, *given, rounds=1, calls=1):
    """Return the CPU seconds of a call: the least mean over some calls."""
    found = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(calls):
            call(*given)
        found.append((time.process_time() - start) / calls)
    return min(found)


def times(options):
    """Print CPU seconds of fits and predictions of made-up tables."""
    for quality in ("fast", "best"):
        for classes in (True, False):
            X, y = made_up(4000, 20, classes)
            model = OURS[classes](quality=quality, random_state=0)
            fit = cpu(model.fit, X, y)
            whole = cpu(model.predict, made_up(10_000, 20, classes, 1)[0], rounds=5)
            one = cpu(model.predict, X[:1], rounds=5, calls=100)
            cycles = model.history_["cycle"]
            frame = pd.DataFrame(X).rename(columns=lambda i: f"x{i}")
            model.fit(frame, y)
            row = cpu(model.predict, frame[:1], rounds=5, calls=100)
            print(
                f"{quality} {'classes' if classes else 'numbers':8} 4,000 x 20: fit {fit:.2f} s, predict "
                f"10,000 rows {whole:.3f} s, one row {1e3 * one:.2f} ms, from a frame {1e3 * row:.2f} ms; "
                f"cycles {cycles}",
                flush=True,
            )
    for n_columns in (20, 100, 1000):
        X, y = made_up(4000, n_columns, False)
        fit = cpu(TabularMLPRegressor(random_state=0).fit, X, y)
        print(f"fast 4,000 x {n_columns}: fit {fit:.2f} s", flush=True)
    X, y = made_up(20_000, 20, False)
    levels = np.random.default_rng(2).integers(10_000, size=20_000)
    frame = pd.DataFrame(X).rename(columns=lambda i: f"x{i}")
    wide = frame.assign(level=pd.Categorical(levels))
    for what, table in (("20 numbers", frame), ("and a column of 10,000 levels", wide)):
        fit = cpu(TabularMLPRegressor(random_state=0).fit, table, y)
        print(f"fast 20,000 rows, {what}: fit {fit:.2f} s", flush=True)


def threads(options):
    """Print seconds by the clock of fits with one thread and with two."""
    for n_rows in (4000, 100_000):
        X, y = made_up(n_rows, 20, True)
        for n_jobs in (1, 2, 1, 2):
            start, clock = time.process_time(), time.perf_counter()
            TabularMLPClassifier(random_state=0, n_jobs=n_jobs, n_cycles=2).fit(X, y)
            print(
                f"{n_rows} x 20, two cycles, n_jobs={n_jobs}: {time.perf_counter() - clock:.2f} s by the "
                f"clock, {time.process_time() - start:.2f} CPU s",
                flush=True,
            )


def peak(data_dir, n_rows):
    """Return a function that measures the memory of a fit on covertype."""
    load, classes = CHOSEN["covertype"]
    X, y, _, _ = split(*load(data_dir), classes, n_rows, 0)
    return lambda: peak_memory(lambda: TabularMLPClassifier(random_state=0).fit(X, y))


def memory(options):
    """Print the peak memory of a fit of 100,000 rows above that with X loaded."""
    allocated, resident, _ = once(peak, options.data_dir, 100_000, threads=1)
    print(
        f"covertype, 100,000 rows: {allocated / 1e6:.0f} MB allocated at the peak, the process "
        f"{resident / 1e6:.0f} MB larger"
    )


def intervals(options):
    """Print the share of test rows inside `predict_interval`, of sets of numbers: means over seeds."""
    levels = (0.5, 0.8, 0.9, 0.95)
    names = [name for name in options.sets or CHOSEN if not CHOSEN[name][1]]
    seeds, n_rows = options.seed or range(options.seeds), options.rows
    print(f"\n{n_rows} rows | {' | '.join(f'{level:.0%}' for level in levels)}")
    shares = {}
    for name in names:
        for seed in seeds:
            load, classes = CHOSEN[name]
            X, y, X_test, y_test = split(*load(options.data_dir), classes, n_rows, seed)
            model = TabularMLPRegressor(random_state=seed).fit(X, y)
            found = [model.predict_interval(X_test, level).T for level in levels]
            inside = [np.mean((low <= y_test) & (y_test <= high)) for low, high in found]
            shares.setdefault(name, []).append(inside)
        means = np.mean(shares[name], axis=0)
        print(f"{name} | {' | '.join(f'{each:.1%}' for each in means)}", flush=True)
    whole = np.mean([np.mean(each, axis=0) for each in shares.values()], axis=0)
    print(f"mean | {' | '.join(f'{each:.1%}' for each in whole)}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = {
        "errors": errors,
        "times": times,
        "threads": threads,
        "memory": memory,
        "intervals": intervals,
    }
    parser.add_argument("what", nargs="?", choices=list(kinds), default="errors")
    parser.add_argument("--data-dir", type=Path, help="folder of the data")
    parser.add_argument("--sets", nargs="+", help="names, or groups: chosen, new, own")
    parser.add_argument("--rows", type=int, default=4000, help="training rows")
    parser.add_argument("--seeds", type=int, default=1, help="number of splits")
    parser.add_argument("--seed", type=int, nargs="+", help="these in place of the first")
    parser.add_argument("--peers", nargs="+", default=["mlp", "fast", "best"], choices=list(PEERS))
    parser.add_argument("--output", type=Path, help="folder for tables.jsonl")
    options = parser.parse_args()
    print("\n".join(machine()) + "\n1 thread", flush=True)
    kinds[options.what](options)


if __name__ == "__main__":
    main()
