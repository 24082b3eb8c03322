"""Small pictures on a terminal: darker and higher is more, no line is too wide, and a pipe gets none."""

import re

import pytest
from support.terminals import in_terminal

import costcalc
from costcalc.cli.app import run
from costcalc.report.text_pictures import BARS, SHADES, text_picture


def lines(width=80, blocks=True, metric="macs", target="efficientnet", **axes):
    choice = {name: axes.pop(name) for name in ("where", "pareto", "top") if name in axes}
    return [*text_picture(costcalc.sweep(target, **axes, **choice), metric, width, blocks)]


def test_a_map_is_darker_where_more_is():
    *rows, axis, key = lines(r="128:224:32", w="0.5:2:0.5")
    assert rows[0].startswith("w   2 ")
    shades = [[SHADES.index(sign) for sign in row[6:].ljust(8 * 4)] for row in rows]
    assert all(row == sorted(row) for row in shades)
    assert all([*column] == sorted(column, reverse=True) for column in zip(*shades, strict=True))
    assert (shades[-1][0], shades[0][-1]) == (0, 4)
    assert axis.split() == ["128", "224", "r"]
    found = costcalc.sweep("efficientnet", r="128:224:32", w="0.5:2:0.5").columns["macs"]
    assert key.startswith(f"MACs from [ ] {found.min() / 1e6:.3g} M  [░] ")
    assert key.endswith(f" to {found.max() / 1e9:.3g} G")


def test_a_shade_begins_where_the_key_says():
    *rows, _, key = lines(r="128:600:8", w="1:2:0.1")
    starts = [float(n) * {"M": 1e6, "G": 1e9}[unit] for n, unit in re.findall(r"\] ([\d.]+) ([MG])", key)]
    assert len(starts) == 5
    for row, w in ((rows[0], 2), (rows[-1], 1)):
        macs = costcalc.load("efficientnet", r=128, w=w).cost().macs
        at = SHADES.index(row[6])
        assert starts[at] * 0.99 <= macs
        assert at == 4 or macs <= starts[at + 1] * 1.01


def test_what_is_not_there_is_crossed_out():
    *rows, _, key = lines(r="128:600:8", w="1:2:0.1", where="macs <= 2e9")
    assert key.endswith("[×] none")
    assert rows[0].endswith("×")
    assert not any(re.search("×[^×]", row) for row in rows)


def test_one_knob_has_a_line_for_each_metric():
    *rows, last = lines(d="1:3:0.1")
    assert [row.split("  ")[0] for row in rows] == ["params", "MACs", "elementwise", "activations", "weight bytes"]
    bars = [row[14:35] for row in rows]
    for metric, row in zip(("params", "macs"), bars, strict=False):
        values = costcalc.sweep("efficientnet", d="1:3:0.1").columns[metric].tolist()
        assert row == "".join(BARS[-(-value * 8 // max(values)) - 1] for value in values)
    assert last.split() == ["d", "from", "1", "to", "3"]
    assert rows[1].endswith("386 M to 1.18 G")


@pytest.mark.no_cover
@pytest.mark.parametrize("width", [20, 30, 40, 80, 200])
@pytest.mark.parametrize(
    "axes", [{"d": "1:3:0.01"}, {"r": "32:600:1", "w": "0.5:2:0.01"}, {"batch": [1, 2**31], "r": [32, 2**31]}]
)
@pytest.mark.parametrize("blocks", [True, False])
def test_no_line_is_too_wide(width, axes, blocks):
    found = lines(width, blocks, **axes)
    assert all(len(line) <= width for line in found)
    assert found or width < 40
    assert blocks or all(line.isascii() for line in found)


def test_nothing_for_more_knobs_a_front_or_no_points():
    assert lines(r=[224, 240], d=[1, 2], w=[1, 2]) == []
    assert lines(r=[224]) == []
    assert lines(r="224:320:32", w=[1, 2], pareto="macs,r") == []
    assert lines(r="224:320:32", where="macs < 0") == []
    assert len(lines(target="lenet5", batch=[1, 2])) == 6


def test_a_terminal_sees_it_and_a_pipe_does_not(capsys):
    words = ("sweep", "mobilenet_v1", "w=0.25:1:0.25", "r=128:224:32")
    seen, code = in_terminal(80, *words, PYTHONIOENCODING="utf-8")
    assert code == 0
    assert "r 224 ░" in seen
    assert "\x1b" not in seen
    plain, _ = in_terminal(80, *words, "--metric", "params", PYTHONIOENCODING="ascii")
    assert "params from [ ] 470 k  [.] 730 k" in plain
    assert plain.isascii()
    assert run([*words]) == 0
    assert "░" not in capsys.readouterr().out
