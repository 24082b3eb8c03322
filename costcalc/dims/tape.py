"""A tape of what is done to the arrays of columns, so that it can be done to others without asking the rules again.

While it is made the arrays are `Tracer`s: each operation on them is noted, and each look at their numbers, on which
rules may turn one way or another, as a guard that others have to pass. Shapes may be others: arrays stretch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from costcalc.dims.bounds import fit
from costcalc.dims.program import Array, Guard, Operation, Program, Step, as_words

MOST_SHARED = 2**14  # numbers of an array that is not made again however long ago it was made


class NotTraceable(Exception):
    """Something was asked of a tracer that no tape can answer for other numbers, or its numbers may leave 64 bits."""


class Tape:
    """Operations in order. Slots are numbered: inputs, constants, results.

    What is there already is not made again, but for large arrays that nobody holds any more: those who run the program
    would have to hold them.
    """

    def __init__(self) -> None:
        self.slots = 0
        self.steps: list[Step] = []
        self.constants: dict[int, Any] = {}
        self._of_number: dict[tuple[type[Any], Any], int] = {}
        self._of_step: dict[tuple[Operation, tuple[int, ...]], int] = {}
        self._tracers: WeakValueDictionary[int, Tracer] = WeakValueDictionary()  # so that equal ones are the same

    def input(self, array: Array) -> Tracer:
        """The next of the arrays that a program is given."""
        return Tracer(self, self._next(), array)

    def trace(self, operation: Operation, *operands: Any) -> Tracer:
        """The operation on arrays or numbers, noted. Raises NotTraceable for a result of objects, not of words."""
        slots = tuple(map(self._slot, operands))
        slot = self._of_step.get((operation, slots))
        if slot is not None and (made := self._tracers.get(slot)) is not None:
            return made
        value = operation(*[x.value if x.__class__ is Tracer else x for x in operands])
        if not isinstance(value, np.ndarray) or value.dtype.hasobject:
            raise NotTraceable
        if slot is None or value.size > MOST_SHARED:
            slot = self._note(operation, slots)
        self._tracers[slot] = made = Tracer(self, slot, value)
        return made

    def guard(self, question: Callable[[Array], Any], tracer: Tracer) -> bool:
        """The answer to a question about all numbers of an array, which has to be the same of others."""
        answer = bool(question(tracer.value))
        self._note(Guard(question, answer), (tracer.slot,))
        return answer

    def program(self, results: Iterable[Any]) -> Program:
        """What makes these of other inputs. Raises NotTraceable as `trace` does."""
        return Program.of(self.steps, self.constants, [*map(self._slot, results)])

    def values(self, results: Iterable[Any]) -> list[Array]:
        """What these are of its own inputs."""
        return [x.value if x.__class__ is Tracer else x for x in results]

    def _note(self, operation: Operation, operands: tuple[int, ...]) -> int:
        """Adds a step. Returns the slot of its result."""
        self._of_step[operation, operands] = slot = self._next()
        self.steps.append(Step(slot, operation, operands))
        return slot

    def _slot(self, x: Any) -> int:
        """Where an operand is."""
        if x.__class__ is Tracer:
            return x.slot
        if isinstance(x, np.ndarray):
            if x.size > 1:  # it may have been made as large as what is traced
                raise NotTraceable
            return self._constant(x)
        key = x.__class__, x
        if key not in self._of_number:
            is_word = x.__class__ is int and fit((x, x))
            # as an array, or numpy would make one at each use
            self._of_number[key] = self._constant(np.array(x, np.int64) if is_word else x)
        return self._of_number[key]

    def _constant(self, value: Any) -> int:
        self.constants[self.slots] = value
        return self._next()

    def _next(self) -> int:
        self.slots += 1
        return self.slots - 1


class Tracer(NDArrayOperatorsMixin):
    """An array whose operations a tape notes. It has of numpy's what columns ask; anything else raises NotTraceable."""

    __slots__ = ("__weakref__", "slot", "tape", "value")

    def __init__(self, tape: Tape, slot: int, value: Array) -> None:
        self.tape, self.slot, self.value = tape, slot, value

    def __array_ufunc__(self, operation: Any, method: str, *operands: Any, **more: Any) -> Tracer:
        if method != "__call__" or more:
            raise NotTraceable
        return self.tape.trace(operation, *operands)

    @property
    def dtype(self) -> Any:
        """Of its numbers."""
        return self.value.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Points along each axis, on which no number depends."""
        return self.value.shape  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """Points."""
        return int(self.value.size)

    @property
    def ndim(self) -> int:
        """How many axes."""
        return int(self.value.ndim)

    def astype(self, kind: Any) -> Tracer:
        """Bools as words. Raises NotTraceable for any other kind."""
        if kind is not np.int64:
            raise NotTraceable
        return self.tape.trace(as_words, self)

    def all(self, *asked: Any, **more: Any) -> bool:
        """Are all True?"""
        return self._guarded(np.all, asked or more)

    def any(self, *asked: Any, **more: Any) -> bool:
        """Is any True?"""
        return self._guarded(np.any, asked or more)

    def one(self) -> Any:
        """The number that all are, which others have to be too; None if they differ."""
        first = self.value.flat[0].item()
        return first if self.tape.guard(partial(_all_are, first), self) else None

    def _guarded(self, question: Callable[[Array], Any], of_some_axis: Any) -> bool:
        if of_some_axis:
            raise NotTraceable
        return self.tape.guard(question, self)

    def tobytes(self) -> bytes:
        """What tells it from others, which is all that those who ask for an array's bytes want to know."""
        return b"slot %d" % self.slot

    def _refused(self, *asked: Any, **more: Any) -> Any:
        raise NotTraceable

    __bool__ = __int__ = __float__ = __complex__ = __index__ = __array__ = _refused
    __len__ = __iter__ = __getitem__ = __contains__ = __divmod__ = __rdivmod__ = _refused

    def __getattr__(self, name: str) -> Any:
        if hasattr(np.ndarray, name):
            raise NotTraceable(name)
        raise AttributeError(name)


def _all_are(number: int, array: Array) -> bool:
    return bool((array == number).all())
