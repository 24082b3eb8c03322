"""What a spec says of itself: each knob has a meaning, a range and an effect, and the effects are counts."""

import json

import pytest

import costcalc
from costcalc.cli.app import run
from costcalc.spec.library import entries, library_path

NAMES = [entry.name for entry in entries()]


@pytest.mark.parametrize("name", NAMES)
def test_each_knob_has_a_meaning_a_range_and_an_effect(name):
    info = costcalc.info(name)
    for row in info.knobs:
        assert row["about"] and row["takes"] and row["effect"], (name, row["knob"])
    assert {row["knob"] for row in info.knobs} == {*costcalc.load(name).knobs}
    assert info.model.architecture.source
    for preset in info.presets:
        assert preset["macs"] == costcalc.load(preset["preset"]).macs


def test_an_effect_is_the_quotient_of_two_counts():
    rows = {row["knob"]: row for row in costcalc.info("resnet").knobs}
    before, after = (costcalc.load(target) for target in ("resnet50", "resnet50@n4=12"))
    ratios = [after.params / before.params, after.macs / before.macs]
    assert rows["n4"]["effect"] == "12: params ×{:.2f}, MACs ×{:.2f}".format(*ratios)
    assert rows["block"]["effect"].startswith("basic: params ÷")
    assert rows["shortcut"]["effect"].count(";") == 1
    assert rows["shortcut"]["takes"] == "projection, zero_pad, none"
    assert costcalc.info("resnet@r=32").knobs[0]["effect"] == "64: MACs ×3.93"


def test_a_knob_that_changes_no_count_says_what_it_changes():
    """The slices of MobileNet v2's bottlenecks are there for the memory that they save."""
    (slices,) = [knob for knob in costcalc.info("mobilenet_v2_sliced").knobs if knob["knob"] == "slices"]
    before, after = (
        costcalc.load(f"mobilenet_v2_sliced@slices={n}").cost().total("peak_bytes") for n in ("six", "one")
    )
    assert slices["effect"].startswith(f"one: peak bytes ×{after / before:.2f}; two: peak bytes ×")


def test_a_knob_at_its_end_goes_down():
    text = "name: n\ntitle: N\nsource: s\nknobs:\n  c: {default: 8, max: 8, about: channels}\ninput: [3, 8, 8]\n"
    (row, _) = costcalc.info(f"{text}layers:\n  - conv: {{channels: c, kernel: 1}}\n").knobs
    assert (row["takes"], row["effect"]) == ("1 to 8", "4: params ÷2.00, MACs ÷2.00")


def test_the_command_prints_the_spec_itself(capsys):
    assert run(["info", "resnet50", "--yaml"]) == 0
    assert capsys.readouterr().out == library_path("resnet").read_text(encoding="utf-8")
    assert run(["info", "resnet50", "--yaml", "-f", "json"]) == 2
    assert run(["info", "resnet51", "--yaml"]) == 2
    assert "did you mean" in capsys.readouterr().err
    assert run(["info", "resnet", "-f", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["name"], len(document["presets"]), document["presets"][4]["params"]) == ("resnet", 7, 25_557_032)


@pytest.mark.parametrize("name", ["resnet", "conv1x1", "lenet5"])
def test_the_commands_to_try_work(name, capsys):
    for command in costcalc.info(name).commands():
        assert run(command.split()[1:]) == 0, command
        assert capsys.readouterr().out


def test_each_format_has_the_knobs(capsys):
    assert run(["info", "lenet5", "-f", "csv"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("knob,value,takes,about,effect\nr,32,16 or more,") and not err
    assert "knob" in costcalc.info("lenet5").to_records()[0]
    assert r"\begin{tabular}{}" not in costcalc.info("lenet5").to_latex()
