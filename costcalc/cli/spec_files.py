"""Commands about spec files: validate, ops, schema."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from costcalc.cli.options import Format, MaxBytes, MaxLayers, Output, Target, emit, load_models
from costcalc.errors import Problem, UsageError, shorten
from costcalc.report import put
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS


def validate(
    paths: Annotated[list[str], typer.Argument(metavar="TARGET", help="Specs to check: paths or names; augment:NAME.")],
    strict: Annotated[bool, typer.Option("--strict", help="Warnings are errors: exit 1 if there is one.")] = False,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """All errors of a spec at once, each with file, line and column, and warnings. Exit 2 if there is an error, 1 with
    --strict if there is a warning."""
    from costcalc.analysis.validate import Validation
    from costcalc.analysis.validate import validate as check
    from costcalc.table import visible

    found, code = [], 0
    for path in paths:
        (checked,) = check(path, max_layers=max_layers, max_bytes=max_bytes).files
        code = max(code, 2 if not checked.ok else 1 if strict and checked.problems else 0)
        found.append(checked.as_errors() if strict else checked)
        if format or output:
            continue
        for problem in checked.problems:
            print(visible(_as_error(problem) if strict and problem.warning else str(problem)), file=sys.stderr)
        if found[-1].ok:
            put(f"{visible(checked.line)}\n")
    if format or output:
        emit(Validation(tuple(found)), format, output)
    if code:
        raise typer.Exit(code)


def _as_error(problem: Problem) -> str:
    """A warning as the text of an error."""
    return str(replace(problem, warning=False, message=f"error: {problem.message}"))


def info(
    target: Target,
    yaml: Annotated[bool, typer.Option("--yaml", help="Print the spec itself.")] = False,
    format: Format = None,
    output: Output = None,
) -> None:
    """What a network is, its source, its presets, and what each knob means, may be and does."""
    if yaml:
        from costcalc.spec.library import text_of

        if format or output:
            raise UsageError("--yaml prints the spec as it is, without a format; send it to a file with >")
        put(text_of(target))
        return
    from costcalc.analysis.net_info import net_info

    (model,) = load_models([target], None)
    emit(net_info(model), format, output)


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the network; the file is NAME.yaml.")],
    like: Annotated[
        str, typer.Option("--like", metavar="TARGET", help="Begin as this spec or preset, with its knobs.")
    ] = "",
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="In place of NAME.yaml; - prints it.")
    ] = None,
) -> None:
    """A spec to start from, with the line that tells an editor its schema."""
    from costcalc.files import write
    from costcalc.importers.targets import is_import, is_onnx
    from costcalc.spec.new_spec import new_spec

    if is_import(like) or is_onnx(like):
        made = f"`costcalc export {shorten(like)} -o {name}.yaml` writes that of a model"
        raise UsageError(f"--like takes a spec; {made}")
    text, path = new_spec(name, like), Path(output or f"{name}.yaml")
    if output == "-":
        put(text)
        return
    if path.exists():
        raise UsageError(f"there is a file {str(path)!r} already; give another name, or -o FILE")
    write(path, text)
    put(f"{path}: try `costcalc show {path if path.is_absolute() else f'./{path}'} --depth 1`\n")


def ops(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One of them, with all there is to say.")] = None,
    format: Format = None,
    output: Output = None,
) -> None:
    """What a layer of a spec can be: every op with its shapes and fields, or all about one."""
    from costcalc.analysis.op_catalog import op_result, ops_result

    emit(op_result(name) if name else ops_result(), format, output)


def schema(
    augment: Annotated[bool, typer.Option("--augment", help="Of augmentation pipelines, not of networks.")] = False,
    documents: Annotated[bool, typer.Option("--json", help="Of what commands print with -f json.")] = False,
) -> None:
    """A JSON Schema of specs, for editors: completion, and a mark at what is misspelt. With --json of the output."""
    import json

    if augment and documents:
        raise UsageError("--augment and --json are two schemas; give one of them")
    if documents:
        from costcalc.report.document_schema import document_schema

        print(json.dumps(document_schema(), indent=2, ensure_ascii=False))
        return
    if augment:
        from costcalc.pipeline.pipeline_schema import pipeline_schema

        put(f"{json.dumps(pipeline_schema(), indent=2, ensure_ascii=False)}\n")
        return
    from costcalc.analysis.metrics import COUNTED
    from costcalc.spec.schema import json_schema

    put(f"{json.dumps(json_schema(COUNTED), indent=2, ensure_ascii=False)}\n")
