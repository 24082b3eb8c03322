"""The shapes of an ONNX file's inputs, and knobs for the sizes that it leaves open."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from costcalc.errors import CostcalcError, Place, UsageError, did_you_mean, shorten
from costcalc.expressions import Expression, parse
from costcalc.importers.onnx_files.onnx_record import Dim, OnnxRecord
from costcalc.models.knob import RESERVED_KNOBS, Knob

Given = tuple[Sequence[Any], Mapping[str, Any]]  # shapes of inputs, in order and by name
SizeOfInput = int | str | Expression  # a number, the name of a knob, or what follows from knobs
Shapes = dict[str, tuple[SizeOfInput, ...]]
BATCH = "batch"  # the name of a first axis that has none
IMAGE, VOLUME, LENGTH, CHANNELS = 224, 32, 128, 3  # what is chosen where the file says nothing
NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def open_sizes(record: OnnxRecord, given: Given) -> tuple[Shapes, dict[str, Knob]]:
    """The shapes of the inputs, and a knob for each size that they leave open. `given` shapes are their defaults.

    Raises UsageError for an open size that has neither a name nor a value, and for a shape that does not fit.
    """
    values = values_of_sizes(record, shapes_by_name(record, given))
    names: dict[str, str] = {}  # of knobs, by the text of the file
    knobs: dict[str, Knob] = {}
    for text, said, axis in open_axes(record):
        if text and (axis == 0 or text not in names) and not is_sum(text, record):
            name = names.setdefault(text, knob_name(text, names.values()))
            about = "examples at once" if text == BATCH else f"size {shorten(text)!r} of the file"
            knobs[name] = Knob(name, values.get(text) or default_of(said, axis), about=about)
    shapes = {
        name: tuple(size_of(record, name, axis, names, values) for axis in range(len(said)))
        for name, said in record.inputs.items()
    }
    return shapes, knobs


def open_axes(record: OnnxRecord) -> Iterator[tuple[str, tuple[Dim, ...], int]]:
    """The texts of open sizes, each with the shape in which it stands, and where. A first axis without one is a
    batch."""
    for said in record.inputs.values():
        for axis, size in enumerate(said):
            if isinstance(size, str):
                yield size or (BATCH if axis == 0 else ""), said, axis


def is_sum(text: str, record: OnnxRecord) -> bool:
    """Is an open size computed from others, as `past_length + length` is?"""
    return expression_of(text, {other for other, _, _ in open_axes(record) if NAME.fullmatch(other)}) is not None


def expression_of(text: str, names: Collection[str]) -> Expression | None:
    """A size as an expression in others; None if it is none."""
    if NAME.fullmatch(text) or len(text) > 1000:
        return None
    try:
        found = parse(text, Place("", 1, 1))
    except CostcalcError:
        return None
    return found if found.names and found.names <= {*names} - {*RESERVED_KNOBS} else None


def size_of(
    record: OnnxRecord, name: str, axis: int, names: Mapping[str, str], values: Mapping[Any, int]
) -> SizeOfInput:
    """The size of an axis of an input."""
    said = record.inputs[name]
    size = said[axis]
    if isinstance(size, int):
        return size
    text = size or (BATCH if axis == 0 else "")
    if text in names:
        return names[text]
    found = expression_of(text, names)
    if found is not None:
        return found
    if (name, axis) in values:
        return values[name, axis]
    shown = ",".join(str(n) or "?" for n in said)
    hint = f"give its shape, as in --input {shorten(name)}={','.join(['1'] * len(said))}"
    raise UsageError(f"{record.name} leaves axis {axis} of its input {shorten(name)!r} open: {shown}", hint)


def values_of_sizes(record: OnnxRecord, shapes: Mapping[str, tuple[int, ...]]) -> dict[Any, int]:
    """The value of each open size in shapes that are given: by its text, without one by input and axis. Raises
    UsageError for one with two values."""
    found: dict[Any, int] = {}
    for name, shape in shapes.items():
        for axis, (value, said) in enumerate(zip(shape, record.inputs[name])):
            if isinstance(said, str):
                key = said or (BATCH if axis == 0 else (name, axis))
                if found.setdefault(key, value) != value:
                    raise UsageError(
                        f"{record.name}: {said or BATCH!r} is {found[key]} and {value} in the given shapes"
                    )
    return found


def shapes_by_name(record: OnnxRecord, given: Given) -> dict[str, tuple[int, ...]]:
    """The shapes that are given for inputs. Raises UsageError for one that the file has not, or that does not fit."""
    names = [*record.inputs]
    listed, named = given
    if len(listed) > len(names):
        raise UsageError(f"{record.name} has {len(names)} inputs, {', '.join(map(shorten, names))}; got {len(listed)}")
    found = {}
    for name, value in {**dict(zip(names, listed)), **named}.items():
        if name not in record.inputs:
            raise UsageError(f"{record.name} has no input {shorten(name)!r}", did_you_mean(name, names))
        shape, said = tuple(getattr(value, "shape", value)), record.inputs[name]
        if len(said) != len(shape) or any(isinstance(b, int) and a != b for a, b in zip(shape, said)):
            theirs, ours = (",".join(str(size) or "?" for size in sizes) for sizes in (said, shape))
            raise UsageError(f"the input {shorten(name)!r} of {record.name} has the shape {theirs}, got {ours}")
        found[name] = shape
    return found


def knob_name(said: str, taken: Collection[str]) -> str:
    """A name of the file as that of a knob: a letter, then letters, digits and underscores."""
    name = re.sub(r"\W", "_", said, flags=re.ASCII)[:64]
    name = name if NAME.fullmatch(name) else f"size_{name}"
    while name in RESERVED_KNOBS or name in taken:
        name = f"{name}_"
    return name


def default_of(said: tuple[Dim, ...], axis: int) -> int:
    """One example; images and volumes of a usual size, sequences of a usual length."""
    rank = len(said)
    if axis == 0:
        return 1
    if rank in (4, 5) and axis == 1:
        return CHANNELS
    is_image = rank > 3 and all(isinstance(size, str) for size in said[2:])
    return {4: IMAGE, 5: VOLUME}.get(rank, LENGTH) if is_image else LENGTH
