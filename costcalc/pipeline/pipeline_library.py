"""Finding pipelines: by name, by path, as text or as a dict, with knobs set behind an @."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from os import PathLike
from os.path import isfile
from pathlib import Path
from typing import Any

from costcalc.dims import to_exact
from costcalc.errors import (
    CostcalcError,
    Problems,
    UnknownName,
    UsageError,
    did_you_mean,
    shorten,
    unknown,
    why,
)
from costcalc.models.knob_texts import labelled, parse_settings, split_target
from costcalc.pipeline.pipeline import Pipeline, bind_pipeline, pipeline_of
from costcalc.pipeline.pipeline_reader import is_pipeline_tree, read_pipeline
from costcalc.pipeline.pipeline_spec import PipelineSpec
from costcalc.result import TableResult
from costcalc.spec.library import PIPELINE, library_folder, spec_text
from costcalc.spec.limits import MAX_BYTES
from costcalc.spec.parse import bytes_of
from costcalc.spec.yaml_reader import read
from costcalc.table import Column, Table


@cache
def pipeline_paths() -> dict[str, Path]:
    """The file of each pipeline of the library, by name."""
    return {path.stem: path for path in sorted((library_folder() / "augment").glob("*.yaml"))}


def is_pipeline(target: Any, *, max_bytes: int = MAX_BYTES) -> bool:
    """Is this a pipeline, not a network: `augment:NAME`, or a file, a text or a dict that has steps and no layers?"""
    if not isinstance(target, (str, PathLike, Mapping)):
        return isinstance(target, Pipeline)
    try:
        if own := spec_text(target):
            return is_pipeline_tree(read(*own, Problems(), max_bytes=max_bytes))
        name = split_target(str(target))[0]
        if name.startswith(PIPELINE):
            return True
        is_path = re.search(r"[./\\]", name) and isfile(name)
        return bool(is_path) and is_pipeline_tree(
            read(bytes_of(name, max_bytes), name, Problems(), max_bytes=max_bytes)
        )
    except (CostcalcError, OSError, ValueError):
        return False  # the reader of networks says what is wrong


def parse_pipeline(
    data: bytes | str, file: str, *, max_bytes: int = MAX_BYTES, problems: Problems | None = None
) -> PipelineSpec:
    """The pipeline in a text; `file` names it in messages. Raises SpecError with all its problems.

    With `problems` it adds them there instead, and leaves out what is invalid.
    """
    found = Problems() if problems is None else problems
    tree = read(data, file, found, max_bytes=max_bytes)
    keys = {key.text: key for key, _ in tree.entries}
    if "layers" in keys and "steps" not in keys:
        found.stop(keys["layers"].place, "this is a network, not a pipeline", f"see `costcalc show {file}`")
    spec = read_pipeline(tree, file, found)
    if problems is None:
        found.raise_any()
    return spec


def load_pipeline(target: Any, texts: list[str] | None = None, *, max_bytes: int = MAX_BYTES, **knobs: Any) -> Pipeline:
    """The pipeline that a target means: `alexnet@crop=227`, a path, a text or a dict. `texts` are of `--set`.

    Raises UnknownName, UsageError, SpecError.
    """
    if isinstance(target, Pipeline):
        if knobs or texts:
            raise UsageError("a Pipeline has its knobs set; load it by its name to set others")
        return target
    if not isinstance(target, (str, PathLike, Mapping)):
        raise UsageError(f"a {type(target).__name__} is not a pipeline; give a name, a path, a dict, or steps")
    if own := spec_text(target):
        spec, label, parts = parse_pipeline(*own, max_bytes=max_bytes), "", list[str]()
    else:
        label = str(target).removeprefix(PIPELINE)
        name, at, given = split_target(label)
        parts = given.split(",") if at else []
        spec = _find_spec(name, max_bytes)
    for name in knobs:
        if name not in spec.knobs:
            raise unknown("knob", name, spec.knobs, of=spec.name)
    words = [f"{name}={value}" for name, value in knobs.items() if isinstance(value, str)]
    settings: dict[str, Any] = {}
    for given_as_text in (parts, texts or [], words):
        settings |= parse_settings(given_as_text, spec.knobs, spec.name)
    settings |= {name: to_exact(value) for name, value in knobs.items() if not isinstance(value, str)}
    more = [*(texts or []), *(f"{name}={value}" for name, value in knobs.items())]
    return bind_pipeline(spec, settings, labelled(label or spec.name, more))


def _find_spec(name: str, max_bytes: int) -> PipelineSpec:
    if name in pipeline_paths():
        return _library_pipeline(name)
    return parse_pipeline(*pipeline_text(name, max_bytes), max_bytes=max_bytes)


def pipeline_text(target: Any, max_bytes: int = MAX_BYTES) -> tuple[bytes | str, str]:
    """The text of a pipeline, and its file in messages. Raises UnknownName, UsageError."""
    if own := spec_text(target):
        return own
    name = str(target).removeprefix(PIPELINE)
    if name in pipeline_paths():
        name = str(pipeline_paths()[name])
    elif not re.search(r"[./\\]", name):
        hint = did_you_mean(name, pipeline_paths(), listed=False)
        raise UnknownName(f"no pipeline named {shorten(name)!r}", f"{hint} see `costcalc augment`".lstrip())
    try:
        return bytes_of(name, max_bytes), name
    except FileNotFoundError:
        raise UnknownName(f"there is no file {name[:200]!r}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {name[:200]!r}: {why(error, 'it was being read')}") from None


@cache
def _library_pipeline(name: str) -> PipelineSpec:
    return parse_pipeline(*pipeline_text(name))


def any_pipeline(given: Any, image: Any = None, **knobs: Any) -> Pipeline:
    """The pipeline of a target, or of a list of steps for an `image` (c, h, w). Raises as `load_pipeline` does."""
    if isinstance(given, (list, tuple)):
        if knobs:
            raise UsageError(f"a list of steps has no knobs; got {', '.join(sorted(knobs))}")
        return pipeline_of(given, image)
    if image is not None:
        raise UsageError("image goes with a list of steps; a pipeline of a name or file has its input")
    return load_pipeline(given, **knobs)


def pipelines() -> TableResult:
    """Every pipeline of the library."""
    columns = (Column("name", "name", "text"), Column("title", "what it is", "text", 1))
    found = [_library_pipeline(name) for name in pipeline_paths()]
    rows = [{"name": spec.name, "title": spec.title, "source": spec.source} for spec in found]
    return TableResult(Table("", columns, rows), {"pipelines": rows})
