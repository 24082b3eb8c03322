"""`costcalc schema`: every spec of the library fits it, and what is misspelt does not."""

import json
import subprocess
import sys

import jsonschema
import pytest
from ruamel.yaml import YAML

from costcalc.analysis.metrics import COUNTED as METRICS
from costcalc.ops import OPS
from costcalc.spec.library import library_folder
from costcalc.spec.schema import json_schema
from costcalc.spec.schema_parts import with_shared_parts

VALIDATOR = jsonschema.Draft202012Validator(json_schema(METRICS))
SPECS = sorted(library_folder().glob("*.yaml"))
GOOD = """
name: tiny
title: A tiny network
source: nobody
knobs:
  r: {default: 32, about: resolution}
  w: {default: 1, kind: real, min: 1/4, max: 4}
  head: {default: linear, choices: [linear, none]}
  classes: 10
presets:
  half: {w: 1/2, about: half as wide}
sizes:
  c1: round_to(24*w, 8)
input: [3, r, r]
blocks:
  unit(channels, stride=1):
    - conv: {channels: channels, kernel: 3, stride: stride, padding: same, bias: false}
    - relu
layers:
  - unit: {channels: c1, stride: 2}
  - repeat: {name: body, times: 3, layers: [unit: c1]}
  - add: [[], [batch_norm]]
  - concat: {axis: 1, branches: [[], []]}
  - global_average_pool
  - linear: {name: fc, features: classes, when: head == 'linear'}
published:
  - {metric: params, value: 2.7K, K: 1024, source: Table 1}
"""
WRONG = {
    "a misspelt field": ("kernel: 3", "kernal: 3"),
    "a misspelt key": ("layers:\n  - unit", "layer:\n  - unit"),
    "a misspelt key of a knob": ("about: resolution", "abut: resolution"),
    "a kind that is none": ("kind: real", "kind: reel"),
    "a flag that is none": ("bias: false", "bias: 3"),
    "a missing field": ("conv: {channels: channels, kernel: 3,", "conv: {channels: channels,"),
    "a list of one branch": ("add: [[], [batch_norm]]", "add: [[]]"),
    "a structure without layers": (", layers: [unit: c1]", ""),
    "two ops in one item": ("- relu", "- relu: {}\n      conv: 3"),
    "a metric that is none": ("metric: params", "metric: param"),
    "a key of a structure": ("times: 3,", "time: 3,"),
    "an op that needs fields, alone": ("- relu", "- conv"),
    "a structure alone": ("- relu", "- group"),
    "a join alone": ("- relu", "- add"),
    "both inputs": ("blocks:", "inputs: {x: [3]}\nblocks:"),
    "a field of an op that has none": ("global_average_pool", "flatten: {axis: 1}"),
}


def read(text):
    return YAML(typ="safe", pure=True).load(text)


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_spec_of_the_library_fits(path):
    assert [error.message for error in VALIDATOR.iter_errors(read(path.read_text(encoding="utf-8")))] == []


def test_a_spec_with_everything_in_it_fits():
    assert [error.message for error in VALIDATOR.iter_errors(read(GOOD))] == []


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_does_not_fit(what):
    old, new = WRONG[what]
    assert old in GOOD
    assert not VALIDATOR.is_valid(read(GOOD.replace(old, new, 1)))


def test_every_op_is_described_for_the_editor():
    layer = json_schema()["$defs"]["layer"]
    known = layer["anyOf"][-1]["properties"]
    for name in OPS:
        assert name == "input" or known[name]["description"], name


def test_the_command_prints_it():
    ran = subprocess.run([sys.executable, "-m", "costcalc", "schema"], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == json_schema(METRICS)


def test_shared_parts_filled_in_are_the_schema():
    part = {
        "anyOf": [{"type": "number", "minimum": 1}, {"type": "string", "maxLength": 1000, "description": "a formula"}]
    }
    plain = {"type": "object", "properties": dict.fromkeys("abc", part), "$defs": {"x": {"items": part}}}
    made = with_shared_parts(plain)
    assert [*made["$defs"]][:2] == ["x", "part"] and made["properties"]["a"] == {"$ref": "#/$defs/part"}

    def filled_in(node):
        if isinstance(node, list):
            return [filled_in(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return filled_in(made["$defs"][node["$ref"].removeprefix("#/$defs/")])
        return {key: filled_in(value) for key, value in node.items()}

    assert filled_in({**made, "$defs": {"x": made["$defs"]["x"]}}) == plain
    assert len(json.dumps(json_schema(METRICS))) < 100_000
