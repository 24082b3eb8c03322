"""Where no gradient flows back: through whole numbers and truths, which torch makes no gradients of."""

from __future__ import annotations

from dataclasses import fields

from costcalc.importers.aten_ops.translation import Node
from costcalc.importers.torch_runs.run_record import Call, Tensor


def is_complex(tensor: Tensor) -> bool:
    """Are its elements complex numbers?"""
    return tensor.dtype.startswith("complex")


def is_real(tensor: Tensor) -> bool:
    """Are its elements floats, of which torch makes gradients?"""
    return "float" in tensor.dtype or is_complex(tensor)


def stops_gradient(call: Call) -> bool:
    """Does a call make whole numbers or truths of floats?"""
    return bool(call.outputs) and not is_real(call.outputs[0]) and any(map(is_real, call.tensors))


def detached(node: Node) -> Node:
    """The node, of which no gradient flows back, if its op may say so."""
    known = {field.name: getattr(node.op, field.name) for field in fields(node.op)}
    return node._replace(op=type(node.op)(**known | {"detached": True})) if "detached" in known else node
