"""The next step of a knob: up to it nothing that is counted changes, there something does, and the words say what."""

import json
from fractions import Fraction

import pytest

import costcalc
from costcalc import ops
from costcalc.analysis.scaling import next_change as module
from costcalc.analysis.scaling.diff import describe_changes
from costcalc.analysis.scaling.knob_steps import KnobSteps
from costcalc.cli.app import run
from costcalc.dims import size_symbol
from costcalc.errors import CostcalcError, UnknownName, UsageError


def counted(target, knob, value):
    """Everything that is counted; None where there is no such network."""
    try:
        return costcalc.load(target, **{knob: value}).cost().totals
    except CostcalcError:
        return None


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("target", "step"),
    [
        ("efficientnet@d=1.1", Fraction(1, 1000)), ("efficientnet_b3", Fraction(1, 1000)),
        ("mobilenet_v2", Fraction(1, 1000)),
        ("efficientnet@w=1/3,r=225", Fraction(1, 1000)), ("mobilenet_v1@w=0.5", Fraction(1, 32)), ("resnet50", 1),
        ("lenet5", 1), ("googlenet@r=230", 1), ("conv_normal", 1),
    ],
)  # fmt: skip
def test_value_by_value(target, step):
    net = costcalc.load(target)
    for row in costcalc.next_steps(target).to_records():
        knob, size = row["knob"], step if net.knobs[row["knob"]].kind == "real" else 1
        now, value, free = net.values[knob], net.values[knob] // size * size, net.values[knob]
        mine = counted(target, knob, now)
        while True:
            value += size
            costs = counted(target, knob, value)
            if costs not in (None, mine):
                break
            free = value if costs == mine else free
        assert (row["now"], row["free_to"], row["next"]) == (now, free, value)
        assert row["macs"] == costs["macs"]
        assert row["more_params"] == costs["params"] - mine["params"]
        assert row["macs_share"] == Fraction(costs["macs"] - mine["macs"], mine["macs"])


def test_why():
    rows = {row["knob"]: row["changes"] for row in costcalc.next_steps("efficientnet").to_records()}
    assert rows["r"] == [
        "stage1: 112×112 → 113×113", "stage3: 56×56 → 57×57", "stage4: 28×28 → 29×29", "stage5: 14×14 → 15×15",
        "stage7: 7×7 → 8×8",
    ]  # fmt: skip
    assert rows["d"] == [
        "stage2.more: 0 → 1 copy", "stage3.more: 1 → 2 copies", "stage4.more: 1 → 2 copies",
        "stage5.more: 2 → 3 copies", "stage6.more: 2 → 3 copies", "stage7.more: 3 → 4 copies",
        "stage8.more: 0 → 1 copy",
    ]  # fmt: skip
    assert rows["w"] == ["stage9.conv.conv: 1280 → 1288 channels"]
    (row,) = costcalc.next_steps("efficientnet@d=1.1", "d").to_records()
    assert row["changes"] == ["stage7.more: 4 → 5 copies"]
    (row,) = costcalc.next_steps("mobilenet_v2@w=1.111", "w").to_records()
    assert row["changes"][:3] == [
        "stem: 32 → 40 channels", "stage1: 16 → 24 channels", "stage2: 24 → 32 channels"
    ]  # fmt: skip


def test_words_for_what_changes():
    def between(target, **knobs):
        return describe_changes(costcalc.load(target).cost(), costcalc.load(target, **knobs).cost())

    assert between("lenet5", classes=12) == ["fc5: 10 → 12 features"]
    assert between("lenet5", c_in=3) == ["input: 1 → 3 channels"]
    assert between("conv_normal", n=8, n_c_out=7)[-1] == "conv: 4×4×5 → 6×6×7"
    assert between("residual_block", k=5) == ["conv1: 36,864 → 102,400 params", "conv2: 36,864 → 102,400 params"]
    assert between("resnet50", n5=1) == ["conv5_x.more.unit: 2 → 0 copies"]
    assert between("lenet5") == []


SEQUENCE = """
name: sequence
title: t
source: s
knobs: {l: 16, d: 64}
input: [12, l, d]
layers: [relu, softmax]
"""


def test_only_images_have_channels_and_positions(tmp_path):
    (tmp_path / "sequence.yaml").write_text(SEQUENCE)
    target = str(tmp_path / "sequence.yaml")
    before = costcalc.load(target).cost()
    assert describe_changes(before, costcalc.load(target, l=32).cost()) == ["relu: 12×16×64 → 12×32×64"]
    assert describe_changes(before, costcalc.load(target, d=32).cost()) == ["relu: 12×16×64 → 12×16×32"]


