"""From a spec to a layer graph: names, branches, switches, repeats, and values of every kind."""

import json
import random
from fractions import Fraction

import numpy as np
import pytest

import costcalc
from costcalc.dims import size_symbol
from costcalc.errors import SpecError, UnknownName, UsageError
from costcalc.graph import Repeat
from costcalc.spec.bind import bind, resolve
from costcalc.spec.parse import parse_text

HEAD = "name: x\ntitle: t\nsource: s\n"


def spec(text, head="input: [3, 8, 8]\n"):
    return parse_text(HEAD + head + text, "x.yaml")


def graph(text, head="input: [3, 8, 8]\n", **settings):
    found = spec(text, head)
    return bind(found, resolve(found, settings))


def names(text, **settings):
    return [*graph(text, **settings)][1:]


def wrong(text, head="input: [3, 8, 8]\n", **settings):
    with pytest.raises(SpecError) as caught:
        graph(text, head, **settings)
    return str(caught.value)


# --- names ------------------------------------------------------------------------------------------------------------


def test_layers_are_called_by_their_kind_and_numbered_where_there_are_several():
    assert names("layers: [relu, tanh, relu, {conv: {channels: 3, kernel: 1}}, relu]") == [
        "relu1", "tanh", "relu2", "conv", "relu3",
    ]  # fmt: skip


def test_names_in_groups_blocks_and_repeats_start_anew():
    text = """
blocks:
  unit(c):
    - conv: {channels: c, kernel: 1}
    - relu
layers:
  - relu
  - unit: 4
  - group: {name: stage, layers: [relu, unit: 5]}
  - unit: {c: 6, name: last}
"""
    assert names(text) == [
        "relu", "unit.conv", "unit.relu", "stage.relu", "stage.unit.conv", "stage.unit.relu", "last.conv", "last.relu",
    ]  # fmt: skip


def test_branches_and_nameless_groups_share_the_names_of_their_list():
    text = "layers:\n  - relu\n  - add: [[relu], [group: {layers: [relu, tanh]}]]\n  - relu"
    assert names(text) == ["relu1", "relu2", "relu3", "tanh", "add", "relu4"]


@pytest.mark.parametrize("item", [
    "relu: {when: deep}",
    "group: {when: deep, layers: [relu, tanh, group: {layers: [relu]}]}",
    "add: {when: deep, branches: [[relu], [tanh, mul: [[], [relu]]]]}",
    "group: {name: g, when: deep, layers: [relu, relu, relu]}",
    "side: {name: g, when: deep, layers: [relu, relu, relu]}",
    "repeat: {times: 2, when: deep, layers: [relu, relu]}",
])  # fmt: skip
def test_a_switch_does_not_rename_the_layers_after_it(item):
    text = f"layers:\n  - relu\n  - {item}\n  - relu\n  - tanh\n  - tanh"
    head = "knobs: {deep: false}\ninput: [3, 8, 8]\n"
    on = [*graph(text, head, deep=True)]
    off = [*graph(text, head)]
    assert set(off) < set(on)
    assert off[-3:] == on[-3:]


@pytest.mark.parametrize(
    ("layers", "called"),
    [
        ("[relu, relu, relu, relu, relu, relu, relu6]", "relu_1 relu_2 relu_3 relu_4 relu_5 relu_6 relu6"),
        ("[relu, relu, relu1]", "relu_1 relu_2 relu1.tanh"),
        ("[relu1, relu1, relu, relu]", "relu1_1.tanh relu1_2.tanh relu1 relu2"),
        ("[tanh, relu: {name: tanh}]", "tanh1 tanh"),
        ("[tanh, tanh, relu: {name: tanh2}, add: [[], [tanh]]]", "tanh_1 tanh_2 tanh2 tanh_3 add"),
        ("[relu, relu, relu: {name: relu1, when: false}]", "relu_1 relu_2"),
        ("[relu: {from: image}, add: {from: [relu1, relu]}]", "relu1 add"),
    ],
)
def test_a_name_that_is_made_is_no_other_name(layers, called):
    head = "inputs: {image: [3, 8, 8], relu: [3, 8, 8]}\n" if "image" in layers else "input: [3, 8, 8]\n"
    found = graph(f"blocks: {{relu1: [tanh]}}\nlayers: {layers}", head)
    assert [name for name, data in found.nodes(data=True) if data["inputs"]] == called.split()


