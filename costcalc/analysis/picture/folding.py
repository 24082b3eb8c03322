"""Which boxes a picture has: blocks of a depth, the deepest that fits on a sheet.

Of a network without such blocks, runs of equal layers and long chains are one box each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from costcalc.analysis.picture.block_copies import Copies
from costcalc.analysis.picture.box_units import Rowset, Unit, equal_runs, prefixes, taken_together
from costcalc.drawing.frames import in_cycles
from costcalc.text import plural

BOXES_ON_SHEET = 60
FEW_BOXES, MAX_BOXES_ON_SHEET = 20, 100  # so few may become up to so many
HIDDEN = "…"  # begins the name of boxes that are one
KEPT = 2  # boxes of a long chain that are shown, its first and its last


class Folded(NamedTuple):
    """The boxes of a picture, and how many the next depth has; None where none would show more."""

    units: list[Unit]
    deeper: tuple[int, int] | None = None


@dataclass(frozen=True)
class Folding:
    """The ways to fold units."""

    rowset: Rowset
    units: Sequence[Unit]
    copies: Copies

    @property
    def deepest(self) -> int:
        """The depth at which nothing is folded."""
        return max((unit.name.count(".") for unit in self.units), default=0) + 1

    def at_depth(self, depth: int) -> Folded:
        """Blocks of a depth as boxes; a block with a way out and back in stays open."""
        return Folded(self._folded(depth), self._deeper(depth))

    def fitting(self) -> Folded:
        """The deepest blocks of which at most 60 boxes are made; or a level more, if that has few and the next fits."""
        best, at = self._folded(1), 1
        if len(best) > MAX_BOXES_ON_SHEET:
            return Folded(self._squeezed(best), (1, len(best)))
        for depth in range(2, self.deepest + 1):
            units = self._folded(depth)
            if len(units) <= BOXES_ON_SHEET or (len(best) <= FEW_BOXES and len(units) <= MAX_BOXES_ON_SHEET):
                best, at = units, depth
            elif len(units) > MAX_BOXES_ON_SHEET:
                return Folded(best, (depth, len(units)))
        return Folded(best, self._deeper(at))

    def _deeper(self, depth: int) -> tuple[int, int] | None:
        if depth >= self.deepest:
            return None
        more = len(self._folded(depth + 1))
        return (depth + 1, more) if more > len(self._folded(depth)) else self._deeper(depth + 1)

    def _folded(self, depth: int) -> list[Unit]:
        paths = [prefixes(unit.name)[:depth] for unit in self.units]
        open_blocks = set[str]()
        while True:
            inside: dict[str, list[Unit]] = {}
            for unit, path in zip(self.units, paths):
                name = path[-1] if len(path) == depth and path[-1] not in open_blocks else unit.name
                inside.setdefault(name, []).append(unit)
            found = [taken_together(group, name, self.copies.of(name)) for name, group in inside.items()]
            cyclic = in_cycles({*self.rowset.links(found)})
            folded = {found[number].name for number in cyclic if found[number].is_folded}
            if not folded:
                return found
            open_blocks |= folded

    def _squeezed(self, units: list[Unit]) -> list[Unit]:
        """At most 60 boxes: runs of equal neighbours as one, then the longest chains, then whatever stands together."""
        now = self._without_runs(units)
        chains = sorted(self._chains(now), key=lambda span: (span[0] - span[1], span[0]))
        hidden: dict[int, int] = {}
        many = len(now)
        for begin, end in chains:
            most = min(end - begin - KEPT, many - BOXES_ON_SHEET + 1)
            if many <= BOXES_ON_SHEET or most < 2:
                break
            first = begin + (end - begin - most) // 2
            hidden[first] = first + most
            many -= most - 1
        now = _replaced(now, hidden)
        return now if len(now) <= MAX_BOXES_ON_SHEET else self._in_parts(now)

    def _without_runs(self, units: list[Unit]) -> list[Unit]:
        """Units of which each that is equal to the one before, which it alone reads, is one with it, as ×n."""
        only_reader = self._only_readers(units)
        keys: list[str] = []
        for number, unit in enumerate(units):
            goes_on = number and only_reader.get(number - 1) == number and self._are_equal(units[number - 1], unit)
            keys.append(keys[-1] if goes_on else str(number))
        found = []
        for _, begin, end in equal_runs(keys):
            same = units[begin:end]
            if len(same) > 1:
                self.rowset.tag(f"\0{begin}", ([unit] for unit in same))
            rows = tuple(at for unit in same for at in unit.rows)
            found.append(Unit(rows, same[0].name, same[0].is_folded, len(same) * same[0].copies))
        return found

    def _are_equal(self, one: Unit, other: Unit) -> bool:
        return len(one.rows) == len(other.rows) and all(
            (a.op, a.input_shapes, a.times, a.shared) == (b.op, b.input_shapes, b.times, b.shared)
            for a, b in zip(*([self.rowset.rows[at] for at in unit.rows] for unit in (one, other)))
        )

    def _only_readers(self, units: Sequence[Unit]) -> dict[int, int]:
        """The only reader of each unit that has one, of those that read it alone."""
        below: dict[int, list[int]] = {}
        above: dict[int, int] = {}
        for source, target in self.rowset.links(units):
            below.setdefault(source, []).append(target)
            above[target] = above.get(target, 0) + 1
        return {source: targets[0] for source, targets in below.items() if len(targets) == 1 and above[targets[0]] == 1}

    def _chains(self, units: Sequence[Unit]) -> list[tuple[int, int]]:
        """Where units of which each reads only the one before begin and end."""
        only_reader = self._only_readers(units)
        keys: list[str] = []
        for number in range(len(units)):
            keys.append(keys[-1] if number and only_reader.get(number - 1) == number else str(number))
        return [(begin, end) for _, begin, end in equal_runs(keys)]

    def _in_parts(self, units: list[Unit]) -> list[Unit]:
        """Neighbours in the order of the network as one box each: none leads back to one before. A part ends where few
        wires cross, as near as can be to an even share."""
        share = -(-len(units) // BOXES_ON_SHEET)
        crossing = [0] * (len(units) + 1)
        for source, target in self.rowset.links(units):
            crossing[source + 1] += 1
            crossing[target + 1] -= 1
        for at in range(1, len(crossing)):
            crossing[at] += crossing[at - 1]
        hidden, begin = {}, 0
        while begin < len(units):
            ends = range(begin + max(share // 2, 1), min(begin + share + share // 2 + 1, len(units)) + 1)
            end = min(ends, key=lambda at: (crossing[at], abs(at - begin - share)), default=len(units))
            hidden[begin] = end
            begin = end
        return _replaced(units, hidden)


def _replaced(units: Sequence[Unit], hidden: dict[int, int]) -> list[Unit]:
    """The units with those from each key to its value as one, `… 37 blocks`."""
    found, at = [], 0
    while at < len(units):
        end = hidden.get(at, at + 1)
        found.append(taken_together(units[at:end], f"{HIDDEN} {plural(end - at, 'block')}", 1))
        at = end
    return found
