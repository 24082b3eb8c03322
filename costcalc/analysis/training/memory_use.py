"""What a network holds in memory at once, by kind: at inference, or in a training step.

memory_use(costcalc.load("resnet50"), train=True).table()
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from costcalc.analysis.memory import peak_activations
from costcalc.analysis.metric_limits import read_bytes
from costcalc.analysis.scaling.scale import Scaled, largest
from costcalc.analysis.training.memory_timeline import ACTIVATIONS, INFERENCE, MemoryTimeline, memory_timeline
from costcalc.analysis.training.step_metrics import step_of
from costcalc.analysis.training.step_peak import parts_of_peak
from costcalc.analysis.training.timeline import BUFFERS, WEIGHTS
from costcalc.analysis.unrolled import unrolled_layers
from costcalc.analysis.walk import walk
from costcalc.analysis.warnings import warnings_of
from costcalc.errors import Problem, UsageError
from costcalc.graph import unroll
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import IN_BYTES, Column, Table, bytes_text
from costcalc.text import knobs_note


@dataclass(frozen=True, eq=False, repr=False)
class MemoryUse(Result):
    """The most bytes that a network holds at once, by kind, and the layer at which it does."""

    model: Model
    parts: Mapping[str, int]
    layer: Any
    phase: str  # inference, or a moment's phase in a training step

    @property
    def bytes(self) -> int:
        """All of them together."""
        return sum(self.parts.values())

    def timeline(self) -> MemoryTimeline:
        """What is held at each moment, of which this is the most."""
        return memory_timeline(self.model, train=self.phase != INFERENCE)

    def plot(self, path: Path | str) -> None:
        """Writes a picture of the timeline as .svg, .png or .pdf. Raises UsageError for another suffix, MissingExtra
        without matplotlib."""
        self.timeline().plot(path)

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(self.model.label, warnings_of(self.model))]

    def table(self) -> Table:
        """A row for each kind."""
        columns = (
            Column("what", "", "text"),
            Column("bytes", "bytes", measure=IN_BYTES),
            Column("share", "share", "share"),
        )
        rows = [{"what": kind, "bytes": size, "share": size / self.bytes} for kind, size in self.parts.items()]
        return Table(self.model.heading, columns, rows, {"what": "at once", "bytes": self.bytes}, self.notes())

    def notes(self) -> list[str]:
        """When so much is held, and what is counted."""
        step = self.phase != INFERENCE
        when = f"the {self.phase} of" if step else "the inference of"
        return [
            f"{bytes_text(self.bytes)}, held at {when} {self.layer}",
            f"{self.model.dtype.words}; torch's kernels on a CPU, their workspaces apart",
            *([f"training: {self.model.step.words}"] if step else []),
            *knobs_note(self.model.values),
        ]

    def _fields(self) -> dict[str, Any]:
        training = {} if self.phase == INFERENCE else {"training": asdict(self.model.step)}
        return {
            "target": self.model.label, "knobs": self.model.values, "dtype": self.model.dtype._asdict(), **training,
            "phase": self.phase, "layer": str(self.layer), "bytes": self.bytes, "parts": dict(self.parts),
        }  # fmt: skip

    def _summary(self) -> str:
        return f"{self.model.label}: {bytes_text(self.bytes)}"


def memory_use(model: Model, *, train: bool = False) -> MemoryUse:
    """The memory of a network. Raises UsageError for symbols or arrays as sizes."""
    model.require_numeric("memory")
    graph = unroll(model.layers())
    ((_, layers),) = unrolled_layers(graph)
    step = step_of(graph, layers, model.dtype)
    if all(layer.op.is_input for layer in layers):
        raise UsageError(f"{model.label} has no layers, and holds its input alone")
    if train:
        step.needs_training()
        parts, moment = parts_of_peak(step.layers, step.dtype, step.optimizer)
        return MemoryUse(model, parts, moment.layer, moment.phase)
    peak = peak_activations(graph)
    rows = [*walk(graph)]
    width = model.dtype.scale("weights")
    parts = {
        WEIGHTS: sum(row.params for row in rows) * width,
        BUFFERS: sum(row.total("buffers") for row in rows) * width,
        ACTIVATIONS: peak.elements * model.dtype.scale("activations"),
    }
    return MemoryUse(model, parts, peak.layer, INFERENCE)


def fitting(model: Model, within: Any, knob: str = "batch", *, train: bool = False) -> Scaled:
    """The largest value of a knob with which a network fits into so many bytes, `"24GB"` or a number: `scale` by
    `train_peak_bytes`, or by `memory_bytes`.

    Raises NothingFits if no value does, and what `scale` raises.
    """
    return largest(model, knob, {"train_peak_bytes" if train else "memory_bytes": read_bytes(within)})
