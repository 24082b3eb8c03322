"""Layers that are probably not meant: they take positions for features, or features for positions.

In torch most of these are an error of shapes, because its layers are told the sizes of their inputs. costcalc derives
them, so `linear` on an image that was not flattened is a valid network. Each op states the roles of the axes of its
input and output (ops/axis_roles.py). A layer is suspect if a tensor has other roles than the layer that reads it takes,
unless its node says `meant`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from costcalc.analysis.op_answers import learned_tensors
from costcalc.analysis.walk import Row, channels_first_hint
from costcalc.dims import Shape, Size, is_array, is_rational, prod
from costcalc.errors import Place, Problem
from costcalc.ops.axis_roles import BATCH, FEATURES, POSITION, AxisRoles, unknown_roles


class Finding(NamedTuple):
    """The end of a warning, after the name of the layer; and its hint."""

    message: str
    hint: str


def suspects(rows: Iterable[Row]) -> tuple[Problem, ...]:
    """A warning for each suspect layer; one for all layers of a line of a spec."""
    found: dict[Place | str, Problem] = {}
    more: dict[Place | str, int] = {}
    for row, finding in _Roles().findings(rows):
        key = row.place or str(row.name)
        more[key] = more.get(key, -1) + 1
        meant = "meant: true" if row.place else "meant=True"
        hint = f"{finding.hint}; or say that it is meant, with {meant}"
        message = f"layer {str(row.name)!r} ({row.op.name}) {finding.message}"
        found.setdefault(key, Problem(row.place, message, hint, True, str(row.name)))
    return tuple([_with_others(problem, more[key]) for key, problem in found.items()])


def _with_others(problem: Problem, others: int) -> Problem:
    if not others:
        return problem
    return replace(problem, message=f"{problem.message} (and so do {others:,} other layers of this line)")


class _Roles:
    """Follows the roles of axes from row to row."""

    def __init__(self) -> None:
        self.known: dict[Any, AxisRoles] = {}  # by the layer that made the tensor
        self.inputs: set[Any] = set()  # of the network

    def findings(self, rows: Iterable[Row]) -> Iterator[tuple[Row, Finding]]:
        """Suspect rows; of several that read one tensor so, the first."""
        for row in rows:
            known = tuple(self.roles_of(source, shape) for source, shape in zip(row.inputs, row.input_shapes))
            finding = self.finding(row, known[0]) if known else None
            ins, out = row.input_shapes, row.output_shape
            roles = row.op.axis_roles(known, ins, out)
            if finding and roles == known[0]:  # a norm passes them on: its readers would be suspect again
                roles = unknown_roles(out)
            if finding:
                self.known[row.inputs[0]] = unknown_roles(ins[0])
                if not row.meant:
                    yield row, finding
            self.known[row.name] = roles
            if row.op.is_input:
                self.inputs.add(row.name)

    def roles_of(self, source: Any, shape: Shape) -> AxisRoles:
        """The roles of the axes of a layer's output."""
        roles = self.known.get(source)
        return roles if roles is not None and len(roles) == len(shape) else unknown_roles(shape)

    def finding(self, row: Row, roles: AxisRoles) -> Finding | None:
        """The finding about a layer that reads a tensor with these roles."""
        op = row.op
        if BATCH in roles and op.output.view and len(row.output_shape) < len(roles):
            return _joining_the_batch(row)
        if op.features_axis == -1:
            return _along_positions(row, roles)
        if op.features_axis == 1:
            return _across_positions(row, roles, row.inputs[0] in self.inputs)
        if op.positions_axis == -2:
            return _among_heads(row, roles)
        return None


def _along_positions(row: Row, roles: AxisRoles) -> Finding | None:
    """linear, layer_norm, lstm …: the last axis has positions, and one before it the features."""
    if roles[-1] != POSITION or FEATURES not in roles[1:-1]:
        return None
    shape, at = row.input_shapes[0], roles.index(FEATURES)
    what = "channels" if at == 1 and len(shape) > 3 else "features"
    axis = f"the last axis of {_text(shape)}, {_many(shape[-1], 'positions')}"
    message = f"runs along {axis}, not along {_many(shape[at], what)}"
    if what == "channels" and row.op.takes_flat:
        return Finding(f"{message}{_params_text(row)}", "put `flatten` or `global_average_pool` before it")
    order = [*(i for i in range(len(shape)) if i != at), at]
    return Finding(message, f"`transpose: {order}` before it makes the {what} the last axis")


