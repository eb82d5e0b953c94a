# SPDX-License-Identifier: BSD-3-Clause
"""The estimators for tables in files: the encoding of columns, the packs, and the training history.

The content is checked so that the estimator can predict: numbers of columns, positions, shapes and dtypes.
"""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np

from sknumpynet.core.losses import MultinomialLogLoss, Quantile
from sknumpynet.export.values import Refused
from sknumpynet.tabular.classifier import TabularMLPClassifier
from sknumpynet.tabular.ensemble import Ensemble
from sknumpynet.tabular.objectives import Objective
from sknumpynet.tabular.pack import Pack, Shape
from sknumpynet.tabular.preprocessing import Category, TableEncoder
from sknumpynet.tabular.regressor import LOSSES, TabularMLPRegressor
from sknumpynet.tabular.targets import Numbers

TABLES = {cls.__name__: cls for cls in (TabularMLPClassifier, TabularMLPRegressor)}
# Attributes of a fit, except the three that are written in parts.
RECORDED = {
    "n_features_in_", "feature_names_in_", "is_categorical_", "n_members_", "n_params_", "snapshot_weights_",
    "stop_reason_", "history_", "temperature_", "classes_", "n_classes_", "n_targets_", "quantile_shifts_",
    "oof_predictions_", "oof_score_", "oof_errors_",
}  # fmt: skip
IN_PARTS = {"encoder_", "ensemble_", "target_scale_"}
ENCODER = (
    "categorical_features", "max_levels", "min_rows", "prior_rows", "clip", "names", "n_columns",
    "is_category", "numeric", "kept_numeric", "center", "scale", "with_gaps", "embedded", "plain",
    "count_center", "count_scale", "mean_center", "mean_scale", "spikes", "spiked",
)  # fmt: skip
CATEGORY = ("index", "columns", "n_columns", "signed", "many", "means", "log_counts")
SCALE = ("one_column", "n_rows", "log_link", "low", "high", "center", "scale")
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def written_table(model, writer):
    """Return the parts of the header for the result of a fit."""
    state = {name: value for name, value in vars(model).items() if name.endswith("_")}
    unknown = set(state) - RECORDED - IN_PARTS
    if unknown:
        raise Refused(f"{min(unknown)} is an attribute that fit does not set: it cannot be saved")
    encoder, ensemble = model.encoder_, model.ensemble_
    header = {
        "encoder": _written(encoder, ENCODER, writer, "encoder_"),
        "categories": [_written_category(each, writer) for each in encoder.categories],
        "ensemble": {
            "loss": writer.write(ensemble.objective.loss, "loss"),
            "n_members": ensemble.n_members,
            "temperature": writer.write(ensemble.temperature, "temperature_"),
            "packs": [
                {
                    "shape": writer.write(asdict(pack.shape), "ensemble_"),
                    "params": writer.write(pack.params, "ensemble_"),
                    "weights": writer.write(weights, "ensemble_"),
                }
                for pack, weights in zip(ensemble.packs, ensemble.weights)
            ],
        },
        "record": {
            name: writer.write(value, name) for name, value in state.items() if name in RECORDED
        },
    }
    if "target_scale_" in state:
        header["scale"] = _written(model.target_scale_, SCALE, writer, "target_scale_")
    return header


def _written(thing, names, writer, called):
    return {name: writer.write(vars(thing)[name], called) for name in names if name in vars(thing)}


def _written_category(category, writer):
    """Write a category; many levels of text are written as one array instead of in the header."""
    called = f"a level of column {category.index}"
    levels, codes = list(category.level_codes), list(category.level_codes.values())
    if all(type(level) is str for level in levels):
        levels = np.array(levels, dtype=object)
    return {
        **_written(category, CATEGORY, writer, called),
        "levels": writer.write(levels, called),
        "codes": writer.write(np.array(codes, np.int64), called),
    }


# -------------------------------------------------------------------- reading


