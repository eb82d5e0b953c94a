# SPDX-License-Identifier: BSD-3-Clause
"""Fitted networks in files that are read without running code: no pickle, no import by name."""

from __future__ import annotations

import inspect
import math
import os

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sknumpynet._container import checked_path, path_to_write, read_parts, write_file
from sknumpynet._versions import current_version
from sknumpynet.core.layers import Activate, BatchNorm, Dense, Dropout, LayerNorm
from sknumpynet.core.layers.base import Group
from sknumpynet.core.losses.base import Loss
from sknumpynet.core.network.network import Network
from sknumpynet.core.optimizers.base import Optimizer
from sknumpynet.core.schedules.base import Schedule
from sknumpynet.core.training.epochs import Training
from sknumpynet.estimators.classifier import NumpyMLPClassifier
from sknumpynet.estimators.labels import (
    BinaryLabels,
    IndicatorLabels,
    MulticlassLabels,
    MultioutputLabels,
)
from sknumpynet.estimators.prediction import LINKS, FittedModel
from sknumpynet.estimators.record import RECORDED
from sknumpynet.estimators.regressor import Numbers, NumpyMLPRegressor
from sknumpynet.export.table_files import TABLES, read_table, written_table
from sknumpynet.export.values import Reader, Refused, Writer

FORMAT = "sknumpynet network"
# Networks are written in version 1, estimators for tables in version 2, which older versions cannot read.
VERSION, NEWEST = 1, 2
ESTIMATORS = {cls.__name__: cls for cls in (NumpyMLPClassifier, NumpyMLPRegressor)}
LABELS = {
    cls.__name__: cls
    for cls in (BinaryLabels, MulticlassLabels, IndicatorLabels, MultioutputLabels)
}
LAYERS = (Activate, BatchNorm, Dense, Dropout, LayerNorm)
# Attributes of a training that are not network, loss, optimizer or schedule, and not part of its state.
TRAINING_OPTIONS = ("l2", "l1", "max_grad_norm", "loss_scale", "shuffle", "max_epochs")
BIT_GENERATOR = "PCG64"  # of the dropout masks


def save(model, path, training_state=False):
    """Write a fitted network to a file that can be read without running code.

    The file is a zip of ``.npy`` arrays with a JSON header. It holds parameters, networks, labels, feature
    names and the record of the fit, and for an estimator for tables the encoding of the columns; callbacks
    and metadata requests are not saved.

    Parameters
    ----------
    model : NumpyMLPClassifier, NumpyMLPRegressor, TabularMLPClassifier or TabularMLPRegressor
        The fitted estimator.
    path : str or path-like
        The file. An existing file is replaced once the new one is complete.
    training_state : bool, default=False
        Whether to keep what only `partial_fit` needs (moments, generators, counters), so that it
        continues bit for bit. Without it `partial_fit` continues with a new optimizer. Estimators for
        tables have none.

    Raises
    ------
    ValueError
        If a parameter, the loss or an activation is a function or an object of a class outside this package
        (a splitter as `cv`, for example): the error names it. Nothing is written then.
    TypeError
        If the model is another object, such as a pipeline or an estimator of a subclass.
    NotFittedError
        If it is not fitted.
    OSError
        If the file cannot be written: its folder does not exist, for instance.

    See Also
    --------
    load : Read such a file.

    Examples
    --------
    >>> from sknumpynet import NumpyMLPRegressor, export
    >>> model = NumpyMLPRegressor(max_iter=5, random_state=0).fit([[0.0], [1.0]], [0.0, 1.0])
    >>> export.save(model, "model.sknn")  # doctest: +SKIP
    """
    name = type(model).__name__
    if {**ESTIMATORS, **TABLES}.get(name) is not type(model):
        raise TypeError(
            f"save needs a network of this package, not of a subclass; got {type(model).__module__}.{name}. "
            "For a pipeline, save the network in its last step; save the other steps with skops"
        )
    check_is_fitted(model)
    path = path_to_write(path)
    writer = Writer()
    header = {
        "format": FORMAT,
        "version": NEWEST if name in TABLES else VERSION,
        "written_by": current_version(),
        "estimator": name,
        "parameters": {
            key: writer.write(each, key) for key, each in model.get_params(deep=False).items()
        },
    }
    if name in TABLES:
        header |= written_table(model, writer)
    else:
        header |= _written_estimator(model, training_state, writer)
    write_file(path, header, writer.arrays)


