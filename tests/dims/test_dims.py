"""Sizes: the same arithmetic on ints, Fractions, letters and columns, and floors that stay in one form."""

import random
import subprocess
import sys
from copy import deepcopy
from fractions import Fraction
from math import ceil as ceil_of
from math import floor as floor_of
from math import gcd as gcd_of

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from costcalc import dims
from costcalc.dims import (
    MAX_SIZE,
    FactoredInt,
    all_of,
    at_least,
    broadcast_size,
    broadcasts,
    canonical,
    ceil,
    ceil_div,
    check_size,
    divides,
    elements,
    equal,
    exact_div,
    floor,
    floor_div,
    gcd,
    is_zero,
    maximum,
    minimum,
    output_size,
    prod,
    round_to,
    same_shape,
    size_symbol,
    whole,
)
from costcalc.dims.exact_array import ExactArray
from costcalc.dims.substitute import substitute
from costcalc.errors import ShapeError

r, s, w = size_symbol("r"), size_symbol("s"), size_symbol("w", real=True)


def filled(formula, **sizes):
    """A formula with its letters filled in."""
    by_letter = {size_symbol(name, real=name == "w"): sympy.sympify(n) for name, n in sizes.items()}
    return sympy.sympify(formula).xreplace(by_letter)


# ---- windows, and floors that collapse

steps = st.lists(
    st.tuples(st.integers(1, 7), st.integers(1, 4), st.integers(0, 3), st.booleans()), min_size=1, max_size=5
)


def chain(size, layers, windows_of):
    """Windows stacked on windows, rounding down, or up as pooling with ceil_mode does."""
    for kernel, stride, padding, up in layers:
        size = windows_of(size, kernel, stride, padding, up)
    return size


def in_dims(size, kernel, stride, padding, up):
    if up:
        return ceil_div(size + 2 * padding - kernel, stride) + 1
    return output_size(size, kernel, stride, padding)


