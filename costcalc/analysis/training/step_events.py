"""What a training step takes and gives back: forward pass, loss, backward pass and update, as torch does on a CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
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
)
from costcalc.dims import Size, elements
from costcalc.graph import first_row
from costcalc.ops.gradients import INDEX_BYTES
from costcalc.ops.rules import Tensor
from costcalc.train_step import SCALAR_BYTES


class Part(NamedTuple):
    """A part of a step, and the row of depth 1 that it passes through."""

    name: str
    row: str = ""


class StepEvents(BackwardEvents):
    """The events of a step, in their order."""

    def events(self) -> list[Event]:
        """The step from its inputs to the update of the weights."""
        for _, run in self._order():
            run()
        return self.timeline

    def parts(self) -> Iterator[tuple[Part, list[Event]]]:
        """The events of each part of the step: a pass forward or backward through each row of depth 1, and the loss,
        the casts and the update between them."""
        for part, run in self._order():
            begin = len(self.timeline)
            run()
            yield part, self.timeline[begin:]

    def _order(self) -> Iterator[tuple[Part, Callable[[], None]]]:
        """The parts, with what makes their events."""
        yield Part("throughout"), self.throughout
        rows = [[*layers] for _, layers in groupby(enumerate(self.layers), lambda pair: first_row(pair[1].layer.row))]
        for row in rows:
            yield Part("forward", first_row(row[0][1].layer.row)), partial(self.forward_of_row, row)
        yield Part("loss"), self.losses
        yield Part("casts"), self.forget_casts
        yield Part("loss gradients"), self.loss_gradients
        for row in reversed(rows):
            layers = [each for _, each in row]
            yield Part("backward", first_row(layers[0].layer.row)), partial(self.backward_of_row, layers)
        yield Part("update"), self.update

    def forward_of_row(self, row: Sequence[tuple[int, StepLayer]]) -> None:
        """The forward pass of consecutive layers, with their places in the network."""
        before = None
        for i, each in row:
            self.between(before, each)
            self.forward(i, each)
            before = each
        self.between(before, None)

    def backward_of_row(self, row: Sequence[StepLayer]) -> None:
        """The backward pass of consecutive layers. A checkpointed row is computed again before the first gradient that
        needs a tensor of it."""
        after, computed_again = None, False
        for each in reversed(row):
            self.between(after, each)
            if each.segment and not computed_again and self.kept.saves(each):
                computed_again = True
                self.again(each.segment)
            self.backward(each)
            after = each
        self.between(after, None)

    def throughout(self) -> None:
        """Memory held from start to end: weights, buffers, what the optimizer keeps, inputs and targets."""
        for each in self.layers:
            copies, width = each.layer.copies, self.bytes_of_weights
            for tensor in each.own:
                size = copies * (elements(tensor.shape) * width)
                self.timeline.append(Change(BUFFERS if tensor.role == "buffer" else WEIGHTS, size))
                if tensor.name in each.wanted.tensors:
                    steps = SCALAR_BYTES * copies * self.optimizer.counts_steps
                    self.timeline.append(Change(OPTIMIZER, size * self.optimizer.copies + steps))
            if any(tensor.name == "running_mean" for tensor in each.own):
                self.timeline.append(Change(BUFFERS, INDEX_BYTES * copies))  # torch counts batches
            if each.name in self.inputs:
                self.timeline.append(Change(DATA, self.size_of(each.name)))
        for each in self.outputs:
            self.timeline.append(Change(DATA, INDEX_BYTES * targets(each.layer.output_shape)))

    def update(self) -> None:
        """Updates each trained tensor in turn; its last temporary is held until the next tensor has its own."""
        self.free("gradient of the loss")
        before: Size = 0
        trained = [(each, one) for each in self.layers for one in each.own if one.name in each.wanted.tensors]
        for each, tensor in sorted(trained, key=_position) if self.optimizer.temporaries else ():
            size = elements(tensor.shape) * self.bytes_of_weights
            self.timeline.append(Change(TEMPORARY, self.optimizer.temporaries * size))
            self.moment(each.name, "update")
            self.timeline.append(Change(TEMPORARY, -before - (self.optimizer.temporaries - 1) * size))
            before = size


def _position(trained: tuple[StepLayer, Tensor]) -> int:
    """The position of a tensor among the parameters of an imported module. Layers of specs keep their order."""
    each, tensor = trained
    return each.layer.parameter_order.get(tensor.name, 0)
