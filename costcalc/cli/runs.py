"""Commands about the measurements kept so far: runs list, show, compare, export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from costcalc.cli.options import Format, Output, check_folder, emit
from costcalc.cli.plot_options import Roofline
from costcalc.errors import UnknownName, UsageError, unknown

StorePath = Annotated[
    str | None,
    typer.Option("--store", metavar="PATH", help="The file of measurements; else $COSTCALC_STORE, else your own."),
]
Run = Annotated[int, typer.Argument(metavar="ID", help="The number of a run, as `costcalc runs list` has it.")]
EXPORTS = ("csv", "json", "parquet")


def has_seconds(names: str | None) -> bool:
    """Are measured times among these metrics or columns, such as `macs,seconds`?"""
    return "seconds" in (names or "").replace(" ", "").split(",")


def export_format(format: str | None) -> str | None:
    """Checks that runs can be exported in this format."""
    if format is not None and format not in EXPORTS:
        raise unknown("format", format, EXPORTS)
    return format


ExportFormat = Annotated[
    str | None,
    typer.Option("--format", "-f", metavar="FORMAT", callback=export_format, help=f"{', '.join(EXPORTS)}."),
]


def list_(store: StorePath = None, format: Format = None, output: Output = None) -> None:
    """Every measurement kept so far, oldest first."""
    from costcalc.store import Store
    from costcalc.store.tables import list_runs

    kept = Store(store)
    emit(list_runs(kept.rows(), kept.path, kept.note), format, output)


def show(
    id: Run, store: StorePath = None, roofline: Roofline = None, format: Format = None, output: Output = None
) -> None:
    """All that is known of one measurement: its settings, its result, and the environment it was taken in."""
    from costcalc.store import Store
    from costcalc.store.tables import run_facts

    kept = Store(store)
    found = kept.get(id)
    if roofline:
        from costcalc.store.roofline_of_run import roofline_of_run

        roofline_of_run(found).save(roofline)
    emit(run_facts(found, kept.note), format, output)


def compare(
    baseline: Annotated[int, typer.Argument(metavar="ID", help="The number of the run to compare with.")],
    other: Annotated[int, typer.Argument(metavar="ID", help="The number of the run to compare.")],
    force: Annotated[bool, typer.Option("--force", help="Compare unlike or noisy runs too, and say so.")] = False,
    store: StorePath = None,
    format: Format = None,
    output: Output = None,
) -> None:
    """The second run set against the first, if both were taken alike: device, mode, batch, dtype, engine, threads …"""
    from costcalc.store import Store
    from costcalc.store import compare as compare_runs

    kept = Store(store)
    compared = compare_runs(kept.get(baseline), kept.get(other), force=force)
    emit(compared, format, output)


def export(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A .csv, .json or .parquet; - for standard output.")],
    store: StorePath = None,
    format: ExportFormat = None,
) -> None:
    """All measurements as flat rows, with the column names of timm's benchmark where it has them."""
    from costcalc import files, report
    from costcalc.store import Store
    from costcalc.store.export import export_rows, export_table

    kind = format or _by_suffix(file)
    if kind == "parquet" and file == "-":
        raise UnknownName("a Parquet file is not text: name a file, not -")
    check_folder(file)
    kept = Store(store)
    rows = export_rows(kept.rows())
    if not rows:
        raise UsageError(f"{kept.note or f'no measurements in {kept.path}'}; nothing is written")
    if kept.note:
        print(f"note: {kept.note}", file=sys.stderr)
    if kind != "parquet":
        report.emit([export_table(rows)], rows, format=kind, output=Path(file))
    else:
        from costcalc.report.parquet import parquet_bytes

        files.write(Path(file), parquet_bytes(rows))


def _by_suffix(file: str) -> str:
    """The format of a file's suffix; CSV on standard output."""
    suffix = Path(file).suffix.lower()
    if file != "-" and suffix[1:] not in EXPORTS:
        raise UnknownName(f"{file!r} ends in none of .csv .json .parquet; use one, or give --format")
    return suffix[1:] or "csv"
