"""The memory that a network holds over a training step, or over its inference: at each moment, by kind.

memory_timeline(costcalc.load("resnet50"), train=True).plot("memory.svg")
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from costcalc.analysis.memory import Layer, live_elements
from costcalc.analysis.training.step_events import StepEvents
from costcalc.analysis.training.step_metrics import Step, step_of
from costcalc.analysis.training.timeline import BUFFERS, KINDS, WEIGHTS, Change, Event, Moment
from costcalc.analysis.unrolled import unrolled_layers
from costcalc.analysis.walk import walk
from costcalc.analysis.warnings import warnings_of
from costcalc.chart import Axis, Bands, Bar, Mark, Stretch, short_number
from costcalc.errors import Problem, UsageError
from costcalc.graph import Graph, first_row, unroll
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import IN_BYTES, Column, LazySequence, Table, bytes_text, visible
from costcalc.text import knobs_note, plural

ACTIVATIONS = "activations"  # at inference
INFERENCE_KINDS = (WEIGHTS, BUFFERS, ACTIVATIONS)
INFERENCE = "inference"
PART_OF = {"recomputation": "backward"}  # the phase in which a checkpointed row is computed again


class HeldMoment(NamedTuple):
    """A layer that is computed, in a phase of a step, and the bytes of each kind that are held meanwhile."""

    layer: Any
    phase: str
    row: str  # of depth 1
    parts: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """All of them together."""
        return sum(self.parts)


@dataclass(frozen=True, eq=False, repr=False)
class MemoryTimeline(Result):
    """The bytes of each of the `kinds` at each moment, in order."""

    model: Model
    kinds: tuple[str, ...]
    moments: tuple[HeldMoment, ...]

    @cached_property
    def highest(self) -> int:
        """The place of the first moment at which most is held."""
        return max(range(len(self.moments)), key=lambda i: (self.moments[i].bytes, -i))

    @property
    def peak(self) -> HeldMoment:
        """The first moment at which most is held."""
        return self.moments[self.highest]

    @property
    def is_step(self) -> bool:
        """Is it of a training step, and not of inference?"""
        return self.peak.phase != INFERENCE

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(self.model.label, warnings_of(self.model))]

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each moment: the layer, the phase, the bytes of each kind, and all together."""
        return [self._record(moment) for moment in self.moments]

    def _record(self, moment: HeldMoment) -> dict[str, Any]:
        held = dict(zip(self.kinds, moment.parts))
        return {"layer": str(moment.layer), "phase": moment.phase, **held, "bytes": moment.bytes}

    def table(self) -> Table:
        """A row for each moment."""
        shown = [kind for i, kind in enumerate(self.kinds) if any(moment.parts[i] for moment in self.moments)]
        columns = (
            Column("layer", "layer", "text"), Column("phase", "phase", "text", 1),
            *(Column(kind, kind, rank=2, measure=IN_BYTES, unit_of="bytes") for kind in shown),
            Column("bytes", "held", measure=IN_BYTES),
        )  # fmt: skip
        return Table(self.model.heading, columns, self.to_records(), None, self.notes())

    def notes(self) -> list[str]:
        """When most is held, how much of each kind, and what is counted."""
        peak = self.peak
        parts = ", ".join(f"{kind} {size:,}" for kind, size in zip(self.kinds, peak.parts) if size)
        return [
            f"most, {peak.bytes:,} bytes, at the {peak.phase} of {peak.layer}: {parts}",
            f"{self.model.dtype.words}; torch's kernels on a CPU, their workspaces apart",
            *([f"training: {self.model.step.words}"] if self.is_step else []),
            *knobs_note(self.model.values),
        ]

    def chart(self) -> Bands:
        """What is held, the kinds on each other, over the layers in the order in which they are computed."""
        peak, what = self.peak, "a training step" if self.is_step else "inference"
        bands = tuple(Bar(kind, tuple(m.parts[i] for m in self.moments)) for i, kind in enumerate(self.kinds))
        name = f"{short_number(peak.bytes)}B\n{peak.phase} of {visible(str(peak.layer))}"
        return Bands(
            f"{self.model.label}: memory over {what}", Axis("layers in the order in which they are computed"),
            Axis("held at once", "bytes"), bands, self._stretches(_part),
            self._stretches(lambda moment: (_part(moment), moment.row)),
            Mark(self.highest, peak.bytes, name), tuple(self.notes()),
        )  # fmt: skip

    def plot(self, path: Path | str) -> None:
        """Writes the picture as .svg, .png or .pdf. Raises UsageError for another suffix, MissingExtra."""
        self.chart().save(path)

    def _stretches(self, key: Callable[[HeldMoment], Hashable]) -> tuple[Stretch, ...]:
        """Runs of moments that are alike by a key, which is a name or ends with one."""
        found, start = [], 0
        for of, run in groupby(self.moments, key):
            end = start + sum(1 for _ in run)
            found.append(Stretch(of[-1] if isinstance(of, tuple) else str(of), start, end))
            start = end
        return tuple(found)

    def _fields(self) -> dict[str, Any]:
        training = {"training": asdict(self.model.step)} if self.is_step else {}
        return {
            "target": self.model.label, "knobs": self.model.values, "dtype": self.model.dtype._asdict(), **training,
            "phase": self.peak.phase, "layer": str(self.peak.layer), "bytes": self.peak.bytes,
            "parts": dict(zip(self.kinds, self.peak.parts)),
            "moments": LazySequence(self._record, self.moments),
        }  # fmt: skip

    def _summary(self) -> str:
        return f"{self.model.label}: {bytes_text(self.peak.bytes)}, {plural(len(self.moments), 'moment')}"