NAMES = ["relu1", "relu6", "relu_1", "tanh", "u1", "u1_1", "u2", "relu__2", "u", "tanh1", "relu2", "relu6_1"]


def test_random_lists_have_a_name_for_each_layer():
    dice = random.Random(1)
    for _ in range(200):
        kinds = [dice.choice(["relu", "relu6", "tanh", "u", "u1", "u1_1"]) for _ in range(dice.randrange(1, 12))]
        named = iter(dice.sample(NAMES, len(NAMES)))
        items = [{kind: {"name": next(named)}} if dice.random() < 0.2 else kind for kind in kinds]
        blocks = "blocks: {u: [tanh], u1: [tanh], u1_1: [tanh]}\n"
        assert len(graph(f"{blocks}layers: {json.dumps(items)}")) == len(kinds) + 1


def test_a_layer_is_found_from_near_to_far():
    text = """
layers:
  - relu: {name: a}
  - group:
      name: g
      layers:
        - tanh: {name: a}
        - sigmoid: {name: near, from: a}
        - sigmoid: {name: far, from: g.a}
  - sigmoid: {name: outside, from: a}
  - sigmoid: {name: inside, from: g.a}
  - sigmoid: {name: end, from: g}
"""
    found = graph(text)
    read = {name: data["inputs"] for name, data in found.nodes(data=True)}
    assert read["g.near"] == read["g.far"] == read["inside"] == ("g.a",)
    assert read["outside"] == ("a",)
    assert read["end"] == ("g.far",)


# --- structures -------------------------------------------------------------------------------------------------------


def test_a_side_branch_ends_in_an_output_of_its_own():
    found = graph("layers:\n  - relu\n  - side: {name: aux, layers: [tanh]}\n  - sigmoid\n  - tanh: {from: aux}")
    assert found.nodes["sigmoid"]["inputs"] == ("relu",)
    assert found.nodes["aux.tanh"]["inputs"] == ("relu",)
    assert found.nodes["tanh"]["inputs"] == ("aux.tanh",)


def test_an_empty_branch_is_the_tensor_itself():
    found = graph("layers:\n  - relu\n  - add: [[], [tanh]]\n  - concat: {axis: 2, from: relu, branches: [[], []]}")
    assert found.nodes["add"]["inputs"] == ("relu", "tanh")
    assert found.nodes["concat"]["inputs"] == ("relu", "relu")
    assert found.nodes["concat"]["op"].axis == 2


def test_an_empty_group_or_repeat_is_nothing():
    assert names("layers:\n  - relu\n  - group: {layers: []}\n  - repeat: {times: 3, layers: []}\n  - tanh") == [
        "relu",
        "tanh",
    ]


def test_a_repeat_stays_one_node():
    found = graph("layers:\n  - repeat: {name: body, times: 3, layers: [relu, tanh]}")
    op = found.nodes["body"]["op"]
    assert isinstance(op, Repeat)
    assert (op.times, [*op.body]) == (3, ["input", "relu", "tanh"])


def test_several_inputs_are_read_by_name():
    head = "inputs: {image: [3, 8, 8], text: [5]}\n"
    found = graph("layers:\n  - relu: {from: image}\n  - linear: {features: 2, from: text}", head)
    assert found.nodes["text"]["op"].size == (1, 5)
    assert found.nodes["linear"]["inputs"] == ("text",)
    assert wrong("layers: [relu]", head) == "x.yaml:5:10: nothing stands before this layer; say what it reads: from: …"


def test_equal_layers_are_one_object():
    found = graph("layers:\n  - conv: {channels: 3, kernel: 1}\n  - conv: {channels: 6/2, kernel: 1}")
    assert found.nodes["conv1"]["op"] is found.nodes["conv2"]["op"]


def test_a_block_sees_its_own_parameters_and_the_names_of_the_spec():
    text = "blocks:\n  inner: [linear: c]\n  outer(c): [inner]\nlayers: [outer: 3]"
    with pytest.raises(SpecError, match=r"x\.yaml:6:19: unknown name 'c'; known: batch"):
        spec(text)
    shadow = "sizes: {c: 5}\n", "blocks:\n  inner: [linear: c]\n  outer(c): [linear: c, inner]\nlayers: [outer: 3]"
    found = graph(shadow[1], shadow[0] + "input: [3, 8, 8]\n")
    assert [found.nodes[name]["op"].features for name in ("outer.linear", "outer.inner.linear")] == [3, 5]


