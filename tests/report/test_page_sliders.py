"""The page in a browser: its numbers are those of a count wherever the sliders stand, and it asks for nothing."""

import json
import random
import re
from dataclasses import replace
from fractions import Fraction
from html import unescape

import pytest
from support import needed
from support.browser import errors, requested
from support.moved_pages import SAME, made, made_with_sweep, moved, opened

import costcalc
from costcalc.analysis.power_laws import knob_exponents
from costcalc.errors import CostcalcError
from costcalc.report.page.network_view import NetworkView
from costcalc.report.page.page import sweep_page
from costcalc.report.page.page_plots import curves_of, maps_of
from costcalc.text import value_text

needed.module("matplotlib", "report")
needed.module("jinja2", "report")

NARROW = """
name: narrow
title: t
source: s
knobs: {r: 9, k: 3, c: 4, g: 2, w: {default: 1, kind: real}}
input: [3, r, r]
layers:
  - conv: {channels: 12*w, kernel: k}
  - max_pool: {kernel: 4, stride: 3}
  - group_norm: {groups: g}
  - repeat: {times: c - 2, layers: [conv: {channels: 12*w, kernel: 3, padding: 1}]}
"""
FEW_PICTURES = (("batch", (1, 2)),)  # most of a sweep's time goes into them, and the sliders move none
USUAL = ("macs", "params", "elementwise", "activations", "weight_bytes")


def counted(target, values, metrics=USUAL, **options):
    """The metrics of one network; the reason if there is none."""
    try:
        cost = costcalc.load(target).with_step(options["step"]) if "step" in options else costcalc.load(target)
        cost = cost.with_knobs(**values).cost()
    except CostcalcError as error:
        return str(error)
    return [f"{cost.total(metric):,}" for metric in metrics]


def by_law(target, values):
    """The row of the law: the MACs of the target, times what the powers of its knobs have grown by since."""
    net = costcalc.load(target)
    said = Fraction(net.cost().macs)
    for knob, power in {**knob_exponents(net), "batch": 1}.items():
        said *= (Fraction(values[knob]) / Fraction(net.values[knob])) ** power
    return [f"{(2 * said + 1) // 2:,}"] if knob_exponents(net) else []


def compare(target, data, positions, seen):
    """The numbers of a page of one network are those of a count. How many positions were no networks."""
    names, refused = [knob["name"] for knob in data["knobs"]], 0
    for position, found in zip(positions, seen, strict=True):
        at = dict(zip(names, position, strict=True))
        expected = counted(target, at)
        if isinstance(expected, str):
            refused += 1
            assert {*found["totals"][0]} == {"–"}, (position, expected)
            assert found["reason"].startswith("There is no such network: "), (position, expected)
        else:
            assert (found["totals"][0], found["reason"]) == (expected + by_law(target, at), ""), position
        assert [Fraction(box) for box in found["boxes"]] == list(position)
    return refused


def places(data, count, seed):
    """Random positions of the sliders, and the values that these are."""
    rng = random.Random(seed)
    indices = [[rng.randint(knob["first"], knob["last"]) for knob in data["knobs"]] for _ in range(count)]
    values = [
        [Fraction(i, knob["steps_per_unit"]) for i, knob in zip(place, data["knobs"], strict=True)] for place in indices
    ]
    return indices, [[v.numerator if v.denominator == 1 else v for v in place] for place in values]


@pytest.mark.no_cover
def test_a_hundred_positions_of_efficientnet(driver, tmp_path):
    data = opened(driver, tmp_path, made_with_sweep("efficientnet"))
    indices, values = places(data, 100, 4)
    compare("efficientnet", data, values, moved(driver, indices))
    assert errors(driver) == []
    assert requested(driver) == [(tmp_path / "page.html").as_uri()]


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "target", ["mobilenet_v1", "mobilenet_v2", "resnet50", "vgg", "lenet5", "conv_normal", "googlenet"]
)
def test_other_networks(driver, tmp_path, target):
    data = opened(driver, tmp_path, made(target))
    indices, values = places(data, 12, target)
    compare(target, data, values, moved(driver, indices))
    assert errors(driver) == []


