"""Small ONNX files for tests: `onnx_file(folder, [node("Conv", "x w", "y", strides=[2, 2])], …)`."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

RANDOM = np.random.default_rng(0)


def node(op, inputs, outputs, name="", **attributes):
    """A node; names of inputs and outputs are separated by spaces, `_` is one that is left out."""
    read = ["" if one == "_" else one for one in inputs.split()]
    return helper.make_node(op, read, outputs.split(), name=name or f"{op}_{outputs.split()[0]}", **attributes)


def stored(name, value):
    """A tensor of the file: of a shape with random numbers, or of these numbers."""
    if isinstance(value, tuple):
        return numpy_helper.from_array(RANDOM.random(value, dtype=np.float32) + 1, name)
    array = np.asarray(value)
    return numpy_helper.from_array(array.astype(np.float32) if array.dtype.kind == "f" else array, name)


def model(nodes, inputs, tensors=(), outputs="y", *, opset=17, ir=9, shapes=None, **more):
    """A ModelProto. `inputs` and `shapes` have the shapes of values, with names for open sizes."""
    known = dict(shapes or {})
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, known.pop(name, None)) for name in outputs.split()],
        [stored(name, value) for name, value in dict(tensors).items()],
        value_info=[helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in known.items()],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(one, 1) for one in more.pop("domains", ()))]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir, **more)


def onnx_file(folder, *args, name="net.onnx", **kwargs):
    """The path of a file with a model."""
    path = folder / name
    path.write_bytes(model(*args, **kwargs).SerializeToString())
    return path