def in_plain_python(size, kernel, stride, padding, up):
    if up:
        return -((size + 2 * padding - kernel) // -stride) + 1
    return (size + 2 * padding - kernel) // stride + 1


@pytest.mark.no_cover
@settings(max_examples=150, deadline=None)
@given(steps)
def test_nested_windows_collapse_to_one_rounding_that_is_right_everywhere(layers):
    formula = chain(r, layers, in_dims)
    assert len(formula.atoms(sympy.floor, sympy.ceiling)) <= 1
    for n in range(1, 201):
        assert filled(formula, r=n) == chain(n, layers, in_plain_python)


@pytest.mark.parametrize(
    ("layers", "text"),
    [
        ([(3, 2, 1, False)] * 5, "ceiling(r/32)"),
        ([(2, 2, 0, False)] * 5, "floor(r/32)"),
        ([(7, 2, 3, False), (3, 2, 1, False)], "ceiling(r/4)"),
        ([(3, 1, 0, False), (3, 1, 0, False)], "r - 4"),
        ([(2, 2, 0, False), (2, 1, 0, False)], "floor(r/2) - 1"),
        ([(5, 1, 0, False), (2, 2, 0, False), (5, 1, 0, False), (2, 2, 0, False)], "floor(r/4) - 3"),  # LeNet
    ],
)
def test_windows_print_as_one_would_write_them(layers, text):
    assert str(chain(r, layers, in_dims)) == text


@settings(max_examples=300, deadline=None)
@given(
    st.integers(-6, 6), st.integers(-6, 6), st.integers(-20, 20), st.integers(1, 12),
    st.integers(-9, 9), st.integers(1, 9),
)  # fmt: skip
def test_floors_of_sums_of_letters_are_right(a, b, c, m, k, n):
    once = floor_div(a * r + b * s + c, m)
    twice = floor_div(k * once + a * r + b, n)
    for i, j in [(1, 1), (1, 7), (2, 3), (5, 4), (12, 7), (31, 100), (224, 97)]:
        inner = (a * i + b * j + c) // m
        assert filled(once, r=i, s=j) == inner
        assert filled(twice, r=i, s=j) == (k * inner + a * i + b) // n


def test_a_multiple_inside_a_floor_collapses_too():
    assert floor_div(2 * floor_div(r, 2), 4) == floor_div(r, 4)
    assert floor_div(6 * floor_div(r, 5) + 3, 4) == floor_div(6 * floor_div(r, 5) + 2, 4)


def test_floors_by_a_letter_stay_exact():
    formula = floor_div(r + 5, s)
    assert filled(formula, r=9, s=4) == 3
    assert floor_div(r * s, s) == r
    assert filled(floor_div(7, s), s=2) == 3


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 5), st.integers(-4, 4), st.integers(-4, 4), st.integers(1, 5), st.integers(-3, 3))
def test_strides_that_are_letters_collapse_and_stay_exact(a, c, k, m, d):
    """A stride that is a letter over one that is a number, and the other way round."""
    inner, outer = floor_div(a * r + c, m), floor_div(a * r + c, s)
    by_letter, by_number, up = floor_div(inner + k, s), floor_div(outer + d, m), floor_div(ceil_div(r, m) + k, s)
    for i, j in [(1, 1), (1, 3), (7, 2), (12, 5), (100, 7), (31, 4)]:
        assert filled(by_letter, r=i, s=j) == ((a * i + c) // m + k) // j
        assert filled(by_number, r=i, s=j) == ((a * i + c) // j + d) // m
        assert filled(up, r=i, s=j) == (-(-i // m) + k) // j


def test_roundings_by_letters_are_one():
    assert str(floor_div(floor_div(r, 2), s)) == "floor(r/(2*s))"
    assert len(floor_div(ceil_div(r, 2) + 3, s).atoms(sympy.floor, sympy.ceiling)) == 1


def test_whole_parts_leave_the_floor_of_a_real_letter():
    assert str(floor(w + 3)) == "floor(w) + 3"
    assert str(floor_div(w + 7, 2)) == "floor(w/2 + 1/2) + 3"
    assert filled(floor_div(w + 7, 2), w=Fraction(7, 2)) == 5


def test_division_by_zero_is_an_error_for_letters_as_for_numbers():
    for size in (7, r, Fraction(7, 2)):
        with pytest.raises(ZeroDivisionError):
            floor_div(size, 0)


def test_padding_same_is_tensorflows_whatever_the_kernel():
    assert [output_size(n, 3, 2, "same") for n in (1, 2, 13, 14)] == [1, 1, 7, 7]
    assert str(output_size(r, 5, 2, "same")) == "ceiling(r/2)"
    assert output_size(r, 5, 1, "same") == r
    assert output_size(np.array([13, 14]), 3, 2, "same").tolist() == [7, 7]


def test_a_dilated_window_reaches_further():
    # kernel 3, dilation 2: taps at 0, 2, 4, so a reach of 5; 10 − 5 + 1 = 6 positions
    assert output_size(10, 3, 1, 0, 2) == 6


# ---- rounding of letters, Fractions and columns

ratios = st.fractions(min_value=Fraction(1, 16), max_value=2000, max_denominator=120)


def by_the_book(x, m):
    """`round_filters` of the EfficientNet code, in exact arithmetic."""
    rounded = max(m, (x + Fraction(m, 2)) // m * m)
    return rounded + m if rounded < Fraction(9, 10) * x else rounded


@settings(max_examples=300)
@given(ratios, st.sampled_from([1, 2, 3, 4, 8, 10, 16]))
def test_round_to_is_the_published_rule_for_every_kind_of_size(x, m):
    expected = by_the_book(x, m)
    assert round_to(x, m) == expected
    assert type(round_to(x, m)) is int
    assert filled(round_to(w, m), w=x) == expected
    assert round_to(np.array([x, x + 1], dtype=object), m).tolist() == [expected, by_the_book(x + 1, m)]


@settings(max_examples=300)
@given(ratios)
def test_floor_and_ceil_agree_on_every_kind_of_size(x):
    down, up = floor_of(x), ceil_of(x)
    assert (floor(x), ceil(x)) == (down, up)
    assert type(floor(x)) is type(ceil(x)) is int
    assert (filled(floor(w), w=x), filled(ceil(w), w=x)) == (down, up)
    column = np.array([x, -x], dtype=object)
    assert (floor(column).tolist(), ceil(column).tolist()) == ([down, -up], [up, -down])
    assert (floor(r), ceil(r)) == (r, r)


def test_round_to_on_whole_columns():
    n = np.arange(1, 2000)
    assert round_to(n, 8).tolist() == [by_the_book(int(x), 8) for x in n]


def test_a_rounded_width_is_known_to_be_a_multiple():
    width = round_to(32 * w, 8)
    assert whole(width / 4) is True
    assert divides(8, 3 * width) is True
    assert divides(16, width) is None
    assert at_least(width, 8) is True
    assert str(floor_div(width + 3, 4)) == "round_to(32*w, 8)/4"


@given(st.integers(1, 500), st.integers(1, 500))
def test_greatest_common_divisors(a, b):
    expected = gcd_of(a, b)
    assert gcd(a, b) == expected
    assert filled(gcd(r, s), r=a, s=b) == expected
    assert filled(gcd(r, b), r=a) == expected
    assert filled(gcd(a * r, b), r=a) == gcd_of(a * a, b)
    assert gcd(np.array([a, 6]), b).tolist() == [expected, gcd_of(6, b)]
    assert gcd(np.array([a, 6], dtype=object), b).tolist() == [expected, gcd_of(6, b)]


def test_a_known_divisor_is_the_gcd():
    assert gcd(6 * r, 3) == 3
    assert gcd(r, r * s) == r
    assert str(gcd(r, 6)) == "gcd(r, 6)"


def test_extremes():
    assert (maximum(2, 3), minimum(2, 3)) == (3, 2)
    assert maximum(np.array([1, 5]), 3).tolist() == [3, 5]
    assert minimum(3, np.array([1, 5])).tolist() == [1, 3]
    assert filled(maximum(r, 3), r=2) == 3
    assert filled(minimum(r, s), r=2, s=7) == 2
    assert minimum(r, r + 1) == r


def test_division_that_comes_out():
    assert exact_div(12, 4) == 3
    assert exact_div(6 * r, 3) == 2 * r
    assert exact_div(np.array([12, 8]), 4).tolist() == [3, 2]
    assert (prod([]), prod([2, r, 3])) == (1, 6 * r)
    assert (elements(()), elements((2, 3))) == (1, 6)


# ---- questions with three answers

linear = st.tuples(st.integers(-5, 5), st.integers(-5, 5), st.integers(-12, 12))
POINTS = [(i, j) for i in (1, 2, 3, 4, 7, 30) for j in (1, 2, 5, 6, 11)]


@settings(max_examples=300)
@given(linear, st.integers(1, 6), st.booleans())
def test_an_answer_given_for_letters_holds_at_every_point(coefficients, m, rounded):
    a, b, c = coefficients
    left, right = a * r + b * s + c, (ceil_div(r, m) if rounded else m * s)
    questions = {at_least: lambda x, y: x >= y, equal: lambda x, y: x == y}
    if left != 0:
        questions[divides] = lambda x, y: y % x == 0
    for ask, truth in questions.items():
        answer = ask(right, left)
        if answer is not None:
            for i, j in POINTS:
                assert truth(-(-i // m) if rounded else m * j, a * i + b * j + c) is answer


@pytest.mark.parametrize(
    ("a", "b", "answer"),
    [
        (r, 1, True),
        (ceil_div(r, 32) + 2, 3, True),  # a 3×3 window with padding 1 fits whatever is left of r
        (r * s, 1, True),
        (r * s + r, 2, True),
        (r, 2, None),
        (floor_div(r, 2), 0, True),
        (floor_div(r, 2), 1, None),
        (1, r + 1, False),
        (0, r * s, False),
        (r, s, None),
        (5, w, None),
        (w, 0, True),
        (round_to(w, 8) * r, 8, True),
        (round_to(w, r), 1, True),
    ],
)
def test_what_letters_know_of_their_order(a, b, answer):
    assert at_least(a, b) is answer


def test_equality():
    assert equal(r * (s + 1), r * s + r) is True
    assert equal(r, s) is None
    assert equal(r + 1, r) is False
    assert equal(r + s, 1) is False  # two letters are at least 2 together
    assert equal(r, 1) is None
    assert (is_zero(0), is_zero(r), is_zero(r - s)) == (True, False, None)
    assert equal(np.array([1, 2]), 2).tolist() == [False, True]


def test_wholeness():
    assert (whole(3), whole(Fraction(1, 2)), whole(Fraction(2, 1))) == (True, False, True)
    assert (whole(r), whole(r / 2), whole(w), whole(r + sympy.Rational(1, 2))) == (True, None, None, False)
    assert whole(np.array([Fraction(1, 2), Fraction(4, 2)], dtype=object)).tolist() == [False, True]


def test_all_of_is_false_before_it_is_open():
    assert all_of([]) is True
    assert all_of([True, None, True]) is None
    assert all_of([None, False]) is False
    assert all_of([True, np.array([True, False]), np.array([True, True])]).tolist() == [True, False]


def test_shapes_are_compared_axis_by_axis():
    n = np.array([1, 2, 3])
    assert same_shape((2, r), (2, r)) is True
    assert same_shape((2, r), (3, r)) is False
    assert same_shape((2, r), (2, s)) is None
    assert same_shape((2, 3), (2, 3, 1)) is False
    assert same_shape((n, n), (np.array([1, 2, 4]), np.array([1, 5, 3]))).tolist() == [True, False, False]


def test_axes_of_1_stretch():
    n = np.array([1, 4, 3])
    assert [broadcasts(a, b) for a, b in [(1, 5), (5, 1), (5, 5), (5, 4), (r, s), (1, r)]] == [
        True, True, True, False, None, True,
    ]  # fmt: skip
    assert [broadcast_size(a, b) for a, b in [(1, 5), (5, 1), (5, 5), (1, r), (r, 1)]] == [5, 5, 5, r, r]
    assert broadcasts(n, np.array([4, 1, 4])).tolist() == [True, True, False]
    assert broadcast_size(n, np.array([4, 1, 3])).tolist() == [4, 4, 3]


# ---- what is accepted as a size


def test_numbers_have_one_form():
    for x in (Fraction(6, 2), sympy.Integer(3), np.int64(3), np.array(3), 3):
        assert type(canonical(x)) is int
        assert canonical(x) == 3
    assert canonical(Fraction(1, 2)) == Fraction(1, 2)
    assert canonical(r) is r


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (0, "kernel must be a whole number from 1 to 2^31, got 0"),
        (-3, "kernel must be a whole number from 1 to 2^31, got -3"),
        (MAX_SIZE + 1, "kernel must be a whole number from 1 to 2^31, got 2147483649"),
        (Fraction(1, 2), "kernel must be a whole number from 1 to 2^31, got 0.5"),
        (sympy.Integer(0), "kernel must be a whole number from 1 to 2^31, got 0"),
        pytest.param(10**9999, "kernel must be a whole number from 1 to 2^31, got 2^33215 or more", id="10**9999"),
        pytest.param(-(2**200), "kernel must be a whole number from 1 to 2^31, got -2^200 or more", id="-(2**200)"),
        (FactoredInt(0), "kernel must be a whole number from 1 to 2^31, got 0"),
        (3.0, "kernel must be a whole number, got 3.0"),
        (True, "kernel must be a whole number, got True"),
        (None, "kernel must be a whole number, got None"),
        (np.array([1.5, 2.0]), "kernel must be a whole number, got array([1.5, 2. ])"),
        ("x" * 1000, f"kernel must be a whole number, got '{'x' * 58}…"),
    ],
)
def test_what_is_no_size_is_refused(given, message):
    with pytest.raises(ShapeError) as caught:
        check_size(given, "kernel", 1)
    assert str(caught.value) == message


def test_letters_and_columns_of_whole_numbers_are_sizes():
    assert check_size(r, "kernel", 1) is r
    assert check_size(MAX_SIZE, "kernel", 1) == MAX_SIZE
    narrow = check_size(np.array([3, 200], dtype="uint8"), "kernel", 1)
    assert (narrow * 2**70).tolist() == [3 * 2**70, 200 * 2**70]
    wide = np.array([2**30], dtype=object)
    assert (check_size(wide, "kernel", 1) * 2**70).tolist() == [2**100]
    with pytest.raises(ShapeError, match=r"kernel must be a whole number from 1 to 2\^31, got 0"):
        check_size(np.array([3, 0]), "kernel", 1)
    with pytest.raises(ShapeError, match="kernel must be a whole number: no exact number: None"):
        check_size(np.array([3, None]), "kernel", 1)


def test_numbers_ask_for_neither_sympy_nor_numpy():
    code = (
        "import sys; from costcalc import dims, ops\n"
        "x = (1, 3, 224, 224); op = ops.Conv(64, 7, 2, 3)\n"
        "ops.check(op.needs(x)); op.weights(x); op.macs(x, out=op.shape(x)); dims.round_to(35, 8)\n"
        "print(sorted({'sympy', 'numpy', 'networkx', 'torch', 'yaml'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_one_letter_per_name():
    assert size_symbol("r") is r
    assert size_symbol("w") != w


def test_what_dims_offers_is_there():
    assert {*dims.__all__} <= {*vars(dims)}  # in ruff's order


@pytest.mark.parametrize(
    ("x", "number"),
    [(3, True), (Fraction(1, 2), True), (r, False), (2 * r, False), (np.array([3]), False), ("3", False)],
)
def test_a_number_is_no_letter_and_no_column(x, number):
    assert dims.is_rational(x) is number


# ---- numbers that remember their factors


def test_shown_numbers_print_their_factors_in_groups():
    out = elements(tuple(FactoredInt(size, image=True) for size in (1, 32, 28, 28)))
    kernel = prod(map(FactoredInt, (5, 5)))
    macs = out * kernel * exact_div(FactoredInt(192), 1)
    assert macs == 28 * 28 * 32 * 5 * 5 * 192
    assert macs.text == "28·28·32 · 5·5·192"


def test_a_shown_batch_is_said_unless_it_is_1():
    assert elements(tuple(FactoredInt(size, image=True) for size in (8, 32, 28, 28))).text == "8·28·28·32"
    assert elements(tuple(map(FactoredInt, (8, 12, 256, 64)))).text == "8·12·256·64"  # no image: axes in order
    assert elements(tuple(map(FactoredInt, (8, 10)))).text == "8·10"
    assert elements((FactoredInt(1),)).text == "1"


def test_shown_quotients_and_sums_are_one_factor():
    assert (exact_div(FactoredInt(96), 2) * 3).text == "(96/2)·3"
    assert exact_div(FactoredInt(96), 1).text == "96"
    assert exact_div(96, FactoredInt(2)) == 48
    assert ((FactoredInt(3) + 4) * 5).text == "(3 + 4)·5"
    assert (3 + FactoredInt(4), (3 + FactoredInt(4)).text) == (7, "(3 + 4)")
    assert (0 + FactoredInt(4)).text == "4"
    assert (FactoredInt(4) + 0).text == "4"
    assert (1 * FactoredInt(4)).text == "4"
    assert (2 * FactoredInt(4)).text == "2·4"


@pytest.mark.parametrize("multiple", [Fraction(5, 2), 0, -8, Fraction(1, 3)])
def test_a_multiple_to_round_to_is_a_whole_number_from_1(multiple):
    for x in (20, Fraction(25, 2), ExactArray.of([20, 30]), 10 * w):
        for other in (multiple, multiple * r if dims.is_symbolic(x) else ExactArray.of([8, multiple])):
            with pytest.raises(ShapeError, match=r"the multiple of round_to must be a whole number from 1"):
                round_to(x, other)


def test_a_multiple_of_letters_is_known_to_be_whole():
    for unknown in (w, r / 2, r - 1, 8 * w, w + r):
        with pytest.raises(ShapeError, match="may not be one"):
            round_to(20, unknown)
    for known in (r, 2 * r, r + 1, ceil(w), maximum(r - 4, 8), round_to(w, 8)):
        assert round_to(20, known).is_integer


def random_rounding(dice, values, depth=4):
    """The same roundings of w in each kind of size, or what refuses them."""
    if depth == 0:
        factor = dice.choice([1, 2, Fraction(5, 2)])
        return [factor * x for x in values]
    inner = random_rounding(dice, values, depth - 1)
    match dice.randrange(4):
        case 0:
            return [*map(ceil, inner)]
        case 1:
            return [*map(floor, inner)]
        case 2:
            factor = dice.choice([Fraction(1, 3), Fraction(7, 4), 3])
            return [factor * x + 1 for x in inner]
    multiple = dice.choice([1, 8, Fraction(5, 2), Fraction(1, 2), -8])
    return [round_to(x, multiple) for x in inner]


def test_roundings_in_each_other_are_one_number_in_every_kind_of_size():
    dice, counted = random.Random(3), 0
    points = [Fraction(5, 4), Fraction(1, 8), Fraction(7, 3), 2]
    for _ in range(300):
        seed, found = dice.random(), []
        for values in (points, [w], [ExactArray.of(points)]):
            try:
                found.append(random_rounding(random.Random(seed), values))
            except ShapeError:
                found.append(None)
        numbers, formula, columns = found
        assert (numbers is None) is (formula is None) is (columns is None)
        if numbers is not None:
            counted += 1
            assert columns[0].tolist() == numbers
            assert [substitute(formula[0], {"w": point}) for point in points] == numbers
    assert counted > 100


def test_a_symbol_that_is_a_multiple_loses_its_roundings():
    r = dims.multiple_symbol(dims.size_symbol("r"), 32)
    assert dims.floor_div(r + 1, 2) == r / 2
    assert dims.ceil_div(r, 32) == r / 32
    assert dims.whole(r * r / 1024) is True and dims.whole(r / 64) is None
    assert dims.at_least(r, 32) is True and dims.at_least(r, 33) is None
    assert dims.floor_div(r, 64) != r / 64


def test_multiples_of_other_steps_are_other_symbols():
    r = dims.size_symbol("r")
    by_32, by_48 = dims.multiple_symbol(r, 32), dims.multiple_symbol(r, 48)
    assert len({r, by_32, by_48}) == 3
    assert dims.floor_div(by_48, 32) != by_48 / 32 and dims.floor_div(by_32, 32) == by_32 / 32
    assert deepcopy(by_32) == by_32
