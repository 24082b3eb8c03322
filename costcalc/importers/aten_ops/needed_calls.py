"""Which calls of a record become layers: what leads to an output, what multiplies, and what does something at all."""

from __future__ import annotations

from collections.abc import Mapping

from costcalc.importers.aten_ops.aten_table import ATEN_OPS
from costcalc.importers.aten_ops.call_kinds import is_factory, multiplies, of_kind, plain_name
from costcalc.importers.torch_runs.run_record import Call, Record

NOTHING_DONE = {"dropout", "detach", "alias", "lift_fresh", "lift_fresh_copy", "feature_dropout", "contiguous", "to"}


def passes_on(call: Call) -> bool:
    """Is the output the input: a dropout of nothing, a copy that was none?"""
    name = plain_name(call)
    if name not in NOTHING_DONE or not call.outputs:
        return False
    source = next(iter(call.tensors), None)
    if source is None or source.shape != call.outputs[0].shape:
        return False
    return bool(call.views) if name != "dropout" else call.arguments["p"] == 0


def needed(record: Record) -> list[Call]:
    """The calls that lead to an output, those that write over what does, and all that multiply or have no rule."""
    roots = roots_of(record)
    wanted = {tensor.number for tensor in record.outputs}
    memories = {roots.get(number, number) for number in wanted}
    found: list[Call] = []
    for call in reversed(record.calls):
        writes = {roots.get(number, number) for number in call.writes}
        leads = {tensor.number for tensor in call.outputs} & wanted or writes & memories
        if leads or multiplies(call) or (call.outputs and plain_name(call) not in ATEN_OPS and of_kind(call) is None):
            read = {tensor.number for tensor in call.tensors}
            wanted |= read
            memories |= {roots.get(number, number) for number in read}
            found.append(call)
    return found[::-1]


def roots_of(record: Record) -> dict[int, int]:
    """The tensor that owns the memory of each view, and of each tensor that is written over."""
    roots: dict[int, int] = {}
    for call in record.calls:
        for number, source in call.views.items():
            roots[number] = roots.get(source, source)
    return roots


def alone_in_modules(calls: list[Call]) -> set[int]:
    """The calls, by id, that are the only ones of a module without modules of its own, or the only but for views."""
    of_modules: dict[str, list[Call]] = {}
    for call in calls:
        if call.is_leaf and not passes_on(call):
            of_modules.setdefault(call.module, []).append(call)
    found: set[int] = set()
    for made in of_modules.values():
        computed = [call for call in made if call.writes or not call.views]
        found.update(id(call) for call in (computed or made) if len(computed or made) == 1)
    return found


def changing(record: Record, roots: Mapping[int, int]) -> tuple[list[Call], set[int]]:
    """The needed calls whose results depend on inputs or params, and the tensors that do. Other results, such as masks
    and positions, follow from constants and buffers alone: where a layer reads them they are constants."""
    changes = {tensor.number for tensor in record.inputs.values()}
    changes |= {number for number, held in record.learned.items() if not held.is_buffer}
    written: set[int] = set()  # the owners of memory that is written over with what changes
    found = []
    for call in needed(record):
        read = {tensor.number for tensor in call.tensors}
        depends = bool(read & changes) or any(roots.get(number, number) in written for number in read)
        if depends and not is_factory(call):
            changes.update(tensor.number for tensor in call.outputs)
            written.update(roots.get(number, number) for number in call.writes)
            found.append(call)
        elif multiplies(call):
            found.append(call)
    return found, changes
