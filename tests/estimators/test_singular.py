# SPDX-License-Identifier: BSD-3-Clause
"""Messages about a single row, column or epoch: the noun is singular."""

import re
import warnings

import numpy as np
import pytest

from sknumpynet import (
    ActivationsDisplay,
    NumpyMLPClassifier,
    NumpyMLPRegressor,
    TabularMLPRegressor,
    animate_training,
)

X = np.linspace(0, 1, 12).reshape(-1, 1)
y = X.ravel() ** 2
ONE = {"hidden_layer_sizes": (1,), "max_iter": 1, "random_state": 0}


def fitted(cls=NumpyMLPRegressor, **parameters):
    return cls(**{**ONE, **parameters}).fit(X, y if cls is NumpyMLPRegressor else y > 0.5)


def stops_after_one_epoch():
    return fitted(max_iter=9, n_iter_no_change=1, learning_rate_init=1e-9, verbose=2)


def draw_one_unit():
    pytest.importorskip("matplotlib").use("Agg")
    display = ActivationsDisplay.from_estimator(fitted(), X)
    print(display.axes_[0].get_title())


def animate_one_epoch():
    pytest.importorskip("matplotlib").use("Agg")
    animation = animate_training(fitted(), X, y, epochs=1, every=2)
    animation.frames = animation.frames[:1]
    print(animation, animation._alt_text())


# Each prints something, warns or raises an error.
CASES = {
    "summary": lambda: print(fitted().summary()),
    "summary of one parameter": lambda: print(
        NumpyMLPRegressor.from_weights([[[2.0]]]).summary(), fitted().summary()._repr_html_()
    ),
    "stopped by the loss": stops_after_one_epoch,
    "stopped by the clock": lambda: fitted(max_time=1e-9, max_iter=3),
    "batch larger than X": lambda: fitted(batch_size=99).partial_fit(X[:1], y[:1]),
    "one rate of dropout": lambda: fitted(dropout=[0.1]),
    "one activation": lambda: fitted(activation=["relu"], hidden_layer_sizes=(2, 2)),
    "one layer": lambda: fitted(activation=["relu", "tanh"]),
    "layer that does not exist": lambda: fitted().hidden_activations(X, layer=3),
    "columns of y": lambda: fitted().partial_fit(X, np.column_stack([y, y])),
    "columns of y in validation": lambda: NumpyMLPRegressor(**ONE).fit(
        X, np.column_stack([y, y]), X_val=X, y_val=y
    ),
    "classes": lambda: NumpyMLPClassifier.from_weights([[[2.0]]], classes=[1]),
    "intercepts": lambda: NumpyMLPRegressor.from_weights([[[2.0]]], []),
    "weights": lambda: NumpyMLPRegressor.from_weights([[[2.0]], [[2.0], [3.0]]]),
    "scoring of one row": lambda: NumpyMLPRegressor(
        scoring="neg_mean_squared_log_error", **ONE
    ).fit(X, y, X_val=X[:1], y_val=[-2.0]),
    "validation set of one row": lambda: NumpyMLPRegressor(early_stopping=True, **ONE).fit(
        X, y, X_val=X[:1], y_val=y[:1]
    ),
    "split of one row": lambda: NumpyMLPClassifier(early_stopping=True, **ONE).fit(X[:1], [1]),
    "masked value": lambda: fitted().score(X, np.ma.array(y, mask=[1] + [0] * 11)),
    "activations of one unit": draw_one_unit,
    "animation of one epoch": animate_one_epoch,
    "cycle of one epoch": lambda: TabularMLPRegressor(
        first_cycle=1, min_steps=1, n_cycles=1, verbose=True, random_state=0
    ).fit(X, y),
    "validation targets of a table": lambda: TabularMLPRegressor().fit(
        X, np.column_stack([y, y]), X_val=X, y_val=y
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_noun_after_one_is_singular(case, capsys):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            CASES[case]()
            raised = ""
        except (TypeError, ValueError) as error:
            raised = str(error)
    out = capsys.readouterr().out
    text = " ".join([out, raised, *(str(each.message) for each in caught)])
    assert re.search(r"(?<![\d.,])1 [a-z]", text), "the case says nothing about a single one"
    wrong = re.findall(r"(?<![\d.,])1 (?:[a-z]+ )?[a-z]+(?<!s)s\b", text)
    assert not wrong, wrong
