# SPDX-License-Identifier: BSD-3-Clause
"""Optuna prunes fits by a callback, and does not prune good ones."""

import pytest
from numpy.testing import assert_allclose

optuna = pytest.importorskip("optuna")


def test_the_page(run):
    names = run("Optuna")
    trials = names["study"].trials
    states = [trial.state.name for trial in trials]
    assert states.count("PRUNED") >= 3
    assert states.count("COMPLETE") >= 5
    assert len(states) == 15
    for trial in trials:
        reported = trial.intermediate_values
        assert list(reported) == list(range(1, len(reported) + 1))
        if trial.state.name == "PRUNED":
            assert 5 <= len(reported) < 30
        network = names["NumpyMLPClassifier"](**trial.params, max_iter=30, random_state=0)
        data = {"X_val": names["X_test"], "y_val": names["y_test"]}
        network.fit(names["X_train"], names["y_train"], **data)
        scores = network.validation_scores_[: len(reported)]
        assert_allclose(list(reported.values()), scores)
    assert names["study"].best_value == max(
        trial.value for trial in trials if trial.state.name == "COMPLETE"
    )


def test_a_pruned_fit_leaves_the_network_as_it_was(run):
    names = run("Optuna")

    def prune(row):
        raise optuna.TrialPruned

    network = names["NumpyMLPClassifier"](max_iter=3, random_state=0)
    network.fit(names["X_train"], names["y_train"])
    before = network.predict_proba(names["X"])
    network.set_callbacks(names["LogEpochs"](prune))
    with pytest.raises(optuna.TrialPruned):
        network.fit(names["X_test"], names["y_test"])
    assert_allclose(network.predict_proba(names["X"]), before, rtol=0)


def test_a_sampled_network_is_cloned_and_searched():
    """Optuna's parameters go into objects among the parameters, too."""
    from sklearn.datasets import load_iris
    from sklearn.model_selection import cross_val_score

    from sknumpynet import AdamW, NumpyMLPClassifier

    X, y = load_iris(return_X_y=True)

    def objective(trial):
        network = NumpyMLPClassifier(solver=AdamW(), max_iter=10, random_state=0)
        network.set_params(solver__weight_decay=trial.suggest_float("decay", 0, 0.1))
        network.set_params(normalization=trial.suggest_categorical("norm", ["batch", "layer"]))
        return cross_val_score(network, X, y, cv=3).mean()

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective, n_trials=4)
    assert study.best_value > 0.5