def test_a_default_may_have_commas_in_brackets():
    text = "blocks:\n  b(c=max(batch, 4), k=min(1, 2)): [{conv: {channels: c, kernel: k}}]\nlayers: [b, b: {k: 3}]"
    found = graph(text)
    assert [data["op"].kernel for name, data in found.nodes(data=True) if name != "input"] == [1, 3]
    assert found.nodes["b1.conv"]["op"].channels == 4


# --- values -----------------------------------------------------------------------------------------------------------

KNOBS = """\
knobs:
  r: 8
  w: {default: 1, kind: real}
  mode: {default: plain, choices: [plain, wide]}
  deep: false
sizes:
  c: 4 if mode == 'plain' else 8
  half: c / 2
input: [3, r, r]
"""
NET = """
layers:
  - conv: {channels: c*w, kernel: 3, padding: same, bias: deep}
  - relu: {when: deep and mode != 'plain'}
  - linear: {features: half}
"""


def test_knobs_reach_the_layers():
    found = graph(NET, KNOBS, mode="wide", deep=True, w=Fraction(1, 2))
    assert [*found] == ["input", "conv", "relu", "linear"]
    assert (found.nodes["conv"]["op"].channels, found.nodes["conv"]["op"].bias) == (4, True)
    assert [*graph(NET, KNOBS)] == ["input", "conv", "linear"]


def test_letters_reach_the_layers_and_what_they_assume_is_kept():
    found = spec(NET, KNOBS)
    values = resolve(found, {}, free=["r", "w", "mode", "batch"])
    bound = bind(found, values)
    assert values["mode"] == "plain"
    assert bound.nodes["conv"]["op"].channels == 4 * size_symbol("w", real=True)
    assert bound.nodes["input"]["op"].size[0] == size_symbol("batch")
    assert [*map(str, bound.graph["assumed"])] == ["4*w = 4*w must be a whole number"]


def test_a_switch_on_a_letter_cannot_be_decided():
    text = "layers:\n  - relu: {when: r > 100}"
    found = spec(text, KNOBS)
    assert [*bind(found, resolve(found, {}))] == ["input"]
    with pytest.raises(SpecError) as caught:
        bind(found, resolve(found, {}, free=["r"]))
    assert (
        str(caught.value) == "x.yaml:14:18: cannot decide r > 100 while its symbols are free; set them, as in --set r=8"
    )
    with pytest.raises(SpecError, match="r > 100 holds at some points of an array and not at others"):
        bind(found, resolve(found, {"r": np.array([8, 200])}))


@pytest.mark.parametrize("condition", ["ceil(r/2) > 16", "max(r, 8) > 32", "not floor(r/2) + min(r, 3) > 9"])
def test_a_function_in_a_condition_on_a_letter_is_no_name(condition):
    for layer in (f'linear: {{features: 3, when: "{condition}"}}', f'linear: "16 if {condition} else 8"'):
        found = spec(f"layers:\n  - {layer}", "knobs: {r: 64}\ninput: [3, r, r]\n")
        with pytest.raises(SpecError, match=r"cannot decide .* while its symbols are free; set them, as in --set r=64"):
            bind(found, resolve(found, {}, ["r"]))


def test_truths_of_a_column_are_compared_and_counted_as_those_of_a_number():
    """A size may be true or false: equal to another, or not, and no number."""
    knobs = "knobs: {r: 8}\nsizes: {big: r > 9}\ninput: [3, r, r]\n"
    for r in (8, 16):
        column = np.array([r, r])
        for text in ("big == true", "big != (r > 20)", "not big and 1/(r - 16) < 1", "big or r == 8"):
            layers = f"layers:\n  - relu: {{when: {text}}}"
            assert [*graph(layers, knobs, r=column)] == [*graph(layers, knobs, r=r)]
        for value in (r, column):
            with pytest.raises(SpecError, match=r"big is (true|false|true or false), not a number"):
                graph("layers:\n  - linear: big + 1", knobs, r=value)


