# SPDX-License-Identifier: BSD-3-Clause
"""FastAPI: the web service of the examples, in a running server."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from export.random_tables import small_tables
from numpy.testing import assert_allclose
from sklearn.datasets import load_iris

import sknumpynet as sk
from sknumpynet import export

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")

FOLDER = Path(__file__).resolve().parents[3] / "examples" / "web_service"
X, y = load_iris(return_X_y=True)


class Service:
    """A running service."""

    def __init__(self, network):
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        command = [sys.executable, "-m", "uvicorn", "--factory", "serve:make_app", "--port"]
        self.process = subprocess.Popen(
            [*command, str(self.port), "--log-level", "warning"],
            cwd=FOLDER,
            env={**os.environ, "NETWORK": str(network)},
        )

    def __enter__(self):
        for _ in range(600):
            try:
                assert self.get("health") == (200, {"status": "ok"})
                return self
            except urllib.error.URLError:
                time.sleep(0.1)
        raise AssertionError("the service did not start")

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait(30)

    def get(self, path, body=None):
        headers = {"Content-Type": "application/json"}
        url = f"http://127.0.0.1:{self.port}/{path}"
        request = urllib.request.Request(url, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def predict(self, rows):
        return self.get("predict", json.dumps({"rows": rows}).encode())


@pytest.fixture
def network():
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    return sk.NumpyMLPClassifier((5,), max_iter=5, random_state=0).fit(X, names)


def test_a_folder_is_served(network, tmp_path):
    export.to_folder(network, tmp_path / "predictor")
    with Service(tmp_path / "predictor") as service:
        status, answer = service.predict(X[::50].tolist())
        assert status == 200
        assert answer["predictions"] == network.predict(X[::50]).tolist()
        assert_allclose(answer["probabilities"], network.predict_proba(X[::50]), rtol=1e-12)
        for rows, reason in (
            ([], "at least 1 item"),
            ([[1.0, 2.0]], "must be (n_samples, 4)"),
            ([[1.0, 2.0, 3.0, 4.0], [1.0]], "inhomogeneous"),
            ([[1.0, 2.0, 3.0, "4"]], "body.rows.0.3: Input should be a valid number"),
            ([[1.0, 2.0, 3.0, None]], "body.rows.0.3: Input should be a valid number"),
            ([[1.0, 2.0, 3.0, float("nan")]], "body.rows.0.3: Input should be a finite number"),
            ([[1.0, 2.0, 3.0, True]], "body.rows.0.3: Input should be a valid number"),
            ([[0.0] * 4] * 1001, "at most 1000 items"),
            ("text", "body.rows: Input should be a valid list"),
        ):
            status, answer = service.predict(rows)
            assert (status, reason in str(answer)) == (422, True), (rows, answer)
        assert service.get("predict", b"{")[0] == 422
        assert service.get("predict", b"{}")[0] == 422
        assert service.predict(X[:1].tolist())[0] == 200


def test_a_file_is_served(network, tmp_path):
    export.save(network, tmp_path / "model.sknn")
    with Service(tmp_path / "model.sknn") as service:
        status, answer = service.predict(X[::50].tolist())
        assert (status, answer["predictions"]) == (200, network.predict(X[::50]).tolist())


def test_an_estimator_for_tables_is_served(tmp_path):
    model = next(small_tables())
    export.save(model, tmp_path / "model.sknn")
    rows = [[0.5, None, 1e6, 1, "yes", "level 3", True], [None, 2.0, 0, 0, "new", None, False]]
    with Service(tmp_path / "model.sknn") as service:
        status, answer = service.predict(rows)
        assert (status, answer["predictions"]) == (
            200,
            model.predict(np.array(rows, object)).tolist(),
        )
        for wrong in ([rows[0][:-1]], [["text", *rows[0][1:]]], [[{}, *rows[0][1:]]]):
            assert service.predict(wrong)[0] == 422
