"""Facts about a training step before it runs: which layers read and keep each tensor; and the memory that it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from itertools import takewhile
from typing import Any

from costcalc.analysis.training.kept import Keepers, KeptTensors, Segment
from costcalc.analysis.training.step_layers import StepLayer, returned
from costcalc.analysis.training.timeline import Begin, End, HeldMemory
from costcalc.dtype import Dtype
from costcalc.train_step import Optimizer


class StepMemory(HeldMemory):
    """The layers of a step, facts about them, and the memory that is held, by key."""

    def __init__(self, layers: Sequence[StepLayer], dtype: Dtype, optimizer: Optimizer, *, adds_in_place: bool = True):
        super().__init__()
        self.layers, self.dtype, self.optimizer, self.adds_in_place = layers, dtype, optimizer, adds_in_place
        self.kept = KeptTensors(layers, dtype)
        self.bytes_of_weights = dtype.scale("weights")
        self.where, self.widths, self.size_of = self.kept.where, self.kept.widths, self.kept.size_of
        self.inputs = {each.name for each in layers if each.layer.op.is_input}
        leaving = returned([each.layer for each in layers])
        self.outputs = [each for each in layers if each.name in leaving]
        self.output_owners = {self.where[each.name].owner for each in self.outputs}
        self.stays = self.inputs | self.output_owners  # longer than the forward pass
        self.last_use = self.last_uses(layers)
        self.keeps, self.keeps_again = by_keeper(self.kept.keepers), by_keeper(self.kept.again)
        self.holders: Counter[Any] = Counter()  # of gradients: how many layers wait for this memory
        self.gradient: dict[Any, Any] = {}  # the key of the memory that holds the gradient of an output

    def last_uses(self, layers: Sequence[StepLayer]) -> dict[Any, int]:
        """The index of the last of these layers that reads or writes each memory, by its owner."""
        return {self.where[name].owner: i for i, each in enumerate(layers) for name in (each.name, *each.layer.inputs)}

    @cached_property
    def first_savers(self) -> dict[str, Any]:
        """The first layer of each checkpointed segment that keeps anything: its gradients are the segment's last."""
        savers = [each for each in self.layers if each.segment and self.kept.saves(each)]
        return {each.segment: each.name for each in reversed(savers) if each.segment}

    def between(self, before: StepLayer | None, after: StepLayer | None) -> None:
        """The ends of the bodies that the step leaves from one layer to the next, and the starts of those it enters."""
        left, entered = (each.layer.blocks if each else () for each in (before, after))
        if left == entered:
            return
        common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, entered)))
        self.timeline.extend(End() for _ in left[common:])
        self.timeline.extend(Begin(block.copies) for block in entered[common:])

    def give_back(self, keepers: Keepers, kept: Sequence[Any], by: Any, again: bool = False) -> None:
        """A layer or segment no longer keeps these outputs; what nothing else keeps is freed."""
        for owner in kept:
            keepers[owner].discard(by)
            if not keepers[owner] and owner not in self.inputs:
                self.free(memory_key(owner, again))

    def give_back_kept(self, each: StepLayer) -> None:
        """Frees what a layer kept, once its gradients are made; after the last layer of a segment also its inputs."""
        self.free(("extra", each.name))
        self.give_back(self.kept.keepers, self.keeps.get(each.name, ()), each.name)
        if each.segment is None:
            return
        self.give_back(self.kept.again, self.keeps_again.get(each.name, ()), each.name, again=True)
        if self.first_savers.get(each.segment) == each.name:
            segment = Segment(each.segment)
            self.give_back(self.kept.keepers, self.keeps.get(segment, ()), segment)


def by_keeper(keepers: Keepers) -> dict[Any, list[Any]]:
    """The outputs that each layer or segment keeps, by their owner."""
    found: dict[Any, list[Any]] = {}
    for owner, names in keepers.items():
        for name in names:
            found.setdefault(name, []).append(owner)
    return found


def memory_key(owner: Any, again: bool) -> Any:
    """The key of an output: a layer of a checkpointed segment writes it twice."""
    return ("again", owner) if again else owner
