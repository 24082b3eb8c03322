"""Local functions of an ONNX file: their nodes stand in place of each call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from costcalc.errors import ImportRefused, shorten
from costcalc.importers.onnx_files.onnx_nodes import (
    MAX_NAME,
    OnnxNode,
    Reference,
    attribute_of,
    node_of,
    text,
    with_overload,
)

MAX_DEPTH = 32  # of functions that call functions
MAX_NODES = 200_000


class OnnxFunction(NamedTuple):
    """A function: its inputs, outputs and nodes by their names inside, and the values of attributes that a call leaves
    out."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[OnnxNode, ...]
    defaults: Mapping[str, Any]
    opset: int | None  # of ONNX's own operators, if it says one


def functions_of(model: Any) -> dict[str, OnnxFunction]:
    """The functions of a file, by the op that calls them."""
    found = {}
    for one in model.functions:
        domain, name = text(one.domain), text(one.name)
        op = with_overload(name if domain in ("", "ai.onnx") else f"{domain}::{name}", one)
        found[op] = OnnxFunction(
            tuple(map(text, one.input)), tuple(map(text, one.output)), tuple(node_of(inner) for inner in one.node),
            {text(given.name): attribute_of(given) for given in one.attribute_proto},
            next((used.version for used in one.opset_import if text(used.domain) in ("", "ai.onnx")), None),
        )  # fmt: skip
    return found


def inlined(nodes: Sequence[OnnxNode], functions: Mapping[str, OnnxFunction], opset: int) -> list[OnnxNode]:
    """The nodes, those of functions in place of calls. Raises ImportRefused for functions that call themselves, make
    too many nodes, or use other operators than the file."""
    sizes: dict[str, tuple[int, int]] = {}
    count = sum(_size(node.op, functions, sizes, MAX_DEPTH)[0] for node in nodes)
    if count > max(MAX_NODES, len(nodes)):
        raise ImportRefused(f"its functions make more than {MAX_NODES:,} nodes")
    for name in sizes:
        if functions[name].opset not in (None, opset):
            said = f"uses version {functions[name].opset} of ONNX's operators, and the file version {opset}"
            raise ImportRefused(f"function {shorten(name)!r} {said}")
    return [*_written_out(nodes, functions)]


def _size(
    op: str, functions: Mapping[str, OnnxFunction], sizes: dict[str, tuple[int, int]], depth: int
) -> tuple[int, int]:
    """How many nodes an op stands for, and how many functions deep. `sizes` are those of functions that are known."""
    if op not in functions:
        return 1, 0
    if depth and op not in sizes:
        inner = [_size(node.op, functions, sizes, depth - 1) for node in functions[op].nodes]
        sizes[op] = sum(count for count, _ in inner), 1 + max((height for _, height in inner), default=0)
    if not depth or sizes[op][1] > MAX_DEPTH:
        raise ImportRefused(f"function {shorten(op)!r} is called more than {MAX_DEPTH} functions deep")
    return sizes[op]


def _written_out(nodes: Sequence[OnnxNode], functions: Mapping[str, OnnxFunction]) -> Iterator[OnnxNode]:
    for number, node in enumerate(nodes):
        function = functions.get(node.op)
        if function is None:
            yield node
        else:
            yield from _written_out([*_body(node, function, number)], functions)


def _body(call: OnnxNode, function: OnnxFunction, number: int) -> Iterator[OnnxNode]:
    """The nodes of a call, under names that no other has, in the module of the call."""
    given = dict.fromkeys(function.inputs, "") | dict(zip(function.inputs, call.inputs))
    names = dict(zip(function.outputs, call.outputs)) | given
    made = next(filter(None, call.outputs), "")  # no two calls make one tensor
    prefix = f"{call.name or call.op}/{number}/{made}"

    def renamed(name: str) -> str:
        return name and names.get(name, f"{prefix}/{name}")

    for node in function.nodes:
        attributes = {}
        for name, value in node.attributes.items():
            if isinstance(value, Reference):
                value = call.attributes.get(value.name, function.defaults.get(value.name))
            if value is not None:
                attributes[name] = value
        yield node._replace(
            name=f"{call.name or call.op}/{node.name or node.op}"[:MAX_NAME], inputs=tuple(map(renamed, node.inputs)),
            outputs=tuple(map(renamed, node.outputs)), attributes=attributes, path=node.path or call.path,
            at=call.at,
        )  # fmt: skip
    for output, made in zip(function.outputs, call.outputs):
        if output in given:  # an input that is handed on
            yield OnnxNode("Identity", call.name, (given[output],), (made,), {}, call.path, call.at)
