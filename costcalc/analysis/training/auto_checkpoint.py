"""Which rows to checkpoint so that a training step fits into a budget with the least that is computed again.

Up to MAX_ROWS_TRIED rows, every choice of them is tried, 2^n peaks, by this decomposition:

    A step is a sequence of parts (StepEvents.parts): a pass forward or backward through a row, the loss, the update.
    What a part holds at most above its start, and by how much it changes what is held, depends only on whether the rows
    that share a memory with it are checkpointed: those that write, read or keep it. So a few steps that are written out
    give every part for every choice of those rows, and the peak of any choice is a running sum.

For more rows, a heuristic looks for a choice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

from costcalc.analysis.memory import Layer
from costcalc.analysis.training.kept import KeptTensors, kept_bytes
from costcalc.analysis.training.step_events import Part, StepEvents
from costcalc.analysis.training.step_layers import StepLayer, step_layers
from costcalc.analysis.training.timeline import Moment, peaks_of
from costcalc.dtype import Dtype
from costcalc.graph import first_row
from costcalc.train_step import OPTIMIZERS, TrainStep

MAX_ROWS_TRIED = 20
MAX_NEIGHBOURS = 10  # of a part: rows that share a memory with it; each doubles the steps that are written out

Rows = frozenset[str]


class Choice(NamedTuple):
    """The rows that are checkpointed, what is computed again, and the peak of the step."""

    rows: tuple[str, ...]
    macs: int
    elementwise: int
    peak: int


class Checkpointing:
    """Training steps of the same layers with different rows checkpointed."""

    def __init__(self, layers: Sequence[Layer], train_step: TrainStep, dtype: Dtype):
        self.layers, self.train_step, self.dtype = layers, train_step, dtype
        self.rows = [*dict.fromkeys(first_row(each.layer.row) for each in self.plain.layers if self.plain.saves(each))]

    @cached_property
    def plain(self) -> KeptTensors:
        """The step without checkpoints."""
        return KeptTensors(self.step(frozenset()), self.dtype)

    def step(self, rows: Rows) -> list[StepLayer]:
        """The layers of a step with these rows checkpointed."""
        frozen = self.train_step.freeze_statistics
        return [*step_layers(self.layers, freeze_statistics=frozen, checkpoint=rows)]

    def parts(self, rows: Rows) -> dict[Part, tuple[int, int]]:
        """The most that each part of a step holds above its start, and by how much it changes what is held."""
        step = StepEvents(self.step(rows), self.dtype, OPTIMIZERS[self.train_step.optimizer])
        end = Moment(None, "end")
        found = {}
        for part, events in step.parts():
            peaks = peaks_of([*events, end])
            found[part] = max(peaks.values()), peaks[end]
        return found

    def peak(self, rows: Rows) -> int:
        """The most that a step holds."""
        held = most = 0
        for above, change in self.parts(rows).values():
            most, held = max(most, held + above), held + change
        return most

    @property
    def macs(self) -> int:
        """Multiplies of the forward pass."""
        return sum(each.layer.copies * each.macs for each in self.plain.layers)

    @property
    def saved_bytes(self) -> dict[str, int]:
        """What each row keeps without checkpoints; inputs of the network count at the first layer that keeps them."""
        kept = kept_bytes(self.plain.layers, self.dtype)
        found = Counter[str]()
        for each in self.plain.layers:
            found[first_row(each.layer.row)] += each.layer.copies * kept.get(each.name, 0)
        return {row: size for row, size in found.items() if size or row in self.recomputed}

    @cached_property
    def recomputed(self) -> dict[str, tuple[int, int]]:
        """The multiplies and the other arithmetic of each row that are repeated if it is checkpointed."""
        return {row: self._recomputed(row) for row in self.rows}

    def _recomputed(self, row: str) -> tuple[int, int]:
        again = [*KeptTensors(self.step(frozenset([row])), self.dtype).run_again()]
        macs = sum(each.layer.copies * each.macs for each in again)
        return macs, sum(each.layer.copies * each.elementwise for each in again)

    @cached_property
    def neighbours(self) -> dict[str, set[str]]:
        """The rows that share a memory with each row, itself among them; "" stands for the inputs of the network
        and the loss of its outputs, which belong to no row."""
        touching: dict[Any, set[str]] = {}
        kept = self.plain
        read = {source for layer in self.layers for source in layer.inputs}
        for each in kept.layers:
            for name in (each.name, *each.layer.inputs):
                touching.setdefault(kept.where[name].owner, set()).add(first_row(each.layer.row))
            if each.layer.op.is_input or each.name not in read:
                touching[kept.where[each.name].owner].add("")
        found: dict[str, set[str]] = {}
        for rows in touching.values():
            for row in rows:
                found.setdefault(row, set()).update(rows)
        return {row: {other for other in others if other in self.recomputed} for row, others in found.items()}

    def choice(self, rows: Rows) -> Choice:
        """The choice of these rows, with its costs."""
        macs, elementwise = (sum(self.recomputed[row][i] for row in rows) for i in (0, 1))
        return Choice(tuple(row for row in self.rows if row in rows), macs, elementwise, self.peak(rows))

    @property
    def can_try_all(self) -> bool:
        """Are there few enough rows to try every choice?"""
        crowded = max((len(rows) for rows in self.neighbours.values()), default=0) > MAX_NEIGHBOURS
        casts_shared = self.dtype.is_mixed and any(layer.shares is not None for layer in self.layers)
        return len(self.rows) <= MAX_ROWS_TRIED and not crowded and not casts_shared

    def cheapest(self, most: int) -> Choice | None:
        """The choice of the least arithmetic that holds at most so many bytes; None if there is none.

        Multiplies count first, then other arithmetic, then the number of rows. A heuristic if not `can_try_all`.
        """
        return self._cheapest_of_all(most) if self.can_try_all else self._found_by_dropping(most)

    @cached_property
    def _all_peaks(self) -> Any:
        """The peak of every choice, an array: bit i of an index says whether row i is checkpointed."""
        import numpy as np

        every = np.arange(2 ** len(self.rows))
        chosen = {row: every >> i & 1 for i, row in enumerate(self.rows)}
        held = peaks = np.zeros(len(every), dtype=np.int64)
        for near, table in self._tables():
            index = sum((chosen[row] << i for i, row in enumerate(near)), np.zeros_like(every))
            above, change = np.array(table, dtype=np.int64)[index].T
            peaks, held = np.maximum(peaks, held + above), held + change
        return peaks

    def _cheapest_of_all(self, most: int) -> Choice | None:
        import numpy as np

        (fitting,) = np.nonzero(self._all_peaks <= most)
        if not len(fitting):
            return None
        costs = [(*self.recomputed[row], 1) for row in self.rows]
        nothing = np.zeros(len(fitting), dtype=np.int64)
        keys = [sum(((fitting >> i & 1) * cost[k] for i, cost in enumerate(costs)), nothing) for k in (2, 1, 0)]
        return self.choice(self._rows_of(fitting[np.lexsort(keys)[0]]))

    def _rows_of(self, index: int) -> Rows:
        return frozenset(row for i, row in enumerate(self.rows) if index >> i & 1)

    @property
    def lowest(self) -> Choice:
        """The choice with the lowest peak, the first of several. Needs `can_try_all`."""
        return self.choice(self._rows_of(int(self._all_peaks.argmin())))

    def _tables(self) -> Iterator[tuple[list[str], list[tuple[int, int]]]]:
        """For each part the rows that matter to it, and a table by the number whose bits are these rows: the most that
        it holds above its start, and by how much it changes what is held."""
        steps = {frozenset[str](): self.parts(frozenset())}
        for part, base in steps[frozenset()].items():
            near = [row for row in self.rows if row in self.neighbours.get(part.row, ())]
            alone = part.name == "casts"  # each row adds its own, and nothing is looked at between
            if alone:
                yield [], [base]
            for some in [[row] for row in self.rows] if alone else [near]:
                table = []
                for bits in product((0, 1), repeat=len(some)):
                    rows = frozenset(row for row, bit in zip(reversed(some), bits) if bit)
                    if rows not in steps:
                        steps[rows] = self.parts(rows)
                    above, change = steps[rows][part]
                    table.append((change - base[1], change - base[1]) if alone else (above, change))
                yield some, table

    def _found_by_dropping(self, most: int) -> Choice | None:
        """Starts with all rows checkpointed and changes the row that lowers the peak most until the step fits; then
        leaves out rows while it still fits, the most expensive first."""
        rows = frozenset(self.rows)
        peak = self.peak(rows)
        while peak > most:
            lower = min((rows ^ {row} for row in self.rows), key=self.peak)
            if self.peak(lower) >= peak:
                return None
            rows, peak = lower, self.peak(lower)
        for row in sorted(rows, key=lambda row: self.recomputed[row], reverse=True):
            if self.peak(rows - {row}) <= most:
                rows -= {row}
        return self.choice(rows)
