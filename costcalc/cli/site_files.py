"""The command that writes the site."""

from __future__ import annotations

from typing import Annotated

import typer


def site(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TARGET]...", help="Only these networks."),
    ] = None,
    *,
    output: Annotated[str, typer.Option("--output", "-o", metavar="FOLDER", help="A new folder, or an empty one.")],
    replace: Annotated[bool, typer.Option("--replace", help="An earlier site in the folder gives way.")] = False,
) -> None:
    """A static site of every spec, or of the given ones: drawings, tables, sliders, formulas, published figures; and
    the lectures. The folder needs no server: open its index.html."""
    from costcalc.report.progress_bar import progress_bar
    from costcalc.report.site.site import write_site

    with progress_bar() as show:
        files = write_site(output, *(targets or ()), replace=replace, progress=show)
    size = sum(file.stat().st_size for file in files)
    print(f"{len(files):,} files, {size / 1e6:.1f} MB; open {output.rstrip('/')}/index.html")
