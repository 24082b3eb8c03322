"""Ops of costcalc in ONNX files that costcalc wrote: nodes of the domain `costcalc`, whose attributes are fields."""

from __future__ import annotations

import ast
from typing import Any

from costcalc.errors import ShapeError
from costcalc.importers.onnx_files.onnx_values import Asked, Made, Translation, one
from costcalc.ops import OPS, field_kinds

DOMAIN = "costcalc"


def of_class(cls: Any) -> Translation:
    """The op of a class: its fields are attributes, and its own tensors stand behind what it reads."""
    kinds = field_kinds(cls)

    def translated(asked: Asked) -> Made:
        given = {key: value for key, value in asked.node.attributes.items() if key in kinds}
        op = cls(**{key: field_of(asked, kinds[key].name, value) for key, value in given.items()})
        inputs = [value for value in asked.inputs if value is not None]
        first = inputs if cls.arity is None else inputs[: cls.arity]
        names = [tensor.name for tensor in op.weights(*(value.shape for value in first))]
        ins = inputs if cls.arity is None else inputs[: max(cls.arity, len(inputs) - len(names))]
        own = dict(zip(names, inputs[len(ins) :]))
        asked.need(len(own) == len(names) and all(map(asked.owns, own.values())), "it lacks tensors of its own")
        return one(op, *ins, **own)

    return translated


def field_of(asked: Asked, kind: str, value: Any) -> Any:
    """The value of a field: flags are 0 or 1, and rows and lists of no numbers are text."""
    if kind == "flag":
        return bool(value)
    if kind in ("rows", "sizes", "per_axis") and isinstance(value, str) and value.startswith("("):
        try:
            return ast.literal_eval(value)
        except (ValueError, SyntaxError):
            raise ShapeError(f"{asked.node.op} {asked.node.label!r}: an attribute is no list") from None
    return value


OWN_OPS = {f"{DOMAIN}::{cls.__name__}": of_class(cls) for cls in OPS.values() if not cls.is_input}
