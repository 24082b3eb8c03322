"""A layer graph becomes a torch.fx.GraphModule: one submodule for each layer, under the layer's name."""

from __future__ import annotations

import re
from itertools import chain
from keyword import iskeyword
from math import prod
from typing import Any
from unicodedata import normalize

import torch
from torch import fx, nn

from costcalc.analysis.inplace import inplace_inputs
from costcalc.analysis.walk import Row, walk
from costcalc.errors import GraphError, TooLarge
from costcalc.graph import Graph
from costcalc.graph.freezing import frozen_tensors, is_frozen
from costcalc.net import Target, load
from costcalc.table import bytes_text
from costcalc.torch_backend.block_lookup import blocks_once
from costcalc.torch_backend.device_memory import free_bytes, keep_freed_memory
from costcalc.torch_backend.modules import MODULES


def build(target: Target, *, device: Any = "cpu", dtype: torch.dtype | None = None) -> fx.GraphModule:
    """Builds a target of `load`, such as a name or a layer graph, as a module in evaluation mode with new weights.

    Repeats are unrolled; the layer `stem.conv` is the submodule `stem.conv` and has the parameter `stem.conv.weight`.
    Inputs are in the order of their layers; several outputs are a tuple in that order. On the `meta` device the module
    has shapes and takes no memory; on a CPU, malloc keeps freed memory from now on (`keep_freed_memory`). Raises
    GraphError for sizes that are not numbers and ops without a module, TooLarge if the weights do not fit or a tensor
    has more elements than torch can index, and the errors of `cost`.
    """
    net = load(target)
    net.require_numeric("a torch module")
    graph = net.graph(unrolled=True)
    rows = {row.name: row for row in walk(graph)}
    _check_numeric(rows)
    _check_addressable(rows)
    if torch.device(device).type != "meta":
        _check_weights_fit(rows.values(), torch.device(device), dtype or torch.get_default_dtype())
    if torch.device(device).type == "cpu":
        keep_freed_memory()
    with torch.device(device):
        return _Builder(graph, rows, dtype).module().eval()


class _Builder:
    """Builds the module of a graph, layer by layer."""

    def __init__(self, graph: Graph, rows: dict[Any, Row], dtype: torch.dtype | None):
        self.graph, self.rows, self.dtype = graph, rows, dtype
        self.overwritten = inplace_inputs(list(rows.values()))
        self.fx, self.nodes = fx.Graph(), dict[Any, fx.Node]()
        self.fx.on_generate_code(lambda _: blocks_once)
        self.fx.erase_node(self.fx.placeholder("self"))  # reserves the name: torch.fx gives it to no node
        self.arguments = {"self", "__debug__"}  # names that are taken
        self.modules, self.targets = dict[str, nn.Module](), dict[Any, str]()
        self.blocks = set[str]()  # targets that contain others

    def module(self) -> fx.GraphModule:
        """The module of all layers."""
        for row in sorted(self.rows.values(), key=lambda row: not row.op.is_input):
            self.nodes[row.name] = self.input(row) if row.op.is_input else self.layer(row)
            self.nodes[row.name].meta["row"] = row
        read = {source for row in self.rows.values() for source in row.inputs}
        ends = [row.name for row in self.rows.values() if row.name not in read and not row.op.is_input]
        outputs = tuple(self.nodes[name] for name in ends or self.rows)
        self.fx.output(outputs[0] if len(outputs) == 1 else outputs)
        return fx.GraphModule(self.root(), self.fx, class_name=_class_name(self.graph.graph.get("name")))

    def root(self) -> nn.Module:
        """The modules, nested as their names say, in the order of the layers."""
        root = nn.Module()
        for target, module in self.modules.items():
            *path, last = target.split(".")
            parent = root
            for part in path:
                if not hasattr(parent, part):
                    parent.add_module(part, nn.Module())
                parent = getattr(parent, part)
            parent.add_module(last, module)
        return root

    def input(self, row: Row) -> fx.Node:
        """An argument with the layer's name, or the nearest name that Python allows."""
        name = _as_python_reads_it(re.sub(r"\W", "_", str(row.name)))
        name = name if name.isidentifier() else f"_{name}"
        while iskeyword(name) or name in self.arguments:
            name += "_"
        node = self.fx.placeholder(name)
        self.arguments |= {name, node.name}  # torch.fx renames one that is called as a builtin
        return node

    def layer(self, row: Row) -> fx.Node:
        target = self.called_again(row)
        if target is None:
            target = self.free_target(str(row.name))
            # each is converted at once: never are all of them held in torch's default precision
            self.modules[target] = self.builder(row)(row.op, *row.input_shapes).to(dtype=self.dtype)
            if row.name in self.overwritten:
                over = True if len(row.inputs) == 1 else self.overwritten[row.name]
                setattr(self.modules[target], "inplace", over)  # noqa: B010  nn.Module says it holds tensors only
            if "shares" in self.graph.nodes[row.name]:
                self.tie(row, self.modules[target])
        self.targets[row.name] = target
        self.freeze(row, self.modules[target])
        return self.fx.call_module(target, tuple(self.nodes[source] for source in row.inputs))

    def freeze(self, row: Row, module: nn.Module) -> None:
        """Lets the tensors that a layer calls frozen learn nothing."""
        what = frozen_tensors(row.name, self.graph.nodes[row.name].get("frozen"))
        for name, tensor in module.named_parameters() if what else ():
            if is_frozen(name, what):
                tensor.requires_grad_(False)

    def builder(self, row: Row) -> Any:
        """The function that makes the module of an op."""
        if row.op.name not in MODULES:
            hint = "give costcalc.torch_backend.MODULES a builder, as `costcalc help add-an-op` shows"
            raise GraphError(f"layer {str(row.name)!r}: the op {row.op.name!r} has no module in torch; {hint}")
        return MODULES[row.op.name]

    def called_again(self, row: Row) -> str | None:
        """The owner's module, if this layer is the same op with the same tensors, and writes over the same input."""
        owner = self.graph.nodes[row.name].get("shares")

        def module_facts(row: Row) -> tuple[Any, ...]:
            return row.op, row.op.weights(*row.input_shapes), self.overwritten.get(row.name)

        same = owner is not None and module_facts(row) == module_facts(self.rows[owner])
        return self.targets[owner] if same else None

    def tie(self, row: Row, module: nn.Module) -> None:
        """Makes a layer of another kind use the owner's tensors of the same names, as a linear uses an embedding's."""
        owner = self.modules[self.targets[self.graph.nodes[row.name]["shares"]]]
        for name, tensor in [*owner.named_parameters(recurse=False), *owner.named_buffers(recurse=False)]:
            if getattr(module, name, None) is not None:
                setattr(module, name, tensor)

    def free_target(self, name: str) -> str:
        """The layer's name as a target that is free. An underscore follows a part that is a keyword or an attribute of
        its module, and replaces characters that end a string or cannot be printed."""
        path: list[str] = []
        for part in name.split("."):
            part = "".join(c if c.isprintable() and c not in '"\\' else "_" for c in part) or "_"
            part = _as_python_reads_it(part)
            while iskeyword(part) or hasattr(fx.GraphModule, part) or _is_taken(self.modules.get(".".join(path)), part):
                part += "_"
            path.append(part)
        while ".".join(path) in self.modules or ".".join(path) in self.blocks:
            path[-1] += "_"
        self.blocks |= {".".join(path[:depth]) for depth in range(1, len(path))}
        return ".".join(path)


