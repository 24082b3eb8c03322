"""A pipeline with its knobs set: the steps in order, and the image that they are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from costcalc.dims import Size
from costcalc.errors import Problem, Problems, ShapeError, SpecError, UsageError
from costcalc.models.knob import EMPTY
from costcalc.models.model import values_of
from costcalc.ops.needs import Fact, Need
from costcalc.pipeline.image_tensor import ImageTensor
from costcalc.pipeline.pipeline_spec import MAX_STEPS, PipelineSpec, PlacedStep, plain_size, step_names
from costcalc.pipeline.step_base import CONTINUOUS, Step, Views

SMALLER = "make it smaller, or resize before it"


class StepRow(NamedTuple):
    """One step, the image before and after it, and what it costs."""

    name: str
    step: Any
    before: ImageTensor
    after: ImageTensor
    elementwise: Size
    views: Views
    needs: tuple[Need, ...] = ()  # that symbols leave undecided

    @property
    def is_continuous(self) -> bool:
        """Does it draw from a continuous distribution?"""
        return isinstance(self.views, str) and self.views == CONTINUOUS


@dataclass(frozen=True)
class Pipeline:
    """A pipeline under a label. `spec` is None for a list of steps."""

    label: str
    steps: tuple[PlacedStep, ...]
    image: ImageTensor
    spec: PipelineSpec | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """The label and the title."""
        return f"{self.label}: {self.spec.title}" if self.spec and self.spec.title else self.label

    def rows(self) -> list[StepRow]:
        """A row for each step. Raises SpecError or ShapeError for the first step that cannot be."""
        problems = Problems()
        found = list(_walk(self.steps, self.image, problems))
        for problem in problems.found:
            raise SpecError(problem) if problem.place else ShapeError(problem.message, problem.hint)
        return found


def bind_pipeline(spec: PipelineSpec, settings: Mapping[str, Any] = EMPTY, label: str = "") -> Pipeline:
    """The pipeline of a spec. Raises SpecError with every problem, UnknownName, UsageError."""
    problems = Problems()
    found = bind_valid_steps(spec, settings, problems, label)
    problems.raise_any()
    assert found is not None
    return found


def bind_valid_steps(
    spec: PipelineSpec, settings: Mapping[str, Any], problems: Problems, label: str = ""
) -> Pipeline | None:
    """The same with the steps that are valid; None without an image. Adds to `problems`."""
    values = values_of(spec.name, spec.knobs, settings)
    image, steps = spec.image(values, problems), spec.steps(values, problems)
    if image is None:
        return None
    return Pipeline(label or spec.name, tuple(steps), image, spec, dict(settings), values)


def pipeline_of(steps: Sequence[Any], image: Any) -> Pipeline:
    """A pipeline of steps that a reader made, for an image (c, h, w). Raises UsageError."""
    if not steps:
        raise UsageError("the pipeline is empty; give at least one step, as in costcalc.pipeline.HorizontalFlip()")
    if len(steps) > MAX_STEPS:
        raise UsageError(f"the pipeline has {len(steps):,} steps; at most {MAX_STEPS}")
    for step in steps:
        if not isinstance(step, Step):
            raise UsageError(f"{step!r:.80} is no step of a pipeline; see costcalc.pipeline.STEPS")
    if not isinstance(image, (tuple, list)) or len(image) != 3:
        raise UsageError("a list of steps needs the sizes of an image: image=(3, 256, 256)")
    names = step_names([step.name for step in steps])
    sizes = [plain_size(size, "image") for size in image]
    return Pipeline("pipeline", tuple(map(PlacedStep, names, steps)), ImageTensor(*sizes))


def find_problems(pipeline: Pipeline, problems: Problems) -> list[StepRow]:
    """The rows, up to the first step that cannot be; its problem is added to `problems`."""
    return list(_walk(pipeline.steps, pipeline.image, problems))


def _walk(steps: Sequence[PlacedStep], image: ImageTensor, problems: Problems) -> Iterator[StepRow]:
    for name, step, place in steps:
        needs = list(step.needs(image))
        failed = next((need for need in needs if need.truth is False), None)
        if failed is not None:
            problems.found[Problem(place, f"step {name!r}: {failed}", "" if isinstance(failed, Fact) else SMALLER)] = (
                None
            )
            return
        after = step.after(image)
        open_needs = tuple(need for need in needs if need.truth is None)
        yield StepRow(name, step, image, after, step.elementwise(image, after), step.views(image, after), open_needs)
        image = after
