"""The layer graph of an ONNX file, at given sizes of its inputs: numbers, symbols or arrays.

Nodes that compute with sizes alone are worked out (onnx_shapes.py), the others become layers (onnx_ops.py). Layers have
the paths of modules for names where the exporter wrote them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from costcalc.dims import Shape, decided, elements, equal, is_array
from costcalc.errors import ImportRefused, PointsDiffer, ShapeError, UsageError, shorten
from costcalc.graph import LayerList, add
from costcalc.importers.onnx_files.onnx_biases import with_biases
from costcalc.importers.onnx_files.onnx_free import taken_as_free
from costcalc.importers.onnx_files.onnx_names import Layer, Namer, is_anonymous
from costcalc.importers.onnx_files.onnx_nodes import FLOATS, OnnxNode, OnnxTensor
from costcalc.importers.onnx_files.onnx_ops import ONLY_OF_SIZES, ONNX_OPS, has_rule, refuse_without_rule
from costcalc.importers.onnx_files.onnx_owners import Owner, Owners
from costcalc.importers.onnx_files.onnx_record import OnnxRecord, shape_text
from costcalc.importers.onnx_files.onnx_shapes import CARRIES, FOLDS, INTO_CONSTANTS
from costcalc.importers.onnx_files.onnx_values import Asked, Made, NodeRefused, Step, Value, known, same_sizes, value_of
from costcalc.importers.torch_runs.run_record import STRICT, Leniency, lacks
from costcalc.ops import Input
from costcalc.ops.check_needs import check, needs_of
from costcalc.ops.gradients import INDEX_BYTES
from costcalc.ops.imported import Constant, Move, Parameter, View
from costcalc.ops.rules import free
from costcalc.text import plural

MAX_AXES = 64


class OnnxGraph:
    """Builds the layers of a record, node by node."""

    def __init__(self, record: OnnxRecord, sizes: Mapping[str, Shape], max_layers: int, lenient: Leniency = STRICT):
        self.record, self.sizes, self.max_layers, self.lenient = record, sizes, max_layers, lenient
        self.read = {*record.outputs, *(name for node in record.nodes for name in node.inputs if name)}
        self.operands: set[str] = set()  # tensors that no layer may have for its own
        self.start()

    def start(self) -> None:
        """Nothing is built."""
        self.values: dict[str, Value] = {name: value_of(tensor) for name, tensor in self.record.tensors.items()}
        self.layers: list[Layer] = []
        self.path: str | None = None  # of the node that is built
        self.at: tuple[int, ...] = ()  # its numbers in the file
        self.paths: dict[str, str | None] = {}  # of what nodes have made
        self.owners = Owners(self.operands)
        self.constants: dict[int, tuple[Value, int]] = {}  # values that no layer makes, by id, and the layers of these
        self.copies: dict[str, OnnxTensor] = {}  # tensors that are another one under a name of their own
        self.differ: list[str] = []  # tensors whose shape in the file is another

    def build(self) -> LayerList:
        """The layers. Raises ImportRefused with every op that has no rule, ShapeError for a node that cannot work with
        its inputs."""
        free = refuse_without_rule(self.record, self.lenient)
        found = -1
        while found < len(self.operands):  # a tensor may turn out to be an operand of a later layer too
            found = len(self.operands)
            self.start()
            self.nodes()
        graph = self.named()
        graph.graph["notes"] = tuple(self.notes())
        if free:
            graph.graph["warnings"] = tuple(
                lacks(self.record.name, op, len(nodes), nodes[0].label) for op, nodes in free.items()
            )
        return graph

    def notes(self) -> Iterator[str]:
        """What a reader should know of the counts."""
        if self.copies:
            count = sum(elements(tensor.shape) for tensor in self.copies.values())
            said = f"{plural(len(self.copies), 'tensor')} of {plural(count, 'number')}"
            yield f"stored once with equal ones, and counted: {said}"
        types = {self.record.tensors[name].dtype for name in self.owners if name in self.record.tensors} & FLOATS
        if others := sorted(kind.lower() for kind in types - {"FLOAT"}):
            yield f"the file stores {', '.join(others)}: bytes are those of --dtype, float32 unless set"
        if self.differ:
            more = f", and {len(self.differ) - 1} more" if self.differ[1:] else ""
            yield f"the file's own shapes differ: {self.differ[0]}{more}"

    def nodes(self) -> None:
        """Makes the layers of all nodes, and those of tensors that no node reads."""
        for name, shape in self.sizes.items():
            try:
                op = Input(shape)
            except ShapeError as error:
                raise ShapeError(f"{self.record.name}: its input {shorten(name)!r}: {error}") from None
            self.values[name] = Value(shape, self.add(Layer(op, (), None, name, shape)))
        for node in with_biases(self.record):
            self.node(node)
        self.at = ()
        for name, tensor in self.record.tensors.items():
            if name not in self.read and value_of(tensor).is_learned:
                self.parameter(value_of(tensor), f"not_reached.{name}")

    def node(self, node: OnnxNode) -> None:
        """Works out a node, or makes its layers."""
        node = self.path_of(node)
        asked = Asked(node, tuple(self.values[name] if name else None for name in node.inputs), self.record.opset)
        try:
            outputs = self.outputs(asked)
        except (NodeRefused, PointsDiffer):
            raise
        except ShapeError as error:
            asked.refuse(str(error))
        for name, value in zip(node.outputs, outputs):
            if node.op == "Identity" and value.tensor is not None and value.is_learned:
                self.copies[name] = value.tensor
            if len(value.shape) > MAX_AXES:
                asked.refuse(f"it makes a tensor of {len(value.shape)} axes")
            self.values[name] = value
            self.compare(name, value.shape)
        if not self.read.isdisjoint(node.outputs[len(outputs) :]):
            asked.refuse(f"its output {len(outputs)} has no rule")

    def path_of(self, node: OnnxNode) -> OnnxNode:
        """The node, with the path of what it reads if an optimiser made it and gave it none."""
        if node.path is None and is_anonymous(node.name):
            read = (self.paths[name] for name in node.inputs if self.paths.get(name))
            node = node._replace(path=next(read, None))
        self.path, self.at = node.path, node.at
        self.paths.update(dict.fromkeys(node.outputs, node.path))
        return node

    def outputs(self, asked: Asked) -> list[Value]:
        """The outputs of a node that have a rule."""
        if not has_rule(asked.node.op):
            return self.place(asked, taken_as_free(asked, self.record, self.sizes, self.read))
        outputs = self.folded(asked)
        if outputs is not None:
            return outputs
        made = self.made(asked)
        return [made] if isinstance(made, Value) else self.place(asked, made)

    def folded(self, asked: Asked) -> list[Value] | None:
        """The outputs of a node that follow from the file and from sizes alone; None if it is a layer: of data, of
        learned tensors, or a product."""
        op, given = asked.node.op, [x for x in asked.inputs if x is not None]
        if op in ONLY_OF_SIZES:
            found = FOLDS[op](asked)
            return [found] if isinstance(found, Value) else None
        read = given[:1] if op in INTO_CONSTANTS else given
        learned = any(x.is_learned for x in read) and op not in CARRIES
        if learned or not all(x.is_known for x in given):
            return None
        found = FOLDS[op](asked) if op in FOLDS else None
        if found is not None:
            return [found] if isinstance(found, Value) else [*found]
        made = ONNX_OPS[op](asked)
        if isinstance(made, Value):
            return [made]
        if any(not isinstance(type(step.op).macs, free) for step in made.steps):
            return None
        shapes: list[Shape] = []
        for step in made.steps:
            shapes.append(self.shape_of(asked, step.op, [self.shape_read(x, shapes) for x in step.inputs]))
        return [known(shape) for shape in (shapes[-1], *made.others)]

    def shape_read(self, source: Value | int | None, shapes: list[Shape]) -> Shape:
        """The shape of what a step reads."""
        return source.shape if isinstance(source, Value) else shapes[-1 if source is None else source]

    def made(self, asked: Asked) -> Made | Value:
        """The layers of a node. If a layer cannot have its tensors for its own, it reads them."""
        made = ONNX_OPS[asked.node.op](asked)
        if isinstance(made, Made) and not all(self.owners.can_own(step) for step in made.steps):
            return ONNX_OPS[asked.node.op](replace(asked, reads_tensors=True))
        return made

    def place(self, asked: Asked, made: Made) -> list[Value]:
        """Adds the layers of a node, and a view for each further output that is read."""
        node, placed = asked.node, list[int]()
        main = main_of(made.steps)
        for i, step in enumerate(made.steps):
            inputs = [self.source(x, placed) for x in step.inputs]
            shapes = [self.layers[source].shape for source in inputs]
            shape = self.shape_of(asked, step.op, shapes)
            self.check_tensors(asked, step, shapes)
            owner = self.owners.owner_of(step)
            placed.append(self.add(Layer(step.op, tuple(inputs), node.path, node.name, shape, i == main, owner)))
            self.owners.take(step, placed[-1], shapes)
        outputs = [Value(self.layers[placed[-1]].shape, placed[-1])]
        places = next((i for i, step in zip(placed, made.steps) if getattr(step.op, "detached", False)), None)
        source = self.layers[placed[-1]].inputs[0] if isinstance(made.steps[-1].op, View) else placed[-1]
        for name, shape in zip(node.outputs[1:], made.others):
            if places is not None:
                outputs.append(Value(shape, places))
                continue
            is_read = name in self.read
            view = Layer(View(shape), (source,), node.path, node.name, shape, is_main=False) if is_read else None
            outputs.append(Value(shape, self.add(view)) if view else known(shape))
        return outputs

    def shape_of(self, asked: Asked, op: Any, shapes: list[Shape]) -> Shape:
        """The shape of a layer by its op's own rule. Raises ShapeError if the op does not take its inputs."""
        few, many = 1 if op.arity is None else op.arity, op.max_arity or len(shapes)
        if not few <= len(shapes) <= many:
            asked.refuse(f"it has {len(shapes)} inputs")
        try:
            check(needs_of(op, tuple(shapes)))
        except ShapeError as error:
            asked.refuse(str(error))
        return tuple(op.shape(*shapes))

    def check_tensors(self, asked: Asked, step: Step, shapes: list[Shape]) -> None:
        """Raises ShapeError if the tensors of a layer are not as large as its op has them for these inputs, UsageError
        if symbols leave that open: a weight freezes the sizes that it meets."""
        if not step.own:
            return
        theirs = sum(elements(value.shape) for value in step.own.values())
        ours = sum(elements(tensor.shape) for tensor in step.op.weights(*shapes))
        same = equal(ours, theirs)
        said = ", ".join(str(value.shape) for value in step.own.values())
        if same is None:
            hint = f"set {', '.join(sorted(symbol.name for symbol in ours.free_symbols))}"
            raise UsageError(f"{asked.node.op} {asked.node.label!r}: its tensors {said} freeze {shapes[0]}", hint)
        if not decided(same, f"whether the tensors of {asked.node.label!r} fit"):
            asked.refuse(f"its tensors {said} do not fit an input of {shapes[0]}")

    def source(self, given: Value | int | None, placed: list[int]) -> int:
        """The layer that a step reads. What no layer makes gets one: a param, a stored tensor, or a constant."""
        if not isinstance(given, Value):
            return placed[-1 if given is None else given]
        layer = given.layer
        if layer is None and given.tensor is not None:
            layer = self.parameter(given, given.tensor.name)
        elif layer is None:
            if id(given) not in self.constants:
                constant = Layer(Constant(given.shape), (), self.path, "constant", given.shape, is_main=False)
                self.constants[id(given)] = given, self.add(constant)  # kept alive, so that no id stands for two
            return self.constants[id(given)][1]
        if same_sizes(self.layers[layer].shape, given.shape):
            return layer
        name = self.layers[layer].name
        return self.add(Layer(View(given.shape), (layer,), self.layers[layer].path, name, given.shape, is_main=False))

    def parameter(self, value: Value, name: str) -> int:
        """The layer that hands on a tensor of the file: the one that it has, or a new one."""
        tensor = value.tensor
        assert tensor is not None
        owner = self.owners.get(tensor.name)
        if owner is not None and isinstance(self.layers[owner.layer].op, Parameter):
            return owner.layer
        if owner is not None and (owner.key != "weight" or not same_sizes(owner.shape, tensor.shape)):
            self.operands.add(tensor.name)
        op = Parameter(tensor.shape, "weight" if value.is_learned else "buffer")
        path, shares = self.path if is_anonymous(name) else None, None if owner is None else owner.layer
        layer = self.add(Layer(op, (), path, name, tensor.shape, is_main=path is None, shares=shares))
        self.owners.setdefault(tensor.name, Owner(layer, "weight", tensor.shape))
        return layer

    def add(self, layer: Layer) -> int:
        """Adds a layer, and returns its number."""
        if len(self.layers) >= self.max_layers:
            hint = f"--max-layers {2 * self.max_layers} raises the limit"
            raise ImportRefused(f"{self.record.name} makes more than {self.max_layers:,} layers", hint)
        if len(layer.shape) > MAX_AXES:
            raise ShapeError(f"{layer.op.name} {shorten(layer.name)!r} makes a tensor of {len(layer.shape)} axes")
        self.layers.append(layer._replace(at=self.at))
        return len(self.layers) - 1

    def compare(self, name: str, shape: Shape) -> None:
        """Notes a tensor whose shape in the file is another: inference is wrong for some paddings and last windows."""
        said = self.record.shapes.get(name)
        if said is None or any(map(is_array, shape)):
            return
        fits = len(said) == len(shape) and all(
            not isinstance(theirs, int) or equal(ours, theirs) is not False for ours, theirs in zip(shape, said)
        )
        if not fits:
            self.differ.append(f"{shorten(name)} {shape_text(said)}, here {shape_text(shape)}")

    def named(self) -> LayerList:
        """The layers under their names."""
        graph, names = LayerList(name=self.record.name), list[str]()
        namer = Namer(self.layers)
        for layer in self.layers:
            name = namer.name_of(layer)
            shares = {} if layer.shares is None else {"shares": names[layer.shares]}
            names.append(add(graph, name, layer.op, *[names[source] for source in layer.inputs], **shares))
            for i in layer.op.kept if isinstance(layer.op, Move) else ():
                if i > 0:  # it says where elements are
                    graph.nodes[names[layer.inputs[i]]]["element_bytes"] = INDEX_BYTES
        for output in self.record.outputs:
            if (number := self.values[output].layer) is not None:
                graph.nodes[names[number]]["is_output"] = True
        graph.graph["file_nodes"] = self.record.file_nodes
        graph.graph["nodes_of"] = {name: layer.at for name, layer in zip(names, self.layers)}
        graph.graph["modules"] = {name: layer.path or "" for name, layer in zip(names, self.layers)}
        return graph


def main_of(steps: tuple[Step, ...]) -> int:
    """Which layer of a node has its name: one with tensors, else the last that is no view."""
    found = [i for i, step in enumerate(steps) if step.own] or [
        i for i, step in enumerate(steps) if not isinstance(step.op, View)
    ]
    return found[-1] if found else len(steps) - 1
