"""What an architecture is: it makes networks from values of its knobs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from costcalc.dims import canonical, size_symbol
from costcalc.errors import unknown
from costcalc.graph import Graph
from costcalc.models.knob import EMPTY, RESERVED_KNOBS, Knob, Preset, Published


class Architecture(ABC):
    """The interface of an architecture. Subclasses must define `layers` and `identity`; the rest is optional."""

    name: str
    kind = "model"  # its name in messages
    only_here = False  # can other processes not make its layers?
    without_knobs = "this one has none"  # the message if it has no knobs
    title: str = ""
    source: str = ""  # where it is from
    about: str = ""
    knobs: Mapping[str, Knob] = EMPTY
    presets: Mapping[str, Preset] = EMPTY
    published: tuple[Published, ...] = ()
    module_source: Any = None  # makes the torch module that it was imported from, if there is one

    @abstractmethod
    def layers(self, values: Mapping[str, Any]) -> Graph:
        """A new layer graph, or LayerList, for values of all knobs: ints, Fractions, symbols, arrays, flags or words.

        Its `graph` attribute may have `assumed`, the needs that symbols leave undecided; `limits`, the needs that say
        where the layers are known; `limits_of_counts`, the fewer that say where the counts of each layer are; `found`,
        a sentence on how they were; and `multiples`, the symbol of a knob for each that stands in its place and is
        known to be a multiple. If some points of arrays are invalid it has `valid`, an array of bools, and
        `invalid_because`, a sentence; or this raises PointsDiffer.
        Raises SpecError or ShapeError if these values make no network.
        """

    @property
    @abstractmethod
    def identity(self) -> str:
        """A fingerprint: architectures with equal ones make equal layers from equal values, in every process."""

    @contextmanager
    def watched(self, progress: Callable[[float, str], None]) -> Iterator[None]:
        """Within, long work tells a progress callback the share done and what is being done. Most have none."""
        yield

    def named_sizes(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values of named sizes at these values of knobs: a formula prints `c7` for `round_to(192*w, 8)`."""
        return {}

    def kept_numbers(self, values: Mapping[str, Any]) -> Mapping[str, str]:
        """The knobs that are symbols in these values and cannot be, each with the reason. They stay at their default in
        a closed form."""
        return EMPTY

    @property
    def unset(self) -> tuple[str, ...]:
        """Symbols in its sizes that no knob sets."""
        return ()

    @property
    def own_ops(self) -> tuple[type[Any], ...]:
        """The classes of the reader's own ops."""
        return ()

    @property
    def image_knobs(self) -> dict[str, int]:
        """Each knob that is the size of all axes of an input after the channels, and the number of these axes."""
        return {}


def image_knobs_of(inputs: Iterable[list[str]], knobs: Container[str]) -> dict[str, int]:
    """`Architecture.image_knobs`, from the sizes of each input's axes after the channels, as text."""
    found: dict[str, int] = {}
    for axes in inputs:
        if len({*axes}) == 1 and axes[0] in knobs:
            found.setdefault(axes[0], len(axes))
    return found


def values_of(
    name: str, knobs: Mapping[str, Knob], settings: Mapping[str, Any], free: Iterable[str] = ()
) -> dict[str, Any]:
    """A value for every knob: as set, a symbol if `free`, else its default. `name` is the architecture's.

    Raises UnknownName for an unknown knob, UsageError for a value that a knob does not take.
    """
    known = {**knobs, **RESERVED_KNOBS}
    for knob in [*settings, *free]:
        if knob not in known:
            raise unknown("knob", knob, knobs, of=name)
    values = {name: knob.default for name, knob in knobs.items()}
    for name, value in settings.items():
        values[name] = known[name].check(canonical(value))
    for name in free:
        if name not in settings and known[name].may_be_symbol:
            values[name] = size_symbol(name, real=known[name].kind == "real")
    return values
