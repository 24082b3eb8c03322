"""The ratio of two nets as algebra: what the lecture writes on the board, and what it is worth."""

import subprocess
import sys
from fractions import Fraction

import pytest
from support.formulas import net_of

import costcalc
from costcalc import load
from costcalc.analysis.closed_form.ratio import MAX_LINE_LENGTH, ratio
from costcalc.dims.substitute import substitute
from costcalc.errors import CostcalcError, UnknownName


def test_the_separable_convolution():
    found = ratio(net_of("conv_depthwise_separable"), net_of("conv_normal"))
    assert found.text == "1/n_c' + 1/f²"
    assert found.value == Fraction(672, 2160)
    assert found.fits_on_a_line
    assert found.lines() == [
        "MACs of conv_depthwise_separable / conv_normal = 1/n_c' + 1/f²",
        "= 14/45 = 0.3111 (÷3.21) at f = 3, n_c' = 5",
        "fewer MACs while n_c' > f²/(f² − 1) = 1.125 (9/8); n_c' is 5",
        "holds where a window of f fits into n",
    ]


def test_the_bottleneck_and_its_break_even():
    found = ratio(net_of("inception_bottleneck"), net_of("inception_naive"))
    assert found.text == "b/c_in + b/(k²·c_out)"
    assert found.value == Fraction(12_443_648, 120_422_400)
    (even,) = found.break_evens
    assert (even.knob, even.sign, even.value, even.current) == ("b", "<", Fraction(4800, 31), 16)
    assert found.printer.write(even.expression) == "k²·c_in·c_out/(c_in + k²·c_out)"
    assert "fewer MACs while b < k²·c_in·c_out/(c_in + k²·c_out) = 154.839 (4,800/31); b is 16" in found.lines()


def test_at_the_break_even_the_two_change_places():
    naive = net_of("inception_naive").cost().macs
    assert load("inception_bottleneck@b=154").cost().macs < naive < load("inception_bottleneck@b=155").cost().macs


@pytest.mark.parametrize(
    "pair",
    [("conv_depthwise_separable", "conv_normal"), ("inception_bottleneck", "inception_naive"),
     ("conv1x1", "inception_naive"), ("resnet18", "resnet50"), ("efficientnet", "mobilenet_v2"), ("lenet5", "lenet5")],
)  # fmt: skip
@pytest.mark.parametrize("metric", ["macs", "params", "activations"])
def test_a_ratio_filled_in_is_the_ratio_of_the_counts(pair, metric):
    first, second = map(net_of, pair)
    found = ratio(first, second, metric)
    assert found.value == Fraction(first.cost().total(metric), second.cost().total(metric))
    for move in ({"batch": 3}, {"r": 64}, {"classes": 7}, {"n": 9, "f": 5}, {"w": Fraction(3, 2), "d": 2}):
        here = [
            net.with_knobs(**{k: v for k, v in move.items() if k in net.knobs and k not in net.settings})
            for net in (first, second)
        ]
        at = {**found.knobs, **{k: v for k, v in move.items() if k in found.knobs}}
        assert substitute(found.expression, at) == Fraction(here[0].cost().total(metric), here[1].cost().total(metric))


def test_break_evens_are_where_the_ratio_is_one():
    for pair in (("conv_depthwise_separable", "conv_normal"), ("inception_bottleneck", "inception_naive")):
        found = ratio(*map(net_of, pair))
        for even in found.break_evens:
            assert substitute(found.expression, {**found.knobs, even.knob: even.value}) == 1
            side = even.value / 2 if even.sign == "<" else even.value * 2
            assert substitute(found.expression, {**found.knobs, even.knob: side}) < 1


def test_equal_nets_have_the_ratio_1_and_no_break_even():
    found = ratio(net_of("residual_block"), net_of("residual_block"))
    assert (found.text, found.value, found.break_evens) == ("1", 1, ())


def test_what_never_breaks_even_has_no_break_even():
    assert ratio(net_of("conv1x1"), net_of("inception_naive")).break_evens == ()


def test_whole_networks_are_algebra_too_but_fit_on_no_line():
    found = ratio(net_of("resnet18"), net_of("resnet50"))
    assert len(found.text) > MAX_LINE_LENGTH
    assert not found.fits_on_a_line


def test_the_two_are_called_by_names_that_tell_them_apart():
    assert "of resnet18 / resnet50 = " in ratio(net_of("resnet18"), net_of("resnet50")).lines()[0]
    assert "of conv1x1 / conv_normal = " in ratio(load("conv1x1@r=3"), load("conv_normal@n=5,f=3")).lines()[0]
    assert "of conv1x1@r=3 / conv1x1 = " in ratio(load("conv1x1@r=3"), net_of("conv1x1")).lines()[0]


def test_a_knob_that_is_set_is_a_number():
    found = ratio(load("inception_bottleneck@b=16,k=5"), load("inception_naive@k=5"))
    assert found.text == "16/c_in + 16/(25·c_out)"


def test_a_knob_of_two_kinds_is_one_letter(tmp_path):
    for kind in ("integer", "real"):
        (tmp_path / f"{kind}.yaml").write_text(
            f"name: {kind}\ntitle: t\nsource: s\nknobs: {{r: 8, w: {{default: 2, kind: {kind}}}}}\ninput: [1, r, r]\n"
            "layers:\n  - conv: {channels: 4*w, kernel: 1}\n"
        )
    found = ratio(load(str(tmp_path / "integer.yaml")), load(str(tmp_path / "real.yaml")))
    assert found.text == "1"


def test_nothing_cannot_be_divided_by():
    with pytest.raises(CostcalcError, match="conv_normal has no norm to compare with"):
        ratio(net_of("residual_block"), net_of("conv_normal"), "norm")


def test_an_unknown_metric_is_named():
    with pytest.raises(UnknownName, match="unknown metric 'mac'; did you mean 'macs'"):
        ratio(net_of("conv1x1"), net_of("inception_naive"), "mac")


def test_compare_shows_it_and_numeric_compare_needs_no_sympy():
    code = "import sys; from costcalc.cli import run; run({!r}.split()); sys.exit('sympy' in sys.modules)"
    algebra = "compare inception_naive inception_bottleneck"
    done = subprocess.run([sys.executable, "-c", code.format(algebra)], capture_output=True, text=True)
    assert done.returncode == 1
    assert "b/c_in + b/(k²·c_out)" in done.stdout
    for numeric in ("compare resnet50 mobilenet_v2", "show resnet50", "list"):
        assert subprocess.run([sys.executable, "-c", code.format(numeric)], capture_output=True).returncode == 0


def test_a_ratio_holds_where_both_formulas_do():
    """LeNet-5 as taught from 16 pixels on, that of 1998 from 32 to 35."""
    said = costcalc.ratio("lenet5", "lenet5_1998").limits()
    assert [line for line in said if line.startswith("holds for")] == ["holds for 32 ≤ r ≤ 35"]
    assert [line.partition(":")[0] for line in said[1:]] == ["below r = 32", "above r = 35"]
