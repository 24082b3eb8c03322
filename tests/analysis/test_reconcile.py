"""Published figures beside ours: what counts as agreeing, and that every difference has its reason."""

from fractions import Fraction

import pytest

import costcalc
from costcalc.analysis.reconcile import agrees, figure_text, read_figure
from costcalc.spec.library import entries
from costcalc.spec.parse import parse_text
from costcalc.spec.spec_architecture import SpecArchitecture

CUT = "agrees, cut to its digits"
SPECS = [entry.name for entry in entries() if entry.kind == "spec"]


@pytest.mark.parametrize("name", SPECS)
def test_every_published_figure_agrees_or_says_why_not(name):
    found = costcalc.reconcile(name)
    assert [f for f in found.figures if not f.agrees and not f.published.because] == []


@pytest.mark.parametrize("name", SPECS)
def test_no_reason_is_given_for_a_figure_that_agrees_as_it_is_rounded(name):
    verdicts = [record["verdict"] for record in costcalc.reconcile(name).to_records() if record["agrees"]]
    assert [
        verdict for verdict in verdicts if verdict not in ("agrees", CUT) and not verdict.startswith(f"{CUT}; ")
    ] == []


def test_a_figure_that_agrees_only_by_cutting_says_so_and_why():
    """1,582,671,872 is 1.6 billion to anyone who rounds."""
    (verdict,) = [r["verdict"] for r in costcalc.reconcile("googlenet").to_records() if r["published"] == "1.5B"]
    assert verdict.startswith(f"{CUT}; the budget that the design kept to")
    (rounded,) = [r["verdict"] for r in costcalc.reconcile("googlenet").to_records() if r["published"] == "360M"]
    assert rounded == "agrees"


@pytest.mark.parametrize(
    ("exact", "text", "thousand", "expected"),
    [
        (61_706, "61,706", 1000, True),
        (61_706, "61,707", 1000, False),
        (5_288_548, "5.3M", 1000, True),
        (5_288_548, "5.2M", 1000, True),  # cut instead of rounded
        (5_288_548, "5.4M", 1000, False),
        (114_688, "112K", 1024, True),
        (114_688, "112K", 1000, False),
        (4_089_184_256, "4.09G", 1000, True),
        (4_089_184_256, "4.09B", 1000, True),
        (999_999, "1M", 1000, True),
        (0, "0", 1000, True),
    ],
)
def test_agreeing_to_the_digits_printed(exact, text, thousand, expected):
    assert agrees(exact, *read_figure(text, thousand)) is expected


def test_ours_in_the_unit_of_the_figure():
    assert figure_text(9_408, "2.7K", 1024) == "9.2K"
    assert figure_text(118_013_952, "34M", 1000) == "118M"
    assert figure_text(61_706, "60,000", 1000) == "61,706"
    assert read_figure("2.7K", 1024) == (Fraction(27, 10), 1024, 1)


def test_googlenet_table_1_row_by_row():
    figures = {
        (f.published.metric, f.published.block): f for f in costcalc.reconcile("googlenet").figures if f.published.block
    }
    assert figures["macs", "inception3a"].exact == 128_049_152 and figures["macs", "inception3a"].agrees
    assert not figures["params", "conv1"].agrees and "7×1" in figures["params", "conv1"].published.because


def test_a_preset_has_its_own_figures_only():
    assert {f.network for f in costcalc.reconcile("efficientnet_b3").figures} == {"efficientnet_b3"}


def test_of_a_preset_only_its_own_figures():
    def names(target):
        return {figure.network.partition("@")[0] for figure in costcalc.reconcile(target).figures}

    assert names("vgg16") == {"vgg16"}  # neither vgg16_bn nor vgg16_1x1, which have its numbers of layers
    assert names("vgg16@batch_norm=true") == {"vgg16_bn"}  # the very same network
    assert names("vgg") >= {"vgg11", "vgg16", "vgg16_bn", "vgg16_1x1"}
    assert names("vgg16@freeze=conv3") == {"vgg16"}
    assert "figures of others of this spec: `costcalc reconcile vgg`" in str(costcalc.reconcile("vgg16"))
    assert "figures of others" not in str(costcalc.reconcile("vgg"))


