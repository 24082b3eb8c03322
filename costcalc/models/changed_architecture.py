"""An architecture that makes the networks of another one, changed: the same knobs, other layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from costcalc.graph import Graph
from costcalc.models.content_hash import content_hash
from costcalc.models.model import Architecture, Model


class ChangedArchitecture(Architecture):
    """The networks of `base` with changes, which are dataclasses, made to their graphs one after another."""

    def __init__(self, base: Architecture, changes: tuple[Callable[[Graph], Graph], ...]):
        self.base, self.changes = base, changes
        self.kind, self.without_knobs = base.kind, base.without_knobs
        self.name, self.title, self.source, self.about = base.name, base.title, base.source, base.about
        self.knobs, self.presets = base.knobs, base.presets

    def layers(self, values: Mapping[str, Any]) -> Graph:
        """The layers of the base, changed."""
        graph = self.base.layers(values)
        for change in self.changes:
            graph = change(graph)
        return graph

    @cached_property
    def identity(self) -> str:
        """That of the base, with the changes."""
        return content_hash([self.base.identity, *self.changes])

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


def changed(model: Model, *changes: Callable[[Graph], Graph]) -> Model:
    """A model with changes made to its graph."""
    architecture = ChangedArchitecture(model.architecture, changes)
    return Model(architecture, model.settings, model.label, model.dtype, model.step)