def _across_positions(row: Row, roles: AxisRoles, is_input: bool) -> Finding | None:
    """conv, pooling, batch_norm …: axis 1 has positions or a batch, and an axis behind it the features."""
    shape, op = row.input_shapes[0], row.op
    any_rank, slides = getattr(op, "rank", None) is None, hasattr(op, "kernel")
    if roles[1:] == (POSITION, POSITION) and any_rank and slides and is_input:
        message = f"takes {_many(shape[1], 'rows')} of {_text(shape)} for channels, and slides along one axis"
        return Finding(message, f"a grey image is `input: [1, {_list(shape[1:])}]`")
    if FEATURES not in roles[2:] or roles[1] not in (POSITION, BATCH):
        return None
    if roles[1] == POSITION and is_rational(shape[1]) and shape[1] == 1:  # slid along features on purpose, as in ECA
        return None
    if roles[1] == BATCH:
        if not any_rank:
            return None
        message = f"takes axis 1 of {_text(shape)} for channels, and slides along the {len(shape) - 2} axes behind it"
        return Finding(message, _without_batch(shape))
    at = roles.index(FEATURES)
    message = (
        f"takes {_many(shape[1], 'positions')} of {_text(shape)} for channels, and "
        f"{_many(shape[at], 'features')} for positions"
    )
    order = [0, at, *(i for i in range(1, len(shape)) if i != at)]
    if is_input:
        return Finding(message, channels_first_hint(_list([shape[i] for i in order[1:]])))
    return Finding(message, f"`transpose: {order}` before it makes the features axis 1")


def _joining_the_batch(row: Row) -> Finding | None:
    """flatten, reshape: a batch in the input becomes features; harmless if it is 1."""
    shape = row.input_shapes[0]
    if is_rational(shape[1]) and shape[1] == 1:
        return None
    message = f"makes features of axis 1 of {_text(shape)}, which is a batch"
    return Finding(message, _without_batch(shape))


def _without_batch(shape: Shape) -> str:
    return f"the batch is put in front of an input: write `input: [{_list(shape[2:])}]`"


def _among_heads(row: Row, roles: AxisRoles) -> Finding | None:
    """Attention: the axis before the width has heads, not positions."""
    if roles[-2:] != (FEATURES, FEATURES) or POSITION not in roles[1:-2]:
        return None
    shape, at = row.input_shapes[0], roles.index(POSITION)
    message = f"attends among {_many(shape[-2], 'heads')} of {_text(shape)}, at each of {_many(shape[at], 'positions')}"
    order = [*range(len(shape))]
    order[at], order[-2] = order[-2], order[at]
    return Finding(message, f"`transpose: {order}` of q, k and v before it makes the heads an axis of their own")


def _params_text(row: Row) -> str:
    """The params of the layer, and those that it would have with a flat input."""
    x = row.input_shapes[0]
    count, flat = _params_of(row.op, x), _params_of(row.op, (x[0], prod(x[1:])))
    if is_array(count) or is_array(flat) or (is_rational(count) and not count):
        return ""
    return f": {_number(count)} params, and {_number(flat)} with `flatten` before it"


def _params_of(op: Any, x: Shape) -> Size:
    return sum(prod(tensor.shape) for tensor in learned_tensors(op, (x,)))


def _number(size: Size) -> str:
    """A size as text; empty for an array."""
    return "" if is_array(size) else f"{size:,}" if is_rational(size) else str(size)


def _many(size: Size, what: str) -> str:
    """`the 8 channels`, `the only channel`, `the r rows`."""
    if is_rational(size) and size == 1:
        return f"the only {what.removesuffix('s')}"
    return f"the {_number(size)} {what}".replace("  ", " ")


def _list(sizes: Iterable[Size]) -> str:
    return ", ".join("…" if is_array(size) else str(size) for size in sizes)


def _text(shape: Shape) -> str:
    """A shape without its batch, axes in order."""
    return f"({_list(shape[1:])})"