def test_both_figures_of_resnet50_and_the_knob_between_them():
    macs = {
        (f.network, f.published.value) for f in costcalc.reconcile("resnet50").figures if f.published.metric == "macs"
    }
    assert macs == {("resnet50@stride_on=conv1", "3.8B"), ("resnet50", "4.09G")}


WRONG = """
name: wrong
title: a net
source: nobody
input: [3, 8, 8]
layers:
  - conv: {channels: 4, kernel: 3}
published:
  - {metric: params, value: 113, source: a table}
"""


def test_a_difference_without_a_reason_fails_the_check(tmp_path, capsys):
    from costcalc.cli import run

    (tmp_path / "wrong.yaml").write_text(WRONG)
    found = costcalc.reconcile(str(tmp_path / "wrong.yaml"))
    assert not found.ok and found.figures[0].exact == 3 * 4 * 9 + 4
    assert run(["reconcile", str(tmp_path / "wrong.yaml")]) == 1
    assert "(unexplained)" in capsys.readouterr().out


def test_a_block_that_does_not_exist_is_named_with_its_place():
    text = WRONG.replace("value: 113,", "value: 112, block: cnv,")
    net = costcalc.Net(SpecArchitecture(parse_text(text, "wrong.yaml")), {}, "wrong")
    with pytest.raises(costcalc.SpecError) as caught:
        costcalc.reconcile(net)
    assert str(caught.value) == "wrong.yaml:9:5: no block 'cnv' in wrong; did you mean 'conv'?"


def test_a_difference_of_one_is_no_zero(tmp_path, capsys):
    from costcalc.cli import run

    assert WRONG.count("value: 113") == 1
    big = WRONG.replace("channels: 4", "channels: 4000").replace("value: 113", "value: 111999")
    (tmp_path / "wrong.yaml").write_text(big)
    figure = costcalc.reconcile(str(tmp_path / "wrong.yaml")).figures[0]
    assert (figure.exact, figure.difference) == (112_000, -1 / 112_000)
    assert run(["reconcile", str(tmp_path / "wrong.yaml")]) == 1
    out = capsys.readouterr().out
    assert " −1 " in out
    assert "0.0 %" not in out


def test_of_nothing_there_is_no_percentage(tmp_path, capsys):
    text = WRONG.replace("metric: params, value: 113", "metric: norm, value: 12")
    (tmp_path / "wrong.yaml").write_text(text)
    found = costcalc.reconcile(str(tmp_path / "wrong.yaml"))
    assert (found.figures[0].exact, found.figures[0].difference) == (0, None)
    assert found.table().rows[0]["difference"] == "ours is 0"
    assert found.to_records()[0]["difference"] is None


@pytest.mark.parametrize(
    ("target", "as_for"),
    [("vgg16@classes=1000", "vgg16"), ("lenet5@batch=1", "lenet5"), ("resnet@n3=4,n4=6,n5=3", "resnet50")],
)
def test_a_knob_set_to_what_it_is_anyway_changes_nothing(target, as_for):
    ours = [(f.network, f.exact) for f in costcalc.reconcile(target).figures]
    assert set(ours) >= {(f.network, f.exact) for f in costcalc.reconcile(as_for).figures}
    assert ours


def test_no_figures_at_these_settings_are_not_no_figures(tmp_path):
    found = costcalc.reconcile("lenet5@batch=2")
    assert (found.figures, found.others) == ((), ("lenet5", "lenet5@c_in=3,c1=8"))
    assert (
        found.table().notes[-1]
        == "no published figures at these settings; there are some for lenet5; lenet5@c_in=3,c1=8"
    )
    (tmp_path / "wrong.yaml").write_text(WRONG.partition("published")[0])
    found = costcalc.reconcile(str(tmp_path / "wrong.yaml"))
    assert found.table().notes[-1] == "no published figures: add them to the spec under `published:`"
    assert found.to_dict()["others"] == []
