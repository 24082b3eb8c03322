"""What a page has, and what it leaves out; what it prints as JavaScript and as MathML says what the formula says."""

import random
from fractions import Fraction
from xml.etree import ElementTree

import pytest
from support import needed

import costcalc
from costcalc.analysis.closed_form.derive import derive, walked
from costcalc.analysis.closed_form.mathml import MathMLPrinter
from costcalc.analysis.closed_form.slider_conditions import Condition, conditions
from costcalc.cli.app import run
from costcalc.dims import size_symbol
from costcalc.dims.substitute import substitute
from costcalc.errors import CostcalcError, ShapeError
from costcalc.report.page.default_axes import default_axes
from costcalc.report.page.javascript import code
from costcalc.report.page.page import sweep_page
from costcalc.report.page.page_template import HERE

needed.module("matplotlib", "report")
needed.module("jinja2", "report")

PLAIN = """
name: plain
title: One layer
source: s
input: [3, 8, 8]
layers: [conv: {channels: 4, kernel: 3}]
"""
PARTLY = """
name: unclear
title: Padding that a pool may not have
source: s
knobs: {r: 16, p: 1, n: 2, swap: {default: false, kind: flag}}
input: [3, r, r]
layers:
  - conv: {channels: 4, kernel: 3}
  - max_pool: {kernel: 4, stride: 1, padding: p}
  - conv: {channels: 4, kernel: 3, when: n > 1}
"""


def page_of(text, folder):
    (folder / "spec.yaml").write_text(text)
    return sweep_page(costcalc.load(str(folder / "spec.yaml")))


def test_a_page_says_what_is_probably_not_meant(tmp_path):
    plain = PLAIN.replace("8, 8", "s, s").replace("input:", "knobs: {s: 32}\ninput:")
    page = page_of(plain.replace("[conv:", "[linear: 8, conv:"), tmp_path)
    assert len(page.warnings) == 1
    assert page.html().count("warning: layer &#39;linear&#39; (linear) runs along") == 1
    assert "warning:" not in page_of(plain, tmp_path).html()


def test_what_a_page_has(tmp_path, capsys):
    path = tmp_path / "page.html"
    assert (
        run(["sweep", "mobilenet_v1", "--report", str(path), "w=0.5,1", "r=128:224:32", "--presets", "100_224,050_160"])
        == 0
    )
    assert capsys.readouterr() == ("", "")
    html = path.read_text(encoding="utf-8")
    heads = [
        "Summary",
        "Move the knobs",
        "Presets",
        "Two knobs at a time",
        "What no other point beats",
        "One knob at a time",
        "The formulas",
    ]
    assert [part.partition("</h2>")[0] for part in html.split("<h2>")[1:]] == heads
    assert "The grid has 8 points: w from 0.5 to 1 in 2 values, r from 128 to 224 in 4 values." in html
    assert f"{costcalc.load('mobilenet_v1', r=160, w=0.5).cost().macs:,}" in html
    assert "mobilenet_v1_025_224" not in html.partition("<h2>Presets</h2>")[2].partition("<h2>The formulas")[0]
    assert len(html) < 1_000_000


def test_a_page_is_the_same_whenever_it_is_made():
    first, second = (sweep_page(costcalc.load("lenet5"), {"r": (28, 32), "c1": (6, 8)}).html() for _ in range(2))
    assert first == second


def test_what_does_not_apply_is_left_out(tmp_path):
    page = page_of(PLAIN, tmp_path)
    assert page.found.grid.axes == {"batch": (1, 2)}
    html = page.html()
    assert "<h2>Presets</h2>" not in html
    assert "<h2>Two knobs at a time</h2>" not in html
    assert "·w²" not in html
    assert "slider-0" in html
    assert "slider-1" not in html


def test_a_knob_that_is_no_symbol_has_no_slider(tmp_path):
    page = page_of(PARTLY, tmp_path)
    assert page.closed.knobs == ("r", "p", "batch")
    assert "Without a slider, as they are set: n = 2, swap = false." in page.html()


def test_a_network_without_closed_form_says_so(monkeypatch):
    from costcalc.report.page import sliders

    def late(*args, **kwargs):
        raise CostcalcError("the closed form is too large")

    monkeypatch.setattr(sliders, "walked", late)
    html = sweep_page(costcalc.load("lenet5"), {"r": (28, 32), "c1": (6, 8)}).html()
    assert "There is no closed form here: the closed form is too large" in html
    assert "<script" not in html
    assert "script-src" not in html


@pytest.mark.parametrize(
    "target", ["efficientnet", "mobilenet_v1", "mobilenet_v2", "resnet50", "vgg", "lenet5", "googlenet", "conv_normal"]
)
def test_the_grid_of_a_page_goes_over_the_presets(target):
    net = costcalc.load(target)
    sizes = [name for name, knob in net.knobs.items() if knob.is_size]
    axes = default_axes(net, sizes, {"w": 32} if target == "mobilenet_v1" else {})
    assert 1 <= len(axes) <= 3
    assert all(2 <= len(values) <= 26 for values in axes.values())
    for name, values in axes.items():
        seen = [preset.settings[name] for preset in net.presets.values() if name in preset.settings]
        assert all(min(values) <= value <= max(values) for value in [net.values[name], *seen])
        assert [net.knobs[name].check(value) for value in values] == list(values)


# ---- what is printed of a formula


