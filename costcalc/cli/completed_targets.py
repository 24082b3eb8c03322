"""What a target and its knobs can be, for shell completion: names, presets, knobs and their values. It reads heads and
specs and builds no network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from costcalc.errors import CostcalcError
from costcalc.text import settings_text, value_text

if TYPE_CHECKING:
    from costcalc.models.knob import Knob, Preset
    from costcalc.pipeline.pipeline_spec import PipelineSpec
    from costcalc.spec.spec_tree import Spec

    HasKnobs = Spec | PipelineSpec

IMPORTED = {"torchvision:": "a model of torchvision", "timm:": "a model of timm", "hf:": "a config.json"}


class Candidate(NamedTuple):
    """A word that may stand at the cursor, and what it means."""

    word: str
    about: str = ""


@dataclass(frozen=True)
class Line:
    """The command, its arguments before the cursor, and the option whose value is being typed. After `--` all words are
    arguments."""

    command: str
    arguments: list[str] = field(default_factory=list)
    option: str = ""
    is_plain: bool = False

    def spec(self) -> HasKnobs | None:
        """The spec of the first target; None if there is none, or it cannot be read."""
        return spec_of(self.command, self.arguments[0]) if self.arguments else None


Source = Callable[[Line, str], Iterable[Candidate]]


def spec_of(command: str, target: str) -> HasKnobs | None:
    """The spec that a name, a preset or a path means, with anything behind its @; of `augment` the pipeline."""
    from costcalc.models.knob_texts import split_target

    name = split_target(target)[0]
    try:
        if command == "augment":
            from costcalc.pipeline.pipeline_library import load_pipeline

            return load_pipeline(name).spec
        from costcalc.spec.library import find

        return find(name).spec
    except (CostcalcError, OSError):
        return None


def presets_of(spec: HasKnobs | None) -> Iterator[Candidate]:
    """The presets of a spec; none of a pipeline."""
    for preset in _presets(spec).values():
        yield Candidate(preset.name, preset.about or settings_text(preset.settings))


def _presets(spec: HasKnobs | None) -> Mapping[str, Preset]:
    return getattr(spec, "presets", {})


def targets(line: Line, text: str) -> Iterator[Candidate]:
    """Names and presets; behind an @ the presets of a spec, its knobs, and their values."""
    name, at, given = text.rpartition("@")
    if at:
        spec = spec_of("" if line.option else line.command, name)
        yield from (Candidate(f"{name}@{known.word}", known.about) for known in _behind_at(spec, name, given))
        return
    from costcalc.spec.library import entries

    yield from (Candidate(entry.name, entry.title) for entry in entries())
    yield from (Candidate(prefix, about) for prefix, about in IMPORTED.items())


def targets_or_pipelines(line: Line, text: str) -> Iterator[Candidate]:
    """Targets, and `augment:NAME`."""
    from costcalc.pipeline.pipeline_library import pipeline_paths
    from costcalc.spec.library import PIPELINE

    yield from targets(line, text)
    yield from (Candidate(PIPELINE + name) for name in pipeline_paths())


def pipelines(line: Line, text: str) -> Iterator[Candidate]:
    """The pipelines of the library; behind an @ the knobs of one."""
    from costcalc.pipeline.pipeline_library import pipeline_paths

    yield from targets(line, text) if "@" in text else map(Candidate, pipeline_paths())


def _behind_at(spec: HasKnobs | None, name: str, given: str) -> Iterator[Candidate]:
    """Presets and `knob=value` of a spec, behind the parts that are given."""
    if spec is None:
        return
    *before, last = given.split(",")
    done = "".join(f"{part}," for part in before)
    if not before and "=" not in last and name not in _presets(spec):
        yield from presets_of(spec)
    for known in _settings(spec, last, [part.partition("=")[0].strip() for part in before]):
        yield Candidate(done + known.word, known.about)


def _settings(spec: HasKnobs, text: str, taken: Iterable[str] = ()) -> Iterator[Candidate]:
    """`knob=` of a spec, or behind its = the values: choices, or those of its presets."""
    name, equals, _ = text.partition("=")
    if not equals:
        yield from (Candidate(f"{knob.name}=", knob.about) for knob in spec.knobs.values() if knob.name not in taken)
    elif name in spec.knobs:
        yield from (Candidate(f"{name}={value}") for value in _values(spec, spec.knobs[name]))


def _values(spec: HasKnobs, knob: Knob) -> list[str]:
    """The choices of a knob; of a size its default and what the presets set."""
    if knob.kind in ("flag", "choice"):
        return list(knob.choices or ("true", "false"))
    of_presets = (preset.settings.get(knob.name, knob.default) for preset in _presets(spec).values())
    return [value_text(size) for size in sorted({knob.default, *of_presets})] if knob.is_size else []


def settings(line: Line, text: str) -> Iterator[Candidate]:
    """`knob=value` of the first target."""
    if (spec := line.spec()) is not None:
        yield from _settings(spec, text)


def points(line: Line, text: str) -> Iterator[Candidate]:
    """`knob=value,value` of the first target, each knob and each value once."""
    if (spec := line.spec()) is None:
        return
    name, _, given = text.partition("=")
    *before, _ = given.split(",")
    done = f"{name}=" + "".join(f"{value}," for value in before)
    for known in _settings(spec, text, [word.partition("=")[0] for word in line.arguments[1:]]):
        value = known.word.partition("=")[2]
        if not value:
            yield known
        elif value not in before:
            yield Candidate(done + value)


def knobs(line: Line, text: str) -> Iterator[Candidate]:
    """The knobs of the first target that are sizes."""
    spec = line.spec()
    yield from (Candidate(knob.name, knob.about) for knob in (spec.knobs.values() if spec else ()) if knob.is_size)