def _written_estimator(model, training_state, writer):
    fitted, state = model._fitted_model(), vars(model)
    header = {
        "network": _written_network(fitted.network, writer),
        "target": _written_target(fitted.target, writer),
        "loss": writer.write(fitted.loss, "loss_function_"),
        "link": writer.write(fitted.link, "out_activation_"),
        "feature_names": writer.write(fitted.feature_names, "feature_names_in_"),
        "record": _written_record(state, writer),
    }
    training = state.get("_training") if training_state else None
    if training is not None:
        header["training"] = _written_training(training, model.random_state, writer)
    return header


def load(path):
    """Read a fitted network from a file that `save` has written.

    Reading runs no code from the file and imports nothing by name. A file gives either a network as `save`
    writes it, or an error.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    model : NumpyMLPClassifier, NumpyMLPRegressor, TabularMLPClassifier or TabularMLPRegressor
        The estimator: of the same type, and with the same predictions to the last bit.

    Raises
    ------
    ValueError
        If the file was not written by `save`, is damaged, or has a newer version. The message names
        the file.
    OSError
        If the system cannot read it.

    Examples
    --------
    >>> from sknumpynet import export
    >>> model = export.load("model.sknn")  # doctest: +SKIP
    """
    content = checked_path(path).read_bytes()
    try:
        if content.startswith(b"\x80"):  # the first byte of every pickle since protocol 2
            raise ValueError("it is a pickle: joblib.load reads it, if you trust its source")
        header, arrays = read_parts(content, _check_header)
        return _read_estimator(header, Reader(arrays))
    except MemoryError:
        raise
    except Exception as error:  # any error; nothing has been changed yet
        reason = str(error) or type(error).__name__
        raise ValueError(f"{os.fspath(path)!r} cannot be loaded as a network: {reason}") from error


def _check_header(header):
    if type(header) is not dict or header.get("format") != FORMAT:
        raise ValueError("it was not written by sknumpynet.export.save")
    version = header.get("version")
    if type(version) is not int or version < 1:
        raise ValueError(f"it has version {version!r}, which does not exist")
    if version > NEWEST:
        raise ValueError(
            f"it has version {version} and was written by sknumpynet {header.get('written_by')}; this "
            f"version, {current_version()}, reads files up to version {NEWEST}: update sknumpynet"
        )


def _read_estimator(header, reader):
    cls = {**ESTIMATORS, **TABLES}[header["estimator"]]
    parameters = {key: reader.read(each) for key, each in header["parameters"].items()}
    unknown = set(parameters) - set(inspect.signature(cls.__init__).parameters)
    if unknown:
        raise ValueError(f"it has parameters that this version does not have: {sorted(unknown)}")
    model = cls(**parameters)
    if header["estimator"] in TABLES:
        read_table(model, header, reader)
        return model
    network = _read_network(header["network"], reader)
    target = _read_target(header["target"], reader)
    loss, link = reader.read(header["loss"]), reader.read(header["link"])
    if not isinstance(loss, Loss) or target.n_outputs_for(loss) != network.n_outputs:
        raise ValueError("the network's outputs do not match its loss and labels")
    if isinstance(target, Numbers) is not (cls is NumpyMLPRegressor):
        raise ValueError("the targets do not match the estimator")
    if loss.kind not in ("any", "numbers" if isinstance(target, Numbers) else "classes"):
        raise ValueError("the loss does not match the estimator")
    if list(getattr(loss, "sizes", [])) != list(getattr(target, "sizes", [])):
        raise ValueError("the loss is for other labels")
    if link not in (loss.link, *LINKS):
        raise ValueError(f"out_activation_ is {link!r}")
    names = reader.read(header["feature_names"])
    if names is not None and not _are_names(names, network.fan_in):
        raise ValueError("the feature names are invalid")
    fitted = FittedModel(network, target, loss, link, names)
    training = None
    if "training" in header:
        training = _read_training(header["training"], fitted, parameters["random_state"], reader)
    record = _read_record(header["record"], reader)
    model._publish(fitted, **record, _training=training, _plan=None)
    return model


