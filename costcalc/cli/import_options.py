"""Options that every command has which takes a network to import: what the reader accepts of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

AssumeFree = Annotated[
    list[str] | None,
    typer.Option(
        "--assume-free", metavar="OP", help="Count an op of an imported network that has no rule as 0; may be repeated."
    ),
]
UntilValues = Annotated[
    bool,
    typer.Option("--until-values", help="Count a torch module that asks for a value of a tensor up to there."),
]
ADDED = {"assume_free": (AssumeFree, None), "until_values": (UntilValues, False)}
_chosen: dict[str, Any] = {}  # of the command that runs


def chosen() -> dict[str, Any]:
    """The arguments of `costcalc.load` that the command was given."""
    return {name: value for name, value in _chosen.items() if value}


def with_import_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with these options, if it takes the shapes of inputs."""
    signature = inspect.signature(command, eval_str=True)
    if "input" not in signature.parameters:
        return command

    @wraps(command)
    def with_them(**given: Any) -> None:
        _chosen.clear()
        _chosen.update({name: given.pop(name) for name in ADDED})
        command(**given)

    own = [*signature.parameters.values()]
    at = [one.name for one in own].index("input") + 1
    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
    added = [
        inspect.Parameter(name, keyword, default=default, annotation=kind) for name, (kind, default) in ADDED.items()
    ]
    shown: Any = with_them
    shown.__signature__ = signature.replace(parameters=[*own[:at], *added, *own[at:]])
    return with_them
