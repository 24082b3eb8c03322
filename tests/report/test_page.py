"""What a page has, and what it leaves out; what it prints as JavaScript and as MathML says what the formula says."""

import random
import re
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
from costcalc.report.page.javascript import function, predicates
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


def net_of(text, folder):
    (folder / "spec.yaml").write_text(text)
    return costcalc.load(str(folder / "spec.yaml"))


def heads(html):
    """The headings of the sections of a page."""
    return re.findall(r"<h2[^>]*>(.*?)</h2>", html)


def test_a_page_says_what_is_probably_not_meant(tmp_path):
    plain = PLAIN.replace("8, 8", "s, s").replace("input:", "knobs: {s: 32}\ninput:")
    page = sweep_page(net_of(plain.replace("[conv:", "[linear: 8, conv:"), tmp_path))
    assert len(page.warnings) == 1
    assert page.html().count("warning: layer &#39;linear&#39; (linear) runs along") == 1
    assert "warning:" not in costcalc.page(net_of(plain, tmp_path)).html()


def test_what_a_page_of_a_sweep_has(tmp_path, capsys):
    path = tmp_path / "page.html"
    given = ["sweep", "mobilenet_v1", "w=0.5,1", "r=128:224:32", "--presets", "100_224,050_160"]
    assert run([*given, "--report", str(path)]) == 0
    assert capsys.readouterr() == ("", "")
    html = path.read_text(encoding="utf-8")
    assert heads(html) == [
        "What it costs", "Move the knobs", "The network", "Where the MACs are", "One knob at a time",
        "Two knobs at a time", "The formulas", "Published figures", "Layer by layer", "Presets",
        "What no other point beats",
    ]  # fmt: skip
    assert "The grid has 8 points: w from 0.5 to 1 in 2 values, r from 128 to 224 in 4 values." in html
    assert f"{costcalc.load('mobilenet_v1', r=160, w=0.5).cost().macs:,}" in html
    assert "mobilenet_v1_025_224" not in html.partition(">Presets</h2>")[2].partition("<footer>")[0]
    assert len(html) < 1_000_000


def test_a_page_is_the_same_whenever_it_is_made():
    first, second = (sweep_page(costcalc.load("lenet5"), {"r": (28, 32), "c1": (6, 8)}).html() for _ in range(2))
    assert first == second
    pair = ("inception_naive", "inception_bottleneck")
    assert costcalc.page(*pair).html() == costcalc.page(*pair).html()


def test_what_does_not_apply_is_left_out(tmp_path):
    page = sweep_page(net_of(PLAIN, tmp_path))
    assert page.swept.found.grid.axes == {"batch": (1, 2)}
    html = page.html()
    assert not {"Presets", "Two knobs at a time", "Published figures"} & {*heads(html)}
    assert "·w²" not in html
    assert "slider-0" in html
    assert "slider-1" not in html


def test_a_knob_that_is_no_symbol_has_no_slider(tmp_path):
    page = costcalc.page(net_of(PARTLY, tmp_path))
    assert page.views[0].closed.knobs == ("r", "p", "batch")
    assert "Without a slider, as they are set: n = 2, swap = false." in page.html()


def test_a_network_without_closed_form_says_so(monkeypatch):
    from costcalc.report.page import closed_forms

    def late(*args, **kwargs):
        raise CostcalcError("the closed form is too large")

    monkeypatch.setattr(closed_forms, "walked", late)
    html = sweep_page(costcalc.load("lenet5"), {"r": (28, 32), "c1": (6, 8)}).html()
    assert "There is no closed form here: the closed form is too large" in html
    assert 'id="data"' not in html and 'type="range"' not in html


def test_without_javascript_everything_but_the_sliders_is_there():
    html = sweep_page(costcalc.load("efficientnet")).html()
    assert '<div id="sliders" hidden>' in html
    assert "385,814,752" in html and "37,745,884,192" in html
    assert html.count('class="plot"') == 6 and html.count('<svg id="curve-') == 3
    assert html.count('<div class="drawing"') == 3 and html.count('type="radio"') == 3
    assert "<mi>c</mi><mi>7</mi>" in html


# ---- one network or several


def test_the_page_of_the_inception_pair_says_what_the_lecture_does():
    html = costcalc.page("inception_naive", "inception_bottleneck").html()
    top = html[: html.index(">The networks</h2>")]
    for said in ("120,422,400", "12,443,648", "2,408,448 + 10,035,200", "÷9.68", "154.839 (4,800/31)"):
        assert f">{said}<" in top
    assert '<span id="even-now-0">16</span>' in top
    assert "Where the difference is made" in heads(html)
    stays = html[html.index(">Where the difference is made</h2>") : html.index(">The formulas</h2>")]
    assert "as they are set: b = 16, r = 28, c_in = 192, c_out = 32, k = 5, batch = 1." in stays
    assert "at c_in = 192, c_out = 32, k = 5, b = 16, as they are set</p>" in stays
    assert "<caption>where the MACs are, as the networks are set</caption>" in stays


