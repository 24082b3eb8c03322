"""The layer graph of a recorded run: names are module paths, ops the library's own where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from costcalc.errors import ImportRefused, Problem
from costcalc.graph import LayerList, add
from costcalc.importers.aten_ops.aten_table import ATEN_OPS
from costcalc.importers.aten_ops.call_kinds import of_kind, plain_name, start_and_step
from costcalc.importers.aten_ops.gradient_stops import detached, is_complex, is_real, stops_gradient
from costcalc.importers.aten_ops.kept_places import BYTES, chosen_by
from costcalc.importers.aten_ops.needed_calls import alone_in_modules, changing, passes_on, roots_of
from costcalc.importers.aten_ops.shared_tensors import can_share
from costcalc.importers.aten_ops.translation import Node, NoRule
from costcalc.importers.torch_runs.run_record import (
    CONSTANTS,
    NOT_REACHED,
    Call,
    Learned,
    Origin,
    Record,
    Tensor,
    lacks,
)
from costcalc.ops import Input
from costcalc.ops.imported import Constant, Contraction, Elementwise, Move, Parameter, View
from costcalc.ops.recurrent import Recurrent
from costcalc.text import FreeNames


class GraphBuilder:
    """Builds the graph of a record, call by call."""

    def __init__(self, record: Record, name: str = ""):
        self.record, self.name = record, name or record.name
        self.graph = LayerList(name=self.name)  # quicker to make than a DiGraph
        self.layers: dict[int, str] = {}  # the layer that makes each tensor, by number
        self.shapes: dict[str, tuple[int, ...]] = {}  # of the output of each layer
        self.owners: dict[int, tuple[str, str]] = {}  # the layer whose own a tensor of a module is, and its name there
        self.params = 0
        self.within = ""  # the path of the module that runs
        self.modules: dict[str, str] = {}  # the module that runs each layer
        self.names = FreeNames()
        self.roots = roots_of(record)
        self.views: dict[int, list[int]] = {}  # of each tensor that owns memory, those in it
        for number, root in self.roots.items():
            self.views.setdefault(root, []).append(number)
        self.made = {tensor.number: tensor for call in record.calls for tensor in call.outputs}
        self.makers = {tensor.number: call.module for call in record.calls for tensor in call.outputs}
        self.read = {tensor.number for call in record.calls for tensor in call.tensors}
        self.read |= {tensor.number for tensor in record.outputs}
        self.has_complex = any(map(is_complex, self.made.values()))
        self.changes: set[int] = set()  # tensors that depend on inputs or params
        self.stale: dict[int, Tensor] = {}  # tensors whose memory was written over, and what was written
        self.without_rule: dict[str, list[Call]] = {}
        self.assumed_free: dict[str, list[Call]] = {}

    def build(self) -> LayerList:
        """The graph. Raises ImportRefused with every op that has no rule."""
        for name, tensor in self.record.inputs.items():
            self.made_by(self.add(self.names.take(name), Input(tensor.shape)), tensor)
        calls, self.changes = changing(self.record, self.roots)
        alone = alone_in_modules(calls)
        for call in calls:
            if passes_on(call):
                self.within = call.module
                self.layers[call.outputs[0].number] = self.passed_on(call)
                continue
            if self.chooses(call):
                self.place_chosen(call)
            elif (node := self.node(call)) is not None:
                self.place(call, node, id(call) in alone)
        if self.without_rule:
            op = next(iter(self.without_rule.values()))[0].op
            raise ImportRefused(said_of(self.without_rule), f"--assume-free {op} counts it as 0")
        self.add_unread()
        self.check_params()
        self.describe()
        return self.graph

    def add_unread(self) -> None:
        """Adds the params and buffers of the module that no layer reads."""
        for number, learned in self.record.learned.items():
            if number not in self.owners and number not in self.layers and is_stored(learned):
                folded = learned.is_buffer and number in self.read  # a constant follows from it
                self.parameter(f"{CONSTANTS if folded else NOT_REACHED}.{learned.path}", learned)

    def describe(self) -> None:
        """Says in the graph where layers and their tensors are from, what is returned, and what totals lack."""
        held = {learned.path: number for number, learned in self.record.learned.items()}
        tensors = {path: self.owners[number] for path, number in held.items() if number in self.owners}
        self.graph.graph["origin"] = Origin(self.modules, tensors)
        for position, (layer, key) in enumerate(tensors.values()):
            self.graph.nodes[layer].setdefault("parameter_order", {})[key] = position
        self.graph.graph["warnings"] = self.missing()
        for tensor in self.record.outputs:
            if tensor.number in self.layers:
                self.graph.nodes[self.layers[tensor.number]]["is_output"] = True

    def missing(self) -> tuple[Problem, ...]:
        """What totals lack: ops that are taken as free, and what would run behind a value. That a layer is suspect is
        no warning here: torch refuses what an op does not take."""
        found = [lacks(self.name, op, len(calls), calls[0].module) for op, calls in self.assumed_free.items()]
        if self.record.stopped:
            said = f"totals of {self.name} end {self.record.stopped}: it asks for a value"
            found.append(Problem(None, said, "what runs behind that is not counted", True, self.record.stopped))
        return tuple(found)

    def check_params(self) -> None:
        """Raises ImportRefused unless the layers have as many params as the module: each tensor once."""
        held = sum(prod(one.tensor.shape) for one in self.record.learned.values() if not one.is_buffer)
        if self.params != held:
            said = f"its layers have {self.params:,} params, and the module {held:,}"
            raise ImportRefused(f"{self.record.name}: {said}: it shares tensors in a way that no layer here can")

    def node(self, call: Call) -> Node | None:
        """The op of a call."""
        if self.has_complex and not call.views and any(is_complex(one) for one in (*call.tensors, *call.outputs)):
            return self.free_or_none(call, NoRule("of complex numbers"))
        translate = ATEN_OPS.get(plain_name(call))
        found = translate(call, self.record.learned) if translate else None
        if isinstance(found, NoRule):
            return self.free_or_none(call, found)
        if found is None or not can_share({key: x.number for key, x in found.own.items()}, self.owners):
            made = of_kind(call)
            if made is None:
                return self.free_or_none(call)
            found = Node(*made, {})
        if isinstance(found.op, Recurrent) and not any(x.number in self.changes for x in found.inputs[1:]):
            found = found._replace(inputs=found.inputs[:1])  # its first states are constants
        return detached(found) if stops_gradient(call) else found

    def passed_on(self, call: Call) -> str:
        """The layer of what a call hands on; a view where no gradient flows back."""
        source = self.layer_of(call.tensors[0])
        if plain_name(call) != "detach":
            return source
        name = f"{call.module}.detach" if call.module else "detach"
        return self.add(self.names.take(name), View(call.outputs[0].shape, detached=True), source)

    def free_or_none(self, call: Call, reason: NoRule | None = None) -> Node | None:
        """Notes a call without a rule. A node for it if its op is assumed to be free."""
        free = self.record.lenient.accepts(call.op)
        noted = self.assumed_free if free else self.without_rule
        noted.setdefault(f"{call.op} {reason.why}" if reason else call.op, []).append(call)
        return Node(Move(call.outputs[0].shape), call.tensors, {}) if free and call.outputs else None

    def place(self, call: Call, node: Node, alone: bool) -> None:
        """Adds the layer of a call, and a view for each further output that something reads."""
        self.within = call.module
        name = self.name_of(call, node, alone)
        inputs = [self.along_channels(self.layer_of(x), x, call, node) for x in node.inputs]
        if node.before is not None:
            inputs[0] = self.add(self.names.take(f"{name}.view"), node.before, inputs[0])
        made = out = self.add(name, node.op, *inputs, **self.how_own(node.own))
        if node.after is not None and call.outputs[0].number in self.read:
            out = self.add(self.names.take(f"{name}.view"), node.after, made)
        self.made_by(out, call.outputs[0])
        if node.after is None:
            self.check_shape(out, call)
        self.written_over(call)
        for key, x in node.own.items():
            self.owners.setdefault(x.number, (name, key))
        for i, tensor in enumerate(call.outputs[1:], 1):
            if tensor.number in self.read:
                source = inputs[0] if isinstance(node.op, View) else made
                view = View(tensor.shape, not is_real(tensor), *start_and_step(call, i))
                self.made_by(self.add(self.names.take(f"{name}.view"), view, source), tensor)

    def chooses(self, call: Call) -> bool:
        """Does a call choose elements, and keep or return their places in a tensor of its own? The largest of an axis
        whose places nothing reads has an op of its own."""
        return chosen_by(call) is not None and (plain_name(call) not in ATEN_OPS or call.outputs[1].number in self.read)

    def place_chosen(self, call: Call) -> None:
        """Adds a layer that finds the places of what a call chooses, and one that takes the values there, if something
        reads these."""
        self.within, chosen = call.module, chosen_by(call)
        assert chosen is not None
        values, places = call.outputs
        name = self.names.take(f"{call.module}.{plain_name(call)}" if call.module else plain_name(call))
        source = self.layer_of(call.arguments["self"])
        found = self.add(self.names.take(f"{name}.places"), chosen.places, source)
        self.made_by(found, places)
        if values.number in self.read:
            self.made_by(self.add(name, chosen.values, source, found), values)
        self.written_over(call)

    def made_by(self, layer: str, tensor: Tensor) -> None:
        """Notes the layer that makes a tensor, and the bytes of an element if that is no float."""
        self.layers[tensor.number] = layer
        if tensor.dtype in BYTES:
            self.graph.nodes[layer]["element_bytes"] = BYTES[tensor.dtype]

    def check_shape(self, name: str, call: Call) -> None:
        """Raises ImportRefused unless the rule of a layer's op gives the shape that torch gave."""
        theirs, ours = call.outputs[0].shape, self.shapes[name]
        if ours != theirs:
            said = f"torch's output has the shape {theirs}, and that of our {self.graph.nodes[name]['op']} {ours}"
            raise ImportRefused(f"{call.op} in {call.module or 'the network'!r}: {said}; please report it")

    def how_own(self, own: Mapping[str, Tensor]) -> dict[str, Any]:
        """What a node says of its tensors: the layer with which it shares them, and which are not trained."""
        said: dict[str, Any] = {}
        for key, x in own.items():
            if x.number in self.owners:
                said["shares"] = self.owners[x.number][0]
            elif not (learned := self.record.learned[x.number]).trains and not learned.is_buffer:
                said["frozen"] = (*said.get("frozen", ()), key)
        return said

    def along_channels(self, layer: str, x: Tensor, call: Call, node: Node) -> str:
        """The layer of an input; of one number for each channel, as a normalisation has it, a view that stretches."""
        out = call.outputs[0].shape
        stretches = isinstance(node.op, (Elementwise, Contraction)) and len(x.shape) == 1 and len(out) > 2
        of_conv = "conv" in call.op  # whose bias has channels, as many as the image is wide or not
        if not stretches or x.shape[0] == 1 or (x.shape[0] == out[-1] and not of_conv):
            return layer
        after = len(call.arguments["weight"].shape) - 2 if of_conv else len(out) - 2
        return self.add(self.names.take(f"{layer}.view"), View((*x.shape, *[1] * after)), layer)

    def written_over(self, call: Call) -> None:
        """What shares the memory that a call writes over has another value from now on."""
        made = {tensor.number for tensor in call.outputs}
        for number in call.writes:
            root = self.roots.get(number, number)
            for other in (root, *self.views.get(root, ())):
                if other in self.layers and other not in made:
                    self.stale[other] = call.outputs[0]

    def name_of(self, call: Call, node: Node, alone: bool) -> str:
        """The path of a module that makes one op, views apart; else its path, the op, and a number. A module with
        modules of its own never gives a layer its name: that is the block's."""
        if alone and call.module:
            return self.names.take(call.module)
        return self.names.take(f"{call.module}.{node.op.name}" if call.module else node.op.name)

    def layer_of(self, tensor: Tensor) -> str:
        """The layer that makes a tensor; a tensor of a module, or a constant, gets one of its own."""
        if (newest := self.stale.pop(tensor.number, None)) is not None:
            view = View(tensor.shape)
            name = self.names.take(f"{self.within}.written" if self.within else "written")
            self.made_by(self.add(name, view, self.layers[newest.number]), tensor)
        if tensor.number not in self.layers:
            learned = self.record.learned.get(tensor.number)
            self.made_by(self.constant(tensor) if learned is None else self.parameter(learned.path, learned), tensor)
        return self.layers[tensor.number]

    def constant(self, tensor: Tensor) -> str:
        """The layer of a tensor that follows from constants alone. Those in one memory are views of one."""
        whole = self.made.get(self.roots.get(tensor.number, tensor.number), tensor)
        layer = self.layer_of(whole) if whole.number in self.layers else None  # which may have been written over
        if layer is None:
            module = self.makers.get(whole.number, self.within)
            name = f"{module}.constant" if module else "constant"
            layer = self.add(self.names.take(name), Constant(whole.shape))
            self.made_by(layer, whole)
        if whole.shape == tensor.shape:
            return layer
        return self.add(self.names.take(f"{self.within}.view" if self.within else "view"), View(tensor.shape), layer)

    def parameter(self, name: str, learned: Learned) -> str:
        """Adds a layer that hands on a tensor of a module, the one of another layer too."""
        own = {"weight": learned.tensor}
        op = Parameter(learned.tensor.shape, "buffer" if learned.is_buffer else "weight")
        name = self.add(self.names.take(name), op, **self.how_own(own))
        self.owners.setdefault(learned.tensor.number, (name, "weight"))
        return name

    def add(self, name: str, op: Any, *inputs: str, **extra: Any) -> str:
        """Adds a layer and returns its name."""
        add(self.graph, name, op, *inputs, **extra)
        ins = [self.shapes[source] for source in inputs]
        self.shapes[name] = tuple(op.shape(*ins))
        self.modules[name] = self.within
        with_whom = extra.get("shares")
        shared = {key for owner, key in self.owners.values() if owner == with_whom} if with_whom else ()
        learned = (tensor for tensor in op.weights(*ins) if tensor.role != "buffer" and tensor.name not in shared)
        self.params += sum(prod(tensor.shape) for tensor in learned)
        return name


def is_stored(learned: Learned) -> bool:
    """Is it more than a count of batches?"""
    return not learned.is_buffer or bool(learned.tensor.shape)


def said_of(without_rule: dict[str, list[Call]]) -> str:
    """Every op without a rule, how often it is called, and where first."""
    parts = (f"{op} ×{len(calls)}, first in {calls[0].module or 'the network'!r}" for op, calls in without_rule.items())
    return f"no rule for {'; '.join(parts)}"
