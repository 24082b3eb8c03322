"""The command that writes a network as a spec or a drawing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from costcalc.cli.options import Input, MaxBytes, MaxLayers, Set, Target, check_folder, load_models
from costcalc.errors import UsageError
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS


def _checked_format(format: str | None) -> str | None:
    """Checks that networks are written in this format."""
    from costcalc.exporters.export_model import format_of

    return format and format_of(format, None)


def _checked_output(context: typer.Context, output: str | None) -> str | None:
    """Checks, before anything is counted, that the file can be written. Typer reads --format first."""
    from costcalc.exporters.export_model import format_of

    if output is not None:
        format_of(context.params.get("format"), Path(output))
    return check_folder(output)


Format = Annotated[
    str | None,
    typer.Option(
        "--format", "-f", metavar="FORMAT", is_eager=True, callback=_checked_format, help="yaml, dot, mermaid or onnx."
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="FILE", callback=_checked_output, help="Write FILE: .yaml, .dot, .mmd or .onnx."
    ),
]


def export(
    target: Target,
    input: Input = None,
    set_: Set = None,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """A network as a spec that reads well, with repeated blocks folded, or as a drawing."""
    from costcalc import report
    from costcalc.exporters.export_model import export as write

    (net,) = load_models([target], set_, max_layers, max_bytes, inputs=input)
    path = None if output in (None, "-") else output
    if path is None and format == "onnx":
        raise UsageError("onnx is a binary format; name a file: -o net.onnx")
    exported = write(net, path, format=format)
    report.put(exported.text if isinstance(exported.text, str) and not path else f"{path}: {exported.contents}\n")
