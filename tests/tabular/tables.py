"""Small messy tables, and networks that are fitted quickly."""

import numpy as np
import pytest

pd = pytest.importorskip("pandas")

QUICK = {
    "n_cycles": 1,
    "first_cycle": 3,
    "hidden_layer_sizes": (8, 8),
    "n_frequencies": 3,
    "random_state": 0,
}


def messy(n=120, seed=0):
    """Return a frame with text, gaps, bools, categories, integers with NA, an infinity; classes; numbers."""
    rng = np.random.default_rng(seed)
    colour = rng.choice(np.array(["red", "green", "blue", None], dtype=object), n)
    size = rng.lognormal(3, 1, n)
    X = pd.DataFrame(
        {
            "colour": colour,
            "size": np.where(rng.random(n) < 0.1, np.nan, size),
            "flag": rng.random(n) < 0.5,
            "grade": pd.Categorical(
                rng.choice(list("ABC"), n), categories=list("CBAD"), ordered=True
            ),
            "count": pd.array(rng.integers(0, 9, n), dtype="Int64"),
            "money": rng.normal(0, 1e6, n),
        }
    )
    X.loc[3, "count"] = pd.NA
    X.loc[4, "money"] = np.inf
    score = (colour == "red") + np.log(size) / 3 + X["flag"].to_numpy()
    return X, np.where(score > 2, "yes", "no"), score * 100