PAIRS = [
    (("inception_naive", "inception_bottleneck"), {}),
    (("conv_normal", "conv_depthwise_separable", "conv_locally_connected"), {}),
    (("lenet5", "alexnet"), {"by": "params"}),
    (("resnet18", "resnet34"), {"train": True}),
]


@pytest.mark.no_cover
@pytest.mark.parametrize(("targets", "options"), PAIRS)
def test_a_hundred_positions_of_networks_beside_each_other(driver, tmp_path, targets, options):
    page, text = made(*targets, **options)
    data = opened(driver, tmp_path, (page, text))
    count = 100 if targets[0] == "inception_naive" else 12
    indices, values = places(data, count, str(targets))
    alone = ("train_peak_bytes", "peak_bytes")
    for position, found in zip(values, moved(driver, indices), strict=True):
        totals = []
        for number, view in enumerate(page.views):
            at = {
                slider.name: value
                for slider, value in zip(page.sliders, position, strict=True)
                if number in slider.owners
            }
            shown = dict(zip(page.metrics, found["totals"][number], strict=True))
            still = {shown.pop(metric) for metric in alone if metric in shown}
            assert still <= {"–"}
            expected = counted(view.model, at, [*shown])
            if isinstance(expected, str):
                assert {*shown.values()} == {"–"} and view.model.label in found["reason"]
            else:
                assert [*shown.values()] == expected, position
                cost = view.model.with_knobs(**at).cost()
                parts = [cell for cell in found["parts"][number] if cell != "0"]
                by = page.options.by
                assert parts == [f"{block.costs[by]:,}" for block in cost.fold(1, [by]) if block.costs[by]]
            totals.append(None if isinstance(expected, str) else int(shown[page.options.by].replace(",", "")))
        if len(totals) == 2 and None not in totals:
            factor = costcalc.table.cell(Fraction(totals[1], totals[0]), "factor")
            assert found["factors"][1][0] == factor
    assert errors(driver) == []


@pytest.mark.no_cover
def test_where_two_cost_the_same_moves(driver, tmp_path):
    page, text = made("inception_naive", "inception_bottleneck")
    data = opened(driver, tmp_path, (page, text))
    indices, values = places(data, 30, 3)
    for position, found in zip(values, moved(driver, indices), strict=True):
        knobs = {slider.name: value for slider, value in zip(page.sliders, position, strict=True)}
        even = Fraction(
            knobs["k"] ** 2 * knobs["c_in"] * knobs["c_out"], knobs["c_in"] + knobs["k"] ** 2 * knobs["c_out"]
        )
        shown = found["evens"][0]
        exactly = re.search(r"\(([\d,]+)/([\d,]+)\)", shown)
        assert Fraction(*(int(n.replace(",", "")) for n in (exactly.groups() if exactly else (shown, "1")))) == even
        ahead = [int(row[0].replace(",", "")) for row in found["totals"]]
        assert (ahead[1] < ahead[0]) == (knobs["b"] < even)


def test_where_two_cost_the_same_has_dashes_while_a_value_is_wrong(driver, tmp_path):
    data = opened(driver, tmp_path, made("inception_naive", "inception_bottleneck"))
    names = [knob["name"] for knob in data["knobs"]]
    texts = {"b": "16", "r": "28", "c_in": "192", "c_out": "32", "k": "5", "batch": "1"}
    for b, shown in (("-3", ["–", "–"]), ("x", ["–", "–"]), ("20", ["154.839 (4,800/31)", "20"])):
        found = moved(driver, [[{**texts, "b": b}[name] for name in names]], "box")[0]
        now = driver.execute_script("return document.getElementById('even-now-0').textContent")
        assert [*found["evens"], now] == shown
    assert errors(driver) == []


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("target", "settings"),
    [
        ("inception_module", [{"r": 14}, {"r": 56, "batch": 3}]), ("residual_block", [{"r": 7, "batch": 2}]),
        ("conv_normal", [{"f": 5}, {"n_c_out": 77}]), ("mobilenet_v2_bottleneck", [{"t": 3}]),
        ("resnet50", [{"n4": 23, "r": 320}, {"n2": 2}]),
    ],
)  # fmt: skip
def test_a_moved_drawing_is_that_of_the_network_there(driver, tmp_path, target, settings):
    page, text = made(target)
    data = opened(driver, tmp_path, (page, text))
    net, names = costcalc.load(target), [knob["name"] for knob in data["knobs"]]
    for setting in settings:
        there = {**net.values, **setting}
        found = moved(driver, [[value_text(there[name]) for name in names]], "box")[0]
        other = costcalc.page(net.with_knobs(**setting))
        (drawing,) = [one for one in other.views[0].drawings if one.is_shown]
        expected = re.findall(r"<(?:text|title)(?: [^>]*)?>(.*?)</(?:text|title)>", unescape(drawing.svg))[1:]
        pairs = [*zip(reversed(found["drawings"][0]), reversed(expected))][:-3]  # above are lines with its name
        assert len(pairs) >= len(drawing.nodes) * 2
        for mine, its in pairs:
            head, seen, _ = mine.partition("; as it is set: receptive field")
            assert head == (its.partition(";")[0] if seen else its), (setting, mine, its)
        assert found["rest"] == [""]


