"""The page in a browser: its numbers are those of a count wherever the sliders stand, and it asks for nothing."""

import json
import random
from fractions import Fraction
from functools import cache

import pytest
from support import needed
from support.browser import errors, requested

import costcalc
from costcalc.analysis.power_laws import knob_exponents
from costcalc.errors import CostcalcError
from costcalc.report.page.page import sweep_page
from costcalc.text import value_text

SLIDE = """
const at = (id) => document.getElementById(id);
return arguments[0].map((position) => {
  position.forEach((index, i) => {
    at(`slider-${i}`).value = index;
    at(`slider-${i}`).dispatchEvent(new Event("input"));
  });
  return read();
  function read() {
    const texts = (ids, of) => [...document.querySelectorAll(ids)].map(of);
    return [texts("[id^=box-]", (box) => box.value), texts("[id^=total-]", (cell) => cell.textContent),
            at("no-network").textContent];
  }
});
"""
TYPE = SLIDE.replace("slider-${i}", "box-${i}")

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


FEW_PICTURES = (("batch", (1, 2)),)  # most of a page's time goes into them, and the sliders move none


@cache
def page_of(target, axes):
    needed.module("matplotlib", "report")
    needed.module("jinja2", "report")
    page = sweep_page(costcalc.load(target), dict(axes))
    return page, page.html()


def opened(driver, target, folder, axes=()):
    """The page of a target, in the browser; what its script reads."""
    page, html = page_of(target, axes)
    (folder / "page.html").write_text(html, encoding="utf-8")
    driver.get((folder / "page.html").as_uri())
    return page.closed.data()


def counted(target, values):
    """The metrics of the sliders by the count of one network; the reason if there is none."""
    try:
        cost = costcalc.load(target).with_knobs(**values).cost()
    except CostcalcError as error:
        return str(error)
    totals = [cost.total(metric) for metric in ("params", "macs", "elementwise", "activations")]
    return [f"{n:,}" for n in (*totals, 4 * (cost.params + cost.total("buffers")))]


def by_law(target, values):
    """The row of the law: the MACs of the target, times what the powers of its knobs have grown by since."""
    net = costcalc.load(target)
    said = Fraction(net.cost().macs)
    for knob, power in {**knob_exponents(net), "batch": 1}.items():
        said *= (Fraction(values[knob]) / Fraction(net.values[knob])) ** power
    return [f"{(2 * said + 1) // 2:,}"] if knob_exponents(net) else []


def compare(target, data, positions, seen):
    names = [knob["name"] for knob in data["knobs"]]
    refused = 0
    for position, (boxes, totals, reason) in zip(positions, seen, strict=True):
        expected = counted(target, dict(zip(names, position, strict=True)))
        if isinstance(expected, str):
            refused += 1
            assert {*totals} == {"–"}, (position, expected)
            assert reason.startswith("There is no such network: "), (position, expected)
        else:
            assert (totals[:5], reason) == (expected, ""), position
            assert totals[5:] == by_law(target, dict(zip(names, position, strict=True))), position
        assert [Fraction(box) for box in boxes] == list(position)
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
    data = opened(driver, "efficientnet", tmp_path)
    indices, values = places(data, 100, 4)
    compare("efficientnet", data, values, driver.execute_script(SLIDE, indices))
    assert errors(driver) == []
    assert requested(driver) == [(tmp_path / "page.html").as_uri()]


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "target", ["mobilenet_v1", "mobilenet_v2", "resnet50", "vgg", "lenet5", "conv_normal", "googlenet"]
)
def test_other_networks(driver, tmp_path, target):
    data = opened(driver, target, tmp_path, FEW_PICTURES)
    indices, values = places(data, 25, target)
    compare(target, data, values, driver.execute_script(SLIDE, indices))
    assert errors(driver) == []


