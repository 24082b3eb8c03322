"""Where two networks change places, by counting both at every value, and by algebra where there is some."""

import itertools
import json
import math
from fractions import Fraction

import pytest

import costcalc
from costcalc.analysis import unrolled
from costcalc.cli.app import run
from costcalc.errors import CostcalcError, ShapeError, UnknownName, UsageError


def counted(target, knob, value):
    """The cost at a value of the knob, of a network that has it."""
    net = costcalc.load(target)
    return (net.with_knobs(**{knob: value}) if knob in net.values else net).cost()


def by_hand(first, second, knob, values, by):
    """Runs of values at which the sign of the difference is the same: (sign, first value, last value)."""
    signs = []
    for value in values:
        try:
            costs = [counted(target, knob, value).total(by) for target in (first, second)]
        except CostcalcError:
            continue
        signs.append(((costs[0] > costs[1]) - (costs[0] < costs[1]), value))
    runs = (list(run) for _, run in itertools.groupby(signs, key=lambda pair: pair[0]))
    return [(run[0][0], run[0][1], run[-1][1]) for run in runs]


@pytest.mark.no_cover
@pytest.mark.parametrize("by", ["macs", "params", "elementwise", "activations"])
@pytest.mark.parametrize(
    ("first", "second", "knob", "values"),
    [
        ("mobilenet_v2", "efficientnet", "w", [Fraction(i, 20) for i in range(4, 50)]),
        ("resnet18", "googlenet", "r", range(32, 280, 8)), ("lenet5", "lenet5_1998", "r", range(32, 36)),
        ("conv_normal", "conv_depthwise_separable", "f", range(1, 9)),
        ("inception_naive", "inception_bottleneck", "b", range(140, 170)),
    ],
)  # fmt: skip
def test_value_by_value(first, second, knob, values, by):
    found = costcalc.break_even(first, second, knob, values, by=by)
    wanted = by_hand(first, second, knob, values, by)
    assert [(stretch.sign, stretch.first, stretch.last) for stretch in found.stretches] == wanted
    assert found.crossings == [first for _, first, _ in wanted[1:]]
    for record, stretch in zip(found.to_records(), found.stretches, strict=True):
        assert record["more"] == {1: first, 0: None, -1: second}[stretch.sign]


def test_as_the_algebra_has_it():
    """The bottleneck saves while b < k²·c_in·c_out/(c_in + k²·c_out) = 154.84."""
    (even,) = [e for e in costcalc.ratio("inception_bottleneck", "inception_naive").break_evens if e.knob == "b"]
    assert (
        costcalc.break_even("inception_naive", "inception_bottleneck", "b").crossings
        == [math.ceil(even.value)]
        == [155]
    )


WAVES = """
name: waves_{n}
title: t
source: s
knobs: {{k: {{default: 6, max: {n}}}}}
input: [1, {n}, {n}]
layers:
  - conv: {{channels: 1, kernel: k, bias: false}}
"""


def test_all_crossings_and_what_is_equal(tmp_path):
    """(13 − k)²·k² against 900: more at k = 4 … 9, as much at 3 and 10, where (13 − k)·k = 30."""
    (tmp_path / "waves.yaml").write_text(WAVES.format(n=12))
    (tmp_path / "level.yaml").write_text(
        "name: level\ntitle: t\nsource: s\ninput: [1, 30, 30]\n"
        "layers:\n  - conv: {channels: 1, kernel: 1, bias: false}\n"
    )
    found = costcalc.break_even(str(tmp_path / "waves.yaml"), str(tmp_path / "level.yaml"), "k")
    assert [(s.sign, s.first, s.last) for s in found.stretches] == [
        (-1, 1, 2), (0, 3, 3), (1, 4, 9), (0, 10, 10), (-1, 11, 12),
    ]  # fmt: skip
    assert found.crossings == [3, 4, 10, 11]
    assert found.sentence().endswith("from k = 11 to 12, the last that was looked at; it changes 3 times before")
    assert [row["more"] for row in found.table().rows][1] == "the same"
    assert found.to_records()[1]["ratio"] == 1


def test_what_is_looked_at_if_nobody_says():
    def values(*given):
        return costcalc.break_even(*given).values

    assert values("resnet18", "alexnet", "r")[:1] == [67]  # alexnet's least
    assert values("resnet18", "alexnet", "r")[-1] == 2270
    assert values("lenet5", "lenet5_1998", "r") == [32, 33, 34, 35]
    assert values("mobilenet_v1", "mobilenet_v2", "w") == [Fraction(i, 32) for i in range(1, 321)]  # as v1 needs it
    assert values("efficientnet", "mobilenet_v2", "w") == [Fraction(i, 1000) for i in range(1, 10001)]


