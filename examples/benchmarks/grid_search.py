# SPDX-License-Identifier: BSD-3-Clause
"""How long a grid search over small networks takes with one job and with two: ours and scikit-learn's.

`GridSearchCV` over three strengths of the penalty and two learning rates, in four folds of the digits, is
24 fits of 50 units for 30 epochs, and one at the end. The four combinations of estimator and ``n_jobs`` take
turns in one process, whose workers joblib limits to their share of the cores. The best of the rounds counts;
the quartiles of the ratios are in brackets. To repeat:

    python examples/benchmarks/grid_search.py --output results
"""

from __future__ import annotations

import warnings
from statistics import median

from common import STYLES, Report, against, arguments, seconds, spread

GRID = {"alpha": [1e-5, 1e-3, 1e-1], "learning_rate_init": [1e-3, 5e-3]}
JOBS = (1, 2)


def main():
    """Measure, print and write."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import GridSearchCV
    from sklearn.neural_network import MLPClassifier

    from sknumpynet import NumpyMLPClassifier

    parser = arguments(__doc__, leave_out=("--dtype", "--threads", "--data-dir"))
    options = parser.parse_args()
    report = Report("grid_search", options.output)
    report.say(f"Grid search over the digits: the best of {options.rounds} for each, in turn")
    warnings.simplefilter("ignore")  # that so few epochs do not converge
    X, y = load_digits(return_X_y=True)
    X = X / 16
    estimators = {"ours": NumpyMLPClassifier, "sklearn": MLPClassifier}

    def search(peer, jobs):
        network = estimators[peer](hidden_layer_sizes=(50,), max_iter=30, random_state=0)
        return seconds(lambda: GridSearchCV(network, GRID, n_jobs=jobs, cv=4).fit(X, y))

    taken = {(peer, jobs): [] for jobs in JOBS for peer in estimators}
    for _ in range(options.rounds):
        for (peer, jobs), times in taken.items():
            times.append(search(peer, jobs))
    rows = [
        {"peer": peer, "n_jobs": jobs, "best_s": min(times), "median_s": median(times)}
        for (peer, jobs), times in taken.items()
    ]
    report.csv(rows)
    best = {key: min(times) for key, times in taken.items()}

    def ratio(one, other):
        return against(best[one] / best[other], None, spread=spread(taken[one], taken[other]))

    report.table(
        [
            {
                "n_jobs": jobs,
                **{f"{STYLES[peer][0]}, s": best[peer, jobs] for peer in estimators},
                "x scikit-learn": ratio(("sklearn", jobs), ("ours", jobs)),
                "x one job": ratio(("ours", 1), ("ours", jobs)),
            }
            for jobs in JOBS
        ]
    )


if __name__ == "__main__":
    main()
