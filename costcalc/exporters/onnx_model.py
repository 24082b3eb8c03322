"""A network as an ONNX file without its weights: to be looked at, not to be run.

Weights have names, shapes and a place in another file, which is not written; what reads no weights, as Netron, takes
that as it is.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from costcalc.errors import MissingExtra
from costcalc.exporters.onnx_layers import OPSET, Nodes, nodes_of_layer
from costcalc.importers.onnx_files.onnx_own_ops import DOMAIN
from costcalc.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costcalc.net import Net

ELSEWHERE = "#weights_are_not_written"


def onnx_bytes(net: Net) -> bytes:
    """The file. Raises MissingExtra without the package onnx, UsageError for sizes that are no numbers."""
    try:
        import onnx
        from onnx import helper
    except ImportError as error:
        raise MissingExtra("writing ONNX needs the package onnx", "onnx") from error
    net.require_numeric("export to ONNX")
    layers = [*layers_of(net)]
    stored = {name: shape for _, shapes in layers for name, shape in shapes.items()}
    nodes = [
        helper.make_node(
            one["kind"], one["ins"], [one["out"]], name=one["out"], domain=one["domain"], **one["attributes"]
        )
        for layer, _ in layers
        for one in layer.made
    ]
    inputs, outputs = values_of(net, helper)
    shown = [helper.make_tensor_value_info(layer.name, onnx.TensorProto.FLOAT, layer.out) for layer, _ in layers]
    whole = {
        layer.weights["weight"] for layer, _ in layers if layer.op.name == "parameter" and layer.op.role == "buffer"
    }
    tensors = [not_written(onnx, name, shape, whole=name in whole) for name, shape in stored.items()]
    tensors += [small(helper, onnx, name, numbers) for layer, _ in layers for name, numbers in layer.numbers.items()]
    graph = helper.make_graph(nodes, net.name, inputs, outputs, tensors, value_info=shown)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, 1)]
    model = helper.make_model(
        graph, opset_imports=opsets, ir_version=10, producer_name="costcalc", producer_version=__version__,
        doc_string=f"{net.label}: without weights",
    )  # fmt: skip
    written: bytes = model.SerializeToString()
    return written


def layers_of(net: Net) -> Iterator[tuple[Nodes, dict[str, tuple[int, ...]]]]:
    """The nodes of each layer, and the shapes of the tensors that it adds to the file."""
    graph = net.layers(unrolled=True)
    kept: dict[str, dict[str, str]] = {}
    for row in net.cost(unrolled=True).layers:
        if row.op.is_input:
            continue
        theirs = kept.get(graph.nodes[row.name].get("shares"), {})
        shapes = {tensor.name: (*tensor.shape,) for tensor in row.op.weights(*row.input_shapes)}
        kept[row.name] = {name: theirs.get(name, f"{row.name}.{name}") for name in shapes}
        layer = Nodes(row.name, row.op, row.inputs, row.input_shapes, row.output_shape, kept[row.name])
        nodes_of_layer(layer)
        added = {
            kept[row.name][name]: shape[::-1] if name in layer.transposed else shape
            for name, shape in shapes.items()
            if name not in theirs
        }
        yield layer, added


def values_of(net: Net, helper: Any) -> tuple[list[Any], list[Any]]:
    """The inputs and outputs of the network. What a table is looked up with is a whole number."""
    from onnx import TensorProto

    rows = net.cost(unrolled=True).layers
    read = {source for row in rows for source in row.inputs}
    indexed = {row.inputs[0] for row in rows if row.op.index_limit is not None}
    inputs = [row for row in rows if row.op.is_input]
    ends = [row for row in rows if row.name not in read and not row.op.is_input]

    def value(row: Any) -> Any:
        kind = TensorProto.INT64 if row.name in indexed else TensorProto.FLOAT
        return helper.make_tensor_value_info(row.name, kind, row.output_shape)

    return [*map(value, inputs)], [*map(value, ends)]


def not_written(onnx: Any, name: str, shape: tuple[int, ...], *, whole: bool) -> Any:
    """A tensor that lies in a file that is not there: of whole numbers, as tables of indices, or of real ones."""
    kind = onnx.TensorProto.INT64 if whole else onnx.TensorProto.FLOAT
    tensor = onnx.TensorProto(name=name, data_type=kind, dims=shape)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", ELSEWHERE), ("length", str((8 if whole else 4) * prod(shape)))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return tensor


def small(helper: Any, onnx: Any, name: str, numbers: tuple[Any, ...]) -> Any:
    """A constant of a few numbers; a single real one has no axes."""
    if isinstance(numbers[0], float):
        return helper.make_tensor(name, onnx.TensorProto.FLOAT, (), numbers)
    return helper.make_tensor(name, onnx.TensorProto.INT64, (len(numbers),), numbers)
