"""Freezes layers of a graph: their tensors keep their values in training.

A pattern is a name as a table shows it, and means all below it: `conv4_x`, `conv4_x.first.conv1`. A `*` stays within
one part of a name: `conv*_x.*.bn1`. `a..b` runs in execution order from the first layer of a to the last of b; `..b`
starts at the first layer. A part more than a layer's name has is one of its tensors: `*.bias`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from costcalc.dims import clip
from costcalc.errors import GraphError, UnknownName, UsageError, did_you_mean
from costcalc.graph.layer_list import LayerList
from costcalc.graph.nodes import Graph, Repeat
from costcalc.graph.order import topological_order
from costcalc.train_step import DEFAULT_STEP, TrainStep

Frozen = bool | tuple[str, ...]  # all tensors of a layer, or those that these patterns match


def freeze(graph: Graph, patterns: Iterable[str]) -> Graph:
    """A copy of the graph with the layers marked `frozen` that the patterns match.

    Raises UnknownName for a pattern that matches no layer.
    """
    names = [*layer_names(graph)]
    frozen: dict[str, Frozen] = {}
    for pattern in patterns:
        found = dict(_matched(pattern, names))
        if not found:
            raise _no_match(pattern, names)
        for name, what in found.items():
            known = frozen.get(name, ())
            frozen[name] = True if isinstance(what, bool) or isinstance(known, bool) else (*known, *what)
    return _marked(graph, frozen, "")


def freeze_until(graph: Graph, last: str) -> Graph:
    """A copy of the graph with the rows marked `frozen` from the first to this one, by its full name."""
    names = [*layer_names(graph)]
    return _marked(graph, dict.fromkeys(names[: names.index(last) + 1], True), "")


def unfrozen(graph: Graph) -> Graph:
    """A copy of the graph with nothing frozen."""
    copy = LayerList(**graph.graph)
    for name, data in topological_order(graph):
        data = {key: value for key, value in data.items() if key != "frozen"}
        if data["op"].__class__ is Repeat:
            data["op"] = data["op"].with_body(unfrozen(data["op"].body))
        copy.nodes[name] = data
    return copy


def any_frozen(graph: Graph) -> bool:
    """Does the graph call a layer, or tensors of one, frozen?"""
    return any(
        any_frozen(data["op"].body) if data["op"].__class__ is Repeat else bool(data.get("frozen"))
        for _, data in topological_order(graph)
    )


def matching_rows(graph: Graph, pattern: str) -> list[str]:
    """The rows that a pattern means, in execution order."""
    return [name for name, what in _matched(pattern, [*layer_names(graph)]) if what is True]


def layer_names(graph: Graph, prefix: str = "") -> Iterator[str]:
    """The names of rows in execution order; a repeated body has one row for all copies."""
    for name, data in topological_order(graph):
        if data["op"].__class__ is Repeat:
            yield from layer_names(data["op"].body, f"{prefix}{name}.")
        elif data["inputs"]:
            yield f"{prefix}{name}"


def _matched(pattern: str, names: Sequence[str]) -> Iterator[tuple[str, Frozen]]:
    """The layers that a pattern matches, each with its tensors that are frozen."""
    first, dots, last = (part.strip() for part in pattern.partition(".."))
    if not dots:
        yield from _below(pattern, names)
        return
    start = next(iter(_indices(first, names)), None) if first else 0
    end = next(reversed(_indices(last, names)), None) if last else len(names) - 1
    if start is not None and end is not None:
        if start > end:
            raise UsageError(f"{pattern} runs backwards: {last} comes before {first}")
        for name in names[start : end + 1]:
            yield name, True


def _indices(pattern: str, names: Sequence[str]) -> list[int]:
    found = {name for name, what in _below(pattern, names) if what is True}
    return [i for i, name in enumerate(names) if name in found]


def _below(pattern: str, names: Sequence[str]) -> Iterator[tuple[str, Frozen]]:
    wanted = pattern.split(".")
    matched = [name for name in names if all(map(fnmatchcase, name.split("."), wanted))]
    if layers := [name for name in matched if name.count(".") + 1 >= len(wanted)]:
        yield from ((name, True) for name in layers)
    else:
        yield from ((name, (wanted[-1],)) for name in matched if name.count(".") + 2 == len(wanted))


def _no_match(pattern: str, names: Sequence[str]) -> UnknownName:
    rows = dict.fromkeys(".".join(name.split(".")[:depth]) for name in names for depth in range(1, name.count(".") + 2))
    part = next((p for p in pattern.split("..") if p and not _indices(p.strip(), names)), pattern)
    hint = did_you_mean(part, rows, listed=False) or "rows of `costcalc show` are names, with * for any part of one"
    return UnknownName(f"nothing to freeze is called {part[:64]!r}", hint)


def _marked(graph: Graph, frozen: dict[str, Frozen], prefix: str) -> Graph:
    """A copy of the graph whose nodes say what is frozen."""
    copy = LayerList(**graph.graph) if graph.__class__ is LayerList else graph.copy()
    for name, data in graph.nodes(data=True):
        op, what = data["op"], frozen.get(f"{prefix}{name}", ())
        extra: dict[str, Any] = {}
        if op.__class__ is Repeat:
            extra["op"] = op.with_body(_marked(op.body, frozen, f"{prefix}{name}."))
        elif what and data.get("frozen") is not True:
            known = frozen_tensors(name, data.get("frozen"))
            extra["frozen"] = True if isinstance(what, bool) else (*(known or ()), *what)  # type: ignore[misc]
        if copy.__class__ is LayerList:
            copy.nodes[name] = {**data, **extra}
        else:
            copy.nodes[name].update(extra)
    return copy


def train_step_of(graph: Graph | None) -> TrainStep:
    """How a graph says that it is trained: its `train_step`, or as it is if it says nothing."""
    step: TrainStep = graph.graph.get("train_step", DEFAULT_STEP) if graph is not None else DEFAULT_STEP
    return step


def frozen_tensors(name: Any, given: Any) -> Frozen:
    """What the node of a layer says of `frozen`: all of its tensors or none, or patterns for some.

    Raises GraphError for anything else.
    """
    if given is None or isinstance(given, bool):
        return bool(given)
    patterns = (given,) if isinstance(given, str) else given
    if not isinstance(patterns, (tuple, list, set, frozenset)) or not all(isinstance(one, str) for one in patterns):
        raise GraphError(f"layer {str(name)!r}: frozen is True, False or the names of tensors, got {clip(given)}")
    return tuple(patterns)


def is_frozen(tensor: str, what: Frozen) -> bool:
    """Is the tensor of this name frozen?"""
    return what if isinstance(what, bool) else any(fnmatchcase(tensor, pattern) for pattern in what)


def check_names_of_tensors(frozen: Iterable[tuple[Frozen, Sequence[str]]]) -> None:
    """Raises UnknownName for a pattern that matches no tensor of the layers that it names; each comes with the names of
    its tensors."""
    known: dict[str, dict[str, None]] = {}
    for what, tensors in frozen:
        for pattern in () if isinstance(what, bool) else what:
            known.setdefault(pattern, {}).update(dict.fromkeys(tensors))
    for pattern, names in known.items():
        if not any(fnmatchcase(name, pattern) for name in names):
            having = f"; the layers there have {', '.join(names)}" if names else ""
            raise UnknownName(f"no layer or tensor to freeze is called {pattern!r}{having}")
