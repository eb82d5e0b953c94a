# SPDX-License-Identifier: BSD-3-Clause
"""A folder with a network and the code that predicts with it: one file to read, and NumPy to run it.

The code is written for the network at hand and holds what that one needs: an expression for each layer, its
activation, its link, its labels.
"""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import numpy as np

from sknumpynet._versions import current_version
from sknumpynet.core.activations.basic import Identity, Logistic, ReLU, Tanh
from sknumpynet.core.activations.bounded import Gaussian, HardTanh, Softsign, StepActivation
from sknumpynet.core.activations.rectifiers import ELU, SELU, LeakyReLU
from sknumpynet.core.activations.smooth import GELU, Mish, SiLU, Softplus
from sknumpynet.core.layers import Activate, BatchNorm, Dense, Dropout, LayerNorm
from sknumpynet.core.losses.regression import Quantile
from sknumpynet.estimators.classifier import NumpyMLPClassifier
from sknumpynet.estimators.labels import BinaryLabels, IndicatorLabels, MultioutputLabels
from sknumpynet.estimators.regressor import NumpyMLPRegressor
from sknumpynet.export.graph import check_link
from sknumpynet.tabular.base import TabularMLP

MAX_LINES = 250
CODE, ARRAYS = "predict.py", "model.npz"

# What an activation or a link needs as a function of its own.
LOGISTIC = """
def logistic(z):
    \"\"\"Return 1 / (1 + exp(-z)).\"\"\"
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))
"""
NDTR = """
def normal_cdf(z):
    \"\"\"Return the distribution function of the normal distribution.\"\"\"
    p = [math.erfc(-each / math.sqrt(2)) / 2 for each in z.ravel().tolist()]
    return np.array(p, z.dtype).reshape(z.shape)
"""
SOFTMAX = """
def softmax(raw):
    \"\"\"Return exp(raw), divided by the sum of each row.\"\"\"
    p = np.exp(raw - np.maximum.reduce(raw, axis=1, keepdims=True))
    return p / np.add.reduce(p, axis=1, keepdims=True)
"""
LIMITS = """
LOWEST, HIGHEST = np.finfo(np.{dtype}).tiny, 1 - np.finfo(np.{dtype}).epsneg


def within_limits(p):
    \"\"\"Return the probabilities, never 0 and never 1.\"\"\"
    return np.minimum(np.maximum(p, LOWEST), HIGHEST)
"""
EXPRESSIONS = {
    Identity: "z",
    Logistic: "logistic(z)",
    Tanh: "np.tanh(z)",
    ReLU: "np.maximum(z, 0)",
    LeakyReLU: "np.maximum(z, {slope!r} * z)",
    ELU: "{alpha!r} * np.expm1(np.minimum(z, 0)) + np.maximum(z, 0)",
    SELU: "({alpha!r} * np.expm1(np.minimum(z, 0)) + np.maximum(z, 0)) * {scale!r}",
    GELU: "z * normal_cdf(z)",
    SiLU: "z * logistic(z)",
    Mish: "z * np.tanh(np.logaddexp(z, 0))",
    Softplus: "np.logaddexp(z, 0)",
    Softsign: "z / (1 + np.abs(z))",
    HardTanh: "np.clip(z, -1, 1)",
    Gaussian: "np.exp(-z * z)",
    StepActivation: "(z > 0).astype(z.dtype)",
}
FUNCTIONS = {
    "logistic(": LOGISTIC,
    "normal_cdf(": NDTR,
    "softmax(": SOFTMAX,
    "within_limits(": LIMITS,
}
LINKS = {
    "identity": "raw",
    "exp": "np.exp(raw)",
    "logistic": "logistic(raw)",
    "softmax": "softmax(raw)",
}

