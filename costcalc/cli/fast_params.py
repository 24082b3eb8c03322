"""Reads the words of a command line without pydantic, which typer uses from 0.29 on and whose import takes longer than
most counts.

Typer has no public way around pydantic, so this replaces private members, in tested releases only. With any other
release typer reads every word: slower, with the same result. tests/cli/test_fast_params.py fails for a newer one.
"""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from costcalc.errors import UnknownName, did_you_mean, shorten

TESTED = ("0.29",)  # releases of typer whose private members are known
METRICS = "{METRICS}"  # in the help of an option
IS_TESTED = typer.__version__.rpartition(".")[0] in TESTED


class FastCommand(TyperCommand):
    """A command whose options and arguments skip pydantic if there is nothing to check."""

    def get_help(self, ctx: Any) -> str:
        """Its help, with the names of all that is counted in place of `METRICS`, which only help has to import."""
        for parameter in self.params:
            if METRICS in (getattr(parameter, "help", "") or ""):
                from costcalc.analysis.metrics import COUNTED

                parameter.help = parameter.help.replace(METRICS, ", ".join(COUNTED))  # type: ignore[attr-defined]
        return super().get_help(ctx)

    def get_params(self, ctx: Any) -> Any:
        """Its options and arguments, --help among them."""
        return _fast(super().get_params(ctx))


class FastGroup(TyperGroup):
    """A group of commands. An unknown command is bad input, with a hint; no command at all prints the help."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Parses the options of the group, and leaves the rest to its command."""
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first argument names."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise UnknownName(f"unknown command {shorten(args[0])!r}", self.hint(args[0]))
        return super().resolve_command(ctx, args)

    def hint(self, word: str) -> str:
        """The hint for a command that does not exist."""
        return did_you_mean(word, list(self.commands))

    def get_params(self, ctx: Any) -> Any:
        """Its options, --help among them."""
        return _fast(super().get_params(ctx))


def _fast(parameters: list[Any]) -> list[Any]:
    for parameter in parameters if IS_TESTED else ():
        if "get_runtime_param" not in vars(parameter):
            parameter.get_runtime_param = _FastReader(parameter).itself
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = lambda ctx: None  # hides `<list[str]>` behind the metavar
    return parameters


class _FastReader:
    """Replaces typer's reader of one parameter, and calls it for all but texts and small numbers."""

    def __init__(self, parameter: Any):
        self.typers_own = parameter.get_runtime_param

    def itself(self) -> _FastReader:
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self.typers_own(), name)

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value in the type that the command wants."""
        kind = getattr(getattr(param, "type_descriptor", None), "annotation", None)
        if kind is None:
            return self.typers_own().coerce(value, param=param, ctx=ctx)
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if kind is str or type(value) is kind:
            return value
        if kind == list[str]:
            return list(value)
        if kind is int and value.isascii() and value.isdigit() and 0 < len(value) < 10 and int(value) > 0:
            return int(value)
        return self.typers_own().coerce(value, param=param, ctx=ctx)
