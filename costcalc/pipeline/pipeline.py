"""A pipeline with its knobs set: the steps in order, and the image that they are given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from costcalc.dims import Size
from costcalc.errors import Problem, Problems, ShapeError, SpecError, UsageError
from costcalc.models.architecture import values_of
from costcalc.models.knob import EMPTY
from costcalc.ops.needs import Fact, Need
from costcalc.pipeline.image_tensor import ImageTensor
from costcalc.pipeline.pipeline_spec import MAX_STEPS, PipelineSpec, PlacedStep, plain_size, step_names
from costcalc.pipeline.step_base import CONTINUOUS, Step, Views, is_of_fields, unchanged

SMALLER = "make it smaller, or resize before it"
ANY_IMAGE = ImageTensor(3, 256, 256)  # where a file's own is invalid


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
        """A row for each step. Raises SpecError or ShapeError for the first invalid step."""
        problems = Problems()
        found = [*_walk(self.steps, self.image, problems)]
        for problem in problems.found:
            raise SpecError(problem) if problem.place else ShapeError(problem.message, problem.hint)
        return found


def bind_pipeline(spec: PipelineSpec, settings: Mapping[str, Any] = EMPTY, label: str = "") -> Pipeline:
    """The pipeline of a spec. Raises SpecError with every problem, UnknownName, UsageError."""
    problems = Problems()
    found, _ = bind_valid_steps(spec, settings, problems, label)
    problems.raise_any()
    return found


def bind_valid_steps(
    spec: PipelineSpec, settings: Mapping[str, Any], problems: Problems, label: str = ""
) -> tuple[Pipeline, int]:
    """The same with the steps that are valid, and how many of them have the image that they are given: those before
    the first that is not valid, and none where the input is not. Adds to `problems`."""
    values = values_of(spec.name, spec.knobs, settings)
    image, steps = spec.image(values, problems), spec.steps(values, problems)
    whole = 0 if image is None else [*steps, None].index(None)
    valid = tuple(step for step in steps if step is not None)
    return Pipeline(label or spec.name, valid, image or ANY_IMAGE, spec, dict(settings), values), whole


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


def find_problems(pipeline: Pipeline, problems: Problems, whole: int) -> list[StepRow]:
    """The rows of the first `whole` steps, up to one that does not fit its image. Adds to `problems` what is wrong with
    that step, and with the fields of all steps."""
    rows = list(_walk(pipeline.steps[:whole], pipeline.image, problems))
    for placed in pipeline.steps:
        _report(placed, filter(is_of_fields, placed.step.needs(pipeline.image)), problems)
    return rows


def _walk(steps: Sequence[PlacedStep], image: ImageTensor, problems: Problems) -> Iterator[StepRow]:
    for placed in steps:
        name, step, _ = placed
        needs = list(step.needs(image))
        failed = _report(placed, needs, problems)
        if failed and type(step).after is unchanged and all(map(is_of_fields, failed)):
            continue  # the next step is given the same image, whatever the fields are
        if failed:
            return
        after = step.after(image)
        open_needs = tuple(need for need in needs if need.truth is None)
        yield StepRow(name, step, image, after, step.elementwise(image, after), step.views(image, after), open_needs)
        image = after


def _report(placed: PlacedStep, needs: Iterable[Need], problems: Problems) -> list[Need]:
    """The needs that do not hold: all of the step's fields, and the first of its image. Adds them to `problems`."""
    failed = [need for need in needs if need.truth is False]
    of_image = [need for need in failed if not is_of_fields(need)]
    for need in (said := [need for need in failed if need not in of_image[1:]]):
        hint = "" if isinstance(need, Fact) or is_of_fields(need) else SMALLER
        problems.found[Problem(placed.place, f"step {placed.name!r}: {need}", hint)] = None
    return said
