"""Every value of a spec has a form: where another stands there, it is refused with its place."""

import json
from copy import deepcopy

import pytest
from ruamel.yaml import YAML

import costcalc
from costcalc.errors import SpecError
from costcalc.spec.parse import parse_text

HEAD = "name: x\ntitle: t\nsource: s\ninput: [3, 8, 8]\n"
FULL = """
name: full
title: A network with everything in it
source: nobody
about: a paragraph
knobs:
  r: {default: 8, kind: integer, min: 2, max: 99, about: resolution, letter: R}
  w: {default: 1, kind: real}
  head: {default: linear, choices: [linear, none]}
  deep: {default: true, kind: flag}
  classes: 10
presets:
  half: {w: 1/2, head: linear, about: half as wide}
sizes: {c1: "round_to(24*w, 8)"}
inputs: {image: [3, r, r]}
blocks:
  "unit(channels, stride=1)":
    - conv: {channels: channels, kernel: [3, 3], stride: stride, padding: same, bias: false}
    - relu
layers:
  - unit: {channels: c1, from: image, name: first, when: true}
  - repeat: {name: body, times: 3, when: deep, layers: [{unit: c1}]}
  - add: [[], [batch_norm]]
  - concat: {axis: 1, branches: [[], [{dropout: 0.5}]]}
  - group: {name: g, layers: [{conv: {name: a, channels: 8, kernel: 1}}]}
  - conv: {channels: 8, kernel: 1, from: g.a, shares: g.a, when: r < 0}
  - side: {name: aux, layers: [flatten]}
  - reshape: [8, 64]
  - linear: {name: fc, features: classes, when: head == 'linear', meant: true}
published:
  - {metric: params, value: 2.7K, K: 1024, preset: half, at: {w: 1/2}, block: fc, because: why, source: Table 1}
"""
OTHERS = [[2], [[1, 2], 3], {"a": [1]}, {}, None, True, "group", "1/0"]


def places(node, path=()):
    """The way to each value, and to each key, which is another's value then."""
    yield path
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from places(value, (*path, key))


def replaced(tree, path, value):
    tree = deepcopy(tree)
    if not path:
        return value
    node = tree
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return tree


def test_what_has_another_form_is_refused_or_means_something(tmp_path):
    tree, refused = YAML(typ="safe", pure=True).load(FULL), 0
    path = tmp_path / "full.yaml"
    path.write_text(json.dumps(tree))  # YAML too
    assert [*costcalc.validate(path)] == []
    for i, way in enumerate(places(tree)):
        for other in OTHERS[i % 2 :: 2]:
            path.write_text(json.dumps(replaced(tree, way, other)))
            problems = [problem for problem in costcalc.validate(path) if not problem.warning]
            refused += bool(problems)
            assert all(problem.place and problem.message for problem in problems), (way, other)
    assert refused > 250


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ("[relu, group]", "5:16: group needs 'layers'"),
        ("[relu, repeat]", "5:16: repeat needs 'layers' and 'times'"),
        ("[relu, side]", "5:16: side needs 'layers'"),
        ("[relu, add]", "5:16: add needs branches, or `from` with the layers to join"),
        ("[relu, concat]", "5:16: concat needs branches, or `from` with the layers to join"),
        ("[repeat: {times: [2], layers: [relu]}]", "5:26: repeat: times takes one value, not a list"),
        ("[repeat: {times: [], layers: [relu]}]", "5:26: repeat: times takes one value, not a list"),
        ("[repeat: {times: {a: 2}, layers: [relu]}]", "5:26: repeat: times is a number or an expression; "),
    ],
)
def test_a_structure_says_what_it_needs(layers, said):
    with pytest.raises(SpecError) as caught:
        parse_text(f"{HEAD}layers: {layers}\n", "x.yaml")
    assert str(caught.value).startswith(f"x.yaml:{said}")
