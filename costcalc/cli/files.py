"""Commands about spec files: validate, schema."""

from __future__ import annotations

from typing import Annotated

import typer

from costcalc.cli.options import MaxLayers


def validate(
    paths: Annotated[list[str], typer.Argument(metavar="FILE…", help="Specs to check.")],
    max_layers: MaxLayers = 100_000,
) -> None:
    """All errors of a spec at once, each with file, line and column."""
    from costcalc.analysis.check import check_file

    for path in paths:
        print(check_file(path, max_layers=max_layers))


def schema() -> None:
    """A JSON Schema of specs, for editors."""
    import json

    from costcalc.spec.schema import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
