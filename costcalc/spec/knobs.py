"""Reads the knobs and presets of a spec. An invalid knob or preset becomes Reported."""

from __future__ import annotations

import re
from typing import Any

from costcalc.dims import MAX_SIZE
from costcalc.errors import Reported, UsageError, shorten, unknown
from costcalc.expressions import RESERVED
from costcalc.models.knob import RESERVED_KNOBS, SMALLEST_REAL, Knob, Preset
from costcalc.spec.node_reader import Entries, NodeReader
from costcalc.spec.yaml_reader import Mapping, Node, Scalar

KNOB_KINDS = ("integer", "real", "flag", "choice")
KNOB_KEYS = ("default", "kind", "min", "max", "choices", "about", "letter")
LETTER = re.compile(r"[^\W\d]\w{0,15}'{0,2}")
Knobs = dict[str, Knob | Reported]


def read_knobs(reader: NodeReader, node: Node) -> Knobs:
    """Reads the head's `knobs:`; an invalid knob is Reported."""
    found: Knobs = {}
    for key, value in reader.entries(node, "knobs").values():
        name = new_name(reader, key, "a knob")
        if name == "about":
            reader.report(key.place, "a knob cannot be called 'about': presets have one", "give it another name")
        elif name:
            found[name] = _knob(reader, name, key, value)
    found.setdefault("batch", Knob("batch", 1, about="examples at once"))
    return found


def new_name(reader: NodeReader, key: Scalar, what: str) -> str | None:
    """The name of a new knob or size; None for a reserved word of expressions."""
    name = reader.word(key, what)
    if name in RESERVED or name in RESERVED_KNOBS:
        reader.report(
            key.place, f"{what} cannot be called {name!r}: expressions know it as something else", "rename it"
        )
        return None
    return name


def _knob(reader: NodeReader, name: str, key: Scalar, node: Node) -> Knob | Reported:
    if not isinstance(node, Mapping):
        return _from_entries(reader, {"default": (key, node)}, name, key)
    before = len(reader.problems)
    given = reader.entries(node, f"knob {name}", KNOB_KEYS)
    if "default" not in given:
        if len(reader.problems) == before:
            reader.report(key.place, f"knob {name} needs a default")
        return Reported(key.place)
    return _from_entries(reader, given, name, key)


def _from_entries(reader: NodeReader, given: Entries, name: str, key: Scalar) -> Knob | Reported:
    """The knob, or Reported if one of its entries is invalid."""
    before = len(reader.problems)
    default, kind = given["default"][1], _kind(reader, given)
    texts = [word for word in ("about", "letter") if word in given]
    fields: dict[str, Any] = {word: reader.text(given[word][1], f"{word} of {name}") for word in texts}
    letter = fields.get("letter")
    if letter and not LETTER.fullmatch(letter):
        message = f"letter of {name}: {shorten(letter, 20)!r} is not a letter"
        reader.report(given["letter"][1].place, message, "as in n_c'")
    for word in ("choices",) if kind in ("integer", "real") else ("min", "max"):
        if word in given:
            reader.report(given[word][0].place, f"knob {name}: {word} does not go with kind {kind}")
    value: Any
    if kind == "choice":
        fields["choices"] = _choices(reader, given, name)
        value = reader.word(default, f"default of {name}")
    elif kind == "flag":
        value = reader.flag(default, f"default of {name}")
    else:
        value = reader.number(default, f"knob {name}")
        kind = kind if "kind" in given else "integer" if isinstance(value, int) else "real"
        fields["low"], fields["high"] = _range(reader, given, name, kind)
    if len(reader.problems) > before or None in (value, *fields.values()):
        return Reported(key.place)
    knob = Knob(name, value, kind, place=key.place, **fields)
    return knob if _accepts(reader, knob, value, default.place, "default: ") else Reported(key.place)


def _kind(reader: NodeReader, given: Entries) -> str:
    """The kind that is given, else the kind of the default."""
    default = given["default"][1]
    is_flag = isinstance(default, Scalar) and isinstance(default.value, bool)
    guess = "choice" if "choices" in given else "flag" if is_flag else "integer"
    if "kind" not in given:
        return guess
    said = reader.word(given["kind"][1], "kind")
    if said is not None and said not in KNOB_KINDS:
        reader.report(given["kind"][1].place, *unknown("kind of knob", said, KNOB_KINDS).said)
    return said if said in KNOB_KINDS else guess


def _choices(reader: NodeReader, given: Entries, name: str) -> tuple[str, ...]:
    if "choices" not in given:
        reader.report(given["kind"][1].place, f"knob {name} needs its choices", "choices: [one, other]")
        return ()
    node = given["choices"][1]
    listed = [reader.word(item, f"a choice of {name}") for item in reader.items(node, f"choices of {name}")]
    found = tuple(word for word in listed if word is not None)
    if len(set(found)) < len(found):
        reader.report(node.place, f"choices of {name} has a word twice")
    return found


def _range(reader: NodeReader, given: Entries, name: str, kind: str) -> tuple[Any, Any]:
    low: Any = 1 if kind == "integer" else SMALLEST_REAL
    high: Any = MAX_SIZE
    if "min" in given:
        low = reader.number(given["min"][1], f"min of {name}")
    if "max" in given:
        high = reader.number(given["max"][1], f"max of {name}")
    if low is not None and high is not None and low > high:
        word = "max" if "max" in given else "min"
        reader.report(given[word][1].place, f"knob {name}: its least value is above its largest")
    return low, high


def _accepts(reader: NodeReader, knob: Knob, value: Any, place: Any, what: str = "") -> bool:
    """Does the knob take this value? Reports a value that it does not."""
    try:
        knob.check(value)
    except UsageError as error:
        reader.report(place, f"{what}{error.message}", error.hint)
        return False
    return True


def read_presets(reader: NodeReader, node: Node, knobs: Knobs | None) -> dict[str, Any]:
    """The presets by name; without their settings if the `knobs` are unreadable."""
    found: dict[str, Preset | Reported] = {}
    for key, value in reader.entries(node, "presets").values():
        before = len(reader.problems)
        name = reader.word(key, "a preset")
        given = reader.entries(value, f"preset {shorten(key.text)}")
        about = reader.text(given.pop("about")[1], f"about of {name}") if "about" in given else ""
        settings = read_settings(reader, given, knobs)
        if name:
            preset = Preset(name, settings, about or "", key.place)
            found[name] = preset if len(reader.problems) == before else Reported(key.place)
    return found


def read_settings(reader: NodeReader, given: Entries, knobs: Knobs | None) -> dict[str, Any]:
    """The valid settings of knobs; none if the `knobs` are unreadable."""
    settings: dict[str, Any] = {}
    if knobs is None:
        return settings
    for name, (key, node) in given.items():
        knob = knobs.get(name)
        if knob is None:
            reader.report(key.place, *unknown("knob", name, knobs).said)
        elif isinstance(knob, Knob) and not isinstance(node, Reported):
            value = _setting(reader, knob, node)
            if value is not None and _accepts(reader, knob, value, node.place):
                settings[name] = value
    return settings


def _setting(reader: NodeReader, knob: Knob, node: Node) -> Any:
    if isinstance(node, Scalar) and (knob.kind == "choice" or isinstance(node.value, bool)):
        return node.text if knob.kind == "choice" else node.value
    return reader.number(node, f"knob {knob.name}")
