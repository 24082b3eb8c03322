"""Options that several commands share, and the functions that read and apply them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from costcalc import report
from costcalc.cli import warned
from costcalc.cli.import_options import chosen
from costcalc.cli.shown_options import float_asked, in_units_asked
from costcalc.errors import CostcalcError, SpecError, UsageError
from costcalc.files import check
from costcalc.report import DRAWINGS, FORMATS, format_of
from costcalc.report.picture_files import check_picture_of, suffixes_of
from costcalc.report.progress_bar import tell
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS
from costcalc.train_step import DEFAULT_STEP, OPTIMIZERS, TrainStep

MAX_ROWS_SHOWN = 40  # points on a terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costcalc.net import Net
    from costcalc.result import Result
    from costcalc.table import Table


def checked_format(context: typer.Context, format: str | None) -> str | None:
    """Checks that the format exists and that the command can write it."""
    return format and _check_drawn(context, format_of(format, None))


def checked_output(context: typer.Context, output: str | None) -> str | None:
    """Checks, before anything is counted, that the file can be written. Typer reads --format first."""
    return check_format(context, output)


def check_format(context: typer.Context, output: str | None, others: str = "") -> str | None:
    """Checks that the suffix or --format is known and the file can be written. Raises UnknownName, which names
    `others` too, and OSError."""
    command, format = context.command_path.partition(" ")[2], context.params.get("format")
    if output is not None and not check_picture_of(command, output, format):
        _check_drawn(context, format_of(format, Path(output), f"{suffixes_of(command)} {others}".strip()))
    return check_folder(output)


def check_folder(output: str | None) -> str | None:
    """Checks that the folder of the file exists. Raises OSError."""
    if output is not None:
        check(Path(output))
    return output


def _check_drawn(context: typer.Context, format: str) -> str:
    """Returns the format. Raises UsageError for a drawing of a command that draws none."""
    if format in DRAWINGS and context.info_name != "show":
        from costcalc.drawing.diagram import not_drawn

        raise not_drawn()
    return format


A_TARGET = (
    "a NAME, a PRESET or the PATH of a spec, if wanted with @knob=value,…; PATH@PRESET has its preset; "
    "torchvision:NAME, timm:NAME, hf:CONFIG.json, FILE.py:CALLABLE, FILE.onnx"
)
Target: TypeAlias = Annotated[str, typer.Argument(metavar="TARGET", help=f"What to count: {A_TARGET}.")]
Targets: TypeAlias = Annotated[list[str], typer.Argument(metavar="TARGET", help=f"Two or more, each {A_TARGET}.")]
Set: TypeAlias = Annotated[
    list[str] | None, typer.Option("--set", metavar="KNOB=VALUE", help="Set a knob; may be repeated.")
]
Input: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="SHAPE",
        help="Of a torch module or ONNX file: 1,3,224,224; mask=1,77; 1,128:int64. May be repeated.",
    ),
]
Batch: TypeAlias = Annotated[
    int | None, typer.Option("--batch", metavar="N", min=1, help="Examples at once: the same as --set batch=N.")
]
Format: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--format", "-f", metavar="FORMAT", is_eager=True, callback=checked_format, help=f"{', '.join(FORMATS)}."
    ),
]
Output: TypeAlias = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", callback=checked_output, help="Write FILE, in its suffix's format."),
]
MaxLayers: TypeAlias = Annotated[
    int, typer.Option("--max-layers", metavar="N", help="Refuse networks of more layers, repeats written out.")
]
MaxBytes: TypeAlias = Annotated[int, typer.Option("--max-bytes", metavar="N", help="Refuse specs that are larger.")]


Columns: TypeAlias = Annotated[
    str | None,
    typer.Option("--columns", metavar="NAMES", help="These columns in this order: name,out,macs,peak_bytes."),
]
Dtype: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--dtype",
        metavar="TYPE",
        help="Of bytes: float32, float16, bfloat16, …, mixed (of training), or weights=TYPE,activations=TYPE.",
    ),
]


Train: TypeAlias = Annotated[
    bool, typer.Option("--train", help="What a training step costs, and what it keeps in memory.")
]
Optimizer: TypeAlias = Annotated[
    str, typer.Option("--optimizer", metavar="NAME", help=f"Of a training step: {', '.join(OPTIMIZERS)}.")
]
Freeze: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--freeze", metavar="PATTERN", help="Not trained: conv1, conv*_x.*.bn, conv1..conv4, ..conv4; may be repeated."
    ),
]
FreezeStatistics: TypeAlias = Annotated[
    bool, typer.Option("--freeze-statistics", help="Frozen batch normalisation runs as at inference.")
]
Checkpoint: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--checkpoint",
        metavar="ROW",
        help="Rows of depth 1 that are computed again for their gradients: conv2_x, conv*_x.",
    ),
]


def load_models(
    targets: list[str], settings: list[str] | None, max_layers: int = MAX_LAYERS, max_bytes: int = MAX_BYTES,
    dtype: str | None = None, step: TrainStep = DEFAULT_STEP, batch: int | None = None,
    inputs: list[str] | None = None,
) -> list[Net]:  # fmt: skip
    """The networks of a command's targets, with --set, --batch and --dtype applied, and how they are trained. Says on
    stderr which file it runs. `inputs` are the shapes of a torch module's."""
    from costcalc.importers.targets import is_import, is_onnx, read_inputs, runs_file
    from costcalc.models.knob_texts import split_target
    from costcalc.net import apply_settings, load

    given, imported = read_inputs(inputs or []), any(map(is_import, targets))
    if "until_values" in chosen() and not imported:
        raise UsageError("--until-values is about torch modules to import, as torchvision:NAME")
    if chosen() and not imported and not any(map(is_onnx, targets)):
        raise UsageError("--assume-free is about networks to import, as torchvision:NAME or model.onnx")
    for file in (split_target(target)[0] for target in targets if runs_file(target)):
        print(f"runs {file}", file=sys.stderr)
    settings = [*(settings or []), *([f"batch={batch}"] if batch is not None else [])]
    found: list[Net] = []
    errors: list[CostcalcError] = []
    for target in targets:
        tell(f"reading {target}")
        try:
            own = given if is_import(target) or not imported else []  # a spec has its own
            of_onnx = {"assume_free"} if is_onnx(target) else set[str]()  # which does not run up to a value
            lenient = {k: v for k, v in chosen().items() if is_import(target) or k in of_onnx}
            found.append(load(target, *own, max_layers=max_layers, max_bytes=max_bytes, **lenient))
        except SpecError as error:
            errors.append(_with_all_problems(error, max_layers, max_bytes))
        except CostcalcError as error:
            errors.append(error)
    tell()
    if len(errors) > 1:
        raise UsageError("\n".join(dict.fromkeys(map(str, errors))))
    if errors:
        raise errors[0]
    found = [model.with_dtype(dtype) if dtype is not None else model for model in apply_settings(found, settings)]
    found = [model.with_step(step) for model in found] if step != DEFAULT_STEP else found
    warned.add(found)
    return found


