"""Labels of targets and settings of knobs as text: `resnet50@r=160,w=1/3`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from os.path import isfile
from typing import Any

from costcalc.errors import NOWHERE, SpecError, UsageError, shorten, unknown
from costcalc.expressions import parse
from costcalc.models.knob import Knob, Preset


def labelled(target: str, more: Iterable[str] = ()) -> str:
    """The label of a target with more knobs set, each once: `resnet50@r=160`. A path stays as typed."""
    name, at, given = split_target(target)
    parts = [re.sub(r"\s", "", part) for part in given.split(",")] if at else []
    for text in more:
        knob, _, value = (piece.strip() for piece in text.partition("="))
        parts = [part for part in parts if part.partition("=")[0] != knob] + [f"{knob}={value}"]
    name = name if re.search(r"[./\\]", name) else re.sub(r"\s", "", name)
    return f"{name}@{','.join(parts)}" if parts else name


def preset_of(label: str, presets: Mapping[str, Preset]) -> Preset | None:
    """The preset that a label names: `resnet50`, or `resnet@resnet50`."""
    name, _, given = split_target(label)
    return presets.get(name) or presets.get(given.split(",")[0])


def split_target(target: str) -> tuple[str, str, str]:
    """`NAME`, `@` and `knob=value,…`. An @ in the name of a folder is part of the path."""
    name, at, given = target.rpartition("@")
    is_path = "=" not in given and re.search(r"[/\\]", given)
    return (target, "", "") if not at or is_path or isfile(target) else (name, at, given)


def parse_settings(texts: list[str], knobs: Mapping[str, Knob], owner: str) -> dict[str, Any]:
    """`["w=0.5", "r=160"]` as knob values, exact. Raises UnknownName or UsageError."""
    settings = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not value:
            raise UsageError(f"{shorten(text)!r} sets no knob; write knob=value, as in r=160")
        if name not in knobs:
            raise unknown("knob", name, knobs, of=owner)
        if name in settings:
            raise UsageError(f"knob {name!r} is set twice; set it once")
        settings[name] = knobs[name].check(_setting(value, knobs[name]))
    return settings


def _setting(text: str, knob: Knob) -> Any:
    if knob.kind in ("choice", "layer"):
        return text
    if knob.kind == "flag":
        return {"true": True, "false": False}.get(text.lower(), text)
    return parse_number(knob.name, text)


def parse_number(name: str, text: str) -> Any:
    """The exact number of `160`, `1/3` or `2**5`; messages call it `name`. Raises UsageError."""
    try:
        return parse(text, NOWHERE).value({})
    except SpecError as error:
        problem = error.problems[0]
        raise UsageError(f"{name}={shorten(text)}: {problem.message}", problem.hint) from None
