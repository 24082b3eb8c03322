"""Which frames are drawn: those that hold several boxes, and have no way out and back in."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from costcalc.drawing.sketch import Path

Node = TypeVar("Node", bound=Hashable)


def tidied(paths: Sequence[Path], preferred: Collection[str] = ()) -> list[Path]:
    """The paths of boxes without frames of one box. Of two frames that hold exactly the same the outer one stays, or
    the inner one if it is among the `preferred`."""
    inside: dict[str, set[int]] = {}
    for box, path in enumerate(paths):
        for frame in path:
            inside.setdefault(frame, set()).add(box)
    kept = []
    for path in paths:
        outer: list[str] = []
        for frame in path:
            if outer and inside[outer[-1]] == inside[frame]:
                outer[-1] = frame if frame in preferred else outer[-1]
            elif len(inside[frame]) > 1:
                outer.append(frame)
        kept.append(tuple(outer))
    return kept


def without_large(paths: Sequence[Path], large: int, kept: Collection[str] = ()) -> list[Path]:
    """The paths of boxes without frames of at least so many boxes that are more than half of all; some are kept."""
    inside: dict[str, int] = {}
    for path in paths:
        for frame in path:
            inside[frame] = inside.get(frame, 0) + 1
    dropped = {frame for frame, many in inside.items() if many >= large and 2 * many > len(paths)} - {*kept}
    return [tuple(frame for frame in path if frame not in dropped) for path in paths]


def without_cycles(paths: Mapping[str, Path], wires: Iterable[tuple[str, str]]) -> dict[str, Path]:
    """The paths of boxes by key without frames that a path leaves and comes back to: such a frame would have to stand
    above and below another box."""
    now, ends = dict(paths), list(wires)
    while cyclic := _frames_in_cycles(now, ends):
        now = {key: tuple(frame for frame in path if frame not in cyclic) for key, path in now.items()}
    return now


def common(first: Path, second: Path) -> int:
    """How many frames two boxes are in together."""
    found = 0
    for one, other in zip(first, second):
        if one != other:
            break
        found += 1
    return found


def _frames_in_cycles(paths: Mapping[str, Path], wires: Sequence[tuple[str, str]]) -> set[str]:
    """The outermost frames that are part of a cycle, once each frame is one node of the frame around it."""
    links: dict[Path, set[tuple[str, str]]] = {}
    frames: set[str] = {frame for path in paths.values() for frame in path}
    for source, target in wires:
        one, other = paths[source], paths[target]
        depth = common(one, other)
        first = one[depth] if depth < len(one) else f"\0{source}"
        second = other[depth] if depth < len(other) else f"\0{target}"
        links.setdefault(one[:depth], set()).add((first, second))
    found = set()
    for inside in links.values():
        found |= in_cycles(inside) & frames
    return found


def in_cycles(links: set[tuple[Node, Node]]) -> set[Node]:
    """The nodes that remain once those that nothing leads to, or that lead to nothing, are taken away again and
    again."""
    kept = {node for link in links for node in link}
    for one, other in ((0, 1), (1, 0)):
        after: dict[Node, list[Node]] = {}
        waits = dict.fromkeys(kept, 0)
        for link in links:
            if link[0] != link[1] and link[0] in kept and link[1] in kept:
                after.setdefault(link[one], []).append(link[other])
                waits[link[other]] += 1
        ready = [node for node, many in waits.items() if not many]
        while ready:
            node = ready.pop()
            kept.discard(node)
            for target in after.get(node, ()):
                waits[target] -= 1
                if not waits[target]:
                    ready.append(target)
    return kept
