"""Columns are their numbers: every operation at every point what Python's own exact numbers say."""

import operator
import random
from fractions import Fraction

import numpy as np
import pytest

from costcalc import dims
from costcalc.dims.bounds import INT64_LIMIT
from costcalc.dims.exact_array import ExactArray
from costcalc.errors import ShapeError
from costcalc.ops import OPS

OPERATIONS = [
    operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod, operator.truediv, operator.eq,
    operator.ne, operator.lt, operator.le, operator.gt, operator.ge, dims.maximum, dims.minimum,
]  # fmt: skip


def numbers(rng, count):
    """Small and large, whole and not, on both sides of what 64 bits hold; none is 0."""
    kinds = [
        lambda: rng.randint(1, 9), lambda: rng.randint(-(10**6), -1), lambda: INT64_LIMIT + rng.randint(-2, 2),
        lambda: rng.randint(1, 2**100), lambda: Fraction(rng.randint(1, 99), rng.randint(1, 20)),
        lambda: rng.choice([2**31, 2**32, 3 * 2**31]),
    ]  # fmt: skip
    kind = rng.choice(kinds)
    return [kind() for _ in range(count)]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_an_operation_is_that_of_the_numbers(operation):
    rng = random.Random(operation.__name__)
    for _ in range(400):
        a, b = numbers(rng, 3), numbers(rng, 3)
        if operation is operator.truediv:
            a, b = [*map(Fraction, a)], [*map(Fraction, b)]
        expected = [operation(x, y) for x, y in zip(a, b, strict=True)]
        assert operation(ExactArray.of(a), ExactArray.of(b)).tolist() == expected
        assert operation(ExactArray.of(a), b[0]).tolist() == [operation(x, b[0]) for x in a]
        if operation not in (operator.eq, operator.ne):
            assert operation(a[0], ExactArray.of(b)).tolist() == [operation(a[0], y) for y in b]


def test_powers_and_signs():
    column = ExactArray.of([2, -3, Fraction(1, 2)])
    assert (column**5).tolist() == [32, -243, Fraction(1, 32)]
    assert (column**-2).tolist() == [Fraction(1, 4), Fraction(1, 9), 4]
    assert (-column).tolist() == [-2, 3, Fraction(-1, 2)]
    assert (ExactArray.of([2**31]) ** 4).tolist() == [2**124]


def test_a_column_is_equal_to_itself_and_not_over_another_denominator():
    column = ExactArray.of([1, 2])
    assert dims.equal(column, column) is True
    assert dims.equal(column, ExactArray(column.num, column.den)).all()
    assert dims.equal(column, ExactArray(column.num, 2)).tolist() == [False, False]
    assert dims.broadcasts(ExactArray.of([1, 2]), ExactArray.of([1, 3])).tolist() == [True, False]


def test_divisors_of_whole_numbers_over_a_denominator():
    whole = ExactArray.of([2, 4]) * ExactArray.of([Fraction(1, 2), Fraction(3, 2)])
    assert whole.den == 2
    assert dims.gcd(whole, 6).tolist() == [1, 6]


ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod, dims.maximum, dims.minimum]


def test_the_bounds_are_kept_and_words_are_used_within_them():
    """After any eight operations, on numbers of both signs, with a number or another column."""
    rng = random.Random(63)
    for _ in range(4000):
        column, told = ExactArray.of([1, 2, 3]), [1, 2, 3]
        for _ in range(8):
            operation, kind = rng.choice(ARITHMETIC), rng.choice([40, 2**33])
            others = [rng.choice([-1, 1]) * rng.randint(1, kind) for _ in told]
            others = rng.choice([others, others[:1] * 3])
            other = ExactArray.of(others) if rng.random() < 0.5 or len({*others}) > 1 else others[0]
            if operation in (operator.floordiv, operator.mod) and rng.random() < 0.3 and all(told):
                column, told = operation(other, column), [operation(y, x) for x, y in zip(told, others, strict=True)]
            else:
                column, told = operation(column, other), [operation(x, y) for x, y in zip(told, others, strict=True)]
        low, high = column.bounds
        assert column.tolist() == told
        assert low <= min(told) and max(told) <= high
        assert (low > -INT64_LIMIT and high < INT64_LIMIT) or column.dtype == object


def test_the_bounds_of_one_operation_with_a_number_are_the_least_and_the_most():
    rng = random.Random(65)
    for _ in range(1000):
        told, number = [rng.randint(-(2**40), 2**40) for _ in range(3)], rng.choice([-1, 1]) * rng.randint(1, 2**30)
        for operation in (operator.add, operator.sub, operator.mul, operator.floordiv, dims.maximum):
            column, expected = operation(ExactArray.of(told), number), [operation(x, number) for x in told]
            assert column.bounds == (min(expected), max(expected))
            assert (column.dtype == np.int64) == (max(map(abs, expected)) < INT64_LIMIT)


