# SPDX-License-Identifier: BSD-3-Clause
"""How long it takes to reach a test score: scikit-learn's defaults against a short recipe of ours.

The recipe is float32, AdamW, a one-cycle schedule and a fixed number of epochs. Score and time are those at
the end of a fit, never those of the first epoch over a score; both are means over seeds. Sets: mnist
(pixels / 255), adult, covertype (100,000 rows of it), california_housing (scaled and one-hot encoded), all
of which need --data-dir, and scikit-learn's own digits and friedman. To repeat:

    python examples/benchmarks/time_to_score.py --data-dir DIR --output results
    python examples/benchmarks/time_to_score.py --datasets digits --seeds 2 --sklearn-seeds 1

The curves are of fits of their own, on the time scale of the timed ones: ours keeps the parameters of
each epoch and scores them after the fit; scikit-learn's is trained an epoch at a time with partial_fit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from common import STYLES, Report, arguments, in_turn, seconds
from workloads import mnist

ADULT = (
    "age workclass fnlwgt education education_num marital_status occupation relationship race sex "
    "capital_gain capital_loss hours_per_week native_country income"
)


@dataclass(frozen=True)
class Recipe:
    """One estimator: a peer and its parameters, and how many times as fast as the defaults it is to be."""

    peer: str
    options: dict = field(default_factory=dict)
    target: float | None = None

    @property
    def label(self):
        """Name in tables and pictures."""
        sizes = "-".join(map(str, self.options.get("hidden_layer_sizes", (100,))))
        return f"{STYLES[self.peer][0]}, {sizes}"


def one_cycle(units, peak, epochs, weight_decay=0.01, batch=200, target=None):
    """Return a recipe of ours."""
    options = {
        "hidden_layer_sizes": units,
        "learning_rate_init": peak,
        "max_iter": epochs,
        "weight_decay": weight_decay,
        "batch_size": batch,
    }
    return Recipe("ours", options, target)


RECIPES = {
    "mnist": [
        Recipe("sklearn"),
        one_cycle((100,), 2e-2, 6, 0.03, target=15),
        one_cycle((256,), 1.5e-2, 5, 0.05, target=10),
    ],
    "adult": [Recipe("sklearn"), one_cycle((100,), 1e-2, 5)],
    "covertype": [
        Recipe("sklearn"),
        one_cycle((100,), 2e-2, 40, 3e-4),
        one_cycle((256,), 1e-2, 20, 1e-3),
    ],
    "california_housing": [Recipe("sklearn"), one_cycle((100,), 3e-2, 40, 0.001)],
    "digits": [Recipe("sklearn"), one_cycle((100,), 3e-2, 40)],
    "friedman": [Recipe("sklearn"), one_cycle((100,), 1e-2, 20)],
}
OWN = ("digits", "friedman")  # scikit-learn's


# ---------------------------------------------------------------------------- data


def load(name, data_dir):
    """Return X and y to train on, X and y of the test; X as numbers near 1."""
    from sklearn.datasets import load_digits, make_friedman1
    from sklearn.model_selection import train_test_split

    if name == "mnist":
        X, y, X_test, y_test = mnist(data_dir)
        return X / 255, y, X_test / 255, y_test
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        X = X / 16
    elif name == "friedman":
        X, y = make_friedman1(10_000, noise=0.5, random_state=0)
        X, y = 2 * X - 1, (y - y.mean()) / y.std()
    else:
        X, y, test = TABLES[name](data_dir)
        if test is not None:
            return encoded(X[~test], y[~test], X[test], y[test])
    # the recipes were chosen on the split with random_state=0
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, random_state=1)
    return (X, y, X_test, y_test) if name in OWN else encoded(X, y, X_test, y_test)


def adult(data_dir):
    """Return the census table, whether the income is over 50,000, and which rows are for the test."""
    import pandas as pd

    train, test = (
        pd.read_csv(
            data_dir / "adult" / f"adult-{part}.csv.gz",
            names=ADULT.split(),
            skipinitialspace=True,
            na_values="?",
            comment="|",
        )
        for part in ("train", "test")
    )
    table = pd.concat([train, test], ignore_index=True)
    y = table.pop("income").str.startswith(">").to_numpy()
    return table, y, np.arange(len(table)) >= len(train)


def covertype(data_dir):
    """Return 100,000 rows about forests, and the kind of the trees."""
    import pandas as pd

    table = pd.read_csv(data_dir / "covertype" / "covertype_397k.csv.gz")
    table = table.sample(100_000, random_state=0)
    y = table.pop("Cover_Type").to_numpy()
    return table.astype({"Wilderness_Area": "str", "Soil_Type": "str"}), y, None


def california_housing(data_dir):
    """Return the districts, and the median price of their houses in units of 100,000 dollars."""
    import pandas as pd

    table = pd.read_csv(data_dir / "california_housing" / "housing.csv.gz")
    y = table.pop("median_house_value").to_numpy() / 1e5
    return table, y, None


TABLES = {"adult": adult, "covertype": covertype, "california_housing": california_housing}


def encoded(X, y, X_test, y_test):
    """Return the same with numbers scaled, gaps filled and words one-hot encoded."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    encoder = make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
            make_column_selector(dtype_include="number"),
        ),
        (
            OneHotEncoder(handle_unknown="ignore", sparse_output=False),
            make_column_selector(dtype_exclude="number"),
        ),
    )
    return encoder.fit_transform(X), y, encoder.transform(X_test), y_test


