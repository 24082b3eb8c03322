"""Exponents over a sweep: those of a law that holds exactly come out, with no error; others as statistics has them."""

import json
import math

import numpy as np
import pytest

import costcalc
from costcalc.cli.app import run
from costcalc.errors import UsageError

POWERS = """
name: powers
title: t
source: s
knobs: {c: 4, k: 3, n: 8}
input: [c, 64, 64]
layers:
  - conv: {channels: c, kernel: k, padding: same, bias: false}
"""


def test_a_law_that_holds_comes_out(tmp_path):
    """A convolution costs 64²·k²·c² multiplies and has k²·c² weights."""
    path = tmp_path / "powers.yaml"
    path.write_text(POWERS)
    found = costcalc.sweep(str(path), c=[2, 3, 5, 8, 2**30], k=[1, 2, 3, 7]).fit()
    rows = {row["metric"]: row for row in found.to_records()}
    for metric, constant in (("macs", 64**2), ("params", 1), ("weight_bytes", 4)):
        row = rows[metric]
        assert (row["c"], row["k"]) == pytest.approx((2, 2), abs=1e-12)
        assert row["constant"] == pytest.approx(constant, rel=1e-10)
        assert abs(row["largest_error"]) < 1e-10
        assert max(row["c_error"], row["k_error"]) < 1e-10
        assert row["r_squared"] == pytest.approx(1)
    assert rows["activations"]["k"] == 0.0
    assert "elementwise: 0 at some points, which has no logarithm" in found.notes()


def test_numpy_finds_the_same_line():
    swept = costcalc.sweep("mobilenet_v2", w="0.35:1.4:0.05")
    row = next(row for row in swept.fit().to_records() if row["metric"] == "macs")
    x, y = (np.log(np.array(swept.columns[name].tolist(), dtype=float)) for name in ("w", "macs"))
    (slope, constant), covariance = np.polyfit(x, y, 1, cov=True)
    assert row["w"] == pytest.approx(slope)
    assert row["constant"] == pytest.approx(math.exp(constant))
    assert row["w_error"] == pytest.approx(math.sqrt(covariance[0, 0]))
    off = np.exp(slope * x + constant - y) - 1
    assert row["largest_error"] == pytest.approx(off[np.argmax(abs(off))])
    assert row["r_squared"] == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2)


def test_the_knobs_of_efficientnet(capsys):
    words = ["r=128:600:16", "d=1:3:0.2", "w=1:2:0.1", "classes=1000"]
    assert run(["sweep", "efficientnet", *words, "--fit", "-f", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    macs = next(row for row in document["rows"] if row["metric"] == "macs")
    assert [round(macs[knob], 1) for knob in "dwr"] == [1.0, 1.9, 2.0]
    assert 0.1 < abs(macs["largest_error"]) < 0.5
    assert document["points"] == 30 * 11 * 11
    assert run(["sweep", "efficientnet", *words, "--fit"]) == 0
    out = capsys.readouterr().out
    assert "classes has one value in these points: no exponent" in out
    assert "fitted to 3,630 of 3,630 points" in out
    assert "constant · r^… · d^… · w^…" in out
    found = costcalc.sweep("efficientnet", r="128:600:16", d="1:3:0.2", where="macs < 1e9").fit()
    assert repr(found) == "<costcalc.Fit efficientnet: r, d over 89 points>"
    assert "largest error" in found._repr_html_()
    assert "where macs < 1e9" in found.notes()[0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("r=224,225", "a fit takes at least 3 points of which the knobs differ, and here are 2"),
        ("r=224", "a fit takes at least 2 points"), ("--presets all", "--presets cannot be combined with --fit: it"),
        ("r=224,256,288 w=1,2 --where 'r==224 and w==1 or r==256 and w==2'", "here are 2"),
    ],
)  # fmt: skip
def test_what_is_refused(refused, words, message):
    refused(f"sweep efficientnet --fit {words}", message)


def test_knobs_that_change_together():
    with pytest.raises(UsageError, match="r and w change together in these points"):
        costcalc.sweep("efficientnet", r=[128, 256, 512, 1024], w=[1, 2, 4, 8], where="r == 128*w").fit()
