"""Pictures of networks: what they show is what was counted or quoted, and what they leave out they name."""

import re
import sys
from xml.etree import ElementTree

import pytest
from support import needed

import costcalc
from costcalc.analysis.align import by_size
from costcalc.chart import Ball, Balls
from costcalc.cli.app import run
from costcalc.dims import size_symbol
from costcalc.errors import UnknownName, UsageError

NAMES = ("efficientnet_b0", "mobilenet_v2", "resnet50", "vgg16")


def texts(svg):
    return ["".join(e.itertext()).strip() for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("}text")]


def test_balls_stand_where_the_numbers_are():
    found = costcalc.compare(*NAMES, "lenet5")
    chart = found.chart("top1")
    assert [ball.name for ball in chart.balls] == [*NAMES]
    assert [(ball.x, ball.size) for ball in chart.balls] == [(cost.macs, cost.params) for cost in found.costs[:-1]]
    assert [ball.y for ball in chart.balls] == [77.692, 71.878, 76.13, 71.592]
    assert (chart.x.log, chart.y.log) == (True, False)
    assert chart.notes == (
        "top-1 (%): % of ImageNet's validation images whose class is the first guess; quoted, not computed",
        "quoted from torchvision 0.29, IMAGENET1K_V1",
        "published as well: mobilenet_v2 72.154, resnet50 80.858 (torchvision 0.29, IMAGENET1K_V2)",
        "not drawn, as no spec quotes their top-1: lenet5",
    )


@pytest.mark.parametrize("x", ["params", "peak_bytes", "train_macs", "intensity", "top5"])
def test_any_metric_is_an_axis(x):
    found = costcalc.compare("resnet18", "vgg16")
    chart = found.chart("top1", x)
    expected = [89.078, 90.382] if x == "top5" else [cost.total(x) for cost in found.costs]
    assert [ball.x for ball in chart.balls] == expected
    assert [ball.y for ball in found.chart("macs", "params").balls] == [cost.macs for cost in found.costs]


def test_seconds_are_those_of_the_column():
    times = {"resnet18": 0.5, "vgg16": 2.5, "resnet34": None}
    found = costcalc.compare(*times, columns="target,seconds", seconds=lambda model: times[model.label])
    chart = found.chart("top1", "seconds")
    assert [(ball.name, ball.x) for ball in chart.balls] == [("resnet18", 0.5), ("vgg16", 2.5)]
    assert chart.notes[-1] == "not drawn, as they have no seconds, which `costcalc time` measures: resnet34"
    with pytest.raises(UsageError, match="nothing to draw; not drawn, as they have no seconds"):
        costcalc.compare("resnet18", "vgg16").chart("top1", "seconds")


def test_networks_at_one_place_share_a_ball():
    chart = costcalc.compare("resnet", "resnet50", "vgg16").chart("top1")
    assert [ball.name for ball in chart.balls] == ["resnet, resnet50", "vgg16"]


def test_bars_are_the_metric_by_size():
    found = costcalc.compare(*NAMES)
    chart = found.chart()
    assert chart.categories == ("224²", "112²", "56²", "28²", "14²", "7²", "flat")
    for bar, cost in zip(chart.bars, found.costs, strict=True):
        assert bar.label == cost.target
        assert sum(filter(None, bar.values)) == cost.macs
        assert [value for value in bar.values if value] == [part.cost for part in by_size(cost, "macs")]
    one = costcalc.load("resnet50").chart("params")
    assert sum(filter(None, one.bars[0].values)) == costcalc.load("resnet50").params
    assert "25.6 M" not in texts(one.svg())  # no size has all of them
    assert "2.05 M" in texts(one.svg())


@pytest.mark.parametrize(
    ("error", "message", "make"),
    [
        (UnknownName, "unknown metric 'topp1'; did you mean 'top1'", lambda two: two.chart("topp1")),
        (UsageError, "stride describes paths", lambda two: two.chart("top1", "stride")),
        (UsageError, "no spec quotes the top-1 of lenet5 and conv1x1", lambda two: two.chart("top1")),
        (UsageError, "nothing to draw: MACs of relu are 0", lambda _: costcalc.load(RELU).chart()),
        (UsageError, "8 networks at most, not 9", lambda _: costcalc.compare(*["lenet5"] * 9).chart()),
        (UsageError, "peak_bytes is not the sum", lambda _: costcalc.load("lenet5").chart("peak_bytes")),
        (UsageError, "Net.chart needs numeric", lambda _: costcalc.load("lenet5", r=size_symbol("r")).chart()),
    ],
)
def test_what_is_not_drawn(error, message, make):
    two = costcalc.compare("lenet5", "conv1x1")
    with pytest.raises(error, match=message):
        make(two)


RELU = "name: relu\ntitle: nothing\nsource: mine\ninput: [3, 8, 8]\nlayers:\n  - relu\n"