# ---------------------------------------------------------------------------- fits


def make_estimator(recipe, task, seed, solver=None):
    """Return an unfitted estimator."""
    if recipe.peer == "sklearn":
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        estimator = {"classifier": MLPClassifier, "regressor": MLPRegressor}[task]
        return estimator(**recipe.options, random_state=seed)
    from sknumpynet import AdamW, NumpyMLPClassifier, NumpyMLPRegressor

    estimator = {"classifier": NumpyMLPClassifier, "regressor": NumpyMLPRegressor}[task]
    options = dict(recipe.options)
    solver = (solver or AdamW)(weight_decay=options.pop("weight_decay"))
    return estimator(**options, solver=solver, learning_rate="one_cycle", random_state=seed)


def prepare(name, number, data_dir):
    """Return a function that fits with the next seed: seconds, score, epochs, and for the first the curve."""
    recipe = RECIPES[name][number]
    X, y, X_test, y_test = load(name, data_dir)
    if recipe.peer == "ours":
        X, X_test = X.astype(np.float32), X_test.astype(np.float32)
    task = "regressor" if y.dtype.kind == "f" else "classifier"
    make_estimator(recipe, task, 0).set_params(max_iter=1).fit(X, y)  # to warm up
    seed = -1

    def measure():
        nonlocal seed
        seed += 1
        estimator = make_estimator(recipe, task, seed)
        taken = seconds(lambda: estimator.fit(X, y))
        curve = None
        if seed == 0:
            epoch_scores = scores_ours if recipe.peer == "ours" else scores_sklearn
            curve = epoch_scores(recipe, task, estimator.n_iter_, X, y, X_test, y_test)
        return {
            "dataset": name,
            "peer": recipe.peer,
            "recipe": recipe.label,
            "seed": seed,
            "seconds": taken,
            "score": estimator.score(X_test, y_test),
            "epochs": estimator.n_iter_,
        }, curve

    return measure


