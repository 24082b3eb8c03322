"""What a training step takes and gives back: forward pass, loss, backward pass and update, as torch does on a CPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from costcalc.analysis.training.kept import extra_bytes, index_tensors, keeps, kept, outputs_in_memory, wide_axes
from costcalc.analysis.training.step_layers import StepLayer
from costcalc.analysis.training.timeline import (
    BUFFERS,
    DATA,
    GRADIENTS,
    KEPT,
    OPTIMIZER,
    TEMPORARY,
    WEIGHTS,
    Begin,
    Change,
    End,
    Event,
    HeldMemory,
    Moment,
)
from costcalc.dims import Shape, Size, decided, elements, exact_div, same_shape
from costcalc.errors import UsageError
from costcalc.ops.gradients import INDEX_BYTES
from costcalc.train_step import SCALAR_BYTES, Optimizer

Gradients = list[tuple[Any, Any]]  # the layer that wrote an input, and the key of the memory of its gradient


class StepEvents(HeldMemory):
    """The events of a step, from the layers and what is known of them; memory that is held stands under a key."""

    def __init__(
        self,
        layers: Sequence[StepLayer],
        bytes_of: Mapping[str, int],
        optimizer: Optimizer,
        *,
        adds_in_place: bool = True,
    ):
        super().__init__()
        self.layers, self.bytes_of, self.optimizer, self.adds_in_place = layers, bytes_of, optimizer, adds_in_place
        self.by_name = {each.name: each for each in layers}
        self.where, self.kept = outputs_in_memory(layers), kept(layers)
        indices = index_tensors(layers)
        self.element = {each.name: INDEX_BYTES if each.name in indices else bytes_of["activations"] for each in layers}
        self.inputs = {each.name for each in layers if not each.layer.inputs}
        read = {source for each in layers for source in each.layer.inputs}
        self.outputs = [each for each in layers if each.name not in read and each.name not in self.inputs]
        self.keeps: dict[Any, list[Any]] = {}  # the outputs that a layer keeps, by their owner
        for owner, keepers in self.kept.keepers.items():
            for name in keepers:
                self.keeps.setdefault(name, []).append(owner)
        self.output_owners = {self.where[each.name].owner for each in self.outputs}
        self.last_use = {
            self.where[name].owner: i for i, each in enumerate(layers) for name in (each.name, *each.layer.inputs)
        }
        self.holders: Counter[Any] = Counter()  # of gradients: how many layers wait for this memory
        self.gradient: dict[Any, Any] = {}  # the key of the memory that holds the gradient of an output

    def size_of(self, name: Any) -> Size:
        """The bytes of an output."""
        return elements(self.by_name[name].layer.output_shape) * self.element[name]

    def events(self) -> Iterator[Event]:
        """The step from its inputs to the update of the weights."""
        yield from self.throughout()
        for i, each in enumerate(self.layers):
            yield from self.between(self.layers[i - 1] if i else None, each)
            yield from self.forward(i, each)
        yield from self.between(self.layers[-1], None)
        yield from self.losses()
        after = None
        for each in reversed(self.layers):
            yield from self.between(after, each)
            yield from self.backward(each)
            after = each
        yield from self.between(after, None)
        yield from self.free("gradient of the loss")
        yield from self.update()

    def between(self, before: StepLayer | None, after: StepLayer | None) -> Iterator[Event]:
        """The ends of bodies that are left and the starts of those that are entered from one layer to the next."""
        left, entered = (each.layer.blocks if each else () for each in (before, after))
        if left == entered:
            return
        common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, entered)))
        yield from (End() for _ in left[common:])
        yield from (Begin(block.copies) for block in entered[common:])

    def throughout(self) -> Iterator[Event]:
        """What is held from the start to the end: weights, buffers, what the optimizer keeps, inputs and targets."""
        for each in self.layers:
            copies, width = each.layer.copies, self.bytes_of["weights"]
            for tensor in each.own:
                size = copies * (elements(tensor.shape) * width)
                yield Change(BUFFERS if tensor.role == "buffer" else WEIGHTS, size)
                if tensor.name in each.wanted.tensors:
                    steps = SCALAR_BYTES * copies * self.optimizer.counts_steps
                    yield Change(OPTIMIZER, size * self.optimizer.copies + steps)
            if any(tensor.name == "running_mean" for tensor in each.own):
                yield Change(BUFFERS, INDEX_BYTES * copies)  # torch counts batches
            if each.name in self.inputs:
                yield Change(DATA, self.size_of(each.name))
        for each in self.outputs:
            yield Change(DATA, INDEX_BYTES * targets(each.layer.output_shape))

    def forward(self, i: int, each: StepLayer) -> Iterator[Event]:
        """Takes memory for the output of a layer and what it keeps, then frees what no later layer reads."""
        if each.name in self.inputs:
            return
        owner = self.where[each.name].owner
        own = self.kept.extra.get(each.name, [])
        temporary = self.temporaries(each) + self.bytes_of["activations"] * self.elements_between(each)
        yield from self.take(("extra", each.name), extra_bytes(own, self.bytes_of), KEPT)
        yield from self.take("temporary", temporary)
        if owner == each.name:
            yield from self.take(owner, self.size_of(owner), KEPT if owner in self.kept.keepers else TEMPORARY)
        yield Moment(each.name, "forward")
        yield from self.free("temporary")
        for name in {self.where[source].owner for source in (*each.layer.inputs, each.name)} - self.inputs:
            if self.last_use[name] == i and name not in self.kept.keepers and name not in self.output_owners:
                yield from self.free(name)

    def temporaries(self, each: StepLayer) -> Size:
        """What a layer makes besides its output although no gradient is wanted of it."""
        if each.wanted.any:
            return 0
        wanted = each.wanted._replace(inputs=tuple([True for _ in each.wanted.inputs]))
        try:
            found = keeps(each._replace(wanted=wanted))
        except UsageError:  # a kernel's own, which are not known
            return 0
        return extra_bytes(found.extra, self.bytes_of)

    def elements_between(self, each: StepLayer) -> Size:
        """Elements of what comes between the kernels of a layer: sums of more than two inputs, and a product before its
        bias is added, which torch does apart where the axes of the input do not lie in their order."""
        op, out = each.layer.op, elements(each.layer.output_shape)
        if op.is_join:
            return out if len(each.layer.inputs) > 2 and op.hands_on_gradient and not op.output.keeps_values else 0
        if op.joined_axes is None or op.output.view or len(each.own) < 2:
            return 0
        wide = wide_axes(op, self.where[each.layer.inputs[0]].order, each.input_shapes[0])
        return out if wide != sorted(wide) else 0

    def losses(self) -> Iterator[Event]:
        """Cross-entropy of each output, added up, and their gradients. The outputs are held until all losses are made,
        their log-softmax until its gradient is: that of the last output first."""
        for each in self.outputs:
            yield from self.take(("log-softmax", each.name), self.size_of(each.name))
            yield Change(TEMPORARY, SCALAR_BYTES)  # the loss, which a loop holds to the end of the step
            yield from self.take(("weight of targets", each.name), SCALAR_BYTES)
            yield Moment(each.name, "loss")
            if not each.wanted.any:
                yield from self.free(("weight of targets", each.name))
                yield from self.free(("log-softmax", each.name))
        yield Change(TEMPORARY, SCALAR_BYTES if len(self.outputs) > 1 else 0)  # their sum
        for owner in self.output_owners - self.kept.keepers.keys():
            yield from self.free(owner)
        yield from self.take("gradient of the loss", SCALAR_BYTES)
        for each in reversed(self.outputs):
            if each.wanted.any:
                yield from self.loss_gradient(each)
            yield from self.free(("weight of targets", each.name))
            yield from self.free(("log-softmax", each.name))

    def loss_gradient(self, each: StepLayer) -> Iterator[Event]:
        """The gradient of an output, by way of that of its log-softmax."""
        key, size = ("gradient", each.name), self.size_of(each.name)
        yield from self.take("of the log-softmax", size)
        yield Moment(each.name, "loss")
        yield from self.free(("weight of targets", each.name))
        yield from self.take(key, size)
        yield Moment(each.name, "loss")
        yield from self.free("of the log-softmax")
        self.gradient[each.name] = key
        self.holders[key] = 1

    def backward(self, each: StepLayer) -> Iterator[Event]:
        """A layer takes memory for its gradients, then gives back what it kept and the gradient of its output."""
        if not each.wanted.any:
            return
        above = self.gradient.pop(each.name)
        made, in_other_shapes = yield from self.input_gradients(each, above)
        again = yield from self.tensor_gradients(each)
        workspace = each.layer.op.backward_workspace(*each.input_shapes) * self.bytes_of["activations"]
        yield from self.take("temporary", again + workspace)
        yield Moment(each.name, "backward")
        yield from self.free("temporary")
        if len(made) > 1:  # one kernel does both, and holds what it reads
            yield from self.reduce(each, in_other_shapes)
        yield from self.free(("extra", each.name))
        for owner in self.keeps.get(each.name, ()):
            self.kept.keepers[owner].discard(each.name)
            if not self.kept.keepers[owner] and owner not in self.inputs:
                yield from self.free(owner)
        yield from self.release(above)
        if len(made) == 1:
            yield from self.reduce(each, in_other_shapes)
        for source, key in made:
            yield from self.accumulate(source, key)

    def input_gradients(self, each: StepLayer, above: Any) -> Generator[Event, None, tuple[Gradients, dict[Any, Size]]]:
        """Takes memory for the gradients of inputs, but where that of the output serves. Returns their keys, each with
        the layer that wrote the input, and the sizes of those that are made in another shape first."""
        made: Gradients = []
        in_other_shapes: dict[Any, Size] = {}
        for i, (source, wants) in enumerate(zip(each.layer.inputs, each.wanted.inputs)):
            if not wants:
                continue
            if hands_on(each, i):
                self.holders[above] += 1
                made.append((source, above))
                continue
            key = ("gradient", source, each.name, i)
            size = elements(each.input_shapes[i]) * self.bytes_of["activations"]
            shape = each.layer.op.gradient_shape(i, each.input_shapes, each.layer.output_shape)
            if shape is None:
                yield from self.take(key, size)
            else:
                in_other_shapes[key] = size
                yield from self.take(("first", key), elements(shape) * self.bytes_of["activations"])
            self.holders[key] = 1
            made.append((source, key))
        return made, in_other_shapes

    def tensor_gradients(self, each: StepLayer) -> Generator[Event, None, Size]:
        """Takes memory for the gradients of a layer's tensors. Returns the size of those that are added to one that a
        layer with the same tensors has made."""
        again: Size = 0
        for tensor in each.layer.op.weights(*each.input_shapes):
            if tensor.name not in each.wanted.tensors:
                continue
            owner = each.name if tensor in each.own else each.layer.shares
            size = elements(tensor.shape) * self.bytes_of["weights"]
            if ("of", owner, tensor.name) in self.held:
                again = again + size
            else:
                yield from self.take(("of", owner, tensor.name), size, GRADIENTS)
        return again

    def reduce(self, each: StepLayer, first: Mapping[Any, Size]) -> Iterator[Event]:
        """Gradients that were made in another shape become those of the inputs."""
        for key, size in first.items():
            yield from self.take(key, size)
            yield Moment(each.name, "backward")
            yield from self.free(("first", key))

    def release(self, key: Any) -> Iterator[Event]:
        """One layer less waits for this gradient."""
        self.holders[key] -= 1
        if not self.holders[key]:
            yield from self.free(key)

    def accumulate(self, source: Any, key: Any) -> Iterator[Event]:
        """A gradient arrives at an output; a second one is added to the first: in place, if nothing else needs that."""
        if source not in self.gradient:
            self.gradient[source] = key
            return
        first = self.gradient[source]
        if self.adds_in_place and self.holders[first] == 1:
            yield from self.release(key)
            return
        both = ("sum", source, first, key)
        yield from self.take(both, elements(self.by_name[source].layer.output_shape) * self.bytes_of["activations"])
        self.holders[both] = 1
        yield Moment(source, "backward")
        yield from self.release(first)
        yield from self.release(key)
        self.gradient[source] = both

    def update(self) -> Iterator[Event]:
        """Each trained tensor in turn; the last temporary of one is there until the next has its own."""
        before: Size = 0
        for each in self.layers:
            for tensor in each.own:
                if tensor.name in each.wanted.tensors and self.optimizer.temporaries:
                    size = elements(tensor.shape) * self.bytes_of["weights"]
                    yield Change(TEMPORARY, self.optimizer.temporaries * size)
                    yield Moment(each.name, "update")
                    yield Change(TEMPORARY, -before - (self.optimizer.temporaries - 1) * size)
                    before = size


def targets(output: Shape) -> Size:
    """How many targets cross-entropy takes for an output (n, classes, …)."""
    return exact_div(elements(output), output[1]) if len(output) > 1 else elements(output)


def hands_on(each: StepLayer, i: int) -> bool:
    """Does the gradient of an input lie in the memory of the output's? That of one that was stretched is a sum."""
    op, out = each.layer.op, each.layer.output_shape
    if not op.hands_on_gradient or op.output.keeps_values:
        return bool(op.hands_on_gradient)
    return decided(same_shape(each.input_shapes[i], out), f"whether {each.name} stretches an input")