HEAD = '''"""{title}

Made by sknumpynet {version}. It needs NumPy, and model.npz beside it.

    from predict import load
    model = load()
    model.predict(X)

    python predict.py table.csv{proba_usage}
"""

{imports}

import numpy as np

N_FEATURES = {n_features}
{names}

def load(path=None):
    """Return the network, whose methods several threads may call at a time."""
    if path is None:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "model.npz")
    with np.load(path, allow_pickle=False) as arrays:
        return Network({{name: arrays[name] for name in arrays.files}})

{functions}

class Network:
    """The network; X is an array of numbers, of shape (n_samples, {n_features})."""

    def __init__(self, arrays):
        vars(self).update(arrays){more_arrays}

    def raw(self, X):
        """Return the output of the last layer, of shape (n_samples, {n_outputs})."""
        z = np.asarray(X, dtype=np.{dtype})
        if z.ndim != 2 or z.shape[1] != N_FEATURES:
            raise ValueError(f"X has shape {{z.shape}}; it must be (n_samples, {{N_FEATURES}})")
        if not math.isfinite(np.vdot(z, z)) and not np.isfinite(z).all():
            raise ValueError("X holds NaN or infinity, or numbers too large for {dtype}")
'''

MAIN = '''

def read_csv(file):
    """Return the numbers in a CSV file, whose first line may name the columns."""
    import csv

    rows = [row for row in csv.reader(file) if row]
    columns = range(N_FEATURES)
    header = rows[0] if rows else []
    if NAMES and set(NAMES) <= set(header):
        columns, rows = [header.index(name) for name in NAMES], rows[1:]
    elif header and not any(map(is_number, header)):
        if NAMES:
            missing = next(name for name in NAMES if name not in header)
            sys.exit(f"predict.py: there is no column {{missing!r}}")
        rows = rows[1:]
    table = []
    for number, row in enumerate(rows, start=1):
        try:
            if columns == range(N_FEATURES) and len(row) != N_FEATURES:
                raise ValueError(f"it has {{len(row)}} values, and not {{N_FEATURES}}")
            table.append([float(row[column]) for column in columns])
        except (IndexError, ValueError) as error:
            sys.exit(f"predict.py: row {{number}}: {{error}}")
    return np.array(table).reshape(-1, N_FEATURES)


def is_number(text):
    """Return whether the text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def main(arguments):
    """Print a line of predictions for each row of a CSV file; - is standard input."""
    files = [each for each in arguments if not each.startswith("--")]
    if len(files) != 1 or set(arguments) - {{files[0]{proba_option}}}:
        sys.exit("usage: python predict.py FILE.csv{proba_usage}")
    with sys.stdin if files[0] == "-" else open(files[0], newline="", encoding="utf-8-sig") as file:
        X = read_csv(file)
    model = load()
    {predict}
    for row in np.asarray(found).reshape(len(X), -1).tolist() if len(X) else []:
        print(",".join(map(quoted, row)))


def quoted(value):
    """Return a value as it stands in a CSV file."""
    text = str(value)
    return f'"{{text.replace(chr(34), chr(34) * 2)}}"' if set(text) & set(',"\\r\\n') else text


if __name__ == "__main__":
    main(sys.argv[1:])
'''


def to_folder(model, folder):
    """Write a fitted network, and code that predicts with it, into a folder; it needs only NumPy.

    The folder gets ``model.npz``, the arrays, and ``predict.py``, at most 250 lines for a reader to check.
    Its ``load()`` returns an object with ``predict`` and, for a classifier, ``predict_proba``, and
    ``python predict.py table.csv`` prints predictions. They equal the estimator's to 1e-12, in single
    precision to 1e-6; labels have their dtype. Predictions for an indicator matrix are dense.

    Parameters
    ----------
    model : NumpyMLPClassifier or NumpyMLPRegressor
        The fitted estimator.
    folder : str or path-like
        The folder; it is created if needed. Files with these two names in it are replaced.

    Raises
    ------
    ValueError
        If an activation, a link or the labels are code or custom objects, or the network has too many
        layers for such a file.
    TypeError
        If the model is not such an estimator; for one for tables, use `to_onnx` or `save`.
    NotFittedError
        If it is not fitted.

    Examples
    --------
    >>> from sknumpynet import NumpyMLPRegressor, export
    >>> model = NumpyMLPRegressor(max_iter=5, random_state=0).fit([[0.0], [1.0]], [0.0, 1.0])
    >>> export.to_folder(model, "predictor")  # doctest: +SKIP
    """
    if isinstance(model, TabularMLP):
        raise TypeError(
            f"to_folder has no code for a {type(model).__name__}, which encodes columns and has several "
            "members. Use export.save, which writes all of it, or export.to_onnx, whose file takes what "
            "encode(X) returns"
        )
    if type(model) not in (NumpyMLPClassifier, NumpyMLPRegressor):
        raise TypeError(
            f"to_folder takes a NumpyMLPClassifier or NumpyMLPRegressor; got {type(model).__name__}. For a "
            "pipeline, export the network in its last step"
        )
    fitted = model._fitted_model()
    check_link(fitted)
    code, arrays = _code_for(fitted)
    n_lines = len(code.splitlines())
    if n_lines > MAX_LINES:
        raise ValueError(
            f"the network has so many layers that {CODE} would have {n_lines} lines; at most {MAX_LINES} "
            "are allowed: use export.save or export.to_onnx"
        )
    os.makedirs(folder, exist_ok=True)
    np.savez(Path(folder, ARRAYS), **arrays)
    Path(folder, CODE).write_text(code, encoding="utf-8")


