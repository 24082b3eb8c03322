"""A program: the steps of a tape that its results need, done to arrays in the order in which they were noted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

Array = Any  # numpy.ndarray of int64 or of bools
Operation = Callable[..., Any]


class GuardFailed(Exception):
    """Of these numbers a question has another answer than of those that were traced: the rules may turn elsewhere."""


@dataclass(frozen=True)
class Guard:
    """A question about all numbers of an array, and the answer on which the steps after it rest."""

    question: Callable[[Array], Any]
    answer: bool

    def __call__(self, array: Array) -> None:
        """Raises GuardFailed for another answer."""
        if bool(self.question(array)) is not self.answer:
            raise GuardFailed


class Step(NamedTuple):
    """The slot of a result, the operation that makes it of what is in other slots, and those that are read for the last
    time."""

    slot: int
    operation: Operation
    operands: tuple[int, ...]
    done_with: tuple[int, ...] = ()


@dataclass(frozen=True)
class Program:
    """Steps, and in which slots the results are. Inputs have the first slots."""

    steps: Sequence[Step]
    constants: Mapping[int, Any]
    results: Sequence[int]

    @classmethod
    def of(cls, steps: Iterable[Step], constants: Mapping[int, Any], results: Sequence[int]) -> Self:
        """Those of the steps that the results or a guard need."""
        needed, kept = {*results}, []
        for step in reversed([*steps]):
            if step.slot in needed or isinstance(step.operation, Guard):
                kept.append(step._replace(done_with=tuple({*step.operands} - needed - constants.keys())))
                needed.update(step.operands)
        return cls(kept[::-1], {slot: value for slot, value in constants.items() if slot in needed}, results)

    def run(self, *inputs: Array) -> list[Array]:
        """The results for these inputs. Raises GuardFailed where the rules have to be asked."""
        slots = {**dict(enumerate(inputs)), **self.constants}
        for slot, operation, operands, done_with in self.steps:
            slots[slot] = operation(*[slots[i] for i in operands])
            for i in done_with:
                del slots[i]
        return [slots[i] for i in self.results]


def as_words(truths: Array) -> Array:
    """1 for True, 0 for False."""
    return truths.astype(np.int64)
