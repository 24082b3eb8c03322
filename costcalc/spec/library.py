"""Finding specs: by name, by the name of a preset, or by path, with knobs set behind an @."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from costcalc.errors import UnknownName, UsageError, did_you_mean, shorten, unknown, why
from costcalc.models.knob import RESERVED_KNOBS
from costcalc.models.knob_texts import labelled, parse_settings, split_target
from costcalc.spec.limits import MAX_BYTES
from costcalc.spec.parse import parse_file, parse_head, parse_text
from costcalc.spec.spec_tree import Spec
from costcalc.text import settings_text

PIPELINE = "augment:"  # before the name of a pipeline where networks are meant too: augment:alexnet
GROUP = "costcalc.specs"  # of entry points
TEXT, AS_JSON = "<text>", "<dict, as JSON>"  # stand for the file of a spec without one


class FoundSpec(NamedTuple):
    """The spec that a target means, the knobs that it sets, and its label."""

    spec: Spec
    settings: dict[str, Any]
    label: str


class Entry(NamedTuple):
    """One line of `costcalc list`."""

    name: str
    kind: str  # "spec" or "preset"
    title: str
    spec: str
    lecture: int = 0  # 0 for none


@cache
def library_folder() -> Path:
    """The folder of the library's specs: in an installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "specs"
    return inside if inside.is_dir() else package.parent / "specs"


@cache
def _paths() -> dict[str, Path]:
    return {path.stem: path for path in sorted(library_folder().glob("*.yaml"))}


@cache
def _all_paths() -> dict[str, Path]:
    """Those of the library, and of installed packages that name a module of theirs with specs beside it, in the group
    `costcalc.specs` of their entry points. A name of the library stays the library's."""
    from importlib.metadata import entry_points
    from importlib.util import find_spec

    found = dict(_paths())
    for point in entry_points(group=GROUP):
        module = find_spec(point.value)
        for folder in (module and module.submodule_search_locations) or ():
            found = {path.stem: path for path in sorted(Path(folder).glob("*.yaml"))} | found
    return found


@cache
def _library_spec(name: str) -> Spec:
    return parse_file(_all_paths()[name] if name not in _paths() else _paths()[name])


@cache
def _head(name: str) -> Spec:
    return parse_head(_all_paths()[name] if name not in _paths() else _paths()[name])


def entries() -> list[Entry]:
    """Every spec and preset of the library and of installed packages, specs by name, each followed by its presets."""
    return _entries(_all_paths())


def _entries(stems: Iterable[str]) -> list[Entry]:
    found = []
    for stem in stems:
        head = _head(stem)
        found.append(Entry(head.name, "spec", head.title, head.name, head.lecture))
        for preset in head.presets.values():
            about = preset.about or settings_text(preset.settings)
            found.append(Entry(preset.name, "preset", about, head.name, head.lecture))
    return found


def find(target: Any, *, max_bytes: int = MAX_BYTES) -> FoundSpec:
    """The spec and settings of `NAME`, `PRESET` or `PATH`, each also with `@knob=value,…` or `@PRESET,knob=value,…`.

    A text of several lines is itself a spec, and so is a dict. Raises UnknownName, UsageError or SpecError.
    """
    own_text = spec_text(target)
    if own_text:
        spec = parse_text(*own_text, max_bytes=max_bytes)
        return FoundSpec(spec, {}, spec.name)
    target = str(target)
    name, at, given = split_target(target)
    spec, settings = _spec_of(name, max_bytes)
    parts = [part.strip() for part in given.split(",")] if at else []
    return FoundSpec(spec, read_given(spec, parts, settings, name), labelled(target))


def read_given(spec: Spec, parts: list[str], settings: Mapping[str, Any], name: str = "") -> dict[str, Any]:
    """What stands behind an @, `PRESET,knob=value,…`, on top of the settings that the `name` has. Raises UnknownName
    and UsageError."""
    if parts and "=" not in parts[0] and (parts[0] in spec.presets or _looks_like_one(parts[0], spec)):
        if name in spec.presets:
            raise UsageError(f"{name} is a preset already; write {spec.name}@{shorten(parts[0])}")
        if parts[0] not in spec.presets:
            raise unknown("preset", parts[0], spec.presets, of=spec.name)
        settings, parts = spec.presets[parts[0]].settings, parts[1:]
    return {**settings, **parse_settings(parts, {**spec.knobs, **RESERVED_KNOBS}, spec.name)}


def spec_text(target: Any) -> tuple[str, str] | None:
    """The text of a spec that is given as text or as a dict, and the name of its file in messages."""
    if isinstance(target, Mapping):
        return _as_json(target), AS_JSON
    return (target, TEXT) if isinstance(target, str) and "\n" in target else None


