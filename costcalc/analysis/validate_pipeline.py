"""Everything wrong with a pipeline at once."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

from costcalc.analysis.file_report import FileReport
from costcalc.analysis.reconcile_pipeline import exact
from costcalc.errors import Place, Problems, SpecError, in_reading_order
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
        if is_file and spec.name not in ("", _stem(file)):
            message = f"the pipeline {spec.name!r} stands in {Path(file).name}"
            problems.add(Place(file, 1, 1), message, f"name it {_stem(file)}")
    except SpecError as error:
        problems.found.update(dict.fromkeys(error.problems))
    found = tuple(in_reading_order(problems.found))
    return FileReport(file, found, "" if found else f"{file}: ok ({line})")


def _check(spec: PipelineSpec, problems: Problems) -> str:
    """Adds the problems of the steps, and of published figures. Returns the size of the pipeline in words."""
    whole = not len(problems)  # else a step may be missing, and the next one gets another image
    pipeline = bind_valid_steps(spec, {}, problems)
    if pipeline is None or not whole or len(problems):
        return ""
    rows = find_problems(pipeline, problems)
    found = Augmentation(pipeline, tuple(rows))
    for figure in spec.published if not len(problems) else ():
        problems.attempt(exact, figure, found)
    if len(problems):
        return ""
    views = found.views
    return f"{plural(len(rows), 'step')}, {plural(views, 'view')}"


def _stem(file: str) -> str:
    return unicodedata.normalize("NFC", Path(file).stem)