def test_columns_reach_the_layers():
    r = np.array([8, 16, 32])
    found = graph("layers:\n  - conv: {channels: 4, kernel: 3, padding: 1}\n  - linear: {features: r}", KNOBS, r=r)
    assert [*costcalc.cost(found).macs] == [int(4 * 27 * n * n + 4 * n * n * n) for n in r]
    text = "layers:\n  - repeat: {times: r, layers: [conv: {channels: 3, kernel: 3, padding: 1}]}"
    repeated = graph(text, KNOBS, r=r)
    assert [*costcalc.cost(repeated).macs] == [int(n * 81 * n * n) for n in r]


def test_what_does_not_come_out_whole_says_which_value_it_has():
    assert wrong("layers:\n  - linear: {features: 4*w}", KNOBS, w=Fraction("0.3")) == (
        "x.yaml:14:24: 4*w = 1.2 is not a whole number; "
        "linear: features must come out whole: choose other knobs or round it"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"r": 0}, "knob 'r' is at least 1, got 0"),
        ({"r": 2**31 + 1}, "knob 'r' is at most 2147483648, got 2147483649"),
        ({"r": Fraction(1, 2)}, "knob 'r' is a whole number, got 0.5"),
        ({"r": "8"}, "knob 'r' is a whole number, got '8'"),
        ({"r": True}, "knob 'r' is a whole number, got True"),
        ({"w": None}, "knob 'w' is a number, got None"),
        ({"w": 0}, "knob 'w' is at least 0.001, got 0"),
        ({"mode": "wied"}, "knob 'mode' is one of plain, wide, got 'wied'; did you mean 'wide'?"),
        ({"mode": 3}, "knob 'mode' is one of plain, wide, got 3"),
        ({"deep": 1}, "knob 'deep' is true or false, got 1"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(UsageError) as caught:
        resolve(spec(NET, KNOBS), settings)
    assert str(caught.value) == message


def test_a_knob_that_does_not_exist_is_named():
    with pytest.raises(UnknownName) as caught:
        resolve(spec(NET, KNOBS), {"rr": 3})
    assert str(caught.value) == "x: unknown knob 'rr'; did you mean 'r'?"


def test_free_knobs_must_exist():
    with pytest.raises(UnknownName, match="unknown knob 'q'"):
        resolve(spec(NET, KNOBS), {}, free=["q"])


def test_a_broken_size_is_said_once():
    head = "knobs: {r: 8}\nsizes: {a: 1/(r-8), b: a+1}\ninput: [3, a, b]\n"
    layers = "  - linear: a\n  - u: a\n  - relu: {when: a > 3}\n  - repeat: {times: b, layers: [relu]}"
    assert wrong("blocks:\n  u(c): [linear: c]\nlayers:\n" + layers, head) == "x.yaml:5:12: 1/(r-8): a division by zero"


def test_a_layer_that_is_wrong_is_not_missed_by_others():
    text = """
layers:
  - conv: {name: a, channels: 0, kernel: 3}
  - relu
  - add: {name: b, from: [a, relu]}
  - conv: {channels: 3, kernel: 3, shares: a, from: input}
  - group: {name: g, layers: [tanh]}
  - tanh: {from: g.tanh}
  - repeat: {name: r, times: 2, layers: [tanh]}
  - sigmoid: {from: r}
  - linear: {features: 0}
"""
    assert wrong(text).split("\n") == [
        "x.yaml:7:31: conv: channels must be a whole number from 1 to 2^31, got 0",
        "x.yaml:15:24: linear: features must be a whole number from 1 to 2^31, got 0",
    ]


def test_a_repeat_that_is_wrong_inside_is_said_once():
    text = "layers:\n  - repeat: {times: 3, layers: [relu: {name: a}, linear: {features: 0, from: a}, tanh]}"
    assert wrong(text) == "x.yaml:6:69: linear: features must be a whole number from 1 to 2^31, got 0"


@pytest.mark.parametrize("end", ["{from: a, layers: []}", "{layers: [add: {from: [a, a]}], from: a}"])
def test_a_repeat_has_one_output(end):
    text = f"layers:\n  - repeat: {{times: 3, layers: [relu: {{name: a}}, tanh: {{name: b}}, group: {end}]}}"
    assert "one output" in wrong(text)


# --- limits -----------------------------------------------------------------------------------------------------------


def nested_blocks(levels, calls):
    blocks = ["  b0: [relu]"] + [f"  b{i}: [{', '.join([f'b{i - 1}'] * calls)}]" for i in range(1, levels)]
    return "blocks:\n" + "\n".join(blocks) + f"\nlayers: [b{levels - 1}]"


def test_limits_of_blocks():
    assert len(graph(nested_blocks(49, 1))) == 2
    assert wrong(nested_blocks(50, 1)) == "x.yaml:56:10: layers nest more than 50 deep"
    assert wrong(nested_blocks(51, 1)) == "x.yaml:56:3: block 'b50' nests more than 50 deep"
    assert wrong(nested_blocks(18, 2)) == (
        "x.yaml:24:10: the network expands to more than 100,000 layers; raise the limit with --max-layers"
    )


def test_the_limit_of_layers_is_raised():
    found = spec("layers:\n  - repeat: {times: 200000, layers: [relu]}")
    with pytest.raises(SpecError, match="repeats make 200,000 layers; at most 100,000"):
        bind(found, resolve(found, {}))
    assert costcalc.cost(bind(found, resolve(found, {}), max_layers=200_000)).total("elementwise") == 200_000 * 192


def test_the_collector_rests_and_goes_on():
    import gc

    from costcalc.models.gc_pause import gc_paused

    assert gc.isenabled()
    with gc_paused():
        with gc_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_names_of_a_kind_that_ends_in_a_digit_are_numbered_behind_a_line():
    assert names("layers: [relu6, relu, relu6, relu]") == ["relu6_1", "relu1", "relu6_2", "relu2"]


def test_a_repeat_whose_body_grows_says_which_knob_to_set():
    text = "layers:\n  - repeat: {times: 2*n, layers: [concat: [[], [conv: {channels: g, kernel: 1}]]]}"
    head = "knobs: {n: 4, g: 12}\ninput: [24, 8, 8]\n"
    found = spec(text, head)
    with pytest.raises(costcalc.ShapeError) as caught:
        costcalc.cost(bind(found, resolve(found, {}, free=["n", "g"])))
    assert str(caught.value) == (
        "x.yaml:7:5: layer 'repeat' (repeat): repeats 2*n times a body that turns (1, 24, 8, 8) into "
        "(1, g + 24, 8, 8); give times as a number, as in --set n=4"
    )
    assert costcalc.cost(bind(found, resolve(found, {}, free=["g"]))).macs is not None


def test_a_switch_in_a_block_on_a_size_of_a_letter_says_which_knob_to_set():
    text = "blocks:\n  unit(k): [relu: {when: k > 7}]\nlayers:\n  - unit: 2*c"
    head = "knobs: {r: 8}\nsizes: {c: r + 1}\ninput: [3, r, r]\n"
    found = spec(text, head)
    with pytest.raises(SpecError, match="cannot decide k > 7 while its symbols are free; set them, as in --set r=8"):
        bind(found, resolve(found, {}, free=["r"]))


def test_a_parameter_reads_no_layer():
    text = "name: net\ntitle: t\nsource: s\ninput: [5, 8]\nlayers:\n"
    layers = "  - linear: {name: fc, features: 8}\n  - parameter: {name: p, size: 8%s}\n  - add: {from: [fc, p]}\n"
    net = costcalc.load(text + layers % "")
    assert net.params == 8 * 8 + 8 + 8
    assert [row.inputs for row in net.cost().layers] == [(), ("input",), (), ("fc", "p")]
    with pytest.raises(costcalc.ShapeError, match="takes 0 inputs, got 1"):
        costcalc.load(text + layers % ", from: fc").cost()


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ("slice: {axis: 7, size: 2}", "axis = 7 of an input of 3 axes"),
        ("slice: {axis: -4, size: 2}", "axis = -4 of an input of 3 axes"),
        ("softmax: {axis: 3}", "axis = 3 of an input of 3 axes"),
        ("pad: {axes: [1, -2], after: 1}", "axes = (1, -2) name an axis twice"),
        ("reduce: {axes: [1, 2], name: one}\n  - group_norm: 2", "needs an input of shape (batch, channels, …)"),
        ("upsample: {}", "needs scale or size, and not both"),
    ],
)
def test_an_axis_that_is_not_there_is_named(layer, said):
    text = f"name: net\ntitle: t\nsource: s\ninput: [4, 6]\nlayers:\n  - linear: 6\n  - {layer}\n"
    with pytest.raises(costcalc.ShapeError) as caught:
        costcalc.load(text).cost()
    assert said in str(caught.value)
