"""Everything wrong with a pipeline at once."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

from costcalc.analysis.file_report import FileReport
from costcalc.errors import Place, Problems, SpecError, did_you_mean, in_reading_order
from costcalc.models.knob import Published
from costcalc.pipeline.augmentation import METRICS, Augmentation
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
        if is_file and spec.name not in ("", _stem(file)):
            message = f"the pipeline {spec.name!r} stands in {Path(file).name}"
            problems.add(Place(file, 1, 1), message, f"name it {_stem(file)}")
        line = _check(spec, problems)
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
    names = [name for name, *_ in pipeline.steps]
    for figure in spec.published:
        _check_figure(figure, names, problems)
    if len(problems):
        return ""
    views = Augmentation(pipeline, tuple(rows)).views
    return f"{plural(len(rows), 'step')}, {plural(views, 'view')}"


def _check_figure(figure: Published, names: list[str], problems: Problems) -> None:
    if figure.metric not in METRICS:
        problems.add(figure.metric_place, f"unknown metric {figure.metric!r}", did_you_mean(figure.metric, METRICS))
    if figure.block and figure.block not in names:
        problems.add(figure.place, f"there is no step {figure.block!r}", did_you_mean(figure.block, names))


def _stem(file: str) -> str:
    return unicodedata.normalize("NFC", Path(file).stem)
