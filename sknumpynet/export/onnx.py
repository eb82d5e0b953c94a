# SPDX-License-Identifier: BSD-3-Clause
"""ONNX: export to a file, which only needs the package onnx, and a converter for skl2onnx.

Neither package is imported before one of these functions is called.
"""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sknumpynet._container import path_to_write
from sknumpynet._versions import current_version
from sknumpynet.estimators.classifier import NumpyMLPClassifier
from sknumpynet.estimators.labels import IndicatorLabels, MultioutputLabels
from sknumpynet.estimators.regressor import NumpyMLPRegressor
from sknumpynet.export.graph import Graph, outputs_of, write_network
from sknumpynet.export.table_graph import n_inputs_of, outputs_of_table, write_table
from sknumpynet.tabular.classifier import TabularMLPClassifier
from sknumpynet.tabular.regressor import TabularMLPRegressor

INPUT = "X"
OLDEST_OPSET = 13
# A protocol buffer file is limited to two gigabytes.
MAX_BYTES = (1 << 31) - (1 << 20)
OPTIONS = {
    "zipmap": [True, False, "columns"],
    "nocl": [True, False],
    "output_class_labels": [False, True],
    "raw_scores": [True, False],
}
ALIASES = {NumpyMLPClassifier: "SknumpynetClassifier", NumpyMLPRegressor: "SknumpynetRegressor"}
TABLES = (TabularMLPClassifier, TabularMLPRegressor)


def to_onnx(model, path, *, dtype="float32", opset=17):
    """Write a fitted network to an ONNX file. Only the package ``onnx`` is needed.

    The file has one input, ``X`` of shape (n, n_features). A classifier has the outputs ``label``, int64 or
    text, and ``probabilities`` of shape (n, n_classes), with two columns for two classes; for an indicator
    matrix both have a column per label. With several columns of labels there are ``label_0``, ``label_1``,
    ..., and then ``probabilities_0``, ``probabilities_1``, ... . A regressor has the output ``variable`` of
    shape (n, n_outputs), with several quantiles in ascending order.

    For an estimator for tables the file holds the networks and the steps after them: means over members and
    snapshots, temperature, scale and range of the target, shifts of quantiles. Its input is the array that
    ``model.encode(X)`` returns, and n_features is its number of columns.

    Parameters
    ----------
    model : NumpyMLPClassifier, NumpyMLPRegressor, TabularMLPClassifier or TabularMLPRegressor
        The fitted estimator.
    path : str or path-like
        The file.
    dtype : {'float32', 'float64'}, default='float32'
        Precision of the input and of the computation. onnxruntime gives the estimator's predictions to 1e-5
        in float32, to 1e-12 in float64.
    opset : int, default=17
        The version of ONNX's operators, at least 13.

    Raises
    ------
    ValueError
        If ONNX has no counterpart: for a custom function, activation or link, for labels that are neither
        text nor integers, for ``activation='gelu'`` in float64; or if a number of the model is too large
        for the dtype. The message names the parameter.
    TypeError
        If the model is not such an estimator. Pipelines are converted by skl2onnx, after `register_onnx`.
    ImportError
        If onnx is not installed.
    NotFittedError
        If the model is not fitted.
    OSError
        If the file cannot be written: its folder does not exist, for instance.

    Examples
    --------
    >>> from sknumpynet import NumpyMLPRegressor, export
    >>> model = NumpyMLPRegressor(max_iter=5, random_state=0).fit([[0.0], [1.0]], [0.0, 1.0])
    >>> export.to_onnx(model, "model.onnx")  # doctest: +SKIP
    """
    if type(model) not in (*ALIASES, *TABLES):
        raise TypeError(
            f"to_onnx needs a network of this package; got {type(model).__name__}. For a pipeline call "
            "sknumpynet.export.register_onnx() and then skl2onnx.to_onnx"
        )
    is_table = isinstance(model, TABLES)
    if is_table:
        check_is_fitted(model)
    described = model if is_table else model._fitted_model()
    path = path_to_write(path)
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype must be 'float32' or 'float64'; got {dtype!r}")
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            'to_onnx needs the package onnx: pip install "sknumpynet[onnx]"'
        ) from error
    newest = onnx.defs.onnx_opset_version()
    if isinstance(opset, bool) or opset not in range(OLDEST_OPSET, newest + 1):
        raise ValueError(
            f"opset must be an integer from {OLDEST_OPSET} to {newest}, which this onnx has; got {opset!r}"
        )
    graph = _OnnxGraph(onnx, dtype, opset)
    if is_table:
        n_params, n_inputs, outputs = model.n_params_, n_inputs_of(model), outputs_of_table(model)
    else:
        network, outputs = described.network, outputs_of(described)
        n_params, n_inputs = network.params.size, network.fan_in
    n_bytes = n_params * graph.dtype.itemsize
    if n_bytes > MAX_BYTES:
        raise ValueError(
            f"the network has {n_bytes / 1e9:.1f} GB of parameters, but an ONNX file is limited to 2 GB: "
            "use dtype='float32', or export.save"
        )
    write = write_table if is_table else write_network
    write(graph, described, INPUT, [each.name for each in outputs])
    path.write_bytes(graph.model(n_inputs, outputs).SerializeToString())


