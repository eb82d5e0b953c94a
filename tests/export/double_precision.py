# SPDX-License-Identifier: BSD-3-Clause
"""What some versions of onnxruntime cannot compute in double precision, or fuse into what they cannot.

Found by running the tests with onnxruntime 1.18, 1.20, 1.24 and 1.28 to 1.32.
"""

import math

import onnx

MISSING = {"Erf": "in all versions", "Cos": "up to 1.28"}


def only_in_single_precision(path):
    """Return what the graph in a file contains of these, in words."""
    graph = onnx.load(path).graph
    made_by = {name: node for node in graph.node for name in node.output}
    sizes = {each.name: math.prod(each.dims) for each in graph.initializer}
    found = [
        f"{node.op_type} is missing {MISSING[node.op_type]}"
        for node in graph.node
        if node.op_type in MISSING
    ]

    def kind(name):
        return made_by[name].op_type if name in made_by else None

    def scales(node):
        """Whether a node multiplies by a number."""
        return node.op_type in ("Mul", "Div") and 1 in [sizes.get(name) for name in node.input]

    for node in graph.node:
        if node.op_type == "Mul":
            for a, b in (node.input, node.input[::-1]):
                if kind(a) == "Sigmoid" and made_by[a].input[0] == b:
                    found.append("z times Sigmoid(z) is fused to QuickGelu up to 1.30")
        if node.op_type == "MatMul":
            if "Transpose" in map(kind, node.input):
                found.append("Transpose and MatMul are fused to FusedMatMul in 1.18")
            if any(name in made_by and scales(made_by[name]) for name in node.input):
                found.append("a number times MatMul is rounded to single precision in 1.28 to 1.31")
        if scales(node) and "MatMul" in map(kind, node.input):
            found.append("a number times MatMul is rounded to single precision in 1.28 to 1.31")
    return found
