# SPDX-License-Identifier: BSD-3-Clause
"""The types that skops must trust are few, public and from this package only."""

import importlib
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknumpynet as skn
from sknumpynet import NumpyMLPClassifier, NumpyMLPRegressor, export
from sknumpynet.export.skops import _is_ours

skops_io = pytest.importorskip("skops.io")

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
WORDS = np.array(["no", "perhaps", "yes"])[np.arange(40) % 3]
SMALL = {"hidden_layer_sizes": (4, 3), "max_iter": 3, "random_state": 0}
RICH = {
    "activation": ["tanh", skn.LeakyReLU(0.2)],
    "solver": skn.AdamW(),
    "learning_rate": skn.Warmup(skn.Cosine()),
    "init": skn.HeNormal(),
    "bias_init": skn.Uniform(0, 1),
    "normalization": "batch",
    "dropout": 0.1,
    "random_state": np.random.RandomState(1),
}
CASES = {
    "words": (NumpyMLPClassifier(), WORDS),
    "two": (NumpyMLPClassifier(loss=skn.Focal(), **SMALL | RICH), X[:, 0] > 0),
    "indicator": (NumpyMLPClassifier(dtype="float32"), X > 0),
    "columns": (NumpyMLPClassifier(**SMALL | RICH), np.column_stack([WORDS, WORDS[::-1]])),
    "numbers": (NumpyMLPRegressor(solver="lbfgs"), X[:, 0]),
    "quantiles": (NumpyMLPRegressor(skn.Quantile([0.1, 0.9]), **SMALL | RICH), X[:, 0]),
    "huber": (NumpyMLPRegressor(skn.Huber(2.0)), X[:, :2]),
}


def there_and_back(model, trusted):
    return skops_io.loads(skops_io.dumps(model), trusted=trusted)


@pytest.mark.parametrize("name", CASES)
def test_at_most_six_types_all_of_them_public(name):
    model, y = CASES[name]
    model.set_params(max_iter=3).fit(X, y)
    before = export.skops_trusted_types(model)
    trusted = export.skops_trusted_types(model.trim_for_prediction())
    assert set(trusted) <= set(before)
    assert len(trusted) <= 6
    for place in trusted:
        module, _, kind = place.rpartition(".")
        assert kind in importlib.import_module(module).__all__
        assert "_" not in place
    loaded = there_and_back(model, trusted)
    for one, other in zip(np.atleast_1d(loaded.predict(X)), np.atleast_1d(model.predict(X))):
        assert_array_equal(one, other)
    assert loaded.get_params().keys() == model.get_params().keys()


def test_networks_inside_others_and_files_of_them(tmp_path):
    model = make_pipeline(StandardScaler(), NumpyMLPClassifier(**SMALL)).fit(X, WORDS)
    skops_io.dump(model, tmp_path / "model.skops")
    trusted = export.skops_trusted_types(tmp_path / "model.skops")
    assert trusted == export.skops_trusted_types(model)
    assert trusted == export.skops_trusted_types(str(tmp_path / "model.skops"))
    loaded = skops_io.load(tmp_path / "model.skops", trusted=trusted)
    assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("cls", [skn.TabularMLPClassifier, skn.TabularMLPRegressor])
def test_estimators_for_tables(cls):
    y = WORDS if cls is skn.TabularMLPClassifier else X[:, 0]
    model = cls(first_cycle=20, n_cycles=1, hidden_layer_sizes=(16, 16), random_state=0).fit(X, y)
    trusted = export.skops_trusted_types(model)
    assert len(trusted) <= 8
    assert "_" not in "".join(trusted)
    assert_array_equal(there_and_back(model, trusted).predict(X), model.predict(X))


class Mine(skn.Activation):
    """a = z."""

    def forward(self, z, out):
        np.copyto(out, z)

    def backward(self, a, delta, scratch):
        pass


def test_other_types_are_left_to_the_user():
    model = NumpyMLPRegressor(activation=Mine(), max_iter=2).fit(X, X[:, 0])
    trusted = export.skops_trusted_types(model)
    assert all(name.startswith("sknumpynet.") for name in trusted)
    with pytest.raises(skops_io.exceptions.UntrustedTypesFoundException, match="Mine"):
        there_and_back(model, trusted)
    there_and_back(model, [*trusted, f"{Mine.__module__}.Mine"])
    watched = NumpyMLPRegressor(max_iter=2)
    watched._skl_callbacks = [skn.Checkpoint("file")]
    with pytest.raises(skops_io.exceptions.UntrustedTypesFoundException, match="Checkpoint"):
        there_and_back(watched, export.skops_trusted_types(watched))


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "sknumpynet.Checkpoint",
        "sknumpynet.explain_step",
        "sknumpynet.core.options.copy",
        "sknumpynet.core.nothing",
        "sknumpynet.export.files.Reader",
        "sknumpynet.core_of_another.Dense",
        "sknumpynet",
    ],
)
def test_what_is_no_class_of_the_rooms_is_not_trusted(name):
    assert not _is_ours(name)


def test_without_skops_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(ImportError, match=r"sknumpynet\[skops\]"):
        export.skops_trusted_types(NumpyMLPRegressor())