def scores_ours(recipe, task, n_epochs, X, y, X_test, y_test):
    """Return the test score after each epoch of a fit that keeps its parameters as it goes."""
    from sknumpynet import AdamW

    kept = []

    class KeepingAdamW(AdamW):
        def step(self, params, *rest):
            super().step(params, *rest)
            if self.t % steps == 0:
                kept.append(params.copy())

    estimator = make_estimator(recipe, task, 0, KeepingAdamW)
    steps = -(-len(X) // estimator.batch_size)
    estimator.fit(X, y)
    scores = []
    for params in kept:
        start = 0
        for array in [*estimator.coefs_, *estimator.intercepts_]:
            array[...] = params[start : start + array.size].reshape(array.shape)
            start += array.size
        scores.append(estimator.score(X_test, y_test))
    return scores


def scores_sklearn(recipe, task, n_epochs, X, y, X_test, y_test):
    """Return the test score after each of so many epochs: at a constant rate all cost the same."""
    estimator = make_estimator(recipe, task, 0)
    classes = {"classes": np.unique(y)} if task == "classifier" else {}
    scores = []
    for _ in range(n_epochs):
        estimator.partial_fit(X, y, **classes)
        scores.append(estimator.score(X_test, y_test))
    return scores


# ---------------------------------------------------------------------------- report


def measure(name, options):
    """Return the runs of all recipes of a set, and the curves by recipe."""
    runs, curves = [], {}
    for number, recipe in enumerate(RECIPES[name]):
        seeds = options.sklearn_seeds if recipe.peer == "sklearn" else options.seeds
        spec = {recipe.label: (name, number, options.data_dir)}
        results = in_turn(spec, prepare, options.threads[0], seeds)[recipe.label]
        runs += [run for run, _ in results]
        first, scores = results[0]
        times = first["seconds"] / len(scores) * np.arange(1, len(scores) + 1)
        curves[recipe.label] = times, scores
    return runs, curves


def summary(name, runs):
    """Return the lines of the table for one set."""
    lines, default = [], None
    for recipe in RECIPES[name]:
        mine = [run for run in runs if run["recipe"] == recipe.label]
        taken, score = (np.mean([run[key] for run in mine]) for key in ("seconds", "score"))
        scores = [run["score"] for run in mine]
        default = (taken, score) if default is None else default
        times = default[0] / taken
        missed = recipe.target is not None and times < recipe.target
        lines.append(
            {
                "data": name,
                "recipe": recipe.label,
                "seeds": len(mine),
                "epochs": f"{np.mean([run['epochs'] for run in mine]):.3g}",
                "seconds": taken,
                "score": f"{score:.4f} ({min(scores):.4f} to {max(scores):.4f})",
                "over scikit-learn's": f"{score - default[1]:+.4f}",
                "times as fast": f"{times:.1f}"
                + (
                    f" (target {recipe.target:g}{', missed' if missed else ''})"
                    if recipe.target
                    else ""
                ),
            }
        )
    return lines


def draw(curves):
    """Return a figure: score against seconds, a panel for each set."""
    from matplotlib.figure import Figure

    wide = min(2, len(curves))
    tall = -(-len(curves) // wide)
    figure = Figure(figsize=(4 * wide, 3 * tall), layout="constrained")
    panels, labelled = figure.subplots(tall, wide, squeeze=False).ravel(), {}
    for panel, (name, by_recipe) in zip(panels, curves.items()):
        dashes = iter(["-", "--", ":"])
        for recipe in RECIPES[name]:
            times, scores = by_recipe[recipe.label]
            _, color, marker = STYLES[recipe.peer]
            style = next(dashes) if recipe.peer == "ours" else "-"
            panel.plot(times, scores, style, color=color, lw=1.5, label=recipe.label)
            panel.plot(times[-1], scores[-1], marker, color=color, ms=8)
        ends = [scores[-1] for _, scores in by_recipe.values()]
        starts = [scores[0] for _, scores in by_recipe.values()]
        low = min(*ends, max(min(starts), min(ends) - 0.1))
        high = max(max(scores) for _, scores in by_recipe.values())
        panel.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
        panel.set_xscale("log")
        panel.xaxis.set_major_formatter("{x:g}")
        panel.set_xlabel("seconds")
        panel.set_ylabel("R² of the test" if name in REGRESSIONS else "accuracy of the test")
        panel.set_title(name, fontsize=10)
        panel.grid(color="0.9")
        labelled |= dict(zip(*panel.get_legend_handles_labels()[::-1]))
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels[len(curves) :]:
        panel.set_visible(False)
    figure.legend(
        labelled.values(), labelled, loc="outside upper center", ncols=len(labelled), frameon=False
    )
    return figure


REGRESSIONS = ("california_housing", "friedman")


def main():
    """Measure, print and write."""
    parser = arguments(__doc__, leave_out=("--dtype", "--rounds"), threads=[2])
    parser.add_argument(
        "--datasets",
        nargs="+",
        choices=list(RECIPES),
        metavar="NAME",
        help=f"of {', '.join(RECIPES)} (default: the first four with --data-dir, else the last two)",
    )
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="of ours (default: 5)")
    parser.add_argument(
        "--sklearn-seeds", type=int, metavar="N", help="of scikit-learn's (default: as --seeds)"
    )
    options = parser.parse_args()
    if options.sklearn_seeds is None:
        options.sklearn_seeds = options.seeds
    if options.datasets is None:
        options.datasets = OWN if options.data_dir is None else [x for x in RECIPES if x not in OWN]
    if options.data_dir is None and not set(options.datasets) <= set(OWN):
        parser.error(f"without --data-dir there are only {' and '.join(OWN)}")
    report = Report("time_to_score", options.output, options.targets)
    report.say(f"Time to the score at the end of a fit, {options.threads[0]} threads")
    rows, lines, curves = [], [], {}
    for name in options.datasets:
        runs, curves[name] = measure(name, options)
        rows += runs
        lines += summary(name, runs)
        for line in lines[-len(RECIPES[name]) :]:
            report.say(", ".join(f"{key} {value}" for key, value in line.items()))
        report.csv(rows)
    report.table(lines)
    report.picture(draw, curves)


if __name__ == "__main__":
    main()
