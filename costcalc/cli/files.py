"""Commands about spec files: validate, schema."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from costcalc.cli.options import MaxLayers
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS

MaxBytes = Annotated[int, typer.Option("--max-bytes", metavar="N", help="Refuse files that are larger.")]


def validate(
    paths: Annotated[list[str], typer.Argument(metavar="FILE", help="Specs to check.")],
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """All errors of a spec at once, each with file, line and column. Exit 2 if there is one; warnings are no error."""
    from costcalc.analysis.check import check_file
    from costcalc.table import visible

    ok = True
    for path in paths:
        checked = check_file(path, max_layers=max_layers, max_bytes=max_bytes)
        for problem in checked.problems:
            print(visible(str(problem)), file=sys.stderr)
        if checked.ok:
            print(visible(checked.line))
        ok = ok and checked.ok
    if not ok:
        raise typer.Exit(2)


def schema() -> None:
    """A JSON Schema of specs, for editors: completion, and a mark at what is misspelt."""
    import json

    from costcalc.spec.schema import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
