"""What a training step takes and gives back: forward pass, loss, backward pass and update, as torch does on a CPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from typing import NamedTuple

from costcalc.analysis.training.backward_events import BackwardEvents
from costcalc.analysis.training.loss_events import targets
from costcalc.analysis.training.step_layers import StepLayer
from costcalc.analysis.training.timeline import (
    BUFFERS,
    DATA,
    OPTIMIZER,
    TEMPORARY,
    WEIGHTS,
    Change,
    Event,
    Moment,
)
from costcalc.dims import Size, elements
from costcalc.graph import first_row
from costcalc.ops.gradients import INDEX_BYTES
from costcalc.train_step import SCALAR_BYTES


class Part(NamedTuple):
    """A part of a step, and the row of depth 1 that it passes through."""

    name: str
    row: str = ""


class StepEvents(BackwardEvents):
    """The events of a step, in their order."""

    def events(self) -> Iterator[Event]:
        """The step from its inputs to the update of the weights."""
        return chain.from_iterable(events for _, events in self.parts())

    def parts(self) -> Iterator[tuple[Part, Iterator[Event]]]:
        """The step in parts, which must be run in order: a pass forward or backward through each row of depth 1, and
        the loss, the casts and the update between them."""
        yield Part("throughout"), self.throughout()
        rows = [[*layers] for _, layers in groupby(enumerate(self.layers), lambda pair: first_row(pair[1].layer.row))]
        for row in rows:
            yield Part("forward", first_row(row[0][1].layer.row)), self.forward_of_row(row)
        yield Part("loss"), self.losses()
        yield Part("casts"), self.forget_casts()
        yield Part("loss gradients"), self.loss_gradients()
        for row in reversed(rows):
            yield Part("backward", first_row(row[0][1].layer.row)), self.backward_of_row([each for _, each in row])
        yield Part("update"), chain(self.free("gradient of the loss"), self.update())

    def forward_of_row(self, row: Sequence[tuple[int, StepLayer]]) -> Iterator[Event]:
        """The forward pass of consecutive layers, with their places in the network."""
        before = None
        for i, each in row:
            yield from self.between(before, each)
            yield from self.forward(i, each)
            before = each
        yield from self.between(before, None)

    def backward_of_row(self, row: Sequence[StepLayer]) -> Iterator[Event]:
        """The backward pass of consecutive layers. A checkpointed row is computed again before the first gradient that
        needs a tensor of it."""
        after, computed_again = None, False
        for each in reversed(row):
            yield from self.between(after, each)
            if each.segment and not computed_again and self.kept.saves(each):
                computed_again = True
                yield from self.again(each.segment)
            yield from self.backward(each)
            after = each
        yield from self.between(after, None)

    def throughout(self) -> Iterator[Event]:
        """Memory held from start to end: weights, buffers, what the optimizer keeps, inputs and targets."""
        for each in self.layers:
            copies, width = each.layer.copies, self.bytes_of_weights
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

    def update(self) -> Iterator[Event]:
        """Updates each trained tensor in turn; its last temporary is held until the next tensor has its own."""
        before: Size = 0
        for each in self.layers:
            for tensor in each.own:
                if tensor.name in each.wanted.tensors and self.optimizer.temporaries:
                    size = elements(tensor.shape) * self.bytes_of_weights
                    yield Change(TEMPORARY, self.optimizer.temporaries * size)
                    yield Moment(each.name, "update")
                    yield Change(TEMPORARY, -before - (self.optimizer.temporaries - 1) * size)
                    before = size
