# SPDX-License-Identifier: BSD-3-Clause
"""skforecast forecasts step by step with a network, as a loop by hand does."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

pytest.importorskip("skforecast")


def test_the_page(run):
    names = run("skforecast")
    series, forecast = names["series"].to_numpy(), names["forecast"].to_numpy()
    assert abs(forecast - series[250:]).max() < 0.1
    scaled = (series[:250] - series[:250].mean()) / series[:250].std()
    rows = np.array([scaled[i - 12 : i][::-1] for i in range(12, 250)])
    network = names["NumpyMLPRegressor"](**names["forecaster"].estimator.get_params())
    network.fit(rows, scaled[12:])
    known = list(scaled)
    for _ in range(50):
        known += network.predict([known[-12:][::-1]]).tolist()
    by_hand = np.array(known[250:]) * series[:250].std() + series[:250].mean()
    assert_allclose(forecast, by_hand, atol=1e-6)
