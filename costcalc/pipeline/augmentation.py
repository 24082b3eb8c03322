"""What a pipeline costs: a row for each step, and the totals."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from costcalc.dims import Size, prod
from costcalc.pipeline.pipeline import Pipeline, StepRow
from costcalc.result import Result
from costcalc.table import Column, Table
from costcalc.text import settings_text

COLUMNS = (
    Column("step", "step", "text"),
    Column("out", "out", "text"),
    Column("dtype", "dtype", "text", 2),
    Column("elementwise", "elementwise"),
    Column("bytes_in", "bytes in"),
    Column("bytes_out", "bytes out"),
    Column("views", "views"),
)
NOT_COUNTED = "an image comes decoded: reading and decoding its file is not counted"
BYTES = "bytes in, bytes out: what a step reads and writes, added up; a random step counted where it acts"
METRICS = {  # of a pipeline, and what each counts
    "elementwise": "elementwise: arithmetic, one per element and elementary operation; random draws not counted",
    "bytes_in": BYTES,
    "bytes_out": BYTES,
    "views": "views: in how many ways its draws can come out, the product of all steps",
    "images": "images: how many leave for one that enters",
}
SHOWN = ("elementwise", "bytes_in", "bytes_out", "views")


@dataclass(frozen=True, eq=False, repr=False)
class Augmentation(Result):
    """The costs of one image in a pipeline: `costcalc.augment("alexnet").views`."""

    pipeline: Pipeline
    rows: tuple[StepRow, ...]

    @property
    def image(self) -> Any:
        """The image at the end: `.shape`, `.dtype`, `.images`, `.bytes`."""
        return self.rows[-1].after

    @property
    def elementwise(self) -> Size:
        """Arithmetic of all steps."""
        return sum(row.elementwise for row in self.rows)

    @property
    def bytes_in(self) -> Size:
        """Bytes that the steps read, added up."""
        return sum(row.before.bytes for row in self.rows)

    @property
    def bytes_out(self) -> Size:
        """Bytes that the steps write, added up."""
        return sum(row.after.bytes for row in self.rows)

    @property
    def views(self) -> Size:
        """The product over the steps that draw from finitely many."""
        return prod(row.views for row in self.rows if not row.is_continuous)

    @property
    def images(self) -> Size:
        """How many images leave the pipeline for one that enters it."""
        return self.image.images

    @property
    def continuous(self) -> tuple[str, ...]:
        """The names of the steps that draw from a continuous distribution."""
        return tuple(row.name for row in self.rows if row.is_continuous)

    def total(self, metric: str) -> Size:
        """One of `METRICS`, of the whole pipeline."""
        return getattr(self, metric)

    def of_step(self, name: str, metric: str) -> Any:
        """One of `METRICS`, of one step."""
        row = next(row for row in self.rows if row.name == name)
        return {"images": row.after.images, **_record(row)}[metric]

    def table(self) -> Table:
        """A row for each step, and the totals."""
        totals = {name: self.total(name) for name in SHOWN}
        rows = [_record(row) for row in self.rows]
        return Table(self.pipeline.heading, COLUMNS, rows, {"step": "total", **totals}, self._notes())

    def _notes(self) -> list[str]:
        first = self.rows[0].before
        notes = [f"in: {first.text}, {first.dtype}, {_number(first.bytes)} bytes; {NOT_COUNTED}"]
        notes += dict.fromkeys(METRICS[name] for name in SHOWN)
        if self.continuous:
            notes.append(f"continuous, and not in that product: {', '.join(self.continuous)}")
        notes += dict.fromkeys(f"{row.name}: {row.step.remark}" for row in self.rows if row.step.remark)
        if again := _drawn_again(self.rows):
            notes.append(f"{', '.join(again)} stands several times: two ways may give the same view")
        if self.images != 1:
            notes.append(f"{self.images} images leave for one that enters: {self.images} forward passes of a network")
        for condition in dict.fromkeys(need.requirement(str) for row in self.rows for need in row.needs):
            notes.append(f"holds where {condition}")
        if self.pipeline.values:
            notes.append(f"knobs: {settings_text(self.pipeline.values)}")
        return notes

    def to_records(self) -> list[dict[str, Any]]:
        """A dict for each step."""
        return [_record(row) | {"shape": row.after.shape, "images": row.after.images} for row in self.rows]

    def _fields(self) -> dict[str, Any]:
        totals = {metric: self.total(metric) for metric in METRICS}
        return {
            "pipeline": self.pipeline.label, "source": self.pipeline.spec.source if self.pipeline.spec else "",
            "settings": dict(self.pipeline.values), "input": _image_fields(self.rows[0].before),
            "steps": [_step_fields(row) for row in self.rows], "totals": totals, "continuous": list(self.continuous),
        }  # fmt: skip

    def _summary(self) -> str:
        return f"{self.pipeline.label}: {len(self.rows)} steps, {self.views} views, {self.elementwise} elementwise"


def augmentation_of(pipeline: Pipeline) -> Augmentation:
    """What a pipeline costs. Raises SpecError or ShapeError for an invalid step."""
    return Augmentation(pipeline, tuple(pipeline.rows()))


def _record(row: StepRow) -> dict[str, Any]:
    return {
        "step": row.name, "out": row.after.text, "dtype": row.after.dtype, "elementwise": row.elementwise,
        "bytes_in": row.before.bytes, "bytes_out": row.after.bytes, "views": row.views,
    }  # fmt: skip


def _step_fields(row: StepRow) -> dict[str, Any]:
    return {name: value for name, value in {**_record(row), "out": _image_fields(row.after)}.items() if name != "dtype"}


def _image_fields(image: Any) -> dict[str, Any]:
    return {"shape": list(image.shape), "dtype": image.dtype, "images": image.images, "bytes": image.bytes}


def _number(size: Size) -> str:
    return f"{size:,}" if isinstance(size, int) else str(size)


def _drawn_again(rows: tuple[StepRow, ...]) -> list[str]:
    """The kinds of steps that stand several times and draw from finitely many."""
    kinds = Counter(row.step.name for row in rows if not row.is_continuous and row.views != 1)
    return sorted(kind for kind, times in kinds.items() if times > 1)
