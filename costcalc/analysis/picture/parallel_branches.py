"""What stands one behind the other in a network, and what side by side: chains of items and of forks between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TypeAlias

MAX_NESTED = 8  # forks within forks; deeper ones are lists


@dataclass(frozen=True)
class Fork:
    """Branches side by side. A shortcut goes from what is before them to what is behind. Branches that end are
    `side` branches: nothing behind them reads them."""

    branches: tuple[Chain, ...]
    has_shortcut: bool = False
    is_side: bool = False


Chain: TypeAlias = "tuple[int | Fork, ...]"


@dataclass(frozen=True)
class Links:
    """What each item reads and what reads it, by the numbers of items; `open_in` are those that also read something
    else, or nothing, and `open_out` those that something else reads."""

    sources: Mapping[int, Sequence[int]]
    readers: Mapping[int, Sequence[int]]
    open_in: frozenset[int]
    open_out: frozenset[int]

    @classmethod
    def of(cls, ends: Iterable[tuple[int, int]], count: int, reading: Iterable[int], read: Iterable[int]) -> Links:
        """The links of `count` items with these edges; `reading` and `read` are those with edges to the outside."""
        sources: dict[int, list[int]] = {item: [] for item in range(count)}
        readers: dict[int, list[int]] = {item: [] for item in range(count)}
        for one, other in dict.fromkeys(ends):
            sources[other].append(one)
            readers[one].append(other)
        free = (item for item in range(count) if not sources[item])
        return cls(sources, readers, frozenset((*reading, *free)), frozenset(read))

    def ordered(self) -> list[int]:
        """The items in an order in which each stands behind its sources; of those that could be next the first one."""
        waiting = {item: len(sources) for item, sources in self.sources.items()}
        ready = [item for item, count in waiting.items() if not count]
        found = []
        while ready:
            item = heappop(ready)
            found.append(item)
            for reader in self.readers[item]:
                waiting[reader] -= 1
                if not waiting[reader]:
                    heappush(ready, reader)
        return found


def chain_of(links: Links, items: Sequence[int] | None = None, nested: int = 0) -> Chain:
    """The items, in an order in which each stands behind its sources, as a chain."""
    items = links.ordered() if items is None else items
    here, place = {*items}, {item: at for at, item in enumerate(items)}
    ends = [one for one in items if one in links.open_out or any(there not in here for there in links.readers[one])]
    main = _leading_to(ends or items[-1:], links, here)
    side: dict[int, list[Fork]] = {}
    for part in _apart([one for one in items if one not in main], links):
        after = max((place[source] for one in part for source in links.sources[one] if source in main), default=-1)
        side.setdefault(items[after] if after >= 0 else -1, []).append(
            Fork((chain_of(links, part, nested + 1) if nested < MAX_NESTED else tuple(part),), is_side=True)
        )
    found: list[int | Fork] = [*side.pop(-1, ())]
    for one in _main_chain([one for one in items if one in main], {*(ends or items[-1:])}, links, nested):
        found.append(one)
        inside = [one] if isinstance(one, int) else _items_in(one)
        found += [fork for item in inside for fork in side.pop(item, ())]
    return tuple(found)


def _items_in(fork: Fork) -> list[int]:
    return [
        item
        for branch in fork.branches
        for one in branch
        for item in ([one] if isinstance(one, int) else _items_in(one))
    ]


def _main_chain(items: Sequence[int], ends: set[int], links: Links, nested: int) -> Chain:
    """Cuts items where all ways pass through one of them, and makes forks of what is between two cuts."""
    at = {item: place for place, item in enumerate(items)}
    last = len(items)

    def farthest(item: int) -> int:
        there = [at[reader] for reader in links.readers[item] if reader in at]
        return last if item in ends else max(there, default=0)

    def is_entry(item: int) -> bool:
        return item in links.open_in or any(source not in at for source in links.sources[item])

    reach = max((place for item, place in at.items() if is_entry(item)), default=0)
    found: list[int | Fork] = []
    before, between = None, list[int]()
    for item in [*items, None]:
        if item is not None and reach > at[item]:
            reach = max(reach, farthest(item))
            between.append(item)
            continue
        direct = before in links.sources[item] if item is not None and before is not None else False
        if between and item is not None and before is None:
            direct = is_entry(item)
        if between and item is None and before is not None:
            direct = before in ends
        found += _between(between, direct, links, nested)
        if item is not None:
            found.append(item)
            reach = max(reach, farthest(item))
        before, between = item, []
    return tuple(found)


def _between(items: Sequence[int], has_shortcut: bool, links: Links, nested: int) -> Sequence[int | Fork]:
    parts = _apart(items, links)
    if len(parts) + has_shortcut < 2 or nested >= MAX_NESTED:
        return items
    return [Fork(tuple(chain_of(links, part, nested + 1) for part in parts), has_shortcut)]


def _leading_to(ends: Iterable[int], links: Links, here: set[int]) -> set[int]:
    """The items that a way leads from to one of the ends, and these."""
    found, left = {*ends}, [*ends]
    while left:
        for source in links.sources[left.pop()]:
            if source in here and source not in found:
                found.add(source)
                left.append(source)
    return found


def _apart(items: Sequence[int], links: Links) -> list[list[int]]:
    """The items in groups between which there are no edges, in order."""
    here, group = {*items}, dict[int, int]()
    for item in items:
        if item in group:
            continue
        left = [item]
        group[item] = item
        while left:
            one = left.pop()
            for other in (*links.sources[one], *links.readers[one]):
                if other in here and other not in group:
                    group[other] = item
                    left.append(other)
    found: dict[int, list[int]] = {}
    for item in items:
        found.setdefault(group[item], []).append(item)
    return [*found.values()]
