"""The most memory that a training step holds at once, at which moment, and of what kinds."""

from __future__ import annotations

from collections.abc import Sequence

from costcalc.analysis.training.step_events import StepEvents
from costcalc.analysis.training.step_layers import StepLayer
from costcalc.analysis.training.timeline import Moment, parts_at, peaks_of
from costcalc.dims import Size
from costcalc.dtype import Dtype
from costcalc.train_step import Optimizer


def step_peaks(
    layers: Sequence[StepLayer], dtype: Dtype, optimizer: Optimizer, *, adds_in_place: bool = True
) -> dict[Moment, Size]:
    """The most bytes that a training step holds at each of its moments."""
    return peaks_of(StepEvents(layers, dtype, optimizer, adds_in_place=adds_in_place).events())


def step_peak(
    layers: Sequence[StepLayer], dtype: Dtype, optimizer: Optimizer, *, adds_in_place: bool = True
) -> tuple[Size, Moment]:
    """The most bytes that a training step holds at once, and the first moment at which it does. For numbers."""
    peaks = step_peaks(layers, dtype, optimizer, adds_in_place=adds_in_place)
    most = max(peaks.values())
    return most, next(moment for moment, peak in peaks.items() if peak == most)


def parts_of_peak(layers: Sequence[StepLayer], dtype: Dtype, optimizer: Optimizer) -> tuple[dict[str, int], Moment]:
    """What a training step holds when it holds most, by kind, and that moment: of layers written out."""
    most, moment = step_peak(layers, dtype, optimizer)
    return parts_at(StepEvents(layers, dtype, optimizer).events(), moment, most), moment