@pytest.mark.no_cover
@pytest.mark.parametrize("targets", [("efficientnet",), ("resnet50",), ("inception_naive", "inception_bottleneck")])
def test_without_its_script_a_page_shows_the_same(driver, tmp_path, targets):
    page, text = made(*targets) if len(targets) > 1 else made_with_sweep(*targets)
    opened(driver, tmp_path, (page, text))
    moved(driver, [])
    driver.execute_script("showParts(); showMaps();")
    assert driver.execute_script(SAME, text) == []


@pytest.mark.no_cover
@pytest.mark.parametrize(("target", "setting"), [("lenet5", {"r": 40, "c1": 9}), ("resnet50", {"n3": 9, "r": 300})])
def test_curves_maps_and_marks_move_together(driver, tmp_path, target, setting):
    """They are those that Python draws of the network there, over the same values."""
    page, text = made(target)
    data = opened(driver, tmp_path, (page, text))
    there = {**page.views[0].model.values, **setting}
    found = moved(driver, [[value_text(there[knob["name"]]) for knob in data["knobs"]]], "box")[0]
    view = NetworkView.of(0, page.views[0].model.with_knobs(**setting), page.options)
    sliders = [replace(slider, value=there[slider.name]) for slider in page.sliders]
    for number, (at, _, _) in enumerate(page.curves):
        ((_, curve),) = curves_of(number, at, [view], sliders, "macs", {}, None)
        svg = curve.svg()
        assert found["curves"][number]["path"] == re.findall(r'class="curve line-0" d="([^"]*)"', svg)
        assert found["curves"][number]["now"] == re.findall(r'class="now line-0" cx="[^"]*" cy="([^"]*)"', svg)
    for number, (*_, over) in enumerate(maps_of(view, sliders, [at for at, _, _ in page.curves], {})):
        assert found["maps"][number] == re.findall(r'fill-opacity="([^"]*)"', over.svg())


def test_layers_that_only_other_settings_have_are_not_lost(driver, tmp_path):
    page, text = made("efficientnet")
    data = opened(driver, tmp_path, (page, text))
    names = [knob["name"] for knob in data["knobs"]]
    there = {**page.views[0].model.values, "d": 2}
    found = moved(driver, [[value_text(there[name]) for name in names]], "box")[0]
    total = costcalc.load("efficientnet", d=2).cost().macs
    assert sum(int(cell.replace(",", "")) for cell in found["parts"][0]) == total
    missing = int(re.search(r"has no box for: ([\d,]+) MACs", found["rest"][0])[1].replace(",", ""))
    boxes = [re.search(r", ([\d,]+) MACs", text) for text in found["drawings"][0]]
    assert missing + sum(int(found[1].replace(",", "")) for found in boxes if found) == total


ONE_LAYER_OR_MORE = """
name: more
title: t
source: s
knobs: {m: 3, r: 8}
input: [3, r, r]
blocks:
  body:
    - conv: {channels: 3, kernel: 3, padding: 1}
    - repeat: {times: m - 1, layers: [conv: {channels: 3, kernel: 1}]}
layers: [body, relu]
"""