def test_a_spec_of_the_readers_own_says_where_there_is_no_network(driver, tmp_path):
    (tmp_path / "narrow.yaml").write_text(NARROW)
    target = str(tmp_path / "narrow.yaml")
    data = opened(driver, target, tmp_path, FEW_PICTURES)
    indices, values = places(data, 100, 11)
    assert 10 < compare(target, data, values, driver.execute_script(SLIDE, indices)) < 90
    texts = [["9", "3", "4", "2", w, "1"] for w in ("1", "1.5", "5/12", "0.4", "1.3333")]
    seen = driver.execute_script(TYPE, texts)
    at = [[9, 3, 4, 2, Fraction(w), 1] for *_, w, _ in texts]
    assert compare(target, data, [[v if v.denominator > 1 else int(v) for v in p] for p in at], seen) == 3
    reasons = [
        reason
        for *_, reason in driver.execute_script(
            TYPE,
            [
                ["2", "3", "4", "2", "1", "1"],
                ["9", "3", "1", "2", "1", "1"],
                ["9", "3", "4", "5", "1", "1"],
                ["9", "3", "4", "2", "x", "1"],
            ],
        )
    ]
    for reason, words in zip(
        reasons,
        [
            "a window of 3 does not fit into 2",
            "the times of 'repeat' = -1 must be at least 0",
            "groups = 5 does not divide the 12 channels",
            "w is a number, as in 224",
        ],
        strict=True,
    ):
        assert words in reason


def test_typed_values_and_presets(driver, tmp_path):
    data = opened(driver, "efficientnet", tmp_path)
    texts = [["224", "1", w, "1000", "1"] for w in ("1.11", "0.0375", "1.0625")] + [
        ["2147483647", "3.1", "2", "10", "2147483647"]
    ]
    seen = driver.execute_script(TYPE, texts)
    compare(
        "efficientnet", data, [[Fraction(text) if "." in text else int(text) for text in row] for row in texts], seen
    )
    for texts, words in (
        (["31", "1", "1", "1", "1"], "r is at least 32"),
        (["224.5", "1", "1", "1", "1"], "r is a whole number, not 224.5"),
        (["224", "0", "1", "1", "1"], "d is at least"),
        (["224", "1", "1", "2147483649", "1"], "classes is at most 2,147,483,648"),
    ):
        assert words in driver.execute_script(TYPE, [texts])[0][2]
    for number, setting in enumerate(data["settings"]):
        driver.execute_script(
            "settings.value = arguments[0]; settings.dispatchEvent(new Event('change'))",
            str(number),
        )
        seen = driver.execute_script(SLIDE.replace("position.forEach", "[].forEach"), [[]])[0]
        assert seen[0] == setting["values"]
        assert seen[1][1] == f"{costcalc.load(setting['name']).cost().macs:,}"


def test_sliders_by_keyboard_and_for_screen_readers(driver, tmp_path):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    opened(driver, "efficientnet", tmp_path)
    slider = driver.find_element(By.ID, "slider-0")
    slider.send_keys(Keys.ARROW_RIGHT)
    assert driver.find_element(By.ID, "box-0").get_attribute("value") == "225"
    assert slider.get_attribute("aria-valuetext") == "225"
    assert driver.find_element(By.ID, "total-1").text == f"{costcalc.load('efficientnet', r=225).cost().macs:,}"
    unnamed = driver.execute_script(
        "return [...document.querySelectorAll('input, select')].filter((e) => !e.labels.length && !e.ariaLabel).length"
    )
    assert unnamed == 0


def test_the_page_without_javascript_has_all_but_the_sliders():
    _, html = page_of("efficientnet", ())
    assert '<div id="sliders" hidden>' in html
    assert "37,745,884,192" in html
    assert html.count("<svg ") == 8
    assert "<mi>c</mi><mi>7</mi>" in html


def test_the_text_of_a_value_is_read_back():
    data = sweep_page(costcalc.load("mobilenet_v2@w=1/3")).closed.data()
    w = next(knob for knob in data["knobs"] if knob["name"] == "w")
    assert w["steps_per_unit"] % 3 == 0
    assert data["settings"][0]["values"][1] == "1/3" == value_text(Fraction(1, 3))
    assert json.loads(json.dumps(data)) == data