def _are_names(names, n):
    if type(names) is not np.ndarray or names.shape != (n,):
        return False
    return all(isinstance(name, str) for name in names)


# -------------------------------------------------------------------- the network


def _written_network(network, writer):
    for layer in network.layers:
        if type(layer) not in LAYERS:
            raise Refused(f"the network has a layer of a custom class, {layer!r}")
    return {
        "layers": [writer.write(layer, f"layer {i}") for i, layer in enumerate(network.layers)],
        "groups": {
            name: [bool(group.decays), float(group.learning_rate_factor)]
            for name, group in network.groups.items()
        },
        "n_features": network.n_features,
        "params": writer.write(network.params, "params"),
        "running_stats": writer.write(network.running_stats, "running_stats"),
    }


def _read_network(written, reader):
    layers = [reader.read(each) for each in written["layers"]]
    if any(type(layer) not in LAYERS for layer in layers):
        raise ValueError("a layer is invalid")
    params, stats = (_read_vector(written[name], reader) for name in ("params", "running_stats"))
    shapes = [each for layer in layers for each in layer.shapes().values()]
    sizes = {True: 0, False: 0}
    for group, shape in shapes:
        sizes[group == "running_stats"] += math.prod(shape)
    if sizes != {True: len(stats), False: len(params)} or stats.dtype != params.dtype:
        raise ValueError("the number of parameters does not match the layers")
    n_features = written["n_features"]
    if n_features is not None and type(n_features) is not int:
        raise ValueError("the number of features is invalid")
    groups = {
        name: Group(decays is True, float(factor))
        for name, (decays, factor) in written["groups"].items()
    }
    network = Network.__new__(Network)
    network.__setstate__(
        {
            "layers": layers,
            "params": params,
            "running_stats": stats,
            "n_features": n_features,
            "groups": groups,
        }
    )
    return network


def _read_vector(written, reader):
    """Return a vector of floats of this machine's byte order."""
    vector = reader.read(written)
    native = vector.dtype.newbyteorder("=")
    if vector.ndim != 1 or native not in (np.float32, np.float64):
        raise ValueError("a parameter vector is invalid")
    return vector.astype(native, copy=False)


# -------------------------------------------------------------------- the targets


def _written_target(target, writer):
    if type(target) is Numbers:
        return {"kind": "Numbers", "n_targets": int(target.n_targets)}
    if LABELS.get(type(target).__name__) is not type(target):
        raise Refused(f"the labels are of a custom class, {target!r}")
    classes = target.classes
    written = {"kind": type(target).__name__, "classes": writer.write(classes, "classes_")}
    if type(target) is IndicatorLabels:
        written["sparse"] = bool(target.sparse)
    return written


def _read_target(written, reader):
    kind = written["kind"]
    if kind == "Numbers":
        n = written["n_targets"]
        if type(n) is not int or n < 1:
            raise ValueError("the number of targets is invalid")
        return Numbers(n)
    classes = reader.read(written["classes"])
    several = classes if kind == "MultioutputLabels" else [classes]
    if any(type(each) not in (np.ndarray, list) or not len(each) for each in several):
        raise ValueError("the labels are invalid")
    if kind == "BinaryLabels" and len(classes) > 2:
        raise ValueError("there are more than two labels for two classes")
    if kind == "IndicatorLabels":
        return IndicatorLabels(classes, written["sparse"] is True)
    return LABELS[kind](classes)


# -------------------------------------------------------------------- the training history