def test_a_box_counts_its_layers_wherever_the_sliders_stand(driver, tmp_path):
    (tmp_path / "more.yaml").write_text(ONE_LAYER_OR_MORE)
    page = costcalc.page(tmp_path / "more.yaml", depth=1)
    knobs = [knob["name"] for knob in opened(driver, tmp_path, (page, page.html()))["knobs"]]
    for m, said in ((1, "1 layer"), (2, "2 layers"), (1_000, "1,000 layers")):
        found = moved(driver, [[{"m": m, "r": 8, "batch": 1}[name] for name in knobs]], "box")[0]
        assert [text for text in found["drawings"][0] if re.search(r"\blayers?$", text)] == [said]


def test_a_spec_of_the_readers_own_says_where_there_is_no_network(driver, tmp_path):
    (tmp_path / "narrow.yaml").write_text(NARROW)
    target = str(tmp_path / "narrow.yaml")
    data = opened(driver, tmp_path, made(target))
    indices, values = places(data, 100, 11)
    assert 10 < compare(target, data, values, moved(driver, indices)) < 90
    texts = [["9", "3", "4", "2", w, "1"] for w in ("1", "1.5", "5/12", "0.4", "1.3333")]
    at = [[9, 3, 4, 2, Fraction(w), 1] for *_, w, _ in texts]
    where = [[v if v.denominator > 1 else int(v) for v in p] for p in at]
    assert compare(target, data, where, moved(driver, texts, "box")) == 3
    said = {
        ("2", "3", "4", "2", "1", "1"): "a window of 3 does not fit into 2",
        ("9", "3", "1", "2", "1", "1"): "the times of 'repeat' = -1 must be at least 0",
        ("9", "3", "4", "5", "1", "1"): "groups = 5 does not divide the 12 channels",
        ("9", "3", "4", "2", "x", "1"): "w = x is not a number; it takes a number from",
    }
    for found, words in zip(moved(driver, [*map(list, said)], "box"), said.values(), strict=True):
        assert words in found["reason"]


def test_typed_values_and_presets(driver, tmp_path):
    data = opened(driver, tmp_path, made_with_sweep("efficientnet"))
    texts = [["224", "1", w, "1000", "1"] for w in ("1.11", "0.0375", "1.0625")] + [
        ["2147483647", "3.1", "2", "10", "2147483647"]
    ]
    values = [[Fraction(text) if "." in text else int(text) for text in row] for row in texts]
    compare("efficientnet", data, values, moved(driver, texts, "box"))
    whole, real = "takes a whole number from 32 to 2,147,483,648", "takes a number from 0.001 to 2,147,483,648"
    huge = "1" + "0" * 30
    said = {
        ("31", "1"): f"r = 31 is below 32; it {whole}", ("-3", "1"): f"r = -3 is below 32; it {whole}",
        (huge, "1"): f"r = {huge} is above 2,147,483,648; it {whole}",
        ("abc", "1"): f"r = abc is not a number; it {whole}",
        ("224.5", "1"): f"r = 224.5 is not whole; it {whole}", (" ", "1"): f"r is empty; it {whole}",
        ("224", "0"): f"d = 0 is below 0.001; it {real}", ("224", "1/0"): f"d = 1/0 is not a number; it {real}",
    }  # fmt: skip
    for texts, words in said.items():
        seen = moved(driver, [[*texts, "1", "1", "1"]], "box")[0]
        assert seen["reason"] == f"{words}. Until it has one, numbers are dashes, and curves stay as they were."
        assert {*seen["totals"][0]} == {"–"}
        marked = driver.execute_script("return knobs.map(({ box }) => box.getAttribute('aria-invalid'))")
        assert marked == [
            "true" if words.startswith(f"{name} ") else "false" for name in ("r", "d", "w", "classes", "batch")
        ]
    for number, setting in enumerate(data["settings"]):
        driver.execute_script(
            "settings.value = arguments[0]; settings.dispatchEvent(new Event('change'))",
            str(number),
        )
        seen = moved(driver, [[]])[0]
        assert seen["boxes"] == setting["values"]
        assert seen["totals"][0][0] == f"{costcalc.load(setting['name']).cost().macs:,}"


