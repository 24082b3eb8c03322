"""Commands about spec files: validate, schema."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from costcalc.cli.options import Format, MaxBytes, MaxLayers, Output, emit
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS


def validate(
    paths: Annotated[list[str], typer.Argument(metavar="FILE", help="Specs to check.")],
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """All errors of a spec at once, each with file, line and column. Exit 2 if there is one; warnings are no error."""
    from costcalc.analysis.check import check_file, checked_table, checked_to_dict
    from costcalc.table import visible

    found = []
    for path in paths:
        checked = check_file(path, max_layers=max_layers, max_bytes=max_bytes)
        found.append(checked)
        if format or output:
            continue
        for problem in checked.problems:
            print(visible(str(problem)), file=sys.stderr)
        if checked.ok:
            print(visible(checked.line))
    if format or output:
        emit([checked_table(found)], checked_to_dict(found), format, output)
    if not all(checked.ok for checked in found):
        raise typer.Exit(2)


def schema() -> None:
    """A JSON Schema of specs, for editors: completion, and a mark at what is misspelt."""
    import json

    from costcalc.spec.schema import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
