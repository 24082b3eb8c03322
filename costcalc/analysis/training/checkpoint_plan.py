"""The rows to checkpoint under a budget, as a result.

checkpoint_plan(costcalc.load("resnet50@batch=32"), "2GB").table()
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from costcalc.analysis.metric_limits import check_budget
from costcalc.analysis.training.auto_checkpoint import MAX_ROWS_TRIED, Checkpointing, Choice
from costcalc.analysis.training.step_metrics import step_of
from costcalc.analysis.unrolled import COPIES_TO_TRAIN, unrolled_layers
from costcalc.analysis.warnings import warnings_of
from costcalc.errors import NothingFits, Problem
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import COUNT, FOOTER, IN_BYTES, Column, Table, bytes_text
from costcalc.text import knobs_note, plural

FITS = "train_peak_bytes"


@dataclass(frozen=True, eq=False, repr=False)
class CheckpointPlan(Result):
    """The rows that bring a training step under a budget with the least that is computed again.

    `model` has them checkpointed; `peak_without` is that of the step without. `choices` is how many were tried, or None
    if the rows were found by a heuristic.
    """

    model: Model
    within: int
    choice: Choice
    peak_without: int
    macs: int
    saved_bytes: dict[str, int]  # of each row, without checkpoints
    recomputed: dict[str, tuple[int, int]]  # of each row that may be checkpointed: multiplies, other arithmetic
    choices: int | None

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows that are checkpointed."""
        return self.choice.rows

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(self.model.label, warnings_of(self.model))]

    def table(self) -> Table:
        """Each row that keeps something: what it keeps without checkpoints, and what is computed again."""
        columns = (
            Column("row", "row", "text"), Column("saved_bytes", "saved bytes", measure=IN_BYTES),
            Column("chosen", "checkpointed", "text"), Column("recomputed_macs", "recomputation", measure=COUNT),
        )  # fmt: skip
        rows = [
            {
                "row": row, "saved_bytes": size, "chosen": "yes" if row in self.rows else "",
                "recomputed_macs": self.recomputed[row][0] if row in self.rows else 0,
            }
            for row, size in self.saved_bytes.items()
        ]  # fmt: skip
        total = {"row": "total", "saved_bytes": sum(self.saved_bytes.values()), "recomputed_macs": self.choice.macs}
        return Table(self.model.heading, columns, rows, total, self.notes())

    def notes(self) -> list[str]:
        """What fits, what it costs, and how it was found."""
        proof = (
            f"the least of all {plural(self.choices, 'choice')} of rows that keep anything"
            if self.choices
            else f"found by a heuristic: more than {MAX_ROWS_TRIED} rows are too many to try all choices"
        )
        share = self.choice.macs / self.macs if self.macs else 0
        return [
            f"{bytes_text(self.choice.peak)} at the peak, {bytes_text(self.peak_without)} without checkpoints; "
            f"{FITS} ≤ {self.within:,}",
            f"{self.choice.macs:,} MACs a step are computed again, {100 * share:.1f} % of the forward pass; {proof}",
            f"{self.model.dtype.words}; torch's kernels on a CPU, their workspaces apart",
            f"training: {self.model.step.words}",
            FOOTER,
            *knobs_note(self.model.values),
        ]

    def _fields(self) -> dict[str, Any]:
        return {
            "target": self.model.label, "knobs": self.model.values, "dtype": self.model.dtype._asdict(),
            "training": asdict(self.model.step), "within": self.within, "rows": [*self.rows],
            "recomputed_macs": self.choice.macs, FITS: self.choice.peak, "without": self.peak_without,
            "choices": self.choices,
        }  # fmt: skip

    def _summary(self) -> str:
        return f"{self.model.label}: {', '.join(self.rows) or 'no rows'}, {bytes_text(self.choice.peak)}"


def checkpoint_plan(model: Model, within: Any) -> CheckpointPlan:
    """The rows of depth 1 to checkpoint so that a training step takes at most so many bytes, `"24GB"` or a number.

    Raises NothingFits if no choice does, UsageError for symbols or arrays as sizes.
    """
    model = model.with_step(replace(model.step, checkpoint=()))
    model.require_numeric("checkpointing")
    most = check_budget({FITS: within})[FITS]
    graph = model.layers()
    ((_, layers),) = unrolled_layers(graph, COPIES_TO_TRAIN)
    step_of(graph, layers, model.dtype).needs_training()
    steps = Checkpointing(layers, model.step, model.dtype)
    found = steps.cheapest(most)
    if found is None:
        raise _nothing_fits(model, steps, most)
    return CheckpointPlan(
        model.with_step(replace(model.step, checkpoint=found.rows)), most, found, steps.peak(frozenset()), steps.macs,
        steps.saved_bytes, steps.recomputed, 2 ** len(steps.rows) if steps.can_try_all else None,
    )  # fmt: skip


def _nothing_fits(model: Model, steps: Checkpointing, most: int) -> NothingFits:
    if not steps.can_try_all:
        least = steps.peak(frozenset(steps.rows))
        said = f"no rows were found that keep {FITS} ≤ {most:,}; with all of them it is {least:,}"
        return NothingFits(f"{model.label}: {said}")
    lowest = steps.lowest
    rows = f"with {', '.join(lowest.rows)} checkpointed" if lowest.rows else "without checkpoints"
    said = f"no choice of rows keeps this budget: {FITS} is at least {lowest.peak:,}, {rows}"
    return NothingFits(f"{model.label}: {said}")