def test_a_menu_of_one_choice_is_not_shown(driver, tmp_path):
    assert '<select id="settings"' in made("resnet50")[1]
    opened(driver, tmp_path, made("residual_block"))
    assert '<select id="settings"' not in made("residual_block")[1]
    assert moved(driver, [["7"]], "box")[0]["reason"] == ""
    assert errors(driver) == []


def test_an_imported_network_has_numbers_only_where_it_is_known(driver, tmp_path):
    """Its tensor for each place keeps the resolution; windows of 8 pixels ask for multiples of 8."""
    torch = needed.module("torch", "torch")

    class Places(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.places = torch.nn.Conv2d(3, 4, 4, 4), torch.nn.Parameter(torch.zeros(4, 8, 8))

        def forward(self, x):
            return self.conv(x) + self.places

    class Windows(torch.nn.Module):
        def forward(self, x):
            n, c, h, w = x.shape
            windows = x.view(n, c, h // 8, 8, w // 8, 8).transpose(3, 4)
            return windows @ windows.transpose(-1, -2)

    page = costcalc.page(costcalc.load(Places(), (1, 3, 32, 32)))
    assert ([slider.name for slider in page.sliders], page.fixed()) == (["batch"], "r = 32")
    net = costcalc.load(Windows(), (2, 3, 64, 64))
    page = costcalc.page(net)
    names = [knob["name"] for knob in opened(driver, tmp_path, (page, page.html()))["knobs"]]
    for r in (64, 72, 100):
        at = {"batch": 3, "r": r}
        found = moved(driver, [[str(at[name]) for name in names]], "box")[0]
        if r % 8:
            assert found["reason"] == "No numbers are known there: the closed forms hold where 8 divides r."
            assert {*found["totals"][0]} == {"–"}
        else:
            assert (found["totals"][0][: len(USUAL)], found["reason"]) == (counted(net, at), "")


def test_the_drawing_of_an_attention_moves_with_its_batch():
    """torch views the heads of one example and copies those of several, under another name."""
    torch = needed.module("torch", "torch")

    class Attention(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.heads = torch.nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x):
            return self.heads(x, x, x, need_weights=False)[0]

    view = costcalc.page(costcalc.load(Attention(), (1, 5, 8))).views[0]
    assert (view.why_still, len(view.parts.rows)) == ("", len(view.cost.layers))


def test_every_step_of_a_shared_slider_is_a_network_of_both():
    page = costcalc.page("mobilenet_v1", "mobilenet_v2")
    w = next(slider for slider in page.sliders if slider.name == "w")
    assert (w.steps_per_unit, w.owners) == (32, (0, 1))
    assert all(None not in row for _, _, curve in page.curves for row in curve.values)


def test_a_curve_with_gaps_says_why(driver, tmp_path):
    page, text = made("conv_normal", "lenet5")
    data = opened(driver, tmp_path, (page, text))
    number = next(at for at, (_, _, curve) in enumerate(page.curves) if curve.knob == "f")
    said = "conv_normal has no numbers at 10 of the 15 values of f: a window of 7 does not fit into 6."
    assert page.curves[number][2].gaps == said and f">{said}</p>" in text
    there = {**page.views[0].model.values, **page.views[1].model.values, "n": 10}
    gaps = "at 6 of the 15 values of f: layer 'conv' (conv): a window of 11 does not fit into 10."
    for n, words in ((10, gaps), (40, "")):
        moved(driver, [[value_text({**there, "n": n}[knob["name"]]) for knob in data["knobs"]]], "box")
        shown = driver.execute_script(f"return document.getElementById('gaps-{number}').textContent")
        assert shown == (f"conv_normal has no numbers {words}" if words else "")
    assert errors(driver) == []


def test_the_text_of_a_value_is_read_back():
    data = sweep_page(costcalc.load("mobilenet_v2@w=1/3"), dict(FEW_PICTURES)).data()
    w = next(knob for knob in data["knobs"] if knob["name"] == "w")
    assert w["steps_per_unit"] % 3 == 0
    assert data["settings"][0]["values"][1] == "1/3" == value_text(Fraction(1, 3))
    assert json.loads(json.dumps(data["settings"])) == data["settings"]
