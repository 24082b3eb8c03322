"""A model is an architecture with knobs set."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Self, TypeVar

from costcalc.dims import is_array, is_symbolic, to_exact
from costcalc.dtype import FLOAT32, Dtype, read_dtype
from costcalc.errors import UsageError
from costcalc.graph import Graph, digraph, unroll
from costcalc.graph.checkpointing import checkpointed_rows, first_rows
from costcalc.graph.freezing import freeze
from costcalc.models.architecture import Architecture, values_of
from costcalc.models.knob import EMPTY, FREEZE, NOTHING_FROZEN, RESERVED_KNOBS, Knob, Preset, Published
from costcalc.models.knob_texts import labelled, parse_settings, preset_of, split_target
from costcalc.text import value_text
from costcalc.train_step import DEFAULT_STEP, TrainStep

AnswerT = TypeVar("AnswerT")


class Model:
    """An architecture with knobs set to valid values, under a label. It is not yet counted."""

    def __init__(
        self, architecture: Architecture, settings: Mapping[str, Any] = EMPTY, label: str = "",
        dtype: Dtype = FLOAT32, step: TrainStep = DEFAULT_STEP,
    ):  # fmt: skip
        self.architecture, self.label = architecture, label or architecture.name
        self.dtype = dtype  # for metrics in bytes
        self.step = step  # for metrics of training
        values = values_of(architecture.name, architecture.knobs, settings)
        self.settings = {name: values[name] for name in settings}

    # --- its architecture ------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The architecture's name."""
        return self.architecture.name

    @property
    def title(self) -> str:
        """The architecture's title, and the note of the preset in the label while its knobs have its values."""
        preset, title = preset_of(self.label, self.presets), self.architecture.title
        if preset is None or not preset.about:
            return title
        now = [(self.values[name], value) for name, value in preset.settings.items()]
        is_it = all(not is_array(one) and one == value for one, value in now)
        return f"{title} ({preset.about})" if is_it else title

    @property
    def heading(self) -> str:
        """`resnet50: ResNet (50 layers)`, above a table or a picture."""
        return f"{self.label}: {self.title}" if self.title else self.label

    @property
    def source(self) -> str:
        """Where the architecture is from."""
        return self.architecture.source

    @property
    def about(self) -> str:
        """A note on the architecture."""
        return self.architecture.about

    @property
    def identity(self) -> str:
        """The architecture's fingerprint, without the settings."""
        return self.architecture.identity

    @property
    def published(self) -> tuple[Published, ...]:
        """Published figures of networks of this architecture."""
        return self.architecture.published

    # --- knobs -----------------------------------------------------------------------------------------------------

    @property
    def knobs(self) -> Mapping[str, Knob]:
        """Every knob by name."""
        return self.architecture.knobs

    @property
    def settable(self) -> dict[str, Knob]:
        """Every knob by name, and `freeze`."""
        return {**self.knobs, **RESERVED_KNOBS}

    @property
    def presets(self) -> Mapping[str, Preset]:
        """Every preset by name."""
        return self.architecture.presets

    @property
    def size_knobs(self) -> tuple[str, ...]:
        """The knobs that are numbers."""
        return tuple(name for name, knob in self.knobs.items() if knob.is_size)

    @property
    def values(self) -> dict[str, Any]:
        """Every knob and its value."""
        return {name: knob.default for name, knob in self.knobs.items()} | self.settings

    @property
    def sizes(self) -> dict[str, Any]:
        """The knobs that are numbers, and their values."""
        return {name: value for name, value in self.values.items() if self.settable[name].is_size}

    def values_but(self, names: Container[str]) -> dict[str, Any]:
        """Every other knob and its value."""
        return {name: value for name, value in self.values.items() if name not in names}

    @property
    def overrides(self) -> dict[str, Any]:
        """The settings that differ from the preset in the label: for resnet50@r=160 only r."""
        preset = preset_of(self.label, self.presets)
        by_preset = preset.settings if preset else EMPTY
        return {name: value for name, value in self.settings.items() if by_preset.get(name) != value}

    # --- others of the same architecture ---------------------------------------------------------------------------

    def at(self, settings: Mapping[str, Any]) -> Self:
        """The model with these knobs set too, under the same label."""
        return self.with_only({**self.settings, **settings}, self.label)

    def with_only(self, settings: Mapping[str, Any], label: str) -> Self:
        """The architecture with just these knobs set, under another label."""
        return type(self)(self.architecture, settings, label, self.dtype, self.step)

    def at_preset(self, name: str) -> Self:
        """The model at one of its presets, and where that sets nothing with its own overrides: of resnet50@r=160 the
        preset resnet18 is resnet18@r=160."""
        mine = self.presets[name].settings
        kept = {knob: value for knob, value in self.overrides.items() if knob not in mine}
        target, _, _ = split_target(self.label)
        is_path = target not in (self.name, *self.presets)
        label = labelled(f"{target}@{name}" if is_path else name, [f"{k}={value_text(v)}" for k, v in kept.items()])
        return self.with_only({**mine, **kept}, label)

    def with_dtype(self, dtype: Dtype | str) -> Self:
        """The model with its bytes counted in `float16`, or in `weights=int8,activations=float16`."""
        return type(self)(self.architecture, self.settings, self.label, read_dtype(dtype), self.step)

    def with_step(self, step: TrainStep) -> Self:
        """The model with its training counted by this step."""
        return type(self)(self.architecture, self.settings, self.label, self.dtype, step)

    def with_knobs(self, **knobs: Any) -> Self:
        """The model with these knobs set too, also in its label. Floats are read as decimal digits, texts as after @.

        Raises UnknownName for an unknown knob, UsageError for a value that the knob does not take.
        """
        texts = [f"{name}={value}" for name, value in knobs.items() if isinstance(value, str)]
        values = {name: to_exact(value) for name, value in knobs.items()}
        values |= parse_settings(texts, self.settable, self.name)
        label = labelled(self.label, [f"{k}={v}" for k, v in knobs.items()])
        return self.with_only({**self.settings, **values}, label)

    def with_texts(self, texts: list[str]) -> Self:
        """The model with `knob=value` texts applied. Raises as `with_knobs` does."""
        settings = parse_settings(texts, self.settable, self.name)
        return self.with_only({**self.settings, **settings}, labelled(self.label, texts))

    # --- its layers ------------------------------------------------------------------------------------------------

    def layers(self, values: Mapping[str, Any] = EMPTY, *, free: Iterable[str] = (), unrolled: bool = False) -> Graph:
        """The layers in order. `values` (ints, symbols or arrays) override the settings; `free` knobs that are not set
        become symbols; `unrolled` writes repeats out.

        Raises SpecError or ShapeError if these values make no network.
        """
        settings = {**self.settings, **values}
        known = values_of(self.name, self.knobs, settings, free)
        kept = self.kept_numbers(known, settings) if free else {}
        known |= {name: self.knobs[name].default for name in kept}
        patterns = self.step.freeze
        if (last := known.pop(FREEZE.name, NOTHING_FROZEN)) != NOTHING_FROZEN:
            patterns = (*patterns, f"..{last}")
        layers = self.architecture.layers(known)
        if self.knobs:  # else it is the reader's own graph
            layers.graph["knobs"], layers.graph["kept_numbers"] = known, kept
            layers.graph.setdefault("assumed", ())
        if patterns or self.step != DEFAULT_STEP:
            layers = freeze(layers, patterns)
            rows = checkpointed_rows(layers, self.step.checkpoint)
            layers.graph["train_step"] = replace(self.step, checkpoint=rows)
        return unroll(layers) if unrolled else layers

    def kept_numbers(self, values: Mapping[str, Any], settings: Mapping[str, Any] = EMPTY) -> dict[str, str]:
        """The knobs that are symbols in these values, but not by the settings, and cannot be; each with the reason."""
        known = {name: value for name, value in values.items() if name in self.knobs}
        return {name: why for name, why in self.architecture.kept_numbers(known).items() if name not in settings}

    def blocks(self) -> list[str]:
        """The names that `freeze` takes: rows of `show --depth 1`, in execution order."""
        return list(dict.fromkeys(first_rows(self.layers({FREEZE.name: NOTHING_FROZEN}))))

    def graph(self, values: Mapping[str, Any] = EMPTY, *, free: Iterable[str] = (), unrolled: bool = False) -> Graph:
        """The layers as a networkx.DiGraph. Takes and raises the same as `layers`."""
        return digraph(self.layers(values, free=free, unrolled=unrolled))

    @cached_property
    def bound(self) -> Graph:
        """The layers, made once. Do not change them."""
        return self.layers()

    @cached_property
    def _answers(self) -> dict[str, Any]:
        return {}

    def cached(self, name: str, make: Callable[[], AnswerT]) -> AnswerT:
        """The result of an analysis of the bound graph, made once and kept under this name."""
        if name not in self._answers:
            self._answers[name] = make()
        answer: AnswerT = self._answers[name]
        return answer

    def __getstate__(self) -> dict[str, Any]:
        """Leaves out the layers: other processes make them again."""
        return {name: value for name, value in vars(self).items() if name not in ("bound", "_answers")}

    # --- what an analysis needs ------------------------------------------------------------------------------------

    def require_numeric(self, what: str, *, but: Container[str] = ()) -> None:
        """Raises UsageError if a knob that is not in `but`, or a size without a knob, is a symbol or an array."""
        if self.architecture.unset:
            names = self.architecture.unset
            having = f"symbol{'s' * (len(names) > 1)} {', '.join(names)}"
            raise UsageError(f"{what} needs numeric sizes; {self.architecture.kind} {self.label!r} has the {having}")
        for name, value in self.values_but(but).items():
            if is_symbolic(value) or is_array(value):
                hint = f"set it: with_knobs({name}=…)"
                raise UsageError(f"{what} needs numeric sizes; knob {name!r} of {self.label} is not numeric; {hint}")

    def require_knobs(self, what: str) -> None:
        """Raises UsageError if it has no knobs."""
        if not self.knobs:
            raise UsageError(f"{what} needs a model with knobs; {self.architecture.without_knobs}")

    def __repr__(self) -> str:
        return f"<costcalc.{type(self).__name__} {self.label}>"