def _with_all_problems(error: SpecError, max_layers: int, max_bytes: int) -> SpecError:
    """The error of reading a spec, with all errors that `validate` finds in the same file."""
    place = error.problems[0].place
    if place is None or not Path(place.file).is_file():
        return error
    from costcalc.analysis.validate import validate_file

    checked = validate_file(place.file, max_layers=max_layers, max_bytes=max_bytes)
    return SpecError([*error.problems, *(problem for problem in checked.problems if not problem.warning)])


def on_a_terminal(format: str | None, output: str | None) -> bool:
    """Is a table printed on a terminal, where only the first points are shown?"""
    return output is None and format_of(format, None) == "table" and sys.stdout.isatty()


def emit(
    result: Result, format: str | None, output: str | None, tables: Sequence[Table] | None = None, *,
    columns: str | None = None, hint: str = "",
) -> None:  # fmt: skip
    """Prints a result, or writes it to a file; with `tables` these in place of its own. `columns` are those of the
    first table, as `select_columns` reads them."""
    if columns is not None:
        from costcalc.analysis.selection import select_columns

        first, *others = result.tables() if tables is None else tables
        tables = [select_columns(first, columns, result.model_of_rows, hint), *others]
    path = Path(output) if output else None
    kind = format_of(format, path, ".parquet")
    floating = float_asked(kind)
    if kind == "json":
        report.emit([], result.streamed(), format=format, output=path)
    else:
        shown = in_units_asked(result.tables() if tables is None else tables)
        report.emit(shown, None, format=format, output=path, floating=floating)


def train_step(
    optimizer: str, freeze: list[str] | None, freeze_statistics: bool, checkpoint: list[str] | None, unless: str = "",
) -> TrainStep:  # fmt: skip
    """The step that options name. Raises UsageError for one that nothing is asked of: `unless` says what would be."""
    step = TrainStep(optimizer, tuple(freeze or ()), freeze_statistics, tuple(checkpoint or ()))
    if unless and step != DEFAULT_STEP:
        names = "--optimizer, --freeze, --freeze-statistics and --checkpoint"
        raise UsageError(f"{names} are about a training step; {unless}")
    return step
