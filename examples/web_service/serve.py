# SPDX-License-Identifier: BSD-3-Clause
"""A web service that predicts with a network exported by `sknumpynet.export`, built with FastAPI.

::

    pip install fastapi uvicorn numpy
    python -m sknumpynet export model.sknn --to predictor     where the network was fitted
    NETWORK=predictor uvicorn --factory serve:make_app        here, next to serve.py

NETWORK is a folder of `export.to_folder`, for which NumPy is enough, or a file of `export.save`, for which
sknumpynet is needed; estimators for tables are served from the latter.

POST /predict accepts ``{"rows": [[5.1, 3.5, 1.4, 0.2], ...]}``, and answers with ``predictions`` and, for a
classifier, ``probabilities``. Invalid input is answered with status 422 and the reason.
"""

import importlib.util
import os
from pathlib import Path
from typing import Annotated

import numpy as np
from fastapi import FastAPI, HTTPException
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

MAX_ROWS = 1000

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Cell = Number | Annotated[bool, Field(strict=True)] | str | None


class Numbers(BaseModel):
    """Rows of numbers, for networks."""

    rows: list[list[Number]] = Field(min_length=1, max_length=MAX_ROWS)


class Cells(BaseModel):
    """Rows of a table, for the estimators that take text and gaps."""

    rows: list[list[Cell]] = Field(min_length=1, max_length=MAX_ROWS)


def load_network(path):
    """Return what predicts: from a folder, whose code is run, or from a file, whose content is not."""
    if Path(path).is_dir():
        spec = importlib.util.spec_from_file_location("predict", Path(path, "predict.py"))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.load()
    from sknumpynet import export

    return export.load(path)


def make_app(path=None):
    """Return the service for the network in a folder or a file; None takes the variable NETWORK."""
    network = load_network(os.environ["NETWORK"] if path is None else path)
    is_for_tables = hasattr(network, "encode")
    app = FastAPI(title="A network of sknumpynet")

    @app.exception_handler(RequestValidationError)
    def refuse(request, error):
        reasons = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        return JSONResponse({"detail": reasons[:10]}, status_code=422)

    @app.get("/health")
    def health():
        return {"status": "ok"}

    @app.post("/predict")
    def predict(
        body: Cells if is_for_tables else Numbers,
    ):  # in a thread of its own for each request
        try:
            rows = np.array(body.rows, dtype=object if is_for_tables else np.float64)
            answer = {"predictions": network.predict(rows)}
            if hasattr(network, "predict_proba"):
                answer["probabilities"] = network.predict_proba(rows)
        except (TypeError, ValueError) as error:  # rows of another length, say
            raise HTTPException(422, [str(error)]) from error
        if not all(np.isfinite(each).all() for each in answer.values() if is_numeric(each)):
            raise HTTPException(
                422, ["the prediction is no finite number: the rows are too far out"]
            )
        return {name: as_lists(each) for name, each in answer.items()}

    return app


def is_numeric(array):
    """Return whether an array holds floats."""
    return isinstance(array, np.ndarray) and array.dtype.kind == "f"


def as_lists(answer):
    """Return an array, or a list of them, as lists, which JSON has."""
    return [each.tolist() for each in answer] if isinstance(answer, list) else answer.tolist()
