"""
Rare classes: ``class_weight``
==============================

If one class is rare, a network can be right most of the time by hardly ever predicting it. With
``class_weight="balanced"`` all classes have the same total weight. The task here is to find the 10 % of
diabetes patients whose disease progresses fastest, from ten measurements that contain only part of the
information.
"""

# %%
# Data
# ----
# scikit-learn's diabetes data: 442 patients. The target is whether a patient is among the tenth with the
# highest progression. With ``python plot_class_weight.py --csv FILE --target COLUMN``, the script uses your
# own table instead, and the rarest class of that column is the rare class.

import argparse
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, balanced_accuracy_score, recall_score
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknumpynet import NumpyMLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is a choice here

parser = argparse.ArgumentParser(description="Rare classes, with and without class_weight.")
parser.add_argument("--csv", metavar="FILE", help="a table")
parser.add_argument("--target", metavar="COLUMN", help="the column with the classes")
options = parser.parse_known_args()[0]  # ignores the arguments of a notebook

if options.csv:
    import pandas as pd

    X = pd.read_csv(options.csv, na_values=" ")
    y = X.pop(options.target)
    y = (y == y.value_counts().index[-1]).to_numpy()
    X = X.loc[:, X.nunique() < len(X)]  # without names or numbers of rows
    numbers = make_column_selector(dtype_include="number")
    words = make_column_selector(dtype_exclude="number")
    prepare = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore"), words),
    )
else:
    X, progression = load_diabetes(return_X_y=True, as_frame=True)
    y = (progression >= progression.quantile(0.9)).to_numpy()
    prepare = StandardScaler()
print(f"{len(y)} rows, {y.mean():.0%} of them in the rare class")

# %%
# With and without weights
# ------------------------
# Twenty splits into training and test rows, the same for both networks. The balanced accuracy is the mean of
# the accuracy on the rare rows and the accuracy on the common rows. It is 0.5 for a network that never
# predicts the rare class.

MEASURES = {
    "accuracy": accuracy_score,
    "balanced accuracy": balanced_accuracy_score,
    "rare rows found": recall_score,
}
splits = StratifiedShuffleSplit(n_splits=20, test_size=0.3, random_state=0)
scores = {}
for class_weight in (None, "balanced"):
    rows = []
    for seed, (train, test) in enumerate(splits.split(X, y)):
        network = NumpyMLPClassifier(
            (20,), alpha=1, max_iter=100, class_weight=class_weight, random_state=seed
        )
        model = make_pipeline(prepare, network).fit(X.iloc[train], y[train])
        prediction = model.predict(X.iloc[test])
        rows.append([measure(y[test], prediction) for measure in MEASURES.values()])
    scores[class_weight] = np.array(rows)
    print(f"class_weight={class_weight!r}")
    for name, mean, spread in zip(
        MEASURES, np.mean(rows, axis=0), np.std(rows, axis=0), strict=True
    ):
        print(f"    {name:18} {mean:.3f} +- {spread:.3f}")

better = scores["balanced"][:, 1] > scores[None][:, 1]
print(f"balanced accuracy is higher with weights in {better.sum()} of {len(better)} splits")

# %%
# The plain accuracy falls, because more common rows are predicted to be rare. Whether this is worthwhile
# depends on the cost of each kind of error, which you can set with a dict: ``class_weight={False: 1, True:
# 4}``.
# :doc:`/benchmarks_notes` has the same comparison for three larger data sets.

STYLES = {None: ("class_weight=None", "#0072B2", "o"), "balanced": ('"balanced"', "#D55E00", "s")}
figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
for offset, (class_weight, (label, color, marker)) in zip((-0.15, 0.15), STYLES.items()):
    for position, values in enumerate(scores[class_weight].T):
        spots = position + offset + np.linspace(-0.08, 0.08, len(values))
        axes.plot(spots, values, marker, color=color, alpha=0.5, markersize=4)
        axes.hlines(values.mean(), *(position + offset + np.array([-0.12, 0.12])), color, lw=3)
    axes.plot([], [], marker, color=color, label=label)
axes.hlines(0.5, 0.6, 1.4, "grey", linestyle=":", label="never predicting the rare class")
axes.set(
    xticks=range(len(MEASURES)),
    xticklabels=MEASURES,
    ylim=(-0.03, 1.03),
    ylabel="on test rows, 20 splits",
)
axes.legend(loc="lower left")
plt.show()