def test_tokens_before_the_batch_are_what_changes():
    def before_the_batch(tokens):
        graph = costcalc.new_graph()
        costcalc.add(graph, "x", ops.Input((1, tokens, 8)))
        costcalc.add(graph, "turned", ops.Transpose([1, 0, 2]), "x")
        return costcalc.load(graph).cost()

    assert describe_changes(before_the_batch(197), before_the_batch(257)) == ["turned: 197×8 → 257×8"]


FLAT = """
name: flat
title: t
source: s
knobs: {n: 5, unused: 1, k: {default: 2, max: 3}}
input: [8, n, n]
layers:
  - conv: {channels: 8, kernel: 1, groups: k}
"""


def test_values_without_a_network_are_passed_over(tmp_path, monkeypatch):
    path = tmp_path / "flat.yaml"
    path.write_text(FLAT)
    monkeypatch.setattr(module, "MAX_STEPS", 45)
    rows = {row["knob"]: row for row in costcalc.next_steps(str(path)).to_records()}
    assert (rows["n"]["free_to"], rows["n"]["next"]) == (5, 6)
    assert (rows["k"]["free_to"], rows["k"]["next"]) == (2, None)  # 3 does not divide 8, and 4 is too many
    assert rows["k"]["changes"] == ["nothing up to 2"]
    assert (rows["unused"]["free_to"], rows["unused"]["next"]) == (46, None)
    assert rows["unused"]["macs"] is None
    shown = costcalc.next_steps(str(path)).table().rows
    assert [row["what"] for row in shown] == ["conv: 5×5 → 6×6", "nothing up to 46", "nothing up to 2"]


def test_a_cost_that_comes_back_is_not_free(tmp_path):
    """n % 3 + 1 channels: 2, 3, 1, and 2 again at n = 4."""
    path = tmp_path / "back.yaml"
    path.write_text(FLAT.replace("channels: 8", "channels: n % 3 + 1").replace("groups: k", "bias: false")
                    .replace("[8, n, n]", "[8, 9, 9]").replace("n: 5", "n: 1"))  # fmt: skip
    (row,) = costcalc.next_steps(str(path), "n").to_records()
    assert (row["now"], row["free_to"], row["next"]) == (1, 1, 2)
    assert costcalc.load(str(path), n=4).cost().totals == costcalc.load(str(path)).cost().totals
    assert row["changes"] == ["conv: 2 → 3 channels"]
    with pytest.raises(UsageError, match="no upper limit of n found: larger and larger values stay"):
        costcalc.scale(str(path), "n", macs=9 * 9 * 8)


def test_chunks_do_not_show(monkeypatch):
    whole = costcalc.next_steps("efficientnet_b3").to_records()
    for size in ("FIRST_CHUNK", "MAX_CHUNK"):
        monkeypatch.setattr(f"costcalc.analysis.scaling.along.{size}", 7)
    assert costcalc.next_steps("efficientnet_b3").to_records() == whole


@pytest.mark.parametrize(
    ("target", "knob", "said"),
    [
        ("efficientnet", "w", "thousandths"), ("efficientnet", "r", "whole numbers"),
        ("mobilenet_v1", "w", "multiples of 1/32"),
    ],
)  # fmt: skip
def test_steps_are_values_of_which_there_is_a_network(target, knob, said):
    assert KnobSteps(costcalc.load(target), knob).said() == said


def test_it_shows_itself(capsys):
    assert run(["sweep", "efficientnet", "--set", "d=1.1", "--explain-steps"]) == 0
    out = capsys.readouterr().out
    assert "the cheapest in MACs: w = 1.004, 133,440 more" in out
    assert "r in whole numbers; d, w in thousandths" in out
    assert "7.5 %" in out
    assert run(["sweep", "efficientnet@d=1.1", "--explain-steps", "-f", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["knob"], row["free_to"], row["next"]) for row in rows] == [
        ("r", 224, 225), ("d", 1.25, 1.251), ("w", 1.003, 1.004),
    ]  # fmt: skip
    found = costcalc.next_steps("lenet5", "r")
    assert repr(found) == "<costcalc.NextSteps lenet5: r 32 → 33>"
    assert "28×28 → 29×29" in found._repr_html_()


@pytest.mark.parametrize("words", ["r=224", "--presets all", "--where 'r==1'", "--fit", "--pareto r", "--top 3"])
def test_what_does_not_go_with_it(capsys, words):
    assert run(["sweep", "efficientnet", "--explain-steps", *words.split()]) == 2
    assert "it starts from the target; set its knobs with @" in capsys.readouterr().err


def test_what_python_refuses():
    with pytest.raises(UnknownName, match="unknown knob 's'"):
        costcalc.next_steps("efficientnet", "s")
    with pytest.raises(UnknownName, match="knob 'block' of"):
        costcalc.next_steps("resnet50", "block")
    letters = costcalc.load("efficientnet").with_knobs(r=size_symbol("r"))
    with pytest.raises(UsageError, match="the next step of a knob needs numeric sizes"):
        costcalc.next_steps(letters)
