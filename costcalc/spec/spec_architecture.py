"""A spec as an architecture: what its knobs are, and the layer graph for their values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from costcalc.graph import LayerList
from costcalc.models.architecture import Architecture, image_knobs_of
from costcalc.models.content_hash import content_hash
from costcalc.spec.bind import bind
from costcalc.spec.limits import MAX_LAYERS
from costcalc.spec.spec_tree import Spec


class SpecArchitecture(Architecture):
    """The networks of a spec, each of at most `max_layers` layers."""

    kind = "spec"

    def __init__(self, spec: Spec, max_layers: int = MAX_LAYERS):
        self.spec, self.max_layers = spec, max_layers
        self.name, self.title, self.source, self.about = spec.name, spec.title, spec.source, spec.about
        self.knobs, self.presets, self.published = spec.knobs, spec.presets, spec.published

    def layers(self, values: Mapping[str, Any]) -> LayerList:
        """The layers in order. Raises SpecError if the spec does not make a network of these values."""
        return bind(self.spec, values, max_layers=self.max_layers)

    @cached_property
    def identity(self) -> str:
        """Equal for specs of equal content, in any file."""
        return content_hash((self.spec, self.max_layers))

    @property
    def own_ops(self) -> tuple[type[Any], ...]:
        """The reader's own ops among its layers."""
        return self.spec.own_ops

    def named_sizes(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The spec's `sizes`."""
        known = dict(values)
        for name, expression in self.spec.sizes.items():
            known[name] = expression.value(known)
        return {name: known[name] for name in self.spec.sizes}

    @property
    def image_knobs(self) -> dict[str, int]:
        """Knobs that alone are every axis of an input after the channels."""
        return image_knobs_of(([axis.text for axis in axes[1:]] for axes in self.spec.inputs.values()), self.knobs)