class _OnnxGraph(Graph):
    """Nodes and arrays of an ONNX model."""

    def __init__(self, onnx, dtype, opset):
        super().__init__(dtype, opset)
        self.onnx, self.nodes, self.arrays = onnx, [], []

    def add(self, operator, *inputs, output=None, n_outputs=1, **attributes):
        name = output or f"{operator.lower()}_{len(self.nodes)}"
        names = [name, *(f"{name}_{i}" for i in range(1, n_outputs))]
        node = self.onnx.helper.make_node(
            operator, list(inputs), names, name=f"node_{len(self.nodes)}", **attributes
        )
        self.nodes.append(node)
        return name

    def constant(self, array):
        name = f"constant_{len(self.arrays)}"
        if array.dtype == object:
            encoded = [each.encode("utf-8") for each in array]
            string = self.onnx.TensorProto.STRING
            tensor = self.onnx.helper.make_tensor(name, string, array.shape, encoded)
        else:
            tensor = self.onnx.numpy_helper.from_array(
                np.ascontiguousarray(array).reshape(array.shape), name
            )
        self.arrays.append(tensor)
        return name

    def model(self, n_features, outputs):
        helper, types = self.onnx.helper, self.onnx.TensorProto
        floats = types.DOUBLE if self.dtype == np.float64 else types.FLOAT
        kinds = {"float": floats, "int64": types.INT64, "string": types.STRING}
        graph = helper.make_graph(
            self.nodes,
            "sknumpynet",
            [helper.make_tensor_value_info(INPUT, floats, [None, n_features])],
            [
                helper.make_tensor_value_info(each.name, kinds[each.kind], [None, *each.shape])
                for each in outputs
            ],
            self.arrays,
        )
        opset = helper.make_opsetid("", self.opset)
        return helper.make_model(
            graph,
            opset_imports=[opset],
            ir_version=helper.find_min_ir_version_for([opset]),
            producer_name="sknumpynet",
            producer_version=current_version(),
        )


# -------------------------------------------------------------------- skl2onnx


