"""Accuracies beside counts: as published, at the very knobs they are published for, and never computed with."""

import csv
import io
import json

import pytest

import costcalc
from costcalc.cli.app import run
from costcalc.errors import SpecError
from costcalc.table import Printed

NETS = ("resnet50", "resnet50@r=160", "efficientnet_b2", "resnet50@batch=8,freeze=conv4_x", "lenet5")
SPEC = """
name: net
title: A net
source: t
knobs: {r: 8, w: 1}
presets: {wide: {w: 2}}
input: [3, r, r]
layers: [conv: {channels: 4*w, kernel: 3}]
published:
  - {metric: top1, value: 60.50, at: {r: 8}, source: "A, first"}
  - {metric: top1, value: 61, at: {r: 8}, source: "A, second"}
  - {metric: top5, value: 80.0, at: {r: 8}, source: "A, second"}
  - {metric: top1, value: 70, preset: wide, at: {r: 8}, source: B}
"""


def quoted(*nets, columns="target,top1,top5"):
    found = costcalc.compare(*nets, columns=columns)
    return found, [(row["top1"], row["top5"]) for row in found.to_records()]


def test_a_figure_holds_for_the_knobs_it_is_published_for():
    _, figures = quoted(*NETS)
    assert figures == [(76.13, 92.862), (None, None), (None, None), (76.13, 92.862), (None, None)]
    assert quoted("efficientnet_b2@r=288", "vgg16")[1] == [(80.608, 95.31), (71.592, 90.382)]
    assert quoted("resnet50@shortcut=none", "resnet50@classes=10")[1] == [(None, None)] * 2


def test_a_network_without_one_has_a_dash_and_the_table_says_why():
    found, _ = quoted(*NETS)
    table = str(found)
    assert [line.split()[-2:] for line in table.splitlines()[1:6]] == [
        ["76.13", "92.862"], ["–", "–"], ["–", "–"], ["76.13", "92.862"], ["–", "–"],
    ]  # fmt: skip
    notes = found.tables()[0].notes
    assert "–: resnet50@r=224 has a published top-1 and top-5, resnet50@r=160 has none" in notes
    assert "–: efficientnet_b2@r=288 has a published top-1 and top-5, efficientnet_b2 has none" in notes
    assert "–: no spec quotes one for lenet5" in notes


def test_every_figure_is_there_with_its_source():
    net = costcalc.load(SPEC)
    found, figures = quoted(net, net.with_knobs(w=2))
    assert figures == [(60.5, 80.0), (70.0, None)]
    notes = "\n".join(found.tables()[0].notes)
    assert "quoted from <text>: " not in notes
    assert "quoted from net A, first; net A, second; net@w=2 B\n" in notes
    assert "published as well, A: net 61 with second" in notes
    assert "–: no spec quotes one for top-5 of net@w=2" in notes
    first, second = found.to_dict()["targets"]
    assert [entry["source"] for entry in first["quoted"]] == ["A, first", "A, second", "A, second"]
    assert second["quoted"] == [{"metric": "top1", "value": 70.0, "source": "B"}]
    assert "60.50" in str(found) and "80.0" in found.to_markdown()  # the digits that were printed


def test_formats(capsys):
    words = ["compare", "vgg16", "mobilenet_v2", "lenet5", "--columns", "target,params,top1"]
    assert run([*words, "-f", "csv"]) == 0
    first, *_, last = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (first["top1"], last["top1"]) == ("71.592", "")
    assert run([*words, "-f", "json"]) == 0
    text = capsys.readouterr().out
    assert '"value": 71.592' in text and json.loads(text)["targets"][2]["quoted"] == []
    assert run([*words, "-f", "latex", "--units", "M"]) == 0
    assert "vgg16 & 138.4 & 71.592 \\\\\n" in capsys.readouterr().out
    assert run(["compare", "vgg16", "lenet5", "-f", "json"]) == 0
    assert "quoted" not in capsys.readouterr().out


def test_it_is_a_number_that_keeps_its_digits():
    assert Printed("91.40") == 91.4 and Printed("91.40").text == "91.40"
    assert not any("top1" in name for name in costcalc.compare("vgg16", "lenet5", columns="target,top1").metrics)


@pytest.mark.parametrize(
    "words",
    [
        "show vgg16 --columns name,top1", "show vgg16 --depth 1 --columns name,top5", "compare vgg16 lenet5 --by top1",
        "sweep vgg16 r=192,224 --metrics top1", "sweep vgg16 r=192,224 --columns r,top1",
        "sweep vgg16 r=192,224 --where top1>70", "sweep vgg16 r=192,224 --pareto macs,-top1",
        "sweep vgg16 r=192,224 --top 1 --by top1", "formula vgg16 --metric top1", "check vgg16 --max top1=70",
        "scale mobilenet_v1 --free w --max top1=70",
    ],
)  # fmt: skip
def test_nothing_is_computed_with_it(words, capsys):
    assert run(words.split()) == 2
    printed, error = capsys.readouterr()
    assert printed == "" and " is quoted, not computed: it is a column of `compare`, and `info` shows it" in error


def test_an_accuracy_is_a_percentage():
    with pytest.raises(SpecError, match="top1 is a percentage, 0 to 100"):
        costcalc.load(SPEC.replace("60.50", "60.5K"))
    with pytest.raises(SpecError, match="top5 is a percentage, 0 to 100"):
        costcalc.load(SPEC.replace("80.0", "801"))
