"""What a network does when it runs once, as plain data: which op is called with which tensors, in which module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from costcalc.errors import Problem


class Named(NamedTuple):
    """An input by its name in `forward`."""

    name: str
    value: Any


class Tensor(NamedTuple):
    """A tensor of a run: its number, its shape, and its dtype as torch names it."""

    number: int
    shape: tuple[int, ...]
    dtype: str = "float32"


@dataclass(frozen=True)
class Call:
    """A call of an op: its arguments by the names of its schema, tensors among them as `Tensor`s."""

    op: str  # aten::conv2d
    arguments: Mapping[str, Any]
    outputs: tuple[Tensor, ...]
    module: str  # the path of the innermost module that runs
    is_leaf: bool  # has that module no modules of its own?
    tags: frozenset[str] = frozenset()  # torch's: pointwise, reduction, …
    writes: tuple[int, ...] = ()  # the numbers of tensors that it writes over
    views: Mapping[int, int] = field(default_factory=dict)  # outputs, by number, that lie in the memory of an input

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """The tensors among its arguments, those in lists too."""
        return tuple([tensor for value in self.arguments.values() for tensor in tensors_of(value)])


def tensors_of(value: Any) -> Iterator[Tensor]:
    """The tensors of an argument: it is one, or a list of some."""
    if value.__class__ is Tensor:
        yield value
    elif value.__class__ is list or value.__class__ is tuple:
        for one in value:
            if one.__class__ is Tensor:
                yield one


class Learned(NamedTuple):
    """A parameter or buffer: its path, and is it trained?"""

    path: str
    tensor: Tensor
    is_buffer: bool
    trains: bool


class Leniency(NamedTuple):
    """What a reader accepts of a network: ops without a rule as free, and a run that ends where it asks for a value."""

    assume_free: tuple[str, ...] = ()
    until_values: bool = False

    def accepts(self, op: str) -> bool:
        """Is an op without a rule taken as free? `aten::` and a `_` at the end of its name may be left out."""
        return short_name(op) in map(short_name, self.assume_free)


STRICT = Leniency()


def lacks(network: str, op: str, times: int, first: str) -> Problem:
    """The warning about an op that is taken as free: every total lacks it."""
    said = f"totals of {network} lack {op} ×{times}, first in {first or 'the network'!r}"
    return Problem(None, said, "it has no rule, and was assumed to be free", True, op)


def short_name(op: str) -> str:
    """`add` of `aten::add_`."""
    return op.removeprefix("aten::").rstrip("_")


@dataclass(frozen=True)
class Record:
    """A run: its inputs by name, the tensors that modules hold, and the calls in order. A run that ended early says
    where."""

    name: str
    inputs: Mapping[str, Tensor]
    learned: Mapping[int, Learned]  # by the number of the tensor
    calls: tuple[Call, ...]
    outputs: tuple[Tensor, ...]
    lenient: Leniency = STRICT
    stopped: str = ""


CONSTANTS, NOT_REACHED = APART = "constants", "not_reached"  # groups of tensors that no module reads as it runs


class Origin(NamedTuple):
    """What of a module each layer of its graph is."""

    modules: Mapping[str, str]  # the path of the module that runs a layer, by the layer's name
    tensors: Mapping[str, tuple[str, str]]  # the layer whose own a parameter or buffer is, and its name there, by path


def makes_new(op: str) -> bool:
    """Does an op make a tensor of a given value, whatever is in the tensors that it reads?"""
    name = op.removeprefix("aten::")
    return name.startswith("new_") or name.endswith("_like")
