"""Sums put in order: the value stays, what is common comes to the front."""

import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Add, Integer, Mul, Pow, Rational

from costcalc import load
from costcalc.analysis.closed_form.derive import derive
from costcalc.analysis.closed_form.printers import Printer
from costcalc.analysis.closed_form.terms import common_factor, factored, grouping_keys, merge_terms, multiply_out
from costcalc.dims import ceil, ceil_div, floor_div, output_size, round_to, size_symbol
from costcalc.dims.substitute import substitute

a, b, r = (size_symbol(name) for name in ("a", "b", "r"))
BASES = [a, b, r, ceil_div(r, 4), a - 1, 2 * b + 4, r - a]
factors = st.tuples(st.sampled_from(BASES), st.sampled_from([-2, -1, 1, 2]))
coefficients = st.builds(Rational, st.integers(-12, 12), st.integers(1, 4))
terms = st.builds(
    lambda n, powers: Mul(n, *(Pow(base, m) for base, m in powers)), coefficients, st.lists(factors, max_size=3)
)
POINT = {a: Integer(7), b: Integer(3), r: Integer(1009)}
KEYS = grouping_keys(frozenset([r]))


@settings(max_examples=300, deadline=None)
@given(st.lists(terms, min_size=1, max_size=6), st.booleans())
def test_order_does_not_change_the_value(sums, numbers):
    value = Add(*sums).xreplace(POINT)
    total = merge_terms(sums)
    assert factored(total, KEYS, numbers=numbers).xreplace(POINT) == value
    assert factored(total).xreplace(POINT) == value
    assert factored(multiply_out(total, r), KEYS).xreplace(POINT) == value
    assert 0 not in total.values()


def written(expression, *letters):
    return Printer(leading=["r"]).write(factored(merge_terms([expression]), grouping_keys(frozenset(letters))))


def test_what_is_common_comes_to_the_front():
    assert written(6 * a * r**2 + 4 * a * b * r) == "2·a·r·(3·r + 2·b)"
    assert written(a / b + a**2 / b) == "a·(a + 1)/b"
    assert written(a / b + a) == "a·(b + 1)/b"


def test_a_sum_of_negative_terms_is_a_negative_sum():
    assert written(-2 * a - 4 * b) == "−2·(a + 2·b)"
    assert written(r * (-2 * a - 4 * b)) == "−2·r·(a + 2·b)"


def test_terms_of_an_image_size_stand_together():
    half, quarter = ceil_div(r, 2), ceil_div(r, 4)
    total = a * half**2 + b * half**2 + 5 * a * quarter**2
    assert written(total, r) == "ceil(r/2)²·(a + b) + 5·a·ceil(r/4)²"


def test_powers_below_the_line_are_common_too():
    (first, second) = merge_terms([1 / a + 1 / (a * b)])
    assert dict(common_factor([first, second])) == {a: -1, b: -1}


def test_like_terms_meet_and_vanish():
    assert merge_terms([a + b, -a, 2 * b]) == {frozenset([(b, 1)]): 3}
    assert factored(merge_terms([a, -a])) == 0


def test_a_number_times_a_sum_is_a_sum():
    assert merge_terms([Mul(4, a - 1, evaluate=False)]) == merge_terms([4 * a - 4])


def test_opened_is_a_polynomial():
    total = multiply_out(merge_terms([a * (r - 1) ** 2 * (b + 1)]), r)
    polynomial = sympy.Poly(factored(total), r)
    assert polynomial.coeffs() == [a * b + a, -2 * a * b - 2 * a, a * b + a]


def test_letters_from_zero_are_said_to_begin_at_one(tmp_path):
    """A letter is positive, so a knob that may be 0 has a formula for 1 and more."""
    path = tmp_path / "zero.yaml"
    path.write_text(
        "name: zero\ntitle: t\nsource: s\nknobs: {n: {default: 2, min: 0}}\ninput: [1, 8, 8]\n"
        "layers:\n  - repeat: {name: more, times: n, layers: [conv: {channels: 1, kernel: 1}]}\n"
    )
    assert str(derive(load(str(path))).domain) == "n ≥ 1"


# ---- what formulas ask of letters


def test_windows_with_letters_for_strides_collapse_and_are_right():
    s, k, p = (size_symbol(name) for name in ("s", "k", "p"))
    for padding in (p, "same"):
        x = r
        for _ in range(3):
            x = output_size(x, k, s, padding)
        assert len(x.atoms(sympy.floor, sympy.ceiling)) == 1
        for values in ((100, 1, 1, 1), (224, 2, 3, 1), (97, 3, 5, 2), (50, 5, 2, 3), (333, 4, 7, 1)):
            at = dict(zip("rskp", values, strict=True))
            n = at["r"]
            for _ in range(3):
                n = output_size(n, at["k"], at["s"], padding if padding == "same" else at["p"])
            assert substitute(x, at) == n, at


def test_a_rounding_up_over_a_letter_collapses_and_is_right():
    s = size_symbol("s")
    for inner in (ceil_div(r, 4), ceil_div(r, 4) + 3, floor_div(r, 4) + 1, ceil(r / s) - 1):
        outer = floor_div(inner, s)
        assert len(outer.atoms(sympy.floor, sympy.ceiling)) == 1
        for m in range(1, 40):
            for n in (1, 2, 3, 5):
                assert substitute(outer, {"r": m, "s": n}) == substitute(inner, {"r": m, "s": n}) // n


def test_a_multiple_needs_no_rounding():
    w = size_symbol("w", real=True)
    assert round_to(32 * r, 8) == 32 * r
    assert round_to(round_to(w, 16), 8) == round_to(w, 16)
    assert isinstance(round_to(12 * r, 8), sympy.Function)
    assert isinstance(round_to(w, 1), sympy.Function)
