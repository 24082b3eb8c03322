"""What a training step takes and gives back: forward pass, loss, backward pass and update, as torch does on a CPU."""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.analysis.training.backward_events import BackwardEvents
from costcalc.analysis.training.loss_events import targets
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
from costcalc.ops.gradients import INDEX_BYTES
from costcalc.train_step import SCALAR_BYTES


class StepEvents(BackwardEvents):
    """The events of a step, in their order."""

    def events(self) -> Iterator[Event]:
        """The step from its inputs to the update of the weights."""
        yield from self.throughout()
        for i, each in enumerate(self.layers):
            yield from self.between(self.layers[i - 1] if i else None, each)
            yield from self.forward(i, each)
        yield from self.between(self.layers[-1], None)
        yield from self.losses()
        after = None
        computed_again: set[str] = set()
        for each in reversed(self.layers):
            yield from self.between(after, each)
            if each.segment and each.segment not in computed_again and self.kept.saves(each):
                computed_again.add(each.segment)
                yield from self.again(each.segment)
            yield from self.backward(each)
            after = each
        yield from self.between(after, None)
        yield from self.free("gradient of the loss")
        yield from self.update()

    def throughout(self) -> Iterator[Event]:
        """What is held from the start to the end: weights, buffers, what the optimizer keeps, inputs and targets."""
        for each in self.layers:
            copies, width = each.layer.copies, self.bytes_of_weights
            for tensor in each.own:
                size = copies * elements(tensor.shape) * width
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
        """Each trained tensor in turn; the last temporary of one is there until the next has its own."""
        before: Size = 0
        for each in self.layers:
            for tensor in each.own:
                if tensor.name in each.wanted.tensors and self.optimizer.temporaries:
                    size = elements(tensor.shape) * self.bytes_of_weights
                    yield Change(TEMPORARY, self.optimizer.temporaries * size)
                    yield Moment(each.name, "update")
                    yield Change(TEMPORARY, -before - (self.optimizer.temporaries - 1) * size)
                    before = size
