"""The values of tensors that follow from constants alone: masks, positions, buffers.

A recorded run computes nothing. Where a module asks for the value of such a tensor, the calls that made it run on the
CPU, in their order, so that control flow is that of the real run. What an input or a parameter leads to has no value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import prod
from typing import Any, NamedTuple

import torch

from costcalc.importers.torch_runs.run_record import Call, Tensor

MAX_ELEMENTS = 1 << 24  # of a tensor whose value is computed
CPU = torch.device("cpu")
INDICES = (torch.int64, torch.int32)
LOOKUPS = ("aten::embedding", "aten::index_select", "aten::index")


def rows_looked_up(op: str, given: Mapping[str, Any]) -> Iterator[tuple[int, Tensor, int]]:
    """What an op looks up: the rows of a table, the indices, and the least of these that is allowed."""
    if op == "aten::embedding":
        yield given["weight"].shape[0], given["indices"], 0
    elif op == "aten::index_select":
        yield given["self"].shape[given["dim"]], given["index"], 0
    elif op == "aten::index":
        for rows, indices in zip(given["self"].shape, given["indices"]):
            if isinstance(indices, Tensor):
                yield rows, indices, -rows


class Step(NamedTuple):
    """A call that follows from constants alone, the memory that it reads, and that it makes or writes."""

    func: Any
    call: Call
    reads: frozenset[int]
    makes: frozenset[int]


class KnownValues:
    """Which memory holds what follows from constants alone, and how its values are made."""

    def __init__(self) -> None:
        self.memory: set[int] = set()  # whose values are known
        self.steps: list[Step] = []  # that have not run
        self.held: dict[int, torch.Tensor] = {}  # buffers, and what Python made, by number; not ours to write over
        self.values: dict[int, torch.Tensor] = {}  # by number

    def hold(self, number: int, memory: int, value: torch.Tensor) -> None:
        """A tensor that has its value without the run."""
        self.memory.add(memory)
        self.held[number] = value

    def note(self, func: Any, call: Call, reads: Iterable[int], makes: Iterable[int], follows: bool) -> None:
        """A call that reads and makes these memories; without `follows` its results are known to none."""
        if follows and self.memory.issuperset(reads):
            self.memory.update(makes)
            self.steps.append(Step(func, call, frozenset(reads), frozenset(makes)))
        elif not self.memory.isdisjoint(makes):
            self.memory.difference_update(makes)

    def prepare(self, memory: set[int]) -> bool:
        """Runs the calls that lead to what these memories hold. False if that is not known, or too large."""
        if not memory <= self.memory:
            return False
        wanted, later, needed = {*memory}, set[int](), []
        for step in reversed(self.steps):
            # what reads a tensor must do so before it is written over
            if not step.makes.isdisjoint(wanted) or not step.reads.isdisjoint(later):
                wanted |= step.reads
                later |= step.makes if step.call.writes else set()
                needed.append(step)
        if any(prod(tensor.shape) > MAX_ELEMENTS for step in needed for tensor in step.call.outputs):
            return False
        for step in reversed(needed):
            made = self.run(step.func, step.call.arguments)
            listed = made if isinstance(made, (tuple, list)) else (made,)
            self.values.update(zip([tensor.number for tensor in step.call.outputs], listed))
        done = {id(step) for step in needed}
        self.steps = [step for step in self.steps if id(step) not in done]
        return True

    def check_lookup(self, call: Any, memory: Mapping[int, int]) -> None:
        """Raises IndexError for a known index that the rows of a table do not have; torch on meta looks at none.
        `memory` is that of each tensor, by number."""
        for rows, indices, least in rows_looked_up(*call):
            if self.memory.isdisjoint({memory[indices.number]}) or not self.prepare({memory[indices.number]}):
                continue
            values = self.real(indices)
            if values.is_meta or not values.numel() or values.dtype not in INDICES:
                continue
            low, high = (int(one) for one in values.aminmax())
            if low < least or high >= rows:
                raise IndexError(f"index out of range: {low if low < least else high} in a table of {rows} rows")

    def run(self, func: Any, arguments: Any) -> Any:
        """Calls an op on values."""
        given = {name: self.real(value) for name, value in arguments.items()}
        if any(one.name == "device" for one in func._schema.arguments):
            given["device"] = CPU
        return func(**given)

    def real(self, value: Any) -> Any:
        """An argument with values in place of tensors, on the CPU. One without a value has its shape alone."""
        if isinstance(value, Tensor):
            if value.number in self.held:
                self.values[value.number] = self.held.pop(value.number).detach().clone()
            if value.number not in self.values:  # of `zeros_like(x)`
                return torch.empty(value.shape, dtype=getattr(torch, value.dtype), device="meta")
            return self.values[value.number]
        if isinstance(value, (tuple, list)):
            return [self.real(one) for one in value]
        return CPU if isinstance(value, torch.device) else value
