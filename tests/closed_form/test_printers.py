"""Formulas as text, LaTeX and Python: each as one writes it, and all of the same value."""

import re
import subprocess
import sys
from fractions import Fraction

import pytest
import sympy
from support.formulas import SPECS, has_floors, net_of, run
from sympy import Integer, Rational

from costcalc import load
from costcalc.analysis.closed_form.assumptions import default_assumptions, floor_free, parse_assumption
from costcalc.analysis.closed_form.derive import derive
from costcalc.analysis.closed_form.latex import LatexPrinter
from costcalc.analysis.closed_form.printers import Printer, SpecPrinter
from costcalc.analysis.closed_form.python_module import PythonPrinter
from costcalc.analysis.closed_form.ratio import ratio
from costcalc.dims import ceil, floor, floor_div, gcd, maximum, round_to, size_symbol

r, s, batch, c = (size_symbol(name) for name in ("r", "s", "batch", "c"))
w = size_symbol("w", real=True)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (Integer(0), "0"),
        (Integer(-1728), "−1,728"),
        (9408 * batch * ceil(r / Integer(2)) ** 2, "9,408·batch·ceil(r/2)²"),
        (r - s + 1, "r − s + 1"),
        (s - r - 1, "s − r − 1"),
        (-r - s, "−r − s"),
        (floor_div(r - 7, 4) + 1, "floor((r + 1)/4) − 1"),
        (Rational(3, 4) * w, "3·w/4"),
        (w / 4 + Rational(1, 2), "w/4 + 1/2"),
        (1 / c + r**-2, "1/c + 1/r²"),
        (r / (c * s), "r/(c·s)"),
        (r / (2 * c), "r/(2·c)"),
        ((r + 1) ** 12, "(r + 1)¹²"),
        (batch * r * (s + 1) / (c + r), "batch·r·(s + 1)/(c + r)"),
        (round_to(32 * w, 8), "round_to(32*w, 8)"),
        (round_to(1280 * w**2, 8), "round_to(1280*w**2, 8)"),
        (maximum(1280, round_to(5 * w, 8)), "max(1280, round_to(5*w, 8))"),
        (gcd(r, 6) * c, "c·gcd(r, 6)"),
        (sympy.Mul(4, r + 1, evaluate=False), "4·(r + 1)"),
    ],
)
def test_text(expression, text):
    assert Printer().write(sympy.sympify(expression)) == text


def test_names_stand_for_expressions_and_letters_for_knobs():
    c7 = round_to(192 * w, 8)
    assert Printer({"c": "n_c'"}, {c7: "c7"}).write(c7**2 * c * 3) == "3·c7²·n_c'"


def test_image_sizes_come_first_where_they_are_known():
    assert Printer(leading=["r"]).write(5 * c + r - 2) == "r + 5·c − 2"
    assert Printer(simple_first=True).write(r**2 * s + c) == "c + r²·s"


def test_a_formula_in_a_spec_reads_back():
    from costcalc.errors import Place
    from costcalc.expressions import parse

    for expression in (round_to(32 * w, 8) * 3, ceil(4 * w) - 1, w**2 / 4 + Rational(1, 2), maximum(r, 2 * s)):
        text = SpecPrinter().write(expression)
        assert parse(text, Place("", 1, 1)).value({"w": w, "r": r, "s": s}) == expression


# ---- LaTeX


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("r", "r"), ("c_in", r"c_{\mathrm{in}}"), ("n4", "n_{4}"), ("n_c", "n_{c}"), ("n_c'", "n_{c}'"),
        ("alpha", r"\alpha"), ("classes", r"\mathrm{classes}"), ("a_b_c", r"a_{\mathrm{b\_c}}"),
        ("x$y", r"\mathrm{x\$y}"), ("c12", "c_{12}"),
    ],
)  # fmt: skip
def test_latex_letters(name, latex):
    assert LatexPrinter().symbol(name) == latex


@pytest.mark.parametrize(
    ("expression", "latex"),
    [
        (1728 * ceil(r / Integer(32)) ** 2, r"1{,}728 \cdot \left\lceil \frac{r}{32} \right\rceil^{2}"),
        (floor_div(r + 1, 4), r"\left\lfloor \frac{r + 1}{4} \right\rfloor"),
        (round_to(3 * w, 8), r"\operatorname{round\_to}\left(3 \cdot w,\, 8\right)"),
        (gcd(r, 6), r"\gcd\left(r,\, 6\right)"),
        (1 / (c * r**2), r"\frac{1}{r^{2} \cdot c}"),
        ((r - s) ** 2, r"\left(r - s\right)^{2}"),
    ],
)
def test_latex(expression, latex):
    assert LatexPrinter().write(expression) == latex


KNOWN = {
    "begin", "end", "mathrm", "cdot", "frac", "left", "right", "lceil", "rceil", "lfloor", "rfloor", "quad", "text",
    "operatorname", "max", "min", "gcd", "alpha",
}  # fmt: skip


def assert_valid_latex(text):
    assert set(re.findall(r"\\([A-Za-z]+)", text)) <= KNOWN
    assert text.isascii()
    bare = re.sub(r"\\[\\_{},$]", "", text)
    depth = 0
    for sign in bare:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0
    for line in text.split(r"\\"):
        assert line.count(r"\left") == line.count(r"\right")
    assert not re.search(r"\^\{\d+\}\^|__|'\^\{\d+\}'", bare)
    assert text.startswith("\\begin{align*}\n")
    assert text.endswith("\n\\end{align*}")