def _part(moment: HeldMoment) -> str:
    """The part of a step that a picture names."""
    return PART_OF.get(moment.phase, moment.phase)


def memory_timeline(model: Model, *, train: bool = False) -> MemoryTimeline:
    """The memory of a network at each moment. Raises UsageError for symbols or arrays as sizes."""
    model.require_numeric("memory")
    graph = unroll(model.layers())
    ((_, layers),) = unrolled_layers(graph)
    if all(layer.op.is_input for layer in layers):
        raise UsageError(f"{model.label} has no layers, and holds its input alone")
    if not train:
        return MemoryTimeline(model, INFERENCE_KINDS, tuple(_inference(model, graph)))
    step = step_of(graph, layers, model.dtype)
    step.needs_training()
    return MemoryTimeline(model, KINDS, tuple(_training(step)))


def _training(step: Step) -> Iterator[HeldMoment]:
    """What is held at each moment of a step whose bodies are written out."""
    rows = {each.name: first_row(each.layer.row) for each in step.layers}
    return _held(StepEvents(step.layers, step.dtype, step.optimizer).events(), rows)


def _held(events: Iterable[Event], rows: dict[Any, str]) -> Iterator[HeldMoment]:
    held: Counter[str] = Counter()
    for event in events:
        if isinstance(event, Change):
            held[event.kind] += event.bytes
        elif isinstance(event, Moment):
            yield HeldMoment(event.layer, event.phase, rows.get(event.layer, ""), tuple(held[kind] for kind in KINDS))


def _inference(model: Model, graph: Graph) -> Iterator[HeldMoment]:
    """The weights and buffers, which are held throughout, and the activations while each layer is computed."""
    rows = [*walk(graph)]
    of_weights, of_activations = model.dtype.scale("weights"), model.dtype.scale("activations")
    weights = sum(row.params for row in rows) * of_weights
    buffers = sum(row.total("buffers") for row in rows) * of_weights
    layers = [Layer(row.name, row.op, row.inputs, row.output_shape, row.name, is_output=row.is_output) for row in rows]
    for row, live in zip(rows, live_elements(layers)):
        yield HeldMoment(row.name, INFERENCE, first_row(row.name), (weights, buffers, live * of_activations))
