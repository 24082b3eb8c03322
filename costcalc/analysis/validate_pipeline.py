"""Everything wrong with a pipeline at once."""

from __future__ import annotations

from typing import Any

from costcalc.analysis.file_report import FileReport, name_unlike_file
from costcalc.analysis.reconcile_pipeline import exact
from costcalc.errors import Problems, SpecError, in_reading_order
from costcalc.pipeline.augmentation import Augmentation
from costcalc.pipeline.pipeline import bind_valid_steps, find_problems
from costcalc.pipeline.pipeline_library import parse_pipeline, pipeline_text
from costcalc.pipeline.pipeline_spec import PipelineSpec
from costcalc.text import plural


def validate_pipeline(target: Any, max_bytes: int) -> FileReport:
    """The problems of a pipeline: it is read, and every step is asked at the defaults of the knobs."""
    data, file = pipeline_text(target, max_bytes)
    is_file = isinstance(data, bytes)  # not a text or a dict
    problems, line = Problems(), ""
    try:
        spec = parse_pipeline(data, file, max_bytes=max_bytes, problems=problems)
        line = _check(spec, problems)
        if is_file:
            problems.found.update(dict.fromkeys(name_unlike_file("pipeline", spec.name, file)))
    except SpecError as error:
        problems.found.update(dict.fromkeys(error.problems))
    found = tuple(in_reading_order(problems.found))
    return FileReport(file, found, "" if found else f"{file}: ok ({line})")


def _check(spec: PipelineSpec, problems: Problems) -> str:
    """Adds the problems of the steps, and of published figures. Returns the size of the pipeline in words."""
    pipeline, whole = bind_valid_steps(spec, {}, problems)
    rows = find_problems(pipeline, problems, whole)
    if len(problems):
        return ""
    found = Augmentation(pipeline, tuple(rows))
    for figure in spec.published:
        problems.attempt(exact, figure, found)
    return f"{plural(len(found.rows), 'step')}, {plural(found.views, 'view')}"
