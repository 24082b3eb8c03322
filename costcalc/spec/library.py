"""Finding specs: by name, by the name of a preset, or by path, with knobs set behind an @."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from os.path import isfile
from pathlib import Path
from typing import Any, NamedTuple

from costcalc.errors import Place, SpecError, UnknownName, UsageError, did_you_mean, unknown, why
from costcalc.spec.expressions import parse
from costcalc.spec.limits import MAX_BYTES
from costcalc.spec.model import Knob, Preset, Spec
from costcalc.spec.parse import parse_file, parse_head
from costcalc.text import settings_text


class Target(NamedTuple):
    """What a command was asked for: a spec, the knobs set for it, and how to call it."""

    spec: Spec
    settings: dict[str, Any]
    label: str


class Entry(NamedTuple):
    """One line of `costcalc list`."""

    name: str
    kind: str  # "spec" or "preset"
    title: str
    spec: str


@cache
def folder() -> Path:
    """Where the library's specs are: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "specs"
    return inside if inside.is_dir() else package.parent / "specs"


@cache
def _paths() -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder().glob("*.yaml"))}


@cache
def _library_spec(name: str) -> Spec:
    return parse_file(_paths()[name])


@cache
def _head(name: str) -> Spec:
    return parse_head(_paths()[name])


def _likeliest_first(name: str) -> list[str]:
    """The specs of the library, those first that mention the name: to read every head takes as long as to count."""
    return sorted(_paths(), key=lambda stem: name not in _paths()[stem].read_text(encoding="utf-8"))


def entries() -> list[Entry]:
    """Every spec and preset of the library, specs by name, each followed by its presets."""
    found = []
    for stem in _paths():
        head = _head(stem)
        found.append(Entry(head.name, "spec", head.title, head.name))
        for preset in head.presets.values():
            about = preset.about or settings_text(preset.settings)
            found.append(Entry(preset.name, "preset", about, head.name))
    return found


def find(target: str, *, max_bytes: int = MAX_BYTES) -> Target:
    """What `NAME`, `PRESET` or `PATH` means, each also with `@knob=value,…`, and a spec with `@PRESET,knob=value,…`."""
    name, at, given = _split(target)
    spec, settings = _spec_of(name, max_bytes)
    parts = [part.strip() for part in given.split(",")] if at else []
    if parts and "=" not in parts[0] and (parts[0] in spec.presets or _looks_like_one(parts[0], spec)):
        if name in spec.presets:
            raise UsageError(f"{name} is a preset already; write {spec.name}@{parts[0][:64]}")
        settings = dict(_preset(parts[0], spec).settings)
        return Target(spec, settings | parse_settings(parts[1:], spec.knobs, spec.name), labelled(target))
    return Target(spec, settings | parse_settings(parts, spec.knobs, spec.name), labelled(target))


def _looks_like_one(word: str, spec: Spec) -> bool:
    return bool(spec.presets) and re.fullmatch(r"\w+", word) is not None and word not in spec.knobs


def _preset(name: str, spec: Spec) -> Preset:
    if name in spec.presets:
        return spec.presets[name]
    raise unknown("preset", name, spec.presets, of=spec.name)


def labelled(target: str, more: Iterable[str] = ()) -> str:
    """How a target is called with more knobs set, each once: `resnet50@r=160`. A path is as it was typed."""
    name, at, given = _split(target)
    parts = [re.sub(r"\s", "", part) for part in given.split(",")] if at else []
    for text in more:
        knob, _, value = (piece.strip() for piece in text.partition("="))
        parts = [part for part in parts if part.partition("=")[0] != knob] + [f"{knob}={value}"]
    name = name if re.search(r"[./\\]", name) else re.sub(r"\s", "", name)
    return f"{name}@{','.join(parts)}" if parts else name


def preset_of(label: str, spec: Spec) -> Preset | None:
    """The preset that a label names: `resnet50`, or `resnet@resnet50`."""
    name, _, given = _split(label)
    return spec.presets.get(name) or spec.presets.get(given.split(",")[0])


def _split(target: str) -> tuple[str, str, str]:
    """`NAME`, `@` and `knob=value,…`. A folder may have an @ too, and then what follows it is a path."""
    name, at, given = target.rpartition("@")
    is_path = "=" not in given and re.search(r"[/\\\\]", given)
    return (target, "", "") if not at or is_path or isfile(target) else (name, at, given)


def _spec_of(name: str, max_bytes: int) -> tuple[Spec, dict[str, Any]]:
    if name in _paths():
        return _library_spec(name), {}
    if re.search(r"[./\\]", name):
        return _file_spec(name, max_bytes), {}
    if re.fullmatch(r"\w+", name):
        for stem in _likeliest_first(name):
            if name in _head(stem).presets:
                spec = _library_spec(stem)
                return spec, dict(spec.presets[name].settings)
    is_another = name.casefold().startswith(OTHER_FAMILIES)
    near = "" if is_another else did_you_mean(name, [entry.name for entry in entries()], listed=False)
    hint = f"{near} see `costcalc list`, or give the path of a spec".lstrip()
    raise UnknownName(f"no spec or preset named {name[:64]!r}", hint)


OTHER_FAMILIES = (  # networks that the library has not, a letter or two away from one that it has
    "densenet", "efficientnet_v2", "efficientnetv2", "ghostnet", "mobilenet_v3", "mobilenetv3", "mobilenet_v4",
    "mobilenetv4", "mobilevit", "regnet", "resnest", "resnext", "res2net", "segnet", "senet", "shufflenet",
)  # fmt: skip
PICKLED = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".npy", ".npz", ".joblib")


def _file_spec(path: str, max_bytes: int) -> Spec:
    if path.lower().endswith(PICKLED):
        raise UsageError(
            f"{path[:200]!r} may be pickled, and unpickling runs what is in it: costcalc never opens such files. "
            "Write the network as a spec (see docs/specs.md); weights belong in safetensors, networks in ONNX"
        )
    try:
        return parse_file(path, max_bytes=max_bytes)
    except FileNotFoundError:
        raise UnknownName(f"there is no file {path[:200]!r}") from None
    except IsADirectoryError:
        raise UsageError(f"{path[:200]!r} is a folder, not a spec") from None
    except ValueError:
        raise UsageError(f"cannot read {path[:200]!r}: not a path") from None
    except OSError as error:
        raise UsageError(f"cannot read {path[:200]!r}: {why(error)}") from None


def parse_settings(texts: list[str], knobs: Mapping[str, Knob], owner: str) -> dict[str, Any]:
    """`["w=0.5", "r=160"]` as knob values, exact. Raises UnknownName or UsageError."""
    settings = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not value:
            raise UsageError(f"{text[:60]!r} sets no knob; write knob=value, as in r=160")
        if name not in knobs:
            raise UnknownName(f"{owner} has no knob {name[:64]!r}", did_you_mean(name, knobs))
        if name in settings:
            raise UsageError(f"knob {name!r} is set twice; set it once")
        settings[name] = knobs[name].check(_setting(value, knobs[name]))
    return settings


def _setting(text: str, knob: Knob) -> Any:
    if knob.kind == "choice":
        return text
    if knob.kind == "flag":
        return {"true": True, "false": False}.get(text.lower(), text)
    return parse_number(knob.name, text)


def parse_number(name: str, text: str) -> Any:
    """An exact number as it is written for a name: `160`, `1/3`, `2**5`. Raises UsageError."""
    try:
        return parse(text, Place("", 0, 0)).value({})
    except SpecError as error:
        problem = error.problems[0]
        raise UsageError(f"{name}={text[:60]}: {problem.message}", problem.hint) from None
