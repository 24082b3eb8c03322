"""What a network does when it runs once, as plain data: which op is called with which tensors, in which module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


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

    @property
    def tensors(self) -> Iterator[Tensor]:
        """The tensors among its arguments, those in lists too."""
        for value in self.arguments.values():
            listed = isinstance(value, (tuple, list)) and not isinstance(value, Tensor)
            yield from (one for one in (value if listed else (value,)) if isinstance(one, Tensor))


class Learned(NamedTuple):
    """A parameter or buffer: its path, and is it trained?"""

    path: str
    tensor: Tensor
    is_buffer: bool
    trains: bool


@dataclass(frozen=True)
class Record:
    """A run: its inputs by name, the tensors that modules hold, and the calls in order."""

    name: str
    inputs: Mapping[str, Tensor]
    learned: Mapping[int, Learned]  # by the number of the tensor
    calls: tuple[Call, ...]
    outputs: tuple[Tensor, ...]


class Origin(NamedTuple):
    """What of a module each layer of its graph is."""

    modules: Mapping[str, str]  # the path of the module that runs a layer, by the layer's name
    tensors: Mapping[str, tuple[str, str]]  # the layer whose own a parameter or buffer is, and its name there, by path
