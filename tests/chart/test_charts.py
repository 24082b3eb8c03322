"""Pictures: what they show is what was counted, and they are the same to the letter whenever they are drawn."""

import re
import subprocess
import sys
from fractions import Fraction
from unittest.mock import Mock
from xml.etree import ElementTree

import pytest
from support import needed

import costcalc
from costcalc.analysis.power_laws import knob_exponents
from costcalc.chart import Axis, Curves, HeatMap, Scatter, short_number
from costcalc.chart.axes import title_lines
from costcalc.chart.chart_data import significant_digits
from costcalc.cli.app import run
from costcalc.errors import UnknownName, UsageError
from costcalc.text import short_names

matplotlib = needed.module("matplotlib", "report")


def texts(svg):
    """All that is written in a picture, in order."""
    return ["".join(e.itertext()).strip() for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("}text")]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"), (0.25, "0.25"), (999, "999"), (1000, "1 k"), (385_814_752, "386 M"), (999_500, "1 M"),
        (999_499, "999 k"), (37_745_884_192, "37.7 G"), (2**62, "4.61 E"), (10**30, "1.0e+30"),
        (999.7, "1 k"), (Fraction(1, 3), "0.333"), (0.0001, "0.0001"),
    ],
)  # fmt: skip
def test_three_digits(number, text):
    assert short_number(number) == text


def test_ticks_are_told_apart_and_say_what_they_are():
    assert significant_digits([76, 77, 1e6]) == 3
    for numbers, shown in {
        (77, 77.25, 77.5): ["77", "77.25", "77.5"], (999.75, 1000): ["999.75", "1 k"], (1.2345e9,): ["1.2345 G"],
    }.items():  # fmt: skip
        assert [short_number(number, significant_digits(numbers)) for number in numbers] == shown


def test_a_long_title_breaks_before_its_subtitle_into_even_lines():
    title, subtitle = "net: a network (the second) of a long name, scaled in all knobs", "no other is better: less macs"
    assert title_lines(title, subtitle) == [title, f"({subtitle})"]
    assert title_lines("short (as it is)", "r = 4") == ["short (as it is) (r = 4)"]
    lengths = [*map(len, title_lines("words " * 30))]
    assert len(lengths) == 3 and max(lengths) - min(lengths) < 12


def test_one_knob_is_curves_with_the_law_beside_them():
    found = costcalc.sweep("resnet50", r="128:512:32")
    chart = found.chart()
    assert isinstance(chart, Curves)
    assert [axis.title for axis, _ in chart.panels] == ["params", "MACs", "elementwise", "activations", "weight bytes"]
    exact, law = chart.panels[1][1]
    assert list(exact.ys) == [record["macs"] for record in found.to_records()]
    assert law.dashed
    assert law.label == "r² from r = 224"
    assert dict(zip(law.xs, law.ys, strict=True))[448] == 4 * costcalc.load("resnet50").cost().macs
    assert {len(lines) for axis, lines in chart.panels if axis.title != "MACs"} == {1}


def test_where_there_is_a_law():
    found = {
        name: knob_exponents(costcalc.load(name))
        for name in ("efficientnet", "resnet50", "mobilenet_v1", "lenet5", "conv1x1")
    }
    assert found["efficientnet"] == {"d": 1, "w": 2, "r": 2}
    assert found["resnet50"] == {"r": 2}
    assert found["mobilenet_v1"] == {"w": 2, "r": 2}
    assert found["lenet5"] == {"r": 2}
    assert len(costcalc.sweep("efficientnet", classes=[10, 100]).chart().panels[1][1]) == 1


def test_two_knobs_are_a_map():
    found = costcalc.sweep("mobilenet_v1", w="0.25:1:0.25", r="128:224:32")
    chart = found.chart()
    assert isinstance(chart, HeatMap)
    for i, w in enumerate(chart.xs):
        for j, r in enumerate(chart.ys):
            assert chart.cells[j][i] == costcalc.load("mobilenet_v1", w=w, r=r).cost().macs
    assert found.chart("params").cells[0][0] == costcalc.load("mobilenet_v1", w=0.25, r=128).cost().params
    some = costcalc.sweep("mobilenet_v1", w="0.25:1:0.25", r="128:224:32", where="macs <= 100e6").chart()
    kept = [value for row in chart.cells for value in row if value <= 100e6]
    assert [value for row in some.cells for value in row if value is not None] == kept
    assert set(texts(chart.svg())) >= {short_number(value) for row in chart.cells for value in row}