def test_a_page_of_a_network_without_knobs_has_no_sliders(tmp_path):
    graph = costcalc.load("lenet5").graph()
    html = costcalc.page(graph).html()
    assert "No sliders: a slider needs a model with knobs; got a layer graph" in html
    assert 'id="data"' not in html and 'type="range"' not in html and f"{costcalc.load('lenet5').macs:,}" in html
    both = costcalc.page(graph, "lenet5").html()
    assert "No sliders: a slider needs" in both and 'id="slider-0"' in both


def test_a_network_with_letters_has_its_formulas_for_numbers():
    html = costcalc.page(costcalc.load("residual_block", r=size_symbol("n"))).html()
    assert "No sliders: a slider needs numeric sizes; knob &#39;r&#39; of residual_block@r=n is not numeric" in html
    assert '<td id="total-0-0" class="formula">73,728·n²</td>' in html
    assert '<td></td><td id="part-0-0" class="formula">36,864·n²</td>' in html  # a formula has no bar
    assert '<td class="right">36,864·n²</td>' in html and "n**2" not in html  # in the table of layers
    assert 'id="data"' not in html and 'type="range"' not in html


def test_networks_without_a_common_knob_have_sliders_of_their_own(tmp_path):
    one = net_of(PLAIN.replace("8, 8", "s, s").replace("input:", "knobs: {s: 32, batch: 2}\ninput:"), tmp_path)
    page = costcalc.page(one, "lenet5")
    owners = {slider.name: slider.owners for slider in page.sliders}
    assert owners["s"] == (0,) and owners["r"] == (1,)
    assert [slider.whose for slider in page.sliders if slider.name == "batch"] == [one.label, "lenet5"]
    assert "share one" in page.html()


def test_networks_share_the_sliders_of_knobs_with_one_value():
    page = costcalc.page("resnet50", "mobilenet_v2", "efficientnet_b3")
    assert [slider.owners for slider in page.sliders if slider.name == "r"] == [(0, 1), (2,)]
    assert [slider.owners for slider in page.sliders if slider.name == "classes"] == [(0, 1, 2)]
    assert len(page.html()) < 1_000_000


def test_metrics_of_training_are_on_a_page():
    page = costcalc.page("resnet18", train=True)
    html, cost = page.html(), costcalc.load("resnet18").cost()
    for metric in page.metrics:
        assert f"{cost.total(metric):,}" in html
    assert "Where the train MACs are" in heads(html)
    assert "train peak bytes has no closed form: which layer it is depends on the knobs" in html
    assert "training: sgd" in html


def test_a_metric_without_a_closed_form_leaves_the_drawing_as_it_is_set():
    html = costcalc.page("lenet5", by="peak_bytes").html()
    assert "stay as the network is set: peak bytes has no closed form" in html


def chain(count, folder):
    """A network of so many layers in a row."""
    layers = "".join(f"\n  - conv: {{name: c{i}, channels: {i + 2}*w, kernel: 1}}" for i in range(count))
    return net_of(f"name: long\ntitle: t\nsource: s\nknobs: {{w: 1}}\ninput: [3, 8, 8]\nlayers:{layers}\n", folder)


def test_a_long_network_has_a_page_that_says_what_it_leaves_out(tmp_path):
    html = costcalc.page(chain(400, tmp_path), metrics="macs").html()
    assert "has 400 layers, which are too many rows for a page; <code>costcalc show</code> has them" in html
    assert "of 400 blocks, which <code>costcalc formula</code> has" in html
    assert ">377 others</th>" in html


def test_a_page_that_is_too_large_says_which_part_and_how_to_fold(tmp_path, monkeypatch):
    monkeypatch.setattr("costcalc.report.page.page_document.MAX_BYTES", 150_000)
    with pytest.raises(costcalc.UsageError) as caught:
        costcalc.page("resnet50").html()
    said = r"\d{3},\d{3} bytes and at most 150,000: most of it is the drawings; fold the network with --depth 1"
    assert re.fullmatch(f"the page has {said}", str(caught.value))
    assert len(costcalc.page("lenet5", depth=1).html()) < 150_000


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("show lenet5 -o {}/a.html --style volumes", "--style: a page has drawings of blocks"),
        ("show lenet5 -o {}/a.html --columns macs", "--columns: a .html file has no table"),
        ("compare lenet5 vgg16 -o {}/a.html --columns macs", "--columns: a page of networks does not have this"),
        ("compare lenet5 vgg16 -o {}/a.html --break-even r", "--break-even: a page of networks does not have this"),
        ("info lenet5 -o {}/a.html", "which is a page of `costcalc show` and `costcalc compare`"),
        ("show lenet5 -o {}/none/a.html", "there is no folder"),
        ("show lenet5 -o {}/a.html --shade receptive_field", "receptive_field describes paths"),
        ("compare lenet5 -o {}/a.html", "compare takes two or more networks"),
    ],
)
def test_bad_input_makes_no_page(capsys, tmp_path, line, said):
    assert run(line.format(tmp_path).split()) in (2, 3)
    out, err = capsys.readouterr()
    assert (out, said in err) == ("", True), err
    assert [*tmp_path.iterdir()] == []