def test_past_machine_words():
    found = costcalc.break_even("resnet50", "vgg16", "r", [2**30, 2**31])
    macs = [costcalc.load(target, r=2**30).cost().macs for target in ("resnet50", "vgg16")]
    assert [*found.stretches[0].costs] == macs
    assert max(macs) > 2**64


def test_values_at_which_one_is_no_network():
    found = costcalc.break_even("conv_normal", "conv1x1", "f", range(1, 9))
    assert (found.invalid, found.stretches[-1].last) == (2, 6)  # a window of 7 does not fit into 6
    turned = costcalc.break_even("conv1x1", "conv_normal", "f", range(1, 9))
    assert (turned.invalid, turned.stretches[-1].last) == (2, 6)
    assert "at 2 of them one of the two networks is invalid" in found.notes()
    with pytest.raises(ShapeError, match="at no f from 7 to 8 both are networks"):
        costcalc.break_even("conv_normal", "conv1x1", "f", [7, 8])


def test_on_the_command_line(capsys):
    assert run(["compare", "resnet50", "efficientnet_b3", "--break-even", "r=32:512:1"]) == 0
    out = capsys.readouterr().out
    assert "resnet50 has more MACs than efficientnet_b3 at every r that was looked at, from 32 to 512" in out
    assert "looked at: 481 values of r from 32 to 512" in out
    words = [
        "compare",
        "conv_normal",
        "conv_depthwise_separable",
        "--break-even",
        "n_c_out",
        "--by",
        "params",
        "-f",
        "json",
    ]
    assert run(words) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["crossings"] == [2]
    assert [row["more"] for row in document["rows"]] == ["conv_depthwise_separable", "conv_normal"]
    found = costcalc.break_even("mobilenet_v1", "mobilenet_v2", "w")
    assert repr(found).startswith("<costcalc.BreakEven mobilenet_v1 has more MACs than mobilenet_v2 from w = 0.3125 to")
    assert found.sentence().endswith("to 10, the last that was looked at; it changes 2 times before")
    assert found.crossings == [Fraction(8, 32), Fraction(9, 32), Fraction(10, 32)]
    assert found._repr_html_().count("<tr>") == 1 + 4
    assert "both have the same MACs at every r" in costcalc.break_even("resnet50", "resnet50", "r", [32]).sentence()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("resnet50 vgg16 --break-even s", "unknown knob 's'"),
        ("resnet50 vgg16 --break-even block", "knob 'block' of"),
        ("resnet50 vgg16 --break-even r=9:1:1", "knob 'r' is at least 32, got 9"),
        ("resnet50 vgg16 --break-even r=64:32:1", "goes down"),
        ("resnet50 vgg16 --break-even r --by mac", "did you mean 'macs'"),
        ("resnet50 vgg16 alexnet --break-even r", "--break-even is about two networks, got 3"),
        ("alexnet --break-even r", "--break-even is about two networks, got 1"),
        ("resnet50 vgg16 --break-even r --algebra", "--break-even cannot be combined with --algebra: it compares"),
        ("resnet50 vgg16 --break-even r --store x.db", "--break-even cannot be combined with --store"),
    ],
)  # fmt: skip
def test_what_is_refused(refused, words, message):
    refused(f"compare {words}", message)


def test_what_python_refuses():
    for error, call in (
        (UnknownName, lambda: costcalc.break_even("resnet50", "vgg16", "x")),
        (UnknownName, lambda: costcalc.break_even("resnet50", "vgg16", "r", by="weights")),
        (UsageError, lambda: costcalc.break_even("resnet50", "vgg16", "r", [float("nan")])),
        (UsageError, lambda: costcalc.break_even("resnet50", "vgg16", "r", [])),
    ):
        with pytest.raises(error):
            call()


def test_why_both_are_no_networks_is_said(tmp_path):
    with pytest.raises(ShapeError, match=r"both are networks; .*a window of 7 does not fit into 6"):
        costcalc.break_even("conv_normal", "conv1x1", "f", [7, 8])
    with pytest.raises(ShapeError, match=r"both are networks; .*a window of 7 does not fit into 6"):
        costcalc.break_even("conv_normal", "conv1x1", "f", [7])


def test_a_peak_of_too_many_layers_is_no_missing_network(monkeypatch):
    monkeypatch.setattr(unrolled, "MAX_UNROLLED_LAYERS", 10)
    with pytest.raises(UsageError, match=r"more than 10 layers; leave out metrics"):
        costcalc.scale("efficientnet", "d", peak_bytes=10**9)