def test_a_front_stands_before_the_grid_it_is_of():
    grid = {"r": "128:320:16", "d": "1:2:0.1", "w": "1:2:0.05"}
    chart = costcalc.sweep("efficientnet", **grid, pareto="macs,r").chart()
    assert isinstance(chart, Scatter)
    assert texts(chart.svg())[-2:] == [costcalc.load("efficientnet").heading, f"({chart.subtitle})"]
    crowd, front, presets = chart.groups
    assert [mark.name for mark in presets.points] == [f"b{i}" for i in range(8)]
    assert [mark.x for mark in presets.points] == [costcalc.load(f"efficientnet_b{i}").macs for i in range(8)]
    assert {name for name in texts(chart.svg()) if re.fullmatch(r"b\d", name)} == {f"b{i}" for i in range(8)}
    assert (crowd.kind, front.kind, len(crowd.points)) == ("dots", "steps", 13 * 11 * 21)
    points = {(mark.x, mark.y) for mark in crowd.points}
    beaten = {(x, y) for x, y in points if any(a <= x and b >= y and (a, b) != (x, y) for a, b in points)}
    assert {(mark.x, mark.y) for mark in front.points} == points - beaten
    assert costcalc.sweep("efficientnet", **grid, pareto="macs,r,w").chart().groups[1].kind == "squares"
    assert len(costcalc.sweep("efficientnet", **grid).chart().groups[0].points) == 13 * 11 * 21


def test_presets_with_their_names():
    found = costcalc.sweep_presets("efficientnet")
    exact, published = found.chart().groups
    assert [mark.name for mark in exact.points] == [f"b{i}" for i in range(8)]
    assert [(mark.x, mark.y) for mark in exact.points] == [(row["macs"], row["params"]) for row in found.rows]
    assert (published.points[0].x, published.points[0].y) == (390_000_000, 5_300_000)
    written = texts(found.chart().svg())
    assert set(written) >= {*(f"b{i}" for i in range(8)), "exact", "published", "MACs (multiplications)"}


def test_presets_of_a_preset_are_the_presets():
    assert costcalc.sweep_presets("resnet50").rows == costcalc.sweep_presets("resnet").rows
    small = costcalc.sweep_presets("resnet50@r=160").rows
    assert [row["macs"] for row in small] == [costcalc.load(row["preset"], r=160).cost().macs for row in small]


def test_short_names():
    assert short_names(["efficientnet_b0", "efficientnet_b1"]) == ["b0", "b1"]
    assert short_names(["resnet18", "plain18"]) == ["resnet18", "plain18"]
    assert short_names(["vgg_1"]) == ["vgg_1"]


CHARTS = {
    "curves": lambda: costcalc.sweep("lenet5", c1="2:12:2").chart(),
    "map": lambda: costcalc.sweep("lenet5", c1="2:12:2", r="16:64:2").chart(),
    "front": lambda: costcalc.sweep("lenet5", c1="2:12:2", c2="2:12:2", r="16:64:8", pareto="macs,-params").chart(),
    "presets": lambda: costcalc.sweep_presets("vgg").chart(),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", CHARTS)
def test_a_picture_is_the_same_whenever_it_is_drawn(kind):
    chart = CHARTS[kind]()
    first = chart.svg()
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):  # whatever the reader has set
        assert chart.svg() == first
    assert chart.render("png") == chart.render("png")
    assert "<dc:date>" not in first
    assert "Matplotlib" not in first


@pytest.mark.parametrize("kind", CHARTS)
def test_no_label_is_cut_off(kind):
    """Every text begins and ends within the picture, by its place and the width of its letters."""
    svg = CHARTS[kind]().svg()
    width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())
    tree = ElementTree.fromstring(svg)
    places = 0
    for element in tree.iter():
        place = re.search(r"translate\((-?[\d.]+) (-?[\d.]+)\) rotate\((-?[\d.]+)\)", element.get("transform", ""))
        if element.tag.endswith("}text") and place:
            x, y, turned = map(float, place.groups())
            places += 1
            assert 0 <= x <= width
            assert 0 <= y <= height
            size = float(
                re.search(r"font: ([\d.]+)px|font-size: ([\d.]+)px", element.get("style") + "font-size: 10px")[1] or 10
            )
            if not turned and "anchor: middle" not in element.get("style"):
                assert x + 0.4 * size * len("".join(element.itertext())) <= width
    assert places or texts(svg)


def test_files_by_their_suffix(tmp_path, capsys):
    found = costcalc.sweep("lenet5", c1="2:12:2")
    found.plot(tmp_path / "a.svg")
    found.plot(str(tmp_path / "a.png"))
    assert (tmp_path / "a.svg").read_text() == found.chart().svg() == found.chart()._repr_svg_()
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(UsageError, match=r"'a\.gif': a picture is one of \.svg \.png"):
        found.plot("a.gif")
    with pytest.raises(UnknownName, match="unknown metric 'mac'; did you mean 'macs'"):
        found.plot(tmp_path / "b.svg", "mac")
    assert run(["sweep", "lenet5", "c1=2:12:2", "--plot", str(tmp_path / "b.svg")]) == 0
    assert (tmp_path / "b.svg").read_text() == found.chart().svg()
    assert "6 of 6 points" in capsys.readouterr().out
    assert run(["sweep", "vgg", "--presets", "all", "--plot", str(tmp_path / "c.svg")]) == 0
    assert (tmp_path / "c.svg").read_text() == costcalc.sweep_presets("vgg").chart().svg()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("r=32,64 --plot x.gif", "'x.gif': a picture is one of .svg .png"),
        ("r=32,64 --plot x", "'x': a picture is one of"),
        ("r=32,64 --metric mac", "unknown metric 'mac'; did you mean 'macs'?"),
        ("r=32,64 --metric intensity", "the picture shows intensity; count it too, as in --metrics "),
        ("--report x.pdf", "'x.pdf': a report is an .html file"),
        ("--report x.html --top 3 r=32,64", "it goes with points, --presets or --metrics alone"),
        ("--report x.html --plot x.svg", "it goes with points, --presets or --metrics alone"),
        ("--report x.html r=32:8000:1 c1=1:100:1", "a page shows 200,000 points at most, not 796,900"),
        ("--report x.html q=1,2", "lenet5: unknown knob 'q'"),
        ("--report x.html --presets all", "lenet5 has no presets"),
    ],
)  # fmt: skip
def test_what_is_refused(capsys, words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["sweep", "lenet5", *words.split()]) == 2
    out, err = capsys.readouterr()
    assert (out, [*tmp_path.iterdir()]) == ("", [])
    assert message in err