def _code_for(fitted):
    """Return the code, and the arrays that it reads."""
    layers, arrays = _layers_code(fitted.network)
    if fitted.target.classes is None:
        title, methods, more = _numbers_code(fitted)
        predict, proba_usage, proba_option = "found = model.predict(X)", "", ""
    else:
        title, methods, more, labels = _labels_code(fitted)
        arrays |= labels
        proba_usage, proba_option = " [--proba]", ', "--proba"'
        proba = "model.predict_proba(X)"
        if isinstance(fitted.target, MultioutputLabels):
            proba = f"np.hstack({proba})"
        predict = f'found = {proba} if "--proba" in arguments else model.predict(X)'
    body = layers + methods
    functions = "\n".join(text for call, text in FUNCTIONS.items() if call in body)
    functions = functions.replace("{dtype}", fitted.network.dtype.name)
    names = fitted.feature_names
    head = HEAD.format(
        title=title,
        version=current_version(),
        imports="\n".join(f"import {each}" for each in ("math", "os", "sys")),
        n_features=fitted.network.fan_in,
        n_outputs=fitted.network.n_outputs,
        names=f"NAMES = {None if names is None else [str(each) for each in names]!a}\n",
        functions=functions,
        more_arrays=more,
        dtype=fitted.network.dtype.name,
        proba_usage=proba_usage,
    )
    main = MAIN.format(predict=predict, proba_usage=proba_usage, proba_option=proba_option)
    return head.replace("\n\n\n\n", "\n\n\n") + body + main, arrays


def _layers_code(network):
    """Return a line or two for each layer, and its arrays by the names that stand there."""
    lines, arrays, n = [], {}, 0

    def keep(letter, array):
        arrays[f"{letter}{n}"] = np.array(array)
        return f"self.{letter}{n}"

    for layer in network.layers:
        if type(layer) is Dense:
            n += 1
            bias = f" + {keep('b', layer.b)}" if layer.bias else ""
            lines.append(f"z = z @ {keep('W', layer.product_weights())}{bias}")
        elif type(layer) is Activate:
            activation = layer.activation
            if type(activation) not in EXPRESSIONS:
                raise ValueError(
                    f"activation={activation!r} is a custom function or class: no code can be "
                    "written for it"
                )
            expression = EXPRESSIONS[type(activation)].format(**_numbers(activation))
            if expression != "z":
                lines.append(f"z = {expression}")
        elif type(layer) is BatchNorm:
            inv_std = 1 / np.sqrt(layer.variance + layer.epsilon)
            mean, inv_std = keep("mean", layer.mean), keep("inv_std", inv_std)
            lines.append(f"z = (z - {mean}) * {inv_std}")
            lines.append(f"z = z * {keep('gain', layer.gain)} + {keep('shift', layer.shift)}")
        elif type(layer) is LayerNorm:
            lines.append("z = z - z.mean(axis=1, keepdims=True)")
            variance = f"(z * z).mean(axis=1, keepdims=True) + {float(layer.epsilon)!r}"
            lines.append(f"z = z * (1 / np.sqrt({variance}))")
            lines.append(f"z = z * {keep('gain', layer.gain)} + {keep('shift', layer.shift)}")
        elif type(layer) is not Dropout:
            raise ValueError(f"the network has a custom layer, {layer!r}")
    return _indented([*lines, "return z"], 8), arrays


