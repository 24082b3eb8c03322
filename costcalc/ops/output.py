"""How the output of an op uses memory. Every op says how.

    output = VIEW                                     its first input under another shape: nothing is written
    output = copied(overwritable=…)                   elements of its inputs, unchanged, in memory of its own
    output = computed(inplace=…, overwritable=…)      elements of its own

inplace         True if it may be written over an input of its shape, as with torch's `inplace=True`
overwritable    True if the op that reads it may write over it. False if gradients are made from it, as those of ReLU
                are. False is always safe: it costs memory, and no wrong result.

Which layers of a network then write over an input: analysis/inplace.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Output(NamedTuple):
    """How an op's output uses memory."""

    view: bool
    keeps_values: bool  # its elements are those of the inputs: an index stays an index
    inplace: bool
    overwritable: bool


class OutputByFields:
    """The output of an op whose fields decide; of the class, `default`."""

    def __init__(self, default: Output, of_op: Callable[[Any], Output]):
        self.default, self.of_op = default, of_op

    def __get__(self, op: Any, cls: type[Any]) -> Output:
        return self.default if op is None else self.of_op(op)


VIEW = Output(view=True, keeps_values=True, inplace=False, overwritable=False)
CHOICES = "VIEW, copied(overwritable=…) or computed(inplace=…, overwritable=…) of costcalc.ops"


def copied(*, overwritable: bool) -> Output:
    """Elements of the inputs in memory of the op's own."""
    return Output(view=False, keeps_values=True, inplace=False, overwritable=overwritable)


def computed(*, inplace: bool, overwritable: bool) -> Output:
    """Elements that the op computes."""
    return Output(view=False, keeps_values=False, inplace=inplace, overwritable=overwritable)