@pytest.mark.no_cover
@pytest.mark.parametrize("metric", ["macs", "params", "elementwise"])
@pytest.mark.parametrize("name", SPECS)
def test_the_latex_of_every_network_is_valid(name, metric):
    formula = derive(net_of(name), metric)
    assert_valid_latex(formula.latex)
    assert_valid_latex(floor_free(formula).latex)


def test_the_latex_of_a_ratio_is_valid():
    text = ratio(net_of("conv_depthwise_separable"), net_of("conv_normal")).latex
    assert_valid_latex(text)
    left = r"\frac{\text{conv\_depthwise\_separable}}{\text{conv\_normal}}"
    assert rf"{left} &= \frac{{1}}{{n_{{c}}'}} + \frac{{1}}{{f^{{2}}}}" in text


# ---- Python


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (floor_div(r + 1, 4) ** 2, "floor(r + 1, 4)**2"),
        (ceil(4 * w), "ceil(4*w)"),
        (w / 3, "Fraction(w, 3)"),
        (c / s + 1, "Fraction(c, s) + 1"),
        (1728 * batch, "1728*batch"),
        (floor(w * 7 + Rational(1, 3)), "floor(21*w + 1, 3)"),
    ],
)
def test_python(expression, text):
    assert PythonPrinter().write(expression) == text


@pytest.mark.no_cover
@pytest.mark.parametrize("name", SPECS)
def test_the_python_of_every_network_runs_and_is_exact(name, tmp_path):
    net = net_of(name)
    moves = [{}, {"batch": 7}, {"r": 96}, {"r": 131}, {"w": 0.5}, {"w": 0.75, "d": 1.7}, {"n": 11}, {"classes": 3}]
    for metric in ("macs", "params", "elementwise", "activations"):
        function = run(derive(net, metric).python, metric, tmp_path)
        arguments = function.__code__.co_varnames[: function.__code__.co_argcount]
        assert function() == net.cost().total(metric)
        for move in moves:
            mine = {k: v for k, v in move.items() if k in net.knobs}
            if mine == move and not (name == "lenet5_1998" and "r" in move):
                found = function(**{k: v for k, v in mine.items() if k in arguments})
                assert found == net.with_knobs(**mine).cost().total(metric)
                assert isinstance(found, int)


@pytest.mark.parametrize("name", SPECS)
def test_the_python_without_floors_runs_and_is_exact(name, tmp_path):
    net = net_of(name)
    formula = derive(net, "elementwise")
    assumptions = default_assumptions(formula)
    if not assumptions:
        assert not has_floors(formula)
        return
    free = floor_free(formula, [assumptions[0]._replace(symbol="")])
    function = run(free.python, "elementwise", tmp_path)
    at = 7 * assumptions[0].modulus if name != "lenet5_1998" else 32
    assert function(r=at) == net.with_knobs(r=at).cost().total("elementwise")


def test_the_python_of_efficientnet_gives_all_presets_from_floats(tmp_path):
    macs = run(derive(net_of("efficientnet"), "macs").python, "macs", tmp_path)
    for i in range(8):
        preset = load(f"efficientnet_b{i}")
        d, w = float(preset.values["d"]), float(preset.values["w"])
        assert macs(preset.values["r"], d, w) == preset.cost().macs


def test_the_python_under_an_assumption_checks_it(tmp_path):
    formula = derive(net_of("alexnet"))
    in_k = run(floor_free(formula).python, "macs", tmp_path)
    assert in_k(7) == load("alexnet@r=224").cost().macs
    in_r = run(floor_free(formula, [parse_assumption("r%32==0", formula)]).python, "macs", tmp_path)
    assert in_r(224) == in_k(7)
    with pytest.raises(ValueError, match="r must be a multiple of 32"):
        in_r(227)


def test_the_python_of_a_ratio_runs(tmp_path):
    function = run(ratio(net_of("inception_bottleneck"), net_of("inception_naive")).python, "ratio", tmp_path)
    assert function() == Fraction(31, 300)
    assert function(b=Fraction(4800, 31)) == 1


def test_knobs_named_like_helpers_do_not_get_in_the_way(tmp_path):
    path = tmp_path / "odd.yaml"
    knobs = "total: 4, Fraction: 3, macs: 2, gcd: 5, str: {default: 1, kind: real}, int: 32, I: 3, E: 2"
    channels = "2*total*Fraction + gcd*round_to(9*str, 8) + I*E"
    path.write_text(f"name: odd\ntitle: t\nsource: s\nknobs: {{{knobs}}}\ninput: [macs, int, int]\n"
                    f"layers:\n  - conv: {{channels: '{channels}', kernel: 3, stride: 2}}\n")  # fmt: skip
    net = load(str(path))
    function = run(derive(net).python, "macs", tmp_path)
    assert function() == net.cost().macs
    assert function(total_=7) == net.with_knobs(total=7).cost().macs


def test_the_text_does_not_depend_on_the_hash_seed():
    code = (
        "from costcalc import load; from costcalc.analysis.closed_form.derive import derive\n"
        "from costcalc.analysis.closed_form.assumptions import floor_free\n"
        "for n in ('efficientnet', 'mobilenet_v2', 'lenet5', 'googlenet'):\n"
        "    f = derive(load(n)); print([f.table().texts(x) for x in f.table().rows], f.total, f.text)\n"
        "    g = floor_free(f); print([g.table().texts(x) for x in g.table().rows], g.text, f.python, f.latex)\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }  # fmt: skip
    assert len(outputs) == 1
    assert len(outputs.pop()) > 5000
