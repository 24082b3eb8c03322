"""Commands that need torch: verify."""

from __future__ import annotations

from typing import Annotated

import typer

from costcalc.cli.options import A_TARGET, Format, MaxLayers, Output, Set, emit, known_targets, nets
from costcalc.errors import UsageError
from costcalc.spec.limits import MAX_LAYERS

Some = Annotated[
    list[str] | None, typer.Argument(metavar="TARGET…", help=f"Each {A_TARGET}.", autocompletion=known_targets)
]


def verify(
    targets: Some = None,
    all_: Annotated[bool, typer.Option("--all", help="Every spec and preset of the library.")] = False,
    set_: Set = None,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
) -> None:
    """Tensors, shapes and multiplies, forward and backward: ours beside torch's. Exit 1 on any difference."""
    from costcalc.torch_backend.verify import verified, verify_net

    found = [verify_net(net) for net in nets(_targets(targets, all_), set_, max_layers)]
    if len(found) == 1:
        emit([found[0].table()], found[0].to_dict(), format, output)
    else:
        emit([verified(found)], [verification.to_dict() for verification in found], format, output)
    if not all(verification.ok for verification in found):
        raise typer.Exit(1)


def _targets(targets: list[str] | None, every: bool) -> list[str]:
    if every == bool(targets):
        raise UsageError("give one target or more, or --all for every spec and preset")
    return targets or known_targets("")
