"""Products of an ONNX file that have a bias added to them: a linear layer is one layer, not two."""

from __future__ import annotations

from collections import Counter

from costcalc.importers.onnx_files.onnx_nodes import OnnxNode, OnnxTensor
from costcalc.importers.onnx_files.onnx_record import OnnxRecord


def with_biases(record: OnnxRecord) -> list[OnnxNode]:
    """The nodes. A MatMul by a stored matrix whose only reader adds a stored vector has it for its third input, and
    stands in the place of that addition."""
    readers = Counter(name for node in record.nodes for name in node.inputs)
    readers.update(record.outputs)
    aliases = {node.outputs[0]: node.inputs[0] for node in record.nodes if node.op == "Identity" and node.inputs}

    def stored(name: str) -> OnnxTensor | None:
        return record.tensors.get(aliases.get(name, name))

    products = {}
    for node in record.nodes:
        weight = stored(node.inputs[1]) if node.op == "MatMul" and len(node.inputs) == 2 else None
        if weight is not None and len(weight.shape) == 2 and readers[node.outputs[0]] == 1:
            products[node.outputs[0]] = node, weight.shape[1:]
    sums, gone = {}, set()
    for node in record.nodes:
        pairs = (node.inputs, node.inputs[::-1]) if node.op == "Add" and len(node.inputs) == 2 else ()
        for name, other in pairs:
            product, shape = products.get(name, (None, ()))
            bias = stored(other)
            if product is not None and bias is not None and bias.shape == shape:
                inputs, at = (*product.inputs, other), (*product.at, *node.at)
                sums[node.outputs[0]] = product._replace(inputs=inputs, outputs=node.outputs, at=at)
                gone.add(name)
                break
    return [sums.get(node.outputs[0], node) for node in record.nodes if node.outputs[0] not in gone]
