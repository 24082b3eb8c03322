"""A pipeline beside the network that it feeds: the counts of both, and how many workers keep a device busy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from costcalc.analysis.batch import batch_of
from costcalc.analysis.cost import cost_of
from costcalc.analysis.warnings import warnings_of
from costcalc.errors import Problem, UsageError, shorten
from costcalc.models.model import Model
from costcalc.pipeline.augmentation import Augmentation
from costcalc.result import Result
from costcalc.table import FOOTER, Column, Table
from costcalc.text import plural

INPUT_BOUND, HIGHLY_INPUT_BOUND = 0.05, 0.20  # of a step spent waiting, in TensorFlow's profiler
COLUMNS = (Column("side", "of", "text"), Column("count", "count", "text"), Column("value", "value"))
NO_TIME = "counts are not time: an operation of a pipeline does not take as long as one of a network; --time measures"


@dataclass(frozen=True, eq=False, repr=False)
class Feeding(Result):
    """The counts of a step in the pipeline and in the network; `rate` is what the step takes, in network inputs/s."""

    augmentation: Augmentation
    model: Model
    rate: float | None = None

    @property
    def batch(self) -> int:
        """Images of a step."""
        return batch_of(self.model)

    @property
    def images_per_second(self) -> float | None:
        """The images that enter the pipeline at this rate."""
        return None if self.rate is None else self.rate / self.augmentation.images

    def tables(self) -> list[Table]:
        """The pipeline, and the counts of a step on either side."""
        return [self.augmentation.table(), self.beside()]

    def beside(self) -> Table:
        """A row for each count."""
        rows = [*self.counts(), *self._each_second()]
        about = f"a step of {self.model.label}, {plural(self.batch, 'image')}"
        return Table(about, COLUMNS, rows, notes=[*self._notes(), NO_TIME, FOOTER])

    def counts(self) -> list[dict[str, Any]]:
        """The counts of a step, of both."""
        of_pipeline, batch = self.augmentation, self.batch
        cost = cost_of(consumer(self.model, of_pipeline))
        pipeline = {
            "elementwise": of_pipeline.elementwise * batch, "bytes in": of_pipeline.bytes_in * batch,
            "bytes out": of_pipeline.bytes_out * batch, "bytes into the network": of_pipeline.image.bytes * batch,
        }  # fmt: skip
        names = {"macs": "MACs, forward", "train_macs": "MACs, training", "train_elementwise": "elementwise, training"}
        network = {text: cost.total(metric) for metric, text in names.items()}
        sides = ((of_pipeline.pipeline.label, pipeline), (self.model.label, network))
        return [{"side": side, "count": name, "value": value} for side, found in sides for name, value in found.items()]

    def _each_second(self) -> list[dict[str, Any]]:
        found, entering = self.augmentation, self.images_per_second
        if entering is None:
            return []
        side = f"at {self.rate:g} {rate_unit(found.images)}" + f", {entering:g} images/s" * (found.images != 1)
        each = {"elementwise a second": found.elementwise, "bytes into the network a second": found.image.bytes}
        return [{"side": side, "count": name, "value": round(value * entering)} for name, value in each.items()]

    def _notes(self) -> list[str]:
        return [note for note in (unlike_input(self.augmentation, self.model), passes(self.augmentation)) if note]

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(self.model.label, warnings_of(self.model))]

    def _fields(self) -> dict[str, Any]:
        about = {"step": self.model.label, "batch": self.batch, "images_per_second": self.images_per_second}
        about["network_inputs_per_second"] = self.rate
        return {**self.augmentation._fields(), "beside": {**about, "counts": self.counts(), "notes": self._notes()}}

    def _summary(self) -> str:
        return f"{self.augmentation._summary()}, beside {self.model.label}"


def feeding(augmentation: Augmentation, model: Model, rate: float | None = None) -> Feeding:
    """A pipeline beside a network. Raises UsageError for symbols, or a rate that is not positive."""
    if rate is not None:
        check_rate(rate)
    model.require_numeric("augment")
    require_numbers(augmentation)
    consumer(model, augmentation)
    return Feeding(augmentation, model, rate)


def require_numbers(augmentation: Augmentation) -> None:
    """Raises UsageError for a pipeline with symbols."""
    if not isinstance(augmentation.bytes_in, int):
        raise UsageError(f"{augmentation.pipeline.label} has symbols; set them to set it beside a network")


def check_rate(rate: float) -> float:
    """The rate, in network inputs/s. Raises UsageError unless it is a positive number."""
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < math.inf:
        shown = f"{rate:g}" if isinstance(rate, (int, float)) else shorten(repr(rate), 40)
        raise UsageError(f"the rate is {shown} network inputs/s; give what a step consumes, more than 0")
    return rate


def check_workers(workers: int) -> int:
    """The number of workers. Raises UsageError unless it is 1 or more."""
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise UsageError(f"--workers must be a whole number of at least 1, got {workers!s:.40}")
    return workers


def consumer(model: Model, augmentation: Augmentation) -> Model:
    """The network with its batch multiplied by the images that the pipeline makes of one. Raises UsageError for several
    images and a network without a knob `batch`."""
    if augmentation.images == 1:
        return model
    if "batch" not in model.knobs:
        raise UsageError(
            f"the pipeline makes {augmentation.images} images of one, and {model.label} has no knob 'batch'"
        )
    return model.at({"batch": batch_of(model) * augmentation.images})


def unlike_input(augmentation: Augmentation, model: Model) -> str:
    """A sentence if the network takes images of another shape; else empty."""
    made = augmentation.image
    taken = next(row.output_shape[1:] for row in cost_of(model).layers if row.op.is_input)
    if tuple(made.shape) == tuple(taken):
        return ""
    sizes = "×".join(map(str, (*taken[1:], taken[0])))
    return f"the pipeline makes images of {made._replace(images=1).text}, {model.label} takes {sizes}"


def passes(augmentation: Augmentation) -> str:
    """A sentence if one image becomes several; else empty."""
    images = augmentation.images
    return "" if images == 1 else f"one image becomes {images}: the network makes {images} forward passes for each"


def rate_unit(images: int) -> str:
    """What a network consumes a second: images, or what an image becomes where that is several."""
    return "images/s" if images == 1 else "network inputs/s"


def workers_needed(rate: float, seconds: float) -> int:
    """⌈rate·Σt⌉: the workers that take in `rate` images/s, where one takes `seconds` of a core."""
    return math.ceil(rate * seconds)


def waiting_share(rate: float, seconds: float, workers: int) -> float:
    """The share of a step that it waits for its images: 1 − workers/(rate·Σt), or 0."""
    return max(0.0, 1 - workers / (rate * seconds))


def verdict(share: float) -> str:
    """What TensorFlow's profiler calls a step that waits for this share of its time."""
    if share >= HIGHLY_INPUT_BOUND:
        return "highly input-bound: the device starves"
    return "input-bound: the device starves at times" if share >= INPUT_BOUND else "not input-bound"
