# SPDX-License-Identifier: BSD-3-Clause
"""MLflow stores a network in its default format, and keeps the curves of a fit."""

import os

import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import NumpyMLPClassifier, TabularMLPRegressor, export

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # read when it is imported
mlflow = pytest.importorskip("mlflow")


X, y = load_iris(return_X_y=True)


@pytest.fixture(autouse=True, scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("networks", folder.as_uri()))
    yield
    mlflow.sklearn.autolog(disable=True)
    mlflow.set_tracking_uri(None)


def test_the_page(run):
    names = run("MLflow")
    loaded, info, run_ = names["loaded"], names["info"], names["run"]
    assert info.flavors["sklearn"]["serialization_format"] == "skops"
    assert type(loaded) is names["NumpyMLPClassifier"]
    stored = names["NumpyMLPClassifier"](normalization="batch", random_state=0)
    stored.fit(names["X_train"], names["y_train"])
    expected = stored.predict_proba(names["X"])
    assert_array_equal(loaded.predict_proba(names["X"]), expected)
    served = mlflow.pyfunc.load_model(info.model_uri)
    assert_array_equal(served.predict(names["X"]), stored.predict(names["X"]))

    logged = mlflow.get_run(run_.info.run_id).data
    network = names["network"]
    assert logged.params == {name: str(value) for name, value in network.get_params().items()}
    client = mlflow.MlflowClient()
    for key in ("loss", "validation_score", "learning_rate"):
        rows = client.get_metric_history(run_.info.run_id, key)
        assert [row.step for row in rows] == network.history_["epoch"]
        assert_allclose([row.value for row in rows], network.history_[key])


def test_what_to_sklearn_gives_needs_no_types():
    network = NumpyMLPClassifier(solver="nadam", max_iter=20, random_state=0).fit(X, y)
    info = mlflow.sklearn.log_model(network.to_sklearn(), name="plain", pip_requirements=[])
    loaded = mlflow.sklearn.load_model(info.model_uri)
    assert_allclose(loaded.predict_proba(X), network.predict_proba(X), rtol=1e-12)


def test_an_estimator_for_tables():
    table = TabularMLPRegressor(first_cycle=20, n_cycles=1, random_state=0).fit(X, y)
    trusted = export.skops_trusted_types(table)
    info = mlflow.sklearn.log_model(
        table, name="table", skops_trusted_types=trusted, pip_requirements=[]
    )
    assert_array_equal(mlflow.sklearn.load_model(info.model_uri).predict(X), table.predict(X))


def test_without_the_types_it_says_what_to_do():
    network = NumpyMLPClassifier(max_iter=2, random_state=0).fit(X, y)
    with pytest.raises(mlflow.exceptions.MlflowException, match="skops_trusted_types"):
        mlflow.sklearn.log_model(network, name="network", pip_requirements=[])


def test_autolog_logs_pipelines_and_no_network_alone_as_the_page_says():
    mlflow.sklearn.autolog(log_models=False)
    network = NumpyMLPClassifier(max_iter=2, random_state=0)
    pipeline = make_pipeline(StandardScaler(), network)
    logged = []
    for model in (network, pipeline):
        with mlflow.start_run() as run_:
            model.fit(X, y)
        logged.append(mlflow.get_run(run_.info.run_id).data)
    assert not logged[0].params
    assert not logged[0].metrics
    assert logged[1].params["numpymlpclassifier__max_iter"] == "2"
    assert_allclose(logged[1].metrics["training_score"], pipeline.score(X, y))