def test_a_page_is_written_by_commands_and_by_python(capsys, tmp_path):
    for line in ("show lenet5 -o {}/a.html --depth 1", "compare lenet5 alexnet --by params,macs -o {}/b.html"):
        assert run(line.format(tmp_path).split()) == 0
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == costcalc.page("lenet5", depth=1).html()
    costcalc.write_page(["lenet5", "alexnet"], tmp_path / "c.html")
    assert heads((tmp_path / "b.html").read_text(encoding="utf-8"))[3] == "Where the params are"
    assert heads((tmp_path / "c.html").read_text(encoding="utf-8"))[3] == "Where the MACs are"
    assert "srcdoc=" in costcalc.page("lenet5")._repr_html_()


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


@pytest.mark.parametrize("target", ["resnet", "quiz_layer", "vgg", "plain20", "efficientnet_b1", "resnet50@r=160"])
def test_a_preset_is_marked_only_on_a_map_that_has_its_network(target):
    """With the knobs that its mark names it costs what the preset does, whose label says what else is set."""
    page = costcalc.page(target)
    model = page.views[0].model
    marks = [(over.knobs, mark) for *_, over in page.maps for mark in over.marks]
    assert marks
    for knobs, x, y, one in [(knobs, x, y, one) for knobs, (x, y, names) in marks for one in names.split("; ")]:
        name, _, more = one.removesuffix(")").partition(" (")
        there = dict(part.split(" = ") for part in more.split(", ") if part)
        at = model.with_knobs(**{knob: str(v) for knob, v in zip(knobs, (x, y), strict=True)}, **there)
        assert at.macs == costcalc.load(model.at_preset(name).label).macs, one


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
    script = (HERE / "exact.js").read_text(encoding="utf-8")
    text = function(formulas, {letter: at for at, letter in enumerate(letters)})
    given = (
        "["
        + ", ".join(
            "[" + ", ".join(f"q({v.numerator}n, {v.denominator}n)" for v in map(Fraction, p)) + "]" for p in points
        )
        + "]"
    )
    found = driver.execute_script(
        f"{script}const all = {text};return {given}.map((k) => all(k).map((x) => x.join('/')));"
    )
    for point, values in zip(points, found, strict=True):
        known = dict(zip("abw", point, strict=True))
        assert [Fraction(value) for value in values] == [substitute(formula, known) for formula in formulas]


def test_numbers_are_written_as_python_writes_them(driver):
    """Short counts, bytes, shares, factors and bounds; ties and the ends of units among them."""
    from costcalc.report.page.comparison_view import bound_text
    from costcalc.table import bytes_text, cell, short_text

    rng = random.Random(9)
    counts = [10_125, 10_375, 112_500, 9_999, 999_950, 999_999, 1_000_000, 10**15, 1_023_700, 1_023_999]
    counts += [rng.randint(1, 10 ** rng.randint(1, 16)) for _ in range(150)]
    pairs = [(rng.randint(1, 10**9), rng.randint(1, 10 ** rng.randint(3, 12))) for _ in range(150)]
    pairs += [(1, 8), (1, 2), (3, 1), (10_001, 10_000), (1_000_001, 10**6), (4800, 31)]
    script = (HERE / "exact.js").read_text(encoding="utf-8")
    ones, twos = ",".join(f"{n}n" for n in counts), ",".join(f"[{a}n, {b}n]" for a, b in pairs)
    short, in_bytes, shares, factors, bounds = driver.execute_script(
        f"{script}const ones = [{ones}], twos = [{twos}].map(([a, b]) => q(...reduced(a, b)));"
        "return [ones.map(short), ones.map((n) => inBytes(q(n))), twos.map(shareText), twos.map(factorText),"
        "twos.map(boundText)];"
    )
    assert short == [*map(short_text, counts)]
    assert in_bytes == [*map(bytes_text, counts)]
    assert shares == [cell(a / b, "share") for a, b in pairs]
    assert factors == [cell(Fraction(a, b), "factor") for a, b in pairs]
    assert bounds == [bound_text(Fraction(a, b)) for a, b in pairs]


def test_no_javascript_for_what_is_not_known():
    from sympy import Symbol, sin, sqrt

    for unknown in (sin(Symbol("x")), sqrt(Symbol("x"))):
        with pytest.raises(CostcalcError, match="no JavaScript for"):
            function([unknown], {})


def test_no_name_gets_into_the_code():
    from sympy import Symbol

    letter = Symbol("alert(1)", positive=True, integer=True)
    claim = Condition((("least", (letter - 1,)),), "{} no", (letter,))
    text = function([letter**2], {letter: 0}) + predicates([claim], {letter: 0})
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


def test_a_page_of_very_many_layers_is_refused_at_once(tmp_path, capsys):
    spec = "name: deep\ntitle: t\nsource: s\ninput: [3, 8, 8]\nlayers:\n" + "  - relu\n" * 5_001
    (tmp_path / "deep.yaml").write_text(spec)
    assert run(["show", str(tmp_path / "deep.yaml"), "-o", str(tmp_path / "deep.html")]) == 2
    assert "a page shows at most 5,000 layers, and " in capsys.readouterr().err
    assert not (tmp_path / "deep.html").exists()