def random_formula(rng, letters, depth=4):
    from sympy import Integer, Max, Min, Rational, ceiling, floor

    from costcalc.dims.symbolic import Gcd, RoundTo

    def part():
        return random_formula(rng, letters, depth - 1)

    if not depth or rng.random() < 0.1:
        return rng.choice([*letters, Integer(rng.randint(-9, 9)), Rational(rng.randint(1, 9), rng.randint(1, 9))])
    return rng.choice([
        lambda: part() + part(), lambda: part() * part(), lambda: part() - part(), lambda: part() ** rng.randint(1, 3),
        lambda: floor(part()), lambda: ceiling(part()), lambda: Max(part(), part()), lambda: Min(part(), part()),
        lambda: RoundTo(part() ** 2, Integer(rng.choice([1, 4, 8]))), lambda: part() / rng.choice(letters),
        lambda: Gcd(floor(letters[0]), floor(letters[1])),
    ])()  # fmt: skip


def test_javascript_computes_what_the_formula_says(driver):
    from sympy import Integer

    from costcalc.dims.symbolic import RoundTo

    rng = random.Random(5)
    letters = [size_symbol("a"), size_symbol("b"), size_symbol("w", real=True)]
    edges = [RoundTo(letters[0], Integer(m)) for m in (8, 9)]  # 12 is halfway between 8 and 16; 9 is nine tenths of 10
    formulas = [*(random_formula(rng, letters) for _ in range(200)), *edges]
    points = [
        (rng.randint(1, 10**6), rng.randint(1, 40), Fraction(rng.randint(1, 4000), rng.choice([1, 7, 100])))
        for _ in range(5)
    ]
    points += [(a, 1, Fraction(1)) for a in (1, 4, 10, 12, 20)]
    script = (HERE / "sliders.js").read_text(encoding="utf-8").partition("/*code*/")[0]
    given = (
        "["
        + ", ".join(
            "[" + ", ".join(f"q({v.numerator}n, {v.denominator}n)" for v in map(Fraction, p)) + "]" for p in points
        )
        + "]"
    )
    text = f"{script}{code(formulas, [], letters)}return {given}.map((k) => totals(k).map((x) => x.join('/')));"
    found = driver.execute_script(text)
    for point, values in zip(points, found, strict=True):
        known = dict(zip("abw", point, strict=True))
        assert [Fraction(value) for value in values] == [substitute(formula, known) for formula in formulas]


def test_no_javascript_for_what_is_not_known():
    from sympy import Symbol, sin, sqrt

    for unknown in (sin(Symbol("x")), sqrt(Symbol("x"))):
        with pytest.raises(CostcalcError, match="no JavaScript for"):
            code([unknown], [], [])


def test_no_name_gets_into_the_code():
    from sympy import Symbol

    letter = Symbol("alert(1)", positive=True, integer=True)
    text = code([letter**2], [Condition((("least", (letter - 1,)),), "{} no", (letter,))], [letter])
    assert "alert" not in text
    assert "pow(k[0], 2n)" in text


@pytest.mark.parametrize("target", ["efficientnet", "vgg", "conv_normal", "mobilenet_v2", "lenet5"])
@pytest.mark.parametrize("metric", ["macs", "params"])
def test_mathml_is_well_formed_and_has_all_of_the_formula(target, metric):
    formula = derive(costcalc.load(target), metric)
    math = MathMLPrinter(formula.display_names, formula.names, leading=formula.leading)
    whole = ElementTree.fromstring(f"<math>{''.join(math.pieces(formula.total))}</math>")
    plain = formula.text.replace("·", "").replace(" ", "").replace("-", "−")
    written = "".join(whole.itertext())
    digits = [sign for sign in plain.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")) if sign.isalnum()]
    names = {"ceil": "", "floor": "", "roundto": "roundto"}
    expected, found = "".join(digits), "".join(sign for sign in written if sign.isalnum())
    for name, shown in names.items():
        expected = expected.replace(name, shown)
    assert sorted(found) == sorted(expected)
    assert written.count("⌈") == formula.text.count("ceil(")
    assert written.count("+") == formula.text.count("+")


def test_mathml_letters():
    math = MathMLPrinter({"n_c_out": "n_c'"})
    assert math.symbol("n_c_out") == "<msub><mi>n′</mi><mi>c</mi></msub>"
    assert math.symbol("c7") == "<msub><mi>c</mi><mi>7</mi></msub>"
    assert math.symbol("phi") == "<mi>φ</mi>"
    assert math.symbol("<b>") == "<mi>&lt;b&gt;</mi>"


# ---- where a formula holds


@pytest.mark.no_cover
@pytest.mark.parametrize("target", ["vgg", "lenet5", "alexnet", "conv_normal", "network_in_network", "googlenet"])
def test_conditions_are_those_of_the_formula(target):
    net = costcalc.load(target)
    free = [name for name, knob in net.knobs.items() if knob.is_size]
    formula = derive(net, "macs", free=free)
    graph, rows = walked(net, free)
    claims = conditions(rows, graph.graph["assumed"])
    rng, outcomes = random.Random(target), set()
    for _ in range(60):
        point = {name: max(net.knobs[name].low, rng.randint(1, 2 * net.values[name])) for name in free}
        try:
            formula(**point)
            holds = True
        except (ShapeError, CostcalcError):
            holds = False
        assert holds == all(claim_holds(claim, point) for condition in claims for claim in condition.claims), point
        outcomes.add(holds)
    assert True in outcomes


def claim_holds(claim, point):
    kind, sizes = claim
    values = [substitute(size, point) for size in sizes]
    return {
        "least": lambda x: x >= 0, "whole": lambda x: Fraction(x).denominator == 1, "same": lambda a, b: a == b,
        "stretch": lambda a, b: a == b or 1 in (a, b),
    }[kind](*values)  # fmt: skip
