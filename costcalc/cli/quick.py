"""Words of a command line taken as they are: typer (0.29) asks pydantic, whose import takes longer than most counts."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


class QuickCommand(TyperCommand):
    """A command whose options and arguments skip pydantic if there is nothing to check."""

    def get_params(self, ctx: Any) -> Any:
        """Its options and arguments, --help among them."""
        return _quickened(super().get_params(ctx))


class QuickGroup(TyperGroup):
    """A group of commands, with options of its own that are quick too."""

    def get_params(self, ctx: Any) -> Any:
        """Its options, --help among them."""
        return _quickened(super().get_params(ctx))


def _quickened(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:  # an older typer does not know pydantic
        if hasattr(parameter, "get_runtime_param") and "get_runtime_param" not in vars(parameter):
            parameter.get_runtime_param = _Plainly(parameter).itself
    return parameters


class _Plainly:
    """Stands in for typer's reader of one parameter, and asks it for whatever is not a text or a small number."""

    def __init__(self, parameter: Any):
        self.typers_own = parameter.get_runtime_param

    def itself(self) -> _Plainly:
        return self

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value in the type that the command wants."""
        kind = param.type_descriptor.annotation
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if kind is str or type(value) is kind:
            return value
        if kind == list[str]:
            return list(value)
        if kind is int and value.isascii() and value.isdigit() and 0 < len(value) < 10 and int(value) > 0:
            return int(value)
        return self.typers_own().coerce(value, param=param, ctx=ctx)