def library_path(name: str) -> Path | None:
    """The file of a spec or preset of the library; None for another name."""
    for paths in (_paths, _all_paths):  # installed packages are looked at for a name that the library has not
        spec = next((entry.spec for entry in _entries(paths()) if entry.name == name), None)
        if spec is not None:
            return paths()[spec]
    return None


def text_of(target: str) -> str:
    """The text of the spec that a name, a preset or a path means. Raises UnknownName, UsageError or SpecError."""
    name, _, _ = split_target(target)
    found = find(name)  # which says what is wrong with it
    path = library_path(name)
    return (path or Path(found.spec.file)).read_text(encoding="utf-8")


def _as_json(data: Mapping[str, Any]) -> str:
    """A spec as JSON, which is YAML too; Fractions and numpy's numbers as they print."""
    try:
        return json.dumps(dict(data), indent=1, ensure_ascii=False, allow_nan=False, default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"a spec as a dict has words, numbers, lists and dicts in it: {why(error)}") from None


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)


def _looks_like_one(word: str, spec: Spec) -> bool:
    return bool(spec.presets) and re.fullmatch(r"\w+", word) is not None and word not in spec.knobs


def _spec_of(name: str, max_bytes: int) -> tuple[Spec, dict[str, Any]]:
    if name in _paths():
        return _library_spec(name), {}
    if re.search(r"[./\\]", name):
        return _file_spec(name, max_bytes), {}
    if re.fullmatch(r"\w+", name):
        # files that mention the name come first: reading every head takes as long as a count
        for stem in sorted(_paths(), key=lambda stem: name not in _paths()[stem].read_text(encoding="utf-8")):
            if name in _head(stem).presets:
                spec = _library_spec(stem)
                return spec, dict(spec.presets[name].settings)
        if elsewhere := next((entry.spec for entry in entries() if entry.name == name), None):
            spec = _library_spec(elsewhere)
            return spec, dict(spec.presets[name].settings) if name in spec.presets else {}
    if name.startswith(PIPELINE):
        pipeline = shorten(name.removeprefix(PIPELINE))
        raise UsageError(
            f"{PIPELINE}{pipeline} is an augmentation pipeline, not a network; see `costcalc augment {pipeline}`"
        )
    raise UnknownName(f"no spec or preset named {shorten(name)!r}", _hint(name))


def _hint(word: str) -> str:
    """What may be meant by a word that names no spec."""
    if word.casefold().startswith(OTHER_FAMILIES):
        return "costcalc has no spec of it; torchvision:NAME or timm:NAME counts theirs, see `costcalc help import`"
    names = [entry.name for entry in entries()]
    same = [name for name in names if name.casefold() == word.casefold()]
    near = f"did you mean {same[0]!r}?" if same else _of_a_family(word) or did_you_mean(word, names, listed=False)
    near = near or _of_a_family(re.split(r"[\d_-]", word)[0]) or _of_short(word, names)
    return f"{near} see `costcalc list`, or give the path of a spec".lstrip()


def _of_short(word: str, names: list[str]) -> str:
    """The hint for a word whose letters stand in one name in this order, as those of `effnet` do in `efficientnet`."""
    letters = re.compile(".*".join(map(re.escape, word.casefold())))
    found = [name for name in names if name.startswith(word[:1].casefold()) and letters.match(name)]
    return f"did you mean {min(found, key=len)!r}?" if found and len(word) > 3 else ""


def _of_a_family(word: str) -> str:
    """The hint for a part of names, as `b0` and `mobilenet` are: the specs, or else the presets."""
    found = [entry for entry in entries() if word.casefold() in entry.name.split("_")]
    names = [entry.name for entry in found if entry.kind == "spec"] or [entry.name for entry in found]
    *first, last = names[:MAX_OF_A_FAMILY] or [""]
    return f"did you mean {' or '.join(filter(None, (', '.join(first), last)))}?" if last else ""


MAX_OF_A_FAMILY = 4  # names in a hint
OTHER_FAMILIES = (  # not in the library, but a slip away from a name in it: no hint should offer that one
    "densenet", "efficientnet_v2", "efficientnetv2", "ghostnet", "mobilenet_v3", "mobilenetv3", "mobilenet_v4",
    "mobilenetv4", "mobilevit", "regnet", "resnest", "resnet164", "resnet200", "resnet269", "resnet1001", "resnet1202",
    "resnext", "res2net", "segnet", "senet", "shufflenet",
)  # fmt: skip
PICKLED = (".pt", ".pth", ".pt2", ".ptl", ".ckpt", ".bin", ".pkl", ".npy", ".npz", ".joblib", ".mar")


def _file_spec(path: str, max_bytes: int) -> Spec:
    if path.lower().endswith(PICKLED):
        raise UsageError(
            f"{path[:200]!r} may be pickled, and unpickling runs what is in it: costcalc never opens such files. "
            "Give the module itself in Python, costcalc.load(module, shape), or export it: torch.onnx.export writes "
            "the network, safetensors the weights"
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
