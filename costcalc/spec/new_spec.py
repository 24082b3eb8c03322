"""A spec to start from: a small network, or another spec under a new name."""

from __future__ import annotations

import re

from costcalc.errors import UsageError, shorten
from costcalc.spec.library import find, text_of
from costcalc.spec.parse import parse_text
from costcalc.text import value_text

SCHEMA_LINES = (
    "# yaml-language-server: $schema=costcalc.schema.json\n"
    "# For completion in an editor: costcalc schema > costcalc.schema.json. The grammar: costcalc help specs\n"
)
SMALL = """\
name: {name}
title: A small network to start from
source: made with `costcalc new`
knobs:
  r: {{default: 32, min: 8, about: side of the image in pixels}}
  c: {{default: 16, about: channels of the first convolution}}
  classes: {{default: 10, about: classes to tell apart}}
input: [3, r, r]
blocks:
  unit(channels, stride=1):
    - conv: {{channels: channels, kernel: 3, stride: stride, padding: 1, bias: false}}
    - batch_norm
    - relu
layers:
  - unit: {{name: stem, channels: c}}
  - unit: {{name: down, channels: 2*c, stride: 2}}
  - repeat: {{name: body, times: 2, layers: [unit: {{channels: 2*c}}]}}
  - global_average_pool
  - linear: {{name: head, features: classes}}
"""
OF_THE_ORIGINAL = ("lecture", "presets", "published")  # parts that say something of networks under its name


def new_spec(name: str, like: str = "") -> str:
    """The text of a spec of this name: of a small network, or of the one that a target means, with the knobs at its
    values. Raises UsageError for a name that is no word, and for a target whose text says its knobs in another way."""
    if not re.fullmatch(r"[^\W\d]\w*", name):
        raise UsageError(f"{shorten(name)!r} is no name; give a word, as in my_net")
    if not like:
        return SCHEMA_LINES + SMALL.format(name=name)
    found = find(like)
    if "batch" in found.settings:
        raise UsageError(
            "a spec has no batch; count it with one, as in --batch 4", f"leave it out of {shorten(like)!r}"
        )
    values = {knob.name: knob.default for knob in found.spec.knobs.values()} | found.settings
    text = _without(text_of(like).removeprefix(SCHEMA_LINES), OF_THE_ORIGINAL)
    text = re.sub(r"(?m)^name: .*$", f"name: {name}", text, count=1)
    text = re.sub(r"(?m)^source: .*$", lambda line: f"{line[0]}  # begun as {like}", text, count=1)
    for knob, value in found.settings.items():
        text = re.sub(rf"(?m)^(  {knob}: (?:{{default: )?)[^,}}\n]+", rf"\g<1>{value_text(value)}", text, count=1)
    made = parse_text(text, f"{name}.yaml")
    if {knob.name: knob.default for knob in made.knobs.values()} != values:
        raise UsageError(f"the defaults of {shorten(like)!r} are not on lines of their own; copy the file by hand")
    return SCHEMA_LINES + text


def _without(text: str, parts: tuple[str, ...]) -> str:
    """The text of a spec without these parts, from their line to the next that begins at its start."""
    for part in parts:
        text = re.sub(rf"(?ms)^{part}:.*?(?=^[a-z]|\Z)", "", text)
    return text
