"""The values of an ONNX graph, and how an op reads what it is given: attributes became inputs with later versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn

from costcalc.dims import Shape, Truth, elements, equal, is_array
from costcalc.errors import ShapeError
from costcalc.importers.onnx_files.onnx_nodes import FLOATS, OnnxNode, OnnxTensor, exact_number

MAX_ENTRIES = 1024
NO_TENSORS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor: its shape, and the layer that makes it, if one does. Others follow from the file and from sizes alone;
    of them `entries` are the numbers, in row-major order, if they are known and few. `tensor` is the one of the file
    that it is, maybe in another shape or order."""

    shape: Shape
    layer: int | None = None
    entries: tuple[Any, ...] | None = None
    tensor: OnnxTensor | None = None
    is_float: bool = False
    is_constant: bool = False  # of a Constant node: not learned, unless an op has it for its weight

    @property
    def is_known(self) -> bool:
        """Does no layer make it?"""
        return self.layer is None

    @property
    def is_one(self) -> bool:
        """Has it one element?"""
        return equal(elements(self.shape), 1) is True

    @property
    def is_learned(self) -> bool:
        """Is it a tensor of floats that the file stores, and more than a number?"""
        return self.tensor is not None and self.is_float and bool(self.tensor.shape) and not self.is_constant

    def shaped(self, shape: Shape) -> Value:
        """The same elements in the same order under another shape."""
        return replace(self, shape=shape)


def surely(truth: Truth) -> bool:
    """Does it hold, at all points of arrays?"""
    return truth is True or bool(is_array(truth) and truth.all())


def same_sizes(a: Shape, b: Shape) -> bool:
    """Are two shapes known to be equal?"""
    return len(a) == len(b) and all(x is y or surely(equal(x, y)) for x, y in zip(a, b))


def value_of(tensor: OnnxTensor, *, is_constant: bool = False) -> Value:
    """A tensor of the file as a value."""
    few = tensor.entries is not None and len(tensor.entries) <= MAX_ENTRIES
    return Value(
        tensor.shape, entries=tensor.entries if few else None, tensor=tensor, is_float=tensor.dtype in FLOATS,
        is_constant=is_constant,
    )  # fmt: skip


def known(shape: Shape, entries: tuple[Any, ...] | None = None, *, is_float: bool = False) -> Value:
    """A value that is computed from sizes."""
    return Value(tuple(shape), entries=entries, is_float=is_float)


class NodeRefused(ShapeError):
    """A node that has no rule, or cannot work with its inputs: at other sizes it may be valid."""


@dataclass(frozen=True, eq=False)
class Asked:
    """A node with its inputs, and the version of ONNX's operators."""

    node: OnnxNode
    inputs: tuple[Value | None, ...]
    opset: int
    reads_tensors: bool = False  # the tensors of the file are operands, and none is a layer's own

    def refuse(self, why: str) -> NoReturn:
        """Raises NodeRefused about this node."""
        raise NodeRefused(f"{self.node.op} {self.node.label!r}: {why}")

    def given(self, position: int) -> Value | None:
        """An input that may be left out."""
        return self.inputs[position] if position < len(self.inputs) else None

    def input(self, position: int) -> Value:
        """An input that must be there."""
        found = self.given(position)
        if found is None:
            self.refuse(f"it has no input {position}")
        return found

    def owns(self, value: Value | None) -> bool:
        """May a layer have this for its own: a tensor of the file?"""
        return value is not None and value.tensor is not None and not self.reads_tensors

    @property
    def x(self) -> Value:
        """Its first input."""
        return self.input(0)

    @property
    def rank(self) -> int:
        """The axes of its first input."""
        return len(self.x.shape)

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute, of the type of its default if it has one."""
        found = self.node.attributes.get(name, default)
        wanted = (int, float) if isinstance(default, float) else type(default)
        if default is not None and not isinstance(found, wanted):
            self.refuse(f"its attribute {name} is a {type(found).__name__}")
        return found

    def numbers(self, name: str, position: int, default: Any = None) -> tuple[Any, ...] | None:
        """Numbers that are an attribute in some versions and an input in others. Refuses those that are computed."""
        found = self.node.attributes.get(name)
        if found is not None:
            listed = found if isinstance(found, tuple) else (found,)
            if not all(isinstance(one, (int, float)) for one in listed):
                self.refuse(f"its attribute {name} is no list of numbers")
            return tuple(map(exact_number, listed))
        value = self.given(position)
        if value is None or (value.is_known and equal(elements(value.shape), 0) is True):
            return default  # type: ignore[no-any-return]
        if value.entries is None:
            self.refuse(f"its {name} is computed from data, or not in the file")
        return value.entries

    def axes(self, name: str, position: int, rank: int) -> tuple[int, ...] | None:
        """Axes counted from 0. None if they are not given."""
        found = self.numbers(name, position)
        return None if found is None else tuple(self.axis_in(axis, rank) for axis in found)

    def axis(self, default: int, rank: int | None = None, name: str = "axis") -> int:
        """The attribute `axis`, counted from 0."""
        return self.axis_in(self.attribute(name, default), self.rank if rank is None else rank)

    def axis_in(self, axis: Any, rank: int) -> int:
        """An axis counted from 0. Refuses one that does not exist."""
        if not isinstance(axis, int) or not -rank <= axis < rank:
            self.refuse(f"it names axis {axis} of a tensor of {rank} axes")
        return axis % rank

    def need(self, truth: Any, why: str) -> None:
        """Refuses what is false."""
        if not truth:
            self.refuse(why)


class Step(NamedTuple):
    """An op that makes a layer, what it reads, and the tensors that are its own, by their names in the op. It may read
    another step: None is the one before, a number counts from the first."""

    op: Any
    inputs: tuple[Value | int | None, ...]
    own: Mapping[str, Value] = NO_TENSORS


class Made(NamedTuple):
    """The layers of a node, one after the other. `others` are the shapes of its further outputs: views."""

    steps: tuple[Step, ...]
    others: tuple[Shape, ...] = ()


def own(**tensors: Value | None) -> dict[str, Value]:
    """The tensors that are given."""
    return {name: value for name, value in tensors.items() if value is not None}


def along_channels(value: Value | None, axes: int) -> tuple[Value, ...]:
    """A number for each channel, to stretch over so many axes after it."""
    if value is None:
        return ()
    return (value.shaped((*value.shape, *[1] * axes)) if len(value.shape) == 1 else value,)


def one(op: Any, *inputs: Value | None, **own: Value) -> Made:
    """One layer."""
    return Made((Step(op, inputs, own),))


Translation = Callable[[Asked], Made | Value]
