"""A tape of what is done to the arrays of columns, so that it can be done to others without asking the rules again.

While it is made the arrays are `Tracer`s: each operation on them is noted, and each look at their numbers, on which
rules may turn one way or another, as a guard that others have to pass. Shapes may be others: arrays stretch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from costcalc.dims.bounds import fit
from costcalc.dims.program import Guard, Operation, Program, Step, as_words

Array = Any  # numpy.ndarray of int64 or of bools


class NotTraceable(Exception):
    """Something was asked of a tracer that no tape can answer for other numbers, or its numbers leave 64 bits."""


class Tape:
    """Operations in order, each once however often it is asked for. Slots are numbered: inputs, constants, results."""

    def __init__(self) -> None:
        self.slots = 0
        self.steps: list[Step] = []
        self.constants: dict[int, Any] = {}
        self._known: dict[Any, int] = {}
        self._tracers: WeakValueDictionary[int, Tracer] = WeakValueDictionary()  # so that equal ones are the same

    def input(self, array: Array) -> Tracer:
        """The next of the arrays that a program is given."""
        return Tracer(self, self._next(), array)

    def trace(self, operation: Operation, *operands: Any) -> Tracer:
        """The operation on arrays or numbers, noted. Raises NotTraceable for one that may leave 64 bits."""
        slot = self._result(operation, *map(self._slot, operands))
        if (known := self._tracers.get(slot)) is not None:
            return known
        value = operation(*[x.value if x.__class__ is Tracer else x for x in operands])
        if value.dtype.hasobject:
            raise NotTraceable
        self._tracers[slot] = made = Tracer(self, slot, value)
        return made

    def guard(self, question: Callable[[Array], Any], tracer: Tracer) -> bool:
        """The answer to a question about all numbers of an array, which has to be the same of others."""
        answer = bool(question(tracer.value))
        self._result(Guard(question, answer), tracer.slot)
        return answer

    def program(self, results: Iterable[Any]) -> Program:
        """What makes these of other inputs. Raises NotTraceable as `trace` does."""
        return Program.of(self.steps, self.constants, [*map(self._slot, results)])

    def _result(self, operation: Operation, *operands: int) -> int:
        """Where the result of an operation on what is in these slots is."""
        key = operation, operands
        if key not in self._known:
            self._known[key] = slot = self._next()
            self.steps.append(Step(slot, operation, operands))
        return self._known[key]

    def _slot(self, x: Any) -> int:
        """Where an operand is."""
        if x.__class__ is Tracer:
            return x.slot
        if isinstance(x, np.ndarray):
            if x.size > 1:  # it may have been made as large as what is traced
                raise NotTraceable
            return self._constant(x)
        key = x.__class__, x
        if key not in self._known:
            is_word = x.__class__ is int and fit((x, x))
            self._known[key] = self._constant(np.array(x, np.int64) if is_word else x)  # else numpy does at each use
        return self._known[key]

    def _constant(self, value: Any) -> int:
        self.constants[self.slots] = value
        return self._next()

    def _next(self) -> int:
        self.slots += 1
        return self.slots - 1


class Tracer(NDArrayOperatorsMixin):
    """An array whose operations a tape notes. It has of numpy's what columns ask, and answers nothing else."""

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
        """Points along each axis; rules do not turn on it."""
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

    def all(self) -> bool:
        """Are all True?"""
        return self.tape.guard(np.all, self)

    def any(self) -> bool:
        """Is any True?"""
        return self.tape.guard(np.any, self)

    def tobytes(self) -> bytes:
        """What tells it from arrays that others of other numbers may differ from."""
        return b"slot %d" % self.slot

    def __bool__(self) -> bool:
        raise NotTraceable

    def __getattr__(self, name: str) -> Any:
        if hasattr(np.ndarray, name):
            raise NotTraceable(name)
        raise AttributeError(name)