def read_table(model, header, reader):
    """Set the result of a fit on a new estimator, or raise ValueError."""
    classifies = isinstance(model, TabularMLPClassifier)
    encoder, n_inputs = _read_encoder(header, reader)
    record = {name: reader.read(each) for name, each in header["record"].items()}
    if not set(record) <= RECORDED or record["n_features_in_"] != encoder.n_columns:
        raise ValueError("it has a record that no fit creates")
    names = record.get("feature_names_in_")
    if (None if names is None else names.tolist()) != encoder.names:
        raise ValueError("the feature names do not match the columns")
    n_outputs = record["n_classes_" if classifies else "n_targets_"]
    loss = reader.read(header["ensemble"]["loss"])
    if classifies:
        _check(type(loss) is MultinomialLogLoss, "loss")
        _check(record["classes_"].shape == (n_outputs,), "classes_")
    else:
        scale = _read_scale(header["scale"], n_outputs, reader)
        _check(type(loss) in (*LOSSES.values(), Quantile), "loss")
        n_outputs = loss.n_outputs_for(n_outputs)
        shifts = record.get("quantile_shifts_")
        _check(shifts is None or _is_vector(shifts, n_outputs), "quantile_shifts_")
        if "oof_errors_" in record:
            errors, weight = record["oof_errors_"]
            _check(
                _is_vector(errors, len(weight)) and _is_vector(weight, len(errors)), "oof_errors_"
            )
        record["target_scale_"] = scale
    ensemble = _read_ensemble(header["ensemble"], loss, n_outputs, classifies, reader)
    for pack in ensemble.packs:
        shape = pack.shape
        _check(shape.n_columns + shape.n_own == n_inputs, "the number of inputs")
        _check(shape.n_numeric in (0, encoder.n_numeric), "the number of embedded columns")
    _check(ensemble.n_members == record["n_members_"], "the number of members")
    vars(model).update(record, encoder_=encoder, ensemble_=ensemble)


def _check(is_right, what):
    if not is_right:
        raise ValueError(f"{what} is not a result of a fit")


def _is_vector(array, n):
    return type(array) is np.ndarray and array.shape == (n,) and array.dtype == np.float64


def _are_places(array, n, lowest=0):
    """Return whether an array holds whole numbers from ``lowest`` to n - 1."""
    is_vector = type(array) is np.ndarray and array.ndim == 1 and array.dtype == np.int64
    return is_vector and (not array.size or (array.min() >= lowest and array.max() < n))


def _is_count(value, lowest=0):
    return type(value) is int and value >= lowest


def _read_encoder(header, reader):
    """Return the encoder and the number of columns that it produces."""
    found = {name: reader.read(each) for name, each in header["encoder"].items()}
    _check(set(found) <= set(ENCODER), "encoder_")
    encoder = TableEncoder()
    vars(encoder).update(found)
    _check(type(encoder.clip) is float and encoder.clip > 0, "input_clip")
    n, names = encoder.n_columns, encoder.names
    _check(_is_count(n, 1), "the number of columns")
    _check(names is None or (type(names) is list and len(names) == n), "the names of the columns")
    _check(
        encoder.is_category.shape == (n,) and encoder.is_category.dtype == bool, "is_categorical_"
    )
    _check(np.array_equal(encoder.numeric, np.flatnonzero(~encoder.is_category)), "the numbers")
    _check(_are_places(encoder.kept_numeric, len(encoder.numeric)), "the numbers")
    n_kept = len(encoder.kept_numeric)
    _check(all(_is_vector(each, n_kept) for each in (encoder.center, encoder.scale)), "the scale")
    places = (encoder.with_gaps, encoder.embedded, encoder.plain)
    _check(all(_are_places(each, n_kept) for each in places), "the places of numbers")
    spikes = encoder.spikes
    _check(_are_places(encoder.spiked, n_kept), "the frequent numbers")
    _check(_is_vector(spikes, len(encoder.spiked)), "the frequent numbers")
    encoder.categories = [_read_category(each, n, reader) for each in header["categories"]]
    many = [each for each in encoder.categories if each.many]
    n_means = sum(each.means.shape[1] for each in many)
    counts = (encoder.count_center, encoder.count_scale)
    _check(all(_is_vector(each, len(many)) for each in counts), "the scale of counts")
    if many:
        means = (encoder.mean_center, encoder.mean_scale)
        _check(all(_is_vector(each, n_means) for each in means), "the scale of means")
    n_shared = sum(map(len, places)) + len(many) + len(spikes)
    n_shared += sum(each.n_columns for each in encoder.categories)
    return encoder, max(n_shared, 1) + n_means