def register_onnx():
    """Register the estimators with skl2onnx, so that it can convert whole pipelines.

    To be called once before ``skl2onnx.to_onnx``; a second call changes nothing. The options ``zipmap``,
    ``nocl``, ``output_class_labels`` and ``raw_scores`` are those of skl2onnx's own classifiers. If the
    input has double precision, the computation does too.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    Examples
    --------
    >>> from sknumpynet import export
    >>> export.register_onnx()  # doctest: +SKIP
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError as error:
        raise ImportError('register_onnx needs skl2onnx: pip install "sknumpynet[onnx]"') from error
    for cls, alias in ALIASES.items():
        classifies = cls is NumpyMLPClassifier
        update_registered_converter(
            cls,
            alias,
            _set_shapes,
            _convert,
            parser=_parse if classifies else None,
            options=OPTIONS if classifies else None,
        )


def _parse(scope, model, inputs, custom_parsers=None):
    """Declare the outputs in the same way as skl2onnx, except for several columns of labels."""
    from skl2onnx._parse import _parse_sklearn_classifier
    from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType

    fitted = model._fitted_model()
    if not isinstance(fitted.target, MultioutputLabels):
        if isinstance(fitted.target, IndicatorLabels):  # there is no single label to map from
            scope.add_options(id(model), {**scope.get_options(model, {}), "zipmap": False})
        return _parse_sklearn_classifier(scope, model, inputs, custom_parsers)
    operator = scope.declare_local_operator(ALIASES[type(model)], model)
    operator.inputs = inputs
    types = {"float": FloatTensorType, "int64": Int64TensorType, "string": StringTensorType}
    for each in outputs_of(fitted):
        operator.outputs.append(scope.declare_local_variable(each.name, types[each.kind]()))
    return operator.outputs


def _set_shapes(operator):
    """Declare the types of the outputs."""
    from skl2onnx.common.data_types import (
        BooleanTensorType,
        DoubleTensorType,
        FloatTensorType,
        Int64TensorType,
        StringTensorType,
    )
    from skl2onnx.common.utils import (
        check_input_and_output_numbers,
        check_input_and_output_types,
    )

    check_input_and_output_numbers(operator, input_count_range=1)
    good = [BooleanTensorType, DoubleTensorType, FloatTensorType, Int64TensorType]
    check_input_and_output_types(operator, good_input_types=good)
    is_double = isinstance(operator.inputs[0].type, DoubleTensorType)
    types = {
        "float": DoubleTensorType if is_double else FloatTensorType,
        "int64": Int64TensorType,
        "string": StringTensorType,
    }
    n, fitted = operator.inputs[0].get_first_dimension(), operator.raw_operator._fitted_model()
    outputs = outputs_of(fitted, _options_of(operator).get("nocl", False))
    for output, told in zip(operator.outputs, outputs, strict=True):
        output.set_type(types[told.kind]([n, *told.shape]))


def _options_of(operator):
    """Return the options of an operator's model; a regressor has none."""
    if type(operator.raw_operator) is NumpyMLPRegressor:
        return {}
    default = {"nocl": False, "raw_scores": False}
    return operator.scope_inst.get_options(operator.raw_operator, default)


def _convert(scope, operator, container):
    """Add the operators."""
    from skl2onnx.common.data_types import DoubleTensorType

    dtype = "float64" if isinstance(operator.inputs[0].type, DoubleTensorType) else "float32"
    graph = _Skl2onnxGraph(scope, container, dtype)
    options = _options_of(operator)
    write_network(
        graph,
        operator.raw_operator._fitted_model(),
        operator.inputs[0].full_name,
        [each.full_name for each in operator.outputs],
        raw_scores=options.get("raw_scores", False),
        plain_labels=options.get("nocl", False),
    )


class _Skl2onnxGraph(Graph):
    """Nodes and arrays of a model that skl2onnx creates."""

    def __init__(self, scope, container, dtype):
        super().__init__(dtype, container.target_opset_any_domain(""))
        self.scope, self.container = scope, container

    def add(self, operator, *inputs, output=None, n_outputs=1, **attributes):
        name = output or self.scope.get_unique_variable_name(operator.lower())
        more = [self.scope.get_unique_variable_name(name) for _ in range(1, n_outputs)]
        self.container.add_node(
            operator,
            list(inputs),
            [name, *more],
            name=self.scope.get_unique_operator_name(operator),
            **attributes,
        )
        return name

    def constant(self, array):
        from onnx import TensorProto

        name = self.scope.get_unique_variable_name("constant")
        if array.dtype == object:
            kind, content = TensorProto.STRING, [each.encode("utf-8") for each in array]
        else:
            kinds = {"f4": TensorProto.FLOAT, "f8": TensorProto.DOUBLE, "i8": TensorProto.INT64}
            kind, content = kinds[array.dtype.str[1:]], array.ravel().tolist()
        self.container.add_initializer(name, kind, list(array.shape), content)
        return name