@pytest.mark.parametrize(
    "words",
    [
        "c1=2,4 --metric mac",
        "c1=2,4 --metrics params --plot x.svg --metric macs",
        "--presets all --metrics params --plot x.svg",
        "r=32,64 c1=2,4 c2=2,4 --metrics params --plot x.svg",
        "r=32,64 c1=2,4 --pareto macs,r --metrics params --plot x.svg",
        "c1=2,4 --plot x.gif",
        "c1=2,4 --report x.pdf",
        "c1=2,4 --plot no/x.svg",
        "c1=2,4 --report no/x.html",
        "c1=2,4 -o no/x.csv",
        "c1=2,4 -o no/x.parquet",
        "c1=2,4 -o no/x.json --histogram macs",
        "-o no/x.json --explain-steps",
    ],
)
def test_what_is_refused_is_refused_before_the_work(capsys, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for work in ("sweep.compute.compute_chunk", "scaling.presets.PresetSweep", "scaling.next_change.next_steps"):
        monkeypatch.setattr(f"costcalc.analysis.{work}", Mock(side_effect=AssertionError("it has begun")))
    monkeypatch.setattr("costcalc.report.page.page.sweep_page", Mock(side_effect=AssertionError("it has begun")))
    assert run(["sweep", "lenet5" if "presets" not in words else "vgg", *words.split()]) in (2, 3)
    out, err = capsys.readouterr()
    assert (out, [*tmp_path.iterdir()]) == ("", [])
    assert err.startswith("error: ")
    assert "it has begun" not in err


def test_a_file_that_cannot_be_written(tmp_path, capsys):
    assert run(["sweep", "lenet5", "c1=2,4", "--plot", str(tmp_path / "no" / "a.svg")]) == 3
    assert "cannot write" in capsys.readouterr().err
    assert run(["sweep", "lenet5", "c1=2,4", "--report", str(tmp_path / "no" / "a.html")]) == 3


@pytest.mark.parametrize(
    ("missing", "option"),
    [
        ("matplotlib", "--plot=x.svg"), ("matplotlib", "--report=x.html"), ("jinja2", "--report=x.html"),
    ],
)  # fmt: skip
def test_without_the_extra(missing, option, tmp_path):
    """It is missed before the network is read: there is none of this name."""
    code = f"import sys; sys.modules[{missing!r}] = None; from costcalc.cli.app import run; sys.exit(run(sys.argv[1:]))"
    words = [sys.executable, "-c", code, "sweep", "nowhere", option, "c1=2,4"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 3
    assert f"pip install 'costcalc[{'parquet' if missing == 'pyarrow' else 'report'}]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert [*tmp_path.iterdir()] == []


def test_a_picture_of_nothing_and_of_one_point():
    for chart in (
        costcalc.sweep("lenet5", c1=[6]).chart(), costcalc.sweep("lenet5", c1=[2, 4], where="macs < 0").chart(),
        costcalc.sweep("lenet5", c1=[2, 4], c2=[2, 4], where="macs < 0").chart(),
        costcalc.sweep("resnet50", r=[224, 2**30], batch=[1, 2**31]).chart(),
        costcalc.sweep("lenet5", r="16:48:2", c1="1:16:1", where="(r + c1) % 4 == 0").chart(),
        HeatMap("", Axis("x"), Axis("y"), Axis("z"), (1, 2), (1, 2), ((0, 0), (0, 0))),
    ):  # fmt: skip
        assert ElementTree.fromstring(chart.svg()) is not None


def test_a_notebook_shows_the_picture_below_the_table(monkeypatch):
    found, presets = costcalc.sweep("lenet5", c1=[2, 4]), costcalc.sweep_presets("vgg")
    for shown in (found, presets):
        html = shown._repr_html_()
        assert html.startswith("<table>")
        assert html.count("<svg ") == 1
        assert "<?xml" not in html
    assert costcalc.sweep("lenet5", c1=range(2, 102))._repr_html_().count("<tr>") == 41
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert found.chart()._repr_svg_() is None
    assert found._repr_html_() == found.table()._repr_html_()