def _written_record(state, writer):
    """Write the training history; the curves are columns of `history_`, and written once."""
    columns = {id(column): name for name, column in state.get("history_", {}).items()}
    written = {}
    for name in RECORDED:
        if name in state:
            value = state[name]
            if type(value) is list and id(value) in columns:
                written[name] = {"column": columns[id(value)]}
            else:
                written[name] = {"value": writer.write(value, name)}
    return written


def _read_record(written, reader):
    if not set(written) <= set(RECORDED):
        raise ValueError("it has a record that no fit creates")
    record = {name: reader.read(each["value"]) for name, each in written.items() if "value" in each}
    history = record.get("history_", {})
    if type(history) is not dict or any(type(column) is not list for column in history.values()):
        raise ValueError("the record of the fit is invalid")
    columns = {name: each["column"] for name, each in written.items() if "column" in each}
    return {**record, **{name: history[column] for name, column in columns.items()}}


# -------------------------------------------------------------------- the state of training


def _written_training(training, random_state, writer):
    state = training.state()
    del state["params"], state["running_stats"]
    generator = "random_state" if training.rng is random_state else training.rng
    state["rng"] = None
    if training.mask_rng.bit_generator.state["bit_generator"] != BIT_GENERATOR:
        raise Refused("the generator of dropout's masks is of a custom kind")
    if state["order"].dtype.kind != "i":
        state["order"] = state["order"].astype(np.int64)
    return {
        "loss": writer.write(training.loss, "loss"),
        "optimizer": writer.write(training.optimizer, "solver"),
        "schedule": writer.write(training.schedule, "learning_rate"),
        "options": {name: writer.write(getattr(training, name), name) for name in TRAINING_OPTIONS},
        "generator": writer.write(generator, "random_state"),
        "state": writer.write(state, "the state of training"),
    }


def _read_training(written, fitted, random_state, reader):
    network = fitted.network
    loss, optimizer, schedule = (
        reader.read(written[name]) for name in ("loss", "optimizer", "schedule")
    )
    for part, base in ((loss, Loss), (optimizer, Optimizer), (schedule, Schedule)):
        if not isinstance(part, base):
            raise ValueError("a part of the training state is invalid")
    loss = fitted.loss if loss == fitted.loss else loss
    options = {name: reader.read(written["options"][name]) for name in TRAINING_OPTIONS}
    generator, state = reader.read(written["generator"]), reader.read(written["state"])
    state.setdefault("schedule", schedule.get_state())  # the first files have none
    _check_state(state, optimizer, schedule, network)
    training = Training(network, loss, optimizer, schedule, np.random.RandomState(0), **options)
    training.set_state({**state, "params": network.params, "running_stats": network.running_stats})
    training.rng = random_state if generator == "random_state" else generator
    if not isinstance(training.rng, np.random.RandomState | None):
        raise ValueError("the random generator of the training is invalid")
    return training


def _check_state(state, optimizer, schedule, network):
    """Raise unless this is the state of a training of the network."""
    for name, vector in state["optimizer"].get("state", {}).items():
        if name not in optimizer.state_names or vector.shape != network.params.shape:
            raise ValueError("the state of the optimizer is invalid")
        if vector.dtype != network.dtype:
            raise ValueError("the state of the optimizer has another dtype")
    if set(state["optimizer"]) - {"state", "t", "product", *optimizer.get_params()}:
        raise ValueError("the state of the optimizer is invalid")
    if set(state["schedule"]) - set(schedule.get_params()):
        raise ValueError("the state of the schedule is invalid")
    order = state["order"]
    if order.ndim != 1 or order.dtype.kind != "i":
        raise ValueError("the order of the rows is invalid")
    if not np.array_equal(np.sort(order), np.arange(len(order))):
        raise ValueError("the order of the rows is invalid")
    if any(type(value) is not int or value < 0 for value in state["progress"].values()):
        raise ValueError("the progress of the training is invalid")
    if type(state.get("first_loss", 0.0)) is not float:  # the first files have none
        raise ValueError("the first loss of the training is invalid")
    if state["mask_rng"]["bit_generator"] != BIT_GENERATOR:
        raise ValueError("the generator of dropout's masks is invalid")
