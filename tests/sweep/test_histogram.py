"""Histograms: every point is in one bin, and the bins are round, few and the same whatever the chunks."""

import itertools
import json
import random

import numpy as np
import pytest
from support.streams import AXES, SMALL
from support.terminals import in_terminal

import costcalc
from costcalc.analysis.sweep.grid import read_axes
from costcalc.analysis.sweep.histogram import MAX_BINS, count_by_leading_digits, round_bins
from costcalc.analysis.sweep.sweep import histogram_model
from costcalc.cli.app import run
from costcalc.errors import ShapeError, UnknownName

SWEPT = dict(text.split("=", 1) for text in AXES)


def some_numbers(dice):
    low = 10 ** dice.randint(0, 25)
    high = int(low * dice.choice([1, 1.01, 1.2, 3, 10, 1000, 10**6, 10**20]))
    return [dice.randint(0 if dice.random() < 0.1 else low, high) for _ in range(dice.choice([1, 5, 200]))]


@pytest.mark.parametrize("seed", range(100))
def test_every_number_is_in_its_bin(seed):
    numbers = some_numbers(random.Random(seed))
    rows = round_bins(count_by_leading_digits(np.array(numbers, dtype=object)))
    assert 1 <= len(rows) <= MAX_BINS
    assert [points for *_, points in rows] == [sum(low <= n < high for n in numbers) for low, high, _ in rows]
    assert sum(points for *_, points in rows) == len(numbers)
    assert all(first[1] == second[0] for first, second in itertools.pairwise(rows))
    assert rows[0][2] > 0 < rows[-1][2]
    for edge, *_ in rows:
        assert len(str(edge).rstrip("0")) <= 3


def test_words_are_counted_as_pythons_ints_are():
    dice = random.Random(1)
    edges = [m * 10**k + d for k in range(17) for m in (1, 9, 10, 99, 100, 101, 999) for d in (-1, 0, 1)]
    numbers = [n for n in [*edges, 2**63 - 1, *(dice.randrange(2**63) for _ in range(500))] if 0 <= n < 2**63]
    assert count_by_leading_digits(np.array(numbers, dtype=np.int64)) == count_by_leading_digits(
        np.array(numbers, dtype=object)
    )
    assert count_by_leading_digits(np.array([0, 7, 1005, 1009, 1010])) == {0: 1, 7: 1, 1000: 2, 1010: 1}
    assert count_by_leading_digits(np.array([], dtype=np.int64)) == {}
    assert round_bins({}) == ()


def test_bins_by_hand():
    assert round_bins({0: 1, 1: 2}) == ((0, 1, 1), (1, 2, 2))
    assert round_bins(count_by_leading_digits(np.arange(300, 400))) == tuple((n, n + 5, 5) for n in range(300, 400, 5))
    assert round_bins({990: 1, 1000: 2, 1050: 4}) == (
        (990, 1000, 1),
        (1000, 1010, 2),
        *((n, n + 10, 0) for n in range(1010, 1050, 10)),
        (1050, 1060, 4),
    )
    assert [low for low, *_ in round_bins(count_by_leading_digits(np.arange(100, 1000)))] == [
        100, 112, 125, 140, 160, 180, 200, 224, 250, 280, 315, 355, 400, 450, 500, 560, 630, 710, 800, 900,
    ]  # fmt: skip
    decades = round_bins(count_by_leading_digits(np.array([10**k for k in range(18)])))
    assert [row for row in decades if row[2]] == [(10**k, 10 ** (k + 1), 1) for k in range(18)]


@pytest.mark.parametrize("points", [(1, 1), (40, 15), (10**6, 100)])
def test_chunks_do_not_show(points):
    net = costcalc.load(SMALL)
    axes = read_axes(AXES, net.knobs, net.name)
    found = histogram_model(net, axes, "macs", where="params > 100 and r > 4", points=points)
    macs = [p["macs"] for p in costcalc.sweep(SMALL, **SWEPT, where="params > 100 and r > 4").to_records()]
    assert [points for *_, points in found.rows] == [sum(a <= m < b for m in macs) for a, b, _ in found.rows]
    assert sum(points for *_, points in found.rows) == len(macs)
    assert found.to_records() == costcalc.histogram(SMALL, "macs", where="params > 100 and r > 4", **SWEPT).to_records()


def test_past_machine_words():
    found = costcalc.histogram("resnet50", "macs", r=[224, 2**30], batch=[1, 2**31])
    assert sum(points for *_, points in found.rows) == 4
    assert found.rows[-1][1] > 2**100


def test_a_pipe_gets_numbers_and_a_terminal_bars(capsys):
    assert run(["sweep", SMALL, *AXES, "--histogram", "macs"]) == 0
    out = capsys.readouterr().out
    assert "█" not in out
    assert "630 of 693 points" in out
    assert "63 points are invalid: " in out
    printed, code = in_terminal(100, "sweep", SMALL, *AXES, "--histogram", "macs", PYTHONIOENCODING="utf-8")
    assert code == 0
    bars = [line.count("█") for line in printed.splitlines() if "%" in line]
    assert max(bars) == 30
    plain = {"PYTHONIOENCODING": "utf-8", "TERM": "xterm", "NO_COLOR": "1"}
    narrow, _ = in_terminal(50, "sweep", SMALL, *AXES, "--histogram", "macs", **plain)
    assert max(len(line) for line in narrow.splitlines() if "%" in line) <= 50
    for row in costcalc.histogram(SMALL, **SWEPT).to_records():
        for text in (out, printed, narrow):
            assert f"{row['from']:,}  " in text or not row["points"]


def test_its_formats(capsys, tmp_path):
    assert run(["sweep", SMALL, *AXES, "--histogram", "params", "-f", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["metric"], sum(row["points"] for row in document["rows"])) == ("params", 630)
    assert run(["sweep", SMALL, *AXES, "--histogram", "params", "-o", str(tmp_path / "a.csv")]) == 0
    assert (tmp_path / "a.csv").read_text().startswith("from,below,points,share\n")


def test_what_cannot_be_counted(capsys):
    with pytest.raises(UnknownName, match="unknown metric 'mac'; did you mean 'macs'"):
        costcalc.histogram(SMALL, "mac", r=[9])
    with pytest.raises(ShapeError, match="all points are invalid"):
        costcalc.histogram(SMALL, "macs", r=[1, 2])
    assert run(["sweep", SMALL, "r=9", "--histogram", "macs", "--top", "3"]) == 2
    why = "--histogram cannot be combined with --top: it counts every point, and goes with --where alone"
    assert why in capsys.readouterr().err
    assert repr(costcalc.histogram(SMALL, "macs", r=[9])).startswith("<costcalc.Histogram ")
    assert "<table>" in costcalc.histogram(SMALL, "macs", r=[9])._repr_html_()
    assert sum(row[2] for row in costcalc.histogram(SMALL, "macs", r=[9], where="macs < 0").rows) == 0
