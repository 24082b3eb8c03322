"""Reads the published figures of a spec."""

from __future__ import annotations

from collections.abc import Collection

from costcalc.errors import shorten, unknown
from costcalc.models.knob import FIGURE, QUOTED, Published
from costcalc.spec.knobs import Knobs, read_settings
from costcalc.spec.node_reader import Entries, NodeReader
from costcalc.spec.yaml_reader import Node

FIGURE_KEYS = ("metric", "value", "preset", "at", "block", "K", "source", "because")
REQUIRED_KEYS = ("metric", "value", "source")


def read_published(
    reader: NodeReader, node: Node, knobs: Knobs | None, presets: Collection[str]
) -> tuple[Published, ...]:
    """Reads the head's `published:`; leaves out invalid figures, which are reported."""
    found = [_figure(reader, item, knobs, presets) for item in reader.items(node, "published")]
    return tuple(figure for figure in found if figure is not None)


def _figure(reader: NodeReader, node: Node, knobs: Knobs | None, presets: Collection[str]) -> Published | None:
    before = len(reader.problems)
    given = reader.entries(node, "a published figure", FIGURE_KEYS)
    reader.require("a published figure", REQUIRED_KEYS, given, node.place, before)
    texts = {
        key: reader.text(given[key][1], key) or "" for key in FIGURE_KEYS if key in given and key not in ("at", "block")
    }
    _check(reader, given, texts, presets)
    if texts.get("metric") in QUOTED and ("at" not in given or "block" in given):
        hint = "as in at: {r: 224}"
        reader.report(node.place, f"{texts['metric']} is of a network, at the resolution it was taken at", hint)
    at = read_settings(reader, reader.entries(given["at"][1], "at"), knobs) if "at" in given else {}
    block = reader.path(given["block"][1], "block") if "block" in given else ""
    if len(reader.problems) > before:
        return None
    thousand = int(texts.get("K") or 1000)
    about = {key: texts.get(key, "") for key in (*REQUIRED_KEYS, "preset", "because")}
    place, metric_place = node.place, given["metric"][1].place
    return Published(at=at, block=block or "", thousand=thousand, place=place, metric_place=metric_place, **about)


def _check(reader: NodeReader, given: Entries, texts: dict[str, str], presets: Collection[str]) -> None:
    """Reports the problems of a figure's texts; an empty text was reported before."""

    def wrong(key: str, message: str, hint: str = "") -> None:
        reader.report(given[key][1].place, message, hint)

    value, preset = (texts.get(key, "") for key in ("value", "preset"))
    if value and not FIGURE.fullmatch(value):
        wrong("value", f"{shorten(value, 30)!r} is not a figure", "digits, and K, M, G or B: 61,706 or 5.3M")
    elif value and texts.get("metric") in QUOTED and not (value[-1].isdigit() and float(value.replace(",", "")) <= 100):
        wrong("value", f"{texts['metric']} is a percentage, 0 to 100")
    if texts.get("K", "1000") not in ("", "1000", "1024"):
        wrong("K", "K is 1000 or 1024")
    if preset and preset not in presets:
        wrong("preset", *unknown("preset", preset, presets).said)