def test_what_the_bounds_tell_is_what_the_numbers_say():
    rng = random.Random(64)
    for _ in range(2000):
        told = [rng.choice([rng.randint(-5, 5), Fraction(rng.randint(-9, 9), rng.randint(1, 4))]) for _ in range(3)]
        column, number = ExactArray.of(told), rng.choice([rng.randint(-5, 5), Fraction(rng.randint(-9, 9), 2)])
        assert np.all(np.array(dims.at_least(column, number)) == [x >= number for x in told])
        assert np.all(np.array(dims.at_least(number, column)) == [number >= x for x in told])
        assert np.all(np.array(dims.whole(column)) == [dims.whole(x) for x in told])
        assert np.all(np.array(dims.divides(1, column)) == [dims.whole(x) for x in told])
    whole = ExactArray.of([3, 4])
    assert dims.at_least(whole, 3) is True
    assert dims.whole(whole) is True
    assert dims.divides(1, whole) is True
    assert dims.equal(whole, whole) is True
    assert dims.ceil_div(whole, 1) is dims.floor(whole) is whole


@pytest.mark.parametrize("a", [1, 2, 5])
@pytest.mark.parametrize("b", [1, 2, 5])
def test_axes_stretch_alike_in_numbers_and_columns(a, b):
    columns = [ExactArray.of([a, a]), ExactArray.of([b, b])]
    may = a == b or 1 in (a, b)
    for x, y in ((a, b), columns, (a, columns[1]), (columns[0], b)):
        assert np.all(np.array(dims.broadcasts(x, y)) == may)
        if may:
            assert np.all(np.array(dims.broadcast_size(x, y)) == max(a, b))


def test_floats_of_numpy_are_not_cut_off():
    assert dims.at_least(3, np.array([3.5, 2.0])).tolist() == [False, True]
    for shares in ([0.5, 1.5], [-0.5, 0.2]):
        with pytest.raises(ShapeError, match="a number from 0 to 1"):
            OPS["dropout"](np.array(shares))


def test_arrays_of_fractions_are_not_taken_for_whole():
    """Quotients of two metrics stand so in a condition."""
    values = np.array([Fraction(5, 2), Fraction(7, 2)], dtype=object)
    assert ExactArray(values).bounds == (2, 4)
    assert dims.floor(ExactArray(values)).tolist() == [2, 3]
    assert dims.at_least(3, ExactArray(values)).tolist() == [True, False]
    assert dims.at_least(10, 10 // ExactArray(values / 10)).tolist() == [False, False]
    assert (ExactArray(values) * 2).tolist() == [5, 7]
    assert (ExactArray.of([10, 14]) / ExactArray(values)).tolist() == [4, 4]
    assert ExactArray(values, 2).tolist() == [Fraction(5, 4), Fraction(7, 4)]


def test_axes_stretch_and_what_stays_small_is_not_made_large():
    r, w = ExactArray.of([10, 20], (2, 1)), ExactArray.of([Fraction(1, 4), 3, 5], (1, 3))
    assert (r * w).tolist() == [[Fraction(5, 2), 30, 50], [5, 60, 100]]
    assert (r * r).shape == (2, 1)
    assert dims.round_to(32 * w, 8).tolist() == [[8, 96, 160]]


def test_truths_count_as_0_and_1():
    assert (np.array([True, False]) * ExactArray.of([5, 6])).tolist() == [5, 0]
    assert (ExactArray.of([5, 6]) + np.array([True, False])).tolist() == [6, 6]


@pytest.mark.no_cover
def test_rounding_is_the_rule_of_ints_at_random_points():
    """10^5 points of round_to, ceil and floor: 0 differences."""
    rng = random.Random(8)
    values = [Fraction(rng.randint(1, 10**6), rng.choice([1, 2, 3, 7, 10, 20, 100, 1000])) for _ in range(100_000)]
    column = ExactArray.of(values)
    assert dims.round_to(column, 8).tolist() == [dims.round_to(x, 8) for x in values]
    assert dims.ceil(column).tolist() == [dims.ceil(x) for x in values]
    assert dims.floor(column).tolist() == [dims.floor(x) for x in values]


def test_what_is_no_number_is_refused():
    for nothing in (float("nan"), float("inf"), "3", None, True):
        with pytest.raises(TypeError, match="no exact number"):
            ExactArray.of([1, nothing])
    with pytest.raises(ZeroDivisionError):
        ExactArray.of([1]) // ExactArray.of([0])
    with pytest.raises(TypeError):
        hash(ExactArray.of([1]))


def test_greatest_common_divisors():
    rng = random.Random(12)
    a, b = [[rng.randint(1, 2 ** rng.choice([8, 70])) for _ in range(500)] for _ in range(2)]
    assert dims.gcd(ExactArray.of(a), ExactArray.of(b)).tolist() == [dims.gcd(x, y) for x, y in zip(a, b, strict=True)]
