"""A spec with knobs set: what a target means, ready to become a layer graph."""

from __future__ import annotations

from collections.abc import Container, Iterable
from functools import cached_property
from typing import Any, Self

from costcalc.dims import is_column, is_letter
from costcalc.dims.given import exact
from costcalc.dtype import FLOAT32, Dtype, read_dtype
from costcalc.errors import UsageError
from costcalc.graph import Graph, unroll
from costcalc.spec.bind import bind, resolve
from costcalc.spec.library import labelled, parse_settings, preset_of
from costcalc.spec.limits import MAX_LAYERS
from costcalc.spec.model import Spec


class Network:
    """A spec with knobs set, each to a value it takes, under a label; not yet counted."""

    def __init__(
        self, spec: Spec, settings: dict[str, Any], label: str, max_layers: int = MAX_LAYERS, dtype: Dtype = FLOAT32
    ):
        self.spec, self.settings, self.label, self.max_layers = spec, settings, label, max_layers
        self.dtype = dtype  # in which bytes are counted
        resolve(spec, settings)  # here, and not only once someone counts

    @property
    def name(self) -> str:
        """The spec's name."""
        return self.spec.name

    @property
    def title(self) -> str:
        """The spec's title, and what a preset is about."""
        preset = preset_of(self.label, self.spec)
        return f"{self.spec.title} ({preset.about})" if preset and preset.about else self.spec.title

    @property
    def source(self) -> str:
        """Where the architecture is from."""
        return self.spec.source

    @property
    def knobs(self) -> dict[str, Any]:
        """Every knob and its value."""
        return resolve(self.spec, self.settings)

    @property
    def besides_its_preset(self) -> dict[str, Any]:
        """What is set but by the preset that it may be: of resnet50@r=160 only r."""
        preset = preset_of(self.label, self.spec)
        by_preset = preset.settings if preset else {}
        return {name: value for name, value in self.settings.items() if by_preset.get(name) != value}

    @property
    def sizes(self) -> dict[str, Any]:
        """The knobs that are numbers, and their values."""
        return {name: value for name, value in self.knobs.items() if name in self.spec.size_knobs}

    def knobs_but(self, names: Container[str]) -> dict[str, Any]:
        """Every other knob and its value."""
        return {name: value for name, value in self.knobs.items() if name not in names}

    def with_knobs(self, **knobs: Any) -> Self:
        """The same network with these knobs set; a float is read as its decimal digits, a text as behind an @.

        Raises UnknownName for a knob it does not have, UsageError for a value that the knob does not take.
        """
        texts = [f"{name}={value}" for name, value in knobs.items() if isinstance(value, str)]
        values = {name: exact(value) for name, value in knobs.items()}
        values |= parse_settings(texts, self.spec.knobs, self.spec.name)
        return self.at({**self.settings, **values}, labelled(self.label, [f"{k}={v}" for k, v in knobs.items()]))

    def at(self, settings: dict[str, Any], label: str) -> Self:
        """The spec with just these knobs set, under another label."""
        return type(self)(self.spec, settings, label, self.max_layers, self.dtype)

    def with_dtype(self, dtype: Dtype | str) -> Self:
        """The same network with its bytes counted in `float16`, or in `weights=int8,activations=float16`."""
        return type(self)(self.spec, self.settings, self.label, self.max_layers, read_dtype(dtype))

    @cached_property
    def bound(self) -> Graph:
        """The layer graph, made once: to be read, not to be changed."""
        return self.graph()

    @cached_property
    def answers(self) -> dict[str, Any]:
        """What analyses have found out about the bound graph, by name: once, as the graph itself."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """What it is made from: processes and other machines are not sent the layers."""
        return {name: value for name, value in vars(self).items() if name not in ("bound", "answers")}

    def graph(self, *, free: Iterable[str] = (), unrolled: bool = False) -> Graph:
        """The layer graph, a networkx.DiGraph; `free` knobs stay letters, and repeats are written out if `unrolled`.

        Raises SpecError where the spec makes no network of these settings.
        """
        graph = bind(self.spec, resolve(self.spec, self.settings, free), max_layers=self.max_layers)
        return unroll(graph) if unrolled else graph

    def needs_numbers(self, what: str, *, but: Container[str] = ()) -> None:
        """Raises UsageError if a knob that is not in `but` is a letter or a column, which `what` cannot show."""
        for name, value in self.knobs_but(but).items():
            if is_letter(value) or is_column(value):
                hint = f"set it: with_knobs({name}=…)"
                raise UsageError(f"{what} needs numeric sizes; knob {name!r} of {self.label} is not numeric; {hint}")

    def with_texts(self, texts: list[str]) -> Self:
        """The same network with `knob=value` texts applied.

        Raises UnknownName for a knob it does not have, UsageError for a value that the knob does not take.
        """
        settings = parse_settings(texts, self.spec.knobs, self.spec.name)
        return self.at({**self.settings, **settings}, labelled(self.label, texts))

    def __repr__(self) -> str:
        return f"<costcalc.{type(self).__name__} {self.label}>"
