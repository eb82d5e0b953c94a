# SPDX-License-Identifier: BSD-3-Clause
"""Numbers and their nouns in the core's messages."""

import numpy as np
import pytest

from sknumpynet.core import Dense, LayerNorm, Network, Quantile, Scale, Workspace
from sknumpynet.core.wording import counted


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0, "row"), "0 rows"),
        ((1, "row"), "1 row"),
        ((2, "row"), "2 rows"),
        ((1, "class"), "1 class"),
        ((3, "class"), "3 classes"),
        ((1.0, "second", "g"), "1 second"),
        ((0.5, "second", "g"), "0.5 seconds"),
        ((6001, "parameter", ","), "6,001 parameters"),
    ],
)
def test_noun_agrees_with_number(arguments, words):
    assert counted(*arguments) == words


@pytest.mark.parametrize("layer", [Dense(3, 1), LayerNorm(3), Scale(3)])
def test_layer_after_a_single_unit(layer):
    with pytest.raises(ValueError, match="follows a layer of 1 unit;"):
        Network([Dense(2, 1), layer])


def test_workspace_for_another_number_of_rows():
    network = Network([Dense(2, 1)])
    with pytest.raises(ValueError, match="X has 1 row, but the workspace is for 2"):
        network.forward(np.zeros((1, 2)), Workspace(network, 2))


def test_members_with_one_target_each():
    raw, y = np.zeros((2, 1, 1)), np.zeros((1, 1, 1))
    with pytest.raises(ValueError, match=r"each of 2 members needs 1 target\."):
        Quantile(0.5).values_and_gradient(y, raw)