def _read_category(written, n_columns, reader):
    found = {name: reader.read(written[name]) for name in CATEGORY}
    levels, codes = reader.read(written["levels"]), reader.read(written["codes"])
    levels = levels.tolist() if type(levels) is np.ndarray else levels
    category = Category(level_codes=dict(zip(levels, codes.tolist(), strict=True)), **found)
    _check(_is_count(category.index) and category.index < n_columns, "the place of a category")
    _check(_is_count(category.n_columns), "the columns of a category")
    _check(type(category.signed) is bool and type(category.many) is bool, "a category")
    n_levels = len(category.columns) - 1
    _check(_are_places(codes, n_levels), "the levels of a category")
    n_values = 2 if category.signed else category.n_columns
    _check(_are_places(category.columns, n_values, lowest=-1), "the columns of a category")
    _check(n_levels >= 0 and not (category.signed and category.n_columns != 1), "a category")
    if category.many:
        _check(_is_vector(category.log_counts, n_levels + 1), "the counts of levels")
        means = category.means
        _check(means.ndim == 2 and len(means) == n_levels + 1, "the means of levels")
        _check(means.dtype == np.float64, "the means of levels")
    return category


def _read_scale(written, n_targets, reader):
    scale = Numbers.__new__(Numbers)
    vars(scale).update({name: reader.read(written[name]) for name in SCALE})
    vectors = (scale.low, scale.high, scale.center, scale.scale)
    _check(all(_is_vector(each, n_targets) for each in vectors), "the scale of targets")
    _check(scale.one_column in (False, n_targets == 1), "the number of targets")
    return scale


def _read_ensemble(written, loss, n_outputs, classifies, reader):
    n_members, temperature = written["n_members"], reader.read(written["temperature"])
    _check(_is_count(n_members, 1), "the number of members")
    _check(type(temperature) is float and 0 < temperature < math.inf, "temperature_")
    ensemble = Ensemble.__new__(Ensemble)
    ensemble.objective = Objective(loss, n_outputs, classifies)
    ensemble.n_members, ensemble.temperature = n_members, temperature
    ensemble.packs, ensemble.weights = [], []
    for part in written["packs"]:
        params, weights = reader.read(part["params"]), reader.read(part["weights"])
        _check(_is_vector(weights, len(weights)) and len(weights) > 0, "the weights of snapshots")
        _check(params.ndim == 1 and params.dtype in FLOATS, "the vector of parameters")
        shape = _read_shape(reader.read(part["shape"]))
        _check(shape.n_outputs == n_outputs, "the number of outputs")
        pack = Pack(shape, n_members * len(weights), params.dtype, params, training=False)
        _check(pack.n_params == len(params), "the number of parameters")
        ensemble.packs.append(pack)
        ensemble.weights.append(weights)
    _check(len({pack.dtype for pack in ensemble.packs}) == 1, "the dtype of the packs")
    return ensemble


def _read_shape(written):
    shape = Shape(**written)
    counts = (shape.n_numeric, shape.n_frequencies, shape.n_embedded, shape.n_own)
    _check(all(map(_is_count, counts)), "the shape of the networks")
    sizes = (shape.n_columns, shape.n_outputs, *shape.hidden)
    _check(all(_is_count(each, 1) for each in sizes) and shape.hidden, "the shape of the networks")
    drawn = (shape.frequency, shape.frequency_spread)
    _check(all(type(each) is float for each in drawn), "the shape of the networks")
    return shape
