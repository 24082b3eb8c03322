"""What each knob does to the presets, and what the law of compound scaling promises, beside the exact counts."""

import json
from fractions import Fraction
from itertools import pairwise
from math import log2

import pytest

import costcalc
from costcalc.analysis.scaling.slopes import slopes
from costcalc.cli.app import run


@pytest.mark.parametrize("spec", ["efficientnet", "mobilenet_v2", "mobilenet_v1"])
def test_they_are_those_of_one_network(spec):
    found = costcalc.sweep_presets(spec)
    for row in found.elasticities[:: max(1, len(found.elasticities) - 1)]:
        table = {line["knob"]: line for line in costcalc.elasticity(row["preset"]).to_records()}
        for knob in found.law:
            assert row[f"elasticity_{knob}"] == table[knob]["elasticity"]
            twice = costcalc.load(row["preset"], **{knob: 2 * costcalc.load(row["preset"]).values[knob]}).cost().macs
            assert row[f"doubled_{knob}"] == pytest.approx(log2(twice / costcalc.load(row["preset"]).cost().macs))
            assert row[f"doubled_{knob}"] == pytest.approx(table[knob]["exponent"])


def test_growth_is_that_of_the_exact_counts():
    found = costcalc.sweep_presets("efficientnet", "b0..b7")
    macs = [costcalc.load("efficientnet").cost().macs]
    for phi in range(1, 8):
        d, w = (Fraction(round(b**phi * 1000), 1000) for b in (1.2, 1.1))
        point = {"d": d, "w": w, "r": round(224 * Fraction(115, 100) ** phi)}
        macs.append(costcalc.load("efficientnet", **point).cost().macs)
    assert found.growth == [Fraction(b, a) for a, b in pairwise(macs)]
    assert [round(float(times), 2) for times in found.growth] == [2.57, 1.82, 1.80, 1.94, 1.80, 1.77, 1.97]


def test_the_tables_of_presets(capsys):
    assert run(["sweep", "efficientnet", "--presets", "b0,b7"]) == 0
    out = capsys.readouterr().out
    assert "efficientnet_b0  1.028  1.879  1.990      1.020      1.910      1.995" in out
    assert "by the exact counts 2.57 times as many for φ = 1 (d = 1.2, w = 1.1, r = 258), then 1.82, 1.80" in out
    assert run(["sweep", "mobilenet_v2", "--presets", "all", "-f", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["preset"] for row in document["elasticities"]] == [row["preset"] for row in document["rows"]]
    assert document["growth"] == []
    assert len(costcalc.sweep_presets("resnet").tables()) == 1


def test_no_slope_where_there_is_no_such_network():
    high = costcalc.load("efficientnet", w=2**31)
    (row,) = slopes([costcalc.load("lenet5_1998")], ["r"])
    assert row["doubled_r"] is None  # at most 35
    assert row["elasticity_r"] is not None
    assert slopes([high], ["w"])[0]["doubled_w"] is None