def _as_python_reads_it(name: str) -> str:
    """The same identifier for Python, which reads ﬁ as fi; other names as they are."""
    return normalize("NFKC", name) if name.isidentifier() else name


def _is_taken(module: nn.Module | None, part: str) -> bool:
    return hasattr(module or nn.Module(), part)


def _class_name(name: Any) -> str:
    words = "".join(part[:1].upper() + part[1:] for part in str(name or "network").replace("-", "_").split("_"))
    return words if words.isidentifier() else "Network"


def _check_numeric(rows: dict[Any, Row]) -> None:
    for row in rows.values():
        if not all(type(size) is int for size in row.output_shape):
            raise GraphError(f"layer {str(row.name)!r} has the shape {row.output_shape}; a module needs numbers")


def _check_addressable(rows: dict[Any, Row]) -> None:
    """Raises TooLarge for a tensor whose bytes int64 cannot count; a complex number has 16."""
    for row in rows.values():
        if (most := max(prod(row.output_shape), row.params + row.total("buffers"))) >= 2**59:
            raise TooLarge(f"layer {str(row.name)!r} has {most:,} elements, more than torch can number")


def _check_weights_fit(rows: Any, device: torch.device, dtype: torch.dtype) -> None:
    """Raises TooLarge for weights that the free memory of the device cannot hold."""
    needed = sum(row.params + row.total("buffers") for row in rows) * dtype.itemsize
    if needed > (free := free_bytes(device)):
        raise TooLarge(f"its weights take {bytes_text(needed)}, and {device} has {bytes_text(free)} free")


def example_inputs(
    module: fx.GraphModule, *, batch: int | None = None, device: Any = None, dtype: torch.dtype | None = None
) -> tuple[torch.Tensor, ...]:
    """Random tensors for the inputs of a built module: normal numbers, or indices where a layer reads them."""
    like = next(chain(module.parameters(), module.buffers()), torch.empty(0))
    device, dtype = device or like.device, dtype or like.dtype
    tensors = []
    for node in module.graph.find_nodes(op="placeholder"):
        size = node.meta["row"].output_shape
        size = size if batch is None else (batch, *size[1:])
        if limits := _index_limits(node):
            tensors.append(torch.randint(min(limits), size, device=device))
        else:
            tensors.append(torch.randn(size, device=device, dtype=dtype))
    return tuple(tensors)


def _index_limits(node: fx.Node) -> list[int]:
    """The number of rows of every table that is indexed by this tensor, also after its elements are moved."""
    limits, seen, to_see = [], {node}, [node]
    while to_see:
        source = to_see.pop()
        for user in source.users:
            if user.op != "call_module" or user in seen:
                continue
            seen.add(user)
            op = user.meta["row"].op
            if op.index_limit is not None and user.args[0] is source:
                limits.append(op.index_limit)
            elif op.output.keeps_values:
                to_see.append(user)
    return limits
