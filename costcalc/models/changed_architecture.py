"""An architecture that makes the networks of another one, changed: the same knobs, other layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TypeVar

from costcalc.graph import Graph
from costcalc.models.architecture import Architecture
from costcalc.models.content_hash import content_hash
from costcalc.models.model import Model

ModelT = TypeVar("ModelT", bound=Model)


class ChangedArchitecture(Architecture):
    """The networks of `base`, each graph replaced by `change(graph, *arguments)`."""

    def __init__(self, base: Architecture, change: Callable[..., Graph], arguments: tuple[Any, ...]):
        self.base, self.change, self.arguments = base, change, arguments
        self.kind, self.without_knobs, self.only_here = base.kind, base.without_knobs, base.only_here
        self.name, self.title, self.source, self.about = base.name, base.title, base.source, base.about
        self.knobs, self.presets = base.knobs, base.presets

    def layers(self, values: Mapping[str, Any]) -> Graph:
        """The layers of the base, changed."""
        return self.change(self.base.layers(values), *self.arguments)

    @contextmanager
    def watched(self, progress: Callable[[float, str], None]) -> Iterator[None]:
        """Those of the base."""
        with self.base.watched(progress):
            yield

    def kept_numbers(self, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Those of the base."""
        return self.base.kept_numbers(values)

    @cached_property
    def identity(self) -> str:
        """That of the base, with the change."""
        return content_hash([self.base.identity, self.change.__qualname__, self.arguments])

    @property
    def unset(self) -> tuple[str, ...]:
        """Those of the base."""
        return self.base.unset

    @property
    def own_ops(self) -> tuple[type[Any], ...]:
        """Those of the base."""
        return self.base.own_ops

    @property
    def image_knobs(self) -> dict[str, int]:
        """Those of the base."""
        return self.base.image_knobs


def changed(model: ModelT, change: Callable[..., Graph], *arguments: Any) -> ModelT:
    """A model of the same class with `change(graph, *arguments)` for its graph; `change` is a function of a module."""
    architecture = ChangedArchitecture(model.architecture, change, arguments)
    return type(model)(architecture, model.settings, model.label, model.dtype, model.step)
