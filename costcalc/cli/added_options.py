"""Options that many commands have alike: they are added to each in one place, and read where they are used."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any


@dataclass(frozen=True)
class AddedOptions:
    """Options by the names of their parameters: each with its annotation and its default.

    A command has them that has all parameters of `beside`, behind the last of these, but for those of its own.
    """

    beside: tuple[str, ...]
    options: Mapping[str, tuple[Any, Any]]
    not_of: tuple[str, ...] = ()  # commands that have none of them
    _given: dict[str, Any] = field(default_factory=dict)

    def given(self) -> dict[str, Any]:
        """What the command that runs was given of them."""
        return {name: value for name, value in self._given.items() if value or value == ""}

    def forget(self) -> None:
        """Forgets what the last command of this process was given."""
        self._given.clear()

    def added_to(self, command: Callable[..., None]) -> Callable[..., None]:
        """The command with these options, if it has the parameters that they belong to."""
        signature = inspect.signature(command, eval_str=True)
        own = [*signature.parameters.values()]
        names = [one.name for one in own]
        if not {*self.beside} <= {*names} or command.__name__ in self.not_of:
            return command
        more = {name: option for name, option in self.options.items() if name not in names}

        @wraps(command)
        def with_them(**given: Any) -> None:
            self._given.clear()
            self._given.update({name: given.pop(name) for name in more})
            command(**given)

        at = names.index(self.beside[-1]) + 1
        keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
        added = [
            inspect.Parameter(name, keyword, default=default, annotation=kind) for name, (kind, default) in more.items()
        ]
        shown: Any = with_them
        shown.__signature__ = signature.replace(parameters=[*own[:at], *added, *own[at:]])
        return with_them
