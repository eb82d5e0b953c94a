# SPDX-License-Identifier: BSD-3-Clause
"""The code of "Coming from skorch" and "Coming from Keras", on arrays in their layouts.

The real ones are in clients/converters.
"""

import re
from pathlib import Path

import numpy as np
from numpy.testing import assert_allclose

from sknumpynet import NumpyMLPClassifier

DOCS = Path(__file__).resolve().parents[2] / "docs"
rng = np.random.RandomState(0)
X = rng.normal(size=(40, 4))


def code_of(page, word):
    """Run the block of a page that has the word; return its names."""
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), flags=re.M | re.S)
    names = {"np": np, "NumpyMLPClassifier": NumpyMLPClassifier}
    exec(next(block for block in blocks if word in block), names)
    return names


def test_arrays_in_the_layout_of_pytorch(capsys):
    names = code_of("coming_from_skorch.md", "from_state_dict")
    assert capsys.readouterr().out == "True\n"
    state, network = names["state"], names["network"]
    hidden = np.maximum(X @ state["0.weight"].T + state["0.bias"], 0)
    raw = hidden @ state["3.weight"].T + state["3.bias"]
    assert_allclose(network.decision_function(X), raw, rtol=1e-4, atol=1e-5)
    assert network.coefs_[0].dtype == np.float32


def test_arrays_in_the_layout_of_keras(capsys):
    names = code_of("coming_from_keras.md", "get_weights")
    assert capsys.readouterr().out == "True\n"
    W, b, V, c = names["weights"]
    raw = np.maximum(X @ W + b, 0) @ V + c
    assert_allclose(names["network"].decision_function(X), raw, rtol=1e-4, atol=1e-5)
