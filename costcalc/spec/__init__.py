"""Specs: YAML text becomes a Spec, and with a value for each knob a layer graph."""

from costcalc.spec.bind import MAX_LAYERS, bind, bind_what_can_be, resolve
from costcalc.spec.library import Entry, Target, entries, find, folder, parse_settings, setting_text
from costcalc.spec.model import Knob, Preset, Published, Spec
from costcalc.spec.network import Network
from costcalc.spec.parse import parse_file, parse_text
from costcalc.spec.reader import MAX_BYTES

__all__ = [
    "MAX_BYTES",
    "MAX_LAYERS",
    "Entry",
    "Knob",
    "Network",
    "Preset",
    "Published",
    "Spec",
    "Target",
    "bind",
    "bind_what_can_be",
    "entries",
    "find",
    "folder",
    "parse_file",
    "parse_settings",
    "parse_text",
    "resolve",
    "setting_text",
]
