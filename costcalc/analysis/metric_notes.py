"""The notes below tables: what each metric counts."""

from __future__ import annotations

from collections.abc import Iterable

from costcalc.analysis.metrics import IN_BYTES, METRICS
from costcalc.dtype import FLOAT32, Dtype
from costcalc.table import FOOTER
from costcalc.text import packed
from costcalc.train_step import TrainStep


def metric_notes(metrics: Iterable[str], dtype: Dtype | None, step: TrainStep | None = None) -> list[str]:
    """The convention of MACs, where metrics are about them; what the others count, in a few words, with the dtype of
    bytes; how a `step` of training is taken."""
    names = [*metrics]
    notes = [FOOTER] if {"macs", "flops", "intensity"} & {*names} else []
    notes += packed([note for name in names if (note := _note(name, dtype))])
    return [*notes, *(training_note(names, step) if step else [])]


def _note(name: str, dtype: Dtype | None) -> str:
    """`saved bytes: what layers keep for the backward pass, in float32`; empty for what needs no words."""
    metric, in_bytes = METRICS[name], dtype is not None and name in IN_BYTES
    if metric.usual and not metric.brief and not (in_bytes and dtype != FLOAT32):
        return ""
    return f"{metric.title}: {metric.brief or metric.counts}" + (f", {dtype.words}" if dtype and in_bytes else "")


def training_note(metrics: Iterable[str], step: TrainStep) -> list[str]:
    """How a step of training is taken, if any of the metrics is about one."""
    about_training = any(METRICS[name].step and name != "memory_bytes" for name in metrics)
    return [f"training: {step.words}"] if about_training else []