def _numbers(activation):
    """Return the options of an activation as plain numbers, which leave the precision as it is."""
    names = ("slope", "alpha", "scale")
    return {name: float(getattr(activation, name)) for name in names if hasattr(activation, name)}


def _indented(lines, n):
    return textwrap.indent("\n".join(lines) + "\n", " " * n)


def _method(name, docstring, lines):
    return _indented(["", f"def {name}(self, X):", f'    """{docstring}"""'], 4) + _indented(
        lines, 8
    )


def _numbers_code(fitted):
    loss, n = fitted.loss, fitted.network.n_outputs
    expression = LINKS[fitted.link]
    if fitted.link == loss.link and isinstance(loss, Quantile) and loss.n_outputs_for(1) > 1:
        expression = "np.sort(raw, axis=1)"
    shape = "(n_samples,)" if n == 1 else f"(n_samples, {n})"
    lines = ["raw = self.raw(X)", f"return {expression}{'.ravel()' if n == 1 else ''}"]
    methods = _method("predict", f"Return the predictions, of shape {shape}.", lines)
    return "A neural network for regression, to predict with NumPy alone.", methods, ""


def _labels_code(fitted):
    """Return the title, the methods, what is to be made of arrays that a file cannot hold, and arrays."""
    target, link = fitted.target, fitted.link
    link_code = LINKS[link]
    blocks = getattr(target, "blocks", None)
    arrays, more = {}, ""
    for i, classes in enumerate(target.classes if blocks else [target.classes]):
        name = f"classes{i}" if blocks else "classes"
        classes = np.asarray(classes)
        if classes.dtype == object:
            more += f"\n        self.{name} = np.array({_literal(classes)}, dtype=object)"
        else:
            arrays[name] = classes
    if link == "softmax" and link == fitted.loss.link and blocks:
        parts = [f"softmax(raw[:, {each.start}:{each.stop}])" for each in blocks]
        link_code = f"np.hstack([{', '.join(parts)}])"
    clipped = link_code if link in ("identity", "exp") else f"within_limits({link_code})"
    decides = fitted.decides_by_raw
    score = "raw" if decides else "p"
    begin = ["raw = self.raw(X)"] + ([] if decides else [f"p = {clipped}"])
    threshold = 0 if decides else 0.5
    what = "one of the labels for each row"
    if isinstance(target, BinaryLabels):
        if link == "logistic":
            proba = ["return within_limits(logistic(np.hstack([-raw, raw])))"]
        else:
            proba = [f"p = {clipped}", "return np.hstack([1 - p, p])"]
        chosen = f"({score}.ravel() > {threshold}).astype(int)"
        chosen += " * 0" if len(target.classes) == 1 else ""
        predict = [f"return self.classes[{chosen}]"]
    elif isinstance(target, IndicatorLabels):
        what = "1 or 0 for each label"
        arrays, more = {}, ""
        proba = [f"return {clipped}"]
        predict = [f"return ({score} > {threshold}).astype(int)"]
    elif blocks:
        what = "a label for each column"
        slices = ", ".join(f"p[:, {each.start}:{each.stop}]" for each in blocks)
        proba = [f"p = {clipped}", f"return [{slices}]"]
        predict = ["columns = ["]
        for i, each in enumerate(blocks):
            part = f"{score}[:, {each.start}:{each.stop}]"
            predict.append(f"    self.classes{i}[{part}.argmax(axis=1)],")
        predict += ["]", "return np.column_stack(columns)"]
    else:
        proba = [f"return {clipped}"]
        predict = [f"return self.classes[{score}.argmax(axis=1)]"]
    methods = _method("predict", f"Return {what}.", begin + predict)
    docstring = (
        "Return the probabilities: a list of arrays." if blocks else "Return the probabilities."
    )
    methods += _method("predict_proba", docstring, ["raw = self.raw(X)", *proba])
    return "A neural network for classes, to predict with NumPy alone.", methods, more, arrays


def _literal(classes):
    items = classes.tolist()
    if not all(type(each) in (str, int, float, bool, type(None)) for each in items):
        raise ValueError(f"the labels are objects that cannot be written as code: {items[:3]!r}")
    return ascii(items)