@pytest.mark.no_cover
@pytest.mark.parametrize("format", ["svg", "png", "pdf"])
def test_a_picture_is_the_same_whenever_it_is_drawn(format):
    needed.module("matplotlib", "report")
    balls = [Ball(f"n{i}", 10 ** (6 + i), 70 + i, 10**6 * i) for i in range(5)]
    chart = Balls("t", *costcalc_axes(), tuple(balls), ("a note",))
    first = chart.render(format)
    assert chart.render(format) == first
    assert b"Date" not in first


def costcalc_axes():
    from costcalc.chart import Axis

    return Axis("MACs", log=True), Axis("top-1", "%"), Axis("params")


def test_hostile_names_are_text():
    needed.module("matplotlib", "report")
    names = ["<script>alert(1)</script>", "$x^2$", "_hidden", "a\nb", "\u202eright", "x" * 300, "&amp;", "\x00"]
    balls = [Ball(name, 10 ** (6 + i), 70 + i, 10**6) for i, name in enumerate(names)]
    svg = Balls("<b>", *costcalc_axes(), tuple(balls), ("<i>",)).svg()
    tree = ElementTree.fromstring(svg)
    assert not [element for element in tree.iter() if "script" in element.tag]
    written = " ".join(texts(svg))
    for name in ("<script>alert(1)</script>", "$x^2$", "_hidden", "&amp;", "<b>", "<i>"):
        assert name in written
    assert "\u202e" not in svg
    assert "\x00" not in svg


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("compare resnet50 vgg16 --y top1", 2, "--x and --y are axes of a plot; add --plot FILE.svg"),
        ("compare resnet50 vgg16 --plot a.svg --x params", 2, "--x is the cost of a plot of balls; add --y top1"),
        ("compare resnet50 vgg16 --plot a.gif", 2, "'a.gif': a picture is one of .svg .png .pdf"),
        ("compare resnet50 vgg16 --plot no/a.svg", 3, "cannot write"),
        ("compare resnet50 vgg16 --plot a.svg --y topp1", 2, "did you mean 'top1'?"),
        ("compare resnet50 vgg16 --plot a.svg --by intensity", 2, "intensity is not the sum"),
        ("compare resnet50 vgg16 --plot a.svg --break-even r", 2, "--plot cannot be combined with --break-even"),
        ("compare lenet5 conv1x1 --plot a.svg --y top1", 2, "no spec quotes the top-1"),
        ("compare resnet50 vgg16 -o a.svg", 2, "--plot FILE.svg draws"),
        ("show resnet50 --plot a.gif", 2, "a picture is one of"),
        ("memory resnet50 -o no/a.svg", 3, "cannot write"),
        ("memory resnet50 --within 1GB -o a.svg", 2, "-o a.svg is of the network as it is"),
        ("memory resnet50 --within 1GB --timeline", 2, "--timeline is of the network as it is"),
        ("memory resnet50 --units MiB -o a.svg", 2, "--units: a .svg file has no table"),
        ("runs show 1 --roofline a.gif", 2, "a picture is one of"),
        ("time resnet50 vgg16 --roofline a.svg", 2, "--roofline draws one network at one batch"),
        ("time resnet50 --batch 1,2 --roofline a.svg", 2, "--roofline draws one network at one batch"),
    ],
)
def test_what_is_refused_is_refused_before_the_work(words, code, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for work in ("analysis.cost.numeric_cost", "analysis.compare.numeric_cost", "analysis.cost.cost_of"):
        monkeypatch.setattr(f"costcalc.{work}", lambda *_, **__: pytest.fail("it has begun"))
    assert run(words.split()) == code
    out, err = capsys.readouterr()
    assert (out, [*tmp_path.iterdir()]) == ("", [])
    assert err.startswith("error: ")
    assert message in err


@pytest.mark.parametrize(
    "words",
    ["memory nowhere -o x.svg", "compare nowhere either --plot x.pdf --y top1", "time nowhere --roofline x.png"],
)
def test_without_matplotlib(words, tmp_path, monkeypatch, capsys):
    """It is missed before the network is read: there is none of this name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert run(words.split()) == 3
    out, err = capsys.readouterr()
    assert (out, [*tmp_path.iterdir()]) == ("", [])
    assert "pip install 'costcalc[report]'" in err


def test_commands_draw_what_python_draws(tmp_path, monkeypatch, capsys):
    needed.module("matplotlib", "report")
    monkeypatch.chdir(tmp_path)
    assert run(["compare", *NAMES, "--plot", "ball.svg", "--y", "top1"]) == 0
    table = capsys.readouterr().out
    found = costcalc.compare(*NAMES)
    svg = (tmp_path / "ball.svg").read_text()
    assert svg == found.chart("top1").svg()
    assert {*texts(svg)} >= {*NAMES}
    assert re.search(r"efficientnet_b0 +77\.692 +385,814,752 +5,288,548", table)
    found.plot("python.svg", "top1")
    assert (tmp_path / "python.svg").read_text() == svg
    assert run(["show", "lenet5", "--plot", "sizes.pdf"]) == 0
    assert (tmp_path / "sizes.pdf").read_bytes() == costcalc.load("lenet5").chart().render("pdf")
